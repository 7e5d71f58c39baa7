"""Ids as tracing backends take them: W3C's 32 and 16 hexadecimal digits, not all of them zero."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")


@lru_cache(maxsize=4096)
def trace_id_of(text: str) -> str:
    """The trace id for the daemon's: without the dashes of a UUID; of other text, a hash."""
    plain = text.replace("-", "").lower()
    return plain if _is_id(_TRACE_ID, plain) else hashed(32, text)


def span_id_of(text: str) -> str:
    """The span id for the daemon's; of text that is none, a hash."""
    plain = text.lower()
    return plain if _is_id(_SPAN_ID, plain) else hashed(16, text)


def hashed(digits: int, *parts: object) -> str:
    """So many hexadecimal digits that follow from the parts, and are the same at each run."""
    written = "\0".join(str(part) for part in parts)
    return sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _is_id(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None and text.strip("0") != ""
