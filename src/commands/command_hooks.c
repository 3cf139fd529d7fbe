/* A hook is the same for two configurations where its line is the same once the placeholders are replaced. */
#include "command_hooks.h"

#include "../plan/command.h"
#include "command_run.h"

#include <stdlib.h>
#include <string.h>

/* The line, heap; NULL where there is no hook. */
static int line_of(const char *template, const struct config *config, char **line_p, struct error *error)
{
    *line_p = NULL;
    return template ? command_expand(config, template, line_p, error) : STATUS_OK;
}

static void forget(char **line)
{
    free(*line);
    *line = NULL;
}

/* What is known already is taken out. */
static void leave_known(const struct command_hooks *hooks, struct hook_done *own)
{
    for (int i = 0; i < hooks->count; i++) {
        const struct hook_done *done = &hooks->done[i];
        if (own->setup && done->setup && strcmp(own->setup, done->setup) == 0) forget(&own->setup);
        if (own->cleanup && done->cleanup && strcmp(own->cleanup, done->cleanup) == 0) forget(&own->cleanup);
    }
}

int hooks_set_up(struct command_hooks *hooks, struct session *session, const struct config *config, struct error *error)
{
    struct hook_done own = {.config = config};
    int status = line_of(hooks->setup, config, &own.setup, error);
    if (!status) status = line_of(hooks->cleanup, config, &own.cleanup, error);
    if (!status) leave_known(hooks, &own);
    bool nothing = !own.setup && !own.cleanup;
    struct hook_done *grown =
        status || nothing ? NULL : realloc(hooks->done, (size_t)(hooks->count + 1) * sizeof *grown);
    if (!status && !nothing && !grown) status = error_set(error, STATUS_FAILED, "no memory");
    if (status || nothing) {
        free(own.setup);
        free(own.cleanup);
        return status;
    }
    /* Noted first: a setup that failed half way has something to be cleaned up, too. */
    hooks->done = grown;
    hooks->done[hooks->count++] = own;
    return own.setup ? command_run_hook(session, "--setup", hooks->setup, config, error) : STATUS_OK;
}

int hooks_clean_up(struct command_hooks *hooks, struct session *session, struct error *error)
{
    int status = STATUS_OK;
    for (int i = 0; i < hooks->count; i++) {
        struct error own = {""};
        if (!hooks->done[i].cleanup) continue;
        int own_status = command_run_hook(session, "--cleanup", hooks->cleanup, hooks->done[i].config, &own);
        if (!own_status || status) continue;
        status = own_status;
        *error = own;
    }
    return status;
}

void hooks_release(struct command_hooks *hooks)
{
    for (int i = 0; i < hooks->count; i++) {
        free(hooks->done[i].setup);
        free(hooks->done[i].cleanup);
    }
    free(hooks->done);
    hooks->done = NULL;
    hooks->count = 0;
}
