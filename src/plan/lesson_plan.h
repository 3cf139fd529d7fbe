/* The lesson as a list of scenes: which kernel in which mode, how large. Pure. */
#ifndef SPEEDUP_PLAN_LESSON_PLAN_H
#define SPEEDUP_PLAN_LESSON_PLAN_H

#include "plan.h"

enum { SCENES_MAX = 16, SCENE_KERNELS = 3 };

/* The kernels of the lesson, in its order; the last one waits. */
enum scene_kernel { SCENE_MATMUL, SCENE_PI, SCENE_WAITING };
extern const char *const scene_kernel_names[SCENE_KERNELS];

/* How long things shall take. */
struct lesson_times {
    double base_s;      /* the base of a computing scene */
    double wait_base_s; /* the base of the waiting scene */
    int blocks;         /* repetitions of the whole lesson */
};

struct scene {
    enum scene_kernel kernel;
    struct mode mode;
    char text[80]; /* for the progress line: "2 threads take turns on one core" */
};

struct lesson_plan {
    int workers;       /* W of the scenes */
    int waiting_tasks; /* of the waiting scene */
    struct lesson_times times;
    int scene_count;
    struct scene scenes[SCENES_MAX];
};

/* workers 0: one for each core, 2 to 8. `mpi`: whether the MPI modes are available. Scenes that need more than one core
 * are left out where there is one. */
int plan_lesson(const struct machine *, int workers, bool quick, bool mpi, struct lesson_plan *plan_p, struct error *);

/* What a computation of `items` took tells the operations that make one item's computing `target_s` long. */
double plan_operations(double operations, double item_s, double target_s);

#endif
