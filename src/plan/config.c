/* Names, lists and conversions of the plain data in config.h. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *summary;
} modes[MODE_COUNT] = {
    [MODE_SERIAL] = {"serial", "one task on one core: the base"},
    [MODE_MULTITASK] = {"multitask", "W threads take turns on one core"},
    [MODE_MULTITASK_MPI] = {"multitask-mpi", "W processes take turns on one core"},
    [MODE_THREADS] = {"threads", "W OpenMP threads on W cores"},
    [MODE_MPI] = {"mpi", "W MPI processes on W cores"},
    [MODE_HYBRID] = {"hybrid", "R MPI processes of T threads each, on R x T cores"},
};

static const char *const wait_policies[WAIT_COUNT] = {"spin", "yield", "block"};

const char *mode_name_text(enum mode_name name)
{
    return modes[name].name;
}

const char *mode_summary(enum mode_name name)
{
    return modes[name].summary;
}

const char *wait_policy_text(enum wait_policy policy)
{
    return wait_policies[policy];
}

int mode_name_parse(const char *text, enum mode_name *name_p)
{
    for (int i = 0; i < MODE_COUNT; i++)
        if (strcmp(text, modes[i].name) == 0) {
            *name_p = (enum mode_name)i;
            return 0;
        }
    return -1;
}

int wait_policy_parse(const char *text, enum wait_policy *policy_p)
{
    for (int i = 0; i < WAIT_COUNT; i++)
        if (strcmp(text, wait_policies[i]) == 0) {
            *policy_p = (enum wait_policy)i;
            return 0;
        }
    return -1;
}

int mode_workers(const struct mode *mode)
{
    return mode->ranks * mode->threads;
}

int mode_nodes(const struct mode *mode)
{
    return mode->nodes > 0 ? mode->nodes : 1;
}

int mode_workers_per_node(const struct mode *mode)
{
    int nodes = mode_nodes(mode);
    return (mode->ranks + nodes - 1) / nodes * mode->threads;
}

bool mode_map_exists(const char *map)
{
    return strcmp(map, "cores-first") == 0 || strcmp(map, "nodes-first") == 0;
}

bool mode_oversubscribed(const struct mode *mode)
{
    return mode_workers_per_node(mode) > mode->cpus.count;
}

bool mode_dedicated(const struct mode *mode)
{
    return !mode_oversubscribed(mode);
}

bool mode_needs_mpi(enum mode_name name)
{
    return name == MODE_MULTITASK_MPI || name == MODE_MPI || name == MODE_HYBRID;
}

int mode_cpu_of_worker(const struct mode *mode, int local_rank, int thread)
{
    return mode->cpus.cpus[(local_rank * mode->threads + thread) % mode->cpus.count];
}

/* One index of a list; -EINVAL where none stands at *text_p. */
static int parse_index(const char **text_p, int *index_p)
{
    enum { INDEX_MAX = 1048575 };
    if (**text_p < '0' || **text_p > '9') return -EINVAL;
    char *end;
    errno = 0;
    long index = strtol(*text_p, &end, 10);
    if (errno || index > INDEX_MAX) return -ERANGE;
    *text_p = end;
    *index_p = (int)index;
    return 0;
}

static int append_cpu(struct cpu_list *list, int cpu)
{
    for (int i = 0; i < list->count; i++)
        if (list->cpus[i] == cpu) return -EINVAL;
    if (list->count == CPUS_MAX) return -ERANGE;
    list->cpus[list->count++] = cpu;
    return 0;
}

int cpu_list_parse(const char *text, struct cpu_list *list_p)
{
    struct cpu_list list = {.count = 0};
    for (const char *at = text;; at++) {
        int first, last;
        int status = parse_index(&at, &first);
        if (status) return status;
        last = first;
        if (*at == '-') {
            at++;
            status = parse_index(&at, &last);
            if (status) return status;
            if (last < first) return -EINVAL;
        }
        for (int cpu = first; cpu <= last; cpu++) {
            status = append_cpu(&list, cpu);
            if (status) return status;
        }
        if (*at == '\0') break;
        if (*at != ',') return -EINVAL;
    }
    *list_p = list;
    return 0;
}

const char *cpu_list_format(const struct cpu_list *list, size_t length, char *text)
{
    size_t used = 0;
    if (length) text[0] = '\0';
    for (int i = 0; i < list->count;) {
        int run = 1;
        while (i + run < list->count && list->cpus[i + run] == list->cpus[i] + run) run++;
        char part[32];
        if (run >= 3)
            snprintf(part, sizeof part, "%s%d-%d", i ? "," : "", list->cpus[i], list->cpus[i + run - 1]);
        else
            snprintf(part, sizeof part, "%s%d", i ? "," : "", list->cpus[i]);
        i += run >= 3 ? run : 1;
        size_t part_length = strlen(part);
        if (used + part_length >= length) break;
        memcpy(text + used, part, part_length + 1);
        used += part_length;
    }
    return text;
}

void config_from_problem(const struct problem *problem, struct config *config_p)
{
    const struct kernel *kernel = problem->kernel;
    snprintf(config_p->kernel, sizeof config_p->kernel, "%s", kernel->name);
    snprintf(config_p->variant, sizeof config_p->variant, "%s", problem->variant->name);
    size_format(&problem->size, sizeof config_p->size, config_p->size);
    snprintf(config_p->isa, sizeof config_p->isa, "%s", problem->isa ? problem->isa : "");
    config_p->seed = problem->seed;
    config_p->option_count = 0;
    for (int i = 0; kernel->options && kernel->options[i].name; i++) {
        struct config_option *option = &config_p->options[config_p->option_count++];
        snprintf(option->name, sizeof option->name, "%s", kernel->options[i].name);
        kernel_option_format(&kernel->options[i], problem->options[i], sizeof option->value, option->value);
    }
}

static int set_option(struct problem *problem, const struct config_option *option)
{
    const struct kernel_option *table = problem->kernel->options;
    for (int i = 0; table && table[i].name; i++)
        if (strcmp(table[i].name, option->name) == 0)
            return kernel_option_parse(&table[i], option->value, &problem->options[i]) ? -EINVAL : 0;
    return -EINVAL;
}

int config_to_problem(const struct config *config, struct problem *problem_p)
{
    const struct kernel *kernel = kernel_find(config->kernel);
    if (!kernel) return -EINVAL;
    struct problem problem;
    problem_init(kernel, &problem);
    problem.variant = kernel_find_variant(kernel, config->variant);
    if (!problem.variant || kernel->parse_size(config->size, &problem.size)) return -EINVAL;
    for (int i = 0; i < config->option_count; i++)
        if (set_option(&problem, &config->options[i])) return -EINVAL;
    problem.seed = config->seed;
    problem.isa = config->isa;
    *problem_p = problem;
    return 0;
}
