/* What the system tells of the caches. Not pure, but without state. */
#ifndef KERNELS_CACHES_H
#define KERNELS_CACHES_H

#include <stdint.h>

/* Bytes of cache that one of `workers` workers can have for itself, as the caches of the CPU that the caller runs on
 * tell: the most of any level of its data caches, each divided by how many CPUs share it, or by `workers` where these
 * are fewer. 0: nothing is told. In a virtual machine this may be more than there is: the caches of the host are told,
 * but not who else uses them. */
int64_t caches_share(int workers);
/* The largest cache of that CPU, undivided; 0: nothing is told. */
int64_t caches_largest(void);

/* For tests: how many CPUs a list such as "0-3,8" has; 0: it is none. */
int caches_count_cpus(const char *list);

#endif
