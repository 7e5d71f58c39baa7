"""The check of frames alone, compiled for any release."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Callable, Optional

from confd_events.enums import Notif

ROOT = Path(__file__).parents[1]
RELEASES = [
    (level, product)
    for level in ("6.6", "7.7", "8.0", "8.2", "8.5", "8.7", "8.9")
    for product in ("NCS", "CONFD")
]
Check = Callable[..., Optional[bytes]]


@cache
def check_of(level: str, product: str) -> Check:
    """The check for a release, called with a term and how many of its bytes are seen, all unless
    said: it returns what is wrong, or None.
    """
    with TemporaryDirectory() as folder:
        check = _compiled(Path(folder), level, product).check
    check.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
    check.restype = ctypes.c_char_p
    return lambda term, seen=None: check(term, len(term), len(term) if seen is None else seen)


def _bits() -> Iterator[tuple[str, str]]:
    for bit in Notif:
        for prefix in ("NOTIF", "NCS_NOTIF"):
            yield f"{prefix}_{bit.name}", str(bit.value)


def _compiled(folder: Path, level: str, product: str) -> ctypes.CDLL:
    program = (
        "import sys; from confd_events_build.shape_tables import render\n"
        f"print(render({level!r}, {product!r}, {dict(_bits())!r}))"
    )
    source = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    rendered = subprocess.run(
        [sys.executable, "-c", program], env=source, capture_output=True, text=True, check=True
    )
    (folder / "shape_tables.h").write_text(rendered.stdout)
    library = folder / "check.so"
    command = shlex.split(os.environ.get("CC", "cc"))
    command += ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{folder}"]
    command += [f"-I{ROOT}/src/confd_events/extension", str(Path(__file__).with_name("check.c"))]
    subprocess.run([*command, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))
