/* The numbers of a timeline as JSON: what is not known is null. */
#include "timeline_text.h"

#include <math.h>
#include <string.h>

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text_or_null(const char *text)
{
    json_t *value = *text ? json_string(text) : json_null();
    return value ? value : json_string("?"); /* no UTF-8 */
}

static json_t *hosts_json(const struct timeline_view *view)
{
    json_t *list = json_array();
    for (int h = 0; h < view->host_count; h++) {
        const struct timeline *timeline = &view->hosts[h]->timeline;
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "host", text_or_null(timeline->host), "tier",
                            timeline_tier_text(timeline->tier), "error_s", real_or_null(timeline->error_s),
                            "clock_error_s", real_or_null(timeline->clock_error_s), "incomplete",
                            text_or_null(timeline->incomplete), "degraded", text_or_null(timeline->degraded)));
    }
    return list;
}

static json_t *cpus_json(const struct timeline_view *view, const struct timeline_summary *summary)
{
    json_t *list = json_array();
    for (int c = 0; c < summary->cpu_count; c++) {
        const struct cpu_use *use = &summary->cpus[c];
        json_array_append_new(list, json_pack("{s:o, s:i, s:o, s:o, s:o, s:o}", "host",
                                              text_or_null(view->hosts[use->host]->timeline.host), "cpu", use->cpu,
                                              "workers_share", real_or_null(use->workers), "other_tasks_share",
                                              real_or_null(use->others), "other_programs_share",
                                              real_or_null(use->foreign), "idle_share", real_or_null(use->idle)));
    }
    return list;
}

static json_t *validity_json(enum validity validity)
{
    return validity == SAMPLE_NOT_JUDGED ? json_null() : json_boolean(validity == SAMPLE_VALID);
}

static json_t *switches_json(const struct timeline_summary *summary)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "preempted", real_or_null(summary->preempted_hz), "yielded",
                     real_or_null(summary->yielded_hz), "blocked", real_or_null(summary->blocked_hz), "voluntary",
                     real_or_null(summary->voluntary_hz), "involuntary", real_or_null(summary->involuntary_hz));
}

static json_t *launch_json(const struct timeline_view *view, const struct timeline_summary *summary)
{
    const struct timeline_record *record = view->hosts[0];
    json_t *object = json_pack(
        "{s:o, s:s, s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "config", record_encode_config(&record->config), "key",
        record->key, "study", text_or_null(record->study), "launch", record->launch, "valid",
        validity_json(record->validity), "invalid_reason", text_or_null(record->invalid_reason), "begin_s",
        real_or_null(view->begin_s), "end_s", real_or_null(view->end_s), "length_s", real_or_null(view->length_s));
    json_t *numbers = json_pack(
        "{s:i, s:i, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o}",
        "workers", summary->workers, "other_tasks", summary->others, "concurrency", real_or_null(summary->concurrency),
        "parallelism", real_or_null(summary->parallelism), "other_tasks_running", real_or_null(summary->others_running),
        "most_running", summary->most_running, "overlap_share", real_or_null(summary->overlap), "response_mean_s",
        real_or_null(summary->response_mean_s), "response_last_s", real_or_null(summary->response_last_s), "slices",
        summary->slice_count, "slice_p5_s", real_or_null(summary->slice_p5_s), "slice_p50_s",
        real_or_null(summary->slice_p50_s), "slice_p95_s", real_or_null(summary->slice_p95_s), "switches_hz",
        switches_json(summary), "migrations", summary->migrations, "running_share", real_or_null(summary->running),
        "ready_share", real_or_null(summary->ready), "blocked_share", real_or_null(summary->blocked),
        "accounted_wait_share", real_or_null(summary->accounted_wait), "cpus", cpus_json(view, summary), "hosts",
        hosts_json(view));
    if (object && numbers && json_object_update(object, numbers) == 0) {
        json_decref(numbers);
        return object;
    }
    json_decref(numbers);
    json_decref(object);
    return NULL;
}

json_t *present_timeline_json(int count, const struct timeline_record *records, double begin_s, double end_s)
{
    struct timeline_view view;
    struct timeline_summary summary;
    json_t *object = NULL;
    if (timeline_view_of(count, records, begin_s, end_s, &view)) return NULL;
    if (timeline_summarise(&view, &summary) == 0) {
        object = launch_json(&view, &summary);
        timeline_summary_release(&summary);
    }
    timeline_view_release(&view);
    return object;
}
