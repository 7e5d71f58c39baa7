/* Reads Erlang's external term format without ever leaving the frame. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "stub.h"

/* Failures */

static const char *tag_name(int tag)
{
    switch (tag) {
    case TAG_SMALL_INTEGER:
    case TAG_INTEGER:
    case TAG_SMALL_BIG:
    case TAG_LARGE_BIG:
        return "an integer";
    case TAG_FLOAT:
    case TAG_NEW_FLOAT:
        return "a float";
    case TAG_ATOM:
    case TAG_SMALL_ATOM:
    case TAG_ATOM_UTF8:
    case TAG_SMALL_ATOM_UTF8:
        return "an atom";
    case TAG_SMALL_TUPLE:
    case TAG_LARGE_TUPLE:
        return "a tuple";
    case TAG_NIL:
    case TAG_STRING:
    case TAG_LIST:
        return "a list";
    case TAG_BINARY:
        return "a binary";
    default:
        return "an unknown tag";
    }
}

void stub_term_stop(struct stub_term *t)
{
    t->failed = true;
    t->left = 0;
    t->raw = 0;
}

void stub_term_fail(struct stub_term *t, const char *field, const char *format, ...)
{
    char text[256];
    va_list args;

    if (t->failed) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    stub_fail(CONFD_ERR_INTERNAL, "%s: %s: %s", t->what, field, text);
    stub_term_stop(t);
}

static void wrong_type(struct stub_term *t, const char *field, const char *wanted)
{
    if (t->raw > 0) {
        stub_term_fail(t, field, "expected %s, found a byte of a string", wanted);
    } else if (t->left == 0) {
        stub_term_fail(t, field, "the message is cut short");
    } else {
        stub_term_fail(t, field, "expected %s, found %s", wanted, tag_name(t->at[0]));
    }
}

static void *stop_without(void *memory, struct stub_term *t)
{
    if (memory == NULL) {
        stub_term_stop(t);
    }
    return memory;
}

void *stub_term_alloc(struct stub_term *t, size_t count, size_t size)
{
    return stop_without(t->failed ? NULL : stub_alloc_zeroed(count, size), t);
}

void *stub_term_keep(struct stub_term *t, size_t count, size_t size)
{
    return stop_without(t->failed ? NULL : stub_keep(count, size), t);
}

/* Bytes */

static const unsigned char *take(struct stub_term *t, const char *field, size_t size)
{
    const unsigned char *from = t->at;

    if (t->left < size) {
        stub_term_fail(t, field, "the message is cut short");
    }
    if (t->failed) {
        return NULL;
    }
    t->at += size;
    t->left -= size;
    return from;
}

static uint32_t take_number(struct stub_term *t, const char *field, size_t size)
{
    const unsigned char *from = take(t, field, size);
    uint32_t number = 0;

    for (size_t i = 0; from != NULL && i < size; i++) {
        number = number << 8 | from[i];
    }
    return number;
}

/* The tag of what comes next; 0 when nothing does, or a byte of a string. */
int stub_term_peek(const struct stub_term *t)
{
    return t->left > 0 && t->raw == 0 ? t->at[0] : 0;
}

static bool take_tag(struct stub_term *t, int tag)
{
    if (stub_term_peek(t) != tag) {
        return false;
    }
    t->at++;
    t->left--;
    return true;
}

/* The whole term */

void stub_term_open(struct stub_term *t, const struct stub_frame *frame, const char *what)
{
    *t = (struct stub_term){.at = frame->data, .left = frame->size, .what = what};
    if (take_number(t, "frame", 1) != TAG_VERSION) {
        stub_term_fail(t, "frame", "not an external term");
    }
}

void stub_term_close(struct stub_term *t)
{
    if (t->left > 0) {
        stub_term_fail(t, "frame", "%zu bytes too many", t->left);
    }
}

/* Atoms */

static size_t peek_atom(const struct stub_term *t, struct stub_bytes *name)
{
    size_t head;

    switch (stub_term_peek(t)) {
    case TAG_SMALL_ATOM:
    case TAG_SMALL_ATOM_UTF8:
        head = 2;
        break;
    case TAG_ATOM:
    case TAG_ATOM_UTF8:
        head = 3;
        break;
    default:
        return 0;
    }
    if (t->left < head) {
        return 0;
    }
    name->data = t->at + head;
    name->size = head == 2 ? t->at[1] : (size_t)t->at[1] << 8 | t->at[2];
    return t->left - head >= name->size ? head + name->size : 0;
}

bool stub_term_at_atom(const struct stub_term *t)
{
    struct stub_bytes name;

    return peek_atom(t, &name) > 0;
}

/* Takes the atom if it is the one named; else takes nothing. */
bool stub_term_take_atom(struct stub_term *t, const char *name)
{
    struct stub_bytes found;
    size_t size = peek_atom(t, &found);

    if (size == 0 || found.size != strlen(name) || memcmp(found.data, name, found.size) != 0) {
        return false;
    }
    return take(t, name, size) != NULL;
}

struct stub_bytes stub_term_atom(struct stub_term *t, const char *field)
{
    struct stub_bytes name = {NULL, 0};
    size_t size = peek_atom(t, &name);

    if (size == 0) {
        wrong_type(t, field, "an atom");
        return (struct stub_bytes){NULL, 0};
    }
    take(t, field, size);
    return name;
}

/* Numbers */

struct number {
    bool negative;
    bool huge; /* more than 64 bits */
    uint64_t magnitude;
};

static struct number take_big(struct stub_term *t, const char *field, size_t size)
{
    struct number n = {.negative = take_number(t, field, 1) != 0};
    const unsigned char *from = take(t, field, size);

    for (size_t i = 0; from != NULL && i < size; i++) {
        if (i < 8) {
            n.magnitude |= (uint64_t)from[i] << (8 * i);
        } else {
            n.huge = n.huge || from[i] != 0;
        }
    }
    return n;
}

static struct number take_int32(struct stub_term *t, const char *field)
{
    uint32_t bits = take_number(t, field, 4);
    bool negative = bits >> 31 != 0;

    return (struct number){.negative = negative, .magnitude = negative ? 0U - bits : bits};
}

static struct number take_integer(struct stub_term *t, const char *field)
{
    if (t->raw > 0) {
        t->raw--;
        return (struct number){.magnitude = take_number(t, field, 1)};
    }
    if (take_tag(t, TAG_SMALL_INTEGER)) {
        return (struct number){.magnitude = take_number(t, field, 1)};
    }
    if (take_tag(t, TAG_INTEGER)) {
        return take_int32(t, field);
    }
    if (take_tag(t, TAG_SMALL_BIG)) {
        return take_big(t, field, take_number(t, field, 1));
    }
    if (take_tag(t, TAG_LARGE_BIG)) {
        return take_big(t, field, take_number(t, field, 4));
    }
    wrong_type(t, field, "an integer");
    return (struct number){.magnitude = 0};
}

static void does_not_fit(struct stub_term *t, const char *field, struct number n)
{
    if (n.huge) {
        stub_term_fail(t, field, "an integer of more than 64 bits does not fit");
    } else {
        stub_term_fail(t, field, "%s%llu does not fit", n.negative ? "-" : "",
                       (unsigned long long)n.magnitude);
    }
}

static bool is_within(struct number n, int64_t min, int64_t max)
{
    if (n.huge) {
        return false;
    }
    if (n.negative) {
        return n.magnitude == 0 || (min < 0 && n.magnitude <= 0 - (uint64_t)min);
    }
    return n.magnitude <= (uint64_t)max && (min <= 0 || n.magnitude >= (uint64_t)min);
}

/* max is never negative. */
int64_t stub_term_int(struct stub_term *t, const char *field, int64_t min, int64_t max)
{
    struct number n = take_integer(t, field);

    if (!is_within(n, min, max)) {
        does_not_fit(t, field, n);
        return 0;
    }
    return (int64_t)(n.negative ? 0 - n.magnitude : n.magnitude);
}

uint64_t stub_term_uint(struct stub_term *t, const char *field, uint64_t max)
{
    struct number n = take_integer(t, field);

    if (n.huge || (n.negative && n.magnitude != 0) || n.magnitude > max) {
        does_not_fit(t, field, n);
        return 0;
    }
    return n.magnitude;
}

struct stub_number stub_term_number(struct stub_term *t, const char *field)
{
    struct number n = take_integer(t, field);

    if (n.huge || (n.negative && !is_within(n, INT64_MIN, INT64_MAX))) {
        does_not_fit(t, field, n);
        return (struct stub_number){0};
    }
    return (struct stub_number){
        .bits = n.negative ? 0 - n.magnitude : n.magnitude,
        .is_int32 = is_within(n, INT32_MIN, INT32_MAX),
        .is_uint32 = is_within(n, 0, UINT32_MAX),
    };
}

/* The old form of floats: 31 bytes of text, filled up with NUL. */
static double take_float_text(struct stub_term *t, const char *field)
{
    char text[32] = "", *end;
    const unsigned char *from = take(t, field, 31);
    double number;

    if (from == NULL) {
        return 0;
    }
    memcpy(text, from, 31);
    number = strtod(text, &end);
    if (end == text || *end != '\0') {
        stub_term_fail(t, field, "not a number");
    }
    return number;
}

static double take_ieee(struct stub_term *t, const char *field)
{
    uint64_t bits = (uint64_t)take_number(t, field, 4) << 32;
    double number;

    bits |= take_number(t, field, 4);
    memcpy(&number, &bits, sizeof number);
    return number;
}

double stub_term_double(struct stub_term *t, const char *field)
{
    double number = 0;

    if (take_tag(t, TAG_NEW_FLOAT)) {
        number = take_ieee(t, field);
    } else if (take_tag(t, TAG_FLOAT)) {
        number = take_float_text(t, field);
    } else {
        wrong_type(t, field, "a float");
    }
    return t->failed ? 0 : number;
}

/* Binaries, tuples, lists */

struct stub_bytes stub_term_binary(struct stub_term *t, const char *field)
{
    struct stub_bytes bytes = {NULL, 0};

    if (take_tag(t, TAG_BINARY)) {
        bytes.size = take_number(t, field, 4);
        bytes.data = take(t, field, bytes.size);
    } else {
        wrong_type(t, field, "a binary");
    }
    return t->failed ? (struct stub_bytes){NULL, 0} : bytes;
}

static unsigned checked_count(struct stub_term *t, const char *field, uint32_t count,
                              size_t smallest)
{
    if (count > t->left / smallest) {
        stub_term_fail(t, field, "%u elements can not fit in %zu bytes", count, t->left);
    }
    return t->failed ? 0 : count;
}

unsigned stub_term_tuple(struct stub_term *t, const char *field)
{
    if (take_tag(t, TAG_SMALL_TUPLE)) {
        return checked_count(t, field, take_number(t, field, 1), 1);
    }
    if (take_tag(t, TAG_LARGE_TUPLE)) {
        return checked_count(t, field, take_number(t, field, 4), 1);
    }
    wrong_type(t, field, "a tuple");
    return 0;
}

bool stub_term_tuple_of(struct stub_term *t, const char *field, unsigned arity)
{
    unsigned found = stub_term_tuple(t, field);

    if (found != arity) {
        stub_term_fail(t, field, "%u elements instead of %u", found, arity);
    }
    return !t->failed;
}

/* A tuple may have further elements, which the caller skips: how many. */
unsigned stub_term_tuple_from(struct stub_term *t, const char *field, unsigned fewest)
{
    unsigned found = stub_term_tuple(t, field);

    if (found < fewest) {
        stub_term_fail(t, field, "%u elements instead of %u", found, fewest);
    }
    return t->failed ? 0 : found - fewest;
}

/* A string is a list of bytes; its elements are then read as integers. */
struct stub_list stub_term_list(struct stub_term *t, const char *field, size_t smallest_element)
{
    struct stub_list list = {0, false};

    if (take_tag(t, TAG_STRING)) {
        list.count = checked_count(t, field, take_number(t, field, 2), 1);
        t->raw = list.count;
    } else if (take_tag(t, TAG_LIST)) {
        list.count = checked_count(t, field, take_number(t, field, 4), smallest_element);
        list.has_tail = true;
    } else if (!take_tag(t, TAG_NIL)) {
        wrong_type(t, field, "a list");
    }
    return list;
}

void stub_term_list_end(struct stub_term *t, const char *field, struct stub_list list)
{
    if (list.has_tail && !take_tag(t, TAG_NIL)) {
        wrong_type(t, field, "the end of a list");
    }
}

/* The number of terms inside the next one, whose own bytes are taken. */
static uint64_t skip_one(struct stub_term *t, const char *field)
{
    struct stub_list list;

    switch (stub_term_peek(t)) {
    case TAG_SMALL_TUPLE:
    case TAG_LARGE_TUPLE:
        return stub_term_tuple(t, field);
    case TAG_NIL:
    case TAG_STRING:
    case TAG_LIST:
        list = stub_term_list(t, field, 1);
        take(t, field, t->raw);
        t->raw = 0;
        return list.has_tail ? (uint64_t)list.count + 1 : 0;
    case TAG_BINARY:
        stub_term_binary(t, field);
        return 0;
    case TAG_FLOAT:
    case TAG_NEW_FLOAT:
        stub_term_double(t, field);
        return 0;
    default:
        if (!stub_term_at_atom(t)) {
            take_integer(t, field);
        } else {
            stub_term_atom(t, field);
        }
        return 0;
    }
}

void stub_term_skip_further(struct stub_term *t, const char *field, unsigned terms)
{
    uint64_t pending = terms;

    while (pending > 0 && !t->failed) {
        pending += skip_one(t, field) - 1;
    }
}

void stub_term_skip(struct stub_term *t, const char *field)
{
    stub_term_skip_further(t, field, 1);
}
