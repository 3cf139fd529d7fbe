/* The page of a timeline: what is wrong with it first, then what was run, the picture, the numbers with the words that
 * say what they mean, and how far to trust it. */
#include "html.h"
#include "timeline_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_WIDTH_MAX = 100, VALUE_COLUMN = 15, WORDS_COLUMN = 27, CPU_LINES_MOST = 16 };

/* Two steps of the system's account of what a CPU did. */
static const double coarse_s = 0.02;

struct page {
    FILE *stream;
    const struct style *style;
    const struct timeline_view *view;
    const struct timeline_summary *summary;
};

static void print_toned(const struct page *page, enum tone tone, const char *text)
{
    fputs(style_tone(page->style, tone), page->stream);
    text_print_wrapped(page->stream, page->style, 0, 2, text);
    fputs(style_tone(page->style, TONE_PLAIN), page->stream);
}

/* A number and its words, as of a sample. */
static void print_number(const struct page *page, const char *label, const char *number, const char *words)
{
    int width = WORDS_COLUMN - VALUE_COLUMN - 1;
    fprintf(page->stream, "  %s%-*s%s%-*s ", style_tone(page->style, TONE_DIM), VALUE_COLUMN - 2, label,
            style_tone(page->style, TONE_PLAIN), width, number);
    int column = VALUE_COLUMN + 1 + (text_width(number) > width ? text_width(number) : width);
    text_print_wrapped(page->stream, page->style, column, WORDS_COLUMN, words);
}

static void print_faults(const struct page *page)
{
    char missing[512], text[640];
    if (*timeline_incomplete(page->view, sizeof missing, missing)) {
        snprintf(text, sizeof text, "INCOMPLETE: %s.", missing);
        print_toned(page, TONE_BAD, text);
    }
    for (int h = 0; h < page->view->host_count; h++) {
        const struct timeline_record *record = page->view->hosts[h];
        if (record->validity == SAMPLE_VALID) continue;
        bool invalid = record->validity == SAMPLE_INVALID;
        snprintf(text, sizeof text, "%s%s.", invalid ? "DISTURBED: " : "Not judged whether it was disturbed: ",
                 *record->invalid_reason ? record->invalid_reason : "the record does not say why");
        print_toned(page, invalid ? TONE_BAD : TONE_DIM, text);
        break; /* the hosts of a launch show one sample */
    }
}

static void print_title(const struct page *page)
{
    const struct timeline_view *view = page->view;
    char title[480], text[640], length[48], from[48], to[48];
    timeline_title(view, sizeof title, title);
    timeline_time(view->length_s, sizeof length, length);
    if (view->whole)
        snprintf(text, sizeof text, "%s, %s", title, length);
    else
        snprintf(text, sizeof text, "%s, from %s to %s of %s", title,
                 view->begin_s > 0 ? timeline_time(view->begin_s, sizeof from, from) : "0 s",
                 timeline_time(view->end_s, sizeof to, to), length);
    print_toned(page, TONE_STRONG, text);
}

static void print_tasks(const struct page *page)
{
    const struct timeline_summary *summary = page->summary;
    char number[32], text[192];
    snprintf(text, sizeof text, "workers started and not finished, on average%s",
             summary->workers > 0 ? "" : " (the timeline has no workers)");
    print_number(page, "concurrency", format_ratio(summary->concurrency, sizeof number, number), text);
    bool turns = summary->most_running == 1 && summary->workers > 1;
    snprintf(text, sizeof text, "workers running at the same instant, on average; %s",
             turns ? "never two at once: they took turns" : "");
    if (!turns && summary->workers > 1) {
        char share[32];
        snprintf(text, sizeof text,
                 "workers running at the same instant, on average; most at one instant: %d; two or more for %s of "
                 "the time",
                 summary->most_running, format_share(summary->overlap, sizeof share, share));
    } else if (!turns) {
        snprintf(text, sizeof text, "workers running at the same instant, on average");
    }
    print_number(page, "parallelism", format_ratio(summary->parallelism, sizeof number, number), text);
}

static void print_slices(const struct page *page)
{
    const struct timeline_summary *summary = page->summary;
    char number[48], text[256], low[48], high[48], count[48];
    if (summary->slice_count == 0) {
        print_number(page, "time slices", "-", "no worker began and ended one within the time shown");
        return;
    }
    snprintf(
        text, sizeof text, "median of %s; p5 %s, p95 %s%s", format_count(summary->slice_count, sizeof count, count),
        timeline_time(summary->slice_p5_s, sizeof low, low), timeline_time(summary->slice_p95_s, sizeof high, high),
        summary->tier == TIMELINE_EXACT ? "" : ", as far as seen: shorter ones are missed");
    print_number(page, "time slices", timeline_time(summary->slice_p50_s, sizeof number, number), text);
}

/* Where workers had to share: how soon each first got a core. */
static void print_responses(const struct page *page)
{
    enum { SHOWN_MAX = 8 };
    const struct config *config = &page->view->hosts[0]->config;
    char number[48], text[512], own[48];
    if (target_is_command(config) || !mode_oversubscribed(&config->mode) || page->summary->workers < 2) return;
    if (!isfinite(page->summary->response_last_s)) return;
    int used = snprintf(text, sizeof text, "until the last worker first ran; on average %s",
                        timeline_time(page->summary->response_mean_s, sizeof own, own));
    for (int t = 0; t < page->summary->workers && t < SHOWN_MAX; t++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s %c %s",
                         t ? "," : ". First on the core:", timeline_letter(page->view, t),
                         timeline_time(timeline_response(page->view, t), sizeof own, own));
    if (page->summary->workers > SHOWN_MAX) snprintf(text + used, sizeof text - (size_t)used, ", ...");
    print_number(page, "response", timeline_time(page->summary->response_last_s, sizeof number, number), text);
}

static const char *format_hz(double hz, size_t length, char *text)
{
    snprintf(text, length, !isfinite(hz) ? "-" : hz < 9.95 && hz > 0 ? "%.1f" : "%.0f", hz);
    return text;
}

static void print_switches(const struct page *page)
{
    const struct timeline_summary *summary = page->summary;
    char number[48], text[256], first[32], second[32], third[32];
    if (summary->tier == TIMELINE_EXACT) {
        double all_hz = summary->preempted_hz + summary->yielded_hz + summary->blocked_hz;
        snprintf(number, sizeof number, "%s /s", format_hz(all_hz, sizeof first, first));
        snprintf(text, sizeof text, "of all workers, a second: %s preempted, %s yielded (inferred), %s blocked",
                 format_hz(summary->preempted_hz, sizeof first, first),
                 format_hz(summary->yielded_hz, sizeof second, second),
                 format_hz(summary->blocked_hz, sizeof third, third));
    } else {
        double all_hz = summary->voluntary_hz + summary->involuntary_hz;
        snprintf(number, sizeof number, "%s /s", format_hz(all_hz, sizeof first, first));
        snprintf(text, sizeof text,
                 "of all workers, a second, by the system's counts: %s to wait, %s preempted or yielded",
                 format_hz(summary->voluntary_hz, sizeof first, first),
                 format_hz(summary->involuntary_hz, sizeof second, second));
    }
    print_number(page, "switches", number, text);
    snprintf(number, sizeof number, "%d", summary->migrations);
    print_number(page, "migrations", number, "times that a worker went on, but on another CPU");
}

static void print_waiting(const struct page *page)
{
    const struct timeline_summary *summary = page->summary;
    char number[32], share[32], blocked[32], text[320];
    int used = snprintf(text, sizeof text, "of the workers' time they were ready, and waited for a core; blocked: %s",
                        format_share(summary->blocked, sizeof blocked, blocked));
    if (isfinite(summary->accounted_wait))
        snprintf(text + used, sizeof text - (size_t)used,
                 ". By the system's accounts %s, with the wait after being woken",
                 format_share(summary->accounted_wait, sizeof share, share));
    print_number(page, "waiting", format_share(summary->ready, sizeof number, number), text);
}

static void print_cpus(const struct page *page)
{
    const struct timeline_summary *summary = page->summary;
    int lines = 0, left = 0;
    for (int c = 0; c < summary->cpu_count; c++) {
        const struct cpu_use *use = &summary->cpus[c];
        char name[96], number[48], workers[32], others[32], foreign[32], text[256];
        if (!timeline_cpu_shown(page->view, c, TIMELINE_CPUS_IDLE)) continue;
        if (++lines > CPU_LINES_MOST) {
            left++;
            continue;
        }
        int used = snprintf(text, sizeof text, "workers %s", format_share(use->workers, sizeof workers, workers));
        if (use->others >= 0.0005)
            used += snprintf(text + used, sizeof text - (size_t)used, ", other tasks of this run %s",
                             format_share(use->others, sizeof others, others));
        if (isfinite(use->foreign))
            snprintf(text + used, sizeof text - (size_t)used, ", other programs %s%s",
                     format_share(use->foreign, sizeof foreign, foreign),
                     use->foreign >= 0.0005 && use->foreign * summary->length_s < coarse_s
                         ? " (known in steps of 10 ms)"
                         : "");
        else
            snprintf(text + used, sizeof text - (size_t)used, "; other programs: not known");
        snprintf(number, sizeof number, "%s idle", format_share(use->idle, sizeof others, others));
        if (!isfinite(use->idle))
            snprintf(number, sizeof number, "%s free",
                     format_share(fmax(1 - use->workers - use->others, 0), sizeof others, others));
        print_number(page, timeline_cpu_name(page->view, c, sizeof name, name), number, text);
    }
    if (left > 0) fprintf(page->stream, "  and %d more CPUs\n", left);
}

static void print_trust(const struct page *page)
{
    char trust[512], text[640];
    snprintf(text, sizeof text, "How it was seen: %s.", timeline_trust(page->view, page->summary, sizeof trust, trust));
    text_print_wrapped(page->stream, page->style, 0, 0, text);
}

static void print_page(const struct page *page, bool choose)
{
    print_faults(page);
    print_title(page);
    if (page->view->task_count == 0) {
        print_toned(page, TONE_PLAIN, "Nothing of this run was seen in this time.");
        print_trust(page);
        return;
    }
    timeline_print_picture(page->stream, page->style, page->view, page->summary, choose);
    fputc('\n', page->stream);
    print_tasks(page);
    print_responses(page);
    print_slices(page);
    print_switches(page);
    print_waiting(page);
    print_cpus(page);
    print_trust(page);
}

void present_timeline_part(FILE *stream, const struct style *style, int count, const struct timeline_record *records,
                           double begin_s, double end_s)
{
    struct timeline_view view;
    struct timeline_summary summary;
    if (count < 1) return;
    if (timeline_view_of(count, records, begin_s, end_s, &view)) {
        fputs("No memory is left for the timeline.\n", stream);
        return;
    }
    if (timeline_summarise(&view, &summary)) {
        fputs("No memory is left for the timeline.\n", stream);
    } else {
        const struct page page = {stream, style, &view, &summary};
        print_page(&page, view.whole);
        timeline_summary_release(&summary);
    }
    timeline_view_release(&view);
}

void present_timeline(FILE *stream, const struct style *style, int count, const struct timeline_record *records)
{
    present_timeline_part(stream, style, count, records, NAN, NAN);
}

/* Of one record, with its title; memory that is missing costs the picture. */
static void print_brief(FILE *stream, const struct style *style, const char *what, const struct timeline_record *record,
                        double *column_s_p)
{
    struct timeline_view view;
    struct timeline_summary summary;
    if (timeline_view_of(1, record, NAN, NAN, &view)) return;
    if (timeline_summarise(&view, &summary) == 0) {
        const struct page page = {stream, style, &view, &summary};
        char title[480], text[640];
        snprintf(text, sizeof text, "%s: %s", what, timeline_title(&view, sizeof title, title));
        print_faults(&page);
        print_toned(&page, TONE_STRONG, text);
        timeline_print_brief(stream, style, &view, &summary, column_s_p);
        timeline_summary_release(&summary);
    }
    timeline_view_release(&view);
}

void present_timeline_pair(FILE *stream, const struct style *style, const struct results *results)
{
    const struct timeline_record *records[2];
    struct style page = *style;
    double column_s = 0;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    if (results->timeline_count == 0) return;
    figure_timeline_pick(results, records);
    if (!records[0]) records[0] = &results->timelines[0];
    fputc('\n', stream);
    fputs(style_tone(style, TONE_DIM), stream);
    text_print_wrapped(stream, &page, 0, 0,
                       page.utf8 ? "Who ran when, as it was seen. CPUs: the letter of the task that ran there, \u00b7 "
                                   "none. Tasks: \u2588 running, \u2500 ready but without a core."
                                 : "Who ran when, as it was seen. CPUs: the letter of the task that ran there, . none. "
                                   "Tasks: # running, - ready but without a core.");
    fputs(style_tone(style, TONE_PLAIN), stream);
    const struct mode *mode = &records[0]->config.mode;
    const char *kind = mode_oversubscribed(mode) ? "Multitasking" : "Multiprocessing";
    print_brief(stream, &page, mode_workers(mode) > 1 ? kind : "One task alone", records[0], &column_s);
    if (!records[1]) return;
    fputc('\n', stream);
    print_brief(stream, &page, "Multiprocessing", records[1], &column_s);
}
