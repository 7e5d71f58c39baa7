"""The JSON Schema of a forwarder's record: it is the catalog's, and what is produced fits it."""

from __future__ import annotations

import copy
import json
import re
import runpy
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import PEER, SENDABLE, frames
from forwarding import envelopes, file_sink, forwarding, send, written
from subscribing import PATIENCE, wait_until

from confd_events import load_schemas, read_notification
from confd_events.forward._record import Envelopes
from confd_events.subscription import Event
from confd_events.testing import Daemon, DataChange, encode

ROOT = Path(__file__).parents[1]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
SCHEMA = ROOT / "docs" / "record.schema.json"
FRAMES = {**frames(), **{f"made-{n}": encode(n, *PEER) for n in SENDABLE if n != "stream_event"
                         and not n.startswith("stream_")}}  # fmt: skip


def closed(schema: Any) -> Any:
    """A schema that refuses keys of which it says nothing."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found["additionalProperties"] = False
    return found


@pytest.fixture(scope="module")
def check() -> jsonschema.Draft202012Validator:
    """Checks a record, with what the schema says and nothing beside it."""
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    formats = jsonschema.FormatChecker(formats=())
    formats.checks("date-time")(
        lambda text: not isinstance(text, str) or bool(TIME.fullmatch(text))
    )
    return jsonschema.Draft202012Validator(closed(schema), format_checker=formats)


def problems(check: jsonschema.Draft202012Validator, record: dict[str, Any]) -> list[str]:
    """What is wrong with a record; of its data, by the schema for its kind."""
    found = [each.message for each in check.iter_errors({**record, "data": None})]
    found = [each for each in found if "None is not valid" not in each]
    name = record["data"]["type_name"] or "other"
    of_kind = check.evolve(schema=check.schema["$defs"][name])
    return [*found, *(f"{e.json_path}: {e.message}" for e in of_kind.iter_errors(record["data"]))]


def read(frame: bytes) -> Iterator[Event]:
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.sendall(frame)
        yield Event(read_notification(reader), time.time())


def test_it_is_the_catalogs() -> None:
    written_now = runpy.run_path(str(ROOT / "ci" / "schema.py"))["text"]()
    assert SCHEMA.read_text() == written_now, "run ci/schema.py"


@pytest.mark.parametrize("name", FRAMES)
def test_each_kind_of_record_fits(name: str, check: jsonschema.Draft202012Validator) -> None:
    envelopes_of = Envelopes("paris", "boot")
    envelopes_of.role = "primary"
    for event in read(FRAMES[name]):
        record = json.loads(envelopes_of.of(event))
        assert problems(check, record) == []
        check.validate(record)


def test_what_the_forwarder_writes_fits(
    daemon: Daemon, tmp_path: Path, check: jsonschema.Draft202012Validator
) -> None:
    out = tmp_path / "out"
    daemon.add_stream("alarms")
    path = written(
        tmp_path, daemon, node='streams = ["alarms"]\nchanges = true', sink=file_sink(out)
    )
    path.write_text(path.read_text().replace('"audit-sync"', '"commit-diff"'))
    load_schemas(**daemon.address)
    with forwarding(path):
        daemon.wait_for_subscribers(2, timeout=PATIENCE)
        daemon.ha_is_primary()
        daemon.stream_event(stream="alarms", values=[(1, 2, "x")])
        changes = [
            DataChange("created", "/ex:server{www}"),
            DataChange("value-set", "/ex:server{www}/port", 80),
            DataChange("deleted", "/ex:client"),
        ]
        assert daemon.commit_diff(thandle=1, changes=changes).wait(PATIENCE)
        send(daemon, 1)
        daemon.disconnect()
        daemon.wait_for_subscribers(2, timeout=PATIENCE)
        send(daemon, 2)
        wait_until(
            lambda: {1, 2} <= {e["data"].get("audit", {}).get("usid") for e in envelopes(out)}
        )
    records = envelopes(out)
    kinds = {record["data"]["type_name"] for record in records}
    assert kinds >= {"started", "disconnected", "connected", "audit", "commit-diff", "stream-event"}
    for record in records:
        assert problems(check, record) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda record: record.pop("time"), "'time' is a required property"),
        (lambda record: record.update(time="today"), "'today' is not a 'date-time'"),
        (lambda record: record.update(harole="master"), "'master' is not one of"),
        (lambda record: record["data"]["audit"].pop("user"), "'user' is a required property"),
        (lambda record: record["data"]["audit"].update(usid="7"), "'7' is not of type 'integer'"),
        (lambda record: record["data"]["audit"].update(colour=1), "'colour' was unexpected"),
    ],
)
def test_what_is_wrong_does_not_fit(
    change: Any, said: str, check: jsonschema.Draft202012Validator
) -> None:
    (event,) = read(FRAMES["made-audit"])
    record = json.loads(Envelopes("paris", "boot").of(event))
    assert problems(check, record) == []
    wrong = copy.deepcopy(record)
    change(wrong)
    assert said in "; ".join(problems(check, wrong))
