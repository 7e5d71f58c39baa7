/* Terms on their way to the daemon. A message that outgrows its buffer is
 * noticed when it is sent. */
#include <string.h>

#include "stub.h"

static void put_bytes(struct stub_message *m, const void *data, size_t size)
{
    if (m->size <= m->room && size <= m->room - m->size) {
        memcpy(m->data + m->size, data, size);
        m->size += size;
    } else {
        m->size = m->room + 1;
    }
}

static void put_number(struct stub_message *m, uint64_t number, int bytes)
{
    while (bytes-- > 0) {
        unsigned char byte = (unsigned char)(number >> (8 * bytes));
        put_bytes(m, &byte, 1);
    }
}

void stub_message_begin(struct stub_message *m, unsigned char *data, size_t room)
{
    *m = (struct stub_message){.data = data, .room = room};
    put_number(m, 0, 4); /* the length, once it is known */
    put_number(m, TAG_VERSION, 1);
}

void stub_put_tuple(struct stub_message *m, unsigned arity)
{
    put_number(m, TAG_SMALL_TUPLE, 1);
    put_number(m, arity, 1);
}

static void put_big(struct stub_message *m, int64_t number)
{
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    put_number(m, TAG_SMALL_BIG, 1);
    put_number(m, 8, 1);
    put_number(m, number < 0, 1);
    for (int i = 0; i < 8; i++) {
        put_number(m, magnitude >> (8 * i), 1);
    }
}

void stub_put_int(struct stub_message *m, int64_t number)
{
    if (number >= 0 && number <= UINT8_MAX) {
        put_number(m, TAG_SMALL_INTEGER, 1);
        put_number(m, (uint64_t)number, 1);
    } else if (number >= INT32_MIN && number <= INT32_MAX) {
        put_number(m, TAG_INTEGER, 1);
        put_number(m, (uint64_t)number, 4);
    } else {
        put_big(m, number);
    }
}

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80) {
        text++;
    }
    return *text == '\0';
}

void stub_put_atom(struct stub_message *m, const char *name)
{
    size_t size = strlen(name);
    bool ascii = is_ascii(name);

    if (size <= UINT8_MAX) {
        put_number(m, ascii ? TAG_SMALL_ATOM : TAG_SMALL_ATOM_UTF8, 1);
        put_number(m, size, 1);
    } else {
        put_number(m, ascii ? TAG_ATOM : TAG_ATOM_UTF8, 1);
        put_number(m, size, 2);
    }
    put_bytes(m, name, size);
}

void stub_put_binary(struct stub_message *m, const char *text)
{
    size_t size = strlen(text);

    put_number(m, TAG_BINARY, 1);
    put_number(m, size, 4);
    put_bytes(m, text, size);
}

int stub_message_send(int sock, struct stub_message *m)
{
    size_t size = m->size;

    if (size > m->room) {
        return stub_fail(CONFD_ERR_INTERNAL, "Message to ConfD is too long");
    }
    m->size = 0;
    put_number(m, size - 4, 4);
    return stub_write(sock, m->data, size);
}
