/* Did a command multitask or multiprocess, and why: rules over what was seen of it. Pure. */
#ifndef SPEEDUP_ANALYSE_DIAGNOSIS_H
#define SPEEDUP_ANALYSE_DIAGNOSIS_H

#include "../error.h"
#include "../observe/hotspots.h"
#include "../observe/timeline.h"
#include "../observe/tree.h"
#include "../place/machine.h"

/* What was seen. Numbers: NAN where unknown. */
struct evidence {
    const struct machine *machine;   /* what this process may use */
    struct cpu_mask machine_cpus;    /* what the machine has online: a mask narrower than this was set by somebody */
    const struct timeline *timeline; /* of all tasks of the command; cpus[].busy_s by all programs */
    const struct tree *tree;
    const struct hotspots *hotspots;
    double wall_s;           /* that it was watched */
    double user_s, system_s; /* CPU time of all its processes */
    double steal_s;          /* of the CPUs on which it ran */
    double throttled_s;      /* stopped by the quota of a control group */
    double quota_cpus;       /* that quota, in CPUs; NAN: none */
    int64_t peak_memory_bytes;
    char neighbours[256]; /* the busiest other programs meanwhile (neighbours.h); "" */
    char command[512];    /* as it was typed, for the fix; "" where a process was attached to */
};

enum verdict_kind {
    VERDICT_IDLE,            /* nothing ran for long enough to tell */
    VERDICT_ONE_TASK,        /* one task did it all */
    VERDICT_MULTITASKING,    /* several took turns */
    VERDICT_MULTIPROCESSING, /* several ran at once */
    VERDICT_MOSTLY_WAITING,  /* for something else than a core */
    VERDICT_MIXED,
    VERDICT_COUNT
};
const char *verdict_kind_text(enum verdict_kind); /* "MULTITASKING"; of IDLE "NOTHING TO TELL" */

enum { FINDINGS_MAX = 16 };

/* One reason, or one thing that is wrong. */
struct finding {
    char name[24];  /* for programs: "ranks-one-core", "spinning", ... */
    bool fault;     /* something is wrong, and the fix helps; else it only explains */
    char text[500]; /* in plain words, with the evidence */
    char fix[500];  /* a command, or a variable to set; "" */
};

struct diagnosis {
    enum verdict_kind verdict;
    char headline[200];     /* "8 threads took turns on 1 core" */
    int processes, threads; /* that were there in all */
    int workers;            /* tasks that did the work */
    int cores_allowed;      /* by the workers' masks, together */
    int cores_used;         /* CPUs' cores on which they ran for 2 % of the time or more */
    /* Where no task did any work to speak of, the next ones but parallelism are of those that waited. */
    double concurrency; /* workers started and not finished, on average */
    double parallelism; /* running at the same instant, on average */
    double cores_busy;  /* CPU time over wall time, of everything */
    double waiting;     /* of the time in which workers were active (running or ready): ready, without a core */
    double blocked;     /* of the workers' time, from the start of each to its end */
    double serial;      /* of the time in which any was active: only one was */
    int finding_count;
    struct finding findings[FINDINGS_MAX]; /* faults first, the worst first */
};

/* Of a timeline that ends early, or lacks records, it is not known what was the command's own of what its CPUs did. */
bool diagnosis_knows_foreign(const struct evidence *);
/* 0 or -ENOMEM. */
int diagnosis_make(const struct evidence *, struct diagnosis *diagnosis_p);

#endif
