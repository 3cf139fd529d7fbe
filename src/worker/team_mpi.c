/* The team over MPI: the only file that includes mpi.h.
 *
 * Waiting is the mode's wait policy. Whether MPI's own waits spin or yield is set by the launcher (for Open MPI:
 * mpi_yield_when_idle); "block" is made here: every call is then started without blocking, and ranks_finish sleeps
 * between its tests, so that a waiting rank leaves its core to others.
 *
 * Counts over what an int holds are sent in pieces of at most 1 GiB. Sums of doubles are an allgather, added in the
 * order of ranks by each rank: (size - 1) * 8 bytes received a value and rank, and the same bits everywhere; meant for
 * short vectors. Nothing but new groups allocates after team_new_ranks.
 */
#include "team.h"

#include <errno.h>
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PIECE_BYTES = 1 << 30,
    PIECES_MAX = 256, /* of one broadcast: 256 GiB; of a swap half of it each way */
    REDUCE_PIECE = PIECE_BYTES / 8,
    SUM_PIECE = 256, /* doubles that each rank sends at a time */
    SLEEP_NS = 50000,
    SLEEP_MOST_NS = 5000000, /* of who waits long */
    SLEEP_SHARE = 16,        /* it sleeps for such a part of its wait so far */
    SWAP_TAG = 1,
    ASK_TAG, /* of the queue */
    ANSWER_TAG
};

static const int64_t no_more = 0; /* is asked for by who will not ask again */

/* A broadcast or swap that was started. */
struct open_call {
    int pieces; /* 0: the slot is free */
    MPI_Request requests[PIECES_MAX];
};

struct team_group {
    int first, stride, count;
    MPI_Comm comm;
    struct team_group *next;
};

struct ranks {
    MPI_Comm comm;
    /* The queue's, on rank 0. */
    int64_t next;
    bool serves;               /* others may ask */
    int ended;                 /* ranks that will not ask again */
    struct team_group *groups; /* all that were asked for */
    bool block;
    double *sum_scratch; /* size * SUM_PIECE */
    struct open_call calls[TEAM_REQUESTS_MAX];
};

static int status_of(int mpi_error)
{
    int class = MPI_SUCCESS;
    if (mpi_error == MPI_SUCCESS) return 0;
    MPI_Error_class(mpi_error, &class);
    if (class == MPI_ERR_NO_MEM) return -ENOMEM;
    if (class == MPI_ERR_ROOT || class == MPI_ERR_COUNT || class == MPI_ERR_ARG) return -EINVAL;
    return -EIO;
}

/* The one place where a rank waits for what it started. */
static int ranks_finish(const struct ranks *ranks, int started, int count, MPI_Request *requests)
{
    if (started != MPI_SUCCESS) return status_of(started);
    if (!ranks->block) return status_of(MPI_Waitall(count, requests, MPI_STATUSES_IGNORE));
    for (;;) {
        int done = 0;
        int error = MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE);
        if (error != MPI_SUCCESS || done) return status_of(error);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
    }
}

static int mpi_barrier(struct team *team)
{
    struct ranks *ranks = team->ranks;
    MPI_Request request;
    if (!ranks->block) return status_of(MPI_Barrier(ranks->comm));
    return ranks_finish(ranks, MPI_Ibarrier(ranks->comm, &request), 1, &request);
}

/* The longer the wait so far, the longer the sleep: a crowd of waiting ranks must not take a core by looking. */
static int mpi_meet(struct team *team)
{
    struct ranks *ranks = team->ranks;
    MPI_Request request;
    int done = 0, error = MPI_Ibarrier(ranks->comm, &request);
    for (double begin_s = clock_wall_s(); error == MPI_SUCCESS && !done;) {
        error = MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (error != MPI_SUCCESS || done) break;
        double sleep_ns = (clock_wall_s() - begin_s) * 1e9 / SLEEP_SHARE;
        if (sleep_ns < SLEEP_NS) sleep_ns = SLEEP_NS;
        if (sleep_ns > SLEEP_MOST_NS) sleep_ns = SLEEP_MOST_NS;
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = (long)sleep_ns}, NULL);
    }
    return status_of(error);
}

/* shares NULL: in place. */
static int reduce_all(struct ranks *ranks, size_t count, const void *shares, void *values, MPI_Datatype type, MPI_Op op)
{
    int status = 0;
    for (size_t done = 0; done < count && status == 0; done += REDUCE_PIECE) {
        int piece = count - done < REDUCE_PIECE ? (int)(count - done) : REDUCE_PIECE;
        char *at = (char *)values + done * 8;
        const void *from = shares ? (const char *)shares + done * 8 : MPI_IN_PLACE;
        MPI_Request request;
        if (ranks->block)
            status = ranks_finish(ranks, MPI_Iallreduce(from, at, piece, type, op, ranks->comm, &request), 1, &request);
        else
            status = status_of(MPI_Allreduce(from, at, piece, type, op, ranks->comm));
    }
    return status;
}

static int mpi_add_u64(struct team *team, size_t count, const uint64_t *shares, uint64_t *sums_p)
{
    return reduce_all(team->ranks, count, shares, sums_p, MPI_UINT64_T, MPI_SUM);
}

static int mpi_max_double(struct team *team, size_t count, double *values)
{
    return reduce_all(team->ranks, count, NULL, values, MPI_DOUBLE, MPI_MAX);
}

static int mpi_sum_double(struct team *team, size_t count, double *values)
{
    struct ranks *ranks = team->ranks;
    double *scratch = ranks->sum_scratch;
    int status = 0;
    for (size_t done = 0; done < count && status == 0; done += SUM_PIECE) {
        int piece = count - done < SUM_PIECE ? (int)(count - done) : SUM_PIECE;
        MPI_Request request;
        if (ranks->block)
            status = ranks_finish(
                ranks,
                MPI_Iallgather(values + done, piece, MPI_DOUBLE, scratch, piece, MPI_DOUBLE, ranks->comm, &request), 1,
                &request);
        else
            status =
                status_of(MPI_Allgather(values + done, piece, MPI_DOUBLE, scratch, piece, MPI_DOUBLE, ranks->comm));
        if (status < 0) break;
        for (int i = 0; i < piece; i++) {
            double sum = scratch[i];
            for (int rank = 1; rank < team->size; rank++) sum += scratch[(size_t)rank * (size_t)piece + (size_t)i];
            values[done + (size_t)i] = sum;
        }
    }
    return status;
}

/* `all` receives each rank's piece at that rank's place: one element of `type`, whose extent is all bytes of a rank. */
static int gather_piece(struct ranks *ranks, const char *mine, int piece, char *all, MPI_Datatype type)
{
    MPI_Request request;
    if (!ranks->block) return status_of(MPI_Gather(mine, piece, MPI_BYTE, all, 1, type, 0, ranks->comm));
    return ranks_finish(ranks, MPI_Igather(mine, piece, MPI_BYTE, all, 1, type, 0, ranks->comm, &request), 1, &request);
}

static int mpi_gather(struct team *team, size_t bytes, const void *mine, void *all)
{
    struct ranks *ranks = team->ranks;
    int status = 0;
    for (size_t done = 0; done < bytes && status == 0; done += PIECE_BYTES) {
        int piece = bytes - done < PIECE_BYTES ? (int)(bytes - done) : PIECE_BYTES;
        MPI_Datatype bytes_type, type;
        MPI_Type_contiguous(piece, MPI_BYTE, &bytes_type);
        MPI_Type_create_resized(bytes_type, 0, (MPI_Aint)bytes, &type);
        MPI_Type_commit(&type);
        status =
            gather_piece(ranks, (const char *)mine + done, piece, team->rank == 0 ? (char *)all + done : NULL, type);
        MPI_Type_free(&type);
        MPI_Type_free(&bytes_type);
    }
    return status;
}

static int length_of_piece(size_t bytes, size_t done)
{
    if (done >= bytes) return 0;
    return bytes - done < PIECE_BYTES ? (int)(bytes - done) : PIECE_BYTES;
}

/* The blocking calls are the fastest, for small messages by half. */
static int swap_piece(const struct ranks *ranks, int partner, int sent, const char *from, int received, char *to)
{
    MPI_Request requests[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    MPI_Comm comm = ranks->comm;
    if (!ranks->block && received == 0) return status_of(MPI_Send(from, sent, MPI_BYTE, partner, SWAP_TAG, comm));
    if (!ranks->block && sent == 0)
        return status_of(MPI_Recv(to, received, MPI_BYTE, partner, SWAP_TAG, comm, MPI_STATUS_IGNORE));
    if (!ranks->block)
        return status_of(MPI_Sendrecv(from, sent, MPI_BYTE, partner, SWAP_TAG, to, received, MPI_BYTE, partner,
                                      SWAP_TAG, comm, MPI_STATUS_IGNORE));
    int error = MPI_SUCCESS;
    if (received > 0) error = MPI_Irecv(to, received, MPI_BYTE, partner, SWAP_TAG, comm, &requests[0]);
    if (sent > 0 && error == MPI_SUCCESS)
        error = MPI_Isend(from, sent, MPI_BYTE, partner, SWAP_TAG, comm, &requests[1]);
    return ranks_finish(ranks, error, 2, requests);
}

static int mpi_swap(struct team *team, int partner, size_t sent_bytes, const void *sent, size_t received_bytes,
                    void *received_p)
{
    size_t most = sent_bytes > received_bytes ? sent_bytes : received_bytes;
    const char *from = sent;
    char *to = received_p;
    int status = 0;
    for (size_t done = 0; done < most && status == 0; done += PIECE_BYTES)
        status =
            swap_piece(team->ranks, partner, length_of_piece(sent_bytes, done), done < sent_bytes ? from + done : NULL,
                       length_of_piece(received_bytes, done), done < received_bytes ? to + done : NULL);
    return status;
}

static int create_group(struct ranks *ranks, struct team_group *group)
{
    int range[1][3] = {{group->first, group->first + (group->count - 1) * group->stride, group->stride}};
    MPI_Group all, some;
    MPI_Comm_group(ranks->comm, &all);
    int error = MPI_Group_range_incl(all, 1, range, &some);
    MPI_Group_free(&all);
    if (error != MPI_SUCCESS) return status_of(error);
    error = MPI_Comm_create_group(ranks->comm, some, 0, &group->comm);
    MPI_Group_free(&some);
    return status_of(error);
}

static int mpi_group_find(struct team *team, int first, int stride, int count, struct team_group **group_p)
{
    struct ranks *ranks = team->ranks;
    struct team_group *group = ranks->groups;
    while (group && (group->first != first || group->stride != stride || group->count != count)) group = group->next;
    if (!group) {
        /* All of the group meet, whatever memory one of them has. */
        struct team_group found = {.first = first, .stride = stride, .count = count, .next = ranks->groups};
        int status = create_group(ranks, &found);
        if (status < 0) return status;
        group = malloc(sizeof *group);
        if (!group) {
            MPI_Comm_free(&found.comm);
            return -ENOMEM;
        }
        *group = found;
        ranks->groups = group;
    }
    *group_p = group;
    return 0;
}

/* TEAM_REQUESTS_MAX where none is. */
static int free_slot(const struct ranks *ranks)
{
    int slot = 0;
    while (slot < TEAM_REQUESTS_MAX && ranks->calls[slot].pieces > 0) slot++;
    return slot;
}

static int mpi_broadcast_start(struct team *team, struct team_group *group, int root, size_t bytes, void *buffer,
                               struct team_request *request_p)
{
    struct ranks *ranks = team->ranks;
    MPI_Comm comm = group ? group->comm : ranks->comm;
    int slot = free_slot(ranks);
    if (bytes == 0) return 0;
    if (bytes > (size_t)PIECES_MAX * PIECE_BYTES) return -EMSGSIZE;
    if (slot == TEAM_REQUESTS_MAX) return -EBUSY;

    struct open_call *open = &ranks->calls[slot];
    for (size_t done = 0; done < bytes; done += PIECE_BYTES) {
        int piece = bytes - done < PIECE_BYTES ? (int)(bytes - done) : PIECE_BYTES;
        int error = MPI_Ibcast((char *)buffer + done, piece, MPI_BYTE, root, comm, &open->requests[open->pieces]);
        if (error != MPI_SUCCESS) return status_of(error);
        open->pieces++;
    }
    request_p->slot = slot;
    return 0;
}

/* What one side sends in pieces the other expects in the same, and MPI keeps their order. */
static int mpi_swap_start(struct team *team, int partner, size_t sent_bytes, const void *sent, size_t received_bytes,
                          void *received_p, struct team_request *request_p)
{
    struct ranks *ranks = team->ranks;
    size_t most = sent_bytes > received_bytes ? sent_bytes : received_bytes;
    int slot = free_slot(ranks);
    if (most == 0) return 0;
    if (most > (size_t)PIECES_MAX / 2 * PIECE_BYTES) return -EMSGSIZE;
    if (slot == TEAM_REQUESTS_MAX) return -EBUSY;

    struct open_call *open = &ranks->calls[slot];
    for (size_t done = 0; done < most; done += PIECE_BYTES) {
        int in = length_of_piece(received_bytes, done), out = length_of_piece(sent_bytes, done), error = MPI_SUCCESS;
        if (in > 0)
            error = MPI_Irecv((char *)received_p + done, in, MPI_BYTE, partner, SWAP_TAG, ranks->comm,
                              &open->requests[open->pieces++]);
        if (out > 0 && error == MPI_SUCCESS)
            error = MPI_Isend((const char *)sent + done, out, MPI_BYTE, partner, SWAP_TAG, ranks->comm,
                              &open->requests[open->pieces++]);
        if (error != MPI_SUCCESS) return status_of(error);
    }
    request_p->slot = slot;
    return 0;
}

static int mpi_wait(struct team *team, struct team_request *request)
{
    struct ranks *ranks = team->ranks;
    struct open_call *open = &ranks->calls[request->slot];
    int status = ranks_finish(ranks, MPI_SUCCESS, open->pieces, open->requests);
    open->pieces = 0;
    request->slot = -1;
    return status;
}

/* By rank 0: answers whoever asks for numbers now. Messages, not one-sided operations: those of Open MPI 4 fail between
 * nodes without RDMA, or wait for rank 0 as well. */
static int serve_queue(struct ranks *ranks)
{
    int there = ranks->serves, error = MPI_SUCCESS;
    while (there && error == MPI_SUCCESS) {
        MPI_Status from;
        int64_t count, first = ranks->next;
        error = MPI_Iprobe(MPI_ANY_SOURCE, ASK_TAG, ranks->comm, &there, &from);
        if (error != MPI_SUCCESS || !there) break;
        error = MPI_Recv(&count, 1, MPI_INT64_T, from.MPI_SOURCE, ASK_TAG, ranks->comm, MPI_STATUS_IGNORE);
        if (error != MPI_SUCCESS) break;
        ranks->ended += count == no_more;
        ranks->next += count;
        if (count != no_more) error = MPI_Send(&first, 1, MPI_INT64_T, from.MPI_SOURCE, ANSWER_TAG, ranks->comm);
    }
    return status_of(error);
}

/* Tests one request: inside MPI that advances all. Errors show in team_wait. */
static void mpi_progress(struct team *team)
{
    struct ranks *ranks = team->ranks;
    serve_queue(ranks);
    for (int slot = 0; slot < TEAM_REQUESTS_MAX; slot++) {
        struct open_call *open = &ranks->calls[slot];
        int done = 0;
        if (open->pieces == 0) continue;
        MPI_Testall(open->pieces, open->requests, &done, MPI_STATUSES_IGNORE);
        if (!done) return;
    }
}

static int mpi_queue_clear(struct team *team)
{
    struct ranks *ranks = team->ranks;
    ranks->next = 0;
    ranks->ended = 0;
    ranks->serves = team->rank == 0;
    return 0;
}

static int mpi_queue_next(struct team *team, int64_t count, int64_t *first_p)
{
    struct ranks *ranks = team->ranks;
    MPI_Request requests[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    if (team->rank == 0) {
        *first_p = ranks->next;
        ranks->next += count;
        return serve_queue(ranks);
    }
    int error = MPI_Irecv(first_p, 1, MPI_INT64_T, 0, ANSWER_TAG, ranks->comm, &requests[0]);
    if (error == MPI_SUCCESS) error = MPI_Isend(&count, 1, MPI_INT64_T, 0, ASK_TAG, ranks->comm, &requests[1]);
    return ranks_finish(ranks, error, 2, requests);
}

static int mpi_queue_end(struct team *team)
{
    struct ranks *ranks = team->ranks;
    int status = 0;
    if (team->rank > 0) return status_of(MPI_Send(&no_more, 1, MPI_INT64_T, 0, ASK_TAG, ranks->comm));
    while (status == 0 && ranks->ended < team->size - 1) {
        status = serve_queue(ranks);
        if (ranks->block) clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
    }
    ranks->serves = false;
    return status;
}

static void mpi_abort(struct team *team, int status)
{
    struct ranks *ranks = team->ranks;
    MPI_Abort(ranks->comm, status < 0 ? -status : status);
}

static void mpi_free(struct team *team)
{
    struct ranks *ranks = team->ranks;
    if (ranks) {
        for (struct team_group *group = ranks->groups, *next; group; group = next) {
            next = group->next;
            MPI_Comm_free(&group->comm);
            free(group);
        }
        if (ranks->comm != MPI_COMM_NULL) MPI_Comm_free(&ranks->comm);
        free(ranks->sum_scratch);
        free(ranks);
    }
    MPI_Finalize();
}

static const struct team_ops mpi_ops = {
    .barrier = mpi_barrier,
    .meet = mpi_meet,
    .add_u64 = mpi_add_u64,
    .sum_double = mpi_sum_double,
    .max_double = mpi_max_double,
    .gather = mpi_gather,
    .swap = mpi_swap,
    .group_find = mpi_group_find,
    .broadcast_start = mpi_broadcast_start,
    .swap_start = mpi_swap_start,
    .wait = mpi_wait,
    .progress = mpi_progress,
    .queue_clear = mpi_queue_clear,
    .queue_next = mpi_queue_next,
    .queue_end = mpi_queue_end,
    .abort = mpi_abort,
    .free = mpi_free,
};

/* The same ranks in the same order as in `comm`, so that the first on the node is the lowest. */
static int find_node(struct team *team)
{
    MPI_Comm node;
    int error = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    if (error != MPI_SUCCESS) return status_of(error);
    MPI_Comm_rank(node, &team->local_rank);
    team->node = team->rank;
    error = MPI_Bcast(&team->node, 1, MPI_INT, 0, node);
    MPI_Comm_free(&node);
    return status_of(error);
}

static void read_library(size_t length, char *library_p)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int text_length = 0;
    if (length == 0) return;
    MPI_Get_library_version(text, &text_length);
    text[strcspn(text, "\r\n")] = '\0';
    size_t kept = strnlen(text, length - 1);
    memcpy(library_p, text, kept);
    library_p[kept] = '\0';
}

static int ranks_start(struct team *team, enum wait_policy wait_policy)
{
    struct ranks *ranks = calloc(1, sizeof *ranks);
    team->ranks = ranks;
    if (!ranks) return -ENOMEM;
    ranks->comm = MPI_COMM_NULL;
    ranks->block = wait_policy == WAIT_BLOCK;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    int status = status_of(MPI_Comm_dup(MPI_COMM_WORLD, &ranks->comm));
    if (status < 0) return status;
    MPI_Comm_rank(ranks->comm, &team->rank);
    MPI_Comm_size(ranks->comm, &team->size);
    ranks->sum_scratch = malloc((size_t)team->size * SUM_PIECE * sizeof(double));
    if (!ranks->sum_scratch) return -ENOMEM;
    status = find_node(team);
    if (status < 0) return status;
    return team_set_threads(team, 1);
}

int team_new_ranks(enum wait_policy wait_policy, struct team **team_p, size_t library_length, char *library_p)
{
    struct team *team = calloc(1, sizeof *team);
    if (!team) return -ENOMEM;
    int provided = MPI_THREAD_SINGLE;
    int status = status_of(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided));
    if (status < 0) {
        free(team);
        return status;
    }
    team->ops = &mpi_ops;
    status = provided < MPI_THREAD_FUNNELED ? -ENOTSUP : ranks_start(team, wait_policy);
    if (status < 0) {
        /* What failed on this rank alone cannot be agreed on any more. */
        if (status != -ENOTSUP) MPI_Abort(MPI_COMM_WORLD, -status);
        team_free(team);
        return status;
    }
    read_library(library_length, library_p);
    *team_p = team;
    return 0;
}
