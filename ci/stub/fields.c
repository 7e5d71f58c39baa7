/* Fields that several notifications share. Fixed arrays cut silently, as in
 * the real library; text inside them ends at a NUL. */
#include <limits.h>
#include <string.h>

#include "stub.h"

int stub_int(struct stub_term *t, const char *field)
{
    return (int)stub_term_int(t, field, INT_MIN, INT_MAX);
}

/* Numbers that the headers do not name pass through. */
unsigned stub_enum(struct stub_term *t, const char *field)
{
    return (unsigned)stub_term_int(t, field, 0, INT_MAX);
}

uint16_t stub_port(struct stub_term *t)
{
    return (uint16_t)stub_term_uint(t, "port", UINT16_MAX);
}

/* Text */

char *stub_text_required(struct stub_term *t, const char *field)
{
    struct stub_bytes bytes = stub_term_binary(t, field);
    char *text = stub_term_alloc(t, bytes.size + 1, 1);

    if (text != NULL && bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    return text;
}

char *stub_text(struct stub_term *t, const char *field)
{
    return stub_term_take_atom(t, "undefined") ? NULL : stub_text_required(t, field);
}

static void copy_text(struct stub_bytes bytes, char *to, size_t size)
{
    size_t length = bytes.size < size ? bytes.size : size - 1;

    if (length > 0) {
        memcpy(to, bytes.data, length);
    }
    to[length] = '\0';
}

void stub_text_array(struct stub_term *t, const char *field, char *to, size_t size)
{
    struct stub_bytes none = {NULL, 0};
    bool absent = stub_term_take_atom(t, "undefined");

    copy_text(absent ? none : stub_term_binary(t, field), to, size);
}

void stub_atom_array(struct stub_term *t, const char *field, char *to, size_t size)
{
    copy_text(stub_term_atom(t, field), to, size);
}

/* Addresses */

/* The elements of a tuple that has been entered: 4 bytes or 8 words. */
void stub_octets(struct stub_term *t, const char *field, unsigned arity, unsigned char *to)
{
    for (unsigned i = 0; i < arity; i++) {
        if (arity == 4) {
            *to++ = (unsigned char)stub_term_uint(t, field, UINT8_MAX);
        } else {
            uint64_t word = stub_term_uint(t, field, UINT16_MAX);
            *to++ = (unsigned char)(word >> 8);
            *to++ = (unsigned char)word;
        }
    }
}

/* Fills 16 bytes at "to" at most; returns the address family. */
int stub_ip(struct stub_term *t, const char *field, void *to)
{
    unsigned arity;

    memset(to, 0, 16);
    if (stub_term_take_atom(t, "undefined")) {
        return AF_UNSPEC;
    }
    arity = stub_term_tuple(t, field);
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
        oid->oid[i] = (uint32_t)stub_term_uint(t, field, UINT32_MAX);
    }
    stub_term_list_end(t, field, list);
    oid->len = t->failed ? 0 : (int)list.count;
}

/* Times */

void stub_datetime_fields(struct stub_term *t, const char *field, struct confd_datetime *time)
{
    stub_term_tuple_of(t, field, 9);
    time->year = (int16_t)stub_term_int(t, field, INT16_MIN, INT16_MAX);
    time->month = (uint8_t)stub_term_uint(t, field, UINT8_MAX);
    time->day = (uint8_t)stub_term_uint(t, field, UINT8_MAX);
    time->hour = (uint8_t)stub_term_uint(t, field, UINT8_MAX);
    time->min = (uint8_t)stub_term_uint(t, field, UINT8_MAX);
    time->sec = (uint8_t)stub_term_uint(t, field, UINT8_MAX);
    time->micro = (uint32_t)stub_term_uint(t, field, UINT32_MAX);
    time->timezone = (int8_t)stub_term_int(t, field, INT8_MIN, INT8_MAX);
    time->timezone_minutes = (int8_t)stub_term_int(t, field, INT8_MIN, INT8_MAX);
}

void stub_datetime(struct stub_term *t, const char *field, struct confd_datetime *time)
{
    int type;

    stub_term_tuple_of(t, field, 2);
    type = stub_int(t, field);
    if (type != C_DATETIME) {
        stub_term_fail(t, field, "type %d is not a date and time", type);
    }
    stub_datetime_fields(t, field, time);
}

/* User sessions */

void stub_uinfo(struct stub_term *t, struct confd_user_info *uinfo)
{
    stub_term_tuple_of(t, "uinfo", 10);
    uinfo->usid = stub_int(t, "usid");
    stub_text_array(t, "username", uinfo->username, sizeof uinfo->username);
    stub_text_array(t, "clearpass", uinfo->clearpass, sizeof uinfo->clearpass);
    stub_text_array(t, "context", uinfo->context, sizeof uinfo->context);
    uinfo->proto = (enum confd_proto)stub_enum(t, "proto");
    uinfo->af = stub_ip(t, "ip", &uinfo->ip);
    uinfo->port = stub_port(t);
    uinfo->logintime = (time_t)stub_term_int(t, "logintime", INT64_MIN, INT64_MAX);
    stub_text_array(t, "snmp_v3_ctx", uinfo->snmp_v3_ctx, sizeof uinfo->snmp_v3_ctx);
    uinfo->flags = stub_int(t, "flags");
    memset(&uinfo->actx, 0, sizeof uinfo->actx);
    uinfo->lmode = CONFD_USESS_LOCK_MODE_NONE;
    uinfo->u_opaque = NULL;
    uinfo->errstr = NULL;
    uinfo->refc = 0;
}
