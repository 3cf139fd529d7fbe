/* Each factor is a number of one sample, and is taken against the base within each block, as speedups are; what is told
 * are medians over the blocks. A time that one worker could not observe makes the factor unobserved: the largest of the
 * others need not be the largest. */
#include "factors.h"

#include "sentence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Differences of this much are not worth a sentence. */
static const double hardly = 0.02;

const char *factor_name(enum factor factor)
{
    static const char *const names[] = {"computation", "load balance", "communication and waiting", "share of a core"};
    return names[factor];
}

static bool is_command(const struct config *config)
{
    return config->command.word_count > 0;
}

/* What was observed is of the whole process; a part of it that the program itself timed is not to be told apart. */
static bool times_itself(const struct config *config)
{
    return is_command(config) && strcmp(config->command.time, "process") != 0;
}

struct useful {
    double wall_most_s, cpu_most_s, cpu_sum_s; /* NAN where a worker's is unknown */
};

/* NAN where either is. */
static double larger(double a, double b)
{
    return isnan(b) || b > a ? b : a;
}

static struct useful useful_of(const struct sample *sample)
{
    struct useful useful = {0};
    if (sample->worker_count == 0 || times_itself(&sample->config)) useful.wall_most_s = useful.cpu_most_s = NAN;
    for (int w = 0; w < sample->worker_count; w++) {
        const struct worker_times *worker = &sample->workers[w];
        useful.cpu_sum_s += worker->cpu_s;
        useful.wall_most_s = larger(useful.wall_most_s, worker->wall_s);
        useful.cpu_most_s = larger(useful.cpu_most_s, worker->cpu_s);
    }
    /* No work at all is no base for a quotient. */
    if (!(useful.wall_most_s > 0)) useful.wall_most_s = NAN;
    if (!(useful.cpu_most_s > 0)) useful.cpu_most_s = useful.cpu_sum_s = NAN;
    return useful;
}

static double sample_work(const struct sample *sample)
{
    return sample->work;
}

/* How much work a second of CPU time did. */
static double sample_computation(const struct sample *sample)
{
    return sample->work / useful_of(sample).cpu_sum_s;
}

static double sample_balance(const struct sample *sample)
{
    struct useful useful = useful_of(sample);
    return useful.cpu_sum_s / sample->worker_count / useful.cpu_most_s;
}

static double sample_communication(const struct sample *sample)
{
    return useful_of(sample).wall_most_s / sample->wall_s;
}

static double sample_share(const struct sample *sample)
{
    struct useful useful = useful_of(sample);
    return useful.cpu_most_s / useful.wall_most_s;
}

static double (*const numbers[FACTOR_COUNT])(const struct sample *) = {
    [FACTOR_COMPUTATION] = sample_computation,
    [FACTOR_BALANCE] = sample_balance,
    [FACTOR_COMMUNICATION] = sample_communication,
    [FACTOR_SHARE] = sample_share,
};

static double pair_median(const struct group *base, const struct group *group, double (*number)(const struct sample *))
{
    struct spread spread;
    group_pair_numbers(base, group, number, 0.95, &spread);
    return spread.middle;
}

static void pair_factor(const struct group *base, const struct group *group, enum factor factor,
                        struct factors *factors)
{
    struct spread spread;
    group_pair_numbers(base, group, numbers[factor], 0.95, &spread);
    factors->value[factor] = spread.middle;
    factors->low[factor] = spread.interval ? spread.low : NAN;
    factors->high[factor] = spread.interval ? spread.high : NAN;
}

/* The serial sections, as a share of the time. 0 where none was told. */
static double sample_serial(const struct sample *sample)
{
    double serial_s = 0;
    for (int w = 0; w < sample->worker_count; w++) serial_s = fmax(serial_s, sample->workers[w].serial_s);
    return serial_s / sample->wall_s;
}

/* The worker that works longest: it decides the factor of communication. NULL: unknown. */
static const struct worker_times *busiest_worker(const struct sample *sample)
{
    const struct worker_times *busiest = NULL;
    for (int w = 0; w < sample->worker_count; w++)
        if (!busiest || sample->workers[w].wall_s > busiest->wall_s) busiest = &sample->workers[w];
    return busiest;
}

/* How much of the time that it neither worked nor was to work was spent in calls to other ranks. */
static double sample_messages(const struct sample *sample)
{
    const struct worker_times *busiest = busiest_worker(sample);
    return busiest && busiest->comm_s + busiest->idle_s > 0 ? busiest->comm_s / (busiest->comm_s + busiest->idle_s)
                                                            : NAN;
}

/* Why nothing was seen of its tasks, from the first sample of a command of which nothing was; "" */
static void reason_unseen(const struct group *group, size_t length, char *text)
{
    for (int s = 0; group && s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        const char *reason = strstr(sample->unobserved, ": ");
        if (!sample_counts(sample) || sample->worker_count > 0 || !is_command(&sample->config)) continue;
        int end = reason ? (int)strcspn(reason + 2, ";") : 0;
        snprintf(text, length, "its tasks could not be watched: %.*s", reason ? end : 30,
                 reason ? reason + 2 : "no reason was recorded");
        return;
    }
    if (length > 0) *text = '\0';
}

static void find_missing(const struct group *base, const struct group *group, struct factors *factors)
{
    bool cpu = isnan(factors->value[FACTOR_BALANCE]), wall = isnan(factors->value[FACTOR_COMMUNICATION]);
    char unseen[sizeof factors->missing];
    reason_unseen(group, sizeof unseen, unseen);
    if (!*unseen) reason_unseen(base, sizeof unseen, unseen);
    const char *missing = factors->blocks == 0 ? "no block has valid samples of both"
                          : !cpu && !wall      ? isnan(factors->product) ? "the work was not recorded" : ""
                          : times_itself(&group->config)
                              ? "the time is the program's own, and what was observed is of the whole process"
                          : *unseen     ? unseen
                          : cpu && wall ? "the workers' times were not observed"
                          : cpu         ? "the workers' CPU times were not observed"
                                        : "the workers' wall times were not observed";
    snprintf(factors->missing, sizeof factors->missing, "%s", missing);
}

static void find_worst(struct factors *factors)
{
    double lost = 0;
    for (int f = 0; f < FACTOR_COUNT; f++) {
        double value = factors->value[f];
        lost += fmax(-log(value), 0) + value * 0; /* stays NAN where one is */
        if (value < factors->value[factors->worst] || isnan(factors->value[factors->worst]))
            factors->worst = (enum factor)f;
    }
    double worst = -log(factors->value[factors->worst]);
    factors->worst_share = isnan(lost) ? NAN : worst > 0 ? worst / lost : 0;
}

void factors_of(const struct group *base, const struct group *group, struct factors *factors_p)
{
    struct factors factors = {.worst = FACTOR_COMPUTATION};
    struct spread speedup;
    group_pair_numbers(base, group, sample_rate, 0.95, &speedup);
    factors.blocks = speedup.count;
    factors.speedup = speedup.middle;
    factors.scale = base ? (double)mode_workers(&group->config.mode) / mode_workers(&base->config.mode) : NAN;
    factors.work = pair_median(base, group, sample_work);
    factors.product = factors.scale;
    for (int f = 0; f < FACTOR_COUNT; f++) {
        pair_factor(base, group, (enum factor)f, &factors);
        factors.product *= factors.value[f];
    }
    bandwidth_of(group, &factors.bandwidth);
    find_missing(base, group, &factors);
    find_worst(&factors);
    *factors_p = factors;
}

/* The sentence */

static int cpus_of(const struct config *config)
{
    return config->mode.cpus.count * mode_nodes(&config->mode);
}

static int percent(double share)
{
    return (int)lround(100 * share);
}

static void say_speedup(struct sentence *line, const struct factors *factors, const struct config *config)
{
    int workers = mode_workers(&config->mode);
    int base_workers = (int)lround(workers / factors->scale);
    sentence_add(line, "%d worker%s: %.2f times as %s as ", workers, workers == 1 ? "" : "s", factors->speedup,
                 fabs(factors->work - 1) > hardly ? "much work a second" : "fast");
    if (base_workers == 1)
        sentence_add(line, is_command(config) ? "one worker" : "one task");
    else
        sentence_add(line, "%d workers", base_workers);
}

/* Whether serial sections are most of a loss, of balance or by waiting: of P workers one has more to do than the mean
 * by 1 - 1/P of them, and where another is the busiest, that one waits for all of them. */
static bool is_serial(const struct factors *factors, const struct group *group)
{
    int workers = mode_workers(&group->config.mode);
    double serial = group_median(group, ANY_BLOCK, sample_serial);
    double value = group_median(group, ANY_BLOCK, numbers[factors->worst]);
    bool balance = factors->worst == FACTOR_BALANCE;
    if (!balance && factors->worst != FACTOR_COMMUNICATION) return false;
    return serial * (balance ? 1 - 1.0 / workers : 1) > (1 - value) / 2;
}

static void say_balance(struct sentence *line, const struct factors *factors)
{
    const enum factor balance = FACTOR_BALANCE;
    sentence_add(line, "load balance: the busiest worker had %.2f times as much to do as the average",
                 1 / factors->value[balance]);
    if (factors->low[balance] > 0)
        sentence_add(line, " (%.3f to %.3f)", 1 / factors->high[balance], 1 / factors->low[balance]);
}

/* Of the busiest worker's time. What kind of wait it was is told where one kind is most of it. */
static void say_communication(struct sentence *line, const struct group *group)
{
    static const double most = 0.8;
    double messages = group_median(group, ANY_BLOCK, sample_messages);
    int filled = percent(1 - group_median(group, ANY_BLOCK, sample_communication));
    if (messages >= most)
        sentence_add(line, "communication: messages between ranks, and waits for them, filled %d %% of the time",
                     filled);
    else if (messages <= 1 - most)
        sentence_add(line,
                     "waiting: for %d %% of the time the busiest worker had nothing to compute, but waited: for other "
                     "threads, a lock, or something outside",
                     filled);
    else
        sentence_add(line, "communication and waiting: they filled %d %% of the time", filled);
}

static void say_loss(struct sentence *line, const struct factors *factors, const struct group *group)
{
    const struct config *config = &group->config;
    int workers = mode_workers(&config->mode), cpus = cpus_of(config);
    double value = factors->value[factors->worst];
    if (is_serial(factors, group)) {
        sentence_add(line, "serial work: for %.1f %% of the time one worker computed alone, while the others waited",
                     100 * group_median(group, ANY_BLOCK, sample_serial));
        return;
    }
    switch (factors->worst) {
    case FACTOR_COMPUTATION:
        sentence_add(line, "computation: ");
        if (bandwidth_is_used_up(&factors->bandwidth)) {
            bandwidth_say_loss(line, &factors->bandwidth);
            sentence_add(line, ", so the same work took %.2f times as much CPU time", 1 / value);
        } else {
            sentence_add(line, "the same work took %.2f times as much CPU time, as where cores share memory or caches",
                         1 / value);
        }
        break;
    case FACTOR_BALANCE:
        say_balance(line, factors);
        break;
    case FACTOR_COMMUNICATION:
        say_communication(line, group);
        break;
    case FACTOR_SHARE:
        if (workers > cpus)
            sentence_add(line, "time slicing: %d tasks had %d core%s", workers, cpus, cpus == 1 ? "" : "s");
        else
            sentence_add(line, "the share of a core: the busiest worker had its own for %d %% of its time",
                         percent(group_median(group, ANY_BLOCK, sample_share)));
        break;
    case FACTOR_COUNT:
        break;
    }
}

/* No more than can be seen from outside. */
static void say_loss_outside(struct sentence *line, const struct factors *factors, const struct group *group)
{
    int workers = mode_workers(&group->config.mode), cpus = cpus_of(&group->config);
    switch (factors->worst) {
    case FACTOR_COMPUTATION:
        sentence_add(line,
                     "computation: the same work took %.2f times as much CPU time, where spinning waits count as work",
                     1 / factors->value[FACTOR_COMPUTATION]);
        break;
    case FACTOR_BALANCE:
        sentence_add(line,
                     "that fewer than %d tasks were active at a time: serial parts, unequal shares or waits for one "
                     "another, which look alike from outside",
                     workers);
        break;
    case FACTOR_COMMUNICATION:
        sentence_add(line,
                     "waiting: for %d %% of the time no task was active: the program waited for something else (files, "
                     "network, sleep)",
                     percent(1 - group_median(group, ANY_BLOCK, sample_communication)));
        break;
    case FACTOR_SHARE:
        if (workers > cpus)
            sentence_add(line, "time slicing: tasks for %d workers had %d core%s", workers, cpus, cpus == 1 ? "" : "s");
        else
            sentence_add(line, "the share of a core: active tasks had one for %d %% of their time",
                         percent(group_median(group, ANY_BLOCK, sample_share)));
        break;
    case FACTOR_COUNT:
        break;
    }
}

static void say_gain(struct sentence *line, const struct factors *factors)
{
    sentence_add(line, ": ");
    if (factors->bandwidth.cache_level > 0) {
        bandwidth_say_gain(line, &factors->bandwidth);
        sentence_add(line, ", and the same work took %.2f times the CPU time", 1 / factors->value[FACTOR_COMPUTATION]);
    } else {
        sentence_add(line, "the same work took %.2f times the CPU time, as where smaller parts fit into the caches",
                     1 / factors->value[FACTOR_COMPUTATION]);
    }
}

const char *factors_sentence(const struct factors *factors, const struct group *group, size_t length, char *text)
{
    struct sentence line = {.length = length, .text = text};
    if (length > 0) *text = '\0';
    if (factors->blocks == 0) {
        sentence_add(&line, "Its speedup is not known: %s.", factors->missing);
        return text;
    }
    say_speedup(&line, factors, &group->config);
    double lost = 1 - factors->speedup / factors->scale;
    if (lost < -hardly) {
        sentence_add(&line, ", more than the ideal %.4g", factors->scale);
        if (factors->value[FACTOR_COMPUTATION] > 1 + hardly) say_gain(&line, factors);
    } else if (lost < hardly) {
        sentence_add(&line, ", of the ideal %.4g: hardly anything is lost", factors->scale);
    } else if (isnan(factors->worst_share)) {
        sentence_add(&line, "; why is not known: %s", factors->missing);
    } else {
        sentence_add(&line, "; %s of the loss (%d %%) is ", factors->worst_share > 0.5 ? "most" : "the largest part",
                     percent(factors->worst_share));
        if (is_command(&group->config))
            say_loss_outside(&line, factors, group);
        else
            say_loss(&line, factors, group);
    }
    sentence_add(&line, ".");
    return text;
}
