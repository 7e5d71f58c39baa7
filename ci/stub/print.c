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
    if (buf->size > 0) {
        put_bytes(out, buf->ptr, strnlen((const char *)buf->ptr, buf->size));
    }
}

/* Text and bytes */

static void print_buf(struct output *out, const confd_value_t *v)
{
    put_buf(out, &v->val.buf);
}

static void print_str(struct output *out, const confd_value_t *v)
{
    put_bytes(out, v->val.c_s, strlen(v->val.c_s));
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

static void print_bitbig(struct output *out, const confd_value_t *v)
{
    put(out, "bits<0x");
    for (unsigned i = v->val.buf.size; i > 0; i--) {
        put(out, "%02x", v->val.buf.ptr[i - 1]);
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

static void print_symbol(struct output *out, const confd_value_t *v)
{
    put(out, "symbol<%u>", v->val.symbol);
}

static void print_decimal(struct output *out, const confd_value_t *v)
{
    int64_t value = v->val.d64.value;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int fraction = v->val.d64.fraction_digits;
    char digits[24] = "";
    int count = snprintf(digits, sizeof digits, "%.0llu", (unsigned long long)magnitude); /* zero has no digits */
    int whole = count > fraction ? count - fraction : 0;

    put(out, "%s%.*s%s", value < 0 ? "-" : "", whole, digits, fraction > 0 ? "." : "");
    for (int i = count - whole; i < fraction; i++) {
        put(out, "0");
    }
    put(out, "%.*s", count - whole, digits + whole);
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

static bool zone_undefined(int hours, int minutes)
{
    return hours == CONFD_TIMEZONE_UNDEF && minutes == CONFD_TIMEZONE_UNDEF;
}

static int magnitude_of(int number)
{
    return number < 0 ? -number : number;
}

static void put_zone(struct output *out, int hours, int minutes)
{
    if (!zone_undefined(hours, minutes)) {
        put(out, "%c%02d:%02d", hours < 0 || minutes < 0 ? '-' : '+', magnitude_of(hours),
            magnitude_of(minutes));
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

    put(out, "%04d-%02d-%02dT", t->year, t->month, t->day);
    put_clock(out, t->hour, t->min, t->sec, t->micro);
    put_zone(out, t->timezone, t->timezone_minutes);
}

static void print_date(struct output *out, const confd_value_t *v)
{
    const struct confd_date *t = &v->val.date;

    put(out, "%04d-%02d-%02d", t->year, t->month, t->day);
    put_short_zone(out, t->timezone, t->timezone_minutes);
}

static void print_time(struct output *out, const confd_value_t *v)
{
    const struct confd_time *t = &v->val.time;

    put_clock(out, t->hour, t->min, t->sec, t->micro);
    put_short_zone(out, t->timezone, t->timezone_minutes);
}

static void put_part(struct output *out, uint32_t number, char unit)
{
    if (number != 0) {
        put(out, "%u%c", number, unit);
    }
}

static void print_duration(struct output *out, const confd_value_t *v)
{
    const struct confd_duration *d = &v->val.duration;

    put(out, "P");
    put_part(out, d->years, 'Y');
    put_part(out, d->months, 'M');
    put_part(out, d->days, 'D');
    if ((d->hours | d->mins | d->secs | d->micros) != 0) {
        put(out, "T");
    }
    put_part(out, d->hours, 'H');
    put_part(out, d->mins, 'M');
    put_part(out, d->secs, 'S');
    if (d->micros != 0) {
        put(out, ".%u", d->micros);
    }
}

/* Names from the schema */

static void print_tag(struct output *out, const confd_value_t *v)
{
    const char *name = confd_hash2str(v->val.xmltag.tag);

    if (name != NULL) {
        put_bytes(out, name, strlen(name));
    } else {
        put(out, "tag<%u>", v->val.xmltag.tag);
    }
}

static void print_identityref(struct output *out, const confd_value_t *v)
{
    const char *prefix = confd_ns2prefix(v->val.idref.ns);
    const char *name = confd_hash2str(v->val.idref.id);

    if (prefix != NULL && name != NULL) {
        put_bytes(out, prefix, strlen(prefix));
        put(out, ":");
        put_bytes(out, name, strlen(name));
    } else {
        put(out, "idref<%u>", v->val.idref.id);
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
    [C_SYMBOL] = print_symbol,
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
    [C_CDBBEGIN] = print_tag,
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
        put(out, "type<%u>", type);
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
