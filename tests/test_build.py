"""Building against an SDK, and importing with another library than the one built for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import confd_events as events
from confd_events_command import COMMANDS

# They build against the stub, whatever library the other tests run with.
pytestmark = pytest.mark.stub

ROOT = Path(__file__).parents[1]
SMOKE = str(ROOT / "ci" / "smoke.py")
# Behind the installed package, for processes that inherit the path.
sys.path.append(str(ROOT / "src"))
from confd_events_build.sdk import SdkError, find, usable_links  # noqa: E402

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


def make_sdk(folder: Path, level: str = "8.2", product: str = "ncs", *options: str) -> Path:
    command = [str(ROOT / "ci" / "make-sdk"), "--level", level, "--product", product, *options]
    subprocess.run([*command, str(folder)], check=True, capture_output=True)
    return folder


def run_program(package: Path, program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program with a built package."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(package), **variables},
        capture_output=True,
        text=True,
    )


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The text of a build that must stop, with a message rather than a traceback."""
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


# An SDK that can't be used


def test_no_sdk_named(tmp_path: Path) -> None:
    said = refusal(setup_py(tmp_path))
    for way in ("CONFD_EVENTS_SDK=DIR", "CONFD_EVENTS_SDK=stub", "NCS_DIR", "CONFD_DIR"):
        assert way in said


@pytest.mark.parametrize("variable", VARIABLES)
def test_sdk_that_is_none(tmp_path: Path, variable: str) -> None:
    empty = tmp_path / "empty"
    (empty / "include").mkdir(parents=True)
    said = refusal(setup_py(tmp_path, **{variable: str(empty)}))
    assert f"{variable} is {empty}, but there is no {empty}/include/confd_lib.h" in said
    for header in ("confd_lib.h", "confd_events.h", "confd_maapi.h"):
        (empty / "include" / header).touch()
    said = refusal(setup_py(tmp_path, **{variable: str(empty)}))
    assert f"there is no {empty}/lib/libconfd.so" in said


def test_headers_that_do_not_compile(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    (sdk / "include" / "confd_lib.h").write_text("#error broken\n")
    said = refusal(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)))
    assert f"The headers in {sdk}/include do not compile" in said
    assert "broken" in said


def test_headers_of_one_release_with_the_library_of_another(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    shutil.copy(make_sdk(tmp_path / "old", "8.0") / "lib" / "libconfd.so", sdk / "lib")
    said = refusal(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)))
    assert "are of API level 8.2.3" in said
    assert f"{sdk}/lib/libconfd.so is of 8.0" in said


def test_headers_with_other_limits_than_the_library(tmp_path: Path) -> None:
    """Found by the build; at import the library would end the process."""
    sdk = make_sdk(tmp_path / "sdk")
    header = sdk / "include" / "confd_lib.h"
    header.write_text(header.read_text().replace("#define MAXDEPTH 60", "#define MAXDEPTH 20"))
    for link, library in (("shared", "libconfd.so"), ("static", "libconfd.a")):
        said = refusal(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk), CONFD_EVENTS_LINK=link))
        assert f"confd-events: {sdk}/lib/{library} refuses the headers in {sdk}/include" in said
        assert "the caller was compiled with MAXDEPTH 0x14" in said


def test_library_of_another_word_size(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    library = sdk / "lib" / "libconfd.so"
    data = bytearray(library.read_bytes())
    data[4] = 1  # ELFCLASS32
    library.write_bytes(data)
    said = refusal(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)))
    assert f"{library} is for 32 bits, this Python for 64" in said


def test_directory_without_rights(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    (sdk / "include").chmod(0)
    # root may read everything, so ask as somebody else.
    caller = os.geteuid()
    if caller == 0:
        tmp_path.chmod(0o755)
        for folder in (tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(SdkError, match=r"can't be read: .*Permission denied"):
            find({"CONFD_EVENTS_SDK": str(sdk)})
    finally:
        os.seteuid(caller)
        (sdk / "include").chmod(0o755)


def test_no_compiler(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    said = refusal(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk), CC="no-such-compiler"))
    assert "The C compiler no-such-compiler can't be run (No such file or directory)" in said


def test_unknown_way_to_link(tmp_path: Path) -> None:
    with pytest.raises(SdkError, match="CONFD_EVENTS_LINK is 'dynamic'; set it to shared"):
        find({"CONFD_EVENTS_SDK": str(tmp_path), "CONFD_EVENTS_LINK": "dynamic"})


@pytest.mark.parametrize(
    ("gone", "other", "link"),
    [("libconfd.so", "libconfd.a", "static"), ("libconfd.a", "libconfd.so", "shared")],
)
@pytest.mark.parametrize("unsaid", [{}, {"CONFD_EVENTS_LINK": "auto"}])
def test_the_library_that_is_there_is_taken(
    tmp_path: Path, gone: str, other: str, link: str, unsaid: dict[str, str]
) -> None:
    """Unless the other one is asked for; of both the static one."""
    sdk = make_sdk(tmp_path / "sdk")
    found = find({"CONFD_EVENTS_SDK": str(sdk), **unsaid})
    assert (found.link, found.why) == ("static", "libconfd.a is there and links")
    (sdk / "lib" / gone).unlink()
    found = find({"CONFD_EVENTS_SDK": str(sdk), **unsaid})
    assert (found.link, found.library) == (link, sdk / "lib" / other)
    assert found.why == f"there is no {gone}"
    asked = "shared" if link == "static" else "static"
    with pytest.raises(SdkError, match=f"no {sdk}/lib/{gone}. Leave .*LINK away to link {other}"):
        find({"CONFD_EVENTS_SDK": str(sdk), "CONFD_EVENTS_LINK": asked})


def test_an_archive_that_does_not_link(tmp_path: Path) -> None:
    """As one of objects that no shared object can hold: the shared library is taken."""
    sdk = make_sdk(tmp_path / "sdk")
    source = tmp_path / "fixed.c"
    source.write_text(
        "int there; int *confd_read_notification(void) { return &there; }\n"
        "int confd_load_schemas(void) { return 0; }\n"
        "int confd_notifications_connect(void) { return 0; }\n"
    )
    fixed = str(tmp_path / "fixed.o")
    subprocess.run(["cc", "-fno-pic", "-c", str(source), "-o", fixed], check=True)
    (sdk / "lib" / "libconfd.a").unlink()
    subprocess.run(["ar", "rc", str(sdk / "lib" / "libconfd.a"), fixed], check=True)
    said = succeeded(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk), CONFD_EVENTS_LINK="auto"))
    assert "shared: libconfd.a does not link into an extension\n" in said
    library = succeeded(imported(tmp_path / "lib")).split()[-1]
    assert library == f"{sdk}/lib/libconfd.so"


def test_the_links_that_work(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is not there, or lacks a library of its own, is left out and named."""
    sdk = make_sdk(tmp_path / "sdk")
    named = {"CONFD_EVENTS_SDK": str(sdk)}
    assert usable_links(named) == ["static", "shared"]
    lacking = str(tmp_path / "libgone.so")
    subprocess.run(["cc", "-shared", "-xc", os.devnull, "-o", lacking], check=True)
    shared = sdk / "lib" / "libconfd.so"
    command = ["cc", "-shared", "-Wl,--no-as-needed", "-xc", os.devnull, "-xnone", lacking]
    subprocess.run([*command, "-o", str(shared)], check=True)
    os.unlink(lacking)
    assert usable_links(named) == ["static"]
    assert re.search(
        r"shared is left out: .*libconfd.so needs \S*libgone.so", capfd.readouterr().err
    )
    shared.unlink()
    assert usable_links(named) == ["static"]
    assert f"shared is left out: there is no {shared}" in capfd.readouterr().err


def test_a_linker_that_can_not_wrap(tmp_path: Path) -> None:
    """It is static still, and the build says that frames are read by the library."""
    sdk = make_sdk(tmp_path / "sdk")
    plain = tmp_path / "plain-cc"
    plain.write_text(
        '#!/bin/sh\ncase " $* " in *--wrap=*) echo "unknown option" >&2; exit 1;; esac\n'
        'exec cc "$@"\n'
    )
    plain.chmod(0o755)
    variables = {"CONFD_EVENTS_SDK": str(sdk), "CONFD_EVENTS_LINK": "auto", "CC": str(plain)}
    said = succeeded(setup_py(tmp_path, **variables))
    assert "static: libconfd.a is there and links\n" in said
    assert "the linker can't wrap read(): libconfd reads each frame for itself" in said
    audit, _ = read_with(tmp_path / "lib", "audit(msg='m')", mask="events.NOTIF_AUDIT")
    assert audit["audit"]["msg"] == "m"


@pytest.mark.parametrize("library", ["libconfd.so", "libconfd.a"])
@pytest.mark.parametrize("product", ["ncs", "confd"])
def test_the_product_is_asked_of_the_library(tmp_path: Path, product: str, library: str) -> None:
    """Any SDK directory will do: the headers don't know, and no program need be there."""
    sdk = make_sdk(tmp_path / "sdk", product=product)
    for other in {"libconfd.so", "libconfd.a"} - {library}:
        (sdk / "lib" / other).unlink()
    found = find({"CONFD_EVENTS_SDK": str(sdk)})
    assert found.product == product.upper()
    assert found.macros == [(f"CONFD_C_PRODUCT_{product.upper()}", "1")]


@pytest.mark.parametrize(
    ("variable", "product", "said"),
    [
        ("NCS_DIR", "confd", "libconfd.so is that of ConfD: set CONFD_DIR instead"),
        ("CONFD_DIR", "ncs", "libconfd.so is that of NSO: set NCS_DIR instead"),
    ],
)
def test_a_variable_of_the_other_product(
    tmp_path: Path, variable: str, product: str, said: str
) -> None:
    sdk = make_sdk(tmp_path / "sdk", product=product)
    told = refusal(setup_py(tmp_path, **{variable: str(sdk)}))
    (line,) = [line for line in told.splitlines() if line.startswith("confd-events: ")]
    assert line.startswith(f"confd-events: {variable} is {sdk}, but {sdk}/lib/{said}")


def test_a_compiler_of_cplusplus(tmp_path: Path) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    said = refusal(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk), CC="g++"))
    assert said.endswith("confd-events: g++ compiles C++, and this is C: set CC to a C compiler.\n")


def test_a_compiler_for_another_c_library(tmp_path: Path) -> None:
    """As Alpine's: the macro that only glibc has is not there."""
    sdk = make_sdk(tmp_path / "sdk")
    musl = tmp_path / "musl-gcc"
    musl.write_text('#!/bin/sh\nexec cc "$@" | sed s/glibc//\n')
    musl.chmod(0o755)
    said = refusal(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk), CC=str(musl)))
    (line,) = [line for line in said.splitlines() if line.startswith("confd-events: ")]
    assert "compiles for another C library than glibc, such as musl" in line


def test_a_checkout_that_may_not_be_written_to(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for part in ("src/confd_events_build", "setup.py"):
        (copy / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part)
        else:
            shutil.copy(ROOT / part, copy / part)
    shutil.copytree(
        ROOT / "src/confd_events", copy / "src/confd_events", ignore=lambda *_: ["testing"]
    )
    copy.chmod(0o555)
    # root may write everywhere; the test's question is put in the place of the system's.
    program = "import os, runpy; os.access = lambda path, mode: False; runpy.run_path('setup.py')"
    done = subprocess.run([sys.executable, "-c", program], cwd=copy, capture_output=True, text=True)
    copy.chmod(0o755)
    assert f"confd-events: the build writes into {copy}, and this user may not" in refusal(done)
    assert done.stderr.count("\n") == 1


# An SDK as a vendor has it


@pytest.mark.parametrize(("variable", "product"), [("NCS_DIR", "ncs"), ("CONFD_DIR", "confd")])
def test_vendors_variable(tmp_path: Path, variable: str, product: str) -> None:
    """Builds, is found at run time without LD_LIBRARY_PATH, and says what it is. What has not
    changed is not built again; a library that is gone is missed."""
    sdk = make_sdk(tmp_path / "sdk", product=product)
    said = succeeded(setup_py(tmp_path, **{variable: str(sdk)}))
    name = {"ncs": "NSO", "confd": "ConfD"}[product]
    assert f"SDK {sdk} of {name} (from {variable}), shared" in said
    (lacking,) = [line for line in said.splitlines() if "its headers lack" in line]
    assert len(lacking) < 120
    assert succeeded(imported(tmp_path / "lib")).split() == [
        product.upper(),
        "8.2",
        f"{sdk}/lib/libconfd.so",
    ]
    (module,) = (tmp_path / "lib" / "confd_events").glob("_events*.so")
    before = module.stat().st_mtime_ns
    succeeded(setup_py(tmp_path, **{variable: str(sdk)}))
    assert module.stat().st_mtime_ns == before
    (sdk / "lib" / "libconfd.so").unlink()
    done = imported(tmp_path / "lib", "/nowhere")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "ImportError: confd_events did not find libconfd.so" in last
    assert "LD_LIBRARY_PATH (/nowhere)" in last
    # Of the run path not all is the SDK's: Python's own directory may be in it.
    assert re.search(
        rf"the run path that its build gave it \([^)]*{re.escape(str(sdk))}/lib\)", last
    )


# Headers that differ from all that we have


def differing(folder: Path, header: str, *edits: tuple[str, str]) -> Path:
    """A copy of the headers with something replaced."""
    shutil.copytree(ROOT / "include", folder)
    text = (folder / header).read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / header).write_text(text)
    return folder


def mask_of(c_type: str) -> tuple[str, str]:
    """What makes the mask of notifications another type, as it is from release to release."""
    given = "confd_notification_type confd_notification_type;"
    return f"typedef enum {given}", f"typedef {c_type} confd_notification_type;"


def widest_mask(package: Path) -> str:
    """What a built package says of a mask of 64 bits."""
    program = """
import socket, confd_events as events
try:
    events.notifications_connect(socket.socket(), 1 << 63, "127.0.0.1", 1)
except ValueError as error:
    print(error)
"""
    return succeeded(run_program(package, program))


def read_with(package: Path, *sent: str, mask: str) -> list[Any]:
    """The dicts that a built package makes of what a simulated daemon sends."""
    program = f"""
import json, socket
import confd_events as events
from confd_events.testing import Daemon
with Daemon() as daemon, socket.socket() as sock:
    events.notifications_connect(sock, {mask}, **daemon.address)
    daemon.wait_for_subscribers()
    {"; ".join(f"daemon.{call}" for call in sent)}
    read = [events.read_notification(sock) for _ in range({len(sent)})]
    print(json.dumps([*read, events.library()["missing"]], default=str))
"""
    done = run_program(package, program)
    return list(json.loads(succeeded(done)))


def test_field_that_is_gone(tmp_path: Path) -> None:
    """It is absent from the dict, and library() says so; the other fields are right."""
    headers = differing(
        tmp_path / "h",
        "confd_events.h",
        ("    char *annotation;\n    int num_attributes;", "    int num_attributes;"),
    )
    sdk = make_sdk(tmp_path / "sdk")
    shutil.copytree(headers, sdk / "include", dirs_exist_ok=True)
    succeeded(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)))
    audit, missing = read_with(
        tmp_path / "lib", "audit(user='u', msg='m', usid=1, logno=2)", mask="events.NOTIF_AUDIT"
    )
    assert audit["audit"] == {"user": "u", "msg": "m", "usid": 1, "logno": 2}
    assert "NOTIF_PROGRESS.annotation" in missing
    program = f"import runpy; runpy.run_path({SMOKE!r}, run_name='__main__')"
    smoke = run_program(tmp_path / "lib", program)
    assert smoke.returncode == 1
    names = "NOTIF_PROGRESS.annotation, NOTIF_COMMIT_PROGRESS.annotation"
    lacking = f"the module lacks what NSO 6.2.5 has: {names}"
    assert smoke.stderr == f"smoke: AttributeError: {lacking}\n"


def test_field_under_another_name_that_we_know(tmp_path: Path) -> None:
    """replay_error was once called error. The mask is of 32 bits."""
    headers = differing(
        tmp_path / "h",
        "confd_events.h",
        ("    char *replay_error;", "    char *error;"),
        mask_of("int"),
    )
    # The stub's code keeps the new name, for the same place.
    options = ("--headers", str(headers), "--cflags", "-Dreplay_error=error")
    sdk = make_sdk(tmp_path / "sdk", "8.0", "ncs", *options)
    succeeded(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)))
    program = """
import socket
import confd_events as events
from confd_events.testing import Daemon
with Daemon() as daemon, socket.socket() as sock:
    daemon.add_stream("s")
    data = events.NotificationsData(stream_name="s")
    events.notifications_connect2(sock, events.NOTIF_STREAM_EVENT, data, **daemon.address)
    daemon.wait_for_subscribers()
    daemon.stream_replay_failed(stream="s", error="no such log")
    print(events.read_notification(sock)["stream"]["error"])
print("NOTIF_STREAM_EVENT.error" in events.library()["missing"])
"""
    said = succeeded(run_program(tmp_path / "lib", program))
    assert said.splitlines() == ["no such log", "False"]
    assert "wider than this library's 31 bits" in widest_mask(tmp_path / "lib")


def test_field_that_nobody_knows(tmp_path: Path) -> None:
    """What is new moves everything behind it, and is otherwise ignored. The mask is of 64 bits."""
    headers = differing(
        tmp_path / "h",
        "confd_events.h",
        (
            "struct confd_audit_notification {\n",
            "struct confd_audit_notification {\n    int odd[3];\n",
        ),
        (
            "#define CONFD_NOTIF_COMPACTION",
            "#define CONFD_NOTIF_NEWEST CONFD_NOTIF_BIT(40)\n#define CONFD_NOTIF_COMPACTION",
        ),
        mask_of("int64_t"),
    )
    sdk = make_sdk(tmp_path / "sdk", "8.0", "ncs", "--headers", str(headers))
    succeeded(setup_py(tmp_path, CONFD_EVENTS_SDK=str(sdk)))
    audit, _ = read_with(
        tmp_path / "lib", "audit(user='u', msg='m', usid=1, logno=2)", mask="events.NOTIF_AUDIT"
    )
    assert audit["audit"] == {"user": "u", "msg": "m", "usid": 1, "logno": 2}
    assert "wider than this library's 63 bits" in widest_mask(tmp_path / "lib")


# Static linking


@pytest.fixture(scope="module")
def static_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    sdk = make_sdk(folder / "sdk")
    succeeded(setup_py(folder, CONFD_EVENTS_SDK=str(sdk), CONFD_EVENTS_LINK="static"))
    # Nothing of the SDK is needed any more.
    shutil.rmtree(sdk)
    return folder / "lib"


def test_static(static_package: Path) -> None:
    (module,) = (static_package / "confd_events").glob("_events*.so")
    assert succeeded(imported(static_package)).split() == ["NCS", "8.2", str(module)]
    nm = subprocess.run(["nm", "--dynamic", str(module)], capture_output=True, text=True)
    symbols = [line.split()[-1] for line in nm.stdout.splitlines()]
    libconfds = [name for name in symbols if name.startswith(("confd_", "ncs_"))]
    assert [name for name in libconfds if not name.startswith("confd_stub_")] == []
    audit, _ = read_with(static_package, "audit(msg='m')", mask="events.NOTIF_AUDIT")
    assert audit["audit"]["msg"] == "m"


@pytest.mark.parametrize("first", ["extension", "library"])
def test_static_beside_another_libconfd(static_package: Path, tmp_path: Path, first: str) -> None:
    """Neither meets the other's functions or state, whichever comes first."""
    other = make_sdk(tmp_path / "sdk", "7.7") / "lib" / "libconfd.so"
    load = {
        "library": f"vendor = ctypes.CDLL({str(other)!r}, mode=ctypes.RTLD_GLOBAL)",
        "extension": "import confd_events as events",
    }
    if first == "extension":
        order = f"{load['extension']}; {load['library']}"
    else:
        order = f"{load['library']}; {load['extension']}"
    program = f"""
import ctypes, socket
{order}
from confd_events.testing import Daemon
vendor.confd_lasterr.restype = ctypes.c_char_p
version = ctypes.c_char_p.in_dll(vendor, "confd_lib_api_vsn").value
assert version == b"CONFD_LIB_API_VSN=07070000", version
assert vendor.confd_sync_ha_notification(-1) == -1  # it was not initialized, ours was
theirs = vendor.confd_lasterr()
with Daemon() as daemon, socket.socket() as sock:
    events.notifications_connect(sock, events.NOTIF_AUDIT, **daemon.address)
    daemon.wait_for_subscribers()
    daemon.audit(msg="m")
    assert events.read_notification(sock)["audit"]["msg"] == "m"
assert daemon.subscribers == ()
assert vendor.confd_lasterr() == theirs
assert b"confd_init" in theirs, theirs
print(events.library()["api_level"], events.library()["link"])
"""
    done = run_program(static_package, program)
    assert succeeded(done).split() == ["8.2", "static"]


@pytest.mark.parametrize(
    ("link", "version"), [("shared", "+ncs8.2.5"), ("static", "+ncs8.2.5.static")]
)
def test_version_names_the_release(tmp_path: Path, link: str, version: str) -> None:
    sdk = make_sdk(tmp_path / "sdk")
    tagged = {"CONFD_EVENTS_TAG_VERSION": "1", "CONFD_EVENTS_LINK": link}
    command = [sys.executable, "setup.py", "--quiet", "--version"]
    for variables, expected in (({}, ""), ({"NCS_DIR": str(sdk), **tagged}, version)):
        environment = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        done = subprocess.run(
            command, cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True
        )
        assert succeeded(done).split()[-1] == events.__version__ + expected


# Another library than the one built for


def imported(package: Path, library: str = "") -> subprocess.CompletedProcess[str]:
    """Import a built package, with a directory of libraries before all others."""
    program = (
        "from confd_events import library; known = library();"
        "print(known['product'], known['api_level'], known['path'])"
    )
    return run_program(package, program, LD_LIBRARY_PATH=library)


@pytest.mark.parametrize(
    ("level", "product", "said"),
    [
        ("7.7", "ncs", "is of level 7.7"),
        ("8.0", "ncs", "is of level 8.0"),
        ("6.6", "confd", "is of level 6.6"),
        ("8.2", "confd", "libconfd.so is of CONFD. Build"),
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


def test_limits_of_another_library(tmp_path: Path) -> None:
    """Its version says that it fits, but its confd_init() would end the process."""
    headers = differing(
        tmp_path / "h", "confd_lib.h", ("#define MAXDEPTH 60", "#define MAXDEPTH 20")
    )
    other = make_sdk(tmp_path / "sdk", "8.2", "ncs", "--headers", str(headers)) / "lib"
    done = imported(ROOT / "src", str(other))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "ImportError: confd_events was built for libconfd with MAXDEPTH 60" in last
    assert f"{other}/libconfd.so has others" in last


@pytest.mark.parametrize(("link", "built_for"), [("shared", "8.2"), ("static", "8.0")])
def test_a_library_that_lacks_a_library(tmp_path: Path, link: str, built_for: str) -> None:
    """One line at the build, and one at import; the static library needs none."""
    gone = tmp_path / "libgone.so.1.1"
    subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o", str(gone)], check=True)
    sdk = make_sdk(tmp_path / "sdk", built_for, "confd", "--cflags", f"-Wl,--no-as-needed {gone}")
    gone.unlink()
    said = succeeded(setup_py(tmp_path, CONFD_DIR=str(sdk), CONFD_EVENTS_LINK=link))
    told = [line for line in said.splitlines() if "libgone" in line]
    done = imported(tmp_path / "lib")
    if link == "static":
        assert told == []
        assert succeeded(done).split()[:2] == ["CONFD", built_for]
        return
    assert len(told) == 1
    assert f"{sdk}/lib/libconfd.so needs {gone}, which this host lacks" in told[0]
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: confd_events can't load libconfd.so: it needs ")
    assert str(gone) in last
    assert "LD_LIBRARY_PATH" in last
    assert "CONFD_EVENTS_LINK=static" in last


def commanded(library: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, on a host whose libconfd is another than that of the build."""
    return subprocess.run(
        [sys.executable, "-m", "confd_events_command", *arguments],
        env={**os.environ, "LD_LIBRARY_PATH": str(library)},
        capture_output=True,
        text=True,
    )


def test_the_command_without_a_library_that_fits(tmp_path: Path) -> None:
    """It answers what it can, says what is wrong, and shows no traceback."""
    library = make_sdk(tmp_path / "sdk", "7.7") / "lib"
    wrong = f"{library}/libconfd.so is of level 7.7"
    help_ = commanded(library, "--help")
    assert succeeded(help_) == succeeded(commanded(library))
    for command in COMMANDS:
        assert f"  {command} " in help_.stdout
    assert "is of level 7.7" in " ".join(help_.stdout.split())
    version = succeeded(commanded(library, "--version"))
    assert version == f"confd-events {events.__version__}\n"
    info = commanded(library, "info")
    assert (info.returncode, info.stderr) == (1, "")
    assert info.stdout.startswith(f"confd-events {events.__version__}\n")
    assert wrong in info.stdout.splitlines()[-1]
    assert wrong in json.loads(commanded(library, "info", "--json").stdout)["error"]
    monitor = commanded(library, "monitor", "audit")
    assert (monitor.returncode, monitor.stdout) == (1, "")
    (line,) = monitor.stderr.splitlines()
    assert line.startswith("confd-events: confd_events was built for libconfd of ")


@pytest.mark.parametrize("arguments", [["info"], ["--help"], ["monitor", "audit"]])
def test_the_command_without_the_extension(tmp_path: Path, arguments: list[str]) -> None:
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.so", "*.egg-info")
    )
    program = f"import sys; sys.argv[1:] = {arguments}; import confd_events_command as c"
    program += "; sys.exit(c.main())"
    done = run_program(tmp_path / "src", program)
    assert done.returncode == (0 if arguments == ["--help"] else 1)
    said = " ".join((done.stdout + done.stderr).split())
    assert f"confd_events in {tmp_path}/src/confd_events has no extension for this Python" in said
    assert "Traceback" not in said
    if arguments[0] == "monitor":
        assert done.stderr.count("\n") == 1


def test_closed_standard_streams() -> None:
    """As a daemon may have them: the question to the library must not lose its answer."""
    command = f"exec {sys.executable} -c 'import confd_events' <&- >&- 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    assert subprocess.run(["sh", "-c", command], env=environment).returncode == 0


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


def test_the_extension_is_hardened() -> None:
    module = str(sys.modules["confd_events._events"].__file__)
    described = subprocess.run(
        ["readelf", "--wide", "--file-header", "--segments", "--dynamic", "--dyn-syms", module],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "DYN (" in described, "position-independent"
    assert "GNU_RELRO" in described
    assert "BIND_NOW" in described, "without it, RELRO is but partial"
    assert "__stack_chk_fail" in described
    stack = next(line for line in described.splitlines() if "GNU_STACK" in line)
    assert "RWE" not in stack


def test_calls_into_libc_are_checked(tmp_path: Path) -> None:
    """The compiler is told so; the file shows it only if a call needs a check."""
    log, compiler = tmp_path / "log", tmp_path / "cc"
    compiler.write_text(
        f'#!/bin/sh\necho "$@" >>{log}\n'
        'case "$*" in *" -c "*/_events.o*) exit 1;; esac\n'  # it takes long, and its call is seen
        'exec cc "$@"\n'
    )
    compiler.chmod(0o755)
    sdk = make_sdk(tmp_path / "sdk")
    setup_py(tmp_path / "package", CONFD_EVENTS_SDK=str(sdk), CC=str(compiler), CFLAGS="-O1")
    (compiled,) = [
        line for line in log.read_text().splitlines() if "/_events.o" in line and " -c " in line
    ]
    assert "-D_FORTIFY_SOURCE=2" in compiled
