/* Texts may differ in length by orders of magnitude. They are gathered in pieces of the same size, in as many rounds as
 * the longest needs: more is sent than there is, but the memory needed is that of the texts and of one piece a rank. */
#include "texts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES_BYTES = 64 << 20 /* of all ranks together */, PIECE_MAX_BYTES = 1 << 20, PIECE_MIN_BYTES = 1 << 12 };

int team_collect_u64(struct team *team, uint64_t mine, uint64_t all_p[])
{
    memset(all_p, 0, (size_t)team->size * sizeof *all_p);
    all_p[team->rank] = mine;
    return team_sum_u64(team, (size_t)team->size, all_p);
}

struct gathering {
    struct team *team;
    const char *own;
    uint64_t *lengths, longest; /* of all ranks */
    size_t bytes;               /* of a piece */
    char *piece, *pieces;       /* one; and on rank 0, one of each rank */
    char **texts;
};

static void copy_piece(char *to, const char *from, uint64_t left, size_t bytes)
{
    memcpy(to, from, left < bytes ? left : bytes);
}

static int gather_round(const struct gathering *gathering, uint64_t at)
{
    struct team *team = gathering->team;
    const uint64_t *lengths = gathering->lengths;
    size_t bytes = gathering->bytes;
    if (at < lengths[team->rank]) copy_piece(gathering->piece, gathering->own + at, lengths[team->rank] - at, bytes);
    int status = team_gather(team, bytes, gathering->piece, gathering->pieces);
    for (int rank = 0; rank < team->size && team->rank == 0 && status == 0; rank++)
        if (at < lengths[rank])
            copy_piece(gathering->texts[rank] + at, gathering->pieces + (size_t)rank * bytes, lengths[rank] - at,
                       bytes);
    return status;
}

static bool allocate(struct gathering *gathering)
{
    struct team *team = gathering->team;
    size_t bytes = PIECES_BYTES / (size_t)team->size;
    if (bytes > PIECE_MAX_BYTES) bytes = PIECE_MAX_BYTES;
    if (bytes < PIECE_MIN_BYTES) bytes = PIECE_MIN_BYTES;
    gathering->bytes = bytes;
    gathering->piece = calloc(1, bytes);
    if (team->rank > 0) return gathering->piece;
    gathering->pieces = malloc((size_t)team->size * bytes);
    bool had = gathering->piece && gathering->pieces;
    for (int rank = 0; rank < team->size; rank++) {
        gathering->texts[rank] = calloc(1, gathering->lengths[rank] + 1);
        had = had && gathering->texts[rank];
    }
    return had;
}

static int gather(struct gathering *gathering)
{
    struct team *team = gathering->team;
    int status = team_collect_u64(team, strlen(gathering->own), gathering->lengths);
    if (status < 0) return status;
    for (int rank = 0; rank < team->size; rank++)
        if (gathering->lengths[rank] > gathering->longest) gathering->longest = gathering->lengths[rank];
    double lacking = allocate(gathering) ? 0 : 1;
    status = team_max_double(team, 1, &lacking);
    if (status == 0 && lacking > 0) status = -ENOMEM;
    for (uint64_t at = 0; at < gathering->longest && status == 0; at += gathering->bytes)
        status = gather_round(gathering, at);
    for (int rank = 0; rank < team->size && team->rank == 0 && status < 0; rank++) {
        free(gathering->texts[rank]);
        gathering->texts[rank] = NULL;
    }
    return status;
}

int team_gather_texts(struct team *team, const char *mine, char *texts_p[])
{
    struct gathering gathering = {.team = team, .own = mine, .texts = texts_p};
    gathering.lengths = calloc((size_t)team->size, sizeof *gathering.lengths);
    double lacking = gathering.lengths ? 0 : 1;
    int status = team_max_double(team, 1, &lacking);
    if (status == 0) status = lacking > 0 ? -ENOMEM : gather(&gathering);
    free(gathering.pieces);
    free(gathering.piece);
    free(gathering.lengths);
    return status;
}
