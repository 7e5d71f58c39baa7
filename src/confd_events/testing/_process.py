"""The daemon in another process."""

from __future__ import annotations

import multiprocessing
import os
import threading
from functools import wraps
from multiprocessing.managers import BaseManager, BaseProxy
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from ._daemon import Daemon
from ._notifier import Notifier

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    from ._delivery import Acknowledgement, Delivery
    from ._subscriber import Subscriber

    P = ParamSpec("P")

T = TypeVar("T")


class _DeliveryProxy(BaseProxy):
    """A `Delivery` in the other process."""

    _exposed_ = ("__getattribute__", "wait")

    @property
    def count(self) -> Any:
        return self._callmethod("__getattribute__", ("count",))

    @property
    def done(self) -> Any:
        return self._callmethod("__getattribute__", ("done",))

    def wait(self, timeout: float = 5.0) -> Any:
        return self._callmethod("wait", (timeout,))


class _DaemonProxy(BaseProxy):
    """A `Daemon` in the other process."""

    _exposed_ = (
        "__getattribute__",
        "_notify",
        "add_enumeration",
        "add_names",
        "add_namespace",
        "add_stream",
        "disconnect",
        "send_frame",
        "send_term",
        "set_faults",
        "start",
        "stop",
        "wait_for_acknowledgements",
        "wait_for_subscribers",
    )
    _method_to_typeid_ = dict.fromkeys(("_notify", "send_frame", "send_term"), "Delivery")

    def call(self, method: str, *args: object, **kwargs: object) -> Any:
        return self._callmethod(method, args, kwargs)

    def get(self, name: str) -> Any:
        return self._callmethod("__getattribute__", (name,))


class _Manager(BaseManager):
    """The other process."""


_Manager.register("Daemon", Daemon, _DaemonProxy)
_Manager.register("Delivery", proxytype=_DeliveryProxy, create_method=False)


def _forward(
    method: Callable[Concatenate[Daemon, P], T],
) -> Callable[Concatenate[DaemonProcess, P], T]:
    """The same method, run in the other process."""

    @wraps(method)
    def call(self: DaemonProcess, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._remote.call(method.__name__, *args, **kwargs)
        return result

    return call


class DaemonProcess(Notifier):
    """A `Daemon` in another process: the same arguments, methods and attributes.

    A script that uses it must be importable (``if __name__ == "__main__":``), since the process
    is spawned. It ends with `stop`, with the ``with`` statement, or with its parent.
    """

    def __init__(self, **arguments: Any) -> None:
        self._arguments = arguments
        self._manager: _Manager | None = None
        self._daemon: _DaemonProxy | None = None

    def __enter__(self) -> DaemonProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    wait_for_subscribers = _forward(Daemon.wait_for_subscribers)
    wait_for_acknowledgements = _forward(Daemon.wait_for_acknowledgements)
    add_stream = _forward(Daemon.add_stream)
    add_namespace = _forward(Daemon.add_namespace)
    add_names = _forward(Daemon.add_names)
    add_enumeration = _forward(Daemon.add_enumeration)
    set_faults = _forward(Daemon.set_faults)
    send_frame = _forward(Daemon.send_frame)
    send_term = _forward(Daemon.send_term)
    disconnect = _forward(Daemon.disconnect)

    def start(self) -> None:
        """Starts the process and listens; OSError when the address can not be had."""
        self._manager = _Manager(ctx=multiprocessing.get_context("spawn"))
        self._manager.start(initializer=_end_with_parent)
        try:
            self._daemon = self._manager.Daemon(**self._arguments)  # type: ignore[attr-defined]
            self._remote.call("start")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the daemon, then its process."""
        if self._daemon is not None:
            self._daemon.call("stop")
            self._daemon = None
        if self._manager is not None:
            self._manager.shutdown()
            self._manager = None

    @property
    def address(self) -> dict[str, Any]:
        """Where it listens; see `Daemon.address`."""
        address: dict[str, Any] = self._remote.get("address")
        return address

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """The present subscribers, oldest first."""
        subscribers: tuple[Subscriber, ...] = self._remote.get("subscribers")
        return subscribers

    @property
    def acknowledgements(self) -> list[Acknowledgement]:
        """All acknowledgements so far."""
        acknowledgements: list[Acknowledgement] = self._remote.get("acknowledgements")
        return acknowledgements

    @property
    def _remote(self) -> _DaemonProxy:
        if self._daemon is None:
            raise RuntimeError("the daemon is not running")
        return self._daemon

    def _notify(self, kind: str, /, **fields: object) -> Delivery:
        delivery: Delivery = self._remote.call("_notify", kind, **fields)
        return delivery


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: Any) -> None:
    parent.join()
    os._exit(0)
