/* Compiled with -O3 -march=native. A pass must be made although the one before has stored the same. */
#include "peers_stream.h"

static double a[STREAM_ELEMENTS_MAX], b[STREAM_ELEMENTS_MAX], c[STREAM_ELEMENTS_MAX];

#define PASS_IS_DONE() __asm__ volatile("" ::: "memory")

void stream_fill(int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        a[i] = 1;
        b[i] = 2;
        c[i] = 0;
    }
}

void stream_copy(int64_t begin, int64_t end, int64_t passes)
{
    for (int64_t pass = 0; pass < passes; pass++) {
        for (int64_t i = begin; i < end; i++) c[i] = a[i];
        PASS_IS_DONE();
    }
}

void stream_scale(int64_t begin, int64_t end, int64_t passes)
{
    const double scalar = 3;
    for (int64_t pass = 0; pass < passes; pass++) {
        for (int64_t i = begin; i < end; i++) b[i] = scalar * c[i];
        PASS_IS_DONE();
    }
}

void stream_add(int64_t begin, int64_t end, int64_t passes)
{
    for (int64_t pass = 0; pass < passes; pass++) {
        for (int64_t i = begin; i < end; i++) c[i] = a[i] + b[i];
        PASS_IS_DONE();
    }
}

void stream_triad(int64_t begin, int64_t end, int64_t passes)
{
    const double scalar = 3;
    for (int64_t pass = 0; pass < passes; pass++) {
        for (int64_t i = begin; i < end; i++) a[i] = b[i] + scalar * c[i];
        PASS_IS_DONE();
    }
}
