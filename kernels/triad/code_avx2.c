/* For AVX2 with FMA. */
#include <immintrin.h>

#define CODE                    triad_code_avx2
#define LANES                   4
#define BROADCAST(x)            _mm256_set1_pd(x)
#define MULTIPLY_ADD(x, y, sum) _mm256_fmadd_pd(x, y, sum)
#define STORE_PAST(at, x)       _mm256_stream_pd(at, x)
#define FENCE()                 _mm_sfence()
#include "code.inc"
