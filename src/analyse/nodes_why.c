/* What a slow place spent its additional time on, and what is to be said of all places. The time of a place is CPU
 * time, waiting for its core, and the rest; what it has more of each than the median place adds up to what it takes
 * longer, so the part with at least half of that is the cause. Time that the hypervisor took hides in CPU time or in
 * the rest, whichever the kernel puts it in: it is looked at first.
 */
#include "nodes_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double CAUSE_SHARE = 0.5;      /* of the additional time */
static const double SIBLING_FROM = 0.1;     /* of the sample: a program on the other hardware thread counts */
static const double THROTTLED_SHARE = 0.25; /* of the additional time: a quota is then the cause of a wait */

enum nodes_cause nodes_find_cause(const struct nodes_place *place, const double parts[NODES_PART_COUNT],
                                  double throttled)
{
    /* Comparisons with NAN are false: what was not observed is no cause. */
    double more = place->time.middle - 1, least = CAUSE_SHARE * more;
    double stood = more - parts[NODES_MORE_CPU] - parts[NODES_MORE_WAIT];
    bool stopped = throttled * place->time.middle >= THROTTLED_SHARE * more;
    if (parts[NODES_MORE_STEAL] >= least) return NODES_STOLEN;
    if (parts[NODES_MORE_WAIT] >= least) {
        bool held = place->foreign * place->time.middle >= least;
        return stopped && !held ? NODES_THROTTLED : NODES_WAITED;
    }
    if (parts[NODES_MORE_CPU] >= least) return place->sibling >= SIBLING_FROM ? NODES_SIBLING : NODES_COMPUTED;
    if (stood >= least) return stopped ? NODES_THROTTLED : NODES_STOOD;
    return NODES_MIXED;
}

const char *nodes_state_text(enum nodes_state state)
{
    static const char *const texts[] = {
        [NODES_ALIKE] = "alike", [NODES_SLOW] = "slow", [NODES_FAST] = "faster", [NODES_OPEN] = "not known"};
    return texts[state];
}

const char *nodes_cause_name(enum nodes_cause cause)
{
    static const char *const names[] = {
        [NODES_WAITED] = "waited",   [NODES_STOLEN] = "stolen",     [NODES_THROTTLED] = "throttled",
        [NODES_SIBLING] = "sibling", [NODES_COMPUTED] = "cpu_time", [NODES_STOOD] = "stood",
        [NODES_MIXED] = "mixed"};
    return names[cause];
}

const char *nodes_place_name(const struct nodes *nodes, const struct nodes_place *place, size_t length, char *text)
{
    const char *host = *place->host ? place->host : "a node without a name";
    if (place->cpu < 0)
        snprintf(text, length, "%s", host);
    else if (nodes->node_count > 1)
        snprintf(text, length, "CPU %d of %s", place->cpu, host);
    else
        snprintf(text, length, "CPU %d", place->cpu);
    return text;
}

static int percent(double share)
{
    return (int)lround(100 * fmin(fmax(share, 0), 1e4));
}

const char *nodes_cause_text(const struct nodes_place *place, size_t length, char *text)
{
    bool node = place->cpu < 0;
    double cpu = place->cpu_time.middle;
    text[0] = '\0';
    switch (place->cause) {
    case NODES_NO_CAUSE:
        break;
    case NODES_WAITED:
        snprintf(text, length,
                 node ? "its workers waited for their cores for %d %% of their time: other programs run there"
                      : "its worker waited for the core for %d %% of its time: another program runs there",
                 percent(place->waited));
        break;
    case NODES_STOLEN:
        snprintf(text, length,
                 "the hypervisor took %d %% of its time (steal): other virtual machines have a part of its processor",
                 percent(place->stolen));
        break;
    case NODES_THROTTLED:
        snprintf(text, length,
                 "the CPU quota of a control group stopped it (cpu.max): a larger quota, or none, would help");
        break;
    case NODES_SIBLING:
        snprintf(text, length,
                 "it needs %.2f times the CPU time for the same work, as another program used the other hardware "
                 "thread of %s for %d %% of the time",
                 cpu, node ? "its cores" : "its core", percent(place->sibling));
        break;
    case NODES_COMPUTED:
        snprintf(text, length,
                 "it needs %.2f times the CPU time for the same work, and no other program shows there: a slower "
                 "clock (power or heat limit, governor), another kind of processor, or a neighbour that uses its "
                 "caches and memory",
                 cpu);
        break;
    case NODES_STOOD:
        snprintf(text, length,
                 "for %d %% of its time it neither computed nor waited for its core: it was stopped, or what it runs "
                 "on was",
                 percent(place->stood));
        break;
    case NODES_MIXED:
        snprintf(text, length,
                 "it has no single cause: %.2f times the CPU time, %d %% of its time waiting for its core, %d %% "
                 "neither",
                 cpu, percent(place->waited), percent(place->stood));
        break;
    }
    return text;
}

/* Slow ones first, nodes before cores, the slowest first. */
static int compare_slowness(const void *a, const void *b)
{
    const struct nodes_place *left = *(const struct nodes_place *const *)a,
                             *right = *(const struct nodes_place *const *)b;
    int slow = (right->state == NODES_SLOW) - (left->state == NODES_SLOW);
    int node = (right->cpu < 0) - (left->cpu < 0);
    int time = (left->time.middle < right->time.middle) - (left->time.middle > right->time.middle);
    return slow ? slow : node ? node : time;
}

static bool is_told_alone(const struct nodes_place *place)
{
    return (place->state == NODES_SLOW || place->state == NODES_OPEN) && !place->by_node;
}

/* Heap, the caller's; NULL: no memory. */
static const struct nodes_place **list_outliers(const struct nodes *nodes, int *count_p)
{
    const struct nodes_place **list = calloc((size_t)(nodes->core_count + nodes->node_count) + 1, sizeof *list);
    int count = 0;
    for (int n = 0; list && n < nodes->node_count && nodes->node_count > 1; n++)
        if (is_told_alone(&nodes->nodes[n])) list[count++] = &nodes->nodes[n];
    for (int c = 0; list && c < nodes->core_count; c++)
        if (is_told_alone(&nodes->cores[c])) list[count++] = &nodes->cores[c];
    if (list) qsort(list, (size_t)count, sizeof *list, compare_slowness);
    *count_p = count;
    return list;
}

/* Whether a core has a row of its own beside its node's. */
static bool has_row(const struct nodes *nodes, const struct nodes_place *node, const struct nodes_place *core)
{
    return nodes->node_count == 1 || node->state == NODES_SLOW || is_told_alone(core);
}

/* All rows, as far as there is room. Returns how many there are. */
static int list_rows(const struct nodes *nodes, int most, const struct nodes_place *places_p[])
{
    int count = 0;
    for (int n = 0, c = 0; n < nodes->node_count; n++) {
        const struct nodes_place *node = &nodes->nodes[n];
        if (nodes->node_count > 1 && count++ < most) places_p[count - 1] = node;
        for (; c < nodes->core_count && strcmp(nodes->cores[c].host, node->host) == 0; c++)
            if (has_row(nodes, node, &nodes->cores[c]) && count++ < most) places_p[count - 1] = &nodes->cores[c];
    }
    return count;
}

int nodes_slowest(const struct nodes *nodes, int most, const struct nodes_place *places_p[])
{
    int count;
    const struct nodes_place **outliers = list_outliers(nodes, &count);
    if (!outliers) return 0;
    if (count > most) count = most;
    for (int i = 0; i < count; i++) places_p[i] = outliers[i];
    free(outliers);
    return count;
}

int nodes_select(const struct nodes *nodes, int most, const struct nodes_place *places_p[], bool *whole_p)
{
    int count = list_rows(nodes, most, places_p);
    *whole_p = count <= most;
    return *whole_p ? count : nodes_slowest(nodes, most, places_p);
}

double nodes_quantile(const struct nodes *nodes, bool of_nodes, double q)
{
    int count = of_nodes ? nodes->node_count : nodes->core_count;
    const struct nodes_place *places = of_nodes ? nodes->nodes : nodes->cores;
    double *values = calloc((size_t)count + 1, sizeof *values);
    for (int i = 0; values && i < count; i++) values[i] = places[i].time.middle;
    double value = values ? quantile(count, values, q) : NAN;
    free(values);
    return value;
}
