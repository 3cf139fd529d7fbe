/* speedup study --per-node: the same work on every core of every node at the same time, launched until each core is
 * known to be slow or not to be. What a sample needs elsewhere, to be undisturbed, it does not need here.
 */
#include "study.h"

#include "../analyse/convergence.h"
#include "../analyse/nodes.h"

#include <stdlib.h>
#include <string.h>

/* Whose workers do the same work, each by itself. */
static const char *const equal_kernels[] = {"pi", "option", "ep", "synthetic", NULL};

static int refuse(const char *option, const char *why, struct error *error)
{
    return error_set(error, STATUS_USAGE, "%s does not go with --per-node, %s; leave one of them out", option, why);
}

/* Of synthetic: what makes its shares unequal, or its ranks wait for one another. */
static int check_dials(const struct problem *problem, struct error *error)
{
    static const char *const dials[] = {"serial", "imbalance", "message", "grain", NULL};
    for (int o = 0; problem->kernel->options && problem->kernel->options[o].name; o++)
        for (int d = 0; dials[d]; d++) {
            const struct kernel_option *option = &problem->kernel->options[o];
            if (strcmp(option->name, dials[d]) || problem->options[o] == 0) continue;
            return error_set(error, STATUS_USAGE,
                             "--%s does not go with --per-node, which compares cores that do the same work, each by "
                             "itself; leave one of them out",
                             option->name);
        }
    return STATUS_OK;
}

int study_nodes_check(const struct study_options *options, struct error *error)
{
    const struct study_request *request = &options->request;
    static const char one_mode[] = "which has one rank on every core of every node";
    static const char one_problem[] = "which compares cores that do the same work";
    if (!request->per_node && options->fail_if_slow)
        return error_set(error, STATUS_USAGE, "--fail-if-slow is about --per-node; give that too");
    if (!request->per_node) return STATUS_OK;
    if (options->has_command)
        return error_set(error, STATUS_USAGE,
                         "--per-node is for kernels, whose work on each core is known to be equal; leave out -- and "
                         "the command, and name one, such as pi");
    if (options->modes) return refuse("--modes", one_mode, error);
    if (options->workers) return refuse("--workers", one_mode, error);
    if (request->base > 1) return refuse("--base", one_mode, error);
    if (request->scaling == SCALING_WEAK) return refuse("--scaling weak", one_problem, error);
    if (request->all_variants) return refuse("--variant all", one_problem, error);
    if (options->precision > 0)
        return refuse("--precision", "which ends when each core is known to be slow or not to be", error);
    if (options->timeline)
        return error_set(error, STATUS_USAGE,
                         "--timeline does not go with --per-node; 'speedup run %s --mode mpi --timeline' shows who "
                         "runs on the cores",
                         request->problem.kernel->name);
    for (int k = 0; equal_kernels[k]; k++)
        if (strcmp(equal_kernels[k], request->problem.kernel->name) == 0) return check_dials(&request->problem, error);
    return error_set(error, STATUS_USAGE,
                     "--per-node: the workers of %s depend on one another, or have unequal shares; use pi, option, ep "
                     "or synthetic",
                     request->problem.kernel->name);
}

/* Before hours are spent on what then cannot be said. */
static void tell_too_few(const struct study_options *options, int cores)
{
    double confidence = options->runs_min == options->runs_max ? CONFIDENCE_FIXED : CONFIDENCE_STOPPING;
    int nodes = options->request.node_count > 0 ? options->request.nodes[0] : 1;
    int needed = nodes_launches_needed(cores, nodes, confidence);
    if (options->runs_max >= needed) return;
    fprintf(stderr,
            "speedup study: --runs allows %d launch%s, and it takes %d to tell which of %d cores is slow: give --runs "
            "%d or more\n",
            options->runs_max, options->runs_max == 1 ? "" : "es", needed, cores, needed);
}

int study_nodes_request(const struct session *session, struct study_options *options, struct error *error)
{
    struct study_request *request = &options->request;
    long cores = plan_cores(&session->machine, &request->placement);
    long workers = cores * (request->node_count > 0 ? request->nodes[0] : 1);
    if (workers < 2)
        return error_set(error, STATUS_USAGE,
                         "--per-node compares cores, and only %ld may be used here; allow more, by --cpus or by what "
                         "started this program",
                         workers);
    if (workers > MODE_WORKERS_MAX)
        return error_set(error, STATUS_USAGE, "--per-node: %ld cores are more than the %d that are allowed", workers,
                         (int)MODE_WORKERS_MAX);
    tell_too_few(options, (int)workers);
    request->mode_count = request->worker_count = 1;
    request->modes[0] = MODE_MPI;
    request->workers[0] = (int)workers;
    return STATUS_OK;
}

/* The study's own group; NULL: no sample yet. */
static const struct group *group_of(const struct study *study)
{
    const struct results *results = &study->session.results;
    for (int g = 0; g < results->group_count; g++)
        if (strcmp(results->groups[g].key, study->keys[0]) == 0) return &results->groups[g];
    return NULL;
}

int study_nodes_progress(const struct study *study, int before, int *used_p, bool *decided_p, struct error *error)
{
    const struct group *all = group_of(study);
    struct group part = {.count = 0};
    struct nodes nodes;
    *used_p = 0;
    *decided_p = false;
    if (!all) return STATUS_OK;
    part = *all;
    /* Blocks ascend. */
    while (part.count > 0 && part.samples[part.count - 1].block >= before) part.count--;
    if (nodes_build(&part, nodes_confidence(&study->session.results), &nodes))
        return error_set(error, STATUS_FAILED, "no memory is left to compare the cores");
    *used_p = nodes.launches;
    *decided_p = nodes_decided(&nodes);
    nodes_release(&nodes);
    return STATUS_OK;
}

static int print_json(const struct study *study, struct error *error)
{
    json_t *list = present_nodes_json(&study->session.results);
    size_t i;
    json_t *object;
    if (!list) return error_set(error, STATUS_FAILED, "no memory is left for the verdict");
    json_array_foreach(list, i, object)
    {
        json_dumpf(object, stdout, RECORD_DUMP_FLAGS);
        putchar('\n');
    }
    json_decref(list);
    return STATUS_OK;
}

int study_nodes_conclude(const struct study *study, struct error *error)
{
    const struct group *group = group_of(study);
    struct nodes nodes;
    if (!group) return STATUS_OK;
    if (nodes_build(group, nodes_confidence(&study->session.results), &nodes))
        return error_set(error, STATUS_FAILED, "no memory is left to compare the cores");
    int slow = nodes.slow_nodes + nodes.slow_cores, launches = nodes.launches;
    char name[96] = "";
    const struct nodes_place *place;
    if (slow > 0 && nodes_slowest(&nodes, 1, &place) > 0) nodes_place_name(&nodes, place, sizeof name, name);
    nodes_release(&nodes);
    int status = study->options->json ? print_json(study, error) : STATUS_OK;
    if (status) return status;
    if (launches == 0) return error_set(error, STATUS_UNMEASURED, "no launch told of every core: the records say why");
    if (slow == 0 || !study->options->fail_if_slow) return STATUS_OK;
    return error_set(error, STATUS_SLOWER, "%s is slow%s, and --fail-if-slow was asked for", name,
                     slow > 1 ? ", among others" : "");
}
