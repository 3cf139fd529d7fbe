/* The EP benchmark as a plain scalar program: what own kernels are compared with. */
#ifndef BENCH_NPB_EP_H
#define BENCH_NPB_EP_H

#include <stdbool.h>

enum { NPB_EP_BINS = 10 };
struct npb_ep {
    double x, y;              /* sums of the deviates */
    double bins[NPB_EP_BINS]; /* pairs with their larger coordinate in [k, k + 1) */
};

/* 2^log2_pairs pairs, from 2^16 on. The same source, compiled for every machine of the architecture, and for this one
 * (-march=native). */
void npb_ep_plain(int log2_pairs, struct npb_ep *sums_p);
void npb_ep_native(int log2_pairs, struct npb_ep *sums_p);

#endif
