/* Signals while libconfd has the thread. It does not go on when one interrupts its connect(), and
 * writes by write(), so that a lost connection means SIGPIPE, which by default ends the process.
 * Python's handlers run in the main thread anyway. */
#ifndef CONFD_EVENTS_SIGNALS_H
#define CONFD_EVENTS_SIGNALS_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The process's first thread: Python runs handlers there. */
static inline int is_main_thread(void)
{
    return syscall(SYS_gettid) == getpid();
}

/* Block SIGPIPE in this thread. */
static inline void hold_sigpipe(sigset_t *before)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

/* Block all that comes from outside; a fault must still end the process. */
static inline void hold_signals(sigset_t *before)
{
    sigset_t held;
    sigfillset(&held);
    sigdelset(&held, SIGSEGV);
    sigdelset(&held, SIGBUS);
    sigdelset(&held, SIGFPE);
    sigdelset(&held, SIGILL);
    sigdelset(&held, SIGABRT);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

/* Back to what was before. The SIGPIPE of a call that has failed is taken away, unless the caller
 * had it blocked. errno stays. */
static inline void let_signals_go(const sigset_t *before, int failed)
{
    const struct timespec at_once = {0, 0};
    int saved = errno;
    sigset_t held;
    if (failed && !sigismember(before, SIGPIPE)) {
        sigemptyset(&held);
        sigaddset(&held, SIGPIPE);
        while (sigtimedwait(&held, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = saved;
}

#endif
