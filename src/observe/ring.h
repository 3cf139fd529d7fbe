/* Records of the kernel's (perf_event_open(2)) and the memory through which they come: what all who ask for such
 * records share. Unprivileged where kernel.perf_event_paranoid is 2 or less. */
#ifndef SPEEDUP_OBSERVE_RING_H
#define SPEEDUP_OBSERVE_RING_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RECORD_MAX = 4096 + 256 }; /* bytes: a mapped file's path and the rest */

/* One record, as it came. At its end, but for samples, is what sample_type asked for. */
struct record {
    struct perf_event_header header;
    union {
        struct {
            uint32_t pid, parent_pid, tid, parent_tid;
        } task; /* PERF_RECORD_FORK, PERF_RECORD_EXIT */
        struct {
            uint32_t pid, tid;
            char name[16];
        } comm;
        struct {
            uint32_t pid, tid;
            uint64_t address, length, offset;
            char path[RECORD_MAX - 48];
        } map;
        struct {
            uint64_t id, lost;
        } lost;
        char bytes[RECORD_MAX];
    } body;
};

/* What one event watches. */
struct source {
    pid_t tid;                /* 0: the calling thread, and what it starts, where the event is inherited */
    int cpu;                  /* -1: all, and then events are not inherited */
    int pages_max, pages_min; /* of its ring, without the one that every ring has besides; powers of two */
};

struct ring {
    struct perf_event_mmap_page *page; /* and the data behind it */
    size_t bytes;                      /* of the data: a power of two */
    int cpu;
};

/* A ring for each source, or for each CPU that sources name: those of the same CPU share one. */
struct rings {
    int count;
    int *descriptors; /* of each ring's first event; -1: a CPU that is offline, a thread that had ended */
    struct ring *list;
    int shared_count;
    int *shared;       /* descriptors of the further events */
    size_t record_max; /* bytes */
    uint64_t lost;     /* records, as the kernel counts them */
    bool full;         /* a ring was found full: then some may be lost */
};

/* Opens an event for each source, not on yet, of user code alone, timed by CLOCK_MONOTONIC, with sample_id_all, and a
 * ring as large as memory may be locked. The attribute has the rest. 0, -ENOMEM, or another negative errno value that
 * rings_explain explains; then there is nothing to close. */
int rings_open(const struct perf_event_attr *, int count, const struct source sources[], struct rings *rings_p);
/* One event alone, to see whether it may be had: a descriptor, or a negative errno value. */
int ring_try(const struct perf_event_attr *, struct source);
void rings_close(struct rings *);
void rings_enable(const struct rings *);
void rings_disable(const struct rings *);
/* Hands over all records that are there, those of a ring in their order. */
void rings_drain(struct rings *, void (*take)(void *context, const struct record *), void *context);
/* Why there are no events, for a sentence. */
void rings_explain(int status, size_t length, char *reason_p);

#endif
