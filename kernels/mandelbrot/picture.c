/* The picture: points of the set are black; the others are coloured by the logarithm of their count, as the counts grow
 * without bound towards the edge. Each rank colours its own rows and sends them to rank 0, one after the other from the
 * top, which hands them on: no rank needs memory for the whole.
 */
#include "mandelbrot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3 };

/* From deep blue by white and amber back to dark; t counts doublings of the count. */
static const struct stop {
    double t;
    uint8_t rgb[CHANNELS];
} stops[] = {{0, {6, 10, 48}},      {1.5, {20, 50, 128}}, {3, {52, 128, 200}}, {4.2, {214, 238, 250}},
             {5.4, {250, 196, 72}}, {6.8, {176, 70, 20}}, {8.4, {70, 14, 60}}, {10, {40, 60, 150}},
             {12, {200, 230, 250}}, {14, {250, 200, 90}}, {30, {90, 20, 20}}};
enum { STOPS = sizeof stops / sizeof *stops };

static void colour(uint32_t count, uint32_t iterations, uint8_t *rgb_p)
{
    memset(rgb_p, 0, CHANNELS);
    if (count >= iterations) return;
    double t = log2(1 + (double)count);
    int i = 1;
    while (i < STOPS - 1 && t > stops[i].t) i++;
    double part = (t - stops[i - 1].t) / (stops[i].t - stops[i - 1].t);
    for (int k = 0; k < CHANNELS; k++)
        rgb_p[k] = (uint8_t)lround((1 - part) * stops[i - 1].rgb[k] + part * stops[i].rgb[k]);
}

static void colour_row(const struct mandelbrot *mandelbrot, int64_t slot, uint8_t *rgb_p)
{
    const uint32_t *counts = mandelbrot->counts + slot * mandelbrot->view.columns;
    for (int64_t i = 0; i < mandelbrot->view.columns; i++)
        colour(counts[i], mandelbrot->iterations, rgb_p + CHANNELS * i);
}

/* Collective: for each row, its owner's rank and 1; and for each of this rank's rows, its slot. */
static int find_owners(struct team *team, const struct mandelbrot *mandelbrot, uint64_t *owners_p, int64_t *slots_p)
{
    memset(owners_p, 0, (size_t)mandelbrot->view.rows * sizeof *owners_p);
    for (int64_t slot = 0; slot < mandelbrot->slots; slot++) {
        if (!mandelbrot->times[slot]) continue;
        owners_p[mandelbrot_row(mandelbrot, slot)] = (uint64_t)mandelbrot->rank + 1;
        slots_p[mandelbrot_row(mandelbrot, slot)] = slot;
    }
    return team_sum_u64(team, (size_t)mandelbrot->view.rows, owners_p);
}

/* A row that its owner does not have stays black; a canvas that is full is not asked again, but the others are heard to
 * the end. */
static int hand_rows(struct team *team, const struct mandelbrot *mandelbrot, const uint64_t *owners,
                     const int64_t *slots, uint8_t *rgb, const struct kernel_canvas *canvas)
{
    size_t bytes = CHANNELS * (size_t)mandelbrot->view.columns;
    int status = 0, failed = 0;
    for (int64_t row = 0; row < mandelbrot->view.rows && status == 0; row++) {
        int owner = owners[row] > 0 && owners[row] <= (uint64_t)mandelbrot->ranks ? (int)owners[row] - 1 : -1;
        if (owner == mandelbrot->rank) colour_row(mandelbrot, slots[row], rgb);
        if (owner == -1) memset(rgb, 0, bytes);
        if (owner > 0 && owner == mandelbrot->rank) status = team_swap(team, 0, bytes, rgb, 0, NULL);
        if (owner > 0 && mandelbrot->rank == 0) status = team_swap(team, owner, 0, NULL, bytes, rgb);
        if (mandelbrot->rank == 0 && status == 0 && failed == 0) failed = canvas->take_row(canvas->context, rgb);
    }
    return status < 0 ? status : failed;
}

int mandelbrot_draw(struct team *team, void *state, const struct kernel_canvas *canvas)
{
    const struct mandelbrot *mandelbrot = state;
    size_t rows = (size_t)mandelbrot->view.rows;
    uint64_t *owners = malloc(rows * sizeof *owners);
    int64_t *slots = malloc(rows * sizeof *slots);
    uint8_t *rgb = malloc(CHANNELS * (size_t)mandelbrot->view.columns);
    uint64_t lacking = !owners || !slots || !rgb;
    int status = team_sum_u64(team, 1, &lacking);
    if (status == 0 && lacking) status = -ENOMEM;
    if (status == 0) status = find_owners(team, mandelbrot, owners, slots);
    if (status == 0) status = hand_rows(team, mandelbrot, owners, slots, rgb, canvas);
    free(rgb);
    free(slots);
    free(owners);
    return status;
}
