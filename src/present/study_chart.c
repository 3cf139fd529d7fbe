/* Speedups as a chart: one row a configuration, the interval as a bar with the median on it, and a mark for the most
 * that its cores could give, another for what the fitted law says. The axis is logarithmic (to base 2) where the
 * numbers of workers are powers of two, or where it is long. */
#include "study_text.h"

#include <math.h>
#include <string.h>

enum { NAME_MOST = 28, VALUE_WIDTH = 8, CELLS_LEAST = 20, CELLS_MOST = 100, LONG_AXIS = 16 };

enum cell { CELL_EMPTY, CELL_BAR, CELL_LEFT, CELL_RIGHT, CELL_LAW, CELL_MARK, CELL_CROSSING, CELL_POINT, CELL_COUNT };

struct chart {
    FILE *stream;
    const struct style *style;
    int name, cells;
    bool logarithmic;
    double low, high; /* of the axis */
};

static bool is_power_of_two(int number)
{
    return number > 0 && (number & (number - 1)) == 0;
}

static int position(const struct chart *chart, double value)
{
    double share = chart->logarithmic ? log2(fmax(value, chart->low) / chart->low) / log2(chart->high / chart->low)
                                      : (value - chart->low) / (chart->high - chart->low);
    long cell = lround(share * (chart->cells - 1));
    return cell < 0 ? 0 : cell < chart->cells ? (int)cell : chart->cells - 1;
}

static const struct spread *shown(const struct curve *curve, const struct curve_point *point)
{
    return curve->serial ? &point->speedup : &point->own;
}

/* What the chosen law says of a point whose workers each had a core, on the chart's scale: the law gives times, which
 * the curve's first point, measured both ways, turns into speedups. NAN where there is no law. */
static double find_law(const struct curve *curve, const struct curve_point *point)
{
    const struct curve_point *first = curve->points;
    if (curve->chosen < 0 || curve->fits[curve->chosen].state != MODEL_FITTED || !point->dedicated) return NAN;
    double work = curve->weak ? (double)point->workers / first->workers : 1;
    return shown(curve, first)->middle * work * first->wall_s.middle /
           model_time_s(&curve->fits[curve->chosen], point->workers);
}

/* Returns whether there is anything to draw. */
static bool find_axis(const struct study_problem *problem, struct chart *chart)
{
    int points = 0, powers = 0, drawn = 0;
    double low = 1, high = 1;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            const struct spread *spread = shown(&problem->curves[c], point);
            powers += is_power_of_two(point->workers);
            points++;
            high = fmax(high, study_ideal(&problem->curves[c], point));
            if (!(spread->middle > 0)) continue;
            drawn++;
            high = fmax(high, find_law(&problem->curves[c], point));
            low = fmin(low, spread->interval && spread->low > 0 ? spread->low : spread->middle);
            high = fmax(high, spread->interval ? spread->high : spread->middle);
        }
    chart->logarithmic = powers == points || high >= LONG_AXIS;
    chart->low = chart->logarithmic ? fmax(low, 1.0 / 16) : 0;
    chart->high = chart->logarithmic ? exp2(ceil(log2(fmax(high, 2)))) : fmax(high, 2);
    return points > 1 && drawn > 0 && isfinite(chart->high);
}

static double next_tick(const struct chart *chart, double tick)
{
    double step = 1;
    if (chart->logarithmic) return tick * 2;
    while (chart->high / step > 8) step *= chart->high / step > 16 ? 5 : 2;
    return tick + step;
}

static void print_axis(const struct chart *chart)
{
    char line[CELLS_MOST + VALUE_WIDTH + 1];
    int free_from = 0;
    memset(line, ' ', sizeof line);
    for (double tick = chart->logarithmic ? exp2(ceil(log2(chart->low))) : 0; tick <= chart->high;
         tick = next_tick(chart, tick)) {
        char label[32];
        int length = snprintf(label, sizeof label, "%.4g", tick), at = position(chart, tick) - (length > 2);
        if (at < free_from || at + length > chart->cells + VALUE_WIDTH - 1) continue;
        memcpy(line + at, label, (size_t)length);
        free_from = at + length + 1;
    }
    line[free_from > 0 ? free_from - 1 : 0] = '\0';
    fprintf(chart->stream, "%s%-*s%s%s\n", style_tone(chart->style, TONE_DIM), chart->name + 1, "speedup", line,
            style_tone(chart->style, TONE_PLAIN));
}

static void fill(const struct chart *chart, const struct spread *spread, double ideal, double law, enum cell cells[])
{
    int left = position(chart, spread->low), right = position(chart, spread->high), mark = position(chart, ideal);
    if (spread->interval)
        for (int i = left; i <= right; i++) cells[i] = i == left ? CELL_LEFT : i == right ? CELL_RIGHT : CELL_BAR;
    bool bar = cells[mark] != CELL_EMPTY;
    if (law > 0) cells[position(chart, law)] = CELL_LAW;
    cells[mark] = !bar ? CELL_MARK : CELL_CROSSING;
    cells[position(chart, spread->middle)] = CELL_POINT;
}

static void print_cells(const struct chart *chart, const enum cell cells[])
{
    static const char *const utf8[CELL_COUNT] = {" ",      "\u2500", "\u251c", "\u2524",
                                                 "\u25c7", "\u2502", "\u253c", "\u25cf"};
    static const char ascii[CELL_COUNT + 1] = " -[]*|+o";
    bool bar = false;
    for (int i = 0; i < chart->cells; i++) {
        bool now = cells[i] != CELL_EMPTY && cells[i] != CELL_MARK && cells[i] != CELL_LAW;
        if (now != bar) fputs(style_tone(chart->style, now ? TONE_BAR : TONE_PLAIN), chart->stream);
        bar = now;
        if (chart->style->utf8)
            fputs(utf8[cells[i]], chart->stream);
        else
            fputc(ascii[cells[i]], chart->stream);
    }
    if (bar) fputs(style_tone(chart->style, TONE_PLAIN), chart->stream);
}

static void print_point(const struct chart *chart, const struct study_problem *problem, const struct curve *curve,
                        const struct curve_point *point)
{
    const struct spread *spread = shown(curve, point);
    char name[128], value[32];
    study_point_name(problem, curve, point, sizeof name, name);
    study_print_name(chart->stream, chart->name, name);
    fputc(' ', chart->stream);
    if (!(spread->middle > 0)) {
        study_print_toned(chart->stream, chart->style, TONE_DIM, chart->name + 1, chart->name + 1, "no valid speedup");
        return;
    }
    enum cell cells[CELLS_MOST] = {CELL_EMPTY};
    fill(chart, spread, study_ideal(curve, point), find_law(curve, point), cells);
    print_cells(chart, cells);
    fprintf(chart->stream, " x %s\n", format_ratio(spread->middle, sizeof value, value));
}

static void print_legend(const struct chart *chart, const struct study_problem *problem)
{
    bool utf8 = chart->style->utf8, one_core = false, waits = false, law = false;
    char text[512];
    for (int c = 0; c < problem->count; c++) {
        one_core |= study_on_one_core(&problem->curves[c]);
        waits |= isfinite(problem->curves[c].waiting_bound);
        for (int i = 0; i < problem->curves[c].count; i++)
            law |= find_law(&problem->curves[c], &problem->curves[c].points[i]) > 0;
    }
    const char *limit = waits      ? "tasks that wait allow: the workers, or cores times (C + Z) / C, whichever is less"
                        : one_core ? "its cores could give: as many as workers; tasks that take turns on one core: 1"
                                   : "its cores could give: the ideal";
    snprintf(text, sizeof text, "%s median, %s its 95 %% interval; %s the most that %s.%s%s%s", utf8 ? "\u25cf" : "o",
             utf8 ? "\u251c\u2500\u2524" : "[-]", utf8 ? "\u2502" : "|", limit,
             !law   ? ""
             : utf8 ? " \u25c7"
                    : " *",
             law ? " the fitted law, where no other mark covers it." : "",
             chart->logarithmic ? " The axis is logarithmic." : "");
    study_print_toned(chart->stream, chart->style, TONE_DIM, 0, 0, text);
}

void study_print_chart(FILE *stream, const struct style *style, const struct study_problem *problem)
{
    struct chart chart = {.stream = stream, .style = style, .name = study_name_width(problem, NAME_MOST)};
    if (chart.name < (int)strlen("speedup")) chart.name = (int)strlen("speedup");
    chart.cells = style->width - chart.name - 1 - VALUE_WIDTH;
    if (chart.cells > CELLS_MOST) chart.cells = CELLS_MOST;
    if (chart.cells < CELLS_LEAST || !find_axis(problem, &chart)) return; /* no room for it: the table says all */
    fputc('\n', stream);
    print_axis(&chart);
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++)
            print_point(&chart, problem, &problem->curves[c], &problem->curves[c].points[i]);
    print_legend(&chart, problem);
}
