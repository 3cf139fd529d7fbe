/* What a stream can show (colour, UTF-8, width), and text that keeps to it.
 *
 * UTF-8 is read from the locale's CODESET, so main calls setlocale(LC_CTYPE, "") first: without it the locale is "C"
 * and everything here falls back to ASCII. Widths count code points: the program's own text has no wide or combining
 * characters. */
#include "text.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 20, WIDTH_MAX = 1000 };

int style_terminal_width(FILE *stream)
{
    struct winsize size;
    if (fileno(stream) < 0 || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

static int find_width(FILE *stream)
{
    int width = style_terminal_width(stream);
    const char *columns = getenv("COLUMNS");
    if (width == 0 && columns != NULL) width = (int)strtol(columns, NULL, 10);
    if (width <= 0) return WIDTH_DEFAULT;
    if (width < WIDTH_MIN) return WIDTH_MIN;
    return width < WIDTH_MAX ? width : WIDTH_MAX;
}

void style_for(FILE *stream, struct style *style_p)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool terminal = fileno(stream) >= 0 && isatty(fileno(stream));
    bool refused = no_color != NULL && no_color[0] != '\0';
    bool capable = term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
    style_p->colour = terminal && capable && !refused;
    style_p->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    style_p->width = find_width(stream);
}

const char *style_tone(const struct style *style, enum tone tone)
{
    static const char *const codes[] = {
        [TONE_PLAIN] = "\x1b[0m", [TONE_STRONG] = "\x1b[1m", [TONE_DIM] = "\x1b[2m",
        [TONE_GOOD] = "\x1b[32m", [TONE_BAD] = "\x1b[1;31m", [TONE_BAR] = "\x1b[36m",
    };
    return style->colour ? codes[tone] : "";
}

/* Those of the 256 colours that come nearest to Okabe and Ito's, with black or white letters, whichever is legible. */
const char *style_task_tone(const struct style *style, int task, bool ground)
{
    static const char *const codes[][2] = {
        {"\x1b[38;5;32m", "\x1b[38;5;231;48;5;25m"},  {"\x1b[38;5;208m", "\x1b[38;5;16;48;5;208m"},
        {"\x1b[38;5;36m", "\x1b[38;5;16;48;5;36m"},   {"\x1b[38;5;175m", "\x1b[38;5;16;48;5;175m"},
        {"\x1b[38;5;117m", "\x1b[38;5;16;48;5;117m"}, {"\x1b[38;5;185m", "\x1b[38;5;16;48;5;185m"}};
    return style->colour ? codes[task % (int)(sizeof codes / sizeof *codes)][ground] : "";
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

int text_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++) width += !is_continuation(*text);
    return width;
}

/* U+0080 to U+009F: terminals take them for the beginnings of commands. */
static bool is_control(const char *text)
{
    return (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
}

void text_print_plain(FILE *stream, const struct style *style, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < ' ' || byte == 0x7f) {
            putc('?', stream);
        } else if (i + 1 < count && is_control(text + i)) {
            putc('?', stream);
            i++;
        } else if (byte < 0x80 || style->utf8) {
            putc(byte, stream);
        } else if (!is_continuation(text[i])) {
            putc('?', stream);
        }
    }
}

static bool ends_word(char byte)
{
    return (unsigned char)byte <= ' ' || byte == 0x7f;
}

/* The bytes of the longest beginning of a word that fits into `room` columns, at least one character. */
static size_t fitting_bytes(const char *word, size_t length, int room)
{
    size_t bytes = 0;
    for (int columns = 0; bytes < length && (columns < room || columns == 0); columns++) {
        do bytes++;
        while (bytes < length && is_continuation(word[bytes]));
    }
    return bytes;
}

static int count_columns(const char *word, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++) columns += !is_continuation(word[i]);
    return columns;
}

void text_print_wrapped(FILE *stream, const struct style *style, int column, int indent, const char *text)
{
    bool fresh = true; /* no word on this line yet */
    for (;;) {
        while (*text != '\0' && ends_word(*text)) text++;
        size_t length = 0;
        while (text[length] != '\0' && !ends_word(text[length])) length++;
        if (length == 0) break;

        int columns = count_columns(text, length);
        bool fits = column + (fresh ? 0 : 1) + columns <= style->width;
        if (!fits && !(fresh && column <= indent)) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
            fresh = true;
        }
        if (!fresh) column += putc(' ', stream) != EOF;
        size_t bytes = fitting_bytes(text, length, style->width - column);
        text_print_plain(stream, style, text, bytes);
        column += count_columns(text, bytes);
        fresh = bytes < length; /* the rest of an overlong word starts the next line */
        text += bytes;
        if (fresh) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
        }
    }
    putc('\n', stream);
}
