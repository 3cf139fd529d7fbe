/* From a launch line to a running program: the environment is the inherited one, without what the line unsets and with
 * what it sets; the mask is set before exec, since the OpenMP runtime reads it as it starts. All that needs memory is
 * done before the fork. Why exec failed comes back through a pipe that exec closes.
 */
#include "start.h"

#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct image {
    const struct launch_line *line;
    char **environment; /* complete */
    cpu_set_t *mask;    /* NULL: inherited */
    size_t mask_length;
};

enum image_step { IMAGE_STREAMS, IMAGE_MASK, IMAGE_EXEC };

static bool has_name(const char *setting, const char *name)
{
    size_t length = strcspn(name, "=");
    return strncmp(setting, name, length) == 0 && setting[length] == '=';
}

static bool is_replaced(const struct launch_line *line, const char *setting)
{
    for (const char *const *name = line->unset; name && *name; name++)
        if (has_name(setting, *name)) return true;
    for (char *const *ours = line->environment; ours && *ours; ours++)
        if (has_name(setting, *ours)) return true;
    return false;
}

static char **merge_environment(const struct launch_line *line)
{
    struct words words = {.items = NULL};
    for (char **setting = environ; setting && *setting; setting++)
        if (!is_replaced(line, *setting)) words_add(&words, "%s", *setting);
    for (char *const *ours = line->environment; ours && *ours; ours++) words_add(&words, "%s", *ours);
    return words_take(&words);
}

static void image_release(struct image *image)
{
    words_free(image->environment);
    CPU_FREE(image->mask);
    *image = (struct image){.line = NULL};
}

static int image_prepare(const struct launch_line *line, struct image *image_p)
{
    struct image image = {.line = line, .environment = merge_environment(line)};
    if (!image.environment) return -ENOMEM;
    int highest = -1;
    for (int i = 0; i < line->mask.count; i++)
        if (line->mask.cpus[i] > highest) highest = line->mask.cpus[i];
    if (highest >= 0) {
        image.mask = CPU_ALLOC((size_t)highest + 1);
        if (!image.mask) {
            image_release(&image);
            return -ENOMEM;
        }
        image.mask_length = CPU_ALLOC_SIZE((size_t)highest + 1);
        CPU_ZERO_S(image.mask_length, image.mask);
        for (int i = 0; i < line->mask.count; i++) CPU_SET_S((size_t)line->mask.cpus[i], image.mask_length, image.mask);
    }
    *image_p = image;
    return 0;
}

/* Returns only in failure: the errno value, and the step in *step_p. */
static int image_become(const struct image *image, enum image_step *step_p)
{
    *step_p = IMAGE_MASK;
    if (image->mask && sched_setaffinity(0, image->mask_length, image->mask) < 0) return errno;
    *step_p = IMAGE_EXEC;
    execvpe(image->line->argv[0], image->line->argv, image->environment);
    return errno;
}

static int image_error(const struct launch_line *line, enum image_step step, int errno_value, struct error *error)
{
    char cpus[512], program[256];
    if (step == IMAGE_MASK)
        return error_set(error, STATUS_FAILED,
                         "cannot run on CPUs %s: %s (speedup machine shows those that may be used)",
                         cpu_list_format(&line->mask, sizeof cpus, cpus), strerror(errno_value));
    return error_set(error, STATUS_FAILED, "cannot start %s: %s",
                     words_printable(line->argv[0], sizeof program, program), strerror(errno_value));
}

void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

/* Both ends above the standard descriptors, which may be closed in us. */
static int open_pipe(int ends_p[2])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    for (int i = 0; i < 2; i++) {
        ends_p[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(ends[i]);
    }
    if (ends_p[0] >= 0 && ends_p[1] >= 0) return 0;
    close_descriptor(&ends_p[0]);
    close_descriptor(&ends_p[1]);
    return -1;
}

static void close_others_on_exec(void)
{
    enum { CLOEXEC_FLAG = 1 << 2, FALLBACK_MAX = 4096 };
#ifdef SYS_close_range
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOEXEC_FLAG) == 0) return;
#endif
    /* Linux before 5.11. */
    for (int descriptor = STDERR_FILENO + 1; descriptor < FALLBACK_MAX; descriptor++)
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

struct failure {
    enum image_step step;
    int errno_value;
};

/* Signals that a terminal, or its end, sends to all of a process group. */
static bool is_terminals(int number)
{
    return number == SIGINT || number == SIGQUIT || number == SIGHUP || number == SIGTERM || number == SIGTSTP ||
           number == SIGTTIN || number == SIGTTOU;
}

/* A command that runs as if we were not there ignores what nohup or the shell said is to be ignored. */
static void reset_signals(enum spawn_streams streams)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        bool keep = streams == STREAMS_OURS && is_terminals(number) && sigaction(number, NULL, &action) == 0 &&
                    action.sa_handler == SIG_IGN;
        if (!keep) signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A new process's streams: what is taken of them goes to the pipes. */
struct channels {
    enum spawn_streams streams;
    int out[2], err[2], report[2];
};

static int connect_streams(const struct channels *channels)
{
    if (channels->streams == STREAMS_OURS) return 0;
    int nowhere = open("/dev/null", O_RDWR);
    int out = channels->streams == STREAMS_DROPPED ? nowhere : channels->out[1];
    return nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
                   dup2(channels->err[1], STDERR_FILENO) < 0
               ? -1
               : 0;
}

static bool is_asked_to_end(const struct launch_line *line)
{
    return line->launcher == LAUNCHER_MPIRUN || line->launcher == LAUNCHER_COMMAND;
}

/* In the child. Comes back only where it could not become the program. */
static struct failure become_program(const struct image *image, pid_t parent, const struct channels *channels)
{
    if (channels->streams != STREAMS_OURS) setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, is_asked_to_end(image->line) ? SIGTERM : SIGKILL);
    if (getppid() != parent) _exit(127); /* it died before we asked for the signal */
    reset_signals(channels->streams);

    struct failure failure = {.step = IMAGE_STREAMS};
    if (connect_streams(channels) < 0) {
        failure.errno_value = errno;
        return failure;
    }
    /* A foreign launcher may have handed us a connection that MPI will look for (PMI_FD), and make its jobs' tokens to
     * a command. Ours close anyway. */
    if (image->line->launcher != LAUNCHER_FOREIGN && channels->streams != STREAMS_OURS) close_others_on_exec();
    failure.errno_value = image_become(image, &failure.step);
    return failure;
}

static pid_t fork_program(const struct image *image, const struct channels *channels)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0) return pid;
    struct failure failure = become_program(image, parent, channels);
    ssize_t written = write(channels->report[1], &failure, sizeof failure);
    _exit(written == sizeof failure ? 127 : 126);
}

static int channels_open(struct channels *channels)
{
    if (channels->streams == STREAMS_TAKEN && open_pipe(channels->out) < 0) return -1;
    if (channels->streams != STREAMS_OURS && open_pipe(channels->err) < 0) return -1;
    if (open_pipe(channels->report) < 0) return -1;
    if (channels->out[0] >= 0) fcntl(channels->out[0], F_SETFL, O_NONBLOCK);
    if (channels->err[0] >= 0) fcntl(channels->err[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static void channels_close(struct channels *channels)
{
    for (int i = 0; i < 2; i++) {
        close_descriptor(&channels->out[i]);
        close_descriptor(&channels->err[i]);
        close_descriptor(&channels->report[i]);
    }
}

/* The report closes with exec, or says why there was none. */
static bool has_failed(struct channels *channels, struct failure *failure_p)
{
    close_descriptor(&channels->report[1]);
    ssize_t got;
    do {
        got = read(channels->report[0], failure_p, sizeof *failure_p);
    } while (got < 0 && errno == EINTR);
    return got == sizeof *failure_p;
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int start_process(const struct launch_line *line, enum spawn_streams streams, struct process_handle *handle_p,
                  int *exec_errno_p, struct error *error)
{
    struct image image;
    struct failure failure;
    struct channels channels = {streams, {-1, -1}, {-1, -1}, {-1, -1}};
    struct process_handle handle = {.out = -1, .err = -1};
    int status = STATUS_OK;
    if (image_prepare(line, &image) < 0) return error_set(error, STATUS_FAILED, "out of memory");
    if (channels_open(&channels) < 0) {
        status = error_set(error, STATUS_FAILED, "cannot open a pipe: %s", strerror(errno));
        goto release;
    }
    handle.start_s = now_s();
    handle.pid = fork_program(&image, &channels);
    if (handle.pid < 0) {
        status = error_set(error, STATUS_FAILED, "cannot start a process: %s", strerror(errno));
        goto release;
    }
    if (has_failed(&channels, &failure)) {
        waitpid(handle.pid, NULL, 0);
        if (failure.step == IMAGE_EXEC) *exec_errno_p = failure.errno_value;
        status = image_error(line, failure.step, failure.errno_value, error);
        goto release;
    }
    handle.out = channels.out[0];
    handle.err = channels.err[0];
    channels.out[0] = channels.err[0] = -1;
    *handle_p = handle;
release:
    channels_close(&channels);
    image_release(&image);
    return status;
}

int launch_line_exec(const struct launch_line *line, struct error *error)
{
    struct image image;
    enum image_step step;
    if (image_prepare(line, &image) < 0) return error_set(error, STATUS_FAILED, "out of memory");
    int errno_value = image_become(&image, &step);
    image_release(&image);
    return image_error(line, step, errno_value, error);
}
