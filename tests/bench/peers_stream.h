/* STREAM's rules, as its source has them: static arrays, and for each operation a plain loop, which the compiler
 * translates for the machine that it runs on. Written anew. */
#ifndef BENCH_PEERS_STREAM_H
#define BENCH_PEERS_STREAM_H

#include <stdint.h>

enum { STREAM_ELEMENTS_MAX = 64000000 };

/* By the thread that will use these elements. */
void stream_fill(int64_t begin, int64_t end);
/* copy c = a, scale b = 3 c, add c = a + b, triad a = b + 3 c: `passes` times over these elements. */
void stream_copy(int64_t begin, int64_t end, int64_t passes);
void stream_scale(int64_t begin, int64_t end, int64_t passes);
void stream_add(int64_t begin, int64_t end, int64_t passes);
void stream_triad(int64_t begin, int64_t end, int64_t passes);

#endif
