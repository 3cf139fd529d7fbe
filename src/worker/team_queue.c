/* The queue that the ranks of a team share: a counter. Where all ranks are on one node it lies in memory that they
 * share, and the processor adds to it, whatever rank 0 does meanwhile; else rank 0 has it, and answers messages
 * (team_mpi.c).
 */
#include "team.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { LINE = 64 };

struct team_queue {
    struct team_shared *shared;
    _Atomic int64_t *next; /* on rank 0's part of `shared`; NULL: messages */
    _Atomic int64_t alone; /* of a team of one */
};

/* Collective. Messages serve other nodes, and ranks that cannot share memory. */
static int open_among_ranks(struct team *team, struct team_queue *queue)
{
    double apart = team->node != 0;
    int status = team_max_double(team, 1, &apart);
    if (status < 0 || apart > 0) return status;
    status = team_shared_new(team, LINE, &queue->shared);
    if (status == 0) queue->next = team_shared_part(queue->shared, 0);
    return status == -ENOTSUP ? 0 : status;
}

static int open_queue(struct team *team)
{
    struct team_queue *queue = calloc(1, sizeof *queue);
    uint64_t lacking = !queue;
    int status = team_sum_u64(team, 1, &lacking);
    if (status == 0 && lacking) status = -ENOMEM;
    if (status == 0 && team->size == 1) queue->next = &queue->alone;
    if (status == 0 && team->size > 1) status = open_among_ranks(team, queue);
    if (status < 0) {
        queue_free(queue);
        return status;
    }
    team->queue = queue;
    return 0;
}

int team_queue_reset(struct team *team)
{
    int status = team->queue ? team_barrier(team) : open_queue(team); /* nobody takes numbers any more */
    if (status < 0) return status;
    if (!team->queue->next)
        status = team->ops->queue_clear(team);
    else if (team->rank == 0)
        atomic_store(team->queue->next, 0);
    return status < 0 ? status : team_barrier(team); /* nor before it is cleared */
}

int queue_next(struct team *team, int64_t count, int64_t *first_p)
{
    if (!team->queue->next) return team->ops->queue_next(team, count, first_p);
    *first_p = atomic_fetch_add_explicit(team->queue->next, count, memory_order_relaxed);
    return 0;
}

int queue_end(struct team *team)
{
    return team->queue->next ? 0 : team->ops->queue_end(team);
}

void queue_free(struct team_queue *queue)
{
    if (!queue) return;
    team_shared_free(queue->shared);
    free(queue);
}
