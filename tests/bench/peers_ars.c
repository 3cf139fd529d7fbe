/* Compiled for AES instructions; the build names the function (PI_ARS). */
#include "peers_random123.h"

#include "peers.h"

#include <Random123/ars.h>

double PI_ARS(const struct question *question, int64_t points)
{
    const ars4x32_key_t key = {{1, 2, 3, 4}};
    int64_t hits = 0;
    (void)question;
    for (int64_t i = 0; i < points / 2; i++) {
        ars4x32_ctr_t counter = {{(uint32_t)i, (uint32_t)(i >> 32), 0, 0}};
        ars4x32_ctr_t words = ars4x32(counter, key);
        hits += random123_hits(words.v);
    }
    return 4 * (double)hits / (double)points;
}
