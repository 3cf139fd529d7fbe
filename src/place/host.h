/* Names of machines. */
#ifndef SPEEDUP_PLACE_HOST_H
#define SPEEDUP_PLACE_HOST_H

#include <stdbool.h>

/* Pure. node1.cluster.example and node1 are the same; node1.a and node1.b are not. Case does not matter. */
bool host_same_name(const char *a, const char *b);

/* Whether the name is one of this machine's: its own, in full or up to the first dot; localhost; or one that the
 * system's resolver knows, with an address that an interface of this machine has. May ask a name server. */
bool host_is_this(const char *name);

#endif
