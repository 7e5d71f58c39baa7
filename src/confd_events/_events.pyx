# cython: language_level=3
"""libconfd's event notifications: connect, read as dicts, acknowledge.

This module only wraps the C library; confd_events re-exports it.
"""

import os
from _socket import socket as Socket
from _thread import allocate_lock, start_new_thread
from datetime import datetime, timedelta, timezone

from confd_events.error import EOF, DaemonSilent, Error

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.number cimport PyNumber_Check, PyNumber_Float, PyNumber_Long
from cpython.object cimport Py_EQ, Py_GE, Py_LE, Py_NE, PyObject_RichCompare
from cpython.ref cimport Py_INCREF, PyObject
from cpython.weakref cimport PyWeakref_NewRef
from cpython.unicode cimport PyUnicode_InternFromString
from libc.errno cimport EACCES, EAGAIN, EISDIR, errno
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdio cimport stderr
from libc.stdlib cimport free
from libc.string cimport memcpy, memset, strlen

from confd_events.extension.libconfd cimport *


# Text, numbers and addresses

cdef inline str text(const char *s):
    return "" if s == NULL else shared_text(s, strlen(s))


cdef inline str chars(const char *s, size_t size):
    """Text in a char array, NUL-terminated unless it fills the array."""
    return shared_text(s, strnlen(s, size))


cdef bytes encoded(str argument, value):
    """Text as the NUL-terminated bytes that C takes."""
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected str, not {type(value).__name__}")
    octets = value.encode("utf-8", "surrogateescape")
    if b"\0" in octets:
        raise ValueError(f"{argument}: must not contain a NUL character")
    return octets


cdef object integer(str argument, value, low, high, str c_type):
    """value as an int that fits a C type."""
    try:
        number = value.__index__()
    except AttributeError:
        raise TypeError(f"{argument}: expected int, not {type(value).__name__}") from None
    if not low <= number <= high:
        raise OverflowError(f"{argument}: {number} does not fit {c_type} ({low} to {high})")
    return number


cdef object c_int(str argument, value):
    return integer(argument, value, -(1 << 31), (1 << 31) - 1, "int")


cdef object c_uint32(str argument, value):
    return integer(argument, value, 0, (1 << 32) - 1, "uint32_t")


cdef str address_text(int af, const void *address):
    cdef char buffer[INET6_ADDRSTRLEN]
    if inet_ntop(af, address, buffer, sizeof(buffer)) == NULL:
        return ""
    return text(buffer)


cdef int parse_address(str argument, int af, value, void *address) except -1:
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected an address as str, not {type(value).__name__}")
    if "\0" in value or inet_pton(af, value.encode("utf-8", "replace"), address) != 1:
        kind = "IPv4" if af == AF_INET else "IPv6"
        raise ValueError(f"{argument}: {value!r} is not an {kind} address")
    return 0


cdef list oid_list(const confd_snmp_oid *oid):
    return [oid.oid[i] for i in range(max(0, min(oid.len, 128)))]


# Failures

cdef object failure(int status, int os_errno):
    """The exception for a failed call. To be made in the thread that called, right after."""
    cdef int code = confd_errno
    cls = EOF if status == CONFD_EOF or code == CONFD_ERR_EOF else Error
    os_error = os_errno if code == CONFD_ERR_OS else None
    return cls(code, text(confd_strerror(code)), one_line(text(confd_lasterr())), os_error)


cdef str one_line(str said):
    return " ".join([line.strip() for line in said.splitlines()]).strip()


cdef object own_failure(int code, str said, os_error=None):
    """The exception for what is refused or given up here, as the library would have it."""
    return Error(code, text(confd_strerror(code)), said, os_error)


cdef object os_failure(str doing, int os_errno):
    return own_failure(CONFD_ERR_OS, f"{doing}: {os.strerror(os_errno)}", os_errno)


cdef int check(int status, int os_errno) except -1:
    if status != CONFD_OK:
        raise failure(status, os_errno)
    return 0


# One module, in parts: two modules would link libconfd, and with it its state, twice.
include "extension/values.pxi"
include "extension/value_types.pxi"
include "extension/objects.pxi"
include "extension/convert.pxi"
include "extension/events.pxi"


# The socket and the address

cdef int stream_fd(sock) except -1:
    """The descriptor of a stream socket."""
    cdef int fd
    if not hasattr(sock, "fileno"):
        raise TypeError(
            f"sock: expected a socket or an object with fileno(), not {type(sock).__name__}")
    fd = c_int("sock", sock.fileno())
    check_stream(fd)
    return fd


cdef int check_stream(int fd) except -1:
    problem = unfit_stream(fd)
    if problem != NULL:
        raise ValueError(f"sock: {text(problem)}")
    return 0


# Instead of the seconds that a socket waits: it blocks.
cdef double FOR_EVER = float("inf")


cdef double timeout_of(sock, int fd) except -1:
    """The seconds that a socket waits at most, 0 when it is non-blocking."""
    if not is_non_blocking(fd):
        return FOR_EVER
    ask = getattr(sock, "gettimeout", None)
    seconds = None if ask is None else ask()
    return 0 if seconds is None else seconds


# What has been seen of the stream that is being read, and a weak reference to the socket that was
# read last. For a burst that is read one by one, that saves most questions about the socket.
cdef view seen
cdef object seen_of = None


cdef int reading_fd(sock) except? -1:
    """As stream_fd(), but a socket object is asked only for what may have changed since last time.
    """
    global seen_of
    if not isinstance(sock, Socket) or sock.timeout is not None:
        forget(&seen)
        return stream_fd(sock)
    reference = PyWeakref_NewRef(sock, None)
    if reference is seen_of:
        return sock.fileno()
    forget(&seen)
    seen_of = None
    fd = stream_fd(sock)
    seen_of = reference
    return fd


cdef int fill_address(sockaddr_storage *address, int family, ip, port, path) except -1:
    """Fill in the daemon's address; return its size."""
    memset(address, 0, sizeof(address[0]))
    if family == AF_INET:
        return fill_ipv4(<sockaddr_in *>address, ip, port)
    if family == AF_INET6:
        return fill_ipv6(<sockaddr_in6 *>address, ip, port)
    if family == AF_UNIX:
        return fill_unix(<sockaddr_un *>address, path)
    raise ValueError(f"sock: family {family} is not AF_INET, AF_INET6 or AF_UNIX")


cdef int fill_ipv4(sockaddr_in *address, ip, port) except -1:
    parse_address("ip", AF_INET, ip, &address.sin_addr)
    address.sin_family = AF_INET
    address.sin_port = htons(port_number(port))
    return sizeof(sockaddr_in)


cdef int fill_ipv6(sockaddr_in6 *address, ip, port) except -1:
    if isinstance(ip, str) and "%" in ip:
        ip, _, zone = ip.partition("%")
        address.sin6_scope_id = scope_id(zone)
    parse_address("ip", AF_INET6, ip, &address.sin6_addr)
    address.sin6_family = AF_INET6
    address.sin6_port = htons(port_number(port))
    return sizeof(sockaddr_in6)


cdef object scope_id(str zone):
    """The number of the interface behind an address such as fe80::1%eth0."""
    from _socket import if_nametoindex

    if zone.isdecimal() and 0 < int(zone) < 1 << 32:
        return int(zone)
    try:
        return if_nametoindex(zone)
    except (OSError, ValueError):
        raise ValueError(f"ip: this host has no interface {zone!r}") from None


cdef int port_number(port) except -1:
    number = c_int("port", port)
    if not 1 <= number <= 65535:
        raise ValueError(f"port: {number} is not in 1 to 65535")
    return number


cdef int fill_unix(sockaddr_un *address, path) except -1:
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"path: expected str, bytes or os.PathLike, not {type(path).__name__}")
    octets = os.fsencode(path)
    abstract = octets.startswith(b"\0")
    # A path in the file system needs room for its terminator.
    limit = <int>sizeof(address.sun_path) - (0 if abstract else 1)
    if not octets.strip(b"\0"):
        raise ValueError("path: is empty")
    if not abstract and b"\0" in octets:
        raise ValueError("path: must not contain a NUL character, unless it begins with one")
    if len(octets) > limit:
        raise ValueError(f"path: {len(octets)} bytes are more than a socket's path may have, "
                         f"{limit}: {path!r}")
    address.sun_family = AF_UNIX
    memcpy(address.sun_path, <const char *>octets, len(octets))
    terminator = 0 if abstract else 1
    return <int>(SUN_PATH_OFFSET + len(octets) + terminator)


include "extension/calls.pxi"
include "extension/maapi.pxi"
include "extension/datastore.pxi"


# Subscribing

cdef notification_mask checked_mask(mask) except *:
    cdef int bits = 8 * <int>sizeof(notification_mask) - 1
    try:
        number = mask.__index__()
    except AttributeError:
        raise TypeError(f"mask: expected int, not {type(mask).__name__}") from None
    if number < 0:
        raise ValueError(f"mask: {number} is negative; combine NOTIF_… bits")
    if number >> bits:
        raise ValueError(f"mask: {number:#x} is wider than this library's {bits} bits")
    return <notification_mask><long long>number


cdef int check_needs(mask, NotificationsData data) except -1:
    """Refuse a mask with a bit whose further data is missing."""
    needs = (
        ("NOTIF_HEARTBEAT", CONFD_NOTIF_HEARTBEAT, "heartbeat_interval"),
        ("NOTIF_HEALTH_CHECK", CONFD_NOTIF_HEALTH_CHECK, "health_check_interval"),
        ("NOTIF_STREAM_EVENT", CONFD_NOTIF_STREAM_EVENT, "stream_name"),
    )
    for name, bit, argument in needs:
        if mask & bit and (data is None or not getattr(data, argument)):
            raise ValueError(f"mask: {name} needs a {argument}; give it in NotificationsData "
                             "to notifications_connect2()")
    if data is not None and data.verbosity and not HAS_VERBOSITY:
        raise ValueError("verbosity: this release of libconfd does not have it; leave it at 0")
    return 0


def notifications_connect(sock, mask, ip=None, port=None, path=None):
    """Connect a socket to the daemon and subscribe to notifications.

    sock -- a stream socket, not yet connected, of family AF_INET, AF_INET6 or AF_UNIX; its timeout
        limits each wait for the daemon
    mask -- NOTIF_… bits, combined by |
    ip -- the daemon's address, for AF_INET and AF_INET6
    port -- its port, 1 to 65535
    path -- the socket's path, for AF_UNIX; begins with a NUL for an abstract one

    The socket's receive buffer is made larger, so that floods of notifications do not stall. A
    signal whose handler raises, such as Ctrl-C, ends the call.

    Raises TypeError, ValueError or OverflowError for an argument that is wrong, Error when the
    connection fails: then, or when a signal has ended the call, close the socket (C:
    confd_notifications_connect()).
    """
    connect(sock, mask, None, ip, port, path)


def notifications_connect2(sock, mask, data, ip=None, port=None, path=None):
    """Connect a socket to the daemon and subscribe, also to what needs further data.

    data -- a NotificationsData, also the vendor's: intervals for NOTIF_HEARTBEAT and
        NOTIF_HEALTH_CHECK, a stream for NOTIF_STREAM_EVENT, verbosity for NOTIF_PROGRESS

    All else is as for notifications_connect() (C: confd_notifications_connect2()).
    """
    connect(sock, mask, notifications_data(data), ip, port, path)


cdef int connect(sock, mask, NotificationsData data, ip, port, path) except -1:
    cdef _Subscribing call = _Subscribing.__new__(_Subscribing)
    stream_fd(sock)
    call.bits = checked_mask(mask)
    check_needs(mask, data)
    call.aim(sock, ip, port, path)
    if data is not None:
        call.pointed_into = fill_data(&call.data, data)
    make_room(call.fd)
    return call.run()


cdef class _Subscribing(_Connecting):
    """confd_notifications_connect() or, with data, confd_notifications_connect2()."""

    cdef notification_mask bits
    cdef confd_notifications_data data
    cdef list pointed_into  # by data, or None

    cdef int call(self, int fd) noexcept nogil:
        if self.pointed_into is None:
            return confd_notifications_connect(
                fd, <sockaddr *>&self.address, self.size, self.bits)
        return confd_notifications_connect2(
            fd, <sockaddr *>&self.address, self.size, self.bits, &self.data)

    cdef question asks(self) noexcept nogil:
        return TO_SUBSCRIBE


cdef class _LoadingSchemas(_Connecting):
    """maapi_connect() and maapi_load_schemas()."""

    cdef int call(self, int fd) noexcept nogil:
        cdef int status = maapi_connect(fd, <sockaddr *>&self.address, self.size)
        return maapi_load_schemas(fd) if status == CONFD_OK else status

    cdef question asks(self) noexcept nogil:
        return TO_LOAD_SCHEMAS


cdef list fill_data(confd_notifications_data *c_data, NotificationsData data):
    """Fill the C struct; return the objects into which it points."""
    stream_name = None if data.stream_name is None else stream_octets(data.stream_name)
    xpath = None if data.xpath_filter is None else encoded("xpath_filter", data.xpath_filter)
    memset(c_data, 0, sizeof(c_data[0]))
    c_data.heartbeat_interval = data.heartbeat_interval
    c_data.health_check_interval = data.health_check_interval
    c_data.stream_name = NULL if stream_name is None else <char *>stream_name
    c_data.start_time = data.start_time.v
    c_data.stop_time = data.stop_time.v
    c_data.xpath_filter = NULL if xpath is None else <char *>xpath
    c_data.usid = data.usid
    set_verbosity(c_data, data.verbosity)
    return [stream_name, xpath, data]


include "extension/reading.pxi"
include "extension/pieces.pxi"


# Acknowledging

def diff_notification_done(sock, TransCtxRef tctx not None):
    """Acknowledge a NOTIF_COMMIT_DIFF: its differences have been read.

    sock -- the notification socket
    tctx -- the notification's tctx; its attributes can still be read afterwards

    The transaction stands still until then. Raises ValueError when tctx is done already, Error
    when the connection is lost: then the transaction is over too (C:
    confd_diff_notification_done()).
    """
    cdef int fd = writing_fd(sock)
    cdef confd_trans_ctx *c_tctx = tctx.take()
    cdef sigset_t before
    cdef int status, os_errno
    with nogil:
        hold_sigpipe(&before)
        status = confd_diff_notification_done(fd, c_tctx)
        os_errno = errno
        let_signals_go(&before, status != CONFD_OK)
    check(status, os_errno)


cdef int writing_fd(sock) except -1:
    """As stream_fd(), once a non-blocking socket has room for an acknowledgement."""
    cdef int fd = stream_fd(sock)
    cdef double seconds = timeout_of(sock, fd)
    cdef bint room
    if seconds != FOR_EVER:
        with nogil:
            room = has_room(fd, seconds)
        if not room:
            raise os_failure("Failed to write to ConfD", EAGAIN)
    return fd


cdef int acknowledge(sock, usid, int (*send)(int sock, int usid) noexcept nogil) except -1:
    cdef int fd = writing_fd(sock)
    cdef int c_usid = c_int("usid", usid)
    cdef sigset_t before
    cdef int status, os_errno
    with nogil:
        hold_sigpipe(&before)
        status = send(fd, c_usid)
        os_errno = errno
        let_signals_go(&before, status != CONFD_OK)
    return check(status, os_errno)


def sync_audit_notification(sock, usid):
    """Acknowledge a NOTIF_AUDIT, for a subscription with NOTIF_AUDIT_SYNC.

    sock -- the notification socket
    usid -- the notification's usid

    The user session stands still until then. Raises Error when the connection is lost (C:
    confd_sync_audit_notification()).
    """
    acknowledge(sock, usid, confd_sync_audit_notification)


def sync_ha_notification(sock):
    """Acknowledge a NOTIF_HA_INFO, for a subscription with NOTIF_HA_INFO_SYNC.

    sock -- the notification socket

    All HA processing stands still until then. Raises Error when the connection is lost (C:
    confd_sync_ha_notification()).
    """
    acknowledge(sock, 0, sync_ha)


cdef int sync_ha(int fd, int _) noexcept nogil:
    return confd_sync_ha_notification(fd)


def sync_audit_network_notification(sock, usid):
    """Acknowledge a NCS_NOTIF_AUDIT_NETWORK, for a subscription with _AUDIT_NETWORK_SYNC.

    sock -- the notification socket
    usid -- the notification's usid

    The user session stands still until then. Only where the library has it: NSO from API level
    8.0 on. Raises Error when the connection is lost (C: ncs_sync_audit_network_notification()).
    """
    acknowledge(sock, usid, ncs_sync_audit_network_notification)


# Names

cdef bint schemas_are_loaded = False


def load_schemas(ip=None, port=None, path=None, timeout=None):
    """Load the data model's names from the daemon, for the whole process.

    ip, port -- the daemon's address, or
    path -- the path of its UNIX socket
    timeout -- seconds that it may take; None for no limit

    Afterwards hash2str() and its like know the names, and tags and values print with them. A signal
    whose handler raises, such as Ctrl-C, ends the wait. Raises Error when the connection fails,
    DaemonSilent when the time is over (C: maapi_load_schemas()).
    """
    global schemas_are_loaded
    cdef _LoadingSchemas call = _LoadingSchemas.__new__(_LoadingSchemas)
    if path is not None:
        family = AF_UNIX
    else:
        family = AF_INET6 if isinstance(ip, str) and ":" in ip else AF_INET
    call.limit = time_limit(timeout)
    sock = _maapi_socket(family)
    try:
        call.aim(sock, ip, port, path)
        call.run()
    finally:
        sock.close()
    schemas_are_loaded = True


def _schemas_loaded():
    """Whether load_schemas() has succeeded in this process."""
    return schemas_are_loaded


cdef str name_or_none(const char *name):
    return None if name == NULL else text(name)


def hash2str(hash):
    """Return the name behind a tag's or namespace's hash, or None (C: confd_hash2str())."""
    return name_or_none(confd_hash2str(c_uint32("hash", hash)))


def str2hash(str):
    """Return the hash of a name, or 0 when it is not known (C: confd_str2hash())."""
    return confd_str2hash(encoded("str", str))


def ns2prefix(ns):
    """Return the prefix of a namespace's hash, or None (C: confd_ns2prefix())."""
    return name_or_none(confd_ns2prefix(c_uint32("ns", ns)))


cdef str table_entry(char **table, logno):
    number = c_int("logno", logno)
    if not 0 <= number < table_length(table):
        return None
    return name_or_none(table[<int>number])


def log_symbol(logno):
    """Return the name of a log message, by the number in audit and syslog notifications, or
    None for a number that the library does not have (C: confd_log_symbols)."""
    return table_entry(confd_log_symbols, logno)


def log_description(logno):
    """Return the description of a log message by its number, or None (C:
    confd_log_descriptions)."""
    return table_entry(confd_log_descriptions, logno)


# The access file

cdef tuple access_file():
    """The variable that names the file with the daemon's secret, and its path; or None."""
    for variable in ("CONFD_IPC_ACCESS_FILE", "NCS_IPC_ACCESS_FILE"):
        if variable in os.environ:
            return variable, os.environ[variable]
    return None


cdef object state_of(path):
    """What tells a file from a changed one; a str when no secret can be read from it."""
    try:
        found = os.stat(path)
    except OSError as error:
        return error.strerror
    if os.path.isdir(path):
        return os.strerror(EISDIR)
    if not os.access(path, os.R_OK):
        return os.strerror(EACCES)
    if found.st_size == 0:
        return "it is empty"
    return found.st_mtime_ns, found.st_size, found.st_ino


cdef str access_trouble():
    """Why the library may have no secret, or another than the daemon's. It reads the file once, at
    import, and says nothing when it can't."""
    now = access_file()
    if now != file_at_import:
        variable = (now or file_at_import)[0]
        return (f"{variable} was changed after confd_events was imported; the library reads the "
                "access file at import, so set it before the program starts")
    if now is None:
        return ""
    variable, path = now
    if isinstance(state_at_import, str):
        return (f"the access file {path} (from {variable}) could not be read at import: "
                f"{state_at_import}")
    if state_of(path) != state_at_import:
        return (f"the access file {path} (from {variable}) was changed since import, when the "
                "library read it; start the program again")
    return ""


cdef void explain_by_access_file(error):
    trouble = access_trouble()
    if trouble:
        error.confd_lasterr += f"; {trouble}"


# The library

cdef object version_number(const char *exported):
    """The number behind the = of a string such as CONFD_LIB_VSN=08020500."""
    return int(text(exported).partition("=")[2], 16)


cdef str dotted(number):
    major, minor, patch = number >> 24, number >> 16 & 0xff, number >> 8 & 0xff
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


cdef str api_level(number):
    return f"{number >> 24}.{number >> 16 & 0xff}"


def library():
    """Return what is known of the libconfd in use, as a dict.

    product -- NCS or CONFD
    api_level -- such as 8.2
    version -- the library's own, such as 8.2.5
    protocol -- the protocol level that it announces to the daemon, such as 82
    path -- the file that holds its code
    link -- shared, or static when its code is part of the extension
    stub -- whether it is the stub library, for tests without a daemon
    missing -- constants and fields that its headers lack, by name
    """
    return {
        "product": PRODUCT.decode(),
        "api_level": api_level(CONFD_LIB_API_VSN),
        "version": dotted(version_number(confd_lib_vsn)),
        "protocol": CONFD_LIB_PROTO_VSN,
        "path": text(library_path()),
        "link": LINK.decode(),
        "stub": bool(library_is_stub()),
        "missing": missing_names(),
    }


cdef list missing_names():
    cdef int i = 0
    cdef list names = []
    while missing[i] != NULL:
        names.append(missing[i].decode())
        i += 1
    return names


# At import

cdef str REMEDY = (
    "Build confd_events again with this library's SDK, or set LD_LIBRARY_PATH to the directory "
    "of the right library.")


cdef int guard() except -1:
    """Refuse a library of another API level: its confd_init() would end the process."""
    loaded = version_number(confd_lib_api_vsn)
    if loaded != CONFD_LIB_API_VSN:
        raise ImportError(
            f"confd_events was built for libconfd of API level {api_level(CONFD_LIB_API_VSN)} "
            f"({CONFD_LIB_API_VSN:#010x}), but {text(library_path())} is of level "
            f"{api_level(loaded)} ({loaded:#010x}). {REMEDY}")
    product = library_product()
    if product != NULL and text(product) != PRODUCT.decode():
        raise ImportError(
            f"confd_events was built for libconfd of {PRODUCT.decode()}, but "
            f"{text(library_path())} is of {text(product)}. {REMEDY}")
    lacking = library_lacks()
    if lacking != NULL:
        raise ImportError(
            f"confd_events was built for another libconfd than {text(library_path())}, which "
            f"lacks {text(lacking)}(). {REMEDY}")
    if not library_accepts_headers():
        raise ImportError(
            f"confd_events was built for libconfd with MAXDEPTH {MAXDEPTH} and MAXKEYLEN "
            f"{MAXKEYLEN}, but {text(library_path())} has others. {REMEDY}")
    return 0


cdef str NSO_PATH = "/tmp/nso/nso-ipc"


cdef dict all_constants():
    cdef int i = 0
    # From here on NSO listens at the path.
    cdef bint local = PRODUCT == b"NCS" and CONFD_LIB_PROTO_VSN >= 87
    cdef dict result = {
        "ADDR": "127.0.0.1",
        "PORT": None if local else PRODUCT_PORT,
        "PATH": NSO_PATH if local else None,
        "NCS_PATH": NSO_PATH,
    }
    while constants[i].name != NULL:
        result[constants[i].name.decode()] = constants[i].value
        i += 1
    return result


guard()
confd_init("confd_events", stderr, CONFD_SILENT)
cdef tuple file_at_import = access_file()
cdef object state_at_import = None if file_at_import is None else state_of(file_at_import[1])
cdef dict all_named = all_constants()
cdef dict type_names = {
    number: name for name, number in all_named.items()
    if name.startswith("C_") and name != "C_ENUM_VALUE"
}
globals().update(all_named)
if not HAS_AUDIT_NETWORK_SYNC:
    del sync_audit_network_notification

__all__ = sorted([
    name for name, value in globals().items()
    if not name.startswith("_")
    and (name in all_named or getattr(value, "__module__", None) == __name__)
] + ["EOF", "Error"])
