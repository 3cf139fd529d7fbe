/* Writes the context line. It is written once and never read back into structs: readers take from the JSON what they
 * want. What is not known is null. Of the environment, only the variables that steer threads, MPI and the batch system
 * are kept, and none that holds a secret. */
#include "context.h"

#include "../../kernels/isa.h"
#include "fields.h"
#include "speedup_config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AT(type, member) offsetof(type, member), sizeof(((const type *)NULL)->member)

static const struct field cpu_fields[] = {
    {NULL, "cpu", FIELD_INT, AT(struct cpu, os_index)},
    {NULL, "core", FIELD_INT, AT(struct cpu, core)},
    {NULL, "smt", FIELD_INT, AT(struct cpu, smt)},
    {NULL, "package", FIELD_INT, AT(struct cpu, package)},
    {NULL, "numa_node", FIELD_INT, AT(struct cpu, numa)},
    {NULL, "kind", FIELD_INT, AT(struct cpu, kind)},
    {0},
};

static const struct field machine_fields[] = {
    {NULL, "hostname", FIELD_TEXT_OR_NULL, AT(struct machine, hostname)},
    {NULL, "cpu_model", FIELD_TEXT_OR_NULL, AT(struct machine, cpu_model)},
    {NULL, "online_cpus", FIELD_INT, AT(struct machine, online_cpu_count)},
    {NULL, "allowed_cpus", FIELD_INT, AT(struct machine, allowed_cpu_count)},
    {NULL, "cores", FIELD_INT, AT(struct machine, core_count)},
    {NULL, "packages", FIELD_INT, AT(struct machine, package_count)},
    {NULL, "numa_nodes", FIELD_INT, AT(struct machine, numa_count)},
    {NULL, "kinds", FIELD_INT, AT(struct machine, kind_count)},
    {NULL, "quota_cpus", FIELD_REAL, AT(struct machine, quota_cpus)},
    {0},
};

static const struct field system_fields[] = {
    {NULL, "kernel", FIELD_TEXT_OR_NULL, AT(struct provenance, kernel_release)},
    {NULL, "os", FIELD_TEXT_OR_NULL, AT(struct provenance, os_name)},
    {NULL, "governor", FIELD_TEXT_OR_NULL, AT(struct provenance, governor)},
    {NULL, "frequency_driver", FIELD_TEXT_OR_NULL, AT(struct provenance, driver)},
    {NULL, "hypervisor", FIELD_TEXT_OR_NULL, AT(struct provenance, hypervisor)},
    {NULL, "container", FIELD_TEXT_OR_NULL, AT(struct provenance, container)},
    {NULL, "steal_share", FIELD_REAL, AT(struct provenance, steal_share)},
    {NULL, "load_1min", FIELD_REAL, AT(struct provenance, load_1min)},
    {NULL, "schedstat", FIELD_BOOL, AT(struct provenance, schedstat)},
    {NULL, "timelines_exact", FIELD_BOOL, AT(struct provenance, timelines_exact)},
    {NULL, "timelines_reason", FIELD_TEXT_OR_NULL, AT(struct provenance, timelines_reason)},
    {NULL, "slices_settable", FIELD_BOOL, AT(struct provenance, slices_settable)},
    {NULL, "slices_reason", FIELD_TEXT_OR_NULL, AT(struct provenance, slices_reason)},
    {NULL, "realtime_allowed", FIELD_BOOL, AT(struct provenance, realtime_allowed)},
    {NULL, "realtime_reason", FIELD_TEXT_OR_NULL, AT(struct provenance, realtime_reason)},
    {NULL, "tick_s", FIELD_REAL, AT(struct provenance, tick_s)},
    {NULL, "transparent_huge_pages", FIELD_TEXT_OR_NULL, AT(struct provenance, transparent_huge_pages)},
    {0},
};

static json_t *text_or_null(const char *text)
{
    return text && *text ? text_encode(text) : json_null();
}

static json_t *size_or_null(int64_t bytes)
{
    return bytes > 0 ? json_integer(bytes) : json_null();
}

/* 1, 0, or -1 for not known. */
static json_t *known_boolean(int value)
{
    return value < 0 ? json_null() : json_boolean(value);
}

/* Adds the members of `more` to the object, and gives up both where that fails. Takes both references. */
static json_t *merge(json_t *object, json_t *more)
{
    int failed = !object || !more || json_object_update(object, more);
    json_decref(more);
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

static json_t *encode_table(const struct field table[], const void *record)
{
    json_t *object = json_object();
    if (!object || fields_encode(table, record, object) == 0) return object;
    json_decref(object);
    return NULL;
}

static json_t *encode_cpus(const struct machine *machine)
{
    json_t *array = json_array();
    for (int i = 0; array && i < machine->cpu_count; i++)
        if (json_array_append_new(array, encode_table(cpu_fields, &machine->cpus[i]))) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

static json_t *encode_instruction_sets(void)
{
    json_t *array = json_array();
    for (int isa = 0; isa <= (int)isa_best(); isa++) json_array_append_new(array, json_string(isa_name((enum isa)isa)));
    return array;
}

json_t *record_encode_machine(const struct machine *machine)
{
    return merge(encode_table(machine_fields, machine),
                 json_pack("{s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o}", "cache_bytes", "l1d",
                           size_or_null(machine->cache_bytes[0]), "l2", size_or_null(machine->cache_bytes[1]), "l3",
                           size_or_null(machine->cache_bytes[2]), "memory_bytes", size_or_null(machine->memory_bytes),
                           "memory_available_bytes",
                           machine->memory_bytes > 0 ? json_integer(machine->memory_available_bytes) : json_null(),
                           "instruction_sets", encode_instruction_sets(), "cpus", encode_cpus(machine)));
}

json_t *record_encode_system(const struct provenance *provenance)
{
    return merge(encode_table(system_fields, provenance),
                 json_pack("{s:o, s:o, s:o, s:o}", "turbo", known_boolean(provenance->turbo), "virtualised",
                           known_boolean(provenance->virtualised), "smt_active", known_boolean(provenance->smt_active),
                           "perf_event_paranoid",
                           provenance->perf_event_paranoid == INT_MIN ? json_null()
                                                                      : json_integer(provenance->perf_event_paranoid)));
}

json_t *record_encode_mpi(const struct context_source *source)
{
    bool available = source->mpirun && *source->mpirun && !(source->mpi_reason && *source->mpi_reason);
    return json_pack("{s:b, s:o, s:o, s:o}", "available", available, "version", text_or_null(source->mpi_version),
                     "mpirun", text_or_null(source->mpirun), "reason", text_or_null(source->mpi_reason));
}

static json_t *count_or_null(int count)
{
    return count > 0 ? json_integer(count) : json_null();
}

static json_t *number_or_null(double number)
{
    return number > 0 ? json_real(number) : json_null();
}

json_t *record_encode_allocation(const struct allocation *allocation)
{
    if (allocation->scheduler == SCHEDULER_NONE) return json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:i, s:b, s:b, s:o}", "scheduler",
                     scheduler_name(allocation->scheduler), "id", text_or_null(allocation->job_id), "array_index",
                     text_or_null(allocation->array_index), "partition", text_or_null(allocation->partition), "nodes",
                     count_or_null(allocation->nodes), "cpus_per_node", count_or_null(allocation->cpus_per_node),
                     "cpus_differ", allocation->cpus_differ, "cpus", count_or_null(allocation->cpus_total),
                     "tasks_per_node", count_or_null(allocation->tasks_per_node), "cpus_per_task",
                     count_or_null(allocation->cpus_per_task), "memory_per_node_bytes",
                     number_or_null(allocation->memory_per_node_bytes), "end_s", number_or_null(allocation->end_s),
                     "restarts", allocation->restarts, "step", allocation->step, "elsewhere", allocation->elsewhere,
                     "hosts", text_or_null(allocation->hosts));
}

static json_t *encode_program(void)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", "speedup", "version", SPEEDUP_VERSION, "compiler",
                     text_or_null(SPEEDUP_COMPILER), "flags", text_or_null(SPEEDUP_C_FLAGS), "build_type",
                     text_or_null(SPEEDUP_BUILD_TYPE), "sanitizers", text_or_null(SPEEDUP_SANITIZERS));
}

static bool name_matters(const char *name)
{
    static const char *const prefixes[] = {"OMP_",   "GOMP_", "KMP_",     "OMPI_",  "PRTE_MCA_", "PMIX_MCA_",
                                           "SLURM_", "SRUN_", "SPEEDUP_", "HWLOC_", "MPICH_",    "I_MPI_"};
    static const char *const secrets[] = {"JWT", "TOKEN", "SECRET", "PASSW", "CREDENTIAL"};
    static const char suffix[] = "_NUM_THREADS";
    size_t length = strlen(name);
    if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789abcdefghijklmnopqrstuvwxyz") < length) return false;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        if (strstr(name, secrets[i])) return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return length >= sizeof suffix && strcmp(name + length - (sizeof suffix - 1), suffix) == 0;
}

static json_t *encode_environment(char *const *variables)
{
    json_t *object = json_object();
    for (; object && *variables; variables++) {
        char name[128];
        size_t length = strcspn(*variables, "=");
        if ((*variables)[length] != '=' || length >= sizeof name) continue;
        memcpy(name, *variables, length);
        name[length] = '\0';
        if (!name_matters(name)) continue;
        if (json_object_set_new(object, name, text_encode(*variables + length + 1))) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static json_t *encode_date(double date_s)
{
    char text[32];
    struct tm date;
    time_t seconds = date_s > 0 ? (time_t)date_s : time(NULL);
    if (!gmtime_r(&seconds, &date)) return json_null();
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date);
    return json_string(text);
}

json_t *record_encode_context(const struct machine *machine, const struct provenance *provenance,
                              const struct context_source *source)
{
    json_t *launches = source->launches ? json_deep_copy(source->launches) : json_array();
    return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type", "context", "schema", RECORD_SCHEMA,
                     "study", text_or_null(source->study), "start", encode_date(source->start_s), "program",
                     encode_program(), "machine", record_encode_machine(machine), "system",
                     record_encode_system(provenance), "mpi", record_encode_mpi(source), "launches", launches,
                     "environment", encode_environment(source->variables ? source->variables : environ));
}
