/* The legend: entries from left to right, as many a row as fit by a cautious guess of the type's width; rows are
 * centred.
 */
#include "plot_script.h"

#include <string.h>

/* CSS pixels. */
enum { LETTER = 8, MARK = 32, GAP = 8, BETWEEN = 22, SIDES = 10, BOTTOM = 14 };

void plot_key_add(struct plot_key *key, enum plot_mark mark, int marker, int dash, unsigned colour, const char *text)
{
    if (key->count == PLOT_KEY_MOST) return;
    struct plot_key_entry *entry = &key->entries[key->count++];
    *entry = (struct plot_key_entry){.mark = mark, .marker = marker, .dash = dash, .colour = colour, .opacity = 1};
    snprintf(entry->text, sizeof entry->text, "%s", text);
}

static int entry_width(const struct plot_key_entry *entry)
{
    return MARK + GAP + LETTER * text_width(entry->text);
}

/* The end of the row that begins with that entry, and its width. */
static int find_row(const struct plot_key *key, int first, int width, int *row_width_p)
{
    int end = first, used = 0;
    while (end < key->count) {
        int wanted = used + (end > first ? BETWEEN : 0) + entry_width(&key->entries[end]);
        if (end > first && wanted > width - 2 * SIDES) break;
        used = wanted;
        end++;
    }
    *row_width_p = used;
    return end;
}

int plot_key_rows(const struct plot_key *key, int width)
{
    int rows = 0, used;
    for (int first = 0; first < key->count; rows++) first = find_row(key, first, width, &used);
    return rows;
}

/* x and y: pixels from the left, and from below, of the mark's left end. */
static void write_mark(FILE *file, const struct plot_frame *frame, const struct plot_key_entry *entry, double x,
                       double y)
{
    double left = x / frame->width, right = (x + MARK) / frame->width, height = y / frame->height;
    if (entry->mark == PLOT_MARK_BOX) {
        fprintf(file,
                "set object rectangle from screen %.6g, screen %.6g to screen %.6g, screen %.6g front noclip "
                "fillstyle solid 1 noborder",
                left, (y - 5) / frame->height, right, (y + 5) / frame->height);
        plot_fill(file, entry->colour, entry->opacity);
        fputc('\n', file);
    }
    if (entry->mark == PLOT_MARK_LINE || entry->mark == PLOT_MARK_LINE_POINT) {
        /* Its SVG misses a change of the dash alone, from one line to the next: hence two widths. */
        fprintf(file, "set arrow from screen %.6g, screen %.6g to screen %.6g, screen %.6g nohead front lw %g dt %d",
                left, height, right, height, entry->dash ? 1.5 : 1.6, entry->dash ? entry->dash : 1);
        plot_colour(file, entry->colour, 1);
        fputc('\n', file);
    }
    if (entry->mark == PLOT_MARK_POINT || entry->mark == PLOT_MARK_LINE_POINT) {
        fprintf(file, "set label '' at screen %.6g, screen %.6g front point pt %d ps 1", (left + right) / 2, height,
                entry->marker);
        plot_colour(file, entry->colour, 1);
        fputc('\n', file);
    }
}

void plot_write_key(FILE *file, const struct plot_frame *frame, const struct plot_key *key)
{
    int row = 0;
    for (int first = 0, end; first < key->count; first = end, row++) {
        int used;
        end = find_row(key, first, frame->width, &used);
        double x = (frame->width - used) / 2.0, y = BOTTOM + PLOT_KEY_ROW * (frame->key_rows - 1 - row);
        for (int i = first; i < end; i++) {
            write_mark(file, frame, &key->entries[i], x, y);
            fputs("set label ", file);
            plot_quote(file, key->entries[i].text);
            fprintf(file, " at screen %.6g, screen %.6g left front noenhanced textcolor rgb \"#%06x\"\n",
                    (x + MARK + GAP) / frame->width, y / frame->height, frame->look->ink);
            x += entry_width(&key->entries[i]) + BETWEEN;
        }
    }
}
