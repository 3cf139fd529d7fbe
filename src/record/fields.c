/* The tables of names (in the order in which they are written), and the one place that writes a value of each type.
 * Whatever JSON cannot hold is settled here: NAN and infinities become null, whole numbers over 2^53 (which jq, R and
 * JavaScript would round) become strings, and bytes that are no UTF-8 become '?', so that a strange host name never
 * costs a record. */
#include "fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_OF(type, member) sizeof(((const type *)NULL)->member)
#define AT(type, member)      offsetof(type, member), SIZE_OF(type, member)
/* A count with its array right behind it. */
#define INTS_AT(type, count, array)                                                                                    \
    offsetof(type, count) + 0 * sizeof(char[offsetof(type, array) == offsetof(type, count) + sizeof(int) ? 1 : -1]),   \
        SIZE_OF(type, array) / sizeof(int)

_Static_assert(sizeof(pid_t) == sizeof(int), "tid is written as an int");

const struct field config_fields[] = {
    {"target", "name", FIELD_TEXT, AT(struct config, kernel)},
    {NULL, "variant", FIELD_TEXT, AT(struct config, variant)},
    {NULL, "size", FIELD_TEXT, AT(struct config, size)},
    {NULL, "seed", FIELD_SEED, AT(struct config, seed)},
    {NULL, "isa", FIELD_TEXT, AT(struct config, isa)},
    {NULL, "mode", FIELD_MODE, AT(struct config, mode.name)},
    {NULL, "wait_policy", FIELD_WAIT_POLICY, AT(struct config, mode.wait_policy)},
    {NULL, "nodes", FIELD_INT, AT(struct config, mode.nodes)},
    {NULL, "map", FIELD_TEXT, AT(struct config, mode.map)},
    {NULL, "ranks", FIELD_INT, AT(struct config, mode.ranks)},
    {NULL, "threads", FIELD_INT, AT(struct config, mode.threads)},
    {NULL, "cpus", FIELD_INTS, INTS_AT(struct config, mode.cpus.count, mode.cpus.cpus)},
    {0},
};

const struct field sample_fields[] = {
    {NULL, "study", FIELD_TEXT, AT(struct sample, study)},
    {NULL, "launch", FIELD_INT, AT(struct sample, launch)},
    {NULL, "block", FIELD_INT, AT(struct sample, block)},
    {NULL, "repeat", FIELD_INT, AT(struct sample, repeat)},
    {NULL, "start_s", FIELD_REAL, AT(struct sample, start_s)},
    {NULL, "wall_s", FIELD_REAL, AT(struct sample, wall_s)},
    {NULL, "cpu_s", FIELD_REAL, AT(struct sample, cpu_s)},
    {NULL, "wait_s", FIELD_REAL, AT(struct sample, wait_s)},
    {NULL, "comm_s", FIELD_REAL, AT(struct sample, comm_s)},
    {NULL, "work", FIELD_REAL, AT(struct sample, work)},
    {NULL, "work_unit", FIELD_TEXT, AT(struct sample, work_unit)},
    {NULL, "rate", FIELD_REAL, AT(struct sample, rate)},
    {NULL, "concurrency", FIELD_REAL, AT(struct sample, concurrency)},
    {NULL, "parallelism", FIELD_REAL, AT(struct sample, parallelism)},
    {"switches", "voluntary", FIELD_COUNT, AT(struct sample, voluntary)},
    {"switches", "involuntary", FIELD_COUNT, AT(struct sample, involuntary)},
    {"placement", "as_asked", FIELD_BOOL, AT(struct sample, placed_as_asked)},
    {NULL, "steal_s", FIELD_REAL, AT(struct sample, steal_s)},
    {NULL, "foreign_cpu_s", FIELD_REAL, AT(struct sample, foreign_cpu_s)},
    {NULL, "start_skew_s", FIELD_REAL, AT(struct sample, start_skew_s)},
    {NULL, "throttled_s", FIELD_REAL, AT(struct sample, throttled_s)},
    {NULL, "result", FIELD_REAL, AT(struct sample, result)},
    {NULL, "checksum", FIELD_BITS, AT(struct sample, checksum)},
    {"check", "passed", FIELD_BOOL, AT(struct sample, correct)},
    {"check", "detail", FIELD_TEXT, AT(struct sample, check_detail)},
    {NULL, "valid", FIELD_VALIDITY, AT(struct sample, validity)},
    {NULL, "invalid_reason", FIELD_TEXT_OR_NULL, AT(struct sample, invalid_reason)},
    {NULL, "unobserved", FIELD_TEXT_OR_NULL, AT(struct sample, unobserved)},
    {0},
};

const struct field later_sample_fields[] = {
    {NULL, "ceiling_rate", FIELD_REAL, AT(struct sample, ceiling_rate)},
    {NULL, "ceiling", FIELD_TEXT_OR_NULL, AT(struct sample, ceiling)},
    {NULL, "launch_s", FIELD_REAL, AT(struct sample, launch_s)},
    {NULL, "machines", FIELD_INT_OR_NULL, AT(struct sample, machines)},
    {0},
};

const struct field point_fields[] = {
    {NULL, "bytes", FIELD_COUNT, AT(struct kernel_point, bytes)},
    {NULL, "messages", FIELD_COUNT, AT(struct kernel_point, messages)},
    {NULL, "time_s", FIELD_REAL, AT(struct kernel_point, time_s)},
    {NULL, "traffic_bytes", FIELD_REAL, AT(struct kernel_point, traffic_bytes)},
    {0},
};

const struct field command_sample_fields[] = {
    {NULL, "process_s", FIELD_REAL, AT(struct sample, process_s)},
    {NULL, "user_s", FIELD_REAL, AT(struct sample, user_s)},
    {NULL, "system_s", FIELD_REAL, AT(struct sample, system_s)},
    {NULL, "peak_memory_bytes", FIELD_COUNT, AT(struct sample, peak_memory_bytes)},
    {NULL, "processes", FIELD_INT_OR_NULL, AT(struct sample, processes)},
    {NULL, "tasks", FIELD_INT_OR_NULL, AT(struct sample, tasks)},
    {NULL, "exit_status", FIELD_INT_OR_NULL, AT(struct sample, exit_status)},
    {NULL, "held_s", FIELD_REAL, AT(struct sample, held_s)},
    {0},
};

const struct field worker_fields[] = {
    {NULL, "host", FIELD_TEXT, AT(struct worker_times, host)},
    {NULL, "rank", FIELD_INT, AT(struct worker_times, rank)},
    {NULL, "thread", FIELD_INT, AT(struct worker_times, thread)},
    {NULL, "tid", FIELD_INT, AT(struct worker_times, tid)},
    {NULL, "start_s", FIELD_REAL, AT(struct worker_times, start_s)},
    {NULL, "wall_s", FIELD_REAL, AT(struct worker_times, wall_s)},
    {NULL, "cpu_s", FIELD_REAL, AT(struct worker_times, cpu_s)},
    {NULL, "wait_s", FIELD_REAL, AT(struct worker_times, wait_s)},
    {NULL, "comm_s", FIELD_REAL, AT(struct worker_times, comm_s)},
    {NULL, "comm_cpu_s", FIELD_REAL, AT(struct worker_times, comm_cpu_s)},
    {NULL, "idle_s", FIELD_REAL, AT(struct worker_times, idle_s)},
    {NULL, "idle_cpu_s", FIELD_REAL, AT(struct worker_times, idle_cpu_s)},
    {NULL, "end_s", FIELD_REAL, AT(struct worker_times, end_s)},
    {NULL, "cpu_asked", FIELD_INT_OR_NULL, AT(struct worker_times, cpu_asked)},
    {NULL, "cpus", FIELD_INTS, INTS_AT(struct worker_times, cpu_seen_count, cpus_seen)},
    {NULL, "voluntary", FIELD_COUNT, AT(struct worker_times, voluntary)},
    {NULL, "involuntary", FIELD_COUNT, AT(struct worker_times, involuntary)},
    {NULL, "cpu_busy_s", FIELD_REAL, AT(struct worker_times, cpu_total_busy_s)},
    {NULL, "cpu_steal_s", FIELD_REAL, AT(struct worker_times, cpu_steal_s)},
    {NULL, "sibling_busy_s", FIELD_REAL, AT(struct worker_times, sibling_busy_s)},
    {NULL, "mask_as_asked", FIELD_BOOL, AT(struct worker_times, mask_as_asked)},
    {NULL, "serial_s", FIELD_LATER_REAL, AT(struct worker_times, serial_s)},
    {0},
};

const struct field later_worker_fields[] = {
    {NULL, "response_s", FIELD_REAL, AT(struct worker_times, response_s)},
    {0},
};

json_t *text_encode(const char *text)
{
    json_t *json = json_string(text);
    if (json) return json;
    size_t length = strlen(text);
    char *safe = strdup(text);
    if (!safe) return NULL;
    for (size_t i = 0, bytes; i < length; i += bytes) {
        json_t *character = NULL;
        for (bytes = 1; !character && bytes <= 4 && bytes <= length - i; bytes++)
            character = json_stringn(text + i, bytes);
        if (!character) safe[i] = '?';
        bytes = character ? bytes - 1 : 1;
        json_decref(character);
    }
    json = json_string(safe);
    free(safe);
    return json;
}

static json_t *ints_encode(const int *ints)
{
    json_t *array = json_array();
    for (int i = 0; array && i < ints[0]; i++)
        if (json_array_append_new(array, json_integer(ints[1 + i]))) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

static json_t *seed_encode(uint64_t seed)
{
    if (seed <= UINT64_C(1) << 53) return json_integer((json_int_t)seed);
    return json_sprintf("%" PRIu64, seed);
}

json_t *field_encode(const struct field *field, const void *record)
{
    const void *at = (const char *)record + field->offset;
    switch (field->type) {
    case FIELD_REAL:
    case FIELD_LATER_REAL:
        return isfinite(*(const double *)at) ? json_real(*(const double *)at) : json_null();
    case FIELD_INT:
        return json_integer(*(const int *)at);
    case FIELD_INT_OR_NULL:
        return *(const int *)at == -1 ? json_null() : json_integer(*(const int *)at);
    case FIELD_COUNT:
        return *(const int64_t *)at == -1 ? json_null() : json_integer(*(const int64_t *)at);
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_TEXT:
        return text_encode(at);
    case FIELD_TEXT_OR_NULL:
        return *(const char *)at ? text_encode(at) : json_null();
    case FIELD_INTS:
        return ints_encode(at);
    case FIELD_SEED:
        return seed_encode(*(const uint64_t *)at);
    case FIELD_BITS:
        return json_sprintf("0x%016" PRIx64, *(const uint64_t *)at);
    case FIELD_MODE:
        return json_string(mode_name_text(*(const enum mode_name *)at));
    case FIELD_WAIT_POLICY:
        return json_string(wait_policy_text(*(const enum wait_policy *)at));
    case FIELD_VALIDITY:
        if (*(const enum validity *)at == SAMPLE_NOT_JUDGED) return json_null();
        return json_boolean(*(const enum validity *)at == SAMPLE_VALID);
    }
    return NULL;
}

int fields_encode(const struct field table[], const void *record, json_t *object)
{
    int failed = 0;
    for (const struct field *field = table; !failed && field->name; field++) {
        json_t *home = object;
        if (field->group) {
            home = json_object_get(object, field->group);
            if (!home) {
                failed = json_object_set_new(object, field->group, json_object());
                home = json_object_get(object, field->group);
            }
        }
        if (!failed) failed = json_object_set_new(home, field->name, field_encode(field, record));
    }
    return failed;
}
