/* Job scripts: the directives and pieces of shell of job_forms.c with what was asked for filled in, and the shell that
 * is common to all.
 *
 * That shell keeps the study in the background and waits for it: bash runs a trap only after a child in the foreground
 * has ended. A signal ends the wait, not the study, which is therefore waited for again.
 */
#include "job_script.h"

#include "../plan/quote.h"
#include "job_forms.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct values {
    const char *texts[JOB_KEY_COUNT]; /* NULL: was not asked for */
    char nodes[16], ranks[16], threads[16], cores[16], slots[24], walltime[32], warning[24], memory[32];
};

/* The key that begins at the text, behind its @; *end_p is behind its last @. */
static enum job_key find_key(const char *text, const char **end_p)
{
    size_t length = strcspn(text, "@");
    enum job_key key = 0;
    while (key < JOB_KEY_COUNT &&
           (strlen(job_key_names[key].name) != length || strncmp(job_key_names[key].name, text, length) != 0))
        key++;
    *end_p = text + length + 1;
    return key;
}

static bool uses(const char *text, enum job_key key)
{
    char mark[32];
    snprintf(mark, sizeof mark, "@%s@", job_key_names[key].name);
    return text && strstr(text, mark);
}

/* Writes the text up to its end, or up to the @] that closes a piece of it; returns what is behind. Without a stream it
 * only looks: *complete_p becomes false where a key has no value. */
static const char *expand(FILE *out, const char *text, const struct values *values, bool *complete_p)
{
    while (*text) {
        if (*text != '@' || text[1] == '@') {
            if (out) fputc(*text, out);
            text += *text == '@' ? 2 : 1;
        } else if (text[1] == '[') {
            bool complete = true, again = true;
            const char *end = expand(NULL, text + 2, values, &complete);
            if (complete) expand(out, text + 2, values, &again);
            text = end;
        } else if (text[1] == ']') {
            return text + 2;
        } else {
            const char *value = values->texts[find_key(text + 1, &text)];
            if (value && out) fputs(value, out);
            if (!value) *complete_p = false;
        }
    }
    return text;
}

static void write_text(FILE *out, const char *text, const struct values *values)
{
    bool complete;
    expand(out, text, values, &complete);
}

static void write_directives(FILE *out, const struct job_form *form, const struct values *values)
{
    for (const char *const *directive = form->directives; *directive; directive++) {
        bool complete = true;
        expand(NULL, *directive, values, &complete);
        if (!complete) continue;
        fputs(form->prefix, out);
        write_text(out, *directive, values);
        fputc('\n', out);
    }
}

/* "64G" as a number of units, the first of which is M; a unit of -1 where it is not of that form. */
static double parse_memory(const char *text, int *unit_p)
{
    static const char letters[] = "MGT";
    char *end;
    const char *letter;
    *unit_p = -1;
    if (!isdigit((unsigned char)*text)) return 0;
    double amount = strtod(text, &end);
    if (strspn(text, "0123456789") != (size_t)(end - text) || !(amount >= 1 && amount < 1e9)) return 0;
    letter = *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
    if (letter && end[1] == '\0') *unit_p = (int)(letter - letters);
    return amount;
}

static const char *set_count(int count, size_t length, char *text)
{
    snprintf(text, length, "%d", count);
    return count > 0 ? text : NULL;
}

static const char *set_time(double time_s, enum job_clock clock, size_t length, char *text)
{
    long minutes = (long)ceil(time_s / 60);
    if (clock == CLOCK_UNIT)
        snprintf(text, length, "%ldm", minutes);
    else
        snprintf(text, length, "%02ld:%02ld%s", minutes / 60, minutes % 60, clock == CLOCK_SECONDS ? ":00" : "");
    return text;
}

static int ranks_of(const struct job_script *script)
{
    int threads = script->threads_per_rank > 0 ? script->threads_per_rank : 1;
    if (script->ranks_per_node > 0 || script->cores_per_node == 0) return script->ranks_per_node;
    return script->cores_per_node / threads > 1 ? script->cores_per_node / threads : 1;
}

static int nodes_of(const struct job_script *script)
{
    return script->array_count > 0 ? script->array[0] : script->nodes;
}

static void set_values(const struct job_script *script, struct values *values)
{
    const struct job_form *form = job_form(script->scheduler);
    int ranks = ranks_of(script), unit = -1;
    double memory = script->memory ? parse_memory(script->memory, &unit) : 0;
    const char **texts = values->texts;
    *values = (struct values){.texts = {[JOB_NAME] = script->name,
                                        [JOB_ACCOUNT] = script->account,
                                        [JOB_PARTITION] = script->partition,
                                        [JOB_QOS] = script->qos,
                                        [JOB_CONSTRAINT] = script->constraint,
                                        [JOB_MAIL] = script->mail,
                                        [JOB_MEMORY] = form->all_memory}};
    texts[JOB_NODES] = set_count(nodes_of(script), sizeof values->nodes, values->nodes);
    texts[JOB_RANKS] = set_count(ranks, sizeof values->ranks, values->ranks);
    texts[JOB_THREADS] = set_count(script->threads_per_rank, sizeof values->threads, values->threads);
    texts[JOB_OMP] = texts[JOB_THREADS] ? texts[JOB_THREADS] : "1";
    texts[JOB_CORES] = set_count(script->cores_per_node, sizeof values->cores, values->cores);
    snprintf(values->slots, sizeof values->slots, "%lld", (long long)nodes_of(script) * ranks);
    texts[JOB_SLOTS] = values->slots;
    texts[JOB_WALLTIME] = set_time(script->walltime_s, form->clock, sizeof values->walltime, values->walltime);
    snprintf(values->warning, sizeof values->warning, "%.0f", ceil(script->signal_before_s));
    texts[JOB_WARNING] = values->warning;
    if (unit < 0) return;
    snprintf(values->memory, sizeof values->memory, "%.0f%s", memory,
             form->memory_units[unit] ? form->memory_units[unit] : "");
    texts[JOB_MEMORY] = values->memory;
}

static bool is_name(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._+-", *c)) return false;
    return isalnum((unsigned char)*text);
}

/* Nothing that would end a directive or a word of the shell in double quotes, or begin something else in them. */
static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isgraph((unsigned char)*c) || strchr("\"'\\`$#;<>", *c)) return false;
    return *text && *text != '-';
}

static int check_texts(const struct job_script *script, struct error *error)
{
    enum { TEXT_MAX = 200 };
    const struct {
        const char *option, *text;
    } texts[] = {{"account", script->account},
                 {"partition", script->partition},
                 {"qos", script->qos},
                 {"constraint", script->constraint},
                 {"mail", script->mail}};
    if (!is_name(script->name) || strlen(script->name) > TEXT_MAX)
        return error_set(
            error, STATUS_USAGE,
            "--name '%.60s' is no name for a job; allowed: letters, digits and ._+-, up to %d, the first a "
            "letter or digit",
            script->name, TEXT_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text && (!is_plain(texts[i].text) || strlen(texts[i].text) > TEXT_MAX))
            return error_set(error, STATUS_USAGE,
                             "--%s '%.60s' cannot stand in a directive; allowed: up to %d printable characters without "
                             "blanks, quotes and any of \\`$#;<>",
                             texts[i].option, texts[i].text, TEXT_MAX);
    return STATUS_OK;
}

/* Whether any directive says it. */
static bool form_uses(const struct job_form *form, enum job_key key)
{
    for (const char *const *directive = form->directives; *directive; directive++)
        if (uses(*directive, key)) return true;
    return key == JOB_CORES && form_uses(form, JOB_RANKS); /* from them follow the ranks */
}

int job_script_check(const struct job_script *script, struct error *error)
{
    const struct job_form *form = job_form(script->scheduler);
    const char *scheduler = scheduler_name(script->scheduler);
    const char *asked[JOB_KEY_COUNT] = {[JOB_QOS] = script->qos,
                                        [JOB_ACCOUNT] = script->account,
                                        [JOB_PARTITION] = script->partition,
                                        [JOB_CONSTRAINT] = script->constraint,
                                        [JOB_MEMORY] = script->memory,
                                        [JOB_MAIL] = script->mail,
                                        [JOB_RANKS] = script->ranks_per_node ? "" : NULL,
                                        [JOB_CORES] = script->cores_per_node ? "" : NULL};
    int unit;
    for (enum job_key key = 0; key < JOB_KEY_COUNT; key++)
        if (asked[key] && !form_uses(form, key))
            return error_set(error, STATUS_USAGE, "--%s has no counterpart in %s; leave it out",
                             job_key_names[key].option, scheduler);
    if (script->scheduler == SCHEDULER_PBS && script->cores_per_node == 0)
        return error_set(error, STATUS_USAGE,
                         "PBS has to be told how many cores a node has: --cores-per-node N (pbsnodes -a shows it)");
    if (script->scheduler == SCHEDULER_LSF && ranks_of(script) == 0)
        return error_set(error, STATUS_USAGE,
                         "LSF has to be told how many cores a host has: --cores-per-node N (lshosts shows it)");
    if (script->scheduler == SCHEDULER_PBS && script->constraint && !strchr(script->constraint, '='))
        return error_set(error, STATUS_USAGE,
                         "--constraint '%.60s': PBS asks for resources by value, such as model=skl",
                         script->constraint);
    if (script->memory && (parse_memory(script->memory, &unit), unit < 0))
        return error_set(error, STATUS_USAGE,
                         "--memory '%.60s' is no amount of memory; allowed: a whole number with M, G or T, such as 64G",
                         script->memory);
    return check_texts(script, error);
}

static void write_heading(FILE *out, const struct job_script *script, const struct job_form *form,
                          const struct values *values)
{
    fputs("#!/bin/bash\n# Made by:", out);
    for (int i = 0; i < script->made_by_count; i++) {
        fputc(' ', out);
        quote_write(out, script->made_by[i]);
    }
    if (script->array_count > 0)
        fprintf(out, "\n# Submit it with: bash FILE. That submits a job for each number of nodes.\n#\n");
    else
        fprintf(out, "\n# Submit it with: %s FILE\n#\n", form->submit);
    write_text(out, form->about, values);
    write_directives(out, form, values);
    fputc('\n', out);
}

/* So that small numbers of nodes do not hold the nodes of large ones. */
static void write_submission(FILE *out, const struct job_script *script, const struct job_form *form,
                             const struct values *values)
{
    if (script->array_count == 0) return;
    fprintf(
        out,
        "# Outside of a job: a job each, so that the small ones do not hold the nodes of the large ones.\nif %s; then\n"
        "    for nodes in",
        form->outside);
    for (int i = 0; i < script->array_count; i++) fprintf(out, " %d", script->array[i]);
    fputs("; do\n        ", out);
    write_text(out, form->submit_each, values);
    fputs("\n    done\n    exit\nfi\n\n", out);
}

static void write_modules(FILE *out, const struct job_script *script)
{
    if (script->module_count == 0) return;
    fputs("# A shell that is no login shell may not know modules yet.\n"
          "if ! type module >/dev/null 2>&1; then . /etc/profile; fi\n",
          out);
    for (int i = 0; i < script->module_count; i++) {
        fputs("module load ", out);
        quote_write(out, script->modules[i]);
        fputs(" || exit\n", out);
    }
    fputc('\n', out);
}

/* Quoted also where it need not be: checkers of scripts take x-y for arithmetic. */
static void write_quoted(FILE *out, const char *text)
{
    bool plain = true;
    for (const char *c = text; *c; c++) plain = plain && *c != '\'' && isprint((unsigned char)*c);
    if (plain)
        fprintf(out, "'%s'", text);
    else
        quote_write(out, text);
}

/* The file's name, with the number of nodes before its suffix where there is a job each. */
static void write_file(FILE *out, const struct job_script *script)
{
    const char *slash = strrchr(script->file, '/'), *name = slash ? slash + 1 : script->file;
    const char *suffix = strrchr(name, '.');
    char stem[4096];
    if (!suffix || suffix == name) suffix = script->file + strlen(script->file);
    snprintf(stem, sizeof stem, "%.*s", (int)(suffix - script->file), script->file);
    fputs("file=", out);
    write_quoted(out, script->array_count > 0 ? stem : script->file);
    if (script->array_count > 0) {
        fputs("-\"$nodes\"", out);
        if (*suffix) write_quoted(out, suffix);
    }
    fputc('\n', out);
}

static void write_preparation(FILE *out, const struct job_script *script, const struct job_form *form,
                              const struct values *values)
{
    write_modules(out, script);
    fputs("set -eu\n", out);
    write_text(out, form->start, values);
    fputs("speedup=", out);
    quote_write(out, script->program);
    fputc('\n', out);
    if (script->array_count > 0) fprintf(out, "nodes=%s\n", form->nodes);
    write_file(out, script);
    fprintf(out, "\necho \"$(date '+%%F %%T'), %s\"\n\"$speedup\" machine || true\n\n", form->where);
}

/* Where the study's line does not say it: all nodes of the job; of one job for all, each power of two up to them,
 * unless the study compares them. */
static void write_nodes(FILE *out, const struct job_script *script)
{
    if (script->array_count > 0) fputs(" --nodes \"$nodes\"", out);
    if (script->array_count > 0 || script->nodes == 1) return;
    fputs(" --nodes ", out);
    for (long long nodes = 1; nodes < script->nodes && !script->all_at_once; nodes *= 2) fprintf(out, "%lld,", nodes);
    fprintf(out, "%d", script->nodes);
}

static void write_study(FILE *out, const struct job_script *script, const struct job_form *form)
{
    int end = 0;
    while (end < script->word_count && strcmp(script->words[end], "--") != 0) end++;
    if (!form->signals)
        fprintf(out, "timeout --foreground --signal=TERM \"$((%.0f - SECONDS))\" ",
                60 * ceil(script->walltime_s / 60) - ceil(script->signal_before_s));
    fputs("\"$speedup\" study", out);
    for (int i = 0; i < end; i++) {
        fputc(' ', out);
        quote_write(out, script->words[i]);
    }
    if (!script->words_have_nodes) write_nodes(out, script);
    fputs(" -o \"$file\" --resume", out);
    for (int i = end; i < script->word_count; i++) {
        fputc(' ', out);
        quote_write(out, script->words[i]);
    }
    fputs(" &\nstudy=$!\n", out);
}

static void write_run(FILE *out, const struct job_script *script, const struct job_form *form)
{
    fputs("# Signals are handed on to the study, which then closes its file. It runs in the background, since bash "
          "heeds no\n"
          "# signal while something runs in the foreground.\n"
          "study='' stopped='' time_is_up=''\n"
          "stop() {\n"
          "    stopped=yes\n"
          "    if [ -n \"$study\" ]; then kill -TERM \"$study\" 2>/dev/null || true; fi\n"
          "}\n"
          "trap stop TERM INT\n",
          out);
    if (form->signals)
        fputs("trap 'time_is_up=yes; stop' USR1\n", out);
    else
        fputs("# Samples that count. A start that adds none would add none the next time either.\n"
              "samples() { grep '\"type\":\"sample\"' \"$file\" 2>/dev/null | grep -vc '\"valid\":false' || true; }\n"
              "before=$(samples)\n",
              out);
    write_study(out, script, form);
    fprintf(out, "if [ -n \"$stopped\" ]; then stop; fi # one that came before there was a study\n"
                 "status=0\n"
                 "wait \"$study\" || status=$?\n"
                 "while kill -0 \"$study\" 2>/dev/null; do # the signal ended the wait alone\n"
                 "    status=0\n"
                 "    wait \"$study\" || status=$?\n"
                 "done\n");
    if (!form->signals)
        fputs("if [ \"$status\" -eq 124 ]; then time_is_up=yes status=130; fi # timeout's own status\n", out);
}

void job_script_write(FILE *out, const struct job_script *script)
{
    const struct job_form *form = job_form(script->scheduler);
    struct values values;
    set_values(script, &values);
    write_heading(out, script, form, &values);
    write_submission(out, script, form, &values);
    write_preparation(out, script, form, &values);
    write_run(out, script, form);
    fputs("\nif [ -n \"$time_is_up\" ] && [ \"$status\" -gt 128 ]; then # cut short: more is to be done\n", out);
    if (!form->signals)
        fputs("    if [ \"$(samples)\" -le \"$before\" ]; then\n"
              "        echo \"Time is up, and no sample was added to $file: give the job more time, or the study a "
              "smaller --size.\" >&2\n"
              "        exit 1\n"
              "    fi\n",
              out);
    write_text(out, form->time_is_up, &values);
    fputs("fi\nexit \"$status\"\n", out);
}
