"""What happens on a connection before its first frame."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ._constants import Client
from ._faults import Faults
from ._wire import ProtocolError, Wire

if TYPE_CHECKING:
    from collections.abc import Collection

_HELLO = struct.Struct(">BHIBB")
_WITH_SECRET = 0x80
_WITH_SHA256 = 0x40
_CHALLENGE = b"\x0b"
_RESPONSE = b"\x0c"
_ACCEPTED = b"\x00"
_REFUSED = b"\x01"

_WRONG_LEVEL = 1
_TOO_SMALL = 2


@dataclass(frozen=True)
class Settings:
    """What a daemon is told to be; see `Daemon`."""

    product: str = "ncs"
    protocol: int | None = None
    version: int = 0x08020500
    maxdepth: int = 20
    maxkeylen: int = 9
    secret: bytes | None = field(default=None, repr=False)
    sessions: Collection[int] = ()
    refuse_version: bool = False
    connect_error: tuple[int, str] | None = None
    write_timeout: float = 15.0
    silence_limit: float = 5.0
    event_reply_timeout: float = 120.0
    minimum_interval: float = 1.0
    faults: Faults = field(default_factory=Faults)


class Hello(NamedTuple):
    """What a client says first."""

    client: int
    protocol: int
    version: int
    maxdepth: int
    maxkeylen: int


def handshake(wire: Wire, settings: Settings) -> Hello:
    """The hello of a client that may go on; ProtocolError when it may not."""
    hello = Hello(*_HELLO.unpack(wire.read(_HELLO.size)))
    client = hello.client & ~(_WITH_SECRET | _WITH_SHA256)
    if client not in set(Client):
        raise ProtocolError(f"client id {client}")
    _check_access(wire, hello.client, settings.secret)
    status = _status(hello, settings)
    wire.write(settings.faults.version_reply or _version_reply(status, hello, settings))
    if status:
        raise ProtocolError(f"refused with status {status}: {hello}")
    return hello._replace(client=client)


def _check_access(wire: Wire, client: int, secret: bytes | None) -> None:
    """Lets the client prove that it knows the secret: by SHA-256 if it can, else by MD5.

    Where one side alone has a secret there is nothing to compare: the connection ends unanswered.
    """
    if bool(client & _WITH_SECRET) != (secret is not None):
        raise ProtocolError(f"client id {client:#x}: one side alone has a secret")
    if secret is None:
        return
    algorithm = "sha256" if client & _WITH_SHA256 else "md5"
    challenge = os.urandom(hashlib.new(algorithm, usedforsecurity=False).digest_size)
    wire.write(_CHALLENGE + challenge)
    expected = hashlib.new(algorithm, secret + challenge, usedforsecurity=False).digest()
    response = wire.read(len(_RESPONSE) + len(expected))
    if not hmac.compare_digest(response, _RESPONSE + expected):
        wire.write(_REFUSED)
        raise ProtocolError("access denied")
    wire.write(_ACCEPTED)


def _status(hello: Hello, settings: Settings) -> int:
    """How the client is answered: 0 when it may go on.

    A client without such limits says 0 for its greatest depth and number of keys.
    """
    newest = settings.protocol
    if settings.refuse_version or (newest is not None and hello.protocol > newest):
        return _WRONG_LEVEL
    limits = ((hello.maxdepth, settings.maxdepth), (hello.maxkeylen, settings.maxkeylen))
    return _TOO_SMALL if any(0 < has < needed for has, needed in limits) else 0


def _version_reply(status: int, hello: Hello, settings: Settings) -> bytes:
    protocol = hello.protocol if settings.protocol is None else settings.protocol
    return _HELLO.pack(status, protocol, settings.version, settings.maxdepth, settings.maxkeylen)
