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
    int row_count;
    struct ceiling_row rows[CEILING_ROWS_MAX];
};

/* Takes some seconds. The calling thread keeps its affinity. STATUS_FAILED with the text where the cores or the memory
 * cannot be had. */
int ceilings_measure(const struct machine *, struct ceilings *ceilings_p, struct error *);
void ceilings_print(const struct ceilings *);
/* New reference; NULL: no memory. */
json_t *ceilings_encode(const struct ceilings *);

#endif
