/* What it costs to be watched: the same launches with and without a timeline, in turns (bench.h), and the ratio of
 * their times, as the workers themselves measure them. The kinds of load differ in how often tasks are switched.
 */
#include "../../src/commands/capture.h"
#include "bench.h"

#include "../../src/plan/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct load {
    const char *text, *kernel;
    enum mode_name mode;
    int workers;
    double wait_s; /* of synthetic */
};

static const struct load loads[] = {
    {"16 threads on one core", "pi", MODE_MULTITASK, 16, 0},
    {"16 processes on one core", "pi", MODE_MULTITASK_MPI, 16, 0},
    {"2 threads on 2 cores", "pi", MODE_THREADS, 2, 0},
    {"2 processes on 2 cores", "pi", MODE_MPI, 2, 0},
    {"4 threads that wait, one core", "synthetic", MODE_MULTITASK, 4, 4e-3},
};

enum { LOADS = sizeof loads / sizeof *loads };

struct wish {
    int repeats;
    double time_s;
    bool smoke;
};

struct taken {
    double wall_s;
    bool valid;
};

static void keep_sample(void *context, const struct sample *sample, double launch_s)
{
    (void)launch_s;
    struct taken *taken = context;
    *taken = (struct taken){sample->wall_s, sample->validity != SAMPLE_INVALID};
}

static int measure(struct session *session, const struct measurement *measurement, bool watched, struct taken *taken_p,
                   struct error *error)
{
    int got, status;
    *taken_p = (struct taken){NAN, false};
    session->context = taken_p;
    session->on_sample = keep_sample;
    if (!watched) return session_measure(session, measurement, &got, error);
    status = capture_timeline(session, measurement, error);
    if (status) return status;
    const struct timeline_record *record = &session->results.timelines[session->results.timeline_count - 1];
    if (record->timeline.incomplete[0])
        return error_set(error, STATUS_FAILED, "a timeline is incomplete: %s", record->timeline.incomplete);
    *taken_p = (struct taken){record->wall_s, record->validity != SAMPLE_INVALID};
    return STATUS_OK;
}

/* Twice the time at twice the size: a short run tells the size for the time wished. */
static int size_problem(struct session *session, const struct measurement *measurement, struct problem *problem,
                        double time_s, struct error *error)
{
    struct taken taken;
    int status = measure(session, measurement, false, &taken, error);
    if (status) return status;
    double work = problem->kernel->work(problem) * time_s / taken.wall_s;
    if (problem->kernel->size_for(problem, work, &problem->size))
        return error_set(error, STATUS_FAILED, "%s has no size for %g s", problem->kernel->name, time_s);
    return STATUS_OK;
}

static int prepare(const struct load *load, const struct session *session, struct problem *problem_p,
                   struct mode *mode_p, struct error *error)
{
    struct mode_request request = {.mode = (int)load->mode, .workers = load->workers, .wait_policy = -1};
    problem_init(kernel_find(load->kernel), problem_p);
    problem_p->kernel->parse_size(load->wait_s > 0 ? "100" : "20000000", &problem_p->size);
    for (int i = 0; load->wait_s > 0 && problem_p->kernel->options[i].name; i++)
        if (strcmp(problem_p->kernel->options[i].name, "wait") == 0) problem_p->options[i] = load->wait_s;
    return plan_mode(&session->machine, &request, mode_p, error);
}

static int run_load(struct session *session, const struct load *load, const struct wish *wish, struct error *error)
{
    static double without[BENCH_ROUNDS_MAX], with[BENCH_ROUNDS_MAX];
    struct problem problem;
    struct mode mode;
    int rounds = 0, tries = 0;
    int status = prepare(load, session, &problem, &mode, error);
    const struct measurement measurement = {
        .problem = &problem, .mode = &mode, .runs = 1, .launches_max = 1, .unrecorded = true};
    if (!status) status = size_problem(session, &measurement, &problem, wish->time_s, error);
    for (; rounds < wish->repeats && tries < 3 * wish->repeats && !status; tries++) {
        struct taken plain, watched;
        bool watched_first = tries % 2;
        if (watched_first) status = measure(session, &measurement, true, &watched, error);
        if (!status) status = measure(session, &measurement, false, &plain, error);
        if (!status && !watched_first) status = measure(session, &measurement, true, &watched, error);
        if (status || !plain.valid || !watched.valid) continue;
        without[rounds] = plain.wall_s;
        with[rounds++] = watched.wall_s;
    }
    char ratio[64];
    if (!status)
        printf("%-32s %s  (%d rounds, %d disturbed ones left out; %.2f s each)\n", load->text,
               bench_format(bench_estimate_ratio(rounds, with, without), 4, sizeof ratio, ratio), rounds,
               tries - rounds, bench_estimate(rounds, without).median);
    fflush(stdout);
    return status;
}

static int run(const struct wish *wish, struct error *error)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session) return error_set(error, STATUS_FAILED, "out of memory");
    int status = bench_print_machine(error);
    if (!status) status = session_open("bench", session, error);
    session->time_limit_s = 120;
    char interval[96];
    printf("Wall time with a timeline / without: %s\n", bench_interval_text(wish->repeats, sizeof interval, interval));
    for (int i = 0; i < LOADS && !status; i++) {
        if (mode_needs_mpi(loads[i].mode) && *session->site.mpi_reason)
            printf("%-32s not available: %s\n", loads[i].text, session->site.mpi_reason);
        else
            status = run_load(session, &loads[i], wish, error);
    }
    session_close(session, &(struct error){""});
    free(session);
    return status;
}

int main(int argc, char *argv[])
{
    static struct wish wish = {.repeats = 15, .time_s = 1};
    static const struct option options[] = {
        {.name = "repeats",
         .type = OPT_COUNT,
         .value = &wish.repeats,
         .min = 1,
         .max = BENCH_ROUNDS_MAX,
         .argument = "K",
         .help = "Rounds. Default: 15. From 6 on there are intervals."},
        {.name = "time",
         .type = OPT_DURATION,
         .value = &wish.time_s,
         .min = 0.01,
         .max = 600,
         .argument = "T",
         .help = "About so long is a run. Default: 1s."},
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A run of some seconds, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_timeline",
        "What it costs to be watched: launches with and without a timeline in turns, and the ratio of the times that "
        "the workers measure themselves.",
        options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (wish.smoke) wish.repeats = 1, wish.time_s = 0.05;
    if (status == 0) status = run(&wish, &error);
    if (status < 0) fprintf(stderr, "bench_timeline: %s\n", error.text);
    return -status;
}
