/* For AVX-512. */
#include <immintrin.h>

#define CODE                    triad_code_avx512
#define LANES                   8
#define BROADCAST(x)            _mm512_set1_pd(x)
#define MULTIPLY_ADD(x, y, sum) _mm512_fmadd_pd(x, y, sum)
#define STORE_PAST(at, x)       _mm512_stream_pd(at, x)
#define FENCE()                 _mm_sfence()
#include "code.inc"
