"""Ask the C compiler which of many small pieces of C the SDK's headers support."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from .sdk import Sdk, SdkError

# What would be a warning must count as "the headers don't have it so".
_FLAGS = (
    "-fsyntax-only",
    "-w",
    "-Werror=incompatible-pointer-types",
    "-Werror=int-conversion",
    "-Werror=implicit-function-declaration",
)
_ERROR_LINE = re.compile(r"^probe:(\d+):.*\berror:", re.MULTILINE)


def supported(
    sdk: Sdk, headers: Sequence[str], pieces: Iterable[str], compiler: Sequence[str]
) -> set[str]:
    """Return those of the pieces (bodies of C functions) that compile with the headers.

    One run of the compiler serves for all: each piece is a function on a line of its own, and
    the lines with errors are the pieces that the headers don't support.
    """
    includes = "".join(f'#include "{header}"\n' for header in headers)
    alone = _compile(sdk, includes, compiler)
    if alone.returncode != 0:
        raise SdkError(f"The headers in {sdk.include} do not compile:\n{alone.stderr.strip()}")
    lines = dict(enumerate(dict.fromkeys(pieces), start=1))
    functions = "".join(f"void probe_{n}(void) {{ {piece} }}\n" for n, piece in lines.items())
    done = _compile(sdk, f'{includes}#line 1 "probe"\n{functions}', compiler)
    failed = {int(number) for number in _ERROR_LINE.findall(done.stderr)}
    return {piece for n, piece in lines.items() if n not in failed}


def _no_error_limit(compiler: Sequence[str]) -> str:
    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True).stdout
    return "-ferror-limit=0" if "clang" in version else "-fmax-errors=0"


def _compile(sdk: Sdk, source: str, compiler: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.c"
        path.write_text(source)
        macros = [f"-D{name}={value}" for name, value in sdk.macros]
        flags = [*_FLAGS, _no_error_limit(compiler), *macros, f"-I{sdk.include}"]
        command = [*compiler, *flags, str(path)]
        # Messages in other languages would not say "error".
        environment = {**os.environ, "LC_ALL": "C"}
        return subprocess.run(command, env=environment, capture_output=True, text=True)
