# The types of values: what each is in Python, and how it is made from that.

# From a value to Python: one function for each group of types

ctypedef object (*reader)(const confd_value_t *v)
cdef reader readers[VALUE_TYPES]


cdef object mapped(const confd_value_t *v, convert):
    """A value as as_pyval() has it, or convert() of a Value of it; a C_LIST element by element."""
    if v.type == C_LIST:
        return [mapped(&v.val.list.ptr[i], convert) for i in range(v.val.list.size)]
    return plain(v) if convert is None else convert(make_value(v))


cdef object plain(const confd_value_t *v):
    """A value that is no C_LIST, as as_pyval() has it."""
    cdef int type = <int>v.type
    if not 0 <= type < VALUE_TYPES or readers[type] == NULL:
        return pretty(v)
    return readers[type](v)


cdef object read_type(const confd_value_t *v):
    return type_name(<int>v.type)

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

cdef object read_string(const confd_value_t *v):
    return text(v.val.c_s)

cdef object read_octets(const confd_value_t *v):
    return (<const char *>v.val.c_buf.ptr)[:v.val.c_buf.size]

cdef object read_bits(const confd_value_t *v):
    return bytearray(read_octets(v))

cdef object read_duration(const confd_value_t *v):
    return pretty(v).partition(".")[0]

cdef object read_tag(const confd_value_t *v):
    return v.val.xmltag.tag, v.val.xmltag.ns

cdef object read_qname(const confd_value_t *v):
    prefix = None
    if v.val.qname.prefix.ptr != NULL:
        prefix = new_text(<const char *>v.val.qname.prefix.ptr, v.val.qname.prefix.size)
    return prefix, new_text(<const char *>v.val.qname.name.ptr, v.val.qname.name.size)


cdef void read_by(reader function, types) except *:
    for type in types:
        readers[<int>type] = function


# Types that are not here read as text.
read_by(read_type, (C_NOEXISTS, C_DEFAULT, C_SYMBOL, C_UNION, C_PTR, C_CDBBEGIN))
read_by(read_signed, (C_INT8, C_INT16, C_INT32, C_INT64, C_ENUM_VALUE))
read_by(read_unsigned, (C_UINT8, C_UINT16, C_UINT32, C_UINT64, C_BIT32, C_BIT64))
read_by(read_double, (C_DOUBLE,))
read_by(read_bool, (C_BOOL,))
read_by(read_text, (C_BUF,))
read_by(read_string, (C_STR,))
read_by(read_octets, (C_BINARY,))
read_by(read_bits, (C_BITBIG,))
read_by(read_duration, (C_DURATION,))
read_by(read_tag, XML_TYPES)
read_by(read_qname, (C_QNAME,))

# What int() and float() take, beside C_DURATION.
cdef frozenset NUMBER_TYPES = frozenset({
    C_INT8, C_INT16, C_INT32, C_INT64, C_UINT8, C_UINT16, C_UINT32, C_UINT64, C_DOUBLE, C_BOOL,
    C_ENUM_VALUE, C_BIT32, C_BIT64,
})
# What is false when it is 0; the vendor's module has no others.
cdef frozenset FALSE_AT_0 = NUMBER_TYPES - {C_DOUBLE, C_ENUM_VALUE, C_BIT32, C_BIT64} | {
    C_DURATION}


cdef object duration_length(const confd_duration *d):
    """Seconds, or months of years and months alone; 0 for a mix, which has no length."""
    months = 12 * <object>d.years + d.months
    seconds = ((24 * <object>d.days + d.hours) * 60 + d.mins) * 60 + d.secs
    if months and seconds:
        return 0
    return months or seconds


cdef object parts_by():
    """The module that takes Python values apart, loaded when the first Value is made from one."""
    from confd_events import _values
    return _values


# From Python to a value: one function for each group of types. The value may point into
# objects that the function adds to keep; it is copied before those go away.

ctypedef int (*maker)(object init, confd_value_t *v, list keep) except -1
cdef maker makers[VALUE_TYPES]


cdef object inferred_type(init):
    for type, chosen in inferred_types:
        if isinstance(init, type):
            return chosen
    return C_BUF


cdef object fitting(init, confd_value_t *v, low, high):
    return integer("init", init, low, high, type_name(<int>v.type))


cdef object whole(init):
    """A number as int() has it."""
    return PyNumber_Long(a_number(init))


cdef object a_number(init):
    if not PyNumber_Check(init):
        raise TypeError(f"init: expected a number, not {type(init).__name__}")
    return init


cdef int make_nothing(init, confd_value_t *v, list keep) except -1:
    return 0

cdef int make_integer(init, confd_value_t *v, list keep) except -1:
    low, high = integer_ranges[<int>v.type]
    number = fitting(whole(init), v, low, high)
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
    v.val.d = PyNumber_Float(a_number(init))
    return 0

cdef int make_bool(init, confd_value_t *v, list keep) except -1:
    v.val.boolean = whole(init) != 0
    return 0

cdef int point_at(octets, confd_value_t *v, list keep) except -1:
    v.val.c_buf.size = c_size(len(octets))
    octets = bytes(octets)
    keep.append(octets)
    v.val.c_buf.ptr = <const unsigned char *><const char *>octets
    return 0

cdef object c_size(size):
    return integer("init", size, 0, (1 << 32) - 1, "the size of a value")

cdef int make_text(init, confd_value_t *v, list keep) except -1:
    if not isinstance(init, (bytes, bytearray, memoryview)):
        init = str(init).encode("utf-8", "surrogateescape")
    return point_at(init, v, keep)

cdef int make_string(init, confd_value_t *v, list keep) except -1:
    octets = encoded("init", str(init))
    keep.append(octets)
    v.val.c_s = octets
    return 0

cdef int make_octets(init, confd_value_t *v, list keep) except -1:
    if not isinstance(init, (bytes, bytearray, memoryview)):
        raise TypeError(f"init: expected bytes, not {type(init).__name__}")
    return point_at(init, v, keep)

cdef int make_hex(init, confd_value_t *v, list keep) except -1:
    return point_at(parts_by().hex_octets(init), v, keep)

cdef int make_ipv4(init, confd_value_t *v, list keep) except -1:
    return parse_address("init", AF_INET, str(init), &v.val.ip)

cdef int make_ipv6(init, confd_value_t *v, list keep) except -1:
    return parse_address("init", AF_INET6, str(init), &v.val.ip6)

cdef int make_ipv4_prefix(init, confd_value_t *v, list keep) except -1:
    address, length = parts_by().prefix_parts(init)
    v.val.ipv4prefix.len = integer("init", length, 0, 32, "a prefix length")
    parse_address("init", AF_INET, address, &v.val.ipv4prefix.ip)
    if v.type == C_IPV4PREFIX:
        parts_by().check_prefix((<const char *>&v.val.ipv4prefix.ip)[:4], length)
    return 0

cdef int make_ipv6_prefix(init, confd_value_t *v, list keep) except -1:
    address, length = parts_by().prefix_parts(init)
    v.val.ipv6prefix.len = integer("init", length, 0, 128, "a prefix length")
    parse_address("init", AF_INET6, address, &v.val.ipv6prefix.ip6)
    if v.type == C_IPV6PREFIX:
        parts_by().check_prefix((<const char *>&v.val.ipv6prefix.ip6)[:16], length)
    return 0

cdef int make_datetime_value(init, confd_value_t *v, list keep) except -1:
    cdef DateTime t
    t = init if isinstance(init, DateTime) else DateTime(*parts_by().datetime_parts(init))
    v.val.datetime = t.t
    # One form for each zone: values are compared by their members.
    if t.t.timezone == CONFD_TIMEZONE_UNDEF:
        v.val.datetime.timezone_minutes = 0
    elif t.t.timezone != 0 and -60 < t.t.timezone_minutes < 0:
        v.val.datetime.timezone_minutes = -t.t.timezone_minutes
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
    memory = bytearray(sizeof(confd_snmp_oid))
    keep.append(memory)
    v.val.oidp = <confd_snmp_oid *><char *>memory
    return fill_oid("init", parts_by().oid_parts(init), v.val.oidp)

cdef int fill_oid(str argument, numbers, confd_snmp_oid *oid) except -1:
    if len(numbers) > 128:
        raise ValueError(
            f"{argument}: an object identifier has at most 128 numbers, not {len(numbers)}")
    for i, number in enumerate(numbers):
        oid.oid[i] = c_uint32(argument, number)
    oid.len = <int>len(numbers)
    return 0

cdef int make_list(init, confd_value_t *v, list keep) except -1:
    if not isinstance(init, (list, tuple)):
        raise TypeError(f"init: expected a list of values, not {type(init).__name__}")
    values = [element_value(item) for item in init]
    memory = bytearray(len(values) * sizeof(confd_value_t))
    keep.append((values, memory))
    v.val.list.ptr = <confd_value_t *><char *>memory
    v.val.list.size = <unsigned int>len(values)
    for i, value in enumerate(values):
        v.val.list.ptr[i] = (<Value>value).v
    return 0

cdef Value element_value(item):
    if isinstance(item, Value):
        return item
    return Value(item, C_LIST if isinstance(item, (list, tuple)) else None)

cdef int make_tag(init, confd_value_t *v, list keep) except -1:
    tag, ns = tag_pair(init)
    v.val.xmltag.tag = c_uint32("init", tag)
    v.val.xmltag.ns = c_uint32("init", ns)
    return 0

cdef int make_identityref(init, confd_value_t *v, list keep) except -1:
    id, ns = tag_pair(init)
    if not isinstance(init, XmlTag):
        id, ns = ns, id  # a pair is (ns, id), as the C struct; that of an XML tag is (tag, ns)
    v.val.idref.ns = c_uint32("init", ns)
    v.val.idref.id = c_uint32("init", id)
    return 0

cdef tuple tag_pair(init):
    if isinstance(init, XmlTag):
        return (<XmlTag>init).tag, (<XmlTag>init).ns
    return pair("init", init, "an XmlTag or a pair of hashes")

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
    prefix, name = pair("init", init, "a pair of a prefix, or None, and a name")
    name = encoded("init", name)
    if not name:
        raise ValueError("init: the name is empty")
    keep.append(name)
    v.val.qname.name.ptr = <unsigned char *><char *>name
    v.val.qname.name.size = c_size(len(name))
    if prefix is not None:
        prefix = encoded("init", prefix)
        keep.append(prefix)
        v.val.qname.prefix.ptr = <unsigned char *><char *>prefix
        v.val.qname.prefix.size = c_size(len(prefix))
    return 0


cdef tuple pair(str argument, value, str expected):
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f"{argument}: expected {expected}, not {value!r}")
    return value


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

# Everything else becomes text.
cdef tuple inferred_types = (
    (bool, C_BOOL),
    (int, C_INT32),
    (float, C_DOUBLE),
    (bytes, C_BINARY),
)
