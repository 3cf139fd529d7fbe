/* The command line of `speedup study`, for a kernel and for a command of the user's own, which is all that stands
 * behind the first "--".
 */
#include "study_options.h"

#include "../plan/command.h"
#include "problem.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MIN = 6, RUNS_MAX = 30, OPTIONS_MAX = 80 };
static const double PRECISION = 0.02;

static void choose_modes(bool mpi, struct study_request *request)
{
    /* Over nodes, and of what is shaped by hand, those that have ranks. */
    if (request->node_count > 0) {
        request->modes[0] = request->thread_count > 0 ? MODE_HYBRID : MODE_MPI;
        request->mode_count = 1;
        return;
    }
    static const enum mode_name all[] = {MODE_MULTITASK, MODE_THREADS, MODE_MPI},
                                ranks[] = {MODE_MULTITASK_MPI, MODE_MPI};
    const struct study_command *command = request->command;
    const char *launcher = command ? command->target.launcher : "";
    bool launched =
        command && ((*launcher && strcmp(launcher, "none") != 0) || command_uses(&command->target, "ranks"));
    request->mode_count = !command && mpi ? 3 : 2;
    memcpy(request->modes, launched ? ranks : all, (size_t)request->mode_count * sizeof *all);
}

static int parse_modes(const char *text, bool mpi, struct study_request *request, struct error *error)
{
    char word[32];
    if (!text) {
        choose_modes(mpi, request);
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
                     "--workers %s is %s; allowed: numbers from 1 to %d, as 1,2,4 or 1-8 or 1..64*2 (each times 2)",
                     text, status == -ERANGE ? "out of range" : "no list of numbers", MODE_WORKERS_MAX);
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

/* What the table fills in, besides the options themselves. */
struct given {
    struct problem_arguments problem;
    struct study_command_arguments command;
    struct study_shape_arguments shape;
    const char *runs;
    uint64_t seed;
    int scaling;
};

/* Ends with an empty row. */
static void fill_table(struct given *given, struct study_options *options, struct option table_p[OPTIONS_MAX])
{
    const struct option common[] = {
        {0, "variant", OPT_TEXT, &given->problem.variant, 0, 0, NULL, "V",
         "How the kernel is written (see 'speedup list'); 'all': all variants, of which the fastest is the serial "
         "base."},
        {'m', "modes", OPT_TEXT, &options->modes, 0, 0, NULL, "LIST",
         "Modes, such as multitask,threads,mpi. Serial comes of itself, as the base. Default: multitask,threads,mpi; "
         "of a "
         "command multitask,threads, or with {ranks} or --launcher multitask-mpi,mpi."},
        {'W', "workers", OPT_TEXT, &options->workers, 0, 0, NULL, "LIST",
         "Numbers of workers: 1,2,4, or 1-8, or 1..64*2 (each times 2). Default: powers of two up to the cores, and "
         "twice "
         "the cores."},
        {0, "scaling", OPT_CHOICE, &given->scaling, 0, 0, scaling_choices, "KIND",
         "strong: one problem for all; weak: the same work per worker, by the kernel's own law, or that of --weak. "
         "Default: strong."},
        {'s', "size", OPT_TEXT, &given->problem.size, 0, 0, NULL, "N",
         "Problem size (weak scaling: of the base). Default: one at which the shortest sample takes 0.3 s, or of "
         "kernels "
         "that time messages their own. Of a command: what {size} stands for."},
        {0, "base", OPT_COUNT, &options->request.base, 1, MODE_WORKERS_MAX, NULL, "P",
         "Workers of the base, where the problem does not fit into one. Default: 1."},
        {0, "per-node", OPT_FLAG, &options->request.per_node, 0, 0, NULL, NULL,
         "Instead of a scaling study: the same work on every core of every node at the same time; which node or core "
         "is "
         "slow among them, and why."},
        {0, "fail-if-slow", OPT_FLAG, &options->fail_if_slow, 0, 0, NULL, NULL,
         "Of --per-node: exit status 5 where something is slow. Default: 0 all the same."},
        {0, "precision", OPT_SHARE, &options->precision, 1e-4, 0.5, NULL, "P",
         "Stop when the half width of each 95 % interval is within this. Default: 2%."},
        {0, "budget", OPT_DURATION, &options->budget_s, 1, 2592000, NULL, "TIME",
         "Start no launch after this. Default: 10m."},
        {'r', "runs", OPT_TEXT, &given->runs, 0, 0, NULL, "MIN:MAX",
         "Launches of each configuration. Intervals need 7, or 6 where MIN is MAX. Default: 6:30."},
        {'w', "warmup", OPT_COUNT, &options->warmups, 0, 1000, NULL, "K",
         "Untimed runs at the start of each launch; of a command, before each timed run. Default: 0."},
        {0, "seed", OPT_U64, &given->seed, 0, 0, NULL, "SEED", "Seed of the order of launches. Default: 1."},
        {0, "data-seed", OPT_U64, &given->problem.seed, 0, 0, NULL, "SEED",
         "Seed of the input data. Default: the kernel's own."},
        {0, "cpus", OPT_CPUS, &options->request.placement.cpus, 0, 0, NULL, "LIST",
         "CPUs to use, in this order, such as 0,2-3. Default: one a core, the fastest kind first."},
        {0, "smt", OPT_FLAG, &options->request.placement.smt, 0, 0, NULL, NULL,
         "Use the further hardware threads of the cores too."},
        {0, "wait-policy", OPT_CHOICE, &options->request.placement.wait_policy, 0, 0, wait_choices, "POLICY",
         "How a worker waits for others. Default: spin, or yield where workers share a CPU."},
        {0, "policy", OPT_CHOICE, &options->request.placement.policy, 0, 0, policy_choices, "POLICY",
         "How workers share a CPU (see 'speedup list'); fifo and rr are real-time. Default: other."},
        {0, "nice", OPT_COUNT, &options->request.placement.nice, NICE_LOWEST, NICE_HIGHEST, NULL, "N",
         "-20 to 19: the higher, the less of a CPU the workers get beside other programs. Default: that of this "
         "program."},
        {0, "slice", OPT_DURATION, &options->request.placement.slice_s, SLICE_MIN_NS / 1e9, SLICE_MAX_NS / 1e9, NULL,
         "TIME", "The time slice of the workers, such as 20ms, where they take turns. Default: the system's."},
        {0, "time-limit", OPT_DURATION, &options->time_limit_s, 0.01, 604800, NULL, "TIME",
         "A launch that takes longer is ended. Default: 10m."},
        {'o', "output", OPT_TEXT, &options->output, 0, 0, NULL, "FILE",
         "Where the records go. Default: a new file in speedup-results."},
        {0, "resume", OPT_FLAG, &options->resume, 0, 0, NULL, NULL,
         "Go on with the study in FILE where it was cut short, with the same plan."},
        {0, "timeline", OPT_FLAG, &options->timeline, 0, 0, NULL, NULL,
         "At the end watch one launch of each mode, apart from the timed ones, for the report."},
        {0, "dry-run", OPT_FLAG, &options->dry_run, 0, 0, NULL, NULL,
         "Print the plan and every launch line; record nothing."},
        {0, "json", OPT_FLAG, &options->json, 0, 0, NULL, NULL,
         "Write the record lines to standard output, and nothing else."}};
    const size_t count = sizeof common / sizeof *common;
    memcpy(table_p, common, sizeof common);
    study_shapes_table(&given->shape, options, table_p + count);
    int further = STUDY_SHAPE_OPTIONS + study_command_table(&given->command, table_p + count + STUDY_SHAPE_OPTIONS);
    table_p[count + (size_t)further] = (struct option){0};
}

/* An option of a kernel's own, where there is no kernel. */
static int refuse_kernel_option(void *context, const char *name, const char *value, struct error *error)
{
    (void)context;
    (void)value;
    for (int k = 0; kernel_registry[k]; k++)
        for (const struct kernel_option *option = kernel_registry[k]->options; option && option->name; option++)
            if (strcmp(option->name, name) == 0)
                return error_set(error, STATUS_USAGE,
                                 "--%s belongs to the kernel %s; what is for the command stands "
                                 "behind --",
                                 name, kernel_registry[k]->name);
    return 0;
}

static int choose_command(const struct given *given, int operand_count, char **argv, int word_count, char **words,
                          struct study_options *options, struct error *error)
{
    if (operand_count > 0)
        return error_set(error, STATUS_USAGE,
                         "'%s' stands before --, and a command behind it: a kernel or a command, "
                         "not both",
                         argv[1]);
    if (given->problem.variant) return error_set(error, STATUS_USAGE, "--variant is of kernels; a command has none");
    if (given->problem.seed != UINT64_MAX)
        return error_set(error, STATUS_USAGE, "--data-seed is of kernels; give the command its own seed");
    options->command.size = given->problem.size;
    return study_command_choose(&given->command, word_count, words, options, error);
}

static int choose_kernel(const struct given *given, int operand_count, char **argv, struct study_options *options,
                         struct error *error)
{
    struct study_request *request = &options->request;
    const char *name, *option = study_command_given(&given->command);
    options->launcher = given->command.launcher;
    if (operand_count == 0)
        return error_set(error, STATUS_USAGE,
                         "name a kernel, such as 'speedup study pi' (see 'speedup list'), or a command, such as "
                         "'speedup study -- ./app {threads}'");
    int status = problem_take_operand("study", operand_count, argv, &name, error);
    if (!status && !kernel_find(name) && strchr(name, '/'))
        return error_set(error, STATUS_USAGE, "no kernel '%s'; a command stands behind --: speedup study -- %s", name,
                         name);
    if (!status) status = problem_choose(name, &given->problem, &request->problem, &request->all_variants, error);
    if (!status && option)
        return error_set(error, STATUS_USAGE, "--%s is for a command, which stands behind --; %s is a kernel", option,
                         name);
    return status;
}

int study_options_parse(const struct command *command, int argc, char **argv, struct study_options *options_p,
                        struct error *error)
{
    struct option table[OPTIONS_MAX];
    struct given given = {.seed = UINT64_MAX, .scaling = SCALING_STRONG};
    int operand_count, separator = 1;
    while (separator < argc && strcmp(argv[separator], "--") != 0) separator++;
    bool has_command = separator < argc;
    *options_p = (struct study_options){.runs_min = RUNS_MIN,
                                        .runs_max = RUNS_MAX,
                                        .budget_s = 600,
                                        .time_limit_s = 600,
                                        .seed = 1,
                                        .request = {.base = 1, .placement = {.mode = -1, .wait_policy = -1}}};
    problem_arguments_init(has_command ? 1 : separator, argv, &given.problem);
    if (has_command) given.problem.seed = UINT64_MAX;
    fill_table(&given, options_p, table);
    const struct options description = {.command = command,
                                        .table = table,
                                        .unknown = has_command ? refuse_kernel_option : problem_take_option,
                                        .context = &given.problem,
                                        .unknown_names = given.problem.names};
    int status = options_parse(&description, separator, argv, &operand_count, error);
    if (status) return status;
    options_p->request.scaling = (enum study_scaling)given.scaling;
    if (has_command)
        status =
            choose_command(&given, operand_count, argv, argc - separator - 1, argv + separator + 1, options_p, error);
    else
        status = choose_kernel(&given, operand_count, argv, options_p, error);
    if (!status) status = study_shapes_choose(&given.shape, options_p, error);
    if (!status) status = study_nodes_check(options_p, error);
    if (options_p->precision == 0) options_p->precision = PRECISION;
    if (!status) status = parse_runs(given.runs, options_p, error);
    if (!status && options_p->resume && !options_p->output)
        status = error_set(error, STATUS_USAGE, "--resume needs the file to go on with: -o FILE");
    options_p->size_given = has_command || given.problem.size;
    options_p->seed_given = given.seed != UINT64_MAX;
    if (options_p->seed_given) options_p->seed = given.seed;
    return status;
}

int study_options_complete(struct session *session, struct study_options *options, struct error *error)
{
    if (options->has_command) options->request.command = &options->command;
    int status = study_shapes_complete(session, options, error);
    if (status) return status;
    bool mpi = session->site.mpi_reason[0] == '\0';
    options->request.mpi = mpi;
    if (options->request.per_node) {
        status = study_shapes_check_first(options, error);
        return status || options->elsewhere ? status : study_nodes_request(session, options, error);
    }
    status = parse_modes(options->modes, mpi, &options->request, error);
    int count = options->request.node_count;
    if (!status) status = study_shapes_check_modes(options, count > 0 ? options->request.nodes[count - 1] : 1, error);
    if (!status) status = study_shapes_check_first(options, error);
    if (!status && !options->workers && options->request.node_count > 0) return STATUS_OK;
    return status ? status : parse_workers(options->workers, session->machine.core_count, &options->request, error);
}

void study_name_target(const struct study_options *options, size_t length, char *name_p)
{
    const char *word =
        options->has_command ? command_word(&options->command.target, 0) : options->request.problem.kernel->name;
    const char *name = strrchr(word, '/');
    snprintf(name_p, length, "%s", options->command.target.shell ? "sh" : name ? name + 1 : word);
    for (char *c = name_p; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '.' && *c != '_') *c = '-';
}

void study_options_release(struct study_options *options)
{
    for (int p = 0; p < options->command.parameter_count; p++) {
        struct study_parameter *parameter = &options->command.parameters[p];
        for (int i = 0; i < parameter->count; i++) free(parameter->values[i]);
        free(parameter->values);
    }
    options->command.parameter_count = 0;
    if (options->checks.pattern) regfree(&options->checks.regex);
    options->checks.pattern = NULL;
    free(options->job_hosts);
    options->job_hosts = NULL;
}
