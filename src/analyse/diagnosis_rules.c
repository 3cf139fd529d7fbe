/* The table of rules, in the order in which what they find is told: a rule may look at what those before it have found,
 * so that one cause is told once. Then what they share: how findings and fixes are written.
 */
#include "diagnosis_rules.h"

#include "../plan/quote.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static diagnosis_rule *const rules[] = {
    rule_worlds,   rule_shared_cores, rule_ranks_one_core, rule_hybrid,         rule_pinned,
    rule_one_core, rule_nested,       rule_blas,           rule_oversubscribed, rule_siblings,
    rule_quota,    rule_neighbour,    rule_steal,          rule_spinning,       rule_lock,
    rule_serial,   rule_idle_cores,   rule_waiting,        rule_mask_ignored,
};

struct finding *rule_add(struct diagnosis *diagnosis, const char *name, bool fault)
{
    if (diagnosis->finding_count == FINDINGS_MAX) return NULL;
    struct finding *finding = &diagnosis->findings[diagnosis->finding_count++];
    *finding = (struct finding){.fault = fault};
    snprintf(finding->name, sizeof finding->name, "%s", name);
    return finding;
}

bool rule_found(const struct diagnosis *diagnosis, const char *name)
{
    for (int i = 0; i < diagnosis->finding_count; i++)
        if (strcmp(diagnosis->findings[i].name, name) == 0) return true;
    return false;
}

/* Whether there was room. */
static bool write_text(size_t length, char *text, const char *format, va_list values)
{
    size_t used = strlen(text);
    int count = vsnprintf(text + used, length - used, format, values);
    return count >= 0 && used + (size_t)count < length;
}

void rule_say(struct finding *finding, const char *format, ...)
{
    va_list values;
    if (!finding) return;
    va_start(values, format);
    write_text(sizeof finding->text, finding->text, format, values);
    va_end(values);
}

bool rule_fix(struct finding *finding, const char *format, ...)
{
    va_list values;
    if (!finding) return true;
    va_start(values, format);
    bool fits = write_text(sizeof finding->fix, finding->fix, format, values);
    va_end(values);
    if (!fits) finding->fix[0] = '\0';
    return fits;
}

/* The command's words; NULL where it is not known, or is no line of words: $'...' has escapes that quote_split does not
 * know. */
static char **split_command(const struct facts *facts)
{
    char **words = NULL;
    const char *command = facts->evidence->command;
    if (!*command || strstr(command, "$'") || quote_split(command, &words)) return NULL;
    return words;
}

static bool sets_variable(const char *word, const char *setting)
{
    size_t length = strcspn(setting, "=");
    return strncmp(word, setting, length) == 0 && word[length] == '=';
}

/* As of env(1): behind its options and settings. */
static int skip_env(char *const *words)
{
    int at = 1;
    while (words[at] && (words[at][0] == '-' || strchr(words[at], '='))) {
        bool takes_value = strcmp(words[at], "-u") == 0 && words[at + 1];
        at += takes_value ? 2 : 1;
    }
    return at;
}

static bool is_program(const char *word, const char *name)
{
    const char *slash = strrchr(word, '/');
    return strcmp(slash ? slash + 1 : word, name) == 0;
}

static void write_with_variable(FILE *stream, char *const *words, const char *unset, const char *setting)
{
    int first = words[0] && is_program(words[0], "env") ? skip_env(words) : 0;
    fputs("env", stream);
    if (unset) fprintf(stream, " -u %s", unset);
    for (int i = 1; i < first; i++) {
        bool again = (setting && sets_variable(words[i], setting)) || (unset && sets_variable(words[i], unset));
        if (again) continue;
        fputc(' ', stream);
        quote_write(stream, words[i]);
    }
    if (setting) fprintf(stream, " %s", setting);
    for (char *const *word = words + first; *word; word++) {
        fputc(' ', stream);
        quote_write(stream, *word);
    }
}

void rule_fix_variable(struct finding *finding, const struct facts *facts, const char *unset, const char *setting)
{
    char **words = split_command(facts), *text = NULL;
    size_t length = 0;
    FILE *stream = words ? open_memstream(&text, &length) : NULL;
    if (stream) {
        write_with_variable(stream, words, unset, setting);
        if (fclose(stream)) length = 0;
    }
    bool whole = length > 0 && rule_fix(finding, "%s", text);
    if (!whole && unset) rule_fix(finding, "env -u %s%s", unset, setting ? " " : "");
    if (!whole && setting) rule_fix(finding, "%s", setting);
    free(text);
    quote_free_words(words);
}

const char *rule_cpus(const struct cpu_mask *mask, size_t length, char *text)
{
    char list[200];
    cpu_mask_format(mask, sizeof list, list);
    snprintf(text, length, "CPU%s %s", cpu_mask_count(mask) == 1 ? "" : "s", list);
    return text;
}

/* The first `count` of these words (-1: all) with the text between them and the others; "" where there is no room. */
static void join_words(char *const *words, int count, const char *between, size_t length, char *text_p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; stream && words[i]; i++) {
        if (i > 0) fputc(' ', stream);
        if (i == count) fprintf(stream, "%s ", between);
        quote_write(stream, words[i]);
    }
    if (stream && fclose(stream)) size = length;
    snprintf(text_p, length, "%s", text && size < length ? text : "");
    free(text);
}

/* Takes words out, which move up. */
static void drop_words(char **words, int count)
{
    for (int i = 0; i < count; i++) free(words[i]);
    do {
        words[0] = words[count];
    } while (*words++);
}

const char *rule_unbound_command(const struct facts *facts, size_t length, char *text)
{
    char **words = split_command(facts);
    text[0] = '\0';
    if (!words) return text;
    int at = words[0] && is_program(words[0], "env") ? skip_env(words) : 0, count = 0;
    if (words[at] && is_program(words[at], "taskset")) {
        count = 1;
        while (words[at + count] && words[at + count][0] == '-') count++;
        count += words[at + count] != NULL; /* the mask, or the list */
    } else if (words[at] && is_program(words[at], "numactl")) {
        count = 1;
        while (words[at + count] && words[at + count][0] == '-') {
            const char *option = words[at + count];
            count += option[1] != '-' && strlen(option) == 2 && words[at + count + 1] ? 2 : 1;
        }
    }
    if (count > 0 && words[at + count]) {
        drop_words(words + at, count);
        join_words(words, -1, "", length, text);
    }
    quote_free_words(words);
    return text;
}

/* Of mpirun among the words; -1. */
static int find_mpirun(char *const *words)
{
    static const char *const names[] = {"mpirun", "mpiexec", "mpirun.openmpi", "mpiexec.openmpi", "orterun"};
    for (int i = 0; words && words[i]; i++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            if (is_program(words[i], names[n])) return i;
    return -1;
}

bool rule_starts_mpirun(const struct facts *facts)
{
    char **words = split_command(facts);
    bool found = find_mpirun(words) >= 0;
    quote_free_words(words);
    return found;
}

/* Options that the new ones replace: with a value, or two of --mca. */
static int replaced(char *const *words, const char *options)
{
    static const char *const with_value[] = {"--bind-to", "-bind-to", "--map-by", "-map-by"};
    bool places = strstr(options, "--bind-to") != NULL;
    for (size_t i = 0; places && i < sizeof with_value / sizeof *with_value; i++)
        if (strcmp(words[0], with_value[i]) == 0 && words[1]) return 2;
    bool mca = (strcmp(words[0], "--mca") == 0 || strcmp(words[0], "-mca") == 0) && words[1] && words[2];
    return mca && strstr(options, "--mca") && strstr(options, words[1]) ? 3 : 0;
}

const char *rule_mpirun_with(const struct facts *facts, const char *options, size_t length, char *text)
{
    char **words = split_command(facts);
    int mpirun = find_mpirun(words);
    text[0] = '\0';
    if (mpirun >= 0) {
        for (int i = mpirun + 1; words[i];) {
            int count = replaced(words + i, options);
            if (count > 0)
                drop_words(words + i, count);
            else
                i++;
        }
        join_words(words, mpirun + 1, options, length, text);
    }
    quote_free_words(words);
    return text;
}

void diagnosis_find(const struct facts *facts, struct diagnosis *diagnosis)
{
    if (diagnosis->verdict == VERDICT_IDLE) return;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) rules[i](facts, diagnosis);
    /* Faults first. */
    for (int i = 1; i < diagnosis->finding_count; i++)
        for (int j = i; j > 0 && diagnosis->findings[j].fault && !diagnosis->findings[j - 1].fault; j--) {
            struct finding moved = diagnosis->findings[j];
            diagnosis->findings[j] = diagnosis->findings[j - 1];
            diagnosis->findings[j - 1] = moved;
        }
}
