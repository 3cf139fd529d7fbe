/* What is known of a command from outside besides its times: how it was timed and bound, what its processes used, and
 * what could not be seen or looks odd. Numbers are over the launches that count. */
#include "study_text.h"

#include "../plan/command.h"

#include <math.h>
#include <string.h>

enum { NAME_MOST = 22, TEXT_LENGTH = 768 };

bool study_is_command(const struct study_problem *problem)
{
    return target_is_command(problem->curves->config);
}

/* A parallelism that is no more than one task's. */
static const double one_task = 1.1;

const char *study_timed_text(const struct study_problem *problem, size_t length, char *text)
{
    const struct config *config = problem->curves->config;
    char time[400];
    text[0] = '\0';
    if (!study_is_command(problem)) return text;
    snprintf(text, length, "time: of %s. Its tasks %s.", target_time_text(config, sizeof time, time),
             config->command.bind ? "were kept on the CPUs of each mode" : "were not bound: they ran where they liked");
    return text;
}

static double known(double number)
{
    return number >= 0 ? number : NAN;
}

static double sample_user(const struct sample *sample)
{
    return sample->user_s;
}

static double sample_system(const struct sample *sample)
{
    return sample->system_s;
}

static double sample_memory(const struct sample *sample)
{
    return known((double)sample->peak_memory_bytes);
}

static double sample_tasks(const struct sample *sample)
{
    return known(sample->tasks);
}

static double sample_concurrency(const struct sample *sample)
{
    return sample->concurrency;
}

static double sample_parallelism(const struct sample *sample)
{
    return sample->parallelism;
}

/* NAN where it is known of none. */
static double most_of(const struct group *group, double (*number)(const struct sample *))
{
    double most = NAN;
    for (int s = 0; s < group->count; s++)
        if (sample_counts(&group->samples[s])) most = fmax(most, number(&group->samples[s]));
    return most;
}

void study_outside_of(const struct group *group, struct study_outside *outside_p)
{
    *outside_p = (struct study_outside){.user_s = group_median(group, ANY_BLOCK, sample_user),
                                        .system_s = group_median(group, ANY_BLOCK, sample_system),
                                        .concurrency = group_median(group, ANY_BLOCK, sample_concurrency),
                                        .parallelism = group_median(group, ANY_BLOCK, sample_parallelism),
                                        .tasks = most_of(group, sample_tasks),
                                        .peak_memory_bytes = most_of(group, sample_memory)};
    for (int s = 0; s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        if (!sample_counts(sample) || sample->exit_status <= 0) continue;
        outside_p->exit_status = sample->exit_status;
        outside_p->failed++;
    }
}

const char *study_tasks_text(double tasks, size_t length, char *text)
{
    snprintf(text, length, isfinite(tasks) ? "%.0f" : "-", tasks);
    return text;
}

static void print_row(FILE *stream, int width, const char *name, const struct group *group)
{
    char texts[6][48];
    struct study_outside outside;
    study_outside_of(group, &outside);
    study_print_name(stream, width, name);
    fprintf(stream, " %9s %9s %10s %11s %6s %10s\n", format_time(outside.user_s, sizeof texts[0], texts[0]),
            format_time(outside.system_s, sizeof texts[1], texts[1]),
            format_ratio(outside.concurrency, sizeof texts[2], texts[2]),
            format_ratio(outside.parallelism, sizeof texts[3], texts[3]),
            study_tasks_text(outside.tasks, sizeof texts[4], texts[4]),
            format_bytes(outside.peak_memory_bytes, sizeof texts[5], texts[5]));
}

const char study_outside_legend[] =
    "CPU time of all its processes; concurrent: tasks that were there and did something, at a time; parallel: tasks "
    "that ran at the same instant, on average (CPU time / time); tasks: processes and their threads in all; memory: of "
    "the process that had the most, in any launch. The others are medians over the launches.";

void study_print_outside(FILE *stream, const struct style *style, const struct study_problem *problem)
{
    int width = study_name_width(problem, NAME_MOST);
    if (!study_is_command(problem)) return;
    fprintf(stream, "\n%sWhat its processes used\n%*s %9s %9s %10s %11s %6s %10s\n", style_tone(style, TONE_DIM), width,
            "", "user", "system", "concurrent", "parallel", "tasks", "memory");
    fputs(style_tone(style, TONE_PLAIN), stream);
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            char name[128];
            if (point->valid == 0) continue;
            study_point_name(problem, &problem->curves[c], point, sizeof name, name);
            print_row(stream, width, name, point->group);
        }
    study_print_toned(stream, style, TONE_DIM, 0, 0, study_outside_legend);
}

const char *study_factors_outside_text(void)
{
    return "Seen from outside: load balance: fewer than P tasks were active at a time (serial parts, unequal shares, "
           "waits for one another); waiting: none was; share of a core: active tasks took turns. Spinning waits count "
           "as work.";
}

/* Notes */

struct notes {
    const struct study_problem *problem;
    study_say *say;
    void *context;
};

typedef bool concerns(const struct curve_point *);

/* Names of the points that it concerns, "threads 2, threads 4". Returns the first; NULL: none. */
static const struct curve_point *list_points(const struct study_problem *problem, concerns *concerned, size_t length,
                                             char *text)
{
    const struct curve_point *first = NULL;
    size_t used = 0;
    text[0] = '\0';
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count && used < length; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            char name[128];
            if (point->valid == 0 || !concerned(point)) continue;
            used += (size_t)snprintf(text + used, length - used, "%s%s", first ? ", " : "",
                                     study_point_name(problem, &problem->curves[c], point, sizeof name, name));
            if (!first) first = point;
        }
    return first;
}

static const struct sample *first_unseen(const struct curve_point *point)
{
    for (int s = 0; s < point->group->count; s++)
        if (sample_counts(&point->group->samples[s]) && point->group->samples[s].worker_count == 0)
            return &point->group->samples[s];
    return NULL;
}

static bool was_unseen(const struct curve_point *point)
{
    return first_unseen(point) != NULL;
}

static void tell_unseen(const struct notes *notes)
{
    char names[256], text[TEXT_LENGTH];
    const struct curve_point *first = list_points(notes->problem, was_unseen, sizeof names, names);
    if (!first) return;
    const char *reason = strstr(first_unseen(first)->unobserved, ": ");
    snprintf(text, sizeof text,
             "Its tasks could not be watched (%.*s): where they ran, how long they waited for a core and why the "
             "speedup is what it is are not known: %s",
             reason ? (int)strcspn(reason + 2, ";") : 30, reason ? reason + 2 : "no reason was recorded", names);
    notes->say(notes->context, text);
}

static bool is_asked_for_cores(const struct curve_point *point)
{
    enum mode_name mode = point->group->config.mode.name;
    return point->workers > 1 && point->dedicated && (mode == MODE_THREADS || mode == MODE_MPI || mode == MODE_HYBRID);
}

/* In all samples that count. */
static bool ran_one_task(const struct curve_point *point)
{
    if (!is_asked_for_cores(point)) return false;
    for (int s = 0; s < point->group->count; s++) {
        const struct sample *sample = &point->group->samples[s];
        if (sample_counts(sample) && !(sample->parallelism < one_task)) return false;
    }
    return true;
}

static void tell_one_task(const struct notes *notes)
{
    char names[256], text[TEXT_LENGTH];
    const struct curve_point *first = list_points(notes->problem, ran_one_task, sizeof names, names);
    if (!first) return;
    const struct command_target *command = &first->group->config.command;
    bool ranks = first->group->config.mode.name == MODE_MPI;
    bool told = command_uses(command, ranks ? "ranks" : "threads") || command_uses(command, "workers");
    snprintf(text, sizeof text, "It ran one task at a time, whatever was asked (parallelism under %.1f): %s. %s",
             one_task, names,
             told    ? "Is the option with the placeholder the right one, and is there enough to do for several?"
             : ranks ? "Does it share its work among the ranks that the launcher starts, or take {ranks}?"
                     : "Does it take {threads} or OMP_NUM_THREADS?");
    notes->say(notes->context, text);
}

static bool has_failed(const struct curve_point *point)
{
    struct study_outside outside;
    study_outside_of(point->group, &outside);
    return outside.failed > 0;
}

static void tell_failures(const struct notes *notes)
{
    char names[256], text[TEXT_LENGTH];
    const struct curve_point *first = list_points(notes->problem, has_failed, sizeof names, names);
    struct study_outside outside;
    if (!first) return;
    study_outside_of(first->group, &outside);
    snprintf(text, sizeof text, "It ended with an exit status other than 0, which was accepted (such as %d): %s",
             outside.exit_status, names);
    notes->say(notes->context, text);
}

void study_tell_outside(const struct study_problem *problem, study_say *say, void *context)
{
    const struct notes notes = {problem, say, context};
    if (!study_is_command(problem)) return;
    tell_one_task(&notes);
    tell_unseen(&notes);
    tell_failures(&notes);
}
