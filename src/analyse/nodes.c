/* Each launch gives an entry a core and an entry a node (nodes_entries.c); sorted by place, they are the places'
 * launches. Cost: a sort of all entries.
 */
#include "nodes.h"

#include "convergence.h"
#include "nodes_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAUNCHES_MOST = 200 };

bool nodes_asked(const struct results *results)
{
    return json_is_true(json_object_get(results->study, "per_node"));
}

double nodes_confidence(const struct results *results)
{
    json_int_t least = json_integer_value(json_object_get(results->study, "runs_min"));
    json_int_t most = json_integer_value(json_object_get(results->study, "runs_max"));
    return least == most ? CONFIDENCE_FIXED : CONFIDENCE_STOPPING;
}

bool nodes_counts(const struct sample *sample)
{
    return sample->correct && sample->wall_s > 0 && sample->worker_count > 0;
}

static bool same_place(const struct nodes_entry *a, const struct nodes_entry *b)
{
    return nodes_compare_places(a->host, a->cpu, b->host, b->cpu) == 0;
}

static int count_places(struct nodes_entries *entries)
{
    int count = 0;
    if (entries->count > 0) qsort(entries->list, (size_t)entries->count, sizeof *entries->list, nodes_compare_entries);
    for (int i = 0; i < entries->count; i++) count += i == 0 || !same_place(&entries->list[i - 1], &entries->list[i]);
    return count;
}

/* Into values_p; returns how many were observed. */
static int take_values(int count, const struct nodes_entry entries[], enum nodes_part part, double values_p[])
{
    int known = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(entries[i].value[part])) values_p[known++] = entries[i].value[part];
    return known;
}

static enum nodes_state state_of(const struct spread *time)
{
    if (!time->interval) return NODES_OPEN;
    if (time->low > 1 + NODES_THRESHOLD) return NODES_SLOW;
    if (time->high < 1 - NODES_THRESHOLD) return NODES_FAST;
    return time->high <= 1 + NODES_THRESHOLD ? NODES_ALIKE : NODES_OPEN;
}

static void fill_place(const struct nodes *nodes, int count, const struct nodes_entry entries[], double values[],
                       struct nodes_place *place_p)
{
    struct nodes_place place = {.cpu = entries->cpu, .core_count = 1};
    double parts[NODES_PART_COUNT];
    snprintf(place.host, sizeof place.host, "%s", entries->host);
    for (int p = 0; p < NODES_PART_COUNT; p++)
        parts[p] = median(take_values(count, entries, (enum nodes_part)p, values), values);
    place.time = spread_of(take_values(count, entries, NODES_TIME, values), values, nodes->own_confidence);
    place.cpu_time = spread_of(take_values(count, entries, NODES_CPU_TIME, values), values, nodes->own_confidence);
    place.waited = parts[NODES_WAIT_SHARE];
    place.foreign = parts[NODES_FOREIGN_SHARE];
    place.stolen = parts[NODES_STEAL_SHARE];
    place.sibling = parts[NODES_SIBLING_SHARE];
    place.stood = parts[NODES_STOOD_SHARE];
    for (int i = 0; i < count; i++) place.slow_launches += entries[i].value[NODES_TIME] > 1 + NODES_THRESHOLD;
    place.state = state_of(&place.time);
    if (place.state == NODES_SLOW) place.cause = nodes_find_cause(&place, parts, nodes->throttled);
    *place_p = place;
}

/* 0 or -ENOMEM. */
static int fill_places(const struct nodes *nodes, const struct nodes_entries *entries, struct nodes_place places_p[])
{
    double *values = calloc((size_t)entries->count + 1, sizeof *values);
    if (!values) return -ENOMEM;
    for (int begin = 0, end; begin < entries->count; begin = end) {
        for (end = begin + 1; end < entries->count && same_place(&entries->list[begin], &entries->list[end]);) end++;
        fill_place(nodes, end - begin, &entries->list[begin], values, places_p++);
    }
    free(values);
    return 0;
}

/* Of one node, which has no other to be compared with: its name. */
static void fill_single_node(struct nodes *nodes)
{
    nodes->nodes[0] = (struct nodes_place){.cpu = -1,
                                           .time = {.middle = NAN, .low = NAN, .high = NAN},
                                           .cpu_time = {.middle = NAN, .low = NAN, .high = NAN},
                                           .waited = NAN,
                                           .foreign = NAN,
                                           .stolen = NAN,
                                           .sibling = NAN,
                                           .stood = NAN};
    memcpy(nodes->nodes[0].host, nodes->cores[0].host, sizeof nodes->nodes[0].host);
}

/* Both are in the order of hosts. */
static void join_levels(struct nodes *nodes)
{
    for (int n = 0, c = 0; n < nodes->node_count; n++) {
        struct nodes_place *node = &nodes->nodes[n];
        node->core_count = 0;
        for (; c < nodes->core_count && strcmp(nodes->cores[c].host, node->host) == 0; c++) {
            struct nodes_place *core = &nodes->cores[c];
            node->core_count++;
            node->slow_cores += core->state == NODES_SLOW;
            core->by_node = node->state == NODES_SLOW && nodes->node_count > 1;
        }
    }
}

static bool agree(int count, const struct nodes_place places[])
{
    int equal = 0;
    for (int i = 0; i < count; i++) equal += fabs(places[i].time.middle - 1) <= NODES_THRESHOLD;
    return count > 2 && 2 * equal > count;
}

static void count_states(struct nodes *nodes, int count, const struct nodes_place places[])
{
    for (int i = 0; i < count; i++) {
        const struct nodes_place *place = &places[i];
        nodes->slow_nodes += place->state == NODES_SLOW && place->cpu < 0;
        nodes->slow_cores += place->state == NODES_SLOW && place->cpu >= 0 && !place->by_node;
        nodes->fast += place->state == NODES_FAST;
        nodes->open += place->state == NODES_OPEN;
        double off = place->time.interval ? fmax(place->time.high - 1, 1 - place->time.low) : NAN;
        nodes->within = isnan(off) || isnan(nodes->within) ? NAN : fmax(nodes->within, off);
    }
}

static double confidence_of_each(int cores, int nodes, double confidence)
{
    return 1 - (1 - confidence) / fmax(cores + (nodes > 1 ? nodes : 0), 1);
}

int nodes_launches_needed(int cores, int nodes, double confidence)
{
    int launches = 1, rank_low, rank_high;
    double of_each = confidence_of_each(cores, nodes, confidence);
    while (launches < LAUNCHES_MOST && !order_interval_ranks(launches, of_each, &rank_low, &rank_high)) launches++;
    return launches;
}

/* Ordered places from the entries of all launches. 0 or -ENOMEM. */
static int make_places(struct nodes *nodes, struct nodes_entries *cores, struct nodes_entries *of_nodes)
{
    nodes->core_count = count_places(cores);
    int node_count = count_places(of_nodes);
    nodes->node_count = node_count > 0 ? node_count : nodes->core_count > 0;
    nodes->own_confidence = confidence_of_each(nodes->core_count, node_count, nodes->confidence);
    nodes->launches_needed = nodes_launches_needed(nodes->core_count, node_count, nodes->confidence);
    nodes->cores = calloc((size_t)nodes->core_count + 1, sizeof *nodes->cores);
    nodes->nodes = calloc((size_t)nodes->node_count + 1, sizeof *nodes->nodes);
    if (!nodes->cores || !nodes->nodes) return -ENOMEM;
    int status = fill_places(nodes, cores, nodes->cores);
    if (!status) status = fill_places(nodes, of_nodes, nodes->nodes);
    if (!status && node_count == 0 && nodes->core_count > 0) fill_single_node(nodes);
    if (status) return status;
    join_levels(nodes);
    nodes->cores_agree = agree(nodes->core_count, nodes->cores);
    nodes->nodes_agree = agree(node_count, nodes->nodes);
    if (nodes->core_count > 0) nodes->within = 0;
    count_states(nodes, nodes->core_count, nodes->cores);
    count_states(nodes, node_count, nodes->nodes);
    return 0;
}

/* The kernel adds up over the CPUs on which the group was stopped. NAN where it is not known. */
static double throttled_share(const struct sample *sample)
{
    return sample->throttled_s / fmax(1, sample->config.mode.cpus.count) / sample->wall_s;
}

int nodes_build(const struct group *group, double confidence, struct nodes *nodes_p)
{
    struct nodes nodes = {.confidence = confidence, .within = NAN, .throttled = NAN};
    struct nodes_entries cores = {.count = 0}, of_nodes = {.count = 0};
    double *throttled = calloc((size_t)group->count + 1, sizeof *throttled);
    int status = throttled ? 0 : -ENOMEM, last = -1;
    for (int s = 0; s < group->count && !status; s++) {
        const struct sample *sample = &group->samples[s];
        bool used = false;
        if (sample->launch == last) continue; /* a launch counts once */
        if (nodes_counts(sample)) status = nodes_add_sample(sample, &cores, &of_nodes, &used);
        nodes.left_out += !used;
        if (!used) continue;
        last = sample->launch;
        throttled[nodes.launches++] = throttled_share(sample);
        nodes.disturbed += sample->validity == SAMPLE_INVALID;
    }
    nodes.throttled = median(nodes.launches, throttled);
    if (!status) status = make_places(&nodes, &cores, &of_nodes);
    free(throttled);
    free(of_nodes.list);
    free(cores.list);
    if (status)
        nodes_release(&nodes);
    else
        *nodes_p = nodes;
    return status;
}

void nodes_release(struct nodes *nodes)
{
    free(nodes->cores);
    free(nodes->nodes);
    nodes->cores = nodes->nodes = NULL;
    nodes->core_count = nodes->node_count = 0;
}

bool nodes_decided(const struct nodes *nodes)
{
    return nodes->core_count > 0 && nodes->open == 0;
}
