#include "entries.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int matmul_prepare(struct entry *entry, int64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)n);
    entry->state = NULL;
    if (!entry->team) return 0;
    int status = entry->problem.kernel->parse_size(text, &entry->problem.size);
    return status < 0 ? status : entry->problem.kernel->prepare(entry->team, &entry->problem, &entry->state);
}

static int matmul_reset(struct entry *entry)
{
    return entry->team ? entry->problem.kernel->reset(entry->team, entry->state) : 0;
}

static int matmul_run(struct entry *entry)
{
    return entry->team ? entry->problem.kernel->run(entry->team, entry->state) : 0;
}

static bool matmul_is_right(struct entry *entry, size_t length, char *detail_p)
{
    struct verdict verdict = {.correct = false};
    if (!entry->team) return true;
    int status = entry->problem.kernel->check(entry->team, entry->state, &verdict);
    snprintf(detail_p, length, "%s", status < 0 ? "the check failed" : verdict.detail);
    return status == 0 && verdict.correct;
}

static void matmul_finish(struct entry *entry)
{
    if (entry->team) entry->problem.kernel->teardown(entry->state);
    entry->state = NULL;
}

static int pdgemm_prepare(struct entry *entry, int64_t n)
{
    int status =
        scalapack_job_init(&entry->job, entry->scalapack, (int)n, entry->block, entry->grid_rows, entry->grid_columns);
    if (status < 0) return -EINVAL;
    entry->memory = bench_new_doubles(3 * scalapack_job_doubles(&entry->job), false);
    if (!entry->memory) return -ENOMEM;
    scalapack_job_use(&entry->job, entry->memory);
    scalapack_job_fill(&entry->job, entry->problem.seed);
    return 0;
}

static int pdgemm_reset(struct entry *entry)
{
    (void)entry;
    return 0;
}

static int pdgemm_run(struct entry *entry)
{
    scalapack_job_run(&entry->job);
    return 0;
}

static bool pdgemm_is_right(struct entry *entry, size_t length, char *detail_p)
{
    double error = scalapack_job_error(&entry->job, entry->problem.seed), bound = bench_product_bound(entry->job.n);
    snprintf(detail_p, length, "an element differs by %.2g; rounding allows %.2g", error, bound);
    return error <= bound;
}

static void pdgemm_finish(struct entry *entry)
{
    scalapack_job_release(&entry->job);
    free(entry->memory);
    entry->memory = NULL;
}

static const struct entry_kind matmul_kind = {matmul_prepare, matmul_reset, matmul_run, matmul_is_right, matmul_finish};
static const struct entry_kind pdgemm_kind = {pdgemm_prepare, pdgemm_reset, pdgemm_run, pdgemm_is_right, pdgemm_finish};

static struct entry *add(struct entries *entries, const struct entry_kind *kind, struct team *team,
                         const struct problem *problem)
{
    struct entry *entry = &entries->list[entries->count++];
    *entry = (struct entry){.kind = kind, .team = team, .problem = *problem};
    return entry;
}

static const struct kernel_option *find_option(const struct kernel *kernel, const char *name, int *index_p)
{
    for (int i = 0; kernel->options && kernel->options[i].name; i++)
        if (strcmp(kernel->options[i].name, name) == 0) {
            *index_p = i;
            return &kernel->options[i];
        }
    return NULL;
}

static int set_options(struct problem *problem, const char *list, struct error *error_p)
{
    char word[64];
    while (list && bench_next_word(&list, sizeof word, word)) {
        char *equals = strchrnul(word, '='), *value = *equals ? equals + 1 : equals;
        int index;
        *equals = '\0';
        const struct kernel_option *option = find_option(problem->kernel, word, &index);
        if (!option || kernel_option_parse(option, value, &problem->options[index]) < 0)
            return error_set(error_p, STATUS_USAGE, "--options: matmul does not take '%s=%s'", word, value);
    }
    return 0;
}

static int init_problem(struct problem *problem_p, const struct entries_wish *wish, struct error *error_p)
{
    const struct kernel *kernel = kernel_find("matmul");
    problem_init(kernel, problem_p);
    if (wish->variant) problem_p->variant = kernel_find_variant(kernel, wish->variant);
    if (!problem_p->variant) return error_set(error_p, STATUS_USAGE, "--variant: matmul has no '%s'", wish->variant);
    const char *missing = variant_unavailable(problem_p->variant);
    if (missing) return error_set(error_p, STATUS_USAGE, "--variant %s: %s", problem_p->variant->name, missing);
    if (wish->isa) problem_p->isa = wish->isa;
    return set_options(problem_p, wish->options, error_p);
}

/* Each way to move panels, unless one was asked for. */
static void add_summas(struct entries *entries, struct team *team, struct problem problem, const char *asked)
{
    int index = 0;
    const struct kernel_option *panels = find_option(problem.kernel, "panels", &index);
    if (!panels || panels->type != OPTION_CHOICE || (asked && strstr(asked, "panels="))) {
        snprintf(add(entries, &matmul_kind, team, &problem)->name, sizeof entries->list->name, "matmul");
        return;
    }
    for (int choice = 0; panels->choices[choice]; choice++) {
        problem.options[index] = choice;
        snprintf(add(entries, &matmul_kind, team, &problem)->name, sizeof entries->list->name, "matmul, %s",
                 panels->choices[choice]);
    }
}

static int add_pdgemms(struct entries *entries, struct team *team, const struct problem *problem,
                       const struct scalapack *scalapack, const char *blocks, struct error *error_p)
{
    char word[16];
    int ranks = team_size(team);
    while (bench_next_word(&blocks, sizeof word, word))
        for (int rows = 1; rows <= ranks; rows++) {
            if (ranks % rows != 0) continue;
            if (atoi(word) < 1 || entries->count == ENTRIES_MAX)
                return error_set(error_p, STATUS_USAGE, "--blocks: '%s' is no size of a block, or there are too many",
                                 word);
            struct entry *entry = add(entries, &pdgemm_kind, team, problem);
            entry->scalapack = scalapack;
            entry->block = atoi(word);
            entry->grid_rows = rows;
            entry->grid_columns = ranks / rows;
            snprintf(entry->name, sizeof entry->name, "pdgemm %dx%d, %d", rows, ranks / rows, entry->block);
        }
    return 0;
}

int entries_init(struct entries *entries_p, struct team *team, struct team *solo, const struct scalapack *scalapack,
                 const struct entries_wish *wish, struct error *error_p)
{
    struct problem problem;
    int status = init_problem(&problem, wish, error_p);
    entries_p->count = 0;
    if (status < 0) return status;
    struct entry *serial = add(entries_p, &matmul_kind, team_rank(team) == 0 ? solo : NULL, &problem);
    serial->alone = true;
    snprintf(serial->name, sizeof serial->name, "matmul, serial");
    add_summas(entries_p, team, problem, wish->options);
    return scalapack ? add_pdgemms(entries_p, team, &problem, scalapack, wish->blocks, error_p) : 0;
}
