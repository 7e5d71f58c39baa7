"""Numbers of the protocol: notification bits, enumerations, error codes.

They repeat what the compiled module publishes, so that a daemon needs no libconfd.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


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


class Client(IntEnum):
    """First byte of a hello: what the client wants."""

    SCHEMAS = 5
    EVENTS = 11


class ErrorCode(IntEnum):
    """Codes of the daemon's refusals that this package sends itself."""

    NOEXISTS = 1
    NOSESSION = 22
    XPATH = 50


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
