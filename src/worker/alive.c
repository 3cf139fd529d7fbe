/* The first rank of each node tells every two seconds that it lives, and which ranks of its node are stopped: from a
 * thread of its own that sleeps in between, so that a rank that computes or waits need not do anything. It takes some
 * 50 us every two seconds, by no OpenMP and no MPI. Where nobody can read it any more, the process ends.
 */
#include "../launch/alive.h"

#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PERIOD_MS = 2000, STACK_BYTES = 1 << 17 };

struct alive {
    pthread_t thread;
    int output, end; /* the harness's end; an eventfd that tells the thread to end */
    int rank, nodes; /* that speaks for this node; nodes in all */
    char host[64];
    int count; /* of this node's other ranks */
    struct neighbour {
        int rank;
        pid_t pid;
    } neighbours[];
};

static bool is_stopped(pid_t pid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    ssize_t got = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[got > 0 ? got : 0] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end && (strncmp(name_end, ") T", 3) == 0 || strncmp(name_end, ") t", 3) == 0);
}

static void tell(const struct alive *alive)
{
    int stopped[ALIVE_STOPPED_MAX], count = 0;
    char text[ALIVE_LINE_MAX];
    for (int i = 0; i < alive->count && count < ALIVE_STOPPED_MAX; i++)
        if (is_stopped(alive->neighbours[i].pid)) stopped[count++] = alive->neighbours[i].rank;
    size_t length = alive_format(alive->rank, alive->nodes, alive->host, count, stopped, text);
    if (write(alive->output, text, length) < 0 && errno == EPIPE) _exit(-STATUS_FAILED);
}

static void *live_on(void *context)
{
    struct alive *alive = context;
    struct pollfd end = {.fd = alive->end, .events = POLLIN};
    do tell(alive);
    while (poll(&end, 1, PERIOD_MS) == 0);
    return NULL;
}

static bool start_thread(struct alive *alive)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes)) return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(&alive->thread, &attributes, live_on, alive) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (started) pthread_setname_np(alive->thread, "speedup-alive");
    return started;
}

/* Of all ranks: pid and node. */
static struct alive *alive_new(const struct worker *worker, int size, const double pids[], const double nodes[])
{
    const struct team *team = worker->team;
    struct alive *alive = calloc(1, sizeof *alive + (size_t)size * sizeof alive->neighbours[0]);
    if (!alive) return NULL;
    alive->rank = team->rank;
    memcpy(alive->host, worker->host, sizeof alive->host);
    for (int rank = 0; rank < size; rank++) {
        alive->nodes += (int)nodes[rank] == rank;
        if (rank != team->rank && (int)nodes[rank] == team->node)
            alive->neighbours[alive->count++] = (struct neighbour){rank, (pid_t)pids[rank]};
    }
    alive->output = fcntl(fileno(worker->lines), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    alive->end = eventfd(0, EFD_CLOEXEC);
    if (alive->output >= 0 && alive->end >= 0 && start_thread(alive)) return alive;
    if (alive->output >= 0) close(alive->output);
    if (alive->end >= 0) close(alive->end);
    free(alive);
    return NULL;
}

int worker_tell_alive(struct worker *worker)
{
    struct team *team = worker->team;
    size_t size = (size_t)team_size(team);
    double *numbers = calloc(2 * size, sizeof *numbers); /* pids, then nodes */
    int status = worker_agree(worker, numbers ? STATUS_OK : error_set(&worker->error, STATUS_FAILED, "out of memory"));
    if (!status) {
        numbers[team->rank] = getpid();
        numbers[size + (size_t)team->rank] = team->node;
        if (team_max_double(team, 2 * size, numbers) < 0) status = worker_abandon(worker, STATUS_FAILED);
    }
    if (!status && team->node == team->rank) {
        worker->alive = alive_new(worker, (int)size, numbers, numbers + size);
        if (!worker->alive)
            status = error_set(&worker->error, STATUS_FAILED, "rank %d on %s cannot start a thread", team->rank,
                               worker->host);
    }
    free(numbers);
    return worker_agree(worker, status);
}

void worker_end_alive(struct worker *worker)
{
    struct alive *alive = worker->alive;
    if (!alive) return;
    if (write(alive->end, &(uint64_t){1}, sizeof(uint64_t)) == sizeof(uint64_t)) pthread_join(alive->thread, NULL);
    close(alive->output);
    close(alive->end);
    free(alive);
    worker->alive = NULL;
}
