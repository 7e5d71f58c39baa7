"""The part of MAAPI that is simulated: loading the schemas, and reading what a commit changes."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, Protocol

from confd_events.enums import ErrorCode
from confd_events.maapi import ITER_CONTINUE, ITER_STOP, ITER_UP

from ._changes import DataChange
from ._terms import Atom, Improper, Term, decode, encode, frame_of
from ._wire import ProtocolError, Wire

if TYPE_CHECKING:
    from ._schemas import Schemas

_START_SESSION = 100
_START_TRANS = 140
_FINISH_TRANS = 142
_GET_ELEM = 166
_DIFF_ITERATE = 183
_ATTACH = 220
_DETACH = 221
_FAILED = 1 << 31

_THANDLES = itertools.count(100_001)  # unlike those of commits

_WORD = struct.Struct(">I")
_REFUSAL = struct.Struct(">II")
_ON_TRANSACTION = struct.Struct(">Ii")
_ITERATION = struct.Struct(">IiII")


class Transactions(Protocol):
    """What MAAPI needs of the daemon."""

    def schemas(self, operation: int) -> list[Term] | None:
        """The answer to a client that loads the schemas; None when there is none."""

    def changes(self, thandle: int) -> Sequence[DataChange] | None:
        """What a transaction that waits changes; None when there is none of that handle."""

    def held_changes(self) -> Sequence[DataChange]:
        """What all transactions that wait change."""
        ...

    @property
    def names(self) -> Schemas:
        """The names that paths are made of."""
        ...


class Maapi:
    """One client's MAAPI session, after the handshake."""

    def __init__(self, wire: Wire, daemon: Transactions) -> None:
        self._wire = wire
        self._daemon = daemon
        self._attached: dict[int, Sequence[DataChange]] = {}
        self._has_session = False
        self._started: set[int] = set()
        self._operations = {
            _START_SESSION: self._start_session,
            _START_TRANS: self._start_transaction,
            _FINISH_TRANS: self._finish_transaction,
            _ATTACH: self._attach,
            _DETACH: self._detach,
            _DIFF_ITERATE: self._iterate,
            _GET_ELEM: self._get_element,
        }

    def serve(self) -> NoReturn:
        """Answers requests until the client is gone, which is an OSError."""
        while True:
            request = self._wire.read_frame()
            if len(request) < _WORD.size:
                raise ProtocolError(f"unexpected request {request!r}")
            (operation,) = _WORD.unpack_from(request)
            act = self._operations.get(operation)
            if act is None:
                self._send_schemas(operation)
            else:
                act(request)
            self._wire.patience(None)

    def _send_schemas(self, operation: int) -> None:
        # Unlike the others: the answer is a bare term.
        answer = self._daemon.schemas(operation)
        if answer is None:
            raise ProtocolError(f"unexpected operation {operation}")
        self._wire.write(frame_of(answer))

    def _attach(self, request: bytes) -> None:
        _, thandle = _ON_TRANSACTION.unpack_from(request)
        changes = self._daemon.changes(thandle)
        if changes is None:
            self._refuse(_ATTACH, ErrorCode.NOEXISTS, f"no transaction {thandle}")
            return
        self._attached[thandle] = changes
        self._answer(_ATTACH)

    def _detach(self, request: bytes) -> None:
        _, thandle = _ON_TRANSACTION.unpack_from(request)
        if self._attached.pop(thandle, None) is None:
            self._refuse(_DETACH, ErrorCode.NOEXISTS, "not attached")
            return
        self._answer(_DETACH)

    def _iterate(self, request: bytes) -> None:
        _, thandle, _, _ = _ITERATION.unpack(request)
        changes = self._attached.get(thandle)
        if changes is None:
            self._wire.write(frame_of((Atom("badstate"), b"not attached")))
            return
        skipped = ""
        for change in changes:
            if skipped and change.path.startswith(skipped):
                continue
            self._wire.write(frame_of(change.term(self._daemon.names)))
            (reply,) = _WORD.unpack(self._wire.read_frame())
            if reply == ITER_STOP:
                return
            skipped = _below(change.path, reply)
        self._wire.write(frame_of((Atom("return"),)))

    def _start_session(self, request: bytes) -> None:
        _of_arity(decode(request[_WORD.size :]), 7)
        if self._has_session:
            self._refuse(_START_SESSION, ErrorCode.ALREADY_EXISTS, "there is a session already")
            return
        self._has_session = True
        self._answer(_START_SESSION)

    def _start_transaction(self, request: bytes) -> None:
        _of_arity(decode(request[_WORD.size :]), 6)
        if not self._has_session:
            self._refuse(_START_TRANS, ErrorCode.NOSESSION, "no session")
            return
        thandle = next(_THANDLES)
        self._started.add(thandle)
        self._answer(_START_TRANS, thandle)

    def _finish_transaction(self, request: bytes) -> None:
        _, thandle = _ON_TRANSACTION.unpack(request)
        if thandle not in self._started:
            self._refuse(_FINISH_TRANS, ErrorCode.NOEXISTS, f"no transaction {thandle}")
            return
        self._started.remove(thandle)
        self._answer(_FINISH_TRANS)

    def _get_element(self, request: bytes) -> None:
        _, thandle = _ON_TRANSACTION.unpack_from(request)
        wanted = _full(decode(request[_ON_TRANSACTION.size :]))
        if thandle in self._started:
            self._answer_element(self._element(self._daemon.held_changes(), wanted, is_old=True))
        elif thandle in self._attached:
            self._answer_element(self._element(self._attached[thandle], wanted, is_old=False))
        else:
            self._refuse(_GET_ELEM, ErrorCode.BADSTATE, "not attached")

    def _answer_element(self, value: Term | None) -> None:
        if value is None:
            self._refuse(_GET_ELEM, ErrorCode.NOEXISTS, "no such element")
        else:
            self._answer(_GET_ELEM, value)

    def _element(
        self, changes: Sequence[DataChange], wanted: object, *, is_old: bool
    ) -> Term | None:
        """What a leaf has, before or after the changes; None when there is no such."""
        for change in reversed(changes):
            if _full(change.path_term(self._daemon.names)[::-1]) == wanted:
                value = change.old_term() if is_old else change.new_term()
                if value is not None:
                    return value
        return None

    def _answer(self, operation: int, *terms: Term) -> None:
        self._send(_WORD.pack(operation) + b"".join(map(encode, terms)))

    def _refuse(self, operation: int, code: int, why: str) -> None:
        self._send(_REFUSAL.pack(operation | _FAILED, code) + encode(why.encode() + b"\0"))

    def _send(self, data: bytes) -> None:
        self._wire.write(_WORD.pack(len(data)) + data)


def _of_arity(term: Term, arity: int) -> None:
    if not isinstance(term, tuple) or len(term) != arity:
        raise ProtocolError(f"unexpected request {term!r}")


def _below(path: str, reply: int) -> str:
    """What the paths begin with that a client does not want to see after this one; else ""."""
    if reply == ITER_CONTINUE:
        return path
    if reply == ITER_UP:
        return path[: max(path.rfind("/"), path.rfind("{"))]
    return ""


def _full(path: object) -> list[object]:
    """A path from the root down, with the namespace in each tag."""
    full: list[object] = []
    ns: object = 0
    for element in path if isinstance(path, list) else ():
        if isinstance(element, Improper):
            (ns,) = element.items
            full.append((ns, element.tail))
        else:
            full.append((ns, element) if isinstance(element, int) else _keys(element))
    return full


def _keys(element: object) -> tuple[bytes, ...]:
    """The texts of an entry's keys. Clients send texts in quotes where they need them."""
    return tuple(map(_key, element if isinstance(element, tuple) else (element,)))


def _key(key: object) -> bytes:
    if isinstance(key, bytes):
        return re.sub(rb"\\(.)", rb"\1", key[1:-1]) if key.startswith(b'"') else key
    if isinstance(key, tuple):  # a type and a value
        key = key[-1]
    return str(key).lower().encode()
