/* Inside present/ alone: the sections of a study's report. Each is made of one part: what was measured on one machine.
 */
#ifndef SPEEDUP_PRESENT_REPORT_STUDY_H
#define SPEEDUP_PRESENT_REPORT_STUDY_H

#include "html.h"
#include "plot.h"

/* What the style sheet has besides, for this report. */
extern const char report_study_css[];

/* "_the best_ and `code`" of our own texts: what stands between backticks becomes <code>. Escaped. */
void report_write_marked(FILE *, const char *text);
/* A spread as "1.97 (1.95 to 1.98)", its interval softly; nothing of an interval that there is not. */
typedef const char *report_format(double value, size_t length, char *text);
void report_write_spread(FILE *, const struct spread *, report_format *);
/* A list that begins with its first item, so that there is never an empty one. */
struct report_list {
    FILE *file;
    const char *class; /* of the style sheet; "" */
    bool any;
};
void report_write_item(void *list, const char *text); /* as study_say */
void report_end_list(struct report_list *);
/* The problems of a part, one after the other; `last_p` says which comes next. Returns false behind the last. */
bool report_next_problem(const struct study_part *, int *next_p, struct study_problem *problem_p);

/* report_verdict.c */
void report_write_verdict(FILE *, const struct html_place *, const struct study_part *);
/* report_timelines.c: within its section. */
void report_write_timelines(FILE *, const struct html_place *, const struct results *);
/* One launch: its picture (figure_timeline), and what it shows. `name` makes ids unique in the page. */
void report_write_timeline(FILE *, const struct html_place *, const struct timeline_record *, double scale_s,
                           const char *name, const char *title);
/* report_curves.c: figures, and beside them the tables. */
void report_write_curves(FILE *, const struct html_place *, const struct study_part *);
/* One figure in two sizes, of which the style sheet shows one, with its caption; nothing where there is nothing to
 * draw. `half`: two of them stand side by side on a wide screen. `name` makes ids unique in the page. */
void report_write_plot(FILE *, enum plot, const struct plot_subject *, bool half, const char *name);
/* report_outside.c: of a command; else nothing. */
void report_write_outside(FILE *, const struct study_problem *);
/* report_messages.c: of a kernel that times messages; else nothing. */
void report_write_messages(FILE *, const struct study_problem *);
/* report_samples.c: every sample, folded away. */
void report_write_samples(FILE *, const struct study_problem *);
/* report_nodes.c: of a study of nodes and cores (analyse/nodes.h). */
void report_write_nodes_verdict(FILE *, const struct html_place *, const struct study_part *);
void report_write_nodes(FILE *, const struct html_place *, const struct study_part *);
void report_write_nodes_method(FILE *, const struct html_place *, const struct study_part *);
/* report_why.c */
void report_write_why(FILE *, const struct html_place *, const struct study_part *);
/* report_laws.c */
void report_write_laws(FILE *, const struct html_place *, const struct study_part *);
/* report_method.c */
void report_write_method_of_study(FILE *, const struct html_place *, const struct study_part *);
/* report_again.c */
void report_write_again(FILE *, const struct html_place *, const struct study_part *);
/* The command that makes such a study, from its line in the record and its samples; heap, the caller's. NULL where the
 * record holds no study, or without memory. */
char *report_command(const struct results *);

#endif
