#include "diagnosis.h"

#include "text.h"

#include <math.h>
#include <string.h>

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *findings_json(const struct diagnosis *diagnosis)
{
    json_t *list = json_array();
    for (int i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        json_array_append_new(list, json_pack("{s:s, s:b, s:o, s:o}", "name", finding->name, "fault", finding->fault,
                                              "text", target_json_text(finding->text), "fix",
                                              *finding->fix ? target_json_text(finding->fix) : json_null()));
    }
    return list;
}

static json_t *mask_json(const struct tree_task *task)
{
    char text[1024];
    return task ? json_string(cpu_mask_format(&task->mask, sizeof text, text)) : json_null();
}

static json_t *tasks_json(const struct diagnosis_page *page)
{
    const struct timeline *timeline = &page->timeline->timeline;
    json_t *list = json_array();
    for (int t = 0; t < timeline->task_count; t++) {
        const struct timeline_task *task = &timeline->tasks[t];
        double time_s[3] = {0};
        for (int s = 0; s < task->span_count; s++)
            time_s[task->spans[s].state] += task->spans[s].end_s - task->spans[s].begin_s;
        json_array_append_new(
            list, json_pack("{s:i, s:i, s:o, s:b, s:o, s:f, s:f, s:f}", "pid", (int)task->pid, "tid", (int)task->tid,
                            "name", target_json_text(task->name), "worker", task->rank >= 0, "allowed_cpus",
                            mask_json(tree_find_task(page->evidence->tree, task->tid)), "running_s",
                            time_s[SPAN_RUNNING], "ready_s", time_s[SPAN_READY], "blocked_s", time_s[SPAN_BLOCKED]));
    }
    return list;
}

static json_t *variables_json(const struct tree_process *process)
{
    json_t *list = json_array();
    for (const char *at = process->environment; at && *at; at += strlen(at) + 1)
        json_array_append_new(list, target_json_text(at));
    return list;
}

static json_t *processes_json(const struct tree *tree)
{
    json_t *list = json_array();
    for (int p = 0; p < tree->process_count; p++) {
        const struct tree_process *process = &tree->processes[p];
        json_t *libraries = json_array();
        for (int l = 0; l < LIBRARY_COUNT; l++)
            if (process->libraries >> l & 1)
                json_array_append_new(libraries, json_string(library_name((enum library)l)));
        json_array_append_new(list, json_pack("{s:i, s:i, s:o, s:o, s:o, s:o}", "pid", (int)process->pid, "parent",
                                              (int)process->parent, "name", target_json_text(process->name), "command",
                                              target_json_text(process->command), "libraries", libraries, "environment",
                                              variables_json(process)));
    }
    return list;
}

json_t *present_diagnosis_json(const struct diagnosis_page *page)
{
    const struct diagnosis *diagnosis = page->diagnosis;
    const struct evidence *evidence = page->evidence;
    const struct timeline *timeline = evidence->timeline;
    json_t *numbers =
        json_pack("{s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "processes", diagnosis->processes,
                  "threads", diagnosis->threads, "workers", diagnosis->workers, "cores_used", diagnosis->cores_used,
                  "cores_allowed", diagnosis->cores_allowed, "concurrency", real_or_null(diagnosis->concurrency),
                  "parallelism", real_or_null(diagnosis->parallelism), "cores_busy",
                  real_or_null(diagnosis->cores_busy), "waiting_share", real_or_null(diagnosis->waiting),
                  "blocked_share", real_or_null(diagnosis->blocked), "serial_share", real_or_null(diagnosis->serial));
    json_t *times = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "wall_s", real_or_null(evidence->wall_s), "user_s",
                              real_or_null(evidence->user_s), "system_s", real_or_null(evidence->system_s), "steal_s",
                              real_or_null(evidence->steal_s), "throttled_s", real_or_null(evidence->throttled_s),
                              "slice_s", real_or_null(page->summary->slice_p50_s));
    json_t *seen =
        json_pack("{s:s, s:f, s:o, s:o, s:o}", "tier", timeline_tier_text(timeline->tier), "error_s", timeline->error_s,
                  "degraded", *timeline->degraded ? target_json_text(timeline->degraded) : json_null(), "incomplete",
                  *timeline->incomplete ? target_json_text(timeline->incomplete) : json_null(), "spinning_unknown",
                  evidence->hotspots->known ? json_null() : target_json_text(evidence->hotspots->reason));
    return json_pack("{s:i, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "schema", RECORD_SCHEMA,
                     "type", "diagnosis", "command", target_json_text(page->command), "verdict",
                     verdict_kind_text(diagnosis->verdict), "headline", target_json_text(diagnosis->headline),
                     "numbers", numbers, "times", times, "findings", findings_json(diagnosis), "tasks",
                     tasks_json(page), "processes", processes_json(evidence->tree), "seen", seen, "exit_status",
                     page->exit_status < 0 ? json_null() : json_integer(page->exit_status), "left_behind",
                     page->left_behind, "peak_memory_bytes",
                     evidence->peak_memory_bytes < 0 ? json_null() : json_integer(evidence->peak_memory_bytes));
}
