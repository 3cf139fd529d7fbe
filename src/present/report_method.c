/* How it was measured: the plan, what does not count and why, how steady the machine was, the clock, and what is done
 * for each of twelve rules. Of somebody else's times none of that is known, and that is said. */
#include "report_study.h"
#include "rules.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static void write_sentences(FILE *file, const char *text)
{
    char begun[2] = {(char)toupper((unsigned char)text[0]), '\0'};
    if (!*text) return;
    html_write(file, "<p>%s", begun);
    html_sentence(file, text + 1);
    fputs("</p>\n", file);
}

static int count_blocks(const struct results *results)
{
    int last = -1;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++)
            if (results->groups[g].samples[s].block > last) last = results->groups[g].samples[s].block;
    return last + 1;
}

static void write_plan(FILE *file, const struct study_part *part)
{
    const json_t *study = part->results->study;
    const struct curves *curves = part->curves;
    int least = (int)json_integer_value(json_object_get(study, "runs_min"));
    int most = (int)json_integer_value(json_object_get(study, "runs_max"));
    const char *seed = json_string_value(json_object_get(study, "seed"));
    char asked[32];
    html_write(file, "<p>%d launches in %d blocks; %d of them count. ",
               curves->valid + curves->invalid + curves->not_judged, count_blocks(part->results), curves->valid);
    if (!study)
        fputs("No study made this record: how often each configuration was launched was up to whoever ran it.", file);
    else if (least == most)
        html_write(file, "Each configuration was to be launched %d times, a number that was fixed beforehand.", least);
    else
        html_write(file,
                   "Each configuration was to be launched %d to %d times, until its interval was within %s to either "
                   "side; the bases, as long as anything was launched.",
                   least, most, format_share(curves->precision, sizeof asked, asked));
    if (seed) html_write(file, " The order in each block follows from the seed %s.", seed);
    fputs("</p>\n", file);
}

static void write_steadiness(FILE *file, const struct curves *curves)
{
    char text[512], low[32], high[32];
    study_drift_text(curves, sizeof text, text);
    if (!*text && isfinite(curves->reference_low))
        snprintf(
            text, sizeof text,
            "A loop that is always the same, before and after each block, ran at %s to %s of its median speed: the "
            "machine was steady.",
            format_share(curves->reference_low, sizeof low, low),
            format_share(curves->reference_high, sizeof high, high));
    if (!*text)
        snprintf(text, sizeof text,
                 "No reference loop was run: how much the machine's own speed varied meanwhile is not known.");
    write_sentences(file, text);
}

static void write_left_out(FILE *file, const struct html_place *place, const struct study_part *part)
{
    struct study_reasons reasons;
    study_count_reasons(part->curves->count, part->curves->curves, &reasons);
    html_write_heading(file, place, "What was left out, and why");
    if (part->results->torn)
        fputs("<p>The last line of the record is torn off: the measurement was ended in the middle of it.</p>\n", file);
    if (reasons.count == 0) {
        fputs("<p>Nothing: every sample of the record is valid, and enters the numbers.</p>\n", file);
        return;
    }
    fputs("<div class=\"narrow\">\n", file);
    html_open_table(file, "Samples that do not count");
    fputs("<thead><tr><th scope=\"col\">Samples</th><th scope=\"col\" class=\"left\">Judged</th><th scope=\"col\" "
          "class=\"left\">Reason (of the first of them)</th></tr></thead>\n<tbody>\n",
          file);
    for (int r = 0; r < reasons.count; r++)
        html_write(
            file,
            "<tr><th scope=\"row\">%d</th><td class=\"left\">%s</td><td class=\"words\"><div>%s</div></td></tr>\n",
            reasons.reasons[r].count, reasons.reasons[r].validity == SAMPLE_INVALID ? "invalid" : "not judged",
            *reasons.reasons[r].text ? reasons.reasons[r].text : "no reason was recorded");
    html_close_table(file);
    fputs("</div>\n", file);
    if (reasons.others > 0) html_write(file, "<p>%d more, for other reasons.</p>\n", reasons.others);
}

static void write_rules(FILE *file, const struct html_place *place)
{
    html_write_heading(file, place, "Twelve rules, and what is done for each");
    fputs("<p>The rules are those of Hoefler and Belli: Scientific benchmarking of parallel computing systems "
          "(SC15).</p>\n",
          file);
    fputs("<div class=\"narrow\">\n", file);
    html_open_table(file, "The twelve rules");
    fputs("<thead><tr><th scope=\"col\">Rule</th><th scope=\"col\" class=\"left\">It asks</th><th scope=\"col\" "
          "class=\"left\">Here</th><th scope=\"col\" class=\"left\">To be seen in</th></tr></thead>\n<tbody>\n",
          file);
    for (int r = 0; measurement_rules[r].rule; r++) {
        const char *const texts[] = {measurement_rules[r].rule, measurement_rules[r].here, measurement_rules[r].see};
        html_write(file, "<tr><th scope=\"row\">%d</th>", r + 1);
        for (int t = 0; t < 3; t++) {
            fputs("<td class=\"words\"><div>", file);
            report_write_marked(file, texts[t]);
            fputs("</div></td>", file);
        }
        fputs("</tr>\n", file);
    }
    html_close_table(file);
    fputs("</div>\n", file);
}

static void write_clock_of_kernels(FILE *file)
{
    fputs("<p>A time is that from the common start to the last worker's end of work, on each node by the clock "
          "CLOCK_MONOTONIC; over several nodes the longest. Starting programs, allocating memory and checking the "
          "answer are not part of it. Workers were bound to their cores before the run, and it was checked afterwards "
          "where they had been. Every answer was checked; a wrong one has no time. Outliers are kept, and counted "
          "below the tables.</p>\n",
          file);
}

/* As the first sample that tells it says. */
static const char *find_check(const struct study_problem *problem)
{
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct group *group = problem->curves[c].points[i].group;
            for (int s = 0; s < group->count; s++)
                if (*group->samples[s].check_detail) return group->samples[s].check_detail;
        }
    return "";
}

/* Each with its own way to be timed and checked. */
static void write_clock_of_command(FILE *file, const struct study_problem *problem)
{
    const struct config *config = problem->curves->config;
    char time[400], target[400];
    bool process = strcmp(config->command.time, "process") == 0;
    html_write(file, "<p>A time of <code>%s</code> is of %s", target_text(config, 100, sizeof target, target),
               target_time_text(config, sizeof time, time));
    fputs(process ? ", by the clock CLOCK_MONOTONIC: starting up, reading input and writing results are part of it. "
                  : "; CPU times, waits and memory are of the whole process all the same. ",
          file);
    fputs(config->command.bind
              ? "Its tasks were kept on the CPUs of the mode, and where the kernel's context-switch records could be "
                "had, it was checked that none ran elsewhere and what else ran there meanwhile. "
              : "Its tasks were not bound: the system, or the command itself, chose where they ran. ",
          file);
    html_write(file, "What was checked of its answer, in one of the launches: %s. ",
               *find_check(problem) ? find_check(problem) : "nothing is recorded");
    fputs("Outliers are kept, and counted below the tables.</p>\n", file);
}

static void write_clocks(FILE *file, const struct study_part *part)
{
    struct study_problem problem;
    bool told = false;
    for (int next = 0; report_next_problem(part, &next, &problem);) {
        if (study_is_command(&problem))
            write_clock_of_command(file, &problem);
        else if (!told)
            write_clock_of_kernels(file);
        told |= !study_is_command(&problem);
    }
    if (part->curves->count == 0) write_clock_of_kernels(file);
}

void report_write_method_of_study(FILE *file, const struct html_place *place, const struct study_part *part)
{
    char text[1024];
    html_open_section(file, place, "method", "How it was measured");
    write_sentences(file, study_method_text(part->curves, sizeof text, text));
    if (study_all_timings(part->curves)) {
        fputs("<p>The machine, the program and its placement, the clock and what ran beside it are not known from a "
              "list of times, so the twelve rules for such measurements cannot be checked here.</p>\n</section>\n",
              file);
        return;
    }
    write_plan(file, part);
    write_clocks(file, part);
    write_steadiness(file, part->curves);
    write_left_out(file, place, part);
    write_rules(file, place);
    fputs("</section>\n", file);
}
