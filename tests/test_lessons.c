/* Pages and lessons: every kernel has both; their commands can be run as they stand; nothing is wider than a terminal;
 * and what they say of numbers holds for any machine and any samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/commands/guess.h"
#include "../src/lessons/page.h"
#include "made_launches.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TITLE_MAX = 44, COMMAND_MAX = 76, WIDTH_MAX = 79, BLOCKS = 7, LINE = 4096 };

/* Of the machine and the program that the commands are tried with. */
static bool mpi;

static const char *program(void)
{
    const char *path = getenv("SPEEDUP_PROGRAM");
    assert_non_null(path);
    return path;
}

/* Runs it by the shell, in $PWD; what it prints goes to `out`. Returns its exit status. */
static int run(const char *arguments, const char *out)
{
    char line[2 * LINE];
    snprintf(line, sizeof line, "'%s' %s >%s 2>&1 </dev/null", program(), arguments, out);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct machine made_machine(int cores)
{
    struct machine machine = {.cpu_count = cores, .allowed_cpu_count = cores, .core_count = cores, .package_count = 1};
    for (int i = 0; i < cores; i++) machine.cpus[i] = (struct cpu){.os_index = i, .core = i};
    machine.memory_bytes = machine.memory_available_bytes = INT64_C(1) << 36;
    machine.quota_cpus = NAN;
    return machine;
}

/* ---------------------------------------------------------------------------- pages */

static void every_kernel_has_a_page(void **state)
{
    (void)state;
    for (int k = 0; kernel_registry[k]; k++) {
        const struct page *page = page_find(kernel_registry[k]->name);
        if (!page) fail_msg("%s has no page", kernel_registry[k]->name);
        assert_true(strlen(page->title) <= TITLE_MAX);
        assert_true(page->computes && page->threads && page->ranks && page->bound && page->numbers);
        assert_true(page->predict[0] && page->sights[0] && page->questions[0].question);
        for (int i = 0; page->questions[i].question; i++) assert_non_null(page->questions[i].answer);
        int steps = 0;
        for (; page->steps[steps].command; steps++) {
            assert_true(strlen(page->steps[steps].command) <= COMMAND_MAX);
            assert_non_null(page->steps[steps].why);
        }
        assert_true(steps >= 2);
    }
}

/* A command that measures, made one that only says what it would do; others, one that says what it is. */
static void try_command(const struct kernel *kernel, const char *command)
{
    char arguments[LINE], lead[] = "speedup ", lesson[] = "speedup demo --lesson ";
    if (strncmp(command, lead, strlen(lead)) != 0) fail_msg("no command of speedup's: %s", command);
    if (strncmp(command, lesson, strlen(lesson)) == 0) {
        assert_non_null(exercise_find(command + strlen(lesson)));
        return;
    }
    const char *rest = command + strlen(lead);
    bool measures = strncmp(rest, "run ", 4) == 0 || strncmp(rest, "study ", 6) == 0;
    if (!mpi && strstr(rest, "mpi")) return;
    snprintf(arguments, sizeof arguments, "%s%s%s %s", rest, measures && !strstr(rest, "--size") ? " --size " : "",
             measures && !strstr(rest, "--size") ? kernel->size_default : "", measures ? "--dry-run" : "--help");
    if (run(arguments, "out") != 0) {
        FILE *file = fopen("out", "r");
        char text[LINE] = "";
        if (file) text[fread(text, 1, sizeof text - 1, file)] = '\0', fclose(file);
        fail_msg("%s: %s", command, text);
    }
}

/* As long as the dials are not there. */
static bool has_dials(void)
{
    const struct kernel_option *option = kernel_find("synthetic")->options;
    while (option->name && strcmp(option->name, "serial") != 0) option++;
    return option->name != NULL;
}

static bool is_complete(const char *kernel)
{
    return strcmp(kernel, "synthetic") != 0 || has_dials();
}

static void commands_can_be_run(void **state)
{
    (void)state;
    for (int k = 0; kernel_registry[k]; k++) {
        const struct kernel *kernel = kernel_registry[k];
        const struct page *page = page_find(kernel->name);
        const struct exercise *exercise = exercise_of_kernel(kernel->name);
        if (!is_complete(kernel->name)) continue;
        for (int i = 0; page->steps[i].command; i++) try_command(kernel, page->steps[i].command);
        for (int i = 0; exercise && exercise->further[i]; i++) try_command(kernel, exercise->further[i]);
    }
}

static void check_width(const char *arguments)
{
    char line[LINE];
    assert_int_equal(run(arguments, "out"), 0);
    FILE *file = fopen("out", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        size_t length = strcspn(line, "\n");
        if (length > WIDTH_MAX) fail_msg("%s: wider than %d columns: %s", arguments, WIDTH_MAX, line);
        if (length > 0 && line[length - 1] == ' ') fail_msg("%s: blanks at the end of: %s", arguments, line);
        for (size_t i = 0; i < length; i++) assert_true(line[i] >= ' ' && line[i] <= '~');
    }
    fclose(file);
}

static void pages_fit_a_terminal(void **state)
{
    (void)state;
    char arguments[128];
    for (int k = 0; kernel_registry[k]; k++) {
        snprintf(arguments, sizeof arguments, "explain %s --answers --no-measure", kernel_registry[k]->name);
        check_width(arguments);
    }
    check_width("explain");
    check_width("explain --help");
    check_width("demo --help");
}

static void check_numbers(const struct page *page, int cores, double rate)
{
    struct machine machine = made_machine(cores);
    double all = cores > 1 ? 2 * rate : NAN;
    const struct facts facts = {.machine = &machine,
                                .peak_flops = {rate, all},
                                .fed_flops = {rate, all},
                                .triad_bytes = {rate / 5, all / 5},
                                .unmeasured = isnan(rate) ? "not asked for" : ""};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    page->numbers(&facts, out);
    fclose(out);
    assert_true(length > 20);
    if (strstr(text, "nan") || strstr(text, "inf ") || strstr(text, "-nan")) fail_msg("%s: %s", page->kernel, text);
    free(text);
}

static void numbers_hold_for_any_machine(void **state)
{
    (void)state;
    static const int cores[] = {1, 2, 96};
    for (int i = 0; page_registry[i]; i++)
        for (int c = 0; c < 3; c++) {
            check_numbers(page_registry[i], cores[c], NAN);
            check_numbers(page_registry[i], cores[c], 1e11);
        }
}

/* ---------------------------------------------------------------------------- lessons */

static void every_kernel_has_a_lesson(void **state)
{
    (void)state;
    for (int k = 0; kernel_registry[k]; k++) {
        const struct exercise *exercise = exercise_of_kernel(kernel_registry[k]->name);
        if (!exercise) fail_msg("%s has no lesson", kernel_registry[k]->name);
        assert_true(strlen(exercise->title) <= TITLE_MAX);
        for (int p = 0; exercise->problems[p].kernel && is_complete(exercise->name); p++) {
            struct problem problem;
            struct error error;
            if (exercise_make_problem(&exercise->problems[p], &problem, &error)) fail_msg("%s", error.text);
        }
    }
}

static void lessons_can_be_placed(void **state)
{
    (void)state;
    static const int cores[] = {1, 2, 96};
    struct mode mode;
    struct error error;
    for (int e = 0; exercise_registry[e]; e++) {
        const struct exercise *exercise = exercise_registry[e];
        int shots = 0, problems = 0, questions = 0;
        while (exercise->problems[problems].kernel) problems++;
        while (exercise->questions[questions].ask) questions++;
        for (; exercise->shots[shots].text; shots++) {
            assert_in_range(exercise->shots[shots].problem, 0, problems - 1);
            for (int c = 0; c < 3; c++) {
                struct machine machine = made_machine(cores[c]);
                if (exercise_plan_shot(&machine, &exercise->shots[shots], &mode, &error)) fail_msg("%s", error.text);
            }
        }
        for (int p = 0; p < problems; p++) assert_in_range(exercise->problems[p].size_of, 0, p);
        assert_in_range(problems, 1, EXERCISE_PROBLEMS_MAX);
        assert_in_range(shots, 1, EXERCISE_SHOTS_MAX);
        assert_in_range(questions, 1, EXERCISE_QUESTIONS_MAX);
    }
}

/* Nothing was measured: no answers. */
static void no_samples_no_answers(void **state)
{
    (void)state;
    for (int e = 0; exercise_registry[e]; e++) {
        const struct exercise_view view = {.exercise = exercise_registry[e], .workers = 2, .cores = 2};
        for (const struct exercise_question *question = view.exercise->questions; question->ask; question++)
            assert_int_equal(question->measure(&view).count, 0);
    }
}

static void make_points(struct group *group)
{
    for (int s = 0; s < group->count; s++) {
        struct sample *sample = &group->samples[s];
        sample->correct = true;
        sample->result = 40338.15542441498;
        sample->ceiling_rate = 1e12;
        sample->comm_s = 0.1 * sample->wall_s;
        for (int w = 0; w < sample->worker_count; w++) {
            sample->workers[w].response_s = 1e-3 * w;
            sample->workers[w].end_s = sample->wall_s;
        }
        sample->point_count = 2;
        sample->points = calloc(2, sizeof *sample->points);
        assert_non_null(sample->points);
        sample->points[0] = (struct kernel_point){.bytes = 1, .messages = 10, .time_s = 5e-7, .traffic_bytes = 1};
        sample->points[1] =
            (struct kernel_point){.bytes = 1 << 20, .messages = 10, .time_s = 1e-4, .traffic_bytes = 1 << 20};
    }
}

/* The samples of all shots: each half as long as the one before; where a cost is asked for, twice as long. */
static void answers_come_from_samples(void **state)
{
    (void)state;
    for (int e = 0; exercise_registry[e]; e++) {
        struct results results;
        struct exercise_view view = {.exercise = exercise_registry[e], .workers = 2, .cores = 2};
        int shots = 0;
        double wall_s = 1, next = strcmp(view.exercise->name, "switching") == 0 ? 2 : 0.5;
        results_init(&results);
        for (; view.exercise->shots[shots].text; shots++, wall_s *= next) {
            const struct made made = {.mode = MODE_THREADS, .workers = shots + 1, .cpus = 2};
            make_even(&results, &made, BLOCKS, wall_s);
        }
        for (int s = 0; s < shots; s++) {
            view.groups[s] = &results.groups[s];
            make_points(&results.groups[s]);
        }
        for (const struct exercise_question *question = view.exercise->questions; question->ask; question++) {
            char text[EXERCISE_TEXT] = "";
            const struct spread answer = question->measure(&view);
            assert_true(answer.count >= BLOCKS);
            assert_true(answer.middle >= question->low && answer.middle <= question->high);
            question->explain(&view, &answer, sizeof text, text);
            if (strlen(text) < 40 || strlen(text) > EXERCISE_TEXT - 2 || strstr(text, "nan")) fail_msg("'%s'", text);
            if (question->bound) assert_true(question->bound(&view).value >= 0);
        }
        results_release(&results);
    }
}

static void ratio_is_of_rates_in_blocks(void **state)
{
    (void)state;
    struct results results;
    struct exercise_view view = {.exercise = exercise_find("pi"), .workers = 2, .cores = 2};
    results_init(&results);
    const struct made one = {.mode = MODE_SERIAL, .workers = 1}, two = {.mode = MODE_THREADS, .workers = 2};
    for (int block = 0; block < BLOCKS; block++) { /* the machine gets slower and slower */
        make_launch(&results, &one, block, 1 + block);
        make_launch(&results, &two, block, (1 + block) / 1.8);
    }
    view.groups[0] = &results.groups[0];
    view.groups[1] = &results.groups[1];
    const struct spread ratio = exercise_ratio(&view, 0, 1);
    assert_int_equal(ratio.count, BLOCKS);
    assert_true(ratio.interval && fabs(ratio.middle - 1.8) < 1e-9 && fabs(ratio.high - 1.8) < 1e-9);
    results_release(&results);
}

static void what_a_machine_cannot_have_has_a_reason(void **state)
{
    (void)state;
    static const struct exercise_shot plain = {.text = "plain", .mode = MODE_MULTITASK},
                                      ranks = {.text = "ranks", .mode = MODE_MULTITASK_MPI},
                                      slice = {.text = "slice", .mode = MODE_MULTITASK, .slice_s = 1e-3},
                                      fifo = {.text = "fifo", .mode = MODE_MULTITASK, .policy = POLICY_FIFO},
                                      batch = {.text = "batch", .mode = MODE_MULTITASK, .policy = POLICY_BATCH};
    assert_null(exercise_reason(&plain, "m", "s", "r"));
    assert_null(exercise_reason(&batch, "m", "s", "r"));
    assert_string_equal(exercise_reason(&ranks, "m", "s", "r"), "m");
    assert_string_equal(exercise_reason(&slice, "m", "s", "r"), "s");
    assert_string_equal(exercise_reason(&fifo, "m", "s", "r"), "r");
    assert_null(exercise_reason(&ranks, "", "s", "r"));
    assert_null(exercise_reason(&slice, "m", "", "r"));
    assert_null(exercise_reason(&fifo, "m", "s", ""));
}

static void texts_are_filled_in(void **state)
{
    (void)state;
    const struct exercise_view view = {.workers = 8, .cores = 6};
    char text[64], tight[8];
    assert_string_equal(exercise_expand(&view, "{workers} on {cores}, {else} {", sizeof text, text),
                        "8 on 6, {else} {");
    assert_string_equal(exercise_expand(&view, "{workers} on {cores}", sizeof tight, tight), "8 on 6");
    assert_string_equal(exercise_expand(&view, "0123456789", sizeof tight, tight), "0123456");
    assert_string_equal(exercise_expand(&view, "", sizeof text, text), "");
}

/* ---------------------------------------------------------------------------- guesses */

static const struct exercise_question times = {.ask = "?", .unit = "times", .low = 0.01, .high = 1000};
static const struct exercise_question share = {.ask = "?", .unit = "%", .low = 0, .high = 100};

static void guesses_are_numbers_with_their_unit(void **state)
{
    (void)state;
    double guess = -1;
    static const char *const good[] = {"1.5", " 1.5", "1,5", "1.5 times", "1.5x", "1.5\r\n", "15e-1 TIMES "};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        guess = -1;
        if (exercise_parse_guess(&times, good[i], &guess) || guess != 1.5) fail_msg("'%s'", good[i]);
    }
    static const char *const bad[] = {"", "two", "1.5 %", "1.5.2", "1 2", "nan", "inf", "-", "1.5 timesx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (exercise_parse_guess(&times, bad[i], &guess) != -EINVAL) fail_msg("'%s'", bad[i]);
    char endless[200];
    memset(endless, '1', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(exercise_parse_guess(&times, endless, &guess), -EINVAL);
    assert_int_equal(exercise_parse_guess(&times, "0", &guess), -ERANGE);
    assert_int_equal(exercise_parse_guess(&times, "-2", &guess), -ERANGE);
    assert_int_equal(exercise_parse_guess(&times, "1e300", &guess), -ERANGE);
    assert_int_equal(exercise_parse_guess(&share, "95 %", &guess), 0);
    assert_true(guess == 95);
}

static void guesses_are_compared(void **state)
{
    (void)state;
    const struct spread answer = {.count = 7, .middle = 2, .low = 1.9, .high = 2.05, .interval = true};
    const struct spread none = {.count = 1};
    char text[256];
    assert_non_null(strstr(exercise_compare(&times, 1.95, &answer, sizeof text, text), "right"));
    assert_non_null(strstr(exercise_compare(&times, 1.84, &answer, sizeof text, text), "close: 8 % too low"));
    assert_non_null(strstr(exercise_compare(&times, 1, &answer, sizeof text, text), "1 times too low"));
    assert_non_null(strstr(exercise_compare(&times, 20, &answer, sizeof text, text), "too high by a factor of 10"));
    assert_non_null(strstr(exercise_compare(&share, 3, &none, sizeof text, text), "3 % too high"));
    assert_non_null(strstr(exercise_compare(&share, 0, &none, sizeof text, text), "right"));
}

static void lists_of_guesses(void **state)
{
    (void)state;
    struct guess guess;
    struct error error;
    const char *rest = "1.5,,x";
    assert_int_equal(guess_take(&times, &rest, &guess, &error), 0);
    assert_true(guess.given && guess.value == 1.5);
    assert_int_equal(guess_take(&times, &rest, &guess, &error), 0);
    assert_false(guess.given);
    assert_int_equal(guess_take(&times, &rest, &guess, &error), STATUS_USAGE);
    assert_string_equal(error.text, "--guess 'x' is not a number; allowed: a number from 0.01 to 1000");
    assert_string_equal(rest, "");
    assert_int_equal(guess_take(&times, &rest, &guess, &error), 0);
    assert_false(guess.given);
}

/* A line a question; what is no guess is said, and costs its line; the end of the input is no guess. */
static void guesses_are_read_line_by_line(void **state)
{
    (void)state;
    char input[] = "1.5\nmany\n\n2", printed[1024] = "";
    static const double expected[] = {1.5, NAN, NAN, 2, NAN, NAN};
    FILE *in = fmemopen(input, strlen(input), "r"), *out = fmemopen(printed, sizeof printed, "w");
    assert_true(in && out);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct guess guess;
        guess_ask(&times, in, out, &guess);
        assert_int_equal(guess.given, !isnan(expected[i]));
        if (guess.given) assert_true(guess.value == expected[i]);
    }
    fclose(in);
    fclose(out);
    assert_non_null(strstr(printed, "That is not a number; allowed: a number from 0.01 to 1000."));
}

/* ---------------------------------------------------------------------------- played */

static bool contains(const char *file, const char *words)
{
    char line[LINE];
    bool found = false;
    FILE *in = fopen(file, "r");
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) found = found || strstr(line, words);
    fclose(in);
    return found;
}

/* On a machine that is busy there may be no valid sample; all else is told nevertheless. */
static void a_lesson_is_played(void **state)
{
    (void)state;
    char line[LINE];
    snprintf(line, sizeof line, "printf '1.5\\n' | '%s' demo --lesson pi --quick -o results >out 2>&1", program());
    int status = system(line);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 4));
    assert_true(contains("out", "Your guess (times): 1.5"));
    assert_true(contains("out", "Your guess (times): none"));
    assert_true(contains("out", "You said   1.5 times"));
    assert_true(contains("out", "You said   nothing"));
    assert_true(contains("out", "speedup report results/lesson-pi.jsonl"));
    assert_true(contains("results/lesson-pi.jsonl", "\"type\":\"sample\""));
    status = run("report results/lesson-pi.jsonl", "out");
    assert_true(status == 0 || status == 4);
    assert_true(contains("out", "multitask"));
}

static char directory[] = "/tmp/test_lessons.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(directory) || chdir(directory)) return -1;
    mpi = run("run pi --mode mpi --size 1000 --dry-run", "out") == 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char line[64];
    snprintf(line, sizeof line, "rm -rf '%s'", directory);
    return chdir("/") || system(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_has_a_page),       cmocka_unit_test(commands_can_be_run),
        cmocka_unit_test(pages_fit_a_terminal),          cmocka_unit_test(numbers_hold_for_any_machine),
        cmocka_unit_test(every_kernel_has_a_lesson),     cmocka_unit_test(lessons_can_be_placed),
        cmocka_unit_test(no_samples_no_answers),         cmocka_unit_test(answers_come_from_samples),
        cmocka_unit_test(ratio_is_of_rates_in_blocks),   cmocka_unit_test(what_a_machine_cannot_have_has_a_reason),
        cmocka_unit_test(texts_are_filled_in),           cmocka_unit_test(guesses_are_numbers_with_their_unit),
        cmocka_unit_test(guesses_are_compared),          cmocka_unit_test(lists_of_guesses),
        cmocka_unit_test(guesses_are_read_line_by_line), cmocka_unit_test(a_lesson_is_played)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
