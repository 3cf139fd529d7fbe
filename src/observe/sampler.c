/* Search, look, sleep until the next time. A look's cost in CPU time, smoothed, sets how long that is: at most a
 * twentieth of a core is taken.
 */
#include "sampler.h"

#include "looker.h"
#include "sampler_tasks.h"
#include "thread.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Some 60 bytes each. */
enum { SIGHTINGS_MAX = 4000000, THOROUGH_EVERY = 10 };
static const double interval_default_s = 0.001, share_max = 0.05;

struct sampler {
    struct looker *looker; /* NULL when it has ended */
    double interval_s;
    int cpu_count;
    int *cpus;
    struct cpu_counters *before;
    /* The looker's. */
    struct watched_tasks tasks;
    unsigned round;
    double cost_s, next_s;
    double start_s, end_s; /* first and last look */
    int status;
    bool full;
};

static int look(struct sampler *sampler, bool thorough)
{
    int status = watched_tasks_search(&sampler->tasks, thorough);
    if (status == 0) status = watched_tasks_look(&sampler->tasks);
    sampler->end_s = clock_wall_s();
    sampler->full = sampler->tasks.sighting_count > SIGHTINGS_MAX;
    return status;
}

/* The last look, after the stop, is for what happened until then. */
static bool look_in_turn(void *context, bool last, double *next_s_p)
{
    struct sampler *sampler = context;
    double cpu_s = clock_thread_cpu_s();
    sampler->status = look(sampler, last || sampler->round++ % THOROUGH_EVERY == 0);
    sampler->cost_s += 0.125 * (clock_thread_cpu_s() - cpu_s - sampler->cost_s);
    sampler->next_s = fmax(sampler->next_s, clock_wall_s() - sampler->interval_s) +
                      fmax(sampler->interval_s, sampler->cost_s / share_max);
    *next_s_p = sampler->next_s;
    return sampler->status == 0 && !sampler->full;
}

int sampler_new(int cpu_count, const int cpus[], double interval_s, pid_t root, struct sampler **sampler_p)
{
    struct sampler *sampler = calloc(1, sizeof *sampler);
    if (!sampler) return -ENOMEM;
    sampler->tasks.descendants.loadavg = -1;
    int status = -ENOMEM;
    sampler->interval_s = interval_s > 0 ? interval_s : interval_default_s;
    sampler->cpu_count = cpu_count;
    sampler->cpus = calloc((size_t)cpu_count + 1, sizeof *sampler->cpus);
    sampler->before = calloc((size_t)cpu_count + 1, sizeof *sampler->before);
    if (!sampler->cpus || !sampler->before) goto fail;
    for (int i = 0; i < cpu_count; i++) sampler->cpus[i] = cpus[i];
    status = watched_tasks_init(root, &sampler->tasks);
    if (status < 0) goto fail;
    cpu_counters_read(cpu_count, cpus, sampler->before);
    sampler->start_s = sampler->next_s = clock_wall_s();
    /* What ran before is measured from a first look, which may not wait until the looker gets a core. */
    sampler->tasks.searched_s = sampler->start_s;
    if (root > 0) status = look(sampler, true);
    if (status < 0) goto fail;
    status = looker_new(look_in_turn, sampler, true, &sampler->looker);
    if (status < 0) goto fail;
    *sampler_p = sampler;
    return 0;
fail:
    sampler_free(sampler);
    return status;
}

static void end_looking(struct sampler *sampler)
{
    looker_free(sampler->looker);
    sampler->looker = NULL;
}

static int add_cpus(const struct sampler *sampler, struct timeline *timeline)
{
    struct cpu_counters *now = calloc((size_t)sampler->cpu_count + 1, sizeof *now);
    if (!now) return -ENOMEM;
    cpu_counters_read(sampler->cpu_count, sampler->cpus, now);
    int status = 0;
    for (int i = 0; i < sampler->cpu_count && status == 0; i++)
        status = timeline_add_cpu(timeline, sampler->cpus[i], now[i].busy_s - sampler->before[i].busy_s);
    free(now);
    return status;
}

static void tell_incomplete(const struct sampler *sampler, size_t length, char *text)
{
    if (sampler->full)
        snprintf(text, length, "ends early: more than %d changes of state were seen", SIGHTINGS_MAX);
    else if (sampler->tasks.missed > 0 || sampler->tasks.descendants.missed > 0)
        snprintf(text, length, "some tasks are missing: too few files may be open at once (more with ulimit -n)");
}

int sampler_stop(struct sampler *sampler, struct timeline *timeline_p)
{
    end_looking(sampler);
    int status = sampler->status;
    if (status == 0) status = add_cpus(sampler, timeline_p);
    if (status == 0)
        status = sampler_build(sampler->tasks.counted, sampler->start_s, sampler->tasks.count, sampler->tasks.tasks,
                               timeline_p, &timeline_p->error_s);
    if (status < 0) return status;
    gethostname(timeline_p->host, sizeof timeline_p->host - 1);
    timeline_p->tier = TIMELINE_SAMPLED;
    timeline_p->start_s = sampler->start_s;
    timeline_p->length_s = sampler->end_s - sampler->start_s;
    tell_incomplete(sampler, sizeof timeline_p->incomplete, timeline_p->incomplete);
    timeline_name_workers(timeline_p, 0, NULL);
    return 0;
}

const char *sampler_note(const struct sampler *sampler)
{
    return sampler->tasks.counted ? ""
                                  : "this system does not tell run-queue times: among tasks that share a CPU, who ran "
                                    "is told by CPU time alone";
}

void sampler_free(struct sampler *sampler)
{
    if (!sampler) return;
    end_looking(sampler);
    watched_tasks_release(&sampler->tasks);
    free(sampler->cpus);
    free(sampler->before);
    free(sampler);
}
