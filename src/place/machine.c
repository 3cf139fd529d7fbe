/* The machine as this process may use it.
 *
 * The affinity mask says which CPUs: the operating system keeps it within the cgroup's cpuset, and neither taskset nor
 * a launcher's binding escapes it, while hwloc by itself would show them all. hwloc says how these CPUs belong to
 * cores, packages, memory nodes and kinds of core; cgroups say how much of them may be used.
 *
 * hwloc loads in 1.3 ms on 2 CPUs without its plugins (they look for graphics cards, 3 ms) and without asking the CPUs
 * themselves (that would move this thread over all of them); the kernel's /sys has all that is wanted here.
 */
#include "machine.h"
#include "file.h"
#include "limits.h"

#include <errno.h>
#include <hwloc.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { KINDS_MAX = 64 };

static int load_topology(hwloc_topology_t *topology_p)
{
    char *plugins = getenv("HWLOC_PLUGINS_PATH");
    char *kept = plugins ? strdup(plugins) : NULL;
    if (plugins && !kept) return -ENOMEM;
    setenv("HWLOC_PLUGINS_PATH", "", 1);
    int status = hwloc_topology_init(topology_p);
    if (kept)
        setenv("HWLOC_PLUGINS_PATH", kept, 1);
    else
        unsetenv("HWLOC_PLUGINS_PATH");
    free(kept);
    if (status) return -ENOMEM;
    hwloc_topology_set_flags(*topology_p, HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM);
#if HWLOC_API_VERSION >= 0x00020100
    if (access("/sys/devices/system/cpu/cpu0/topology", F_OK) == 0)
        hwloc_topology_set_components(*topology_p, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
#endif
    errno = 0;
    if (hwloc_topology_load(*topology_p) == 0) return 0;
    status = errno > 0 ? -errno : -EIO;
    hwloc_topology_destroy(*topology_p);
    return status;
}

static int compare_ints(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static int compare_os_indices(const void *a, const void *b)
{
    return compare_ints(&((const struct cpu *)a)->os_index, &((const struct cpu *)b)->os_index);
}

/* hwloc ranks kinds of cores from thrifty to fast; -1 where they are all alike, or nobody can tell. */
static int efficiency_of(hwloc_topology_t topology, hwloc_obj_t pu)
{
    int efficiency = -1;
#if HWLOC_API_VERSION >= 0x00020400
    int kind = hwloc_cpukinds_get_by_cpuset(topology, pu->cpuset, 0);
    if (kind >= 0) hwloc_cpukinds_get_info(topology, (unsigned)kind, NULL, &efficiency, NULL, NULL, 0);
#else
    (void)topology, (void)pu;
#endif
    return efficiency < KINDS_MAX ? efficiency : KINDS_MAX - 1;
}

static int number_of(hwloc_obj_t object)
{
    return object && object->os_index <= INT_MAX ? (int)object->os_index : 0;
}

/* hwloc lists hardware threads core by core, which gives core and smt their numbers. `kind` is the efficiency yet. */
static void read_cpus(hwloc_topology_t topology, const struct cpu_list *allowed, struct machine *machine_p)
{
    hwloc_obj_t pu = NULL, last_core = NULL;
    while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu))) {
        int os_index = (int)pu->os_index;
        if (!bsearch(&os_index, allowed->cpus, (size_t)allowed->count, sizeof(int), compare_ints)) continue;
        hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
        if (!core) core = pu;
        struct cpu *cpu = &machine_p->cpus[machine_p->cpu_count++];
        bool same_core = core == last_core;
        *cpu = (struct cpu){.os_index = os_index,
                            .core = same_core ? cpu[-1].core : machine_p->core_count++,
                            .smt = same_core ? cpu[-1].smt + 1 : 0,
                            .package = number_of(hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, pu)),
                            .numa = hwloc_bitmap_first(pu->nodeset),
                            .kind = efficiency_of(topology, pu)};
        if (cpu->numa < 0) cpu->numa = 0;
        last_core = core;
    }
    qsort(machine_p->cpus, (size_t)machine_p->cpu_count, sizeof machine_p->cpus[0], compare_os_indices);
}

/* From efficiencies to kinds: 0 the fastest. */
static void rank_kinds(struct machine *machine_p)
{
    int kind_of[KINDS_MAX + 1] = {0};
    for (int i = 0; i < machine_p->cpu_count; i++) kind_of[machine_p->cpus[i].kind + 1] = 1;
    for (int e = KINDS_MAX; e >= 0; e--)
        if (kind_of[e]) kind_of[e] = machine_p->kind_count++;
    for (int i = 0; i < machine_p->cpu_count; i++) machine_p->cpus[i].kind = kind_of[machine_p->cpus[i].kind + 1];
}

/* How many different values a CPU's field (at this offset) has. */
static int count_distinct(const struct machine *machine, size_t offset)
{
    int values[CPUS_MAX], distinct = 0;
    for (int i = 0; i < machine->cpu_count; i++)
        memcpy(&values[i], (const char *)&machine->cpus[i] + offset, sizeof(int));
    qsort(values, (size_t)machine->cpu_count, sizeof(int), compare_ints);
    for (int i = 0; i < machine->cpu_count; i++) distinct += i == 0 || values[i] != values[i - 1];
    return distinct;
}

/* Caches as the first CPU that workers get sees them. */
static void read_caches(hwloc_topology_t topology, struct machine *machine_p)
{
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE};
    struct cpu_list order;
    machine_cpu_order(machine_p, false, &order);
    hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(topology, (unsigned)order.cpus[0]);
    for (int level = 0; level < 3; level++) {
        hwloc_obj_t cache = hwloc_get_ancestor_obj_by_type(topology, types[level], pu);
        machine_p->cache_bytes[level] = cache ? (int64_t)cache->attr->cache.size : 0;
    }
}

/* Copies with runs of blanks made one. */
static void copy_words(const char *text, size_t length, char *text_p)
{
    size_t used = 0;
    for (; *text && used + 1 < length; text++)
        if (*text != ' ' || (used > 0 && text_p[used - 1] != ' ')) text_p[used++] = *text;
    while (used > 0 && text_p[used - 1] == ' ') used--;
    text_p[used] = '\0';
}

static void read_cpu_model(hwloc_topology_t topology, size_t length, char *text_p)
{
    hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
    hwloc_obj_t described = package ? package : hwloc_get_root_obj(topology);
    const char *model = hwloc_obj_get_info_by_name(described, "CPUModel");
    const char *maker = hwloc_obj_get_info_by_name(described, "CPUImplementer"); /* Arm has numbers instead of names */
    const char *part = hwloc_obj_get_info_by_name(described, "CPUPart");
    struct utsname system;
    if (model)
        copy_words(model, length, text_p);
    else if (uname(&system) == 0)
        snprintf(text_p, length, "%s%s%s%s%s", system.machine, maker ? ", implementer " : "", maker ? maker : "",
                 part ? ", part " : "", part ? part : "");
}

/* CPUs in "0-3,8": the affinity mask does not count in it. */
static int count_online(void)
{
    char text[4096];
    int count = 0, length, first, last;
    file_read(sizeof text, text, "/sys/devices/system/cpu/online");
    for (const char *at = text; sscanf(at, "%d%n", &first, &length) == 1; at += *at == ',') {
        at += length;
        last = first;
        if (sscanf(at, "-%d%n", &last, &length) == 1) at += length;
        count += last - first + 1;
    }
    return count > 0 ? count : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int machine_read(struct machine *machine_p, struct error *error_p)
{
    struct cpu_list allowed;
    struct limits limits;
    hwloc_topology_t topology;
    memset(machine_p, 0, sizeof *machine_p);
    int count = bind_read(&allowed);
    if (count <= 0)
        return error_set(error_p, STATUS_FAILED, "the CPUs that this process may use cannot be read: %s",
                         strerror(-count));
    int status = load_topology(&topology);
    if (status)
        return error_set(error_p, STATUS_FAILED, "hwloc cannot read this machine's topology: %s", strerror(-status));
    read_cpus(topology, &allowed, machine_p);
    if (machine_p->cpu_count == 0) {
        status = error_set(error_p, STATUS_FAILED,
                           "hwloc's topology has none of the CPUs that this process may use (first: %d); unset "
                           "HWLOC_XMLFILE and HWLOC_SYNTHETIC if they are set",
                           allowed.cpus[0]);
        goto done;
    }
    rank_kinds(machine_p);
    read_caches(topology, machine_p);
    read_cpu_model(topology, sizeof machine_p->cpu_model, machine_p->cpu_model);
    gethostname(machine_p->hostname, sizeof machine_p->hostname - 1);
    limits_read("", &limits);
    machine_p->allowed_cpu_count = count;
    machine_p->package_count = count_distinct(machine_p, offsetof(struct cpu, package));
    machine_p->numa_count = count_distinct(machine_p, offsetof(struct cpu, numa));
    machine_p->online_cpu_count = count_online();
    machine_p->quota_cpus = limits.quota_cpus;
    machine_p->memory_bytes = limits.memory_bytes;
    machine_p->memory_available_bytes = limits.memory_available_bytes;
done:
    hwloc_topology_destroy(topology);
    return status;
}
