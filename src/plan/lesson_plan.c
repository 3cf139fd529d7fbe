/* The lesson's scenes: short samples in many blocks, since the speed of a computer, and of a virtual one above all,
 * drifts within seconds, and nine pairs give an interval. A scene with W workers on W cores is W times as short as its
 * base, and must still be long enough to be judged: so the base grows with W. */
#include "lesson_plan.h"

#include <math.h>
#include <stdio.h>

const char *const scene_kernel_names[SCENE_KERNELS] = {"matmul", "pi", "synthetic"};

enum { WORKERS_DEFAULT_MAX = 8, WAITING_TASKS = 4 };

static int add_scene(const struct machine *machine, enum scene_kernel kernel, enum mode_name name, int workers,
                     struct lesson_plan *plan, struct error *error)
{
    struct scene *scene = &plan->scenes[plan->scene_count];
    struct mode_request request = {.mode = (int)name, .workers = name == MODE_SERIAL ? 0 : workers, .wait_policy = -1};
    int status = plan_mode(machine, &request, &scene->mode, error);
    if (status) return status;
    scene->kernel = kernel;
    const char *tasks = mode_needs_mpi(name) ? "processes" : "threads";
    int cores = scene->mode.cpus.count;
    if (name == MODE_SERIAL)
        snprintf(scene->text, sizeof scene->text, "one task on one core");
    else if (cores == 1)
        snprintf(scene->text, sizeof scene->text, "%d %s take turns on one core", workers, tasks);
    else
        snprintf(scene->text, sizeof scene->text, "%d %s on %d cores", workers, tasks, cores);
    plan->scene_count++;
    return STATUS_OK;
}

static int add_computing_scenes(const struct machine *machine, enum scene_kernel kernel, bool mpi,
                                struct lesson_plan *plan, struct error *error)
{
    static const enum mode_name names[] = {MODE_SERIAL, MODE_MULTITASK, MODE_MULTITASK_MPI, MODE_THREADS, MODE_MPI};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (mode_needs_mpi(names[i]) && !mpi) continue;
        bool many_cores = names[i] == MODE_THREADS || names[i] == MODE_MPI;
        if (many_cores && machine->core_count < 2) continue;
        int status = add_scene(machine, kernel, names[i], plan->workers, plan, error);
        if (status) return status;
    }
    return STATUS_OK;
}

int plan_lesson(const struct machine *machine, int workers, bool quick, bool mpi, struct lesson_plan *plan_p,
                struct error *error)
{
    struct lesson_plan plan = {.waiting_tasks = WAITING_TASKS};
    int cores = machine->core_count;
    if (workers == 0) workers = cores < 2 ? 2 : cores > WORKERS_DEFAULT_MAX ? WORKERS_DEFAULT_MAX : cores;
    plan.workers = workers;
    plan.times = (struct lesson_times){
        .base_s = fmax(0.6, 0.3 * (workers < cores ? workers : cores)), .wait_base_s = 1.0, .blocks = quick ? 2 : 9};
    int status = add_computing_scenes(machine, SCENE_MATMUL, mpi, &plan, error);
    if (!status) status = add_computing_scenes(machine, SCENE_PI, mpi, &plan, error);
    if (!status) status = add_scene(machine, SCENE_WAITING, MODE_SERIAL, 1, &plan, error);
    if (!status) status = add_scene(machine, SCENE_WAITING, MODE_MULTITASK, WAITING_TASKS, &plan, error);
    if (status) return status;
    *plan_p = plan;
    return STATUS_OK;
}

double plan_operations(double operations, double item_s, double target_s)
{
    double wanted = operations * target_s / item_s;
    /* Two significant digits are exact enough, and readable in the record. */
    double unit = pow(10, floor(log10(wanted)) - 1);
    return fmax(1, round(wanted / unit) * unit);
}
