/* The context line: its names and values, null for what is not known, and which variables of the environment it keeps.
 */
#include "../kernels/isa.h"
#include "../src/record/context.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static char *variables[] = {"HOME=/root",
                            "OMP_NUM_THREADS=4",
                            "OPENBLAS_NUM_THREADS=1",
                            "OMPI_MCA_btl=self",
                            "SLURM_JOB_ID=17",
                            "SLURM_JWT=secret",
                            "SPEEDUP_MPIRUN=",
                            "GOMP_CPU_AFFINITY=0-3",
                            "OMP_BROKEN\xff=1",
                            "OMP_DISPLAY_ENV=\xfe=x",
                            "no equals sign",
                            "SPEEDUP_API_TOKEN=secret",
                            "ANY_NUM_THREADS_NO=2",
                            NULL};

static json_t *encode(const struct machine *machine, const struct provenance *provenance,
                      const struct context_source *source)
{
    json_t *line = record_encode_context(machine, provenance, source);
    assert_non_null(line);
    return line;
}

/* "machine.cache_bytes.l1d" */
static const json_t *at(const json_t *object, const char *path)
{
    char text[128];
    snprintf(text, sizeof text, "%s", path);
    char *rest;
    for (char *name = strtok_r(text, ".", &rest); name; name = strtok_r(NULL, ".", &rest)) {
        object = json_object_get(object, name);
        if (!object) fail_msg("there is no %s", path);
    }
    return object;
}

static void what_is_known_is_written(void **state)
{
    static const struct machine machine = {
        .hostname = "node7",
        .cpu_model = "A processor",
        .cpu_count = 2,
        .cpus = {{.os_index = 3}, {.os_index = 9, .core = 1, .smt = 0, .package = 1, .numa = 2, .kind = 1}},
        .allowed_cpu_count = 2,
        .core_count = 2,
        .package_count = 2,
        .numa_count = 2,
        .kind_count = 2,
        .online_cpu_count = 16,
        .cache_bytes = {32768, 1048576, 33554432},
        .memory_bytes = INT64_C(1) << 40,
        .memory_available_bytes = 4096,
        .quota_cpus = 1.5};
    static const struct provenance provenance = {.kernel_release = "6.1",
                                                 .governor = "performance",
                                                 .turbo = 1,
                                                 .smt_active = 0,
                                                 .perf_event_paranoid = -1,
                                                 .slices_settable = true,
                                                 .realtime_reason = "no",
                                                 .tick_s = 0.004};
    json_t *launches = json_pack("[s, s]", "mpirun -n 2 x", "y");
    const struct context_source source = {.study = "s1",
                                          .mpi_version = "Open MPI 4.1.4",
                                          .mpirun = "/usr/bin/mpirun",
                                          .mpi_reason = "",
                                          .launches = launches,
                                          .variables = variables,
                                          .start_s = 86400.9};
    (void)state;
    json_t *line = encode(&machine, &provenance, &source);
    json_decref(launches);
    assert_string_equal(json_string_value(at(line, "type")), "context");
    assert_int_equal(json_integer_value(at(line, "schema")), RECORD_SCHEMA);
    assert_string_equal(json_string_value(at(line, "study")), "s1");
    assert_string_equal(json_string_value(at(line, "start")), "1970-01-02T00:00:00Z");
    assert_string_equal(json_string_value(at(line, "program.name")), "speedup");
    assert_string_equal(json_string_value(at(line, "machine.hostname")), "node7");
    assert_int_equal(json_integer_value(at(line, "machine.cores")), 2);
    assert_int_equal(json_integer_value(at(line, "machine.online_cpus")), 16);
    const json_t *sets = at(line, "machine.instruction_sets");
    assert_int_equal(json_array_size(sets), 1 + isa_best());
    assert_string_equal(json_string_value(json_array_get(sets, 0)), isa_name(ISA_BASE));
    assert_int_equal(json_integer_value(at(line, "machine.cache_bytes.l3")), 33554432);
    assert_int_equal(json_integer_value(at(line, "machine.memory_bytes")), INT64_C(1) << 40);
    assert_float_equal(json_real_value(at(line, "machine.quota_cpus")), 1.5, 0);
    const json_t *cpu = json_array_get(at(line, "machine.cpus"), 1);
    assert_int_equal(json_array_size(at(line, "machine.cpus")), 2);
    assert_int_equal(json_integer_value(at(cpu, "cpu")), 9);
    assert_int_equal(json_integer_value(at(cpu, "core")), 1);
    assert_int_equal(json_integer_value(at(cpu, "numa_node")), 2);
    assert_true(json_is_true(at(line, "system.turbo")));
    assert_true(json_is_false(at(line, "system.smt_active")));
    assert_int_equal(json_integer_value(at(line, "system.perf_event_paranoid")), -1);
    assert_true(json_is_true(at(line, "system.slices_settable")));
    assert_true(json_is_null(at(line, "system.slices_reason")));
    assert_true(json_is_false(at(line, "system.realtime_allowed")));
    assert_string_equal(json_string_value(at(line, "system.realtime_reason")), "no");
    assert_float_equal(json_real_value(at(line, "system.tick_s")), 0.004, 0);
    assert_true(json_is_true(at(line, "mpi.available")));
    assert_true(json_is_null(at(line, "mpi.reason")));
    assert_string_equal(json_string_value(json_array_get(at(line, "launches"), 0)), "mpirun -n 2 x");
    json_decref(line);
}

static void what_is_not_known_is_null(void **state)
{
    static const char *const nulls[] = {"study",
                                        "machine.hostname",
                                        "machine.cpu_model",
                                        "machine.cache_bytes.l1d",
                                        "machine.memory_bytes",
                                        "machine.quota_cpus",
                                        "system.kernel",
                                        "system.os",
                                        "system.governor",
                                        "system.turbo",
                                        "system.virtualised",
                                        "system.smt_active",
                                        "system.steal_share",
                                        "system.load_1min",
                                        "system.perf_event_paranoid",
                                        "system.container",
                                        "mpi.version",
                                        "mpi.mpirun"};
    const struct machine machine = {.quota_cpus = NAN};
    const struct provenance provenance = {.turbo = -1,
                                          .virtualised = -1,
                                          .smt_active = -1,
                                          .steal_share = NAN,
                                          .load_1min = NAN,
                                          .perf_event_paranoid = INT_MIN};
    const struct context_source source = {.mpi_reason = "there is no mpirun", .variables = variables};
    (void)state;
    json_t *line = encode(&machine, &provenance, &source);
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        if (!json_is_null(at(line, nulls[i]))) fail_msg("%s is not null", nulls[i]);
    assert_true(json_is_false(at(line, "mpi.available")));
    assert_string_equal(json_string_value(at(line, "mpi.reason")), "there is no mpirun");
    assert_int_equal(json_array_size(at(line, "launches")), 0);
    assert_int_equal(strlen(json_string_value(at(line, "start"))), strlen("2000-01-01T00:00:00Z"));
    json_decref(line);
}

static void the_environment_keeps_what_steers_and_no_secrets(void **state)
{
    static const char *const kept[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMPI_MCA_btl",   "SLURM_JOB_ID",
                                       "SPEEDUP_MPIRUN",  "GOMP_CPU_AFFINITY",    "OMP_DISPLAY_ENV"};
    const struct machine machine = {.quota_cpus = NAN};
    const struct provenance provenance = {.steal_share = NAN, .load_1min = NAN};
    (void)state;
    json_t *line = encode(&machine, &provenance, &(struct context_source){.variables = variables});
    const json_t *environment = at(line, "environment");
    assert_int_equal(json_object_size(environment), sizeof kept / sizeof kept[0]);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) assert_non_null(json_object_get(environment, kept[i]));
    assert_string_equal(json_string_value(at(environment, "OMP_NUM_THREADS")), "4");
    assert_string_equal(json_string_value(at(environment, "SPEEDUP_MPIRUN")), "");
    assert_string_equal(json_string_value(at(environment, "OMP_DISPLAY_ENV")), "?=x");
    json_decref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_written),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(the_environment_keeps_what_steers_and_no_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
