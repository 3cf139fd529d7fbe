/* Ceilings with AVX-512. */
#include <immintrin.h>

#define CODE                    ceiling_code_avx512
#define LANES                   8
#define ROWS                    8
#define VECTORS                 3
#define FUSED                   true
#define MULTIPLY_ADD(x, y, sum) _mm512_fmadd_pd(x, y, sum)
#define BROADCAST(x)            _mm512_set1_pd(x)
#define KEEP(x)                 __asm__("" : "+v"(x))
#define STORE(address, x)       _mm512_stream_pd(address, x)
#define FENCE()                 _mm_sfence()
#include "ceilings.inc"
