#include "code.h"

#include <stddef.h>

#ifdef __x86_64__
#    include <cpuid.h>

/* What the names of isa.h leave open, by the manual's CPUID bits: compilers do not all know the names of these. The
 * second is asked only where the system lets AVX-512 be used. */
static bool has_aes(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AES);
}

static bool has_ifma_and_vaes(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 21) && (c & 1u << 9);
}
#endif

struct montecarlo_code montecarlo_code_find(enum isa isa)
{
    struct montecarlo_code code = montecarlo_base;
#ifdef __x86_64__
    if (isa == ISA_AVX2) code = montecarlo_avx2;
    if (isa == ISA_AVX512) code = has_ifma_and_vaes() ? montecarlo_avx512_vaes : montecarlo_avx512;
#endif
    (void)isa;
    if (generator_unavailable(GENERATOR_ARS)) {
        code.count_hits[GENERATOR_ARS] = NULL;
        code.draw[GENERATOR_ARS] = NULL;
    }
    return code;
}

const char *generator_unavailable(enum generator generator)
{
    if (generator != GENERATOR_ARS) return NULL;
#ifdef __x86_64__
    return has_aes() ? NULL : "ARS-7 needs AES instructions, which this processor does not have";
#else
    return "ARS-7 is made for the AES instructions of x86-64";
#endif
}
