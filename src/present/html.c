/* Escaping, and JSON values as HTML. Well-formed as XML too, so that any parser reads the report. */
#include "html.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* Bytes of the valid UTF-8 sequence at `text`; 0 where it is broken. */
static int sequence_length(const unsigned char *text)
{
    int length = text[0] < 0x80   ? 1
                 : text[0] < 0xc2 ? 0
                 : text[0] < 0xe0 ? 2
                 : text[0] < 0xf0 ? 3
                 : text[0] < 0xf5 ? 4
                                  : 0;
    for (int i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
    }
    bool overlong_or_surrogate = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0) ||
                                 (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90) ||
                                 (text[0] == 0xef && text[1] == 0xbf && text[2] >= 0xbe);
    return length > 1 && overlong_or_surrogate ? 0 : length;
}

static const char *entity(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return byte == 0x7f || (byte < ' ' && byte != '\n' && byte != '\t') ? "\ufffd" : NULL;
    }
}

static void write_escaped(FILE *file, const char *text, bool join)
{
    const unsigned char *byte = (const unsigned char *)text;
    bool digit = false; /* stands before it */
    while (*byte != '\0') {
        int length = sequence_length(byte);
        const char *instead = length == 0 ? "\ufffd" : entity(*byte);
        if (join && digit && byte[0] == ' ' && byte[1] == '%') instead = "&#160;";
        digit = *byte >= '0' && *byte <= '9';
        if (instead != NULL) {
            fputs(instead, file);
        } else {
            fwrite(byte, 1, (size_t)length, file);
        }
        byte += length > 0 ? length : 1;
    }
}

void html_text(FILE *file, const char *text)
{
    write_escaped(file, text, false);
}

void html_sentence(FILE *file, const char *text)
{
    write_escaped(file, text, true);
}

void html_write(FILE *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            putc(*format, file);
            continue;
        }
        switch (*++format) {
        case 's':
            html_text(file, va_arg(arguments, const char *));
            break;
        case 'd':
            fprintf(file, "%d", va_arg(arguments, int));
            break;
        default:
            assert(*format == '%');
            putc('%', file);
        }
    }
    va_end(arguments);
}

void html_json_name(FILE *file, const char *name)
{
    char text[128];
    snprintf(text, sizeof text, "%s", name);
    for (char *mark = text; (mark = strchr(mark, '_')) != NULL;) *mark = ' ';
    html_text(file, text);
}

static void write_array(FILE *file, const json_t *array)
{
    size_t i;
    json_t *item;
    bool flat = true;
    json_array_foreach(array, i, item) flat &= json_is_number(item) || json_is_boolean(item);
    fputs(flat ? "" : "<ul>", file);
    json_array_foreach(array, i, item)
    {
        fputs(flat ? (i > 0 ? ", " : "") : "<li>", file);
        html_json(file, item);
        fputs(flat ? "" : "</li>", file);
    }
    fputs(flat ? "" : "</ul>", file);
    if (json_array_size(array) == 0) fputs("none", file);
}

static void write_object(FILE *file, const json_t *object)
{
    if (json_object_size(object) == 0) {
        fputs("none", file);
        return;
    }
    const char *name;
    json_t *value;
    fputs("<dl>", file);
    json_object_foreach((json_t *)object, name, value)
    {
        fputs("<dt>", file);
        html_json_name(file, name);
        fputs("</dt><dd>", file);
        html_json(file, value);
        fputs("</dd>", file);
    }
    fputs("</dl>\n", file);
}

void html_json(FILE *file, const json_t *value)
{
    switch (value != NULL ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        write_object(file, value);
        break;
    case JSON_ARRAY:
        write_array(file, value);
        break;
    case JSON_STRING:
        html_text(file, json_string_length(value) > 0 ? json_string_value(value) : "-");
        break;
    case JSON_INTEGER:
        fprintf(file, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        fprintf(file, "%.6g", json_real_value(value));
        break;
    case JSON_TRUE:
        fputs("yes", file);
        break;
    case JSON_FALSE:
        fputs("no", file);
        break;
    case JSON_NULL:
        fputs("unknown", file);
        break;
    }
}
