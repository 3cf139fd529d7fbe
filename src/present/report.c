/* The report of the lesson: one HTML file that needs nothing else, made from the records alone. */
#include "report_study.h"

#include <string.h>
#include <time.h>

static const char *machine_text(const struct results *results, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(results->context, "machine"), name));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* When the first sample was taken; "" where none was. */
static const char *measured_on(const struct results *results, size_t length, char *text)
{
    double first_s = 0;
    for (int g = 0; g < results->group_count; g++) {
        for (int i = 0; i < results->groups[g].count; i++) {
            double start_s = results->groups[g].samples[i].start_s;
            if (start_s > 0 && (first_s == 0 || start_s < first_s)) first_s = start_s;
        }
    }
    struct tm date;
    time_t seconds = (time_t)first_s;
    text[0] = '\0';
    if (first_s > 0 && gmtime_r(&seconds, &date) != NULL) strftime(text, length, "%-d %B %Y, %H:%M UTC", &date);
    return text;
}

static void write_head(FILE *file, const struct results *results, const struct lesson *lesson)
{
    const char *host = machine_text(results, "hostname"), *cpu = machine_text(results, "cpu_model");
    char date[64];
    measured_on(results, sizeof date, date);
    char title[160];
    snprintf(title, sizeof title, "Multitasking and multiprocessing, measured on %.96s",
             host != NULL ? host : "this machine");
    html_open_page(file, title, report_study_css, timeline_css);
    if (cpu != NULL) html_write(file, "%s. ", cpu);
    if (lesson->cores > 0) html_write(file, "%d core%s to use. ", lesson->cores, lesson->cores == 1 ? "" : "s");
    if (date[0] != '\0') html_write(file, "%s.", date);
    fputs("</p>\n</header>\n<main>\n", file);
}

static void write_verdict(FILE *file, const struct lesson *lesson)
{
    fputs("<section class=\"verdict\" aria-label=\"The verdict\">\n", file);
    bool any = false;
    for (int i = 0; i < LESSON_SENTENCES; i++) {
        if (lesson->sentences[i][0] == '\0') continue;
        html_write(file, "<p>%s</p>\n", lesson->sentences[i]);
        any = true;
    }
    fputs(any ? "</section>\n" : "<p>There is not enough valid data for a verdict.</p>\n</section>\n", file);
}

static void write_figure(FILE *file, const struct lesson *lesson, int first)
{
    const struct lesson_row *row = &lesson->rows[first];
    char id[32];
    snprintf(id, sizeof id, "speedups-%d", first);
    html_write(file, "<figure>\n<figcaption><h3>%s (%s)%s</h3></figcaption>\n", row->kernel, row->variant,
               row->waits ? ": tasks that mostly wait" : "");
    figure_speedups(file, lesson, first, id);
    fputs("</figure>\n", file);
}

static void write_figures(FILE *file, const struct lesson *lesson)
{
    fputs("<section aria-labelledby=\"speedups\">\n<h2 id=\"speedups\">Speedup in each scene</h2>\n"
          "<p>How many times as fast the same work was done as by one task alone.</p>\n"
          "<ul class=\"legend\"><li><i class=\"alone\"></i>one task alone</li>"
          "<li><i class=\"turns\"></i>tasks take turns on one core</li>"
          "<li><i class=\"cores\"></i>tasks run on several cores</li>"
          "<li><i class=\"waits\"></i>waiting tasks share one core</li>"
          "<li><i class=\"line\"></i>the most that is possible there</li>"
          "<li><i class=\"thick\"></i>95&#160;% interval, or lowest to highest of fewer than 6</li></ul>\n<div "
          "class=\"figures\">\n",
          file);
    for (int waiting = 0; waiting < 2; waiting++) {
        for (int i = 0; i < lesson->row_count; i++) {
            if (scene_starts_set(lesson, i) && lesson->rows[i].waits == (waiting == 1)) write_figure(file, lesson, i);
        }
    }
    fputs(lesson->row_count == 0 ? "<p>The record holds no samples.</p>\n" : "", file);
    fputs("</div>\n</section>\n", file);
}

static bool waits(const struct lesson *lesson, const struct timeline_record *record)
{
    for (int i = 0; i < lesson->row_count; i++)
        if (lesson->rows[i].waits && strcmp(lesson->rows[i].group->key, record->key) == 0) return true;
    return false;
}

/* What the sentences say, seen; last, tasks that wait. */
static void write_timelines(FILE *file, const struct results *results, const struct lesson *lesson)
{
    static const struct html_place place = {2, ""};
    html_open_section(file, &place, "seen", "Multitasking and multiprocessing, seen");
    if (results->timeline_count == 0)
        fputs("<p>Nobody could watch here which task ran when; what was measured is below.</p>\n", file);
    else
        report_write_timelines(file, &place, results);
    for (int i = 0; i < results->timeline_count; i++)
        if (waits(lesson, &results->timelines[i])) {
            report_write_timeline(file, &place, &results->timelines[i], 0.06, "timeline-waiting",
                                  "Tasks that mostly wait take turns, too");
            break;
        }
    fputs("</section>\n", file);
}

struct lesson_report {
    const struct results *results;
    const struct lesson *lesson;
};

static void write_page(FILE *file, const void *context)
{
    const struct lesson_report *report = context;
    const struct results *results = report->results;
    const struct lesson *lesson = report->lesson;
    write_head(file, results, lesson);
    write_verdict(file, lesson);
    write_timelines(file, results, lesson);
    write_figures(file, lesson);
    report_write_numbers(file, lesson);
    report_write_explanation(file, lesson);
    report_write_answers(file, lesson);
    report_write_left_out(file, results, lesson);
    report_write_method(file, lesson);
    report_write_machine(file, &(struct html_place){2, ""}, results->context);
    report_write_commands(file, results->context);
    html_close_page(file);
}

int present_report(const char *path, const struct results *results, const struct lesson *lesson, struct error *error)
{
    const struct lesson_report report = {results, lesson};
    return html_write_file(path, write_page, &report, error);
}
