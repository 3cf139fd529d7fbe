/* For every machine. */
#include <stdint.h>
#ifdef __SSE2__
#    include <emmintrin.h>
#endif

typedef double vector __attribute__((vector_size(16)));
typedef int64_t integers __attribute__((vector_size(16)));
typedef integers mask;

#define CODE                   mandelbrot_base
#define LANES                  2
#define BROADCAST(x)           ((vector){(x), (x)})
#define TWICE_PLUS(x, y)       ((x) + (x) + (y))
#define ALL                    ((mask){-1, -1})
#define WITHIN(live, norm)     ((live) & ((norm) <= BROADCAST(4)))
#define COUNT(counts, live, n) ((counts) + ((live) & (n)))
#ifdef __SSE2__
#    define BITS(mask) ((unsigned)_mm_movemask_pd((__m128d)(mask)))
#else
#    define BITS(mask) ((unsigned)(((mask)[0] & 1) | ((mask)[1] & 2)))
#endif

#include "code.inc"
