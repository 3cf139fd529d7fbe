/* The team's inside: what a set of ranks must be able to do (ops), and the stamps of this rank's threads. Kernels see
 * only kernels/team.h. Two sets of ranks exist: team_solo.c (one rank, no MPI) and team_mpi.c. What they have in common
 * is in team.c, and in team_shared.c (the memory of a node). */
#ifndef SPEEDUP_WORKER_TEAM_H
#define SPEEDUP_WORKER_TEAM_H

#include "../../kernels/team.h"
#include "../observe/thread.h"
#include "../plan/config.h"

/* Stamps of one thread, alone on its cache lines. */
struct thread_stamps {
    double begin_wall_s, begin_cpu_s; /* of the open piece of work */
    double first_begin_s;             /* of the first piece, CLOCK_MONOTONIC; 0: none was begun yet */
    double useful_wall_s, useful_cpu_s;
    double serial_wall_s; /* of these, in serial sections */
    double last_done_s;   /* CLOCK_MONOTONIC; 0: no piece was done yet */
    int seen_count;
    int seen[8]; /* CPUs at the stamps, each once */
} __attribute__((aligned(128)));

/* Called with two ranks or more only: with one, team.c has nothing to do. As the calls of kernels/team.h. */
struct team_ops {
    int (*barrier)(struct team *);
    int (*meet)(struct team *);
    int (*add_u64)(struct team *, size_t, const uint64_t *shares, uint64_t *); /* shares NULL: in place */
    int (*sum_double)(struct team *, size_t, double *);
    int (*max_double)(struct team *, size_t, double *);
    int (*gather)(struct team *, size_t, const void *, void *);
    int (*swap)(struct team *, int partner, size_t, const void *, size_t, void *); /* the partner is another rank */
    int (*group_find)(struct team *, int first, int stride, int count, struct team_group **);
    int (*broadcast_start)(struct team *, struct team_group *, int root, size_t, void *, struct team_request *);
    int (*swap_start)(struct team *, int partner, size_t, const void *, size_t, void *, struct team_request *);
    int (*wait)(struct team *, struct team_request *);
    void (*progress)(struct team *);
    /* The queue between nodes. It is cleared by each rank before any other asks. */
    int (*queue_clear)(struct team *);
    int (*queue_next)(struct team *, int64_t count, int64_t *);
    int (*queue_end)(struct team *);
    void (*abort)(struct team *, int status);
    void (*free)(struct team *); /* frees `ranks`; also with one rank */
};

struct team {
    const struct team_ops *ops; /* NULL: one rank, nothing to free */
    int rank, size, threads;
    int local_rank;                 /* on its node */
    int node;                       /* the first of the ranks on the same node, which stands for it */
    double comm_wall_s, comm_cpu_s; /* inside team calls since team_stamps_reset */
    bool in_series;                 /* team_series_begin was called, at: */
    double series_wall_s, series_cpu_s;
    struct thread_stamps *stamps; /* one a thread */
    struct team_queue *queue;     /* team_queue.c; NULL: not used yet */
    void *ranks;                  /* the set of ranks' own */
};

/* 0 or -ENOMEM, -ENOTSUP (MPI without MPI_THREAD_FUNNELED), -EIO (MPI failed). team_new_ranks is the one name that each
 * worker program links its own version of: ranks_solo.c or team_mpi.c. It starts MPI, which is ended by team_free.
 * `library_p` gets the MPI library's version in one line, or "". The team has one thread until team_set_threads. */
int team_new_ranks(enum wait_policy, struct team **team_p, size_t library_length, char *library_p);
/* One rank, without MPI; may live beside an MPI team. 0 or -ENOMEM. */
int team_new_solo(struct team **team_p);
void team_free(struct team *);

/* Sets the number of threads and allocates their stamps. Not collective. 0 or -ENOMEM. */
int team_set_threads(struct team *, int threads);
/* Forgets all stamps of this rank. By the master thread, outside parallel regions. */
void team_stamps_reset(struct team *);
/* Adds the CPU to those that the thread was seen on, unless it is there already or the list is full. */
void team_stamps_see(struct thread_stamps *, int cpu);

/* team_queue.c: the queue's inside, without stamps. */
int queue_next(struct team *, int64_t count, int64_t *first_p);
int queue_end(struct team *);
void queue_free(struct team_queue *);

/* Ends all other ranks at once (MPI_Abort), for what cannot be agreed on any more. Returns with one rank only. */
void team_abort(struct team *, int status);

#endif
