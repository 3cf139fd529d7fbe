/* Heat in a plate: the inside of the kernel `stencil`. The parallel part is in run.c; sweep.c says how a rank computes
 * its points, rows.h by which rule, check.c what must come out. */
#ifndef KERNELS_STENCIL_STENCIL_H
#define KERNELS_STENCIL_STENCIL_H

#include "../kernel.h"
#include "../team.h"
#include "part.h"
#include "rows.h"

enum {
    PASS_STEPS_MAX = 8, /* that blocked makes at a time */
    TILE_COLUMNS = 4096 /* of blocked: what lies between two steps of so many columns fits into the second cache */
};

/* What is known of the field without computing it (check.c). */
struct closed_form {
    double slope; /* of the part that stays as it is */
    int64_t row_waves, column_waves;
    double height;          /* of the wave, at first */
    double factor;          /* by which a step multiplies the wave */
    double *rows, *columns; /* the wave at first: by this rank's rows times by its columns */
};

/* A rank's part. Point (i, j) of grid g is grid[g][i * stride + j]; around its points lie `halo` rows and columns of
 * its neighbours', or the frame of the whole grid: a line of points that never change, and for the larger star another
 * one behind it, which mirrors the first line of points: 2 edge - point. So the star fits everywhere, and a field that
 * is linear, or odd about the edge, stays so. */
struct stencil {
    int64_t rows, columns, steps; /* of the whole grid, without its frame */
    uint64_t seed;
    int radius;             /* of the star: 1 or 2 */
    int pass_steps;         /* between two swaps of halos */
    bool overlaps, streams; /* computes while halos travel; stores past the caches */

    struct part part;
    int64_t halo, stride;
    double *memory[2], *grid[2];
    int now; /* which of the grids holds the last step made */

    const struct stencil_code *code;
    int threads;
    int64_t ring_stride, ring_doubles; /* of the rows between two steps; of a thread's */
    double *rings;

    struct swap {
        double *sent, *received; /* packed; NULL: no neighbour there */
        struct team_request request;
    } swaps[DIRECTIONS];
    double *messages;

    struct closed_form form;
};

/* How many steps blocked makes at a time where the smallest part has so many rows or columns (between neighbours): all
 * points within that many steps of a cut are computed by both sides, and shall be few. */
int stencil_pass_steps(int64_t extent, int radius);

/* sweep.c. Makes `steps` steps, at most pass_steps, for these rectangles of points, with all threads: from grid[now] to
 * the other. Reads what lies around them, up to steps * radius away. Lets open swaps advance meanwhile. Not collective.
 */
void stencil_sweep(struct team *, const struct stencil *, int steps, int count, const struct rectangle rectangles[]);
/* Doubles of a thread's rows between steps. */
int64_t stencil_ring_doubles(const struct stencil *, int64_t *stride_p);
/* Makes the line behind the frame's, all around grid[now], where the star needs it. */
void stencil_mirror(const struct stencil *);

/* run.c. Collective. */
int stencil_run(struct team *, void *state);
/* Doubles of a swap's messages, both ways. */
int64_t stencil_swap_doubles(const struct stencil *, int direction);

/* check.c. After the part is known. 0 or -ENOMEM. */
int closed_form_init(const struct stencil *, struct closed_form *form_p);
void closed_form_release(struct closed_form *);
/* The field at first; rows and columns of this rank's part, or of the frame's line beside it. */
double closed_form_start(const struct stencil *, int64_t row, int64_t column);
int stencil_check(struct team *, void *state, struct verdict *verdict_p);
bool stencil_corrupt(void *state, int kind);

#endif
