/* The lesson in three sentences, each from measured numbers alone: what taking turns gave, what running at once gave,
 * what waiting together gave. Each describes what was measured, also where that is not what the lesson hopes for, and
 * says why where there is no number. Nothing is called a success that was not one. */
#include "lesson.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Below this speedup, several cores (or waiting together) brought nothing worth the name. */
static const double gain_least = 1.2;
/* From this share of the ideal on, what was there to be gained was gained. */
static const double efficiency_good = 0.75;
/* Above it, more was gained than cores can give. */
static const double efficiency_most = 1.1;
/* Taking turns costs nothing noticeable between these speedups. */
static const double turns_least = 0.9, turns_most = 1.1;

enum { SCENE_ROWS_MAX = 3 };

/* The rows of one scene: one mode, one number of workers, several kernels. */
struct scene {
    int count; /* of rows with a speedup */
    const struct lesson_row *rows[SCENE_ROWS_MAX];
    const struct lesson_row *without; /* a row that has none, or NULL */
};

static void say(char sentence[512], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends to the sentence. */
static void say(char sentence[512], const char *format, ...)
{
    size_t length = strlen(sentence);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence + length, 512 - length, format, arguments);
    va_end(arguments);
}

static struct scene scene_gather(const struct lesson *lesson, enum mode_name mode, bool waits)
{
    struct scene scene = {0};
    for (int r = 0; r < lesson->row_count; r++) {
        const struct lesson_row *row = &lesson->rows[r];
        if (row->mode != mode || row->waits != waits || row->workers < 2) continue;
        if (isnan(row->speedup)) {
            if (!scene.without) scene.without = row;
            continue;
        }
        if (scene.count == SCENE_ROWS_MAX) continue;
        if (scene.count > 0 && (row->workers != scene.rows[0]->workers || row->cpus != scene.rows[0]->cpus)) continue;
        scene.rows[scene.count++] = row;
    }
    return scene;
}

static double row_parallelism(const struct lesson_row *row)
{
    return row->parallelism;
}

static double row_concurrency(const struct lesson_row *row)
{
    return row->concurrency;
}

static double row_speedup(const struct lesson_row *row)
{
    return row->speedup;
}

static double row_slowdown(const struct lesson_row *row)
{
    return 1 / row->speedup;
}

static double scene_least(const struct scene *scene, double (*number)(const struct lesson_row *))
{
    double least = number(scene->rows[0]);
    for (int i = 1; i < scene->count; i++) least = fmin(least, number(scene->rows[i]));
    return least;
}

static double scene_most(const struct scene *scene, double (*number)(const struct lesson_row *))
{
    double most = number(scene->rows[0]);
    for (int i = 1; i < scene->count; i++) most = fmax(most, number(scene->rows[i]));
    return most;
}

/* "1.98" or, where the kernels differ, "1.93 to 1.98". */
static void say_range(char sentence[512], const struct scene *scene, double (*number)(const struct lesson_row *))
{
    char least[24], most[24];
    snprintf(least, sizeof least, "%.2f", scene_least(scene, number));
    snprintf(most, sizeof most, "%.2f", scene_most(scene, number));
    if (isnan(scene_least(scene, number)))
        say(sentence, "unknown");
    else
        say(sentence, strcmp(least, most) ? "%s to %s" : "%s", least, most);
}

/* "matmul ran 1.93 and pi 1.98"; with the verb "", "matmul 1.93 and pi 1.98"; without a verb, where the kernels were
 * just named, "1.93 and 1.98". */
static void say_each(char sentence[512], const struct scene *scene, const char *verb,
                     double (*number)(const struct lesson_row *))
{
    for (int i = 0; i < scene->count; i++) {
        say(sentence, "%s", i == 0 ? "" : i + 1 == scene->count ? " and " : ", ");
        if (verb) say(sentence, "%s ", scene->rows[i]->kernel);
        if (verb && *verb && i == 0) say(sentence, "%s ", verb);
        say(sentence, "%.2f", number(scene->rows[i]));
    }
}

/* Whether every interval holds 1: then the data show no difference, and the sentence must claim none. */
static bool scene_is_level(const struct scene *scene)
{
    for (int i = 0; i < scene->count; i++) {
        const struct lesson_row *row = scene->rows[i];
        if (!row->speedup_interval || row->speedup_low > 1 || row->speedup_high < 1) return false;
    }
    return true;
}

static void conclude_turns(const struct lesson *lesson, char sentence[512])
{
    struct scene threads = scene_gather(lesson, MODE_MULTITASK, false);
    struct scene processes = scene_gather(lesson, MODE_MULTITASK_MPI, false);
    const struct scene *scene = threads.count > 0 ? &threads : &processes;
    const struct lesson_row *without = threads.without ? threads.without : processes.without;
    if (scene->count == 0 && without)
        say(sentence, "What %d tasks gain by taking turns on one core could not be measured: %s.", without->workers,
            without->reason);
    if (scene->count == 0) return;

    bool level = scene_is_level(scene);
    bool faster = !level && scene_most(scene, row_speedup) > turns_most;
    bool slower = !level && scene_least(scene, row_speedup) < turns_least && scene_most(scene, row_speedup) <= 1;
    say(sentence, "%d tasks on one core took turns: concurrency ", scene->rows[0]->workers);
    say_range(sentence, scene, row_concurrency);
    say(sentence, ", but only ");
    say_range(sentence, scene, row_parallelism);
    say(sentence, " ran at a time%s ", faster ? ", and yet" : slower ? ", and switching had its price:" : ", so");
    if (level) {
        say(sentence, "the work took as long as with one task alone: no difference was shown (speedup ");
    } else {
        say_each(sentence, scene, "took", row_slowdown);
        say(sentence, " times as long as one task alone (speedup ");
    }
    say_each(sentence, scene, level ? "" : NULL, row_speedup);
    if (scene == &threads && processes.count > 0) {
        say(sentence, "; as processes ");
        say_each(sentence, &processes, "", row_speedup);
    }
    say(sentence, faster ? "), which turns cannot explain: measure again." : ").");
}

static double row_ideal(const struct lesson_row *row)
{
    return row->workers < row->cpus ? row->workers : row->cpus;
}

static double row_efficiency(const struct lesson_row *row)
{
    return row->speedup / row_ideal(row);
}

/* What running at once was worth, in words; the numbers follow. */
static void say_worth(char sentence[512], const struct scene *scene)
{
    double parallelism = scene_least(scene, row_parallelism);
    if (isnan(parallelism)) {
        say(sentence, " (parallelism unknown): ");
        return;
    }
    if (parallelism < efficiency_good * row_ideal(scene->rows[0])) {
        say(sentence, " hardly ran at once: only ");
        say_range(sentence, scene, row_parallelism);
        say(sentence, " at a time; ");
        return;
    }
    bool little = scene_most(scene, row_speedup) < gain_least;
    bool good = scene_least(scene, row_efficiency) >= efficiency_good;
    say(sentence, little ? " gained next to nothing, though they ran at once (parallelism "
                         : " really ran at once (parallelism ");
    say_range(sentence, scene, row_parallelism);
    say(sentence, good || little ? "): " : "), but did not gain all that this offers: ");
}

static void conclude_at_once(const struct lesson *lesson, char sentence[512])
{
    struct scene threads = scene_gather(lesson, MODE_THREADS, false);
    struct scene processes = scene_gather(lesson, MODE_MPI, false);
    const struct scene *scene = threads.count > 0 ? &threads : &processes;
    const struct lesson_row *without = threads.without ? threads.without : processes.without;
    if (scene->count == 0 && without) {
        say(sentence, "What %d tasks gain by running at once on %d cores could not be measured: %s.", without->workers,
            without->cpus, without->reason);
    } else if (scene->count == 0 && lesson->cores == 1) {
        say(sentence, "This machine offers one core only, so nothing can run at once here and no speedup is possible; "
                      "on two cores or more, threads and processes would show what multiprocessing gains.");
    } else if (scene->count == 0) {
        say(sentence, "Nothing here was run on several cores, so this record tells nothing of multiprocessing.");
    }
    if (scene->count == 0) return;

    say(sentence, "%d %s on %d cores", scene->rows[0]->workers, scene == &threads ? "threads" : "processes",
        scene->rows[0]->cpus);
    say_worth(sentence, scene);
    say_each(sentence, scene, "ran", row_speedup);
    int least = (int)lround(100 * scene_least(scene, row_efficiency));
    int most = (int)lround(100 * scene_most(scene, row_efficiency));
    say(sentence, " times as fast as one task, ");
    say(sentence, least == most ? "%d %%" : "%d to %d %%", least, most);
    say(sentence, " of the ideal %.0f", row_ideal(scene->rows[0]));
    if (scene_most(scene, row_efficiency) > efficiency_most)
        say(sentence, " (more than that many cores can give: the machine's speed changed, measure again)");
    if (scene == &threads && processes.count > 0) {
        say(sentence, "; as processes%s ", scene_most(&processes, row_speedup) < gain_least ? " only" : "");
        say_each(sentence, &processes, "", row_speedup);
    } else if (scene == &threads) {
        say(sentence, processes.without     ? "; as processes it could not be measured"
                      : lesson->mpi_missing ? "; processes need MPI, which is not available here"
                                            : "; processes were not tried");
    }
    say(sentence, ".");
}

static void conclude_waiting(const struct lesson *lesson, char sentence[512])
{
    struct scene scene = scene_gather(lesson, MODE_MULTITASK, true);
    if (scene.count == 0 && scene.without)
        say(sentence, "What %d tasks that wait gain by sharing one core could not be measured: %s.",
            scene.without->workers, scene.without->reason);
    if (scene.count == 0) return;

    const struct lesson_row *row = scene.rows[0];
    bool gained = row->speedup >= gain_least;
    say(sentence, "%d tasks that ", row->workers);
    if (isnan(lesson->waiting_bound))
        say(sentence, "wait at times");
    else
        say(sentence, "wait %.0f %% of their time", 100 * lesson->waiting_share);
    say(sentence, " shared one core and %s %.2f times as fast as one task", gained ? "finished" : "yet finished only",
        row->speedup);
    if (gained) say(sentence, ": while one waits, another computes");
    if (!isnan(lesson->waiting_bound))
        say(sentence, "; the limit here is min(k, (C + Z) / C) = %.2f, for k tasks that compute C and wait Z",
            lesson->waiting_bound);
    say(sentence, ".");
}

/* Where nothing at all is valid, three sentences about scenes would only repeat each other. */
static void conclude_unmeasured(struct lesson *lesson)
{
    int invalid = 0, not_judged = 0;
    const struct lesson_row *worst = &lesson->rows[0];
    for (int r = 0; r < lesson->row_count; r++) {
        const struct lesson_row *row = &lesson->rows[r];
        invalid += row->invalid_count;
        not_judged += row->not_judged_count;
        if (row->invalid_count + row->not_judged_count > worst->invalid_count + worst->not_judged_count) worst = row;
    }
    say(lesson->sentences[0], "Nothing could be shown: not one of the samples (%d) is a valid measurement (%s: %s).",
        invalid + not_judged, worst->kernel, worst->reason);
    say(lesson->sentences[1],
        "A number that was not honestly obtained is never shown as a result, so there is no speedup "
        "to tell of yet.");
    say(lesson->sentences[2], not_judged > invalid
                                  ? "The samples were too short to be judged: choose a larger size and measure again."
                                  : "Close what else runs here (speedup machine tells what would spoil a measurement, "
                                    "and what helps), then measure again.");
}

void lesson_conclude(struct lesson *lesson)
{
    int valid = 0;
    memset(lesson->sentences, 0, sizeof lesson->sentences);
    for (int r = 0; r < lesson->row_count; r++) valid += lesson->rows[r].valid_count;
    if (lesson->row_count == 0) {
        say(lesson->sentences[0], "There is no measurement in this record yet.");
    } else if (valid == 0) {
        conclude_unmeasured(lesson);
    } else {
        conclude_turns(lesson, lesson->sentences[0]);
        conclude_at_once(lesson, lesson->sentences[1]);
        conclude_waiting(lesson, lesson->sentences[2]);
    }
}
