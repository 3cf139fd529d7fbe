/* A table of messages in the units of the field: microseconds, and MB/s of 10^6 bytes; below it, latency and bandwidth
 * in plain words. */
#include "messages.h"

#include <math.h>

enum { BYTES_WIDTH = 10, MESSAGES_WIDTH = 12, NUMBER_WIDTH = 12, PAGE_WIDTH_MAX = 100 };

bool messages_of(const struct group *group, struct messages *messages_p)
{
    messages_p->count = network_points(group, messages_p->points, &messages_p->judged);
    if (messages_p->count == 0) return false;
    network_fit(messages_p->count, messages_p->points, &messages_p->fit);
    return true;
}

/* Four digits, without an exponent where a person can do without. */
static const char *format_number(double number, size_t length, char *text)
{
    if (!isfinite(number))
        snprintf(text, length, "-");
    else if (number >= 1e9 || (number > 0 && number < 1e-4))
        snprintf(text, length, "%.3g", number);
    else
        snprintf(text, length, "%.*f", number >= 999.95 ? 0 : number >= 99.995 ? 1 : number >= 9.9995 ? 2 : 3, number);
    return text;
}

const char *messages_time_text(const struct network_point *point, size_t length, char *text)
{
    return format_number(1e6 * point->time_s, length, text);
}

const char *messages_bandwidth_text(const struct network_point *point, size_t length, char *text)
{
    return format_number(point->bandwidth / 1e6, length, text);
}

const char *messages_legend_text(const struct messages *messages, size_t length, char *text)
{
    double factor = messages->points[0].traffic_factor;
    const char *what = factor == 1  ? "half of a round trip; MB/s: bytes of the message in this time"
                       : factor > 1 ? "both ways at once; MB/s: of all pairs of ranks together, both ways"
                                    : "one sum over all ranks, of so many bytes at each";
    snprintf(text, length, "time: %s.%s%s", what, factor > 0 ? " A MB is 10^6 bytes." : "",
             messages->judged ? "" : " Nobody could judge whether it was disturbed: the samples are too short.");
    return text;
}

static void add_residual(const struct network_fit *fit, size_t length, char *text)
{
    char usual[32], worst[32], bytes[32];
    snprintf(text, length, " Half of the sizes are within %s of what these two say; the furthest is %s off, at %s.",
             format_share(fit->residual, sizeof usual, usual), format_share(fit->worst, sizeof worst, worst),
             format_bytes(fit->worst_bytes, sizeof bytes, bytes));
}

const char *messages_fit_text(const struct messages *messages, size_t length, char *text)
{
    const struct network_fit *fit = &messages->fit;
    char latency[64] = "", rate[96] = "", number[32], residual[200] = "";
    if (isfinite(fit->latency_s))
        snprintf(latency, sizeof latency, "latency %s us", format_number(1e6 * fit->latency_s, sizeof number, number));
    if (isfinite(fit->bandwidth))
        snprintf(rate, sizeof rate, "bandwidth %s MB/s", format_number(fit->bandwidth / 1e6, sizeof number, number));
    else if (isfinite(fit->byte_s))
        snprintf(rate, sizeof rate, "%s ns for each byte", format_number(1e9 * fit->byte_s, sizeof number, number));
    bool any = *latency || *rate, both = *latency && *rate;
    if (both) add_residual(fit, sizeof residual, residual);
    snprintf(text, length, "%s%s%s%s%s%s%s%s", any ? "Fitted: " : "", latency, both ? ", " : "", rate, any ? "." : "",
             residual, *fit->missing ? (any ? " Not identifiable: " : "Not identifiable: ") : "", fit->missing);
    return text;
}

void present_messages(FILE *stream, const struct style *style, const struct group *group)
{
    struct messages messages;
    struct style page = *style;
    char text[640], time[32], bandwidth[32], count[32];
    if (!messages_of(group, &messages)) return;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    bool told = messages.points[0].traffic_factor > 0; /* a bandwidth */
    fprintf(stream, "\n%s%*s %*s %*s", style_tone(&page, TONE_DIM), BYTES_WIDTH, "bytes", MESSAGES_WIDTH, "messages",
            NUMBER_WIDTH, "time, us");
    if (told) fprintf(stream, " %*s", NUMBER_WIDTH, "MB/s");
    fprintf(stream, "%s\n", style_tone(&page, TONE_PLAIN));
    for (int i = 0; i < messages.count; i++) {
        const struct network_point *point = &messages.points[i];
        fprintf(stream, "%*.0f %*s %*s", BYTES_WIDTH, point->bytes, MESSAGES_WIDTH,
                format_count(point->messages, sizeof count, count), NUMBER_WIDTH,
                messages_time_text(point, sizeof time, time));
        if (told) fprintf(stream, " %*s", NUMBER_WIDTH, messages_bandwidth_text(point, sizeof bandwidth, bandwidth));
        fputc('\n', stream);
    }
    fputs(style_tone(&page, TONE_DIM), stream);
    text_print_wrapped(stream, &page, 0, 0, messages_legend_text(&messages, sizeof text, text));
    fprintf(stream, "%s%s", style_tone(&page, TONE_PLAIN), style_tone(&page, TONE_STRONG));
    text_print_wrapped(stream, &page, 0, 0, messages_fit_text(&messages, sizeof text, text));
    fputs(style_tone(&page, TONE_PLAIN), stream);
}
