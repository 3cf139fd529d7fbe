/* The one sample that is watched, after those that are timed: who ran where and when, on all nodes.
 *
 *     compare clocks; the sample, each rank watching itself; compare clocks; gather; merge; write a line a host
 *
 * The ranks' timelines differ in length by orders of magnitude. They come to rank 0 as JSON, in pieces of the same
 * size, in as many rounds as the longest needs: more is sent than there is, but the memory needed is that of the texts
 * and of one piece a rank.
 *
 * Each node's time is cut to that of its sample. Ranks of a node have one clock and need no comparison.
 */
#include "clocks.h"
#include "watch.h"
#include "worker.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPANS_MAX = 400000,      /* of a host: a line of some ten megabytes */
    PIECES_BYTES = 64 << 20, /* of all ranks together */
    PIECE_MAX_BYTES = 1 << 20,
    PIECE_MIN_BYTES = 1 << 12
};

struct scene {
    struct worker *worker;
    uint64_t *nodes;                     /* team->node of each rank */
    struct clock_offset *before, *after; /* on rank 0, of the rank that stands for each node */
    struct sample sample;                /* on rank 0 */
    uint64_t *lengths;                   /* of the ranks' texts */
    char **texts;                        /* on rank 0 */
};

static int scene_failed(struct worker *worker, int status, const char *what)
{
    if (status == 0) return STATUS_OK;
    error_set(&worker->error, STATUS_FAILED, "the timelines could not be %s: %s", what, strerror(-status));
    return worker_abandon(worker, STATUS_FAILED);
}

static int scene_init(struct worker *worker, struct scene *scene_p)
{
    size_t size = (size_t)team_size(worker->team);
    *scene_p = (struct scene){.worker = worker};
    sample_init(&scene_p->sample);
    scene_p->nodes = calloc(size, sizeof *scene_p->nodes);
    scene_p->lengths = calloc(size, sizeof *scene_p->lengths);
    scene_p->before = calloc(size, sizeof *scene_p->before);
    scene_p->after = calloc(size, sizeof *scene_p->after);
    scene_p->texts = calloc(size, sizeof *scene_p->texts);
    worker->watch = watch_new();
    if (scene_p->nodes && scene_p->lengths && scene_p->before && scene_p->after && scene_p->texts && worker->watch)
        return STATUS_OK;
    return error_set(&worker->error, STATUS_FAILED, "out of memory for a timeline");
}

static void scene_release(struct scene *scene)
{
    for (int rank = 0; scene->texts && rank < team_size(scene->worker->team); rank++) free(scene->texts[rank]);
    free(scene->texts);
    free(scene->after);
    free(scene->before);
    free(scene->lengths);
    free(scene->nodes);
    sample_release(&scene->sample);
    watch_free(scene->worker->watch);
    scene->worker->watch = NULL;
}

/* Collective. */
static int find_nodes(struct scene *scene)
{
    struct worker *worker = scene->worker;
    int size = team_size(worker->team);
    scene->nodes[team_rank(worker->team)] = (uint64_t)worker->team->node;
    int status = scene_failed(worker, team_sum_u64(worker->team, (size_t)size, scene->nodes), "prepared");
    worker->watchers = 0;
    for (int rank = 0; rank < size; rank++) worker->watchers += scene->nodes[rank] == (uint64_t)worker->team->node;
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

/* What this rank saw, as text. NULL: no memory. */
static char *own_text(const struct worker *worker)
{
    struct timeline_record record;
    struct timeline *timeline = &record.timeline;
    timeline_record_init(&record);
    record.config = worker->request.config;
    int status = watch_timeline(worker->watch, timeline);
    memcpy(timeline->host, worker->host, sizeof timeline->host);
    timeline_limit(timeline, SPANS_MAX / worker->watchers);
    if (status == 0) status = name_workers(worker, timeline);
    if (status == 0) status = add_cpus(worker, timeline);
    json_t *line = status == 0 ? record_encode_timeline(&record) : NULL;
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    timeline_record_release(&record);
    return text;
}

/* What lies in [begin, begin + bytes) of the text; the rest is left. */
static void copy_piece(char *to, const char *from, uint64_t length, uint64_t bytes)
{
    memcpy(to, from, length < bytes ? length : bytes);
}

/* Collective. `mine` is a piece, `all` one of each rank on rank 0. */
static int gather_rounds(struct scene *scene, const char *text, uint64_t bytes, char *mine, char *all)
{
    struct team *team = scene->worker->team;
    uint64_t longest = 0;
    int status = 0, size = team_size(team);
    for (int rank = 0; rank < size; rank++)
        if (scene->lengths[rank] > longest) longest = scene->lengths[rank];
    for (uint64_t at = 0; at < longest && status == 0; at += bytes) {
        uint64_t length = scene->lengths[team_rank(team)];
        if (at < length) copy_piece(mine, text + at, length - at, bytes);
        status = team_gather(team, bytes, mine, all);
        for (int rank = 0; all && rank < size && status == 0; rank++)
            if (at < scene->lengths[rank])
                copy_piece(scene->texts[rank] + at, all + (uint64_t)rank * bytes, scene->lengths[rank] - at, bytes);
    }
    return status;
}

/* Collective. */
static int gather_texts(struct scene *scene, const char *text)
{
    struct worker *worker = scene->worker;
    int size = team_size(worker->team);
    uint64_t bytes = PIECES_BYTES / (uint64_t)size;
    if (bytes > PIECE_MAX_BYTES) bytes = PIECE_MAX_BYTES;
    if (bytes < PIECE_MIN_BYTES) bytes = PIECE_MIN_BYTES;
    scene->lengths[team_rank(worker->team)] = strlen(text);
    int status = scene_failed(worker, team_sum_u64(worker->team, (size_t)size, scene->lengths), "gathered");
    if (status) return status;
    char *mine = calloc(1, bytes), *all = NULL;
    bool failed = !mine;
    if (team_rank(worker->team) == 0) {
        failed |= !(all = malloc((size_t)size * bytes));
        for (int rank = 0; rank < size; rank++) failed |= !(scene->texts[rank] = malloc(scene->lengths[rank] + 1));
    }
    if (failed) error_set(&worker->error, STATUS_FAILED, "out of memory for the timelines");
    status = worker_agree(worker, failed ? STATUS_FAILED : STATUS_OK);
    if (status == 0) status = scene_failed(worker, gather_rounds(scene, text, bytes, mine, all), "gathered");
    free(all);
    free(mine);
    return status;
}

/* Adds what a rank saw to that of its host. */
static int merge_rank(const struct scene *scene, int rank, struct timeline *timeline, struct error *error)
{
    struct timeline_record record;
    struct timeline *seen = &record.timeline;
    timeline_record_init(&record);
    json_t *line = json_loadb(scene->texts[rank], scene->lengths[rank], 0, NULL);
    int status = record_decode_timeline(line, &record, error);
    json_decref(line);
    if (status) return error_set(error, STATUS_FAILED, "rank %d sent no timeline", rank);
    if (!(seen->length_s > 0)) {
        char reason[sizeof seen->incomplete];
        memcpy(reason, seen->incomplete, sizeof reason);
        snprintf(seen->incomplete, sizeof seen->incomplete, "rank %d was not watched: %.120s", rank, reason);
    }
    memcpy(timeline->host, seen->host, sizeof timeline->host);
    if (timeline_merge(timeline, seen)) status = error_set(error, STATUS_FAILED, "out of memory for the timelines");
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
    } else {
        timeline->length_s = end_s - begin_s;
    }
    const struct clock_offset offset = clock_offset_span(scene->before[node], scene->after[node]);
    timeline->start_s = begin_s - offset.offset_s;
    timeline->clock_error_s = offset.error_s;
}

/* On rank 0. */
static int tell_node(struct scene *scene, int node)
{
    struct worker *worker = scene->worker;
    const struct sample *sample = &scene->sample;
    struct timeline_record record;
    int status = STATUS_OK;
    timeline_record_init(&record);
    for (int rank = node; rank < team_size(worker->team) && !status; rank++)
        if (scene->nodes[rank] == (uint64_t)node) status = merge_rank(scene, rank, &record.timeline, &worker->error);
    if (!status) {
        cut_to_sample(scene, node, &record.timeline);
        record.config = sample->config;
        record.wall_s = sample->wall_s;
        record.validity = sample->validity;
        memcpy(record.invalid_reason, sample->invalid_reason, sizeof record.invalid_reason);
        status = output_timeline(worker->lines, &record, &worker->error);
    }
    timeline_record_release(&record);
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
    char *text = own_text(worker);
    int status = text ? STATUS_OK : error_set(&worker->error, STATUS_FAILED, "out of memory for a timeline");
    status = worker_agree(worker, status);
    if (status == 0) status = gather_texts(scene, text);
    free(text);
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
    int status = worker_agree(worker, scene_init(worker, &scene));
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
