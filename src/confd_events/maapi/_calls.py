"""The vendor's functions, by their names and arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from .. import _events
from .._events import HKeypathRef, Value
from ._constants import ITER_CONTINUE, ITER_RECURSE, ITER_STOP, ITER_UP

if TYPE_CHECKING:
    import os
    import socket
    from collections.abc import Iterable
    from typing import SupportsIndex

__all__ = [
    "HKeypathRef",
    "attach2",
    "close",
    "connect",
    "detach",
    "detach2",
    "diff_iterate",
    "finish_trans",
    "get_elem",
    "start_trans",
    "start_user_session",
]

_REPLIES = (ITER_STOP, ITER_RECURSE, ITER_CONTINUE, ITER_UP)


def connect(
    sock: socket.socket,
    ip: str | None = None,
    port: int | None = None,
    path: str | bytes | os.PathLike[str] | None = None,
) -> None:
    """Connect a socket to the daemon's MAAPI.

    sock -- a stream socket, not yet connected, of family AF_INET, AF_INET6 or AF_UNIX; its timeout
        limits each wait for the daemon
    ip, port -- the daemon's address, or
    path -- the path of its UNIX socket

    Raises TypeError or ValueError for an argument that is wrong, Error when the connection fails;
    then close the socket (C: maapi_connect()).
    """
    _events._maapi_connect(sock, ip, port, path)


def attach2(sock: socket.socket, hashed_ns: int, usid: int, thandle: SupportsIndex) -> None:
    """Attach to a transaction, such as one of which a commit-diff notification tells.

    sock -- a socket that connect() has connected
    hashed_ns -- the hash of a namespace, 0 for none
    usid -- the user session on whose behalf, 0 for the transaction's own
    thandle -- the transaction handle: the notification's tctx, or its number

    Raises Error when there is no such transaction (C: maapi_attach2()).
    """
    _events._maapi_attach2(sock, hashed_ns, usid, thandle)


def detach2(sock: socket.socket, thandle: SupportsIndex) -> None:
    """Detach from a transaction (C: maapi_detach2()).

    sock -- the socket that is attached to it
    thandle -- the transaction handle: a notification's tctx, or its number
    """
    _events._maapi_detach2(sock, thandle)


def detach(sock: socket.socket, ctx: SupportsIndex) -> None:
    """As detach2(), with the argument's name of the vendor's detach()."""
    detach2(sock, ctx)


def diff_iterate(
    sock: socket.socket,
    thandle: SupportsIndex,
    iter: Callable[[HKeypathRef, int, Value | None, Any], int | None],  # noqa: A002, the vendor's
    flags: int = 0,
) -> None:
    """Call a function for each change of a transaction.

    sock -- a socket that is attached to the transaction; nothing else may use it meanwhile
    thandle -- the transaction handle: a notification's tctx, or its number
    iter -- is called with the path, the operation (MOP_…), the old and the new value: each a Value
        or None; the new value of MOP_MOVED_AFTER is the list of the keys of the entry before, of
        MOP_ATTR_SET a pair of the attribute's number and its value. It returns ITER_STOP,
        ITER_RECURSE (or None), ITER_CONTINUE or ITER_UP
    flags -- ITER_WANT_ATTR, ITER_WANT_P_CONTAINER

    iter runs in the calling thread. What it raises ends the iteration. Where libconfd is linked
    shared, the main thread, in which signal handlers run, leaves each step to another thread; for
    many changes use an event's changes(), which does so for many at a time.

    Raises Error when the daemon refuses or is lost (C: maapi_diff_iterate()).
    """
    iteration = _events._DiffIteration(sock, thandle, flags)
    reply: int | None = None
    while not iteration.over:
        for change in iteration.read(1, reply):
            try:
                reply = _checked(iter(*change))
            except BaseException:
                if not iteration.over:
                    iteration.read(1, ITER_STOP)
                raise


def _checked(reply: object) -> int:
    if not isinstance(reply, int):  # as the vendor's binding
        return ITER_RECURSE
    if reply not in _REPLIES:
        raise ValueError(
            f"iter: returned {reply}, which is none of ITER_STOP, ITER_RECURSE, ITER_CONTINUE and "
            "ITER_UP"
        )
    return int(reply)


def get_elem(sock: socket.socket, thandle: SupportsIndex, path: HKeypathRef) -> Value:
    """Return the value of a leaf in a transaction.

    sock -- a socket that is attached to the transaction
    thandle -- the transaction handle: a notification's tctx, or its number
    path -- the leaf

    Raises Error when there is no such leaf, or it has no value (C: maapi_get_elem()).
    """
    return _events._maapi_get_elem(sock, thandle, path)


def start_user_session(
    sock: socket.socket,
    username: str,
    context: str,
    groups: Iterable[str],
    src_addr: str,
    prot: int,
) -> None:
    """Start a session of its own on a socket; closing the socket ends it.

    sock -- a socket that connect() has connected
    username, groups -- on whose behalf
    context -- such as "maapi"; in "system" no rule of access counts, and nothing is logged
    src_addr -- the IPv4 or IPv6 address where the user is, as text
    prot -- how the user is connected: PROTO_TCP, …

    Raises Error when the daemon refuses (C: maapi_start_user_session()).
    """
    _events._maapi_start_user_session(sock, username, context, groups, src_addr, prot)


def start_trans(sock: socket.socket, name: int, readwrite: int) -> int:
    """Start a transaction; return its handle, for get_elem() and finish_trans().

    sock -- a socket on which start_user_session() has started a session
    name -- the datastore: RUNNING, …
    readwrite -- READ, or READ_WRITE

    Raises Error when the daemon refuses (C: maapi_start_trans()).
    """
    return _events._maapi_start_trans(sock, name, readwrite)


def finish_trans(sock: socket.socket, thandle: SupportsIndex) -> None:
    """End a transaction that start_trans() has started (C: maapi_finish_trans()).

    sock -- the socket on which it was started
    thandle -- its handle
    """
    _events._maapi_finish_trans(sock, thandle)


def close(sock: socket.socket) -> None:
    """Close the socket. The daemon detaches it from its transaction, which goes on (C: close())."""
    sock.close()
