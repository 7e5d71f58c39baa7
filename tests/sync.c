/* Preloaded: what happens around each call that waits for the disk.
 *
 * SYNC_KILL=N, SYNC_KILL=-N: the process is killed before, or after, the Nth call.
 * SYNC_GATE=DIR: while DIR/closed is there, a call makes DIR/waiting and waits.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef int sync_function(int descriptor);

static atomic_int calls;

static void wait_at_gate(const char *directory)
{
    char closed[4096], waiting[4096];
    snprintf(closed, sizeof closed, "%s/closed", directory);
    snprintf(waiting, sizeof waiting, "%s/waiting", directory);
    while (access(closed, F_OK) == 0) {
        int made = open(waiting, O_CREAT | O_WRONLY, 0600);
        if (made >= 0)
            close(made);
        usleep(1000);
    }
}

static int synced(const char *name, int descriptor)
{
    const char *kill_at = getenv("SYNC_KILL"), *gate = getenv("SYNC_GATE");
    int number = atomic_fetch_add(&calls, 1) + 1, at = kill_at ? atoi(kill_at) : 0;
    sync_function *real = (sync_function *)dlsym(RTLD_NEXT, name);
    if (gate)
        wait_at_gate(gate);
    if (number == at)
        kill(getpid(), SIGKILL);
    int result = real(descriptor);
    if (number == -at)
        kill(getpid(), SIGKILL);
    return result;
}

int fdatasync(int descriptor)
{
    return synced("fdatasync", descriptor);
}

int fsync(int descriptor)
{
    return synced("fsync", descriptor);
}
