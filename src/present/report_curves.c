/* The figures of each problem, each in two sizes of which the style sheet shows the one that fits, and the table that
 * says the same in numbers, and more. */
#include "report_study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct size_of_plot {
    const char *name; /* of the style sheet */
    int width, height;
};
enum { SIZE_WIDE, SIZE_HALF, SIZE_NARROW };
static const struct size_of_plot plot_sizes[] = {
    [SIZE_WIDE] = {"large", 720, 430}, [SIZE_HALF] = {"large", 470, 400}, [SIZE_NARROW] = {"small", 360, 380}};

static void write_svg(FILE *file, enum plot plot, const struct plot_subject *subject, const struct size_of_plot *size,
                      const char *name, const char *caption)
{
    char prefix[128];
    struct error error = {""};
    char *svg = NULL;
    snprintf(prefix, sizeof prefix, "%s-%s-%s-", name, plot_name(plot), size->name);
    html_write(file, "<div class=\"%s\"", size->name);
    if (plot_svg(plot, subject, size->width, size->height, prefix, &svg, &error)) {
        html_write(file, "><p class=\"warn\">The figure could not be drawn: %s.</p></div>\n", error.text);
        return;
    }
    html_write(file, " role=\"img\" aria-label=\"%s\">", caption);
    fputs(svg, file); /* made by gnuplot from scripts of ours, in which what comes from records is escaped */
    fputs("</div>\n", file);
    free(svg);
}

void report_write_plot(FILE *file, enum plot plot, const struct plot_subject *subject, bool half, const char *name)
{
    char caption[1024];
    if (!plot_has(plot, subject, sizeof caption, caption)) return;
    plot_caption(plot, subject, sizeof caption, caption);
    fputs("<figure class=\"plot\">\n", file);
    write_svg(file, plot, subject, &plot_sizes[half ? SIZE_HALF : SIZE_WIDE], name, caption);
    write_svg(file, plot, subject, &plot_sizes[SIZE_NARROW], name, caption);
    html_write(file, "<figcaption>%s</figcaption>\n</figure>\n", caption);
}

/* The speedup first and large, the others in pairs. */
static void write_plots(FILE *file, const struct plot_subject *subject, const char *name)
{
    static const enum plot others[] = {PLOT_EFFICIENCY, PLOT_TIME, PLOT_ROOFLINE};
    char reason[512];
    if (!plot_available(sizeof reason, reason)) return;
    report_write_plot(file, PLOT_SPEEDUP, subject, false, name);
    fputs("<div class=\"pair\">\n", file);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) report_write_plot(file, others[i], subject, true, name);
    fputs("</div>\n", file);
}

struct table {
    FILE *file;
    const struct curves *curves;
    const struct study_problem *problem;
};

static const char *name_cores(const struct curve *curve, const struct curve_point *point, size_t length, char *text)
{
    snprintf(text, length, "%d%s", point->cpus, point->workers > point->cpus ? "*" : "");
    if (curve_is_timings(curve->config)) snprintf(text, length, "-");
    return text;
}

/* "252 ms (250-255)": the ends in the unit of the middle. */
static void write_times(FILE *file, const struct spread *spread)
{
    char text[112];
    study_times_text(spread, sizeof text, text);
    char *ends = spread->interval ? strrchr(text, ' ') : NULL;
    if (ends) *ends = '\0';
    html_write(file, "%s", text);
    if (ends) html_write(file, " <span class=\"range\">(%s)</span>", ends + 1);
}

/* In the cell of what decides whether a point is known well enough. */
static void write_width(const struct table *table, const struct curve_point *point)
{
    char text[32];
    if (point->converged || !isfinite(point->half_width)) return;
    fputs("<div class=\"warn why\">not converged: \u00b1", table->file);
    html_sentence(table->file, study_half_width_text(table->curves, point, sizeof text, text));
    fputs("</div>", table->file);
}

static void write_row(const struct table *table, const struct curve *curve, const struct curve_point *point)
{
    FILE *file = table->file;
    char text[512];
    html_write(file, "<tr><th scope=\"row\">%d</th><td>%s</td>", point->workers,
               name_cores(curve, point, sizeof text, text));
    if (point->valid == 0) {
        html_write(file, "<td class=\"words warn\" colspan=\"6\"><div>no valid time: %s</div></td>",
                   *point->reason ? point->reason : "not measured");
        html_write(file, "<td>%s</td></tr>\n", study_launches_text(point, sizeof text, text));
        return;
    }
    fputs("<td>", file);
    write_times(file, &point->wall_s);
    if (point->is_base) write_width(table, point);
    html_write(file, "</td><td>%s</td><td>",
               format_in_unit(point->rate.middle, &table->problem->unit, sizeof text, text));
    report_write_spread(file, &point->speedup, format_ratio);
    if (point->group == curve->serial) fputs(" <span class=\"range\">(base)</span>", file);
    if (!point->is_base) write_width(table, point);
    html_write(file, "</td><td>%s</td>", format_share(point->efficiency.middle, sizeof text, text));
    html_write(file, "<td>%s</td>", study_karp_flatt_text(point, sizeof text, text));
    html_write(file, "<td>%s</td>", format_ratio(point->own.middle, sizeof text, text));
    html_write(file, "<td>%s</td></tr>\n", study_launches_text(point, sizeof text, text));
}

static void write_curve(const struct table *table, const struct curve *curve)
{
    char name[96];
    study_curve_name(table->problem, curve, sizeof name, name);
    if (curve_is_timings(curve->config))
        html_write(table->file, "<tr><th class=\"group\" colspan=\"9\" scope=\"rowgroup\"><div>%s</div></th></tr>\n",
                   curve->config->mode.name == MODE_SERIAL ? "one worker" : "several workers");
    else
        html_write(
            table->file,
            "<tr><th class=\"group\" colspan=\"9\" scope=\"rowgroup\"><div>%s <span>(%s)</span></div></th></tr>\n",
            name, target_mode_text(curve->config));
    for (int i = 0; i < curve->count; i++) write_row(table, curve, &curve->points[i]);
}

static void write_table(const struct table *table, const char *what)
{
    char label[768];
    snprintf(label, sizeof label, "All points of %s", what);
    fputs("<div class=\"narrow\">\n", table->file);
    html_open_table(table->file, label);
    html_write(
        table->file,
        "<thead><tr><th scope=\"col\">Workers</th><th scope=\"col\">Cores</th><th scope=\"col\">Time (95&#160;%% "
        "interval)</th><th scope=\"col\">Rate, %s</th><th scope=\"col\">Speedup (95&#160;%% interval)</th>"
        "<th scope=\"col\">Efficiency</th><th scope=\"col\">Karp-Flatt</th><th scope=\"col\">Own</th>"
        "<th scope=\"col\">Launches</th></tr></thead>\n",
        table->problem->unit.name);
    for (int c = 0; c < table->problem->count; c++) {
        fputs(c > 0 ? "</tbody>\n<tbody>\n" : "<tbody>\n", table->file);
        write_curve(table, &table->problem->curves[c]);
    }
    html_close_table(table->file);
    fputs("</div>\n", table->file);
}

static void write_note(FILE *file, const char *text)
{
    if (!*text) return;
    fputs("<p class=\"note\">", file);
    html_sentence(file, text);
    fputs("</p>\n", file);
}

/* The same lines as below the terminal's table. */
static void write_notes(const struct table *table)
{
    char text[2048];
    struct report_list list = {table->file, "note", false};
    write_note(table->file, study_legend_text(table->curves, table->problem, sizeof text, text));
    write_note(table->file, study_serial_text(table->curves, table->problem, sizeof text, text));
    write_note(table->file, study_own_text(table->curves, table->problem, sizeof text, text));
    study_tell_notes(table->problem, report_write_item, &list);
    report_end_list(&list);
}

static void write_problem(FILE *file, const struct html_place *place, const struct study_part *part, int number,
                          const struct study_problem *problem)
{
    const struct plot_subject subject = {.results = part->results, .curves = part->curves, .problem = problem};
    const struct table table = {file, part->curves, problem};
    char what[640], name[64], text[1024];
    study_describe(problem, sizeof what, what);
    html_write_heading(file, place, what);
    write_note(file, study_sizes_text(problem, sizeof text, text));
    write_note(file, study_timed_text(problem, sizeof text, text));
    snprintf(name, sizeof name, "%sproblem-%d", place->prefix, number);
    write_plots(file, &subject, name);
    write_table(&table, what);
    write_notes(&table);
    report_write_outside(file, problem);
    report_write_messages(file, problem);
    report_write_samples(file, problem);
}

void report_write_curves(FILE *file, const struct html_place *place, const struct study_part *part)
{
    char reason[512];
    struct study_problem problem;
    html_open_section(file, place, "curves", "Curves and tables");
    if (!plot_available(sizeof reason, reason))
        html_write(file, "<p class=\"warn\">There are no figures in this report: %s. The tables say the same.</p>\n",
                   reason);
    for (int next = 0, number = 1; report_next_problem(part, &next, &problem); number++)
        write_problem(file, place, part, number, &problem);
    if (part->curves->count == 0) fputs("<p>There is nothing to show: no samples.</p>\n", file);
    fputs("</section>\n", file);
}
