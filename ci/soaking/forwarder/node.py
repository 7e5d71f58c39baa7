"""A daemon in a process of its own. It sends numbers, and says which were sent and acknowledged.

Its arguments are a port, the first number, how many to send a second, and the product. It sends
until a line comes on its standard input, and ends when that does.
"""

from __future__ import annotations

import os
import sys
import threading

from confd_events.testing import Daemon

from .nodes import Ticker


def main(port: str, first: str, rate: str, product: str) -> None:
    with Daemon(port=int(port), product=product, write_timeout=60) as daemon:
        sender = _Sender(daemon, int(first))
        with Ticker(float(rate), sender.send) as sending, Ticker(20.0, sender.look):
            sys.stdin.readline()
            sending.end()
            sys.stdin.read()
        sender.look()


class _Sender:
    def __init__(self, daemon: Daemon, first: int) -> None:
        self._daemon = daemon
        self._next = first
        self._seen = 0
        self._looking = threading.Lock()

    def send(self) -> None:
        if not self._daemon.subscribers:
            return
        _say(f"sent {self._next}\n")  # before: this process may be killed behind either
        self._daemon.audit(user="ada", usid=self._next, msg="committed the configuration")
        self._next += 1

    def look(self) -> None:
        with self._looking:
            found = self._daemon.acknowledgements
            _say("".join(f"acknowledged {each.id}\n" for each in found[self._seen :]))
            self._seen = len(found)


def _say(text: str) -> None:
    # As a whole, whoever is killed: a pipe takes so much at a time.
    for first in range(0, len(lines := text.splitlines(keepends=True)), 100):
        os.write(1, "".join(lines[first : first + 100]).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
