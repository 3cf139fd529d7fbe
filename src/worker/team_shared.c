/* Memory that the ranks of a node share, without MPI's help: MPI_Win_allocate_shared takes it from /dev/shm, of which a
 * container has 64 MiB by default, and where that is full, ranks of Open MPI 4 wait for each other for ever.
 *
 * The first rank of a node makes an anonymous file (memfd_create) for the parts of all, and sends its descriptor to the
 * others over Unix sockets; these reach whatever shares a network namespace, hence also ranks in containers of their
 * own. All ranks learn of all parts by one sum of a table with a row for each rank, of which each fills its own. Each
 * maps the whole file: it lives until the last of them frees it, without a further call.
 *
 * Pages are taken by fallocate, so that a lack of memory is an error, not a SIGBUS. Whatever fails on one rank is
 * agreed on before the next collective call.
 */
#include "../../kernels/memory.h"
#include "../../kernels/share.h"
#include "team.h"

#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ADDRESS_BYTES = 5 }; /* of the abstract names that the system gives (unix(7), autobind) */

/* All words of the same size, to be summed. */
struct row {
    uint64_t bytes; /* of the part, as the rank asked for */
    uint64_t node;
    uint64_t address; /* of the socket that waits for the descriptor; 0: there is none */
};
enum { ROW_WORDS = sizeof(struct row) / sizeof(uint64_t) };

struct team_shared {
    void *own; /* of a team of one; else NULL */
    char *mapping;
    size_t length;
    void *parts[]; /* of all ranks */
};

/* What tells a rank that it is to have less memory from what tells that there is no sharing. */
static int status_of_errno(void)
{
    return errno == ENOMEM || errno == ENOSPC ? -ENOMEM : -ENOTSUP;
}

/* Collective: the worst status of all ranks, on all. */
static int agree(struct team *team, int status)
{
    double worst = -status;
    int failed = team_max_double(team, 1, &worst);
    return failed < 0 ? failed : -(int)worst;
}

static int open_mailbox(int *socket_p, uint64_t *address_p)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = sizeof name;
    *socket_p = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*socket_p < 0 || bind(*socket_p, (struct sockaddr *)&name, sizeof name.sun_family) < 0 ||
        getsockname(*socket_p, (struct sockaddr *)&name, &length) < 0)
        return status_of_errno();
    if (length != offsetof(struct sockaddr_un, sun_path) + 1 + ADDRESS_BYTES) return -ENOTSUP;
    memcpy(address_p, name.sun_path + 1, ADDRESS_BYTES);
    return 0;
}

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_file(int mailbox, uint64_t address, int file)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    union control control = {
        .header = {.cmsg_len = CMSG_LEN(sizeof file), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec one_byte = {.iov_base = &(char){0}, .iov_len = 1};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = offsetof(struct sockaddr_un, sun_path) + 1 + ADDRESS_BYTES,
                             .msg_iov = &one_byte,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    memcpy(name.sun_path + 1, &address, ADDRESS_BYTES);
    memcpy(CMSG_DATA(&control.header), &file, sizeof file);
    return sendmsg(mailbox, &message, MSG_DONTWAIT) < 0 ? status_of_errno() : 0;
}

/* It was sent before the ranks last met. */
static int receive_file(int mailbox, int *file_p)
{
    union control control;
    struct iovec one_byte = {.iov_base = &(char){0}, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &one_byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(mailbox, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return status_of_errno();
    if (message.msg_controllen < CMSG_LEN(sizeof *file_p) || control.header.cmsg_type != SCM_RIGHTS) return -ENOTSUP;
    memcpy(file_p, CMSG_DATA(&control.header), sizeof *file_p);
    return 0;
}

/* Each part on large pages of its own, which stay near the rank's cores. */
static uint64_t part_length(uint64_t bytes)
{
    return (bytes / MEMORY_LARGE_PAGE + 1) * MEMORY_LARGE_PAGE;
}

static size_t node_length(const struct team *team, const struct row *table)
{
    size_t length = 0;
    for (int rank = 0; rank < team->size; rank++)
        if (table[rank].node == (uint64_t)team->node) length += part_length(table[rank].bytes);
    return length;
}

/* By the first rank of the node. What exceeds all of the machine's memory is refused, as malloc does; else the system
 * would try, and kill somebody. */
static int share_file(const struct team *team, const struct row *table, int mailbox, int *file_p)
{
    size_t length = node_length(team, table), page = (size_t)sysconf(_SC_PAGESIZE);
    if (length / page > (size_t)sysconf(_SC_PHYS_PAGES)) return -ENOMEM;
    *file_p = memfd_create("speedup", MFD_CLOEXEC);
    if (*file_p < 0 || ftruncate(*file_p, (off_t)length) < 0) return status_of_errno();
    for (int rank = 0; rank < team->size; rank++) {
        if (table[rank].node != (uint64_t)team->node || rank == team->rank || table[rank].address == 0) continue;
        int status = send_file(mailbox, table[rank].address, *file_p);
        if (status < 0) return status;
    }
    return 0;
}

static int take_pages(int file, uint64_t begin, uint64_t bytes)
{
    int failed = 0;
#pragma omp parallel reduction(min : failed)
    {
        int threads = omp_get_num_threads(), thread = omp_get_thread_num();
        int64_t first = share_begin((int64_t)bytes, threads, thread);
        int64_t share = share_begin((int64_t)bytes, threads, thread + 1) - first;
        int error = 0;
        do error = share > 0 ? fallocate(file, 0, (off_t)begin + first, share) : 0;
        while (error < 0 && errno == EINTR);
        if (error < 0) failed = status_of_errno();
    }
    return failed;
}

static int map_parts(const struct team *team, const struct row *table, int file, struct team_shared *shared)
{
    uint64_t begin = 0, own_begin = 0;
    size_t length = node_length(team, table);
    void *mapping = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapping == MAP_FAILED) return status_of_errno();
    shared->mapping = mapping;
    shared->length = length;
    for (int rank = 0; rank < team->size; rank++) {
        if (table[rank].node != (uint64_t)team->node) continue;
        if (rank == team->rank) own_begin = begin;
        shared->parts[rank] = shared->mapping + begin;
        begin += part_length(table[rank].bytes);
    }
    return take_pages(file, own_begin, table[team->rank].bytes);
}

/* `status`: of this rank so far. */
static int share(struct team *team, struct row *table, int mailbox, struct team_shared *shared, int status)
{
    int file = -1, failed = team_sum_u64(team, (size_t)team->size * ROW_WORDS, &table->bytes);
    if (failed < 0) return failed;
    bool first = team->node == team->rank;
    if (status == 0 && first) status = share_file(team, table, mailbox, &file);
    status = agree(team, status);
    if (status == 0 && !first) status = receive_file(mailbox, &file);
    if (status == 0) status = map_parts(team, table, file, shared);
    if (file >= 0) close(file);
    return agree(team, status);
}

static int share_among_ranks(struct team *team, size_t bytes, struct team_shared *shared)
{
    struct row *table = calloc((size_t)team->size, sizeof *table);
    int mailbox = -1, status = agree(team, table && shared ? 0 : -ENOMEM);
    if (status == 0) {
        struct row *mine = &table[team->rank];
        *mine = (struct row){.bytes = bytes, .node = (uint64_t)team->node};
        status = open_mailbox(&mailbox, &mine->address);
        status = share(team, table, mailbox, shared, status);
    }
    if (mailbox >= 0) close(mailbox);
    free(table);
    return status;
}

int team_shared_new(struct team *team, size_t bytes, struct team_shared **shared_p)
{
    struct team_shared *shared = calloc(1, sizeof *shared + (size_t)team->size * sizeof shared->parts[0]);
    int status = 0;
    *shared_p = NULL;
    if (team->size > 1)
        status = share_among_ranks(team, bytes, shared);
    else if (!shared || !(shared->parts[0] = shared->own = memory_new(bytes)))
        status = -ENOMEM;
    if (status < 0) {
        team_shared_free(shared);
        return status;
    }
    *shared_p = shared;
    return 0;
}

void *team_shared_part(const struct team_shared *shared, int rank)
{
    return shared->parts[rank];
}

void team_shared_free(struct team_shared *shared)
{
    if (!shared) return;
    if (shared->mapping) munmap(shared->mapping, shared->length);
    free(shared->own);
    free(shared);
}
