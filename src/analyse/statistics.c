/* Order statistics, without any assumption about how the values are distributed.
 *
 * Interval of the median: of n independent values, the number under the true median is binomial(n, 1/2), so the l-th
 * and the (n + 1 - l)-th smallest enclose it with probability 1 - 2 P(Bin <= l - 1), exactly (David and Nagaraja, Order
 * Statistics, 7.1). The largest l that leaves at least the confidence asked for gives the narrowest interval.
 */
#include "group.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(int count, const double values[], double q)
{
    double *sorted = malloc(sizeof *sorted * (size_t)(count > 0 ? count : 1));
    int n = 0;
    for (int i = 0; sorted && i < count; i++)
        if (!isnan(values[i])) sorted[n++] = values[i];
    double result = NAN;
    if (n > 0) {
        qsort(sorted, (size_t)n, sizeof *sorted, compare);
        double position = (n - 1) * fmin(fmax(q, 0), 1);
        int below = (int)position;
        int above = below + 1 < n ? below + 1 : below;
        double share = position - below;
        result = share > 0 ? sorted[below] + share * (sorted[above] - sorted[below]) : sorted[below];
    }
    free(sorted);
    return result;
}

double median(int count, const double values[])
{
    return quantile(count, values, 0.5);
}

bool order_interval_ranks(int count, double confidence, int *low_p, int *high_p)
{
    double tail = 0; /* P(Bin(count, 1/2) < low) */
    int low = 0;
    for (;;) {
        int sign;
        double log_ways =
            lgamma_r(count + 1.0, &sign) - lgamma_r(low + 1.0, &sign) - lgamma_r(count - low + 1.0, &sign);
        tail += exp(log_ways - count * M_LN2);
        if (tail > (1 - confidence) / 2 || 2 * low >= count) break;
        low++;
    }
    if (low < 1) return false;
    *low_p = low;
    *high_p = count + 1 - low;
    return true;
}

bool median_interval_ranks(int count, int *low_p, int *high_p)
{
    return order_interval_ranks(count, 0.95, low_p, high_p);
}
