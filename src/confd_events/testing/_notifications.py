"""The notifications: what each carries, and its tuple for a subscriber's protocol level.

A function per shape takes the receiver (`Peer`) and the notification's fields and returns what
follows the bit in the tuple; `KINDS` binds shapes to bits, levels and acknowledgements.
"""

# The field names are the binding's own, `type` among them.
# ruff: noqa: A002

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from confd_events.enums import (
    CallHome,
    CompactionFile,
    CompactionType,
    ConfirmedCommit,
    CqItem,
    Database,
    DataProvider,
    ForwardInfo,
    HaInfo,
    Notif,
    ProgressType,
    SnmpPdu,
    SubagentInfo,
    Upgrade,
    UserSess,
)

from ._fields import (
    OptionalText,
    User,
    Varbind,
    attribute_list,
    device_lists,
    link_list,
    optional,
    tag_value_term,
    texts,
    typed_time,
)
from ._terms import Atom, Terms, Text, frame_of, text
from ._times import Time, microseconds_now
from .value import Ip, Oid, ip_term, of, oid_list, text_or_ip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._changes import DataChange

_USER = User()

# The order of a progress event's fields at each level.
_TIMES = ("type", "timestamp", "duration")
_SPANS = ("trace_id", "span_id", "parent_span_id")
_WHERE = ("usid", "tid", "datastore", "context")
_SERVICE = ("service", "service_phase", "commit_queue_id")
_DEVICE = ("node", "device", "device_phase", "package")
_EXTRAS = ("attributes", "links")
_PROGRESS_66 = ("datastore", "usid", "tid", "msg")
_PROGRESS_77 = (*_TIMES, *_WHERE, "trace_id", "subsystem", "phase", "msg", "annotation")
_PROGRESS_77_NSO = (*_PROGRESS_77, *_SERVICE, *_DEVICE)
_PROGRESS_82 = (*_TIMES, *_SPANS, *_WHERE, "subsystem", "msg", "annotation", *_EXTRAS)


# The newest level that has brought something.
NEWEST_PROTOCOL = 87


class Peer(NamedTuple):
    """Who a notification is encoded for: the protocol level, and the product, ncs or confd."""

    protocol: int = 82
    product: str = "ncs"


def audit(
    to: Peer, /, *, logno: int = 1, user: Text = "admin", msg: Text = "", usid: int = 0
) -> Terms:
    """An audit log record; held up by subscribers with AUDIT_SYNC."""
    return logno, text(user), usid, text(msg)


def log(to: Peer, /, *, prio: int = 6, logno: int = 1, msg: Text = "") -> Terms:
    """A log message; `prio` is a syslog priority (6: info)."""
    return logno, prio, text(msg)


def commit(
    to: Peer,
    /,
    *,
    database: int = Database.RUNNING,
    diff_available: int = 0,
    flags: int = 0,
    uinfo: User = _USER,
) -> Terms:
    """A commit, without its changes."""
    return database, uinfo.term(), diff_available, flags


def commit_diff(
    to: Peer,
    /,
    *,
    database: int = Database.RUNNING,
    flags: int = 0,
    uinfo: User = _USER,
    thandle: int = 1,
    comment: Text = "",
    label: Text = "",
    changes: Sequence[DataChange] = (),
) -> Terms:
    """A commit whose transaction `thandle` waits until every subscriber is done.

    Until then clients read its `changes` through MAAPI.
    """
    for change in changes:
        change.check()
    return database, uinfo.term(), thandle, flags, text(comment), text(label)


def user_session(
    to: Peer,
    /,
    *,
    type: int = UserSess.START,
    uinfo: User = _USER,
    database: int = Database.NO_DB,
) -> Terms:
    """Something that happened to a user session."""
    return type, uinfo.term(), database


def ha_noprimary(to: Peer, /, *, reason: int = 0) -> Terms:
    """The node has no primary; `reason` is an error code. Held up by HA_INFO_SYNC."""
    return ((HaInfo.NOPRIMARY, reason),)


def ha_secondary_died(
    to: Peer, /, *, nodeid: object = "node1", peer: Ip | Text = "127.0.0.1"
) -> Terms:
    """A secondary is gone: its node id (a value) and its address, or other text. Held up as HA."""
    return ((HaInfo.SECONDARY_DIED, (of(nodeid), text_or_ip(peer))),)


def ha_secondary_arrived(
    to: Peer, /, *, nodeid: object = "node1", peer: Ip | Text = "127.0.0.1"
) -> Terms:
    """A secondary has come: arguments as when one died. Held up by HA_INFO_SYNC."""
    return ((HaInfo.SECONDARY_ARRIVED, (of(nodeid), text_or_ip(peer))),)


def ha_initialized(to: Peer, /, *, cdb_initialized_by_copy: int = 0) -> Terms:
    """The secondary's database is ready. Held up by HA_INFO_SYNC."""
    return ((HaInfo.SECONDARY_INITIALIZED, cdb_initialized_by_copy),)


def ha_is_primary(to: Peer, /) -> Terms:
    """The node has become primary. Held up by HA_INFO_SYNC."""
    return ((HaInfo.IS_PRIMARY, 0),)


def ha_is_none(to: Peer, /) -> Terms:
    """The node has no HA role any more. Held up by HA_INFO_SYNC."""
    return ((HaInfo.IS_NONE, 0),)


def ha_besecondary_result(to: Peer, /, *, result: int = 0) -> Terms:
    """How an asynchronous be-secondary ended: 0 or an error code. Held up by HA_INFO_SYNC."""
    return ((HaInfo.BESECONDARY_RESULT, result),)


def subagent(to: Peer, /, *, type: int = SubagentInfo.UP, name: Text = "subagent") -> Terms:
    """The state of a subagent."""
    return ((type, text(name)),)


def commit_failed(
    to: Peer,
    /,
    *,
    provider: int = DataProvider.CDB,
    dbname: int = Database.RUNNING,
    ip: Ip = "127.0.0.1",
    port: int = 830,
    daemon_name: Text = "",
) -> Terms:
    """A commit failed: at `ip` and `port` for NETCONF, at `daemon_name` for EXTERNAL."""
    if provider == DataProvider.NETCONF:
        return provider, dbname, ip_term(ip), port
    if provider == DataProvider.EXTERNAL:
        return provider, dbname, text(daemon_name)
    return provider, dbname


def snmpa(
    to: Peer,
    /,
    *,
    pdu_type: int = SnmpPdu.GET_REQUEST,
    request_id: int = 1,
    ip: Ip = "127.0.0.1",
    port: int = 161,
    error_status: int = 0,
    error_index: int = 0,
    vb: Sequence[Varbind] = (),
    generic_trap: int = 0,
    specific_trap: int = 0,
    time_stamp: int = 0,
    enterprise: Oid = (),
) -> Terms:
    """An SNMP PDU; the trap arguments (`time_stamp` in 1/100 s) are for V1TRAP alone.

    A V1TRAP carries no request id and no error.
    """
    variables = (len(vb), [variable.term() for variable in vb])
    if pdu_type == SnmpPdu.V1TRAP:
        trap = (specific_trap, generic_trap, *variables, None, oid_list(enterprise))
        return ((pdu_type, time_stamp, ip_term(ip), port, *trap),)
    return ((pdu_type, request_id, ip_term(ip), port, error_status, error_index, *variables),)


def forward(
    to: Peer, /, *, type: int = ForwardInfo.UP, target: Text = "target", uinfo: User = _USER
) -> Terms:
    """The state of a forwarding target."""
    return type, text(target), uinfo.term()


def confirmed_commit(
    to: Peer, /, *, type: int = ConfirmedCommit.CONFIRMED, timeout: int = 0, uinfo: User = _USER
) -> Terms:
    """A step of a confirmed commit; `timeout` in seconds."""
    return type, timeout, uinfo.term()


def upgrade(to: Peer, /, *, event: int = Upgrade.INIT_STARTED) -> Terms:
    """A step of a data model upgrade."""
    return (event,)


def progress(
    to: Peer,
    /,
    *,
    type: int = ProgressType.INFO,
    timestamp: int | None = None,
    duration: int | None = None,
    trace_id: OptionalText = None,
    span_id: OptionalText = None,
    parent_span_id: OptionalText = None,
    usid: int = 0,
    tid: int = 0,
    datastore: int = Database.RUNNING,
    context: OptionalText = None,
    subsystem: OptionalText = None,
    msg: Text = "",
    annotation: OptionalText = None,
    attributes: Mapping[Text, Text | int] | None = None,
    links: Sequence[tuple[Text, Text]] = (),
    phase: OptionalText = None,
    service: OptionalText = None,
    service_phase: OptionalText = None,
    commit_queue_id: int = 0,
    node: OptionalText = None,
    device: OptionalText = None,
    device_phase: OptionalText = None,
    package: OptionalText = None,
) -> Terms:
    """A progress event.

    `timestamp` is in µs since the epoch (None: now), `duration` in µs, of a stop alone (None: 0).
    Without `span_id` a start or a stop gets one. `attributes` maps names to text or numbers,
    `links` are pairs of a trace id and a span id. Level 8.2 has no field from `phase` on, 7.7 no
    spans, attributes and links, 6.6 little more than `msg`.
    """
    given = dict(locals(), timestamp=microseconds_now() if timestamp is None else timestamp)
    if type == ProgressType.STOP:
        given["duration"] = duration or 0
    if span_id is None and type in (ProgressType.START, ProgressType.STOP):
        given["span_id"] = text(token_hex(8))
    given.update(attributes=attribute_list(attributes or {}), links=link_list(links))
    return (tuple(given[name] for name in _progress_fields(to)),)


def _progress_fields(to: Peer) -> tuple[str, ...]:
    if to.protocol >= 82:
        return _PROGRESS_82
    if to.protocol < 77:
        return _PROGRESS_66
    return _PROGRESS_77_NSO if to.product == "ncs" else _PROGRESS_77


def compaction(
    to: Peer,
    /,
    *,
    dbfile: int = CompactionFile.A_CDB,
    type: int = CompactionType.AUTOMATIC,
    fsize_start: int = 0,
    fsize_end: int = 0,
    fsize_last: int = 0,
    time_start: int | None = None,
    duration: int = 0,
    ntrans: int = 0,
) -> Terms:
    """A database file was compacted: sizes in bytes, `time_start` (None: now), `duration` in µs."""
    started = microseconds_now() if time_start is None else time_start
    return dbfile, type, fsize_start, fsize_end, fsize_last, started, duration, ntrans


def stream_event(
    to: Peer,
    /,
    *,
    stream: str,
    values: Sequence[tuple[int, int, object]] = (),
    time: Time | None = None,
) -> Terms:
    """An event on `stream`: (namespace hash, tag hash, value) triples; `time` None is now.

    Kept for replay when the stream has a log, and sent to its subscribers.
    """
    return ((typed_time(time), [tag_value_term(element) for element in values]),)


def stream_replay_complete(to: Peer, /, *, stream: str) -> Terms:
    """The replay is over; sent by the daemon itself too."""
    return (Atom("replay_complete"),)


def stream_notification_complete(to: Peer, /, *, stream: str) -> Terms:
    """The subscription's stop time has passed; sent by the daemon itself too."""
    return (Atom("notification_complete"),)


def stream_replay_failed(to: Peer, /, *, stream: str, error: Text = "no such log") -> Terms:
    """The replay is not possible; sent by the daemon itself too."""
    return ((Atom("replay_failed"), text(error)),)


def cq_progress(
    to: Peer,
    /,
    *,
    type: int = CqItem.WAITING,
    timestamp: Time | None = None,
    cq_id: int = 1,
    cq_tag: OptionalText = None,
    label: OptionalText = None,
    trace_id: OptionalText = None,
    completed_devices: Sequence[Text] = (),
    transient_devices: Sequence[Text] = (),
    failed_devices: Sequence[Text] = (),
    failed_reasons: Sequence[Text] = (),
    completed_services: Sequence[Text] = (),
    completed_services_completed_devices: Sequence[Sequence[Text]] = (),
    failed_services: Sequence[Text] = (),
    failed_services_completed_devices: Sequence[Sequence[Text]] = (),
    failed_services_failed_devices: Sequence[Sequence[Text]] = (),
) -> Terms:
    """The state of a commit queue item; `timestamp` None is now.

    Protocol 85 has brought `label`, 87 ended `cq_tag` and `trace_id`.
    Lists of the same devices or services have the same length, else ValueError.
    """
    head: Terms = (type, typed_time(timestamp), cq_id)
    tag: Terms = (optional(cq_tag),) if to.protocol < 87 else ()
    name: Terms = (optional(label),) if to.protocol >= 85 else ()
    devices = (texts(completed_devices), texts(transient_devices))
    failed = device_lists(failed_devices, failed_reasons)
    completed_in = device_lists(completed_services, completed_services_completed_devices)
    failed_in = device_lists(
        failed_services, failed_services_completed_devices, failed_services_failed_devices
    )
    trace: Terms = (optional(trace_id),) if 77 <= to.protocol < 87 else ()
    return (*head, *tag, *name, *devices, failed, completed_in, failed_in, *trace)


def call_home(
    to: Peer,
    /,
    *,
    type: int = CallHome.CONNECTED,
    device: OptionalText = "device",
    ip: Ip = "127.0.0.1",
    port: int = 4334,
    ssh_host_key: Text = "",
    ssh_key_alg: Text = "ssh-ed25519",
) -> Terms:
    """A device called home; `device` is sent for CONNECTED alone, and must be given there.

    Protocol 85 has brought DISCONNECTED.
    """
    if type == CallHome.CONNECTED and device is None:
        raise ValueError("device: a device that is connected has a name")
    known: Terms = (optional(device),) if type == CallHome.CONNECTED else ()
    return (type, ip_term(ip), port, text(ssh_host_key), text(ssh_key_alg), *known)


def audit_network(
    to: Peer,
    /,
    *,
    usid: int = 0,
    tid: int = 0,
    user: Text = "admin",
    device: Text = "device",
    trace_id: OptionalText = None,
    config: Text = "",
) -> Terms:
    """A change sent to a device; held up by subscribers with AUDIT_NETWORK_SYNC."""
    return ((usid, tid, text(user), text(device), optional(trace_id), text(config)),)


def heartbeat(to: Peer, /) -> Terms:
    """The daemon is alive; sent by the daemon itself too, at the interval asked for."""
    return ()


def health_check(to: Peer, /) -> Terms:
    """The daemon is healthy; sent by the daemon itself too, at the interval asked for."""
    return ()


def package_reload(to: Peer, /) -> Terms:
    """The packages were reloaded."""
    return ()


def reopen_logs(to: Peer, /) -> Terms:
    """The logs are to be opened again."""
    return ()


def system_going_down(to: Peer, /) -> Terms:
    """The system is going down."""
    return ()


class Newer(NamedTuple):
    """A value of a notification's field that came later than the notification."""

    field: str
    value: int
    since: int


class Ack(NamedTuple):
    """Which acknowledgement holds a notification up.

    `kind` names it, `sync` is the bit of the subscribers that owe it, and `field` the
    notification's field that identifies it, if any.
    """

    kind: str
    sync: Notif
    field: str | None


@dataclass(frozen=True)
class Kind:
    """One notification: its bit, its shape, and who gets it.

    After one that `ends_stream` a subscriber gets nothing more of that stream.
    """

    bit: Notif
    shape: Callable[..., Terms]
    since: int = 66
    nso_only: bool = False
    ack: Ack | None = None
    newer: Newer | None = None
    ends_stream: bool = False

    def exists_for(self, peer: Peer, fields: Mapping[str, object] | None = None) -> bool:
        """Whether the peer's level and product know this notification with these fields.

        Level 6.6 makes no difference between the products.
        """
        has_product = not self.nso_only or peer.product == "ncs" or peer.protocol < 77
        return peer.protocol >= self._since(fields or {}) and has_product

    def _since(self, fields: Mapping[str, object]) -> int:
        newer = self.newer
        return newer.since if newer and fields.get(newer.field) == newer.value else self.since

    def frame(self, peer: Peer, fields: Mapping[str, object]) -> bytes:
        """The frame for a peer that knows this notification; TypeError for a wrong field."""
        return frame_of((self.bit, *self.shape(peer, **fields)))

    def value(self, field: str, fields: Mapping[str, Any]) -> Any:
        """The value of a field: the one given, else its default."""
        return fields.get(field, signature(self.shape).parameters[field].default)


_HA_ACK = Ack("ha", Notif.HA_INFO_SYNC, None)
_HA_SHAPES = (
    ha_noprimary,
    ha_secondary_died,
    ha_secondary_arrived,
    ha_initialized,
    ha_is_primary,
    ha_is_none,
    ha_besecondary_result,
)
_STREAM_SHAPES = (
    stream_event,
    stream_replay_complete,
    stream_notification_complete,
    stream_replay_failed,
)

_STREAM_ENDS = (stream_notification_complete, stream_replay_failed)

KINDS: dict[str, Kind] = {
    "audit": Kind(Notif.AUDIT, audit, ack=Ack("audit", Notif.AUDIT_SYNC, "usid")),
    "daemon_log": Kind(Notif.DAEMON, log),
    "netconf": Kind(Notif.NETCONF, log),
    "devel": Kind(Notif.DEVEL, log),
    "jsonrpc": Kind(Notif.JSONRPC, log, since=77),
    "webui": Kind(Notif.WEBUI, log, since=77),
    "commit": Kind(Notif.COMMIT_SIMPLE, commit),
    "commit_diff": Kind(
        Notif.COMMIT_DIFF, commit_diff, ack=Ack("commit_diff", Notif.COMMIT_DIFF, "thandle")
    ),
    "user_session": Kind(Notif.USER_SESSION, user_session),
    **{shape.__name__: Kind(Notif.HA_INFO, shape, ack=_HA_ACK) for shape in _HA_SHAPES},
    "subagent": Kind(Notif.SUBAGENT_INFO, subagent),
    "commit_failed": Kind(Notif.COMMIT_FAILED, commit_failed),
    "snmpa": Kind(Notif.SNMPA, snmpa),
    "forward": Kind(Notif.FORWARD_INFO, forward),
    "confirmed_commit": Kind(Notif.CONFIRMED_COMMIT, confirmed_commit),
    "upgrade": Kind(Notif.UPGRADE_EVENT, upgrade),
    "progress": Kind(Notif.PROGRESS, progress, since=77),
    "commit_progress": Kind(Notif.COMMIT_PROGRESS, progress),
    "compaction": Kind(Notif.COMPACTION, compaction, since=82),
    **{
        shape.__name__: Kind(Notif.STREAM_EVENT, shape, ends_stream=shape in _STREAM_ENDS)
        for shape in _STREAM_SHAPES
    },
    "cq_progress": Kind(Notif.CQ_PROGRESS, cq_progress, nso_only=True),
    "call_home": Kind(
        Notif.CALL_HOME_INFO,
        call_home,
        since=77,
        nso_only=True,
        newer=Newer("type", CallHome.DISCONNECTED, since=85),
    ),
    "audit_network": Kind(
        Notif.AUDIT_NETWORK,
        audit_network,
        since=80,
        nso_only=True,
        ack=Ack("audit_network", Notif.AUDIT_NETWORK_SYNC, "usid"),
    ),
    "heartbeat": Kind(Notif.HEARTBEAT, heartbeat),
    "health_check": Kind(Notif.HEALTH_CHECK, health_check),
    "package_reload": Kind(Notif.PACKAGE_RELOAD, package_reload, nso_only=True),
    "reopen_logs": Kind(Notif.REOPEN_LOGS, reopen_logs),
    "system_going_down": Kind(Notif.SYSTEM_GOING_DOWN, system_going_down, since=87),
}


def encode(kind: str, /, protocol: int = 82, product: str = "ncs", **fields: object) -> bytes:
    """The frame of one notification, as the daemon's method of that name sends it.

    Raises ValueError when `kind` is no notification or the level or product lacks it, TypeError
    for a wrong field.
    """
    peer = Peer(protocol, product)
    found = KINDS.get(kind)
    if found is None or not found.exists_for(peer, fields):
        raise ValueError(f"no notification {kind!r} at level {protocol} of {product}")
    return found.frame(peer, fields)
