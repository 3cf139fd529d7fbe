/* The worker programs' main: speedup-worker and speedup-worker-mpi differ in the ranks that they are linked with. */
#include "worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Standard output for us alone: what libraries print there goes to standard error, and cannot corrupt our lines. */
static FILE *take_stdout(void)
{
    int descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (descriptor < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return NULL;
    return fdopen(descriptor, "w");
}

int main(int argc, char *argv[])
{
    if (argc > 1 && strcmp(argv[1], "bind") == 0) return worker_bind(argc - 2, argv + 2);
    /* No worker outlives the one that started it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    FILE *lines = take_stdout();
    if (!lines) {
        fputs("a speedup worker needs open standard streams\n", stderr);
        return -STATUS_FAILED;
    }
    int status = worker_main(argc - 1, argv + 1, lines);
    fclose(lines);
    return -status;
}
