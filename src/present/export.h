/* Inside present/ alone: the writers of the formats. Each returns 0 or -ENOMEM. */
#ifndef SPEEDUP_PRESENT_EXPORT_H
#define SPEEDUP_PRESENT_EXPORT_H

#include "study_text.h"

int export_csv(FILE *, int count, const struct study_part parts[]);
int export_markdown(FILE *, int count, const struct study_part parts[]);
int export_hyperfine(FILE *, int count, const struct study_part parts[]);
int export_extrap(FILE *, int count, const struct study_part parts[]);
int export_messages(FILE *, int count, const struct study_part parts[]);

/* Opens, writes and closes; path "-": standard output. 0 or STATUS_FAILED with the reason. */
int export_file(const char *path, int (*write)(FILE *, const void *context), const void *context, struct error *error);

/* The time of each launch that counts (the median of its samples), in the order of the file; times_p has room for the
 * group's count. Returns how many. */
int export_launches(const struct group *, double times_p[]);

/* Text of a table's cell or a paragraph: what Markdown would take for markup is escaped, control characters are blanks.
 */
void export_markdown_text(FILE *, const char *text);

#endif
