/* AVX2 with FMA: 16 registers of 4 doubles. 12 sums, 3 vectors of B, 1 of A. */
#include <immintrin.h>

#define MICRO micro_avx2
enum { WIDTH = 4 };
#define ROWS    4
#define VECTORS 3

typedef __m256d vector;
#define zero()                  _mm256_setzero_pd()
#define load(p)                 _mm256_loadu_pd(p)
#define load_part(p, count)     _mm256_maskload_pd(p, mask(count))
#define store(p, v)             _mm256_storeu_pd(p, v)
#define multiply_add(a, b, sum) _mm256_fmadd_pd(a, b, sum)
#define broadcast(p)            _mm256_broadcast_sd(p)

static inline __attribute__((always_inline)) __m256i mask(int count)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}

/* Masked stores are slow on some processors. */
static inline __attribute__((always_inline)) void store_part(double *p, vector v, int count)
{
    if (count == WIDTH)
        store(p, v);
    else
        _mm256_maskstore_pd(p, mask(count), v);
}

#include "micro.inc"
