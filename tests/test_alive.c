/* What the nodes say of themselves, and what is concluded where one stays silent. The clock is the test's. */
#include "../src/launch/alive.h"

#include <stdarg.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

static void say_of(struct alive_watch *watch, int rank, int nodes_in_all, const char *node, int count,
                   const int stopped[], double now_s)
{
    char text[ALIVE_LINE_MAX];
    size_t length = alive_format(rank, nodes_in_all, node, count, stopped, text);
    assert_int_equal(strlen(text), length);
    assert_int_equal(text[length - 1], '\n');
    assert_int_equal(strncmp(text, ALIVE_LEAD, strlen(ALIVE_LEAD)), 0);
    assert_int_equal(alive_hear(watch, text, now_s), 0);
}

static void say(struct alive_watch *watch, int rank, const char *node, int count, const int stopped[], double now_s)
{
    say_of(watch, rank, 1, node, count, stopped, now_s);
}

/* Looks ten times a second. Returns what is wrong, or "". */
static const char *look(struct alive_watch *watch, double from_s, double to_s, struct error *error)
{
    error->text[0] = '\0';
    for (int i = 0; from_s + 0.1 * i < to_s; i++)
        if (alive_check(watch, from_s + 0.1 * i, error)) return error->text;
    return "";
}

static void a_silent_node_is_named(void **state)
{
    (void)state;
    struct error error;
    struct alive_watch *watch = alive_watch_new(100, 0);
    for (int t = 100; t < 120; t += 2) {
        say(watch, 0, "node1", 0, NULL, t);
        say(watch, 4, "node2", 0, NULL, t);
        say(watch, 8, "a strange \"name\"", 0, NULL, t);
        assert_string_equal(look(watch, t, t + 2, &error), "");
    }
    for (int t = 120; t < 128; t += 2) {
        say(watch, 0, "node1", 0, NULL, t);
        say(watch, 8, "a strange \"name\"", 0, NULL, t);
        assert_string_equal(look(watch, t, t + 2, &error), "");
    }
    assert_non_null(strstr(look(watch, 128, 129, &error), "from node2 for 10 s"));
    alive_watch_free(watch);
}

/* It was cut off just before. */
static void a_node_that_never_spoke_is_missed(void **state)
{
    (void)state;
    struct error error;
    struct alive_watch *watch = alive_watch_new(0, 0.1);
    for (int t = 1; t < 11; t += 2) {
        say_of(watch, 0, 3, "node1", 0, NULL, t);
        say_of(watch, 4, 3, "node2", 0, NULL, t);
        assert_string_equal(look(watch, t, t + 2, &error), "");
    }
    assert_non_null(strstr(look(watch, 11, 12, &error), "from 2 of the 3 nodes alone"));
    alive_watch_free(watch);
}

static void a_stopped_rank_is_named(void **state)
{
    (void)state;
    struct error error;
    const int stopped[] = {3, 5};
    struct alive_watch *watch = alive_watch_new(0, 0);
    for (int t = 0; t < 20; t += 2) { /* now and then is no matter */
        say(watch, 2, "node2", t % 4 ? 2 : 0, stopped, t);
        assert_string_equal(look(watch, t, t + 2, &error), "");
    }
    for (int t = 20; t < 28; t += 2) {
        say(watch, 2, "node2", 2, stopped, t);
        if (*look(watch, t, t + 2, &error)) break;
    }
    assert_string_equal(error.text, "rank 3 on node2 hangs: it is stopped (SIGSTOP)");
    alive_watch_free(watch);
}

static void no_word_at_all_is_noticed(void **state)
{
    (void)state;
    struct error error;
    struct alive_watch *watch = alive_watch_new(0, 0);
    assert_string_equal(look(watch, 0, 59, &error), "");
    assert_non_null(strstr(look(watch, 59, 62, &error), "60 s after the start"));
    alive_watch_free(watch);
}

/* The harness was stopped itself: what the nodes said meanwhile is still to be read. */
static void a_pause_of_our_own_is_held_against_nobody(void **state)
{
    (void)state;
    struct error error;
    struct alive_watch *watch = alive_watch_new(0, 0);
    say(watch, 0, "node1", 0, NULL, 1);
    assert_string_equal(look(watch, 1, 3, &error), "");
    assert_string_equal(look(watch, 1000, 1005, &error), "");
    assert_string_not_equal(look(watch, 1005, 1012, &error), "");
    alive_watch_free(watch);
}

static void garbage_is_ignored(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        ALIVE_LEAD,
                                        ALIVE_LEAD "\"rank\":",
                                        ALIVE_LEAD "\"rank\":1,\"nodes\":1,\"stopped\":[",
                                        ALIVE_LEAD "\"rank\":1,\"nodes\":1,\"stopped\":[1,\"node\":\"x\"}",
                                        ALIVE_LEAD "\"rank\":99999999999999,\"nodes\":1,\"stopped\":[],\"node\":\"x\"}",
                                        ALIVE_LEAD "\"rank\":1,\"nodes\":1,\"stopped\":[],\"node\":\"\033[2J\"}"};
    struct error error;
    struct alive_watch *watch = alive_watch_new(0, 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_int_equal(alive_hear(watch, texts[i], 0), 0);
    /* None of them counts as a word. */
    assert_non_null(strstr(look(watch, 0, 61, &error), "from any rank"));
    alive_watch_free(watch);
}

/* Where others took 4 s to start, 20 s are enough; where they took no time, 8. */
static void a_start_is_waited_for_as_others_took(void **state)
{
    (void)state;
    const double usual_s[] = {4, 0.1}, limit_s[] = {20, 8};
    for (int i = 0; i < 2; i++) {
        struct error error;
        struct alive_watch *watch = alive_watch_new(0, usual_s[i]);
        assert_string_equal(look(watch, 0, limit_s[i] - 0.5, &error), "");
        assert_non_null(strstr(look(watch, limit_s[i] - 0.5, limit_s[i] + 1, &error), "from any rank"));
        alive_watch_free(watch);
    }
}

/* A start over 2 nodes does not tell how long one over 1000 takes. */
static void a_start_over_more_nodes_is_not_known(void **state)
{
    struct alive_starts starts = {.nodes = 0};
    (void)state;
    assert_true(alive_starts_usual(&starts, 2) == 0);
    alive_starts_add(&starts, 4, 3);
    alive_starts_add(&starts, 2, 1);
    assert_true(alive_starts_usual(&starts, 2) == 3);
    assert_true(alive_starts_usual(&starts, 4) == 3);
    assert_true(alive_starts_usual(&starts, 1000) == 0);
}

/* Ranks that have ended say nothing any more, while the launcher takes down a thousand nodes. */
static void who_is_done_may_be_silent(void **state)
{
    (void)state;
    struct error error;
    struct alive_watch *quick = alive_watch_new(0, 0), *slow = alive_watch_new(0, 0);
    assert_string_equal(look(quick, 0, 1, &error), "");
    say(quick, 0, "node1", 0, NULL, 1);
    alive_watch_done(quick, 1);
    assert_string_equal(look(quick, 1, 8.5, &error), "");
    assert_non_null(strstr(look(quick, 8.5, 10, &error), "within 8 s not all ranks ended"));
    assert_string_equal(look(slow, 0, 20, &error), "");
    say(slow, 0, "node1", 0, NULL, 20); /* it took that long to start */
    alive_watch_done(slow, 20);
    assert_string_equal(look(slow, 20, 59, &error), "");
    assert_non_null(strstr(look(slow, 59, 62, &error), "within 40 s not all ranks ended"));
    alive_watch_free(quick);
    alive_watch_free(slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_node_is_named),
        cmocka_unit_test(a_node_that_never_spoke_is_missed),
        cmocka_unit_test(a_stopped_rank_is_named),
        cmocka_unit_test(no_word_at_all_is_noticed),
        cmocka_unit_test(a_pause_of_our_own_is_held_against_nobody),
        cmocka_unit_test(garbage_is_ignored),
        cmocka_unit_test(a_start_is_waited_for_as_others_took),
        cmocka_unit_test(a_start_over_more_nodes_is_not_known),
        cmocka_unit_test(who_is_done_may_be_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
