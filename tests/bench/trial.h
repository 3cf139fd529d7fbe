/* One size: every contestant measured in every round. */
#ifndef BENCH_TRIAL_H
#define BENCH_TRIAL_H

#include "contestants.h"

struct trial_wish {
    int rounds;
    double min_time_s; /* of one measurement: as many calls as that takes */
    double patience_s; /* whoever takes longer for one call is left out */
    double gap_s;      /* before each measurement: waiting threads of the one before fall asleep */
    bool huge_pages;
    FILE *csv; /* a line a measurement, or NULL */
};

struct trial {
    struct shape shape;
    int rounds;
    int reference; /* the contestant whose result the others are compared with */
    struct bench_disturbances disturbances;
    struct {
        int64_t calls;     /* a measurement; 0: left out */
        double call_s;     /* about */
        char why[128];     /* it was left out, or is wrong */
        double difference; /* the largest from the reference's result */
        bool wrong;
        double rates[BENCH_ROUNDS_MAX]; /* flop/s */
    } of[CONTESTANTS_MAX];
};

/* 0, STATUS_WRONG (the trial is complete; see `wrong`), STATUS_FAILED with the text. */
int trial_run(struct contestants *, const struct trial_wish *, const struct shape *, struct trial *trial_p,
              struct error *);

void trial_print_csv_header(FILE *csv);

#endif
