/* What the processes of a command used, beside the tables of its times. */
#include "report_study.h"

static void write_row(FILE *file, const struct study_problem *problem, const struct curve *curve,
                      const struct curve_point *point)
{
    char text[128];
    struct study_outside outside;
    study_outside_of(point->group, &outside);
    html_write(file, "<tr><th scope=\"row\">%s</th>", study_point_name(problem, curve, point, sizeof text, text));
    html_write(file, "<td>%s</td>", format_time(outside.user_s, sizeof text, text));
    html_write(file, "<td>%s</td>", format_time(outside.system_s, sizeof text, text));
    html_write(file, "<td>%s</td>", format_ratio(outside.concurrency, sizeof text, text));
    html_write(file, "<td>%s</td>", format_ratio(outside.parallelism, sizeof text, text));
    html_write(file, "<td>%s</td>", study_tasks_text(outside.tasks, sizeof text, text));
    html_write(file, "<td>%s</td></tr>\n", format_bytes(outside.peak_memory_bytes, sizeof text, text));
}

void report_write_outside(FILE *file, const struct study_problem *problem)
{
    if (!study_is_command(problem)) return;
    html_open_table(file, "What its processes used");
    fputs("<thead><tr><th scope=\"col\">Mode, workers</th><th scope=\"col\">CPU time, user</th><th scope=\"col\">CPU "
          "time, system</th><th scope=\"col\">Concurrent</th><th scope=\"col\">Parallel</th><th "
          "scope=\"col\">Tasks</th><th scope=\"col\">Memory</th></tr></thead>\n<tbody>\n",
          file);
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++)
            if (problem->curves[c].points[i].valid > 0)
                write_row(file, problem, &problem->curves[c], &problem->curves[c].points[i]);
    html_close_table(file);
    html_write(file, "<p class=\"note\">%s</p>\n", study_outside_legend);
}
