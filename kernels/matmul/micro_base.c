/* What every machine has: vectors of 2 doubles, on x86-64 16 registers of them (SSE2, no fused multiply-add), on
 * aarch64 32 (NEON). Written in the compilers' own vector types, so that it is right everywhere. */
#include <string.h>

#ifdef __aarch64__
#    include <arm_neon.h>
#endif

#define MICRO micro_base
enum { WIDTH = 2 };
#ifdef __aarch64__
#    define ROWS    8
#    define VECTORS 3
#else
#    define ROWS    4
#    define VECTORS 2
#endif

typedef double vector __attribute__((vector_size(16)));
#define zero()       ((vector){0, 0})
#define broadcast(p) ((vector){*(p), *(p)})
#ifdef __aarch64__
#    define multiply_add(a, b, sum) ((vector)vfmaq_f64((float64x2_t)(sum), (float64x2_t)(a), (float64x2_t)(b)))
#else
#    define multiply_add(a, b, sum) ((sum) + (a) * (b))
#endif

static inline __attribute__((always_inline)) vector load(const double *p)
{
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline __attribute__((always_inline)) void store(double *p, vector v)
{
    memcpy(p, &v, sizeof v);
}

static inline __attribute__((always_inline)) vector load_part(const double *p, int count)
{
    return count == WIDTH ? load(p) : (vector){*p, 0};
}

static inline __attribute__((always_inline)) void store_part(double *p, vector v, int count)
{
    if (count == WIDTH)
        store(p, v);
    else
        *p = v[0];
}

#include "micro.inc"
