/* What a program's own objects and static libraries ask of malloc and its like, counted by the linker's --wrap for each
 * of these names (tests/CMakeLists.txt). What shared libraries ask is not seen. */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

#include <stdint.h>

struct allocations {
    int64_t count;
    double bytes;
    int64_t failing; /* the one that fails, when so many were counted before it; -1: none */
};
/* To be read and set while no other thread allocates. */
struct allocations *allocations_seen(void);

#endif
