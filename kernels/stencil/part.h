/* Who holds what of the grid of points, and what goes between neighbours. Pure. */
#ifndef KERNELS_STENCIL_PART_H
#define KERNELS_STENCIL_PART_H

#include <stdbool.h>
#include <stdint.h>

/* Rows row ... row_end - 1 and columns column ... column_end - 1, counted from the part's own first point, so that what
 * lies above or left of it is negative. Empty where an end is not behind its beginning. */
struct rectangle {
    int64_t row, row_end, column, column_end;
};

static inline bool rectangle_is_empty(struct rectangle rectangle)
{
    return rectangle.row >= rectangle.row_end || rectangle.column >= rectangle.column_end;
}

static inline int64_t rectangle_points(struct rectangle rectangle)
{
    if (rectangle_is_empty(rectangle)) return 0;
    return (rectangle.row_end - rectangle.row) * (rectangle.column_end - rectangle.column);
}

/* Of rows x columns parts, numbered along rows; each is a rectangle of points, and parts are as even as possible. */
struct parts {
    int rows, columns;
};

/* Where as many parts as ranks would be, the shortest cuts: what is sent is in proportion to their length. Of two that
 * are as short the one with fewer columns, as rows lie in memory in one piece. No part has fewer than `least` rows or
 * columns, if need be by fewer parts: then the ranks over have none. `least` is at most an int. */
struct parts parts_choose(int ranks, int64_t rows, int64_t columns, int64_t least);

enum { DIRECTIONS = 8, STRAIGHT = 4 }; /* the first four are straight: up, down, left, right; then the corners */

/* Of rank r; one that has no part has no points and no neighbours. */
struct part {
    int64_t first_row, first_column; /* in the whole grid */
    int64_t rows, columns;
    int neighbours[DIRECTIONS]; /* ranks; -1: the grid ends there */
};
struct part part_of(struct parts, int rank, int64_t rows, int64_t columns);

/* The points that a part sends in this direction, or gets from there: those within `depth` of the cut. Along a cut that
 * ends at the end of the grid, the `frame` lines beyond go with them. Both sides of a cut find the same shape. */
struct rectangle part_sent(const struct part *, int direction, int64_t depth, int64_t frame);
struct rectangle part_received(const struct part *, int direction, int64_t depth, int64_t frame);

/* All points of a part; those that are farther than `depth` from all others' (the inner ones); and what is left of all
 * without the inner ones, in four rectangles, of which some may be empty. */
struct rectangle part_all(const struct part *);
struct rectangle part_inner(const struct part *, int64_t depth);
void part_border(const struct part *, struct rectangle inner, struct rectangle border_p[STRAIGHT]);

#endif
