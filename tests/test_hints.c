/* What helps against failures: known words, and nothing for what is not known. */
#include "../src/launch/cause.h"
#include "../src/launch/hints.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static const struct {
    const char *said, *helps; /* NULL: nothing is known */
    int signal;
} failures[] = {
    {"", NULL, 0},
    {"Segmentation fault", NULL, SIGSEGV},
    {"", "memory", SIGKILL},
    {"", "-march=native", SIGILL},
    {"[node1:00110] OPAL ERROR: Unreachable in file ext3x_client.c at line 112", "--mpi=pmix", 0},
    {"-----\nThere are not enough slots available in the system to satisfy the 16\nslots that were requested",
     "--ntasks-per-node", 0},
    {"Your job has requested more processes than the ppr for\nthis topology can support:\n\n  App: worker", "--hosts",
     0},
    {"mpirun has detected an attempt to run as root.", "ordinary user", 0},
    {"./app: error while loading shared libraries: libmpi.so.40: cannot open shared object file", "--module", 0},
    {"slurmstepd: error: Detected 1 oom-kill event(s) in StepId=4.0", "--mem=0", SIGKILL},
    {"write error: Disk quota exceeded", "quota", 0},
};

static void known_failures_have_a_hint(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        const char *hint = launch_hint(failures[i].said, failures[i].signal);
        if (!failures[i].helps) {
            assert_null(hint);
            continue;
        }
        assert_non_null(hint);
        assert_non_null(strstr(hint, failures[i].helps));
    }
}

static const struct {
    const char *said, *cause; /* "": it tells none */
} broken[] = {
    {"", ""},
    {"node2: task 1: Killed", ""},
    {"srun: error: ", ""},
    {"srun: error: node2: task", ""},
    {"mpirun noticed that process rank x with PID 3 on node n exited on signal 9 (Killed).", ""},
    {"mpirun noticed that process rank 1 with PID 3 on node ", ""},
    {"------\nPrimary job terminated normally, but\n------\nmpirun noticed that process rank 1 with PID 4711 on node "
     "node2 "
     "exited on signal 9 (Killed).\n------",
     "rank 1 on node2 was ended by signal 9 (Killed)"},
    {"ORTE has lost communication with a remote daemon.\n\n  HNP daemon   : [[1,0],0] on node node1\n  Remote daemon: "
     "[[1,0],2] on node node3\n\nThis is usually due to",
     "node3 was lost: mpirun's daemon there died, as it does where memory runs out, or the network to it is cut off"},
    {"A process or daemon was unable to complete a TCP connection\nto another process:\n  Local host:    node3\n  "
     "Remote host:   node1\nThis is usually",
     "node3 has no connection to node1 any more: the network between them is cut off, or filtered"},
    {"unable to complete a TCP connection\n  Local host: ", ""},
    {"srun: error: node2: task 1: Killed\nsrun: error: node1: task 0: Terminated",
     "rank 1 on node2 was ended by signal 9 (Killed)"},
    {"srun: launch/slurm: x\nsrun: error: node4: tasks 4-6: Segmentation fault (core dumped)",
     "ranks 4-6 on node4 were ended by signal 11 (Segmentation fault)"},
    {"srun: error: something else\nsrun: error: n: task 0: Exited with exit code 1",
     "rank 0 on n: Exited with exit code 1"},
    {"srun: error: Node failure on node3\nsrun: error: node3: task 2: Killed",
     "node3 was lost: Slurm has no connection to it any more"},
};

static void launchers_tell_where_it_broke(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char text[256] = "x", small[8];
        assert_int_equal(launch_cause(broken[i].said, sizeof text, text), *broken[i].cause != 0);
        assert_string_equal(text, broken[i].cause);
        launch_cause(broken[i].said, sizeof small, small);
        assert_true(strlen(small) < sizeof small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_failures_have_a_hint),
                                       cmocka_unit_test(launchers_tell_where_it_broke)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
