/* The file in memory: samples sorted into their configurations by key. Files hold tens of configurations and thousands
 * of samples, so a linear search over the keys is all that is needed; arrays double when full. */
#include "results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more item: arrays have the capacity of the next power of two, so only these need to grow. 0 or -ENOMEM.
 */
static int grow(void **items, int count, size_t item_bytes)
{
    if (count & (count - 1)) return 0;
    void *grown = realloc(*items, (count ? 2 * (size_t)count : 1) * item_bytes);
    if (!grown) return -ENOMEM;
    *items = grown;
    return 0;
}

void results_init(struct results *results)
{
    *results = (struct results){0};
}

void results_release(struct results *results)
{
    for (int g = 0; g < results->group_count; g++) {
        for (int s = 0; s < results->groups[g].count; s++) sample_release(&results->groups[g].samples[s]);
        free(results->groups[g].samples);
    }
    free(results->groups);
    for (int t = 0; t < results->timeline_count; t++) timeline_record_release(&results->timelines[t]);
    free(results->timelines);
    json_decref(results->references);
    json_decref(results->study);
    json_decref(results->context);
    results_init(results);
}

static struct group *group_of(struct results *results, const struct config *config)
{
    char key[17];
    record_config_key(config, key);
    for (int g = 0; g < results->group_count; g++)
        if (strcmp(results->groups[g].key, key) == 0) return &results->groups[g];
    void *groups = results->groups;
    if (!*key || grow(&groups, results->group_count, sizeof *results->groups)) return NULL;
    results->groups = groups;
    struct group *group = &results->groups[results->group_count++];
    *group = (struct group){.config = *config};
    memcpy(group->key, key, sizeof key);
    return group;
}

int results_add(struct results *results, const struct sample *sample)
{
    struct group *group = group_of(results, &sample->config);
    if (!group) return -ENOMEM;
    void *samples = group->samples;
    if (grow(&samples, group->count, sizeof *group->samples)) return -ENOMEM;
    group->samples = samples;
    sample_init(&group->samples[group->count]);
    int status = sample_copy(sample, &group->samples[group->count]);
    if (!status) group->count++;
    return status;
}

int results_add_reference(struct results *results, json_t *line)
{
    if (!results->references) results->references = json_array();
    return json_array_append_new(results->references, line) ? -ENOMEM : 0;
}

int results_add_timeline(struct results *results, struct timeline_record *record)
{
    void *timelines = results->timelines;
    if (grow(&timelines, results->timeline_count, sizeof *results->timelines)) return -ENOMEM;
    results->timelines = timelines;
    results->timelines[results->timeline_count++] = *record;
    timeline_record_init(record);
    return 0;
}

struct reading {
    struct results *results;
    struct error *error;
};

static int read_timeline(struct reading *reading, const json_t *line)
{
    struct timeline_record record;
    timeline_record_init(&record);
    int status = record_decode_timeline(line, &record, reading->error);
    if (status == -EINVAL) return STATUS_USAGE;
    if (!status) status = results_add_timeline(reading->results, &record);
    timeline_record_release(&record);
    return status ? error_set(reading->error, STATUS_FAILED, "no memory for the timelines") : STATUS_OK;
}

static int read_line(void *context, const json_t *line)
{
    struct reading *reading = context;
    const char *type = json_string_value(json_object_get(line, "type"));
    if (strcmp(type, "context") == 0 && !reading->results->context) reading->results->context = json_deep_copy(line);
    if (strcmp(type, "study") == 0 && !reading->results->study) reading->results->study = json_deep_copy(line);
    if (strcmp(type, "reference") == 0 && results_add_reference(reading->results, json_deep_copy(line)))
        return error_set(reading->error, STATUS_FAILED, "no memory for the reference lines");
    if (strcmp(type, "timeline") == 0) return read_timeline(reading, line);
    if (strcmp(type, "sample")) return 0;
    struct sample sample;
    sample_init(&sample);
    int status = STATUS_OK;
    if (record_decode_sample(line, &sample, reading->error))
        status = STATUS_USAGE;
    else if (results_add(reading->results, &sample))
        status = error_set(reading->error, STATUS_FAILED, "no memory for the samples");
    sample_release(&sample);
    return status;
}

int results_read(const char *path, struct results *results_p, struct error *error)
{
    struct results results;
    results_init(&results);
    struct reading reading = {&results, error};
    int status = record_read(path, read_line, &reading, &results.torn, error);
    if (status) {
        results_release(&results);
        return status;
    }
    *results_p = results;
    return STATUS_OK;
}

size_t results_plan_place(const struct results *results, const char *key)
{
    const json_t *keys = json_object_get(results->study, "configs");
    size_t place = 0;
    for (; place < json_array_size(keys); place++) {
        const char *own = json_string_value(json_array_get(keys, place));
        if (own && strcmp(own, key) == 0) break;
    }
    return place;
}

const struct group *results_find(const struct results *results, const char *kernel, enum mode_name mode)
{
    for (int g = 0; g < results->group_count; g++) {
        const struct config *config = &results->groups[g].config;
        if (config->mode.name == mode && strcmp(config->kernel, kernel) == 0) return &results->groups[g];
    }
    return NULL;
}

int group_valid_walls(const struct group *group, int max, double walls_p[])
{
    int count = 0;
    for (int s = 0; s < group->count && count < max; s++)
        if (group->samples[s].validity == SAMPLE_VALID) walls_p[count++] = group->samples[s].wall_s;
    return count;
}
