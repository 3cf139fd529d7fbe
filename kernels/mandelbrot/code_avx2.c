/* For AVX2 with FMA. */
#include <immintrin.h>
#include <stdint.h>

typedef double vector __attribute__((vector_size(32)));
typedef int64_t integers __attribute__((vector_size(32)));
typedef integers mask;

#define CODE                   mandelbrot_avx2
#define LANES                  4
#define BROADCAST(x)           ((vector)_mm256_set1_pd(x))
#define TWICE_PLUS(x, y)       ((vector)_mm256_fmadd_pd(_mm256_set1_pd(2), (__m256d)(x), (__m256d)(y)))
#define ALL                    ((mask){-1, -1, -1, -1})
#define WITHIN(live, norm)     ((live) & ((norm) <= BROADCAST(4)))
#define COUNT(counts, live, n) ((counts) + ((live) & (n)))
#define BITS(mask)             ((unsigned)_mm256_movemask_pd((__m256d)(mask)))

#include "code.inc"
