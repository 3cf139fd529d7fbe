/* Launches that fail: a node that is lost, a rank that is killed. What was measured before is worth keeping, and so is
 * going on; but where nothing worked yet, it is the user's line or site that is wrong, and more of the same is no help.
 * A signal is the exception: a library's start may crash once in a hundred (Open MPI's TCP between nodes under srun
 * does, where a rank's first message comes before the other side has set up who receives it), so that it is tried
 * again. Whether something worked follows from the record alone, as what is launched next does.
 */
#include "session.h"

#include "../observe/thread.h"

#include <string.h>

enum { ATTEMPTS_MAX = 3 }; /* where a signal ended each, and nothing worked */

/* By what a configuration is started: none, our mpirun or srun; a command's own launcher. */
static bool same_launcher(const struct config *a, const struct config *b)
{
    return mode_needs_mpi(a->mode.name) == mode_needs_mpi(b->mode.name) &&
           (a->command.word_count > 0) == (b->command.word_count > 0) &&
           strcmp(a->command.launcher, b->command.launcher) == 0;
}

/* Returns whether a launch by this launcher worked, and how many failed. */
static bool has_worked(const struct session *session, const struct config *config, int *failures_p)
{
    const struct results *results = &session->results;
    int failures = 0;
    *failures_p = 0;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count && same_launcher(&results->groups[g].config, config); s++) {
            if (!sample_failed(&results->groups[g].samples[s])) return true;
            failures++;
        }
    *failures_p = failures;
    return false;
}

int session_take_failure(struct session *session, struct sample *sample, struct error *error)
{
    if (!session->on_failure) return STATUS_FAILED;
    int failures;
    bool goes_on = has_worked(session, &sample->config, &failures) ||
                   (failures + 1 < ATTEMPTS_MAX && strstr(error->text, "ended by signal"));
    struct error record_error;
    snprintf(sample->study, sizeof sample->study, "%s", session->study);
    sample->launch = session->launch_count;
    sample_fail(sample, error->text);
    int status = session_write_line(session, record_encode_sample(sample), &record_error);
    if (!status && results_add(&session->results, sample))
        status = error_set(&record_error, STATUS_FAILED, "no memory is left to keep the samples");
    if (status) {
        *error = record_error;
        return status;
    }
    if (!goes_on) return STATUS_FAILED;
    session->on_failure(session->context, sample->launch, error->text);
    return STATUS_OK;
}
