/* Whole reads and writes on the caller's blocking socket. */
#include <errno.h>
#include <unistd.h>

#include "stub.h"

/* Of an interrupted connect() the real library makes an error, too. */
int stub_connect(int sock, const struct sockaddr *srv, int srv_sz)
{
    return connect(sock, srv, (socklen_t)srv_sz) == 0
               ? CONFD_OK : stub_fail_os("Failed to connect to ConfD");
}

static bool is_lost(void)
{
    return errno == EPIPE || errno == ECONNRESET;
}

static int fail_on(const char *what, size_t size, const char *whom)
{
    char doing[64];

    snprintf(doing, sizeof doing, "Failed to %s %zu bytes %s ConfD", what, size, whom);
    return stub_fail_os(doing);
}

/* With write(2), so that SIGPIPE comes of a lost connection. */
int stub_write(int sock, const void *data, size_t size)
{
    const unsigned char *from = data;

    for (size_t left = size; left > 0;) {
        ssize_t sent = write(sock, from, left);
        if (sent >= 0) {
            from += sent;
            left -= (size_t)sent;
        } else if (is_lost()) {
            return stub_fail(CONFD_ERR_EOF, "Socket to ConfD is closed");
        } else if (errno != EINTR) {
            return fail_on("write", size, "to");
        }
    }
    return CONFD_OK;
}

int stub_read(int sock, void *to, size_t size)
{
    unsigned char *at = to;

    for (size_t left = size; left > 0;) {
        ssize_t got = read(sock, at, left);
        if (got > 0) {
            at += got;
            left -= (size_t)got;
        } else if (got == 0 || is_lost()) {
            return stub_fail_eof();
        } else if (errno != EINTR) {
            return fail_on("read", size, "from");
        }
    }
    return CONFD_OK;
}
