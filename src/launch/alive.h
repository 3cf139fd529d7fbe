/* The words by which the nodes of a launch tell that they are there: the first rank of each says so every two seconds,
 * in one write of one short line, from which the harness concludes what is wrong where one stays away:
 *
 *   {"type":"alive","rank":2,"nodes":4,"stopped":[3],"node":"node2"}
 *
 * mpirun passes on what ranks write in pieces, so that such a line may come in the middle of a longer one. */
#ifndef SPEEDUP_LAUNCH_ALIVE_H
#define SPEEDUP_LAUNCH_ALIVE_H

#include "../error.h"

#include <stdbool.h>
#include <stddef.h>

enum { ALIVE_STOPPED_MAX = 8, ALIVE_LINE_MAX = 256 };

/* What every such line begins with. */
#define ALIVE_LEAD "{\"type\":\"alive\","

/* rank: the one that speaks; nodes: how many speak; stopped: ranks of its node that a signal has stopped, the first of
 * them. With a newline. Returns the length. Pure. */
size_t alive_format(int rank, int nodes, const char *node, int count, const int stopped[], char text_p[ALIVE_LINE_MAX]);

/* How long starts took until the first word. One over more nodes than any so far says nothing of: it takes longer. */
struct alive_starts {
    int nodes; /* the most of them; 0: none is known */
    double slowest_s;
};
void alive_starts_add(struct alive_starts *, int nodes, double start_s);
/* Of launches over so many nodes; 0: not known. */
double alive_starts_usual(const struct alive_starts *, int nodes);

/* What was heard of one launch. */
struct alive_watch;
/* NULL: no memory. start_s: of the launch, on the clock of the times below. usual_s: how long such starts took
 * at most; 0: none is known. */
struct alive_watch *alive_watch_new(double start_s, double usual_s);
void alive_watch_free(struct alive_watch *);
/* A line (from its lead on); one that cannot be read is ignored. 0 or -ENOMEM. */
int alive_hear(struct alive_watch *, const char *text, double now_s);
/* The ranks have said all: from now on they may be silent, but the launch is to end within 8 s, or twice the
 * time that it took to start. */
void alive_watch_done(struct alive_watch *, double now_s);
/* To be called several times a second: a longer pause is taken as the harness's own, and held against nobody.
 * STATUS_FAILED with the text where a node is silent for 10 s (from the first word of any on), a rank is stopped for 6
 * s, or nothing was heard after the start for 60 s, or for five times the usual time, but 8 s at least, where that is
 * known. */
int alive_check(struct alive_watch *, double now_s, struct error *);

#endif
