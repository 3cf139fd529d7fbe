/* Where the timelines stand in the report. */
#include "report_study.h"

/* The kernel whose timelines would be the most worth having: that of the first sample. */
static const char *first_kernel(const struct results *results)
{
    const struct kernel *kernel = results->group_count > 0 ? kernel_find(results->groups[0].config.kernel) : NULL;
    return kernel ? kernel->name : "pi";
}

void report_write_timelines(FILE *file, const struct results *results)
{
    const char *kernel = first_kernel(results);
    if (results->timeline_count > 0) {
        html_write(file, "<p>The record holds %d timeline%s.</p>\n", results->timeline_count,
                   results->timeline_count == 1 ? "" : "s");
        return;
    }
    html_write(file,
               "<p>No timeline was recorded: a picture of which task ran on which core from when to when, which shows "
               "tasks that take turns beside tasks that run at the same time. To get one, watch a launch of each "
               "kind, and give the files together with this record:</p>\n<pre>speedup run %s --mode multitask "
               "--workers 2 --timeline -o turns.jsonl\nspeedup run %s --mode threads --workers 2 --timeline -o "
               "cores.jsonl\nspeedup report RECORD turns.jsonl cores.jsonl -o report.html</pre>\n",
               kernel, kernel);
}
