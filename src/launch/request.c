/* A request as a command line that a person can read, repeat and change:
 *
 *   KERNEL --variant V --size S --seed N --option name=value ... [--isa I] --nodes N --map M --mode NAME --ranks R
 *   --threads T --cpus 0,1 --wait-policy P [--policy P --nice N --slice 20ms] --runs K --warmups W [--own-cpus]
 *   [--picture] [--timeline] [--realtime-limit S] [--deadline S] [--alive]
 *
 * What a person leaves out has the kernel's default, is the best instruction set, or is one run of one worker; the CPUs
 * must be named. The texts are collected first and read in the order of their meaning, since an option's domain is
 * known by the kernel alone.
 */
#include "request.h"

#include "words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 1000000, CPUS_TEXT_MAX = 9 * CPUS_MAX };

static void add_scheduling(const struct scheduling *scheduling, struct words *words)
{
    if (scheduling_is_default(scheduling)) return;
    words_add_all(words, (const char *const[]){"--policy", scheduling_policy_text(scheduling->policy), NULL});
    if (scheduling->nice != 0) {
        words_add(words, "--nice");
        words_add(words, "%d", scheduling->nice);
    }
    if (scheduling->slice_ns > 0) {
        words_add(words, "--slice");
        words_add(words, "%.9gms", scheduling->slice_ns / 1e6);
    }
}

char **request_format(const struct request *request)
{
    const struct config *config = &request->config;
    const struct mode *mode = &config->mode;
    struct words words = {.items = NULL};
    char cpus[CPUS_TEXT_MAX];

    words_add(&words, "%s", config->kernel);
    words_add_all(&words, (const char *const[]){"--variant", config->variant, "--size", config->size, "--seed", NULL});
    words_add(&words, "%llu", (unsigned long long)config->seed);
    for (int i = 0; i < config->option_count; i++) {
        words_add(&words, "--option");
        words_add(&words, "%s=%s", config->options[i].name, config->options[i].value);
    }
    if (config->isa[0]) words_add_all(&words, (const char *const[]){"--isa", config->isa, NULL});
    words_add(&words, "--nodes");
    words_add(&words, "%d", config->mode.nodes);
    words_add_all(&words, (const char *const[]){"--map", config->mode.map, "--mode", mode_name_text(mode->name), NULL});
    words_add(&words, "--ranks");
    words_add(&words, "%d", mode->ranks);
    words_add(&words, "--threads");
    words_add(&words, "%d", mode->threads);
    words_add_all(&words, (const char *const[]){"--cpus", cpu_list_format(&mode->cpus, sizeof cpus, cpus),
                                                "--wait-policy", wait_policy_text(mode->wait_policy), NULL});
    add_scheduling(&mode->scheduling, &words);
    words_add(&words, "--runs");
    words_add(&words, "%d", request->runs);
    words_add(&words, "--warmups");
    words_add(&words, "%d", request->warmups);
    if (request->own_cpus) words_add(&words, "--own-cpus");
    if (request->picture) words_add(&words, "--picture");
    if (request->timeline) words_add(&words, "--timeline");
    if (request->realtime_limit_s > 0) {
        words_add(&words, "--realtime-limit");
        words_add(&words, "%.9g", request->realtime_limit_s);
    }
    if (request->deadline_s > 0) {
        words_add(&words, "--deadline");
        words_add(&words, "%.9g", request->deadline_s);
    }
    if (request->alive) words_add(&words, "--alive");
    return words_take(&words);
}

void request_free_arguments(char **arguments)
{
    words_free(arguments);
}

/* The values as written; NULL where not given. */
struct texts {
    const char *kernel, *variant, *size, *seed, *isa, *nodes, *map, *mode, *ranks, *threads, *cpus, *wait_policy,
        *policy, *nice, *slice, *runs, *warmups, *realtime_limit, *deadline;
    bool own_cpus, picture, timeline, alive;
    int option_count;
    const char *options[KERNEL_OPTIONS_MAX];
};

static const char **texts_find(struct texts *texts, const char *flag)
{
    const struct {
        const char *name;
        const char **text;
    } flags[] = {
        {"--variant", &texts->variant},
        {"--size", &texts->size},
        {"--seed", &texts->seed},
        {"--isa", &texts->isa},
        {"--nodes", &texts->nodes},
        {"--map", &texts->map},
        {"--mode", &texts->mode},
        {"--ranks", &texts->ranks},
        {"--threads", &texts->threads},
        {"--cpus", &texts->cpus},
        {"--runs", &texts->runs},
        {"--warmups", &texts->warmups},
        {"--wait-policy", &texts->wait_policy},
        {"--policy", &texts->policy},
        {"--nice", &texts->nice},
        {"--slice", &texts->slice},
        {"--realtime-limit", &texts->realtime_limit},
        {"--deadline", &texts->deadline},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flag, flags[i].name) == 0) return flags[i].text;
    return NULL;
}

static int texts_collect(int argc, char *const argv[], struct texts *texts_p, struct error *error)
{
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-') {
            if (texts_p->kernel)
                return error_set(error, STATUS_USAGE, "one kernel at a time: %s and %s were given", texts_p->kernel,
                                 word);
            texts_p->kernel = word;
            continue;
        }
        if (strcmp(word, "--own-cpus") == 0) {
            texts_p->own_cpus = true;
            continue;
        }
        if (strcmp(word, "--picture") == 0) {
            texts_p->picture = true;
            continue;
        }
        if (strcmp(word, "--timeline") == 0) {
            texts_p->timeline = true;
            continue;
        }
        if (strcmp(word, "--alive") == 0) {
            texts_p->alive = true;
            continue;
        }
        bool is_option = strcmp(word, "--option") == 0;
        if (is_option && texts_p->option_count == KERNEL_OPTIONS_MAX)
            return error_set(error, STATUS_USAGE, "--option may be given %d times at most", KERNEL_OPTIONS_MAX);
        const char **text = is_option ? &texts_p->options[texts_p->option_count] : texts_find(texts_p, word);
        if (!text)
            return error_set(
                error, STATUS_USAGE,
                "%s is unknown to the worker; allowed are --variant, --size, --seed, --option, --isa, "
                "--nodes, --map, --mode, --ranks, --threads, --cpus, --wait-policy, --policy, --nice, "
                "--slice, --runs, --warmups, --own-cpus, --picture, --timeline, --realtime-limit, --deadline and "
                "--alive",
                word);
        if (i + 1 == argc) return error_set(error, STATUS_USAGE, "%s needs a value after it", word);
        *text = argv[++i];
        texts_p->option_count += is_option;
    }
    if (!texts_p->kernel) return error_set(error, STATUS_USAGE, "the name of a kernel is missing");
    return STATUS_OK;
}

static int parse_seed(const char *text, uint64_t *seed_p, struct error *error)
{
    char *end = NULL;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return error_set(error, STATUS_USAGE, "--seed %s is not a whole number from 0 to 18446744073709551615", text);
    *seed_p = seed;
    return STATUS_OK;
}

/* Leaves *count_p alone where there is no text. */
static int parse_count(const char *flag, const char *text, int min, int *count_p, struct error *error)
{
    if (!text) return STATUS_OK;
    char *end = NULL;
    errno = 0;
    long count = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || count < min || count > COUNT_MAX)
        return error_set(error, STATUS_USAGE, "%s %s is not a whole number from %d to %d", flag, text, min, COUNT_MAX);
    *count_p = (int)count;
    return STATUS_OK;
}

/* A name that is only handed on: checked to fit where it is kept. */
static int parse_word(const char *flag, const char *text, size_t length, char *word_p, struct error *error)
{
    if (strlen(text) >= length)
        return error_set(error, STATUS_USAGE, "%s %s is longer than %zu characters", flag, text, length - 1);
    memcpy(word_p, text, strlen(text) + 1);
    return STATUS_OK;
}

static int parse_kernel_option(const char *text, struct problem *problem, struct error *error)
{
    const char *equals = strchr(text, '=');
    if (!equals) return error_set(error, STATUS_USAGE, "--option %s is not of the form name=value", text);
    size_t name_length = (size_t)(equals - text);
    const struct kernel_option *table = problem->kernel->options;
    for (int i = 0; table && table[i].name; i++) {
        if (strlen(table[i].name) != name_length || memcmp(table[i].name, text, name_length) != 0) continue;
        if (kernel_option_parse(&table[i], equals + 1, &problem->options[i]) == 0) return STATUS_OK;
        char domain[200];
        return error_set(error, STATUS_USAGE, "--option %s: allowed is %s", text,
                         kernel_option_domain(&table[i], sizeof domain, domain));
    }
    return error_set(error, STATUS_USAGE,
                     "--option %s: kernel %s has no option of that name (see: speedup run %s --help)", text,
                     problem->kernel->name, problem->kernel->name);
}

static int parse_problem(const struct texts *texts, struct problem *problem_p, struct error *error)
{
    const struct kernel *kernel = kernel_find(texts->kernel);
    if (!kernel)
        return error_set(error, STATUS_USAGE, "there is no kernel %s (speedup list shows those there are)",
                         texts->kernel);
    problem_init(kernel, problem_p);
    if (texts->variant) problem_p->variant = kernel_find_variant(kernel, texts->variant);
    if (!problem_p->variant)
        return error_set(error, STATUS_USAGE, "kernel %s has no variant %s (speedup list shows those there are)",
                         kernel->name, texts->variant ? texts->variant : "that this machine can run");
    if (texts->size && kernel->parse_size(texts->size, &problem_p->size) < 0)
        return error_set(error, STATUS_USAGE, "--size %s is no size for kernel %s: %s", texts->size, kernel->name,
                         kernel->size_help);
    if (texts->seed && parse_seed(texts->seed, &problem_p->seed, error) < 0) return STATUS_USAGE;
    for (int i = 0; i < texts->option_count; i++)
        if (parse_kernel_option(texts->options[i], problem_p, error) < 0) return STATUS_USAGE;
    return STATUS_OK;
}

/* A label that contradicts ranks, threads and CPUs would put a result under a wrong heading. */
static int check_mode_shape(const struct mode *mode, struct error *error)
{
    static const struct {
        bool many_ranks, many_threads, many_cpus;
    } shapes[MODE_COUNT] = {
        [MODE_SERIAL] = {false, false, false},
        [MODE_MULTITASK] = {false, true, false},
        [MODE_MULTITASK_MPI] = {true, false, false},
        [MODE_THREADS] = {false, true, true},
        [MODE_MPI] = {true, false, true},
        [MODE_HYBRID] = {true, true, true},
    };
    if (mode->ranks > 1 && !shapes[mode->name].many_ranks)
        return error_set(error, STATUS_USAGE, "--ranks %d does not go with --mode %s, which has one rank", mode->ranks,
                         mode_name_text(mode->name));
    if (mode->threads > 1 && !shapes[mode->name].many_threads)
        return error_set(error, STATUS_USAGE, "--threads %d does not go with --mode %s, which has one thread per rank",
                         mode->threads, mode_name_text(mode->name));
    if (mode->cpus.count > 1 && !shapes[mode->name].many_cpus)
        return error_set(error, STATUS_USAGE, "--cpus names %d CPUs, but --mode %s uses one", mode->cpus.count,
                         mode_name_text(mode->name));
    return STATUS_OK;
}

/* A number with nothing but `unit` after it. */
static bool parse_real(const char *text, const char *unit, double *value_p)
{
    char *end = NULL;
    bool plain = text[0] >= '0' && text[0] <= '9' && text[strspn(text, "0123456789.e+-")] == unit[0];
    *value_p = plain ? strtod(text, &end) : NAN;
    return plain && strcmp(end, unit) == 0 && isfinite(*value_p);
}

static int parse_scheduling(const struct texts *texts, struct scheduling *scheduling_p, struct error *error)
{
    struct scheduling scheduling = {POLICY_OTHER, 0, 0};
    if (texts->policy && scheduling_policy_parse(texts->policy, &scheduling.policy) < 0)
        return error_set(error, STATUS_USAGE, "there is no policy %s; allowed are other, batch, fifo and rr",
                         texts->policy);
    char *end = NULL;
    errno = 0;
    long nice = texts->nice ? strtol(texts->nice, &end, 10) : 0;
    if (texts->nice && (end == texts->nice || *end || errno || nice < NICE_LOWEST || nice > NICE_HIGHEST))
        return error_set(error, STATUS_USAGE, "--nice %s is not a whole number from -20 to 19", texts->nice);
    scheduling.nice = (int)nice;
    double slice_ms = 0;
    if (texts->slice && (!parse_real(texts->slice, "ms", &slice_ms) || slice_ms < 0.1 || slice_ms > 100))
        return error_set(error, STATUS_USAGE, "--slice %s is not a time from 0.1ms to 100ms", texts->slice);
    scheduling.slice_ns = (int)lround(1e6 * slice_ms);
    if (scheduling_check(&scheduling))
        return error_set(error, STATUS_USAGE, "--nice and --slice do not go with --policy %s", texts->policy);
    *scheduling_p = scheduling;
    return STATUS_OK;
}

static int parse_mode(const struct texts *texts, struct mode *mode_p, struct error *error)
{
    const char *map = texts->map ? texts->map : "cores-first";
    *mode_p = (struct mode){.nodes = 1, .name = MODE_SERIAL, .wait_policy = WAIT_SPIN, .ranks = 1, .threads = 1};
    if (texts->mode && mode_name_parse(texts->mode, &mode_p->name) < 0)
        return error_set(error, STATUS_USAGE,
                         "there is no mode %s; allowed are serial, multitask, multitask-mpi, threads, mpi and hybrid",
                         texts->mode);
    if (texts->wait_policy && wait_policy_parse(texts->wait_policy, &mode_p->wait_policy) < 0)
        return error_set(error, STATUS_USAGE, "there is no wait policy %s; allowed are spin, yield and block",
                         texts->wait_policy);
    if (!mode_map_exists(map))
        return error_set(error, STATUS_USAGE, "there is no map %s; allowed are cores-first and nodes-first", map);
    snprintf(mode_p->map, sizeof mode_p->map, "%s", map);
    if (parse_count("--nodes", texts->nodes, 1, &mode_p->nodes, error) < 0) return STATUS_USAGE;
    if (parse_count("--ranks", texts->ranks, 1, &mode_p->ranks, error) < 0) return STATUS_USAGE;
    if (parse_count("--threads", texts->threads, 1, &mode_p->threads, error) < 0) return STATUS_USAGE;
    if (!texts->cpus)
        return error_set(error, STATUS_USAGE, "--cpus is missing: the CPUs to bind the workers to, such as 0,2-3");
    if (cpu_list_parse(texts->cpus, &mode_p->cpus) < 0)
        return error_set(error, STATUS_USAGE, "--cpus %s is no list of CPUs, each named once, such as 0,2-3",
                         texts->cpus);
    int status = parse_scheduling(texts, &mode_p->scheduling, error);
    if (mode_p->nodes > mode_p->ranks)
        return error_set(error, STATUS_USAGE, "--nodes %d is more than --ranks %d: a node would have no rank",
                         mode_p->nodes, mode_p->ranks);
    return status ? status : check_mode_shape(mode_p, error);
}

/* Leaves *time_s_p alone where there is no text. */
static int parse_time(const char *flag, const char *text, double *time_s_p, struct error *error)
{
    if (!text || (parse_real(text, "", time_s_p) && *time_s_p > 0)) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "%s %s is not a number of seconds above 0", flag, text);
}

int request_parse(int argc, char *const argv[], struct request *request_p, struct error *error)
{
    struct texts texts = {.isa = NULL};
    struct problem problem;
    struct request request = {.runs = 1};
    struct config *config = &request.config;

    if (texts_collect(argc, argv, &texts, error) < 0) return STATUS_USAGE;
    if (parse_problem(&texts, &problem, error) < 0) return STATUS_USAGE;
    config_from_problem(&problem, config);
    if (texts.isa && parse_word("--isa", texts.isa, sizeof config->isa, config->isa, error) < 0) return STATUS_USAGE;
    if (parse_mode(&texts, &config->mode, error) < 0) return STATUS_USAGE;
    if (parse_count("--runs", texts.runs, 1, &request.runs, error) < 0) return STATUS_USAGE;
    if (parse_count("--warmups", texts.warmups, 0, &request.warmups, error) < 0) return STATUS_USAGE;
    request.own_cpus = texts.own_cpus;
    request.picture = texts.picture;
    request.timeline = texts.timeline;
    request.alive = texts.alive;
    if (parse_time("--realtime-limit", texts.realtime_limit, &request.realtime_limit_s, error) < 0 ||
        parse_time("--deadline", texts.deadline, &request.deadline_s, error) < 0)
        return STATUS_USAGE;
    *request_p = request;
    return STATUS_OK;
}
