#include "bench.h"

#include "../../kernels/random.h"
#include "../../src/analyse/results.h"
#include "../../src/observe/thread.h"
#include "../../src/options/values.h"
#include "../../src/place/file.h"
#include "../../src/place/machine.h"

#include <dirent.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HELP_INDENT = 22, CACHE_LINE = 64, HUGE_PAGE = 2 << 20, TRIES = 4 };
#define WAITED_MAX 0.01 /* of a measurement's time */

static void print_help(const struct bench_program *program)
{
    printf("Usage: %s [OPTIONS]\n\n", program->name);
    options_print_wrapped(stdout, 0, 0, program->description);
    puts("\nOptions:");
    for (const struct option *option = program->options; option->name; option++) {
        int column = printf("  --%s %s", option->name, option->argument ? option->argument : "");
        options_print_wrapped(stdout, column, HELP_INDENT, option->help);
    }
    options_print_wrapped(stdout, printf("  --help"), HELP_INDENT, "Prints this help.");
}

static const struct option *find_option(const struct option *option, const char *name, size_t length)
{
    while (option->name && (strncmp(option->name, name, length) != 0 || option->name[length])) option++;
    return option->name ? option : NULL;
}

int bench_parse(const struct bench_program *program, int argc, char *argv[], struct error *error_p)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(program);
            return 1;
        }
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + 2, *equals = strchrnul(argv[i], '=');
        const struct option *option =
            strncmp(argv[i], "--", 2) == 0 ? find_option(program->options, name, (size_t)(equals - name)) : NULL;
        if (!option)
            return error_set(error_p, STATUS_USAGE, "unknown argument '%.80s' (see '%s --help')", argv[i],
                             program->name);
        if (option->type == OPT_FLAG) {
            *(bool *)option->value = true;
            continue;
        }
        const char *value = *equals ? equals + 1 : argv[++i];
        if (!value)
            return error_set(error_p, STATUS_USAGE, "--%s needs a value: --%s %s", option->name, option->name,
                             option->argument);
        int status = option_set(option, value, error_p);
        if (status < 0) return status;
    }
    return 0;
}

bool bench_next_word(const char **rest_p, size_t length, char *word_p)
{
    size_t used = strcspn(*rest_p, ",");
    if (used == 0 || used >= length) return false;
    memcpy(word_p, *rest_p, used);
    word_p[used] = '\0';
    *rest_p += used + ((*rest_p)[used] == ',');
    return true;
}

bool bench_list_has(const char *list, const char *word)
{
    char each[64];
    if (!list) return true;
    while (bench_next_word(&list, sizeof each, each))
        if (strcmp(each, word) == 0) return true;
    return false;
}

int bench_print_machine(struct error *error_p)
{
    struct machine *machine = malloc(sizeof *machine);
    if (!machine) return error_set(error_p, STATUS_FAILED, "out of memory");
    int status = machine_read(machine, error_p);
    if (status == 0)
        printf("%s, %d core%s, caches of %.0f KiB, %.4g MiB, %.4g MiB\n", machine->cpu_model, machine->core_count,
               machine->core_count > 1 ? "s" : "", (double)machine->cache_bytes[0] / 1024,
               (double)machine->cache_bytes[1] / 1048576, (double)machine->cache_bytes[2] / 1048576);
    free(machine);
    return status;
}

int bench_choose_cpus(int threads, bool shared, const struct cpu_list *wish, struct cpu_list *cpus_p,
                      struct error *error_p)
{
    int wanted = shared ? 1 : threads;
    if (wish->count > 0)
        *cpus_p = *wish;
    else
        bind_read(cpus_p);
    if (cpus_p->count < wanted)
        return error_set(error_p, STATUS_USAGE,
                         "%d threads need %d CPUs of their own, and there are %d (see --cpus, --oversubscribe)", wanted,
                         wanted, cpus_p->count);
    cpus_p->count = wanted;
    int status = bind_process(cpus_p);
    char text[256];
    if (status < 0)
        return error_set(error_p, STATUS_USAGE, "--cpus: this process may not run on all of %s",
                         cpu_list_format(cpus_p, sizeof text, text));
    printf("%d thread%s on CPU%s %s\n", threads, threads > 1 ? "s" : "", wanted > 1 ? "s" : "",
           cpu_list_format(cpus_p, sizeof text, text));
    return 0;
}

int bench_choose_isa(const char *wish, enum isa *isa_p, struct error *error_p)
{
    char list[64];
    const char *name = wish ? wish : getenv("SPEEDUP_ISA");
    if (isa_find(name, isa_p) < 0)
        return error_set(error_p, STATUS_USAGE, "--isa (or SPEEDUP_ISA): '%s' is not to be had here; there are %s",
                         name, isa_list(sizeof list, list));
    printf("instruction set: %s\n", isa_name(*isa_p));
    return 0;
}

void bench_settle_threads(int threads, const struct cpu_list *cpus)
{
#pragma omp parallel num_threads(threads)
    bind_thread(cpus->cpus[omp_get_thread_num() % cpus->count]);
}

void bench_start_anew_with_passive_waits(char *argv[])
{
    const char *policy = getenv("OMP_WAIT_POLICY");
    if (policy && strcmp(policy, "passive") == 0) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv("/proc/self/exe", argv);
}

static double order_statistic(int count, const double values[], int rank)
{
    return quantile(count, values, count > 1 ? (double)(rank - 1) / (count - 1) : 0);
}

struct estimate bench_estimate(int rounds, const double values[])
{
    int low = 1, high = rounds;
    median_interval_ranks(rounds, &low, &high);
    return (struct estimate){rounds, median(rounds, values), order_statistic(rounds, values, low),
                             order_statistic(rounds, values, high)};
}

struct estimate bench_estimate_ratio(int rounds, const double a[], const double b[])
{
    double ratios[BENCH_ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) ratios[i] = a[i] / b[i];
    return bench_estimate(rounds, ratios);
}

const char *bench_format(struct estimate estimate, int decimals, size_t length, char *text)
{
    if (estimate.rounds == 0 || isnan(estimate.median))
        snprintf(text, length, "-");
    else if (estimate.rounds == 1)
        snprintf(text, length, "%.*f", decimals, estimate.median);
    else
        snprintf(text, length, "%.*f [%.*f, %.*f]", decimals, estimate.median, decimals, estimate.low, decimals,
                 estimate.high);
    return text;
}

const char *bench_interval_text(int rounds, size_t length, char *text)
{
    int low, high;
    bool interval = median_interval_ranks(rounds, &low, &high);
    if (rounds == 1)
        snprintf(text, length, "one round: no spread");
    else
        snprintf(text, length, "%d rounds, %s", rounds,
                 interval ? "[95 % interval of the median]" : "[range; an interval needs 6 rounds]");
    return text;
}

double bench_waited_s(void)
{
    double waited_s = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char text[128];
        if (file_read(sizeof text, text, "/proc/self/task/%s/schedstat", entry->d_name) <= 0) continue;
        double each_s = schedstat_parse_wait(text);
        if (!isnan(each_s)) waited_s += each_s;
    }
    if (folder) closedir(folder);
    return waited_s;
}

bool bench_must_repeat(double waited, int *tries, struct bench_disturbances *counts)
{
    if (!(waited > WAITED_MAX)) return false;
    bool again = ++*tries < TRIES;
    if (again)
        counts->repeated++;
    else
        counts->disturbed++;
    return again;
}

void bench_print_disturbances(const struct bench_disturbances *counts)
{
    if (counts->repeated + counts->disturbed > 0)
        printf("  other tasks took CPU time: measurements repeated for it: %d; that stayed disturbed: %d\n",
               counts->repeated, counts->disturbed);
}

void bench_shuffle(int count, uint64_t *state, int order_p[])
{
    for (int i = 0; i < count; i++) {
        *state = hash_mix(*state + 1);
        int other = (int)(*state % (uint64_t)(i + 1));
        if (other < i) order_p[i] = order_p[other];
        order_p[other] = i;
    }
}

double *bench_new_doubles(int64_t count, bool huge_pages)
{
    size_t alignment = huge_pages ? HUGE_PAGE : CACHE_LINE;
    size_t bytes = ((size_t)count * sizeof(double) + alignment - 1) / alignment * alignment;
    double *values = aligned_alloc(alignment, bytes);
    if (values && huge_pages) madvise(values, bytes, MADV_HUGEPAGE);
    return values;
}

void bench_fill(int64_t count, double *values, uint64_t seed)
{
    for (int64_t i = 0; i < count; i++) values[i] = hash_to_double(hash_pair(seed, (uint64_t)i));
}

double bench_largest_difference(int64_t count, const double *a, const double *b)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++) {
        double difference = fabs(a[i] - b[i]);
        if (!(difference <= largest)) largest = isnan(difference) ? INFINITY : difference;
    }
    return largest;
}

double bench_product_bound(int64_t depth)
{
    return 2 * (double)depth * (double)(depth + 2) * (DBL_EPSILON / 2);
}
