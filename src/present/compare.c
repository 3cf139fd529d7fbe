/* Comparisons as a table, under a heading for each problem, and in words what they come to. */
#include "study_text.h"

#include <math.h>
#include <string.h>

enum { PAGE_WIDTH_MAX = 100, NAME_WIDTH = 17, LAUNCHES_WIDTH = 8, RATIO_WIDTH = 17 };

static const char *const verdicts[] = {[COMPARE_FASTER] = "faster",
                                       [COMPARE_SLOWER] = "slower",
                                       [COMPARE_UNDECIDED] = "no difference shown",
                                       [COMPARE_IMPOSSIBLE] = "not comparable"};

static const struct group *group_of(const struct comparison *comparison)
{
    return comparison->before ? comparison->before : comparison->after;
}

/* "threads 2"; of timings "2 workers". */
static const char *describe(const struct comparison *comparison, size_t length, char *text)
{
    const struct config *config = &group_of(comparison)->config;
    int workers = mode_workers(&config->mode);
    if (curve_is_timings(config))
        snprintf(text, length, "%d worker%s", workers, workers == 1 ? "" : "s");
    else
        snprintf(text, length, "%s %d", mode_name_text(config->mode.name), workers);
    return text;
}

static const char *describe_problem(const struct comparison *comparison, size_t length, char *text)
{
    const struct curve curve = {.config = &group_of(comparison)->config};
    const struct study_problem problem = {.count = 1, .curves = &curve};
    return study_describe(&problem, length, text);
}

static void print_heading(FILE *stream, const struct style *style, int index, const struct comparison comparisons[])
{
    char text[640], before[640] = "";
    describe_problem(&comparisons[index], sizeof text, text);
    if (index > 0) describe_problem(&comparisons[index - 1], sizeof before, before);
    if (strcmp(text, before)) study_print_toned(stream, style, TONE_STRONG, 0, 2, text);
}

/* One more digit than elsewhere: whether 1 is inside the interval should be seen. */
static const char *format_factor(double ratio, size_t length, char *text)
{
    if (!(fabs(ratio) < 9.9995)) return format_ratio(ratio, length, text);
    snprintf(text, length, "%.3f", ratio);
    return text;
}

static void print_row(FILE *stream, const struct style *style, const struct comparison *comparison)
{
    static const enum tone tones[] = {[COMPARE_FASTER] = TONE_GOOD,
                                      [COMPARE_SLOWER] = TONE_BAD,
                                      [COMPARE_UNDECIDED] = TONE_PLAIN,
                                      [COMPARE_IMPOSSIBLE] = TONE_DIM};
    char name[64], launches[32], middle[32], low[32], high[32], ratio[112], verdict[320];
    const struct spread *spread = &comparison->ratio;
    snprintf(launches, sizeof launches, "%d, %d", comparison->before_count, comparison->after_count);
    format_factor(spread->middle, sizeof middle, middle);
    if (spread->interval)
        snprintf(ratio, sizeof ratio, "%s %s-%s", middle, format_factor(spread->low, sizeof low, low),
                 format_factor(spread->high, sizeof high, high));
    else
        snprintf(ratio, sizeof ratio, "%s", middle);
    bool impossible = comparison->verdict == COMPARE_IMPOSSIBLE && *comparison->reason;
    snprintf(verdict, sizeof verdict, "%s%s%s", impossible ? "" : verdicts[comparison->verdict],
             *comparison->reason && !impossible ? ": " : "", comparison->reason);
    int column = fprintf(stream, "  %-*s %*s  %-*s ", NAME_WIDTH, describe(comparison, sizeof name, name),
                         LAUNCHES_WIDTH, launches, RATIO_WIDTH, ratio);
    study_print_toned(stream, style, tones[comparison->verdict], column,
                      2 + NAME_WIDTH + LAUNCHES_WIDTH + RATIO_WIDTH + 4, verdict);
}

static void print_conclusion(FILE *stream, const struct style *style, int count, const struct comparison comparisons[])
{
    int counts[COMPARE_IMPOSSIBLE + 1] = {0};
    char text[512];
    for (int i = 0; i < count; i++) counts[comparisons[i].verdict]++;
    int compared = count - counts[COMPARE_IMPOSSIBLE];
    double slowdown = compare_slowdown(count, comparisons);
    size_t used = (size_t)snprintf(text, sizeof text, "Nothing could be compared.");
    if (compared > 0)
        used = (size_t)snprintf(text, sizeof text,
                                "%d configuration%s compared: %d faster, %d slower, %d without a difference shown.",
                                compared, compared == 1 ? "" : "s", counts[COMPARE_FASTER], counts[COMPARE_SLOWER],
                                counts[COMPARE_UNDECIDED]);
    if (slowdown > 0)
        used += (size_t)snprintf(text + used, sizeof text - used, " The largest slowdown is at least %.2g %%.",
                                 slowdown * 100);
    if (compared > 0 && counts[COMPARE_IMPOSSIBLE] > 0)
        snprintf(text + used, sizeof text - used, " %d could not be compared.", counts[COMPARE_IMPOSSIBLE]);
    fputc('\n', stream);
    text_print_wrapped(stream, style, 0, 0, text);
}

void present_comparisons(FILE *stream, const struct style *style, int count, const struct comparison comparisons[])
{
    struct style page = *style;
    bool paired = count > 0 && comparisons[0].paired;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    fprintf(stream, "%s  %-*s %*s  %-*s %s%s\n", style_tone(&page, TONE_DIM), NAME_WIDTH, "mode, workers",
            LAUNCHES_WIDTH, paired ? "pairs" : "old, new", RATIO_WIDTH, "times as fast", "verdict",
            style_tone(&page, TONE_PLAIN));
    for (int i = 0; i < count; i++) {
        print_heading(stream, &page, i, comparisons);
        print_row(stream, &page, &comparisons[i]);
    }
    print_conclusion(stream, &page, count, comparisons);
    study_print_toned(
        stream, &page, TONE_DIM, 0, 0,
        paired ? "Launches of the same block are compared (sign test); the verdicts allow for the number "
                 "of configurations (Holm): the chance of a wrong one among all is at most 5 %."
               : "Launches are compared, whatever their blocks (Mann and Whitney's test); the verdicts allow "
                 "for the number of configurations (Holm): the chance of a wrong one among all is at most "
                 "5 %, if the machine was as fast both times. How much its speed differed, as far as the "
                 "reference loops of both studies tell, is allowed for; --paired compares what one study "
                 "measured side by side.");
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *present_comparisons_json(int count, const struct comparison comparisons[])
{
    static const char *const names[] = {[COMPARE_FASTER] = "faster",
                                        [COMPARE_SLOWER] = "slower",
                                        [COMPARE_UNDECIDED] = "no_difference_shown",
                                        [COMPARE_IMPOSSIBLE] = "not_comparable"};
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        const struct comparison *own = &comparisons[i];
        json_array_append_new(
            list,
            json_pack("{s:s, s:o, s:i, s:i, s:o, s:o, s:o, s:b, s:o, s:o, s:s, s:s?}", "key", group_of(own)->key,
                      "config", record_encode_config(&group_of(own)->config), "launches_before", own->before_count,
                      "launches_after", own->after_count, "ratio", real_or_null(own->ratio.middle), "ratio_low",
                      real_or_null(own->ratio.low), "ratio_high", real_or_null(own->ratio.high), "interval",
                      own->ratio.interval, "p", real_or_null(own->p), "p_adjusted", real_or_null(own->p_adjusted),
                      "verdict", names[own->verdict], "reason", *own->reason ? own->reason : NULL));
    }
    return list;
}
