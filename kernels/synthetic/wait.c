/* Waits, during which the core is free: for time, for a disk, for an answer.
 *
 *     sleep  the timer
 *     disk   a block is written to a file in $TMPDIR, and has reached the disk (O_DSYNC); what is left of the time,
 *            the timer. The file has no name, and is gone with the worker
 *     pipe   a helper thread is asked through a pipe, sleeps, and answers through another
 */
#include "dials.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, NS = 1000000000 };
#define TMPFS 0x01021994 /* statfs(2) */

static struct timespec time_after(struct timespec start, double seconds)
{
    int64_t ns = start.tv_nsec + llround(seconds * NS);
    return (struct timespec){start.tv_sec + ns / NS, ns % NS};
}

static struct timespec now(void)
{
    struct timespec instant;
    clock_gettime(CLOCK_MONOTONIC, &instant);
    return instant;
}

static void sleep_until(struct timespec instant)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &instant, NULL) == EINTR) continue;
}

/* A byte through a pipe, whatever signals come between: 1, 0 at its end, or a negative errno value. */
static int read_byte(int end, char *byte_p)
{
    ssize_t got;
    while ((got = read(end, byte_p, 1)) < 0 && errno == EINTR) continue;
    return got < 0 ? -errno : (int)got;
}

static int write_byte(int end, char byte)
{
    ssize_t got;
    while ((got = write(end, &byte, 1)) < 0 && errno == EINTR) continue;
    return got < 0 ? -errno : 0;
}

static void *help(void *context)
{
    const struct waiter *waiter = context;
    char byte;
    while (read_byte(waiter->questions[0], &byte) == 1) {
        if (waiter->least_s > 0) sleep_until(time_after(now(), waiter->least_s));
        if (write_byte(waiter->answers[1], byte) < 0) break;
    }
    return NULL;
}

static int open_file(struct waiter *waiter)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    struct statfs system;
    if (!folder || !*folder) folder = "/tmp";
    waiter->file = open(folder, O_TMPFILE | O_WRONLY | O_DSYNC | O_CLOEXEC, 0600);
    if (waiter->file < 0) { /* not every file system has files without a name */
        if (snprintf(path, sizeof path, "%s/speedup-XXXXXX", folder) >= (int)sizeof path) return -ENAMETOOLONG;
        waiter->file = mkostemp(path, O_DSYNC | O_CLOEXEC);
        if (waiter->file < 0) return -errno;
        unlink(path);
    }
    waiter->in_memory = fstatfs(waiter->file, &system) == 0 && system.f_type == TMPFS;
    return 0;
}

static int start_helper(struct waiter *waiter)
{
    if (pipe2(waiter->questions, O_CLOEXEC) < 0 || pipe2(waiter->answers, O_CLOEXEC) < 0) return -errno;
    int status = pthread_create(&waiter->helper, NULL, help, waiter);
    waiter->helped = status == 0;
    return -status;
}

int waiter_begin(enum wait_kind kind, double least_s, struct waiter *waiter_p)
{
    *waiter_p = (struct waiter){.kind = kind,
                                .least_s = least_s,
                                .on = least_s > 0 || kind != WAIT_SLEEP,
                                .file = -1,
                                .questions = {-1, -1},
                                .answers = {-1, -1}};
    if (kind == WAIT_DISK) return open_file(waiter_p);
    if (kind == WAIT_PIPE) return start_helper(waiter_p);
    return 0;
}

static void close_end(int *end)
{
    if (*end >= 0) close(*end);
    *end = -1;
}

void waiter_end(struct waiter *waiter)
{
    if (!waiter->on) return;
    close_end(&waiter->file);
    close_end(&waiter->questions[1]);
    if (waiter->helped) pthread_join(waiter->helper, NULL);
    close_end(&waiter->questions[0]);
    close_end(&waiter->answers[0]);
    close_end(&waiter->answers[1]);
    waiter->on = false;
}

static int write_block(const struct waiter *waiter)
{
    static const char zeros[BLOCK];
    ssize_t got = pwrite(waiter->file, zeros, BLOCK, 0);
    return got == BLOCK ? 0 : got < 0 ? -errno : -ENOSPC;
}

static int ask_helper(const struct waiter *waiter)
{
    char byte = (char)waiter->waits, answer = 0;
    int status = write_byte(waiter->questions[1], byte);
    if (status == 0) status = read_byte(waiter->answers[0], &answer);
    if (status < 0) return status;
    return status == 1 && answer == byte ? 0 : -EIO;
}

int waiter_wait(struct waiter *waiter)
{
    if (!waiter->on) return 0;
    struct timespec end = time_after(now(), waiter->least_s);
    int status = 0;
    if (waiter->kind == WAIT_PIPE) status = ask_helper(waiter);
    if (waiter->kind == WAIT_DISK) status = write_block(waiter);
    if (waiter->kind != WAIT_PIPE && waiter->least_s > 0) sleep_until(end);
    waiter->waits += status == 0;
    return status;
}
