/* The rounds of bench_summa, and its table. Calls are collective unless said otherwise. */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include "entries.h"

struct contest {
    struct team *team, *solo;
    int rank, cpus; /* distinct CPUs of all ranks */
    int rounds;
    double min_time_s; /* of a measurement */
    struct scalapack scalapack;
    struct entries *entries;
    FILE *csv; /* of rank 0, or NULL */
    struct bench_disturbances disturbances;
};

bool contest_any_rank(struct contest *, bool here);
void contest_print_csv_header(FILE *csv);
/* Measures all entries and prints the table. 0, STATUS_WRONG, STATUS_FAILED with the text. */
int contest_run_size(struct contest *, int64_t n, struct error *);

#endif
