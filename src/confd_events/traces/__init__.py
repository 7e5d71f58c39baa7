"""Traces: spans from progress notifications and progress trace files, and ways to send them on.

assembler = SpanAssembler()
for event in subscription:
    for span in assembler.add(event.payload):
        print(span)
"""

from ._assemble import AssemblerStats, SpanAssembler, spans
from ._csv import read_csv
from ._file import follow_file, read_file
from ._follow import follow, follow_batches
from ._grouping import traces
from ._ids import trace_id_of
from ._recording import read_recording
from ._span import AttributeValue, Link, LogRecord, Span, SpanEvent

__all__ = [
    "AssemblerStats",
    "AttributeValue",
    "Link",
    "LogRecord",
    "Span",
    "SpanAssembler",
    "SpanEvent",
    "follow",
    "follow_batches",
    "follow_file",
    "read_csv",
    "read_file",
    "read_recording",
    "spans",
    "trace_id_of",
    "traces",
]
