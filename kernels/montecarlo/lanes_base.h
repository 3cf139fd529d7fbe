/* Lanes of what every machine has, in the compilers' own vector types: four registers of two where there are such
 * (SSE2, NEON), else whatever the compiler makes of them. What the operations mean is in lanes.h. */
#ifndef KERNELS_MONTECARLO_LANES_BASE_H
#define KERNELS_MONTECARLO_LANES_BASE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#    include <emmintrin.h>
#endif

#define PARTS 4

typedef uint64_t word_part __attribute__((vector_size(16)));
typedef double real_part __attribute__((vector_size(16)));
typedef int64_t mask_part __attribute__((vector_size(16)));

#define PART static inline __attribute__((always_inline))

#define wp_set(x)             ((word_part){(uint64_t)(x), (uint64_t)(x)})
#define wp_add(x, y)          ((x) + (y))
#define wp_and(x, y)          ((x) & (y))
#define wp_xor(x, y)          ((x) ^ (y))
#define wp_xor3(x, y, z)      ((x) ^ (y) ^ (z))
#define wp_left(x, n)         ((x) << (n))
#define wp_right(x, n)        ((x) >> (n))
#define wp_upper(x)           ((x) >> 32)
#define wp_add_where(m, x, y) ((x) + ((word_part)(m) & (y)))
#define wp_less(x, y)         ((mask_part)((x) < (y)))

PART word_part wp_load(const uint64_t *p)
{
    word_part x;
    memcpy(&x, p, sizeof x);
    return x;
}

PART void wp_store(uint64_t *p, word_part x)
{
    memcpy(p, &x, sizeof x);
}

PART word_part wp_multiply32(word_part x, word_part y)
{
#ifdef __SSE2__
    return (word_part)_mm_mul_epu32((__m128i)x, (__m128i)y);
#else
    return (word_part){(uint64_t)(uint32_t)x[0] * (uint32_t)y[0], (uint64_t)(uint32_t)x[1] * (uint32_t)y[1]};
#endif
}

PART word_part wp_lookup(word_part x, const void *table)
{
    uint64_t found[2];
    for (int i = 0; i < 2; i++) memcpy(&found[i], (const char *)table + 8 * (x[i] & 15), sizeof found[i]);
    return (word_part){found[0], found[1]};
}

#define rp_set(x)         ((real_part){x, x})
#define rp_add(x, y)      ((x) + (y))
#define rp_subtract(x, y) ((x) - (y))
#define rp_multiply(x, y) ((x) * (y))
#define rp_bits(x)        ((word_part)(x))
#define rp_of_bits(x)     ((real_part)(x))
#define rp_at_most(x, y)  ((mask_part)((x) <= (y)))

#ifdef __FP_FAST_FMA
#    define rp_multiply_add(x, y, z)                                                                                   \
        ((real_part){__builtin_fma((x)[0], (y)[0], (z)[0]), __builtin_fma((x)[1], (y)[1], (z)[1])})
#    define rp_multiply_from(x, y, z) rp_multiply_add(-(x), y, z)
#else
#    define rp_multiply_add(x, y, z)  ((x) * (y) + (z))
#    define rp_multiply_from(x, y, z) ((z) - (x) * (y))
#endif

PART real_part rp_load(const double *p)
{
    real_part x;
    memcpy(&x, p, sizeof x);
    return x;
}

PART void rp_store(double *p, real_part x)
{
    memcpy(p, &x, sizeof x);
}

PART real_part rp_maximum(real_part x, real_part y)
{
    mask_part greater = x > y;
    return (real_part)(((word_part)greater & (word_part)x) | (~(word_part)greater & (word_part)y));
}

PART real_part rp_absolute(real_part x)
{
    return rp_of_bits(rp_bits(x) & wp_set(0x7fffffffffffffff));
}

#define rp_maximum_absolute(x, y) rp_maximum(rp_absolute(x), rp_absolute(y))

PART real_part rp_root(real_part x)
{
    return (real_part){sqrt(x[0]), sqrt(x[1])};
}

#define rp_of_lower(x) rp_of_bits(((x)&wp_set(0xffffffff)) | wp_set(0x4330000000000000))

/* As the mantissa of a double from 2^52 on. */
PART real_part rp_of_words(word_part x)
{
    return rp_of_bits(x | rp_bits(rp_set(0x1p52))) - rp_set(0x1p52);
}

PART word_part rp_floor_words(real_part x)
{
    return (word_part){x[0] >= 0 ? (uint64_t)x[0] : 0, x[1] >= 0 ? (uint64_t)x[1] : 0};
}

PART real_part rp_choose_odd(word_part w, real_part odd, real_part even)
{
    word_part mask = -(w & wp_set(1));
    return rp_of_bits((mask & rp_bits(odd)) | (~mask & rp_bits(even)));
}

PART real_part rp_flip(real_part x, word_part w)
{
    return rp_of_bits(rp_bits(x) ^ (w & wp_set(0x8000000000000000)));
}

/* The bits of x / 0.75, so to speak: exponent 0 from 0.75 on. */
PART word_part exponent_and_rest(real_part x)
{
    return rp_bits(x) + wp_set(0x4000000000000000 - 0x3fe8000000000000);
}

PART real_part rp_mantissa(real_part x)
{
    word_part exponent = exponent_and_rest(x) & wp_set(0xfff0000000000000);
    return rp_of_bits(rp_bits(x) - exponent + wp_set(0x4000000000000000));
}

PART real_part rp_exponent(real_part x)
{
    return rp_of_words(exponent_and_rest(x) >> 52) - rp_set(1024);
}

PART real_part rp_single_inverse_root(real_part x)
{
    return (real_part){1 / sqrtf((float)x[0]), 1 / sqrtf((float)x[1])};
}

PART real_part rp_multiply_add_where(mask_part mask, real_part x, real_part y, real_part z)
{
    real_part sum = rp_multiply_add(x, y, z);
    return rp_of_bits(((word_part)mask & rp_bits(sum)) | (~(word_part)mask & rp_bits(z)));
}

#define wp_lcg46_start(x)   (x)
#define wp_lcg46_step(x, m) (((x) * (m)) & wp_set(0x3fffffffffff))
#define rp_of_lcg46(x)      rp_multiply_add(rp_of_words(x), rp_set(0x1p-45), rp_set(-1))

#endif
