/* The same numbers as one JSON object: for programs, unrounded. What is not known is null. */
#include "../analyse/nodes.h"
#include "study_text.h"

#include <math.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* {"median", "low", "high", "interval", "count"}; null where there is no value. */
static json_t *encode_spread(const struct spread *spread)
{
    if (!isfinite(spread->middle)) return json_null();
    return json_pack("{s:o, s:o, s:o, s:b, s:i}", "median", number(spread->middle), "low", number(spread->low), "high",
                     number(spread->high), "interval", spread->interval, "count", spread->count);
}

static json_t *encode_factors(const struct factors *factors)
{
    static const char *const names[FACTOR_COUNT] = {[FACTOR_COMPUTATION] = "computation",
                                                    [FACTOR_BALANCE] = "load_balance",
                                                    [FACTOR_COMMUNICATION] = "communication",
                                                    [FACTOR_SHARE] = "share_of_core"};
    if (factors->blocks == 0) return json_null();
    json_t *object = json_pack("{s:i, s:o, s:o, s:o}", "blocks", factors->blocks, "scale", number(factors->scale),
                               "product", number(factors->product), "speedup", number(factors->speedup));
    for (int f = 0; object && f < FACTOR_COUNT; f++) json_object_set_new(object, names[f], number(factors->value[f]));
    if (object && *factors->missing) json_object_set_new(object, "missing", json_string(factors->missing));
    return object;
}

/* What a command has besides. */
static void add_outside(const struct group *group, json_t *point)
{
    struct study_outside outside;
    if (!point || !target_is_command(&group->config)) return;
    study_outside_of(group, &outside);
    json_object_set_new(point, "user_s", number(outside.user_s));
    json_object_set_new(point, "system_s", number(outside.system_s));
    json_object_set_new(point, "tasks", number(outside.tasks));
    json_object_set_new(point, "peak_memory_bytes", number(outside.peak_memory_bytes));
    json_object_set_new(point, "failed", json_integer(outside.failed));
}

static json_t *encode_point(const struct curve_point *point)
{
    json_t *object = json_pack(
        "{s:s, s:o, s:i, s:i, s:b, s:{s:i, s:i, s:i}, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, "
        "s:i, s:b, s:b, s:o}",
        "key", point->group->key, "size", target_json_text(point->group->config.size), "workers", point->workers,
        "cores", point->cpus, "dedicated", point->dedicated, "launches", "valid", point->valid, "invalid",
        point->invalid, "not_judged", point->not_judged, "reason", *point->reason ? point->reason : NULL, "wall_s",
        encode_spread(&point->wall_s), "rate", encode_spread(&point->rate), "work", number(point->work), "speedup",
        encode_spread(&point->speedup), "own", encode_spread(&point->own), "efficiency",
        encode_spread(&point->efficiency), "karp_flatt", encode_spread(&point->karp_flatt), "concurrency",
        number(point->concurrency), "parallelism", number(point->parallelism), "half_width", number(point->half_width),
        "converged", point->converged, "outliers", point->outliers, "slow_first", point->slow_first, "trend",
        point->trend, "factors", encode_factors(&point->factors));
    add_outside(point->group, object);
    return object;
}

static json_t *encode_fit(const struct model_fit *fit, bool chosen)
{
    bool fitted = fit->state == MODEL_FITTED;
    json_t *parameters = json_object();
    for (int p = 0; fitted && p < fit->parameter_count; p++) {
        const struct model_parameter *own = &fit->parameters[p];
        json_object_set_new(parameters, model_parameter_name(fit->model, p),
                            json_pack("{s:o, s:o, s:o, s:b}", "value", number(own->value), "low", number(own->low),
                                      "high", number(own->high), "identifiable", own->identifiable));
    }
    return json_pack("{s:s, s:b, s:b, s:s?, s:i, s:o, s:o, s:o, s:o, s:o}", "model", model_name(fit->model), "fitted",
                     fitted, "chosen", chosen, "reason", *fit->reason ? fit->reason : NULL, "points", fit->points,
                     "parameters", parameters, "residual", number(fitted ? fit->residual : NAN), "aicc",
                     number(fitted ? fit->aicc : NAN), "peak_workers", number(fitted ? fit->peak : NAN), "most_workers",
                     number(fit->most_workers));
}

static const char *key_of(const struct group *group)
{
    return group ? group->key : NULL;
}

static json_t *encode_curve(const struct curve *curve)
{
    json_t *points = json_array(), *models = json_array();
    for (int i = 0; i < curve->count; i++) json_array_append_new(points, encode_point(&curve->points[i]));
    for (int m = 0; m < MODEL_COUNT; m++)
        if ((m == MODEL_GUSTAFSON) == curve->weak)
            json_array_append_new(models, encode_fit(&curve->fits[m], curve->chosen == m));
    json_t *config = record_encode_config(curve->config);
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:O?, s:O?, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o, s:i, s:o, s:o, s:o, s:s?}", "kernel",
        target_json_text(curve->config->kernel), "variant", target_json_text(curve->config->variant), "size",
        target_json_text(curve->config->size), "options", json_object_get(config, "options"), "seed",
        json_object_get(config, "seed"), "isa", curve->config->isa, "mode", mode_name_text(curve->config->mode.name),
        "scaling", curve->weak ? "weak" : "strong", "serial", key_of(curve->serial), "own_base", key_of(curve->own),
        "points", points, "models", models, "superlinear", curve->superlinear, "waiting_bound",
        number(curve->waiting_bound), "roof_rate", number(curve->roof_rate), "roof_share", number(curve->roof_share),
        "sentence", *curve->sentence ? curve->sentence : NULL);
    json_object_set(object, "scheduling",
                    json_object_get(config, "scheduling") ? json_object_get(config, "scheduling") : json_null());
    if (object && target_is_command(curve->config))
        json_object_set(object, "target", json_object_get(config, "target"));
    json_decref(config);
    return object;
}

json_t *present_study_summary_json(const struct results *results, const struct curves *curves)
{
    json_t *list = json_array();
    for (int c = 0; c < curves->count; c++) json_array_append_new(list, encode_curve(&curves->curves[c]));
    json_t *machine = json_object_get(results->context, "machine");
    json_t *object =
        json_pack("{s:O?, s:o, s:{s:i, s:i, s:i}, s:b, s:o}", "machine", machine, "precision",
                  number(curves->precision), "launches", "valid", curves->valid, "invalid", curves->invalid,
                  "not_judged", curves->not_judged, "torn", results->torn, "curves", list);
    if (object && nodes_asked(results)) json_object_set_new(object, "nodes", present_nodes_json(results));
    return object;
}
