/* From JSON to our structs, by the same tables: strict about types and ranges (a wrong one is an error that names the
 * value), tolerant to names that it does not know, so that files with further names stay readable. A sample is decoded
 * into storage of its own and handed over only when all of it was good. */
#include "fields.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int integer_decode(const json_t *value, json_int_t min, json_int_t max, json_int_t *integer_p)
{
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max) return -EINVAL;
    *integer_p = json_integer_value(value);
    return 0;
}

static int int_decode(const json_t *value, int *int_p)
{
    json_int_t integer;
    int status = integer_decode(value, INT_MIN, INT_MAX, &integer);
    if (!status) *int_p = (int)integer;
    return status;
}

static int text_decode(const json_t *value, size_t size, char *text_p)
{
    if (!json_is_string(value) || json_string_length(value) >= size) return -EINVAL;
    memcpy(text_p, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int ints_decode(const json_t *value, size_t max, int *ints_p)
{
    if (!json_is_array(value) || json_array_size(value) > max) return -EINVAL;
    ints_p[0] = (int)json_array_size(value);
    for (int i = 0; i < ints_p[0]; i++)
        if (int_decode(json_array_get(value, (size_t)i), &ints_p[1 + i])) return -EINVAL;
    return 0;
}

static int unsigned_decode(const char *digits, int base, uint64_t *number_p)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(digits, &end, base);
    if (errno || *end) return -EINVAL;
    *number_p = number;
    return 0;
}

static int seed_decode(const json_t *value, uint64_t *seed_p)
{
    const char *text = json_string_value(value);
    if (text) return *text >= '0' && *text <= '9' ? unsigned_decode(text, 10, seed_p) : -EINVAL;
    json_int_t integer;
    int status = integer_decode(value, 0, LLONG_MAX, &integer);
    if (!status) *seed_p = (uint64_t)integer;
    return status;
}

static int bits_decode(const json_t *value, uint64_t *bits_p)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) != 18 || strncmp(text, "0x", 2) || strspn(text + 2, "0123456789abcdefABCDEF") != 16)
        return -EINVAL;
    return unsigned_decode(text + 2, 16, bits_p);
}

static int null_decode(const struct field *field, void *at)
{
    switch (field->type) {
    case FIELD_REAL:
    case FIELD_LATER_REAL:
        *(double *)at = NAN;
        return 0;
    case FIELD_INT_OR_NULL:
        *(int *)at = -1;
        return 0;
    case FIELD_COUNT:
        *(int64_t *)at = -1;
        return 0;
    case FIELD_TEXT_OR_NULL:
        *(char *)at = '\0';
        return 0;
    case FIELD_VALIDITY:
        *(enum validity *)at = SAMPLE_NOT_JUDGED;
        return 0;
    default:
        return -EINVAL;
    }
}

static int value_decode(const struct field *field, const json_t *value, void *at)
{
    json_int_t integer;
    switch (field->type) {
    case FIELD_REAL:
    case FIELD_LATER_REAL:
        if (!json_is_number(value)) return -EINVAL;
        *(double *)at = json_number_value(value);
        return 0;
    case FIELD_INT:
    case FIELD_INT_OR_NULL:
        return int_decode(value, at);
    case FIELD_COUNT:
        if (integer_decode(value, INT64_MIN, INT64_MAX, &integer)) return -EINVAL;
        *(int64_t *)at = integer;
        return 0;
    case FIELD_BOOL:
        if (!json_is_boolean(value)) return -EINVAL;
        *(bool *)at = json_is_true(value);
        return 0;
    case FIELD_TEXT:
    case FIELD_TEXT_OR_NULL:
        return text_decode(value, field->size, at);
    case FIELD_INTS:
        return ints_decode(value, field->size, at);
    case FIELD_SEED:
        return seed_decode(value, at);
    case FIELD_BITS:
        return bits_decode(value, at);
    case FIELD_MODE:
        return json_is_string(value) ? mode_name_parse(json_string_value(value), at) : -EINVAL;
    case FIELD_WAIT_POLICY:
        return json_is_string(value) ? wait_policy_parse(json_string_value(value), at) : -EINVAL;
    case FIELD_VALIDITY:
        if (!json_is_boolean(value)) return -EINVAL;
        *(enum validity *)at = json_is_true(value) ? SAMPLE_VALID : SAMPLE_INVALID;
        return 0;
    }
    return -EINVAL;
}

static const char *const expected[] = {
    [FIELD_REAL] = "a number or null",
    [FIELD_LATER_REAL] = "a number or null",
    [FIELD_INT] = "a whole number",
    [FIELD_INT_OR_NULL] = "a whole number or null",
    [FIELD_COUNT] = "a whole number or null",
    [FIELD_BOOL] = "true or false",
    [FIELD_TEXT] = "a text",
    [FIELD_TEXT_OR_NULL] = "a text or null",
    [FIELD_INTS] = "an array of whole numbers",
    [FIELD_SEED] = "a whole number, or its digits as a text",
    [FIELD_BITS] = "a text of 0x and 16 hex digits",
    [FIELD_MODE] = "the name of a mode",
    [FIELD_WAIT_POLICY] = "spin, yield or block",
    [FIELD_VALIDITY] = "true, false or null",
};

int field_decode(const struct field *field, const json_t *value, const char *path, void *record_p, struct error *error)
{
    void *at = (char *)record_p + field->offset;
    if (!value && field->type == FIELD_LATER_REAL) return null_decode(field, at);
    if (value && !(json_is_null(value) ? null_decode(field, at) : value_decode(field, value, at))) return 0;
    char limit[32] = "";
    if (field->type == FIELD_TEXT || field->type == FIELD_TEXT_OR_NULL)
        snprintf(limit, sizeof limit, " of under %zu bytes", field->size);
    error_set(error, STATUS_USAGE, "\"%s%s%s%s\" %s: expected %s%s", path, field->group ? field->group : "",
              field->group ? "." : "", field->name, value ? "is wrong" : "is missing", expected[field->type], limit);
    return -EINVAL;
}

int fields_decode(const struct field table[], const json_t *object, const char *path, void *record_p,
                  struct error *error)
{
    int status = 0;
    for (const struct field *field = table; !status && field->name; field++) {
        const json_t *home = field->group ? json_object_get(object, field->group) : object;
        status = field_decode(field, json_object_get(home, field->name), path, record_p, error);
    }
    return status;
}

static int wrong(struct error *error, const char *text)
{
    error_set(error, STATUS_USAGE, "%s", text);
    return -EINVAL;
}

static int options_decode(json_t *options, struct config *config_p, struct error *error)
{
    if (!json_is_object(options)) return wrong(error, "\"config.options\" is missing or no object");
    if (json_object_size(options) > KERNEL_OPTIONS_MAX) return wrong(error, "\"config.options\" has too many names");
    const char *name;
    json_t *value;
    config_p->option_count = 0;
    json_object_foreach(options, name, value)
    {
        struct config_option *option = &config_p->options[config_p->option_count++];
        if (strlen(name) >= sizeof option->name || text_decode(value, sizeof option->value, option->value))
            return wrong(error, "\"config.options\": expected short texts, by short names");
        strcpy(option->name, name);
    }
    return 0;
}

/* Absent where all is as usual. */
static int scheduling_decode(json_t *json, struct scheduling *scheduling_p, struct error *error)
{
    struct scheduling scheduling = {POLICY_OTHER, 0, 0};
    json_t *slice = json_object_get(json, "slice_ns");
    const char *policy = json_string_value(json_object_get(json, "policy"));
    if (json && (!policy || scheduling_policy_parse(policy, &scheduling.policy) ||
                 int_decode(json_object_get(json, "nice"), &scheduling.nice) ||
                 (!json_is_null(slice) && int_decode(slice, &scheduling.slice_ns)) || scheduling_check(&scheduling)))
        return wrong(error,
                     "\"config.scheduling\": expected a policy (other, batch, fifo, rr), nice from -20 to 19, and "
                     "slice_ns from 100000 to 100000000 or null; fifo and rr have neither");
    *scheduling_p = scheduling;
    return 0;
}

int record_decode_config(const json_t *json, struct config *config_p, struct error *error)
{
    if (!json_is_object(json)) return wrong(error, "\"config\" is missing or no object");
    const json_t *target = json_object_get(json, "target");
    const char *kind = json_string_value(json_object_get(target, "kind"));
    if (!kind) return wrong(error, "\"config.target.kind\" is missing: expected \"kernel\" or \"command\"");
    bool command = strcmp(kind, "command") == 0;
    if (strcmp(kind, "kernel") && !command) {
        error_set(error, STATUS_USAGE,
                  "\"config.target.kind\" is \"%.40s\": this version knows \"kernel\" and \"command\" only", kind);
        return -EINVAL;
    }
    struct config config = {0};
    int status = command ? command_decode(target, &config.command, error) : 0;
    if (!status) status = fields_decode(config_fields, json, "config.", &config, error);
    if (!status) status = options_decode(json_object_get(json, "options"), &config, error);
    if (!status) status = scheduling_decode(json_object_get(json, "scheduling"), &config.mode.scheduling, error);
    if (status) return status;
    if (config.mode.nodes < 1 || config.mode.ranks < 1 || config.mode.threads < 1 ||
        config.mode.ranks > INT_MAX / config.mode.threads)
        return wrong(error, "\"config\": expected nodes, ranks and threads of at least 1");
    *config_p = config;
    return 0;
}

/* Of rows, or of columns; NULL: missing. */
static const json_t *worker_value(const json_t *per_worker, int i, const char *name)
{
    if (json_is_array(per_worker)) return json_object_get(json_array_get(per_worker, (size_t)i), name);
    return json_array_get(json_object_get(per_worker, name), (size_t)i);
}

static int worker_decode(const json_t *per_worker, int i, struct worker_times *worker_p, struct error *error)
{
    char path[32];
    int status = 0;
    snprintf(path, sizeof path, "per_worker[%d].", i);
    worker_p->response_s = NAN;
    for (const struct field *field = worker_fields; !status && field->name; field++)
        status = field_decode(field, worker_value(per_worker, i, field->name), path, worker_p, error);
    for (const struct field *field = later_worker_fields; !status && field->name; field++)
        if (worker_value(per_worker, i, field->name))
            status = field_decode(field, worker_value(per_worker, i, field->name), path, worker_p, error);
    return status;
}

static int workers_decode(const json_t *per_worker, struct sample *sample_p, struct error *error)
{
    if (!json_is_array(per_worker) && !json_is_object(per_worker))
        return wrong(error, "\"per_worker\" is missing: expected an array of objects, or an object of arrays");
    size_t count = json_is_array(per_worker) ? json_array_size(per_worker)
                                             : json_array_size(json_object_get(per_worker, worker_fields[0].name));
    if (count == 0) return 0;
    sample_p->workers = calloc(count, sizeof *sample_p->workers);
    if (!sample_p->workers) return wrong(error, "no memory for the workers of a sample");
    sample_p->worker_count = (int)count;
    int status = 0;
    for (int i = 0; !status && i < sample_p->worker_count; i++)
        status = worker_decode(per_worker, i, &sample_p->workers[i], error);
    return status;
}

/* Absent of kernels that time no messages, and in older files. */
static int points_decode(const json_t *points, struct sample *sample_p, struct error *error)
{
    size_t count = json_array_size(points);
    if (!points || json_is_null(points)) return 0;
    if (!json_is_array(points) || count > KERNEL_POINTS_MAX)
        return wrong(error, "\"points\": expected an array of at most 64 objects");
    if (count == 0) return 0;
    sample_p->points = calloc(count, sizeof *sample_p->points);
    if (!sample_p->points) return wrong(error, "no memory for the points of a sample");
    sample_p->point_count = (int)count;
    int status = 0;
    for (int i = 0; !status && i < sample_p->point_count; i++) {
        char path[32];
        struct kernel_point *point = &sample_p->points[i];
        snprintf(path, sizeof path, "points[%d].", i);
        status = fields_decode(point_fields, json_array_get(points, (size_t)i), path, point, error);
        if (!status && (point->bytes < 1 || point->messages < 1))
            status = wrong(error, "\"points\": \"bytes\" and \"messages\" are whole numbers from 1 on");
    }
    return status;
}

int record_check_schema(const json_t *line, struct error *error)
{
    const json_t *schema = json_object_get(line, "schema");
    if (!json_is_integer(schema) || json_integer_value(schema) < 1)
        return wrong(error, "\"schema\" is missing: expected the version of the record, a whole number");
    if (json_integer_value(schema) <= RECORD_SCHEMA) return 0;
    error_set(error, STATUS_USAGE,
              "written by a newer speedup (schema %lld; this one reads up to %d): update speedup to read it",
              (long long)json_integer_value(schema), RECORD_SCHEMA);
    return -EINVAL;
}

/* Whoever counts on from these, or multiplies them, must not overflow. */
static int check_counts(const struct sample *sample, struct error *error)
{
    enum { COUNT_MAX = 1000000000, NODES_MAX = 1000000, WORKERS_MAX = 100000000 };
    const struct mode *mode = &sample->config.mode;
    bool counted = sample->launch >= 0 && sample->launch <= COUNT_MAX && sample->block >= 0 &&
                   sample->block <= COUNT_MAX && sample->repeat >= 0 && sample->repeat <= COUNT_MAX;
    if (!counted) return wrong(error, "\"launch\", \"block\" or \"repeat\" is not in 0 ... 10^9");
    bool sized = sample->config.mode.nodes >= 0 && sample->config.mode.nodes <= NODES_MAX && mode->ranks >= 0 &&
                 mode->threads >= 0 && (int64_t)mode->ranks * mode->threads <= WORKERS_MAX;
    return sized ? 0 : wrong(error, "\"nodes\", \"ranks\" or \"threads\" is more than there can be");
}

int record_decode_sample(const json_t *line, struct sample *sample_p, struct error *error)
{
    const char *type = json_string_value(json_object_get(line, "type"));
    if (!type || strcmp(type, "sample")) return wrong(error, "\"type\" is not \"sample\"");
    if (record_check_schema(line, error)) return -EINVAL;
    struct sample sample;
    sample_init(&sample);
    int status = record_decode_config(json_object_get(line, "config"), &sample.config, error);
    if (!status) status = fields_decode(sample_fields, line, "", &sample, error);
    for (const struct field *field = later_sample_fields; !status && field->name; field++)
        if (json_object_get(line, field->name))
            status = field_decode(field, json_object_get(line, field->name), "", &sample, error);
    if (!status && sample.config.command.word_count > 0)
        status = fields_decode(command_sample_fields, line, "", &sample, error);
    if (!status) status = workers_decode(json_object_get(line, "per_worker"), &sample, error);
    if (!status) status = points_decode(json_object_get(line, "points"), &sample, error);
    if (!status) status = check_counts(&sample, error);
    if (status) {
        sample_release(&sample);
        return status;
    }
    sample_release(sample_p);
    *sample_p = sample;
    return 0;
}
