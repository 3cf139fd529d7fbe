/* The processes of a run and their threads, found in /proc: the search that all who watch a run share. Unprivileged.
 */
#ifndef SPEEDUP_OBSERVE_DESCENDANTS_H
#define SPEEDUP_OBSERVE_DESCENDANTS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A process that was there at the last search. */
struct descendant {
    pid_t pid;
    int folder; /* descriptor of its task folder: a number that is used again does not deceive it */
    unsigned long links;
    int number; /* for whoever searches; -1 at first */
};

struct descendants {
    pid_t root; /* 0: this process, which does not count itself */
    int bystander_count;
    pid_t *bystanders; /* not watched, nor theirs */
    int count;
    struct descendant *list;
    bool children;                        /* the kernel lists a task's children */
    int loadavg;                          /* descriptor of the file that tells the last number that a task got; -1 */
    char newest[32];                      /* that number, when last searched */
    int descriptor_count, descriptor_max; /* that are kept open, and may be; whoever searches counts its own in */
    int missed;                           /* processes that could not be watched for want of descriptors */
};

/* root 0: what descends from this process, but for the children that are there already, and theirs. Else that process
 * (of which any thread may be named) and its descendants, but for this process. 0, -ENOMEM, -ESRCH where there is no
 * such process, -EPERM where the system hides it, or another negative errno value where /proc cannot be read; then
 * there is nothing to release, and no harm in it. */
int descendants_init(pid_t root, int descriptor_max, struct descendants *descendants_p);
void descendants_release(struct descendants *);

/* Looks for new processes and threads, and forgets the processes that are gone: at once where the system gave a number
 * to a new task since the last search, or where it is to be thorough; else nothing can have come. on_thread is called
 * for the threads of each process in which a thread has come or gone, or of all, old ones too; it returns 0 or
 * -ENOMEM. 0 or -ENOMEM. */
int descendants_search(struct descendants *, bool thorough,
                       int (*on_thread)(void *context, struct descendant *, const char *tid), void *context);
/* How many descriptors may be kept open: the given part of those that a process may have. */
int descendants_descriptors(int part);

/* The text of a file below a folder (AT_FDCWD): its length, or -1. */
ssize_t proc_read(int folder, const char *path, size_t length, char text_p[]);
/* Room for one more in an array (the pointer to which is given), whose room is the power of two that its count needs at
 * least. Keeps the array where there is no memory. 0 or -ENOMEM. */
int array_grow(void *array_pointer, int count, size_t size);

#endif
