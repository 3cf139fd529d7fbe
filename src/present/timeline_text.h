/* Inside present/ alone: what the pictures of a timeline have in common. */
#ifndef SPEEDUP_PRESENT_TIMELINE_TEXT_H
#define SPEEDUP_PRESENT_TIMELINE_TEXT_H

#include "../analyse/timeline_summary.h"
#include "text.h"

/* "A" ... "Z", "a" ... "z", "0" ... "9"; '?' for further workers, '*' for other tasks. */
enum { TIMELINE_LETTERS = 62 };
char timeline_letter(const struct timeline_view *, int task);
/* "thread 1" of one rank, "rank 2" of one thread each, else "rank 2 thread 1"; of another task the system's name for
 * it. Returns text. */
const char *timeline_task_name(const struct timeline_view *, int task, size_t length, char *text);
/* "CPU 0", with several hosts "node1 CPU 0". Returns text. */
const char *timeline_cpu_name(const struct timeline_view *, int cpu, size_t length, char *text);
/* Whether a CPU gets a row: all do on a machine of at most so many, else those alone on which a task ran. */
bool timeline_cpu_shown(const struct timeline_view *, int cpu, int idle_most);
int timeline_cpus_shown(const struct timeline_view *, int idle_most);
/* "pi (philox, size 200000000), mode multitask: 4 threads on CPU 0". Returns text. */
const char *timeline_title(const struct timeline_view *, size_t length, char *text);
/* Tier and error: "exact: the kernel's context-switch records; instants within 1 us". Returns text. */
const char *timeline_trust(const struct timeline_view *, const struct timeline_summary *, size_t length, char *text);
/* "CPU 0: incomplete because ..."; "" where nothing is missing. Returns text. */
const char *timeline_incomplete(const struct timeline_view *, size_t length, char *text);

/* A time as short as it can be told in three digits: "4 ms", "1.25 s". Returns text. */
const char *timeline_time(double time_s, size_t length, char *text);
/* Between the ticks of an axis from begin to end, so that there are at most `most`: 1, 2 or 5 times a power of ten. */
double timeline_tick(double begin_s, double end_s, int most);
/* The unit in which an axis that ends there is labelled, and its name. */
double timeline_unit(double end_s, const char **name_p);

enum { TIMELINE_CPUS_IDLE = 8 }; /* idle_most of a terminal's page */
/* timeline_picture.c: the rows of CPUs and tasks, with their legend. choose: draw only a part at the
 * beginning where in all of the view no turns could be seen. */
void timeline_print_picture(FILE *, const struct style *, const struct timeline_view *, const struct timeline_summary *,
                            bool choose);
/* The rows alone, with an axis. *column_s_p: the length of a column; 0: chosen so that turns are seen, and told. */
void timeline_print_brief(FILE *, const struct style *, const struct timeline_view *, const struct timeline_summary *,
                          double *column_s_p);

#endif
