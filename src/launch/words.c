/* A growing NULL-terminated array of texts. A failure is kept until the end, so that callers check once. */
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

static bool words_grow(struct words *words)
{
    if (words->count + 1 < words->capacity) return true;
    int capacity = words->capacity > 0 ? 2 * words->capacity : 32;
    char **items = realloc(words->items, (size_t)capacity * sizeof *items);
    if (!items) return false;
    words->items = items;
    words->capacity = capacity;
    return true;
}

void words_add(struct words *words, const char *format, ...)
{
    if (words->failed || !words_grow(words)) {
        words->failed = true;
        return;
    }
    va_list values;
    va_start(values, format);
    char *text = NULL;
    words->failed = vasprintf(&text, format, values) < 0;
    va_end(values);
    if (!words->failed) words->items[words->count++] = text;
    words->items[words->count] = NULL;
}

void words_add_all(struct words *words, const char *const texts[])
{
    for (; *texts; texts++) words_add(words, "%s", *texts);
}

char **words_take(struct words *words)
{
    /* No texts are an array as well. */
    if (!words->items && words_grow(words)) words->items[0] = NULL;
    char **items = words->items;
    if (words->failed) {
        words_free(items);
        items = NULL;
    }
    *words = (struct words){.items = NULL};
    return items;
}

void words_free(char **items)
{
    if (!items) return;
    for (char **item = items; *item; item++) free(*item);
    free(items);
}

const char *words_printable(const char *text, size_t length, char *printable_p)
{
    size_t used = 0;
    mbstate_t state = {0};
    while (*text) {
        wchar_t character;
        size_t bytes = mbrtowc(&character, text, strlen(text), &state);
        bool valid = bytes != (size_t)-1 && bytes != (size_t)-2;
        bool printable = valid && iswprint((wint_t)character);
        size_t width = printable ? bytes : 1;
        if (used + width + 1 > length) break;
        if (printable)
            memcpy(printable_p + used, text, bytes);
        else
            printable_p[used] = '?';
        used += width;
        text += valid ? bytes : 1;
        if (!valid) state = (mbstate_t){0};
    }
    if (length > 0) printable_p[used] = '\0';
    return printable_p;
}

void words_replace_setting(struct words *words, const char *setting)
{
    size_t length = strcspn(setting, "=");
    int kept = 0;
    for (int i = 0; i < words->count; i++) {
        if (strncmp(words->items[i], setting, length) == 0 && words->items[i][length] == '=')
            free(words->items[i]);
        else
            words->items[kept++] = words->items[i];
    }
    words->count = kept;
    if (words->items) words->items[kept] = NULL;
    words_add(words, "%s", setting);
}
