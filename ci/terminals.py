"""Write the documentation's pictures of what the command prints; run by ci/pictures."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from confd_events.testing import Daemon, User

ASSETS = Path(__file__).parents[1] / "docs" / "assets"
COLUMNS = 100
ADA = User(username="ada", usid=7)


@contextmanager
def terminal(*command: str, directory: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command that writes to a terminal of its own, and the other end of that."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "TZ": "UTC"}
    process = subprocess.Popen(
        [sys.executable, "-m", "confd_events.cli", *command],
        cwd=directory,
        env=environment,
        stdout=its,
        stderr=subprocess.STDOUT,
    )
    os.close(its)
    try:
        yield process, ours
    finally:
        process.terminate()
        process.wait()
        os.close(ours)


def printed(process: subprocess.Popen[bytes], ours: int) -> str:
    """What the command has written, up to its end."""
    data = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # how Linux tells that the other end is closed
            break
        if not more:
            break
        data += more
    process.wait()
    return data.decode().replace("\r\n", "\n")


def shown(command: str, directory: str, during: Callable[[], object] = lambda: None) -> str:
    """What a command prints on a terminal; `during` is called once it runs."""
    with terminal(*command.split(), directory=directory) as (process, ours):
        during()
        return printed(process, ours)


def draw(name: str, command: str, text: str) -> None:
    """Writes a picture that loads nothing: the fonts are the reader's."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "dim"), f"confd-events {command}"))
    console.print(Text.from_ansi(text.rstrip()))
    svg = console.export_svg(title="confd-events", unique_id=name)
    svg = re.sub(r"@font-face {.*?}\s*", "", svg, flags=re.DOTALL)
    assert "url(http" not in svg
    (ASSETS / f"{name}.svg").write_text(svg, encoding="utf-8")


def monitor(directory: str) -> None:
    with Daemon() as daemon:
        host, port = daemon.address["ip"], daemon.address["port"]

        def work() -> None:
            daemon.wait_for_subscribers()
            daemon.user_session(type=1, uinfo=ADA)
            daemon.audit(user="ada", usid=7, msg="CLI 'commit'")
            daemon.progress(
                type=2, duration=94_700, usid=7, tid=12, msg="run transforms and transaction hooks"
            )
            daemon.daemon_log(prio=4, logno=1, msg="Commit queue item 17 waits for ce1")
            daemon.commit(uinfo=ADA)
            daemon.audit(user="bob", usid=8, msg="assigned to groups: oper")

        command = "monitor all --count 6"
        text = shown(f"{command} --address {host}:{port}", directory, work)
        draw("monitor", command, text)


def forward(directory: str) -> None:
    with Daemon() as daemon:
        host, port = daemon.address["ip"], daemon.address["port"]
        (Path(directory) / "forward.toml").write_text(
            f"""
[spool]
path = "spool.db"
[[nodes]]
name = "paris"
address = "{host}:{port}"
subscribe = ["audit", "audit-sync"]
[[sinks]]
name = "archive"
type = "file"
path = "audit.jsonl"
[[sinks]]
name = "noc"
type = "http"
url = "http://127.0.0.1:9/events"
"""
        )
        with terminal("forward", "forward.toml", directory=directory) as (_, _unread):
            daemon.wait_for_subscribers(timeout=60)
            for number in range(40):
                daemon.audit(user="ada", usid=7, msg=f"CLI 'show {number}'").wait(timeout=60)
            time.sleep(3)
            command = "forward status forward.toml"
            draw("status", command, shown(command, directory))


if __name__ == "__main__":
    for picture in (monitor, forward):
        with TemporaryDirectory() as folder:
            picture(folder)
