"""A web server that takes records by POST, several at a time."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Callable
from urllib.parse import urlsplit

from .._errors import BusyError, RefusedError
from ._tls import tls_context

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

_REFUSALS = (400, 413, 422)  # it is what was sent; other errors may pass
_LONGEST = 3600.0  # seconds that a server may ask to wait
_SHOWN = 200  # characters of an answer in an error


def _array(batch: Sequence[Record]) -> str:
    return f"[{','.join(record.json for record in batch)}]"


def _lines(batch: Sequence[Record]) -> str:
    return "".join(f"{record.json}\n" for record in batch)


def _hec(batch: Sequence[Record]) -> str:
    """Events of Splunk's HTTP Event Collector, one after the other."""
    return "".join(map(_hec_event, batch))


def _hec_event(record: Record) -> str:
    attributes = record.attributes()
    about = {
        "time": datetime.fromisoformat(attributes["time"]).timestamp(),
        "host": attributes["source"].rpartition("/")[2],
        "source": "confd-events",
        "sourcetype": attributes["type"],
    }
    return f'{json.dumps(about)[:-1]}, "event": {record.json}}}'


# By format: what makes the body, its type, and the word before a token.
_FORMATS: dict[str, tuple[Callable[[Sequence[Record]], str], str, str]] = {
    "cloudevents": (_array, "application/cloudevents-batch+json", "Bearer"),
    "lines": (_lines, "application/x-ndjson", "Bearer"),
    "splunk": (_hec, "application/json", "Splunk"),
}


class HttpSink:
    """Posts batches. What a server refuses is sent again in halves, to find the record."""

    def __init__(self, table: Table) -> None:
        url = table.text("url")
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            raise table.error("url", str(error)) from error
        if parts.scheme not in ("http", "https") or not self._host:
            raise table.error("url", "expected one that begins with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise table.error("url", "has a user or a password; use token_env or token_file")
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._body, kind, scheme = _FORMATS[table.choice("format", tuple(_FORMATS))]
        self._headers = {"Content-Type": f"{kind}; charset=utf-8"}
        token = table.secret("token")
        if token is not None:
            self._headers["Authorization"] = f"{scheme} {token}"
        self._timeout = table.seconds("timeout", 10.0)
        self._context = tls_context(table, parts.scheme == "https", "https")
        self._connection: http.client.HTTPConnection | None = None

    def open(self) -> None:
        """Connects."""
        where = (self._host, self._port)
        if self._context is None:
            self._connection = http.client.HTTPConnection(*where, timeout=self._timeout)
        else:
            self._connection = http.client.HTTPSConnection(
                *where, timeout=self._timeout, context=self._context
            )
        self._connection.connect()

    def send(self, batch: Sequence[Record]) -> None:
        """Posts them; the server has them when it answers with a code of 200 to 299."""
        self._post(batch, 0)

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, batch: Sequence[Record], first: int) -> None:
        """Posts a part of a batch, of which the first record has this index."""
        refusal = self._refusal(batch)
        if not refusal:
            return
        if len(batch) == 1:
            raise RefusedError(first, refusal)
        middle = len(batch) // 2
        self._post(batch[:middle], first)
        self._post(batch[middle:], first + middle)

    def _refusal(self, batch: Sequence[Record]) -> str:
        """Posts; returns why the server refuses what was sent, or empty text."""
        body = self._body(batch).encode()
        try:
            answer = self._answer(body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server has closed a connection that was idle; that is no trouble.
            self.close()
            self.open()
            answer = self._answer(body)
        said = answer.read()[:_SHOWN].decode("utf-8", "replace")
        reason = f"{self._host} answers {answer.status} {answer.reason}: {said}".rstrip(": ")
        if 200 <= answer.status < 300:
            return ""
        if answer.status in _REFUSALS:
            return reason
        raise BusyError(reason, _wait(answer.headers.get("Retry-After")))

    def _answer(self, body: bytes) -> http.client.HTTPResponse:
        assert self._connection is not None
        self._connection.request("POST", self._target, body, self._headers)
        return self._connection.getresponse()


def _wait(text: str | None) -> float:
    """Seconds that a server asks to wait: a number, or a date; 0 when it does not."""
    if text is None:
        return 0.0
    try:
        seconds = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, min(seconds if text.isdecimal() else seconds - time.time(), _LONGEST))
