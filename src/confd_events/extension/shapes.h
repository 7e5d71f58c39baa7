/* The shapes of notifications, as description/shapes.py has them; shape_tables.h has those of the
 * release. */
#ifndef CONFD_EVENTS_SHAPES_H
#define CONFD_EVENTS_SHAPES_H

#include <stddef.h>
#include <stdint.h>

#include "beginning.h"

/* The kinds of terms that libconfd reads and a daemon sends. */
enum term_kind { A_INTEGER, A_FLOAT, A_ATOM, A_BINARY, A_TUPLE, A_NIL, A_STRING, A_LIST };

/* What chooses among shapes, if not the number of an element; whether a list is [Ns|Tag]. */
enum { BY_NOTHING = -1, BY_ARITY = -2, BY_KIND = -3 };
enum { NO_TAG, PERHAPS_TAG, A_TAG };
enum { FLOAT = 70, FLOAT_AS_TEXT = 99, ATOM = 100, NIL = 106, STRING = 107, LIST = 108 };
enum { BINARY = 109, SMALL_ATOM = 115 };
enum { NO_SHAPE = 255 };
enum { UINT64_RANGE, INT64_RANGE, INT32_RANGE, WORD_RANGE };

/* description/shapes.py says what these mean. */
struct shape {
    const char *what;
    unsigned char kinds; /* bits */
    unsigned short fewest;
    unsigned short most;
    unsigned char described;
    unsigned char counted;
    unsigned char tag;
    unsigned char range;
    signed char choose;
    unsigned char rest;
    unsigned char items;
    const unsigned char *elements;
    const unsigned char *choices; /* by number */
    unsigned char choice_count;
    unsigned char only;
};

struct described {
    const char *name;
    const struct shape *shape;
};

#define NUMBER_OF(bit) __builtin_ctzll((unsigned long long)(bit))

#include "shape_tables.h"

/* The shape that is meant by a number, or NULL. */
static inline const struct shape *choice_of(const struct shape *shape, uint64_t number)
{
    if (number >= shape->choice_count || shape->choices[number] == NO_SHAPE)
        return NULL;
    return &shapes[shape->choices[number]];
}

/* The shape of an element of a tuple or list of a shape. */
static inline const struct shape *item_of(const struct shape *shape)
{
    return &shapes[shape->items];
}

static inline const struct shape *element_of(const struct shape *shape, uint32_t number)
{
    return &shapes[number < shape->described ? shape->elements[number] : shape->rest];
}

/* Has a list, tuple or binary with so much in it as much as the shape says? */
static inline int has_room_for(const struct shape *shape, size_t count)
{
    return count >= shape->fewest && (shape->most == 0 || count <= shape->most);
}

#endif
