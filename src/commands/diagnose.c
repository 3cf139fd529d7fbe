/* speedup diagnose: runs a command as if it were not there, or looks at a process that runs, and says whether it
 * multitasked or multiprocessed, and why. The command's own exit status is passed on; 125, 126 and 127 are our own, as
 * env(1) and timeout(1) have them.
 */
#include "../present/diagnosis.h"

#include "../plan/quote.h"
#include "commands.h"
#include "diagnose_watch.h"
#include "files.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_OWN = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127, NAMED_MAX = 20 };

struct wish {
    int pid;
    double for_s, time_limit_s;
    bool json, picture;
    const char *output;
    int word_count;
    char **words; /* of the command */
};

/* As it was typed; cut where it is long. */
static void write_command(const struct wish *wish, size_t length, char *text_p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; stream && i < wish->word_count; i++) {
        if (i > 0) fputc(' ', stream);
        quote_write(stream, wish->words[i]);
    }
    if (stream) fclose(stream);
    /* One that does not fit cannot be typed again: none is told. */
    snprintf(text_p, length, "%s", text && size < length ? text : "");
    free(text);
}

static int print(const struct diagnosis_page *page, const struct wish *wish, struct error *error)
{
    bool to_file = wish->output && strcmp(wish->output, "-") != 0, lost = false;
    FILE *stream = to_file ? fopen(wish->output, "w") : wish->output ? stdout : stderr;
    if (!stream) {
        /* What was seen is told nevertheless. */
        error_set(error, STATUS_FAILED, "cannot write %.200s: %s", wish->output, strerror(errno));
        stream = stderr;
        to_file = false;
        lost = true;
    }
    if (wish->json) {
        json_t *object = present_diagnosis_json(page);
        if (object) json_dumpf(object, stream, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        fputc('\n', stream);
        json_decref(object);
    } else {
        struct style style;
        style_for(stream, &style);
        if (stream == stderr && style.colour) fputc('\n', stream);
        present_diagnosis(stream, &style, page);
    }
    bool failed = ferror(stream) != 0;
    failed |= to_file ? fclose(stream) != 0 : fflush(stream) != 0;
    if (lost) return STATUS_FAILED;
    return failed ? error_set(error, STATUS_FAILED, "cannot write the diagnosis: %s", strerror(errno)) : STATUS_OK;
}

/* The picture shows those that worked, however many others there are. */
static int tell(struct diagnose_watch *watch, const struct wish *wish, const struct spawn_result *result,
                const char *name, struct error *error)
{
    struct diagnosis diagnosis;
    struct timeline_summary summary;
    struct timeline_record *record = &watch->timeline;
    if (diagnosis_make(&watch->evidence, &diagnosis)) return error_set(error, STATUS_FAILED, "no memory is left");
    timeline_name_busiest(&record->timeline, diagnosis.workers < 1           ? 1
                                             : diagnosis.workers > NAMED_MAX ? NAMED_MAX
                                                                             : diagnosis.workers);
    record->config.command.word_count = 1; /* its tasks have names of their own */
    record->config.mode.ranks = 1;
    record->validity = SAMPLE_VALID;
    if (timeline_summarise_record(record, &summary)) return error_set(error, STATUS_FAILED, "no memory is left");
    const struct diagnosis_page page = {.evidence = &watch->evidence,
                                        .diagnosis = &diagnosis,
                                        .timeline = record,
                                        .summary = &summary,
                                        .picture = wish->picture,
                                        .command = name,
                                        .exit_status = !result          ? -1
                                                       : result->signal ? 128 + result->signal
                                                                        : result->exit_status,
                                        .left_behind = result ? result->left_behind : 0};
    int status = print(&page, wish, error);
    timeline_summary_release(&summary);
    return status;
}

/* Returns the exit status. */
static int run_command(struct diagnose_watch *watch, const struct wish *wish, struct error *error)
{
    char text[512];
    const struct launch_line line = {.argv = wish->words, .launcher = LAUNCHER_COMMAND};
    struct spawn_result result = {.signal = 0};
    if (diagnose_watch_start(watch, 0, error)) return EXIT_OWN;
    const struct spawn_options options = {.time_limit_s = wish->time_limit_s,
                                          .streams = STREAMS_OURS,
                                          .watched_count = watch->descriptor_count,
                                          .watched = watch->descriptors,
                                          .watched_context = watch,
                                          .on_watched = diagnose_watch_drain};
    int status = spawn_run(&line, &options, &result, error);
    if (result.exec_errno) return result.exec_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
    if (status && isnan(result.start_s)) return EXIT_OWN;
    struct error own;
    write_command(wish, sizeof text, text);
    bool failed = diagnose_watch_stop(watch, &result, &own) != STATUS_OK;
    if (!failed) {
        snprintf(watch->evidence.command, sizeof watch->evidence.command, "%s", text);
        failed = tell(watch, wish, &result, text, &own) != STATUS_OK;
    }
    if (status) return EXIT_OWN; /* the time limit; error says so */
    if (failed) *error = own;
    return failed ? EXIT_OWN : result.signal ? 128 + result.signal : result.exit_status;
}

static bool is_alive(pid_t pid)
{
    return kill(pid, 0) == 0 || errno == EPERM;
}

static int watch_process(struct diagnose_watch *watch, const struct wish *wish, struct error *error)
{
    sigset_t ends, before;
    char name[64];
    const struct timespec pause = {.tv_nsec = 50000000};
    if (!is_alive(wish->pid)) return error_set(error, EXIT_OWN, "--pid %d: there is no such process", wish->pid);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, &before);
    int status = diagnose_watch_start(watch, wish->pid, error) ? EXIT_OWN : 0;
    while (!status && clock_wall_s() < watch->start_s + wish->for_s && is_alive(wish->pid)) {
        /* A signal ends the looking, not what was seen. */
        if (sigtimedwait(&ends, NULL, &pause) > 0) break;
        diagnose_watch_drain(watch);
    }
    if (!status) status = diagnose_watch_stop(watch, NULL, error) ? EXIT_OWN : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    const struct tree_process *process = tree_find_process(&watch->tree, wish->pid);
    snprintf(name, sizeof name, "process %d%s%s%s", wish->pid, process ? " (" : "", process ? process->name : "",
             process ? ")" : "");
    if (!status) status = tell(watch, wish, NULL, name, error) ? EXIT_OWN : 0;
    return status;
}

/* Before the command runs, which may take long: whether the diagnosis can be written then. */
static int check_writable(const char *path, struct error *error)
{
    char folder[4096];
    struct stat file;
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!path || strcmp(path, "-") == 0) return STATUS_OK;
    bool there = stat(path, &file) == 0;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
    int failed = there && S_ISDIR(file.st_mode) ? EISDIR : access(there ? path : folder, W_OK) ? errno : 0;
    if (!failed) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "cannot write %.200s: %s; name a file in a folder you may write to", path,
                     strerror(failed));
}

static int check(const struct wish *wish, int operand_count, char *const operands[], struct error *error)
{
    if (operand_count > 0)
        return error_set(error, STATUS_USAGE, "put -- in front of the command: speedup diagnose -- %.100s ...",
                         operands[0]);
    if (wish->word_count > 0 && wish->pid)
        return error_set(error, STATUS_USAGE, "--pid looks at a process that runs; leave it out, or the command");
    if (wish->word_count == 0 && !wish->pid)
        return error_set(error, STATUS_USAGE,
                         "name a command, as in: speedup diagnose -- ./app; or a process: --pid PID");
    if (wish->word_count > 0 && !isnan(wish->for_s))
        return error_set(error, STATUS_USAGE,
                         "--for goes with --pid; a command is watched until it ends (--time-limit ends it)");
    int status = files_check_output("--output", wish->output, 0, NULL, error);
    return status ? status : check_writable(wish->output, error);
}

/* The command begins behind the first "--", and is nobody's option. */
static void split(int *argc, char **argv, struct wish *wish)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") != 0) continue;
        wish->word_count = *argc - i - 1;
        wish->words = argv + i + 1;
        *argc = i;
    }
}

int command_diagnose(const struct command *command, int argc, char **argv, struct error *error)
{
    struct wish wish = {.for_s = NAN, .picture = true};
    bool no_timeline = false;
    int operand_count;
    const struct option table[] = {
        {0, "pid", OPT_COUNT, &wish.pid, 1, 4194304, NULL, "PID",
         "Look at this process and its descendants, instead of a command."},
        {0, "for", OPT_DURATION, &wish.for_s, 0.05, 604800, NULL, "TIME", "With --pid: for how long. Default: 10s."},
        {0, "json", OPT_FLAG, &wish.json, 0, 0, NULL, NULL, "One JSON object instead of the page."},
        {'o', "output", OPT_TEXT, &wish.output, 0, 0, NULL, "FILE",
         "Where the diagnosis goes; - is standard output. Default: standard error, as standard output is the "
         "command's."},
        {0, "no-timeline", OPT_FLAG, &no_timeline, 0, 0, NULL, NULL, "Leave out the picture of who ran when."},
        {0, "time-limit", OPT_DURATION, &wish.time_limit_s, 0.01, 2592000, NULL, "TIME",
         "End the command after this, with all that it started. Default: none."},
        {0}};
    const struct options options = {.command = command, .table = table};
    split(&argc, argv, &wish);
    int status = options_parse(&options, argc, argv, &operand_count, error);
    if (status > 0) return STATUS_OK;
    if (!status) status = check(&wish, operand_count, argv + 1, error);
    if (status) return -EXIT_OWN;
    wish.picture = !no_timeline;
    if (isnan(wish.for_s)) wish.for_s = 10;
    struct diagnose_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return error_set(error, -EXIT_OWN, "no memory");
    status = wish.pid ? watch_process(watch, &wish, error) : run_command(watch, &wish, error);
    diagnose_watch_release(watch);
    free(watch);
    return -status;
}
