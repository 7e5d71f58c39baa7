"""Try the installed package: that it has what its library has; receive from a simulated daemon,
acknowledge, print the library.

Needs the package's extra `testing`. Exits 1 and says why when anything fails.
"""

from __future__ import annotations

import select
import socket
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confd_events.testing import Delivery

PATIENCE = 10.0  # seconds
USID = 7
THANDLE = 9


def try_package() -> None:
    """Raises an exception of any kind unless all works."""
    import confd_events as events
    from confd_events.testing import Acknowledgement, Daemon

    mask = events.NOTIF_AUDIT | events.NOTIF_AUDIT_SYNC | events.NOTIF_COMMIT_DIFF
    product = events.library()["product"].lower()
    with Daemon(product=product) as daemon, socket.socket() as sock:
        events.notifications_connect(sock, mask, **daemon.address)
        daemon.wait_for_subscribers()

        audit = daemon.audit(user="smoke", usid=USID, msg="an audit record")
        record = receive(sock, "audit")
        check("the audit record", (record["user"], record["msg"]), ("smoke", "an audit record"))
        check_held_up("the audit record", audit)
        events.sync_audit_notification(sock, record["usid"])
        audit.wait(PATIENCE)

        commit = daemon.commit_diff(thandle=THANDLE)
        tctx = receive(sock, "commit_diff")["tctx"]
        check_held_up("the commit", commit)
        events.diff_notification_done(sock, tctx)
        commit.wait(PATIENCE)

        expected = [Acknowledgement("audit", USID, 1), Acknowledgement("commit_diff", THANDLE, 1)]
        check("the acknowledgements", daemon.acknowledgements, expected)


def check_complete() -> None:
    """The module must have what the release of its library has."""
    from confd_events import library
    from confd_events.description import releases

    if lacking := releases.not_found():
        release = releases.release(library()["product"], library()["version"])
        raise AttributeError(f"the module lacks what {release} has: {', '.join(lacking)}")


def receive(sock: socket.socket, member: str) -> dict[str, Any]:
    """The payload of the next notification."""
    from confd_events import read_notification

    if not select.select([sock], [], [], PATIENCE)[0]:
        raise TimeoutError(f"no {member} came in {PATIENCE:g} seconds")
    notification: dict[str, Any] = {**read_notification(sock)}
    check("the notification's keys", set(notification), {"type", member})
    return dict(notification[member])


def check_held_up(what: str, delivery: Delivery) -> None:
    check(f"{what}, before its acknowledgement, done", delivery.done, False)


def check(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise ValueError(f"{what}: {got!r} instead of {expected!r}")


def describe_library() -> str:
    from confd_events import library

    return "{product} {api_level} {version} {path}".format(**library())


def main() -> int:
    try:
        check_complete()
        try_package()
        print(describe_library())
    except Exception as error:
        print(f"smoke: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
