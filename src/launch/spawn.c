/* One process, watched from its start to its end by one poll over its output, its errors and our signals (a signalfd,
 * which also tells of its death); what is due later is poll's timeout.
 *
 * The end, whoever wants it: mpirun gets SIGTERM and some time to take its ranks along, also those on other nodes, and
 * then SIGKILL; the solo worker gets SIGKILL at once. Afterwards reap.c ends what is left, wherever it hides. If we
 * ourselves are killed, the kernel sends the child its parent-death signal.
 */
#include "spawn.h"

#include "output.h"
#include "reap.h"
#include "start.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double tick_s = 0.1, grace_s = 2.0, kill_limit_s = 1.0;

enum stage { RUNNING, TERMINATING, KILLED };

struct run {
    const struct launch_line *line;
    const struct spawn_options *options;
    struct spawn_result *result;
    struct error *error;
    int status; /* the outcome: what first went wrong */
    enum stage stage;
    bool exited, by_itself;
    bool deaf; /* `line` wants no more */
    struct process_handle process;
    int signals; /* a signalfd */
    struct line_buffer lines;
    struct tail tail;
    double start_s, deadline_s, next_tick_s;
    struct pollfd *polled; /* output, errors, signals; then what the caller wants watched */
};

enum { POLLED_OWN = 3 };

/* Of this process, changed for the time of the run. */
struct surroundings {
    sigset_t mask;
    struct sigaction on_child;
    int subreaper;
    struct bystanders bystanders;
};

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int surroundings_prepare(struct surroundings *surroundings_p, int *signals_p)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    if (bystanders_find(&surroundings_p->bystanders) < 0) return -1;
    if (prctl(PR_GET_CHILD_SUBREAPER, &surroundings_p->subreaper) < 0) return -1;
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        /* nohup and background jobs ignore some of them: so do we. */
        struct sigaction action;
        sigaction(ends[i], NULL, &action);
        if (action.sa_handler != SIG_IGN) sigaddset(&watched, ends[i]);
    }
    *signals_p = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*signals_p < 0) return -1;
    /* Ignored children leave no status. */
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &by_default, &surroundings_p->on_child);
    sigprocmask(SIG_BLOCK, &watched, &surroundings_p->mask);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return 0;
}

static void surroundings_restore(struct surroundings *surroundings)
{
    prctl(PR_SET_CHILD_SUBREAPER, surroundings->subreaper);
    sigaction(SIGCHLD, &surroundings->on_child, NULL);
    sigprocmask(SIG_SETMASK, &surroundings->mask, NULL);
}

static void kill_run(struct run *run)
{
    run->stage = KILLED;
    run->deadline_s = now_s() + kill_limit_s;
    kill(-run->process.pid, SIGKILL);
}

/* The first reason is the outcome; a second one means impatience. */
static void end_run(struct run *run, int status)
{
    if (run->exited || run->stage == KILLED) return;
    if (run->stage == RUNNING) run->status = status;
    if (run->stage == RUNNING && run->line->launcher == LAUNCHER_MPIRUN) {
        run->stage = TERMINATING;
        run->deadline_s = now_s() + grace_s;
        kill(run->process.pid, SIGTERM);
        kill(run->process.pid, SIGCONT); /* should it be stopped */
        return;
    }
    kill_run(run);
}

static int take_line(void *context, char *text, size_t length)
{
    struct run *run = context;
    if (isnan(run->result->first_line_s)) run->result->first_line_s = now_s() - run->start_s;
    if (run->deaf) return 0;
    int status = run->options->line(run->options->context, text, length);
    run->deaf = status < 0;
    return status;
}

/* Returns whether there may be more. */
static bool read_out(struct run *run)
{
    bool ended;
    int status = line_buffer_read(&run->lines, run->process.out, take_line, run, &ended);
    if (ended) close_descriptor(&run->process.out);
    if (status == -ENOMEM && !run->deaf) {
        run->deaf = true;
        status = error_set(run->error, STATUS_FAILED, "out of memory for a line of %s", run->line->argv[0]);
    }
    if (status < 0) {
        if (run->exited && run->status == STATUS_OK) run->status = status;
        end_run(run, status);
    }
    return status == 1;
}

static bool read_err(struct run *run)
{
    char text[16384];
    ssize_t got = read(run->process.err, text, sizeof text);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (got <= 0) {
        close_descriptor(&run->process.err);
        return false;
    }
    tail_add(&run->tail, (size_t)got, text);
    for (ssize_t at = 0; run->options->pass_stderr && at < got;) {
        ssize_t written = write(STDERR_FILENO, text + at, (size_t)(got - at));
        if (written < 0 && errno != EINTR) break;
        if (written > 0) at += written;
    }
    return true;
}

static void check_exit(struct run *run)
{
    siginfo_t information = {.si_pid = 0};
    waitid(P_PID, (id_t)run->process.pid, &information, WEXITED | WNOHANG | WNOWAIT);
    if (information.si_pid != run->process.pid) return;
    /* Before it is reaped its number cannot be another's. */
    kill(-run->process.pid, SIGKILL);
    int status;
    waitpid(run->process.pid, &status, 0);
    run->exited = true;
    run->by_itself = run->stage == RUNNING && WIFEXITED(status);
    run->result->wall_s = now_s() - run->start_s;
    run->result->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run->result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void read_signals(struct run *run)
{
    struct signalfd_siginfo information;
    while (read(run->signals, &information, sizeof information) == sizeof information) {
        if (information.ssi_signo == SIGCHLD) continue;
        run->result->interrupted = true;
        if (run->exited && run->status == STATUS_OK) run->status = STATUS_INTERRUPTED;
        end_run(run, STATUS_INTERRUPTED);
    }
    if (!run->exited) check_exit(run);
}

static void keep_time(struct run *run)
{
    double now = now_s();
    if (run->options->tick && now >= run->next_tick_s) {
        run->next_tick_s = now + tick_s;
        run->options->tick(run->options->context, now - run->start_s);
    }
    if (now < run->deadline_s || run->exited) return;
    if (run->stage == RUNNING) {
        run->result->timed_out = true;
        error_set(run->error, STATUS_FAILED, "%s was ended: it had not finished within its time limit of %g s",
                  run->line->argv[0], run->options->time_limit_s);
    }
    end_run(run, STATUS_FAILED);
}

static int poll_timeout_ms(const struct run *run)
{
    enum { LONGEST_MS = 3600000 };
    double due_s = run->options->tick ? fmin(run->deadline_s, run->next_tick_s) : run->deadline_s;
    double wait_ms = ceil(1e3 * (due_s - now_s()));
    return wait_ms <= 0 ? 0 : wait_ms >= LONGEST_MS ? LONGEST_MS : (int)wait_ms;
}

static int prepare_poll(struct run *run)
{
    int watched = run->options->watched_count;
    run->polled = calloc(POLLED_OWN + (size_t)watched, sizeof *run->polled);
    if (!run->polled) return error_set(run->error, STATUS_FAILED, "out of memory");
    for (int i = 0; i < watched; i++)
        run->polled[POLLED_OWN + i] = (struct pollfd){run->options->watched[i], POLLIN, 0};
    return STATUS_OK;
}

static void serve_watched(struct run *run)
{
    bool any = false;
    for (int i = 0; i < run->options->watched_count; i++) any |= run->polled[POLLED_OWN + i].revents != 0;
    if (any) run->options->on_watched(run->options->watched_context);
}

static void watch(struct run *run)
{
    struct pollfd *polled = run->polled;
    nfds_t count = POLLED_OWN + (nfds_t)run->options->watched_count;
    while (!run->exited && !(run->stage == KILLED && now_s() > run->deadline_s)) {
        polled[0] = (struct pollfd){.fd = run->process.out, .events = POLLIN};
        polled[1] = (struct pollfd){.fd = run->process.err, .events = POLLIN};
        polled[2] = (struct pollfd){.fd = run->signals, .events = POLLIN};
        if (poll(polled, count, poll_timeout_ms(run)) > 0) {
            serve_watched(run);
            if (polled[0].revents) read_out(run);
            if (polled[1].revents) read_err(run);
            if (polled[2].revents) read_signals(run);
        }
        keep_time(run);
    }
}

/* After the death of all that could write: what is still in the pipes. */
static void finish(struct run *run)
{
    while (run->process.out >= 0 && read_out(run)) continue;
    while (run->process.err >= 0 && read_err(run)) continue;
    if (run->by_itself) {
        int status = line_buffer_finish(&run->lines, take_line, run);
        if (status < 0 && run->status == STATUS_OK) run->status = status;
    }
    read_signals(run);
    if (run->result->interrupted && run->status == STATUS_INTERRUPTED)
        error_set(run->error, STATUS_INTERRUPTED, "interrupted; what was measured until then is kept");
    tail_finish(&run->tail);
    memcpy(run->result->stderr_tail, run->tail.text, run->tail.used + 1);
}

int spawn_run(const struct launch_line *line, const struct spawn_options *options, struct spawn_result *result_p,
              struct error *error)
{
    struct surroundings surroundings = {.subreaper = 0};
    struct run run = {.line = line,
                      .options = options,
                      .result = result_p,
                      .error = error,
                      .process = {.out = -1, .err = -1},
                      .signals = -1};
    *result_p = (struct spawn_result){.exit_status = -1, .wall_s = NAN, .first_line_s = NAN};
    if (surroundings_prepare(&surroundings, &run.signals) < 0) {
        run.status = error_set(error, STATUS_FAILED, "cannot watch over processes here: %s", strerror(errno));
        goto release;
    }
    run.start_s = now_s();
    run.status = prepare_poll(&run);
    if (run.status == STATUS_OK) run.status = start_process(line, &run.process, error);
    if (run.status == STATUS_OK) {
        run.deadline_s = options->time_limit_s > 0 ? run.start_s + options->time_limit_s : INFINITY;
        watch(&run);
        bool gone = reap_descendants(&surroundings.bystanders, kill_limit_s);
        finish(&run);
        if (!gone && run.status == STATUS_OK)
            run.status =
                error_set(error, STATUS_FAILED, "%s left processes behind that cannot be killed", line->argv[0]);
    }
    surroundings_restore(&surroundings);
release:
    close_descriptor(&run.process.out);
    close_descriptor(&run.process.err);
    close_descriptor(&run.signals);
    line_buffer_release(&run.lines);
    free(run.polled);
    bystanders_release(&surroundings.bystanders);
    return run.status;
}
