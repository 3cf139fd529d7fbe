/* From what the user said to a mode: fill in what was left out, refuse what contradicts itself or the machine. */
#include "plan.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

/* What was not named follows from what was: ranks make it mpi, threads make it threads, both make it hybrid. */
static enum mode_name infer_mode(const struct mode_request *request)
{
    if (request->mode >= 0) return (enum mode_name)request->mode;
    if (request->ranks > 0 && request->threads > 1) return MODE_HYBRID;
    if (request->ranks > 0) return MODE_MPI;
    if (request->threads > 0 || request->workers > 1) return MODE_THREADS;
    return MODE_SERIAL;
}

static int default_workers(enum mode_name name, int cores)
{
    if (name == MODE_SERIAL) return 1;
    return cores < 2 ? 2 : cores;
}

/* Ranks and threads of a mode that uses only one of the two: `own` is that one, `other` must stay 1. */
static int split_single(enum mode_name name, const struct mode_request *request, int own, int other,
                        const char *own_name, const char *other_name, int fallback, int *count_p, struct error *error)
{
    if (other > 1)
        return error_set(error, STATUS_USAGE,
                         "--mode %s has one %s, but --%ss %d was given; use --mode %s, or leave --%ss out",
                         mode_name_text(name), other_name, other_name, other,
                         name == MODE_SERIAL ? "threads or mpi" : "hybrid", other_name);
    if (own > 0 && request->workers > 0 && own != request->workers)
        return error_set(error, STATUS_USAGE, "--workers %d and --%ss %d contradict each other in --mode %s; give one",
                         request->workers, own_name, own, mode_name_text(name));
    *count_p = own > 0 ? own : request->workers > 0 ? request->workers : fallback;
    return STATUS_OK;
}

static int split_hybrid(const struct mode_request *request, int nodes, int cores, int *ranks_p, int *threads_p,
                        struct error *error)
{
    int ranks = request->ranks, threads = request->threads, workers = request->workers;
    if (ranks > 0 && threads > 0 && workers > 0 && (long long)ranks * threads != workers)
        return error_set(error, STATUS_USAGE,
                         "--workers %d is not --ranks %d times --threads %d; leave one of them out", workers, ranks,
                         threads);
    int given = ranks > 0 ? ranks : threads;
    if (workers > 0 && given > 0 && workers % given)
        return error_set(error, STATUS_USAGE,
                         "--workers %d cannot be divided into %d %s each; give --ranks and --threads", workers, given,
                         ranks > 0 ? "ranks with as many threads" : "threads");
    if (workers == 0) workers = cores < 2 ? 2 : cores;
    if (ranks == 0 && threads == 0) ranks = nodes > 1 ? nodes : workers % 2 == 0 ? 2 : 1;
    if (ranks == 0) ranks = workers / threads > 0 ? workers / threads : 1;
    if (threads == 0) threads = workers / ranks > 0 ? workers / ranks : 1;
    *ranks_p = ranks;
    *threads_p = threads;
    return STATUS_OK;
}

static int plan_workers(const struct mode_request *request, int cores, struct mode *mode, struct error *error)
{
    int workers = default_workers(mode->name, cores);
    switch (mode->name) {
    case MODE_SERIAL:
        if (request->workers > 1 || request->ranks > 1 || request->threads > 1)
            return error_set(error, STATUS_USAGE,
                             "--mode serial is one task, but %d were asked for; use --mode multitask, threads or mpi",
                             request->workers > 1 ? request->workers
                             : request->ranks > 1 ? request->ranks
                                                  : request->threads);
        return STATUS_OK;
    case MODE_MULTITASK:
    case MODE_THREADS:
        return split_single(mode->name, request, request->threads, request->ranks, "thread", "rank", workers,
                            &mode->threads, error);
    case MODE_MULTITASK_MPI:
    case MODE_MPI:
        return split_single(mode->name, request, request->ranks, request->threads, "rank", "thread", workers,
                            &mode->ranks, error);
    case MODE_HYBRID:
        return split_hybrid(request, mode->nodes, cores, &mode->ranks, &mode->threads, error);
    case MODE_COUNT:
        break;
    }
    return STATUS_OK;
}

static int check_cpus(const struct machine *machine, const struct cpu_list *cpus, struct error *error)
{
    for (int i = 0; i < cpus->count; i++) {
        if (machine_find_cpu(machine, cpus->cpus[i])) continue;
        struct cpu_list allowed = {.count = machine->cpu_count};
        char text[256];
        for (int k = 0; k < machine->cpu_count; k++) allowed.cpus[k] = machine->cpus[k].os_index;
        return error_set(error, STATUS_USAGE, "--cpus names CPU %d, which this process may not use; allowed: %s",
                         cpus->cpus[i], cpu_list_format(&allowed, sizeof text, text));
    }
    return STATUS_OK;
}

static bool one_cpu_mode(enum mode_name name)
{
    return name == MODE_SERIAL || name == MODE_MULTITASK || name == MODE_MULTITASK_MPI;
}

static int plan_cpus(const struct machine *machine, const struct mode_request *request, struct mode *mode,
                     struct error *error)
{
    if (request->cpus.count > 0) {
        int status = check_cpus(machine, &request->cpus, error);
        if (status) return status;
        if (one_cpu_mode(mode->name) && request->cpus.count > 1)
            return error_set(error, STATUS_USAGE, "--mode %s uses one CPU, but --cpus names %d; name one",
                             mode_name_text(mode->name), request->cpus.count);
        mode->cpus = request->cpus;
    } else {
        machine_cpu_order(machine, request->smt, &mode->cpus);
    }
    int most = one_cpu_mode(mode->name) ? 1 : mode_workers_per_node(mode);
    if (mode->cpus.count > most) mode->cpus.count = most;
    return STATUS_OK;
}

static int plan_scheduling(const struct mode_request *request, struct scheduling *scheduling_p, struct error *error)
{
    const struct scheduling scheduling = {(enum scheduling_policy)request->policy, request->nice,
                                          (int)lround(1e9 * fmin(request->slice_s, 1))};
    const char *name = scheduling_policy_text(scheduling.policy);
    if (scheduling_is_realtime(&scheduling) && scheduling.slice_ns > 0)
        return error_set(error, STATUS_USAGE,
                         "--slice does not go with --policy %s, %s; leave it out, or use --policy other or batch", name,
                         scheduling.policy == POLICY_FIFO ? "by which a task runs until it waits"
                                                          : "whose turns have the length that the system gives them");
    if (scheduling_is_realtime(&scheduling) && scheduling.nice != 0)
        return error_set(error, STATUS_USAGE,
                         "--nice %d does not go with --policy %s: real-time tasks come before all others, whatever "
                         "their nice; leave it out, or use --policy other or batch",
                         scheduling.nice, name);
    if (scheduling_is_realtime(&scheduling) && request->wait_policy >= 0 && request->wait_policy != WAIT_BLOCK)
        return error_set(error, STATUS_USAGE,
                         "--wait-policy %s does not go with --policy %s: a real-time worker that waits without "
                         "sleeping never lets the one that it waits for run; use block, or leave it out",
                         wait_policy_text((enum wait_policy)request->wait_policy), name);
    if (scheduling_check(&scheduling))
        return error_set(error, STATUS_USAGE, "--nice %d with --slice %g ms: allowed are -20 to 19, and 0.1 to 100 ms",
                         scheduling.nice, 1e3 * request->slice_s);
    *scheduling_p = scheduling;
    return STATUS_OK;
}

static int check_count(long long workers, struct error *error)
{
    if (workers <= MODE_WORKERS_MAX) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "%lld workers were asked for; at most %d are allowed", workers,
                     MODE_WORKERS_MAX);
}

static int check_nodes(const struct mode *mode, bool placed, struct error *error)
{
    if (!placed && mode_workers_per_node(mode) > NODE_WORKERS_MAX)
        return error_set(error, STATUS_USAGE, "%d workers on one node were asked for; at most %d are allowed",
                         mode_workers_per_node(mode), NODE_WORKERS_MAX);
    const char *name = mode_name_text(mode->name);
    if (!mode_map_exists(mode->map))
        return error_set(error, STATUS_USAGE, "--map %.100s is not allowed; allowed: cores-first, nodes-first",
                         mode->map);
    if (mode->nodes > 1 && mode->name != MODE_MPI && mode->name != MODE_HYBRID)
        return error_set(error, STATUS_USAGE, "--nodes %d, but mode %s is of one node; use --mode mpi or hybrid",
                         mode->nodes, name);
    int each = mode_workers_per_node(mode) / mode->threads;
    if (mode->nodes <= mode->ranks && (mode->nodes - 1) * each >= mode->ranks)
        return error_set(error, STATUS_USAGE,
                         "--nodes %d and %d ranks: with %d on each the last node has none; take %d ranks, or fewer "
                         "nodes",
                         mode->nodes, mode->ranks, each, mode->nodes * each);
    if (mode->nodes > mode->ranks)
        return error_set(error, STATUS_USAGE, "--nodes %d, but %d rank%s: a node would have none; take fewer nodes",
                         mode->nodes, mode->ranks, mode->ranks == 1 ? "" : "s");
    return STATUS_OK;
}

int plan_cores(const struct machine *machine, const struct mode_request *request)
{
    return request->cpus.count > 0 ? request->cpus.count : request->smt ? machine->cpu_count : machine->core_count;
}

int plan_mode(const struct machine *machine, const struct mode_request *request, struct mode *mode_p,
              struct error *error)
{
    struct mode mode = {
        .name = infer_mode(request), .nodes = request->nodes > 0 ? request->nodes : 1, .ranks = 1, .threads = 1};
    int cores = plan_cores(machine, request);
    snprintf(mode.map, sizeof mode.map, "%s", request->map ? request->map : "cores-first");
    long long asked = (long long)request->ranks * (request->threads > 0 ? request->threads : 1);
    int status = check_count(asked > request->workers ? asked : request->workers, error);
    if (!status) status = plan_workers(request, (int)fmin((double)cores * mode.nodes, INT_MAX), &mode, error);
    if (!status) status = check_count((long long)mode.ranks * mode.threads, error);
    if (!status) status = check_nodes(&mode, request->placed, error);
    if (!status) status = plan_cpus(machine, request, &mode, error);
    if (!status) status = plan_scheduling(request, &mode.scheduling, error);
    if (status) return status;
    /* Workers that share a core must not spin while another could work; workers that own one answer fastest spinning.
     */
    mode.wait_policy = request->wait_policy >= 0                  ? (enum wait_policy)request->wait_policy
                       : scheduling_is_realtime(&mode.scheduling) ? WAIT_BLOCK
                       : mode_oversubscribed(&mode)               ? WAIT_YIELD
                                                                  : WAIT_SPIN;
    *mode_p = mode;
    return STATUS_OK;
}

static const char *format_gib(double bytes, size_t length, char *text)
{
    double gib = bytes / 0x1p30;
    snprintf(text, length, gib >= 1e6 ? "%.3g GiB" : gib >= 10 ? "%.0f GiB" : "%.2f GiB", gib);
    return text;
}

int plan_check_memory(const struct machine *machine, const struct problem *problem, const struct mode *mode,
                      struct error *error)
{
    double share = (double)mode_workers_per_node(mode) / mode_workers(mode);
    double need = share * problem->kernel->memory(problem, mode->ranks);
    double available = (double)machine->memory_available_bytes;
    /* A tenth is left to the system, to the stacks and to MPI. */
    if (available <= 0 || need <= 0.9 * available) return STATUS_OK;
    char size[64], need_text[32], free_text[32];
    return error_set(error, STATUS_USAGE,
                     "--size %s needs %s of memory with %d rank%s, and %s is available here; take a smaller size",
                     size_format(&problem->size, sizeof size, size), format_gib(need, sizeof need_text, need_text),
                     mode->ranks, mode->ranks == 1 ? "" : "s", format_gib(available, sizeof free_text, free_text));
}
