/* Preloaded: a disk that fails, or a process that is killed, at one write of many.
 *
 * DISK_PLAN=FILE: while FILE is there, it has two numbers, AT and ERROR. The calls that write to
 * a file or a socket, or wait for the disk, are counted from when it came. ERROR 0: the process is
 * killed before call AT. Else the calls for a spool alone count, and all from AT on fail with that
 * errno; the first of them makes FILE.met.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct timespec known; /* when the plan was made */
static int calls;

static int is_of_spool(int descriptor)
{
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, "/spool.db") != NULL;
}

static void make_met(const char *file)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.met", file);
    int made = open(path, O_CREAT | O_WRONLY, 0600);
    if (made >= 0)
        close(made);
}

/* The errno with which a call is to fail; 0 for none. */
static int planned(int descriptor)
{
    const char *file = getenv("DISK_PLAN");
    struct stat status;
    int at, error, failure = 0, before = errno;
    if (!file || descriptor <= 2)
        return 0;
    pthread_mutex_lock(&lock);
    FILE *plan = fopen(file, "r");
    if (plan && fstat(fileno(plan), &status) == 0 && fscanf(plan, "%d %d", &at, &error) == 2 &&
        (!error || is_of_spool(descriptor))) {
        if (memcmp(&status.st_mtim, &known, sizeof known))
            calls = 0;
        known = status.st_mtim;
        calls++;
        if (!error && calls == at)
            kill(getpid(), SIGKILL);
        if (error && calls == at)
            make_met(file);
        if (error && calls >= at)
            failure = error;
    }
    if (plan)
        fclose(plan);
    pthread_mutex_unlock(&lock);
    errno = before;
    return failure;
}

#define FAILING(name, parameters, arguments, type)                                                 \
    type name parameters                                                                           \
    {                                                                                              \
        int error = planned(descriptor);                                                           \
        if (error) {                                                                               \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);                      \
        return real arguments;                                                                     \
    }

FAILING(write, (int descriptor, const void *data, size_t size), (descriptor, data, size), ssize_t)
FAILING(pwrite, (int descriptor, const void *data, size_t size, off_t offset),
        (descriptor, data, size, offset), ssize_t)
FAILING(pwrite64, (int descriptor, const void *data, size_t size, off64_t offset),
        (descriptor, data, size, offset), ssize_t)
FAILING(ftruncate, (int descriptor, off_t size), (descriptor, size), int)
FAILING(ftruncate64, (int descriptor, off64_t size), (descriptor, size), int)
FAILING(fsync, (int descriptor), (descriptor), int)
FAILING(fdatasync, (int descriptor), (descriptor), int)
