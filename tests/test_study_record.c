/* A study that goes on: its record is read back, its plan is held against the one at hand, and what was not said again
 * is taken from it. Without any process. */
#include "../src/commands/study.h"
#include "../src/record/context.h"
#include "record_directory.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct study_options options;
    struct study study;
};

/* The plan of the options, with keys, as the command makes it. */
static void make_plan(struct fixture *fixture)
{
    struct study *study = &fixture->study;
    struct error error = {""};
    study_plan_release(&study->plan);
    free(study->keys);
    study->plan = (struct study_plan){.seed = fixture->options.seed,
                                      .runs_min = fixture->options.runs_min,
                                      .runs_max = fixture->options.runs_max,
                                      .tries_max = 3};
    if (study_plan_new(&study->session.machine, &fixture->options.request, &study->plan, &error))
        fail_msg("%s", error.text);
    study->keys = calloc((size_t)study->plan.count, sizeof *study->keys);
    assert_non_null(study->keys);
    for (int i = 0; i < study->plan.count; i++) {
        struct config config = {.mode = {.nodes = 1, .map = "cores-first"}};
        config_from_problem(&study->plan.configs[i].problem, &config);
        config.mode = study->plan.configs[i].mode;
        record_config_key(&config, study->keys[i]);
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    struct machine *machine = &fixture->study.session.machine;
    *machine = (struct machine){.hostname = "box", .cpu_model = "Toy", .cpu_count = 8, .core_count = 8};
    machine->allowed_cpu_count = machine->online_cpu_count = 8;
    machine->package_count = machine->numa_count = machine->kind_count = 1;
    machine->memory_bytes = machine->memory_available_bytes = (int64_t)1 << 40;
    machine->quota_cpus = NAN;
    for (int i = 0; i < 8; i++) machine->cpus[i] = (struct cpu){.os_index = i, .core = i};
    struct study_options *options = &fixture->options;
    *options = (struct study_options){
        .seed = 18446744073709551557u, .runs_min = 6, .runs_max = 30, .precision = 0.02, .output = path};
    options->request = (struct study_request){.mode_count = 1,
                                              .modes = {MODE_THREADS},
                                              .worker_count = 2,
                                              .workers = {2, 4},
                                              .base = 1,
                                              .placement = {.wait_policy = -1}};
    problem_init(kernel_find("pi"), &options->request.problem);
    fixture->study.options = options;
    snprintf(fixture->study.session.study, sizeof fixture->study.session.study, "study");
    results_init(&fixture->study.session.results);
    make_plan(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    int status = session_close(&fixture->study.session, &error);
    study_plan_release(&fixture->study.plan);
    free(fixture->study.keys);
    free(fixture);
    unlink(path);
    unlink(torn_path);
    return status;
}

static void write_sample(struct fixture *fixture, int launch, int block)
{
    struct session *session = &fixture->study.session;
    const struct study_config *planned = &fixture->study.plan.configs[launch % fixture->study.plan.count];
    struct error error = {""};
    struct sample sample;
    sample_init(&sample);
    sample.config.mode.nodes = 1;
    snprintf(sample.config.mode.map, sizeof sample.config.mode.map, "cores-first");
    snprintf(sample.study, sizeof sample.study, "study");
    config_from_problem(&planned->problem, &sample.config);
    sample.config.mode = planned->mode;
    sample.launch = launch;
    sample.block = block;
    sample.wall_s = 1;
    sample.work = sample.rate = 1000;
    sample.validity = SAMPLE_VALID;
    if (session_write_line(session, record_encode_sample(&sample), &error)) fail_msg("%s", error.text);
}

/* A record of the study so far: its heading, and some launches. Closes it. */
static void write_record(struct fixture *fixture, int sample_count)
{
    struct session *session = &fixture->study.session;
    struct error error = {""};
    json_t *context = record_encode_context(&session->machine, &session->provenance,
                                            &(struct context_source){.study = "study", .start_s = 1});
    unlink(path);
    assert_int_equal(session_add_writer(session, path, &error), STATUS_OK);
    assert_int_equal(session_write_line(session, context, &error), STATUS_OK);
    assert_int_equal(session_write_line(session, study_encode(&fixture->study), &error), STATUS_OK);
    for (int i = 0; i < sample_count; i++) write_sample(fixture, i, i / fixture->study.plan.count);
    assert_int_equal(session_close(session, &error), STATUS_OK);
}

static void append_text(const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int count_samples(const struct results *results)
{
    int count = 0;
    for (int g = 0; g < results->group_count; g++) count += results->groups[g].count;
    return count;
}

static int go_on(struct session *session, const char *file, struct error *error)
{
    int status = session_read(session, file, error);
    return status ? status : session_continue(session, file, error);
}

static void a_session_goes_on_behind_what_is_recorded(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = &fixture->study.session;
    struct error error = {""};
    struct results results;
    write_record(fixture, 4);
    if (go_on(session, path, &error)) fail_msg("%s", error.text);
    assert_int_equal(count_samples(&session->results), 4);
    assert_int_equal(session->launch_count, 4);
    assert_int_equal(session->writer_count, 1);
    assert_non_null(session->results.context);
    assert_non_null(session->results.study);
    assert_int_equal(study_check_resumed(&fixture->study, &error), STATUS_OK);
    write_sample(fixture, 4, 1);
    assert_int_equal(session_close(session, &error), STATUS_OK);
    assert_int_equal(results_read(path, &results, &error), STATUS_OK);
    assert_int_equal(count_samples(&results), 5);
    assert_false(results.torn);
    results_release(&results);
}

static void what_was_torn_off_is_no_sample_and_what_lacks_a_newline_is_one(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = &fixture->study.session;
    struct error error = {""};
    struct results results;
    write_record(fixture, 3);
    append_text("{\"type\":\"sample\",\"sch");
    assert_int_equal(go_on(session, path, &error), STATUS_OK); /* says so on standard error */
    assert_int_equal(count_samples(&session->results), 3);
    assert_int_equal(access(torn_path, F_OK), 0);
    assert_int_equal(session_close(session, &error), STATUS_OK);
    unlink(torn_path);

    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    assert_int_equal(ftruncate(fileno(file), ftell(file)), 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(go_on(session, path, &error), STATUS_OK);
    assert_int_equal(count_samples(&session->results), 3);
    write_sample(fixture, 3, 1);
    assert_int_equal(session_close(session, &error), STATUS_OK);
    assert_int_equal(results_read(path, &results, &error), STATUS_OK);
    assert_int_equal(count_samples(&results), 4); /* what was counted is in the file */
    assert_int_equal(access(torn_path, F_OK), -1);
    results_release(&results);
}

static void files_that_are_no_record_are_not_gone_on_with(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = &fixture->study.session;
    struct error error = {""};
    assert_int_equal(go_on(session, "/nonexistent/x.jsonl", &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "/nonexistent/x.jsonl"));
    append_text("my thesis\n");
    assert_int_equal(go_on(session, path, &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(session->writer_count, 0);
    assert_int_equal(session->results.group_count, 0);
}

/* Expects that the record is refused because of that name, then forgives. */
static void refuses(struct fixture *fixture, const char *whose, const char *name)
{
    struct error error = {""};
    char words[64];
    snprintf(words, sizeof words, "%s %s: ", whose, name);
    int status = study_check_resumed(&fixture->study, &error);
    if (status != STATUS_USAGE || !strstr(error.text, words)) fail_msg("%d \"%s\" for %s", status, error.text, words);
}

static void another_study_is_refused_and_the_difference_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct study *study = &fixture->study;
    struct error error = {""};
    write_record(fixture, 2);
    assert_int_equal(go_on(&study->session, path, &error), STATUS_OK);
    if (study_check_resumed(study, &error)) fail_msg("%s", error.text);

    const struct study_options right = fixture->options;
    struct study_options *options = &fixture->options;
    struct study_request *request = &options->request;
    problem_init(kernel_find("ep"), &request->problem);
    refuses(fixture, "the study's", "kernel");
    *options = right;
    request->all_variants = true;
    refuses(fixture, "the study's", "variant");
    *options = right;
    assert_int_equal(request->problem.kernel->parse_size("1000", &request->problem.size), 0);
    refuses(fixture, "the study's", "size");
    *options = right;
    request->modes[0] = MODE_MULTITASK;
    refuses(fixture, "the study's", "modes");
    *options = right;
    request->workers[1] = 3;
    refuses(fixture, "the study's", "workers");
    *options = right;
    request->base = 2;
    refuses(fixture, "the study's", "base");
    *options = right;
    request->scaling = SCALING_WEAK;
    refuses(fixture, "the study's", "scaling");
    *options = right;
    options->seed--;
    refuses(fixture, "the study's", "seed");
    *options = right;
    options->warmups = 1;
    refuses(fixture, "the study's", "warmups");
    *options = right;
    options->runs_min = 7;
    refuses(fixture, "the study's", "runs_min");
    *options = right;
    options->runs_max = 31;
    refuses(fixture, "the study's", "runs_max");
    *options = right;
    options->precision = 0.021;
    refuses(fixture, "the study's", "precision");
    *options = right;
    request->problem.seed++;
    make_plan(fixture);
    refuses(fixture, "the study's", "data_seed");
    *options = right;
    request->placement.slice_s = 0.02;
    make_plan(fixture);
    refuses(fixture, "the study's", "scheduling");
    *options = right;
    make_plan(fixture);
    assert_int_equal(study_check_resumed(study, &error), STATUS_OK);
}

static void another_machine_or_program_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct study *study = &fixture->study;
    struct machine *machine = &study->session.machine;
    struct error error = {""};
    write_record(fixture, 1);
    assert_int_equal(go_on(&study->session, path, &error), STATUS_OK);
    snprintf(machine->hostname, sizeof machine->hostname, "other");
    refuses(fixture, "the machine's", "hostname");
    assert_non_null(strstr(study_check_resumed(study, &error) ? error.text : "", "\"box\" in the record"));
    assert_non_null(strstr(error.text, "\"other\" now"));
    snprintf(machine->hostname, sizeof machine->hostname, "box");
    machine->allowed_cpu_count = 4;
    refuses(fixture, "the machine's", "allowed_cpus");
    machine->allowed_cpu_count = 8;
    machine->memory_available_bytes /= 2; /* may be another each time */
    assert_int_equal(study_check_resumed(study, &error), STATUS_OK);
    json_t *program = json_object_get(study->session.results.context, "program");
    assert_int_equal(json_object_set_new(program, "flags", json_string("-O0")), 0);
    refuses(fixture, "the program's", "flags");
    json_decref(study->session.results.study);
    study->session.results.study = NULL;
    assert_int_equal(study_check_resumed(study, &error), STATUS_USAGE);
}

static void size_and_seed_are_taken_from_the_record(void **state)
{
    struct fixture *fixture = *state;
    struct study *study = &fixture->study;
    struct study_options options = fixture->options;
    struct problem *problem = &options.request.problem;
    const struct size *recorded = &fixture->options.request.problem.size;
    struct error error = {""};
    char text[64], expected[64];
    assert_int_equal(problem->kernel->parse_size("3000", &fixture->options.request.problem.size), 0);
    make_plan(fixture);
    write_record(fixture, 1);
    assert_int_equal(go_on(&study->session, path, &error), STATUS_OK);
    options.seed = 1;
    assert_int_equal(study_adopt(&study->session.results, &options, &error), STATUS_OK);
    assert_true(options.size_given && !options.seed_given);
    assert_true(options.seed == 18446744073709551557u); /* as exact as 64 bits are */
    size_format(recorded, sizeof expected, expected);
    assert_string_equal(size_format(&problem->size, sizeof text, text), expected);

    /* What was given again stays, and is compared later. */
    options.seed = 1;
    options.seed_given = options.size_given = true;
    assert_int_equal(problem->kernel->parse_size("1000", &problem->size), 0);
    assert_int_equal(study_adopt(&study->session.results, &options, &error), STATUS_OK);
    assert_true(options.seed == 1);
    assert_string_not_equal(size_format(&problem->size, sizeof text, text), expected);
}

static void records_without_a_study_or_a_size_give_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct study_options options = fixture->options;
    struct results results;
    struct error error = {""};
    results_init(&results);
    assert_int_equal(study_adopt(&results, &options, &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, "holds no study"));
    assert_non_null(strstr(error.text, path));
    results.study = json_pack("{s:s, s:s, s:s}", "kernel", "pi", "size", "enormous", "seed", "7");
    assert_int_equal(study_adopt(&results, &options, &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, "'enormous'"));
    assert_false(options.size_given);
    /* Of another kernel: the size is not needed, as it is refused later. */
    json_object_set_new(results.study, "kernel", json_string("matmul"));
    assert_int_equal(study_adopt(&results, &options, &error), STATUS_OK);
    assert_true(options.size_given && options.seed == 7);
    results_release(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_goes_on_behind_what_is_recorded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_torn_off_is_no_sample_and_what_lacks_a_newline_is_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_no_record_are_not_gone_on_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_study_is_refused_and_the_difference_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_machine_or_program_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(size_and_seed_are_taken_from_the_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_without_a_study_or_a_size_give_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
