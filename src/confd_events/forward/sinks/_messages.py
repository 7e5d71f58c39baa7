"""Messages of syslog (RFC 5424), as the sinks that send them have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...enums import SyslogPriority
from .._errors import RefusedError
from .._record import payload_of
from ._naming import Naming

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

_NAMES = "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock"
_LOCAL = [f"local{number}" for number in range(8)]
_CODES = {name: code for code, name in enumerate([*_NAMES.split(), *_LOCAL])}
# That of NSO's own messages is the default.
_FACILITIES = {"daemon": _CODES["daemon"], **_CODES}

# By the name of a notification, and what it says has happened where that makes a difference. A
# line of a log has a severity of its own; what is not here is info.
_SEVERITIES = {
    "audit": SyslogPriority.NOTICE,
    "audit-network": SyslogPriority.NOTICE,
    "call-home-info unknown": SyslogPriority.WARNING,
    "commit-failed": SyslogPriority.ERR,
    "commit-progress": SyslogPriority.DEBUG,
    "confirmed-commit abort": SyslogPriority.WARNING,
    "connected": SyslogPriority.NOTICE,
    "cq-progress failed": SyslogPriority.ERR,
    "disconnected": SyslogPriority.WARNING,
    "dropped": SyslogPriority.ERR,
    "forward-info failed": SyslogPriority.ERR,
    "ha-info": SyslogPriority.NOTICE,
    "ha-info noprimary": SyslogPriority.ERR,
    "ha-info secondary-died": SyslogPriority.ERR,
    "package-reload": SyslogPriority.NOTICE,
    "progress": SyslogPriority.DEBUG,
    "started": SyslogPriority.NOTICE,
    "stream-event replay-failed": SyslogPriority.ERR,
    "subagent-info down": SyslogPriority.WARNING,
    "system-going-down": SyslogPriority.WARNING,
    "undecodable": SyslogPriority.ERR,
    "upgrade-event": SyslogPriority.NOTICE,
    "upgrade-event aborted": SyslogPriority.ERR,
}

_UNFIT = r"[^!-~]"  # for the header, which is of visible ASCII
_APP_NAME = re.compile(r"[!-~]{1,48}")
_HOSTNAME = re.compile(r"[!-~]{1,255}")
_LONGEST_HOSTNAME, _LONGEST_ID = 255, 32
# RFC 3339, but without leap seconds, and with 6 digits of a fraction at most.
_TIME = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)"
    r"(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)"
)
_DOCUMENTATION = 32473  # the number of enterprises in examples (RFC 5612)
_NAMED = ("id", "source", "type", "subject", "harole")  # attributes in the structured data
_TO_ESCAPE = re.compile(r'["\\\]]')


class Messages:
    """Makes messages of records: a header, the record's id and kind, the record as JSON."""

    def __init__(self, table: Table, most: int) -> None:
        """most -- bytes that a message has at most, if the table does not say"""
        self._facility = _FACILITIES[table.choice("facility", tuple(_FACILITIES))]
        self._app_name = table.optional_text("app_name")
        if self._app_name is not None and not _APP_NAME.fullmatch(self._app_name):
            raise table.error("app_name", f"{self._app_name!r} is not 1 to 48 visible ASCII")
        self._hostname = Naming(table, "hostname", "{node}", _UNFIT)
        if not _HOSTNAME.fullmatch(self._hostname.pattern):
            raise table.error("hostname", f"{self._hostname.pattern!r} is not visible ASCII")
        self._enterprise = table.count("enterprise", _DOCUMENTATION)
        self.most = table.size("max_size", most) or most
        """Bytes that a message has at most."""

    def fitting(self, batch: Sequence[Record]) -> tuple[list[bytes], RefusedError | None]:
        """The messages of a batch, to the first that is too large, and the refusal of that."""
        messages: list[bytes] = []
        for index, record in enumerate(batch):
            message = self.of(record)
            if len(message) > self.most:
                reason = f"its {len(message)} bytes are more than max_size, {self.most}"
                return messages, RefusedError(index, reason)
            messages.append(message)
        return messages, None

    def of(self, record: Record) -> bytes:
        """The message of a record."""
        try:
            about: dict[str, Any] = record.envelope()
        except RecursionError:  # its data is too deep to be looked into
            about = record.attributes()
        product, _, name = about["type"].partition(".")
        priority = 8 * self._facility + _severity(name, payload_of(about.get("data", {})))
        hostname = self._hostname.of(about)[:_LONGEST_HOSTNAME]
        header = f"<{priority}>1 {_time(about['time'])} {hostname} {self._app_name or product} -"
        named = " ".join(f'{key}="{_escaped(about[key])}"' for key in _NAMED if key in about)
        data = f"[event@{self._enterprise} {named}]"
        # No byte order mark before it: it is ASCII, and JSON has none.
        return f"{header} {name[:_LONGEST_ID]} {data} {record.json}".encode()


def _severity(name: str, payload: Mapping[str, Any]) -> int:
    """How severe a notification is: 0, an emergency, to 7, of use for debugging.

    A line of a log knows; else it is a matter of its name.
    """
    own = payload.get("prio")
    if isinstance(own, int) and 0 <= own <= SyslogPriority.DEBUG:
        return own
    happened = f"{name} {payload.get('type_name')}"
    return _SEVERITIES.get(happened, _SEVERITIES.get(name, SyslogPriority.INFO))


def _time(text: str) -> str:
    """A time as the header takes it; nothing for one that it does not, such as a leap second."""
    found = _TIME.fullmatch(text)
    return f"{found[1]}{found[2] or ''}{found[3]}" if found else "-"


def _escaped(text: str) -> str:
    return _TO_ESCAPE.sub(r"\\\g<0>", text)
