/* Messages as NetPIPE times them (NPopenmpi, of Debian's netpipe-openmpi), beside ours.
 *
 *     bench_exchange [--rounds N] [--size BYTES]
 *
 * Both programs start in turns, two ranks on two cores, and send to and fro from one buffer. NetPIPE tells the best of
 * three series a size; we take the best of three samples. The table has the median of the rounds' ratios, ours over
 * theirs, and the lowest and highest; under 1: we measured less. (Small
 * messages of ours take longer in Open MPI 4.1: NetPIPE calls MPI_Init, we ask for MPI_THREAD_FUNNELED.) Needs mpirun,
 * and `speedup` beside it. */
#include "../../src/analyse/network.h"

#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS_MAX = 50, SAMPLES = 3 };

struct times {
    int count, disturbed; /* sizes; samples that are not valid */
    double bytes[KERNEL_POINTS_MAX], time_s[KERNEL_POINTS_MAX];
};

static int run_ours(const char *program, const char *record, long size, struct times *times_p)
{
    char command[1024];
    struct results results;
    struct error error;
    snprintf(command, sizeof command,
             "'%s' run exchange --mode mpi --ranks 2 --wait-policy spin --size %ld -r %d -w 1 -o '%s' > /dev/null 2>&1",
             program, size, SAMPLES, record);
    int status = system(command);
    results_init(&results);
    times_p->count = times_p->disturbed = 0;
    if (results_read(record, &results, &error)) {
        fprintf(stderr, "bench_exchange: %s ended with %d: %s\n", command, status, error.text);
        return -1;
    }
    for (int s = 0; results.group_count > 0 && s < results.groups[0].count; s++) {
        const struct sample *sample = &results.groups[0].samples[s];
        if (!sample->correct) continue;
        times_p->disturbed += sample->validity == SAMPLE_INVALID;
        for (int i = 0; i < sample->point_count; i++) {
            double time_s = sample->points[i].time_s;
            if (i < times_p->count) time_s = fmin(time_s, times_p->time_s[i]);
            times_p->bytes[i] = (double)sample->points[i].bytes;
            times_p->time_s[i] = time_s;
        }
        times_p->count = sample->point_count;
    }
    results_release(&results);
    return times_p->count > 0 ? 0 : -1;
}

/* Powers of two alone, which both have; the rest of its sizes lies between. NetPIPE rounds its times to 10 ns, but its
 * rates (in 2^20 bits a second) are not rounded. */
static int run_netpipe(const char *output, long size, struct times *times_p)
{
    char command[1024];
    double bytes, mbps, time_s;
    snprintf(command, sizeof command, "mpirun -n 2 --bind-to core NPopenmpi -p 0 -l 1 -u %ld -o '%s' > /dev/null 2>&1",
             size, output);
    int status = system(command);
    FILE *file = status == 0 ? fopen(output, "re") : NULL;
    times_p->count = 0;
    if (!file) {
        fprintf(stderr, "bench_exchange: %s ended with %d (netpipe-openmpi, and cores for two ranks?)\n", command,
                status);
        return -1;
    }
    while (times_p->count < KERNEL_POINTS_MAX && fscanf(file, "%lf %lf %lf", &bytes, &mbps, &time_s) == 3) {
        if (exp2(round(log2(bytes))) != bytes || !(mbps > 0)) continue;
        times_p->bytes[times_p->count] = bytes;
        times_p->time_s[times_p->count++] = bytes * 8 / (mbps * 1048576);
    }
    fclose(file);
    return times_p->count > 0 ? 0 : -1;
}

static double time_of(const struct times *times, double bytes)
{
    for (int i = 0; i < times->count; i++)
        if (times->bytes[i] == bytes) return times->time_s[i];
    return NAN;
}

static void print_row(const char *name, int count, double ratios[])
{
    struct spread spread = spread_of(count, ratios, 0.95);
    printf("%12s   %.3f   (%.3f to %.3f)\n", name, spread.middle, spread.low, spread.high);
}

static void print_table(int rounds, const struct times ours[], const struct times theirs[])
{
    double ratios[ROUNDS_MAX], all[KERNEL_POINTS_MAX];
    int sizes = 0, disturbed = 0;
    for (int r = 0; r < rounds; r++) disturbed += ours[r].disturbed;
    printf("%d rounds, time of a message, ours / NetPIPE's\n%12s   median  range\n", rounds, "bytes");
    for (int i = 0; i < theirs[0].count; i++) {
        int count = 0;
        char name[32];
        for (int r = 0; r < rounds; r++) {
            double ratio = time_of(&ours[r], theirs[0].bytes[i]) / time_of(&theirs[r], theirs[0].bytes[i]);
            if (isfinite(ratio)) ratios[count++] = ratio;
        }
        if (count == 0) continue;
        all[sizes++] = median(count, ratios);
        snprintf(name, sizeof name, "%.0f", theirs[0].bytes[i]);
        print_row(name, count, ratios);
    }
    print_row("all sizes", sizes, all);
    if (disturbed > 0) printf("%d of our samples were disturbed by other programs\n", disturbed);
}

int main(int argc, char *argv[])
{
    struct times ours[ROUNDS_MAX], theirs[ROUNDS_MAX];
    char folder[] = "/tmp/bench_exchange.XXXXXX", record[64], output[64], program[512], self[400] = "";
    long rounds = 5, size = 1 << 20;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--size") == 0 && i + 1 < argc)
            size = strtol(argv[++i], NULL, 10);
        else
            rounds = 0;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX || size < 1) {
        fputs("bench_exchange [--rounds 1 to 50] [--size BYTES]\n", stderr);
        return 2;
    }
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0 || !mkdtemp(folder)) return 1;
    snprintf(program, sizeof program, "%s/speedup", dirname(self));
    snprintf(record, sizeof record, "%s/ours.jsonl", folder);
    snprintf(output, sizeof output, "%s/np.out", folder);
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    int status = 0;
    for (int r = 0; r < rounds && status == 0; r++) {
        status = run_ours(program, record, size, &ours[r]);
        if (status == 0) status = run_netpipe(output, size, &theirs[r]);
    }
    if (status == 0) print_table((int)rounds, ours, theirs);
    unlink(record);
    unlink(output);
    rmdir(folder);
    return status ? 1 : 0;
}
