"""OTLP's protobuf messages, written by hand so that no dependency is needed.

The names and field numbers are those of opentelemetry-proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from struct import Struct

from ._span import AttributeValue, Link, LogRecord, Span, SpanEvent

_FIXED64 = Struct("<Q").pack
_TIMES = Struct("<BQBQ").pack  # fields 7 and 8, each behind its tag
_MASK = 2**64 - 1
_LAST = _MASK // 1000  # µs of which the nanoseconds fit
_TRACE_ID, _SPAN_ID, _PARENT_ID = b"\x0a\x10", "1208", "2208"  # tags and lengths, as hexadecimals
_VARINT, _LENGTH = 0, 2  # wire types
_SPAN = b"\x12"  # the tag of a span
_INTERNAL = 1  # Span.SpanKind
_ERROR = 2  # Status.StatusCode


def traces_request(
    spans: Iterable[Span], resource: Mapping[str, AttributeValue], scope: bytes
) -> bytes:
    """An ExportTraceServiceRequest."""
    parts = [_field(1, scope)]
    for span in spans:
        encoded = encoded_span(span)
        parts += (_SPAN, _varint(len(encoded)), encoded)
    return _field(1, _field(1, encoded_resource(resource)) + _field(2, b"".join(parts)))


def logs_request(
    records: Iterable[LogRecord], resource: Mapping[str, AttributeValue], scope: bytes
) -> bytes:
    """An ExportLogsServiceRequest."""
    scoped = [_field(1, scope), *(_field(2, _log_record(record)) for record in records)]
    return _field(1, _field(1, encoded_resource(resource)) + _field(2, b"".join(scoped)))


def _log_record(record: LogRecord) -> bytes:
    parts = [
        b"\x09" + _nanoseconds(record.time),
        _number(2, record.severity),
        _field(5, _any_value(record.body)),
        _attributes(6, record.attributes),
        b"" if record.trace_id is None else _field(9, bytes.fromhex(record.trace_id)),
        b"" if record.span_id is None else _field(10, bytes.fromhex(record.span_id)),
        b"" if record.observed is None else b"\x59" + _nanoseconds(record.observed),
        _field(12, record.name.encode()),
    ]
    return b"".join(parts)


def encoded_resource(attributes: Mapping[str, AttributeValue]) -> bytes:
    """A Resource."""
    return _attributes(1, attributes)


def encoded_scope(name: str, version: str) -> bytes:
    """An InstrumentationScope."""
    return _field(1, name.encode()) + _field(2, version.encode())


def encoded_span(span: Span) -> bytes:
    """A Span."""
    start, end = span.start, span.end
    if start < 0 or end > _LAST:
        start, end = min(max(start, 0), _LAST), min(max(end, 0), _LAST)
    ids = span.trace_id + _SPAN_ID + span.span_id
    if span.parent_id is not None:
        ids += _PARENT_ID + span.parent_id
    parts = [
        _TRACE_ID,
        bytes.fromhex(ids),
        _name(span.name),
        _TIMES(0x39, start * 1000, 0x41, end * 1000),
        *[_attribute(name, value) for name, value in span.attributes.items()],
    ]
    if span.events:
        parts += [_field(11, _event(event)) for event in span.events]
    if span.links:
        parts += [_field(13, _link(link)) for link in span.links]
    if span.error is not None:
        parts.append(_field(15, _field(2, span.error.encode()) + _number(3, _ERROR)))
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _name(text: str) -> bytes:
    """A span's name, and its kind."""
    return _field(5, text.encode()) + _number(6, _INTERNAL)


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
    return b"\x09" + _nanoseconds(event.time) + name + _attributes(3, event.attributes)


def _link(link: Link) -> bytes:
    return _field(1, bytes.fromhex(link.trace_id)) + _field(2, bytes.fromhex(link.span_id))


def _attributes(number: int, attributes: Mapping[str, AttributeValue]) -> bytes:
    return b"".join([_field(number, _key_value(name, each)) for name, each in attributes.items()])


@lru_cache(maxsize=8192, typed=True)
def _attribute(name: str, value: AttributeValue) -> bytes:
    """An attribute of a span. Typed, for True is 1."""
    return _field(9, _key_value(name, value))


def _key_value(name: str, value: AttributeValue) -> bytes:
    return _field(1, name.encode()) + _field(2, _any_value(value))


def _any_value(value: AttributeValue) -> bytes:
    if isinstance(value, bool):
        return _number(2, value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return _number(3, value)
    return _field(1, str(value).encode())


def _nanoseconds(microseconds: int) -> bytes:
    return _FIXED64(min(max(microseconds, 0), _LAST) * 1000)


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
