/* Who used CPU time between two moments: from moments made by hand, and from a child that burns. */
#include "../src/observe/neighbours.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* From second 100 to second 110. */
static const char *busiest(int before_count, struct neighbour before[], int after_count, struct neighbour after[])
{
    static char text[256];
    const struct neighbours first = {100, before_count, before}, second = {110, after_count, after};
    assert_ptr_equal(neighbours_busiest(&first, &second, sizeof text, text), text);
    return text;
}

static void the_busiest_come_first_and_are_three_at_most(void **state)
{
    (void)state;
    struct neighbour before[] = {{1, 5, "init", 70}, {2, 5, "make", 1}, {3, 5, "cc1", 2}, {4, 5, "ld", 3}};
    struct neighbour after[] = {{1, 5, "init", 70}, {2, 5, "make", 2}, {3, 5, "cc1", 12}, {4, 5, "ld", 8}};
    assert_string_equal(busiest(4, before, 4, after), "cc1 (process 3, 100 % of a CPU), ld (process 4, 50 % of a CPU), "
                                                      "make (process 2, 10 % of a CPU)");
    after[0].cpu_s = 72;
    assert_string_equal(busiest(4, before, 4, after), "cc1 (process 3, 100 % of a CPU), ld (process 4, 50 % of a CPU), "
                                                      "init (process 1, 20 % of a CPU)");
    assert_string_equal(busiest(4, before, 1, after), "init (process 1, 20 % of a CPU)");
}

static void equally_busy_ones_are_all_named(void **state)
{
    (void)state;
    struct neighbour before[] = {{1, 5, "a", 0}, {2, 5, "b", 0}, {3, 5, "c", 0}, {4, 5, "d", 0}};
    struct neighbour after[] = {{1, 5, "a", 5}, {2, 5, "b", 10}, {3, 5, "c", 10}, {4, 5, "d", 5}};
    assert_string_equal(busiest(4, before, 4, after), "b (process 2, 100 % of a CPU), c (process 3, 100 % of a CPU), "
                                                      "a (process 1, 50 % of a CPU)");
    for (int i = 0; i < 4; i++) after[i].cpu_s = 10;
    assert_string_equal(busiest(4, before, 4, after), "a (process 1, 100 % of a CPU), b (process 2, 100 % of a CPU), "
                                                      "c (process 3, 100 % of a CPU)");
}

static void less_than_a_hundredth_of_a_cpu_is_nothing(void **state)
{
    (void)state;
    struct neighbour before[] = {{1, 5, "init", 7}, {2, 5, "sshd", 1}};
    struct neighbour after[] = {{1, 5, "init", 7.09}, {2, 5, "sshd", 1}};
    assert_string_equal(busiest(2, before, 2, after), "");
    after[0].cpu_s = 7.11;
    assert_string_equal(busiest(2, before, 2, after), "init (process 1, 1 % of a CPU)");
    assert_string_equal(busiest(0, NULL, 0, NULL), "");
    assert_string_equal(busiest(2, before, 0, NULL), "");
}

static void a_number_used_again_is_another_process(void **state)
{
    (void)state;
    struct neighbour before[] = {{7, 5, "make", 900}};
    struct neighbour after[] = {{7, 10500, "make", 4}, {8, 10700, "cc1", 2}};
    assert_string_equal(busiest(1, before, 2, after),
                        "make (process 7, 40 % of a CPU), cc1 (process 8, 20 % of a CPU)");
}

/* As kernel threads do with each task, and programs with exec. */
static void a_process_that_changes_its_name_stays_the_same(void **state)
{
    (void)state;
    struct neighbour before[] = {{9, 5, "kworker/0:1-events", 900}, {10, 6, "bash", 30}};
    struct neighbour after[] = {{9, 5, "kworker/0:1-cgroup_destroy", 900}, {10, 6, "stress", 40}};
    assert_string_equal(busiest(2, before, 2, after), "stress (process 10, 100 % of a CPU)");
}

static void short_texts_and_no_time_harm_nothing(void **state)
{
    (void)state;
    struct neighbour before[] = {{1, 5, "a", 0}, {2, 5, "b", 0}}, after[] = {{1, 5, "a", 5}, {2, 5, "b", 10}};
    char text[12] = "untouched..";
    const struct neighbours first = {100, 2, before}, second = {110, 2, after}, same = {100, 2, after};
    neighbours_busiest(&first, &second, 8, text);
    assert_string_equal(text, "b (proc");
    assert_int_equal(text[8], 'd');
    assert_string_equal(neighbours_busiest(&first, &same, sizeof text, text), "");
    assert_string_equal(neighbours_busiest(&first, &(struct neighbours){100, 2, before}, sizeof text, text), "");
}

/* A child that computes for ever. */
static pid_t start_burner(const char *name)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        for (volatile unsigned i = 0;; i++) continue;
    }
    return child;
}

static void end_burner(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static const struct neighbour *find(const struct neighbours *neighbours, pid_t pid)
{
    for (int i = 0; i < neighbours->count; i++)
        if (neighbours->list[i].pid == pid) return &neighbours->list[i];
    return NULL;
}

/* Until the child has got half a second of CPU time since `before`. */
static void wait_for_cpu(pid_t child, const struct neighbour *before, struct neighbours *after_p)
{
    for (int i = 0; i < 600; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        neighbours_read(after_p);
        const struct neighbour *now = find(after_p, child);
        assert_non_null(now);
        if (now->cpu_s - before->cpu_s >= 0.5) return;
        neighbours_release(after_p);
    }
    fail_msg("the child got no CPU");
}

static void a_child_that_burns_is_seen(void **state)
{
    (void)state;
    struct neighbours before, after;
    pid_t child = start_burner("odd) (nam\ne"), worker = start_burner("speedup-worker"),
          ranks = start_burner("speedup-worker-mpi");
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL); /* they have their names */
    neighbours_read(&before);
    if (before.count == 0) skip(); /* no /proc */
    const struct neighbour *first = find(&before, child);
    assert_non_null(first);
    assert_string_equal(first->name, "odd) (nam?e");
    assert_true(first->started > 0);
    assert_null(find(&before, getpid()));
    assert_null(find(&before, worker));
    assert_null(find(&before, ranks));
    end_burner(worker);
    end_burner(ranks);

    wait_for_cpu(child, first, &after);
    const struct neighbour *second = find(&after, child);
    assert_true(second->started == first->started && after.wall_s > before.wall_s);
    /* Alone in the list, as others may be busier. */
    char text[256], expected[64];
    struct neighbour alone = *second;
    snprintf(expected, sizeof expected, "odd) (nam?e (process %d, ", (int)child);
    neighbours_busiest(&before, &(struct neighbours){after.wall_s, 1, &alone}, sizeof text, text);
    if (strncmp(text, expected, strlen(expected)) != 0) fail_msg("\"%s\" is not \"%s\"...", text, expected);
    end_burner(child);
    neighbours_release(&before);
    neighbours_release(&after);
    assert_true(before.count == 0 && !before.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_busiest_come_first_and_are_three_at_most),
        cmocka_unit_test(equally_busy_ones_are_all_named),
        cmocka_unit_test(less_than_a_hundredth_of_a_cpu_is_nothing),
        cmocka_unit_test(a_number_used_again_is_another_process),
        cmocka_unit_test(a_process_that_changes_its_name_stays_the_same),
        cmocka_unit_test(short_texts_and_no_time_harm_nothing),
        cmocka_unit_test(a_child_that_burns_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
