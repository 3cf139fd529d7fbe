/* The measured side: one rank of a worker program, from its arguments to its last line. worker.c is its life,
 * timing.c one timed execution, ceiling.c what bounds it, timelines.c the one that is watched, output.c the lines that
 * rank 0 writes. */
#ifndef SPEEDUP_WORKER_WORKER_H
#define SPEEDUP_WORKER_WORKER_H

#include "../../kernels/isa.h"
#include "../error.h"
#include "../launch/request.h"
#include "../observe/sample.h"
#include "../record/timelines.h"
#include "team.h"
#include "watch.h"

#include <stdio.h>

/* What a thread tells at the end of a timed execution; of fixed size, so that one gather collects all. */
struct worker_report {
    struct worker_times times; /* start_s and end_s on the node's clock */
    double rank_end_s;         /* when the kernel returned on this rank */
    double throttled_s;
};

enum { SIBLINGS_MAX = 7 }; /* of a CPU: 8 hardware threads a core are the most there are */

struct worker {
    struct request request;
    struct team *team;
    enum isa isa; /* that all ranks agreed on, and problem.isa names */
    struct problem problem;
    void *state; /* the kernel's */
    int place;   /* among the ranks of the node that share its CPUs: the local rank, but for a foreign launcher */
    char host[64];
    char library[256]; /* MPI's, or "" */
    /* One a thread: its CPU, and what was read before the run. */
    int *cpus;        /* then the siblings of all of them, whose times are watched too */
    int *watched_for; /* the thread for which cpus[i] is watched */
    int watched_count;
    struct cpu_counters *cpus_begin, *cpus_end;
    struct thread_counters *threads_begin;
    struct worker_report *reports;
    struct worker_report *all_reports; /* of all ranks; NULL but on rank 0 */
    struct watch *watch;               /* of the sample to come; NULL: it is not watched */
    int machines;                      /* that the ranks' hosts are; rank 0 knows; -1 unknown */
    int watchers;                      /* ranks of this node that watch themselves */
    double *ceiling_arrays;            /* ceiling.c: three of each thread; NULL: none */
    int64_t ceiling_count;             /* elements of one */
    FILE *lines;                       /* where rank 0 writes */
    struct alive *alive;               /* alive.c; NULL: this rank does not speak for its node */
    struct error error;
};

/* A worker's whole life. argv without the program's name. Writes the protocol's JSON Lines to `lines` on rank 0: hello,
 * samples, timelines, then done or error. Returns STATUS_OK or what the error line says. */
int worker_main(int argc, char *argv[], FILE *lines);

/* Collective. 0 where every rank brings 0; else the same failure on every rank, and rank 0 has the text of the first
 * rank that failed in worker->error. */
int worker_agree(struct worker *, int status);
/* For a failure that the others may not share and cannot be told of, as they wait elsewhere: with several ranks, ends
 * them all (rank 0 writes its error line first); with one, returns the status. */
int worker_abandon(struct worker *, int status);

/* cpus.c. Collective, for a foreign launcher's job: sets worker->place. STATUS_USAGE where the ranks were bound in a
 * way that the mode cannot have. */
int worker_agree_place(struct worker *);
/* On a node whose CPUs have other numbers than those of the first (what a batch system gave of each differs): the
 * mode's CPUs become as many of this node's, in the order in which workers get them. Before MPI starts. STATUS_FAILED
 * where this node has fewer. */
int worker_adopt_cpus(struct worker *);
/* Collective, of our own jobs: the ranks are on as many nodes as the mode has. STATUS_FAILED, the same on all ranks. */
int worker_check_nodes(struct worker *);
/* Collective. Sets worker->machines on rank 0. */
int worker_count_machines(struct worker *);
/* Adds the other hardware threads of the cores of this rank's CPUs to those watched, unless a worker of ours may be
 * there. */
void worker_watch_siblings(struct worker *);

/* timing.c. Collective: one execution of the kernel with all stamps. On rank 0, *sample_p (initialised) is filled and
 * derived, where `reported`; else neither check nor gather is made (a warm-up). */
int timing_run(struct worker *, bool reported, struct sample *sample_p);

/* ceiling.c. Collective: what all workers together can do at most here and now, a second, in the kernel's work unit. On
 * rank 0 *rate_p; NAN elsewhere, and where the unit has no ceiling. To be called outside of what is timed. */
int ceiling_measure(struct worker *, double *rate_p);
void ceiling_set(const struct worker *, double rate, struct sample *sample_p);
void ceiling_release(struct worker *);

/* timelines.c. Collective: one more execution, watched by the ranks themselves; rank 0 writes a line for each host, on
 * the clock of the first. STATUS_FAILED where no rank could watch, STATUS_WRONG where the answer was wrong. */
int worker_watch_sample(struct worker *);

/* picture.c. Collective: draws the last result; rank 0 writes its lines. */
int worker_draw(struct worker *);

/* alive.c. Collective: from now on the first rank of each node tells that it lives (launch/alive.h), until it is told
 * to end. */
int worker_tell_alive(struct worker *);
void worker_end_alive(struct worker *);

/* output.c: one line each, flushed at once. 0 or STATUS_FAILED with the text. */
int output_hello(FILE *, const struct worker *, const char *hosts /* [size][sizeof worker->host] */,
                 struct error *error);
int output_sample(FILE *, const struct sample *, struct error *);
int output_timeline(FILE *, const struct timeline_record *, struct error *);
int output_picture(FILE *, int64_t width, int64_t height, struct error *);
int output_picture_row(FILE *, size_t length, const char *rgb, struct error *);
int output_done(FILE *, struct error *);
int output_error(FILE *, int status, const struct error *);

/* bind.c: becomes a command of the user's own, on the CPUs of its rank; returns the exit status where it cannot. */
int worker_bind(int argc, char *argv[]);

#endif
