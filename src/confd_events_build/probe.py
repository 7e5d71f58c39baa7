"""Ask the C compiler what the SDK's headers declare."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .sdk import Sdk, SdkError

# What would be a warning must count as "the headers don't have it so".
_STRICT = (
    "-fsyntax-only",
    "-w",
    "-Werror=incompatible-pointer-types",
    "-Werror=int-conversion",
    "-Werror=implicit-function-declaration",
)
_ERROR_LINE = re.compile(r"^probe:(\d+):.*\berror:", re.MULTILINE)


class Release(NamedTuple):
    """Which release the headers are of."""

    product: str
    """ncs or confd."""
    version: int
    """CONFD_LIB_VSN"""
    api_version: int
    """CONFD_LIB_API_VSN"""


def supported(
    sdk: Sdk, headers: Sequence[str], pieces: Iterable[str], compiler: Sequence[str]
) -> set[str]:
    """Return those of the pieces (bodies of C functions) that compile with the headers.

    One run of the compiler serves for all: each piece is a function on a line of its own, and
    the lines with errors are the pieces that the headers don't support.
    """
    includes = "".join(f'#include "{header}"\n' for header in headers)
    alone = _compile(sdk, includes, [*compiler, *_STRICT])
    if alone.returncode != 0:
        raise SdkError(f"The headers in {sdk.include} do not compile:\n{alone.stderr.strip()}")
    lines = dict(enumerate(dict.fromkeys(pieces), start=1))
    functions = "".join(f"void probe_{n}(void) {{ {piece} }}\n" for n, piece in lines.items())
    source = f'{includes}#line 1 "probe"\n{functions}'
    done = _compile(sdk, source, [*compiler, *_STRICT, _no_error_limit(compiler)])
    failed = {int(number) for number in _ERROR_LINE.findall(done.stderr)}
    return {piece for n, piece in lines.items() if n not in failed}


def release(sdk: Sdk, compiler: Sequence[str]) -> Release:
    """Return the release that the SDK's headers say they are of."""
    source = (
        '#include "confd_lib.h"\n'
        "#ifdef CONFD_C_PRODUCT_CONFD\nconfd\n#else\nncs\n#endif\n"
        "CONFD_LIB_VSN CONFD_LIB_API_VSN"
    )
    done = _compile(sdk, source, [*compiler, "-E", "-P"])
    if done.returncode != 0:
        raise SdkError(f"The headers in {sdk.include} do not compile:\n{done.stderr.strip()}")
    product, version, api_version = done.stdout.split()[-3:]
    return Release(product, int(version, 0), int(api_version, 0))


def _no_error_limit(compiler: Sequence[str]) -> str:
    version = _run([*compiler, "--version"]).stdout
    return "-ferror-limit=0" if "clang" in version else "-fmax-errors=0"


def _compile(sdk: Sdk, source: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.c"
        path.write_text(source)
        macros = [f"-D{name}={value}" for name, value in sdk.macros]
        return _run([*command, *macros, f"-I{sdk.include}", str(path)])


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}  # other languages would not say "error"
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True)
    except OSError as error:
        raise SdkError(
            f"The C compiler {command[0]} can't be run ({error.strerror}): install one or set CC."
        ) from None
