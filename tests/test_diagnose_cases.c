/* speedup diagnose on real programs, most of them not ours: each misplacement is made on purpose, the diagnosis has to
 * name it, and with the fix that it gives verdict or finding must change. Then controls, of which no fault may be
 * claimed.
 *
 * Commands are lines for a shell, which execs diagnose. A case whose programs are not installed is not tried, and that
 * is said. Needs two CPUs; the cases name CPUs as $FIRST and $SECOND. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/speedup-cases-XXXXXX";

struct case_of {
    const char *name;
    const char *needs;   /* programs, separated by blanks; names with a $ are variables that must not be empty */
    const char *command; /* what is wrong */
    const char *verdict; /* what it has to be; NULL: any */
    const char *finding; /* the fault that has to be found */
    const char *fixed;   /* the same with the fix; NULL: there is none to be tried */
    const char *fixed_verdict;
    const char *hint; /* has to stand in the fix; NULL */
};

/* Commands in which nothing is wrong, and what was found in them. */
enum { KNOWN_MAX = 64 };
struct known {
    int count;
    const char *commands[KNOWN_MAX];
    json_t *diagnoses[KNOWN_MAX];
};

#define MPIRUN "mpirun --oversubscribe "
#define THREADS                                                                                                        \
    "/usr/bin/python3 -c 'import threading\n"                                                                          \
    "def f():\n  for i in range(50000000): pass\n"                                                                     \
    "t=[threading.Thread(target=f) for i in range(2)]\n[x.start() for x in t]\n[x.join() for x in t]'"
#define PROCESSES                                                                                                      \
    "/usr/bin/python3 -c 'import multiprocessing as m\n"                                                               \
    "def f():\n  for i in range(50000000): pass\n"                                                                     \
    "t=[m.Process(target=f) for i in range(2)]\n[x.start() for x in t]\n[x.join() for x in t]'"

static const struct case_of faults[] = {
    {"OpenSSL's processes on one core", "openssl taskset",
     "taskset -c $FIRST openssl speed -seconds 1 -multi 2 -bytes 16384 sha256", "MULTITASKING", "one-core",
     "openssl speed -seconds 1 -multi 2 -bytes 16384 sha256", "MULTIPROCESSING", "taskset"},
    {"xz's threads on one core", "xz taskset", "taskset -c $SECOND xz -T2 -1 --block-size=1MiB -k -c $FOLDER/data",
     "MULTITASKING", "one-core", "xz -T2 -1 --block-size=1MiB -k -c $FOLDER/data", "MULTIPROCESSING", NULL},
    {"sysbench's threads on one core", "sysbench taskset", "taskset -c $SECOND sysbench cpu --threads=2 --time=1 run",
     "MULTITASKING", "one-core", "sysbench cpu --threads=2 --time=1 run", "MULTIPROCESSING", NULL},
    {"all ranks on one core", "mpirun taskset $MPI", "taskset -c $SECOND " MPIRUN "--bind-to none -np 2 $MPI 0.6",
     "MULTITASKING", "ranks-one-core", MPIRUN "--bind-to core -np 2 $MPI 0.6", "MULTIPROCESSING", "--bind-to"},
    /* On one core its latency tests take minutes: what is seen until it is ended will do. */
    {"hpcc's ranks on one core", "mpirun taskset timeout hpcc",
     "sh -c \"timeout 4 taskset -c $FIRST " MPIRUN "--bind-to none --wdir $FOLDER -np 2 hpcc || :\"", "MULTITASKING",
     "ranks-one-core", MPIRUN "--bind-to core --wdir $FOLDER -np 2 hpcc", "MULTIPROCESSING", NULL},
    {"a hybrid rank bound to one core", "mpirun $MPI", "env OMP_NUM_THREADS=2 " MPIRUN "--bind-to core -np 1 $MPI 0.6",
     "MULTITASKING", "hybrid-bound", "env OMP_NUM_THREADS=2 " MPIRUN "--map-by slot:PE=2 -np 1 $MPI 0.6",
     "MULTIPROCESSING", "PE=2"},
    {"places that are one core", "$OPENMP", "env OMP_NUM_THREADS=2 OMP_PLACES={$SECOND} $OPENMP 0.6", "MULTITASKING",
     "pinned-together", "env OMP_NUM_THREADS=2 OMP_PLACES=cores $OPENMP 0.6", "MULTIPROCESSING", "OMP_PLACES"},
    {"libgomp's affinity to one core", "$OPENMP", "env OMP_NUM_THREADS=2 GOMP_CPU_AFFINITY=$FIRST $OPENMP 0.6",
     "MULTITASKING", "pinned-together", "env -u GOMP_CPU_AFFINITY OMP_NUM_THREADS=2 $OPENMP 0.6", "MULTIPROCESSING",
     "GOMP_CPU_AFFINITY"},
    {"ranks that pin their threads to the same core", "mpirun $MPI",
     "env OMP_NUM_THREADS=1 OMP_PLACES=cores OMP_PROC_BIND=true " MPIRUN "--bind-to none -np 2 $MPI 0.6",
     "MULTITASKING", "shared-cores",
     "env OMP_NUM_THREADS=1 OMP_PLACES=cores OMP_PROC_BIND=true " MPIRUN
     "--map-by slot:PE=1 --bind-to core -np 2 $MPI 0.6",
     "MULTIPROCESSING", "--map-by"},
    {"ranks that are worlds of one", "mpirun mpirun.mpich $MPICH", "env OMP_NUM_THREADS=1 " MPIRUN "-np 2 $MPICH 0.6",
     NULL, "worlds-of-one", "env OMP_NUM_THREADS=1 mpirun.mpich -np 2 $MPICH 0.6", "MULTIPROCESSING", "mpi"},
    {"too many OpenMP threads", "$OPENMP", "env OMP_NUM_THREADS=8 $OPENMP 0.25", "MIXED", "oversubscribed",
     "env OMP_NUM_THREADS=2 $OPENMP 0.6", "MULTIPROCESSING", "OMP_NUM_THREADS=2"},
    {"too many processes of stress-ng", "stress-ng", "stress-ng --quiet --cpu 6 --timeout 1", "MIXED", "oversubscribed",
     "stress-ng --quiet --cpu 2 --timeout 1", "MULTIPROCESSING", NULL},
    {"BLAS threads times processes", "$BLAS", "env OPENBLAS_NUM_THREADS=2 $BLAS 2 1", NULL, "blas-oversubscribed",
     "env OPENBLAS_NUM_THREADS=1 $BLAS 2 1", "MULTIPROCESSING", "OPENBLAS_NUM_THREADS=1"},
    {"nested OpenMP", "$OPENMP", "env OMP_NUM_THREADS=2 OMP_MAX_ACTIVE_LEVELS=2 $OPENMP 0.4 nested", "MIXED",
     "nested-openmp", "env OMP_NUM_THREADS=2 OMP_MAX_ACTIVE_LEVELS=1 $OPENMP 0.6 nested", "MULTIPROCESSING",
     "OMP_MAX_ACTIVE_LEVELS=1"},
    {"OpenMP's waits spin on a shared core", "$OPENMP",
     "env OMP_NUM_THREADS=2 OMP_WAIT_POLICY=active OMP_PLACES={$SECOND} $OPENMP 0.3 barriers", "MULTITASKING",
     "spinning", "env OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive OMP_PLACES={$SECOND} $OPENMP 0.3 barriers",
     "MULTITASKING", "OMP_WAIT_POLICY=passive"},
    {"MPI's waits spin on a shared core", "mpirun taskset $MPI",
     "taskset -c $SECOND " MPIRUN "--bind-to none --mca mpi_yield_when_idle 0 -np 2 $MPI 0.4 barriers", "MULTITASKING",
     "spinning", "taskset -c $SECOND " MPIRUN "--bind-to none --mca mpi_yield_when_idle 1 -np 2 $MPI 0.4 barriers",
     "MULTITASKING", "mpi_yield_when_idle 1"},
    {"Python's threads and their lock", "/usr/bin/python3", THREADS, NULL, "lock", PROCESSES, "MULTIPROCESSING", NULL},
    {"a foreign program on a core", "taskset $OPENMP", "$WITH_HOG env OMP_NUM_THREADS=2 $OPENMP 0.6", NULL, "neighbour",
     "env OMP_NUM_THREADS=2 $OPENMP 0.6", "MULTIPROCESSING", NULL},
    {"a CPU quota", "$WITH_QUOTA $OPENMP", "$WITH_QUOTA env OMP_NUM_THREADS=2 $OPENMP 0.6", NULL, "quota",
     "env OMP_NUM_THREADS=2 $OPENMP 0.6", "MULTIPROCESSING", NULL},
};

/* Nothing is wrong with these. */
static const struct case_of controls[] = {
    {"OpenSSL on two cores", "openssl", "openssl speed -seconds 1 -multi 2 -bytes 16384 sha256", "MULTIPROCESSING",
     NULL, NULL, NULL, NULL},
    {"OpenSSL alone", "openssl", "openssl speed -seconds 1 -bytes 16384 sha256", "ONE TASK", NULL, NULL, NULL, NULL},
    {"xz with two threads", "xz", "xz -T2 -1 --block-size=1MiB -k -c $FOLDER/data", "MULTIPROCESSING", NULL, NULL, NULL,
     NULL},
    {"sysbench", "sysbench", "sysbench cpu --threads=2 --time=1 run", "MULTIPROCESSING", NULL, NULL, NULL, NULL},
    {"hpcc", "mpirun hpcc", MPIRUN "--wdir $FOLDER -np 2 hpcc", "MULTIPROCESSING", NULL, NULL, NULL, NULL},
    {"make", "make cc", "make -s -B -C $FOLDER -j2", "MULTIPROCESSING", NULL, NULL, NULL, NULL},
    {"Python's processes", "/usr/bin/python3", PROCESSES, "MULTIPROCESSING", NULL, NULL, NULL, NULL},
    {"two ranks", "mpirun $MPI", MPIRUN "-np 2 $MPI 0.6", "MULTIPROCESSING", NULL, NULL, NULL, NULL},
    {"two ranks that Open MPI binds anew", "mpirun taskset $MPI", "taskset -c $SECOND " MPIRUN "-np 2 $MPI 0.6",
     "MULTIPROCESSING", NULL, NULL, NULL, NULL},
    {"two threads", "$OPENMP", "env OMP_NUM_THREADS=2 $OPENMP 0.6", "MULTIPROCESSING", NULL, NULL, NULL, NULL},
    {"two threads of OpenBLAS", "$BLAS", "env OPENBLAS_NUM_THREADS=2 $BLAS 1 1", "MULTIPROCESSING", NULL, NULL, NULL,
     NULL},
    {"tasks that mostly wait", "stress-ng", "stress-ng --quiet --cpu 4 --cpu-load 5 --timeout 1", "MOSTLY WAITING",
     NULL, NULL, NULL, NULL},
};

static bool in_path(const char *program)
{
    char path[4096], *rest = NULL;
    const char *folders = getenv("PATH");
    if (strchr(program, '/')) return access(program, X_OK) == 0;
    snprintf(path, sizeof path, "%s", folders ? folders : "");
    for (char *each = strtok_r(path, ":", &rest); each; each = strtok_r(NULL, ":", &rest)) {
        char whole[8192];
        snprintf(whole, sizeof whole, "%s/%s", each, program);
        if (access(whole, X_OK) == 0) return true;
    }
    return false;
}

static bool can_be_tried(const struct case_of *each)
{
    char needs[256], *rest = NULL;
    snprintf(needs, sizeof needs, "%s", each->needs);
    for (char *need = strtok_r(needs, " ", &rest); need; need = strtok_r(NULL, " ", &rest)) {
        const char *value = *need == '$' ? getenv(need + 1) : NULL;
        if (*need == '$' ? value && *value : in_path(need)) continue;
        printf("          not tried: %s: %s is not to be had here\n", each->name, need);
        return false;
    }
    return true;
}

/* The diagnosis as it was written; the caller's. */
static json_t *diagnose_once(const char *command)
{
    char line[4096], output[256];
    snprintf(output, sizeof output, "%s/diagnosis.json", folder);
    unlink(output);
    /* A variable in front of the command, such as $WITH_QUOTA, is for diagnose as a whole. */
    bool around = *command == '$' && strncmp(command, "$WITH_", 6) == 0;
    size_t before = around ? strcspn(command, " ") : 0;
    snprintf(line, sizeof line, "%.*s %s diagnose --json -o %s -- %s >/dev/null 2>%s/errors", (int)before, command,
             "\"$SPEEDUP_PROGRAM\"", output, command + before, folder);
    int status = system(line); /* NOLINT: lines of our own */
    json_error_t error;
    json_t *diagnosis = json_load_file(output, 0, &error);
    if (!diagnosis) fail_msg("no diagnosis of: %s (status %d: %s; see %s/errors)", command, status, error.text, folder);
    if (status != 0) fail_msg("status %d of: %s", status, command);
    return diagnosis;
}

static const json_t *finding(const json_t *diagnosis, const char *name)
{
    size_t i;
    json_t *each;
    json_array_foreach(json_object_get(diagnosis, "findings"), i, each)
    {
        const char *own = json_string_value(json_object_get(each, "name"));
        if (own && strcmp(own, name) == 0) return each;
    }
    return NULL;
}

static bool is_steady(const json_t *diagnosis, const char *about)
{
    return !finding(diagnosis, "steal") && (!finding(diagnosis, "neighbour") || !strcmp(about, "neighbour"));
}

/* Where somebody else was at work, once more: what the case is about could not show itself. */
static json_t *diagnose_steady(const char *command, const char *about)
{
    enum { TRIES = 6 };
    for (int i = 1;; i++) {
        json_t *diagnosis = diagnose_once(command);
        if (is_steady(diagnosis, about) || i == TRIES) return diagnosis;
        json_decref(diagnosis);
        sleep(1);
    }
}

/* Several cases come to the same command with the fix, or are it as a control: it is run once. The caller's. */
static json_t *diagnose(const char *command, const char *about, struct known *known)
{
    if (*about) return diagnose_steady(command, about);
    for (int i = 0; i < known->count; i++)
        if (!strcmp(known->commands[i], command)) return json_incref(known->diagnoses[i]);
    json_t *diagnosis = diagnose_steady(command, about);
    if (known->count == KNOWN_MAX || !is_steady(diagnosis, about)) return diagnosis;
    known->commands[known->count] = command;
    known->diagnoses[known->count++] = json_incref(diagnosis);
    return diagnosis;
}

/* All tries were disturbed: then the verdict says what the others made of it, and is no matter of ours. */
static bool is_disturbed(const json_t *diagnosis, const char *about, const char *name)
{
    bool disturbed = !is_steady(diagnosis, about);
    if (disturbed) printf("          %s: other programs were at work all the time: not judged\n", name);
    return disturbed;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static char *dump(const json_t *diagnosis)
{
    static char text[20000];
    char *all = json_dumps(json_object_get(diagnosis, "findings"), JSON_INDENT(1));
    snprintf(text, sizeof text, "%s: %s\n%s", text_of(diagnosis, "verdict"), text_of(diagnosis, "headline"),
             all ? all : "");
    free(all);
    return text;
}

static void show(const char *what, const char *name, const json_t *diagnosis)
{
    printf("          %s: %s: %s: %s\n", name, what, text_of(diagnosis, "verdict"), text_of(diagnosis, "headline"));
}

/* Returns whether it could be judged. */
static bool check_fault(const struct case_of *each, struct known *known)
{
    json_t *wrong = diagnose(each->command, each->finding, known);
    show("as it is", each->name, wrong);
    if (is_disturbed(wrong, each->finding, each->name)) {
        json_decref(wrong);
        return false;
    }
    const json_t *found = finding(wrong, each->finding);
    if (!found) fail_msg("%s: '%s' was not found in: %s", each->name, each->finding, dump(wrong));
    assert_true(json_is_true(json_object_get(found, "fault")));
    printf("            %s\n            fix: %s\n", text_of(found, "text"), text_of(found, "fix"));
    if (each->verdict && strcmp(text_of(wrong, "verdict"), each->verdict))
        fail_msg("%s: expected %s: %s", each->name, each->verdict, dump(wrong));
    if (each->hint && !strstr(text_of(found, "fix"), each->hint))
        fail_msg("%s: the fix lacks '%s': %s", each->name, each->hint, dump(wrong));
    json_decref(wrong);
    if (!each->fixed) return true;
    json_t *right = diagnose(each->fixed, "", known);
    show("with the fix", each->name, right);
    if (is_disturbed(right, "", each->name)) {
        json_decref(right);
        return false;
    }
    if (finding(right, each->finding) && json_is_true(json_object_get(finding(right, each->finding), "fault")))
        fail_msg("%s: '%s' is still found in: %s", each->name, each->finding, dump(right));
    if (strcmp(text_of(right, "verdict"), each->fixed_verdict))
        fail_msg("%s: expected %s with the fix: %s", each->name, each->fixed_verdict, dump(right));
    json_decref(right);
    return true;
}

static bool check_control(const struct case_of *each, struct known *known)
{
    json_t *diagnosis = diagnose(each->command, "", known), *claim;
    size_t i;
    show("control", each->name, diagnosis);
    if (is_disturbed(diagnosis, "", each->name)) {
        json_decref(diagnosis);
        return false;
    }
    json_array_foreach(json_object_get(diagnosis, "findings"), i, claim)
    {
        if (json_is_true(json_object_get(claim, "fault")))
            fail_msg("%s: nothing is wrong, but: %s", each->name, dump(diagnosis));
    }
    if (strcmp(text_of(diagnosis, "verdict"), each->verdict))
        fail_msg("%s: expected %s: %s", each->name, each->verdict, dump(diagnosis));
    json_decref(diagnosis);
    return true;
}

/* Some may have been disturbed all the time; most of those that were tried have to be told, or nothing was shown. */
static void check_judged(const char *what, int tried, int judged)
{
    printf("          %d %s tried, %d judged\n", tried, what, judged);
    if (tried == 0) skip();
    if (3 * judged < 2 * tried)
        fail_msg("only %d of %d %s could be judged: other programs were at work", judged, tried, what);
}

static void test_faults(void **state)
{
    int tried = 0, judged = 0;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (!can_be_tried(&faults[i])) continue;
        tried++;
        judged += check_fault(&faults[i], *state);
    }
    check_judged("faults", tried, judged);
}

static void test_controls(void **state)
{
    int tried = 0, judged = 0;
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        if (!can_be_tried(&controls[i])) continue;
        tried++;
        judged += check_control(&controls[i], *state);
    }
    check_judged("controls", tried, judged);
}

static int write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) return -1;
    fputs(text, file);
    if (fchmod(fileno(file), 0755)) return fclose(file), -1;
    return fclose(file);
}

/* Some megabytes that compress so-so, a tree to make, input for hpcc, a hog, a quota. */
static int make_materials(void)
{
    char line[8192];
    if (write_file("hog", "#!/bin/sh\ntaskset -c \"$SECOND\" \"$OPENMP\" 60 plain &\nhog=$!\n\"$@\"\nstatus=$?\n"
                          "kill $hog\nwait $hog 2>/dev/null\nexit $status\n"))
        return -1;
    if (write_file("quota", "#!/bin/sh\nfor mount in /sys/fs/cgroup /sys/fs/cgroup/cpu; do\n"
                            "  group=$mount/speedup-quota-$$\n  mkdir $group 2>/dev/null || continue\n"
                            "  [ -e $group/cgroup.procs ] || { rmdir $group; continue; }\n"
                            "  { echo 50000 100000 > $group/cpu.max || { echo 100000 > $group/cpu.cfs_period_us &&\n"
                            "  echo 50000 > $group/cpu.cfs_quota_us; }; } 2>/dev/null || { rmdir $group; continue; }\n"
                            "  sh -c 'echo $$ > $0/cgroup.procs && exec \"$@\"' $group \"$@\"\n  status=$?\n"
                            "  rmdir $group\n  exit $status\ndone\nexit 99\n"))
        return -1;
    if (write_file("Makefile", "objects := $(patsubst %,%.o,1 2 3 4 5 6 7 8 9 10 11 12)\nall: $(objects)\n"
                               "$(objects): %.o: source.c\n\t$(CC) -O2 -DNUMBER=$* -c -o $@ $<\n"))
        return -1;
    snprintf(line, sizeof line,
             "cd %s && { i=0; while [ $i -lt 500 ]; do echo \"int f$i(int x) { for (int i = 0; i < x; i++) x = x * $i "
             "+ NUMBER - i %% 7; return x; }\"; i=$((i+1)); done; } > source.c && "
             "head -c 8000000 /dev/urandom | od -An -tx1 > data && "
             "if [ -e /usr/share/doc/hpcc/examples/_hpccinf.txt ]; then "
             "sed '6s/.*/1600 Ns/; 11s/.*/1 Ps/; 12s/.*/2 Qs/' /usr/share/doc/hpcc/examples/_hpccinf.txt > "
             "hpccinf.txt; fi",
             folder);
    return system(line); /* NOLINT: a line of our own */
}

static void set_beside(const char *variable, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("SPEEDUP_PROGRAMS") ? getenv("SPEEDUP_PROGRAMS") : ".", name);
    setenv(variable, access(path, X_OK) == 0 ? path : "", 1);
}

static int set_up(void **state)
{
    char path[256], line[512], first[16], second[16];
    int cpus[2], count = 0;
    cpu_set_t mask;
    *state = calloc(1, sizeof(struct known));
    if (!*state || !mkdtemp(folder) || sched_getaffinity(0, sizeof mask, &mask)) return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &mask)) cpus[count++] = cpu;
    if (count < 2) {
        puts("          these cases need two CPUs");
        exit(77);
    }
    snprintf(first, sizeof first, "%d", cpus[0]);
    snprintf(second, sizeof second, "%d", cpus[1]);
    setenv("FIRST", first, 1);
    setenv("SECOND", second, 1);
    setenv("FOLDER", folder, 1);
    set_beside("OPENMP", "work_openmp");
    set_beside("MPI", "work_mpi");
    set_beside("MPICH", "work_mpich");
    set_beside("BLAS", "work_blas");
    static const char *const cleared[] = {"OMP_NUM_THREADS", "OMP_PLACES",           "OMP_PROC_BIND",
                                          "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "GOMP_CPU_AFFINITY"};
    for (size_t i = 0; i < sizeof cleared / sizeof *cleared; i++) unsetenv(cleared[i]);
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    if (make_materials()) return -1;
    snprintf(path, sizeof path, "%s/hog", folder);
    setenv("WITH_HOG", path, 1);
    snprintf(path, sizeof path, "%s/quota", folder);
    snprintf(line, sizeof line, "%s true", path);
    setenv("WITH_QUOTA", system(line) == 0 ? path : "", 1); /* NOLINT: a line of our own */
    return 0;
}

static int tear_down(void **state)
{
    struct known *known = *state;
    char line[256];
    for (int i = 0; i < known->count; i++) json_decref(known->diagnoses[i]);
    free(known);
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line); /* NOLINT: a line of our own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults), cmocka_unit_test(test_controls)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
