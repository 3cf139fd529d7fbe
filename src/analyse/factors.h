/* Why a speedup is what it is: a product of factors, each a loss of its own kind. Pure.
 *
 * Of one sample, with P workers, its wall time T, and for each worker the useful time outside communication and outside
 * waiting at the end of a parallel region, as wall time W and as CPU time C:
 *
 *     balance        mean(C) / max(C)              1: all have the same work
 *     communication  max(W) / T                    1: the worker that works longest never waits for another
 *     share          max(C) / max(W)               1: it had its core to itself; 1/k: it took turns with k - 1 others
 *
 * Their product is sum(C) / (P T): the parallel efficiency of Casas, Badia, Labarta: Automatic analysis of speedup of
 * MPI applications (ICS 2008; the POP metrics), with the share of a core taken out of it. Against a base (of P0
 * workers, one for the usual base),
 *
 *     computation    (sum(C) / work of the base) / (sum(C) / work)    1: a unit of work costs as much CPU time as in
 * the base
 *
 * and the speedup, as the ratio of rates, is exactly
 *     P / P0 * computation * balance * communication * share, each of the last three over the base's own.
 *
 * A serial section, in which one worker works and all others wait for it, is a loss of balance as well: that worker has
 * so much more to do. Kernels stamp theirs (team_serial_begin), so that the sentence can tell it from unequal shares.
 *
 * Of a command, which is seen from outside alone, the workers are the places of outside.h: C and W tell how many of its
 * tasks ran and were ready at a time. The identity holds as well, but balance then is all that keeps fewer than P tasks
 * active (serial parts, unequal shares, waits for one another), communication is the time in which none was active, and
 * a spinning wait is work.
 */
#ifndef SPEEDUP_ANALYSE_FACTORS_H
#define SPEEDUP_ANALYSE_FACTORS_H

#include "bandwidth.h"
#include "group.h"

enum factor { FACTOR_COMPUTATION, FACTOR_BALANCE, FACTOR_COMMUNICATION, FACTOR_SHARE, FACTOR_COUNT };

/* "computation", "load balance", "communication and waiting", "share of a core" */
const char *factor_name(enum factor);

struct factors {
    int blocks;   /* in which both the sample and its base count; 0: all below but the scale is NAN */
    double scale; /* P / P0 */
    double work;  /* over the base's: 1 in strong scaling */
    /* Medians over the blocks, each against the base of the same block; NAN where a worker's times were not observed.
     */
    double value[FACTOR_COUNT];
    double low[FACTOR_COUNT], high[FACTOR_COUNT]; /* 95 % intervals of these; NAN where the blocks are too few */
    double product;     /* scale times all values: of one block exactly the speedup, of medians nearly */
    double speedup;     /* median of the ratio of rates in the same blocks */
    char missing[224];  /* what was not observed, hence NAN; "" */
    enum factor worst;  /* the smallest value */
    double worst_share; /* of all loss, by logarithms: log(value[worst]) / sum of the negative logarithms; 0 where
                           nothing  is lost, NAN where a value is */
    struct bandwidth bandwidth; /* its caches are found by who knows the machine (curve.c) */
};

/* base may be group itself (all factors 1); NULL: none (blocks 0). */
void factors_of(const struct group *base, const struct group *, struct factors *factors_p);

/* One plain sentence: "8 workers: 3.90 times as fast as one task; most of the loss (52 %) is time slicing: 8 tasks had
 * 4 cores." The factor's meaning in words, with numbers of the workers and CPUs; says so where hardly anything was
 * lost, and where it was faster than ideal. At most 300 characters. Returns text. */
const char *factors_sentence(const struct factors *, const struct group *, size_t length, char *text);

#endif
