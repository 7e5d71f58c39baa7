"""Commit one memory fault, by its name, in the package under test: a check of ci/sanitize.

Each works only when the tool watches the code in question. Reaching the last line means that it
does not.
"""

from __future__ import annotations

import ctypes
import os
import sys

import confd_events as events

# Linked statically, libconfd shows nothing of itself; the SDK has it as a library, too.
LIBRARY = ctypes.CDLL(os.environ.get("CONFD_EVENTS_LIBRARY", events.library()["path"]))
LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBRARY.confd_value_dup.restype = ctypes.c_void_p

C_LIST_SIZE, C_LIST_PTR = 8, 16  # offsets in it


def value() -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(64)


def heap() -> int:
    """Address of 64 bytes of malloc(), outside of what the interpreter manages."""
    return int(LIBC.malloc(ctypes.c_size_t(64)))


def behind() -> ctypes.c_void_p:
    """What is nobody's: behind the end of such a block."""
    return ctypes.c_void_p(heap() + 64)


def read_in_library() -> None:
    """libconfd compares a value that is behind a block's end."""
    LIBRARY.confd_val_eq(behind(), value())


def read_in_extension() -> None:
    """The extension reads an element of a list that is behind a block's end."""
    made = events.Value([], events.C_LIST)
    inside = ctypes.c_uint32(events.C_LIST)
    start = ctypes.string_at(id(made), 64).index(bytes(inside))
    ctypes.c_uint32.from_address(id(made) + start + C_LIST_SIZE).value = 1
    ctypes.c_void_p.from_address(id(made) + start + C_LIST_PTR).value = behind().value
    made.as_pyval()


def misaligned() -> None:
    """libconfd reads a number at an odd address."""
    odd = ctypes.addressof(value()) + 1
    LIBRARY.confd_val_eq(ctypes.c_void_p(odd), ctypes.c_void_p(odd))


def uninitialised() -> None:
    """libconfd decides by memory that was never set."""
    LIBRARY.confd_val_eq(ctypes.c_void_p(heap()), ctypes.c_void_p(heap()))


def leak() -> None:
    """A value of libconfd's is lost."""
    for _ in range(10):  # the last ones may still be in a register or on the stack
        LIBRARY.confd_value_dup(value())


FAULTS = (read_in_library, read_in_extension, misaligned, uninitialised, leak)

if __name__ == "__main__":
    {fault.__name__: fault for fault in FAULTS}[sys.argv[1]]()
    print("The fault was not noticed.")
