/* How ranks and threads share the work: the parallel part.
 *
 * Every rank has a rectangle of points, and around it a copy of its neighbours' nearest points: the halo. In a pass
 *
 *     1. each rank packs its outermost points, sends them to its neighbours, and starts to receive theirs;
 *     2. meanwhile it computes its inner points, which need no halo (--overlap on), all its threads some rows each;
 *     3. it waits for the halos, and unpacks them;
 *     4. it computes the rest: the border (or, with --overlap off, all points).
 *
 * A pass makes one step, with a halo as deep as the star reaches. A halo of k times that depth lasts for k steps: the
 * variant blocked sends k times as much k times less often, and computes some points of its neighbours by itself. For
 * one step the halo has four sides; for more, corners too.
 *
 * Points are computed by the same rule in the same order of operations wherever they lie: the bits do not depend on
 * ranks and threads. Cost: a rank of n x n points sends 4 n r k doubles a pass, and computes n^2 k points: computing
 * grows with the surface, sending with the edge.
 */
#include "stencil.h"

#include <string.h>

static int directions(int steps)
{
    return steps > 1 ? DIRECTIONS : STRAIGHT;
}

static struct rectangle sent_points(const struct stencil *stencil, int direction, int steps)
{
    return part_sent(&stencil->part, direction, (int64_t)steps * stencil->radius, stencil->radius);
}

static struct rectangle received_points(const struct stencil *stencil, int direction, int steps)
{
    return part_received(&stencil->part, direction, (int64_t)steps * stencil->radius, stencil->radius);
}

int64_t stencil_swap_doubles(const struct stencil *stencil, int direction)
{
    if (stencil->part.neighbours[direction] < 0 || direction >= directions(stencil->pass_steps)) return 0;
    return rectangle_points(sent_points(stencil, direction, stencil->pass_steps)) +
           rectangle_points(received_points(stencil, direction, stencil->pass_steps));
}

static size_t row_bytes(struct rectangle points)
{
    return (size_t)(points.column_end - points.column) * sizeof(double);
}

static void pack(const struct stencil *stencil, struct rectangle points, double *message)
{
    const double *grid = stencil->grid[stencil->now];
    for (int64_t i = points.row; i < points.row_end; i++, message += points.column_end - points.column)
        memcpy(message, grid + i * stencil->stride + points.column, row_bytes(points));
}

static void unpack(const struct stencil *stencil, struct rectangle points, const double *message)
{
    double *grid = stencil->grid[stencil->now];
    for (int64_t i = points.row; i < points.row_end; i++, message += points.column_end - points.column)
        memcpy(grid + i * stencil->stride + points.column, message, row_bytes(points));
}

/* Its own points never change while halos travel: they are read from one grid, and the next step goes to the other. */
static int start_swaps(struct team *team, struct stencil *stencil, int steps)
{
    int status = 0;
    team_work_begin(team);
    for (int i = 0; i < directions(steps); i++)
        if (stencil->part.neighbours[i] >= 0) pack(stencil, sent_points(stencil, i, steps), stencil->swaps[i].sent);
    team_work_done(team);
    for (int i = 0; i < directions(steps) && status == 0; i++) {
        struct swap *swap = &stencil->swaps[i];
        if (stencil->part.neighbours[i] < 0) continue;
        size_t sent = (size_t)rectangle_points(sent_points(stencil, i, steps)) * sizeof(double);
        size_t received = (size_t)rectangle_points(received_points(stencil, i, steps)) * sizeof(double);
        status = team_swap_start(team, stencil->part.neighbours[i], sent, swap->sent, received, swap->received,
                                 &swap->request);
    }
    return status;
}

static int finish_swaps(struct team *team, struct stencil *stencil, int steps)
{
    int status = 0;
    for (int i = 0; i < directions(steps) && status == 0; i++)
        if (stencil->part.neighbours[i] >= 0) status = team_wait(team, &stencil->swaps[i].request);
    if (status < 0) return status;
    team_work_begin(team);
    for (int i = 0; i < directions(steps); i++)
        if (stencil->part.neighbours[i] >= 0)
            unpack(stencil, received_points(stencil, i, steps), stencil->swaps[i].received);
    team_work_done(team);
    return 0;
}

static bool has_neighbours(const struct part *part)
{
    for (int i = 0; i < STRAIGHT; i++)
        if (part->neighbours[i] >= 0) return true;
    return false;
}

static int run_pass(struct team *team, struct stencil *stencil, int steps)
{
    const struct part *part = &stencil->part;
    struct rectangle rest[STRAIGHT] = {part_all(part)};
    int count = 1, status = 0;
    if (has_neighbours(part)) {
        status = start_swaps(team, stencil, steps);
        if (status == 0 && stencil->overlaps) {
            struct rectangle inner = part_inner(part, (int64_t)steps * stencil->radius);
            stencil_sweep(team, stencil, steps, 1, &inner);
            part_border(part, inner, rest);
            count = STRAIGHT;
        }
        if (status == 0) status = finish_swaps(team, stencil, steps);
    }
    if (status == 0) stencil_sweep(team, stencil, steps, count, rest);
    return status;
}

int stencil_run(struct team *team, void *state)
{
    struct stencil *stencil = state;
    int status = 0;
    for (int64_t done = 0; done < stencil->steps && status == 0; done += stencil->pass_steps) {
        int64_t left = stencil->steps - done;
        int steps = left < stencil->pass_steps ? (int)left : stencil->pass_steps;
        status = run_pass(team, stencil, steps);
        stencil->now = !stencil->now;
    }
    return status;
}
