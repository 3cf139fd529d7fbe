/* What the figures of a problem have in common: which numbers, in which colours, on which rows. */
#include "plot_script.h"

#include "export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMNS = 64, LABEL_COLUMNS = 24, ROW_HEIGHT = 24 };

/* The cores beyond which workers share: where some were made to, on fewer than the machine has, those; else the
 * machine's. Over several nodes only the configurations themselves tell. INFINITY where it is not known. */
double plot_cores(const struct plot_subject *subject)
{
    double cores = subject->curves->cores > 0 ? (double)subject->curves->cores : (double)INFINITY;
    const struct study_problem *problem = subject->problem;
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        if (curve->config->mode.nodes > 1) cores = INFINITY;
    }
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            if (!study_on_one_core(&problem->curves[c]) && point->workers > point->cpus)
                cores = fmin(cores, point->cpus);
        }
    return cores;
}

const char *plot_problem_title(const struct plot_subject *subject, const struct plot_frame *frame, const char *lead,
                               size_t length, char *text)
{
    char name[640], part[288];
    int room = plot_title_columns(frame) - text_width(lead) - 2;
    study_describe_within(subject->problem, room < NAME_COLUMNS ? room : NAME_COLUMNS, sizeof name, name);
    snprintf(text, length, "%s: %s%s", lead, plot_shorten(name, NAME_COLUMNS, sizeof part, part),
             subject->problem->curves->weak ? ", weak scaling" : "");
    return text;
}

const struct spread *plot_speedup(const struct curve *curve, const struct curve_point *point)
{
    return curve->serial ? &point->speedup : &point->own;
}

static double sample_rate_of(const struct sample *sample)
{
    return sample->rate;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Those that can be drawn; of too many the evenly spaced order statistics, the extremes among them. */
static int thin(int count, double values[])
{
    int drawn = 0;
    for (int i = 0; i < count; i++)
        if (values[i] > 0 && isfinite(values[i])) values[drawn++] = values[i];
    if (drawn <= PLOT_DOTS) return drawn;
    qsort(values, (size_t)drawn, sizeof *values, compare_doubles);
    for (int i = 0; i < PLOT_DOTS; i++) values[i] = values[(long)i * (drawn - 1) / (PLOT_DOTS - 1)];
    return PLOT_DOTS;
}

int plot_raw_speedups(const struct curve *curve, const struct curve_point *point, double values_p[])
{
    const struct group *base = curve->serial ? curve->serial : curve->own;
    if (curve_is_timings(curve->config)) return 0; /* they belong to no blocks */
    double workers = curve->serial ? 1 : mode_workers(&base->config.mode);
    int count = group_pair_ratios(base, point->group, sample_rate_of, values_p);
    for (int i = 0; i < count; i++) values_p[i] *= workers;
    return thin(count, values_p);
}

int plot_raw_times(const struct curve_point *point, double values_p[])
{
    return thin(export_launches(point->group, values_p), values_p);
}

double plot_law_end(const struct curve *curve)
{
    if (curve->chosen < 0 || curve->fits[curve->chosen].state != MODEL_FITTED) return NAN;
    return curve->fits[curve->chosen].most_workers;
}

/* The law gives times, which the curve's first point, measured both ways, turns into speedups. */
double plot_law(const struct curve *curve, double workers)
{
    const struct curve_point *first = curve->points;
    if (!(workers <= plot_law_end(curve))) return NAN;
    double work = curve->weak ? workers / first->workers : 1;
    return plot_speedup(curve, first)->middle * work * first->wall_s.middle /
           model_time_s(&curve->fits[curve->chosen], workers);
}

const char *plot_launches(const struct plot_subject *subject, size_t length, char *text)
{
    int least = 0, most = 0;
    for (int c = 0; c < subject->problem->count; c++)
        for (int i = 0; i < subject->problem->curves[c].count; i++) {
            int valid = subject->problem->curves[c].points[i].valid;
            if (valid > 0 && (least == 0 || valid < least)) least = valid;
            if (valid > most) most = valid;
        }
    if (least == most)
        snprintf(text, length, "%d launch%s", most, most == 1 ? "" : "es");
    else
        snprintf(text, length, "%d to %d launches", least, most);
    return text;
}

int plot_series(const struct study_problem *problem, const struct curve *curve)
{
    static const int modes[MODE_COUNT] = {[MODE_SERIAL] = 7, [MODE_THREADS] = 0,   [MODE_MPI] = 1,
                                          [MODE_HYBRID] = 2, [MODE_MULTITASK] = 3, [MODE_MULTITASK_MPI] = 4};
    if (problem->variants) return (int)(curve - problem->curves) % PLOT_SERIES;
    return modes[curve->config->mode.name];
}

/* Rows */

static int count_shown(const struct curve *curve, bool (*shows)(const struct curve *, const struct curve_point *))
{
    int count = 0;
    for (int i = 0; i < curve->count; i++) count += shows(curve, &curve->points[i]);
    return count;
}

/* Evenly chosen, the first and the last among them. */
static void add_rows(const struct curve *curve, bool (*shows)(const struct curve *, const struct curve_point *),
                     int most, struct plot_rows *rows)
{
    int shown = count_shown(curve, shows), number = 0, taken = 0, room = PLOT_ROWS_MOST - rows->count;
    if (most > room) most = room;
    for (int i = 0; i < curve->count; i++) {
        if (!shows(curve, &curve->points[i])) continue;
        int step = shown > most && most > 1 ? (int)((long)taken * (shown - 1) / (most - 1)) : taken;
        if (taken < most && number++ == step) {
            rows->rows[rows->count++] = (struct plot_row){curve, &curve->points[i], rows->end++};
            taken++;
        } else {
            rows->left_out++;
        }
    }
    if (taken > 0) rows->end += 0.5;
}

void plot_find_rows(const struct plot_subject *subject, bool (*shows)(const struct curve *, const struct curve_point *),
                    struct plot_rows *rows_p)
{
    struct plot_rows rows = {.count = 0};
    int curves = 0;
    for (int c = 0; c < subject->problem->count; c++) curves += count_shown(&subject->problem->curves[c], shows) > 0;
    int each = curves > 0 ? PLOT_ROWS_MOST / curves : 0;
    for (int c = 0; c < subject->problem->count; c++)
        add_rows(&subject->problem->curves[c], shows, each > 1 ? each : 1, &rows);
    *rows_p = rows;
}

void plot_write_rows(FILE *file, const struct plot_subject *subject, const struct plot_rows *rows)
{
    fprintf(file, "set yrange [%.9g:-0.8] noextend\nset ytics scale 0 (", rows->end - 0.3);
    for (int i = 0; i < rows->count; i++) {
        char name[128], label[144];
        study_point_name(subject->problem, rows->rows[i].curve, rows->rows[i].point, sizeof name, name);
        /* Of one that is too long the end is kept, which has the number. */
        int width = (int)strlen(name);
        snprintf(label, sizeof label, "%s%s", width > LABEL_COLUMNS ? "\u2026" : "",
                 name + (width > LABEL_COLUMNS ? width - LABEL_COLUMNS + 1 : 0));
        fputs(i ? ", " : "", file);
        plot_tic(file, label, rows->rows[i].at);
    }
    fputs(")\nunset grid\nset grid x\nset border 1\n", file);
}

int plot_rows_area(const struct plot_rows *rows)
{
    return (int)(ROW_HEIGHT * (rows->end + 0.5));
}
