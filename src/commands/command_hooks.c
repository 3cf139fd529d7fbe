/* A hook is cut into words before its placeholders are replaced, so that a value with a blank stays one word. It is
 * the same hook for two configurations where its line is the same then. */
#include "command_hooks.h"

#include "../launch/spawn.h"
#include "../launch/words.h"
#include "../plan/command.h"
#include "../plan/quote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_words(const struct config *config, const char *name, const char *template, struct words *argv,
                     struct error *error)
{
    char **words = NULL;
    int status = quote_split(template, &words);
    if (status == -ENOMEM) return error_set(error, STATUS_FAILED, "no memory");
    if (status || !words[0]) {
        quote_free_words(words);
        return error_set(error, STATUS_USAGE,
                         "--%s '%.200s' is no command; allowed: words, their quotes closed (with --shell: what sh has)",
                         name, template);
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

static int line_new(const struct command_hooks *hooks, const struct config *config, const char *name,
                    const char *template, struct launch_line **line_p, struct error *error)
{
    struct words argv = {.items = NULL}, environment = {.items = NULL};
    int status = STATUS_OK;
    if (hooks->rules->shell) {
        char *text = NULL;
        status = command_expand(config, template, &text, error);
        if (!status) words_add_all(&argv, (const char *const[]){"/bin/sh", "-c", text, NULL});
        free(text);
    } else {
        status = add_words(config, name, template, &argv, error);
    }
    struct launch_line *line = calloc(1, sizeof *line);
    char **argv_items = words_take(&argv), **environment_items = words_take(&environment);
    if (!status && (!line || !argv_items || !environment_items)) status = error_set(error, STATUS_FAILED, "no memory");
    if (status) {
        words_free(argv_items);
        words_free(environment_items);
        free(line);
        return status;
    }
    *line = (struct launch_line){.argv = argv_items, .environment = environment_items, .launcher = LAUNCHER_COMMAND};
    *line_p = line;
    return STATUS_OK;
}

/* The last line with letters of what it said; "" where there is none. In the tail itself. */
static const char *last_line(char *tail)
{
    const char *last = "";
    for (char *line = strtok(tail, "\n"); line; line = strtok(NULL, "\n"))
        if (line[strspn(line, " \t\r")]) last = line;
    return last;
}

static int show_bytes(void *context, const char *bytes, size_t length)
{
    (void)context;
    fwrite(bytes, 1, length, stderr);
    return 0;
}

static int run_line(const struct command_hooks *hooks, const char *name, const struct launch_line *line,
                    struct error *error)
{
    bool show = hooks->rules->show_output;
    const struct spawn_options options = {.time_limit_s = hooks->time_limit_s,
                                          .streams = show ? STREAMS_TAKEN : STREAMS_DROPPED,
                                          .pass_stderr = show,
                                          .bytes = show ? show_bytes : NULL};
    struct spawn_result result;
    struct error why = {""};
    char said[300], ended[80];
    int status = spawn_run(line, &options, &result, &why);
    if (result.interrupted || status == STATUS_INTERRUPTED)
        return error_set(error, STATUS_INTERRUPTED, "interrupted during --%s; what was measured is kept", name);
    if (status) return error_set(error, status, "--%s: %s", name, why.text);
    if (result.exit_status == 0) return STATUS_OK;
    words_printable(last_line(result.stderr_tail), sizeof said, said);
    if (result.signal)
        snprintf(ended, sizeof ended, "was ended by signal %d (%s)", result.signal, strsignal(result.signal));
    else
        snprintf(ended, sizeof ended, "ended with status %d", result.exit_status);
    return error_set(error, STATUS_FAILED, "--%s %s; on standard error: %s", name, ended, *said ? said : "nothing");
}

int hooks_check(const struct command_hooks *hooks, const struct config *config, struct error *error)
{
    const struct command_rules *rules = hooks->rules;
    const char *const templates[] = {rules->setup, rules->prepare, rules->conclude, rules->cleanup};
    static const char *const names[] = {"setup", "prepare", "conclude", "cleanup"};
    int status = STATUS_OK;
    for (int i = 0; i < 4 && !status; i++) {
        struct launch_line *line = NULL;
        if (!templates[i]) continue;
        status = line_new(hooks, config, names[i], templates[i], &line, error);
        launch_line_free(line);
    }
    return status;
}

static int run_template(const struct command_hooks *hooks, const struct config *config, const char *name,
                        const char *template, struct error *error)
{
    struct launch_line *line = NULL;
    if (!template) return STATUS_OK;
    int status = line_new(hooks, config, name, template, &line, error);
    if (!status) status = run_line(hooks, name, line, error);
    launch_line_free(line);
    return status;
}

static int set_up_once(struct command_hooks *hooks, const struct config *config, struct error *error)
{
    char *text = NULL;
    if (!hooks->rules->setup) return STATUS_OK;
    int status = command_expand(config, hooks->rules->setup, &text, error);
    if (status) return status;
    for (int i = 0; i < hooks->set_up_count; i++)
        if (strcmp(hooks->set_up[i], text) == 0) {
            free(text);
            return STATUS_OK;
        }
    char **grown = realloc(hooks->set_up, (size_t)(hooks->set_up_count + 1) * sizeof *grown);
    if (!grown) {
        free(text);
        return error_set(error, STATUS_FAILED, "no memory");
    }
    hooks->set_up = grown;
    hooks->set_up[hooks->set_up_count++] = text;
    return run_template(hooks, config, "setup", hooks->rules->setup, error);
}

static int note_cleanup(struct command_hooks *hooks, const struct config *config, struct error *error)
{
    struct hook_line own = {NULL, NULL};
    if (!hooks->rules->cleanup) return STATUS_OK;
    int status = command_expand(config, hooks->rules->cleanup, &own.text, error);
    for (int i = 0; i < hooks->cleanup_count && !status; i++)
        if (strcmp(hooks->cleanups[i].text, own.text) == 0) {
            free(own.text);
            return STATUS_OK;
        }
    if (!status) status = line_new(hooks, config, "cleanup", hooks->rules->cleanup, &own.line, error);
    struct hook_line *grown =
        status ? NULL : realloc(hooks->cleanups, (size_t)(hooks->cleanup_count + 1) * sizeof *grown);
    if (!status && !grown) status = error_set(error, STATUS_FAILED, "no memory");
    if (status) {
        launch_line_free(own.line);
        free(own.text);
        return status;
    }
    hooks->cleanups = grown;
    hooks->cleanups[hooks->cleanup_count++] = own;
    return STATUS_OK;
}

/* Noted first: a setup that failed half way has something to be cleaned up, too. */
int hooks_set_up(struct command_hooks *hooks, const struct config *config, struct error *error)
{
    int status = note_cleanup(hooks, config, error);
    return status ? status : set_up_once(hooks, config, error);
}

int hooks_prepare(struct command_hooks *hooks, const struct config *config, struct error *error)
{
    return run_template(hooks, config, "prepare", hooks->rules->prepare, error);
}

int hooks_conclude(struct command_hooks *hooks, const struct config *config, struct error *error)
{
    return run_template(hooks, config, "conclude", hooks->rules->conclude, error);
}

int hooks_clean_up(struct command_hooks *hooks, struct error *error)
{
    int status = STATUS_OK;
    for (int i = 0; i < hooks->cleanup_count; i++) {
        struct error own = {""};
        int own_status = run_line(hooks, "cleanup", hooks->cleanups[i].line, &own);
        if (own_status && !status) {
            status = own_status;
            *error = own;
        }
    }
    return status;
}

void hooks_release(struct command_hooks *hooks)
{
    for (int i = 0; i < hooks->set_up_count; i++) free(hooks->set_up[i]);
    for (int i = 0; i < hooks->cleanup_count; i++) {
        free(hooks->cleanups[i].text);
        launch_line_free(hooks->cleanups[i].line);
    }
    free(hooks->set_up);
    free(hooks->cleanups);
    *hooks = (struct command_hooks){.rules = hooks->rules};
}
