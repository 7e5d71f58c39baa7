# Notifications that are not there as a whole: gathered piece by piece, see pieces.h.

@cython.final
cdef class _Pieces:
    cdef pieces begun

    def __dealloc__(self):
        free(self.begun.bytes)


# What calls have taken off a socket and not finished, by its descriptor.
cdef dict begun_of = {}


cdef inline bint has_begun(int fd) except -1:
    return bool(begun_of) and begun_at(fd) is not None


cdef _Pieces begun_at(int fd):
    """What has been taken of the next frame, or None: a descriptor may be another socket's by now.
    """
    cdef _Pieces found = begun_of.get(fd)
    if found is not None and found.begun.stream != stream_behind(fd):
        del begun_of[fd]
        return None
    return found


def _count_begun(sock):
    """How many bytes of a notification have come that is not there as a whole."""
    cdef int fd = sock.fileno()
    cdef _Pieces found
    if fd < 0:
        return 0
    found = begun_at(fd)
    return bytes_arrived(fd) + (0 if found is None else found.begun.held)


cdef dict read_unfinished(sock, int fd, double deadline):
    """Read a notification that is not there as a whole, or what the library says instead of it.

    None at the deadline, a time of monotonic_seconds() or 0 for none. A second call goes on from
    there; so it does after a signal handler has raised.
    """
    cdef _Pieces found = begun_at(fd)
    cdef int error = seen.error
    seen.error = 0
    forget(&seen)
    if found is None and error == 0:
        for other in list(begun_of):
            begun_at(other)  # forgets those of closed sockets
        found = _Pieces.__new__(_Pieces)
        if not begin_pieces(fd, bits_with_payload, &found.begun):
            found = None
    if found is None:
        return read_ended(sock, fd, error)
    begun_of[fd] = found
    being_read.add(fd)
    try:
        outcome = take_until(sock, fd, &found.begun, deadline)
        if outcome == TAKEN:
            return read_gathered(fd, found)  # no other thread may take it for its own meanwhile
    finally:
        being_read.discard(fd)
    if outcome == TAKES:
        return None
    begun_of.pop(fd, None)
    return read_ended(sock, fd, 0)


cdef taking take_until(sock, int fd, pieces *begun, double deadline) except *:
    """Take what comes of a frame. TAKES: the deadline is over."""
    cdef double limit = receive_limit(fd)
    cdef double quiet_since = monotonic_seconds()
    cdef size_t held
    cdef int milliseconds
    cdef taking outcome
    while True:
        held = begun.held
        milliseconds = wait_ms(deadline)
        with nogil:
            outcome = take_pieces(fd, begun, milliseconds)
        if sock is not None and sock.fileno() != fd:
            raise ValueError("sock: was closed by another thread")
        if outcome == NO_MEMORY:
            raise MemoryError
        if outcome != TAKES:
            return outcome
        PyErr_CheckSignals()
        if begun.held != held:
            quiet_since = monotonic_seconds()
        elif milliseconds == 0:
            return TAKES
        elif 0 < limit <= monotonic_seconds() - quiet_since:
            raise nothing_came()


cdef dict read_gathered(int fd, _Pieces found):
    """Read the notification that has been taken off the socket as a whole. It is being read."""
    cdef confd_notification n
    cdef pieces *begun = &found.begun
    cdef const char *bad = begun.bad
    cdef int lent, status, os_errno
    if bad == NULL:
        with nogil:
            bad = bad_notification(
                begun.bytes + 4, begun.size - 4, begun.size - 4, bits_with_payload)
    if bad != NULL:
        begun_of.pop(fd, None)
        raise own_failure(CONFD_ERR_INTERNAL, text(bad))
    lent = lend_pieces(fd, begun)
    if lent < 0:
        raise os_failure("Failed to keep a notification in memory", errno)
    begun_of.pop(fd, None)
    clear(&n)
    with nogil:  # a second for some megabytes of values
        status = confd_read_notification(lent, &n)
        os_errno = errno
        end_pieces(fd, lent)
    return converted(fd, &n, status, os_errno)


cdef dict read_ended(sock, int fd, int error):
    """What the library says of the end of the stream, or of an error that a look has taken."""
    cdef confd_notification n
    cdef lent_socket lent
    cdef int status, os_errno
    cdef double seconds = timeout_of(sock, fd)
    clear(&n)
    being_read.add(fd)
    with nogil:
        lend(fd, 0 if seconds == FOR_EVER else seconds, &lent)
        lend_error(fd, error)
        status = confd_read_notification(fd, &n)
        os_errno = errno
        end_loan()
        take_back(&lent)
    being_read.discard(fd)
    return converted(fd, &n, status, os_errno)
