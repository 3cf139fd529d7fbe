#include "tree.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cpu_mask_count(const struct cpu_mask *mask)
{
    int count = 0;
    for (int i = 0; i < CPUS_MAX / 64; i++) count += __builtin_popcountll(mask->bits[i]);
    return count;
}

bool cpu_mask_has(const struct cpu_mask *mask, int cpu)
{
    return cpu >= 0 && cpu < CPUS_MAX && (mask->bits[cpu / 64] >> cpu % 64 & 1);
}

bool cpu_mask_same(const struct cpu_mask *a, const struct cpu_mask *b)
{
    return memcmp(a->bits, b->bits, sizeof a->bits) == 0;
}

/* Digits alone: no sign, no blanks before it. */
static int parse_number(const char **text, unsigned long *number_p)
{
    char *end;
    if (!isdigit((unsigned char)**text)) return -EINVAL;
    *number_p = strtoul(*text, &end, 10);
    *text = end;
    return 0;
}

int cpu_mask_parse(const char *text, struct cpu_mask *mask_p)
{
    struct cpu_mask mask = {.bits = {0}};
    for (;;) {
        unsigned long first, last;
        if (parse_number(&text, &first)) return -EINVAL;
        last = first;
        if (*text == '-') {
            text++;
            if (parse_number(&text, &last) || last < first) return -EINVAL;
        }
        for (unsigned long cpu = first; cpu <= last && cpu < CPUS_MAX; cpu++)
            mask.bits[cpu / 64] |= (uint64_t)1 << cpu % 64;
        if (*text != ',') break;
        text++;
    }
    if (*text != '\0' && *text != '\n') return -EINVAL;
    *mask_p = mask;
    return 0;
}

const char *cpu_mask_format(const struct cpu_mask *mask, size_t length, char *text)
{
    size_t used = 0;
    if (length > 0) text[0] = '\0';
    for (int cpu = 0; cpu < CPUS_MAX && used < length; cpu++) {
        if (!cpu_mask_has(mask, cpu)) continue;
        int last = cpu;
        while (cpu_mask_has(mask, last + 1)) last++;
        used += (size_t)snprintf(text + used, length - used, "%s%d", used > 0 ? "," : "", cpu);
        if (last > cpu && used < length) used += (size_t)snprintf(text + used, length - used, "-%d", last);
        cpu = last;
    }
    return text;
}
