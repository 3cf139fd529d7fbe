/* speedup job: prints a job script that runs a study on a cluster. What is wrong with the study's line is said now, by
 * the study's own parser, and not after a night in the queue; the script itself is present/job_script's.
 */
#include "../plan/command.h"
#include "../present/job_script.h"
#include "commands.h"
#include "study_options.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double walltime_default_s = 3600, signal_before_default_s = 120;

struct job_arguments {
    struct job_script script;
    const char *nodes, *array, *program;
    struct option_texts modules;
};

/* The study's own command line, as it was checked; words are a copy, without -o FILE and --resume. */
struct job_study {
    char **parsed; /* heap; the parser moves them about */
    char **words;  /* heap */
    char own_file[256], name[128], program[PATH_MAX];
};

enum { ROWS_MAX = 24 };

static void fill_table(struct job_arguments *given, struct option table_p[ROWS_MAX])
{
    struct job_script *script = &given->script;
    const struct option rows[] = {
        {'N', "nodes", OPT_COUNT, &script->nodes, 1, 100000, NULL, "N",
         "Nodes of the job. Where the study has no --nodes of its own, it gets the powers of two up to "
         "that. Default: 1."},
        {0, "array", OPT_TEXT, &given->array, 0, 0, NULL, "LIST",
         "Instead of one job one for each of these numbers of nodes, such as 1,2,4 or 1..8*2, each with a file of its "
         "own; 'speedup report FILE...' joins them. The script submits them when bash runs it."},
        {'t', "walltime", OPT_DURATION, &script->walltime_s, 60, 2592000, NULL, "TIME",
         "The job's time limit, in whole minutes, such as 90m or 1:30:00. Default: 1h."},
        {0, "signal-before", OPT_DURATION, &script->signal_before_s, 1, 65535, NULL, "TIME",
         "So long before its end the study is asked to stop. Default: 120s."},
        {0, "ranks-per-node", OPT_COUNT, &script->ranks_per_node, 1, 10000, NULL, "R",
         "Ranks that a node has room for. Default: as many as cores."},
        {0, "threads-per-rank", OPT_COUNT, &script->threads_per_rank, 1, 10000, NULL, "T",
         "Cores of each rank, and OMP_NUM_THREADS. Default: 1; a study sets the threads of its own modes."},
        {0, "cores-per-node", OPT_COUNT, &script->cores_per_node, 1, 10000, NULL, "C",
         "Cores of a node; PBS and LSF have to be told."},
        {0, "memory", OPT_TEXT, &script->memory, 0, 0, NULL, "AMOUNT",
         "Memory of a node, such as 64G. Default: all of it."},
        {'A', "account", OPT_TEXT, &script->account, 0, 0, NULL, "NAME", "Account, project or bank to charge."},
        {'p', "partition", OPT_TEXT, &script->partition, 0, 0, NULL, "NAME", "Partition or queue."},
        {0, "qos", OPT_TEXT, &script->qos, 0, 0, NULL, "NAME", "Quality of service."},
        {0, "constraint", OPT_TEXT, &script->constraint, 0, 0, NULL, "FEATURE",
         "A feature that all nodes have; of PBS a resource, such as model=skl."},
        {0, "module", OPT_TEXTS, &given->modules, 0, 0, NULL, "NAME", "A module to load; as often as needed."},
        {0, "mail", OPT_TEXT, &script->mail, 0, 0, NULL, "ADDRESS", "Where news of the job go."},
        {0, "name", OPT_TEXT, &script->name, 0, 0, NULL, "NAME",
         "The job's name. Default: speedup- and what is measured."},
        {0, "program", OPT_TEXT, &given->program, 0, 0, NULL, "PATH",
         "How the script starts speedup. Default: the path of this program."},
        {0}};
    memcpy(table_p, rows, sizeof rows);
}

static int parse_array(const char *text, struct job_script *script, struct error *error)
{
    int numbers[STUDY_CONFIGS_MAX], count;
    if (!text) return STATUS_OK;
    if (study_parse_workers(text, STUDY_CONFIGS_MAX, numbers, &count) || count > JOB_ARRAY_MAX)
        return error_set(error, STATUS_USAGE,
                         "--array '%.80s' is no list of numbers of nodes; allowed: up to %d of 1 to %d, as 1,2,4 or "
                         "1-8 or 1..64*2",
                         text, JOB_ARRAY_MAX, MODE_WORKERS_MAX);
    script->array_count = count;
    memcpy(script->array, numbers, (size_t)count * sizeof *numbers);
    return STATUS_OK;
}

static int choose_scheduler(int operand_count, char **argv, struct job_script *script, struct error *error)
{
    static const char *const names[] = {"slurm", "pbs", "lsf", "flux", NULL};
    static const enum scheduler schedulers[] = {SCHEDULER_SLURM, SCHEDULER_PBS, SCHEDULER_LSF, SCHEDULER_FLUX};
    if (operand_count != 1)
        return error_set(error, STATUS_USAGE,
                         operand_count == 0 ? "name the batch system: slurm, pbs, lsf or flux"
                                            : "one batch system is named, and what it is to run stands behind --");
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], argv[1]) == 0) {
            script->scheduler = schedulers[i];
            return STATUS_OK;
        }
    const char *nearest = options_nearest(argv[1], names);
    return error_set(error, STATUS_USAGE, "no batch system '%.60s'%s%s%s Batch systems: slurm, pbs, lsf, flux", argv[1],
                     nearest ? "; did you mean '" : ".", nearest ? nearest : "", nearest ? "'?" : "");
}

static int copy_words(int count, char **words, char ***copy_p)
{
    *copy_p = calloc((size_t)count + 1, sizeof **copy_p);
    if (*copy_p) memcpy(*copy_p, words, (size_t)count * sizeof **copy_p);
    return *copy_p ? 0 : -1;
}

/* Those of the study's words that the script writes itself are left out: -o FILE, --output FILE, --resume. */
static void keep_words(int count, char **words, const char *output, struct job_script *script, char **kept)
{
    int kept_count = 0;
    bool options = true;
    for (int i = 0; i < count; i++) {
        options = options && strcmp(words[i], "--") != 0;
        const char *word = words[i];
        size_t length = strlen(word);
        bool joined = output && output > word && output <= word + length;
        bool apart = output && i + 1 < count && words[i + 1] == output && *word == '-';
        if (options && apart) i++;
        if (options && (apart || joined || strcmp(word, "--resume") == 0)) continue;
        kept[kept_count++] = words[i];
    }
    script->word_count = kept_count;
    script->words = kept;
}

/* What depends on the machine is checked as if it had one core. */
static int complete(struct study_options *options, struct error *error)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session) return error_set(error, STATUS_FAILED, "no memory");
    session->machine.core_count = 1;
    options->elsewhere = true;
    int status = study_options_complete(session, options, error);
    free(session);
    return status;
}

static void note(const char *text)
{
    fprintf(stderr, "speedup job: note: %s\n", text);
}

/* What the script will do that may not be what was meant. */
static void tell_weak_points(const struct job_script *script, const struct study_options *options)
{
    char text[320];
    double usable_s = script->walltime_s - script->signal_before_s;
    if (options->budget_s > usable_s) {
        snprintf(text, sizeof text,
                 "the study's --budget of %.0f s is longer than the %.0f s that the job has for it: %s",
                 options->budget_s, usable_s,
                 script->scheduler == SCHEDULER_SLURM || script->scheduler == SCHEDULER_LSF
                     ? "it may be requeued several times"
                     : "it may have to be submitted several times");
        note(text);
    }
    if (options->time_limit_s > usable_s && options->budget_s <= usable_s) {
        snprintf(text, sizeof text,
                 "one launch may take as long as --time-limit of the study, %.0f s, and the job has %.0f s for all",
                 options->time_limit_s, usable_s);
        note(text);
    }
    if (script->ranks_per_node > 0 && script->cores_per_node > 0 &&
        (long long)script->ranks_per_node * (script->threads_per_rank > 0 ? script->threads_per_rank : 1) >
            script->cores_per_node)
        note("ranks times threads are more than the cores of a node: they will take turns");
    if (strncmp(script->file, "/tmp/", 5) == 0 || strncmp(script->file, "/dev/shm/", 9) == 0)
        note("the records go to a folder that belongs to one node, and may be gone with the job: name another with -o");
    if (options->dry_run) note("with --dry-run the job measures nothing");
}

static int parse_study(int argc, char **argv, struct job_study *study, struct study_options *options_p,
                       struct error *error)
{
    static const struct command command = {.name = "study",
                                           .arguments = "[OPTIONS] KERNEL|-- COMMAND...",
                                           .summary = "",
                                           .description = "See 'speedup study --help'."};
    if (argc < 1 || strcmp(argv[0], "study") != 0)
        return error_set(
            error, STATUS_USAGE, "%s%.60s%s; behind -- stands what the job is to run: speedup job slurm -- study pi",
            argc < 1 ? "there is nothing to run" : "'", argc < 1 ? "" : argv[0], argc < 1 ? "" : "' is no study");
    if (copy_words(argc, argv, &study->parsed) || copy_words(argc, argv, &study->words))
        return error_set(error, STATUS_FAILED, "no memory");
    int status = study_options_parse(&command, argc, study->parsed, options_p, error);
    return status ? status : complete(options_p, error);
}

/* --resume is refused without -o, which the script adds. */
static void drop_resume(int *argc, char **argv)
{
    int kept = 0;
    bool options = true;
    for (int i = 0; i < *argc; i++) {
        options = options && strcmp(argv[i], "--") != 0;
        if (!options || strcmp(argv[i], "--resume") != 0) argv[kept++] = argv[i];
    }
    *argc = kept;
}

static int find_program(const char *given, struct job_study *study, struct error *error)
{
    ssize_t length = given ? snprintf(study->program, sizeof study->program, "%s", given)
                           : readlink("/proc/self/exe", study->program, sizeof study->program - 1);
    if (length <= 0 || (size_t)length >= sizeof study->program)
        return error_set(error, STATUS_FAILED, "the path of this program is not known; give it with --program");
    study->program[length] = '\0';
    return STATUS_OK;
}

static int check_times(struct job_script *script, struct error *error)
{
    if (script->signal_before_s < script->walltime_s) return STATUS_OK;
    return error_set(error, STATUS_USAGE,
                     "--signal-before %.0fs is not allowed; allowed: less than the --walltime, which is %.0f s",
                     script->signal_before_s, script->walltime_s);
}

/* What the study asks for against what the job is to have. */
static int check_study(const struct job_script *script, const struct study_options *options, struct error *error)
{
    const struct study_request *request = &options->request;
    int asked = request->node_count > 0 ? request->nodes[request->node_count - 1] : 1;
    int most = script->array_count > 0 ? script->array[script->array_count - 1] : script->nodes;
    if (script->array_count > 0 && options->nodes_given)
        return error_set(error, STATUS_USAGE,
                         "--array gives the study of each job its --nodes; leave out those behind study");
    if (script->array_count == 0 && asked > script->nodes)
        return error_set(error, STATUS_USAGE,
                         "--nodes %d of the study are more than --nodes %d of the job; give the job %d", asked,
                         script->nodes, asked);
    if (options->launcher && strcmp(options->launcher, "srun") == 0 && script->scheduler != SCHEDULER_SLURM)
        return error_set(error, STATUS_USAGE, "--launcher srun is Slurm's, and this is a job of %s; leave it out",
                         scheduler_name(script->scheduler));
    return options->nodes_given ? STATUS_OK : study_shapes_check_modes(options, most, error);
}

/* From what was given to the script, and then to the printed one. */
static int print_script(struct job_arguments *given, struct job_study *study, const struct study_options *options,
                        struct error *error)
{
    struct job_script *script = &given->script;
    int status = find_program(given->program, study, error);
    if (!status) status = parse_array(given->array, script, error);
    if (!status && script->array_count > 0 && script->nodes > 0)
        status = error_set(error, STATUS_USAGE,
                           "--nodes is of one job, and --array is one for each of its numbers: give "
                           "one of both");
    if (!status) status = check_times(script, error);
    if (status) return status;
    char target[64];
    study_name_target(options, sizeof target, target);
    snprintf(study->name, sizeof study->name, "speedup-%s", target);
    snprintf(study->own_file, sizeof study->own_file, "%s.jsonl", study->name);
    script->program = study->program;
    if (script->nodes == 0) script->nodes = 1;
    script->words_have_nodes = options->nodes_given;
    script->all_at_once = options->request.per_node;
    status = check_study(script, options, error);
    if (status) return status;
    if (!script->name) script->name = study->name;
    script->file = options->output ? options->output : study->own_file;
    if (strcmp(script->file, "-") == 0 || strlen(script->file) >= PATH_MAX)
        return error_set(error, STATUS_USAGE,
                         "-o of the study has to name a file, so that a requeued job can go on with it");
    script->module_count = given->modules.count;
    script->modules = given->modules.texts;
    status = job_script_check(script, error);
    if (status) return status;
    tell_weak_points(script, options);
    job_script_write(stdout, script);
    return STATUS_OK;
}

/* The study that stands behind --, checked, and then the script. */
static int make_script(struct job_arguments *given, int word_count, char **words, struct error *error)
{
    struct job_study study = {.parsed = NULL};
    struct study_options options = {.budget_s = 0};
    drop_resume(&word_count, words);
    int status = parse_study(word_count, words, &study, &options, error);
    if (!status) {
        keep_words(word_count - 1, words + 1, options.output, &given->script, study.words);
        status = print_script(given, &study, &options, error);
    }
    study_options_release(&options);
    free(study.parsed);
    free(study.words);
    return status;
}

int command_job(const struct command *command, int argc, char **argv, struct error *error)
{
    struct job_arguments given = {
        .script = {.walltime_s = walltime_default_s, .signal_before_s = signal_before_default_s}};
    struct option table[ROWS_MAX];
    char program[] = "speedup", **made_by = calloc((size_t)argc + 1, sizeof *made_by);
    int operand_count, separator = 1;
    if (!made_by) return error_set(error, STATUS_FAILED, "no memory");
    made_by[0] = program;
    memcpy(made_by + 1, argv, (size_t)argc * sizeof *made_by);
    given.script.made_by = made_by;
    given.script.made_by_count = argc + 1;
    while (separator < argc && strcmp(argv[separator], "--") != 0) separator++;
    fill_table(&given, table);
    const struct options options = {.command = command, .table = table};
    int status = options_parse(&options, separator, argv, &operand_count, error);
    if (!status) status = choose_scheduler(operand_count, argv, &given.script, error);
    int word_count = separator < argc ? argc - separator - 1 : 0;
    if (!status) status = make_script(&given, word_count, argv + argc - word_count, error);
    free(made_by);
    return status > 0 ? STATUS_OK : status;
}
