/* confd_pp_value(): values as text. */
#include <arpa/inet.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "stub.h"

/* Counts all that is put and keeps what there is room for. */
struct output {
    char *buffer;
    size_t size;
    size_t length;
};

typedef void printer(struct output *out, const confd_value_t *v);

static void put_bytes(struct output *out, const void *text, size_t length)
{
    if (length > 0 && out->length + 1 < out->size) {
        size_t room = out->size - 1 - out->length;
        memcpy(out->buffer + out->length, text, length < room ? length : room);
    }
    out->length += length;
}

/* For short texts only; what has no bound goes through put_bytes(). */
STUB_PRINTF(2, 3) static void put(struct output *out, const char *format, ...)
{
    char text[400]; /* a double needs 317 */
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_bytes(out, text, length > 0 ? (size_t)length : 0);
}

static void put_buf(struct output *out, const confd_buf_t *buf)
{
    put_bytes(out, buf->ptr, buf->size);
}

/* Text and bytes */

static void print_buf(struct output *out, const confd_value_t *v)
{
    put_buf(out, &v->val.buf);
}

static void print_str(struct output *out, const confd_value_t *v)
{
    put(out, "\"");
    put_bytes(out, v->val.c_s, strlen(v->val.c_s));
    put(out, "\"");
}

static void print_qname(struct output *out, const confd_value_t *v)
{
    if (v->val.qname.prefix.size > 0) {
        put_buf(out, &v->val.qname.prefix);
        put(out, ":");
    }
    put_buf(out, &v->val.qname.name);
}

static void print_binary(struct output *out, const confd_value_t *v)
{
    for (unsigned i = 0; i < v->val.buf.size; i++) {
        put(out, "%02x", v->val.buf.ptr[i]);
    }
}

static void print_hexstr(struct output *out, const confd_value_t *v)
{
    for (unsigned i = 0; i < v->val.buf.size; i++) {
        put(out, i > 0 ? ":%02x" : "%02x", v->val.buf.ptr[i]);
    }
}

/* From the highest byte that is not zero. */
static void print_bitbig(struct output *out, const confd_value_t *v)
{
    const unsigned char *bytes = v->val.buf.ptr;
    unsigned size = v->val.buf.size;

    while (size > 0 && bytes[size - 1] == 0) {
        size--;
    }
    put(out, size > 0 ? "bits<0x" : "bits<0x0");
    while (size > 0) {
        put(out, "%02x", bytes[--size]);
    }
    put(out, ">");
}

/* Numbers */

static void print_signed(struct output *out, const confd_value_t *v)
{
    int64_t number = v->type == C_INT8    ? v->val.i8
                     : v->type == C_INT16 ? v->val.i16
                     : v->type == C_INT32 ? v->val.i32
                                          : v->val.i64;
    put(out, "%lld", (long long)number);
}

static void print_unsigned(struct output *out, const confd_value_t *v)
{
    uint64_t number = v->type == C_UINT8    ? v->val.u8
                      : v->type == C_UINT16 ? v->val.u16
                      : v->type == C_UINT32 ? v->val.u32
                                            : v->val.u64;
    put(out, "%llu", (unsigned long long)number);
}

static void print_double(struct output *out, const confd_value_t *v)
{
    put(out, "%f", v->val.d);
}

static void print_bool(struct output *out, const confd_value_t *v)
{
    put(out, v->val.boolean ? "true" : "false");
}

static void print_enum(struct output *out, const confd_value_t *v)
{
    put(out, "enum<%d>", v->val.enumvalue);
}

static void print_bits(struct output *out, const confd_value_t *v)
{
    uint64_t bits = v->type == C_BIT32 ? v->val.b32 : v->val.b64;

    put(out, "bits<0x%llx>", (unsigned long long)bits);
}

/* Without a zero before the point, and without zeros at the end, but for the
 * one behind the point. */
static void print_decimal(struct output *out, const confd_value_t *v)
{
    int64_t value = v->val.d64.value;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int fraction = v->val.d64.fraction_digits, length, whole;
    char digits[48];

    if (fraction < 1 || fraction > 18) {
        put(out, "invalid64<%lld>", (long long)value);
        return;
    }
    while (fraction > 1 && magnitude % 10 == 0) {
        magnitude /= 10;
        fraction--;
    }
    length = snprintf(digits, sizeof digits, "%0*llu", fraction, (unsigned long long)magnitude);
    whole = length - fraction;
    put(out, "%s%.*s.%s", value < 0 ? "-" : "", whole, digits, digits + whole);
}

/* Addresses */

static void put_address(struct output *out, int family, const void *address)
{
    char text[INET6_ADDRSTRLEN];

    put(out, "%s", inet_ntop(family, address, text, sizeof text));
}

static void print_ipv4(struct output *out, const confd_value_t *v)
{
    put_address(out, AF_INET, &v->val.ip);
}

static void print_ipv6(struct output *out, const confd_value_t *v)
{
    put_address(out, AF_INET6, &v->val.ip6);
}

static void print_prefix4(struct output *out, const confd_value_t *v)
{
    put_address(out, AF_INET, &v->val.ipv4prefix.ip);
    put(out, "/%d", v->val.ipv4prefix.len);
}

static void print_prefix6(struct output *out, const confd_value_t *v)
{
    put_address(out, AF_INET6, &v->val.ipv6prefix.ip6);
    put(out, "/%d", v->val.ipv6prefix.len);
}

static void print_quad(struct output *out, const confd_value_t *v)
{
    const unsigned char *quad = v->val.dquad.quad;

    put(out, "%d.%d.%d.%d", quad[0], quad[1], quad[2], quad[3]);
}

static void print_oid(struct output *out, const confd_value_t *v)
{
    for (int i = 0; i < v->val.oidp->len; i++) {
        put(out, i > 0 ? ".%u" : "%u", v->val.oidp->oid[i]);
    }
}

/* Times */

static int magnitude_of(int number)
{
    return number < 0 ? -number : number;
}

/* The minutes say which side of Greenwich it is only where the hours do not. */
static void put_zone(struct output *out, int hours, int minutes)
{
    bool west = hours != 0 ? hours < 0 : minutes < 0;

    if (hours != CONFD_TIMEZONE_UNDEF) {
        put(out, "%c%02d:%02d", west ? '-' : '+', magnitude_of(hours), magnitude_of(minutes));
    }
}

/* Dates and times alone use the short form, those combined do not. */
static void put_short_zone(struct output *out, int hours, int minutes)
{
    if (hours == 0 && minutes == 0) {
        put(out, "Z");
    } else {
        put_zone(out, hours, minutes);
    }
}

static void put_clock(struct output *out, int hour, int min, int sec, uint32_t micro)
{
    put(out, "%02d:%02d:%02d", hour, min, sec);
    if (micro != 0) {
        put(out, ".%06u", micro);
    }
}

static void print_datetime(struct output *out, const confd_value_t *v)
{
    const struct confd_datetime *t = &v->val.datetime;

    put(out, "%d-%02d-%02dT", t->year, t->month, t->day);
    put_clock(out, t->hour, t->min, t->sec, t->micro);
    put_zone(out, t->timezone, t->timezone_minutes);
}

static void print_date(struct output *out, const confd_value_t *v)
{
    const struct confd_date *t = &v->val.date;

    put(out, "%d-%02d-%02d", t->year, t->month, t->day);
    put_short_zone(out, t->timezone, t->timezone_minutes);
}

static void print_time(struct output *out, const confd_value_t *v)
{
    const struct confd_time *t = &v->val.time;

    put_clock(out, t->hour, t->min, t->sec, t->micro);
    put_short_zone(out, t->timezone, t->timezone_minutes);
}

/* All parts from the first that is not zero. */
static void print_duration(struct output *out, const confd_value_t *v)
{
    const struct confd_duration *d = &v->val.duration;
    const uint32_t parts[] = {d->years, d->months, d->days, d->hours, d->mins, d->secs, d->micros};
    const char *const forms[] = {"%dY", "%dM", "%dD", "%dH", "%dM", "%dS", ".%d"};
    size_t first = 0, hours = 3, count = sizeof parts / sizeof parts[0];

    put(out, "P");
    while (first < count && parts[first] == 0) {
        first++;
    }
    for (size_t i = first; i < count; i++) {
        put_bytes(out, "T", i == (first > hours ? first : hours));
        put(out, forms[i], (int)parts[i]);
    }
}

/* Names from the schema */

/* Hashes that are not known print as signed numbers. */
static void print_tag(struct output *out, const confd_value_t *v)
{
    const char *name = confd_hash2str(v->val.xmltag.tag);

    if (name != NULL) {
        put_bytes(out, name, strlen(name));
    } else {
        put(out, "tag<%d>", (int)v->val.xmltag.tag);
    }
}

static void print_identityref(struct output *out, const confd_value_t *v)
{
    const char *name = confd_hash2str(v->val.idref.id);

    if (name != NULL) {
        put_bytes(out, name, strlen(name));
    } else {
        put(out, "idref<%d>", (int)v->val.idref.id);
    }
}

/* The rest */

static void put_value(struct output *out, const confd_value_t *v);

static void print_list(struct output *out, const confd_value_t *v)
{
    for (unsigned i = 0; i < v->val.list.size; i++) {
        put_bytes(out, " ", i > 0);
        put_value(out, &v->val.list.ptr[i]);
    }
}

static void print_keys(struct output *out, const confd_value_t keys[MAXKEYLEN])
{
    put(out, "{");
    for (int i = 0; i < MAXKEYLEN && keys[i].type != C_NOEXISTS; i++) {
        put_bytes(out, " ", i > 0);
        put_value(out, &keys[i]);
    }
    put(out, "}");
}

/* Keys can only be printed when the schema is there. */
static void print_step(struct output *out, const confd_value_t step[MAXKEYLEN])
{
    if (step[0].type == C_XMLTAG) {
        put(out, "/");
        print_tag(out, &step[0]);
    } else if (step[0].type != C_NOEXISTS && stub_schema_is_loaded()) {
        print_keys(out, step);
    } else if (step[0].type != C_NOEXISTS) {
        put(out, "[NONAMESPACELOADED]");
    }
}

static void print_path(struct output *out, const confd_value_t *v)
{
    for (int i = v->val.hkp->len; i > 0; i--) {
        print_step(out, v->val.hkp->v[i - 1]);
    }
}

static void print_noexists(struct output *out, const confd_value_t *v)
{
    (void)v;
    put(out, "NOEXISTS");
}

static void print_default(struct output *out, const confd_value_t *v)
{
    (void)v;
    put(out, "DEFAULT");
}

static printer *const printers[C_MAXTYPE] = {
    [C_NOEXISTS] = print_noexists,
    [C_XMLTAG] = print_tag,
    [C_STR] = print_str,
    [C_BUF] = print_buf,
    [C_INT8] = print_signed,
    [C_INT16] = print_signed,
    [C_INT32] = print_signed,
    [C_INT64] = print_signed,
    [C_UINT8] = print_unsigned,
    [C_UINT16] = print_unsigned,
    [C_UINT32] = print_unsigned,
    [C_UINT64] = print_unsigned,
    [C_DOUBLE] = print_double,
    [C_IPV4] = print_ipv4,
    [C_IPV6] = print_ipv6,
    [C_BOOL] = print_bool,
    [C_QNAME] = print_qname,
    [C_DATETIME] = print_datetime,
    [C_DATE] = print_date,
    [C_TIME] = print_time,
    [C_DURATION] = print_duration,
    [C_ENUM_VALUE] = print_enum,
    [C_BIT32] = print_bits,
    [C_BIT64] = print_bits,
    [C_LIST] = print_list,
    [C_XMLBEGIN] = print_tag,
    [C_XMLEND] = print_tag,
    [C_OBJECTREF] = print_path,
    [C_OID] = print_oid,
    [C_BINARY] = print_binary,
    [C_IPV4PREFIX] = print_prefix4,
    [C_IPV6PREFIX] = print_prefix6,
    [C_DEFAULT] = print_default,
    [C_DECIMAL64] = print_decimal,
    [C_IDENTITYREF] = print_identityref,
    [C_XMLBEGINDEL] = print_tag,
    [C_DQUAD] = print_quad,
    [C_HEXSTR] = print_hexstr,
    [C_IPV4_AND_PLEN] = print_prefix4,
    [C_IPV6_AND_PLEN] = print_prefix6,
    [C_BITBIG] = print_bitbig,
    [C_XMLMOVEFIRST] = print_tag,
    [C_XMLMOVEAFTER] = print_tag,
};

static void put_value(struct output *out, const confd_value_t *v)
{
    unsigned type = (unsigned)v->type;

    if (type < C_MAXTYPE && printers[type] != NULL) {
        printers[type](out, v);
    } else {
        put(out, "badval");
    }
}

int confd_pp_value(char *buf, int bufsiz, const confd_value_t *v)
{
    struct output out = {.buffer = buf, .size = bufsiz > 0 ? (size_t)bufsiz : 0};

    put_value(&out, v);
    if (out.size > 0) {
        buf[out.length < out.size ? out.length : out.size - 1] = '\0';
    }
    return out.length < INT_MAX ? (int)out.length : INT_MAX;
}
