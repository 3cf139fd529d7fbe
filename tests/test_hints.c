/* What helps against failures: known words, and nothing for what is not known. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_failures_have_a_hint)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
