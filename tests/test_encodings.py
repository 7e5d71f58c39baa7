"""No valid frame is refused: of any level, and as any encoder writes it."""

from __future__ import annotations

import json
import math
import struct
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from checking import RELEASES, check_of
from conftest import PEER, SENDABLE
from hypothesis import given
from hypothesis import strategies as st
from test_fuzz import fuzzed, notifications, receive, sent, shown
from test_terms import DATA, FRAMES

import confd_events as events
from confd_events.testing import Atom, Improper, decode, encode
from confd_events.testing._notifications import KINDS, Peer
from confd_events.testing._terms import Term

# Other forms of terms


class Forms:
    """Writes a term as one encoder or another would: in each place any of the forms for it.

    rare -- also in forms for which the common encoders have a shorter one; the vendor's libconfd
        refuses some of them
    """

    def __init__(self, random: Random, rare: bool = False) -> None:
        self._any = random.choice
        self._rare = rare

    def term(self, term: Term) -> bytes:
        """A notification's term. Its bit has the common form."""
        assert isinstance(term, tuple)
        bit, *others = term
        assert isinstance(bit, int)
        return b"\x83" + self._head(len(term)) + _common(bit) + b"".join(map(self.part, others))

    def part(self, term: Term) -> bytes:
        """A term in any of its forms."""
        if term is None or isinstance(term, (bool, Atom)):
            name = "undefined" if term is None else str(term)
            return self._atom(name.lower() if isinstance(term, bool) else name)
        if isinstance(term, int):
            return self._integer(term)
        if isinstance(term, float):
            return self._float(term)
        if isinstance(term, bytes):
            return b"m" + struct.pack(">I", len(term)) + term
        if isinstance(term, tuple):
            return self._head(len(term)) + b"".join(map(self.part, term))
        if isinstance(term, Improper):
            return self._list(list(term.items)) + self.part(term.tail)
        assert isinstance(term, list)
        return self._proper(term)

    def _head(self, arity: int) -> bytes:
        large = b"i" + struct.pack(">I", arity)
        if arity > 255:
            return large
        return self._any([bytes((104, arity)), large]) if self._rare else bytes((104, arity))

    def _atom(self, name: str) -> bytes:
        octets = name.encode("latin-1")
        forms = [b"d" + struct.pack(">H", len(octets)), bytes((115, len(octets)))]
        if name.isascii():
            forms += [b"v" + struct.pack(">H", len(octets)), bytes((119, len(octets)))]
        return self._any(forms) + octets

    def _integer(self, number: int) -> bytes:
        if not -1 << 31 <= number < 1 << 31:
            return _large(number)
        long = b"b" + struct.pack(">i", number)
        return self._any([_common(number), long]) if self._rare else _common(number)

    def _float(self, number: float) -> bytes:
        binary = b"F" + struct.pack(">d", number)
        as_text = b"c" + f"{number:.20e}".encode().ljust(31, b"\0")
        return self._any([binary, as_text]) if math.isfinite(number) else binary

    def _list(self, items: list[Any]) -> bytes:
        return b"l" + struct.pack(">I", len(items)) + b"".join(map(self.part, items))

    def _proper(self, items: list[Any]) -> bytes:
        if not items:
            return b"j"
        forms = [self._list(items) + b"j"]
        if len(items) < 1 << 16 and all(type(i) is int and 0 <= i < 256 for i in items):
            forms.append(b"k" + struct.pack(">H", len(items)) + bytes(items))
        return self._any(forms)


def _common(number: int) -> bytes:
    if not -1 << 31 <= number < 1 << 31:
        return _large(number)
    return bytes((97, number)) if 0 <= number < 256 else b"b" + struct.pack(">i", number)


def _large(number: int) -> bytes:
    size = (abs(number).bit_length() + 7) // 8
    octets = abs(number).to_bytes(size, "little")
    assert size < 256
    return bytes((110, size, number < 0)) + octets


SEEDS = st.integers(0, (1 << 32) - 1)


def outcome(term: bytes) -> Any:
    """What is read of a frame with a term, in a form to be compared."""
    read, end = receive(struct.pack(">I", len(term)) + term)
    assert end == "EOF"
    if "commit_diff" in read:
        del read["commit_diff"]["tctx"]
    return shown(read)


def test_the_forms_are_of_the_same_term() -> None:
    for number, frame in enumerate(FRAMES.values()):
        term = decode(frame[4:])
        seeds = range(20 * number, 20 * number + 20)
        forms = {Forms(Random(seed), rare=True).term(term) for seed in seeds}
        assert len(forms) > 1
        assert all(decode(form) == term for form in forms)


@pytest.mark.parametrize("name", FRAMES)
def test_recorded_frames_in_other_forms_fit(name: str) -> None:
    check = check_of("8.2", "NCS")
    term = FRAMES[name][4:]
    assert check(term) is None
    for seed in range(100):
        other = Forms(Random(seed), rare=True).term(decode(term))
        assert check(other) is None, other.hex()


def test_all_recorded_frames_fit() -> None:
    """Whichever file they are in: those that are valid, and have what must be read of them."""
    paths = sorted(DATA.parent.glob("notifications-*.json"))
    assert paths
    for path in paths:
        for vector in json.loads(path.read_text("utf-8"))["vectors"]:
            assert check_of("8.2", "NCS")(bytes.fromhex(vector["frame"])[4:]) is None, vector[
                "name"
            ]


@pytest.mark.parametrize("name", SENDABLE)
def test_any_fields_in_other_forms_arrive_as_in_the_daemons(name: str) -> None:
    @fuzzed
    @given(notifications(name), SEEDS)
    def check(fields: dict[str, Any], seed: int) -> None:
        term = encode(name, *PEER, **sent(fields))[4:]
        assert outcome(Forms(Random(seed)).term(decode(term))) == outcome(term)

    check()


@pytest.mark.parametrize(("level", "product"), RELEASES)
def test_any_fields_fit_at_each_level(level: str, product: str) -> None:
    peer = Peer(int(level.replace(".", "")), product.lower())
    accepts = check_of(level, product)
    tried = 0

    @fuzzed
    @given(st.data(), st.sampled_from(SENDABLE), SEEDS)
    def check(data: st.DataObject, name: str, seed: int) -> None:
        nonlocal tried
        fields = sent(data.draw(notifications(name)))
        if not KINDS[name].exists_for(peer, fields):
            return
        with suppress(TypeError, ValueError):  # of fields that another release has
            term = encode(name, *peer, **fields)[4:]
            assert accepts(term) is None, (name, fields)
            assert accepts(Forms(Random(seed), rare=True).term(decode(term))) is None, (
                name,
                fields,
            )
            tried += 1

    check()
    assert tried > 2


def test_a_bit_in_the_large_form_is_refused() -> None:
    """libconfd takes it for another notification's."""
    term = encode("audit")[4:]
    assert check_of("8.2", "NCS")(term.replace(b"a\1", _large(1), 1)) is not None
    assert events.NOTIF_AUDIT == 1
