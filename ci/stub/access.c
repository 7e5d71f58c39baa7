/* The access check: MD5 of the secret and the daemon's challenge. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stub.h"

enum { CHALLENGE = 0x0b, RESPONSE = 0x0c, ACCEPTED = 0 };

static bool known;
static struct stub_md5 of_secret;

static const char *secret_file(void)
{
    const char *file = getenv("CONFD_IPC_ACCESS_FILE");

    return file != NULL ? file : getenv("NCS_IPC_ACCESS_FILE");
}

/* A secret ends at a NUL. */
static bool add_file(int fd)
{
    unsigned char piece[512];
    size_t size;
    ssize_t got;

    do {
        got = read(fd, piece, sizeof piece);
        size = got > 0 ? strnlen((const char *)piece, (size_t)got) : 0;
        stub_md5_add(&of_secret, piece, size);
        known = known || size > 0;
    } while ((got > 0 && size == (size_t)got) || (got < 0 && errno == EINTR));
    return got >= 0;
}

/* Once, by confd_init(). A file that can not be read, or is empty, is none. */
void stub_secret_load(void)
{
    const char *file = secret_file();
    int fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;

    known = false;
    if (fd != -1) {
        stub_md5_begin(&of_secret);
        known = add_file(fd) && known;
        close(fd);
    }
}

bool stub_secret_is_known(void)
{
    return known;
}

static int fail(const char *text)
{
    return stub_fail(CONFD_ERR_PROTOUSAGE, "%s", text);
}

/* A daemon without a secret answers something else, or closes. */
int stub_secret_prove(int sock)
{
    unsigned char challenge[17], response[17] = {RESPONSE}, verdict;
    struct stub_md5 md5 = of_secret;

    if (stub_read(sock, challenge, sizeof challenge) != CONFD_OK) {
        return fail("Access check failed");
    }
    if (challenge[0] != CHALLENGE) {
        return fail("Access denied");
    }
    stub_md5_add(&md5, challenge + 1, sizeof challenge - 1);
    stub_md5_end(&md5, response + 1);
    if (stub_write(sock, response, sizeof response) != CONFD_OK ||
        stub_read(sock, &verdict, 1) != CONFD_OK) {
        return fail("Access check failed");
    }
    return verdict == ACCEPTED ? CONFD_OK : fail("Access denied");
}
