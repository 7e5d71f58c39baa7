"""Ids as tracing backends take them: W3C's 32 and 16 hexadecimal digits, not all of them zero."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256


@lru_cache(maxsize=4096)
def trace_id_of(text: str) -> str:
    """The trace id for the daemon's: without the dashes of a UUID; of other text, a hash."""
    plain = text.replace("-", "").lower()
    return plain if _is_id(plain, 32) else hashed(32, text)


def span_id_of(text: str) -> str:
    """The span id for the daemon's; of text that is none, a hash."""
    plain = text if _is_id(text, 16) else text.lower()
    return plain if plain is text or _is_id(plain, 16) else hashed(16, text)


@lru_cache(maxsize=4096)
def is_trace_id(text: str) -> bool:
    """Whether the trace id for it has the same digits."""
    return text.replace("-", "").lower() == trace_id_of(text)


def hashed(digits: int, *parts: object) -> str:
    """So many hexadecimal digits that follow from the parts, and are the same at each run."""
    written = "\0".join(str(part) for part in parts)
    return sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _is_id(text: str, digits: int) -> bool:
    """Whether it is so many hexadecimal digits, small letters, not all of them 0."""
    try:
        # It would take spaces between the bytes, and capitals.
        is_id = len(text) == digits and bytes.fromhex(text).hex() == text
    except ValueError:
        return False
    return is_id and text.strip("0") != ""
