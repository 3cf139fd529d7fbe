/* The page's sections of a study of nodes and cores: the verdict, the tables, and how it was judged. */
#include "report_study.h"

#include "nodes_text.h"

#include <stdlib.h>

enum { ROWS_MAX = 1000, SENTENCE_LENGTH = 1400 };

typedef void write_nodes(FILE *, const struct html_place *, const struct study_part *, const struct group *,
                         const struct nodes *);

/* For each group; without memory it says so. */
static void for_each(FILE *file, const struct html_place *place, const struct study_part *part, write_nodes *write)
{
    for (int g = 0; g < part->results->group_count; g++) {
        const struct group *group = &part->results->groups[g];
        struct nodes nodes;
        if (nodes_build(group, nodes_confidence(part->results), &nodes)) {
            fputs("<p>No memory was left to compare the cores.</p>\n", file);
            continue;
        }
        write(file, place, part, group, &nodes);
        nodes_release(&nodes);
    }
}

static void write_verdict(FILE *file, const struct html_place *place, const struct study_part *part,
                          const struct group *group, const struct nodes *nodes)
{
    (void)place;
    struct report_list notes = {file, "", false};
    char text[SENTENCE_LENGTH];
    bool slow = nodes->slow_cores + nodes->slow_nodes > 0;
    html_write(file, "<div class=\"verdict\">\n<p class=\"note\">%s.</p>\n",
               nodes_title_text(group, nodes, sizeof text, text));
    fputs(slow ? "<p class=\"warn\">" : "<p class=\"best\">", file);
    html_sentence(file, nodes_sentence(nodes, sizeof text, text));
    fputs("</p>\n", file);
    nodes_tell_notes(nodes, part->results, report_write_item, &notes);
    report_end_list(&notes);
    fputs("</div>\n", file);
}

void report_write_nodes_verdict(FILE *file, const struct html_place *place, const struct study_part *part)
{
    html_open_section(file, place, "verdict", "The verdict");
    for_each(file, place, part, write_verdict);
    if (part->results->group_count == 0) fputs("<p>The record holds no launch.</p>\n", file);
    fputs("</section>\n", file);
}

static void write_row(FILE *file, const struct nodes *nodes, const struct nodes_place *place, bool whole)
{
    char name[128], cells[NODES_COLUMNS][NODES_CELL_LENGTH], cause[384];
    nodes_row_cells(place, cells);
    nodes_row_name(nodes, place, whole, sizeof name, name);
    html_write(file,
               place->cpu < 0 || nodes->node_count == 1 ? "<tr><th scope=\"row\">%s</th>"
                                                        : "<tr><th scope=\"row\">&#160;&#160;%s</th>",
               name);
    for (int i = 0; i < NODES_COLUMNS - 1; i++) html_write(file, "<td>%s</td>", cells[i]);
    html_write(file, "<td class=\"left\">%s</td><td class=\"words\"><div>%s</div></td></tr>\n",
               cells[NODES_COLUMNS - 1], nodes_cause_text(place, sizeof cause, cause));
}

static void write_table(FILE *file, const struct html_place *place, const struct study_part *part,
                        const struct group *group, const struct nodes *nodes)
{
    (void)place;
    (void)part;
    const struct nodes_place **rows = calloc(ROWS_MAX, sizeof *rows);
    char text[512];
    bool whole = false;
    int count = rows ? nodes_select(nodes, ROWS_MAX, rows, &whole) : 0;
    for (int of_nodes = 1; of_nodes >= 0 && nodes->core_count > 2; of_nodes--)
        if (*nodes_distribution_text(nodes, of_nodes, sizeof text, text)) html_write(file, "<p>%s.</p>\n", text);
    html_open_table(file, nodes_title_text(group, nodes, sizeof text, text));
    fputs("<thead><tr><th scope=\"col\">Where</th><th scope=\"col\">Times as long</th><th scope=\"col\">CPU "
          "time</th><th scope=\"col\">Waited for its core</th><th scope=\"col\">Used by others</th><th "
          "scope=\"col\">Steal</th><th scope=\"col\" class=\"left\">Judged</th><th scope=\"col\" "
          "class=\"left\">Why</th></tr></thead>\n<tbody>\n",
          file);
    for (int i = 0; i < count; i++) write_row(file, nodes, rows[i], whole);
    html_close_table(file);
    if (!whole)
        fputs("<p class=\"note\">There are too many for a table: only what is slow or not known is shown, the slowest "
              "first. <code>speedup report FILE --json</code> has all.</p>\n",
              file);
    free(rows);
}

void report_write_nodes(FILE *file, const struct html_place *place, const struct study_part *part)
{
    html_open_section(file, place, "nodes", "Nodes and cores");
    for_each(file, place, part, write_table);
    fputs("</section>\n", file);
}

static void write_method(FILE *file, const struct html_place *place, const struct study_part *part,
                         const struct group *group, const struct nodes *nodes)
{
    (void)place;
    (void)part;
    char text[SENTENCE_LENGTH], target[128];
    html_write(file, "<p>%s: ", target_text(&group->config, 80, sizeof target, target));
    html_sentence(file, nodes_method_text(nodes, sizeof text, text));
    fputs("</p>\n", file);
}

void report_write_nodes_method(FILE *file, const struct html_place *place, const struct study_part *part)
{
    html_open_section(file, place, "method", "How it was measured");
    for_each(file, place, part, write_method);
    fputs("</section>\n", file);
}
