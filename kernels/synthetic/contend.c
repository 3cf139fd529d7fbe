/* Threads that get in each other's way. Counters tell how often.
 *
 *     lock           three quarters of the steps are computed under a mutex, which one thread at a time has: the
 *                    others wait for it, and no number of threads is more than 4/3 times as fast as one
 *     atomic         one counter, added to by one indivisible instruction: its cache line goes from core to core
 *     false-sharing  each thread has a counter of its own, but they lie in one cache line, which goes from core to core
 *                    all the same
 */
#include "dials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t length_of(int threads)
{
    size_t bytes = (size_t)threads * sizeof(atomic_uint_least64_t);
    return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

int contention_begin(enum contend_kind kind, int threads, struct contention *contention_p)
{
    *contention_p = (struct contention){.kind = kind, .threads = threads};
    if (kind == CONTEND_NONE) return 0;
    contention_p->locked = aligned_alloc(CACHE_LINE, CACHE_LINE);
    contention_p->one = aligned_alloc(CACHE_LINE, CACHE_LINE);
    contention_p->own = aligned_alloc(CACHE_LINE, length_of(threads));
    pthread_mutex_init(&contention_p->mutex, NULL);
    if (!contention_p->locked || !contention_p->one || !contention_p->own) return -ENOMEM;
    contention_reset(contention_p);
    return 0;
}

void contention_end(struct contention *contention)
{
    if (contention->kind == CONTEND_NONE) return;
    pthread_mutex_destroy(&contention->mutex);
    free(contention->own);
    free(contention->one);
    free(contention->locked);
    contention->kind = CONTEND_NONE;
}

void contention_reset(struct contention *contention)
{
    if (contention->kind == CONTEND_NONE) return;
    *contention->locked = 0;
    atomic_init(contention->one, 0);
    for (int t = 0; t < contention->threads; t++) atomic_init(&contention->own[t], 0);
}

/* What a lock costs beyond itself, to wait and to wake who waits, is no work. Stamps take longer than a free lock: they
 * are taken only where somebody waits. */
void contention_lock(struct contention *contention, struct team *team)
{
    if (pthread_mutex_trylock(&contention->mutex) == 0) return;
    team_work_done(team);
    atomic_fetch_add(&contention->waiting, 1);
    pthread_mutex_lock(&contention->mutex);
    atomic_fetch_sub(&contention->waiting, 1);
    team_work_begin(team);
}

void contention_unlock(struct contention *contention, struct team *team, uint64_t count)
{
    bool wakes = atomic_load_explicit(&contention->waiting, memory_order_relaxed) > 0;
    *contention->locked += count;
    if (wakes) team_work_done(team);
    pthread_mutex_unlock(&contention->mutex);
    if (wakes) team_work_begin(team);
}

/* A plain addition, as a program would have it; atomic in name, so that the compiler does not keep it in a register. */
static void update_own(atomic_uint_least64_t *own)
{
    atomic_store_explicit(own, atomic_load_explicit(own, memory_order_relaxed) + 1, memory_order_relaxed);
}

void contention_update(struct contention *contention, int thread)
{
    if (contention->kind == CONTEND_ATOMIC) atomic_fetch_add(contention->one, 1);
    if (contention->kind == CONTEND_FALSE_SHARING) update_own(&contention->own[thread]);
}

uint64_t contention_count(const struct contention *contention)
{
    if (contention->kind == CONTEND_NONE) return 0;
    uint64_t count = *contention->locked + atomic_load(contention->one);
    for (int t = 0; t < contention->threads; t++) count += atomic_load(&contention->own[t]);
    return count;
}
