# Values of the data model, between C and Python.

cdef enum:
    VALUE_TYPES = 64

cdef frozenset XML_TYPES = frozenset({
    C_XMLTAG, C_XMLBEGIN, C_XMLEND, C_XMLBEGINDEL, C_XMLMOVEFIRST, C_XMLMOVEAFTER,
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
        return tag_name(self.ns, self.tag)

    def __repr__(self):
        return f"XmlTag(ns={self.ns}, tag={self.tag})"


cdef str tag_name(uint32_t ns, uint32_t tag):
    """The tag's name, or what a Value of it prints when the schemas are not loaded."""
    cdef confd_value_t v
    name = confd_hash2str(tag)
    if name != NULL:
        return text(name)
    v.type = C_XMLTAG
    v.val.xmltag.ns = ns
    v.val.xmltag.tag = tag
    return pretty(&v)


cdef XmlTag make_xml_tag(const xml_tag *tag):
    cdef XmlTag made = XmlTag.__new__(XmlTag)
    made.ns = tag.ns
    made.tag = tag.tag
    return made


cdef class DateTime:
    """A date and time with an optional zone (C: struct confd_datetime).

    micro are microseconds. timezone are the hours east of UTC, or TIMEZONE_UNDEF when the value
    has no zone; timezone_minutes the minutes beyond the hours. The minutes have a sign only where
    the hours are 0: -05:30 is -5 and 30, -00:30 is 0 and -30. Without a zone they mean nothing.
    """

    cdef confd_datetime t

    def __init__(self, year, month, day, hour=0, min=0, sec=0, micro=0,
                 timezone=CONFD_TIMEZONE_UNDEF, timezone_minutes=0):
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
        offset = self.offset()
        zone = None if offset is None else timezone(timedelta(minutes=offset))
        return datetime(self.t.year, self.t.month, self.t.day, self.t.hour, self.t.min,
                        self.t.sec, self.t.micro, zone)

    cdef object offset(self):
        """Minutes east of UTC, or None without a zone."""
        cdef int hours = self.t.timezone
        cdef int minutes = self.t.timezone_minutes
        if hours == CONFD_TIMEZONE_UNDEF:
            return None
        west = hours < 0 or (hours == 0 and minutes < 0)
        size = abs(hours) * 60 + abs(minutes)
        return -size if west else size

    cdef tuple clock(self):
        return (self.t.year, self.t.month, self.t.day, self.t.hour, self.t.min, self.t.sec,
                self.t.micro)

    cdef tuple parts(self):
        return *self.clock(), self.t.timezone, self.t.timezone_minutes

    def __eq__(self, other):
        cdef DateTime that
        if not isinstance(other, DateTime):
            return NotImplemented
        that = other
        return self.clock() == that.clock() and self.offset() == that.offset()

    def __hash__(self):
        return hash((self.clock(), self.offset()))

    def __reduce__(self):
        return DateTime, self.parts()

    def __str__(self):
        cdef confd_value_t v
        v.type = C_DATETIME
        v.val.datetime = self.t
        return pretty(&v)

    def __repr__(self):
        return f"DateTime{self.parts()}"


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
    decides: bool C_BOOL, int C_INT32, float C_DOUBLE, bytes C_BINARY, all else C_BUF with the
    text of str(init).

    Raises TypeError or ValueError when init does not make a value of that type, OverflowError
    when a number does not fit it.

    A Value is compared with text by its own text, with an int by int(), with another Value by
    type and content. So Value(5) equals "5" as well as 5, and no Value can be hashed.
    """

    cdef confd_value_t v

    def __cinit__(self):
        self.v.type = C_NOEXISTS

    def __init__(self, init, type=None):
        cdef confd_value_t temporary
        cdef list keep = []
        cdef int chosen = c_int("type", type) if type else inferred_type(init)
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
        free_copy(&self.v)
        self.v = made
        return 0

    def __dealloc__(self):
        free_copy(&self.v)

    @classmethod
    def str2val(cls, value, schema_type):
        """Return the Value that a text stands for in the schema, such as an enumeration's label.

        value -- the text
        schema_type -- which type: see val2str()

        Raises as val2str() does; Error, too, when the text is none of that type
        (C: confd_str2val()).
        """
        cdef confd_value_t v
        octets = encoded("value", value)
        if confd_str2val(find_type(schema_type), octets, &v) != CONFD_OK:
            raise failure(CONFD_ERR, errno)
        try:
            return make_value(&v)
        finally:
            confd_free_value(&v)

    def val2str(self, schema_type):
        """Return the value's text as the schema has it, such as an enumeration's label.

        schema_type -- a pair of a namespace, by its hash or name, and the path of a node in it; or
            just a path whose prefixes name the namespaces

        The schemas must have been loaded, see load_schemas(). Raises ValueError when the
        namespace is unknown, Error when the path is or the value does not fit it,
        NotImplementedError where the library does not have it (C: confd_val2str()).
        """
        cdef char buffer[256]
        cdef confd_type *type = find_type(schema_type)
        cdef int size = confd_val2str(type, &self.v, buffer, sizeof(buffer))
        if size < 0:
            raise failure(CONFD_ERR, errno)
        if size < <int>sizeof(buffer):
            return text(buffer)
        large = bytearray(size + 1)
        confd_val2str(type, &self.v, large, size + 1)
        return text(large)

    def confd_type(self):
        """Return the value's type, one of C_…."""
        return <int>self.v.type

    def confd_type_str(self):
        """Return the name of the value's type, such as C_BUF."""
        return type_name(<int>self.v.type)

    def as_pyval(self):
        """Return the value as a Python object.

        Integers, C_ENUM_HASH and bits are int, C_DOUBLE float, C_BOOL bool, C_BINARY bytes,
        C_BITBIG bytearray, a C_LIST a list, XML tags (tag, ns), a C_QNAME (prefix or None, name).
        C_NOEXISTS and C_DEFAULT are the names of their types. All else is text.
        """
        return mapped(&self.v, None)

    def as_decimal64(self):
        """Return (value, fraction_digits) of a C_DECIMAL64; TypeError for another type."""
        self._require(C_DECIMAL64)
        return self.v.val.d64.value, self.v.val.d64.fraction_digits

    def as_decimal(self):
        """Return a C_DECIMAL64 as a Decimal; TypeError for another type."""
        from decimal import Decimal  # here, for few need it and it takes long to load
        value, digits = self.as_decimal64()
        return Decimal(value).scaleb(-digits)

    def to_datetime(self):
        """Return a C_DATETIME as a datetime: aware if it has a zone, else naive.

        TypeError for another type, ValueError for what datetime can't hold.
        """
        self._require(C_DATETIME)
        return make_datetime(&self.v.val.datetime).to_datetime()

    def as_list(self):
        """Return the elements of a C_LIST as a list of Values; TypeError for another type."""
        self._require(C_LIST)
        return [make_value(&self.v.val.list.ptr[i]) for i in range(self.v.val.list.size)]

    def as_xmltag(self):
        """Return the XmlTag of a C_XMLTAG, C_XMLBEGIN, …; TypeError for another type."""
        if self.v.type not in XML_TYPES:
            self._require(C_XMLTAG)
        return make_xml_tag(&self.v.val.xmltag)

    def _mapped(self, convert):
        """Return convert() of the value; for a C_LIST a list of what it gives for the elements."""
        return mapped(&self.v, convert)

    def _size(self):
        """Return the number of bytes of a C_BINARY, or of elements of a C_LIST."""
        if self.v.type == C_BINARY:
            return self.v.val.c_buf.size
        if self.v.type == C_LIST:
            return self.v.val.list.size
        raise TypeError(f"a {self.confd_type_str()} value has no size")

    def _require(self, int wanted):
        if <int>self.v.type != wanted:
            raise TypeError(f"a {self.confd_type_str()} value is not a {type_name(wanted)}")

    def __int__(self):
        return int(self.number())

    def __float__(self):
        return float(self.number())

    cdef object number(self):
        if self.v.type == C_DURATION:
            return duration_length(&self.v.val.duration)
        if self.v.type in NUMBER_TYPES:
            return plain(&self.v)
        raise TypeError(f"a {self.confd_type_str()} value is not a number")

    def __bool__(self):
        if self.v.type in FALSE_AT_0:
            return self.number() != 0
        return True

    # No __hash__: Value(5) equals 5 and "5", whose hashes differ.
    def __richcmp__(self, other, int op):
        if isinstance(other, Value):
            return self.compared(other, op)
        if isinstance(other, str):
            return PyObject_RichCompare(str(self), other, op)
        if isinstance(other, int) and (self.v.type == C_DURATION or self.v.type in NUMBER_TYPES):
            return PyObject_RichCompare(self.integer(), other, op)
        return NotImplemented

    cdef object integer(self):
        """The number, as an int where it has one."""
        number = self.number()
        try:
            return int(number)
        except (OverflowError, ValueError):  # inf, nan
            return number

    cdef object compared(self, Value other, int op):
        """Values are equal or not; they have no order."""
        equal = bool(confd_val_eq(&self.v, &other.v))
        if op == Py_NE:
            return not equal
        if op == Py_EQ or (equal and op in (Py_LE, Py_GE)):
            return equal
        return NotImplemented

    cdef object content_hash(self):
        """Equal for Values that are equal to each other: by text, but for 0.0 and -0.0."""
        return hash(self.v.val.d) if self.v.type == C_DOUBLE else hash(str(self))

    def __len__(self):
        return self.v.val.list.size if self.v.type == C_LIST else 0

    def __getitem__(self, index):
        if self.v.type != C_LIST:
            raise IndexError(f"a {self.confd_type_str()} value has no elements")
        if isinstance(index, slice):
            return [make_value(&self.v.val.list.ptr[i]) for i in range(len(self))[index]]
        cdef unsigned int at = range(len(self))[index]
        return make_value(&self.v.val.list.ptr[at])

    def __iter__(self):
        return iter(self.as_list())

    def __contains__(self, item):
        return item in self.as_list()

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


cdef confd_type *find_type(schema_type) except NULL:
    """The type of a node of the schema; see Value.val2str()."""
    cdef uint32_t ns = 0
    if not HAS_VAL2STR:
        raise NotImplementedError("schema_type: this release of libconfd does not have it")
    if isinstance(schema_type, tuple):
        namespace, path = pair("schema_type", schema_type, "a pair of a namespace and a path")
        ns = namespace_hash(namespace)
    else:
        path = schema_type
    octets = encoded("schema_type", path)
    cdef confd_cs_node *root = NULL
    if isinstance(schema_type, tuple):
        root = confd_find_cs_root(ns)
        if root == NULL:
            raise ValueError(f"schema_type: no namespace {namespace!r} is loaded")
    cdef confd_type *found = type_of_node(root, octets)
    if found == NULL:
        raise failure(CONFD_ERR, errno)
    return found


cdef uint32_t namespace_hash(namespace) except? 0:
    if isinstance(namespace, str):
        return confd_str2hash(encoded("schema_type", namespace))
    return c_uint32("schema_type", namespace)


cdef int copy_value(const confd_value_t *v, confd_value_t *into) except -1:
    """A deep copy, which stays valid when the C struct is gone."""
    if v.type == C_LIST and nests_too_deeply(v):
        raise own_failure(CONFD_ERR_INTERNAL,
                          f"a value's lists are nested more than {DEEPEST_LIST} deep")
    confd_value_dup_to(v, into)
    if into.type != v.type:
        raise MemoryError()
    return 0


cdef void free_copy(confd_value_t *v) noexcept:
    """Free what a copy owns."""
    free_strings(v)
    confd_free_dup_to_value(v)


cdef void free_strings(confd_value_t *v) noexcept:
    """Free the texts of each C_STR; the library leaves those in a list."""
    if v.type == C_STR:
        confd_free_dup_to_value(v)
        v.type = C_NOEXISTS
    elif v.type == C_LIST:
        for i in range(v.val.list.size):
            free_strings(&v.val.list.ptr[i])


cdef Value make_value(const confd_value_t *v):
    cdef Value made = Value.__new__(Value)
    copy_value(v, &made.v)
    return made


cdef Value nothing():
    """A C_NOEXISTS."""
    return Value.__new__(Value)


cdef str type_name(int type):
    return type_names.get(type, f"type {type}")


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
