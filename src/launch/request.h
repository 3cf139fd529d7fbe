/* What a worker is asked to do, as its command line. The harness formats it, the worker parses it: both here. Pure. */
#ifndef SPEEDUP_LAUNCH_REQUEST_H
#define SPEEDUP_LAUNCH_REQUEST_H

#include "../error.h"
#include "../plan/config.h"

struct request {
    struct config config;
    int runs;    /* timed samples, >= 1 */
    int warmups; /* runs before them that are not reported, >= 0 */
    /* Started by a foreign launcher: the CPU list is what this rank may use. Ranks of a node with the same list share
     * it in turn, as the local ranks of a job of our own do. */
    bool own_cpus;
    bool timeline; /* one sample more after them, which the ranks watch themselves */
    bool picture;  /* the last result is drawn, for kernels that can */
    /* Where the scheduling is real-time: a thread that computes for so long without sleeping ends its worker; 0: none.
     */
    double realtime_limit_s;
    /* From its start on; then a worker ends itself: nothing else may reach a node that is cut off. 0: none. */
    double deadline_s;
    bool alive; /* the first rank of each node tells that it lives (alive.h) */
};

/* The worker's arguments after its name: a NULL-terminated heap array; request_free_arguments frees it. NULL: no
 * memory. */
char **request_format(const struct request *);
void request_free_arguments(char **arguments);
/* Parses what request_format wrote. STATUS_USAGE with the text where it is no request. */
int request_parse(int argc, char *const argv[], struct request *request_p, struct error *);

#endif
