# libconfd's API as far as the extension uses it, in the order of the headers. Offsets and types
# come from the SDK's own headers; members that not every release has are read through the rows
# of tables.h and don't stand here.

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdio cimport FILE
from libc.time cimport time_t
from cpython.ref cimport PyObject


cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030A0000
    #define pause_collections() PyGC_Disable()
    #define resume_collections() PyGC_Enable()
    #else
    #define pause_collections() 0
    #define resume_collections() 0
    #endif
    #ifdef Py_LIMITED_API
    #define PyList_SET_ITEM PyList_SetItem
    #endif
    """
    dict presized_dict "__Pyx_PyDict_NewPresized"(Py_ssize_t size)
    bint pause_collections()
    int resume_collections()
    ctypedef object (*newfunc)(type kind, tuple arguments, PyObject *keywords)
    int Py_tp_new
    void *PyType_GetSlot(type kind, int slot) except NULL


cdef extern from * nogil:
    """
    #include <arpa/inet.h>
    #include <fcntl.h>
    #include <netinet/in.h>
    #include <stddef.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/un.h>
    #include <unistd.h>
    enum { SUN_PATH_OFFSET = offsetof(struct sockaddr_un, sun_path) };
    """
    enum:
        AF_INET
        AF_INET6
        AF_UNIX
        SUN_PATH_OFFSET
        INET6_ADDRSTRLEN
    struct in_addr:
        pass
    struct in6_addr:
        pass
    struct sockaddr:
        pass
    struct sockaddr_in:
        unsigned short sin_family
        uint16_t sin_port
        in_addr sin_addr
    struct sockaddr_in6:
        unsigned short sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr
        uint32_t sin6_scope_id
    struct sockaddr_un:
        unsigned short sun_family
        char sun_path[108]
    struct sockaddr_storage:
        unsigned short ss_family
    uint16_t htons(uint16_t number)
    const char *inet_ntop(int af, const void *address, char *text, unsigned int size)
    int inet_pton(int af, const char *text, void *address)
    enum:
        SHUT_RDWR
        F_DUPFD_CLOEXEC
    int shutdown(int fd, int how)
    int close(int fd)
    int duplicate "fcntl"(int fd, int command, int least)
    size_t strnlen(const char *text, size_t size)
    int __builtin_ctzll(unsigned long long bits)


cdef extern from "tables.h" nogil:

    # confd_lib.h

    enum:
        CONFD_OK
        CONFD_ERR
        CONFD_EOF
        CONFD_ERR_NOEXISTS
        CONFD_ERR_BADTYPE
        CONFD_ERR_BADPATH
        CONFD_ERR_INTERNAL
        CONFD_ERR_PROTOUSAGE
        CONFD_ERR_OS
        CONFD_ERR_EOF
        CONFD_ERR_TIMEOUT
        CONFD_LIB_API_VSN
        CONFD_LIB_VSN
        CONFD_LIB_PROTO_VSN
        MAXDEPTH
        MAXKEYLEN
        CONFD_SILENT
        CONFD_TIMEZONE_UNDEF

    char *confd_lib_vsn
    char *confd_lib_api_vsn
    char *confd_lib_proto_vsn
    int confd_errno
    void confd_init(const char *name, FILE *estream, int debug)
    char *confd_lasterr()
    char *confd_strerror(int code)

    ctypedef enum vtype "enum confd_vtype":
        C_NOEXISTS
        C_XMLTAG
        C_SYMBOL
        C_STR
        C_BUF
        C_INT8
        C_INT16
        C_INT32
        C_INT64
        C_UINT8
        C_UINT16
        C_UINT32
        C_UINT64
        C_DOUBLE
        C_IPV4
        C_IPV6
        C_BOOL
        C_QNAME
        C_DATETIME
        C_DATE
        C_TIME
        C_DURATION
        C_ENUM_VALUE
        C_BIT32
        C_BIT64
        C_LIST
        C_XMLBEGIN
        C_XMLEND
        C_CDBBEGIN
        C_UNION
        C_PTR
        C_OID
        C_BINARY
        C_IPV4PREFIX
        C_IPV6PREFIX
        C_DEFAULT
        C_DECIMAL64
        C_OBJECTREF
        C_IDENTITYREF
        C_XMLBEGINDEL
        C_DQUAD
        C_HEXSTR
        C_IPV4_AND_PLEN
        C_IPV6_AND_PLEN
        C_BITBIG
        C_XMLMOVEFIRST
        C_XMLMOVEAFTER

    struct confd_buf_const:
        unsigned int size
        const unsigned char *ptr

    struct xml_tag:
        uint32_t tag
        uint32_t ns

    struct confd_buf:
        unsigned int size
        unsigned char *ptr

    struct confd_qname:
        confd_buf prefix
        confd_buf name

    struct confd_datetime:
        int16_t year
        uint8_t month
        uint8_t day
        uint8_t hour
        uint8_t min
        uint8_t sec
        uint32_t micro
        int8_t timezone
        int8_t timezone_minutes

    struct confd_date:
        int16_t year
        uint8_t month
        uint8_t day
        int8_t timezone
        int8_t timezone_minutes

    struct confd_time:
        uint8_t hour
        uint8_t min
        uint8_t sec
        uint32_t micro
        int8_t timezone
        int8_t timezone_minutes

    struct confd_duration:
        uint32_t years
        uint32_t months
        uint32_t days
        uint32_t hours
        uint32_t mins
        uint32_t secs
        uint32_t micros

    struct confd_snmp_oid:
        uint32_t oid[128]
        int len

    struct confd_ipv4_prefix:
        in_addr ip
        uint8_t len

    struct confd_ipv6_prefix:
        in6_addr ip6
        uint8_t len

    struct confd_decimal64:
        int64_t value
        uint8_t fraction_digits

    struct confd_identityref:
        uint32_t ns
        uint32_t id

    struct confd_dotted_quad:
        unsigned char quad[4]

    struct confd_list:
        unsigned int size
        confd_value_t *ptr

    union value_union "__typeof__(((confd_value_t *)0)->val)":
        xml_tag xmltag
        uint32_t symbol
        confd_buf buf
        confd_buf_const c_buf
        const char *c_s
        int8_t i8
        int16_t i16
        int32_t i32
        int64_t i64
        uint8_t u8
        uint16_t u16
        uint32_t u32
        uint64_t u64
        double d
        in_addr ip
        in6_addr ip6
        int boolean
        confd_qname qname
        confd_datetime datetime
        confd_date date
        confd_time time
        confd_duration duration
        int32_t enumvalue
        uint32_t b32
        uint64_t b64
        confd_list list
        confd_snmp_oid *oidp
        confd_ipv4_prefix ipv4prefix
        confd_ipv6_prefix ipv6prefix
        confd_decimal64 d64
        confd_identityref idref
        confd_dotted_quad dquad

    ctypedef struct confd_value_t:
        vtype type
        value_union val

    ctypedef struct confd_tag_value_t:
        xml_tag tag
        confd_value_t v

    union ip_union "__typeof__(((struct confd_ip *)0)->ip)":
        in_addr v4
        in6_addr v6

    struct confd_ip:
        int af
        ip_union ip

    int confd_pp_value(char *buf, int size, const confd_value_t *v)
    int confd_val_eq(const confd_value_t *v1, const confd_value_t *v2)
    void confd_value_dup_to(const confd_value_t *v, confd_value_t *copy)
    void confd_free_value(confd_value_t *v)
    void confd_free_dup_to_value(confd_value_t *v)
    char *confd_hash2str(uint32_t hash)
    uint32_t confd_str2hash(const char *text)
    char *confd_ns2prefix(uint32_t ns)
    struct confd_type:
        pass
    struct confd_cs_node:
        pass
    confd_cs_node *confd_find_cs_root(uint32_t ns)
    ctypedef struct confd_hkeypath_t:
        int len
        confd_value_t v[1][1]  # MAXDEPTH and MAXKEYLEN of each release
    int confd_val2str(confd_type *type, const confd_value_t *v, char *buf, size_t size)
    int confd_str2val(confd_type *type, const char *text, confd_value_t *v)

    # confd_maapi.h

    enum confd_dbname:
        pass
    enum confd_trans_mode:
        pass
    enum confd_proto:
        pass
    enum maapi_iter_op:
        MOP_CREATED
        MOP_DELETED
        MOP_MODIFIED
        MOP_VALUE_SET
        MOP_MOVED_AFTER
        MOP_ATTR_SET
    enum maapi_iter_ret:
        ITER_STOP
        ITER_RECURSE
        ITER_CONTINUE
        ITER_SUSPEND
        ITER_UP
    enum:
        ITER_WANT_ATTR
        ITER_WANT_P_CONTAINER
    ctypedef maapi_iter_ret (*diff_iterator)(
        confd_hkeypath_t *path, maapi_iter_op op, confd_value_t *old, confd_value_t *new,
        void *state) noexcept
    int maapi_connect(int sock, const sockaddr *address, int size)
    int maapi_load_schemas(int sock)
    int maapi_attach2(int sock, int ns, int usid, int thandle)
    int maapi_detach2(int sock, int thandle)
    int maapi_start_user_session(
        int sock, const char *username, const char *context, const char **groups, int count,
        const confd_ip *source, confd_proto protocol)
    int maapi_start_trans(int sock, confd_dbname database, confd_trans_mode mode)
    int maapi_finish_trans(int sock, int thandle)
    int maapi_get_elem(int sock, int thandle, confd_value_t *v, const char *format, ...)
    int maapi_diff_iterate(int sock, int thandle, diff_iterator iterator, int flags, void *state)
    int maapi_diff_iterate_resume(
        int sock, maapi_iter_ret reply, diff_iterator iterator, void *state)

    # confd_dp.h

    struct confd_action_ctx:
        int thandle

    struct confd_user_info:
        int af
        ip_union ip
        uint16_t port
        char username[255]
        int usid
        char context[32]
        int proto
        confd_action_ctx actx
        time_t logintime
        int lmode
        char snmp_v3_ctx[255]
        char clearpass[255]
        int flags

    struct confd_trans_ctx:
        int fd
        confd_user_info *uinfo
        int thandle
        int secondary_index
        int traversal_id
        int cb_flags

    # confd_events.h

    enum:
        CONFD_NOTIF_COMMIT_DIFF
        CONFD_NOTIF_HEARTBEAT
        CONFD_NOTIF_HEALTH_CHECK
        CONFD_NOTIF_STREAM_EVENT
        CONFD_SNMP_NULL
        CONFD_SNMP_VARIABLE
        CONFD_SNMP_OID
        CONFD_SNMP_COL_ROW
        CONFD_PROGRESS_ATTRIBUTE_NUMBER

    union ha_address "__typeof__(((struct confd_ha_node *)0)->addr)":
        in_addr ip4
        in6_addr ip6
        char *str

    struct confd_ha_node:
        confd_value_t nodeid
        int af
        ha_address addr

    struct confd_snmp_col_row:
        char column[256]
        confd_snmp_oid rowindex

    union varbind_name "__typeof__(((struct confd_snmp_varbind *)0)->var)":
        char name[256]
        confd_snmp_oid oid
        confd_snmp_col_row cr

    struct confd_snmp_varbind:
        int type
        varbind_name var
        confd_value_t val
        int vartype

    struct confd_v1_trap_info:
        confd_snmp_oid enterprise
        int generic_trap
        int specific_trap
        int time_stamp

    union attribute_value "__typeof__(((struct confd_progress_attribute *)0)->value)":
        char *string
        unsigned long long number

    struct confd_progress_attribute:
        char *name
        int type
        attribute_value value

    struct confd_progress_link:
        char trace_id[1]
        char span_id[1]

    ctypedef long long notification_mask

    struct confd_notification:
        unsigned char n

    struct confd_notifications_data:
        int heartbeat_interval
        int health_check_interval
        char *stream_name
        confd_value_t start_time
        confd_value_t stop_time
        char *xpath_filter
        int usid

    int confd_notifications_connect(
        int sock, const sockaddr *address, int size, notification_mask mask)
    int confd_notifications_connect2(
        int sock, const sockaddr *address, int size, notification_mask mask,
        confd_notifications_data *data)
    int confd_read_notification(int sock, confd_notification *n)
    void confd_free_notification(confd_notification *n)
    int confd_diff_notification_done(int sock, confd_trans_ctx *tctx)
    int confd_sync_audit_notification(int sock, int usid) noexcept
    int confd_sync_ha_notification(int sock)
    int ncs_sync_audit_network_notification(int sock, int usid) noexcept

    # confd_logsyms.h

    char *confd_log_symbols[]
    char *confd_log_descriptions[]

    # fields.h

    ctypedef enum kind_t "enum kind":
        KIND_SIGNED
        KIND_UNSIGNED
        KIND_CHARS
        KIND_TEXT
        KIND_TEXTS
        KIND_VALUES
        KIND_TAG_VALUES
        KIND_VARBINDS
        KIND_ATTRIBUTES
        KIND_LINKS
        KIND_DATETIME
        KIND_USER_INFO
        KIND_TRANS_CTX
        KIND_HA_NODE
        KIND_ADDRESS
        KIND_V1_TRAP

    enum:
        KIND_COUNT  # apart from the others: as an array's size it must be a plain int

    const size_t NOWHERE
    unsigned long long type_of(const confd_notification *n)
    confd_trans_ctx *untaken(const confd_notification *n)
    const bint HAS_VERBOSITY
    const bint HAS_AUDIT_NETWORK_SYNC
    const bint HAS_VAL2STR
    const char *PRODUCT
    const char *LINK
    const int PRODUCT_PORT

    struct field:
        const char *key
        const char *also
        kind_t kind
        bint optional
        size_t offset
        size_t size
        size_t count_at
        size_t when_at
        int when_value
        PyObject *key_object
        PyObject *also_object

    struct layout:
        long long type
        const char *member
        PyObject *type_object
        PyObject *member_object
        field *fields
        size_t count
        Py_ssize_t usual_size

    struct constant:
        const char *name
        long long value

    layout layouts[]
    const constant constants[]
    const char *const missing[]

    void set_verbosity(confd_notifications_data *data, int verbosity)
    confd_type *type_of_node(const confd_cs_node *root, const char *path)


cdef extern from "texts.h":
    str new_text(const char *s, size_t size)
    str shared_text(const char *s, size_t size)


cdef extern from "frames.h" nogil:
    const char *unfit_stream(int fd)
    bint is_non_blocking(int fd)
    struct lent_socket "lent":
        pass
    void lend(int fd, double seconds, lent_socket *lent)
    void take_back(const lent_socket *lent)
    bint has_room(int fd, double seconds)
    void make_room(int fd)
    struct view:
        int error
    void forget(view *seen)
    bint is_in_view(const view *seen)
    bint saw_all(const view *seen)
    void pass_frame(view *seen)
    bint settle(view *seen)
    int whole_frames(int fd, view *seen, int most)
    const char *bad_frame(const view *seen, uint64_t more)
    size_t bytes_arrived(int fd)
    enum sight:
        NOTHING
        WHOLE
        UNFINISHED
    sight await_frame(int fd, int milliseconds)
    enum:
        WAIT_MS
        STALLED
    int wait_ms(double deadline)
    double monotonic_seconds()


cdef extern from "allocator.h" nogil:
    void keep_allocator()
    void let_allocator_go()


cdef extern from "memory.h" nogil:
    bint FROM_MEMORY
    void lend_error(int fd, int error)
    void end_loan()


cdef extern from "pieces.h" nogil:
    struct pieces:
        unsigned long stream
        size_t size
        size_t held
        const char *bad
        unsigned char *bytes
    unsigned long stream_behind(int fd)
    bint begin_pieces(int fd, uint64_t more, pieces *begun)
    enum taking:
        TAKEN
        TAKES
        ENDED
        NO_MEMORY
    taking take_pieces(int fd, pieces *begun, int milliseconds)
    int lend_pieces(int fd, const pieces *begun)
    void end_pieces(int fd, int lent)
    const char *bad_notification(
        const unsigned char *term, size_t size, size_t seen, uint64_t more)
    double receive_limit(int fd)


cdef extern from "answers.h" nogil:
    enum question:
        OTHERWISE
        TO_SUBSCRIBE
        TO_ATTACH
        TO_DETACH
        TO_GET_ELEMENT
        TO_ITERATE
        TO_LOAD_SCHEMAS
    struct patience:
        const sigset_t *held
        double each
        double until
        int (*interrupted)(void *of) noexcept nogil
        void *of
        bint is_over
    struct answers:
        char bad[1]
    void begin_answers(answers *expected, int fd, question asked, patience *waiting)
    void end_answers(answers *expected)


cdef extern from "signals.h" nogil:
    ctypedef struct sigset_t:
        pass
    bint is_main_thread()
    void hold_sigpipe(sigset_t *before)
    void hold_signals(sigset_t *before)
    void let_signals_go(const sigset_t *before, bint failed)


cdef extern from "nesting.h" nogil:
    enum:
        DEEPEST_LIST
    bint nests_too_deeply(const confd_value_t *v)


cdef extern from "library.h" nogil:
    bint library_is_stub()
    const char *library_path()
    const char *library_product()
    const char *library_lacks()
    bint library_accepts_headers()
    size_t table_length(char **table)
