/* speedup run: one kernel, one configuration. */
#include "run.h"
#include "../options/options.h"
#include "../present/present.h"
#include "capture.h"
#include "commands.h"
#include "picture.h"
#include "problem.h"
#include "watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_choices[] = {"serial", "multitask", "multitask-mpi", "threads", "mpi", "hybrid", NULL};
static const char *const wait_choices[] = {"spin", "yield", "block", NULL};
static const char *const policy_choices[] = {"other", "batch", "fifo", "rr", NULL};

/* A wrong command line is said by rank 0 alone; what depends on the machine may be wrong on a further rank only, and is
 * a failure there, so that it is heard. */
static int heard_from_any_rank(const struct session *session, int status)
{
    return status == STATUS_USAGE && session->job.rank > 0 ? STATUS_FAILED : status;
}

/* Whether ranks of a foreign launcher's job may have to share cores, as far as this rank can know. */
static bool shares_cores(const struct session *session, const struct mode *mode)
{
    const struct machine *machine = &session->machine;
    int local = session->job.local_size;
    bool bound = machine->allowed_cpu_count < machine->online_cpu_count;
    int room = bound ? machine->online_cpu_count : mode->cpus.count;
    return local < 1 || mode->threads > mode->cpus.count || local * mode->threads > room;
}

/* Under a foreign launcher the ranks are already there: the mode follows from them. */
static int adopt_foreign_job(const struct session *session, struct mode_request *request, struct mode *mode,
                             struct error *error)
{
    const struct foreign_job *job = &session->job;
    if (request->ranks > 0 && request->ranks != job->size)
        return error_set(error, STATUS_USAGE, "--ranks %d was given, but %s started %d; leave --ranks out, or start %d",
                         request->ranks, job->launcher, job->size, request->ranks);
    if (request->mode >= 0 && request->mode != MODE_MPI && request->mode != MODE_HYBRID &&
        request->mode != MODE_MULTITASK_MPI)
        return error_set(error, STATUS_USAGE,
                         "--mode %s is not one of ranks, but %s started %d of them; use mpi or hybrid",
                         mode_choices[request->mode], job->launcher, job->size);
    int threads = request->threads > 0 ? request->threads : 1;
    if (request->workers > 0 && request->workers != (long long)job->size * threads)
        return error_set(error, STATUS_USAGE, "--workers %d was given, but %s started %d rank%s of %d thread%s",
                         request->workers, job->launcher, job->size, job->size == 1 ? "" : "s", threads,
                         threads == 1 ? "" : "s");
    struct mode_request all = *request;
    all.workers = 0;
    all.ranks = job->size;
    all.threads = threads;
    all.placed = true;
    all.mode = request->mode >= 0 ? request->mode : threads > 1 ? MODE_HYBRID : MODE_MPI;
    int status = heard_from_any_rank(session, plan_mode(&session->machine, &all, mode, error));
    if (status) return status;
    /* The CPUs that this rank may use: those that the launcher bound it to. Which of them become its own, the ranks
     * agree on when they see each other. */
    if (request->cpus.count > 0)
        mode->cpus = request->cpus;
    else
        machine_cpu_order(&session->machine, request->smt, &mode->cpus);
    if (mode->name == MODE_MULTITASK_MPI) mode->cpus.count = 1;
    if (request->wait_policy < 0 && !scheduling_is_realtime(&mode->scheduling))
        mode->wait_policy = shares_cores(session, mode) ? WAIT_YIELD : WAIT_SPIN;
    return STATUS_OK;
}

struct run_view {
    struct style out, err;
    bool shows;
    int number, of;
};

static void show_sample(void *context, const struct sample *sample, double launch_s)
{
    (void)launch_s;
    struct run_view *view = context;
    present_progress(stderr, &view->err, NULL, 0, 0);
    view->number++;
    if (view->shows) present_sample(stdout, &view->out, sample, view->number, view->of);
}

static void show_progress(void *context, double elapsed_s)
{
    struct run_view *view = context;
    char text[64];
    snprintf(text, sizeof text, "run %d of %d, %.0f s", view->number + 1, view->of, elapsed_s);
    present_progress(stderr, &view->err, text, -1, -1);
}

static bool records_to_stdout(const struct run_options *options)
{
    return options->json || (options->output && strcmp(options->output, "-") == 0);
}

bool run_shows(const struct session *session, const struct run_options *options)
{
    return session_speaks(session) && !records_to_stdout(options);
}

static int add_writers(struct session *session, const struct run_options *options, struct error *error)
{
    int status = STATUS_OK;
    if (!session_speaks(session)) return status;
    if (records_to_stdout(options)) status = session_add_writer(session, "-", error);
    if (!status && options->output && strcmp(options->output, "-") != 0)
        status = session_add_writer(session, options->output, error);
    return status;
}

static int measure(struct session *session, const struct run_options *options, const struct problem *problem,
                   const struct mode *mode, struct error *error)
{
    int runs = options->runs > 0 ? options->runs : 1, warmups = options->warmups >= 0 ? options->warmups : 1;
    struct run_view view = {.of = runs, .shows = run_shows(session, options)};
    style_for(stdout, &view.out);
    style_for(stderr, &view.err);
    /* Open MPI gives rank 0 a terminal that it is not. */
    if (session->job.size > 0) view.out.colour = false;
    session->context = &view;
    session->on_sample = show_sample;
    if (session_speaks(session)) session->on_tick = show_progress;
    struct measurement measurement = {
        .problem = problem, .mode = mode, .runs = runs, .warmups = warmups, .launches_max = 3};
    /* Where the ranks cannot be started again, the one launch does both. */
    bool foreign = session->job.size > 0;
    measurement.timeline = options->timeline && foreign;
    measurement.picture = options->image;
    int status = heard_from_any_rank(session, plan_check_memory(&session->machine, problem, mode, error)), got = 0;
    if (!status && session_speaks(session)) status = session_write_context(session, 1, &measurement, error);
    if (!status) status = session_measure(session, &measurement, &got, error);
    measurement.picture = false;
    if (!status && options->timeline && !foreign) status = capture_timeline(session, &measurement, error);
    present_progress(stderr, &view.err, NULL, 0, 0);
    if (view.shows && session->results.group_count > 0) {
        present_samples_summary(stdout, &view.out, &session->results.groups[0]);
        present_messages(stdout, &view.out, &session->results.groups[0]);
    }
    if (view.shows && session->results.timeline_count > 0) {
        fputc('\n', stdout);
        present_timeline(stdout, &view.out, session->results.timeline_count, session->results.timelines);
    }
    if (status || !session_speaks(session) || got == runs) return status;
    const struct group *group = &session->results.groups[0];
    const char *reason = "";
    for (int i = 0; i < group->count; i++)
        if (group->samples[i].validity == SAMPLE_INVALID) reason = group->samples[i].invalid_reason;
    if (got == 0)
        return error_set(error, STATUS_UNMEASURED, "no valid measurement (%d tried); the last: %s", group->count,
                         reason);
    fprintf(stderr, "speedup run: %d of %d samples are valid; others were disturbed, the last one: %s\n", got, runs,
            reason);
    return STATUS_OK;
}

/* Of each variant that is asked for and can run here. */
static int print_launch_lines(const struct session *session, const struct run_options *options, struct problem problem,
                              const struct mode *mode, bool all, struct error *error)
{
    int status = STATUS_OK;
    if (!session_speaks(session)) return STATUS_OK;
    for (const struct variant *variant = problem.kernel->variants; variant->name && !status; variant++) {
        if (all ? variant_unavailable(variant) != NULL : variant != problem.variant) continue;
        struct problem chosen = problem;
        chosen.variant = variant;
        const struct measurement measurement = {.problem = &chosen,
                                                .mode = mode,
                                                .runs = options->runs > 0 ? options->runs : 1,
                                                .warmups = options->warmups >= 0 ? options->warmups : 1};
        struct launch_line *line;
        status = session_launch_line(session, &measurement, &line, error);
        if (status) break;
        char *text = launch_line_text(line);
        puts(text ? text : "");
        free(text);
        launch_line_free(line);
    }
    return status;
}

static int run_kernel(const char *name, struct run_options *options, const struct problem_arguments *arguments,
                      struct error *error)
{
    struct problem problem;
    bool all = false;
    int status = problem_choose(name, arguments, &problem, &all, error);
    if (status) return status;

    struct session *session = calloc(1, sizeof *session);
    if (!session) return error_set(error, STATUS_FAILED, "no memory");
    status = session_open("run", session, error);
    session->time_limit_s = options->time_limit_s;
    struct mode mode;
    if (!status)
        status = session->job.size > 0 ? adopt_foreign_job(session, &options->mode, &mode, error)
                                       : plan_mode(&session->machine, &options->mode, &mode, error);
    if (!status && options->timeline && all)
        status = error_set(error, STATUS_USAGE,
                           "--timeline shows one variant, but --variant all was given; name one of them");
    if (!status && options->timeline) status = watching_check(error);
    if (!status && options->image && all)
        status = error_set(error, STATUS_USAGE,
                           "--image draws one variant's result, but --variant all was given; name one of them");
    if (!status && options->image) status = picture_check(problem.kernel, options->image, error);
    if (!status) session_note_slice(session, options->mode.slice_s);
    if (!status && !options->dry_run) status = add_writers(session, options, error);
    if (!status && !options->dry_run && options->image && session_speaks(session))
        status = picture_new(options->image, &session->picture, error);
    if (!status && options->dry_run)
        status = print_launch_lines(session, options, problem, &mode, all, error);
    else if (!status)
        status = all ? run_all_variants(session, options, &problem, &mode, error)
                     : measure(session, options, &problem, &mode, error);
    struct error close_error;
    if (picture_free(session->picture, &close_error) && !status) *error = close_error, status = STATUS_FAILED;
    int close_status = session_close(session, &close_error);
    if (!status && close_status) *error = close_error, status = close_status;
    free(session);
    return status;
}

int command_run(const struct command *command, int argc, char **argv, struct error *error)
{
    struct problem_arguments arguments;
    struct run_options options = {.mode = {.mode = -1, .wait_policy = -1}, .warmups = -1, .time_limit_s = 600};
    problem_arguments_init(argc, argv, &arguments);
    const struct option table[] = {
        {0, "variant", OPT_TEXT, &arguments.variant, 0, 0, NULL, "V",
         "How the kernel is written (see 'speedup list'); 'all' shows all of them side by side."},
        {'m', "mode", OPT_CHOICE, &options.mode.mode, 0, 0, mode_choices, "MODE",
         "How the workers are placed. Default: serial, or what --workers, --ranks and --threads imply."},
        {'W', "workers", OPT_COUNT, &options.mode.workers, 1, MODE_WORKERS_MAX, NULL, "W",
         "Tasks that share the work. Default: one for each core (mode serial: one)."},
        {0, "ranks", OPT_COUNT, &options.mode.ranks, 1, MODE_WORKERS_MAX, NULL, "R", "MPI processes."},
        {0, "threads", OPT_COUNT, &options.mode.threads, 1, 10000, NULL, "T", "OpenMP threads in each process."},
        {'s', "size", OPT_TEXT, &arguments.size, 0, 0, NULL, "N",
         "Problem size, in the kernel's own unit (see 'speedup list'). Default: the kernel's; with --variant all, one "
         "at "
         "which the fastest takes a quarter of a second."},
        {'r', "runs", OPT_COUNT, &options.runs, 1, 100000, NULL, "K",
         "Timed samples. Default: 1; with --variant all, as many as fit into a minute, 2 to 9."},
        {'w', "warmup", OPT_COUNT, &options.warmups, 0, 100000, NULL, "K",
         "Untimed runs before them. Default: 1; with --variant all, none for those that take over a second."},
        {0, "cpus", OPT_CPUS, &options.mode.cpus, 0, 0, NULL, "LIST",
         "CPUs to use, in this order, such as 0,2-3. Default: one a core, the fastest kind first."},
        {0, "smt", OPT_FLAG, &options.mode.smt, 0, 0, NULL, NULL, "Use the further hardware threads of the cores too."},
        {0, "wait-policy", OPT_CHOICE, &options.mode.wait_policy, 0, 0, wait_choices, "POLICY",
         "How a worker waits for others. Default: spin, or yield where workers share a CPU."},
        {0, "policy", OPT_CHOICE, &options.mode.policy, 0, 0, policy_choices, "POLICY",
         "How workers share a CPU (see 'speedup list'); fifo and rr are real-time. Default: other."},
        {0, "nice", OPT_COUNT, &options.mode.nice, NICE_LOWEST, NICE_HIGHEST, NULL, "N",
         "-20 to 19: the higher, the less of a CPU the workers get beside other programs. Default: that of this "
         "program."},
        {0, "slice", OPT_DURATION, &options.mode.slice_s, SLICE_MIN_NS / 1e9, SLICE_MAX_NS / 1e9, NULL, "TIME",
         "The time slice of the workers, such as 20ms, where they take turns. Default: the system's."},
        {0, "seed", OPT_U64, &arguments.seed, 0, 0, NULL, "SEED", "Seed of the input data. Default: the kernel's own."},
        {0, "time-limit", OPT_DURATION, &options.time_limit_s, 0.01, 604800, NULL, "TIME",
         "A launch that takes longer is ended. Default: 10m."},
        {0, "timeline", OPT_FLAG, &options.timeline, 0, 0, NULL, NULL,
         "Watch one more run, apart from the timed ones, and show who ran where and when."},
        {0, "dry-run", OPT_FLAG, &options.dry_run, 0, 0, NULL, NULL, "Print the launch line; run nothing."},
        {0, "image", OPT_TEXT, &options.image, 0, 0, NULL, "FILE",
         "Draw the result of the last run into FILE, a PNG picture (kernels that can: mandelbrot)."},
        {0, "json", OPT_FLAG, &options.json, 0, 0, NULL, NULL,
         "Write the record lines to standard output, and nothing else."},
        {'o', "output", OPT_TEXT, &options.output, 0, 0, NULL, "FILE",
         "Write the record lines to FILE ('-': standard output)."},
        {0}};
    struct options description = {.command = command,
                                  .table = table,
                                  .unknown = problem_take_option,
                                  .context = &arguments,
                                  .unknown_names = arguments.names};
    int operand_count;
    int status = options_parse(&description, argc, argv, &operand_count, error);
    if (status) return status > 0 ? STATUS_OK : status;
    const char *name;
    status = problem_take_operand("run", operand_count, argv, &name, error);
    options.size = arguments.size;
    return status ? status : run_kernel(name, &options, &arguments, error);
}
