/* Was this sample obtained honestly? Rules over what was observed; the first that applies names the reason.
 *
 * Run queue. While a worker bound to a CPU is ready but not running (wait), some other task runs there: the scheduler
 * leaves no CPU idle that has a task queued. That task is another worker of ours on this CPU, or foreign. Our others
 * cannot have run longer than their whole CPU time, so foreign tasks held the CPU for at least
 *     wait of worker i - CPU time of our other workers on the CPU,
 * for every i; the largest counts. On a dedicated core that is the wait itself. Workers that block only weaken the
 * bound (while they sleep, nobody of ours need run), never falsify it. Waits are exact once the task runs again, and
 * it reads them itself; CPU times are exact. What remains is a time slice around the stamps of workers that share a
 * core and spin.
 *
 * Foreign tasks that never made us wait (on a core whose workers mostly sleep) show in /proc/stat only, in 10 ms steps.
 */
#include "judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double JUDGED_FROM_S = 0.2; /* wall time from which disturbance can be judged */
static const double TICK_S = 0.005;      /* a time slice of the system's own ends at a tick of its timer */

bool judge_decide(struct sample *sample, enum validity validity, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sample->invalid_reason, sizeof sample->invalid_reason, format, arguments);
    va_end(arguments);
    sample->validity = validity;
    return true;
}

/* "CPU 1", or "CPU 1 of node7" where there are several hosts. */
static const char *cpu_text(const struct sample *sample, const struct worker_times *worker, size_t length, char *text)
{
    bool several = false;
    for (int i = 1; i < sample->worker_count && !several; i++)
        several = strcmp(sample->workers[0].host, sample->workers[i].host) != 0;
    snprintf(text, length, several ? "CPU %d of %s" : "CPU %d", worker->cpu_asked, worker->host);
    return text;
}

bool judge_answer(struct sample *sample)
{
    if (sample->correct) return false;
    return judge_decide(sample, SAMPLE_INVALID, "wrong answer: %s", sample->check_detail);
}

static bool judge_placement(struct sample *sample)
{
    char cpu[96];
    for (int i = 0; i < sample->worker_count; i++) {
        const struct worker_times *worker = &sample->workers[i];
        if (worker_placed_as_asked(worker)) continue;
        cpu_text(sample, worker, sizeof cpu, cpu);
        for (int j = 0; j < worker->cpu_seen_count; j++)
            if (worker->cpus_seen[j] != worker->cpu_asked)
                return judge_decide(sample, SAMPLE_INVALID, "worker %d was to run on %s but was seen on CPU %d", i, cpu,
                                    worker->cpus_seen[j]);
        return judge_decide(sample, SAMPLE_INVALID,
                            "worker %d was to be bound to %s alone, but its CPU mask says otherwise", i, cpu);
    }
    return false;
}

static bool judge_length(struct sample *sample)
{
    if (sample->wall_s >= JUDGED_FROM_S) return false; /* nor is NAN */
    return judge_decide(sample, SAMPLE_NOT_JUDGED, "too short: %.4g ms; disturbance is judged from %.0f ms on",
                        1e3 * sample->wall_s, 1e3 * JUDGED_FROM_S);
}

bool judge_quota(struct sample *sample, double wall_s)
{
    /* The kernel adds up over the CPUs on which the group was stopped. */
    double throttled_s = sample->throttled_s / fmax(1, sample->config.mode.cpus.count);
    if (isnan(throttled_s) || throttled_s <= TOLERATED_SHARE * wall_s) return false;
    return judge_decide(sample, SAMPLE_INVALID,
                        "the control group's CPU quota was used up: it was stopped for %.2f s of %.2f s", throttled_s,
                        wall_s);
}

/* A time slice, at most (EEVDF: the next tick after it, 4 ms at 250 Hz). */
static double slice_s(const struct sample *sample)
{
    return TICK_S + 1e-9 * sample->config.mode.scheduling.slice_ns;
}

/* Spinning workers that share a core let each other run only after a slice, also around their stamps. */
static double tolerance_s(const struct sample *sample, const struct cpu_load *load)
{
    bool spin = sample->config.mode.wait_policy == WAIT_SPIN;
    return TOLERATED_SHARE * sample->wall_s + (spin ? slice_s(sample) * (load->workers - 1) : 0);
}

/* Of a real-time task too: older kernels stop it for 50 ms of each second, whether another wants the CPU or not. */
static const char *who_else(const struct sample *sample)
{
    return scheduling_is_realtime(&sample->config.mode.scheduling)
               ? ", or the system's limit for real-time tasks did: samples under 0.9 s escape that"
               : "";
}

static bool judge_cpu(struct sample *sample, const struct worker_times *worker, const struct cpu_load *load)
{
    char cpu[96];
    double wall_s = sample->wall_s, tolerated_s = tolerance_s(sample, load);
    cpu_text(sample, worker, sizeof cpu, cpu);
    /* Comparisons with NAN are false: what was not observed is not judged. */
    if (load->steal_s > tolerated_s + STAT_RESOLUTION_S)
        return judge_decide(sample, SAMPLE_INVALID, "the hypervisor took %.0f %% of the time of %s (steal)",
                            100 * load->steal_s / wall_s, cpu);
    if (load->held_s > tolerated_s)
        return judge_decide(sample, SAMPLE_INVALID, "another program held %s for at least %.0f %% of the time%s", cpu,
                            100 * load->held_s / wall_s, who_else(sample));
    double foreign_s = load->busy_s - load->own_s;
    if (wall_s >= FOREIGN_FROM_S && foreign_s > tolerated_s + 2 * STAT_RESOLUTION_S)
        return judge_decide(sample, SAMPLE_INVALID, "other programs used %.0f %% of the time of %s",
                            100 * foreign_s / wall_s, cpu);
    /* More than one core's worth of CPU time: the workers were not where they were said to be. */
    if (load->own_s > wall_s + tolerated_s + slice_s(sample) * load->workers)
        return judge_decide(sample, SAMPLE_INVALID,
                            "%d workers used %.2f s of CPU time within %.2f s: more than %s has", load->workers,
                            load->own_s, wall_s, cpu);
    return false;
}

/* A task on the other hardware thread shares our core's units: no wait shows, and yet half the core may be gone. */
static bool judge_siblings(struct sample *sample)
{
    char cpu[96];
    for (int i = 0; i < sample->worker_count; i++) {
        const struct worker_times *worker = &sample->workers[i];
        if (!(worker->sibling_busy_s > TOLERATED_SHARE * sample->wall_s + 2 * STAT_RESOLUTION_S)) continue;
        return judge_decide(sample, SAMPLE_INVALID,
                            "another program used the other hardware thread of the core of %s for %.0f %% of the time",
                            cpu_text(sample, worker, sizeof cpu, cpu), 100 * worker->sibling_busy_s / sample->wall_s);
    }
    return false;
}

/* Where no disturbance could have been seen, none was ruled out. */
static bool judge_observation(struct sample *sample)
{
    for (int i = 0; i < sample->worker_count; i++) {
        const struct worker_times *worker = &sample->workers[i];
        if (!isnan(worker->wait_s)) continue;
        if (!isnan(worker->cpu_total_busy_s) && sample->wall_s >= FOREIGN_FROM_S) continue;
        return judge_decide(
            sample, SAMPLE_NOT_JUDGED,
            "cannot be judged: this system does not tell how long tasks wait for a core; samples of %g s or "
            "more can be, by /proc/stat",
            FOREIGN_FROM_S);
    }
    return false;
}

static bool judge_cpus(struct sample *sample)
{
    struct cpu_load load, *loads = sample_cpu_loads(sample);
    bool judged = false;
    for (int i = 0; i < sample->worker_count && !judged; i++)
        judged = sample_cpu_load_of(sample, loads, i, &load) && judge_cpu(sample, &sample->workers[i], &load);
    free(loads);
    return judged;
}

void sample_judge(struct sample *sample)
{
    if (sample->config.command.word_count > 0) {
        judge_command(sample);
        return;
    }
    if (judge_answer(sample) || judge_placement(sample) || judge_length(sample) ||
        judge_quota(sample, sample->wall_s) || judge_cpus(sample) || judge_siblings(sample) ||
        judge_observation(sample))
        return;
    sample->validity = SAMPLE_VALID;
    sample->invalid_reason[0] = '\0';
}
