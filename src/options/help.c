/* Help from the same table that drives parsing: usage, the command's own text, the options in two columns. */
#include "options.h"

#include <string.h>

enum { WIDTH = 79, LEFT_MAX = 27 };

/* Columns that the first `length` bytes take; only the first byte of a UTF-8 character counts. */
static int columns(const char *text, size_t length)
{
    int count = 0;
    for (size_t i = 0; i < length; i++) count += (text[i] & 0xC0) != 0x80;
    return count;
}

static void print_paragraph(FILE *out, int column, int indent, const char *text, const char *end)
{
    bool line_empty = true;
    while (text < end) {
        size_t length = strcspn(text, " \n");
        int width = columns(text, length);
        if (!line_empty && column + 1 + width > WIDTH) {
            putc('\n', out);
            column = 0;
            line_empty = true;
        }
        int gap = line_empty ? indent - column : 1;
        if (gap < 0) gap = 0;
        fprintf(out, "%*s%.*s", gap, "", (int)length, text);
        column += gap + width;
        line_empty = false;
        text += length;
        text += strspn(text, " ");
    }
}

void options_print_wrapped(FILE *out, int column, int indent, const char *text)
{
    for (;; column = 0) {
        const char *end = strchrnul(text, '\n');
        if (*text == ' ')
            fprintf(out, "%*s%.*s", indent > column ? indent - column : 0, "", (int)(end - text), text);
        else
            print_paragraph(out, column, indent, text, end);
        putc('\n', out);
        if (!*end) return;
        text = end + 1;
    }
}

/* "  -w, --workers N"; returns its length. */
static int format_left(const struct option *option, size_t length, char *text)
{
    char letter[5] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    const char *argument = option->type == OPT_FLAG ? NULL : option->argument;
    return snprintf(text, length, "  %s--%s%s%s", letter, option->name, argument ? " " : "", argument ? argument : "");
}

static void print_option(FILE *out, const struct option *option, int indent)
{
    char left[128], help[1024];
    int column = format_left(option, sizeof left, left);
    size_t used = (size_t)snprintf(help, sizeof help, "%s", option->help);
    char lead[64] = " One of: ";
    if (option->type == OPT_PAIRS)
        snprintf(lead, sizeof lead, " %.*s is one of: ", (int)strcspn(option->argument, " "), option->argument);
    for (int i = 0; option->choices && option->choices[i] && used < sizeof help; i++)
        used += (size_t)snprintf(help + used, sizeof help - used, "%s%s", i ? ", " : lead, option->choices[i]);
    if (option->choices && used + 1 < sizeof help) strcpy(help + used, ".");
    fputs(left, out);
    if (column + 2 > indent) {
        putc('\n', out);
        column = 0;
    }
    options_print_wrapped(out, column, indent, help);
}

void options_print_help(const struct options *options, FILE *out)
{
    static const struct option help = {.letter = 'h', .name = "help", .type = OPT_FLAG, .help = "Prints this help."};
    char left[128];
    int indent = format_left(&help, sizeof left, left);
    for (const struct option *option = options->table; option->name; option++) {
        int column = format_left(option, sizeof left, left);
        if (column > indent && column <= LEFT_MAX) indent = column;
    }
    indent += 2;
    fprintf(out, "Usage: speedup %s %s\n\n", options->command->name, options->command->arguments);
    options_print_wrapped(out, 0, 0, options->command->description);
    fputs("\nOptions:\n", out);
    for (const struct option *option = options->table; option->name; option++) print_option(out, option, indent);
    print_option(out, &help, indent);
}
