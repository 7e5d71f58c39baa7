"""Build the extension against the libconfd SDK that the environment names.

pyproject.toml holds the metadata, src/confd_events_build how an SDK is found and probed.
"""

import os
import re
import shlex
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PROJECT = Path(__file__).resolve().parent
sys.path.insert(0, str(PROJECT / "src"))

from confd_events_build import fit, sdk  # noqa: E402

SOURCES = PROJECT / "src" / "confd_events"
# One wheel for this Python and all later ones, in place of one for the Python that builds it.
ABI3 = os.environ.get("CONFD_EVENTS_ABI3") == "1"
ABI3_FROM = (3, 10)
COMPILER = shlex.split(os.environ.get("CC", "cc"))


def version() -> str:
    """The package's version; for an index with wheels for several releases, with the release."""
    text = (SOURCES / "_version.py").read_text()
    plain = re.search('"(.+)"', text)[1]
    if os.environ.get("CONFD_EVENTS_TAG_VERSION") != "1":
        return plain
    return f"{plain}+{fit.tag(sdk.find(os.environ), COMPILER)}"


class BuildExtension(build_ext):
    """Find the SDK, write the tables for it, then compile."""

    def build_extension(self, ext: Extension) -> None:
        fit.fit(ext, sdk.find(os.environ), COMPILER, Path(self.build_temp).resolve())
        super().build_extension(ext)


def limit_api(ext: Extension) -> dict[str, dict[str, str]]:
    """Have the extension use Python's stable ABI alone; return what names the wheel so."""
    major, minor = ABI3_FROM
    if sys.version_info < ABI3_FROM:
        sys.exit(f"confd-events: CONFD_EVENTS_ABI3=1 needs Python {major}.{minor} or later")
    ext.py_limited_api = True
    ext.define_macros += [
        ("Py_LIMITED_API", f"{major << 24 | minor << 16:#010x}"),
        ("CYTHON_LIMITED_API", "1"),
    ]
    return {"bdist_wheel": {"py_limited_api": f"cp{major}{minor}"}}


def main() -> None:
    if not os.access(PROJECT, os.W_OK):
        # setuptools writes build/ and the egg-info there, whatever it is told.
        sys.exit(
            f"confd-events: the build writes into {PROJECT}, and this user may not: build from a "
            "copy of it, or install from the sdist."
        )
    extension = Extension("confd_events._events", ["src/confd_events/_events.pyx"])
    options = limit_api(extension) if ABI3 else {}
    try:
        setup(
            version=version(),
            ext_modules=cythonize([extension], build_dir="build/cython"),
            cmdclass={"build_ext": BuildExtension},
            options=options,
        )
    except sdk.SdkError as error:
        sys.exit(f"confd-events: {error}")


main()
