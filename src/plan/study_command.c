/* The plan of a study of a command: for each combination of its parameters, the modes and numbers of workers, with
 * serial once, as for kernels.
 */
#include "command.h"
#include "study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    const struct machine *machine;
    const struct study_request *request;
    struct study_plan *plan;
    int chosen[KERNEL_OPTIONS_MAX]; /* the value of each parameter */
    int set;
};

/* What starts the command in all modes, so that they are started alike. Where none was asked for, mpirun starts it if a
 * mode has ranks, unless the command does so by itself. */
static const char *launcher_of(const struct study_request *request)
{
    const struct command_target *target = &request->command->target;
    bool ranks = false;
    for (int m = 0; m < request->mode_count; m++) ranks |= mode_needs_mpi(request->modes[m]);
    if (target->launcher[0]) return target->launcher;
    return ranks && !command_uses(target, "ranks") ? "mpirun" : "none";
}

static void set_name(const struct command_target *target, struct config *config)
{
    const char *word = command_word(target, 0), *name = strrchr(word, '/');
    snprintf(config->kernel, sizeof config->kernel, "%s", target->shell ? "sh" : name && name[1] ? name + 1 : word);
}

/* The size at these workers. */
static int set_size(const struct study_request *request, struct config *config, struct error *error)
{
    const struct study_command *command = request->command;
    const char *size = command->size ? command->size : "";
    if (strlen(size) >= sizeof config->size)
        return error_set(error, STATUS_USAGE, "--size takes fewer than %zu bytes; use a parameter: -L NAME VALUE",
                         sizeof config->size);
    snprintf(config->size, sizeof config->size, "%s", size);
    if (!command->weak) return STATUS_OK;
    char *end;
    double one = *size ? strtod(size, &end) : NAN, value;
    if (*size && *end)
        return error_set(error, STATUS_USAGE, "--weak needs a --size that is a number, and '%s' is none", size);
    int status = command_weak_size(command->weak, config, one, &value, error);
    if (!status) snprintf(config->size, sizeof config->size, "%.0f", value);
    return status;
}

static int add_config(struct builder *builder, enum mode_name name, const struct study_shape *shape,
                      struct error *error)
{
    const struct study_request *request = builder->request;
    const struct study_command *command = request->command;
    const struct mode_request mode_request = study_mode_request(request, name, shape);
    int workers = shape->workers;
    struct study_config added = {
        .base = shape->base, .set = builder->set, .work = request->scaling == SCALING_WEAK ? workers : 1};
    struct config *config = &added.command;
    int status = plan_mode(builder->machine, &mode_request, &added.mode, error);
    if (status) return status;
    *config = (struct config){.command = command->target, .mode = added.mode};
    set_name(&command->target, config);
    snprintf(config->command.launcher, sizeof config->command.launcher, "%s", launcher_of(request));
    for (int p = 0; p < command->parameter_count; p++) {
        struct config_option *option = &config->options[config->option_count++];
        memcpy(option->name, command->parameters[p].name, sizeof option->name);
        snprintf(option->value, sizeof option->value, "%s", command->parameters[p].values[builder->chosen[p]]);
    }
    status = set_size(request, config, error);
    return status ? status : study_plan_add(builder->plan, &added, error);
}

static int add_mode(struct builder *builder, enum mode_name name, struct error *error)
{
    struct study_shape *shapes = NULL;
    int status = STATUS_OK, count = study_shapes(builder->machine, builder->request, name, &shapes);
    if (count < 0) return error_set(error, STATUS_FAILED, "no memory");
    for (int i = 0; i < count && !status; i++) status = add_config(builder, name, &shapes[i], error);
    free(shapes);
    return status;
}

static int add_set(struct builder *builder, struct error *error)
{
    static const struct study_shape one_task = {1, 1, 0, 0, true};
    const struct study_request *request = builder->request;
    int status = request->base == 1 ? add_config(builder, MODE_SERIAL, &one_task, error) : STATUS_OK;
    for (int m = 0; m < request->mode_count && !status; m++)
        if (request->modes[m] != MODE_SERIAL) status = add_mode(builder, request->modes[m], error);
    return status;
}

/* The next combination, the last parameter changing fastest. */
static bool next_set(const struct study_command *command, struct builder *builder)
{
    builder->set++;
    for (int p = command->parameter_count - 1; p >= 0; p--) {
        if (++builder->chosen[p] < command->parameters[p].count) return true;
        builder->chosen[p] = 0;
    }
    return false;
}

static int check(const struct study_request *request, struct error *error)
{
    const struct study_command *command = request->command;
    for (int m = 0; m < request->mode_count; m++)
        if (mode_needs_mpi(request->modes[m]) && strcmp(command->target.launcher, "none") == 0 &&
            !command_uses(&command->target, "ranks"))
            return error_set(
                error, STATUS_USAGE,
                "mode %s needs a launcher that starts ranks, or {ranks} in the command; --launcher none gives it "
                "neither",
                mode_name_text(request->modes[m]));
    if (request->scaling == SCALING_WEAK && !command->weak)
        return error_set(error, STATUS_USAGE,
                         "--scaling weak needs the law by which the size grows: --weak linear, or --weak 'size = "
                         "1000*workers^(1/3)'");
    return STATUS_OK;
}

int study_plan_command(const struct machine *machine, const struct study_request *request, struct study_plan *plan_p,
                       struct error *error)
{
    struct builder builder = {.machine = machine, .request = request, .plan = plan_p};
    int status = check(request, error);
    bool more = true;
    while (!status && more) {
        status = add_set(&builder, error);
        more = next_set(request->command, &builder);
    }
    return status;
}
