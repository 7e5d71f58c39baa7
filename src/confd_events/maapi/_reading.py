"""The changes of a transaction, some at a time, on a MAAPI session of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

from .. import _events
from .._events import ERR_NOEXISTS, ERR_TIMEOUT
from ..error import DaemonSilent, Error
from ._change import Change
from ._constants import ITER_RECURSE, ITER_WANT_ATTR

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
    limit: float | None = LIMIT,
) -> Iterator[Change]:
    """Yield what a transaction changes, in the daemon's order.

    endpoint -- where the daemon listens
    thandle -- the transaction handle
    below -- a path such as /ncs:devices/device: changes elsewhere are left out
    limit -- the seconds that all of it may take, with what the caller does meanwhile; None for
        no limit

    The schemas are loaded when they were not yet, so that paths have names. Only some hundred
    changes are in memory. Raises Error when the daemon refuses or is lost, DaemonSilent when the
    time is over (C: maapi_attach2(), maapi_diff_iterate()).
    """
    deadline = _Deadline(limit)
    load_names(endpoint, deadline.left(), "changes")
    sock = _events._maapi_socket(endpoint.family)
    try:
        _attach(sock, endpoint, thandle, deadline)
        yield from _iterated(sock, thandle, below, deadline)
        _events._maapi_detach2(sock, thandle, deadline.left())
    except DaemonSilent:
        raise deadline.over() from None
    finally:
        sock.close()


def _attach(sock: socket, endpoint: Endpoint, thandle: SupportsIndex, deadline: _Deadline) -> None:
    _events._maapi_connect(sock, **endpoint.where, limit=deadline.left())
    try:
        _events._maapi_attach2(sock, 0, 0, thandle, deadline.left())
    except Error as error:
        if error.confd_errno == ERR_NOEXISTS:
            error.confd_lasterr += " (the transaction is over)"
        raise


def _iterated(
    sock: socket, thandle: SupportsIndex, below: str, deadline: _Deadline
) -> Iterator[Change]:
    iteration = _events._DiffIteration(sock, thandle, ITER_WANT_ATTR)
    reply: int | None = None
    while not iteration.over:
        found: list[tuple[Any, ...]] = iteration.read(_BURST, reply, deadline.left())
        for change in (Change(*each) for each in found):
            if not below or change.is_below(below):
                yield change
        reply = ITER_RECURSE


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
