/* The allocation that a batch system made for this process.
 *
 * Each scheduler has a reader of its own, for what its variables mean differs: Slurm counts CPUs a node ("72(x2),36"),
 * LSF slots a host ("n1 4 n2 4"), PBS writes a file of hosts, and Flux removes from a batch script what it sets for its
 * tasks. A value that is not what its manual says is as good as none. Slurm is asked first: Flux and PBS never leave
 * Slurm's variables in what they start, but sbatch hands on what it finds where it was called.
 */
#include "allocation.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double mebibyte = 1024.0 * 1024;
static const long long reserved_step = 0xfffffff0; /* Slurm: from here on no step has this number */

const char *scheduler_name(enum scheduler scheduler)
{
    static const char *const names[] = {"none", "Slurm", "PBS", "LSF", "Flux"};
    return names[scheduler];
}

/* What is empty is not set. */
static const char *find(char *const environment[], const char *name)
{
    size_t length = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return (*environment)[length + 1] ? *environment + length + 1 : NULL;
    return NULL;
}

/* Digits alone, and no more than most; -1. */
static long long parse_number(const char *text, long long most)
{
    char *end;
    if (!text || !isdigit((unsigned char)*text)) return -1;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return *end || errno || number > most ? -1 : number;
}

/* 0 where it is not set, is no number, or is 0. */
static int find_count(char *const environment[], const char *name)
{
    long long number = parse_number(find(environment, name), INT_MAX);
    return number > 0 ? (int)number : 0;
}

static void copy(char *const environment[], const char *name, size_t length, char *text_p)
{
    const char *text = find(environment, name);
    snprintf(text_p, length, "%s", text ? text : "");
}

struct counts {
    int nodes, least, total;
    bool differ;
};

/* times nodes more with count of something each. False where that cannot be. */
static bool counts_add(struct counts *counts, long long count, long long times)
{
    if (count < 1 || times < 1 || count > INT_MAX || times > INT_MAX) return false;
    if (counts->nodes + times > INT_MAX || counts->total + count * times > INT_MAX) return false;
    counts->differ = counts->differ || (counts->nodes > 0 && counts->least != count);
    if (counts->nodes == 0 || count < counts->least) counts->least = (int)count;
    counts->nodes += (int)times;
    counts->total += (int)(count * times);
    return true;
}

/* "72(x2),36". False, and nothing counted, where it is not of that form. */
static bool parse_repeated(const char *text, struct counts *counts_p)
{
    struct counts counts = {0};
    *counts_p = counts;
    if (!text) return false;
    for (const char *at = text;; at++) {
        char *end;
        if (!isdigit((unsigned char)*at)) return false;
        errno = 0;
        long long count = strtoll(at, &end, 10), times = 1;
        if (end[0] == '(' && end[1] == 'x' && isdigit((unsigned char)end[2])) {
            times = strtoll(end + 2, &end, 10);
            if (*end++ != ')') return false;
        }
        if (errno || !counts_add(&counts, count, times)) return false;
        at = end;
        if (*at == '\0') break;
        if (*at != ',') return false;
    }
    *counts_p = counts;
    return true;
}

/* "n1 4 n2 4". */
static bool parse_host_slots(const char *text, struct counts *counts_p)
{
    struct counts counts = {0};
    *counts_p = counts;
    while (text && *text) {
        char *end;
        text += strspn(text, " ");
        if (!*text) break;
        text += strcspn(text, " "); /* the host's name */
        text += strspn(text, " ");
        if (!isdigit((unsigned char)*text)) return false;
        errno = 0;
        long long slots = strtoll(text, &end, 10);
        if (errno || (*end && *end != ' ') || !counts_add(&counts, slots, 1)) return false;
        text = end;
    }
    *counts_p = counts;
    return counts.nodes > 0;
}

static void set_cpus(const struct counts *counts, struct allocation *allocation)
{
    allocation->cpus_per_node = counts->least;
    allocation->cpus_total = counts->total;
    allocation->cpus_differ = counts->differ;
}

static double slurm_memory(char *const environment[], int cpus_per_node)
{
    long long node = parse_number(find(environment, "SLURM_MEM_PER_NODE"), LLONG_MAX / 2);
    long long cpu = parse_number(find(environment, "SLURM_MEM_PER_CPU"), LLONG_MAX / 2);
    if (node > 0) return (double)node * mebibyte;
    return cpu > 0 ? (double)cpu * cpus_per_node * mebibyte : 0;
}

static void read_slurm(char *const environment[], struct allocation *allocation)
{
    struct counts cpus, tasks;
    if (!find(environment, "SLURM_JOB_ID"))
        copy(environment, "SLURM_JOBID", sizeof allocation->job_id, allocation->job_id);
    copy(environment, "SLURM_ARRAY_TASK_ID", sizeof allocation->array_index, allocation->array_index);
    copy(environment, "SLURM_JOB_PARTITION", sizeof allocation->partition, allocation->partition);
    allocation->nodes = find_count(environment, "SLURM_JOB_NUM_NODES");
    if (!allocation->nodes) allocation->nodes = find_count(environment, "SLURM_NNODES");
    if (parse_repeated(find(environment, "SLURM_JOB_CPUS_PER_NODE"), &cpus) &&
        (!allocation->nodes || cpus.nodes == allocation->nodes)) {
        set_cpus(&cpus, allocation);
        allocation->nodes = cpus.nodes;
    } else if (allocation->nodes == 1) {
        allocation->cpus_per_node = allocation->cpus_total = find_count(environment, "SLURM_CPUS_ON_NODE");
    }
    allocation->tasks_per_node = find_count(environment, "SLURM_NTASKS_PER_NODE");
    if (!allocation->tasks_per_node && parse_repeated(find(environment, "SLURM_TASKS_PER_NODE"), &tasks))
        allocation->tasks_per_node = tasks.least;
    allocation->cpus_per_task = find_count(environment, "SLURM_CPUS_PER_TASK");
    allocation->memory_per_node_bytes = slurm_memory(environment, allocation->cpus_per_node);
    long long end_s = parse_number(find(environment, "SLURM_JOB_END_TIME"), LLONG_MAX / 2);
    allocation->end_s = end_s > 0 ? (double)end_s : 0;
    allocation->restarts = find_count(environment, "SLURM_RESTART_COUNT");
    allocation->hosts = find(environment, "SLURM_JOB_NODELIST");
    if (!allocation->hosts) allocation->hosts = find(environment, "SLURM_NODELIST");
    long long step = parse_number(find(environment, "SLURM_STEP_ID"), LLONG_MAX / 2);
    allocation->step = step >= 0 && step < reserved_step;
    allocation->elsewhere = !find(environment, "SLURMD_NODENAME") && !find(environment, "SLURM_NODEID");
}

static void read_pbs(char *const environment[], struct allocation *allocation)
{
    copy(environment, "PBS_ARRAY_INDEX", sizeof allocation->array_index, allocation->array_index);
    if (!*allocation->array_index)
        copy(environment, "PBS_ARRAYID", sizeof allocation->array_index, allocation->array_index);
    copy(environment, "PBS_QUEUE", sizeof allocation->partition, allocation->partition);
    allocation->nodes = find_count(environment, "PBS_NUM_NODES");
    allocation->cpus_per_node = find_count(environment, "PBS_NUM_PPN");
    allocation->cpus_per_task =
        find_count(environment, "NCPUS"); /* OpenPBS: the threads of a rank, whatever the name */
    long long total = (long long)allocation->nodes * allocation->cpus_per_node;
    if (total <= INT_MAX) allocation->cpus_total = (int)total;
    allocation->hosts_file = find(environment, "PBS_NODEFILE");
}

static void read_lsf(char *const environment[], struct allocation *allocation)
{
    struct counts slots;
    copy(environment, "LSB_QUEUE", sizeof allocation->partition, allocation->partition);
    if (find_count(environment, "LSB_JOBINDEX")) /* 0: no array */
        copy(environment, "LSB_JOBINDEX", sizeof allocation->array_index, allocation->array_index);
    if (parse_host_slots(find(environment, "LSB_MCPU_HOSTS"), &slots)) {
        set_cpus(&slots, allocation);
        allocation->nodes = slots.nodes;
    } else {
        allocation->cpus_total = find_count(environment, "LSB_DJOB_NUMPROC");
    }
    const char *restarted = find(environment, "LSB_RESTART");
    allocation->restarts = restarted && strcmp(restarted, "Y") == 0;
    allocation->hosts = find(environment, "LSB_MCPU_HOSTS");
    if (!allocation->hosts) allocation->hosts = find(environment, "LSB_HOSTS");
    allocation->hosts_file = find(environment, "LSB_DJOB_HOSTFILE");
}

static void read_flux(char *const environment[], struct allocation *allocation)
{
    allocation->step = find(environment, "FLUX_TASK_RANK") != NULL;
    allocation->nodes = find_count(environment, allocation->step ? "FLUX_JOB_NNODES" : "SPEEDUP_JOB_NODES");
    if (allocation->step) {
        int tasks = find_count(environment, "FLUX_JOB_SIZE");
        if (allocation->nodes && tasks % allocation->nodes == 0) allocation->tasks_per_node = tasks / allocation->nodes;
        return;
    }
    const char *id = find(environment, "SPEEDUP_JOB_ID") ? "SPEEDUP_JOB_ID" : "FLUX_ENCLOSING_ID";
    copy(environment, id, sizeof allocation->job_id, allocation->job_id);
    allocation->cpus_total = find_count(environment, "SPEEDUP_JOB_CORES");
    if (allocation->nodes && allocation->cpus_total % allocation->nodes == 0)
        allocation->cpus_per_node = allocation->cpus_total / allocation->nodes;
    allocation->hosts = find(environment, "SPEEDUP_JOB_HOSTS");
}

static const struct reader {
    const char *mark; /* set: we are inside */
    const char *job_id;
    enum scheduler scheduler;
    void (*read)(char *const environment[], struct allocation *);
} readers[] = {{"SLURM_JOB_ID", "SLURM_JOB_ID", SCHEDULER_SLURM, read_slurm},
               {"SLURM_JOBID", "SLURM_JOB_ID", SCHEDULER_SLURM, read_slurm},
               {"LSB_JOBID", "LSB_JOBID", SCHEDULER_LSF, read_lsf},
               {"PBS_JOBID", "PBS_JOBID", SCHEDULER_PBS, read_pbs},
               {"FLUX_JOB_ID", "FLUX_JOB_ID", SCHEDULER_FLUX, read_flux},
               {"FLUX_URI", "FLUX_JOB_ID", SCHEDULER_FLUX, read_flux}};

void allocation_find(char *const environment[], struct allocation *allocation_p)
{
    *allocation_p = (struct allocation){.scheduler = SCHEDULER_NONE};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!find(environment, readers[i].mark)) continue;
        allocation_p->scheduler = readers[i].scheduler;
        copy(environment, readers[i].job_id, sizeof allocation_p->job_id, allocation_p->job_id);
        readers[i].read(environment, allocation_p);
        return;
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each distinct host, with the times it is listed. */
static bool count_hosts(char **lines, size_t count, struct counts *counts_p)
{
    struct counts counts = {0};
    if (count == 0) return false;
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && strcmp(lines[first], lines[next]) == 0; next++) continue;
        if (!counts_add(&counts, (long long)(next - first), 1)) return false;
    }
    *counts_p = counts;
    return true;
}

enum { HOST_LINES_MAX = 1 << 20 };

/* Lines without blanks at their ends, empty ones left out. Frees nothing of them on failure: free_lines does. */
static int read_lines(FILE *file, char ***lines_p, size_t *count_p)
{
    char *line = NULL;
    size_t size = 0, room = 0;
    int status = 0;
    while (!status && getline(&line, &size, file) > 0) {
        size_t length = strcspn(line, " \t\r\n");
        line[length] = '\0';
        if (length == 0) continue;
        if (*count_p == room) {
            room = room ? 2 * room : 64;
            char **more = room > HOST_LINES_MAX ? NULL : realloc(*lines_p, room * sizeof **lines_p);
            if (!more) break;
            *lines_p = more;
        }
        (*lines_p)[*count_p] = strdup(line);
        if (!(*lines_p)[*count_p]) break;
        ++*count_p;
    }
    if (!feof(file)) status = ferror(file) ? -EIO : -ENOMEM;
    free(line);
    return status;
}

int allocation_read_hosts(struct allocation *allocation)
{
    struct counts counts = {0};
    char **lines = NULL;
    size_t count = 0;
    if (!allocation->hosts_file) return 0;
    FILE *file = fopen(allocation->hosts_file, "re");
    if (!file) return -errno;
    int status = read_lines(file, &lines, &count);
    fclose(file);
    if (!status && !count_hosts(lines, count, &counts)) status = -EINVAL;
    for (size_t i = 0; i < count; i++) free(lines[i]);
    free(lines);
    if (status) return status;
    if (!allocation->nodes) allocation->nodes = counts.nodes;
    /* Listed once each, it does not say; nor does OpenPBS, which lists ranks. */
    bool slots = counts.total > counts.nodes && !allocation->cpus_per_task;
    if (!allocation->cpus_per_node && slots) set_cpus(&counts, allocation);
    long long total = (long long)allocation->nodes * allocation->cpus_per_node;
    if (!allocation->cpus_total && total <= INT_MAX) allocation->cpus_total = (int)total;
    return 0;
}

static void format_nodes(const struct allocation *allocation, size_t length, char *text_p)
{
    int nodes = allocation->nodes, cpus = allocation->cpus_per_node;
    char each[48] = "";
    if (cpus)
        snprintf(each, sizeof each, ", %s%d CPU%s%s", allocation->cpus_differ ? "at least " : "", cpus,
                 cpus == 1 ? "" : "s", nodes > 1 ? " each" : "");
    if (nodes)
        snprintf(text_p, length, "%d node%s%s", nodes, nodes == 1 ? "" : "s", each);
    else
        snprintf(text_p, length, "number of nodes unknown%s", each);
}

static void format_end(double end_s, size_t length, char *text_p)
{
    time_t end = (time_t)end_s;
    struct tm date;
    *text_p = '\0';
    if (!(end_s > 0) || !localtime_r(&end, &date)) return;
    if (strftime(text_p, length, ", until %Y-%m-%d %H:%M", &date) == 0) *text_p = '\0';
}

const char *allocation_format(const struct allocation *allocation, size_t length, char *text_p)
{
    char nodes[96], end[64], queue[160] = "", restarts[48] = "", array[48] = "";
    *text_p = '\0';
    if (allocation->scheduler == SCHEDULER_NONE) return text_p;
    format_nodes(allocation, sizeof nodes, nodes);
    format_end(allocation->end_s, sizeof end, end);
    if (*allocation->array_index) snprintf(array, sizeof array, ", array index %s", allocation->array_index);
    if (*allocation->partition) snprintf(queue, sizeof queue, ", in %s", allocation->partition);
    if (allocation->restarts)
        snprintf(restarts, sizeof restarts, ", restarted %d time%s", allocation->restarts,
                 allocation->restarts == 1 ? "" : "s");
    snprintf(text_p, length, "%s job%s%s: %s%s%s%s%s", scheduler_name(allocation->scheduler),
             *allocation->job_id ? " " : "", allocation->job_id, nodes, array, queue, end, restarts);
    for (char *c = text_p; *c; c++)
        if (!isprint((unsigned char)*c)) *c = '?';
    return text_p;
}
