/* Words and settings lie one behind the other in the target's buffers, so that a configuration can be copied. */
#include "command.h"

#include "quote.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const built_in[] = {"workers", "ranks", "threads", "nodes", "size", NULL};

static const char *nth(const char *texts, int index)
{
    for (; index > 0; index--) texts += strlen(texts) + 1;
    return texts;
}

/* Bytes that the first `count` texts take. */
static size_t length_of(const char *texts, int count)
{
    return (size_t)(nth(texts, count) - texts);
}

const char *command_word(const struct command_target *target, int index)
{
    return nth(target->words, index);
}

const char *command_setting(const struct command_target *target, int index)
{
    return nth(target->settings, index);
}

int command_set_words(struct command_target *target, int count, char *const words[], struct error *error)
{
    size_t needed = 0;
    for (int i = 0; i < count; i++) needed += strlen(words[i]) + 1;
    if (count == 0 || !words[0][0])
        return error_set(error, STATUS_USAGE,
                         "no command stands behind --; give one, such as: -- ./app --threads {threads}");
    if (needed > sizeof target->words)
        return error_set(error, STATUS_USAGE,
                         "the command takes %zu bytes, and %zu are allowed; put it into a script, and name that",
                         needed, sizeof target->words);
    char *at = target->words;
    for (int i = 0; i < count; i++) at = stpcpy(at, words[i]) + 1;
    target->word_count = count;
    return STATUS_OK;
}

int command_add_setting(struct command_target *target, const char *setting, struct error *error)
{
    const char *end = strchr(setting, '=');
    bool named = end && end > setting && !isdigit((unsigned char)*setting);
    for (const char *c = setting; named && c < end; c++) named = isalnum((unsigned char)*c) || *c == '_';
    if (!named)
        return error_set(error, STATUS_USAGE,
                         "--env %.200s is not allowed; allowed: NAME=VALUE, such as MKL_NUM_THREADS={threads}",
                         setting);
    size_t used = length_of(target->settings, target->setting_count), length = strlen(setting) + 1;
    if (length > sizeof target->settings - used)
        return error_set(error, STATUS_USAGE,
                         "--env: all of them may take %zu bytes; set the others before you start speedup",
                         sizeof target->settings);
    memcpy(target->settings + used, setting, length);
    target->setting_count++;
    return STATUS_OK;
}

static bool same_texts(const char *a, int a_count, const char *b, int b_count)
{
    size_t length = length_of(a, a_count);
    return a_count == b_count && length == length_of(b, b_count) && memcmp(a, b, length) == 0;
}

bool command_same(const struct command_target *a, const struct command_target *b)
{
    return same_texts(a->words, a->word_count, b->words, b->word_count) &&
           same_texts(a->settings, a->setting_count, b->settings, b->setting_count) && a->shell == b->shell &&
           a->bind == b->bind && strcmp(a->time, b->time) == 0;
}

/* The length of the name of a placeholder whose opening brace is at the text; 0: it is none. */
static size_t placeholder_length(const char *at)
{
    size_t length = 1;
    if (!isalpha((unsigned char)at[1]) && at[1] != '_') return 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_') length++;
    return at[length] == '}' ? length - 1 : 0;
}

static bool is_name(const char *name, const char *at, size_t length)
{
    return strlen(name) == length && memcmp(name, at, length) == 0;
}

/* Writes what the name stands for. Returns whether it is known. */
static bool write_value(const struct config *config, const char *at, size_t length, FILE *stream)
{
    const struct mode *mode = &config->mode;
    const int numbers[] = {mode_workers(mode), mode->ranks, mode->threads, mode_nodes(mode)};
    for (int i = 0; i < 4; i++)
        if (is_name(built_in[i], at, length)) return fprintf(stream, "%d", numbers[i]) > 0;
    if (is_name("size", at, length) && config->size[0]) return fputs(config->size, stream) >= 0;
    for (int i = 0; i < config->option_count; i++)
        if (is_name(config->options[i].name, at, length)) return fputs(config->options[i].value, stream) >= 0;
    return false;
}

static int report_unknown(const struct config *config, const char *at, size_t length, struct error *error)
{
    char known[512] = "{workers}, {ranks}, {threads}, {nodes}";
    if (is_name("size", at, length))
        return error_set(error, STATUS_USAGE, "{size} is in the command, and no size was given; give one with --size");
    for (int i = 0; i < config->option_count; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, ", {%s}", config->options[i].name);
    }
    return error_set(
        error, STATUS_USAGE,
        "{%.*s} stands for nothing; known here: %s%s. Parameters come from -L NAME VALUES; {{%.*s}} is for the braces "
        "themselves",
        (int)(length < 60 ? length : 60), at, known, config->size[0] ? ", {size}" : "",
        (int)(length < 60 ? length : 60), at);
}

int command_expand(const struct config *config, const char *template, char **text_p, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    int status = stream ? STATUS_OK : error_set(error, STATUS_FAILED, "no memory");
    for (const char *at = template; !status && *at;) {
        size_t length = *at == '{' && at[1] != '{' ? placeholder_length(at) : 0;
        bool doubled = (*at == '{' || *at == '}') && at[1] == *at;
        if (length == 0) {
            fputc(*at, stream);
            at += 1 + doubled;
        } else if (write_value(config, at + 1, length, stream)) {
            at += length + 2;
        } else {
            status = report_unknown(config, at + 1, length, error);
        }
    }
    if (stream && (ferror(stream) | fclose(stream)) && !status) status = error_set(error, STATUS_FAILED, "no memory");
    if (status)
        free(text);
    else
        *text_p = text;
    return status;
}

static bool uses(const char *template, const char *name)
{
    for (const char *at = template; *at; at++) {
        if ((*at == '{' || *at == '}') && at[1] == *at)
            at++;
        else if (*at == '{' && placeholder_length(at) > 0 && is_name(name, at + 1, placeholder_length(at)))
            return true;
    }
    return false;
}

bool command_uses(const struct command_target *target, const char *placeholder)
{
    bool any = uses(target->launcher, placeholder);
    for (int i = 0; i < target->word_count; i++) any |= uses(command_word(target, i), placeholder);
    for (int i = 0; i < target->setting_count; i++) any |= uses(command_setting(target, i), placeholder);
    return any;
}

bool command_name_is_free(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_') return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_') return false;
    for (int i = 0; built_in[i]; i++)
        if (strcmp(name, built_in[i]) == 0) return false;
    return true;
}

static char *text_of(const struct config *config, const struct command_target *target)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return NULL;
    for (int i = 0; i < target->word_count; i++) {
        struct error error;
        char *word = NULL;
        if (i > 0) fputc(' ', stream);
        if (config && command_expand(config, command_word(target, i), &word, &error)) word = NULL;
        quote_write(stream, word ? word : command_word(target, i));
        free(word);
    }
    bool failed = ferror(stream) != 0;
    failed |= fclose(stream) != 0;
    if (!failed) return text;
    free(text);
    return NULL;
}

char *command_text(const struct command_target *target)
{
    return text_of(NULL, target);
}

char *command_text_expanded(const struct config *config)
{
    return text_of(config, &config->command);
}
