/* The verdict in plain sentences: the best speedup that was shown and what it falls short of, what each mode came to,
 * and how sure all that is. What is not shown is not claimed. */
#include "report_study.h"

#include <math.h>
#include <string.h>

struct best {
    const struct curve *curve;
    const struct curve_point *point;
    const struct spread *speedup; /* against the best serial program, else against the fewest workers of the mode */
};

/* The fastest with several workers, whatever its mode; point NULL where none has a speedup. */
static struct best find_best(const struct study_problem *problem)
{
    struct best best = {0};
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        for (int i = 0; i < curve->count; i++) {
            const struct curve_point *point = &curve->points[i];
            const struct spread *speedup = curve->serial ? &point->speedup : &point->own;
            bool base = !curve->serial && point->group == curve->own;
            if (point->workers < 2 || base || !isfinite(speedup->middle)) continue;
            if (!best.point || speedup->middle > best.speedup->middle) best = (struct best){curve, point, speedup};
        }
    }
    return best;
}

static const char *describe_interval(const struct spread *spread, size_t length, char *text)
{
    char low[32], high[32];
    if (spread->interval)
        snprintf(text, length, "95 %% interval: %s to %s", format_ratio(spread->low, sizeof low, low),
                 format_ratio(spread->high, sizeof high, high));
    else
        snprintf(text, length, "too few launches to say how sure that is");
    return text;
}

/* "4 workers (mode threads) on 2 cores"; of timings "4 workers". */
static const char *describe_point(const struct study_problem *problem, const struct best *best, size_t length,
                                  char *text)
{
    char name[96];
    const struct curve_point *point = best->point;
    study_curve_name(problem, best->curve, sizeof name, name);
    if (curve_is_timings(best->curve->config))
        snprintf(text, length, "%d workers", point->workers);
    else
        snprintf(text, length, "%d workers (%s) on %d core%s", point->workers, name, point->cpus,
                 point->cpus == 1 ? "" : "s");
    return text;
}

static void write_best(FILE *file, const struct study_problem *problem)
{
    char who[160], ratio[32], interval[128], ideal[32], share[32], base[96], text[768];
    struct best best = find_best(problem);
    snprintf(base, sizeof base, study_is_command(problem) ? "the same command for one worker" : "one task alone");
    if (!best.point) {
        fputs("<p class=\"best\">There is no speedup to tell of: it takes a valid time of one task, or of few workers, "
              "and one of more workers.</p>\n",
              file);
        return;
    }
    if (!best.curve->serial)
        snprintf(base, sizeof base, "one worker would be, counted from %d workers, the fewest that were measured,",
                 best.curve->points[0].workers);
    describe_point(problem, &best, sizeof who, who);
    format_ratio(best.speedup->middle, sizeof ratio, ratio);
    describe_interval(best.speedup, sizeof interval, interval);
    if (!best.speedup->interval || best.speedup->low > 1) {
        double most = study_ideal(best.curve, best.point);
        snprintf(ideal, sizeof ideal, "%.3g", most);
        format_share(best.speedup->middle / most, sizeof share, share);
        snprintf(text, sizeof text, "At best, %s did the work %s times as fast as %s (%s): %s of the %s that %s.", who,
                 ratio, base, interval, share, ideal,
                 curve_is_timings(best.curve->config) ? "so many workers would ideally give"
                                                      : "these cores could give");
    } else {
        snprintf(text, sizeof text, "Nothing was shown to be faster than %s: %s came nearest, %s times as fast (%s).",
                 study_is_command(problem) ? base : "one task alone", who, ratio, interval);
    }
    fputs("<p class=\"best\">", file);
    html_sentence(file, text);
    fputs("</p>\n", file);
}

static const struct curve_point *last_point(const struct curve *curve)
{
    const struct curve_point *last = &curve->points[curve->count - 1];
    while (last > curve->points && !isfinite(last->speedup.middle)) last--;
    return last;
}

/* The last with a core for each worker, where more workers than cores follow it; else NULL. */
static const struct curve_point *last_dedicated(const struct curve *curve)
{
    const struct curve_point *found = NULL;
    for (int i = 0; i < curve->count; i++)
        if (curve->points[i].dedicated && curve->points[i].workers > 1 && curve->points[i].factors.blocks > 0)
            found = &curve->points[i];
    return found == &curve->points[curve->count - 1] ? NULL : found;
}

static void write_curve(FILE *file, const struct study_problem *problem, const struct curve *curve)
{
    char name[96], sentence[512];
    const struct curve_point *last = &curve->points[curve->count - 1], *dedicated = last_dedicated(curve);
    if (curve->config->mode.name == MODE_SERIAL || curve_is_timings(curve->config)) return;
    study_curve_name(problem, curve, sizeof name, name);
    html_write(file, "<li><strong>%s</strong> (%s): ", name, target_mode_text(curve->config));
    if (dedicated) {
        html_sentence(file, factors_sentence(&dedicated->factors, dedicated->group, sizeof sentence, sentence));
        fputc(' ', file);
    }
    if (*curve->sentence)
        html_sentence(file, curve->sentence);
    else if (last->valid == 0)
        html_write(file, "no valid time with %d worker%s: %s.", last->workers, last->workers == 1 ? "" : "s",
                   *last->reason ? last->reason : "not measured");
    else
        html_write(file, last->workers > 1 ? "nothing tells where its time went." : "measured with one worker only.");
    fputs("</li>\n", file);
}

/* The lesson itself, where this record shows it: turns brought nothing, cores of their own did. */
static void write_difference(FILE *file, const struct study_problem *problem)
{
    const struct curve_point *turns = NULL, *cores = NULL;
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        const struct curve_point *last = last_point(curve);
        if (last->workers < 2 || !last->speedup.interval || isfinite(curve->waiting_bound)) continue;
        if (study_on_one_core(curve) && last->speedup.high < 1.1) turns = last;
        if (!study_on_one_core(curve) && last->cpus > 1 && last->speedup.low > 1.2) cores = last;
    }
    if (!turns || !cores) return;
    html_write(file,
               "<p>That is the difference between multitasking and multiprocessing: %d tasks that took turns on one "
               "core were done no sooner than one task; with %d cores to run on at the same time, the work was.</p>\n",
               turns->workers, cores->cpus);
}

static void write_certainty(FILE *file, const struct curves *curves)
{
    int points = 0, wide = 0, lost = curves->invalid + curves->not_judged;
    char asked[32];
    for (int c = 0; c < curves->count; c++)
        for (int i = 0; i < curves->curves[c].count; i++) {
            points++;
            wide += !curves->curves[c].points[i].converged;
        }
    format_share(curves->precision, sizeof asked, asked);
    fputs("<p>How sure is that? ", file);
    if (wide == 0)
        html_write(file, "All %d configurations are known to within %s.", points, asked);
    else
        html_write(file, "%d of %d configurations are not known to within %s; the tables mark them.", wide, points,
                   asked);
    if (lost > 0)
        html_write(file, " %d of %d launches do not count; the reasons are told below.", lost, lost + curves->valid);
    if (study_all_timings(curves))
        fputs(" These are times that somebody gave: whether the machine was disturbed meanwhile is not known.", file);
    fputs("</p>\n", file);
}

static void write_problem(FILE *file, const struct html_place *place, const struct study_problem *problem, bool title)
{
    char what[640];
    if (title) html_write_heading(file, place, study_describe(problem, sizeof what, what));
    write_best(file, problem);
    fputs(curve_is_timings(problem->curves->config) ? "" : "<ul>\n", file);
    for (int c = 0; c < problem->count; c++) write_curve(file, problem, &problem->curves[c]);
    fputs(curve_is_timings(problem->curves->config) ? "" : "</ul>\n", file);
    write_difference(file, problem);
}

void report_write_verdict(FILE *file, const struct html_place *place, const struct study_part *part)
{
    struct study_problem problem;
    html_open_section(file, place, "verdict", "The verdict");
    fputs("<div class=\"verdict\">\n", file);
    for (int next = 0; report_next_problem(part, &next, &problem);)
        write_problem(file, place, &problem, problem.count < part->curves->count);
    if (part->curves->count == 0)
        fputs("<p>The record holds no samples.</p>\n", file);
    else
        write_certainty(file, part->curves);
    fputs(
        "</div>\n<p class=\"note\">A <em>worker</em> is a thread or a process that takes a share of the work. "
        "<em>Speedup</em> is how many times as fast the same work was done as by one task alone. An <em>interval</em> "
        "holds the true median with 95&#160;% confidence.</p>\n"
        "</section>\n",
        file);
}
