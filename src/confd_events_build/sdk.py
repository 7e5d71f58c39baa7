"""Find the vendor's SDK: headers and libconfd."""

from __future__ import annotations

import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .description import PROJECT, catalog

PRODUCTS = catalog.PRODUCTS

WAYS = """\
Tell where the libconfd SDK is, a directory with include/ and lib/, in one of these ways:
  CONFD_EVENTS_SDK=DIR   any SDK directory
  CONFD_EVENTS_SDK=stub  the stub library of this source tree, for development without NSO or ConfD
  NCS_DIR=DIR            an NSO installation (source its ncsrc)
  CONFD_DIR=DIR          a ConfD installation (source its confdrc)"""

_LIBRARIES = {"shared": "libconfd.so", "static": "libconfd.a"}
# Both products' libraries export the same functions, but each has its own table of log messages.
_NSO_MESSAGE = b"NCS_JAVA_VM_START"
_OWN_VARIABLE = {"NCS": "NCS_DIR", "CONFD": "CONFD_DIR"}
_LACKING = re.compile(r"(\S+): cannot open shared object file")
_API_VERSION = re.compile(rb"CONFD_LIB_API_VSN=([0-9a-fA-F]{8})")


class SdkError(Exception):
    """The build can't go on; the text says why and what to do."""


class Sdk(NamedTuple):
    """An SDK to build against."""

    root: Path
    origin: str
    """The variable that named it."""
    product: str = ""
    """NCS or CONFD; empty until the library has been asked."""
    link: str = "shared"
    """How to link libconfd: shared or static."""
    why: str = ""
    """Why so, where the build chose it."""

    @property
    def include(self) -> Path:
        return self.root / "include"

    @property
    def lib(self) -> Path:
        return self.root / "lib"

    @property
    def library(self) -> Path:
        return self.lib / _LIBRARIES[self.link]

    @property
    def macros(self) -> list[tuple[str, str]]:
        """The headers don't know their product: they want to be told."""
        return [(f"CONFD_C_PRODUCT_{self.product}", "1")]


def find(environ: Mapping[str, str]) -> Sdk:
    """Return the SDK that the environment names; raise SdkError when none or an unusable one."""
    link = environ.get("CONFD_EVENTS_LINK") or "auto"
    if link not in ("auto", *_LIBRARIES):
        raise SdkError(f"CONFD_EVENTS_LINK is {link!r}; set it to shared, static or auto.")
    sdk = _named(environ)
    try:
        if link == "auto":
            sdk = _choose_link(sdk, shlex.split(environ.get("CC") or "cc"))
        else:
            sdk = sdk._replace(link=link)
        _check(sdk)
        product = _product_of(sdk.library)
    except OSError as error:
        raise SdkError(f"{sdk.origin} is {sdk.root}, which can't be read: {error}") from None
    if sdk.product not in ("", product):
        raise SdkError(
            f"{sdk.origin} is {sdk.root}, but {sdk.library} is that of {PRODUCTS[product]}: "
            f"set {_OWN_VARIABLE[product]} instead, or take the right directory."
        )
    return sdk._replace(root=sdk.root.resolve(), product=product)


def _named(environ: Mapping[str, str]) -> Sdk:
    named = environ.get("CONFD_EVENTS_SDK")
    if named == "stub":
        return Sdk(_make_stub(environ), "CONFD_EVENTS_SDK=stub")
    if named:
        return Sdk(Path(named), "CONFD_EVENTS_SDK")
    for product, variable in _OWN_VARIABLE.items():
        if environ.get(variable):
            return Sdk(Path(environ[variable]), variable, product)
    raise SdkError(f"No libconfd SDK was named.\n{WAYS}")


def _make_stub(environ: Mapping[str, str]) -> Path:
    level = environ.get("CONFD_EVENTS_STUB_LEVEL", "8.2")
    product = environ.get("CONFD_EVENTS_STUB_PRODUCT", "ncs")
    root = PROJECT / "build" / f"sdk-{level}-{product}"
    command = [str(PROJECT / "ci" / "make-sdk"), "--level", level, "--product", product, str(root)]
    if subprocess.run(command).returncode != 0:
        raise SdkError(f"The stub library could not be built: {' '.join(command)}")
    return root


def _choose_link(sdk: Sdk, compiler: Sequence[str]) -> Sdk:
    """Static, where libconfd.a is there and links or is all there is; else shared."""
    shared, static = (sdk._replace(link=link) for link in _LIBRARIES)
    if not _is_readable(static.library):
        return shared._replace(why=f"there is no {static.library.name}")
    if not _is_readable(shared.library):
        return static._replace(why=f"there is no {shared.library.name}")
    if links(static.library, compiler):
        return static._replace(why=f"{static.library.name} is there and links")
    return shared._replace(why=f"{static.library.name} does not link into an extension")


def usable_links(environ: Mapping[str, str]) -> list[str]:
    """How the library of the SDK that the environment names can be linked and loaded on this host.

    What can't is said on stderr. SdkError when no SDK is named.
    """
    found = find({**environ, "CONFD_EVENTS_LINK": ""})
    compiler = shlex.split(environ.get("CC") or "cc")
    usable = []
    for link in ("static", "shared"):
        why = _not_usable(found._replace(link=link), compiler)
        if why:
            print(f"confd-events: {link} is left out: {why}", file=sys.stderr)
        else:
            usable.append(link)
    return usable


def _not_usable(sdk: Sdk, compiler: Sequence[str]) -> str:
    """Why the library can't be used as it is to be linked, or nothing."""
    if not _is_readable(sdk.library):
        return f"there is no {sdk.library}"
    if sdk.link == "static":
        return "" if links(sdk.library, compiler) else f"{sdk.library} does not link"
    lacking = lacking_library(sdk.library)
    return f"{sdk.library} needs {lacking}, which this host lacks" if lacking else ""


WRAP = "-Wl,--wrap=read,--wrap=ei_mutex_lock,--wrap=ei_mutex_unlock"
"""Has the linker lead these calls of libconfd to the extension; see memory.h and allocator.h."""
_EXTENSION = """
#include <unistd.h>
ssize_t __real_read(int, void *, size_t);
ssize_t __wrap_read(int fd, void *to, size_t size) { return __real_read(fd, to, size); }
int __wrap_ei_mutex_lock() { return 0; }
int __wrap_ei_mutex_unlock() { return 0; }
int confd_load_schemas(), confd_notifications_connect(), confd_read_notification();
void *used[] = {confd_load_schemas, confd_notifications_connect, confd_read_notification};
"""
_PLAIN_EXTENSION = _EXTENSION.replace("__real_read(fd", "read(fd")


def links(archive: Path, compiler: Sequence[str]) -> bool:
    """Whether libconfd.a links into an extension; so not if made without -fPIC, for example.

    With read() wrapped where the linker can. Without a compiler this is no question: the build
    ends with what is said of that.
    """
    options = ["-shared", "-fPIC", "-w", "-Wl,-z,defs", "-o", os.devnull]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.c"
        for source, wrap in ((_EXTENSION, [WRAP]), (_PLAIN_EXTENSION, [])):
            path.write_text(source)
            command = [*compiler, *options, *wrap, str(path), str(archive)]
            command += ["-ldl", "-lm", "-lpthread"]
            try:
                if subprocess.run(command, capture_output=True).returncode == 0:
                    return True
            except OSError:
                return True
    return False


def _product_of(library: Path) -> str:
    return "NCS" if _NSO_MESSAGE in library.read_bytes() else "CONFD"


def lacking_library(library: Path) -> str:
    """The name of a shared library that this libconfd.so needs and the host lacks, or nothing."""
    load = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    command = [sys.executable, "-c", load, str(library)]
    lacking = _LACKING.search(subprocess.run(command, capture_output=True, text=True).stderr)
    return lacking.group(1) if lacking else ""


def _check(sdk: Sdk) -> None:
    for name in ("confd_lib.h", "confd_events.h", "confd_maapi.h"):
        if not _is_readable(sdk.include / name):
            raise SdkError(
                f"{sdk.origin} is {sdk.root}, but there is no {sdk.include / name}.\n{WAYS}"
            )
    if not _is_readable(sdk.library):
        other = sdk._replace(link="static" if sdk.link == "shared" else "shared")
        hint = f" Leave CONFD_EVENTS_LINK away to link {other.library.name}."
        raise SdkError(
            f"{sdk.origin} is {sdk.root}, but there is no {sdk.library}."
            f"{hint if _is_readable(other.library) else ''}\n{WAYS}"
        )
    _check_word_size(sdk.library)


def _is_readable(path: Path) -> bool:
    """Whether there is such a file; raises OSError if it is there but can't be read."""
    try:
        with path.open("rb"):
            return True
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _check_word_size(library: Path) -> None:
    with library.open("rb") as file:
        magic = file.read(5)
    # The byte behind an ELF file's magic is 1 for 32 bits, 2 for 64.
    python_bits = struct.calcsize("P") * 8
    if magic[:4] == b"\x7fELF" and 32 * magic[4] != python_bits:
        raise SdkError(
            f"{library} is for {32 * magic[4]} bits, this Python for {python_bits}: "
            "take the SDK of the same kind."
        )


def api_version(library: Path) -> int | None:
    """The API version that the library's file says it has, or None when it does not say."""
    said = _API_VERSION.search(library.read_bytes())
    return int(said.group(1), 16) if said else None


def dotted(version: int) -> str:
    """8.2.5 for 0x08020500; a patch level of 0 is left out."""
    major, minor, patch = version >> 24, version >> 16 & 0xFF, version >> 8 & 0xFF
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"
