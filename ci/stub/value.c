/* Copying, comparing and releasing values. */
#include <string.h>

#include "stub.h"

/* Which part of the union owns memory. */
enum ownership {
    OWNS_NOTHING,
    OWNS_BUF,
    OWNS_STRING,
    OWNS_LIST,
    OWNS_PATH,
    OWNS_OID,
    OWNS_QNAME,
};

static enum ownership ownership(enum confd_vtype type)
{
    switch (type) {
    case C_BUF:
    case C_BINARY:
    case C_HEXSTR:
    case C_BITBIG:
        return OWNS_BUF;
    case C_STR:
        return OWNS_STRING;
    case C_LIST:
        return OWNS_LIST;
    case C_OBJECTREF:
        return OWNS_PATH;
    case C_OID:
        return OWNS_OID;
    case C_QNAME:
        return OWNS_QNAME;
    default:
        return OWNS_NOTHING;
    }
}

/* Releasing */

/* However deeply lists are nested: the place of a list within the list around
 * it, whose own address its element keeps meanwhile, says how to go on there. */
static void free_list(struct confd_list list)
{
    confd_value_t *place = NULL, *outer;

    for (;;) {
        while (list.size > 0) {
            confd_value_t *v = &list.ptr[--list.size];
            if (v->type == C_LIST) {
                struct confd_list inner = v->val.list;
                v->val.list = (struct confd_list){list.size, place};
                place = v;
                list = inner;
            } else {
                confd_free_value(v);
            }
        }
        stub_free(list.ptr);
        if (place == NULL) {
            return;
        }
        outer = place->val.list.ptr;
        list = (struct confd_list){place->val.list.size, place - place->val.list.size};
        place = outer;
    }
}

void stub_path_free(confd_hkeypath_t *path)
{
    for (int i = 0; i < path->len; i++) {
        for (int j = 0; j < MAXKEYLEN; j++) {
            confd_free_value(&path->v[i][j]);
        }
    }
    path->len = 0;
}

static void free_path(confd_hkeypath_t *path)
{
    if (path != NULL) {
        stub_path_free(path);
        stub_free(path);
    }
}

/* Not the text of a C_STR. */
void confd_free_value(confd_value_t *v)
{
    switch (ownership(v->type)) {
    case OWNS_BUF:
        stub_free(v->val.buf.ptr);
        break;
    case OWNS_LIST:
        free_list(v->val.list);
        break;
    case OWNS_PATH:
        free_path(v->val.hkp);
        break;
    case OWNS_OID:
        stub_free(v->val.oidp);
        break;
    case OWNS_QNAME:
        stub_free(v->val.qname.prefix.ptr);
        stub_free(v->val.qname.name.ptr);
        break;
    default:
        break;
    }
}

/* The text of a C_STR, too, but not of one in a list. */
void confd_free_dup_to_value(confd_value_t *v)
{
    if (v->type == C_STR) {
        stub_free(v->val.s);
    }
    confd_free_value(v);
}

void confd_free_dup_value(confd_value_t *v)
{
    if (v != NULL) {
        confd_free_dup_to_value(v);
        stub_free(v);
    }
}

/* Copying */

/* Every copy is followed by a NUL, which its size does not count. */
static void *copy_bytes(const void *from, size_t size)
{
    char *copy = stub_alloc(size + 1);

    if (copy != NULL) {
        if (size > 0) {
            memcpy(copy, from, size);
        }
        copy[size] = '\0';
    }
    return copy;
}

static bool copy_buf(const confd_buf_t *from, confd_buf_t *to)
{
    to->ptr = copy_bytes(from->ptr, from->size);
    to->size = to->ptr != NULL ? from->size : 0;
    return to->ptr != NULL;
}

static bool copy_qname(const struct confd_qname *from, struct confd_qname *to)
{
    if (from->prefix.ptr != NULL && !copy_buf(&from->prefix, &to->prefix)) {
        return false;
    }
    if (!copy_buf(&from->name, &to->name)) {
        stub_free(to->prefix.ptr);
        return false;
    }
    return true;
}

static bool copy_value(const confd_value_t *v, confd_value_t *to);

static bool copy_list(const struct confd_list *from, struct confd_list *to)
{
    *to = (struct confd_list){0, NULL};
    if (from->size == 0) {
        return true;
    }
    to->ptr = stub_alloc_zeroed(from->size, sizeof *to->ptr);
    while (to->ptr != NULL && to->size < from->size) {
        if (!copy_value(&from->ptr[to->size], &to->ptr[to->size])) {
            confd_free_value(&(confd_value_t){.type = C_LIST, .val.list = *to});
            return false;
        }
        to->size++;
    }
    return to->ptr != NULL;
}

static bool copy_path(const confd_hkeypath_t *from, confd_hkeypath_t **to)
{
    confd_hkeypath_t *copy = stub_alloc_zeroed(1, sizeof *copy);
    bool good = copy != NULL;

    for (int i = 0; good && i < from->len; i++) {
        copy->len = i + 1;
        for (int j = 0; good && j < MAXKEYLEN; j++) {
            good = copy_value(&from->v[i][j], &copy->v[i][j]);
        }
    }
    if (!good) {
        free_path(copy);
    }
    *to = copy;
    return good;
}

static bool copy_content(const confd_value_t *v, confd_value_t *to)
{
    switch (ownership(v->type)) {
    case OWNS_BUF:
        return copy_buf(&v->val.buf, &to->val.buf);
    case OWNS_STRING:
        to->val.s = copy_bytes(v->val.s, strlen(v->val.s));
        return to->val.s != NULL;
    case OWNS_LIST:
        return copy_list(&v->val.list, &to->val.list);
    case OWNS_PATH:
        return copy_path(v->val.hkp, &to->val.hkp);
    case OWNS_OID:
        to->val.oidp = stub_alloc(sizeof *to->val.oidp);
        if (to->val.oidp != NULL) {
            *to->val.oidp = *v->val.oidp;
        }
        return to->val.oidp != NULL;
    case OWNS_QNAME:
        return copy_qname(&v->val.qname, &to->val.qname);
    default:
        return true;
    }
}

static bool copy_value(const confd_value_t *v, confd_value_t *to)
{
    confd_value_t copy = *v;

    if (!copy_content(v, &copy)) {
        to->type = C_NOEXISTS;
        return false;
    }
    *to = copy;
    return true;
}

void confd_value_dup_to(const confd_value_t *v, confd_value_t *newv)
{
    copy_value(v, newv);
}

confd_value_t *confd_value_dup(const confd_value_t *v)
{
    confd_value_t *copy = stub_alloc(sizeof *copy);

    if (copy != NULL && !copy_value(v, copy)) {
        stub_free(copy);
        copy = NULL;
    }
    return copy;
}

/* Comparing */

static bool same_bytes(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

static bool same_buf(const confd_buf_t *a, const confd_buf_t *b)
{
    return same_bytes(a->ptr, a->size, b->ptr, b->size);
}

/* Zeros at the end are no bits. */
static bool same_bits(const confd_buf_t *a, const confd_buf_t *b)
{
    const confd_buf_t *longer = a->size > b->size ? a : b;
    unsigned least = a->size < b->size ? a->size : b->size;

    for (unsigned i = least; i < longer->size; i++) {
        if (longer->ptr[i] != 0) {
            return false;
        }
    }
    return least == 0 || memcmp(a->ptr, b->ptr, least) == 0;
}

static bool same_list(const struct confd_list *a, const struct confd_list *b)
{
    if (a->size != b->size) {
        return false;
    }
    for (unsigned i = 0; i < a->size; i++) {
        if (!confd_val_eq(&a->ptr[i], &b->ptr[i])) {
            return false;
        }
    }
    return true;
}

static bool same_path(const confd_hkeypath_t *a, const confd_hkeypath_t *b)
{
    bool same = a->len == b->len;

    for (int i = 0; same && i < a->len; i++) {
        for (int j = 0; same && j < MAXKEYLEN; j++) {
            same = confd_val_eq(&a->v[i][j], &b->v[i][j]);
        }
    }
    return same;
}

static bool same_oid(const struct confd_snmp_oid *a, const struct confd_snmp_oid *b)
{
    return a->len == b->len && memcmp(a->oid, b->oid, (size_t)a->len * sizeof a->oid[0]) == 0;
}

/* Member by member, here and below: the padding between them is anything. */
static bool same_datetime(const struct confd_datetime *a, const struct confd_datetime *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->min == b->min && a->sec == b->sec && a->micro == b->micro &&
           a->timezone == b->timezone && a->timezone_minutes == b->timezone_minutes;
}

static bool same_date(const struct confd_date *a, const struct confd_date *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day &&
           a->timezone == b->timezone && a->timezone_minutes == b->timezone_minutes;
}

static bool same_time(const struct confd_time *a, const struct confd_time *b)
{
    return a->hour == b->hour && a->min == b->min && a->sec == b->sec && a->micro == b->micro &&
           a->timezone == b->timezone && a->timezone_minutes == b->timezone_minutes;
}

/* The types that are one plain number or an address without padding. */
static size_t flat_size(enum confd_vtype type)
{
    switch (type) {
    case C_INT8:
    case C_UINT8:
        return 1;
    case C_INT16:
    case C_UINT16:
        return 2;
    case C_SYMBOL:
    case C_INT32:
    case C_UINT32:
    case C_IPV4:
    case C_ENUM_VALUE:
    case C_BIT32:
    case C_DQUAD:
        return 4;
    case C_IPV4PREFIX:
    case C_IPV4_AND_PLEN:
        return 5;
    case C_INT64:
    case C_UINT64:
    case C_BIT64:
    case C_XMLTAG:
    case C_XMLBEGIN:
    case C_XMLEND:
    case C_CDBBEGIN:
    case C_XMLBEGINDEL:
    case C_XMLMOVEFIRST:
    case C_XMLMOVEAFTER:
    case C_IDENTITYREF:
        return 8;
    case C_IPV6:
        return 16;
    case C_IPV6PREFIX:
    case C_IPV6_AND_PLEN:
        return 17;
    case C_DURATION:
        return sizeof(struct confd_duration);
    default:
        return 0;
    }
}

static bool same_content(const confd_value_t *a, const confd_value_t *b)
{
    switch (a->type) {
    case C_BUF:
    case C_BINARY:
    case C_HEXSTR:
        return same_buf(&a->val.buf, &b->val.buf);
    case C_BITBIG:
        return same_bits(&a->val.buf, &b->val.buf);
    case C_STR:
        return strcmp(a->val.c_s, b->val.c_s) == 0;
    case C_LIST:
        return same_list(&a->val.list, &b->val.list);
    case C_OID:
        return same_oid(a->val.oidp, b->val.oidp);
    case C_QNAME:
        return same_buf(&a->val.qname.prefix, &b->val.qname.prefix) &&
               same_buf(&a->val.qname.name, &b->val.qname.name);
    case C_DOUBLE:
        return a->val.d == b->val.d;
    case C_BOOL:
        return a->val.boolean == b->val.boolean;
    case C_DATETIME:
        return same_datetime(&a->val.datetime, &b->val.datetime);
    case C_DATE:
        return same_date(&a->val.date, &b->val.date);
    case C_TIME:
        return same_time(&a->val.time, &b->val.time);
    case C_DECIMAL64:
        return a->val.d64.value == b->val.d64.value &&
               a->val.d64.fraction_digits == b->val.d64.fraction_digits;
    case C_OBJECTREF:
        return same_path(a->val.hkp, b->val.hkp);
    case C_NOEXISTS:
    case C_DEFAULT:
        return true;
    default: /* what has no size is equal to nothing */
        return flat_size(a->type) > 0 && memcmp(&a->val, &b->val, flat_size(a->type)) == 0;
    }
}

int confd_val_eq(const confd_value_t *v1, const confd_value_t *v2)
{
    return v1->type == v2->type && same_content(v1, v2);
}
