#ifndef KERNELS_MONTECARLO_ARS_H
#define KERNELS_MONTECARLO_ARS_H
#include <stdint.h>

/* Four random words of ARS-7 (random.h) for each counter and key, the same as Random123's. Slow. For little-endian
 * machines, as the instructions that it stands for. */
void ars4x32(const uint32_t counter[4], const uint32_t key[4], uint32_t words_p[4]);

#endif
