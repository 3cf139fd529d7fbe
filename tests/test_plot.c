/* Figures: what their scripts say (they are functions of the data alone), what gnuplot makes of them where it is
 * installed, and that nothing from a record is ever a command. */
#include "../src/present/plot.h"
#include "../src/present/plot_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERIAL, MULTITASK, THREADS, CURVES, POINTS = 4, BLOCKS = 9 };

/* Everything that a shell, gnuplot, XML or a file's name could take for its own. */
static const char hostile[] = "p'; system(\"touch x\")#`touch y`";
static const char hostile_size[] = "$(touch z) @m {%s} <b>&amp;\\\n</svg>";

struct fixture {
    struct results results;
    struct curves curves;
    struct curve own[CURVES];
    struct group groups[CURVES][POINTS];
    struct curve_point points[CURVES][POINTS];
    struct sample samples[CURVES][POINTS][BLOCKS];
    struct study_problem problem;
    struct plot_subject subject;
    struct timeline_record timeline;
};

static struct spread spread(double middle, double half)
{
    return (struct spread){.count = 9, .middle = middle, .low = middle - half, .high = middle + half, .interval = true};
}

static void set_samples(struct fixture *fixture, int c, int i, double speedup)
{
    struct group *group = &fixture->groups[c][i];
    group->samples = fixture->samples[c][i];
    group->count = BLOCKS;
    for (int b = 0; b < BLOCKS; b++) {
        struct sample *sample = &group->samples[b];
        sample_init(sample);
        sample->block = b;
        sample->launch = b;
        sample->validity = SAMPLE_VALID;
        sample->wall_s = (1 + 0.001 * b) / speedup;
        sample->work = 2e9;
        sample->rate = sample->work / sample->wall_s;
        sample->ceiling_rate = 1.25 * sample->rate;
        snprintf(sample->ceiling, sizeof sample->ceiling, "a ceiling");
        snprintf(sample->work_unit, sizeof sample->work_unit, "flop");
    }
}

/* Of a machine of 4 cores, on which one task takes a second. */
static void set_point(struct fixture *fixture, int c, int i, int workers, double speedup)
{
    static const enum mode_name modes[] = {MODE_SERIAL, MODE_MULTITASK, MODE_THREADS};
    struct config *config = &fixture->groups[c][i].config;
    snprintf(config->kernel, sizeof config->kernel, "toy");
    snprintf(config->variant, sizeof config->variant, "plain");
    snprintf(config->size, sizeof config->size, "1000");
    config->mode = (struct mode){.nodes = 1, .map = "cores-first", .name = modes[c], .ranks = 1, .threads = workers};
    config->mode.cpus.count = c == THREADS ? (workers < 4 ? workers : 4) : 1;
    set_samples(fixture, c, i, speedup);
    struct curve_point *point = &fixture->points[c][i];
    *point = (struct curve_point){
        .group = &fixture->groups[c][i], .workers = workers, .cpus = config->mode.cpus.count, .valid = BLOCKS};
    point->dedicated = workers <= point->cpus;
    point->wall_s = spread(1 / speedup, 0.01 / speedup);
    point->rate = spread(2e9 * speedup, 2e7 * speedup);
    point->speedup = point->own = spread(speedup, 0.0125);
    point->efficiency = spread(speedup / workers, 0.01);
    point->factors = (struct factors){.blocks = BLOCKS,
                                      .scale = workers,
                                      .value = {0.99, 1, 0.995, point->dedicated ? 1 : (double)point->cpus / workers},
                                      .speedup = speedup,
                                      .missing = ""};
    point->factors.product = speedup;
}

static void add_span(struct timeline_task *task, double begin_s, double end_s, enum span_state state, int cpu)
{
    const struct timeline_span span = {begin_s, end_s, state, cpu};
    assert_int_equal(timeline_add_span(task, &span), 0);
}

/* Two tasks that take turns on CPU 3, in slices of 4 and 8 ms. */
static void set_timeline(struct timeline_record *record, const struct config *config)
{
    timeline_record_init(record);
    record->config = *config;
    record->timeline.length_s = 0.120;
    assert_int_equal(timeline_add_cpu(&record->timeline, 3, NAN), 0);
    for (int t = 0; t < 2; t++) {
        struct timeline_task task = {.pid = 1, .tid = 1 + t, .rank = 0, .thread = t};
        snprintf(task.name, sizeof task.name, "worker");
        assert_int_equal(timeline_add_task(&record->timeline, &task), 0);
    }
    for (int turn = 0; turn < 10; turn++) {
        double at = 0.012 * turn;
        add_span(&record->timeline.tasks[0], at, at + 0.004, SPAN_RUNNING, 3);
        add_span(&record->timeline.tasks[0], at + 0.004, at + 0.012, SPAN_READY, -1);
        add_span(&record->timeline.tasks[1], at, at + 0.004, turn ? SPAN_READY : SPAN_BLOCKED, -1);
        add_span(&record->timeline.tasks[1], at + 0.004, at + 0.012, SPAN_RUNNING, 3);
    }
}

static int set_up(void **state)
{
    static const int workers[] = {1, 2, 4, 8};
    static const double speedups[CURVES][POINTS] = {{1}, {0.99, 0.98, 0.97, 0.96}, {1, 1.9, 3.4, 3.5}};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    results_init(&fixture->results);
    for (int c = 0; c < CURVES; c++) {
        struct curve *curve = &fixture->own[c];
        curve->count = c == SERIAL ? 1 : POINTS;
        curve->points = fixture->points[c];
        for (int i = 0; i < curve->count; i++) set_point(fixture, c, i, workers[i], speedups[c][i]);
        curve->config = &fixture->groups[c][0].config;
        curve->serial = &fixture->groups[SERIAL][0];
        curve->own = &fixture->groups[c][0];
        curve->waiting_bound = curve->roof_rate = curve->roof_share = NAN;
        curve->chosen = -1;
    }
    fixture->curves = (struct curves){.count = CURVES, .curves = fixture->own, .cores = 4, .precision = 0.02};
    set_timeline(&fixture->timeline, &fixture->groups[THREADS][1].config);
    study_problem_at(&fixture->curves, 0, &fixture->problem);
    fixture->subject = (struct plot_subject){.results = &fixture->results,
                                             .curves = &fixture->curves,
                                             .problem = &fixture->problem,
                                             .timeline = &fixture->timeline};
    unsetenv("SPEEDUP_GNUPLOT");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    timeline_record_release(&fixture->timeline);
    free(fixture);
    return 0;
}

static const int all_formats[] = {0, 1, 2};

/* Heap. */
static char *script_of(const struct fixture *fixture, enum plot plot)
{
    char *script = plot_script(plot, &fixture->subject, PLOT_LIGHT, 720, 0, 3, all_formats, "base");
    assert_non_null(script);
    return script;
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

static void assert_silent(const char *text, const char *part)
{
    if (strstr(text, part)) fail_msg("'%s' is in:\n%s", part, text);
}

/* Calls `row` for each line of the block, with its numbers. Returns how many lines it has. */
static int read_block(const char *script, const char *name, void (*row)(void *, int, const double[]), void *context)
{
    char start[64];
    snprintf(start, sizeof start, "%s << EOD\n", name);
    const char *at = strstr(script, start);
    int lines = 0;
    if (!at) return 0;
    for (at += strlen(start); strncmp(at, "EOD\n", 4) != 0; at = strchr(at, '\n') + 1) {
        double numbers[8];
        int count = sscanf(at, "%lf %lf %lf %lf %lf", &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4]);
        row(context, count, numbers);
        lines++;
    }
    return lines;
}

struct extremes {
    double x_low, x_high, y_low, y_high;
};

static void take_extremes(void *context, int count, const double numbers[])
{
    struct extremes *extremes = context;
    assert_true(count >= 2);
    extremes->x_low = fmin(extremes->x_low, numbers[0]);
    extremes->x_high = fmax(extremes->x_high, numbers[0]);
    extremes->y_low = fmin(extremes->y_low, numbers[1]);
    extremes->y_high = fmax(extremes->y_high, numbers[1]);
}

static const struct extremes none = {INFINITY, -INFINITY, INFINITY, -INFINITY};

static void test_points(void **state)
{
    char *script = script_of(*state, PLOT_SPEEDUP);
    struct extremes medians = none, raw = none;
    assert_int_equal(read_block(script, "$median2", take_extremes, &medians), POINTS);
    assert_float_equal(medians.y_low, 1, 1e-6);
    assert_float_equal(medians.y_high, 3.5, 1e-6);
    /* A little aside, but nearer to its own number of workers than to any other. */
    assert_true(medians.x_low > 0.9 && medians.x_low < 1.1);
    assert_true(medians.x_high > 7.5 && medians.x_high < 8.5);
    assert_int_equal(read_block(script, "$raw2", take_extremes, &raw), POINTS * BLOCKS);
    assert_says(script, "3.5 3.4875 3.5125"); /* the interval */
    assert_says(script, "$interval2 using 1:2:3:4 with yerrorbars");
    assert_says(script, "set logscale x 2");
    assert_says(script, "set logscale y 2");
    assert_says(script, "set label 'threads' at screen");
    assert_says(script, "set terminal svg");
    assert_says(script, "set output 'base.pdf'");
    free(script);
}

static void test_ideal_ends_at_the_cores(void **state)
{
    char *script = script_of(*state, PLOT_SPEEDUP);
    struct extremes ideal = none;
    assert_true(read_block(script, "$ideal", take_extremes, &ideal) > 0);
    assert_float_equal(ideal.y_high, 4, 1e-9);
    free(script);
    script = script_of(*state, PLOT_EFFICIENCY);
    ideal = none;
    assert_true(read_block(script, "$ideal", take_extremes, &ideal) > 0);
    assert_float_equal(ideal.y_high, 1, 1e-9);
    free(script);
}

static void test_shade_only_where_oversubscribed(void **state)
{
    struct fixture *fixture = *state;
    char *script = script_of(fixture, PLOT_SPEEDUP);
    assert_says(script, "more workers than cores");
    assert_says(script, "rectangle from 5.65685425,"); /* between 4 and 8 */
    free(script);
    fixture->curves.cores = 64;
    for (int i = 0; i < POINTS; i++) fixture->points[THREADS][i].cpus = fixture->points[THREADS][i].workers;
    script = script_of(fixture, PLOT_SPEEDUP);
    assert_silent(script, "more workers than cores");
    assert_silent(script, "rectangle");
    free(script);
}

static void set_law(struct curve *curve)
{
    curve->chosen = MODEL_AMDAHL;
    curve->fits[MODEL_AMDAHL] = (struct model_fit){
        .model = MODEL_AMDAHL, .state = MODEL_FITTED, .points = 4, .parameter_count = 2, .most_workers = 8};
    curve->fits[MODEL_AMDAHL].parameters[0].value = 1;
    curve->fits[MODEL_AMDAHL].parameters[1].value = 0.05;
}

static void test_law_only_where_chosen(void **state)
{
    static const enum plot plots[] = {PLOT_SPEEDUP, PLOT_EFFICIENCY, PLOT_TIME};
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        char *script = script_of(fixture, plots[i]);
        assert_silent(script, "$law");
        assert_silent(script, "dt 2");
        free(script);
    }
    set_law(&fixture->own[THREADS]);
    for (int i = 0; i < 3; i++) {
        struct extremes law = none;
        char *script = script_of(fixture, plots[i]);
        assert_true(read_block(script, "$law2", take_extremes, &law) > 2);
        assert_float_equal(law.x_high, 8, 1e-9); /* never beyond most_workers */
        assert_float_equal(law.x_low, 1, 1e-9);
        assert_says(script, "$law2 using 1:2 with lines lw 1.4 dt 2");
        assert_says(script, "s = 0.05");
        free(script);
    }
}

static void test_dots_are_thinned_and_told(void **state)
{
    struct fixture *fixture = *state;
    struct group *group = &fixture->groups[THREADS][1];
    struct sample *samples = calloc(1000, sizeof *samples);
    struct extremes raw = none;
    char caption[2048];
    assert_non_null(samples);
    for (int i = 0; i < 1000; i++) {
        samples[i] = group->samples[0];
        samples[i].launch = samples[i].block = i;
        samples[i].wall_s = 1 + i;
    }
    group->samples = samples;
    group->count = fixture->points[THREADS][1].valid = 1000;
    char *script = script_of(fixture, PLOT_TIME);
    assert_int_equal(read_block(script, "$raw2", take_extremes, &raw), PLOT_DOTS + 3 * BLOCKS);
    assert_float_equal(raw.y_high, 1000, 1e-6); /* the slowest is among them */
    assert_says(plot_caption(PLOT_TIME, &fixture->subject, sizeof caption, caption), "evenly spaced ones are shown");
    free(script);
    free(samples);
}

/* From left to right the parts of a bar, which ends at 1 where all factors are losses. */
static void take_parts(void *context, int count, const double numbers[])
{
    assert_true(count >= 4);
    for (int i = 2; i < count; i++) assert_true(numbers[i] >= numbers[i - 1]);
    ((struct extremes *)context)->y_high = fmax(((struct extremes *)context)->y_high, numbers[2]);
}

static void test_parts_of_the_loss(void **state)
{
    struct fixture *fixture = *state;
    struct extremes parts = none;
    char *script = script_of(fixture, PLOT_DECOMPOSITION);
    assert_int_equal(read_block(script, "$parts", take_parts, &parts), 6); /* of more than one worker */
    assert_float_equal(parts.y_high, 1.9 / 2, 1e-6);
    assert_says(script, "set label 'share of a core' at screen");
    assert_says(script, "set label 'unexplained' at screen"); /* 3.4 of 4 is less than the product of the factors */
    assert_says(script, "'3.40 of 4'");
    free(script);
    fixture->points[THREADS][1].factors.value[FACTOR_COMPUTATION] = 1.5; /* a gain: the bar ends beyond 1 */
    char caption[2048];
    assert_says(plot_caption(PLOT_DECOMPOSITION, &fixture->subject, sizeof caption, caption), "beyond 100 %");
    for (int c = 0; c < CURVES; c++)
        for (int i = 0; i < POINTS; i++) fixture->points[c][i].factors.value[FACTOR_BALANCE] = NAN;
    char reason[160] = "";
    assert_false(plot_has(PLOT_DECOMPOSITION, &fixture->subject, sizeof reason, reason));
    assert_says(reason, "workers' times");
}

static void test_ceilings(void **state)
{
    struct fixture *fixture = *state;
    char *script = script_of(fixture, PLOT_ROOFLINE), reason[160];
    assert_says(script, "'80 %' at");
    assert_says(script, "GFLOP/s");
    free(script);
    for (int c = 0; c < CURVES; c++)
        for (int i = 0; i < fixture->own[c].count; i++)
            for (int b = 0; b < BLOCKS; b++) fixture->samples[c][i][b].ceiling_rate = NAN;
    assert_false(plot_has(PLOT_ROOFLINE, &fixture->subject, sizeof reason, reason));
    assert_says(reason, "no ceiling is known");
}

static void test_slices_that_the_window_cuts(void **state)
{
    char caption[2048];
    const struct fixture *fixture = *state;
    /* 10 of 4 ms, without the one at the start; 10 of 8 ms, without the one at the end. */
    assert_says(plot_caption(PLOT_SLICES, &fixture->subject, sizeof caption, caption), "18 times that a worker ran");
    char *script = script_of(fixture, PLOT_SLICES);
    assert_says(script, "p5 4.00 ms, p50");
    assert_says(script, "p95 8.00 ms");
    free(script);
}

static void test_timeline_window(void **state)
{
    struct fixture *fixture = *state;
    char caption[2048];
    struct extremes run = none;
    char *script = script_of(fixture, PLOT_TIMELINE);
    assert_int_equal(read_block(script, "$run", take_extremes, &run), 40); /* each on its CPU's row and its task's */
    assert_says(script, "'CPU 3' 0");
    assert_says(script, "'B  thread 1'");
    free(script);
    assert_says(plot_caption(PLOT_TIMELINE, &fixture->subject, sizeof caption, caption), "All of it is shown");
    fixture->subject.from_s = 0.012;
    fixture->subject.length_s = 0.024;
    script = script_of(fixture, PLOT_TIMELINE);
    run = none;
    assert_int_equal(read_block(script, "$run", take_extremes, &run), 8);
    assert_float_equal(run.x_low, 0.012, 1e-9);
    assert_float_equal(run.y_high, 0.036, 1e-9); /* the second column is a box's end */
    free(script);
    assert_says(plot_caption(PLOT_TIMELINE, &fixture->subject, sizeof caption, caption), "24.0 ms are shown");
    assert_float_equal(plot_timeline_length(&fixture->timeline.timeline), 0.120, 1e-9);
}

/* A figure as a file has no caption. */
static void test_timelines_say_how_they_were_seen(void **state)
{
    static const enum plot plots[] = {PLOT_SLICES, PLOT_TIMELINE};
    struct fixture *fixture = *state;
    struct timeline_record *record = &fixture->timeline;
    record->validity = SAMPLE_VALID;
    record->timeline.error_s = 2e-6;
    for (int i = 0; i < 2; i++) {
        char *script = script_of(fixture, plots[i]);
        assert_says(script, "(exact, within 2.00 us)'");
        free(script);
    }
    record->timeline.tier = TIMELINE_SAMPLED;
    record->timeline.error_s = 2.5e-3;
    record->validity = SAMPLE_INVALID;
    snprintf(record->timeline.incomplete, sizeof record->timeline.incomplete, "a ring was full");
    for (int i = 0; i < 2; i++) {
        char *script = script_of(fixture, plots[i]);
        assert_says(script, "(sampled, within 2.50 ms; INCOMPLETE; DISTURBED)'");
        free(script);
    }
}

static void test_long_timelines_are_columns(void **state)
{
    struct fixture *fixture = *state;
    struct timeline *timeline = &fixture->timeline.timeline;
    struct extremes run = none;
    timeline->length_s = 20;
    for (int turn = 10; turn < 5000; turn++) {
        add_span(&timeline->tasks[0], 0.004 * turn, 0.004 * turn + 0.002, SPAN_RUNNING, 3);
        add_span(&timeline->tasks[0], 0.004 * turn + 0.002, 0.004 * turn + 0.004, SPAN_READY, -1);
    }
    assert_true(plot_timeline_length(timeline) < 2); /* so few turns that one can tell them apart */
    fixture->subject.length_s = 20;
    char *script = script_of(fixture, PLOT_TIMELINE);
    int boxes = read_block(script, "$run", take_extremes, &run);
    assert_in_range(boxes, 100, 3 * 600);
    assert_true(run.x_high <= 20);
    free(script);
}

static void test_nothing_to_draw(void **state)
{
    struct fixture *fixture = *state;
    char reason[160];
    const struct plot_subject empty = {.results = &fixture->results, .curves = &fixture->curves};
    for (int plot = 0; plot < PLOT_COUNT; plot++)
        assert_false(plot_has((enum plot)plot, &empty, sizeof reason, reason));
    fixture->timeline.timeline.tasks[0].span_count = fixture->timeline.timeline.tasks[1].span_count = 0;
    assert_false(plot_has(PLOT_SLICES, &fixture->subject, sizeof reason, reason));
    for (int c = 0; c < CURVES; c++)
        for (int i = 0; i < POINTS; i++) {
            struct curve_point *point = &fixture->points[c][i];
            point->valid = 0;
            point->speedup.middle = point->own.middle = point->efficiency.middle = point->wall_s.middle = NAN;
        }
    for (int plot = 0; plot < PLOT_SLICES; plot++)
        assert_false(plot_has((enum plot)plot, &fixture->subject, sizeof reason, reason));
}

static void test_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {{"plain", "'plain'"},
                 {"it's", "'it''s'"},
                 {"a\nb\tc", "'a b c'"},
                 {"\xff\xc3", "'?\?'"},
                 {"\u00e9", "'\u00e9'"},
                 {"`x` $(y) @z \\n", "'`x` $(y) @z \\n'"},
                 {"\xed\xa0\x80", "'?\?\?'"},
                 {"", "''"},
                 {"\xc2\x9b"
                  "2J",
                  "' 2J'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t length = 0;
        FILE *file = open_memstream(&text, &length);
        assert_non_null(file);
        plot_quote(file, cases[i].text);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, cases[i].quoted);
        free(text);
    }
    char text[64];
    assert_string_equal(plot_shorten("abc", 3, sizeof text, text), "abc");
    assert_string_equal(plot_shorten("\u00e9\u00e9\u00e9\u00e9", 3, sizeof text, text), "\u00e9\u00e9\u2026");
}

static void make_hostile(struct fixture *fixture)
{
    for (int c = 0; c < CURVES; c++)
        for (int i = 0; i < POINTS; i++) {
            struct config *config = &fixture->groups[c][i].config;
            snprintf(config->kernel, sizeof config->kernel, "%s", hostile);
            snprintf(config->variant, sizeof config->variant, "%s", hostile);
            snprintf(config->size, sizeof config->size, "%s", hostile_size);
        }
    snprintf(fixture->timeline.config.kernel, sizeof fixture->timeline.config.kernel, "%s", hostile);
    for (int t = 0; t < 2; t++) {
        snprintf(fixture->timeline.timeline.tasks[t].name, sizeof fixture->timeline.timeline.tasks[t].name, "%s",
                 hostile);
        fixture->timeline.timeline.tasks[t].rank = -1;
    }
}

/* In the folder where gnuplot would leave what it was made to do. */
static void enter_folder(char folder[64])
{
    snprintf(folder, 64, "/tmp/speedup-plot-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
}

/* How many files are in it whose names end so; all go. */
static int leave_folder(const char *folder, const char *ending)
{
    int count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        size_t length = strlen(entry->d_name);
        if (*entry->d_name == '.') continue;
        count += length >= strlen(ending) && strcmp(entry->d_name + length - strlen(ending), ending) == 0;
        unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
    return count;
}

static bool skipped(void)
{
    char reason[512];
    if (plot_available(sizeof reason, reason)) return false;
    print_message("skipped: %s\n", reason);
    return true;
}

/* Every tag is closed by its like, in order; attributes are quoted; & begins an entity. Enough for what gnuplot writes.
 */
static void assert_well_formed(const char *xml)
{
    char open[64][32];
    int depth = 0;
    for (const char *at = xml; *at;) {
        if (*at == '&') assert_non_null(memchr(at, ';', 8));
        if (*at++ != '<') continue;
        const char *end = at;
        for (char quote = 0; *end && (quote || *end != '>'); end++) {
            if (quote)
                quote = *end == quote ? 0 : quote;
            else if (*end == '\'' || *end == '"')
                quote = *end;
            else
                assert_int_not_equal(*end, '<');
        }
        assert_int_equal(*end, '>');
        char name[32];
        assert_int_equal(sscanf(at + (*at == '/'), "%31[a-zA-Z]", name), 1);
        if (*at == '/') {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (end[-1] != '/') {
            assert_true(depth < 64);
            strcpy(open[depth++], name);
        }
        at = end + 1;
    }
    assert_int_equal(depth, 0);
}

static char *svg_of(const struct fixture *fixture, enum plot plot, const char *prefix)
{
    struct error error = {""};
    char *svg = NULL;
    if (plot_svg(plot, &fixture->subject, 720, 0, prefix, &svg, &error)) fail_msg("%s", error.text);
    return svg;
}

static void assert_fits_a_page(const char *svg)
{
    assert_int_equal(strncmp(svg, "<svg ", 5), 0);
    assert_well_formed(svg);
    assert_says(svg, "viewBox=\"0 0 720 ");
    assert_says(svg, "width=\"100%\"");
    assert_says(svg, "<title id=\"a-b-title\">");
    assert_says(svg, "var(--ink)");
    assert_silent(svg, "<script");
    assert_silent(svg, "font-family");
    assert_silent(svg, "rgb(  1,   1,");
    assert_silent(svg, "xlink");
    assert_silent(svg, ">gnuplot_plot");
    assert_null(strstr(strstr(svg, "http") + 1, "http")); /* but for the name space */
    for (const char *at = svg; (at = strstr(at, "id=\"")); at++) assert_int_equal(strncmp(at, "id=\"a-b-", 8), 0);
    for (const char *at = svg; (at = strstr(at, "href=\"")); at++) assert_int_equal(strncmp(at, "href=\"#a-b-", 11), 0);
}

static void test_pages(void **state)
{
    struct fixture *fixture = *state;
    if (skipped()) return;
    set_law(&fixture->own[THREADS]);
    for (int plot = 0; plot < PLOT_COUNT; plot++) {
        char *svg = svg_of(fixture, (enum plot)plot, "a-b");
        assert_fits_a_page(svg);
        free(svg);
    }
}

static void test_hostile_records(void **state)
{
    struct fixture *fixture = *state;
    char folder[64];
    if (skipped()) return;
    make_hostile(fixture);
    enter_folder(folder);
    for (int plot = 0; plot < PLOT_COUNT; plot++) {
        char *svg = svg_of(fixture, (enum plot)plot, "a\"><script>-b");
        assert_well_formed(svg);
        assert_silent(svg, "<b>");
        assert_silent(svg, "<script>");
        assert_says(svg, "system(");
        free(svg);
    }
    assert_int_equal(leave_folder(folder, ""), 0);
}

static void test_files(void **state)
{
    struct fixture *fixture = *state;
    const struct study_part parts[] = {{&fixture->results, &fixture->curves}};
    const struct plot_output output = {
        .folder = "it's `here`", .format_count = 1, .formats = {0}, .keep_gnuplot = true};
    char folder[64], *log = NULL;
    size_t length = 0;
    struct error error = {""};
    if (skipped()) return;
    make_hostile(fixture);
    fixture->results.timelines = &fixture->timeline;
    fixture->results.timeline_count = 1;
    enter_folder(folder);
    FILE *file = open_memstream(&log, &length);
    assert_non_null(file);
    int status = plot_files(&output, 1, parts, file, &error);
    fclose(file);
    if (status) fail_msg("%s", error.text);
    assert_says(log, "Figures: 7 in it's `here`, as svg, with gnuplot's scripts");
    free(log);
    assert_int_equal(chdir(output.folder), 0);
    struct stat found;
    assert_int_equal(
        stat("p-system-touch-x-touch-y-p-system-touch-x-touch-y-touch-z-m-s-b-amp-svg-speedup.svg", &found), 0);
    char inner[160];
    snprintf(inner, sizeof inner, "%s/%s", folder, output.folder);
    assert_int_equal(leave_folder(inner, ".gp"), PLOT_COUNT);
    assert_int_equal(leave_folder(folder, ""), 0);
}

static void test_without_gnuplot(void **state)
{
    struct fixture *fixture = *state;
    const struct study_part parts[] = {{&fixture->results, &fixture->curves}};
    const struct plot_output output = {.folder = "/nonexistent/x", .format_count = 1, .formats = {0}};
    static const char *const programs[] = {"/nonexistent", "/dev/null", "false", "true"};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        struct error error = {""};
        char reason[512] = "", *svg = NULL;
        setenv("SPEEDUP_GNUPLOT", programs[i], 1);
        assert_false(plot_available(sizeof reason, reason));
        assert_says(reason, programs[i]);
        assert_int_equal(plot_svg(PLOT_SPEEDUP, &fixture->subject, 720, 0, "x", &svg, &error), STATUS_FAILED);
        assert_null(svg);
        assert_int_equal(plot_files(&output, 1, parts, stderr, &error), STATUS_FAILED);
        assert_says(error.text, programs[i]);
    }
    setenv("SPEEDUP_GNUPLOT", "/nonexistent", 1);
    char reason[512] = "";
    plot_available(sizeof reason, reason);
    assert_says(reason, "gnuplot-nox");
    unsetenv("SPEEDUP_GNUPLOT");
}

static void test_errors_of_gnuplot(void **state)
{
    (void)state;
    struct error error = {""};
    char *output = NULL;
    if (skipped()) return;
    assert_int_equal(plot_run("plot nothing\n", NULL, &output, &error), STATUS_FAILED);
    assert_says(error.text, "nothing");
    assert_null(output);
}

static void test_formats(void **state)
{
    (void)state;
    struct plot_output output = {.folder = NULL};
    struct error error = {""};
    assert_int_equal(plot_parse_formats("pdf,svg,pdf", &output, &error), STATUS_OK);
    assert_int_equal(output.format_count, 2);
    assert_string_equal(plot_formats[output.formats[0]], "pdf");
    static const char *const wrong[] = {"", "svg,", "jpeg", "svg png", ",", "SVG"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(plot_parse_formats(wrong[i], &output, &error), STATUS_USAGE);
    assert_int_equal(output.format_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_points, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ideal_ends_at_the_cores, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shade_only_where_oversubscribed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_law_only_where_chosen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dots_are_thinned_and_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parts_of_the_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ceilings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slices_that_the_window_cuts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timeline_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timelines_say_how_they_were_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_timelines_are_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_to_draw, set_up, tear_down),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_gnuplot, set_up, tear_down),
        cmocka_unit_test(test_errors_of_gnuplot),
        cmocka_unit_test(test_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
