/* What the dials of the kernel synthetic do besides computing: waits (wait.c), messages (message.c), and data that
 * threads share (contend.c). Functions return 0 or a negative errno value unless said otherwise. */
#ifndef KERNELS_SYNTHETIC_DIALS_H
#define KERNELS_SYNTHETIC_DIALS_H

#include "../team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

/* How a worker waits. The core is free for other tasks meanwhile. */
enum wait_kind { WAIT_SLEEP, WAIT_DISK, WAIT_PIPE }; /* in the order of the option's choices */

/* Of one worker. All zero: it does not wait. */
struct waiter {
    enum wait_kind kind;
    double least_s;
    int64_t waits;                /* so far: the caller sets it back */
    bool on, in_memory;           /* the file is in memory, so that nothing waits for a disk */
    bool helped;                  /* there is a helper to be ended */
    int file;                     /* WAIT_DISK */
    int questions[2], answers[2]; /* WAIT_PIPE: the ends to read from, and to write to */
    pthread_t helper;
};

/* By the worker itself, whose CPUs a helper gets. waiter_end frees what it made, also where it failed. */
int waiter_begin(enum wait_kind, double least_s, struct waiter *waiter_p);
void waiter_end(struct waiter *);
/* One wait; nothing where waiting is off. */
int waiter_wait(struct waiter *);

/* What the threads of a rank do to one another by shared data. */
enum contend_kind { CONTEND_NONE, CONTEND_LOCK, CONTEND_ATOMIC, CONTEND_FALSE_SHARING }; /* as the choices */

struct contention {
    enum contend_kind kind;
    int threads;
    pthread_mutex_t mutex;
    atomic_int waiting;         /* for the mutex */
    uint64_t *locked;           /* of all threads; by who holds the mutex */
    atomic_uint_least64_t *one; /* of all threads */
    atomic_uint_least64_t *own; /* one a thread, side by side in one cache line (of more than 8 threads, in several) */
};

/* Memory: a few cache lines. */
int contention_begin(enum contend_kind, int threads, struct contention *contention_p);
void contention_end(struct contention *);
void contention_reset(struct contention *);
/* Around a piece of work that one thread at a time may do; `count` is added to what contention_count tells. A wait for
 * the lock is no work: the stamps leave it out. */
void contention_lock(struct contention *, struct team *);
void contention_unlock(struct contention *, struct team *, uint64_t count);
/* Adds 1, by thread `thread`: of the other kinds. */
void contention_update(struct contention *, int thread);
/* All of both since the reset. */
uint64_t contention_count(const struct contention *);

/* Messages that a rank swaps with its two neighbours by turns. With one rank, or of no bytes: none. */
struct messages {
    int rank, ranks;
    uint64_t seed;
    size_t bytes;
    unsigned char *sent, *received;
    uint64_t sum; /* of what the messages received began with */
};

int messages_begin(const struct team *, uint64_t seed, size_t bytes, struct messages *messages_p);
void messages_end(struct messages *);
void messages_reset(struct messages *);
/* By all ranks, with the same round: 0, 1, ... */
int messages_swap(struct messages *, struct team *, int64_t round);
/* How many bytes differ from what so many rounds must bring; a message lost, or one too many, counts as well. */
uint64_t messages_wrong(const struct messages *, int64_t rounds);

#endif
