/* The counter-based generators on lanes: points that hit, and words. lanes.h and code.h come before. Who includes this
 * defines GROUPS, how many vectors of counters are worked on side by side to hide the latency of products.
 */
#ifndef KERNELS_MONTECARLO_GENERATORS_H
#define KERNELS_MONTECARLO_GENERATORS_H

#include "../random.h"

/* ---- Philox4x32-10 (random.h), with a counter in each lane. Words 1 to 3 of the counters are the same in all lanes,
 * so that half of the first two rounds is done once for all. Only the lower halves of lanes count. */

struct philox {
    words keys[10][2];
    words second_0, second_2; /* what words 0 and 2 are exclusive-ored with in the second round */
    words third_2;            /* the same for word 2 in the third */
    words first_2;            /* and in the first */
};

static const uint64_t lane_numbers[LANES] = {0, 1, 2, 3, 4, 5, 6, 7};

LANE struct philox philox_start(uint64_t seed, const struct counters *counters)
{
    struct philox philox;
    uint32_t key[10][2];
    for (uint32_t round = 0; round < 10; round++) {
        key[round][0] = (uint32_t)seed + round * PHILOX_WEYL_0;
        key[round][1] = (uint32_t)(seed >> 32) + round * PHILOX_WEYL_1;
        for (int i = 0; i < 2; i++) philox.keys[round][i] = words_set(key[round][i]);
    }
    const uint32_t *word = counters->word;
    uint64_t product = (uint64_t)PHILOX_MULTIPLIER_1 * word[2];
    uint32_t first_0 = (uint32_t)(product >> 32) ^ word[1] ^ key[0][0], first_1 = (uint32_t)product;
    uint64_t second = (uint64_t)PHILOX_MULTIPLIER_0 * first_0;
    philox.first_2 = words_set(word[3] ^ key[0][1]);
    philox.second_0 = words_set(first_1 ^ key[1][0]);
    philox.second_2 = words_set((uint32_t)(second >> 32) ^ key[1][1]);
    philox.third_2 = words_set((uint32_t)second ^ key[2][1]);
    return philox;
}

/* Of `groups` vectors of counters side by side; in: their word 0, out: the four random words. */
LANE void philox_words(const struct philox *philox, int groups, words w[][4])
{
    const words m0 = words_set(PHILOX_MULTIPLIER_0), m1 = words_set(PHILOX_MULTIPLIER_1);
    UNROLL for (int g = 0; g < groups; g++)
    {
        words product0 = words_multiply32(m0, w[g][0]);
        words word2 = words_xor(words_upper(product0), philox->first_2);
        words product1 = words_multiply32(m1, word2);
        w[g][0] = words_xor(words_right(product1, 32), philox->second_0);
        w[g][1] = product1;
        w[g][2] = words_xor(product0, philox->second_2);
    }
    UNROLL for (int g = 0; g < groups; g++)
    {
        words product0 = words_multiply32(m0, w[g][0]), product1 = words_multiply32(m1, w[g][2]);
        w[g][0] = words_xor3(words_right(product1, 32), w[g][1], philox->keys[2][0]);
        w[g][1] = product1;
        w[g][2] = words_xor(words_upper(product0), philox->third_2);
        w[g][3] = product0;
    }
    UNROLL for (int round = 3; round < 10; round++) UNROLL for (int g = 0; g < groups; g++)
    {
        words product0 = words_multiply32(m0, w[g][0]), product1 = words_multiply32(m1, w[g][2]);
        w[g][0] = words_xor3(words_right(product1, 32), w[g][1], philox->keys[round][0]);
        w[g][1] = product1;
        w[g][2] = words_xor3(words_upper(product0), w[g][3], philox->keys[round][1]);
        w[g][3] = product0;
    }
}

/* Adds 1 where the point of the lower halves of x and y lies outside: x^2 + y^2 overflows. */
LANE words add_misses(words misses, words x, words y)
{
    words xx = words_multiply32(x, x);
    words sum = words_add(xx, words_multiply32(y, y));
    return words_add_where(words_less(sum, xx), misses, words_set(1));
}

static uint64_t sum_words(words x)
{
    uint64_t lanes[LANES], sum = 0;
    words_store(lanes, x);
    for (int i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

LANE void philox_step(const struct philox *philox, int groups, words *next, words w_p[][4])
{
    UNROLL for (int g = 0; g < groups; g++)
    {
        w_p[g][0] = *next;
        *next = words_add(*next, words_set(LANES));
    }
    philox_words(philox, groups, w_p);
}

LANE words philox_misses(const struct philox *philox, int groups, words *next, words misses)
{
    words w[GROUPS][4];
    philox_step(philox, groups, next, w);
    UNROLL for (int g = 0; g < groups; g++) misses = add_misses(add_misses(misses, w[g][0], w[g][1]), w[g][2], w[g][3]);
    return misses;
}

static uint64_t count_hits_philox(uint64_t seed, const struct counters *counters, int64_t count)
{
    const struct philox philox = philox_start(seed, counters);
    words next = words_add(words_set(counters->word[0]), words_load(lane_numbers)), misses = words_set(0);
    int64_t left = count;
    for (; left >= GROUPS * LANES; left -= GROUPS * LANES) misses = philox_misses(&philox, GROUPS, &next, misses);
    for (; left > 0; left -= LANES) misses = philox_misses(&philox, 1, &next, misses);
    return 2 * (uint64_t)count - sum_words(misses);
}

LANE void philox_store(const struct philox *philox, int groups, words *next, uint64_t *radius_p, uint64_t *angle_p)
{
    words w[GROUPS][4];
    philox_step(philox, groups, next, w);
    UNROLL for (int g = 0; g < groups; g++)
    {
        int64_t at = 2 * g * LANES;
        words_store(radius_p + at, w[g][0]);
        words_store(angle_p + at, w[g][1]);
        words_store(radius_p + at + LANES, w[g][2]);
        words_store(angle_p + at + LANES, w[g][3]);
    }
}

static void draw_philox(uint64_t seed, const struct counters *counters, int64_t count, uint64_t *radius_p,
                        uint64_t *angle_p)
{
    const struct philox philox = philox_start(seed, counters);
    words next = words_add(words_set(counters->word[0]), words_load(lane_numbers));
    int64_t done = 0;
    for (; done + GROUPS * LANES <= count; done += GROUPS * LANES)
        philox_store(&philox, GROUPS, &next, radius_p + 2 * done, angle_p + 2 * done);
    for (; done < count; done += LANES) philox_store(&philox, 1, &next, radius_p + 2 * done, angle_p + 2 * done);
}

#ifdef __AES__

/* ---- ARS-7 (random.h): seven rounds of AES. A counter is a block of 128 bits, half a block a lane. */

enum { ARS_SIDE = 4 }; /* vectors side by side: the latency of a round is three or four times what it occupies */

struct ars {
    __m128i keys[ARS_ROUNDS + 1];
};

LANE struct ars ars_start(uint64_t seed)
{
    struct ars ars;
    uint64_t low = seed, high = 0;
    for (int round = 0; round <= ARS_ROUNDS; round++) {
        ars.keys[round] = _mm_set_epi64x((int64_t)high, (int64_t)low);
        low += ARS_WEYL_0;
        high += ARS_WEYL_1;
    }
    return ars;
}

#    ifdef __VAES__

typedef __m512i blocks; /* four */
LANE blocks blocks_set(uint64_t low, uint64_t high)
{
    return _mm512_broadcast_i32x4(_mm_set_epi64x((int64_t)high, (int64_t)low));
}
LANE blocks blocks_key(__m128i key)
{
    return _mm512_broadcast_i32x4(key);
}
/* The first of the four in all places. */
LANE blocks blocks_first(blocks x)
{
    return blocks_key(_mm512_castsi512_si128(x));
}
#        define blocks_xor(x, y)     _mm512_xor_si512(x, y)
#        define blocks_round(x, key) _mm512_aesenc_epi128(x, _mm512_broadcast_i32x4(key))
#        define blocks_last(x, key)  _mm512_aesenclast_epi128(x, _mm512_broadcast_i32x4(key))
LANE blocks blocks_number(uint64_t n)
{
    return _mm512_set_epi64(0, (int64_t)(n + 3), 0, (int64_t)(n + 2), 0, (int64_t)(n + 1), 0, (int64_t)n);
}
LANE words blocks_words(blocks x)
{
    return (words){{x}};
}
/* The lower or the upper halves of eight blocks. */
LANE words blocks_lower(blocks x, blocks y)
{
    return (words){{_mm512_permutex2var_epi64(x, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), y)}};
}
LANE words blocks_upper(blocks x, blocks y)
{
    return (words){{_mm512_permutex2var_epi64(x, _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1), y)}};
}

#    else

typedef struct {
    __m128i b[4];
} blocks;
LANE blocks blocks_set(uint64_t low, uint64_t high)
{
    __m128i x = _mm_set_epi64x((int64_t)high, (int64_t)low);
    return (blocks){{x, x, x, x}};
}
LANE blocks blocks_key(__m128i key)
{
    return (blocks){{key, key, key, key}};
}
/* The first of the four in all places. */
LANE blocks blocks_first(blocks x)
{
    return blocks_key(x.b[0]);
}
LANE blocks blocks_xor(blocks x, blocks y)
{
    return (blocks){{_mm_xor_si128(x.b[0], y.b[0]), _mm_xor_si128(x.b[1], y.b[1]), _mm_xor_si128(x.b[2], y.b[2]),
                     _mm_xor_si128(x.b[3], y.b[3])}};
}
LANE blocks blocks_round(blocks x, __m128i key)
{
    return (blocks){{_mm_aesenc_si128(x.b[0], key), _mm_aesenc_si128(x.b[1], key), _mm_aesenc_si128(x.b[2], key),
                     _mm_aesenc_si128(x.b[3], key)}};
}
LANE blocks blocks_last(blocks x, __m128i key)
{
    return (blocks){{_mm_aesenclast_si128(x.b[0], key), _mm_aesenclast_si128(x.b[1], key),
                     _mm_aesenclast_si128(x.b[2], key), _mm_aesenclast_si128(x.b[3], key)}};
}
LANE blocks blocks_number(uint64_t n)
{
    return (blocks){{_mm_set_epi64x(0, (int64_t)n), _mm_set_epi64x(0, (int64_t)(n + 1)),
                     _mm_set_epi64x(0, (int64_t)(n + 2)), _mm_set_epi64x(0, (int64_t)(n + 3))}};
}
LANE words words_of_blocks(__m128i b0, __m128i b1, __m128i b2, __m128i b3)
{
#        if PARTS == 1
    __m512i x = _mm512_castsi128_si512(b0);
    x = _mm512_inserti64x2(_mm512_inserti64x2(_mm512_inserti64x2(x, b1, 1), b2, 2), b3, 3);
    return (words){{x}};
#        elif PARTS == 2
    return (words){{_mm256_set_m128i(b1, b0), _mm256_set_m128i(b3, b2)}};
#        else
    return (words){{(word_part)b0, (word_part)b1, (word_part)b2, (word_part)b3}};
#        endif
}
LANE words blocks_words(blocks x)
{
    return words_of_blocks(x.b[0], x.b[1], x.b[2], x.b[3]);
}
/* The lower or the upper halves of eight blocks. */
LANE words blocks_lower(blocks x, blocks y)
{
    return words_of_blocks(_mm_unpacklo_epi64(x.b[0], x.b[1]), _mm_unpacklo_epi64(x.b[2], x.b[3]),
                           _mm_unpacklo_epi64(y.b[0], y.b[1]), _mm_unpacklo_epi64(y.b[2], y.b[3]));
}
LANE words blocks_upper(blocks x, blocks y)
{
    return words_of_blocks(_mm_unpackhi_epi64(x.b[0], x.b[1]), _mm_unpackhi_epi64(x.b[2], x.b[3]),
                           _mm_unpackhi_epi64(y.b[0], y.b[1]), _mm_unpackhi_epi64(y.b[2], y.b[3]));
}

#    endif

/* The rounds from `first` on. */
LANE void ars_finish(const struct ars *ars, int first, int side, blocks x[])
{
    UNROLL for (int round = first; round < ARS_ROUNDS; round++) UNROLL for (int i = 0; i < side; i++) x[i] =
        blocks_round(x[i], ars->keys[round]);
    UNROLL for (int i = 0; i < side; i++) x[i] = blocks_last(x[i], ars->keys[ARS_ROUNDS]);
}

/* Of 256 counters that differ in their first byte alone the first round comes from a table: what a round makes of a
 * block is the exclusive or of what it makes of each byte. With e(i) a block of zeros but for the first byte, i:
 *     round(x ^ e(i)) = round(x) ^ round(e(0)) ^ round(e(i)).
 * (So do those who encrypt by AES in counter mode.) */
struct ars_table {
    blocks first_round[256 / 4]; /* of e(i ^ first byte of the key) */
};

static void ars_fill(const struct ars *ars, struct ars_table *table_p)
{
    uint64_t key = (uint64_t)_mm_cvtsi128_si64(ars->keys[0]) & 255;
    for (int i = 0; i < 256 / 4; i++)
        table_p->first_round[i] =
            blocks_round(blocks_xor(blocks_number(4 * (uint64_t)i), blocks_set(key, 0)), _mm_setzero_si128());
}

LANE words ars_misses(const struct ars *ars, const blocks *first_round, blocks rest, int side, words misses)
{
    blocks x[ARS_SIDE];
    UNROLL for (int i = 0; i < side; i++) x[i] = blocks_xor(first_round[i], rest);
    ars_finish(ars, 2, side, x);
    UNROLL for (int i = 0; i < side; i++)
    {
        words point = blocks_words(x[i]);
        misses = add_misses(misses, point, words_upper(point));
    }
    return misses;
}

static uint64_t count_hits_ars(uint64_t seed, const struct counters *counters, int64_t count)
{
    const struct ars ars = ars_start(seed);
    struct ars_table table;
    uint64_t low = counters->word[0] | (uint64_t)counters->word[1] << 32;
    uint64_t high = counters->word[2] | (uint64_t)counters->word[3] << 32;
    words misses = words_set(0);
    ars_fill(&ars, &table);
    for (int64_t done = 0; done < count; done += 256) {
        int64_t end = count - done < 256 ? count - done : 256, i = 0;
        blocks start = blocks_xor(blocks_set(low + (uint64_t)done, high), blocks_key(ars.keys[0]));
        /* Without the first byte's part, which the table has. */
        blocks rest = blocks_xor(blocks_round(start, ars.keys[1]), blocks_first(table.first_round[0]));
        for (; i + 4 * ARS_SIDE <= end; i += 4 * ARS_SIDE)
            misses = ars_misses(&ars, table.first_round + i / 4, rest, ARS_SIDE, misses);
        for (; i < end; i += LANES) misses = ars_misses(&ars, table.first_round + i / 4, rest, 2, misses);
    }
    return 2 * (uint64_t)count - sum_words(misses);
}

static void draw_ars(uint64_t seed, const struct counters *counters, int64_t count, uint64_t *radius_p,
                     uint64_t *angle_p)
{
    const struct ars ars = ars_start(seed);
    uint64_t low = counters->word[0] | (uint64_t)counters->word[1] << 32;
    uint64_t high = counters->word[2] | (uint64_t)counters->word[3] << 32;
    for (int64_t done = 0; done < count; done += LANES) {
        blocks x[2], start = blocks_xor(blocks_set(low + (uint64_t)done, high), blocks_key(ars.keys[0]));
        /* The counters start at a multiple of LANES, so that adding is exclusive or. */
        UNROLL for (int i = 0; i < 2; i++) x[i] = blocks_xor(start, blocks_number(4 * (uint64_t)i));
        ars_finish(&ars, 1, 2, x);
        words first = blocks_lower(x[0], x[1]), second = blocks_upper(x[0], x[1]);
        words_store(radius_p + 2 * done, first);
        words_store(angle_p + 2 * done, words_right(first, 32));
        words_store(radius_p + 2 * done + LANES, second);
        words_store(angle_p + 2 * done + LANES, words_right(second, 32));
    }
}

#endif

#endif
