/* Launches made in memory, in which every core of some nodes did the same work. Needs cmocka's headers before it. */
#ifndef TESTS_MADE_NODES_H
#define TESTS_MADE_NODES_H

#include "../src/analyse/nodes.h"
#include "noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is wrong with a core; all zero: nothing. */
struct made_fault {
    double cpu_time;                                /* its CPU time is longer by this share */
    double waited, stolen, stood, sibling, foreign; /* shares of a second, besides its work of a second */
};

/* The fault of a core in a launch: node and core count from 0. */
typedef struct made_fault made_faults(int node, int core, int launch);

struct made_nodes {
    int nodes, cores; /* cores: of each node */
    double noise;
    uint64_t seed;
    made_faults *fault;
    double throttled; /* share, of every launch */
    const char *host; /* a format with one %d; NULL: "node%d" */
};

static inline void make_core(const struct made_nodes *made, int launch, int node, int core,
                             struct worker_times *worker_p)
{
    const struct made_fault fault = made->fault ? made->fault(node, core, launch) : (struct made_fault){0};
    double factor =
        noise_factor(made->noise, hash_pair(made->seed, (uint64_t)launch), (uint64_t)(node * made->cores + core));
    struct worker_times worker = {.rank = node * made->cores + core, .cpu_asked = core, .mask_as_asked = true};
    snprintf(worker.host, sizeof worker.host, made->host ? made->host : "node%d", node + 1);
    worker.cpu_s = factor * (1 + fault.cpu_time);
    worker.wait_s = fault.waited;
    worker.wall_s = worker.cpu_s + fault.waited + fault.stolen + fault.stood;
    worker.cpu_steal_s = fault.stolen;
    worker.cpu_total_busy_s = worker.cpu_s + fault.foreign;
    worker.sibling_busy_s = fault.sibling > 0 ? fault.sibling : NAN;
    worker.cpu_seen_count = 1;
    worker.cpus_seen[0] = core;
    *worker_p = worker;
}

/* Heap; sample_release frees it. */
static inline struct sample make_node_sample(const struct made_nodes *made, int launch)
{
    struct sample sample;
    sample_init(&sample);
    struct config *config = &sample.config;
    snprintf(config->kernel, sizeof config->kernel, "pi");
    snprintf(config->variant, sizeof config->variant, "philox");
    snprintf(config->size, sizeof config->size, "1000");
    snprintf(config->isa, sizeof config->isa, "generic");
    config->seed = 1;
    config->mode = (struct mode){
        .name = MODE_MPI, .nodes = made->nodes, .ranks = made->nodes * made->cores, .threads = 1, .map = "cores-first"};
    for (int c = 0; c < made->cores && c < CPUS_MAX; c++) config->mode.cpus.cpus[config->mode.cpus.count++] = c;
    sample.launch = sample.block = launch;
    sample.correct = true;
    sample.validity = SAMPLE_VALID;
    sample.worker_count = made->nodes * made->cores;
    sample.workers = calloc((size_t)sample.worker_count, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int n = 0; n < made->nodes; n++)
        for (int c = 0; c < made->cores; c++) make_core(made, launch, n, c, &sample.workers[n * made->cores + c]);
    for (int w = 0; w < sample.worker_count; w++) sample.wall_s = fmax(sample.wall_s, sample.workers[w].wall_s);
    sample.throttled_s = made->throttled * made->cores * sample.wall_s;
    sample.work = 1000;
    return sample;
}

static inline void make_node_launches(struct results *results, const struct made_nodes *made, int count)
{
    for (int launch = 0; launch < count; launch++) {
        struct sample sample = make_node_sample(made, launch);
        assert_int_equal(results_add(results, &sample), 0);
        sample_release(&sample);
    }
}

#endif
