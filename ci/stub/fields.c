/* Fields that several notifications share. Fixed arrays cut silently, as in
 * the real library; text inside them ends at a NUL. */
#include <limits.h>
#include <string.h>

#include "stub.h"

/* Numbers up to 2^32-1 wrap, and those that a narrower field can not hold are
 * cut, as in the real library. */
uint32_t stub_word(struct stub_term *t, const char *field)
{
    return (uint32_t)stub_term_int(t, field, INT32_MIN, UINT32_MAX);
}

int stub_int(struct stub_term *t, const char *field)
{
    return (int)stub_word(t, field);
}

uint16_t stub_port(struct stub_term *t)
{
    return (uint16_t)stub_word(t, "port");
}

uint64_t stub_u64(struct stub_term *t, const char *field)
{
    struct stub_number number = stub_term_number(t, field);

    return number.is_int32 ? (uint32_t)number.bits : number.bits;
}

/* Some fields of the real library have a hole: these numbers do not arrive. */
bool stub_is_lost(struct stub_number number)
{
    return number.is_uint32 && !number.is_int32;
}

uint64_t stub_u64_or_lost(struct stub_term *t, const char *field)
{
    struct stub_number number = stub_term_number(t, field);

    return stub_is_lost(number) ? 0 : number.bits;
}

/* Text: a binary, or an atom's name. Where it is optional, an atom is none. */

static struct stub_bytes take_text(struct stub_term *t, const char *field)
{
    return stub_term_at_atom(t) ? stub_term_atom(t, field) : stub_term_binary(t, field);
}

char *stub_text(struct stub_term *t, const char *field)
{
    struct stub_bytes bytes = take_text(t, field);
    char *text = stub_term_alloc(t, bytes.size + 1, 1);

    if (text != NULL && bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    return text;
}

char *stub_optional_text(struct stub_term *t, const char *field)
{
    if (stub_term_at_atom(t)) {
        stub_term_atom(t, field);
        return NULL;
    }
    return stub_text(t, field);
}

void stub_text_array(struct stub_term *t, const char *field, char *to, size_t size)
{
    struct stub_bytes bytes = take_text(t, field);
    size_t length = bytes.size < size ? bytes.size : size - 1;

    if (length > 0) {
        memcpy(to, bytes.data, length);
    }
    to[length] = '\0';
}

/* What is absent stays as it was: at the newer levels, zero. */
void stub_optional_array(struct stub_term *t, const char *field, char *to, size_t size)
{
    if (stub_term_at_atom(t)) {
        stub_term_atom(t, field);
    } else {
        stub_text_array(t, field, to, size);
    }
}

/* Addresses */

/* The elements of a tuple that has been entered: 4 bytes or 8 words. */
void stub_octets(struct stub_term *t, const char *field, unsigned arity, unsigned char *to)
{
    for (unsigned i = 0; i < arity; i++) {
        if (arity == 4) {
            *to++ = (unsigned char)stub_word(t, field);
        } else {
            uint32_t word = stub_word(t, field);
            *to++ = (unsigned char)(word >> 8);
            *to++ = (unsigned char)word;
        }
    }
}

/* Fills 4 or 16 bytes at "to"; returns the address family. */
int stub_ip(struct stub_term *t, const char *field, void *to)
{
    unsigned arity = stub_term_tuple(t, field);

    if (arity != 4 && arity != 8) {
        stub_term_fail(t, field, "%u elements instead of 4 or 8", arity);
        return AF_UNSPEC;
    }
    stub_octets(t, field, arity, to);
    return arity == 4 ? AF_INET : AF_INET6;
}

void stub_oid(struct stub_term *t, const char *field, struct confd_snmp_oid *oid)
{
    const unsigned most = sizeof oid->oid / sizeof oid->oid[0];
    struct stub_list list = stub_term_list(t, field, 2);

    oid->len = 0;
    if (list.count > most) {
        stub_term_fail(t, field, "%u elements, at most %u fit", list.count, most);
        return;
    }
    for (unsigned i = 0; i < list.count; i++) {
        oid->oid[i] = stub_word(t, field);
    }
    stub_term_list_end(t, field, list);
    oid->len = t->failed ? 0 : (int)list.count;
}

/* Times */

/* No zone is the empty list in place of the hours. */
void stub_zone(struct stub_term *t, const char *field, int8_t *hours, int8_t *minutes)
{
    bool none = stub_term_peek(t) == TAG_NIL;

    if (none) {
        stub_term_skip(t, field);
    }
    *hours = none ? CONFD_TIMEZONE_UNDEF : (int8_t)stub_word(t, field);
    *minutes = (int8_t)stub_word(t, field);
}

void stub_datetime_fields(struct stub_term *t, const char *field, struct confd_datetime *time)
{
    unsigned further = stub_term_tuple_from(t, field, 9);

    time->year = (int16_t)stub_word(t, field);
    time->month = (uint8_t)stub_word(t, field);
    time->day = (uint8_t)stub_word(t, field);
    time->hour = (uint8_t)stub_word(t, field);
    time->min = (uint8_t)stub_word(t, field);
    time->sec = (uint8_t)stub_word(t, field);
    time->micro = stub_word(t, field);
    stub_zone(t, field, &time->timezone, &time->timezone_minutes);
    stub_term_skip_further(t, field, further);
}

void stub_datetime(struct stub_term *t, const char *field, struct confd_datetime *time)
{
    uint32_t type;

    stub_term_tuple_of(t, field, 2);
    type = stub_word(t, field);
    if (type != C_DATETIME) {
        stub_term_fail(t, field, "type %u is not a date and time", type);
    }
    stub_datetime_fields(t, field, time);
}

/* User sessions */

void stub_uinfo(struct stub_term *t, struct confd_user_info *uinfo)
{
    unsigned further = stub_term_tuple_from(t, "uinfo", 10);

    memset(uinfo, 0, sizeof *uinfo);
    uinfo->usid = stub_int(t, "usid");
    stub_text_array(t, "username", uinfo->username, sizeof uinfo->username);
    stub_text_array(t, "clearpass", uinfo->clearpass, sizeof uinfo->clearpass);
    stub_text_array(t, "context", uinfo->context, sizeof uinfo->context);
    uinfo->proto = (enum confd_proto)stub_word(t, "proto");
    uinfo->af = stub_ip(t, "ip", &uinfo->ip);
    uinfo->port = stub_port(t);
    uinfo->logintime = (time_t)stub_u64_or_lost(t, "logintime");
    stub_text_array(t, "snmp_v3_ctx", uinfo->snmp_v3_ctx, sizeof uinfo->snmp_v3_ctx);
    uinfo->flags = stub_int(t, "flags");
    stub_term_skip_further(t, "uinfo", further);
}
