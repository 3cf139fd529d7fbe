/* Where the timelines stand in the report. */
#include "report_study.h"

/* What would be the most worth watching: the first problem of the record, at its size. */
static void write_command(FILE *file, const struct results *results, const char *mode, const char *path)
{
    const struct config *config = results->group_count > 0 ? &results->groups[0].config : NULL;
    const struct kernel *kernel = config ? kernel_find(config->kernel) : NULL;
    struct size size;
    html_write(file, "speedup run %s --mode %s --workers 2", kernel ? kernel->name : "pi", mode);
    if (kernel && kernel->parse_size(config->size, &size) == 0) html_write(file, " --size %s", config->size);
    html_write(file, " --timeline -o %s\n", path);
}

void report_write_timeline(FILE *file, const struct html_place *place, const struct timeline_record *record,
                           double scale_s, const char *name, const char *title)
{
    char id[64];
    snprintf(id, sizeof id, "%s%s", place->prefix, name);
    fputs("<div>\n", file);
    html_write_heading(file, place, title);
    fputs("<figure>\n", file);
    figure_timeline(file, &record, 1, scale_s, id);
    fputs("<figcaption>", file);
    figure_timeline_caption(file, &record, 1, scale_s);
    fputs("</figcaption>\n</figure>\n</div>\n", file);
}

static const char *describe(const struct timeline_record *record, size_t length, char *text)
{
    const struct mode *mode = &record->config.mode;
    int workers = mode_workers(mode), cpus = workers;
    if (mode->cpus.count > 0 && mode->cpus.count < workers) cpus = mode->cpus.count;
    const char *kind = workers > cpus ? "Multitasking" : workers > 1 ? "Multiprocessing" : "One task alone";
    char target[192];
    snprintf(text, length, "%s: %d worker%s of %s on %d core%s", kind, workers, workers == 1 ? "" : "s",
             target_text_expanded(&record->config, 40, sizeof target, target), cpus, cpus == 1 ? "" : "s");
    return text;
}

/* Where there is no pair, the first timeline. */
static void write_pictures(FILE *file, const struct html_place *place, const struct results *results)
{
    static const char *const names[] = {"timeline-turns", "timeline-cores"};
    const struct timeline_record *records[2];
    double scale_s = figure_timeline_pick(results, records);
    bool pair = records[0] && records[1];
    if (!pair) records[0] = &results->timelines[0];
    if (pair)
        fputs("<p>Two launches, on one scale of time: first, tasks take turns on one core; then, they run at the same "
              "time, each on a core of its own.</p>\n",
              file);
    html_write(file, "<p class=\"note\">%s</p>\n", timeline_legend);
    fputs("<div class=\"pair\">\n", file);
    for (int i = 0; i < (pair ? 2 : 1); i++) {
        char title[320];
        report_write_timeline(file, place, records[i], scale_s > 0 ? scale_s : 0, names[i],
                              describe(records[i], sizeof title, title));
    }
    fputs("</div>\n", file);
    if (!pair)
        fputs("<p class=\"note\">For the pair, a timeline of tasks that share one core and one of tasks with cores of "
              "their own, of the same kernel, are needed.</p>\n",
              file);
}

void report_write_timelines(FILE *file, const struct html_place *place, const struct results *results)
{
    if (results->timeline_count > 0) {
        write_pictures(file, place, results);
        return;
    }
    if (results->group_count > 0 && target_is_command(&results->groups[0].config)) {
        fputs("<p>No timeline was recorded: a picture of which task ran on which core from when to when. A study with "
              "<code>--timeline</code> watches one launch of each mode for it.</p>\n",
              file);
        return;
    }
    fputs(
        "<p>No timeline was recorded: a picture of which task ran on which core from when to when, which shows tasks "
        "that take turns beside tasks that run at the same time. To get one, watch a launch of each kind, and give the "
        "files together with this record:</p>\n<pre>",
        file);
    write_command(file, results, "multitask", "turns.jsonl");
    write_command(file, results, "threads", "cores.jsonl");
    fputs("speedup report RECORD turns.jsonl cores.jsonl -o report.html</pre>\n", file);
}
