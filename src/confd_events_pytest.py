"""The pytest plugin: a simulated daemon, and subscriptions to it, as fixtures.

pytest finds it by itself where this package is installed. It is a module of its own, and imports
what it needs in the fixtures, so that other projects' tests neither load libconfd nor wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable

import pytest

if TYPE_CHECKING:
    from confd_events import Subscription
    from confd_events.testing import Daemon

    Subscribe = Callable[..., Subscription]
    """The type of the fixture confd_subscribe."""

_VARIABLES = ("NCS_IPC_", "CONFD_IPC_")


@pytest.fixture
def confd_daemon() -> Iterator[Daemon]:
    """A simulated daemon of the product in use, to which the environment leads.

    While the test runs, NCS_IPC_ADDR and NCS_IPC_PORT (for ConfD, CONFD_IPC_ADDR and
    CONFD_IPC_PORT) are its address, and no other variable of the IPC connection is set: a program
    finds it without arguments, in this process or in another that the test starts.
    """
    import confd_events
    from confd_events.testing import Daemon

    product = confd_events.library()["product"]
    with Daemon(product=product.lower()) as daemon, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_VARIABLES)]:
            patch.delenv(name)
        patch.setenv(f"{product}_IPC_ADDR", daemon.address["ip"])
        patch.setenv(f"{product}_IPC_PORT", str(daemon.address["port"]))
        yield daemon


@pytest.fixture
def confd_subscribe(confd_daemon: Daemon) -> Iterator[Subscribe]:
    """Subscribe to confd_daemon: confd_subscribe(*what, **options) returns the Subscription.

    The arguments are those of confd_events.subscribe(), without the address. The daemon knows the
    subscriber when the call returns, so what it sends from then on arrives. The subscription is
    closed after the test.
    """
    import confd_events

    where = confd_daemon.address
    with ExitStack() as opened:

        def connected(*what: Any, **options: Any) -> Subscription:
            if "address" in options:
                raise TypeError(
                    "confd_subscribe: the address is that of confd_daemon; "
                    "for another daemon call confd_events.subscribe()"
                )
            address = (where["ip"], where["port"])
            # The daemon answers a subscriber after it has taken it in: there is nothing to await.
            return opened.enter_context(confd_events.subscribe(*what, address=address, **options))

        yield connected


@pytest.fixture
def confd_subscription(confd_subscribe: Subscribe) -> Subscription:
    """A subscription to all of confd_daemon's notifications that need nothing else.

    That is all but heartbeats, health checks and streams. It is without the flags that make the
    daemon wait; for a commit diff it waits in any case, until the next event is asked for.
    """
    from confd_events.subscription import plain

    return confd_subscribe(plain())
