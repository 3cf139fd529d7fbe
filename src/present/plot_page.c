/* gnuplot's SVG for a page: the frame is replaced by one that stretches, and is named for those who cannot see it; in
 * the tags, colours become the page's, ids get the prefix, type becomes the page's. Text between tags is copied as it
 * is. */
#include "plot_script.h"

#include "html.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_MOST = 48 };

struct page {
    FILE *file;
    char prefix[PREFIX_MOST];
};

/* The page's name for a colour that stands for one (plot_style.c); NULL: it is none. */
static const char *colour_name(int number)
{
    static const char *const names[] = {"ink", "soft", "line", "page"};
    static const char *const series[] = {"series1", "series2", "series3", "series4",
                                         "series5", "series6", "series7", "series8"};
    if (number >= 1 && number <= 4) return names[number - 1];
    return number >= 11 && number <= 18 ? series[number - 11] : NULL;
}

/* A quoted value at `at`; *end_p is behind its closing quote. */
static bool find_value(const char *at, const char *end, const char **end_p)
{
    if (at >= end || (*at != '\'' && *at != '"')) return false;
    const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
    if (close) *end_p = close + 1;
    return close != NULL;
}

static bool begins(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0;
}

/* The value, its quotes included. */
static void write_value(const struct page *page, const char *at, const char *end)
{
    int red, green, number;
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)(end - at - 2 < 60 ? end - at - 2 : 60), at + 1);
    const char *name = sscanf(text, "rgb(%d,%d,%d)", &red, &green, &number) == 3 && red == 1 && green == 1
                           ? colour_name(number)
                       : strcmp(text, "black") == 0 ? "ink"
                       : strcmp(text, "white") == 0 ? "page"
                                                    : NULL;
    if (name)
        fprintf(page->file, "\"var(--%s)\"", name);
    else
        fwrite(at, 1, (size_t)(end - at), page->file);
}

/* One tag, from < to >. Names of attributes are looked for where a blank is before them. */
static void write_tag(const struct page *page, const char *at, const char *end)
{
    const char *stop;
    while (at < end) {
        if (begins(at, end, " id=") && find_value(at + 4, end, &stop)) {
            fprintf(page->file, " id=\"%s-%.*s\"", page->prefix, (int)(stop - at - 6), at + 5);
            at = stop;
        } else if (begins(at, end, " xlink:href=") && find_value(at + 12, end, &stop) && at[13] == '#') {
            fprintf(page->file, " href=\"#%s-%.*s\"", page->prefix, (int)(stop - at - 15), at + 14);
            at = stop;
        } else if (begins(at, end, "url(#")) {
            fprintf(page->file, "url(#%s-", page->prefix);
            at += 5;
        } else if (begins(at, end, " font-family=") && find_value(at + 13, end, &stop)) {
            at = stop;
        } else if (find_value(at, end, &stop)) {
            write_value(page, at, stop);
            at = stop;
        } else {
            fputc(*at++, page->file);
        }
    }
}

/* From the canvas to the end of the document. gnuplot gives each curve a title of its own, which says nothing. */
static void write_canvas(const struct page *page, const char *at)
{
    while (*at) {
        const char *open = strchr(at, '<');
        if (!open) break;
        fwrite(at, 1, (size_t)(open - at), page->file);
        const char *close = strchr(open, '>');
        if (!close) return;
        if (begins(open, close, "<title")) {
            const char *after = strstr(close, "</title>");
            if (!after) return;
            at = after + strlen("</title>");
            continue;
        }
        write_tag(page, open, close + 1);
        at = close + 1;
    }
    fputc('\n', page->file);
}

static void write_head(const struct page *page, int width, int height, const char *title, const char *caption)
{
    const char *id = page->prefix;
    html_write(
        page->file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"100%%\" "
        "aria-labelledby=\"%s-title %s-text\">\n<title id=\"%s-title\">%s</title>\n<desc id=\"%s-text\">%s</desc>\n",
        width, height, id, id, id, title, id, caption);
}

char *plot_page(const char *document, const char *prefix, const char *title, const char *caption)
{
    struct page page = {.prefix = ""};
    int width, height, letters = 0;
    const char *box = strstr(document, "viewBox=\"0 0 "), *canvas = strstr(document, "<g id=\"gnuplot_canvas\">");
    const char *end = strstr(document, "</svg>");
    if (!box || !canvas || !end || sscanf(box + 9, "0 0 %d %d", &width, &height) != 2) return NULL;
    for (const char *c = prefix; *c && letters < PREFIX_MOST - 1; c++)
        if (isalnum((unsigned char)*c) || *c == '-' || *c == '_') page.prefix[letters++] = *c;
    char *text = NULL;
    size_t length = 0;
    page.file = open_memstream(&text, &length);
    if (!page.file) return NULL;
    write_head(&page, width, height, title, caption);
    write_canvas(&page, canvas);
    bool bad = ferror(page.file);
    if (fclose(page.file) || bad) {
        free(text);
        return NULL;
    }
    return text;
}
