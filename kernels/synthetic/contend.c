/* Threads that get in each other's way: every update adds 1 to a counter.
 *
 *     lock           one counter, which only the thread that holds the mutex touches: the others wait for it
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

/* Stamps take longer than a free lock: only who must wait is stamped. */
static void update_locked(struct contention *contention, struct team *team)
{
    if (pthread_mutex_trylock(&contention->mutex) != 0) {
        team_work_done(team);
        pthread_mutex_lock(&contention->mutex);
        team_work_begin(team);
    }
    ++*contention->locked;
    pthread_mutex_unlock(&contention->mutex);
}

/* A plain addition, as a program would have it; atomic in name, so that the compiler does not keep it in a register. */
static void update_own(atomic_uint_least64_t *own)
{
    atomic_store_explicit(own, atomic_load_explicit(own, memory_order_relaxed) + 1, memory_order_relaxed);
}

void contention_update(struct contention *contention, struct team *team, int thread)
{
    switch (contention->kind) {
    case CONTEND_LOCK:
        update_locked(contention, team);
        break;
    case CONTEND_ATOMIC:
        atomic_fetch_add(contention->one, 1);
        break;
    case CONTEND_FALSE_SHARING:
        update_own(&contention->own[thread]);
        break;
    case CONTEND_NONE:
        break;
    }
}

uint64_t contention_count(const struct contention *contention)
{
    if (contention->kind == CONTEND_NONE) return 0;
    uint64_t count = *contention->locked + atomic_load(contention->one);
    for (int t = 0; t < contention->threads; t++) count += atomic_load(&contention->own[t]);
    return count;
}
