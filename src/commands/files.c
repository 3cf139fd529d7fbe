/* Files are told apart by how they begin: a record begins with a brace. Of a pipe only one character can be looked at
 * and put back, which suffices. */
#include "files.h"

#include "../record/timings.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { BEGINNING = 4096 };

static int add_timing(void *context, const struct sample *sample)
{
    return results_add(context, sample);
}

static int read_timings(FILE *file, const char *name, const char *label, struct results *results_p, struct error *error)
{
    struct results results;
    results_init(&results);
    int status = timings_read(file, name, label, add_timing, &results, error);
    if (status)
        results_release(&results);
    else
        *results_p = results;
    return status;
}

static int read_standard_input(const char *label, struct results *results_p, struct error *error)
{
    int byte = getc(stdin);
    while (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t') byte = getc(stdin);
    if (byte != EOF) ungetc(byte, stdin);
    return byte == EOF || byte == '{' ? results_read("-", results_p, error)
                                      : read_timings(stdin, "standard input", label, results_p, error);
}

/* What cannot be opened twice (a pipe) is taken for a record. */
static int read_file(const char *path, const char *label, struct results *results_p, struct error *error)
{
    struct stat info;
    char beginning[BEGINNING + 1];
    if (stat(path, &info) || !S_ISREG(info.st_mode)) return results_read(path, results_p, error);
    FILE *file = fopen(path, "re");
    if (!file) return error_set(error, STATUS_FAILED, "cannot read %s: %s", path, strerror(errno));
    size_t length = fread(beginning, 1, BEGINNING, file);
    beginning[length] = '\0';
    rewind(file);
    int status = length > 0 && timings_look_like(beginning) ? read_timings(file, path, label, results_p, error)
                                                            : results_read(path, results_p, error);
    fclose(file);
    return status;
}

int files_read(const char *command, const char *path, const char *label, bool timelines, struct results *results_p,
               struct error *error)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    struct results results;
    int status = standard ? read_standard_input(label, &results, error) : read_file(path, label, &results, error);
    if (status) return status;
    if (results.torn)
        fprintf(stderr, "speedup %s: %s: the last line was torn off, as its writer was stopped; all before it counts\n",
                command, name);
    if (results.group_count == 0 && !(timelines && results.timeline_count > 0)) {
        results_release(&results);
        return error_set(error, STATUS_USAGE, "%s has no samples; name a file that was written by -o", name);
    }
    *results_p = results;
    return STATUS_OK;
}

const char *files_machine(const struct results *results, size_t length, char *text)
{
    const json_t *machine = json_object_get(results->context, "machine");
    const char *model = json_string_value(json_object_get(machine, "cpu_model"));
    const char *host = json_string_value(json_object_get(machine, "hostname"));
    int cores = (int)json_integer_value(json_object_get(machine, "cores"));
    text[0] = '\0';
    if (model || host)
        snprintf(text, length, "%s (%s), %d core%s", model ? model : "unknown", host ? host : "?", cores,
                 cores == 1 ? "" : "s");
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = ' '; /* a record may come from anywhere */
    return text;
}

int files_check_output(const char *option, const char *path, int count, char *const inputs[], struct error *error)
{
    struct stat output, input;
    if (!path || strcmp(path, "-") == 0 || stat(path, &output) || !S_ISREG(output.st_mode)) return STATUS_OK;
    bool read = false;
    for (int i = 0; i < count; i++)
        read |= stat(inputs[i], &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino;
    if (!read && !record_is_file(path)) return STATUS_OK;
    return error_set(error, STATUS_USAGE,
                     "%s %s: that file holds measurements, which would be overwritten; name another", option, path);
}

void files_print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(object);
}
