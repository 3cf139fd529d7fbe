/* The kernel contract: what a kernel tells the harness about itself, and the calls by which a worker runs it.
 *
 * A kernel is written once and does not know its mode: the team (team.h) says which share of the work belongs to this
 * rank, and OpenMP which share of that belongs to this thread. It knows nothing of the harness, of MPI or of files.
 *
 * Errors: functions return 0 or a negative errno value. Kernels never exit, print or abort.
 */
#ifndef KERNELS_KERNEL_H
#define KERNELS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct team;

enum { KERNEL_OPTIONS_MAX = 16, SIZE_DIMS_MAX = 3 };

/* A problem size: up to three extents ("2048" or "2048x2048x64"), or a class by name ("S"), which the kernel turns into
 * extents. The unit of an extent is the kernel's own (size_help says it). */
struct size {
    int dims;
    int64_t dim[SIZE_DIMS_MAX];
    char class_name[8]; /* "" where no class was named */
};

enum kernel_option_type {
    OPTION_NUMBER,   /* a floating-point number */
    OPTION_COUNT,    /* a whole number up to 2^53 */
    OPTION_DURATION, /* seconds; written "4ms", "10us", "1.5s" */
    OPTION_BYTES,    /* bytes; written "64KiB", "1MiB", "4096" */
    OPTION_CHOICE    /* index into choices */
};

/* An option of the kernel's own. Values are held as doubles in the order of the kernel's table. */
struct kernel_option {
    const char *name; /* as on the command line, without dashes; NULL ends a table */
    enum kernel_option_type type;
    double min, max;            /* allowed, both ends included */
    double fallback;            /* the default */
    const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
    const char *help;           /* one line */
};

struct variant {
    const char *name;                 /* NULL ends a table */
    const char *summary;              /* what this variant does, in one sentence */
    bool exact;                       /* the same bits for every number of ranks and threads */
    const char *(*unavailable)(void); /* NULL, or returns why this machine cannot run it, or NULL where it can */
};

/* What is to be computed. The worker fills it before prepare; it outlives the state. */
struct problem {
    const struct kernel *kernel;
    const struct variant *variant;
    struct size size;
    double options[KERNEL_OPTIONS_MAX];
    uint64_t seed;
    const char *isa; /* the instruction set to use, as isa_find (isa.h) takes it: "" and NULL mean the best of this
                        machine; the worker names the one that all ranks agreed on */
};

/* The outcome of a check; the same on every rank. */
struct verdict {
    bool correct;
    uint64_t checksum; /* of the exact bits of the result; independent of ranks and threads where variant->exact */
    double result;     /* the one number that stands for the answer, e.g. the estimate of pi */
    char detail[240];  /* how it was checked, and with what outcome, in one line */
};

enum { KERNEL_POINTS_MAX = 64 };

/* One size of message of a kernel that times messages. */
struct kernel_point {
    int64_t bytes;        /* of a message */
    int64_t messages;     /* that were timed, one after the other */
    double time_s;        /* of one message; the most of all ranks */
    double traffic_bytes; /* that pass in this time, between all ranks; 0: not told */
};

/* A network on which a message of n bytes takes latency_s + n byte_s. */
struct kernel_network {
    double latency_s, byte_s;
};

/* Who takes a picture, row by row from the top: each of its width times red, green, blue. take_row returns 0 or a
 * negative errno value, and is then not called again. */
struct kernel_canvas {
    void *context;
    int (*take_row)(void *context, const uint8_t rgb[]);
};

struct kernel {
    const char *name, *summary, *lesson;
    const char *size_help;    /* what --size means and which forms it takes */
    const char *size_default; /* as one would write it after --size */
    const char *work_unit;    /* "flop", "sample", "item": the unit of work() */
    bool memory_bound; /* work() is bytes to and from memory, as STREAM counts them: what a triad moves is their ceiling
                        */
    const char *unshared; /* the option that does without memory shared by ranks, as on the command line; or NULL */
    /* The option that says how often all is done, where its size is what is measured and not how long that takes: a
     * larger one would not be the same made longer. Or NULL. */
    const char *repeated_by;
    uint64_t seed_default;
    const char *variant_default;    /* by name; one that every machine can run */
    const struct variant *variants; /* from the plainest to the best */
    const struct kernel_option *options;

    /* 0, or -EINVAL for what is no size, -ERANGE for a size out of the kernel's domain. */
    int (*parse_size)(const char *text, struct size *size_p);
    /* Total work, over all ranks, in work_unit. */
    double (*work)(const struct problem *);
    /* Bytes that all ranks together will allocate. */
    double (*memory)(const struct problem *, int ranks);
    /* The weak-scaling law: the size whose work is as near as possible to `work`. 0 or -ERANGE. */
    int (*size_for)(const struct problem *, double work, struct size *size_p);

    /* Collective. Allocates the state of this rank, with first touch by the threads that will use it. -ENOMEM where
     * memory does not suffice, -ENOTSUP where the ranks of a node cannot share memory: *state_p is then NULL, and the
     * worker makes the ranks agree before any further call. */
    int (*prepare)(struct team *, const struct problem *, void **state_p);
    /* Collective. Makes the state ready for another run. Not timed. */
    int (*reset)(struct team *, void *state);
    /* Collective, timed: no allocation, no input or output. */
    int (*run)(struct team *, void *state);
    /* Collective. Checks the result of the last run; *verdict_p is the same on every rank. */
    int (*check)(struct team *, void *state, struct verdict *verdict_p);
    /* Not collective. Frees the state; NULL is allowed. */
    void (*teardown)(void *state);
    /* For tests alone: damages the result of the last run as a wrong program would, so that check must reject it.
     * `kind` counts 0, 1, ... ; returns false where there is no such kind (of damage), and then changes nothing. Call
     * it on one rank. */
    bool (*corrupt)(void *state, int kind);

    /* What only some kernels have; NULL elsewhere. */

    /* The sizes of messages that the last run timed, after its check; the same on every rank. Returns how many of at
     * most KERNEL_POINTS_MAX. */
    int (*points)(const void *state, struct kernel_point points_p[KERNEL_POINTS_MAX]);
    /* How long a run would take, by the kernel's own schedule of messages, if each of `ranks` ranks were on a node of
     * its own, with one link that carries both directions at once, and each rank's work took work_s in all. Pure. 0,
     * -ENOMEM, or -ENOTSUP where the schedule is not the kernel's but the MPI library's. */
    int (*predict)(const struct problem *, int ranks, const struct kernel_network *, double work_s, double *time_s_p);
    /* Of the picture that draw makes, in pixels. Pure. */
    void (*picture_size)(const struct problem *, int64_t *width_p, int64_t *height_p);
    /* Collective. Draws the result of the last run, on the canvas of rank 0 (NULL elsewhere). 0, -ENOMEM on all ranks,
     * or on rank 0 what the canvas returned. */
    int (*draw)(struct team *, void *state, const struct kernel_canvas *);
};

/* registry.c: the one table of kernels, NULL-terminated. */
extern const struct kernel *const kernel_registry[];

/* NULL where no kernel (variant) has that name. */
const struct kernel *kernel_find(const char *name);
const struct variant *kernel_find_variant(const struct kernel *, const char *name);

/* The one that the kernel names as its default. */
const struct variant *kernel_default_variant(const struct kernel *);

/* NULL where the variant can run here, else the reason. */
const char *variant_unavailable(const struct variant *);

/* kernels/text.c: the texts of sizes and option values, both ways. Formats are canonical: parse(format(x)) == x. */

/* Parses "A", "AxB" or "AxBxC" of whole numbers >= 1 (also "1e9", "4k", "2M": powers of 1000). 0, -EINVAL, -ERANGE. */
int size_parse_extents(const char *text, int dims_max, struct size *size_p);
/* Writes the canonical text; returns text. */
const char *size_format(const struct size *, size_t length, char *text);
/* Parses one option value and checks its domain. 0, -EINVAL (no such value), -ERANGE (outside min ... max). */
int kernel_option_parse(const struct kernel_option *, const char *text, double *value_p);
const char *kernel_option_format(const struct kernel_option *, double value, size_t length, char *text);
/* "0s to 10s (default 4ms)" or "one of: sleep, disk": what a message says is allowed. Returns text. */
const char *kernel_option_domain(const struct kernel_option *, size_t length, char *text);

/* Fills kernel, default variant, default size, default options, seed and the instruction set "". */
void problem_init(const struct kernel *, struct problem *problem_p);

#endif
