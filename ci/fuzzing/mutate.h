/* Changes to frames: a 4-byte length and a term in Erlang's external format. */
#ifndef MUTATE_H
#define MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Changes the frame of "size" bytes in place; it may grow to "most". Parts come from "other",
 * which must lie elsewhere. Returns the new size. The length at its head is that of the term,
 * except after a change that lies about it: then *in_step is 0. The same seed, the same change. */
extern size_t mutate_frame(uint8_t *frame, size_t size, size_t most, const uint8_t *other,
                           size_t other_size, uint64_t seed, int *in_step);

/* The same with other numbers, texts and lengths of lists in it, but nothing that a daemon could not
 * send: for libraries that do not check what they read. */
extern size_t vary_frame(uint8_t *frame, size_t size, size_t most, uint64_t seed);

/* A frame with a length that is right and random bytes. */
extern size_t random_frame(uint8_t *frame, size_t most, uint64_t seed);

#endif
