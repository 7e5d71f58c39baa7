/* A frame that is taken off its socket piece by piece, as it comes.
 *
 * libconfd reads a frame in one go and waits for all of it: neither a signal nor a deadline ends
 * that. So what may be larger than the socket's buffers is gathered here, and the library gets it
 * once it is whole. */
#ifndef CONFD_EVENTS_PIECES_H
#define CONFD_EVENTS_PIECES_H

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frames.h"

struct pieces {
    ino_t stream;    /* the socket: its descriptor may be that of another one by now */
    size_t size;     /* of the whole frame */
    size_t held;     /* bytes that have been taken */
    size_t room;     /* for so many */
    const char *bad; /* what is wrong with the frame: then no bytes are kept */
    unsigned char *bytes;
};

/* Which socket is behind a descriptor; 0 if there is none. */
static inline ino_t stream_behind(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

/* A frame whose first bytes are on the socket. False when those say no size, or one that the library
 * refuses: then it is to be asked. more: as for bad_notification(). */
static inline int begin_pieces(int fd, uint64_t more, struct pieces *pieces)
{
    *pieces = (struct pieces){.stream = stream_behind(fd)};
    pieces->bad = bad_frame_at(fd, more, &pieces->size);
    return pieces->size > 0 && pieces->size <= INT_MAX;
}

/* Memory is taken for what comes, not for what a length announces. */
static inline int make_place(struct pieces *pieces)
{
    size_t room = pieces->room < SEEN_AT_MOST ? SEEN_AT_MOST : 2 * pieces->room;
    unsigned char *bytes;
    if (pieces->bad != NULL || pieces->held < pieces->room)
        return 1;
    room = room < pieces->size ? room : pieces->size;
    bytes = realloc(pieces->bytes, room);
    if (bytes == NULL)
        return 0;
    pieces->bytes = bytes;
    pieces->room = room;
    return 1;
}

static inline ssize_t take_piece(int fd, struct pieces *pieces)
{
    unsigned char dropped[4096];
    size_t left = pieces->size - pieces->held, place = pieces->room - pieces->held;
    if (pieces->bad != NULL)
        return recv(fd, dropped, left < sizeof dropped ? left : sizeof dropped, MSG_DONTWAIT);
    return recv(fd, pieces->bytes + pieces->held, place, MSG_DONTWAIT);
}

enum taking { TAKEN, TAKES, ENDED, NO_MEMORY };

/* Take what is there; when nothing is, wait so long for something. TAKES: look at signals and the
 * clock, and call again. ENDED: the stream does, or has an error, of which the library is to tell. */
static inline enum taking take_pieces(int fd, struct pieces *pieces, int milliseconds)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    if (bytes_arrived(fd) == 0) {
        int ready = poll(&wanted, 1, milliseconds);
        /* Not by recv(): it would take the error from the socket. */
        return ready > 0 && bytes_arrived(fd) == 0 ? ENDED : TAKES;
    }
    if (stream_behind(fd) != pieces->stream)
        return ENDED; /* closed by another thread, while this one waited */
    while (pieces->held < pieces->size && bytes_arrived(fd) > 0) {
        ssize_t got;
        if (!make_place(pieces))
            return NO_MEMORY;
        got = take_piece(fd, pieces);
        if (got <= 0)
            return TAKES;
        pieces->held += (size_t)got;
    }
    return pieces->held < pieces->size ? TAKES : TAKEN;
}

enum { CLOSED_BY_EXEC = 1 }; /* MFD_CLOEXEC, which an old glibc does not name */

/* A file in memory with these bytes, for a library that reads for itself; -1 with errno set. */
static inline int file_of_bytes(const unsigned char *bytes, size_t size)
{
    int fd = (int)syscall(SYS_memfd_create, "confd_events", CLOSED_BY_EXEC);
    size_t at = 0;
    while (fd >= 0 && at < size) {
        ssize_t put = write(fd, bytes + at, size - at);
        if (put <= 0) {
            int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        at += (size_t)put;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

/* Where the library reads the frame: the socket, when it can be lent the bytes. -1: errno says why
 * not. */
static inline int lend_pieces(int fd, const struct pieces *pieces)
{
    if (!FROM_MEMORY)
        return file_of_bytes(pieces->bytes, pieces->size);
    lend_bytes(fd, pieces->bytes, pieces->size);
    return fd;
}

/* errno stays. */
static inline void end_pieces(int fd, int lent)
{
    int saved = errno;
    end_loan();
    if (lent != fd)
        close(lent);
    errno = saved;
}

/* The seconds after which reads that wait give up, 0 for never. */
static inline double receive_limit(int fd)
{
    struct timeval limit = {0};
    socklen_t size = sizeof limit;
    getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &size);
    return (double)limit.tv_sec + (double)limit.tv_usec / 1e6;
}

#endif
