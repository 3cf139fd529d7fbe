/* Inside present/ alone: text with headings, tables and lists, written as a piece of an HTML page or as Markdown. All
 * text is escaped for the form at hand. */
#ifndef SPEEDUP_PRESENT_PROSE_H
#define SPEEDUP_PRESENT_PROSE_H

#include <stdbool.h>
#include <stdio.h>

struct prose {
    FILE *file;
    bool html; /* else Markdown */
};

/* level: 1 is the page's own. */
void prose_heading(const struct prose *, int level, const char *text);
void prose_paragraph(const struct prose *, const char *text);
/* Each call one item; prose_end_list behind the last one. */
void prose_item(const struct prose *, bool first, const char *text);
void prose_end_list(const struct prose *);
/* Columns from `words` on hold words, those before it numbers (but for the first, which names the row). */
void prose_open_table(const struct prose *, const char *label, int count, const char *const names[], int words);
void prose_row(const struct prose *, int count, const char *const cells[], int words);
void prose_close_table(const struct prose *);

#endif
