/* Configurations are the product of variants, modes and numbers of workers, with serial once for each variant, and the
 * base's number of workers in each mode. What comes next is counted anew from all launches each time: nothing is
 * remembered that a study which goes on could not know. */
#include "study.h"

#include "blocks.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct numbers {
    int max, count, *values;
};

static int numbers_add(struct numbers *numbers, long value)
{
    int at = 0;
    if (value < 1 || value > MODE_WORKERS_MAX) return -ERANGE;
    while (at < numbers->count && numbers->values[at] < value) at++;
    if (at < numbers->count && numbers->values[at] == value) return 0;
    if (numbers->count == numbers->max) return -ERANGE;
    memmove(&numbers->values[at + 1], &numbers->values[at], (size_t)(numbers->count - at) * sizeof numbers->values[0]);
    numbers->values[at] = (int)value;
    numbers->count++;
    return 0;
}

static int parse_number(const char **text, long *value_p)
{
    char *end;
    if (!isdigit((unsigned char)**text)) return -EINVAL;
    errno = 0;
    *value_p = strtol(*text, &end, 10);
    *text = end;
    return errno || *value_p > MODE_WORKERS_MAX ? -ERANGE : 0;
}

/* "4", "1-8" or "1..64*2". */
static int parse_range(const char **text, struct numbers *numbers)
{
    long first, last, factor = 1, step = 1;
    int status = parse_number(text, &first);
    if (status) return status;
    last = first;
    if (**text == '-') {
        (*text)++;
        status = parse_number(text, &last);
    } else if (strncmp(*text, "..", 2) == 0) {
        *text += 2;
        status = parse_number(text, &last);
        if (!status && **text != '*') return -EINVAL;
        (*text)++;
        if (!status) status = parse_number(text, &factor);
        if (!status && factor < 2) return -EINVAL;
        step = 0;
    }
    if (!status && first < 1) return -ERANGE;
    if (!status && last < first) return -EINVAL;
    for (long value = first; !status && value <= last; value = value * factor + step)
        status = numbers_add(numbers, value);
    return status;
}

int study_parse_workers(const char *text, int max, int workers_p[], int *count_p)
{
    struct numbers numbers = {.max = max, .values = workers_p};
    for (;; text++) {
        int status = parse_range(&text, &numbers);
        if (status) return status;
        if (*text == '\0') break;
        if (*text != ',') return -EINVAL;
    }
    *count_p = numbers.count;
    return 0;
}

struct builder {
    const struct machine *machine;
    const struct study_request *request;
    struct study_plan *plan;
};

struct mode_request study_mode_request(const struct study_request *request, enum mode_name name,
                                       const struct study_shape *shape)
{
    struct mode_request mode = request->placement;
    mode.mode = (int)name;
    mode.workers = shape->workers;
    mode.nodes = shape->nodes;
    mode.ranks = shape->ranks;
    mode.threads = shape->threads;
    return mode;
}

struct shapes {
    int count;
    bool failed;
    struct study_shape *items;
};

static void add_shape(struct shapes *shapes, struct study_shape shape)
{
    for (int i = 0; i < shapes->count; i++) {
        const struct study_shape *other = &shapes->items[i];
        if (other->workers == shape.workers && other->nodes == shape.nodes &&
            (other->threads == shape.threads || other->base))
            return;
    }
    struct study_shape *items = realloc(shapes->items, (size_t)(shapes->count + 1) * sizeof *items);
    if (!items) {
        shapes->failed = true;
        return;
    }
    shapes->items = items;
    items[shapes->count++] = shape;
}

/* What is too much for an int is too much all the same, and refused with the mode. */
static int product(int a, int b)
{
    return (long long)a * b > INT_MAX ? INT_MAX : a * b;
}

/* Of so many nodes and threads a rank (0: the mode's own). */
static void add_node_shapes(int cores, const struct study_request *request, enum mode_name name, int nodes, int threads,
                            struct shapes *shapes)
{
    int each = request->ranks_per_node;
    if (name == MODE_MPI) threads = 1;
    if (threads == 0) threads = each > 0 && cores / each > 0 ? cores / each : each > 0 ? 1 : cores;
    if (each == 0)
        each = name == MODE_HYBRID && request->thread_count == 0 ? 1 : cores / threads > 0 ? cores / threads : 1;
    if (request->worker_count == 0) {
        int ranks = product(nodes, each);
        add_shape(shapes, (struct study_shape){product(ranks, threads), nodes, ranks, threads, false});
    }
    for (int w = 0; w < request->worker_count; w++) {
        int workers = request->workers[w], ranks = workers / threads;
        if (workers % threads == 0 && ranks >= nodes)
            add_shape(shapes, (struct study_shape){workers, nodes, ranks, threads, false});
    }
}

int study_shapes(const struct machine *machine, const struct study_request *request, enum mode_name name,
                 struct study_shape **shapes_p)
{
    struct shapes shapes = {.count = 0};
    int cores = plan_cores(machine, &request->placement);
    bool ranks = name == MODE_MPI || name == MODE_HYBRID, shaped = name == MODE_HYBRID && request->node_count > 0;
    if (!shaped) add_shape(&shapes, (struct study_shape){request->base, 1, 0, 0, true});
    if (request->node_count == 0 || !ranks) {
        for (int w = 0; w < request->worker_count; w++)
            if (request->workers[w] > request->base)
                add_shape(&shapes, (struct study_shape){request->workers[w], 1, 0, 0, false});
        if (request->worker_count == 0) add_shape(&shapes, (struct study_shape){cores, 1, 0, 0, false});
    } else {
        for (int n = 0; n < request->node_count; n++)
            for (int t = 0; t < (request->thread_count > 0 ? request->thread_count : 1); t++)
                add_node_shapes(cores, request, name, request->nodes[n],
                                request->thread_count > 0 ? request->threads[t] : 0, &shapes);
        if (shapes.count > 0) shapes.items[0].base = true;
    }
    if (shapes.failed) {
        free(shapes.items);
        return -ENOMEM;
    }
    *shapes_p = shapes.items;
    return shapes.count;
}

int study_plan_add(struct study_plan *plan, const struct study_config *config, struct error *error)
{
    if (plan->count == STUDY_CONFIGS_MAX)
        return error_set(error, STATUS_USAGE, "a study has at most %d configurations; take fewer --workers or --modes",
                         STUDY_CONFIGS_MAX);
    struct study_config *configs = realloc(plan->configs, (size_t)(plan->count + 1) * sizeof *configs);
    if (!configs) return error_set(error, STATUS_FAILED, "out of memory");
    plan->configs = configs;
    configs[plan->count++] = *config;
    return STATUS_OK;
}

/* One worker of hybrid is one rank of one thread, and so on: always possible; odd numbers are one rank. */
static int add_config(struct builder *builder, const struct variant *variant, enum mode_name name,
                      const struct study_shape *shape, struct error *error)
{
    const struct study_request *request = builder->request;
    int workers = shape->workers;
    struct study_config config = {.problem = request->problem, .base = shape->base};
    const struct mode_request mode_request = study_mode_request(request, name, shape);
    config.problem.variant = variant;
    int status = plan_mode(builder->machine, &mode_request, &config.mode, error);
    if (status) return status;
    if (request->scaling == SCALING_WEAK) {
        const struct problem *one = &request->problem;
        double work = one->kernel->work(one) * workers / request->base;
        if (one->kernel->size_for(one, work, &config.problem.size))
            return error_set(error, STATUS_USAGE,
                             "--scaling weak: %s has no size with %.4g times the work of --size; take a smaller --size",
                             one->kernel->name, (double)workers / request->base);
    }
    status = plan_check_memory(builder->machine, &config.problem, &config.mode, error);
    if (status) return status;
    return study_plan_add(builder->plan, &config, error);
}

static const struct study_shape one_task = {1, 1, 0, 0, true};

static int add_mode(struct builder *builder, const struct variant *variant, enum mode_name name, struct error *error)
{
    struct study_shape *shapes = NULL;
    int status = STATUS_OK, count = study_shapes(builder->machine, builder->request, name, &shapes);
    if (count < 0) return error_set(error, STATUS_FAILED, "out of memory");
    for (int i = 0; i < count && !status; i++) status = add_config(builder, variant, name, &shapes[i], error);
    free(shapes);
    return status;
}

static int add_variant(struct builder *builder, const struct variant *variant, struct error *error)
{
    const struct study_request *request = builder->request;
    int status = STATUS_OK;
    if (request->per_node) {
        int nodes = request->node_count > 0 ? request->nodes[0] : 1;
        const struct study_shape all = {request->workers[0], nodes, 0, 0, false};
        return add_config(builder, variant, request->modes[0], &all, error);
    }
    if (request->base == 1) status = add_config(builder, variant, MODE_SERIAL, &one_task, error);
    for (int m = 0; m < request->mode_count && !status; m++)
        if (request->modes[m] != MODE_SERIAL) status = add_mode(builder, variant, request->modes[m], error);
    return status;
}

static int check_request(const struct study_request *request, struct error *error)
{
    if (request->mode_count == 0 || (request->worker_count == 0 && request->node_count == 0))
        return error_set(error, STATUS_USAGE, "name at least one mode and one number of workers");
    for (int m = 0; m < request->mode_count; m++)
        if (!request->command && mode_needs_mpi(request->modes[m]) && !request->mpi)
            return error_set(error, STATUS_FAILED, "mode %s needs MPI, which is not to be had here; leave it out",
                             mode_name_text(request->modes[m]));
    if (request->base > 1 && request->worker_count > 0 && request->workers[0] < request->base)
        return error_set(error, STATUS_USAGE,
                         "--base %d, but --workers begins with %d: fewer than the base; begin with %d", request->base,
                         request->workers[0], request->base);
    if (request->base > 1 && request->mode_count == 1 && request->modes[0] == MODE_SERIAL)
        return error_set(error, STATUS_USAGE, "--base %d, but mode serial has one worker; name another mode",
                         request->base);
    return STATUS_OK;
}

int study_plan_new(const struct machine *machine, const struct study_request *request, struct study_plan *plan_p,
                   struct error *error)
{
    const struct kernel *kernel = request->command ? NULL : request->problem.kernel;
    struct study_plan plan = *plan_p;
    plan.count = 0;
    plan.configs = NULL;
    struct builder builder = {machine, request, &plan};
    int status = check_request(request, error);
    if (!status && request->command) status = study_plan_command(machine, request, &plan, error);
    for (const struct variant *variant = kernel ? kernel->variants : NULL; variant && variant->name && !status;
         variant++) {
        bool wanted = request->all_variants ? !variant_unavailable(variant) : variant == request->problem.variant;
        if (wanted) status = add_variant(&builder, variant, error);
    }
    if (status) {
        study_plan_release(&plan);
        return status;
    }
    *plan_p = plan;
    return STATUS_OK;
}

void study_plan_release(struct study_plan *plan)
{
    free(plan->configs);
    plan->configs = NULL;
    plan->count = 0;
}

struct tally {
    int launches, usable;
};

static struct tally count_launches(int config, int block, int launch_count, const struct study_launch launches[])
{
    struct tally tally = {0};
    for (int i = 0; i < launch_count; i++) {
        if (launches[i].config != config || launches[i].block != block) continue;
        tally.launches++;
        tally.usable += launches[i].usable;
    }
    return tally;
}

int study_next(const struct study_plan *plan, int block, const bool converged[], int launch_count,
               const struct study_launch launches[])
{
    int order[STUDY_CONFIGS_MAX];
    plan_block_order(plan->seed, block, plan->count, order);
    for (int round = 0; round < plan->tries_max; round++)
        for (int i = 0; i < plan->count; i++) {
            int config = order[i];
            if (converged[config] && !plan->configs[config].base) continue;
            struct tally tally = count_launches(config, block, launch_count, launches);
            if (tally.launches == round && tally.usable == 0) return config;
        }
    return -1;
}

static bool can_be_watched(const struct study_config *config)
{
    bool one_core = config->mode.cpus.count == 1;
    if (mode_nodes(&config->mode) > 1) return false; /* only this node's tasks could be seen */
    return mode_workers(&config->mode) > 1 && (one_core || mode_dedicated(&config->mode));
}

bool study_is_watched(const struct study_plan *plan, int config)
{
    const struct study_config *own = &plan->configs[config];
    if (!can_be_watched(own)) return false;
    for (int i = 0; i < plan->count; i++) {
        const struct study_config *other = &plan->configs[i];
        if (other->problem.variant == own->problem.variant && other->set == own->set &&
            other->mode.name == own->mode.name && can_be_watched(other) &&
            mode_workers(&other->mode) > mode_workers(&own->mode))
            return false;
    }
    return true;
}
