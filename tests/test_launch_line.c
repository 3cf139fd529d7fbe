/* Launch lines and requests as tables; what a launcher's environment says; what a shell makes of the text. */
#include "../src/launch/launch.h"

#include "speedup_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_LENGTH = 8192 };

static const struct launch_site site = {.worker = "/opt/bin/speedup-worker",
                                        .worker_mpi = "/opt/bin/speedup-worker-mpi",
                                        .mpirun = "/usr/bin/mpirun",
                                        .flavour = MPI_OPENMPI_4};

static struct request request_of(enum mode_name name, int ranks, int threads, const char *cpus, enum wait_policy policy)
{
    struct request request = {.runs = 3, .warmups = 1};
    struct config *config = &request.config;
    strcpy(config->kernel, "pi");
    strcpy(config->variant, "philox");
    strcpy(config->size, "1000");
    strcpy(config->isa, "generic");
    config->mode = (struct mode){
        .nodes = 1, .map = "cores-first", .name = name, .wait_policy = policy, .ranks = ranks, .threads = threads};
    assert_int_equal(cpu_list_parse(cpus, &config->mode.cpus), 0);
    return request;
}

static const char *join(char *const words[], char *text)
{
    size_t used = 0;
    text[0] = '\0';
    for (; words && *words; words++)
        used += (size_t)snprintf(text + used, TEXT_LENGTH - used, "%s%s", used ? " " : "", *words);
    return text;
}

struct line_case {
    struct {
        enum mode_name name;
        int ranks, threads;
        const char *cpus;
        enum wait_policy policy;
        int nodes;
    } asked;
    enum launcher launcher;
    enum mpi_flavour flavour;
    bool root;
    const char *start; /* of argv, before the request */
    const char *mask;
    const char *environment; /* before and */
    const char *more;        /* after what all have */
};

static const struct line_case line_cases[] = {
    {{MODE_SERIAL, 1, 1, "1", WAIT_SPIN, 1},
     LAUNCHER_NONE,
     MPI_OPENMPI_4,
     true,
     "/opt/bin/speedup-worker",
     "1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=active",
     ""},
    {{MODE_MULTITASK, 1, 4, "1", WAIT_YIELD, 1},
     LAUNCHER_NONE,
     MPI_OPENMPI_4,
     false,
     "/opt/bin/speedup-worker",
     "1",
     "OMP_NUM_THREADS=4 OMP_WAIT_POLICY=passive",
     ""},
    {{MODE_MULTITASK, 1, 4, "1", WAIT_BLOCK, 1},
     LAUNCHER_NONE,
     MPI_OPENMPI_4,
     false,
     "/opt/bin/speedup-worker",
     "1",
     "OMP_NUM_THREADS=4 OMP_WAIT_POLICY=passive",
     ""},
    /* Spinning on a shared core needs a wide mask, or libgomp throttles it. */
    {{MODE_MULTITASK, 1, 4, "1", WAIT_SPIN, 1},
     LAUNCHER_NONE,
     MPI_OPENMPI_4,
     false,
     "/opt/bin/speedup-worker",
     "",
     "OMP_NUM_THREADS=4 OMP_WAIT_POLICY=active",
     ""},
    {{MODE_THREADS, 1, 4, "0-2,5", WAIT_SPIN, 1},
     LAUNCHER_NONE,
     MPI_MPICH,
     true,
     "/opt/bin/speedup-worker",
     "0-2,5",
     "OMP_NUM_THREADS=4 OMP_WAIT_POLICY=active",
     ""},
    {{MODE_MULTITASK_MPI, 4, 1, "1", WAIT_YIELD, 1},
     LAUNCHER_MPIRUN,
     MPI_OPENMPI_4,
     true,
     "/usr/bin/mpirun -np 4 --bind-to none --oversubscribe --mca mpi_yield_when_idle 1 --host localhost:4 --mca pml "
     "ob1 "
     "--mca btl self,vader /opt/bin/speedup-worker-mpi",
     "1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive",
     " OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"},
    {{MODE_MULTITASK_MPI, 4, 1, "1", WAIT_BLOCK, 1},
     LAUNCHER_MPIRUN,
     MPI_OPENMPI_4,
     false,
     "/usr/bin/mpirun -np 4 --bind-to none --oversubscribe --mca mpi_yield_when_idle 1 --host localhost:4 --mca pml "
     "ob1 "
     "--mca btl self,vader /opt/bin/speedup-worker-mpi",
     "1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive",
     ""},
    {{MODE_MULTITASK_MPI, 4, 1, "1", WAIT_SPIN, 1},
     LAUNCHER_MPIRUN,
     MPI_OPENMPI_4,
     false,
     "/usr/bin/mpirun -np 4 --bind-to none --oversubscribe --mca mpi_yield_when_idle 0 --host localhost:4 --mca pml "
     "ob1 "
     "--mca btl self,vader /opt/bin/speedup-worker-mpi",
     "1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=active",
     ""},
    {{MODE_MPI, 2, 1, "0,1", WAIT_SPIN, 1},
     LAUNCHER_MPIRUN,
     MPI_OPENMPI_5,
     true,
     "/usr/bin/mpirun -np 2 --bind-to none --mca mpi_yield_when_idle 0 --host localhost:2 --mca pml ob1 --mca btl "
     "self,sm "
     "/opt/bin/speedup-worker-mpi",
     "0,1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=active",
     " PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
     "PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1"},
    {{MODE_MPI, 2, 1, "0,1", WAIT_SPIN, 1},
     LAUNCHER_MPIRUN,
     MPI_OPENMPI_5,
     false,
     "/usr/bin/mpirun -np 2 --bind-to none --mca mpi_yield_when_idle 0 --host localhost:2 --mca pml ob1 --mca btl "
     "self,sm "
     "/opt/bin/speedup-worker-mpi",
     "0,1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=active",
     " PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe"},
    {{MODE_HYBRID, 2, 3, "0-5", WAIT_SPIN, 1},
     LAUNCHER_MPIRUN,
     MPI_MPICH,
     true,
     "/usr/bin/mpirun -np 2 -bind-to none /opt/bin/speedup-worker-mpi",
     "0-5",
     "OMP_NUM_THREADS=3 OMP_WAIT_POLICY=active",
     " MPIR_CVAR_POLLS_BEFORE_YIELD=0 I_MPI_PIN=0"},
    {{MODE_MULTITASK_MPI, 2, 1, "3", WAIT_YIELD, 1},
     LAUNCHER_MPIRUN,
     MPI_MPICH,
     false,
     "/usr/bin/mpirun -np 2 -bind-to none /opt/bin/speedup-worker-mpi",
     "3",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive",
     " MPIR_CVAR_POLLS_BEFORE_YIELD=1 I_MPI_PIN=0"},
    {{MODE_HYBRID, 2, 2, "0-3", WAIT_SPIN, 1},
     LAUNCHER_MPIRUN,
     MPI_UNKNOWN,
     true,
     "/usr/bin/mpirun -np 2 /opt/bin/speedup-worker-mpi",
     "0-3",
     "OMP_NUM_THREADS=2 OMP_WAIT_POLICY=active",
     ""},
    /* Over several nodes Open MPI chooses its network itself, and hands the settings on. */
    {{MODE_HYBRID, 4, 2, "0-3", WAIT_SPIN, 2},
     LAUNCHER_MPIRUN,
     MPI_OPENMPI_4,
     false,
     "/usr/bin/mpirun -np 4 -x OMP_NUM_THREADS -x OMP_WAIT_POLICY -x OMP_DYNAMIC -x OMP_PROC_BIND "
     "-x OPENBLAS_NUM_THREADS -x MKL_NUM_THREADS -x BLIS_NUM_THREADS --bind-to none --oversubscribe "
     "--mca mpi_yield_when_idle 0 --map-by ppr:2:node /opt/bin/speedup-worker-mpi",
     "0-3",
     "OMP_NUM_THREADS=2 OMP_WAIT_POLICY=active",
     " OMPI_MCA_oob_tcp_keepalive_time=3 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=3"},
    {{MODE_MPI, 4, 1, "0,1", WAIT_SPIN, 2},
     LAUNCHER_MPIRUN,
     MPI_MPICH,
     false,
     "/usr/bin/mpirun -np 4 -bind-to none -ppn 2 /opt/bin/speedup-worker-mpi",
     "0,1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=active",
     " MPIR_CVAR_POLLS_BEFORE_YIELD=0 I_MPI_PIN=0"},
    {{MODE_MPI, 3, 1, "0,1", WAIT_SPIN, 2},
     LAUNCHER_MPIRUN,
     MPI_OPENMPI_5,
     false,
     "/usr/bin/mpirun -np 3 -x OMP_NUM_THREADS -x OMP_WAIT_POLICY -x OMP_DYNAMIC -x OMP_PROC_BIND "
     "-x OPENBLAS_NUM_THREADS -x MKL_NUM_THREADS -x BLIS_NUM_THREADS --bind-to none "
     "--mca mpi_yield_when_idle 0 --map-by ppr:2:node /opt/bin/speedup-worker-mpi",
     "0,1",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=active",
     " PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_oob_tcp_keepalive_time=3 "
     "PRTE_MCA_oob_tcp_keepalive_intvl=1 PRTE_MCA_oob_tcp_keepalive_probes=3"},
    {{MODE_HYBRID, 2, 2, "0-3", WAIT_SPIN, 1},
     LAUNCHER_FOREIGN,
     MPI_OPENMPI_4,
     true,
     "/opt/bin/speedup-worker-mpi",
     "",
     "OMP_NUM_THREADS=2 OMP_WAIT_POLICY=active",
     " OMPI_MCA_mpi_yield_when_idle=0 MPIR_CVAR_POLLS_BEFORE_YIELD=0"},
    {{MODE_MULTITASK_MPI, 2, 1, "0", WAIT_YIELD, 1},
     LAUNCHER_FOREIGN,
     MPI_OPENMPI_4,
     false,
     "/opt/bin/speedup-worker-mpi",
     "",
     "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive",
     " OMPI_MCA_mpi_yield_when_idle=1 MPIR_CVAR_POLLS_BEFORE_YIELD=1"},
};

/* What one rank more or another order of nodes, named hosts, or srun make of a line. */
static void test_nodes(void **state)
{
    (void)state;
    char text[TEXT_LENGTH];
    struct error error;
    struct launch_line *line;
    struct request request = request_of(MODE_MPI, 4, 1, "0,1", WAIT_YIELD);
    struct launch_site here = {.worker = "/opt/bin/speedup-worker",
                               .worker_mpi = "/opt/bin/speedup-worker-mpi",
                               .mpirun = "/usr/bin/mpirun",
                               .srun = "/usr/bin/srun",
                               .hosts = "alpha,beta,gamma"};
    request.config.mode.nodes = 2;
    strcpy(request.config.mode.map, "nodes-first");
    assert_int_equal(launch_line_new(&request, LAUNCHER_MPIRUN, &here, &line, &error), STATUS_OK);
    assert_non_null(strstr(join(line->argv, text), " --map-by ppr:2:node --rank-by node --host alpha:2,beta:2 /opt"));
    launch_line_free(line);
    here.flavour = MPI_MPICH;
    assert_int_equal(launch_line_new(&request, LAUNCHER_MPIRUN, &here, &line, &error), STATUS_OK);
    assert_non_null(strstr(join(line->argv, text), " -ppn 1 -hosts alpha,beta /opt"));
    launch_line_free(line);
    here.flavour = MPI_OPENMPI_4;
    here.by_srun = true;
    strcpy(here.mpi_reason, "there is no mpirun");
    assert_int_equal(launch_line_new(&request, LAUNCHER_MPIRUN, &here, &line, &error), STATUS_OK);
    assert_non_null(strstr(join(line->argv, text),
                           "/usr/bin/srun --mpi=pmix --nodes=2 --ntasks=4 --distribution=cyclic --overlap --overcommit "
                           "--cpu-bind=none --kill-on-bad-exit=1 --export=ALL --nodelist alpha,beta "
                           "/opt/bin/speedup-worker-mpi pi"));
    assert_non_null(strstr(join(line->environment, text), "OMPI_MCA_mpi_yield_when_idle=1"));
    launch_line_free(line);
}

/* Many names: all of them, the last one whole. */
static void test_many_hosts(void **state)
{
    (void)state;
    struct error error;
    struct launch_line *line;
    enum { HOSTS = 1500 };
    char hosts[3 * HOSTS + 1] = "";
    struct request request = request_of(MODE_MPI, 4, 1, "0,1", WAIT_YIELD);
    struct launch_site here = {.worker = "/w", .worker_mpi = "/w-mpi", .mpirun = "/usr/bin/mpirun", .hosts = hosts};
    for (int i = 0; i < HOSTS; i++) strcat(hosts, i == 0 ? "ab" : i < HOSTS - 1 ? ",ab" : ",yz");
    request.config.mode.nodes = HOSTS;
    request.config.mode.ranks = 9999 * HOSTS;
    assert_int_equal(launch_line_new(&request, LAUNCHER_MPIRUN, &here, &line, &error), STATUS_OK);
    char *const *word = line->argv;
    while (*word && strcmp(*word, "--host") != 0) word++;
    assert_non_null(*word);
    assert_int_equal(strlen(word[1]), HOSTS * strlen("ab:9999,") - 1);
    assert_string_equal(word[1] + strlen(word[1]) - strlen(",ab:9999,yz:9999"), ",ab:9999,yz:9999");
    assert_string_equal(word[2], "/w-mpi");
    launch_line_free(line);
}

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof line_cases / sizeof *line_cases; i++) {
        const struct line_case *c = &line_cases[i];
        struct request request =
            request_of(c->asked.name, c->asked.ranks, c->asked.threads, c->asked.cpus, c->asked.policy);
        request.config.mode.nodes = c->asked.nodes;
        struct launch_site here = site;
        here.flavour = c->flavour;
        here.root = c->root;
        struct launch_line *line;
        struct error error;
        assert_int_equal(launch_line_new(&request, c->launcher, &here, &line, &error), STATUS_OK);
        assert_int_equal(line->launcher, c->launcher);

        char expected[TEXT_LENGTH], text[TEXT_LENGTH];
        char **arguments = request_format(&request);
        snprintf(expected, sizeof expected, "%s %s", c->start, join(arguments, text));
        request_free_arguments(arguments);
        assert_string_equal(join(line->argv, text), expected);
        snprintf(expected, sizeof expected,
                 "%s OMP_DYNAMIC=false OMP_PROC_BIND=false OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 "
                 "BLIS_NUM_THREADS=1%s",
                 c->environment, c->more);
        assert_string_equal(join(line->environment, text), expected);
        assert_string_equal(cpu_list_format(&line->mask, sizeof text, text), c->mask);
        launch_line_free(line);
    }
}

/* What is set must not be taken out, and the user's bindings must be. */
static void test_unset(void **state)
{
    (void)state;
    static const char *const must_go[] = {"OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY", "GOMP_SPINCOUNT"};
    for (size_t i = 0; i < sizeof line_cases / sizeof *line_cases; i++) {
        const struct line_case *c = &line_cases[i];
        struct request request =
            request_of(c->asked.name, c->asked.ranks, c->asked.threads, c->asked.cpus, c->asked.policy);
        struct launch_site here = site;
        here.flavour = c->flavour;
        struct launch_line *line;
        struct error error;
        assert_int_equal(launch_line_new(&request, c->launcher, &here, &line, &error), STATUS_OK);
        char unset[TEXT_LENGTH];
        join((char *const *)(uintptr_t)line->unset, unset);
        for (size_t k = 0; k < sizeof must_go / sizeof *must_go; k++) assert_non_null(strstr(unset, must_go[k]));
        bool openmpi = c->flavour == MPI_OPENMPI_4 || c->flavour == MPI_OPENMPI_5;
        assert_int_equal(strstr(unset, "OMPI_MCA_hwloc_base_binding_policy") != NULL,
                         c->launcher == LAUNCHER_MPIRUN && openmpi);
        for (char **setting = line->environment; *setting; setting++) {
            char name[128];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(*setting, "="), *setting);
            for (const char *const *other = line->unset; *other; other++) assert_string_not_equal(*other, name);
        }
        launch_line_free(line);
    }
}

static void test_mpi_unavailable(void **state)
{
    (void)state;
    struct launch_site here = site;
    here.mpirun[0] = '\0';
    strcpy(here.mpi_reason, "there is no mpirun");
    struct request request = request_of(MODE_MPI, 2, 1, "0,1", WAIT_SPIN);
    struct launch_line *line = NULL;
    struct error error;
    assert_int_equal(launch_line_new(&request, LAUNCHER_MPIRUN, &here, &line, &error), STATUS_FAILED);
    assert_string_equal(error.text, "mode mpi needs MPI: there is no mpirun");
    assert_null(line);
    /* Somebody else's launcher started us: our own is not needed, but the worker is. */
    assert_int_equal(launch_line_new(&request, LAUNCHER_FOREIGN, &here, &line, &error), STATUS_OK);
    launch_line_free(line);
    here.worker_mpi[0] = '\0';
    assert_int_equal(launch_line_new(&request, LAUNCHER_FOREIGN, &here, &line, &error), STATUS_FAILED);
    request = request_of(MODE_THREADS, 1, 2, "0,1", WAIT_SPIN);
    assert_int_equal(launch_line_new(&request, LAUNCHER_NONE, &here, &line, &error), STATUS_OK);
    launch_line_free(line);
}

static void test_text(void **state)
{
    (void)state;
    static const char *const unset[] = {"OMP_PLACES", NULL};
    char *argv[] = {"/opt/my tools/worker", "pi", "--size", "", "it's", "a\"b", "$HOME", NULL};
    char *environment[] = {"A=1", "B=x y", NULL};
    struct launch_line line = {
        .argv = argv, .environment = environment, .unset = unset, .mask = {.count = 3, .cpus = {0, 1, 2}}};
    char *text = launch_line_text(&line);
    assert_string_equal(text, "env -u OMP_PLACES A=1 'B=x y' taskset -c 0-2 '/opt/my tools/worker' pi --size '' "
                              "'it'\\''s' 'a\"b' '$HOME'");
    free(text);
}

/* What a shell makes of the text is what was meant. */
static void test_text_in_a_shell(void **state)
{
    (void)state;
    static const char *const unset[] = {"OMP_PLACES", NULL};
    static const char script[] = "printf '%s\\0' \"${OMP_PLACES-gone}\" \"$ODD\" \"$@\"";
    char every[256];
    for (int i = 0; i < 255; i++) every[i] = (char)(i + 1);
    every[255] = '\0';
    char odd[] = "ODD=a 'b' \"c\" $(false) `false` \\ \n *";
    char *argv[] = {"sh",
                    "-c",
                    (char *)(uintptr_t)script,
                    "sh",
                    "",
                    "plain",
                    "--size=1,2:3/4%5+6@7",
                    "two words",
                    "'",
                    "''",
                    "\n",
                    "\\",
                    "-n",
                    "~",
                    "!",
                    "#",
                    every,
                    NULL};
    char *environment[] = {odd, NULL};
    struct launch_line line = {.argv = argv, .environment = environment, .unset = unset};

    setenv("OMP_PLACES", "cores", 1);
    char *text = launch_line_text(&line), path[] = "/tmp/speedup-line-XXXXXX", command[64];
    int script_file = mkstemp(path);
    assert_true(script_file >= 0);
    assert_int_equal(write(script_file, text, strlen(text)), (ssize_t)strlen(text));
    close(script_file);
    snprintf(command, sizeof command, "bash %s", path); /* dash does not know $'...' */
    FILE *shell = popen(command, "r");
    assert_non_null(shell);
    char got[TEXT_LENGTH], expected[TEXT_LENGTH];
    size_t got_length = fread(got, 1, sizeof got, shell), length = 0;
    assert_int_equal(pclose(shell), 0);
    unlink(path);
    free(text);
    unsetenv("OMP_PLACES");

    const char *head[] = {"gone", odd + 4};
    for (int i = 0; i < 2; i++)
        length += (size_t)snprintf(expected + length, sizeof expected - length, "%s", head[i]) + 1;
    for (char **word = argv + 4; *word; word++)
        length += (size_t)snprintf(expected + length, sizeof expected - length, "%s", *word) + 1;
    assert_int_equal(got_length, length);
    assert_memory_equal(got, expected, length);
}

static int count_words(char *const words[])
{
    int count = 0;
    while (words[count]) count++;
    return count;
}

static void check_round_trip(const struct request *request)
{
    char **arguments = request_format(request);
    assert_non_null(arguments);
    for (char **word = arguments; *word; word++) assert_true(**word); /* what is empty is left out */
    struct request parsed;
    struct error error = {.text = ""};
    int status = request_parse(count_words(arguments), arguments, &parsed, &error);
    if (status) print_error("%s\n", error.text);
    assert_int_equal(status, STATUS_OK);
    char **again = request_format(&parsed);
    char text[TEXT_LENGTH], text_again[TEXT_LENGTH];
    assert_string_equal(join(again, text_again), join(arguments, text));
    assert_int_equal(parsed.runs, request->runs);
    assert_int_equal(parsed.warmups, request->warmups);
    assert_int_equal(parsed.own_cpus, request->own_cpus);
    assert_true(parsed.realtime_limit_s == request->realtime_limit_s);
    assert_true(parsed.deadline_s == request->deadline_s);
    assert_int_equal(parsed.alive, request->alive);
    assert_true(scheduling_same(&parsed.config.mode.scheduling, &request->config.mode.scheduling));
    assert_int_equal(parsed.timeline, request->timeline);
    assert_int_equal(parsed.picture, request->picture);
    assert_true(parsed.config.seed == request->config.seed);
    assert_int_equal(parsed.config.mode.cpus.count, request->config.mode.cpus.count);
    for (int i = 0; i < parsed.config.mode.cpus.count; i++)
        assert_int_equal(parsed.config.mode.cpus.cpus[i], request->config.mode.cpus.cpus[i]);
    request_free_arguments(again);
    request_free_arguments(arguments);
}

static void set_problem(struct config *config, const struct problem *problem)
{
    struct config fresh = *config;
    config_from_problem(problem, &fresh);
    *config = fresh;
}

static void test_request_round_trip(void **state)
{
    (void)state;
    static const struct {
        enum mode_name name;
        int ranks, threads;
        const char *cpus;
    } modes[] = {{MODE_SERIAL, 1, 1, "1048575"},    {MODE_MULTITASK, 1, 10000, "7"},  {MODE_MULTITASK_MPI, 17, 1, "3"},
                 {MODE_THREADS, 1, 3, "5,3,4,0-2"}, {MODE_MPI, 1000000, 1, "0-1023"}, {MODE_HYBRID, 2, 3, "9,8,7"}};
    static const uint64_t seeds[] = {0, 1, UINT64_MAX};
    static const struct scheduling schedulings[] = {
        {POLICY_OTHER, 0, 0}, {POLICY_BATCH, -20, 100000}, {POLICY_OTHER, 19, 99999999}};
    assert_non_null(kernel_registry[0]);
    for (int k = 0; kernel_registry[k]; k++)
        for (size_t m = 0; m < sizeof modes / sizeof *modes; m++)
            for (size_t s = 0; s < 3; s++) {
                struct request request =
                    request_of(modes[m].name, modes[m].ranks, modes[m].threads, modes[m].cpus, (enum wait_policy)s);
                struct problem problem;
                problem_init(kernel_registry[k], &problem);
                problem.seed = seeds[s];
                problem.isa = s ? "avx512-vnni+fma" : "";
                set_problem(&request.config, &problem);
                request.config.mode.nodes = modes[m].ranks > 1 ? 2 : 1;
                strcpy(request.config.mode.map, s ? "nodes-first" : "cores-first");
                request.runs = s ? 1 : 1000000;
                request.warmups = s ? 0 : 1000000;
                request.own_cpus = s == 1;
                request.config.mode.scheduling = schedulings[s];
                request.timeline = s == 2;
                request.picture = s == 0;
                check_round_trip(&request);
            }
}

/* Options at the ends of their domains, and each choice. */
static void test_request_options(void **state)
{
    (void)state;
    int checked = 0;
    for (int k = 0; kernel_registry[k]; k++) {
        const struct kernel *kernel = kernel_registry[k];
        for (int i = 0; kernel->options && kernel->options[i].name; i++) {
            const struct kernel_option *option = &kernel->options[i];
            int choices = 0;
            while (option->type == OPTION_CHOICE && option->choices[choices]) choices++;
            int values = option->type == OPTION_CHOICE ? choices : 2;
            for (int v = 0; v < values; v++, checked++) {
                struct request request = request_of(MODE_SERIAL, 1, 1, "0", WAIT_SPIN);
                struct problem problem;
                problem_init(kernel, &problem);
                problem.options[i] = option->type == OPTION_CHOICE ? v : v ? option->max : option->min;
                set_problem(&request.config, &problem);
                check_round_trip(&request);
            }
        }
    }
    assert_true(checked > 0);
}

/* What is as usual is not said: a launch line is as it always was. */
static void test_request_scheduling(void **state)
{
    (void)state;
    static const struct {
        struct scheduling scheduling;
        double limit_s;
        const char *said; /* NULL: nothing */
    } cases[] = {
        {{POLICY_OTHER, 0, 0}, 0, NULL},
        {{POLICY_OTHER, 0, 500000}, 0, " --policy other --slice 0.5ms --runs 3 "},
        {{POLICY_BATCH, -3, 0}, 0, " --policy batch --nice -3 --runs 3 "},
        {{POLICY_BATCH, 7, 100000000}, 0, " --policy batch --nice 7 --slice 100ms --runs 3 "},
        {{POLICY_OTHER, 0, 99999999}, 0, " --policy other --slice 99.999999ms --runs 3 "},
        {{POLICY_FIFO, 0, 0}, 604800, " --policy fifo --runs 3 --warmups 1 --realtime-limit 604800"},
        {{POLICY_RR, 0, 0}, 0.01, " --policy rr --runs 3 --warmups 1 --realtime-limit 0.01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request = request_of(MODE_MULTITASK, 1, 2, "0", WAIT_BLOCK);
        struct problem problem;
        problem_init(kernel_registry[0], &problem);
        set_problem(&request.config, &problem);
        request.config.mode.scheduling = cases[i].scheduling;
        request.realtime_limit_s = cases[i].limit_s;
        request.deadline_s = 10.5 * (double)i;
        request.alive = i % 2;
        char **arguments = request_format(&request), text[TEXT_LENGTH];
        join(arguments, text);
        if (cases[i].said && !strstr(text, cases[i].said)) fail_msg("%s", text);
        if (!cases[i].said) assert_null(strstr(text, "--policy"));
        request_free_arguments(arguments);
        check_round_trip(&request);
    }
}

static void test_request_by_hand(void **state)
{
    (void)state;
    char *const argv[] = {"--cpus", "1", (char *)(uintptr_t)kernel_registry[0]->name};
    struct request request;
    struct error error = {.text = ""};
    assert_int_equal(request_parse(3, argv, &request, &error), STATUS_OK);
    struct problem problem;
    struct request expected = request_of(MODE_SERIAL, 1, 1, "1", WAIT_SPIN);
    problem_init(kernel_registry[0], &problem);
    set_problem(&expected.config, &problem);
    expected.runs = 1;
    expected.warmups = 0;
    char **formatted = request_format(&request), **wanted = request_format(&expected);
    char text[TEXT_LENGTH], text_wanted[TEXT_LENGTH];
    assert_string_equal(join(formatted, text), join(wanted, text_wanted));
    request_free_arguments(formatted);
    request_free_arguments(wanted);
}

static void test_request_errors(void **state)
{
    (void)state;
    /* K is a kernel's name. */
    static const struct {
        const char *words[12], *expected;
    } cases[] = {
        {{NULL}, "name of a kernel is missing"},
        {{"--cpus", "0"}, "name of a kernel is missing"},
        {{"nosuch", "--cpus", "0"}, "no kernel nosuch"},
        {{"", "--cpus", "0"}, "no kernel"},
        {{"K", "K", "--cpus", "0"}, "one kernel at a time"},
        {{"K"}, "--cpus is missing"},
        {{"K", "--cpus"}, "--cpus needs a value"},
        {{"K", "--cpus", ""}, "no list of CPUs"},
        {{"K", "--cpus", "0,0"}, "--cpus 0,0"},
        {{"K", "--cpus", "3-1"}, "--cpus 3-1"},
        {{"K", "--cpus", "0-5000"}, "--cpus 0-5000"},
        {{"K", "--cpus", "0", "--frobnicate", "1"}, "--frobnicate is unknown"},
        {{"K", "--cpus", "0", "-"}, "- is unknown"},
        {{"K", "--cpus", "0", "--variant", "nosuch"}, "no variant nosuch"},
        {{"K", "--cpus", "0", "--size", "zero"}, "--size zero"},
        {{"K", "--cpus", "0", "--size", "-5"}, "--size -5"},
        {{"K", "--cpus", "0", "--seed", "-1"}, "--seed -1"},
        {{"K", "--cpus", "0", "--seed", "18446744073709551616"}, "--seed 18446744073709551616"},
        {{"K", "--cpus", "0", "--seed", "1x"}, "--seed 1x"},
        {{"K", "--cpus", "0", "--option", "novalue"}, "not of the form name=value"},
        {{"K", "--cpus", "0", "--option", "nosuch=1"}, "no option of that name"},
        {{"K", "--cpus", "0", "--isa", "an-isa-with-a-long-name"}, "--isa an-isa-with-a-long-name"},
        {{"K", "--cpus", "0", "--map", "diagonal"}, "cores-first and nodes-first"},
        {{"K", "--cpus", "0", "--mode", "turbo"}, "no mode turbo"},
        {{"K", "--cpus", "0", "--wait-policy", "pray"}, "spin, yield and block"},
        {{"K", "--cpus", "0", "--policy", "idle"}, "other, batch, fifo and rr"},
        {{"K", "--cpus", "0", "--nice", "20"}, "--nice 20 is not"},
        {{"K", "--cpus", "0", "--nice", "-21"}, "--nice -21 is not"},
        {{"K", "--cpus", "0", "--nice", "5x"}, "--nice 5x"},
        {{"K", "--cpus", "0", "--nice", ""}, "--nice  is not"},
        {{"K", "--cpus", "0", "--slice", "20"}, "--slice 20 is not a time"},
        {{"K", "--cpus", "0", "--slice", "0.09ms"}, "0.1ms to 100ms"},
        {{"K", "--cpus", "0", "--slice", "101ms"}, "0.1ms to 100ms"},
        {{"K", "--cpus", "0", "--slice", "nanms"}, "--slice nanms"},
        {{"K", "--cpus", "0", "--slice", "1e999ms"}, "--slice 1e999ms"},
        {{"K", "--cpus", "0", "--policy", "fifo", "--slice", "20ms"}, "do not go with --policy fifo"},
        {{"K", "--cpus", "0", "--policy", "rr", "--nice", "1"}, "do not go with --policy rr"},
        {{"K", "--cpus", "0", "--realtime-limit", "0"}, "--realtime-limit 0"},
        {{"K", "--cpus", "0", "--realtime-limit", "soon"}, "--realtime-limit soon"},
        {{"K", "--cpus", "0", "--deadline", "0"}, "--deadline 0"},
        {{"K", "--cpus", "0", "--deadline", "-1"}, "--deadline -1"},
        {{"K", "--cpus", "0", "--deadline", "inf"}, "--deadline inf"},
        {{"K", "--cpus", "0", "--runs", "0"}, "--runs 0 is not a whole number from 1"},
        {{"K", "--cpus", "0", "--runs", "1e3"}, "--runs 1e3"},
        {{"K", "--cpus", "0", "--warmups", "-1"}, "--warmups -1"},
        {{"K", "--cpus", "0", "--ranks", "99999999999999999999"}, "--ranks 99999999999999999999"},
        {{"K", "--cpus", "0", "--threads", ""}, "--threads  is not"},
        {{"K", "--cpus", "0", "--ranks", "2"}, "--ranks 2 does not go with --mode serial"},
        {{"K", "--cpus", "0", "--mode", "mpi", "--threads", "2"}, "--threads 2 does not go with --mode mpi"},
        {{"K", "--cpus", "0,1", "--mode", "multitask"}, "--mode multitask uses one"},
        {{"K", "--cpus", "0", "--mode", "mpi", "--ranks", "2", "--nodes", "3"}, "--nodes 3 is more than --ranks 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *words[12];
        int count = 0;
        for (; cases[i].words[count]; count++) {
            bool kernel = strcmp(cases[i].words[count], "K") == 0;
            words[count] = (char *)(uintptr_t)(kernel ? kernel_registry[0]->name : cases[i].words[count]);
        }
        struct request request;
        struct error error = {.text = ""};
        assert_int_equal(request_parse(count, words, &request, &error), STATUS_USAGE);
        if (!strstr(error.text, cases[i].expected)) print_error("%s\n", error.text);
        assert_non_null(strstr(error.text, cases[i].expected));
    }
}

static void test_foreign_jobs(void **state)
{
    (void)state;
    static const struct {
        char *environment[12];
        struct foreign_job job;
    } cases[] = {
        {{"PATH=/bin", NULL}, {0, 0, -1, -1, ""}},
        {{"OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK=3", "OMPI_COMM_WORLD_LOCAL_RANK=1",
          "OMPI_COMM_WORLD_LOCAL_SIZE=2"},
         {4, 3, 1, 2, "Open MPI mpirun"}},
        {{"OMPI_COMM_WORLD_SIZE=1", "OMPI_COMM_WORLD_RANK=0"}, {1, 0, -1, -1, "Open MPI mpirun"}},
        {{"OMPI_COMM_WORLD_SIZE=4"}, {0, 0, -1, -1, ""}},
        {{"OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK=4"}, {0, 0, -1, -1, ""}},
        {{"OMPI_COMM_WORLD_SIZE=x", "OMPI_COMM_WORLD_RANK=0"}, {0, 0, -1, -1, ""}},
        {{"OMPI_COMM_WORLD_SIZES=4", "OMPI_COMM_WORLD_RANKS=1"}, {0, 0, -1, -1, ""}},
        {{"PMI_SIZE=8", "PMI_RANK=0", "MPI_LOCALRANKID=0", "MPI_LOCALNRANKS=8"}, {8, 0, 0, 8, "MPICH mpiexec"}},
        {{"PMIX_RANK=2", "PMIX_NAMESPACE=x"}, {0, 0, -1, -1, ""}},
        /* sbatch script, with the numbers of older and newer Slurm; shell of salloc */
        {{"SLURM_JOB_ID=7", "SLURM_NTASKS=8", "SLURM_PROCID=0", "SLURM_LOCALID=0"}, {0, 0, -1, -1, ""}},
        {{"SLURM_STEP_ID=4294967291", "SLURM_NTASKS=8", "SLURM_PROCID=0"}, {0, 0, -1, -1, ""}},
        {{"SLURM_STEP_ID=4294967290", "SLURM_NTASKS=8", "SLURM_PROCID=0"}, {0, 0, -1, -1, ""}},
        /* srun, also for fewer tasks than the job has */
        {{"SLURM_STEP_ID=0", "SLURM_NTASKS=8", "SLURM_PROCID=5", "SLURM_LOCALID=1"}, {8, 5, 1, -1, "Slurm srun"}},
        {{"SLURM_STEP_ID=1", "SLURM_NTASKS=8", "SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=1", "SLURM_LOCALID=1",
          "SLURM_STEP_NUM_NODES=1"},
         {2, 1, 1, 2, "Slurm srun"}},
        /* srun --pty bash */
        {{"SLURM_STEP_ID=0", "SLURM_NTASKS=1", "SLURM_STEP_NUM_TASKS=1", "SLURM_PROCID=0"}, {0, 0, -1, -1, ""}},
        /* mpirun inside a Slurm job, whose daemons are steps */
        {{"SLURM_STEP_ID=0", "SLURM_NTASKS=2", "SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=1", "OMPI_COMM_WORLD_SIZE=6",
          "OMPI_COMM_WORLD_RANK=5"},
         {6, 5, -1, -1, "Open MPI mpirun"}},
        {{"SLURM_STEP_ID=0", "SLURM_NTASKS=2", "SLURM_PROCID=1", "PMI_SIZE=6", "PMI_RANK=5"},
         {6, 5, -1, -1, "MPICH mpiexec"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct foreign_job job;
        launch_find_foreign_job(cases[i].environment, &job);
        assert_string_equal(job.launcher, cases[i].job.launcher);
        assert_int_equal(job.size, cases[i].job.size);
        assert_int_equal(job.rank, cases[i].job.rank);
        assert_int_equal(job.local_rank, cases[i].job.local_rank);
        assert_int_equal(job.local_size, cases[i].job.local_size);
    }
}

/* Copies of this program, in trees of their own, say what they find. */
static const char show_site[] = "--show-site";

static int print_site(void)
{
    struct launch_site found;
    struct error error;
    if (launch_find_site(&found, &error) < 0) {
        printf("%s\n", error.text);
        return 1;
    }
    printf("worker %s\nworker-mpi %s\nmpirun %s\nreason %s\n", found.worker, found.worker_mpi, found.mpirun,
           found.mpi_reason);
    return 0;
}

static const char *shell_output(const char *text, const char *command)
{
    static char output[TEXT_LENGTH];
    char line[TEXT_LENGTH];
    snprintf(line, sizeof line, "%s %s", text, command);
    FILE *shell = popen(line, "r");
    assert_non_null(shell);
    output[fread(output, 1, sizeof output - 1, shell)] = '\0';
    pclose(shell);
    return output;
}

static void expect_site(const char *environment, const char *directory, const char *expected)
{
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "%s/bin/copy %s", directory, show_site);
    const char *output = shell_output(environment, command);
    if (!strstr(output, expected)) print_error("%s\nis not in\n%s", expected, output);
    assert_non_null(strstr(output, expected));
}

/* A program that was built without MPI does not look for the rest. */
static void expect_mpi_sites(const char *directory)
{
    char command[PATH_MAX + 512], expected[PATH_MAX + 64];
    snprintf(command, sizeof command,
             "cd %s && cp libexec/speedup/speedup-worker bin/speedup-worker && "
             "cp libexec/speedup/speedup-worker bin/speedup-worker-mpi && "
             "cp libexec/speedup/speedup-worker bin/my-mpirun && echo > bin/text",
             directory);
    assert_int_equal(system(command), 0);
    snprintf(expected, sizeof expected, "worker %s/bin/speedup-worker\nworker-mpi %s/bin/speedup-worker-mpi\n",
             directory, directory);
    expect_site("", directory, expected);

    char environment[PATH_MAX + 64];
    snprintf(environment, sizeof environment, "SPEEDUP_MPIRUN=%s/bin/my-mpirun", directory);
    snprintf(expected, sizeof expected, "mpirun %s/bin/my-mpirun\nreason \n", directory);
    expect_site(environment, directory, expected);
    snprintf(environment, sizeof environment, "SPEEDUP_MPIRUN=my-mpirun PATH=/nonexistent:%s/bin:$PATH", directory);
    expect_site(environment, directory, expected);
    snprintf(environment, sizeof environment, "SPEEDUP_MPIRUN=%s/bin/text", directory);
    snprintf(expected, sizeof expected, "mpirun \nreason SPEEDUP_MPIRUN=%s/bin/text is not an executable program",
             directory);
    expect_site(environment, directory, expected);
    expect_site("SPEEDUP_MPIRUN=/nonexistent", directory, "reason SPEEDUP_MPIRUN=/nonexistent is not an executable");
    expect_site("SPEEDUP_MPIRUN=/tmp", directory, "reason SPEEDUP_MPIRUN=/tmp is not an executable");
}

static void test_site(void **state)
{
    (void)state;
    char directory[] = "/tmp/speedup-test-site-XXXXXX", command[PATH_MAX + 512], self[PATH_MAX],
         expected[PATH_MAX + 64];
    assert_non_null(mkdtemp(directory));
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(length > 0);
    self[length] = '\0';
    snprintf(command, sizeof command, "cd %s && mkdir bin libexec libexec/speedup && cp '%s' bin/copy", directory,
             self);
    assert_int_equal(system(command), 0);
    expect_site("", directory, "speedup-worker is neither in");

    snprintf(command, sizeof command, "cd %s/libexec/speedup && echo > speedup-worker && chmod +x speedup-worker",
             directory);
    assert_int_equal(system(command), 0);
    snprintf(expected, sizeof expected, "worker %s/bin/../libexec/speedup/speedup-worker\n", directory);
    expect_site("", directory, expected);
    expect_site("", directory, "worker-mpi \nmpirun \nreason speedup was built without MPI");

    if (SPEEDUP_WITH_MPI) expect_mpi_sites(directory);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], show_site) == 0) return print_site();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),           cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_many_hosts),      cmocka_unit_test(test_unset),
        cmocka_unit_test(test_mpi_unavailable), cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_in_a_shell), cmocka_unit_test(test_request_round_trip),
        cmocka_unit_test(test_request_options), cmocka_unit_test(test_request_scheduling),
        cmocka_unit_test(test_request_by_hand), cmocka_unit_test(test_request_errors),
        cmocka_unit_test(test_foreign_jobs),    cmocka_unit_test(test_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
