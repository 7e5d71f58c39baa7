/* The loops in C that all else is compared with. */
#include <poll.h>
#include <time.h>

#include "confd_lib.h"

#include "confd_events.h"
#include "confd_maapi.h"

void start_library(void)
{
    confd_init("benchmark", stderr, CONFD_SILENT);
}

static long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

/* Reads count notifications as the vendor documents it; returns how many it read. */
long poll_and_read(int fd, long count)
{
    struct confd_notification n;
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    for (long i = 0; i < count; i++) {
        if (poll(&wanted, 1, -1) != 1 || confd_read_notification(fd, &n) != CONFD_OK)
            return i;
        confd_free_notification(&n);
    }
    return count;
}

long read_only(int fd, long count)
{
    struct confd_notification n;

    for (long i = 0; i < count; i++) {
        if (confd_read_notification(fd, &n) != CONFD_OK)
            return i;
        confd_free_notification(&n);
    }
    return count;
}

/* As poll_and_read(), and notes the time at which each notification was there. */
long note_times(int fd, long count, long *times)
{
    struct confd_notification n;
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    for (long i = 0; i < count; i++) {
        if (poll(&wanted, 1, -1) != 1 || confd_read_notification(fd, &n) != CONFD_OK)
            return i;
        times[i] = now_ns();
        confd_free_notification(&n);
    }
    return count;
}

static enum maapi_iter_ret count_change(confd_hkeypath_t *path, enum maapi_iter_op op,
                                        confd_value_t *old, confd_value_t *new, void *count)
{
    (void)path, (void)op, (void)old, (void)new;
    ++*(long *)count;
    return ITER_RECURSE;
}

/* Returns how many changes a transaction has; -1 when that fails. */
long count_changes(int fd, int thandle)
{
    long count = 0;

    return maapi_diff_iterate(fd, thandle, count_change, 0, &count) == CONFD_OK ? count : -1;
}
