/* Other people's timings: what is read, how, and what is refused. */
#include "../src/analyse/results.h"
#include "../src/record/timings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int add(void *context, const struct sample *sample)
{
    return results_add(context, sample);
}

static int read_text(const char *name, const char *text, size_t length, struct results *results_p, struct error *error)
{
    char *copy = malloc(length + 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    FILE *file = fmemopen(copy, length ? length : 1, "r");
    assert_non_null(file);
    if (length == 0) assert_int_not_equal(getc(file), 'x');
    results_init(results_p);
    int status = timings_read(file, name, NULL, add, results_p, error);
    fclose(file);
    free(copy);
    return status;
}

static void read_good(const char *text, struct results *results_p)
{
    struct error error = {""};
    int status = read_text("folder/my times.csv", text, strlen(text), results_p, &error);
    if (status) print_message("%s\n", error.text);
    assert_int_equal(status, STATUS_OK);
}

static void assert_refused(const char *text, const char *message)
{
    struct error error = {""};
    struct results results;
    assert_int_equal(read_text("t.csv", text, strlen(text), &results, &error), STATUS_USAGE);
    assert_string_equal(error.text, message);
    results_release(&results);
}

static const struct group *find(const struct results *results, const char *label, int workers)
{
    for (int g = 0; g < results->group_count; g++)
        if (strcmp(results->groups[g].config.kernel, label) == 0 &&
            mode_workers(&results->groups[g].config.mode) == workers)
            return &results->groups[g];
    return NULL;
}

static void test_plain(void **state)
{
    (void)state;
    struct results results;
    read_good("1,10\n2,5.5\n1,10.5\n4,3e0\n2,5\n2,.5e1\n", &results);
    assert_int_equal(results.group_count, 3);
    const struct group *one = find(&results, "my times", 1), *two = find(&results, "my times", 2);
    assert_non_null(one);
    assert_non_null(two);
    assert_int_equal(one->config.mode.name, MODE_SERIAL);
    assert_int_equal(two->config.mode.name, MODE_THREADS);
    assert_int_equal(two->config.mode.cpus.count, 2);
    assert_true(mode_dedicated(&two->config.mode));
    assert_int_equal(one->count, 2);
    assert_int_equal(two->count, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(two->samples[i].block, i);
    assert_int_equal(one->samples[1].block, 1);
    assert_int_equal(one->samples[1].launch, 2);
    assert_true(two->samples[0].wall_s == 5.5);
    assert_true(two->samples[2].wall_s == 5);
    results_release(&results);
}

static void test_only_the_time_is_known(void **state)
{
    (void)state;
    struct results results;
    read_good("2,4\n", &results);
    const struct sample *sample = &results.groups[0].samples[0];
    assert_int_equal(sample->validity, SAMPLE_VALID);
    assert_true(sample->correct);
    assert_true(sample->work == 1);
    assert_true(sample->rate == 0.25);
    assert_string_equal(sample->work_unit, "run");
    assert_int_equal(sample->worker_count, 0);
    assert_true(isnan(sample->cpu_s) && isnan(sample->wait_s) && isnan(sample->concurrency));
    assert_true(isnan(sample->parallelism) && isnan(sample->steal_s) && isnan(sample->ceiling_rate));
    assert_int_equal(sample->voluntary, -1);
    assert_int_equal(strlen(results.groups[0].key), 16);
    assert_string_equal(results.groups[0].config.variant, "");
    results_release(&results);
}

/* What people's files look like: all of these say the same. */
static void test_forms(void **state)
{
    (void)state;
    static const char *const same[] = {
        "1,10.5,a\n2,5.25,b\n",
        "workers,time,label\n1,10.5,a\n2,5.25,b\n",
        "\xef\xbb\xbfworkers,time,label\r\n1,10.5,a\r\n2,5.25,b\r\n",
        "# made by hand\n\n  \nP,T\n1,10.5,a\n# between\n2,5.25,b",
        "cores;seconds;name\n1;10,5;a\n2;5,25;b\n",
        "1;10.5;a\n2;5.25;b\n",
        "workers\ttime\tlabel\n1\t10.5\ta\n2\t5.25\tb\n",
        " 1 , 10.5 , a \n2,\t5.25 ,\"b\"\n",
        "\"workers\",\"time\",\"label\"\n\"1\",\"10.5\",\"a\"\n2,5.25,b\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct results results;
        read_good(same[i], &results);
        const struct group *one = find(&results, "a", 1), *two = find(&results, "b", 2);
        assert_int_equal(results.group_count, 2);
        assert_non_null(one);
        assert_non_null(two);
        assert_true(one->samples[0].wall_s == 10.5);
        assert_true(two->samples[0].wall_s == 5.25);
        results_release(&results);
    }
}

static void test_labels(void **state)
{
    (void)state;
    struct results results;
    char text[256], key[17];
    read_good("1,1,\n2,1,  \n", &results); /* the file's name stands in for an empty label */
    assert_int_equal(results.group_count, 2);
    assert_string_equal(results.groups[0].config.kernel, "my times");
    results_release(&results);
    /* 30 letters, then one of two bytes: it would be cut in half. */
    snprintf(text, sizeof text,
             "1,1,abcdefghijklmnopqrstuvwxyz0123\xc3\xa9rest\n1,1,tab\x01"
             "bell\n1,1,\xff\xfe\n");
    read_good(text, &results);
    assert_int_equal(results.group_count, 3);
    assert_string_equal(results.groups[0].config.kernel, "abcdefghijklmnopqrstuvwxyz0123");
    assert_string_equal(results.groups[1].config.kernel, "tab_bell");
    assert_string_equal(results.groups[2].config.kernel, "__");
    for (int g = 0; g < 3; g++) {
        record_config_key(&results.groups[g].config, key);
        assert_int_equal(strlen(key), 16);
        assert_string_equal(key, results.groups[g].key);
    }
    results_release(&results);
}

static void test_names_of_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *label;
    } cases[] = {{"a.csv", "a"},
                 {"/x/y.z/b", "b"},
                 {"run.1.csv", "run.1"},
                 {".csv", ".csv"},
                 {"folder/", "timings"},
                 {"standard input", "standard input"},
                 {"a-name-of-more-than-thirty-one-letters.csv", "a-name-of-more-than-thirty-one-"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct results results;
        struct error error = {""};
        assert_int_equal(read_text(cases[i].name, "1,1\n", 4, &results, &error), STATUS_OK);
        assert_string_equal(results.groups[0].config.kernel, cases[i].label);
        results_release(&results);
    }
}

/* Blocks are counted for each label and number of workers, however many there are. */
static void test_many(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    for (int block = 0; block < 3; block++)
        for (int workers = 1; workers <= 50; workers++)
            for (char label = 'a'; label < 'e'; label++) fprintf(file, "%d,%d,%c\n", workers, block + 1, label);
    fclose(file);
    struct results results;
    read_good(text, &results);
    assert_int_equal(results.group_count, 200);
    for (int g = 0; g < 200; g++) {
        assert_int_equal(results.groups[g].count, 3);
        for (int s = 0; s < 3; s++) {
            assert_int_equal(results.groups[g].samples[s].block, s);
            assert_true(results.groups[g].samples[s].wall_s == s + 1);
        }
    }
    results_release(&results);
    free(text);
}

static void test_more_workers_than_a_list_of_cpus(void **state)
{
    (void)state;
    struct results results;
    read_good("1024,2\n4096,1\n", &results);
    assert_int_equal(results.groups[0].config.mode.cpus.count, 1024);
    assert_int_equal(results.groups[1].config.mode.cpus.count, 0);
    assert_int_equal(mode_workers(&results.groups[1].config.mode), 4096);
    results_release(&results);
}

static void test_refused(void **state)
{
    (void)state;
    static const char needed[] = "a whole number of workers, from 1 to 10000000, is needed";
    static const char *const workers[] = {"0", "-1", "1.5", "1e3", "two", "10000001", "99999999999999999999", "+"};
    static const char *const times[] = {"0", "-1", "nan", "inf", "1e999", "0x1p3", "1.2.3", "fast", "", "1 s", "1,5"};
    char text[160], message[256];
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
        snprintf(text, sizeof text, "1,1\n%s,2\n", workers[i]);
        snprintf(message, sizeof message, "t.csv, line 2: '%s': %s", workers[i], needed);
        assert_refused(text, message);
    }
    for (size_t i = 0; i + 1 < sizeof times / sizeof *times; i++) {
        snprintf(text, sizeof text, "workers,time\n\n1,%s\n", times[i]);
        snprintf(message, sizeof message, "t.csv, line 3: '%s': a time in seconds, above 0, is needed", times[i]);
        assert_refused(text, message);
    }
    assert_refused("1,2\n7\n", "t.csv, line 2: '7': the time is missing; needed: workers,time[,label]");
    assert_refused("1,2,a,b\n", "t.csv, line 1: '1': too many columns; needed: workers,time[,label]");
    assert_refused("hello\n1,2\n", "t.csv, line 1: 'hello': neither a record of speedup nor workers,time[,label]; two "
                                   "or three columns are needed");
    assert_refused("workers,time\nworkers,time\n", "t.csv, line 2: 'workers': a whole number of workers, from 1 to "
                                                   "10000000, is needed");
    assert_refused("workers,time\n# none\n", "t.csv has no times; needed: lines of workers,time[,label]");
    assert_refused("1,2\n\x1b[31m,2\n", "t.csv, line 2: '?[31m': a whole number of workers, from 1 to 10000000, is "
                                        "needed");
}

static void test_binary(void **state)
{
    (void)state;
    static const char text[] = "1,2\n2,1\0,3\n";
    struct results results;
    struct error error = {""};
    assert_int_equal(read_text("t.csv", text, sizeof text - 1, &results, &error), STATUS_USAGE);
    assert_string_equal(error.text, "t.csv, line 2: '2,1': a text file is needed, and this is none");
    results_release(&results);
}

static void test_told_apart(void **state)
{
    (void)state;
    assert_true(timings_look_like("1,2\n"));
    assert_true(timings_look_like("# {\"type\"}\n\nworkers,time\n"));
    assert_true(timings_look_like("\xef\xbb\xbfworkers,time\n"));
    assert_false(timings_look_like("{\"type\":\"context\"}\n"));
    assert_false(timings_look_like("\n  {\"type\":\"context\"}\n"));
    assert_false(timings_look_like("# a remark\n{"));
}

static int refuse(void *context, const struct sample *sample)
{
    (void)context;
    return sample->block == 1 ? -1 : 0;
}

static void test_label_of_all(void **state)
{
    (void)state;
    char text[] = "1,2\n1,3,own\n";
    FILE *file = fmemopen(text, sizeof text - 1, "r");
    struct results results;
    struct error error = {""};
    assert_non_null(file);
    results_init(&results);
    assert_int_equal(timings_read(file, "t.csv", "all", add, &results, &error), STATUS_OK);
    fclose(file);
    assert_non_null(find(&results, "all", 1));
    assert_non_null(find(&results, "own", 1));
    results_release(&results);
}

static void test_no_room(void **state)
{
    (void)state;
    char text[] = "1,2\n1,3\n";
    FILE *file = fmemopen(text, sizeof text - 1, "r");
    struct error error = {""};
    assert_non_null(file);
    assert_int_equal(timings_read(file, "t.csv", NULL, refuse, NULL, &error), STATUS_FAILED);
    assert_string_equal(error.text, "no memory is left for the times of t.csv");
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_only_the_time_is_known),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_names_of_files),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_more_workers_than_a_list_of_cpus),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_told_apart),
        cmocka_unit_test(test_label_of_all),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
