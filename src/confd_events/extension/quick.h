/* A frame's term, looked at quickly: most that daemons send are found to fit, and none in which the
 * walk of terms.h would find a fault. For the rest, the walk is to say what it is.
 *
 * Known are terms in their common forms that are not nested deeply. The functions return where the
 * term at a place ends, or NULL. */
#ifndef CONFD_EVENTS_QUICK_H
#define CONFD_EVENTS_QUICK_H

#include "shapes.h"

/* A value of a stream event lies 4 deep, the numbers of a time in a list of them 7. */
enum { QUICK_DEPTH = 8 };

typedef const unsigned char *place;

static place quick_end(place at, place end, const struct shape *shape, int depth);

static inline int may_be(const struct shape *shape, enum term_kind kind)
{
    return shape->kinds >> kind & 1;
}

/* A large integer, if its size alone tells that it fits. */
static inline place quick_big(place at, size_t left, const struct shape *shape)
{
    size_t digits = at[1];
    int fits = shape->range <= INT64_RANGE  ? digits < 8
               : shape->range == WORD_RANGE ? digits <= 4 && at[2] == 0
                                            : 0;
    return fits && digits + 3 <= left && may_be(shape, A_INTEGER) ? at + 3 + digits : NULL;
}

/* What has no elements. */
static inline place quick_scalar(place at, place end, const struct shape *shape)
{
    size_t size, left = (size_t)(end - at);
    enum term_kind kind;
    if (left < 5) {
        if (left >= 2 && *at == SMALL_INTEGER && may_be(shape, A_INTEGER))
            return at + 2;
        return left >= 1 && *at == NIL && may_be(shape, A_NIL) && shape->fewest == 0 ? at + 1
                                                                                     : NULL;
    }
    switch (*at) {
    case SMALL_INTEGER: kind = A_INTEGER, size = 2; break;
    case INTEGER: kind = A_INTEGER, size = 5; break;
    case BINARY: kind = A_BINARY, size = 5 + length_at(at + 1, 4); break;
    case ATOM: kind = A_ATOM, size = 3 + length_at(at + 1, 2); break;
    case SMALL_ATOM: kind = A_ATOM, size = 2 + length_at(at + 1, 1); break;
    case NIL: kind = A_NIL, size = 1; break;
    case STRING: kind = A_STRING, size = 3 + length_at(at + 1, 2); break;
    case FLOAT: kind = A_FLOAT, size = 9; break;
    case SMALL_BIG: return quick_big(at, left, shape);
    default: return NULL;
    }
    if (size > left || !may_be(shape, kind))
        return NULL;
    if (kind >= A_BINARY && (shape->fewest | shape->most) != 0 &&
        !has_room_for(shape, kind == A_NIL ? 0 : size - (kind == A_BINARY ? 5 : 3)))
        return NULL;
    return kind == A_STRING && !may_be(item_of(shape), A_INTEGER) ? NULL : at + size;
}

/* The shape of this very tuple, or NULL. */
static inline const struct shape *quick_choice(place tuple, place end, const struct shape *shape)
{
    place first = tuple + 2;
    while (shape != NULL && shape->choose != BY_NOTHING) {
        if (shape->choose == BY_ARITY)
            shape = choice_of(shape, tuple[1]);
        else if (tuple[1] == 0 || end - first < 2)
            return NULL;
        else if (shape->choose == BY_KIND && *first == SMALL_TUPLE)
            shape = choice_of(shape, A_TUPLE);
        else if (shape->choose == 0 && *first == SMALL_INTEGER)
            shape = choice_of(shape, first[1]);
        else
            return NULL;
    }
    return shape;
}

/* Is the list at a place announced by the number before it? */
static inline int is_announced(place number, place list, place end)
{
    if (number == NULL || *number != SMALL_INTEGER || list == end)
        return 0;
    return *list == NIL ? number[1] == 0
                        : *list == LIST && end - list >= 5 && number[1] == length_at(list + 1, 4);
}

static inline place quick_tuple(place at, place end, const struct shape *shape, int depth)
{
    unsigned arity = at[1];
    place before = NULL, next;
    shape = quick_choice(at, end, shape);
    if (shape == NULL || !has_room_for(shape, arity))
        return NULL;
    at += 2;
    for (unsigned i = 0; i < arity; i++, before = at, at = next) {
        const struct shape *element = element_of(shape, i);
        if (element->counted && !is_announced(before, at, end))
            return NULL;
        next = quick_scalar(at, end, element);
        if (next == NULL && (next = quick_end(at, end, element, depth)) == NULL)
            return NULL;
    }
    return at;
}

/* A number of 32 bits, as in a tag. */
static inline place quick_word(place at, place end)
{
    size_t left = (size_t)(end - at);
    if (left >= 5 && *at == INTEGER)
        return at + 5;
    if (left >= 2 && *at == SMALL_INTEGER)
        return at + 2;
    return left >= 7 && at[0] == SMALL_BIG && at[1] == 4 && at[2] == 0 ? at + 7 : NULL;
}

/* Of which the head has been seen. */
static inline place quick_list(place at, place end, const struct shape *shape, int depth)
{
    size_t count = length_at(at + 1, 4);
    const struct shape *item = item_of(shape);
    at += 5;
    if (count == 1 && shape->tag == A_TAG)
        return (at = quick_word(at, end)) == NULL ? NULL : quick_word(at, end);
    if (count == 0 || shape->tag == A_TAG || !has_room_for(shape, count))
        return NULL;
    for (; count > 0; count--) {
        place next = quick_scalar(at, end, item);
        if (next == NULL && (next = quick_end(at, end, item, depth)) == NULL)
            return NULL;
        at = next;
    }
    return at < end && *at == NIL ? at + 1 : NULL;
}

/* Of a tuple or a list, of which no more than so many are nested. */
static place quick_end(place at, place end, const struct shape *shape, int depth)
{
    if (depth == 0 || end - at < 2)
        return NULL;
    if (*at == SMALL_TUPLE && may_be(shape, A_TUPLE))
        return quick_tuple(at, end, shape, depth - 1);
    if (*at == LIST && end - at >= 5 && may_be(shape, A_LIST))
        return quick_list(at, end, shape, depth - 1);
    return NULL;
}

/* Whether the term behind a version byte was found to fit. */
static inline int fits_quickly(place term, size_t size, const struct shape *shape)
{
    return quick_end(term + 1, term + size, shape, QUICK_DEPTH) == term + size;
}

#endif
