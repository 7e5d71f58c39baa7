# A MAAPI session of our own, and a transaction in it, to read what a datastore has.

cdef class _StartingSession(_MaapiCall):
    """maapi_start_user_session()."""

    cdef list texts  # what the pointers point into
    cdef const char *username
    cdef const char *context
    cdef const char **groups
    cdef int count
    cdef confd_ip source
    cdef int protocol

    def __dealloc__(self):
        PyMem_Free(self.groups)

    cdef int call(self, int fd) noexcept nogil:
        return maapi_start_user_session(
            fd, self.username, self.context, self.groups, self.count, &self.source,
            <confd_proto>self.protocol)

    cdef int identify(self, username, context, groups) except -1:
        cdef bytes name = encoded("username", username)
        cdef bytes where = encoded("context", context)
        cdef list names = [encoded("groups", group) for group in groups]
        self.texts = [name, where, *names]
        self.username = name
        self.context = where
        self.count = len(names)
        self.groups = <const char **>PyMem_Malloc((len(names) + 1) * sizeof(char *))
        if self.groups == NULL:
            raise MemoryError()
        for i, group in enumerate(names):
            self.groups[i] = <bytes>group
        return 0

    cdef int come_from(self, address) except -1:
        if isinstance(address, str) and ":" in address:
            self.source.af = AF_INET6
            return parse_address("src_addr", AF_INET6, address, &self.source.ip.v6)
        self.source.af = AF_INET
        return parse_address("src_addr", AF_INET, address, &self.source.ip.v4)


cdef class _StartingTransaction(_MaapiCall):
    """maapi_start_trans()."""

    cdef int database
    cdef int mode

    cdef int call(self, int fd) noexcept nogil:
        self.thandle = maapi_start_trans(
            fd, <confd_dbname>self.database, <confd_trans_mode>self.mode)
        return CONFD_OK if self.thandle >= 0 else self.thandle


cdef class _Finishing(_MaapiCall):
    """maapi_finish_trans()."""

    cdef int call(self, int fd) noexcept nogil:
        return maapi_finish_trans(fd, self.thandle)


def _maapi_start_user_session(sock, username, context, groups, src_addr, prot, limit=None):
    cdef _StartingSession call = _StartingSession.__new__(_StartingSession)
    call.limit = time_limit(limit)
    call.aim(sock, 0)
    call.identify(username, context, groups)
    call.come_from(src_addr)
    call.protocol = c_int("prot", prot)
    call.run()


def _maapi_start_trans(sock, name, readwrite, limit=None):
    """Return the transaction's handle."""
    cdef _StartingTransaction call = _StartingTransaction.__new__(_StartingTransaction)
    call.limit = time_limit(limit)
    call.aim(sock, 0)
    call.database = c_int("name", name)
    call.mode = c_int("readwrite", readwrite)
    call.run()
    return call.thandle


def _maapi_finish_trans(sock, thandle, limit=None):
    cdef _Finishing call = _Finishing.__new__(_Finishing)
    call.limit = time_limit(limit)
    call.aim(sock, thandle)
    call.run()


cdef class _GettingElements(_GettingElement):
    """maapi_get_elem() for one path after another, in one go: each call costs a thread."""

    cdef list paths
    cdef list values
    cdef object raised

    cdef int call(self, int fd) noexcept nogil:
        cdef int status = CONFD_OK
        while status == CONFD_OK and take_path(self):
            status = _GettingElement.call(self, fd)
            if status != CONFD_OK and is_without_value(confd_errno):
                status = CONFD_OK
            if status == CONFD_OK:
                put_value(self)
        return status


cdef bint is_without_value(int code) noexcept nogil:
    """Whether an error says that there is no such leaf, or that it is none with a value."""
    return code in (CONFD_ERR_NOEXISTS, CONFD_ERR_BADTYPE, CONFD_ERR_BADPATH)


cdef bint take_path(_GettingElements call) noexcept with gil:
    try:
        if call.raised is not None or len(call.values) == len(call.paths):
            return False
        fill_path(call.path, call.paths[len(call.values)])
    except BaseException as error:  # not to return from here: Cython then needs memory
        call.raised = error
    return call.raised is None


cdef void put_value(_GettingElements call) noexcept with gil:
    try:
        call.values.append(
            None if call.found.type == C_NOEXISTS else make_value(&call.found))
    except BaseException as error:
        call.raised = error
    confd_free_value(&call.found)
    call.found.type = C_NOEXISTS


def _maapi_get_elems(sock, thandle, list paths not None, limit=None):
    """The Values of leaves; None for what does not exist there, or has no value."""
    cdef _GettingElements call = _GettingElements.__new__(_GettingElements)
    call.limit = time_limit(limit)
    call.aim(sock, thandle)
    call.paths = paths
    call.values = []
    call.run()
    raised, call.raised = call.raised, None  # its traceback refers to this object
    if raised is not None:
        raise raised
    return call.values
