/* The page of a diagnosis and its object, of scenes that are made: what is said, in 80 columns, whatever names hold. */
#include "../src/present/diagnosis.h"

#include "scenes.h"

struct shown {
    char *page;
    json_t *object;
};

/* As commands/diagnose.c does it. */
static struct shown show(struct scene *scene, int left_behind)
{
    struct diagnosis diagnosis = diagnose(scene);
    struct timeline_record record;
    struct timeline_summary summary;
    struct style style = {.width = 80, .utf8 = true};
    struct shown shown = {NULL, NULL};
    size_t length;
    timeline_record_init(&record);
    record.timeline = scene->timeline;
    timeline_name_busiest(&record.timeline, diagnosis.workers > 0 ? diagnosis.workers : 1);
    record.config.command.word_count = 1;
    record.config.mode.ranks = 1;
    record.validity = SAMPLE_VALID;
    assert_int_equal(timeline_summarise_record(&record, &summary), 0);
    const struct diagnosis_page page = {.evidence = &scene->evidence,
                                        .diagnosis = &diagnosis,
                                        .timeline = &record,
                                        .summary = &summary,
                                        .picture = true,
                                        .command = scene->evidence.command,
                                        .left_behind = left_behind};
    FILE *stream = open_memstream(&shown.page, &length);
    assert_non_null(stream);
    present_diagnosis(stream, &style, &page);
    assert_int_equal(fclose(stream), 0);
    shown.object = present_diagnosis_json(&page);
    assert_non_null(shown.object);
    timeline_summary_release(&summary);
    scene->timeline = record.timeline;
    return shown;
}

static void shown_free(struct shown *shown)
{
    free(shown->page);
    json_decref(shown->object);
}

static void expect_said(const struct shown *shown, const char *text)
{
    if (!strstr(shown->page, text)) fail_msg("'%s' is not in:\n%s", text, shown->page);
}

/* No line is over 80 columns, and no control character but newlines is in it. */
static void expect_tidy(const struct shown *shown)
{
    int columns = 0;
    for (const char *c = shown->page; *c; c++) {
        if (*c == '\n') {
            columns = 0;
            continue;
        }
        if ((unsigned char)*c < ' ' || *c == 127) fail_msg("a control character %d is in:\n%s", *c, shown->page);
        columns += ((unsigned char)*c & 0xc0) != 0x80;
        if (columns > 80) fail_msg("a line is too long in:\n%s", shown->page);
    }
}

static void test_turns(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 8, "", 0, "2");
    take_turns(scene, 0, 8, 2);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "taskset -c 2 ./app -x");
    struct shown shown = show(scene, 0);
    expect_tidy(&shown);
    assert_int_equal(strncmp(shown.page, "MULTITASKING: 8 threads took turns on 1 core\n", 45), 0);
    expect_said(&shown, "8 x         app, may run on CPU 2\n");
    expect_said(&shown, "of 1 that its tasks may use (4 are there)");
    expect_said(&shown, "one-core: ");
    expect_said(&shown, "  without taskset or numactl: ./app -x\n");
    expect_said(&shown, "H app 107");
    assert_null(strstr(shown.page, "It left"));
    const json_t *numbers = json_object_get(shown.object, "numbers");
    assert_string_equal(json_string_value(json_object_get(shown.object, "verdict")), "MULTITASKING");
    assert_int_equal(json_integer_value(json_object_get(numbers, "cores_allowed")), 1);
    assert_int_equal(json_array_size(json_object_get(shown.object, "tasks")), 8);
    assert_int_equal(json_array_size(json_object_get(shown.object, "findings")), 1);
    shown_free(&shown);
    scene_free(scene);
}

static void test_nothing_wrong(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 4, "", 0, "0-3");
    for (int t = 0; t < 4; t++) run_all_along(scene, t, t);
    struct shown shown = show(scene, 2);
    expect_tidy(&shown);
    assert_null(strstr(shown.page, "Why"));
    assert_null(strstr(shown.page, "What helps"));
    expect_said(&shown, "It left 2 processes running, which were ended.\n");
    assert_int_equal(json_array_size(json_object_get(shown.object, "findings")), 0);
    shown_free(&shown);
    scene_free(scene);
}

/* Names and variables are anybody's. */
static void test_names(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "OMP_NUM_THREADS=2|OMP_PLACES={1}\x1b[2J\xff", 1u << LIBRARY_GOMP, "1");
    take_turns(scene, 0, 2, 1);
    for (int t = 0; t < 2; t++) {
        snprintf(scene->timeline.tasks[t].name, sizeof scene->timeline.tasks[t].name, "a\x1b]0;b\x07\n\xfe");
        snprintf(scene->tree.tasks[t].name, sizeof scene->tree.tasks[t].name, "a\x1b");
    }
    struct shown shown = show(scene, 0);
    expect_tidy(&shown);
    char *text = json_dumps(shown.object, 0);
    assert_non_null(text);
    free(text);
    shown_free(&shown);
    scene_free(scene);
}

/* Some hundred tasks, of which a picture shows those alone that are there; and all are counted. */
static void test_many(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    for (int i = 0; i < 200; i++) {
        add_process(scene, 100 + i, "", 0);
        int task = add_task(scene, 100 + i, 100 + i, "0-3");
        const struct timeline_span span = {0.01 * (i / 2), 0.01 * (i / 2 + 1), SPAN_RUNNING, i % 2};
        assert_int_equal(timeline_add_span(&scene->timeline.tasks[task], &span), 0);
    }
    struct shown shown = show(scene, 0);
    expect_tidy(&shown);
    expect_said(&shown, "in 200 processes; 200 of them did the work");
    expect_said(&shown, "200 x       app, may run on CPUs 0-3\n");
    shown_free(&shown);
    scene_free(scene);
}

/* A timeline that ends early says of what its numbers are. */
static void test_part(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    scene->evidence.wall_s = 60;
    snprintf(scene->timeline.incomplete, sizeof scene->timeline.incomplete, "there were too many records");
    struct shown shown = show(scene, 0);
    expect_tidy(&shown);
    expect_said(&shown, "INCOMPLETE: there were too many records.");
    expect_said(&shown, "first 1 s of 60 s");
    const json_t *seen = json_object_get(shown.object, "seen");
    assert_string_equal(json_string_value(json_object_get(seen, "incomplete")), "there were too many records");
    shown_free(&shown);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns), cmocka_unit_test(test_nothing_wrong), cmocka_unit_test(test_names),
        cmocka_unit_test(test_many),  cmocka_unit_test(test_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
