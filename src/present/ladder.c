/* The ladder on a terminal: a table of the rungs, then a chart of their rates on one linear scale, each bar with the
 * sentence that says what its rung does. 80 columns suffice. A rung that was not measured says why, and has no bar. */
#include "text.h"

#include <math.h>
#include <string.h>

enum {
    PAGE_WIDTH_MAX = 100,
    TIME_WIDTH = 7,
    SHARE_WIDTH = 7,
    RATE_WIDTH = 6,
    RATIO_WIDTH = 14,
    BARE_RATIO_WIDTH = 6,
    BAR_LEAST = 10
};

/* What the columns take: names as wide as they come, ranges beside the ratios where there is room; and the unit in
 * which all rates are told, that of the highest. */
struct layout {
    int name, rate, ratio;
    bool ceiling, ranges;
    struct rate_unit unit;
};

static int text_column(const struct layout *layout)
{
    return layout->name + 2;
}

static void find_unit(const struct ladder *ladder, struct layout *layout)
{
    double top = 0;
    for (int i = 0; i < ladder->rung_count; i++) top = fmax(top, ladder->rungs[i].rate);
    rate_unit_for(top, ladder->kernel->work_unit, &layout->unit);
}

static struct layout find_layout(const struct style *style, const struct ladder *ladder)
{
    struct layout layout = {.name = (int)strlen("variant"), .ceiling = isfinite(ladder->ceiling_rate)};
    find_unit(ladder, &layout);
    layout.rate = text_width(layout.unit.name);
    if (layout.rate < RATE_WIDTH) layout.rate = RATE_WIDTH;
    for (int i = 0; i < ladder->rung_count; i++) {
        int width = text_width(ladder->rungs[i].variant->name);
        if (width > layout.name) layout.name = width;
    }
    int fixed = text_column(&layout) + TIME_WIDTH + 2 + layout.rate + 2 + (layout.ceiling ? SHARE_WIDTH + 2 : 0) +
                (int)strlen("bits");
    layout.ranges = fixed + 2 * (RATIO_WIDTH + 2) <= style->width;
    layout.ratio = layout.ranges ? RATIO_WIDTH : BARE_RATIO_WIDTH;
    return layout;
}

static void print_dim(FILE *stream, const struct style *style, int column, int indent, const char *text)
{
    fputs(style_tone(style, TONE_DIM), stream);
    text_print_wrapped(stream, style, column, indent, text);
    fputs(style_tone(style, TONE_PLAIN), stream);
}

static void print_title(FILE *stream, const struct style *style, const struct ladder *ladder)
{
    const struct config *config = ladder->config;
    int workers = mode_workers(&config->mode);
    char cpus[512], scheduling[128], text[1024];
    scheduling_format(&config->mode.scheduling, sizeof scheduling, scheduling);
    snprintf(text, sizeof text, "The variants of %s, size %s, mode %s: %d task%s on CPU%s %s%s%s", config->kernel,
             config->size, mode_name_text(config->mode.name), workers, workers == 1 ? "" : "s",
             config->mode.cpus.count == 1 ? "" : "s", cpu_list_format(&config->mode.cpus, sizeof cpus, cpus),
             *scheduling ? ", " : "", scheduling);
    fputs(style_tone(style, TONE_STRONG), stream);
    text_print_wrapped(stream, style, 0, 2, text);
    fputs(style_tone(style, TONE_PLAIN), stream);
}

static void print_header(FILE *stream, const struct style *style, const struct ladder *ladder,
                         const struct layout *layout)
{
    bool ratios = ladder->first >= 0;
    int column = text_column(layout) + TIME_WIDTH + 2 + layout->rate + 2;
    fputs(style_tone(style, TONE_DIM), stream);
    if (ratios) fprintf(stream, "%*s", column, "");
    if (ratios && layout->ceiling) fprintf(stream, "%*s  ", SHARE_WIDTH, "of the");
    if (ratios) fprintf(stream, "times as fast as\n");
    fprintf(stream, "%-*s  %*s  %*s", layout->name, "variant", TIME_WIDTH, "time", layout->rate, layout->unit.name);
    if (ratios && layout->ceiling) fprintf(stream, "  %*s", SHARE_WIDTH, "ceiling");
    if (ratios)
        fprintf(stream, "  %-*.*s  %-*s  bits", layout->ratio, layout->ratio,
                ladder->rungs[ladder->first].variant->name, layout->ratio,
                layout->ranges ? "the one before" : "before");
    fprintf(stream, "%s\n", style_tone(style, TONE_PLAIN));
}

/* "5.77 5.70-5.84". */
static const char *format_spread(const struct spread *spread, bool ranges, size_t length, char *text)
{
    char middle[32], low[32], high[32];
    format_ratio(spread->middle, sizeof middle, middle);
    format_ratio(spread->low, sizeof low, low);
    format_ratio(spread->high, sizeof high, high);
    if (ranges && isfinite(spread->low) && strcmp(low, high) != 0)
        snprintf(text, length, "%s %s-%s", middle, low, high);
    else
        snprintf(text, length, "%s", middle);
    return text;
}

static void print_time(FILE *stream, const struct ladder_rung *rung, const struct layout *layout)
{
    char time[32], rate[32];
    fprintf(stream, "%*s  %*s  ", TIME_WIDTH, format_time(rung->wall_s, sizeof time, time), layout->rate,
            format_in_unit(rung->rate, &layout->unit, sizeof rate, rate));
}

static void print_reason(FILE *stream, const struct style *style, const struct ladder_rung *rung,
                         const struct layout *layout)
{
    static const char *const states[] = {[RUNG_NOT_JUDGED] = "not judged", [RUNG_WRONG] = "WRONG ANSWER"};
    bool not_judged = rung->state == RUNG_NOT_JUDGED;
    int column = text_column(layout);
    char text[320];
    /* A sample that was disturbed was made, and had a time. */
    const char *state = states[rung->state] ? states[rung->state] : rung->group ? "no valid time" : "";
    snprintf(text, sizeof text, "%s%s%s", state, *state && *rung->reason ? ": " : "", rung->reason);
    if (not_judged) print_time(stream, rung, layout);
    if (not_judged) column += TIME_WIDTH + 2 + layout->rate + 2;
    fputs(style_tone(style, rung->state == RUNG_WRONG ? TONE_BAD : rung->group ? TONE_STRONG : TONE_DIM), stream);
    text_print_wrapped(stream, style, column, column, text);
    fputs(style_tone(style, TONE_PLAIN), stream);
}

static void print_rung(FILE *stream, const struct style *style, const struct ladder_rung *rung,
                       const struct layout *layout)
{
    char share[32], on_first[112], on_before[112];
    fprintf(stream, "%-*s  ", layout->name, rung->variant->name);
    if (rung->state != RUNG_MEASURED) {
        print_reason(stream, style, rung, layout);
        return;
    }
    print_time(stream, rung, layout);
    if (layout->ceiling) fprintf(stream, "%*s  ", SHARE_WIDTH, format_share(rung->share, sizeof share, share));
    fprintf(stream, "%-*s  %-*s  %s%c%s\n", layout->ratio,
            format_spread(&rung->on_first, layout->ranges, sizeof on_first, on_first), layout->ratio,
            format_spread(&rung->on_before, layout->ranges, sizeof on_before, on_before),
            style_tone(style, rung->bits == '?' ? TONE_BAD : TONE_PLAIN), rung->bits, style_tone(style, TONE_PLAIN));
}

static double chart_top(const struct ladder *ladder)
{
    double top = ladder->ceiling_rate;
    for (int i = 0; i < ladder->rung_count; i++)
        if (ladder->rungs[i].state == RUNG_MEASURED) top = fmax(top, ladder->rungs[i].rate);
    return top;
}

static void print_legend(FILE *stream, const struct style *style, const struct ladder *ladder,
                         const struct layout *layout)
{
    char text[256], ceiling[32];
    int used = snprintf(text, sizeof text, "%s, on one scale.", layout->unit.name);
    if (layout->ceiling)
        snprintf(text + used, sizeof text - (size_t)used, " %s marks the ceiling: %s%s%s.",
                 style->utf8 ? "\u2502" : "|",
                 format_in_unit(ladder->ceiling_rate, &layout->unit, sizeof ceiling, ceiling),
                 *ladder->ceiling ? ", " : "", ladder->ceiling);
    print_dim(stream, style, 0, 0, text);
}

static void print_bar(FILE *stream, const struct style *style, const struct ladder *ladder,
                      const struct ladder_rung *rung, const struct layout *layout)
{
    static const char *const states[] = {
        [RUNG_NOT_JUDGED] = "not judged", [RUNG_UNMEASURED] = "not measured", [RUNG_WRONG] = "wrong answer"};
    int length = style->width - text_column(layout) - RATE_WIDTH - 2;
    char rate[32];
    fprintf(stream, "%-*s  ", layout->name, rung->variant->name);
    if (rung->state != RUNG_MEASURED) {
        print_dim(stream, style, text_column(layout), text_column(layout), states[rung->state]);
        return;
    }
    double cells_each = length / chart_top(ladder);
    text_print_bar(stream, style, rung->rate * cells_each, ladder->ceiling_rate * cells_each, length);
    fprintf(stream, " %*s\n", RATE_WIDTH, format_in_unit(rung->rate, &layout->unit, sizeof rate, rate));
}

/* The bars, where there are any and room for them, and in any case the sentences. */
static void print_chart(FILE *stream, const struct style *style, const struct ladder *ladder,
                        const struct layout *layout)
{
    int column = text_column(layout);
    bool bars = ladder->first >= 0 && style->width >= column + RATE_WIDTH + 2 + BAR_LEAST;
    fputc('\n', stream);
    if (bars) print_legend(stream, style, ladder, layout);
    for (int i = 0; i < ladder->rung_count; i++) {
        const struct ladder_rung *rung = &ladder->rungs[i];
        if (bars)
            print_bar(stream, style, ladder, rung, layout);
        else
            fprintf(stream, "%-*s  ", layout->name, rung->variant->name);
        if (bars) fprintf(stream, "%*s", column, "");
        print_dim(stream, style, column, column, rung->variant->summary);
        /* Somebody else's code: the check's words tell whose. */
        if (rung->variant->exact || !rung->group || rung->state == RUNG_WRONG) continue;
        char text[256];
        snprintf(text, sizeof text, "(%s)", rung->group->samples[0].check_detail);
        fprintf(stream, "%*s", column, "");
        print_dim(stream, style, column, column, text);
    }
}

static const char *ratio_words(int blocks)
{
    if (blocks < 2) return "";
    if (blocks < 6) return "Times as fast: within a block; the median, then the lowest and the highest. ";
    return "Times as fast: within a block; the median, then its 95 % interval (of fewer than 6 blocks that count, the "
           "lowest and the highest). ";
}

static void print_notes(FILE *stream, const struct style *style, const struct ladder *ladder, const char *remark)
{
    bool measured = ladder->first >= 0;
    int blocks = ladder->blocks;
    char text[768];
    snprintf(text, sizeof text, "%s%d block%s: in each, every variant ran once, in random order. %s%s%s",
             measured && blocks > 1 ? "Medians of " : "", blocks, blocks == 1 ? "" : "s",
             measured ? ratio_words(blocks) : "", remark,
             measured ? "Every answer was checked; variants with the same letter gave the same bits." : "");
    fputc('\n', stream);
    print_dim(stream, style, 0, 0, text);
    if (!*ladder->size_hint) return;
    snprintf(text, sizeof text,
             "What is too short cannot be judged, and is not compared: --size %s would be long enough for every "
             "variant.",
             ladder->size_hint);
    text_print_wrapped(stream, style, 0, 0, text);
}

void present_ladder(FILE *stream, const struct style *style, const struct ladder *ladder, const char *remark)
{
    struct style page = *style;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    if (!ladder->config) return;
    const struct layout layout = find_layout(&page, ladder);
    print_title(stream, &page, ladder);
    fputc('\n', stream);
    print_header(stream, &page, ladder, &layout);
    for (int i = 0; i < ladder->rung_count; i++) print_rung(stream, &page, &ladder->rungs[i], &layout);
    print_chart(stream, &page, ladder, &layout);
    print_notes(stream, &page, ladder, remark);
}
