/* Ceilings with what every machine of the architecture has. */
#define CODE         ceiling_code_base
#define LANES        2
#define BROADCAST(x) ((vector){(x), (x)})

#if defined __x86_64__
#    include <emmintrin.h>
#    define ROWS                    4
#    define VECTORS                 2
#    define FUSED                   false
#    define MULTIPLY_ADD(x, y, sum) ((x) * (y) + (sum))
#    define KEEP(x)                 __asm__("" : "+x"(x))
#    define STORE(address, x)       _mm_stream_pd(address, x)
#    define FENCE()                 _mm_sfence()
#elif defined __aarch64__
#    include <arm_neon.h>
#    define ROWS                    8
#    define VECTORS                 3
#    define FUSED                   true
#    define MULTIPLY_ADD(x, y, sum) ((vector)vfmaq_f64((float64x2_t)(sum), (float64x2_t)(x), (float64x2_t)(y)))
#    define KEEP(x)                 __asm__("" : "+w"(x))
#else
#    define ROWS                    4
#    define VECTORS                 2
#    define FUSED                   false
#    define MULTIPLY_ADD(x, y, sum) ((x) * (y) + (sum))
#    define KEEP(x)                 __asm__("" : "+m"(x))
#endif
#ifndef STORE
#    define STORE(address, x) (*(vector *)(address) = (x))
#    define FENCE()           ((void)0)
#endif
#include "ceilings.inc"
