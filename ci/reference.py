"""Write docs/notifications.md from the catalog; with --check, exit 1 when it is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "docs" / "notifications.md"

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confd_events.description import catalog
else:
    # The catalog alone: the package needs its extension.
    sys.path.insert(0, str(PROJECT / "src"))
    from confd_events_build.description import catalog

INTRODUCTION = """\
# Notifications

<!-- Written by ci/reference.py from src/confd_events/description/catalog.py. Do not edit. -->

`read_notification()` returns a dict with two keys: `type`, the notification's bit, and a member
with the payload, a dict too. Some notifications have no payload; their dict has just `type`.

```python
{"type": NOTIF_AUDIT, "audit": {"logno": 60, "user": "admin", "msg": "logged in", "usid": 11}}
```

The tables below tell when a key is present:

- *always*;
- *if set*: the key is absent when C has no value: NULL, an empty array, also one of characters, or
  0 for a number. Text that C has by a pointer may be there and empty;
- *if …*: the key is absent unless another key has this value.

A key that the release of libconfd does not have is never present. `library()["missing"]` names
those keys. Where two names are given, the dict has the value under both.

Releases are told by the API level of their libconfd. ConfD's number is the same; NSO's is 2 less
at the front: API level 8.7 is that of NSO 6.7 and ConfD 8.7.

The dicts hold plain numbers. A name after `int`, such as `Database`, is the enumeration in
`confd_events.enums` that has their names.

The classes are described in [api.md](api.md). The types of the payloads, for type checkers, are in
`confd_events.payloads`.
"""

SUB_DICTS = """\
## Shared parts

Keys that several notifications have, or that stand in a dict of their own.
"""

CONSTANTS = """\
## Constants

All are integers; `confd_events.enums` has most of them as enumerations. A constant that the
release of libconfd does not have is not in the module; `library()["missing"]` names it. Some more
come from no header, and tell where the daemon listens by default: `ADDR`, the text `127.0.0.1`, and
`PORT`, that is `NCS_PORT` or `CONFD_PORT`, by product. NSO from 6.7 on listens at a UNIX socket
instead: then `PATH` is its path, `NCS_PATH`, and `PORT` is None; otherwise `PATH` is None. Names
with SLAVE and MASTER are older names of those with SECONDARY
and PRIMARY.
"""


class Acknowledgement(NamedTuple):
    """How a notification is acknowledged."""

    call: str
    waits: str
    """What stands still until then."""


ACKNOWLEDGEMENTS = {
    "sync_audit_notification": Acknowledgement(
        'sync_audit_notification(sock, n["audit"]["usid"])', "the user session"
    ),
    "diff_notification_done": Acknowledgement(
        'diff_notification_done(sock, n["commit_diff"]["tctx"])', "the transaction"
    ),
    "sync_ha_notification": Acknowledgement("sync_ha_notification(sock)", "all HA processing"),
    "sync_audit_network_notification": Acknowledgement(
        'sync_audit_network_notification(sock, n["audit_network"]["usid"])', "the user session"
    ),
}

# Headings, and the beginnings of the names below them; a name goes below the first that fits.
GROUPS = {
    "Flags of a commit (`flags`)": ("NOTIF_COMMIT_FLAG_",),
    "Notifications (`type`, and a subscription's mask)": ("NOTIF_", "NCS_NOTIF_"),
    "Datastores (`database`, `dbname`, `datastore`)": (
        "NO_DB",
        "CANDIDATE",
        "RUNNING",
        "STARTUP",
        "OPERATIONAL",
        "TRANSACTION",
        "PRE_COMMIT_RUNNING",
        "INTENDED",
    ),
    "User sessions (`user_sess`)": ("USER_SESS_",),
    "High availability (`hnot`)": ("HA_INFO_",),
    "Subagents (`subagent`)": ("SUBAGENT_INFO_",),
    "Data providers (`cfail`)": ("DP_",),
    "SNMP PDUs (`snmpa`)": ("SNMPA_PDU_",),
    "SNMP variables (`SnmpVarbind.type`)": ("SNMP_VARIABLE", "SNMP_OID", "SNMP_COL_ROW"),
    "SNMP types (`SnmpVarbind.vartype`)": ("SNMP_",),
    "Forwarding (`forward`)": ("FORWARD_INFO_",),
    "Confirmed commits (`confirm`)": ("CONFIRMED_COMMIT", "CONFIRMING_COMMIT", "ABORT_COMMIT"),
    "Upgrades (`upgrade`)": ("UPGRADE_",),
    "Progress (`progress`)": ("PROGRESS_",),
    "Verbosity of progress (`NotificationsData.verbosity`)": ("VERBOSITY_",),
    "Compactions (`compaction`)": ("COMPACTION_",),
    "Streams (`stream`)": ("STREAM_",),
    "Commit queue items (`cq_progress`)": ("NCS_CQ_ITEM_",),
    "Call home (`call_home`)": ("CALL_HOME_",),
    "Transports of a session (`UserInfo.proto`)": ("PROTO_",),
    "Locks of a session (`UserInfo.lmode`)": ("USESS_LOCK_MODE_",),
    "Flags of a session (`UserInfo.flags`)": ("USESS_FLAG_",),
    "Types of values (`Value.confd_type()`)": ("C_",),
    "Time zones (`DateTime.timezone`)": ("TIMEZONE_UNDEF",),
    "Errors (`Error.confd_errno`)": ("ERR_", "NCS_ERR_"),
    "Default ports": ("CONFD_PORT", "NCS_PORT"),
    "Results of C functions": ("CONFD_",),
}


def document() -> str:
    """The text of docs/notifications.md."""
    sections = [section(notification) for notification in catalog.NOTIFICATIONS]
    return "\n".join([INTRODUCTION, contents(), *sections, shared(), constants()])


def contents() -> str:
    links = (f"[{n.name}](#{n.name.lower()})" for n in catalog.NOTIFICATIONS)
    return "\n".join(f"- {link}" for link in links) + "\n"


def section(notification: catalog.Notification) -> str:
    """A heading, what it means, where it is in the dict, how to acknowledge it, its keys."""
    parts = [f"## {notification.name}\n", f"{notification.doc}\n", f"{place(notification)}\n"]
    releases = span(catalog.span(notification.name))
    if releases:
        parts.append(f"Releases: {releases}.\n")
    if notification.acknowledge:
        parts.append(f"{acknowledging(notification)}\n")
    if notification.fields:
        parts.append(table(rows(notification.fields)))
    return "\n".join(parts)


def place(notification: catalog.Notification) -> str:
    if not notification.member:
        return "No payload."
    return (
        f"Member `{notification.member}`, C: `struct {notification.struct}`, "
        f"type: `{notification.payload}`."
    )


def acknowledging(notification: catalog.Notification) -> str:
    how = ACKNOWLEDGEMENTS[notification.acknowledge]
    sync = notification.sync
    who = f"For a subscription with `{sync}`" if sync else "Always"
    return f"To acknowledge: `{how.call}`. {who}; {how.waits} stands still until then."


def table(lines: Sequence[tuple[str, str, str, str]]) -> str:
    head = [("key", "type", "present", "meaning"), ("---",) * 4]
    return "".join(f"| {' | '.join(cells)} |\n".replace("|  |", "| |") for cells in [*head, *lines])


def rows(fields: Sequence[catalog.Field]) -> list[tuple[str, str, str, str]]:
    """A row for each key; an address and an SNMP v1 trap put several keys into the dict."""
    result = []
    for field in fields:
        for part in catalog.INLINE.get(field.type, (field,)):
            conditions = dict.fromkeys(filter(None, (condition(field), condition(part))))
            present = ", and ".join(conditions) or "always"
            result.append(row(part, "; ".join(filter(None, (present, span(field.span))))))
    return result


def span(releases: catalog.Span) -> str:
    """Which releases have something; nothing if all that we know have it."""
    parts = [f"from API level {releases.since}"] if releases.since else []
    if releases.before:
        parts.append(
            f"to before {releases.before}" if parts else f"before API level {releases.before}"
        )
    levels = " ".join(parts)
    return ", ".join(filter(None, (levels, "NSO alone" if releases.product else "")))


def row(field: catalog.Field, present: str) -> tuple[str, str, str, str]:
    names = f"`{field.key}`" + (f", `{field.also}`" if field.also else "")
    return names, kind(field), present, field.doc


def kind(field: catalog.Field) -> str:
    """The type of a field, and the enumeration of its numbers."""
    text = "`{}`".format(field.type.replace("|", "\\|"))
    if field.type == "HaNode":
        return f"[{text}](#hanode)"
    return f"{text}, `{field.enum}`" if field.enum else text


def condition(field: catalog.Field) -> str:
    if field.when is not None:
        key, constant = field.when
        return f"if `{key}` is `{python_name(constant)}`"
    return "if set" if field.optional else ""


def python_name(constant: str) -> str:
    """The newer name of a C constant, as the module has it."""
    newer = constant.replace("SLAVE", "SECONDARY").replace("MASTER", "PRIMARY")
    return newer[len("CONFD_") :]


def shared() -> str:
    """The parts that several notifications have."""
    parts = [
        ("Address", "An IP address; the keys lie beside the others.", catalog.ADDRESS),
        ("HaNode", "A node of the cluster; a dict of its own.", catalog.HA_NODE),
        ("V1Trap", "An SNMP v1 trap; the keys lie beside the others.", catalog.V1_TRAP),
    ]
    sections = (f"### {name}\n\n{doc}\n\n{table(rows(fields))}" for name, doc, fields in parts)
    return "\n".join([SUB_DICTS, *sections])


def constants() -> str:
    """All constants, by group."""
    sections = (
        f"### {heading}\n\n" + "\n".join(map(constant, names)) + "\n" for heading, names in groups()
    )
    return "\n".join([CONSTANTS, *sections])


def constant(name: str) -> str:
    releases = span(catalog.span(name))
    return f"- `{name}`" + (f": {releases}" if releases else "")


def groups() -> Iterator[tuple[str, list[str]]]:
    left = list(catalog.CONSTANTS)
    for heading, beginnings in GROUPS.items():
        yield heading, [name for name in left if name.startswith(beginnings)]
        left = [name for name in left if not name.startswith(beginnings)]
    if left:
        yield "Others", left


def main(arguments: Sequence[str]) -> int:
    text = document()
    if "--check" not in arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET} is not up to date: run ci/reference.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
