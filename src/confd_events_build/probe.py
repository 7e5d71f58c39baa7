"""Ask the C compiler what the SDK's headers declare."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .sdk import WRAP, Sdk, SdkError

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
    source = '#include "confd_lib.h"\nCONFD_LIB_VSN CONFD_LIB_API_VSN'
    done = _compile(sdk, source, [*compiler, "-E", "-P"])
    if done.returncode != 0:
        raise SdkError(f"The headers in {sdk.include} do not compile:\n{done.stderr.strip()}")
    version, api_version = done.stdout.split()[-2:]
    return Release(int(version, 0), int(api_version, 0))


def check_limits(sdk: Sdk, compiler: Sequence[str]) -> bool:
    """Let a program call confd_init(), which ends the process where headers and library differ.

    Returns whether that could be tried; a library may not run on the host of the build. Raises
    SdkError when the library refuses the headers.
    """
    source = (
        '#include <stdio.h>\n#include "confd_lib.h"\n'
        "int main(void)\n{\n"
        '    puts("called");\n    fflush(stdout);\n'
        '    confd_init("confd_events", stderr, CONFD_SILENT);\n'
        '    puts("returned");\n}\n'
    )
    macros = [f"-D{name}={value}" for name, value in sdk.macros]
    with tempfile.TemporaryDirectory() as folder:
        path, program = Path(folder) / "probe.c", Path(folder) / "probe"
        path.write_text(source)
        made = ["-w", *macros, f"-I{sdk.include}", str(path), str(sdk.library), "-o", str(program)]
        linked = _run([*compiler, *made, "-ldl", "-lm", "-lpthread", f"-Wl,-rpath,{sdk.lib}"])
        if linked.returncode != 0:
            return False
        try:
            done = _run([str(program)])
        except SdkError:  # for another processor
            return False
    if done.stdout == "called\n":
        raise SdkError(
            f"{sdk.library} refuses the headers in {sdk.include}, which must be those that it was "
            f"made with (API level, MAXDEPTH, MAXKEYLEN): {done.stderr.strip()}"
        )
    return done.returncode == 0


def check_compiler(compiler: Sequence[str]) -> None:
    """Raise SdkError for a compiler that can't make an extension for the vendor's libconfd."""
    source = (
        "#include <features.h>\n#ifdef __cplusplus\nc++\n#endif\n#ifdef __GLIBC__\nglibc\n#endif"
    )
    done = _compile_text(source, [*compiler, "-E", "-P"])
    said = done.stdout.split()
    if "c++" in said:
        raise SdkError(f"{compiler[0]} compiles C++, and this is C: set CC to a C compiler.")
    if done.returncode == 0 and "glibc" not in said:
        raise SdkError(
            f"{compiler[0]} compiles for another C library than glibc, such as musl of Alpine "
            "Linux. The vendor's libconfd needs glibc: build and run on a system that has it."
        )


_WRAPPING = """
#include <unistd.h>
ssize_t __real_read(int, void *, size_t);
ssize_t __wrap_read(int fd, void *to, size_t size) { return __real_read(fd, to, size); }
int main(void) { char byte; return (int)read(0, &byte, 1); }
"""


def can_wrap(compiler: Sequence[str]) -> bool:
    """Whether the linker knows --wrap, which those of GNU and LLVM do."""
    return _compile_text(_WRAPPING, [*compiler, WRAP, "-o", os.devnull]).returncode == 0


def _no_error_limit(compiler: Sequence[str]) -> str:
    version = _run([*compiler, "--version"]).stdout
    return "-ferror-limit=0" if "clang" in version else "-fmax-errors=0"


def _compile(sdk: Sdk, source: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    macros = [f"-D{name}={value}" for name, value in sdk.macros]
    return _compile_text(source, [*command, *macros, f"-I{sdk.include}"])


def _compile_text(source: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.c"
        path.write_text(source)
        return _run([*command, str(path)])


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}  # other languages would not say "error"
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True)
    except OSError as error:
        raise SdkError(
            f"The C compiler {command[0]} can't be run ({error.strerror}): install one or set CC."
        ) from None
