/* What batch systems tell, as tables of their variables: real ones, and what must not be believed. */
#include "../src/place/allocation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

enum { VARIABLES_MAX = 16 };

static const struct scene {
    const char *environment[VARIABLES_MAX];
    struct allocation is;
    const char *text;
} scenes[] = {
    {{"PATH=/bin", "SLURM_CONF=/etc/slurm.conf", "FLUX_SSH=ssh", "PBS_O_HOST=login"},
     {.scheduler = SCHEDULER_NONE},
     ""},

    /* Slurm */
    {{"SLURM_JOB_ID=123", "SLURM_JOB_NUM_NODES=3", "SLURM_JOB_CPUS_PER_NODE=72(x2),36", "SLURM_NODEID=0",
      "SLURM_JOB_PARTITION=big", "SLURM_JOB_NODELIST=node[1-3]", "SLURM_MEM_PER_NODE=2048", "SLURM_NTASKS_PER_NODE=4",
      "SLURM_CPUS_PER_TASK=9", "SLURM_RESTART_COUNT=2", "SLURM_JOB_END_TIME=1700000000", "SLURM_ARRAY_TASK_ID=7"},
     {.scheduler = SCHEDULER_SLURM,
      .job_id = "123",
      .array_index = "7",
      .partition = "big",
      .nodes = 3,
      .cpus_per_node = 36,
      .cpus_differ = true,
      .cpus_total = 180,
      .tasks_per_node = 4,
      .cpus_per_task = 9,
      .memory_per_node_bytes = 2147483648.0,
      .end_s = 1700000000,
      .restarts = 2,
      .hosts = "node[1-3]"},
     "Slurm job 123: 3 nodes, at least 36 CPUs each, array index 7, in big, until 2023-11-14 22:13, restarted 2 times"},
    {{"SLURM_JOBID=9", "SLURM_NNODES=1", "SLURM_CPUS_ON_NODE=8", "SLURM_MEM_PER_CPU=512", "SLURMD_NODENAME=n1",
      "SLURM_TASKS_PER_NODE=2"},
     {.scheduler = SCHEDULER_SLURM,
      .job_id = "9",
      .nodes = 1,
      .cpus_per_node = 8,
      .cpus_total = 8,
      .tasks_per_node = 2,
      .memory_per_node_bytes = 4294967296.0},
     "Slurm job 9: 1 node, 8 CPUs"},
    /* a task of srun; the batch script's step has a reserved number */
    {{"SLURM_JOB_ID=1", "SLURM_JOB_CPUS_PER_NODE=4(x2)", "SLURM_NODEID=1", "SLURM_STEP_ID=0"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1", .nodes = 2, .cpus_per_node = 4, .cpus_total = 8, .step = true},
     "Slurm job 1: 2 nodes, 4 CPUs each"},
    {{"SLURM_JOB_ID=1", "SLURM_JOB_CPUS_PER_NODE=1", "SLURM_NODEID=0", "SLURM_STEP_ID=4294967291"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1", .nodes = 1, .cpus_per_node = 1, .cpus_total = 1},
     "Slurm job 1: 1 node, 1 CPU"},
    /* the shell of salloc, on the login node */
    {{"SLURM_JOB_ID=1", "SLURM_JOB_NUM_NODES=2", "SLURM_NODELIST=a,b"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1", .nodes = 2, .hosts = "a,b", .elsewhere = true},
     "Slurm job 1: 2 nodes"},
    /* numbers of nodes that contradict each other; no numbers; too large ones */
    {{"SLURM_JOB_ID=1", "SLURM_NODEID=0", "SLURM_JOB_NUM_NODES=3", "SLURM_JOB_CPUS_PER_NODE=4(x2)"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1", .nodes = 3},
     "Slurm job 1: 3 nodes"},
    {{"SLURM_JOB_ID=1", "SLURM_NODEID=0", "SLURM_JOB_NUM_NODES=-3", "SLURM_JOB_CPUS_PER_NODE=4(x2),",
      "SLURM_NTASKS_PER_NODE=2.5", "SLURM_CPUS_PER_TASK=", "SLURM_MEM_PER_NODE=2G", "SLURM_JOB_END_TIME=soon",
      "SLURM_RESTART_COUNT=99999999999", "SLURM_STEP_ID=-1"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1"},
     "Slurm job 1: number of nodes unknown"},
    {{"SLURM_JOB_ID=1", "SLURM_NODEID=0", "SLURM_JOB_CPUS_PER_NODE=2147483647(x2)"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1"},
     "Slurm job 1: number of nodes unknown"},
    {{"SLURM_JOB_ID=1\n\033[31m", "SLURM_NODEID=0", "SLURM_JOB_CPUS_PER_NODE=4(x99999999999999999999)"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1\n\033[31m"},
     "Slurm job 1??[31m: number of nodes unknown"},
    {{"SLURM_JOB_ID=1", "SLURM_NODEID=0", "SLURM_JOB_CPUS_PER_NODE=4(x2"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1"},
     "Slurm job 1: number of nodes unknown"},
    {{"SLURM_JOB_ID=1", "SLURM_NODEID=0", "SLURM_JOB_CPUS_PER_NODE=0"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1"},
     "Slurm job 1: number of nodes unknown"},

    /* PBS: Torque, OpenPBS */
    {{"PBS_JOBID=5.server", "PBS_NUM_NODES=2", "PBS_NUM_PPN=16", "PBS_QUEUE=batch", "PBS_NODEFILE=/nowhere",
      "PBS_ARRAYID=3"},
     {.scheduler = SCHEDULER_PBS,
      .job_id = "5.server",
      .array_index = "3",
      .partition = "batch",
      .nodes = 2,
      .cpus_per_node = 16,
      .cpus_total = 32,
      .hosts_file = "/nowhere"},
     "PBS job 5.server: 2 nodes, 16 CPUs each, array index 3, in batch"},
    {{"PBS_JOBID=5[2].server", "NCPUS=32", "PBS_QUEUE=workq", "PBS_ARRAY_INDEX=2"},
     {.scheduler = SCHEDULER_PBS,
      .job_id = "5[2].server",
      .array_index = "2",
      .partition = "workq",
      .cpus_per_task = 32},
     "PBS job 5[2].server: number of nodes unknown, array index 2, in workq"},

    /* LSF */
    {{"LSB_JOBID=77", "LSB_JOBINDEX=0", "LSB_MCPU_HOSTS=n1 4 n2 8 ", "LSB_QUEUE=normal", "LSB_DJOB_NUMPROC=12",
      "LSB_RESTART=Y", "LSB_DJOB_HOSTFILE=/nowhere"},
     {.scheduler = SCHEDULER_LSF,
      .job_id = "77",
      .partition = "normal",
      .nodes = 2,
      .cpus_per_node = 4,
      .cpus_differ = true,
      .cpus_total = 12,
      .restarts = 1,
      .hosts = "n1 4 n2 8 ",
      .hosts_file = "/nowhere"},
     "LSF job 77: 2 nodes, at least 4 CPUs each, in normal, restarted 1 time"},
    {{"LSB_JOBID=77", "LSB_JOBINDEX=4", "LSB_MCPU_HOSTS=n1 four", "LSB_DJOB_NUMPROC=12", "LSB_HOSTS=n1 n1"},
     {.scheduler = SCHEDULER_LSF, .job_id = "77", .array_index = "4", .cpus_total = 12, .hosts = "n1 four"},
     "LSF job 77: number of nodes unknown, array index 4"},
    {{"LSB_JOBID=77", "LSB_MCPU_HOSTS=n1"},
     {.scheduler = SCHEDULER_LSF, .job_id = "77", .hosts = "n1"},
     "LSF job 77: number of nodes unknown"},

    /* Flux: a task; a batch script as it comes; one of ours */
    {{"FLUX_URI=local:///run/flux", "FLUX_JOB_ID=f2Xy", "FLUX_JOB_NNODES=2", "FLUX_JOB_SIZE=8", "FLUX_TASK_RANK=0"},
     {.scheduler = SCHEDULER_FLUX, .job_id = "f2Xy", .nodes = 2, .tasks_per_node = 4, .step = true},
     "Flux job f2Xy: 2 nodes"},
    {{"FLUX_URI=local:///run/flux", "FLUX_JOB_NNODES=9"},
     {.scheduler = SCHEDULER_FLUX},
     "Flux job: number of nodes unknown"},
    {{"FLUX_URI=local:///run/flux", "SPEEDUP_JOB_ID=f9", "SPEEDUP_JOB_NODES=2", "SPEEDUP_JOB_CORES=64",
      "SPEEDUP_JOB_HOSTS=n[1-2]"},
     {.scheduler = SCHEDULER_FLUX,
      .job_id = "f9",
      .nodes = 2,
      .cpus_per_node = 32,
      .cpus_total = 64,
      .hosts = "n[1-2]"},
     "Flux job f9: 2 nodes, 32 CPUs each"},

    /* one inside what another was submitted from */
    {{"FLUX_URI=local:///run/flux", "PBS_JOBID=5.server", "SLURM_JOB_ID=1", "SLURM_NODEID=0"},
     {.scheduler = SCHEDULER_SLURM, .job_id = "1"},
     "Slurm job 1: number of nodes unknown"},
};

static void assert_texts_equal(const char *is, const char *expected)
{
    if (!expected)
        assert_null(is);
    else
        assert_string_equal(is, expected);
}

static void each_scheduler_is_understood(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        const struct allocation *expected = &scenes[i].is;
        struct allocation is;
        char text[512];
        allocation_find((char *const *)scenes[i].environment, &is);
        assert_string_equal(allocation_format(&is, sizeof text, text), scenes[i].text);
        assert_int_equal(is.scheduler, expected->scheduler);
        assert_string_equal(is.job_id, expected->job_id);
        assert_string_equal(is.array_index, expected->array_index);
        assert_string_equal(is.partition, expected->partition);
        assert_int_equal(is.nodes, expected->nodes);
        assert_int_equal(is.cpus_per_node, expected->cpus_per_node);
        assert_int_equal(is.cpus_differ, expected->cpus_differ);
        assert_int_equal(is.cpus_total, expected->cpus_total);
        assert_int_equal(is.tasks_per_node, expected->tasks_per_node);
        assert_int_equal(is.cpus_per_task, expected->cpus_per_task);
        assert_true(is.memory_per_node_bytes == expected->memory_per_node_bytes);
        assert_true(is.end_s == expected->end_s);
        assert_int_equal(is.restarts, expected->restarts);
        assert_int_equal(is.step, expected->step);
        assert_int_equal(is.elsewhere, expected->elsewhere);
        assert_texts_equal(is.hosts, expected->hosts);
        assert_texts_equal(is.hosts_file, expected->hosts_file);
    }
}

static void what_is_too_long_is_cut(void **state)
{
    static char job[9000] = "PBS_JOBID=";
    char *environment[] = {job, NULL};
    struct allocation allocation;
    char text[32];
    (void)state;
    memset(job + strlen(job), 'x', sizeof job - strlen(job) - 1);
    allocation_find(environment, &allocation);
    assert_int_equal(strlen(allocation.job_id), sizeof allocation.job_id - 1);
    assert_int_equal(strlen(allocation_format(&allocation, sizeof text, text)), sizeof text - 1);
}

/* The hosts of a PBS job are those lines. */
static int read_hosts(const char *lines, struct allocation *allocation_p)
{
    char path[] = "/tmp/speedup-hosts-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, lines, strlen(lines)), strlen(lines));
    close(descriptor);
    allocation_p->hosts_file = path;
    int status = allocation_read_hosts(allocation_p);
    allocation_p->hosts_file = NULL;
    unlink(path);
    return status;
}

static void the_file_of_hosts_tells_nodes(void **state)
{
    (void)state;
    struct allocation torque = {.scheduler = SCHEDULER_PBS}, openpbs = {.scheduler = SCHEDULER_PBS, .cpus_per_task = 1},
                      once = {.scheduler = SCHEDULER_PBS, .cpus_per_node = 32},
                      told = {.scheduler = SCHEDULER_PBS, .nodes = 7, .cpus_per_node = 5, .cpus_total = 35};
    assert_int_equal(read_hosts("n2\nn1\nn1\r\n\nn2\nn1 \nn2\n", &torque), 0);
    assert_int_equal(torque.nodes, 2);
    assert_int_equal(torque.cpus_per_node, 3);
    assert_int_equal(torque.cpus_total, 6);
    /* OpenPBS lists ranks: a job of 32 CPUs a node may have 2. */
    assert_int_equal(read_hosts("n1\nn1\nn2\nn2\n", &openpbs), 0);
    assert_int_equal(openpbs.nodes, 2);
    assert_int_equal(openpbs.cpus_per_node, 0);
    assert_int_equal(openpbs.cpus_total, 0);
    assert_int_equal(read_hosts("n1\nn2\nn3", &once), 0); /* says nothing of CPUs */
    assert_int_equal(once.nodes, 3);
    assert_int_equal(once.cpus_per_node, 32);
    assert_int_equal(once.cpus_total, 96);
    assert_int_equal(read_hosts("n1\n", &told), 0);
    assert_int_equal(told.nodes, 7);
    assert_int_equal(told.cpus_total, 35);
}

static void a_file_that_is_none_changes_nothing(void **state)
{
    struct allocation allocation = {.scheduler = SCHEDULER_PBS, .hosts_file = "/nowhere/at/all"};
    (void)state;
    assert_int_equal(allocation_read_hosts(&allocation), -ENOENT);
    allocation.hosts_file = NULL;
    assert_int_equal(allocation_read_hosts(&allocation), 0);
    assert_int_equal(read_hosts("\n \n", &allocation), -EINVAL);
    assert_int_equal(allocation.nodes, 0);
    assert_int_equal(allocation.cpus_total, 0);
}

/* What is listed, what this machine is called, and the hosts. */
static const struct {
    const char *listed, *own, *hosts;
    int count; /* or the error */
} lists[] = {
    /* PBS_NODEFILE: a line a rank, or a CPU */
    {"n2\nn2\nn1\nn1\n", "n9", "n2,n1", 2},
    {"n2\nn1\r\n\nn2 \nn3\nn1", "n1", "n1,n2,n3", 3},
    {"n1.cluster.example\nn2.cluster.example\n", "N2", "n2.cluster.example,n1.cluster.example", 2},
    {"n2.a\nn2.b\n", "n2.b", "n2.b,n2.a", 2},
    /* LSB_MCPU_HOSTS, LSB_HOSTS, LSB_DJOB_HOSTFILE */
    {"n1 4 n2 8 ", "n1", "n1,n2", 2},
    {"n1 4 n2 8 n1 4", "n2", "n2,n1", 2},
    {"n1 n1 n2 n2", "", "n1,n2", 2},
    /* Flux, RFC 29 */
    {"node[1-3,7]", "node3", "node3,node1,node2,node7", 4},
    {"node[08-11]", "", "node08,node09,node10,node11", 4},
    {"login,n[1]-ib,rack[1-2]n[a,3-4]x", "", "login,n1-ib,rack1nax,rack1n3x,rack1n4x,rack2nax,rack2n3x,rack2n4x", 8},
    {"n[1-2],n[2-3],n1", "", "n1,n2,n3", 3},
    {"one", "one", "one", 1},
    /* what is none */
    {"", "n", NULL, -EINVAL},
    {" \n,\n", "n", NULL, -EINVAL},
    {"4 n1", "n", NULL, -EINVAL},
    {"n[1-2", "n", NULL, -EINVAL},
    {"n1-2]", "n", NULL, -EINVAL},
    {"n[]", "n", NULL, -EINVAL},
    {"n[1,,2]", "n", NULL, -EINVAL},
    {"n[2-1]", "n", NULL, -EINVAL},
    {"n[1-2-3]", "n", NULL, -EINVAL},
    {"n[1-]", "n", NULL, -EINVAL},
    {"n[1-9999999999]", "n", NULL, -EINVAL},
    {"n[0-999999999]", "n", NULL, -ERANGE},
    {"n[0-9999][0-9999]", "n", NULL, -ERANGE},
    {"--host", "n", NULL, -EINVAL},
    {"n1;reboot", "n", NULL, -EINVAL},
    {"n1 \033[31m", "n", NULL, -EINVAL},
};

static void hosts_are_listed_once_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char *hosts = NULL;
        assert_int_equal(allocation_list_hosts(lists[i].listed, lists[i].own, &hosts), lists[i].count);
        assert_texts_equal(hosts, lists[i].hosts);
        free(hosts);
    }
}

/* A thousand nodes, a line a rank, dealt out: the list is as long as it is. */
static void many_hosts_are_listed(void **state)
{
    enum { NODES = 1000, RANKS = 16, LENGTH = 10 };
    char *listed = calloc(NODES * RANKS + 1, LENGTH), *at = listed, *hosts = NULL;
    (void)state;
    assert_non_null(listed);
    for (int i = 0; i < NODES * RANKS; i++) at += sprintf(at, "node%04d\n", i % NODES);
    assert_int_equal(allocation_list_hosts(listed, "node0999", &hosts), NODES);
    assert_int_equal(strlen(hosts), NODES * 9 - 1);
    assert_memory_equal(hosts, "node0999,node0000,node0001,", 27);
    free(hosts);
    free(listed);
    char name[300] = "";
    memset(name, 'a', sizeof name - 1);
    assert_int_equal(allocation_list_hosts(name, "", &hosts), -EINVAL);
}

static void hosts_are_found_where_they_are(void **state)
{
    char path[] = "/tmp/speedup-hosts-XXXXXX", *hosts = NULL;
    int descriptor = mkstemp(path);
    struct allocation allocation = {.scheduler = SCHEDULER_LSF, .hosts = "n1 4 n2 8", .hosts_file = path};
    (void)state;
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "n3\nn4\n", 6), 6);
    close(descriptor);
    assert_int_equal(allocation_find_hosts(&allocation, "n2", &hosts), 2);
    assert_string_equal(hosts, "n2,n1");
    free(hosts);
    allocation.hosts = NULL;
    assert_int_equal(allocation_find_hosts(&allocation, "n4", &hosts), 2);
    assert_string_equal(hosts, "n4,n3");
    free(hosts);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(allocation_find_hosts(&allocation, "n4", &hosts), -EINVAL);
    unlink(path);
    assert_int_equal(allocation_find_hosts(&allocation, "n4", &hosts), -ENOENT);
    allocation.hosts_file = NULL;
    assert_int_equal(allocation_find_hosts(&allocation, "n4", &hosts), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheduler_is_understood),   cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(the_file_of_hosts_tells_nodes),  cmocka_unit_test(a_file_that_is_none_changes_nothing),
        cmocka_unit_test(hosts_are_listed_once_each),     cmocka_unit_test(many_hosts_are_listed),
        cmocka_unit_test(hosts_are_found_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
