/* What each speedup lost, and to what: the factors as a table, as a figure, and in words. */
#include "report_study.h"

#include <math.h>

/* The same of a command, of which no more is seen than how many tasks ran and were ready. */
static const char *factor_meaning_outside(enum factor factor)
{
    switch (factor) {
    case FACTOR_COMPUTATION:
        return "The same work costs more CPU time than in the base: caches and memory are shared, the clock is slower "
               "when more cores work, the parallel program does more, or tasks spin while they wait, which looks like "
               "work from outside.";
    case FACTOR_BALANCE:
        return "Fewer tasks than workers were active (running, or ready to) at a time: serial parts, unequal shares "
               "and waits for one another, which look alike from outside.";
    case FACTOR_COMMUNICATION:
        return "There was time in which no task was active: the program waited for something else, such as files, the "
               "network or a timer.";
    case FACTOR_SHARE:
        return "Active tasks took turns on a core: each had it for a part of the time. That is multitasking.";
    case FACTOR_COUNT:
        break;
    }
    return "";
}

/* What it means that a factor is below 1. */
static const char *factor_meaning(enum factor factor)
{
    switch (factor) {
    case FACTOR_COMPUTATION:
        return "A unit of work costs more CPU time than in the base: caches and memory are shared, the clock is slower "
               "when more cores work, or the parallel program does more.";
    case FACTOR_BALANCE:
        return "Some workers have less to do than others, and all wait for the one that has the most.";
    case FACTOR_COMMUNICATION:
        return "Workers wait for each other and exchange data, and do not compute meanwhile.";
    case FACTOR_SHARE:
        return "Workers take turns on a core: each has it for a part of the time. That is multitasking.";
    case FACTOR_COUNT:
        break;
    }
    return "";
}

/* Records in which both kernels and commands are have both meanings. */
static void write_meanings(FILE *file, const struct curves *curves)
{
    int commands = 0;
    for (int c = 0; c < curves->count; c++) commands += target_is_command(curves->curves[c].config);
    fputs("<p>Every speedup is a product: the number of workers, times four factors. A factor of 1 loses nothing; the "
          "smallest one is the reason. Below 1:</p>\n<ul>\n",
          file);
    for (int f = 0; f < FACTOR_COUNT; f++) {
        html_write(file, "<li><strong>%s</strong>: ", factor_name((enum factor)f));
        if (commands < curves->count || commands == 0) html_write(file, "%s", factor_meaning((enum factor)f));
        if (commands > 0)
            html_write(file, "%s%s", commands < curves->count ? " Of a command: " : "",
                       factor_meaning_outside((enum factor)f));
        fputs("</li>\n", file);
    }
    fputs("</ul>\n", file);
}

static void write_row(FILE *file, const struct study_problem *problem, const struct curve *curve,
                      const struct curve_point *point)
{
    const struct factors *factors = &point->factors;
    char text[128];
    study_point_name(problem, curve, point, sizeof text, text);
    html_write(file, "<tr><th scope=\"row\">%s</th>", text);
    if (!isfinite(factors->product)) {
        html_write(file, "<td class=\"words\" colspan=\"%d\"><div>not known: %s</div></td></tr>\n", FACTOR_COUNT + 3,
                   *factors->missing ? factors->missing : "no base to compare with");
        return;
    }
    html_write(file, "<td>%s</td>", format_ratio(factors->scale, sizeof text, text));
    for (int f = 0; f < FACTOR_COUNT; f++) {
        bool reason = f == (int)factors->worst && factors->value[f] < 0.98;
        html_write(file, reason ? "<td><strong>%s</strong></td>" : "<td>%s</td>",
                   format_ratio(factors->value[f], sizeof text, text));
    }
    html_write(file, "<td>%s</td>", format_ratio(factors->product, sizeof text, text));
    html_write(file, "<td>%s%s</td></tr>\n", format_ratio(factors->speedup, sizeof text, text),
               study_contradicts(curve, point) ? "!" : "");
}

typedef void each_point(FILE *, const struct study_problem *, const struct curve *, const struct curve_point *);

static void for_each_explained(FILE *file, const struct study_problem *problem, each_point *write)
{
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++)
            if (study_explains(&problem->curves[c], &problem->curves[c].points[i]))
                write(file, problem, &problem->curves[c], &problem->curves[c].points[i]);
}

static void write_sentence(FILE *file, const struct study_problem *problem, const struct curve *curve,
                           const struct curve_point *point)
{
    char name[96], sentence[512];
    if (point->factors.blocks == 0) return;
    html_write(file, "<li><strong>%s</strong>: ", study_curve_name(problem, curve, sizeof name, name));
    html_sentence(file, factors_sentence(&point->factors, point->group, sizeof sentence, sentence));
    fputs("</li>\n", file);
}

static bool any_contradiction(const struct study_problem *problem)
{
    bool any = false;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++)
            any |= study_explains(&problem->curves[c], &problem->curves[c].points[i]) &&
                   study_contradicts(&problem->curves[c], &problem->curves[c].points[i]);
    return any;
}

static void write_problem(FILE *file, const struct html_place *place, const struct study_part *part, int number,
                          const struct study_problem *problem)
{
    const struct plot_subject subject = {.results = part->results, .curves = part->curves, .problem = problem};
    char what[640], label[768], name[64], reason[512];
    study_describe(problem, sizeof what, what);
    if (problem->count < part->curves->count) html_write_heading(file, place, what);
    if (!study_explains_any(problem)) {
        fputs("<p>Not known: nothing here had several workers whose own times were measured.</p>\n", file);
        return;
    }
    snprintf(name, sizeof name, "%swhy-%d", place->prefix, number);
    if (plot_available(sizeof reason, reason)) report_write_plot(file, PLOT_DECOMPOSITION, &subject, false, name);
    snprintf(label, sizeof label, "Factors of the speedups of %s", what);
    html_open_table(file, label);
    fputs("<thead><tr><th scope=\"col\">Mode, workers</th><th scope=\"col\">Workers / base's</th>", file);
    for (int f = 0; f < FACTOR_COUNT; f++)
        html_write(file, "<th scope=\"col\">\u00d7 %s</th>", factor_name((enum factor)f));
    fputs("<th scope=\"col\">= product</th><th scope=\"col\">Speedup measured</th></tr></thead>\n<tbody>\n", file);
    for_each_explained(file, problem, write_row);
    html_close_table(file);
    if (any_contradiction(problem))
        fputs("<p class=\"note\">!: the product lies outside of the speedup's interval: something has part in it that "
              "no factor sees.</p>\n",
              file);
    fputs("<p>In words:</p>\n<ul>\n", file);
    for_each_explained(file, problem, write_sentence);
    fputs("</ul>\n", file);
}

void report_write_why(FILE *file, const struct html_place *place, const struct study_part *part)
{
    struct study_problem problem;
    html_open_section(file, place, "why", "What was lost, and to what");
    if (study_all_timings(part->curves)) {
        fputs("<p>Not known: a list of times does not tell what the workers did meanwhile.</p>\n</section>\n", file);
        return;
    }
    write_meanings(file, part->curves);
    for (int next = 0, number = 1; report_next_problem(part, &next, &problem); number++)
        write_problem(file, place, part, number, &problem);
    fputs(
        "<p class=\"note\">Factors are medians over blocks, each against the base of the same block, so their product "
        "is nearly, not exactly, the speedup. Load balance times communication times share is the parallel efficiency "
        "of the POP metrics (Casas, Badia, Labarta: ICS 2008), with time slicing told apart.</p>\n</section>\n",
        file);
}
