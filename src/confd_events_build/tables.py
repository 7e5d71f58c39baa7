"""Write tables.h: what the SDK's headers have, as tables for the extension.

The catalog says which fields, constants and functions there may be, fields.h what a row means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .description import catalog
from .probe import supported
from .sdk import Sdk

# For each Python type of the catalog: a declaration that the C member must be able to
# initialize, and the kind of conversion in fields.h. {m} is the member.
_CONVERSIONS = {
    "int": ("long long v = {m};", "INTEGER_KIND({m})"),
    "str": ("const char *v = {m};", "TEXT_KIND({m})"),
    "list[str]": ("char **v = {m};", "KIND_TEXTS"),
    "list[Value]": ("confd_value_t **v = {m};", "KIND_VALUES"),
    "dict[str, str | int]": ("struct confd_progress_attribute *v = {m};", "KIND_ATTRIBUTES"),
    "list[ProgressLink]": ("struct confd_progress_link *v = {m};", "KIND_LINKS"),
    "list[SnmpVarbind]": ("struct confd_snmp_varbind *v = {m};", "KIND_VARBINDS"),
    "list[TagValue]": ("confd_tag_value_t *v = {m};", "KIND_TAG_VALUES"),
    "Address": ("struct confd_ip *v = &{m};", "KIND_ADDRESS"),
    "DateTime": ("struct confd_datetime *v = &{m};", "KIND_DATETIME"),
    "HaNode": ("struct confd_ha_node *v = &{m};", "KIND_HA_NODE"),
    "TransCtxRef": ("struct confd_trans_ctx *v = {m};", "KIND_TRANS_CTX"),
    "UserInfo": ("struct confd_user_info *v = &{m};", "KIND_USER_INFO"),
    "V1Trap": ("struct confd_v1_trap_info *v = {m};", "KIND_V1_TRAP"),
}

_MASK_PROBE = (
    "_Static_assert(_Generic(&confd_notifications_connect,"
    ' int (*)(int, const struct sockaddr *, int, {type}): 1, default: 0), "type");'
)
# What else the extension uses that not every release has; fields.h holds the stand-ins.
_FEATURES = {
    "INT_MASK": _MASK_PROBE.format(type="int"),
    "LONG_MASK": _MASK_PROBE.format(type="long"),
    "LONG_LONG_MASK": _MASK_PROBE.format(type="long long"),
    "PROGRESS_ATTRIBUTE": "struct confd_progress_attribute v; (void)v.value.number;",
    "PROGRESS_LINK": "struct confd_progress_link v; (void)v.span_id;",
    "VERBOSITY": "struct confd_notifications_data v; v.verbosity = 0;",
    "AUDIT_NETWORK_SYNC": "(void)&ncs_sync_audit_network_notification;",
    "LOG_SYMBOLS": "(void)confd_log_symbols[0]; (void)confd_log_descriptions[0];",
    "VAL2STR": "(void)&confd_val2str; (void)&confd_str2val; (void)&confd_find_cs_root;"
    ' (void)confd_cs_node_cd(0, "")->info.type;',
    "FREE_DUP_TO_VALUE": "(void)&confd_free_dup_to_value;",
}


class Tables(NamedTuple):
    """What an SDK's headers have."""

    headers: list[str]
    features: dict[str, bool]
    constants: dict[str, str]
    """Python constant to C constant."""
    fields: dict[str, dict[str, str]]
    """Notification to its keys to the C members behind them."""
    missing: list[str]
    """What the catalog knows and the headers lack."""


def probe(sdk: Sdk, compiler: Sequence[str]) -> Tables:
    """Find out which features, constants and fields of the catalog the SDK's headers have."""
    headers = _headers(sdk)
    found = supported(sdk, headers, _pieces(), compiler)
    features = {name: piece in found for name, piece in _FEATURES.items()}
    constants = {
        name: present[0]
        for name in catalog.CONSTANTS
        if (present := [c for c in catalog.c_names(name) if _constant(c) in found])
    }
    fields = {
        n.name: {
            f.key: present[0]
            for f in n.fields
            if (present := [m for m in _members(f) if _access(n, f, m) in found])
        }
        for n in catalog.NOTIFICATIONS
        if n.name in constants
    }
    return Tables(headers, features, constants, fields, _missing(constants, fields))


def _headers(sdk: Sdk) -> list[str]:
    # Not confd_logsyms.h: its macros have names of enumerators in confd_events.h.
    present = ["confd_dp.h"] if (sdk.include / "confd_dp.h").is_file() else []
    return ["confd_lib.h", *present, "confd_events.h", "confd_maapi.h"]


def _missing(constants: dict[str, str], fields: dict[str, dict[str, str]]) -> list[str]:
    lacking = [name for name in catalog.CONSTANTS if name not in constants]
    return lacking + [
        f"{n.name}.{f.key}"
        for n in catalog.NOTIFICATIONS
        if n.name in fields
        for f in n.fields
        if f.key not in fields[n.name]
    ]


def _pieces() -> Iterator[str]:
    yield from _FEATURES.values()
    for name in catalog.CONSTANTS:
        yield from map(_constant, catalog.c_names(name))
    for notification in catalog.NOTIFICATIONS:
        for field in notification.fields:
            for member in _members(field):
                yield _access(notification, field, member)


def _constant(c_name: str) -> str:
    return f"long long v = (long long){c_name};"


def _members(field: catalog.Field) -> tuple[str, ...]:
    return field.members or (field.key,)


def _access(notification: catalog.Notification, field: catalog.Field, member: str) -> str:
    """C that compiles only when the member can be read the way the catalog says."""
    lines = [
        "static struct confd_notification n;",
        f"struct {notification.struct} *s = &n.n.{notification.member};",
        _CONVERSIONS[field.type][0].format(m=f"s->{member}"),
    ]
    if field.counted_by:
        lines.append(f"int count = s->{field.counted_by};")
    if field.when:
        lines.append(f"int when = s->{field.when[0]} == {field.when[1]};")
    return " ".join(lines)


def render(sdk: Sdk, tables: Tables) -> str:
    """Return the text of tables.h."""
    constants = "".join(f'    {{"{n}", (long long){c}}},\n' for n, c in tables.constants.items())
    missing = "".join(f'    "{name}",\n' for name in tables.missing)
    return "\n".join(
        [
            f"/* Written by the build for the headers in {sdk.include}. */",
            *(f'#include "{header}"' for header in tables.headers),
            *(f"#define HAS_{name} {int(has)}" for name, has in tables.features.items()),
            '#include "fields.h"',
            f"static const struct constant constants[] = {{\n{constants}    {{0}}\n}};",
            f"static const char *const missing[] = {{\n{missing}    0\n}};",
            *(_field_table(n, tables.fields[n.name]) for n in _with_fields(tables)),
            "static struct layout layouts[] = {",
            *(_layout(n, tables) for n in _with_fields(tables)),
            "    {0}\n};\n",
        ]
    )


def _with_fields(tables: Tables) -> list[catalog.Notification]:
    return [n for n in catalog.NOTIFICATIONS if tables.fields.get(n.name)]


def _layout(notification: catalog.Notification, tables: Tables) -> str:
    table = f"fields_of_{notification.name}"
    bit = tables.constants[notification.name]
    return f'    {{{bit}, "{notification.member}", NULL, NULL, {table}, COUNT({table}), 0}},'


def _field_table(notification: catalog.Notification, members: dict[str, str]) -> str:
    rows = [
        _row(f"struct {notification.struct}", field, members[field.key])
        for field in notification.fields
        if field.key in members
    ]
    table = "\n".join(rows)
    return f"static struct field fields_of_{notification.name}[] = {{\n{table}\n}};"


def _row(struct: str, field: catalog.Field, member: str) -> str:
    kind = _CONVERSIONS[field.type][1].format(m=f"(({struct} *)0)->{member}")
    also = f'"{field.also}"' if field.also else "NULL"
    count = f"offsetof({struct}, {field.counted_by})" if field.counted_by else "NOWHERE"
    when, value = field.when or ("", "0")
    when = f"offsetof({struct}, {when})" if when else "NOWHERE"
    return (
        f'    {{"{field.key}", {also}, {kind}, {int(field.optional)}, '
        f"offsetof({struct}, {member}), sizeof((({struct} *)0)->{member}), "
        f"{count}, {when}, {value}, NULL, NULL}},"
    )


def write(sdk: Sdk, compiler: Sequence[str], path: Path) -> Tables:
    """Probe the SDK and write tables.h."""
    tables = probe(sdk, compiler)
    update(path, render(sdk, tables))
    return tables


def update(path: Path, text: str) -> None:
    """Write a file; an unchanged one is left alone, so nothing is rebuilt."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
