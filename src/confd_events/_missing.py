"""Say what is wrong when the extension is not there, or the loader did not find libconfd, or what
libconfd itself needs."""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
from pathlib import Path

_SHT_DYNAMIC = 6
_DT_RUNPATH = 29


def explanation(failure: ImportError) -> str:
    """What to tell a user whose libraries are not all there; nothing if that is not the failure."""
    if importlib.util.find_spec("confd_events._events") is None:
        return _without_extension()
    lacking, colon, _ = str(failure).partition(": cannot open shared object file")
    if not colon:
        return ""
    return _without_libconfd() if lacking == "libconfd.so" else _without_what_it_needs(lacking)


def _without_extension() -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    return (
        f"confd_events in {Path(__file__).parent} has no extension for this Python, {version}. If "
        "that is a source tree, where it is not built, run from another directory, or look at "
        "PYTHONPATH; else install confd-events again, with this Python's pip."
    )


def _without_what_it_needs(library: str) -> str:
    return (
        f"confd_events can't load libconfd.so: it needs {library}, which is not on this host. "
        "Install the package that has it, or set LD_LIBRARY_PATH to its directory; or build "
        "confd_events with CONFD_EVENTS_LINK=static, which needs neither."
    )


def _without_libconfd() -> str:
    spec = importlib.util.find_spec("confd_events._events")
    module = Path(spec.origin) if spec is not None and spec.origin else None
    places = {
        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
        "the run path that its build gave it": _runpath(module) if module else "",
    }
    looked = "; ".join(f"{name} ({where or 'not set'})" for name, where in places.items())
    return (
        f"confd_events did not find libconfd.so. It was looked for in {looked}; and the system's "
        "directories. Set LD_LIBRARY_PATH to the directory that holds it: lib in $NCS_DIR or "
        "$CONFD_DIR; sourcing ncsrc or confdrc does so."
    )


def _runpath(module: Path) -> str:
    """The RUNPATH of a 64-bit ELF file, or nothing."""
    data = module.read_bytes()
    if data[:5] != b"\x7fELF\2":
        return ""
    table, size, count = struct.unpack_from("=Q", data, 40) + struct.unpack_from("=HH", data, 58)
    # Of each section header: type, offset, size, and the section with its strings.
    sections = [struct.unpack_from("=4xI16xQQI", data, table + n * size) for n in range(count)]
    for kind, offset, length, strings in sections:
        if kind != _SHT_DYNAMIC:
            continue
        for tag, value in struct.iter_unpack("=QQ", data[offset : offset + length]):
            if tag == _DT_RUNPATH:
                start = sections[strings][1] + value
                return data[start : data.index(b"\0", start)].decode(errors="replace")
    return ""
