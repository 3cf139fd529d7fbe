/* Samples of `speedup run` on a terminal: a few labelled lines, each number with the words that say what it means.
 * A wrong answer has no time, and a sample that is not valid says so at its end. */
#include "../analyse/sharing.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_WIDTH_MAX = 100, VALUE_COLUMN = 15, WORDS_COLUMN = 27, VALUES_MAX = 4096 };

static void print_field(FILE *stream, const struct style *style, const char *label, const char *text)
{
    fprintf(stream, "  %s%-*s%s", style_tone(style, TONE_DIM), VALUE_COLUMN - 2, label, style_tone(style, TONE_PLAIN));
    text_print_wrapped(stream, style, VALUE_COLUMN, VALUE_COLUMN, text);
}

/* A number and the words that explain it, the words in a column of their own. */
static void print_number(FILE *stream, const struct style *style, const char *label, const char *number,
                         const char *words)
{
    int width = WORDS_COLUMN - VALUE_COLUMN - 1;
    fprintf(stream, "  %s%-*s%s%-*s ", style_tone(style, TONE_DIM), VALUE_COLUMN - 2, label,
            style_tone(style, TONE_PLAIN), width, number);
    int column = VALUE_COLUMN + 1 + (text_width(number) > width ? text_width(number) : width);
    text_print_wrapped(stream, style, column, WORDS_COLUMN, words);
}

static void print_title(FILE *stream, const struct style *style, const struct config *config, int number, int of)
{
    char target[256], text[384], count[64] = "";
    /* Disturbed samples are measured again: there may be more than were asked for. */
    if (of > 1)
        snprintf(count, sizeof count, number <= of ? "; sample %d of %d" : "; sample %d, asked for: %d", number, of);
    if (target_is_command(config))
        target_text_expanded(config, 100, sizeof target, target);
    else
        snprintf(target, sizeof target, "%s (%s, size %s)", config->kernel, config->variant, config->size);
    snprintf(text, sizeof text, "%s, mode %s%s", target, mode_name_text(config->mode.name), count);
    fputs(style_tone(style, TONE_STRONG), stream);
    text_print_wrapped(stream, style, 0, 2, text);
    fputs(style_tone(style, TONE_PLAIN), stream);
}

static void print_placement(FILE *stream, const struct style *style, const struct config *config)
{
    const struct mode *mode = &config->mode;
    char cpus[512], text[768];
    int written = snprintf(text, sizeof text, "%d rank%s x %d thread%s on CPU%s %s", mode->ranks,
                           mode->ranks == 1 ? "" : "s", mode->threads, mode->threads == 1 ? "" : "s",
                           mode->cpus.count == 1 ? "" : "s", cpu_list_format(&mode->cpus, sizeof cpus, cpus));
    if (config->mode.nodes > 1) {
        snprintf(text + written, sizeof text - (size_t)written, " of each of %d nodes", config->mode.nodes);
    }
    if (mode_oversubscribed(mode)) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, ": oversubscribed");
    }
    print_field(stream, style, "tasks", text);
}

static void print_scheduling(FILE *stream, const struct style *style, const struct scheduling *scheduling)
{
    static const char *const words[POLICY_COUNT] = {
        [POLICY_BATCH] = ": a task that wakes does not interrupt another",
        [POLICY_FIFO] = ": real-time, a task runs until it waits",
        [POLICY_RR] = ": real-time, in turns of a fixed length",
    };
    char own[128], text[256];
    if (scheduling_is_default(scheduling)) return;
    snprintf(text, sizeof text, "%s%s", scheduling_format(scheduling, sizeof own, own),
             words[scheduling->policy] ? words[scheduling->policy] : "");
    print_field(stream, style, "scheduling", text);
}

/* "55.1 GFLOP/s, 95 % of the avx2 peak of these cores"; "22.1 GB/s, 97 % of the memory bandwidth of this core". */
static const char *describe_rate(const struct sample *sample, size_t length, char *text)
{
    const struct config *config = &sample->config;
    bool memory = strcmp(sample->work_unit, "byte") == 0;
    char rate[64], share[32];
    format_rate(sample->rate, sample->work_unit, sizeof rate, rate);
    if (isfinite(sample_ceiling_share(sample)))
        snprintf(text, length, "%s, %s of the %s %s of %s", rate,
                 format_share(sample_ceiling_share(sample), sizeof share, share), memory ? "memory" : config->isa,
                 memory ? "bandwidth" : "peak",
                 config->mode.nodes * config->mode.cpus.count == 1 ? "this core" : "these cores");
    else
        snprintf(text, length, "%s", rate);
    return text;
}

static double wait_share(const struct sample *sample)
{
    return sample->wait_s / (sample->worker_count * sample->wall_s);
}

static const char *parallelism_words(const struct sample *sample)
{
    double concurrency = sample->concurrency, parallelism = sample->parallelism;
    if (!(concurrency >= 1.5) || !isfinite(parallelism)) return "tasks executing at the same instant";
    if (parallelism >= 0.9 * concurrency) return "tasks executing at the same instant: truly at once";
    bool turns = mode_oversubscribed(&sample->config.mode) && wait_share(sample) >= 0.2;
    if (turns && sample->config.mode.cpus.count > 1) return "tasks executing at the same instant: partly in turns";
    if (turns) return "tasks executing at the same instant: they took turns";
    return "tasks executing at the same instant";
}

static void print_tasks(FILE *stream, const struct style *style, const struct sample *sample)
{
    char number[32];
    print_number(stream, style, "concurrency", format_ratio(sample->concurrency, sizeof number, number),
                 "tasks started and not finished, on average");
    print_number(stream, style, "parallelism", format_ratio(sample->parallelism, sizeof number, number),
                 parallelism_words(sample));
    print_number(stream, style, "run queue", format_share(wait_share(sample), sizeof number, number),
                 "of the tasks' time went by waiting for a core");
}

/* Of tasks that have to share: how soon each first got a core, and how even their shares were. */
static void print_sharing(FILE *stream, const struct style *style, const struct sample *sample)
{
    char number[48], text[320], mean[48], low[32], high[32];
    struct sharing sharing;
    if (sample->worker_count < 2 || !mode_oversubscribed(&sample->config.mode)) return;
    sharing_of(sample, &sharing);
    if (isfinite(sharing.response_last_s)) {
        snprintf(text, sizeof text, "until the last of the tasks first got a core; on average %s",
                 format_time(sharing.response_mean_s, sizeof mean, mean));
        print_number(stream, style, "response", format_time(sharing.response_last_s, sizeof number, number), text);
    }
    if (isfinite(sharing.fairness)) {
        snprintf(text, sizeof text,
                 "Jain's index of the tasks' shares of a core, each until its end: %s to %s; 1.00 is all alike",
                 format_share(sharing.share_low, sizeof low, low), format_share(sharing.share_high, sizeof high, high));
        print_number(stream, style, "fairness", format_ratio(sharing.fairness, sizeof number, number), text);
    }
}

static void print_switches_and_cpus(FILE *stream, const struct style *style, const struct sample *sample)
{
    char voluntary[48], involuntary[48], seen[512], text[768];
    snprintf(text, sizeof text, "%s voluntary (to wait), %s involuntary (made to give way)",
             format_count((double)sample->voluntary, sizeof voluntary, voluntary),
             format_count((double)sample->involuntary, sizeof involuntary, involuntary));
    print_field(stream, style, "switches", text);

    struct cpu_list list;
    sample_cpus_seen(sample, &list);
    cpu_list_format(&list, sizeof seen, seen);
    snprintf(text, sizeof text, "seen on %s, %s", list.count > 0 ? seen : "none (not recorded)",
             sample->placed_as_asked ? "as asked" : "NOT placed as asked");
    print_field(stream, style, "CPUs", text);
}

static void print_check(FILE *stream, const struct style *style, const struct sample *sample)
{
    char text[512];
    snprintf(text, sizeof text, "%s: result %.10g, checksum %016" PRIx64 "%s%s",
             sample->correct ? "correct" : "WRONG ANSWER", sample->result, sample->checksum,
             sample->check_detail[0] != '\0' ? "; " : "", sample->check_detail);
    print_field(stream, style, "check", text);
}

static void print_validity(FILE *stream, const struct style *style, const struct sample *sample)
{
    static const struct {
        const char *text, *joint;
        enum tone tone;
    } verdicts[] = {
        [SAMPLE_INVALID] = {"NOT VALID", ": ", TONE_BAD},
        [SAMPLE_VALID] = {"valid", "", TONE_GOOD},
        [SAMPLE_NOT_JUDGED] = {"not judged", ": ", TONE_STRONG},
    };
    char text[320];
    bool reason = sample->validity != SAMPLE_VALID && sample->invalid_reason[0] != '\0';
    snprintf(text, sizeof text, "%s%s%s", verdicts[sample->validity].text,
             reason ? verdicts[sample->validity].joint : "", reason ? sample->invalid_reason : "");
    fprintf(stream, "  %s", style_tone(style, verdicts[sample->validity].tone));
    text_print_wrapped(stream, style, 2, VALUE_COLUMN, text);
    fputs(style_tone(style, TONE_PLAIN), stream);
}

void present_sample(FILE *stream, const struct style *style, const struct sample *sample, int number, int of)
{
    struct style page = *style;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    if (number > 1) fputc('\n', stream);
    print_title(stream, &page, &sample->config, number, of);
    print_placement(stream, &page, &sample->config);
    print_scheduling(stream, &page, &sample->config.mode.scheduling);
    if (sample->correct) {
        char time[48], rate[128];
        print_number(stream, &page, "time", format_time(sample->wall_s, sizeof time, time),
                     describe_rate(sample, sizeof rate, rate));
    } else {
        print_field(stream, &page, "time", "- (a wrong answer has no time)");
    }
    print_tasks(stream, &page, sample);
    print_sharing(stream, &page, sample);
    print_switches_and_cpus(stream, &page, sample);
    print_check(stream, &page, sample);
    if (sample->unobserved[0] != '\0') print_field(stream, &page, "not observed", sample->unobserved);
    print_validity(stream, &page, sample);
}

static void print_interval(FILE *stream, const struct style *style, const struct group *group, int count,
                           const double sorted[])
{
    int low, high;
    if (!median_interval_ranks(count, &low, &high)) {
        print_field(stream, style, "interval", "none: it takes at least 6 valid samples");
        return;
    }
    bool one_launch = true;
    for (int i = 1; i < group->count; i++) one_launch &= group->samples[i].launch == group->samples[0].launch;
    char from[48], to[48], text[256];
    snprintf(text, sizeof text, "the median lies between %s and %s with 95 %% confidence%s",
             format_time(sorted[low - 1], sizeof from, from), format_time(sorted[high - 1], sizeof to, to),
             one_launch ? ", as far as one launch can tell: launches differ more than samples of one" : "");
    print_field(stream, style, "interval", text);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void present_samples_summary(FILE *stream, const struct style *style, const struct group *group)
{
    if (group->count < 2) return;
    struct style page = *style;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    double walls[VALUES_MAX];
    int count = group_valid_walls(group, VALUES_MAX, walls);
    int not_judged = 0;
    for (int i = 0; i < group->count; i++) not_judged += group->samples[i].validity == SAMPLE_NOT_JUDGED;

    char text[256], middle[48], from[48], to[48];
    snprintf(text, sizeof text, "%d samples, %d valid", group->count, count);
    fprintf(stream, "\n%s%s%s\n", style_tone(&page, TONE_STRONG), text, style_tone(&page, TONE_PLAIN));
    if (count == 0) {
        print_field(stream, &page, "time",
                    not_judged == group->count ? "- (too short to judge: a larger --size makes a sample long enough)"
                                               : "- (no sample is valid)");
        return;
    }
    qsort(walls, (size_t)count, sizeof walls[0], compare_doubles);
    snprintf(text, sizeof text, "median %s, from %s to %s", format_time(median(count, walls), sizeof middle, middle),
             format_time(walls[0], sizeof from, from), format_time(walls[count - 1], sizeof to, to));
    print_field(stream, &page, "time", text);
    print_interval(stream, &page, group, count, walls);
}
