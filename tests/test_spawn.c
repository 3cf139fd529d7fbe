/* The spawner against programs that behave badly in every way we could think of. Each process of a run carries a mark
 * in its environment, so that "nothing is left" can be asked of /proc. */
#include "../src/launch/reap.h"
#include "../src/launch/spawn.h"
#include "speedup_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_LENGTH = 65536 };
static const double no_hurry_s = 60;

struct trial {
    char *argv[16];
    char mark[64];
    char *environment[4];
    struct launch_line line;
    struct spawn_options options;
    struct spawn_result result;
    struct error error;
    /* what came */
    char text[TEXT_LENGTH];
    size_t text_used, longest;
    int line_count, tick_count;
    int stop_at;     /* this line ends the run with -77 */
    int end_at_tick; /* this tick ends it with -78 */
    int notify;      /* descriptor that gets a byte at the first line; 0: none */
};

static int take_line(void *context, char *text, size_t length)
{
    struct trial *trial = context;
    assert_int_equal(text[length], '\0');
    if (++trial->line_count == 1 && trial->notify) assert_int_equal(write(trial->notify, "r", 1), 1);
    if (length > trial->longest) trial->longest = length;
    if (trial->text_used + length + 2 < TEXT_LENGTH) {
        memcpy(trial->text + trial->text_used, text, length);
        trial->text_used += length;
        trial->text[trial->text_used++] = '\n';
    }
    return trial->line_count == trial->stop_at ? -77 : 0;
}

static int take_bytes_of_output(void *context, const char *bytes, size_t length)
{
    struct trial *trial = context;
    trial->line_count++;
    if (trial->text_used + length + 1 < TEXT_LENGTH) {
        memcpy(trial->text + trial->text_used, bytes, length);
        trial->text_used += length;
    }
    return trial->line_count == trial->stop_at ? -77 : 0;
}

static int take_tick(void *context, double elapsed_s)
{
    struct trial *trial = context;
    assert_true(elapsed_s >= 0);
    trial->tick_count++;
    return trial->tick_count == trial->end_at_tick ? -78 : 0;
}

static struct trial *trial_new(enum launcher launcher, const char *script)
{
    static int count;
    struct trial *trial = calloc(1, sizeof *trial);
    assert_non_null(trial);
    snprintf(trial->mark, sizeof trial->mark, "SPEEDUP_TEST_MARK=%d-%d", (int)getpid(), ++count);
    trial->environment[0] = trial->mark;
    trial->argv[0] = "/bin/sh";
    trial->argv[1] = "-c";
    trial->argv[2] = (char *)(uintptr_t)script;
    trial->line = (struct launch_line){.argv = trial->argv, .environment = trial->environment, .launcher = launcher};
    trial->options =
        (struct spawn_options){.time_limit_s = no_hurry_s, .context = trial, .line = take_line, .tick = NULL};
    return trial;
}

static int trial_run(struct trial *trial)
{
    return spawn_run(&trial->line, &trial->options, &trial->result, &trial->error);
}

static bool has_mark(const char *pid_text, const char *mark)
{
    static char environment[1 << 20];
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/environ", pid_text);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    size_t used = 0;
    ssize_t got;
    while (used < sizeof environment && (got = read(descriptor, environment + used, sizeof environment - used)) > 0)
        used += (size_t)got;
    close(descriptor);
    return memmem(environment, used, mark, strlen(mark) + 1) != NULL;
}

static int count_marked(const char *mark)
{
    int count = 0;
    DIR *directory = opendir("/proc");
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') count += has_mark(entry->d_name, mark);
    closedir(directory);
    return count;
}

static void trial_free(struct trial *trial)
{
    assert_int_equal(count_marked(trial->mark), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    free(trial);
}

static void nap(double time_s)
{
    struct timespec time = {.tv_sec = (time_t)time_s, .tv_nsec = (long)(1e9 * (time_s - floor(time_s)))};
    nanosleep(&time, NULL);
}

static void test_exit_statuses(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int exit_status, signal;
    } cases[] = {{"exit 0", 0, 0},          {"exit 3", 3, 0},          {"exit 255", 255, 0},
                 {"kill -SEGV $$", -1, 11}, {"kill -KILL $$", -1, 9},  {"kill -TERM $$", -1, 15},
                 {"kill -INT $$", -1, 2},   {"kill -PIPE $$", -1, 13}, {"kill -ABRT $$", -1, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial *trial = trial_new(LAUNCHER_NONE, cases[i].script);
        assert_int_equal(trial_run(trial), STATUS_OK);
        assert_int_equal(trial->result.exit_status, cases[i].exit_status);
        assert_int_equal(trial->result.signal, cases[i].signal);
        assert_false(trial->result.timed_out || trial->result.interrupted);
        assert_true(trial->result.wall_s > 0);
        assert_true(isnan(trial->result.first_line_s));
        trial_free(trial);
    }
}

static void test_lines(void **state)
{
    (void)state;
    struct trial *trial =
        trial_new(LAUNCHER_NONE, "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done; echo");
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(trial->line_count, 1001);
    char expected[TEXT_LENGTH] = "";
    size_t used = 0;
    for (int i = 0; i < 1000; i++) used += (size_t)snprintf(expected + used, sizeof expected - used, "line %d\n", i);
    snprintf(expected + used, sizeof expected - used, "\n");
    assert_string_equal(trial->text, expected);
    assert_true(trial->result.first_line_s > 0 && trial->result.first_line_s <= trial->result.wall_s);
    trial_free(trial);
}

static void test_long_line(void **state)
{
    (void)state;
    struct trial *trial = trial_new(
        LAUNCHER_NONE, "echo before; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after; printf partial");
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(trial->line_count, 4);
    assert_int_equal(trial->longest, 3000000);
    assert_string_equal(trial->text, "before\nafter\npartial\n");
    trial_free(trial);
}

/* What a dying process had begun to say is no line. */
static void test_torn_line(void **state)
{
    (void)state;
    struct trial *trial = trial_new(LAUNCHER_NONE, "echo whole; printf torn; kill -KILL $$");
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_string_equal(trial->text, "whole\n");
    trial_free(trial);
}

static void test_line_ends_run(void **state)
{
    (void)state;
    static const enum launcher launchers[] = {LAUNCHER_NONE, LAUNCHER_MPIRUN};
    for (int i = 0; i < 2; i++) {
        struct trial *trial = trial_new(launchers[i], "while :; do echo more; done");
        trial->stop_at = 5;
        assert_int_equal(trial_run(trial), -77);
        assert_int_equal(trial->line_count, 5);
        trial_free(trial);
    }
}

static void test_time_limit(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "echo start; exec sleep 1000",
        "echo start; sleep 1000",
        "echo start; sleep 1000 | sleep 1000",
        "echo start; exec >&- 2>&-; sleep 1000",               /* closed its output */
        "echo start; kill -STOP $$; sleep 1000",               /* stopped */
        "echo start; trap '' TERM; while :; do sleep 1; done", /* deaf */
        "echo start; while :; do echo; done",                  /* floods its output, */
        "echo start; while :; do echo flood >&2; done",        /* its errors */
        "echo start; setsid sh -c 'sleep 1000 & sleep 1000' & sleep 1000",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        for (int mpirun = 0; mpirun < 2; mpirun++) {
            struct trial *trial = trial_new(mpirun ? LAUNCHER_MPIRUN : LAUNCHER_NONE, scripts[i]);
            trial->options.time_limit_s = 0.3;
            assert_int_equal(trial_run(trial), STATUS_FAILED);
            assert_true(trial->result.timed_out);
            assert_false(trial->result.interrupted);
            assert_non_null(strstr(trial->error.text, "time limit of 0.3 s"));
            assert_memory_equal(trial->text, "start\n", 6);
            trial_free(trial);
        }
}

static void test_leftovers(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "sleep 1000 & echo said; exit 4", /* holds the pipe open */
        "(setsid sh -c 'sleep 1000 & sleep 1000 & wait' >/dev/null 2>&1 &); echo said; exit 4", /* a daemon */
        "(setsid sh -c '(trap \"\" TERM HUP INT; setsid sleep 1000) & exit' &) ; echo said; exit 4",
        "(while :; do sleep 1000 & done) >/dev/null 2>&1 & sleep 0.05; echo said; exit 4", /* forks on */
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct trial *trial = trial_new(LAUNCHER_NONE, scripts[i]);
        assert_int_equal(trial_run(trial), STATUS_OK);
        assert_int_equal(trial->result.exit_status, 4);
        assert_string_equal(trial->text, "said\n");
        trial_free(trial);
    }
}

/* mpirun's own end is orderly: it is asked first, and what it says then is heard. */
static void test_mpirun_is_asked_first(void **state)
{
    (void)state;
    struct trial *trial =
        trial_new(LAUNCHER_MPIRUN, "trap 'echo asked; exit 9' TERM; echo start; sleep 1000 & wait; echo not reached");
    trial->options.time_limit_s = 0.3;
    assert_int_equal(trial_run(trial), STATUS_FAILED);
    assert_string_equal(trial->text, "start\nasked\n");
    assert_int_equal(trial->result.exit_status, 9);
    trial_free(trial);
}

static void test_stderr_tail(void **state)
{
    (void)state;
    struct trial *trial = trial_new(
        LAUNCHER_NONE, "i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; printf 'last\\n\\n' >&2");
    assert_int_equal(trial_run(trial), STATUS_OK);
    const char *tail = trial->result.stderr_tail;
    int first;
    assert_int_equal(sscanf(tail, "line %d\n", &first), 1);
    assert_in_range(first, 1000, 1999);
    char expected[8192] = "";
    size_t used = 0;
    for (int i = first; i < 2000; i++)
        used += (size_t)snprintf(expected + used, sizeof expected - used, "line %d\n", i);
    snprintf(expected + used, sizeof expected - used, "last");
    assert_string_equal(tail, expected);
    assert_int_equal(trial->line_count, 0);
    trial_free(trial);

    trial = trial_new(LAUNCHER_NONE, "printf 'no newline' >&2");
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_string_equal(trial->result.stderr_tail, "no newline");
    trial_free(trial);
}

static void test_pass_stderr(void **state)
{
    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        struct trial *trial = trial_new(LAUNCHER_NONE, "echo said >&2; head -c 300000 /dev/zero >&2");
        trial->options.pass_stderr = pass;
        FILE *file = tmpfile();
        int saved = dup(STDERR_FILENO);
        assert_non_null(file);
        dup2(fileno(file), STDERR_FILENO);
        int status = trial_run(trial);
        dup2(saved, STDERR_FILENO);
        close(saved);
        assert_int_equal(status, STATUS_OK);
        struct stat file_status;
        fstat(fileno(file), &file_status);
        assert_int_equal(file_status.st_size, pass ? 300005 : 0);
        fclose(file);
        trial_free(trial);
    }
}

static void test_cannot_start(void **state)
{
    (void)state;
    struct trial *trial = trial_new(LAUNCHER_NONE, "");
    trial->argv[0] = "/nonexistent/speedup-worker";
    assert_int_equal(trial_run(trial), STATUS_FAILED);
    assert_string_equal(trial->error.text, "cannot start /nonexistent/speedup-worker: No such file or directory");
    trial->argv[0] = "/etc/passwd";
    assert_int_equal(trial_run(trial), STATUS_FAILED);
    assert_string_equal(trial->error.text, "cannot start /etc/passwd: Permission denied");
    trial->argv[0] = "/bin/sh";
    trial->line.mask = (struct cpu_list){.count = 2, .cpus = {100000, 100002}};
    assert_int_equal(trial_run(trial), STATUS_FAILED);
    assert_non_null(strstr(trial->error.text, "cannot run on CPUs 100000,100002: Invalid argument"));
    assert_int_equal(trial->result.exit_status, -1);
    trial_free(trial);
}

static void test_environment(void **state)
{
    (void)state;
    static const char *const unset[] = {"OMP_PLACES", "GOMP_CPU_AFFINITY", NULL};
    struct trial *trial = trial_new(
        LAUNCHER_NONE, "echo ${OMP_PLACES-gone} ${GOMP_CPU_AFFINITY-gone} $OMP_NUM_THREADS $OMP_PLACES_OTHER; "
                       "env | grep -c ^OMP_NUM_THREADS=; cat; echo end of input");
    trial->environment[1] = "OMP_NUM_THREADS=3";
    trial->line.unset = unset;
    setenv("OMP_PLACES", "cores", 1);
    setenv("OMP_PLACES_OTHER", "kept", 1);
    setenv("OMP_NUM_THREADS", "7", 1);
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_string_equal(trial->text, "gone gone 3 kept\n1\nend of input\n");
    assert_string_equal(getenv("OMP_NUM_THREADS"), "7");
    unsetenv("OMP_PLACES");
    unsetenv("OMP_PLACES_OTHER");
    unsetenv("OMP_NUM_THREADS");
    trial_free(trial);
}

/* The last CPU that we may use, which is not the first one where there are several. */
static int last_cpu(void)
{
    cpu_set_t set;
    int last = -1;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) last = (int)cpu;
    return last;
}

static void test_mask(void **state)
{
    (void)state;
    struct trial *trial = trial_new(LAUNCHER_NONE, "grep Cpus_allowed_list /proc/self/status");
    trial->line.mask = (struct cpu_list){.count = 1, .cpus = {last_cpu()}};
    char expected[64];
    snprintf(expected, sizeof expected, "Cpus_allowed_list:\t%d\n", last_cpu());
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_string_equal(trial->text, expected);
    trial_free(trial);
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

/* The child starts clean, and we are afterwards as we were before. */
static void test_clean_surroundings(void **state)
{
    (void)state;
    assert_int_equal(dup2(STDERR_FILENO, 9), 9);
    assert_int_equal(dup2(STDERR_FILENO, 777), 777);
    sigset_t blocked, before, after;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    int descriptors = count_descriptors(), subreaper = -1;

    struct trial *trial = trial_new(
        LAUNCHER_NONE, "for fd in 3 4 5 6 7 8 9 777; do [ -e /proc/$$/fd/$fd ] && echo leaked $fd; done; exit 6");
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_string_equal(trial->text, "");
    assert_int_equal(trial->result.exit_status, 6);
    trial_free(trial);
    /* Not through a shell, which would set its signals itself. */
    static char *const grep[] = {"grep", "-E", "Sig(Blk|Ign):", "/proc/self/status", NULL};
    trial = trial_new(LAUNCHER_NONE, "");
    memcpy(trial->argv, grep, sizeof grep);
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_string_equal(trial->text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");

    assert_int_equal(count_descriptors(), descriptors);
    assert_ptr_equal(signal(SIGCHLD, SIG_DFL), SIG_IGN);
    assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_IGN);
    assert_ptr_equal(signal(SIGQUIT, SIG_DFL), SIG_IGN);
    sigprocmask(SIG_SETMASK, &before, &after);
    assert_true(sigismember(&after, SIGUSR1) && sigismember(&after, SIGALRM));
    assert_false(sigismember(&after, SIGINT) || sigismember(&after, SIGCHLD));
    assert_int_equal(prctl(PR_GET_CHILD_SUBREAPER, &subreaper), 0);
    assert_int_equal(subreaper, 0);
    close(9);
    close(777);
    trial_free(trial);
}

static void test_closed_standard_descriptors(void **state)
{
    (void)state;
    pid_t harness = fork();
    if (harness == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        struct trial *trial = trial_new(LAUNCHER_NONE, "cat; echo out; echo err >&2");
        bool right = trial_run(trial) == STATUS_OK && strcmp(trial->text, "out\n") == 0 &&
                     strcmp(trial->result.stderr_tail, "err") == 0;
        _exit(right ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(harness, &status, 0), harness);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_bystanders_live_on(void **state)
{
    (void)state;
    pid_t bystander = fork();
    if (bystander == 0) {
        sigset_t mask;
        sigemptyset(&mask);
        sigsuspend(&mask);
        _exit(5);
    }
    struct trial *trial = trial_new(LAUNCHER_NONE, "sleep 1000 & exit 0");
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(waitpid(bystander, NULL, WNOHANG), 0);
    kill(bystander, SIGUSR1);
    int status;
    assert_int_equal(waitpid(bystander, &status, 0), bystander);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    trial_free(trial);
}

static void test_tick(void **state)
{
    (void)state;
    struct trial *trial = trial_new(LAUNCHER_NONE, "sleep 0.5");
    trial->options.tick = take_tick;
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_true(trial->tick_count >= 2);
    trial_free(trial);
}

/* A process of its own that runs the trial, as the harness does. Returns when the first line came. */
static pid_t start_harness(struct trial *trial)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t harness = fork();
    assert_true(harness >= 0);
    if (harness == 0) {
        trial->notify = ready[1];
        int status = trial_run(trial);
        bool consistent = trial->result.interrupted == (status == STATUS_INTERRUPTED);
        _exit(consistent ? -status : 99);
    }
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return harness;
}

static int end_of(pid_t harness)
{
    int status;
    assert_int_equal(waitpid(harness, &status, 0), harness);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static const char *const long_scripts[] = {
    "sleep 1000 & echo ready; wait",
    "(setsid sleep 1000 &); echo ready; exec sleep 1000",
    "trap '' INT TERM HUP; echo ready; while :; do sleep 1; done",
    "echo ready; kill -STOP $$",
    "echo ready; exec >&- 2>&-; sleep 1000",
    "while :; do echo ready; done",
};

struct pipe_end {
    int descriptor, bytes;
};

static void take_bytes(void *context)
{
    struct pipe_end *end = context;
    char text[16];
    ssize_t got = read(end->descriptor, text, sizeof text);
    assert_true(got > 0);
    end->bytes += (int)got;
}

/* A descriptor of the caller's is served while the process runs, besides its output; -1 is none. */
static void test_watched_descriptors(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct trial *trial = trial_new(LAUNCHER_NONE, "sleep 0.2; echo one");
    struct pipe_end end = {.descriptor = ends[0]};
    const int watched[] = {-1, ends[0]};
    trial->options.watched_count = 2;
    trial->options.watched = watched;
    trial->options.watched_context = &end;
    trial->options.on_watched = take_bytes;
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(end.bytes, 3);
    assert_string_equal(trial->text, "one\n");
    trial_free(trial);
    close(ends[0]);
    close(ends[1]);
}

static void test_interrupted(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof long_scripts / sizeof *long_scripts; i++)
        for (int mpirun = 0; mpirun < 2; mpirun++) {
            struct trial *trial = trial_new(mpirun ? LAUNCHER_MPIRUN : LAUNCHER_NONE, long_scripts[i]);
            pid_t harness = start_harness(trial);
            kill(harness, signals[i % 3]);
            assert_int_equal(end_of(harness), 130);
            trial_free(trial);
        }
}

static void test_ignored_signals_stay_ignored(void **state)
{
    (void)state;
    signal(SIGHUP, SIG_IGN);
    struct trial *trial = trial_new(LAUNCHER_NONE, "echo ready; sleep 0.3; echo done");
    pid_t harness = start_harness(trial);
    signal(SIGHUP, SIG_DFL);
    kill(harness, SIGHUP);
    assert_int_equal(end_of(harness), 0);
    trial_free(trial);
}

/* Nobody is left to clean up: the kernel's signal at our death must do, and mpirun must pass it on. */
static void test_harness_is_killed(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "echo ready; exec sleep 1000", "trap 'kill -9 $child; exit 1' TERM; sleep 1000 & child=$!; echo ready; wait"};
    for (int mpirun = 0; mpirun < 2; mpirun++) {
        struct trial *trial = trial_new(mpirun ? LAUNCHER_MPIRUN : LAUNCHER_NONE, scripts[mpirun]);
        pid_t harness = start_harness(trial);
        assert_true(count_marked(trial->mark) > 0);
        kill(harness, SIGKILL);
        assert_int_equal(end_of(harness), 1000 + SIGKILL);
        for (int i = 0; i < 200 && count_marked(trial->mark) > 0; i++) nap(0.05);
        trial_free(trial);
    }
}

static void test_real_mpirun(void **state)
{
    (void)state;
    if (access(SPEEDUP_MPIRUN, X_OK) != 0) skip();
    char *const argv[] = {SPEEDUP_MPIRUN, "-np", "3", "/bin/sh", "-c", "echo ready; sleep 1000 & sleep 1000", NULL};
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    for (int way = 0; way < 3; way++) {
        struct trial *trial = trial_new(LAUNCHER_MPIRUN, "");
        memcpy(trial->argv, argv, sizeof argv);
        if (way == 0) {
            trial->stop_at = 3;
            assert_int_equal(trial_run(trial), -77);
        } else {
            pid_t harness = start_harness(trial);
            kill(harness, way == 1 ? SIGINT : SIGKILL);
            assert_int_equal(end_of(harness), way == 1 ? 130 : 1000 + SIGKILL);
            for (int i = 0; way == 2 && i < 200 && count_marked(trial->mark) > 0; i++) nap(0.05);
        }
        trial_free(trial);
    }
}

static void test_bytes(void **state)
{
    (void)state;
    struct trial *trial = trial_new(LAUNCHER_COMMAND, "printf 'a\\0b\\nc'; printf '\\377 end'");
    trial->options.line = NULL;
    trial->options.bytes = take_bytes_of_output;
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(trial->text_used, 10);
    assert_memory_equal(trial->text, "a\0b\nc\377 end", 10);
    assert_true(trial->result.first_line_s > 0);
    trial_free(trial);

    trial = trial_new(LAUNCHER_COMMAND, "while :; do echo more; done");
    trial->options.line = NULL;
    trial->options.bytes = take_bytes_of_output;
    trial->stop_at = 3;
    assert_int_equal(trial_run(trial), -77);
    assert_int_equal(trial->line_count, 3);
    trial_free(trial);
}

static void test_dropped_streams(void **state)
{
    (void)state;
    struct trial *trial = trial_new(
        LAUNCHER_COMMAND,
        "echo unheard; cat; [ /proc/$$/fd/0 -ef /dev/null ] && [ /proc/$$/fd/1 -ef /dev/null ] && echo said >&2");
    trial->options.streams = STREAMS_DROPPED;
    trial->options.line = NULL;
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_string_equal(trial->result.stderr_tail, "said");
    assert_true(isnan(trial->result.first_line_s));
    trial_free(trial);
}

/* A peak is that of the process that had the most, CPU time is that of all, also where nobody waited for one. */
static void test_usage(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "head -c 300M /dev/zero | tail -c 100M >/dev/null",
        "sh -c 'setsid sh -c \"head -c 300M /dev/zero | tail -c 100M >/dev/null; echo done\" &'; sleep 1; exit 0",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct trial *trial = trial_new(LAUNCHER_COMMAND, scripts[i]);
        assert_int_equal(trial_run(trial), STATUS_OK);
        const struct spawn_usage *usage = &trial->result.usage;
        assert_true(usage->user_s + usage->system_s > 0.02);
        assert_true(usage->peak_memory_bytes > 100000000 && usage->peak_memory_bytes < 400000000);
        assert_true(usage->voluntary > 0);
        assert_true(trial->result.start_s > 0);
        trial_free(trial);
    }
    /* A child of ours starts with our memory in its account. */
    struct trial *trial = trial_new(LAUNCHER_COMMAND, "exec true");
    const size_t length = 64 << 20;
    char *ballast = malloc(length);
    assert_non_null(ballast);
    memset(ballast, 1, length);
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(trial->result.usage.peak_memory_bytes, -1);
    assert_true(trial->result.usage.memory_floor_bytes > (int64_t)length);
    assert_int_equal(ballast[length / 2], 1);
    free(ballast);
    trial_free(trial);
}

static void test_left_behind(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int least, most;
    } cases[] = {
        {"exit 0", 0, 0},
        {"sleep 1000 & exit 0", 1, 1},
        {"(setsid sh -c 'sleep 1000 & sleep 1000 & wait' >/dev/null 2>&1 &); sleep 0.3; exit 0", 1, 3},
        {"i=0; while [ $i -lt 300 ]; do (true &); i=$((i+1)); done; sleep 1", 0, 0},
        {"(while :; do sleep 1000 & done) >/dev/null 2>&1 & sleep 0.05; exit 0", 1, 100000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial *trial = trial_new(LAUNCHER_COMMAND, cases[i].script);
        assert_int_equal(trial_run(trial), STATUS_OK);
        assert_in_range(trial->result.left_behind, cases[i].least, cases[i].most);
        trial_free(trial);
    }
}

/* Programs wait for what they let go to vanish: as the parent of orphans we reap them as they come. */
static void test_orphans_are_reaped_meanwhile(void **state)
{
    (void)state;
    struct trial *trial = trial_new(
        LAUNCHER_COMMAND,
        "pid=$(sh -c 'sleep 0.05 >/dev/null & echo $!'); i=0; while [ $i -lt 100 ]; do i=$((i+1)); sleep 0.1; "
        "kill -0 $pid 2>/dev/null || exit 7; done; exit 8");
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(trial->result.exit_status, 7);
    trial_free(trial);
}

static void test_exec_errno(void **state)
{
    (void)state;
    static const struct {
        const char *program, *text;
        int expected;
    } cases[] = {
        {"no-such-program-anywhere", "cannot start no-such-program-anywhere: No such file or directory", ENOENT},
        {"/etc/passwd", "cannot start /etc/passwd: Permission denied", EACCES},
        {"/nonexistent\n\033[1m\377/x", "cannot start /nonexistent??[1m?/x: No such file or directory", ENOENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int streams = STREAMS_TAKEN; streams <= STREAMS_DROPPED; streams++) {
            struct trial *trial = trial_new(LAUNCHER_COMMAND, "");
            trial->options.streams = (enum spawn_streams)streams;
            trial->argv[0] = (char *)(uintptr_t)cases[i].program;
            assert_int_equal(trial_run(trial), STATUS_FAILED);
            assert_int_equal(trial->result.exec_errno, cases[i].expected);
            assert_string_equal(trial->error.text, cases[i].text);
            trial_free(trial);
        }
    struct trial *trial = trial_new(LAUNCHER_COMMAND, "exit 0");
    trial->line.mask = (struct cpu_list){.count = 1, .cpus = {100000}};
    assert_int_equal(trial_run(trial), STATUS_FAILED);
    assert_int_equal(trial->result.exec_errno, 0);
    trial_free(trial);
}

/* A command may be a launcher, or a script around one: all of it is asked, and what is left has the time of grace. */
static void test_command_is_asked_first(void **state)
{
    (void)state;
    struct trial *trial = trial_new(
        LAUNCHER_COMMAND, "sh -c 'trap \"sleep 0.3; echo inner; exit\" TERM; echo start; sleep 1000 & wait'; exit 3");
    trial->options.time_limit_s = 0.3;
    assert_int_equal(trial_run(trial), STATUS_FAILED);
    assert_true(trial->result.timed_out);
    assert_string_equal(trial->text, "start\ninner\n");
    trial_free(trial);
}

/* A harness on a terminal of its own, whose command has its streams. What it exits with: the command's status, plus 100
 * where it was interrupted, or 99 where it failed. */
static pid_t start_on_terminal(struct trial *trial, int *terminal_p)
{
    pid_t harness = forkpty(terminal_p, NULL, NULL, NULL);
    assert_true(harness >= 0);
    if (harness > 0) return harness;
    trial->options.streams = STREAMS_OURS;
    trial->options.line = NULL;
    int status = trial_run(trial), ended = trial->result.signal ? 40 : trial->result.exit_status;
    _exit(status == STATUS_INTERRUPTED ? 98 : status ? 99 : ended + (trial->result.interrupted ? 100 : 0));
}

static void read_until(int terminal, const char *expected)
{
    char text[4096] = "";
    size_t used = 0;
    while (!strstr(text, expected)) {
        ssize_t got = read(terminal, text + used, sizeof text - 1 - used);
        if (got <= 0) fail_msg("expected %s, got %s", expected, text);
        used += (size_t)got;
        text[used] = '\0';
    }
}

static void test_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *script, *typed;
        int number; /* sent to the harness; 0: none */
        int expected;
    } cases[] = {
        {"[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo ready; read line; [ \"$line\" = hello ] && exit 5", "hello\n", 0, 5},
        {"echo ready; exec sleep 1000", "\003", 0, 140},
        {"echo ready; exec sleep 1000", "\034", 0, 140},
        /* It heeds the signal as it likes. */
        {"n=0; trap 'n=$((n+1))' INT; echo ready; sleep 0.5; sleep 0.5; exit $n", "\003", 0, 101},
        {"trap 'exit 6' INT; echo ready; while :; do sleep 0.05; done", "", SIGINT, 106},
        {"trap 'exit 6' TERM; echo ready; while :; do sleep 0.05; done", "", SIGTERM, 106},
        {"trap 'exit 6' HUP; echo ready; while :; do sleep 0.05; done", "", SIGHUP, 106},
        {"echo ready; exec sleep 1000", "", SIGTERM, 140},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial *trial = trial_new(LAUNCHER_COMMAND, cases[i].script);
        int terminal;
        pid_t harness = start_on_terminal(trial, &terminal);
        read_until(terminal, "ready\r\n");
        if (cases[i].typed[0]) assert_true(write(terminal, cases[i].typed, strlen(cases[i].typed)) > 0);
        if (cases[i].number) kill(harness, cases[i].number);
        assert_int_equal(end_of(harness), cases[i].expected);
        close(terminal);
        trial_free(trial);
    }
}

/* The second signal to us is for us. */
static void test_deaf_command_on_terminal(void **state)
{
    (void)state;
    struct trial *trial =
        trial_new(LAUNCHER_COMMAND, "trap 'echo heard' TERM; echo ready; while :; do sleep 0.05; done");
    int terminal;
    pid_t harness = start_on_terminal(trial, &terminal);
    read_until(terminal, "ready\r\n");
    kill(harness, SIGTERM);
    read_until(terminal, "heard\r\n");
    kill(harness, SIGTERM);
    assert_int_equal(end_of(harness), 98);
    close(terminal);
    trial_free(trial);
}

/* Descriptors that the shell gave us are for the command, and so is what nohup asked for. */
static void test_ours_inherits(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], 9), 9);
    signal(SIGHUP, SIG_IGN);
    struct trial *trial = trial_new(LAUNCHER_COMMAND, "kill -HUP $$; echo said >&9; exit 3");
    trial->options.streams = STREAMS_OURS;
    trial->options.line = NULL;
    assert_int_equal(trial_run(trial), STATUS_OK);
    signal(SIGHUP, SIG_DFL);
    assert_int_equal(trial->result.exit_status, 3);
    char text[8] = "";
    assert_int_equal(read(ends[0], text, sizeof text - 1), 5);
    assert_string_equal(text, "said\n");
    close(9);
    close(ends[0]);
    close(ends[1]);
    trial_free(trial);
}

static void test_tick_ends_run(void **state)
{
    (void)state;
    struct trial *trial = trial_new(LAUNCHER_NONE, "echo one; sleep 1000 & sleep 1000");
    trial->options.tick = take_tick;
    trial->end_at_tick = 3;
    assert_int_equal(trial_run(trial), -78);
    assert_int_equal(trial->line_count, 1);
    trial_free(trial);
}

/* Beside the program. Skips where that is not named. */
static void find_worker(size_t length, char *path_p)
{
    const char *program = getenv("SPEEDUP_PROGRAM"), *slash = program ? strrchr(program, '/') : NULL;
    if (!slash) skip();
    snprintf(path_p, length, "%.*s/speedup-worker", (int)(slash - program), program);
    if (access(path_p, X_OK)) skip();
}

static const char *usable_cpu(size_t length, char *text)
{
    cpu_set_t mask;
    size_t cpu = 0;
    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    while (!CPU_ISSET(cpu, &mask)) cpu++;
    snprintf(text, length, "%zu", cpu);
    return text;
}

/* A launcher's daemon that starts this, and is killed once it has said something. Returns the signal that it died of.
 */
static int end_of_orphan(char *const argv[])
{
    int ends[2], status;
    pid_t pids[2];
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t daemon = fork();
    if (daemon == 0) {
        pids[0] = fork();
        if (pids[0] == 0) {
            dup2(ends[1], STDOUT_FILENO);
            execv(argv[0], argv);
            _exit(99);
        }
        if (write(ends[1], pids, sizeof *pids) != sizeof *pids) _exit(1);
        for (;;) pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], pids, sizeof *pids), sizeof *pids);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(daemon, SIGKILL);
    while (read(ends[0], &byte, 1) == 1) continue; /* until nobody can write any more */
    close(ends[0]);
    assert_int_equal(waitpid(daemon, &status, 0), daemon);
    assert_int_equal(waitpid(pids[0], &status, 0), pids[0]);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_workers_end_with_the_daemon(void **state)
{
    (void)state;
    char worker[4096], cpu[16];
    find_worker(sizeof worker, worker);
    usable_cpu(sizeof cpu, cpu);
    char *const command[] = {worker, "bind", "--cpus", cpu, "--", "/bin/sh", "-c", "echo up; exec sleep 30", NULL};
    assert_int_equal(end_of_orphan(command), SIGKILL);
    /* It says hello when all is ready. */
    char *const kernel[] = {worker, "pi", "--size", "100000000000000", "--cpus", cpu, "--deadline", "30", NULL};
    assert_int_equal(end_of_orphan(kernel), SIGKILL);
}

static void test_a_worker_keeps_its_deadline(void **state)
{
    (void)state;
    char worker[4096], cpu[16];
    find_worker(sizeof worker, worker);
    usable_cpu(sizeof cpu, cpu);
    struct trial *trial = trial_new(LAUNCHER_NONE, "");
    char *const argv[] = {worker, "pi", "--size", "100000000000000", "--cpus", cpu, "--deadline", "0.3", NULL};
    memcpy(trial->argv, argv, sizeof argv);
    assert_int_equal(trial_run(trial), STATUS_OK);
    assert_int_equal(trial->result.signal, SIGALRM);
    trial_free(trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_torn_line),
        cmocka_unit_test(test_line_ends_run),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_mpirun_is_asked_first),
        cmocka_unit_test(test_stderr_tail),
        cmocka_unit_test(test_pass_stderr),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_clean_surroundings),
        cmocka_unit_test(test_closed_standard_descriptors),
        cmocka_unit_test(test_bystanders_live_on),
        cmocka_unit_test(test_tick),
        cmocka_unit_test(test_watched_descriptors),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_ignored_signals_stay_ignored),
        cmocka_unit_test(test_harness_is_killed),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_dropped_streams),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_left_behind),
        cmocka_unit_test(test_orphans_are_reaped_meanwhile),
        cmocka_unit_test(test_exec_errno),
        cmocka_unit_test(test_command_is_asked_first),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_deaf_command_on_terminal),
        cmocka_unit_test(test_ours_inherits),
        cmocka_unit_test(test_tick_ends_run),
        cmocka_unit_test(test_workers_end_with_the_daemon),
        cmocka_unit_test(test_a_worker_keeps_its_deadline),
        cmocka_unit_test(test_real_mpirun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
