/* Runs the code of an instruction set for a while. The clock is read after pieces of work that are long against its
 * cost and short against what is waited for. */
#include "ceilings.h"

#include "code.h"

#include <stdio.h>
#include <time.h>

enum { PIECE = 128 }; /* rounds: 10 to 80 microseconds */

static const struct ceiling_code *code_of(enum isa isa)
{
#ifdef __x86_64__
    if (isa == ISA_AVX512) return &ceiling_code_avx512;
    if (isa == ISA_AVX2) return &ceiling_code_avx2;
#endif
    (void)isa;
    return &ceiling_code_base;
}

static double clock_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct ceiling_reading ceiling_run_peak(enum isa isa, double seconds)
{
    const struct ceiling_code *code = code_of(isa);
    struct ceiling_reading reading = {.start_s = clock_s()};
    do {
        reading.done += code->peak(PIECE);
        reading.end_s = clock_s();
    } while (reading.end_s - reading.start_s < seconds);
    return reading;
}

struct ceiling_reading ceiling_run_fed(enum isa isa, double seconds)
{
    const struct ceiling_code *code = code_of(isa);
    _Alignas(64) double panels[CEILING_PANELS];
    for (int i = 0; i < CEILING_PANELS; i++) panels[i] = 1;
    struct ceiling_reading reading = {.start_s = clock_s()};
    do {
        reading.done += code->fed(PIECE, panels);
        reading.end_s = clock_s();
    } while (reading.end_s - reading.start_s < seconds);
    return reading;
}

struct ceiling_reading ceiling_run_triad(enum isa isa, double seconds, int64_t count, double *a, const double *b,
                                         const double *c)
{
    const struct ceiling_code *code = code_of(isa);
    struct ceiling_reading reading = {.start_s = clock_s()};
    do {
        code->triad(count, a, b, c, 3);
        reading.done += 24 * (double)count;
        reading.end_s = clock_s();
    } while (reading.end_s - reading.start_s < seconds);
    return reading;
}

struct ceiling_reading ceiling_join(struct ceiling_reading one, struct ceiling_reading other)
{
    return (struct ceiling_reading){.start_s = fmin(one.start_s, other.start_s),
                                    .end_s = fmax(one.end_s, other.end_s),
                                    .done = one.done + other.done};
}

double ceiling_rate(struct ceiling_reading reading)
{
    return reading.done / (reading.end_s - reading.start_s);
}

const char *ceiling_peak_text(enum isa isa, unsigned long length, char *text)
{
    snprintf(text, length, "%s in registers, %s",
             code_of(isa)->fused ? "fused multiply-adds" : "multiplications and additions", isa_name(isa));
    return text;
}

const char *ceiling_triad_text(enum isa isa, unsigned long length, char *text)
{
    snprintf(text, length, "triad on arrays beyond the caches, %s", isa_name(isa));
    return text;
}
