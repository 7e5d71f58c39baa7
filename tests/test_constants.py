"""Every constant is there, under each of its names, with its value."""

from __future__ import annotations

import json
import re
import socket
import syslog
from typing import Any

import pytest
from conftest import DATA, LEVEL, PRODUCT

import confd_events as events
from confd_events import enums
from confd_events.description import catalog, releases

CONSTANTS = json.loads((DATA / "api" / "constants.json").read_text())
KNOWN = {**CONSTANTS["events"], **CONSTANTS["types"]}
# The older spellings of NSO's bits.
BITS = [n for n in catalog.CONSTANTS if re.match("(NCS_)?NOTIF_(?!COMMIT_FLAG)", n)]
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


# NSO listens at its path from 8.7 on, not at a port.
LOCAL = PRODUCT == "NCS" and LEVEL >= (8, 7)
DEFAULT_PORT = None if LOCAL else {"NCS": 4569, "CONFD": 4565}[PRODUCT]


def test_values() -> None:
    present = {name: getattr(events, name) for name in KNOWN if hasattr(events, name)}
    assert present == {name: KNOWN[name] for name in present} | {"PORT": DEFAULT_PORT}
    assert events.NCS_PATH == "/tmp/nso/nso-ipc"
    assert (events.NCS_PATH if LOCAL else None) == events.PATH


def in_release(span: catalog.Span) -> bool:
    """Whether the catalog says that the release in use has it."""
    since, before = (
        tuple(map(int, level.split("."))) for level in (span.since or "0", span.before or "99")
    )
    return since <= LEVEL < before and span.product in ("", PRODUCT)


def test_what_the_release_has_is_there() -> None:
    spans = {name: catalog.span(name) for name in catalog.CONSTANTS}
    there = {name for name in spans if hasattr(events, name)}
    expected = {name for name, span in spans.items() if in_release(span)}
    assert expected - there == set()
    # Before 8.2, ConfD's headers had some of NSO's; nothing else is there that should not be.
    nso = {name for name, span in spans.items() if span.product}
    extra = nso if PRODUCT == "CONFD" and LEVEL < (8, 2) else set()
    assert there - expected - extra == set()


def test_what_fields_the_release_has() -> None:
    missing = set(events.library()["missing"])
    fields = {
        f"{n.name}.{f.key}": f.span
        for n in catalog.NOTIFICATIONS
        if in_release(catalog.span(n.name))
        for f in n.fields
    }
    assert missing & fields.keys() == {
        name for name, span in fields.items() if not in_release(span)
    }


@pytest.mark.parametrize(
    ("product", "version", "named"),
    [
        ("NCS", "8.2.5", "NSO 6.2.5"),
        ("NCS", "7.7", "NSO 5.7"),
        ("NCS", "8.7.2", "NSO 6.7.2"),
        ("CONFD", "8.0.4", "ConfD 8.0.4"),
    ],
)
def test_releases_by_the_version_of_their_library(product: str, version: str, named: str) -> None:
    assert releases.release(product, version) == named


def test_a_name_of_another_release_says_whose_it_is() -> None:
    lacking = [name for name in catalog.CONSTANTS if not hasattr(events, name)]
    here = releases.release(PRODUCT, events.library()["version"])
    for name in lacking:
        with pytest.raises(AttributeError) as caught:
            getattr(events, name)
        said = str(caught.value)
        assert f"{name} is not in {here}, whose libconfd is in use; " in said
        since = catalog.span(name).since
        assert ("only NSO has it" if not since else f"{releases.release('NCS', since)} ") in said
    with pytest.raises(AttributeError, match=r"^module 'confd_events' has no attribute 'NOTIF_X'$"):
        getattr(events, "NOTIF_X")  # noqa: B009 -- a type checker knows that it is not there


def test_both_names_of_a_bit() -> None:
    for alias, name in ALIASES.items():
        assert getattr(events, alias, None) == getattr(events, name, None)


def test_catalog_names_all() -> None:
    assert set(catalog.CONSTANTS) | {"ADDR", "PORT"} == KNOWN.keys() | ALIASES.keys()


def test_what_the_headers_lack_is_said() -> None:
    lacking = {name for name in KNOWN if not hasattr(events, name)}
    assert lacking <= set(events.library()["missing"])


# How the members of each enumeration are called here; {} is the member's name.
NAMES = {
    enums.Notif: ("NOTIF_{}", "NCS_NOTIF_{}"),
    enums.CommitFlag: ("NOTIF_COMMIT_FLAG_{}",),
    enums.Database: ("{}",),
    enums.UserSess: ("USER_SESS_{}",),
    enums.HaInfo: ("HA_INFO_{}",),
    enums.SubagentInfo: ("SUBAGENT_INFO_{}",),
    enums.DataProvider: ("DP_{}",),
    enums.ForwardInfo: ("FORWARD_INFO_{}",),
    enums.ConfirmedCommit: ("{}_COMMIT",),
    enums.Upgrade: ("UPGRADE_{}",),
    enums.SnmpPdu: ("SNMPA_PDU_{}",),
    enums.VarbindType: ("SNMP_{}",),
    enums.SnmpType: ("SNMP_{}",),
    enums.ProgressType: ("PROGRESS_{}",),
    enums.CompactionFile: ("COMPACTION_{}",),
    enums.CompactionType: ("COMPACTION_{}",),
    enums.StreamType: ("STREAM_{}",),
    enums.CqItem: ("NCS_CQ_ITEM_{}",),
    enums.CallHome: ("CALL_HOME_DEVICE_{}", "CALL_HOME_{}_DEVICE"),
    enums.Proto: ("PROTO_{}",),
    enums.LockMode: ("USESS_LOCK_MODE_{}",),
    enums.SessionFlag: ("USESS_FLAG_{}",),
    enums.Verbosity: ("VERBOSITY_{}",),
    enums.ErrorCode: ("ERR_{}", "NCS_ERR_{}"),
}
# The vendor's spellings, by ours.
SPELLINGS = {
    "SNMP_COUNTER32": "SNMP_Counter32",
    "SNMP_COUNTER64": "SNMP_Counter64",
    "SNMP_INTEGER32": "SNMP_Interger32",
    "SNMP_IP_ADDRESS": "SNMP_IpAddress",
    "SNMP_OPAQUE": "SNMP_Opaque",
    "SNMP_TIME_TICKS": "SNMP_TimeTicks",
    "SNMP_UNSIGNED32": "SNMP_Unsigned32",
}
# Constants of no enumeration: of the library, of values, of times, of the library's debugging.
OTHERS = re.compile("CONFD_|NCS_PORT|C_|PROGRESS_ATTRIBUTE_|TIMEZONE_UNDEF|PROTO_TRACE")


def constants_of(member: Any) -> list[str]:
    """The constants that a member stands for."""
    names = (name.format(member.name) for name in NAMES[type(member)])
    return [name for name in (SPELLINGS.get(name, name) for name in names) if name in KNOWN]


@pytest.mark.parametrize("enumeration", NAMES, ids=lambda e: str(e.__name__))
def test_members_are_constants(enumeration: Any) -> None:
    """They are literals, to be there whatever the release of the library."""
    for member in enumeration:
        assert {KNOWN[name] for name in constants_of(member)} == {member.value}, member


def test_constants_are_members() -> None:
    members = {name for e in NAMES for member in e for name in constants_of(member)}
    missing = {
        name
        for name in map(newer, catalog.CONSTANTS)
        if name not in members and not OTHERS.match(name)
    }
    # Names of bits that have another name, or of several bits.
    assert missing == {"NOTIF_SYSLOG", "NOTIF_SYSLOG_TAKEOVER"} | ALIASES.keys()


def newer(constant: str) -> str:
    return constant.replace("SLAVE", "SECONDARY").replace("MASTER", "PRIMARY")


@pytest.mark.parametrize("name", BITS)
def test_notif_knows_every_name(name: str) -> None:
    assert enums.notif(name) == KNOWN[ALIASES.get(name, name)]


def test_address_families_are_the_systems() -> None:
    assert {f"AF_{f.name}": f.value for f in enums.AddressFamily} == {
        name: int(getattr(socket, name)) for name in ("AF_UNSPEC", "AF_INET", "AF_INET6")
    }


def test_priorities_are_syslogs() -> None:
    for priority in enums.SyslogPriority:
        assert priority == getattr(syslog, f"LOG_{priority.name}")


def test_numbers_of_snmp() -> None:
    """RFC 3416 and RFC 1157 count from 0."""
    errors, traps = list(enums.SnmpError), list(enums.GenericTrap)
    assert errors == [*range(19)]
    assert errors[5] is enums.SnmpError.GEN_ERR
    assert errors[18] is enums.SnmpError.INCONSISTENT_NAME
    assert traps == [*range(7)]
    assert traps[6] is enums.GenericTrap.ENTERPRISE_SPECIFIC


def test_every_enumeration_is_compared() -> None:
    elsewhere = {enums.AddressFamily, enums.SyslogPriority, enums.SnmpError, enums.GenericTrap}
    known = {getattr(enums, name) for name in enums.__all__}
    assert {e for e in known if isinstance(e, type)} == elsewhere | NAMES.keys()
