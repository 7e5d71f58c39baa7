"""Standard output, a line of JSON for each record."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._errors import SinkGoneError

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record


class StdoutSink:
    """Writes to standard output; when nobody reads it any more, the forwarder ends."""

    def __init__(self, table: Table) -> None:
        """It has no keys of its own."""

    def open(self) -> None:
        """There is nothing to open."""

    def send(self, batch: Sequence[Record]) -> None:
        """Writes a line for each record."""
        try:
            sys.stdout.writelines(f"{record.json}\n" for record in batch)
            sys.stdout.flush()
        except BrokenPipeError:
            raise SinkGoneError("nobody reads standard output any more") from None

    def close(self) -> None:
        """It stays open: it is the process's."""
