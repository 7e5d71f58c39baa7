"""What was seen on the vendor's library, held against the library in use.

Each row is a term as a daemon may send it, and what libconfd makes of it. The stub has to do the
same; with ./ci/test --sdk DIR a library of the vendor's is asked again. Terms that end the
vendor's process are not here: test_stub.py has what the stub says of some.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from confd_events import library
from confd_events.testing._terms import Atom, Improper, Term, Terms, frame_of

ROOT = Path(__file__).parents[1]
LEVEL, PRODUCT = library()["api_level"], library()["product"]

TIME: Terms = (19, (2026, 11, 23, 7, 50, 1, 0, 0, 0))
IP: Terms = (10, 0, 0, 1)
TAG = Improper((1,), 2)
DEEP: Term = 7
for _ in range(300):
    DEEP = [DEEP]


def value(*terms: Term) -> Terms:
    """A stream event with these values."""
    return 1 << 19, (TIME, [(TAG, term) for term in terms])


def session(name: Term = b"ada", port: int = 22, login: int = 9, usid: int = 7) -> Terms:
    user = (usid, name, b"", b"cli", 1, IP, port, login, b"", 0)
    return 32, 1, user, 0


def progress(
    duration: Term = None, note: Term = None, timestamp: int = 1 << 40, **attributes: Term
) -> Terms:
    pairs = [(Atom(name), given) for name, given in attributes.items()]
    spans: Terms = (None, None, None)
    return 1 << 24, (2, timestamp, duration, *spans, 7, 8, 1, b"", None, None, note, pairs, [])


def progress_80(duration: Term = None, timestamp: int = 1 << 40) -> Terms:
    return 1 << 24, (2, timestamp, duration, 7, 8, 1, b"", None, None, None, None, b"note")


def diff(*texts: Term) -> Terms:
    return 16, 2, session()[2], 77, 0, *texts


def snmpa(varbind: Term, *further: Term) -> Terms:
    return 512, (2, 7, IP, 162, 0, 0, 1, [((2, 3, [1, 255]), varbind, *further)])


def trap(time_stamp: int) -> Terms:
    return 512, (1, time_stamp, IP, 162, 5, 6, 0, [], None, [1, 3])


def queue(*further: Term, tag: Term = None) -> Terms:
    return 1 << 22, 4, TIME, (1 << 64) - 1, tag, [], [], [], [], [], b"", *further


def home(type_: int, *device: Term) -> Terms:
    return 1 << 25, type_, IP, 22, b"key", b"alg", *device


def zoned(hours: Term, minutes: int) -> Terms:
    day = (2026, 1, 2)
    return value(
        (19, (*day, 3, 4, 5, 0, hours, minutes)),
        (20, (*day, hours, minutes)),
        (23, (3, 4, 5, 0, hours, minutes)),
    )


Row = tuple[Term, str]

# Seen on libconfd 8.2.5 of NSO 6.2.5 and on libconfd 8.0.4 of ConfD 8.0.4.
BOTH: dict[str, Row] = {
    "text as an atom": ((1, 60, Atom("bob"), 7, None), "0 1 usid=7 user='bob' msg='undefined'"),
    "a text too long": ((1, 60, b"u" * 300, 7, b""), "0 1 usid=7 user='" + "u" * 254 + "' msg=''"),
    "a text with a NUL": ((1, 60, b"a\x00b", 7, b"m"), "0 1 usid=7 user='a' msg='m'"),
    "audit, longer": ((1, 60, b"u", 7, b"m", 8, 9), "0 1 usid=7 user='u' msg='m'"),
    "heartbeat, longer": ((1 << 13, 5), "0 8192"),
    "takeover": ((4, 60, 6, b"m"), "-1 18 Bad notification struct"),
    "a bit that no notification has": ((1 << 17,), "-1 18 Bad notification struct"),
    "two bits": ((3, 60, 6, b"m"), "-1 18 Bad notification struct"),
    "usid 2^31": (
        session(usid=1 << 31),
        "0 32 usid=-2147483648 port=22 logintime=9 username='ada' snmp_v3_ctx=''",
    ),
    "port 70000": (
        session(port=70000),
        "0 32 usid=7 port=4464 logintime=9 username='ada' snmp_v3_ctx=''",
    ),
    "logintime 2^31-1": (
        session(login=(1 << 31) - 1),
        "0 32 usid=7 port=22 logintime=2147483647 username='ada' snmp_v3_ctx=''",
    ),
    "logintime 2^31": (
        session(login=1 << 31),
        "0 32 usid=7 port=22 logintime=0 username='ada' snmp_v3_ctx=''",
    ),
    "logintime 2^32": (
        session(login=1 << 32),
        "0 32 usid=7 port=22 logintime=4294967296 username='ada' snmp_v3_ctx=''",
    ),
    "no name": (
        session(name=None),
        "0 32 usid=7 port=22 logintime=9 username='undefined' snmp_v3_ctx=''",
    ),
    "diff": (
        diff(b"comment", b"label"),
        "0 16 usid=7 port=22 logintime=9 username='ada' snmp_v3_ctx='' "
        "comment='comment' label='label' th=77 fd=-1 traversal_id=0 uinfo is "
        "inside",
    ),
    "diff, shorter": (
        diff(),
        "0 16 usid=7 port=22 logintime=9 username='ada' snmp_v3_ctx='' comment='' "
        "label='' th=77 fd=-1 traversal_id=0 uinfo is inside",
    ),
    "diff, longer": (
        diff(b"comment", b"label", 1),
        "0 16 usid=7 port=22 logintime=9 username='ada' snmp_v3_ctx='' comment='' "
        "label='' th=77 fd=-1 traversal_id=0 uinfo is inside",
    ),
    "died": ((64, (2, (b"n", IP))), "0 64 type=2 5:n af=2"),
    "died, a name as peer": ((64, (3, (Atom("n"), b"peer"))), "0 64 type=3 5:n af=0 str='peer'"),
    "died, an atom as peer": (
        (64, (3, (b"n" * 200, Atom("peer")))),
        "0 64 type=3 5:" + "n" * 127 + " af=0 str=NULL",
    ),
    "is primary": ((64, (4, 1)), "0 64 type=4 data=1"),
    "varbind": (snmpa(b"v"), "0 512 pdu=2 request_id=7 5:v"),
    "varbind without a value": (snmpa(None), "0 512 pdu=2 request_id=7 1:NOEXISTS"),
    "varbind, a number as value": (snmpa(5), "0 512 pdu=2 request_id=7 1:NOEXISTS"),
    "varbind, longer": (snmpa(b"v", 1), "0 512 pdu=2 request_id=7 5:v"),
    "trap": (trap((1 << 31) - 1), "0 512 pdu=1 request_id=0 time_stamp=2147483647"),
    "trap of an agent that is up for 248 days": (
        trap(1 << 31),
        "0 512 pdu=1 request_id=0 time_stamp=-2147483648",
    ),
    "replay complete": ((1 << 19, Atom("replay_complete")), "0 524288 type=3"),
    "replay failed": ((1 << 19, (Atom("replay_failed"), b"why")), "0 524288 type=4 error='why'"),
    "empty leaf": (
        value(Atom("leaf"), TAG, [TAG], [Atom("leaf")]),
        "0 524288 type=1 2:tag<2> 2:tag<2> 31:tag<2> 31:leaf",
    ),
    "other atoms": (
        value(*map(Atom, ("delete", "move_first", "move_after", "start", "stop"))),
        "0 524288 type=1 45:tag<2> 51:tag<2> 52:tag<2> 32:tag<2> 33:tag<2>",
    ),
    "atoms that are values": (
        value(True, False, Atom("default"), Atom("not_found"), None),
        "0 524288 type=1 17:true 17:false 42:DEFAULT 1:NOEXISTS 5:undefined",
    ),
    "an atom as text": (
        value(Atom("foo"), [Atom("start"), True]),
        "0 524288 type=1 5:foo 31:start true",
    ),
    "instance-identifier": (
        value((34, [3, (b"k", 5), Improper((1,), 2)])),
        "0 524288 type=1 34:/tag<2>[NONAMESPACELOADED]/tag<3>",
    ),
    "int32 with its type": (value((8, 5)), "0 524288 type=1 8:5"),
    "lists in lists": (value([[1, [2]], []], DEEP), "0 524288 type=1 31:1 2  31:7"),
    "integers that do not fit": (
        value((10, 300), (6, 200), (7, 40000), (8, 1 << 31), (11, -1)),
        "0 524288 type=1 10:44 6:-56 7:-25536 8:-2147483648 11:65535",
    ),
    "large integers": (
        value((9, -1 << 63), (13, (1 << 64) - 1), (30, -1)),
        "0 524288 type=1 9:-9223372036854775808 13:18446744073709551615 "
        "30:bits<0xffffffffffffffff>",
    ),
    "no zone": (
        zoned([], 0),
        "0 524288 type=1 19:2026-01-02T03:04:05(-111,0) 20:2026-01-02 23:03:04:05",
    ),
    "-05:30": (
        zoned(-5, 30),
        "0 524288 type=1 19:2026-01-02T03:04:05-05:30(-5,30) 20:2026-01-02-05:30 23:03:04:05-05:30",
    ),
    "-05:30 the wrong way": (
        zoned(-5, -30),
        "0 524288 type=1 19:2026-01-02T03:04:05-05:30(-5,-30) 20:2026-01-02-05:30 "
        "23:03:04:05-05:30",
    ),
    "-00:30": (
        zoned(0, -30),
        "0 524288 type=1 19:2026-01-02T03:04:05-00:30(0,-30) 20:2026-01-02-00:30 23:03:04:05-00:30",
    ),
    "UTC": (
        zoned(0, 0),
        "0 524288 type=1 19:2026-01-02T03:04:05+00:00(0,0) 20:2026-01-02Z 23:03:04:05Z",
    ),
    "years": (
        value(*((20, (year, 1, 2, 0, 0)) for year in (7, -5, 12345))),
        "0 524288 type=1 20:7-01-02Z 20:-5-01-02Z 20:12345-01-02Z",
    ),
    "durations": (
        value((27, (0,) * 7), (27, (0, 0, 3, 0, 0, 0, 0)), (27, (0,) * 6 + (7,))),
        "0 524288 type=1 27:P 27:P3DT0H0M0S.0 27:PT.7",
    ),
    "a duration of 2^31 years": (
        value((27, (1 << 31, 0, 0, 0, 0, 0, 0))),
        "0 524288 type=1 27:P-2147483648Y0M0DT0H0M0S.0",
    ),
    "decimals": (
        value((43, (150, 2)), (43, (100, 2)), (43, (0, 2)), (43, (-5, 3)), (43, (5, 0))),
        "0 524288 type=1 43:1.5 43:1.0 43:.0 43:-.005 43:invalid64<5>",
    ),
    "hashes from 2^31": (
        value((44, (1, 1 << 31)), Improper(((1 << 32) - 1,), (1 << 32) - 1)),
        "0 524288 type=1 44:idref<-2147483648> 2:tag<-1>",
    ),
    "bits": (
        value((50, b""), (50, b"\x00\x00"), (50, b"\x01\x00"), (50, b"\x00\x01"), (29, 5)),
        "0 524288 type=1 50:bits<0x0> 50:bits<0x0> 50:bits<0x01> 50:bits<0x0100> 29:bits<0x5>",
    ),
    "longer tuples": (
        value((20, (2026, 1, 2, 0, 0, 9)), (43, (15, 1, 9)), (44, (1, 2, 3))),
        "0 524288 type=1 20:2026-01-02Z 43:1.5 44:idref<2>",
    ),
    "floats": (value(1.5, float("inf"), float("nan")), "0 524288 type=1 14:1.500000 14:inf 14:nan"),
    "package reload": ((1 << 21,), "0 2097152"),
    "bit 31": ((1 << 31,), "-1 18 Bad notification struct"),
}

# Seen on libconfd 8.2.5 of NSO 6.2.5 alone.
NEW: dict[str, Row] = {
    "progress": (
        progress(5, b"note", a=b"v", b=Atom("w"), n=7),
        "0 16777216 type=2 timestamp=1099511627776 duration=5 context='' "
        "annotation='note' trace_id='' msg='' a='v' b='w' n=7",
    ),
    "progress without texts": (
        progress(),
        "0 16777216 type=2 timestamp=1099511627776 duration=0 context='' "
        "annotation=NULL trace_id='' msg=''",
    ),
    "empty texts": (
        progress(note=b""),
        "0 16777216 type=2 timestamp=1099511627776 duration=0 context='' "
        "annotation='' trace_id='' msg=''",
    ),
    "duration 2^31": (
        progress(1 << 31),
        "0 16777216 type=2 timestamp=1099511627776 duration=0 context='' "
        "annotation=NULL trace_id='' msg=''",
    ),
    "duration 2^32": (
        progress(1 << 32),
        "0 16777216 type=2 timestamp=1099511627776 duration=4294967296 context='' "
        "annotation=NULL trace_id='' msg=''",
    ),
    "timestamp 2^32-1": (
        progress(timestamp=(1 << 32) - 1),
        "0 16777216 type=2 timestamp=0 duration=0 context='' annotation=NULL trace_id='' msg=''",
    ),
    "attributes around 2^31": (
        progress(a=(1 << 31) - 1, b=1 << 31, c=1 << 32, d=-1),
        "0 16777216 type=2 timestamp=1099511627776 duration=0 context='' "
        "annotation=NULL trace_id='' msg='' a=2147483647 b=NULL c=4294967296 "
        "d=4294967295",
    ),
    "compaction": (
        (1 << 30, 1, 2, 1 << 31, 4, 5, 6, 7, (1 << 32) - 1),
        "0 1073741824 size=2147483648 ntrans=4294967295",
    ),
    "queue": (queue(tag=b"tag"), "0 4194304 cq_id=18446744073709551615 cq_tag='tag' trace_id=''"),
    "queue without a tag": (
        queue(),
        "0 4194304 cq_id=18446744073709551615 cq_tag=NULL trace_id=''",
    ),
    "queue with a label": (
        queue(b"label", tag=b""),
        "0 4194304 cq_id=18446744073709551615 cq_tag='' trace_id=''",
    ),
    "call home": (home(1, b"dev"), "0 33554432 type=1 device='dev' ssh_host_key='key'"),
    "call home of an unknown device": (
        home(2, b"dev"),
        "0 33554432 type=2 device=NULL ssh_host_key='key'",
    ),
    "audit network": (
        (1 << 28, (7, 8, b"u", b"d", b"t", b"c")),
        "0 268435456 user='u' trace_id='t' config='c'",
    ),
    "audit network without texts": (
        (1 << 28, (7, 8, None, b"d", None, None)),
        "0 268435456 user='undefined' trace_id='' config='undefined'",
    ),
}

# Seen on libconfd 8.0.4 of ConfD 8.0.4 alone.
OLD: dict[str, Row] = {
    "progress": (
        progress_80(5),
        "0 16777216 type=2 timestamp=1099511627776 duration=5 context='' annotation='note'",
    ),
    "duration 2^31": (
        progress_80(1 << 31),
        "0 16777216 type=2 timestamp=1099511627776 duration=0 context='' annotation='note'",
    ),
    "timestamp 2^32-1": (
        progress_80(timestamp=(1 << 32) - 1),
        "0 16777216 type=2 timestamp=0 duration=0 context='' annotation='note'",
    ),
}

SEEN = {("8.2", "NCS"): {**BOTH, **NEW}, ("8.0", "CONFD"): {**BOTH, **OLD}}.get((LEVEL, PRODUCT))

# confd_strerror() of what users meet, on both.
STRERROR = {
    0: "Unknown error",
    1: "item does not exist",
    5: "item has a bad/wrong type",
    8: "badly formatted or nonexistent path",
    18: "internal error",
    20: "Failed to allocate",
    21: "Bad protocol usage or unexpected retval",
    22: "A session must be established prior to this command",
    24: "system call failed",
    45: "Lost connection to ConfD",
    48: "Operation timed out",
    50: "XPath compilation/evaluation failed",
    -1: "Unknown error",
}

pytestmark = pytest.mark.skipif(SEEN is None, reason="seen on other releases")


def sdk(directory: Path) -> tuple[Path, list[str]]:
    """The headers of the SDK in use, and how to link with its library."""
    if library()["stub"]:
        options = ["--level", LEVEL, "--product", PRODUCT.lower()]
        subprocess.run([str(ROOT / "ci" / "make-sdk"), *options, str(directory)], check=True)
        given, link = directory, "shared"
    else:
        names = ("CONFD_EVENTS_SDK", "NCS_DIR", "CONFD_DIR")
        given = Path(next(os.environ[name] for name in names if os.environ.get(name)))
        link = library()["link"]
    if link == "static":
        libraries = [str(given / "lib" / "libconfd.a"), "-lcrypto", "-lm", "-ldl"]
    else:
        libraries = [f"-L{given}/lib", f"-Wl,-rpath,{given}/lib", "-lconfd"]
    return given / "include", [*libraries, "-pthread"]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the library makes of all rows, and its sentences, by "strerror" and their number."""
    assert SEEN is not None
    directory = tmp_path_factory.mktemp("observe")
    headers, link = sdk(directory)
    program = directory / "observe"
    command = shlex.split(os.environ.get("CC", "cc"))
    command += [
        "-D_GNU_SOURCE",
        f"-DLEVEL={LEVEL.replace('.', '')}",
        f"-DCONFD_C_PRODUCT_{PRODUCT}",
    ]
    command += [f"-I{headers}", str(ROOT / "tests" / "observe.c"), "-o", str(program), *link]
    subprocess.run(command, check=True)
    frames = "".join(f"{i} {frame_of(term).hex()}\n" for i, (term, _) in enumerate(SEEN.values()))
    done = subprocess.run([str(program)], input=frames, capture_output=True, text=True, check=True)
    names = [*(f"strerror {number}" for number in STRERROR), *SEEN]
    return dict(zip(names, done.stdout.splitlines()))


@pytest.mark.parametrize("name", SEEN or [])
def test_the_library_does_what_was_seen(observed: dict[str, str], name: str) -> None:
    assert SEEN is not None
    assert observed[name].partition(" ")[2] == SEEN[name][1]


def test_the_library_says_what_was_seen(observed: dict[str, str]) -> None:
    said = [observed[f"strerror {number}"] for number in STRERROR]
    assert said == [f"strerror {number} {text}" for number, text in STRERROR.items()]
