/* The first bytes of a notification, looked at before libconfd gets it.
 *
 * libconfd does not check the terms that it decodes: what is no tuple, or has the bit of no
 * notification, makes it read what is not there, and may end the process. */
#ifndef CONFD_EVENTS_BEGINNING_H
#define CONFD_EVENTS_BEGINNING_H

#include <stddef.h>
#include <stdint.h>

/* The version, the head of a large tuple, and a first element of up to 8 bytes. */
enum { BEGINNING = 1 + 5 + 3 + 8 };

/* Tags of the external term format. */
enum { VERSION = 131, SMALL_TUPLE = 104, LARGE_TUPLE = 105 };
enum { SMALL_INTEGER = 97, INTEGER = 98, SMALL_BIG = 110 };

/* A number of so many bytes, the last of which counts most. */
static inline uint64_t number_of(const unsigned char *at, size_t size)
{
    uint64_t number = 0;
    while (size > 0)
        number = number << 8 | at[--size];
    return number;
}

/* A length of 1, 2 or 4 bytes; compilers make one load of each. */
static inline size_t length_at(const unsigned char *at, size_t bytes)
{
    if (bytes == 1)
        return at[0];
    if (bytes == 2)
        return (size_t)at[0] << 8 | at[1];
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The non-negative integer that begins there, or 0: that is no bit either. */
static inline uint64_t integer_at(const unsigned char *at, size_t size)
{
    if (size >= 2 && at[0] == SMALL_INTEGER)
        return at[1];
    if (size >= 5 && at[0] == INTEGER)
        return at[1] & 0x80 ? 0 : length_at(at + 1, 4);
    if (size >= 3 && at[0] == SMALL_BIG && at[1] <= 8 && size >= 3u + at[1] && at[2] == 0)
        return number_of(at + 3, at[1]);
    return 0;
}

/* Where the first element of a tuple is. */
static inline size_t first_element(const unsigned char *term)
{
    return term[1] == SMALL_TUPLE ? 3 : 6;
}

/* What is wrong with a term of so many bytes, or NULL. Only the BEGINNING of it is looked at.
 * more: the bits of notifications that have more than their bit. A bit that no release knows,
 * from 32 on, is refused: libconfd takes leftovers for such a notification. */
static inline const char *bad_beginning(const unsigned char *term, size_t size, uint64_t more)
{
    size_t head, arity;
    uint64_t bit;
    if (size < 1 || term[0] != VERSION)
        return "Bad notification struct: it is no term";
    if (size >= 3 && term[1] == SMALL_TUPLE)
        head = 3, arity = term[2];
    else if (size >= 6 && term[1] == LARGE_TUPLE)
        head = 6, arity = length_at(term + 2, 4);
    else
        return "Bad notification struct: it is no tuple";
    if (arity > size - head)
        return "Bad notification struct: its tuple has fewer elements than it says";
    bit = integer_at(term + head, size - head);
    if (bit == 0 || (bit & (bit - 1)) != 0 || bit >> 32 != 0)
        return "Bad notification struct"; /* as the library says of an unknown bit */
    return (bit & more) != 0 && arity < 2 ? "Bad notification struct: it has its bit alone" : NULL;
}

#endif
