/* For every machine; with stores past the caches on x86-64. */
#define CODE                    triad_code_base
#define LANES                   2
#define BROADCAST(x)            ((vector){(x), (x)})
#define MULTIPLY_ADD(x, y, sum) ((x) * (y) + (sum))

#ifdef __x86_64__
#    include <emmintrin.h>
#    define STORE_PAST(at, x) _mm_stream_pd(at, x)
#    define FENCE()           _mm_sfence()
#else
#    define STORE_PAST(at, x) (*(vector *)(at) = (x))
#    define FENCE()           ((void)0)
#endif
#include "code.inc"

const struct triad_code *triad_code_find(enum isa isa)
{
#ifdef __x86_64__
    if (isa == ISA_AVX512) return &triad_code_avx512;
    if (isa == ISA_AVX2) return &triad_code_avx2;
#endif
    (void)isa;
    return &triad_code_base;
}
