/* The allocator's lock, by the names that the vendor's library has for it. */
#include <pthread.h>

#include "stub.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void *const stub_allocator = &mutex;

int ei_mutex_lock(void *lock, int at_once)
{
    return at_once ? pthread_mutex_trylock(lock) : pthread_mutex_lock(lock);
}

int ei_mutex_unlock(void *lock)
{
    return pthread_mutex_unlock(lock);
}
