/* A frame's term, looked at before libconfd gets it.
 *
 * libconfd does not check the terms that it decodes: a length beyond the frame, a tuple with too few
 * elements or another term in its place make it read what is not there. So every length and number
 * of elements is compared with the bytes there are, and what is known of the notification's shape
 * with what it has. Nothing is allocated, and nested terms are not followed by recursion. For most
 * frames that are whole, quick.h has said before that they fit. */
#ifndef CONFD_EVENTS_TERMS_H
#define CONFD_EVENTS_TERMS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "quick.h"

/* A hundred lists in lists, and what they lie in; libconfd goes into them by recursion. */
enum { DEEPEST_TERM = 160 };

/* A tuple or list that is not at its end. */
struct open_term {
    const struct shape *shape;
    uint32_t left; /* elements; of a list, its tail too */
    uint32_t next; /* the number of the next one, from 0 */
    uint8_t is_list;
    uint8_t is_tag; /* perhaps: one integer, as yet */
};

struct number {
    uint64_t bits;
    int is_negative;
    int is_big; /* in the form for large ones, of which libconfd may read something else */
};

struct walk {
    const unsigned char *at;
    size_t seen;   /* bytes from there on that can be looked at */
    size_t unseen; /* and that are behind them in the frame */
    struct number number; /* the latest integer */
    int depth;
    struct open_term open[DEEPEST_TERM];
};

/* What a walk found. UNSEEN: nothing, as far as the frame can be seen. */
enum finding { FITS, UNSEEN, CUT, TOO_MANY, UNKNOWN_TAG, TOO_DEEP, TOO_LARGE, WRONG_KIND, WRONG_SIZE,
               WRONG_COUNT, WRONG_TAIL, UNKNOWN_TYPE, NO_FLOAT, LEFT_OVER, NO_TERM, UNKNOWN_END };

struct head {
    enum term_kind kind;
    size_t bytes; /* of its own */
    size_t count; /* elements, or bytes of a binary */
};

/* How a term begins, by its tag: kind, bytes of a length, bytes behind that. */
static inline enum finding head_of(const struct walk *w, struct head *head)
{
    static const struct { unsigned char known, kind, length, more; } tags[256] = {
        [97] = {1, A_INTEGER, 0, 1}, [98] = {1, A_INTEGER, 0, 4}, [110] = {1, A_INTEGER, 1, 1},
        [111] = {1, A_INTEGER, 4, 1}, [99] = {1, A_FLOAT, 0, 31}, [70] = {1, A_FLOAT, 0, 8},
        [100] = {1, A_ATOM, 2, 0}, [115] = {1, A_ATOM, 1, 0}, [118] = {1, A_ATOM, 2, 0},
        [119] = {1, A_ATOM, 1, 0}, [104] = {1, A_TUPLE, 1, 0}, [105] = {1, A_TUPLE, 4, 0},
        [106] = {1, A_NIL, 0, 0}, [107] = {1, A_STRING, 2, 0}, [108] = {1, A_LIST, 4, 0},
        [109] = {1, A_BINARY, 4, 0},
    };
    size_t length, size;
    if (w->seen == 0)
        return w->unseen > 0 ? UNSEEN : CUT;
    if (!tags[*w->at].known)
        return UNKNOWN_TAG;
    head->kind = (enum term_kind)tags[*w->at].kind;
    length = tags[*w->at].length;
    size = 1 + length + tags[*w->at].more;
    head->count = 0;
    if (length > 0) {
        if (w->seen <= length)
            return w->seen + w->unseen <= length ? CUT : UNSEEN;
        head->count = length_at(w->at + 1, length);
    }
    head->bytes = size + (head->kind == A_TUPLE || head->kind == A_LIST ? 0 : head->count);
    if (head->bytes > w->seen + w->unseen)
        return CUT;
    return head->bytes > w->seen ? UNSEEN : FITS;
}

/* The number at a place, whose head that is. TOO_LARGE: more than 64 bits. */
static inline enum finding read_number(const unsigned char *at, const struct head *head,
                                       struct number *to)
{
    uint64_t number = 0;
    size_t size = head->count;
    to->is_negative = 0;
    to->is_big = at[0] != SMALL_INTEGER && at[0] != INTEGER;
    if (at[0] == SMALL_INTEGER)
        return to->bits = at[1], FITS;
    if (at[0] == INTEGER) {
        int32_t word = (int32_t)length_at(at + 1, 4);
        to->is_negative = word < 0;
        return to->bits = (uint64_t)(int64_t)word, FITS;
    }
    at += head->bytes - size;
    while (size > 0 && at[size - 1] == 0)
        size--;
    if (size > 8)
        return TOO_LARGE;
    number = number_of(at, size);
    to->is_negative = at[-1] != 0 && number != 0;
    to->bits = to->is_negative ? 0 - number : number;
    /* what is negative and has 64 bits of its own is no int64 */
    return to->is_negative && number > (uint64_t)1 << 63 ? TOO_LARGE : FITS;
}

static inline int is_in_range(const struct number *number, int range)
{
    int64_t low = (int64_t)number->bits;
    if (range == UINT64_RANGE)
        return 1;
    if (!number->is_negative && number->bits >> 63 != 0)
        return 0;
    return range == INT64_RANGE ||
           (low >= INT32_MIN && low <= (range == WORD_RANGE ? (int64_t)UINT32_MAX : INT32_MAX));
}

static inline void pass(struct walk *w, size_t bytes)
{
    w->at += bytes;
    w->seen -= bytes;
}

/* What a shape is chosen by, an element of the tuple that begins behind the head. UNSEEN, or a number
 * that no choice has, when it is not there. */
static inline enum finding choosing(const struct walk *w, const struct shape *shape,
                                    const struct head *head, uint64_t *by)
{
    struct number number = {0};
    struct walk ahead;
    struct head element;
    enum finding found;
    int skipped = shape->choose == BY_KIND ? 0 : shape->choose;
    *by = UINT64_MAX;
    if (shape->choose == BY_ARITY)
        return *by = head->count, FITS;
    if (head->count <= (size_t)skipped)
        return FITS;
    ahead.at = w->at + head->bytes;
    ahead.seen = w->seen - head->bytes;
    ahead.unseen = w->unseen;
    for (;;) {
        found = head_of(&ahead, &element);
        if (found != FITS)
            return found;
        if (shape->choose == BY_KIND)
            return *by = element.kind, FITS;
        if (element.kind != A_INTEGER)
            return FITS;
        if (skipped-- == 0) {
            found = read_number(ahead.at, &element, &number);
            return *by = number.bits, number.is_big ? TOO_LARGE : found;
        }
        pass(&ahead, element.bytes);
    }
}

/* From the shape of some tuples to that of this one, in one step or several. */
static inline enum finding chosen(const struct walk *w, const struct head *head,
                                  const struct shape **shape)
{
    while ((*shape)->choose != BY_NOTHING) {
        uint64_t by;
        enum finding found = choosing(w, *shape, head, &by);
        const struct shape *next = found == FITS ? choice_of(*shape, by) : NULL;
        if (next == NULL)
            return found != FITS                  ? found
                   : (*shape)->choose == BY_ARITY ? WRONG_SIZE
                   : (*shape)->only               ? UNKNOWN_TYPE
                                                  : FITS;
        *shape = next;
    }
    return FITS;
}

/* A float as text, of 31 bytes: libconfd reads on to the end of the text, and frees what it has not
 * made when that is no number. */
static inline int is_float_text(const unsigned char *at)
{
    int digits = 0, size = 0;
    while (size < 31 && at[size] != 0) {
        digits += at[size] >= '0' && at[size] <= '9';
        if (strchr("+-.eE0123456789", at[size]) == NULL || (size > 1 && digits == 0))
            return 0;
        size++;
    }
    return size < 31 && digits > 0;
}

/* Does a list, string or tuple, or a binary, have as much as the shape says? */
static inline int has_size(const struct shape *shape, const struct head *head)
{
    return head->kind < A_BINARY || has_room_for(shape, head->count);
}

static inline enum finding open_term(struct walk *w, const struct shape *shape,
                                     const struct head *head)
{
    struct open_term *term;
    int is_list = head->kind == A_LIST;
    if (head->count + (size_t)is_list > w->seen + w->unseen)
        return TOO_MANY;
    if (is_list && head->count == 0)
        return WRONG_SIZE; /* an empty list has a form of its own */
    if (w->depth == DEEPEST_TERM)
        return TOO_DEEP;
    term = &w->open[w->depth++];
    term->shape = shape;
    term->left = (uint32_t)head->count + (uint32_t)is_list;
    term->next = 0;
    term->is_list = (uint8_t)is_list;
    term->is_tag = (uint8_t)(is_list && shape->tag != NO_TAG && head->count == 1);
    return FITS;
}

/* Look at the head of one term, and enter or pass it. */
static inline enum finding one_term(struct walk *w, const struct shape *shape)
{
    struct head head;
    enum finding found = head_of(w, &head);
    if (found != FITS)
        return found;
    if (!(shape->kinds >> head.kind & 1))
        return WRONG_KIND;
    if (head.kind == A_TUPLE && (found = chosen(w, &head, &shape)) != FITS)
        return found;
    if (!has_size(shape, &head))
        return WRONG_SIZE;
    if (shape->counted && (w->number.is_big || head.count != w->number.bits))
        return WRONG_COUNT;
    if (head.kind == A_STRING && !(item_of(shape)->kinds >> A_INTEGER & 1))
        return WRONG_KIND;
    if (head.kind == A_INTEGER) {
        if (read_number(w->at, &head, &w->number) != FITS ||
            !is_in_range(&w->number, shape->range))
            return TOO_LARGE;
    }
    if (*w->at == FLOAT_AS_TEXT && !is_float_text(w->at + 1))
        return NO_FLOAT;
    pass(w, head.bytes);
    return head.kind == A_TUPLE || head.kind == A_LIST ? open_term(w, shape, &head) : FITS;
}

/* The tail of a list: nothing, or the tag of [Ns|Tag]. */
static inline enum finding tail(struct walk *w, const struct open_term *list)
{
    struct head head;
    enum finding found = head_of(w, &head);
    if (found != FITS)
        return found;
    if (list->is_tag && head.kind == A_INTEGER)
        return one_term(w, &shapes[word_SHAPE]);
    if (list->shape == &shapes[any_SHAPE])
        return one_term(w, list->shape);
    if (head.kind != A_NIL || list->shape->tag == A_TAG)
        return WRONG_TAIL;
    return pass(w, head.bytes), FITS;
}

static inline int is_integer_of_64_bits(unsigned char tag)
{
    return tag == SMALL_INTEGER || tag == INTEGER || tag == SMALL_BIG;
}

static inline const struct shape *shape_of(const struct open_term *term, uint32_t number)
{
    return term->is_list ? item_of(term->shape) : element_of(term->shape, number);
}

/* The term within the innermost one that is open. */
static inline enum finding next_term(struct walk *w)
{
    struct open_term *term = &w->open[w->depth - 1];
    const struct shape *shape = shape_of(term, term->next);
    term->left--;
    term->next++;
    if (term->is_list && term->left == 0)
        return tail(w, term);
    if (term->is_tag && (w->seen == 0 || !is_integer_of_64_bits(*w->at)))
        term->is_tag = 0;
    return one_term(w, shape);
}

/* Of the term behind a version byte, of which so many bytes can be looked at. */
static enum finding walk_term(struct walk *w, const unsigned char *term, size_t size, size_t seen,
                              const struct shape *shape)
{
    enum finding found;
    w->at = term + 1;
    w->seen = (seen < size ? seen : size) - 1;
    w->unseen = size > seen ? size - seen : 0;
    w->number = (struct number){0};
    w->depth = 0;
    found = one_term(w, shape);
    while (found == FITS && w->depth > 0) {
        if (w->open[w->depth - 1].left == 0)
            w->depth--;
        else
            found = next_term(w);
    }
    return found == FITS && w->seen + w->unseen > 0 ? LEFT_OVER : found;
}

/* For people */

enum { TEXT_SIZE = 400, FIRST_BYTES = 16 }; /* a password comes later */

struct text {
    char *to;
    size_t size;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *text, const char *format, ...)
{
    va_list args;
    int size;
    va_start(args, format);
    size = vsnprintf(text->to, text->size, format, args);
    va_end(args);
    if (size < 0)
        size = 0;
    if ((size_t)size >= text->size)
        size = (int)text->size - 1;
    text->to += size;
    text->size -= (size_t)size;
}

static const char *said_of(enum finding found)
{
    static const char *const said[] = {
        [CUT] = "it ends amid a term", [TOO_MANY] = "more elements than bytes",
        [UNKNOWN_TAG] = "a tag that libconfd does not read",
        [TOO_DEEP] = "lists nested more than 100 deep, or tuples",
        [TOO_LARGE] = "an integer that is too large", [WRONG_KIND] = "the wrong kind of term",
        [WRONG_SIZE] = "too few or too many elements or bytes",
        [WRONG_COUNT] = "not as many elements as announced",
        [WRONG_TAIL] = "a list with a wrong end", [NO_FLOAT] = "a float that is no number",
        [UNKNOWN_TYPE] = "of a type that is not known",
        [LEFT_OVER] = "bytes behind the term", [NO_TERM] = "it is no term",
        [UNKNOWN_END] = "an atom that ends nothing",
    };
    return said[found];
}

/* Which element of which, counted from 1. */
static void add_place(struct text *text, const struct walk *w)
{
    for (int i = 0; i < w->depth && i < 12; i++)
        if (w->open[i].next > 0)
            add(text, "%s%u", i == 0 ? ": element " : ".", (unsigned)w->open[i].next);
}

/* Where it was found, what, and the first bytes. */
static void add_finding(struct text *text, const struct walk *w, enum finding found,
                        const unsigned char *first, size_t count)
{
    add_place(text, w);
    add(text, ": %s", said_of(found));
    if (found == WRONG_KIND && w->depth > 0) {
        const struct open_term *within = &w->open[w->depth - 1];
        add(text, ", not %s", shape_of(within, within->next - 1)->what);
    }
    add(text, "; it begins with");
    for (size_t i = 0; i < count; i++)
        add(text, " %02x", first[i]);
}

static const char *description_of(const struct walk *w, enum finding found, const char *name,
                                  const unsigned char *term, size_t seen)
{
    static _Thread_local char room[TEXT_SIZE];
    struct text text = {room, sizeof room};
    add(&text, "Bad notification struct: %s", name != NULL ? name : "a notification");
    add_finding(&text, w, found, term, seen < FIRST_BYTES ? seen : FIRST_BYTES);
    return room;
}

/* What is wrong with the term of a frame, or NULL. So many bytes of its size can be looked at, its
 * BEGINNING at least; more: as for bad_beginning(). The text is this thread's until the next one. */
static inline const char *bad_notification(const unsigned char *term, size_t size, size_t seen,
                                           uint64_t more)
{
    const char *bad = bad_beginning(term, size, more);
    const struct described *of;
    const struct shape *shape;
    struct walk walk;
    enum finding found;
    size_t first;
    uint64_t bit;
    if (bad != NULL)
        return bad;
    first = first_element(term);
    bit = integer_at(term + first, size - first);
    if (bit < (uint64_t)1 << 31 && term[first] == SMALL_BIG)
        return "Bad notification struct"; /* libconfd takes it for another bit */
    of = &described[NUMBER_OF(bit)];
    shape = of->shape != NULL ? of->shape : &shapes[any_SHAPE];
    if (seen >= size && fits_quickly(term, size, shape))
        return NULL;
    found = walk_term(&walk, term, size, seen, shape);
    return found <= UNSEEN ? NULL : description_of(&walk, found, of->name, term, seen);
}

#endif
