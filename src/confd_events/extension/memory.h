/* Frames that libconfd reads from memory.
 *
 * Linked statically, with the linker's --wrap=read, libconfd's calls of read() lead to __wrap_read(),
 * which answers.h has. A thread that has looked at a frame on a socket lends its bytes to the library,
 * and takes them off the socket when the library has had them: of many frames with one call, where the
 * library would make two for each. Whatever else reads, other threads and other descriptors, gets the system's read().
 */
#ifndef CONFD_EVENTS_MEMORY_H
#define CONFD_EVENTS_MEMORY_H

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#ifdef FRAMES_FROM_MEMORY

enum { FROM_MEMORY = 1 };

struct loan {
    int fd;    /* -1: nothing is lent */
    int error; /* what reading fails with, if anything */
    const unsigned char *bytes;
    size_t left;
};

static _Thread_local struct loan loan = {.fd = -1};

ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size) __attribute__((visibility("hidden")));

/* Behind what is lent is the end: the library asks for no more than a frame. */
static inline ssize_t read_lent(void *to, size_t size)
{
    if (loan.error != 0) {
        errno = loan.error;
        return -1;
    }
    if (size > loan.left)
        size = loan.left;
    memcpy(to, loan.bytes, size);
    loan.bytes += size;
    loan.left -= size;
    return (ssize_t)size;
}

/* Let this thread's next reads from fd have these bytes; until end_loan(). */
static inline void lend_bytes(int fd, const unsigned char *bytes, size_t size)
{
    loan = (struct loan){.fd = fd, .bytes = bytes, .left = size};
}

/* Let this thread's next reads from fd fail, for a look at the socket has taken its error. */
static inline void lend_error(int fd, int error)
{
    loan = (struct loan){.fd = error != 0 ? fd : -1, .error = error};
}

/* errno stays. */
static inline void end_loan(void)
{
    loan.fd = -1;
}

#else

enum { FROM_MEMORY = 0 };

static inline void lend_bytes(int fd, const unsigned char *bytes, size_t size)
{
    (void)fd, (void)bytes, (void)size;
}

static inline void lend_error(int fd, int error)
{
    (void)fd, (void)error;
}

static inline void end_loan(void)
{
}

#endif

#endif
