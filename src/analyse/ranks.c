/* U's distribution is counted by the Gaussian binomial coefficient: the number of ways to get u is the coefficient of
 * q^u in the product over i = 1 ... m of (1 - q^(n+i)) / (1 - q^i). All counts are below 2^53, hence exact. */
#include "ranks.h"

#include <math.h>

enum { EXACT_MAX = 20 };

static double exact_tail(int m, int n, long u)
{
    double ways[EXACT_MAX * EXACT_MAX + 1] = {1}, sum = 0, all = 0;
    const int top = m * n;
    for (int i = 1; i <= m; i++) {
        for (int k = top; k >= n + i; k--) ways[k] -= ways[k - n - i];
        for (int k = i; k <= top; k++) ways[k] += ways[k - i];
    }
    for (int k = 0; k <= top; k++) {
        all += ways[k];
        if (k <= u) sum += ways[k];
    }
    return sum / all;
}

double rank_sum_tail(int m, int n, long u)
{
    if (u < 0) return 0;
    if (m <= EXACT_MAX && n <= EXACT_MAX) return exact_tail(m, n, u);
    double pairs = (double)m * n;
    double deviation = sqrt(pairs * (m + n + 1.0) / 12);
    return 0.5 * erfc(-((double)u + 0.5 - pairs / 2) / deviation * M_SQRT1_2);
}

double sign_tail(int n, long k)
{
    double tail = 0;
    int sign;
    for (long i = 0; i <= k && i <= n; i++) {
        double log_ways =
            lgamma_r(n + 1.0, &sign) - lgamma_r((double)i + 1, &sign) - lgamma_r((double)(n - i) + 1, &sign);
        tail += exp(log_ways - n * M_LN2);
    }
    return fmin(tail, 1);
}
