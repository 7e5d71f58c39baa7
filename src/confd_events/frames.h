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

/* Block until the rest of a frame has arrived, or nothing but reading helps. 0: look at signals
 * and the clock, and call again. */
static inline int await_rest(int fd, int milliseconds)
{
    enum growth growth = GROWS;
    int watch = open_watch(fd);
    if (watch < 0)
        return 1; /* out of descriptors */
    while (!whole_frame(fd) && bytes_arrived(fd) < AMPLE) {
        growth = await_growth(watch, milliseconds);
        if (growth != GROWS)
            break;
    }
    close(watch);
    return growth == GROWS || growth == ENDS ||
           (growth == STALLS && bytes_arrived(fd) >= STALLED);
}

/* Block until the library can read without blocking: a frame, the end of the stream, or an error
 * is there. 0: nothing yet; look at signals and the clock, and call again. */
static inline int await_frame(int fd, int milliseconds)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    if (whole_frame(fd))
        return 1;
    /* Not by a blocking recv(): it would take a pending error that the library shall report. */
    int ready = poll(&wanted, 1, milliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return 0;
    return wanted.revents != POLLIN || whole_frame(fd) || await_rest(fd, milliseconds);
}

#endif
