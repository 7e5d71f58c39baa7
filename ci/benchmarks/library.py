"""The loops in C, built with optimisation against the library that the extension has.

Where that is linked statically, the loops have a copy of their own.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys
from pathlib import Path

import confd_events as events

sys.path.append(str(Path(__file__).parents[2] / "src"))
from confd_events_build import sdk

_SOURCE = Path(__file__).with_name("loop.c")
_STATIC = events.library()["link"] == "static"


def _headers_and_library() -> tuple[Path, Path]:
    if _STATIC:
        try:
            found = sdk.find(os.environ)
        except sdk.SdkError as error:
            raise SystemExit(f"bench: {error}") from None
        return found.include, found.library
    library = Path(events.library()["path"])
    return library.parent.parent / "include", library


def load_loops(folder: Path) -> ctypes.CDLL:
    """Compile loop.c into the folder and load it."""
    include, library = _headers_and_library()
    target = folder / "loop.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = ["-std=gnu11", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", f"-I{include}"]
    link = [str(_SOURCE), str(library), f"-Wl,-rpath,{library.parent}", "-o", str(target)]
    link += ["-Wl,-Bsymbolic", "-ldl", "-lm", "-lpthread"] if _STATIC else []
    subprocess.run([*compiler, *flags, *link], check=True)
    loops = ctypes.CDLL(str(target))
    if _STATIC:
        loops.start_library()
    for name in ("poll_and_read", "read_only"):
        function = getattr(loops, name)
        function.argtypes = [ctypes.c_int, ctypes.c_long]
        function.restype = ctypes.c_long
    loops.note_times.argtypes = [
        ctypes.c_int,
        ctypes.c_long,
        ctypes.POINTER(ctypes.c_long),
    ]
    loops.note_times.restype = ctypes.c_long
    return loops
