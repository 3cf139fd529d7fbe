/* The verdict on all places in a sentence or two: what is slow, by how much, and why; or that all are alike; or why
 * neither can be said. With two places, or where no majority agrees, what is slow need not be what is wrong, and that
 * is said too.
 */
#include "nodes.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAMES_MAX = 3, NAME_LENGTH = 96 };

struct sentence {
    size_t length, used;
    char *text;
};

static void say(struct sentence *, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct sentence *sentence, const char *format, ...)
{
    va_list arguments;
    if (sentence->used >= sentence->length) return;
    va_start(arguments, format);
    int added = vsnprintf(sentence->text + sentence->used, sentence->length - sentence->used, format, arguments);
    va_end(arguments);
    if (added > 0) sentence->used += (size_t)added;
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

static const char *verb(int count)
{
    return count == 1 ? "is" : "are";
}

/* "1.31 [1.28, 1.33]" */
static void say_ratio(struct sentence *sentence, const struct spread *time)
{
    say(sentence, "%.2f", time->middle);
    if (time->interval) say(sentence, " [%.2f, %.2f]", time->low, time->high);
}

static const char *name_of(const struct nodes *nodes, const struct nodes_place *place, char text[NAME_LENGTH])
{
    return nodes_place_name(nodes, place, NAME_LENGTH, text);
}

static void say_cause(struct sentence *sentence, const struct nodes_place *place)
{
    char cause[384];
    say(sentence, "%s", nodes_cause_text(place, sizeof cause, cause));
}

/* Of so many places of its kind; NULL where there are not two. */
static const struct nodes_place *other_of_two(const struct nodes *nodes, const struct nodes_place *place)
{
    const struct nodes_place *places = place->cpu < 0 ? nodes->nodes : nodes->cores;
    int count = place->cpu < 0 ? nodes->node_count : nodes->core_count;
    return count != 2 ? NULL : place == &places[0] ? &places[1] : &places[0];
}

static void say_slower_of_two(struct sentence *sentence, const struct nodes *nodes, const struct nodes_place *place,
                              const struct nodes_place *other)
{
    char name[NAME_LENGTH], name_of_other[NAME_LENGTH];
    say(sentence, "Of the two %s, %s is the slower: ", place->cpu < 0 ? "nodes" : "cores", name_of(nodes, place, name));
    say_ratio(sentence, &place->time);
    say(sentence, " times as long as %s; ", name_of(nodes, other, name_of_other));
    say_cause(sentence, place);
    bool disturbed = place->cause == NODES_WAITED || place->cause == NODES_STOLEN || place->cause == NODES_THROTTLED ||
                     place->cause == NODES_SIBLING;
    say(sentence, ". Times alone cannot tell which of two is the odd one%s.", disturbed ? "; the cause does" : "");
}

static void say_no_majority(struct sentence *sentence, const struct nodes *nodes, const struct nodes_place *place)
{
    bool node = place->cpu < 0;
    char name[NAME_LENGTH];
    say(sentence,
        "The %s differ, and most of them are not alike, so that none is the odd one: %d of %d take%s at least "
        "%.0f %% longer than the median one; the longest, %s, ",
        node ? "nodes" : "cores", node ? nodes->slow_nodes : nodes->slow_cores,
        node ? nodes->node_count : nodes->core_count, (node ? nodes->slow_nodes : nodes->slow_cores) == 1 ? "s" : "",
        100 * NODES_THRESHOLD, name_of(nodes, place, name));
    say_ratio(sentence, &place->time);
    say(sentence, " times as long; ");
    say_cause(sentence, place);
    say(sentence, ".");
}

static void say_one_slow(struct sentence *sentence, const struct nodes *nodes, const struct nodes_place *place)
{
    char name[NAME_LENGTH];
    say(sentence, "%s is slow: ", name_of(nodes, place, name));
    say_ratio(sentence, &place->time);
    say(sentence, " times as long as the others; ");
    say_cause(sentence, place);
    say(sentence, ".");
}

static void say_several_slow(struct sentence *sentence, const struct nodes *nodes,
                             const struct nodes_place *const places[], int count)
{
    char name[NAME_LENGTH];
    int told = count < NAMES_MAX ? count : NAMES_MAX;
    if (nodes->slow_nodes > 0)
        say(sentence, "%d of %d nodes %s slow", nodes->slow_nodes, nodes->node_count, verb(nodes->slow_nodes));
    if (nodes->slow_nodes > 0 && nodes->slow_cores > 0)
        say(sentence, ", and %d core%s of other nodes", nodes->slow_cores, plural(nodes->slow_cores));
    if (nodes->slow_nodes == 0) say(sentence, "%d of %d cores are slow", nodes->slow_cores, nodes->core_count);
    say(sentence, ": ");
    for (int i = 0; i < told; i++) {
        say(sentence, "%s%s ", i == 0 ? "" : i + 1 == count ? " and " : ", ", name_of(nodes, places[i], name));
        say_ratio(sentence, &places[i]->time);
    }
    if (count > told) say(sentence, " and %d more", count - told);
    say(sentence, " times as long as the others. Of %s: ", name_of(nodes, places[0], name));
    say_cause(sentence, places[0]);
    say(sentence, ".");
}

static void say_slow(struct sentence *sentence, const struct nodes *nodes)
{
    const struct nodes_place *places[NAMES_MAX];
    int count = nodes->slow_nodes + nodes->slow_cores;
    if (nodes_slowest(nodes, NAMES_MAX, places) == 0) return;
    const struct nodes_place *other = other_of_two(nodes, places[0]);
    bool agrees = places[0]->cpu < 0 ? nodes->nodes_agree : nodes->cores_agree;
    if (other)
        say_slower_of_two(sentence, nodes, places[0], other);
    else if (!agrees)
        say_no_majority(sentence, nodes, places[0]);
    else if (count == 1)
        say_one_slow(sentence, nodes, places[0]);
    else
        say_several_slow(sentence, nodes, places, count);
    if (nodes->open > 0) say(sentence, " Of %d more it is not known whether they are.", nodes->open);
}

/* "4 nodes and 8 cores" */
static void say_all(struct sentence *sentence, const struct nodes *nodes)
{
    if (nodes->node_count > 1) say(sentence, "%d nodes and ", nodes->node_count);
    say(sentence, "%d cores", nodes->core_count);
}

static void say_unknown(struct sentence *sentence, const struct nodes *nodes)
{
    const struct nodes_place *place;
    char name[NAME_LENGTH];
    if (nodes->launches < nodes->launches_needed) {
        say(sentence, "%d launch%s too few to judge ", nodes->launches, nodes->launches == 1 ? " is" : "es are");
        say_all(sentence, nodes);
        say(sentence, ": it takes %d. The slowest so far is ", nodes->launches_needed);
    } else {
        say(sentence, "Nothing is shown to be slow, but %d of ", nodes->open);
        say_all(sentence, nodes);
        say(sentence, " %s not known well enough. The slowest is ", verb(nodes->open));
    }
    if (nodes_slowest(nodes, 1, &place) == 0) return;
    say(sentence, "%s: ", name_of(nodes, place, name));
    say_ratio(sentence, &place->time);
    say(sentence, " times as long as %s, in %d of %d launches more than %.0f %% longer.",
        other_of_two(nodes, place) ? "the other" : "the others", place->slow_launches, place->time.count,
        100 * NODES_THRESHOLD);
}

static void say_alike(struct sentence *sentence, const struct nodes *nodes)
{
    if (nodes->fast > 0) {
        say(sentence, "Nothing is slow among ");
        say_all(sentence, nodes);
        say(sentence, "; %d %s more than %.0f %% faster than the median one.", nodes->fast, verb(nodes->fast),
            100 * NODES_THRESHOLD);
        return;
    }
    say(sentence, nodes->core_count == 2 && nodes->node_count == 1 ? "Both " : "All ");
    if (nodes->core_count == 2 && nodes->node_count == 1)
        say(sentence, "cores");
    else
        say_all(sentence, nodes);
    say(sentence, " are alike within %.0f %%.", fmax(1, ceil(100 * nodes->within - 1e-6)));
}

const char *nodes_sentence(const struct nodes *nodes, size_t length, char *text)
{
    struct sentence sentence = {.length = length, .text = text};
    text[0] = '\0';
    if (nodes->core_count == 0)
        say(&sentence, "There is nothing to compare: no launch gave the times of workers that have a core each.");
    else if (nodes->core_count == 1)
        say(&sentence, "One core alone has nothing to be compared with.");
    else if (nodes->slow_nodes + nodes->slow_cores > 0)
        say_slow(&sentence, nodes);
    else if (nodes->open > 0)
        say_unknown(&sentence, nodes);
    else
        say_alike(&sentence, nodes);
    return text;
}
