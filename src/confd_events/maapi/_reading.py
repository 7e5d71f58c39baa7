"""The changes of a transaction, some at a time, on a MAAPI session of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, SupportsIndex

from .. import _events
from .._events import ERR_NOEXISTS, ERR_TIMEOUT, PROTO_TCP, XmlTag
from ..error import DaemonSilent, Error
from ._change import Change
from ._constants import ITER_RECURSE, ITER_WANT_ATTR, READ

if TYPE_CHECKING:
    from _socket import socket

    from .._address import Endpoint

LIMIT = 30.0
"""Seconds that reading the changes of a transaction may take, unless another limit is given."""

# Changes at a time: many, so that the way to the library costs little; few enough for memory.
_BURST = 256

_logger = logging.getLogger("confd_events")
_loading = threading.Lock()


class _Deadline:
    """The moment by which all must be read."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self._end = None if limit is None else time.monotonic() + limit

    def left(self) -> float | None:
        """The seconds that are left; DaemonSilent when the time is over."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> DaemonSilent:
        """What to raise when the time is over."""
        text = f"the changes were not read within {self.limit:g} s"
        return DaemonSilent(ERR_TIMEOUT, "Operation timed out", text)


def changes(
    endpoint: Endpoint,
    thandle: SupportsIndex,
    *,
    below: str = "",
    before: int | None = None,
    limit: float | None = LIMIT,
) -> Iterator[Change]:
    """Yield what a transaction changes, in the daemon's order.

    endpoint -- where the daemon listens
    thandle -- the transaction handle
    below -- a path such as /ncs:devices/device: changes elsewhere are left out
    before -- the datastore from which the values before are read; None: they are not
    limit -- the seconds that all of it may take, with what the caller does meanwhile; None for
        no limit

    The schemas are loaded when they were not yet, so that paths have names. Only some hundred
    changes are in memory. Raises Error when the daemon refuses or is lost, DaemonSilent when the
    time is over (C: maapi_attach2(), maapi_diff_iterate()).
    """
    deadline = _Deadline(limit)
    load_names(endpoint, deadline.left(), "changes")
    try:
        with ExitStack() as opened:
            sock = opened.enter_context(_connected(endpoint, deadline))
            _attach(sock, thandle, deadline)
            bursts = _bursts(sock, thandle, below, deadline)
            if before is not None:
                aside = opened.enter_context(_connected(endpoint, deadline))
                bursts = _with_old(bursts, aside, before, deadline)
            for burst in bursts:
                yield from burst
            _events._maapi_detach2(sock, thandle, deadline.left())
    except DaemonSilent:
        raise deadline.over() from None


@contextmanager
def _connected(endpoint: Endpoint, deadline: _Deadline) -> Iterator[socket]:
    """A MAAPI socket. Closing it ends what the daemon has of it: session, transaction."""
    sock = _events._maapi_socket(endpoint.family)
    try:
        _events._maapi_connect(sock, **endpoint.where, limit=deadline.left())
        yield sock
    finally:
        sock.close()


def _attach(sock: socket, thandle: SupportsIndex, deadline: _Deadline) -> None:
    try:
        _events._maapi_attach2(sock, 0, 0, thandle, deadline.left())
    except Error as error:
        if error.confd_errno == ERR_NOEXISTS:
            error.confd_lasterr += " (the transaction is over)"
        raise


def _bursts(
    sock: socket, thandle: SupportsIndex, below: str, deadline: _Deadline
) -> Iterator[list[Change]]:
    iteration = _events._DiffIteration(sock, thandle, ITER_WANT_ATTR)
    reply: int | None = None
    while not iteration.over:
        read: list[tuple[Any, ...]] = iteration.read(_BURST, reply, deadline.left())
        found = (Change(*each) for each in read)
        yield [change for change in found if not below or change.is_below(below)]
        reply = ITER_RECURSE


def _with_old(
    bursts: Iterator[list[Change]], sock: socket, database: int, deadline: _Deadline
) -> Iterator[list[Change]]:
    """The same, with the values that leaves still have in the datastore while the commit waits.

    The iteration is subject to no rule of access. Nor is the session here, by its context.
    """
    _events._maapi_start_user_session(
        sock, "system", "system", (), "127.0.0.1", PROTO_TCP, deadline.left()
    )
    thandle = _events._maapi_start_trans(sock, database, READ, deadline.left())
    for burst in bursts:
        leaves = [change for change in burst if _may_have_old(change)]
        paths = [change.path for change in leaves]
        values = _events._maapi_get_elems(sock, thandle, paths, deadline.left()) if paths else []
        for change, value in zip(leaves, values):
            change.old = value
        yield burst


def _may_have_old(change: Change) -> bool:
    is_of_a_leaf = change.operation in ("value-set", "default-set", "deleted")
    return is_of_a_leaf and change.old is None and isinstance(change.path[0], XmlTag)


def load_names(endpoint: Endpoint, timeout: float | None, what: str) -> None:
    """Load the schemas, once for the process: that takes seconds where there are many models.

    timeout -- seconds that it may take; None for no limit
    what -- what has numbers in place of names when it fails, for the log
    """
    with _loading:
        if _events._schemas_loaded():
            return
        try:
            _events.load_schemas(**endpoint.where, timeout=timeout)
        except Error as error:
            _logger.warning("%s have numbers in place of names: loading schemas: %s", what, error)
