/* Eight lanes: vectors of eight doubles (`reals`) or of eight 64-bit words, on every instruction set. A lane computes
 * the same bits everywhere (reals: wherever there is fused multiply-add), however many registers the eight take.
 *
 * Before this file comes one lanes_*.h, which gives the operations on a register; here they are put together.
 */
#ifndef KERNELS_MONTECARLO_LANES_H
#define KERNELS_MONTECARLO_LANES_H

enum { LANES = 8 };

typedef struct {
    word_part p[PARTS];
} words;
typedef struct {
    real_part p[PARTS];
} reals;
typedef struct {
    mask_part p[PARTS];
} lane_mask;

/* f on each register, written out: a loop would keep the eight in memory. */
#if PARTS == 1
#    define EACH1(f, x)          f((x).p[0])
#    define EACH2(f, x, y)       f((x).p[0], (y).p[0])
#    define EACH3(f, x, y, z)    f((x).p[0], (y).p[0], (z).p[0])
#    define EACH4(f, m, x, y, z) f((m).p[0], (x).p[0], (y).p[0], (z).p[0])
#    define EACH_WITH(f, x, s)   f((x).p[0], s)
#    define EACH_SET(x)          x
#    define EACH_LOAD(f, from)   f((from) + 0)
#    define EACH_STORE(f, to, x) (f((to) + 0, (x).p[0]))
#elif PARTS == 2
#    define EACH1(f, x)          f((x).p[0]), f((x).p[1])
#    define EACH2(f, x, y)       f((x).p[0], (y).p[0]), f((x).p[1], (y).p[1])
#    define EACH3(f, x, y, z)    f((x).p[0], (y).p[0], (z).p[0]), f((x).p[1], (y).p[1], (z).p[1])
#    define EACH4(f, m, x, y, z) f((m).p[0], (x).p[0], (y).p[0], (z).p[0]), f((m).p[1], (x).p[1], (y).p[1], (z).p[1])
#    define EACH_WITH(f, x, s)   f((x).p[0], s), f((x).p[1], s)
#    define EACH_SET(x)          x, x
#    define EACH_LOAD(f, from)   f((from) + 0), f((from) + 4)
#    define EACH_STORE(f, to, x) (f((to) + 0, (x).p[0]), f((to) + 4, (x).p[1]))
#else
#    define EACH1(f, x)    f((x).p[0]), f((x).p[1]), f((x).p[2]), f((x).p[3])
#    define EACH2(f, x, y) f((x).p[0], (y).p[0]), f((x).p[1], (y).p[1]), f((x).p[2], (y).p[2]), f((x).p[3], (y).p[3])
#    define EACH3(f, x, y, z)                                                                                          \
        f((x).p[0], (y).p[0], (z).p[0]), f((x).p[1], (y).p[1], (z).p[1]), f((x).p[2], (y).p[2], (z).p[2]),             \
            f((x).p[3], (y).p[3], (z).p[3])
#    define EACH4(f, m, x, y, z)                                                                                       \
        f((m).p[0], (x).p[0], (y).p[0], (z).p[0]), f((m).p[1], (x).p[1], (y).p[1], (z).p[1]),                          \
            f((m).p[2], (x).p[2], (y).p[2], (z).p[2]), f((m).p[3], (x).p[3], (y).p[3], (z).p[3])
#    define EACH_WITH(f, x, s) f((x).p[0], s), f((x).p[1], s), f((x).p[2], s), f((x).p[3], s)
#    define EACH_SET(x)        x, x, x, x
#    define EACH_LOAD(f, from) f((from) + 0), f((from) + 2), f((from) + 4), f((from) + 6)
#    define EACH_STORE(f, to, x)                                                                                       \
        (f((to) + 0, (x).p[0]), f((to) + 2, (x).p[1]), f((to) + 4, (x).p[2]), f((to) + 6, (x).p[3]))
#endif

/* For loops over a few vectors: fully unrolled, or they would live in memory. For loops over arrays: two side by side.
 */
#ifdef __clang__
#    define UNROLL       _Pragma("clang loop unroll(full)")
#    define UNROLL_TWICE _Pragma("clang loop unroll_count(2)")
#else
#    define UNROLL       _Pragma("GCC unroll 16")
#    define UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define LANE static inline __attribute__((always_inline))

/* Functions name(x), name(x, y), name(x, y, z) that do `part` on each register. */
#define UNARY(result, name, type, part)                                                                                \
    LANE result name(type x)                                                                                           \
    {                                                                                                                  \
        return (result){{EACH1(part, x)}};                                                                             \
    }
#define BINARY(result, name, type, part)                                                                               \
    LANE result name(type x, type y)                                                                                   \
    {                                                                                                                  \
        return (result){{EACH2(part, x, y)}};                                                                          \
    }
#define TERNARY(result, name, first, type, part)                                                                       \
    LANE result name(first x, type y, type z)                                                                          \
    {                                                                                                                  \
        return (result){{EACH3(part, x, y, z)}};                                                                       \
    }

LANE words words_set(uint64_t x)
{
    const word_part all = wp_set(x);
    return (words){{EACH_SET(all)}};
}

LANE words words_load(const uint64_t *from)
{
    return (words){{EACH_LOAD(wp_load, from)}};
}

LANE void words_store(uint64_t *to, words x)
{
    EACH_STORE(wp_store, to, x);
}

BINARY(words, words_add, words, wp_add)
BINARY(words, words_and, words, wp_and)
BINARY(words, words_xor, words, wp_xor)
TERNARY(words, words_xor3, words, words, wp_xor3)
/* By a constant. */
#define words_left(x, count)  ((words){{EACH_WITH(wp_left, x, count)}})
#define words_right(x, count) ((words){{EACH_WITH(wp_right, x, count)}})
/* The upper halves in place of the lower; what is above is undefined. */
UNARY(words, words_upper, words, wp_upper)
/* The product, of 64 bits, of the lower halves. */
BINARY(words, words_multiply32, words, wp_multiply32)
BINARY(lane_mask, words_less, words, wp_less)
/* y + z where the mask holds, else y. */
TERNARY(words, words_add_where, lane_mask, words, wp_add_where)

/* table[x % 16] */
LANE words words_lookup(const uint64_t table[16], words x)
{
    return (words){{EACH_WITH(wp_lookup, x, table)}};
}

LANE reals reals_set(double x)
{
    const real_part all = rp_set(x);
    return (reals){{EACH_SET(all)}};
}

LANE reals reals_load(const double *from)
{
    return (reals){{EACH_LOAD(rp_load, from)}};
}

LANE void reals_store(double *to, reals x)
{
    EACH_STORE(rp_store, to, x);
}

BINARY(reals, reals_add, reals, rp_add)
BINARY(reals, reals_subtract, reals, rp_subtract)
BINARY(reals, reals_multiply, reals, rp_multiply)
/* x y + z, and z - x y, rounded once where there is fused multiply-add. */
TERNARY(reals, reals_multiply_add, reals, reals, rp_multiply_add)
TERNARY(reals, reals_multiply_from, reals, reals, rp_multiply_from)
BINARY(reals, reals_maximum, reals, rp_maximum)
/* The larger of |x| and |y|. */
BINARY(reals, reals_maximum_absolute, reals, rp_maximum_absolute)
UNARY(reals, reals_root, reals, rp_root)
UNARY(words, reals_bits, reals, rp_bits)
UNARY(reals, reals_of_bits, words, rp_of_bits)
/* Exact; of words below 2^52. */
UNARY(reals, reals_of_words, words, rp_of_words)
/* 2^52 + the lower half, exact: as the mantissa of a double from 2^52 on. */
UNARY(reals, reals_of_lower, words, rp_of_lower)
/* Towards 0; of reals in [0, 2^31); of others any word. */
UNARY(words, reals_floor_words, reals, rp_floor_words)
BINARY(lane_mask, reals_at_most, reals, rp_at_most)
/* y where x is odd, else z. */
TERNARY(reals, reals_choose_odd, words, reals, rp_choose_odd)
/* x = mantissa * 2^exponent, 0.75 <= mantissa < 1.5; of positive, normal x. */
UNARY(reals, reals_mantissa, reals, rp_mantissa)
UNARY(reals, reals_exponent, reals, rp_exponent)
/* 1 / sqrt(x) to about 23 bits: both operations in single precision, rounded as IEEE 754 has it, hence the same bits
 * everywhere (the processors' own estimates are not). Of x that single precision can hold. */
UNARY(reals, reals_single_inverse_root, reals, rp_single_inverse_root)

/* -x where the highest bit of w is set, else x. */
LANE reals reals_flip(reals x, words w)
{
    return (reals){{EACH2(rp_flip, x, w)}};
}

/* x y + z where the mask holds, else z. */
LANE reals reals_multiply_add_where(lane_mask mask, reals x, reals y, reals z)
{
    return (reals){{EACH4(rp_multiply_add_where, mask, x, y, z)}};
}

/* table[x % 16] */
LANE reals reals_lookup(const double table[16], words x)
{
    return reals_of_bits((words){{EACH_WITH(wp_lookup, x, table)}});
}

/* The generator of NPB (random.h) in each lane, in whatever form suits the processor: from a number; the number times a
 * multiplier, modulo 2^46; and the number / 2^45 - 1, exact. */
UNARY(words, lcg46_start, words, wp_lcg46_start)
BINARY(words, lcg46_step, words, wp_lcg46_step)
UNARY(reals, lcg46_real, words, rp_of_lcg46)

#endif
