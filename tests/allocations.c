#include "allocations.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

struct allocations *allocations_seen(void)
{
    static struct allocations allocations = {.failing = -1};
    return &allocations;
}

static bool allocation_is_allowed(size_t bytes)
{
    struct allocations *allocations = allocations_seen();
    bool allowed;
#pragma omp critical(allocations)
    {
        allowed = allocations->count != allocations->failing;
        allocations->count++;
        allocations->bytes += (double)bytes;
    }
    return allowed;
}

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
int __real_posix_memalign(void **, size_t, size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_aligned_alloc(size_t, size_t);
int __wrap_posix_memalign(void **, size_t, size_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);

void *__wrap_malloc(size_t bytes)
{
    return allocation_is_allowed(bytes) ? __real_malloc(bytes) : NULL;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return allocation_is_allowed(count * bytes) ? __real_calloc(count, bytes) : NULL;
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return allocation_is_allowed(bytes) ? __real_realloc(old, bytes) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return allocation_is_allowed(bytes) ? __real_aligned_alloc(alignment, bytes) : NULL;
}

int __wrap_posix_memalign(void **memory_p, size_t alignment, size_t bytes)
{
    return allocation_is_allowed(bytes) ? __real_posix_memalign(memory_p, alignment, bytes) : ENOMEM;
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    return allocation_is_allowed(bytes) ? __real_mmap(address, bytes, protection, flags, file, offset) : MAP_FAILED;
}
