/* The parser: one pass over the arguments. Options are set as they come, operands gather at the front of argv. Help is
 * looked for first, so that it is had whatever else is wrong on the line. */
#include "options.h"

#include "values.h"

#include <string.h>

enum { NAMES_MAX = 64, NAME_LENGTH = 64 };

struct parser {
    const struct options *options;
    int argc;
    char **argv;
    int next; /* the first argument not read yet */
    struct error *error;
};

static bool help_wanted(int argc, char *const argv[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) return true;
    return false;
}

static const struct option *find_name(const struct option *option, const char *name)
{
    while (option->name && strcmp(option->name, name) != 0) option++;
    return option->name ? option : NULL;
}

static const struct option *find_letter(const struct option *option, char letter)
{
    while (option->name && option->letter != letter) option++;
    return option->name ? option : NULL;
}

static int report_unknown(const struct parser *parser, const char *argument)
{
    const struct options *options = parser->options;
    const char *names[NAMES_MAX], *name = argument + strspn(argument, "-");
    char stem[NAME_LENGTH];
    int count = 0;
    for (const struct option *option = options->table; option->name && count < NAMES_MAX - 2; option++)
        names[count++] = option->name;
    for (const char *const *other = options->unknown_names; other && *other && count < NAMES_MAX - 2; other++)
        names[count++] = *other;
    names[count++] = "help";
    names[count] = NULL;
    snprintf(stem, sizeof stem, "%.*s", (int)strcspn(name, "="), name);
    const char *nearest = options_nearest(stem, names);
    return error_set(parser->error, STATUS_USAGE, "unknown option '%.80s'%s%s%s (see 'speedup %s --help')", argument,
                     nearest ? "; did you mean '--" : "", nearest ? nearest : "", nearest ? "'?" : "",
                     options->command->name);
}

static bool takes_two(const struct option *option)
{
    return option->type == OPT_PAIRS || option->type == OPT_LISTS;
}

static int report_missing(const struct parser *parser, const struct option *option)
{
    return error_set(parser->error, STATUS_USAGE, "--%s needs %s: --%s %s (see 'speedup %s --help')", option->name,
                     takes_two(option) ? "two values" : "a value", option->name, option->argument,
                     parser->options->command->name);
}

static const char *peek_value(const struct parser *parser)
{
    if (parser->next >= parser->argc) return NULL;
    const char *value = parser->argv[parser->next];
    return strncmp(value, "--", 2) == 0 ? NULL : value;
}

/* `value` is what was joined to the option, or NULL. */
static int set_with_value(struct parser *parser, const struct option *option, const char *value)
{
    if (!value) {
        value = peek_value(parser);
        if (!value) return report_missing(parser, option);
        parser->next++;
    }
    if (option->type == OPT_TEXTS) return option_add_text(option, NULL, value, parser->error);
    if (!takes_two(option)) return option_set(option, value, parser->error);
    const char *second = peek_value(parser);
    if (!second) return report_missing(parser, option);
    parser->next++;
    if (option->type == OPT_LISTS) return option_add_text(option, value, second, parser->error);
    return option_add_pair(option, value, second, parser->error);
}

static int set_flag(const struct parser *parser, const struct option *option, bool on, const char *value)
{
    if (value)
        return error_set(parser->error, STATUS_USAGE, "--%s takes no value, but '%.60s' was given", option->name,
                         value);
    *(bool *)option->value = on;
    return 0;
}

static int parse_unknown(struct parser *parser, const char *argument, const char *name, const char *value)
{
    if (!parser->options->unknown) return report_unknown(parser, argument);
    const char *next = value ? NULL : peek_value(parser);
    int status = parser->options->unknown(parser->options->context, name, value ? value : next, parser->error);
    if (status < 0) return status;
    if (status == 0) return report_unknown(parser, argument);
    if (next) parser->next++;
    return 0;
}

static int parse_long(struct parser *parser, const char *argument)
{
    const struct option *table = parser->options->table;
    char name[NAME_LENGTH];
    size_t length = strcspn(argument + 2, "=");
    const char *value = argument[2 + length] ? argument + 2 + length + 1 : NULL;
    if (length == 0 || length >= sizeof name) return report_unknown(parser, argument);
    memcpy(name, argument + 2, length);
    name[length] = '\0';

    const struct option *option = find_name(table, name);
    if (option && option->type == OPT_FLAG) return set_flag(parser, option, true, value);
    if (option) return set_with_value(parser, option, value);
    option = strncmp(name, "no-", 3) ? NULL : find_name(table, name + 3);
    if (option && option->type == OPT_FLAG) return set_flag(parser, option, false, value);
    return parse_unknown(parser, argument, name, value);
}

static int parse_letters(struct parser *parser, const char *argument)
{
    for (const char *letter = argument + 1; *letter; letter++) {
        const struct option *option = find_letter(parser->options->table, *letter);
        if (!option) return report_unknown(parser, argument);
        if (option->type != OPT_FLAG) {
            const char *value = letter[1] == '=' ? letter + 2 : letter + 1;
            return set_with_value(parser, option, letter[1] ? value : NULL);
        }
        const char *value = letter[1] == '=' ? letter + 2 : NULL;
        int status = set_flag(parser, option, true, value);
        if (status) return status;
    }
    return 0;
}

int options_parse(const struct options *options, int argc, char **argv, int *operand_count_p, struct error *error_p)
{
    struct parser parser = {.options = options, .argc = argc, .argv = argv, .next = 1, .error = error_p};
    bool options_ended = false;
    int operands = 0;
    if (help_wanted(argc, argv)) {
        options_print_help(options, stdout);
        return 1;
    }
    while (parser.next < argc) {
        char *argument = argv[parser.next++];
        int status = 0;
        if (options_ended || argument[0] != '-' || !argument[1])
            argv[1 + operands++] = argument;
        else if (!strcmp(argument, "--"))
            options_ended = true;
        else if (argument[1] == '-')
            status = parse_long(&parser, argument);
        else
            status = parse_letters(&parser, argument);
        if (status) return status;
    }
    *operand_count_p = operands;
    return 0;
}
