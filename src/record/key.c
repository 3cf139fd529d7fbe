/* The key of a configuration: FNV-1a (64 bits, Fowler, Noll and Vo) of its canonical JSON: names sorted, no blanks,
 * UTF-8. Anyone can compute it again from a line of the record; SCHEMA.md shows how in Python. */
#include "fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t record_hash(size_t length, const void *bytes)
{
    return record_hash_more(UINT64_C(0xcbf29ce484222325), length, bytes);
}

uint64_t record_hash_more(uint64_t hash, size_t length, const void *bytes)
{
    for (size_t i = 0; i < length; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

const char *record_config_key(const struct config *config, char text[17])
{
    text[0] = '\0';
    json_t *json = record_encode_config(config);
    char *canonical = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (canonical) snprintf(text, 17, "%016" PRIx64, record_hash(strlen(canonical), canonical));
    free(canonical);
    json_decref(json);
    return text;
}
