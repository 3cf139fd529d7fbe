#include "code.h"

const struct mandelbrot_code *mandelbrot_code_find(enum isa isa)
{
#ifdef __x86_64__
    if (isa == ISA_AVX512) return &mandelbrot_avx512;
    if (isa == ISA_AVX2) return &mandelbrot_avx2;
#endif
    (void)isa;
    return &mandelbrot_base;
}
