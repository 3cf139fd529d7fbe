#include "alive.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double silence_s = 10, stopped_s = 6, start_unknown_s = 60, start_least_s = 8, end_s = 8, pause_s = 1;

struct node {
    int rank; /* that speaks for it */
    char name[64];
    double heard_s;
    int stopped;    /* the first rank that is; -1: none */
    double since_s; /* it has been, as far as was heard */
};

struct alive_watch {
    double start_s, checked_s, start_limit_s;
    double heard_first_s; /* NAN: not yet */
    double done_s;        /* NAN: the ranks are still at it */
    double end_limit_s;
    int nodes_in_all; /* that speak, as they say */
    int count;
    struct node *nodes; /* in the order in which they were heard first; the capacity is the next power of two */
};

size_t alive_format(int rank, int nodes, const char *node, int count, const int stopped[], char text_p[ALIVE_LINE_MAX])
{
    size_t used =
        (size_t)snprintf(text_p, ALIVE_LINE_MAX, ALIVE_LEAD "\"rank\":%d,\"nodes\":%d,\"stopped\":[", rank, nodes);
    for (int i = 0; i < count && i < ALIVE_STOPPED_MAX; i++)
        used += (size_t)snprintf(text_p + used, ALIVE_LINE_MAX - used, "%s%d", i > 0 ? "," : "", stopped[i]);
    used += (size_t)snprintf(text_p + used, ALIVE_LINE_MAX - used, "],\"node\":\"");
    for (int i = 0; node[i] && i < 63; i++)
        text_p[used++] = isalnum((unsigned char)node[i]) || strchr(".-_", node[i]) ? node[i] : '?';
    memcpy(text_p + used, "\"}\n", 4);
    return used + 3;
}

void alive_starts_add(struct alive_starts *starts, int nodes, double start_s)
{
    if (nodes > starts->nodes) starts->nodes = nodes;
    if (start_s > starts->slowest_s) starts->slowest_s = start_s;
}

double alive_starts_usual(const struct alive_starts *starts, int nodes)
{
    return nodes <= starts->nodes ? starts->slowest_s : 0;
}

struct alive_watch *alive_watch_new(double start_s, double usual_s)
{
    struct alive_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return NULL;
    watch->start_s = watch->checked_s = start_s;
    watch->done_s = watch->heard_first_s = NAN;
    watch->start_limit_s = usual_s > 0 ? fmax(start_least_s, 5 * usual_s) : start_unknown_s;
    return watch;
}

void alive_watch_free(struct alive_watch *watch)
{
    if (!watch) return;
    free(watch->nodes);
    free(watch);
}

static struct node *find_node(struct alive_watch *watch, int rank)
{
    for (int i = 0; i < watch->count; i++)
        if (watch->nodes[i].rank == rank) return &watch->nodes[i];
    if ((watch->count & (watch->count - 1)) == 0) {
        struct node *nodes = realloc(watch->nodes, (watch->count ? 2 * (size_t)watch->count : 1) * sizeof *nodes);
        if (!nodes) return NULL;
        watch->nodes = nodes;
    }
    watch->nodes[watch->count] = (struct node){.rank = rank, .stopped = -1};
    return &watch->nodes[watch->count++];
}

int alive_hear(struct alive_watch *watch, const char *text, double now_s)
{
    int rank, nodes, stopped = -1, length = 0;
    char name[64];
    if (sscanf(text, ALIVE_LEAD "\"rank\":%9d,\"nodes\":%9d,\"stopped\":[%n", &rank, &nodes, &length) != 2 ||
        length == 0)
        return 0;
    sscanf(text + length, "%9d", &stopped);
    const char *node = strstr(text + length, "],\"node\":\"");
    if (!node || sscanf(node, "],\"node\":\"%63[A-Za-z0-9._?-]\"}", name) != 1) return 0;
    struct node *own = find_node(watch, rank);
    if (!own) return -ENOMEM;
    if (isnan(watch->heard_first_s)) watch->heard_first_s = now_s;
    watch->nodes_in_all = nodes;
    memcpy(own->name, name, sizeof name);
    own->heard_s = now_s;
    if (own->stopped != stopped) own->since_s = now_s;
    own->stopped = stopped;
    return 0;
}

static void forgive(struct alive_watch *watch, double time_s)
{
    watch->start_s += time_s;
    watch->done_s += time_s;
    watch->heard_first_s += time_s;
    for (int i = 0; i < watch->count; i++) {
        watch->nodes[i].heard_s += time_s;
        watch->nodes[i].since_s += time_s;
    }
}

void alive_watch_done(struct alive_watch *watch, double now_s)
{
    /* MPI's end takes no longer than its start. */
    double start_s = watch->heard_first_s - watch->start_s;
    watch->end_limit_s = isnan(start_s) ? end_s : fmax(end_s, 2 * start_s);
    watch->done_s = now_s;
}

int alive_check(struct alive_watch *watch, double now_s, struct error *error)
{
    if (now_s - watch->checked_s > pause_s) forgive(watch, now_s - watch->checked_s);
    watch->checked_s = now_s;
    if (now_s - watch->done_s > watch->end_limit_s)
        return error_set(error, STATUS_FAILED,
                         "all was measured, but within %.0f s not all ranks ended, or their launcher did not",
                         watch->end_limit_s);
    if (!isnan(watch->done_s)) return STATUS_OK;
    if (watch->count == 0 && now_s - watch->start_s > watch->start_limit_s)
        return error_set(error, STATUS_FAILED,
                         "there is no sign of life from any rank %.0f s after the start: the launcher hangs, a node "
                         "cannot be reached, or a rank died as it started, as it does where memory runs out",
                         watch->start_limit_s);
    if (watch->count < watch->nodes_in_all && now_s - watch->heard_first_s > silence_s)
        return error_set(
            error, STATUS_FAILED,
            "there is a sign of life from %d of the %d nodes alone, for %g s: others hang, or their network "
            "is cut off",
            watch->count, watch->nodes_in_all, silence_s);
    for (int i = 0; i < watch->count; i++) {
        const struct node *node = &watch->nodes[i];
        if (node->stopped >= 0 && now_s - node->since_s > stopped_s)
            return error_set(error, STATUS_FAILED, "rank %d on %s hangs: it is stopped (SIGSTOP)", node->stopped,
                             node->name);
        if (now_s - node->heard_s > silence_s)
            return error_set(error, STATUS_FAILED,
                             "there is no sign of life from %s for %g s: it hangs, or its network is cut off",
                             node->name, silence_s);
    }
    return STATUS_OK;
}
