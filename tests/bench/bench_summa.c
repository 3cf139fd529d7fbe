/* Compares matmul across ranks (SUMMA) with itself on one rank and with ScaLAPACK's pdgemm upon OpenBLAS, in turns
 * (bench.h), each rank bound to a CPU.
 *
 *     mpirun -n 2 bench_summa
 *     mpirun -n 4 --oversubscribe bench_summa --sizes 2048 --blocks 128 --repeats 15
 *
 * While one rank works alone, the others sleep. A call's time is that of the slowest rank from a barrier on. pdgemm's
 * best grid and block count. Ends with status 3 where a result is wrong.
 */
#include "contest.h"

#include "../../src/place/machine.h"
#include "../../src/worker/team.h"

#include <omp.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZES_MAX = 64 };

struct wish {
    const char *sizes, *csv, *blas;
    struct entries_wish entries;
    int repeats;
    double min_time_s;
    struct cpu_list cpus;
    bool smoke;
};

static int parse_sizes(const char *list, int *count_p, int64_t sizes_p[SIZES_MAX], struct error *error_p)
{
    char word[32];
    for (*count_p = 0; *count_p < SIZES_MAX && bench_next_word(&list, sizeof word, word); (*count_p)++) {
        struct size size;
        if (size_parse_extents(word, 1, &size) < 0 || size.dim[0] > INT32_MAX)
            return error_set(error_p, STATUS_USAGE, "--sizes: '%s' is no N (1 to %d)", word, INT32_MAX);
        sizes_p[*count_p] = size.dim[0];
    }
    if (*list || *count_p == 0)
        return error_set(error_p, STATUS_USAGE, "--sizes: '%.40s' is no list of up to %d N, as 1024,2048", list,
                         SIZES_MAX);
    return 0;
}

static int run_sizes(struct contest *contest, int count, const int64_t sizes[], struct error *error_p)
{
    bool wrong = false;
    for (int i = 0; i < count; i++) {
        int status = contest_run_size(contest, sizes[i], error_p);
        if (status < 0 && status != STATUS_WRONG) return status;
        wrong = wrong || status == STATUS_WRONG;
    }
    return wrong ? error_set(error_p, STATUS_WRONG, "wrong results: see WRONG above") : 0;
}

/* Each rank on one of the CPUs that it may use, in turn; and how many CPUs these are, of all ranks (of one node). */
static int place(struct contest *contest, const struct wish *wish, struct error *error_p)
{
    struct cpu_list cpus = wish->cpus;
    if (cpus.count == 0) bind_read(&cpus);
    int mine = cpus.cpus[contest->team->local_rank % cpus.count], ranks = team_size(contest->team);
    int *all = calloc((size_t)ranks, sizeof *all);
    if (contest_any_rank(contest, !all || bind_thread(mine) < 0)) {
        free(all);
        return error_set(error_p, STATUS_USAGE, "--cpus: a rank could not be bound to its CPU");
    }
    team_gather(contest->team, sizeof mine, &mine, all);
    uint64_t distinct = 0;
    for (int i = 0; i < ranks && contest->rank == 0; i++) {
        bool first = true;
        for (int j = 0; j < i; j++) first = first && all[j] != all[i];
        distinct += first;
    }
    team_sum_u64(contest->team, 1, &distinct);
    contest->cpus = (int)distinct;
    free(all);
    return 0;
}

/* The libraries and the list of entries, alike on all ranks. */
static int open_all(struct contest *contest, const struct wish *wish, struct error *error_p)
{
    struct error none = {""};
    bool peer = !contest_any_rank(contest, scalapack_open(&contest->scalapack, wish->blas, contest->rank, &none) < 0);
    if (!peer && contest->rank == 0) printf("pdgemm: left out: %s\n", none.text);
    int status = entries_init(contest->entries, contest->team, contest->solo, peer ? &contest->scalapack : NULL,
                              &wish->entries, error_p);
    if (status < 0) return status;
    if (contest->rank == 0)
        printf("%d ranks on %d CPUs; matmul's variant is %s\n", team_size(contest->team), contest->cpus,
               contest->entries->list[0].problem.variant->name);
    if (wish->csv && contest->rank == 0) contest->csv = fopen(wish->csv, "w");
    if (contest->csv) contest_print_csv_header(contest->csv);
    if (contest_any_rank(contest, wish->csv && contest->rank == 0 && !contest->csv))
        return error_set(error_p, STATUS_FAILED, "--csv: cannot write %s", wish->csv);
    return 0;
}

static int run(struct contest *contest, const struct wish *wish, struct error *error_p)
{
    int64_t sizes[SIZES_MAX];
    int count;
    int status = parse_sizes(wish->sizes, &count, sizes, error_p);
    if (status < 0) return status;
    if (contest_any_rank(contest, contest->rank == 0 && bench_print_machine(error_p) < 0)) return STATUS_FAILED;
    status = place(contest, wish, error_p);
    if (status == 0) status = open_all(contest, wish, error_p);
    if (status == 0) status = run_sizes(contest, count, sizes, error_p);
    if (contest->csv) fclose(contest->csv);
    return status;
}

/* Before MPI runs, by what launchers set; without them this is the only rank. */
static bool is_first_rank(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (getenv(variables[i])) return atoi(getenv(variables[i])) == 0;
    return true;
}

/* Ranks that share a CPU must not spin. Open MPI reads this when it starts. What a rank may use tells nothing here: a
 * launcher may have bound it already. */
static void let_waiting_ranks_yield(const struct wish *wish)
{
    const char *ranks = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    long cpus = wish->cpus.count > 0 ? wish->cpus.count : sysconf(_SC_NPROCESSORS_ONLN);
    if (ranks && atoi(ranks) > cpus) setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
}

static int start(const struct wish *wish, struct error *error_p)
{
    struct contest contest = {
        .rounds = wish->repeats, .min_time_s = wish->min_time_s, .entries = calloc(1, sizeof *contest.entries)};
    char library[1];
    let_waiting_ranks_yield(wish);
    omp_set_num_threads(1);
    int status = team_new_ranks(WAIT_SPIN, &contest.team, sizeof library, library);
    if (status == 0) status = team_new_solo(&contest.solo);
    if (status < 0 || !contest.entries)
        status = error_set(error_p, STATUS_FAILED, "MPI could not be started, or out of memory");
    else {
        contest.rank = team_rank(contest.team);
        status = run(&contest, wish, error_p);
        if (contest.rank > 0) error_p->text[0] = '\0'; /* rank 0 tells it */
    }
    team_free(contest.solo);
    team_free(contest.team);
    free(contest.entries);
    return status;
}

int main(int argc, char *argv[])
{
    static struct wish wish = {
        .sizes = "1024,2048,4096", .entries = {.blocks = "64,128,256"}, .repeats = 9, .min_time_s = 0.05};
    static const struct option options[] = {
        {.name = "sizes",
         .type = OPT_TEXT,
         .value = &wish.sizes,
         .argument = "LIST",
         .help = "N of square matrices. Default: 1024,2048,4096."},
        {.name = "variant",
         .type = OPT_TEXT,
         .value = &wish.entries.variant,
         .argument = "NAME",
         .help = "How matmul multiplies on a rank. Default: its own."},
        {.name = "options",
         .type = OPT_TEXT,
         .value = &wish.entries.options,
         .argument = "LIST",
         .help = "Options of matmul: name=value,... Without panels=..., each choice of it is compared."},
        {.name = "blocks",
         .type = OPT_TEXT,
         .value = &wish.entries.blocks,
         .argument = "LIST",
         .help = "Sizes of pdgemm's blocks. Default: 64,128,256."},
        {.name = "blas",
         .type = OPT_TEXT,
         .value = &wish.blas,
         .argument = "FILE",
         .help = "The libblas.so.3 that pdgemm uses. Default: OpenBLAS's."},
        BENCH_OPTION_REPEATS(&wish.repeats),
        {.name = "min-time",
         .type = OPT_DURATION,
         .value = &wish.min_time_s,
         .min = 1e-6,
         .max = 60,
         .argument = "T",
         .help = "A measurement is as many calls as take that long. Default: 50ms."},
        {.name = "isa",
         .type = OPT_TEXT,
         .value = &wish.entries.isa,
         .argument = "NAME",
         .help = "Instruction set of matmul: sse2, avx2, avx512. Default: the best."},
        {.name = "cpus",
         .type = OPT_CPUS,
         .value = &wish.cpus,
         .argument = "LIST",
         .help = "CPUs, dealt to the ranks in turn. Default: those that the ranks may use."},
        {.name = "csv",
         .type = OPT_TEXT,
         .value = &wish.csv,
         .argument = "FILE",
         .help = "Writes a line for each measurement."},
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A second's run at small sizes, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_summa",
        "Compares matmul across ranks with itself on one rank and with ScaLAPACK's pdgemm upon OpenBLAS: everybody in "
        "turns, in random order, each rank bound to a CPU. Ratios are medians over rounds of the ratio within a round. "
        "Ends with status 3 where a result is wrong.\n"
        "  mpirun -n 2 bench_summa\n"
        "  mpirun -n 4 --oversubscribe bench_summa --sizes 2048 --blocks 128",
        options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (status < 0 && !is_first_rank()) return -status;
    if (wish.smoke) {
        wish.sizes = "1,77,300";
        wish.repeats = 1;
        wish.min_time_s = 1e-4;
    }
    if (status == 0) status = start(&wish, &error);
    if (status < 0 && *error.text) fprintf(stderr, "bench_summa: %s\n", error.text);
    return -status;
}
