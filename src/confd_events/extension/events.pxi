# What of a subscription's events is made in C.

@cython.auto_pickle(False)  # who inherits says how
@cython.no_gc  # the collector would look at each event in vain: what it holds can't refer back
cdef class _Notification:
    """What an event holds.

    raw -- the dict of read_notification()
    read -- when it was read, in seconds since 1970
    """

    cdef readonly dict raw
    cdef readonly double _read

    def __init__(self, dict raw not None, double read):
        self.raw = raw
        self._read = read


def _make_events(type kind, arrived, double read, into):
    """Append an event of a class made from _Notification for each dict of an iterator.

    What ends it midway takes the dict in hand with it, no other.
    """
    cdef newfunc make = <newfunc>PyType_GetSlot(kind, Py_tp_new)
    cdef _Notification event
    append = into.append
    for raw in arrived:
        event = make(kind, (), NULL)
        event.raw = raw
        event._read = read
        append(event)


@cython.auto_pickle(False)
cdef class _PlainEvents:
    """An iterator of what take() gives and, when that raises IndexError, of what wait() does."""

    cdef object take
    cdef object wait

    def __init__(self, take, wait):
        self.take = take
        self.wait = wait

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self.take()
        except IndexError:
            pass
        return self.wait()
