/* Launches made in memory: a mode, so many workers, one time a block. */
#ifndef TESTS_MADE_LAUNCHES_H
#define TESTS_MADE_LAUNCHES_H

#include "../src/analyse/curve.h"

#include <stdlib.h>
#include <string.h>

struct made {
    const char *kernel, *variant, *size; /* NULL: "matmul", "packed", "1000"; variant "": somebody else's timings */
    enum mode_name mode;
    int workers, cpus;  /* cpus 0: as many as workers */
    double work;        /* 0: 1000 */
    const char *reason; /* why it is invalid; NULL: it is valid */
};

/* In block `block`. */
static inline void make_launch(struct results *results, const struct made *made, int block, double wall_s)
{
    struct sample sample;
    sample_init(&sample);
    struct config *config = &sample.config;
    *config = (struct config){.seed = 1, .isa = "generic", .map = "cores-first", .nodes = 1};
    snprintf(config->kernel, sizeof config->kernel, "%s", made->kernel ? made->kernel : "matmul");
    snprintf(config->variant, sizeof config->variant, "%s", made->variant ? made->variant : "packed");
    snprintf(config->size, sizeof config->size, "%s", made->size ? made->size : "1000");
    config->mode = (struct mode){.name = made->mode, .ranks = 1, .threads = made->workers};
    config->mode.cpus.count = made->cpus ? made->cpus : made->workers;
    if (config->mode.cpus.count > CPUS_MAX) config->mode.cpus.count = 0; /* as many as workers, and none is named */
    for (int i = 0; i < config->mode.cpus.count; i++) config->mode.cpus.cpus[i] = i;
    for (int g = 0; g < results->group_count; g++) sample.launch += results->groups[g].count;
    sample.block = block;
    sample.wall_s = wall_s;
    sample.work = made->work > 0 ? made->work : 1000;
    snprintf(sample.work_unit, sizeof sample.work_unit, "flop");
    sample.rate = sample.work / wall_s;
    sample.concurrency = made->workers;
    sample.parallelism = config->mode.cpus.count;
    sample.cpu_s = sample.parallelism * wall_s;
    sample.wait_s = 0;
    sample.validity = made->reason ? SAMPLE_INVALID : SAMPLE_VALID;
    if (made->reason) snprintf(sample.invalid_reason, sizeof sample.invalid_reason, "%s", made->reason);
    sample.worker_count = made->workers;
    sample.workers = calloc((size_t)made->workers, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int w = 0; w < made->workers; w++) {
        sample.workers[w].wall_s = wall_s;
        sample.workers[w].cpu_s = sample.cpu_s / made->workers;
    }
    assert_int_equal(results_add(results, &sample), 0);
    sample_release(&sample);
}

/* Blocks 0 ... count - 1. */
static inline void make_launches(struct results *results, const struct made *made, int count, const double walls_s[])
{
    for (int block = 0; block < count; block++) make_launch(results, made, block, walls_s[block]);
}

/* The same time in each of `count` blocks. */
static inline void make_even(struct results *results, const struct made *made, int count, double wall_s)
{
    for (int block = 0; block < count; block++) make_launch(results, made, block, wall_s);
}

#endif
