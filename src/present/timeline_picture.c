/* The picture: a row a CPU with the letter of the task that ran there most in each column, a row a worker with its
 * state, and a row with how many ran at once. Letters and marks say all that the colours say.
 *
 * Columns that are longer than slices would show one task where several took turns. So the part that is drawn is chosen
 * for two columns a slice, by the slices in which most of the running went by; where it was asked for, the legend says
 * what the columns hide. */
#include "timeline_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_LEAST = 10, CELLS_MOST = 200, VALUE_WIDTH = 6, ROWS_MOST = 40, CPU_ROWS_MOST = 16, WORKERS_APART = 1000 };

enum { STATE_ABSENT = 3, STATES };

struct picture {
    FILE *stream;
    const struct style *style;
    const struct timeline_view *view;
    const struct timeline_summary *summary;
    double begin_s, end_s, column_s;
    int label, cells;
    int cpu_rows, task_rows;
    bool chosen;     /* a part, for legibility */
    bool there_only; /* a row for those workers alone that are there in this part */
};

/* The largest short number up to a tenth over that. */
static double shorten(double time_s)
{
    static const double steps[] = {8, 6, 5, 4, 3, 2.5, 2, 1.5, 1};
    double power_s = pow(10, floor(log10(time_s * 1.1)));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * power_s <= time_s * 1.1) return steps[i] * power_s;
    return power_s;
}

static void find_part(struct picture *picture, bool choose)
{
    double usual_s = picture->summary->slice_usual_s;
    picture->begin_s = picture->view->begin_s;
    picture->end_s = picture->view->end_s;
    picture->column_s = (picture->end_s - picture->begin_s) / picture->cells;
    if (!choose || !(usual_s < 2 * picture->column_s)) return;
    double column_s = shorten(fmax(usual_s / 2, fmax(picture->summary->error_s, 1e-9)));
    if (!(column_s < picture->column_s)) return;
    picture->chosen = true;
    picture->column_s = column_s;
    picture->end_s = picture->begin_s + column_s * picture->cells;
}

static void find_layout(struct picture *picture)
{
    const struct timeline_view *view = picture->view;
    char name[96];
    int cpus = timeline_cpus_shown(view, TIMELINE_CPUS_IDLE), room = ROWS_MOST - view->worker_count;
    if (room < CPU_ROWS_MOST) room = CPU_ROWS_MOST;
    picture->cpu_rows = cpus < room ? cpus : room;
    room = ROWS_MOST - picture->cpu_rows;
    picture->task_rows = view->worker_count < room ? view->worker_count : room;
    picture->label = (int)strlen("running");
    for (int c = 0; c < view->cpu_count; c++) {
        int width = text_width(timeline_cpu_name(view, c, sizeof name, name));
        if (timeline_cpu_shown(view, c, TIMELINE_CPUS_IDLE) && width > picture->label) picture->label = width;
    }
    for (int t = 0; t < picture->task_rows; t++) {
        int width = 2 + text_width(timeline_task_name(view, t, sizeof name, name));
        if (width > picture->label) picture->label = width;
    }
    picture->cells = picture->style->width - picture->label - 2 - VALUE_WIDTH;
    if (picture->cells > CELLS_MOST) picture->cells = CELLS_MOST;
    if (picture->cells < CELLS_LEAST) picture->cells = CELLS_LEAST;
}

static void print_label(const struct picture *picture, const char *name)
{
    int width = text_width(name);
    text_print_plain(picture->stream, picture->style, name, strlen(name));
    fprintf(picture->stream, "%*s", picture->label > width ? picture->label - width + 1 : 1, "");
}

static void print_axis(const struct picture *picture)
{
    char line[CELLS_MOST + 1];
    const char *unit;
    double scale = timeline_unit(picture->end_s, &unit);
    double step_s = timeline_tick(picture->begin_s, picture->end_s, picture->cells / 10);
    int free_from = 0;
    memset(line, ' ', sizeof line);
    line[picture->cells] = '\0';
    for (int i = 0; i < 1000; i++) {
        double tick_s = (ceil(picture->begin_s / step_s - 1e-6) + i) * step_s;
        double at = (tick_s - picture->begin_s) / picture->column_s;
        char label[48];
        int length = snprintf(label, sizeof label, "|%.6g%s%s", tick_s / scale, free_from == 0 ? " " : "",
                              free_from == 0 ? unit : "");
        if (!(at < picture->cells)) break;
        int cell = (int)(at + 1e-6);
        if (cell < free_from || cell + length > picture->cells) continue;
        memcpy(line + cell, label, (size_t)length);
        free_from = cell + length + 1;
    }
    fprintf(picture->stream, "%s%*s%s %*s%s\n", style_tone(picture->style, TONE_DIM), picture->label + 1, "", line,
            VALUE_WIDTH, "ran", style_tone(picture->style, TONE_PLAIN));
}

/* Adds what lies of a span in each column, as shares of a column. */
static void add_span(const struct picture *picture, double begin_s, double end_s, double cells[])
{
    double from = fmax((begin_s - picture->begin_s) / picture->column_s, 0);
    double to = fmin((end_s - picture->begin_s) / picture->column_s, picture->cells);
    for (int c = from < picture->cells ? (int)from : picture->cells; c < to; c++)
        cells[c] += fmax(fmin(to, c + 1) - fmax(from, c), 0);
}

static void print_share(const struct picture *picture, double share)
{
    char text[32];
    fprintf(picture->stream, "%s %*s\n", style_tone(picture->style, TONE_PLAIN), VALUE_WIDTH,
            format_share(share, sizeof text, text));
}

/* Workers that are told apart; all further ones, for which there are no letters, count as one. */
static int count_rows(const struct timeline_view *view)
{
    return view->worker_count < WORKERS_APART ? view->worker_count : WORKERS_APART;
}

/* In each column the task that ran most; -1 where none ran for half of it. */
static void choose_tasks(const struct picture *picture, const struct view_cpu *cpu, double *times, int tasks_p[])
{
    const struct timeline_view *view = picture->view;
    int others = count_rows(view), cells = picture->cells;
    for (int i = 0; i < (others + 1) * cells; i++) times[i] = 0;
    for (int r = cpu->first_run; r < cpu->first_run + cpu->run_count; r++) {
        const struct view_run *run = &view->runs[r];
        if (run->begin_s >= picture->end_s) break;
        int row = run->task >= view->worker_count ? others : run->task < others ? run->task : others - 1;
        add_span(picture, run->begin_s, run->end_s, times + row * cells);
    }
    for (int c = 0; c < cells; c++) {
        double most = 0, all = 0;
        for (int t = 0; t <= others; t++) {
            double time = times[t * cells + c];
            all += time;
            if (time > most) tasks_p[c] = t < others ? t : view->worker_count;
            most = fmax(most, time);
        }
        if (all < 0.5) tasks_p[c] = -1;
    }
}

static void print_cpu(const struct picture *picture, int cpu, double *times)
{
    const struct timeline_view *view = picture->view;
    const struct view_cpu *own = &view->cpus[cpu];
    char name[96];
    int tasks[CELLS_MOST] = {0}, before = -1;
    double used_s = 0;
    choose_tasks(picture, own, times, tasks);
    for (int r = own->first_run; r < own->first_run + own->run_count; r++)
        used_s += fmax(fmin(view->runs[r].end_s, picture->end_s) - view->runs[r].begin_s, 0);
    print_label(picture, timeline_cpu_name(view, cpu, sizeof name, name));
    for (int c = 0; c < picture->cells; c++) {
        int task = tasks[c];
        if (c == 0 || task != before) {
            if (c > 0) fputs(style_tone(picture->style, TONE_PLAIN), picture->stream);
            fputs(task < 0                     ? style_tone(picture->style, TONE_DIM)
                  : task >= view->worker_count ? ""
                                               : style_task_tone(picture->style, task, true),
                  picture->stream);
        }
        if (task < 0)
            fputs(picture->style->utf8 ? "\u00b7" : ".", picture->stream);
        else
            fputc(timeline_letter(view, task), picture->stream);
        before = task;
    }
    print_share(picture, used_s / (fmin(picture->end_s, view->end_s) - picture->begin_s));
}

static void print_task(const struct picture *picture, int task)
{
    static const char *const utf8[STATES] = {"\u2588", "\u2500", "\u00b7", " "};
    static const char ascii[STATES + 1] = "#-. ";
    const struct view_task *own = &picture->view->tasks[task];
    double times[STATES][CELLS_MOST] = {{0}}, ran_s = 0;
    int before = -1;
    for (int s = own->first_span; s < own->end_span; s++) {
        struct timeline_span span = timeline_view_span(picture->view, task, s);
        if (span.begin_s >= picture->end_s) break;
        add_span(picture, span.begin_s, span.end_s, times[span.state]);
        if (span.state == SPAN_RUNNING) ran_s += fmin(span.end_s, picture->end_s) - span.begin_s;
    }
    char name[96], label[112];
    snprintf(label, sizeof label, "%c %s", timeline_letter(picture->view, task),
             timeline_task_name(picture->view, task, sizeof name, name));
    print_label(picture, label);
    for (int c = 0; c < picture->cells; c++) {
        int state = SPAN_RUNNING;
        times[STATE_ABSENT][c] = 1 - times[SPAN_RUNNING][c] - times[SPAN_READY][c] - times[SPAN_BLOCKED][c];
        for (int i = 1; i < STATES; i++)
            if (times[i][c] > times[state][c]) state = i;
        if (state != before)
            fprintf(picture->stream, "%s%s", style_tone(picture->style, TONE_PLAIN),
                    state == SPAN_RUNNING ? style_task_tone(picture->style, task, false)
                                          : style_tone(picture->style, TONE_DIM));
        if (picture->style->utf8)
            fputs(utf8[state], picture->stream);
        else
            fputc(ascii[state], picture->stream);
        before = state;
    }
    print_share(picture, ran_s / (fmin(picture->end_s, picture->view->end_s) - picture->begin_s));
}

static void print_levels(const struct picture *picture)
{
    static const char *const names[] = {"running", "ready"};
    struct timeline_level levels[CELLS_MOST], all;
    char value[32];
    double end_s = fmin(picture->end_s, picture->view->end_s);
    timeline_levels(picture->view, picture->begin_s, picture->end_s, picture->cells, levels);
    timeline_levels(picture->view, picture->begin_s, end_s, 1, &all);
    for (int row = 0; row < 2; row++) {
        print_label(picture, names[row]);
        fputs(style_tone(picture->style, row == 0 ? TONE_STRONG : TONE_DIM), picture->stream);
        for (int c = 0; c < picture->cells; c++) {
            double level = row == 0 ? levels[c].running : levels[c].ready;
            bool beyond = picture->begin_s + (c + 0.5) * picture->column_s > end_s;
            fputc(beyond ? ' ' : level < 9.5 ? '0' + (int)lround(level) : '+', picture->stream);
        }
        fprintf(picture->stream, "%s %*s\n", style_tone(picture->style, TONE_PLAIN), VALUE_WIDTH,
                format_ratio(row == 0 ? all.running : all.ready, sizeof value, value));
    }
}

/* "1 task of 41 and 3 of 20 CPUs have no row". */
static void print_left_out(const struct picture *picture)
{
    const struct timeline_view *view = picture->view;
    int shown = timeline_cpus_shown(view, TIMELINE_CPUS_IDLE), tasks = view->worker_count - picture->task_rows,
        cpus = shown - picture->cpu_rows;
    int idle = view->cpu_count - shown;
    char text[256] = "";
    size_t used = 0;
    if (tasks > 0) used += (size_t)snprintf(text, sizeof text, "%d more workers have no row here. ", tasks);
    if (cpus > 0) used += (size_t)snprintf(text + used, sizeof text - used, "%d more CPUs have no row here. ", cpus);
    if (idle > 0)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%d further CPUs were watched: no task of this run ran there. ", idle);
    if (view->worker_count > TIMELINE_LETTERS)
        snprintf(text + used, sizeof text - used,
                 "? is one of the workers from the %drd on, for which there are no letters.", TIMELINE_LETTERS + 1);
    if (*text) text_print_wrapped(picture->stream, picture->style, 0, 0, text);
}

/* The names of the other tasks that ran, at most three. */
static const char *name_others(const struct timeline_view *view, size_t length, char *text)
{
    int named = 0;
    text[0] = '\0';
    for (int t = view->worker_count; t < view->task_count && named < 3; t++) {
        bool first = true;
        for (int u = view->worker_count; u < t && first; u++)
            first = strcmp(view->tasks[u].task->name, view->tasks[t].task->name) != 0;
        size_t used = strlen(text);
        if (!first || used + 1 >= length) continue;
        snprintf(text + used, length - used, "%s%s", named > 0 ? ", " : "", view->tasks[t].task->name);
        named++;
    }
    return text;
}

/* "A-D", "A-Z, a-f": the letters that are used. */
static const char *list_letters(const struct timeline_view *view, size_t length, char *text)
{
    static const char *const full[] = {"A-Z, ", "A-Z, a-z, ", "A-Z, a-z, 0-9, ?"};
    static const char firsts[] = "Aa0";
    int last = view->worker_count - 1, alphabet = last / 26;
    if (last >= TIMELINE_LETTERS)
        snprintf(text, length, "%s", full[2]);
    else if (last % 26 == 0)
        snprintf(text, length, "%s%c", alphabet > 0 ? full[alphabet - 1] : "", firsts[alphabet]);
    else
        snprintf(text, length, "%s%c-%c", alphabet > 0 ? full[alphabet - 1] : "", firsts[alphabet],
                 timeline_letter(view, last));
    return text;
}

static void print_legend(const struct picture *picture)
{
    const struct timeline_view *view = picture->view;
    bool utf8 = picture->style->utf8, exact = picture->summary->tier == TIMELINE_EXACT;
    char text[320], names[112], others[160] = "", letters[48] = "no letter, as there is no worker:";
    if (view->worker_count > 0) list_letters(view, sizeof letters, letters);
    if (view->task_count > view->worker_count)
        snprintf(others, sizeof others, "* another task of this run (%s); ", name_others(view, sizeof names, names));
    fputs(style_tone(picture->style, TONE_DIM), picture->stream);
    snprintf(text, sizeof text,
             "CPUs: %s the worker that ran there most of the column; %s%s none of this run (idle, or another program).",
             letters, others, utf8 ? "\u00b7" : ".");
    text_print_wrapped(picture->stream, picture->style, 0, 2, text);
    snprintf(text, sizeof text, "Workers: %s running; %s ready, but without a core; %s blocked%s.",
             utf8 ? "\u2588" : "#", utf8 ? "\u2500" : "-", utf8 ? "\u00b7" : ".",
             exact ? ", or woken and not on a core yet" : "");
    text_print_wrapped(picture->stream, picture->style, 0, 2, text);
    if (view->worker_count > 1)
        text_print_wrapped(picture->stream, picture->style, 0, 2,
                           "running, ready: how many workers at once. ran: share of the time shown.");
    fputs(style_tone(picture->style, TONE_PLAIN), picture->stream);
}

/* Which part is shown, and what the columns hide. */
static void print_part(const struct picture *picture)
{
    const struct timeline_view *view = picture->view;
    char text[384], part[48], all[48], column[48], slice[48];
    double usual_s = picture->summary->slice_usual_s;
    timeline_time(picture->column_s, sizeof column, column);
    timeline_time(picture->end_s - picture->begin_s, sizeof part, part);
    timeline_time(view->end_s - view->begin_s, sizeof all, all);
    timeline_time(usual_s, sizeof slice, slice);
    if (picture->chosen)
        snprintf(text, sizeof text,
                 "A zoom into the first %s of %s: a column is %s, and a time slice %s. --from and --to of 'speedup "
                 "timeline' show other parts.",
                 part, all, column, slice);
    else if (usual_s < 2 * picture->column_s)
        snprintf(text, sizeof text,
                 "A column is %s, and a time slice %s: each column shows the task that ran most, and hides the turns "
                 "in it. --from and --to of 'speedup timeline' zoom in.",
                 column, slice);
    else
        snprintf(text, sizeof text, "A column is %s.", column);
    text_print_wrapped(picture->stream, picture->style, 0, 0, text);
}

static bool is_there(const struct picture *picture, int task)
{
    const struct view_task *own = &picture->view->tasks[task];
    if (own->first_span == own->end_span) return false;
    return timeline_view_span(picture->view, task, own->first_span).begin_s < picture->end_s &&
           timeline_view_span(picture->view, task, own->end_span - 1).end_s > picture->begin_s;
}

/* Axis, CPUs, workers. Returns how many have no row as they are not there. */
static int print_rows(const struct picture *picture, double *times)
{
    int absent = 0;
    const struct timeline_view *view = picture->view;
    print_axis(picture);
    for (int c = 0, rows = 0; c < view->cpu_count && rows < picture->cpu_rows; c++) {
        if (!timeline_cpu_shown(view, c, TIMELINE_CPUS_IDLE)) continue;
        print_cpu(picture, c, times);
        rows++;
    }
    if (picture->task_rows > 0) fputc('\n', picture->stream);
    for (int t = 0; t < picture->task_rows; t++) {
        if (!picture->there_only || is_there(picture, t))
            print_task(picture, t);
        else
            absent++;
    }
    return absent;
}

/* What print_rows counts in; NULL: no memory. */
static double *new_times(const struct picture *picture)
{
    return calloc((size_t)(count_rows(picture->view) + 1) * (size_t)picture->cells, sizeof(double));
}

void timeline_print_picture(FILE *stream, const struct style *style, const struct timeline_view *view,
                            const struct timeline_summary *summary, bool choose)
{
    struct picture picture = {.stream = stream, .style = style, .view = view, .summary = summary};
    if (view->task_count == 0 || !(view->end_s > view->begin_s)) return;
    find_layout(&picture);
    find_part(&picture, choose);
    double *times = new_times(&picture);
    if (!times) return; /* the numbers say it */
    print_part(&picture);
    fputc('\n', stream);
    print_rows(&picture, times);
    if (view->worker_count > 1) {
        fputc('\n', stream);
        print_levels(&picture);
    }
    fputc('\n', stream);
    print_left_out(&picture);
    print_legend(&picture);
    free(times);
}

void timeline_print_brief(FILE *stream, const struct style *style, const struct timeline_view *view,
                          const struct timeline_summary *summary, double *column_s_p)
{
    struct picture picture = {.stream = stream, .style = style, .view = view, .summary = summary, .there_only = true};
    char text[80];
    if (view->task_count == 0 || !(view->end_s > view->begin_s)) return;
    find_layout(&picture);
    find_part(&picture, true);
    if (*column_s_p > 0) {
        picture.column_s = *column_s_p;
        picture.end_s = picture.begin_s + picture.column_s * picture.cells;
    }
    *column_s_p = picture.column_s;
    double *times = new_times(&picture);
    int absent = times ? print_rows(&picture, times) : 0;
    free(times);
    if (absent == 0) return;
    snprintf(text, sizeof text, "%d further %s not there in this part.", absent, absent == 1 ? "one is" : "ones are");
    text_print_wrapped(stream, style, 0, 0, text);
}
