/* What a person sees: quantities, lines that fit, rows that tell no number which was not obtained, a report that any
 * parser reads. Lessons and samples are made by hand; one passes through lesson_build. */
#include "../src/present/html.h"
#include "../src/present/present.h"
#include "../src/present/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "html_checks.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct style plain = {.colour = false, .utf8 = false, .width = 80};
static const struct style unicode = {.colour = false, .utf8 = true, .width = 80};

/* What `write` prints, as heap text. */
struct capture {
    FILE *file;
    char *text;
    size_t length;
};

static FILE *capture_open(struct capture *capture)
{
    capture->file = open_memstream(&capture->text, &capture->length);
    assert_non_null(capture->file);
    return capture->file;
}

static char *capture_close(struct capture *capture)
{
    assert_int_equal(fclose(capture->file), 0);
    return capture->text;
}

static int widest_line(const char *text)
{
    int widest = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        char *line = strndup(text, length);
        int width = text_width(line);
        free(line);
        if (width > widest) widest = width;
        text += length + (text[length] == '\n');
    }
    return widest;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) return false;
    }
    return true;
}

/* The line that starts with `start` (after blanks), as heap text, or NULL. */
static char *line_of(const char *text, const char *start)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *word = text + strspn(text, " ");
        if (strncmp(word, start, strlen(start)) == 0) return strndup(text, length);
        text += length + (text[length] == '\n');
    }
    return NULL;
}

/* --- quantities ------------------------------------------------------------------------------------------------- */

static void test_times(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {1.2404, "1.24 s"}, {0.3121, "312 ms"},   {8.1e-6, "8.10 us"},  {0.9996, "1.00 s"}, {0.9994, "999 ms"},
        {12.345, "12.3 s"}, {999.6, "1000 s"},    {12345.6, "12346 s"}, {5e-9, "5.00 ns"},  {2.5e-11, "0.025 ns"},
        {0, "0 s"},         {-0.25, "-250 ms"},   {NAN, "-"},           {INFINITY, "-"},    {9.999e-4, "1.00 ms"},
        {1e-3, "1.00 ms"},  {99.96e-3, "100 ms"}, {1, "1.00 s"},        {-INFINITY, "-"},   {60, "60.0 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        assert_string_equal(format_time(cases[i].value, sizeof text, text), cases[i].text);
    }
}

static void test_rates_and_bytes(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(format_rate(2.3123e9, "flop", sizeof text, text), "2.31 GFLOP/s");
    assert_string_equal(format_rate(412.4e6, "sample", sizeof text, text), "412 Msamples/s");
    assert_string_equal(format_rate(812, "item", sizeof text, text), "812 items/s");
    assert_string_equal(format_rate(0.5, "item", sizeof text, text), "0.5 items/s");
    assert_string_equal(format_rate(22.14e9, "byte", sizeof text, text), "22.1 GB/s");
    assert_string_equal(format_rate(3e3, "bytes", sizeof text, text), "3.00 kbytes/s");
    assert_string_equal(format_rate(1.5e21, "flop", sizeof text, text), "1500 EFLOP/s");
    assert_string_equal(format_rate(NAN, "flop", sizeof text, text), "-");
    assert_string_equal(format_bytes(16.0 * (1 << 30), sizeof text, text), "16 GiB");
    assert_string_equal(format_bytes(1536, sizeof text, text), "1.5 KiB");
    assert_string_equal(format_bytes(1023, sizeof text, text), "1023 B");
    assert_string_equal(format_bytes(1024 * 1023.7, sizeof text, text), "1 MiB");
    assert_string_equal(format_bytes(0, sizeof text, text), "0 B");
    assert_string_equal(format_bytes(NAN, sizeof text, text), "-");
}

static void test_counts_ratios_shares(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(format_count(0, sizeof text, text), "0");
    assert_string_equal(format_count(999, sizeof text, text), "999");
    assert_string_equal(format_count(1000, sizeof text, text), "1,000");
    assert_string_equal(format_count(1234567.4, sizeof text, text), "1,234,567");
    assert_string_equal(format_count(-1, sizeof text, text), "-"); /* not observed */
    assert_string_equal(format_count(NAN, sizeof text, text), "-");
    assert_string_equal(format_ratio(1.966, sizeof text, text), "1.97");
    assert_string_equal(format_ratio(9.996, sizeof text, text), "10.0");
    assert_string_equal(format_ratio(15.92, sizeof text, text), "15.9");
    assert_string_equal(format_ratio(128.4, sizeof text, text), "128");
    assert_string_equal(format_ratio(NAN, sizeof text, text), "-");
    assert_string_equal(format_share(0.7484, sizeof text, text), "75 %");
    assert_string_equal(format_share(0.0123, sizeof text, text), "1.2 %");
    assert_string_equal(format_share(0.0996, sizeof text, text), "10 %");
    assert_string_equal(format_share(NAN, sizeof text, text), "-");
}

/* --- style ------------------------------------------------------------------------------------------------------ */

static void test_style_of_a_file(void **state)
{
    (void)state;
    struct style style;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    assert_int_equal(setenv("COLUMNS", "132", 1), 0);
    style_for(file, &style);
    assert_false(style.colour);
    assert_false(style.utf8); /* the locale of a program that did not call setlocale is "C" */
    assert_int_equal(style.width, 132);
    assert_int_equal(setenv("COLUMNS", "many", 1), 0);
    style_for(file, &style);
    assert_int_equal(style.width, 80);
    assert_int_equal(unsetenv("COLUMNS"), 0);
    style_for(file, &style);
    assert_int_equal(style.width, 80);
    fclose(file);
}

struct terminal {
    int controller;
    FILE *file;
};

static void terminal_open(struct terminal *terminal, int width)
{
    terminal->controller = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal->controller >= 0);
    assert_int_equal(grantpt(terminal->controller), 0);
    assert_int_equal(unlockpt(terminal->controller), 0);
    int descriptor = open(ptsname(terminal->controller), O_RDWR | O_NOCTTY);
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)width};
    assert_true(descriptor >= 0);
    assert_int_equal(ioctl(descriptor, TIOCSWINSZ, &size), 0);
    terminal->file = fdopen(descriptor, "w");
    assert_non_null(terminal->file);
}

/* All that was written to the terminal so far. */
static size_t terminal_read(struct terminal *terminal, size_t length, char *text)
{
    size_t count = 0;
    struct pollfd poll_for = {.fd = terminal->controller, .events = POLLIN};
    while (count + 1 < length && poll(&poll_for, 1, 100) == 1) {
        ssize_t got = read(terminal->controller, text + count, length - 1 - count);
        if (got <= 0) break;
        count += (size_t)got;
    }
    text[count] = '\0';
    return count;
}

static void terminal_close(struct terminal *terminal)
{
    fclose(terminal->file);
    close(terminal->controller);
}

static void test_style_of_a_terminal(void **state)
{
    (void)state;
    struct terminal terminal;
    struct style style;
    terminal_open(&terminal, 61);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    style_for(terminal.file, &style);
    assert_true(style.colour);
    assert_int_equal(style.width, 61);
    assert_string_not_equal(style_tone(&style, TONE_BAD), "");
    setenv("NO_COLOR", "1", 1);
    style_for(terminal.file, &style);
    assert_false(style.colour);
    assert_string_equal(style_tone(&style, TONE_BAD), "");
    setenv("NO_COLOR", "", 1); /* empty: not asked for */
    style_for(terminal.file, &style);
    assert_true(style.colour);
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    style_for(terminal.file, &style);
    assert_false(style.colour);
    terminal_close(&terminal);
}

static void test_progress(void **state)
{
    (void)state;
    static const struct style wide = {.width = 500};
    for (int width = 20; width <= 100; width += 10) {
        struct terminal terminal;
        char text[4096];
        terminal_open(&terminal, width);
        present_progress(terminal.file, &wide,
                         "matmul: \xc3\xbc\xc3\xbc take turns on one core and on many more cores than that", 0.456, 12);
        assert_true(terminal_read(&terminal, sizeof text, text) > 0);
        assert_int_equal(text[0], '\r');
        assert_null(strchr(text, '\n'));
        assert_true(text_width(text) - 2 < width); /* without the two carriage returns, the last column free */
        if (width >= 60) {
            assert_non_null(strstr(text, "45 %"));
            assert_non_null(strstr(text, "12 s left"));
        }
        present_progress(terminal.file, &wide, "working", NAN, NAN);
        terminal_read(&terminal, sizeof text, text);
        assert_non_null(strstr(text, "working"));
        assert_null(strchr(text, '%'));
        present_progress(terminal.file, &wide, NULL, 0.5, 3);
        terminal_read(&terminal, sizeof text, text);
        assert_int_equal((int)strspn(text, "\r "), (int)strlen(text));
        terminal_close(&terminal);
    }
    struct capture capture;
    present_progress(capture_open(&capture), &wide, "working", 0.5, 1);
    char *text = capture_close(&capture);
    assert_string_equal(text, "");
    free(text);
}

static void test_wrapping(void **state)
{
    (void)state;
    struct style narrow = {.utf8 = true, .width = 20};
    struct capture capture;
    text_print_wrapped(capture_open(&capture), &narrow, 0, 4, "one two three four five six\tseven\x1b[31m");
    char *text = capture_close(&capture);
    assert_string_equal(text, "one two three four\n    five six seven\n    [31m\n");
    free(text);
    text_print_wrapped(capture_open(&capture), &narrow, 0, 4, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ end");
    text = capture_close(&capture);
    assert_true(widest_line(text) <= 20);
    assert_non_null(strstr(text, "end"));
    free(text);
    text_print_wrapped(capture_open(&capture), &narrow, 0, 0,
                       "a\xc2\x9b"
                       "31mb \xc2\x80 \xc2\xa0 \xc2");
    text = capture_close(&capture);
    assert_string_equal(text, "a?31mb ? \xc2\xa0 \xc2\n");
    free(text);
    narrow.utf8 = false;
    text_print_wrapped(capture_open(&capture), &narrow, 0, 0, "caf\xc3\xa9 \xe2\x82\xac");
    text = capture_close(&capture);
    assert_string_equal(text, "caf? ?\n");
    free(text);
}

/* --- samples ---------------------------------------------------------------------------------------------------- */

static void sample_fill(struct sample *sample, const char *kernel, enum mode_name mode, int ranks, int threads,
                        int cpus, double wall_s)
{
    sample_init(sample);
    struct config *config = &sample->config;
    snprintf(config->kernel, sizeof config->kernel, "%s", kernel);
    snprintf(config->variant, sizeof config->variant, "plain");
    snprintf(config->size, sizeof config->size, "1000000000");
    snprintf(config->isa, sizeof config->isa, "x86-64");
    config->mode = (struct mode){
        .nodes = 1, .map = "cores-first", .name = mode, .ranks = ranks, .threads = threads, .cpus = {.count = cpus}};
    for (int i = 0; i < cpus; i++) config->mode.cpus.cpus[i] = i;
    int workers = ranks * threads;
    sample->worker_count = workers;
    sample->workers = calloc((size_t)workers, sizeof *sample->workers);
    assert_non_null(sample->workers);
    for (int w = 0; w < workers; w++) {
        struct worker_times *worker = &sample->workers[w];
        double share = cpus < workers ? (double)cpus / workers : 1;
        worker->rank = w / threads;
        worker->thread = w % threads;
        worker->end_s = worker->wall_s = wall_s;
        worker->cpu_s = wall_s * share;
        worker->wait_s = wall_s * (1 - share);
        worker->cpu_asked = w % cpus;
        worker->mask_as_asked = true;
        worker->cpu_seen_count = 1;
        worker->cpus_seen[0] = w % cpus;
    }
    sample->start_s = 1750000000;
    sample->wall_s = wall_s;
    sample->work = 1e9;
    snprintf(sample->work_unit, sizeof sample->work_unit, "sample");
    sample->correct = true;
    sample->result = 3.14159265358979;
    sample->checksum = 0x0123456789abcdefU;
    snprintf(sample->check_detail, sizeof sample->check_detail,
             "3 random blocks recounted by scalar code, all equal; the estimate is within 4.1 standard errors");
    sample_derive(sample);
    sample->voluntary = 12;
    sample->involuntary = 123456;
    sample->placed_as_asked = true;
    sample->validity = SAMPLE_VALID;
}

static char *sample_text(const struct sample *sample, const struct style *style, int number, int of)
{
    struct capture capture;
    present_sample(capture_open(&capture), style, sample, number, of);
    return capture_close(&capture);
}

static void test_sample_scheduling(void **state)
{
    (void)state;
    static const struct {
        struct scheduling scheduling;
        const char *line;
    } cases[] = {
        {{POLICY_OTHER, 0, 0}, NULL},
        {{POLICY_OTHER, 0, 500000}, "  scheduling   slice 0.5 ms"},
        {{POLICY_FIFO, 0, 0}, "  scheduling   policy fifo: real-time, a task runs until it waits"},
    };
    struct sample sample;
    sample_fill(&sample, "pi", MODE_MULTITASK, 1, 4, 1, 2.5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample.config.mode.scheduling = cases[i].scheduling;
        char *text = sample_text(&sample, &plain, 1, 1), *line = line_of(text, "scheduling");
        if (cases[i].line) assert_string_equal(line, cases[i].line);
        if (!cases[i].line) assert_null(line);
        free(line);
        free(text);
    }
    sample_release(&sample);
}

static char *messages_text(const struct group *group, const struct style *style)
{
    struct capture capture;
    present_messages(capture_open(&capture), style, group);
    return capture_close(&capture);
}

/* 1 us and 1 GB/s, of which the middle sizes know nothing. */
static void test_messages(void **state)
{
    (void)state;
    enum { SIZES = 21 };
    struct sample sample;
    sample_fill(&sample, "exchange", MODE_MPI, 2, 1, 2, 2.5);
    struct group group = {.config = sample.config, .count = 1, .samples = &sample};
    char *text = messages_text(&group, &plain);
    assert_string_equal(text, ""); /* of a kernel that times none */
    free(text);
    sample.points = calloc(SIZES, sizeof *sample.points);
    sample.point_count = SIZES;
    for (int i = 0; i < SIZES; i++)
        sample.points[i] = (struct kernel_point){.bytes = INT64_C(1) << i,
                                                 .messages = 30000,
                                                 .time_s = 1e-6 + 1e-9 * ldexp(i > 9 && i < 14 ? 3 : 1, i),
                                                 .traffic_bytes = ldexp(1, i)};
    text = messages_text(&group, &plain);
    assert_true(widest_line(text) <= 80);
    assert_true(is_ascii(text));
    assert_non_null(strstr(text, "     bytes     messages     time, us         MB/s\n"));
    assert_non_null(strstr(text, "         1       30,000        1.001        0.999\n"));
    assert_non_null(strstr(text, "   1048576       30,000         1050        999.0\n"));
    assert_non_null(strstr(text, "Fitted: latency 1.000 us, bandwidth 1000 MB/s."));
    assert_non_null(strstr(text, "at 8 KiB"));
    assert_null(strstr(text, "judge"));
    free(text);
    sample.validity = SAMPLE_NOT_JUDGED;
    sample.point_count = 8;
    text = messages_text(&group, &plain);
    assert_non_null(strstr(text, "Fitted: latency 1.0"));
    assert_non_null(strstr(text, "Not identifiable: the bandwidth"));
    assert_non_null(strstr(text, "judge"));
    free(text);
    /* Records may hold anything. */
    for (int i = 0; i < 8; i++)
        sample.points[i] = (struct kernel_point){.bytes = INT64_MAX - i,
                                                 .messages = INT64_MAX,
                                                 .time_s = i % 2 ? NAN : 1e300,
                                                 .traffic_bytes = i < 4 ? NAN : -1};
    text = messages_text(&group, &plain);
    assert_non_null(strstr(text, "Not identifiable"));
    free(text);
    sample.validity = SAMPLE_INVALID;
    text = messages_text(&group, &plain);
    assert_string_equal(text, "");
    free(text);
    sample_release(&sample);
}

static void test_sample_valid(void **state)
{
    (void)state;
    struct sample sample;
    sample_fill(&sample, "pi", MODE_MULTITASK, 1, 4, 1, 2.5);
    const struct style *styles[] = {&plain, &unicode};
    for (int i = 0; i < 2; i++) {
        char *text = sample_text(&sample, styles[i], 2, 5);
        assert_true(widest_line(text) <= 80);
        assert_true(is_ascii(text));
        assert_non_null(strstr(text, "mode multitask; sample 2 of 5"));
        assert_non_null(strstr(text, "1 rank x 4 threads on CPU 0: oversubscribed\n"));
        assert_non_null(strstr(text, "2.50 s"));
        assert_non_null(strstr(text, "400 Msamples/s"));
        assert_non_null(strstr(text, "took turns"));
        assert_non_null(strstr(text, "75 %"));
        assert_non_null(strstr(text, "123,456 involuntary"));
        assert_non_null(strstr(text, "0123456789abcdef"));
        assert_non_null(strstr(text, "correct"));
        assert_non_null(strstr(text, "\n  valid\n"));
        free(text);
    }
    sample_release(&sample);
}

static void test_sample_share_of_the_peak(void **state)
{
    (void)state;
    struct sample sample;
    static const struct {
        int ranks, cpus, nodes;
        const char *expected;
    } cases[] = {
        {1, 1, 1, "4.00 GFLOP/s, 80 % of the x86-64 peak of this core\n"},
        {4, 1, 1, "4.00 GFLOP/s, 80 % of the x86-64 peak of this core\n"},
        {4, 4, 1, "4.00 GFLOP/s, 80 % of the x86-64 peak of these cores\n"},
        {4, 1, 2, "4.00 GFLOP/s, 80 % of the x86-64 peak of these cores\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample_fill(&sample, "matmul", MODE_MPI, cases[i].ranks, 1, cases[i].cpus, 0.25);
        snprintf(sample.work_unit, sizeof sample.work_unit, "flop");
        sample.config.mode.nodes = cases[i].nodes;
        sample.ceiling_rate = 5e9;
        char *text = sample_text(&sample, &plain, 1, 1);
        assert_non_null(strstr(text, cases[i].expected));
        assert_true(widest_line(text) <= 80);
        free(text);
        sample.ceiling_rate = NAN; /* not known: nothing is said of it */
        text = sample_text(&sample, &plain, 1, 1);
        assert_non_null(strstr(text, "4.00 GFLOP/s\n"));
        assert_null(strstr(text, "peak"));
        free(text);
        sample_release(&sample);
    }
    sample_fill(&sample, "triad", MODE_SERIAL, 1, 1, 1, 0.25);
    snprintf(sample.work_unit, sizeof sample.work_unit, "byte");
    sample.ceiling_rate = 5e9;
    char *text = sample_text(&sample, &plain, 1, 1);
    assert_non_null(strstr(text, "4.00 GB/s, 80 % of the memory bandwidth of this core\n"));
    free(text);
    sample_release(&sample);
}

static void test_sample_many_cpus_fits(void **state)
{
    (void)state;
    struct sample sample;
    sample_fill(&sample, "matmul", MODE_HYBRID, 32, 8, 256, 2.5);
    for (int i = 0; i < 256; i++) sample.config.mode.cpus.cpus[i] = 2 * i; /* no ranges: a long list */
    char *text = sample_text(&sample, &plain, 1, 1);
    assert_true(widest_line(text) <= 80);
    assert_null(strstr(text, "sample 1"));
    free(text);
    sample_release(&sample);
}

static void test_sample_unobserved(void **state)
{
    (void)state;
    struct sample sample;
    sample_fill(&sample, "pi", MODE_THREADS, 1, 2, 2, 2.5);
    sample.wait_s = NAN;
    sample.voluntary = -1;
    snprintf(sample.unobserved, sizeof sample.unobserved, "wait_s: no /proc/thread-self/schedstat");
    char *text = sample_text(&sample, &plain, 1, 1);
    char *line = line_of(text, "run queue");
    assert_non_null(line);
    assert_non_null(strstr(line, " - "));
    assert_non_null(strstr(text, "- voluntary"));
    assert_non_null(strstr(text, "no /proc/thread-self/schedstat"));
    assert_null(strstr(text, "nan"));
    assert_non_null(strstr(text, "truly at once"));
    free(line);
    free(text);
    sample_release(&sample);
}

static void test_sample_invalid_and_wrong(void **state)
{
    (void)state;
    struct sample sample;
    sample_fill(&sample, "pi", MODE_SERIAL, 1, 1, 1, 2.5);
    sample.validity = SAMPLE_INVALID;
    snprintf(sample.invalid_reason, sizeof sample.invalid_reason,
             "foreign programs used 48 %% of CPU 0 for longer than the measured time, which spoils what was measured");
    char *text = sample_text(&sample, &plain, 1, 1);
    assert_non_null(strstr(text, "NOT VALID: foreign programs"));
    assert_true(widest_line(text) <= 80);
    free(text);

    sample.validity = SAMPLE_NOT_JUDGED;
    snprintf(sample.invalid_reason, sizeof sample.invalid_reason, "too short");
    text = sample_text(&sample, &plain, 1, 1);
    assert_non_null(strstr(text, "not judged: too short"));
    free(text);

    sample.validity = SAMPLE_INVALID;
    sample.correct = false;
    text = sample_text(&sample, &plain, 1, 1);
    assert_null(strstr(text, "2.50 s"));
    assert_null(strstr(text, "samples/s"));
    assert_non_null(strstr(text, "WRONG ANSWER"));
    free(text);
    sample_release(&sample);
}

static char *summary_text(int valid, int others, enum validity other)
{
    struct sample samples[32];
    for (int i = 0; i < valid + others; i++) {
        sample_fill(&samples[i], "pi", MODE_SERIAL, 1, 1, 1, 1 + 0.1 * i);
        samples[i].validity = i < valid ? SAMPLE_VALID : other;
    }
    struct group group = {.count = valid + others, .samples = samples};
    struct capture capture;
    present_samples_summary(capture_open(&capture), &plain, &group);
    for (int i = 0; i < group.count; i++) sample_release(&samples[i]);
    return capture_close(&capture);
}

static void test_samples_summary(void **state)
{
    (void)state;
    char *text = summary_text(1, 0, SAMPLE_VALID);
    assert_string_equal(text, "");
    free(text);
    text = summary_text(5, 1, SAMPLE_INVALID);
    assert_non_null(strstr(text, "6 samples, 5 valid"));
    assert_non_null(strstr(text, "median 1.20 s, from 1.00 s to 1.40 s"));
    assert_non_null(strstr(text, "at least 6"));
    free(text);
    text = summary_text(9, 0, SAMPLE_INVALID); /* ranks 2 and 8 of 9 */
    assert_non_null(strstr(text, "between 1.10 s and 1.70 s"));
    assert_true(widest_line(text) <= 80);
    free(text);
    text = summary_text(0, 3, SAMPLE_NOT_JUDGED);
    assert_non_null(strstr(text, "--size"));
    assert_null(strstr(text, "1.10"));
    free(text);
}

/* --- lesson ----------------------------------------------------------------------------------------------------- */

static const char evil[] = "<script>alert(1)</script>&\"'";

/* The lesson of a 2-core machine, through results and lesson_build: what the program itself does. */
static void results_fill(struct results *results, bool disturbed)
{
    static const struct {
        const char *kernel;
        enum mode_name mode;
        int ranks, threads, cpus;
        double wall_s;
    } scenes[] = {
        {"matmul", MODE_SERIAL, 1, 1, 1, 1.40},        {"matmul", MODE_MULTITASK, 1, 2, 1, 1.42},
        {"matmul", MODE_MULTITASK_MPI, 2, 1, 1, 1.45}, {"matmul", MODE_THREADS, 1, 2, 2, 0.74},
        {"matmul", MODE_MPI, 2, 1, 2, 0.76},           {"pi", MODE_SERIAL, 1, 1, 1, 1.40},
        {"pi", MODE_MULTITASK, 1, 2, 1, 1.41},         {"pi", MODE_THREADS, 1, 2, 2, 0.71},
        {"synthetic", MODE_SERIAL, 1, 1, 1, 1.40},     {"synthetic", MODE_MULTITASK, 1, 4, 1, 0.41},
    };
    results_init(results);
    for (int block = 0; block < 3; block++) {
        for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
            struct sample sample;
            sample_fill(&sample, scenes[i].kernel, scenes[i].mode, scenes[i].ranks, scenes[i].threads, scenes[i].cpus,
                        scenes[i].wall_s * (1 + 0.01 * ((int)i + block) * (block - 1)));
            sample.block = block;
            if (strcmp(scenes[i].kernel, "synthetic") == 0) {
                sample.config.option_count = 1;
                sample.config.options[0] = (struct config_option){"wait", "4ms"};
                for (int w = 0; w < sample.worker_count; w++) {
                    sample.workers[w].cpu_s = 0.25 * 1.40 / sample.worker_count;
                    sample.workers[w].wait_s = 0.02;
                }
                sample_derive(&sample);
                sample.voluntary = 280;
                sample.involuntary = 3;
            }
            if (disturbed && (scenes[i].mode == MODE_MULTITASK_MPI || (scenes[i].mode == MODE_MPI && block == 1))) {
                sample.validity = SAMPLE_INVALID;
                snprintf(sample.invalid_reason, sizeof sample.invalid_reason,
                         "%s used 48 %% of CPU 0, so that what was measured is not what was meant", evil);
            }
            assert_int_equal(results_add(results, &sample), 0);
            sample_release(&sample);
        }
    }
    results->context =
        json_pack("{s:i,s:s,s:{s:s,s:s,s:i,s:n,s:{s:i,s:n}},s:{s:s,s:b},s:{s:b,s:s},s:[s,s]}", "schema", 1, "type",
                  "context", "machine", "hostname", evil, "cpu_model", "A CPU of 2 cores", "cores", 2, "quota_cpus",
                  "cache_bytes", "l1d", 49152, "l2", "system", "os", "Some Linux", "turbo", 1, "mpi", "available", 0,
                  "reason", "no mpirun was found", "launches", "OMP_NUM_THREADS=2 speedup-worker --kernel pi", evil);
    assert_non_null(results->context);
}

static struct lesson *lesson_new(struct results *results, bool disturbed)
{
    struct lesson *lesson = calloc(1, sizeof *lesson);
    assert_non_null(lesson);
    results_fill(results, disturbed);
    lesson_build(results, lesson);
    assert_int_equal(lesson->row_count, 10);
    return lesson;
}

static char *lesson_text(const struct lesson *lesson, const struct style *style)
{
    struct capture capture;
    present_lesson(capture_open(&capture), style, lesson);
    return capture_close(&capture);
}

static void test_lesson_fits(void **state)
{
    (void)state;
    struct results results;
    struct lesson *lesson = lesson_new(&results, true);
    char *ascii = lesson_text(lesson, &plain), *blocks = lesson_text(lesson, &unicode);
    assert_true(is_ascii(ascii));
    assert_false(is_ascii(blocks));
    assert_true(widest_line(ascii) <= 80);
    assert_true(widest_line(blocks) <= 80);
    assert_non_null(strstr(ascii, "####"));
    assert_null(strstr(ascii, "nan"));
    assert_null(strchr(ascii, '\x1b'));
    free(ascii);
    free(blocks);
    struct style coloured = {.colour = true, .utf8 = true, .width = 80};
    blocks = lesson_text(lesson, &coloured);
    assert_non_null(strchr(blocks, '\x1b'));
    free(blocks);
    free(lesson);
    results_release(&results);
}

static void test_lesson_large_numbers_fit(void **state)
{
    (void)state;
    struct results results;
    struct lesson *lesson = lesson_new(&results, false);
    for (int i = 0; i < lesson->row_count; i++) {
        struct lesson_row *row = &lesson->rows[i];
        row->workers = row->cpus = 65536;
        row->speedup = 4096;
        row->speedup_low = 4000;
        row->speedup_high = 4200;
        row->wall_s = 54321;
        row->concurrency = row->parallelism = 16384;
        row->switches_per_s = 1234567;
    }
    char *text = lesson_text(lesson, &plain);
    assert_true(widest_line(text) <= 80);
    free(text);
    free(lesson);
    results_release(&results);
}

static void test_lesson_invalid_row_tells_no_number(void **state)
{
    (void)state;
    struct results results;
    struct lesson *lesson = lesson_new(&results, true);
    char *text = lesson_text(lesson, &plain);
    char *row = line_of(text, "multitask-mpi  "), *bar = line_of(text, "multitask-mpi,");
    assert_non_null(row);
    assert_non_null(bar);
    assert_non_null(strstr(row, "no valid time"));
    assert_null(strchr(row, '.'));
    assert_null(strchr(bar, '.'));
    assert_null(strchr(bar, '#'));
    free(row);
    free(bar);
    row = line_of(text, "threads  ");
    assert_non_null(row);
    assert_non_null(strstr(row, "1.89"));
    free(row);
    free(text);
    free(lesson);
    results_release(&results);
}

static void test_lesson_empty(void **state)
{
    (void)state;
    struct lesson *lesson = calloc(1, sizeof *lesson);
    assert_non_null(lesson);
    snprintf(lesson->sentences[0], sizeof lesson->sentences[0], "Nothing was measured.");
    char *text = lesson_text(lesson, &plain);
    assert_string_equal(text, "Nothing was measured.\n");
    free(text);
    free(lesson);
}

/* --- report ----------------------------------------------------------------------------------------------------- */

static void make_folder(char *path)
{
    strcpy(path, "/tmp/speedup-present-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static char *report_text(const struct results *results, const struct lesson *lesson)
{
    char folder[64], path[96];
    struct error error;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/report.html", folder);
    assert_int_equal(present_report(path, results, lesson, &error), STATUS_OK);
    assert_int_equal(present_report(path, results, lesson, &error), STATUS_OK); /* again: replaced */
    char *text = read_whole(path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* no temporary file is left */
    return text;
}

static void test_report(void **state)
{
    (void)state;
    for (int disturbed = 0; disturbed < 2; disturbed++) {
        struct results results;
        struct lesson *lesson = lesson_new(&results, disturbed == 1);
        char *html = report_text(&results, lesson);
        assert_well_formed(html);
        assert_null(strstr(html, "<script"));
        assert_null(strstr(html, "http")); /* nothing is loaded from anywhere */
        assert_null(strstr(html, ">nan"));
        assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;"));
        assert_non_null(strstr(html, "<html lang=\"en\""));
        assert_non_null(strstr(html, "0123456789abcdef"));
        assert_non_null(strstr(html, "role=\"img\""));
        assert_non_null(strstr(html, "speedup demo"));
        assert_non_null(strstr(html, "L1 48 KiB"));
        assert_int_equal(strstr(html, "no valid measurement") != NULL, disturbed == 1);
        assert_int_equal(strstr(html, "so that what was measured is not") != NULL, disturbed == 1);
        assert_null(strstr(html, "of the peak"));
        free(html);
        for (int i = 0; i < results.groups[0].count; i++)
            results.groups[0].samples[i].ceiling_rate = 2 * results.groups[0].samples[i].rate;
        html = report_text(&results, lesson);
        assert_well_formed(html);
        assert_non_null(strstr(html, "50 % of the peak"));
        free(html);
        free(lesson);
        results_release(&results);
    }
}

static void test_report_of_little(void **state)
{
    (void)state;
    struct results results;
    results_init(&results);
    struct lesson *lesson = calloc(1, sizeof *lesson);
    assert_non_null(lesson);
    results.torn = true;
    lesson_build(&results, lesson);
    char *html = report_text(&results, lesson);
    assert_well_formed(html);
    assert_non_null(strstr(html, "torn off"));
    assert_non_null(strstr(html, "Mode serial"));
    free(html);
    free(lesson);
    results_release(&results);
}

static void test_report_says_when_answers_differ(void **state)
{
    (void)state;
    struct results results;
    struct lesson *lesson = lesson_new(&results, false);
    char *html = report_text(&results, lesson);
    assert_null(strstr(html, "answers differ"));
    free(html);
    lesson->rows[2].checksums_agree = false;
    html = report_text(&results, lesson);
    assert_non_null(strstr(html, "answers differ"));
    free(html);
    free(lesson);
    results_release(&results);
}

static void test_report_unwritable(void **state)
{
    (void)state;
    struct results results;
    struct error error = {""};
    char folder[64];
    struct lesson *lesson = lesson_new(&results, false);
    make_folder(folder);
    assert_int_equal(present_report("/nonexistent/report.html", &results, lesson, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "/nonexistent/report.html"));
    assert_non_null(strstr(error.text, strerror(ENOENT)));
    assert_int_equal(present_report(folder, &results, lesson, &error), STATUS_FAILED); /* a folder is no file */
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(present_report("/dev/full", &results, lesson, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, strerror(ENOSPC)));
    assert_int_equal(present_report("/dev/null", &results, lesson, &error), STATUS_OK);
    struct stat info;
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode)); /* not replaced by a file */
    free(lesson);
    results_release(&results);
}

static void test_html_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *html;
    } cases[] = {
        {"a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c&#39;"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\x01\x7f", "a\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc3", "\xef\xbf\xbd"},                      /* cut in the middle */
        {"\xff<", "\xef\xbf\xbd&lt;"},                 /* never a first byte */
        {"\xe2\x82<", "\xef\xbf\xbd\xef\xbf\xbd&lt;"}, /* swallows nothing */
        {"\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd"},      /* overlong '<' */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct capture capture;
        html_text(capture_open(&capture), cases[i].text);
        char *html = capture_close(&capture);
        assert_string_equal(html, cases[i].html);
        free(html);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_rates_and_bytes),
        cmocka_unit_test(test_counts_ratios_shares),
        cmocka_unit_test(test_style_of_a_file),
        cmocka_unit_test(test_style_of_a_terminal),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_sample_scheduling),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_sample_valid),
        cmocka_unit_test(test_sample_share_of_the_peak),
        cmocka_unit_test(test_sample_many_cpus_fits),
        cmocka_unit_test(test_sample_unobserved),
        cmocka_unit_test(test_sample_invalid_and_wrong),
        cmocka_unit_test(test_samples_summary),
        cmocka_unit_test(test_lesson_fits),
        cmocka_unit_test(test_lesson_large_numbers_fit),
        cmocka_unit_test(test_lesson_invalid_row_tells_no_number),
        cmocka_unit_test(test_lesson_empty),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_report_of_little),
        cmocka_unit_test(test_report_says_when_answers_differ),
        cmocka_unit_test(test_report_unwritable),
        cmocka_unit_test(test_html_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
