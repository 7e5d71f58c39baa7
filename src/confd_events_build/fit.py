"""Fit the extension to an SDK: what to compile it with and how to link it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import shape_tables
from .description import PROJECT
from .probe import can_wrap, check_compiler, check_limits, release
from .sdk import PRODUCTS, WRAP, Sdk, SdkError, api_version, dotted, lacking_library
from .tables import Tables, update, write

if TYPE_CHECKING:
    from setuptools import Extension

_SOURCES = PROJECT / "src" / "confd_events" / "extension"
_FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra"]
# Who finds a way to write past a buffer shall not get far.
_PROTECTED = ["-fstack-protector-strong"]
_FORTIFIED = ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]
_LINK_HARDENED = ["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]
# What the tests ask of the stub library can be asked of an extension that has it inside.
_EXPORTS = "{ global: PyInit_*; confd_stub_*; local: *; };\n"
_TABLE_SIZE = re.compile(r"^[0-9a-f]+ ([0-9a-f]+) \w confd_log_symbols$", re.MULTILINE)


def tag(sdk: Sdk, compiler: Sequence[str]) -> str:
    """The local part of the version of a wheel for this SDK: ncs8.2.5, or ncs8.2.5.static."""
    static = ".static" if sdk.link == "static" else ""
    return f"{sdk.product.lower()}{dotted(release(sdk, compiler).version)}{static}"


def fit(ext: Extension, sdk: Sdk, compiler: Sequence[str], build: Path) -> None:
    """Set up the extension for the SDK; write tables.h into the build directory."""
    check_compiler(compiler)
    declared = release(sdk, compiler).api_version
    _check_same_release(sdk, declared)
    tables = write(sdk, compiler, build / "tables.h")
    shapes = shape_tables.render(dotted(declared), sdk.product, tables.constants)
    update(build / "shape_tables.h", shapes)
    _report(sdk, tables)
    headers = sorted(map(str, _SOURCES.glob("*.h")))
    ext.depends = [
        str(build / "tables.h"),
        str(build / "shape_tables.h"),
        str(sdk.library),
        *headers,
    ]
    ext.include_dirs = [str(build), str(_SOURCES), str(sdk.include)]
    ext.define_macros += [*sdk.macros, *_tried_library(sdk, compiler)]
    ext.extra_compile_args = [*_FLAGS, *_hardened()]
    ext.extra_link_args = [*_LINK_HARDENED]
    if sdk.link == "static":
        _link_static(ext, sdk, compiler, build)
    else:
        ext.library_dirs = [str(sdk.lib)]
        # The vendor's library has no SONAME; this is how it is found again on this host.
        ext.runtime_library_dirs = [str(sdk.lib)]
        ext.libraries = ["confd", "dl"]


def _tried_library(sdk: Sdk, compiler: Sequence[str]) -> list[tuple[str, str]]:
    """What tells at import that the library in use is the one that was tried here, if it was."""
    if not check_limits(sdk, compiler):
        return []
    found = sdk.library.stat()
    return [("TRIED_SIZE", str(found.st_size)), ("TRIED_MTIME", str(int(found.st_mtime)))]


def _hardened() -> list[str]:
    # Without optimisation the C library can't, and warns.
    optimised = "-O0" not in os.environ.get("CFLAGS", "").split()
    return [*_PROTECTED, *(_FORTIFIED if optimised else [])]


def _link_static(ext: Extension, sdk: Sdk, compiler: Sequence[str], build: Path) -> None:
    ext.extra_objects = [str(sdk.library)]
    # Hidden, the library's symbols neither meet those of another libconfd in the process nor
    # are replaced by them.
    exports = build / "exports.map"
    exports.write_text(_EXPORTS)
    ext.extra_link_args += [f"-Wl,--version-script={exports}", "-Wl,-Bsymbolic"]
    ext.libraries = ["dl", "m", "pthread"]
    if can_wrap(compiler):
        ext.extra_link_args += [WRAP]
        ext.define_macros += [("FRAMES_FROM_MEMORY", "1")]
    else:
        print("confd-events: the linker can't wrap read(): libconfd reads each frame for itself")
    ext.define_macros += [
        ("STATIC_LIBCONFD", "1"),
        ("LOG_TABLE_SIZE", str(_log_table_size(sdk.library))),
    ]


def _log_table_size(archive: Path) -> int:
    """Bytes of the table of log symbols, which only the symbol table knows; 0 without one."""
    done = subprocess.run(
        ["nm", "--print-size", "--defined-only", str(archive)], capture_output=True, text=True
    )
    size = _TABLE_SIZE.search(done.stdout)
    return int(size.group(1), 16) if size else 0


def _check_same_release(sdk: Sdk, declared: int) -> None:
    built = api_version(sdk.library)
    if built is not None and built != declared:
        raise SdkError(
            f"The headers in {sdk.include} are of API level {dotted(declared)}, but {sdk.library} "
            f"is of {dotted(built)}: take both from the same release."
        )


def _report(sdk: Sdk, tables: Tables) -> None:
    product = PRODUCTS[sdk.product]
    why = f": {sdk.why}" if sdk.why else ""
    print(
        f"confd-events: libconfd SDK {sdk.root} of {product} (from {sdk.origin}), {sdk.link}{why}"
    )
    fields = sum("." in name for name in tables.missing)
    print(
        f"confd-events: its headers lack {len(tables.missing) - fields} constants and {fields} "
        "fields of other releases; confd-events info --verbose names them"
    )
    lacking = lacking_library(sdk.library) if sdk.link == "shared" else ""
    if lacking:
        print(
            f"confd-events: {sdk.library} needs {lacking}, which this host lacks: without it the "
            "package can't be imported; install it, or set CONFD_EVENTS_LINK=static"
        )
