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
