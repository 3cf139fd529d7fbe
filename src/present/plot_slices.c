/* How long time slices are: of every span of running that the window does not cut, as the share of slices that are at
 * most so long, and as a histogram of equal steps of the logarithm. Those of workers, where there are any. */
#include "plot_script.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS_DECADE = 8, STEPS_MOST = 500 };

/* Shorter than anything that runs; numbers from a record may be anything. */
static const double shortest_s = 1e-9, longest_s = 1e9;

static const double bar_opacity = 0.45;

static bool has_workers(const struct timeline *timeline)
{
    for (int t = 0; t < timeline->task_count; t++)
        if (timeline->tasks[t].rank >= 0) return true;
    return false;
}

static bool is_slice(const struct timeline *timeline, const struct timeline_span *span)
{
    double length_s = span->end_s - span->begin_s;
    return span->state == SPAN_RUNNING && span->begin_s > 0 && span->end_s < timeline->length_s &&
           length_s > shortest_s && length_s < longest_s;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Ascending; heap, the caller's. 0 or -ENOMEM. */
static int find_slices(const struct timeline *timeline, int *count_p, double **slices_p)
{
    bool workers = has_workers(timeline);
    size_t most = 1;
    int count = 0;
    for (int t = 0; t < timeline->task_count; t++) most += (size_t)timeline->tasks[t].span_count;
    double *slices = malloc(sizeof *slices * most);
    if (!slices) return -ENOMEM;
    for (int t = 0; t < timeline->task_count; t++) {
        const struct timeline_task *task = &timeline->tasks[t];
        for (int s = 0; s < task->span_count && (!workers || task->rank >= 0); s++)
            if (is_slice(timeline, &task->spans[s])) slices[count++] = task->spans[s].end_s - task->spans[s].begin_s;
    }
    qsort(slices, (size_t)count, sizeof *slices, compare);
    *count_p = count;
    *slices_p = slices;
    return 0;
}

static bool has_slices(const struct plot_subject *subject, size_t length, char *reason_p)
{
    int count = 0;
    double *slices = NULL;
    int status = find_slices(&subject->timeline->timeline, &count, &slices);
    free(slices);
    if (status)
        snprintf(reason_p, length, "no memory is left");
    else if (count < 2)
        snprintf(reason_p, length, "hardly any task was switched out and in again");
    return !status && count >= 2;
}

static void write_slices(FILE *file, int count, const double slices[], const struct plot_axis *x)
{
    int steps = count < STEPS_MOST ? count : STEPS_MOST;
    double width = 1.0 / BINS_DECADE, low = floor(log10(x->low) / width) * width;
    fprintf(file, "$bins << EOD\n");
    for (int i = 0, bin = 0; i < count; bin++) {
        double end = pow(10, low + (bin + 1) * width);
        int first = i;
        while (i < count && slices[i] < end) i++;
        if (i > first) fprintf(file, "%.9g %.9g %.9g\n", pow(10, low + bin * width), end, (double)(i - first) / count);
    }
    fprintf(file, "EOD\n$share << EOD\n%.9g 0\n", slices[0]);
    for (int i = 0; i < steps; i++) {
        int at = steps > 1 ? (int)((long)i * (count - 1) / (steps - 1)) : 0;
        fprintf(file, "%.9g %.9g\n", slices[at], (double)(at + 1) / count);
    }
    fprintf(file, "%.9g 1\nEOD\n", x->high);
}

/* Drawn as lines, and told in the legend. */
static const struct {
    double quantile;
    const char *name;
} marks[] = {{0.05, "p5"}, {0.5, "p50"}, {0.95, "p95"}};

enum { MARKS = sizeof marks / sizeof *marks };

static void write_quantiles(FILE *file, int count, const double slices[], const struct plot_look *look)
{
    for (int i = 0; i < MARKS; i++) {
        double at = quantile(count, slices, marks[i].quantile);
        fprintf(file, "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead front lw 1 dt 3", at, at);
        plot_colour(file, look->ink, 1);
        fputc('\n', file);
    }
}

static int script_slices(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    const struct config *config = &subject->timeline->config;
    const struct plot_look *look = frame->look;
    double *slices;
    int count;
    char scheduling[128], target[160], title[384], axis[128];
    int status = find_slices(&subject->timeline->timeline, &count, &slices);
    if (status) return status;
    scheduling_format(&config->mode.scheduling, sizeof scheduling, scheduling);
    snprintf(title, sizeof title, "Time slices: %s, %s, %d workers%s%s",
             target_text_expanded(config, 40, sizeof target, target), mode_name_text(config->mode.name),
             mode_workers(&config->mode), *scheduling ? ", " : "", scheduling);
    plot_write_settings(file, frame, title);
    struct plot_axis x = {.name = 'x', .base_ten = true, .low = slices[0] / 1.5, .high = slices[count - 1] * 1.5};
    if (x.high / x.low < 10) x.low /= 3, x.high *= 3;
    const struct plot_axis y = {.name = 'y', .high = 1.02};
    plot_timeline_axis(subject->timeline, "length of a slice", sizeof axis, axis);
    plot_write_axis(file, &x, axis, plot_label_time);
    plot_write_axis(file, &y, "share of the slices", plot_label_share);
    write_quantiles(file, count, slices, look);
    write_slices(file, count, slices, &x);
    free(slices);
    fputs("plot $bins using 1:3:1:2:(0):3 with boxxyerror fs solid 1 noborder", file);
    plot_colour(file, look->series[5], bar_opacity);
    fputs(" notitle, \\\n    $share using 1:2 with fsteps lw 2.2", file);
    plot_colour(file, look->series[0], 1);
    fputs(" notitle\n", file);
    return 0;
}

static void caption_slices(const struct plot_subject *subject, size_t length, char *text)
{
    int count = 0;
    double *slices = NULL;
    const struct timeline *timeline = &subject->timeline->timeline;
    find_slices(timeline, &count, &slices);
    free(slices);
    snprintf(
        text, length,
        "%d times that %s ran without a break, between being given a core and losing it; those that the window cuts "
        "are not counted. Dotted: the 5th, 50th and 95th percentile.%s%s",
        count, has_workers(timeline) ? "a worker" : "a task",
        timeline->tier == TIMELINE_EXACT
            ? ""
            : " Sampled, not recorded: shorter slices than the sampling interval are missed.",
        *timeline->incomplete ? " The timeline is incomplete." : "");
}

static void key_slices(const struct plot_subject *subject, const struct plot_look *look, struct plot_key *key_p)
{
    double *slices = NULL;
    char text[160] = "", time[32];
    int count = 0;
    find_slices(&subject->timeline->timeline, &count, &slices);
    for (int i = 0; i < MARKS && count > 0; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s %s", i ? ", " : "", marks[i].name,
                 format_time(quantile(count, slices, marks[i].quantile), sizeof time, time));
    }
    free(slices);
    plot_key_add(key_p, PLOT_MARK_BOX, 0, 0, look->series[5], "as long as the bar is wide");
    key_p->entries[0].opacity = bar_opacity;
    plot_key_add(key_p, PLOT_MARK_LINE, 0, 0, look->series[0], "at most so long");
    if (*text) plot_key_add(key_p, PLOT_MARK_LINE, 0, 3, look->ink, text);
}

const struct plot_figure plot_figure_slices = {"slices",      "Time slices", has_slices, caption_slices,
                                               script_slices, NULL,          key_slices};
