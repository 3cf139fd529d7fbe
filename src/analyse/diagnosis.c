/* The verdict: did several tasks take turns, or run at once? By levels over time: how many tasks were active (running,
 * or ready without a core), and how many of them ran.
 *
 *     one task           a second one was active for less than a tenth of the time in which any was
 *     mostly waiting     the workers were blocked for more than half of their time, and less than 3/4 of a core was
 * busy multitasking       while any ran, two ran at once for less than a tenth of the time multiprocessing    while any
 * ran, 1.3 did on average, active tasks seldom waited for a core (a quarter), and seldom was one of them alone (two
 * fifths) mixed              anything else
 */
#include "diagnosis.h"

#include "diagnosis_facts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double shortest_s = 0.02;

const char *verdict_kind_text(enum verdict_kind verdict)
{
    static const char *const texts[VERDICT_COUNT] = {
        [VERDICT_IDLE] = "NOTHING TO TELL",          [VERDICT_ONE_TASK] = "ONE TASK",
        [VERDICT_MULTITASKING] = "MULTITASKING",     [VERDICT_MULTIPROCESSING] = "MULTIPROCESSING",
        [VERDICT_MOSTLY_WAITING] = "MOSTLY WAITING", [VERDICT_MIXED] = "MIXED"};
    return texts[verdict];
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* Of all tasks, also of those that did no work to speak of. */
static double all_running_s(const struct facts *facts)
{
    double sum_s = 0;
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) sum_s += facts->cpu_s[cpu];
    return sum_s;
}

static void count(const struct facts *facts, struct diagnosis *diagnosis)
{
    const struct evidence *evidence = facts->evidence;
    const struct timeline *timeline = evidence->timeline;
    for (int t = 0; t < timeline->task_count; t++)
        diagnosis->processes += timeline->tasks[t].tid == timeline->tasks[t].pid;
    diagnosis->threads = timeline->task_count;
    diagnosis->workers = facts->worker_count + facts->short_lived;
    diagnosis->cores_used = facts_cores_used(facts);
    diagnosis->concurrency = share(facts->life_s, facts->length_s);
    diagnosis->parallelism = share(facts->running_s, facts->length_s);
    double cpu_s = evidence->user_s + evidence->system_s;
    diagnosis->cores_busy = share(isnan(cpu_s) ? all_running_s(facts) : cpu_s, evidence->wall_s);
    diagnosis->waiting = share(facts->ready_s, facts->running_s + facts->ready_s);
    diagnosis->blocked = share(fmax(0, facts->life_s - facts->running_s - facts->ready_s), facts->life_s);
    diagnosis->serial = share(facts->one_s, facts->any_s);
}

static enum verdict_kind judge(const struct facts *facts, const struct diagnosis *diagnosis)
{
    double running = share(facts->running_s, facts->any_running_s);
    bool several = facts->worker_count + facts->short_lived > 1;
    /* Tasks that hold each other up are active one at a time, and yet they are several. */
    bool together = share(facts->two_s, facts->any_s) >= 0.1;
    bool in_turns = several && !together && facts->worker_count > 1 && diagnosis->concurrency > 1.5;
    if (facts->length_s < shortest_s) return VERDICT_IDLE;
    if (facts->worker_count + facts->short_lived == 0) return VERDICT_MOSTLY_WAITING;
    if (diagnosis->blocked > 0.5 && diagnosis->parallelism < 0.75) return VERDICT_MOSTLY_WAITING;
    if (!several || (!together && !in_turns)) return VERDICT_ONE_TASK;
    if (share(facts->two_running_s, facts->any_running_s) < 0.1) return VERDICT_MULTITASKING;
    if (running >= 1.3 && diagnosis->waiting < 0.25 && diagnosis->serial < 0.4) return VERDICT_MULTIPROCESSING;
    return VERDICT_MIXED;
}

static const char *cores_text(int cores)
{
    return cores == 1 ? "core" : "cores";
}

static int percent(double part)
{
    return (int)lround(100 * part);
}

static void say_workers(const struct facts *facts, const struct diagnosis *diagnosis, size_t length, char *text)
{
    int all = facts->short_lived + facts->worker_count;
    /* They came and went. */
    if (all > 2 && diagnosis->concurrency < 0.6 * all)
        snprintf(text, length, "%d short-lived tasks, %.2g at a time,", all, diagnosis->concurrency);
    else
        snprintf(text, length, "%d %s", facts->worker_count, facts_noun(facts, facts->worker_count));
}

static void write_mixed(const struct facts *facts, struct diagnosis *diagnosis, const char *who)
{
    size_t length = sizeof diagnosis->headline;
    int cores = diagnosis->cores_used;
    if (diagnosis->waiting >= 0.25 && diagnosis->serial < 0.4)
        snprintf(diagnosis->headline, length, "%s shared %d %s: ready to run, they had one for %d %% of the time", who,
                 cores, cores_text(cores), percent(1 - diagnosis->waiting));
    else
        snprintf(diagnosis->headline, length,
                 "%s on %d %s: one alone was active for %d %% of the time, several for %d %%", who, cores,
                 cores_text(cores), percent(diagnosis->serial), percent(share(facts->two_s, facts->any_s)));
}

static void write_headline(const struct facts *facts, struct diagnosis *diagnosis)
{
    char who[80];
    size_t length = sizeof diagnosis->headline;
    int cores = diagnosis->cores_used > 0 ? diagnosis->cores_used : 1;
    say_workers(facts, diagnosis, sizeof who, who);
    switch (diagnosis->verdict) {
    case VERDICT_IDLE:
        snprintf(diagnosis->headline, length, "it ended after %.3g ms, too soon to tell", 1e3 * facts->length_s);
        break;
    case VERDICT_ONE_TASK:
        snprintf(diagnosis->headline, length, "1 task on 1 core at a time, executing for %d %% of the time",
                 percent(diagnosis->parallelism));
        break;
    case VERDICT_MULTITASKING:
        snprintf(diagnosis->headline, length, "%s took turns on %d %s", who, cores, cores_text(cores));
        break;
    case VERDICT_MULTIPROCESSING:
        snprintf(diagnosis->headline, length, "%s on %d %s, %.2f executing at once", who, cores, cores_text(cores),
                 share(facts->running_s, facts->any_running_s));
        break;
    case VERDICT_MOSTLY_WAITING:
        if (facts->worker_count + facts->short_lived == 0)
            snprintf(diagnosis->headline, length, "it hardly ran: for %.2g %% of the time",
                     100 * share(facts->running_s > 0 ? facts->running_s : all_running_s(facts), facts->length_s));
        else
            snprintf(diagnosis->headline, length, "%s, waiting for something else than a core for %d %% of the time",
                     who, percent(diagnosis->blocked));
        break;
    case VERDICT_MIXED:
        write_mixed(facts, diagnosis, who);
        break;
    case VERDICT_COUNT:
        break;
    }
}

int diagnosis_make(const struct evidence *evidence, struct diagnosis *diagnosis_p)
{
    struct facts *facts = calloc(1, sizeof *facts);
    struct diagnosis diagnosis = {.finding_count = 0};
    int status = facts ? facts_find(evidence, facts) : -ENOMEM;
    if (!status) {
        count(facts, &diagnosis);
        diagnosis.verdict = judge(facts, &diagnosis);
        write_headline(facts, &diagnosis);
        diagnosis_find(facts, &diagnosis);
        *diagnosis_p = diagnosis;
        facts_release(facts);
    }
    free(facts);
    return status;
}
