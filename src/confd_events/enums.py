"""The numbers of notifications as enumerations: bits, types, datastores, flags, error codes.

Members are integers: ``Database.RUNNING == confd_events.RUNNING``. Each is there whatever release
of libconfd is in use. The reference of notifications names the enumeration of each key; `label()`
writes a member as users type it.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "AddressFamily",
    "CallHome",
    "CommitFlag",
    "CompactionFile",
    "CompactionType",
    "ConfirmedCommit",
    "CqItem",
    "DataProvider",
    "Database",
    "ErrorCode",
    "ForwardInfo",
    "GenericTrap",
    "HaInfo",
    "LockMode",
    "Notif",
    "ProgressType",
    "Proto",
    "SessionFlag",
    "SnmpError",
    "SnmpPdu",
    "SnmpType",
    "StreamType",
    "SubagentInfo",
    "SyslogPriority",
    "Upgrade",
    "UserSess",
    "VarbindType",
    "Verbosity",
    "label",
    "notif",
]


class Notif(IntFlag):
    """Notification bits, as used in a subscription's mask."""

    AUDIT = 1 << 0
    DAEMON = 1 << 1
    TAKEOVER_SYSLOG = 1 << 2
    COMMIT_SIMPLE = 1 << 3
    COMMIT_DIFF = 1 << 4
    USER_SESSION = 1 << 5
    HA_INFO = 1 << 6
    SUBAGENT_INFO = 1 << 7
    COMMIT_FAILED = 1 << 8
    SNMPA = 1 << 9
    FORWARD_INFO = 1 << 10
    NETCONF = 1 << 11
    DEVEL = 1 << 12
    HEARTBEAT = 1 << 13
    CONFIRMED_COMMIT = 1 << 14
    UPGRADE_EVENT = 1 << 15
    COMMIT_PROGRESS = 1 << 16
    AUDIT_SYNC = 1 << 17
    HEALTH_CHECK = 1 << 18
    STREAM_EVENT = 1 << 19
    HA_INFO_SYNC = 1 << 20
    PACKAGE_RELOAD = 1 << 21
    CQ_PROGRESS = 1 << 22
    REOPEN_LOGS = 1 << 23
    PROGRESS = 1 << 24
    CALL_HOME_INFO = 1 << 25
    JSONRPC = 1 << 26
    WEBUI = 1 << 27
    AUDIT_NETWORK = 1 << 28
    AUDIT_NETWORK_SYNC = 1 << 29
    COMPACTION = 1 << 30
    SYSTEM_GOING_DOWN = 1 << 31


class CommitFlag(IntFlag):
    """What is special about a commit: NOTIF_COMMIT_FLAG_…."""

    CONFIRMED = 1 << 0
    CONFIRMED_EXTENDED = 1 << 1


class Database(IntEnum):
    """Datastores."""

    NO_DB = 0
    CANDIDATE = 1
    RUNNING = 2
    STARTUP = 3
    OPERATIONAL = 4
    TRANSACTION = 5
    PRE_COMMIT_RUNNING = 6
    INTENDED = 7


class UserSess(IntEnum):
    """What happened to a user session."""

    START = 1
    STOP = 2
    LOCK = 3
    UNLOCK = 4
    START_TRANS = 5
    STOP_TRANS = 6


class HaInfo(IntEnum):
    """What happened to the HA cluster."""

    NOPRIMARY = 1
    SECONDARY_DIED = 2
    SECONDARY_ARRIVED = 3
    SECONDARY_INITIALIZED = 4
    IS_PRIMARY = 5
    IS_NONE = 6
    BESECONDARY_RESULT = 7


class SubagentInfo(IntEnum):
    """State of a subagent."""

    UP = 1
    DOWN = 2


class DataProvider(IntEnum):
    """Who failed a commit."""

    CDB = 1
    NETCONF = 2
    EXTERNAL = 3
    SNMPGW = 4
    JAVASCRIPT = 5


class ForwardInfo(IntEnum):
    """State of a forwarding target."""

    UP = 1
    DOWN = 2
    FAILED = 3


class ConfirmedCommit(IntEnum):
    """Steps of a confirmed commit."""

    CONFIRMED = 1
    CONFIRMING = 2
    ABORT = 3


class Upgrade(IntEnum):
    """Steps of a data model upgrade."""

    INIT_STARTED = 1
    INIT_SUCCEEDED = 2
    PERFORMED = 3
    COMMITED = 4
    ABORTED = 5


class SnmpPdu(IntEnum):
    """SNMP PDU types."""

    V1TRAP = 1
    V2TRAP = 2
    INFORM = 3
    GET_RESPONSE = 4
    GET_REQUEST = 5
    GET_NEXT_REQUEST = 6
    REPORT = 7
    GET_BULK_REQUEST = 8
    SET_REQUEST = 9


class VarbindType(IntEnum):
    """What names an SNMP variable."""

    VARIABLE = 1
    OID = 2
    COL_ROW = 3


class SnmpType(IntEnum):
    """Types of an SNMP variable's value."""

    NULL = 0
    INTEGER = 1
    INTEGER32 = 2
    OCTET_STRING = 3
    OBJECT_IDENTIFIER = 4
    IP_ADDRESS = 5
    COUNTER32 = 6
    TIME_TICKS = 7
    OPAQUE = 8
    COUNTER64 = 9
    UNSIGNED32 = 10


class SnmpError(IntEnum):
    """Error status of an SNMP PDU (RFC 3416)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_ENCODING = 9
    WRONG_VALUE = 10
    NO_CREATION = 11
    INCONSISTENT_VALUE = 12
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    UNDO_FAILED = 15
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17
    INCONSISTENT_NAME = 18


class GenericTrap(IntEnum):
    """Generic trap of an SNMPv1 trap (RFC 1157)."""

    COLD_START = 0
    WARM_START = 1
    LINK_DOWN = 2
    LINK_UP = 3
    AUTHENTICATION_FAILURE = 4
    EGP_NEIGHBOR_LOSS = 5
    ENTERPRISE_SPECIFIC = 6


class ProgressType(IntEnum):
    """Types of a progress event."""

    START = 1
    STOP = 2
    INFO = 3


class CompactionFile(IntEnum):
    """Database files."""

    A_CDB = 1
    O_CDB = 2
    S_CDB = 3


class CompactionType(IntEnum):
    """What started a compaction."""

    AUTOMATIC = 1
    MANUAL = 2


class StreamType(IntEnum):
    """What arrived on a stream."""

    NOTIFICATION_EVENT = 1
    NOTIFICATION_COMPLETE = 2
    REPLAY_COMPLETE = 3
    REPLAY_FAILED = 4


class CqItem(IntEnum):
    """States of a commit queue item."""

    WAITING = 1
    EXECUTING = 2
    LOCKED = 3
    COMPLETED = 4
    FAILED = 5
    DELETED = 6


class CallHome(IntEnum):
    """What a device that called home did."""

    CONNECTED = 1
    UNKNOWN = 2
    DISCONNECTED = 3


class SyslogPriority(IntEnum):
    """Priority of a line of a log, without a facility."""

    EMERG = 0
    ALERT = 1
    CRIT = 2
    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


class AddressFamily(IntEnum):
    """Kind of an address, as on Linux."""

    UNSPEC = 0
    INET = 2
    INET6 = 10


class Proto(IntEnum):
    """Transport of a user session."""

    UNKNOWN = 0
    TCP = 1
    SSH = 2
    SYSTEM = 3
    CONSOLE = 4
    SSL = 5
    HTTP = 6
    HTTPS = 7
    UDP = 8
    TLS = 9


class LockMode(IntEnum):
    """Lock that a user session holds."""

    NONE = 0
    PRIVATE = 1
    EXCLUSIVE = 2
    SHARED = 3


class SessionFlag(IntFlag):
    """What else there is to a user session: USESS_FLAG_…."""

    FORWARD = 1 << 0
    HAS_IDENTIFICATION = 1 << 1
    HAS_OPAQUE = 1 << 2


class Verbosity(IntEnum):
    """How much progress to report: NotificationsData.verbosity."""

    NORMAL = 0
    VERBOSE = 1
    VERY_VERBOSE = 2
    DEBUG = 3


class ErrorCode(IntEnum):
    """Reasons for a failure: Error.confd_errno, and what went wrong in HaInfo's payload."""

    NOEXISTS = 1
    ALREADY_EXISTS = 2
    ACCESS_DENIED = 3
    NOT_WRITABLE = 4
    BADTYPE = 5
    NOTCREATABLE = 6
    NOTDELETABLE = 7
    BADPATH = 8
    NOSTACK = 9
    LOCKED = 10
    INUSE = 11
    NOTSET = 12
    NON_UNIQUE = 13
    BAD_KEYREF = 14
    TOO_FEW_ELEMS = 15
    TOO_MANY_ELEMS = 16
    BADSTATE = 17
    INTERNAL = 18
    EXTERNAL = 19
    MALLOC = 20
    PROTOUSAGE = 21
    NOSESSION = 22
    TOOMANYTRANS = 23
    OS = 24
    HA_CONNECT = 25
    HA_CLOSED = 26
    HA_BADFXS = 27
    HA_BADTOKEN = 28
    HA_BADNAME = 29
    HA_BIND = 30
    HA_NOTICK = 31
    VALIDATION_WARNING = 32
    SUBAGENT_DOWN = 33
    LIB_NOT_INITIALIZED = 34
    TOO_MANY_SESSIONS = 35
    BAD_CONFIG = 36
    RESOURCE_DENIED = 37
    INCONSISTENT_VALUE = 38
    APPLICATION_INTERNAL = 39
    UNSET_CHOICE = 40
    MUST_FAILED = 41
    MISSING_INSTANCE = 42
    INVALID_INSTANCE = 43
    UNAVAILABLE = 44
    EOF = 45
    NOTMOVABLE = 46
    HA_WITH_UPGRADE = 47
    TIMEOUT = 48
    ABORTED = 49
    XPATH = 50
    NOT_IMPLEMENTED = 51
    HA_BADVSN = 52
    POLICY_FAILED = 53
    POLICY_COMPILATION_FAILED = 54
    POLICY_EVALUATION_FAILED = 55
    CONNECTION_REFUSED = 56
    START_FAILED = 57
    DATA_MISSING = 58
    CLI_CMD = 59
    UPGRADE_IN_PROGRESS = 60
    NOTRANS = 61
    SERVICE_CONFLICT = 62
    CONNECTION_TIMEOUT = 63
    CONNECTION_CLOSED = 64
    DEVICE = 65
    TEMPLATE = 66
    NO_MOUNT_ID = 67
    STALE_INSTANCE = 68
    HA_BADCONFIG = 69
    TRANSACTION_CONFLICT = 70
    HA_ABORT = 71
    BAD_PAYLOAD = 72
    CHECKSUM_MISMATCH = 73


_PREFIXES = ("NCS_NOTIF_", "NOTIF_")
# Names of constants that are no bits of their own.
_OTHER_NAMES = {"SYSLOG": Notif.DAEMON, "SYSLOG_TAKEOVER": Notif.DAEMON | Notif.TAKEOVER_SYSLOG}


def label(member: IntEnum | IntFlag) -> str:
    """Return a member's name as users type it.

    "commit-diff" for Notif.COMMIT_DIFF. Flags are joined, such as "confirmed|confirmed-extended";
    bits without a name are a hexadecimal number, and no flags at all are "none".
    """
    if isinstance(member, IntFlag):
        return "|".join(_flag_names(member)) or "none"
    return _spelled(member.name)


def _flag_names(flags: IntFlag) -> Iterator[str]:
    rest = int(flags)
    for name, flag in type(flags).__members__.items():
        if rest & int(flag):
            yield _spelled(name)
            rest ^= int(flag)
    if rest:
        yield hex(rest)


def _spelled(name: str) -> str:
    return name.lower().replace("_", "-")


def notif(name: str) -> Notif:
    """Return the notification of that name, the inverse of label().

    name -- such as commit-diff, COMMIT_DIFF, NOTIF_COMMIT_DIFF or NCS_NOTIF_CQ_PROGRESS; case
        does not matter, nor which of - and _ is used

    Raises ValueError for another name.
    """
    key = name.strip().upper().replace("-", "_")
    for prefix in _PREFIXES:
        if key.startswith(prefix):
            key = key[len(prefix) :]
            break
    found = Notif.__members__.get(key, _OTHER_NAMES.get(key))
    if found is None:
        raise ValueError(_no_such(name, key))
    return found


def _no_such(name: str, key: str) -> str:
    from difflib import get_close_matches

    known = Notif.__members__
    parts = [each for each in known if key and key in each]
    close = [_spelled(each) for each in parts[:3] or get_close_matches(key, known)]
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {_listed(known)}"
    return f"no notification is called {name!r}; {hint}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_spelled, names))
