/* What it costs to be measured from outside. A command that computes for some seconds, alone and under `speedup
 * diagnose`, in turns (bench.h): the ratio of the times from its start to its end. And a command that does nothing, by
 * `speedup study` and by hyperfine without a shell, in turns: what each says that a launch takes, and what it takes in
 * all.
 */
#include "bench.h"

#include "../../src/observe/thread.h"
#include "speedup_config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { LAUNCHES_MAX = 10000 };

struct wish {
    int repeats, launches;
    double time_s;
    const char *program;
    int work; /* millions of steps: this program is the command; 0: it measures */
    int tasks;
    bool smoke;
};

static void compute(int millions)
{
    volatile double x = 1;
    for (int64_t i = 0; i < 1000000 * (int64_t)millions; i++) x = 0.999 * x + 0.001;
}

static int compute_in_tasks(int millions, int tasks)
{
    for (int i = 1; i < tasks; i++)
        if (fork() == 0) {
            compute(millions);
            _exit(0);
        }
    compute(millions);
    while (wait(NULL) > 0) continue;
    return 0;
}

/* Runs it with its output to a file; the time from its start to its end, NAN where it failed. */
static double run_timed(char *const argv[], const char *output, struct error *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    double start_s = clock_wall_s();
    pid_t pid;
    int wait_status = -1, spawn_status = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    if (spawn_status == 0) waitpid(pid, &wait_status, 0);
    double wall_s = clock_wall_s() - start_s;
    posix_spawn_file_actions_destroy(&actions);
    if (spawn_status == 0 && wait_status == 0) return wall_s;
    error_set(error, STATUS_FAILED, "%s %s failed (%s)", argv[0], argv[1],
              spawn_status ? strerror(spawn_status) : "status other than 0");
    return NAN;
}

/* The command that computes for about the time wished. */
struct load {
    char path[4096], work[32], tasks[32];
    char *alone[8], *watched[16];
};

static void load_init(struct load *load, const char *program, int millions, int tasks)
{
    static char work_option[] = "--work", tasks_option[] = "--tasks", diagnose[] = "diagnose", output[] = "-o",
                nowhere[] = "/dev/null", end[] = "--";
    ssize_t length = readlink("/proc/self/exe", load->path, sizeof load->path - 1);
    load->path[length > 0 ? length : 0] = '\0';
    snprintf(load->work, sizeof load->work, "%d", millions);
    snprintf(load->tasks, sizeof load->tasks, "%d", tasks);
    char *const alone[] = {load->path, work_option, load->work, tasks_option, load->tasks, NULL};
    char *const prefix[] = {(char *)program, diagnose, output, nowhere, end};
    memcpy(load->alone, alone, sizeof alone);
    memcpy(load->watched, prefix, sizeof prefix);
    memcpy(load->watched + sizeof prefix / sizeof *prefix, alone, sizeof alone);
}

static int compare_diagnose(const struct wish *wish, int tasks, struct error *error)
{
    static double alone[BENCH_ROUNDS_MAX], watched[BENCH_ROUNDS_MAX];
    struct load load;
    load_init(&load, wish->program, 100, tasks);
    double wall_s = run_timed(load.alone, "/dev/null", error);
    if (isnan(wall_s)) return STATUS_FAILED;
    load_init(&load, wish->program, (int)fmax(1, 100 * wish->time_s / wall_s), tasks);
    for (int round = 0; round < wish->repeats; round++) {
        if (round % 2) watched[round] = run_timed(load.watched, "/dev/null", error);
        alone[round] = run_timed(load.alone, "/dev/null", error);
        if (round % 2 == 0) watched[round] = run_timed(load.watched, "/dev/null", error);
        if (isnan(alone[round]) || isnan(watched[round])) return STATUS_FAILED;
    }
    char ratio[64];
    printf("%d process%s that compute%s: under diagnose / alone  %s  (%.2f s each)\n", tasks, tasks == 1 ? "" : "es",
           tasks == 1 ? "s" : "",
           bench_format(bench_estimate_ratio(wish->repeats, watched, alone), 4, sizeof ratio, ratio),
           bench_estimate(wish->repeats, alone).median);
    fflush(stdout);
    return STATUS_OK;
}

/* Medians of what each says, and the cost of a launch in all. */
struct launch_cost {
    double told_s, all_s;
};

static int read_hyperfine(const char *path, double wall_s, int launches, struct launch_cost *cost_p)
{
    json_t *json = json_load_file(path, 0, NULL);
    const json_t *result = json_array_get(json_object_get(json, "results"), 0);
    *cost_p = (struct launch_cost){json_number_value(json_object_get(result, "median")), wall_s / launches};
    json_decref(json);
    return cost_p->told_s > 0 ? 0 : -EINVAL;
}

static int read_study(const char *path, double wall_s, struct launch_cost *cost_p)
{
    static double times[LAUNCHES_MAX];
    int count = 0;
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    while (file && getline(&line, &size, file) > 0 && count < LAUNCHES_MAX) {
        json_t *object = json_loads(line, 0, NULL);
        const char *type = json_string_value(json_object_get(object, "type"));
        if (type && strcmp(type, "sample") == 0) times[count++] = json_number_value(json_object_get(object, "wall_s"));
        json_decref(object);
    }
    free(line);
    if (file) fclose(file);
    if (count == 0) return -EINVAL;
    *cost_p = (struct launch_cost){bench_estimate(count, times).median, wall_s / count};
    return 0;
}

static int compare_launches(const struct wish *wish, struct error *error)
{
    static double told[BENCH_ROUNDS_MAX], all[BENCH_ROUNDS_MAX], told_own[BENCH_ROUNDS_MAX], all_own[BENCH_ROUNDS_MAX];
    char path[] = "/tmp/bench-outside-XXXXXX", runs[32], rounds[32];
    int descriptor = mkstemp(path), status = STATUS_OK;
    if (descriptor < 0) return error_set(error, STATUS_FAILED, "cannot make a file: %s", strerror(errno));
    close(descriptor);
    snprintf(runs, sizeof runs, "%d", wish->launches);
    snprintf(rounds, sizeof rounds, "%d", wish->launches / 2); /* of serial and of threads with one worker */
    char *const hyperfine[] = {(char *)"hyperfine",     (char *)"-N", (char *)"--style", (char *)"none",
                               (char *)"--warmup",      (char *)"3",  (char *)"--runs",  runs,
                               (char *)"--export-json", path,         (char *)"true",    NULL};
    char *const study[] = {(char *)wish->program, (char *)"study",   (char *)"--json",
                           (char *)"--modes",     (char *)"threads", (char *)"--workers",
                           (char *)"1",           (char *)"--runs",  rounds,
                           (char *)"--",          (char *)"true",    NULL};
    for (int round = 0; round < wish->repeats && !status; round++) {
        struct launch_cost theirs, ours;
        double wall_s = run_timed(hyperfine, "/dev/null", error);
        if (isnan(wall_s) || read_hyperfine(path, wall_s, wish->launches, &theirs)) {
            status = error_set(error, STATUS_FAILED, "hyperfine, Debian's package of that name, could not be run");
            break;
        }
        wall_s = run_timed(study, path, error);
        if (isnan(wall_s) || read_study(path, wall_s, &ours)) {
            status = error_set(error, STATUS_FAILED, "speedup study -- true gave no samples");
            break;
        }
        told[round] = theirs.told_s, all[round] = theirs.all_s;
        told_own[round] = ours.told_s, all_own[round] = ours.all_s;
    }
    unlink(path);
    if (status) return status;
    char text[64];
    const struct {
        const char *name;
        const double *values;
    } rows[] = {{"a launch of true, as hyperfine -N tells it", told},
                {"the same, as speedup study tells it", told_own},
                {"what hyperfine took for each launch in all", all},
                {"what speedup study took for each in all", all_own}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double ms[BENCH_ROUNDS_MAX];
        for (int round = 0; round < wish->repeats; round++) ms[round] = 1e3 * rows[i].values[round];
        printf("%-44s %s ms\n", rows[i].name, bench_format(bench_estimate(wish->repeats, ms), 3, sizeof text, text));
    }
    return STATUS_OK;
}

static int run(const struct wish *wish, struct error *error)
{
    char interval[96];
    int status = bench_print_machine(error);
    printf("%s\n", bench_interval_text(wish->repeats, sizeof interval, interval));
    for (int tasks = 1; tasks <= 2 && !status; tasks++) status = compare_diagnose(wish, tasks, error);
    return status ? status : compare_launches(wish, error);
}

int main(int argc, char *argv[])
{
    static struct wish wish = {.repeats = 9, .launches = 200, .time_s = 5, .tasks = 1, .program = NULL};
    static const struct option options[] = {
        BENCH_OPTION_REPEATS(&wish.repeats),
        {.name = "time",
         .type = OPT_DURATION,
         .value = &wish.time_s,
         .min = 0.01,
         .max = 600,
         .argument = "T",
         .help = "About so long does the command compute. Default: 5s."},
        {.name = "launches",
         .type = OPT_COUNT,
         .value = &wish.launches,
         .min = 12,
         .max = LAUNCHES_MAX,
         .argument = "N",
         .help = "Launches of true in each round. Default: 200."},
        {.name = "program",
         .type = OPT_TEXT,
         .value = &wish.program,
         .argument = "FILE",
         .help = "The speedup to be measured. Default: the one beside this program."},
        {.name = "work",
         .type = OPT_COUNT,
         .value = &wish.work,
         .min = 1,
         .max = 1000000,
         .argument = "N",
         .help = "Only compute, for so many million steps."},
        {.name = "tasks",
         .type = OPT_COUNT,
         .value = &wish.tasks,
         .min = 1,
         .max = 1000,
         .argument = "N",
         .help = "In so many processes. Default: 1."},
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A run of some seconds, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {"bench_outside",
                                                 "What it costs to be measured from outside: a command that computes, "
                                                 "alone and under speedup diagnose; a command "
                                                 "that does nothing, by speedup study and by hyperfine.",
                                                 options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (status == 0 && wish.work > 0) return compute_in_tasks(wish.work, wish.tasks);
    char beside[4096];
    ssize_t length = readlink("/proc/self/exe", beside, sizeof beside - 16);
    beside[length > 0 ? length : 0] = '\0';
    char *name = strrchr(beside, '/');
    snprintf(name ? name + 1 : beside, 16, "speedup");
    if (!wish.program) wish.program = beside;
    if (wish.smoke) wish.repeats = 1, wish.time_s = 0.1, wish.launches = 12;
    if (status == 0) status = run(&wish, &error);
    if (status < 0) fprintf(stderr, "bench_outside: %s\n", error.text);
    return -status;
}
