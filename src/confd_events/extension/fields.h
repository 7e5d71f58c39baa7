/* What the rows of tables.h mean, and stand-ins for what a release may lack.
 *
 * tables.h, which the build writes, includes this after libconfd's headers. */
#ifndef CONFD_EVENTS_FIELDS_H
#define CONFD_EVENTS_FIELDS_H

#include <stddef.h>

#include <Python.h>

/* The library exports these, and no header of the vendor's declares them. */
extern char *confd_lib_vsn;
extern char *confd_lib_api_vsn;
extern char *confd_lib_proto_vsn;

/* How a struct member becomes a Python object. */
enum kind {
    KIND_SIGNED,
    KIND_UNSIGNED,
    KIND_CHARS,      /* char[N]: text, NUL-terminated unless it fills the array */
    KIND_TEXT,       /* char *: text; NULL for none */
    KIND_TEXTS,      /* char **, with a count */
    KIND_VALUES,     /* confd_value_t **, with a count */
    KIND_TAG_VALUES, /* confd_tag_value_t *, with a count */
    KIND_VARBINDS,   /* struct confd_snmp_varbind *, with a count */
    KIND_ATTRIBUTES, /* struct confd_progress_attribute *, with a count */
    KIND_LINKS,      /* struct confd_progress_link *, with a count */
    KIND_DATETIME,
    KIND_USER_INFO,
    KIND_TRANS_CTX,
    KIND_HA_NODE,
    /* These put keys of their own into the dict: */
    KIND_ADDRESS,
    KIND_V1_TRAP,
    KIND_COUNT
};

/* The compiler knows how this release declares a member. */
#define INTEGER_KIND(m) ((__typeof__(m))-1 > 0 ? KIND_UNSIGNED : KIND_SIGNED)
#define TEXT_KIND(m) _Generic(&(m), char **: KIND_TEXT, const char **: KIND_TEXT, default: KIND_CHARS)

#define NOWHERE ((size_t)-1)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* One key of a dict. Offsets are bytes from the start of the notification's own struct. */
struct field {
    const char *key;
    const char *also; /* an older name for the same value */
    enum kind kind;
    int optional; /* leave the key out when there is no value */
    size_t offset;
    size_t size;
    size_t count_at; /* an int: number of elements; or NOWHERE */
    size_t when_at;  /* an int that must equal when_value for the key to be there; or NOWHERE */
    int when_value;
    PyObject *key_object; /* interned at import */
    PyObject *also_object;
};

/* One kind of notification. */
struct layout {
    long long type;
    const char *member;
    PyObject *type_object; /* made at import, as are the keys */
    PyObject *member_object;
    struct field *fields;
    size_t count;
    Py_ssize_t usual_size; /* of the dict: that of the last one of the kind */
};

struct constant {
    const char *name;
    long long value;
};

/* The mask of a subscription: int, an enum, or 64 bits, by release. */
#if HAS_INT_MASK
typedef int notification_mask;
#elif HAS_LONG_MASK || HAS_LONG_LONG_MASK
typedef long long notification_mask;
#else
typedef __typeof__(((struct confd_notification *)0)->type) notification_mask;
#endif

/* A notification's type, whose C type may be narrower and signed: bit 31 must stay a bit. */
static inline unsigned long long type_of(const struct confd_notification *n)
{
    return sizeof n->type == 4 ? (unsigned)n->type : (unsigned long long)n->type;
}

/* The transaction of a commit diff that no Python object owns yet, or NULL. */
static inline struct confd_trans_ctx *untaken(const struct confd_notification *n)
{
    return n->n.commit_diff.tctx;
}

#ifdef CONFD_C_PRODUCT_CONFD
#define PRODUCT "CONFD"
#define PRODUCT_PORT CONFD_PORT
#else
#define PRODUCT "NCS"
#define PRODUCT_PORT NCS_PORT
#endif

#ifdef STATIC_LIBCONFD
#define LINK "static"
#else
#define LINK "shared"
#endif

/* Stand-ins. Nothing reaches them: no row of tables.h leads there, and the module hides the
 * functions that a release lacks. They let the rest be written once, for the newest API. */

#if !HAS_PROGRESS_ATTRIBUTE
enum { CONFD_PROGRESS_ATTRIBUTE_NUMBER = 2 };
struct confd_progress_attribute {
    char *name;
    int type;
    union {
        char *string;
        unsigned long long number;
    } value;
};
#endif

#if !HAS_PROGRESS_LINK
struct confd_progress_link {
    char trace_id[1];
    char span_id[1];
};
#endif

#if !HAS_AUDIT_NETWORK_SYNC
static inline int ncs_sync_audit_network_notification(int sock, int usid)
{
    (void)sock;
    (void)usid;
    return CONFD_ERR;
}
#endif

#if !HAS_LOG_SYMBOLS
static char *confd_log_symbols[] = {NULL};
static char *confd_log_descriptions[] = {NULL};
#endif

static inline void set_verbosity(struct confd_notifications_data *data, int verbosity)
{
#if HAS_VERBOSITY
    data->verbosity = (__typeof__(data->verbosity))verbosity;
#else
    (void)data;
    (void)verbosity;
#endif
}

#if !HAS_FREE_DUP_TO_VALUE
static inline void confd_free_dup_to_value(confd_value_t *v)
{
    confd_free_value(v);
}
#endif

#if !HAS_VAL2STR
static inline struct confd_cs_node *confd_find_cs_root(u_int32_t ns)
{
    (void)ns;
    return NULL;
}

static inline int confd_val2str(struct confd_type *type, const confd_value_t *v, char *buf,
                                size_t size)
{
    (void)type;
    (void)v;
    (void)buf;
    (void)size;
    return CONFD_ERR;
}

static inline int confd_str2val(struct confd_type *type, const char *text, confd_value_t *v)
{
    (void)type;
    (void)text;
    (void)v;
    return CONFD_ERR;
}
#endif

/* The type of the node at a path from root, or from the top when root is NULL; NULL when there is
 * no such node. */
static inline struct confd_type *type_of_node(const struct confd_cs_node *root, const char *path)
{
#if HAS_VAL2STR
    struct confd_cs_node *node = confd_cs_node_cd(root, "%s", path);
    return node ? node->info.type : NULL;
#else
    (void)root;
    (void)path;
    return NULL;
#endif
}

#endif
