/* Values as the daemon sends them: plain terms for the common types, pairs of
 * type and content for the others. */
#include <string.h>

#include "stub.h"

typedef void reader(struct stub_term *t, confd_value_t *v);

static const char FIELD[] = "value";

/* Also releasable after a failure: no pointer, no size. */
static void keep_bytes(struct stub_term *t, struct stub_bytes bytes, confd_value_t *v)
{
    unsigned char *copy = stub_term_alloc(t, bytes.size + 1, 1);

    v->val.buf.ptr = copy;
    v->val.buf.size = copy != NULL ? (unsigned)bytes.size : 0;
    if (v->val.buf.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
}

static void read_bytes(struct stub_term *t, confd_value_t *v)
{
    keep_bytes(t, stub_term_binary(t, FIELD), v);
}

/* Numbers that do not fit are cut, as in the real library. */
static void read_integer(struct stub_term *t, confd_value_t *v)
{
    switch (v->type) {
    case C_INT8:
    case C_UINT8:
        v->val.u8 = (uint8_t)stub_word(t, FIELD);
        break;
    case C_INT16:
    case C_UINT16:
        v->val.u16 = (uint16_t)stub_word(t, FIELD);
        break;
    case C_INT64:
        v->val.i64 = stub_term_int(t, FIELD, INT64_MIN, INT64_MAX);
        break;
    case C_UINT64:
    case C_BIT64:
        v->val.u64 = stub_term_number(t, FIELD).bits;
        break;
    default: /* C_INT32, C_UINT32, C_ENUM_VALUE, C_BIT32 */
        v->val.u32 = stub_word(t, FIELD);
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
    unsigned further = stub_term_tuple_from(t, FIELD, 5);

    date->year = (int16_t)stub_word(t, FIELD);
    date->month = (uint8_t)stub_word(t, FIELD);
    date->day = (uint8_t)stub_word(t, FIELD);
    stub_zone(t, FIELD, &date->timezone, &date->timezone_minutes);
    stub_term_skip_further(t, FIELD, further);
}

static void read_time(struct stub_term *t, confd_value_t *v)
{
    struct confd_time *time = &v->val.time;
    unsigned further = stub_term_tuple_from(t, FIELD, 6);

    time->hour = (uint8_t)stub_word(t, FIELD);
    time->min = (uint8_t)stub_word(t, FIELD);
    time->sec = (uint8_t)stub_word(t, FIELD);
    time->micro = stub_word(t, FIELD);
    stub_zone(t, FIELD, &time->timezone, &time->timezone_minutes);
    stub_term_skip_further(t, FIELD, further);
}

static void read_duration(struct stub_term *t, confd_value_t *v)
{
    struct confd_duration *d = &v->val.duration;
    uint32_t *const parts[] = {&d->years, &d->months, &d->days, &d->hours,
                               &d->mins,  &d->secs,   &d->micros};
    unsigned further = stub_term_tuple_from(t, FIELD, 7);

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i] = stub_word(t, FIELD);
    }
    stub_term_skip_further(t, FIELD, further);
}

static void read_oid(struct stub_term *t, confd_value_t *v)
{
    struct stub_bytes bytes = stub_term_binary(t, FIELD);
    struct confd_snmp_oid *oid;

    if (bytes.size / 4 > sizeof oid->oid / 4) {
        stub_term_fail(t, FIELD, "%zu bytes are too many for an object identifier", bytes.size);
    }
    oid = stub_term_alloc(t, 1, sizeof *oid);
    v->val.oidp = oid;
    for (size_t i = 0; oid != NULL && i + 4 <= bytes.size; i += 4) {
        const unsigned char *at = bytes.data + i;
        oid->oid[oid->len++] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                               (uint32_t)at[2] << 8 | at[3];
    }
}

/* struct confd_ipv4_prefix; an address with a prefix length has the same form. */
static void read_prefix4(struct stub_term *t, confd_value_t *v)
{
    unsigned char *address = (unsigned char *)&v->val.ipv4prefix.ip;
    unsigned further = stub_term_tuple_from(t, FIELD, 2);

    memset(address, 0, 4);
    if (stub_term_tuple_of(t, FIELD, 4)) {
        stub_octets(t, FIELD, 4, address);
    }
    v->val.ipv4prefix.len = (uint8_t)stub_word(t, FIELD);
    stub_term_skip_further(t, FIELD, further);
}

static void read_prefix6(struct stub_term *t, confd_value_t *v)
{
    unsigned char *address = (unsigned char *)&v->val.ipv6prefix.ip6;
    unsigned further = stub_term_tuple_from(t, FIELD, 2);

    memset(address, 0, 16);
    if (stub_term_tuple_of(t, FIELD, 8)) {
        stub_octets(t, FIELD, 8, address);
    }
    v->val.ipv6prefix.len = (uint8_t)stub_word(t, FIELD);
    stub_term_skip_further(t, FIELD, further);
}

static void read_decimal(struct stub_term *t, confd_value_t *v)
{
    unsigned further = stub_term_tuple_from(t, FIELD, 2);

    v->val.d64.value = stub_term_int(t, FIELD, INT64_MIN, INT64_MAX);
    v->val.d64.fraction_digits = (uint8_t)stub_word(t, FIELD);
    stub_term_skip_further(t, FIELD, further);
}

static void read_identityref(struct stub_term *t, confd_value_t *v)
{
    unsigned further = stub_term_tuple_from(t, FIELD, 2);

    v->val.idref.ns = stub_word(t, FIELD);
    v->val.idref.id = stub_word(t, FIELD);
    stub_term_skip_further(t, FIELD, further);
}

static void read_quad(struct stub_term *t, confd_value_t *v)
{
    struct stub_bytes bytes = stub_term_binary(t, FIELD);

    if (bytes.size >= 4) {
        memcpy(v->val.dquad.quad, bytes.data, 4);
    } else {
        stub_term_fail(t, FIELD, "%zu bytes instead of 4", bytes.size);
    }
}

/* Instance identifiers: a list from the node up to the root. A step is
 * [Ns|Tag], or Tag alone where the namespace is that of the node above; a tuple
 * has the keys of the list that follows it. */

/* The first that is none says where they end. */
static void read_keys(struct stub_term *t, confd_value_t keys[MAXKEYLEN])
{
    unsigned count = stub_term_tuple(t, FIELD);

    if (count > MAXKEYLEN) {
        stub_term_fail(t, FIELD, "%u keys are too many", count);
    }
    for (unsigned i = 0; i < count && !t->failed; i++) {
        stub_value(t, &keys[i]);
    }
}

static void read_tag(struct stub_term *t, confd_value_t *v)
{
    if (stub_term_peek(t) == TAG_LIST) {
        stub_value(t, v);
    } else {
        v->type = C_XMLTAG;
        v->val.xmltag = (struct xml_tag){.tag = stub_word(t, FIELD)};
    }
    if (v->type != C_XMLTAG) {
        stub_term_fail(t, FIELD, "expected a tag");
    }
}

static void add_namespaces(confd_hkeypath_t *path)
{
    uint32_t ns = 0;

    for (int i = path->len - 1; i >= 0; i--) {
        struct xml_tag *tag = &path->v[i][0].val.xmltag;
        if (path->v[i][0].type == C_XMLTAG) {
            ns = tag->ns != 0 ? tag->ns : ns;
            tag->ns = ns;
        }
    }
}

static void read_steps(struct stub_term *t, confd_hkeypath_t *path, unsigned count)
{
    for (unsigned i = 0; i < count && !t->failed; i++) {
        int next = stub_term_peek(t);
        for (int j = 0; j < MAXKEYLEN; j++) {
            path->v[i][j].type = C_NOEXISTS;
        }
        path->len = (int)i + 1;
        if (next == TAG_SMALL_TUPLE || next == TAG_LARGE_TUPLE) {
            read_keys(t, path->v[i]);
        } else {
            read_tag(t, &path->v[i][0]);
        }
    }
    add_namespaces(path);
}

void stub_path(struct stub_term *t, confd_hkeypath_t *path)
{
    struct stub_list list = stub_term_list(t, FIELD, 1);

    path->len = 0;
    if (list.count >= MAXDEPTH) {
        stub_term_fail(t, FIELD, "Maxdepth (%d) of config tree overrun", MAXDEPTH);
    } else if (++t->depth > 4) { /* identifiers in the keys of others */
        stub_term_fail(t, FIELD, "nested too deeply");
    } else {
        read_steps(t, path, list.count);
    }
    t->depth--;
    stub_term_list_end(t, FIELD, list);
}

static void read_path(struct stub_term *t, confd_value_t *v)
{
    v->val.hkp = stub_term_alloc(t, 1, sizeof *v->val.hkp);
    if (v->val.hkp != NULL) {
        stub_path(t, v->val.hkp);
    }
}

static reader *const pair_readers[C_MAXTYPE] = {
    [C_INT8] = read_integer,
    [C_INT16] = read_integer,
    [C_INT32] = read_integer,
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
    [C_OBJECTREF] = read_path,
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
    uint32_t type = stub_word(t, FIELD);

    if (type < C_MAXTYPE && pair_readers[type] != NULL) {
        v->type = (enum confd_vtype)type;
        pair_readers[type](t, v);
    } else {
        stub_term_fail(t, FIELD, "unknown type %u", type);
    }
}

static void read_tuple(struct stub_term *t, confd_value_t *v)
{
    unsigned arity = stub_term_tuple(t, FIELD);

    if (arity == 2) {
        read_pair(t, v);
    } else if (arity == 4) {
        v->type = C_IPV4;
        stub_octets(t, FIELD, 4, (unsigned char *)&v->val.ip);
    } else if (arity == 8) {
        v->type = C_IPV6;
        stub_octets(t, FIELD, 8, (unsigned char *)&v->val.ip6);
    } else {
        stub_term_fail(t, FIELD, "no value is a tuple of %u elements", arity);
    }
}

/* Any other atom is text. */
static void read_atom(struct stub_term *t, confd_value_t *v)
{
    bool is_true = stub_term_take_atom(t, "true");

    if (is_true || stub_term_take_atom(t, "false")) {
        v->type = C_BOOL;
        v->val.boolean = is_true;
    } else if (stub_term_take_atom(t, "default")) {
        v->type = C_DEFAULT;
    } else if (!stub_term_take_atom(t, "not_found")) {
        v->type = C_BUF;
        keep_bytes(t, stub_term_atom(t, FIELD), v);
    }
}

/* [Ns|Tag]: one element and a tail that is no list. */
static bool is_tag(const struct stub_term *t)
{
    static const unsigned char one[] = {TAG_LIST, 0, 0, 0, 1};
    struct stub_term ahead = *t;
    int element;

    if (t->left < 6 || t->raw > 0 || memcmp(t->at, one, sizeof one) != 0) {
        return false;
    }
    stub_term_list(&ahead, FIELD, 1);
    element = stub_term_peek(&ahead);
    if (element != TAG_SMALL_INTEGER && element != TAG_INTEGER && element != TAG_SMALL_BIG) {
        return false;
    }
    stub_term_skip(&ahead, FIELD);
    return !ahead.failed && stub_term_peek(&ahead) != TAG_NIL;
}

static void read_list_tag(struct stub_term *t, confd_value_t *v)
{
    stub_term_list(t, FIELD, 1);
    v->type = C_XMLTAG;
    v->val.xmltag.ns = stub_word(t, FIELD);
    v->val.xmltag.tag = stub_word(t, FIELD);
}

/* All but the elements of a list. */
static void read_one(struct stub_term *t, confd_value_t *v)
{
    int tag = stub_term_peek(t);

    if (stub_term_at_atom(t)) {
        read_atom(t, v);
    } else if (tag == TAG_BINARY) {
        v->type = C_BUF;
        read_bytes(t, v);
    } else if (tag == TAG_NEW_FLOAT || tag == TAG_FLOAT) {
        v->type = C_DOUBLE;
        v->val.d = stub_term_double(t, FIELD);
    } else if (tag == TAG_SMALL_TUPLE || tag == TAG_LARGE_TUPLE) {
        read_tuple(t, v);
    } else if (is_tag(t)) {
        read_list_tag(t, v);
    } else {
        v->type = C_INT32;
        v->val.i32 = (int32_t)stub_term_int(t, FIELD, INT32_MIN, INT32_MAX);
    }
}

/* Lists, however deeply they are nested: those that are not read to their end
 * wait here, not on the stack. */

struct open_list {
    confd_value_t *list;
    unsigned next; /* element */
    struct stub_list term;
};
struct open_lists {
    struct open_list *all;
    size_t count;
    size_t room;
};

static bool make_room(struct stub_term *t, struct open_lists *open)
{
    size_t room = open->room > 0 ? 2 * open->room : 16;
    struct open_list *larger;

    if (open->count < open->room) {
        return true;
    }
    larger = stub_resize(open->all, room * sizeof *larger);
    if (larger == NULL) {
        stub_term_stop(t);
        return false;
    }
    open->all = larger;
    open->room = room;
    return true;
}

static void open_list(struct stub_term *t, struct open_lists *open, confd_value_t *v)
{
    struct stub_list term = stub_term_list(t, FIELD, 1);

    v->type = C_LIST;
    if (term.count > 0) {
        v->val.list.ptr = stub_term_alloc(t, term.count, sizeof *v->val.list.ptr);
        v->val.list.size = v->val.list.ptr != NULL ? term.count : 0;
    }
    if (make_room(t, open)) {
        open->all[open->count++] = (struct open_list){.list = v, .term = term};
    }
}

/* The element to be read next; NULL after the last one. */
static confd_value_t *next_element(struct stub_term *t, struct open_lists *open)
{
    while (open->count > 0 && !t->failed) {
        struct open_list *last = &open->all[open->count - 1];
        if (last->next < last->list->val.list.size) {
            return &last->list->val.list.ptr[last->next++];
        }
        stub_term_list_end(t, FIELD, last->term);
        open->count--;
    }
    return NULL;
}

static bool at_list(const struct stub_term *t)
{
    int tag = stub_term_peek(t);

    return (tag == TAG_NIL || tag == TAG_STRING || tag == TAG_LIST) && !is_tag(t);
}

/* What is left in v can always be given to confd_free_value(). */
void stub_value(struct stub_term *t, confd_value_t *v)
{
    struct open_lists open = {0};

    do {
        *v = (confd_value_t){.type = C_NOEXISTS};
        if (at_list(t)) {
            open_list(t, &open, v);
        } else {
            read_one(t, v);
        }
        v = next_element(t, &open);
    } while (v != NULL);
    stub_free(open.all);
}
