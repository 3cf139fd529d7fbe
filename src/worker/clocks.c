/* Cristian's algorithm (F. Cristian, "Probabilistic clock synchronization", Distributed Computing 3, 1989).
 *
 * Rank 0 reads its clock, sends; the other receives, reads its clock, answers with that; rank 0 receives, reads its
 * clock again. A message is not received before it was sent, so the other's reading happened between both of rank 0's,
 * at an instant that was t0 at least and t1 at most on rank 0's clock: offset = remote - (t0 + t1) / 2 is wrong by
 * (t1 - t0) / 2 at most, however unevenly the time was spent on the two ways, and whatever else the ranks did
 * meanwhile. The fastest of several round trips has the smallest bound; one with each node after the other, as rank 0
 * would be busy with others else.
 *
 * Clocks drift against each other (some 10 us a second, where nothing keeps them). Between two comparisons the offset
 * moves from one to the other; as long as it does not turn round on its way, it stays within the intervals of both and
 * what lies between them.
 *
 * A broadcast in a group of two is a message. Cost: TRIPS round trips a node.
 */
#include "clocks.h"

#include "../observe/thread.h"

#include <math.h>

enum { TRIPS = 30 };

struct clock_offset clock_offset_find(int count, const struct round_trip trips[])
{
    struct clock_offset best = {.error_s = INFINITY};
    for (int i = 0; i < count; i++) {
        double error_s = (trips[i].returned_s - trips[i].sent_s) / 2;
        if (!(error_s < best.error_s)) continue;
        best.error_s = error_s;
        best.offset_s = trips[i].remote_s - trips[i].sent_s - error_s;
    }
    return best;
}

struct clock_offset clock_offset_span(struct clock_offset before, struct clock_offset after)
{
    double low_s = fmin(before.offset_s - before.error_s, after.offset_s - after.error_s);
    double high_s = fmax(before.offset_s + before.error_s, after.offset_s + after.error_s);
    return (struct clock_offset){.offset_s = low_s + (high_s - low_s) / 2, .error_s = (high_s - low_s) / 2};
}

/* By both ranks of the group. */
static int send(struct team *team, struct team_group *group, int root, double *stamp)
{
    struct team_request request;
    int status = team_broadcast_start(team, group, root, sizeof *stamp, stamp, &request);
    return status < 0 ? status : team_wait(team, &request);
}

static int make_trip(struct team *team, struct team_group *group, struct round_trip *trip_p)
{
    double stamp = trip_p->sent_s = clock_wall_s();
    int status = send(team, group, 0, &stamp);
    if (team->rank > 0) stamp = clock_wall_s();
    if (status == 0) status = send(team, group, 1, &stamp);
    trip_p->returned_s = clock_wall_s();
    trip_p->remote_s = stamp;
    return status;
}

int team_compare_clocks(struct team *team, const uint64_t nodes[], struct clock_offset offsets_p[])
{
    int status = 0;
    if (team->rank == 0) offsets_p[0] = (struct clock_offset){0};
    for (int rank = 1; rank < team->size && status == 0; rank++) {
        struct round_trip trips[TRIPS];
        struct team_group *group;
        if (nodes[rank] != (uint64_t)rank || (team->rank > 0 && team->rank != rank)) continue;
        status = team_group_find(team, 0, rank, 2, &group);
        for (int i = 0; i < TRIPS && status == 0; i++) status = make_trip(team, group, &trips[i]);
        if (team->rank == 0 && status == 0) offsets_p[rank] = clock_offset_find(TRIPS, trips);
    }
    return status;
}
