"""Build the extension against the libconfd SDK that the environment names.

pyproject.toml holds the metadata, src/confd_events_build how an SDK is found and probed.
"""

import os
import shlex
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PROJECT = Path(__file__).resolve().parent
sys.path.insert(0, str(PROJECT / "src"))

from confd_events_build import sdk, tables  # noqa: E402

SOURCES = "src/confd_events"


class BuildExtension(build_ext):
    """Find the SDK, write the tables for it, then compile."""

    def build_extension(self, ext: Extension) -> None:
        try:
            self._fit(ext, sdk.find(os.environ))
        except sdk.SdkError as error:
            sys.exit(f"confd-events: {error}")
        super().build_extension(ext)

    def _fit(self, ext: Extension, chosen: sdk.Sdk) -> None:
        header = Path(self.build_temp).resolve() / "tables.h"
        compiler = shlex.split(os.environ.get("CC", "cc"))
        found = tables.write(chosen, compiler, header)
        print(f"confd-events: libconfd SDK {chosen.root} (from {chosen.origin})")
        print(f"confd-events: not in its headers: {', '.join(found.missing) or 'nothing'}")
        ext.include_dirs = [str(header.parent), str(PROJECT / SOURCES), str(chosen.include)]
        ext.define_macros = chosen.macros
        ext.library_dirs = [str(chosen.lib)]
        # The vendor's library has no SONAME; this is how it is found again on this host.
        ext.runtime_library_dirs = [str(chosen.lib)]
        ext.depends = [str(header), *map(str, (PROJECT / SOURCES).glob("*.h"))]


extension = Extension(
    "confd_events._events",
    [f"{SOURCES}/_events.pyx"],
    libraries=["confd", "dl"],
    extra_compile_args=["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra"],
)

setup(
    ext_modules=cythonize([extension], build_dir="build/cython"),
    cmdclass={"build_ext": BuildExtension},
)
