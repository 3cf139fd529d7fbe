/* The command table, and what is common to all commands: help, version, the one error line, the exit status. */
#include "commands/commands.h"
#include "launch/launch.h"
#include "speedup_config.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const struct command commands[] = {
    {.name = "demo",
     .arguments = "[OPTIONS]",
     .summary = "start here: the lesson, measured on this machine",
     .description =
         "The difference between multitasking and multiprocessing, in five scenes measured on this machine: one task "
         "on one core; many tasks that take turns on one core; threads on several cores; processes on several cores; "
         "and tasks that mostly wait, where taking turns pays.\n\n"
         "It chooses problem sizes that suit this machine, ends with a table, a chart and the verdict in three plain "
         "sentences, and leaves a report to open in a browser. On two cores it takes under two minutes, and with "
         "--quick under 20 seconds.\n\n"
         "With --lesson NAME it plays another lesson, in less than half a minute: it tells what is going to be "
         "measured, "
         "asks for predictions (an empty line is none), measures, and compares. Predictions are read from standard "
         "input, "
         "a line each, or given by --guess. Without --lesson nothing is asked.\n\n"
         "Examples:\n"
         "  speedup demo\n"
         "  speedup demo --quick\n"
         "  speedup demo --lesson pi",
     .run = command_demo},
    {.name = "list",
     .arguments = "[KERNEL] [OPTIONS]",
     .summary = "the syllabus: kernels with the lesson each teaches, and modes",
     .description = "What can be run: the lessons, in the order in which they are taught, each with its kernel; the "
                    "modes, with what "
                    "each one shows; wait and scheduling policies. What is not available on this machine is listed "
                    "with the reason. "
                    "With a KERNEL: its sizes, variants and own options; with --long, those of all kernels.\n\n"
                    "Examples:\n"
                    "  speedup list\n"
                    "  speedup list matmul\n"
                    "  speedup list --long\n"
                    "  speedup list --json",
     .run = command_list},
    {.name = "explain",
     .arguments = "[KERNEL] [OPTIONS]",
     .summary = "the page of a kernel for a class: what bounds it, what to predict",
     .description =
         "What a kernel computes, how its work is split among threads and ranks, what bounds it, by formula and with "
         "the "
         "numbers of this machine, what to predict, the commands to run, what one should see, and questions. Without a "
         "KERNEL: the list of pages.\n\n"
         "Examples:\n"
         "  speedup explain pi\n"
         "  speedup explain matmul --answers",
     .run = command_explain},
    {.name = "machine",
     .arguments = "[OPTIONS]",
     .summary = "what this machine offers, and what would spoil a measurement",
     .description =
         "The cores, caches and memory that this process may use, by affinity, cgroup and quota; what is known of "
         "clock frequency, virtualisation and load; the MPI that was found; and a warning for everything that would "
         "spoil a measurement here, each with its fix.\n\n"
         "Examples:\n"
         "  speedup machine\n"
         "  speedup machine --ceilings\n"
         "  speedup machine --json",
     .run = command_machine},
    {.name = "run",
     .arguments = "KERNEL [OPTIONS]",
     .summary = "one kernel, one configuration: its time, and what ran at once",
     .description =
         "Starts the workers that the mode asks for, each bound to its CPU, runs the kernel, checks its answer, and "
         "prints its time and rate, its concurrency (tasks started and not finished) and parallelism (tasks that "
         "executed at the same instant), the wait in the run queue, the switches, and the CPUs that were seen.\n\n"
         "A sample that was disturbed, or not placed as asked, is marked as invalid, with the reason. Under an mpirun "
         "of your own, its ranks are the workers.\n\n"
         "Kernels use the best vector instructions that all ranks have. SPEEDUP_ISA=avx2 in the environment, say, "
         "makes them use a lower set ('speedup machine' lists those there are).\n\n"
         "A kernel's own options, such as --wait of synthetic, are given by name: 'speedup list KERNEL' shows them.\n\n"
         "--timeline shows who ran where and when, in one more run. It is exact where the kernel's context-switch "
         "records can be had; else tasks are looked at through /proc, at intervals. SPEEDUP_TIMELINES=sampled in the "
         "environment asks for the latter. --policy, --slice and --nice change how workers share a CPU.\n\n"
         "Examples:\n"
         "  speedup run pi\n"
         "  speedup run pi --mode threads --workers 2 --runs 5\n"
         "  speedup run pi --mode multitask --workers 4 --timeline\n"
         "  speedup run matmul --variant tiled --size 1024 --mode multitask --workers 4\n"
         "  speedup run synthetic --wait 4ms --mode multitask --workers 4\n"
         "  speedup run pi --mode mpi --ranks 2 --json -o pi.jsonl\n"
         "  mpirun -n 4 speedup run pi",
     .run = command_run},
    {.name = "study",
     .arguments = "[OPTIONS] KERNEL|-- COMMAND...",
     .summary = "a scaling study: speedups with intervals, and why they are what they are",
     .description =
         "Launches every configuration (mode and number of workers) once in each of many blocks, in random order, the "
         "best "
         "serial program among them, until the 95 % interval of each speedup is narrow enough. Disturbed samples are "
         "recorded with the reason, never averaged, and measured again.\n\n"
         "It ends with a table, a chart, what each speedup lost and to what, and the scaling laws that the times "
         "allow. The "
         "records hold everything: 'speedup report FILE' tells it again, and --resume goes on with a study that was "
         "cut "
         "short, exactly where it was.\n\n"
         "A kernel's own options are given by name: 'speedup list KERNEL' shows them.\n\n"
         "What stands behind -- is a command of your own, which is measured as it is, seen from outside, without a "
         "shell. In it {workers}, {ranks}, {threads}, {size} and the {NAME} of -L stand for what each configuration "
         "has; {{ and }} are braces. OMP_NUM_THREADS and its like, OMP_PLACES and the CPUs of its tasks are set for "
         "each mode; --dry-run shows how.\n\n"
         "Examples:\n"
         "  speedup study pi\n"
         "  speedup study pi --modes multitask,threads,mpi --workers 1,2,4\n"
         "  speedup study matmul --modes threads,mpi --workers 1-8 --budget 1h -o matmul.jsonl\n"
         "  speedup study matmul --scaling weak --size 1000 --modes mpi\n"
         "  speedup study pi --timeline -o pi.jsonl\n"
         "  speedup study pi -o pi.jsonl --resume\n"
         "  speedup study -L level 1,6 -- xz -T{threads} -{level} -k -c FILE\n"
         "  speedup study --launcher mpirun --time-regex 'Time: ([0-9.]+)' -- ./app",
     .run = command_study},
    {.name = "diagnose",
     .arguments = "[OPTIONS] -- COMMAND... | --pid PID",
     .summary = "runs any command, and says whether it multitasked or multiprocessed, and why",
     .description =
         "Runs the command as if it were not there, watches all its processes and threads, and says in one line "
         "whether "
         "they took turns on a core (multitasking), ran at once on several (multiprocessing), mostly waited, or a mix "
         "of "
         "these; then why, what would help, as a command or a variable to set, and who ran where and when. With --pid "
         "it "
         "looks at a process that runs already, for a while.\n\n"
         "It works for whatever the command starts: threads, OpenMP, mpirun, make -j, Python's multiprocessing. The "
         "exit status is the command's own, or 125 where speedup failed, 126 where the command cannot be run, 127 "
         "where "
         "it is not found. What the command leaves running is ended with it.\n\n"
         "Examples:\n"
         "  speedup diagnose -- make -j4\n"
         "  speedup diagnose -- mpirun -np 2 ./app\n"
         "  OMP_NUM_THREADS=8 speedup diagnose -- ./app --n 1000\n"
         "  speedup diagnose --pid 4711 --for 5s\n"
         "  speedup diagnose --json -o diagnosis.json -- ./app",
     .run = command_diagnose},
    {.name = "report",
     .arguments = "FILE... [OPTIONS]",
     .summary = "tables, pages, figures of result files or your own timings",
     .description =
         "Makes everything anew from the records alone: for each problem a table of times, rates and speedups with "
         "their intervals, a chart, the factors of each speedup, scaling laws and bounds, and what was left out and "
         "why. As a page for a browser (-o), as figures (--figures), as an application for computing time "
         "(--proposal), for other programs (--export).\n\n"
         "A FILE is a record, as -o writes it, or a CSV file of timings that were made otherwise: lines of "
         "workers,time in seconds and, if you like, a label; a header, blank lines and # comments are allowed, "
         "semicolons or tabs may separate. - is standard input. Files from one machine are put together; those of "
         "different machines are shown one after the other, and never in one curve.\n\n"
         "Examples:\n"
         "  speedup report results.jsonl\n"
         "  speedup report results.jsonl -o report.html\n"
         "  speedup report results.jsonl --figures figures --format svg,pdf\n"
         "  speedup report results.jsonl --proposal --criteria sisu\n"
         "  speedup report timings.csv\n"
         "  speedup report a.jsonl b.jsonl --json\n"
         "  speedup report results.jsonl --export csv points.csv --export markdown -",
     .run = command_report},
    {.name = "compare",
     .arguments = "OLD NEW [OPTIONS]",
     .summary = "two result files: faster, slower, or no difference shown",
     .description =
         "For each configuration that both files have: how many times as fast the new one is, with its interval, and "
         "whether a difference was shown. All of them together have at most a 5 % chance to show a difference where "
         "there is none. The files are those that report reads.\n\n"
         "Examples:\n"
         "  speedup compare before.jsonl after.jsonl\n"
         "  speedup compare before.jsonl after.jsonl --fail-if-slower 5%",
     .run = command_compare},
    {.name = "timeline",
     .arguments = "FILE [OPTIONS]",
     .summary = "who ran where and when, from a result file",
     .description =
         "For every CPU, which task ran there from when to when; for every worker, whether it was running, ready but "
         "without a core, or blocked; and what that comes to: concurrency and parallelism, time slices, switches, "
         "migrations, waiting, and the idle share of each CPU. How it was seen, and how exactly, stands below.\n\n"
         "A FILE is a record with timelines, as 'speedup run KERNEL --timeline -o FILE' writes it; - is standard "
         "input.\n\n"
         "Examples:\n"
         "  speedup timeline pi.jsonl\n"
         "  speedup timeline pi.jsonl --from 100ms --to 150ms\n"
         "  speedup timeline pi.jsonl --mode multitask --json\n"
         "  speedup timeline pi.jsonl --export chrome-trace pi.json",
     .run = command_timeline},
    {.name = "job",
     .arguments = "slurm|pbs|lsf|flux [OPTIONS] -- study ...",
     .summary = "prints a job script that runs a study on a cluster",
     .description =
         "A job script for the batch system that is named: whole nodes that nobody shares, with all their memory; "
         "binding left to Speedup; the modules to load; and a study that, before the time limit, is asked to stop, "
         "closes its file, and goes on there in the next job, which Slurm and LSF start by themselves.\n\n"
         "What stands behind -- is checked now, so that nothing wrong waits in a queue. Notes on what may not be meant "
         "come on standard error. jobs/README.md tells the whole way, from no account to a curve.\n\n"
         "Examples:\n"
         "  speedup job slurm --nodes 4 --walltime 2h --module openmpi -- \\\n"
         "      study matmul --modes mpi --workers 1..128*2 --budget 90m >job.sbatch\n"
         "  speedup job slurm --array 1,2,4,8 -- study pi --modes mpi >jobs.sbatch\n"
         "  speedup job pbs --cores-per-node 32 -A project -- study -- ./app >job.sh",
     .run = command_job},
    {0}};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands - 1 };

static void print_usage(FILE *out)
{
    fputs("Usage: speedup COMMAND [OPTIONS]\n\nCommands:\n", out);
    for (const struct command *command = commands; command->name; command++) {
        int column = fprintf(out, "  %s", command->name);
        options_print_wrapped(out, column, 18, command->summary);
    }
    fputs("  help [COMMAND]  this help, or that of a command\n", out);
}

static void print_help(void)
{
    options_print_wrapped(
        stdout, 0, 0,
        "Shows, on the machine in front of you, the difference between multitasking (tasks take turns on one core) "
        "and multiprocessing (tasks truly run at once), and measures how work scales.\n\n"
        "New here? This is the lesson, in under two minutes:\n\n"
        "  speedup demo\n");
    print_usage(stdout);
    fputs("\nOptions:\n"
          "  -h, --help      this help; after a command, the help of the command\n"
          "  -V, --version   version, compiler, MPI, licence\n\n",
          stdout);
    options_print_wrapped(
        stdout, 0, 0,
        "Results go to standard output, messages to standard error. An option given twice: the last one counts. "
        "SPEEDUP_ISA in the environment names the vector instructions to use instead of the best ('speedup machine' "
        "lists them).\n\n"
        "Exit status: 0 done; 1 could not run; 2 bad usage; 3 a wrong answer; 4 no valid measurement; "
        "5 slower than --fail-if-slower of compare or --fail-if-slow of study allows; 130 interrupted. diagnose: the "
        "command's own, or 125, 126, "
        "127.");
}

static void print_version(void)
{
    struct launch_site site;
    struct error error = {""};
    bool found = launch_find_site(&site, &error) == STATUS_OK;
    const char *reason = found ? site.mpi_reason : error.text;
    printf("speedup %s\n", SPEEDUP_VERSION);
    printf("compiler  %s, %s%s%s\n", SPEEDUP_COMPILER, SPEEDUP_BUILD_TYPE, *SPEEDUP_C_FLAGS ? ": " : "",
           SPEEDUP_C_FLAGS);
    if (*SPEEDUP_SANITIZERS) printf("sanitize  %s: not for measuring\n", SPEEDUP_SANITIZERS);
    printf("MPI       %s%s%s\n", *reason ? "unavailable: " : SPEEDUP_MPI_LIBRARY, *reason ? "" : ", started by ",
           *reason ? reason : site.mpirun);
    printf("licence   BSD-3-Clause, by The Speedup developers\n");
}

static const struct command *find_command(const char *name)
{
    const struct command *command = commands;
    while (command->name && strcmp(command->name, name) != 0) command++;
    return command->name ? command : NULL;
}

static int report_unknown_command(const char *name, struct error *error_p)
{
    const char *names[COMMAND_COUNT + 2];
    for (int i = 0; i < COMMAND_COUNT; i++) names[i] = commands[i].name;
    names[COMMAND_COUNT] = "help";
    names[COMMAND_COUNT + 1] = NULL;
    const char *nearest = options_nearest(name, names);
    if (kernel_find(name))
        return error_set(error_p, STATUS_USAGE, "'%s' is a kernel: did you mean 'speedup run %s'?", name, name);
    return error_set(error_p, STATUS_USAGE, "no such command '%.60s'%s%s%s (see 'speedup --help')", name,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int report_unknown_option(const char *argument, struct error *error_p)
{
    static const char *const names[] = {"--help", "--version", NULL};
    const char *nearest = options_nearest(argument, names);
    return error_set(error_p, STATUS_USAGE,
                     "unknown option '%.60s'%s%s%s (a command's options follow its name; see 'speedup --help')",
                     argument, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int help_for(int argc, char *argv[], struct error *error_p)
{
    char name[32], option[] = "--help", *arguments[] = {name, option, NULL};
    const char *topic = argc > 2 ? argv[2] : "--help";
    const struct command *command = find_command(topic);
    if (argc > 3) return error_set(error_p, STATUS_USAGE, "help takes one command, but %d were given", argc - 2);
    if (!strcmp(topic, "--help") || !strcmp(topic, "-h") || !strcmp(topic, "help")) {
        print_help();
        return STATUS_OK;
    }
    if (!command) return report_unknown_command(topic, error_p);
    snprintf(name, sizeof name, "%s", command->name);
    return command->run(command, 2, arguments, error_p);
}

/* *command_p is what an error is about: NULL for speedup itself. */
static int dispatch(int argc, char *argv[], const struct command **command_p, struct error *error_p)
{
    const char *name = argc > 1 ? argv[1] : "";
    *command_p = NULL;
    if (argc < 2) {
        fputs("New here? Run 'speedup demo'. The whole help: 'speedup --help'.\n\n", stderr);
        print_usage(stderr);
        return STATUS_USAGE;
    }
    if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
        return help_for(name[0] == '-' ? 1 : argc, argv, error_p);
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        print_version();
        return STATUS_OK;
    }
    if (name[0] == '-') return report_unknown_option(name, error_p);
    *command_p = find_command(name);
    if (!*command_p) return report_unknown_command(name, error_p);
    return (*command_p)->run(*command_p, argc - 1, argv + 1, error_p);
}

/* Output that was lost is a failure, too; a reader that went away (`| head -1`) need not be told so. */
static int check_output(int status, struct error *error_p)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    if (status != STATUS_OK && status != STATUS_FAILED) return status;
    if (errno == EPIPE)
        error_p->text[0] = '\0';
    else if (status == STATUS_OK)
        error_set(error_p, STATUS_FAILED, "cannot write to standard output: %s",
                  errno ? strerror(errno) : "some of it was lost");
    return STATUS_FAILED;
}

static void ignore_signal(int number)
{
    (void)number;
}

/* Under somebody's mpirun all ranks see the same wrong command line: rank 0 says so, and ends the job with its status.
 */
static bool is_further_rank(void)
{
    struct foreign_job job;
    launch_find_foreign_job(environ, &job);
    return job.size > 0 && job.rank > 0;
}

int main(int argc, char *argv[])
{
    /* So that writing to a closed pipe fails instead of killing us with workers running. A handler, unlike SIG_IGN, is
     * not inherited by what we start. */
    const struct sigaction broken_pipe = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
    sigaction(SIGPIPE, &broken_pipe, NULL);
    setlocale(LC_CTYPE, "");

    const struct command *command;
    struct error error = {""};
    int status = dispatch(argc, argv, &command, &error);
    status = check_output(status > 0 ? STATUS_OK : status, &error);
    if (status == STATUS_USAGE && error.text[0] && is_further_rank()) return 0;
    if (status != STATUS_OK && error.text[0])
        fprintf(stderr, "speedup%s%s: %s\n", command ? " " : "", command ? command->name : "", error.text);
    return -status;
}
