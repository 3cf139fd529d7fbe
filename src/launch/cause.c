/* Open MPI, over one line or two:
 *
 *   mpirun noticed that process rank 1 with PID 4711 on node node2 exited on signal 9 (Killed).
 *   ORTE has lost communication with a remote daemon. [...] Remote daemon: [[1,0],2] on node node3
 *
 * Slurm: "srun: error: node2: task 1: Killed", where a list ("tasks 1-3") may stand, and "srun: error: Node failure on
 * node3". What they say may hold anything: it is made printable.
 */
#include "cause.h"

#include "words.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { NAME_LENGTH = 96 };

/* A word from there on, without what ends a sentence. Returns name_p. */
static const char *name_at(const char *at, const char *ends, char name_p[NAME_LENGTH])
{
    char word[NAME_LENGTH];
    snprintf(word, sizeof word, "%.*s", (int)(strcspn(at, ends) % NAME_LENGTH), at);
    return words_printable(word, NAME_LENGTH, name_p);
}

/* Behind `words`, which are searched for from `said` on; NULL. */
static const char *behind(const char *said, const char *words)
{
    const char *at = said ? strstr(said, words) : NULL;
    return at ? at + strlen(words) : NULL;
}

static bool has_killed_rank(const char *said, size_t length, char *text_p)
{
    char node[NAME_LENGTH];
    int rank, number;
    const char *at = behind(said, "noticed that process rank "), *on = behind(at, " on node ");
    const char *by = behind(on, "exited on signal ");
    if (!by || sscanf(at, "%9d", &rank) != 1 || sscanf(by, "%4d", &number) != 1) return false;
    snprintf(text_p, length, "rank %d on %s was ended by signal %d (%s)", rank, name_at(on, " \n", node), number,
             strsignal(number));
    return true;
}

static bool has_lost_daemon(const char *said, size_t length, char *text_p)
{
    char node[NAME_LENGTH];
    const char *on =
        behind(behind(behind(said, "lost communication with a remote daemon"), "Remote daemon:"), "on node ");
    if (!on) return false;
    snprintf(
        text_p, length,
        "%s was lost: mpirun's daemon there died, as it does where memory runs out, or the network to it is cut off",
        name_at(on, " \n", node));
    return true;
}

/* "... unable to complete a TCP connection to another process:", then a line each. */
static bool has_no_connection(const char *said, size_t length, char *text_p)
{
    char node[NAME_LENGTH], other[NAME_LENGTH];
    const char *local = behind(behind(said, "unable to complete a TCP connection"), "Local host:");
    const char *remote = behind(local, "Remote host:");
    if (!remote) return false;
    snprintf(text_p, length, "%s has no connection to %s any more: the network between them is cut off, or filtered",
             name_at(local + strspn(local, " "), " \n", node), name_at(remote + strspn(remote, " "), " \n", other));
    return true;
}

/* Slurm names signals as strsignal does. 0: it is none. */
static int signal_named(const char *name)
{
    for (int number = 1; number < SIGSYS + 1; number++)
        if (strncmp(strsignal(number), name, strlen(strsignal(number))) == 0) return number;
    return 0;
}

static bool has_ended_task(const char *said, size_t length, char *text_p)
{
    for (const char *at = behind(said, "srun: error: "); at; at = behind(at, "srun: error: ")) {
        char node[NAME_LENGTH], tasks[NAME_LENGTH], end[NAME_LENGTH];
        size_t name = strcspn(at, ": \n");
        const char *task = at + name;
        if (strncmp(task, ": task", 6) != 0) continue;
        task += 6 + (task[6] == 's');
        const char *colon = strchr(task, ':');
        if (*task != ' ' || !colon || memchr(task, '\n', (size_t)(colon - task))) continue;
        name_at(at, ":", node);
        name_at(task + 1, ":", tasks);
        name_at(colon + 1 + (colon[1] == ' '), "\n", end);
        int number = signal_named(end);
        bool several = strpbrk(tasks, ",-") != NULL;
        const char *rank = several ? "ranks" : "rank";
        if (number)
            snprintf(text_p, length, "%s %s on %s %s ended by signal %d (%s)", rank, tasks, node,
                     several ? "were" : "was", number, strsignal(number));
        else
            snprintf(text_p, length, "%s %s on %s: %s", rank, tasks, node, end);
        return true;
    }
    return false;
}

static bool has_lost_node(const char *said, size_t length, char *text_p)
{
    char node[NAME_LENGTH];
    const char *on = behind(said, "srun: error: Node failure on ");
    if (!on) return false;
    snprintf(text_p, length, "%s was lost: Slurm has no connection to it any more", name_at(on, " \n", node));
    return true;
}

bool launch_cause(const char *said, size_t length, char *text_p)
{
    if (length > 0) text_p[0] = '\0';
    return has_killed_rank(said, length, text_p) || has_lost_daemon(said, length, text_p) ||
           has_no_connection(said, length, text_p) || has_lost_node(said, length, text_p) ||
           has_ended_task(said, length, text_p);
}
