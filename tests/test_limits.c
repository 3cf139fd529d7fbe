/* Limits of control groups and of memory, read from made-up trees. */
#include "../src/place/file.h"
#include "../src/place/limits.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <setjmp.h>

#include <cmocka.h>

/* A made-up tree: what is written to a path below a new directory. */
static void make_file(const char *root, const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_root(char root[64])
{
    snprintf(root, 64, "/tmp/speedup-place-XXXXXX");
    assert_non_null(mkdtemp(root));
    make_file(root, "/proc/meminfo", "MemTotal:       8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n");
}

static void remove_root(const char *root)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    assert_int_equal(system(command), 0);
}

static const int64_t gib = (int64_t)1 << 30;

static void without_cgroups_there_is_no_limit(void **state)
{
    char root[64];
    struct limits limits;
    (void)state;
    make_root(root);
    limits_read(root, &limits);
    assert_true(isnan(limits.quota_cpus));
    assert_int_equal(limits.memory_bytes, 8 * gib);
    assert_int_equal(limits.memory_available_bytes, 4 * gib);
    remove_root(root);
}

static void the_smallest_limit_on_the_way_up_holds(void **state)
{
    char root[64];
    struct limits limits;
    (void)state;
    make_root(root);
    make_file(root, "/proc/self/cgroup", "0::/slice/job/step\n");
    make_file(root, "/proc/self/mountinfo",
              "22 1 0:20 / /proc rw - proc proc rw\n"
              "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    make_file(root, "/sys/fs/cgroup/slice/job/step/cpu.max", "max 100000\n");
    make_file(root, "/sys/fs/cgroup/slice/job/cpu.max", "150000 100000\n");
    make_file(root, "/sys/fs/cgroup/slice/cpu.max", "400000 100000\n");
    make_file(root, "/sys/fs/cgroup/slice/job/step/memory.max", "max\n");
    make_file(root, "/sys/fs/cgroup/slice/job/memory.max", "2147483648\n");
    make_file(root, "/sys/fs/cgroup/slice/job/memory.current", "1610612736\n");
    make_file(root, "/sys/fs/cgroup/slice/job/memory.stat", "anon 1\nfile 7\ninactive_file 536870912\nactive_file 5\n");
    limits_read(root, &limits);
    assert_float_equal(limits.quota_cpus, 1.5, 1e-12);
    assert_int_equal(limits.memory_bytes, 2 * gib);
    assert_int_equal(limits.memory_available_bytes, gib); /* 2 GiB - (1.5 - 0.5 GiB that can be dropped) */
    /* A wider limit further up that others have nearly used up. */
    make_file(root, "/sys/fs/cgroup/slice/memory.max", "4294967296\n");
    make_file(root, "/sys/fs/cgroup/slice/memory.current", "4026531840\n");
    limits_read(root, &limits);
    assert_int_equal(limits.memory_bytes, 2 * gib);
    assert_int_equal(limits.memory_available_bytes, gib / 4);
    remove_root(root);
}

static void version_1_hierarchies_count(void **state)
{
    char root[64];
    struct limits limits;
    (void)state;
    make_root(root);
    make_file(root, "/proc/self/cgroup", "5:memory:/docker/ab\n4:cpuset,cpu,cpuacct:/docker/ab\n0::/\n");
    make_file(root, "/proc/self/mountinfo",
              "36 31 0:33 /docker/ab /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n"
              "37 31 0:34 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
              "38 31 0:35 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    make_file(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    make_file(root, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    make_file(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    make_file(root, "/sys/fs/cgroup/memory/memory.usage_in_bytes", "2147483648\n");
    limits_read(root, &limits);
    assert_float_equal(limits.quota_cpus, 0.5, 1e-12);
    assert_int_equal(limits.memory_bytes, gib);
    assert_int_equal(limits.memory_available_bytes, 0); /* never negative */
    make_file(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    make_file(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    limits_read(root, &limits);
    assert_true(isnan(limits.quota_cpus));
    assert_int_equal(limits.memory_bytes, 8 * gib);
    remove_root(root);
}

static void a_cgroup_out_of_sight_means_its_mount_point(void **state)
{
    char root[64];
    struct cgroup group;
    (void)state;
    make_root(root);
    make_file(root, "/proc/self/cgroup", "0::/../other\n");
    make_file(root, "/proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    assert_true(cgroup_find(root, "cpu", &group));
    assert_true(group.v2);
    assert_string_equal(group.path + strlen(root), "/sys/fs/cgroup");
    assert_false(cgroup_up(&group));
    make_file(root, "/proc/self/cgroup", "3:cpuset:/a\n");
    assert_false(cgroup_find(root, "cpu", &group)); /* cpuset is not cpu */
    remove_root(root);
}

static void file_read_cuts_and_reports(void **state)
{
    char root[64], text[8];
    (void)state;
    make_root(root);
    make_file(root, "/long", "0123456789");
    make_file(root, "/line", "ab\n\n");
    assert_int_equal(file_read(sizeof text, text, "%s/long", root), 7);
    assert_string_equal(text, "0123456");
    assert_int_equal(file_read(sizeof text, text, "%s/line", root), 2);
    assert_string_equal(text, "ab");
    assert_int_equal(file_read(sizeof text, text, "%s/none", root), -ENOENT);
    assert_string_equal(text, "");
    assert_int_equal(file_read(sizeof text, text, "%s", root), -EISDIR);
    assert_float_equal(file_read_number(-1, "%s/line", root), -1, 0);
    assert_float_equal(file_read_number(-1, "%s/long", root), 123456789, 0);
    remove_root(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_cgroups_there_is_no_limit),
        cmocka_unit_test(the_smallest_limit_on_the_way_up_holds),
        cmocka_unit_test(version_1_hierarchies_count),
        cmocka_unit_test(a_cgroup_out_of_sight_means_its_mount_point),
        cmocka_unit_test(file_read_cuts_and_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
