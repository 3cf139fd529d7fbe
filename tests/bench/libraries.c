/* The dgemm of other libraries. Each is loaded from a private copy of its file, so that one file can be loaded twice
 * with different settings (BLIS, with the kernels that it chooses and with others), and so that what a contestant sets
 * (its number of threads) is no other's business: the variant blas may use the same library.
 *
 * Threads that a library keeps between calls are bound one a CPU, as ours are; they are those that appeared in
 * /proc/self/task with its first call. Unbound, two of them may share a CPU for a while.
 */
#include "contestants.h"

#include "../../src/place/machine.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 }; /* of cblas.h */
enum { TASKS_MAX = 1024, WARM_EXTENT = 256, FILES_MAX = 5 };

#define DEBIAN "/usr/lib/x86_64-linux-gnu/"

/* BLIS starts threads anew for each call unless it was built for OpenMP; for one thread it does not matter. */
static const struct library {
    const char *name, *package;
    const char *files[FILES_MAX]; /* the first that can be loaded */
    const char *variable, *value; /* of the environment, when it is loaded; or NULL */
    enum isa least;
} libraries[] = {
    {"openblas",
     "libopenblas0-pthread (Fedora: openblas-threads)",
     {DEBIAN "openblas-pthread/libopenblas.so.0", "libopenblasp.so.0", "libopenblas.so.0"},
     NULL,
     NULL,
     ISA_BASE},
    {"blis",
     "libblis4-openmp (Fedora: blis)",
     {DEBIAN "blis-openmp/libblis.so.4", DEBIAN "blis-pthread/libblis.so.4", "libbliso.so.4", "libblis.so.4"},
     NULL,
     NULL,
     ISA_BASE},
    {"blis-skx",
     "libblis4-openmp (Fedora: blis)",
     {DEBIAN "blis-openmp/libblis.so.4", DEBIAN "blis-pthread/libblis.so.4", "libbliso.so.4", "libblis.so.4"},
     "BLIS_ARCH_TYPE",
     "0",
     ISA_AVX512}, /* of 0.9.0: Skylake-X; it chooses AVX2 on other makers' CPUs */
};
const char *const library_names[] = {"openblas", "blis", "blis-skx", "libxsmm", NULL};

static void library_settle(const struct contestant *contestant)
{
    if (contestant->wanders)
        bind_process(contestant->cpus);
    else
        bind_thread(contestant->cpus->cpus[0]);
}

static void library_multiply(const struct contestant *contestant, const struct product *product, int64_t calls)
{
    int m = (int)product->shape.m, n = (int)product->shape.n, k = (int)product->shape.k;
    for (int64_t call = 0; call < calls; call++)
        contestant->dgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1, product->a, k, product->b, n, 0,
                          product->c, n);
}

/* It stays loaded until the program ends, as its threads do. */
static const struct contestant_kind library_kind = {.settle = library_settle, .multiply = library_multiply};

/* Where the loader finds it. Returns path, or NULL. */
static const char *find_file(const char *file, size_t length, char *path)
{
    struct link_map *map = NULL;
    void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
    if (!library) return NULL;
    bool found = dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && strlen(map->l_name) < length;
    if (found) strcpy(path, map->l_name);
    dlclose(library);
    return found ? path : NULL;
}

/* The file of the copy stays open: the loader knows libraries by their names, and must not see this one again. */
static void *load_copy(const char *path)
{
    char name[64];
    void *library = NULL;
    int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("library", MFD_CLOEXEC);
    ssize_t copied = from < 0 || to < 0 ? -1 : 1;
    while (copied > 0) copied = sendfile(to, from, NULL, 1 << 30);
    snprintf(name, sizeof name, "/proc/self/fd/%d", to);
    if (copied == 0) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (from >= 0) close(from);
    if (!library && to >= 0) close(to);
    return library;
}

static int read_tasks(pid_t tasks_p[TASKS_MAX])
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; folder && count < TASKS_MAX && (entry = readdir(folder));)
        if (entry->d_name[0] != '.') tasks_p[count++] = (pid_t)atoi(entry->d_name);
    if (folder) closedir(folder);
    return count;
}

static bool is_among(pid_t task, int count, const pid_t tasks[])
{
    for (int i = 0; i < count; i++)
        if (tasks[i] == task) return true;
    return false;
}

static void bind_new_tasks(const struct cpu_list *cpus, int old_count, const pid_t old[])
{
    pid_t tasks[TASKS_MAX];
    int count = read_tasks(tasks), next = 1;
    for (int i = 0; i < count; i++) {
        cpu_set_t set;
        if (is_among(tasks[i], old_count, old)) continue;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpus->cpus[next++ % cpus->count], &set);
        sched_setaffinity(tasks[i], sizeof set, &set);
    }
}

static void set_threads(const struct contestant *contestant)
{
    void (*set)(int);
    void (*set_blis)(int64_t); /* dim_t */
    *(void **)&set = dlsym(contestant->library, "openblas_set_num_threads");
    *(void **)&set_blis = dlsym(contestant->library, "bli_thread_set_num_threads");
    if (set) set(contestant->threads);
    if (set_blis) set_blis(contestant->threads);
}

/* Its first call, by which it makes its choices and starts its threads. Returns whether the result is right. */
static bool call_once(const struct contestant *contestant)
{
    enum { COUNT = WARM_EXTENT * WARM_EXTENT };
    double *matrices = bench_new_doubles(3 * COUNT, false);
    if (!matrices) return false;
    for (int i = 0; i < 2 * COUNT; i++) matrices[i] = 1;
    const struct product product = {
        .shape = {WARM_EXTENT, WARM_EXTENT, WARM_EXTENT}, matrices, matrices + COUNT, matrices + 2 * COUNT};
    library_multiply(contestant, &product, 1);
    bool right = matrices[3 * COUNT - 1] == WARM_EXTENT;
    free(matrices);
    return right;
}

static const char *call_text(void *library, const char *function)
{
    const char *(*text)(void);
    *(void **)&text = dlsym(library, function);
    return text ? text() : NULL;
}

static void describe(const struct contestant *contestant, const char *path)
{
    void *library = contestant->library;
    const char *openblas = call_text(library, "openblas_get_config"),
               *blis = call_text(library, "bli_info_get_version_str");
    int (*arch)(void), (*get_threads)(void), (*uses_openmp)(void);
    const char *(*arch_text)(int);
    *(void **)&arch = dlsym(library, "bli_arch_query_id");
    *(void **)&arch_text = dlsym(library, "bli_arch_string");
    *(void **)&get_threads = dlsym(library, openblas ? "openblas_get_num_threads" : "bli_thread_get_num_threads");
    *(void **)&uses_openmp = dlsym(library, "bli_info_get_enable_openmp");
    printf("%s: %s", contestant->name, openblas ? openblas : "");
    if (blis)
        printf("BLIS %s, %s, kernels of %s", blis, uses_openmp && uses_openmp() ? "OpenMP" : "pthreads",
               arch && arch_text ? arch_text(arch()) : "?");
    if (get_threads) printf("; threads: %d", get_threads());
    printf("; %s\n", path);
}

/* Returns whether it is there and works. */
static bool open_library(struct contestants *all, const struct library *library, const char *path, int threads)
{
    pid_t tasks[TASKS_MAX];
    int task_count = read_tasks(tasks);
    struct contestant *contestant = contestants_add(all, library->name, &library_kind, threads);
    bind_process(&all->cpus);
    if (library->variable) setenv(library->variable, library->value, 1);
    contestant->library = load_copy(path);
    if (contestant->library) *(void **)&contestant->dgemm = dlsym(contestant->library, "cblas_dgemm");
    bool works = contestant->dgemm;
    if (works) {
        set_threads(contestant);
        works = call_once(contestant);
        bind_new_tasks(&all->cpus, task_count, tasks);
    }
    if (library->variable) unsetenv(library->variable);
    if (works) {
        int (*uses_pthreads)(void);
        *(void **)&uses_pthreads = dlsym(contestant->library, "bli_info_get_enable_pthreads");
        contestant->wanders = threads > 1 && uses_pthreads && uses_pthreads();
        describe(contestant, path);
        return true;
    }
    all->count--;
    return false;
}

void libraries_open(struct contestants *all, const struct contestants_wish *wish)
{
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        const struct library *library = &libraries[i];
        char path[4096];
        bool works = false;
        if (!bench_list_has(wish->peers, library->name)) continue;
        if (library->least > isa_best()) {
            printf("%s: left out: this machine lacks %s\n", library->name, isa_name(library->least));
            continue;
        }
        for (int file = 0; file < FILES_MAX && library->files[file] && !works; file++)
            works =
                find_file(library->files[file], sizeof path, path) && open_library(all, library, path, wish->threads);
        if (!works) printf("%s: left out: it is not installed; install %s\n", library->name, library->package);
    }
}
