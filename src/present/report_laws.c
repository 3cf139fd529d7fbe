/* The scaling laws that were fitted, and how far each may be trusted. */
#include "report_study.h"

#include <math.h>

static void write_parameters(FILE *file, const struct model_fit *fit)
{
    char text[192];
    fputs("<td class=\"words\"><div>", file);
    for (int p = 0; p < fit->parameter_count; p++)
        html_write(file, "%s%s", p > 0 ? "; " : "", study_parameter_text(fit, p, sizeof text, text));
    fputs("</div></td>", file);
}

static const char *describe_peak(const struct model_fit *fit, size_t length, char *text)
{
    if (fit->peak <= fit->most_workers)
        snprintf(text, length, "%.0f workers", fit->peak);
    else if (isnan(fit->peak))
        snprintf(text, length, "none in this law");
    else
        snprintf(text, length, "none within twice those measured");
    return text;
}

static void write_fit(FILE *file, const char *name, const struct curve *curve, const struct model_fit *fit)
{
    char text[64];
    html_write(file, "<tr><th scope=\"row\">%s</th><td class=\"left\">%s%s</td>", name, model_name(fit->model),
               curve->chosen == (int)fit->model ? " (the one to use)" : "");
    if (fit->state != MODEL_FITTED) {
        html_write(file, "<td class=\"words\" colspan=\"3\"><div>not fitted: %s</div></td></tr>\n", fit->reason);
        return;
    }
    write_parameters(file, fit);
    html_write(file, "<td>%s</td>", format_share(fit->residual, sizeof text, text));
    html_write(file, "<td class=\"left\">%s</td></tr>\n", describe_peak(fit, sizeof text, text));
}

/* Returns how many rows were written. */
static int write_fits(FILE *file, const struct study_problem *problem)
{
    int rows = 0;
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        char name[96];
        if (!study_scales(curve)) continue;
        study_curve_name(problem, curve, sizeof name, name);
        for (int m = 0; m < MODEL_COUNT; m++) {
            if ((m == MODEL_GUSTAFSON) != curve->weak) continue;
            write_fit(file, name, curve, &curve->fits[m]);
            rows++;
        }
    }
    return rows;
}

static void write_bounds(FILE *file, const struct study_problem *problem)
{
    char text[640], name[96];
    struct report_list list = {file, "", false};
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        if (!study_scales(curve)) continue;
        report_write_item(&list, study_bounds_text(problem, curve, sizeof text, text));
        if (curve->superlinear == 0) continue;
        snprintf(text, sizeof text,
                 "%s: %d point%s faster than ideal with the whole interval. More cache for the same work, or a base "
                 "that was disturbed, can be why; no law here describes that.",
                 study_curve_name(problem, curve, sizeof name, name), curve->superlinear,
                 curve->superlinear == 1 ? "" : "s");
        report_write_item(&list, text);
    }
    study_tell_common_bounds(problem, report_write_item, &list);
    report_end_list(&list);
}

static void write_problem(FILE *file, const struct html_place *place, const struct study_part *part,
                          const struct study_problem *problem)
{
    char what[640], label[768], text[256];
    bool any = false;
    study_describe(problem, sizeof what, what);
    if (problem->count < part->curves->count) html_write_heading(file, place, what);
    for (int c = 0; c < problem->count; c++) any |= study_scales(&problem->curves[c]);
    if (!any) {
        fputs("<p>No law: it takes valid times of several numbers of workers, with a core for each.</p>\n", file);
    } else {
        snprintf(label, sizeof label, "Scaling laws of %s", what);
        html_open_table(file, label);
        fputs("<thead><tr><th scope=\"col\">Mode</th><th scope=\"col\" class=\"left\">Law</th>"
              "<th scope=\"col\" class=\"left\">Parameters (95&#160;% interval)</th><th scope=\"col\">Deviates by</th>"
              "<th scope=\"col\" class=\"left\">Fastest with</th></tr></thead>\n<tbody>\n",
              file);
        write_fits(file, problem);
        html_close_table(file);
        html_write(file, "<p class=\"note\">%s</p>\n", study_laws_text(problem, sizeof text, text));
    }
    write_bounds(file, problem);
}

void report_write_laws(FILE *file, const struct html_place *place, const struct study_part *part)
{
    struct study_problem problem;
    html_open_section(file, place, "laws", "Scaling laws, and how far to trust them");
    fputs(
        "<p>A law puts a curve into one or two numbers. It is fitted to times, by least squares of their logarithms, "
        "and its intervals come from fitting it again to launches drawn anew. A parameter is <em>not identifiable</em> "
        "where the data leave it at an end of what is possible: then it says nothing. <em>Deviates by</em> is how far "
        "the points lie from the law on average. No law is used beyond twice the most workers that were "
        "measured.</p>\n",
        file);
    for (int next = 0; report_next_problem(part, &next, &problem);) write_problem(file, place, part, &problem);
    fputs("</section>\n", file);
}
