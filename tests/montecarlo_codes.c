#include "montecarlo_codes.h"

#include <stddef.h>

int montecarlo_codes(struct named_code codes_p[CODES_MAX])
{
    int count = 0;
    for (int isa = 0; isa <= (int)isa_best(); isa++)
        codes_p[count++] = (struct named_code){isa_name((enum isa)isa), montecarlo_code_find((enum isa)isa)};
#ifdef __x86_64__
    if (isa_best() == ISA_AVX512) codes_p[count++] = (struct named_code){"avx512, no more", montecarlo_avx512};
#endif
    for (int i = 0; i < count && generator_unavailable(GENERATOR_ARS); i++) {
        codes_p[i].code.count_hits[GENERATOR_ARS] = NULL;
        codes_p[i].code.draw[GENERATOR_ARS] = NULL;
    }
    return count;
}
