/* Whom bench_montecarlo compares: the variants of a kernel, run as `speedup` runs them, and what people use. */
#ifndef BENCH_SAMPLERS_H
#define BENCH_SAMPLERS_H

#include "bench.h"
#include "npb_ep.h"
#include "peers.h"
#include "question.h"

struct sampler;

/* How a kind of sampler works. prepare, reset and finish may be NULL: nothing to do. */
struct sampler_kind {
    int (*prepare)(struct sampler *); /* for sampler->samples. 0 or a negative errno value, as the next two */
    int (*reset)(struct sampler *);   /* before each run, not timed */
    int (*run)(struct sampler *);
    bool (*is_right)(struct sampler *, size_t length, char *why); /* the last run's answer */
    void (*finish)(struct sampler *);                             /* undoes prepare; any number of times */
    void (*close)(struct sampler *);
};

struct sampler {
    char name[32];
    const struct sampler_kind *kind;
    const struct question *question;
    int threads;
    bool is_base;      /* the others' rates are divided by its */
    int solo;          /* the index of the same with one thread, where that is measured too; else -1 */
    double operations; /* of vector registers, for a sample; 0: not counted (bound.h), or several threads */

    int64_t samples; /* of a run */

    struct team *team; /* of an own kernel */
    struct problem problem;
    void *state;

    peer_sample *sample; /* of a peer */
    double mean;

    void (*npb)(int log2_pairs, struct npb_ep *sums_p);
    struct npb_ep sums;
};

enum { SAMPLERS_MAX = 16 };
struct samplers {
    int count;
    struct sampler list[SAMPLERS_MAX];
};

/* Fills the list, and prints a line on each that is left out. With several threads: the variants in vectors alone, and
 * each also with one. 0 or STATUS_FAILED. */
int samplers_open(const struct question *, int threads, struct samplers *samplers_p, struct error *);
void samplers_close(struct samplers *);

/* sampler_own.c: a variant of the kernel, by its contract. */
extern const struct sampler_kind own_kind;
int own_open(struct sampler *, const struct variant *);

#endif
