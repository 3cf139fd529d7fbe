/* What is measured, in a few words: a kernel by its name; a command as one would type it, in which nothing is left that
 * a terminal would obey. A title has little room: the middle of a long command says the least. */
#include "../plan/command.h"
#include "../plan/quote.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

bool target_is_command(const struct config *config)
{
    return config->command.word_count > 0;
}

/* Braces are quoted for the sake of some shells alone, and placeholders read better without. */
static void write_word(FILE *stream, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-{}";
    if (*word && word[strspn(word, plain)] == '\0')
        fputs(word, stream);
    else
        quote_write(stream, word);
}

static void write_template(FILE *stream, const struct config *config, bool expanded, const char *template)
{
    struct error error;
    char *text = NULL;
    if (!expanded || command_expand(config, template, &text, &error)) text = NULL;
    write_word(stream, text ? text : template);
    free(text);
}

/* In front of its words, what the settings are; heap. NULL: no memory. */
static char *typed(const struct config *config, bool expanded)
{
    const struct command_target *command = &config->command;
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return NULL;
    for (int i = 0; i < command->setting_count; i++) {
        write_template(stream, config, expanded, command_setting(command, i));
        fputc(' ', stream);
    }
    if (command->shell) fputs("sh -c ", stream);
    for (int i = 0; i < command->word_count; i++) {
        if (i > 0) fputc(' ', stream);
        write_template(stream, config, expanded, command_word(command, i));
    }
    bool failed = ferror(stream) != 0;
    failed |= fclose(stream) != 0;
    if (!failed) return text;
    free(text);
    return NULL;
}

/* Bytes of so many columns from there on. */
static size_t bytes_of(const char *text, int columns)
{
    size_t bytes = 0;
    for (; text[bytes] && columns > 0; columns--) do
            bytes++;
        while (((unsigned char)text[bytes] & 0xc0) == 0x80);
    return bytes;
}

/* Cut out of the middle, so that it is of so many columns and fits. */
static void shorten(const char *text, int columns, size_t length, char *text_p)
{
    static const char gap[] = "...";
    int width = text_width(text);
    if (width <= columns && strlen(text) < length) {
        strcpy(text_p, text);
        return;
    }
    if (columns > width) columns = width;
    for (; columns > 3; columns--) {
        int tail = (columns - 3) / 3, head = columns - 3 - tail;
        size_t first = bytes_of(text, head), last = bytes_of(text, width - tail);
        if (first + strlen(gap) + strlen(text + last) >= length) continue;
        snprintf(text_p, length, "%.*s%s%s", (int)first, text, gap, text + last);
        return;
    }
    snprintf(text_p, length, "%s", gap);
}

static const char *describe(const struct config *config, bool expanded, int columns, size_t length, char *text)
{
    char *whole = target_is_command(config) ? typed(config, expanded) : NULL;
    if (whole)
        shorten(whole, columns, length, text);
    else
        snprintf(text, length, "%s", config->kernel);
    free(whole);
    return text;
}

const char *target_text(const struct config *config, int columns, size_t length, char *text)
{
    return describe(config, false, columns, length, text);
}

const char *target_text_expanded(const struct config *config, int columns, size_t length, char *text)
{
    return describe(config, true, columns, length, text);
}

const char *target_mode_text(const struct config *config)
{
    static const char *const texts[MODE_COUNT] = {
        [MODE_SERIAL] = "one worker on one core: the base",
        [MODE_MULTITASK] = "W threads asked for, on one core, where they take turns",
        [MODE_MULTITASK_MPI] = "W processes asked for, on one core, where they take turns",
        [MODE_THREADS] = "W threads asked for, on W cores",
        [MODE_MPI] = "W processes asked for, on W cores",
        [MODE_HYBRID] = "R processes of T threads each asked for, on R x T cores",
    };
    static const char *const unbound[MODE_COUNT] = {
        [MODE_SERIAL] = "one worker: the base",         [MODE_MULTITASK] = "W threads asked for",
        [MODE_MULTITASK_MPI] = "W processes asked for", [MODE_THREADS] = "W threads asked for",
        [MODE_MPI] = "W processes asked for",           [MODE_HYBRID] = "R processes of T threads each asked for",
    };
    enum mode_name name = config->mode.name;
    return !target_is_command(config) ? mode_summary(name) : config->command.bind ? texts[name] : unbound[name];
}

/* "regex UNIT PATTERN", "json UNIT PATH" (config.h). */
const char *target_time_text(const struct config *config, size_t length, char *text)
{
    const char *time = config->command.time, *unit = strchr(time, ' ');
    const char *what = unit ? strchr(unit + 1, ' ') : NULL;
    if (strcmp(time, "process") == 0)
        snprintf(text, length, "the whole process, from its start to its end");
    else if (what && strncmp(time, "regex ", 6) == 0)
        snprintf(text, length, "the program's own, by the regular expression %s, in %.*s", what + 1,
                 (int)(what - unit - 1), unit + 1);
    else if (what && strncmp(time, "json ", 5) == 0)
        snprintf(text, length, "the program's own, at %s of its JSON, in %.*s", what + 1, (int)(what - unit - 1),
                 unit + 1);
    else
        snprintf(text, length, "taken in a way that is not known here: %s", time);
    return text;
}

json_t *target_json_text(const char *text)
{
    json_t *string = json_string(text);
    if (string || !text) return string;
    char *copy = strdup(text);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    string = copy ? json_string(copy) : NULL;
    free(copy);
    return string;
}
