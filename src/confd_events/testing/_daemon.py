"""The daemon: a listener, and what a test tells it to do."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Collection, Mapping, Sized
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Callable, TypeVar, Union

from confd_events.enums import Notif, label

from ._faults import Faults
from ._handshake import Settings
from ._hub import Hub
from ._notifier import Notifier
from ._session import Session
from ._streams import Stream
from ._subscriber import Subscriber
from ._terms import Term, frame_of
from ._wire import Wire

if TYPE_CHECKING:
    from ._delivery import Acknowledgement, Delivery

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

Items = TypeVar("Items", bound=Sized)

# How long a client may take to read what it was sent before a disconnect.
_GRACE = 1.0


class Daemon(Notifier):
    """A simulated daemon: a real server, in threads of this process.

    It listens between `start` and `stop`, or inside a ``with`` statement.

    Args:
        ip, port: the address to listen on, 0 for a free port.
        path: listen on this UNIX socket instead; a leading NUL makes an abstract one.
        product: ncs or confd.
        protocol: the newest protocol level that it speaks, such as 82; None for that of each
            client. It refuses newer clients.
        version: what it says of itself.
        maxdepth, maxkeylen: the limits that its data model needs; it refuses libraries with less.
        secret: what clients must prove to know, by MD5 or SHA-256; None for no access check.
        sessions: ids of user sessions, for subscriptions on behalf of one.
        refuse_version: refuse every client's version.
        connect_error: refuse every subscription with this code and text.
        write_timeout: seconds that a write may block before its subscriber is cut off.
        silence_limit: seconds that a client may be silent before it has subscribed.
        event_reply_timeout: seconds that the daemon waits for an acknowledgement before its
            subscriber is cut off.
        minimum_interval: seconds between heartbeats, and health checks, for whom asks for less.
        faults: how to misbehave.

    Raises ValueError for an address that does not parse or a time that is not positive.
    """

    def __init__(
        self,
        *,
        ip: str = "127.0.0.1",
        port: int = 0,
        path: Path | None = None,
        product: str = "ncs",
        protocol: int | None = None,
        version: int = 0x08020500,
        maxdepth: int = 20,
        maxkeylen: int = 9,
        secret: bytes | None = None,
        sessions: Collection[int] = (),
        refuse_version: bool = False,
        connect_error: tuple[int, str] | None = None,
        write_timeout: float = 15.0,
        silence_limit: float = 5.0,
        event_reply_timeout: float = 120.0,
        minimum_interval: float = 1.0,
        faults: Faults | None = None,
    ) -> None:
        for name, seconds in (
            ("write_timeout", write_timeout),
            ("silence_limit", silence_limit),
            ("event_reply_timeout", event_reply_timeout),
        ):
            if seconds <= 0:
                raise ValueError(f"{name} must be positive")
        if minimum_interval < 0:
            raise ValueError("minimum_interval must not be negative")
        self._family, self._bind_to = _endpoint(ip, port, path)
        self._settings = Settings(
            product=product,
            protocol=protocol,
            version=version,
            maxdepth=maxdepth,
            maxkeylen=maxkeylen,
            secret=secret,
            sessions=frozenset(sessions),
            refuse_version=refuse_version,
            connect_error=connect_error,
            write_timeout=write_timeout,
            silence_limit=silence_limit,
            event_reply_timeout=event_reply_timeout,
            minimum_interval=minimum_interval,
            faults=faults or Faults(),
        )
        self._hub = Hub(self._settings)
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._connections: list[Session] = []
        # Held while a connection is taken in, so that disconnect() misses none that is served.
        self._taking_in = threading.Lock()
        self._number = 0

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listens; OSError or OverflowError when the address can not be had."""
        listener = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            if self._family != socket.AF_UNIX:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self._bind_to)
            listener.listen()
        except (OSError, OverflowError):
            listener.close()
            raise
        self._listener = listener
        self._accepting = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Disconnects everyone, waits for the threads and removes the UNIX socket's path."""
        if self._listener is None or self._accepting is None:
            return
        # Shutting a listener down wakes its accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self.disconnect()
        self._listener.close()
        self._listener = None
        if self._family == socket.AF_UNIX and self._bind_to[:1] not in ("\0", b"\0"):
            with suppress(FileNotFoundError):
                os.unlink(self._bind_to)

    @property
    def address(self) -> dict[str, Any]:
        """Where it listens: ip and port, or path, as notifications_connect() takes them.

        Raises RuntimeError while the daemon does not listen.
        """
        if self._listener is None:
            raise RuntimeError("the daemon is not running")
        if self._family == socket.AF_UNIX:
            return {"path": self._bind_to}
        ip, port = self._listener.getsockname()[:2]
        return {"ip": ip, "port": port}

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """The present subscribers, oldest first."""
        return self._hub.subscribers

    @property
    def acknowledgements(self) -> list[Acknowledgement]:
        """All acknowledgements so far."""
        with self._hub.changed:
            return list(self._hub.ledger.received)

    def wait_for_subscribers(self, count: int = 1, timeout: float = 5.0) -> tuple[Subscriber, ...]:
        """The subscribers once there are `count`; TimeoutError after `timeout` seconds."""
        return self._wait("subscriber", lambda: self.subscribers, count, timeout)

    def wait_for_acknowledgements(
        self, count: int = 1, timeout: float = 5.0
    ) -> list[Acknowledgement]:
        """All acknowledgements once there are `count`; TimeoutError after `timeout` seconds."""
        return self._wait("acknowledgement", lambda: self.acknowledgements, count, timeout)

    def add_stream(self, name: str, replay: bool = True) -> None:
        """Makes an event stream known; with `replay` it keeps a log of its events."""
        self._hub.add_stream(Stream(name, replay))

    def add_namespace(self, ns: int, prefix: str) -> None:
        """Names a namespace, by its hash, for clients that load the schemas."""
        with self._hub.changed:
            self._hub.names.namespaces[ns] = prefix

    def add_names(self, names: Mapping[int, str]) -> None:
        """Names tags and identities, by their hashes."""
        with self._hub.changed:
            self._hub.names.names.update(names)

    def add_enumeration(self, ns: int, path: str, labels: Mapping[int, str]) -> None:
        """Names the values of the enumeration at a schema path, such as ``/ex:servers/state``.

        `ns` is the hash of the namespace that the path begins in. A step with a prefix that
        `add_namespace` has named is in that namespace, any other in that of the step before; a
        name that `add_names` has not given a hash gets one. Raises ValueError for a path that is
        not absolute.
        """
        with self._hub.changed:
            self._hub.names.add_enumeration(ns, path, labels)

    def set_faults(self, faults: Faults) -> None:
        """Misbehaves like this on connections made from now on."""
        self._settings = replace(self._settings, faults=faults)

    def send_frame(self, frame: bytes, subscriber: Subscriber | int | None = None) -> Delivery:
        """Sends raw bytes to one subscriber (or its id), or to all."""
        return self._hub.send(frame, subscriber)

    def send_term(self, term: Term, subscriber: Subscriber | int | None = None) -> Delivery:
        """Sends a frame with any term to one subscriber (or its id), or to all."""
        return self._hub.send(frame_of(term), subscriber)

    def replay(self, frame: bytes) -> Delivery:
        """Sends a recorded frame to all who asked for its notification.

        They acknowledge it as they would have. It is at the protocol level that it was recorded
        with. Raises ValueError for a frame that holds no notification.
        """
        return self._hub.replay(frame)

    def disconnect(self, subscriber: Subscriber | int | None = None, reset: bool = False) -> None:
        """Ends one connection, or all, after what was sent; with `reset` by a TCP reset.

        Returns when the connections are gone. A client that has not read everything by then is
        cut off after a second.
        """
        number = subscriber.id if isinstance(subscriber, Subscriber) else subscriber
        with self._taking_in:
            ending = [c for c in self._connections if number in (None, c.number)]
        for connection in ending:
            connection.finish(reset)
        for connection in ending:
            connection.join(_GRACE)

    def _notify(self, kind: str, /, **fields: object) -> Delivery:
        return self._hub.notify(kind, fields)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self._number += 1
            settings = self._settings
            wire = Wire(sock, settings.faults, settings.write_timeout)
            session = Session(self._number, wire, settings, self._hub)
            with self._taking_in:
                session.start()
                self._connections = [c for c in self._connections if not c.over] + [session]

    def _present(self) -> str:
        """Who is there, for people."""
        present = [f"subscriber {one.id} to {label(Notif(one.mask))}" for one in self.subscribers]
        others = sum(not one.over for one in self._connections) - len(present)
        present += [f"{others} not yet subscribed"] if others > 0 else []
        return f"connected: {'; '.join(present) or 'none'}"

    def _wait(self, what: str, items: Callable[[], Items], count: int, timeout: float) -> Items:
        changed = self._hub.changed
        with changed:
            if not changed.wait_for(lambda: len(items()) >= count, timeout):
                raise TimeoutError(
                    f"{len(items()) or 'no'} {what}{'' if count == 1 else f' of {count}'} "
                    f"within {timeout:g} s; {self._present()}"
                )
            return items()


def _endpoint(ip: str, port: int, path: Path | None) -> tuple[socket.AddressFamily, Any]:
    if path is not None:
        return socket.AF_UNIX, os.fspath(path)
    family = socket.AF_INET if ip_address(ip).version == 4 else socket.AF_INET6
    return family, (ip, port)
