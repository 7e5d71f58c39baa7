"""subscribe() as type checkers see it: what it gives depends on its arguments. By ci/names.py.

Its result is a union of a Subscription for each argument that events come of. What one gives,
Of._event() says; None and False stand for an argument that is not given, of which nothing comes.
So type checkers make the union of the events themselves, of any names, and errors stay short.
"""

# What is asked for decides what comes; what is not asked for has a type all the same.
# pyright: reportIncompatibleMethodOverride=false, reportInvalidTypeVarUse=false

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Callable, Generic, Literal, NoReturn, Protocol, overload

from typing_extensions import TypeAlias, TypeVar

from .._address import Address
from ..enums import Notif, Verbosity
from ..kinds import (
    AuditEvent,
    AuditNetworkEvent,
    CallHomeInfoEvent,
    CommitDiffEvent,
    CommitFailedEvent,
    CommitProgressEvent,
    CommitSimpleEvent,
    CompactionEvent,
    ConfirmedCommitEvent,
    CqProgressEvent,
    DaemonEvent,
    DevelEvent,
    ForwardInfoEvent,
    HaInfoEvent,
    HealthCheckEvent,
    HeartbeatEvent,
    JsonrpcEvent,
    NetconfEvent,
    PackageReloadEvent,
    ProgressEvent,
    ReopenLogsEvent,
    SnmpaEvent,
    StreamEvent,
    SubagentInfoEvent,
    SystemGoingDownEvent,
    UpgradeEvent,
    UserSessionEvent,
    WebuiEvent,
)
from . import _asyncio, _subscription
from ._backoff import Backoff
from ._event import Connected, Disconnected, Dropped, Event, Undecodable
from ._request import Seconds, Time, What

AuditName: TypeAlias = Literal[
    "audit",
    "audit-sync",
    "AUDIT",
    "AUDIT_SYNC",
    "NOTIF_AUDIT",
    "NOTIF_AUDIT_SYNC",
    Notif.AUDIT,
    Notif.AUDIT_SYNC,
]
DaemonName: TypeAlias = Literal[
    "daemon",
    "syslog",
    "DAEMON",
    "SYSLOG",
    "NOTIF_DAEMON",
    "NOTIF_SYSLOG",
    Notif.DAEMON,
]
NetconfName: TypeAlias = Literal[
    "netconf",
    "NETCONF",
    "NOTIF_NETCONF",
    Notif.NETCONF,
]
DevelName: TypeAlias = Literal[
    "devel",
    "DEVEL",
    "NOTIF_DEVEL",
    Notif.DEVEL,
]
JsonrpcName: TypeAlias = Literal[
    "jsonrpc",
    "JSONRPC",
    "NOTIF_JSONRPC",
    Notif.JSONRPC,
]
WebuiName: TypeAlias = Literal[
    "webui",
    "WEBUI",
    "NOTIF_WEBUI",
    Notif.WEBUI,
]
CommitSimpleName: TypeAlias = Literal[
    "commit-simple",
    "COMMIT_SIMPLE",
    "NOTIF_COMMIT_SIMPLE",
    Notif.COMMIT_SIMPLE,
]
CommitDiffName: TypeAlias = Literal[
    "commit-diff",
    "COMMIT_DIFF",
    "NOTIF_COMMIT_DIFF",
    Notif.COMMIT_DIFF,
]
UserSessionName: TypeAlias = Literal[
    "user-session",
    "USER_SESSION",
    "NOTIF_USER_SESSION",
    Notif.USER_SESSION,
]
HaInfoName: TypeAlias = Literal[
    "ha-info",
    "ha-info-sync",
    "HA_INFO",
    "HA_INFO_SYNC",
    "NOTIF_HA_INFO",
    "NOTIF_HA_INFO_SYNC",
    Notif.HA_INFO,
    Notif.HA_INFO_SYNC,
]
SubagentInfoName: TypeAlias = Literal[
    "subagent-info",
    "SUBAGENT_INFO",
    "NOTIF_SUBAGENT_INFO",
    Notif.SUBAGENT_INFO,
]
CommitFailedName: TypeAlias = Literal[
    "commit-failed",
    "COMMIT_FAILED",
    "NOTIF_COMMIT_FAILED",
    Notif.COMMIT_FAILED,
]
SnmpaName: TypeAlias = Literal[
    "snmpa",
    "SNMPA",
    "NOTIF_SNMPA",
    Notif.SNMPA,
]
ForwardInfoName: TypeAlias = Literal[
    "forward-info",
    "FORWARD_INFO",
    "NOTIF_FORWARD_INFO",
    Notif.FORWARD_INFO,
]
ConfirmedCommitName: TypeAlias = Literal[
    "confirmed-commit",
    "CONFIRMED_COMMIT",
    "NOTIF_CONFIRMED_COMMIT",
    Notif.CONFIRMED_COMMIT,
]
UpgradeName: TypeAlias = Literal[
    "upgrade-event",
    "UPGRADE_EVENT",
    "NOTIF_UPGRADE_EVENT",
    Notif.UPGRADE_EVENT,
]
ProgressName: TypeAlias = Literal[
    "progress",
    "PROGRESS",
    "NOTIF_PROGRESS",
    Notif.PROGRESS,
]
CommitProgressName: TypeAlias = Literal[
    "commit-progress",
    "COMMIT_PROGRESS",
    "NOTIF_COMMIT_PROGRESS",
    Notif.COMMIT_PROGRESS,
]
CompactionName: TypeAlias = Literal[
    "compaction",
    "COMPACTION",
    "NOTIF_COMPACTION",
    Notif.COMPACTION,
]
StreamName: TypeAlias = Literal[
    "stream-event",
    "STREAM_EVENT",
    "NOTIF_STREAM_EVENT",
    Notif.STREAM_EVENT,
]
CqProgressName: TypeAlias = Literal[
    "cq-progress",
    "CQ_PROGRESS",
    "NCS_NOTIF_CQ_PROGRESS",
    "NOTIF_CQ_PROGRESS",
    Notif.CQ_PROGRESS,
]
CallHomeInfoName: TypeAlias = Literal[
    "call-home-info",
    "CALL_HOME_INFO",
    "NCS_NOTIF_CALL_HOME_INFO",
    "NOTIF_CALL_HOME_INFO",
    Notif.CALL_HOME_INFO,
]
AuditNetworkName: TypeAlias = Literal[
    "audit-network",
    "audit-network-sync",
    "AUDIT_NETWORK",
    "AUDIT_NETWORK_SYNC",
    "NCS_NOTIF_AUDIT_NETWORK",
    "NCS_NOTIF_AUDIT_NETWORK_SYNC",
    "NOTIF_AUDIT_NETWORK",
    "NOTIF_AUDIT_NETWORK_SYNC",
    Notif.AUDIT_NETWORK,
    Notif.AUDIT_NETWORK_SYNC,
]
HeartbeatName: TypeAlias = Literal[
    "heartbeat",
    "HEARTBEAT",
    "NOTIF_HEARTBEAT",
    Notif.HEARTBEAT,
]
HealthCheckName: TypeAlias = Literal[
    "health-check",
    "HEALTH_CHECK",
    "NOTIF_HEALTH_CHECK",
    Notif.HEALTH_CHECK,
]
PackageReloadName: TypeAlias = Literal[
    "package-reload",
    "PACKAGE_RELOAD",
    "NCS_NOTIF_PACKAGE_RELOAD",
    "NOTIF_PACKAGE_RELOAD",
    Notif.PACKAGE_RELOAD,
]
ReopenLogsName: TypeAlias = Literal[
    "reopen-logs",
    "REOPEN_LOGS",
    "NOTIF_REOPEN_LOGS",
    Notif.REOPEN_LOGS,
]
SystemGoingDownName: TypeAlias = Literal[
    "system-going-down",
    "SYSTEM_GOING_DOWN",
    "NOTIF_SYSTEM_GOING_DOWN",
    Notif.SYSTEM_GOING_DOWN,
]

Off: TypeAlias = Literal[
    False,
    "wait",
    "raise",
    "takeover-syslog",
    "TAKEOVER_SYSLOG",
    "NOTIF_TAKEOVER_SYSLOG",
    Notif.TAKEOVER_SYSLOG,
]
WhenFull: TypeAlias = Literal["wait", "drop-oldest", "raise"]

Name1 = TypeVar("Name1", bound=What, default=Literal[False])
Name2 = TypeVar("Name2", bound=What, default=Literal[False])
Name3 = TypeVar("Name3", bound=What, default=Literal[False])
Names = TypeVar("Names", bound=What, default=Literal[False])
Again = TypeVar("Again", bound=bool | Backoff, default=Literal[False])
Full = TypeVar("Full", bound=WhenFull, default=Literal["wait"])
Check = TypeVar("Check", bound=float | timedelta | None, default=None)
Stream = TypeVar("Stream", bound=str | None, default=None)

Argument_co = TypeVar("Argument_co", default=object, covariant=True)
E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)

class Gives(Protocol[E_co]):
    def _event(self) -> E_co: ...

# What no argument is, but Any.
class Unknown: ...

class Of(Generic[Argument_co]):
    @overload
    def _event(self: Of[Unknown]) -> Event: ...
    @overload
    def _event(self: Of[Off | tuple[None] | tuple[None, None]]) -> NoReturn: ...
    @overload
    def _event(self: Of[AuditName]) -> AuditEvent: ...
    @overload
    def _event(self: Of[DaemonName]) -> DaemonEvent: ...
    @overload
    def _event(self: Of[NetconfName]) -> NetconfEvent: ...
    @overload
    def _event(self: Of[DevelName]) -> DevelEvent: ...
    @overload
    def _event(self: Of[JsonrpcName]) -> JsonrpcEvent: ...
    @overload
    def _event(self: Of[WebuiName]) -> WebuiEvent: ...
    @overload
    def _event(self: Of[CommitSimpleName]) -> CommitSimpleEvent: ...
    @overload
    def _event(self: Of[CommitDiffName]) -> CommitDiffEvent: ...
    @overload
    def _event(self: Of[UserSessionName]) -> UserSessionEvent: ...
    @overload
    def _event(self: Of[HaInfoName]) -> HaInfoEvent: ...
    @overload
    def _event(self: Of[SubagentInfoName]) -> SubagentInfoEvent: ...
    @overload
    def _event(self: Of[CommitFailedName]) -> CommitFailedEvent: ...
    @overload
    def _event(self: Of[SnmpaName]) -> SnmpaEvent: ...
    @overload
    def _event(self: Of[ForwardInfoName]) -> ForwardInfoEvent: ...
    @overload
    def _event(self: Of[ConfirmedCommitName]) -> ConfirmedCommitEvent: ...
    @overload
    def _event(self: Of[UpgradeName]) -> UpgradeEvent: ...
    @overload
    def _event(self: Of[ProgressName]) -> ProgressEvent: ...
    @overload
    def _event(self: Of[CommitProgressName]) -> CommitProgressEvent: ...
    @overload
    def _event(self: Of[CompactionName]) -> CompactionEvent: ...
    @overload
    def _event(self: Of[StreamName]) -> StreamEvent: ...
    @overload
    def _event(self: Of[CqProgressName]) -> CqProgressEvent: ...
    @overload
    def _event(self: Of[CallHomeInfoName]) -> CallHomeInfoEvent: ...
    @overload
    def _event(self: Of[AuditNetworkName]) -> AuditNetworkEvent: ...
    @overload
    def _event(self: Of[HeartbeatName]) -> HeartbeatEvent: ...
    @overload
    def _event(self: Of[HealthCheckName]) -> HealthCheckEvent: ...
    @overload
    def _event(self: Of[PackageReloadName]) -> PackageReloadEvent: ...
    @overload
    def _event(self: Of[ReopenLogsName]) -> ReopenLogsEvent: ...
    @overload
    def _event(self: Of[SystemGoingDownName]) -> SystemGoingDownEvent: ...
    @overload
    def _event(self: Of[bool | Backoff]) -> Connected | Disconnected | Undecodable: ...
    @overload
    def _event(self: Of[WhenFull]) -> Dropped: ...
    @overload
    def _event(self: Of[tuple[float | timedelta | None]]) -> HealthCheckEvent: ...
    @overload
    def _event(self: Of[tuple[None, str | None]]) -> StreamEvent: ...
    @overload
    def _event(self) -> Event: ...

class Subscription(Of[Argument_co], _subscription.Subscription):
    def __iter__(self: Gives[E]) -> Iterator[E]: ...
    def __next__(self: Gives[E]) -> E: ...
    def next(self: Gives[E], timeout: Seconds | None = None) -> E | None: ...
    def batch(self: Gives[E], most: int, timeout: Seconds | None = None) -> list[E]: ...
    def wait_for(
        self: Gives[E], predicate: Callable[[E], object], timeout: Seconds | None = None
    ) -> E | None: ...

class AsyncSubscription(Of[Argument_co], _asyncio.AsyncSubscription):
    def __aiter__(self: Gives[E]) -> AsyncIterator[E]: ...
    async def __anext__(self: Gives[E]) -> E: ...
    async def next(self: Gives[E], timeout: Seconds | None = None) -> E | None: ...
    async def wait_for(
        self: Gives[E], predicate: Callable[[E], object], timeout: Seconds | None = None
    ) -> E | None: ...

def subscribe(
    what: Name1 = ...,
    what2: Name2 = ...,
    what3: Name3 = ...,
    /,
    *more: Names,
    address: Address | None = None,
    heartbeat: Seconds | None = None,
    health_check: Check = ...,
    stream: Stream = ...,
    start: Time = None,
    stop: Time = None,
    filter: str | None = None,  # noqa: A002
    usid: int = 0,
    verbosity: Verbosity | str | int | None = None,
    ack: Literal["auto", "manual"] = "auto",
    buffer: int | None = None,
    when_full: Full = ...,
    reconnect: Again = ...,
) -> (
    Subscription[Name1]
    | Subscription[Name2]
    | Subscription[Name3]
    | Subscription[Names]
    | Subscription[Again]
    | Subscription[Full]
    | Subscription[tuple[Check]]
    | Subscription[tuple[None, Stream]]
):
    """Connect to the daemon and subscribe to notifications.

    what -- names such as "audit" and "commit-diff", or Notif bits
    address -- (host, port), "host:port", or the path of a UNIX socket. Default: NCS_IPC_PATH,
        NCS_IPC_ADDR and NCS_IPC_PORT, CONFD_IPC_ADDR and CONFD_IPC_PORT of the environment, else
        the product's
    heartbeat -- seconds, or a timedelta: the daemon is lost when it sends nothing for three of
        these intervals. The heartbeats are events only if "heartbeat" is asked for
    health_check -- seconds, or a timedelta, between "health-check" events
    stream -- name of an event stream, for "stream-event"
    start, stop -- replay the stream from and until then: aware datetimes, or ISO 8601 text
    filter -- an XPath expression that selects the stream's events
    usid -- only what this user session may read of the stream; it does not limit progress
    verbosity -- of progress: a Verbosity or its name, such as "debug"
    ack -- "auto": each event is acknowledged when the next is asked for or the block is left;
        "manual": the consumer calls event.ack()
    buffer -- read in a thread of its own, ahead of the consumer by at most so many events
    when_full -- what to do when the buffer is full: "wait"; "drop-oldest", then a Dropped marker
        says how many; "raise" BufferFull
    reconnect -- connect again when the daemon is lost, and yield Disconnected and Connected; a
        stream goes on after the last event seen. A Backoff says how long to wait in between

    Returns a Subscription. Raises TypeError, ValueError or OverflowError for an argument that is
    wrong, Error when the daemon can't be reached or refuses (C: confd_notifications_connect2()).
    """

def subscribe_async(
    what: Name1 = ...,
    what2: Name2 = ...,
    what3: Name3 = ...,
    /,
    *more: Names,
    address: Address | None = None,
    heartbeat: Seconds | None = None,
    health_check: Check = ...,
    stream: Stream = ...,
    start: Time = None,
    stop: Time = None,
    filter: str | None = None,  # noqa: A002
    usid: int = 0,
    verbosity: Verbosity | str | int | None = None,
    ack: Literal["auto", "manual"] = "auto",
    buffer: int | None = None,
    when_full: Full = ...,
    reconnect: Again = ...,
) -> (
    AsyncSubscription[Name1]
    | AsyncSubscription[Name2]
    | AsyncSubscription[Name3]
    | AsyncSubscription[Names]
    | AsyncSubscription[Again]
    | AsyncSubscription[Full]
    | AsyncSubscription[tuple[Check]]
    | AsyncSubscription[tuple[None, Stream]]
):
    """Subscribe to notifications in an event loop: `async with subscribe_async(...) as s`.

    All options are as for subscribe(). The connection is made on entering the block.

    Raises TypeError, ValueError or OverflowError for an argument that is wrong.
    """
