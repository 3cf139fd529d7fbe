/* speedup demo: the lesson. Calibrate sizes, play the scenes in blocks, then tell what the records say. */
#include "../observe/thread.h"
#include "../options/options.h"
#include "../plan/lesson_plan.h"
#include "../present/present.h"
#include "calibrate.h"
#include "capture.h"
#include "commands.h"
#include "play.h"
#include "session.h"
#include "watching.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATH_LENGTH = 4096 };

/* No scene is measured again once the lesson has taken this long. */
static const double patience_s = 90, quick_patience_s = 12;

struct demo {
    struct session session;
    struct lesson_plan plan;
    struct problem problems[SCENE_KERNELS];
    struct style err;
    double start_s, done_s, total_s; /* of the progress line: expected times */
    double patience_s;
    bool quick, timeline;
    const char *text;
};

static void show_progress(void *context, double elapsed_s)
{
    struct demo *demo = context;
    double left_s = demo->total_s - demo->done_s - elapsed_s;
    double fraction = demo->total_s > 0 ? (demo->done_s + elapsed_s) / demo->total_s : NAN;
    present_progress(stderr, &demo->err, demo->text, fmin(fraction, 0.99), left_s > 1 ? left_s : NAN);
}

static int find_option(const struct kernel *kernel, const char *name)
{
    for (int i = 0; kernel->options[i].name; i++)
        if (strcmp(kernel->options[i].name, name) == 0) return i;
    return -1;
}

/* The waiting scene's items compute for a millisecond and then wait for four: a fifth of the time is work. */
static int calibrate_waiting(struct demo *demo, struct problem *problem, struct error *error)
{
    static const double compute_s = 1e-3, wait_s = 4e-3;
    enum { ITEMS = 100 };
    int operations = find_option(problem->kernel, "operations"), wait = find_option(problem->kernel, "wait");
    problem->options[wait] = 0;
    problem->size = (struct size){.dims = 1, .dim = {ITEMS}};
    struct calibration once;
    int status = calibrate_once(&demo->session, problem, &demo->plan.scenes[0].mode, &once, error);
    if (status) return status;
    problem->options[operations] = plan_operations(problem->options[operations], once.cpu_s / ITEMS, compute_s);
    problem->options[wait] = wait_s;
    problem->size.dim[0] = (int64_t)(demo->plan.times.wait_base_s / (compute_s + wait_s));
    return STATUS_OK;
}

static int calibrate(struct demo *demo, struct error *error)
{
    for (int k = 0; k < SCENE_KERNELS; k++) {
        problem_init(kernel_find(scene_kernel_names[k]), &demo->problems[k]);
        demo->text = "choosing sizes for this machine";
        int status = k == SCENE_WAITING ? calibrate_waiting(demo, &demo->problems[k], error)
                                        : calibrate_size(&demo->session, &demo->problems[k], &demo->plan.scenes[0].mode,
                                                         demo->plan.times.base_s, error);
        if (status) return status;
    }
    return STATUS_OK;
}

static struct measurement scene_measurement(const struct demo *demo, const struct scene *scene, int block)
{
    return (struct measurement){.problem = &demo->problems[scene->kernel],
                                .mode = &scene->mode,
                                .runs = 1,
                                .block = block,
                                .launches_max = clock_wall_s() - demo->start_s < demo->patience_s ? 3 : 1};
}

/* What a scene will take, for the progress line. */
static double expected_s(const struct lesson_plan *plan, const struct scene *scene)
{
    static const double start_s = 0.05, mpirun_s = 0.3;
    double base_s = scene->kernel == SCENE_WAITING ? plan->times.wait_base_s : plan->times.base_s;
    double gain = scene->kernel == SCENE_WAITING && scene->mode.name != MODE_SERIAL ? 3 : scene->mode.cpus.count;
    return base_s / gain + (mode_needs_mpi(scene->mode.name) ? mpirun_s : start_s);
}

static int write_context(struct demo *demo, struct error *error)
{
    struct measurement measurements[SCENES_MAX];
    for (int i = 0; i < demo->plan.scene_count; i++)
        measurements[i] = scene_measurement(demo, &demo->plan.scenes[i], 0);
    return session_write_context(&demo->session, demo->plan.scene_count, measurements, error);
}

static int play_scenes(struct demo *demo, struct error *error)
{
    const struct lesson_plan *plan = &demo->plan;
    for (int i = 0; i < plan->scene_count; i++)
        demo->total_s += plan->times.blocks * expected_s(plan, &plan->scenes[i]);
    for (int block = 0; block < plan->times.blocks; block++)
        for (int i = 0; i < plan->scene_count; i++) {
            const struct scene *scene = &plan->scenes[i];
            char text[128];
            snprintf(text, sizeof text, "%s: %s", scene_kernel_names[scene->kernel], scene->text);
            demo->text = text;
            show_progress(demo, 0);
            const struct measurement measurement = scene_measurement(demo, scene, block);
            int got, status = session_measure(&demo->session, &measurement, &got, error);
            demo->text = "";
            if (status) return status;
            demo->done_s += expected_s(plan, scene);
        }
    return STATUS_OK;
}

/* The scenes in which it is worth seeing who ran when: several tasks. Of the computing kernels, one suffices; where
 * time is short, so do threads. */
static bool is_watched(const struct demo *demo, const struct scene *scene)
{
    return scene->kernel != SCENE_MATMUL && mode_workers(&scene->mode) > 1 &&
           !(demo->quick && mode_needs_mpi(scene->mode.name));
}

/* Once each, after all that is timed. Where it cannot be had, the lesson is not the poorer for it, but says so. */
static int watch_scenes(struct demo *demo, struct error *error)
{
    for (int i = 0; i < demo->plan.scene_count; i++) {
        const struct scene *scene = &demo->plan.scenes[i];
        char text[128];
        if (!is_watched(demo, scene)) continue;
        snprintf(text, sizeof text, "watching %s: %s", scene_kernel_names[scene->kernel], scene->text);
        demo->text = text;
        show_progress(demo, 0);
        const struct measurement measurement = scene_measurement(demo, scene, 0);
        int status = capture_timeline(&demo->session, &measurement, error);
        demo->text = "";
        if (status == STATUS_FAILED) {
            present_progress(stderr, &demo->err, NULL, NAN, NAN);
            fprintf(stderr, "speedup demo: there is no timeline: %s\n", error->text);
            return STATUS_OK;
        }
        if (status) return status;
    }
    return STATUS_OK;
}

/* Everything that is shown comes from the file. `report` NULL: the lesson was cut short, and a report would look whole.
 */
static int tell(const char *records, const char *report, struct error *error)
{
    struct results results;
    results_init(&results);
    struct lesson *lesson = malloc(sizeof *lesson);
    int status = lesson ? results_read(records, &results, error) : error_set(error, STATUS_FAILED, "no memory");
    if (!status) {
        struct style out;
        style_for(stdout, &out);
        lesson_build(&results, lesson);
        present_lesson(stdout, &out, lesson);
        present_timeline_pair(stdout, &out, &results);
        if (report) status = present_report(report, &results, lesson, error);
    }
    if (!status) {
        bool any = false;
        for (int i = 0; i < lesson->row_count; i++) any = any || lesson->rows[i].valid_count > 0;
        if (!any)
            status = error_set(error, STATUS_UNMEASURED, "no sample was valid: %s; records: %s",
                               lesson->row_count ? lesson->rows[0].reason : "none was made", records);
    }
    free(lesson);
    results_release(&results);
    return status;
}

static int run_demo(struct demo *demo, int workers, bool quick, const char *directory, struct error *error)
{
    struct session *session = &demo->session;
    style_for(stderr, &demo->err);
    session->time_limit_s = 120;
    session->context = demo;
    session->on_tick = show_progress;
    if (session->job.size > 0)
        return error_set(error, STATUS_USAGE, "it starts its own processes, and cannot run inside %s; start it without",
                         session->job.launcher);
    char records[PATH_LENGTH], report[PATH_LENGTH];
    if (snprintf(records, sizeof records, "%s/results.jsonl", directory) >= PATH_LENGTH ||
        snprintf(report, sizeof report, "%s/report.html", directory) >= PATH_LENGTH)
        return error_set(error, STATUS_USAGE, "the name of the folder is too long");
    bool mpi = session->site.mpi_reason[0] == '\0';
    int status = plan_lesson(&session->machine, workers, quick, mpi, &demo->plan, error);
    if (!status && demo->timeline) status = watching_check(error);
    if (!status) status = play_make_directory(directory, error);
    if (!status) status = session_add_writer(session, records, error);
    if (status) return status;

    printf("Speedup: multitasking and multiprocessing, measured on this machine (about %d seconds).\n\n",
           quick ? 15 : 70);
    fflush(stdout);
    demo->start_s = clock_wall_s();
    demo->patience_s = quick ? quick_patience_s : patience_s;
    demo->quick = quick;
    status = calibrate(demo, error);
    if (!status) status = write_context(demo, error);
    if (!status) status = play_scenes(demo, error);
    if (!status && demo->timeline) status = watch_scenes(demo, error);
    present_progress(stderr, &demo->err, NULL, NAN, NAN);
    /* What was measured is told also where a scene failed; only after a SIGINT nobody wants to wait. */
    struct error tell_error;
    if (status == STATUS_INTERRUPTED || session->results.group_count == 0) return status;
    bool complete = status == STATUS_OK;
    int tell_status = tell(records, complete ? report : NULL, &tell_error);
    if (tell_status && !status) *error = tell_error, status = tell_status;
    if (tell_status == STATUS_OK && complete) printf("\nReport:  %s\nRecords: %s\n", report, records);
    if (tell_status == STATUS_OK && !complete)
        printf("\nThe lesson was cut short, so there is no report.\nRecords: %s\n", records);
    return status;
}

enum { LESSONS_MAX = 32, NAMES_LENGTH = 512 };

/* Names of the lessons that this program can play, NULL-terminated. */
static void list_lessons(const char *names_p[LESSONS_MAX + 1])
{
    int count = 0;
    for (int i = 0; exercise_registry[i] && count < LESSONS_MAX; i++)
        if (exercise_is_available(exercise_registry[i])) names_p[count++] = exercise_registry[i]->name;
    names_p[count] = NULL;
}

/* An option without its value would not say which there are. */
static int check_lesson_named(int argc, char **argv, const char *const *names, struct error *error)
{
    char all[NAMES_LENGTH];
    size_t used = 0;
    for (int i = 0; names[i] && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--lesson") == 0 && (i + 1 == argc || strncmp(argv[i + 1], "--", 2) == 0))
            return error_set(error, STATUS_USAGE, "--lesson needs the name of one: %s", all);
    return STATUS_OK;
}

static int check_options(const char *lesson, const struct play_options *play, int workers, bool timeline,
                         struct error *error)
{
    if (!lesson && play->guesses) return error_set(error, STATUS_USAGE, "--guess is of --lesson, which was not given");
    if (lesson && (workers > 0 || !timeline))
        return error_set(error, STATUS_USAGE, "--lesson has its own workers and no timeline: leave %s out",
                         workers > 0 ? "--workers" : "--no-timeline");
    return STATUS_OK;
}

static int measure_demo(int workers, bool timeline, const struct play_options *options, struct error *error)
{
    struct demo *demo = calloc(1, sizeof *demo);
    if (!demo) return error_set(error, STATUS_FAILED, "no memory");
    demo->timeline = timeline;
    int status = session_open("demo", &demo->session, error);
    if (!status) status = run_demo(demo, workers, options->quick, options->directory, error);
    struct error close_error;
    int close_status = session_close(&demo->session, &close_error);
    if (!status && close_status) *error = close_error, status = close_status;
    free(demo);
    return status;
}

int command_demo(const struct command *command, int argc, char **argv, struct error *error)
{
    struct play_options play = {.directory = "speedup-results"};
    bool timeline = true;
    int workers = 0, lesson = -1;
    const char *names[LESSONS_MAX + 1];
    list_lessons(names);
    const struct option table[] = {{'q', "quick", OPT_FLAG, &play.quick, 0, 0, NULL, NULL,
                                    "Two measurements of each scene instead of nine: under 20 seconds."},
                                   {0, "lesson", OPT_CHOICE, &lesson, 0, 0, names, "NAME",
                                    "Instead: the lesson of that name, with predictions (see 'speedup list')."},
                                   {0, "guess", OPT_TEXT, &play.guesses, 0, 0, NULL, "LIST",
                                    "Predictions for the lesson's questions, such as 1.5,2: nothing is asked then."},
                                   {0, "timeline", OPT_FLAG, &timeline, 0, 0, NULL, NULL,
                                    "Watch, at the end, who runs where and when. Default; --no-timeline does not."},
                                   {'W', "workers", OPT_COUNT, &workers, 2, 256, NULL, "W",
                                    "Tasks in the scenes. Default: one for each core, from 2 to 8."},
                                   {'o', "output", OPT_TEXT, &play.directory, 0, 0, NULL, "DIR",
                                    "Folder for the records and the report. Default: speedup-results."},
                                   {0}};
    const struct options description = {.command = command, .table = table};
    int operand_count, status = check_lesson_named(argc, argv, names, error);
    if (!status) status = options_parse(&description, argc, argv, &operand_count, error);
    if (status) return status > 0 ? STATUS_OK : status;
    if (operand_count > 0)
        return error_set(error, STATUS_USAGE, "takes no operand, but '%s' was given; see --help", argv[1]);
    const char *name = lesson >= 0 ? names[lesson] : NULL;
    status = check_options(name, &play, workers, timeline, error);
    if (status) return status;
    return name ? play_exercise(exercise_find(name), &play, error) : measure_demo(workers, timeline, &play, error);
}
