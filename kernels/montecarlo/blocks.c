/* The sum along a binary tree. Node (level, number) covers blocks number * 2^level ... (number + 1) * 2^level - 1; two
 * siblings become their parent as soon as both are there. A rank's contiguous blocks leave at most two nodes on each
 * level; the ranks' nodes, in their order, go on growing together at rank 0, to what one rank alone would have come to.
 * Nodes without a sibling, at the right end, are added from right to left.
 * Cost: an addition a block; at most 43 nodes gathered from each rank, and one broadcast of the result.
 */
#include "blocks.h"

#include "../random.h"

#include <stdlib.h>
#include <string.h>

enum { DRAWN_BLOCKS = 32, LEVELS = 21, NODES_MAX = 2 * LEVELS + 1 };

struct blocks blocks_of(int64_t samples, int64_t grain, int cost, int ranks, int rank)
{
    struct blocks blocks = {.samples = samples};
    int64_t length = (samples - 1) / BLOCKS_FEW + 1;
    int64_t longest = (BLOCK_LONG + cost - 1) / cost;
    if (length > longest) length = longest;
    if ((samples - 1) / length >= BLOCKS_MOST) length = (samples - 1) / BLOCKS_MOST + 1;
    blocks.length = (length + grain - 1) / grain * grain;
    blocks.total = (samples - 1) / blocks.length + 1;
    blocks.first = share_begin(blocks.total, ranks, rank);
    blocks.count = share_begin(blocks.total, ranks, rank + 1) - blocks.first;
    return blocks;
}

bool block_is_drawn(const struct blocks *blocks, int64_t i, uint64_t seed)
{
    if (i == 0 || i == blocks->count - 1) return true;
    int64_t block = blocks->first + i;
    int part = share_owner(blocks->total, DRAWN_BLOCKS, block);
    int64_t begin = share_begin(blocks->total, DRAWN_BLOCKS, part);
    int64_t among = share_begin(blocks->total, DRAWN_BLOCKS, part + 1) - begin;
    return block == begin + (int64_t)(hash_pair(seed, (uint64_t)part) % (uint64_t)among);
}

struct node {
    int64_t level, number;
    double sums[BLOCK_WIDTH_MAX];
};

struct tree {
    int width;
    int64_t count;
    struct node nodes[NODES_MAX]; /* from left to right */
};

static void join(int width, struct node *left, const struct node *right)
{
    for (int i = 0; i < width; i++) left->sums[i] += right->sums[i];
}

/* `node` lies right behind all that the tree has. */
static void tree_add(struct tree *tree, const struct node *node)
{
    tree->nodes[tree->count++] = *node;
    while (tree->count > 1) {
        struct node *left = &tree->nodes[tree->count - 2], *right = left + 1;
        if (left->level != right->level || left->number % 2 != 0) break;
        join(tree->width, left, right);
        left->level++;
        left->number /= 2;
        tree->count--;
    }
}

static void tree_close(struct tree *tree, double sums_p[])
{
    for (; tree->count > 1; tree->count--)
        join(tree->width, &tree->nodes[tree->count - 2], &tree->nodes[tree->count - 1]);
    memcpy(sums_p, tree->nodes[0].sums, (size_t)tree->width * sizeof sums_p[0]);
}

struct block_sums {
    int width;
    struct tree mine, whole;
    struct tree *all; /* of all ranks, at rank 0; NULL elsewhere, and with one rank */
};

struct block_sums *block_sums_new(const struct team *team, int width)
{
    bool gathers = team_size(team) > 1 && team_rank(team) == 0;
    struct block_sums *sums = calloc(1, sizeof *sums);
    if (!sums) return NULL;
    sums->width = width;
    if (gathers) sums->all = calloc((size_t)team_size(team), sizeof *sums->all);
    if (!gathers || sums->all) return sums;
    free(sums);
    return NULL;
}

void block_sums_free(struct block_sums *sums)
{
    if (sums) free(sums->all);
    free(sums);
}

double block_sums_bytes(int ranks)
{
    return ranks * (double)sizeof(struct block_sums) + (ranks > 1 ? ranks * (double)sizeof(struct tree) : 0);
}

int block_sums_add_up(struct block_sums *sums, struct team *team, const struct blocks *blocks, const double *values,
                      double sums_p[])
{
    struct team_request request;
    struct tree *mine = &sums->mine, *whole = &sums->whole;
    mine->width = whole->width = sums->width;
    mine->count = whole->count = 0;
    for (int64_t i = 0; i < blocks->count; i++) {
        struct node node = {.number = blocks->first + i};
        memcpy(node.sums, values + i * sums->width, (size_t)sums->width * sizeof *values);
        tree_add(mine, &node);
    }
    if (team_size(team) == 1) {
        tree_close(mine, sums_p);
        return 0;
    }
    int status = team_gather(team, sizeof *mine, mine, sums->all);
    if (status < 0) return status;
    for (int rank = 0; sums->all && rank < team_size(team); rank++)
        for (int64_t i = 0; i < sums->all[rank].count; i++) tree_add(whole, &sums->all[rank].nodes[i]);
    if (sums->all) tree_close(whole, sums_p);
    status = team_broadcast_start(team, NULL, 0, (size_t)sums->width * sizeof sums_p[0], sums_p, &request);
    return status < 0 ? status : team_wait(team, &request);
}
