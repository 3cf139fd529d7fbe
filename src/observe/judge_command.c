/* Was this sample of a command obtained honestly? As judge.c, but from outside, and over the whole time of its
 * processes (wall_s may be a part of it that the program itself measured).
 *
 * Where context switches were recorded, it is known how long others held a CPU while a task of the command was ready on
 * it (held_s, exact but for the records' own error), which can be judged in short samples too. Else only what all
 * others used can be, from /proc/stat. What ran on the other hardware threads of the cores is not known.
 */
#include "judge.h"

#include <math.h>

static const double JUDGED_FROM_S = 0.02;
static const double KEPT_FROM_S =
    0.2; /* from which the 10 ms steps of /proc/stat tell whether others kept it waiting */
static const double RECORDS_ERROR_S = 50e-6;

/* The CPU outside those of the mode on which a task ran; -1 where none is told. */
static int cpu_outside(const struct sample *sample)
{
    const struct cpu_list *cpus = &sample->config.mode.cpus;
    for (int i = 0; i < sample->worker_count; i++)
        for (int k = 0; k < sample->workers[i].cpu_seen_count; k++) {
            int at = 0;
            while (at < cpus->count && cpus->cpus[at] != sample->workers[i].cpus_seen[k]) at++;
            if (at == cpus->count) return sample->workers[i].cpus_seen[k];
        }
    return -1;
}

static bool judge_placement(struct sample *sample)
{
    char cpus[96];
    if (!sample->config.command.bind || sample->placed_as_asked) return false;
    cpu_list_format(&sample->config.mode.cpus, sizeof cpus, cpus);
    int cpu = cpu_outside(sample);
    if (cpu < 0)
        return judge_decide(sample, SAMPLE_INVALID,
                            "a task of the command ran outside of CPUs %s: it sets its own mask (--no-bind leaves the "
                            "placing to the command)",
                            cpus);
    return judge_decide(sample, SAMPLE_INVALID,
                        "a task of the command ran on CPU %d, outside of CPUs %s: it sets its own mask (--no-bind "
                        "leaves the placing to the command)",
                        cpu, cpus);
}

static bool judge_length(struct sample *sample)
{
    bool recorded = !isnan(sample->held_s);
    if (sample->process_s >= (recorded ? JUDGED_FROM_S : FOREIGN_FROM_S)) return false; /* nor is NAN */
    if (recorded)
        return judge_decide(sample, SAMPLE_NOT_JUDGED, "too short: %.4g ms; disturbance is judged from %.0f ms on",
                            1e3 * sample->process_s, 1e3 * JUDGED_FROM_S);
    return judge_decide(sample, SAMPLE_NOT_JUDGED,
                        "too short: %.4g ms; context-switch records could not be had, so only samples of %g s or more "
                        "can be judged",
                        1e3 * sample->process_s, FOREIGN_FROM_S);
}

/* Comparisons with NAN are false: what was not observed is not judged. */
static bool judge_disturbance(struct sample *sample)
{
    char cpus[96];
    double wall_s = sample->process_s, tolerated_s = TOLERATED_SHARE * wall_s;
    int count = sample->config.mode.cpus.count > 0 ? sample->config.mode.cpus.count : 1;
    cpu_list_format(&sample->config.mode.cpus, sizeof cpus, cpus);
    if (sample->steal_s > tolerated_s + STAT_RESOLUTION_S * count)
        return judge_decide(sample, SAMPLE_INVALID, "the hypervisor took %.0f %% of the time of CPUs %s (steal)",
                            100 * sample->steal_s / wall_s / count, cpus);
    if (sample->held_s > tolerated_s + RECORDS_ERROR_S)
        return judge_decide(sample, SAMPLE_INVALID,
                            "another program held one of CPUs %s for at least %.0f %% of the time, while a task of the "
                            "command was ready",
                            cpus, 100 * sample->held_s / wall_s);
    /* One that is busy with others makes tasks share the next one: ready there behind their own, and nobody holds it.
     */
    double kept_s = sample->wait_s < sample->foreign_cpu_s ? sample->wait_s : sample->foreign_cpu_s;
    if (wall_s >= KEPT_FROM_S && kept_s > tolerated_s + 2 * STAT_RESOLUTION_S * count)
        return judge_decide(
            sample, SAMPLE_INVALID,
            "other programs used %.2f s of CPUs %s within %.2f s, while tasks of the command were ready",
            sample->foreign_cpu_s, cpus, wall_s);
    if (wall_s >= FOREIGN_FROM_S && sample->foreign_cpu_s > tolerated_s + 2 * STAT_RESOLUTION_S * count)
        return judge_decide(sample, SAMPLE_INVALID, "other programs used %.2f s of CPUs %s within %.2f s",
                            sample->foreign_cpu_s, cpus, wall_s);
    return false;
}

/* Where no disturbance could have been seen, none was ruled out. */
static bool judge_observation(struct sample *sample)
{
    if (!isnan(sample->held_s) || !isnan(sample->foreign_cpu_s)) return false;
    return judge_decide(sample, SAMPLE_NOT_JUDGED,
                        "cannot be judged: neither context-switch records nor the CPU time of other programs could be "
                        "had");
}

void judge_command(struct sample *sample)
{
    if (judge_answer(sample) || judge_placement(sample) || judge_length(sample) ||
        judge_quota(sample, sample->process_s) || judge_disturbance(sample) || judge_observation(sample))
        return;
    sample->validity = SAMPLE_VALID;
    sample->invalid_reason[0] = '\0';
}
