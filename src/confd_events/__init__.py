"""Event notifications of Cisco NSO and ConfD, as Python dicts.

The functions, classes and constants are those of the vendor's events module, under the same
names; see docs/ for the reference.
"""

try:
    from . import _events
except ImportError as failure:
    if "libconfd.so" not in str(failure) or "cannot open" not in str(failure):
        raise
    from ._missing import explanation

    raise ImportError(explanation()) from failure

from . import error
from ._events import *  # noqa: F403
from ._version import __version__

__all__ = ["__version__", "error"]
__all__ += _events.__all__
