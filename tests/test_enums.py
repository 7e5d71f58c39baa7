"""The enumerations as users have them: their labels, the names of notifications, the catalog's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import confd_events as events
from confd_events import enums, testing
from confd_events.description import catalog
from confd_events.enums import CommitFlag, Database, LockMode, Notif, label, notif
from confd_events.testing._notifications import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES: dict[str, Any] = {
    name: value for name in enums.__all__ if isinstance(value := getattr(enums, name), type)
}
OBJECTS = {
    events.UserInfo: catalog.USER_INFO,
    events.SnmpVarbind: catalog.SNMP_VARBIND,
    events.ProgressLink: catalog.PROGRESS_LINK,
}


def notification_fields() -> Iterator[tuple[str, catalog.Field]]:
    for notification in catalog.NOTIFICATIONS:
        for field in catalog.spread(notification.fields):
            yield notification.name, field


def fields() -> Iterator[tuple[str, catalog.Field]]:
    yield from notification_fields()
    for where in (*OBJECTS.values(), catalog.HA_NODE):
        yield from (("part", field) for field in where)


# Labels


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (Notif.COMMIT_DIFF, "commit-diff"),
        (Notif.AUDIT | Notif.HA_INFO, "audit|ha-info"),
        (Database.RUNNING, "running"),
        (Database.PRE_COMMIT_RUNNING, "pre-commit-running"),
        (LockMode.NONE, "none"),
        (CommitFlag(0), "none"),
        (CommitFlag(3), "confirmed|confirmed-extended"),
        (CommitFlag(1 | 1 << 3 | 1 << 9), "confirmed|0x208"),
    ],
)
def test_label(member: IntEnum | IntFlag, expected: str) -> None:
    assert label(member) == expected


@pytest.mark.parametrize("name", CLASSES)
def test_labels_tell_members_apart(name: str) -> None:
    members = CLASSES[name].__members__.values()
    assert max(Counter(map(label, members)).values()) == 1
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", label(member)) for member in members)


@given(st.integers(0, (1 << 64) - 1))
def test_the_label_of_flags_says_all(number: int) -> None:
    parts = label(Notif(number)).split("|") if number else []
    numbers = (int(part, 16) if part.startswith("0x") else int(notif(part)) for part in parts)
    assert sum(numbers) == number


# Names of notifications


@pytest.mark.parametrize("bit", Notif, ids=label)
@pytest.mark.parametrize("prefix", ["", "NOTIF_", "NCS_NOTIF_", "notif-"])
def test_notif_is_the_inverse_of_label(bit: Notif, prefix: str) -> None:
    name = prefix + label(bit)
    for spelled in (name, name.upper(), name.replace("-", "_"), f" {name.title()}\n"):
        assert notif(spelled) is bit


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("comit-diff", "did you mean commit-diff or "),
        ("NOTIF_AUDITS", "did you mean audit"),
        ("ha", "did you mean ha-info or ha-info-sync?"),
        ("session", "did you mean user-session?"),
        ("xyz", "there are audit, daemon, "),
        ("", "there are audit, daemon, "),
        ("NOTIF_", "there are audit, daemon, "),
        ("NOTIF_NOTIF_AUDIT", "no notification"),
        ("audit|ha-info", "no notification"),
    ],
)
def test_an_unknown_name_is_explained(name: str, close: str) -> None:
    with pytest.raises(ValueError, match="no notification is called") as caught:
        notif(name)
    message = str(caught.value)
    assert repr(name) in message
    assert close in message


# The module


def test_every_enumeration_says_what_it_is() -> None:
    for name, enumeration in CLASSES.items():
        assert issubclass(enumeration, (IntEnum, IntFlag))
        assert (enumeration.__doc__ or "").endswith("."), name
    defined = {name for name, value in vars(enums).items() if value in CLASSES.values()}
    assert defined == CLASSES.keys()


def test_importing_it_reads_no_catalog() -> None:
    program = "import sys, confd_events.enums; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = run.stdout.split()
    assert "confd_events.enums" in loaded
    assert not {"confd_events.description.catalog", "confd_events._render", "difflib"} & set(loaded)


def test_testing_has_the_same_enumerations() -> None:
    shared = CLASSES.keys() & set(testing.__all__)
    assert {"Notif", "Database", "ErrorCode", "CallHome"} <= shared
    assert all(getattr(testing, name) is CLASSES[name] for name in shared)


# The catalog


def test_the_catalog_names_enumerations_that_there_are() -> None:
    named = {field.enum for _, field in fields() if field.enum}
    # The mask of a subscription, its verbosity and errors are no keys.
    assert named == CLASSES.keys() - {"Notif", "Verbosity"}


def test_numbers_that_constants_name_have_an_enumeration() -> None:
    beginnings = (*catalog.CONSTANTS, "AF_INET", "RFC")
    for name, field in notification_fields():
        words = re.findall(r"[A-Z]{3,}_*|AF_", field.doc)
        named = [word for word in words if any(each.startswith(word) for each in beginnings)]
        assert not named or field.type != "int" or field.enum, (name, field.key, named)


def test_only_numbers_have_an_enumeration_or_an_epoch() -> None:
    for name, field in fields():
        assert field.type == "int" or not (field.enum or field.epoch), (name, field.key)
        assert not (field.enum and field.epoch)
        assert (field.epoch != "") == ("since the epoch" in field.doc or field.key == "logintime")


@pytest.mark.parametrize("cls", OBJECTS)
def test_the_catalog_has_the_attributes_of_classes(cls: type) -> None:
    attributes = {
        name for name in dir(cls) if not name.startswith("_") and not callable(getattr(cls, name))
    }
    assert {field.key for field in OBJECTS[cls]} == attributes


def test_the_flag_that_makes_the_daemon_wait() -> None:
    for notification in catalog.NOTIFICATIONS:
        acks = {k.ack.sync for k in KINDS.values() if k.ack and k.bit == notif(notification.name)}
        if not notification.acknowledge:
            assert not acks
            assert not notification.sync
        else:  # all subscribers owe that of a commit diff: the subscription's bit is the flag
            assert acks == {notif(notification.sync or notification.name)}
