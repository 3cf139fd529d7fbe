/* Memory for large arrays. Not pure, but without state. */
#ifndef KERNELS_MEMORY_H
#define KERNELS_MEMORY_H

#include <stdlib.h>
#include <sys/mman.h>

enum { MEMORY_LINE = 64, MEMORY_LARGE_PAGE = 2 << 20 };

/* At least `bytes`, aligned to cache lines; from some large pages on, on large pages where the system gives them to
 * those who ask: it takes fewer entries of the TLB to reach them. Pages lie near the core that first touches them.
 * NULL: out of memory. free() frees it. */
static inline void *memory_new(size_t bytes)
{
    if (bytes < 4 * (size_t)MEMORY_LARGE_PAGE)
        return aligned_alloc(MEMORY_LINE, (bytes + MEMORY_LINE) / MEMORY_LINE * MEMORY_LINE);
    size_t length = (bytes + MEMORY_LARGE_PAGE - 1) / MEMORY_LARGE_PAGE * MEMORY_LARGE_PAGE;
    void *memory = aligned_alloc(MEMORY_LARGE_PAGE, length);
    if (memory) madvise(memory, length, MADV_HUGEPAGE); /* a wish: where it is refused, all works as well */
    return memory;
}

#endif
