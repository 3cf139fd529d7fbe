/* Inside the kernel mandelbrot: what its files share. */
#ifndef KERNELS_MANDELBROT_H
#define KERNELS_MANDELBROT_H

#include "../kernel.h"
#include "../team.h"
#include "code.h"

enum deal { DEAL_BLOCK, DEAL_CYCLIC, DEAL_QUEUE };

/* No count is as large as this: what run leaves out shows. */
#define COUNT_NONE UINT32_MAX

/* The points of the plane, one for each pixel, on a grid that has its origin at 0 or half a step from it, so that rows
 * mirrored at the real axis have points that are conjugate to the last bit. Row 0 is the top. */
struct view {
    int64_t columns, rows;
    double half_step;
    int64_t left, top; /* of the first pixel, in half steps from 0 */
};
struct view view_of(const struct problem *);

static inline double view_re(const struct view *view, int64_t column)
{
    return (double)(view->left + 2 * column) * view->half_step;
}

static inline double view_im(const struct view *view, int64_t row)
{
    return (double)(view->top - 2 * row) * view->half_step;
}

/* The row that is its mirror image; it may be outside of the picture. */
static inline int64_t view_mirror(const struct view *view, int64_t row)
{
    return view->top - row;
}

/* This rank's share of the picture: its rows in slots, whose number and order follow from the deal. */
struct mandelbrot {
    struct view view;
    uint32_t iterations;
    uint64_t seed;
    enum deal deal;
    int64_t chunk; /* rows that are taken at a time; 0: not told */
    int schedule;  /* omp_sched_t */
    int rank, ranks;
    int64_t slots;
    const struct mandelbrot_code *code; /* NULL: the scalar variant */
    double *re;                         /* of the columns */
    uint32_t *counts;                   /* [slots][columns] */
    uint8_t *times;                     /* [slots]: how often the row was computed */
    uint64_t *table;                    /* of all rows, for the check: check.c */
};

/* The row that lies in a slot. */
int64_t mandelbrot_row(const struct mandelbrot *, int64_t slot);

/* The definition: z starts at c; how many of the first `iterations` values of z, each the square of the one before plus
 * c, come before the first with |z| > 2. Points of the set have as many as there are. */
static inline uint32_t count_point(double re, double im, uint32_t iterations)
{
    double x = re, y = im;
    uint32_t count = 0;
    while (count < iterations && x * x + y * y <= 4) {
        double product = x * y;
        x = x * x - y * y + re;
        y = product + product + im;
        count++;
    }
    return count;
}

/* check.c. As the functions of struct kernel. */
int mandelbrot_check(struct team *, void *state, struct verdict *verdict_p);
bool mandelbrot_corrupt(void *state, int kind);
/* Words that `table` has. */
int64_t mandelbrot_table_words(const struct view *);

/* picture.c */
int mandelbrot_draw(struct team *, void *state, const struct kernel_canvas *);

#endif
