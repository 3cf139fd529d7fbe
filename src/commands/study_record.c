/* The study's own line in the record, and whether it is that of the plan at hand. */
#include "study.h"

#include "../record/context.h"
#include "speedup_config.h"

#include <string.h>

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

json_t *study_encode(const struct study *study)
{
    const struct study_options *options = study->options;
    const struct study_request *request = &options->request;
    char size[64], cpus[512] = "";
    json_t *modes = json_array(), *keys = json_array();
    for (int m = 0; m < request->mode_count; m++)
        json_array_append_new(modes, json_string(mode_name_text(request->modes[m])));
    for (int i = 0; i < study->plan.count; i++) json_array_append_new(keys, json_string(study->keys[i]));
    json_t *line = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:s, s:o, s:o, s:s, s:s, s:s, s:i, s:i, s:i, s:f, s:o}", "type",
        "study", "schema", RECORD_SCHEMA, "study", study->session.study, "kernel", request->problem.kernel->name,
        "variant", request->all_variants ? "all" : request->problem.variant->name, "size",
        size_format(&request->problem.size, sizeof size, size), "modes", modes, "workers",
        encode_numbers(request->worker_count, request->workers), "base", request->base, "scaling",
        scaling_text(request->scaling), "seed", encode_seed(options->seed), "data_seed",
        encode_seed(request->problem.seed), "cpus", cpu_list_format(&request->placement.cpus, sizeof cpus, cpus),
        "wait_policy",
        request->placement.wait_policy < 0 ? "" : wait_policy_text((enum wait_policy)request->placement.wait_policy),
        "isa", study->session.isa, "runs_min", options->runs_min, "runs_max", options->runs_max, "warmups",
        options->warmups, "precision", options->precision, "configs", keys);
    /* All configurations have the same. */
    const struct scheduling *scheduling = study->plan.count > 0 ? &study->plan.configs[0].mode.scheduling : NULL;
    if (!line || !scheduling || scheduling_is_default(scheduling)) return line;
    if (json_object_set_new(line, "scheduling", record_encode_scheduling(scheduling)) == 0) return line;
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
    static const char *const plan_names[] = {"kernel",      "variant",    "size",    "modes",     "workers",
                                             "base",        "scaling",    "seed",    "data_seed", "cpus",
                                             "wait_policy", "isa",        "warmups", "runs_min",  "runs_max",
                                             "precision",   "scheduling", "configs", NULL};
    static const char *const machine_names[] = {"hostname", "cpu_model", "allowed_cpus", "cores", NULL};
    static const char *const program_names[] = {"version", "compiler", "flags", "build_type", "sanitizers", NULL};
    const struct results *results = &study->session.results;
    json_t *now = study_encode(study),
           *context = record_encode_context(&study->session.machine, &study->session.provenance,
                                            &(struct context_source){.study = ""});
    int status = now && context ? STATUS_OK : error_set(error, STATUS_FAILED, "no memory");
    if (!status)
        status = compare_objects("the machine's", json_object_get(results->context, "machine"),
                                 json_object_get(context, "machine"), machine_names, error);
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
