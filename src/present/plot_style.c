/* How all figures look, and how text and numbers get into a script. */
#include "plot_script.h"

#include <math.h>
#include <string.h>

const char *const plot_formats[] = {"svg", "png", "pdf", NULL};
const char *const plot_themes[] = {"light", "dark", NULL};

enum { TICS_MOST = 64, STEPS_MOST = 7, FONT_SIZE = 14 };
/* CSS pixels: above the plot; its axis with labels; a letter of the title. */
enum { TOP = 58, AXIS = 74, TITLE_LETTER = 9 };

const struct plot_look *plot_look(enum plot_theme theme)
{
    static const struct plot_look looks[] = {
        [PLOT_LIGHT] = {0x1b1f24,
                        0x5c6570,
                        0xd5dae0,
                        0xffffff,
                        {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x8c6d00, 0x000000}},
        [PLOT_DARK] = {0xe8eaed,
                       0xa3abb5,
                       0x3b424b,
                       0x16191d,
                       {0x56b4e9, 0xe69f00, 0x00b98a, 0xdf9bc1, 0xf0e442, 0xf07b2e, 0x5ca2d6, 0xffffff}},
        [PLOT_PAGE] = {0x010101,
                       0x010102,
                       0x010103,
                       0x010104,
                       {0x01010b, 0x01010c, 0x01010d, 0x01010e, 0x01010f, 0x010110, 0x010111, 0x010112}},
    };
    return &looks[theme];
}

/* Bytes of the character that begins here; 0: it is none that UTF-8 allows. */
static int character_length(const unsigned char *at)
{
    int length = *at < 0x80                  ? 1
                 : *at >= 0xc2 && *at < 0xe0 ? 2
                 : (*at & 0xf0) == 0xe0      ? 3
                 : *at >= 0xf0 && *at < 0xf5 ? 4
                                             : 0;
    for (int i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if (length == 3 && ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] >= 0xa0))) return 0;
    if (length == 4 && ((*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] >= 0x90))) return 0;
    return length;
}

static void write_quoted(FILE *file, const char *text, bool percent_doubled)
{
    fputc('\'', file);
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        int length = character_length(at);
        if (length == 0)
            fputc('?', file);
        else if (*at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
            fputc(' ', file);
        else
            fwrite(at, 1, (size_t)length, file);
        if (*at == '\'' || (*at == '%' && percent_doubled)) fputc(*at, file);
        at += length > 0 ? length : 1;
    }
    fputc('\'', file);
}

void plot_quote(FILE *file, const char *text)
{
    write_quoted(file, text, false);
}

void plot_tic(FILE *file, const char *label, double at)
{
    write_quoted(file, label, true);
    fprintf(file, " %.9g", at);
}

const char *plot_shorten(const char *text, int columns, size_t length, char *text_p)
{
    size_t end = 0;
    int column = 0;
    for (const char *c = text; *c && column < columns - 1; column++)
        for (c++, end++; (*c & 0xc0) == 0x80; c++) end++;
    if (text_width(text) <= columns)
        snprintf(text_p, length, "%s", text);
    else
        snprintf(text_p, length, "%.*s\u2026", (int)end, text);
    return text_p;
}

void plot_colour(FILE *file, unsigned colour, double opacity)
{
    fprintf(file, " lc rgb \"#%02x%06x\"", (unsigned)lround(255 * (1 - opacity)), colour);
}

void plot_fill(FILE *file, unsigned colour, double opacity)
{
    fprintf(file, " fillcolor rgb \"#%02x%06x\"", (unsigned)lround(255 * (1 - opacity)), colour);
}

void plot_frame_init(struct plot_frame *frame_p, enum plot_theme theme, int width, int height, int area,
                     const struct plot_key *key)
{
    struct plot_frame frame = {.look = plot_look(theme), .width = width};
    frame.key_rows = plot_key_rows(key, width);
    frame.height = TOP + area + AXIS + PLOT_KEY_ROW * frame.key_rows;
    if (height > frame.height) frame.height = height;
    *frame_p = frame;
}

int plot_title_columns(const struct plot_frame *frame)
{
    return frame->width / TITLE_LETTER;
}

void plot_write_settings(FILE *file, const struct plot_frame *frame, const char *title)
{
    const struct plot_look *look = frame->look;
    char text[512];
    double height = frame->height, bottom = AXIS + PLOT_KEY_ROW * frame->key_rows;
    fputs("set encoding utf8\nset minussign\n", file);
    fprintf(file, "set tmargin at screen %.6g\nset bmargin at screen %.6g\nset rmargin 3\nset errorbars 0.6\n",
            1 - TOP / height, fmin(bottom / height, 0.9));
    fputs("set label ", file);
    plot_quote(file, plot_shorten(title, plot_title_columns(frame), sizeof text, text));
    fprintf(file, " at screen 0.5, screen %.6g center noenhanced textcolor rgb \"#%06x\"\n", 1 - 0.45 * TOP / height,
            look->ink);
    fprintf(file, "set border 3 lw 1");
    plot_colour(file, look->soft, 1);
    fprintf(file, "\nset tics nomirror out scale 0.6 textcolor rgb \"#%06x\"\n", look->ink);
    fprintf(file, "set grid back lt 1 lw 0.8");
    plot_colour(file, look->line, 1);
    fputs("\nset key off\n", file);
    fprintf(file, "set xlabel textcolor rgb \"#%06x\" offset 0,0.2\nset ylabel textcolor rgb \"#%06x\" offset -0.5,0\n",
            look->ink, look->ink);
}

void plot_write_terminal(FILE *file, int format, enum plot_theme theme, const struct plot_frame *frame,
                         const char *path)
{
    int width = frame->width, height = frame->height;
    switch (format) {
    case 0:
        fprintf(file, "set terminal svg size %d,%d fixed noenhanced font 'sans-serif,%d' linewidth 1.3", width, height,
                FONT_SIZE);
        /* A page has its own. */
        if (theme != PLOT_PAGE) fprintf(file, " background '#%06x'", frame->look->page);
        break;
    case 1: /* for screens and projectors of twice the density */
        fprintf(file,
                "set terminal pngcairo size %d,%d noenhanced font 'sans-serif,%d' fontscale 1.5 linewidth 2.6 "
                "pointscale 2 background '#%06x'",
                2 * width, 2 * height, FONT_SIZE, frame->look->page);
        break;
    default:
        fprintf(file,
                "set terminal pdfcairo size %.3f,%.3f noenhanced font 'sans-serif,%d' fontscale 0.66 linewidth "
                "1.3 background '#%06x'",
                width / 96.0, height / 96.0, FONT_SIZE, frame->look->page);
    }
    fputc('\n', file);
    if (!path) return;
    fputs("set output ", file);
    plot_quote(file, path);
    fputc('\n', file);
}

/* Tics */

const char *plot_label_number(double value, size_t length, char *text)
{
    snprintf(text, length, "%.6g", value);
    return text;
}

const char *plot_label_share(double value, size_t length, char *text)
{
    snprintf(text, length, "%.6g %%", 100 * value);
    return text;
}

const char *plot_label_time(double value, size_t length, char *text)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
    int unit = 0;
    while (unit < 3 && value > 0 && value < 0.9995 * units[unit].unit) unit++;
    snprintf(text, length, value > 0 ? "%.6g %s" : "0", value / units[unit].unit, units[unit].name);
    return text;
}

/* 1, 2 or 5 times a power of ten, so that there are at most so many steps. */
static double linear_step(double span, int most)
{
    double step = pow(10, floor(log10(span)) - 1);
    static const double factors[] = {2, 2.5, 2};
    for (int i = 0; span / step > most && i < 12; i++) step *= factors[i % 3];
    return step;
}

static int linear_tics(const struct plot_axis *axis, double tics_p[])
{
    double step = linear_step(axis->high - axis->low, axis->steps > 0 ? axis->steps : STEPS_MOST);
    int count = 0;
    double high = axis->last > 0 ? axis->last : axis->high;
    for (double i = ceil(axis->low / step - 1e-9) + 0.0; i * step <= high + 1e-9 * step && count < TICS_MOST; i++)
        tics_p[count++] = i * step;
    return count;
}

static int power_tics(const struct plot_axis *axis, double tics_p[])
{
    int low = (int)ceil(log2(axis->low) - 1e-9), high = (int)floor(log2(axis->high) + 1e-9), count = 0;
    int step = 1 + (high - low) / 9;
    for (int i = low; i <= high && count < TICS_MOST; i++)
        if (i % step == 0) tics_p[count++] = exp2(i);
    return count;
}

static int decade_tics(const struct plot_axis *axis, double tics_p[])
{
    /* The plainest set of which there are enough. */
    static const double sets[][10] = {{1}, {1, 2, 5}, {1, 1.5, 2, 3, 4, 5, 7}};
    static const int sizes[] = {1, 3, 7};
    int count = 0;
    for (int set = 0; set < 3 && count < 3; set++) {
        count = 0;
        for (double decade = floor(log10(axis->low)); decade <= log10(axis->high); decade++)
            for (int i = 0; i < sizes[set] && count < TICS_MOST; i++) {
                double tic = sets[set][i] * pow(10, decade);
                if (tic >= axis->low * (1 - 1e-9) && tic <= axis->high * (1 + 1e-9)) tics_p[count++] = tic;
            }
    }
    return count >= 3 ? count : linear_tics(axis, tics_p);
}

/* Without labels, at 2 to 9 of each decade, where there are few enough. */
static void write_minor_tics(FILE *file, const struct plot_axis *axis)
{
    if (axis->high / axis->low > 1e9) return;
    for (double decade = floor(log10(axis->low)); decade <= log10(axis->high); decade++)
        for (int i = 2; i < 10; i++)
            if (i * pow(10, decade) >= axis->low && i * pow(10, decade) <= axis->high)
                fprintf(file, ", '' %.9g 1", i * pow(10, decade));
}

void plot_write_axis(FILE *file, const struct plot_axis *axis, const char *title, plot_label *label)
{
    double tics[TICS_MOST];
    char text[64];
    int count = axis->base_two   ? power_tics(axis, tics)
                : axis->base_ten ? decade_tics(axis, tics)
                                 : linear_tics(axis, tics);
    if (axis->base_two || axis->base_ten) fprintf(file, "set logscale %c %d\n", axis->name, axis->base_two ? 2 : 10);
    fprintf(file, "set %crange [%.9g:%.9g] noextend\nset %clabel ", axis->name, axis->low, axis->high, axis->name);
    plot_quote(file, title);
    fprintf(file, " noenhanced\nset %ctics (", axis->name);
    for (int i = 0; i < count; i++) {
        fputs(i ? ", " : "", file);
        plot_tic(file, label(tics[i], sizeof text, text), tics[i]);
    }
    if (axis->base_ten) write_minor_tics(file, axis);
    fputs(")\n", file);
}
