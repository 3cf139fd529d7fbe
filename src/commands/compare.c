/* Two result files, configuration by configuration. Timings without a label are the same problem, whatever their files
 * are called. */
#include "../present/present.h"
#include "commands.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

struct comparing {
    bool paired, json;
    double limit; /* of the slowdown; negative: none */
    struct results before, after;
    int count;
    struct comparison *comparisons;
};

/* Returns whether there is something to say. */
static bool say_machines(const struct comparing *comparing, size_t length, char *text)
{
    char before[256], after[256];
    files_machine(&comparing->before, sizeof before, before);
    files_machine(&comparing->after, sizeof after, after);
    snprintf(text, length,
             "Note: OLD was measured on %s, NEW on %s. Times of different machines differ for other reasons than the "
             "code.",
             *before ? before : "a machine that is not named", *after ? after : "a machine that is not named");
    return strcmp(before, after) != 0;
}

static int print_json(const struct comparing *comparing, struct error *error)
{
    const json_t *before = json_object_get(comparing->before.context, "machine");
    const json_t *after = json_object_get(comparing->after.context, "machine");
    char note[768];
    bool differ = say_machines(comparing, sizeof note, note);
    json_t *object =
        json_pack("{s:i, s:s, s:b, s:O?, s:O?, s:s?, s:f, s:o}", "schema", RECORD_SCHEMA, "type", "comparison",
                  "paired", comparing->paired, "machine_before", before, "machine_after", after, "note",
                  differ ? note : NULL, "slowdown", compare_slowdown(comparing->count, comparing->comparisons),
                  "comparisons", present_comparisons_json(comparing->count, comparing->comparisons));
    if (!object) return error_set(error, STATUS_FAILED, "no memory is left for the comparison");
    files_print_json(object);
    return STATUS_OK;
}

static void print_page(const struct comparing *comparing)
{
    struct style style;
    char note[768];
    style_for(stdout, &style);
    if (say_machines(comparing, sizeof note, note)) {
        options_print_wrapped(stdout, 0, 0, note);
        putchar('\n');
    }
    present_comparisons(stdout, &style, comparing->count, comparing->comparisons);
}

static int conclude(const struct comparing *comparing, struct error *error)
{
    int possible = 0;
    for (int i = 0; i < comparing->count; i++) possible += comparing->comparisons[i].verdict != COMPARE_IMPOSSIBLE;
    if (possible == 0)
        return error_set(error, STATUS_UNMEASURED,
                         "nothing could be compared: no configuration has enough valid launches in both files");
    double slowdown = compare_slowdown(comparing->count, comparing->comparisons);
    if (comparing->limit >= 0 && slowdown > 0 && slowdown >= comparing->limit)
        return error_set(error, STATUS_SLOWER, "slower by at least %.2g %%, and --fail-if-slower is %.4g %%",
                         slowdown * 100, comparing->limit * 100);
    return STATUS_OK;
}

static int compare(struct comparing *comparing, struct error *error)
{
    comparing->comparisons =
        compare_results(&comparing->before, &comparing->after, comparing->paired, &comparing->count);
    if (!comparing->comparisons) return error_set(error, STATUS_FAILED, "no memory is left for the comparison");
    compare_allow_drift(&comparing->before, &comparing->after, comparing->count, comparing->comparisons);
    if (!comparing->json)
        print_page(comparing);
    else if (print_json(comparing, error))
        return STATUS_FAILED;
    return conclude(comparing, error);
}

static int check_operands(int count, char *const paths[], struct error *error)
{
    if (count != 2)
        return error_set(error, STATUS_USAGE, "two result files are needed, OLD and NEW, but %d %s given", count,
                         count == 1 ? "was" : "were");
    if (strcmp(paths[0], "-") == 0 && strcmp(paths[1], "-") == 0)
        return error_set(error, STATUS_USAGE, "- is given twice, but standard input can be read once");
    return STATUS_OK;
}

int command_compare(const struct command *command, int argc, char **argv, struct error *error_p)
{
    struct comparing comparing = {.limit = -1};
    const struct option table[] = {
        {.name = "paired",
         .type = OPT_FLAG,
         .value = &comparing.paired,
         .help = "Compares launches of the same block: only for files that were measured in turns, block by block."},
        {.name = "fail-if-slower",
         .type = OPT_SHARE,
         .value = &comparing.limit,
         .min = 0,
         .max = 1,
         .argument = "P",
         .help = "Exit status 5 where a slowdown of at least this is shown, such as 5% or 0.05. Default: never."},
        {.name = "json", .type = OPT_FLAG, .value = &comparing.json, .help = "One JSON object with the same content."},
        {0}};
    const struct options options = {.command = command, .table = table};
    int count;
    int status = options_parse(&options, argc, argv, &count, error_p);
    if (status) return status;
    results_init(&comparing.before);
    results_init(&comparing.after);
    status = check_operands(count, argv + 1, error_p);
    if (!status) status = files_read("compare", argv[1], "timings", false, &comparing.before, error_p);
    if (!status) status = files_read("compare", argv[2], "timings", false, &comparing.after, error_p);
    if (!status) status = compare(&comparing, error_p);
    free(comparing.comparisons);
    results_release(&comparing.after);
    results_release(&comparing.before);
    return status;
}
