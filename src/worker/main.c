/* The worker programs' main: speedup-worker and speedup-worker-mpi differ in the ranks that they are linked with. */
#include "worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
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

/* No worker outlives the one that started it: the harness, or a launcher's daemon on this node, which may have died
 * before we could ask for the signal. Then nobody reads what we would write. */
static void end_with_parent(void)
{
    pid_t parent = getppid();
    struct pollfd output = {.fd = STDOUT_FILENO};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool unread = poll(&output, 1, 0) > 0 && (output.revents & POLLERR);
    if (getppid() != parent || unread) _exit(-STATUS_FAILED);
}

int main(int argc, char *argv[])
{
    if (argc > 1 && strcmp(argv[1], "bind") == 0) return worker_bind(argc - 2, argv + 2);
    end_with_parent();
    FILE *lines = take_stdout();
    if (!lines) {
        fputs("a speedup worker needs open standard streams\n", stderr);
        return -STATUS_FAILED;
    }
    int status = worker_main(argc - 1, argv + 1, lines);
    fclose(lines);
    return -status;
}
