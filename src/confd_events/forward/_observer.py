"""Who is told what happens in the forwarder."""

from __future__ import annotations

from collections.abc import Sequence

from ..subscription import Event
from ._config import Config


class Observer:
    """Is told what happens, by the threads in which it does; this one keeps nothing of it."""

    def configured(self, config: Config) -> None:
        """This configuration is in force from now on."""

    def connected(self, node: str, is_connected: bool) -> None:
        """The subscription of a node was made, or is lost."""

    def role(self, node: str, role: str) -> None:
        """A node has this role, by its configuration or by what it has reported last."""

    def gap(self, node: str, cause: str) -> None:
        """What a node has reported for some time is missing.

        cause -- started, disconnected or dropped
        """

    def read(self, node: str, events: Sequence[Event]) -> None:
        """Events of a node were read, and markers; they are stored, or lost."""

    def lost(self, node: str, count: int) -> None:
        """So many records are lost, for the spool was full."""

    def delivered(self, sink: str, count: int) -> None:
        """A sink has taken so many records."""

    def failed(self, sink: str) -> None:
        """A sink has failed, and is tried again."""

    def refused(self, sink: str) -> None:
        """A sink has refused a record for good, which became a dead letter."""
