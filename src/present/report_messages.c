/* In the report of a study: the messages of each configuration that timed them. */
#include "messages.h"
#include "report_study.h"

static void write_table(FILE *file, const char *label, const struct messages *messages)
{
    char time[32], bandwidth[32], count[32], bytes[32];
    html_open_table(file, label);
    fputs("<thead><tr><th scope=\"col\">Bytes</th><th scope=\"col\">Messages</th><th scope=\"col\">Time, us</th>"
          "<th scope=\"col\">MB/s</th></tr></thead>\n<tbody>\n",
          file);
    for (int i = 0; i < messages->count; i++) {
        const struct network_point *point = &messages->points[i];
        html_write(file, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td><td>%s</td></tr>\n",
                   format_count(point->bytes, sizeof bytes, bytes), format_count(point->messages, sizeof count, count),
                   messages_time_text(point, sizeof time, time),
                   messages_bandwidth_text(point, sizeof bandwidth, bandwidth));
    }
    html_close_table(file);
}

static void write_point(FILE *file, const struct study_problem *problem, const struct curve *curve,
                        const struct curve_point *point)
{
    struct messages messages;
    char name[128], label[192], text[640];
    if (!messages_of(point->group, &messages)) return;
    snprintf(label, sizeof label, "Messages, %s", study_point_name(problem, curve, point, sizeof name, name));
    fputs("<div class=\"narrow messages\">\n", file);
    write_table(file, label, &messages);
    fputs("</div>\n<p>", file);
    html_sentence(file, messages_fit_text(&messages, sizeof text, text));
    fputs("</p>\n<p class=\"note\">", file);
    html_sentence(file, messages_legend_text(&messages, sizeof text, text));
    fputs("</p>\n", file);
}

void report_write_messages(FILE *file, const struct study_problem *problem)
{
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++)
            write_point(file, problem, &problem->curves[c], &problem->curves[c].points[i]);
}
