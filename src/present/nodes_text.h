/* Inside present/ alone: what the terminal's page and the report share of a study of nodes and cores. */
#ifndef SPEEDUP_PRESENT_NODES_TEXT_H
#define SPEEDUP_PRESENT_NODES_TEXT_H

#include "../analyse/nodes.h"
#include "study_text.h"

enum { NODES_COLUMNS = 6 };
extern const char *const nodes_columns[NODES_COLUMNS]; /* behind the place's own */

/* "node3", and for a core below its node "CPU 1"; where it stands alone "CPU 1 of node3". Returns text. */
const char *nodes_row_name(const struct nodes *, const struct nodes_place *, bool whole, size_t length, char *text);
/* The cells of its row. */
enum { NODES_CELL_LENGTH = 48 };
void nodes_row_cells(const struct nodes_place *, char cells_p[NODES_COLUMNS][NODES_CELL_LENGTH]);
/* How the times of many places are distributed; "" where there is nothing to say. Returns text. */
const char *nodes_distribution_text(const struct nodes *, bool of_nodes, size_t length, char *text);
/* That disturbed launches are used; what was left out; a quota that stops all. */
void nodes_tell_notes(const struct nodes *, const struct results *, study_say *, void *context);
/* How it was measured and judged. Returns text. */
const char *nodes_method_text(const struct nodes *, size_t length, char *text);
/* "pi (philox, size 1000): the same work on 2 cores at once; 8 launches". Returns text. */
const char *nodes_title_text(const struct group *, const struct nodes *, size_t length, char *text);

#endif
