/* From a figure to its whole script, and from that to an element of a page. A script is the same for every format but
 * for its first lines; further formats replot it. */
#include "plot_script.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH_USUAL = 720, AREA_USUAL = 310, AREA_LEAST = 220 };

static const struct plot_figure *const figures[PLOT_COUNT] = {
    [PLOT_SPEEDUP] = &plot_figure_speedup,   [PLOT_EFFICIENCY] = &plot_figure_efficiency,
    [PLOT_TIME] = &plot_figure_time,         [PLOT_ROOFLINE] = &plot_figure_roofline,
    [PLOT_SLICES] = &plot_figure_slices,     [PLOT_DECOMPOSITION] = &plot_figure_decomposition,
    [PLOT_TIMELINE] = &plot_figure_timeline,
};

static bool is_of_timeline(enum plot plot)
{
    return plot == PLOT_SLICES || plot == PLOT_TIMELINE;
}

const char *plot_name(enum plot plot)
{
    return figures[plot]->name;
}

bool plot_has(enum plot plot, const struct plot_subject *subject, size_t length, char *reason_p)
{
    if (is_of_timeline(plot) ? subject->timeline == NULL : subject->problem == NULL) {
        snprintf(reason_p, length, is_of_timeline(plot) ? "there is no timeline" : "there is no study");
        return false;
    }
    return figures[plot]->has(subject, length, reason_p);
}

const char *plot_caption(enum plot plot, const struct plot_subject *subject, size_t length, char *text)
{
    figures[plot]->caption(subject, length, text);
    return text;
}

static void find_frame(enum plot plot, const struct plot_subject *subject, enum plot_theme theme, int width, int height,
                       struct plot_frame *frame_p, struct plot_key *key_p)
{
    const struct plot_figure *figure = figures[plot];
    key_p->count = 0;
    figure->key(subject, plot_look(theme), key_p);
    int area = figure->area ? figure->area(subject) : height > 0 ? AREA_LEAST : AREA_USUAL;
    plot_frame_init(frame_p, theme, width, height, area, key_p);
}

int plot_height(enum plot plot, const struct plot_subject *subject)
{
    struct plot_frame frame;
    struct plot_key key;
    find_frame(plot, subject, PLOT_LIGHT, WIDTH_USUAL, 0, &frame, &key);
    return frame.height;
}

char *plot_script(enum plot plot, const struct plot_subject *subject, enum plot_theme theme, int width, int height,
                  int format_count, const int formats[], const char *base)
{
    struct plot_frame frame;
    struct plot_key key;
    char *text = NULL, path[512];
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    if (!file) return NULL;
    find_frame(plot, subject, theme, width, height, &frame, &key);
    int status = 0;
    for (int i = 0; i < format_count && !status; i++) {
        if (base) snprintf(path, sizeof path, "%.500s.%s", base, plot_formats[formats[i]]);
        plot_write_terminal(file, formats[i], theme, &frame, base ? path : NULL);
        if (i == 0) plot_write_key(file, &frame, &key);
        if (i == 0)
            status = figures[plot]->script(file, subject, &frame);
        else
            fputs("replot\n", file);
    }
    if (base) fputs("set output\n", file);
    bool bad = ferror(file);
    if (fclose(file) || bad || status) {
        free(text);
        return NULL;
    }
    return text;
}

int plot_svg(enum plot plot, const struct plot_subject *subject, int width, int height, const char *prefix,
             char **svg_p, struct error *error)
{
    static const int svg = 0;
    char reason[160], caption[2048], *document = NULL;
    if (!plot_has(plot, subject, sizeof reason, reason))
        return error_set(error, STATUS_FAILED, "no figure %s: %s", plot_name(plot), reason);
    char *script = plot_script(plot, subject, PLOT_PAGE, width, height, 1, &svg, NULL);
    if (!script) return error_set(error, STATUS_FAILED, "no memory is left for a figure");
    int status = plot_run(script, NULL, &document, error);
    free(script);
    if (status) return status;
    *svg_p = plot_page(document, prefix, figures[plot]->title, plot_caption(plot, subject, sizeof caption, caption));
    free(document);
    return *svg_p ? STATUS_OK
                  : error_set(error, STATUS_FAILED, "gnuplot wrote no whole SVG for the figure %s", plot_name(plot));
}
