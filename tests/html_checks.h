/* What every page has to be: well-formed, so that any parser reads it, and in need of nothing else. */
#ifndef TESTS_HTML_CHECKS_H
#define TESTS_HTML_CHECKS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Fails unless every tag is closed in order and every & starts a reference. */
static inline void assert_well_formed(const char *html)
{
    char open[64][32];
    int depth = 0;
    assert_int_equal(strncmp(html, "<!DOCTYPE html>", 15), 0);
    for (const char *at = html + 15; *at != '\0'; at++) {
        if (*at == '&') assert_true(strcspn(at, ";") < strcspn(at + 1, "& <\n") + 1);
        if (*at != '<') continue;
        const char *end = strchr(at, '>');
        assert_non_null(end);
        bool closing = at[1] == '/';
        char name[32] = "";
        sscanf(at + 1 + closing, "%31[a-zA-Z0-9]", name);
        assert_true(strlen(name) > 0);
        if (closing) {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (end[-1] != '/') {
            assert_true(depth < 64);
            memcpy(open[depth++], name, sizeof name);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

/* The file as heap text. */
static inline char *read_whole(const char *file_path)
{
    struct stat info;
    FILE *file = fopen(file_path, "r");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    char *text = calloc((size_t)info.st_size + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)info.st_size, file), info.st_size);
    fclose(file);
    return text;
}

#endif
