/* Ceilings with AVX2 and FMA. */
#include <immintrin.h>

#define CODE                    ceiling_code_avx2
#define LANES                   4
#define ROWS                    4
#define VECTORS                 3
#define FUSED                   true
#define MULTIPLY_ADD(x, y, sum) _mm256_fmadd_pd(x, y, sum)
#define BROADCAST(x)            _mm256_set1_pd(x)
#define KEEP(x)                 __asm__("" : "+x"(x))
#define STORE(address, x)       _mm256_stream_pd(address, x)
#define FENCE()                 _mm_sfence()
#include "ceilings.inc"
