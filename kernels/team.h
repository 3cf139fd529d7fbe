/* The ranks that work together on one problem, and the stamps that tell work from waiting.
 *
 * A kernel reaches the other ranks through these calls alone. Collective calls are made by every rank in the same
 * order, outside parallel regions, by the master thread (MPI_THREAD_FUNNELED). With one rank they cost nothing.
 *
 * Inside its share a kernel uses plain OpenMP, with as many threads as the runtime gives (the worker has set it):
 *
 *     #pragma omp parallel
 *     {
 *         team_work_begin(team);
 *         #pragma omp for schedule(static) nowait
 *         for (...) ...
 *         team_work_done(team);
 *     }
 *
 * The stamps read the wall clock and the thread's CPU clock (0.3 us a pair), so that neither the wait at the region's
 * end nor a spinning barrier is ever taken for work.
 *
 * Functions return 0 or a negative errno value unless said otherwise.
 */
#ifndef KERNELS_TEAM_H
#define KERNELS_TEAM_H

#include <stddef.h>
#include <stdint.h>

struct team;

int team_rank(const struct team *);
int team_size(const struct team *);
/* Threads of this rank. */
int team_threads(const struct team *);

/* Collective. */
int team_barrier(struct team *);
/* Collective: a barrier for long waits. Whatever the wait policy, who waits sleeps, and looks now and then: its core is
 * free for others. It notices the end late, by a sixteenth of its wait, at most 5 ms. */
int team_meet(struct team *);

/* Collective. Element-wise over the ranks, in place; every rank gets the result. Integer sums are exact modulo 2^64.
 * Sums of doubles are added in the order of the ranks, so that they are the same on every rank and in every run (not
 * for every number of ranks: where bits matter, sum fixed blocks by exact means). */
int team_sum_u64(struct team *, size_t count, uint64_t *values);
/* Collective. The same, but `shares` stay as they are, and the sums come to `sums_p`, which must not overlap them. */
int team_add_u64(struct team *, size_t count, const uint64_t *shares, uint64_t *sums_p);
int team_sum_double(struct team *, size_t count, double *values);
int team_max_double(struct team *, size_t count, double *values);

/* Collective. Every rank's `bytes` bytes, in the order of ranks, at rank 0; `all` is size * bytes there and may be NULL
 * elsewhere. */
int team_gather(struct team *, size_t bytes, const void *mine, void *all);

/* By two ranks, each naming the other: this one sends `sent_bytes` of `sent`, and gets the `received_bytes` that the
 * other sends, both ways at once. Either count may be 0, which makes it a plain send or a plain receive; what the one
 * sends, the other must expect. The buffers must not overlap. A rank that names itself has its bytes copied: the counts
 * must be equal then (else -EINVAL). */
int team_swap(struct team *, int partner, size_t sent_bytes, const void *sent, size_t received_bytes, void *received_p);

/* A series of calls between these two is timed as a whole, not one by one: the stamps of a call take longer (0.45 us)
 * than a small message. All of its time is communication; neither work stamps nor another series within. By the master
 * thread. team_series_done returns how long it took, in seconds. */
void team_series_begin(struct team *);
double team_series_done(struct team *);

/* Some ranks of a team: `first`, first + stride, ..., `count` of them, such as a row or a column of a grid of ranks.
 * NULL is the group of all. Collective over those ranks, of which the caller is one. Groups are the team's: they live
 * as long, and whoever asks for the same ranks again gets the same group. 0, -ENOMEM or -EIO. */
struct team_group;
int team_group_find(struct team *, int first, int stride, int count, struct team_group **group_p);

/* Communication that overlaps with work: start, compute, wait. A request is the caller's storage; it is free again
 * after team_wait. At most TEAM_REQUESTS_MAX are open at a time. Buffers must not be touched in between. */
enum { TEAM_REQUESTS_MAX = 8 };
struct team_request {
    int slot; /* -1: nothing to wait for */
};
/* Collective over the group; `root` counts within it, and only reads its buffer. */
int team_broadcast_start(struct team *, struct team_group *, int root, size_t bytes, void *buffer,
                         struct team_request *request_p);
/* As team_swap, but it only begins: both ranks start the swap, in any order among their other calls. Two that are open
 * between the same ranks are matched in the order in which they were started, team_swap included. Also -EMSGSIZE: over
 * 128 GiB; -EBUSY: too many are open. */
int team_swap_start(struct team *, int partner, size_t sent_bytes, const void *sent, size_t received_bytes,
                    void *received_p, struct team_request *request_p);
int team_wait(struct team *, struct team_request *);
/* Lets open requests advance, and other ranks get their numbers out of the queue. Not collective; by the master thread,
 * also inside a parallel region. */
void team_progress(struct team *);

/* Memory that the ranks of a node have in common: each brings a part, and reads those of the others in place. What a
 * rank wrote before a collective call, the others may read after it.
 *
 * Collective; `bytes` may differ from rank to rank. Every part is aligned to cache lines at least, what it holds is
 * undefined, and its pages lie near the rank's threads if each of them, in their order, is the first to write an even
 * share. 0, or one failure on all ranks, and *shared_p is NULL: -ENOMEM, or -ENOTSUP where the ranks of a node cannot
 * share memory. */
struct team_shared;
int team_shared_new(struct team *, size_t bytes, struct team_shared **shared_p);
/* A rank's part; NULL where that rank is on another node. */
void *team_shared_part(const struct team_shared *, int rank);
/* Not collective: the others keep what they see. NULL is allowed. */
void team_shared_free(struct team_shared *);

/* Work for whoever is free: numbers from 0 on, each given out once, from a queue that the ranks share. The team has
 * one.
 *
 * On one node a number costs an addition in memory that the ranks share. Between nodes rank 0 gives them out, whenever
 * it is in a call of the team's: where it computes, it should call team_progress after each piece, for which the others
 * may have to wait. */
/* Collective. Begins at 0; also before the first use, which needs memory. 0, or one failure on all ranks: -ENOMEM, or
 * -EIO. */
int team_queue_reset(struct team *);
/* Not collective; by the master thread, also inside a parallel region. The next `count` numbers (>= 1), from *first_p
 * on, are this rank's. */
int team_queue_next(struct team *, int64_t count, int64_t *first_p);
/* Collective, after each rank's last number and before any other call that is. Between nodes rank 0 gives out numbers
 * in here until nobody asks any more; the others go on at once. */
int team_queue_end(struct team *);

/* Per thread: this thread starts, or has finished, a piece of useful work. Pairs, not nested; in or out of parallel
 * regions; any number of pairs a run. */
void team_work_begin(struct team *);
void team_work_done(struct team *);
/* The same, of work that one worker of all ranks does while all others have to wait for it: a serial section. It is
 * told apart in the record, as imbalance would look alike else. */
void team_serial_begin(struct team *);
void team_serial_done(struct team *);

#endif
