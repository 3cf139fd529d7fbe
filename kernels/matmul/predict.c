/* SUMMA as a schedule without a clock: what summa.c does, step by step, on a network that obeys t(n) = alpha + n beta.
 *
 * Every rank has a link of its own, which carries one panel at a time in each direction. A panel leaves when its sender
 * has it, both ranks have started the step, and both their links are free; it arrives alpha after its last byte. Sends
 * need not be waited for: the system takes them. A broadcast doubles those who have the panel in each round. A rank
 * starts the next step when both of its panels are there, and then works on them.
 *
 * Panels need not wait for all ranks: while the rank that had most to get in one step gets it, others are a step ahead.
 * That is why the time is simulated, and not a sum of messages.
 * Cost: ranks * steps transfers.
 */
#include "../share.h"
#include "matmul.h"

#include <errno.h>
#include <stdlib.h>

struct rank {
    double started_s;           /* the present step */
    double has_a_s, has_b_s;    /* its panels are there */
    double sends_s, receives_s; /* the directions of its link are free again */
    double done_s;              /* with the work of the step before */
};

/* Ranks of a row, or of a column. `has`: the offset of has_a_s or has_b_s. */
struct broadcast {
    struct rank *ranks;
    int first, stride, count, root;
    bool of_a;
    double seconds, latency_s; /* of the panel's bytes; alpha */
};

static double later(double a, double b)
{
    return a > b ? a : b;
}

static void send_panel(const struct broadcast *broadcast, int from, int to)
{
    struct rank *sender = &broadcast->ranks[broadcast->first + from * broadcast->stride];
    struct rank *receiver = &broadcast->ranks[broadcast->first + to * broadcast->stride];
    double begin_s = later(broadcast->of_a ? sender->has_a_s : sender->has_b_s, receiver->started_s);
    begin_s = later(begin_s, later(sender->sends_s, receiver->receives_s));
    double end_s = begin_s + broadcast->seconds;
    sender->sends_s = receiver->receives_s = end_s;
    *(broadcast->of_a ? &receiver->has_a_s : &receiver->has_b_s) = end_s + broadcast->latency_s;
}

static void broadcast_panel(const struct broadcast *broadcast)
{
    for (int reached = 1; reached < broadcast->count; reached *= 2)
        for (int i = 0; i < reached && reached + i < broadcast->count; i++)
            send_panel(broadcast, (broadcast->root + i) % broadcast->count,
                       (broadcast->root + reached + i) % broadcast->count);
}

static void pass_panels(const struct grid *grid, const struct kernel_network *network, int64_t rows, int64_t columns,
                        int64_t k, int64_t begin, int64_t end, struct rank ranks[])
{
    double depth_s = (double)sizeof(double) * (double)(end - begin) * network->byte_s;
    struct broadcast broadcast = {.ranks = ranks,
                                  .stride = 1,
                                  .count = grid->columns,
                                  .root = share_owner(k, grid->columns, begin),
                                  .of_a = true,
                                  .seconds = (double)rows * depth_s,
                                  .latency_s = network->latency_s};
    for (int row = 0; row < grid->rows; row++) {
        broadcast.first = row * grid->columns;
        broadcast_panel(&broadcast);
    }
    broadcast.stride = grid->columns;
    broadcast.count = grid->rows;
    broadcast.root = share_owner(k, grid->rows, begin);
    broadcast.of_a = false;
    broadcast.seconds = (double)columns * depth_s;
    for (int column = 0; column < grid->columns; column++) {
        broadcast.first = column;
        broadcast_panel(&broadcast);
    }
}

int summa_predict(const struct grid *grid, const struct kernel_network *network, int64_t rows, int64_t columns,
                  int64_t k, double work_s, double *time_s_p)
{
    int count = grid->rows * grid->columns;
    struct rank *ranks = calloc((size_t)count, sizeof *ranks);
    double time_s = 0;
    if (!ranks) return -ENOMEM;
    for (int64_t begin = 0, end; begin < k; begin = end) {
        end = grid_step_end(grid, k, SUMMA_PANEL_DEPTH, begin);
        for (int r = 0; r < count; r++) ranks[r].has_a_s = ranks[r].has_b_s = ranks[r].started_s;
        pass_panels(grid, network, rows, columns, k, begin, end, ranks);
        for (int r = 0; r < count; r++) {
            struct rank *rank = &ranks[r];
            rank->started_s = later(rank->done_s, later(rank->has_a_s, rank->has_b_s));
            rank->done_s = rank->started_s + work_s * (double)(end - begin) / (double)k;
            time_s = later(time_s, rank->done_s);
        }
    }
    free(ranks);
    *time_s_p = time_s;
    return 0;
}
