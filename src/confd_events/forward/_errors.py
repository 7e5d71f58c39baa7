"""What can be wrong with a configuration, a spool or a sink."""

from __future__ import annotations


class ConfigError(Exception):
    """The configuration is wrong; the text begins with the path of the key, as sinks[1].batch."""


class SpoolError(Exception):
    """The spool can't be used: it is damaged, somebody else's, or of a later release."""


class SpoolFullError(Exception):
    """The spool takes nothing now: its limit is reached, or its disk can't be written."""


class RefusedError(Exception):
    """A sink refuses one record of a batch, whatever the others; those before it are delivered."""

    def __init__(self, index: int, reason: str) -> None:
        """index -- which record of the batch"""
        super().__init__(reason)
        self.index = index


class BusyError(Exception):
    """A sink does not take records now, and may say for how long, and how many it has."""

    def __init__(self, reason: str, seconds: float = 0.0, delivered: int = 0) -> None:
        """Says why.

        seconds -- how long not to try again, at least
        delivered -- how many records of the batch, from its first, need not come again
        """
        super().__init__(reason)
        self.seconds = seconds
        self.delivered = delivered


class SinkGoneError(Exception):
    """A sink will not come back, so there is no use in trying again."""
