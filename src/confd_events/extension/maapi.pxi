# What a transaction changes, read through the library's MAAPI.

@cython.no_gc  # tags and Values can't refer back
cdef class HKeypathRef:
    """The path of a node, from the node up to the root (C: confd_hkeypath_t).

    len() is the number of its elements, path[0] that of the node. An element is an XmlTag, or for
    an entry of a list the tuple of its keys, each a Value. str() is the path as text: prefixes
    where the namespace changes, keys in braces, in quotes where they need them; numbers in place
    of names unless the schemas are loaded, see load_schemas().

    HKeypathRef(elements) makes one. It owns its memory, and is immutable.
    """

    cdef tuple elements

    def __init__(self, elements):
        self.elements = tuple([path_element(each) for each in elements])
        if len(self.elements) > MAXDEPTH:
            raise ValueError(f"elements: {len(self.elements)} are more than a path may have, "
                             f"{<int>MAXDEPTH}")

    def __len__(self):
        return len(self.elements)

    def __getitem__(self, index):
        return self.elements[index]

    def __iter__(self):
        return iter(self.elements)

    def __reversed__(self):
        return reversed(self.elements)

    def __eq__(self, other):
        if not isinstance(other, HKeypathRef):
            return NotImplemented
        return self.elements == (<HKeypathRef>other).elements

    def __hash__(self):
        return hash(tuple([each if isinstance(each, XmlTag) else tuple(map(str, each))
                           for each in self.elements]))

    def __str__(self):
        return path_text(self.elements)

    def __repr__(self):
        return f"HKeypathRef({str(self)!r})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("a HKeypathRef can't be pickled, for its Values can't; pass on its str()")


cdef object path_element(element):
    if isinstance(element, XmlTag):
        return element
    if not isinstance(element, (tuple, list)) or not all(isinstance(v, Value) for v in element):
        raise TypeError("elements: expected each to be an XmlTag, or a tuple of an entry's keys, "
                        "each a Value")
    if not 1 <= len(element) <= MAXKEYLEN:
        raise ValueError(f"elements: {len(element)} keys are not 1 to {<int>MAXKEYLEN}")
    return tuple(element)


cdef str path_text(tuple elements):
    cdef list shown = []
    cdef uint32_t ns = 0
    for element in reversed(elements):
        if isinstance(element, XmlTag):
            prefix = NULL
            if element.ns != ns:
                prefix = confd_ns2prefix(element.ns)
                ns = element.ns
            shown.append("/" if prefix == NULL else f"/{text(prefix)}:")
            shown.append(tag_name(element.ns, element.tag))
        else:
            shown.append("{" + " ".join([key_text(str(key)) for key in element]) + "}")
    return "".join(shown) or "/"


cdef frozenset QUOTED_IN_PATHS = frozenset(" \b\t\n\v\f\r\"\\}")


cdef str key_text(str key):
    if key and QUOTED_IN_PATHS.isdisjoint(key):
        return key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


cdef HKeypathRef make_path(const confd_hkeypath_t *path):
    cdef HKeypathRef made = HKeypathRef.__new__(HKeypathRef)
    made.elements = tuple([make_path_element(path.v[i]) for i in range(path.len)])
    return made


cdef object make_path_element(const confd_value_t *keys):
    if keys.type == C_XMLTAG:
        return make_xml_tag(&keys.val.xmltag)
    return tuple(make_values(keys, MAXKEYLEN))


cdef list make_values(const confd_value_t *values, int most):
    """The Values up to the one that says that there are no more."""
    cdef list made = []
    while len(made) < most and values[len(made)].type != C_NOEXISTS:
        made.append(make_value(&values[len(made)]))
    return made


cdef int fill_path(confd_hkeypath_t *into, HKeypathRef path) except -1:
    """The path for a call; it points into the Values of the HKeypathRef."""
    cdef XmlTag tag
    into.len = len(path.elements)
    for i, element in enumerate(path.elements):
        if isinstance(element, XmlTag):
            tag = element
            into.v[i][0].type = C_XMLTAG
            into.v[i][0].val.xmltag.ns = tag.ns
            into.v[i][0].val.xmltag.tag = tag.tag
        else:
            fill_keys(into.v[i], element)
    return 0


cdef int fill_keys(confd_value_t *into, tuple keys) except -1:
    for i, key in enumerate(keys):
        into[i] = (<Value>key).v
    if len(keys) < MAXKEYLEN:
        into[len(keys)].type = C_NOEXISTS
    return 0


# The calls

cdef class _MaapiCall(_DaemonCall):
    """A request on a MAAPI socket, about a transaction."""

    cdef int thandle

    def __cinit__(self):
        self.only_reads = True

    cdef int aim(self, sock, thandle) except -1:
        self.fd = stream_fd(sock)
        self.timeout = timeout_of(sock, self.fd) or FOR_EVER
        self.thandle = c_int("thandle", thandle)
        return 0


cdef class _Attaching(_MaapiCall):
    """maapi_attach2()."""

    cdef int ns
    cdef int usid

    cdef int call(self, int fd) noexcept nogil:
        return maapi_attach2(fd, self.ns, self.usid, self.thandle)

    cdef question asks(self) noexcept nogil:
        return TO_ATTACH


cdef class _Detaching(_MaapiCall):
    """maapi_detach2()."""

    cdef int call(self, int fd) noexcept nogil:
        return maapi_detach2(fd, self.thandle)

    cdef question asks(self) noexcept nogil:
        return TO_DETACH


cdef class _GettingElement(_MaapiCall):
    """maapi_get_elem()."""

    cdef confd_hkeypath_t *path
    cdef confd_value_t found

    def __cinit__(self):
        self.found.type = C_NOEXISTS
        self.path = <confd_hkeypath_t *>PyMem_Malloc(sizeof(confd_hkeypath_t))
        if self.path == NULL:
            raise MemoryError()

    def __dealloc__(self):
        PyMem_Free(self.path)
        confd_free_value(&self.found)

    cdef int call(self, int fd) noexcept nogil:
        cdef int status = maapi_get_elem(fd, self.thandle, &self.found, "%h", self.path)
        if status != CONFD_OK:  # what a failed call has left there is freed, or was never made
            self.found.type = C_NOEXISTS
        return status

    cdef question asks(self) noexcept nogil:
        return TO_GET_ELEMENT


def _maapi_socket(family):
    """A socket for a session of its own. Raises Error, as the library does for its own."""
    try:
        return Socket(family)
    except OSError as error:
        raise os_failure("Failed to create maapi socket", error.errno) from None


def _maapi_connect(sock, ip=None, port=None, path=None, limit=None):
    cdef _Connecting call = _Connecting.__new__(_Connecting)
    call.limit = time_limit(limit)
    call.aim(sock, ip, port, path)
    call.run()


def _maapi_attach2(sock, hashed_ns, usid, thandle, limit=None):
    cdef _Attaching call = _Attaching.__new__(_Attaching)
    call.limit = time_limit(limit)
    call.aim(sock, thandle)
    call.ns = <int>c_uint32("hashed_ns", hashed_ns)
    call.usid = c_int("usid", usid)
    call.run()


def _maapi_detach2(sock, thandle, limit=None):
    cdef _Detaching call = _Detaching.__new__(_Detaching)
    call.limit = time_limit(limit)
    call.aim(sock, thandle)
    call.run()


def _maapi_get_elem(sock, thandle, HKeypathRef path not None, limit=None):
    cdef _GettingElement call = _GettingElement.__new__(_GettingElement)
    call.limit = time_limit(limit)
    call.aim(sock, thandle)
    fill_path(call.path, path)
    call.run()
    return make_value(&call.found)


cdef class _DiffIteration(_MaapiCall):
    """maapi_diff_iterate() and maapi_diff_iterate_resume(), some changes at a time.

    The library suspends the iteration after each burst, so what has come is all that there is in
    memory, and what handles a change runs in the thread that asked.
    """

    cdef int flags
    cdef int reply  # to the change that came last; 0 when none has
    cdef Py_ssize_t most
    cdef list changes
    cdef object raised
    cdef readonly bint over

    def __init__(self, sock, thandle, flags):
        self.aim(sock, thandle)
        self.flags = c_int("flags", flags)

    cdef int call(self, int fd) noexcept nogil:
        if self.reply == 0:
            return maapi_diff_iterate(fd, self.thandle, take_change, self.flags, <void *>self)
        return maapi_diff_iterate_resume(
            fd, <maapi_iter_ret>self.reply, take_change, <void *>self)

    cdef question asks(self) noexcept nogil:
        return TO_ITERATE

    def read(self, most, reply=None, limit=None):
        """Return at most so many changes, as tuples of path, operation, old and new value.

        reply -- ITER_… for the change that came last; None at the beginning
        limit -- the seconds that it may take, or None

        There are no more once `over` is true.
        """
        self.reply = 0 if reply is None else c_int("reply", reply)
        self.most = most
        self.limit = time_limit(limit)
        self.changes = []
        self.over = True
        self.run()
        raised, self.raised = self.raised, None  # its traceback refers to this object
        if raised is not None:
            raise raised
        return self.changes


cdef maapi_iter_ret take_change(
        confd_hkeypath_t *path, maapi_iter_op op, confd_value_t *old, confd_value_t *new,
        void *state) noexcept with gil:
    iteration = <_DiffIteration>state
    try:
        iteration.changes.append(
            (make_path(path), <int>op, value_or_none(old), new_value(op, new)))
    except BaseException as error:  # not to return from here: Cython then needs memory
        iteration.raised = error
    if iteration.raised is not None:
        return ITER_STOP
    iteration.over = len(iteration.changes) < iteration.most
    return ITER_RECURSE if iteration.over else ITER_SUSPEND


cdef object value_or_none(const confd_value_t *v):
    return None if v == NULL else make_value(v)


cdef object new_value(maapi_iter_op op, const confd_value_t *v):
    """What the operation says; of several Values a list or a pair, as in the vendor's binding."""
    if v == NULL:
        return None
    if op == MOP_MOVED_AFTER:
        return make_values(v, MAXKEYLEN)
    if op == MOP_ATTR_SET:
        return make_value(v), make_value(v + 1)
    return make_value(v)
