# Values of the data model, between C and Python.

cdef enum:
    VALUE_TYPES = 64

cdef frozenset XML_TYPES = frozenset({
    C_XMLTAG, C_XMLBEGIN, C_XMLEND, C_XMLBEGINDEL, C_CDBBEGIN, C_XMLMOVEFIRST, C_XMLMOVEAFTER,
})


@cython.freelist(64)
cdef class XmlTag:
    """An XML tag: the hashes of its namespace and name (C: struct xml_tag)."""

    cdef readonly uint32_t ns
    cdef readonly uint32_t tag

    def __init__(self, ns, tag):
        self.ns = c_uint32("ns", ns)
        self.tag = c_uint32("tag", tag)

    def __eq__(self, other):
        if not isinstance(other, XmlTag):
            return NotImplemented
        return self.ns == (<XmlTag>other).ns and self.tag == (<XmlTag>other).tag

    def __hash__(self):
        return hash((self.ns, self.tag))

    def __str__(self):
        return tag_name(self.tag)

    def __repr__(self):
        return f"XmlTag(ns={self.ns}, tag={self.tag})"


cdef str tag_name(uint32_t tag):
    name = confd_hash2str(tag)
    return f"tag<{tag}>" if name == NULL else text(name)


cdef XmlTag make_xml_tag(const xml_tag *tag):
    cdef XmlTag made = XmlTag.__new__(XmlTag)
    made.ns = tag.ns
    made.tag = tag.tag
    return made


cdef class DateTime:
    """A date and time with an optional zone (C: struct confd_datetime).

    micro are microseconds. timezone and timezone_minutes are the hours and minutes east of
    UTC, both with the sign, or both TIMEZONE_UNDEF when the value has no zone.
    """

    cdef confd_datetime t

    def __init__(self, year, month, day, hour=0, min=0, sec=0, micro=0,
                 timezone=CONFD_TIMEZONE_UNDEF, timezone_minutes=CONFD_TIMEZONE_UNDEF):
        self.t.year = integer("year", year, -(1 << 15), (1 << 15) - 1, "int16_t")
        self.t.month = integer("month", month, 0, 255, "uint8_t")
        self.t.day = integer("day", day, 0, 255, "uint8_t")
        self.t.hour = integer("hour", hour, 0, 255, "uint8_t")
        self.t.min = integer("min", min, 0, 255, "uint8_t")
        self.t.sec = integer("sec", sec, 0, 255, "uint8_t")
        self.t.micro = c_uint32("micro", micro)
        self.t.timezone = integer("timezone", timezone, -128, 127, "int8_t")
        self.t.timezone_minutes = integer(
            "timezone_minutes", timezone_minutes, -128, 127, "int8_t")

    @property
    def year(self):
        return self.t.year

    @property
    def month(self):
        return self.t.month

    @property
    def day(self):
        return self.t.day

    @property
    def hour(self):
        return self.t.hour

    @property
    def min(self):
        return self.t.min

    @property
    def sec(self):
        return self.t.sec

    @property
    def micro(self):
        return self.t.micro

    @property
    def timezone(self):
        return self.t.timezone

    @property
    def timezone_minutes(self):
        return self.t.timezone_minutes

    def to_datetime(self):
        """Return a datetime: aware if the value has a zone, else naive.

        Raises ValueError for what datetime can't hold, such as a leap second.
        """
        zone = None
        if self.t.timezone != CONFD_TIMEZONE_UNDEF:
            zone = timezone(timedelta(hours=self.t.timezone, minutes=self.t.timezone_minutes))
        return datetime(self.t.year, self.t.month, self.t.day, self.t.hour, self.t.min,
                        self.t.sec, self.t.micro, zone)

    def _parts(self):
        return (self.year, self.month, self.day, self.hour, self.min, self.sec, self.micro,
                self.timezone, self.timezone_minutes)

    def __eq__(self, other):
        if not isinstance(other, DateTime):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self):
        return hash(self._parts())

    def __reduce__(self):
        return DateTime, self._parts()

    def __str__(self):
        cdef confd_value_t v
        v.type = C_DATETIME
        v.val.datetime = self.t
        return pretty(&v)

    def __repr__(self):
        return f"DateTime{self._parts()}"


cdef DateTime make_datetime(const confd_datetime *t):
    cdef DateTime made = DateTime.__new__(DateTime)
    made.t = t[0]
    return made


cdef str pretty(const confd_value_t *v):
    """The text of a value, of any length."""
    cdef char small[256]
    cdef char *large
    cdef int size = confd_pp_value(small, sizeof(small), v)
    if size < <int>sizeof(small):
        return text(small) if size >= 0 else ""
    large = <char *>PyMem_Malloc(size + 1)
    if large == NULL:
        raise MemoryError()
    try:
        confd_pp_value(large, size + 1, v)
        return text(large)
    finally:
        PyMem_Free(large)


@cython.freelist(64)
cdef class Value:
    """A value of the data model (C: confd_value_t), immutable.

    Value(init, type): init is a Python value, type one of C_…; without it the Python type
    decides: bool C_BOOL, int C_INT32, float C_DOUBLE, str C_BUF, bytes C_BINARY, list C_LIST,
    XmlTag C_XMLTAG, DateTime or datetime C_DATETIME, None C_NOEXISTS.

    Raises TypeError or ValueError when init does not make a value of that type, OverflowError
    when a number does not fit it.
    """

    cdef confd_value_t v

    def __cinit__(self):
        self.v.type = C_NOEXISTS

    def __init__(self, init, type=None):
        cdef confd_value_t temporary
        cdef list keep = []
        if isinstance(init, Value) and type is None:
            self.become(&(<Value>init).v)
            return
        cdef int chosen = inferred_type(init) if type is None else c_int("type", type)
        if not 0 <= chosen < VALUE_TYPES or makers[chosen] == NULL:
            raise ValueError(f"type: a Value of type {type_name(chosen)} can't be made from Python")
        memset(&temporary, 0, sizeof(temporary))
        temporary.type = <vtype>chosen
        makers[chosen](init, &temporary, keep)
        self.become(&temporary)

    cdef int become(self, const confd_value_t *v) except -1:
        cdef confd_value_t made
        if v.type == C_LIST and nests_too_deeply(v):
            raise ValueError(f"init: lists are nested more than {DEEPEST_LIST} deep")
        copy_value(v, &made)
        confd_free_value(&self.v)
        self.v = made
        return 0

    def __dealloc__(self):
        confd_free_value(&self.v)

    def confd_type(self):
        """Return the value's type, one of C_…."""
        return <int>self.v.type

    def confd_type_str(self):
        """Return the name of the value's type, such as C_BUF."""
        return type_name(<int>self.v.type)

    def as_pyval(self):
        """Return the value as a Python object of the nearest type; text where there is none."""
        return pyval(&self.v)

    def as_decimal64(self):
        """Return (value, fraction_digits) of a C_DECIMAL64; TypeError for another type."""
        self._require(C_DECIMAL64)
        return self.v.val.d64.value, self.v.val.d64.fraction_digits

    def as_list(self):
        """Return the elements of a C_LIST as a list of Values; TypeError for another type."""
        self._require(C_LIST)
        return [make_value(&self.v.val.list.ptr[i]) for i in range(self.v.val.list.size)]

    def as_xmltag(self):
        """Return the XmlTag of a C_XMLTAG, C_XMLBEGIN, …; TypeError for another type."""
        if self.v.type not in XML_TYPES:
            self._require(C_XMLTAG)
        return make_xml_tag(&self.v.val.xmltag)

    def val2str(self, schema):
        """Return the value's text as the schema has it, such as an enumeration's label.

        schema -- path of the node in the data model, or (namespace hash, path)

        The schemas must have been loaded, see load_schemas(); the path's prefixes name the
        namespaces. Raises Error when the path is unknown or the value does not fit it,
        NotImplementedError where the library does not have it (C: confd_val2str()).
        """
        if not HAS_VAL2STR:
            raise NotImplementedError("val2str: this release of libconfd does not have it")
        path = schema[1] if isinstance(schema, tuple) and len(schema) == 2 else schema
        octets = encoded("schema", path)
        cdef char buffer[8192]
        cdef int size = value_to_text(octets, &self.v, buffer, sizeof(buffer))
        if size < 0:
            raise failure(CONFD_ERR, errno)
        return text(buffer)

    def _require(self, int wanted):
        if <int>self.v.type != wanted:
            raise TypeError(f"a {self.confd_type_str()} value is not a {type_name(wanted)}")

    def __eq__(self, other):
        if not isinstance(other, Value):
            return NotImplemented
        return bool(confd_val_eq(&self.v, &(<Value>other).v))

    def __hash__(self):
        # Not by type: a C_STR and a C_BUF of the same text are equal. Not by text for a
        # double: 0.0 and -0.0 are.
        if self.v.type == C_DOUBLE:
            return hash(self.v.val.d)
        return hash(str(self))

    def __bool__(self):
        return self.v.type != C_LIST or self.v.val.list.size > 0

    def __len__(self):
        self._require(C_LIST)
        return self.v.val.list.size

    def __getitem__(self, index):
        return self.as_list()[index]

    def __iter__(self):
        return iter(self.as_list())

    def __str__(self):
        return pretty(&self.v)

    def __repr__(self):
        return f"Value({str(self)!r}, {self.confd_type_str()})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("a Value can't be pickled; keep its str() or as_pyval()")


cdef int copy_value(const confd_value_t *v, confd_value_t *into) except -1:
    """A deep copy, which stays valid when the C struct is gone."""
    if v.type == C_LIST and nests_too_deeply(v):
        raise Error(CONFD_ERR_INTERNAL, text(confd_strerror(CONFD_ERR_INTERNAL)),
                    f"a value's lists are nested more than {DEEPEST_LIST} deep")
    confd_value_dup_to(v, into)
    if into.type != v.type:
        raise MemoryError()
    return 0


cdef Value make_value(const confd_value_t *v):
    cdef Value made = Value.__new__(Value)
    copy_value(v, &made.v)
    return made


cdef str type_name(int type):
    return type_names.get(type, f"type {type}")


# From a value to Python: one function for each group of types

ctypedef object (*reader)(const confd_value_t *v)
cdef reader readers[VALUE_TYPES]


cdef object pyval(const confd_value_t *v):
    cdef int type = <int>v.type
    if not 0 <= type < VALUE_TYPES or readers[type] == NULL:
        return pretty(v)
    return readers[type](v)


cdef object read_none(const confd_value_t *v):
    return None

cdef object read_signed(const confd_value_t *v):
    if v.type == C_INT8:
        return v.val.i8
    if v.type == C_INT16:
        return v.val.i16
    if v.type == C_INT64:
        return v.val.i64
    return v.val.i32

cdef object read_unsigned(const confd_value_t *v):
    if v.type == C_UINT8:
        return v.val.u8
    if v.type == C_UINT16:
        return v.val.u16
    if v.type == C_UINT64 or v.type == C_BIT64:
        return v.val.u64
    return v.val.u32

cdef object read_double(const confd_value_t *v):
    return v.val.d

cdef object read_bool(const confd_value_t *v):
    return v.val.boolean != 0

cdef object read_text(const confd_value_t *v):
    return shared_text(<const char *>v.val.c_buf.ptr, v.val.c_buf.size)

cdef object read_octets(const confd_value_t *v):
    return (<const char *>v.val.c_buf.ptr)[:v.val.c_buf.size]

cdef object read_datetime(const confd_value_t *v):
    return make_datetime(&v.val.datetime)

cdef object read_list(const confd_value_t *v):
    return [pyval(&v.val.list.ptr[i]) for i in range(v.val.list.size)]

cdef object read_tag(const confd_value_t *v):
    return make_xml_tag(&v.val.xmltag)

cdef object read_decimal64(const confd_value_t *v):
    from decimal import Decimal  # here, for few need it and it takes long to load
    return Decimal(v.val.d64.value).scaleb(-v.val.d64.fraction_digits)


cdef void read_by(reader function, types) except *:
    for type in types:
        readers[<int>type] = function


# Types that are not here read as text.
read_by(read_none, (C_NOEXISTS,))
read_by(read_signed, (C_INT8, C_INT16, C_INT32, C_INT64, C_ENUM_VALUE))
read_by(read_unsigned, (C_UINT8, C_UINT16, C_UINT32, C_UINT64, C_BIT32, C_BIT64, C_SYMBOL))
read_by(read_double, (C_DOUBLE,))
read_by(read_bool, (C_BOOL,))
read_by(read_text, (C_BUF,))
read_by(read_octets, (C_BINARY, C_BITBIG))
read_by(read_datetime, (C_DATETIME,))
read_by(read_list, (C_LIST,))
read_by(read_tag, XML_TYPES)
read_by(read_decimal64, (C_DECIMAL64,))


cdef object parts_by():
    """The module that takes Python values apart, loaded when the first Value is made from one."""
    from confd_events import _values
    return _values


# From Python to a value: one function for each group of types. The value may point into
# objects that the function adds to keep; it is copied before those go away.

ctypedef int (*maker)(object init, confd_value_t *v, list keep) except -1
cdef maker makers[VALUE_TYPES]


cdef object inferred_type(init):
    for types, chosen in inferred_types:
        if isinstance(init, types):
            return chosen
    raise TypeError(f"init: no type of value goes without saying for {type(init).__name__}; "
                    "give type=C_…")


cdef object fitting(init, confd_value_t *v, low, high):
    return integer("init", init, low, high, type_name(<int>v.type))


cdef int make_nothing(init, confd_value_t *v, list keep) except -1:
    if init is not None:
        raise TypeError(f"init: a {type_name(<int>v.type)} has no content; give None")
    return 0

cdef int make_integer(init, confd_value_t *v, list keep) except -1:
    low, high = integer_ranges[<int>v.type]
    number = fitting(init, v, low, high)
    # Read back through the member of the type's width, on either byte order.
    if high < 1 << 8:
        v.val.u8 = number & 0xff
    elif high < 1 << 16:
        v.val.u16 = number & 0xffff
    elif high < 1 << 32:
        v.val.u32 = number & 0xffffffff
    else:
        v.val.u64 = number & 0xffffffffffffffff
    return 0

cdef int make_double(init, confd_value_t *v, list keep) except -1:
    v.val.d = float(init)
    return 0

cdef int make_bool(init, confd_value_t *v, list keep) except -1:
    if not isinstance(init, bool):
        raise TypeError(f"init: expected bool, not {type(init).__name__}")
    v.val.boolean = init
    return 0

cdef int point_at(octets, confd_value_t *v, list keep) except -1:
    keep.append(octets)
    v.val.c_buf.size = <unsigned int>len(octets)
    v.val.c_buf.ptr = <const unsigned char *><const char *>octets
    return 0

cdef int make_text(init, confd_value_t *v, list keep) except -1:
    octets = bytes(init) if isinstance(init, (bytes, bytearray)) else encoded("init", init)
    return point_at(octets, v, keep)

cdef int make_string(init, confd_value_t *v, list keep) except -1:
    octets = encoded("init", init)
    keep.append(octets)
    v.val.c_s = octets
    return 0

cdef int make_octets(init, confd_value_t *v, list keep) except -1:
    if not isinstance(init, (bytes, bytearray, memoryview)):
        raise TypeError(f"init: expected bytes, not {type(init).__name__}")
    return point_at(bytes(init), v, keep)

cdef int make_hex(init, confd_value_t *v, list keep) except -1:
    return point_at(parts_by().hex_octets(init), v, keep)

cdef int make_ipv4(init, confd_value_t *v, list keep) except -1:
    return parse_address("init", AF_INET, str(init), &v.val.ip)

cdef int make_ipv6(init, confd_value_t *v, list keep) except -1:
    return parse_address("init", AF_INET6, str(init), &v.val.ip6)

cdef int make_ipv4_prefix(init, confd_value_t *v, list keep) except -1:
    address, length = parts_by().prefix_parts(init)
    v.val.ipv4prefix.len = integer("init", length, 0, 32, "a prefix length")
    return parse_address("init", AF_INET, address, &v.val.ipv4prefix.ip)

cdef int make_ipv6_prefix(init, confd_value_t *v, list keep) except -1:
    address, length = parts_by().prefix_parts(init)
    v.val.ipv6prefix.len = integer("init", length, 0, 128, "a prefix length")
    return parse_address("init", AF_INET6, address, &v.val.ipv6prefix.ip6)

cdef int make_datetime_value(init, confd_value_t *v, list keep) except -1:
    cdef DateTime t
    t = init if isinstance(init, DateTime) else DateTime(*parts_by().datetime_parts(init))
    v.val.datetime = t.t
    return 0

cdef int make_date(init, confd_value_t *v, list keep) except -1:
    cdef DateTime t
    year, month, day, zone, minutes = parts_by().date_parts(init)
    t = DateTime(year, month, day, timezone=zone, timezone_minutes=minutes)
    v.val.date.year = t.t.year
    v.val.date.month = t.t.month
    v.val.date.day = t.t.day
    v.val.date.timezone = t.t.timezone
    v.val.date.timezone_minutes = t.t.timezone_minutes
    return 0

cdef int make_time(init, confd_value_t *v, list keep) except -1:
    cdef DateTime t = DateTime(0, 0, 0, *parts_by().time_parts(init))
    v.val.time.hour = t.t.hour
    v.val.time.min = t.t.min
    v.val.time.sec = t.t.sec
    v.val.time.micro = t.t.micro
    v.val.time.timezone = t.t.timezone
    v.val.time.timezone_minutes = t.t.timezone_minutes
    return 0

cdef int make_duration(init, confd_value_t *v, list keep) except -1:
    parts = [fitting(part, v, 0, (1 << 32) - 1) for part in parts_by().duration_parts(init)]
    v.val.duration.years = parts[0]
    v.val.duration.months = parts[1]
    v.val.duration.days = parts[2]
    v.val.duration.hours = parts[3]
    v.val.duration.mins = parts[4]
    v.val.duration.secs = parts[5]
    v.val.duration.micros = parts[6]
    return 0

cdef int make_oid(init, confd_value_t *v, list keep) except -1:
    cdef confd_snmp_oid *oid
    parts = [fitting(part, v, 0, (1 << 32) - 1) for part in parts_by().oid_parts(init)]
    if len(parts) > 128:
        raise ValueError(f"init: an object identifier has at most 128 numbers, not {len(parts)}")
    memory = bytearray(sizeof(confd_snmp_oid))
    keep.append(memory)
    oid = <confd_snmp_oid *><char *>memory
    for i, part in enumerate(parts):
        oid.oid[i] = part
    oid.len = <int>len(parts)
    v.val.oidp = oid
    return 0

cdef int make_list(init, confd_value_t *v, list keep) except -1:
    if isinstance(init, (str, bytes)):
        raise TypeError(f"init: expected a sequence of values, not {type(init).__name__}")
    values = [item if isinstance(item, Value) else Value(item) for item in init]
    memory = bytearray(len(values) * sizeof(confd_value_t))
    keep.append((values, memory))
    v.val.list.ptr = <confd_value_t *><char *>memory
    v.val.list.size = <unsigned int>len(values)
    for i, value in enumerate(values):
        v.val.list.ptr[i] = (<Value>value).v
    return 0

cdef int make_tag(init, confd_value_t *v, list keep) except -1:
    cdef XmlTag tag = init if isinstance(init, XmlTag) else XmlTag(*pair(init, "an XmlTag or"))
    v.val.xmltag.ns = tag.ns
    v.val.xmltag.tag = tag.tag
    return 0

cdef int make_identityref(init, confd_value_t *v, list keep) except -1:
    cdef XmlTag tag = init if isinstance(init, XmlTag) else XmlTag(*pair(init, "an XmlTag or"))
    v.val.idref.ns = tag.ns
    v.val.idref.id = tag.tag
    return 0

cdef int make_decimal64(init, confd_value_t *v, list keep) except -1:
    value, digits = parts_by().decimal64_parts(init)
    v.val.d64.value = fitting(value, v, -(1 << 63), (1 << 63) - 1)
    v.val.d64.fraction_digits = integer("init", digits, 1, 18, "a number of fraction digits")
    return 0

cdef int make_dquad(init, confd_value_t *v, list keep) except -1:
    octets = parts_by().quad_octets(init)
    memcpy(v.val.dquad.quad, <const char *>octets, 4)
    return 0

cdef int make_qname(init, confd_value_t *v, list keep) except -1:
    prefix, name = (encoded("init", part) for part in pair(init, "a"))
    keep.append((prefix, name))
    v.val.qname.prefix.ptr = <unsigned char *><char *>prefix
    v.val.qname.prefix.size = <unsigned int>len(prefix)
    v.val.qname.name.ptr = <unsigned char *><char *>name
    v.val.qname.name.size = <unsigned int>len(name)
    return 0


cdef tuple pair(init, str article):
    if not isinstance(init, tuple) or len(init) != 2:
        raise TypeError(f"init: expected {article} pair, not {init!r}")
    return init


cdef dict integer_ranges = {
    C_INT8: (-(1 << 7), (1 << 7) - 1),
    C_INT16: (-(1 << 15), (1 << 15) - 1),
    C_INT32: (-(1 << 31), (1 << 31) - 1),
    C_INT64: (-(1 << 63), (1 << 63) - 1),
    C_ENUM_VALUE: (-(1 << 31), (1 << 31) - 1),
    C_UINT8: (0, (1 << 8) - 1),
    C_UINT16: (0, (1 << 16) - 1),
    C_UINT32: (0, (1 << 32) - 1),
    C_UINT64: (0, (1 << 64) - 1),
    C_SYMBOL: (0, (1 << 32) - 1),
    C_BIT32: (0, (1 << 32) - 1),
    C_BIT64: (0, (1 << 64) - 1),
}

cdef void make_by(maker function, types) except *:
    for type in types:
        makers[<int>type] = function


make_by(make_nothing, (C_NOEXISTS, C_DEFAULT))
make_by(make_integer, integer_ranges)
make_by(make_double, (C_DOUBLE,))
make_by(make_bool, (C_BOOL,))
make_by(make_text, (C_BUF,))
make_by(make_string, (C_STR,))
make_by(make_octets, (C_BINARY, C_BITBIG))
make_by(make_hex, (C_HEXSTR,))
make_by(make_ipv4, (C_IPV4,))
make_by(make_ipv6, (C_IPV6,))
make_by(make_ipv4_prefix, (C_IPV4PREFIX, C_IPV4_AND_PLEN))
make_by(make_ipv6_prefix, (C_IPV6PREFIX, C_IPV6_AND_PLEN))
make_by(make_datetime_value, (C_DATETIME,))
make_by(make_date, (C_DATE,))
make_by(make_time, (C_TIME,))
make_by(make_duration, (C_DURATION,))
make_by(make_oid, (C_OID,))
make_by(make_list, (C_LIST,))
make_by(make_tag, XML_TYPES)
make_by(make_identityref, (C_IDENTITYREF,))
make_by(make_decimal64, (C_DECIMAL64,))
make_by(make_dquad, (C_DQUAD,))
make_by(make_qname, (C_QNAME,))

cdef tuple inferred_types = (
    (bool, C_BOOL),
    (int, C_INT32),
    (float, C_DOUBLE),
    (str, C_BUF),
    ((bytes, bytearray), C_BINARY),
    ((list, tuple), C_LIST),
    (XmlTag, C_XMLTAG),
    ((DateTime, datetime), C_DATETIME),
    (type(None), C_NOEXISTS),
)
