/* Names and phrases of a timeline. Everything comes from a record and is printed by those who know how to escape it. */
#include "timeline_text.h"

#include <math.h>
#include <string.h>

char timeline_letter(const struct timeline_view *view, int task)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if (task >= view->worker_count) return '*';
    return task < TIMELINE_LETTERS ? letters[task] : '?';
}

const char *timeline_task_name(const struct timeline_view *view, int task, size_t length, char *text)
{
    const struct timeline_task *own = view->tasks[task].task;
    const struct mode *mode = &view->hosts[0]->config.mode;
    if (task >= view->worker_count)
        snprintf(text, length, "%s", own->name);
    else if (target_is_command(&view->hosts[0]->config)) /* its tasks are no workers that we numbered */
        snprintf(text, length, "%s %d", own->name, (int)own->tid);
    else if (mode->ranks <= 1)
        snprintf(text, length, "thread %d", own->thread);
    else if (mode->threads <= 1)
        snprintf(text, length, "rank %d", own->rank);
    else
        snprintf(text, length, "rank %d thread %d", own->rank, own->thread);
    return text;
}

const char *timeline_cpu_name(const struct timeline_view *view, int cpu, size_t length, char *text)
{
    const struct view_cpu *own = &view->cpus[cpu];
    if (view->host_count > 1)
        snprintf(text, length, "%.12s CPU %d", view->hosts[own->host]->timeline.host, own->cpu);
    else
        snprintf(text, length, "CPU %d", own->cpu);
    return text;
}

bool timeline_cpu_shown(const struct timeline_view *view, int cpu, int idle_most)
{
    return view->cpu_count <= idle_most || view->cpus[cpu].run_count > 0;
}

int timeline_cpus_shown(const struct timeline_view *view, int idle_most)
{
    int count = 0;
    for (int c = 0; c < view->cpu_count; c++) count += timeline_cpu_shown(view, c, idle_most);
    return count;
}

const char *timeline_title(const struct timeline_view *view, size_t length, char *text)
{
    const struct config *config = &view->hosts[0]->config;
    const struct mode *mode = &config->mode;
    char target[320], tasks[64], cpus[128], scheduling[128], nodes[48] = "";
    if (mode->ranks > 1 && mode->threads > 1)
        snprintf(tasks, sizeof tasks, "%d ranks x %d threads", mode->ranks, mode->threads);
    else if (mode->ranks > 1)
        snprintf(tasks, sizeof tasks, "%d processes", mode->ranks);
    else
        snprintf(tasks, sizeof tasks, "%d thread%s", mode->threads, mode->threads == 1 ? "" : "s");
    if (config->mode.nodes > 1) snprintf(nodes, sizeof nodes, " of each of %d nodes", config->mode.nodes);
    scheduling_format(&mode->scheduling, sizeof scheduling, scheduling);
    if (target_is_command(config))
        target_text_expanded(config, 100, sizeof target, target);
    else
        snprintf(target, sizeof target, "%s (%s, size %s)", config->kernel, config->variant, config->size);
    snprintf(text, length, "%s, mode %s: %s%s on CPU%s %s%s%s%s", target, mode_name_text(mode->name), tasks,
             target_is_command(config) ? " asked for" : "", mode->cpus.count == 1 ? "" : "s",
             cpu_list_format(&mode->cpus, sizeof cpus, cpus), nodes, *scheduling ? ", " : "", scheduling);
    return text;
}

const char *timeline_trust(const struct timeline_view *view, const struct timeline_summary *summary, size_t length,
                           char *text)
{
    static const char *const sources[TIMELINE_TIERS] = {[TIMELINE_EXACT] = "the kernel's own context-switch records",
                                                        [TIMELINE_SAMPLED] =
                                                            "what /proc tells of each task, at intervals"};
    char error[32], clocks[96] = "";
    const char *why = "";
    for (int h = 0; h < view->host_count && !*why; h++) why = view->hosts[h]->timeline.degraded;
    if (view->host_count > 1)
        snprintf(clocks, sizeof clocks, "; the clocks of the hosts agree within %s",
                 timeline_time(summary->clock_error_s, sizeof error, error));
    snprintf(text, length, "%s: %s; instants within %s%s%s%s", timeline_tier_text(summary->tier),
             sources[summary->tier], timeline_time(summary->error_s, sizeof error, error), clocks,
             *why ? "; why not exact: " : "", why);
    return text;
}

const char *timeline_incomplete(const struct timeline_view *view, size_t length, char *text)
{
    text[0] = '\0';
    for (int h = 0; h < view->host_count; h++) {
        const struct timeline *timeline = &view->hosts[h]->timeline;
        size_t used = strlen(text);
        if (!*timeline->incomplete || used + 2 >= length) continue;
        bool hosts = view->host_count > 1;
        snprintf(text + used, length - used, "%s%s%s%s", used > 0 ? "; " : "", hosts ? timeline->host : "",
                 hosts ? ": " : "", timeline->incomplete);
    }
    return text;
}

const char *timeline_time(double time_s, size_t length, char *text)
{
    char number[64];
    format_time(time_s, sizeof number, number);
    char *unit = strchr(number, ' '), *end = unit;
    if (!unit || !strchr(number, '.')) {
        snprintf(text, length, "%s", number);
        return text;
    }
    while (end[-1] == '0') end--;
    if (end[-1] == '.') end--;
    snprintf(text, length, "%.*s%s", (int)(end - number), number, unit);
    return text;
}

double timeline_tick(double begin_s, double end_s, int most)
{
    double step_s = 1e-9;
    static const double factors[] = {2, 2.5, 2};
    for (int i = 0; i < 100 && (end_s - begin_s) / step_s > most; i++) step_s *= factors[i % 3];
    return step_s;
}

double timeline_unit(double end_s, const char **name_p)
{
    *name_p = end_s < 1e-3 ? "us" : end_s < 2 ? "ms" : "s";
    return end_s < 1e-3 ? 1e-6 : end_s < 2 ? 1e-3 : 1;
}
