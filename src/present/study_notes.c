/* What was lost, and what looked odd and was kept all the same: nothing is silently left out. */
#include "study_text.h"

#include <stdlib.h>
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

static void count_reason(const struct sample *sample, struct study_reasons *reasons)
{
    int r = 0;
    if (sample->validity == SAMPLE_VALID) return;
    while (r < reasons->count && (reasons->reasons[r].validity != sample->validity ||
                                  !reason_is_same(reasons->reasons[r].text, sample->invalid_reason)))
        r++;
    if (r == STUDY_REASONS_MAX) {
        reasons->others++;
        return;
    }
    if (r == reasons->count)
        reasons->reasons[reasons->count++] = (struct study_reason){sample->invalid_reason, sample->validity, 0};
    reasons->reasons[r].count++;
}

static int compare_reasons(const void *left, const void *right)
{
    const struct study_reason *a = left, *b = right;
    return b->count != a->count ? b->count - a->count : strcmp(a->text, b->text);
}

void study_count_reasons(int count, const struct curve curves[], struct study_reasons *reasons_p)
{
    *reasons_p = (struct study_reasons){.count = 0};
    for (int c = 0; c < count; c++)
        for (int i = 0; i < curves[c].count; i++) {
            const struct group *group = curves[c].points[i].group;
            for (int s = 0; s < group->count; s++) count_reason(&group->samples[s], reasons_p);
        }
    qsort(reasons_p->reasons, (size_t)reasons_p->count, sizeof *reasons_p->reasons, compare_reasons);
}

static void tell_lost(const struct notes *notes)
{
    struct study_reasons reasons;
    study_count_reasons(notes->problem->count, notes->problem->curves, &reasons);
    for (int r = 0; r < REASONS_MAX && r < reasons.count; r++) {
        const struct study_reason *reason = &reasons.reasons[r];
        char text[384];
        snprintf(text, sizeof text, "Left out: %d sample%s%s: %s", reason->count, reason->count == 1 ? "" : "s",
                 reason->count == 1 ? "" : ", such as", *reason->text ? reason->text : "no reason was recorded");
        notes->say(notes->context, text);
    }
    if (reasons.count > REASONS_MAX)
        notes->say(notes->context, "Left out: others, for rarer reasons; the record names all.");
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
    study_tell_outside(problem, say, context);
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
