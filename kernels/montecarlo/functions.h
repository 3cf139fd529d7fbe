/* Elementary functions on lanes, for the arguments that Monte Carlo needs (of others the lane is any number, or none);
 * lanes.h comes before. Each lane has the same bits on every instruction set with fused multiply-add. The errors stated
 * are those measured against MPFR (tests/test_functions.c), in units in the last place. Polynomials were found by
 * Sollya's fpminimax (Brisebarre, Chevillard: Efficient polynomial L-infinity approximations. ARITH 18, 2007).
 *
 * Why not SLEEF: its functions take any argument, one vector at a time, and about twice as long in all
 * (tests/bench/bench_montecarlo.c measures it).
 */
#ifndef KERNELS_MONTECARLO_FUNCTIONS_H
#define KERNELS_MONTECARLO_FUNCTIONS_H

/* For each of 16 intervals of mantissas, by their four highest bits: c, about 1 / middle, and 2 ln(c). Exactly 1 and 0
 * on both sides of 1, so that the logarithm loses nothing where it is small. */
static const double log_inverse[16] = {1.0,       0x1.d4p-1, 0x1.bbp-1, 0x1.a4p-1, 0x1.9p-1, 0x1.7dp-1,
                                       0x1.6cp-1, 0x1.5dp-1, 0x1.4e8p0, 0x1.418p0, 0x1.35p0, 0x1.2ap0,
                                       0x1.1f8p0, 0x1.158p0, 0x1.0c8p0, 1.0};
static const double log_of_inverse[16] = {
    0.0,
    -0x1.700d30aeac0e1p-3,
    -0x1.28753bc11aba5p-2,
    -0x1.95a5adcf7017fp-2,
    -0x1.f991c6cb3b379p-2,
    -0x1.2e9e2bce12286p-1,
    -0x1.5d5bddf595f30p-1,
    -0x1.8873658327ccfp-1,
    0x1.11e0e2dad9cb7p-1,
    0x1.d293581b6b3e7p-2,
    0x1.815c0a14357ebp-2,
    0x1.371fc201e8f74p-2,
    0x1.db5270187d927p-3,
    0x1.4a50d3aa1b040p-3,
    0x1.868a83083f6cfp-4,
    0.0,
};

/* -2 ln(x), 0 < x <= 1 and normal; 1.53 ulp (without fused multiply-add 17, where c m is rounded near 1). x = m 2^e,
 * r = c m - 1: -2 ln(1 + r) + 2 ln(c) - 2 e ln(2), |r| <= 1/16. */
LANE reals minus_two_log(reals x)
{
    reals m = reals_mantissa(x);
    words interval = words_right(reals_bits(m), 48);
    reals r = reals_multiply_add(m, reals_lookup(log_inverse, interval), reals_set(-1));
    reals rest =
        reals_multiply_add(reals_exponent(x), reals_set(-0x1.62e42fefa39efp0), reals_lookup(log_of_inverse, interval));
    reals rr = reals_multiply(r, r);
    reals a = reals_multiply_add(r, reals_set(-0.22144278889469429424), reals_set(0.25003712287385726487));
    reals b = reals_multiply_add(r, reals_set(-0.28571633059100864926), reals_set(0.33333332229555073800));
    reals c = reals_multiply_add(r, reals_set(-0.39999999863197888139), reals_set(0.49999999999873073753));
    reals d = reals_multiply_add(r, reals_set(-0.66666666666692575571), reals_set(1));
    a = reals_multiply_add(reals_set(0.17503432995090256741), rr, a);
    a = reals_multiply_add(a, rr, b);
    a = reals_multiply_add(a, rr, c);
    a = reals_multiply_add(a, rr, d);
    return reals_multiply_add(r, reals_multiply_add(r, a, reals_set(-2)), rest);
}

/* sqrt(x / y), 1.23 ulp (1.63 without fused multiply-add); for 0 <= x < 2^100, 2^-100 < y <= 1, with x y either 0 (then
 * the result is 0) or at least 2^-100. From e = 1 / sqrt(x y) in single precision, bettered by a step of third order: x
 * e (1 + h / 2 + 3 h^2 / 8), with h = 1 - x y e^2. */
LANE reals root_of_quotient(reals x, reals y)
{
    /* What is added keeps 0 from being divided by. */
    reals e = reals_single_inverse_root(reals_multiply_add(x, y, reals_set(0x1p-120)));
    reals root = reals_multiply(x, e);
    reals h = reals_multiply_from(root, reals_multiply(y, e), reals_set(1));
    return reals_multiply_add(reals_multiply(root, h), reals_multiply_add(h, reals_set(0.375), reals_set(0.5)), root);
}

/* Of the angle 2 pi (w + 1/2) / 2^32, with w the lower half of the word. 1.44 ulp (1.49).
 * In quarter turns it is q + f with whole q and |f| <= 1/2. */
LANE void sine_cosine(words w, reals *sine_p, reals *cosine_p)
{
    const reals shift =
        reals_set(0x1.8p52); /* adding it rounds to a whole number, and leaves that in the lowest bits */
    reals turn = reals_multiply_add(reals_of_lower(w), reals_set(0x1p-30), reals_set(0x1p-31 - 0x1p22));
    reals shifted = reals_add(turn, shift);
    reals f = reals_subtract(turn, reals_subtract(shifted, shift));
    words q = reals_bits(shifted);
    reals ff = reals_multiply(f, f);

    reals s = reals_multiply_add(ff, reals_set(5.6268589079242946942e-8), reals_set(-3.5985857484984989201e-6));
    s = reals_multiply_add(s, ff, reals_set(1.6044113269458970907e-4));
    s = reals_multiply_add(s, ff, reals_set(-4.6817541296251576067e-3));
    s = reals_multiply_add(s, ff, reals_set(7.9692626245844153110e-2));
    s = reals_multiply_add(s, ff, reals_set(-0.64596409750623806634));
    s = reals_multiply_add(s, ff, reals_set(1.5707963267948965580));
    s = reals_multiply(s, f);
    reals c = reals_multiply_add(ff, reals_set(4.6553271210734094294e-7), reals_set(-2.5200142256716785011e-5));
    c = reals_multiply_add(c, ff, reals_set(9.1925995390675161855e-4));
    c = reals_multiply_add(c, ff, reals_set(-2.0863480735833616481e-2));
    c = reals_multiply_add(c, ff, reals_set(0.25366950789995718063));
    c = reals_multiply_add(c, ff, reals_set(-1.2337005501361553161));
    c = reals_multiply_add(c, ff, reals_set(1));

    /* The second bit of q, and of q + 1, is the sign of the sine, and of the cosine. */
    *sine_p = reals_flip(reals_choose_odd(q, c, s), words_left(q, 62));
    *cosine_p = reals_flip(reals_choose_odd(q, s, c), words_left(words_add(q, words_set(1)), 62));
}

/* The bits of 2^(j / 16), less j 2^48. */
static const uint64_t exp_powers[16] = {0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238,
                                        0x3fef06fe0a31b715, 0x3feedea64c123422, 0x3feebfdad5362a27, 0x3feeab07dd485429,
                                        0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
                                        0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da};

/* exp(x), |x| <= 700; 1.22 ulp (1.23). x = n ln(2) / 16 + r: 2^(n / 16) exp(r), with the power from a table and
 * exponent bits. */
LANE reals exponential(reals x)
{
    const reals shift = reals_set(0x1.8p52);
    reals shifted = reals_multiply_add(x, reals_set(0x1.71547652b82fep4), shift);
    reals n = reals_subtract(shifted, shift);
    words bits = reals_bits(shifted);
    reals r = reals_multiply_from(n, reals_set(0x1.62e42ffp-5), x);
    r = reals_multiply_from(n, reals_set(-0x1.718432a1b0e26p-39), r);
    reals power = reals_of_bits(words_add(words_lookup(exp_powers, bits), words_left(bits, 48)));

    reals rr = reals_multiply(r, r);
    reals a = reals_multiply_add(r, reals_set(8.3334499286587850053e-3), reals_set(4.1666666662638844609e-2));
    reals b = reals_multiply_add(r, reals_set(0.16666666665296350769), reals_set(0.50000000000000011102));
    a = reals_multiply_add(reals_set(1.3889085686196078924e-3), rr, a);
    a = reals_multiply_add(a, rr, b);
    a = reals_multiply_add(a, rr, r);
    return reals_multiply_add(power, a, power);
}

#endif
