/* speedup study: a scaling study of a kernel. Plan, then launch block by block until what was asked for is known well
 * enough; what comes next follows from the plan and the record alone (plan/study.h), so that --resume goes on exactly.
 */
#include "study.h"

#include "../../kernels/isa.h"
#include "../analyse/curve.h"
#include "../analyse/ladder.h"
#include "../observe/thread.h"
#include "../options/options.h"
#include "calibrate.h"
#include "capture.h"
#include "commands.h"
#include "problem.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH_LENGTH = 4096, TRIES_MAX = 3, RUNS_MIN = 6, RUNS_MAX = 30 };

/* Long against the timer, the start of a launch, and what it takes to see disturbances. */
static const double shortest_s = 0.3;

/* Of the shortest sample that could not be judged: how large the problem would have to be. */
void study_hint_at_size(const struct study *study)
{
    const struct results *results = &study->session.results;
    const struct sample *shortest = NULL;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++) {
            const struct sample *sample = &results->groups[g].samples[s];
            bool judged = sample->validity != SAMPLE_NOT_JUDGED || !(sample->wall_s > 0);
            if (!judged && (!shortest || sample->wall_s < shortest->wall_s)) shortest = sample;
        }
    struct problem problem = study->options->request.problem;
    struct size size;
    char text[64];
    if (!shortest || ladder_size(&problem, shortest->wall_s, &size)) return;
    fprintf(stderr,
            "speedup study: samples of %.3g ms are too short to be judged; --size %s would be long enough for all\n",
            1e3 * shortest->wall_s, size_format(&size, sizeof text, text));
}

/* Why it ended, and what was not reached. */
static void tell_end(const struct study *study, const struct study_progress *progress)
{
    const struct study_options *options = study->options;
    int missing = study->plan.count - progress->converged;
    char why[96] = "";
    if (progress->end == STUDY_OUT_OF_TIME)
        snprintf(why, sizeof why, "its budget of %g s was used up", options->budget_s);
    if (progress->end == STUDY_TOO_BUSY) snprintf(why, sizeof why, "no sample was undisturbed");
    if (progress->end == STUDY_TOO_MANY) snprintf(why, sizeof why, "too many samples were disturbed");
    if (!*why) return;
    printf("\nEnded after %d block%s: %s; %d of %d configurations are not known well enough. --resume goes on.\n",
           progress->block, progress->block == 1 ? "" : "s", why, missing, study->plan.count);
}

static int tell(struct study *study, const struct study_progress *progress, const char *path, struct error *error)
{
    struct style out;
    struct curves curves;
    const struct results *results = &study->session.results;
    if (curves_build(results, study->options->precision, &curves)) return error_set(error, STATUS_FAILED, "no memory");
    style_for(stdout, &out);
    int valid = curves.valid, judged = curves.valid + curves.invalid;
    if (!study->options->json && results->group_count > 0) {
        present_study(stdout, &out, results, &curves);
        tell_end(study, progress);
        if (path) printf("\nRecords: %s\n", path);
    }
    curves_release(&curves);
    if (*progress->busiest && !study->options->json)
        fprintf(stderr, "speedup study: beside it ran: %s\n", progress->busiest);
    if (valid > 0 || judged == 0) return STATUS_OK;
    return error_set(error, STATUS_UNMEASURED, "no sample was valid, of %d launches; %s%s", judged,
                     *progress->busiest ? "beside them ran " : "the records say why: ",
                     *progress->busiest ? progress->busiest
                     : path             ? path
                                        : "above");
}

static int list_configs(struct study *study, struct error *error)
{
    study->configs = calloc((size_t)study->plan.count + 1, sizeof *study->configs);
    study->keys = calloc((size_t)study->plan.count + 1, sizeof *study->keys);
    if (!study->configs || !study->keys) return error_set(error, STATUS_FAILED, "no memory");
    for (int i = 0; i < study->plan.count; i++) {
        struct config *config = &study->configs[i];
        struct problem problem = study->plan.configs[i].problem;
        problem.isa = study->session.isa;
        config_from_problem(&problem, config);
        config->mode = study->plan.configs[i].mode;
        config->nodes = 1;
        snprintf(config->map, sizeof config->map, "cores-first");
        record_config_key(config, study->keys[i]);
    }
    return STATUS_OK;
}

/* With the fewest workers, so that the one that is fastest takes shortest_s: as many times longer as workers can run at
 * once. */
static int choose_size(struct study *study, struct study_options *options, struct error *error)
{
    struct study_request *request = &options->request;
    const struct mode_request serial = {.mode = MODE_SERIAL, .wait_policy = -1, .cpus = {.count = 0}};
    struct mode mode;
    int cores = study->session.machine.core_count, most = request->workers[request->worker_count - 1];
    bool scales = request->scaling == SCALING_STRONG;
    fprintf(stderr, "speedup study: choosing a size that suits this machine\n");
    int status = plan_mode(&study->session.machine, &serial, &mode, error);
    if (status) return status;
    return calibrate_size(&study->session, &request->problem, &mode, shortest_s * (scales ? fmin(cores, most) : 1),
                          error);
}

static int make_plan(struct study *study, struct study_options *options, struct error *error)
{
    study->plan = (struct study_plan){
        .seed = options->seed, .runs_min = options->runs_min, .runs_max = options->runs_max, .tries_max = TRIES_MAX};
    int status = study_plan_new(&study->session.machine, &options->request, &study->plan, error);
    return status ? status : list_configs(study, error);
}

static int print_plan(struct study *study, struct error *error)
{
    int order[STUDY_CONFIGS_MAX], status = STATUS_OK;
    const struct study_plan *plan = &study->plan;
    bool none[STUDY_CONFIGS_MAX] = {false};
    struct study_launch launches[STUDY_CONFIGS_MAX];
    printf("Seed %llu, %d to %d blocks, each with these launches; order of block 1:\n", (unsigned long long)plan->seed,
           plan->runs_min, plan->runs_max);
    for (int i = 0; i < plan->count; i++) {
        order[i] = study_next(plan, 0, none, i, launches);
        launches[i] = (struct study_launch){order[i], 0, true};
    }
    for (int i = 0; i < plan->count && !status; i++) {
        const struct study_config *config = &plan->configs[order[i]];
        const struct measurement measurement = {.problem = &config->problem,
                                                .mode = &config->mode,
                                                .runs = 1,
                                                .warmups = study->options->warmups,
                                                .launches_max = 1};
        struct launch_line *line;
        char size[64];
        status = session_launch_line(&study->session, &measurement, &line, error);
        if (status) break;
        char *text = launch_line_text(line);
        printf("%3d %s %s, size %s, %s, %d worker%s%s\n      %s\n", i + 1, config->problem.kernel->name,
               config->problem.variant->name, size_format(&config->problem.size, sizeof size, size),
               mode_name_text(config->mode.name), mode_workers(&config->mode),
               mode_workers(&config->mode) == 1 ? "" : "s", config->base ? " (base)" : "", text ? text : "");
        free(text);
        launch_line_free(line);
    }
    return status;
}

static int write_heading(struct study *study, struct error *error)
{
    const struct study_plan *plan = &study->plan;
    struct measurement *measurements = calloc((size_t)plan->count, sizeof *measurements);
    if (!measurements) return error_set(error, STATUS_FAILED, "no memory");
    for (int i = 0; i < plan->count; i++)
        measurements[i] = (struct measurement){.problem = &plan->configs[i].problem,
                                               .mode = &plan->configs[i].mode,
                                               .runs = 1,
                                               .warmups = study->options->warmups,
                                               .launches_max = 1};
    int status = session_write_context(&study->session, plan->count, measurements, error);
    free(measurements);
    if (status) return status;
    study->session.results.study = study_encode(study);
    return session_write_line(&study->session, json_incref(study->session.results.study), error);
}

/* A folder for what nobody named a file for: nothing that was measured is lost. */
static int default_path(const struct study_options *options, char path_p[PATH_LENGTH], struct error *error)
{
    time_t now = time(NULL);
    struct tm date;
    char when[32];
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&now, &date));
    snprintf(path_p, PATH_LENGTH, "speedup-results/study-%s-%s.jsonl", options->request.problem.kernel->name, when);
    if (mkdir("speedup-results", 0777) && errno != EEXIST)
        return error_set(error, STATUS_FAILED, "cannot make the folder speedup-results: %s; name a file with -o",
                         strerror(errno));
    return STATUS_OK;
}

static int open_records(struct study *study, struct study_options *options, char path_p[PATH_LENGTH],
                        struct error *error)
{
    struct stat there;
    int status = STATUS_OK;
    path_p[0] = '\0';
    if (options->dry_run) return status;
    if (options->json) status = session_add_writer(&study->session, "-", error);
    if (status || (options->json && !options->output)) return status;
    if (!options->output) status = default_path(options, path_p, error);
    if (options->output) snprintf(path_p, PATH_LENGTH, "%s", options->output);
    if (status) return status;
    bool exists = stat(path_p, &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0;
    if (options->resume && !exists) fprintf(stderr, "speedup study: %s is not there yet: a new study begins\n", path_p);
    if (exists && options->resume) {
        status = session_read(&study->session, path_p, error);
        if (status) return status;
        bool begun = study->session.results.study || study->session.results.group_count > 0;
        if (begun) return study_adopt(&study->session.results, options, error);
        results_release(&study->session.results);
    } else if (exists)
        return error_set(error, STATUS_USAGE,
                         "%s is there already; --resume goes on with it, or name another file with -o", path_p);
    return session_add_writer(&study->session, path_p, error);
}

static bool has_timeline(const struct results *results, const char *key)
{
    for (int i = 0; i < results->timeline_count; i++)
        if (strcmp(results->timelines[i].key, key) == 0) return true;
    return false;
}

/* Behind the blocks, so that it takes no time from them. Where it cannot be had, the study is complete all the same. */
static int watch(struct study *study, struct study_progress *progress, struct error *error)
{
    for (int i = 0; i < study->plan.count; i++) {
        const struct study_config *config = &study->plan.configs[i];
        const struct measurement measurement = {.problem = &config->problem,
                                                .mode = &config->mode,
                                                .runs = 1,
                                                .warmups = study->options->warmups,
                                                .launches_max = study->plan.tries_max};
        if (!study_is_watched(&study->plan, i) || has_timeline(&study->session.results, study->keys[i])) continue;
        snprintf(progress->doing, sizeof progress->doing, "watching %s, %d workers", mode_name_text(config->mode.name),
                 mode_workers(&config->mode));
        int status = capture_timeline(&study->session, &measurement, error);
        if (status == STATUS_FAILED) {
            present_progress(stderr, &progress->err, NULL, NAN, NAN);
            fprintf(stderr, "speedup study: there is no timeline: %s\n", error->text);
            return STATUS_OK;
        }
        if (status) return status;
    }
    present_progress(stderr, &progress->err, NULL, NAN, NAN);
    return STATUS_OK;
}

static int run_study(struct study *study, struct study_options *options, struct error *error)
{
    char path[PATH_LENGTH];
    struct study_progress progress = {.study = study, .start_s = clock_wall_s()};
    struct session *session = &study->session;
    style_for(stderr, &progress.err);
    session->time_limit_s = options->time_limit_s;
    if (session->job.size > 0)
        return error_set(error, STATUS_USAGE, "it starts its own processes, and cannot run inside %s; start it without",
                         session->job.launcher);
    if (session->isa[0] == '\0') snprintf(session->isa, sizeof session->isa, "%s", isa_name(isa_best()));
    options->request.mpi = session->site.mpi_reason[0] == '\0';
    int status = options->timeline ? capture_check(error) : STATUS_OK;
    if (!status) status = open_records(study, options, path, error);
    if (!status && !options->size_given) status = choose_size(study, options, error);
    if (!status) status = make_plan(study, options, error);
    if (status || options->dry_run) return status ? status : print_plan(study, error);
    session_note_slice(session, options->request.placement.slice_s);
    if (session->results.study) {
        status = study_check_resumed(study, error);
        if (!status) status = session_continue(session, path, error);
    } else {
        status = write_heading(study, error);
    }
    if (status) return status;

    session->context = &progress;
    session->on_tick = study_show_progress;
    status = study_run_blocks(study, &progress, error);
    if (!status && options->timeline) status = watch(study, &progress, error);
    struct error tell_error;
    int tell_status = tell(study, &progress, *path ? path : NULL, &tell_error);
    if (!status && tell_status) *error = tell_error;
    return status ? status : tell_status;
}

static int parse_modes(const char *text, bool mpi, struct study_request *request, struct error *error)
{
    char word[32];
    if (!text) {
        const enum mode_name all[] = {MODE_MULTITASK, MODE_THREADS, MODE_MPI};
        request->mode_count = mpi ? 3 : 2;
        memcpy(request->modes, all, sizeof all);
        return STATUS_OK;
    }
    for (const char *at = text; *at; at += *at == ',') {
        size_t length = strcspn(at, ",");
        enum mode_name name;
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), at);
        at += length;
        if (mode_name_parse(word, &name))
            return error_set(
                error, STATUS_USAGE,
                "--modes: no mode '%s'; allowed, separated by commas: serial, multitask, multitask-mpi, threads, "
                "mpi, hybrid",
                word);
        bool known = false;
        for (int m = 0; m < request->mode_count; m++) known = known || request->modes[m] == name;
        if (!known) request->modes[request->mode_count++] = name;
    }
    if (request->mode_count > 0) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "--modes is empty; name some, such as multitask,threads,mpi");
}

/* Powers of two up to twice the cores: so that it shows what more workers than cores come to. */
static int parse_workers(const char *text, int cores, struct study_request *request, struct error *error)
{
    char powers[64];
    if (!text) {
        int most = 2 * cores > request->base ? 2 * cores : 2 * request->base;
        snprintf(powers, sizeof powers, "%d..%d*2,%d", request->base, most, most);
        text = powers;
    }
    int status = study_parse_workers(text, STUDY_CONFIGS_MAX, request->workers, &request->worker_count);
    if (!status) return STATUS_OK;
    return error_set(error, STATUS_USAGE,
                     "--workers %s is %s; allowed: numbers from 1 to 10000, as 1,2,4 or 1-8 or 1..64*2 (each times 2)",
                     text, status == -ERANGE ? "out of range" : "no list of numbers");
}

static int parse_runs(const char *text, struct study_options *options, struct error *error)
{
    char *end;
    if (!text) return STATUS_OK;
    long least = strtol(text, &end, 10), most = least;
    if (end != text && *end == ':') {
        const char *rest = end + 1;
        most = strtol(rest, &end, 10);
        if (end == rest) end = (char *)rest - 1;
    }
    if (end == text || *end || least < 1 || most < least || most > 10000)
        return error_set(error, STATUS_USAGE, "--runs %s is not allowed; allowed: MIN:MAX, such as 6:30, or one number",
                         text);
    options->runs_min = (int)least;
    options->runs_max = (int)most;
    return STATUS_OK;
}

static const char *const scaling_choices[] = {"strong", "weak", NULL};
static const char *const wait_choices[] = {"spin", "yield", "block", NULL};
static const char *const policy_choices[] = {"other", "batch", "fifo", "rr", NULL};

int command_study(const struct command *command, int argc, char **argv, struct error *error)
{
    struct problem_arguments arguments;
    struct study_options options = {.runs_min = RUNS_MIN,
                                    .runs_max = RUNS_MAX,
                                    .precision = 0.02,
                                    .budget_s = 600,
                                    .time_limit_s = 600,
                                    .seed = 1,
                                    .request = {.base = 1, .placement = {.mode = -1, .wait_policy = -1}}};
    const char *modes = NULL, *workers = NULL, *runs = NULL, *name;
    uint64_t seed = UINT64_MAX;
    int scaling = SCALING_STRONG, operand_count;
    problem_arguments_init(argc, argv, &arguments);
    const struct option table[] = {
        {0, "variant", OPT_TEXT, &arguments.variant, 0, 0, NULL, "V",
         "How the kernel is written (see 'speedup list'); 'all': all variants, of which the fastest is the serial "
         "base."},
        {'m', "modes", OPT_TEXT, &modes, 0, 0, NULL, "LIST",
         "Modes, such as multitask,threads,mpi. Serial comes of itself, as the base. Default: multitask,threads,mpi."},
        {'W', "workers", OPT_TEXT, &workers, 0, 0, NULL, "LIST",
         "Numbers of workers: 1,2,4, or 1-8, or 1..64*2 (each times 2). Default: powers of two up to the cores, and "
         "twice "
         "the cores."},
        {0, "scaling", OPT_CHOICE, &scaling, 0, 0, scaling_choices, "KIND",
         "strong: one problem for all; weak: the same work per worker, by the kernel's own law. Default: strong."},
        {'s', "size", OPT_TEXT, &arguments.size, 0, 0, NULL, "N",
         "Problem size (weak scaling: of the base). Default: one at which the shortest sample takes 0.3 s."},
        {0, "base", OPT_COUNT, &options.request.base, 1, 10000, NULL, "P",
         "Workers of the base, where the problem does not fit into one. Default: 1."},
        {0, "precision", OPT_SHARE, &options.precision, 1e-4, 0.5, NULL, "P",
         "Stop when the half width of each 95 % interval is within this. Default: 2%."},
        {0, "budget", OPT_DURATION, &options.budget_s, 1, 2592000, NULL, "TIME",
         "Start no launch after this. Default: 10m."},
        {'r', "runs", OPT_TEXT, &runs, 0, 0, NULL, "MIN:MAX",
         "Launches of each configuration. Intervals need 7, or 6 where MIN is MAX. Default: 6:30."},
        {'w', "warmup", OPT_COUNT, &options.warmups, 0, 1000, NULL, "K",
         "Untimed runs at the start of each launch. Default: 0."},
        {0, "seed", OPT_U64, &seed, 0, 0, NULL, "SEED", "Seed of the order of launches. Default: 1."},
        {0, "data-seed", OPT_U64, &arguments.seed, 0, 0, NULL, "SEED",
         "Seed of the input data. Default: the kernel's own."},
        {0, "cpus", OPT_CPUS, &options.request.placement.cpus, 0, 0, NULL, "LIST",
         "CPUs to use, in this order, such as 0,2-3. Default: one a core, the fastest kind first."},
        {0, "smt", OPT_FLAG, &options.request.placement.smt, 0, 0, NULL, NULL,
         "Use the further hardware threads of the cores too."},
        {0, "wait-policy", OPT_CHOICE, &options.request.placement.wait_policy, 0, 0, wait_choices, "POLICY",
         "How a worker waits for others. Default: spin, or yield where workers share a CPU."},
        {0, "policy", OPT_CHOICE, &options.request.placement.policy, 0, 0, policy_choices, "POLICY",
         "How workers share a CPU (see 'speedup list'); fifo and rr are real-time. Default: other."},
        {0, "nice", OPT_COUNT, &options.request.placement.nice, NICE_LOWEST, NICE_HIGHEST, NULL, "N",
         "-20 to 19: the higher, the less of a CPU the workers get beside other programs. Default: that of this "
         "program."},
        {0, "slice", OPT_DURATION, &options.request.placement.slice_s, SLICE_MIN_NS / 1e9, SLICE_MAX_NS / 1e9, NULL,
         "TIME", "The time slice of the workers, such as 20ms, where they take turns. Default: the system's."},
        {0, "time-limit", OPT_DURATION, &options.time_limit_s, 0.01, 604800, NULL, "TIME",
         "A launch that takes longer is ended. Default: 10m."},
        {'o', "output", OPT_TEXT, &options.output, 0, 0, NULL, "FILE",
         "Where the records go. Default: a new file in speedup-results."},
        {0, "resume", OPT_FLAG, &options.resume, 0, 0, NULL, NULL,
         "Go on with the study in FILE where it was cut short, with the same plan."},
        {0, "timeline", OPT_FLAG, &options.timeline, 0, 0, NULL, NULL,
         "At the end watch one launch of each mode, apart from the timed ones, for the report."},
        {0, "dry-run", OPT_FLAG, &options.dry_run, 0, 0, NULL, NULL,
         "Print the plan and every launch line; record nothing."},
        {0, "json", OPT_FLAG, &options.json, 0, 0, NULL, NULL,
         "Write the record lines to standard output, and nothing else."},
        {0}};
    const struct options description = {.command = command,
                                        .table = table,
                                        .unknown = problem_take_option,
                                        .context = &arguments,
                                        .unknown_names = arguments.names};
    int status = options_parse(&description, argc, argv, &operand_count, error);
    if (status) return status > 0 ? STATUS_OK : status;
    struct study_request *request = &options.request;
    status = problem_take_operand("study", operand_count, argv, &name, error);
    if (!status) status = problem_choose(name, &arguments, &request->problem, &request->all_variants, error);
    if (!status) status = parse_runs(runs, &options, error);
    if (!status && options.resume && !options.output)
        status = error_set(error, STATUS_USAGE, "--resume needs the file to go on with: -o FILE");
    if (status) return status;
    options.size_given = arguments.size != NULL;
    options.seed_given = seed != UINT64_MAX;
    if (options.seed_given) options.seed = seed;
    request->scaling = (enum study_scaling)scaling;

    struct study *study = calloc(1, sizeof *study);
    if (!study) return error_set(error, STATUS_FAILED, "no memory");
    study->options = &options;
    status = session_open("study", &study->session, error);
    if (!status) status = parse_modes(modes, study->session.site.mpi_reason[0] == '\0', request, error);
    if (!status) status = parse_workers(workers, study->session.machine.core_count, request, error);
    if (!status) status = run_study(study, &options, error);
    struct error close_error;
    int close_status = session_close(&study->session, &close_error);
    if (!status && close_status) *error = close_error, status = close_status;
    study_plan_release(&study->plan);
    free(study->configs);
    free(study->keys);
    free(study);
    return status;
}
