/* What a daemon answers to libconfd's own calls, looked at before libconfd gets it.
 *
 * Connecting, loading schemas and MAAPI read from the socket within one call. Where libconfd's read()
 * leads here, see memory.h, a thread that makes such a call takes each answer off the socket as a
 * whole, and lets the library have it when its terms fit. Elsewhere the library reads for itself. */
#ifndef CONFD_EVENTS_ANSWERS_H
#define CONFD_EVENTS_ANSWERS_H

#include <signal.h>
#include <stdlib.h>

#include "frames.h"

/* What was asked, and so what is awaited. */
enum question { OTHERWISE, TO_SUBSCRIBE, TO_ATTACH, TO_DETACH, TO_GET_ELEMENT, TO_ITERATE,
                TO_LOAD_SCHEMAS };

/* What stands before the term: most answers of MAAPI repeat the operation's number. */
enum form { EITHER, BARE, NUMBERED };

struct awaited {
    const char *call;
    enum form form;
    unsigned char shape;
};

static const struct awaited awaited[] = {
    [OTHERWISE] = {"a call of MAAPI", EITHER, any_SHAPE},
    [TO_SUBSCRIBE] = {"confd_notifications_connect()", BARE, any_SHAPE},
    [TO_ATTACH] = {"maapi_attach2()", NUMBERED, any_SHAPE},
    [TO_DETACH] = {"maapi_detach2()", NUMBERED, any_SHAPE},
    [TO_GET_ELEMENT] = {"maapi_get_elem()", NUMBERED, value_SHAPE},
    [TO_ITERATE] = {"maapi_diff_iterate()", BARE, answer_change_SHAPE},
    [TO_LOAD_SCHEMAS] = {"maapi_load_schemas()", BARE, any_SHAPE},
};

/* How a thread waits for answers that a signal or a clock may end. */
struct patience {
    const sigset_t *held; /* the signals that are blocked while it waits; all are, else */
    double each;          /* seconds of a wait, or less than 0 for no limit */
    double until;         /* of monotonic_seconds(), or 0 for ever */
    int (*interrupted)(void *of); /* after a signal: is it to end? */
    void *of;
    int is_over; /* the time is */
};

/* The answers to one call. A call within another, as when garbage is collected, has its own. */
struct answers {
    int fd;
    const struct awaited *awaited;
    unsigned char *bytes; /* the latest answer, with its length */
    size_t size;
    size_t at; /* what the library has read of it */
    size_t room;
    struct patience *patience; /* NULL: read() waits */
    char bad[TEXT_SIZE]; /* what is wrong with it: then the library gets no more; or "" */
    struct answers *outer;
};

/* Bytes of an answer that are shown: no more than the head of a value, which may be a secret. */
enum { ANSWER_BYTES = 10 };

enum { WORD_SIZE = 4, REFUSED = 0x80 };

/* Before the term of an answer are so many bytes. */
static inline size_t before_term(const unsigned char *answer, size_t size, enum form form)
{
    if (form == BARE || (form == EITHER && size > 0 && answer[0] == VERSION))
        return 0;
    return size > 0 && answer[0] & REFUSED ? 2 * WORD_SIZE : WORD_SIZE;
}

/* Terms that are known to be whole */

static inline struct head head_at(place at, place end)
{
    struct walk walk = {.at = at, .seen = (size_t)(end - at)};
    struct head head = {.kind = A_NIL, .bytes = walk.seen};
    head_of(&walk, &head);
    return head;
}

/* Where the term ends that begins there. */
static inline place end_of(place at, place end)
{
    for (size_t left = 1; left > 0 && at < end; left--) {
        struct head head = head_at(at, end);
        at += head.bytes;
        if (head.kind == A_TUPLE || head.kind == A_LIST)
            left += head.count + (head.kind == A_LIST);
    }
    return at;
}

/* An element of a tuple, or an item of a list, that has so many. */
static inline place element_at(place tuple, place end, unsigned number)
{
    place at = tuple + head_at(tuple, end).bytes;
    while (number-- > 0)
        at = end_of(at, end);
    return at;
}

static inline int is_text_at(place at, place end, const char *text)
{
    struct head head = head_at(at, end);
    size_t size = strlen(text);
    return (head.kind == A_ATOM || head.kind == A_BINARY) && head.count == size &&
           memcmp(at + head.bytes - size, text, size) == 0;
}

/* The number there; more than any number may be for what is none, or is negative. */
static inline uint64_t number_at(place at, place end)
{
    struct head head = head_at(at, end);
    struct number number;
    if (head.kind != A_INTEGER || read_number(at, &head, &number) != FITS || number.is_negative ||
        number.is_big)
        return UINT64_MAX;
    return number.bits;
}

/* Of a term, which is known to be whole; the byte before it is not looked at. */
static inline enum finding fits_shape(struct walk *w, place at, place end, int shape)
{
    return walk_term(w, at - 1, (size_t)(end - at) + 1, (size_t)(end - at) + 1, &shapes[shape]);
}

/* libconfd looks for a path in any other atom. */
static inline int ends_changes(place atom, place end)
{
    return is_text_at(atom, end, "return") || is_text_at(atom, end, "error") ||
           is_text_at(atom, end, "badstate");
}

/* The new value of a change, of which the operation decides what it is. */
static inline enum finding look_at_change(struct walk *walk, place change, place end)
{
    place operation, new;
    uint64_t number;
    if (head_at(element_at(change, end, 0), end).kind == A_ATOM)
        return ends_changes(element_at(change, end, 0), end) ? FITS : UNKNOWN_END;
    operation = element_at(change, end, 1);
    new = element_at(change, end, 3);
    number = number_at(operation, end);
    if (is_text_at(new, end, "undefined"))
        return FITS;
    return fits_shape(walk, new, end_of(new, end),
                      number == MOP_MOVED_AFTER ? answer_keys_SHAPE
                      : number == MOP_ATTR_SET  ? answer_attribute_SHAPE
                                                : value_SHAPE);
}

/* What is wrong with an answer; FITS if nothing is. */
static inline enum finding look_at_answer(struct answers *a, const unsigned char *answer,
                                          size_t size, struct walk *walk)
{
    const struct awaited *of = a->awaited;
    enum finding found;
    size_t head = before_term(answer, size, of->form);
    const struct shape *shape =
        &shapes[head > WORD_SIZE ? answer_refusal_SHAPE : of->shape];
    walk->depth = 0;
    if (size < head)
        return CUT;
    if (size == head && head > 0)
        return of->shape == any_SHAPE || head > WORD_SIZE ? FITS : CUT;
    if (size == head || answer[head] != VERSION)
        return NO_TERM;
    if (!fits_quickly(answer + head, size - head, shape) &&
        (found = walk_term(walk, answer + head, size - head, size - head, shape)) != FITS)
        return found;
    return of == &awaited[TO_ITERATE] ? look_at_change(walk, answer + head + 1, answer + size) : FITS;
}

/* Says what is wrong with an answer; 0 if nothing is. */
static inline int is_bad_answer(struct answers *a)
{
    struct text text = {a->bad, sizeof a->bad};
    const unsigned char *answer = a->bytes + FRAME_HEADER;
    size_t size = a->size - FRAME_HEADER;
    struct walk walk;
    enum finding found = look_at_answer(a, answer, size, &walk);
    if (found == FITS)
        return 0;
    add(&text, "Bad answer to %s", a->awaited->call);
    add_finding(&text, &walk, found, answer, size < ANSWER_BYTES ? size : ANSWER_BYTES);
    return 1;
}

#ifdef FRAMES_FROM_MEMORY

static _Thread_local struct answers *asking;

static inline void begin_answers(struct answers *a, int fd, enum question question,
                                 struct patience *patience)
{
    *a = (struct answers){
        .fd = fd, .awaited = &awaited[question], .patience = patience, .outer = asking};
    asking = a;
}

/* errno stays. */
static inline void end_answers(struct answers *a)
{
    int saved = errno;
    asking = a->outer;
    free(a->bytes);
    errno = saved;
}

/* After it, library and daemon are out of step: nothing more is to be read. */
static int refuse(struct answers *a)
{
    shutdown(a->fd, SHUT_RDWR);
    errno = EPROTO;
    return -1;
}

/* The seconds that a wait may take, or less than 0. */
static double patience_left(const struct patience *p)
{
    double left = p->until - monotonic_seconds();
    if (p->until == 0)
        return p->each;
    left = left > 0 ? left : 0;
    return p->each >= 0 && p->each < left ? p->each : left;
}

/* Wait until there is something to read. -1: errno says why not. */
static int await_bytes(struct answers *a)
{
    struct patience *p = a->patience;
    struct pollfd wanted = {.fd = a->fd, .events = POLLIN};
    int ready;
    do {
        double left = patience_left(p);
        struct timespec limit = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
        ready = ppoll(&wanted, 1, left < 0 ? NULL : &limit, p->held);
        if (ready < 0 && (errno != EINTR || p->interrupted(p->of)))
            return refuse(a);
    } while (ready < 0);
    if (ready > 0)
        return 0;
    p->is_over = p->until != 0 && monotonic_seconds() >= p->until;
    errno = EAGAIN;
    return p->is_over ? refuse(a) : -1;
}

/* As read(), which a signal does not end. */
static ssize_t read_some(struct answers *a, void *to, size_t size)
{
    ssize_t got;
    do {
        got = a->patience == NULL ? __real_read(a->fd, to, size)
                                  : recv(a->fd, to, size, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN && a->patience != NULL) {
            if (await_bytes(a) < 0)
                return -1;
            errno = EINTR;
        }
    } while (got < 0 && errno == EINTR);
    return got;
}

/* As much as there is up to the end of the stream: never less for another reason, so that the
 * library asks for the bytes of a length only where a frame begins. */
static ssize_t read_all(struct answers *a, unsigned char *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read_some(a, to + done, size - done);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* Memory is taken for what comes, not for what a length announces. */
static int make_room_for(struct answers *a, size_t whole)
{
    size_t room = a->room < SEEN_FOR_ONE ? SEEN_FOR_ONE : 2 * a->room;
    unsigned char *bytes;
    if (a->size < a->room)
        return 1;
    room = room < whole ? room : whole;
    bytes = realloc(a->bytes, room);
    if (bytes == NULL)
        return 0;
    a->bytes = bytes;
    a->room = room;
    return 1;
}

/* Take so many bytes of an answer; fewer at the end of the stream. -1: errno says why not. */
static int take_bytes(struct answers *a, size_t whole)
{
    while (a->size < whole) {
        size_t wanted;
        ssize_t got;
        if (!make_room_for(a, whole))
            return -1;
        wanted = (whole < a->room ? whole : a->room) - a->size;
        got = read_all(a, a->bytes + a->size, wanted);
        if (got < 0)
            return -1;
        a->size += (size_t)got;
        if ((size_t)got < wanted)
            break;
    }
    return 0;
}

static int take_answer(struct answers *a)
{
    size_t length;
    a->size = a->at = 0;
    if (take_bytes(a, FRAME_HEADER) < 0)
        return -1;
    if (a->size < FRAME_HEADER)
        return 0;
    length = length_at(a->bytes, FRAME_HEADER);
    if (length == 0)
        return 0; /* to the library, that is the end */
    if (length > INT_MAX) {
        struct text text = {a->bad, sizeof a->bad};
        add(&text, "Bad answer to %s: a length of %zu", a->awaited->call, length);
        return refuse(a);
    }
    if (take_bytes(a, FRAME_HEADER + length) < 0)
        return -1;
    return a->size == FRAME_HEADER + length && is_bad_answer(a) ? refuse(a) : 0;
}

static ssize_t read_answer(struct answers *a, void *to, size_t size)
{
    if (a->bad[0] != '\0')
        return refuse(a);
    if (a->at == a->size) {
        if (size != FRAME_HEADER)
            return read_all(a, to, size); /* the handshake */
        if (take_answer(a) < 0)
            return -1;
    }
    if (size > a->size - a->at)
        size = a->size - a->at;
    memcpy(to, a->bytes + a->at, size);
    a->at += size;
    return (ssize_t)size;
}

/* What libconfd's calls of read() lead to. */
ssize_t __wrap_read(int fd, void *to, size_t size)
{
    if (fd == loan.fd)
        return read_lent(to, size);
    if (asking != NULL && fd == asking->fd)
        return read_answer(asking, to, size);
    return __real_read(fd, to, size);
}

#else

static inline void begin_answers(struct answers *a, int fd, enum question question,
                                 struct patience *patience)
{
    (void)fd, (void)question, (void)patience;
    a->bad[0] = '\0';
}

static inline void end_answers(struct answers *a)
{
    (void)a;
}

#endif

#endif
