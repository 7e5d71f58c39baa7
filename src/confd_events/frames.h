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
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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
    if (type != SOCK_STREAM)
        return "is not of type SOCK_STREAM";
    if (fcntl(fd, F_GETFL) & O_NONBLOCK)
        return "is in non-blocking mode or has a timeout; call setblocking(True) first";
    return NULL;
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

/* What a look at a stream has shown. It stays true until somebody else reads from the stream. */
struct view {
    int fd;
    size_t size; /* bytes that were seen */
    size_t at;   /* of them, those that have been read since */
    unsigned char bytes[16 * 1024];
};

static inline void forget(struct view *view)
{
    view->size = view->at = 0;
}

/* The size of the frame that begins there; 0 when its length has not been seen. */
static inline size_t frame_size(const struct view *view, size_t at)
{
    uint32_t length;
    if (at + FRAME_HEADER > view->size)
        return 0;
    memcpy(&length, view->bytes + at, FRAME_HEADER);
    return FRAME_HEADER + (size_t)ntohl(length);
}

/* The next frame is about to be read. */
static inline void pass_frame(struct view *view)
{
    view->at += frame_size(view, view->at);
}

/* How many whole frames have arrived, as far as the view reaches, at most so many. Never blocks.
 * FIONREAD comes first, for a recv() would take a pending error from an empty socket, and the
 * library shall report that. It also tells whether all that was seen is still there. */
static inline int whole_frames(int fd, struct view *view, int most)
{
    size_t arrived = bytes_arrived(fd), end = 0, size;
    int count = 0;
    if (view->fd != fd || frame_size(view, view->at) == 0 || arrived < view->size - view->at) {
        ssize_t seen = arrived == 0 ? 0 : recv(fd, view->bytes, sizeof view->bytes,
                                               MSG_PEEK | MSG_DONTWAIT);
        view->fd = fd;
        view->at = 0;
        view->size = seen > 0 ? (size_t)seen : 0;
    }
    while (count < most && (size = frame_size(view, view->at + end)) > 0) {
        end += size;
        if (end > arrived)
            break;
        count++;
    }
    return count;
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
 * more comes only while it is read, so that only the library knows; it may block. */
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
static inline enum sight await_rest(int fd, int milliseconds)
{
    enum growth growth = GROWS;
    int watch = open_watch(fd);
    if (watch < 0)
        return look_again(fd, milliseconds);
    while (!whole_frame(fd) && bytes_arrived(fd) < AMPLE) {
        growth = await_growth(watch, milliseconds);
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
    /* Not by a blocking recv(): it would take a pending error that the library shall report. */
    int ready = poll(&wanted, 1, milliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return NOTHING;
    if (whole_frame(fd))
        return WHOLE;
    if (wanted.revents != POLLIN)
        return UNFINISHED;
    /* Who does not wait at all must not be left to a library that waits for the rest. */
    return milliseconds > 0 ? await_rest(fd, milliseconds) : NOTHING;
}

#endif
