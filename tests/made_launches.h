/* Launches made in memory: a mode, so many workers, one time a block. */
#ifndef TESTS_MADE_LAUNCHES_H
#define TESTS_MADE_LAUNCHES_H

#include "../src/analyse/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct made {
    const char *kernel, *variant, *size; /* NULL: "matmul", "packed", "1000"; variant "": somebody else's timings */
    enum mode_name mode;
    int workers, cpus;  /* cpus 0: as many as workers */
    double work;        /* 0: 1000 */
    const char *reason; /* why it is invalid; NULL: it is valid */
    /* Of a command: its words, one behind the other, each with its NUL, and an empty one at the end; NULL: a kernel. */
    const char *words;
    const char *setting; /* NULL: none */
    const char *level;   /* its parameter LEVEL; NULL: none */
    const char *time;    /* what is timed; NULL: the process */
    const char *unseen;  /* why nothing is known of its tasks */
    double active;       /* tasks that run at a time; 0: as many as CPUs */
    int exit_status;
};

/* What a command has in place of what a kernel has. */
static inline void make_command(const struct made *made, struct sample *sample)
{
    struct config *config = &sample->config;
    struct command_target *command = &config->command;
    const char *name = strrchr(made->words, '/');
    size_t length = 0;
    for (; made->words[length]; length += strlen(made->words + length) + 1) command->word_count++;
    memcpy(command->words, made->words, length);
    snprintf(config->kernel, sizeof config->kernel, "%s", name ? name + 1 : made->words);
    *config->variant = *config->isa = '\0';
    snprintf(config->size, sizeof config->size, "%s", made->size ? made->size : "");
    config->seed = 0;
    command->bind = true;
    if (made->setting) {
        memcpy(command->settings, made->setting, strlen(made->setting) + 1);
        command->setting_count = 1;
    }
    if (made->level) {
        config->option_count = 1;
        snprintf(config->options[0].name, sizeof config->options[0].name, "LEVEL");
        snprintf(config->options[0].value, sizeof config->options[0].value, "%s", made->level);
    }
    snprintf(command->time, sizeof command->time, "%s", made->time ? made->time : "process");
    snprintf(command->launcher, sizeof command->launcher, "%s", mode_needs_mpi(made->mode) ? "mpirun" : "none");
    if (mode_needs_mpi(made->mode)) {
        config->mode.ranks = config->mode.threads;
        config->mode.threads = 1;
    }
    sample->process_s = made->time ? sample->wall_s + 0.5 : sample->wall_s;
    if (made->active > 0) sample->parallelism = made->active;
    sample->cpu_s = sample->parallelism * sample->process_s;
    sample->user_s = 0.75 * sample->cpu_s;
    sample->system_s = 0.25 * sample->cpu_s;
    sample->peak_memory_bytes = 3 << 20;
    sample->processes = 1;
    sample->tasks = made->workers + 1;
    sample->exit_status = made->exit_status;
    sample->held_s = 0;
    sample->work = made->work > 0 ? made->work : 1;
    sample->rate = sample->work / sample->wall_s;
    snprintf(sample->work_unit, sizeof sample->work_unit, made->work > 0 ? "share" : "run");
    if (!made->unseen) return;
    sample->processes = sample->tasks = -1;
    sample->wait_s = sample->held_s = sample->concurrency = NAN;
    snprintf(sample->unobserved, sizeof sample->unobserved,
             "workers, wait_s, held_s, concurrency, tasks, placement: %s; throttled_s: no control group tells it",
             made->unseen);
}

/* In block `block`. */
static inline void make_launch(struct results *results, const struct made *made, int block, double wall_s)
{
    struct sample sample;
    sample_init(&sample);
    struct config *config = &sample.config;
    *config = (struct config){.seed = 1, .isa = "generic"};
    snprintf(config->kernel, sizeof config->kernel, "%s", made->kernel ? made->kernel : "matmul");
    snprintf(config->variant, sizeof config->variant, "%s", made->variant ? made->variant : "packed");
    snprintf(config->size, sizeof config->size, "%s", made->size ? made->size : "1000");
    config->mode =
        (struct mode){.nodes = 1, .map = "cores-first", .name = made->mode, .ranks = 1, .threads = made->workers};
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
    if (made->words) make_command(made, &sample);
    sample.worker_count = made->unseen ? 0 : made->workers;
    sample.workers = calloc((size_t)made->workers, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int w = 0; w < sample.worker_count; w++) {
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
