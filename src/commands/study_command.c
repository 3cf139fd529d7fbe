/* The options of `speedup study` that are for a command of the user's own. */
#include "study_options.h"

#include "../plan/command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const unit_choices[] = {"s", "ms", "us", NULL};

int study_command_table(struct study_command_arguments *arguments, struct option table_p[STUDY_COMMAND_OPTIONS])
{
    const struct option table[STUDY_COMMAND_OPTIONS] = {
        {'L', "parameter", OPT_LISTS, &arguments->parameters, 0, 0, NULL, "NAME LIST",
         "What {NAME} stands for in the command, one after the other: -L level 1,6. Each value is a problem of its "
         "own; of several lists, each combination."},
        {0, "weak", OPT_TEXT, &arguments->weak, 0, 0, NULL, "LAW",
         "Weak scaling of a command: how {size} grows with the workers: linear, sqrt, cbrt (times --size), or a "
         "formula such as '1000*workers^(1/3)'."},
        {0, "launcher", OPT_TEXT, &arguments->launcher, 0, 0, NULL, "WHAT",
         "What starts the ranks: mpirun or srun; of a command also none, mpiexec, or a line of your own with {ranks} "
         "in it. "
         "It starts a command in all modes, so that all are started alike. Default: mpirun where a mode has ranks, "
         "unless the command itself has {ranks}; else none."},
        {0, "env", OPT_TEXTS, &arguments->settings, 0, 0, NULL, "NAME=VALUE",
         "Set in the environment of a command, placeholders replaced; may be given several times."},
        {0, "no-bind", OPT_FLAG, &arguments->no_bind, 0, 0, NULL, NULL,
         "Leave it to the command where its tasks run. Default: they are kept on the CPUs of the mode."},
        {0, "setup", OPT_TEXT, &arguments->setup, 0, 0, NULL, "LINE",
         "A command that is run once before the first run, for each different line that it becomes."},
        {0, "prepare", OPT_TEXT, &arguments->prepare, 0, 0, NULL, "LINE",
         "A command that is run before each run, untimed."},
        {0, "conclude", OPT_TEXT, &arguments->conclude, 0, 0, NULL, "LINE",
         "A command that is run after each run, untimed."},
        {0, "cleanup", OPT_TEXT, &arguments->cleanup, 0, 0, NULL, "LINE",
         "A command that is run at the end, also after a failure, once for each different line that it becomes."},
        {0, "shell", OPT_FLAG, &arguments->shell, 0, 0, NULL, NULL,
         "The command is one word, for sh -c; so are the lines of the four options above."},
        {0, "time-regex", OPT_TEXT, &arguments->time_regex, 0, 0, NULL, "REGEX",
         "Take the time that a command prints: the first group of the last match, such as 'Time: ([0-9.]+)'. Default: "
         "the time from its start to its end."},
        {0, "time-json", OPT_TEXT, &arguments->time_json, 0, 0, NULL, "PATH",
         "The same where a command prints JSON: where the time stands in it, such as results.0.time."},
        {0, "time-unit", OPT_CHOICE, &arguments->time_unit, 0, 0, unit_choices, "UNIT",
         "What that time is in. Default: s."},
        {0, "check-regex", OPT_TEXT, &arguments->check_regex, 0, 0, NULL, "REGEX",
         "What a command prints must match this, or its answer is wrong."},
        {0, "same-output", OPT_FLAG, &arguments->same_output, 0, 0, NULL, NULL,
         "A command must print the same in all configurations of one problem, or its answer is wrong."},
        {'i', "ignore-failure", OPT_FLAG, &arguments->ignore_failure, 0, 0, NULL, NULL,
         "Accept a command's exit status where it is not 0."},
        {0, "show-output", OPT_FLAG, &arguments->show_output, 0, 0, NULL, NULL,
         "Show on standard error what a command prints."}};
    arguments->time_unit = -1;
    memcpy(table_p, table, sizeof table);
    return STUDY_COMMAND_OPTIONS;
}

const char *study_command_given(const struct study_command_arguments *arguments)
{
    const struct {
        bool given;
        const char *name;
    } all[] = {{arguments->parameters.count > 0, "parameter"},
               {arguments->weak, "weak"},
               {arguments->settings.count > 0, "env"},
               {arguments->no_bind, "no-bind"},
               {arguments->setup, "setup"},
               {arguments->prepare, "prepare"},
               {arguments->conclude, "conclude"},
               {arguments->cleanup, "cleanup"},
               {arguments->shell, "shell"},
               {arguments->time_regex, "time-regex"},
               {arguments->time_json, "time-json"},
               {arguments->time_unit >= 0, "time-unit"},
               {arguments->check_regex, "check-regex"},
               {arguments->same_output, "same-output"},
               {arguments->ignore_failure, "ignore-failure"},
               {arguments->show_output, "show-output"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].given) return all[i].name;
    return NULL;
}

/* "1,6,9": values between commas; they may be empty. */
static int split_list(const char *list, struct study_parameter *parameter, struct error *error)
{
    int count = 1;
    for (const char *c = list; *c; c++) count += *c == ',';
    parameter->values = calloc((size_t)count, sizeof *parameter->values);
    if (!parameter->values) return error_set(error, STATUS_FAILED, "no memory");
    for (const char *at = list; parameter->count < count; at += strcspn(at, ",") + 1) {
        size_t length = strcspn(at, ",");
        if (length >= sizeof((struct config_option *)0)->value)
            return error_set(error, STATUS_USAGE, "--parameter %s: a value takes at most %zu bytes", parameter->name,
                             sizeof((struct config_option *)0)->value - 1);
        char *value = strndup(at, length);
        if (!value) return error_set(error, STATUS_FAILED, "no memory");
        json_t *text = json_string(value);
        if (!text) {
            free(value);
            return error_set(error, STATUS_USAGE,
                             "--parameter %s: a value is no UTF-8; put it into a script, or into the command",
                             parameter->name);
        }
        json_decref(text);
        for (int i = 0; i < parameter->count; i++)
            if (strcmp(parameter->values[i], value) == 0) {
                free(value);
                return error_set(error, STATUS_USAGE, "--parameter %s: '%.*s' is named twice", parameter->name,
                                 (int)(length < 60 ? length : 60), at);
            }
        parameter->values[parameter->count++] = value;
    }
    return STATUS_OK;
}

static int add_parameter(struct study_command *command, const char *name, const char *list, struct error *error)
{
    struct study_parameter *parameter = &command->parameters[command->parameter_count];
    if (!command_name_is_free(name) || strlen(name) >= sizeof parameter->name)
        return error_set(error, STATUS_USAGE,
                         "--parameter %.60s is no name for it; allowed: up to %zu letters, digits and _, not "
                         "beginning with a digit, and not workers, ranks, threads, nodes or size",
                         name, sizeof parameter->name - 1);
    for (int p = 0; p < command->parameter_count; p++)
        if (strcmp(command->parameters[p].name, name) == 0)
            return error_set(error, STATUS_USAGE, "--parameter %s is given twice; put its values into one list", name);
    if (command->parameter_count == KERNEL_OPTIONS_MAX)
        return error_set(error, STATUS_USAGE, "--parameter is given more than %d times; leave some out",
                         KERNEL_OPTIONS_MAX);
    *parameter = (struct study_parameter){.count = 0};
    snprintf(parameter->name, sizeof parameter->name, "%s", name);
    command->parameter_count++;
    return split_list(list, parameter, error);
}

/* The launcher and the clock go into the configuration, which has so much room for them. */
static int set_texts(const struct study_command_arguments *arguments, struct command_target *target,
                     struct error *error)
{
    const char *pattern = arguments->time_regex ? arguments->time_regex : arguments->time_json;
    const char *unit = unit_choices[arguments->time_unit < 0 ? 0 : arguments->time_unit];
    int length = pattern ? snprintf(target->time, sizeof target->time, "%s %s %s",
                                    arguments->time_regex ? "regex" : "json", unit, pattern)
                         : snprintf(target->time, sizeof target->time, "process");
    if (length >= (int)sizeof target->time)
        return error_set(error, STATUS_USAGE, "--time-%s takes at most %zu bytes",
                         arguments->time_regex ? "regex" : "json", sizeof target->time - 10);
    if (arguments->time_unit >= 0 && !pattern)
        return error_set(error, STATUS_USAGE, "--time-unit is of --time-regex or --time-json, and neither is given");
    if (arguments->time_regex && arguments->time_json)
        return error_set(error, STATUS_USAGE, "--time-regex and --time-json: there is one time; give one of them");
    if (pattern && !*pattern)
        return error_set(error, STATUS_USAGE, "--time-%s is empty", arguments->time_regex ? "regex" : "json");
    const char *launcher = arguments->launcher ? arguments->launcher : "";
    if (arguments->launcher && !*launcher)
        return error_set(error, STATUS_USAGE,
                         "--launcher is empty; allowed: none, mpirun, mpiexec, srun, or a line such as 'mpirun -np "
                         "{ranks}'");
    if ((size_t)snprintf(target->launcher, sizeof target->launcher, "%s", launcher) < sizeof target->launcher)
        return STATUS_OK;
    return error_set(error, STATUS_USAGE, "--launcher takes at most %zu bytes; put it into a script, and name that",
                     sizeof target->launcher - 1);
}

/* A misspelt one would start an MPI program so many times without it being one. */
static int check_launcher(const char *launcher, struct error *error)
{
    static const char *const known[] = {"none", "mpirun", "mpiexec", "srun", NULL};
    struct command_target own = {.word_count = 0};
    for (int i = 0; known[i]; i++)
        if (!*launcher || strcmp(known[i], launcher) == 0) return STATUS_OK;
    snprintf(own.launcher, sizeof own.launcher, "%s", launcher);
    if (command_uses(&own, "ranks")) return STATUS_OK;
    const char *near = options_nearest(launcher, known);
    return error_set(error, STATUS_USAGE,
                     "--launcher '%s' has no {ranks}%s%s%s; allowed: none, mpirun, mpiexec, srun, or a line such as "
                     "'mpirun -np {ranks}'",
                     launcher, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Whether the placeholder stands anywhere. */
static bool is_used(const struct study_options *options, const char *name)
{
    const char *const hooks[] = {options->setup, options->checks.prepare, options->checks.conclude, options->cleanup};
    bool used = command_uses(&options->command.target, name);
    for (int i = 0; i < 4; i++) {
        struct command_target one = {.word_count = 1};
        if (!hooks[i] || strlen(hooks[i]) >= sizeof one.words) continue;
        strcpy(one.words, hooks[i]);
        used |= command_uses(&one, name);
    }
    return used;
}

static int check_use(const struct study_options *options, struct error *error)
{
    const struct study_command *command = &options->command;
    for (int p = 0; p < command->parameter_count; p++)
        if (!is_used(options, command->parameters[p].name))
            return error_set(error, STATUS_USAGE, "--parameter %s: {%s} stands nowhere in the command",
                             command->parameters[p].name, command->parameters[p].name);
    if ((command->size || command->weak) && !is_used(options, "size"))
        return error_set(error, STATUS_USAGE, "--%s gives {size} its value, and {size} stands nowhere in the command",
                         command->weak ? "weak" : "size");
    if (command->target.shell && command->target.word_count != 1)
        return error_set(error, STATUS_USAGE,
                         "--shell takes the command as one word, and %d are given; quote it: -- 'sort f | uniq'",
                         command->target.word_count);
    int policy = options->request.placement.policy;
    if (policy == POLICY_FIFO || policy == POLICY_RR)
        return error_set(error, STATUS_USAGE,
                         "--policy %s is not for commands: what a real-time task starts is an ordinary one; allowed: "
                         "other, batch",
                         scheduling_policy_text((enum scheduling_policy)policy));
    return STATUS_OK;
}

static int set_pattern(const char *pattern, struct command_checks *checks, struct error *error)
{
    char why[128];
    if (!pattern) return STATUS_OK;
    int failed = regcomp(&checks->regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
    if (!failed) {
        checks->pattern = pattern;
        return STATUS_OK;
    }
    regerror(failed, &checks->regex, why, sizeof why);
    return error_set(error, STATUS_USAGE, "--check-regex %.200s is no extended regular expression: %s", pattern, why);
}

int study_command_choose(const struct study_command_arguments *arguments, int word_count, char **words,
                         struct study_options *options, struct error *error)
{
    struct study_command *command = &options->command;
    options->has_command = true;
    options->setup = arguments->setup;
    options->cleanup = arguments->cleanup;
    options->checks = (struct command_checks){.same_output = arguments->same_output,
                                              .ignore_failure = arguments->ignore_failure,
                                              .show_output = arguments->show_output,
                                              .prepare = arguments->prepare,
                                              .conclude = arguments->conclude};
    command->weak = arguments->weak;
    if (command->weak) options->request.scaling = SCALING_WEAK;
    command->target.shell = arguments->shell;
    command->target.bind = !arguments->no_bind;
    int status = command_set_words(&command->target, word_count, words, error);
    for (int i = 0; i < arguments->settings.count && !status; i++)
        status = command_add_setting(&command->target, arguments->settings.texts[i], error);
    for (int i = 0; i < arguments->parameters.count && !status; i++)
        status = add_parameter(command, arguments->parameters.names[i], arguments->parameters.texts[i], error);
    if (!status) status = set_pattern(arguments->check_regex, &options->checks, error);
    if (!status) status = set_texts(arguments, &command->target, error);
    if (!status) status = command_check_time(command->target.time, error);
    if (!status) status = check_launcher(command->target.launcher, error);
    return status ? status : check_use(options, error);
}
