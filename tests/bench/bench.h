/* What the benchmark programs share: options, statistics over rounds, texts, matrices.
 *
 * Speeds of one machine drift by several per cent within minutes. Therefore whoever is compared is measured in turns:
 * a round measures every contestant once, in random order, and the ratio of two is the median over the rounds of their
 * ratio within a round. */
#ifndef BENCH_H
#define BENCH_H

#include "../../kernels/isa.h"
#include "../../src/options/options.h"
#include "../../src/plan/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct bench_program {
    const char *name, *description; /* for --help: one line a paragraph */
    const struct option *options;
};

/* 0; 1 where help was asked for and printed; STATUS_USAGE. Every option takes a value but flags; no operands. */
int bench_parse(const struct bench_program *, int argc, char *argv[], struct error *);

/* Rows that the tables of several programs have. */
#define BENCH_OPTION_REPEATS(int_p)                                                                                    \
    {                                                                                                                  \
        .name = "repeats", .type = OPT_COUNT, .value = (int_p), .min = 1, .max = BENCH_ROUNDS_MAX, .argument = "K",    \
        .help = "Rounds. Default: 9. From 6 on there are intervals."                                                   \
    }
#define BENCH_OPTION_CPUS(cpu_list_p)                                                                                  \
    {                                                                                                                  \
        .name = "cpus", .type = OPT_CPUS, .value = (cpu_list_p), .argument = "LIST",                                   \
        .help = "CPUs, one a thread: 0,2-3. Default: the first that this process may use."                             \
    }

/* The words of a list "a,b,c", one by one: false where none is left (or one is longer than fits). */
bool bench_next_word(const char **rest_p, size_t length, char *word_p);
/* NULL is a list that has everything. */
bool bench_list_has(const char *list, const char *word);

/* The machine as the calling thread may use it, in one line. */
int bench_print_machine(struct error *);

/* Where `threads` threads run, and as what code; each prints what was chosen. One CPU a thread, or one that all share,
 * of `wish` (empty: of those that the process may use); binds the process to them. */
int bench_choose_cpus(int threads, bool shared, const struct cpu_list *wish, struct cpu_list *cpus_p, struct error *);
/* By name; NULL: as SPEEDUP_ISA says, or the best. */
int bench_choose_isa(const char *wish, enum isa *isa_p, struct error *);
/* Binds the threads of the next parallel regions of so many to their CPUs. */
void bench_settle_threads(int threads, const struct cpu_list *);
/* OpenMP reads how to wait when the program starts, and threads that share a CPU must not spin. Returns where that is
 * settled. */
void bench_start_anew_with_passive_waits(char *argv[]);

enum { BENCH_ROUNDS_MAX = 1000 };

/* Over rounds. The interval holds the median with at least 95 % confidence; under 6 rounds there is none, and it is the
 * range of all values. */
struct estimate {
    int rounds;
    double median, low, high;
};
struct estimate bench_estimate(int rounds, const double values[]);
/* Of a[i] / b[i]. */
struct estimate bench_estimate_ratio(int rounds, const double a[], const double b[]);
/* "1.102 [1.090, 1.113]", or the median alone where there was one round; "-" where there was none. Returns text. */
const char *bench_format(struct estimate, int decimals, size_t length, char *text);
/* "9 rounds, [95 % interval of the median]": how to read the brackets. Returns text. */
const char *bench_interval_text(int rounds, size_t length, char *text);

/* For how long threads of this process have waited for a CPU so far, as far as they still live: others took it. */
double bench_waited_s(void);
/* Measurements that were made again for that, and those that stayed disturbed. */
struct bench_disturbances {
    int repeated, disturbed;
};
/* Whether a measurement is to be made again, since its threads waited for so much of its time:
 *     int tries = 0;
 *     do {
 *         rate = measure(&waited);
 *     } while (bench_must_repeat(waited, &tries, &disturbances)); */
bool bench_must_repeat(double waited, int *tries, struct bench_disturbances *);
/* A line on them, where there were any. */
void bench_print_disturbances(const struct bench_disturbances *);

/* A random order of 0 ... count - 1. */
void bench_shuffle(int count, uint64_t *state, int order_p[]);

/* Doubles at a multiple of 64 bytes, or of 2 MiB with the kernel asked for huge pages; NULL: out of memory. free()
 * frees them. */
double *bench_new_doubles(int64_t count, bool huge_pages);
/* Evenly in [-1, 1). */
void bench_fill(int64_t count, double *values, uint64_t seed);
/* INFINITY where one is not a number. */
double bench_largest_difference(int64_t count, const double *a, const double *b);
/* By how much two right products can differ whose factors' elements lie in [-1, 1] (Higham: Accuracy and stability of
 * numerical algorithms, 2002, section 3.1: each errs by k u |A| |B|, little more, and |A| |B| <= k). */
double bench_product_bound(int64_t depth);

#endif
