/* How it was measured, in the plain prose of a proposal. */
#include "proposal.h"

#include <stdarg.h>
#include <string.h>

enum { TEXT_LENGTH = 4096, REASONS_TOLD = 3 };

static void say(char text[TEXT_LENGTH], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(char text[TEXT_LENGTH], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, TEXT_LENGTH - used, format, arguments);
    va_end(arguments);
}

static const char *find(const json_t *context, const char *part, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(json_object_get(context, part), name));
    return text && *text ? text : otherwise;
}

static void say_machine(char text[TEXT_LENGTH], const struct study_part *part, const struct proposal *proposal)
{
    const json_t *context = part->results->context;
    const json_t *memory = json_object_get(json_object_get(context, "machine"), "memory_bytes");
    const struct mode *mode = &proposal->curve->config->mode;
    char bytes[32];
    say(text, "All timings were taken on %.100s (%.160s", find(context, "machine", "hostname", "[the machine]"),
        find(context, "machine", "cpu_model", "[its processor]"));
    if (part->curves->cores > 0) say(text, ", %d cores to use", part->curves->cores);
    if (json_is_number(memory))
        say(text, ", %s of memory", format_bytes(json_number_value(memory), sizeof bytes, bytes));
    say(text, "), under %.120s, Linux %.100s. ", find(context, "system", "os", "[the system]"),
        find(context, "system", "kernel", "[its version]"));
    if (target_is_command(proposal->curve->config)) {
        say(text, "The program was compiled with [its compiler and flags]");
        if (mode_needs_mpi(mode->name)) say(text, " and used [its MPI library]");
        say(text, ". ");
        return;
    }
    say(text, "The program was compiled with %.100s (flags %.200s)",
        find(context, "program", "compiler", "[the compiler]"), find(context, "program", "flags", "[its flags]"));
    if (mode_needs_mpi(mode->name)) say(text, " and used %.100s", find(context, "mpi", "version", "[the MPI library]"));
    say(text, ", with the instruction set %.16s. ", proposal->curve->config->isa);
}

static void say_problem(char text[TEXT_LENGTH], const struct study_problem *problem, const struct proposal *proposal)
{
    char what[640], name[96];
    study_describe(problem, sizeof what, what);
    study_curve_name(problem, proposal->curve, sizeof name, name);
    say(text, "The problem was %.400s; ", what);
    say(text, proposal->weak ? "the work grew in proportion to the cores (weak scaling). "
                             : "the same input was used for all numbers of cores (strong scaling). ");
    if (study_is_command(problem)) {
        say(text,
            problem->curves->config->command.bind
                ? "Its tasks (mode %s) were kept on as many cores as there were workers. "
                : "Its tasks (mode %s) were not bound to cores. ",
            name);
        return;
    }
    say(text, "Each worker (mode %s) was bound to a core of its own, and that it had run there was checked. ", name);
}

static void say_launches(char text[TEXT_LENGTH], const struct study_part *part, const struct proposal *proposal)
{
    const json_t *study = part->results->study;
    int least = proposal->points[0]->valid, most = least;
    for (int i = 1; i < proposal->count; i++) {
        if (proposal->points[i]->valid < least) least = proposal->points[i]->valid;
        if (proposal->points[i]->valid > most) most = proposal->points[i]->valid;
    }
    say(text,
        least == most ? "Each number of cores was launched afresh %d times"
                      : "Each number of cores was launched "
                        "afresh %d to %d times",
        least, most);
    say(text, study
                  ? ", in randomised complete blocks of all configurations, so that slow drifts of the machine hit all "
                    "alike. "
                  : ". ");
    char time[400];
    const struct config *config = proposal->curve->config;
    if (target_is_command(config))
        say(text, "A time is of %s. ", target_time_text(config, sizeof time, time));
    else
        say(text,
            "A time is the wall time of the computation alone, from the common start to the last worker's end, on the "
            "monotonic clock; starting up, input and checking the answer are not part of it. Every answer was "
            "checked. ");
    say(text, "Given are medians with their 95 %% confidence intervals by order statistics, which assume no "
              "distribution; speedups and cuts in time are medians of the ratios within blocks. ");
}

static void say_excluded(char text[TEXT_LENGTH], const struct proposal *proposal)
{
    struct study_reasons reasons;
    int lost = 0;
    study_count_reasons(1, proposal->curve, &reasons);
    for (int r = 0; r < reasons.count; r++) lost += reasons.reasons[r].count;
    lost += reasons.others;
    if (lost == 0) {
        say(text, "No measurement was left out.");
        return;
    }
    say(text, "%d launch%s left out and made anew where there was time: ", lost, lost == 1 ? " was" : "es were");
    for (int r = 0; r < reasons.count && r < REASONS_TOLD; r++)
        say(text, "%s%d (%.200s)", r > 0 ? ", " : "", reasons.reasons[r].count,
            *reasons.reasons[r].text ? reasons.reasons[r].text : "no reason was recorded");
    say(text, reasons.count > REASONS_TOLD ? ", and others for rarer reasons." : ".");
}

void proposal_write_methods(const struct prose *prose, const struct study_part *part,
                            const struct study_problem *problem, const struct proposal *proposal)
{
    char text[TEXT_LENGTH] = "";
    if (curve_is_timings(proposal->curve->config)) {
        say(text, "The times were given as a list. All were taken on [the machine: processor, cores, memory, network], "
                  "with [the compiler and its flags] and [the MPI library], with the same input for all numbers of "
                  "cores. [How often each was launched, in which order, where the workers were bound, what a time "
                  "contains, and what was left out and why.] Given are medians");
        say(text,
            " with their 95 %% confidence intervals by order statistics where there are 6 times or more; speedups "
            "are ratios of medians.");
        prose_paragraph(prose, text);
        return;
    }
    say_machine(text, part, proposal);
    say_problem(text, problem, proposal);
    say_launches(text, part, proposal);
    say_excluded(text, proposal);
    prose_paragraph(prose, text);
}
