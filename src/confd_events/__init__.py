"""Event notifications of Cisco NSO and ConfD, as Python dicts.

The functions, classes and constants are those of the vendor's events module, under the same
names; see docs/ for the reference.
"""

from . import _events, error
from ._events import *  # noqa: F403
from ._version import __version__

__all__ = ["__version__", "error"]
__all__ += _events.__all__
