/* Trace Event Format, the JSON object form (Google's document of that name). Per launch: a process with the counters;
 * per host a process with a track a CPU, and one with a track a task. Events are written one by one, sorted by time:
 * small numbers that say where each comes from are sorted, never JSON values. Instants are whole nanoseconds, rounded
 * at the ends of spans, so neighbours on a track meet and do not overlap. */
#include "export.h"
#include "timeline_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const timeline_export_formats[] = {"chrome-trace", NULL};

/* Between launches, of the time of the one before. */
static const double gap_share = 0.05;

enum event_kind { EVENT_COUNT, EVENT_RUN, EVENT_STATE };

struct event {
    int64_t at_ns;
    enum event_kind kind;
    int index, span; /* into steps or runs; or a task and its span */
};

struct trace {
    FILE *file;
    bool first;      /* nothing written yet */
    int pid, tid;    /* the last ones used; all are unlike each other in the whole file */
    int order;       /* of processes */
    double offset_s; /* where the launch begins */
};

/* One launch on its way out. */
struct part {
    struct trace *trace;
    const struct timeline_view *view;
    int counter_pid, cpu_pid, task_pid; /* of the first host; host h has + 2 h */
    int counter_tid, cpu_tid, task_tid; /* of the first CPU and task */
    int step_count;
    struct timeline_step *steps;
};

/* A JSON string of what may be no UTF-8. */
static void write_string(FILE *file, const char *text)
{
    json_t *string = json_string(text);
    if (string) {
        json_dumpf(string, file, JSON_ENCODE_ANY);
        json_decref(string);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        putc(byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\' ? '?' : byte, file);
    }
    putc('"', file);
}

static void begin_event(struct trace *trace)
{
    fputs(trace->first ? "\n" : ",\n", trace->file);
    trace->first = false;
}

/* name: "process_name", "thread_name"; tid 0: of the process. */
static void write_name(struct trace *trace, const char *name, int pid, int tid, const char *text)
{
    begin_event(trace);
    fprintf(trace->file, "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":0,\"args\":{\"name\":", name, pid,
            tid);
    write_string(trace->file, text);
    fputs("}}", trace->file);
}

static void write_order(struct trace *trace, const char *name, int pid, int tid, int order)
{
    begin_event(trace);
    fprintf(trace->file, "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":0,\"args\":{\"sort_index\":%d}}",
            name, pid, tid, order);
}

static void name_process(struct trace *trace, int pid, const char *text)
{
    write_name(trace, "process_name", pid, 0, text);
    write_order(trace, "process_sort_index", pid, 0, trace->order++);
}

static void name_thread(struct trace *trace, int pid, int tid, int order, const char *text)
{
    write_name(trace, "thread_name", pid, tid, text);
    write_order(trace, "thread_sort_index", pid, tid, order);
}

/* "A thread 0" */
static const char *name_task(const struct timeline_view *view, int task, size_t length, char *text)
{
    char name[96];
    timeline_task_name(view, task, sizeof name, name);
    if (task < view->worker_count)
        snprintf(text, length, "%c %s", timeline_letter(view, task), name);
    else
        snprintf(text, length, "%s", name);
    return text;
}

static void write_names(const struct part *part)
{
    const struct timeline_view *view = part->view;
    char text[480], name[112];
    name_process(part->trace, part->counter_pid, timeline_title(view, sizeof text, text));
    name_thread(part->trace, part->counter_pid, part->counter_tid, 0, "counters");
    for (int h = 0; h < view->host_count; h++) {
        const char *host = view->hosts[h]->timeline.host;
        snprintf(text, sizeof text, "CPUs of %s", host);
        name_process(part->trace, part->cpu_pid + 2 * h, text);
        for (int c = 0; c < view->cpu_count; c++) {
            if (view->cpus[c].host != h) continue;
            snprintf(name, sizeof name, "CPU %d", view->cpus[c].cpu);
            name_thread(part->trace, part->cpu_pid + 2 * h, part->cpu_tid + c, c, name);
        }
        snprintf(text, sizeof text, "tasks of %s", host);
        name_process(part->trace, part->task_pid + 2 * h, text);
        for (int t = 0; t < view->task_count; t++)
            if (view->tasks[t].host == h)
                name_thread(part->trace, part->task_pid + 2 * h, part->task_tid + t, t,
                            name_task(view, t, sizeof name, name));
    }
}

static int64_t nanoseconds(const struct part *part, double at_s)
{
    return llround(1e9 * (part->trace->offset_s + at_s));
}

/* Microseconds, with all three digits of the nanoseconds. */
static void write_time(FILE *file, const char *name, int64_t time_ns)
{
    fprintf(file, ",\"%s\":%lld.%03lld", name, (long long)time_ns / 1000, (long long)time_ns % 1000);
}

static void write_counts(const struct part *part, const struct event *event)
{
    const struct timeline_step *step = &part->steps[event->index];
    const char *const names[] = {"concurrency", "parallelism"};
    int values[] = {step->running + step->ready + step->blocked, step->running};
    const struct timeline_step *before = event->index > 0 ? step - 1 : NULL;
    for (int i = 0; i < 2; i++) {
        int last = !before ? -1 : i == 0 ? before->running + before->ready + before->blocked : before->running;
        if (values[i] == last) continue;
        begin_event(part->trace);
        fprintf(part->trace->file, "{\"ph\":\"C\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d", names[i], part->counter_pid,
                part->counter_tid);
        write_time(part->trace->file, "ts", event->at_ns);
        fprintf(part->trace->file, ",\"args\":{\"workers\":%d}}", values[i]);
    }
}

/* The end of a span is the rounded instant at which the next one begins. */
static void write_complete(const struct part *part, const struct event *event, double end_s, int pid, int tid)
{
    begin_event(part->trace);
    fprintf(part->trace->file, "{\"ph\":\"X\",\"pid\":%d,\"tid\":%d", pid, tid);
    write_time(part->trace->file, "ts", event->at_ns);
    write_time(part->trace->file, "dur", nanoseconds(part, end_s) - event->at_ns);
}

static void write_run(const struct part *part, const struct event *event, int cpu)
{
    const struct view_run *run = &part->view->runs[event->index];
    char name[112];
    write_complete(part, event, run->end_s, part->cpu_pid + 2 * run->host, part->cpu_tid + cpu);
    fputs(",\"cat\":\"cpu\",\"name\":", part->trace->file);
    write_string(part->trace->file, name_task(part->view, run->task, sizeof name, name));
    fprintf(part->trace->file, ",\"args\":{\"tid\":%d,\"state\":\"running\"}}",
            (int)part->view->tasks[run->task].task->tid);
}

static void write_state(const struct part *part, const struct event *event)
{
    static const char *const names[] = {[SPAN_RUNNING] = "running", [SPAN_READY] = "ready", [SPAN_BLOCKED] = "blocked"};
    static const char *const colours[] = {[SPAN_RUNNING] = "thread_state_running",
                                          [SPAN_READY] = "thread_state_runnable",
                                          [SPAN_BLOCKED] = "thread_state_sleeping"};
    const struct view_task *task = &part->view->tasks[event->index];
    struct timeline_span span = timeline_view_span(part->view, event->index, event->span);
    write_complete(part, event, span.end_s, part->task_pid + 2 * task->host, part->task_tid + event->index);
    fprintf(part->trace->file,
            ",\"cat\":\"task\",\"name\":\"%s\",\"cname\":\"%s\",\"args\":{\"tid\":%d,\"state\":\"%s\"",
            names[span.state], colours[span.state], (int)task->task->tid, names[span.state]);
    if (span.state == SPAN_RUNNING) fprintf(part->trace->file, ",\"cpu\":%d", span.cpu);
    fputs("}}", part->trace->file);
}

static int compare_events(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    if (a->at_ns != b->at_ns) return a->at_ns < b->at_ns ? -1 : 1;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->index != b->index) return a->index < b->index ? -1 : 1;
    return a->span < b->span ? -1 : a->span > b->span;
}

static size_t find_events(const struct part *part, struct event events[])
{
    const struct timeline_view *view = part->view;
    size_t count = 0;
    for (int i = 0; i < part->step_count; i++)
        events[count++] = (struct event){nanoseconds(part, part->steps[i].at_s), EVENT_COUNT, i, 0};
    for (int c = 0; c < view->cpu_count; c++)
        for (int r = view->cpus[c].first_run; r < view->cpus[c].first_run + view->cpus[c].run_count; r++)
            events[count++] = (struct event){nanoseconds(part, view->runs[r].begin_s), EVENT_RUN, r, c};
    for (int t = 0; t < view->task_count; t++)
        for (int s = view->tasks[t].first_span; s < view->tasks[t].end_span; s++) {
            struct timeline_span span = timeline_view_span(view, t, s);
            if (span.end_s > span.begin_s)
                events[count++] = (struct event){nanoseconds(part, span.begin_s), EVENT_STATE, t, s};
        }
    qsort(events, count, sizeof *events, compare_events);
    return count;
}

static int write_events(const struct part *part)
{
    size_t most = (size_t)part->step_count + (size_t)part->view->run_count + 1;
    for (int t = 0; t < part->view->task_count; t++)
        most += (size_t)(part->view->tasks[t].end_span - part->view->tasks[t].first_span);
    struct event *events = malloc(most * sizeof *events);
    if (!events) return -ENOMEM;
    size_t count = find_events(part, events);
    for (size_t i = 0; i < count; i++)
        if (events[i].kind == EVENT_COUNT)
            write_counts(part, &events[i]);
        else if (events[i].kind == EVENT_RUN)
            write_run(part, &events[i], events[i].span);
        else
            write_state(part, &events[i]);
    free(events);
    return 0;
}

static int write_launch(struct trace *trace, int count, const struct timeline_record *records)
{
    struct timeline_view view;
    struct part part = {.trace = trace, .view = &view};
    if (timeline_view_of(count, records, NAN, NAN, &view)) return -ENOMEM;
    int status = timeline_steps(&view, &part.step_count, &part.steps);
    if (!status) {
        part.counter_pid = trace->pid + 1;
        part.cpu_pid = trace->pid + 2;
        part.task_pid = trace->pid + 3;
        part.counter_tid = trace->tid + 1;
        part.cpu_tid = trace->tid + 2;
        part.task_tid = part.cpu_tid + view.cpu_count;
        write_names(&part);
        status = write_events(&part);
        trace->pid += 1 + 2 * count;
        trace->tid += 1 + view.cpu_count + view.task_count;
        trace->offset_s += view.length_s * (1 + gap_share);
    }
    free(part.steps);
    timeline_view_release(&view);
    return status;
}

static void write_text_or_null(FILE *file, const char *name, const char *text)
{
    fprintf(file, ",\"%s\":", name);
    if (*text)
        write_string(file, text);
    else
        fputs("null", file);
}

static void write_real_or_null(FILE *file, const char *name, double value)
{
    fprintf(file, isfinite(value) ? ",\"%s\":%.9g" : ",\"%s\":null", name, value);
}

/* What the events cannot say of themselves. */
static void write_other_data(FILE *file, int count, const struct timeline_record *records)
{
    char target[4096];
    fputs("\"otherData\":{\"made_by\":\"speedup\",\"timelines\":[", file);
    for (int i = 0; i < count; i++) {
        const struct timeline *timeline = &records[i].timeline;
        fprintf(file, "%s\n{\"launch\":%d,\"tier\":\"%s\"", i > 0 ? "," : "", records[i].launch,
                timeline_tier_text(timeline->tier));
        bool command = target_is_command(&records[i].config);
        write_text_or_null(file, "kernel", command ? "" : records[i].config.kernel);
        if (command)
            write_text_or_null(file, "command", target_text_expanded(&records[i].config, 1000, sizeof target, target));
        write_text_or_null(file, "mode", mode_name_text(records[i].config.mode.name));
        write_text_or_null(file, "host", timeline->host);
        write_real_or_null(file, "error_s", timeline->error_s);
        write_real_or_null(file, "clock_error_s", timeline->clock_error_s);
        write_text_or_null(file, "incomplete", timeline->incomplete);
        write_text_or_null(file, "degraded", timeline->degraded);
        fprintf(file, ",\"valid\":%s",
                records[i].validity == SAMPLE_VALID     ? "true"
                : records[i].validity == SAMPLE_INVALID ? "false"
                                                        : "null");
        write_text_or_null(file, "invalid_reason", records[i].invalid_reason);
        putc('}', file);
    }
    fputs("]},\n", file);
}

/* Records of one launch follow each other. */
static int count_hosts(int count, const struct timeline_record *records)
{
    const struct results all = {.timeline_count = count, .timelines = (struct timeline_record *)records};
    return timeline_host_count(&all, 0);
}

static int write_trace(FILE *file, int count, const struct timeline_record *records)
{
    struct trace trace = {.file = file, .first = true};
    int status = 0;
    fputs("{\"displayTimeUnit\":\"ms\",\n", file);
    write_other_data(file, count, records);
    fputs("\"traceEvents\":[", file);
    for (int i = 0, hosts; i < count && !status; i += hosts) {
        hosts = count_hosts(count - i, records + i);
        status = write_launch(&trace, hosts, records + i);
    }
    fputs("\n]}\n", file);
    return status;
}

struct trace_export {
    int count;
    const struct timeline_record *records;
};

static int write_export(FILE *file, const void *context)
{
    const struct trace_export *export = context;
    return write_trace(file, export->count, export->records);
}

int export_chrome_trace(const char *path, int count, const struct timeline_record *records, struct error *error)
{
    const struct trace_export export = {count, records};
    return export_file(path, write_export, &export, error);
}
