"""The loops in C, built with optimisation against the library that the extension has loaded."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
from pathlib import Path

import confd_events as events

_SOURCE = Path(__file__).with_name("loop.c")


def load_loops(folder: Path) -> ctypes.CDLL:
    """Compile loop.c into the folder and load it."""
    library = Path(events.library()["path"])
    include = library.parent.parent / "include"
    target = folder / "loop.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = ["-std=gnu11", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", f"-I{include}"]
    link = [str(_SOURCE), str(library), f"-Wl,-rpath,{library.parent}", "-o", str(target)]
    subprocess.run([*compiler, *flags, *link], check=True)
    loops = ctypes.CDLL(str(target))
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
