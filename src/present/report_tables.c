/* The report's sections that are made of the records: numbers, answers, what was left out.
 */
#include "../analyse/group.h"
#include "html.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void write_number_row(FILE *file, const struct lesson_row *row)
{
    char scene[96], text[64], low[32], high[32];
    html_write(file, "<tr><th scope=\"row\">%s</th>", scene_describe(row, sizeof scene, scene));
    if (row->valid_count == 0) {
        html_write(file, "<td class=\"words warn\" colspan=\"6\"><div>no valid measurement: %s</div></td></tr>\n",
                   row->reason[0] != '\0' ? row->reason : "not measured");
        return;
    }
    html_write(file, "<td>%s", format_time(row->wall_s, sizeof text, text));
    double share = group_median(row->group, ANY_BLOCK, sample_ceiling_share);
    if (isfinite(share))
        html_write(file, "<div class=\"range\">%s of the peak</div>", format_share(share, sizeof text, text));
    fputs("</td>", file);
    html_write(file, "<td>%s", format_ratio(row->speedup, sizeof text, text));
    if (row->base == row->group) {
        fputs(" <span class=\"range\">(base)</span>", file);
    } else if (row->speedup_low < row->speedup_high) {
        html_write(file, " <span class=\"range\">(%s to %s)</span>", format_ratio(row->speedup_low, sizeof low, low),
                   format_ratio(row->speedup_high, sizeof high, high));
    } else if (!isfinite(row->speedup)) {
        html_write(file, "<div class=\"range why\">%s</div>", row->reason);
    }
    html_write(file, "</td><td>%s</td>", format_ratio(row->concurrency, sizeof text, text));
    html_write(file, "<td>%s</td>", format_ratio(row->parallelism, sizeof text, text));
    html_write(file, "<td>%s</td>", format_share(row->wait_share, sizeof text, text));
    html_write(file, "<td>%s</td></tr>\n", format_count(row->switches_per_s, sizeof text, text));
}

static void write_number_table(FILE *file, const struct lesson *lesson, int first)
{
    char label[192];
    snprintf(label, sizeof label, "%s, variant %s, size %s", lesson->rows[first].kernel, lesson->rows[first].variant,
             lesson->rows[first].size);
    html_open_table(file, label);
    fputs("<thead><tr><th scope=\"col\">Scene</th><th scope=\"col\">Time</th><th scope=\"col\">Speedup (interval)</th>"
          "<th scope=\"col\">Concur&#173;rency</th><th scope=\"col\">Parallel&#173;ism</th>"
          "<th scope=\"col\">In the run queue</th><th scope=\"col\">Switches a second</th></tr></thead>\n<tbody>\n",
          file);
    for (int i = first; i < lesson->row_count; i++) {
        if (scene_same_set(&lesson->rows[i], &lesson->rows[first])) write_number_row(file, &lesson->rows[i]);
    }
    html_close_table(file);
}

void report_write_numbers(FILE *file, const struct lesson *lesson)
{
    fputs("<section aria-labelledby=\"numbers\">\n<h2 id=\"numbers\">The numbers</h2>\n"
          "<p>Medians of the valid samples. The speedup is against one task alone, in brackets its 95&#160;% "
          "confidence interval, or with fewer than 6 pairs the lowest and highest "
          "value. <em>The peak</em> is what the same cores could do at that moment with operands in registers alone. "
          "<em>In the run queue</em> is the share of the tasks' time in which they were ready to run but had no "
          "core.</p>\n",
          file);
    for (int waiting = 0; waiting < 2; waiting++) {
        for (int i = 0; i < lesson->row_count; i++) {
            if (scene_starts_set(lesson, i) && lesson->rows[i].waits == (waiting == 1)) {
                write_number_table(file, lesson, i);
            }
        }
    }
    fputs("</section>\n", file);
}

static int count_correct(const struct group *group)
{
    int correct = 0;
    for (int i = 0; i < group->count; i++) correct += group->samples[i].correct;
    return correct;
}

static int count_answers(const struct group *group)
{
    int answers = 0;
    for (int i = 0; i < group->count; i++) answers += !sample_failed(&group->samples[i]);
    return answers;
}

static bool is_exact(const struct lesson_row *row)
{
    const struct kernel *kernel = kernel_find(row->kernel);
    const struct variant *variant = kernel != NULL ? kernel_find_variant(kernel, row->variant) : NULL;
    return variant == NULL || variant->exact;
}

static void write_answer_row(FILE *file, const struct lesson_row *row)
{
    int correct = count_correct(row->group);
    char scene[96], checksum[32] = "-";
    const char *same = row->checksums_agree ? "yes" : is_exact(row) ? "NO" : "not promised";
    if (correct > 0) snprintf(checksum, sizeof checksum, "%016" PRIx64, row->checksum);
    html_write(file, "<tr><th scope=\"row\">%s %s: %s</th><td>%s</td><td><code>%s</code></td><td>%d of %d</td></tr>\n",
               row->kernel, row->variant, scene_describe(row, sizeof scene, scene), correct > 0 ? same : "-", checksum,
               correct, count_answers(row->group));
}

void report_write_answers(FILE *file, const struct lesson *lesson)
{
    bool differ = false;
    for (int i = 0; i < lesson->row_count; i++)
        differ |= !lesson->rows[i].checksums_agree && is_exact(&lesson->rows[i]);
    fputs("<section aria-labelledby=\"answers\">\n<h2 id=\"answers\">The same answer everywhere</h2>\n"
          "<p>A fast wrong answer is worth nothing. Every run checked its own result, and the checksum is made of its "
          "exact bits. However many tasks shared the work, and on however many cores, it has to be the same.</p>\n",
          file);
    if (differ) fputs("<p class=\"warn\">Here the answers differ between modes: do not trust these times.</p>\n", file);
    html_open_table(file, "Checksums of the answers");
    fputs("<thead><tr><th scope=\"col\">Scene</th><th scope=\"col\">Same bits</th><th scope=\"col\">Checksum</th>"
          "<th scope=\"col\">Right answers</th></tr></thead>\n<tbody>\n",
          file);
    for (int i = 0; i < lesson->row_count; i++) write_answer_row(file, &lesson->rows[i]);
    html_close_table(file);
    fputs("</section>\n", file);
}

static bool same_exclusion(const struct sample *a, const struct sample *b)
{
    return a->validity == b->validity && reason_is_same(a->invalid_reason, b->invalid_reason);
}

/* Tells the reason of sample `first` for all samples of the group that share it, unless an earlier one did. */
static void write_exclusion(FILE *file, const struct group *group, int first)
{
    const struct sample *sample = &group->samples[first];
    int count = 0;
    for (int i = 0; i < group->count; i++) {
        bool same = same_exclusion(&group->samples[i], sample);
        if (same && i < first) return;
        count += same;
    }
    html_write(file, "<li>%d %s%s: %s</li>\n", count, sample->validity == SAMPLE_INVALID ? "not valid" : "not judged",
               count > 1 ? ", such as" : "",
               sample->invalid_reason[0] != '\0' ? sample->invalid_reason : "no reason was recorded");
}

/* The samples of a row that entered no number, with their reasons. Returns how many. */
static int write_excluded(FILE *file, const struct lesson_row *row)
{
    int excluded = row->invalid_count + row->not_judged_count;
    if (excluded == 0) return 0;
    char scene[96];
    html_write(file, "<li>%s, %s: %d of %d samples are not used.\n<ul>\n", row->kernel,
               scene_describe(row, sizeof scene, scene), excluded, excluded + row->valid_count);
    for (int i = 0; i < row->group->count; i++) {
        if (row->group->samples[i].validity != SAMPLE_VALID) write_exclusion(file, row->group, i);
    }
    fputs("</ul></li>\n", file);
    return excluded;
}

static const char *absence_reason(enum mode_name mode, const json_t *context, const struct lesson *lesson)
{
    const char *mpi_reason = json_string_value(json_object_get(json_object_get(context, "mpi"), "reason"));
    bool several_cores = mode == MODE_THREADS || mode == MODE_MPI;
    if (several_cores && lesson->cores == 1) return "it takes at least two cores, and this program may use one";
    if (mode_needs_mpi(mode) && mpi_reason != NULL && mpi_reason[0] != '\0') return mpi_reason;
    return "the records hold no such run";
}

static int write_absent_modes(FILE *file, const json_t *context, const struct lesson *lesson)
{
    int absent = 0;
    for (enum mode_name mode = MODE_SERIAL; mode < MODE_HYBRID; mode++) {
        bool found = false;
        for (int i = 0; i < lesson->row_count; i++) found |= lesson->rows[i].mode == mode;
        if (found) continue;
        html_write(file, "<li>Mode %s: %s.</li>\n", mode_name_text(mode), absence_reason(mode, context, lesson));
        absent++;
    }
    return absent;
}

void report_write_left_out(FILE *file, const struct results *results, const struct lesson *lesson)
{
    fputs("<section aria-labelledby=\"left-out\">\n<h2 id=\"left-out\">What was left out, and why</h2>\n<ul>\n", file);
    int items = 0;
    for (int i = 0; i < lesson->row_count; i++) items += write_excluded(file, &lesson->rows[i]);
    items += write_absent_modes(file, results->context, lesson);
    if (results->torn) {
        items++;
        fputs("<li>The last line of the record is torn off: the measurement was ended in the middle of it.</li>\n",
              file);
    }
    if (items == 0) fputs("<li>Nothing: every sample was valid, and every mode of the lesson was run.</li>\n", file);
    fputs("</ul>\n</section>\n", file);
}
