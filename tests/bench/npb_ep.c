/* Bailey et al.: The NAS Parallel Benchmarks. RNR-94-007, 1994, section 2.3, with the arithmetic of its reference
 * program: numbers of 46 bits as doubles, multiplied in halves of 23 bits; batches of 2^16 pairs, whose numbers are all
 * drawn first; logarithm and root of the C library. The build names the function (NPB_EP).
 */
#include "npb_ep.h"

#include <math.h>

enum { LOG2_BATCH = 16, BATCH = 1 << LOG2_BATCH };
static const double multiplier = 1220703125, seed = 271828183; /* 5^13; NPB's own */

/* Rounded down; of 0 <= x < 2^31. */
static inline double whole(double x)
{
    return (double)(int)x;
}

/* a x mod 2^46, exact: a = a1 2^23 + a2 and x likewise, so that it is (a1 x2 + a2 x1) 2^23 + a2 x2, of which the
 * bracket counts modulo 2^23. */
static inline double multiply(double a, double x)
{
    double a1 = whole(0x1p-23 * a), a2 = a - 0x1p23 * a1;
    double x1 = whole(0x1p-23 * x), x2 = x - 0x1p23 * x1;
    double middle = a1 * x2 + a2 * x1;
    middle -= 0x1p23 * whole(0x1p-23 * middle);
    double product = 0x1p23 * middle + a2 * x2;
    return product - 0x1p46 * whole(0x1p-46 * product);
}

/* The generator's next numbers, in (0, 1). */
static void draw(double state, int count, double numbers_p[])
{
    for (int i = 0; i < count; i++) {
        state = multiply(multiplier, state);
        numbers_p[i] = 0x1p-46 * state;
    }
}

/* The state before a batch, by repeated squaring. */
static double start_of(int batch)
{
    double state = seed, power = multiplier;
    for (int i = 0; i < LOG2_BATCH + 1; i++) power = multiply(power, power);
    for (; batch > 0; batch /= 2) {
        if (batch % 2) state = multiply(power, state);
        power = multiply(power, power);
    }
    return state;
}

static void add_batch(const double numbers[], struct npb_ep *sums)
{
    for (int i = 0; i < BATCH; i++) {
        double x = 2 * numbers[2 * i] - 1, y = 2 * numbers[2 * i + 1] - 1;
        double t = x * x + y * y;
        if (t > 1) continue;
        double factor = sqrt(-2 * log(t) / t);
        x *= factor;
        y *= factor;
        sums->bins[(int)fmax(fabs(x), fabs(y))] += 1;
        sums->x += x;
        sums->y += y;
    }
}

void NPB_EP(int log2_pairs, struct npb_ep *sums_p)
{
    static double numbers[2 * BATCH];
    *sums_p = (struct npb_ep){.x = 0};
    for (int batch = 0; batch < 1 << (log2_pairs - LOG2_BATCH); batch++) {
        draw(start_of(batch), 2 * BATCH, numbers);
        add_batch(numbers, sums_p);
    }
}
