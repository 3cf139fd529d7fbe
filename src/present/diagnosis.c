/* The page of a diagnosis: the verdict, the numbers that it comes from, why, what helps, and the picture. */
#include "diagnosis.h"

#include "timeline_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_WIDTH_MAX = 100, VALUE_COLUMN = 15, WORDS_COLUMN = 27, GROUPS_MAX = 8 };

struct page {
    FILE *stream;
    const struct style *style;
    const struct diagnosis_page *own;
};

static void print_number(const struct page *page, const char *label, const char *number, const char *words)
{
    int width = WORDS_COLUMN - VALUE_COLUMN - 1;
    fprintf(page->stream, "  %s%-*s%s%-*s ", style_tone(page->style, TONE_DIM), VALUE_COLUMN - 2, label,
            style_tone(page->style, TONE_PLAIN), width, number);
    int column = VALUE_COLUMN + 1 + (text_width(number) > width ? text_width(number) : width);
    text_print_wrapped(page->stream, page->style, column, WORDS_COLUMN, words);
}

static void print_heading(const struct page *page, const char *text)
{
    fprintf(page->stream, "\n%s%s%s\n", style_tone(page->style, TONE_STRONG), text,
            style_tone(page->style, TONE_PLAIN));
}

static void print_verdict(const struct page *page)
{
    const struct diagnosis *diagnosis = page->own->diagnosis;
    char text[320];
    snprintf(text, sizeof text, "%s: %s", verdict_kind_text(diagnosis->verdict), diagnosis->headline);
    fputs(style_tone(page->style, TONE_STRONG), page->stream);
    text_print_wrapped(page->stream, page->style, 0, 2, text);
    fputs(style_tone(page->style, TONE_PLAIN), page->stream);
}

/* Workers of one name and one mask; those that were not asked for theirs join any of their name. */
struct task_group {
    const struct timeline_task *first;
    const struct tree_task *tree;
    int count, unasked;
};

static bool same_group(const struct task_group *group, const struct timeline_task *task, const struct tree_task *tree)
{
    if (strcmp(group->first->name, task->name) != 0) return false;
    return !tree || !group->tree || cpu_mask_same(&group->tree->mask, &tree->mask);
}

static int find_groups(const struct page *page, struct task_group groups_p[GROUPS_MAX])
{
    const struct timeline *timeline = &page->own->timeline->timeline;
    int count = 0;
    for (int t = 0; t < timeline->task_count; t++) {
        const struct timeline_task *task = &timeline->tasks[t];
        if (task->rank < 0) continue;
        const struct tree_task *tree = tree_find_task(page->own->evidence->tree, task->tid);
        int at = 0;
        while (at < count && !same_group(&groups_p[at], task, tree)) at++;
        if (at == GROUPS_MAX) continue;
        if (at == count) groups_p[count++] = (struct task_group){.first = task};
        if (!groups_p[at].tree) groups_p[at].tree = tree;
        groups_p[at].count++;
        groups_p[at].unasked += !tree;
    }
    return count;
}

static void print_tasks(const struct page *page)
{
    const struct diagnosis *diagnosis = page->own->diagnosis;
    struct task_group groups[GROUPS_MAX];
    char text[400], number[32];
    int count = find_groups(page, groups), named = 0;
    snprintf(number, sizeof number, "%d", diagnosis->threads);
    snprintf(text, sizeof text, "in %d process%s; %s%.0d%s did the work", diagnosis->processes,
             diagnosis->processes == 1 ? "" : "es", diagnosis->workers > 0 ? "" : "none", diagnosis->workers,
             " of them");
    print_number(page, "tasks", number, text);
    for (int g = 0; g < count; g++) {
        char cpus[160] = "";
        if (groups[g].tree) cpu_mask_format(&groups[g].tree->mask, sizeof cpus, cpus);
        int used = snprintf(text, sizeof text, "%s%s%s", groups[g].first->name,
                            !*cpus                ? ", too short-lived to be asked where it may run"
                            : strpbrk(cpus, ",-") ? ", may run on CPUs "
                                                  : ", may run on CPU ",
                            cpus);
        if (*cpus && groups[g].unasked > 0)
            snprintf(text + used, sizeof text - (size_t)used, " (%d of them too short-lived to be asked)",
                     groups[g].unasked);
        named += groups[g].count;
        snprintf(number, sizeof number, "%d x", groups[g].count);
        print_number(page, "", number, text);
    }
    /* Also those that have no name in the timeline, as they are too many. */
    if (named < diagnosis->workers)
        fprintf(page->stream, "%*sand %d more\n", WORDS_COLUMN, "", diagnosis->workers - named);
}

static const char *share_text(double share, char text[32])
{
    return format_share(share, 32, text);
}

static void print_time(const struct page *page)
{
    const struct evidence *evidence = page->own->evidence;
    char text[320], total[48], wall[48], user[48], system[48], memory[48];
    double cpu_s = evidence->user_s + evidence->system_s;
    int used = snprintf(text, sizeof text, "CPU time in %s", format_time(evidence->wall_s, sizeof wall, wall));
    if (!isnan(cpu_s))
        used += snprintf(text + used, sizeof text - (size_t)used, ": %s user, %s system",
                         format_time(evidence->user_s, sizeof user, user),
                         format_time(evidence->system_s, sizeof system, system));
    if (evidence->peak_memory_bytes > 0)
        snprintf(text + used, sizeof text - (size_t)used, "; most memory of a process: %s",
                 format_bytes((double)evidence->peak_memory_bytes, sizeof memory, memory));
    /* Of a process that went on: as it was seen. */
    if (isnan(cpu_s)) cpu_s = page->own->diagnosis->cores_busy * evidence->wall_s;
    print_number(page, "time", format_time(cpu_s, sizeof total, total), text);
}

static void print_numbers(const struct page *page)
{
    const struct diagnosis *diagnosis = page->own->diagnosis;
    const struct evidence *evidence = page->own->evidence;
    const struct timeline_summary *summary = page->own->summary;
    char number[64], text[320], first[48];
    print_number(page, "concurrency", format_ratio(diagnosis->concurrency, sizeof number, number),
                 diagnosis->workers > 0 ? "working tasks started and not finished, on average"
                                        : "tasks started and not finished, on average");
    print_number(page, "parallelism", format_ratio(diagnosis->parallelism, sizeof number, number),
                 "tasks executing at the same instant, on average");
    snprintf(number, sizeof number, "%d", diagnosis->cores_used);
    snprintf(text, sizeof text, "used, of %d that its tasks may use (%d are there); %s busy on average",
             diagnosis->cores_allowed, evidence->machine->core_count,
             format_ratio(diagnosis->cores_busy, sizeof first, first));
    print_number(page, "cores", number, text);
    print_number(page, "waiting", share_text(diagnosis->waiting, first),
                 "of their active time tasks were ready, and waited for a core");
    print_number(page, "blocked", share_text(diagnosis->blocked, first),
                 diagnosis->workers > 0 ? "of the working tasks' time they waited for something else"
                                        : "of the tasks' time they waited for something else");
    if (summary->slice_count > 0) {
        snprintf(text, sizeof text, "median time slice; %d migrations to another CPU", summary->migrations);
        print_number(page, "slices", timeline_time(summary->slice_p50_s, sizeof number, number), text);
    }
    if (summary->tier == TIMELINE_EXACT) {
        double all_hz = summary->preempted_hz + summary->yielded_hz + summary->blocked_hz;
        snprintf(number, sizeof number, "%.0f /s", all_hz);
        snprintf(text, sizeof text, "of the working tasks: %.0f preempted, %.0f yielded (inferred), %.0f blocked",
                 summary->preempted_hz, summary->yielded_hz, summary->blocked_hz);
        print_number(page, "switches", number, text);
    }
    print_time(page);
}

static void print_findings(const struct page *page)
{
    const struct diagnosis *diagnosis = page->own->diagnosis;
    if (diagnosis->finding_count == 0) return;
    print_heading(page, "Why");
    for (int i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        char text[640];
        snprintf(text, sizeof text, "%s: %s", finding->name, finding->text);
        fputs("  ", page->stream);
        fputs(style_tone(page->style, finding->fault ? TONE_BAD : TONE_PLAIN), page->stream);
        text_print_wrapped(page->stream, page->style, 2, 4, text);
        fputs(style_tone(page->style, TONE_PLAIN), page->stream);
    }
    bool headed = false;
    for (int i = 0; i < diagnosis->finding_count; i++) {
        if (!*diagnosis->findings[i].fix) continue;
        if (!headed) print_heading(page, "What helps");
        headed = true;
        fprintf(page->stream, "  %s", style_tone(page->style, TONE_GOOD));
        text_print_wrapped(page->stream, page->style, 2, 4, diagnosis->findings[i].fix);
        fputs(style_tone(page->style, TONE_PLAIN), page->stream);
    }
}

/* Half of what the workers did lies before it: by then all are at it. Turns are too short to be seen in the whole. */
static double find_begin(const struct page *page)
{
    const struct timeline *timeline = &page->own->timeline->timeline;
    enum verdict_kind verdict = page->own->diagnosis->verdict;
    double sum_s = 0, weighted_s = 0;
    if (verdict != VERDICT_MULTITASKING && verdict != VERDICT_MIXED) return NAN;
    for (int t = 0; t < timeline->task_count; t++)
        for (int s = 0; timeline->tasks[t].rank >= 0 && s < timeline->tasks[t].span_count; s++) {
            const struct timeline_span *span = &timeline->tasks[t].spans[s];
            if (span->state == SPAN_BLOCKED) continue;
            sum_s += span->end_s - span->begin_s;
            weighted_s += (span->end_s - span->begin_s) * (span->begin_s + span->end_s) / 2;
        }
    return sum_s > 0 ? weighted_s / sum_s : NAN;
}

static void print_picture(const struct page *page)
{
    struct timeline_view view;
    double column_s = 0;
    char text[400], column[48];
    if (!page->own->picture || timeline_view_of(1, page->own->timeline, find_begin(page), NAN, &view)) return;
    if (view.task_count > 0) {
        snprintf(text, sizeof text, "Who ran when%s%s", view.whole ? "" : ", from its middle on: ",
                 view.whole ? "" : timeline_time(view.begin_s, sizeof column, column));
        print_heading(page, text);
        timeline_print_brief(page->stream, page->style, &view, page->own->summary, &column_s);
        snprintf(text, sizeof text,
                 "A column is %s. CPUs: the letter of the task that ran there, * another one of this run. "
                 "Tasks: %s running, %s ready but without a core.",
                 timeline_time(column_s, sizeof column, column), page->style->utf8 ? "\u2588" : "#",
                 page->style->utf8 ? "\u2500" : "-");
        fputs(style_tone(page->style, TONE_DIM), page->stream);
        text_print_wrapped(page->stream, page->style, 0, 0, text);
        fputs(style_tone(page->style, TONE_PLAIN), page->stream);
    }
    timeline_view_release(&view);
}

static void print_trust(const struct page *page)
{
    const struct evidence *evidence = page->own->evidence;
    const struct timeline *timeline = evidence->timeline;
    char text[900], error[48], part[48], whole[48];
    fputc('\n', page->stream);
    int used = snprintf(text, sizeof text, "How it was seen: %s, instants within %s%s%s.",
                        timeline->tier == TIMELINE_EXACT ? "exactly, by the kernel's own context-switch records"
                                                         : "by what /proc tells of each task, at intervals",
                        timeline_time(timeline->error_s, sizeof error, error),
                        *timeline->degraded ? "; why not exactly: " : "", timeline->degraded);
    if (*timeline->incomplete && used < (int)sizeof text)
        used += snprintf(text + used, sizeof text - (size_t)used, " INCOMPLETE: %s.", timeline->incomplete);
    if (timeline->length_s < 0.9 * evidence->wall_s && used < (int)sizeof text)
        used += snprintf(
            text + used, sizeof text - (size_t)used, " All but CPU time and memory is of the first %s of %s.",
            timeline_time(timeline->length_s, sizeof part, part), timeline_time(evidence->wall_s, sizeof whole, whole));
    else if (*timeline->incomplete && used < (int)sizeof text)
        used += snprintf(text + used, sizeof text - (size_t)used, " Shares and rates may be wrong for it.");
    if (!diagnosis_knows_foreign(evidence) && used < (int)sizeof text)
        used +=
            snprintf(text + used, sizeof text - (size_t)used, " Whether other programs were in the way is not known.");
    if (!evidence->hotspots->known && used < (int)sizeof text)
        used += snprintf(text + used, sizeof text - (size_t)used, " Whether waits spin is not known: %s.",
                         evidence->hotspots->reason);
    if (*evidence->tree->incomplete && used < (int)sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, " Of its processes: %s.", evidence->tree->incomplete);
    text_print_wrapped(page->stream, page->style, 0, 0, text);
}

void present_diagnosis(FILE *stream, const struct style *style, const struct diagnosis_page *own)
{
    struct style narrow = *style;
    if (narrow.width > PAGE_WIDTH_MAX) narrow.width = PAGE_WIDTH_MAX;
    const struct page page = {stream, &narrow, own};
    print_verdict(&page);
    if (own->diagnosis->verdict != VERDICT_IDLE) {
        fputc('\n', stream);
        print_tasks(&page);
        print_numbers(&page);
        print_findings(&page);
        print_picture(&page);
    }
    print_trust(&page);
    if (own->left_behind > 0)
        fprintf(stream, "It left %d process%s running, which %s ended.\n", own->left_behind,
                own->left_behind == 1 ? "" : "es", own->left_behind == 1 ? "was" : "were");
}
