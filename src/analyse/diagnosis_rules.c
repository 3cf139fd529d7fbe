/* The table of rules, in the order in which what they find is told: a rule may look at what those before it have found,
 * so that one cause is told once. Then what they share: how findings and fixes are written.
 */
#include "diagnosis_rules.h"

#include <stdarg.h>
#include <stdio.h>
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

static void write_text(size_t length, char *text, const char *format, va_list values)
{
    size_t used = strlen(text);
    vsnprintf(text + used, length - used, format, values);
}

void rule_say(struct finding *finding, const char *format, ...)
{
    va_list values;
    if (!finding) return;
    va_start(values, format);
    write_text(sizeof finding->text, finding->text, format, values);
    va_end(values);
}

void rule_fix(struct finding *finding, const char *format, ...)
{
    va_list values;
    if (!finding) return;
    va_start(values, format);
    write_text(sizeof finding->fix, finding->fix, format, values);
    va_end(values);
}

void rule_fix_variable(struct finding *finding, const struct facts *facts, const char *unset, const char *setting)
{
    const char *command = facts->evidence->command;
    if (unset) rule_fix(finding, "env -u %s", unset);
    if (unset && setting) rule_fix(finding, " ");
    if (setting) rule_fix(finding, "%s%s", unset ? "" : *command ? "env " : "", setting);
    if (*command) rule_fix(finding, " %s", command);
}

const char *rule_cpus(const struct cpu_mask *mask, size_t length, char *text)
{
    char list[200];
    cpu_mask_format(mask, sizeof list, list);
    snprintf(text, length, "CPU%s %s", cpu_mask_count(mask) == 1 ? "" : "s", list);
    return text;
}

/* Where the next word begins; words that are quoted count as they are written. */
static const char *skip_word(const char *at)
{
    char quote = '\0';
    for (; *at && (quote || *at != ' '); at++) {
        if (*at == quote)
            quote = '\0';
        else if (!quote && (*at == '\'' || *at == '"'))
            quote = *at;
    }
    return at + strspn(at, " ");
}

static bool is_word(const char *at, const char *word)
{
    size_t length = (size_t)(skip_word(at) - at);
    while (length > 0 && at[length - 1] == ' ') length--;
    const char *name = at;
    for (size_t i = 0; i < length; i++)
        if (at[i] == '/') name = at + i + 1;
    length -= (size_t)(name - at);
    return strlen(word) == length && memcmp(name, word, length) == 0;
}

const char *rule_unbound_command(const struct facts *facts, size_t length, char *text)
{
    const char *at = facts->evidence->command, *before = at;
    text[0] = '\0';
    /* Behind env and its settings, too. */
    if (is_word(at, "env"))
        for (at = skip_word(at); *at == '-' || strcspn(at, "=") < strcspn(at, " ");) {
            bool takes_value = strncmp(at, "-u ", 3) == 0;
            at = skip_word(at);
            if (takes_value) at = skip_word(at);
        }
    size_t kept = (size_t)(at - before);
    if (is_word(at, "taskset")) {
        at = skip_word(at);
        bool list = false;
        while (*at == '-') {
            list = true;
            at = skip_word(at);
        }
        (void)list;
        at = skip_word(at);
    } else if (is_word(at, "numactl")) {
        at = skip_word(at);
        while (*at == '-') {
            bool apart = strncmp(at, "-C ", 3) == 0 || strncmp(at, "-N ", 3) == 0 || strncmp(at, "-m ", 3) == 0;
            at = skip_word(at);
            if (apart) at = skip_word(at);
        }
    } else {
        return text;
    }
    if (*at) snprintf(text, length, "%.*s%s", (int)kept, before, at);
    return text;
}

static const char *find_mpirun(const struct facts *facts)
{
    static const char *const names[] = {"mpirun", "mpiexec", "mpirun.openmpi", "mpiexec.openmpi", "orterun"};
    for (const char *at = facts->evidence->command; *at; at = skip_word(at))
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (is_word(at, names[i])) return at;
    return NULL;
}

bool rule_starts_mpirun(const struct facts *facts)
{
    return find_mpirun(facts) != NULL;
}

const char *rule_mpirun_with(const struct facts *facts, const char *words, size_t length, char *text)
{
    const char *command = facts->evidence->command, *mpirun = find_mpirun(facts);
    text[0] = '\0';
    if (!mpirun) return text;
    const char *rest = skip_word(mpirun);
    snprintf(text, length, "%.*s%s %s", (int)(rest - command), command, words, rest);
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
