/* Inside present/ alone: what messages of each size took, and the law that they follow. */
#ifndef SPEEDUP_PRESENT_MESSAGES_H
#define SPEEDUP_PRESENT_MESSAGES_H

#include "../analyse/network.h"
#include "text.h"

/* What the record tells of one configuration. */
struct messages {
    int count;
    struct network_point points[KERNEL_POINTS_MAX];
    bool judged; /* else the samples were too short to be judged */
    struct network_fit fit;
};
/* Returns false where there is nothing to tell: a kernel that times no messages, or no sample that counts. */
bool messages_of(const struct group *, struct messages *messages_p);

/* Texts that the terminal and the report share; each returns text. What one time, and one MB/s, is of. */
const char *messages_legend_text(const struct messages *, size_t length, char *text);
/* "Fitted: latency 0.41 us, bandwidth 8870 MB/s. ..." with how far the points are from it, or what they do not tell. */
const char *messages_fit_text(const struct messages *, size_t length, char *text);
/* "0.412", "8390": numbers of a column. */
const char *messages_time_text(const struct network_point *, size_t length, char *text);
const char *messages_bandwidth_text(const struct network_point *, size_t length, char *text);

#endif
