/* The price of a call option by Monte Carlo: the mean payoff of random paths of a share's price, discounted.
 *
 * The price follows geometric Brownian motion: over a time t its logarithm moves by (rate - volatility^2 / 2) t +
 * volatility sqrt(t) z, with a normal deviate z. European: the payoff is max(S - strike, 0) for the price S at
 * maturity. Asian: S is the arithmetic mean over `steps` dates. There the geometric mean of the same path, whose price
 * has a closed form, serves as control variate (Kemna, Vorst: A pricing method for options based on average asset
 * values. J. Banking and Finance 14, 1990).
 *
 * Deviates come from words of a counter-based generator by Box and Muller, keyed by the path: European path i is
 * deviate i % 4 of counter i / 4; step j of Asian path i is deviate j % 4 of counter (i, 1 + j / 4). Sums over blocks
 * (blocks.h) are added along a fixed tree.
 * Cost of philox, 16 European paths: 28 vector operations for words, 53 for deviates, 38 for payoffs and their sums; no
 * memory traffic. One gather and one broadcast over the ranks at the end.
 */
#include "option.h"
#include "../kernel.h"
#include "../random.h"
#include "../team.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_PAYOFF, OPTION_STEPS, OPTION_SPOT, OPTION_STRIKE, OPTION_RATE, OPTION_VOLATILITY, OPTION_MATURITY };
enum { PAYOFF_EUROPEAN, PAYOFF_ASIAN };

enum {
    BLOCK_GRAIN = 1024,  /* paths; block lengths are multiples */
    RECOUNTED = 1 << 16, /* steps of paths at most by which one block is recounted */
    RECOUNTED_LEAST = 64 /* paths */
};
#define PATHS_MAX (INT64_C(1) << 53)

static int option_parse_size(const char *text, struct size *size_p)
{
    return size_parse_extents(text, 1, size_p);
}

static double option_work(const struct problem *problem)
{
    return (double)problem->size.dim[0];
}

static int width_of(const struct problem *problem)
{
    return problem->options[OPTION_PAYOFF] == PAYOFF_ASIAN ? 5 : 2;
}

static int steps_of(const struct problem *problem)
{
    return problem->options[OPTION_PAYOFF] == PAYOFF_ASIAN ? (int)problem->options[OPTION_STEPS] : 1;
}

static double option_memory(const struct problem *problem, int ranks)
{
    struct blocks blocks = blocks_of(problem->size.dim[0], BLOCK_GRAIN, steps_of(problem), 1, 0);
    return (double)blocks.total * width_of(problem) * sizeof(double) + ranks * (double)sizeof(struct option) +
           block_sums_bytes(ranks);
}

static int option_size_for(const struct problem *problem, double work, struct size *size_p)
{
    (void)problem;
    return method_size_for(PATHS_MAX, work, size_p);
}

static void set_terms(const struct problem *problem, struct option *option)
{
    const double *values = problem->options;
    double maturity = values[OPTION_MATURITY], volatility = values[OPTION_VOLATILITY];
    option->asian = values[OPTION_PAYOFF] == PAYOFF_ASIAN;
    option->steps = steps_of(problem);
    option->width = width_of(problem);
    option->log_spot = log(values[OPTION_SPOT]);
    option->strike = values[OPTION_STRIKE];
    double trend = (values[OPTION_RATE] - volatility * volatility / 2) * maturity, m = option->steps;
    option->drift = trend / m;
    option->volatility = volatility * sqrt(maturity / m);
    option->discount = exp(-values[OPTION_RATE] * maturity);
    /* Kemna and Vorst; with one date it is the European price's. */
    option->known.mean = option->log_spot + trend * (m + 1) / (2 * m);
    option->known.deviation = volatility * sqrt(maturity * (m + 1) * (2 * m + 1) / (6 * m * m));
}

static void option_teardown(void *state)
{
    struct option *option = state;
    if (!option) return;
    block_sums_free(option->block_sums);
    free(option->values);
    free(option);
}

static int option_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    enum isa isa;
    *state_p = NULL;
    int status = isa_find(problem->isa, &isa);
    if (status < 0) return status;
    struct option *option = calloc(1, sizeof *option);
    if (!option) return -ENOMEM;
    set_terms(problem, option);
    option->seed = problem->seed;
    option->paths = problem->size.dim[0];
    option->blocks = blocks_of(option->paths, BLOCK_GRAIN, option->steps, team_size(team), team_rank(team));
    option->method = method_of(problem->variant);
    option->code = montecarlo_code_find(isa);
    option->block_sums = block_sums_new(team, option->width);
    option->values = calloc((size_t)(option->blocks.count + 1) * (size_t)option->width, sizeof *option->values);
    if (!option->block_sums || !option->values) {
        option_teardown(option);
        return -ENOMEM;
    }
    *state_p = option;
    return 0;
}

/* Not a number: what run leaves out shows. */
static int option_reset(struct team *team, void *state)
{
    struct option *option = state;
    (void)team;
    for (int64_t i = 0; i < option->blocks.count * option->width; i++) option->values[i] = NAN;
    for (int i = 0; i < option->width; i++) option->sums[i] = NAN;
    return 0;
}

static int option_run(struct team *team, void *state)
{
    struct option *option = state;
    const struct blocks *blocks = &option->blocks;
#pragma omp parallel
    {
        team_work_begin(team);
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < blocks->count; i++) {
            int64_t block = blocks->first + i;
            option_add_paths(option, option->method.vector, block_begin(blocks, block), block_begin(blocks, block + 1),
                             option->values + i * option->width);
        }
        team_work_done(team);
    }
    return block_sums_add_up(option->block_sums, team, blocks, option->values, option->sums);
}

/* What a rank finds in its blocks; added over the ranks. */
struct findings {
    uint64_t checksum, recounted, miscounted, impossible;
};
enum { FINDINGS = sizeof(struct findings) / sizeof(uint64_t) };

/* Two right programs differ by the rounding of each path's logarithm, which grows with what is added to it, and by that
 * of their sums. */
static double tolerance_of(const struct option *option, int64_t addends)
{
    return 1e-12 * (1 + option->known.deviation) + (double)addends * DBL_EPSILON;
}
static bool agree(const struct option *option, int64_t paths, const double a[], const double b[])
{
    for (int i = 0; i < option->width; i++) {
        bool squares = i == SQUARES || i == CONTROL_SQUARES || i == PRODUCTS;
        double scale = squares ? a[i] + option->strike * a[i == CONTROL_SQUARES ? CONTROL : SUM]
                               : a[i] + option->strike * (double)paths;
        if (!(fabs(a[i] - b[i]) <= tolerance_of(option, paths) * scale)) return false;
    }
    return true;
}

/* The block's sums must be those that the run's code gives once more, to the bit; and of its first paths the sums must
 * be near those of the other code: plain C for the variants with vectors, and the reverse. */
static void recount_block(const struct option *option, int64_t i, struct findings *findings)
{
    bool vector = option->method.vector;
    int64_t most = RECOUNTED / option->steps < RECOUNTED_LEAST ? RECOUNTED_LEAST : RECOUNTED / option->steps;
    int64_t first = block_begin(&option->blocks, option->blocks.first + i);
    int64_t last = block_begin(&option->blocks, option->blocks.first + i + 1);
    double again[BLOCK_WIDTH_MAX], other[BLOCK_WIDTH_MAX];
    option_add_paths(option, vector, first, last, again);
    size_t bytes = (size_t)option->width * sizeof again[0];
    findings->miscounted += memcmp(again, option->values + i * option->width, bytes) != 0;
    if (last > first + most) {
        last = first + most;
        option_add_paths(option, vector, first, last, again);
    }
    option_add_paths(option, !vector, first, last, other);
    findings->recounted += (uint64_t)(last - first);
    findings->miscounted += !agree(option, last - first, other, again);
}

static void find(const struct option *option, struct findings *findings)
{
    for (int64_t i = 0; i < option->blocks.count; i++) {
        uint64_t block = (uint64_t)(option->blocks.first + i) * BLOCK_WIDTH_MAX;
        for (int k = 0; k < option->width; k++) {
            double value = option->values[i * option->width + k];
            findings->checksum += hash_pair(block + (uint64_t)k, bits_of_double(value));
            findings->impossible += !(value >= 0 && value < INFINITY);
        }
        if (block_is_drawn(&option->blocks, i, option->seed)) recount_block(option, i, findings);
    }
}

/* What the sums tell. `expected` and `observed` are the mean payoff that is known in closed form, and that of the run:
 * of a European option its own, of an Asian one that of the geometric mean. */
struct estimate {
    double price, error; /* discounted; error: one standard error */
    double expected, observed;
    double deviations; /* their distance in standard errors, as known in closed form */
    bool judged;       /* the mean is so nearly normally distributed that the distance says something */
};

static double variance_of(double n, double sum, double squares)
{
    return fmax(squares / n - sum / n * (sum / n), 0);
}

/* With the geometric mean as control, but where the run has evidently not met the paths that make up its mean. */

static void estimate_asian(const struct option *option, struct estimate *estimate)
{
    double n = (double)option->paths;
    const double *sums = option->sums;
    double variance = variance_of(n, sums[SUM], sums[SQUARES]);
    double control_variance = variance_of(n, sums[CONTROL], sums[CONTROL_SQUARES]);
    double covariance = sums[PRODUCTS] / n - sums[SUM] / n * (sums[CONTROL] / n);
    bool helps = control_variance > 0 && estimate->judged && estimate->deviations <= 4;
    double slope = helps ? covariance / control_variance : 0;
    estimate->price = sums[SUM] / n - slope * (estimate->observed - estimate->expected);
    estimate->error = sqrt(fmax(variance - slope * covariance, 0) / n);
}

static struct estimate estimate_of(const struct option *option)
{
    double n = (double)option->paths;
    double known_error = sqrt(lognormal_call_variance(option->known, option->strike) / n);
    struct estimate estimate = {.expected = lognormal_call(option->known, option->strike),
                                .observed = option->sums[option->asian ? CONTROL : SUM] / n};
    double rounding = tolerance_of(option, option->blocks.length) * (estimate.expected + option->strike);
    double off = fmax(fabs(estimate.observed - estimate.expected) - rounding, 0);
    estimate.deviations = off > 0 ? off / known_error : 0;
    /* Edgeworth: 4 standard errors are about as rare as for the normal distribution. */
    estimate.judged = known_error == 0 || lognormal_call_skewness(option->known, option->strike) < 0.05 * sqrt(n);
    estimate.price = estimate.observed;
    estimate.error = known_error;
    if (option->asian) estimate_asian(option, &estimate);
    estimate.price *= option->discount;
    estimate.error *= option->discount;
    return estimate;
}

static const char *find_wrong(const struct findings *findings, bool totals_off, const struct estimate *estimate)
{
    return totals_off                                         ? "the total is not the sum of the blocks; "
           : findings->impossible                             ? "a block's sum is impossible; "
           : findings->miscounted                             ? "a recounted block differs; "
           : estimate->judged && !(estimate->deviations <= 4) ? "too far off; "
                                                              : "";
}

/* What this check cannot catch: in blocks that are not among those recounted, errors so small or so few that the mean
 * stays within its standard errors; all but small ones, where so few paths pay that these say nothing (it is told
 * then).
 */
static int option_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct option *option = state;
    struct findings findings = {.checksum = 0};
    double sums[BLOCK_WIDTH_MAX];
    find(option, &findings);
    int status = block_sums_add_up(option->block_sums, team, &option->blocks, option->values, sums);
    if (status < 0) return status;
    uint64_t totals_off = memcmp(sums, option->sums, (size_t)option->width * sizeof sums[0]) != 0;
    status = team_sum_u64(team, FINDINGS, &findings.checksum);
    if (status == 0) status = team_sum_u64(team, 1, &totals_off);
    if (status < 0) return status;

    struct estimate estimate = estimate_of(option);
    const char *wrong = find_wrong(&findings, totals_off, &estimate);
    verdict_p->correct = *wrong == '\0';
    verdict_p->checksum = findings.checksum;
    verdict_p->result = estimate.price;
    snprintf(verdict_p->detail, sizeof verdict_p->detail,
             "%sprice %.6g +- %.2g; %s%.3g standard errors from %s%s, %llu paths recounted, %s", wrong, estimate.price,
             estimate.error, option->asian ? "the geometric mean's " : "", estimate.deviations,
             option->asian ? "its closed form" : "Black-Scholes",
             estimate.judged ? "" : " (too few paths to judge by that)", (unsigned long long)findings.recounted,
             option->method.vector && option->code.fused ? "fused multiply-adds" : "no fused multiply-adds");
    return 0;
}

static bool option_corrupt(void *state, int kind)
{
    struct option *option = state;
    if (kind > 0 && option->blocks.count == 0) return false;
    double *middle = option->values + option->blocks.count / 2 * option->width;
    switch (kind) {
    case 0: /* the total is off by rounding */
        option->sums[SUM] = nextafter(option->sums[SUM], INFINITY);
        return true;
    case 1: /* a block's sum of squares is off by rounding */
        middle[SQUARES] = nextafter(middle[SQUARES], INFINITY);
        return true;
    case 2: /* a block was skipped */
        middle[SUM] = NAN;
        return true;
    case 3: /* a block that is impossible */
        middle[SUM] = -1;
        return true;
    default:
        return false;
    }
}

/* The domains keep every price within what a double holds, and the payoff from being made up of paths that nobody
 * meets.
 */
static const struct kernel_option options[] = {
    [OPTION_PAYOFF] = {.name = "payoff",
                       .type = OPTION_CHOICE,
                       .min = PAYOFF_EUROPEAN,
                       .max = PAYOFF_ASIAN,
                       .fallback = PAYOFF_EUROPEAN,
                       .choices = (const char *const[]){"european", "asian", NULL},
                       .help = "by the price at maturity, or by the arithmetic mean over all steps"},
    [OPTION_STEPS] = {.name = "steps",
                      .type = OPTION_COUNT,
                      .min = 1,
                      .max = 4096,
                      .fallback = 16,
                      .help = "asian alone: dates over which the mean is taken"},
    [OPTION_SPOT] = {.name = "spot",
                     .type = OPTION_NUMBER,
                     .min = 1e-3,
                     .max = 1e9,
                     .fallback = 100,
                     .help = "the share's price now"},
    [OPTION_STRIKE] = {.name = "strike",
                       .type = OPTION_NUMBER,
                       .min = 0,
                       .max = 1e9,
                       .fallback = 105,
                       .help = "the price at which the share may be bought"},
    [OPTION_RATE] = {.name = "rate",
                     .type = OPTION_NUMBER,
                     .min = -1,
                     .max = 1,
                     .fallback = 0.05,
                     .help = "interest without risk, a year, continuously compounded: 0.05 is 5 %"},
    [OPTION_VOLATILITY] = {.name = "volatility",
                           .type = OPTION_NUMBER,
                           .min = 0,
                           .max = 1,
                           .fallback = 0.2,
                           .help = "standard deviation of the price's logarithm over a year"},
    [OPTION_MATURITY] = {.name = "maturity",
                         .type = OPTION_NUMBER,
                         .min = 0,
                         .max = 4,
                         .fallback = 1,
                         .help = "years until the option may be used"},
    {.name = NULL},
};

const struct kernel option_kernel = {
    .name = "option",
    .summary = "Prices a call option from random paths of a share.",
    .lesson = "Independent work that ends in a sum of floating-point numbers: it has the same bits for any number of "
              "workers only if the order of the sum is fixed, not left to who is done first.",
    .size_help = "number of paths, 1 to 2^53, such as 400M or 1e9",
    .size_default = "500M",
    .work_unit = "sample",
    .seed_default = 1,
    .variant_default = "philox",
    .variants =
        (const struct variant[]){
            {.name = "scalar",
             .summary = "path by path in plain C: Philox4x32-10, and log, sqrt, cos, sin, exp of the C library",
             .exact = true},
            {.name = "philox",
             .summary = "the same random numbers and functions, eight at a time in vector registers",
             .exact = true},
            {.name = "ars",
             .summary = "random numbers by the processor's AES instructions: ARS-7",
             .exact = true,
             .unavailable = method_ars_unavailable},
            {.name = NULL}},
    .options = options,
    .parse_size = option_parse_size,
    .work = option_work,
    .memory = option_memory,
    .size_for = option_size_for,
    .prepare = option_prepare,
    .reset = option_reset,
    .run = option_run,
    .check = option_check,
    .teardown = option_teardown,
    .corrupt = option_corrupt,
};
