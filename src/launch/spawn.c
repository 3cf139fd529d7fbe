/* One process, watched from its start to its end by one poll over its output, its errors and our signals (a signalfd,
 * which also tells of its death); what is due later is poll's timeout.
 *
 * The end, whoever wants it: mpirun and commands (which may be launchers) get SIGTERM and some time to take along what
 * they started, also on other nodes, and then SIGKILL; the solo worker gets SIGKILL at once. Afterwards reap.c ends
 * what is left, wherever it hides; what is about to end by itself has a moment for it. If we ourselves are killed, the
 * kernel sends the child its parent-death signal.
 *
 * A signal from the terminal goes to all of its foreground process group. A command that has our streams is in it, and
 * has got the signal when we read of it (its code is the kernel's); one that was sent to us alone is handed on.
 */
#include "spawn.h"

#include "reap.h"
#include "start.h"
#include "streams.h"
#include "surroundings.h"
#include "usage.h"
#include "words.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double tick_s = 0.1, mpirun_grace_s = 2.0, command_grace_s = 5.0, kill_limit_s = 1.0, reap_limit_s = 5.0;
static const double leave_grace_s = 0.25; /* for helpers that end when they see that the program has */

enum stage { RUNNING, TERMINATING, KILLED };

struct run {
    const struct launch_line *line;
    const struct spawn_options *options;
    struct spawn_result *result;
    struct error *error;
    int status; /* the outcome: what first went wrong */
    enum stage stage;
    bool exited, by_itself;
    bool handed_on; /* a signal that came to us alone */
    struct process_handle process;
    int signals; /* a signalfd */
    struct streams streams;
    double deadline_s, next_tick_s;
    struct pollfd *polled; /* output, errors, signals; then what the caller wants watched */
};

enum { POLLED_OWN = 3, NAME_LENGTH = 256 };

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static const char *name_of(const struct run *run, char name_p[NAME_LENGTH])
{
    return words_printable(run->line->argv[0], NAME_LENGTH, name_p);
}

static bool is_among_us(const struct run *run)
{
    return run->options->streams == STREAMS_OURS;
}

static double grace_s(const struct run *run)
{
    return run->line->launcher == LAUNCHER_COMMAND  ? command_grace_s
           : run->line->launcher == LAUNCHER_MPIRUN ? mpirun_grace_s
                                                    : 0;
}

/* mpirun hands SIGCONT on to its ranks, and says so. */
static bool is_stopped(const struct run *run)
{
    siginfo_t information = {.si_pid = 0};
    waitid(P_PID, (id_t)run->process.pid, &information, WSTOPPED | WNOHANG | WNOWAIT);
    return information.si_pid != 0;
}

/* Before it is reaped its number cannot be another's. */
static void signal_run(const struct run *run, int number, bool group)
{
    pid_t target = group && !is_among_us(run) ? -run->process.pid : run->process.pid;
    kill(target, number);
    if (number != SIGKILL && is_stopped(run)) kill(target, SIGCONT);
}

static void kill_run(struct run *run)
{
    run->stage = KILLED;
    run->deadline_s = now_s() + kill_limit_s;
    signal_run(run, SIGKILL, true);
}

/* The first reason is the outcome; a second one means impatience. mpirun's ranks are for it to end; of a command, whose
 * launcher may be anywhere in it, all are asked. */
static void end_run(struct run *run, int status)
{
    if (run->exited || run->stage == KILLED) return;
    if (run->stage == RUNNING) run->status = status;
    if (run->stage == TERMINATING || grace_s(run) <= 0) {
        kill_run(run);
        return;
    }
    run->stage = TERMINATING;
    run->deadline_s = now_s() + grace_s(run);
    signal_run(run, SIGTERM, run->line->launcher == LAUNCHER_COMMAND);
}

/* Returns whether there may be more. */
static bool read_out(struct run *run)
{
    char name[NAME_LENGTH];
    int status = streams_read_out(&run->streams);
    if (status == -ENOMEM)
        status = error_set(run->error, STATUS_FAILED, "out of memory for a line of %s", name_of(run, name));
    if (status < 0) {
        if (run->exited && run->status == STATUS_OK) run->status = status;
        end_run(run, status);
    }
    return status == 1;
}

static void check_exit(struct run *run)
{
    int status;
    if (!reap_one(run->process.pid, &run->result->usage, &status)) return;
    run->result->wall_s = now_s() - run->process.start_s;
    run->exited = true;
    run->by_itself = run->stage == RUNNING && WIFEXITED(status);
    run->result->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run->result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* It heeds it as it likes: until a second one, or after a time. */
static void hand_on(struct run *run, int number)
{
    if (run->exited || run->stage == KILLED) return;
    if (run->handed_on) {
        run->status = STATUS_INTERRUPTED;
        kill_run(run);
        return;
    }
    run->handed_on = true;
    signal_run(run, number, false);
    if (number == SIGTERM || number == SIGHUP) {
        run->stage = TERMINATING;
        run->deadline_s = fmin(run->deadline_s, now_s() + command_grace_s);
    }
}

static void heed_signal(struct run *run, const struct signalfd_siginfo *information)
{
    run->result->interrupted = true;
    if (is_among_us(run)) {
        if (information->ssi_code != SI_KERNEL) hand_on(run, (int)information->ssi_signo);
        return;
    }
    if (run->exited && run->status == STATUS_OK) run->status = STATUS_INTERRUPTED;
    end_run(run, STATUS_INTERRUPTED);
}

static void read_signals(struct run *run)
{
    struct signalfd_siginfo information;
    while (read(run->signals, &information, sizeof information) == sizeof information)
        if (information.ssi_signo != SIGCHLD) heed_signal(run, &information);
}

static void keep_time(struct run *run)
{
    double now = now_s();
    if (run->options->tick && now >= run->next_tick_s) {
        run->next_tick_s = now + tick_s;
        int status = run->options->tick(run->options->context, now - run->process.start_s);
        if (status < 0 && run->stage == RUNNING) end_run(run, status);
    }
    if (now < run->deadline_s || run->exited) return;
    if (run->stage == RUNNING) {
        char name[NAME_LENGTH];
        run->result->timed_out = true;
        error_set(run->error, STATUS_FAILED, "%s was ended: it had not finished within its time limit of %g s",
                  name_of(run, name), run->options->time_limit_s);
    }
    if (run->stage == TERMINATING && run->status == STATUS_OK) run->status = STATUS_INTERRUPTED;
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

static void watch(struct run *run, const struct bystanders *bystanders)
{
    struct pollfd *polled = run->polled;
    nfds_t count = POLLED_OWN + (nfds_t)run->options->watched_count;
    while (!run->exited && !(run->stage == KILLED && now_s() > run->deadline_s)) {
        polled[0] = (struct pollfd){.fd = run->streams.out, .events = POLLIN};
        polled[1] = (struct pollfd){.fd = run->streams.err, .events = POLLIN};
        polled[2] = (struct pollfd){.fd = run->signals, .events = POLLIN};
        if (poll(polled, count, poll_timeout_ms(run)) > 0) {
            /* Its death first: its time ends with it. */
            if (polled[2].revents) check_exit(run);
            if (polled[2].revents) read_signals(run);
            if (polled[2].revents && !run->exited) check_exit(run);
            if (polled[2].revents && !run->exited) reap_orphans(bystanders, run->process.pid, &run->result->usage);
            serve_watched(run);
            if (polled[0].revents) read_out(run);
            if (polled[1].revents) streams_read_err(&run->streams);
        }
        keep_time(run);
    }
}

/* How long what is left may go on: long where it was asked to end, or has been by the terminal; not at all after an end
 * by force. */
static struct reaping leaving(const struct run *run)
{
    bool among_us = is_among_us(run);
    struct reaping reaping = {.group = among_us ? 0 : run->process.pid, .limit_s = reap_limit_s};
    if (run->stage == TERMINATING && run->line->launcher == LAUNCHER_COMMAND) {
        reaping.ask = true;
        reaping.grace_s = fmax(run->deadline_s - now_s(), 0);
    } else if (run->stage == RUNNING && among_us && run->result->interrupted) {
        reaping.ask = run->handed_on;
        reaping.grace_s = command_grace_s;
    } else if (run->stage == RUNNING && run->status == STATUS_OK) {
        reaping.grace_s = leave_grace_s;
    }
    return reaping;
}

static bool reap(struct run *run, const struct bystanders *bystanders)
{
    struct reaping reaping = leaving(run);
    int killed;
    reaping.bystanders = bystanders;
    bool gone = reap_descendants(&reaping, &run->result->usage, &killed);
    if (run->stage == RUNNING && run->status == STATUS_OK && !run->result->interrupted)
        run->result->left_behind = killed;
    return gone;
}

/* After the death of all that could write: what is still in the pipes. */
static void finish(struct run *run)
{
    while (run->streams.out >= 0 && read_out(run)) continue;
    while (run->streams.err >= 0 && streams_read_err(&run->streams)) continue;
    if (run->by_itself) {
        int status = streams_finish_out(&run->streams);
        if (status < 0 && run->status == STATUS_OK) run->status = status;
    }
    read_signals(run);
    if (run->result->interrupted && run->status == STATUS_INTERRUPTED)
        error_set(run->error, STATUS_INTERRUPTED, "interrupted; what was measured until then is kept");
    tail_finish(&run->streams.tail);
    memcpy(run->result->stderr_tail, run->streams.tail.text, run->streams.tail.used + 1);
    /* Its death may have been seen before what it had said. */
    run->result->first_line_s = isnan(run->streams.first_s) ? NAN : fmin(run->streams.first_s, run->result->wall_s);
}

static int start(struct run *run)
{
    usage_begin(&run->result->usage);
    int status = prepare_poll(run);
    if (!status)
        status = start_process(run->line, run->options->streams, &run->process, &run->result->exec_errno, run->error);
    if (status) return status;
    run->result->start_s = run->process.start_s;
    run->deadline_s = run->options->time_limit_s > 0 ? run->process.start_s + run->options->time_limit_s : INFINITY;
    run->streams.start_s = run->process.start_s;
    run->streams.out = run->process.out;
    run->streams.err = run->process.err;
    return STATUS_OK;
}

int spawn_run(const struct launch_line *line, const struct spawn_options *options, struct spawn_result *result_p,
              struct error *error)
{
    struct surroundings surroundings;
    char name[NAME_LENGTH];
    struct run run = {.line = line,
                      .options = options,
                      .result = result_p,
                      .error = error,
                      .signals = -1,
                      .streams = {.options = options, .out = -1, .err = -1, .first_s = NAN}};
    *result_p = (struct spawn_result){.exit_status = -1, .start_s = NAN, .wall_s = NAN, .first_line_s = NAN};
    if (surroundings_prepare(options->streams == STREAMS_OURS, &surroundings, &run.signals) < 0)
        return error_set(error, STATUS_FAILED, "cannot watch over processes here: %s", strerror(errno));
    run.status = start(&run);
    if (run.status == STATUS_OK) {
        watch(&run, &surroundings.bystanders);
        bool gone = reap(&run, &surroundings.bystanders);
        finish(&run);
        if (!gone && run.status == STATUS_OK)
            run.status =
                error_set(error, STATUS_FAILED, "%s left processes behind that cannot be killed", name_of(&run, name));
    }
    surroundings_restore(&surroundings);
    streams_release(&run.streams);
    close_descriptor(&run.signals);
    free(run.polled);
    return run.status;
}
