#include "method.h"

#include "../random.h"
#include "ars.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct method method_of(const struct variant *variant)
{
    bool ars = strcmp(variant->name, "ars") == 0;
    return (struct method){.generator = ars ? GENERATOR_ARS : GENERATOR_PHILOX,
                           .vector = strcmp(variant->name, "scalar") != 0};
}

const char *method_ars_unavailable(void)
{
    return generator_unavailable(GENERATOR_ARS);
}

int method_size_for(int64_t most, double work, struct size *size_p)
{
    if (!(work >= 0.5 && work <= (double)most)) return -ERANGE;
    *size_p = (struct size){.dims = 1, .dim = {(int64_t)round(work)}};
    return 0;
}

void method_draw(enum generator generator, uint64_t seed, const uint32_t counter[4], uint32_t words_p[4])
{
    const uint32_t key[4] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    if (generator == GENERATOR_PHILOX)
        philox4x32(counter, key, words_p);
    else
        ars4x32(counter, key, words_p);
}
