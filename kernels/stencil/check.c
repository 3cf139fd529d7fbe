/* What must come out, in closed form. The field begins as the sum of two:
 *
 *     a plane    slope (i + 2 j), which no step changes: what goes in at one side of a point goes out at the other (the
 *                test of the ParRes Kernels: Van der Wijngaart, Mattson: The Parallel Research Kernels, HPEC 2014)
 *     a wave     h sin(p pi i / (rows + 1)) sin(q pi j / (columns + 1)), which is zero on the frame, and which each
 *                step multiplies by one factor (Strang: Computational Science and Engineering, 2007, section 1.5); the
 *                seed says how high it is
 *
 * with points counted from the frame on. A plane alone would hide a halo that is a step late, or a step left out; the
 * wave alone a wrong frame. Waves are as many as make the factor's power of all steps about 1/e: after fewer the wave
 * would hardly have changed, after more it would be gone. Their number has no divisor in common with the extent plus
 * one, so that no row or column of points lies where the wave is zero, and a late halo shows wherever it is.
 *
 * Every point is compared, within a bound for what rounding can do: a step adds at most 9 products, each rounding errs
 * by 2^-53 of a sum below 3, and later steps do not enlarge it (their factors all lie in [0, 1]; for single points in
 * the larger star by less than 2). Energy is the sum of the squares of the wave: it falls by the factor's square a
 * step. It is summed in integers: the same in any order.
 *
 * What this check cannot catch: an error below 10^-14 a step; and what happened when the wave had died out already, in
 * a grid of few points after many steps: then the answer would be right all the same.
 */
#include "../random.h"
#include "stencil.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED_BITS = 60 }; /* of the sum of all squares, each of which is less than 1, or little more */

/* What a rank finds; added over the ranks. */
struct findings {
    uint64_t wrong, checksum, energy;
};
enum { FINDINGS = sizeof(struct findings) / sizeof(uint64_t) };

static int64_t divisor(int64_t a, int64_t b)
{
    return b == 0 ? a : divisor(b, a % b);
}

/* The number of half waves along `extent` points: such that steps multiply by about 1 - 1 / steps. */
static int64_t choose_waves(int64_t extent, int64_t steps)
{
    double angle = 2 * asin(sqrt(1 / (double)(steps + 1)));
    int64_t waves = (int64_t)round(angle / M_PI * (double)(extent + 1));
    if (waves < 1) waves = 1;
    if (waves > extent) waves = extent;
    while (divisor(waves, extent + 1) > 1) waves--;
    return waves;
}

/* sin(waves pi i / (extent + 1)), i from 0; exactly 0 on the frame. */
static double wave_at(int64_t waves, int64_t i, int64_t extent)
{
    int64_t half = extent + 1, at = waves * i % (2 * half);
    double sign = at < half ? 1 : -1;
    at %= half;
    if (2 * at > half) at = half - at;
    return at == 0 ? 0 : sign * sin(M_PI * (double)at / (double)half);
}

/* Of minus the second difference, in one direction: what a wave is multiplied by (LeVeque: Finite Difference Methods,
 * 2007, chapter 2, and for the larger star the fourth-order formula's). */
static double stiffness(int64_t waves, int64_t extent, int radius)
{
    double sine = sin(M_PI * (double)waves / (2 * (double)(extent + 1))), square = sine * sine;
    return radius == 1 ? 4 * square : 4 * square * (1 + square / 3);
}

int closed_form_init(const struct stencil *stencil, struct closed_form *form_p)
{
    const struct part *part = &stencil->part;
    struct closed_form form = {.row_waves = choose_waves(stencil->rows, stencil->steps),
                               .column_waves = choose_waves(stencil->columns, stencil->steps)};
    double diffusion = stencil->radius == 1 ? 0.125 : 0.09375;
    form.factor = 1 - diffusion * (stiffness(form.row_waves, stencil->rows, stencil->radius) +
                                   stiffness(form.column_waves, stencil->columns, stencil->radius));
    int exponent;
    frexp((double)(stencil->rows + 1 + 2 * (stencil->columns + 1)), &exponent);
    form.slope = ldexp(1, -exponent);
    form.height = 0.75 + 0.25 * hash_to_double(hash_pair(stencil->seed, 'h'));
    form.rows = malloc((size_t)(part->rows + 1) * sizeof(double));
    form.columns = malloc((size_t)(part->columns + 1) * sizeof(double));
    *form_p = form;
    if (!form.rows || !form.columns) return -ENOMEM;
    for (int64_t i = 0; i < part->rows; i++)
        form.rows[i] = form.height * wave_at(form.row_waves, part->first_row + i + 1, stencil->rows);
    for (int64_t j = 0; j < part->columns; j++)
        form.columns[j] = wave_at(form.column_waves, part->first_column + j + 1, stencil->columns);
    return 0;
}

void closed_form_release(struct closed_form *form)
{
    free(form->rows);
    free(form->columns);
}

static double plane_at(const struct stencil *stencil, int64_t row, int64_t column)
{
    const struct part *part = &stencil->part;
    return stencil->form.slope * (double)(part->first_row + row + 1 + 2 * (part->first_column + column + 1));
}

double closed_form_start(const struct stencil *stencil, int64_t row, int64_t column)
{
    const struct part *part = &stencil->part;
    double plane = plane_at(stencil, row, column);
    bool inside = row >= 0 && row < part->rows && column >= 0 && column < part->columns;
    return inside ? plane + stencil->form.rows[row] * stencil->form.columns[column] : plane;
}

static double rounding_bound(const struct stencil *stencil)
{
    return 64 * (double)(stencil->steps + 4) * 0x1p-53;
}

/* So that the sum over all points fits. */
static int square_bits(const struct stencil *stencil)
{
    int exponent;
    frexp((double)stencil->rows * (double)stencil->columns, &exponent);
    return FIXED_BITS - exponent;
}

static void find_in_row(const struct stencil *stencil, int64_t i, double decay, struct findings *findings)
{
    const struct part *part = &stencil->part;
    const double *row = stencil->grid[stencil->now] + i * stencil->stride;
    double bound = rounding_bound(stencil), scale = ldexp(1, square_bits(stencil)),
           height = decay * stencil->form.rows[i];
    uint64_t at = (uint64_t)((part->first_row + i) * stencil->columns + part->first_column);
    for (int64_t j = 0; j < part->columns; j++) {
        double wave = row[j] - plane_at(stencil, i, j), error = wave - height * stencil->form.columns[j];
        uint64_t bits;
        memcpy(&bits, &row[j], sizeof bits);
        findings->checksum += hash_pair(at + (uint64_t)j, bits);
        if (fabs(error) <= bound)
            findings->energy += (uint64_t)(wave * wave * scale);
        else
            findings->wrong++;
    }
}

static struct findings find(const struct stencil *stencil)
{
    uint64_t wrong = 0, checksum = 0, energy = 0;
    double decay = pow(stencil->form.factor, (double)stencil->steps);
#pragma omp parallel for schedule(static) reduction(+ : wrong, checksum, energy)
    for (int64_t i = 0; i < stencil->part.rows; i++) {
        struct findings findings = {.wrong = 0};
        find_in_row(stencil, i, decay, &findings);
        wrong += findings.wrong;
        checksum += findings.checksum;
        energy += findings.energy;
    }
    return (struct findings){.wrong = wrong, .checksum = checksum, .energy = energy};
}

int stencil_check(struct team *team, void *state, struct verdict *verdict_p)
{
    const struct stencil *stencil = state;
    const struct closed_form *form = &stencil->form;
    struct findings findings = find(stencil);
    int status = team_sum_u64(team, FINDINGS, &findings.wrong);
    if (status < 0) return status;

    double points = (double)stencil->rows * (double)stencil->columns, unit = ldexp(1, -square_bits(stencil));
    double energy = (double)findings.energy * unit / points;
    /* The squares of a sine at all points between two of its zeros have the mean (n + 1) / 2 n. */
    double start =
        form->height * form->height * (double)(stencil->rows + 1) * (double)(stencil->columns + 1) / 4 / points;
    double expected = start * pow(form->factor, 2 * (double)stencil->steps);
    bool decays = fabs(energy - expected) <= unit + 3 * rounding_bound(stencil);
    verdict_p->correct = findings.wrong == 0 && decays;
    verdict_p->checksum = findings.checksum;
    verdict_p->result = energy;
    snprintf(verdict_p->detail, sizeof verdict_p->detail,
             "%.0f points compared with the closed form, within %.1e: %llu wrong; energy a point %.6g after %.6g at "
             "first, by the closed form %.6g",
             points, rounding_bound(stencil), (unsigned long long)findings.wrong, energy, start, expected);
    return 0;
}

/* The first row of points that has one above it, in this part; -1: none. */
static int64_t row_below_another(const struct part *part)
{
    int64_t row = part->first_row > 0 ? 0 : 1;
    return row < part->rows ? row : -1;
}

/* As if the row above had been a step late at the last step. */
static void make_late(struct stencil *stencil, int64_t row)
{
    const struct closed_form *form = &stencil->form;
    double above = form->height * wave_at(form->row_waves, stencil->part.first_row + row, stencil->rows);
    double late =
        above * (pow(form->factor, (double)(stencil->steps - 2)) - pow(form->factor, (double)(stencil->steps - 1)));
    for (int64_t j = 0; j < stencil->part.columns; j++)
        stencil->grid[stencil->now][row * stencil->stride + j] += 0.125 * late * form->columns[j];
}

bool stencil_corrupt(void *state, int kind)
{
    struct stencil *stencil = state;
    const struct part *part = &stencil->part;
    double *result = stencil->grid[stencil->now], *before = stencil->grid[!stencil->now];
    int64_t row = part->rows / 2, column = part->columns / 2, below = row_below_another(part);
    if (part->rows == 0) return false;
    switch (kind) {
    case 0: /* a point is wrong */
        result[row * stencil->stride + column] += 1e-9;
        return true;
    case 1: /* this rank left its last pass out */
        stencil->now = !stencil->now;
        return true;
    case 2: /* a row was left out */
        memcpy(result + row * stencil->stride, before + row * stencil->stride, (size_t)part->columns * sizeof(double));
        return true;
    case 3: /* a point is no number */
        result[(part->rows - 1) * stencil->stride + part->columns - 1] = NAN;
        return true;
    case 4: /* a halo was a step late */
        if (below < 0 || stencil->steps < 2) return false;
        make_late(stencil, below);
        return true;
    default:
        return false;
    }
}
