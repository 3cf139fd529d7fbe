/* Team calls and work stamps.
 *
 * Every call that may wait for other ranks is timed: its wall time and the master's CPU time (spinning included) go to
 * comm_*, never to useful work. Where the master calls while a piece of its work is open (team_progress may do so), the
 * call's time is taken out of that piece by moving the piece's beginning: each instant is counted once.
 *
 * With one rank the calls return at once and are not timed; a series is.
 * Cost: 0.45 us a call for its stamps, 0.25 us for team_work_begin and for team_work_done.
 */
#include "team.h"

#include <errno.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct call {
    double wall_s, cpu_s;
};

static struct call call_begin(const struct team *team)
{
    if (team->in_series) return (struct call){0, 0};
    return (struct call){clock_wall_s(), clock_thread_cpu_s()};
}

static int call_end(struct team *team, struct call begin, int status)
{
    if (team->in_series) return status;
    double wall_s = clock_wall_s() - begin.wall_s;
    double cpu_s = clock_thread_cpu_s() - begin.cpu_s;
    team->comm_wall_s += wall_s;
    team->comm_cpu_s += cpu_s;
    team->stamps[0].begin_wall_s += wall_s;
    team->stamps[0].begin_cpu_s += cpu_s;
    return status;
}

int team_rank(const struct team *team)
{
    return team->rank;
}

int team_size(const struct team *team)
{
    return team->size;
}

int team_threads(const struct team *team)
{
    return team->threads;
}

int team_barrier(struct team *team)
{
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->barrier(team));
}

int team_meet(struct team *team)
{
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->meet(team));
}

int team_sum_u64(struct team *team, size_t count, uint64_t *values)
{
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->add_u64(team, count, NULL, values));
}

int team_add_u64(struct team *team, size_t count, const uint64_t *shares, uint64_t *sums_p)
{
    if (team->size == 1) {
        if (count > 0) memcpy(sums_p, shares, count * sizeof *shares);
        return 0;
    }
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->add_u64(team, count, shares, sums_p));
}

int team_sum_double(struct team *team, size_t count, double *values)
{
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->sum_double(team, count, values));
}

int team_max_double(struct team *team, size_t count, double *values)
{
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->max_double(team, count, values));
}

int team_gather(struct team *team, size_t bytes, const void *mine, void *all)
{
    if (team->size == 1) {
        if (bytes > 0) memmove(all, mine, bytes);
        return 0;
    }
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->gather(team, bytes, mine, all));
}

int team_swap(struct team *team, int partner, size_t sent_bytes, const void *sent, size_t received_bytes,
              void *received_p)
{
    if (partner < 0 || partner >= team->size) return -EINVAL;
    if (partner == team->rank) {
        if (sent_bytes != received_bytes) return -EINVAL;
        if (sent_bytes > 0) memcpy(received_p, sent, sent_bytes);
        return 0;
    }
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->swap(team, partner, sent_bytes, sent, received_bytes, received_p));
}

int team_swap_start(struct team *team, int partner, size_t sent_bytes, const void *sent, size_t received_bytes,
                    void *received_p, struct team_request *request_p)
{
    request_p->slot = -1;
    if (partner < 0 || partner >= team->size) return -EINVAL;
    if (partner == team->rank) return team_swap(team, partner, sent_bytes, sent, received_bytes, received_p);
    struct call begin = call_begin(team);
    return call_end(team, begin,
                    team->ops->swap_start(team, partner, sent_bytes, sent, received_bytes, received_p, request_p));
}

void team_series_begin(struct team *team)
{
    struct call begin = call_begin(team);
    team->series_wall_s = begin.wall_s;
    team->series_cpu_s = begin.cpu_s;
    team->in_series = true;
}

double team_series_done(struct team *team)
{
    struct call begin = {team->series_wall_s, team->series_cpu_s};
    double before_s = team->comm_wall_s;
    team->in_series = false;
    call_end(team, begin, 0);
    return team->comm_wall_s - before_s;
}

int team_group_find(struct team *team, int first, int stride, int count, struct team_group **group_p)
{
    *group_p = NULL;
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->group_find(team, first, stride, count, group_p));
}

int team_broadcast_start(struct team *team, struct team_group *group, int root, size_t bytes, void *buffer,
                         struct team_request *request_p)
{
    request_p->slot = -1;
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->broadcast_start(team, group, root, bytes, buffer, request_p));
}

int team_wait(struct team *team, struct team_request *request)
{
    if (request->slot < 0) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, team->ops->wait(team, request));
}

void team_progress(struct team *team)
{
    if (team->size == 1) return;
    struct call begin = call_begin(team);
    team->ops->progress(team);
    call_end(team, begin, 0);
}

int team_queue_next(struct team *team, int64_t count, int64_t *first_p)
{
    if (team->size == 1) return queue_next(team, count, first_p);
    struct call begin = call_begin(team);
    return call_end(team, begin, queue_next(team, count, first_p));
}

int team_queue_end(struct team *team)
{
    if (team->size == 1) return 0;
    struct call begin = call_begin(team);
    return call_end(team, begin, queue_end(team));
}

void team_stamps_see(struct thread_stamps *stamps, int cpu)
{
    for (int i = 0; i < stamps->seen_count; i++)
        if (stamps->seen[i] == cpu) return;
    if (stamps->seen_count < (int)(sizeof stamps->seen / sizeof stamps->seen[0]))
        stamps->seen[stamps->seen_count++] = cpu;
}

void team_work_begin(struct team *team)
{
    struct thread_stamps *stamps = &team->stamps[omp_get_thread_num()];
    team_stamps_see(stamps, sched_getcpu());
    stamps->begin_wall_s = clock_wall_s();
    if (stamps->first_begin_s == 0) stamps->first_begin_s = stamps->begin_wall_s;
    stamps->begin_cpu_s = clock_thread_cpu_s();
}

void team_work_done(struct team *team)
{
    struct thread_stamps *stamps = &team->stamps[omp_get_thread_num()];
    double cpu_s = clock_thread_cpu_s();
    stamps->last_done_s = clock_wall_s();
    stamps->useful_wall_s += stamps->last_done_s - stamps->begin_wall_s;
    stamps->useful_cpu_s += cpu_s - stamps->begin_cpu_s;
    team_stamps_see(stamps, sched_getcpu());
}

void team_serial_begin(struct team *team)
{
    team_work_begin(team);
}

void team_serial_done(struct team *team)
{
    struct thread_stamps *stamps = &team->stamps[omp_get_thread_num()];
    double before_s = stamps->useful_wall_s;
    team_work_done(team);
    stamps->serial_wall_s += stamps->useful_wall_s - before_s;
}

void team_stamps_reset(struct team *team)
{
    team->comm_wall_s = 0;
    team->comm_cpu_s = 0;
    memset(team->stamps, 0, (size_t)team->threads * sizeof team->stamps[0]);
}

int team_set_threads(struct team *team, int threads)
{
    size_t bytes = (size_t)threads * sizeof(struct thread_stamps);
    struct thread_stamps *stamps = aligned_alloc(_Alignof(struct thread_stamps), bytes);
    if (!stamps) return -ENOMEM;
    free(team->stamps);
    team->stamps = stamps;
    team->threads = threads;
    team_stamps_reset(team);
    return 0;
}

void team_abort(struct team *team, int status)
{
    if (team->size > 1) team->ops->abort(team, status);
}

void team_free(struct team *team)
{
    if (!team) return;
    queue_free(team->queue);
    if (team->ops) team->ops->free(team);
    free(team->stamps);
    free(team);
}
