"""Spans for an OpenTelemetry collector, Tempo, Jaeger and their like: OTLP over HTTP."""

from __future__ import annotations

import gzip
import random
import ssl
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Callable, NamedTuple
from urllib.parse import urlsplit

from .._version import __version__
from . import _protobuf
from ._span import AttributeValue, LogRecord, Span

_RETRIED = frozenset({429, 502, 503, 504})
_REFUSALS = frozenset({400, 413, 422})  # it is what was sent; others may pass
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0  # seconds
_SHOWN = 200  # bytes of an answer in an error
_SCOPE = _protobuf.encoded_scope("confd-events", __version__)


class OtlpError(OSError):
    """Spans could not be sent: the collector was not reached in time, or refuses them."""

    def __init__(self, reason: str, *, refused: bool = False, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.refused = refused
        """Whether it would be the same again."""
        self.seconds = seconds
        """How long the collector asks to be left alone."""


class OtlpStats(NamedTuple):
    """What an OtlpSender has done."""

    spans: int
    """Spans that the collector took."""
    requests: int
    """Requests that it answered well."""
    retries: int
    """Requests that were made again."""
    rejected: int
    """Spans that it said it did not take."""
    message: str
    """Why, as it said it last."""


class OtlpSender:
    """Sends spans by OTLP/HTTP as protobuf, over one connection.

    endpoint -- where to, in full: such as http://localhost:4318/v1/traces
    headers -- HTTP headers to add, such as one to authenticate; they are never shown
    resource -- what the spans come from; service.name is "nso" unless it says another
    compress -- whether to gzip
    timeout -- seconds for an answer
    patience -- seconds to try again, with growing delays, while the collector can't be reached or
        is busy (status 429, 502, 503, 504; Retry-After is heeded)
    wait -- how to wait between tries
    context -- of TLS; None for the system's certificates

    Raises ValueError for an endpoint that is no URL of http or https.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, str] | None = None,
        resource: Mapping[str, AttributeValue] | None = None,
        compress: bool = True,
        timeout: float = 10.0,
        patience: float = 30.0,
        wait: Callable[[float], object] = time.sleep,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = urlsplit(endpoint)
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise ValueError(
                f"endpoint {endpoint!r} is not a URL such as http://localhost:4318/v1/traces"
            )
        self._headers = {
            "Content-Type": "application/x-protobuf",
            "User-Agent": f"confd-events/{__version__}",
            **({"Content-Encoding": "gzip"} if compress else {}),
            **(headers or {}),
        }
        self._resource = {"service.name": "nso", **(resource or {})}
        self._compress, self._timeout, self._patience = compress, timeout, patience
        self._wait, self._context = wait, context
        self._connection: HTTPConnection | None = None
        self._spans = self._requests = self._retries = self._rejected = 0
        self._message = ""

    def send(self, spans: Sequence[Span]) -> None:
        """Sends spans, and returns when the collector has them.

        Raises OtlpError when it refuses them, or `patience` is over.
        """
        self._send(_protobuf.traces_request(spans, self._resource, _SCOPE), len(spans))

    def send_logs(self, records: Sequence[LogRecord]) -> None:
        """Sends log records, if the endpoint is one for them, such as …/v1/logs; else as send()."""
        self._send(_protobuf.logs_request(records, self._resource, _SCOPE), len(records))

    def _send(self, body: bytes, count: int) -> None:
        answer = self._posted(gzip.compress(body, 1) if self._compress else body)
        try:
            rejected, message = _protobuf.rejected(answer)
        except ValueError:
            # It said that all is well; what it adds to that need not be protobuf.
            rejected, message = 0, ""
        self._rejected += rejected
        self._message = message or self._message
        self._spans += count - rejected

    def stats(self) -> OtlpStats:
        """What was done until now."""
        return OtlpStats(self._spans, self._requests, self._retries, self._rejected, self._message)

    def close(self) -> None:
        """Closes the connection; send() opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _posted(self, body: bytes) -> bytes:
        """Posts until it is taken, and returns the answer."""
        give_up = time.monotonic() + self._patience
        delay = _FIRST_DELAY
        while True:
            try:
                status, asked, answer = self._post(body)
                problem = f"status {status}: {_shown(answer)}"
            except (OSError, HTTPException) as error:
                self.close()
                status, asked, answer, problem = 0, None, b"", str(error) or type(error).__name__
            if 200 <= status < 300:
                self._requests += 1
                return answer
            if status and status not in _RETRIED:
                reason = f"{self._shown_url()} does not take the spans: {problem}"
                raise OtlpError(reason, refused=status in _REFUSALS)
            pause = asked if asked is not None else delay * random.uniform(0.5, 1)
            if time.monotonic() + pause > give_up:
                reason = f"{self._shown_url()} was not reached: {problem}"
                raise OtlpError(reason, seconds=asked or 0.0)
            self._wait(pause)
            self._retries += 1
            delay = min(2 * delay, _LONGEST_DELAY)

    def _post(self, body: bytes) -> tuple[int, float | None, bytes]:
        """The status, the seconds that Retry-After asks for, and the answer to one request."""
        if self._connection is None:
            where, timeout = (self._url.hostname or "", self._url.port), self._timeout
            if self._url.scheme == "https":
                self._connection = HTTPSConnection(*where, timeout=timeout, context=self._context)
            else:
                self._connection = HTTPConnection(*where, timeout=timeout)
        path = self._url.path or "/"
        target = f"{path}?{self._url.query}" if self._url.query else path
        self._connection.request("POST", target, body, self._headers)
        with self._connection.getresponse() as response:
            return response.status, _retry_after(response), response.read()

    def _shown_url(self) -> str:
        """The endpoint without a password and a query, which may hold a secret."""
        port = f":{self._url.port}" if self._url.port else ""
        return f"{self._url.scheme}://{self._url.hostname}{port}{self._url.path}"


def _retry_after(response: HTTPResponse) -> float | None:
    text = response.getheader("Retry-After")
    if not text:
        return None
    try:
        if text.strip().isdecimal():
            return float(text)
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _shown(answer: bytes) -> str:
    return " ".join(answer[:_SHOWN].decode(errors="backslashreplace").split()) or "no text"
