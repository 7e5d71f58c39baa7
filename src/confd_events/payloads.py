"""Types of the dicts that read_notification() returns, for type checkers.

A key is required when every notification of the kind has it, whatever the release of libconfd.
Programs need nothing of this module at runtime; it holds no code.
"""

from __future__ import annotations

import builtins
from typing import TypedDict, Union

# At runtime too, so that typing.get_type_hints() works on what is here.
from ._events import (
    DateTime,
    ProgressLink,
    SnmpVarbind,
    TagValue,
    TransCtxRef,
    UserInfo,
    Value,
)

__all__ = [
    "Address",
    "AttributeValue",
    "Audit",
    "AuditNetwork",
    "CallHome",
    "Commit",
    "CommitDiff",
    "CommitFailed",
    "CommitProgress",
    "Compaction",
    "ConfirmedCommit",
    "CqProgress",
    "Forward",
    "HaInfo",
    "HaNode",
    "LibraryInfo",
    "NotificationDict",
    "Progress",
    "Snmpa",
    "Stream",
    "Subagent",
    "Syslog",
    "Upgrade",
    "UserSession",
    "V1Trap",
]

# Python 3.9 and 3.10 have no typing.NotRequired: a class with a leading underscore holds the
# required keys of the class after it. Nor can Python 3.9 evaluate str | int in a hint.
AttributeValue = Union[str, int]


# Parts that several payloads share


class _Address(TypedDict):
    af: int  # AF_INET, AF_INET6, or AF_UNSPEC when there is no address


class Address(_Address, total=False):
    """An address, among the keys of the payload that has it (C: struct confd_ip)."""

    ip4: str  # if af is AF_INET
    ip6: str  # if af is AF_INET6


class _HaNode(Address):
    nodeid: Value


class HaNode(_HaNode, total=False):
    """A node of the high availability cluster, in HaInfo (C: struct confd_ha_node)."""

    str: builtins.str  # the address as text, if af is AF_UNSPEC


class _V1Trap(TypedDict):
    generic_trap: int
    specific_trap: int
    time_stamp: int


class V1Trap(_V1Trap, total=False):
    """What an SNMPv1 trap adds to the keys of Snmpa (C: struct confd_v1_trap_info)."""

    enterprise: list[int]  # object identifier


# Payloads


class Audit(TypedDict):
    """NOTIF_AUDIT (C: struct confd_audit_notification)."""

    logno: int  # number of the message, see log_symbol()
    user: str
    msg: str
    usid: int  # user session id


class Syslog(TypedDict):
    """NOTIF_DAEMON, NOTIF_NETCONF, NOTIF_DEVEL, NOTIF_JSONRPC, NOTIF_WEBUI and
    NOTIF_TAKEOVER_SYSLOG (C: struct confd_syslog_notification).
    """

    prio: int  # syslog priority
    logno: int  # number of the message, see log_symbol()
    msg: str


class Commit(TypedDict):
    """NOTIF_COMMIT_SIMPLE (C: struct confd_commit_notification)."""

    database: int  # RUNNING, CANDIDATE, …
    diff_available: int  # 1 when there is a difference to look at
    flags: int  # NOTIF_COMMIT_FLAG_…
    uinfo: UserInfo


class _CommitDiff(TypedDict):
    database: int  # RUNNING, CANDIDATE, …
    flags: int  # NOTIF_COMMIT_FLAG_…
    uinfo: UserInfo
    tctx: TransCtxRef  # to be acknowledged by diff_notification_done()


class CommitDiff(_CommitDiff, total=False):
    """NOTIF_COMMIT_DIFF (C: struct confd_commit_diff_notification)."""

    comment: str
    label: str


class UserSession(TypedDict):
    """NOTIF_USER_SESSION (C: struct confd_user_sess_notification)."""

    type: int  # USER_SESS_…
    uinfo: UserInfo
    database: int  # the datastore of a lock or transaction


class _HaInfo(TypedDict):
    type: int  # HA_INFO_…


class HaInfo(_HaInfo, total=False):
    """NOTIF_HA_INFO (C: struct confd_ha_notification).

    Both names of a pair are there, with the same value.
    """

    # if type is HA_INFO_NOPRIMARY; why: an ERR_… number
    noprimary: int
    nomaster: int
    # if type is HA_INFO_SECONDARY_DIED
    secondary_died: HaNode
    slave_died: HaNode
    # if type is HA_INFO_SECONDARY_ARRIVED
    secondary_arrived: HaNode
    slave_arrived: HaNode
    # if type is HA_INFO_SECONDARY_INITIALIZED; 1 when the whole database was copied
    cdb_initialized_by_copy: int
    # if type is HA_INFO_BESECONDARY_RESULT; 0, or an ERR_… number
    besecondary_result: int
    beslave_result: int


class Subagent(TypedDict):
    """NOTIF_SUBAGENT_INFO (C: struct confd_subagent_notification)."""

    type: int  # SUBAGENT_INFO_UP or SUBAGENT_INFO_DOWN
    name: str


class _CommitFailed(TypedDict):
    provider: int  # DP_…
    dbname: int  # RUNNING, CANDIDATE, …


class CommitFailed(_CommitFailed, total=False):
    """NOTIF_COMMIT_FAILED (C: struct confd_commit_failed_notification)."""

    # if provider is DP_NETCONF
    af: int
    ip4: str
    ip6: str
    port: int  # TCP port
    # if provider is DP_EXTERNAL
    daemon_name: str


class _Snmpa(Address):
    pdu_type: int  # SNMPA_PDU_…
    request_id: int
    error_status: int
    error_index: int
    port: int  # UDP port


class Snmpa(_Snmpa, total=False):
    """NOTIF_SNMPA (C: struct confd_snmpa_notification)."""

    vb: list[SnmpVarbind]
    # if pdu_type is SNMPA_PDU_V1TRAP; together they are a V1Trap
    generic_trap: int
    specific_trap: int
    time_stamp: int
    enterprise: list[int]


class Forward(TypedDict):
    """NOTIF_FORWARD_INFO (C: struct confd_forward_notification)."""

    type: int  # FORWARD_INFO_…
    target: str
    uinfo: UserInfo


class ConfirmedCommit(TypedDict):
    """NOTIF_CONFIRMED_COMMIT (C: struct confd_confirmed_commit_notification)."""

    type: int  # CONFIRMED_COMMIT, CONFIRMING_COMMIT or ABORT_COMMIT
    timeout: int  # seconds until the commit is rolled back
    uinfo: UserInfo


class Upgrade(TypedDict):
    """NOTIF_UPGRADE_EVENT (C: struct confd_upgrade_notification)."""

    event: int  # UPGRADE_…


class _Progress(TypedDict):
    usid: int  # user session id


class Progress(_Progress, total=False):
    """NOTIF_PROGRESS (C: struct confd_progress_notification).

    type, timestamp, tid and datastore are always there from API level 7.7 on.
    """

    type: int  # PROGRESS_START, PROGRESS_STOP or PROGRESS_INFO
    timestamp: int  # µs since the epoch
    duration: int  # µs, if type is PROGRESS_STOP
    tid: int  # transaction id
    datastore: int  # RUNNING, CANDIDATE, …
    trace_id: str
    span_id: str
    parent_span_id: str
    context: str  # context of the user session, such as cli
    subsystem: str
    msg: str
    annotation: str
    attributes: dict[str, AttributeValue]
    links: list[ProgressLink]  # linked spans
    # before API level 8.2
    phase: str
    # before API level 8.2, NSO
    service: str
    service_phase: str
    commit_queue_id: int
    node: str
    device: str
    device_phase: str
    package: str


class CommitProgress(Progress):
    """NOTIF_COMMIT_PROGRESS (C: struct confd_progress_notification).

    At API level 6.6 it has just usid, database, thandle and msg.
    """

    database: int  # the same as datastore
    thandle: int  # the same as tid


class Compaction(TypedDict):
    """NOTIF_COMPACTION (C: struct confd_compaction_notification)."""

    dbfile: int  # COMPACTION_A_CDB, COMPACTION_O_CDB or COMPACTION_S_CDB
    type: int  # COMPACTION_AUTOMATIC or COMPACTION_MANUAL
    fsize_start: int  # bytes before
    fsize_end: int  # bytes after
    fsize_last: int  # bytes after the compaction before this one
    time_start: int  # µs since the epoch
    duration: int  # µs
    ntrans: int  # transactions written since the last compaction


class _Stream(TypedDict):
    type: int  # STREAM_NOTIFICATION_… or STREAM_REPLAY_…


class Stream(_Stream, total=False):
    """NOTIF_STREAM_EVENT (C: struct confd_stream_notification)."""

    # if type is STREAM_NOTIFICATION_EVENT
    event_time: DateTime
    values: list[TagValue]  # the event as a flat list, nested by C_XMLBEGIN and C_XMLEND
    # if type is STREAM_REPLAY_FAILED; two names of the same text
    error: str
    replay_error: str


class _CqProgress(TypedDict):
    type: int  # NCS_CQ_ITEM_…
    timestamp: DateTime
    cq_id: int  # id of the queue item


class CqProgress(_CqProgress, total=False):
    """NCS_NOTIF_CQ_PROGRESS (C: struct ncs_cq_progress_notification)."""

    cq_tag: str
    label: str
    trace_id: str
    completed_devices: list[str]
    transient_devices: list[str]
    failed_devices: list[str]
    failed_reasons: list[str]  # one for each of failed_devices
    completed_services: list[str]
    # for each of the services a C_LIST of devices
    completed_services_completed_devices: list[Value]
    failed_services: list[str]
    failed_services_completed_devices: list[Value]
    failed_services_failed_devices: list[Value]


class _CallHome(Address):
    type: int  # CALL_HOME_…
    port: int  # TCP port
    ssh_host_key: str
    ssh_key_alg: str


class CallHome(_CallHome, total=False):
    """NCS_NOTIF_CALL_HOME_INFO (C: struct ncs_call_home_notification)."""

    device: str  # when it is known


class _AuditNetwork(TypedDict):
    usid: int  # user session id
    tid: int  # transaction id
    user: str
    device: str


class AuditNetwork(_AuditNetwork, total=False):
    """NCS_NOTIF_AUDIT_NETWORK (C: struct ncs_audit_network_notification)."""

    trace_id: str
    config: str  # what was sent


# What the functions return


class _NotificationDict(TypedDict):
    type: int


class NotificationDict(_NotificationDict, total=False):
    """A notification (C: struct confd_notification).

    type is the NOTIF_… bit; it decides which of the other keys is there, or none for a
    notification without content, such as NOTIF_HEARTBEAT.
    """

    audit: Audit
    syslog: Syslog
    commit: Commit
    commit_diff: CommitDiff
    user_sess: UserSession
    hnot: HaInfo
    subagent: Subagent
    cfail: CommitFailed
    snmpa: Snmpa
    forward: Forward
    confirm: ConfirmedCommit
    upgrade: Upgrade
    progress: Progress  # of NOTIF_COMMIT_PROGRESS a CommitProgress, to which it can be cast
    compaction: Compaction
    stream: Stream
    cq_progress: CqProgress
    call_home: CallHome
    audit_network: AuditNetwork


class LibraryInfo(TypedDict):
    """What library() says of the libconfd in use."""

    product: str  # NCS or CONFD
    api_level: str  # such as 8.2
    version: str  # the library's own, such as 8.2.5
    protocol: int  # the protocol level that it announces to the daemon, such as 82
    path: str  # the file that holds its code
    link: str  # shared or static
    stub: bool  # whether it is the stub library
    missing: list[str]  # constants and fields that its headers lack
