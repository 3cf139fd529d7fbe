/* AVX-512: 32 registers of 8 doubles. 24 sums, 3 vectors of B, 1 of A. */
#include <immintrin.h>

#define MICRO micro_avx512
enum { WIDTH = 8 };
#define ROWS    8
#define VECTORS 3

typedef __m512d vector;
#define zero()                  _mm512_setzero_pd()
#define load(p)                 _mm512_loadu_pd(p)
#define load_part(p, count)     _mm512_maskz_loadu_pd((__mmask8)((1u << (count)) - 1), p)
#define store(p, v)             _mm512_storeu_pd(p, v)
#define store_part(p, v, count) _mm512_mask_storeu_pd(p, (__mmask8)((1u << (count)) - 1), v)
#define multiply_add(a, b, sum) _mm512_fmadd_pd(a, b, sum)

/* Kept in a register: as an operand from memory, which compilers prefer, it would be loaded VECTORS times. */
static inline __attribute__((always_inline)) vector broadcast(const double *p)
{
    vector v = _mm512_set1_pd(*p);
    __asm__("" : "+v"(v));
    return v;
}

#include "micro.inc"
