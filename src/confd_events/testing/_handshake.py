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
_CHALLENGE = b"\x0b"
_RESPONSE = b"\x0c"
_ACCEPTED = b"\x00"
_REFUSED = b"\x01"


@dataclass(frozen=True)
class Settings:
    """What a daemon is told to be; see `Daemon`."""

    product: str = "ncs"
    protocol: int = 82
    version: int = 0x08020500
    maxdepth: int = 60
    maxkeylen: int = 18
    secret: bytes | None = field(default=None, repr=False)
    sessions: Collection[int] = ()
    refuse_version: bool = False
    connect_error: tuple[int, str] | None = None
    write_timeout: float = 15.0
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
    client = hello.client & ~_WITH_SECRET
    if client not in set(Client):
        raise ProtocolError(f"client id {client}")
    _check_access(wire, bool(hello.client & _WITH_SECRET), settings.secret)
    wire.write(settings.faults.version_reply or _version_reply(settings))
    if settings.refuse_version:
        raise ProtocolError("version refused")
    return hello._replace(client=client)


def _check_access(wire: Wire, offered: bool, secret: bytes | None) -> None:
    if offered:
        challenge = os.urandom(16)
        wire.write(_CHALLENGE + challenge)
        response = wire.read(17)
        # A daemon without a secret has nothing to compare with.
        if secret is None or hmac.compare_digest(response, _expected(secret, challenge)):
            wire.write(_ACCEPTED)
            return
    if offered or secret is not None:
        wire.write(_REFUSED)
        raise ProtocolError("access denied")


def _expected(secret: bytes, challenge: bytes) -> bytes:
    return _RESPONSE + hashlib.md5(secret + challenge, usedforsecurity=False).digest()


def _version_reply(settings: Settings) -> bytes:
    limits = (settings.maxdepth, settings.maxkeylen)
    return _HELLO.pack(settings.refuse_version, settings.protocol, settings.version, *limits)
