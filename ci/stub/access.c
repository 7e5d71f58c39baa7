/* The access check: MD5 of the secret file and the daemon's challenge. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "stub.h"

enum { CHALLENGE = 0x0b, RESPONSE = 0x0c, ACCEPTED = 0 };

static const char *secret_file(void)
{
    static const char *const names[] = {"CONFD_IPC_ACCESS_FILE", "NCS_IPC_ACCESS_FILE"};

    for (size_t i = 0; i < 2; i++) {
        const char *file = getenv(names[i]);
        if (file != NULL && file[0] != '\0') {
            return file;
        }
    }
    return NULL;
}

static int fail_on(const char *file)
{
    char doing[900];

    snprintf(doing, sizeof doing, "Failed to read the access file %s", file);
    return stub_fail_os(doing);
}

static ssize_t add_file(struct stub_md5 *md5, int fd)
{
    unsigned char piece[512];
    ssize_t got;

    do {
        got = read(fd, piece, sizeof piece);
        if (got > 0) {
            stub_md5_add(md5, piece, (size_t)got);
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    return got;
}

/* Read at every connect: the secret may change while the program runs. */
int stub_secret_load(struct stub_secret *secret)
{
    const char *file = secret_file();
    int fd, saved;
    ssize_t result;

    secret->present = file != NULL;
    if (file == NULL) {
        return CONFD_OK;
    }
    fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return fail_on(file);
    }
    stub_md5_begin(&secret->md5);
    result = add_file(&secret->md5, fd);
    saved = errno;
    close(fd);
    errno = saved;
    return result == 0 ? CONFD_OK : fail_on(file);
}

static int read_challenge(int sock, unsigned char challenge[16])
{
    unsigned char kind;
    int result = stub_read(sock, &kind, 1);

    if (result != CONFD_OK) {
        return result;
    }
    if (kind != CHALLENGE) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Access check: unexpected answer 0x%02x", kind);
    }
    return stub_read(sock, challenge, 16);
}

int stub_secret_prove(int sock, struct stub_secret *secret)
{
    unsigned char challenge[16], response[17] = {RESPONSE}, verdict;
    int result = read_challenge(sock, challenge);

    if (result != CONFD_OK) {
        return result;
    }
    stub_md5_add(&secret->md5, challenge, sizeof challenge);
    stub_md5_end(&secret->md5, response + 1);
    result = stub_write(sock, response, sizeof response);
    if (result == CONFD_OK) {
        result = stub_read(sock, &verdict, 1);
    }
    if (result == CONFD_OK && verdict != ACCEPTED) {
        result = stub_fail(CONFD_ERR_PROTOUSAGE, "Access denied");
    }
    return result;
}
