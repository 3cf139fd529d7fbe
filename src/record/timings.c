/* One pass over the lines. Blocks are counted by label and number of workers, in a table that grows: files have tens of
 * both. */
#include "timings.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 3, WORKERS_MAX = 10000000, UTF8_BOM_LENGTH = 3 };

static const char utf8_bom[] = "\xef\xbb\xbf";

/* How often a label and number of workers came. */
struct tally {
    char label[32];
    int workers, count;
};

struct reading {
    const char *name; /* of the file */
    char label[32];   /* where a line has none */
    long line;
    char separator; /* '\0': no line was read yet */
    int launch;
    int tally_count;
    struct tally *tallies; /* heap; capacity: the next power of two */
    timings_add *add;
    void *context;
    struct error *error;
};

bool timings_look_like(const char *text)
{
    if (strncmp(text, utf8_bom, UTF8_BOM_LENGTH) == 0) text += UTF8_BOM_LENGTH;
    for (;;) {
        text += strspn(text, " \t\r\n");
        if (*text != '#') return *text != '{';
        text += strcspn(text, "\n");
    }
}

static int reject(const struct reading *reading, const char *text, const char *needed)
{
    char shown[64];
    size_t length = 0;
    for (; text[length] && length < 40; length++)
        shown[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
    snprintf(shown + length, sizeof shown - length, "%s", text[length] ? "..." : "");
    return error_set(reading->error, STATUS_USAGE, "%s, line %ld: '%s': %s", reading->name, reading->line, shown,
                     needed);
}

/* At most 31 bytes, cut between characters. Control characters become '_', and where it is no UTF-8, all but ASCII. */
static void set_label(const char *text, size_t length, char label_p[32])
{
    if (length > 31)
        for (length = 31; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;) length--;
    for (size_t i = 0; i < length; i++) label_p[i] = iscntrl((unsigned char)text[i]) ? '_' : text[i];
    label_p[length] = '\0';
    json_t *json = json_string(label_p);
    for (size_t i = 0; i < length && !json; i++)
        if ((unsigned char)label_p[i] >= 0x80) label_p[i] = '_';
    json_decref(json);
    if (length == 0) snprintf(label_p, 32, "timings");
}

/* The file's name without folder and extension. */
static void set_file_label(struct reading *reading)
{
    const char *slash = strrchr(reading->name, '/'), *base = slash ? slash + 1 : reading->name;
    const char *dot = strrchr(base, '.');
    set_label(base, dot && dot > base ? (size_t)(dot - base) : strlen(base), reading->label);
}

/* Blanks and one pair of quotes around it go, in place. */
static char *trim(char *field)
{
    field += strspn(field, " \t");
    size_t length = strlen(field);
    while (length > 0 && (field[length - 1] == ' ' || field[length - 1] == '\t')) length--;
    if (length >= 2 && field[0] == '"' && field[length - 1] == '"') {
        field++;
        length -= 2;
    }
    field[length] = '\0';
    return field;
}

static char find_separator(const char *line)
{
    return strchr(line, ';') ? ';' : strchr(line, '\t') ? '\t' : ',';
}

/* How many fields; over FIELDS_MAX: too many. */
static int split(char *line, char separator, char *fields_p[FIELDS_MAX])
{
    int count = 0;
    for (;;) {
        char *end = strchr(line, separator);
        if (end) *end = '\0';
        if (count < FIELDS_MAX) fields_p[count] = trim(line);
        count++;
        if (!end) return count;
        line = end + 1;
    }
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "+-.,0123456789eE")] == '\0' && text[strcspn(text, "0123456789")] != '\0';
}

static int parse_workers(const char *text, int *workers_p)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || value < 1 || value > WORKERS_MAX) return -EINVAL;
    *workers_p = (int)value;
    return 0;
}

/* A decimal comma can be told from a separator only where that is none. */
static int parse_time(char *text, char separator, double *time_p)
{
    char *end, *comma = separator == ',' ? NULL : strchr(text, ',');
    if (!is_number(text)) return -EINVAL;
    if (comma) *comma = '.';
    double value = strtod(text, &end);
    bool whole = *end == '\0';
    if (comma) *comma = ',';
    if (!whole || !isfinite(value) || !(value > 0)) return -EINVAL;
    *time_p = value;
    return 0;
}

/* Which time of its kind this is, from 0 on; -ENOMEM. */
static int count_tally(struct reading *reading, const char *label, int workers)
{
    int count = reading->tally_count;
    for (int i = 0; i < count; i++)
        if (reading->tallies[i].workers == workers && strcmp(reading->tallies[i].label, label) == 0)
            return reading->tallies[i].count++;
    if ((count & (count - 1)) == 0) {
        struct tally *tallies = realloc(reading->tallies, (count ? 2 * (size_t)count : 1) * sizeof *tallies);
        if (!tallies) return -ENOMEM;
        reading->tallies = tallies;
    }
    struct tally *tally = &reading->tallies[reading->tally_count++];
    *tally = (struct tally){.workers = workers, .count = 1};
    snprintf(tally->label, sizeof tally->label, "%s", label);
    return 0;
}

static void set_unknown(struct sample *sample)
{
    sample->start_s = sample->start_skew_s = sample->throttled_s = sample->result = NAN;
    sample->cpu_s = sample->wait_s = sample->comm_s = NAN;
    sample->concurrency = sample->parallelism = sample->steal_s = sample->foreign_cpu_s = NAN;
    sample->voluntary = sample->involuntary = -1;
}

static int add_sample(struct reading *reading, const char *label, int workers, double wall_s)
{
    struct sample sample;
    sample_init(&sample);
    set_unknown(&sample);
    snprintf(sample.config.kernel, sizeof sample.config.kernel, "%s", label);
    struct mode *mode = &sample.config.mode;
    *mode = (struct mode){.nodes = 1,
                          .map = "cores-first",
                          .name = workers > 1 ? MODE_THREADS : MODE_SERIAL,
                          .wait_policy = WAIT_SPIN,
                          .ranks = 1,
                          .threads = workers};
    if (workers <= CPUS_MAX) mode->cpus.count = workers;
    for (int i = 0; i < mode->cpus.count; i++) mode->cpus.cpus[i] = i;
    sample.block = count_tally(reading, label, workers);
    sample.launch = reading->launch++;
    sample.wall_s = wall_s;
    sample.work = 1;
    sample.rate = 1 / wall_s;
    snprintf(sample.work_unit, sizeof sample.work_unit, "run");
    sample.correct = sample.placed_as_asked = true;
    sample.validity = SAMPLE_VALID;
    snprintf(sample.unobserved, sizeof sample.unobserved, "all but the times: somebody else measured");
    int status = sample.block < 0 ? -ENOMEM : reading->add(reading->context, &sample);
    if (status < 0)
        return error_set(reading->error, STATUS_FAILED, "no memory is left for the times of %s", reading->name);
    return STATUS_OK;
}

static int take_line(struct reading *reading, char *line)
{
    char *fields[FIELDS_MAX] = {NULL}, label[32];
    bool first = reading->separator == '\0';
    if (first) reading->separator = find_separator(line);
    int workers, count = split(line, reading->separator, fields);
    double time_s;
    if (first && !is_number(fields[0])) {
        if (count >= 2 && count <= FIELDS_MAX) return STATUS_OK;
        return reject(reading, line,
                      "neither a record of speedup nor workers,time[,label]; two or three columns are "
                      "needed");
    }
    if (count < 2) return reject(reading, line, "the time is missing; needed: workers,time[,label]");
    if (count > FIELDS_MAX) return reject(reading, line, "too many columns; needed: workers,time[,label]");
    if (parse_workers(fields[0], &workers))
        return reject(reading, fields[0], "a whole number of workers, from 1 to 10000000, is needed");
    if (parse_time(fields[1], reading->separator, &time_s))
        return reject(reading, fields[1], "a time in seconds, above 0, is needed");
    memcpy(label, reading->label, sizeof label);
    if (count == FIELDS_MAX && *fields[2]) set_label(fields[2], strlen(fields[2]), label);
    return add_sample(reading, label, workers, time_s);
}

int timings_read(FILE *file, const char *name, const char *label, timings_add *add, void *context, struct error *error)
{
    struct reading reading = {.name = name, .add = add, .context = context, .error = error};
    char *text = NULL;
    size_t capacity = 0;
    ssize_t got = 0;
    int status = STATUS_OK;
    if (label)
        set_label(label, strlen(label), reading.label);
    else
        set_file_label(&reading);
    errno = 0;
    while (!status && (got = getline(&text, &capacity, file)) >= 0) {
        char *line = text;
        reading.line++;
        if (reading.line == 1 && strncmp(line, utf8_bom, UTF8_BOM_LENGTH) == 0) line += UTF8_BOM_LENGTH;
        if (strlen(text) != (size_t)got) status = reject(&reading, text, "a text file is needed, and this is none");
        while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == '\r')) text[--got] = '\0';
        line += strspn(line, " \t");
        if (!status && *line && *line != '#') status = take_line(&reading, line);
    }
    if (!status && !feof(file))
        status = error_set(error, STATUS_FAILED, "cannot read %s: %s", name, strerror(errno));
    else if (!status && reading.launch == 0)
        status = error_set(error, STATUS_USAGE, "%s has no times; needed: lines of workers,time[,label]", name);
    free(reading.tallies);
    free(text);
    return status;
}
