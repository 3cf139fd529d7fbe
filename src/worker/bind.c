/* speedup-worker bind: becomes a command of the user's own, on the CPUs that its rank is to have. Whatever launcher
 * started it has said by its variables which local rank this is (launch/foreign.c); without one it is rank 0. What a
 * launcher did to the affinity is undone: Open MPI binds ranks anew where it likes, also outside the mask it was
 * started with. And the command ends where the launcher's daemon dies (which exec does not change), unless the harness
 * has asked for another signal at its own death.
 */
#include "worker.h"

#include "../launch/command_line.h"
#include "../place/schedule.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void find_cpus(const struct mode *mode, int local_rank, struct cpu_list *cpus_p)
{
    *cpus_p = (struct cpu_list){.count = 0};
    for (int t = 0; t < mode->threads && cpus_p->count < mode->cpus.count; t++) {
        int cpu = mode_cpu_of_worker(mode, local_rank, t);
        bool known = false;
        for (int i = 0; i < cpus_p->count; i++) known |= cpus_p->cpus[i] == cpu;
        if (!known) cpus_p->cpus[cpus_p->count++] = cpu;
    }
}

static int bind_rank(const struct mode *mode, struct error *error)
{
    struct foreign_job job;
    struct cpu_list cpus;
    char places[12 * CPUS_MAX], text[9 * CPUS_MAX];
    launch_find_foreign_job(environ, &job);
    if (job.size > 1 && job.local_rank < 0)
        return error_set(error, STATUS_FAILED,
                         "%s does not tell which rank of its node this is; --no-bind leaves its place to it",
                         job.launcher);
    find_cpus(mode, job.local_rank > 0 ? job.local_rank : 0, &cpus);
    int status = bind_process(&cpus);
    if (status)
        return error_set(error, STATUS_FAILED, "cannot run on CPUs %s: %s", cpu_list_format(&cpus, sizeof text, text),
                         strerror(-status));
    if (mode->threads < 2 || cpus.count < mode->threads) return STATUS_OK;
    setenv("OMP_PLACES", openmp_places(mode->threads, &cpus, sizeof places, places), 1);
    setenv("OMP_PROC_BIND", "true", 1);
    return STATUS_OK;
}

static int set_scheduling(const struct mode *mode, struct error *error)
{
    struct scheduling got;
    char why[400];
    if (scheduling_is_default(&mode->scheduling)) return STATUS_OK;
    int status = schedule_thread(&mode->scheduling, &got);
    if (!status) return STATUS_OK;
    schedule_explain(&mode->scheduling, &got, status, schedule_may_realtime(), sizeof why, why);
    return error_set(error, STATUS_FAILED, "%s", why);
}

/* 126 and 127 as env(1) has them. */
int worker_bind(int argc, char *argv[])
{
    struct error error = {""};
    struct mode mode;
    int command, asked = 0;
    if (prctl(PR_GET_PDEATHSIG, &asked) == 0 && asked == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    int status = bind_arguments_parse(argc, argv, &mode, &command, &error);
    if (!status && mode.cpus.count > 0) status = bind_rank(&mode, &error);
    if (!status) status = set_scheduling(&mode, &error);
    if (status) {
        fprintf(stderr, "speedup: %s\n", error.text);
        return 125;
    }
    execvp(argv[command], argv + command);
    int reason = errno;
    fprintf(stderr, "speedup: cannot start %s: %s\n", argv[command], strerror(reason));
    return reason == ENOENT ? 127 : 126;
}
