"""A stream of NATS JetStream."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from .._errors import BusyError, RefusedError
from ._naming import Naming
from ._tls import tls_context

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

T = TypeVar("T")

_UNFIT = r"[.*>]"  # of a node's name: what is no single token of a subject
_TOO_LARGE = 10054  # for the stream's own limit
_WRONG_LAST = 10070
_BEFORE = "Nats-Expected-Last-Msg-Id"
_FRAME = len("NATS/1.0\r\n") + len("\r\n")
_END = 5.0  # seconds for saying good-bye


class _Message(NamedTuple):
    subject: str
    payload: bytes
    headers: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes, as the server counts them for its limit."""
        headers = sum(len(f"{key}: {value}\r\n".encode()) for key, value in self.headers.items())
        return _FRAME + headers + len(self.payload)


class NatsSink:
    """Publishes records to a stream, which has them when it acknowledges them.

    They are under way together, but each only counts behind the one before it: of a batch that is
    interrupted the stream has the beginning.
    """

    def __init__(self, table: Table) -> None:
        self._servers = table.texts("servers") or []
        schemes = {_checked(table, server) for server in self._servers}
        if len(schemes) != 1:
            raise table.error("servers", "name one or more, all nats:// or all tls://")
        self._stream = table.text("stream")
        self._subject = Naming(table, "subject", "events.{type}.{node}", _UNFIT)
        if not _is_subject(self._pattern("n", "t.t")):
            raise table.error("subject", f"{self._subject.pattern!r} is no subject")
        self._create = table.flag("create")
        self._timeout = table.seconds("timeout", 10.0) or 0.0
        self._options = _login(table)
        context = tls_context(table, schemes == {"tls"}, "tls://")
        if context is not None:
            self._options["tls"] = context
        self._loop: _Loop | None = None
        self._connection: _Connection | None = None

    def open(self) -> None:
        """Connects; makes the stream when it is to, and it is not there."""
        self._loop = _Loop()
        try:
            self._connection = self._loop.run(self._connected())
        except BaseException:
            self.close()
            raise

    def send(self, batch: Sequence[Record]) -> None:
        """Publishes them; the stream has them when the last acknowledgement is there."""
        assert self._loop is not None
        assert self._connection is not None
        self._loop.run(self._connection.publish(self._messages(batch)))

    def close(self) -> None:
        """Closes the connection."""
        loop, self._loop = self._loop, None
        connection, self._connection = self._connection, None
        if loop is None:
            return
        try:
            if connection is not None:
                loop.run(connection.close())
        finally:
            loop.close()

    def _messages(self, batch: Sequence[Record]) -> list[_Message]:
        """Messages, each to be stored right behind the one before it, or not at all."""
        messages: list[_Message] = []
        before: dict[str, str] = {}
        for record in batch:
            attributes = record.attributes()
            headers = {
                "Nats-Msg-Id": attributes["id"],
                "Nats-Expected-Stream": self._stream,
                "Content-Type": "application/cloudevents+json",
                **before,
            }
            before = {_BEFORE: attributes["id"]}
            subject = self._subject.of(attributes)
            messages.append(_Message(subject, record.json.encode(), headers))
        return messages

    def _pattern(self, node: str, kind: str) -> str:
        return self._subject.pattern.format(node=node, type=kind)

    async def _connected(self) -> _Connection:
        connection = _Connection(self._timeout)
        try:
            await connection.open(self._servers, self._options)
            if self._create:
                await connection.create(self._stream, self._pattern("*", "*.*"))
        except BaseException:
            await connection.close()
            raise
        return connection


class _Loop:
    """A thread with an event loop, which answers the server's pings while there is no record."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="confd-events nats", daemon=True
        )
        self._thread.start()

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns or raises."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    def close(self) -> None:
        """Ends what still runs, and the thread."""
        self.run(self._cancelled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancelled(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Connection:
    """A connection that publishes in order. It is used within one event loop."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._client = Client()
        self._said = ""  # what the server has complained about
        self._closed = asyncio.Event()
        self._inbox = self._client.new_inbox()
        self._chains = count()
        self._answers: dict[str, Mapping[str, Any]] = {}  # by the subject they came to
        self._awaited = 0
        self._complete = asyncio.Event()
        self._window = 0  # how many to have under way; 0 for all

    async def open(self, servers: Sequence[str], options: Mapping[str, Any]) -> None:
        """Connects to one of the servers."""
        connecting = self._client.connect(
            list(servers),
            name="confd-events",
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=max(1, int(self._timeout)),
            error_cb=self._note,
            closed_cb=self._end,
            **options,
        )
        try:
            await asyncio.wait_for(connecting, self._timeout)
            await self._client.subscribe(f"{self._inbox}.*.*", cb=self._take)
        except (OSError, nats.errors.Error, asyncio.TimeoutError) as error:
            reason = self._said or self._reason(error)
            raise ConnectionError(f"{', '.join(servers)}: {reason}") from None

    async def create(self, stream: str, subjects: str) -> None:
        """Makes a stream, unless it is there."""
        manager = self._client.jetstream(timeout=self._timeout)
        try:
            await manager.stream_info(stream)
        except NotFoundError:
            await manager.add_stream(name=stream, subjects=[subjects])

    async def close(self) -> None:
        """Closes the connection."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._client.close(), _END)

    async def publish(self, messages: Sequence[_Message]) -> None:
        """Publishes messages; says at which it stopped when they are not all stored."""
        limit = self._client.max_payload
        large = (index for index, each in enumerate(messages) if each.size > limit)
        end = next(large, len(messages))
        done = 0
        while done < end:
            chain = messages[done : min(end, done + (self._window or end))]
            try:
                stored = await self._stored(chain)
            except RefusedError as refusal:
                raise RefusedError(done + refusal.index, str(refusal)) from None
            except BusyError as error:
                raise BusyError(str(error), delivered=done + error.delivered) from None
            # Who else publishes to the stream breaks the chain; a short one is less to repeat.
            self._window = 0 if stored == end - done else 2 * stored
            done += stored
        if end < len(messages):
            size = messages[end].size
            raise RefusedError(end, f"its {size} bytes are more than the server's limit of {limit}")

    async def _stored(self, chain: Sequence[_Message]) -> int:
        """Publishes messages; returns how many were stored before somebody else's came between."""
        inbox = f"{self._inbox}.{next(self._chains)}"
        self._answers, self._awaited = {}, len(chain)
        self._complete.clear()
        reason = "the connection was lost"
        try:
            await asyncio.wait_for(self._send(chain, inbox), self._timeout)
        except asyncio.TimeoutError:
            reason = f"no acknowledgement came within {self._timeout:g} s"
        except (OSError, nats.errors.Error) as error:
            reason = self._reason(error)
        for index, message in enumerate(chain):
            answer = self._answers.get(f"{inbox}.{index}")
            if answer is None:
                raise BusyError(f"{message.subject}: {self._said or reason}", delivered=index)
            refused = answer.get("error")
            if not refused:
                continue
            if refused.get("err_code") == _WRONG_LAST and index:
                return index
            reason = f"{message.subject}: {refused.get('description')}"
            if refused.get("err_code") == _TOO_LARGE:
                raise RefusedError(index, reason)
            raise BusyError(reason, delivered=index)
        return len(chain)

    async def _send(self, chain: Sequence[_Message], inbox: str) -> None:
        """Sends messages, of which the first may be stored behind any other."""
        for index, message in enumerate(chain):
            headers = dict(message.headers)
            if not index:
                headers.pop(_BEFORE, None)
            reply = f"{inbox}.{index}"
            await self._client.publish(message.subject, message.payload, reply, headers)
        await self._complete.wait()

    async def _take(self, answer: Msg) -> None:
        """Keeps an answer to a message."""
        if (answer.headers or {}).get("Status") == "503":
            self._answers[answer.subject] = {"error": {"description": "no stream takes it now"}}
        else:
            self._answers[answer.subject] = json.loads(answer.data)
        if len(self._answers) == self._awaited:
            self._complete.set()

    async def _note(self, error: Exception) -> None:
        """Keeps what the server complains about, such as a missing permission."""
        self._said = self._reason(error)

    async def _end(self) -> None:
        """Wakes who waits for answers that will not come."""
        self._complete.set()

    @staticmethod
    def _reason(error: Exception) -> str:
        if isinstance(error, asyncio.TimeoutError):
            return "no answer"
        return str(error) or type(error).__name__


def _checked(table: Table, server: str) -> str:
    """The scheme of a server's address."""
    try:
        parts = urlsplit(server)
        is_right = parts.scheme in ("nats", "tls") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise table.error("servers", f"{server!r}: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise table.error("servers", "one has a user, a password or a token; there are keys for it")
    if not is_right:
        raise table.error("servers", f"{server!r} is not as nats://host:4222 or tls://host:4222")
    return parts.scheme


def _is_subject(text: str) -> bool:
    tokens = text.split(".")
    return all(tokens) and not any(each in token for token in tokens for each in "*> \t")


def _login(table: Table) -> dict[str, Any]:
    """The options of the client by which it says who it is."""
    user, password = table.optional_text("user"), table.secret("password")
    token, seed = table.secret("token"), table.secret("nkey")
    credentials = table.optional_text("credentials")
    if (user is None) != (password is None):
        raise table.error("user", "give user, and password_env or password_file")
    given = [user, token, seed, credentials]
    if len(given) - given.count(None) > 1:
        raise table.error("credentials", "give one of user, token, nkey and credentials")
    if credentials is not None:
        try:
            Path(credentials).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise table.error("credentials", f"{credentials} can't be read") from error
        return {"user_credentials": credentials}
    if seed is not None:
        return {"nkeys_seed_str": seed}
    if token is not None:
        return {"token": token}
    return {} if user is None else {"user": user, "password": password}
