/* A task's turns on a core, as its counters tell them. Between sampler_build.h's sightings and timeline. Pure. */
#ifndef SPEEDUP_OBSERVE_SAMPLER_TURNS_H
#define SPEEDUP_OBSERVE_SAMPLER_TURNS_H

#include "sampler_build.h"

struct turn {
    int task, cpu;
    int before_of_task, before_on_cpu; /* turns; -1: none */
    double low_s, high_s;              /* the window of its begin */
    double length_s, wait_s;
    double look_s;    /* time between the looks that it began in */
    bool was_blocked; /* before: was seen so */
    bool several;     /* short ones in one: waiting was between, not before */
    bool open;        /* its end was not seen */
    /* Whoever places them. */
    double key; /* order */
    double begin_s, end_s;
    double limit_s; /* its end where that was not seen */
};

struct turns {
    int count, capacity;
    struct turn *list;
    int *order; /* by time; whoever places them makes it */
};

/* All turns of all tasks, a task's one behind the other; not placed yet. The list is the caller's to free, also where
 * there was no memory. 0 or -ENOMEM. */
int turns_find(struct turns *turns_p, int count, const struct sampled_task tasks[]);

#endif
