/* From a launch line to a running program: the environment is the inherited one, without what the line unsets and with
 * what it sets; the mask is set before exec, since the OpenMP runtime reads it as it starts. All that needs memory is
 * done before the fork. Why exec failed comes back through a pipe that exec closes.
 */
#include "start.h"

#include "spawn.h"
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
#include <unistd.h>

struct image {
    const struct launch_line *line;
    char **environment; /* complete */
    cpu_set_t *mask;    /* NULL: inherited */
    size_t mask_length;
};

enum image_step { IMAGE_MASK, IMAGE_EXEC };

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
    char cpus[512];
    if (step == IMAGE_MASK)
        return error_set(error, STATUS_FAILED,
                         "cannot run on CPUs %s: %s (speedup machine shows those that may be used)",
                         cpu_list_format(&line->mask, sizeof cpus, cpus), strerror(errno_value));
    return error_set(error, STATUS_FAILED, "cannot start %s: %s", line->argv[0], strerror(errno_value));
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

/* In the child. Comes back only where it could not become the worker. */
static struct failure become_worker(const struct image *image, pid_t parent, int out, int err)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, image->line->launcher == LAUNCHER_MPIRUN ? SIGTERM : SIGKILL);
    if (getppid() != parent) _exit(127); /* it died before we asked for the signal */
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    struct failure failure = {.step = IMAGE_EXEC};
    int input = open("/dev/null", O_RDONLY);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) {
        failure.errno_value = errno;
        return failure;
    }
    /* A foreign launcher may have handed us a connection that MPI will look for (PMI_FD). Ours close anyway. */
    if (image->line->launcher != LAUNCHER_FOREIGN) close_others_on_exec();
    failure.errno_value = image_become(image, &failure.step);
    return failure;
}

static void fork_worker(const struct image *image, const int out[2], const int err[2], const int report[2],
                        pid_t *pid_p)
{
    pid_t parent = getpid();
    *pid_p = fork();
    if (*pid_p != 0) return;
    struct failure failure = become_worker(image, parent, out[1], err[1]);
    ssize_t written = write(report[1], &failure, sizeof failure);
    _exit(written == sizeof failure ? 127 : 126);
}

int start_process(const struct launch_line *line, struct process_handle *handle_p, struct error *error)
{
    struct image image;
    struct failure failure;
    int out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1};
    int status = STATUS_OK;
    pid_t pid;
    if (image_prepare(line, &image) < 0) return error_set(error, STATUS_FAILED, "out of memory");
    if (open_pipe(out) < 0 || open_pipe(err) < 0 || open_pipe(report) < 0) {
        status = error_set(error, STATUS_FAILED, "cannot open a pipe: %s", strerror(errno));
        goto release;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    fork_worker(&image, out, err, report, &pid);
    if (pid < 0) {
        status = error_set(error, STATUS_FAILED, "cannot start a process: %s", strerror(errno));
        goto release;
    }
    /* The report closes with exec, or says why there was none. */
    close_descriptor(&report[1]);
    ssize_t got;
    do {
        got = read(report[0], &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    if (got == sizeof failure) {
        waitpid(pid, NULL, 0);
        status = image_error(line, failure.step, failure.errno_value, error);
        goto release;
    }
    *handle_p = (struct process_handle){.pid = pid, .out = out[0], .err = err[0]};
    out[0] = err[0] = -1;
release:
    for (int i = 0; i < 2; i++) {
        close_descriptor(&out[i]);
        close_descriptor(&err[i]);
        close_descriptor(&report[i]);
    }
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
