/* For AVX-512. */
#include <immintrin.h>
#include <stdint.h>

typedef double vector __attribute__((vector_size(64)));
typedef int64_t integers __attribute__((vector_size(64)));
typedef __mmask8 mask;

#define CODE               mandelbrot_avx512
#define LANES              8
#define BROADCAST(x)       ((vector)_mm512_set1_pd(x))
#define TWICE_PLUS(x, y)   ((vector)_mm512_fmadd_pd(_mm512_set1_pd(2), (__m512d)(x), (__m512d)(y)))
#define ALL                ((mask)0xff)
#define WITHIN(live, norm) _mm512_mask_cmp_pd_mask(live, (__m512d)(norm), _mm512_set1_pd(4), _CMP_LE_OQ)
#define COUNT(counts, live, n)                                                                                         \
    ((integers)_mm512_mask_add_epi64((__m512i)(counts), live, (__m512i)(counts), _mm512_set1_epi64(n)))
#define BITS(mask) ((unsigned)(mask))

#include "code.inc"
