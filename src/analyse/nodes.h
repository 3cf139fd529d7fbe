/* Which node or core is slow among equals, from launches in which every core did the same work at the same time. Pure.
 *
 * Times are ratios to the median place of the same launch (of an even number the lower one of the two in the middle; of
 * two places, to the other), so that what changes for all of them cancels. A node's time is the median over its cores,
 * likewise: it is slow where more than half of them are. Over the launches the median and its interval by order
 * statistics; all intervals together hold with the confidence asked for (Bonferroni: with m of them each is taken at
 * 1 - (1 - confidence) / m, whatever they have to do with each other), so that of thousands of equal cores none is
 * called slow by chance. More places need more launches: 8 for 2 cores, 20 for 10,000, at 98 %.
 *
 * Simulated (tests/test_nodes.c), times that scatter by 2 % in each launch: of 400 studies of 220 cores, of which 20
 * lie just below the threshold, 15 launches each, none calls one of them slow; with intervals of 95 % for each core by
 * itself, 17 % do. A core among 64 that takes 1.10 times as long is found in all of 101 studies, after 18
 * launches on average (13 are needed), and no other one is.
 *
 * Samples that are invalid because something disturbed them are used like the others: what disturbs a core is what is
 * looked for. */
#ifndef SPEEDUP_ANALYSE_NODES_H
#define SPEEDUP_ANALYSE_NODES_H

#include "group.h"

/* A place is slow where its whole interval lies above 1 + this. Processors of one kind differ by some per cent by their
 * making (leakage, and with it the clock under a power limit), shares of work by up to 1 %; a job whose ranks wait for
 * the slowest loses no more than that. What takes 5 % longer than its equals has a cause that can be mended. */
#define NODES_THRESHOLD 0.05

enum nodes_state {
    NODES_ALIKE, /* its whole interval is at most 1 + NODES_THRESHOLD */
    NODES_SLOW,  /* ... above it */
    NODES_FAST,  /* ... below 1 - NODES_THRESHOLD */
    NODES_OPEN   /* neither is shown: too few launches, or they scatter too much */
};

/* Why a place is slow: what makes up most of the time that it takes longer. */
enum nodes_cause {
    NODES_NO_CAUSE,  /* it is not slow */
    NODES_WAITED,    /* ready, but another program had its core */
    NODES_STOLEN,    /* the hypervisor had it */
    NODES_THROTTLED, /* the CPU quota of the control group stopped it */
    NODES_SIBLING,   /* more CPU time for the same work, while a program used the other hardware thread of its core */
    NODES_COMPUTED,  /* more CPU time for the same work, and nothing else shows */
    NODES_STOOD,     /* it neither computed nor waited for its core */
    NODES_MIXED      /* several of these, none with half of it */
};

/* A core, or a node. */
struct nodes_place {
    char host[64];
    int cpu;                /* -1: a node */
    int core_count;         /* of a node: its cores */
    int slow_cores;         /* of a node: slow ones, whether or not it is slow itself */
    struct spread time;     /* of the work, relative to the median place; its count: launches */
    struct spread cpu_time; /* its CPU time, likewise */
    /* Medians over the launches; NAN: not observed. */
    double waited;     /* share of its time in which it was ready without a core */
    double foreign;    /* share of the sample in which other programs used its core */
    double stolen;     /* ... the hypervisor */
    double sibling;    /* ... other programs used the core's other hardware threads; NAN also where there are none */
    double stood;      /* share of its time in which it neither computed nor waited */
    int slow_launches; /* in which it took more than NODES_THRESHOLD longer */
    enum nodes_state state;
    enum nodes_cause cause;
    bool by_node; /* of a core: all of its node is slow */
};

struct nodes {
    int launches;          /* that are used */
    int disturbed;         /* of them: invalid, which elsewhere do not count */
    int left_out;          /* launches with a wrong answer, or without the times of workers that have a core each */
    int launches_needed;   /* below that there is no interval */
    double confidence;     /* of all intervals together */
    double own_confidence; /* of each */
    int core_count, node_count;
    struct nodes_place *cores;  /* heap; by host, then CPU */
    struct nodes_place *nodes;  /* heap; by host; one where there is one node: its time is then not known (NAN) */
    int slow_cores, slow_nodes; /* slow_cores: those of slow nodes left out */
    int fast, open;             /* cores and nodes */
    /* More than half are within the threshold of the median one: what is slow is then the odd one. */
    bool cores_agree, nodes_agree;
    double within;    /* every interval is in 1 - within ... 1 + within; NAN where one is missing */
    double throttled; /* share of the time in which the CPU quota stopped the workers of some node; median; NAN */
};

/* The record is of such a study. */
bool nodes_asked(const struct results *);
/* Launches below which nothing can be said of so many cores on so many nodes. */
int nodes_launches_needed(int cores, int nodes, double confidence);

/* Its confidence: as convergence.h says. */
double nodes_confidence(const struct results *);
/* The sample is used: a right answer, with times of workers. */
bool nodes_counts(const struct sample *);
/* 0 or -ENOMEM. nodes_release frees what it made. */
int nodes_build(const struct group *, double confidence, struct nodes *nodes_p);
void nodes_release(struct nodes *);
/* Every place is known to be slow or not to be: no further launch is needed. */
bool nodes_decided(const struct nodes *);

const char *nodes_state_text(enum nodes_state);
const char *nodes_cause_name(enum nodes_cause); /* "waited": for programs; NULL where there is none */
/* "CPU 1", "CPU 1 of node3", "node3". The host may be any bytes. Returns text. */
const char *nodes_place_name(const struct nodes *, const struct nodes_place *, size_t length, char *text);
/* The verdict, one sentence or two. Returns text. */
const char *nodes_sentence(const struct nodes *, size_t length, char *text);
/* Why it is slow, in plain words: "it waited ..."; "" where it is not. Returns text. */
const char *nodes_cause_text(const struct nodes_place *, size_t length, char *text);

/* The slowest that are slow, nodes before cores; where none is, the slowest that are open. Without cores of slow nodes.
 * places_p has room for `most`. Returns how many. */
int nodes_slowest(const struct nodes *, int most, const struct nodes_place *places_p[]);
/* What a table of at most `most` rows has: all nodes, each with its cores where it is slow, or has slow ones; of one
 * node all cores. Where that does not fit, what is slow, the slowest first, then what is open: *whole_p is then false.
 * places_p has room for `most`, and points into `nodes`. Returns how many. */
int nodes_select(const struct nodes *, int most, const struct nodes_place *places_p[], bool *whole_p);
/* Quantile q of the relative times of all cores, or of all nodes. */
double nodes_quantile(const struct nodes *, bool of_nodes, double q);

#endif
