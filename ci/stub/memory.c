/* Every allocation a caller must release is counted, and any can be made to fail. */
#include <stdatomic.h>
#include <stdlib.h>

#include "stub.h"

static long live; /* under the allocator's lock, which the vendor's takes for each term, too */
static atomic_long fail_in; /* 0: off */

static long change_live(int by)
{
    long now;

    ei_mutex_lock(stub_allocator, 0);
    now = live += by;
    ei_mutex_unlock(stub_allocator);
    return now;
}

long confd_stub_live_allocations(void)
{
    return change_live(0);
}

void confd_stub_fail_allocation(long nth)
{
    atomic_store(&fail_in, nth);
}

static bool due_to_fail(void)
{
    long left = atomic_load(&fail_in);

    while (left > 0) {
        if (atomic_compare_exchange_weak(&fail_in, &left, left - 1)) {
            return left == 1;
        }
    }
    return false;
}

static void *checked(void *memory)
{
    if (memory == NULL) {
        stub_fail(CONFD_ERR_MALLOC, "%s", "");
    }
    return memory;
}

static void *counted(void *memory)
{
    if (checked(memory) != NULL) {
        change_live(1);
    }
    return memory;
}

void *stub_alloc(size_t size)
{
    return counted(due_to_fail() ? NULL : malloc(size > 0 ? size : 1));
}

void *stub_alloc_zeroed(size_t count, size_t size)
{
    return counted(due_to_fail() ? NULL : calloc(count > 0 ? count : 1, size));
}

/* For what lives as long as the process: not counted, to be released by free(). */
void *stub_keep(size_t count, size_t size)
{
    return checked(due_to_fail() ? NULL : calloc(count, size));
}

/* The old memory stays valid when this fails. */
void *stub_resize(void *old, size_t size)
{
    if (old == NULL) {
        return stub_alloc(size);
    }
    return checked(due_to_fail() ? NULL : realloc(old, size));
}

void stub_free(void *memory)
{
    if (memory != NULL) {
        change_live(-1);
        free(memory);
    }
}
