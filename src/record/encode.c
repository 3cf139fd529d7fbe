/* From our structs to JSON. The tables in fields.c name what is copied value by value; here stands what has a shape of
 * its own: the target, the options, the key, and per_worker, which is an array of objects for people and becomes an
 * object of arrays where there are many workers (a fifth of the size, and a table at once in Python and R). */
#include "fields.h"

static json_t *options_encode(const struct config *config)
{
    json_t *options = json_object();
    for (int i = 0; options && i < config->option_count; i++)
        if (json_object_set_new(options, config->options[i].name, text_encode(config->options[i].value))) {
            json_decref(options);
            options = NULL;
        }
    return options;
}

json_t *record_encode_scheduling(const struct scheduling *scheduling)
{
    return json_pack("{s:s, s:i, s:o}", "policy", scheduling_policy_text(scheduling->policy), "nice", scheduling->nice,
                     "slice_ns", scheduling->slice_ns > 0 ? json_integer(scheduling->slice_ns) : json_null());
}

json_t *record_encode_config(const struct config *config)
{
    json_t *json = json_pack("{s:{s:s, s:n}}", "target", "kind", "kernel", "argv");
    if (!json) return NULL;
    int failed = fields_encode(config_fields, config, json);
    if (config->command.word_count > 0) failed |= command_encode(&config->command, json_object_get(json, "target"));
    failed |= json_object_set_new(json, "workers", json_integer(mode_workers(&config->mode)));
    failed |= json_object_set_new(json, "options", options_encode(config));
    /* Only where it is not as usual: configurations from before this name keep their keys. */
    if (!scheduling_is_default(&config->mode.scheduling))
        failed |= json_object_set_new(json, "scheduling", record_encode_scheduling(&config->mode.scheduling));
    if (!failed) return json;
    json_decref(json);
    return NULL;
}

/* Records of `size` bytes each, one object a record. `later`: a second table, or NULL. */
static json_t *rows_encode(const struct field table[], const struct field later[], int count, const void *records,
                           size_t size)
{
    json_t *rows = json_array();
    for (int i = 0; rows && i < count; i++) {
        json_t *row = json_object();
        const char *record = (const char *)records + (size_t)i * size;
        if (!row || fields_encode(table, record, row) || (later && fields_encode(later, record, row)) ||
            json_array_append(rows, row)) {
            json_decref(rows);
            rows = NULL;
        }
        json_decref(row);
    }
    return rows;
}

static int columns_encode(const struct field table[], int count, const struct worker_times workers[], json_t *columns)
{
    int failed = 0;
    for (const struct field *field = table; !failed && field->name; field++) {
        json_t *column = json_array();
        failed = json_object_set_new(columns, field->name, column);
        for (int i = 0; !failed && i < count; i++)
            failed = json_array_append_new(column, field_encode(field, &workers[i]));
    }
    return failed;
}

static json_t *workers_encode_columns(int count, const struct worker_times workers[])
{
    json_t *columns = json_object();
    int failed = columns ? columns_encode(worker_fields, count, workers, columns) : -1;
    if (!failed) failed = columns_encode(later_worker_fields, count, workers, columns);
    if (!failed) return columns;
    json_decref(columns);
    return NULL;
}

static json_t *cpus_seen_encode(const struct sample *sample)
{
    struct cpu_list seen;
    sample_cpus_seen(sample, &seen);
    json_t *cpus = json_array();
    int failed = cpus ? 0 : -1;
    for (int i = 0; !failed && i < seen.count; i++) failed = json_array_append_new(cpus, json_integer(seen.cpus[i]));
    if (!failed) return cpus;
    json_decref(cpus);
    return NULL;
}

json_t *record_encode_sample(const struct sample *sample)
{
    json_t *line = json_pack("{s:i, s:s}", "schema", RECORD_SCHEMA, "type", "sample");
    if (!line) return NULL;
    char key[17];
    int failed = json_object_set_new(line, "config", record_encode_config(&sample->config));
    failed |= json_object_set_new(line, "key", json_string(record_config_key(&sample->config, key)));
    failed |= fields_encode(sample_fields, sample, line);
    failed |= fields_encode(later_sample_fields, sample, line);
    if (sample->config.command.word_count > 0) failed |= fields_encode(command_sample_fields, sample, line);
    failed |= json_object_set_new(json_object_get(line, "placement"), "cpus", cpus_seen_encode(sample));
    failed |= json_object_set_new(line, "per_worker",
                                  sample->worker_count > PER_WORKER_ROWS_MAX
                                      ? workers_encode_columns(sample->worker_count, sample->workers)
                                      : rows_encode(worker_fields, later_worker_fields, sample->worker_count,
                                                    sample->workers, sizeof *sample->workers));
    if (sample->point_count > 0)
        failed |= json_object_set_new(
            line, "points",
            rows_encode(point_fields, NULL, sample->point_count, sample->points, sizeof *sample->points));
    if (!failed) return line;
    json_decref(line);
    return NULL;
}
