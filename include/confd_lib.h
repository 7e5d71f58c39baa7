/* libconfd's foundation: versions, errors, values, schema names.
 *
 * Declared in the project's own words from the library's binary interface;
 * tests/test_headers.py compares every size, offset and value with it. */
#ifndef CONFD_LIB_H
#define CONFD_LIB_H

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "confd_level.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Versions */

#if CONFD_API_LEVEL == 66
#define CONFD_LIB_VSN 0x06060000
#define CONFD_LIB_API_VSN 0x06060000
#define CONFD_LIB_PROTO_VSN 66
#elif CONFD_API_LEVEL == 77
#define CONFD_LIB_VSN 0x07070100
#define CONFD_LIB_API_VSN 0x07070000
#define CONFD_LIB_PROTO_VSN 77
#elif CONFD_API_LEVEL == 80
#define CONFD_LIB_VSN 0x08000400
#define CONFD_LIB_API_VSN 0x08000000
#define CONFD_LIB_PROTO_VSN 80
#elif CONFD_API_LEVEL == 82
#define CONFD_LIB_VSN 0x08020500
#define CONFD_LIB_API_VSN 0x08020300
#define CONFD_LIB_PROTO_VSN 82
#elif CONFD_API_LEVEL == 85
#define CONFD_LIB_VSN 0x08050600
#define CONFD_LIB_API_VSN 0x08050100
#define CONFD_LIB_PROTO_VSN 85
#elif CONFD_API_LEVEL == 87
#define CONFD_LIB_VSN 0x08070200
#define CONFD_LIB_API_VSN 0x08070200
#define CONFD_LIB_PROTO_VSN 87
#else
#error "CONFD_API_LEVEL must be 66, 77, 80, 82, 85 or 87"
#endif

/* Limits that the library is compiled with: part of the interface. They differ
 * by product. */
#ifdef CONFD_C_PRODUCT_NCS
#define MAXDEPTH 60
#define MAXKEYLEN 18
#else
#define MAXDEPTH 20
#define MAXKEYLEN 9
#endif

/* confd_lib_vsn, confd_lib_api_vsn and confd_lib_proto_vsn are exported by the
 * library and, as with the vendor, declared nowhere. */

#define CONFD_PORT 4565
#define NCS_PORT 4569

/* Return values and errors */

#define CONFD_OK 0
#define CONFD_ERR (-1)
#define CONFD_EOF (-2)

enum {
    CONFD_ERR_NOEXISTS = 1,
    CONFD_ERR_ALREADY_EXISTS = 2,
    CONFD_ERR_ACCESS_DENIED = 3,
    CONFD_ERR_NOT_WRITABLE = 4,
    CONFD_ERR_BADTYPE = 5,
    CONFD_ERR_NOTCREATABLE = 6,
    CONFD_ERR_NOTDELETABLE = 7,
    CONFD_ERR_BADPATH = 8,
    CONFD_ERR_NOSTACK = 9,
    CONFD_ERR_LOCKED = 10,
    CONFD_ERR_INUSE = 11,
    CONFD_ERR_NOTSET = 12,
    CONFD_ERR_NON_UNIQUE = 13,
    CONFD_ERR_BAD_KEYREF = 14,
    CONFD_ERR_TOO_FEW_ELEMS = 15,
    CONFD_ERR_TOO_MANY_ELEMS = 16,
    CONFD_ERR_BADSTATE = 17,
    CONFD_ERR_INTERNAL = 18,
    CONFD_ERR_EXTERNAL = 19,
    CONFD_ERR_MALLOC = 20,
    CONFD_ERR_PROTOUSAGE = 21,
    CONFD_ERR_NOSESSION = 22,
    CONFD_ERR_TOOMANYTRANS = 23,
    CONFD_ERR_OS = 24,
    CONFD_ERR_HA_CONNECT = 25,
    CONFD_ERR_HA_CLOSED = 26,
    CONFD_ERR_HA_BADFXS = 27,
    CONFD_ERR_HA_BADTOKEN = 28,
    CONFD_ERR_HA_BADNAME = 29,
    CONFD_ERR_HA_BIND = 30,
    CONFD_ERR_HA_NOTICK = 31,
    CONFD_ERR_VALIDATION_WARNING = 32,
    CONFD_ERR_SUBAGENT_DOWN = 33,
    CONFD_ERR_LIB_NOT_INITIALIZED = 34,
    CONFD_ERR_TOO_MANY_SESSIONS = 35,
    CONFD_ERR_BAD_CONFIG = 36,
    CONFD_ERR_RESOURCE_DENIED = 37,
    CONFD_ERR_INCONSISTENT_VALUE = 38,
    CONFD_ERR_APPLICATION_INTERNAL = 39,
    CONFD_ERR_UNSET_CHOICE = 40,
    CONFD_ERR_MUST_FAILED = 41,
    CONFD_ERR_MISSING_INSTANCE = 42,
    CONFD_ERR_INVALID_INSTANCE = 43,
    CONFD_ERR_UNAVAILABLE = 44,
    CONFD_ERR_EOF = 45,
    CONFD_ERR_NOTMOVABLE = 46,
    CONFD_ERR_HA_WITH_UPGRADE = 47,
    CONFD_ERR_TIMEOUT = 48,
    CONFD_ERR_ABORTED = 49,
    CONFD_ERR_XPATH = 50,
    CONFD_ERR_NOT_IMPLEMENTED = 51,
    CONFD_ERR_HA_BADVSN = 52,
    CONFD_ERR_POLICY_FAILED = 53,
    CONFD_ERR_POLICY_COMPILATION_FAILED = 54,
    CONFD_ERR_POLICY_EVALUATION_FAILED = 55,
    NCS_ERR_CONNECTION_REFUSED = 56,
    CONFD_ERR_START_FAILED = 57,
    CONFD_ERR_DATA_MISSING = 58,
    CONFD_ERR_CLI_CMD = 59,
    CONFD_ERR_UPGRADE_IN_PROGRESS = 60,
    CONFD_ERR_NOTRANS = 61,
    NCS_ERR_SERVICE_CONFLICT = 62,
    NCS_ERR_CONNECTION_TIMEOUT = 63,
    NCS_ERR_CONNECTION_CLOSED = 64,
    NCS_ERR_DEVICE = 65,
    NCS_ERR_TEMPLATE = 66,
    CONFD_ERR_NO_MOUNT_ID = 67,
    CONFD_ERR_STALE_INSTANCE = 68,
#if CONFD_API_LEVEL >= 80
    CONFD_ERR_HA_BADCONFIG = 69,
    CONFD_ERR_TRANSACTION_CONFLICT = 70,
    CONFD_ERR_HA_ABORT = 71,
#endif
#if CONFD_API_LEVEL >= 87
    CONFD_ERR_BAD_PAYLOAD = 72, /* since 8.6 */
    CONFD_ERR_CHECKSUM_MISMATCH = 73,
#endif
};

enum confd_debug_level {
    CONFD_SILENT = 0,
    CONFD_DEBUG = 1,
    CONFD_TRACE = 2,
    CONFD_PROTO_TRACE = 3,
};

/* Must come before every other call. Ends the process with status 1 when the
 * library was built for another interface. */
#define confd_init(name, estream, debug) \
    confd_init_vsn_sz(name, estream, debug, CONFD_LIB_API_VSN, MAXDEPTH, MAXKEYLEN)
extern void confd_init_vsn_sz(const char *name, FILE *estream,
                              const enum confd_debug_level debug,
                              int vsn, int maxdepth, int maxkeylen);

/* The calling thread's last error. */
extern int *confd_errno_location(void);
#define confd_errno (*confd_errno_location())
extern char *confd_lasterr(void);
extern char *confd_strerror(int code);

/* Names and descriptions of the log messages, indexed by logno. Both end with
 * NULL and may hold NULL for a number that is not used. */
extern char *confd_log_symbols[];
extern char *confd_log_descriptions[];

/* Values */

enum confd_vtype {
    C_NOEXISTS = 1,
    C_XMLTAG = 2,
    C_SYMBOL = 3,
    C_STR = 4,
    C_BUF = 5,
    C_INT8 = 6,
    C_INT16 = 7,
    C_INT32 = 8,
    C_INT64 = 9,
    C_UINT8 = 10,
    C_UINT16 = 11,
    C_UINT32 = 12,
    C_UINT64 = 13,
    C_DOUBLE = 14,
    C_IPV4 = 15,
    C_IPV6 = 16,
    C_BOOL = 17,
    C_QNAME = 18,
    C_DATETIME = 19,
    C_DATE = 20,
    C_TIME = 23,
    C_DURATION = 27,
    C_ENUM_VALUE = 28,
    C_BIT32 = 29,
    C_BIT64 = 30,
    C_LIST = 31,
    C_XMLBEGIN = 32,
    C_XMLEND = 33,
    C_OBJECTREF = 34,
    C_UNION = 35,
    C_PTR = 36,
    C_CDBBEGIN = 37,
    C_OID = 38,
    C_BINARY = 39,
    C_IPV4PREFIX = 40,
    C_IPV6PREFIX = 41,
    C_DEFAULT = 42,
    C_DECIMAL64 = 43,
    C_IDENTITYREF = 44,
    C_XMLBEGINDEL = 45,
    C_DQUAD = 46,
    C_HEXSTR = 47,
    C_IPV4_AND_PLEN = 48,
    C_IPV6_AND_PLEN = 49,
    C_BITBIG = 50,
    C_XMLMOVEFIRST = 51,
    C_XMLMOVEAFTER = 52,
#if CONFD_API_LEVEL >= 85
    C_EMPTY = 53,
#endif
    C_MAXTYPE
};
#define C_ENUM_HASH C_ENUM_VALUE

typedef struct confd_buf {
    unsigned int size;
    unsigned char *ptr;
} confd_buf_t;

typedef struct confd_buf_const {
    unsigned int size;
    const unsigned char *ptr;
} confd_buf_const_t;

struct xml_tag {
    u_int32_t tag;
    u_int32_t ns;
};

struct confd_qname {
    confd_buf_t prefix;
    confd_buf_t name;
};

/* In timezone and timezone_minutes: the value carries no zone. */
#define CONFD_TIMEZONE_UNDEF (-111)

struct confd_datetime {
    int16_t year;
    u_int8_t month;
    u_int8_t day;
    u_int8_t hour;
    u_int8_t min;
    u_int8_t sec;
    u_int32_t micro;
    int8_t timezone;
    int8_t timezone_minutes;
};

struct confd_date {
    int16_t year;
    u_int8_t month;
    u_int8_t day;
    int8_t timezone;
    int8_t timezone_minutes;
};

struct confd_time {
    u_int8_t hour;
    u_int8_t min;
    u_int8_t sec;
    u_int32_t micro;
    int8_t timezone;
    int8_t timezone_minutes;
};

struct confd_duration {
    u_int32_t years;
    u_int32_t months;
    u_int32_t days;
    u_int32_t hours;
    u_int32_t mins;
    u_int32_t secs;
    u_int32_t micros;
};

struct confd_value;
struct confd_hkeypath;

struct confd_list {
    unsigned int size;
    struct confd_value *ptr;
};

struct confd_vptr {
    enum confd_vtype type;
    void *valp;
};

struct confd_snmp_oid {
    u_int32_t oid[128];
    int len;
};

struct confd_ipv4_prefix {
    struct in_addr ip;
    u_int8_t len;
};

struct confd_ipv6_prefix {
    struct in6_addr ip6;
    u_int8_t len;
};

struct confd_decimal64 {
    int64_t value;
    u_int8_t fraction_digits;
};

struct confd_identityref {
    u_int32_t ns;
    u_int32_t id;
};

struct confd_dotted_quad {
    unsigned char quad[4];
};

typedef struct confd_value {
    enum confd_vtype type;
    union {
        struct xml_tag xmltag;
        u_int32_t symbol;
        confd_buf_t buf;
        confd_buf_const_t c_buf;
        char *s;
        const char *c_s;
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        u_int8_t u8;
        u_int16_t u16;
        u_int32_t u32;
        u_int64_t u64;
        double d;
        struct in_addr ip;
        struct in6_addr ip6;
        int boolean;
        struct confd_qname qname;
        struct confd_datetime datetime;
        struct confd_date date;
        struct confd_time time;
        struct confd_duration duration;
        int32_t enumvalue;
        u_int32_t enumhash;
        u_int32_t b32;
        u_int64_t b64;
        struct confd_list list;
        struct confd_hkeypath *hkp;
        struct confd_vptr ptr;
        struct confd_snmp_oid *oidp;
        struct confd_ipv4_prefix ipv4prefix;
        struct confd_ipv6_prefix ipv6prefix;
        struct confd_decimal64 d64;
        struct confd_identityref idref;
        struct confd_dotted_quad dquad;
    } val;
} confd_value_t;

typedef struct confd_tag_value {
    struct xml_tag tag;
    confd_value_t v;
} confd_tag_value_t;

typedef struct confd_hkeypath {
    int len;
    confd_value_t v[MAXDEPTH][MAXKEYLEN];
} confd_hkeypath_t;

struct confd_ip {
    int af;
    union {
        struct in_addr v4;
        struct in6_addr v6;
    } ip;
};

/* Text of a value. Returns the length it needs, as snprintf() does. */
extern int confd_pp_value(char *buf, int bufsiz, const confd_value_t *v);

/* Nonzero when both have the same type and content. */
extern int confd_val_eq(const confd_value_t *v1, const confd_value_t *v2);

/* Deep copies. A copy in an existing value is released by confd_free_dup_to_value(),
 * one on the heap by confd_free_dup_value(). confd_free_value() is for the library's
 * own values: it leaves the text of a C_STR. */
extern confd_value_t *confd_value_dup(const confd_value_t *v);
extern void confd_value_dup_to(const confd_value_t *v, confd_value_t *newv);
extern void confd_free_value(confd_value_t *v);
extern void confd_free_dup_value(confd_value_t *v);
extern void confd_free_dup_to_value(confd_value_t *v);

/* Schema names; known once confd_load_schemas() has fetched them. */

struct confd_type;

struct confd_cs_node_info {
    struct confd_type *type;
};

struct confd_cs_node {
    u_int32_t tag;
    u_int32_t ns;
    struct confd_cs_node_info info;
    struct confd_cs_node *parent;
    struct confd_cs_node *children;
    struct confd_cs_node *next;
};

extern int confd_load_schemas(const struct sockaddr *srv, int srv_sz);
extern char *confd_hash2str(u_int32_t hash);
extern u_int32_t confd_str2hash(const char *str);
extern char *confd_ns2prefix(u_int32_t ns);
extern struct confd_cs_node *confd_find_cs_root(u_int32_t ns);
extern struct confd_cs_node *confd_cs_node_cd(const struct confd_cs_node *start,
                                              const char *fmt, ...);
extern int confd_val2str(struct confd_type *type, const confd_value_t *val,
                         char *buf, size_t bufsiz);
extern int confd_str2val(struct confd_type *type, const char *str, confd_value_t *val);

#ifdef __cplusplus
}
#endif
#endif
