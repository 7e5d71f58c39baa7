"""The classes of notifications, and the types of their keys. Written by ci/names.py."""

# Each takes its own keys alone, for who asks for a wrong one.
# pyright: reportIncompatibleMethodOverride=false

from typing import Literal, TypeVar, overload

from ._events import (
    DateTime,
    ProgressLink,
    SnmpVarbind,
    TagValue,
    TransCtxRef,
    UserInfo,
    Value,
)
from .enums import Notif
from .payloads import HaNode
from .subscription import Event

T = TypeVar("T")

__all__: list[str] = [
    "AuditEvent",
    "AuditNetworkEvent",
    "CallHomeInfoEvent",
    "CommitDiffEvent",
    "CommitFailedEvent",
    "CommitProgressEvent",
    "CommitSimpleEvent",
    "CompactionEvent",
    "ConfirmedCommitEvent",
    "CqProgressEvent",
    "DaemonEvent",
    "DevelEvent",
    "ForwardInfoEvent",
    "HaInfoEvent",
    "HealthCheckEvent",
    "HeartbeatEvent",
    "JsonrpcEvent",
    "NetconfEvent",
    "PackageReloadEvent",
    "ProgressEvent",
    "ReopenLogsEvent",
    "SnmpaEvent",
    "StreamEvent",
    "SubagentInfoEvent",
    "SystemGoingDownEvent",
    "TakeoverSyslogEvent",
    "UpgradeEvent",
    "UserSessionEvent",
    "WebuiEvent",
]

class AuditEvent(Event):
    """A user logged in or out, ran a command, was refused."""

    @property
    def type(self) -> Literal[Notif.AUDIT]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["logno"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["user"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["usid"]) -> int: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["logno", "usid"]) -> int | None: ...
    @overload
    def get(self, key: Literal["logno", "usid"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["user", "msg"]) -> str | None: ...
    @overload
    def get(self, key: Literal["user", "msg"], default: T) -> str | T: ...

class DaemonEvent(Event):
    """A line of the daemon log."""

    @property
    def type(self) -> Literal[Notif.DAEMON]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["prio"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["logno"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["prio", "logno"]) -> int | None: ...
    @overload
    def get(self, key: Literal["prio", "logno"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["msg"]) -> str | None: ...
    @overload
    def get(self, key: Literal["msg"], default: T) -> str | T: ...

class TakeoverSyslogEvent(Event):
    """A flag of the subscription: the daemon stops logging to syslog itself, until the last such
    subscriber is gone. The lines arrive with their own bit.
    """

    @property
    def type(self) -> Literal[Notif.TAKEOVER_SYSLOG]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["prio"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["logno"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["prio", "logno"]) -> int | None: ...
    @overload
    def get(self, key: Literal["prio", "logno"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["msg"]) -> str | None: ...
    @overload
    def get(self, key: Literal["msg"], default: T) -> str | T: ...

class NetconfEvent(Event):
    """A line of the NETCONF log."""

    @property
    def type(self) -> Literal[Notif.NETCONF]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["prio"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["logno"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["prio", "logno"]) -> int | None: ...
    @overload
    def get(self, key: Literal["prio", "logno"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["msg"]) -> str | None: ...
    @overload
    def get(self, key: Literal["msg"], default: T) -> str | T: ...

class DevelEvent(Event):
    """A line of the developer log."""

    @property
    def type(self) -> Literal[Notif.DEVEL]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["prio"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["logno"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["prio", "logno"]) -> int | None: ...
    @overload
    def get(self, key: Literal["prio", "logno"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["msg"]) -> str | None: ...
    @overload
    def get(self, key: Literal["msg"], default: T) -> str | T: ...

class JsonrpcEvent(Event):
    """A line of the JSON-RPC log."""

    @property
    def type(self) -> Literal[Notif.JSONRPC]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["prio"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["logno"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["prio", "logno"]) -> int | None: ...
    @overload
    def get(self, key: Literal["prio", "logno"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["msg"]) -> str | None: ...
    @overload
    def get(self, key: Literal["msg"], default: T) -> str | T: ...

class WebuiEvent(Event):
    """A line of the web UI log."""

    @property
    def type(self) -> Literal[Notif.WEBUI]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["prio"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["logno"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["prio", "logno"]) -> int | None: ...
    @overload
    def get(self, key: Literal["prio", "logno"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["msg"]) -> str | None: ...
    @overload
    def get(self, key: Literal["msg"], default: T) -> str | T: ...

class CommitSimpleEvent(Event):
    """A transaction was committed."""

    @property
    def type(self) -> Literal[Notif.COMMIT_SIMPLE]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["database"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["diff_available"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["flags"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["uinfo"]) -> UserInfo: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["database", "diff_available", "flags"]) -> int | None: ...
    @overload
    def get(self, key: Literal["database", "diff_available", "flags"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["uinfo"]) -> UserInfo | None: ...
    @overload
    def get(self, key: Literal["uinfo"], default: T) -> UserInfo | T: ...

class CommitDiffEvent(Event):
    """A transaction was committed and waits until its differences have been read over MAAPI."""

    @property
    def type(self) -> Literal[Notif.COMMIT_DIFF]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["database"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["flags"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["uinfo"]) -> UserInfo: ...
    @overload
    def __getitem__(self, key: Literal["tctx"]) -> TransCtxRef: ...
    @overload
    def __getitem__(self, key: Literal["comment"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["label"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["database", "flags"]) -> int | None: ...
    @overload
    def get(self, key: Literal["database", "flags"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["uinfo"]) -> UserInfo | None: ...
    @overload
    def get(self, key: Literal["uinfo"], default: T) -> UserInfo | T: ...
    @overload
    def get(self, key: Literal["tctx"]) -> TransCtxRef | None: ...
    @overload
    def get(self, key: Literal["tctx"], default: T) -> TransCtxRef | T: ...
    @overload
    def get(self, key: Literal["comment", "label"]) -> str | None: ...
    @overload
    def get(self, key: Literal["comment", "label"], default: T) -> str | T: ...

class UserSessionEvent(Event):
    """A user session started or stopped, took or released a lock, opened or closed a
    transaction.
    """

    @property
    def type(self) -> Literal[Notif.USER_SESSION]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["uinfo"]) -> UserInfo: ...
    @overload
    def __getitem__(self, key: Literal["database"]) -> int: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["type", "database"]) -> int | None: ...
    @overload
    def get(self, key: Literal["type", "database"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["uinfo"]) -> UserInfo | None: ...
    @overload
    def get(self, key: Literal["uinfo"], default: T) -> UserInfo | T: ...

class HaInfoEvent(Event):
    """The state of the high availability cluster changed."""

    @property
    def type(self) -> Literal[Notif.HA_INFO]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["noprimary"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["nomaster"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["secondary_died"]) -> HaNode: ...
    @overload
    def __getitem__(self, key: Literal["slave_died"]) -> HaNode: ...
    @overload
    def __getitem__(self, key: Literal["secondary_arrived"]) -> HaNode: ...
    @overload
    def __getitem__(self, key: Literal["slave_arrived"]) -> HaNode: ...
    @overload
    def __getitem__(self, key: Literal["cdb_initialized_by_copy"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["besecondary_result"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["beslave_result"]) -> int: ...
    @overload  # type: ignore[override]
    def get(
        self,
        key: Literal[
            "type",
            "noprimary",
            "nomaster",
            "cdb_initialized_by_copy",
            "besecondary_result",
            "beslave_result",
        ],
    ) -> int | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "type",
            "noprimary",
            "nomaster",
            "cdb_initialized_by_copy",
            "besecondary_result",
            "beslave_result",
        ],
        default: T,
    ) -> int | T: ...
    @overload
    def get(
        self,
        key: Literal[
            "secondary_died",
            "slave_died",
            "secondary_arrived",
            "slave_arrived",
        ],
    ) -> HaNode | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "secondary_died",
            "slave_died",
            "secondary_arrived",
            "slave_arrived",
        ],
        default: T,
    ) -> HaNode | T: ...

class SubagentInfoEvent(Event):
    """A subagent went up or down."""

    @property
    def type(self) -> Literal[Notif.SUBAGENT_INFO]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["name"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["type"]) -> int | None: ...
    @overload
    def get(self, key: Literal["type"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["name"]) -> str | None: ...
    @overload
    def get(self, key: Literal["name"], default: T) -> str | T: ...

class CommitFailedEvent(Event):
    """A data provider failed to commit: its data may be inconsistent."""

    @property
    def type(self) -> Literal[Notif.COMMIT_FAILED]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["provider"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["dbname"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["af"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["ip4"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["ip6"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["port"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["daemon_name"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["provider", "dbname", "af", "port"]) -> int | None: ...
    @overload
    def get(self, key: Literal["provider", "dbname", "af", "port"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["ip4", "ip6", "daemon_name"]) -> str | None: ...
    @overload
    def get(self, key: Literal["ip4", "ip6", "daemon_name"], default: T) -> str | T: ...

class SnmpaEvent(Event):
    """The SNMP agent received or sent a PDU."""

    @property
    def type(self) -> Literal[Notif.SNMPA]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["pdu_type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["request_id"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["error_status"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["error_index"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["af"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["ip4"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["ip6"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["port"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["vb"]) -> list[SnmpVarbind]: ...
    @overload
    def __getitem__(self, key: Literal["generic_trap"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["specific_trap"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["time_stamp"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["enterprise"]) -> list[int]: ...
    @overload  # type: ignore[override]
    def get(
        self,
        key: Literal[
            "pdu_type",
            "request_id",
            "error_status",
            "error_index",
            "af",
            "port",
            "generic_trap",
            "specific_trap",
            "time_stamp",
        ],
    ) -> int | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "pdu_type",
            "request_id",
            "error_status",
            "error_index",
            "af",
            "port",
            "generic_trap",
            "specific_trap",
            "time_stamp",
        ],
        default: T,
    ) -> int | T: ...
    @overload
    def get(self, key: Literal["ip4", "ip6"]) -> str | None: ...
    @overload
    def get(self, key: Literal["ip4", "ip6"], default: T) -> str | T: ...
    @overload
    def get(self, key: Literal["vb"]) -> list[SnmpVarbind] | None: ...
    @overload
    def get(self, key: Literal["vb"], default: T) -> list[SnmpVarbind] | T: ...
    @overload
    def get(self, key: Literal["enterprise"]) -> list[int] | None: ...
    @overload
    def get(self, key: Literal["enterprise"], default: T) -> list[int] | T: ...

class ForwardInfoEvent(Event):
    """The forwarding of a user session to another host went up, down, or failed."""

    @property
    def type(self) -> Literal[Notif.FORWARD_INFO]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["target"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["uinfo"]) -> UserInfo: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["type"]) -> int | None: ...
    @overload
    def get(self, key: Literal["type"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["target"]) -> str | None: ...
    @overload
    def get(self, key: Literal["target"], default: T) -> str | T: ...
    @overload
    def get(self, key: Literal["uinfo"]) -> UserInfo | None: ...
    @overload
    def get(self, key: Literal["uinfo"], default: T) -> UserInfo | T: ...

class ConfirmedCommitEvent(Event):
    """A confirmed commit began, was confirmed, or was aborted."""

    @property
    def type(self) -> Literal[Notif.CONFIRMED_COMMIT]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["timeout"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["uinfo"]) -> UserInfo: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["type", "timeout"]) -> int | None: ...
    @overload
    def get(self, key: Literal["type", "timeout"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["uinfo"]) -> UserInfo | None: ...
    @overload
    def get(self, key: Literal["uinfo"], default: T) -> UserInfo | T: ...

class UpgradeEvent(Event):
    """An in-service upgrade of the data model proceeds."""

    @property
    def type(self) -> Literal[Notif.UPGRADE_EVENT]: ...
    def __getitem__(self, key: Literal["event"]) -> int: ...  # type: ignore[override]
    @overload  # type: ignore[override]
    def get(self, key: Literal["event"]) -> int | None: ...
    @overload
    def get(self, key: Literal["event"], default: T) -> int | T: ...

class ProgressEvent(Event):
    """A step of a transaction or action began, ended, or said something."""

    @property
    def type(self) -> Literal[Notif.PROGRESS]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["timestamp"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["duration"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["usid"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["tid"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["datastore"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["trace_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["span_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["parent_span_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["context"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["subsystem"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["annotation"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["attributes"]) -> dict[str, str | int]: ...
    @overload
    def __getitem__(self, key: Literal["links"]) -> list[ProgressLink]: ...
    @overload
    def __getitem__(self, key: Literal["phase"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["service"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["service_phase"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["commit_queue_id"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["node"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["device"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["device_phase"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["package"]) -> str: ...
    @overload  # type: ignore[override]
    def get(
        self,
        key: Literal[
            "type",
            "timestamp",
            "duration",
            "usid",
            "tid",
            "datastore",
            "commit_queue_id",
        ],
    ) -> int | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "type",
            "timestamp",
            "duration",
            "usid",
            "tid",
            "datastore",
            "commit_queue_id",
        ],
        default: T,
    ) -> int | T: ...
    @overload
    def get(
        self,
        key: Literal[
            "trace_id",
            "span_id",
            "parent_span_id",
            "context",
            "subsystem",
            "msg",
            "annotation",
            "phase",
            "service",
            "service_phase",
            "node",
            "device",
            "device_phase",
            "package",
        ],
    ) -> str | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "trace_id",
            "span_id",
            "parent_span_id",
            "context",
            "subsystem",
            "msg",
            "annotation",
            "phase",
            "service",
            "service_phase",
            "node",
            "device",
            "device_phase",
            "package",
        ],
        default: T,
    ) -> str | T: ...
    @overload
    def get(self, key: Literal["attributes"]) -> dict[str, str | int] | None: ...
    @overload
    def get(self, key: Literal["attributes"], default: T) -> dict[str, str | int] | T: ...
    @overload
    def get(self, key: Literal["links"]) -> list[ProgressLink] | None: ...
    @overload
    def get(self, key: Literal["links"], default: T) -> list[ProgressLink] | T: ...

class CommitProgressEvent(Event):
    """As NOTIF_PROGRESS, of commits alone."""

    @property
    def type(self) -> Literal[Notif.COMMIT_PROGRESS]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["timestamp"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["duration"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["usid"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["tid"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["datastore"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["trace_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["span_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["parent_span_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["context"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["subsystem"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["msg"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["annotation"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["attributes"]) -> dict[str, str | int]: ...
    @overload
    def __getitem__(self, key: Literal["links"]) -> list[ProgressLink]: ...
    @overload
    def __getitem__(self, key: Literal["phase"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["service"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["service_phase"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["commit_queue_id"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["node"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["device"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["device_phase"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["package"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["database"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["thandle"]) -> int: ...
    @overload  # type: ignore[override]
    def get(
        self,
        key: Literal[
            "type",
            "timestamp",
            "duration",
            "usid",
            "tid",
            "datastore",
            "commit_queue_id",
            "database",
            "thandle",
        ],
    ) -> int | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "type",
            "timestamp",
            "duration",
            "usid",
            "tid",
            "datastore",
            "commit_queue_id",
            "database",
            "thandle",
        ],
        default: T,
    ) -> int | T: ...
    @overload
    def get(
        self,
        key: Literal[
            "trace_id",
            "span_id",
            "parent_span_id",
            "context",
            "subsystem",
            "msg",
            "annotation",
            "phase",
            "service",
            "service_phase",
            "node",
            "device",
            "device_phase",
            "package",
        ],
    ) -> str | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "trace_id",
            "span_id",
            "parent_span_id",
            "context",
            "subsystem",
            "msg",
            "annotation",
            "phase",
            "service",
            "service_phase",
            "node",
            "device",
            "device_phase",
            "package",
        ],
        default: T,
    ) -> str | T: ...
    @overload
    def get(self, key: Literal["attributes"]) -> dict[str, str | int] | None: ...
    @overload
    def get(self, key: Literal["attributes"], default: T) -> dict[str, str | int] | T: ...
    @overload
    def get(self, key: Literal["links"]) -> list[ProgressLink] | None: ...
    @overload
    def get(self, key: Literal["links"], default: T) -> list[ProgressLink] | T: ...

class CompactionEvent(Event):
    """A database file was compacted."""

    @property
    def type(self) -> Literal[Notif.COMPACTION]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["dbfile"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["fsize_start"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["fsize_end"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["fsize_last"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["time_start"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["duration"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["ntrans"]) -> int: ...
    @overload  # type: ignore[override]
    def get(
        self,
        key: Literal[
            "dbfile",
            "type",
            "fsize_start",
            "fsize_end",
            "fsize_last",
            "time_start",
            "duration",
            "ntrans",
        ],
    ) -> int | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "dbfile",
            "type",
            "fsize_start",
            "fsize_end",
            "fsize_last",
            "time_start",
            "duration",
            "ntrans",
        ],
        default: T,
    ) -> int | T: ...

class StreamEvent(Event):
    """An event of the NETCONF (or other) event stream subscribed to, or the end of a replay."""

    @property
    def type(self) -> Literal[Notif.STREAM_EVENT]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["event_time"]) -> DateTime: ...
    @overload
    def __getitem__(self, key: Literal["values"]) -> list[TagValue]: ...
    @overload
    def __getitem__(self, key: Literal["error"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["replay_error"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["type"]) -> int | None: ...
    @overload
    def get(self, key: Literal["type"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["event_time"]) -> DateTime | None: ...
    @overload
    def get(self, key: Literal["event_time"], default: T) -> DateTime | T: ...
    @overload
    def get(self, key: Literal["values"]) -> list[TagValue] | None: ...
    @overload
    def get(self, key: Literal["values"], default: T) -> list[TagValue] | T: ...
    @overload
    def get(self, key: Literal["error", "replay_error"]) -> str | None: ...
    @overload
    def get(self, key: Literal["error", "replay_error"], default: T) -> str | T: ...

class CqProgressEvent(Event):
    """An item of NSO's commit queue proceeds."""

    @property
    def type(self) -> Literal[Notif.CQ_PROGRESS]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["timestamp"]) -> DateTime: ...
    @overload
    def __getitem__(self, key: Literal["cq_id"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["cq_tag"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["label"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["trace_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["completed_devices"]) -> list[str]: ...
    @overload
    def __getitem__(self, key: Literal["transient_devices"]) -> list[str]: ...
    @overload
    def __getitem__(self, key: Literal["failed_devices"]) -> list[str]: ...
    @overload
    def __getitem__(self, key: Literal["failed_reasons"]) -> list[str]: ...
    @overload
    def __getitem__(self, key: Literal["completed_services"]) -> list[str]: ...
    @overload
    def __getitem__(self, key: Literal["completed_services_completed_devices"]) -> list[Value]: ...
    @overload
    def __getitem__(self, key: Literal["failed_services"]) -> list[str]: ...
    @overload
    def __getitem__(self, key: Literal["failed_services_completed_devices"]) -> list[Value]: ...
    @overload
    def __getitem__(self, key: Literal["failed_services_failed_devices"]) -> list[Value]: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["type", "cq_id"]) -> int | None: ...
    @overload
    def get(self, key: Literal["type", "cq_id"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["timestamp"]) -> DateTime | None: ...
    @overload
    def get(self, key: Literal["timestamp"], default: T) -> DateTime | T: ...
    @overload
    def get(self, key: Literal["cq_tag", "label", "trace_id"]) -> str | None: ...
    @overload
    def get(self, key: Literal["cq_tag", "label", "trace_id"], default: T) -> str | T: ...
    @overload
    def get(
        self,
        key: Literal[
            "completed_devices",
            "transient_devices",
            "failed_devices",
            "failed_reasons",
            "completed_services",
            "failed_services",
        ],
    ) -> list[str] | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "completed_devices",
            "transient_devices",
            "failed_devices",
            "failed_reasons",
            "completed_services",
            "failed_services",
        ],
        default: T,
    ) -> list[str] | T: ...
    @overload
    def get(
        self,
        key: Literal[
            "completed_services_completed_devices",
            "failed_services_completed_devices",
            "failed_services_failed_devices",
        ],
    ) -> list[Value] | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "completed_services_completed_devices",
            "failed_services_completed_devices",
            "failed_services_failed_devices",
        ],
        default: T,
    ) -> list[Value] | T: ...

class CallHomeInfoEvent(Event):
    """A device called home to NSO."""

    @property
    def type(self) -> Literal[Notif.CALL_HOME_INFO]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["type"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["device"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["af"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["ip4"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["ip6"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["port"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["ssh_host_key"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["ssh_key_alg"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["type", "af", "port"]) -> int | None: ...
    @overload
    def get(self, key: Literal["type", "af", "port"], default: T) -> int | T: ...
    @overload
    def get(
        self,
        key: Literal[
            "device",
            "ip4",
            "ip6",
            "ssh_host_key",
            "ssh_key_alg",
        ],
    ) -> str | None: ...
    @overload
    def get(
        self,
        key: Literal[
            "device",
            "ip4",
            "ip6",
            "ssh_host_key",
            "ssh_key_alg",
        ],
        default: T,
    ) -> str | T: ...

class AuditNetworkEvent(Event):
    """NSO sent configuration to a device."""

    @property
    def type(self) -> Literal[Notif.AUDIT_NETWORK]: ...
    @overload  # type: ignore[override]
    def __getitem__(self, key: Literal["usid"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["tid"]) -> int: ...
    @overload
    def __getitem__(self, key: Literal["user"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["device"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["trace_id"]) -> str: ...
    @overload
    def __getitem__(self, key: Literal["config"]) -> str: ...
    @overload  # type: ignore[override]
    def get(self, key: Literal["usid", "tid"]) -> int | None: ...
    @overload
    def get(self, key: Literal["usid", "tid"], default: T) -> int | T: ...
    @overload
    def get(self, key: Literal["user", "device", "trace_id", "config"]) -> str | None: ...
    @overload
    def get(self, key: Literal["user", "device", "trace_id", "config"], default: T) -> str | T: ...

class HeartbeatEvent(Event):
    """The daemon is alive; at the interval asked for."""

    @property
    def type(self) -> Literal[Notif.HEARTBEAT]: ...

class HealthCheckEvent(Event):
    """The daemon passed its own health check; at the interval asked for, under load later."""

    @property
    def type(self) -> Literal[Notif.HEALTH_CHECK]: ...

class PackageReloadEvent(Event):
    """NSO has reloaded its packages."""

    @property
    def type(self) -> Literal[Notif.PACKAGE_RELOAD]: ...

class ReopenLogsEvent(Event):
    """The daemon closes its log files and opens them anew."""

    @property
    def type(self) -> Literal[Notif.REOPEN_LOGS]: ...

class SystemGoingDownEvent(Event):
    """The daemon is about to stop."""

    @property
    def type(self) -> Literal[Notif.SYSTEM_GOING_DOWN]: ...
