#include "isa.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined __x86_64__
#    define BASE_NAME "sse2"
#elif defined __aarch64__
#    define BASE_NAME "neon"
#else
#    define BASE_NAME "generic"
#endif

static const char *const names[ISA_COUNT] = {BASE_NAME, "avx2", "avx512"};

const char *isa_name(enum isa isa)
{
    return names[isa];
}

enum isa isa_best(void)
{
#ifdef __x86_64__
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ISA_BASE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
        return ISA_AVX512;
    return ISA_AVX2;
#else
    return ISA_BASE;
#endif
}

int isa_find(const char *name, enum isa *isa_p)
{
    static const char *const elsewhere[] = {"sse2", "neon", "generic"};
    enum isa best = isa_best();
    if (!name || !*name) {
        *isa_p = best;
        return 0;
    }
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (strcmp(name, names[isa]) != 0) continue;
        if (isa > (int)best) return -ENOTSUP;
        *isa_p = (enum isa)isa;
        return 0;
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (strcmp(name, elsewhere[i]) == 0) return -ENOTSUP;
    return -EINVAL;
}

const char *isa_list(unsigned long length, char *text)
{
    int used = 0;
    text[0] = '\0';
    for (int isa = 0; isa <= (int)isa_best() && used < (int)length; isa++)
        used += snprintf(text + used, length - (unsigned long)used, "%s%s", isa ? ", " : "", names[isa]);
    return text;
}
