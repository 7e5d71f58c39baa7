/* The caller's socket, looked at without consuming anything.
 *
 * libconfd retries its reads on EINTR, so a signal can't end a read that blocks inside it.
 * Therefore wait out here, where a signal does interrupt, and call the library once a whole
 * frame (4-byte length and as many bytes) is there. */
#ifndef CONFD_EVENTS_FRAMES_H
#define CONFD_EVENTS_FRAMES_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "allocator.h"
#include "memory.h"
#include "terms.h"

enum { FRAME_HEADER = 4 };

static inline size_t bytes_arrived(int fd)
{
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

/* A frame may be larger than the socket's buffers; then only reading lets the rest come. So wait
 * no longer once AMPLE bytes are there (TCP may offer no window for more), nor when more than
 * STALLED are and nothing comes for WAIT_MS (a UNIX socket full of single bytes). */
enum { AMPLE = 16 * 1024, STALLED = 200 };

/* No wait is longer: a signal that came just before it began would not be noticed. */
enum { WAIT_MS = 1000 };

static inline double monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How long to wait next when all waiting ends at a time of monotonic_seconds(), or never if 0. */
static inline int wait_ms(double deadline)
{
    double left = deadline == 0 ? WAIT_MS : (deadline - monotonic_seconds()) * 1000;
    if (left <= 0)
        return 0;
    return left >= WAIT_MS ? WAIT_MS : (int)left + 1;
}

/* What makes fd unfit for libconfd, or NULL. */
static inline const char *unfit_stream(int fd)
{
    int type;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return errno == EBADF ? "is closed" : "is not a socket";
    return type == SOCK_STREAM ? NULL : "is not of type SOCK_STREAM";
}

static inline int is_non_blocking(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* What a non-blocking socket, such as Python makes of one with a timeout, had before a call. */
struct lent {
    int fd;
    int flags;
    struct timeval receive;
    struct timeval send;
};

static inline void limit_waits(int fd, const struct timeval *receive, const struct timeval *send)
{
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, receive, sizeof *receive);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, send, sizeof *send);
}

/* libconfd counts on a socket that blocks. Let it be one for a call, of which each wait is limited
 * to so many seconds; 0 for no limit. */
static inline void lend(int fd, double seconds, struct lent *lent)
{
    socklen_t size = sizeof lent->receive;
    lent->fd = fd;
    lent->flags = fcntl(fd, F_GETFL);
    if (!(lent->flags & O_NONBLOCK))
        return;
    getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &lent->receive, &size);
    getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &lent->send, &size);
    if (seconds > 0) {
        struct timeval limit = {(time_t)seconds, (suseconds_t)((seconds - (time_t)seconds) * 1e6)};
        if (limit.tv_sec == 0 && limit.tv_usec == 0)
            limit.tv_usec = 1;
        limit_waits(fd, &limit, &limit);
    }
    fcntl(fd, F_SETFL, lent->flags & ~O_NONBLOCK);
}

/* errno stays. */
static inline void take_back(const struct lent *lent)
{
    int saved = errno;
    if (lent->flags & O_NONBLOCK) {
        fcntl(lent->fd, F_SETFL, lent->flags);
        limit_waits(lent->fd, &lent->receive, &lent->send);
    }
    errno = saved;
}

/* Can a few bytes be written? Waits for that for so many seconds. */
static inline int has_room(int fd, double seconds)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    return poll(&wanted, 1, seconds > 1e6 ? -1 : (int)(seconds * 1000)) != 0;
}

/* Bytes for what is not read yet, if the system allows. TCP lets more come only when a whole segment
 * has room, of 64 KB on one host. With the default, a segment of which but the first part of a
 * frame is left may take it: then the rest would not come before that part is read. */
enum { ROOM = 1024 * 1024 };

static inline void make_room(int fd)
{
    int room = 0, wanted = ROOM;
    socklen_t size = sizeof room;
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &size);
    if (room < wanted)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
}

/* Many frames for a burst, and one for who asks for one: copying more would cost more than the look. */
enum { SEEN_AT_MOST = 64 * 1024, SEEN_FOR_ONE = 512 };

/* What a look at a stream has shown. It stays true until somebody else reads from the stream. */
struct view {
    int fd;
    int error;   /* what the look took of the stream, in place of bytes */
    size_t size; /* bytes that were seen */
    size_t at;   /* of them, those that have been read since */
    size_t owed; /* of those, how many are still on the socket, for they were read from here */
    unsigned char bytes[SEEN_AT_MOST];
};

static inline void forget(struct view *view)
{
    view->size = view->at = view->owed = 0;
}

/* The size of the frame of which so many bytes have been seen; 0 when those are not its beginning. */
static inline size_t size_of_frame(const unsigned char *frame, size_t seen)
{
    uint32_t length;
    if (seen < FRAME_HEADER)
        return 0;
    memcpy(&length, frame, FRAME_HEADER);
    length = ntohl(length);
    return seen - FRAME_HEADER < (length < BEGINNING ? length : BEGINNING)
               ? 0 : FRAME_HEADER + (size_t)length;
}

/* A frame that was passed may reach beyond what was seen. */
static inline size_t frame_size(const struct view *view, size_t at)
{
    return at < view->size ? size_of_frame(view->bytes + at, view->size - at) : 0;
}

/* A larger part of a frame is not looked at. */
enum { LOOKED_AT = 1024 * 1024 };

/* What is wrong with the frame at the head of a stream, or NULL, and its size; more: as for
 * bad_notification(). As much of it as has arrived is looked at. It does not look at an empty socket:
 * a recv() would take a pending error that the library shall report. */
static inline const char *bad_frame_at(int fd, uint64_t more, size_t *size)
{
    unsigned char near[4096], *far = NULL, *bytes = near;
    const char *bad;
    size_t arrived = bytes_arrived(fd), room = arrived < LOOKED_AT ? arrived : LOOKED_AT;
    ssize_t seen;
    if (room > sizeof near && (far = malloc(room)) != NULL)
        bytes = far;
    else if (room > sizeof near)
        room = sizeof near;
    seen = room > 0 ? recv(fd, bytes, room, MSG_PEEK | MSG_DONTWAIT) : 0;
    *size = seen > 0 ? size_of_frame(bytes, (size_t)seen) : 0;
    bad = *size == 0 ? NULL
                     : bad_notification(bytes + FRAME_HEADER, *size - FRAME_HEADER,
                                        (size_t)seen - FRAME_HEADER, more);
    free(far);
    return bad;
}

/* The same for the frame that is next in the view. Where that is not there as a whole, the stream
 * must begin with it: settle() comes before. */
static inline const char *bad_frame(const struct view *view, uint64_t more)
{
    size_t size = frame_size(view, view->at), seen = view->size - view->at;
    if (size > seen)
        return bad_frame_at(view->fd, more, &size);
    return bad_notification(view->bytes + view->at + FRAME_HEADER, size - FRAME_HEADER,
                            seen - FRAME_HEADER, more);
}

/* Is the next frame in the view as a whole, so that the library can have it from there? */
static inline int is_in_view(const struct view *view)
{
    return FROM_MEMORY && frame_size(view, view->at) <= view->size - view->at;
}

/* Was there no more than the view shows, all of which has been read? */
static inline int saw_all(const struct view *view)
{
    return FROM_MEMORY && view->size > 0 && view->size < SEEN_AT_MOST && view->at <= view->size;
}

/* The next frame is about to be read: from the view, if it is there as a whole. */
static inline void pass_frame(struct view *view)
{
    size_t size = frame_size(view, view->at);
    if (is_in_view(view)) {
        lend_bytes(view->fd, view->bytes + view->at, size);
        view->owed += size;
    }
    view->at += size;
}

/* Take off the socket what was read from the view. False when it is not there any more. */
static inline int settle(struct view *view)
{
    static unsigned char dropped[SEEN_AT_MOST]; /* TCP, with MSG_TRUNC, writes nothing into it */
    while (view->owed > 0) {
        ssize_t got = recv(view->fd, dropped, view->owed, MSG_TRUNC | MSG_DONTWAIT);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            forget(view);
            return 0;
        }
        view->owed -= got > 0 ? (size_t)got : 0;
    }
    return 1;
}

static inline void look(int fd, struct view *view, size_t wanted)
{
    ssize_t seen = recv(fd, view->bytes, wanted, MSG_PEEK | MSG_DONTWAIT);
    view->fd = fd;
    view->error = seen < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
    view->size = seen > 0 ? (size_t)seen : 0;
    view->at = view->owed = 0;
}

/* A view of what is next; how many bytes are there, at least. It is a new one each time: with an old
 * one, a frame would be awaited with the lock held if somebody else had read from the socket. Where
 * libconfd reads for itself, FIONREAD comes first, for a look would take a pending error from an
 * empty socket, and the library shall report that. */
static inline size_t look_ahead(int fd, struct view *view, int most)
{
    size_t arrived = FROM_MEMORY ? 0 : bytes_arrived(fd);
    if (!FROM_MEMORY && arrived == 0) {
        forget(view);
        return 0;
    }
    look(fd, view, most == 1 ? SEEN_FOR_ONE : FROM_MEMORY ? SEEN_AT_MOST : SEEN_AT_MOST / 4);
    if (!FROM_MEMORY)
        return arrived;
    if (view->size == SEEN_FOR_ONE && !is_in_view(view))
        look(fd, view, SEEN_AT_MOST);
    return view->size;
}

/* How many whole frames have arrived, as far as the view reaches, at most so many. Never blocks.
 * -1 when the look took an error from the socket, which the library is to report. */
static inline int whole_frames(int fd, struct view *view, int most)
{
    size_t arrived = look_ahead(fd, view, most), end = 0, size;
    int count = 0;
    while (count < most && (size = frame_size(view, view->at + end)) > 0) {
        end += size;
        if (end > arrived && !(FROM_MEMORY && end <= bytes_arrived(fd)))
            break;
        count++;
    }
    return count == 0 && view->error != 0 ? -1 : count;
}

/* Is a whole frame there? Never blocks. */
static inline int whole_frame(int fd)
{
    uint32_t length;
    size_t arrived = bytes_arrived(fd);
    return arrived >= FRAME_HEADER &&
           recv(fd, &length, FRAME_HEADER, MSG_PEEK | MSG_DONTWAIT) == FRAME_HEADER &&
           arrived >= FRAME_HEADER + (size_t)ntohl(length);
}

enum growth { INTERRUPTED, STALLS, GROWS, ENDS };

/* Edge-triggered: a level-triggered poll would return at once, for the part that is there. */
static inline int open_watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
    int watch = epoll_create1(EPOLL_CLOEXEC);
    if (watch >= 0 && epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(watch);
        watch = -1;
    }
    return watch;
}

static inline enum growth await_growth(int watch, int milliseconds)
{
    struct epoll_event event;
    int events = epoll_wait(watch, &event, 1, milliseconds);
    if (events < 0)
        return errno == EINTR ? INTERRUPTED : ENDS;
    if (events == 0)
        return milliseconds == WAIT_MS ? STALLS : INTERRUPTED;
    return event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? ENDS : GROWS;
}

/* What a wait has shown. UNFINISHED: the end of the stream, an error, or a part of a frame of which
 * more comes only while it is read. */
enum sight { NOTHING, WHOLE, UNFINISHED };

/* Out of descriptors, so without a watch: wait a moment for the end alone, then look. */
static inline enum sight look_again(int fd, int milliseconds)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};
    int over = poll(&end, 1, milliseconds < 10 ? milliseconds : 10) > 0;
    if (whole_frame(fd))
        return WHOLE;
    return over || bytes_arrived(fd) >= STALLED ? UNFINISHED : NOTHING;
}

/* Block until the rest of a frame has arrived, or nothing but reading helps. NOTHING: look at
 * signals and the clock, and call again. */
static inline enum sight await_rest(int fd, double end)
{
    enum growth growth = GROWS;
    int watch = open_watch(fd);
    if (watch < 0)
        return look_again(fd, wait_ms(end));
    while (!whole_frame(fd) && bytes_arrived(fd) < AMPLE) {
        growth = await_growth(watch, wait_ms(end));
        if (growth != GROWS)
            break;
    }
    close(watch);
    if (growth == GROWS && whole_frame(fd))
        return WHOLE;
    return growth == GROWS || growth == ENDS ||
           (growth == STALLS && bytes_arrived(fd) >= STALLED) ? UNFINISHED : NOTHING;
}

/* Block until there is something to read. NOTHING: look at signals and the clock, and call
 * again. */
static inline enum sight await_frame(int fd, int milliseconds)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN | POLLRDHUP};
    double end = milliseconds > 0 ? monotonic_seconds() + milliseconds / 1e3 : 0;
    /* Not by a blocking recv(): it would take a pending error that the library shall report. */
    int ready = poll(&wanted, 1, milliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return NOTHING;
    if (whole_frame(fd))
        return WHOLE;
    if (wanted.revents != POLLIN)
        return UNFINISHED;
    return milliseconds > 0 ? await_rest(fd, end) : NOTHING;
}

#endif
