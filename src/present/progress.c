/* Progress: one line on a terminal, rewritten in place by carriage return and blanks (no escape sequences, so that it
 * works on dumb terminals too); nothing at all elsewhere. It leaves the last column free: filling it would wrap. */
#include "text.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 20, LINE_MAX_WIDTH = 200 };

static void format_duration(double seconds, size_t length, char *text)
{
    long whole = lround(fmin(seconds, 1e8));
    if (whole < 100) {
        snprintf(text, length, "%ld s left", whole);
    } else {
        snprintf(text, length, "%ld min %02ld s left", whole / 60, whole % 60);
    }
}

/* "[#####     ]  45 %, 12 s left": what is known of it. */
static void format_state(double fraction, double eta_s, size_t length, char *text)
{
    char bar[BAR_WIDTH + 1], eta[64] = "";
    text[0] = '\0';
    if (!(fraction >= 0)) return;
    fraction = fmin(1, fraction);
    int filled = (int)(fraction * BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, ' ', (size_t)(BAR_WIDTH - filled));
    bar[BAR_WIDTH] = '\0';
    if (isfinite(eta_s) && eta_s >= 0) format_duration(eta_s, sizeof eta, eta);
    snprintf(text, length, "[%s] %3.0f %%%s%s", bar, floor(fraction * 100), eta[0] != '\0' ? ", " : "", eta);
}

void present_progress(FILE *stream, const struct style *style, const char *text, double fraction, double eta_s)
{
    if (fileno(stream) < 0 || !isatty(fileno(stream))) return;
    int width = style_terminal_width(stream);
    if (width == 0) width = style->width;
    if (width > LINE_MAX_WIDTH) width = LINE_MAX_WIDTH;
    int room = width - 1;

    char state[128] = "", line[LINE_MAX_WIDTH * 4 + 1];
    if (text != NULL) format_state(fraction, eta_s, sizeof state, state);
    int state_width = (int)strlen(state);
    /* The state goes first, where there is room for it and some words: its length is steady, so nothing jumps. */
    if (state_width + 12 > room) {
        state_width = 0;
        state[0] = '\0';
    }
    int column = state_width;
    size_t bytes = 0;
    if (state_width > 0) line[bytes++] = ' ', column++;
    for (const char *byte = text != NULL ? text : ""; *byte != '\0'; byte++) {
        bool starts = ((unsigned char)*byte & 0xc0) != 0x80;
        if (starts && column == room) break;
        if (bytes + 1 >= sizeof line) break;
        column += starts;
        line[bytes++] = (unsigned char)*byte < ' ' ? ' ' : *byte;
    }
    line[bytes] = '\0';
    fprintf(stream, "\r%s%s%*s\r", state, line, room > column ? room - column : 0, "");
    fflush(stream);
}
