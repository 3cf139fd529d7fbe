/* Curves from samples made in memory: bases, ratios and their intervals, what is left out and what is flagged, and
 * which times the laws are fitted to. */
#include "../src/analyse/convergence.h"
#include "../src/analyse/curve.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_launches.h"
#include "noise.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 9 };

/* One launch. What is 0 is as usual: matmul, packed, size 1000, 1000 units of work, cores that are always busy. */
struct recipe {
    const char *kernel, *variant, *size;
    enum mode_name mode;
    int workers, cpus;
    double work;
    double busy;          /* computing, as a share of the time */
    double starved;       /* ready, but without a core */
    double ceiling;       /* of the rate */
    const char *reason;   /* why it is invalid */
    bool short_, nowhere; /* too short to be judged; nothing was bound */
    bool again;           /* of the same launch as the one before */
    int nodes;
};

static int launches;

static void add(struct results *results, const struct recipe *recipe, int block, double wall_s)
{
    struct sample sample;
    sample_init(&sample);
    struct config *config = &sample.config;
    *config = (struct config){.seed = 1, .isa = "generic"};
    snprintf(config->kernel, sizeof config->kernel, "%s", recipe->kernel ? recipe->kernel : "matmul");
    snprintf(config->variant, sizeof config->variant, "%s", recipe->variant ? recipe->variant : "packed");
    snprintf(config->size, sizeof config->size, "%s", recipe->size ? recipe->size : "1000");
    config->mode = (struct mode){.nodes = recipe->nodes ? recipe->nodes : 1,
                                 .map = "cores-first",
                                 .name = recipe->mode,
                                 .ranks = 1,
                                 .threads = recipe->workers};
    config->mode.cpus.count = recipe->nowhere ? 0 : recipe->cpus ? recipe->cpus : recipe->workers;
    for (int i = 0; i < config->mode.cpus.count; i++) config->mode.cpus.cpus[i] = i;
    sample.launch = recipe->again ? launches - 1 : launches++;
    sample.block = block;
    sample.wall_s = wall_s;
    sample.work = recipe->work > 0 ? recipe->work : 1000;
    sample.rate = sample.work / wall_s;
    if (recipe->ceiling > 0) sample.ceiling_rate = recipe->ceiling;
    sample.concurrency = recipe->workers;
    sample.parallelism = recipe->workers * (recipe->busy > 0 ? recipe->busy : 1);
    sample.cpu_s = sample.parallelism * wall_s;
    sample.wait_s = recipe->workers * recipe->starved * wall_s;
    sample.validity = recipe->reason ? SAMPLE_INVALID : recipe->short_ ? SAMPLE_NOT_JUDGED : SAMPLE_VALID;
    if (recipe->reason) snprintf(sample.invalid_reason, sizeof sample.invalid_reason, "%s", recipe->reason);
    if (recipe->short_) snprintf(sample.invalid_reason, sizeof sample.invalid_reason, "too short to judge");
    sample.worker_count = recipe->workers;
    sample.workers = calloc((size_t)recipe->workers, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int w = 0; w < recipe->workers; w++) {
        sample.workers[w].wall_s = wall_s;
        sample.workers[w].cpu_s = sample.cpu_s / recipe->workers;
    }
    assert_int_equal(results_add(results, &sample), 0);
    sample_release(&sample);
}

static void add_blocks(struct results *results, const struct recipe *recipe, double wall_s)
{
    for (int block = 0; block < BLOCKS; block++) add(results, recipe, block, wall_s);
}

static const struct recipe serial = {.mode = MODE_SERIAL, .workers = 1};

static struct recipe threads(int workers)
{
    return (struct recipe){.mode = MODE_THREADS, .workers = workers};
}

static void build(const struct results *results, struct curves *curves_p)
{
    assert_int_equal(curves_build(results, 0, curves_p), 0);
}

static const struct curve *find_curve(const struct curves *curves, const char *variant, enum mode_name mode)
{
    for (int c = 0; c < curves->count; c++)
        if (curves->curves[c].config->mode.name == mode && strcmp(curves->curves[c].config->variant, variant) == 0)
            return &curves->curves[c];
    fail_msg("there is no curve of %s, %s", variant, mode_name_text(mode));
    return NULL;
}

/* Of the only curve of packed in threads. */
static const struct curve_point *find_point(const struct curves *curves, int workers)
{
    const struct curve *curve = find_curve(curves, "packed", MODE_THREADS);
    for (int i = 0; i < curve->count; i++)
        if (curve->points[i].workers == workers) return &curve->points[i];
    fail_msg("there is no point of %d workers", workers);
    return NULL;
}

static void set_study(struct results *results, const char *scaling, int runs_min, int runs_max, double precision)
{
    json_decref(results->study);
    results->study = json_pack("{s:s, s:s, s:i, s:i, s:f}", "type", "study", "scaling", scaling, "runs_min", runs_min,
                               "runs_max", runs_max, "precision", precision);
    assert_non_null(results->study);
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * fmax(fabs(b), 1))) fail_msg("%.17g is not %.17g", a, b);
}

static void assert_spread(const struct spread *spread, double middle, double low, double high)
{
    assert_near(spread->middle, middle);
    assert_near(spread->low, low);
    assert_near(spread->high, high);
}

/* --- bases ------------------------------------------------------------------------------------------------------ */

static void a_file_without_samples_has_no_curves(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    build(&results, &curves);
    assert_int_equal(curves.count, 0);
    assert_int_equal(curves.valid + curves.invalid + curves.not_judged, 0);
    assert_string_equal(curves.machine, "");
    assert_int_equal(curves.cores, 0);
    curves_release(&curves);
    results_release(&results);
}

static void the_machine_is_named_from_the_context(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    results.context = json_pack("{s:{s:s, s:s, s:i}}", "machine", "cpu_model", "Toy", "hostname", "box", "cores", 4);
    build(&results, &curves);
    assert_string_equal(curves.machine, "Toy (box)");
    assert_int_equal(curves.cores, 4);
    curves_release(&curves);
    results_release(&results);
}

/* The machine's clock is another in each block. */
static void there_are_two_bases_the_best_serial_program_and_the_fewest_workers(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe naive_serial = serial, naive_threads = threads(2), all[] = {threads(4), threads(1), threads(2)};
    naive_serial.variant = naive_threads.variant = "naive";
    for (int block = 0; block < BLOCKS; block++) {
        double stretch = noise_factor(0.1, 1, (uint64_t)block);
        add(&results, &naive_serial, block, 8 * stretch);
        add(&results, &naive_threads, block, 4.4 * stretch);
        add(&results, &serial, block, 4 * stretch);
        add(&results, &all[0], block, 1.25 * stretch);
        add(&results, &all[1], block, 5 * stretch);
        add(&results, &all[2], block, 2.5 * stretch);
    }
    build(&results, &curves);
    assert_int_equal(curves.count, 4);
    assert_int_equal(curves.valid, 6 * BLOCKS);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_int_equal(curve->count, 3);
    assert_string_equal(curve->serial->config.variant, "packed");
    assert_int_equal(curve->serial->config.mode.name, MODE_SERIAL);
    assert_int_equal(mode_workers(&curve->own->config.mode), 1);
    assert_ptr_equal(curve->config, &curve->own->config);
    static const double speedups[] = {0.8, 1.6, 3.2}, owns[] = {1, 2, 4}, efficiencies[] = {0.8, 0.8, 0.8};
    for (int i = 0; i < 3; i++) {
        const struct curve_point *point = &curve->points[i];
        assert_int_equal(point->workers, 1 << i);
        assert_int_equal(point->valid, BLOCKS);
        assert_spread(&point->speedup, speedups[i], speedups[i], speedups[i]);
        assert_spread(&point->own, owns[i], owns[i], owns[i]);
        assert_spread(&point->efficiency, efficiencies[i], efficiencies[i], efficiencies[i]);
        assert_near(point->rate.middle, 1000 / point->wall_s.middle);
        assert_near(point->rate.low, 1000 / point->wall_s.high);
        assert_near(point->rate.high, 1000 / point->wall_s.low);
        assert_int_equal(point->is_base, i == 0);
        assert_ptr_equal(curves_find(&curves, point->group), point);
        if (i > 0) assert_near(point->karp_flatt.middle, 0); /* of the threads alone, which lose nothing */
        if (i > 0) assert_true(point->half_width < 1e-9 && point->converged);
    }
    assert_true(isnan(curve->points[0].karp_flatt.middle));
    assert_true(curve->points[0].half_width > 0.02); /* of a base, that of its times */
    assert_near(curve->points[2].factors.speedup, 3.2);

    /* The naive ones too are held against the best. */
    curve = find_curve(&curves, "naive", MODE_THREADS);
    assert_string_equal(curve->serial->config.variant, "packed");
    assert_near(curve->points[0].speedup.middle, 4 / 4.4);
    assert_near(curve->points[0].own.middle, 2);
    curve = find_curve(&curves, "naive", MODE_SERIAL);
    assert_near(curve->points[0].speedup.middle, 0.5);
    assert_near(curve->points[0].own.middle, 1);
    assert_null(curves_find(&curves, &(struct group){.count = 0}));
    curves_release(&curves);
    results_release(&results);
}

/* The launcher differs between modes; words, settings, parameters, size and what is timed make problems of their own.
 */
static void commands_are_the_same_problem_where_all_but_the_launcher_is_the_same(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    const struct made own = {.words = "./app\0-t\0{threads}\0", .mode = MODE_SERIAL, .workers = 1};
    struct made mpi = own, others[5] = {own, own, own, own, own};
    mpi.mode = MODE_MPI;
    mpi.workers = 2;
    others[0].words = "./app\0-t {threads}\0";
    others[1].setting = "A=1";
    others[2].level = "9";
    others[3].size = "7";
    others[4].time = "regex s ([0-9]+)";
    make_even(&results, &own, BLOCKS, 3);
    make_even(&results, &mpi, BLOCKS, 2);
    for (int i = 0; i < 5; i++) make_even(&results, &others[i], BLOCKS, 1);
    build(&results, &curves);
    assert_int_equal(curves.count, 7);
    assert_int_equal(curves.curves[1].config->mode.name, MODE_MPI);
    assert_ptr_equal(curves.curves[1].serial, curves.curves[0].serial);
    assert_near(curves.curves[1].points[0].speedup.middle, 1.5);
    assert_true(curves.curves[1].points[0].speedup.interval); /* of ratios within blocks */
    for (int c = 2; c < 7; c++) {
        assert_int_equal(curves.curves[c].count, 1);
        assert_near(curves.curves[c].points[0].speedup.middle, 1);
        assert_true(curve_same_problem(curves.curves[c].config, curves.curves[0].config, true) == (c == 5));
    }
    assert_false(curve_is_timings(curves.curves[0].config));
    curves_release(&curves);
    results_release(&results);
}

/* Launches come in random order; the plan has that of the parameters. */
static void problems_are_in_the_order_of_the_plan(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct made nine = {.words = "./app\0", .mode = MODE_SERIAL, .workers = 1, .level = "9"}, one = nine, other = nine;
    one.level = "1";
    other.level = "5";
    make_even(&results, &other, 1, 1);
    make_even(&results, &nine, 1, 1);
    make_even(&results, &one, 1, 1);
    results.study = json_pack("{s:[s,s,i]}", "configs", results.groups[2].key, results.groups[1].key, 7);
    build(&results, &curves);
    assert_int_equal(curves.count, 3);
    assert_string_equal(curves.curves[0].config->options[0].value, "1");
    assert_string_equal(curves.curves[1].config->options[0].value, "9");
    assert_string_equal(curves.curves[2].config->options[0].value, "5"); /* not in it */
    curves_release(&curves);
    results_release(&results);
}

/* The program's own time is shorter than that in which it used its CPU time. */
static void a_commands_waiting_is_of_its_whole_time(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    const struct made own = {
        .words = "./app\0", .mode = MODE_SERIAL, .workers = 1, .time = "regex s ([0-9]+)", .active = 0.5};
    make_even(&results, &own, BLOCKS, 1);
    build(&results, &curves);
    assert_near(curves.curves[0].waiting_bound, 2);
    assert_true(isnan(curves.curves[0].points[0].factors.product));
    curves_release(&curves);
    results_release(&results);
}

static void without_a_serial_program_the_fewest_workers_are_the_base(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    const struct recipe two = threads(2), four = threads(4);
    add_blocks(&results, &two, 2);
    add_blocks(&results, &four, 1.25);
    build(&results, &curves);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_null(curve->serial);
    assert_ptr_equal(curve->own, curve->points[0].group);
    for (int i = 0; i < 2; i++) assert_true(isnan(curve->points[i].speedup.middle));
    assert_true(curve->points[0].is_base && !curve->points[1].is_base);
    assert_near(curve->points[0].own.middle, 2);
    assert_near(curve->points[1].own.middle, 3.2);
    assert_near(curve->points[0].efficiency.middle, 1);
    assert_near(curve->points[1].efficiency.middle, 0.8);
    assert_near(curve->points[1].karp_flatt.middle, (1 / 3.2 - 0.25) / 0.75);
    assert_near(curve->points[1].factors.scale, 2);
    assert_true(curve->points[1].converged && curve->points[1].half_width == 0);
    assert_non_null(strstr(curve->sentence, "4 workers: 1.60 times as fast as 2 workers"));
    curves_release(&curves);
    results_release(&results);
}

static void other_problems_are_other_curves(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe large = serial, two = threads(2);
    large.size = "2000";
    add_blocks(&results, &large, 8);
    add_blocks(&results, &serial, 4);
    add_blocks(&results, &two, 2);
    build(&results, &curves);
    assert_int_equal(curves.count, 3);
    assert_near(find_point(&curves, 2)->speedup.middle, 2);
    assert_string_equal(find_curve(&curves, "packed", MODE_THREADS)->serial->config.size, "1000");
    curves_release(&curves);

    struct config a = results.groups[0].config, b = a;
    assert_true(curve_same_problem(&a, &b, false));
    snprintf(b.size, sizeof b.size, "1");
    snprintf(b.variant, sizeof b.variant, "naive");
    assert_true(!curve_same_problem(&a, &b, false) && curve_same_problem(&a, &b, true));
    b = a;
    b.seed++;
    assert_false(curve_same_problem(&a, &b, true));
    b = a;
    b.option_count = 1;
    b.options[0] = (struct config_option){"panels", "shared"};
    assert_false(curve_same_problem(&a, &b, true));
    a = b;
    assert_true(curve_same_problem(&a, &b, true));
    b.options[0] = (struct config_option){"panels", "broadcast"};
    assert_false(curve_same_problem(&a, &b, true));
    b = a;
    snprintf(b.isa, sizeof b.isa, "avx2");
    assert_false(curve_same_problem(&a, &b, true));
    /* Times under another scheduling are not to be put against each other, and have a base of their own. */
    b = a;
    b.mode.scheduling.slice_ns = 20000000;
    assert_false(curve_same_problem(&a, &b, true));
    results_release(&results);
}

/* --- numbers of a point ----------------------------------------------------------------------------------------- */

static void intervals_are_the_images_of_the_speedups_own(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    const struct recipe two = threads(2);
    for (int block = 0; block < BLOCKS; block++) { /* ratios 1.1, 1.2, ... 1.9 */
        add(&results, &serial, block, 1.1 + 0.1 * (block * 4 % BLOCKS));
        add(&results, &two, block, 1);
    }
    build(&results, &curves);
    const struct curve_point *point = find_point(&curves, 2);
    assert_true(point->speedup.interval && point->efficiency.interval && point->karp_flatt.interval);
    assert_spread(&point->speedup, 1.5, 1.2, 1.8);
    assert_spread(&point->efficiency, 0.75, 0.6, 0.9);
    assert_spread(&point->karp_flatt, 2 / 1.5 - 1, 2 / 1.8 - 1, 2 / 1.2 - 1);
    assert_near(point->half_width, 0); /* as the fewest workers of its mode it is a base, whose times decide */
    curves_release(&curves);
    results_release(&results);
}

static void workers_that_share_cores_are_not_dedicated(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe four = threads(4), unbound = threads(8), nodes = threads(16);
    four.cpus = 2;
    unbound.nowhere = true;
    add_blocks(&results, &serial, 4);
    add_blocks(&results, &four, 2);
    add_blocks(&results, &unbound, 1);
    nodes.nodes = 2;
    nodes.cpus = 8;
    nodes.variant = "tiled";
    add_blocks(&results, &nodes, 0.5);
    build(&results, &curves);
    const struct curve_point *point = find_point(&curves, 4);
    assert_int_equal(point->cpus, 2);
    assert_false(point->dedicated);
    assert_true(isnan(point->karp_flatt.middle) && isnan(point->karp_flatt.low) && !point->karp_flatt.interval);
    assert_near(point->efficiency.middle, 0.5);
    assert_near(point->concurrency, 4);
    assert_near(point->parallelism, 4);
    point = find_point(&curves, 8);
    assert_int_equal(point->cpus, 8);
    assert_true(point->dedicated && !isnan(point->karp_flatt.middle));
    point = &find_curve(&curves, "tiled", MODE_THREADS)->points[0];
    assert_int_equal(point->cpus, 16);
    assert_true(point->dedicated);
    curves_release(&curves);
    results_release(&results);
}

static void weak_scaling_compares_rates(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe two = threads(2), four = threads(4);
    two.size = "1260", two.work = 2000;
    four.size = "1587", four.work = 4000;
    add_blocks(&results, &serial, 1);
    add_blocks(&results, &two, 1.25);
    add_blocks(&results, &four, 1.6);
    build(&results, &curves);
    assert_int_equal(curves.count, 3); /* without its study line: three problems */
    assert_true(isnan(find_curve(&curves, "packed", MODE_THREADS)->points[0].speedup.middle));
    curves_release(&curves);

    set_study(&results, "weak", 9, 9, 0.01);
    build(&results, &curves);
    assert_int_equal(curves.count, 2);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_true(curve->weak);
    assert_int_equal(curve->count, 2);
    assert_near(curve->points[0].speedup.middle, 1.6);
    assert_near(curve->points[1].speedup.middle, 2.5);
    assert_near(curve->points[1].efficiency.middle, 0.625);
    assert_near(curve->points[1].own.middle, 2 * 2.5 / 1.6);
    assert_near(curve->points[1].work, 4000);
    assert_near(curve->points[1].rate.middle, 2500);
    assert_near(curve->points[1].factors.work, 4);
    assert_int_equal(curve->fits[MODEL_AMDAHL].points, 0);
    assert_int_equal(curve->fits[MODEL_GUSTAFSON].points, 3);
    assert_non_null(strstr(curve->sentence, "2.50 times as much work a second"));
    curves_release(&curves);
    results_release(&results);
}

static void what_is_not_valid_is_counted_and_left_out(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe disturbed = threads(2), brief = disturbed, two = disturbed, four = threads(4);
    disturbed.reason = "hog took 3 s";
    brief.short_ = true;
    add_blocks(&results, &serial, 2);
    add_blocks(&results, &two, 1);
    for (int block = 0; block < 5; block++) add(&results, &disturbed, block, 100);
    for (int block = 0; block < 3; block++) add(&results, &brief, block, 1e-3);
    static const char *const reasons[] = {"moved to CPU 1", "hog took 0.51 s", "hog took 1.7 s"};
    for (int i = 0; i < 3; i++) {
        four.reason = reasons[i];
        add(&results, &four, i, 1);
    }
    build(&results, &curves);
    const struct curve_point *point = find_point(&curves, 2);
    assert_int_equal(point->valid, BLOCKS);
    assert_int_equal(point->invalid, 5);
    assert_int_equal(point->not_judged, 3);
    assert_string_equal(point->reason, "");
    assert_spread(&point->wall_s, 1, 1, 1);
    assert_spread(&point->speedup, 2, 2, 2);
    point = find_point(&curves, 4);
    assert_int_equal(point->valid, 0);
    assert_string_equal(point->reason, "hog took 0.51 s"); /* twice, but for the number */
    assert_true(isnan(point->wall_s.middle) && isnan(point->speedup.middle) && isnan(point->own.middle));
    assert_true(isnan(point->efficiency.low) && isnan(point->karp_flatt.middle) && isnan(point->rate.middle));
    assert_true(!point->converged && isnan(point->half_width));
    /* Of the point with the most workers that has a speedup. */
    assert_non_null(strstr(find_curve(&curves, "packed", MODE_THREADS)->sentence, "2 workers"));
    assert_int_equal(curves.valid, 2 * BLOCKS);
    assert_int_equal(curves.invalid, 8);
    assert_int_equal(curves.not_judged, 3);
    curves_release(&curves);
    results_release(&results);
}

static void a_base_without_valid_samples_gives_no_speedup(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe disturbed = serial, slower = serial, two = threads(2);
    disturbed.reason = "hog";
    slower.variant = "naive";
    add_blocks(&results, &disturbed, 1);
    add_blocks(&results, &two, 1);
    build(&results, &curves);
    assert_true(isnan(find_point(&curves, 2)->speedup.middle));
    assert_near(find_point(&curves, 2)->own.middle, 2);
    curves_release(&curves);
    add_blocks(&results, &slower, 3); /* the best that was measured */
    build(&results, &curves);
    assert_string_equal(find_curve(&curves, "packed", MODE_THREADS)->serial->config.variant, "naive");
    assert_near(find_point(&curves, 2)->speedup.middle, 3);
    curves_release(&curves);
    results_release(&results);
}

static void repeats_of_a_launch_are_one_time(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe two = threads(2), again = two, disturbed = two;
    again.again = true;
    disturbed.reason = "hog";
    for (int block = 0; block < 7; block++) {
        add(&results, &two, block, 9); /* the first of a launch warms up */
        for (int i = 0; i < 4; i++) add(&results, &again, block, 2 + 0.1 * block);
    }
    build(&results, &curves);
    assert_int_equal(find_point(&curves, 2)->valid, 7);
    assert_spread(&find_point(&curves, 2)->wall_s, 2.3, 2, 2.6);
    curves_release(&curves);
    add(&results, &disturbed, 7, 99);
    add(&results, &again, 7, 2.7); /* the same launch, when it was over */
    build(&results, &curves);
    assert_int_equal(find_point(&curves, 2)->valid, 8);
    assert_int_equal(find_point(&curves, 2)->invalid, 1);
    assert_spread(&find_point(&curves, 2)->wall_s, 2.35, 2, 2.7);
    curves_release(&curves);
    results_release(&results);
}

/* --- flags ------------------------------------------------------------------------------------------------------ */

/* Of one configuration with these times. */
static struct curve_point point_of(int count, const double times_s[])
{
    struct results results;
    struct curves curves;
    results_init(&results);
    for (int i = 0; i < count; i++) add(&results, &serial, i, times_s[i]);
    build(&results, &curves);
    struct curve_point point = curves.curves[0].points[0];
    point.group = NULL;
    curves_release(&curves);
    results_release(&results);
    return point;
}

static void outliers_are_counted_and_a_slow_first_launch_is_told(void **state)
{
    (void)state;
    static const struct {
        double times_s[9]; /* median 100, median distance from it 1 */
        int outliers;
        bool slow_first;
    } cases[] = {
        {{99, 101, 99, 101, 99, 101, 100, 100, 114.7}, 0, false},
        {{99, 101, 99, 101, 99, 101, 100, 100, 114.9}, 1, false},
        {{114.9, 99, 101, 99, 101, 99, 101, 100, 100}, 1, true},
        {{85.1, 99, 101, 99, 101, 99, 101, 100, 100}, 1, false},
        {{114.7, 99, 101, 99, 101, 99, 101, 100, 100}, 0, false},
        {{50, 99, 101, 99, 101, 100, 100, 200, 101}, 2, false},
        {{200, 99, 101, 99, 101, 100, 100, 99, 50}, 2, true},
        {{100, 100, 100, 100, 100, 100, 100, 100, 200}, 0, false}, /* nothing tells how far they scatter */
        {{99, 101, 99, 101, 99, 101, 100, 100, 100}, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct curve_point point = point_of(9, cases[i].times_s);
        if (point.outliers != cases[i].outliers || point.slow_first != cases[i].slow_first)
            fail_msg("case %zu: %d outliers, %d", i, point.outliers, point.slow_first);
        assert_int_equal(point.valid, 9); /* and none is left out */
    }
}

static void times_that_rise_or_fall_are_told_from_eight_launches_on(void **state)
{
    (void)state;
    static const double rising[] = {1, 2, 3, 4, 5, 6, 7, 8}, falling[] = {8, 7, 6, 5, 4, 3, 2, 1},
                        mixed[] = {1, 8, 2, 7, 3, 6, 4, 5}, nearly[] = {2, 1, 4, 3, 6, 5, 7, 8},
                        hardly[] = {2, 1, 4, 3, 6, 5, 8, 7}, equal[] = {1, 1, 1, 1, 1, 1, 1, 1};
    assert_true(point_of(8, rising).trend && point_of(8, falling).trend && point_of(8, nearly).trend);
    assert_false(point_of(8, hardly).trend); /* 4 pairs of 28 fall: p = 0.014; 3: 0.006 */
    assert_false(point_of(8, mixed).trend || point_of(8, equal).trend || point_of(7, rising).trend);
}

/* How many of 200 configurations have a trend, whose times change by `drift` from block to block. */
static int count_trends(double drift)
{
    enum { CONFIGS = 200, LAUNCHES = 15 };
    struct results results;
    struct curves curves;
    int trends = 0;
    results_init(&results);
    for (int c = 0; c < CONFIGS; c++)
        for (int block = 0; block < LAUNCHES; block++) {
            char size[16];
            snprintf(size, sizeof size, "%d", c + 1);
            const struct recipe recipe = {.mode = MODE_SERIAL, .workers = 1, .size = size};
            add(&results, &recipe, block,
                (1 + drift * block) * noise_factor(0.02, hash_pair(7, (uint64_t)c), (uint64_t)block));
        }
    build(&results, &curves);
    assert_int_equal(curves.count, CONFIGS);
    for (int c = 0; c < CONFIGS; c++) trends += curves.curves[c].points[0].trend;
    curves_release(&curves);
    results_release(&results);
    return trends;
}

static void trends_are_found_where_there_are_some_and_hardly_elsewhere(void **state)
{
    (void)state;
    assert_in_range(count_trends(0), 0, 7); /* 1 % promised */
    assert_in_range(count_trends(0.01), 198, 200);
    assert_in_range(count_trends(-0.01), 198, 200);
}

static void points_above_their_workers_are_superlinear(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe all[] = {threads(2), threads(4), threads(8)};
    for (int block = 0; block < BLOCKS; block++) {
        add(&results, &serial, block, 4);
        add(&results, &all[0], block, 1.6);
        add(&results, &all[1], block, block < 2 ? 1.1 : 0.9); /* a limit of the interval lies below */
        add(&results, &all[2], block, 0.5);
    }
    build(&results, &curves);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_int_equal(curve->superlinear, 1);
    assert_true(curve->points[0].karp_flatt.middle < 0);
    curves_release(&curves);
    results_release(&results);
}

/* --- convergence ------------------------------------------------------------------------------------------------ */

/* The study line says whether looking decided when to stop. */
static struct curve_point point_of_study(int runs_min, int runs_max, int blocks, double precision, bool *stopping_p)
{
    struct results results;
    struct curves curves;
    const struct recipe one = threads(1), two = threads(2);
    results_init(&results);
    set_study(&results, "strong", runs_min, runs_max, 0.05);
    for (int block = 0; block < blocks; block++) {
        add(&results, &serial, block, 2 + 0.02 * block);
        add(&results, &one, block, 2);
        add(&results, &two, block, 1);
    }
    assert_int_equal(curves_build(&results, precision, &curves), 0);
    assert_near(curves.precision, precision > 0 ? precision : 0.05);
    *stopping_p = curves.stopping;
    struct curve_point point = *find_point(&curves, 2);
    point.group = NULL;
    curves_release(&curves);
    results_release(&results);
    return point;
}

static void intervals_are_wider_where_looking_decided_when_to_stop(void **state)
{
    (void)state;
    bool stopping;
    struct curve_point point = point_of_study(6, 6, 6, 0, &stopping);
    assert_true(!stopping && point.speedup.interval && point.converged);
    assert_near(point.half_width, 0.05 / 2.05);
    point = point_of_study(6, 30, 6, 0, &stopping);
    assert_true(stopping && !point.speedup.interval && !point.converged && isnan(point.half_width));
    point = point_of_study(6, 30, 7, 0, &stopping);
    assert_true(stopping && point.speedup.interval && point.converged);
    assert_near(point.half_width, 0.06 / 2.06);
    point = point_of_study(9, 9, 9, 0, &stopping); /* ranks 2 and 8, and at 98 % 1 and 9 */
    assert_spread(&point.speedup, 2.08, 2.02, 2.14);
    point = point_of_study(6, 30, 9, 0, &stopping);
    assert_spread(&point.speedup, 2.08, 2, 2.16);
    point = point_of_study(9, 9, 9, 0.02, &stopping); /* what is asked now goes before what was asked then */
    assert_true(!point.converged && point.half_width > 0.02);
    point = point_of_study(9, 9, 9, 0.03, &stopping);
    assert_true(point.converged);
}

static void files_without_a_study_have_95_percent_and_a_precision_of_2(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    for (int block = 0; block < 6; block++) add(&results, &serial, block, 1);
    build(&results, &curves);
    assert_false(curves.stopping);
    assert_near(curves.precision, 0.02);
    assert_true(curves.curves[0].points[0].wall_s.interval && curves.curves[0].points[0].converged);
    curves_release(&curves);
    results_release(&results);
}

/* --- bounds ----------------------------------------------------------------------------------------------------- */

static void readings_of_the_reference_say_how_the_machine_varied(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    build(&results, &curves);
    assert_true(isnan(curves.reference_low) && isnan(curves.reference_high));
    curves_release(&curves);
    static const double readings[][2] = {{90, 110}, {80, 80}, {150, 90}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(results_add_reference(&results, json_pack("{s:s, s:[f, f]}", "type", "reference", "flop_per_s",
                                                                   readings[i][0], readings[i][1])),
                         0);
    build(&results, &curves);
    assert_near(curves.reference_low, 0.8);
    assert_near(curves.reference_high, 1.2);
    curves_release(&curves);
    /* One without a reading is none. */
    assert_int_equal(results_add_reference(&results, json_pack("{s:s, s:[]}", "type", "reference", "flop_per_s")), 0);
    build(&results, &curves);
    assert_near(curves.reference_low, 0.8);
    curves_release(&curves);
    results_release(&results);
}

static double bound_of(double busy, double starved)
{
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe base = serial, four = {.mode = MODE_MULTITASK, .workers = 4, .cpus = 1, .busy = 1};
    base.busy = busy;
    base.starved = starved;
    add_blocks(&results, &base, 2);
    add_blocks(&results, &four, 1);
    build(&results, &curves);
    double bound = find_curve(&curves, "packed", MODE_MULTITASK)->waiting_bound;
    curves_release(&curves);
    results_release(&results);
    return bound;
}

static void tasks_that_wait_have_a_bound_and_starved_ones_none(void **state)
{
    (void)state;
    assert_near(bound_of(0.2, 0), 5);
    assert_near(bound_of(0.2, NAN), 5); /* nothing tells that it starved */
    assert_near(bound_of(0.2, 0.3), 2);
    assert_true(isnan(bound_of(0.2, 0.8)));
    assert_true(isnan(bound_of(1, 0)));
    assert_true(isnan(bound_of(0.95, 0)));
}

static void the_roof_is_the_ceiling_of_the_serial_program(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe base = serial, two = threads(2);
    add_blocks(&results, &base, 2);
    build(&results, &curves);
    assert_true(isnan(curves.curves[0].roof_share) && isnan(curves.curves[0].roof_rate));
    curves_release(&curves);
    results_release(&results);
    base.ceiling = 2000; /* rate 500 */
    two.ceiling = 9999;
    add_blocks(&results, &base, 2);
    add_blocks(&results, &two, 1);
    build(&results, &curves);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_near(curve->roof_share, 0.25);
    assert_near(curve->roof_rate, 2000);
    curves_release(&curves);
    results_release(&results);
}

static void curves_of_several_workers_have_a_sentence(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe turns = {.mode = MODE_MULTITASK, .workers = 4, .cpus = 1, .busy = 0.25}, two = threads(2),
                  four = threads(4);
    add_blocks(&results, &serial, 4);
    add_blocks(&results, &turns, 4);
    add_blocks(&results, &four, 1.3);
    add_blocks(&results, &two, 2);
    build(&results, &curves);
    assert_string_equal(find_curve(&curves, "packed", MODE_SERIAL)->sentence, "");
    const char *sentence = find_curve(&curves, "packed", MODE_THREADS)->sentence;
    assert_int_equal(strncmp(sentence, "4 workers: 3.08 times as fast as one task", 41), 0);
    sentence = find_curve(&curves, "packed", MODE_MULTITASK)->sentence;
    assert_non_null(strstr(sentence, "time slicing: 4 tasks had 1 core."));
    curves_release(&curves);
    results_release(&results);
}

/* Problems as the file has them, then variants as their kernel has them, then modes. */
static void curves_are_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *variant;
        enum mode_name mode;
        int workers;
    } file[] = {{"toy", "b", MODE_THREADS, 2},          {"matmul", "packed", MODE_MPI, 2},
                {"toy", "a", MODE_SERIAL, 1},           {"matmul", "packed", MODE_THREADS, 2},
                {"matmul", "packed", MODE_THREADS, 1},  {"matmul", "naive", MODE_MULTITASK, 2},
                {"matmul", "packed", MODE_SERIAL, 1},   {"matmul", "naive", MODE_SERIAL, 1},
                {"matmul", "reordered", MODE_MPI, 2},   {"toy", "a", MODE_THREADS, 2},
                {"matmul", "naive", MODE_MULTITASK, 4}, {"matmul", "packed", MODE_MULTITASK, 2}},
      order[] = {{"toy", "a", MODE_SERIAL, 1},           {"toy", "b", MODE_THREADS, 2},
                 {"toy", "a", MODE_THREADS, 2},          {"matmul", "naive", MODE_SERIAL, 1},
                 {"matmul", "naive", MODE_MULTITASK, 2}, {"matmul", "reordered", MODE_MPI, 2},
                 {"matmul", "packed", MODE_SERIAL, 1},   {"matmul", "packed", MODE_MULTITASK, 2},
                 {"matmul", "packed", MODE_THREADS, 1},  {"matmul", "packed", MODE_MPI, 2}};
    struct results results;
    struct curves curves;
    results_init(&results);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        const struct recipe recipe = {
            .kernel = file[i].kernel, .variant = file[i].variant, .mode = file[i].mode, .workers = file[i].workers};
        add(&results, &recipe, 0, 1);
    }
    build(&results, &curves);
    assert_int_equal(curves.count, sizeof order / sizeof *order);
    for (int c = 0; c < curves.count; c++) {
        const struct config *config = curves.curves[c].config;
        assert_string_equal(config->kernel, order[c].kernel);
        assert_string_equal(config->variant, order[c].variant);
        assert_int_equal(config->mode.name, order[c].mode);
        assert_int_equal(mode_workers(&config->mode), order[c].workers);
        for (int i = 1; i < curves.curves[c].count; i++)
            assert_true(curves.curves[c].points[i].workers > curves.curves[c].points[i - 1].workers);
    }
    curves_release(&curves);
    results_release(&results);
}

/* --- laws ------------------------------------------------------------------------------------------------------- */

static bool without_nlopt(void)
{
    struct model_fit fit;
    model_fit(MODEL_AMDAHL, 4,
              (const struct model_point[]){
                  {1, 1, &(double){8}}, {2, 1, &(double){4}}, {4, 1, &(double){2}}, {8, 1, &(double){1}}},
              1, &fit);
    return fit.state == MODEL_UNAVAILABLE;
}

static const double serial_share = 0.1;

static double amdahl_s(int workers)
{
    return 2 * (serial_share + (1 - serial_share) / workers);
}

static void laws_are_fitted_to_points_with_a_core_for_each_worker(void **state)
{
    (void)state;
    if (without_nlopt()) skip();
    struct results results;
    struct curves curves;
    results_init(&results);
    add_blocks(&results, &serial, 1.8);
    for (int workers = 1; workers <= 32; workers *= 2) {
        struct recipe recipe = threads(workers);
        recipe.cpus = workers < 8 ? workers : 8;
        add_blocks(&results, &recipe, workers <= 8 ? amdahl_s(workers) : 3);
    }
    build(&results, &curves);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_int_equal(curve->count, 6);
    assert_int_equal(curve->chosen, MODEL_AMDAHL);
    const struct model_fit *fit = &curve->fits[MODEL_AMDAHL];
    assert_int_equal(fit->points, 4);
    assert_true(fabs(fit->parameters[0].value - 2) < 1e-6);
    assert_true(fabs(fit->parameters[1].value - serial_share) < 1e-6);
    assert_int_equal(curve->fits[MODEL_USL].state, MODEL_TOO_FEW);
    assert_int_equal(curve->fits[MODEL_GUSTAFSON].state, MODEL_TOO_FEW);
    assert_int_equal(find_curve(&curves, "packed", MODE_SERIAL)->chosen, -1);
    curves_release(&curves);
    results_release(&results);
}

/* From 2 workers on: only the same program can stand for one. */
static void the_serial_program_stands_for_one_worker_of_its_variant(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    for (int same = 0; same < 2; same++) {
        struct recipe base = serial;
        results_init(&results);
        if (!same) base.variant = "tiled";
        add_blocks(&results, &base, amdahl_s(1));
        for (int workers = 2; workers <= 16; workers *= 2) {
            const struct recipe recipe = threads(workers);
            add_blocks(&results, &recipe, amdahl_s(workers));
        }
        build(&results, &curves);
        const struct model_fit *fit = &find_curve(&curves, "packed", MODE_THREADS)->fits[MODEL_AMDAHL];
        assert_int_equal(fit->points, same ? 5 : 4);
        if (fit->state == MODEL_FITTED) assert_true(fabs(fit->parameters[1].value - serial_share) < 1e-6);
        curves_release(&curves);
        results_release(&results);
    }
}

/* The machine gets slower and slower, and the more workers a configuration has, the earlier it left the blocks. */
static void drift_that_base_and_point_share_does_not_bend_the_law(void **state)
{
    (void)state;
    if (without_nlopt()) skip();
    struct results results;
    struct curves curves;
    results_init(&results);
    for (int block = 0; block < 25; block++) {
        double stretch = 1 + 0.05 * block;
        add(&results, &serial, block, 1.9 * stretch);
        for (int workers = 1, last = 25; workers <= 8; workers *= 2, last -= 6) {
            const struct recipe recipe = threads(workers);
            if (block < last) add(&results, &recipe, block, amdahl_s(workers) * stretch);
        }
    }
    build(&results, &curves);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_int_equal(curve->points[3].valid, 7);
    const struct model_fit *fit = &curve->fits[MODEL_AMDAHL];
    assert_int_equal(fit->state, MODEL_FITTED);
    if (fabs(fit->parameters[1].value - serial_share) > 1e-6) fail_msg("s is %g", fit->parameters[1].value);
    assert_true(fit->parameters[1].high - fit->parameters[1].low < 1e-6);
    assert_true(curve->points[0].trend);
    curves_release(&curves);
    results_release(&results);
}

/* Nothing is called the best serial program while a shorter time was only too short to be judged. */
static void a_base_that_may_be_faster_is_not_overlooked(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe naive_serial = serial, brief_serial = serial, two = threads(2);
    naive_serial.variant = "naive";
    brief_serial.short_ = true;
    add_blocks(&results, &naive_serial, 8);
    add_blocks(&results, &brief_serial, 0.1);
    add_blocks(&results, &two, 1);
    build(&results, &curves);
    const struct curve *curve = find_curve(&curves, "packed", MODE_THREADS);
    assert_null(curve->serial);
    assert_true(isnan(curve->points[0].speedup.middle));
    curves_release(&curves);
    results_release(&results);
}

/* Somebody else's timings (no variant) have no blocks: the ratio is that of medians, within both intervals. */
static void timings_are_compared_by_their_medians(void **state)
{
    (void)state;
    struct results results;
    struct curves curves;
    results_init(&results);
    struct recipe one = serial, four = threads(4);
    one.variant = four.variant = "";
    for (int i = 0; i < 7; i++) add(&results, &one, i, 10);
    for (int i = 7; i < 14; i++) add(&results, &one, i, 12);
    for (int i = 0; i < 8; i++) add(&results, &four, i, 3 + 0.1 * i);
    build(&results, &curves);
    assert_int_equal(curves.count, 2);
    const struct curve_point *point = &curves.curves[1].points[0];
    assert_int_equal(point->workers, 4);
    assert_true(fabs(point->speedup.middle - 11 / 3.35) < 1e-12);
    assert_true(point->speedup.interval && point->speedup.low < 10 / 3.35 && point->speedup.high > 12 / 3.35);
    curves_release(&curves);
    results_release(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_without_samples_has_no_curves),
        cmocka_unit_test(the_machine_is_named_from_the_context),
        cmocka_unit_test(there_are_two_bases_the_best_serial_program_and_the_fewest_workers),
        cmocka_unit_test(commands_are_the_same_problem_where_all_but_the_launcher_is_the_same),
        cmocka_unit_test(problems_are_in_the_order_of_the_plan),
        cmocka_unit_test(a_commands_waiting_is_of_its_whole_time),
        cmocka_unit_test(without_a_serial_program_the_fewest_workers_are_the_base),
        cmocka_unit_test(other_problems_are_other_curves),
        cmocka_unit_test(intervals_are_the_images_of_the_speedups_own),
        cmocka_unit_test(workers_that_share_cores_are_not_dedicated),
        cmocka_unit_test(weak_scaling_compares_rates),
        cmocka_unit_test(what_is_not_valid_is_counted_and_left_out),
        cmocka_unit_test(a_base_without_valid_samples_gives_no_speedup),
        cmocka_unit_test(repeats_of_a_launch_are_one_time),
        cmocka_unit_test(outliers_are_counted_and_a_slow_first_launch_is_told),
        cmocka_unit_test(times_that_rise_or_fall_are_told_from_eight_launches_on),
        cmocka_unit_test(trends_are_found_where_there_are_some_and_hardly_elsewhere),
        cmocka_unit_test(points_above_their_workers_are_superlinear),
        cmocka_unit_test(intervals_are_wider_where_looking_decided_when_to_stop),
        cmocka_unit_test(files_without_a_study_have_95_percent_and_a_precision_of_2),
        cmocka_unit_test(readings_of_the_reference_say_how_the_machine_varied),
        cmocka_unit_test(tasks_that_wait_have_a_bound_and_starved_ones_none),
        cmocka_unit_test(the_roof_is_the_ceiling_of_the_serial_program),
        cmocka_unit_test(curves_of_several_workers_have_a_sentence),
        cmocka_unit_test(curves_are_in_order),
        cmocka_unit_test(a_base_that_may_be_faster_is_not_overlooked),
        cmocka_unit_test(timings_are_compared_by_their_medians),
        cmocka_unit_test(laws_are_fitted_to_points_with_a_core_for_each_worker),
        cmocka_unit_test(the_serial_program_stands_for_one_worker_of_its_variant),
        cmocka_unit_test(drift_that_base_and_point_share_does_not_bend_the_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
