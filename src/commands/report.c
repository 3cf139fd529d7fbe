/* From result files to everything that can be shown of them. Files of one machine make one part: blocks and launches of
 * the further ones are counted on, so that nothing is ever paired across files. */
#include "../analyse/nodes.h"
#include "../analyse/proposal.h"
#include "../present/plot.h"
#include "../present/present.h"
#include "commands.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct part {
    struct results results;
    struct curves curves;
    char machine[256];
};

struct report {
    bool json;
    const char *output; /* of the HTML page; NULL: none */
    bool proposal;
    struct proposal_request request;
    double precision; /* 0: as asked for when it was measured */
    struct option_pairs exports;
    struct plot_output figures; /* folder NULL: none */
    int part_count;
    struct part *parts;
};

/* What kind of study it is: those of two kinds are not one. */
static const char *scaling_of(const struct results *results)
{
    if (nodes_asked(results)) return "per-node";
    const char *scaling = json_string_value(json_object_get(results->study, "scaling"));
    return scaling ? scaling : "";
}

/* One more than the largest block, or launch. */
static void find_ends(const struct results *results, int *block_p, int *launch_p)
{
    *block_p = *launch_p = 0;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++) {
            const struct sample *sample = &results->groups[g].samples[s];
            if (sample->block >= *block_p) *block_p = sample->block + 1;
            if (sample->launch >= *launch_p) *launch_p = sample->launch + 1;
        }
}

/* 0 or -ENOMEM. */
static int move_timelines(struct results *results, struct results *from)
{
    int status = 0;
    for (int t = 0; t < from->timeline_count && !status; t++)
        status = results_add_timeline(results, &from->timelines[t]);
    if (!status) from->timeline_count = 0; /* the emptied ones hold nothing */
    return status;
}

/* 0 or -ENOMEM. */
static int append_results(struct results *results, struct results *more)
{
    int block, launch, status = move_timelines(results, more);
    find_ends(results, &block, &launch);
    for (int g = 0; g < more->group_count; g++)
        for (int s = 0; s < more->groups[g].count && !status; s++) {
            struct sample sample = more->groups[g].samples[s]; /* borrows the workers; results_add copies them */
            sample.block += block;
            sample.launch += launch;
            status = results_add(results, &sample);
        }
    for (size_t i = 0; i < json_array_size(more->references) && !status; i++)
        status = results_add_reference(results, json_incref(json_array_get(more->references, i)));
    results->torn |= more->torn;
    return status;
}

/* Of another version, compiler or flags: its times are another program's. */
static bool same_program(const struct results *a, const struct results *b)
{
    static const char *const names[] = {"version", "compiler", "flags", "build_type", "sanitizers"};
    const json_t *left = json_object_get(a->context, "program"), *right = json_object_get(b->context, "program");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!json_equal(json_object_get(left, names[i]), json_object_get(right, names[i])) &&
            (json_object_get(left, names[i]) || json_object_get(right, names[i])))
            return false;
    return true;
}

/* And the same program. */
static bool same_machine(const struct part *a, const struct part *b)
{
    return *a->machine && strcmp(a->machine, b->machine) == 0 && same_program(&a->results, &b->results);
}

/* Takes the results. What is of no known machine stays alone. */
static int add_results(struct report *report, struct results *results, struct error *error)
{
    struct part part = {.results = *results};
    files_machine(results, sizeof part.machine, part.machine);
    for (int p = 0; p < report->part_count; p++) {
        struct part *other = &report->parts[p];
        if (!same_machine(&part, other) || strcmp(scaling_of(results), scaling_of(&other->results))) continue;
        if (json_equal(results->context, other->results.context)) {
            results_release(results);
            return error_set(error, STATUS_USAGE, "the same record is given twice; give each once");
        }
        int status = append_results(&other->results, results);
        results_release(results);
        return status ? error_set(error, STATUS_FAILED, "no memory is left for the samples") : STATUS_OK;
    }
    report->parts[report->part_count++] = part;
    return STATUS_OK;
}

/* The part of a study on the same machine; NULL. */
static struct part *study_beside(const struct report *report, const struct part *part)
{
    for (int p = 0; p < report->part_count; p++)
        if (report->parts[p].results.study && same_machine(part, &report->parts[p])) return &report->parts[p];
    return NULL;
}

static int count_samples(const struct results *results)
{
    int count = 0;
    for (int g = 0; g < results->group_count; g++) count += results->groups[g].count;
    return count;
}

/* A timeline shows how the machine of a study ran its tasks: in the page it stands with the study, whatever file it
 * came in. The single runs that were made beside it are none of the study: they are left out, and that is told. 0 or
 * -ENOMEM. */
static int gather_timelines(struct report *report)
{
    int status = 0, kept = 0;
    for (int p = 0; p < report->part_count; p++) {
        struct part part = report->parts[p];
        struct part *study =
            part.results.study || part.results.timeline_count == 0 ? NULL : study_beside(report, &part);
        int samples = count_samples(&part.results);
        if (study && !status) status = move_timelines(&study->results, &part.results);
        if (study && samples > 0)
            fprintf(stderr,
                    "speedup report: the timelines of single runs are shown with the study of %s; their %d sample%s "
                    "no part of it, and left out\n",
                    part.machine, samples, samples == 1 ? " is" : "s are");
        if (study)
            results_release(&part.results);
        else
            report->parts[kept++] = part;
    }
    report->part_count = kept;
    return status;
}

static int read_files(struct report *report, int count, char *const paths[], struct error *error)
{
    int status = STATUS_OK;
    report->parts = calloc((size_t)count + 1, sizeof *report->parts);
    if (!report->parts) return error_set(error, STATUS_FAILED, "no memory is left for the samples");
    for (int i = 0; i < count && !status; i++) {
        struct results results;
        status = files_read("report", paths[i], NULL, report->output != NULL, &results, error);
        if (!status) status = add_results(report, &results, error);
    }
    if (!status && report->output && !report->proposal && gather_timelines(report))
        status = error_set(error, STATUS_FAILED, "no memory is left for the timelines");
    for (int p = 0; p < report->part_count && !status; p++)
        if (curves_build(&report->parts[p].results, report->precision, &report->parts[p].curves))
            status = error_set(error, STATUS_FAILED, "no memory is left for the curves");
    return status;
}

static int print_json(const struct report *report, struct error *error)
{
    json_t *parts = json_array();
    for (int p = 0; p < report->part_count; p++)
        json_array_append_new(parts, present_study_summary_json(&report->parts[p].results, &report->parts[p].curves));
    json_t *object = json_pack("{s:i, s:s, s:o}", "schema", RECORD_SCHEMA, "type", "report", "parts", parts);
    if (!object || json_array_size(parts) != (size_t)report->part_count) {
        json_decref(object);
        return error_set(error, STATUS_FAILED, "no memory is left for the summary");
    }
    files_print_json(object);
    return STATUS_OK;
}

static void print_pages(const struct report *report)
{
    struct style style;
    style_for(stdout, &style);
    for (int p = 0; p < report->part_count; p++) {
        if (p > 0) putchar('\n');
        present_study(stdout, &style, &report->parts[p].results, &report->parts[p].curves);
    }
}

/* What goes to standard output, besides the terminal's page. */
static int outputs_to_standard(const struct report *report)
{
    int count = report->json + (report->proposal && !report->output);
    for (int i = 0; i < report->exports.count; i++) count += strcmp(report->exports.pairs[i].text, "-") == 0;
    return count;
}

/* What is about figures, where none were asked for. */
static int check_figures(const struct plot_output *figures, const char *formats, struct error *error)
{
    const char *given = formats ? "--format" : figures->theme != PLOT_LIGHT ? "--theme" : "--keep-gnuplot";
    if (figures->folder && !*figures->folder)
        return error_set(error, STATUS_USAGE, "--figures needs the name of a folder, such as figures");
    if (figures->folder || (!formats && figures->theme == PLOT_LIGHT && !figures->keep_gnuplot)) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "%s is about --figures DIR; give that too", given);
}

static int check_outputs(const struct report *report, int file_count, struct error *error)
{
    bool output = report->output && strcmp(report->output, "-") == 0;
    bool proposal = report->proposal && !report->output;
    if (!report->proposal && (report->request.criterion >= 0 || report->request.runs_planned > 1))
        return error_set(error, STATUS_USAGE, "%s is about --proposal; give that too",
                         report->request.criterion >= 0 ? "--criteria" : "--runs-planned");
    if (file_count < 1)
        return error_set(error, STATUS_USAGE,
                         "name a result file, or - for standard input (see 'speedup report --help')");
    if (report->output && !*report->output)
        return error_set(error, STATUS_USAGE, "-o needs the name of a file, such as report.html; - is standard output");
    if (outputs_to_standard(report) + output > 1)
        return error_set(error, STATUS_USAGE, "%s would both go to standard output; name a file for one of them",
                         output || proposal ? (report->json ? (output ? "-o and --json" : "--proposal and --json")
                                               : output     ? "-o and --export"
                                                            : "--proposal and --export")
                         : report->json     ? "--json and --export"
                                            : "two exports");
    return STATUS_OK;
}

/* Exports and figures. */
static int write_files(const struct report *report, const struct study_part parts[], struct error *error)
{
    int status = STATUS_OK;
    for (int i = 0; i < report->exports.count && !status; i++)
        status = export_study(report->exports.pairs[i].choice, report->exports.pairs[i].text, report->part_count, parts,
                              error);
    if (!status && report->figures.folder)
        status = plot_files(&report->figures, report->part_count, parts, stderr, error);
    return status;
}

static int check_output_files(const struct report *report, int count, char *const inputs[], struct error *error)
{
    int status = files_check_output("-o", report->output, count, inputs, error);
    for (int i = 0; i < report->exports.count && !status; i++)
        status = files_check_output("--export", report->exports.pairs[i].text, count, inputs, error);
    return status;
}

static int write_output(const struct report *report, const struct study_part parts[], struct error *error)
{
    int status = report->proposal ? present_proposal(report->output, &report->request, report->part_count, parts, error)
                                  : present_study_report(report->output, report->part_count, parts, error);
    if (!status && report->output && strcmp(report->output, "-")) {
        /* Where results go to standard output, that line is not among them. */
        FILE *told = outputs_to_standard(report) > 0 ? stderr : stdout;
        fprintf(told, "Report: %s\n", report->output);
    }
    return status;
}

/* All that was asked for. */
static int tell(const struct report *report, struct error *error)
{
    struct study_part *parts = calloc((size_t)report->part_count + 1, sizeof *parts);
    if (!parts) return error_set(error, STATUS_FAILED, "no memory is left for the report");
    for (int p = 0; p < report->part_count; p++)
        parts[p] = (struct study_part){&report->parts[p].results, &report->parts[p].curves};
    int status = write_files(report, parts, error);
    if (!status && report->json) status = print_json(report, error);
    if (!status && (report->output || report->proposal)) status = write_output(report, parts, error);
    if (!status && !report->output && outputs_to_standard(report) == 0) print_pages(report);
    free(parts);
    return status;
}

static int check_standard_input(int count, char *const paths[], struct error *error)
{
    int times = 0;
    for (int i = 0; i < count; i++) times += strcmp(paths[i], "-") == 0;
    return times > 1 ? error_set(error, STATUS_USAGE, "- is given %d times, but standard input can be read once", times)
                     : STATUS_OK;
}

static int check_valid(const struct report *report, struct error *error)
{
    int valid = 0, lost = 0;
    for (int p = 0; p < report->part_count; p++) {
        const struct curves *curves = &report->parts[p].curves;
        valid += nodes_asked(&report->parts[p].results) ? count_samples(&report->parts[p].results) : curves->valid;
        lost += curves->invalid + curves->not_judged;
    }
    if (valid > 0 || lost == 0) return STATUS_OK; /* of a file of timelines alone there is nothing to be valid */
    return error_set(error, STATUS_UNMEASURED, "none of the %d samples is valid", lost);
}

enum { CRITERIA_MAX = 16 };

static void list_criteria(const char *names_p[CRITERIA_MAX + 1])
{
    int count = 0;
    while (count < CRITERIA_MAX && proposal_criteria[count].name) {
        names_p[count] = proposal_criteria[count].name;
        count++;
    }
    names_p[count] = NULL;
}

int command_report(const struct command *command, int argc, char **argv, struct error *error_p)
{
    struct report report = {.request = {.criterion = -1, .runs_planned = 1}};
    const char *criteria[CRITERIA_MAX + 1];
    list_criteria(criteria);
    const char *formats = NULL;
    int theme = PLOT_LIGHT;
    const struct option table[] = {
        {.letter = 'o',
         .name = "output",
         .type = OPT_TEXT,
         .value = &report.output,
         .argument = "FILE",
         .help =
             "Writes everything as one HTML page that needs nothing else, instead of the tables here (- is standard "
             "output)."},
        {.name = "json", .type = OPT_FLAG, .value = &report.json, .help = "One JSON object with the same content."},
        {.name = "export",
         .type = OPT_PAIRS,
         .value = &report.exports,
         .choices = export_formats,
         .argument = "FORMAT FILE",
         .help = "Also writes a FILE for another program (- is standard output, instead of the tables). May be given "
                 "several times."},
        {.name = "proposal",
         .type = OPT_FLAG,
         .value = &report.proposal,
         .help =
             "What allocation offices ask for, instead: table, rules passed or failed, job size, core-hours, methods; "
             "as Markdown, or with -o as a page."},
        {.name = "criteria",
         .type = OPT_CHOICE,
         .value = &report.request.criterion,
         .choices = criteria,
         .argument = "NAME",
         .help = "Whose rules the proposal is held against. Default: all that are known."},
        {.name = "runs-planned",
         .type = OPT_COUNT,
         .value = &report.request.runs_planned,
         .min = 1,
         .max = 1e9,
         .argument = "N",
         .help = "Runs that the proposal asks core-hours for. Default: 1."},
        {.name = "precision",
         .type = OPT_SHARE,
         .value = &report.precision,
         .min = 0.001,
         .max = 0.5,
         .argument = "P",
         .help = "How narrow an interval has to be to count as converged, to either side. Default: as asked for when "
                 "it was measured, else 2%."},
        {.name = "figures",
         .type = OPT_TEXT,
         .value = &report.figures.folder,
         .argument = "DIR",
         .help = "Also draws figures, by gnuplot, as files in the folder DIR, which is made where it is not there."},
        {.name = "format",
         .type = OPT_TEXT,
         .value = &formats,
         .argument = "LIST",
         .help = "Of the figures: svg, png, pdf, or several of them with commas between. Default: all three."},
        {.name = "theme",
         .type = OPT_CHOICE,
         .value = &theme,
         .choices = plot_themes,
         .argument = "THEME",
         .help = "Of the figures. Default: light."},
        {.name = "keep-gnuplot",
         .type = OPT_FLAG,
         .value = &report.figures.keep_gnuplot,
         .help = "Also leaves gnuplot's scripts, with their data, beside the figures."},
        {0}};
    const struct options options = {.command = command, .table = table};
    int file_count;
    int status = options_parse(&options, argc, argv, &file_count, error_p);
    if (status) return status;
    report.figures.theme = (enum plot_theme)theme;
    status = plot_parse_formats(formats ? formats : "svg,png,pdf", &report.figures, error_p);
    if (!status) status = check_figures(&report.figures, formats, error_p);
    if (!status) status = check_outputs(&report, file_count, error_p);
    if (!status) status = check_standard_input(file_count, argv + 1, error_p);
    if (!status) status = check_output_files(&report, file_count, argv + 1, error_p);
    if (!status) status = read_files(&report, file_count, argv + 1, error_p);
    if (!status) status = tell(&report, error_p);
    if (!status) status = check_valid(&report, error_p);
    for (int p = 0; p < report.part_count; p++) {
        curves_release(&report.parts[p].curves);
        results_release(&report.parts[p].results);
    }
    free(report.parts);
    return status;
}
