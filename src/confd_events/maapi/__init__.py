"""What a transaction changes, read through libconfd's MAAPI.

The functions have the names and arguments of the vendor's maapi module: a minimum of it, enough
for the differences of a commit. An event's changes() and diff() do all that is needed.
"""

from ._calls import (
    HKeypathRef,
    attach2,
    close,
    connect,
    detach,
    detach2,
    diff_iterate,
    finish_trans,
    get_elem,
    start_trans,
    start_user_session,
)
from ._change import Change
from ._constants import (
    ITER_CONTINUE,
    ITER_RECURSE,
    ITER_STOP,
    ITER_UP,
    ITER_WANT_ATTR,
    ITER_WANT_P_CONTAINER,
    MOP_ATTR_SET,
    MOP_CREATED,
    MOP_DELETED,
    MOP_MODIFIED,
    MOP_MOVED_AFTER,
    MOP_VALUE_SET,
    READ,
    READ_WRITE,
)
from ._diff import FORMATS, difference, gathered, line_of
from ._reading import LIMIT, changes, load_names

__all__ = [
    "FORMATS",
    "ITER_CONTINUE",
    "ITER_RECURSE",
    "ITER_STOP",
    "ITER_UP",
    "ITER_WANT_ATTR",
    "ITER_WANT_P_CONTAINER",
    "LIMIT",
    "MOP_ATTR_SET",
    "MOP_CREATED",
    "MOP_DELETED",
    "MOP_MODIFIED",
    "MOP_MOVED_AFTER",
    "MOP_VALUE_SET",
    "READ",
    "READ_WRITE",
    "Change",
    "HKeypathRef",
    "attach2",
    "changes",
    "close",
    "connect",
    "detach",
    "detach2",
    "diff_iterate",
    "difference",
    "finish_trans",
    "gathered",
    "get_elem",
    "line_of",
    "load_names",
    "start_trans",
    "start_user_session",
]
