"""Forwarding: events are stored durably, acknowledged, then delivered; see docs/forward.md.

::

    forwarder = Forwarder(read_config("forward.toml"))
    forwarder.run()
"""

from ._config import Config, NodeConfig, SinkConfig, Table, read_config
from ._errors import BusyError, ConfigError, RefusedError, SinkGoneError, SpoolError, SpoolFullError
from ._forwarder import Forwarder
from ._record import Record
from ._spool import (
    Letter,
    SinkStatus,
    Spool,
    Status,
    letters_of,
    purge,
    records_of,
    redrive,
    status_of,
)
from .sinks import Sink

__all__ = [
    "BusyError",
    "Config",
    "ConfigError",
    "Forwarder",
    "Letter",
    "NodeConfig",
    "Record",
    "RefusedError",
    "Sink",
    "SinkConfig",
    "SinkGoneError",
    "SinkStatus",
    "Spool",
    "SpoolError",
    "SpoolFullError",
    "Status",
    "Table",
    "letters_of",
    "purge",
    "read_config",
    "records_of",
    "redrive",
    "status_of",
]
