"""What systemd wants to know of a service: that it is ready, alive, and what it does."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress


class Notifier:
    """Tells systemd, if it has asked for it by NOTIFY_SOCKET; see sd_notify(3)."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._ready = False

    def tell(self, status: str) -> None:
        """The service is alive, and ready from the first call on."""
        first = "" if self._ready else "READY=1\n"
        self._send(f"{first}WATCHDOG=1\nSTATUS={status}")
        self._ready = True

    def reloading(self) -> None:
        """The service goes over to another configuration, until the next call of tell()."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._ready = False

    def alive(self) -> None:
        """The service is alive, and not ready."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), self._address)
