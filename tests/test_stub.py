"""The stub libconfd, checked at the level of C (see stub_check.c)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Union

import pytest

pytestmark = pytest.mark.stub

TESTS = Path(__file__).resolve().parent
MAKE_SDK = TESTS.parent / "ci" / "make-sdk"
VECTORS = TESTS / "data" / "notifications-82.json"
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
QUICK = "-O0 -g0"
LEVELS = ("6.6", "7.7", "8.0", "8.2", "8.5", "8.7")
PRODUCTS = ("ncs", "confd")

Term = Union[int, bytes, str, Sequence["Term"]]


def encode(term: Term) -> bytes:
    """External term format: bytes are binaries, text is an atom."""
    if isinstance(term, int):
        if 0 <= term < 256:
            return bytes([97, term])
        if -(2**31) <= term < 2**31:
            return b"b" + term.to_bytes(4, "big", signed=True)
        size = (abs(term).bit_length() + 7) // 8
        return bytes([110, size, term < 0]) + abs(term).to_bytes(size, "little")
    if isinstance(term, bytes):
        return b"m" + len(term).to_bytes(4, "big") + term
    if isinstance(term, str):
        return bytes([119, len(term)]) + term.encode()
    content = b"".join(encode(element) for element in term)
    if isinstance(term, tuple):
        return bytes([104, len(term)]) + content
    return b"l" + len(term).to_bytes(4, "big") + content + b"j" if term else b"j"


def frame(term: Term, raw: bool = False) -> str:
    content = b"\x83" + (term if raw and isinstance(term, bytes) else encode(term))
    return (len(content).to_bytes(4, "big") + content).hex()


def lines(frames: dict[str, str]) -> str:
    return "".join(f"{name} {content}\n" for name, content in frames.items())


def vectors() -> dict[str, str]:
    return {v["name"]: v["frame"] for v in json.loads(VECTORS.read_text())["vectors"]}


def make_sdk(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(MAKE_SDK), *options, str(directory)], capture_output=True, text=True, check=False
    )


def build(
    directory: Path, level: str = "8.2", product: str = "ncs", cflags: str = QUICK
) -> Path | None:
    """An SDK and the check program that uses it; None if the compiler can not."""
    made = make_sdk(directory, "--level", level, "--product", product, "--cflags", cflags)
    if made.returncode != 0:
        return None
    assert made.stdout == ""
    assert made.stderr == ""
    program = directory / "stub_check"
    command = os.environ.get("CC", "cc").split()
    command += [f"-DCONFD_C_PRODUCT_{product.upper()}=1", f"-I{MAKE_SDK.parent / 'stub'}"]
    command += ["-std=c11", "-g", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", *cflags.split()]
    command += [f"-I{directory}/include", str(TESTS / "stub_check.c"), "-o", str(program)]
    command += [f"-L{directory}/lib", f"-Wl,-rpath,{directory}/lib", "-lconfd", "-pthread"]
    subprocess.run(command, check=True)
    return program


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sanitized where the compiler has sanitizers."""
    directory = tmp_path_factory.mktemp("sdk")
    program = build(directory, cflags=f"-O1 {SANITIZE}") or build(directory)
    assert program is not None
    return program


@pytest.fixture(scope="module")
def plain_sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("plain")
    assert make_sdk(directory, "--cflags", QUICK).returncode == 0
    return directory


@pytest.fixture
def own_sdk(plain_sdk: Path, tmp_path: Path) -> Path:
    """A copy, as old as the original, that a test may change."""
    return Path(shutil.copytree(plain_sdk, tmp_path / "sdk"))


def run(program: Path, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [str(program), *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


UINFO: Term = (
    *(11, b"admin", b"secret", b"cli", 2, (127, 0, 0, 1), 4321, 1700000000),
    *(b"", 0),
)
VARBIND: Term = ((2, 3, [1, 255]), b"v")
COMPLETED: Term = [(b"/svc", [b"d0", b"d1"])]
FAILED: Term = [(b"/bad", [], [b"d2"])]
TIME: Term = (19, (2026, 11, 23, 7, 50, 1, 123456, 0, 0))


def test_reads_every_recorded_frame(checker: Path) -> None:
    out = run(checker, "read", stdin=lines(vectors()))
    assert out.splitlines() == [f"{name} 0 " for name in vectors()]


def test_survives_hostile_frames(checker: Path) -> None:
    frames = {**vectors(), **FIELDS_82, "large": frame((1, 60, b"u" * 70000, 11, b"m" * 90000))}
    run(checker, "torture", stdin=lines(frames))


def test_prints_copies_and_compares_values(checker: Path) -> None:
    run(checker, "values", stdin=lines(vectors()))


FIELDS_82 = {
    "trap": frame((512, (1, 99, (10, 0, 0, 9), 162, 5, 6, 1, [VARBIND], "undefined", [1, 3, 300]))),
    "long": frame((1, 60, b"u" * 300, -7, b"m" * 9000)),
    "hapeer": frame((64, (2, (b"n" * 200, b"peer.example")))),
    "halist": frame((64, (3, ([1, 2], (10, 0, 0, 2))))),
    "cq": frame(
        (4194304, 4, TIME, 2**64 - 1, "undefined", [], [], [], COMPLETED, FAILED, "undefined")
    ),
    "callhome": frame((33554432, 2, (0, 0, 0, 0, 0, 0, 0, 1), 65535, b"key", b"alg")),
    "diff": frame((16, 2, UINFO, 77, 0, b"", b"label")),
}
PROGRESS: tuple[Term, ...] = (
    *(2, 1700000000000000, 5, 11, 77, 2, "undefined", b"trace"),
    *(b"cdb", b"phase", b"msg", b"note"),
)
SERVICE: tuple[Term, ...] = (b"svc", b"create", 2**30, "undefined", b"dev", b"push", b"pkg")
FIELDS_77 = {
    "progress12": frame((16777216, PROGRESS)),
    "progress19": frame((16777216, PROGRESS + SERVICE)),
}
FIELDS_66 = {
    "progress4": frame((65536, (2, 11, 77, b"msg"))),
    "cq66": frame((4194304, 1, TIME, 5, b"tag", [], [], [], [], [])),
}


def test_fills_fields(checker: Path) -> None:
    out = run(checker, "fields", stdin=lines(FIELDS_82))
    assert out.splitlines() == [f"{name} checked" for name in FIELDS_82]


# A queue item's label goes before its lists; tag and trace id are gone with 8.7.
QUEUE: tuple[Term, ...] = (b"label", [], [], [], COMPLETED, FAILED)
FIELDS_85 = {
    **FIELDS_82,
    "cq": frame((4194304, 4, TIME, 2**64 - 1, "undefined", *QUEUE, "undefined")),
}
FIELDS_87 = {
    **FIELDS_82,
    "goingdown": frame((2**31,)),
    "cq": frame((4194304, 4, TIME, 2**64 - 1, *QUEUE)),
}
FIELDS = {
    "6.6": FIELDS_66,
    "7.7": FIELDS_77,
    "8.0": FIELDS_77,
    "8.2": FIELDS_82,
    "8.5": FIELDS_85,
    "8.7": FIELDS_87,
}


# A product's library takes its own form alone of a progress event.
LEFT_OUT = {"ncs": {"progress12"}, "confd": {"progress19", "cq", "callhome"}}


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_level_and_product(tmp_path: Path, level: str, product: str) -> None:
    program = build(tmp_path, level, product)
    assert program is not None
    frames = {n: hexed for n, hexed in FIELDS[level].items() if n not in LEFT_OUT[product]}
    out = run(program, "fields", stdin=lines(frames))
    assert out.splitlines() == [f"{name} checked" for name in frames]


MALFORMED: dict[str, tuple[str, str]] = {
    "usid": (frame((1, 60, b"u", 2**40, b"m")), "audit: usid: 1099511627776 does not fit"),
    "huge": (frame((1, 2**70, b"u", 1, b"m")), "logno: an integer of more than 64 bits"),
    "negative": (frame((1, -(2**40), b"u", 1, b"m")), "audit: logno: -1099511627776 does not"),
    "type": (frame((1, 60, 5, 1, b"m")), "audit: user: expected a binary, found an integer"),
    "arity": (frame((1, 60, b"u", 1)), "audit: tuple: 4 elements"),
    "unknown": (frame((2**40,)), "Bad notification struct"),
    "two-bits": (frame((3, 1, 2, b"m")), "Bad notification struct"),
    "no-bit": (frame((0,)), "Bad notification struct"),
    "no-struct": (frame((2**17,)), "Bad notification struct"),
    "no-version": ("00000001" + "61", "not an external term"),
    "count": (
        frame(b"h\x02" + encode(524288) + b"h\x02" + encode(TIME) + b"l\x7f\xff\xff\xff", raw=True),
        "stream: values: 2147483647 elements can not fit in 0 bytes",
    ),
    "string": (
        frame(b"h\x02" + encode(524288) + b"h\x02" + encode(TIME) + b"k\0\2ab", raw=True),
        "expected a tuple, found a byte of a string",
    ),
    "varbinds": (
        frame((512, (5, 1, (10, 0, 0, 1), 161, 0, 0, 7, []))),
        "snmpa: varbinds: 0 instead of 7",
    ),
}


def test_reports_what_is_malformed(checker: Path) -> None:
    frames = {name: content for name, (content, _) in MALFORMED.items()}
    out = run(checker, "read", stdin=lines(frames)).splitlines()
    assert len(out) == len(MALFORMED)
    for line, (name, (_, text)) in zip(out, MALFORMED.items()):
        assert line.startswith(f"{name} -1 ")
        assert text in line


# The same notifications in every form the external term format allows.
ALTERNATIVES = {
    "large-tuple": b"i\0\0\0\5a\1a\x3cm\0\0\0\0a\1m\0\0\0\0",
    "small-big": b"h\5n\1\0\1a\x3cm\0\0\0\0n\5\0\1\0\0\0\0m\0\0\0\0",
    "large-big": b"h\5o\0\0\0\1\0\1a\x3cm\0\0\0\0o\0\0\0\x0c\1\1" + b"\0" * 11 + b"m\0\0\0\0",
    "atom": b"h\2b\0\x08\0\0d\0\x0freplay_complete",
    "atom-utf8": b"h\2b\0\x08\0\0v\0\x0freplay_complete",
    "small-atom-utf8": b"h\2b\0\x08\0\0w\x0freplay_complete",
    "float": b"h\2b\0\x08\0\0h\2"
    + encode(TIME)
    + b"l\0\0\0\1h\2l\0\0\0\1a\1a\2"
    + b"c"
    + b"1.50000000000000000000e+00".ljust(31, b"\0")
    + b"j",
    "string": b"h\2b\0\x08\0\0h\2" + encode(TIME) + b"l\0\0\0\1h\2l\0\0\0\1a\1a\2k\0\3abcj",
}


def test_accepts_every_form_of_a_term(checker: Path) -> None:
    frames = {name: frame(term, raw=True) for name, term in ALTERNATIVES.items()}
    out = run(checker, "read", stdin=lines(frames))
    assert out.splitlines() == [f"{name} 0 " for name in frames]


def test_connects(checker: Path) -> None:
    run(checker, "connect")


def run_with_secret(checker: Path, *digest: str, **variables: str) -> None:
    command = [str(checker), "secret", *digest]
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_proves_the_secret_that_was_there_at_the_beginning(checker: Path, tmp_path: Path) -> None:
    secret, empty = tmp_path / "secret", tmp_path / "empty"
    secret.write_bytes(b"abc\n" * 200)
    empty.touch()
    digest = hashlib.md5(secret.read_bytes() + bytes(16)).hexdigest()
    run_with_secret(checker, digest, NCS_IPC_ACCESS_FILE=str(secret))
    run_with_secret(
        checker, digest, CONFD_IPC_ACCESS_FILE=str(secret), NCS_IPC_ACCESS_FILE=str(empty)
    )
    # One that can't be read is none; the other variable does not stand in for it.
    for unreadable in ("/nonexistent/secret", str(tmp_path), str(empty), ""):
        run_with_secret(checker, CONFD_IPC_ACCESS_FILE=unreadable, NCS_IPC_ACCESS_FILE=str(secret))


def test_a_secret_ends_at_a_nul(checker: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 600 + b"\0" + b"y" * 600)
    digest = hashlib.md5(b"x" * 600 + bytes(16)).hexdigest()
    run_with_secret(checker, digest, CONFD_IPC_ACCESS_FILE=str(secret))


def test_acknowledges(checker: Path) -> None:
    run(checker, "acknowledge", stdin=lines({"commit-diff": vectors()["commit-diff"]}))


@pytest.mark.parametrize("mismatch", [("1", "0", "0"), ("0", "1", "0"), ("0", "0", "-1")])
def test_init_ends_the_process_on_a_mismatch(checker: Path, mismatch: tuple[str, ...]) -> None:
    done = subprocess.run(
        [str(checker), "init", *mismatch], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    run(checker, "init", "0", "0", "0")


def dynamic_section(library: Path) -> str:
    command = ["readelf", "--dynamic", "--wide", str(library)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_library_looks_like_the_vendors(plain_sdk: Path) -> None:
    library = plain_sdk / "lib" / "libconfd.so"
    assert "SONAME" not in dynamic_section(library)
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in listing.splitlines()]
    assert [name for name in names if not name.startswith(("confd_", "maapi_", "ncs_"))] == []
    assert "confd_read_notification" in names
    assert "ncs_sync_audit_network_notification" in names
    assert (plain_sdk / "lib" / "libconfd.a").exists()


def test_make_sdk_builds_only_what_changed(own_sdk: Path) -> None:
    library = own_sdk / "lib" / "libconfd.so"
    first = library.stat().st_ino
    assert make_sdk(own_sdk, "--cflags", QUICK).returncode == 0
    assert library.stat().st_ino == first
    assert make_sdk(own_sdk, "--cflags", f"{QUICK} -DX").returncode == 0
    assert library.stat().st_ino != first
    assert sorted(path.name for path in own_sdk.iterdir()) == ["include", "lib"]


def test_make_sdk_keeps_what_it_can_not_replace(own_sdk: Path) -> None:
    before = (own_sdk / "lib" / "libconfd.so").read_bytes()
    failed = make_sdk(own_sdk, "--cflags", "-DCONFD_API_LEVEL=1")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("make-sdk: the library does not compile")
    assert (own_sdk / "lib" / "libconfd.so").read_bytes() == before
    assert sorted(path.name for path in own_sdk.iterdir()) == ["include", "lib"]


@pytest.mark.parametrize(
    "arguments", [["--level", "9.9", "x"], ["--product", "x", "x"], ["--nonsense"], [], ["--level"]]
)
def test_make_sdk_refuses_wrong_arguments(arguments: list[str]) -> None:
    done = subprocess.run([str(MAKE_SDK), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("make-sdk: ")
