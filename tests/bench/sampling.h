/* One kernel: every sampler measured in every round; and the table of it. */
#ifndef BENCH_SAMPLING_H
#define BENCH_SAMPLING_H

#include "samplers.h"

struct sampling_wish {
    int rounds;
    double min_time_s; /* of one measurement */
    double gap_s;      /* before each: waiting threads of the one before fall asleep */
    struct cpu_list cpus;
    FILE *csv; /* a line a measurement, or NULL */
};

struct sampling {
    int rounds;
    struct bench_disturbances disturbances;
    struct {
        int64_t calls; /* a measurement */
        bool wrong;
        char why[240];
        double rates[BENCH_ROUNDS_MAX];  /* samples a second */
        double bounds[BENCH_ROUNDS_MAX]; /* what the core could do meanwhile at most, where operations are counted */
    } of[SAMPLERS_MAX];
};

/* 0, STATUS_WRONG (all was measured; see `wrong`), STATUS_FAILED with the text. */
int sampling_run(const struct question *, struct samplers *, const struct sampling_wish *, struct sampling *sampling_p,
                 struct error *);
void sampling_print(const struct question *, const struct samplers *, const struct sampling *);
void sampling_print_csv_header(FILE *csv);

#endif
