/* A horizontal bar: in eighths of a cell with UTF-8, in whole cells without. */
#include "text.h"

#include <math.h>

void text_print_bar(FILE *stream, const struct style *style, double filled, double mark, int length)
{
    static const char *const eighths[] = {" ", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
    int marked = isfinite(mark) ? (int)lround(mark) : -1;
    int whole = (int)(style->utf8 ? filled : round(filled));
    int rest = style->utf8 ? (int)((filled - whole) * 8) : 0;
    fputs(style_tone(style, TONE_BAR), stream);
    for (int i = 0; i <= length; i++) {
        if (i == marked)
            fprintf(stream, "%s%s%s", style_tone(style, TONE_PLAIN), style->utf8 ? "\u2502" : "|",
                    style_tone(style, TONE_BAR));
        else if (i < whole)
            fputs(style->utf8 ? "\u2588" : "#", stream);
        else
            fputs(i == whole ? eighths[rest] : " ", stream);
    }
    fputs(style_tone(style, TONE_PLAIN), stream);
}
