# Reading notifications, one or a burst.

def read_notification(sock):
    """Read one notification; block until it is there.

    Returns a dict: 'type' is the NOTIF_… bit, and a second key, named after the member of the C
    union, holds the payload. A signal whose handler raises, such as Ctrl-C, ends the wait; the
    socket stays usable. The socket's timeout limits the wait, and a non-blocking one does not wait:
    then it is an Error whose errno is EAGAIN, and the socket stays usable, too: what has come of a
    large notification is kept for the next call in this process.

    Raises EOF when the daemon has closed the connection, Error for a lost connection or a
    notification that can't be decoded, ValueError or TypeError for a socket that is
    closed or none (C: confd_read_notification()).
    """
    cdef int fd = reading_fd(sock)
    cdef int count = count_whole(fd, 1)
    cdef double deadline = 0
    if count <= 0:
        deadline = end_of_patience(sock, fd)
    if count == 0:
        count = await_until(sock, fd, deadline, 1)
    if count > 0:
        return read_next(fd, False)
    notification = read_unfinished(sock, fd, deadline) if count == UNKNOWN else None
    if notification is None:
        raise nothing_came()
    return notification


def read_notifications(sock, max=100, timeout=None):
    """Read all notifications that have arrived, but wait for the first.

    max -- at most so many, 1 or more
    timeout -- seconds to wait for a whole notification; None to wait as long as the socket does, 0
        not to wait at all

    Returns a list of dicts as of read_notification(), in order; it is empty only when the time
    is up. What has come by then of a large notification is kept for the next call in this process.

    Raises as read_notification(). When one after the first can't be decoded, the Error's attribute
    notifications holds those before it, so that none is lost (C: confd_read_notification()).
    """
    cdef list result = []
    _read_into(result, sock, max, timeout)
    return result


def _read_into(list result, sock, max, timeout):
    """As read_notifications(), but into an empty list that the caller has before: a signal handler
    that raises right after the call takes nothing with it."""
    cdef int limit = c_int("max", max)
    cdef double deadline = end_of_wait(timeout)
    cdef int fd = reading_fd(sock)
    cdef int count
    if limit < 1:
        raise ValueError(f"max: {limit} is not 1 or more")
    count = count_whole(fd, limit)
    if count <= 0 and timeout is None:
        deadline = end_of_patience(sock, fd)
    if count == 0:
        count = await_until(sock, fd, deadline, limit)
    if count != 0:
        read_burst(sock, fd, count, limit, deadline, result)
    if timeout is None and not result:
        raise nothing_came()


cdef double end_of_wait(timeout) except -1:
    """The time of monotonic_seconds() at which a wait is over, or 0 for never."""
    if timeout is None:
        return 0
    try:
        seconds = float(timeout)
    except (TypeError, ValueError):
        raise TypeError(f"timeout: expected seconds or None, not {timeout!r}") from None
    if not seconds >= 0:
        raise ValueError(f"timeout: {seconds:g} is not 0 or more seconds")
    return monotonic_seconds() + seconds


# Python's own, in seconds: how long a thread keeps the lock while others wait for it.
cdef double SWITCH_INTERVAL = 0.005

# Instead of a number of whole frames, as whole_frames() has it.
cdef enum:
    UNKNOWN = -1

# The descriptors from which is read without the lock held. Whoever else looked at or read from one
# of them would take the rest of that notification for another.
cdef set being_read = set()

# A forked child has the one thread that forked: no other is in the midst of anything there.
os.register_at_fork(after_in_child=being_read.clear)


cdef inline bint is_being_read(int fd) except -1:
    return bool(being_read) and fd in being_read


cdef int count_whole(int fd, int most) except? -1:
    """How many whole frames have arrived, at most so many; UNKNOWN when read_unfinished() tells."""
    if is_being_read(fd):
        raise RuntimeError("sock: another thread is in the midst of a notification; give each "
                           "thread a socket of its own")
    return UNKNOWN if has_begun(fd) else whole_frames(fd, &seen, most)


cdef int await_frames(sock, int fd, int milliseconds, int most) except? -1:
    """Wait for whole frames; return how many are there, at most so many.

    0 when none came, UNKNOWN when read_unfinished() is to tell what there is.
    """
    cdef sight found
    cdef int count
    check_stream(fd)
    with nogil:
        found = await_frame(fd, milliseconds)
    if sock.fileno() != fd:
        raise ValueError("sock: was closed by another thread")
    if found == NOTHING:
        PyErr_CheckSignals()
        return 0
    # Perhaps another thread has read meanwhile what was there.
    count = count_whole(fd, most)
    return UNKNOWN if count == 0 and found == UNFINISHED else count


cdef int await_until(sock, int fd, double deadline, int most) except? -1:
    """Wait for whole frames until a time of monotonic_seconds(), 0 for ever; as await_frames()."""
    cdef int count = 0
    cdef int milliseconds
    while count == 0:
        milliseconds = wait_ms(deadline)
        count = await_frames(sock, fd, milliseconds, most)
        if milliseconds == 0:
            break
    # Of what is larger than the socket's buffers, the rest comes only while it is read.
    return UNKNOWN if count == 0 and bytes_arrived(fd) >= STALLED else count


cdef double end_of_patience(sock, int fd) except -1:
    """The time of monotonic_seconds() until which the socket waits, or 0 for ever."""
    cdef double seconds = timeout_of(sock, fd)
    return 0 if seconds == FOR_EVER else monotonic_seconds() + seconds


cdef object nothing_came():
    return os_failure("Failed to read from ConfD", EAGAIN)


cdef inline void clear(confd_notification *n) noexcept:
    """Libraries before API level 8.2 leave members unset that a frame lacks: they would then
    show those of an earlier event."""
    if CONFD_LIB_API_VSN < 0x08020000:
        memset(n, 0, sizeof(n[0]))


cdef dict read_next(int fd, bint more):
    """Read and convert the next notification, which is there as a whole.

    more -- whether the caller reads on, and settles in the end what was read from memory

    It is read with the lock held: that does not block, and where other threads are busy, giving the
    lock away and getting it back costs more than to read thousands.
    """
    cdef confd_notification n
    cdef const char *bad
    cdef int status, os_errno
    cdef bint from_memory = is_in_view(&seen)
    if not from_memory:
        settled()
    bad = bad_frame(&seen, bits_with_payload)
    if bad != NULL:
        return read_unwanted(fd, bad)
    clear(&n)
    pass_frame(&seen)
    if from_memory:
        keep_allocator()
    status = confd_read_notification(fd, &n)
    os_errno = errno
    let_allocator_go()
    end_loan()
    if not more or status != CONFD_OK:
        settle_or_free(&n, status)
    return converted(fd, &n, status, os_errno)


cdef dict read_unwanted(int fd, const char *bad):
    """Take the next frame off the socket, and raise what is wrong with it."""
    if not is_in_view(&seen):
        return read_unfinished(None, fd, 0)
    pass_frame(&seen)
    end_loan()
    settled()
    raise own_failure(CONFD_ERR_INTERNAL, text(bad))


cdef int settled() except -1:
    """Take off the socket what was read from memory."""
    if not settle(&seen):
        raise others_read()
    return 0


cdef object others_read():
    return own_failure(
        CONFD_ERR_INTERNAL, "Somebody else has read from the socket at the same time: its "
        "notifications can't be told apart any more")


cdef int settle_or_free(confd_notification *n, int status) except -1:
    """As settled(), for a struct that nobody else frees when that fails."""
    try:
        return settled()
    except Error:
        if status == CONFD_OK:
            release(n)
        raise


cdef dict converted(int fd, confd_notification *n, int status, int os_errno):
    """The dict for a call's outcome; frees the struct."""
    if status != CONFD_OK:
        forget(&seen)
        raise failure(status, os_errno)
    if type_of(n) == CONFD_NOTIF_COMMIT_DIFF and untaken(n) != NULL:
        untaken(n).fd = fd  # the library has -1
    try:
        return to_dict(n)
    finally:
        release(n)


cdef void release(confd_notification *n) noexcept:
    """Free a struct, and with it a commit diff's transaction that no TransCtxRef has taken."""
    if type_of(n) == CONFD_NOTIF_COMMIT_DIFF and untaken(n) != NULL:
        confd_diff_notification_done(-1, untaken(n))
    keep_allocator()
    confd_free_notification(n)
    let_allocator_go()


cdef int read_burst(sock, int fd, int count, int limit, double deadline, list result) except -1:
    """Append notifications as long as whole ones are there, at most up to the limit.

    deadline -- as for read_unfinished()
    """
    cdef double held_since = monotonic_seconds()
    try:
        while count:
            if count == UNKNOWN:
                notification = read_unfinished(sock, fd, deadline)
                if notification is None:
                    break
                result.append(notification)
            else:
                append_whole(fd, count, result)
            if <int>len(result) == limit or saw_all(&seen):
                break
            # Whoever waits for the lock gets it as often as between the lines of Python.
            if monotonic_seconds() - held_since > SWITCH_INTERVAL:
                with nogil:
                    pass
                held_since = monotonic_seconds()
                if is_being_read(fd) or has_begun(fd):
                    break
            count = whole_frames(fd, &seen, limit - <int>len(result))
    except Error as error:
        error.notifications = result
        raise
    return 0


cdef int append_whole(int fd, int count, list result) except -1:
    """Append so many notifications, which are there as a whole.

    Without garbage collections meanwhile: nothing of what is made here can be garbage yet.
    """
    cdef bint collecting = pause_collections()
    cdef bint found_all
    try:
        for _ in range(count):
            result.append(read_next(fd, True))
    finally:
        found_all = settle(&seen)
        if collecting:
            resume_collections()
    if not found_all:
        raise others_read()
    return 0
