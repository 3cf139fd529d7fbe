/* Launch lines. What decides how workers wait and where they run is always set explicitly, and what the user's
 * environment says about it is taken out: two runs of a configuration must not differ by somebody's .bashrc.
 *
 * The worker binds its threads itself, so launcher and OpenMP runtime are told to keep their hands off. The process
 * mask is nevertheless set before the start: libgomp compares its number of threads with the CPUs of the mask that it
 * finds at start, and with more threads than CPUs it hardly spins, whatever OMP_WAIT_POLICY says. That is wanted for
 * workers that share a core, unless spinning was asked for: then the mask is left wide (more threads than the machine
 * has CPUs are throttled all the same).
 */
#include "launch.h"

#include "../plan/quote.h"
#include "mpirun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_environment(struct words *words, const struct mode *mode)
{
    words_add(words, "OMP_NUM_THREADS=%d", mode->threads);
    words_add(words, "OMP_WAIT_POLICY=%s", mode->wait_policy == WAIT_SPIN ? "active" : "passive");
    words_add_all(words, (const char *const[]){"OMP_DYNAMIC=false", "OMP_PROC_BIND=false", "OPENBLAS_NUM_THREADS=1",
                                               "MKL_NUM_THREADS=1", "BLIS_NUM_THREADS=1", NULL});
}

static bool keeps_mask(const struct mode *mode)
{
    return mode->wait_policy == WAIT_SPIN && mode->threads > mode->cpus.count;
}

int launch_line_new(const struct request *request, enum launcher launcher, const struct launch_site *site,
                    struct launch_line **line_p, struct error *error)
{
    const struct config *config = &request->config;
    /* Under a foreign launcher we need the worker, but no mpirun of our own. */
    bool available = launcher == LAUNCHER_NONE || (launcher == LAUNCHER_FOREIGN && site->worker_mpi[0]) ||
                     (site->worker_mpi[0] && site->by_srun) || site->mpi_reason[0] == '\0';
    if (!available)
        return error_set(error, STATUS_FAILED, "mode %s needs MPI: %s", mode_name_text(config->mode.name),
                         site->mpi_reason);

    struct words argv = {.items = NULL}, environment = {.items = NULL};
    const char *const *unset = openmp_unset;
    add_environment(&environment, &config->mode);
    if (launcher == LAUNCHER_FOREIGN) {
        /* There is no command line of mpirun's to put it on; MPI reads both when it starts. */
        bool yields = config->mode.wait_policy != WAIT_SPIN;
        words_add(&environment, "OMPI_MCA_mpi_yield_when_idle=%d", yields);
        words_add(&environment, "MPIR_CVAR_POLLS_BEFORE_YIELD=%d", yields);
    }
    if (launcher == LAUNCHER_MPIRUN && site->by_srun)
        srun_add(config, site, &argv, &environment, &unset);
    else if (launcher == LAUNCHER_MPIRUN)
        mpirun_add(config, site, site->mpirun, true, &argv, &environment, &unset);
    words_add(&argv, "%s", launcher == LAUNCHER_NONE ? site->worker : site->worker_mpi);
    char **arguments = request_format(request);
    if (arguments)
        words_add_all(&argv, (const char *const *)arguments);
    else
        argv.failed = true;
    request_free_arguments(arguments);

    struct launch_line *line = calloc(1, sizeof *line);
    char **argv_items = words_take(&argv), **environment_items = words_take(&environment);
    if (!line || !argv_items || !environment_items) {
        words_free(argv_items);
        words_free(environment_items);
        free(line);
        return error_set(error, STATUS_FAILED, "out of memory");
    }
    *line = (struct launch_line){
        .argv = argv_items, .environment = environment_items, .unset = unset, .launcher = launcher};
    /* A foreign launcher has already said where we may run. */
    if (launcher != LAUNCHER_FOREIGN && !keeps_mask(&config->mode)) line->mask = config->mode.cpus;
    *line_p = line;
    return STATUS_OK;
}

void launch_line_free(struct launch_line *line)
{
    if (!line) return;
    words_free(line->argv);
    words_free(line->environment);
    free(line);
}

char *launch_line_text(const struct launch_line *line)
{
    char *text = NULL, cpus[9 * CPUS_MAX];
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return NULL;
    fputs("env", stream);
    for (const char *const *name = line->unset; name && *name; name++) fprintf(stream, " -u %s", *name);
    for (char *const *setting = line->environment; *setting; setting++) {
        fputc(' ', stream);
        quote_write(stream, *setting);
    }
    if (line->mask.count > 0) fprintf(stream, " taskset -c %s", cpu_list_format(&line->mask, sizeof cpus, cpus));
    for (char *const *word = line->argv; *word; word++) {
        fputc(' ', stream);
        quote_write(stream, *word);
    }
    bool failed = ferror(stream) != 0;
    failed |= fclose(stream) != 0;
    if (!failed) return text;
    free(text);
    return NULL;
}
