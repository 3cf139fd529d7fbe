/* Lanes of AVX2 with FMA: two registers of four. What the operations mean is in lanes.h. */
#ifndef KERNELS_MONTECARLO_LANES_AVX2_H
#define KERNELS_MONTECARLO_LANES_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define PARTS 2

typedef __m256i word_part;
typedef __m256d real_part;
typedef __m256i mask_part;

#define PART static inline __attribute__((always_inline))

#define wp_set(x)             _mm256_set1_epi64x((int64_t)(x))
#define wp_load(p)            _mm256_loadu_si256((const __m256i *)(p))
#define wp_store(p, x)        _mm256_storeu_si256((__m256i *)(p), x)
#define wp_add(x, y)          _mm256_add_epi64(x, y)
#define wp_and(x, y)          _mm256_and_si256(x, y)
#define wp_xor(x, y)          _mm256_xor_si256(x, y)
#define wp_xor3(x, y, z)      _mm256_xor_si256(_mm256_xor_si256(x, y), z)
#define wp_left(x, n)         _mm256_slli_epi64(x, n)
#define wp_right(x, n)        _mm256_srli_epi64(x, n)
#define wp_upper(x)           _mm256_srli_epi64(x, 32)
#define wp_multiply32(x, y)   _mm256_mul_epu32(x, y)
#define wp_add_where(m, x, y) _mm256_add_epi64(x, _mm256_and_si256(m, y))
#define wp_lookup(x, table)   _mm256_i64gather_epi64((const long long *)(table), wp_and(x, wp_set(15)), 8)

/* Signed comparison of what is shifted by half of the range. */
PART mask_part wp_less(word_part x, word_part y)
{
    word_part half = wp_set(0x8000000000000000);
    return _mm256_cmpgt_epi64(_mm256_xor_si256(y, half), _mm256_xor_si256(x, half));
}

#define rp_set(x)                 _mm256_set1_pd(x)
#define rp_load(p)                _mm256_loadu_pd(p)
#define rp_store(p, x)            _mm256_storeu_pd(p, x)
#define rp_add(x, y)              _mm256_add_pd(x, y)
#define rp_subtract(x, y)         _mm256_sub_pd(x, y)
#define rp_multiply(x, y)         _mm256_mul_pd(x, y)
#define rp_multiply_add(x, y, z)  _mm256_fmadd_pd(x, y, z)
#define rp_multiply_from(x, y, z) _mm256_fnmadd_pd(x, y, z)
#define rp_maximum(x, y)          _mm256_max_pd(x, y)
#define rp_root(x)                _mm256_sqrt_pd(x)
#define rp_bits(x)                _mm256_castpd_si256(x)
#define rp_of_bits(x)             _mm256_castsi256_pd(x)
#define rp_at_most(x, y)          _mm256_castpd_si256(_mm256_cmp_pd(x, y, _CMP_LE_OQ))

PART real_part rp_maximum_absolute(real_part x, real_part y)
{
    return _mm256_max_pd(_mm256_andnot_pd(rp_set(-0.0), x), _mm256_andnot_pd(rp_set(-0.0), y));
}

#define rp_of_lower(x) rp_of_bits(_mm256_or_si256(wp_and(x, wp_set(0xffffffff)), wp_set(0x4330000000000000)))

/* As the mantissa of a double from 2^52 on. */
PART real_part rp_of_words(word_part x)
{
    return rp_subtract(rp_of_bits(_mm256_or_si256(x, rp_bits(rp_set(0x1p52)))), rp_set(0x1p52));
}

PART word_part rp_floor_words(real_part x)
{
    return wp_and(rp_bits(rp_add(_mm256_floor_pd(x), rp_set(0x1p52))), wp_set(0xfffffffffffff));
}

PART real_part rp_choose_odd(word_part w, real_part odd, real_part even)
{
    return _mm256_blendv_pd(even, odd, rp_of_bits(wp_left(w, 63)));
}

PART real_part rp_flip(real_part x, word_part w)
{
    return _mm256_xor_pd(x, _mm256_and_pd(rp_of_bits(w), rp_set(-0.0)));
}

/* The bits of x / 0.75, so to speak: exponent 0 from 0.75 on. */
PART word_part exponent_and_rest(real_part x)
{
    return wp_add(rp_bits(x), wp_set(0x4000000000000000 - 0x3fe8000000000000));
}

PART real_part rp_mantissa(real_part x)
{
    word_part exponent = _mm256_andnot_si256(wp_set(0xfffffffffffff), exponent_and_rest(x));
    return rp_of_bits(wp_add(_mm256_sub_epi64(rp_bits(x), exponent), wp_set(0x4000000000000000)));
}

PART real_part rp_exponent(real_part x)
{
    return rp_subtract(rp_of_words(wp_right(exponent_and_rest(x), 52)), rp_set(1024));
}

PART real_part rp_single_inverse_root(real_part x)
{
    return _mm256_cvtps_pd(_mm_div_ps(_mm_set1_ps(1), _mm_sqrt_ps(_mm256_cvtpd_ps(x))));
}

PART real_part rp_multiply_add_where(mask_part mask, real_part x, real_part y, real_part z)
{
    return _mm256_blendv_pd(z, rp_multiply_add(x, y, z), rp_of_bits(mask));
}

#define wp_lcg46_start(x) (x)
#define rp_of_lcg46(x)    rp_multiply_add(rp_of_words(x), rp_set(0x1p-45), rp_set(-1))

PART word_part wp_lcg46_step(word_part x, word_part m)
{
    word_part cross = wp_add(wp_multiply32(wp_right(x, 32), m), wp_multiply32(x, wp_right(m, 32)));
    return wp_and(wp_add(wp_multiply32(x, m), wp_left(cross, 32)), wp_set(0x3fffffffffff));
}

#endif
