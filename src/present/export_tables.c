/* Points as tables: CSV for programs (RFC 4180: fields with commas, quotes or line breaks are quoted, quotes doubled;
 * lines end with a newline alone, as tools on Linux expect), Markdown for people. */
#include "export.h"
#include "messages.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void csv_text(FILE *file, const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted) fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    if (quoted) fputc('"', file);
}

/* Empty where it is not known. */
static void csv_number(FILE *file, double number)
{
    fputc(',', file);
    if (isfinite(number)) fprintf(file, "%.9g", number);
}

static void csv_spread(FILE *file, const struct spread *spread)
{
    csv_number(file, spread->middle);
    csv_number(file, spread->interval ? spread->low : NAN);
    csv_number(file, spread->interval ? spread->high : NAN);
}

static void csv_config(FILE *file, const struct curves *curves, const struct config *config)
{
    const char *mode = curve_is_timings(config) ? "" : mode_name_text(config->mode.name);
    const char *const texts[] = {curves->machine, config->kernel, config->variant, config->size};
    char options[512] = "";
    size_t used = 0;
    for (int i = 0; i < config->option_count && used < sizeof options; i++)
        used += (size_t)snprintf(options + used, sizeof options - used, "%s%s=%s", i ? " " : "",
                                 config->options[i].name, config->options[i].value);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        csv_text(file, texts[i]);
        fputc(',', file);
    }
    csv_text(file, options);
    fprintf(file, ",%" PRIu64 ",", config->seed);
    csv_text(file, config->isa);
    fprintf(file, ",%s", mode);
}

/* Empty of a kernel. */
static void csv_outside(FILE *file, const struct group *group)
{
    struct study_outside outside = {NAN, NAN, NAN, NAN, NAN, NAN, 0, 0};
    char target[4096] = "";
    if (target_is_command(&group->config)) {
        target_text(&group->config, 1000, sizeof target, target);
        study_outside_of(group, &outside);
    }
    fputc(',', file);
    csv_text(file, target);
    csv_number(file, outside.user_s);
    csv_number(file, outside.system_s);
    csv_number(file, outside.tasks);
    csv_number(file, outside.peak_memory_bytes);
}

static void csv_point(FILE *file, const struct curves *curves, const struct curve_point *point)
{
    const struct config *config = &point->group->config;
    csv_config(file, curves, config);
    fprintf(file, ",%d,%d,%d,%d,%d", point->workers, point->cpus, point->valid, point->invalid, point->not_judged);
    csv_spread(file, &point->wall_s);
    csv_number(file, point->rate.middle);
    fputc(',', file);
    csv_text(file, point->group->count > 0 ? point->group->samples->work_unit : "");
    csv_spread(file, &point->speedup);
    csv_spread(file, &point->own);
    csv_number(file, point->efficiency.middle);
    csv_number(file, point->karp_flatt.middle);
    csv_number(file, point->concurrency);
    csv_number(file, point->parallelism);
    fprintf(file, ",%s", point->converged ? "yes" : "no");
    for (int f = 0; f < FACTOR_COUNT; f++) csv_number(file, point->factors.value[f]);
    char scheduling[128];
    fputc(',', file);
    csv_text(file, scheduling_format(&config->mode.scheduling, sizeof scheduling, scheduling));
    csv_outside(file, point->group);
    fputc('\n', file);
}

int export_csv(FILE *file, int count, const struct study_part parts[])
{
    fputs("machine,kernel,variant,size,options,seed,isa,mode,workers,cores,launches_valid,launches_invalid,"
          "launches_not_judged,wall_s,wall_s_low,wall_s_high,rate_per_s,work_unit,speedup,speedup_low,speedup_high,own,"
          "own_low,own_high,efficiency,karp_flatt,concurrency,parallelism,converged,computation,load_balance,"
          "communication,share_of_core,scheduling,command,user_s,system_s,tasks,peak_memory_bytes\n",
          file);
    for (int p = 0; p < count; p++)
        for (int c = 0; c < parts[p].curves->count; c++)
            for (int i = 0; i < parts[p].curves->curves[c].count; i++)
                csv_point(file, parts[p].curves, &parts[p].curves->curves[c].points[i]);
    return 0;
}

static void csv_messages(FILE *file, const struct curves *curves, const struct group *group)
{
    struct messages messages;
    if (!messages_of(group, &messages) || !messages.judged) return;
    for (int i = 0; i < messages.count; i++) {
        const struct network_point *point = &messages.points[i];
        csv_config(file, curves, &group->config);
        fprintf(file, ",%d", group->config.mode.ranks);
        csv_number(file, point->bytes);
        csv_number(file, point->messages);
        csv_number(file, point->time_s);
        csv_number(file, point->bandwidth);
        csv_number(file, messages.fit.latency_s);
        csv_number(file, messages.fit.bandwidth);
        fputc('\n', file);
    }
}

int export_messages(FILE *file, int count, const struct study_part parts[])
{
    fputs("machine,kernel,variant,size,options,seed,isa,mode,ranks,bytes,messages,time_s,bytes_per_s,"
          "fitted_latency_s,fitted_bytes_per_s\n",
          file);
    for (int p = 0; p < count; p++)
        for (int c = 0; c < parts[p].curves->count; c++)
            for (int i = 0; i < parts[p].curves->curves[c].count; i++)
                csv_messages(file, parts[p].curves, parts[p].curves->curves[c].points[i].group);
    return 0;
}

void export_markdown_text(FILE *file, const char *text)
{
    for (; *text; text++) {
        if (strchr("|\\`*_<>[]", *text)) fputc('\\', file);
        bool two = (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
        fputc((unsigned char)*text < ' ' || *text == 0x7f || two ? ' ' : *text, file);
        text += two; /* a control character of two bytes */
    }
}

/* " 1.97 (1.95 to 1.98) |" */
static void markdown_spread(FILE *file, const struct spread *spread,
                            const char *(*format)(double value, size_t length, char *text))
{
    char middle[32], low[32], high[32];
    fprintf(file, " %s", format(spread->middle, sizeof middle, middle));
    if (spread->interval && spread->low < spread->high)
        fprintf(file, " (%s to %s)", format(spread->low, sizeof low, low), format(spread->high, sizeof high, high));
    fputs(" |", file);
}

static void markdown_point(FILE *file, const struct study_problem *problem, const struct curve *curve,
                           const struct curve_point *point)
{
    char name[96], text[32];
    fputs("| ", file);
    export_markdown_text(file, study_curve_name(problem, curve, sizeof name, name));
    fprintf(file, " | %d | ", point->workers);
    fprintf(file, curve_is_timings(curve->config) ? "- |" : "%d |", point->cpus);
    markdown_spread(file, &point->wall_s, format_time);
    fprintf(file, " %s |", format_in_unit(point->rate.middle, &problem->unit, sizeof text, text));
    markdown_spread(file, &point->speedup, format_ratio);
    fprintf(file, " %s |", format_share(point->efficiency.middle, sizeof text, text));
    markdown_spread(file, &point->own, format_ratio);
    fprintf(file, " %d | %s |\n", point->valid, point->converged ? "" : "not converged");
}

static void markdown_problem(FILE *file, const struct study_problem *problem)
{
    char what[640];
    fputs("### ", file);
    export_markdown_text(file, study_describe(problem, sizeof what, what));
    study_timed_text(problem, sizeof what, what);
    fputs(*what ? "\n\n" : "", file);
    export_markdown_text(file, what);
    fprintf(file,
            "\n\n| mode | workers | cores | time (95 %%) | %s | speedup (95 %%) | efficiency | own (95 %%) | launches "
            "| |\n|:---|---:|---:|---:|---:|---:|---:|---:|---:|:---|\n",
            problem->unit.name);
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++)
            markdown_point(file, problem, &problem->curves[c], &problem->curves[c].points[i]);
    fputc('\n', file);
}

int export_markdown(FILE *file, int count, const struct study_part parts[])
{
    struct study_problem problem;
    for (int p = 0; p < count; p++) {
        if (*parts[p].curves->machine) {
            fputs("## ", file);
            export_markdown_text(file, parts[p].curves->machine);
            fputs("\n\n", file);
        }
        for (int c = 0; c < parts[p].curves->count; c += problem.count) {
            study_problem_at(parts[p].curves, c, &problem);
            markdown_problem(file, &problem);
        }
    }
    return 0;
}
