# What the dicts hold beside numbers, text and values.

# Which of xmltag, v, tag and ns are missing.
cdef tuple TAG_VALUE_ARGUMENTS = ([False, False, True, True], [True, True, False, False])


@cython.no_gc  # a Value can't refer back
@cython.freelist(64)
cdef class TagValue:
    """One element of a stream event: a tag and its value (C: confd_tag_value_t).

    Made of an XmlTag and a Value, or of tag and ns, the hashes of its name and namespace: then
    its value is a C_NOEXISTS. str() is the tag's name when the schemas are loaded, see
    load_schemas().
    """

    cdef readonly uint32_t ns
    cdef readonly uint32_t tag
    cdef confd_value_t content  # until the Value is made, which is when somebody asks for it
    cdef Value made

    def __cinit__(self):
        self.content.type = C_NOEXISTS

    def __init__(self, XmlTag xmltag=None, Value v=None, tag=None, ns=None):
        if [xmltag is None, v is None, tag is None, ns is None] not in TAG_VALUE_ARGUMENTS:
            raise TypeError("TagValue takes xmltag and v, or tag and ns")
        self.ns = c_uint32("ns", ns) if xmltag is None else xmltag.ns
        self.tag = c_uint32("tag", tag) if xmltag is None else xmltag.tag
        self.made = nothing() if v is None else v

    def __dealloc__(self):
        free_copy(&self.content)

    @property
    def v(self):
        """The Value."""
        return self.value()

    cdef Value value(self):
        if self.made is None:
            self.made = Value.__new__(Value)
            self.made.v = self.content
            self.content.type = C_NOEXISTS
        return self.made

    def __eq__(self, other):
        if not isinstance(other, TagValue):
            return NotImplemented
        return (self.ns, self.tag, self.v) == (other.ns, other.tag, other.v)

    def __hash__(self):
        return hash((self.ns, self.tag, self.value().content_hash()))

    def __str__(self):
        return tag_name(self.ns, self.tag)

    def __repr__(self):
        return f"TagValue(XmlTag(ns={self.ns}, tag={self.tag}), {self.v!r})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("a TagValue can't be pickled, for its Value can't")


cdef class SnmpVarbind:
    """A variable binding of an SNMP PDU (C: struct confd_snmp_varbind).

    type is SNMP_VARIABLE, with name; SNMP_OID, with oid; or SNMP_COL_ROW, with column and
    rowindex. The other attributes are None. vartype is the variable's type, SNMP_…, and val its
    Value. To make one, give column and rowindex as the pair cr.
    """

    cdef readonly int type
    cdef readonly int vartype
    cdef readonly str name
    cdef readonly list oid
    cdef readonly str column
    cdef readonly list rowindex
    cdef readonly Value val

    def __init__(self, type, Value val not None, vartype=CONFD_SNMP_NULL, name=None, oid=None,
                 cr=None):
        self.type = c_int("type", type)
        self.vartype = c_int("vartype", vartype)
        self.val = val
        if self.type == CONFD_SNMP_VARIABLE:
            self.name = optional_text("name", given("name", name))
        elif self.type == CONFD_SNMP_OID:
            self.oid = oid_numbers("oid", given("oid", oid))
        elif self.type == CONFD_SNMP_COL_ROW:
            column, rowindex = pair("cr", given("cr", cr), "a pair of a column and a row index")
            self.column = optional_text("cr", given("cr", column))
            self.rowindex = oid_numbers("cr", rowindex)
        else:
            raise ValueError(f"type: {type} is none of SNMP_VARIABLE, SNMP_OID, SNMP_COL_ROW")

    def __repr__(self):
        var = {"name": self.name, "oid": self.oid, "column": self.column,
               "rowindex": self.rowindex}
        shown = "".join(f"{key}={value!r}, " for key, value in var.items() if value is not None)
        return f"SnmpVarbind({shown}vartype={self.vartype}, val={self.val!r})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("a SnmpVarbind can't be pickled, for its Value can't")


cdef object given(str argument, value):
    if value is None:
        raise TypeError(f"{argument}: is missing for this type")
    return value


cdef list oid_numbers(str argument, value):
    if not isinstance(value, list):
        raise TypeError(f"{argument}: expected a list of integers, not {type(value).__name__}")
    if not 1 <= len(value) <= 128:
        raise ValueError(f"{argument}: has {len(value)} numbers instead of 1 to 128")
    return [c_uint32(argument, number) for number in value]


cdef SnmpVarbind make_varbind(const confd_snmp_varbind *vb):
    cdef SnmpVarbind made = SnmpVarbind.__new__(SnmpVarbind)
    made.type = vb.type
    made.vartype = vb.vartype
    made.val = make_value(&vb.val)
    if vb.type == CONFD_SNMP_VARIABLE:
        made.name = chars(vb.var.name, sizeof(vb.var.name))
    elif vb.type == CONFD_SNMP_OID:
        made.oid = oid_list(&vb.var.oid)
    elif vb.type == CONFD_SNMP_COL_ROW:
        made.column = chars(vb.var.cr.column, sizeof(vb.var.cr.column))
        made.rowindex = oid_list(&vb.var.cr.rowindex)
    return made


cdef class ProgressLink:
    """A link to a span of another trace (C: struct confd_progress_link).

    trace_id and span_id are attributes and items.
    """

    cdef readonly str trace_id
    cdef readonly str span_id

    def __init__(self, str trace_id not None, str span_id not None):
        self.trace_id = trace_id
        self.span_id = span_id

    def __getitem__(self, key):
        if key == "trace_id":
            return self.trace_id
        if key == "span_id":
            return self.span_id
        raise KeyError(key)

    def __eq__(self, other):
        if not isinstance(other, ProgressLink):
            return NotImplemented
        return (self.trace_id, self.span_id) == (other.trace_id, other.span_id)

    def __hash__(self):
        return hash((self.trace_id, self.span_id))

    def __repr__(self):
        return f"ProgressLink(trace_id={self.trace_id!r}, span_id={self.span_id!r})"


cdef class UserInfo:
    """A user session (C: struct confd_user_info).

    logintime is in seconds since the epoch, proto one of PROTO_…, lmode one of
    USESS_LOCK_MODE_…, flags are USESS_FLAG_…. clearpass is the user's password in clear text,
    where the daemon has it; the repr does not show it.
    """

    cdef readonly str username
    cdef readonly int usid
    cdef readonly str context
    cdef readonly int proto
    cdef in6_addr ip  # or what of it an IPv4 address takes
    cdef readonly int af
    cdef readonly int port
    cdef readonly long long logintime
    cdef readonly int lmode
    cdef readonly str snmp_v3_ctx
    cdef readonly str clearpass
    cdef readonly int flags
    cdef readonly int actx_thandle

    def __init__(self):
        raise TypeError("a UserInfo comes from read_notification()")

    @property
    def addr(self):
        """The address that the user came from, as text."""
        return address_text(self.af, &self.ip)

    def __repr__(self):
        return (f"UserInfo(username={self.username!r}, usid={self.usid}, "
                f"context={self.context!r}, proto={self.proto}, addr={self.addr!r}, "
                f"port={self.port}, logintime={self.logintime})")

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("a UserInfo can't be pickled, for it may hold a password")

    def _with_texts(self, change, /):
        """The same with its texts as a function gives them; itself when they stay as they are."""
        texts = self.username, self.context, self.snmp_v3_ctx, self.clearpass
        changed = tuple([change(text) for text in texts])
        if changed == texts:
            return self
        cdef UserInfo made = UserInfo.__new__(UserInfo)
        made.username, made.context, made.snmp_v3_ctx, made.clearpass = changed
        made.ip, made.af, made.port = self.ip, self.af, self.port
        made.usid, made.proto, made.logintime = self.usid, self.proto, self.logintime
        made.lmode, made.flags, made.actx_thandle = self.lmode, self.flags, self.actx_thandle
        return made


cdef UserInfo make_user_info(const confd_user_info *u):
    cdef UserInfo made = UserInfo.__new__(UserInfo)
    made.username = chars(u.username, sizeof(u.username))
    made.usid = u.usid
    made.context = chars(u.context, sizeof(u.context))
    made.proto = u.proto
    memcpy(&made.ip, &u.ip, sizeof(u.ip))
    made.af = u.af
    made.port = u.port
    made.logintime = u.logintime
    made.lmode = u.lmode
    made.snmp_v3_ctx = chars(u.snmp_v3_ctx, sizeof(u.snmp_v3_ctx))
    made.clearpass = new_text(u.clearpass, strnlen(u.clearpass, sizeof(u.clearpass)))
    made.flags = u.flags
    made.actx_thandle = u.actx.thandle
    return made


cdef class TransCtxRef:
    """The transaction of a commit diff (C: struct confd_trans_ctx).

    th -- the transaction handle; operator.index() gives it, too
    fd -- the descriptor of the notification socket
    uinfo -- the UserInfo behind the transaction, or None
    secondary_index, traversal_id, cb_flags, accumulated -- as the library has them; of no use for
        notifications

    The attributes are copies and can be read for ever. The transaction itself stays open until
    diff_notification_done(), which takes it once.
    """

    cdef confd_trans_ctx *tctx  # NULL when done
    cdef readonly int th
    cdef readonly int fd
    cdef readonly UserInfo uinfo
    cdef readonly int secondary_index
    cdef readonly int traversal_id
    cdef readonly int cb_flags

    def __init__(self):
        raise TypeError("a TransCtxRef comes from read_notification()")

    def __dealloc__(self):
        # Never acknowledged: without a socket nothing is sent, but the memory is released.
        if self.tctx != NULL:
            confd_diff_notification_done(-1, self.tctx)

    cdef confd_trans_ctx *take(self) except NULL:
        """The transaction, to be given to the library, which frees it."""
        cdef confd_trans_ctx *taken = self.tctx
        if taken == NULL:
            raise ValueError("tctx: the transaction is over, diff_notification_done() was called")
        self.tctx = NULL
        return taken

    @property
    def username(self):
        """The user's name, or None."""
        return None if self.uinfo is None else self.uinfo.username

    @property
    def context(self):
        """The session's context, such as cli, or None."""
        return None if self.uinfo is None else self.uinfo.context

    @property
    def accumulated(self):
        """None: a notification's transaction has no accumulated changes."""
        return None

    def __index__(self):
        return self.th

    def __repr__(self):
        done = ", done" if self.tctx == NULL else ""
        return f"TransCtxRef(th={self.th}{done})"

    def __reduce__(self):
        raise TypeError("a TransCtxRef can't be pickled or copied: it owns the transaction")


cdef TransCtxRef take_trans_ctx(confd_trans_ctx **tctx):
    """A TransCtxRef that owns the transaction; the struct gives it up.

    The library points the transaction's uinfo into the notification, which ends before it.
    """
    cdef TransCtxRef made = TransCtxRef.__new__(TransCtxRef)
    made.th = tctx[0].thandle
    made.fd = tctx[0].fd
    made.secondary_index = tctx[0].secondary_index
    made.traversal_id = tctx[0].traversal_id
    made.cb_flags = tctx[0].cb_flags
    if tctx[0].uinfo != NULL:
        made.uinfo = make_user_info(tctx[0].uinfo)
        tctx[0].uinfo = NULL
    made.tctx = tctx[0]
    tctx[0] = NULL
    return made


class Notification:
    """A placeholder of the vendor's module; read_notification() returns dicts."""

    def __new__(cls, *args, **kwargs):
        raise TypeError("Notification can't be instantiated; read_notification() returns a dict")


cdef class NotificationsData:
    """What a subscription needs beside its mask (C: struct confd_notifications_data).

    heartbeat_interval -- milliseconds, for NOTIF_HEARTBEAT; the daemon takes less than 1000 as 1000
    health_check_interval -- the same for NOTIF_HEALTH_CHECK
    stream_name -- the event stream, for NOTIF_STREAM_EVENT; at most 255 characters of Latin-1
    start_time -- replay the stream from here: a Value (C_DATETIME or C_NOEXISTS), None, an aware
        datetime, or ISO 8601 text
    stop_time -- end the stream here; as start_time, and only with one
    xpath_filter -- an XPath expression that selects the stream's events
    usid -- of the stream, only what this user session may read; 0 for all. Progress it never limits
    verbosity -- VERBOSITY_… of progress
    """

    cdef readonly int heartbeat_interval
    cdef readonly int health_check_interval
    cdef readonly str stream_name
    cdef readonly Value start_time
    cdef readonly Value stop_time
    cdef readonly str xpath_filter
    cdef readonly int usid
    cdef readonly int verbosity

    def __init__(self, heartbeat_interval=0, health_check_interval=0, stream_name=None,
                 start_time=None, stop_time=None, xpath_filter=None, usid=0, verbosity=0):
        if stream_name is not None:
            stream_octets(stream_name)
        self.heartbeat_interval = interval("heartbeat_interval", heartbeat_interval)
        self.health_check_interval = interval("health_check_interval", health_check_interval)
        self.stream_name = stream_name
        self.start_time = time_value("start_time", start_time)
        self.stop_time = time_value("stop_time", stop_time)
        if self.stop_time.v.type != C_NOEXISTS and self.start_time.v.type == C_NOEXISTS:
            raise ValueError("stop_time: has no effect without a start; give that, too")
        self.xpath_filter = optional_text("xpath_filter", xpath_filter)
        self.usid = c_int("usid", usid)
        self.verbosity = c_int("verbosity", verbosity)

    def __repr__(self):
        return (f"NotificationsData(heartbeat_interval={self.heartbeat_interval}, "
                f"health_check_interval={self.health_check_interval}, "
                f"stream_name={self.stream_name!r}, start_time={self.start_time!r}, "
                f"stop_time={self.stop_time!r}, xpath_filter={self.xpath_filter!r}, "
                f"usid={self.usid}, verbosity={self.verbosity})")

    def __reduce__(self):
        times = [None if t.confd_type() == C_NOEXISTS else str(t)
                 for t in (self.start_time, self.stop_time)]
        return NotificationsData, (
            self.heartbeat_interval, self.health_check_interval, self.stream_name, *times,
            self.xpath_filter, self.usid, self.verbosity)


cdef tuple DATA_FIELDS = (
    "heartbeat_interval", "health_check_interval", "stream_name", "start_time", "stop_time",
    "xpath_filter", "usid", "verbosity",
)


cdef NotificationsData notifications_data(data):
    """Another module's NotificationsData as ours, by its attributes or by its text."""
    if isinstance(data, NotificationsData):
        return data
    try:
        fields = [getattr(data, name) for name in DATA_FIELDS]
    except AttributeError:
        fields = fields_of_text(str(data))
    if fields is None:
        raise TypeError(f"data: expected NotificationsData, not {type(data).__name__}")
    return NotificationsData(*fields)


cdef list fields_of_text(str shown):
    """What the vendor's NotificationsData shows of itself; it has no attributes. Or None."""
    import re  # slow to load, and few need it
    kinds = {"stream_name": "'(.*)'", "xpath_filter": "'(.*)'",
             "start_time": "(.+?)", "stop_time": "(.+?)"}
    fields = ", ".join(name + "=" + kinds.get(name, r"(-?\d+)") for name in DATA_FIELDS)
    found = re.search(fr"NotificationsData\({fields}\)$", shown, re.DOTALL)
    if found is None:
        return None
    beat, check, stream, start, stop, xpath, usid, verbosity = found.groups()
    times = [None if time == "NOEXISTS" else time for time in (start, stop)]
    return [int(beat), int(check), stream, *times, xpath or None, int(usid), int(verbosity)]


cdef object interval(str argument, value):
    milliseconds = c_int(argument, value)
    if milliseconds < 0:
        raise ValueError(f"{argument}: {milliseconds} is negative; give milliseconds")
    return milliseconds


cdef bytes stream_octets(name):
    """A stream's name as the library takes it: it sends each byte as a character of Latin-1."""
    if not isinstance(name, str):
        raise TypeError(f"stream_name: expected str, not {type(name).__name__}")
    try:
        octets = name.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(
            f"stream_name: {name!r} is not Latin-1, in which the library sends it") from None
    if b"\0" in octets:
        raise ValueError("stream_name: must not contain a NUL character")
    if len(octets) > 255:
        raise ValueError(f"stream_name: {len(octets)} characters are more than the 255 that the "
                         "library can send")
    return octets


cdef str optional_text(str argument, value):
    if value is not None:
        encoded(argument, value)
    return value


cdef Value time_value(str argument, value):
    """A time of a subscription as a Value of type C_DATETIME or C_NOEXISTS."""
    try:
        return _time_value(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{argument}: {error}") from None


cdef Value _time_value(value):
    if value is None:
        return nothing()
    if hasattr(value, "confd_type"):
        if value.confd_type() == C_NOEXISTS:
            return nothing()
        if value.confd_type() != C_DATETIME:
            raise TypeError(f"a Value must be of type C_DATETIME or C_NOEXISTS, not {value!r}")
        return Value(str(value), C_DATETIME)
    if isinstance(value, datetime) and value.utcoffset() is None:
        raise ValueError(f"{value!r} has no time zone")
    return Value(value, C_DATETIME)
