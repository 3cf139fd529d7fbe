/* What this machine offers, and what would spoil a measurement on it. The facts are those of the record's context line;
 * only here are mpirun and gnuplot asked for their versions, since that takes time. */
#include "../../kernels/isa.h"
#include "../launch/spawn.h"
#include "../present/present.h"
#include "../record/context.h"
#include "ceilings.h"
#include "commands.h"
#include "speedup_config.h"

#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double version_limit_s = 5;

struct survey {
    struct machine machine;
    struct provenance provenance;
    struct launch_site site;
    char mpi_version[128], gnuplot[128]; /* "" where not found */
    char openmp[128];
    struct allocation allocation;
    int warning_count;
    struct warning warnings[WARNINGS_MAX];
};

/* Takes the line that tells the version, in the words of Open MPI ("mpirun (Open MPI) 4.1.4", or OpenRTE for mpiexec),
 * of MPICH's Hydra
 * ("    Version:       4.0.2", after a title), or of others, whose first line is taken as it is. */
static int take_version(void *context, char *text, size_t length)
{
    char *version_p = context, name[64], number[48];
    (void)length;
    if (sscanf(text, "%*s (%63[^)]) %47s", name, number) == 2)
        snprintf(version_p, 128, "%s %s", strcmp(name, "OpenRTE") == 0 ? "Open MPI" : name, number);
    else if (sscanf(text, " Version: %47s", number) == 1)
        snprintf(version_p, 128, "MPICH %s", number);
    else if (!*version_p && !strstr(text, "HYDRA"))
        snprintf(version_p, 128, "%.127s", text);
    return 0;
}

/* "" where it cannot be had, which is no error. STATUS_INTERRUPTED, or STATUS_OK. */
static int ask_version(char *program, char version_p[128], struct error *error_p)
{
    char option[] = "--version", *arguments[] = {program, option, NULL};
    struct launch_line line = {.argv = arguments};
    const struct spawn_options options = {.time_limit_s = version_limit_s, .context = version_p, .line = take_version};
    struct spawn_result result;
    version_p[0] = '\0';
    int status = spawn_run(&line, &options, &result, error_p);
    if (status || result.exit_status != 0) version_p[0] = '\0';
    return status == STATUS_INTERRUPTED ? status : STATUS_OK;
}

/* The library that this program runs with, and the specification that it was compiled for. */
static void find_openmp(size_t length, char *text_p)
{
    static const struct {
        int date;
        const char *version;
    } specifications[] = {{201511, "4.5"}, {201811, "5.0"}, {202011, "5.1"}, {202111, "5.2"}, {202411, "6.0"}};
    char version[32];
    snprintf(version, sizeof version, "%d", _OPENMP);
    for (size_t i = 0; i < sizeof specifications / sizeof specifications[0]; i++)
        if (specifications[i].date == _OPENMP) snprintf(version, sizeof version, "%s", specifications[i].version);
    Dl_info library;
    const char *path = dladdr((void *)omp_get_max_threads, &library) ? library.dli_fname : "unknown";
    const char *slash = strrchr(path, '/');
    snprintf(text_p, length, "%.80s, OpenMP %s", slash ? slash + 1 : path, version);
}

static int take_survey(struct survey *survey_p, struct error *error_p)
{
    struct error site_error;
    int status = machine_read(&survey_p->machine, error_p);
    if (status) return status;
    provenance_read(&survey_p->provenance);
    if (launch_find_site(&survey_p->site, &site_error)) {
        memset(&survey_p->site, 0, sizeof survey_p->site);
        snprintf(survey_p->site.mpi_reason, sizeof survey_p->site.mpi_reason, "%.255s", site_error.text);
    }
    survey_p->mpi_version[0] = '\0';
    if (survey_p->site.mpirun[0]) status = ask_version(survey_p->site.mpirun, survey_p->mpi_version, error_p);
    char gnuplot[] = "gnuplot";
    if (!status) status = ask_version(gnuplot, survey_p->gnuplot, error_p);
    if (status) return status;
    find_openmp(sizeof survey_p->openmp, survey_p->openmp);
    allocation_find(environ, &survey_p->allocation);
    allocation_read_hosts(&survey_p->allocation); /* where it cannot be read, less is known */
    survey_p->warning_count = provenance_warnings(&survey_p->machine, &survey_p->provenance, survey_p->warnings);
    survey_p->warning_count = provenance_job_warnings(&survey_p->allocation, &survey_p->machine, &survey_p->provenance,
                                                      environ, survey_p->warning_count, survey_p->warnings);
    return STATUS_OK;
}

static void print_row(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print_row(const char *name, const char *format, ...)
{
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int column = printf("  %s", name);
    options_print_wrapped(stdout, column, 18, text);
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

static void print_cpus(const struct machine *machine, const struct provenance *provenance)
{
    struct cpu_list list = {.count = machine->cpu_count};
    char cpus[4096], quota[64] = "none";
    for (int i = 0; i < machine->cpu_count; i++) list.cpus[i] = machine->cpus[i].os_index;
    cpu_list_format(&list, sizeof cpus, cpus);
    if (isfinite(machine->quota_cpus)) snprintf(quota, sizeof quota, "%.4g CPUs' worth of time", machine->quota_cpus);
    char sets[64];
    print_row("Model", "%s", machine->cpu_model[0] ? machine->cpu_model : "unknown");
    print_row("CPUs", "%d of %d may be used, on %d core%s: %s", machine->allowed_cpu_count, machine->online_cpu_count,
              machine->core_count, plural(machine->core_count), cpus);
    print_row("CPU quota", "%s", quota);
    const char *named = getenv("SPEEDUP_ISA");
    enum isa isa;
    if (!named || !*named)
        print_row("Instructions", "%s; %s is used unless SPEEDUP_ISA names another", isa_list(sizeof sets, sets),
                  isa_name(isa_best()));
    else if (isa_find(named, &isa) == 0)
        print_row("Instructions", "%s; %s is used, as SPEEDUP_ISA says", isa_list(sizeof sets, sets), isa_name(isa));
    else
        print_row("Instructions", "%s; SPEEDUP_ISA names %.60s, which is none of them", isa_list(sizeof sets, sets),
                  named);
    print_row("SMT", "%s, %s",
              provenance->smt_active < 0 ? "unknown"
              : provenance->smt_active   ? "on"
                                         : "off or not visible",
              machine->cpu_count > machine->core_count ? "and hardware threads of one core are among these CPUs"
                                                       : "one CPU a core here");
    if (machine->kind_count > 1) print_row("Kinds of cores", "%d", machine->kind_count);
    print_row("Topology", "%d package%s, %d NUMA node%s", machine->package_count, plural(machine->package_count),
              machine->numa_count, plural(machine->numa_count));
}

static void print_job(const struct allocation *allocation)
{
    char text[1024];
    if (allocation->scheduler != SCHEDULER_NONE)
        print_row("Batch system", "Inside %s", allocation_format(allocation, sizeof text, text));
}

static const char *bytes_or_unknown(int64_t bytes, size_t length, char *text)
{
    return format_bytes(bytes > 0 ? (double)bytes : (double)NAN, length, text);
}

static void print_memory(const struct machine *machine)
{
    char l1[32], l2[32], l3[32], all[32], free[32];
    print_row("Caches", "L1d %s, L2 %s, L3 %s (as one core sees them)",
              bytes_or_unknown(machine->cache_bytes[0], sizeof l1, l1),
              bytes_or_unknown(machine->cache_bytes[1], sizeof l2, l2),
              bytes_or_unknown(machine->cache_bytes[2], sizeof l3, l3));
    print_row("Memory", "%s, of which %s are available", bytes_or_unknown(machine->memory_bytes, sizeof all, all),
              format_bytes((double)machine->memory_available_bytes, sizeof free, free));
}

static const char *on_off(int value)
{
    return value < 0 ? "not readable" : value ? "on" : "off";
}

static void print_system(const struct provenance *provenance)
{
    print_row("System", "%s, Linux %s", provenance->os_name[0] ? provenance->os_name : "unknown",
              provenance->kernel_release);
    print_row("Clock", "governor %s, turbo %s", provenance->governor[0] ? provenance->governor : "not readable",
              on_off(provenance->turbo));
    print_row("Virtualisation", "%s%s%s%s",
              provenance->virtualised < 0 ? "not readable"
              : provenance->virtualised   ? "virtual machine, "
                                          : "none",
              provenance->virtualised > 0 ? provenance->hypervisor[0] ? provenance->hypervisor : "unknown kind" : "",
              provenance->container[0] ? "; container: " : "", provenance->container);
    if (isfinite(provenance->steal_share))
        print_row("Steal", "%.2f %% of all CPU time since boot", 100 * provenance->steal_share);
    if (isfinite(provenance->load_1min))
        print_row("Load", "%.2f tasks, average over the last minute", provenance->load_1min);
    print_row("Huge pages", "%s",
              provenance->transparent_huge_pages[0] ? provenance->transparent_huge_pages : "not readable");
}

static void print_software(const struct survey *survey)
{
    const struct launch_site *site = &survey->site;
    if (site->mpirun[0])
        print_row("MPI", "%s, %s%s%s", survey->mpi_version[0] ? survey->mpi_version : "version unknown", site->mpirun,
                  site->mpi_reason[0] ? "; not usable: " : "", site->mpi_reason);
    else
        print_row("MPI", "not available: %s", site->mpi_reason);
    print_row("OpenMP", "%s", survey->openmp);
    print_row("Figures", "%s",
              survey->gnuplot[0] ? survey->gnuplot : "gnuplot not found (it is not needed to measure)");
    print_row("This build", "speedup %s, %s, %s%s%s", SPEEDUP_VERSION, SPEEDUP_COMPILER, SPEEDUP_BUILD_TYPE,
              *SPEEDUP_SANITIZERS ? "; with sanitizers, not for measuring: " : "", SPEEDUP_SANITIZERS);
}

static void print_observation(const struct provenance *provenance)
{
    print_row("Run-queue wait", "%s",
              provenance->schedstat ? "observable (/proc/thread-self/schedstat)" : "not observable");
    print_row("Timelines", "%s%s",
              provenance->timelines_exact ? "exact: every context switch can be recorded" : "not exact: ",
              provenance->timelines_reason);
}

static void print_scheduling(const struct provenance *provenance)
{
    char tick[32];
    if (provenance->slices_settable)
        print_row("Time slices", "can be set (--slice), to 0.1 ms and more; turns end at ticks of the timer, %s apart",
                  format_time(provenance->tick_s, sizeof tick, tick));
    else
        print_row("Time slices", "cannot be set (--slice): %s", provenance->slices_reason);
    print_row("Real-time", "%s%s", provenance->realtime_allowed ? "allowed (--policy fifo, rr)" : "not allowed: ",
              provenance->realtime_reason);
}

static void print_warnings(const struct survey *survey)
{
    if (survey->warning_count == 0) {
        puts("Nothing here would spoil a measurement.");
        return;
    }
    puts("What would spoil a measurement here");
    for (int i = 0; i < survey->warning_count; i++) {
        const struct warning *warning = &survey->warnings[i];
        putchar('\n');
        print_row(warning->name, "%s\nFix: %s", warning->text, warning->fix);
    }
}

static void print_survey(const struct survey *survey)
{
    printf("What %s offers to this process\n\n", survey->machine.hostname);
    print_job(&survey->allocation);
    print_cpus(&survey->machine, &survey->provenance);
    print_memory(&survey->machine);
    print_system(&survey->provenance);
    print_software(survey);
    print_observation(&survey->provenance);
    print_scheduling(&survey->provenance);
    putchar('\n');
}

static json_t *encode_warnings(const struct survey *survey)
{
    json_t *array = json_array();
    for (int i = 0; i < survey->warning_count; i++)
        json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "name", survey->warnings[i].name, "text",
                                               survey->warnings[i].text, "fix", survey->warnings[i].fix));
    return array;
}

static int print_json(const struct survey *survey, const struct ceilings *ceilings, struct error *error_p)
{
    const struct context_source source = {
        .mpi_version = survey->mpi_version, .mpirun = survey->site.mpirun, .mpi_reason = survey->site.mpi_reason};
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:s?, s:o}", "job", record_encode_allocation(&survey->allocation), "machine",
        record_encode_machine(&survey->machine), "system", record_encode_system(&survey->provenance), "mpi",
        record_encode_mpi(&source), "openmp", survey->openmp, "gnuplot", survey->gnuplot[0] ? survey->gnuplot : NULL,
        "warnings", encode_warnings(survey));
    if (object && ceilings) json_object_set_new(object, "ceilings", ceilings_encode(ceilings));
    if (!object) return error_set(error_p, STATUS_FAILED, "no memory is left");
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return STATUS_OK;
}

int command_machine(const struct command *command, int argc, char **argv, struct error *error_p)
{
    bool json = false, measure = false;
    const struct option table[] = {
        {.name = "ceilings",
         .type = OPT_FLAG,
         .value = &measure,
         .help = "Measures what the cores can do at most, too, alone and all at once: floating-point operations with "
                 "each instruction set, and bandwidth of the memory. Takes some seconds."},
        {.name = "json", .type = OPT_FLAG, .value = &json, .help = "One JSON object with the same content."},
        {0}};
    const struct options options = {.command = command, .table = table};
    struct survey survey;
    struct ceilings ceilings;
    int operand_count;

    int status = options_parse(&options, argc, argv, &operand_count, error_p);
    if (status) return status;
    if (operand_count > 0)
        return error_set(error_p, STATUS_USAGE, "machine takes options only, but '%.60s' was given", argv[1]);
    status = take_survey(&survey, error_p);
    if (status) return status;
    if (!json) print_survey(&survey);
    fflush(stdout);
    if (measure) status = ceilings_measure(&survey.machine, false, &ceilings, error_p);
    if (status) return status;
    if (json) return print_json(&survey, measure ? &ceilings : NULL, error_p);
    if (measure) {
        ceilings_print(&ceilings);
        putchar('\n');
    }
    print_warnings(&survey);
    return STATUS_OK;
}
