/* The lock of libconfd's allocator.
 *
 * The vendor's library takes a lock each time that it makes or frees a term, some forty times for a
 * notification of a stream: two fifths of what that costs. Linked statically, with the linker's
 * --wrap, these calls lead here, and a thread may keep the lock from its first use to the end of a
 * call. Only for calls that neither wait nor run Python: other threads wait for the lock meanwhile.
 * Whoever keeps it holds Python's lock, so there is one at most.
 */
#ifndef CONFD_EVENTS_ALLOCATOR_H
#define CONFD_EVENTS_ALLOCATOR_H

#ifdef FRAMES_FROM_MEMORY

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Not thread-local variables: to find those takes a call each time. */
static _Atomic(uintptr_t) keeper; /* 0: nobody */
static void *kept;                /* by the keeper; NULL before the first use */

/* A library without such a lock has none of these, and calls none. */
int __real_ei_mutex_lock(void *lock, int at_once) __attribute__((weak));
int __real_ei_mutex_unlock(void *lock) __attribute__((weak));
int __wrap_ei_mutex_lock(void *lock, int at_once) __attribute__((visibility("hidden")));
int __wrap_ei_mutex_unlock(void *lock) __attribute__((visibility("hidden")));

#if defined(__has_builtin)
#if __has_builtin(__builtin_thread_pointer)
#define THIS_THREAD() ((uintptr_t)__builtin_thread_pointer()) /* no call */
#endif
#endif
#ifndef THIS_THREAD
#define THIS_THREAD() ((uintptr_t)pthread_self())
#endif

static inline int is_keeper(void)
{
    return atomic_load_explicit(&keeper, memory_order_relaxed) == THIS_THREAD();
}

int __wrap_ei_mutex_lock(void *lock, int at_once)
{
    int failed;
    if (!is_keeper())
        return __real_ei_mutex_lock(lock, at_once);
    if (kept == lock)
        return 0;
    failed = __real_ei_mutex_lock(lock, at_once);
    if (!failed && kept == NULL)
        kept = lock;
    return failed;
}

int __wrap_ei_mutex_unlock(void *lock)
{
    return is_keeper() && kept == lock ? 0 : __real_ei_mutex_unlock(lock);
}

/* With Python's lock held, until let_allocator_go(). */
static inline void keep_allocator(void)
{
    atomic_store_explicit(&keeper, THIS_THREAD(), memory_order_relaxed);
}

static inline void let_allocator_go(void)
{
    if (kept != NULL)
        __real_ei_mutex_unlock(kept);
    kept = NULL;
    atomic_store_explicit(&keeper, 0, memory_order_relaxed);
}

#else

static inline void keep_allocator(void)
{
}

static inline void let_allocator_go(void)
{
}

#endif

#endif
