/* What /proc tells of processes and threads: masks and library paths by hand, then real children of known kinds. */
#include "../src/observe/thread.h"
#include "../src/observe/tree.h"
#include "../src/observe/tree_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- By hand. ---------------------------------------------------------------------------------------------------- */

static void assert_mask(const char *text, const char *expected, int count)
{
    struct cpu_mask mask;
    char formatted[64];
    assert_int_equal(cpu_mask_parse(text, &mask), 0);
    assert_string_equal(cpu_mask_format(&mask, sizeof formatted, formatted), expected);
    assert_int_equal(cpu_mask_count(&mask), count);
}

static void test_masks(void **state)
{
    (void)state;
    struct cpu_mask mask, other;
    char text[8];
    assert_mask("0-3,8", "0-3,8", 5);
    assert_mask("8,0,1\n", "0-1,8", 3);
    assert_mask("1023", "1023", 1);
    assert_mask("1022-4000000000", "1022-1023", 2);
    assert_mask("5000", "", 0);
    assert_mask("63-64", "63-64", 2);
    const char *const wrong[] = {"", "a", "1-", "-1", "3-1", "1,", ",1", "1 2", "1;2", "+1", "0x3"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(cpu_mask_parse(wrong[i], &mask), -EINVAL);
    assert_int_equal(cpu_mask_parse("0,64", &mask), 0);
    assert_true(cpu_mask_has(&mask, 64));
    assert_false(cpu_mask_has(&mask, 1));
    assert_false(cpu_mask_has(&mask, -1));
    assert_false(cpu_mask_has(&mask, CPUS_MAX));
    assert_int_equal(cpu_mask_parse("64,0", &other), 0);
    assert_true(cpu_mask_same(&mask, &other));
    assert_int_equal(cpu_mask_parse("0", &other), 0);
    assert_false(cpu_mask_same(&mask, &other));
    assert_int_equal(cpu_mask_parse("100-200,300-400", &mask), 0);
    cpu_mask_format(&mask, sizeof text, text);
    assert_true(strlen(text) < sizeof text);
}

static void test_libraries(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int library;
    } cases[] = {
        {"/usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0", LIBRARY_GOMP},
        {"/venv/lib/torch/lib/libgomp-a34b3233.so.1", LIBRARY_GOMP},
        {"/usr/lib/llvm-14/lib/libomp.so.5", LIBRARY_LLVM_OPENMP},
        {"/usr/lib/llvm-14/lib/libomp-14.so.5", LIBRARY_LLVM_OPENMP},
        {"/opt/intel/lib/libiomp5.so", LIBRARY_LLVM_OPENMP},
        {"/usr/lib/llvm-14/lib/libomptarget.so", -1},
        {"/usr/lib/x86_64-linux-gnu/libmpi.so.40.30.4", LIBRARY_OPENMPI},
        {"/usr/lib/x86_64-linux-gnu/libmpi_mpifh.so.40", LIBRARY_OPENMPI},
        {"/usr/lib/x86_64-linux-gnu/libompitrace.so.40.30.1", LIBRARY_OPENMPI},
        {"/usr/lib/x86_64-linux-gnu/libopen-pal.so.40", LIBRARY_OPENMPI},
        {"/usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi3/mca_btl_vader.so", LIBRARY_OPENMPI},
        {"/usr/lib/x86_64-linux-gnu/libucp.so.0.0.0", LIBRARY_OPENMPI},
        {"/usr/lib/x86_64-linux-gnu/libmpich.so.12.2.2", LIBRARY_MPICH},
        {"/opt/intel/mpi/lib/libmpi.so.12.0.0", LIBRARY_MPICH},
        {"/opt/cray/lib/libmpi_cray.so.12", LIBRARY_MPICH},
        {"/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblasp-r0.3.21.so", LIBRARY_OPENBLAS},
        {"/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3", LIBRARY_OPENBLAS},
        {"numpy.libs/libscipy_openblas64_-56d6093b.so", LIBRARY_OPENBLAS},
        {"/usr/lib/x86_64-linux-gnu/blis-openmp/libblas.so.3", LIBRARY_BLIS},
        {"/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0", -1},
        {"libblas.so.3", -1},
        {"/libblas.so.3", -1},
        {"libblis.so.4", LIBRARY_BLIS},
        {"/opt/mkl/libmkl_core.so.2", LIBRARY_MKL},
        {"/usr/bin/python3.11", LIBRARY_PYTHON},
        {"/usr/lib/libpython3.11.so.1.0", LIBRARY_PYTHON},
        {"/home/gomp/libgomp.so/app", -1},
        {"/usr/lib/x86_64-linux-gnu/libc.so.6", -1},
        {"pythonic", -1},
        {"/", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (library_of_path(cases[i].path) != cases[i].library)
            fail_msg("%s: %d", cases[i].path, library_of_path(cases[i].path));
    for (int library = 0; library < LIBRARY_COUNT; library++) assert_true(library_name((enum library)library)[0]);
    assert_string_equal(library_name(LIBRARY_COUNT), "");
}

static void test_environment(void **state)
{
    (void)state;
    static const char environment[] = "HOME=/root\0OMP_NUM_THREADS=3\0\0OMP_\0COMP_X=1\0I_MPI_PIN=a=b\0MPI_EMPTY=";
    struct tree_process process = {.environment = NULL};
    assert_null(tree_variable(&process, "HOME"));
    assert_int_equal(environment_keep(environment, sizeof environment - 1, &process.environment), 0);
    assert_null(tree_variable(&process, "HOME"));
    assert_null(tree_variable(&process, "COMP_X"));
    assert_null(tree_variable(&process, "OMP_NUM"));
    assert_string_equal(tree_variable(&process, "OMP_NUM_THREADS"), "3");
    assert_string_equal(tree_variable(&process, "I_MPI_PIN"), "a=b");
    assert_string_equal(tree_variable(&process, "MPI_EMPTY"), "");
    free(process.environment);
    assert_int_equal(environment_keep("HOME=/", 6, &process.environment), 0);
    assert_null(process.environment);
    assert_int_equal(environment_keep("", 0, &process.environment), 0);
    assert_null(process.environment);
}

/* --- Real children. ---------------------------------------------------------------------------------------------- */

static void nap(double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

/* Starts a program with one variable in its environment, and on a CPU (-1: on any). */
static pid_t start(const char *setting, int cpu, char *const words[])
{
    char *const nothing[] = {(char *)setting, NULL};
    pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0) return child;
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    execve(words[0], words, nothing);
    _exit(127);
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static struct tree stop(struct tree_watch *watch)
{
    struct tree tree;
    tree_init(&tree);
    assert_int_equal(tree_watch_stop(watch, &tree), 0);
    tree_watch_free(watch);
    return tree;
}

static void test_children(void **state)
{
    (void)state;
    struct tree_watch *watch;
    int cpu = sched_getcpu();
    pid_t bystander = start("OMP_NUM_THREADS=1", -1, (char *[]){"/bin/sleep", "30", NULL});
    assert_int_equal(tree_watch_new(0, &watch), 0);
    pid_t plain = start("HOME=/", -1, (char *[]){"/bin/sleep", "31", NULL});
    pid_t bound = start("OMP_NUM_THREADS=5", cpu, (char *[]){"/bin/sleep", "32", NULL});
    pid_t shell =
        start("OMPI_COMM_WORLD_RANK=1", -1, (char *[]){"/bin/sh", "-c", "nice -n 5 sleep 33 & exec sleep 34", NULL});
    nap(0.15);
    struct tree tree = stop(watch); /* looks once more */
    end(bystander);
    end(plain);
    end(bound);
    end(shell);
    assert_string_equal(tree.incomplete, "");
    assert_null(tree_find_process(&tree, bystander));
    const struct tree_process *process = tree_find_process(&tree, plain);
    assert_non_null(process);
    assert_int_equal(process->parent, getpid());
    assert_string_equal(process->name, "sleep");
    assert_string_equal(process->command, "/bin/sleep 31");
    assert_non_null(strstr(process->program, "bin/"));
    assert_true(process->readable);
    assert_null(process->environment);
    assert_int_equal(process->libraries, 0);
    assert_false(process->kept_apart);
    process = tree_find_process(&tree, bound);
    assert_non_null(process);
    assert_string_equal(tree_variable(process, "OMP_NUM_THREADS"), "5");
    const struct tree_task *task = tree_find_task(&tree, bound);
    assert_non_null(task);
    assert_int_equal(cpu_mask_count(&task->mask), 1);
    assert_true(cpu_mask_has(&task->mask, cpu));
    assert_int_equal(task->policy, SCHED_OTHER);
    /* The shell became another program. */
    process = tree_find_process(&tree, shell);
    assert_non_null(process);
    assert_string_equal(process->command, "sleep 34");
    assert_string_equal(process->name, "sleep");
    assert_string_equal(tree_variable(process, "OMPI_COMM_WORLD_RANK"), "1");
    /* Its child has lived on: it is the init process's, or ours, to end. */
    const struct tree_process *grandchild = NULL;
    for (int i = 0; i < tree.process_count; i++)
        if (tree.processes[i].parent == shell) grandchild = &tree.processes[i];
    assert_non_null(grandchild);
    kill(grandchild->pid, SIGKILL);
    assert_string_equal(grandchild->command, "sleep 33");
    task = tree_find_task(&tree, grandchild->pid);
    assert_non_null(task);
    assert_int_equal(task->nice, getpriority(PRIO_PROCESS, 0) + 5 > 19 ? 19 : getpriority(PRIO_PROCESS, 0) + 5);
    assert_true(process < grandchild); /* by their start */
    tree_release(&tree);
    assert_int_equal(tree.process_count, 0);
}

static void *be_bound(void *context)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    pthread_setname_np(pthread_self(), "bound\n");
    nap(0.1);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    *(pid_t *)context = thread_id();
    nap(60);
    return NULL;
}

static void *be_free(void *context)
{
    (void)context;
    pthread_setname_np(pthread_self(), "free");
    nap(60);
    return NULL;
}

/* Another start of this program: test_tree play. Two threads, one of which binds itself later, and a library that is
 * loaded later. */
static int play(void)
{
    pthread_t threads[2];
    pid_t tid = 0;
    if (pthread_create(&threads[0], NULL, be_bound, &tid)) return 1;
    if (pthread_create(&threads[1], NULL, be_free, NULL)) return 1;
    nap(0.08);
    if (!dlopen("libgomp.so.1", RTLD_NOW)) prctl(PR_SET_NAME, "no library");
    nap(60);
    return 0;
}

/* What is attached to was there before; and what comes later in it is seen. */
static void test_root(void **state)
{
    (void)state;
    struct tree_watch *watch;
    char own[256];
    ssize_t got = readlink("/proc/self/exe", own, sizeof own - 1);
    assert_true(got > 0);
    own[got] = '\0';
    pid_t other = start("HOME=/", -1, (char *[]){"/bin/sleep", "30", NULL});
    pid_t child = start("GOMP_SPINCOUNT=7", -1, (char *[]){own, "play", NULL});
    assert_int_equal(tree_watch_new(child, &watch), 0);
    nap(0.9);
    struct tree tree = stop(watch);
    end(child);
    end(other);
    assert_int_equal(tree.process_count, 1);
    assert_int_equal(tree.task_count, 3);
    assert_int_equal(tree.tasks[0].tid, child);
    bool has_library = strcmp(tree.tasks[0].name, "no library") != 0;
    if (has_library) assert_true(tree.processes[0].libraries & 1u << LIBRARY_GOMP);
    assert_string_equal(tree_variable(&tree.processes[0], "GOMP_SPINCOUNT"), "7");
    for (int i = 1; i < 3; i++) {
        bool bound = strncmp(tree.tasks[i].name, "bound", 5) == 0;
        assert_int_equal(tree.tasks[i].pid, child);
        if (bound) assert_int_equal(cpu_mask_count(&tree.tasks[i].mask), 1);
        if (!bound) assert_string_equal(tree.tasks[i].name, "free");
        if (!bound) assert_true(cpu_mask_same(&tree.tasks[i].mask, &tree.tasks[0].mask));
        if (sysconf(_SC_NPROCESSORS_ONLN) > 1) assert_int_equal(tree.tasks[i].pinned_later, bound);
    }
    tree_release(&tree);
}

static void test_nobody(void **state)
{
    (void)state;
    struct tree_watch *watch = NULL;
    pid_t child = start("HOME=/", -1, (char *[]){"/bin/true", NULL});
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(tree_watch_new(child, &watch), -ESRCH);
    assert_null(watch);
    tree_watch_free(NULL);
    assert_int_equal(tree_watch_new(0, &watch), 0);
    struct tree tree = stop(watch);
    assert_int_equal(tree.process_count, 0);
    assert_int_equal(tree.task_count, 0);
    tree_release(&tree);
    assert_int_equal(tree_watch_new(0, &watch), 0);
    tree_watch_free(watch); /* unasked */
}

/* It ends while it is watched: what was seen of it stays. And many that are gone at once do no harm. */
static void test_short_lives(void **state)
{
    (void)state;
    struct tree_watch *watch;
    assert_int_equal(tree_watch_new(0, &watch), 0);
    pid_t child = start("OMP_PLACES=cores", -1, (char *[]){"/bin/sleep", "0.3", NULL});
    for (int i = 0; i < 50; i++) assert_true(waitpid(start("HOME=/", -1, (char *[]){"/bin/true", NULL}), NULL, 0) > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct tree tree = stop(watch);
    const struct tree_process *process = tree_find_process(&tree, child);
    assert_non_null(process);
    assert_string_equal(process->command, "/bin/sleep 0.3");
    assert_string_equal(tree_variable(process, "OMP_PLACES"), "cores");
    for (int i = 0; i < tree.task_count; i++) assert_non_null(tree_find_process(&tree, tree.tasks[i].pid));
    tree_release(&tree);
}

/* Another user's process: what is hidden from us is said. */
static void test_other_user(void **state)
{
    (void)state;
    if (geteuid() != 0) skip();
    pid_t child = start("OMP_NUM_THREADS=2", -1, (char *[]){"/bin/sleep", "30", NULL});
    nap(0.05);
    pid_t watcher = fork();
    assert_true(watcher >= 0);
    if (watcher == 0) {
        struct tree_watch *watch;
        struct tree tree;
        tree_init(&tree);
        if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)) _exit(2);
        if (tree_watch_new(child, &watch) || tree_watch_stop(watch, &tree)) _exit(3);
        const struct tree_process *process = tree_find_process(&tree, child);
        bool good = process && !process->readable && !process->environment && process->program[0] == '\0' &&
                    strcmp(process->command, "/bin/sleep 30") == 0;
        good = good && tree.task_count == 1 && cpu_mask_count(&tree.tasks[0].mask) > 0;
        tree_watch_free(watch);
        tree_release(&tree);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(watcher, &status, 0), watcher);
    end(child);
    assert_int_equal(status, 0);
}

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], "play") == 0) return play();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),       cmocka_unit_test(test_libraries),  cmocka_unit_test(test_environment),
        cmocka_unit_test(test_children),    cmocka_unit_test(test_root),       cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_short_lives), cmocka_unit_test(test_other_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
