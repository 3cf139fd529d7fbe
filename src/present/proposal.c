/* What allocation offices ask for, as a page or as Markdown: the table, the figure, the rules with their outcome, the
 * job size, what it costs, and how it was measured. Every judgement is made in analyse/proposal.h. */
#include "proposal.h"

#include "report_study.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { TEXT_LENGTH = 1024 };

struct page {
    const struct proposal_request *request;
    int count;
    const struct study_part *parts;
};

/* One problem of one machine. */
struct subject {
    struct prose prose;
    const struct proposal_request *request;
    const struct study_part *part;
    const struct study_problem *problem;
    const struct proposal *proposal;
    int level;
};

static bool wanted(const struct proposal_request *request, int criterion)
{
    return request->criterion < 0 || request->criterion == criterion;
}

static const char *const outcomes[] = {[PROPOSAL_PASSES] = "passes",
                                       [PROPOSAL_FAILS] = "fails",
                                       [PROPOSAL_OPEN] = "cannot be told",
                                       [PROPOSAL_NO_RULE] = "no rule"};

static const char *describe_spread(const struct spread *spread, report_format *format, size_t length, char *text)
{
    char middle[48], low[48], high[48];
    format(spread->middle, sizeof middle, middle);
    if (spread->interval && spread->low < spread->high)
        snprintf(text, length, "%s (%s to %s)", middle, format(spread->low, sizeof low, low),
                 format(spread->high, sizeof high, high));
    else
        snprintf(text, length, "%s", middle);
    return text;
}

static void write_table(const struct subject *subject)
{
    static const char *const names[] = {
        "Cores", "Nodes", "Time (95 % interval)", "Speedup (95 % interval)", "Efficiency", "Against the fewest cores"};
    enum { COLUMNS = sizeof names / sizeof *names };
    const struct proposal *proposal = subject->proposal;
    char label[768], what[640];
    snprintf(label, sizeof label, "Scaling of %s", study_describe(subject->problem, sizeof what, what));
    prose_open_table(&subject->prose, label, COLUMNS, names, COLUMNS);
    for (int i = 0; i < proposal->count; i++) {
        const struct curve_point *point = proposal->points[i];
        const struct spread least = curve_speedup(proposal->points[0]->group, point->group, 0.95);
        char texts[COLUMNS][128] = {""};
        const char *cells[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) cells[c] = texts[c];
        snprintf(texts[0], sizeof texts[0], "%d", point->workers);
        snprintf(texts[1], sizeof texts[1], "%d", point->group->config.mode.nodes);
        if (curve_is_timings(&point->group->config)) strcpy(texts[1], "-");
        describe_spread(&point->wall_s, format_time, sizeof texts[2], texts[2]);
        describe_spread(proposal->curve->serial ? &point->speedup : &point->own, format_ratio, sizeof texts[3],
                        texts[3]);
        format_share(point->efficiency.middle, sizeof texts[4], texts[4]);
        format_ratio(least.middle, sizeof texts[5], texts[5]);
        prose_row(&subject->prose, COLUMNS, cells, COLUMNS);
    }
    prose_close_table(&subject->prose);
}

/* How the base of the speedups was chosen. */
static void write_base(const struct subject *subject)
{
    const struct proposal *proposal = subject->proposal;
    const struct curve_point *serial = curves_find(subject->part->curves, proposal->curve->serial);
    char text[TEXT_LENGTH], time[32];
    int fewest = proposal->points[0]->workers;
    bool timings = curve_is_timings(proposal->curve->config);
    if (serial && timings)
        snprintf(
            text, sizeof text,
            "Speedups are against one core (%s). The last column is against %d core%s, the fewest that were given.",
            format_time(serial->wall_s.middle, sizeof time, time), fewest, fewest == 1 ? "" : "s");
    else if (serial && study_is_command(subject->problem))
        snprintf(text, sizeof text,
                 "Speedups are against the same command for one worker (%s on one core). The last column is against %d "
                 "core%s, the fewest that were measured in this mode.",
                 format_time(serial->wall_s.middle, sizeof time, time), fewest, fewest == 1 ? "" : "s");
    else if (serial)
        snprintf(
            text, sizeof text,
            "Speedups are against the best serial program that was measured, %.32s (%s on one core). The last column "
            "is against %d core%s, the fewest that were measured in this mode.",
            serial->group->config.variant, format_time(serial->wall_s.middle, sizeof time, time), fewest,
            fewest == 1 ? "" : "s");
    else
        snprintf(text, sizeof text,
                 "No serial program was measured. Speedups are against %d core%s, the fewest that were measured, times "
                 "their number: as if it scaled perfectly up to there. The last column is without that factor.",
                 fewest, fewest == 1 ? "" : "s");
    prose_paragraph(&subject->prose, text);
}

static void write_figure(const struct subject *subject, int number)
{
    const struct plot_subject plot = {
        .results = subject->part->results, .curves = subject->part->curves, .problem = subject->problem};
    char name[64], reason[512];
    if (!subject->prose.html) return;
    snprintf(name, sizeof name, "proposal-%d", number);
    if (plot_available(sizeof reason, reason))
        report_write_plot(subject->prose.file, PLOT_SPEEDUP, &plot, false, name);
    else
        html_write(subject->prose.file, "<p class=\"warn\">There is no figure here: %s.</p>\n", reason);
}

static void describe_step(const struct criterion *criterion, const struct proposal_step *step, size_t length,
                          char *text)
{
    double limit;
    enum proposal_outcome outcome = proposal_judge_step(criterion, step, &limit);
    const char *why = "";
    if (outcome == PROPOSAL_OPEN)
        why = !step->after          ? ": not measured"
              : !step->cut.interval ? ": too few launches for an interval"
                                    : ": the interval holds the limit";
    if (isfinite(limit))
        snprintf(text, length, "%s (%.3g needed)%s", outcomes[outcome], limit, why);
    else
        snprintf(text, length, "%s", outcomes[outcome]);
}

/* One row a doubling, one column a rule that has limits. */
static void write_steps(const struct subject *subject)
{
    const struct proposal *proposal = subject->proposal;
    const char *names[16] = {"Doubling of the cores", "Cuts the time by (95 % interval)"};
    int columns = 2;
    for (int c = 0; proposal_criteria[c].name && columns < 16; c++)
        if (proposal_criteria[c].range_count > 0 && wanted(subject->request, c))
            names[columns++] = proposal_criteria[c].office;
    if (proposal->step_count == 0) {
        prose_paragraph(&subject->prose,
                        proposal->weak
                            ? "In weak scaling each size is another problem, and the rules about doublings ask "
                              "for the same input: they do not apply. A committee that asks for weak scaling "
                              "looks at the efficiency."
                            : "No doubling of the cores was measured, so no rule about doublings can be "
                              "told to be passed.");
        return;
    }
    prose_open_table(&subject->prose, "Doublings", columns, names, 2);
    for (int s = 0; s < proposal->step_count; s++) {
        const struct proposal_step *step = &proposal->steps[s];
        char texts[16][160];
        const char *cells[16];
        for (int i = 0; i < 16; i++) cells[i] = texts[i];
        snprintf(texts[0], sizeof texts[0], "%d to %d", step->from, step->to);
        describe_spread(&step->cut, format_ratio, sizeof texts[1], texts[1]);
        for (int c = 0, at = 2; proposal_criteria[c].name && at < columns; c++)
            if (proposal_criteria[c].range_count > 0 && wanted(subject->request, c))
                describe_step(&proposal_criteria[c], step, sizeof texts[at], texts[at]), at++;
        prose_row(&subject->prose, columns, cells, 2);
    }
    prose_close_table(&subject->prose);
}

static const char *describe_cost(const struct subject *subject, const struct curve_point *point, size_t length,
                                 char *text)
{
    double hours = proposal_core_hours(point);
    int runs = subject->request->runs_planned;
    int used = snprintf(text, length, "%.3g core-hours a run", hours);
    if (runs > 1 && used > 0 && (size_t)used < length)
        snprintf(text + used, length - (size_t)used, ", %.3g for the %d runs planned", hours * runs, runs);
    return text;
}

static void write_criterion(const struct subject *subject, const struct criterion *criterion, bool first)
{
    const struct proposal *proposal = subject->proposal;
    const struct curve_point *size = proposal_recommend(criterion, proposal);
    char text[TEXT_LENGTH], outcome[512], cost[128];
    if (criterion->range_count == 0)
        snprintf(outcome, sizeof outcome, "Here: %s.",
                 curve_is_timings(proposal->curve->config) ? criterion->how_of_timings
                 : criterion->how_of_commands && study_is_command(subject->problem)
                     ? (strcmp(proposal->curve->config->command.time, "process") ? criterion->how_of_own_times
                                                                                 : criterion->how_of_commands)
                     : criterion->how);
    else if (proposal->weak)
        snprintf(outcome, sizeof outcome, "Does not apply to weak scaling.");
    else if (!size)
        snprintf(outcome, sizeof outcome, "All that was measured: %s. No job size can be recommended from it.",
                 outcomes[proposal_judge(criterion, proposal)]);
    else
        snprintf(
            outcome, sizeof outcome,
            "All that was measured: %s. Recommended job size: %d core%s, the most up to which every doubling passes "
            "(%s).",
            outcomes[proposal_judge(criterion, proposal)], size->workers, size->workers == 1 ? "" : "s",
            describe_cost(subject, size, sizeof cost, cost));
    snprintf(text, sizeof text, "%s: %s. %s Source: %s (read on %s).", criterion->office, criterion->rule, outcome,
             criterion->source, criterion->read);
    prose_item(&subject->prose, first, text);
}

static void write_criteria(const struct subject *subject)
{
    bool first = true;
    for (int c = 0; proposal_criteria[c].name; c++) {
        if (!wanted(subject->request, c)) continue;
        write_criterion(subject, &proposal_criteria[c], first);
        first = false;
    }
    prose_end_list(&subject->prose);
    prose_paragraph(
        &subject->prose,
        "Rules change, and machines go: check the call that you apply to. A doubling passes where its whole "
        "95 % interval is at the limit or above, and fails where the whole interval is below; between, it "
        "cannot be told, and more launches may tell.");
}

static void write_costs(const struct subject *subject)
{
    const struct proposal *proposal = subject->proposal;
    int runs = subject->request->runs_planned, columns = runs > 1 ? 3 : 2;
    char planned[64];
    const char *const names[] = {"Cores", "Core-hours of one run", planned};
    snprintf(planned, sizeof planned, "Of %d runs", runs);
    prose_open_table(&subject->prose, "Core-hours", columns, names, columns);
    for (int i = 0; i < proposal->count; i++) {
        char texts[3][32];
        const char *const cells[] = {texts[0], texts[1], texts[2]};
        snprintf(texts[0], sizeof texts[0], "%d", proposal->points[i]->workers);
        snprintf(texts[1], sizeof texts[1], "%.3g", proposal_core_hours(proposal->points[i]));
        snprintf(texts[2], sizeof texts[2], "%.3g", runs * proposal_core_hours(proposal->points[i]));
        prose_row(&subject->prose, columns, cells, columns);
    }
    prose_close_table(&subject->prose);
}

/* What starting costs, which no time contains. */
static void write_cost_note(const struct subject *subject)
{
    const struct proposal *proposal = subject->proposal;
    const struct curve_point *last = proposal->points[proposal->count - 1];
    char text[TEXT_LENGTH], start[64] = "", time[32];
    if (last->launch_s > 0)
        snprintf(start, sizeof start, " (here %s with %d cores)", format_time(last->launch_s, sizeof time, time),
                 last->workers);
    bool whole = study_is_command(subject->problem) && !strcmp(proposal->curve->config->command.time, "process");
    if (whole)
        snprintf(text, sizeof text,
                 "Core-hours are cores times the median time of one run of this problem, from its start to its end; "
                 "many centres charge whole nodes. Your production runs are longer: scale the number by their length.");
    else
        snprintf(
            text, sizeof text,
            "Core-hours are cores times the median time of one run of this problem. Starting up%s, input and output "
            "come on top, and many centres charge whole nodes. Your production runs are longer: scale the number by "
            "their length.",
            start);
    prose_paragraph(&subject->prose, text);
}

static void write_subject(const struct subject *subject, int number)
{
    char what[640], name[96], title[768], text[TEXT_LENGTH];
    study_describe(subject->problem, sizeof what, what);
    study_curve_name(subject->problem, subject->proposal->curve, sizeof name, name);
    bool timings = curve_is_timings(subject->proposal->curve->config);
    snprintf(title, sizeof title, timings ? "%s" : "%s, mode %s", what, name);
    prose_heading(&subject->prose, subject->level, title);
    if (subject->problem->count > 1 && !timings) {
        snprintf(text, sizeof text,
                 "Of the modes that were measured, %s reaches the highest rate with a core for each worker; all "
                 "below is of that one.",
                 name);
        prose_paragraph(&subject->prose, text);
    }
    write_table(subject);
    write_base(subject);
    write_figure(subject, number);
    prose_heading(&subject->prose, subject->level + 1, "Rules of allocation offices");
    write_steps(subject);
    write_criteria(subject);
    prose_heading(&subject->prose, subject->level + 1, "What it costs");
    write_costs(subject);
    write_cost_note(subject);
    prose_heading(&subject->prose, subject->level + 1, "Methods");
    proposal_write_methods(&subject->prose, subject->part, subject->problem, subject->proposal);
}

static void write_part(const struct prose *prose, const struct page *page, const struct study_part *part, int *number)
{
    struct study_problem problem;
    bool several = page->count > 1;
    if (several) prose_heading(prose, 2, *part->curves->machine ? part->curves->machine : "An unknown machine");
    for (int next = 0, first = 0; report_next_problem(part, &next, &problem); first = next) {
        struct proposal proposal;
        char text[TEXT_LENGTH], what[640];
        int status = proposal_build(part->curves, first, problem.count, &proposal);
        if (status) {
            snprintf(text, sizeof text, "%.600s: %s.", study_describe(&problem, sizeof what, what),
                     status == -ENOENT ? "no valid time with a core for each worker, so nothing can be proposed from it"
                                       : "no memory is left for it");
            prose_paragraph(prose, text);
            continue;
        }
        const struct subject subject = {*prose, page->request, part, &problem, &proposal, several ? 3 : 2};
        write_subject(&subject, ++*number);
        proposal_release(&proposal);
    }
}

static const char title[] = "Scaling evidence for a proposal";
static const char lead[] =
    "What offices that grant computing time ask for, made from a record of measurements. What stands in [brackets] is "
    "for you to fill in.";

static void write_page(FILE *file, const void *context)
{
    const struct page *page = context;
    const struct prose prose = {file, true};
    int number = 0;
    html_open_page(file, title, report_study_css, "");
    html_write(file, "%s</p>\n</header>\n<main>\n", lead);
    for (int p = 0; p < page->count; p++) write_part(&prose, page, &page->parts[p], &number);
    html_close_page(file);
}

static void write_markdown(FILE *file, const void *context)
{
    const struct page *page = context;
    const struct prose prose = {file, false};
    int number = 0;
    prose_heading(&prose, 1, title);
    prose_paragraph(&prose, lead);
    for (int p = 0; p < page->count; p++) write_part(&prose, page, &page->parts[p], &number);
}

int present_proposal(const char *path, const struct proposal_request *request, int count,
                     const struct study_part parts[], struct error *error)
{
    const struct page page = {request, count, parts};
    return html_write_file(path ? path : "-", path ? write_page : write_markdown, &page, error);
}
