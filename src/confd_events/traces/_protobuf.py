"""OTLP's protobuf messages, written by hand so that no dependency is needed.

The names and field numbers are those of opentelemetry-proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from struct import Struct

from ._span import AttributeValue, Link, Span, SpanEvent

_FIXED64 = Struct("<Q").pack
_MASK = 2**64 - 1
_VARINT, _LENGTH = 0, 2  # wire types
_INTERNAL = 1  # Span.SpanKind
_ERROR = 2  # Status.StatusCode


def traces_request(
    spans: Iterable[Span], resource: Mapping[str, AttributeValue], scope: bytes
) -> bytes:
    """An ExportTraceServiceRequest."""
    scoped = [_field(1, scope), *(_field(2, encoded_span(span)) for span in spans)]
    return _field(1, _field(1, encoded_resource(resource)) + _field(2, b"".join(scoped)))


def encoded_resource(attributes: Mapping[str, AttributeValue]) -> bytes:
    """A Resource."""
    return _attributes(b"\x0a", attributes)


def encoded_scope(name: str, version: str) -> bytes:
    """An InstrumentationScope."""
    return _field(1, name.encode()) + _field(2, version.encode())


def encoded_span(span: Span) -> bytes:
    """A Span."""
    name = span.name.encode()
    parts = [
        b"\x0a\x10",
        bytes.fromhex(span.trace_id),
        b"\x12\x08",
        bytes.fromhex(span.span_id),
        b"" if span.parent_id is None else b"\x22\x08" + bytes.fromhex(span.parent_id),
        b"\x2a",
        _varint(len(name)),
        name,
        _KIND,
        b"\x39",
        _nanoseconds(span.start),
        b"\x41",
        _nanoseconds(span.end),
        _attributes(b"\x4a", span.attributes),
    ]
    if span.events:
        parts += [_field(11, _event(event)) for event in span.events]
    if span.links:
        parts += [_field(13, _link(link)) for link in span.links]
    if span.error is not None:
        parts.append(_field(15, _field(2, span.error.encode()) + _number(3, _ERROR)))
    return b"".join(parts)


def rejected(response: bytes) -> tuple[int, str]:
    """How many an Export…ServiceResponse says were rejected, and why; 0 and "" for none.

    Raises ValueError for what is no such message.
    """
    partial = dict(_read(response)).get(1, b"")
    success = dict(_read(partial)) if isinstance(partial, bytes) else {}
    count, text = success.get(1, 0), success.get(2, b"")
    if not isinstance(count, int) or not isinstance(text, bytes):
        raise ValueError("not an answer of OTLP")
    return count, text.decode(errors="replace")


def _event(event: SpanEvent) -> bytes:
    name = _field(2, event.name.encode())
    return b"\x09" + _nanoseconds(event.time) + name + _attributes(b"\x1a", event.attributes)


def _link(link: Link) -> bytes:
    return _field(1, bytes.fromhex(link.trace_id)) + _field(2, bytes.fromhex(link.span_id))


def _attributes(tag: bytes, attributes: Mapping[str, AttributeValue]) -> bytes:
    return b"".join([tag + _attribute(name, value) for name, value in attributes.items()])


@lru_cache(maxsize=8192, typed=True)
def _attribute(name: str, value: AttributeValue) -> bytes:
    """A KeyValue behind its length. Typed, for True is 1."""
    pair = _field(1, name.encode()) + _field(2, _any_value(value))
    return _varint(len(pair)) + pair


def _any_value(value: AttributeValue) -> bytes:
    if isinstance(value, bool):
        return _number(2, value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return _number(3, value)
    return _field(1, str(value).encode())


def _nanoseconds(microseconds: int) -> bytes:
    return _FIXED64(min(max(microseconds * 1000, 0), _MASK))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value & _MASK)


@lru_cache(maxsize=4096)
def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


_KIND = _number(6, _INTERNAL)


def _read(message: bytes) -> Iterable[tuple[int, int | bytes]]:
    """The fields of a message: numbers and what has a length; ValueError for other text."""
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        value, at = _read_varint(message, at)
        if tag & 7 == _VARINT:
            yield tag >> 3, value
        elif tag & 7 == _LENGTH and at + value <= len(message):
            yield tag >> 3, message[at : at + value]
            at += value
        else:
            raise ValueError("not an answer of OTLP")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not message[at - 1] & 0x80:
            return value, at
    raise ValueError("not an answer of OTLP")
