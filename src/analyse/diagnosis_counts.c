/* Rules on numbers: more tasks than cores, or fewer. */
#include "diagnosis_rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int percent(double share)
{
    return (int)lround(100 * share);
}

/* More tasks are active than cores are there for them, by a fifth at least, and they do wait; and it is not for their
 * places, which a rule on these has told. */
static bool is_crowded(const struct facts *facts, const struct diagnosis *diagnosis)
{
    static const char *const told[] = {"worlds-of-one", "shared-cores",    "ranks-one-core",
                                       "hybrid-bound",  "pinned-together", "one-core"};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (rule_found(diagnosis, told[i])) return false;
    return diagnosis->waiting >= 0.15 && facts_active(facts) > 1.2 * facts->mask_cores &&
           diagnosis->verdict != VERDICT_MOSTLY_WAITING;
}

static int threads_of_busiest(const struct facts *facts)
{
    int most = 0;
    for (int i = 0; i < facts->process_count; i++)
        if (facts->processes[i].workers > most) most = facts->processes[i].workers;
    return most;
}

static const char *core_word(int cores)
{
    return cores == 1 ? "core" : "cores";
}

void rule_nested(const struct facts *facts, struct diagnosis *diagnosis)
{
    const char *levels = facts_variable(facts, "OMP_MAX_ACTIVE_LEVELS"), *nested = facts_variable(facts, "OMP_NESTED");
    const char *threads = facts_variable(facts, "OMP_NUM_THREADS");
    bool openmp = facts_has_library(facts, LIBRARY_GOMP) || facts_has_library(facts, LIBRARY_LLVM_OPENMP);
    bool allowed = (levels && atoi(levels) > 1) || (nested && strcasecmp(nested, "true") == 0) ||
                   (threads && strchr(threads, ','));
    int first = threads ? atoi(threads) : facts->own_cores;
    if (!openmp || !allowed || !is_crowded(facts, diagnosis) || threads_of_busiest(facts) <= first) return;
    struct finding *finding = rule_add(diagnosis, "nested-openmp", true);
    rule_say(
        finding,
        "Parallel regions of OpenMP opened further ones inside (%s%s): %d threads of a process shared %d %s, where "
        "%d were asked for. Ready to run, they waited for a core for %d %% of the time.",
        levels   ? "OMP_MAX_ACTIVE_LEVELS="
        : nested ? "OMP_NESTED="
                 : "OMP_NUM_THREADS=",
        levels   ? levels
        : nested ? nested
                 : threads,
        threads_of_busiest(facts), facts->mask_cores, core_word(facts->mask_cores), first, percent(diagnosis->waiting));
    rule_fix_variable(finding, facts, nested ? "OMP_NESTED" : NULL, "OMP_MAX_ACTIVE_LEVELS=1");
}

struct blas {
    enum library library;
    const char *variable;
};

static const struct blas blases[] = {
    {LIBRARY_OPENBLAS, "OPENBLAS_NUM_THREADS"}, {LIBRARY_BLIS, "BLIS_NUM_THREADS"}, {LIBRARY_MKL, "MKL_NUM_THREADS"}};

void rule_blas(const struct facts *facts, struct diagnosis *diagnosis)
{
    const struct blas *blas = NULL;
    char setting[64];
    for (size_t i = 0; i < sizeof blases / sizeof *blases && !blas; i++)
        if (facts_has_library(facts, blases[i].library)) blas = &blases[i];
    int threads = threads_of_busiest(facts), processes = facts->process_count;
    if (!blas || threads < 2 || rule_found(diagnosis, "nested-openmp") || !is_crowded(facts, diagnosis)) return;
    /* Threads that an OpenMP program asked for are its own. */
    const char *openmp = facts_variable(facts, "OMP_NUM_THREADS");
    if (processes == 1 && openmp && atoi(openmp) == threads) return;
    int each = facts->mask_cores / processes > 0 ? facts->mask_cores / processes : 1;
    struct finding *finding = rule_add(diagnosis, "blas-oversubscribed", true);
    rule_say(finding,
             "%d process%s, each with %d threads (%s is in them, which starts a thread for each core unless it is told "
             "otherwise), shared %d %s: ready to run, they waited for a core for %d %% of the time.",
             processes, processes == 1 ? "" : "es", threads, library_name(blas->library), facts->mask_cores,
             core_word(facts->mask_cores), percent(diagnosis->waiting));
    snprintf(setting, sizeof setting, "%s=%d", blas->variable, each);
    rule_fix_variable(finding, facts, NULL, setting);
}

void rule_oversubscribed(const struct facts *facts, struct diagnosis *diagnosis)
{
    char setting[64];
    if (facts->worker_count <= facts->mask_cores || !is_crowded(facts, diagnosis)) return;
    if (rule_found(diagnosis, "nested-openmp") || rule_found(diagnosis, "blas-oversubscribed")) return;
    int cores = facts->mask_cores;
    struct finding *finding = rule_add(diagnosis, "oversubscribed", true);
    rule_say(finding,
             "%d %s had work at once, and %d %s for them%s: ready to run, they waited for a core for %d %% of "
             "the time. They finish no sooner than %d would.",
             facts->worker_count, facts_noun(facts, facts->worker_count), cores,
             cores == 1 ? "core is there" : "cores are there",
             cores < facts->own_cores ? " by their affinity masks" : "", percent(diagnosis->waiting), cores);
    bool openmp = facts_has_library(facts, LIBRARY_GOMP) || facts_has_library(facts, LIBRARY_LLVM_OPENMP);
    if (facts->ranks > 1)
        rule_fix(finding, "mpirun -np %d%s", cores, threads_of_busiest(facts) > 1 ? " and OMP_NUM_THREADS=1" : "");
    else if (openmp && facts->process_count == 1) {
        snprintf(setting, sizeof setting, "OMP_NUM_THREADS=%d", cores);
        rule_fix_variable(finding, facts, NULL, setting);
    } else
        rule_fix(finding, "ask it for %d %s (its option for jobs, workers or threads: often -j, -t or -T)", cores,
                 facts_noun(facts, cores));
}

/* How long one task alone was active. */
void rule_serial(const struct facts *facts, struct diagnosis *diagnosis)
{
    bool told = diagnosis->verdict == VERDICT_MULTIPROCESSING || diagnosis->verdict == VERDICT_MIXED;
    if (!told || diagnosis->serial < 0.1 || facts->worker_count < 1) return;
    struct finding *finding = rule_add(diagnosis, "serial-part", false);
    rule_say(finding,
             "For %d %% of the time one task alone had something to do: with as many cores as you like it would be at "
             "most %.2g "
             "times as fast as one (Amdahl).",
             percent(diagnosis->serial), 1 / diagnosis->serial);
}

void rule_idle_cores(const struct facts *facts, struct diagnosis *diagnosis)
{
    const char *threads = facts_variable(facts, "OMP_NUM_THREADS");
    int idle = facts->own_cores - (int)lround(ceil(diagnosis->parallelism - 0.1));
    bool openmp = facts_has_library(facts, LIBRARY_GOMP) || facts_has_library(facts, LIBRARY_LLVM_OPENMP);
    char setting[64];
    if (diagnosis->verdict != VERDICT_ONE_TASK || idle < 1 || diagnosis->parallelism < 0.2) return;
    struct finding *finding = rule_add(diagnosis, "idle-cores", false);
    rule_say(finding, "One task at a time had all the work, and %d of %d cores %s.", idle, facts->own_cores,
             facts_rest_idle(facts) ? "stood idle"
             : idle == 1            ? "was not used by it"
                                    : "were not used by it");
    if (openmp && threads && atoi(threads) == 1) {
        rule_say(finding, " It has OpenMP, and OMP_NUM_THREADS=1 tells it to use one thread.");
        snprintf(setting, sizeof setting, "OMP_NUM_THREADS=%d", facts->own_cores);
        rule_fix_variable(finding, facts, NULL, setting);
    } else if (facts->ranks == 1) {
        rule_fix(finding, "mpirun -np %d", facts->own_cores);
    } else {
        rule_say(finding,
                 " Whether it can use more is for the program to say: look for an option for jobs, workers or threads "
                 "(-j, -t, -T), or OMP_NUM_THREADS.");
    }
}
