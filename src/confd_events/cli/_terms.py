"""What the frames of a recording hold: passwords, and the names of people and things."""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from confd_events import enums
from confd_events.enums import Notif, label
from confd_events.testing import Improper, TermError, decode, frame_of

_LENGTH = 4  # bytes of a frame's length
_PROGRESS = (Notif.PROGRESS, Notif.COMMIT_PROGRESS)
_ATTRIBUTES = -2  # their place in a progress notification, from level 8.2 on
_PROGRESS_SIZE = 15  # that it has then
# Types of values whose bytes are no text, and what they are: numbers, or anything.
_NUMBERS, _BYTES = (38, 46, 50), (39, 47)
# A user session: usid, username, clearpass, context, proto, ip, port, logintime, snmp_v3_ctx,
# flags.
_USER = (int, bytes, bytes, bytes, int, tuple, int, int, bytes, int)

_ADDRESS = (
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|(?<![\w:])[\da-fA-F:]*:[\da-fA-F:]+(?![\w:])"
)
_WORD = r"(?:[^\W_]|[\udc80-\udcff])+"
_TOKEN = re.compile(f"({_ADDRESS})|{_WORD}")
_WORDS = re.compile(_WORD)
# Words of the products, which are nobody's.
_CONTEXTS = "cli netconf webui rest restconf snmp system jsonrpc noaaa maapi".split()
_VOCABULARY = {
    label(member)
    for enum in map(vars(enums).get, enums.__all__)
    if isinstance(enum, type)
    for member in enum  # type: ignore[attr-defined]
} | {*_CONTEXTS, "none", ""}
# Keys of recordings, scripts and JSON lines whose text is no text of a notification.
_STRUCTURE = frozenset(
    "recording version product protocol library notification stream constant".split()
)


def without_passwords(frame: bytes) -> bytes:
    """A notification's frame with empty passwords; the same when it has none."""
    try:
        users = list(_users(decode(frame[_LENGTH:])))
    except TermError:
        return frame
    body = frame[_LENGTH:]
    for _, name, password, context, *_ in users:
        old = _binary(name) + _binary(password) + _binary(context)
        body = body.replace(old, _binary(name) + _binary(b"") + _binary(context))
    return len(body).to_bytes(_LENGTH, "big") + body


def _users(term: Any) -> Iterator[tuple[Any, ...]]:
    """The user sessions in a notification that have a password."""
    for part in term if isinstance(term, tuple) else ():
        if _is_user(part) and part[2]:
            yield part


def _is_user(term: Any) -> bool:
    return (
        isinstance(term, tuple)
        and len(term) == len(_USER)
        and all(isinstance(part, kind) for part, kind in zip(term, _USER))
    )


def _binary(data: bytes) -> bytes:
    """Its term, in the external format."""
    return b"m" + len(data).to_bytes(4, "big") + data


def bit_of(frame: bytes) -> int:
    """The notification's bit; 0 for a frame that is none."""
    with suppress(TermError):
        term = decode(frame[_LENGTH:])
        if isinstance(term, tuple) and term and isinstance(term[0], int):
            return term[0]
    return 0


class Anonymizer:
    """Replaces names, addresses and words; what is the same before is the same after."""

    def __init__(self, key: str | None) -> None:
        """Who has the key can see whether a word that he guesses was there."""
        self._key = os.urandom(32) if key is None else key.encode()

    def line(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """A line of a recording, of monitor --json, or of a script."""
        return {
            key: self._value(key, item, written)
            for key, item in written.items()
            if key != "clearpass"
        }

    def _value(self, key: str, item: Any, beside: Mapping[str, Any]) -> Any:
        if isinstance(item, dict):
            return self.line(item)
        if isinstance(item, list):
            return [self._value(key, element, beside) for element in item]
        if not isinstance(item, str) or key in _STRUCTURE:
            return item
        if key == "frame":
            return base64.b64encode(self.frame(base64.b64decode(item))).decode("ascii")
        is_name = key.endswith("_name") and key[: -len("_name")] in beside
        return item if is_name or _is_time(item) else self.text(item)

    def frame(self, frame: bytes) -> bytes:
        """A notification's frame; one that can't be read has no text left."""
        try:
            term = decode(without_passwords(frame)[_LENGTH:])
        except TermError:
            return frame_of((0,))
        if isinstance(term, tuple) and len(term) > 1 and term[0] in _PROGRESS:
            return frame_of((term[0], self._progress(term[1])))
        return frame_of(self._term(term))

    def _progress(self, term: Any) -> Any:
        """As _term(), but for the names of attributes, which are the product's."""
        replaced = self._term(term)
        if not isinstance(term, tuple) or len(term) != _PROGRESS_SIZE:
            return replaced
        pairs = [
            (name, value) for (name, _), (_, value) in zip(term[_ATTRIBUTES], replaced[_ATTRIBUTES])
        ]
        return (*replaced[:_ATTRIBUTES], pairs, *replaced[_ATTRIBUTES + 1 :])

    def _term(self, term: Any) -> Any:
        if isinstance(term, bytes):
            replaced = self.text(term.decode("utf-8", "surrogateescape"))
            return replaced.encode("utf-8", "surrogateescape")
        if isinstance(term, list):
            return [self._term(part) for part in term]
        if isinstance(term, Improper):
            return Improper(tuple(map(self._term, term.items)), self._term(term.tail))
        if not isinstance(term, tuple):
            return term
        if len(term) == 2 and isinstance(term[1], bytes) and term[0] in (*_NUMBERS, *_BYTES):
            return term if term[0] in _NUMBERS else (term[0], self._digest(term[1])[: len(term[1])])
        address = _address_of(term)
        if address is not None:
            return _address_term(self._address(address))
        return tuple(map(self._term, term))

    def text(self, text: str) -> str:
        """A text with other words; addresses in it are those of addresses elsewhere."""
        if text in _VOCABULARY:
            return text
        return _TOKEN.sub(self._token, text)

    def _token(self, found: re.Match[str]) -> str:
        with suppress(ValueError):
            return str(self._address(ip_address(found[0])))
        return _WORDS.sub(lambda word: self._word(word[0]), found[0])

    def _word(self, word: str) -> str:
        if word.isdecimal() and len(word) <= 5:
            return word
        return (
            "x"
            + base64.b32encode(self._digest(word.encode("utf-8", "surrogateescape")))[:8]
            .decode("ascii")
            .lower()
        )

    def _address(self, address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
        if address.is_loopback or address.is_unspecified:
            return address
        digest = self._digest(address.packed)
        if address.version == 4:
            return IPv4Address(b"\x0a" + digest[:3])
        return IPv6Address(b"\xfd" + digest[:15])

    def _digest(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha512")


def _is_time(text: str) -> bool:
    with suppress(ValueError):
        return bool(datetime.fromisoformat(text.replace("Z", "+00:00")))
    return False


def _address_of(term: tuple[Any, ...]) -> IPv4Address | IPv6Address | None:
    """The address that a tuple of bytes, or of words of 16 bits, is."""
    bits = {4: 8, 8: 16}.get(len(term))
    if bits is None or not all(type(part) is int and 0 <= part < 1 << bits for part in term):
        return None
    packed = b"".join(part.to_bytes(bits // 8, "big") for part in term)
    return ip_address(packed)


def _address_term(address: IPv4Address | IPv6Address) -> tuple[int, ...]:
    size = 1 if address.version == 4 else 2
    packed = address.packed
    starts = range(0, len(packed), size)
    return tuple(int.from_bytes(packed[start : start + size], "big") for start in starts)
