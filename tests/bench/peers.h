/* What people use: samplers of pi and of the option's price by other libraries, and by the C library. Each draws
 * `samples` samples, a multiple of PEER_GRAIN, and returns their mean. They begin with the same seed each time. Those
 * whose library was not found when this was built are not linked. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "question.h"

enum { PEER_GRAIN = 1 << 16 };

typedef double peer_sample(const struct question *, int64_t samples);

/* peers_libc.c */
peer_sample pi_rand, pi_drand48;
/* peers_gsl.c: the GNU Scientific Library, with its generator mt19937. */
peer_sample pi_gsl, option_gsl_ziggurat, option_gsl_polar;
/* peers_random123.c, and peers_ars.c for processors with AES: Random123 as it is shipped, compiled for each instruction
 * set (compilers make vectors of its loop). */
peer_sample pi_philox_base, pi_philox_avx2, pi_philox_avx512;
peer_sample pi_ars_base, pi_ars_avx2, pi_ars_avx512;
/* peers_sleef_avx2.c, peers_sleef_avx512.c: the words of the own kernel in vectors, with SLEEF's functions. */
peer_sample option_sleef_avx2, option_sleef_avx512, option_sleef_by_vector_avx2, option_sleef_by_vector_avx512;

#endif
