"""A simulated daemon for tests: a real server that speaks the notification protocol.

::

    with Daemon() as daemon:
        events.notifications_connect(sock, events.NOTIF_AUDIT, **daemon.address)
        daemon.wait_for_subscribers()
        daemon.audit(user="admin", msg="logged in", usid=7)

`DaemonProcess` is the same in another process. Needs the extra ``testing``.
"""

try:
    import erlang as _erlang  # noqa: F401
except ImportError as error:
    raise ImportError("confd_events.testing: install confd-events[testing]") from error

from confd_events.enums import (
    CallHome,
    CompactionFile,
    CompactionType,
    ConfirmedCommit,
    CqItem,
    Database,
    DataProvider,
    ErrorCode,
    ForwardInfo,
    HaInfo,
    Notif,
    ProgressType,
    SnmpPdu,
    SnmpType,
    SubagentInfo,
    Upgrade,
    UserSess,
)

from . import value
from ._changes import DataChange
from ._daemon import Daemon
from ._delivery import Acknowledgement, Delivery
from ._faults import Faults
from ._fields import SnmpColumn, SnmpOid, SnmpVariable, TagValue, User
from ._notifications import encode
from ._process import DaemonProcess
from ._subscriber import Subscriber
from ._terms import Atom, Improper, TermError, decode, frame_of
from ._times import DateTime
from .value import Typed

__all__ = [
    "Acknowledgement",
    "Atom",
    "CallHome",
    "CompactionFile",
    "CompactionType",
    "ConfirmedCommit",
    "CqItem",
    "Daemon",
    "DaemonProcess",
    "DataChange",
    "DataProvider",
    "Database",
    "DateTime",
    "Delivery",
    "ErrorCode",
    "Faults",
    "ForwardInfo",
    "HaInfo",
    "Improper",
    "Notif",
    "ProgressType",
    "SnmpColumn",
    "SnmpOid",
    "SnmpPdu",
    "SnmpType",
    "SnmpVariable",
    "SubagentInfo",
    "Subscriber",
    "TagValue",
    "TermError",
    "Typed",
    "Upgrade",
    "User",
    "UserSess",
    "decode",
    "encode",
    "frame_of",
    "value",
]
