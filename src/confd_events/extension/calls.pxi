# Calls of the library that wait for the daemon, so that a signal or a clock can end them.

cdef double time_limit(timeout) except -1:
    """The seconds that a call may take."""
    if timeout is None:
        return FOR_EVER
    seconds = float(timeout)
    if not seconds > 0:
        raise ValueError(f"timeout: {timeout} is not positive; give seconds, or None for no limit")
    return seconds


cdef class _DaemonCall:
    """A call of the library that waits for the daemon, and so may take long.

    Python runs signal handlers in the main thread alone, and the library does not go on when a
    signal interrupts it. So another thread makes the call, with signals blocked: unless all that
    waits in it is the reading of answers, and that leads to the extension.
    """

    cdef int fd
    cdef int own_fd  # a duplicate of fd, which the caller may close meanwhile; or 0
    cdef double timeout  # seconds of each wait
    cdef double limit  # seconds of all that it takes
    cdef object running  # what the other thread releases at its end; None: it is not to begin
    cdef object error  # that of the other thread's call, or of a signal handler
    cdef bint only_reads  # once it has asked; so its waits can be ended

    def __cinit__(self):
        self.timeout = self.limit = FOR_EVER

    cdef int call(self, int fd) noexcept nogil:
        """The call itself; returns the library's status."""
        return CONFD_ERR

    cdef question asks(self) noexcept nogil:
        """What answers the call: how these are checked."""
        return OTHERWISE

    cdef object explained(self, error):
        """The error of a call, with what may be behind it."""
        return error

    cdef int run(self) except -1:
        cdef bint can_end = self.only_reads and FROM_MEMORY
        cdef bint must_end = is_main_thread() or self.limit != FOR_EVER
        wait = self.begin() if must_end and not can_end else None
        if wait is None:
            return self.make()
        try:
            over = wait(True, -1 if self.limit == FOR_EVER else self.limit)
        except BaseException:
            self.give_up(wait)
            raise
        if not over:
            self.give_up(wait)
            raise self.silence()
        return self.raise_error()

    cdef object silence(self):
        return DaemonSilent(CONFD_ERR_TIMEOUT, text(confd_strerror(CONFD_ERR_TIMEOUT)),
                            f"the daemon did not answer within {self.limit:g} s")

    cdef int raise_error(self) except -1:
        error, self.error = self.error, None  # its traceback refers to this object
        if error is not None:
            raise error
        return 0

    cdef int give_up(self, wait) except -1:
        """Make the other thread's call end soon."""
        shutdown(self.fd, SHUT_RDWR)
        wait(True, 1)
        return 0

    cdef object begin(self):
        """Let another thread make the call; return what waits for it, or None when there can be no
        other thread. From then on this one needs no memory, lest the call be made and yet fail.
        """
        self.own_fd = duplicate(self.fd, F_DUPFD_CLOEXEC, 3)
        if self.own_fd < 0:  # no descriptor is left
            self.own_fd = 0
            return None
        try:
            over = self.running = allocate_lock()
            wait = over.acquire
            wait()
            start_new_thread(self._make_for_another, (over,))
        except BaseException as error:
            # A thread may have begun, but nothing of it runs while this one has Python's lock.
            self.running = None
            self.finish()
            if isinstance(error, RuntimeError):
                return None
            raise
        return wait

    def _make_for_another(self, over):
        if self.running is not over:
            return
        try:
            self.make()
        except BaseException as error:
            self.error = error
        finally:
            self.finish()
            over.release()

    cdef void finish(self) noexcept:
        """After the other thread's call."""
        if self.own_fd > 0:
            close(self.own_fd)
        self.own_fd = 0

    cdef int make(self) except -1:
        cdef sigset_t before
        cdef lent_socket lent
        cdef answers expected
        cdef patience waiting
        cdef int status, os_errno
        cdef int fd = self.own_fd or self.fd
        waiting.held = &before
        waiting.each = -1 if self.timeout == FOR_EVER else self.timeout
        waiting.until = 0 if self.limit == FOR_EVER else monotonic_seconds() + self.limit
        waiting.interrupted = is_interrupted
        waiting.of = <void *>self
        waiting.is_over = False
        with nogil:
            hold_signals(&before)
            lend(fd, self.timeout, &lent)
            begin_answers(&expected, fd, self.asks(), &waiting if self.only_reads else NULL)
            status = self.call(fd)
            end_answers(&expected)
            take_back(&lent)
            os_errno = errno
            let_signals_go(&before, status != CONFD_OK)
        self.raise_error()
        if waiting.is_over:
            raise self.silence()
        if expected.bad[0] != 0:
            raise own_failure(CONFD_ERR_INTERNAL, text(expected.bad))
        if status != CONFD_OK:
            raise self.explained(failure(status, os_errno))
        return 0


cdef int is_interrupted(void *of) noexcept with gil:
    """Let Python's signal handlers run; whether one has raised, which ends the call."""
    call = <_DaemonCall>of
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        call.error = error
    return call.error is not None


cdef class _Connecting(_DaemonCall):
    """maapi_connect(), or another call that begins a connection."""

    cdef sockaddr_storage address
    cdef int size

    cdef int call(self, int fd) noexcept nogil:
        return maapi_connect(fd, <sockaddr *>&self.address, self.size)

    cdef object explained(self, error):
        if error.confd_errno == CONFD_ERR_EOF or "Access denied" in error.confd_lasterr:
            explain_by_access_file(error)
        elif (error.confd_errno == CONFD_ERR_PROTOUSAGE
                and "not compatible" in error.confd_lasterr):
            error.confd_lasterr += (
                f"; confd_events has libconfd {dotted(version_number(confd_lib_vsn))}: build it "
                "again with the SDK of the daemon's release")
        return error

    cdef int aim(self, sock, ip, port, path) except -1:
        """Take the socket, and the address of its family."""
        self.fd = stream_fd(sock)
        if not hasattr(sock, "family"):
            raise TypeError(f"sock: a {type(sock).__name__} has no family")
        self.size = fill_address(&self.address, c_int("sock", sock.family), ip, port, path)
        self.timeout = timeout_of(sock, self.fd)
        if self.timeout == 0:
            raise ValueError("sock: is in non-blocking mode, and connecting waits for the daemon; "
                             "call settimeout() or setblocking(True)")
        return 0
