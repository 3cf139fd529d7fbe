#include "quote.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the UTF-8 character at the text; 0 where it is none, or a control character. RFC 3629. */
static size_t printable_length(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned lead = bytes[0], code;
    size_t length;
    if (lead < 0x80) return lead >= 0x20 && lead != 0x7f;
    if (lead >= 0xc2 && lead < 0xe0)
        length = 2, code = lead & 0x1f;
    else if (lead >= 0xe0 && lead < 0xf0)
        length = 3, code = lead & 0x0f;
    else if (lead >= 0xf0 && lead < 0xf5)
        length = 4, code = lead & 0x07;
    else
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    bool no_character = (code >= 0xd800 && code < 0xe000) || code > 0x10ffff || (code >= 0x80 && code < 0xa0);
    return overlong || no_character ? 0 : length;
}

static bool is_printable(const char *text)
{
    while (*text) {
        size_t length = printable_length(text);
        if (length == 0) return false;
        text += length;
    }
    return true;
}

static void write_escaped(FILE *stream, const char *text)
{
    fputs("$'", stream);
    while (*text) {
        size_t length = printable_length(text);
        if (*text == '\n')
            fputs("\\n", stream);
        else if (*text == '\t')
            fputs("\\t", stream);
        else if (*text == '\\' || *text == '\'')
            fprintf(stream, "\\%c", *text);
        else if (length == 0)
            fprintf(stream, "\\%03o", (unsigned)(unsigned char)*text);
        else
            fwrite(text, 1, length, stream);
        text += length > 0 ? length : 1;
    }
    fputc('\'', stream);
}

void quote_write(FILE *stream, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
    if (text[0] && text[strspn(text, plain)] == '\0') {
        fputs(text, stream);
        return;
    }
    if (!is_printable(text)) {
        write_escaped(stream, text);
        return;
    }
    fputc('\'', stream);
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stream);
        else
            fputc(*text, stream);
    }
    fputc('\'', stream);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Copies one word, which is shorter than what it is written from. Returns where it ends; NULL: a quote is not closed.
 */
static const char *copy_word(const char *at, char *word)
{
    char quote = '\0';
    for (; *at && (quote || !is_blank(*at)); at++) {
        bool escapes = quote == '"' && (at[1] == '"' || at[1] == '\\' || at[1] == '$' || at[1] == '`');
        if (*at == '\\' && at[1] && (!quote || escapes))
            *word++ = *++at;
        else if (*at == quote)
            quote = '\0';
        else if (!quote && (*at == '\'' || *at == '"'))
            quote = *at;
        else
            *word++ = *at;
    }
    *word = '\0';
    return quote ? NULL : at;
}

void quote_free_words(char **words)
{
    for (char **word = words; word && *word; word++) free(*word);
    free(words);
}

int quote_split(const char *text, char ***words_p)
{
    /* No more words than every second character begins one. */
    size_t length = strlen(text), count = 0;
    char **words = calloc(length / 2 + 2, sizeof *words);
    int status = words ? 0 : -ENOMEM;
    while (status == 0) {
        while (is_blank(*text)) text++;
        if (!*text) break;
        words[count] = malloc(strlen(text) + 1);
        if (!words[count]) {
            status = -ENOMEM;
            break;
        }
        text = copy_word(text, words[count++]);
        if (!text) status = -EINVAL;
    }
    if (status == 0)
        *words_p = words;
    else
        quote_free_words(words);
    return status;
}
