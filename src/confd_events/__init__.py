"""Event notifications of Cisco NSO and ConfD, as Python dicts.

The functions, classes and constants are those of the vendor's events module, under the same
names. subscribe() and subscribe_async() take care of acknowledgements, lost connections and slow
consumers. See docs/ for both.
"""

from __future__ import annotations

try:
    from . import _events
except ImportError as failure:
    from ._missing import explanation

    reason = explanation(failure)
    if not reason:
        raise
    raise ImportError(reason) from failure

from . import error
from ._events import *  # noqa: F403
from ._version import __version__
from .error import BufferFull, DaemonSilent

TYPE_CHECKING = False  # the module typing takes longer to load than all that is here
if TYPE_CHECKING:
    from . import enums, kinds
    from .enums import Notif
    from .kinds import *  # noqa: F403
    from .maapi import Change
    from .subscription import (
        AsyncSubscription,
        Backoff,
        Connected,
        Disconnected,
        Dropped,
        Event,
        Stats,
        Subscription,
        Undecodable,
        subscribe,
        subscribe_async,
    )

# Loaded when first used: who calls the functions alone does not pay for the rest.
_LAZY = {
    "AsyncSubscription": "subscription",
    "Backoff": "subscription",
    "Change": "maapi",
    "Connected": "subscription",
    "Disconnected": "subscription",
    "Dropped": "subscription",
    "Event": "subscription",
    "Notif": "enums",
    "Stats": "subscription",
    "Subscription": "subscription",
    "Undecodable": "subscription",
    "enums": "",
    "subscribe": "subscription",
    "subscribe_async": "subscription",
}

__all__ = [
    "AsyncSubscription",
    "Backoff",
    "BufferFull",
    "Change",
    "Connected",
    "DaemonSilent",
    "Disconnected",
    "Dropped",
    "Event",
    "Notif",
    "Stats",
    "Subscription",
    "Undecodable",
    "__version__",
    "enums",
    "error",
    "subscribe",
    "subscribe_async",
]
__all__ += _events.__all__
if TYPE_CHECKING:  # to whom other names are the package's own
    __all__ += kinds.__all__


if not TYPE_CHECKING:  # to a type checker, this function would be any attribute

    def __getattr__(name: str) -> object:
        module = _LAZY.get(name, "kinds" if name.endswith("Event") else None)
        if module is None:
            raise AttributeError(_no_attribute(name))
        from importlib import import_module

        home = import_module(f".{module or name}", __name__)
        value = getattr(home, name, None) if module else home
        if value is None:
            raise AttributeError(_no_attribute(name))
        globals()[name] = value
        return value


def _no_attribute(name: str) -> str:
    """What to tell of a name that is not there: other releases may have it."""
    known = () if name.startswith("_") else _events.library()["missing"]
    if name not in (*known, "sync_audit_network_notification"):
        return f"module {__name__!r} has no attribute {name!r}"
    from .description.releases import lacking

    return f"module {__name__!r}: {lacking(name)}"


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
