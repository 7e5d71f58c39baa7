"""A syslog server that speaks RELP, the Reliable Event Logging Protocol, and acknowledges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from .._errors import BusyError, RefusedError
from ._connection import Connection, Endpoint
from ._messages import Messages

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

_PORTS = {"relp": None, "relp+tls": None}  # none is assigned
_MOST = 8000  # bytes that rsyslog takes unless it is told otherwise
_WINDOW = 128  # that of librelp
_OFFER = b"relp_version=0\nrelp_software=confd-events\ncommands=syslog"
_HIGHEST = 999_999_999  # number of a frame; the next is 1
_HEADER = re.compile(rb"(\d{1,9}) ([A-Za-z]{1,32}) (\d{1,9})([ \n])")
_BEGINNING = re.compile(rb"\d{0,9}|\d{1,9} [A-Za-z]{0,32}|\d{1,9} [A-Za-z]{1,32} \d{0,9}")
_LONGEST_ANSWER = 65536
_FAREWELL = 1.0  # seconds for an answer to "close"
_SHOWN = 200  # characters of an answer in an error


class RelpSink:
    """Sends messages, of which the server acknowledges each.

    Several are under way at once. After one was refused, the next is sent alone.
    """

    def __init__(self, table: Table) -> None:
        self._endpoint = Endpoint(table, _PORTS, "relp+tls")
        self._messages = Messages(table, _MOST)
        self._window = table.count("window", _WINDOW) or _WINDOW
        self._refused = False
        self._session: _Session | None = None

    def open(self) -> None:
        """Connects, and agrees on what is to be sent."""
        self._session = _Session(self._endpoint)

    def send(self, batch: Sequence[Record]) -> None:
        """Sends them; the server has them when it has acknowledged the last."""
        messages, refusal = self._messages.fitting(batch)
        if messages:
            self._deliver(messages)
        if refusal is not None:
            raise refusal

    def close(self) -> None:
        """Says good-bye, and closes the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _deliver(self, messages: Sequence[bytes]) -> None:
        if self._session is None or not self._session.is_there():
            self.close()
            self.open()
        assert self._session is not None
        try:
            self._session.publish(_Batch(messages), self._window, alone=self._refused)
        except RefusedError:
            self._refused = True
            raise
        self._refused = False


class _Batch:
    """Messages, of which some are under way, and some may be refused."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._messages = messages
        self._sent = 0
        self._under_way: dict[int, int] = {}  # which message, by the number of its frame
        self._refusals: dict[int, str] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way, and nothing more is to be."""
        return not self._under_way and not self._left(1)

    def frames(self, numbers: Iterator[int], most: int) -> bytes:
        """What to send now, so that so many are under way."""
        frames = []
        for message in self._left(most - len(self._under_way)):
            number = next(numbers)
            self._under_way[number] = self._sent
            self._sent += 1
            frames.append(_frame(number, b"syslog", message))
        return b"".join(frames)

    def answered(self, number: int, refusal: str) -> bool:
        """Takes an answer; returns whether one was waited for."""
        index = self._under_way.pop(number, None)
        if index is not None and refusal:
            self._refusals[index] = refusal
        return index is not None

    def check(self, lost: str = "") -> None:
        """Raises what has happened to the first that the server has not taken, if there is one.

        lost -- why there are no more answers
        """
        unanswered = min(self._under_way.values(), default=self._sent)
        refused = min(self._refusals, default=self._sent)
        if refused < unanswered:
            raise RefusedError(refused, self._refusals[refused])
        if lost:
            raise BusyError(lost, delivered=unanswered)

    def _left(self, most: int) -> Sequence[bytes]:
        """The next messages; after one was refused, none."""
        return () if self._refusals else self._messages[self._sent : self._sent + most]


class _Frame(NamedTuple):
    number: int
    command: bytes
    data: bytes


class _Session:
    """A connection on which client and server have agreed. It is of no use after an error."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connects; ConnectionError says why that has failed."""
        self._endpoint = endpoint
        self._numbers = _numbers()
        self._received = b""
        self._connection: Connection | None = endpoint.connect()
        try:
            self._agree(self._connection)
        except BaseException:
            self._drop()
            raise

    def is_there(self) -> bool:
        """Whether the connection can be used: the server has not closed it, or is about to."""
        if self._connection is None:
            return False
        with suppress(ConnectionError):
            if not self._received and not self._connection.arrived():
                return True
        self._drop()
        return False

    def publish(self, batch: _Batch, window: int, alone: bool) -> None:
        """Sends messages, and waits until each is acknowledged.

        window -- how many may be under way
        alone -- whether the first is sent before the others

        Raises RefusedError for the first that the server refuses; BusyError, which says how many
        it has taken, when the connection is lost.
        """
        assert self._connection is not None
        most = 1 if alone else window
        try:
            while not batch.is_over:
                self._connection.send(batch.frames(self._numbers, most))
                for number, refusal in self._answers(self._connection):
                    if not batch.answered(number, refusal):
                        raise self._endpoint.error(f"answers {number}, which was not asked")
                most = window
        except ConnectionError as error:
            self._drop()
            batch.check(str(error))
        batch.check()

    def close(self) -> None:
        """Tells the server, and closes the connection."""
        if self._connection is not None:
            with suppress(ConnectionError):
                self._connection.send(_frame(next(self._numbers), b"close", b""))
                self._connection.arrived(_FAREWELL)
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _agree(self, connection: Connection) -> None:
        number = next(self._numbers)
        connection.send(_frame(number, b"open", _OFFER))
        frame = self._frame(connection)
        refusal = self._refusal(frame)
        if frame.number != number or refusal:
            raise self._endpoint.error(refusal or "does not answer what was asked")
        for line in frame.data.splitlines():
            if line.startswith(b"commands=") and b"syslog" in line[9:].split(b","):
                return
        raise self._endpoint.error("takes no messages of syslog")

    def _answers(self, connection: Connection) -> Iterator[tuple[int, str]]:
        """The answers that are there, at least one: the number, and why it is a refusal."""
        while True:
            frame = self._frame(connection)
            yield frame.number, self._refusal(frame)
            if not self._is_whole():
                return

    def _refusal(self, frame: _Frame) -> str:
        """Why the server refuses; empty text when it does not."""
        if frame.command == b"serverclose":
            raise self._endpoint.error("the server closes the connection")
        if frame.command != b"rsp":
            raise self._endpoint.error(f"sends {frame.command.decode()} in place of an answer")
        said = frame.data[:_SHOWN].decode("utf-8", "replace").partition("\n")[0].strip()
        return "" if frame.data[:3] == b"200" else f"{self._endpoint} answers {said}"

    def _frame(self, connection: Connection) -> _Frame:
        """The next frame; waits for it."""
        while not self._is_whole():
            self._received += connection.receive()
        header = _HEADER.match(self._received)
        assert header is not None
        end = header.end() + int(header[3])
        data, trailer = self._received[header.end() : end], header[4] == b" "
        self._received = self._received[end + trailer :]
        return _Frame(int(header[1]), header[2], data)

    def _is_whole(self) -> bool:
        """Whether a frame is there; ConnectionError for what can't become one."""
        header = _HEADER.match(self._received)
        if header is None:
            if not _BEGINNING.fullmatch(self._received):
                raise self._endpoint.error("answers what is not RELP")
            return False
        size = int(header[3])
        if size > _LONGEST_ANSWER or (size and header[4] == b"\n"):
            raise self._endpoint.error("answers what is not RELP")
        # A line feed follows the data; where there is none it may be that of the header.
        return len(self._received) >= header.end() + size + (header[4] == b" ")


def _numbers() -> Iterator[int]:
    while True:
        yield from range(1, _HIGHEST + 1)


def _frame(number: int, command: bytes, data: bytes) -> bytes:
    return b"%d %b %d%b%b\n" % (number, command, len(data), b" " if data else b"", data)
