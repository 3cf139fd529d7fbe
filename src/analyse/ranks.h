/* The distributions behind rank tests, without any assumption about how the values are distributed. Pure. */
#ifndef SPEEDUP_ANALYSE_RANKS_H
#define SPEEDUP_ANALYSE_RANKS_H

/* P(U <= u): Mann and Whitney's U of m and n values from one distribution: the number of pairs in which the one from
 * the first set is the smaller. Exact for m and n up to 20 (Mann and Whitney: Annals of Mathematical Statistics 18,
 * 1947), the normal approximation with continuity correction above. u < 0: 0. */
double rank_sum_tail(int m, int n, long u);
/* P(Bin(n, 1/2) <= k): of the sign test. k < 0: 0. */
double sign_tail(int n, long k);

#endif
