/* Who ran where and when: a row for each CPU, with the tasks that ran there as boxes, and under them a row for each
 * task: a box while it runs, a thin line while it is ready without a core, a dotted one while it is blocked. Tasks have
 * colours and letters, the same in both. Where there are more spans than can be told apart, a row is cut into columns
 * of a pixel's width, which show who ran most in them (CPUs), and how much of the time (tasks). */
#include "plot_script.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CPU_ROWS = 16,
    TASK_ROWS = 24,
    TURNS_MOST = 160,
    SPANS_MOST = 4000,
    COLUMNS = 600,
    LETTER_PIXELS = 13,
    SIDES = 130
};
enum { NAME_COLUMNS = 22 };

/* Of a window; numbers from a record may be anything. */
static const double shortest_s = 1e-9;

struct picture {
    const struct timeline *timeline;
    const struct plot_look *look;
    double from_s, end_s;
    double pixel_s;
    bool columns;
    int cpu_count, task_count; /* rows */
};

static bool in_window(const struct picture *picture, const struct timeline_span *span, double *begin_p, double *end_p)
{
    *begin_p = fmax(span->begin_s, picture->from_s);
    *end_p = fmin(span->end_s, fmin(picture->end_s, picture->timeline->length_s));
    return *end_p > *begin_p; /* also where one is no number */
}

static unsigned task_colour(const struct picture *picture, int task)
{
    const struct plot_look *look = picture->look;
    return picture->timeline->tasks[task].rank < 0 ? look->soft : look->series[task % (PLOT_SERIES - 1)];
}

static char task_letter(const struct timeline *timeline, int task)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if (timeline->tasks[task].rank < 0) return '*';
    return task < (int)sizeof letters - 1 ? letters[task] : '?';
}

static double task_row(const struct picture *picture, int task)
{
    return picture->cpu_count + 0.5 + task;
}

/* -1: it has no row. */
static int cpu_row(const struct picture *picture, int cpu)
{
    for (int i = 0; i < picture->cpu_count; i++)
        if (picture->timeline->cpus[i].cpu == cpu) return i;
    return -1;
}

struct turn {
    double begin_s;
    int cpu;
};

static int compare_turns(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->cpu != y->cpu) return (x->cpu > y->cpu) - (x->cpu < y->cpu);
    return (x->begin_s > y->begin_s) - (x->begin_s < y->begin_s);
}

double plot_timeline_length(const struct timeline *timeline)
{
    size_t most = 1;
    int count = 0, on_cpu = 0;
    double length_s = timeline->length_s;
    for (int t = 0; t < timeline->task_count; t++) most += (size_t)timeline->tasks[t].span_count;
    struct turn *turns = malloc(sizeof *turns * most);
    for (int t = 0; turns && t < timeline->task_count; t++)
        for (int s = 0; s < timeline->tasks[t].span_count; s++) {
            const struct timeline_span *span = &timeline->tasks[t].spans[s];
            if (span->state == SPAN_RUNNING && span->begin_s >= 0)
                turns[count++] = (struct turn){span->begin_s, span->cpu};
        }
    if (turns) qsort(turns, (size_t)count, sizeof *turns, compare_turns);
    for (int i = 0; i < count; i++) {
        on_cpu = i > 0 && turns[i].cpu == turns[i - 1].cpu ? on_cpu + 1 : 1;
        if (on_cpu == TURNS_MOST + 1) length_s = fmin(length_s, turns[i].begin_s);
    }
    free(turns);
    return length_s > 0 && length_s < 0.8 * timeline->length_s ? length_s : timeline->length_s;
}

static void find_window(const struct plot_subject *subject, double *from_p, double *length_p)
{
    const struct timeline *timeline = &subject->timeline->timeline;
    bool asked = subject->length_s > 0 && isfinite(subject->length_s);
    *from_p = asked && subject->from_s > 0 && isfinite(subject->from_s) ? subject->from_s : 0;
    *length_p = fmax(asked ? subject->length_s : plot_timeline_length(timeline), shortest_s);
}

static void find_picture(const struct plot_subject *subject, const struct plot_frame *frame, struct picture *picture_p)
{
    const struct timeline *timeline = &subject->timeline->timeline;
    struct picture picture = {.timeline = timeline, .look = frame->look};
    double length_s, begin, end;
    int spans = 0;
    find_window(subject, &picture.from_s, &length_s);
    picture.end_s = picture.from_s + length_s;
    picture.pixel_s = length_s / fmax(frame->width - SIDES, 100);
    picture.cpu_count = timeline->cpu_count < CPU_ROWS ? timeline->cpu_count : CPU_ROWS;
    picture.task_count = timeline->task_count < TASK_ROWS ? timeline->task_count : TASK_ROWS;
    for (int t = 0; t < timeline->task_count; t++)
        for (int s = 0; s < timeline->tasks[t].span_count; s++)
            spans += in_window(&picture, &timeline->tasks[t].spans[s], &begin, &end);
    picture.columns = spans > SPANS_MOST;
    *picture_p = picture;
}

static void write_box(FILE *file, double begin, double end, double low, double high, unsigned colour)
{
    fprintf(file, "%.9g %.9g %.9g %.9g %u\n", begin, end, low, high, colour);
}

/* Boxes of running, each as it was. */
static void write_runs(FILE *file, const struct picture *picture)
{
    const struct timeline *timeline = picture->timeline;
    double begin, end;
    for (int t = 0; t < timeline->task_count; t++)
        for (int s = 0; s < timeline->tasks[t].span_count; s++) {
            const struct timeline_span *span = &timeline->tasks[t].spans[s];
            if (span->state != SPAN_RUNNING || !in_window(picture, span, &begin, &end)) continue;
            int row = cpu_row(picture, span->cpu);
            unsigned colour = task_colour(picture, t);
            if (row >= 0) write_box(file, begin, end, row - 0.4, row + 0.4, colour);
            if (t < picture->task_count)
                write_box(file, begin, end, task_row(picture, t) - 0.36, task_row(picture, t) + 0.36, colour);
        }
}

/* Adds to each column the time of the task's running there; on one CPU, or anywhere (-1). */
static void add_running(const struct picture *picture, int task, int cpu, double columns_s[COLUMNS])
{
    const struct timeline_task *own = &picture->timeline->tasks[task];
    double width = (picture->end_s - picture->from_s) / COLUMNS, begin, end;
    for (int s = 0; s < own->span_count; s++) {
        if (own->spans[s].state != SPAN_RUNNING || (cpu >= 0 && own->spans[s].cpu != cpu)) continue;
        if (!in_window(picture, &own->spans[s], &begin, &end)) continue;
        int first = (int)((begin - picture->from_s) / width), last = (int)((end - picture->from_s) / width);
        for (int i = first; i <= last && i < COLUMNS; i++) {
            double left = picture->from_s + i * width;
            columns_s[i] += fmax(fmin(end, left + width) - fmax(begin, left), 0);
        }
    }
}

static void write_task_columns(FILE *file, const struct picture *picture, int task)
{
    double columns_s[COLUMNS] = {0}, width = (picture->end_s - picture->from_s) / COLUMNS;
    double bottom = task_row(picture, task) + 0.36;
    add_running(picture, task, -1, columns_s);
    for (int i = 0; i < COLUMNS; i++)
        if (columns_s[i] > 0)
            write_box(file, picture->from_s + i * width, picture->from_s + (i + 1) * width,
                      bottom - 0.72 * fmin(columns_s[i] / width, 1), bottom, task_colour(picture, task));
}

static void write_cpu_columns(FILE *file, const struct picture *picture, int row)
{
    double most_s[COLUMNS] = {0}, width = (picture->end_s - picture->from_s) / COLUMNS;
    int who[COLUMNS];
    for (int t = 0; t < picture->timeline->task_count; t++) {
        double columns_s[COLUMNS] = {0};
        add_running(picture, t, picture->timeline->cpus[row].cpu, columns_s);
        for (int i = 0; i < COLUMNS; i++) {
            if (!(columns_s[i] > most_s[i])) continue;
            most_s[i] = columns_s[i];
            who[i] = t;
        }
    }
    for (int i = 0; i < COLUMNS; i++)
        if (most_s[i] > 0)
            write_box(file, picture->from_s + i * width, picture->from_s + (i + 1) * width, row - 0.4, row + 0.4,
                      task_colour(picture, who[i]));
}

/* Where a task of a row is not running; those that are less than half a pixel wide would not be seen. */
static void write_waits(FILE *file, const struct picture *picture, enum span_state state)
{
    double begin, end;
    int written = 0;
    for (int t = 0; t < picture->task_count; t++)
        for (int s = 0; s < picture->timeline->tasks[t].span_count; s++) {
            const struct timeline_span *span = &picture->timeline->tasks[t].spans[s];
            if (span->state != state || !in_window(picture, span, &begin, &end) || end - begin < 0.5 * picture->pixel_s)
                continue;
            fprintf(file, "%.9g %.9g %.9g %u\n", begin, task_row(picture, t), end - begin, task_colour(picture, t));
            written++;
        }
    if (written == 0) fprintf(file, "%.9g -100 0 0\n", picture->from_s); /* gnuplot knows no empty block */
}

static void write_data(FILE *file, const struct picture *picture)
{
    fputs("$run << EOD\n", file);
    if (picture->columns) {
        for (int row = 0; row < picture->cpu_count; row++) write_cpu_columns(file, picture, row);
        for (int t = 0; t < picture->task_count; t++) write_task_columns(file, picture, t);
    } else {
        write_runs(file, picture);
    }
    fputs("EOD\n$ready << EOD\n", file);
    write_waits(file, picture, SPAN_READY);
    fputs("EOD\n$blocked << EOD\n", file);
    write_waits(file, picture, SPAN_BLOCKED);
    fputs("EOD\n", file);
}

/* Where a box on a CPU has room for its task's letter. */
static void write_letters(FILE *file, const struct picture *picture)
{
    double begin, end;
    if (picture->columns) return;
    for (int t = 0; t < picture->timeline->task_count; t++)
        for (int s = 0; s < picture->timeline->tasks[t].span_count; s++) {
            const struct timeline_span *span = &picture->timeline->tasks[t].spans[s];
            int row = span->state == SPAN_RUNNING ? cpu_row(picture, span->cpu) : -1;
            if (row < 0 || !in_window(picture, span, &begin, &end) || end - begin < LETTER_PIXELS * picture->pixel_s)
                continue;
            fprintf(file, "set label '%c' at %.9g,%d center front noenhanced font ',11' textcolor rgb \"#%06x\"\n",
                    task_letter(picture->timeline, t), (begin + end) / 2, row, picture->look->page);
        }
}

static const char *task_name(const struct timeline_record *record, int task, size_t length, char *text)
{
    const struct timeline_task *own = &record->timeline.tasks[task];
    const struct mode *mode = &record->config.mode;
    char name[64], part[48], letter = task_letter(&record->timeline, task);
    if (own->rank < 0)
        plot_shorten(own->name, NAME_COLUMNS - 4, sizeof name, name);
    else if (target_is_command(&record->config)) /* which of them share the work is not known */
        snprintf(name, sizeof name, "%s %d", plot_shorten(own->name, NAME_COLUMNS - 12, sizeof part, part),
                 (int)own->tid);
    else if (mode->ranks <= 1)
        snprintf(name, sizeof name, "thread %d", own->thread);
    else if (mode->threads <= 1)
        snprintf(name, sizeof name, "rank %d", own->rank);
    else
        snprintf(name, sizeof name, "rank %d thread %d", own->rank, own->thread);
    snprintf(text, length, "%c  %s", letter, name);
    return text;
}

static void write_rows(FILE *file, const struct picture *picture, const struct timeline_record *record)
{
    fprintf(file, "set yrange [%.9g:-0.7] noextend\nset ytics scale 0 (", task_row(picture, picture->task_count) - 0.2);
    for (int i = 0; i < picture->cpu_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "CPU %d", record->timeline.cpus[i].cpu);
        fputs(i ? ", " : "", file);
        plot_tic(file, name, i);
    }
    for (int t = 0; t < picture->task_count; t++) {
        char name[128];
        fputs(picture->cpu_count + t > 0 ? ", " : "", file);
        plot_tic(file, task_name(record, t, sizeof name, name), task_row(picture, t));
    }
    fputs(")\nunset grid\nset grid x\nset border 1\n", file);
}

const char *plot_timeline_axis(const struct timeline_record *record, const char *title, size_t length, char *text)
{
    const struct timeline *timeline = &record->timeline;
    char error[32];
    snprintf(text, length, "%s (%s, within %s%s%s)", title, timeline_tier_text(timeline->tier),
             format_time(timeline->error_s, sizeof error, error), *timeline->incomplete ? "; INCOMPLETE" : "",
             record->validity == SAMPLE_INVALID ? "; DISTURBED" : "");
    return text;
}

static int script_timeline(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    const struct config *config = &subject->timeline->config;
    const struct plot_look *look = frame->look;
    struct picture picture;
    char scheduling[128], target[160], title[384], axis[128];
    find_picture(subject, frame, &picture);
    int workers = mode_workers(&config->mode), cpus = config->mode.cpus.count;
    scheduling_format(&config->mode.scheduling, sizeof scheduling, scheduling);
    snprintf(title, sizeof title, "%s, %s: %d worker%s, %d CPU%s%s%s",
             target_text_expanded(config, 40, sizeof target, target), mode_name_text(config->mode.name), workers,
             workers == 1 ? "" : "s", cpus, cpus == 1 ? "" : "s", *scheduling ? ", " : "", scheduling);
    plot_write_settings(file, frame, title);
    const struct plot_axis x = {.name = 'x', .low = picture.from_s, .high = picture.end_s};
    plot_timeline_axis(subject->timeline, "time since the start", sizeof axis, axis);
    plot_write_axis(file, &x, axis, plot_label_time);
    write_rows(file, &picture, subject->timeline);
    write_letters(file, &picture);
    write_data(file, &picture);
    fputs("plot $blocked using 1:2:3:(0) with vectors nohead lw 1.2 dt 3", file);
    plot_colour(file, look->soft, 1);
    fputs(" notitle, \\\n    $ready using 1:2:3:(0):4 with vectors nohead lw 1.2 lc rgb variable notitle, \\\n    "
          "$run using 1:3:1:2:3:4:5 with boxxyerror fs solid 1 noborder lc rgb variable notitle\n",
          file);
    return 0;
}

static bool has_timeline(const struct plot_subject *subject, size_t length, char *reason_p)
{
    const struct timeline *timeline = &subject->timeline->timeline;
    bool good = timeline->task_count > 0 && timeline->length_s > 0 && isfinite(timeline->length_s);
    if (!good) snprintf(reason_p, length, "the timeline has no task");
    return good;
}

static void caption_timeline(const struct plot_subject *subject, size_t length, char *text)
{
    static const char *const sources[TIMELINE_TIERS] = {[TIMELINE_EXACT] = "by the kernel's own context-switch records",
                                                        [TIMELINE_SAMPLED] =
                                                            "sampled from what /proc tells of each task, not recorded"};
    const struct timeline *timeline = &subject->timeline->timeline;
    char window[64], all[32], shown[32], error[32], more[96] = "";
    double from_s, length_s;
    find_window(subject, &from_s, &length_s);
    snprintf(window, sizeof window, "All of it is shown.");
    if (from_s > 0 || length_s < timeline->length_s)
        snprintf(window, sizeof window, "Of %s, %s are shown.", format_time(timeline->length_s, sizeof all, all),
                 format_time(fmin(length_s, timeline->length_s - from_s), sizeof shown, shown));
    if (timeline->task_count > TASK_ROWS || timeline->cpu_count > CPU_ROWS)
        snprintf(more, sizeof more, " %d more CPUs and %d more tasks have no row.",
                 timeline->cpu_count > CPU_ROWS ? timeline->cpu_count - CPU_ROWS : 0,
                 timeline->task_count > TASK_ROWS ? timeline->task_count - TASK_ROWS : 0);
    snprintf(text, length,
             "Above, what ran on each CPU; below, each task: a box while it runs, a line while it is ready without a "
             "core, dots while it is blocked. Observed %s; instants are right within %s.%s%s%s %s%s",
             sources[timeline->tier], format_time(timeline->error_s, sizeof error, error),
             *timeline->incomplete ? " Incomplete: " : "", timeline->incomplete, *timeline->incomplete ? "." : "",
             window, more);
}

static int area_timeline(const struct plot_subject *subject)
{
    const struct timeline *timeline = &subject->timeline->timeline;
    int cpus = timeline->cpu_count < CPU_ROWS ? timeline->cpu_count : CPU_ROWS;
    int tasks = timeline->task_count < TASK_ROWS ? timeline->task_count : TASK_ROWS;
    return 26 * (cpus + tasks + 1);
}

static void key_timeline(const struct plot_subject *subject, const struct plot_look *look, struct plot_key *key_p)
{
    bool exact = subject->timeline->timeline.tier == TIMELINE_EXACT; /* when a task was woken is not told there */
    plot_key_add(key_p, PLOT_MARK_BOX, 0, 0, look->series[0], "running");
    plot_key_add(key_p, PLOT_MARK_LINE, 0, 0, look->series[0], "ready, without a core");
    plot_key_add(key_p, PLOT_MARK_LINE, 0, 3, look->soft,
                 exact ? "blocked, or woken and not on a core yet" : "blocked");
}

const struct plot_figure plot_figure_timeline = {"timeline",      "Timeline",    has_timeline, caption_timeline,
                                                 script_timeline, area_timeline, key_timeline};
