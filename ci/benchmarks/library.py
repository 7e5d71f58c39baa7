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
from confd_events_build import sdk, shape_tables

__all__ = ["EXTENSION", "compile_with_headers", "load_loops", "shape_tables"]

EXTENSION = Path(__file__).parents[2] / "src" / "confd_events" / "extension"
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


def compile_with_headers(source: Path, target: Path, *options: str) -> ctypes.CDLL:
    """Compile a C file with the headers of the library in use, and load it."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    include, _ = _headers_and_library()
    product = f"-DCONFD_C_PRODUCT_{events.library()['product']}"
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fPIC", "-shared", product]
    command = [*compiler, *flags, f"-I{include}", str(source), *options, "-o", str(target)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(target))


def load_loops(folder: Path) -> ctypes.CDLL:
    """Compile loop.c into the folder and load it."""
    _, library = _headers_and_library()
    link = [str(library), f"-Wl,-rpath,{library.parent}"]
    link += ["-Wl,-Bsymbolic", "-ldl", "-lm", "-lpthread"] if _STATIC else []
    loops = compile_with_headers(_SOURCE, folder / "loop.so", "-O2", *link)
    if _STATIC:
        loops.start_library()
    for name in ("poll_and_read", "read_only"):
        function = getattr(loops, name)
        function.argtypes = [ctypes.c_int, ctypes.c_long]
        function.restype = ctypes.c_long
    loops.count_changes.argtypes = [ctypes.c_int, ctypes.c_int]
    loops.count_changes.restype = ctypes.c_long
    loops.note_times.argtypes = [
        ctypes.c_int,
        ctypes.c_long,
        ctypes.POINTER(ctypes.c_long),
    ]
    loops.note_times.restype = ctypes.c_long
    return loops
