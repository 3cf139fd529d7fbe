/* A timeline as SVG, in the manner of figure.c: positions across are percentages, there is no viewBox. Spans narrower
 * than `narrow_s` that follow each other closely become one hatched rectangle, so the size of the file is bounded by
 * its rows, whatever the number of switches. */
#include "html.h"
#include "timeline_text.h"

#include <math.h>
#include <string.h>

enum {
    LEFT = 22,
    CPU_HEAD = 20,
    CPU_HEIGHT = 26,
    CPU_GAP = 10,
    TASK_HEIGHT = 20,
    AXIS_HEIGHT = 26,
    CPUS_MOST = 16,
    CPUS_IDLE_MOST = 4,
    TASKS_MOST = 16,
    TONES = 8,
    PIECES_MOST = 8000
};

/* Percent of the page for scale_s: the rows begin LEFT pixels from the left. */
static const double across = 94;

/* clang-format off */
const char timeline_css[] =
    "svg .lane{fill:var(--card)}\n"
    "svg .t0{fill:#0072b2}svg .t1{fill:#d55e00}svg .t2{fill:#009e73}svg .t3{fill:#c06a98}svg .t4{fill:#3b8fc4}\n"
    "svg .t5{fill:#8a8200}svg .t6{fill:#b07d00}svg .t7{fill:#4d555e}svg .other{fill:var(--soft)}\n"
    "svg .piece{stroke:var(--page);stroke-width:1}svg .dense{fill-opacity:.55}\n"
    "svg text.in{stroke:none;fill:#000;font-size:12px;font-weight:700;text-anchor:middle}\n"
    "svg text.in.t0,svg text.in.t7{fill:#fff}svg text.who{font-weight:700}\n"
    "svg .ready{stroke:var(--turns);stroke-width:2}\n"
    "svg .blocked{stroke:var(--soft);stroke-width:2;stroke-dasharray:1.5 4}\n"
    "svg .hatch{stroke:var(--ink);stroke-width:2}svg .hatched{fill:var(--card)}\n"
    "@media(prefers-color-scheme:dark){\n"
    "  svg .t0{fill:#2f8fd0}svg .t1{fill:#e0702a}svg .t2{fill:#1fb487}svg .t3{fill:#d48bb5}svg .t4{fill:#7cc4ef}\n"
    "  svg .t5{fill:#e5da50}svg .t6{fill:#e69f00}svg .t7{fill:#a9b2bc}\n"
    "  svg text.in,svg text.in.t0,svg text.in.t7{fill:#000}\n"
    "}\n"
    "@media(max-width:600px){svg text.tight{display:none}}\n"
    "@media print{svg .piece,svg .lane{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";
/* clang-format on */

const char timeline_legend[] =
    "In each picture, above: who ran on each CPU; a letter and a colour stand for a worker. Below, for each worker: a "
    "bar where it ran, a line where it was ready but without a core, dots where it was blocked (seen exactly: or "
    "woken, "
    "and not on a core yet). What is too short to be drawn is merged: hatched where several tasks ran, pale in the "
    "rows "
    "of workers.";

struct figure {
    FILE *file;
    const struct timeline_view *view;
    const char *id;
    double scale_s, narrow_s;
    int cpus, tasks; /* that have a row */
};

/* Pieces that are drawn as one. */
struct piece {
    double begin_s, end_s;
    int task;
    bool narrow, mixed; /* several tasks */
};

static int at_most(int count, int most)
{
    return count < most ? count : most;
}

static void figure_init(FILE *file, const struct timeline_view *view, double scale_s, const char *id,
                        struct figure *figure_p)
{
    *figure_p = (struct figure){.file = file, .view = view, .id = id};
    figure_p->scale_s = scale_s > 0 && isfinite(scale_s) ? scale_s : view->length_s;
    figure_p->cpus = at_most(timeline_cpus_shown(view, CPUS_IDLE_MOST), CPUS_MOST);
    figure_p->tasks = at_most(view->worker_count, TASKS_MOST);
    figure_p->narrow_s = figure_p->scale_s * fmax(1.0 / 2000, (figure_p->cpus + figure_p->tasks) / (double)PIECES_MOST);
}

static double x_of(const struct figure *figure, double at_s)
{
    return fmin(fmax(at_s / figure->scale_s, 0), 1) * across;
}

static void write_letter(const struct figure *figure, const struct piece *piece, int y)
{
    double share = fmin(piece->end_s, figure->scale_s) / figure->scale_s - piece->begin_s / figure->scale_s;
    if (piece->mixed || share < 0.02) return;
    int worker = piece->task < figure->view->worker_count;
    fprintf(figure->file, "<text class=\"in%s", share < 0.04 ? " tight" : "");
    if (worker) fprintf(figure->file, " t%d", piece->task % TONES);
    fprintf(figure->file, "\" x=\"%.2f%%\" y=\"%d\">%c</text>",
            (x_of(figure, piece->begin_s) + x_of(figure, piece->end_s)) / 2, y + CPU_HEIGHT / 2 + 4,
            timeline_letter(figure->view, piece->task));
}

static void write_piece(const struct figure *figure, const struct piece *piece, int y)
{
    double x = x_of(figure, piece->begin_s), width = x_of(figure, piece->end_s) - x;
    if (!(width > 0)) return;
    const char *stroke = width > 0.4 && !piece->narrow ? " piece" : "";
    fprintf(figure->file, "<rect x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\" ", x, y, width, CPU_HEIGHT);
    if (piece->mixed)
        html_write(figure->file, "fill=\"url(#%s-mixed)\"/>", figure->id);
    else if (piece->task < figure->view->worker_count)
        fprintf(figure->file, "class=\"t%d%s\"/>", piece->task % TONES, stroke);
    else
        fprintf(figure->file, "class=\"other%s\"/>", stroke);
    if (!piece->narrow) write_letter(figure, piece, y);
}

/* One CPU: runs in order, the narrow ones that are close together as one piece. */
static void write_runs(const struct figure *figure, const struct view_cpu *cpu, int y)
{
    struct piece piece = {.task = -1};
    for (int r = cpu->first_run; r < cpu->first_run + cpu->run_count; r++) {
        const struct view_run *run = &figure->view->runs[r];
        bool narrow = run->end_s - run->begin_s < figure->narrow_s;
        if (run->begin_s >= figure->scale_s) break;
        if (narrow && piece.narrow && piece.task >= 0 && run->begin_s - piece.end_s < figure->narrow_s) {
            piece.mixed |= run->task != piece.task;
            piece.end_s = run->end_s;
            continue;
        }
        if (piece.task >= 0) write_piece(figure, &piece, y);
        piece = (struct piece){run->begin_s, run->end_s, run->task, narrow, false};
    }
    if (piece.task >= 0) write_piece(figure, &piece, y);
    fputc('\n', figure->file);
}

static int write_cpus(const struct figure *figure, int y)
{
    char name[96];
    for (int c = 0, rows = 0; c < figure->view->cpu_count && rows < figure->cpus; c++) {
        if (!timeline_cpu_shown(figure->view, c, CPUS_IDLE_MOST)) continue;
        html_write(figure->file,
                   "<text class=\"label\" x=\"0\" y=\"%d\">%s</text><g transform=\"translate(%d 0)\">"
                   "<rect class=\"lane\" x=\"0\" y=\"%d\" width=\"94%%\" height=\"%d\"/>",
                   y + 14, timeline_cpu_name(figure->view, c, sizeof name, name), (int)LEFT, y + CPU_HEAD,
                   (int)CPU_HEIGHT);
        write_runs(figure, &figure->view->cpus[c], y + CPU_HEAD);
        fputs("</g>\n", figure->file);
        y += CPU_HEAD + CPU_HEIGHT + CPU_GAP;
        rows++;
    }
    return y;
}

/* state -1: several short ones. */
static void write_state(const struct figure *figure, int task, int state, double begin_s, double end_s, int y)
{
    double x = x_of(figure, begin_s), end = x_of(figure, end_s);
    if (!(end > x)) return;
    if (state == SPAN_RUNNING || state < 0)
        fprintf(figure->file, "<rect class=\"t%d%s\" x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\"/>",
                task % TONES, state < 0 ? " dense" : "", x, y + (state < 0 ? 6 : 3), end - x, state < 0 ? 6 : 12);
    else
        fprintf(figure->file, "<line class=\"%s\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>",
                state == SPAN_READY ? "ready" : "blocked", x, end, y + 9, y + 9);
}

static void write_states(const struct figure *figure, int task, int y)
{
    const struct view_task *own = &figure->view->tasks[task];
    double begin_s = NAN, end_s = NAN; /* of narrow spans that are gathered */
    int gathered = 0, state = -1;
    for (int s = own->first_span; s < own->end_span; s++) {
        struct timeline_span span = timeline_view_span(figure->view, task, s);
        if (span.begin_s >= figure->scale_s) break;
        bool narrow = span.end_s - span.begin_s < figure->narrow_s;
        if (gathered == 0 && narrow) begin_s = span.begin_s;
        if (narrow) {
            state = gathered++ == 0 ? (int)span.state : -1;
            end_s = span.end_s;
            continue;
        }
        if (gathered > 0) write_state(figure, task, state, begin_s, end_s, y);
        gathered = 0;
        write_state(figure, task, (int)span.state, span.begin_s, span.end_s, y);
    }
    if (gathered > 0) write_state(figure, task, state, begin_s, end_s, y);
}

static int write_tasks(const struct figure *figure, int y)
{
    char name[96];
    for (int t = 0; t < figure->tasks; t++) {
        html_write(figure->file, "<text class=\"tick who\" x=\"0\" y=\"%d\">", y + 14);
        fprintf(figure->file, "%c</text><g transform=\"translate(%d 0)\">", timeline_letter(figure->view, t), LEFT);
        html_write(figure->file, "<title>%s</title>", timeline_task_name(figure->view, t, sizeof name, name));
        write_states(figure, t, y);
        fputs("</g>\n", figure->file);
        y += TASK_HEIGHT;
    }
    return y;
}

static void write_axis(const struct figure *figure, int top, int bottom)
{
    const char *unit;
    double scale = timeline_unit(figure->scale_s, &unit), step_s = timeline_tick(0, figure->scale_s, 5);
    fprintf(figure->file, "<g transform=\"translate(%d 0)\">", LEFT);
    for (int i = 0; i < 10 && i * step_s <= figure->scale_s * 1.0001; i++) {
        double x = x_of(figure, i * step_s);
        fprintf(figure->file, "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", x, x, top,
                bottom + 4);
        fprintf(figure->file, "<text class=\"tick\" x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%.6g%s%s</text>", x,
                bottom + 18,
                i == 0           ? "start"
                : x > across - 3 ? "end"
                                 : "middle",
                i * step_s / scale, i == 0 ? " " : "", i == 0 ? unit : "");
    }
    fputs("</g>\n", figure->file);
}

static void write_description(const struct figure *figure)
{
    struct timeline_summary summary;
    char concurrency[32], parallelism[32], ready[32], slice[48] = "none was seen whole";
    if (timeline_summarise(figure->view, &summary)) return;
    if (summary.slice_count > 0) timeline_time(summary.slice_p50_s, sizeof slice, slice);
    html_write(figure->file,
               "Concurrency %s, parallelism %s, at most %d workers running at one instant; median time slice: %s; the "
               "workers were ready but without a core for %s of their time. ",
               format_ratio(summary.concurrency, sizeof concurrency, concurrency),
               format_ratio(summary.parallelism, sizeof parallelism, parallelism), summary.most_running, slice,
               format_share(summary.ready, sizeof ready, ready));
    for (int c = 0; c < summary.cpu_count; c++) {
        char name[96], share[32];
        if (timeline_cpu_shown(figure->view, c, CPUS_IDLE_MOST))
            html_write(figure->file, "%s: workers %s of the time. ",
                       timeline_cpu_name(figure->view, c, sizeof name, name),
                       format_share(summary.cpus[c].workers, sizeof share, share));
    }
    timeline_summary_release(&summary);
}

static void write_figure(const struct figure *figure)
{
    char title[480];
    int bottom = figure->cpus * (CPU_HEAD + CPU_HEIGHT + CPU_GAP) + figure->tasks * TASK_HEIGHT;
    html_write(figure->file,
               "<svg role=\"img\" class=\"timeline\" width=\"100%%\" height=\"%d\" aria-labelledby=\"%s-title "
               "%s-text\"><title id=\"%s-title\">Timeline of %s</title><desc id=\"%s-text\">",
               bottom + AXIS_HEIGHT, figure->id, figure->id, figure->id,
               timeline_title(figure->view, sizeof title, title), figure->id);
    write_description(figure);
    html_write(figure->file,
               "</desc><defs><pattern id=\"%s-mixed\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
               "patternTransform=\"rotate(45)\"><rect class=\"hatched\" width=\"6\" height=\"6\"/>"
               "<line class=\"hatch\" x1=\"1\" x2=\"1\" y1=\"0\" y2=\"6\"/></pattern></defs>\n",
               figure->id);
    write_axis(figure, CPU_HEAD, bottom);
    write_tasks(figure, write_cpus(figure, 0));
    fputs("</svg>\n", figure->file);
}

void figure_timeline(FILE *file, const struct timeline_record *const records[], int count, double scale_s,
                     const char *id)
{
    struct timeline_view view;
    struct figure figure;
    if (count < 1 || timeline_view_init(count, records, NAN, NAN, &view)) return;
    figure_init(file, &view, scale_s, id, &figure);
    if (view.task_count > 0 && figure.scale_s > 0)
        write_figure(&figure);
    else
        fputs("<p class=\"warn\">Nothing of this run was seen: the timeline is empty.</p>\n", file);
    timeline_view_release(&view);
}

static bool has_narrow_spans(const struct figure *figure)
{
    for (int t = 0; t < figure->view->task_count; t++)
        for (int s = figure->view->tasks[t].first_span; s < figure->view->tasks[t].end_span; s++) {
            struct timeline_span span = timeline_view_span(figure->view, t, s);
            if (span.begin_s < figure->scale_s && span.end_s - span.begin_s < figure->narrow_s) return true;
        }
    return false;
}

static void write_caption(const struct figure *figure, const struct timeline_summary *summary)
{
    const struct timeline_view *view = figure->view;
    const struct timeline_record *record = view->hosts[0];
    char text[640], shown[48], all[48];
    if (*timeline_incomplete(view, sizeof text, text))
        html_write(figure->file, "<strong class=\"warn\">Incomplete: %s.</strong> ", text);
    if (record->validity == SAMPLE_INVALID)
        html_write(figure->file, "<strong class=\"warn\">Disturbed: %s.</strong> ", record->invalid_reason);
    html_write(figure->file, "%s; ", timeline_title(view, sizeof text, text));
    if (figure->scale_s < view->length_s * (1 - 1e-9))
        html_write(figure->file, "the first %s of %s. ", timeline_time(figure->scale_s, sizeof shown, shown),
                   timeline_time(view->length_s, sizeof all, all));
    else
        html_write(figure->file, "%s. ", timeline_time(view->length_s, sizeof all, all));
    if (has_narrow_spans(figure))
        html_write(figure->file, "Spans shorter than %s that follow each other closely are merged. ",
                   timeline_time(figure->narrow_s, sizeof shown, shown));
    if (timeline_cpus_shown(view, CPUS_IDLE_MOST) > figure->cpus || view->worker_count > figure->tasks)
        html_write(figure->file, "%d CPUs and %d workers more are not shown. ",
                   timeline_cpus_shown(view, CPUS_IDLE_MOST) - figure->cpus, view->worker_count - figure->tasks);
    html_write(figure->file, "Seen %s.", timeline_trust(view, summary, sizeof text, text));
}

void figure_timeline_caption(FILE *file, const struct timeline_record *const records[], int count, double scale_s)
{
    struct timeline_view view;
    struct timeline_summary summary;
    struct figure figure;
    if (count < 1 || timeline_view_init(count, records, NAN, NAN, &view)) return;
    if (timeline_summarise(&view, &summary) == 0) {
        figure_init(file, &view, scale_s, "", &figure);
        write_caption(&figure, &summary);
        timeline_summary_release(&summary);
    }
    timeline_view_release(&view);
}
