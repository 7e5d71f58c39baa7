/* Whole reads and writes on the caller's blocking socket. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "stub.h"

/* An interrupted connect() goes on in the kernel; asking again joins it. */
static bool connect_again(int sock)
{
    struct pollfd wait = {.fd = sock, .events = POLLOUT};

    if (errno == EALREADY) {
        poll(&wait, 1, -1);
        return true;
    }
    return errno == EINTR;
}

int stub_connect(int sock, const struct sockaddr *srv, int srv_sz)
{
    bool again = false;

    while (connect(sock, srv, (socklen_t)srv_sz) == -1) {
        if (again && errno == EISCONN) {
            break;
        }
        if (!connect_again(sock)) {
            return stub_fail_os("Failed to connect to ConfD");
        }
        again = true;
    }
    return CONFD_OK;
}

int stub_write(int sock, const void *data, size_t size)
{
    const unsigned char *from = data;

    while (size > 0) {
        ssize_t sent = send(sock, from, size, MSG_NOSIGNAL);
        if (sent >= 0) {
            from += sent;
            size -= (size_t)sent;
        } else if (errno != EINTR) {
            return stub_fail_os("Failed to write to ConfD");
        }
    }
    return CONFD_OK;
}

int stub_read(int sock, void *to, size_t size)
{
    unsigned char *at = to;

    while (size > 0) {
        ssize_t got = read(sock, at, size);
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        } else if (got == 0) {
            return stub_fail_eof();
        } else if (errno != EINTR) {
            return stub_fail_os("Failed to read from ConfD");
        }
    }
    return CONFD_OK;
}
