/* Lanes of AVX-512 (F, VL, DQ, BW): all eight in one register. What the operations mean is in lanes.h. */
#ifndef KERNELS_MONTECARLO_LANES_AVX512_H
#define KERNELS_MONTECARLO_LANES_AVX512_H

#include <immintrin.h>
#include <stdint.h>

/* Without optimisation some of GCC's intrinsics are macros, which convert their masks silently. */
#pragma GCC diagnostic ignored "-Wsign-conversion"

#define PARTS 1

typedef __m512i word_part;
typedef __m512d real_part;
typedef __mmask8 mask_part;

#define wp_set(x)             _mm512_set1_epi64((int64_t)(x))
#define wp_load(p)            _mm512_loadu_si512(p)
#define wp_store(p, x)        _mm512_storeu_si512(p, x)
#define wp_add(x, y)          _mm512_add_epi64(x, y)
#define wp_and(x, y)          _mm512_and_si512(x, y)
#define wp_xor(x, y)          _mm512_xor_si512(x, y)
#define wp_xor3(x, y, z)      _mm512_ternarylogic_epi64(x, y, z, 0x96)
#define wp_left(x, n)         _mm512_slli_epi64(x, n)
#define wp_right(x, n)        _mm512_srli_epi64(x, n)
#define wp_upper(x)           _mm512_shuffle_epi32(x, _MM_PERM_DDBB)
#define wp_multiply32(x, y)   _mm512_mul_epu32(x, y)
#define wp_add_where(m, x, y) _mm512_mask_add_epi64(x, m, x, y)
#define wp_less(x, y)         _mm512_cmplt_epu64_mask(x, y)
#define wp_lookup(x, table)                                                                                            \
    _mm512_permutex2var_epi64(_mm512_loadu_si512(table), x, _mm512_loadu_si512((const uint64_t *)(table) + 8))
#define rp_set(x)                 _mm512_set1_pd(x)
#define rp_load(p)                _mm512_loadu_pd(p)
#define rp_store(p, x)            _mm512_storeu_pd(p, x)
#define rp_add(x, y)              _mm512_add_pd(x, y)
#define rp_subtract(x, y)         _mm512_sub_pd(x, y)
#define rp_multiply(x, y)         _mm512_mul_pd(x, y)
#define rp_multiply_add(x, y, z)  _mm512_fmadd_pd(x, y, z)
#define rp_multiply_from(x, y, z) _mm512_fnmadd_pd(x, y, z)
#define rp_maximum(x, y)          _mm512_max_pd(x, y)
#define rp_maximum_absolute(x, y) _mm512_range_pd(x, y, 0x0b)
#define rp_root(x)                _mm512_sqrt_pd(x)
#define rp_bits(x)                _mm512_castpd_si512(x)
#define rp_of_bits(x)             _mm512_castsi512_pd(x)
#define rp_of_words(x)            _mm512_cvtepu64_pd(x)
#define rp_of_lower(x)                                                                                                 \
    rp_of_bits(_mm512_ternarylogic_epi64(x, wp_set(0xffffffff), wp_set(0x4330000000000000), 0xea)) /* and, or */
#define rp_floor_words(x)                    _mm512_cvttpd_epu64(x)
#define rp_at_most(x, y)                     _mm512_cmp_pd_mask(x, y, _CMP_LE_OQ)
#define rp_multiply_add_where(mask, x, y, z) _mm512_mask3_fmadd_pd(x, y, z, mask)
#define rp_choose_odd(w, odd, even)          _mm512_mask_blend_pd(_mm512_test_epi64_mask(w, wp_set(1)), even, odd)
#define rp_flip(x, w)                                                                                                  \
    rp_of_bits(_mm512_ternarylogic_epi64(rp_bits(x), w, wp_set(0x8000000000000000), 0x78)) /* x ^ (w & sign) */
#define rp_mantissa(x) _mm512_getmant_pd(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_zero)
/* 4/3 in doubles lies just below 4/3, by so little that 0.75 * 2^k still rounds to 2^k: the exponent steps there. */
#define rp_exponent(x)            _mm512_getexp_pd(_mm512_mul_pd(x, rp_set(0x1.5555555555555p0)))
#define rp_single_inverse_root(x) _mm512_cvtps_pd(_mm256_div_ps(_mm256_set1_ps(1), _mm256_sqrt_ps(_mm512_cvtpd_ps(x))))

#ifdef __AVX512IFMA__
/* The number times 2^6, so that products modulo 2^52, the instruction's, are products of numbers modulo 2^46; above
 * that the exponent of doubles from 2 to 4, which multiplication overlooks and puts there again. */
#    define wp_lcg46_start(x)   wp_add(wp_left(x, 6), wp_set(0x4000000000000000))
#    define wp_lcg46_step(x, m) _mm512_madd52lo_epu64(wp_set(0x4000000000000000), x, m)
#    define rp_of_lcg46(x)      rp_subtract(rp_of_bits(x), rp_set(3))
#else
#    define wp_lcg46_start(x)   (x)
#    define wp_lcg46_step(x, m) wp_and(_mm512_mullo_epi64(x, m), wp_set(0x3fffffffffff))
#    define rp_of_lcg46(x)      rp_multiply_add(rp_of_words(x), rp_set(0x1p-45), rp_set(-1))
#endif

#endif
