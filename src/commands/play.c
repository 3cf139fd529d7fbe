/* The player of lessons. Nothing is measured before all predictions were made; then every shot is launched once in each
 * block, in turn, so that a slow moment of the machine hits all of them alike; and everything that is told comes from
 * the samples. */
#include "play.h"

#include "../../kernels/isa.h"
#include "../observe/thread.h"
#include "../options/options.h"
#include "../present/present.h"
#include "../record/record.h"
#include "calibrate.h"
#include "guess.h"
#include "session.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_LENGTH = 4096, BLOCKS = 7, QUICK_BLOCKS = 2, TRIES_MAX = 3, INDENT = 3, COLUMN = 14 };

/* A sample is judged from 0.2 s on. No block is begun after the patience is used up, and then nothing is tried again.
 */
static const double judged_s = 0.3, patience_s = 22, launch_limit_s = 120;

struct play {
    struct session session;
    const struct exercise *exercise;
    const struct play_options *options;
    int problem_count, shot_count, question_count;
    struct problem problems[EXERCISE_PROBLEMS_MAX];
    struct mode modes[EXERCISE_SHOTS_MAX];
    struct exercise_view view;
    struct guess guesses[EXERCISE_QUESTIONS_MAX];
    struct style err;
    double start_s;
    int done, total; /* launches */
    char text[128];
};

static void show_progress(void *context, double elapsed_s)
{
    struct play *play = context;
    (void)elapsed_s;
    double fraction = play->total > 0 ? (double)play->done / play->total : NAN;
    double spent_s = clock_wall_s() - play->start_s, left_s = play->done > 0 ? spent_s / fraction - spent_s : NAN;
    present_progress(stderr, &play->err, play->text, fraction, left_s > 1 ? left_s : NAN);
}

int play_make_directory(const char *path, struct error *error)
{
    char part[PATH_LENGTH];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part; slash;) {
        slash = strchr(slash + 1, '/');
        if (slash) *slash = '\0';
        if (mkdir(part, 0777) && errno != EEXIST)
            return error_set(error, STATUS_FAILED, "cannot make the folder %s: %s; name another with -o", part,
                             strerror(errno));
        if (slash) *slash = '/';
    }
    return STATUS_OK;
}

static const char *expand(const struct play *play, const char *text, char text_p[EXERCISE_TEXT])
{
    return exercise_expand(&play->view, text, EXERCISE_TEXT, text_p);
}

/* Why an optional shot is left out; NULL: it is not. */
static const char *left_out(const struct play *play, int shot)
{
    const struct exercise_shot *given = &play->exercise->shots[shot];
    const struct provenance *here = &play->session.provenance;
    if (!given->optional) return NULL;
    return exercise_reason(given, play->session.site.mpi_reason, here->slices_settable ? "" : here->slices_reason,
                           here->realtime_allowed ? "" : here->realtime_reason);
}

static struct measurement shot_measurement(const struct play *play, int shot, int block)
{
    bool patient = clock_wall_s() - play->start_s < patience_s;
    return (struct measurement){.problem = &play->problems[play->exercise->shots[shot].problem],
                                .mode = &play->modes[shot],
                                .runs = 1,
                                .block = block,
                                .launches_max = patient ? TRIES_MAX : 1};
}

/* Problems, modes and what the texts speak of. Starts nothing. */
static int prepare(struct play *play, struct error *error)
{
    const struct exercise *exercise = play->exercise;
    struct session *session = &play->session;
    int status = STATUS_OK;
    if (session->job.size > 0)
        return error_set(error, STATUS_USAGE, "it starts its own processes, and cannot run inside %s; start it without",
                         session->job.launcher);
    if (exercise_needs_mpi(exercise) && session->site.mpi_reason[0])
        return error_set(error, STATUS_FAILED, "the lesson %s is about processes, and they cannot be had: %s",
                         exercise->name, session->site.mpi_reason);
    play->view.exercise = exercise;
    play->view.workers = exercise_workers(&session->machine);
    play->view.cores =
        session->machine.core_count < play->view.workers ? session->machine.core_count : play->view.workers;
    for (; exercise->problems[play->problem_count].kernel && !status; play->problem_count++)
        status = exercise_make_problem(&exercise->problems[play->problem_count], &play->problems[play->problem_count],
                                       error);
    for (; exercise->shots[play->shot_count].text && !status; play->shot_count++)
        status = exercise_plan_shot(&session->machine, &exercise->shots[play->shot_count],
                                    &play->modes[play->shot_count], error);
    while (exercise->questions[play->question_count].ask) play->question_count++;
    if (session->isa[0] == '\0') snprintf(session->isa, sizeof session->isa, "%s", isa_name(isa_best()));
    return status;
}

/* --------------------------------------------------------------------- predictions */

/* Those of --guess, before anything is printed. */
static int take_guesses(struct play *play, struct error *error)
{
    const char *rest = play->options->guesses;
    int status = STATUS_OK;
    for (int q = 0; rest && q < play->question_count && !status; q++)
        status = guess_take(&play->exercise->questions[q], &rest, &play->guesses[q], error);
    if (!status && rest && *rest)
        status = error_set(error, STATUS_USAGE, "--guess %s has more guesses than %s has questions: %d",
                           play->options->guesses, play->exercise->name, play->question_count);
    return status;
}

static void ask_questions(struct play *play)
{
    char text[EXERCISE_TEXT];
    puts("Predict first: who has seen the answer never knows what he would have said.");
    for (int q = 0; q < play->question_count; q++) {
        const struct exercise_question *question = &play->exercise->questions[q];
        putchar('\n');
        options_print_wrapped(stdout, printf("%d. ", q + 1), INDENT, expand(play, question->ask, text));
        if (!play->options->guesses) guess_ask(question, stdin, stdout, &play->guesses[q]);
    }
    putchar('\n');
    fflush(stdout);
}

/* --------------------------------------------------------------------- measuring */

static double base_s(const struct play *play, int problem)
{
    int cpus = 1;
    if (play->exercise->problems[problem].base_s > 0) return play->exercise->problems[problem].base_s;
    for (int s = 0; s < play->shot_count; s++)
        if (play->exercise->shots[s].problem == problem && play->modes[s].cpus.count > cpus)
            cpus = play->modes[s].cpus.count;
    return judged_s * cpus;
}

static int choose_sizes(struct play *play, struct error *error)
{
    const struct mode_request request = {.mode = MODE_SERIAL, .wait_policy = -1};
    struct mode serial;
    int status = plan_mode(&play->session.machine, &request, &serial, error);
    for (int p = 0; p < play->problem_count && !status; p++) {
        const struct exercise_problem *given = &play->exercise->problems[p];
        if (given->size) continue;
        snprintf(play->text, sizeof play->text, "%s: choosing a size that suits this machine", given->kernel);
        show_progress(play, 0);
        if (given->size_of > 0)
            play->problems[p].size = play->problems[given->size_of - 1].size;
        else
            status = calibrate_size(&play->session, &play->problems[p], &serial, base_s(play, p), error);
    }
    for (int s = 0; s < play->shot_count && !status; s++)
        status = plan_check_memory(&play->session.machine, &play->problems[play->exercise->shots[s].problem],
                                   &play->modes[s], error);
    return status;
}

static int write_context(struct play *play, struct error *error)
{
    struct measurement measurements[EXERCISE_SHOTS_MAX];
    int count = 0;
    for (int s = 0; s < play->shot_count; s++)
        if (!left_out(play, s)) measurements[count++] = shot_measurement(play, s, 0);
    return session_write_context(&play->session, count, measurements, error);
}

static int run_shot(struct play *play, int shot, int block, struct error *error)
{
    char text[EXERCISE_TEXT];
    const struct measurement measurement = shot_measurement(play, shot, block);
    int got;
    if (left_out(play, shot)) {
        play->done++;
        return STATUS_OK;
    }
    snprintf(play->text, sizeof play->text, "%s: %.100s", play->exercise->name,
             expand(play, play->exercise->shots[shot].text, text));
    show_progress(play, 0);
    int status = session_measure(&play->session, &measurement, &got, error);
    play->done++;
    return status;
}

static int run_blocks(struct play *play, struct error *error)
{
    int blocks = play->options->quick ? QUICK_BLOCKS : play->exercise->blocks > 0 ? play->exercise->blocks : BLOCKS;
    int status = STATUS_OK;
    play->total = blocks * play->shot_count;
    play->start_s = clock_wall_s();
    for (int block = 0; block < blocks && !status; block++) {
        if (block > 0 && clock_wall_s() - play->start_s > patience_s) break;
        for (int s = 0; s < play->shot_count && !status; s++) status = run_shot(play, s, block, error);
    }
    return status;
}

static int measure(struct play *play, const char *records, struct error *error)
{
    int status = play_make_directory(play->options->directory, error);
    if (!status) status = session_add_writer(&play->session, records, error);
    if (status) return status;
    play->session.time_limit_s = launch_limit_s;
    play->session.context = play;
    play->session.on_tick = show_progress;
    style_for(stderr, &play->err);
    play->start_s = clock_wall_s();
    status = choose_sizes(play, error);
    if (!status) status = write_context(play, error);
    if (!status) status = run_blocks(play, error);
    present_progress(stderr, &play->err, NULL, NAN, NAN);
    return status;
}

/* --------------------------------------------------------------------- comparing */

static void find_groups(struct play *play)
{
    const struct results *results = &play->session.results;
    for (int s = 0; s < play->shot_count; s++) {
        const struct config config =
            session_config(&play->session, &play->problems[play->exercise->shots[s].problem], &play->modes[s]);
        char key[17];
        record_config_key(&config, key);
        for (int g = 0; g < results->group_count; g++)
            if (strcmp(results->groups[g].key, key) == 0) play->view.groups[s] = &results->groups[g];
    }
}

/* One line a shot: its time and rate, and what ran at once. */
static void print_shots(const struct play *play)
{
    char text[EXERCISE_TEXT], time[32], rate[48], reason[256];
    puts("                                  time      parallelism   rate");
    for (int s = 0; s < play->shot_count; s++) {
        const struct group *group = play->view.groups[s];
        const struct spread wall = exercise_number(&play->view, s, sample_wall_s);
        expand(play, play->exercise->shots[s].text, text);
        if (wall.count == 0) {
            const char *why = left_out(play, s);
            if (!why) why = group && group_reason(group, reason) ? reason : "no sample was made";
            options_print_wrapped(stdout, printf("  %-32s", text), 34, why);
            continue;
        }
        double parallelism = 0;
        for (int i = 0; i < group->count; i++)
            if (sample_counts(&group->samples[i])) parallelism += group->samples[i].parallelism / wall.count;
        printf("  %-32s%-10s%-14.2f%s\n", text, format_time(wall.middle, sizeof time, time), parallelism,
               format_rate(exercise_number(&play->view, s, sample_rate).middle, group->samples[0].work_unit,
                           sizeof rate, rate));
    }
}

static void print_labelled(const char *label, const char *text)
{
    options_print_wrapped(stdout, printf("%*s%s", INDENT, "", label), COLUMN, text);
}

/* "1.98 times (1.97 to 1.99: 95 % confidence, 7 pairs)" */
static void print_answer(const struct exercise_question *question, const struct spread *answer)
{
    char middle[64], text[256];
    exercise_quantity(question, answer->middle, sizeof middle, middle);
    if (answer->low == answer->high)
        snprintf(text, sizeof text, "%s", middle);
    else
        snprintf(text, sizeof text, "%s (%.3g to %.3g: %s of %d)", middle, answer->low, answer->high,
                 answer->interval ? "the interval, at 95 %," : "the lowest and the highest", answer->count);
    print_labelled("Measured", text);
}

static void print_comparison(const struct play *play, int q)
{
    const struct exercise_question *question = &play->exercise->questions[q];
    char text[EXERCISE_TEXT], number[64];
    const struct spread answer = question->measure(&play->view);
    putchar('\n');
    options_print_wrapped(stdout, printf("%d. ", q + 1), INDENT, expand(play, question->ask, text));
    print_labelled("You said", play->guesses[q].given
                                   ? exercise_quantity(question, play->guesses[q].value, sizeof number, number)
                                   : "nothing");
    if (answer.count == 0) {
        print_labelled("Measured", "nothing that could be used: the samples above say why");
        return;
    }
    print_answer(question, &answer);
    if (question->bound) {
        const struct exercise_bound bound = question->bound(&play->view);
        exercise_quantity(question, bound.value, sizeof number, number);
        snprintf(text, sizeof text, "%s%s%s", number, *bound.text ? ": " : "", bound.text);
        print_labelled("Possible", text);
    }
    if (play->guesses[q].given)
        options_print_wrapped(stdout, 0, INDENT,
                              exercise_compare(question, play->guesses[q].value, &answer, sizeof text, text));
    question->explain(&play->view, &answer, sizeof text, text);
    options_print_wrapped(stdout, 0, INDENT, text);
}

static int tell(const struct play *play, const char *records, struct error *error)
{
    int valid = 0;
    puts("What came of it\n");
    print_shots(play);
    for (int q = 0; q < play->question_count; q++) print_comparison(play, q);
    printf("\nRecords: %s\n", records);
    printf("Report:  speedup report %s\n", records);
    if (play->exercise->page) printf("Page:    speedup explain %s --answers\n", play->exercise->page);
    for (const char *const *command = play->exercise->further; command && *command; command++)
        printf("%s %s\n", command == play->exercise->further ? "Go on:  " : "        ", *command);
    for (int s = 0; s < play->shot_count; s++) valid += exercise_number(&play->view, s, sample_wall_s).count;
    if (valid > 0) return STATUS_OK;
    return error_set(error, STATUS_UNMEASURED, "no sample was valid: the table above says why; records: %s", records);
}

static int play_it(struct play *play, struct error *error)
{
    char records[PATH_LENGTH], text[EXERCISE_TEXT];
    if (snprintf(records, sizeof records, "%s/lesson-%s.jsonl", play->options->directory, play->exercise->name) >=
        PATH_LENGTH)
        return error_set(error, STATUS_USAGE, "the name of the folder is too long");
    int status = prepare(play, error);
    if (!status) status = take_guesses(play, error);
    if (status) return status;
    printf("%s\n\n", play->exercise->title);
    options_print_wrapped(stdout, 0, 0, expand(play, play->exercise->intro, text));
    putchar('\n');
    ask_questions(play);
    status = measure(play, records, error);
    /* What was measured is told also where a shot failed. */
    if (status == STATUS_INTERRUPTED || play->session.results.group_count == 0) return status;
    find_groups(play);
    struct error tell_error;
    int tell_status = tell(play, records, &tell_error);
    if (!status && tell_status) *error = tell_error;
    return status ? status : tell_status;
}

int play_exercise(const struct exercise *exercise, const struct play_options *options, struct error *error)
{
    struct play *play = calloc(1, sizeof *play);
    if (!play) return error_set(error, STATUS_FAILED, "no memory");
    play->exercise = exercise;
    play->options = options;
    int status = session_open("lesson", &play->session, error);
    if (!status) status = play_it(play, error);
    struct error close_error;
    int close_status = session_close(&play->session, &close_error);
    if (!status && close_status) *error = close_error, status = close_status;
    free(play);
    return status;
}
