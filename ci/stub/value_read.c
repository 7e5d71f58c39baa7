/* Values as the daemon sends them: plain terms for the common types, pairs of
 * type and content for the others. */
#include <string.h>

#include "stub.h"

typedef void reader(struct stub_term *t, confd_value_t *v);

static const char FIELD[] = "value";

/* Also releasable after a failure: no pointer, no size. */
static void read_bytes(struct stub_term *t, confd_value_t *v)
{
    struct stub_bytes bytes = stub_term_binary(t, FIELD);
    unsigned char *copy = stub_term_alloc(t, bytes.size + 1, 1);

    v->val.buf.ptr = copy;
    v->val.buf.size = copy != NULL ? (unsigned)bytes.size : 0;
    if (v->val.buf.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
}

static void read_list(struct stub_term *t, confd_value_t *v)
{
    struct stub_list list = stub_term_list(t, FIELD, 1);
    confd_value_t *elements = NULL;

    if (list.count > 0) {
        elements = stub_term_alloc(t, list.count, sizeof *elements);
    }
    v->val.list.ptr = elements;
    v->val.list.size = elements != NULL ? list.count : 0;
    for (unsigned i = 0; i < v->val.list.size && !t->failed; i++) {
        stub_value(t, FIELD, &elements[i]);
    }
    stub_term_list_end(t, FIELD, list);
}

static void read_integer(struct stub_term *t, confd_value_t *v)
{
    switch (v->type) {
    case C_INT8:
        v->val.i8 = (int8_t)stub_term_int(t, FIELD, INT8_MIN, INT8_MAX);
        break;
    case C_INT16:
        v->val.i16 = (int16_t)stub_term_int(t, FIELD, INT16_MIN, INT16_MAX);
        break;
    case C_INT64:
        v->val.i64 = stub_term_int(t, FIELD, INT64_MIN, INT64_MAX);
        break;
    case C_UINT8:
        v->val.u8 = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
        break;
    case C_UINT16:
        v->val.u16 = (uint16_t)stub_term_uint(t, FIELD, UINT16_MAX);
        break;
    case C_UINT32:
    case C_BIT32:
        v->val.u32 = (uint32_t)stub_term_uint(t, FIELD, UINT32_MAX);
        break;
    case C_UINT64:
    case C_BIT64:
        v->val.u64 = stub_term_uint(t, FIELD, UINT64_MAX);
        break;
    default: /* C_INT32, C_ENUM_VALUE */
        v->val.i32 = (int32_t)stub_term_int(t, FIELD, INT32_MIN, INT32_MAX);
        break;
    }
}

static void read_datetime(struct stub_term *t, confd_value_t *v)
{
    stub_datetime_fields(t, FIELD, &v->val.datetime);
}

static void read_date(struct stub_term *t, confd_value_t *v)
{
    struct confd_date *date = &v->val.date;

    stub_term_tuple_of(t, FIELD, 5);
    date->year = (int16_t)stub_term_int(t, FIELD, INT16_MIN, INT16_MAX);
    date->month = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
    date->day = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
    date->timezone = (int8_t)stub_term_int(t, FIELD, INT8_MIN, INT8_MAX);
    date->timezone_minutes = (int8_t)stub_term_int(t, FIELD, INT8_MIN, INT8_MAX);
}

static void read_time(struct stub_term *t, confd_value_t *v)
{
    struct confd_time *time = &v->val.time;

    stub_term_tuple_of(t, FIELD, 6);
    time->hour = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
    time->min = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
    time->sec = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
    time->micro = (uint32_t)stub_term_uint(t, FIELD, UINT32_MAX);
    time->timezone = (int8_t)stub_term_int(t, FIELD, INT8_MIN, INT8_MAX);
    time->timezone_minutes = (int8_t)stub_term_int(t, FIELD, INT8_MIN, INT8_MAX);
}

static void read_duration(struct stub_term *t, confd_value_t *v)
{
    struct confd_duration *d = &v->val.duration;
    uint32_t *const parts[] = {&d->years, &d->months, &d->days, &d->hours,
                               &d->mins,  &d->secs,   &d->micros};

    stub_term_tuple_of(t, FIELD, 7);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i] = (uint32_t)stub_term_uint(t, FIELD, UINT32_MAX);
    }
}

static void read_oid(struct stub_term *t, confd_value_t *v)
{
    struct stub_bytes bytes = stub_term_binary(t, FIELD);
    struct confd_snmp_oid *oid;

    if (bytes.size % 4 != 0 || bytes.size > sizeof oid->oid) {
        stub_term_fail(t, FIELD, "%zu bytes are no object identifier", bytes.size);
    }
    oid = stub_term_alloc(t, 1, sizeof *oid);
    v->val.oidp = oid;
    for (size_t i = 0; oid != NULL && i < bytes.size; i += 4) {
        const unsigned char *at = bytes.data + i;
        oid->oid[oid->len++] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                               (uint32_t)at[2] << 8 | at[3];
    }
}

/* struct confd_ipv4_prefix; an address with a prefix length has the same form. */
static void read_prefix4(struct stub_term *t, confd_value_t *v)
{
    unsigned char *address = (unsigned char *)&v->val.ipv4prefix.ip;

    memset(address, 0, 4);
    stub_term_tuple_of(t, FIELD, 2);
    if (stub_term_tuple_of(t, FIELD, 4)) {
        stub_octets(t, FIELD, 4, address);
    }
    v->val.ipv4prefix.len = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
}

static void read_prefix6(struct stub_term *t, confd_value_t *v)
{
    unsigned char *address = (unsigned char *)&v->val.ipv6prefix.ip6;

    memset(address, 0, 16);
    stub_term_tuple_of(t, FIELD, 2);
    if (stub_term_tuple_of(t, FIELD, 8)) {
        stub_octets(t, FIELD, 8, address);
    }
    v->val.ipv6prefix.len = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
}

static void read_decimal(struct stub_term *t, confd_value_t *v)
{
    stub_term_tuple_of(t, FIELD, 2);
    v->val.d64.value = stub_term_int(t, FIELD, INT64_MIN, INT64_MAX);
    v->val.d64.fraction_digits = (uint8_t)stub_term_uint(t, FIELD, UINT8_MAX);
}

static void read_identityref(struct stub_term *t, confd_value_t *v)
{
    stub_term_tuple_of(t, FIELD, 2);
    v->val.idref.ns = (uint32_t)stub_term_uint(t, FIELD, UINT32_MAX);
    v->val.idref.id = (uint32_t)stub_term_uint(t, FIELD, UINT32_MAX);
}

static void read_quad(struct stub_term *t, confd_value_t *v)
{
    struct stub_bytes bytes = stub_term_binary(t, FIELD);

    if (bytes.size == 4) {
        memcpy(v->val.dquad.quad, bytes.data, 4);
    } else {
        stub_term_fail(t, FIELD, "%zu bytes instead of 4", bytes.size);
    }
}

static reader *const pair_readers[C_MAXTYPE] = {
    [C_INT8] = read_integer,
    [C_INT16] = read_integer,
    [C_INT64] = read_integer,
    [C_UINT8] = read_integer,
    [C_UINT16] = read_integer,
    [C_UINT32] = read_integer,
    [C_UINT64] = read_integer,
    [C_DATETIME] = read_datetime,
    [C_DATE] = read_date,
    [C_TIME] = read_time,
    [C_DURATION] = read_duration,
    [C_ENUM_VALUE] = read_integer,
    [C_BIT32] = read_integer,
    [C_BIT64] = read_integer,
    [C_OID] = read_oid,
    [C_BINARY] = read_bytes,
    [C_IPV4PREFIX] = read_prefix4,
    [C_IPV6PREFIX] = read_prefix6,
    [C_DECIMAL64] = read_decimal,
    [C_IDENTITYREF] = read_identityref,
    [C_DQUAD] = read_quad,
    [C_HEXSTR] = read_bytes,
    [C_IPV4_AND_PLEN] = read_prefix4,
    [C_IPV6_AND_PLEN] = read_prefix6,
    [C_BITBIG] = read_bytes,
};

static void read_pair(struct stub_term *t, confd_value_t *v)
{
    unsigned type = stub_enum(t, FIELD);

    if (type < C_MAXTYPE && pair_readers[type] != NULL) {
        v->type = (enum confd_vtype)type;
        pair_readers[type](t, v);
    } else {
        stub_term_fail(t, FIELD, "unknown type %u", type);
    }
}

static void read_tuple(struct stub_term *t, const char *field, confd_value_t *v)
{
    unsigned arity = stub_term_tuple(t, field);

    if (arity == 2) {
        read_pair(t, v);
    } else if (arity == 4) {
        v->type = C_IPV4;
        stub_octets(t, field, 4, (unsigned char *)&v->val.ip);
    } else if (arity == 8) {
        v->type = C_IPV6;
        stub_octets(t, field, 8, (unsigned char *)&v->val.ip6);
    } else {
        stub_term_fail(t, field, "no value is a tuple of %u elements", arity);
    }
}

static void read_atom(struct stub_term *t, const char *field, confd_value_t *v)
{
    bool is_true = stub_term_take_atom(t, "true");

    if (is_true || stub_term_take_atom(t, "false")) {
        v->type = C_BOOL;
        v->val.boolean = is_true;
    } else if (stub_term_take_atom(t, "default")) {
        v->type = C_DEFAULT;
    } else if (!stub_term_take_atom(t, "not_found")) {
        struct stub_bytes name = stub_term_atom(t, field);
        stub_term_fail(t, field, "no value is the atom %.*s",
                       name.size < 64 ? (int)name.size : 64, (const char *)name.data);
    }
}

static void read_typed(struct stub_term *t, confd_value_t *v, enum confd_vtype type, reader *read)
{
    v->type = type;
    read(t, v);
}

static void read_double(struct stub_term *t, confd_value_t *v)
{
    v->val.d = stub_term_double(t, FIELD);
}

static void read_any(struct stub_term *t, const char *field, confd_value_t *v)
{
    if (stub_term_at_atom(t)) {
        read_atom(t, field, v);
        return;
    }
    switch (stub_term_peek(t)) {
    case TAG_BINARY:
        read_typed(t, v, C_BUF, read_bytes);
        break;
    case TAG_NEW_FLOAT:
    case TAG_FLOAT:
        read_typed(t, v, C_DOUBLE, read_double);
        break;
    case TAG_NIL:
    case TAG_STRING:
    case TAG_LIST:
        read_typed(t, v, C_LIST, read_list);
        break;
    case TAG_SMALL_TUPLE:
    case TAG_LARGE_TUPLE:
        read_tuple(t, field, v);
        break;
    default:
        read_typed(t, v, C_INT32, read_integer);
        break;
    }
}

/* What is left in v can always be given to confd_free_value(). */
void stub_value(struct stub_term *t, const char *field, confd_value_t *v)
{
    v->type = C_NOEXISTS;
    if (stub_term_enter(t, field)) {
        read_any(t, field, v);
    }
    stub_term_leave(t);
}
