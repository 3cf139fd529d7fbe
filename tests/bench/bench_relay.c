/* What a switch costs, by the kernel `relay` and by a plain ring of processes and pipes that follows the rules of
 * lmbench's lat_ctx (which Debian does not have in its free part, so that this is its rule, not its code).
 *
 *     bench_relay [--rounds N] [--tasks K]
 *
 * In each round, for each size of set, both are measured, one behind the other. Pipes: K processes on one CPU pass a
 * token from pipe to pipe, and each adds up its own set before it writes; from the time of a hop that of one process is
 * taken which does the same with all pipes and one set. Ours: the kernel in modes multitask and serial, sets and rules
 * alike, by futexes. The table has the medians of the rounds, in microseconds, and of their ratios, ours over pipes.
 * Needs `speedup` beside it. */
#include "../../src/analyse/group.h"
#include "../../src/analyse/sharing.h"
#include "../../src/observe/thread.h"

#include <libgen.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 50, TASKS_MAX = 32, LINE = 64, SETS = 5, TRIES = 3 };

static const long set_bytes[SETS] = {0, 65536, 262144, 1048576, 4194304};
static const double least_s = 0.1; /* of a measurement; the best of TRIES counts, of both programs */

struct bench {
    char program[512], record[64];
    int tasks;
    size_t cpu;
};

/* One word of each cache line, as the kernel does. */
static unsigned long walk(const unsigned long *set, long bytes)
{
    unsigned long sum = 0;
    for (long at = 0; at < bytes / (long)sizeof *set; at += LINE / (long)sizeof *set) sum += set[at];
    return sum;
}

static unsigned long *make_set(long bytes)
{
    unsigned long *set = aligned_alloc(4096, (size_t)(bytes > 0 ? bytes : 4096));
    if (set) memset(set, 1, (size_t)bytes);
    return set;
}

static bool hand_over(int from, int to, const unsigned long *set, long bytes)
{
    unsigned long token;
    if (read(from, &token, sizeof token) != sizeof token) return false;
    token += walk(set, bytes);
    return write(to, &token, sizeof token) == sizeof token;
}

/* What the other processes of the ring do until they are ended, or the ring's first one is. */
static void serve(int from, int to, long bytes)
{
    unsigned long *set = make_set(bytes);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (set && hand_over(from, to, set, bytes)) continue;
    _exit(0);
}

/* The time of `rounds` rounds of the token; NAN where a pipe failed. ring: the others serve the pipes but the first;
 * else this process does all. */
static double time_rounds(int tasks, int pipes[][2], bool ring, const unsigned long *set, long bytes, long rounds)
{
    unsigned long token = 1;
    double begin_s = clock_wall_s();
    for (long r = 0; r < rounds; r++) {
        token += walk(set, bytes);
        if (write(pipes[0][1], &token, sizeof token) != sizeof token) return NAN;
        for (int t = 1; t < tasks && !ring; t++)
            if (!hand_over(pipes[t - 1][0], pipes[t][1], set, bytes)) return NAN;
        if (read(pipes[tasks - 1][0], &token, sizeof token) != sizeof token) return NAN;
    }
    return clock_wall_s() - begin_s;
}

/* Seconds a hop. */
static double measure_pipes(const struct bench *bench, long bytes, bool ring)
{
    int pipes[TASKS_MAX][2];
    pid_t others[TASKS_MAX];
    double took_s = 0, best_s = INFINITY;
    unsigned long *set = make_set(bytes);
    for (int t = 0; t < bench->tasks; t++)
        if (pipe(pipes[t]) < 0) return NAN;
    for (int t = 1; t < bench->tasks && ring; t++)
        if ((others[t] = fork()) == 0) serve(pipes[t - 1][0], pipes[t][1], bytes);
    long rounds = 100;
    if (set) time_rounds(bench->tasks, pipes, ring, set, bytes, rounds);
    for (; set && took_s < least_s; rounds *= 2) took_s = time_rounds(bench->tasks, pipes, ring, set, bytes, rounds);
    for (int i = 0; set && i < TRIES; i++)
        best_s = fmin(best_s, time_rounds(bench->tasks, pipes, ring, set, bytes, rounds));
    for (int t = 1; t < bench->tasks && ring; t++) {
        kill(others[t], SIGKILL);
        waitpid(others[t], NULL, 0);
    }
    for (int t = 0; t < bench->tasks; t++) close(pipes[t][0]), close(pipes[t][1]);
    free(set);
    return best_s / ((double)rounds * bench->tasks);
}

static int run_ours(const struct bench *bench, const char *mode, int tasks, long bytes, struct results *results_p)
{
    char command[1024];
    struct error error;
    snprintf(command, sizeof command,
             "'%s' run relay -r %d -w 1 --mode %s %s%d --cpus %zu --set %ldB --size %d -o '%s' > /dev/null 2>&1",
             bench->program, TRIES, mode, tasks > 1 ? "--workers " : "--threads ", tasks, bench->cpu, bytes,
             bytes < 300000    ? 300000
             : bytes < 2000000 ? 30000
                               : 3000,
             bench->record);
    int status = system(command);
    results_init(results_p);
    if (results_read(bench->record, results_p, &error) == 0 && results_p->group_count > 0) return 0;
    fprintf(stderr, "bench_relay: %s ended with %d\n", command, status);
    return -1;
}

/* The one that was disturbed least. */
static const struct sample *find_best(const struct group *group)
{
    const struct sample *best = &group->samples[0];
    for (int s = 1; s < group->count; s++)
        if (group->samples[s].wall_s < best->wall_s) best = &group->samples[s];
    return best;
}

static double measure_ours(const struct bench *bench, long bytes)
{
    struct results alone, ring;
    struct switching switching = {.cost_s = NAN};
    int status = run_ours(bench, "serial", 1, bytes, &alone);
    if (status == 0) {
        status = run_ours(bench, "multitask", bench->tasks, bytes, &ring);
        if (status == 0) switching_of(find_best(&alone.groups[0]), find_best(&ring.groups[0]), &switching);
        results_release(&ring);
    }
    results_release(&alone);
    return switching.cost_s;
}

static void print_column(int count, double values[], int width)
{
    struct spread spread = spread_of(count, values, 0.95);
    printf(" %*.2f (%.2f to %.2f)", width, spread.middle, spread.low, spread.high);
}

static void print_row(long bytes, int rounds, double ours[], double pipes[])
{
    double ratios[ROUNDS_MAX];
    int count = 0;
    for (int r = 0; r < rounds; r++) {
        if (!isfinite(ours[r]) || !isfinite(pipes[r])) continue;
        ratios[count] = ours[r] / pipes[r];
        ours[count] = 1e6 * ours[r];
        pipes[count++] = 1e6 * pipes[r];
    }
    printf("%10ld", bytes);
    print_column(count, ours, 7);
    print_column(count, pipes, 7);
    print_column(count, ratios, 7);
    putchar('\n');
}

static int find_places(struct bench *bench)
{
    char self[400] = "";
    cpu_set_t set;
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return -1;
    snprintf(bench->program, sizeof bench->program, "%s/speedup", dirname(self));
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -1;
    while (bench->cpu < CPU_SETSIZE - 1 && !CPU_ISSET(bench->cpu, &set)) bench->cpu++;
    return 0;
}

/* On one CPU, and back. */
static double measure_bound(const struct bench *bench, long bytes)
{
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    CPU_SET(bench->cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    double cost_s = measure_pipes(bench, bytes, true) - measure_pipes(bench, bytes, false);
    sched_setaffinity(0, sizeof all, &all);
    return cost_s;
}

int main(int argc, char *argv[])
{
    static double ours[SETS][ROUNDS_MAX], pipes[SETS][ROUNDS_MAX];
    struct bench bench = {.tasks = 2};
    char folder[] = "/tmp/bench_relay.XXXXXX";
    long rounds = 7;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--tasks") == 0 && i + 1 < argc)
            bench.tasks = (int)strtol(argv[++i], NULL, 10);
        else
            rounds = 0;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX || bench.tasks < 2 || bench.tasks > TASKS_MAX) {
        fputs("bench_relay [--rounds 1 to 50] [--tasks 2 to 32]\n", stderr);
        return 2;
    }
    if (find_places(&bench) < 0 || !mkdtemp(folder)) return 1;
    snprintf(bench.record, sizeof bench.record, "%s/ours.jsonl", folder);
    for (int r = 0; r < rounds; r++)
        for (int s = 0; s < SETS; s++) {
            ours[s][r] = measure_ours(&bench, set_bytes[s]);
            pipes[s][r] = measure_bound(&bench, set_bytes[s]);
        }
    printf("%d tasks on CPU %zu, %ld rounds; cost of a switch in us, and ours / pipes: median (interval or range)\n",
           bench.tasks, bench.cpu, rounds);
    printf("%10s %20s %22s %22s\n", "set, bytes", "ours", "pipes", "ratio");
    for (int s = 0; s < SETS; s++) print_row(set_bytes[s], (int)rounds, ours[s], pipes[s]);
    unlink(bench.record);
    rmdir(folder);
    return 0;
}
