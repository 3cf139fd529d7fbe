/* The record's lines: what is encoded is decoded exactly, and what is wrong is refused by name. */
#include "../src/plan/command.h"
#include "../src/record/record.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int random_below(uint64_t *state, int bound)
{
    return (int)(random_next(state) % (uint64_t)bound);
}

/* Any finite bit pattern, sometimes a tame one, sometimes unobserved. */
static double random_real(uint64_t *state)
{
    int kind = random_below(state, 8);
    if (kind == 0) return NAN;
    if (kind == 1) return -0.0;
    if (kind < 5) return (double)(random_next(state) >> 11) * 0x1p-53;
    double real;
    do {
        uint64_t bits = random_next(state);
        memcpy(&real, &bits, sizeof real);
    } while (!isfinite(real));
    return real;
}

static int64_t random_count(uint64_t *state)
{
    return random_below(state, 4) ? (int64_t)(random_next(state) >> 1) : -1;
}

static void random_text(uint64_t *state, size_t size, char *text_p)
{
    static const char *const pieces[] = {"a",  "Z9",   "\"",   "\\",     "/",      "\n",
                                         "\t", "\x01", "\x7f", "\u00e9", "\u4e16", "\U0001f9ee"};
    size_t length = 0;
    text_p[0] = '\0';
    for (int n = random_below(state, 60); n > 0; n--) {
        const char *piece = pieces[random_below(state, (int)(sizeof pieces / sizeof *pieces))];
        if (length + strlen(piece) >= size) break;
        strcpy(text_p + length, piece);
        length += strlen(piece);
    }
}

static void random_cpus(uint64_t *state, int max, int *count_p, int cpus[])
{
    *count_p = random_below(state, max + 1);
    for (int i = 0; i < *count_p; i++) cpus[i] = random_below(state, 1 << 20);
}

static void random_config(uint64_t *state, struct config *config_p)
{
    *config_p = (struct config){0};
    random_text(state, sizeof config_p->kernel, config_p->kernel);
    random_text(state, sizeof config_p->variant, config_p->variant);
    random_text(state, sizeof config_p->size, config_p->size);
    random_text(state, sizeof config_p->isa, config_p->isa);
    random_text(state, sizeof config_p->mode.map, config_p->mode.map);
    config_p->option_count = random_below(state, KERNEL_OPTIONS_MAX + 1);
    for (int i = 0; i < config_p->option_count; i++) {
        snprintf(config_p->options[i].name, sizeof config_p->options[i].name, "%c-option-%d", 'z' - i, i);
        random_text(state, sizeof config_p->options[i].value, config_p->options[i].value);
    }
    config_p->seed = random_next(state) >> random_below(state, 64);
    config_p->mode.nodes = 1 + random_below(state, 5);
    config_p->mode.name = (enum mode_name)random_below(state, MODE_COUNT);
    config_p->mode.wait_policy = (enum wait_policy)random_below(state, WAIT_COUNT);
    config_p->mode.ranks = 1 + random_below(state, 100);
    config_p->mode.threads = 1 + random_below(state, 100);
    random_cpus(state, random_below(state, 2) ? CPUS_MAX : 4, &config_p->mode.cpus.count, config_p->mode.cpus.cpus);
    struct scheduling *scheduling = &config_p->mode.scheduling;
    *scheduling = (struct scheduling){(enum scheduling_policy)random_below(state, POLICY_COUNT), 0, 0};
    if (scheduling_is_realtime(scheduling)) return;
    scheduling->nice = random_below(state, 2) ? NICE_LOWEST + random_below(state, 40) : 0;
    scheduling->slice_ns = random_below(state, 2) ? SLICE_MIN_NS + random_below(state, SLICE_MAX_NS - SLICE_MIN_NS) : 0;
}

static void random_worker(uint64_t *state, struct worker_times *worker_p)
{
    double *const reals[] = {
        &worker_p->start_s,    &worker_p->end_s,       &worker_p->wall_s,           &worker_p->cpu_s,
        &worker_p->wait_s,     &worker_p->comm_s,      &worker_p->comm_cpu_s,       &worker_p->idle_s,
        &worker_p->idle_cpu_s, &worker_p->cpu_steal_s, &worker_p->cpu_total_busy_s, &worker_p->sibling_busy_s,
        &worker_p->response_s, &worker_p->serial_s};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) *reals[i] = random_real(state);
    random_text(state, sizeof worker_p->host, worker_p->host);
    worker_p->rank = random_below(state, 1 << 20);
    worker_p->thread = random_below(state, 1 << 10);
    worker_p->tid = random_below(state, 1 << 22);
    worker_p->voluntary = random_count(state);
    worker_p->involuntary = random_count(state);
    worker_p->cpu_asked = random_below(state, 5) - 1;
    worker_p->mask_as_asked = random_below(state, 2);
    random_cpus(state, CPUS_SEEN_MAX, &worker_p->cpu_seen_count, worker_p->cpus_seen);
}

static void random_sample(uint64_t *state, int worker_count, struct sample *sample_p)
{
    sample_init(sample_p);
    double *const reals[] = {
        &sample_p->start_s, &sample_p->wall_s,        &sample_p->start_skew_s, &sample_p->throttled_s,
        &sample_p->work,    &sample_p->result,        &sample_p->cpu_s,        &sample_p->wait_s,
        &sample_p->comm_s,  &sample_p->rate,          &sample_p->concurrency,  &sample_p->parallelism,
        &sample_p->steal_s, &sample_p->foreign_cpu_s, &sample_p->ceiling_rate, &sample_p->launch_s};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) *reals[i] = random_real(state);
    random_config(state, &sample_p->config);
    random_text(state, sizeof sample_p->study, sample_p->study);
    random_text(state, sizeof sample_p->work_unit, sample_p->work_unit);
    random_text(state, sizeof sample_p->ceiling, sample_p->ceiling);
    random_text(state, sizeof sample_p->check_detail, sample_p->check_detail);
    random_text(state, sizeof sample_p->invalid_reason, sample_p->invalid_reason);
    random_text(state, sizeof sample_p->unobserved, sample_p->unobserved);
    sample_p->launch = random_below(state, 1000);
    sample_p->block = random_below(state, 1000);
    sample_p->repeat = random_below(state, 1000);
    sample_p->correct = random_below(state, 2);
    sample_p->placed_as_asked = random_below(state, 2);
    sample_p->checksum = random_next(state) >> random_below(state, 64);
    sample_p->voluntary = random_count(state);
    sample_p->involuntary = random_count(state);
    sample_p->machines = random_below(state, 5) - 1;
    sample_p->validity = (enum validity)random_below(state, 3);
    sample_p->worker_count = worker_count;
    sample_p->workers = worker_count ? calloc((size_t)worker_count, sizeof *sample_p->workers) : NULL;
    for (int i = 0; i < worker_count; i++) random_worker(state, &sample_p->workers[i]);
    sample_p->point_count = random_below(state, 2) ? random_below(state, KERNEL_POINTS_MAX + 1) : 0;
    if (sample_p->point_count > 0) sample_p->points = calloc((size_t)sample_p->point_count, sizeof *sample_p->points);
    for (int i = 0; i < sample_p->point_count; i++)
        sample_p->points[i] = (struct kernel_point){.bytes = 1 + (int64_t)(random_next(state) >> 20),
                                                    .messages = 1 + random_below(state, 1 << 20),
                                                    .time_s = random_real(state),
                                                    .traffic_bytes = random_real(state)};
}

static void assert_real_equal(double a, double b)
{
    if (isnan(a) && isnan(b)) return;
    assert_memory_equal(&a, &b, sizeof a);
}

#define SAME_INT(member)  assert_int_equal(a->member, b->member)
#define SAME_REAL(member) assert_real_equal(a->member, b->member)
#define SAME_TEXT(member) assert_string_equal(a->member, b->member)

static void assert_config_equal(const struct config *a, const struct config *b)
{
    SAME_TEXT(kernel), SAME_TEXT(variant), SAME_TEXT(size), SAME_TEXT(isa), SAME_TEXT(mode.map);
    SAME_INT(option_count), SAME_INT(seed), SAME_INT(mode.nodes);
    for (int i = 0; i < a->option_count; i++) SAME_TEXT(options[i].name), SAME_TEXT(options[i].value);
    SAME_INT(mode.name), SAME_INT(mode.wait_policy), SAME_INT(mode.ranks), SAME_INT(mode.threads);
    SAME_INT(mode.cpus.count);
    SAME_INT(mode.scheduling.policy), SAME_INT(mode.scheduling.nice), SAME_INT(mode.scheduling.slice_ns);
    for (int i = 0; i < a->mode.cpus.count; i++) SAME_INT(mode.cpus.cpus[i]);
}

static void assert_worker_equal(const struct worker_times *a, const struct worker_times *b)
{
    SAME_TEXT(host), SAME_INT(rank), SAME_INT(thread), SAME_INT(tid);
    SAME_REAL(start_s), SAME_REAL(end_s), SAME_REAL(wall_s), SAME_REAL(cpu_s), SAME_REAL(wait_s);
    SAME_REAL(comm_s), SAME_REAL(comm_cpu_s), SAME_REAL(idle_s), SAME_REAL(idle_cpu_s);
    SAME_REAL(cpu_total_busy_s), SAME_REAL(cpu_steal_s), SAME_REAL(sibling_busy_s), SAME_REAL(response_s),
        SAME_REAL(serial_s);
    SAME_INT(voluntary), SAME_INT(involuntary), SAME_INT(cpu_asked), SAME_INT(mask_as_asked), SAME_INT(cpu_seen_count);
    for (int i = 0; i < a->cpu_seen_count; i++) SAME_INT(cpus_seen[i]);
}

static void assert_sample_equal(const struct sample *a, const struct sample *b)
{
    assert_config_equal(&a->config, &b->config);
    SAME_TEXT(study), SAME_TEXT(work_unit), SAME_TEXT(check_detail), SAME_TEXT(invalid_reason), SAME_TEXT(unobserved);
    SAME_INT(launch), SAME_INT(block), SAME_INT(repeat), SAME_INT(correct), SAME_INT(placed_as_asked);
    SAME_INT(checksum), SAME_INT(voluntary), SAME_INT(involuntary), SAME_INT(validity), SAME_INT(worker_count);
    SAME_REAL(start_s), SAME_REAL(wall_s), SAME_REAL(start_skew_s), SAME_REAL(throttled_s), SAME_REAL(work);
    SAME_REAL(result), SAME_REAL(cpu_s), SAME_REAL(wait_s), SAME_REAL(comm_s), SAME_REAL(rate);
    SAME_REAL(concurrency), SAME_REAL(parallelism), SAME_REAL(steal_s), SAME_REAL(foreign_cpu_s);
    SAME_REAL(ceiling_rate), SAME_REAL(launch_s), SAME_TEXT(ceiling), SAME_INT(machines);
    for (int i = 0; i < a->worker_count; i++) assert_worker_equal(&a->workers[i], &b->workers[i]);
    SAME_INT(point_count);
    for (int i = 0; i < a->point_count; i++) {
        SAME_INT(points[i].bytes), SAME_INT(points[i].messages);
        SAME_REAL(points[i].time_s), SAME_REAL(points[i].traffic_bytes);
    }
}

/* By text, as a file has it. */
static json_t *encode_through_text(const struct sample *sample)
{
    json_t *line = record_encode_sample(sample);
    assert_non_null(line);
    char *text = json_dumps(line, RECORD_DUMP_FLAGS);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    json_t *read = json_loads(text, 0, NULL);
    assert_non_null(read);
    free(text);
    json_decref(line);
    return read;
}

static void test_round_trip(void **state)
{
    (void)state;
    static const int worker_counts[] = {0, 1, 2, 7, 256, 257, 300};
    uint64_t random = 20240607;
    for (int trial = 0; trial < 140; trial++) {
        struct sample sample, decoded;
        random_sample(&random, worker_counts[trial % 7], &sample);
        sample_init(&decoded);
        json_t *line = encode_through_text(&sample);
        struct error error = {""};
        if (record_decode_sample(line, &decoded, &error)) fail_msg("trial %d: %s", trial, error.text);
        assert_sample_equal(&sample, &decoded);
        json_decref(line);
        sample_release(&decoded);
        sample_release(&sample);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "schema",      "type",         "study",          "config",   "key",           "launch",
        "block",       "repeat",       "start_s",        "wall_s",   "cpu_s",         "wait_s",
        "comm_s",      "work",         "work_unit",      "rate",     "concurrency",   "parallelism",
        "switches",    "placement",    "per_worker",     "steal_s",  "result",        "start_skew_s",
        "throttled_s", "checksum",     "invalid_reason", "check",    "foreign_cpu_s", "valid",
        "unobserved",  "ceiling_rate", "ceiling",        "launch_s", "machines",      "points"};
    static const char *const config_names[] = {"target", "variant", "size",    "options", "seed",
                                               "isa",    "mode",    "nodes",   "map",     "wait_policy",
                                               "ranks",  "threads", "workers", "cpus",    "scheduling"};
    static const char *const worker_names[] = {
        "host",        "rank",           "thread",        "tid",        "start_s",     "wall_s",
        "cpu_s",       "wait_s",         "comm_s",        "comm_cpu_s", "idle_s",      "idle_cpu_s",
        "end_s",       "cpu_asked",      "cpus",          "voluntary",  "involuntary", "cpu_busy_s",
        "cpu_steal_s", "sibling_busy_s", "mask_as_asked", "response_s", "serial_s"};
    uint64_t random = 3;
    struct sample sample;
    sample_init(&sample);
    do {
        sample_release(&sample);
        random_sample(&random, 2, &sample);
    } while (sample.point_count == 0);
    sample.config.mode.scheduling = (struct scheduling){POLICY_BATCH, 5, 0};
    json_t *line = encode_through_text(&sample);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!json_object_get(line, names[i])) fail_msg("a sample lacks \"%s\"", names[i]);
    assert_int_equal(json_object_size(line), sizeof names / sizeof *names);
    json_t *config = json_object_get(line, "config");
    for (size_t i = 0; i < sizeof config_names / sizeof *config_names; i++)
        if (!json_object_get(config, config_names[i])) fail_msg("config lacks \"%s\"", config_names[i]);
    assert_int_equal(json_object_size(config), sizeof config_names / sizeof *config_names);
    json_t *worker = json_array_get(json_object_get(line, "per_worker"), 0);
    for (size_t i = 0; i < sizeof worker_names / sizeof *worker_names; i++)
        if (!json_object_get(worker, worker_names[i])) fail_msg("per_worker lacks \"%s\"", worker_names[i]);
    assert_int_equal(json_object_size(worker), sizeof worker_names / sizeof *worker_names);
    assert_string_equal(json_string_value(json_object_get(json_object_get(config, "target"), "kind")), "kernel");
    assert_true(json_is_null(json_object_get(json_object_get(config, "target"), "argv")));
    json_decref(line);
    sample_release(&sample);
}

static void assert_documented(const json_t *object, const char *schema)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        char alone[80], member[80], group[80];
        snprintf(alone, sizeof alone, "`%s`", name);
        snprintf(member, sizeof member, ".%s`", name);
        snprintf(group, sizeof group, "`%s.", name);
        if (!strstr(schema, alone) && !strstr(schema, member) && !strstr(schema, group))
            fail_msg("SCHEMA.md lacks \"%s\"", name);
        if (json_is_object(value) && strcmp(name, "options")) assert_documented(value, schema);
    }
}

static void test_names_are_documented(void **state)
{
    (void)state;
    const char *source = getenv("SPEEDUP_SOURCE");
    if (!source) skip(); /* ctest sets it */
    char path[4096];
    snprintf(path, sizeof path, "%s/src/record/SCHEMA.md", source);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    static char schema[1 << 16];
    schema[fread(schema, 1, sizeof schema - 1, file)] = '\0';
    fclose(file);
    uint64_t random = 19;
    struct sample sample;
    random_sample(&random, 1, &sample);
    sample.config.mode.scheduling = (struct scheduling){POLICY_BATCH, 5, 0};
    json_t *line = encode_through_text(&sample);
    assert_documented(line, schema);
    assert_documented(json_array_get(json_object_get(line, "per_worker"), 0), schema);
    json_decref(line);
    sample_release(&sample);
}

static void test_many_workers_are_columns(void **state)
{
    (void)state;
    uint64_t random = 5;
    struct sample sample;
    random_sample(&random, 300, &sample);
    json_t *line = encode_through_text(&sample);
    json_t *columns = json_object_get(line, "per_worker");
    assert_true(json_is_object(columns));
    const char *name;
    json_t *column;
    json_object_foreach(columns, name, column) assert_int_equal(json_array_size(column), 300);

    struct sample decoded;
    struct error error = {""};
    sample_init(&decoded);
    json_array_remove(json_object_get(columns, "tid"), 299);
    assert_true(record_decode_sample(line, &decoded, &error) < 0);
    assert_non_null(strstr(error.text, "per_worker[299].tid"));
    json_decref(line);
    sample_release(&decoded);
    sample_release(&sample);
}

static void test_unobserved_is_null(void **state)
{
    (void)state;
    uint64_t random = 7;
    struct sample sample;
    random_sample(&random, 1, &sample);
    sample.wait_s = NAN;
    sample.rate = INFINITY;
    sample.ceiling_rate = NAN;
    sample.ceiling[0] = '\0';
    sample.voluntary = -1;
    sample.validity = SAMPLE_NOT_JUDGED;
    sample.workers[0].cpu_asked = -1;
    sample.unobserved[0] = '\0';
    json_t *line = encode_through_text(&sample);
    assert_true(json_is_null(json_object_get(line, "wait_s")));
    assert_true(json_is_null(json_object_get(line, "rate")));
    assert_true(json_is_null(json_object_get(line, "ceiling_rate")));
    assert_true(json_is_null(json_object_get(line, "ceiling")));
    assert_true(json_is_null(json_object_get(json_object_get(line, "switches"), "voluntary")));
    assert_true(json_is_null(json_object_get(line, "valid")));
    assert_true(json_is_null(json_object_get(line, "unobserved")));
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(line, "per_worker"), 0), "cpu_asked")));
    json_decref(line);
    sample_release(&sample);
}

static void test_seeds_survive_other_readers(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {0, 1, UINT64_C(1) << 53, (UINT64_C(1) << 53) + 1, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        struct config config = {.mode = {.nodes = 1, .ranks = 1, .threads = 1}, .seed = seeds[i]}, decoded;
        struct error error = {""};
        json_t *json = record_encode_config(&config);
        assert_int_equal(json_is_string(json_object_get(json, "seed")), seeds[i] > UINT64_C(1) << 53);
        assert_int_equal(record_decode_config(json, &decoded, &error), 0);
        assert_int_equal(decoded.seed, seeds[i]);
        json_decref(json);
    }
}

static void test_invalid_utf8_costs_no_record(void **state)
{
    (void)state;
    uint64_t random = 11;
    struct sample sample, decoded;
    struct error error = {""};
    random_sample(&random, 1, &sample);
    strcpy(sample.workers[0].host, "n\xff\u00e9\xc3-\xe4\xb8");
    memset(sample.check_detail, 0xfe, sizeof sample.check_detail - 1);
    json_t *line = encode_through_text(&sample);
    sample_init(&decoded);
    assert_int_equal(record_decode_sample(line, &decoded, &error), 0);
    assert_string_equal(decoded.workers[0].host, "n?\u00e9?-??");
    assert_int_equal(strspn(decoded.check_detail, "?"), sizeof sample.check_detail - 1);
    json_decref(line);
    sample_release(&decoded);
    sample_release(&sample);
}

/* `path` as in "config.seed"; value NULL removes it. */
static void replace(json_t *object, const char *path, json_t *value)
{
    char name[64];
    size_t length = strcspn(path, ".");
    snprintf(name, sizeof name, "%.*s", (int)length, path);
    if (path[length])
        replace(json_is_array(object) ? json_array_get(object, (size_t)atoi(name)) : json_object_get(object, name),
                path + length + 1, value);
    else if (value)
        json_object_set_new(object, name, value);
    else
        json_object_del(object, name);
}

static void test_wrong_values_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *path, *value, *named;
    } cases[] = {
        {"type", "\"context\"", "type"},
        {"schema", NULL, "schema"},
        {"schema", "\"1\"", "schema"},
        {"config", NULL, "config"},
        {"config", "[]", "config"},
        {"config.target.kind", "\"script\"", "kind"},
        {"config.target.kind", "\"command\"", "argv"}, /* a kernel's has none */
        {"config.target.kind", NULL, "kind"},
        {"config.target.name", NULL, "config.target.name"},
        {"config.target.name", "\"a-name-that-is-far-too-long-for-any-kernel\"", "config.target.name"},
        {"config.seed", "-1", "config.seed"},
        {"config.seed", "\"-1\"", "config.seed"},
        {"config.seed", "\"18446744073709551616\"", "config.seed"},
        {"config.seed", "1.5", "config.seed"},
        {"config.mode", "\"turbo\"", "config.mode"},
        {"config.wait_policy", "null", "config.wait_policy"},
        {"config.scheduling", "null", "config.scheduling"},
        {"config.scheduling", "[]", "config.scheduling"},
        {"config.scheduling", "{\"policy\": \"fifo\", \"slice_ns\": null}", "config.scheduling"},
        {"config.scheduling", "{\"policy\": \"idle\", \"nice\": 0, \"slice_ns\": null}", "config.scheduling"},
        {"config.scheduling", "{\"policy\": \"other\", \"nice\": 20, \"slice_ns\": null}", "config.scheduling"},
        {"config.scheduling", "{\"policy\": \"other\", \"nice\": 1e3, \"slice_ns\": null}", "config.scheduling"},
        {"config.scheduling", "{\"policy\": \"other\", \"nice\": 0, \"slice_ns\": -5}", "config.scheduling"},
        {"config.scheduling", "{\"policy\": \"other\", \"nice\": 0, \"slice_ns\": 99999999999}", "config.scheduling"},
        {"config.scheduling", "{\"policy\": \"rr\", \"nice\": 1, \"slice_ns\": null}", "config.scheduling"},
        {"config.ranks", "0", "ranks"},
        {"config.ranks", "2147483648", "config.ranks"},
        {"config.cpus", "[0, \"1\"]", "config.cpus"},
        {"config.options", "{\"wait\": 4}", "options"},
        {"config.options", "null", "options"},
        {"wall_s", NULL, "wall_s"},
        {"wall_s", "\"1.5\"", "wall_s"},
        {"ceiling_rate", "\"1.5\"", "ceiling_rate"},
        {"ceiling", "1.5", "ceiling"},
        {"launch", "1.5", "launch"},
        {"switches", "3", "switches.voluntary"},
        {"switches.involuntary", "\"many\"", "switches.involuntary"},
        {"placement.as_asked", "1", "placement.as_asked"},
        {"checksum", "12", "checksum"},
        {"checksum", "\"0x12\"", "checksum"},
        {"checksum", "\"0x00000000000000zz\"", "checksum"},
        {"valid", "\"yes\"", "valid"},
        {"per_worker", "null", "per_worker"},
        {"per_worker.1.tid", "null", "per_worker[1].tid"},
        {"per_worker.1.cpus", "[1,2,3,4,5,6,7,8,9]", "per_worker[1].cpus"},
        {"points", "{}", "points"},
        {"points", "[1]", "points[0].bytes"},
        {"points", "[{\"bytes\": 0, \"messages\": 1, \"time_s\": 1, \"traffic_bytes\": 1}]", "points"},
        {"points", "[{\"bytes\": 1, \"messages\": -1, \"time_s\": 1, \"traffic_bytes\": 1}]", "points"},
        {"points", "[{\"bytes\": 1, \"messages\": null, \"time_s\": 1, \"traffic_bytes\": 1}]", "points"},
        {"points", "[{\"bytes\": 1, \"messages\": 1, \"time_s\": \"1\", \"traffic_bytes\": 1}]", "points[0].time_s"},
        {"points",
         "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
         "0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
         "at most 64"},
    };
    uint64_t random = 13;
    struct sample sample, decoded;
    random_sample(&random, 2, &sample);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {""};
        json_t *line = encode_through_text(&sample);
        sample_init(&decoded);
        decoded.launch = 77;
        replace(line, cases[i].path, cases[i].value ? json_loads(cases[i].value, JSON_DECODE_ANY, NULL) : NULL);
        if (record_decode_sample(line, &decoded, &error) != -EINVAL) fail_msg("%s was taken", cases[i].path);
        if (!strstr(error.text, cases[i].named)) fail_msg("%s: \"%s\"", cases[i].path, error.text);
        assert_int_equal(decoded.launch, 77);
        json_decref(line);
    }
    sample_release(&sample);
}

static void test_unknown_names_are_tolerated(void **state)
{
    (void)state;
    uint64_t random = 17;
    struct sample sample, decoded;
    struct error error = {""};
    random_sample(&random, 2, &sample);
    sample.wall_s = 2;
    json_t *line = encode_through_text(&sample);
    json_object_set_new(line, "energy_J", json_real(3));
    json_object_set_new(json_object_get(line, "config"), "frequency", json_string("fixed"));
    json_object_set_new(json_array_get(json_object_get(line, "per_worker"), 1), "cycles", json_integer(1));
    json_object_set_new(line, "wall_s", json_integer(2)); /* as jq writes 2.0 */
    sample_init(&decoded);
    assert_int_equal(record_decode_sample(line, &decoded, &error), 0);
    assert_sample_equal(&sample, &decoded);
    json_decref(line);
    sample_release(&decoded);
    sample_release(&sample);
}

/* Files that were written before these names came. */
static void test_later_names_may_be_missing(void **state)
{
    (void)state;
    uint64_t random = 23;
    struct sample sample, decoded;
    struct error error = {""};
    random_sample(&random, 2, &sample);
    json_t *line = encode_through_text(&sample);
    replace(line, "ceiling_rate", NULL);
    replace(line, "ceiling", NULL);
    sample_init(&decoded);
    assert_int_equal(record_decode_sample(line, &decoded, &error), 0);
    sample.ceiling_rate = NAN;
    sample.ceiling[0] = '\0';
    assert_sample_equal(&sample, &decoded);
    json_decref(line);
    sample_release(&decoded);
    sample_release(&sample);
}

static void test_key(void **state)
{
    (void)state;
    struct config config = {.kernel = "pi",
                            .variant = "plain",
                            .size = "1000000",
                            .option_count = 2,
                            .options = {{"b", "2"}, {"a", "1"}},
                            .seed = 1,
                            .isa = "generic",
                            .mode = {.nodes = 1,
                                     .map = "cores-first",
                                     .name = MODE_THREADS,
                                     .wait_policy = WAIT_SPIN,
                                     .ranks = 1,
                                     .threads = 2,
                                     .cpus = {2, {0, 1}}}};
    char key[17], other[17];
    /* The example of SCHEMA.md, computed there in Python. */
    assert_string_equal(record_config_key(&config, key), "c4cec3e035e0e1c0");
    struct config same = config;
    same.options[0] = config.options[1];
    same.options[1] = config.options[0];
    same.mode.cpus.cpus[5] = 9; /* beyond the count: means nothing */
    assert_string_equal(record_config_key(&same, other), key);
    same.mode.wait_policy = WAIT_YIELD;
    assert_string_not_equal(record_config_key(&same, other), key);
    same = config;
    same.seed = 2;
    assert_string_not_equal(record_config_key(&same, other), key);
}

/* Files from before schedulings came have no such name: what is as usual must look as it did then, and keep its key. */
static struct config command_config(void)
{
    static char *words[] = {"./a b", "", "it's \"", "x\ny", "\xff{threads}\x01", "caf\xc3\xa9", "{{}}"};
    struct config config = {.kernel = "a b", .size = "10", .mode = {.nodes = 1, .ranks = 1, .threads = 2}};
    struct error error;
    assert_int_equal(command_set_words(&config.command, 7, words, &error), 0);
    assert_int_equal(command_add_setting(&config.command, "A=\xfe {threads}", &error), 0);
    snprintf(config.command.launcher, sizeof config.command.launcher, "run -n {ranks} \xfd");
    snprintf(config.command.time, sizeof config.command.time, "regex Time: ([0-9.]+)");
    config.command.shell = true;
    return config;
}

static void test_command(void **state)
{
    (void)state;
    struct config config = command_config(), back;
    struct error error = {""};
    char key[17], other_key[17];
    json_t *json = record_encode_config(&config);
    assert_int_equal(record_decode_config(json, &back, &error), 0);
    assert_memory_equal(&config.command, &back.command, sizeof config.command);
    const json_t *target = json_object_get(json, "target");
    char *text = json_dumps(target, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text,
                        "{\"argv\":[\"./a b\",\"\",\"it's \\\"\",\"x\\ny\",{\"hex\":\"ff7b746872656164737d01\"},"
                        "\"caf\xc3\xa9\",\"{{}}\"],\"bind\":false,\"env\":[{\"hex\":\"413dfe207b746872656164737d\"}],"
                        "\"kind\":\"command\",\"launcher\":{\"hex\":\"72756e202d6e207b72616e6b737d20fd\"},"
                        "\"name\":\"a b\",\"shell\":true,\"time\":\"regex Time: ([0-9.]+)\"}");
    free(text);
    json_decref(json);
    /* A byte that is no UTF-8 makes another command. */
    *(char *)memchr(config.command.words, 0xff, sizeof config.command.words) = '\xfe';
    assert_string_not_equal(record_config_key(&config, key), record_config_key(&back, other_key));
}

static void test_wrong_commands_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } wrong[] = {{"argv", "[]"},
                 {"argv", "null"},
                 {"argv", "[1]"},
                 {"argv", "[{\"hex\":\"0\"}]"},
                 {"argv", "[{\"hex\":\"00\"}]"},
                 {"argv", "[{\"hex\":\"FF\"}]"},
                 {"argv", "[\"a\\u0000b\"]"},
                 {"env", "{}"},
                 {"launcher", "1"},
                 {"time", "[]"},
                 {"shell", "0"},
                 {"bind", "null"}};
    struct config config = command_config(), back = config;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {""};
        json_t *json = record_encode_config(&config);
        json_object_set_new(json_object_get(json, "target"), wrong[i].name,
                            json_loads(wrong[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
        assert_int_equal(record_decode_config(json, &back, &error), -EINVAL);
        assert_non_null(strstr(error.text, wrong[i].name));
        assert_memory_equal(&config, &back, sizeof config);
        json_decref(json);
    }
    json_t *json = record_encode_config(&config), *argv = json_object_get(json_object_get(json, "target"), "argv");
    struct error error = {""};
    for (int i = 0; i < COMMAND_WORDS_LENGTH; i++) json_array_append_new(argv, json_string(""));
    assert_int_equal(record_decode_config(json, &back, &error), -EINVAL);
    json_decref(json);
}

/* What was seen from outside is in a command's sample alone. */
static void test_command_sample(void **state)
{
    (void)state;
    struct sample sample, back;
    struct error error = {""};
    sample_init(&sample);
    sample_init(&back);
    sample.config = command_config();
    sample.process_s = 2.5;
    sample.user_s = 1.25;
    sample.system_s = NAN;
    sample.peak_memory_bytes = (int64_t)3 << 40;
    sample.processes = 3;
    sample.tasks = -1;
    sample.exit_status = 0;
    sample.held_s = 0.5;
    json_t *line = record_encode_sample(&sample);
    assert_true(json_is_null(json_object_get(line, "tasks")));
    assert_int_equal(record_decode_sample(line, &back, &error), 0);
    assert_true(back.process_s == 2.5 && back.user_s == 1.25 && isnan(back.system_s) && back.held_s == 0.5);
    assert_true(back.peak_memory_bytes == (int64_t)3 << 40 && back.processes == 3 && back.tasks == -1);
    assert_int_equal(back.exit_status, 0);
    json_object_del(line, "user_s");
    assert_int_equal(record_decode_sample(line, &back, &error), -EINVAL);
    json_decref(line);
    sample.config.command.word_count = 0;
    line = record_encode_sample(&sample);
    assert_null(json_object_get(line, "process_s"));
    json_decref(line);
    sample_release(&sample);
    sample_release(&back);
}

static void test_scheduling(void **state)
{
    (void)state;
    static const struct scheduling unusual[] = {{POLICY_BATCH, 0, 0}, {POLICY_FIFO, 0, 0},       {POLICY_RR, 0, 0},
                                                {POLICY_OTHER, 1, 0}, {POLICY_OTHER, 0, 500000}, {POLICY_OTHER, -1, 0}};
    enum { UNUSUAL_COUNT = sizeof unusual / sizeof *unusual };
    uint64_t random = 29;
    struct sample sample;
    struct error error = {""};
    char keys[UNUSUAL_COUNT + 1][17];
    random_sample(&random, 1, &sample);
    for (int i = 0; i <= UNUSUAL_COUNT; i++) {
        struct config decoded;
        sample.config.mode.scheduling = i ? unusual[i - 1] : (struct scheduling){POLICY_OTHER, 0, 0};
        json_t *json = record_encode_config(&sample.config);
        assert_int_equal(json_object_get(json, "scheduling") != NULL, i > 0);
        assert_int_equal(record_decode_config(json, &decoded, &error), 0);
        assert_config_equal(&sample.config, &decoded);
        record_config_key(&sample.config, keys[i]);
        for (int k = 0; k < i; k++) assert_string_not_equal(keys[k], keys[i]);
        json_decref(json);
    }
    sample_release(&sample);
}

static void a_launch_that_failed_is_a_sample(void **state)
{
    (void)state;
    struct sample sample, read;
    struct error error = {""};
    char cause[400];
    memset(cause, 'x', sizeof cause);
    cause[sizeof cause - 1] = '\0';
    sample_init(&sample);
    sample_init(&read);
    sample.config.mode = (struct mode){.name = MODE_MPI, .nodes = 1, .ranks = 2, .threads = 1, .cpus = {.count = 1}};
    sample.wall_s = 3;
    assert_false(sample_failed(&sample));
    sample_fail(&sample, cause);
    assert_true(sample_failed(&sample));
    json_t *line = record_encode_sample(&sample);
    assert_non_null(line);
    assert_true(json_is_false(json_object_get(line, "valid")));
    assert_int_equal(strncmp(json_string_value(json_object_get(line, "invalid_reason")), "failed: xxx", 11), 0);
    static const char *const unknown[] = {"wall_s", "cpu_s", "wait_s", "comm_s", "rate", "steal_s", "start_skew_s"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_true(json_is_null(json_object_get(line, unknown[i])));
    assert_int_equal(json_array_size(json_object_get(line, "per_worker")), 0);
    assert_int_equal(record_decode_sample(line, &read, &error), 0);
    assert_true(sample_failed(&read));
    json_decref(line);
    sample_release(&read);
    sample_release(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_are_documented),
        cmocka_unit_test(test_many_workers_are_columns),
        cmocka_unit_test(test_unobserved_is_null),
        cmocka_unit_test(test_seeds_survive_other_readers),
        cmocka_unit_test(test_invalid_utf8_costs_no_record),
        cmocka_unit_test(test_wrong_values_are_named),
        cmocka_unit_test(test_unknown_names_are_tolerated),
        cmocka_unit_test(test_later_names_may_be_missing),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_scheduling),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_wrong_commands_are_refused),
        cmocka_unit_test(test_command_sample),
        cmocka_unit_test(a_launch_that_failed_is_a_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
