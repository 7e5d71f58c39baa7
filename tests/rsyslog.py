"""A real rsyslogd for the tests of sinks, and what it has taken."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from conftest import DATA
from forwarding import usids
from servers import ServerProcess, free_port
from subscribing import wait_until

# Made for these tests: of 127.0.0.1, signed by itself, valid for a hundred years.
CERTIFICATE, KEY = DATA / "tls" / "certificate.pem", DATA / "tls" / "key.pem"
RSYSLOG = """
global(workDirectory="{directory}" net.enableDNS="off" abortOnUncleanConfig="on" {options})
main_queue(queue.type="direct")
template(name="line" type="list" option.jsonf="on") {{
    property(name="pri" format="jsonf" outname="pri")
    property(name="timestamp" dateFormat="rfc3339" format="jsonf" outname="time")
    property(name="hostname" format="jsonf" outname="host")
    property(name="app-name" format="jsonf" outname="app")
    property(name="procid" format="jsonf" outname="process")
    property(name="msgid" format="jsonf" outname="id")
    property(name="structured-data" format="jsonf" outname="data")
    property(name="msg" format="jsonf" outname="message")
}}
{inputs}
if $syslogtag != "rsyslogd:" then action(type="omfile" file="{directory}/taken" template="line")
"""


def rsyslog_server(directory: Path, inputs: str, options: str = "") -> ServerProcess:
    """A rsyslogd, which writes what it takes to the file "taken", a line of JSON for each.

    inputs -- of its configuration; in them {port} stands for its port
    options -- arguments of global()

    A message is in the file before it is acknowledged, where the input acknowledges any.
    """
    port = free_port()
    inputs = inputs.replace("{port}", str(port))
    text = RSYSLOG.format(directory=directory, options=options, inputs=inputs)
    return rsyslog_process(directory, text, port)


def rsyslog_process(directory: Path, text: str, port: int) -> ServerProcess:
    """A rsyslogd with this configuration, which has an input over TCP at the port."""
    (directory / "rsyslog.conf").write_text(text)
    binary = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert binary is not None, "there is no rsyslogd: run ci/servers"
    command = [binary, "-n", "-f", "rsyslog.conf", "-i", str(directory / "rsyslog.pid")]
    return ServerProcess(command, directory, port)


def taken(directory: Path) -> list[dict[str, str]]:
    """What rsyslogd has understood of each message, without what it writes at the moment."""
    path = directory / "taken"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def records(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(each["message"]) for each in taken(directory)]


def await_taken(directory: Path, expected: list[Any]) -> None:
    wait_until(lambda: len(taken(directory)) >= len(expected))
    assert usids(records(directory)) == expected
