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

void stub_put_word(struct stub_message *m, uint32_t number)
{
    put_number(m, number, 4);
}

void stub_put_version(struct stub_message *m)
{
    put_number(m, TAG_VERSION, 1);
}

void stub_message_begin(struct stub_message *m, unsigned char *data, size_t room)
{
    *m = (struct stub_message){.data = data, .room = room};
    stub_put_word(m, 0); /* the length, once it is known */
    stub_put_version(m);
}

void stub_put_tuple(struct stub_message *m, unsigned arity)
{
    put_number(m, TAG_SMALL_TUPLE, 1);
    put_number(m, arity, 1);
}

void stub_put_nil(struct stub_message *m)
{
    put_number(m, TAG_NIL, 1);
}

/* Its elements follow, then its tail. */
void stub_put_list(struct stub_message *m, unsigned count)
{
    put_number(m, TAG_LIST, 1);
    put_number(m, count, 4);
}

void stub_put_int(struct stub_message *m, int number)
{
    if (number >= 0 && number <= UINT8_MAX) {
        put_number(m, TAG_SMALL_INTEGER, 1);
        put_number(m, (uint64_t)number, 1);
    } else {
        put_number(m, TAG_INTEGER, 1);
        put_number(m, (uint64_t)number, 4);
    }
}

static unsigned bytes_of(uint64_t magnitude)
{
    unsigned bytes = 0;

    for (; magnitude > 0; magnitude >>= 8) {
        bytes++;
    }
    return bytes;
}

/* A subscription's numbers are bignums from 28 bits on. */
void stub_put_long(struct stub_message *m, int64_t number)
{
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    if (number >= -(1 << 27) && number < 1 << 27) {
        stub_put_int(m, (int)number);
        return;
    }
    put_number(m, TAG_SMALL_BIG, 1);
    put_number(m, bytes_of(magnitude), 1);
    put_number(m, number < 0, 1);
    for (; magnitude > 0; magnitude >>= 8) {
        put_number(m, magnitude, 1);
    }
}

static size_t utf8_size(const char *latin1)
{
    size_t size = 0;

    for (; *latin1 != '\0'; latin1++) {
        size += (unsigned char)*latin1 < 0x80 ? 1 : 2;
    }
    return size;
}

/* The name is Latin-1, and goes out as UTF-8. */
void stub_put_atom(struct stub_message *m, const char *name)
{
    size_t size = utf8_size(name);
    bool is_small = size < UINT8_MAX;

    put_number(m, is_small ? TAG_SMALL_ATOM_UTF8 : TAG_ATOM_UTF8, 1);
    put_number(m, size, is_small ? 1 : 2);
    for (; *name != '\0'; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x80) {
            put_number(m, c, 1);
        } else {
            put_number(m, (uint64_t)(0xc0 | c >> 6) << 8 | (0x80 | (c & 0x3f)), 2);
        }
    }
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
