"""Every constant is there, under each of its names, with its value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import DATA, LEVEL, PRODUCT

import confd_events as events
from confd_events import _catalog, testing

CONSTANTS = json.loads((DATA / "api" / "constants.json").read_text())
KNOWN = {**CONSTANTS["events"], **CONSTANTS["types"]}
# The older spellings of NSO's bits.
ALIASES = {
    f"NOTIF_{name}": f"NCS_NOTIF_{name}"
    for name in (
        "CQ_PROGRESS",
        "PACKAGE_RELOAD",
        "CALL_HOME_INFO",
        "AUDIT_NETWORK",
        "AUDIT_NETWORK_SYNC",
    )
}


def test_values() -> None:
    present = {name: getattr(events, name) for name in KNOWN if hasattr(events, name)}
    assert present == {name: KNOWN[name] for name in present} | (
        {} if PRODUCT == "NCS" else {"PORT": 4565}
    )


@pytest.mark.skipif((LEVEL, PRODUCT) != ((8, 2), "NCS"), reason="another release lacks some")
def test_all_are_there() -> None:
    assert [name for name in KNOWN if not hasattr(events, name)] == []


def test_both_names_of_a_bit() -> None:
    for alias, name in ALIASES.items():
        assert getattr(events, alias, None) == getattr(events, name, None)


def test_catalog_names_all() -> None:
    assert set(_catalog.CONSTANTS) | {"ADDR", "PORT"} == KNOWN.keys() | ALIASES.keys()


def test_what_the_headers_lack_is_said() -> None:
    lacking = {name for name in KNOWN if not hasattr(events, name)}
    assert lacking <= set(events.library()["missing"])


# How the simulated daemon's enumerators are called here; {} is the enumerator's name.
DAEMON_NAMES = {
    testing.Notif: ("NOTIF_{}", "NCS_NOTIF_{}"),
    testing.Database: ("{}",),
    testing.UserSess: ("USER_SESS_{}",),
    testing.HaInfo: ("HA_INFO_{}",),
    testing.SubagentInfo: ("SUBAGENT_INFO_{}",),
    testing.DataProvider: ("DP_{}",),
    testing.ForwardInfo: ("FORWARD_INFO_{}",),
    testing.ConfirmedCommit: ("{}_COMMIT",),
    testing.Upgrade: ("UPGRADE_{}",),
    testing.SnmpPdu: ("SNMPA_PDU_{}",),
    testing.ProgressType: ("PROGRESS_{}",),
    testing.CompactionFile: ("COMPACTION_{}",),
    testing.CompactionType: ("COMPACTION_{}",),
    testing.CqItem: ("NCS_CQ_ITEM_{}",),
    testing.CallHome: ("CALL_HOME_DEVICE_{}", "CALL_HOME_{}_DEVICE"),
    testing.ErrorCode: ("ERR_{}",),
}


@pytest.mark.parametrize("enumeration", DAEMON_NAMES, ids=lambda e: str(e.__name__))
def test_the_daemon_means_the_same(enumeration: Any) -> None:
    """The simulated daemon has constants of its own, to be independent of the extension."""
    for member in enumeration:
        names = [name.format(member.name) for name in DAEMON_NAMES[enumeration]]
        known = {KNOWN[name] for name in names if name in KNOWN}
        assert known == {member.value}, member
