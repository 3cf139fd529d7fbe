/* SVG figures by our own hand. There is no viewBox: horizontal positions are percentages of the page's width, vertical
 * ones pixels, so the same figure fits a telephone and a wide screen with type of the same size. Colours are the style
 * sheet's classes; every colour is also said by a label. */
#include "html.h"
#include "text.h"

#include <math.h>
#include <string.h>

enum { ROW_HEIGHT = 48, BAR_TOP = 20, BAR_HEIGHT = 16, AXIS_HEIGHT = 26 };

/* The axis ends here (percent), so that the number behind the longest bar has room. */
static const double axis_end = 84;

/* Between ticks: 1, 2 or 5 times a power of ten, so that there are at most six. */
static double tick_step(double top)
{
    double step = 1;
    static const double factors[] = {2, 2.5, 2};
    for (int i = 0; top / step > 6; i++) step *= factors[i % 3];
    return step;
}

static void write_axis(FILE *file, double top, double scale, int height)
{
    double step = tick_step(top);
    for (double tick = 0; tick <= top * 1.0001; tick += step) {
        fprintf(file, "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"4\" y2=\"%d\"/>", tick * scale,
                tick * scale, height - AXIS_HEIGHT + 4);
        fprintf(file, "<text class=\"tick\" x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%g</text>\n", tick * scale,
                height - 6, tick > 0 ? "middle" : "start", tick);
    }
}

/* A line that is seen on the bar and on the page: with a rim in the page's colour. */
static void write_mark(FILE *file, const char *name, double x1, double x2, int y1, int y2)
{
    const char *classes[] = {"rim", name};
    for (int i = 0; i < 2; i++) {
        fprintf(file, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", classes[i], x1, x2, y1,
                y2);
    }
}

static void write_bar(FILE *file, const struct lesson *lesson, const struct lesson_row *row, int y, double scale)
{
    static const char *const classes[] = {
        [SCENE_ALONE] = "alone", [SCENE_TURNS] = "turns", [SCENE_CORES] = "cores", [SCENE_WAITS] = "waits"};
    char label[96], value[32];
    html_write(file, "<text class=\"label\" x=\"0\" y=\"%d\">%s</text>", y + 14,
               scene_describe(row, sizeof label, label));
    int middle = y + BAR_TOP + BAR_HEIGHT / 2;
    if (!isfinite(row->speedup)) {
        fprintf(file, "<text class=\"missing\" x=\"0\" y=\"%d\">no valid speedup</text>\n", middle + 5);
        return;
    }
    fprintf(file, "<rect class=\"%s\" x=\"0\" y=\"%d\" width=\"%.2f%%\" height=\"%d\"/>", classes[scene_kind(row)],
            y + BAR_TOP, row->speedup * scale, BAR_HEIGHT);
    double right = row->speedup, ideal = scene_ideal(lesson, row);
    if (row->speedup_low < row->speedup_high) {
        write_mark(file, "spread", row->speedup_low * scale, row->speedup_high * scale, middle, middle);
        right = fmax(right, row->speedup_high);
    }
    if (isfinite(ideal)) {
        write_mark(file, "ideal", ideal * scale, ideal * scale, y + BAR_TOP - 3, y + BAR_TOP + BAR_HEIGHT + 3);
        right = fmax(right, ideal);
    }
    fprintf(file, "<text class=\"value\" x=\"%.2f%%\" dx=\"7\" y=\"%d\">%s</text>\n", right * scale, middle + 5,
            format_ratio(row->speedup, sizeof value, value));
}

static void write_description(FILE *file, const struct lesson *lesson, int first)
{
    for (int i = first; i < lesson->row_count; i++) {
        const struct lesson_row *row = &lesson->rows[i];
        if (!scene_same_set(row, &lesson->rows[first])) continue;
        char label[96], value[32] = "no valid speedup", ideal[48] = "", number[32];
        if (isfinite(row->speedup)) {
            format_ratio(row->speedup, sizeof value, value);
            format_ratio(scene_ideal(lesson, row), sizeof number, number);
            snprintf(ideal, sizeof ideal, " of at best %s", number);
        }
        html_write(file, "%s: %s%s. ", scene_describe(row, sizeof label, label), value, ideal);
    }
}

void figure_speedups(FILE *file, const struct lesson *lesson, int first, const char *id)
{
    double top = scene_set_top(lesson, first), scale = axis_end / top;
    int rows = 0;
    for (int i = first; i < lesson->row_count; i++) rows += scene_same_set(&lesson->rows[i], &lesson->rows[first]);
    int height = rows * ROW_HEIGHT + AXIS_HEIGHT;
    html_write(file,
               "<svg role=\"img\" width=\"100%%\" height=\"%d\" aria-labelledby=\"%s-title %s-text\">"
               "<title id=\"%s-title\">Speedup of %s (%s)</title><desc id=\"%s-text\">",
               height, id, id, id, lesson->rows[first].kernel, lesson->rows[first].variant, id);
    write_description(file, lesson, first);
    fputs("</desc>\n", file);
    write_axis(file, top, scale, height);
    int y = 0;
    for (int i = first; i < lesson->row_count; i++) {
        if (!scene_same_set(&lesson->rows[i], &lesson->rows[first])) continue;
        write_bar(file, lesson, &lesson->rows[i], y, scale);
        y += ROW_HEIGHT;
    }
    fputs("</svg>\n", file);
}

/* A letter is a slice of time: R runs, q is in the run queue (waits for a core), w waits for something else. */
struct panel {
    const char *title, *note;
    const char *tasks[4];
};

static const struct panel panels[] = {
    {"Multitasking: two tasks, one core", "concurrency 2, parallelism 1: done after 8 slices", {"RqRqRqR", "qRqRqRqR"}},
    {"Multiprocessing: two tasks, two cores", "concurrency 2, parallelism 2: done after 4 slices", {"RRRR", "RRRR"}},
    {"Multitasking: four tasks that wait, one core",
     "done after 9 slices; one after another: 24",
     {"RwwwwR", "qRwwwwR", "qqRwwwwR", "qqqRwwwwR"}},
};

enum { PANEL_COUNT = sizeof panels / sizeof panels[0], TASK_HEIGHT = 20, PANEL_HEAD = 24, PANEL_GAP = 36 };

static int panel_tasks(const struct panel *panel)
{
    int count = 0;
    while (count < 4 && panel->tasks[count] != NULL) count++;
    return count;
}

/* One task's slices from left to right; `slice` is the width of one in percent. */
static void write_task(FILE *file, const char *slices, int y, double slice)
{
    for (int i = 0; slices[i] != '\0'; i++) {
        double x = i * slice;
        if (slices[i] == 'R') {
            fprintf(file, "<rect class=\"runs\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" height=\"14\"/>", x, y, slice);
        } else {
            fprintf(file, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>",
                    slices[i] == 'q' ? "queued" : "sleeps", x, x + slice, y + 7, y + 7);
        }
    }
}

void figure_schematic(FILE *file, const char *id)
{
    int height = 0;
    for (int i = 0; i < PANEL_COUNT; i++) height += PANEL_HEAD + PANEL_GAP + panel_tasks(&panels[i]) * TASK_HEIGHT;
    html_write(file,
               "<svg role=\"img\" width=\"100%%\" height=\"%d\" aria-labelledby=\"%s-title %s-text\"><title "
               "id=\"%s-title\">How tasks share cores (a drawing, not a measurement)</title><desc id=\"%s-text\">",
               height, id, id, id, id);
    for (int i = 0; i < PANEL_COUNT; i++) html_write(file, "%s: %s. ", panels[i].title, panels[i].note);
    fputs("</desc>\n", file);
    int y = 0;
    for (int i = 0; i < PANEL_COUNT; i++) {
        html_write(file, "<text class=\"label strong\" x=\"0\" y=\"%d\">%s</text>\n", y + 14, panels[i].title);
        y += PANEL_HEAD;
        for (int task = 0; task < panel_tasks(&panels[i]); task++, y += TASK_HEIGHT) {
            fprintf(file, "<text class=\"tick\" x=\"0\" y=\"%d\">%c</text><g transform=\"translate(20 0)\">", y + 12,
                    'A' + task);
            write_task(file, panels[i].tasks[task], y, 10);
            fputs("</g>\n", file);
        }
        html_write(file, "<text class=\"tick\" x=\"0\" y=\"%d\">%s</text>\n", y + 13, panels[i].note);
        y += PANEL_GAP;
    }
    fputs("</svg>\n", file);
}
