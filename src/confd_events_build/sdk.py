"""Find the vendor's SDK: headers and libconfd."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]

WAYS = """\
Tell where the libconfd SDK is, a directory with include/ and lib/, in one of these ways:
  CONFD_EVENTS_SDK=DIR   any SDK directory
  CONFD_EVENTS_SDK=stub  the stub library of this source tree, for development without NSO or ConfD
  NCS_DIR=DIR            an NSO installation (source its ncsrc)
  CONFD_DIR=DIR          a ConfD installation (source its confdrc)"""


class SdkError(Exception):
    """The build can't go on; the text says why and what to do."""


class Sdk(NamedTuple):
    """An SDK to build against."""

    root: Path
    origin: str
    """The variable that named it."""
    product: str
    """NCS, CONFD, or empty when the headers themselves know."""

    @property
    def include(self) -> Path:
        return self.root / "include"

    @property
    def lib(self) -> Path:
        return self.root / "lib"

    @property
    def macros(self) -> list[tuple[str, str]]:
        return [(f"CONFD_C_PRODUCT_{self.product}", "1")] if self.product else []


def find(environ: Mapping[str, str]) -> Sdk:
    """Return the SDK that the environment names; raise SdkError when none or an unusable one."""
    named = environ.get("CONFD_EVENTS_SDK")
    if named == "stub":
        sdk = Sdk(_make_stub(environ), "CONFD_EVENTS_SDK=stub", "")
    elif named:
        sdk = Sdk(Path(named), "CONFD_EVENTS_SDK", _installed_product(Path(named)))
    elif environ.get("NCS_DIR"):
        sdk = Sdk(Path(environ["NCS_DIR"]), "NCS_DIR", "NCS")
    elif environ.get("CONFD_DIR"):
        sdk = Sdk(Path(environ["CONFD_DIR"]), "CONFD_DIR", "CONFD")
    else:
        raise SdkError(f"No libconfd SDK was named.\n{WAYS}")
    _check(sdk)
    return sdk._replace(root=sdk.root.resolve())


def _make_stub(environ: Mapping[str, str]) -> Path:
    level = environ.get("CONFD_EVENTS_STUB_LEVEL", "8.2")
    product = environ.get("CONFD_EVENTS_STUB_PRODUCT", "ncs")
    root = PROJECT / "build" / f"sdk-{level}-{product}"
    command = [str(PROJECT / "ci" / "make-sdk"), "--level", level, "--product", product, str(root)]
    if subprocess.run(command, env=dict(os.environ)).returncode != 0:
        raise SdkError(f"The stub library could not be built: {' '.join(command)}")
    return root


def _installed_product(root: Path) -> str:
    for program, product in (("ncs", "NCS"), ("confd", "CONFD")):
        if (root / "bin" / program).exists():
            return product
    return ""


def _check(sdk: Sdk) -> None:
    for part in (sdk.include / "confd_lib.h", sdk.include / "confd_events.h"):
        if not part.is_file():
            raise SdkError(f"{sdk.origin} is {sdk.root}, but there is no {part}.\n{WAYS}")
    if not any((sdk.lib / name).is_file() for name in ("libconfd.so", "libconfd.a")):
        raise SdkError(
            f"{sdk.origin} is {sdk.root}, but there is no libconfd in {sdk.lib}.\n{WAYS}"
        )
