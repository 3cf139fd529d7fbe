/* What can be run, as a syllabus for people and as one JSON object for programs; both walk the same tables. */
#include "commands.h"

#include "../launch/launch.h"
#include "../lessons/exercise.h"
#include "../lessons/page.h"
#include "../plan/config.h"

#include <jansson.h>
#include <string.h>

/* Columns: of labelled texts, of names in a list, and of the texts beside those. */
enum { KERNELS_MAX = 64, LABELLED = 12, NAME = 4, TEXT = 20, TITLE = 16 };

static const char *const option_type_names[] = {[OPTION_NUMBER] = "number",
                                                [OPTION_COUNT] = "count",
                                                [OPTION_DURATION] = "duration",
                                                [OPTION_BYTES] = "bytes",
                                                [OPTION_CHOICE] = "choice"};

static const char *const wait_policy_summaries[WAIT_COUNT] = {
    [WAIT_SPIN] = "Waiting workers stay on their core and look again and again: the shortest wait where every worker "
                  "owns a core, ruinous where they share one. The default for workers that own a core.",
    [WAIT_YIELD] = "Waiting ranks look, then offer the core to others; waiting OpenMP threads sleep. The default for "
                   "workers that share a core.",
    [WAIT_BLOCK] = "Waiting ranks sleep between looks, waiting OpenMP threads sleep: least CPU time, longest wait."};

struct listing {
    const struct kernel *only; /* NULL: all */
    bool details;              /* of kernels */
    struct launch_site site;
    const char *solo_reason, *mpi_reason; /* why these modes are unavailable; "" where they are available */
};

static const char *mode_reason(const struct listing *listing, enum mode_name mode)
{
    return mode_needs_mpi(mode) ? listing->mpi_reason : listing->solo_reason;
}

static bool is_listed(const struct listing *listing, const struct kernel *kernel)
{
    return !listing->only || listing->only == kernel;
}

/* One row of a list, and below it why it is not available. */
static void print_item(const char *name, const char *text, const char *unavailable)
{
    int column = printf("%*s%s", NAME, "", name);
    if (column + 2 > TEXT) {
        putchar('\n');
        column = 0;
    }
    options_print_wrapped(stdout, column, TEXT, text);
    if (!unavailable || !*unavailable) return;
    column = printf("%*snot available here: ", TEXT, "");
    options_print_wrapped(stdout, column, TEXT + 2, unavailable);
}

static void print_labelled(const char *label, const char *text)
{
    options_print_wrapped(stdout, printf("  %s", label), LABELLED, text);
}

static void print_kernel(const struct kernel *kernel)
{
    char text[1024], domain[256];
    options_print_wrapped(stdout, printf("%s: ", kernel->name), 2, kernel->summary);
    print_labelled("Lesson", kernel->lesson);
    snprintf(text, sizeof text, "%s (default %s)", kernel->size_help, kernel->size_default);
    print_labelled("--size", text);
    puts("  Variants (--variant)");
    const struct variant *usual = kernel_default_variant(kernel);
    for (const struct variant *variant = kernel->variants; variant->name; variant++) {
        snprintf(text, sizeof text, "%s%s%s", variant->summary, variant == usual ? " (default)" : "",
                 variant->exact ? "" : " (its last bits depend on the number of workers)");
        print_item(variant->name, text, variant_unavailable(variant));
    }
    const struct kernel_option *option = kernel->options;
    if (option && option->name) puts("  Its own options");
    for (; option && option->name; option++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", option->name);
        snprintf(text, sizeof text, "%s: %s", option->help, kernel_option_domain(option, sizeof domain, domain));
        print_item(name, text, NULL);
    }
}

static const char *kernel_title(const struct kernel *kernel)
{
    const struct page *page = page_find(kernel->name);
    return page ? page->title : kernel->summary;
}

static void print_title(const char *name, const char *title)
{
    options_print_wrapped(stdout, printf("%*s%s", NAME, "", name), TITLE, title);
}

/* The syllabus: kernels in the order in which they are taught, then lessons that are of no one kernel. */
static void print_lessons(void)
{
    bool more = false;
    puts("Kernels, in the order in which they are taught, and what each teaches\n");
    for (const struct kernel *const *kernel = kernel_registry; *kernel; kernel++)
        print_title((*kernel)->name, kernel_title(*kernel));
    for (const struct exercise *const *exercise = exercise_registry; *exercise; exercise++) {
        if (kernel_find((*exercise)->name) || page_find((*exercise)->name) || !exercise_is_available(*exercise))
            continue;
        if (!more) puts("\nLessons on multitasking itself\n");
        more = true;
        print_title((*exercise)->name, (*exercise)->title);
    }
    puts("\n  speedup demo                the first lesson: tasks, threads and processes");
    puts("  speedup demo --lesson pi    plays one: predict, measure, compare");
    puts("  speedup explain pi          the page of a kernel, for a class");
    puts("  speedup list pi             its sizes, variants and options (all: --long)");
}

static void print_kernels(const struct listing *listing)
{
    puts("Kernels");
    for (const struct kernel *const *kernel = kernel_registry; *kernel; kernel++) {
        if (!is_listed(listing, *kernel)) continue;
        putchar('\n');
        print_kernel(*kernel);
    }
}

/* How to learn from it, behind the details of one kernel. */
static void print_ways(const struct kernel *kernel)
{
    const struct exercise *exercise = exercise_of_kernel(kernel->name);
    if (page_find(kernel->name)) printf("\n  speedup explain %s\n", kernel->name);
    if (exercise && exercise_is_available(exercise)) printf("  speedup demo --lesson %s\n", exercise->name);
}

static void print_listing(const struct listing *listing)
{
    if (!listing->only) print_lessons();
    if (listing->details && !listing->only) putchar('\n');
    if (listing->details || listing->only) print_kernels(listing);
    if (listing->only) {
        print_ways(listing->only);
        return;
    }
    puts("\nModes (--mode): how the workers are placed\n");
    for (int mode = 0; mode < MODE_COUNT; mode++)
        print_item(mode_name_text((enum mode_name)mode), mode_summary((enum mode_name)mode),
                   mode_reason(listing, (enum mode_name)mode));
    puts("\nWait policies (--wait-policy): what a worker does while it waits for others\n");
    for (int policy = 0; policy < WAIT_COUNT; policy++)
        print_item(wait_policy_text((enum wait_policy)policy), wait_policy_summaries[policy], NULL);
    puts("\nScheduling policies (--policy): how tasks share a core\n");
    for (int policy = 0; policy < POLICY_COUNT; policy++)
        print_item(scheduling_policy_text((enum scheduling_policy)policy),
                   scheduling_policy_summary((enum scheduling_policy)policy), NULL);
}

/* {"name", "summary", "available", "unavailable_reason"} and what the caller adds. */
static json_t *encode_item(const char *name, const char *summary, const char *unavailable)
{
    bool available = !unavailable || !*unavailable;
    return json_pack("{s:s, s:s, s:b, s:s?}", "name", name, "summary", summary, "available", available,
                     "unavailable_reason", available ? NULL : unavailable);
}

static json_t *encode_option(const struct kernel_option *option)
{
    bool choice = option->type == OPTION_CHOICE;
    char text[128];
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s}", "name", option->name, "type", option_type_names[option->type], "default",
                  kernel_option_format(option, option->fallback, sizeof text, text), "summary", option->help);
    if (!choice) {
        json_object_set_new(object, "min", json_real(option->min));
        json_object_set_new(object, "max", json_real(option->max));
        return object;
    }
    json_t *choices = json_array();
    for (const char *const *name = option->choices; *name; name++) json_array_append_new(choices, json_string(*name));
    json_object_set_new(object, "choices", choices);
    return object;
}

static json_t *encode_kernel(const struct kernel *kernel)
{
    json_t *variants = json_array(), *options = json_array();
    for (const struct variant *variant = kernel->variants; variant->name; variant++) {
        json_t *item = encode_item(variant->name, variant->summary, variant_unavailable(variant));
        json_object_set_new(item, "exact", json_boolean(variant->exact));
        json_array_append_new(variants, item);
    }
    for (const struct kernel_option *option = kernel->options; option && option->name; option++)
        json_array_append_new(options, encode_option(option));
    const struct page *page = page_find(kernel->name);
    return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "name", kernel->name, "summary",
                     kernel->summary, "title", page ? page->title : NULL, "lesson", kernel->lesson, "work_unit",
                     kernel->work_unit, "size_help", kernel->size_help, "size_default", kernel->size_default,
                     "variant_default", kernel_default_variant(kernel)->name, "variants", variants, "options", options);
}

static int print_json(const struct listing *listing, struct error *error_p)
{
    json_t *kernels = json_array(), *modes = json_array(), *policies = json_array(), *scheduling = json_array();
    for (const struct kernel *const *kernel = kernel_registry; *kernel; kernel++)
        if (is_listed(listing, *kernel)) json_array_append_new(kernels, encode_kernel(*kernel));
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        json_t *item = encode_item(mode_name_text((enum mode_name)mode), mode_summary((enum mode_name)mode),
                                   mode_reason(listing, (enum mode_name)mode));
        json_object_set_new(item, "needs_mpi", json_boolean(mode_needs_mpi((enum mode_name)mode)));
        json_array_append_new(modes, item);
    }
    for (int policy = 0; policy < WAIT_COUNT; policy++)
        json_array_append_new(policies, json_pack("{s:s, s:s}", "name", wait_policy_text((enum wait_policy)policy),
                                                  "summary", wait_policy_summaries[policy]));
    for (int policy = 0; policy < POLICY_COUNT; policy++)
        json_array_append_new(scheduling,
                              json_pack("{s:s, s:s}", "name", scheduling_policy_text((enum scheduling_policy)policy),
                                        "summary", scheduling_policy_summary((enum scheduling_policy)policy)));
    json_t *lessons = json_array();
    for (const struct exercise *const *exercise = exercise_registry; *exercise && !listing->only; exercise++)
        if (exercise_is_available(*exercise))
            json_array_append_new(lessons,
                                  json_pack("{s:s, s:s}", "name", (*exercise)->name, "title", (*exercise)->title));
    json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o}", "lessons", lessons, "kernels", kernels, "modes", modes,
                               "wait_policies", policies, "scheduling_policies", scheduling);
    if (!object) return error_set(error_p, STATUS_FAILED, "not enough memory");
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return STATUS_OK;
}

static int find_kernel(const char *name, const struct kernel **kernel_p, struct error *error_p)
{
    const char *names[KERNELS_MAX + 1] = {NULL};
    *kernel_p = kernel_find(name);
    if (*kernel_p) return STATUS_OK;
    for (int i = 0; kernel_registry[i] && i < KERNELS_MAX; i++) names[i] = kernel_registry[i]->name;
    const char *nearest = options_nearest(name, names);
    return error_set(error_p, STATUS_USAGE, "no such kernel '%.60s'%s%s%s ('speedup list' shows all)", name,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

int command_list(const struct command *command, int argc, char **argv, struct error *error_p)
{
    bool json = false;
    struct listing listing = {.solo_reason = ""};
    const struct option table[] = {
        {.name = "long",
         .type = OPT_FLAG,
         .value = &listing.details,
         .help = "Also sizes, variants and own options of all kernels."},
        {.name = "json", .type = OPT_FLAG, .value = &json, .help = "One JSON object with the same content."},
        {0}};
    const struct options options = {.command = command, .table = table};
    struct error site_error = {""};
    int operand_count;

    int status = options_parse(&options, argc, argv, &operand_count, error_p);
    if (status) return status;
    if (operand_count > 1)
        return error_set(error_p, STATUS_USAGE, "one kernel is needed, or none for all, but %d were given",
                         operand_count);
    if (operand_count == 1) status = find_kernel(argv[1], &listing.only, error_p);
    if (status) return status;

    /* Without workers nothing runs, but the list still reads well. */
    bool found = launch_find_site(&listing.site, &site_error) == STATUS_OK;
    if (!found) listing.solo_reason = site_error.text;
    listing.mpi_reason = found ? listing.site.mpi_reason : site_error.text;
    if (json) return print_json(&listing, error_p);
    print_listing(&listing);
    return STATUS_OK;
}
