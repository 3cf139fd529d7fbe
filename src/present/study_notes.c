/* What was lost, and what looked odd and was kept all the same: nothing is silently left out. */
#include "study_text.h"

#include <string.h>

enum { REASONS_MAX = 4, TEXT_LENGTH = 768 };

struct notes {
    const struct study_problem *problem;
    study_say *say;
    void *context;
};

/* Names of the points for which `odd` holds, behind `lead`; nothing where there is none. */
static void tell_points(const struct notes *notes, const char *lead, bool (*odd)(const struct curve_point *))
{
    const struct study_problem *problem = notes->problem;
    char text[TEXT_LENGTH];
    size_t used = 0;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count && used < sizeof text; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            char name[128];
            if (!odd(point)) continue;
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : lead,
                                     study_point_name(problem, &problem->curves[c], point, sizeof name, name));
        }
    if (used >= sizeof text) strcpy(text + sizeof text - 4, "...");
    if (used) notes->say(notes->context, text);
}

static bool has_outliers(const struct curve_point *point)
{
    return point->outliers > 0;
}

static bool was_slow_first(const struct curve_point *point)
{
    return point->slow_first;
}

static bool has_trend(const struct curve_point *point)
{
    return point->trend;
}

static bool is_superlinear(const struct curve_point *point)
{
    return point->speedup.interval && point->speedup.low > point->workers;
}

struct reason {
    const char *text;
    int count;
};

/* Where there are more different reasons than there is room for, the last of them are not counted. */
static void count_reason(const struct sample *sample, int *count_p, struct reason reasons[])
{
    int r = 0;
    if (sample->validity == SAMPLE_VALID || !*sample->invalid_reason) return;
    while (r < *count_p && !reason_is_same(reasons[r].text, sample->invalid_reason)) r++;
    if (r == 8 * REASONS_MAX) return;
    if (r == *count_p) reasons[(*count_p)++] = (struct reason){sample->invalid_reason, 0};
    reasons[r].count++;
}

static void tell_lost(const struct notes *notes)
{
    const struct study_problem *problem = notes->problem;
    struct reason reasons[8 * REASONS_MAX];
    int count = 0;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct group *group = problem->curves[c].points[i].group;
            for (int s = 0; s < group->count; s++) count_reason(&group->samples[s], &count, reasons);
        }
    for (int printed = 0; printed < REASONS_MAX && printed < count; printed++) {
        struct reason *most = reasons;
        char text[384];
        for (int r = 1; r < count; r++)
            if (reasons[r].count > most->count) most = &reasons[r];
        snprintf(text, sizeof text, "Left out: %d sample%s%s: %s", most->count, most->count == 1 ? "" : "s",
                 most->count == 1 ? "" : ", such as", most->text);
        notes->say(notes->context, text);
        most->count = 0;
    }
    if (count > REASONS_MAX) notes->say(notes->context, "Left out: others, for rarer reasons; the record names all.");
}

/* Of each curve, from the point with the most workers: what every launch costs, and no time contains. */
static void tell_starts(const struct notes *notes)
{
    const struct study_problem *problem = notes->problem;
    char text[TEXT_LENGTH], name[128], time[32];
    size_t used = 0;
    for (int c = 0; c < problem->count && used < sizeof text; c++) {
        const struct curve *curve = &problem->curves[c];
        const struct curve_point *last = &curve->points[curve->count - 1];
        if (!(last->launch_s > 0)) continue;
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s %s", used ? ", " : "To start took (in no time above): ",
            study_point_name(problem, curve, last, sizeof name, name), format_time(last->launch_s, sizeof time, time));
    }
    if (used >= sizeof text) strcpy(text + sizeof text - 4, "...");
    if (used) notes->say(notes->context, text);
}

void study_tell_notes(const struct study_problem *problem, study_say *say, void *context)
{
    const struct notes notes = {problem, say, context};
    tell_points(&notes, "Faster than ideal, whole interval: ", is_superlinear);
    tell_points(&notes, "Outliers among the launches (kept; medians hardly feel them): ", has_outliers);
    tell_points(&notes, "The first launch was much slower than the others (a cold start: files, pages, clock): ",
                was_slow_first);
    tell_points(&notes, "Times drift from block to block (something changes: heat, clock, neighbours): ", has_trend);
    tell_lost(&notes);
    tell_starts(&notes);
}

/* Where the notes of the terminal's page go. */
struct page {
    FILE *stream;
    const struct style *style;
    bool any; /* one was printed */
};

static void print_note(void *context, const char *text)
{
    struct page *page = context;
    if (!page->any) fputc('\n', page->stream);
    page->any = true;
    text_print_wrapped(page->stream, page->style, 0, 2, text);
}

void study_print_notes(FILE *stream, const struct style *style, const struct study_problem *problem)
{
    struct page page = {stream, style, false};
    study_tell_notes(problem, print_note, &page);
}
