"""The headers have the layout and the values of the library's binary interface."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
API = sorted((ROOT / "tests" / "data" / "api").glob("libconfd-*.json"))

# Of level 6.6 there is no table; these are the facts known of it.
LEVEL_66 = {
    "(long)CONFD_LIB_PROTO_VSN": 66,
    "(long)CONFD_NOTIF_REOPEN_LOGS": 1 << 23,
    "(long)NCS_NOTIF_CQ_PROGRESS": 1 << 22,
    "sizeof(confd_notification_type)": 4,
    "offsetof(struct confd_progress_notification, database)": 0,
    "offsetof(struct confd_progress_notification, usid)": 4,
    "offsetof(struct confd_progress_notification, thandle)": 8,
    "offsetof(struct confd_progress_notification, msg)": 12,
    "sizeof(struct confd_progress_notification)": 8204,
    "offsetof(struct ncs_cq_progress_notification, type)": 0,
    "offsetof(struct ncs_cq_progress_notification, timestamp)": 4,
    "offsetof(struct ncs_cq_progress_notification, cq_tag)": 24,
    "offsetof(struct ncs_cq_progress_notification, cq_id)": 32,
    "offsetof(struct ncs_cq_progress_notification, completed_devices)": 40,
    "sizeof(struct ncs_cq_progress_notification)": 152,
    "offsetof(struct confd_notifications_data, usid)": 104,
    "sizeof(struct confd_notifications_data)": 112,
}


def tables() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in API}


def members(struct: str, listed: list[dict[str, Any]], path: str = "", base: int = 0) -> Any:
    """C expressions for the offsets and sizes of members, of unions inside too."""
    for member in listed:
        name = path + member["name"]
        yield f"offsetof({struct}, {name})", base + member["offset"]
        if "size" in member:
            yield f"sizeof((({struct} *)0)->{name})", member["size"]
        nested = member.get("members", [])
        yield from members(struct, nested, f"{name}.", base + member["offset"])


def expectations(table: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """C expressions and what they must give."""
    for group in (table["macros"], table["notification_bits"], table["errors"]):
        yield from group.items()
    for enumerators in table["enums"].values():
        yield from enumerators.items()
    for name, struct in table["structs"].items():
        c_type = f"union {name}" if name == "confd_request_data" else f"struct {name}"
        yield f"sizeof({c_type})", struct["size"]
        yield from members(c_type, struct["members"])


def evaluate(
    folder: Path, level: str, product: str, expressions: list[str]
) -> subprocess.CompletedProcess[str]:
    """Compile and run a program that prints the expressions, a line each."""
    prints = "".join(f'    printf("%lld\\n", (long long)({e}));\n' for e in expressions)
    program = folder / "program.c"
    program.write_text(
        f'#include <stddef.h>\n#include "confd.h"\nint main(void)\n{{\n{prints}    return 0;\n}}\n'
    )
    macros = [f"-DCONFD_API_LEVEL={level.replace('.', '')}", f"-DCONFD_C_PRODUCT_{product}=1"]
    flags = ["-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include"]
    binary = folder / "program"
    compiled = subprocess.run(
        ["cc", *flags, *macros, str(program), "-o", str(binary)], capture_output=True, text=True
    )
    if compiled.returncode != 0:
        return compiled
    return subprocess.run([str(binary)], capture_output=True, text=True, check=True)


def evaluated(folder: Path, level: str, product: str, expressions: list[str]) -> dict[str, int]:
    done = evaluate(folder, level, product, expressions)
    assert done.returncode == 0, done.stderr
    return dict(zip(expressions, map(int, done.stdout.split())))


@pytest.mark.parametrize("name", tables())
def test_layout_and_values(name: str, tmp_path: Path) -> None:
    table = tables()[name]
    expected = dict(expectations(table))
    got = evaluated(tmp_path, table["api_level"], table["product"], list(expected))
    assert got == expected


@pytest.mark.parametrize("product", ["NCS", "CONFD"])
def test_level_66(product: str, tmp_path: Path) -> None:
    assert evaluated(tmp_path, "6.6", product, list(LEVEL_66)) == LEVEL_66


def names(table: dict[str, Any]) -> set[str]:
    """All enumerators and macros of a table, without the flag names that every level has."""
    groups = [table["macros"], table["notification_bits"], table["errors"]]
    return set().union(*groups, *table["enums"].values())


@pytest.mark.parametrize("name", tables())
def test_nothing_that_a_release_lacks(name: str, tmp_path: Path) -> None:
    """A constant of another release must not be there: the build would think that it is."""
    table = tables()[name]
    foreign = set().union(*map(names, tables().values())) - names(table)
    present = [
        constant
        for constant in sorted(foreign)
        if evaluate(tmp_path, table["api_level"], table["product"], [constant]).returncode == 0
    ]
    assert present == []


@pytest.mark.parametrize("product", ["NCS", "CONFD"])
@pytest.mark.parametrize("constant", ["CONFD_NOTIF_PROGRESS", "CONFD_NOTIF_WEBUI"])
def test_level_66_ends_at_reopen_logs(product: str, constant: str, tmp_path: Path) -> None:
    assert evaluate(tmp_path, "6.6", product, [constant]).returncode != 0


# Of the levels since, what a release adds or drops, by C's names.
NEWER = {
    "8.5": (
        ["CALL_HOME_DEVICE_DISCONNECTED", "C_EMPTY", "(long)CONFD_LIB_PROTO_VSN == 85"],
        ["CONFD_NOTIF_SYSTEM_GOING_DOWN", "CONFD_ERR_BAD_PAYLOAD"],
    ),
    "8.7": (
        [
            *("CALL_HOME_DEVICE_DISCONNECTED", "C_EMPTY", "(long)CONFD_LIB_PROTO_VSN == 87"),
            *("CONFD_NOTIF_SYSTEM_GOING_DOWN == 2147483648LL", "CONFD_ERR_BAD_PAYLOAD == 72"),
            "CONFD_ERR_CHECKSUM_MISMATCH == 73",
        ],
        [],
    ),
}


@pytest.mark.parametrize("level", NEWER)
def test_newer_levels(level: str, tmp_path: Path) -> None:
    has, lacks = NEWER[level]
    assert all(evaluated(tmp_path, level, "NCS", has).values())
    for constant in lacks:
        assert evaluate(tmp_path, level, "NCS", [constant]).returncode != 0, constant


# As the vendor's headers are


def compiled(tmp_path: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "program.c"
    program.write_text(source)
    command = ["cc", "-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror"]
    command += [f"-I{ROOT}/include", "-fsyntax-only", *options, str(program)]
    return subprocess.run(command, capture_output=True, text=True)


def test_headers_do_not_know_their_product(tmp_path: Path) -> None:
    asked = '#include "confd.h"\nint here = CALL_HOME_UNKNOWN_DEVICE;\n'
    assert compiled(tmp_path, asked, "-DCONFD_C_PRODUCT_NCS=1").returncode == 0
    assert "undeclared" in compiled(tmp_path, asked).stderr


@pytest.mark.parametrize("name", ["confd_lib_vsn", "confd_lib_api_vsn", "confd_lib_proto_vsn"])
def test_no_header_declares_the_versions(tmp_path: Path, name: str) -> None:
    done = compiled(
        tmp_path, f'#include "confd.h"\n#include "confd_logsyms.h"\nchar **p = &{name};\n'
    )
    assert "undeclared" in done.stderr


def test_the_tables_of_log_messages_are_in_the_first_header(tmp_path: Path) -> None:
    asked = '#include "confd_lib.h"\nchar **p[] = {confd_log_symbols, confd_log_descriptions};\n'
    assert compiled(tmp_path, asked).returncode == 0


def test_the_numbers_of_log_messages_meet_enumerators(tmp_path: Path) -> None:
    numbers, events = '#include "confd_logsyms.h"\n', '#include "confd_events.h"\n'
    assert compiled(tmp_path, numbers + events).returncode != 0
    wrong = '_Static_assert(CONFD_UPGRADE_INIT_STARTED == 30, "not 1");\n'
    assert compiled(tmp_path, events + numbers + wrong).returncode == 0


HEADERS = ("confd_lib.h", "confd_dp.h", "confd_events.h", "confd_maapi.h")


@pytest.mark.parametrize("product", ["NCS", "CONFD"])
@pytest.mark.parametrize("order", [*permutations(HEADERS)], ids=" ".join)
def test_every_order_of_includes(tmp_path: Path, order: tuple[str, ...], product: str) -> None:
    """The build probes with a few of them, the extension is compiled with all."""
    source = "".join(f'#include "{header}"\n' for header in order)
    right = '_Static_assert(CONFD_UPGRADE_INIT_STARTED == 1, "the enumerator");\n'
    assert compiled(tmp_path, source + right, f"-DCONFD_C_PRODUCT_{product}=1").returncode == 0
