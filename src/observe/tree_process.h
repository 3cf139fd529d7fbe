/* One process as /proc tells of it, again and again: for tree.c. */
#ifndef SPEEDUP_OBSERVE_TREE_PROCESS_H
#define SPEEDUP_OBSERVE_TREE_PROCESS_H

#include "tree.h"

enum { GROUP_LENGTH = 1024 };

struct process_seen {
    struct tree_process process;
    uint64_t started; /* in ticks of the system's clock; orders processes */
    int folder;       /* descriptor of its task folder, whoever searches has it; -1: it is gone */
    unsigned looks;   /* since its program began */
};

/* One look. own_group: of this process (process_read_group). 0 or -ENOMEM. */
int process_seen_look(struct process_seen *, const char *own_group);
/* The control groups of the process whose task folder it is; "" where unknown. */
void process_read_group(int folder, char text_p[GROUP_LENGTH]);
/* Of a text that tells a name: up to its newline, what is not printable as '?'. */
void process_tidy_name(char *text);
/* Pure: what tree_process.environment keeps of a process's environment, `length` bytes with a NUL behind them; NULL
 * where that is nothing. 0 or -ENOMEM. */
int environment_keep(const char *environment, size_t length, char **kept_p);

#endif
