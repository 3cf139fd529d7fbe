/* speedup run: one kernel, one configuration. */
#include "run.h"
#include "../options/options.h"
#include "../present/present.h"
#include "commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kernel's own options, taken as they come; they are checked when the kernel is known. */
struct kernel_arguments {
    const struct kernel *kernel;
    double values[KERNEL_OPTIONS_MAX];
    const char *names[KERNEL_OPTIONS_MAX + 1];
};

static const char *const mode_choices[] = {"serial", "multitask", "multitask-mpi", "threads", "mpi", "hybrid", NULL};
static const char *const wait_choices[] = {"spin", "yield", "block", NULL};

static int take_kernel_option(void *context, const char *name, const char *value, struct error *error)
{
    struct kernel_arguments *arguments = context;
    const struct kernel_option *table = arguments->kernel ? arguments->kernel->options : NULL;
    for (int i = 0; table && table[i].name; i++) {
        if (strcmp(table[i].name, name) != 0) continue;
        char domain[160];
        kernel_option_domain(&table[i], sizeof domain, domain);
        if (!value) return error_set(error, STATUS_USAGE, "--%s needs a value: %s", name, domain);
        if (kernel_option_parse(&table[i], value, &arguments->values[i]))
            return error_set(error, STATUS_USAGE, "--%s %s is not allowed; allowed: %s", name, value, domain);
        return 1;
    }
    return 0;
}

/* The kernel's name is the first operand; its own options can be told from unknown ones only when it is known, so it is
 * looked for first. */
static const struct kernel *find_named_kernel(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && kernel_find(argv[i])) return kernel_find(argv[i]);
    return NULL;
}

enum { NAMES_MAX = 32, LIST_LENGTH = 256 };

/* "naive, tiled" of names, NULL-terminated. Returns text. */
static const char *list_names(const char *const *names, char text[LIST_LENGTH])
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; names[i] && used < LIST_LENGTH; i++)
        used += (size_t)snprintf(text + used, LIST_LENGTH - used, "%s%s", i ? ", " : "", names[i]);
    return text;
}

static int check_kernel_name(const char *name, struct error *error)
{
    if (kernel_find(name)) return STATUS_OK;
    const char *names[NAMES_MAX + 1] = {NULL};
    char all[LIST_LENGTH];
    for (int i = 0; kernel_registry[i] && i < NAMES_MAX; i++) names[i] = kernel_registry[i]->name;
    list_names(names, all);
    const char *near = options_nearest(name, names);
    if (near) return error_set(error, STATUS_USAGE, "no kernel '%s'; did you mean '%s'? Kernels: %s", name, near, all);
    return error_set(error, STATUS_USAGE, "no kernel '%s'. Kernels: %s (see 'speedup list')", name, all);
}

static int refuse_variant(const struct kernel *kernel, const char *name, struct error *error)
{
    const char *names[NAMES_MAX + 2] = {NULL};
    char all[LIST_LENGTH];
    int count = 0;
    for (; kernel->variants[count].name && count < NAMES_MAX; count++) names[count] = kernel->variants[count].name;
    names[count] = "all";
    const char *near = options_nearest(name, names);
    return error_set(error, STATUS_USAGE, "%s has no variant '%s'%s%s%s Variants: %s", kernel->name, name,
                     near ? "; did you mean '" : ".", near ? near : "", near ? "'?" : "", list_names(names, all));
}

/* *all_p: all variants are wanted, and there are several. */
static int choose_variant(const struct kernel *kernel, const char *name, struct problem *problem, bool *all_p,
                          struct error *error)
{
    bool all = name && strcmp(name, "all") == 0;
    *all_p = all && kernel->variants[1].name;
    problem->variant = name && !all ? kernel_find_variant(kernel, name) : kernel_default_variant(kernel);
    if (!problem->variant) return refuse_variant(kernel, name, error);
    const char *reason = variant_unavailable(problem->variant);
    if (!reason || *all_p) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "variant '%s' of %s is unavailable here: %s", problem->variant->name,
                     kernel->name, reason);
}

static int choose_size(const struct kernel *kernel, const char *text, struct problem *problem, struct error *error)
{
    if (!text) return STATUS_OK;
    int status = kernel->parse_size(text, &problem->size);
    if (!status) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "--size '%s' is %s; %s: %s", text,
                     status == -ERANGE ? "out of range" : "not a size", kernel->name, kernel->size_help);
}

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
    if (request->workers > 0 && request->workers != job->size * threads)
        return error_set(error, STATUS_USAGE, "--workers %d was given, but %s started %d rank%s of %d thread%s",
                         request->workers, job->launcher, job->size, job->size == 1 ? "" : "s", threads,
                         threads == 1 ? "" : "s");
    struct mode_request all = *request;
    all.workers = 0;
    all.ranks = job->size;
    all.threads = threads;
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
    if (request->wait_policy < 0) mode->wait_policy = shares_cores(session, mode) ? WAIT_YIELD : WAIT_SPIN;
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
    int status = heard_from_any_rank(session, plan_check_memory(&session->machine, problem, mode, error)), got = 0;
    if (!status && session_speaks(session)) status = session_write_context(session, 1, &measurement, error);
    if (!status) status = session_measure(session, &measurement, &got, error);
    present_progress(stderr, &view.err, NULL, 0, 0);
    if (view.shows && session->results.group_count > 0)
        present_samples_summary(stdout, &view.out, &session->results.groups[0]);
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

static int run_kernel(const char *name, struct run_options *options, const struct kernel_arguments *arguments,
                      struct error *error)
{
    int status = check_kernel_name(name, error);
    if (status) return status;
    const struct kernel *kernel = kernel_find(name);
    struct problem problem;
    problem_init(kernel, &problem);
    memcpy(problem.options, arguments->values, sizeof problem.options);
    problem.seed = options->seed;
    bool all = false;
    status = choose_variant(kernel, options->variant, &problem, &all, error);
    if (!status) status = choose_size(kernel, options->size, &problem, error);
    if (status) return status;

    struct session *session = calloc(1, sizeof *session);
    if (!session) return error_set(error, STATUS_FAILED, "no memory");
    status = session_open("run", session, error);
    session->time_limit_s = options->time_limit_s;
    struct mode mode;
    if (!status)
        status = session->job.size > 0 ? adopt_foreign_job(session, &options->mode, &mode, error)
                                       : plan_mode(&session->machine, &options->mode, &mode, error);
    if (!status) status = add_writers(session, options, error);
    if (!status)
        status = all ? run_all_variants(session, options, &problem, &mode, error)
                     : measure(session, options, &problem, &mode, error);
    struct error close_error;
    int close_status = session_close(session, &close_error);
    if (!status && close_status) *error = close_error, status = close_status;
    free(session);
    return status;
}

int command_run(const struct command *command, int argc, char **argv, struct error *error)
{
    struct kernel_arguments arguments = {.kernel = find_named_kernel(argc, argv)};
    struct run_options options = {.mode = {.mode = -1, .wait_policy = -1}, .warmups = -1, .time_limit_s = 600};
    if (arguments.kernel) {
        struct problem problem;
        problem_init(arguments.kernel, &problem);
        memcpy(arguments.values, problem.options, sizeof arguments.values);
        options.seed = problem.seed;
        for (int i = 0; arguments.kernel->options && arguments.kernel->options[i].name; i++)
            arguments.names[i] = arguments.kernel->options[i].name;
    }
    const struct option table[] = {
        {0, "variant", OPT_TEXT, &options.variant, 0, 0, NULL, "V",
         "How the kernel is written (see 'speedup list'); 'all' shows all of them side by side."},
        {'m', "mode", OPT_CHOICE, &options.mode.mode, 0, 0, mode_choices, "MODE",
         "How the workers are placed. Default: serial, or what --workers, --ranks and --threads imply."},
        {'W', "workers", OPT_COUNT, &options.mode.workers, 1, 10000, NULL, "W",
         "Tasks that share the work. Default: one for each core (mode serial: one)."},
        {0, "ranks", OPT_COUNT, &options.mode.ranks, 1, 10000, NULL, "R", "MPI processes."},
        {0, "threads", OPT_COUNT, &options.mode.threads, 1, 10000, NULL, "T", "OpenMP threads in each process."},
        {'s', "size", OPT_TEXT, &options.size, 0, 0, NULL, "N",
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
        {0, "seed", OPT_U64, &options.seed, 0, 0, NULL, "SEED", "Seed of the input data. Default: the kernel's own."},
        {0, "time-limit", OPT_DURATION, &options.time_limit_s, 0.01, 604800, NULL, "TIME",
         "A launch that takes longer is ended. Default: 10m."},
        {0, "json", OPT_FLAG, &options.json, 0, 0, NULL, NULL,
         "Write the record lines to standard output, and nothing else."},
        {'o', "output", OPT_TEXT, &options.output, 0, 0, NULL, "FILE",
         "Write the record lines to FILE ('-': standard output)."},
        {0}};
    struct options description = {.command = command,
                                  .table = table,
                                  .unknown = take_kernel_option,
                                  .context = &arguments,
                                  .unknown_names = arguments.names};
    int operand_count;
    int status = options_parse(&description, argc, argv, &operand_count, error);
    if (status) return status > 0 ? STATUS_OK : status;
    if (operand_count == 0)
        return error_set(error, STATUS_USAGE, "name a kernel, such as 'speedup run pi' (see 'speedup list')");
    if (operand_count > 1)
        return error_set(error, STATUS_USAGE, "one kernel at a time, but '%s' follows '%s'", argv[2], argv[1]);
    return run_kernel(argv[1], &options, &arguments, error);
}
