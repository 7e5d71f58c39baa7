# Every name that some release of libconfd has is declared; library()["missing"] tells which the
# one in use lacks. Where an argument hides a builtin, its name is the vendor's.

import os
from _socket import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    NoReturn,
    Protocol,
    SupportsIndex,
    TypeVar,
    overload,
    type_check_only,
)

from typing_extensions import Self, TypeAlias, disjoint_base

from .error import EOF as EOF
from .error import Error as Error
from .payloads import LibraryInfo, NotificationDict

__all__ = [
    "ABORT_COMMIT",
    "ADDR",
    "CALL_HOME_DEVICE_CONNECTED",
    "CALL_HOME_DEVICE_DISCONNECTED",
    "CALL_HOME_UNKNOWN_DEVICE",
    "CANDIDATE",
    "COMPACTION_AUTOMATIC",
    "COMPACTION_A_CDB",
    "COMPACTION_MANUAL",
    "COMPACTION_O_CDB",
    "COMPACTION_S_CDB",
    "CONFD_EOF",
    "CONFD_ERR",
    "CONFD_OK",
    "CONFD_PORT",
    "CONFIRMED_COMMIT",
    "CONFIRMING_COMMIT",
    "C_BINARY",
    "C_BIT32",
    "C_BIT64",
    "C_BITBIG",
    "C_BOOL",
    "C_BUF",
    "C_CDBBEGIN",
    "C_DATE",
    "C_DATETIME",
    "C_DECIMAL64",
    "C_DEFAULT",
    "C_DOUBLE",
    "C_DQUAD",
    "C_DURATION",
    "C_EMPTY",
    "C_ENUM_HASH",
    "C_ENUM_VALUE",
    "C_HEXSTR",
    "C_IDENTITYREF",
    "C_INT8",
    "C_INT16",
    "C_INT32",
    "C_INT64",
    "C_IPV4",
    "C_IPV4PREFIX",
    "C_IPV4_AND_PLEN",
    "C_IPV6",
    "C_IPV6PREFIX",
    "C_IPV6_AND_PLEN",
    "C_LIST",
    "C_NOEXISTS",
    "C_OBJECTREF",
    "C_OID",
    "C_PTR",
    "C_QNAME",
    "C_STR",
    "C_SYMBOL",
    "C_TIME",
    "C_UINT8",
    "C_UINT16",
    "C_UINT32",
    "C_UINT64",
    "C_UNION",
    "C_XMLBEGIN",
    "C_XMLBEGINDEL",
    "C_XMLEND",
    "C_XMLMOVEAFTER",
    "C_XMLMOVEFIRST",
    "C_XMLTAG",
    "DP_CDB",
    "DP_EXTERNAL",
    "DP_JAVASCRIPT",
    "DP_NETCONF",
    "DP_SNMPGW",
    "EOF",
    "ERR_ABORTED",
    "ERR_ACCESS_DENIED",
    "ERR_ALREADY_EXISTS",
    "ERR_APPLICATION_INTERNAL",
    "ERR_BADPATH",
    "ERR_BADSTATE",
    "ERR_BADTYPE",
    "ERR_BAD_CONFIG",
    "ERR_BAD_KEYREF",
    "ERR_BAD_PAYLOAD",
    "ERR_CHECKSUM_MISMATCH",
    "ERR_CLI_CMD",
    "ERR_DATA_MISSING",
    "ERR_EOF",
    "ERR_EXTERNAL",
    "ERR_HA_ABORT",
    "ERR_HA_BADCONFIG",
    "ERR_HA_BADFXS",
    "ERR_HA_BADNAME",
    "ERR_HA_BADTOKEN",
    "ERR_HA_BADVSN",
    "ERR_HA_BIND",
    "ERR_HA_CLOSED",
    "ERR_HA_CONNECT",
    "ERR_HA_NOTICK",
    "ERR_HA_WITH_UPGRADE",
    "ERR_INCONSISTENT_VALUE",
    "ERR_INTERNAL",
    "ERR_INUSE",
    "ERR_INVALID_INSTANCE",
    "ERR_LIB_NOT_INITIALIZED",
    "ERR_LOCKED",
    "ERR_MALLOC",
    "ERR_MISSING_INSTANCE",
    "ERR_MUST_FAILED",
    "ERR_NOEXISTS",
    "ERR_NON_UNIQUE",
    "ERR_NOSESSION",
    "ERR_NOSTACK",
    "ERR_NOTCREATABLE",
    "ERR_NOTDELETABLE",
    "ERR_NOTMOVABLE",
    "ERR_NOTRANS",
    "ERR_NOTSET",
    "ERR_NOT_IMPLEMENTED",
    "ERR_NOT_WRITABLE",
    "ERR_NO_MOUNT_ID",
    "ERR_OS",
    "ERR_POLICY_COMPILATION_FAILED",
    "ERR_POLICY_EVALUATION_FAILED",
    "ERR_POLICY_FAILED",
    "ERR_PROTOUSAGE",
    "ERR_RESOURCE_DENIED",
    "ERR_STALE_INSTANCE",
    "ERR_START_FAILED",
    "ERR_SUBAGENT_DOWN",
    "ERR_TIMEOUT",
    "ERR_TOOMANYTRANS",
    "ERR_TOO_FEW_ELEMS",
    "ERR_TOO_MANY_ELEMS",
    "ERR_TOO_MANY_SESSIONS",
    "ERR_TRANSACTION_CONFLICT",
    "ERR_UNAVAILABLE",
    "ERR_UNSET_CHOICE",
    "ERR_UPGRADE_IN_PROGRESS",
    "ERR_VALIDATION_WARNING",
    "ERR_XPATH",
    "FORWARD_INFO_DOWN",
    "FORWARD_INFO_FAILED",
    "FORWARD_INFO_UP",
    "HA_INFO_BESECONDARY_RESULT",
    "HA_INFO_BESLAVE_RESULT",
    "HA_INFO_IS_MASTER",
    "HA_INFO_IS_NONE",
    "HA_INFO_IS_PRIMARY",
    "HA_INFO_NOMASTER",
    "HA_INFO_NOPRIMARY",
    "HA_INFO_SECONDARY_ARRIVED",
    "HA_INFO_SECONDARY_DIED",
    "HA_INFO_SECONDARY_INITIALIZED",
    "HA_INFO_SLAVE_ARRIVED",
    "HA_INFO_SLAVE_DIED",
    "HA_INFO_SLAVE_INITIALIZED",
    "INTENDED",
    "NCS_CQ_ITEM_COMPLETED",
    "NCS_CQ_ITEM_DELETED",
    "NCS_CQ_ITEM_EXECUTING",
    "NCS_CQ_ITEM_FAILED",
    "NCS_CQ_ITEM_LOCKED",
    "NCS_CQ_ITEM_WAITING",
    "NCS_ERR_CONNECTION_CLOSED",
    "NCS_ERR_CONNECTION_REFUSED",
    "NCS_ERR_CONNECTION_TIMEOUT",
    "NCS_ERR_DEVICE",
    "NCS_ERR_SERVICE_CONFLICT",
    "NCS_ERR_TEMPLATE",
    "NCS_NOTIF_AUDIT_NETWORK",
    "NCS_NOTIF_AUDIT_NETWORK_SYNC",
    "NCS_NOTIF_CALL_HOME_INFO",
    "NCS_NOTIF_CQ_PROGRESS",
    "NCS_NOTIF_PACKAGE_RELOAD",
    "NCS_PATH",
    "NCS_PORT",
    "NOTIF_AUDIT",
    "NOTIF_AUDIT_NETWORK",
    "NOTIF_AUDIT_NETWORK_SYNC",
    "NOTIF_AUDIT_SYNC",
    "NOTIF_CALL_HOME_INFO",
    "NOTIF_COMMIT_DIFF",
    "NOTIF_COMMIT_FAILED",
    "NOTIF_COMMIT_FLAG_CONFIRMED",
    "NOTIF_COMMIT_FLAG_CONFIRMED_EXTENDED",
    "NOTIF_COMMIT_PROGRESS",
    "NOTIF_COMMIT_SIMPLE",
    "NOTIF_COMPACTION",
    "NOTIF_CONFIRMED_COMMIT",
    "NOTIF_CQ_PROGRESS",
    "NOTIF_DAEMON",
    "NOTIF_DEVEL",
    "NOTIF_FORWARD_INFO",
    "NOTIF_HA_INFO",
    "NOTIF_HA_INFO_SYNC",
    "NOTIF_HEALTH_CHECK",
    "NOTIF_HEARTBEAT",
    "NOTIF_JSONRPC",
    "NOTIF_NETCONF",
    "NOTIF_PACKAGE_RELOAD",
    "NOTIF_PROGRESS",
    "NOTIF_REOPEN_LOGS",
    "NOTIF_SNMPA",
    "NOTIF_STREAM_EVENT",
    "NOTIF_SUBAGENT_INFO",
    "NOTIF_SYSLOG",
    "NOTIF_SYSLOG_TAKEOVER",
    "NOTIF_SYSTEM_GOING_DOWN",
    "NOTIF_TAKEOVER_SYSLOG",
    "NOTIF_UPGRADE_EVENT",
    "NOTIF_USER_SESSION",
    "NOTIF_WEBUI",
    "NO_DB",
    "OPERATIONAL",
    "PATH",
    "PORT",
    "PRE_COMMIT_RUNNING",
    "PROGRESS_ATTRIBUTE_NUMBER",
    "PROGRESS_ATTRIBUTE_STRING",
    "PROGRESS_INFO",
    "PROGRESS_START",
    "PROGRESS_STOP",
    "PROTO_CONSOLE",
    "PROTO_HTTP",
    "PROTO_HTTPS",
    "PROTO_SSH",
    "PROTO_SSL",
    "PROTO_SYSTEM",
    "PROTO_TCP",
    "PROTO_TLS",
    "PROTO_TRACE",
    "PROTO_UDP",
    "PROTO_UNKNOWN",
    "RUNNING",
    "SNMPA_PDU_GET_BULK_REQUEST",
    "SNMPA_PDU_GET_NEXT_REQUEST",
    "SNMPA_PDU_GET_REQUEST",
    "SNMPA_PDU_GET_RESPONSE",
    "SNMPA_PDU_INFORM",
    "SNMPA_PDU_REPORT",
    "SNMPA_PDU_SET_REQUEST",
    "SNMPA_PDU_V1TRAP",
    "SNMPA_PDU_V2TRAP",
    "SNMP_COL_ROW",
    "SNMP_INTEGER",
    "SNMP_NULL",
    "SNMP_OBJECT_IDENTIFIER",
    "SNMP_OCTET_STRING",
    "SNMP_OID",
    "SNMP_VARIABLE",
    "STARTUP",
    "STREAM_NOTIFICATION_COMPLETE",
    "STREAM_NOTIFICATION_EVENT",
    "STREAM_REPLAY_COMPLETE",
    "STREAM_REPLAY_FAILED",
    "SUBAGENT_INFO_DOWN",
    "SUBAGENT_INFO_UP",
    "TIMEZONE_UNDEF",
    "TRANSACTION",
    "UPGRADE_ABORTED",
    "UPGRADE_COMMITED",
    "UPGRADE_INIT_STARTED",
    "UPGRADE_INIT_SUCCEEDED",
    "UPGRADE_PERFORMED",
    "USER_SESS_LOCK",
    "USER_SESS_START",
    "USER_SESS_START_TRANS",
    "USER_SESS_STOP",
    "USER_SESS_STOP_TRANS",
    "USER_SESS_UNLOCK",
    "USESS_FLAG_FORWARD",
    "USESS_FLAG_HAS_IDENTIFICATION",
    "USESS_FLAG_HAS_OPAQUE",
    "USESS_LOCK_MODE_EXCLUSIVE",
    "USESS_LOCK_MODE_NONE",
    "USESS_LOCK_MODE_PRIVATE",
    "USESS_LOCK_MODE_SHARED",
    "VERBOSITY_DEBUG",
    "VERBOSITY_NORMAL",
    "VERBOSITY_VERBOSE",
    "VERBOSITY_VERY_VERBOSE",
    "DateTime",
    "Error",
    "HKeypathRef",
    "Notification",
    "NotificationsData",
    "ProgressLink",
    "SNMP_Counter32",
    "SNMP_Counter64",
    "SNMP_Interger32",
    "SNMP_IpAddress",
    "SNMP_Opaque",
    "SNMP_TimeTicks",
    "SNMP_Unsigned32",
    "SnmpVarbind",
    "TagValue",
    "TransCtxRef",
    "UserInfo",
    "Value",
    "XmlTag",
    "diff_notification_done",
    "hash2str",
    "library",
    "load_schemas",
    "log_description",
    "log_symbol",
    "notifications_connect",
    "notifications_connect2",
    "ns2prefix",
    "read_notification",
    "read_notifications",
    "str2hash",
    "sync_audit_network_notification",
    "sync_audit_notification",
    "sync_ha_notification",
]

_E = TypeVar("_E")

# Arguments

@type_check_only
class _Socket(Protocol):
    def fileno(self) -> int: ...

@type_check_only
class _UnconnectedSocket(_Socket, Protocol):
    @property
    def family(self) -> int: ...

# The vendor's own Value is one, too.
@type_check_only
class _TimeValue(Protocol):
    def confd_type(self) -> int: ...

_Path: TypeAlias = str | bytes | os.PathLike[str] | None
_Time: TypeAlias = _TimeValue | DateTime | datetime | str | None

# Subscribing

def notifications_connect(
    sock: _UnconnectedSocket,
    mask: int,
    ip: str | None = None,
    port: int | None = None,
    path: _Path = None,
) -> None: ...
def notifications_connect2(
    sock: _UnconnectedSocket,
    mask: int,
    data: NotificationsData,
    ip: str | None = None,
    port: int | None = None,
    path: _Path = None,
) -> None: ...

# Reading

def read_notification(sock: _Socket) -> NotificationDict: ...
def read_notifications(
    sock: _Socket,
    max: int = 100,  # noqa: A002
    timeout: float | None = None,
) -> list[NotificationDict]: ...
def _read_into(
    result: list[NotificationDict],
    sock: _Socket,
    max: int,  # noqa: A002
    timeout: float | None,
) -> None: ...
def _count_begun(sock: _Socket) -> int: ...

# Subscriptions

@disjoint_base
class _Notification:
    def __init__(self, raw: NotificationDict, read: float) -> None: ...
    @property
    def raw(self) -> NotificationDict: ...
    @property
    def _read(self) -> float: ...

def _make_events(
    kind: type[_Notification],
    arrived: Iterable[NotificationDict],
    read: float,
    into: list[_E] | deque[_E],
) -> None: ...

@disjoint_base
class _PlainEvents(Generic[_E]):
    def __init__(self, take: Callable[[], _E], wait: Callable[[], _E]) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _E: ...

# Acknowledging

def diff_notification_done(sock: _Socket, tctx: TransCtxRef) -> None: ...
def sync_audit_notification(sock: _Socket, usid: int) -> None: ...
def sync_ha_notification(sock: _Socket) -> None: ...
def sync_audit_network_notification(sock: _Socket, usid: int) -> None: ...

# Names

def load_schemas(
    ip: str | None = None,
    port: int | None = None,
    path: _Path = None,
    timeout: float | None = None,
) -> None: ...
def _schemas_loaded() -> bool: ...
def _maapi_socket(family: int) -> socket: ...
def _maapi_connect(
    sock: _Socket,
    ip: str | None = None,
    port: int | None = None,
    path: _Path = None,
    limit: float | None = None,
) -> None: ...
def _maapi_attach2(
    sock: _Socket,
    hashed_ns: int,
    usid: int,
    thandle: SupportsIndex,
    limit: float | None = None,
) -> None: ...
def _maapi_detach2(sock: _Socket, thandle: SupportsIndex, limit: float | None = None) -> None: ...
def _maapi_get_elem(
    sock: _Socket, thandle: SupportsIndex, path: HKeypathRef, limit: float | None = None
) -> Value: ...
def _maapi_get_elems(
    sock: _Socket,
    thandle: SupportsIndex,
    paths: list[HKeypathRef],
    limit: float | None = None,
) -> list[Value | None]: ...
def _maapi_start_user_session(
    sock: _Socket,
    username: str,
    context: str,
    groups: Iterable[str],
    src_addr: str,
    prot: int,
    limit: float | None = None,
) -> None: ...
def _maapi_start_trans(
    sock: _Socket, name: int, readwrite: int, limit: float | None = None
) -> int: ...
def _maapi_finish_trans(
    sock: _Socket, thandle: SupportsIndex, limit: float | None = None
) -> None: ...
def hash2str(hash: int) -> str | None: ...  # noqa: A002
def str2hash(str: str) -> int: ...  # noqa: A002
def ns2prefix(ns: int) -> str | None: ...
def log_symbol(logno: int) -> str | None: ...
def log_description(logno: int) -> str | None: ...
def library() -> LibraryInfo: ...

# Classes

@disjoint_base
class XmlTag:
    def __init__(self, ns: int, tag: int) -> None: ...
    @property
    def ns(self) -> int: ...
    @property
    def tag(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@disjoint_base
class DateTime:
    def __init__(
        self,
        year: int,
        month: int,
        day: int,
        hour: int = 0,
        min: int = 0,  # noqa: A002
        sec: int = 0,
        micro: int = 0,
        timezone: int = -111,
        timezone_minutes: int = 0,
    ) -> None: ...
    @property
    def year(self) -> int: ...
    @property
    def month(self) -> int: ...
    @property
    def day(self) -> int: ...
    @property
    def hour(self) -> int: ...
    @property
    def min(self) -> int: ...
    @property
    def sec(self) -> int: ...
    @property
    def micro(self) -> int: ...
    @property
    def timezone(self) -> int: ...
    @property
    def timezone_minutes(self) -> int: ...
    def to_datetime(self) -> datetime: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@disjoint_base
class Value:
    def __init__(self, init: object, type: int | None = None) -> None: ...  # noqa: A002
    @classmethod
    def str2val(cls, value: str, schema_type: str | tuple[int | str, str]) -> Value: ...
    def val2str(self, schema_type: str | tuple[int | str, str]) -> str: ...
    def confd_type(self) -> int: ...
    def confd_type_str(self) -> str: ...
    # Any: which of a dozen types it is, confd_type() says, and a type checker can't know.
    def as_pyval(self) -> Any: ...
    def as_decimal64(self) -> tuple[int, int]: ...
    def as_decimal(self) -> Decimal: ...
    def to_datetime(self) -> datetime: ...
    def as_list(self) -> list[Value]: ...
    def as_xmltag(self) -> XmlTag: ...
    def _mapped(self, convert: Callable[[Value], Any]) -> Any: ...
    def _size(self) -> int: ...
    def __int__(self) -> int: ...
    def __float__(self) -> float: ...
    # The order of text, of numbers, and of equal Values.
    def __lt__(self, other: str | int, /) -> bool: ...
    def __le__(self, other: str | int | Value, /) -> bool: ...
    def __gt__(self, other: str | int, /) -> bool: ...
    def __ge__(self, other: str | int | Value, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __bool__(self) -> bool: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> Value: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Value]: ...
    def __iter__(self) -> Iterator[Value]: ...
    def __contains__(self, item: object, /) -> bool: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object) -> Self: ...

@disjoint_base
class HKeypathRef:
    def __init__(self, elements: Iterable[XmlTag | Sequence[Value]]) -> None: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> XmlTag | tuple[Value, ...]: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[XmlTag | tuple[Value, ...], ...]: ...
    def __iter__(self) -> Iterator[XmlTag | tuple[Value, ...]]: ...
    def __reversed__(self) -> Iterator[XmlTag | tuple[Value, ...]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object) -> Self: ...
    def __reduce__(self) -> NoReturn: ...

@disjoint_base
class _DiffIteration:
    def __init__(self, sock: _Socket, thandle: SupportsIndex, flags: int) -> None: ...
    @property
    def over(self) -> bool: ...
    # Any: what the new value is depends on the operation.
    def read(
        self, most: int, reply: int | None = None, limit: float | None = None
    ) -> list[tuple[HKeypathRef, int, Value | None, Any]]: ...

@disjoint_base
class TagValue:
    @overload
    def __init__(self, xmltag: XmlTag, v: Value) -> None: ...
    @overload
    def __init__(self, *, tag: int, ns: int) -> None: ...
    @property
    def ns(self) -> int: ...
    @property
    def tag(self) -> int: ...
    @property
    def v(self) -> Value: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object) -> Self: ...

@disjoint_base
class SnmpVarbind:
    def __init__(
        self,
        type: int,  # noqa: A002
        val: Value,
        vartype: int = 0,
        name: str | None = None,
        oid: list[int] | None = None,
        cr: tuple[str, list[int]] | None = None,
    ) -> None: ...
    @property
    def type(self) -> int: ...
    @property
    def vartype(self) -> int: ...
    @property
    def name(self) -> str | None: ...
    @property
    def oid(self) -> list[int] | None: ...
    @property
    def column(self) -> str | None: ...
    @property
    def rowindex(self) -> list[int] | None: ...
    @property
    def val(self) -> Value: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object) -> Self: ...

@disjoint_base
class ProgressLink:
    def __init__(self, trace_id: str, span_id: str) -> None: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    def __getitem__(self, key: Literal["trace_id", "span_id"], /) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

# An argument of type NoReturn: only read_notification() makes these.
@disjoint_base
class UserInfo:
    def __init__(self, _: NoReturn, /) -> None: ...
    @property
    def username(self) -> str: ...
    @property
    def usid(self) -> int: ...
    @property
    def context(self) -> str: ...
    @property
    def proto(self) -> int: ...
    @property
    def addr(self) -> str: ...
    @property
    def af(self) -> int: ...
    @property
    def port(self) -> int: ...
    @property
    def logintime(self) -> int: ...
    @property
    def lmode(self) -> int: ...
    @property
    def snmp_v3_ctx(self) -> str: ...
    @property
    def clearpass(self) -> str: ...
    @property
    def flags(self) -> int: ...
    @property
    def actx_thandle(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object) -> Self: ...
    def _with_texts(self, change: Callable[[str], str], /) -> UserInfo: ...

# As UserInfo.
@disjoint_base
class TransCtxRef:
    def __init__(self, _: NoReturn, /) -> None: ...
    @property
    def th(self) -> int: ...
    @property
    def fd(self) -> int: ...
    @property
    def uinfo(self) -> UserInfo | None: ...
    @property
    def username(self) -> str | None: ...
    @property
    def context(self) -> str | None: ...
    @property
    def secondary_index(self) -> int: ...
    @property
    def traversal_id(self) -> int: ...
    @property
    def cb_flags(self) -> int: ...
    @property
    def accumulated(self) -> None: ...
    def __index__(self) -> int: ...

class Notification:
    def __new__(cls, *args: object, **kwargs: object) -> NoReturn: ...

@disjoint_base
class NotificationsData:
    def __init__(
        self,
        heartbeat_interval: int = 0,
        health_check_interval: int = 0,
        stream_name: str | None = None,
        start_time: _Time = None,
        stop_time: _Time = None,
        xpath_filter: str | None = None,
        usid: int = 0,
        verbosity: int = 0,
    ) -> None: ...
    @property
    def heartbeat_interval(self) -> int: ...
    @property
    def health_check_interval(self) -> int: ...
    @property
    def stream_name(self) -> str | None: ...
    @property
    def start_time(self) -> Value: ...
    @property
    def stop_time(self) -> Value: ...
    @property
    def xpath_filter(self) -> str | None: ...
    @property
    def usid(self) -> int: ...
    @property
    def verbosity(self) -> int: ...

# Constants

ADDR: str
NCS_PATH: str
PATH: str | None
PORT: int | None

NCS_NOTIF_AUDIT_NETWORK: int
NCS_NOTIF_AUDIT_NETWORK_SYNC: int
NCS_NOTIF_CALL_HOME_INFO: int
NCS_NOTIF_CQ_PROGRESS: int
NCS_NOTIF_PACKAGE_RELOAD: int
NOTIF_AUDIT: int
NOTIF_AUDIT_NETWORK: int
NOTIF_AUDIT_NETWORK_SYNC: int
NOTIF_AUDIT_SYNC: int
NOTIF_CALL_HOME_INFO: int
NOTIF_COMMIT_DIFF: int
NOTIF_COMMIT_FAILED: int
NOTIF_COMMIT_FLAG_CONFIRMED: int
NOTIF_COMMIT_FLAG_CONFIRMED_EXTENDED: int
NOTIF_COMMIT_PROGRESS: int
NOTIF_COMMIT_SIMPLE: int
NOTIF_COMPACTION: int
NOTIF_CONFIRMED_COMMIT: int
NOTIF_CQ_PROGRESS: int
NOTIF_DAEMON: int
NOTIF_DEVEL: int
NOTIF_FORWARD_INFO: int
NOTIF_HA_INFO: int
NOTIF_HA_INFO_SYNC: int
NOTIF_HEALTH_CHECK: int
NOTIF_HEARTBEAT: int
NOTIF_JSONRPC: int
NOTIF_NETCONF: int
NOTIF_PACKAGE_RELOAD: int
NOTIF_PROGRESS: int
NOTIF_REOPEN_LOGS: int
NOTIF_SNMPA: int
NOTIF_STREAM_EVENT: int
NOTIF_SUBAGENT_INFO: int
NOTIF_SYSLOG: int
NOTIF_SYSLOG_TAKEOVER: int
NOTIF_SYSTEM_GOING_DOWN: int
NOTIF_TAKEOVER_SYSLOG: int
NOTIF_UPGRADE_EVENT: int
NOTIF_USER_SESSION: int
NOTIF_WEBUI: int

ABORT_COMMIT: int
CALL_HOME_DEVICE_CONNECTED: int
CALL_HOME_DEVICE_DISCONNECTED: int
CALL_HOME_UNKNOWN_DEVICE: int
COMPACTION_AUTOMATIC: int
COMPACTION_A_CDB: int
COMPACTION_MANUAL: int
COMPACTION_O_CDB: int
COMPACTION_S_CDB: int
CONFIRMED_COMMIT: int
CONFIRMING_COMMIT: int
DP_CDB: int
DP_EXTERNAL: int
DP_JAVASCRIPT: int
DP_NETCONF: int
DP_SNMPGW: int
FORWARD_INFO_DOWN: int
FORWARD_INFO_FAILED: int
FORWARD_INFO_UP: int
HA_INFO_BESECONDARY_RESULT: int
HA_INFO_BESLAVE_RESULT: int
HA_INFO_IS_MASTER: int
HA_INFO_IS_NONE: int
HA_INFO_IS_PRIMARY: int
HA_INFO_NOMASTER: int
HA_INFO_NOPRIMARY: int
HA_INFO_SECONDARY_ARRIVED: int
HA_INFO_SECONDARY_DIED: int
HA_INFO_SECONDARY_INITIALIZED: int
HA_INFO_SLAVE_ARRIVED: int
HA_INFO_SLAVE_DIED: int
HA_INFO_SLAVE_INITIALIZED: int
NCS_CQ_ITEM_COMPLETED: int
NCS_CQ_ITEM_DELETED: int
NCS_CQ_ITEM_EXECUTING: int
NCS_CQ_ITEM_FAILED: int
NCS_CQ_ITEM_LOCKED: int
NCS_CQ_ITEM_WAITING: int
NCS_ERR_CONNECTION_CLOSED: int
NCS_ERR_CONNECTION_REFUSED: int
NCS_ERR_CONNECTION_TIMEOUT: int
NCS_ERR_DEVICE: int
NCS_ERR_SERVICE_CONFLICT: int
NCS_ERR_TEMPLATE: int
PROGRESS_ATTRIBUTE_NUMBER: int
PROGRESS_ATTRIBUTE_STRING: int
PROGRESS_INFO: int
PROGRESS_START: int
PROGRESS_STOP: int
SNMPA_PDU_GET_BULK_REQUEST: int
SNMPA_PDU_GET_NEXT_REQUEST: int
SNMPA_PDU_GET_REQUEST: int
SNMPA_PDU_GET_RESPONSE: int
SNMPA_PDU_INFORM: int
SNMPA_PDU_REPORT: int
SNMPA_PDU_SET_REQUEST: int
SNMPA_PDU_V1TRAP: int
SNMPA_PDU_V2TRAP: int
STREAM_NOTIFICATION_COMPLETE: int
STREAM_NOTIFICATION_EVENT: int
STREAM_REPLAY_COMPLETE: int
STREAM_REPLAY_FAILED: int
SUBAGENT_INFO_DOWN: int
SUBAGENT_INFO_UP: int
UPGRADE_ABORTED: int
UPGRADE_COMMITED: int
UPGRADE_INIT_STARTED: int
UPGRADE_INIT_SUCCEEDED: int
UPGRADE_PERFORMED: int
USER_SESS_LOCK: int
USER_SESS_START: int
USER_SESS_START_TRANS: int
USER_SESS_STOP: int
USER_SESS_STOP_TRANS: int
USER_SESS_UNLOCK: int

CONFD_EOF: int
CONFD_ERR: int
CONFD_OK: int
CONFD_PORT: int
NCS_PORT: int
NO_DB: int
CANDIDATE: int
RUNNING: int
STARTUP: int
OPERATIONAL: int
TRANSACTION: int
PRE_COMMIT_RUNNING: int
INTENDED: int
PROTO_CONSOLE: int
PROTO_HTTP: int
PROTO_HTTPS: int
PROTO_SSH: int
PROTO_SSL: int
PROTO_SYSTEM: int
PROTO_TCP: int
PROTO_TLS: int
PROTO_TRACE: int
PROTO_UDP: int
PROTO_UNKNOWN: int
SNMP_COL_ROW: int
SNMP_Counter32: int
SNMP_Counter64: int
SNMP_INTEGER: int
SNMP_Interger32: int
SNMP_IpAddress: int
SNMP_NULL: int
SNMP_OBJECT_IDENTIFIER: int
SNMP_OCTET_STRING: int
SNMP_OID: int
SNMP_Opaque: int
SNMP_TimeTicks: int
SNMP_Unsigned32: int
SNMP_VARIABLE: int
TIMEZONE_UNDEF: int
USESS_FLAG_FORWARD: int
USESS_FLAG_HAS_IDENTIFICATION: int
USESS_FLAG_HAS_OPAQUE: int
USESS_LOCK_MODE_EXCLUSIVE: int
USESS_LOCK_MODE_NONE: int
USESS_LOCK_MODE_PRIVATE: int
USESS_LOCK_MODE_SHARED: int
VERBOSITY_DEBUG: int
VERBOSITY_NORMAL: int
VERBOSITY_VERBOSE: int
VERBOSITY_VERY_VERBOSE: int

C_BINARY: int
C_BIT32: int
C_BIT64: int
C_BITBIG: int
C_BOOL: int
C_BUF: int
C_CDBBEGIN: int
C_DATE: int
C_DATETIME: int
C_DECIMAL64: int
C_DEFAULT: int
C_DOUBLE: int
C_DQUAD: int
C_DURATION: int
C_EMPTY: int
C_ENUM_HASH: int
C_ENUM_VALUE: int
C_HEXSTR: int
C_IDENTITYREF: int
C_INT16: int
C_INT32: int
C_INT64: int
C_INT8: int
C_IPV4: int
C_IPV4PREFIX: int
C_IPV4_AND_PLEN: int
C_IPV6: int
C_IPV6PREFIX: int
C_IPV6_AND_PLEN: int
C_LIST: int
C_NOEXISTS: int
C_OBJECTREF: int
C_OID: int
C_PTR: int
C_QNAME: int
C_STR: int
C_SYMBOL: int
C_TIME: int
C_UINT16: int
C_UINT32: int
C_UINT64: int
C_UINT8: int
C_UNION: int
C_XMLBEGIN: int
C_XMLBEGINDEL: int
C_XMLEND: int
C_XMLMOVEAFTER: int
C_XMLMOVEFIRST: int
C_XMLTAG: int

ERR_ABORTED: int
ERR_ACCESS_DENIED: int
ERR_ALREADY_EXISTS: int
ERR_APPLICATION_INTERNAL: int
ERR_BADPATH: int
ERR_BADSTATE: int
ERR_BADTYPE: int
ERR_BAD_CONFIG: int
ERR_BAD_KEYREF: int
ERR_BAD_PAYLOAD: int
ERR_CHECKSUM_MISMATCH: int
ERR_CLI_CMD: int
ERR_DATA_MISSING: int
ERR_EOF: int
ERR_EXTERNAL: int
ERR_HA_ABORT: int
ERR_HA_BADCONFIG: int
ERR_HA_BADFXS: int
ERR_HA_BADNAME: int
ERR_HA_BADTOKEN: int
ERR_HA_BADVSN: int
ERR_HA_BIND: int
ERR_HA_CLOSED: int
ERR_HA_CONNECT: int
ERR_HA_NOTICK: int
ERR_HA_WITH_UPGRADE: int
ERR_INCONSISTENT_VALUE: int
ERR_INTERNAL: int
ERR_INUSE: int
ERR_INVALID_INSTANCE: int
ERR_LIB_NOT_INITIALIZED: int
ERR_LOCKED: int
ERR_MALLOC: int
ERR_MISSING_INSTANCE: int
ERR_MUST_FAILED: int
ERR_NOEXISTS: int
ERR_NON_UNIQUE: int
ERR_NOSESSION: int
ERR_NOSTACK: int
ERR_NOTCREATABLE: int
ERR_NOTDELETABLE: int
ERR_NOTMOVABLE: int
ERR_NOTRANS: int
ERR_NOTSET: int
ERR_NOT_IMPLEMENTED: int
ERR_NOT_WRITABLE: int
ERR_NO_MOUNT_ID: int
ERR_OS: int
ERR_POLICY_COMPILATION_FAILED: int
ERR_POLICY_EVALUATION_FAILED: int
ERR_POLICY_FAILED: int
ERR_PROTOUSAGE: int
ERR_RESOURCE_DENIED: int
ERR_STALE_INSTANCE: int
ERR_START_FAILED: int
ERR_SUBAGENT_DOWN: int
ERR_TIMEOUT: int
ERR_TOOMANYTRANS: int
ERR_TOO_FEW_ELEMS: int
ERR_TOO_MANY_ELEMS: int
ERR_TOO_MANY_SESSIONS: int
ERR_TRANSACTION_CONFLICT: int
ERR_UNAVAILABLE: int
ERR_UNSET_CHOICE: int
ERR_UPGRADE_IN_PROGRESS: int
ERR_VALIDATION_WARNING: int
ERR_XPATH: int
