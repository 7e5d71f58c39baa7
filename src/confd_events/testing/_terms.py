"""Erlang's external term format: the few kinds of term that the protocol uses.

Python to term: ``None``, ``True``, ``False`` and `Atom` are atoms, ``bytes`` and ``str``
(UTF-8) binaries, ``tuple``, ``list``, `Improper`, ``int`` and ``float`` what their names say.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Union

import erlang

Term = object
Text = Union[str, bytes]
Terms = tuple[Term, ...]

_LENGTH = struct.Struct(">I")
MAX_ATOM = 255

_ATOM_EXT = struct.Struct(">BH")

# What erlang_py lets through when the bytes make no sense.
_MALFORMED = (
    erlang.ParseException,
    AttributeError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)


class _Atom(erlang.OtpErlangAtom):  # type: ignore[misc]
    """Written as ATOM_EXT, as the daemon does: some clients know no other."""

    def binary(self) -> bytes:
        return _ATOM_EXT.pack(100, len(self.value)) + bytes(self.value)


class TermError(ValueError):
    """Bytes that are no term, or a term of a kind the protocol does not use."""


class Atom(str):
    """An atom other than ``true``, ``false`` and ``undefined``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Atom({str(self)!r})"


@dataclass(frozen=True)
class Improper:
    """An improper list: ``Improper((1,), 2)`` is ``[1|2]``."""

    items: Terms
    tail: Term


def text(value: Text) -> bytes:
    """The bytes of a text: bytes as they are, str as UTF-8 (escaped surrogates as raw bytes)."""
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def encode(term: Term) -> bytes:
    """One term in the external format; TypeError for a Python value that has no term."""
    data: bytes = erlang.term_to_binary(_to_erlang(term))
    return data


def decode(data: bytes) -> Term:
    """The term in `data`, binaries as bytes, atoms as `Atom`.

    Raises TermError when the bytes are malformed or hold a kind the protocol does not use.
    """
    try:
        return _from_erlang(erlang.binary_to_term(data))
    except TermError:
        raise
    except _MALFORMED as error:
        raise TermError(f"malformed term: {error}") from error


def frame_of(term: Term) -> bytes:
    """The frame that carries `term`: its length (4 bytes, big-endian) and the term itself."""
    data = encode(term)
    return _LENGTH.pack(len(data)) + data


def _to_erlang(term: Term) -> object:
    if term is None or isinstance(term, (bool, Atom)):
        return _Atom(_atom_name(term).encode("latin-1"))
    if isinstance(term, (str, bytes)):
        return erlang.OtpErlangBinary(text(term))
    if isinstance(term, tuple):
        return tuple(_to_erlang(element) for element in term)
    if isinstance(term, list):
        return [_to_erlang(element) for element in term]
    if isinstance(term, Improper):
        items = [_to_erlang(element) for element in (*term.items, term.tail)]
        return erlang.OtpErlangList(items, improper=True)
    if isinstance(term, int):
        return int(term)
    if isinstance(term, float):
        return term
    raise TypeError(f"no term for a {type(term).__name__}")


def _atom_name(term: bool | Atom | None) -> str:
    if term is None:
        return "undefined"
    if isinstance(term, Atom) and len(term) > MAX_ATOM:
        raise ValueError(f"an atom has {MAX_ATOM} characters at most: {term!r}")
    return str(term).lower() if isinstance(term, bool) else str(term)


def _from_erlang(term: object) -> Term:
    if term is None or isinstance(term, (bool, int, float)):
        return term
    if isinstance(term, bytes):
        # STRING_EXT is a short form for a list of small integers.
        return list(term)
    if isinstance(term, tuple):
        return tuple(_from_erlang(element) for element in term)
    if isinstance(term, list):
        return [_from_erlang(element) for element in term]
    return _from_erlang_class(term)


def _from_erlang_class(term: object) -> Term:
    if isinstance(term, erlang.OtpErlangBinary) and term.bits == 8:
        return term.value
    if isinstance(term, erlang.OtpErlangAtom) and isinstance(term.value, (bytes, str)):
        name = term.value
        return Atom(name.decode("latin-1") if isinstance(name, bytes) else name)
    if isinstance(term, erlang.OtpErlangList):
        *items, tail = (_from_erlang(element) for element in term.value)
        return Improper(tuple(items), tail)
    raise TermError(f"unexpected kind of term: {type(term).__name__}")
