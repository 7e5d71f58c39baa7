"""A class for each kind of notification: its events are instances, type checkers know its keys.

An event is an Event whatever it tells of; these classes are for isinstance() and type hints. What
type checkers read of them is kinds.pyi, which ci/names.py writes.
"""

from __future__ import annotations

from .description.catalog import NOTIFICATIONS, class_name
from .enums import Notif, notif
from .subscription import Event

__all__ = [class_name(kind) for kind in NOTIFICATIONS]  # pyright: ignore[reportUnsupportedDunderAll]


class _Kind(type):
    """The type of these classes."""

    _bit: Notif

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Event) and instance.type is cls._bit

    def __call__(cls, *_arguments: object, **_options: object) -> object:
        raise TypeError(f"{cls.__name__} is for isinstance() and hints; subscribe() makes events")


globals().update(
    (
        class_name(kind),
        _Kind(
            class_name(kind),
            (),
            {"__doc__": kind.doc, "__module__": __name__, "_bit": notif(kind.name)},
        ),
    )
    for kind in NOTIFICATIONS
)
