/* Timelines to JSON and back. The spans of a task follow each other without gaps, so their lengths suffice, as whole
 * nanoseconds, beside one letter a span and, for those that ran, a CPU. Ten thousand switches take 200 KB. */
#include "timelines.h"

#include "fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT(type, member) offsetof(type, member), sizeof(((const type *)NULL)->member)

static const struct field record_fields[] = {
    {NULL, "study", FIELD_TEXT, AT(struct timeline_record, study)},
    {NULL, "launch", FIELD_INT, AT(struct timeline_record, launch)},
    {NULL, "wall_s", FIELD_REAL, AT(struct timeline_record, wall_s)},
    {NULL, "valid", FIELD_VALIDITY, AT(struct timeline_record, validity)},
    {NULL, "invalid_reason", FIELD_TEXT_OR_NULL, AT(struct timeline_record, invalid_reason)},
    {NULL, "host", FIELD_TEXT, AT(struct timeline_record, timeline.host)},
    {NULL, "error_s", FIELD_REAL, AT(struct timeline_record, timeline.error_s)},
    {NULL, "clock_error_s", FIELD_REAL, AT(struct timeline_record, timeline.clock_error_s)},
    {NULL, "incomplete", FIELD_TEXT_OR_NULL, AT(struct timeline_record, timeline.incomplete)},
    {NULL, "degraded", FIELD_TEXT_OR_NULL, AT(struct timeline_record, timeline.degraded)},
    {NULL, "start_s", FIELD_REAL, AT(struct timeline_record, timeline.start_s)},
    {NULL, "length_s", FIELD_REAL, AT(struct timeline_record, timeline.length_s)},
    {0},
};

static const struct field task_fields[] = {
    {NULL, "pid", FIELD_INT, AT(struct timeline_task, pid)},
    {NULL, "tid", FIELD_INT, AT(struct timeline_task, tid)},
    {NULL, "rank", FIELD_INT_OR_NULL, AT(struct timeline_task, rank)},
    {NULL, "thread", FIELD_INT_OR_NULL, AT(struct timeline_task, thread)},
    {NULL, "name", FIELD_TEXT, AT(struct timeline_task, name)},
    {NULL, "accounted_wait_s", FIELD_REAL, AT(struct timeline_task, accounted_wait_s)},
    {NULL, "voluntary", FIELD_COUNT, AT(struct timeline_task, voluntary)},
    {NULL, "involuntary", FIELD_COUNT, AT(struct timeline_task, involuntary)},
    {0},
};

/* Instants farther off than 36 years, and CPUs beyond, are no timeline's. */
static const json_int_t instant_most_ns = INT64_C(1) << 60, cpu_most = 1 << 20;

static const char letters[] = {[SPAN_RUNNING] = 'R', [SPAN_READY] = 'Q', [SPAN_BLOCKED] = 'B'};

void timeline_record_init(struct timeline_record *record)
{
    memset(record, 0, sizeof *record);
    record->wall_s = NAN;
    timeline_init(&record->timeline);
}

void timeline_record_release(struct timeline_record *record)
{
    timeline_release(&record->timeline);
    timeline_record_init(record);
}

static json_int_t nanoseconds(double seconds)
{
    return (json_int_t)llround(1e9 * seconds);
}

static json_t *task_encode(const struct timeline_task *task)
{
    json_t *object = json_object(), *cpus = json_array(), *lengths = json_array();
    char *states = malloc((size_t)task->span_count + 1);
    int failed = !object || !cpus || !lengths || !states || fields_encode(task_fields, task, object);
    for (int i = 0; !failed && i < task->span_count; i++) {
        const struct timeline_span *span = &task->spans[i];
        states[i] = letters[span->state];
        /* Rounded at their ends, so that errors do not add up. */
        failed = json_array_append_new(lengths, json_integer(nanoseconds(span->end_s) - nanoseconds(span->begin_s)));
        if (!failed && span->state == SPAN_RUNNING) failed = json_array_append_new(cpus, json_integer(span->cpu));
    }
    double begin_s = task->span_count > 0 ? task->spans[0].begin_s : 0;
    if (!failed) {
        failed |= json_object_set_new(object, "begin_ns", json_integer(nanoseconds(begin_s)));
        failed |= json_object_set_new(object, "states", json_stringn(states, (size_t)task->span_count));
        failed |= json_object_set(object, "cpus", cpus);
        failed |= json_object_set(object, "lengths_ns", lengths);
    }
    free(states);
    json_decref(cpus);
    json_decref(lengths);
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

json_t *record_encode_timeline(const struct timeline_record *record)
{
    const struct timeline *timeline = &record->timeline;
    char key[17];
    json_t *line = json_pack("{s:i, s:s, s:s, s:s}", "schema", RECORD_SCHEMA, "type", "timeline", "key",
                             record_config_key(&record->config, key), "tier", timeline_tier_text(timeline->tier));
    json_t *cpus = json_array(), *busy = json_array(), *tasks = json_array();
    int failed = !line || !cpus || !busy || !tasks || fields_encode(record_fields, record, line);
    if (!failed) failed = json_object_set_new(line, "config", record_encode_config(&record->config));
    for (int i = 0; !failed && i < timeline->cpu_count; i++) {
        double busy_s = timeline->cpus[i].busy_s;
        failed |= json_array_append_new(cpus, json_integer(timeline->cpus[i].cpu));
        failed |= json_array_append_new(busy, isfinite(busy_s) ? json_real(busy_s) : json_null());
    }
    for (int i = 0; !failed && i < timeline->task_count; i++)
        failed = json_array_append_new(tasks, task_encode(&timeline->tasks[i]));
    if (!failed) failed |= json_object_set(line, "cpus", cpus);
    if (!failed) failed |= json_object_set(line, "cpu_busy_s", busy);
    if (!failed) failed |= json_object_set(line, "tasks", tasks);
    json_decref(cpus);
    json_decref(busy);
    json_decref(tasks);
    if (!failed) return line;
    json_decref(line);
    return NULL;
}

static int reject(struct error *error, const char *name, const char *expected)
{
    error_set(error, STATUS_USAGE, "%s: expected %s", name, expected);
    return -EINVAL;
}

static bool is_within(const json_t *value, json_int_t low, json_int_t high)
{
    return json_is_integer(value) && json_integer_value(value) >= low && json_integer_value(value) <= high;
}

static int spans_decode(const json_t *object, struct timeline_task *task, struct error *error)
{
    const json_t *begin = json_object_get(object, "begin_ns"), *cpus = json_object_get(object, "cpus");
    const json_t *lengths = json_object_get(object, "lengths_ns"), *states = json_object_get(object, "states");
    if (!is_within(begin, -instant_most_ns, instant_most_ns))
        return reject(error, "tasks.begin_ns", "a whole number of nanoseconds");
    if (!json_is_string(states)) return reject(error, "tasks.states", "a string");
    if (!json_is_array(lengths) || json_array_size(lengths) != json_string_length(states))
        return reject(error, "tasks.lengths_ns", "as many whole numbers as there are states");
    json_int_t at = json_integer_value(begin);
    size_t ran = 0;
    for (size_t i = 0; i < json_array_size(lengths); i++) {
        const json_t *length = json_array_get(lengths, i);
        const char *letter = memchr(letters, json_string_value(states)[i], sizeof letters);
        if (!letter) return reject(error, "tasks.states", "the letters R, Q and B");
        if (!is_within(length, 0, instant_most_ns - at)) /* so that their sum is a number, too */
            return reject(error, "tasks.lengths_ns", "whole numbers of nanoseconds");
        struct timeline_span span = {
            .begin_s = 1e-9 * (double)at, .state = (enum span_state)(letter - letters), .cpu = -1};
        at += json_integer_value(length);
        span.end_s = 1e-9 * (double)at;
        if (span.state == SPAN_RUNNING) {
            const json_t *cpu = json_array_get(cpus, ran++);
            if (!is_within(cpu, 0, cpu_most)) return reject(error, "tasks.cpus", "a CPU for each R");
            span.cpu = (int)json_integer_value(cpu);
        }
        if (timeline_add_span(task, &span)) return -ENOMEM;
    }
    return 0;
}

static int tasks_decode(const json_t *tasks, struct timeline *timeline, struct error *error)
{
    if (!json_is_array(tasks)) return reject(error, "tasks", "an array");
    int status = 0;
    for (size_t i = 0; i < json_array_size(tasks) && !status; i++) {
        struct timeline_task task = {.span_count = 0};
        status = fields_decode(task_fields, json_array_get(tasks, i), "tasks.", &task, error);
        if (!status) status = timeline_add_task(timeline, &task);
        if (!status) status = spans_decode(json_array_get(tasks, i), &timeline->tasks[timeline->task_count - 1], error);
    }
    return status;
}

static int cpus_decode(const json_t *line, struct timeline *timeline, struct error *error)
{
    const json_t *cpus = json_object_get(line, "cpus"), *busy = json_object_get(line, "cpu_busy_s");
    if (!json_is_array(cpus)) return reject(error, "cpus", "an array");
    for (size_t i = 0; i < json_array_size(cpus); i++) {
        const json_t *cpu = json_array_get(cpus, i), *busy_s = json_array_get(busy, i);
        if (!is_within(cpu, 0, cpu_most)) return reject(error, "cpus", "numbers of CPUs");
        if (timeline_add_cpu(timeline, (int)json_integer_value(cpu),
                             json_is_number(busy_s) ? json_number_value(busy_s) : NAN))
            return -ENOMEM;
    }
    return 0;
}

int record_decode_timeline(const json_t *line, struct timeline_record *record_p, struct error *error)
{
    struct timeline_record record;
    const char *tier = json_string_value(json_object_get(line, "tier"));
    timeline_record_init(&record);
    int status = fields_decode(record_fields, line, "", &record, error);
    if (!status) status = record_decode_config(json_object_get(line, "config"), &record.config, error);
    if (!status && (!tier || timeline_tier_parse(tier, &record.timeline.tier)))
        status = reject(error, "tier", "\"exact\" or \"sampled\"");
    if (!status) status = cpus_decode(line, &record.timeline, error);
    if (!status) status = tasks_decode(json_object_get(line, "tasks"), &record.timeline, error);
    if (status) {
        timeline_record_release(&record);
        return status;
    }
    record_config_key(&record.config, record.key);
    timeline_record_release(record_p);
    *record_p = record;
    return 0;
}
