/* What the cores of this machine can do at most, measured by `speedup machine --ceilings`. */
#ifndef SPEEDUP_COMMANDS_CEILINGS_H
#define SPEEDUP_COMMANDS_CEILINGS_H

#include "../../kernels/isa.h"
#include "../place/machine.h"

#include <jansson.h>

enum { CEILING_ROWS_MAX = 2 * ISA_COUNT + 1, CEILING_REPEATS = 9 };

enum ceiling_kind { CEILING_PEAK, CEILING_FED, CEILING_TRIAD };

struct ceiling_row {
    enum ceiling_kind kind;
    enum isa isa;
    /* Of the repeats, a second: floating-point operations, or bytes. [0]: on one core, [1]: on all at once. */
    double rates[2][CEILING_REPEATS];
};

struct ceilings {
    struct cpu_list cpus; /* one a core; where there is one, rates[1] is not measured */
    int64_t triad_bytes;  /* of each core's arrays together */
    int repeats;          /* at most CEILING_REPEATS */
    int row_count;
    struct ceiling_row rows[CEILING_ROWS_MAX];
};

/* Takes some seconds; `quick`: about one, for fewer repeats, and the best instruction set alone. The calling thread
 * keeps its affinity. STATUS_FAILED with the text where the cores or the memory cannot be had. */
int ceilings_measure(const struct machine *, bool quick, struct ceilings *ceilings_p, struct error *);
/* The best of the repeats, on one core or on all at once; NAN where it was not measured. */
double ceilings_best(const struct ceilings *, enum ceiling_kind, enum isa, bool all);
void ceilings_print(const struct ceilings *);
/* New reference; NULL: no memory. */
json_t *ceilings_encode(const struct ceilings *);

#endif
