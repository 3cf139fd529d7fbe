/* How commands of the user's own are started, as tables; and what `speedup-worker bind` makes of its arguments. */
#include "../src/launch/command_line.h"

#include "../src/plan/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct launch_site site = {.worker = "/opt/speedup-worker", .mpirun = "/opt/mpirun", .flavour = MPI_MPICH};

struct asked {
    int ranks, threads;
    const char *cpus, *launcher;
    enum wait_policy wait_policy;
    bool free; /* --no-bind */
    bool shell;
    const char *setting;
    const char *words[4];
    int slice_ns;
};

static struct config config_of(const struct asked *asked)
{
    struct error error = {""};
    struct config config = {
        .size = "64",
        .option_count = 1,
        .options = {{"v", "a b"}},
        .mode = {.nodes = 1, .wait_policy = asked->wait_policy, .ranks = asked->ranks, .threads = asked->threads}};
    char *words[4];
    int count = 0;
    for (; count < 4 && asked->words[count]; count++) words[count] = (char *)asked->words[count];
    assert_int_equal(command_set_words(&config.command, count, words, &error), 0);
    if (asked->setting) assert_int_equal(command_add_setting(&config.command, asked->setting, &error), 0);
    assert_int_equal(cpu_list_parse(asked->cpus, &config.mode.cpus), 0);
    strcpy(config.command.launcher, asked->launcher);
    config.command.bind = !asked->free;
    config.command.shell = asked->shell;
    config.mode.scheduling.slice_ns = asked->slice_ns;
    return config;
}

static bool has(char *const texts[], const char *text)
{
    for (; *texts; texts++)
        if (strcmp(*texts, text) == 0) return true;
    return false;
}

static bool takes_out(const struct launch_line *line, const char *name)
{
    for (const char *const *own = line->unset; own && *own; own++)
        if (strcmp(*own, name) == 0) return true;
    return false;
}

static struct launch_line *line_of(const struct asked *asked)
{
    struct error error = {""};
    struct config config = config_of(asked);
    struct launch_line *line = NULL;
    if (command_line_new(&config, &site, &line, &error)) fail_msg("%s", error.text);
    return line;
}

static void assert_argv(const struct launch_line *line, const char *const expected[])
{
    int i = 0;
    for (; expected[i] && line->argv[i]; i++) assert_string_equal(line->argv[i], expected[i]);
    if (expected[i] || line->argv[i]) fail_msg("word %d: %s, expected %s", i, line->argv[i], expected[i]);
}

#define words(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_threads(void **state)
{
    (void)state;
    struct launch_line *line = line_of(&(struct asked){.ranks = 1,
                                                       .threads = 2,
                                                       .cpus = "3,1",
                                                       .launcher = "none",
                                                       .setting = "MKL_NUM_THREADS={v}",
                                                       .words = {"./app", "{threads} on {nodes}", "{v}", "{size}"}});
    assert_argv(line, words("./app", "2 on 1", "a b", "64"));
    assert_true(has(line->environment, "OMP_NUM_THREADS=2"));
    assert_true(has(line->environment, "OMP_PLACES={3},{1}"));
    assert_true(has(line->environment, "OMP_PROC_BIND=true"));
    assert_true(has(line->environment, "OMP_WAIT_POLICY=active"));
    assert_true(has(line->environment, "MKL_NUM_THREADS=a b")); /* the user's wins */
    assert_false(has(line->environment, "MKL_NUM_THREADS=2"));
    assert_true(takes_out(line, "GOMP_CPU_AFFINITY"));
    assert_int_equal(line->mask.count, 2);
    launch_line_free(line);

    /* It starts its tasks by itself: OpenMP's library would bind the first one, and all that it forks. */
    line = line_of(&(struct asked){
        .ranks = 1, .threads = 2, .cpus = "3,1", .launcher = "none", .words = {"./app", "-j{workers}"}});
    assert_true(has(line->environment, "OMP_PROC_BIND=false"));
    assert_false(has(line->environment, "OMP_PLACES={3},{1}"));
    launch_line_free(line);
}

static void test_one_core(void **state)
{
    (void)state;
    struct launch_line *line = line_of(&(struct asked){.ranks = 1,
                                                       .threads = 4,
                                                       .cpus = "5",
                                                       .launcher = "none",
                                                       .wait_policy = WAIT_YIELD,
                                                       .shell = true,
                                                       .words = {"./app | wc {v}"}});
    assert_argv(line, words("/bin/sh", "-c", "./app | wc a b"));
    assert_true(has(line->environment, "OMP_PROC_BIND=false"));
    assert_true(has(line->environment, "OMP_WAIT_POLICY=passive"));
    assert_int_equal(line->mask.cpus[0], 5);
    launch_line_free(line);
}

static void test_unbound(void **state)
{
    (void)state;
    struct launch_line *line = line_of(&(struct asked){
        .ranks = 2, .threads = 1, .cpus = "0-1", .free = true, .launcher = "mpirun", .words = {"./app"}});
    assert_argv(line, words("/opt/mpirun", "-np", "2", "./app"));
    assert_int_equal(line->mask.count, 0);
    assert_false(takes_out(line, "OMP_PLACES"));
    launch_line_free(line);
}

static void test_launchers(void **state)
{
    (void)state;
    struct asked asked = {.ranks = 2, .threads = 2, .cpus = "0-3", .launcher = "srun", .words = {"./app"}};
    struct launch_line *line = line_of(&asked);
    assert_argv(line, words("srun", "--mpi=pmi2", "--nodes=1", "--ntasks=2", "--distribution=block", "--overlap",
                            "--overcommit", "--cpu-bind=none", "--kill-on-bad-exit=1", "--export=ALL",
                            "/opt/speedup-worker", "bind", "--cpus", "0-3", "--threads", "2", "--", "./app"));
    launch_line_free(line);
    asked.launcher = "mpirun";
    line = line_of(&asked);
    assert_argv(line, words("/opt/mpirun", "-np", "2", "-bind-to", "none", "/opt/speedup-worker", "bind", "--cpus",
                            "0-3", "--threads", "2", "--", "./app"));
    launch_line_free(line);
    asked.launcher = "run -n {ranks} 'a {v}'";
    asked.slice_ns = 20000000;
    line = line_of(&asked);
    assert_argv(line, words("run", "-n", "2", "a a b", "/opt/speedup-worker", "bind", "--cpus", "0-3", "--threads", "2",
                            "--policy", "other", "--nice", "0", "--slice-ns", "20000000", "--", "./app"));
    launch_line_free(line);
}

static void test_bind_arguments(void **state)
{
    (void)state;
    struct mode mode;
    struct error error;
    int command;
    char *const good[] = {"--cpus", "2,0",        "--threads", "2",  "--policy", "batch", "--nice",
                          "5",      "--slice-ns", "0",         "--", "./app",    "--",    NULL};
    assert_int_equal(bind_arguments_parse(13, good, &mode, &command, &error), 0);
    assert_int_equal(command, 11);
    assert_int_equal(mode.cpus.cpus[0], 2);
    assert_int_equal(mode.threads, 2);
    assert_int_equal(mode.scheduling.policy, POLICY_BATCH);
    char *const none[] = {"--cpus", "any", "--", NULL}, *const wrong[] = {"--cpus", "x", "--", "./app", NULL};
    assert_int_equal(bind_arguments_parse(3, none, &mode, &command, &error), STATUS_USAGE);
    assert_int_equal(bind_arguments_parse(4, wrong, &mode, &command, &error), STATUS_USAGE);
    assert_int_equal(bind_arguments_parse(0, none, &mode, &command, &error), STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads), cmocka_unit_test(test_one_core),
                                       cmocka_unit_test(test_unbound), cmocka_unit_test(test_launchers),
                                       cmocka_unit_test(test_bind_arguments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
