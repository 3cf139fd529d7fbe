/* The lesson on a terminal: for each kernel a table and a chart of speedups, the waiting scene last, then the verdict.
 * 80 columns suffice; every colour is also said in words or shapes. A row without a valid sample shows its reason and
 * no number. */
#include "text.h"

#include <math.h>
#include <string.h>

enum { PAGE_WIDTH_MAX = 100, TASKS_WIDTH = 25, CHART_LABEL_WIDTH = 29 };

static void print_toned(FILE *stream, const struct style *style, enum tone tone, const char *text)
{
    fprintf(stream, "%s%s%s", style_tone(style, tone), text, style_tone(style, TONE_PLAIN));
}

static void print_heading(FILE *stream, const struct style *style, const struct lesson_row *row)
{
    char text[256];
    snprintf(text, sizeof text, row->waits ? "Tasks that mostly wait: %s (%s, size %s)" : "%s (%s, size %s)",
             row->kernel, row->variant, row->size);
    fputs(style_tone(style, TONE_STRONG), stream);
    text_print_wrapped(stream, style, 0, 2, text);
    fputs(style_tone(style, TONE_PLAIN), stream);
}

static const char *format_speedup(const struct lesson_row *row, size_t length, char *text)
{
    char middle[32], low[32], high[32];
    format_ratio(row->speedup, sizeof middle, middle);
    if (row->base == row->group) {
        snprintf(text, length, "%s (base)", middle);
    } else if (isfinite(row->speedup_low) && row->speedup_low < row->speedup_high) {
        snprintf(text, length, "%s %s-%s", middle, format_ratio(row->speedup_low, sizeof low, low),
                 format_ratio(row->speedup_high, sizeof high, high));
    } else {
        snprintf(text, length, "%s", middle);
    }
    return text;
}

static void print_row(FILE *stream, const struct style *style, const struct lesson_row *row)
{
    fprintf(stream, "%-13s %5d %5d", mode_name_text(row->mode), row->workers, row->cpus);
    if (row->valid_count == 0) {
        char text[320];
        snprintf(text, sizeof text, "no valid time: %s", row->reason[0] != '\0' ? row->reason : "not measured");
        fprintf(stream, "  %s", style_tone(style, TONE_BAD));
        text_print_wrapped(stream, style, TASKS_WIDTH + 2, TASKS_WIDTH + 2, text);
        fputs(style_tone(style, TONE_PLAIN), stream);
        return;
    }
    char time[32], speedup[80], concurrency[32], parallelism[32], switches[32];
    fprintf(stream, "  %7s  %-14s %7s %6s %9s %s%s%s\n", format_time(row->wall_s, sizeof time, time),
            format_speedup(row, sizeof speedup, speedup),
            format_ratio(row->concurrency, sizeof concurrency, concurrency),
            format_ratio(row->parallelism, sizeof parallelism, parallelism),
            format_count(row->switches_per_s, sizeof switches, switches),
            style_tone(style, row->checksums_agree ? TONE_GOOD : TONE_BAD), row->checksums_agree ? "same" : "DIFF",
            style_tone(style, TONE_PLAIN));
    if (isfinite(row->speedup) || row->reason[0] == '\0') return;
    fprintf(stream, "%*s", TASKS_WIDTH + 2, "");
    text_print_wrapped(stream, style, TASKS_WIDTH + 2, TASKS_WIDTH + 2, row->reason);
}

/* Whether the figures beside the speedups are confidence intervals. */
static bool has_intervals(const struct lesson *lesson)
{
    for (int i = 0; i < lesson->row_count; i++)
        if (lesson->rows[i].speedup_interval) return true;
    return false;
}

static void print_table(FILE *stream, const struct style *style, const struct lesson *lesson, int first)
{
    fputs(style_tone(style, TONE_DIM), stream);
    fprintf(stream, "%25s  %7s  %-14s %7s %6s %9s\n", "", "", "", "concur-", "paral-", "switches");
    fprintf(stream, "%-13s %5s %5s  %7s  %-14s %7s %6s %9s %s\n", "mode", "tasks", "cores", "time",
            has_intervals(lesson) ? "speedup, 95 %" : "speedup, range", "rency", "lelism", "a second", "bits");
    fputs(style_tone(style, TONE_PLAIN), stream);
    for (int i = first; i < lesson->row_count; i++) {
        if (scene_same_set(&lesson->rows[i], &lesson->rows[first])) print_row(stream, style, &lesson->rows[i]);
    }
}

static void print_chart(FILE *stream, const struct style *style, const struct lesson *lesson, int first)
{
    int length = style->width - CHART_LABEL_WIDTH - 9;
    bool any = false;
    for (int i = first; i < lesson->row_count; i++) {
        any |= scene_same_set(&lesson->rows[i], &lesson->rows[first]) && isfinite(lesson->rows[i].speedup);
    }
    if (!any || length < 10) return; /* nothing to draw, or no room for it: the table says all */
    double cells_each = (length - 1) / scene_set_top(lesson, first);
    char legend[160];
    snprintf(legend, sizeof legend, "Speedup against one task. %s marks the most that %s.",
             style->utf8 ? "\u2502" : "|",
             lesson->rows[first].waits ? "waiting together could give" : "its cores could give");
    fprintf(stream, "\n%s", style_tone(style, TONE_DIM));
    text_print_wrapped(stream, style, 0, 0, legend);
    fputs(style_tone(style, TONE_PLAIN), stream);
    for (int i = first; i < lesson->row_count; i++) {
        const struct lesson_row *row = &lesson->rows[i];
        if (!scene_same_set(row, &lesson->rows[first])) continue;
        char label[64], speedup[32];
        snprintf(label, sizeof label, "%s, %d on %d", mode_name_text(row->mode), row->workers, row->cpus);
        fprintf(stream, "%-*s", CHART_LABEL_WIDTH, label);
        if (!isfinite(row->speedup)) {
            print_toned(stream, style, TONE_DIM, "no valid speedup\n");
            continue;
        }
        text_print_bar(stream, style, row->speedup * cells_each, scene_ideal(lesson, row) * cells_each, length);
        fprintf(stream, " x %s\n", format_ratio(row->speedup, sizeof speedup, speedup));
    }
}

static void print_sets(FILE *stream, const struct style *style, const struct lesson *lesson, bool waiting)
{
    for (int i = 0; i < lesson->row_count; i++) {
        if (!scene_starts_set(lesson, i) || lesson->rows[i].waits != waiting) continue;
        print_heading(stream, style, &lesson->rows[i]);
        print_table(stream, style, lesson, i);
        print_chart(stream, style, lesson, i);
        fputc('\n', stream);
    }
}

void present_lesson(FILE *stream, const struct style *style, const struct lesson *lesson)
{
    struct style page = *style;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    print_sets(stream, &page, lesson, false);
    print_sets(stream, &page, lesson, true);
    if (lesson->row_count > 0) {
        fputs(style_tone(&page, TONE_DIM), stream);
        text_print_wrapped(stream, &page, 0, 0,
                           "concurrency: tasks started and not finished. parallelism: tasks executing at the same "
                           "instant. speedup: against one task in the same block, so that drifting clocks matter "
                           "less; the median, then its 95 % interval, or the lowest and highest of "
                           "fewer than 6. bits: same = every mode gave the same answer, bit for bit.");
        fprintf(stream, "%s\n", style_tone(&page, TONE_PLAIN));
    }
    for (int i = 0; i < LESSON_SENTENCES; i++) {
        if (lesson->sentences[i][0] == '\0') continue;
        if (i > 0) fputc('\n', stream);
        text_print_wrapped(stream, &page, 0, 0, lesson->sentences[i]);
    }
}
