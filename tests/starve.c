/* Lets Python's allocations fail, of one call and in one thread: see test_memory.py.
 *
 * Python's own _testcapi.set_nomemory() is not in every Python, and makes all threads fail. */
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>

static PyMemAllocatorEx real[3];
static pthread_t starving;
static atomic_int armed;
static long until_first; /* allocations that still succeed */
static long to_fail;     /* how many fail then */
static long failed;

/* Others allocate at any time, but only the thread that starves changes the numbers. */
static int refused(void)
{
    if (!atomic_load(&armed) || !pthread_equal(starving, pthread_self()))
        return 0;
    if (until_first > 0) {
        until_first--;
        return 0;
    }
    if (failed == to_fail)
        return 0;
    failed++;
    return 1;
}

static void *starved_malloc(void *context, size_t size)
{
    PyMemAllocatorEx *allocator = context;
    return refused() ? NULL : allocator->malloc(allocator->ctx, size);
}

static void *starved_calloc(void *context, size_t count, size_t size)
{
    PyMemAllocatorEx *allocator = context;
    return refused() ? NULL : allocator->calloc(allocator->ctx, count, size);
}

static void *starved_realloc(void *context, void *old, size_t size)
{
    PyMemAllocatorEx *allocator = context;
    return refused() ? NULL : allocator->realloc(allocator->ctx, old, size);
}

static void starved_free(void *context, void *memory)
{
    PyMemAllocatorEx *allocator = context;
    allocator->free(allocator->ctx, memory);
}

static const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM,
                                               PYMEM_DOMAIN_OBJ};

void starve_begin(void)
{
    for (int i = 0; i < 3; i++) {
        PyMemAllocatorEx hook = {&real[i], starved_malloc, starved_calloc, starved_realloc,
                                 starved_free};
        PyMem_GetAllocator(domains[i], &real[i]);
        PyMem_SetAllocator(domains[i], &hook);
    }
}

void starve_end(void)
{
    for (int i = 0; i < 3; i++)
        PyMem_SetAllocator(domains[i], &real[i]);
}

/* Calls a function whose allocations fail from the nth on, count of them. */
PyObject *starve(PyObject *function, long nth, long count)
{
    PyObject *result;
    starving = pthread_self();
    until_first = nth - 1;
    to_fail = count;
    failed = 0;
    atomic_store(&armed, 1);
    result = PyObject_CallObject(function, NULL);
    atomic_store(&armed, 0);
    return result;
}

/* How many allocations of the last call failed. */
long starve_failed(void)
{
    return failed;
}
