/* Figures with a bar for each configuration, one under the other: rates beside the ceilings of the cores, and what each
 * speedup lost to what.
 *
 * The loss: a bar ends at what would have been reached without any loss, as a share of the ideal (P, over the base's
 * workers): 1 times all factors above 1. What lies between that and what was measured is divided among the factors
 * below 1 in proportion to their logarithms, as they multiply; where the measured speedup is less than their product,
 * the rest is named as unexplained. */
#include "plot_script.h"

#include <math.h>
#include <string.h>

/* Of a telephone's page: fewer tics along the bars. */
enum { NARROW = 500 };

/* Under this share of the ideal, no number is written into a part. */
static const double part_with_text = 0.07, unexplained_least = 0.02;

/* Rates and ceilings */

static double sample_ceiling(const struct sample *sample)
{
    return isnan(sample_ceiling_share(sample)) ? NAN : sample->ceiling_rate;
}

static double ceiling_of(const struct curve_point *point)
{
    return group_median(point->group, ANY_BLOCK, sample_ceiling);
}

static double ceiling_share(const struct curve_point *point)
{
    return group_median(point->group, ANY_BLOCK, sample_ceiling_share);
}

static bool shows_rate(const struct curve *curve, const struct curve_point *point)
{
    (void)curve;
    double rate = point->rate.middle, ceiling = ceiling_of(point);
    return point->valid > 0 && rate > 0 && isfinite(rate) && ceiling > 0 && isfinite(ceiling);
}

static bool has_roofline(const struct plot_subject *subject, size_t length, char *reason_p)
{
    struct plot_rows rows;
    plot_find_rows(subject, shows_rate, &rows);
    if (rows.count == 0) snprintf(reason_p, length, "no ceiling is known for this kind of work, or no rate is valid");
    return rows.count > 0;
}

static const char *ceiling_name(const struct plot_rows *rows)
{
    const struct group *group = rows->rows[0].point->group;
    for (int s = 0; s < group->count; s++)
        if (*group->samples[s].ceiling) return group->samples[s].ceiling;
    return "";
}

static void write_rates(FILE *file, const struct plot_rows *rows, double unit)
{
    fputs("$rate << EOD\n", file);
    for (int i = 0; i < rows->count; i++) {
        const struct curve_point *point = rows->rows[i].point;
        fprintf(file, "%.9g %.9g %.9g\n", rows->rows[i].at, point->rate.middle / unit, ceiling_of(point) / unit);
    }
    fputs("EOD\n$interval << EOD\n", file);
    for (int i = 0; i < rows->count; i++) {
        const struct spread *rate = &rows->rows[i].point->rate;
        if (rate->interval && rate->low > 0 && isfinite(rate->high))
            fprintf(file, "%.9g %.9g %.9g %.9g\n", rate->middle / unit, rows->rows[i].at, rate->low / unit,
                    rate->high / unit);
    }
    fputs("EOD\n", file);
}

static void write_shares(FILE *file, const struct plot_rows *rows, double unit, const struct plot_look *look)
{
    for (int i = 0; i < rows->count; i++) {
        const struct curve_point *point = rows->rows[i].point;
        char share[32];
        fputs("set label ", file);
        plot_quote(file, format_share(ceiling_share(point), sizeof share, share));
        double right = fmax(ceiling_of(point), point->rate.interval ? point->rate.high : point->rate.middle);
        fprintf(file, " at %.9g,%.9g left offset 0.8,0 noenhanced textcolor rgb \"#%06x\"\n", right / unit,
                rows->rows[i].at, look->ink);
    }
}

static int script_roofline(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    const struct plot_look *look = frame->look;
    struct plot_rows rows;
    struct rate_unit unit;
    char title[384], axis[80];
    double top = 0;
    plot_find_rows(subject, shows_rate, &rows);
    for (int i = 0; i < rows.count; i++) {
        const struct curve_point *point = rows.rows[i].point;
        top =
            fmax(top, fmax(ceiling_of(point),
                           point->rate.interval && isfinite(point->rate.high) ? point->rate.high : point->rate.middle));
    }
    rate_unit_for(top, rows.rows[0].point->group->samples->work_unit, &unit);
    plot_problem_title(subject, frame, "Rate and ceiling", sizeof title, title);
    plot_write_settings(file, frame, title);
    const struct plot_axis x = {.name = 'x', .high = 1.12 * top / unit.rate, .steps = frame->width < NARROW ? 4 : 0};
    snprintf(axis, sizeof axis, "rate, %s", unit.name);
    plot_write_axis(file, &x, axis, plot_label_number);
    plot_write_rows(file, subject, &rows);
    write_shares(file, &rows, unit.rate, look);
    write_rates(file, &rows, unit.rate);
    fputs("plot $rate using (0):1:(0):2:($1-0.3):($1+0.3) with boxxyerror fs solid 1 noborder", file);
    plot_colour(file, look->series[0], 1);
    fputs(" notitle, \\\n    $rate using 3:1:(0):(0.42) with vectors nohead lw 2.6", file);
    plot_colour(file, look->series[1], 1);
    fputs(" notitle, \\\n    $rate using 3:1:(0):(-0.42) with vectors nohead lw 2.6", file);
    plot_colour(file, look->series[1], 1);
    fputs(" notitle, \\\n    $interval using 1:2:3:4 with xerrorbars pt 7 ps 0 lw 1.2", file);
    plot_colour(file, look->ink, 1);
    fputs(" notitle\n", file);
    return 0;
}

static void caption_roofline(const struct plot_subject *subject, size_t length, char *text)
{
    struct plot_rows rows;
    char launches[48], left_out[96] = "";
    plot_find_rows(subject, shows_rate, &rows);
    if (rows.left_out > 0)
        snprintf(left_out, sizeof left_out, " %d more are not shown, or have no ceiling.", rows.left_out);
    snprintf(
        text, length,
        "Bars: median rates over %s, with the 95 %% interval of the median by order statistics; marks: the ceiling "
        "that the same launches measured on the same cores (%s), and the median share of it that was reached.%s",
        plot_launches(subject, sizeof launches, launches), rows.count > 0 ? ceiling_name(&rows) : "", left_out);
}

static int area_roofline(const struct plot_subject *subject)
{
    struct plot_rows rows;
    plot_find_rows(subject, shows_rate, &rows);
    return plot_rows_area(&rows);
}

static void key_roofline(const struct plot_subject *subject, const struct plot_look *look, struct plot_key *key_p)
{
    (void)subject;
    plot_key_add(key_p, PLOT_MARK_BOX, 0, 0, look->series[0], "measured");
    plot_key_add(key_p, PLOT_MARK_LINE, 0, 0, look->series[1], "ceiling, and the share of it");
    plot_key_add(key_p, PLOT_MARK_LINE, 0, 0, look->ink, "95 % interval");
}

/* Losses */

enum { PART_REACHED, PART_FACTORS, PART_UNEXPLAINED = PART_FACTORS + FACTOR_COUNT, PART_COUNT };

/* Shares of the ideal; returns false where a factor is not known. */
static bool find_parts(const struct factors *factors, double parts_p[PART_COUNT])
{
    double reached = factors->speedup / factors->scale, top = 0, lost = 0, losses[FACTOR_COUNT];
    for (int f = 0; f < FACTOR_COUNT; f++) {
        double logarithm = log(factors->value[f]);
        if (!isfinite(logarithm)) return false;
        losses[f] = fmax(-logarithm, 0);
        lost += losses[f];
        top += fmax(logarithm, 0);
    }
    top = exp(top);
    if (!(reached > 0) || !isfinite(reached) || !isfinite(top)) return false;
    double all = log(fmax(top / reached, 1)), unexplained = all - lost > unexplained_least ? all - lost : 0;
    double scale = lost + unexplained > 0 ? fmax(top - reached, 0) / (lost + unexplained) : 0;
    parts_p[PART_REACHED] = reached;
    for (int f = 0; f < FACTOR_COUNT; f++) parts_p[PART_FACTORS + f] = losses[f] * scale;
    parts_p[PART_UNEXPLAINED] = unexplained * scale;
    return true;
}

static bool shows_parts(const struct curve *curve, const struct curve_point *point)
{
    double parts[PART_COUNT];
    bool base = point->group == (curve->serial ? curve->serial : curve->own); /* of itself it loses nothing */
    return !curve_is_timings(curve->config) && point->valid > 0 && !base && point->workers > 1 &&
           point->factors.blocks > 0 && find_parts(&point->factors, parts);
}

static bool has_decomposition(const struct plot_subject *subject, size_t length, char *reason_p)
{
    struct plot_rows rows;
    plot_find_rows(subject, shows_parts, &rows);
    if (rows.count == 0)
        snprintf(reason_p, length, "no configuration of several workers has a valid speedup and its workers' times");
    return rows.count > 0;
}

static const char *part_name(int part)
{
    return part == PART_REACHED       ? "reached"
           : part == PART_UNEXPLAINED ? "unexplained"
                                      : factor_name((enum factor)(part - PART_FACTORS));
}

/* Which of the parts can be seen at all. */
static void find_used(const struct plot_rows *rows, bool used_p[PART_COUNT])
{
    for (int i = 0; i < rows->count; i++) {
        double parts[PART_COUNT] = {0};
        find_parts(&rows->rows[i].point->factors, parts);
        for (int part = 0; part < PART_COUNT; part++) used_p[part] |= parts[part] > 0.0005;
    }
}

/* Returns where the longest bar ends, or 1. */
static double write_parts(FILE *file, const struct plot_rows *rows)
{
    double top = 1;
    fputs("$parts << EOD\n", file);
    for (int i = 0; i < rows->count; i++) {
        double parts[PART_COUNT] = {0}, end = 0;
        find_parts(&rows->rows[i].point->factors, parts);
        fprintf(file, "%.9g", rows->rows[i].at);
        for (int part = 0; part < PART_COUNT; part++) {
            fprintf(file, " %.9g", end);
            end += parts[part];
        }
        fprintf(file, " %.9g\n", end);
        top = fmax(top, end);
    }
    fputs("EOD\n", file);
    return top;
}

/* "3.40 of 4" into the reached part or behind the bar, and shares of the ideal into the others. */
static void write_numbers(FILE *file, const struct plot_row *row, const struct plot_look *look)
{
    const struct factors *factors = &row->point->factors;
    double parts[PART_COUNT] = {0}, end = 0;
    char text[64], speedup[32], scale[32];
    find_parts(factors, parts);
    for (int part = 0; part < PART_COUNT; part++) {
        double middle = end + parts[part] / 2;
        end += parts[part];
        if (part == PART_REACHED || parts[part] < part_with_text) continue;
        snprintf(text, sizeof text, "%.0f %%", 100 * parts[part]);
        fputs("set label ", file);
        plot_quote(file, text);
        fprintf(file, " at %.9g,%.9g center front noenhanced font ',11' textcolor rgb \"#000000\"\n", middle, row->at);
    }
    snprintf(scale, sizeof scale, "%.4g", factors->scale);
    snprintf(text, sizeof text, "%s of %s", format_ratio(factors->speedup, sizeof speedup, speedup), scale);
    fputs("set label ", file);
    plot_quote(file, text);
    fprintf(file, " at %.9g,%.9g left offset 0.8,0 noenhanced textcolor rgb \"#%06x\"\n", end, row->at, look->ink);
}

static unsigned part_colour(const struct plot_look *look, int part)
{
    /* Dark, then ever lighter ones, told apart in grey too. */
    static const int series[PART_COUNT] = {[PART_REACHED] = 0,
                                           [PART_FACTORS + FACTOR_COMPUTATION] = 2,
                                           [PART_FACTORS + FACTOR_BALANCE] = 3,
                                           [PART_FACTORS + FACTOR_COMMUNICATION] = 4,
                                           [PART_FACTORS + FACTOR_SHARE] = 5};
    return part == PART_UNEXPLAINED ? look->line : look->series[series[part]];
}

static int script_decomposition(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    struct plot_rows rows;
    char title[384];
    bool used[PART_COUNT] = {false};
    plot_find_rows(subject, shows_parts, &rows);
    plot_problem_title(subject, frame, "What the speedup lost", sizeof title, title);
    plot_write_settings(file, frame, title);
    find_used(&rows, used);
    double top = write_parts(file, &rows);
    const struct plot_axis x = {.name = 'x', .high = 1.2 * top, .last = top, .steps = frame->width < NARROW ? 3 : 0};
    plot_write_axis(file, &x, "share of the ideal speedup", plot_label_share);
    plot_write_rows(file, subject, &rows);
    for (int i = 0; i < rows.count; i++) write_numbers(file, &rows.rows[i], frame->look);
    fprintf(file, "set arrow 1 from 1, graph 0 to 1, graph 1 nohead front lw 1 dt 3");
    plot_colour(file, frame->look->ink, 1);
    fputs("\nplot", file);
    for (int part = 0, count = 0; part < PART_COUNT; part++) {
        if (!used[part]) continue;
        fprintf(file, "%s $parts using (0):1:%d:%d:($1-0.36):($1+0.36) with boxxyerror fs solid 1 noborder",
                count++ ? ", \\\n   " : "", part + 2, part + 3);
        plot_colour(file, part_colour(frame->look, part), 1);
        fputs(" notitle", file);
    }
    fputc('\n', file);
    return 0;
}

static void caption_decomposition(const struct plot_subject *subject, size_t length, char *text)
{
    struct plot_rows rows;
    char left_out[96] = "";
    const char *gain = "";
    plot_find_rows(subject, shows_parts, &rows);
    for (int i = 0; i < rows.count; i++)
        for (int f = 0; f < FACTOR_COUNT; f++)
            if (rows.rows[i].point->factors.value[f] > 1.02)
                gain = " A bar beyond 100 %: a factor is a gain, most often work that costs less CPU time than in the "
                       "base.";
    if (rows.left_out > 0)
        snprintf(left_out, sizeof left_out, " %d more are not shown, or their workers' times are not known.",
                 rows.left_out);
    snprintf(
        text, length,
        "From the left: the measured speedup as a share of the ideal, which is the number of workers (over the "
        "base's); then what was lost, divided among the factors by their logarithms, since they multiply. Medians; "
        "the numbers say the measured speedup of the ideal one.%s%s",
        gain, left_out);
}

static int area_decomposition(const struct plot_subject *subject)
{
    struct plot_rows rows;
    plot_find_rows(subject, shows_parts, &rows);
    return plot_rows_area(&rows);
}

static void key_decomposition(const struct plot_subject *subject, const struct plot_look *look, struct plot_key *key_p)
{
    struct plot_rows rows;
    bool used[PART_COUNT] = {false};
    plot_find_rows(subject, shows_parts, &rows);
    find_used(&rows, used);
    for (int part = 0; part < PART_COUNT; part++)
        if (used[part]) plot_key_add(key_p, PLOT_MARK_BOX, 0, 0, part_colour(look, part), part_name(part));
}

const struct plot_figure plot_figure_roofline = {"roofline",      "Rate and ceiling", has_roofline, caption_roofline,
                                                 script_roofline, area_roofline,      key_roofline};
const struct plot_figure plot_figure_decomposition = {
    "decomposition",      "What the speedup lost", has_decomposition, caption_decomposition,
    script_decomposition, area_decomposition,      key_decomposition};
