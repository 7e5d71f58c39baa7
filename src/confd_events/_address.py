"""Where the daemon listens: an argument, the products' environment variables, a default."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple, Union

from ._events import ADDR, CONFD_PORT, ERR_OS, NCS_PORT, PATH, library
from .error import Error

Address = Union[tuple[str, int], str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
"""Host and port as a tuple or as "host:port", or the path of a UNIX socket."""


class Endpoint(NamedTuple):
    """A socket family, and the address as notifications_connect() takes it."""

    family: int
    where: dict[str, Any]


def written_address(where: Mapping[str, Any]) -> str:
    """A daemon's address, given as notifications_connect() takes it, as text."""
    if "path" in where:
        return os.fsdecode(where["path"]).replace("\0", "@")  # as ss and netstat write it
    host = f"[{where['ip']}]" if ":" in where["ip"] else where["ip"]
    return f"{host}:{where['port']}"


class Origin(NamedTuple):
    """A default address, and the environment variables that it is from."""

    address: Address
    variables: tuple[str, ...]


def default_address() -> Origin:
    """The address that the environment says, else the product's.

    Read are NCS_IPC_PATH, NCS_IPC_ADDR, NCS_IPC_PORT, CONFD_IPC_ADDR and CONFD_IPC_PORT, those of
    the product in use first. Raises ValueError for a port that is no number.
    """
    path = os.environ.get("NCS_IPC_PATH")
    if path and library()["product"] == "NCS":
        return Origin(path, ("NCS_IPC_PATH",))
    host_from, host = _variable("ADDR", ADDR)
    port_from, port = _variable("PORT", str(_tcp_port()))
    if not _is_port(port):
        raise ValueError(f"{port_from}: {port!r} is not a port number, 1 to 65535")
    variables = tuple(name for name in (host_from, port_from) if name)
    if not variables and path:
        return Origin(path, ("NCS_IPC_PATH",))
    if not variables and PATH:
        return Origin(PATH, ())
    return Origin((host, int(port)), variables)


def _variable(end: str, default: str) -> tuple[str, str]:
    """The environment variable that is set, or "", and its value or the default."""
    product = library()["product"]
    for prefix in sorted(("NCS", "CONFD"), key=lambda known: known != product):
        name = f"{prefix}_IPC_{end}"
        if os.environ.get(name):
            return name, os.environ[name]
    return "", default


def _tcp_port() -> int:
    """The product's port, when it listens on one."""
    return NCS_PORT if library()["product"] == "NCS" else CONFD_PORT


def endpoints(address: Address | None) -> list[Endpoint]:
    """The endpoints to try in turn: a host name may have several addresses.

    Raises TypeError or ValueError for an address that is none, Error for a host that is not known.
    """
    source = "address"
    if address is None:
        address, variables = default_address()
        source = " and ".join(variables) or source
    elif isinstance(address, str) and "/" not in address and not address.startswith("\0"):
        address = _split(address)
    if isinstance(address, tuple):
        return _resolved(source, address)
    if not isinstance(address, (str, bytes, os.PathLike)):
        kind = type(address).__name__
        raise TypeError(f"address: expected (host, port), 'host:port' or a path, not {kind}")
    return [Endpoint(socket.AF_UNIX, {"path": address})]


def _resolved(source: str, address: tuple[Any, ...]) -> list[Endpoint]:
    if len(address) != 2 or not isinstance(address[0], str) or not isinstance(address[1], int):
        raise TypeError(f"address: expected (host, port), a str and an int, not {address!r}")
    host, port = address
    if not host or not _is_port(str(port)):
        raise ValueError(f"address: {address!r} is not a host and a port from 1 to 65535")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise ValueError(f"{source}: {host!r} is no host name") from None
    except socket.gaierror as error:
        text = f"{source}: {host}: {error.strerror}"
        raise Error(ERR_OS, "Operating system error", text) from None
    return [Endpoint(family, {"ip": _ip(at), "port": port}) for family, _, _, _, at in found]


def _ip(at: tuple[Any, ...]) -> str:
    """The address, with the number of its interface if it is a link-local one."""
    host, _, *flow_and_scope = at
    scope = flow_and_scope[1] if flow_and_scope else 0
    return f"{host}%{scope}" if scope and "%" not in host else str(host)


def _split(text: str) -> tuple[str, int]:
    """The parts of host:port, [address]:port, or of a host or address alone."""
    if text.isdecimal():  # to the system a host: 4569 is 0.0.17.217
        raise ValueError(f"address: {text!r} is a number alone; give host:port")
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = text, str(_tcp_port())
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or "[" in host or not _is_port(port):
        raise ValueError(f"address: {text!r} is neither host:port nor a path with a /")
    return host, int(port)


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 65536
