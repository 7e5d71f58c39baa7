/* The extension's check of frames before the stub's decoder, as it is in front of libconfd.
 *
 * It gets copies of exactly the bytes that it may look at, so that a read beyond them is seen: the
 * whole term, and a part of it as when a frame has not arrived whole. Where the quick look finds that
 * a term fits, the walk must find the same. */
#ifndef CHECKED_H
#define CHECKED_H

#include <stdlib.h>
#include <string.h>

#include "terms.h"

static void compare_looks(const uint8_t *term, size_t size)
{
    static struct walk walk;

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        /* The number of a list that is counted is in the tuple around it. */
        if (!shapes[i].counted && fits_quickly(term, size, &shapes[i]) &&
            walk_term(&walk, term, size, size, &shapes[i]) != FITS) {
            fprintf(stderr, "fits quickly, but not in the walk: %s\n", shapes[i].what);
            abort();
        }
    }
}

static bool is_bad(const uint8_t *term, size_t size, size_t seen)
{
    uint8_t *copy = malloc(seen);
    const char *bad;

    memcpy(copy, term, seen);
    if (seen == size) {
        compare_looks(copy, size);
    }
    bad = bad_notification(copy, size, seen, WITH_PAYLOAD);
    free(copy);
    return bad != NULL;
}

/* The size of the frame that is refused at the head of the stream, or 0. */
static size_t refused(const uint8_t *stream, size_t left)
{
    enum { LENGTH = 4 };
    size_t size = left < LENGTH ? 0 : length_at(stream, LENGTH);
    size_t part = BEGINNING;

    if (size == 0 || size > left - LENGTH) {
        return 0; /* the end of the stream, for the library */
    }
    stream += LENGTH;
    if (is_bad(stream, size, size)) {
        return LENGTH + size;
    }
    for (; part < size; part += part / 2) {
        if (is_bad(stream, size, part)) {
            fprintf(stderr, "refused in part, but not as a whole\n");
            abort();
        }
    }
    return 0;
}

#endif
