#include "command_line.h"

#include "../plan/command.h"
#include "../plan/quote.h"
#include "mpirun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *openmp_places(int threads, const struct cpu_list *cpus, size_t length, char *text)
{
    size_t used = 0;
    if (length > 0) text[0] = '\0';
    for (int t = 0; t < threads && cpus->count > 0 && used < length; t++)
        used += (size_t)snprintf(text + used, length - used, "%s{%d}", t > 0 ? "," : "", cpus->cpus[t % cpus->count]);
    return text;
}

/* One process's own threads have a CPU each. Not where the command is told its {workers}: it starts them by itself, and
 * OpenMP's library, where it is in them, would bind the first thread, and with it all that it forks, to the first
 * place. */
static bool has_places(const struct config *config)
{
    const struct mode *mode = &config->mode;
    return mode->threads > 1 && mode->ranks == 1 && mode_dedicated(mode) && !command_uses(&config->command, "workers");
}

static void add_environment(const struct config *config, struct words *environment)
{
    static const char *const libraries[] = {"OMP", "OPENBLAS", "MKL", "BLIS"};
    const struct mode *mode = &config->mode;
    char places[12 * CPUS_MAX];
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        words_add(environment, "%s_NUM_THREADS=%d", libraries[i], mode->threads);
    if (!config->command.bind) return;
    words_add(environment, "OMP_WAIT_POLICY=%s", mode->wait_policy == WAIT_SPIN ? "active" : "passive");
    words_add(environment, "OMP_DYNAMIC=false");
    words_add(environment, "OMP_PROC_BIND=%s", has_places(config) ? "true" : "false");
    if (has_places(config))
        words_add(environment, "OMP_PLACES=%s", openmp_places(mode->threads, &mode->cpus, sizeof places, places));
}

/* An mpirun that is part of the command, or of a launcher of the user's: it is not to move its ranks off the mask. */
static void add_inner_mpirun(const struct config *config, struct words *environment)
{
    bool yields = config->mode.wait_policy != WAIT_SPIN;
    words_add_all(environment, (const char *const[]){"OMPI_MCA_hwloc_base_binding_policy=none",
                                                     "OMPI_MCA_rmaps_base_oversubscribe=1",
                                                     "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe",
                                                     "PRTE_MCA_hwloc_default_binding_policy=none", NULL});
    words_add(environment, "OMPI_MCA_mpi_yield_when_idle=%d", yields);
}

static int add_custom(const struct config *config, struct words *argv, struct error *error)
{
    char **words = NULL;
    int status = quote_split(config->command.launcher, &words);
    if (status == -ENOMEM) return error_set(error, STATUS_FAILED, "no memory");
    if (status || !words[0]) {
        quote_free_words(words);
        return error_set(
            error, STATUS_USAGE,
            "--launcher %.200s is not allowed; allowed: none, mpirun, mpiexec, srun, or a line such as 'mpirun "
            "-np {ranks}', its quotes closed",
            config->command.launcher);
    }
    for (char **word = words; *word && !status; word++) {
        char *text = NULL;
        status = command_expand(config, *word, &text, error);
        if (!status) words_add(argv, "%s", text);
        free(text);
    }
    quote_free_words(words);
    return status;
}

static int add_launcher(const struct config *config, const struct launch_site *site, struct words *argv,
                        struct words *environment, const char *const **unset_p, struct error *error)
{
    const char *launcher = config->command.launcher;
    bool mpirun = strcmp(launcher, "mpirun") == 0, mpiexec = strcmp(launcher, "mpiexec") == 0;
    if (strcmp(launcher, "none") == 0) {
        if (config->command.bind && command_uses(&config->command, "ranks")) add_inner_mpirun(config, environment);
        return STATUS_OK;
    }
    if (mpirun && !site->mpirun[0])
        return error_set(error, STATUS_FAILED, "mode %s needs mpirun: %s", mode_name_text(config->mode.name),
                         site->mpi_reason);
    if ((mpirun || mpiexec) && !config->command.bind) {
        words_add_all(argv, (const char *const[]){mpirun ? site->mpirun : "mpiexec", "-np", NULL});
        words_add(argv, "%d", config->mode.ranks);
        return STATUS_OK;
    }
    if (mpirun || mpiexec) {
        mpirun_add(config, site, mpirun ? site->mpirun : "mpiexec", false, argv, environment, unset_p);
        return STATUS_OK;
    }
    if (strcmp(launcher, "srun") == 0) {
        srun_add(config, site, argv, environment, unset_p);
        return STATUS_OK;
    }
    if (config->command.bind) add_inner_mpirun(config, environment);
    return add_custom(config, argv, error);
}

/* Ranks get their own CPUs from it, and scheduling is given by it. */
static bool needs_shim(const struct config *config)
{
    bool ranks = strcmp(config->command.launcher, "none") != 0;
    return (ranks && config->command.bind) || !scheduling_is_default(&config->mode.scheduling);
}

static void add_shim(const struct config *config, const struct launch_site *site, struct words *argv)
{
    const struct mode *mode = &config->mode;
    const struct scheduling *scheduling = &mode->scheduling;
    char cpus[9 * CPUS_MAX];
    words_add_all(argv, (const char *const[]){site->worker, "bind", "--cpus", NULL});
    words_add(argv, "%s", config->command.bind ? cpu_list_format(&mode->cpus, sizeof cpus, cpus) : "any");
    words_add(argv, "--threads");
    words_add(argv, "%d", mode->threads);
    if (!scheduling_is_default(scheduling)) {
        words_add(argv, "--policy");
        words_add(argv, "%s", scheduling_policy_text(scheduling->policy));
        words_add(argv, "--nice");
        words_add(argv, "%d", scheduling->nice);
        words_add(argv, "--slice-ns");
        words_add(argv, "%d", scheduling->slice_ns);
    }
    words_add(argv, "--");
}

static int add_command(const struct config *config, struct words *argv, struct error *error)
{
    const struct command_target *command = &config->command;
    int status = STATUS_OK;
    if (command->shell) words_add_all(argv, (const char *const[]){"/bin/sh", "-c", NULL});
    for (int i = 0; i < command->word_count && !status; i++) {
        char *text = NULL;
        status = command_expand(config, command_word(command, i), &text, error);
        if (!status) words_add(argv, "%s", text);
        free(text);
    }
    return status;
}

static int add_settings(const struct config *config, struct words *environment, struct error *error)
{
    const struct command_target *command = &config->command;
    int status = STATUS_OK;
    for (int i = 0; i < command->setting_count && !status; i++) {
        char *text = NULL;
        status = command_expand(config, command_setting(command, i), &text, error);
        if (!status) words_replace_setting(environment, text);
        free(text);
    }
    return status;
}

int command_line_new(const struct config *config, const struct launch_site *site, struct launch_line **line_p,
                     struct error *error)
{
    struct words argv = {.items = NULL}, environment = {.items = NULL};
    const char *const *unset = config->command.bind ? openmp_unset : NULL;
    struct launch_line *line = calloc(1, sizeof *line);
    add_environment(config, &environment);
    int status = add_launcher(config, site, &argv, &environment, &unset, error);
    if (!status && needs_shim(config)) add_shim(config, site, &argv);
    if (!status) status = add_command(config, &argv, error);
    if (!status) status = add_settings(config, &environment, error);
    char **argv_items = words_take(&argv), **environment_items = words_take(&environment);
    if (!status && (!line || !argv_items || !environment_items)) status = error_set(error, STATUS_FAILED, "no memory");
    if (status) {
        words_free(argv_items);
        words_free(environment_items);
        free(line);
        return status;
    }
    *line = (struct launch_line){
        .argv = argv_items, .environment = environment_items, .unset = unset, .launcher = LAUNCHER_COMMAND};
    if (config->command.bind) line->mask = config->mode.cpus;
    *line_p = line;
    return STATUS_OK;
}

static bool read_number(const char *text, int *number_p)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < -1000000000 || number > 1000000000) return false;
    *number_p = (int)number;
    return true;
}

int bind_arguments_parse(int argc, char *const argv[], struct mode *mode_p, int *command_p, struct error *error)
{
    struct mode mode = {.ranks = 1, .threads = 1};
    int i = 0;
    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        bool good = strcmp(name, "--cpus") == 0 ? strcmp(value, "any") == 0 || cpu_list_parse(value, &mode.cpus) == 0
                    : strcmp(name, "--threads") == 0  ? read_number(value, &mode.threads) && mode.threads > 0
                    : strcmp(name, "--policy") == 0   ? scheduling_policy_parse(value, &mode.scheduling.policy) == 0
                    : strcmp(name, "--nice") == 0     ? read_number(value, &mode.scheduling.nice)
                    : strcmp(name, "--slice-ns") == 0 ? read_number(value, &mode.scheduling.slice_ns)
                                                      : false;
        if (!good) return error_set(error, STATUS_USAGE, "bind: %.40s %.200s is not allowed", name, value);
    }
    if (i + 1 >= argc || scheduling_check(&mode.scheduling))
        return error_set(error, STATUS_USAGE, "usage: speedup-worker bind --cpus LIST --threads N -- COMMAND...");
    *mode_p = mode;
    *command_p = i + 1;
    return STATUS_OK;
}
