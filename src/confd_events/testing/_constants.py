"""Numbers of the protocol that no program but a daemon needs."""

from __future__ import annotations

from enum import IntEnum


class Client(IntEnum):
    """First byte of a hello: what the client wants."""

    MAAPI = 7
    EVENTS = 11
