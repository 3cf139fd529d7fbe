/* The key of a configuration: FNV-1a (64 bits, Fowler, Noll and Vo) of its canonical JSON: names sorted, no blanks,
 * UTF-8. Anyone can compute it again from a line of the record; SCHEMA.md shows how in Python. */
#include "fields.h"

#include <inttypes.h>
#include <stdlib.h>

const char *record_config_key(const struct config *config, char text[17])
{
    text[0] = '\0';
    json_t *json = record_encode_config(config);
    char *canonical = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (canonical) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        for (const char *c = canonical; *c; c++) hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
        snprintf(text, 17, "%016" PRIx64, hash);
    }
    free(canonical);
    json_decref(json);
    return text;
}
