/* The timelines of a record file: each launch in the order of the file, its hosts together; those that were asked for,
 * and of each the part that was asked for. */
#include "../present/present.h"
#include "commands.h"
#include "files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct viewing {
    const char *name; /* of the file */
    bool json;
    int launch;          /* -1: all */
    int mode;            /* -1: all */
    double from_s, to_s; /* NAN: not given */
    struct option_pairs exports;
    struct results results;
};

static bool is_chosen(const struct viewing *viewing, int timeline)
{
    const struct timeline_record *record = &viewing->results.timelines[timeline];
    return (viewing->launch < 0 || record->launch == viewing->launch) &&
           (viewing->mode < 0 || (int)record->config.mode.name == viewing->mode);
}

/* The first of the next chosen launch from `first` on, and its hosts; false where there is none. */
static bool next_launch(const struct viewing *viewing, int *first_p, int *count_p)
{
    for (int t = *first_p; t < viewing->results.timeline_count; t += timeline_host_count(&viewing->results, t)) {
        if (!is_chosen(viewing, t)) continue;
        *first_p = t;
        *count_p = timeline_host_count(&viewing->results, t);
        return true;
    }
    return false;
}

/* "launch 1 (multitask), launch 2 (threads)": what there is. */
static const char *list_launches(const struct viewing *viewing, size_t length, char *text)
{
    int listed = 0;
    text[0] = '\0';
    for (int t = 0; t < viewing->results.timeline_count; t += timeline_host_count(&viewing->results, t)) {
        const struct timeline_record *record = &viewing->results.timelines[t];
        size_t used = strlen(text);
        if (used + 48 > length || listed++ == 8) {
            snprintf(text + used, length - used, ", ...");
            break;
        }
        snprintf(text + used, length - used, "%slaunch %d (%s)", used > 0 ? ", " : "", record->launch,
                 mode_name_text(record->config.mode.name));
    }
    return text;
}

static int check_choice(const struct viewing *viewing, struct error *error)
{
    char list[512];
    int first = 0, count;
    if (viewing->results.timeline_count == 0)
        return error_set(error, STATUS_USAGE,
                         "%s has no timeline; make one with 'speedup run KERNEL --timeline -o FILE'", viewing->name);
    if (!next_launch(viewing, &first, &count))
        return error_set(error, STATUS_USAGE, "%s has no such timeline; it has those of %s", viewing->name,
                         list_launches(viewing, sizeof list, list));
    return STATUS_OK;
}

/* A part that one of the launches does not have would be an empty page. */
static int check_part(const struct viewing *viewing, struct error *error)
{
    int count;
    for (int t = 0; viewing->from_s >= 0 && next_launch(viewing, &t, &count); t += count) {
        struct timeline_view view;
        char from[48], length[48];
        if (timeline_view_of(count, &viewing->results.timelines[t], NAN, NAN, &view))
            return error_set(error, STATUS_FAILED, "no memory is left for the timeline");
        double length_s = view.length_s;
        timeline_view_release(&view);
        if (viewing->from_s < length_s) continue;
        return error_set(error, STATUS_USAGE, "--from %s: the timeline of launch %d in %s is %s long",
                         format_time(viewing->from_s, sizeof from, from), viewing->results.timelines[t].launch,
                         viewing->name, format_time(length_s, sizeof length, length));
    }
    return STATUS_OK;
}

static int print_json(const struct viewing *viewing, struct error *error)
{
    json_t *launches = json_array();
    int count;
    bool failed = !launches;
    for (int t = 0; !failed && next_launch(viewing, &t, &count); t += count)
        failed = json_array_append_new(launches, present_timeline_json(count, &viewing->results.timelines[t],
                                                                       viewing->from_s, viewing->to_s)) != 0;
    json_t *object = json_pack("{s:i, s:s, s:o}", "schema", RECORD_SCHEMA, "type", "timelines", "launches", launches);
    if (failed || !object) {
        json_decref(object);
        return error_set(error, STATUS_FAILED, "no memory is left for the summary");
    }
    files_print_json(object);
    return STATUS_OK;
}

static void print_pages(const struct viewing *viewing)
{
    struct style style;
    int count, shown = 0;
    style_for(stdout, &style);
    for (int t = 0; next_launch(viewing, &t, &count); t += count) {
        if (shown++ > 0) putchar('\n');
        present_timeline_part(stdout, &style, count, &viewing->results.timelines[t], viewing->from_s, viewing->to_s);
    }
}

/* The chosen launches, one behind the other: the records are borrowed. */
static int write_exports(const struct viewing *viewing, struct error *error)
{
    struct timeline_record *chosen =
        calloc((size_t)viewing->results.timeline_count + 1, sizeof *viewing->results.timelines);
    int count, all = 0,
               status = chosen ? STATUS_OK : error_set(error, STATUS_FAILED, "no memory is left for the export");
    for (int t = 0; chosen && next_launch(viewing, &t, &count); t += count)
        for (int h = 0; h < count; h++) chosen[all++] = viewing->results.timelines[t + h];
    for (int i = 0; i < viewing->exports.count && !status; i++)
        status = export_chrome_trace(viewing->exports.pairs[i].text, all, chosen, error);
    free(chosen);
    return status;
}

static int count_exports_to_output(const struct viewing *viewing)
{
    int count = 0;
    for (int i = 0; i < viewing->exports.count; i++) count += strcmp(viewing->exports.pairs[i].text, "-") == 0;
    return count;
}

static int check_arguments(const struct viewing *viewing, int file_count, char *const paths[], struct error *error)
{
    if (file_count < 1)
        return error_set(error, STATUS_USAGE,
                         "name a result file, or - for standard input (see 'speedup timeline --help')");
    if (file_count > 1)
        return error_set(error, STATUS_USAGE, "takes one result file, but '%s' was given, too", paths[1]);
    if (count_exports_to_output(viewing) + viewing->json > 1)
        return error_set(error, STATUS_USAGE, "%s would both go to standard output; name a file for one of them",
                         viewing->json ? "--json and --export" : "two exports");
    if (viewing->to_s >= 0 && viewing->to_s <= fmax(viewing->from_s, 0))
        return error_set(error, STATUS_USAGE, "--to has to be later than %s", viewing->from_s > 0 ? "--from" : "0");
    return STATUS_OK;
}

static int read_timelines(struct viewing *viewing, const char *path, struct error *error)
{
    viewing->name = strcmp(path, "-") == 0 ? "standard input" : path;
    int status = results_read(path, &viewing->results, error);
    if (!status && viewing->results.torn)
        fprintf(stderr,
                "speedup timeline: %s: the last line was torn off, as its writer was stopped; all before it counts\n",
                viewing->name);
    return status;
}

static int show(struct viewing *viewing, struct error *error)
{
    int status = check_choice(viewing, error);
    if (!status) status = check_part(viewing, error);
    if (!status) status = write_exports(viewing, error);
    if (!status && viewing->json) return print_json(viewing, error);
    if (!status && count_exports_to_output(viewing) == 0) print_pages(viewing);
    return status;
}

int command_timeline(const struct command *command, int argc, char **argv, struct error *error_p)
{
    struct viewing viewing = {.launch = -1, .mode = -1, .from_s = NAN, .to_s = NAN};
    const char *modes[MODE_COUNT + 1] = {NULL};
    for (int i = 0; i < MODE_COUNT; i++) modes[i] = mode_name_text((enum mode_name)i);
    const struct option table[] = {
        {0, "launch", OPT_COUNT, &viewing.launch, 0, 1e9, NULL, "N",
         "The launch of that number alone. Default: all of the file."},
        {0, "mode", OPT_CHOICE, &viewing.mode, 0, 0, modes, "MODE", "Launches in this mode alone. Default: all."},
        {0, "from", OPT_DURATION, &viewing.from_s, 0, 1e6, NULL, "TIME",
         "Shows the part from here on, after the launch's start. Default: its start."},
        {0, "to", OPT_DURATION, &viewing.to_s, 0, 1e6, NULL, "TIME", "And up to here. Default: its end."},
        {0, "json", OPT_FLAG, &viewing.json, 0, 0, NULL, NULL, "One JSON object with the numbers."},
        {0, "export", OPT_PAIRS, &viewing.exports, 0, 0, timeline_export_formats, "FORMAT FILE",
         "Also writes a FILE for another program (- is standard output, instead of the page), of the whole launches. "
         "chrome-trace opens in Perfetto (https://ui.perfetto.dev) and chrome://tracing."},
        {0}};
    const struct options options = {.command = command, .table = table};
    int file_count;
    int status = options_parse(&options, argc, argv, &file_count, error_p);
    if (status) return status;
    results_init(&viewing.results);
    status = check_arguments(&viewing, file_count, argv + 1, error_p);
    for (int i = 0; i < viewing.exports.count && !status; i++)
        status = files_check_output("--export", viewing.exports.pairs[i].text, file_count, argv + 1, error_p);
    if (!status) status = read_timelines(&viewing, argv[1], error_p);
    if (!status) status = show(&viewing, error_p);
    results_release(&viewing.results);
    return status;
}
