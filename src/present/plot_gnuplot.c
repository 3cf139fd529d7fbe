/* gnuplot as a child: the script is its standard input, what it writes is read when it has ended. All three streams are
 * unnamed files, so that neither side ever waits for the other, and the only thing to watch is the clock. */
#include "plot_script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A figure takes some 50 ms, the very first one on a machine seconds, for its list of fonts. */
static const double limit_s = 30;

extern char **environ;

static const char help[] = "install gnuplot (Debian and Ubuntu: gnuplot-nox), or name it by SPEEDUP_GNUPLOT";

static const char *program(void)
{
    const char *named = getenv("SPEEDUP_GNUPLOT");
    return named && *named ? named : "gnuplot";
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Returns its wait status; -1 where it is not known (children that are ignored leave none); -2: it took too long, and
 * was killed. */
static int wait_for(pid_t child)
{
    const double end_s = now_s() + limit_s;
    bool killed = false;
    for (;;) {
        int status;
        pid_t ended = waitpid(child, &status, killed ? 0 : WNOHANG);
        if (ended == child) return killed ? -2 : status;
        if (ended < 0 && errno != EINTR) return killed ? -2 : -1;
        if (ended == 0 && now_s() > end_s) killed = kill(child, SIGKILL) == 0;
        if (ended == 0 && !killed) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

struct streams {
    FILE *files[3]; /* its standard input, output and error */
};

static void close_streams(struct streams *streams)
{
    for (int i = 0; i < 3; i++)
        if (streams->files[i]) fclose(streams->files[i]);
}

static int open_streams(const char *script, struct streams *streams_p)
{
    struct streams streams = {{NULL}};
    bool good = true;
    for (int i = 0; i < 3 && good; i++) good = (streams.files[i] = tmpfile()) != NULL;
    if (good) good = fputs(script, streams.files[0]) >= 0 && fflush(streams.files[0]) == 0;
    if (good) good = lseek(fileno(streams.files[0]), 0, SEEK_SET) == 0;
    int code = errno;
    if (!good) close_streams(&streams);
    if (good) *streams_p = streams;
    return good ? 0 : code;
}

/* 0 or an error number. */
static int start(char *const argv[], const struct streams *streams, pid_t *child_p)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (posix_spawn_file_actions_init(&actions)) return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!code) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (!code) code = posix_spawnattr_setsigdefault(&attributes, &defaults);
    for (int i = 0; i < 3 && !code; i++)
        code = posix_spawn_file_actions_adddup2(&actions, fileno(streams->files[i]), i);
    if (!code) code = posix_spawnp(child_p, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* All of it as heap text; NULL: no memory. */
static char *read_all(FILE *file)
{
    char *text = NULL;
    size_t length = 0;
    FILE *copy = open_memstream(&text, &length);
    if (!copy) return NULL;
    char part[4096];
    size_t count;
    rewind(file);
    while ((count = fread(part, 1, sizeof part, file)) > 0) fwrite(part, 1, count, copy);
    bool bad = ferror(file) || ferror(copy);
    if (fclose(copy) || bad) {
        free(text);
        return NULL;
    }
    return text;
}

/* gnuplot shows the line, a mark under it, and then "line 7: what is wrong". */
static void find_message(FILE *errors, size_t length, char *text)
{
    char line[256];
    text[0] = '\0';
    rewind(errors);
    while (fgets(line, sizeof line, errors)) {
        line[strcspn(line, "\r\n")] = '\0';
        const char *start = line + strspn(line, " \t^");
        if (!*start) continue;
        if (!*text || strstr(start, "line ")) snprintf(text, length, "%s", start);
        if (strstr(start, "line ")) break;
    }
}

static int judge(int status, struct streams *streams, struct error *error)
{
    char message[256];
    find_message(streams->files[2], sizeof message, message);
    if (status == -2)
        return error_set(error, STATUS_FAILED, "%s did not end within %.0f s, and was stopped; %s", program(), limit_s,
                         help);
    if (status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return STATUS_OK;
    if (WIFSIGNALED(status))
        return error_set(error, STATUS_FAILED, "%s was ended by signal %d (%s)", program(), WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) == 127)
        return error_set(error, STATUS_FAILED, "%s could not be started; %s", program(), help);
    return error_set(error, STATUS_FAILED, "%s failed with status %d%s%s", program(), WEXITSTATUS(status),
                     *message ? ": " : "", message);
}

static int run(char *const argv[], const char *script, char **output_p, struct error *error)
{
    struct streams streams;
    pid_t child;
    int code = open_streams(script, &streams);
    if (code)
        return error_set(error, STATUS_FAILED, "no temporary file for %s: %s; make room in /tmp", program(),
                         strerror(code));
    code = start(argv, &streams, &child);
    int status = code ? error_set(error, STATUS_FAILED, "%s cannot be started: %s; %s", program(), strerror(code), help)
                      : judge(wait_for(child), &streams, error);
    if (!status && output_p) *output_p = read_all(streams.files[1]);
    if (!status && output_p && !*output_p) status = error_set(error, STATUS_FAILED, "no memory is left for a figure");
    close_streams(&streams);
    return status;
}

/* A person's own settings are none of ours: -d. */
int plot_run(const char *script, const char *folder, char **output_p, struct error *error)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    if (!file) return error_set(error, STATUS_FAILED, "no memory is left for a figure");
    if (folder) {
        fputs("cd ", file);
        char path[4096]; /* a ~ in front would be somebody's home */
        snprintf(path, sizeof path, "%s%s", *folder == '/' ? "" : "./", folder);
        plot_quote(file, path);
        fputc('\n', file);
    }
    fputs(script, file);
    bool bad = ferror(file);
    char *argv[] = {(char *)program(), (char *)"-d", NULL};
    int status = fclose(file) || bad ? error_set(error, STATUS_FAILED, "no memory is left for a figure")
                                     : run(argv, text, output_p, error);
    free(text);
    return status;
}

bool plot_available(size_t length, char *reason_p)
{
    struct error error;
    char *version = NULL;
    char *argv[] = {(char *)program(), (char *)"--version", NULL};
    int status = run(argv, "", &version, &error);
    if (status)
        snprintf(reason_p, length, "%s", error.text);
    else if (strncmp(version, "gnuplot ", 8) || strtod(version + 8, NULL) < 5) {
        status = STATUS_FAILED;
        version[strcspn(version, "\n")] = '\0';
        snprintf(reason_p, length, "%s is '%.60s', and version 5.0 or newer is needed; %s", program(), version, help);
    }
    free(version);
    return status == STATUS_OK;
}
