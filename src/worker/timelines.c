/* The one sample that is watched, after those that are timed: who ran where and when, on all nodes.
 *
 *     compare clocks; the sample, each rank watching itself; compare clocks; gather; merge; write a line a host
 *
 * What each rank saw comes to rank 0 as a line of the record. Each node's time is cut to that of its sample. Ranks of a
 * node have one clock and need no comparison.
 */
#include "clocks.h"
#include "texts.h"
#include "watch.h"
#include "worker.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPANS_MAX = 400000 }; /* of a host: a line of some ten megabytes */

struct scene {
    struct worker *worker;
    uint64_t *nodes;                     /* team->node of each rank */
    struct clock_offset *before, *after; /* on rank 0, of the rank that stands for each node */
    struct sample sample;                /* on rank 0 */
    uint64_t *spans;                     /* that each rank saw */
    char **texts;                        /* on rank 0: what each rank saw */
};

static int scene_failed(struct worker *worker, int status, const char *what)
{
    if (status == 0) return STATUS_OK;
    error_set(&worker->error, STATUS_FAILED, "the timelines could not be %s: %s", what, strerror(-status));
    return worker_abandon(worker, STATUS_FAILED);
}

/* Collective: whether all ranks had the memory that they need. */
static int agree_memory(struct worker *worker, bool had)
{
    if (!had) error_set(&worker->error, STATUS_FAILED, "out of memory for a timeline");
    return worker_agree(worker, had ? STATUS_OK : STATUS_FAILED);
}

static bool scene_init(struct worker *worker, struct scene *scene_p)
{
    size_t size = (size_t)team_size(worker->team);
    *scene_p = (struct scene){.worker = worker};
    sample_init(&scene_p->sample);
    scene_p->nodes = calloc(size, sizeof *scene_p->nodes);
    scene_p->spans = calloc(size, sizeof *scene_p->spans);
    scene_p->before = calloc(size, sizeof *scene_p->before);
    scene_p->after = calloc(size, sizeof *scene_p->after);
    scene_p->texts = calloc(size, sizeof *scene_p->texts);
    worker->watch = watch_new();
    return scene_p->nodes && scene_p->spans && scene_p->before && scene_p->after && scene_p->texts && worker->watch;
}

static void scene_release(struct scene *scene)
{
    for (int rank = 0; scene->texts && rank < team_size(scene->worker->team); rank++) free(scene->texts[rank]);
    free(scene->texts);
    free(scene->after);
    free(scene->before);
    free(scene->spans);
    free(scene->nodes);
    sample_release(&scene->sample);
    watch_free(scene->worker->watch);
    scene->worker->watch = NULL;
}

/* Collective. */
static int find_nodes(struct scene *scene)
{
    struct worker *worker = scene->worker;
    struct team *team = worker->team;
    int status = scene_failed(worker, team_collect_u64(team, (uint64_t)team->node, scene->nodes), "prepared");
    worker->watchers = 0;
    for (int rank = 0; rank < team_size(team); rank++) worker->watchers += scene->nodes[rank] == (uint64_t)team->node;
    return status;
}

/* The CPUs that this rank was to use, and those that it used. */
static int add_cpus(const struct worker *worker, struct timeline *timeline)
{
    int status = 0;
    for (int t = 0; t < team_threads(worker->team) && !status; t++)
        status = timeline_unite_cpu(timeline, worker->cpus[t], worker->reports[t].times.cpu_total_busy_s);
    for (int i = 0; i < timeline->task_count; i++)
        for (int k = 0; k < timeline->tasks[i].span_count && !status; k++)
            if (timeline->tasks[i].spans[k].cpu >= 0)
                status = timeline_unite_cpu(timeline, timeline->tasks[i].spans[k].cpu, NAN);
    return status;
}

/* Only this rank's own workers: elsewhere, or in a container beside it, tasks may have the same numbers. */
static int name_workers(const struct worker *worker, struct timeline *timeline)
{
    int threads = team_threads(worker->team);
    struct worker_times *times = malloc((size_t)threads * sizeof *times);
    if (!times) return -ENOMEM;
    for (int t = 0; t < threads; t++) times[t] = worker->reports[t].times;
    timeline_name_workers(timeline, threads, times);
    free(times);
    return 0;
}

/* What this rank saw. 0 or -ENOMEM. */
static int own_timeline(const struct worker *worker, struct timeline *timeline_p)
{
    int status = watch_timeline(worker->watch, timeline_p);
    if (status) return status;
    memcpy(timeline_p->host, worker->host, sizeof timeline_p->host);
    status = name_workers(worker, timeline_p);
    if (status == 0) status = add_cpus(worker, timeline_p);
    if (status) timeline_release(timeline_p);
    return status;
}

/* Collective. Where the ranks of a host have too many spans together, the busiest ones give way, each by the same part:
 * so all keep about the same time. */
static int fit_spans(struct scene *scene, struct timeline *timeline)
{
    struct worker *worker = scene->worker;
    struct team *team = worker->team;
    uint64_t own = 0, total = 0, share = (uint64_t)(SPANS_MAX / worker->watchers);
    for (int i = 0; i < timeline->task_count; i++) own += (uint64_t)timeline->tasks[i].span_count;
    int status = scene_failed(worker, team_collect_u64(team, own, scene->spans), "gathered");
    for (int rank = 0; rank < team_size(team); rank++)
        if (scene->nodes[rank] == (uint64_t)team->node) total += scene->spans[rank];
    if (status || total <= SPANS_MAX) return status;
    if (SPANS_MAX * own / total > share) share = SPANS_MAX * own / total;
    if (own <= share) return status;
    timeline_limit(timeline, (int)share);
    snprintf(timeline->incomplete, sizeof timeline->incomplete,
             "only the first part is kept: tasks changed state %llu times, and about %d are kept",
             (unsigned long long)total, SPANS_MAX);
    return status;
}

/* NULL: no memory. */
static char *text_of(const struct worker *worker, const struct timeline *timeline)
{
    struct timeline_record record;
    timeline_record_init(&record);
    record.config = worker->request.config;
    record.timeline = *timeline;
    json_t *line = record_encode_timeline(&record);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    return text;
}

/* What the ranks of a host saw. */
struct host {
    struct timeline_record record;
    int ranks, unwatched;
    char reason[160]; /* why the first of these was not watched */
};

static int merge_rank(const struct scene *scene, int rank, struct host *host, struct error *error)
{
    struct timeline_record record;
    struct timeline *seen = &record.timeline;
    timeline_record_init(&record);
    json_t *line = json_loads(scene->texts[rank], 0, NULL);
    int status = record_decode_timeline(line, &record, error);
    json_decref(line);
    if (status) return error_set(error, STATUS_FAILED, "rank %d sent no timeline", rank);
    bool unwatched = !(seen->length_s > 0);
    if (unwatched && host->unwatched == 0) memcpy(host->reason, seen->incomplete, sizeof host->reason);
    host->ranks++;
    host->unwatched += unwatched;
    memcpy(host->record.timeline.host, seen->host, sizeof seen->host);
    if (timeline_merge(&host->record.timeline, seen))
        status = error_set(error, STATUS_FAILED, "out of memory for the timelines");
    timeline_record_release(&record);
    return status;
}

/* The time of the sample on that node, on the first node's clock at last. */
static void cut_to_sample(const struct scene *scene, int node, struct timeline *timeline)
{
    const struct worker *worker = scene->worker;
    double begin_s = INFINITY, end_s = 0;
    for (int rank = 0; rank < team_size(worker->team); rank++) {
        const struct worker_report *first = &worker->all_reports[rank * team_threads(worker->team)];
        if (scene->nodes[rank] != (uint64_t)node) continue;
        begin_s = fmin(begin_s, first->times.start_s);
        end_s = fmax(end_s, first->rank_end_s);
    }
    if (timeline->length_s > 0) {
        timeline_cut(timeline, begin_s - timeline->start_s, end_s - timeline->start_s);
        char said[sizeof timeline->incomplete];
        memcpy(said, timeline->incomplete, sizeof said);
        timeline_limit(timeline, SPANS_MAX);
        if (said[0]) memcpy(timeline->incomplete, said, sizeof said);
    } else {
        timeline->length_s = end_s - begin_s;
    }
    const struct clock_offset offset = clock_offset_span(scene->before[node], scene->after[node]);
    timeline->start_s = begin_s - offset.offset_s;
    timeline->clock_error_s = offset.error_s;
}

static int tell_host(const struct scene *scene, struct host *host)
{
    const struct sample *sample = &scene->sample;
    struct timeline_record *record = &host->record;
    if (host->unwatched > 0)
        snprintf(record->timeline.incomplete, sizeof record->timeline.incomplete, "%d of %d ranks not watched: %.120s",
                 host->unwatched, host->ranks, host->reason);
    record->config = sample->config;
    record->wall_s = sample->wall_s;
    record->validity = sample->validity;
    memcpy(record->invalid_reason, sample->invalid_reason, sizeof record->invalid_reason);
    return output_timeline(scene->worker->lines, record, &scene->worker->error);
}

/* On rank 0. */
static int tell_node(const struct scene *scene, int node)
{
    struct worker *worker = scene->worker;
    struct host host = {.ranks = 0};
    int status = STATUS_OK;
    timeline_record_init(&host.record);
    for (int rank = node; rank < team_size(worker->team) && !status; rank++)
        if (scene->nodes[rank] == (uint64_t)node) status = merge_rank(scene, rank, &host, &worker->error);
    if (!status) {
        cut_to_sample(scene, node, &host.record.timeline);
        status = tell_host(scene, &host);
    }
    timeline_record_release(&host.record);
    return status;
}

/* On rank 0. */
static int tell_nodes(struct scene *scene)
{
    struct worker *worker = scene->worker;
    int status = STATUS_OK;
    sample_judge(&scene->sample);
    if (!scene->sample.correct)
        return error_set(&worker->error, STATUS_WRONG, "%s %s gave a wrong answer: %s", worker->problem.kernel->name,
                         worker->request.config.variant, scene->sample.check_detail);
    for (int rank = 0; rank < team_size(worker->team) && !status; rank++)
        if (scene->nodes[rank] == (uint64_t)rank) status = tell_node(scene, rank);
    return status;
}

/* Collective. Nothing is told where nobody could watch. */
static int check_seen(struct worker *worker)
{
    const char *refusal = watch_refusal(worker->watch);
    double seen = refusal ? 0 : 1;
    int status = scene_failed(worker, team_max_double(worker->team, 1, &seen), "gathered");
    if (status || seen > 0) return status;
    return worker_agree(worker, error_set(&worker->error, STATUS_FAILED, "no timeline can be had: %s", refusal));
}

/* Collective. */
static int share_texts(struct scene *scene)
{
    struct worker *worker = scene->worker;
    struct timeline timeline;
    char *text = NULL;
    timeline_init(&timeline);
    int status = agree_memory(worker, own_timeline(worker, &timeline) == 0);
    if (status == 0) status = fit_spans(scene, &timeline);
    if (status == 0) {
        text = text_of(worker, &timeline);
        status = agree_memory(worker, text);
    }
    if (status == 0) status = scene_failed(worker, team_gather_texts(worker->team, text, scene->texts), "gathered");
    free(text);
    timeline_release(&timeline);
    return status;
}

static int compare_clocks(struct scene *scene, struct clock_offset *offsets_p)
{
    struct team *team = scene->worker->team;
    return scene_failed(scene->worker, team_compare_clocks(team, scene->nodes, offsets_p), "put on one clock");
}

int worker_watch_sample(struct worker *worker)
{
    struct scene scene;
    int status = agree_memory(worker, scene_init(worker, &scene));
    if (status == 0) status = find_nodes(&scene);
    if (status == 0) status = compare_clocks(&scene, scene.before);
    if (status == 0) status = timing_run(worker, true, &scene.sample);
    if (status == 0) status = compare_clocks(&scene, scene.after);
    if (status == 0) status = check_seen(worker);
    if (status == 0) status = share_texts(&scene);
    if (status == 0) status = worker_agree(worker, team_rank(worker->team) == 0 ? tell_nodes(&scene) : STATUS_OK);
    scene_release(&scene);
    return status;
}
