/* The records of a file in memory: the context line and the samples, grouped by configuration. Everything that is shown
 * is made from this. */
#ifndef SPEEDUP_ANALYSE_RESULTS_H
#define SPEEDUP_ANALYSE_RESULTS_H

#include "../record/record.h"
#include "../record/timelines.h"

/* All samples of one configuration, in the order of the file. */
struct group {
    char key[17];
    struct config config;
    int count;
    struct sample *samples;
};

struct results {
    json_t *context;    /* the first context line, or NULL */
    json_t *study;      /* the first study line (SCHEMA.md), or NULL */
    json_t *references; /* an array of all reference lines, or NULL */
    int group_count;
    struct group *groups; /* in order of first appearance */
    int timeline_count;
    struct timeline_record *timelines; /* in the order of the file */
    bool torn;                         /* the last line was torn off */
};

/* Reads a file, or returns STATUS_USAGE / STATUS_FAILED with the text. release frees what init and read made. */
int results_read(const char *path, struct results *results_p, struct error *);
void results_init(struct results *);
void results_release(struct results *);
/* Adds a copy of the sample to its group. 0 or -ENOMEM. */
int results_add(struct results *, const struct sample *);
/* Keeps a reference line; takes the reference. 0 or -ENOMEM. */
int results_add_reference(struct results *, json_t *line);
/* Keeps the timeline; takes what the record holds and leaves it empty. 0 or -ENOMEM. */
int results_add_timeline(struct results *, struct timeline_record *);
/* Where the study's plan has the configuration of that key: launches, and so groups, are in random order. Behind the
 * plan where it has it not, or there is no plan. */
size_t results_plan_place(const struct results *, const char *key);
/* The first group of that kernel and mode; NULL where there is none. */
const struct group *results_find(const struct results *, const char *kernel, enum mode_name);

/* statistics.c: of `count` values (not sorted, not changed). NAN for count 0. */
double median(int count, const double values[]);
double quantile(int count, const double values[],
                double q); /* linear between order statistics (Hyndman and Fan's type 7) */
/* Ranks (1-based) of the order statistics that enclose the median with at least 95 % confidence (binomial;
 * distribution-free). Returns false where count is too small (under 6). */
bool median_interval_ranks(int count, int *low_p, int *high_p);

/* The wall times (or rates, ...) of a group's valid samples. Returns how many. */
int group_valid_walls(const struct group *, int max, double walls_p[]);

#endif
