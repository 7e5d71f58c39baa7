"""Every notification and every constant, described once.

The build reads this module to probe an SDK's headers and to write the table by which the
extension turns C structs into dicts; the type hints, the documentation and the simulated daemon
are checked against it. To add a field, add its line here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

PRODUCTS = {"NCS": "NSO", "CONFD": "ConfD"}
"""The products' names, by what the library calls them."""


class Span(NamedTuple):
    """Which releases have something, by the API level of their libconfd."""

    since: str = ""
    """The first that has it; empty: all that we know."""
    before: str = ""
    """The first that no longer has it; empty: none."""
    product: str = ""
    """NCS for what is in NSO alone."""

    def includes(self, api_level: str, product: str) -> bool:
        """Whether this release is one of them."""
        level = _numbers(api_level)
        return (
            _numbers(self.since) <= level
            and (not self.before or level < _numbers(self.before))
            and self.product in ("", product)
        )


def _numbers(api_level: str) -> tuple[int, ...]:
    return tuple(map(int, api_level.split("."))) if api_level else ()


class Field(NamedTuple):
    """One key of a notification's dict and the struct member behind it."""

    key: str
    type: str = "int"
    """The Python type: one of the conversions in fields.h, by the name used in type hints."""
    doc: str = ""
    members: tuple[str, ...] = ()
    """Names of the C member, newest first; the first that the headers have is read.
    Default: the key."""
    also: str = ""
    """An older name for the same value, which the dict has too."""
    optional: bool = False
    """The key is absent when C has no value: NULL, no text, no elements, zero."""
    when: tuple[str, str] | None = None
    """The key is present only while this member has the value of this C constant."""
    counted_by: str = ""
    """The member with the number of elements."""
    enum: str = ""
    """The class in enums.py that the number is a member of."""
    epoch: str = ""
    """The unit, "us" or "s", of a number that is a time since the epoch."""
    span: Span = Span()
    """Which of the releases that have the notification have this field."""
    unit: str = ""
    """The unit of a number that is an amount: "us", "cs", "s" or "B" for bytes."""


class Notification(NamedTuple):
    """One kind of notification."""

    name: str
    """The Python constant of its bit."""
    doc: str
    member: str = ""
    """The member of struct confd_notification.n, and the key of the payload."""
    struct: str = ""
    payload: str = ""
    """Name of the payload's TypedDict."""
    fields: tuple[Field, ...] = ()
    acknowledge: str = ""
    """The function that sends the acknowledgement on which the daemon waits."""
    sync: str = ""
    """The flag of the subscriptions on whose acknowledgement it waits; empty: on all."""


# Parts that several notifications have.
ADDRESS = (
    Field(
        "af",
        "int",
        "AF_INET, AF_INET6, or AF_UNSPEC when there is no address",
        enum="AddressFamily",
    ),
    Field("ip4", "str", "address, if af is AF_INET", optional=True),
    Field("ip6", "str", "address, if af is AF_INET6", optional=True),
)
HA_NODE = (
    Field("nodeid", "Value", "the node's id"),
    *ADDRESS,
    Field("str", "str", "address as text, else", optional=True),
)
V1_TRAP = (
    Field("generic_trap", doc="RFC 1157: 0 coldStart … 6 enterpriseSpecific", enum="GenericTrap"),
    Field("specific_trap", doc="the enterprise's own number"),
    Field("time_stamp", doc="1/100 s since the agent started", unit="cs"),
    Field("enterprise", "list[int]", "object identifier", optional=True),
)

# The types whose fields lie beside those of the dict that has one.
INLINE = {"Address": ADDRESS, "V1Trap": V1_TRAP}


def spread(fields: Iterable[Field]) -> Iterator[Field]:
    """The fields as they lie in the dict: in place of one of an INLINE type, those of that type."""
    for field in fields:
        yield from INLINE.get(field.type, (field,))


def class_name(notification: Notification) -> str:
    """The class of its events, such as CommitDiffEvent."""
    words = notification.name.partition("NOTIF_")[2].lower().removesuffix("_event").split("_")
    return "".join(word.capitalize() for word in words) + "Event"


# Attributes of classes that a payload may hold.
USER_INFO = (
    Field("username", "str"),
    Field("usid"),
    Field("context", "str"),
    Field("proto", enum="Proto"),
    Field("addr", "str"),
    Field("af", enum="AddressFamily"),
    Field("port"),
    Field("logintime", epoch="s"),
    Field("lmode", enum="LockMode"),
    Field("snmp_v3_ctx", "str"),
    Field("clearpass", "str"),
    Field("flags", enum="SessionFlag"),
    Field("actx_thandle"),
)
SNMP_VARBIND = (
    Field("type", enum="VarbindType"),
    Field("vartype", enum="SnmpType"),
    Field("name", "str", optional=True),
    Field("oid", "list[int]", optional=True),
    Field("column", "str", optional=True),
    Field("rowindex", "list[int]", optional=True),
    Field("val", "Value"),
)
PROGRESS_LINK = (Field("trace_id", "str"), Field("span_id", "str"))

_LOG_MESSAGE = (
    Field("prio", doc="syslog priority", enum="SyslogPriority"),
    Field("logno", doc="number of the message, see log_symbol()"),
    Field("msg", "str", "the line"),
)

# 6.6 has but a few of these fields, 7.7 some that 8.2 replaced.
_77 = Span("7.7")
_82 = Span("8.2")
_77_TO_82 = Span("7.7", "8.2")
_77_TO_82_NSO = Span("7.7", "8.2", "NCS")

_PROGRESS = (
    Field("type", doc="PROGRESS_START, _STOP or _INFO", enum="ProgressType", span=_77),
    Field("timestamp", doc="µs since the epoch", epoch="us", span=_77),
    Field("duration", doc="µs", when=("type", "CONFD_PROGRESS_STOP"), unit="us", span=_77),
    Field("usid", doc="user session id"),
    Field("tid", doc="transaction id", span=_77),
    Field("datastore", doc="RUNNING, CANDIDATE, …", enum="Database", span=_77),
    Field("trace_id", "str", "id of the trace", optional=True, span=_77),
    Field("span_id", "str", "id of the span within the trace", optional=True, span=_82),
    Field("parent_span_id", "str", "id of the span around it", optional=True, span=_82),
    Field("context", "str", "context of the user session, such as cli", optional=True, span=_77),
    Field("subsystem", "str", "the part of the system", optional=True, span=_77),
    Field("msg", "str", "the step", optional=True),
    Field("annotation", "str", "result or remark", optional=True, span=_77),
    Field(
        "attributes",
        "dict[str, str | int]",
        "by name",
        optional=True,
        counted_by="num_attributes",
        span=_82,
    ),
    Field(
        "links",
        "list[ProgressLink]",
        "linked spans",
        optional=True,
        counted_by="num_links",
        span=_82,
    ),
    Field("phase", "str", "the phase of the transaction", optional=True, span=_77_TO_82),
    Field("service", "str", "the service's path", optional=True, span=_77_TO_82_NSO),
    Field(
        "service_phase", "str", "what is done with the service", optional=True, span=_77_TO_82_NSO
    ),
    Field(
        "commit_queue_id",
        "int",
        "id of the queue item",
        optional=True,
        span=_77_TO_82_NSO,
    ),
    Field("node", "str", "the node in the cluster", optional=True, span=_77_TO_82_NSO),
    Field("device", "str", "the device", optional=True, span=_77_TO_82_NSO),
    Field("device_phase", "str", "what is done with the device", optional=True, span=_77_TO_82_NSO),
    Field("package", "str", "the package", optional=True, span=_77_TO_82_NSO),
)

_NODE_DIED = ("type", "CONFD_HA_INFO_SLAVE_DIED")
_NODE_ARRIVED = ("type", "CONFD_HA_INFO_SLAVE_ARRIVED")
_NETCONF_PROVIDER = ("provider", "CONFD_DP_NETCONF")
_STREAM_EVENT = ("type", "CONFD_STREAM_NOTIFICATION_EVENT")


def _syslog(name: str, doc: str) -> Notification:
    return Notification(name, doc, "syslog", "confd_syslog_notification", "Syslog", _LOG_MESSAGE)


NOTIFICATIONS = (
    Notification(
        "NOTIF_AUDIT",
        "A user logged in or out, ran a command, was refused.",
        "audit",
        "confd_audit_notification",
        "Audit",
        (
            Field("logno", doc="number of the message, see log_symbol()"),
            Field("user", "str", "the user's name"),
            Field("msg", "str", "what happened"),
            Field("usid", doc="user session id"),
        ),
        acknowledge="sync_audit_notification",
        sync="NOTIF_AUDIT_SYNC",
    ),
    _syslog("NOTIF_DAEMON", "A line of the daemon log."),
    _syslog(
        "NOTIF_TAKEOVER_SYSLOG",
        "A flag of the subscription: the daemon stops logging to syslog itself, until the last "
        "such subscriber is gone. The lines arrive with their own bit.",
    ),
    _syslog("NOTIF_NETCONF", "A line of the NETCONF log."),
    _syslog("NOTIF_DEVEL", "A line of the developer log."),
    _syslog("NOTIF_JSONRPC", "A line of the JSON-RPC log."),
    _syslog("NOTIF_WEBUI", "A line of the web UI log."),
    Notification(
        "NOTIF_COMMIT_SIMPLE",
        "A transaction was committed.",
        "commit",
        "confd_commit_notification",
        "Commit",
        (
            Field("database", doc="RUNNING, CANDIDATE, …", enum="Database"),
            Field("diff_available", doc="1 when there is a difference to look at"),
            Field("flags", doc="NOTIF_COMMIT_FLAG_…", enum="CommitFlag"),
            Field("uinfo", "UserInfo", "the user session"),
        ),
    ),
    Notification(
        "NOTIF_COMMIT_DIFF",
        "A transaction was committed and waits until its differences have been read over MAAPI.",
        "commit_diff",
        "confd_commit_diff_notification",
        "CommitDiff",
        (
            Field("database", doc="RUNNING, CANDIDATE, …", enum="Database"),
            Field("flags", doc="NOTIF_COMMIT_FLAG_…", enum="CommitFlag"),
            Field("uinfo", "UserInfo", "the user session"),
            Field("tctx", "TransCtxRef", "the transaction"),
            Field("comment", "str", "the commit's comment", optional=True),
            Field("label", "str", "the commit's label", optional=True),
        ),
        acknowledge="diff_notification_done",
    ),
    Notification(
        "NOTIF_USER_SESSION",
        "A user session started or stopped, took or released a lock, opened or closed a "
        "transaction.",
        "user_sess",
        "confd_user_sess_notification",
        "UserSession",
        (
            Field("type", doc="USER_SESS_…", enum="UserSess"),
            Field("uinfo", "UserInfo", "the user session"),
            Field("database", doc="the datastore of a lock or transaction", enum="Database"),
        ),
    ),
    Notification(
        "NOTIF_HA_INFO",
        "The state of the high availability cluster changed.",
        "hnot",
        "confd_ha_notification",
        "HaInfo",
        (
            Field("type", doc="HA_INFO_…", enum="HaInfo"),
            Field(
                "noprimary",
                doc="why: an ERR_… number",
                members=("data.noprimary", "data.nomaster"),
                also="nomaster",
                when=("type", "CONFD_HA_INFO_NOMASTER"),
                enum="ErrorCode",
            ),
            Field(
                "secondary_died",
                "HaNode",
                members=("data.secondary_died", "data.slave_died"),
                also="slave_died",
                when=_NODE_DIED,
            ),
            Field(
                "secondary_arrived",
                "HaNode",
                members=("data.secondary_arrived", "data.slave_arrived"),
                also="slave_arrived",
                when=_NODE_ARRIVED,
            ),
            Field(
                "cdb_initialized_by_copy",
                doc="1 when the whole database was copied",
                members=("data.cdb_initialized_by_copy",),
                when=("type", "CONFD_HA_INFO_SLAVE_INITIALIZED"),
            ),
            Field(
                "besecondary_result",
                doc="0, or an ERR_… number",
                members=("data.besecondary_result", "data.beslave_result"),
                also="beslave_result",
                when=("type", "CONFD_HA_INFO_BESLAVE_RESULT"),
                enum="ErrorCode",
            ),
        ),
        acknowledge="sync_ha_notification",
        sync="NOTIF_HA_INFO_SYNC",
    ),
    Notification(
        "NOTIF_SUBAGENT_INFO",
        "A subagent went up or down.",
        "subagent",
        "confd_subagent_notification",
        "Subagent",
        (
            Field("type", doc="SUBAGENT_INFO_UP or _DOWN", enum="SubagentInfo"),
            Field("name", "str", "the subagent"),
        ),
    ),
    Notification(
        "NOTIF_COMMIT_FAILED",
        "A data provider failed to commit: its data may be inconsistent.",
        "cfail",
        "confd_commit_failed_notification",
        "CommitFailed",
        (
            Field("provider", doc="DP_…", enum="DataProvider"),
            Field("dbname", doc="RUNNING, CANDIDATE, …", enum="Database"),
            Field("ip", "Address", members=("v.nc.ip",), when=_NETCONF_PROVIDER),
            Field("port", doc="TCP port", members=("v.nc.port",), when=_NETCONF_PROVIDER),
            Field(
                "daemon_name",
                "str",
                members=("v.daemon_name",),
                when=("provider", "CONFD_DP_EXTERNAL"),
            ),
        ),
    ),
    Notification(
        "NOTIF_SNMPA",
        "The SNMP agent received or sent a PDU.",
        "snmpa",
        "confd_snmpa_notification",
        "Snmpa",
        (
            Field("pdu_type", doc="SNMPA_PDU_…", enum="SnmpPdu"),
            Field("request_id", doc="0 for V1TRAP"),
            Field("error_status", doc="RFC 3416: 0 noError, …", enum="SnmpError"),
            Field("error_index", doc="the variable in error, from 1"),
            Field("ip", "Address"),
            Field("port", doc="UDP port"),
            Field(
                "vb",
                "list[SnmpVarbind]",
                "the variables",
                optional=True,
                counted_by="num_variables",
            ),
            Field("v1_trap", "V1Trap", when=("pdu_type", "CONFD_SNMPA_PDU_V1TRAP")),
        ),
    ),
    Notification(
        "NOTIF_FORWARD_INFO",
        "The forwarding of a user session to another host went up, down, or failed.",
        "forward",
        "confd_forward_notification",
        "Forward",
        (
            Field("type", doc="FORWARD_INFO_…", enum="ForwardInfo"),
            Field("target", "str", "where to"),
            Field("uinfo", "UserInfo", "the user session"),
        ),
    ),
    Notification(
        "NOTIF_CONFIRMED_COMMIT",
        "A confirmed commit began, was confirmed, or was aborted.",
        "confirm",
        "confd_confirmed_commit_notification",
        "ConfirmedCommit",
        (
            Field(
                "type",
                doc="CONFIRMED_COMMIT, CONFIRMING_COMMIT or ABORT_COMMIT",
                enum="ConfirmedCommit",
            ),
            Field("timeout", doc="seconds until a confirmed commit is rolled back", unit="s"),
            Field("uinfo", "UserInfo", "the user session"),
        ),
    ),
    Notification(
        "NOTIF_UPGRADE_EVENT",
        "An in-service upgrade of the data model proceeds.",
        "upgrade",
        "confd_upgrade_notification",
        "Upgrade",
        (Field("event", doc="UPGRADE_…", enum="Upgrade"),),
    ),
    Notification(
        "NOTIF_PROGRESS",
        "A step of a transaction or action began, ended, or said something.",
        "progress",
        "confd_progress_notification",
        "Progress",
        _PROGRESS,
    ),
    Notification(
        "NOTIF_COMMIT_PROGRESS",
        "As NOTIF_PROGRESS, of commits alone.",
        "progress",
        "confd_progress_notification",
        "CommitProgress",
        (
            *_PROGRESS,
            Field(
                "database",
                doc="the same as datastore",
                members=("database", "datastore"),
                enum="Database",
            ),
            Field("thandle", doc="the same as tid", members=("thandle", "tid")),
        ),
    ),
    Notification(
        "NOTIF_COMPACTION",
        "A database file was compacted.",
        "compaction",
        "confd_compaction_notification",
        "Compaction",
        (
            Field("dbfile", doc="COMPACTION_A_CDB, _O_CDB or _S_CDB", enum="CompactionFile"),
            Field("type", doc="COMPACTION_AUTOMATIC or _MANUAL", enum="CompactionType"),
            Field("fsize_start", doc="bytes before", unit="B"),
            Field("fsize_end", doc="bytes after", unit="B"),
            Field("fsize_last", doc="bytes after the compaction before this one", unit="B"),
            Field("time_start", doc="µs since the epoch", epoch="us"),
            Field("duration", doc="µs", unit="us"),
            Field("ntrans", doc="transactions written since the last compaction"),
        ),
    ),
    Notification(
        "NOTIF_STREAM_EVENT",
        "An event of the NETCONF (or other) event stream subscribed to, or the end of a replay.",
        "stream",
        "confd_stream_notification",
        "Stream",
        (
            Field(
                "type",
                doc="STREAM_NOTIFICATION_… or STREAM_REPLAY_…; events go on after REPLAY_COMPLETE "
                "alone, and none comes after NOTIFICATION_COMPLETE, at the stop time, or "
                "REPLAY_FAILED",
                enum="StreamType",
            ),
            Field("event_time", "DateTime", when=_STREAM_EVENT),
            Field(
                "values",
                "list[TagValue]",
                "the event as a flat list, nested by XMLBEGIN and XMLEND",
                counted_by="nvalues",
                when=_STREAM_EVENT,
            ),
            Field(
                "error",
                "str",
                members=("replay_error", "error"),
                also="replay_error",
                when=("type", "CONFD_STREAM_REPLAY_FAILED"),
            ),
        ),
    ),
    Notification(
        "NCS_NOTIF_CQ_PROGRESS",
        "An item of NSO's commit queue proceeds.",
        "cq_progress",
        "ncs_cq_progress_notification",
        "CqProgress",
        (
            Field("type", doc="NCS_CQ_ITEM_…", enum="CqItem"),
            Field("timestamp", "DateTime"),
            Field("cq_id", doc="id of the queue item"),
            Field(
                "cq_tag",
                "str",
                "the tag given at the commit",
                optional=True,
                span=Span(before="8.7"),
            ),
            Field("label", "str", "the label given at the commit", optional=True, span=Span("8.5")),
            Field("trace_id", "str", "id of the trace", optional=True, span=Span("7.7", "8.7")),
            Field(
                "completed_devices",
                "list[str]",
                "names",
                optional=True,
                counted_by="ncompleted_devices",
            ),
            Field(
                "transient_devices",
                "list[str]",
                "to be tried again",
                optional=True,
                counted_by="ntransient_devices",
            ),
            Field(
                "failed_devices", "list[str]", "names", optional=True, counted_by="nfailed_devices"
            ),
            Field(
                "failed_reasons",
                "list[str]",
                "one for each of failed_devices",
                optional=True,
                counted_by="nfailed_devices",
            ),
            Field(
                "completed_services",
                "list[str]",
                "paths",
                optional=True,
                counted_by="ncompleted_services",
            ),
            Field(
                "completed_services_completed_devices",
                "list[Value]",
                "for each of completed_services a C_LIST of devices",
                optional=True,
                counted_by="ncompleted_services",
            ),
            Field(
                "failed_services",
                "list[str]",
                "paths",
                optional=True,
                counted_by="nfailed_services",
            ),
            Field(
                "failed_services_completed_devices",
                "list[Value]",
                "for each of failed_services a C_LIST of devices",
                optional=True,
                counted_by="nfailed_services",
            ),
            Field(
                "failed_services_failed_devices",
                "list[Value]",
                "for each of failed_services a C_LIST of devices",
                optional=True,
                counted_by="nfailed_services",
            ),
        ),
    ),
    Notification(
        "NCS_NOTIF_CALL_HOME_INFO",
        "A device called home to NSO.",
        "call_home",
        "ncs_call_home_notification",
        "CallHome",
        (
            Field("type", doc="CALL_HOME_…", enum="CallHome"),
            Field("device", "str", "the device, when it is known", optional=True),
            Field("ip", "Address"),
            Field("port", doc="TCP port"),
            Field("ssh_host_key", "str", "the key that the device showed"),
            Field("ssh_key_alg", "str", "its algorithm"),
        ),
    ),
    Notification(
        "NCS_NOTIF_AUDIT_NETWORK",
        "NSO sent configuration to a device.",
        "audit_network",
        "ncs_audit_network_notification",
        "AuditNetwork",
        (
            Field("usid", doc="user session id"),
            Field("tid", doc="transaction id"),
            Field("user", "str", "the user's name"),
            Field("device", "str", "the device's name"),
            Field("trace_id", "str", "id of the trace", optional=True),
            Field("config", "str", "what was sent", optional=True),
        ),
        acknowledge="sync_audit_network_notification",
        sync="NCS_NOTIF_AUDIT_NETWORK_SYNC",
    ),
    Notification("NOTIF_HEARTBEAT", "The daemon is alive; at the interval asked for."),
    Notification(
        "NOTIF_HEALTH_CHECK",
        "The daemon passed its own health check; at the interval asked for, under load later.",
    ),
    Notification("NCS_NOTIF_PACKAGE_RELOAD", "NSO has reloaded its packages."),
    Notification("NOTIF_REOPEN_LOGS", "The daemon closes its log files and opens them anew."),
    Notification("NOTIF_SYSTEM_GOING_DOWN", "The daemon is about to stop."),
)

# Names of the Python constants; c_names() says which C constants they may stand for.
CONSTANTS = """
    NCS_NOTIF_AUDIT_NETWORK NCS_NOTIF_AUDIT_NETWORK_SYNC NCS_NOTIF_CALL_HOME_INFO
    NCS_NOTIF_CQ_PROGRESS NCS_NOTIF_PACKAGE_RELOAD NOTIF_AUDIT NOTIF_AUDIT_NETWORK
    NOTIF_AUDIT_NETWORK_SYNC NOTIF_AUDIT_SYNC NOTIF_CALL_HOME_INFO NOTIF_COMMIT_DIFF
    NOTIF_COMMIT_FAILED NOTIF_COMMIT_FLAG_CONFIRMED NOTIF_COMMIT_FLAG_CONFIRMED_EXTENDED
    NOTIF_COMMIT_PROGRESS NOTIF_COMMIT_SIMPLE NOTIF_COMPACTION NOTIF_CONFIRMED_COMMIT
    NOTIF_CQ_PROGRESS NOTIF_DAEMON NOTIF_DEVEL NOTIF_FORWARD_INFO NOTIF_HA_INFO
    NOTIF_HA_INFO_SYNC NOTIF_HEALTH_CHECK NOTIF_HEARTBEAT NOTIF_JSONRPC NOTIF_NETCONF
    NOTIF_PACKAGE_RELOAD NOTIF_PROGRESS NOTIF_REOPEN_LOGS NOTIF_SNMPA NOTIF_STREAM_EVENT
    NOTIF_SUBAGENT_INFO NOTIF_SYSLOG NOTIF_SYSLOG_TAKEOVER NOTIF_SYSTEM_GOING_DOWN
    NOTIF_TAKEOVER_SYSLOG NOTIF_UPGRADE_EVENT NOTIF_USER_SESSION NOTIF_WEBUI

    ABORT_COMMIT CALL_HOME_DEVICE_CONNECTED CALL_HOME_DEVICE_DISCONNECTED
    CALL_HOME_UNKNOWN_DEVICE COMPACTION_AUTOMATIC COMPACTION_A_CDB COMPACTION_MANUAL
    COMPACTION_O_CDB COMPACTION_S_CDB CONFIRMED_COMMIT CONFIRMING_COMMIT DP_CDB DP_EXTERNAL
    DP_JAVASCRIPT DP_NETCONF DP_SNMPGW FORWARD_INFO_DOWN FORWARD_INFO_FAILED FORWARD_INFO_UP
    HA_INFO_BESECONDARY_RESULT HA_INFO_BESLAVE_RESULT HA_INFO_IS_MASTER HA_INFO_IS_NONE
    HA_INFO_IS_PRIMARY HA_INFO_NOMASTER HA_INFO_NOPRIMARY HA_INFO_SECONDARY_ARRIVED
    HA_INFO_SECONDARY_DIED HA_INFO_SECONDARY_INITIALIZED HA_INFO_SLAVE_ARRIVED
    HA_INFO_SLAVE_DIED HA_INFO_SLAVE_INITIALIZED NCS_CQ_ITEM_COMPLETED NCS_CQ_ITEM_DELETED
    NCS_CQ_ITEM_EXECUTING NCS_CQ_ITEM_FAILED NCS_CQ_ITEM_LOCKED NCS_CQ_ITEM_WAITING
    PROGRESS_ATTRIBUTE_NUMBER PROGRESS_ATTRIBUTE_STRING PROGRESS_INFO PROGRESS_START
    PROGRESS_STOP SNMPA_PDU_GET_BULK_REQUEST SNMPA_PDU_GET_NEXT_REQUEST SNMPA_PDU_GET_REQUEST
    SNMPA_PDU_GET_RESPONSE SNMPA_PDU_INFORM SNMPA_PDU_REPORT SNMPA_PDU_SET_REQUEST
    SNMPA_PDU_V1TRAP SNMPA_PDU_V2TRAP STREAM_NOTIFICATION_COMPLETE STREAM_NOTIFICATION_EVENT
    STREAM_REPLAY_COMPLETE STREAM_REPLAY_FAILED SUBAGENT_INFO_DOWN SUBAGENT_INFO_UP
    UPGRADE_ABORTED UPGRADE_COMMITED UPGRADE_INIT_STARTED UPGRADE_INIT_SUCCEEDED
    UPGRADE_PERFORMED USER_SESS_LOCK USER_SESS_START USER_SESS_START_TRANS USER_SESS_STOP
    USER_SESS_STOP_TRANS USER_SESS_UNLOCK

    CONFD_EOF CONFD_ERR CONFD_OK CONFD_PORT NCS_PORT
    NO_DB CANDIDATE RUNNING STARTUP OPERATIONAL TRANSACTION PRE_COMMIT_RUNNING INTENDED
    PROTO_CONSOLE PROTO_HTTP PROTO_HTTPS PROTO_SSH PROTO_SSL PROTO_SYSTEM PROTO_TCP PROTO_TLS
    PROTO_TRACE PROTO_UDP PROTO_UNKNOWN
    SNMP_COL_ROW SNMP_Counter32 SNMP_Counter64 SNMP_INTEGER SNMP_Interger32 SNMP_IpAddress
    SNMP_NULL SNMP_OBJECT_IDENTIFIER SNMP_OCTET_STRING SNMP_OID SNMP_Opaque SNMP_TimeTicks
    SNMP_Unsigned32 SNMP_VARIABLE
    TIMEZONE_UNDEF USESS_FLAG_FORWARD USESS_FLAG_HAS_IDENTIFICATION USESS_FLAG_HAS_OPAQUE
    USESS_LOCK_MODE_EXCLUSIVE USESS_LOCK_MODE_NONE USESS_LOCK_MODE_PRIVATE
    USESS_LOCK_MODE_SHARED VERBOSITY_DEBUG VERBOSITY_NORMAL VERBOSITY_VERBOSE
    VERBOSITY_VERY_VERBOSE

    C_BINARY C_BIT32 C_BIT64 C_BITBIG C_BOOL C_BUF C_CDBBEGIN C_DATE C_DATETIME C_DECIMAL64
    C_DEFAULT C_DOUBLE C_DQUAD C_DURATION C_EMPTY C_ENUM_HASH C_ENUM_VALUE C_HEXSTR C_IDENTITYREF
    C_INT16 C_INT32 C_INT64 C_INT8 C_IPV4 C_IPV4PREFIX C_IPV4_AND_PLEN C_IPV6 C_IPV6PREFIX
    C_IPV6_AND_PLEN C_LIST C_NOEXISTS C_OBJECTREF C_OID C_PTR C_QNAME C_STR C_SYMBOL C_TIME
    C_UINT16 C_UINT32 C_UINT64 C_UINT8 C_UNION C_XMLBEGIN C_XMLBEGINDEL C_XMLEND
    C_XMLMOVEAFTER C_XMLMOVEFIRST C_XMLTAG

    ERR_ABORTED ERR_ACCESS_DENIED ERR_ALREADY_EXISTS ERR_APPLICATION_INTERNAL ERR_BADPATH
    ERR_BADSTATE ERR_BADTYPE ERR_BAD_CONFIG ERR_BAD_KEYREF ERR_BAD_PAYLOAD
    ERR_CHECKSUM_MISMATCH ERR_CLI_CMD ERR_DATA_MISSING ERR_EOF ERR_EXTERNAL ERR_HA_ABORT
    ERR_HA_BADCONFIG ERR_HA_BADFXS ERR_HA_BADNAME ERR_HA_BADTOKEN ERR_HA_BADVSN ERR_HA_BIND
    ERR_HA_CLOSED ERR_HA_CONNECT ERR_HA_NOTICK ERR_HA_WITH_UPGRADE ERR_INCONSISTENT_VALUE
    ERR_INTERNAL ERR_INUSE ERR_INVALID_INSTANCE ERR_LIB_NOT_INITIALIZED ERR_LOCKED
    ERR_MALLOC ERR_MISSING_INSTANCE ERR_MUST_FAILED ERR_NOEXISTS ERR_NON_UNIQUE
    ERR_NOSESSION ERR_NOSTACK ERR_NOTCREATABLE ERR_NOTDELETABLE ERR_NOTMOVABLE ERR_NOTRANS
    ERR_NOTSET ERR_NOT_IMPLEMENTED ERR_NOT_WRITABLE ERR_NO_MOUNT_ID ERR_OS
    ERR_POLICY_COMPILATION_FAILED ERR_POLICY_EVALUATION_FAILED ERR_POLICY_FAILED
    ERR_PROTOUSAGE ERR_RESOURCE_DENIED ERR_STALE_INSTANCE ERR_START_FAILED ERR_SUBAGENT_DOWN
    ERR_TIMEOUT ERR_TOOMANYTRANS ERR_TOO_FEW_ELEMS ERR_TOO_MANY_ELEMS ERR_TOO_MANY_SESSIONS
    ERR_TRANSACTION_CONFLICT ERR_UNAVAILABLE ERR_UNSET_CHOICE ERR_UPGRADE_IN_PROGRESS
    ERR_VALIDATION_WARNING ERR_XPATH
    NCS_ERR_CONNECTION_CLOSED NCS_ERR_CONNECTION_REFUSED NCS_ERR_CONNECTION_TIMEOUT
    NCS_ERR_DEVICE NCS_ERR_SERVICE_CONFLICT NCS_ERR_TEMPLATE
""".split()


def c_names(constant: str) -> tuple[str, ...]:
    """The C constants that a Python constant may stand for; the first that exists is meant."""
    older = constant.replace("SECONDARY", "SLAVE").replace("PRIMARY", "MASTER")
    return (f"CONFD_{constant}", f"NCS_{constant}", constant, f"CONFD_{older}")


# Which releases have a constant; those that are not here are in all that we know. The first
# pattern that fits a name counts.
_SPANS = (
    ("NOTIF_SYSTEM_GOING_DOWN", Span("8.7")),
    ("NOTIF_COMPACTION COMPACTION_*", Span("8.2")),
    ("NOTIF_PROGRESS NOTIF_JSONRPC NOTIF_WEBUI", Span("7.7")),
    ("*NOTIF_AUDIT_NETWORK* sync_audit_network_notification", Span("8.0", product="NCS")),
    ("*NOTIF_CALL_HOME_INFO", Span("7.7", product="NCS")),
    ("*NOTIF_CQ_PROGRESS *NOTIF_PACKAGE_RELOAD NCS_CQ_ITEM_*", Span(product="NCS")),
    ("CALL_HOME_DEVICE_DISCONNECTED", Span("8.5", product="NCS")),
    ("CALL_HOME_*", Span("7.7", product="NCS")),
    ("PROGRESS_ATTRIBUTE_*", Span("8.2")),
    ("C_EMPTY", Span("8.5")),
    ("ERR_HA_BADCONFIG ERR_TRANSACTION_CONFLICT ERR_HA_ABORT", Span("8.0")),
    ("ERR_BAD_PAYLOAD", Span("8.6")),
    ("ERR_CHECKSUM_MISMATCH", Span("8.7")),
)


def span(constant: str) -> Span:
    """Which releases have the Python constant."""
    for patterns, known in _SPANS:
        if any(fnmatchcase(constant, pattern) for pattern in patterns.split()):
            return known
    return Span()
