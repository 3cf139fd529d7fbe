#include "part.h"

#include "../share.h"

enum { UP, DOWN, LEFT, RIGHT };

/* Rows and columns from a part to its neighbour. */
static const struct {
    int row, column;
} ways[DIRECTIONS] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {-1, 1}, {1, -1}, {1, 1}};

static int fit(int parts, int64_t extent, int64_t least)
{
    int64_t most = extent / least;
    if (most < 1) most = 1;
    return parts < most ? parts : (int)most;
}

struct parts parts_choose(int ranks, int64_t rows, int64_t columns, int64_t least)
{
    struct parts best = {.rows = 0, .columns = 0};
    int64_t shortest = 0;
    for (int across = 1; across <= ranks; across++) {
        if (ranks % across != 0) continue;
        struct parts parts = {.rows = fit(ranks / across, rows, least), .columns = fit(across, columns, least)};
        int64_t cut = (parts.rows - 1) * columns + (parts.columns - 1) * rows;
        int more = parts.rows * parts.columns - best.rows * best.columns;
        if (more < 0 || (more == 0 && cut >= shortest)) continue;
        best = parts;
        shortest = cut;
    }
    return best;
}

struct part part_of(struct parts parts, int rank, int64_t rows, int64_t columns)
{
    struct part part = {.rows = 0};
    int row = rank / parts.columns, column = rank % parts.columns;
    bool idle = row >= parts.rows;
    for (int i = 0; i < DIRECTIONS; i++) {
        int other_row = row + ways[i].row, other_column = column + ways[i].column;
        bool inside = other_row >= 0 && other_row < parts.rows && other_column >= 0 && other_column < parts.columns;
        part.neighbours[i] = inside && !idle ? other_row * parts.columns + other_column : -1;
    }
    if (idle) return part;
    part.first_row = share_begin(rows, parts.rows, row);
    part.rows = share_begin(rows, parts.rows, row + 1) - part.first_row;
    part.first_column = share_begin(columns, parts.columns, column);
    part.columns = share_begin(columns, parts.columns, column + 1) - part.first_column;
    return part;
}

/* In one dimension: what is sent to, or comes from, the side `way` (0: all along, and the frame where the grid ends).
 */
static void span(int way, bool received, int64_t extent, int64_t depth, int64_t before, int64_t after, int64_t *begin_p,
                 int64_t *end_p)
{
    int64_t outwards = received ? depth : 0;
    *begin_p = way < 0 ? -outwards : way > 0 ? extent - depth + outwards : -before;
    *end_p = way == 0 ? extent + after : *begin_p + depth;
}

static struct rectangle halo(const struct part *part, int direction, bool received, int64_t depth, int64_t frame)
{
    struct rectangle halo;
    const int *neighbours = part->neighbours;
    span(ways[direction].row, received, part->rows, depth, neighbours[UP] < 0 ? frame : 0,
         neighbours[DOWN] < 0 ? frame : 0, &halo.row, &halo.row_end);
    span(ways[direction].column, received, part->columns, depth, neighbours[LEFT] < 0 ? frame : 0,
         neighbours[RIGHT] < 0 ? frame : 0, &halo.column, &halo.column_end);
    return halo;
}

struct rectangle part_sent(const struct part *part, int direction, int64_t depth, int64_t frame)
{
    return halo(part, direction, false, depth, frame);
}

struct rectangle part_received(const struct part *part, int direction, int64_t depth, int64_t frame)
{
    return halo(part, direction, true, depth, frame);
}

struct rectangle part_all(const struct part *part)
{
    return (struct rectangle){.row_end = part->rows, .column_end = part->columns};
}

/* Where nothing is inner, an empty rectangle at the part's beginning. */
struct rectangle part_inner(const struct part *part, int64_t depth)
{
    const int *neighbours = part->neighbours;
    struct rectangle inner = part_all(part);
    inner.row += neighbours[UP] < 0 ? 0 : depth;
    inner.row_end -= neighbours[DOWN] < 0 ? 0 : depth;
    inner.column += neighbours[LEFT] < 0 ? 0 : depth;
    inner.column_end -= neighbours[RIGHT] < 0 ? 0 : depth;
    return rectangle_is_empty(inner) ? (struct rectangle){.row = 0} : inner;
}

void part_border(const struct part *part, struct rectangle inner, struct rectangle border_p[STRAIGHT])
{
    struct rectangle all = part_all(part);
    for (int i = 0; i < STRAIGHT; i++) border_p[i] = all;
    border_p[UP].row_end = inner.row;
    border_p[DOWN].row = inner.row_end;
    for (int i = LEFT; i <= RIGHT; i++) {
        border_p[i].row = inner.row;
        border_p[i].row_end = inner.row_end;
    }
    border_p[LEFT].column_end = inner.column;
    border_p[RIGHT].column = inner.column_end;
}
