/* STREAM's four operations on vectors: code.inc, compiled once for each instruction set. The kernel sees this table
 * alone. */
#ifndef KERNELS_TRIAD_CODE_H
#define KERNELS_TRIAD_CODE_H

#include "../isa.h"

#include <stdint.h>

enum triad_operation { TRIAD_COPY, TRIAD_SCALE, TRIAD_ADD, TRIAD_TRIAD, TRIAD_OPERATIONS };

/* How it is written: as the compiler makes it of a loop; in vectors; in vectors, with stores that go past the caches
 * (they spare the read of a line that is overwritten as a whole), where the instruction set has such. */
enum triad_way { TRIAD_LOOP, TRIAD_CACHED, TRIAD_PAST, TRIAD_WAYS };

enum { TRIAD_LINE = 8 }; /* doubles: a cache line */

/* Of all `count` elements, a multiple of TRIAD_LINE; the arrays begin at multiples of 64 bytes and do not overlap.
 *     copy target = x; scale target = s x; add target = x + y; triad target = x + s y */
typedef void triad_sweep(int64_t count, double *target, const double *x, const double *y, double s);

struct triad_code {
    triad_sweep *sweeps[TRIAD_OPERATIONS][TRIAD_WAYS];
};

/* Of this CPU; `isa` is one that it has. */
const struct triad_code *triad_code_find(enum isa);

/* Those of this build. */
extern const struct triad_code triad_code_base, triad_code_avx2, triad_code_avx512;

#endif
