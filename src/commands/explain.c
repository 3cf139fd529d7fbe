/* speedup explain: the page of a kernel, for a class. Its texts are in lessons/; what they need to know of this machine
 * is read and measured here, in about a second. */
#include "../lessons/exercise.h"
#include "../lessons/page.h"
#include "../present/present.h"
#include "ceilings.h"
#include "commands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 64, INDENT = 2, ITEM = 5, NAME_COLUMN = 14 };

struct reading {
    struct machine machine;
    struct facts facts;
    char reason[256]; /* why there are no ceilings; "" */
    int64_t triad_bytes;
};

static void print_text(int indent, const char *text)
{
    options_print_wrapped(stdout, 0, indent, text);
}

static void print_heading(const char *heading)
{
    printf("\n%s\n", heading);
}

static int read_machine(bool measure, struct reading *reading_p, struct error *error)
{
    struct facts *facts = &reading_p->facts;
    int status = machine_read(&reading_p->machine, error);
    if (status) return status;
    *facts = (struct facts){.machine = &reading_p->machine,
                            .isa = isa_best(),
                            .peak_flops = {NAN, NAN},
                            .fed_flops = {NAN, NAN},
                            .triad_bytes = {NAN, NAN},
                            .unmeasured = reading_p->reason};
    struct ceilings ceilings;
    struct error reason = {""};
    if (!measure)
        snprintf(reading_p->reason, sizeof reading_p->reason, "--no-measure was given");
    else if (ceilings_measure(&reading_p->machine, true, &ceilings, &reason))
        snprintf(reading_p->reason, sizeof reading_p->reason, "%.255s", reason.text);
    if (*reading_p->reason) return STATUS_OK;
    reading_p->triad_bytes = ceilings.triad_bytes;
    for (int all = 0; all < 2; all++) {
        facts->peak_flops[all] = ceilings_best(&ceilings, CEILING_PEAK, facts->isa, all);
        facts->fed_flops[all] = ceilings_best(&ceilings, CEILING_FED, facts->isa, all);
        facts->triad_bytes[all] = ceilings_best(&ceilings, CEILING_TRIAD, facts->isa, all);
    }
    return STATUS_OK;
}

static const char *format_cache(int64_t bytes, size_t length, char *text)
{
    if (bytes <= 0) return "unknown";
    return format_bytes((double)bytes, length, text);
}

static void print_machine(const struct reading *reading)
{
    const struct machine *machine = &reading->machine;
    const struct facts *facts = &reading->facts;
    char l1[32], l2[32], l3[32], memory[32], fed[64], triad[64], text[1024];
    int cores = machine->core_count;
    int64_t last = machine->cache_bytes[2] > 0 ? machine->cache_bytes[2] : machine->cache_bytes[1];
    bool held = reading->triad_bytes < 2 * last;
    snprintf(text, sizeof text, "%d core%s of %s. Caches, as a core sees them: L1 %s, L2 %s, L3 %s. Memory: %s.", cores,
             cores == 1 ? "" : "s", *machine->cpu_model ? machine->cpu_model : "an unknown model",
             format_cache(machine->cache_bytes[0], sizeof l1, l1), format_cache(machine->cache_bytes[1], sizeof l2, l2),
             format_cache(machine->cache_bytes[2], sizeof l3, l3),
             format_cache(machine->memory_bytes, sizeof memory, memory));
    print_text(INDENT, text);
    if (*reading->reason)
        snprintf(text, sizeof text, "Its ceilings were not measured: %s.", reading->reason);
    else
        snprintf(
            text, sizeof text,
            "Measured just now, briefly, on one core: %s of multiply-adds (%s), %s from memory%s. 'speedup machine "
            "--ceilings' measures longer.",
            facts_rate(facts->fed_flops[0], "flop", sizeof fed, fed), isa_name(facts->isa),
            facts_rate(facts->triad_bytes[0], "B", sizeof triad, triad),
            held ? " or less, since much of the arrays fits into the last cache" : "");
    print_text(INDENT, text);
}

static int print_numbers(const struct page *page, const struct facts *facts, struct error *error)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out) page->numbers(facts, out);
    bool failed = !out || fclose(out) != 0;
    if (!failed) print_text(INDENT, text);
    free(text);
    return failed ? error_set(error, STATUS_FAILED, "no memory") : STATUS_OK;
}

static void print_items(const char *const *items)
{
    for (int i = 0; items[i]; i++) options_print_wrapped(stdout, printf("  -"), ITEM - 1, items[i]);
}

static void print_questions(const struct page_question *questions, bool answers)
{
    for (int i = 0; questions[i].question; i++) {
        options_print_wrapped(stdout, printf("%2d.", i + 1), ITEM - 1, questions[i].question);
        if (answers) print_text(ITEM + 3, questions[i].answer);
    }
}

static int print_page(const struct page *page, const struct reading *reading, bool answers, struct error *error)
{
    printf("%s: %s\n", page->kernel, page->title);
    print_heading("What it computes");
    print_text(INDENT, page->computes);
    print_heading("How the work is split");
    options_print_wrapped(stdout, printf("  threads"), 11, page->threads);
    options_print_wrapped(stdout, printf("  ranks"), 11, page->ranks);
    print_heading("What bounds it");
    print_text(INDENT, page->bound);
    print_heading("On this machine");
    print_machine(reading);
    int status = print_numbers(page, &reading->facts, error);
    if (status) return status;
    print_heading("Predict, before you measure");
    print_items(page->predict);
    print_heading("Do");
    const struct exercise *exercise = exercise_of_kernel(page->kernel);
    if (exercise && exercise_is_available(exercise)) {
        printf("  speedup demo --lesson %s\n", exercise->name);
        print_text(ITEM, "Asks for predictions, measures for half a minute, and compares.");
    }
    for (int i = 0; page->steps[i].command; i++) {
        printf("  %s\n", page->steps[i].command);
        print_text(ITEM, page->steps[i].why);
    }
    print_heading("What you should see");
    print_items(page->sights);
    print_heading(answers ? "Questions, and answers" : "Questions (answers: --answers)");
    print_questions(page->questions, answers);
    return STATUS_OK;
}

/* Pages of kernels that this program has. */
static int list_pages(const struct page *pages_p[PAGES_MAX])
{
    int count = 0;
    for (int i = 0; page_registry[i] && count < PAGES_MAX; i++)
        if (kernel_find(page_registry[i]->kernel)) pages_p[count++] = page_registry[i];
    return count;
}

static void print_pages(int count, const struct page *const pages[])
{
    puts("Pages, in the order in which they are taught\n");
    for (int i = 0; i < count; i++)
        options_print_wrapped(stdout, printf("  %s", pages[i]->kernel), NAME_COLUMN, pages[i]->title);
    puts("\nRead one: speedup explain pi");
}

static int find_page(const char *name, int count, const struct page *const pages[], const struct page **page_p,
                     struct error *error)
{
    const char *names[PAGES_MAX + 1] = {NULL};
    char all[512];
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        names[i] = pages[i]->kernel;
        if (strcmp(name, names[i]) == 0) *page_p = pages[i];
        if (used < sizeof all) used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    if (*page_p) return STATUS_OK;
    const char *nearest = options_nearest(name, names);
    return error_set(error, STATUS_USAGE, "no page '%.60s'%s%s%s Pages: %s", name, nearest ? "; did you mean '" : ".",
                     nearest ? nearest : "", nearest ? "'?" : "", all);
}

int command_explain(const struct command *command, int argc, char **argv, struct error *error)
{
    bool answers = false, measure = true;
    const struct option table[] = {
        {'a', "answers", OPT_FLAG, &answers, 0, 0, NULL, NULL, "Answer the questions at the end of the page."},
        {0, "measure", OPT_FLAG, &measure, 0, 0, NULL, NULL,
         "Measure, in about a second, what this machine can do. Default; --no-measure does not."},
        {0}};
    const struct options description = {.command = command, .table = table};
    const struct page *pages[PAGES_MAX], *page = NULL;
    int operand_count, count = list_pages(pages),
                       status = options_parse(&description, argc, argv, &operand_count, error);
    if (status) return status > 0 ? STATUS_OK : status;
    if (operand_count == 0) {
        print_pages(count, pages);
        return STATUS_OK;
    }
    if (operand_count > 1)
        return error_set(error, STATUS_USAGE, "one page at a time, but '%s' follows '%s'", argv[2], argv[1]);
    status = find_page(argv[1], count, pages, &page, error);
    if (status) return status;
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading) return error_set(error, STATUS_FAILED, "no memory");
    status = read_machine(measure, reading, error);
    if (!status) status = print_page(page, reading, answers, error);
    free(reading);
    return status;
}
