#include "sampling.h"

#include <math.h>

enum { NAME = 22, RATE = 27, RATIO = 23 };

static bool has_solos(const struct samplers *samplers)
{
    bool some = false;
    for (int i = 0; i < samplers->count; i++) some = some || samplers->list[i].solo >= 0;
    return some;
}

static bool has_bounds(const struct samplers *samplers)
{
    bool some = false;
    for (int i = 0; i < samplers->count; i++) some = some || samplers->list[i].operations > 0;
    return some && !has_solos(samplers);
}

static void print_ratio(const struct sampling *sampling, int decimals, const double a[], const double b[])
{
    char text[64];
    struct estimate none = {.median = NAN};
    printf("%*s", RATIO,
           bench_format(a && b ? bench_estimate_ratio(sampling->rounds, a, b) : none, decimals, sizeof text, text));
}

static void print_heading(const struct question *question, const struct samplers *samplers,
                          const struct sampling *sampling)
{
    char text[80];
    printf("\n%s", question->kernel->name);
    if (question->fixed_size) printf(", class %s", question->problem.size.class_name);
    printf("; %s\n%-*s%*s", bench_interval_text(sampling->rounds, sizeof text, text), NAME, "", RATE, "Msamples/s");
    for (int i = 0; i < samplers->count; i++) {
        if (!samplers->list[i].is_base) continue;
        snprintf(text, sizeof text, "/ %s", samplers->list[i].name);
        printf("%*s", RATIO, text);
    }
    if (has_solos(samplers)) printf("%*s", RATIO, "/ 1 thread");
    if (has_bounds(samplers)) printf("%*s", RATIO, "/ port bound");
    putchar('\n');
}

static void print_row(const struct samplers *samplers, const struct sampling *sampling, int i)
{
    char text[64];
    const struct sampler *sampler = &samplers->list[i];
    const double *rates = sampling->of[i].rates;
    double millions[BENCH_ROUNDS_MAX];
    if (sampling->of[i].wrong) {
        printf("%-*s%*s\n", NAME, sampler->name, RATE, "WRONG");
        return;
    }
    for (int round = 0; round < sampling->rounds; round++) millions[round] = rates[round] * 1e-6;
    printf("%-*s%*s", NAME, sampler->name, RATE,
           bench_format(bench_estimate(sampling->rounds, millions), 1, sizeof text, text));
    for (int base = 0; base < samplers->count; base++) {
        bool is_compared = base != i && !sampling->of[base].wrong;
        if (samplers->list[base].is_base)
            print_ratio(sampling, 2, rates, is_compared ? sampling->of[base].rates : NULL);
    }
    if (has_solos(samplers)) {
        int solo = sampler->solo;
        print_ratio(sampling, 3, rates, solo >= 0 && !sampling->of[solo].wrong ? sampling->of[solo].rates : NULL);
    }
    if (has_bounds(samplers)) print_ratio(sampling, 3, rates, sampler->operations > 0 ? sampling->of[i].bounds : NULL);
    putchar('\n');
}

void sampling_print(const struct question *question, const struct samplers *samplers, const struct sampling *sampling)
{
    print_heading(question, samplers, sampling);
    for (int i = 0; i < samplers->count; i++) print_row(samplers, sampling, i);
    for (int i = 0; i < samplers->count; i++)
        if (question->fixed_size && samplers->list[i].samples != question->problem.size.dim[0])
            printf("  %s: as slow as it is, in class S\n", samplers->list[i].name);
    for (int i = 0; i < samplers->count; i++)
        if (sampling->of[i].wrong) printf("  %s: %s\n", samplers->list[i].name, sampling->of[i].why);
    bench_print_disturbances(&sampling->disturbances);
    fflush(stdout);
}
