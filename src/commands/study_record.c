/* The study's own line in the record, and whether it is that of the plan at hand. */
#include "study.h"

#include "../place/allocation.h"
#include "../record/context.h"
#include "speedup_config.h"

#include <string.h>

extern char **environ;

static json_t *encode_numbers(int count, const int numbers[])
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(array, json_integer(numbers[i]));
    return array;
}

static json_t *encode_seed(uint64_t seed)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return json_string(text);
}

static const char *scaling_text(enum study_scaling scaling)
{
    return scaling == SCALING_WEAK ? "weak" : "strong";
}

static int set_text(json_t *object, const char *name, const char *text)
{
    return text ? json_object_set_new(object, name, record_encode_text(text)) : 0;
}

static json_t *encode_parameters(const struct study_command *command)
{
    json_t *object = json_object();
    for (int p = 0; p < command->parameter_count; p++) {
        json_t *values = json_array();
        for (int i = 0; i < command->parameters[p].count; i++)
            json_array_append_new(values, record_encode_text(command->parameters[p].values[i]));
        json_object_set_new(object, command->parameters[p].name, values);
    }
    return object;
}

/* What is said of a command alone; what was not given is not there. */
static int encode_command(const struct study_options *options, json_t *line)
{
    const struct study_command *command = &options->command;
    const struct command_checks *checks = &options->checks;
    json_t *target = record_encode_target(&command->target);
    int failed = json_object_set_new(line, "target", target);
    failed |= json_object_set_new(line, "parameters", encode_parameters(command));
    failed |= set_text(line, "weak", command->weak);
    failed |= set_text(line, "setup", options->setup);
    failed |= set_text(line, "prepare", checks->prepare);
    failed |= set_text(line, "conclude", checks->conclude);
    failed |= set_text(line, "cleanup", options->cleanup);
    failed |= set_text(line, "check_regex", checks->pattern);
    failed |= json_object_set_new(line, "same_output", json_boolean(checks->same_output));
    failed |= json_object_set_new(line, "ignore_failure", json_boolean(checks->ignore_failure));
    return failed;
}

/* Where nodes were asked for. */
static int encode_nodes(const struct study_request *request, json_t *line)
{
    if (request->node_count == 0) return 0;
    const char *map = request->placement.map;
    int failed = json_object_set_new(line, "nodes", encode_numbers(request->node_count, request->nodes));
    failed |= json_object_set_new(line, "ranks_per_node", json_integer(request->ranks_per_node));
    failed |= json_object_set_new(line, "threads", encode_numbers(request->thread_count, request->threads));
    failed |= json_object_set_new(line, "map", json_string(map ? map : "cores-first"));
    return failed;
}

json_t *study_encode(const struct study *study)
{
    const struct study_options *options = study->options;
    const struct study_request *request = &options->request;
    const struct problem *problem = options->has_command ? NULL : &request->problem;
    const char *name = problem ? problem->kernel->name : study->plan.count > 0 ? study->configs[0].kernel : "";
    char text[64], cpus[512] = "";
    const char *size = options->command.size ? options->command.size : "";
    if (problem) size = size_format(&problem->size, sizeof text, text);
    json_t *modes = json_array(), *keys = json_array();
    for (int m = 0; m < request->mode_count; m++)
        json_array_append_new(modes, json_string(mode_name_text(request->modes[m])));
    for (int i = 0; i < study->plan.count; i++) json_array_append_new(keys, json_string(study->keys[i]));
    json_t *line = json_pack(
        "{s:s, s:i, s:s, s:s, s:o, s:o, s:i, s:s, s:o, s:o, s:s, s:s, s:s, s:i, s:i, s:i, s:f, s:o}", "type", "study",
        "schema", RECORD_SCHEMA, "study", study->session.study, "variant",
        !problem                ? ""
        : request->all_variants ? "all"
                                : problem->variant->name,
        "modes", modes, "workers", encode_numbers(request->worker_count, request->workers), "base", request->base,
        "scaling", scaling_text(request->scaling), "seed", encode_seed(options->seed), "data_seed",
        encode_seed(problem ? problem->seed : 0), "cpus", cpu_list_format(&request->placement.cpus, sizeof cpus, cpus),
        "wait_policy",
        request->placement.wait_policy < 0 ? "" : wait_policy_text((enum wait_policy)request->placement.wait_policy),
        "isa", study->session.isa, "runs_min", options->runs_min, "runs_max", options->runs_max, "warmups",
        options->warmups, "precision", options->precision, "configs", keys);
    /* All configurations have the same. */
    const struct scheduling *scheduling = study->plan.count > 0 ? &study->plan.configs[0].mode.scheduling : NULL;
    int failed = line ? json_object_set_new(line, "kernel", record_encode_text(name)) : -1;
    if (!failed) failed = json_object_set_new(line, "size", record_encode_text(size));
    if (!failed) failed = encode_nodes(request, line);
    if (!failed && options->has_command) failed = encode_command(options, line);
    if (!failed && request->per_node) failed = json_object_set_new(line, "per_node", json_true());
    if (!failed && scheduling && !scheduling_is_default(scheduling))
        failed = json_object_set_new(line, "scheduling", record_encode_scheduling(scheduling));
    if (!failed) return line;
    json_decref(line);
    return NULL;
}

/* Names that differ, one after the other: the first is told, with both values. */
static int compare_objects(const char *what, const json_t *recorded, const json_t *now, const char *const names[],
                           struct error *error)
{
    for (int i = 0; names[i]; i++) {
        const json_t *a = json_object_get(recorded, names[i]), *b = json_object_get(now, names[i]);
        if ((!a && !b) || json_equal(a, b)) continue;
        char *old = json_dumps(a, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6)),
             *new = json_dumps(b, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
        error_set(error, STATUS_USAGE,
                  "--resume: %s %s: %.100s in the record, %.100s now; give the same, or another -o", what, names[i],
                  old ? old : "nothing", new ? new : "nothing");
        free(old);
        free(new);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

int study_check_resumed(const struct study *study, struct error *error)
{
    static const char *const plan_names[] = {
        "per_node",       "kernel",         "variant",     "target",     "parameters", "size",
        "weak",           "modes",          "workers",     "base",       "scaling",    "seed",
        "data_seed",      "cpus",           "wait_policy", "isa",        "warmups",    "runs_min",
        "runs_max",       "setup",          "prepare",     "conclude",   "cleanup",    "check_regex",
        "same_output",    "ignore_failure", "precision",   "scheduling", "configs",    "nodes",
        "ranks_per_node", "threads",        "map",         NULL};
    static const char *const machine_names[] = {"hostname", "cpu_model", "allowed_cpus", "cores", NULL};
    /* A job that a batch system started again may be on other nodes of the same kind. */
    struct allocation allocation;
    allocation_find(environ, &allocation);
    const char *const *compared = machine_names + (allocation.scheduler != SCHEDULER_NONE);
    static const char *const program_names[] = {"version", "compiler", "flags", "build_type", "sanitizers", NULL};
    const struct results *results = &study->session.results;
    json_t *now = study_encode(study),
           *context = record_encode_context(&study->session.machine, &study->session.provenance,
                                            &(struct context_source){.study = ""});
    int status = now && context ? STATUS_OK : error_set(error, STATUS_FAILED, "no memory");
    if (!status)
        status = compare_objects("the machine's", json_object_get(results->context, "machine"),
                                 json_object_get(context, "machine"), compared, error);
    if (!status)
        status = compare_objects("the program's", json_object_get(results->context, "program"),
                                 json_object_get(context, "program"), program_names, error);
    if (!status) status = compare_objects("the study's", results->study, now, plan_names, error);
    json_decref(context);
    json_decref(now);
    return status;
}

int study_adopt(const struct results *results, struct study_options *options, struct error *error)
{
    const char *size = json_string_value(json_object_get(results->study, "size"));
    const char *seed = json_string_value(json_object_get(results->study, "seed"));
    const char *kernel = json_string_value(json_object_get(results->study, "kernel"));
    struct problem *problem = &options->request.problem;
    bool command = json_object_get(results->study, "target") != NULL;
    if (command != options->has_command)
        return error_set(error, STATUS_USAGE,
                         "--resume: %s holds a study of a %s; give it again as it was, or another "
                         "-o",
                         options->output, command ? "command" : "kernel");
    if (command) {
        if (seed && !options->seed_given) options->seed = strtoull(seed, NULL, 10);
        return STATUS_OK;
    }
    if (!size || !seed || !kernel)
        return error_set(error, STATUS_USAGE, "--resume: %s holds no study; leave --resume out, and name another file",
                         options->output);
    if (!options->size_given && strcmp(kernel, problem->kernel->name) == 0 &&
        problem->kernel->parse_size(size, &problem->size))
        return error_set(error, STATUS_USAGE, "--resume: the size '%.60s' in %s is none of %s", size, options->output,
                         kernel);
    options->size_given = true;
    if (!options->seed_given) options->seed = strtoull(seed, NULL, 10);
    return STATUS_OK;
}
