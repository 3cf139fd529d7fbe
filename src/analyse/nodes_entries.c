/* From a launch to what it tells of each place, relative to the others: a reading a core, and a node's from those of
 * its cores. Times are relative to the lower median; of two places, to the other.
 */
#include "nodes_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of one worker in one launch, or of a node: s. */
enum part { WALL, CPU, WAIT, FOREIGN, STEAL, SIBLING, SAMPLE, PART_COUNT };
struct reading {
    const char *host; /* borrowed */
    int cpu;
    double part[PART_COUNT];
};

int nodes_compare_places(const char *host, int cpu, const char *other_host, int other_cpu)
{
    int hosts = strcmp(host, other_host);
    return hosts ? hosts : (cpu > other_cpu) - (cpu < other_cpu);
}

static int compare_readings(const void *a, const void *b)
{
    const struct reading *left = a, *right = b;
    return nodes_compare_places(left->host, left->cpu, right->host, right->cpu);
}

int nodes_compare_entries(const void *a, const void *b)
{
    const struct nodes_entry *left = a, *right = b;
    int places = nodes_compare_places(left->host, left->cpu, right->host, right->cpu);
    return places ? places : (left->launch > right->launch) - (left->launch < right->launch);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 0 or -ENOMEM. */
static int entries_add(struct nodes_entries *entries, const struct nodes_entry *entry)
{
    if (entries->count == entries->room) {
        int room = entries->room ? 2 * entries->room : 64;
        struct nodes_entry *list = realloc(entries->list, (size_t)room * sizeof *list);
        if (!list) return -ENOMEM;
        entries->list = list;
        entries->room = room;
    }
    entries->list[entries->count++] = *entry;
    return 0;
}

/* Of what was observed; NAN where nothing was. Sorts the values. */
static double lower_median(int count, double values[])
{
    int known = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(values[i])) values[known++] = values[i];
    qsort(values, (size_t)known, sizeof *values, compare_doubles);
    return known > 0 ? values[(known - 1) / 2] : NAN;
}

/* Returns whether the worker tells of one core, and for how long. */
static bool read_worker(const struct sample *sample, const struct worker_times *worker, struct reading *reading_p)
{
    if (!(worker->wall_s > 0) || isinf(worker->wall_s) || worker->cpu_asked < 0) return false;
    if (!worker_placed_as_asked(worker)) return false;
    *reading_p = (struct reading){.host = worker->host, .cpu = worker->cpu_asked};
    double *part = reading_p->part;
    part[WALL] = worker->wall_s;
    part[CPU] = worker->cpu_s;
    /* What it waited behind its work, at the end of the sample, is no part of its time. */
    part[WAIT] = isnan(worker->wait_s) || isnan(worker->cpu_s)
                     ? NAN
                     : fmax(0, fmin(worker->wait_s, worker->wall_s - worker->cpu_s));
    part[FOREIGN] = worker->cpu_total_busy_s - worker_cpu_s(worker);
    part[STEAL] = worker->cpu_steal_s;
    part[SIBLING] = worker->sibling_busy_s;
    part[SAMPLE] = sample->wall_s;
    return true;
}

/* By place. Returns how many; 0 where two workers had one core. */
static int read_sample(const struct sample *sample, struct reading readings_p[])
{
    int count = 0;
    for (int w = 0; w < sample->worker_count; w++)
        count += read_worker(sample, &sample->workers[w], &readings_p[count]);
    qsort(readings_p, (size_t)count, sizeof *readings_p, compare_readings);
    for (int i = 1; i < count; i++)
        if (compare_readings(&readings_p[i - 1], &readings_p[i]) == 0) return 0;
    return count;
}

/* From cores to nodes; `values` has room for `count`. Returns how many. */
static int gather_nodes(int count, const struct reading cores[], double values[], struct reading nodes_p[])
{
    int nodes = 0;
    for (int begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && strcmp(cores[begin].host, cores[end].host) == 0;) end++;
        nodes_p[nodes] = (struct reading){.host = cores[begin].host, .cpu = -1};
        for (int p = 0; p < PART_COUNT; p++) {
            for (int i = begin; i < end; i++) values[i - begin] = cores[i].part[p];
            nodes_p[nodes].part[p] = lower_median(end - begin, values);
        }
        nodes++;
    }
    return nodes;
}

/* The readings of a launch, relative to one another. 0 or -ENOMEM. */
static int add_readings(int count, const struct reading readings[], int launch, double values[],
                        struct nodes_entries *entries)
{
    double middle[PART_COUNT], pair[PART_COUNT][2] = {{0}};
    int status = 0;
    if (count < 2) return 0;
    for (int p = WALL; p <= WAIT; p++) {
        for (int i = 0; i < count; i++) values[i] = readings[i].part[p];
        for (int i = 0; i < 2; i++) pair[p][i] = values[i];
        middle[p] = lower_median(count, values);
    }
    for (int i = 0; i < count && !status; i++) {
        const double *own = readings[i].part;
        double base[WAIT + 1];
        for (int p = WALL; p <= WAIT; p++) base[p] = count == 2 ? pair[p][1 - i] : middle[p];
        struct nodes_entry entry = {.host = readings[i].host, .cpu = readings[i].cpu, .launch = launch};
        double *value = entry.value;
        value[NODES_TIME] = own[WALL] / base[WALL];
        value[NODES_CPU_TIME] = own[CPU] / base[CPU];
        value[NODES_MORE_CPU] = (own[CPU] - base[CPU]) / base[WALL];
        value[NODES_MORE_WAIT] = (own[WAIT] - base[WAIT]) / base[WALL];
        value[NODES_MORE_STEAL] = own[STEAL] / base[WALL];
        value[NODES_WAIT_SHARE] = own[WAIT] / own[WALL];
        value[NODES_STOOD_SHARE] = fmax(0, own[WALL] - own[CPU] - own[WAIT]) / own[WALL];
        value[NODES_FOREIGN_SHARE] = isnan(own[FOREIGN]) ? NAN : fmax(0, own[FOREIGN]) / own[SAMPLE];
        value[NODES_STEAL_SHARE] = own[STEAL] / own[SAMPLE];
        value[NODES_SIBLING_SHARE] = own[SIBLING] / own[SAMPLE];
        status = entries_add(entries, &entry);
    }
    return status;
}

int nodes_add_sample(const struct sample *sample, struct nodes_entries *cores, struct nodes_entries *nodes,
                     bool *used_p)
{
    size_t room = (size_t)sample->worker_count;
    struct reading *readings = calloc(room + 1, sizeof *readings), *of_nodes = calloc(room + 1, sizeof *of_nodes);
    double *values = calloc(room + 1, sizeof *values);
    int status = readings && of_nodes && values ? 0 : -ENOMEM;
    int count = status ? 0 : read_sample(sample, readings);
    *used_p = count > 0;
    if (count == 1 && !status) {
        /* Alone it has no ratio; that there is one core is to be told all the same. */
        struct nodes_entry entry = {.host = readings->host, .cpu = readings->cpu, .launch = sample->launch};
        for (int p = 0; p < NODES_PART_COUNT; p++) entry.value[p] = NAN;
        status = entries_add(cores, &entry);
    }
    if (!status) status = add_readings(count, readings, sample->launch, values, cores);
    if (!status && count > 0) {
        int node_count = gather_nodes(count, readings, values, of_nodes);
        status = add_readings(node_count, of_nodes, sample->launch, values, nodes);
    }
    free(values);
    free(of_nodes);
    free(readings);
    return status;
}
