/* What the system tells of the caches. Not pure, but without state. */
#ifndef KERNELS_CACHES_H
#define KERNELS_CACHES_H

#include <stdint.h>

/* Bytes of cache that one of `workers` workers can have for itself, as the caches of the CPU that the caller runs on
 * tell: the most of any level of its data caches, each divided by how many CPUs share it, or by `workers` where these
 * are fewer. 0: nothing is told.
 *
 * A virtual machine is often told the whole cache of its host, but not who else uses it. So no cache counts for more
 * than CACHES_CPU_MOST for each CPU that shares it: about the most that any processor has. */
#define CACHES_CPU_MOST (INT64_C(32) << 20)
int64_t caches_share(int workers);
/* The smallest data cache of that CPU, which is its first; 0: nothing is told. */
int64_t caches_first(void);

/* For tests: how many CPUs a list such as "0-3,8" has; 0: it is none. */
int caches_count_cpus(const char *list);

#endif
