"""The acknowledgements on which the daemon waits, as the catalog tells them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from .. import _events
from ..description.catalog import NOTIFICATIONS, Notification
from ..enums import Notif, notif

if TYPE_CHECKING:
    import socket


class Acknowledgement(NamedTuple):
    """How one notification is acknowledged."""

    flag: Notif
    """The bit of a subscription's mask that makes the daemon wait."""
    member: str
    """The payload's key in the dict."""
    arguments: tuple[str, ...]
    """Keys of the payload that the function takes, after the socket."""
    function: Callable[..., None]


def _of(notification: Notification) -> Acknowledgement:
    keys = {field.key for field in notification.fields}
    # A transaction has a user session, too; what identifies it is its tctx.
    arguments = [key for key in ("tctx", "usid") if key in keys][:1]
    return Acknowledgement(
        notif(notification.sync or notification.name),
        notification.member,
        tuple(arguments),
        getattr(_events, notification.acknowledge),
    )


ACKNOWLEDGEMENTS = {
    notif(notification.name): _of(notification)
    for notification in NOTIFICATIONS
    # A release may lack the function; then it lacks the flag, too.
    if notification.acknowledge and hasattr(_events, notification.acknowledge)
}


def awaited(mask: int) -> int:
    """The bits of the notifications on whose acknowledgement a subscription's daemon waits."""
    bits = 0
    for bit, acknowledgement in ACKNOWLEDGEMENTS.items():
        if mask & acknowledgement.flag:
            bits |= bit
    return bits


def call(sock: socket.socket, raw: Mapping[str, Any]) -> Callable[[], None]:
    """What acknowledges a notification. It raises Error when the connection is lost."""
    acknowledgement = ACKNOWLEDGEMENTS[Notif(raw["type"])]
    payload = raw[acknowledgement.member]
    arguments = (payload[key] for key in acknowledgement.arguments)
    return partial(acknowledgement.function, sock, *arguments)
