/* Every sample of a problem in a compact table that is folded away: for those who want to look closer than a median. A
 * page can be too long for a browser: behind the first samples the rest is named, not shown. */
#include "report_study.h"

#include <math.h>

enum { SAMPLES_MAX = 4000 };

static void write_number(FILE *file, double value)
{
    if (isfinite(value))
        fprintf(file, "<td>%.5g</td>", value);
    else
        fputs("<td>-</td>", file);
}

static void write_count(FILE *file, int count)
{
    fprintf(file, count < 0 ? "<td>-</td>" : "<td>%d</td>", count);
}

/* What a command has besides. */
static void write_outside(FILE *file, const struct sample *sample)
{
    char text[48];
    write_number(file, sample->user_s);
    write_number(file, sample->system_s);
    write_count(file, sample->tasks);
    html_write(file, "<td>%s</td>", format_bytes((double)sample->peak_memory_bytes, sizeof text, text));
    write_count(file, sample->exit_status);
}

static void write_sample(FILE *file, const char *name, const struct sample *sample)
{
    static const char *const verdicts[] = {
        [SAMPLE_INVALID] = "invalid", [SAMPLE_VALID] = "valid", [SAMPLE_NOT_JUDGED] = "not judged"};
    html_write(file, "<tr><th scope=\"row\">%s</th><td>%d</td><td>%d</td>", name, sample->block, sample->launch);
    write_number(file, sample->wall_s);
    write_number(file, sample->cpu_s);
    write_number(file, sample->wait_s);
    if (target_is_command(&sample->config)) write_outside(file, sample);
    html_write(file, "<td class=\"left\">%s%s%s</td></tr>\n", verdicts[sample->validity],
               *sample->invalid_reason ? ": " : "", sample->invalid_reason);
}

static int count_samples(const struct study_problem *problem)
{
    int count = 0;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) count += problem->curves[c].points[i].group->count;
    return count;
}

/* Returns how many were shown. */
static int write_all(FILE *file, const struct study_problem *problem)
{
    int shown = 0;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            char name[128];
            study_point_name(problem, &problem->curves[c], point, sizeof name, name);
            for (int s = 0; s < point->group->count && shown < SAMPLES_MAX; s++, shown++)
                write_sample(file, name, &point->group->samples[s]);
        }
    return shown;
}

void report_write_samples(FILE *file, const struct study_problem *problem)
{
    int count = count_samples(problem);
    if (count == 0) return;
    html_write(file, "<details class=\"samples\">\n<summary>All %d samples</summary>\n", count);
    html_open_table(file, "Samples, in the order of the record; times in seconds");
    fputs("<thead><tr><th scope=\"col\">Mode, workers</th><th scope=\"col\">Block</th><th scope=\"col\">Launch</th>"
          "<th scope=\"col\">Wall</th><th scope=\"col\">CPU, of all</th><th scope=\"col\">Waited for a core</th>",
          file);
    if (study_is_command(problem))
        fputs("<th scope=\"col\">User</th><th scope=\"col\">System</th><th scope=\"col\">Tasks</th><th "
              "scope=\"col\">Memory</th><th scope=\"col\">Exit status</th>",
              file);
    fputs("<th scope=\"col\" class=\"left\">Judged</th></tr></thead>\n<tbody>\n", file);
    int shown = write_all(file, problem);
    html_close_table(file);
    if (shown < count) html_write(file, "<p>The other %d are in the record.</p>\n", count - shown);
    fputs("</details>\n", file);
}
