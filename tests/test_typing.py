"""What type checkers and readers of docstrings see: the payloads, the stub, the docstrings."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import runpy
import subprocess
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import confd_events as events
from confd_events import _events, payloads
from confd_events.description import catalog
from confd_events.enums import Notif, label, notif

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TESTS = Path(__file__).resolve().parent
PROJECT = TESTS.parent
ALLOWLIST = TESTS / "data" / "stubtest-allowlist.txt"

# API level 6.6 has only these of the progress payloads, and msg.
PROGRESS_OF_ALL_RELEASES = {"usid", "database", "thandle"}

# Where a function's docstring must say which C function or table it stands for.
C_NAMES = {
    "diff_notification_done": "confd_diff_notification_done",
    "hash2str": "confd_hash2str",
    "load_schemas": "maapi_load_schemas",
    "log_description": "confd_log_descriptions",
    "log_symbol": "confd_log_symbols",
    "notifications_connect": "confd_notifications_connect",
    "notifications_connect2": "confd_notifications_connect2",
    "ns2prefix": "confd_ns2prefix",
    "read_notification": "confd_read_notification",
    "read_notifications": "confd_read_notification",
    "str2hash": "confd_str2hash",
    "sync_audit_network_notification": "ncs_sync_audit_network_notification",
    "sync_audit_notification": "confd_sync_audit_notification",
    "sync_ha_notification": "confd_sync_ha_notification",
}
# Functions that wrap none.
OUR_OWN = {"library"}


# The payloads and the catalog

EXPANSIONS = {"Address": catalog.ADDRESS, "V1Trap": catalog.V1_TRAP}
KINDS = [n for n in catalog.NOTIFICATIONS if n.payload]
PARTS = {"Address": catalog.ADDRESS, "HaNode": catalog.HA_NODE, "V1Trap": catalog.V1_TRAP}


def evaluated(type_: str) -> Any:
    """A type of the catalog, as get_type_hints() returns it."""
    # Python 3.9 can't evaluate str | int.
    portable = re.sub(r"(\w+) \| (\w+)", r"Union[\1, \2]", type_)
    return eval(portable, {**vars(typing), **vars(payloads)})


def expected_keys(
    fields: Iterable[catalog.Field], always: bool = True
) -> Iterator[tuple[str, Any, bool]]:
    """Key, type and whether it is required, as the catalog has it."""
    for field in fields:
        required = always and not field.optional and field.when is None
        if field.type in EXPANSIONS:
            yield from expected_keys(EXPANSIONS[field.type], required)
            continue
        for key in filter(None, (field.key, field.also)):
            yield key, evaluated(field.type), required


def assert_agrees(payload: Any, expected: Iterable[tuple[str, Any, bool]]) -> None:
    keys = list(expected)
    assert typing.get_type_hints(payload) == {key: type_ for key, type_, _ in keys}
    assert payload.__required_keys__ == {key for key, _, required in keys if required}
    assert payload.__optional_keys__ == {key for key, _, required in keys if not required}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_payload_agrees_with_the_catalog(kind: catalog.Notification) -> None:
    expected: Iterable[tuple[str, Any, bool]] = expected_keys(kind.fields)
    if kind.member == "progress":
        expected = [(k, type_, k in PROGRESS_OF_ALL_RELEASES) for k, type_, _ in expected]
    assert_agrees(getattr(payloads, kind.payload), expected)


@pytest.mark.parametrize("name", PARTS)
def test_part_agrees_with_the_catalog(name: str) -> None:
    assert_agrees(getattr(payloads, name), expected_keys(PARTS[name]))


def test_no_payload_is_unknown_to_the_catalog() -> None:
    known = {kind.payload for kind in KINDS} | PARTS.keys()
    assert set(payloads.__all__) == known | {"AttributeValue", "LibraryInfo", "NotificationDict"}


def test_a_notification_has_the_members_of_the_catalog() -> None:
    hints = typing.get_type_hints(payloads.NotificationDict)
    assert hints.pop("type") is int
    members: dict[str, set[Any]] = {}
    for kind in KINDS:
        members.setdefault(kind.member, set()).add(getattr(payloads, kind.payload))
    # A type checker can't tell the two that share a member apart; the narrower one serves.
    assert members["progress"] == {payloads.Progress, payloads.CommitProgress}
    members["progress"].remove(payloads.CommitProgress)
    assert {member: {type_} for member, type_ in hints.items()} == members
    assert payloads.NotificationDict.__required_keys__ == {"type"}


MISSING = set(events.library()["missing"])


def keys_of(kind: catalog.Notification) -> set[str]:
    return {f"{kind.name}.{field.key}" for field in kind.fields}


# Of another release there is no struct at all, and no payload.
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if keys_of(kind) - MISSING], ids=lambda kind: kind.name
)
def test_no_key_that_this_release_lacks_is_required(kind: catalog.Notification) -> None:
    required = getattr(payloads, kind.payload).__required_keys__
    assert not MISSING & {f"{kind.name}.{key}" for key in required}


def test_library_info_agrees_with_library() -> None:
    info = events.library()
    hints = typing.get_type_hints(payloads.LibraryInfo)
    assert hints.keys() == info.keys()
    for key, value in info.items():
        assert isinstance(value, typing.get_origin(hints[key]) or hints[key]), key


@pytest.mark.parametrize("name", sorted(set(payloads.__all__) - {"AttributeValue"}))
def test_every_payload_says_what_it_is(name: str) -> None:
    doc = inspect.getdoc(getattr(payloads, name)) or ""
    assert doc
    for kind in (kind for kind in KINDS if kind.payload == name):
        assert kind.name in doc
        assert f"(C: struct {kind.struct})" in doc


# The stub


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy-cache")


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python module that finds the package under test, wherever it was imported from."""
    pytest.importorskip("mypy")
    root = Path(events.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": str(root)}
    env.pop("MYPYPATH", None)
    if root.name not in ("site-packages", "dist-packages"):
        env["MYPYPATH"] = str(root)
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def stub_names() -> set[str]:
    stub = Path(events.__file__).with_name("_events.pyi").read_text(encoding="utf-8")
    listed = re.search(r"^__all__ = \[(.*?)\]", stub, re.DOTALL | re.MULTILINE)
    assert listed is not None
    return set(re.findall(r'"(\w+)"', listed[1]))


def not_in_this_release() -> set[str]:
    """Names of the stub that the library in use lacks."""
    names = {name for name in events.library()["missing"] if "." not in name}
    if not hasattr(events, "sync_audit_network_notification"):
        names.add("sync_audit_network_notification")
    return names


def test_stub_agrees_with_the_extension(tmp_path: Path) -> None:
    lacking = not_in_this_release()
    patterns = [rf"{re.escape(_events.__name__)}\.{name}" for name in lacking]
    if lacking:
        patterns.append(rf"{re.escape(_events.__name__)}\.__all__")
    release = tmp_path / "release.txt"
    release.write_text("".join(f"{pattern}\n" for pattern in patterns))
    # Which of the allowlist's entries is used depends on Cython and the release.
    result = run(
        "mypy.stubtest",
        _events.__name__,
        f"--allowlist={ALLOWLIST}",
        f"--allowlist={release}",
        "--ignore-unused-allowlist",
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_stub_has_the_names_of_all_releases() -> None:
    assert stub_names() == set(_events.__all__) | not_in_this_release()
    assert set(catalog.CONSTANTS) <= stub_names()


def test_package_exports_the_names_of_the_extension() -> None:
    for name in _events.__all__:
        assert getattr(events, name) is getattr(_events, name)


def test_package_is_strictly_typed(cache: Path) -> None:
    result = run("mypy", f"--cache-dir={cache}", "--strict", cwd=PROJECT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_pyright_finds_nothing_in_the_package() -> None:
    result = run("basedpyright", cwd=PROJECT)
    assert result.returncode == 0, result.stdout + result.stderr


PROGRAM = """
import socket
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

import confd_events as events
from confd_events.enums import notif
from confd_events.payloads import Audit, CommitProgress, HaNode, NotificationDict


class Wrapped:
    # Any object will do that has fileno(), and family to connect.
    family = socket.AF_UNIX

    def fileno(self) -> int:
        return 3


def login(audit: Audit) -> str:
    return f"{audit['user']} {events.log_symbol(audit['logno'])}"


def node(died: HaNode) -> str:
    return str(died["nodeid"]) + died.get("ip4", died.get("str", ""))


def handle(sock: socket.socket, n: NotificationDict) -> None:
    if n["type"] == events.NOTIF_AUDIT:
        print(login(n["audit"]))
        events.sync_audit_notification(sock, usid=n["audit"]["usid"])
    elif n["type"] == events.NOTIF_COMMIT_DIFF:
        diff = n["commit_diff"]
        handle_id: int = diff["tctx"].th
        print(handle_id, diff.get("label", "").upper(), diff["uinfo"].username.upper())
        events.diff_notification_done(sock, diff["tctx"])
    elif n["type"] == events.NOTIF_HA_INFO and "secondary_died" in n["hnot"]:
        print(node(n["hnot"]["secondary_died"]))
        events.sync_ha_notification(sock)
    elif n["type"] == events.NOTIF_COMMIT_PROGRESS:
        print(cast(CommitProgress, n["progress"])["database"] + n["progress"]["usid"])
    elif "stream" in n:
        when: datetime = n["stream"]["event_time"].to_datetime()
        print(when, [(value.tag, str(value.v)) for value in n["stream"]["values"]])
    elif "audit_network" in n:
        events.sync_audit_network_notification(sock, n["audit_network"]["usid"])


with socket.socket() as sock:
    events.load_schemas(events.ADDR, events.PORT)
    mask = events.NOTIF_AUDIT | events.NOTIF_AUDIT_SYNC
    events.notifications_connect(sock, mask, ip=events.ADDR, port=events.PORT)
    events.notifications_connect2(
        Wrapped(),
        events.NOTIF_HEARTBEAT | events.NOTIF_STREAM_EVENT,
        events.NotificationsData(
            heartbeat_interval=1000,
            stream_name="interface",
            start_time=events.Value(events.DateTime(2026, 11, 23), events.C_DATETIME),
            stop_time=datetime.now(timezone.utc),
        ),
        path=Path("/run/confd"),
    )
    try:
        handle(sock, events.read_notification(sock))
        for notification in events.read_notifications(sock, max=10):
            handle(sock, notification)
    except events.EOF as error:
        print(error.confd_errno, error.confd_strerror)
    except events.Error as error:
        print(error.confd_lasterr, error.errno)
    with events.subscribe("audit", events.Notif.COMMIT_DIFF, heartbeat=10) as subscription:
        for event in subscription:
            if event.type is events.Notif.AUDIT:
                handle(sock, event.raw)
            if isinstance(event, events.AuditEvent):
                session: int = event["usid"]
                print(session, event["msg"].upper(), event.ack())
                print((event.get("usid") or 0) + 1, event.get("user", "").upper())
            elif isinstance(event, events.CommitDiffEvent):
                print(event["tctx"].th, event["uinfo"].username.upper())
            print(event.name.upper(), event.read_at.isoformat(), event.to_json().upper())
    with events.subscribe(notif(input()), "COMMIT_DIFF", "NOTIF_HA_INFO", "NCS_NOTIF_CQ_PROGRESS"):
        pass
    for any_event in events.subscribe(notif(input())):
        print(any_event["user"], any_event.get("msg", ""), any_event["secondary_died"])
    numbers = events.Value([1, 2], events.C_LIST)
    print([number.as_pyval() for number in numbers], numbers[0] == events.Value(1), len(numbers))
    print(events.library()["version"].upper())
"""

MISTAKES = {
    "a wrong key": ('events.read_notification(sock)["audit"]["usr"]', 'no key "usr"'),
    "a wrong member": ('events.read_notification(sock)["audits"]', 'no key "audits"'),
    "a wrong constant": ("events.NOTIF_AUDITS", 'no attribute "NOTIF_AUDITS"'),
    "a wrong argument": ("events.notifications_connect(sock, 1, port='4565')", '"port"'),
    "a wrong keyword": ("events.hash2str(tag=1)", '"tag"'),
    "not a socket": ("events.read_notification(3)", '"_Socket"'),
    "no family": (
        "events.notifications_connect(open('f'), 1, path='p')",
        '"_UnconnectedSocket"',
    ),
    "a value of no type": ("events.Value(1, 'C_INT8')", "incompatible type"),
    "an order of values": ("events.Value(1) < events.Value(2)", "Unsupported operand"),
    "a tag without a value": ("events.TagValue(events.XmlTag(1, 2))", "No overload variant"),
    "what only reading makes": ("events.UserInfo()", "Too few arguments"),
    "a wrong key of an event": ("next(events.subscribe(1))['userr']", "Invalid index type"),
    "a wrong key to get": ("next(events.subscribe(1)).get('userr')", "incompatible type"),
    "a wrong key of an audit event": (
        'next(events.subscribe("audit"))["prio"]',
        '"__getitem__" of "AuditEvent"',
    ),
    "a key of one of two": (
        '[event["prio"] for event in events.subscribe("audit", "daemon")]',
        '"__getitem__" of "AuditEvent"',
    ),
    "no notification": ('events.subscribe("nonsense")', "type variable"),
    "no notification either": (
        'events.subscribe_async("audit", "comit-diff")',
        "type variable",
    ),
    "no option": ('events.subscribe("audit", bufer=10)', 'did you mean "buffer"'),
    "a key of another notification": ('cast(events.AuditEvent, 0)["prio"]', "overload"),
    "a key of another notification to get": (
        'cast(events.AuditEvent, 0).get("prio")',
        "overload",
    ),
    "a default that does not fit": ('cast(events.AuditEvent, 0).get("usid").bit_length()', "None"),
    "a value of another type": ('cast(events.AuditEvent, 0)["usid"].upper()', '"int"'),
    "a change": ("events.XmlTag(1, 2).ns = 3", "read-only"),
}


def check_program(text: str, cache: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    (directory / "program.py").write_text(text)
    options = ["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary"]
    return run("mypy", *options, "program.py", cwd=directory)


def test_a_program_type_checks(cache: Path, tmp_path: Path) -> None:
    result = check_program(PROGRAM, cache, tmp_path)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


def test_a_program_type_checks_with_pyright(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    settings = {
        "typeCheckingMode": "standard",
        "extraPaths": [str(Path(events.__file__).parents[1])],
        "reportMissingModuleSource": "none",
        # A dict of read_notification() has one of its payloads: which, the program knows.
        "reportTypedDictNotRequiredAccess": "none",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    result = run("basedpyright", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


EVENTS = """
from typing import Any

from typing_extensions import assert_type

from confd_events import (
    AuditEvent,
    Backoff,
    CommitDiffEvent,
    Connected,
    DaemonEvent,
    Disconnected,
    Dropped,
    Event,
    HealthCheckEvent,
    NetconfEvent,
    Notif,
    StreamEvent,
    Subscription,
    Undecodable,
    subscribe,
    subscribe_async,
)

Marker = Connected | Disconnected | Undecodable

for audit in subscribe("audit", "audit-sync", buffer=3, ack="manual"):
    assert_type(audit, AuditEvent)
for audit in subscribe(Notif.AUDIT):
    assert_type(audit, AuditEvent)
with subscribe("audit", "NOTIF_DAEMON", heartbeat=10) as two:
    assert_type(two.next(timeout=1), AuditEvent | DaemonEvent | None)
    assert_type(two.wait_for(lambda event: event["msg"] == "x"), AuditEvent | DaemonEvent | None)
    for either in two:
        assert_type(either, AuditEvent | DaemonEvent)
        print(either["usid"] if isinstance(either, AuditEvent) else either["prio"])
for one_of in subscribe("audit", "daemon", "netconf", "commit-diff"):
    assert_type(one_of, AuditEvent | DaemonEvent | NetconfEvent | CommitDiffEvent)
for again in subscribe("audit", reconnect=True):
    assert_type(again, AuditEvent | Marker)
    if isinstance(again, (Connected, Disconnected, Undecodable)):
        continue
    assert_type(again, AuditEvent)
for again in subscribe("audit", reconnect=Backoff(attempts=3)):
    assert_type(again, AuditEvent | Marker)
for buffered in subscribe("audit", buffer=9, when_full="drop-oldest"):
    assert_type(buffered, AuditEvent | Dropped)
for checked in subscribe("audit", health_check=9):
    assert_type(checked, AuditEvent | HealthCheckEvent)
assert_type(next(subscribe(stream="NETCONF")), StreamEvent)
assert_type(next(subscribe(Notif.AUDIT | Notif.DAEMON)), Event)


def any_names(names: tuple[Any, ...], options: dict[str, Any], again: bool) -> None:
    assert_type(next(subscribe(*names)), Event)
    assert_type(next(subscribe("audit", **options)), Event)
    for event in subscribe("audit", reconnect=again):
        assert_type(event, AuditEvent | Marker)


def any_subscription(subscription: Subscription) -> None:
    assert_type(next(subscription), Event)


any_subscription(subscribe("audit", reconnect=True))


async def main() -> None:
    async with subscribe_async("audit", "daemon") as subscription:
        async for event in subscription:
            assert_type(event, AuditEvent | DaemonEvent)
        assert_type(await subscription.next(timeout=1), AuditEvent | DaemonEvent | None)
"""


def test_the_type_of_events_is_that_of_what_is_asked_for(cache: Path, tmp_path: Path) -> None:
    result = check_program(EVENTS, cache, tmp_path)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


def test_type_checkers_know_all_options_of_subscribe() -> None:
    tree = ast.parse(TYPED.read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for function in (events.subscribe, events.subscribe_async):
        options = [
            parameter.name
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]
        typed = functions[function.__name__]
        assert [argument.arg for argument in typed.args.kwonlyargs] == options
        assert ast.get_docstring(typed) == inspect.getdoc(function)


def test_a_mistake_is_told_in_one_line(cache: Path, tmp_path: Path) -> None:
    text = 'from confd_events import subscribe\n\nsubscribe("audit", "nonsense")\n'
    result = check_program(text, cache, tmp_path)
    (line,) = result.stdout.splitlines()
    assert "cannot be \"Literal['nonsense']\"" in line
    assert len(line) < 120


def test_mistakes_do_not_type_check(cache: Path, tmp_path: Path) -> None:
    head = "import socket\nfrom typing import cast\n\nimport confd_events as events\n\n"
    head += "sock = socket.socket()\n"
    lines = "".join(f"{code}\n" for code, _ in MISTAKES.values())
    result = check_program(head + lines, cache, tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    first = head.count("\n") + 1
    for line, (mistake, (_, complaint)) in enumerate(MISTAKES.items(), start=first):
        found = [text for text in result.stdout.splitlines() if f"program.py:{line}: " in text]
        assert any(complaint in text for text in found), (mistake, result.stdout)


# The names that subscribe() takes


TYPED = PROJECT / "src" / "confd_events" / "subscription" / "_typed.pyi"
NAMES = PROJECT / "src" / "confd_events" / "subscription" / "_names.pyi"


def test_the_names_of_notifications_are_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    written = runpy.run_path(str(PROJECT / "ci" / "names.py"))
    assert NAMES.read_text(encoding="utf-8") == written["text"]()
    kinds = PROJECT / "src" / "confd_events" / "kinds.pyi"
    assert kinds.read_text(encoding="utf-8") == written["kinds"]()
    assert TYPED.read_text(encoding="utf-8") == written["typed_stub"]()


def listed(alias: str) -> set[str]:
    """The texts of a Literal there."""
    text = NAMES.read_text(encoding="utf-8").partition(f"\n{alias}: TypeAlias = Literal[\n")[2]
    return set(re.findall(r'^    "([\w-]+)",$', text.partition("]")[0], re.MULTILINE))


def test_every_name_is_a_notification() -> None:
    names = listed("Name")
    assert {label(bit) for bit in Notif} | {bit.name for bit in Notif} <= names
    assert {f"NOTIF_{bit.name}" for bit in Notif} <= names
    for name in names:
        assert notif(name) != 0


def test_every_key_of_a_payload_is_known() -> None:
    known: set[str] = set()
    for kind in KINDS:
        known |= typing.get_type_hints(getattr(payloads, kind.payload)).keys()
    assert listed("Key") == known | {"attempts", "count", "error", "gap"}


@pytest.mark.parametrize("kind", catalog.NOTIFICATIONS, ids=lambda kind: kind.name)
def test_an_event_is_of_the_class_of_its_notification(kind: catalog.Notification) -> None:
    event = events.Event({"type": int(notif(kind.name))}, 0.0)
    classes = [getattr(events, catalog.class_name(each)) for each in catalog.NOTIFICATIONS]
    found = [each.__name__ for each in classes if isinstance(event, each)]
    assert found == [catalog.class_name(kind)]


def test_no_marker_is_of_a_class_of_notifications() -> None:
    for kind in catalog.NOTIFICATIONS:
        assert not isinstance(events.Dropped(count=1), getattr(events, catalog.class_name(kind)))


def test_who_makes_such_an_event_is_told_who_does() -> None:
    with pytest.raises(TypeError, match=r"AuditEvent is for isinstance\(\).*subscribe\(\)"):
        events.AuditEvent({"type": 1}, 0.0)
    with pytest.raises(AttributeError, match="'confd_events' has no attribute 'AuditsEvent'"):
        events.AuditsEvent  # type: ignore[attr-defined]  # noqa: B018


# Docstrings


def documentation(thing: Any) -> str:
    """The docstring without the signature that Cython puts in front."""
    doc = inspect.getdoc(thing) or ""
    first, _, rest = doc.partition("\n")
    return rest.strip() if first.startswith(f"{thing.__name__}(") else doc


def public(predicate: Any) -> dict[str, Any]:
    things = {name: getattr(_events, name) for name in _events.__all__}
    return {name: thing for name, thing in things.items() if predicate(thing)}


CLASSES = public(inspect.isclass)
FUNCTIONS = {name: f for name, f in public(callable).items() if name not in CLASSES}


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS])
def test_it_has_a_docstring(name: str) -> None:
    assert documentation(getattr(_events, name))


def test_every_function_is_known_here() -> None:
    assert set(FUNCTIONS) == (C_NAMES.keys() | OUR_OWN) - not_in_this_release()


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - OUR_OWN))
def test_its_docstring_names_the_c_function(name: str) -> None:
    text = " ".join(documentation(FUNCTIONS[name]).split())
    assert re.search(rf"\(C: {C_NAMES[name]}\b", text), text
