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

void report_write_timelines(FILE *file, const struct results *results)
{
    if (results->timeline_count > 0) {
        html_write(file, "<p>The record holds %d timeline%s.</p>\n", results->timeline_count,
                   results->timeline_count == 1 ? "" : "s");
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
