/* The paths of the kernel `option`, one by one in plain C, and by chunks in lanes. */
#include "option.h"

#include <math.h>
#include <string.h>

enum { COUNTERS = 128 }; /* in a chunk: as many Asian paths, four times as many European ones */

/* Variant scalar. Four normal deviates of a counter, by Box and Muller: the cosine and the sine of an angle, times a
 * radius. */
static void draw_normals(enum generator generator, uint64_t seed, int64_t index, uint32_t group, double normals_p[4])
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), group, 0};
    uint32_t words[4];
    method_draw(generator, seed, counter, words);
    for (int pair = 0; pair < 2; pair++) {
        double radius = sqrt(-2 * log((words[2 * pair] + 0.5) * 0x1p-32));
        double angle = 2 * M_PI * ((words[2 * pair + 1] + 0.5) * 0x1p-32);
        normals_p[2 * pair] = radius * cos(angle);
        normals_p[2 * pair + 1] = radius * sin(angle);
    }
}

static void add_european_scalar(const struct option *option, int64_t first, int64_t last, double sums[])
{
    double normals[4];
    for (int64_t path = first; path < last; path++) {
        if (path == first || path % 4 == 0) draw_normals(option->method.generator, option->seed, path / 4, 0, normals);
        double price = exp(option->log_spot + option->drift + option->volatility * normals[path % 4]);
        double payoff = fmax(price - option->strike, 0);
        sums[SUM] += payoff;
        sums[SQUARES] += payoff * payoff;
    }
}

static void add_asian_scalar(const struct option *option, int64_t first, int64_t last, double sums[])
{
    for (int64_t path = first; path < last; path++) {
        double log_price = option->log_spot, sum = 0, sum_log = 0, normals[4];
        for (int step = 0; step < option->steps; step++) {
            if (step % 4 == 0)
                draw_normals(option->method.generator, option->seed, path, 1 + (uint32_t)step / 4, normals);
            log_price += option->drift + option->volatility * normals[step % 4];
            sum_log += log_price;
            sum += exp(log_price);
        }
        double payoff = fmax(sum / option->steps - option->strike, 0);
        double control = fmax(exp(sum_log / option->steps) - option->strike, 0);
        sums[SUM] += payoff;
        sums[SQUARES] += payoff * payoff;
        sums[CONTROL] += control;
        sums[CONTROL_SQUARES] += control * control;
        sums[PRODUCTS] += payoff * control;
    }
}

/* Variants philox and ars, by chunks. The first counter of a chunk is a multiple of COUNTERS, so that its first word
 * does not overflow within. Arrays stay in the first cache. */

static void add_products(const struct option *option, int64_t count, const double *a, const double *b, double *sum,
                         double *products)
{
    double sums[2];
    option->code.sum_products(count, a, b, sums);
    if (sum) *sum += sums[0];
    *products += sums[1];
}

/* Where draw and normals (code.h) put European path `path` of a chunk. */
static int64_t place_of(int64_t path)
{
    int64_t counter = path / 4;
    return counter / CODE_LANES * (4 * CODE_LANES) + path % 4 * CODE_LANES + counter % CODE_LANES;
}

static void add_european_vector(const struct option *option, int64_t first, int64_t last, double sums[])
{
    enum { PATHS = 4 * COUNTERS };
    const struct montecarlo_code *code = &option->code;
    _Alignas(64) uint64_t radius[2 * COUNTERS], angle[2 * COUNTERS];
    _Alignas(64) double values[PATHS];
    for (int64_t path = first; path < last; path += PATHS) {
        const struct counters counters = {{(uint32_t)(path / 4), (uint32_t)(path / 4 >> 32)}};
        code->draw[option->method.generator](option->seed, &counters, COUNTERS, radius, angle);
        code->normals(2 * COUNTERS, radius, angle, values);
        code->payoffs(PATHS, values, option->log_spot + option->drift, option->volatility, option->strike, values);
        for (int64_t beyond = last - path; beyond < PATHS; beyond++) values[place_of(beyond)] = 0;
        add_products(option, PATHS, values, values, &sums[SUM], &sums[SQUARES]);
    }
}

static void add_asian_vector(const struct option *option, int64_t first, int64_t last, double sums[])
{
    enum { PATHS = COUNTERS };
    const struct montecarlo_code *code = &option->code;
    _Alignas(64) uint64_t radius[2 * COUNTERS], angle[2 * COUNTERS];
    _Alignas(64) double normals[4 * COUNTERS], log_price[PATHS], sum_log[PATHS], values[PATHS], control[PATHS];
    for (int64_t path = first; path < last; path += PATHS) {
        for (int i = 0; i < PATHS; i++) {
            log_price[i] = option->log_spot;
            sum_log[i] = values[i] = 0;
        }
        for (int step = 0; step < option->steps; step++) {
            const struct counters counters = {{(uint32_t)path, (uint32_t)(path >> 32), 1 + (uint32_t)step / 4}};
            if (step % 4 == 0) {
                code->draw[option->method.generator](option->seed, &counters, COUNTERS, radius, angle);
                code->normals(2 * COUNTERS, radius, angle, normals);
            }
            code->step_paths(PATHS, normals + step % 4 * CODE_LANES, option->drift, option->volatility, log_price,
                             sum_log, values);
        }
        code->payoffs(PATHS, sum_log, 0, 1.0 / option->steps, option->strike, control);
        for (int i = 0; i < PATHS; i++) values[i] = fmax(values[i] / option->steps - option->strike, 0);
        for (int64_t beyond = last - path; beyond < PATHS; beyond++) values[beyond] = control[beyond] = 0;
        add_products(option, PATHS, values, values, &sums[SUM], &sums[SQUARES]);
        add_products(option, PATHS, control, control, &sums[CONTROL], &sums[CONTROL_SQUARES]);
        add_products(option, PATHS, values, control, NULL, &sums[PRODUCTS]);
    }
}

void option_add_paths(const struct option *option, bool vector, int64_t first, int64_t last, double sums_p[])
{
    memset(sums_p, 0, (size_t)option->width * sizeof sums_p[0]);
    if (option->asian)
        (vector ? add_asian_vector : add_asian_scalar)(option, first, last, sums_p);
    else
        (vector ? add_european_vector : add_european_scalar)(option, first, last, sums_p);
}
