"""Building against an SDK, and importing with another library than the one built for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import confd_events as events

ROOT = Path(__file__).parents[1]
VARIABLES = ("CONFD_EVENTS_SDK", "NCS_DIR", "CONFD_DIR")


def setup_py(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the build of the extension into a folder, with just these variables."""
    environment = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    command = [sys.executable, "setup.py", "--quiet", "build"]
    command += ["--build-lib", str(folder / "lib"), "--build-temp", str(folder / "temp")]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "CFLAGS": "-O0", **variables},
        capture_output=True,
        text=True,
    )


def make_sdk(folder: Path, level: str = "8.2", product: str = "ncs") -> Path:
    command = [str(ROOT / "ci" / "make-sdk"), "--level", level, "--product", product, str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_no_sdk_named(tmp_path: Path) -> None:
    done = setup_py(tmp_path)
    assert done.returncode != 0
    for way in ("CONFD_EVENTS_SDK=DIR", "CONFD_EVENTS_SDK=stub", "NCS_DIR", "CONFD_DIR"):
        assert way in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", VARIABLES)
def test_sdk_that_is_none(tmp_path: Path, variable: str) -> None:
    empty = tmp_path / "empty"
    (empty / "include").mkdir(parents=True)
    done = setup_py(tmp_path, **{variable: str(empty)})
    assert done.returncode != 0
    assert f"{variable} is {empty}, but there is no {empty}/include/confd_lib.h" in done.stderr
    for header in ("confd_lib.h", "confd_events.h"):
        (empty / "include" / header).touch()
    done = setup_py(tmp_path, **{variable: str(empty)})
    assert f"there is no libconfd in {empty}/lib" in done.stderr
    assert "Traceback" not in done.stderr


def test_headers_that_do_not_compile(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    (sdk / "include" / "confd_lib.h").write_text("#error broken\n")
    done = setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk))
    assert done.returncode != 0
    assert f"The headers in {sdk}/include do not compile" in done.stderr
    assert "broken" in done.stderr


@pytest.mark.parametrize(("variable", "product"), [("NCS_DIR", "ncs"), ("CONFD_DIR", "confd")])
def test_vendors_variable(tmp_path: Path, variable: str, product: str) -> None:
    """Builds, is found at run time without LD_LIBRARY_PATH, and says what it is."""
    sdk = make_sdk(tmp_path / "sdk", product=product)
    done = setup_py(tmp_path, **{variable: str(sdk)})
    assert done.returncode == 0, done.stderr
    assert f"SDK {sdk} (from {variable})" in done.stdout
    library = imported(tmp_path / "lib")
    assert library.stdout.split() == [product.upper(), "8.2", f"{sdk}/lib/libconfd.so"]


def test_unchanged_tree_rebuilds_nothing(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    assert setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)).returncode == 0
    (module,) = (tmp_path / "lib" / "confd_events").glob("_events*.so")
    before = module.stat().st_mtime_ns
    assert setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)).returncode == 0
    assert module.stat().st_mtime_ns == before


def imported(package: Path, library: str = "") -> subprocess.CompletedProcess[str]:
    """Import a built package, with a directory of libraries before all others."""
    program = (
        "from confd_events import library; l = library();"
        "print(l['product'], l['api_level'], l['path'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(package), "LD_LIBRARY_PATH": library}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("level", "product", "said"),
    [
        ("7.7", "ncs", "is of level 7.7"),
        ("8.0", "ncs", "is of level 8.0"),
        ("6.6", "confd", "is of level 6.6"),
        ("8.2", "confd", "seems to be another product's"),
    ],
)
def test_another_library_is_refused(tmp_path: Path, level: str, product: str, said: str) -> None:
    """With an exception that says why; the library itself would end the process."""
    other = make_sdk(tmp_path / "sdk", level, product) / "lib"
    done = imported(ROOT / "src", str(other))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: confd_events was built for libconfd of ")
    assert said in last
    assert f"{other}/libconfd.so" in last
    assert "LD_LIBRARY_PATH" in last


def test_the_same_library_elsewhere(tmp_path: Path) -> None:
    moved = make_sdk(tmp_path / "sdk") / "lib"
    done = imported(ROOT / "src", str(moved))
    assert done.stdout.split() == ["NCS", "8.2", f"{moved}/libconfd.so"]


def test_library() -> None:
    library = events.library()
    assert library["product"] in ("NCS", "CONFD")
    assert library["stub"] is True
    assert Path(library["path"]).is_file()
    assert library["version"].startswith(library["api_level"])
    assert library["protocol"] == int(library["api_level"].replace(".", ""))
