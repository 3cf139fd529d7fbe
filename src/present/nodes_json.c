/* The same numbers as JSON: for programs, unrounded, all nodes and all cores. What is not known is null. */
#include "nodes_text.h"

#include <math.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *encode_spread(const struct spread *spread)
{
    if (!isfinite(spread->middle)) return json_null();
    return json_pack("{s:o, s:o, s:o, s:b, s:i}", "median", number(spread->middle), "low", number(spread->low), "high",
                     number(spread->high), "interval", spread->interval, "count", spread->count);
}

static json_t *encode_place(const struct nodes_place *place)
{
    bool core = place->cpu >= 0;
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s?}", "host", target_json_text(place->host), "time",
        encode_spread(&place->time), "cpu_time", encode_spread(&place->cpu_time), "waited", number(place->waited),
        "foreign", number(place->foreign), "steal", number(place->stolen), "sibling", number(place->sibling), "stood",
        number(place->stood), "state", place->state == NODES_OPEN ? "not_known" : nodes_state_text(place->state),
        "cause", nodes_cause_name(place->cause));
    json_object_set_new(object, "slow_launches", json_integer(place->slow_launches));
    if (core) json_object_set_new(object, "cpu", json_integer(place->cpu));
    if (core) json_object_set_new(object, "slow_node", json_boolean(place->by_node));
    if (!core) json_object_set_new(object, "cores", json_integer(place->core_count));
    if (!core) json_object_set_new(object, "slow_cores", json_integer(place->slow_cores));
    return object;
}

static json_t *encode_places(int count, const struct nodes_place places[])
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(list, encode_place(&places[i]));
    return list;
}

static json_t *encode(const struct group *group, const struct nodes *nodes)
{
    char sentence[1400];
    nodes_sentence(nodes, sizeof sentence, sentence);
    int node_count = nodes->node_count > 1 ? nodes->node_count : 0;
    return json_pack("{s:s, s:i, s:s, s:s, s:o, s:b, s:o, s:i, s:i, s:i, s:i, s:f, s:f, s:o, s:b, s:b, s:o, s:o, s:o}",
                     "type", "nodes", "schema", RECORD_SCHEMA, "key", group->key, "kernel", group->config.kernel,
                     "size", target_json_text(group->config.size), "slow", nodes->slow_cores + nodes->slow_nodes > 0,
                     "sentence", target_json_text(sentence), "launches", nodes->launches, "disturbed", nodes->disturbed,
                     "left_out", nodes->left_out, "launches_needed", nodes->launches_needed, "confidence",
                     nodes->confidence, "threshold", NODES_THRESHOLD, "within", number(nodes->within), "cores_agree",
                     nodes->cores_agree, "nodes_agree", nodes->nodes_agree, "throttled", number(nodes->throttled),
                     "nodes", encode_places(node_count, nodes->nodes), "cores",
                     encode_places(nodes->core_count, nodes->cores));
}

json_t *present_nodes_json(const struct results *results)
{
    json_t *list = json_array();
    for (int g = 0; list && g < results->group_count; g++) {
        struct nodes nodes;
        if (nodes_build(&results->groups[g], nodes_confidence(results), &nodes) == 0) {
            json_array_append_new(list, encode(&results->groups[g], &nodes));
            nodes_release(&nodes);
        }
    }
    if (json_array_size(list) == (size_t)results->group_count) return list;
    json_decref(list);
    return NULL;
}
