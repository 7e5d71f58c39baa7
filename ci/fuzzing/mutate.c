/* Bit flips, cuts, lies and splices, and changes that know terms: most of those leave a term that
 * can be read, so that the checks behind the reader are reached too. And changes of values alone. */
#include "mutate.h"

#include <stdbool.h>
#include <string.h>

enum { HEAD = 4, MOST_TERMS = 256, DEEPEST = 80 };

/* Random numbers */

static uint64_t next(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(uint64_t *seed, size_t limit)
{
    return limit > 0 ? (size_t)(next(seed) % limit) : 0;
}

/* Where the terms of a frame lie */

struct terms {
    const uint8_t *frame;
    size_t size;
    size_t count;
    struct term {
        size_t at;
        size_t size;
        bool kept; /* by changes that leave the frame well-formed */
    } list[MOST_TERMS];
};

static size_t number_at(const struct terms *t, size_t at, size_t bytes)
{
    size_t number = 0;

    for (size_t i = 0; i < bytes; i++) {
        number = number << 8 | (at + i < t->size ? t->frame[at + i] : 0);
    }
    return number;
}

/* The size of a term's own bytes, and the number of terms within it. */
static size_t own_size(const struct terms *t, size_t at, size_t *inside)
{
    *inside = 0;
    switch (t->frame[at]) {
    case 'a':
        return 2;
    case 'b':
        return 5;
    case 'c':
        return 32;
    case 'F':
        return 9;
    case 'd':
    case 'v':
    case 'k':
        return 3 + number_at(t, at + 1, 2);
    case 's':
    case 'w':
        return 2 + number_at(t, at + 1, 1);
    case 'm':
        return 5 + number_at(t, at + 1, 4);
    case 'n':
        return 3 + number_at(t, at + 1, 1);
    case 'o':
        return 6 + number_at(t, at + 1, 4);
    case 'h':
        *inside = number_at(t, at + 1, 1);
        return 2;
    case 'i':
        *inside = number_at(t, at + 1, 4);
        return 5;
    case 'l':
        *inside = number_at(t, at + 1, 4) + 1;
        return 5;
    default:
        return 1;
    }
}

/* Returns where the term at "at" ends; the frame's end where nothing more is looked for. */
static size_t find(struct terms *t, size_t at, int depth)
{
    size_t inside, end, mine = t->count;

    if (at >= t->size || mine >= MOST_TERMS || depth > DEEPEST) {
        return t->size;
    }
    t->list[t->count++] = (struct term){.at = at};
    end = at + own_size(t, at, &inside);
    for (; inside > 0 && end < t->size; inside--) {
        end = find(t, end, depth + 1);
    }
    end = end < t->size ? end : t->size;
    t->list[mine].size = end - at;
    return end;
}

/* What follows the version byte. */
static void find_terms(struct terms *t, const uint8_t *frame, size_t size)
{
    t->frame = frame;
    t->size = size;
    t->count = 0;
    find(t, HEAD + 1, 0);
}

/* The frame that is being changed */

struct frame {
    uint8_t *data;
    size_t size;
    size_t most;
    uint64_t seed;
    struct terms terms;
    const uint8_t *other;
    size_t other_size;
};

static void replace(struct frame *f, size_t at, size_t size, const uint8_t *with, size_t with_size)
{
    if (f->size - size + with_size > f->most) {
        return;
    }
    memmove(f->data + at + with_size, f->data + at + size, f->size - at - size);
    memcpy(f->data + at, with, with_size);
    f->size = f->size - size + with_size;
}

static void put_number(uint8_t *to, size_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
    }
}

static size_t any_term(struct frame *f)
{
    return below(&f->seed, f->terms.count);
}

/* A term with one of the tags, or any if there is none. */
static size_t term_of(struct frame *f, const char *tags)
{
    size_t first = any_term(f);

    for (size_t i = 0; i < f->terms.count; i++) {
        size_t chosen = (first + i) % f->terms.count;
        if (strchr(tags, f->data[f->terms.list[chosen].at]) != NULL) {
            return chosen;
        }
    }
    return first;
}

/* Changes that know bytes alone */

static void flip_bits(struct frame *f)
{
    for (size_t i = 0; i <= below(&f->seed, 8); i++) {
        f->data[HEAD + below(&f->seed, f->size - HEAD)] ^= (uint8_t)(1 << below(&f->seed, 8));
    }
}

static void set_byte(struct frame *f)
{
    static const uint8_t bytes[] = {0, 1, 2, 127, 128, 129, 254, 255, 'h', 'l', 'm', 'j', 'k'};

    f->data[HEAD + below(&f->seed, f->size - HEAD)] = bytes[below(&f->seed, sizeof bytes)];
}

static void cut(struct frame *f)
{
    f->size = HEAD + below(&f->seed, f->size - HEAD);
}

static void splice_bytes(struct frame *f)
{
    size_t from = HEAD + below(&f->seed, f->other_size - HEAD);
    size_t at = HEAD + below(&f->seed, f->size - HEAD);

    replace(f, at, f->size - at, f->other + from, f->other_size - from);
}

/* Changes that know terms */

static void swap_term(struct frame *f)
{
    static struct terms others;
    size_t chosen = any_term(f), from;

    find_terms(&others, f->other, f->other_size);
    if (others.count == 0) {
        return;
    }
    from = below(&f->seed, others.count);
    replace(f, f->terms.list[chosen].at, f->terms.list[chosen].size,
            f->other + others.list[from].at, others.list[from].size);
}

static void repeat_term(struct frame *f)
{
    uint8_t copy[512];
    size_t from = any_term(f), to = any_term(f), size = f->terms.list[from].size;

    if (size <= sizeof copy) {
        memcpy(copy, f->data + f->terms.list[from].at, size);
        replace(f, f->terms.list[to].at, f->terms.list[to].size, copy, size);
    }
}

#define TERM(text) {sizeof text - 1, text}

static void new_term(struct frame *f)
{
    static const struct {
        size_t size;
        char bytes[40];
    } terms[] = {
        TERM("a\0"), TERM("a\xff"), TERM("b\x7f\xff\xff\xff"), TERM("b\x80\0\0\0"),
        TERM("n\x04\0\0\0\0\x80"), TERM("n\x04\x01\0\0\0\x80"), TERM("n\x04\0\xff\xff\xff\xff"),
        TERM("n\x08\0\xff\xff\xff\xff\xff\xff\xff\x7f"), TERM("n\x08\x01\0\0\0\0\0\0\0\x80"),
        TERM("n\x08\0\xff\xff\xff\xff\xff\xff\xff\xff"), TERM("n\x09\0\0\0\0\0\0\0\0\0\x01"),
        TERM("o\0\0\0\x02\0\x01\x02"), TERM("n\0\0"), TERM("F\x7f\xef\xff\xff\xff\xff\xff\xff"),
        TERM("F\x7f\xf8\0\0\0\0\0\0"), TERM("F\x80\0\0\0\0\0\0\0"), TERM("j"), TERM("k\0\0"),
        TERM("k\0\x03" "a\0\xff"), TERM("m\0\0\0\0"), TERM("m\0\0\0\x04" "a\0\xffz"),
        TERM("s\x09undefined"), TERM("s\x04true"), TERM("s\x05" "false"), TERM("s\x07" "default"),
        TERM("s\x09not_found"), TERM("s\0"), TERM("d\0\x01x"), TERM("h\0"), TERM("i\0\0\0\0"),
        TERM("l\0\0\0\x01" "a\x01j"), TERM("l\0\0\0\x01j" "a\x01"),
        TERM("h\x04" "a\x0a" "a\0a\0a\x01"), TERM("h\x08" "a\0a\0a\0a\0a\0a\0a\0a\x01"),
        TERM("h\x02" "a\x2b" "h\x02" "a\x01" "a\xff"), TERM("h\x02" "a\x32" "m\0\0\0\x01\xff"),
        TERM("h\x02" "a\x26" "m\0\0\0\x04\0\0\0\x01"), TERM("h\x02" "a\x0a" "a\xff"),
        TERM("h\x02" "a\x2f" "m\0\0\0\x02" "ab"), TERM("h\x02" "a\x2c" "h\x02" "a\x01" "a\x02"),
        TERM("h\x02" "a\x2e" "m\0\0\0\x04" "abcd"),
    };
    size_t at = any_term(f), chosen = below(&f->seed, sizeof terms / sizeof terms[0]);

    replace(f, f->terms.list[at].at, f->terms.list[at].size, (const uint8_t *)terms[chosen].bytes,
            terms[chosen].size);
}

static void lie_about_count(struct frame *f)
{
    static const uint32_t counts[] = {0, 1, 2, 255, 256, 65535, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = f->terms.list[term_of(f, "hilmnosdvwk")].at;
    size_t bytes = strchr("hnsw", f->data[at]) != NULL ? 1 : strchr("dvk", f->data[at]) ? 2 : 4;
    size_t count = number_at(&f->terms, at + 1, bytes);

    count = below(&f->seed, 2) ? counts[below(&f->seed, 9)] : count + below(&f->seed, 5) - 2;
    if (at + 1 + bytes <= f->size) {
        put_number(f->data + at + 1, count, bytes);
    }
}

/* The first element of a list again, with the count that fits. */
static void repeat_first(struct frame *f, size_t list, size_t times)
{
    static uint8_t copy[1 << 16];
    size_t at = f->terms.list[list].at;
    size_t size = list + 1 < f->terms.count ? f->terms.list[list + 1].size : 0;

    if (f->data[at] != 'l' || size == 0 || times * size > sizeof copy ||
        f->size + times * size > f->most) {
        return;
    }
    for (size_t i = 0; i < times; i++) {
        memcpy(copy + i * size, f->data + f->terms.list[list + 1].at, size);
    }
    put_number(f->data + at + 1, number_at(&f->terms, at + 1, 4) + times, 4);
    replace(f, at + 5, 0, copy, times * size);
}

static void repeat_element(struct frame *f)
{
    repeat_first(f, term_of(f, "l"), 1 + below(&f->seed, below(&f->seed, 8) == 0 ? 300 : 4));
}

static void nest(struct frame *f)
{
    static uint8_t wrapped[1 << 16];
    size_t chosen = any_term(f), depth = 1 + below(&f->seed, below(&f->seed, 4) == 0 ? 80 : 3);
    size_t size = f->terms.list[chosen].size;

    if (6 * depth + size > sizeof wrapped) {
        return;
    }
    for (size_t i = 0; i < depth; i++) {
        memcpy(wrapped + 5 * i, "l\0\0\0\x01", 5);
    }
    memcpy(wrapped + 5 * depth, f->data + f->terms.list[chosen].at, size);
    memset(wrapped + 5 * depth + size, 'j', depth);
    replace(f, f->terms.list[chosen].at, size, wrapped, 6 * depth + size);
}

static void change_text(struct frame *f, size_t chosen)
{
    static const size_t sizes[] = {0, 1, 16, 64, 127, 128, 254, 255, 256, 4096, 8191, 8192, 20000};
    static uint8_t binary[5 + 20000];
    size_t size = sizes[below(&f->seed, sizeof sizes / sizeof sizes[0])];
    uint8_t first = (uint8_t)next(&f->seed);

    binary[0] = 'm';
    put_number(binary + 1, size, 4);
    for (size_t i = 0; i < size; i++) {
        binary[5 + i] = (uint8_t)(first + i * 7);
    }
    replace(f, f->terms.list[chosen].at, f->terms.list[chosen].size, binary, 5 + size);
}

static void new_text(struct frame *f)
{
    change_text(f, term_of(f, "m"));
}

static void change_number(struct frame *f, size_t chosen, size_t number)
{
    uint8_t term[5] = {'b'};

    put_number(term + 1, number, 4);
    replace(f, f->terms.list[chosen].at, f->terms.list[chosen].size, term, 5);
}

static void new_number(struct frame *f)
{
    size_t chosen = term_of(f, "ab");

    change_number(f, chosen, (size_t)next(&f->seed) >> below(&f->seed, 64));
}

/* Changes that leave a frame well-formed: terms keep their types, and what tells how others are to
 * be read keeps its value. */

static bool is_number(const struct terms *t, size_t term)
{
    return strchr("abn", t->frame[t->list[term].at]) != NULL;
}

/* The term behind one with all that is in it; t->count if there is none. */
static size_t behind(const struct terms *t, size_t term)
{
    size_t end = t->list[term].at + t->list[term].size, next = term + 1;

    while (next < t->count && t->list[next].at < end) {
        next++;
    }
    return next;
}

static void keep(struct terms *t, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        t->list[i].kept = true;
    }
}

/* In a tuple the first number is a bit, a type or a variant, as is the second of the outermost; one
 * before a list is its length, one behind a tuple a port. A tuple of numbers is an address or a
 * time; one of two that begins with a number is a typed value. */
static void keep_in_tuple(struct terms *t, size_t tuple)
{
    size_t end = behind(t, tuple), arity = t->frame[t->list[tuple].at + 1], numbers = 0, place = 0;
    char before = 'h';

    for (size_t i = tuple + 1; i < end; i = behind(t, i), place++) {
        size_t next = behind(t, i);
        bool second = tuple == 0 && place == 1;
        if (is_number(t, i)) {
            bool counts = next < end && strchr("jl", t->frame[t->list[next].at]) != NULL;
            t->list[i].kept |= before == 'h' || second || counts;
            if (counts) {
                t->list[next].kept = true;
            }
            numbers++;
        }
        before = (char)t->frame[t->list[i].at];
    }
    if (numbers == arity || (tuple > 0 && arity == 2 && is_number(t, tuple + 1))) {
        keep(t, tuple, end);
    }
}

/* A pair of hashes is a list that does not end in []. */
static bool is_proper(const struct terms *t, size_t list)
{
    return t->frame[t->list[list].at + t->list[list].size - 1] == 'j';
}

static void keep_structure(struct terms *t)
{
    for (size_t i = 0; i < t->count; i++) {
        char tag = (char)t->frame[t->list[i].at];
        if (tag == 'h') {
            keep_in_tuple(t, i);
        } else if (tag == 'l' && !is_proper(t, i)) {
            keep(t, i, behind(t, i));
        }
    }
}

/* A term that may change, of these kinds; t->count if there is none. */
static size_t free_term(struct frame *f, const char *tags)
{
    size_t first = any_term(f);

    for (size_t i = 0; i < f->terms.count; i++) {
        size_t chosen = (first + i) % f->terms.count;
        if (!f->terms.list[chosen].kept && strchr(tags, f->data[f->terms.list[chosen].at]) != NULL) {
            return chosen;
        }
    }
    return f->terms.count;
}

static void vary(struct frame *f)
{
    size_t chosen = free_term(f, "abml");

    if (chosen == f->terms.count || f->terms.count == MOST_TERMS) {
        return;
    }
    switch (f->data[f->terms.list[chosen].at]) {
    case 'm':
        change_text(f, chosen);
        break;
    case 'l':
        repeat_first(f, chosen, 1 + below(&f->seed, 4));
        break;
    default:
        change_number(f, chosen, (size_t)next(&f->seed) >> (33 + below(&f->seed, 31)));
    }
}

typedef void change(struct frame *f);
static change *const changes[] = {
    flip_bits,   set_byte,        cut,            splice_bytes, swap_term,
    swap_term,   repeat_term,     new_term,       new_term,     lie_about_count,
    repeat_element, nest,         new_text,       new_number,   new_number,
};

static bool lie_about_length(struct frame *f)
{
    static const uint32_t lengths[] = {0, 1, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff};
    size_t length = below(&f->seed, 2) ? lengths[below(&f->seed, 7)]
                                       : f->size - HEAD + below(&f->seed, 9) - 4;

    put_number(f->data, length, HEAD);
    return length == f->size - HEAD && length > 0;
}

size_t mutate_frame(uint8_t *frame, size_t size, size_t most, const uint8_t *other,
                    size_t other_size, uint64_t seed, int *in_step)
{
    struct frame f = {.data = frame, .size = size, .most = most, .seed = seed, .other = other,
                      .other_size = other_size};

    *in_step = 1;
    if (size <= HEAD + 1 || other_size <= HEAD + 1) {
        return size;
    }
    for (size_t i = 0; i <= below(&f.seed, 3) && f.size > HEAD + 1; i++) {
        find_terms(&f.terms, f.data, f.size);
        changes[below(&f.seed, sizeof changes / sizeof changes[0])](&f);
    }
    put_number(f.data, f.size - HEAD, HEAD);
    *in_step = f.size > HEAD; /* the library takes an empty frame for the end of the stream */
    if (below(&f.seed, 64) == 0) {
        *in_step = lie_about_length(&f);
    }
    return f.size;
}

size_t vary_frame(uint8_t *frame, size_t size, size_t most, uint64_t seed)
{
    struct frame f = {.data = frame, .size = size, .most = most, .seed = seed};

    for (size_t i = 0; i <= below(&f.seed, 5); i++) {
        find_terms(&f.terms, f.data, f.size);
        keep_structure(&f.terms);
        vary(&f);
    }
    put_number(f.data, f.size - HEAD, HEAD);
    return f.size;
}

size_t random_frame(uint8_t *frame, size_t most, uint64_t seed)
{
    size_t size = HEAD + 1 + below(&seed, (most < 300 ? most : 300) - HEAD - 1);

    for (size_t i = HEAD; i < size; i++) {
        frame[i] = (uint8_t)next(&seed);
    }
    if (size > HEAD && below(&seed, 4) != 0) {
        frame[HEAD] = 131;
    }
    put_number(frame, size - HEAD, HEAD);
    return size;
}
