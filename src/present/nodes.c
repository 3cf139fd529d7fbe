/* Nodes and cores that did the same work, on a terminal: the verdict first, then a table, which for thousands of them
 * is their distribution and what is slow. 80 columns suffice.
 */
#include "nodes_text.h"

#include <math.h>
#include <string.h>

enum { PAGE_WIDTH_MAX = 100, ROWS_MAX = 20, NAME_WIDTH_MIN = 6, NAME_WIDTH_MAX = 18, SENTENCE_LENGTH = 1400 };

static const int widths[NODES_COLUMNS] = {14, 8, 7, 7, 7, 9};
const char *const nodes_columns[NODES_COLUMNS] = {"times as long", "CPU time", "waited", "others", "steal", ""};

const char *nodes_row_name(const struct nodes *nodes, const struct nodes_place *place, bool whole, size_t length,
                           char *text)
{
    if (whole && place->cpu >= 0 && nodes->node_count > 1)
        snprintf(text, length, "  CPU %d", place->cpu);
    else
        nodes_place_name(nodes, place, length, text);
    return text;
}

void nodes_row_cells(const struct nodes_place *place, char cells_p[NODES_COLUMNS][NODES_CELL_LENGTH])
{
    const struct spread *time = &place->time;
    char middle[16], low[16], high[16];
    format_ratio(time->middle, sizeof middle, middle);
    if (time->interval)
        snprintf(cells_p[0], NODES_CELL_LENGTH, "%s %s-%s", middle, format_ratio(time->low, sizeof low, low),
                 format_ratio(time->high, sizeof high, high));
    else
        snprintf(cells_p[0], NODES_CELL_LENGTH, "%s", middle);
    format_ratio(place->cpu_time.middle, NODES_CELL_LENGTH, cells_p[1]);
    format_share(place->waited, NODES_CELL_LENGTH, cells_p[2]);
    format_share(place->foreign, NODES_CELL_LENGTH, cells_p[3]);
    format_share(place->stolen, NODES_CELL_LENGTH, cells_p[4]);
    snprintf(cells_p[5], NODES_CELL_LENGTH, "%s", nodes_state_text(place->state));
}

const char *nodes_title_text(const struct group *group, const struct nodes *nodes, size_t length, char *text)
{
    const struct curve curve = {.config = &group->config};
    const struct study_problem problem = {.count = 1, .curves = &curve};
    char what[640], where[64] = "";
    if (nodes->node_count > 1) snprintf(where, sizeof where, " of %d nodes", nodes->node_count);
    snprintf(text, length, "%s: the same work on %d core%s%s at once; %d launch%s",
             study_describe(&problem, sizeof what, what), nodes->core_count, nodes->core_count == 1 ? "" : "s", where,
             nodes->launches, nodes->launches == 1 ? "" : "es");
    return text;
}

const char *nodes_distribution_text(const struct nodes *nodes, bool of_nodes, size_t length, char *text)
{
    static const double quantiles[] = {0, 0.05, 0.5, 0.95, 1};
    char values[5][16];
    text[0] = '\0';
    if (of_nodes && nodes->node_count < 2) return text;
    for (int q = 0; q < 5; q++)
        format_ratio(nodes_quantile(nodes, of_nodes, quantiles[q]), sizeof values[q], values[q]);
    snprintf(text, length, "%d %s: the fastest %s, 5 %% below %s, the median %s, 5 %% above %s, the slowest %s",
             of_nodes ? nodes->node_count : nodes->core_count, of_nodes ? "nodes" : "cores", values[0], values[1],
             values[2], values[3], values[4]);
    return text;
}

void nodes_tell_notes(const struct nodes *nodes, const struct results *results, study_say *say, void *context)
{
    char text[512], share[32];
    json_int_t kinds = json_integer_value(json_object_get(json_object_get(results->context, "machine"), "kinds"));
    if (nodes->disturbed > 0) {
        snprintf(text, sizeof text,
                 "%d of %d launches were disturbed. In a scaling study they would not count; here they do: what "
                 "disturbs a core is what is looked for.",
                 nodes->disturbed, nodes->launches);
        say(context, text);
    }
    if (nodes->left_out > 0) {
        snprintf(text, sizeof text,
                 "Left out: %d sample%s with a wrong answer, or without the times of workers that have a core each.",
                 nodes->left_out, nodes->left_out == 1 ? "" : "s");
        say(context, text);
    }
    if (nodes->throttled > 0.01) {
        snprintf(text, sizeof text,
                 "A CPU quota of the control group stopped workers for %s of the time (of the node where it was the "
                 "most): that slows cores which are as good as others.",
                 format_share(nodes->throttled, sizeof share, share));
        say(context, text);
    }
    if (kinds > 1)
        say(context, "This machine has cores of several kinds: those of one kind are alike, not all of them.");
}

const char *nodes_method_text(const struct nodes *nodes, size_t length, char *text)
{
    bool single = nodes->node_count < 2;
    snprintf(text, length,
             "each launch starts one worker on every core, and all do the same work at the same time. Times of work "
             "are relative to %s of the same launch, so that what changes for all cancels%s. Told are medians over "
             "the launches, with intervals by order statistics, widened so that all %d of them together hold with "
             "%.0f %%%s. Slow is what lies above %.2f with its whole interval: equal processors differ by some per "
             "cent. CPU time: of the work, likewise; waited: ready, but without the core; others: programs that "
             "used the core; steal: the hypervisor did.",
             nodes->core_count == 2 ? "the other core" : "the median core",
             single ? "" : "; a node's time is the median of its cores'",
             nodes->core_count + (single ? 0 : nodes->node_count), 100 * nodes->confidence,
             nodes->confidence > 0.95 ? " (as looking at them decides when to stop: good for 95 %)" : "",
             1 + NODES_THRESHOLD);
    return text;
}

static void print_cells(FILE *stream, char cells[NODES_COLUMNS][NODES_CELL_LENGTH])
{
    for (int i = 0; i < NODES_COLUMNS - 1; i++) fprintf(stream, i == 0 ? "  %-*s" : " %*s", widths[i], cells[i]);
}

static void print_row(FILE *stream, const struct style *style, const struct nodes *nodes,
                      const struct nodes_place *place, bool whole, int width)
{
    static const enum tone tones[] = {
        [NODES_ALIKE] = TONE_PLAIN, [NODES_SLOW] = TONE_BAD, [NODES_FAST] = TONE_GOOD, [NODES_OPEN] = TONE_DIM};
    char name[96], cells[NODES_COLUMNS][NODES_CELL_LENGTH];
    nodes_row_name(nodes, place, whole, sizeof name, name);
    nodes_row_cells(place, cells);
    fputs("  ", stream);
    int columns = text_width(name);
    if (columns > width) {
        /* Hosts of a cluster differ in their ends. */
        text_print_plain(stream, style, "..", 2);
        const char *end = name + strlen(name);
        for (int left = width - 2; left > 0 && end > name; end--) left -= ((unsigned char)end[-1] & 0xc0) != 0x80;
        text_print_plain(stream, style, end, strlen(end));
    } else {
        text_print_plain(stream, style, name, strlen(name));
        fprintf(stream, "%*s", width - columns, "");
    }
    print_cells(stream, cells);
    fprintf(stream, "  %s%s%s\n", style_tone(style, tones[place->state]), cells[NODES_COLUMNS - 1],
            style_tone(style, TONE_PLAIN));
}

static void print_table(FILE *stream, const struct style *style, const struct nodes *nodes)
{
    const struct nodes_place *rows[ROWS_MAX];
    char text[256], cells[NODES_COLUMNS][NODES_CELL_LENGTH];
    bool whole;
    int count = nodes_select(nodes, ROWS_MAX, rows, &whole), width = NAME_WIDTH_MIN;
    for (int i = 0; i < count; i++) {
        int own = text_width(nodes_row_name(nodes, rows[i], whole, sizeof text, text));
        if (own > width) width = own < NAME_WIDTH_MAX ? own : NAME_WIDTH_MAX;
    }
    if (!whole) {
        for (int of_nodes = 1; of_nodes >= 0; of_nodes--)
            if (*nodes_distribution_text(nodes, of_nodes, sizeof text, text))
                text_print_wrapped(stream, style, 0, 2, text);
        if (count > 0) fputc('\n', stream);
    }
    if (count == 0) return;
    for (int i = 0; i < NODES_COLUMNS; i++) snprintf(cells[i], NODES_CELL_LENGTH, "%s", nodes_columns[i]);
    fprintf(stream, "%s  %*s", style_tone(style, TONE_DIM), width, "");
    print_cells(stream, cells);
    fprintf(stream, "%s\n", style_tone(style, TONE_PLAIN));
    for (int i = 0; i < count; i++) print_row(stream, style, nodes, rows[i], whole, width);
    int told = nodes->slow_nodes + nodes->slow_cores + nodes->open;
    if (!whole && count == ROWS_MAX && told > count)
        fprintf(stream, "  and %d more; 'speedup report FILE --json' has all\n", told - count);
}

struct page {
    FILE *stream;
    const struct style *style;
};

static void print_note(void *context, const char *text)
{
    struct page *page = context;
    text_print_wrapped(page->stream, page->style, 0, 2, text);
}

static void print_group(FILE *stream, const struct style *style, const struct results *results,
                        const struct group *group, const struct nodes *nodes)
{
    struct page page = {stream, style};
    bool slow = nodes->slow_cores + nodes->slow_nodes > 0;
    char text[SENTENCE_LENGTH];
    study_print_toned(stream, style, slow ? TONE_BAD : TONE_STRONG, 0, 0, nodes_sentence(nodes, sizeof text, text));
    fputc('\n', stream);
    study_print_toned(stream, style, TONE_DIM, 0, 2, nodes_title_text(group, nodes, sizeof text, text));
    print_table(stream, style, nodes);
    fputc('\n', stream);
    nodes_tell_notes(nodes, results, print_note, &page);
    snprintf(text, sizeof text, "How it was measured: ");
    size_t used = strlen(text);
    nodes_method_text(nodes, sizeof text - used, text + used);
    study_print_toned(stream, style, TONE_DIM, 0, 0, text);
}

void present_nodes(FILE *stream, const struct style *style, const struct results *results)
{
    struct style page = *style;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    for (int g = 0; g < results->group_count; g++) {
        struct nodes nodes;
        if (nodes_build(&results->groups[g], nodes_confidence(results), &nodes)) {
            text_print_wrapped(stream, &page, 0, 0, "No memory is left to compare the cores.");
            return;
        }
        if (g > 0) fputc('\n', stream);
        print_group(stream, &page, results, &results->groups[g], &nodes);
        nodes_release(&nodes);
    }
}
