/* Rows with what every machine of the architecture has. */
#define CODE  stencil_code_base
#define LANES 2

#ifdef __x86_64__
#    include <emmintrin.h>
#    define STREAM(address, x) _mm_stream_pd(address, x)
#    define FENCE()            _mm_sfence()
#else
#    define STREAM(address, x) (*(vector *)(address) = (x))
#    define FENCE()            ((void)0)
#endif
#include "rows.inc"

const struct stencil_code *stencil_code_find(enum isa isa)
{
#ifdef __x86_64__
    if (isa == ISA_AVX512) return &stencil_code_avx512;
    if (isa == ISA_AVX2) return &stencil_code_avx2;
#endif
    (void)isa;
    return &stencil_code_base;
}
