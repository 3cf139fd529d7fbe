/* A sampler first runs a small problem, from which the size of its runs follows: as many samples as take the time of a
 * measurement, or (EP) a class, as often as that takes; who would take too long for it stays with the small one, whose
 * rate is the same. A round measures each sampler once, in an order drawn anew.
 * Beside those whose operations are counted, before and after, it is measured how many the core can do just then: the
 * clock of a core drifts, and only the larger reading is surely no less than what the sampler had.
 */
#include "sampling.h"

#include "bound.h"

#include "../../src/observe/thread.h"

#include <math.h>
#include <time.h>

static const double PATIENCE_S = 2;

struct run {
    const struct question *question;
    struct samplers *samplers;
    const struct sampling_wish *wish;
    struct sampling *sampling;
    uint64_t random;
};

/* Of one measurement. */
struct reading {
    int status;
    double time_s;
    double waited; /* the share of it for which threads waited for their CPUs */
    double bound;  /* operations a second */
};

static void call(struct sampler *sampler, struct reading *reading)
{
    if (reading->status == 0 && sampler->kind->reset) reading->status = sampler->kind->reset(sampler);
    double waited_s = bench_waited_s(), start_s = clock_wall_s();
    if (reading->status == 0) reading->status = sampler->kind->run(sampler);
    reading->time_s += clock_wall_s() - start_s;
    reading->waited += bench_waited_s() - waited_s;
}

static struct reading measure(const struct run *run, int i)
{
    static const double bound_s = 0.01;
    const struct sampling_wish *wish = run->wish;
    struct sampler *sampler = &run->samplers->list[i];
    bool is_bounded = sampler->operations > 0;
    struct reading reading = {.status = 0};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = (long)(wish->gap_s * 1e9)}, NULL);
    bench_settle_threads(sampler->threads, &wish->cpus);
    /* Before everybody, so that all start on a core that is at work. */
    reading.bound = bound_run(run->question->isa, fmin(bound_s, wish->min_time_s));
    for (int64_t n = 0; n < run->sampling->of[i].calls; n++) call(sampler, &reading);
    if (is_bounded) reading.bound = fmax(reading.bound, bound_run(run->question->isa, fmin(bound_s, wish->min_time_s)));
    reading.waited /= reading.time_s;
    return reading;
}

static void check(const struct run *run, int i)
{
    struct sampler *sampler = &run->samplers->list[i];
    char why[sizeof run->sampling->of[i].why];
    if (sampler->kind->is_right(sampler, sizeof why, why) || run->sampling->of[i].wrong) return;
    run->sampling->of[i].wrong = true;
    snprintf(run->sampling->of[i].why, sizeof run->sampling->of[i].why, "%s", why);
}

static int prepare(struct sampler *sampler, int64_t samples)
{
    if (sampler->kind->finish) sampler->kind->finish(sampler);
    sampler->samples = samples;
    return sampler->kind->prepare ? sampler->kind->prepare(sampler) : 0;
}

/* Finds the size, and the number of runs that make a measurement. */
static int enter(const struct run *run, int i)
{
    const struct question *question = run->question;
    struct sampler *sampler = &run->samplers->list[i];
    double wanted_s = run->wish->min_time_s;
    int64_t *calls = &run->sampling->of[i].calls;
    struct reading reading = {.status = 0};
    *calls = 1;
    int status = prepare(sampler, question->pilot);
    for (;;) {
        if (status == 0) reading = measure(run, i);
        if (status < 0 || reading.status < 0) return -1;
        check(run, i);
        if (question->fixed_size || reading.time_s >= wanted_s / 8) break;
        status = prepare(sampler, 4 * sampler->samples);
    }
    double rate = (double)sampler->samples / reading.time_s;
    if (!question->fixed_size)
        return prepare(sampler, (int64_t)fmax(1, round(rate * wanted_s / PEER_GRAIN)) * PEER_GRAIN);
    int64_t size = question->problem.size.dim[0];
    if ((double)size / rate > PATIENCE_S) size = question->pilot;
    *calls = (int64_t)fmax(1, round(rate * wanted_s / (double)size));
    return prepare(sampler, size);
}

static int run_round(struct run *run, int round)
{
    int order[SAMPLERS_MAX];
    bench_shuffle(run->samplers->count, &run->random, order);
    for (int turn = 0; turn < run->samplers->count; turn++) {
        int i = order[turn], tries = 0;
        const struct sampler *sampler = &run->samplers->list[i];
        bool shared = sampler->threads > run->wish->cpus.count;
        struct reading reading;
        do {
            reading = measure(run, i);
        } while (bench_must_repeat(shared ? 0 : reading.waited, &tries, &run->sampling->disturbances));
        if (reading.status < 0) return reading.status;
        check(run, i);
        double rate = (double)(sampler->samples * run->sampling->of[i].calls) / reading.time_s;
        run->sampling->of[i].rates[round] = rate;
        run->sampling->of[i].bounds[round] = sampler->operations > 0 ? reading.bound / sampler->operations : NAN;
        if (run->wish->csv)
            fprintf(run->wish->csv, "%s,\"%s\",%d,%d,%d,%lld,%.6g,%.6g\n", run->question->kernel->name, sampler->name,
                    sampler->threads, round + 1, turn + 1, (long long)sampler->samples, rate,
                    run->sampling->of[i].bounds[round]);
    }
    return 0;
}

int sampling_run(const struct question *question, struct samplers *samplers, const struct sampling_wish *wish,
                 struct sampling *sampling_p, struct error *error_p)
{
    struct run run = {.question = question, .samplers = samplers, .wish = wish, .sampling = sampling_p};
    int status = 0;
    bool wrong = false;
    *sampling_p = (struct sampling){.rounds = wish->rounds};
    for (int i = 0; i < samplers->count && status == 0; i++) status = enter(&run, i);
    for (int round = 0; round < wish->rounds && status == 0; round++) status = run_round(&run, round);
    for (int i = 0; i < samplers->count; i++) {
        if (samplers->list[i].kind->finish) samplers->list[i].kind->finish(&samplers->list[i]);
        wrong = wrong || sampling_p->of[i].wrong;
    }
    if (status < 0)
        return error_set(error_p, STATUS_FAILED, "%s: a sampler failed, or out of memory", question->kernel->name);
    return wrong ? STATUS_WRONG : 0;
}

void sampling_print_csv_header(FILE *csv)
{
    fputs("kernel,sampler,threads,round,turn,samples,samples_per_s,bound_per_s\n", csv);
}
