/* Random numbers and hashes that depend on what they are for (an index), never on who computes them or when: the same
 * in every mode. Pure. */
#ifndef KERNELS_RANDOM_H
#define KERNELS_RANDOM_H

#include <stdint.h>
#include <string.h>

/* Philox4x32-10: four random words for each counter and key. Salmon, Moraes, Dror, Shaw: Parallel random numbers: as
 * easy as 1, 2, 3. SC11, section 3.2. */
#define PHILOX_MULTIPLIER_0 UINT32_C(0xD2511F53)
#define PHILOX_MULTIPLIER_1 UINT32_C(0xCD9E8D57)
#define PHILOX_WEYL_0       UINT32_C(0x9E3779B9)
#define PHILOX_WEYL_1       UINT32_C(0xBB67AE85)

static inline void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t words_p[4])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)PHILOX_MULTIPLIER_0 * c[0], p1 = (uint64_t)PHILOX_MULTIPLIER_1 * c[2];
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k[0];
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k[1];
        c[3] = (uint32_t)p0;
        k[0] += PHILOX_WEYL_0;
        k[1] += PHILOX_WEYL_1;
    }
    memcpy(words_p, c, sizeof c);
}

/* ARS-7, of the same paper (section 3.1): seven rounds of AES with keys that grow by constants. ars.c has it in plain
 * C. */
enum { ARS_ROUNDS = 7 };
#define ARS_WEYL_0 UINT64_C(0x9E3779B97F4A7C15)
#define ARS_WEYL_1 UINT64_C(0xBB67AE8584CAA73B)

/* The generator of the NAS Parallel Benchmarks (Bailey et al., RNR-94-007, section 2.3): number k is the start times
 * 5^13 to the k, modulo 2^46, so that any one can be reached at once. */
#define LCG46_MULTIPLIER UINT64_C(1220703125)

static inline uint64_t lcg46_multiply(uint64_t x, uint64_t y)
{
    return (x * y) & ((UINT64_C(1) << 46) - 1);
}

/* 5^13 to the `exponent`, modulo 2^46. */
static inline uint64_t lcg46_power(uint64_t exponent)
{
    uint64_t power = 1;
    for (uint64_t square = LCG46_MULTIPLIER; exponent > 0; exponent /= 2) {
        if (exponent % 2) power = lcg46_multiply(power, square);
        square = lcg46_multiply(square, square);
    }
    return power;
}

/* A bijection in which every bit of x touches every bit of the result: the finaliser of SplitMix64 (Steele, Lea, Flood:
 * Fast splittable pseudorandom number generators. OOPSLA 2014). */
static inline uint64_t hash_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

/* Of a key and a value. A checksum is the sum modulo 2^64 of hash_pair(index, bits) over all parts of a result: it
 * does not depend on the order of the sum, hence not on who computed which part. */
static inline uint64_t hash_pair(uint64_t key, uint64_t value)
{
    return hash_mix(hash_mix(key + 0x9E3779B97F4A7C15) ^ value);
}

static inline uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Evenly in [-1, 1), a multiple of 2^-53. */
static inline double hash_to_double(uint64_t hash)
{
    return (double)((int64_t)hash >> 10) * 0x1p-53;
}

#endif
