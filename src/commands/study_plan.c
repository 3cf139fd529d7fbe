/* Which configurations a study has, and how each of them is launched. */
#include "study.h"

#include "../plan/command.h"
#include "calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 3 };

/* Long against the timer, the start of a launch, and what it takes to see disturbances. */
static const double shortest_s = 0.3;
/* Of --per-node, where all workers have the same: also what other programs used of a core is then known within 1 %. */
static const double per_core_s = 1;

struct measurement study_measurement(const struct study *study, int index)
{
    const struct study_config *config = &study->plan.configs[index];
    struct measurement measurement = {
        .mode = &config->mode, .runs = 1, .warmups = study->options->warmups, .launches_max = 1};
    if (!study->options->has_command) {
        measurement.problem = &config->problem;
        return measurement;
    }
    measurement.command = &config->command;
    return measurement;
}

struct command_measurement study_command_measurement(const struct study *study, int index)
{
    const struct study_config *config = &study->plan.configs[index];
    return (struct command_measurement){.config = &config->command,
                                        .checks = &study->options->checks,
                                        .work = config->work,
                                        .shares = study->options->request.scaling == SCALING_WEAK,
                                        .warmups = study->options->warmups};
}

static int list_configs(struct study *study, struct error *error)
{
    study->configs = calloc((size_t)study->plan.count + 1, sizeof *study->configs);
    study->keys = calloc((size_t)study->plan.count + 1, sizeof *study->keys);
    if (!study->configs || !study->keys) return error_set(error, STATUS_FAILED, "no memory");
    for (int i = 0; i < study->plan.count; i++) {
        struct config *config = &study->configs[i];
        struct problem problem = study->plan.configs[i].problem;
        if (study->options->has_command) {
            *config = study->plan.configs[i].command;
            record_config_key(config, study->keys[i]);
            continue;
        }
        problem.isa = study->session.isa;
        config_from_problem(&problem, config);
        config->mode = study->plan.configs[i].mode;
        record_config_key(config, study->keys[i]);
    }
    return STATUS_OK;
}

/* One whose size is what is measured keeps its own. Others: with the fewest workers, so that the one that is fastest
 * takes shortest_s: as many times longer as workers can run at once. */
int study_choose_size(struct study *study, struct study_options *options, struct error *error)
{
    struct study_request *request = &options->request;
    if (request->problem.kernel->repeated_by) return STATUS_OK;
    const struct mode_request serial = {.mode = MODE_SERIAL, .wait_policy = -1, .cpus = {.count = 0}};
    struct mode mode;
    int cores =
        study->session.machine.core_count * (request->node_count > 0 ? request->nodes[request->node_count - 1] : 1);
    int most = request->worker_count > 0 ? request->workers[request->worker_count - 1] : cores;
    bool scales = request->scaling == SCALING_STRONG;
    double target_s = request->per_node ? per_core_s * most : shortest_s * (scales ? fmin(cores, most) : 1);
    fprintf(stderr, "speedup study: choosing a size that suits this machine\n");
    int status = plan_mode(&study->session.machine, &serial, &mode, error);
    if (status) return status;
    return calibrate_size(&study->session, &request->problem, &mode, target_s, error);
}

static int check_hooks(const struct study_options *options, const struct config *config, struct error *error)
{
    const struct {
        const char *name, *template;
    } hooks[] = {{"--setup", options->setup},
                 {"--prepare", options->checks.prepare},
                 {"--conclude", options->checks.conclude},
                 {"--cleanup", options->cleanup}};
    int status = STATUS_OK;
    for (int i = 0; i < 4 && !status; i++)
        if (hooks[i].template) status = command_check_hook(hooks[i].name, hooks[i].template, config, error);
    return status;
}

/* Before anything is started. */
static int check_commands(struct study *study, struct error *error)
{
    int status = STATUS_OK;
    for (int i = 0; i < study->plan.count && !status; i++) {
        struct launch_line *line = NULL;
        const struct measurement measurement = study_measurement(study, i);
        status = session_launch_line(&study->session, &measurement, &line, error);
        launch_line_free(line);
        if (!status) status = check_hooks(study->options, measurement.command, error);
    }
    return status;
}

int study_make_plan(struct study *study, struct study_options *options, struct error *error)
{
    study->plan = (struct study_plan){
        .seed = options->seed, .runs_min = options->runs_min, .runs_max = options->runs_max, .tries_max = TRIES_MAX};
    int status = study_plan_new(&study->session.machine, &options->request, &study->plan, error);
    if (!status) status = list_configs(study, error);
    return !status && options->has_command ? check_commands(study, error) : status;
}

const char *study_name_config(const struct study *study, int index, size_t length, char *text)
{
    const struct study_config *config = &study->plan.configs[index];
    const struct config *command = &config->command;
    const char *variant = study->options->has_command ? "" : config->problem.variant->name;
    int workers = mode_workers(&config->mode);
    size_t used = (size_t)snprintf(text, length, "%s%s%s, %d worker%s", variant, *variant ? ", " : "",
                                   mode_name_text(config->mode.name), workers, workers == 1 ? "" : "s");
    for (int i = 0; i < command->option_count && used < length; i++)
        used += (size_t)snprintf(text + used, length - used, ", %s %s", command->options[i].name,
                                 command->options[i].value);
    return text;
}

static void print_kernel(const struct study *study, int index)
{
    char size[64], name[256];
    const struct problem *problem = &study->plan.configs[index].problem;
    const char *mode = study_name_config(study, index, sizeof name, name) + strlen(problem->variant->name);
    printf("%s %s, size %s%s", problem->kernel->name, problem->variant->name,
           size_format(&problem->size, sizeof size, size), mode);
}

static void print_command(const struct study *study, int index)
{
    char name[256];
    const struct config *config = &study->plan.configs[index].command;
    printf("%s%s%s, %s", config->kernel, *config->size ? ", size " : "", config->size,
           study_name_config(study, index, sizeof name, name));
}

int study_print_plan(struct study *study, struct error *error)
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
        const struct measurement measurement = study_measurement(study, order[i]);
        struct launch_line *line;
        status = session_launch_line(&study->session, &measurement, &line, error);
        if (status) break;
        char *text = launch_line_text(line);
        printf("%3d ", i + 1);
        if (study->options->has_command)
            print_command(study, order[i]);
        else
            print_kernel(study, order[i]);
        printf("%s\n      %s\n", plan->configs[order[i]].base ? " (base)" : "", text ? text : "");
        free(text);
        launch_line_free(line);
    }
    return status;
}
