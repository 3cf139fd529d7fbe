/* The other programs on this machine, as far as this user may see them: who used CPU time meanwhile. */
#ifndef SPEEDUP_OBSERVE_NEIGHBOURS_H
#define SPEEDUP_OBSERVE_NEIGHBOURS_H

#include <stddef.h>
#include <sys/types.h>

struct neighbour {
    pid_t pid;
    unsigned long long started; /* clock ticks after the system: a number that began another time is another process */
    char name[32];              /* as the system shortens it */
    double cpu_s;               /* so far */
};

/* All processes at one moment, but this one and workers. */
struct neighbours {
    double wall_s; /* when, CLOCK_MONOTONIC */
    int count;
    struct neighbour *list; /* heap; NULL where /proc cannot be read */
};

void neighbours_read(struct neighbours *neighbours_p);
void neighbours_release(struct neighbours *);

/* "stress-ng (process 4711, 98 % of a CPU), make (...)": the busiest between two moments that used at least 1 % of a
 * CPU, at most three; "" where there is none. Returns text. */
const char *neighbours_busiest(const struct neighbours *before, const struct neighbours *after, size_t length,
                               char *text);

#endif
