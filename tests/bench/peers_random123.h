#ifndef BENCH_PEERS_RANDOM123_H
#define BENCH_PEERS_RANDOM123_H

#include <stdint.h>

/* How many of the two points that a counter's words make lie inside. */
static inline int random123_hits(const uint32_t words[4])
{
    double x0 = words[0] * 0x1p-32, y0 = words[1] * 0x1p-32, x1 = words[2] * 0x1p-32, y1 = words[3] * 0x1p-32;
    return (x0 * x0 + y0 * y0 < 1) + (x1 * x1 + y1 * y1 < 1);
}

#endif
