/* Figures as files: FOLDER/PROBLEM-FIGURE.FORMAT, for every problem and every timeline. A figure that cannot be drawn,
 * as there is nothing to draw, is told; one that gnuplot fails at ends it. */
#include "plot_script.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MOST = 80, WIDTH = 720, NAMES_MOST = 4096 };

/* What is written, and what was. */
struct writer {
    const struct plot_output *output;
    FILE *log;
    struct error *error;
    int count, name_count;
    char (*names)[NAME_MOST]; /* heap: of the problems and timelines, each once */
};

int plot_parse_formats(const char *list, struct plot_output *output_p, struct error *error)
{
    struct plot_output output = *output_p;
    output.format_count = 0;
    for (const char *at = list;;) {
        size_t length = strcspn(at, ",");
        int format = 0;
        while (plot_formats[format] &&
               (strlen(plot_formats[format]) != length || memcmp(plot_formats[format], at, length) != 0))
            format++;
        if (!plot_formats[format])
            return error_set(error, STATUS_USAGE,
                             "--format does not take '%.*s'; give svg, png, pdf, or several of them "
                             "with commas between",
                             (int)(length < 40 ? length : 40), at);
        bool twice = false;
        for (int i = 0; i < output.format_count; i++) twice |= output.formats[i] == format;
        if (!twice) output.formats[output.format_count++] = format;
        if (!at[length]) break;
        at += length + 1;
    }
    *output_p = output;
    return STATUS_OK;
}

/* A dash, and the letters, digits and _ of the words, with a dash for all that is between; at most `length` in all. */
static void append_words(const char *words, size_t length, char *name)
{
    size_t used = strlen(name);
    bool dash = used > 0;
    for (; *words && used + 2 < length; words++) {
        bool plain = isascii((unsigned char)*words) && (isalnum((unsigned char)*words) || *words == '_');
        if (plain && dash) name[used++] = '-';
        if (plain) name[used++] = *words;
        dash = plain ? false : used > 0;
    }
    name[used] = '\0';
}

static bool is_taken(const struct writer *writer, const char *name)
{
    for (int i = 0; i < writer->name_count; i++)
        if (strcasecmp(writer->names[i], name) == 0) return true;
    return false;
}

/* Makes it one of its own, and keeps it. 0 or STATUS_FAILED. */
static int claim_name(struct writer *writer, char name[NAME_MOST])
{
    char plain[NAME_MOST];
    if (!*name) snprintf(name, NAME_MOST, "figure");
    snprintf(plain, sizeof plain, "%s", name);
    for (int number = 2; is_taken(writer, name); number++) snprintf(name, NAME_MOST, "%.60s-%d", plain, number);
    if (writer->name_count >= NAMES_MOST)
        return error_set(writer->error, STATUS_FAILED,
                         "there are more than %d problems and timelines; give fewer files", NAMES_MOST);
    snprintf(writer->names[writer->name_count++], NAME_MOST, "%s", name);
    return STATUS_OK;
}

static int keep_script(const struct writer *writer, const char *base, const char *script)
{
    char path[4352];
    snprintf(path, sizeof path, "%.4096s/%.200s.gp", writer->output->folder, base);
    errno = 0;
    FILE *file = fopen(path, "we");
    if (!file) return error_set(writer->error, STATUS_FAILED, "cannot write %s: %s", path, strerror(errno));
    fputs(script, file);
    bool bad = ferror(file);
    if (fclose(file) || bad)
        return error_set(writer->error, STATUS_FAILED, "cannot write %s: %s", path, strerror(errno));
    return STATUS_OK;
}

static const char *figure_path(const struct writer *writer, const char *base, int format, size_t length, char *path)
{
    snprintf(path, length, "%.4096s/%.200s.%s", writer->output->folder, base,
             plot_formats[writer->output->formats[format]]);
    return path;
}

/* One of an earlier time, which would be taken for the new one where that cannot be written. */
static int remove_old_files(const struct writer *writer, const char *base)
{
    for (int i = 0; i < writer->output->format_count; i++) {
        char path[4352];
        if (unlink(figure_path(writer, base, i, sizeof path, path)) && errno != ENOENT)
            return error_set(writer->error, STATUS_FAILED, "cannot write %s: %s", path, strerror(errno));
    }
    return STATUS_OK;
}

/* gnuplot goes on where it cannot write. */
static int check_files(const struct writer *writer, const char *base)
{
    for (int i = 0; i < writer->output->format_count; i++) {
        char path[4352];
        struct stat found;
        figure_path(writer, base, i, sizeof path, path);
        if (stat(path, &found) || found.st_size == 0)
            return error_set(writer->error, STATUS_FAILED, "gnuplot did not write %s; is there room in that folder?",
                             path);
    }
    return STATUS_OK;
}

static int write_figure(struct writer *writer, enum plot plot, const struct plot_subject *subject, const char *name)
{
    const struct plot_output *output = writer->output;
    char base[NAME_MOST + 32], reason[160];
    snprintf(base, sizeof base, "%s-%s", name, plot_name(plot));
    if (!plot_has(plot, subject, sizeof reason, reason)) {
        fprintf(writer->log, "no figure %s: %s\n", base, reason);
        return STATUS_OK;
    }
    char *script = plot_script(plot, subject, output->theme, WIDTH, 0, output->format_count, output->formats, base);
    if (!script) return error_set(writer->error, STATUS_FAILED, "no memory is left for the figure %s", base);
    int status = remove_old_files(writer, base);
    if (!status && output->keep_gnuplot) status = keep_script(writer, base, script);
    if (!status) status = plot_run(script, output->folder, NULL, writer->error);
    if (!status) status = check_files(writer, base);
    writer->count += status == STATUS_OK;
    free(script);
    return status;
}

static int write_problem(struct writer *writer, const struct study_part *part, const struct study_problem *problem)
{
    const struct plot_subject subject = {.results = part->results, .curves = part->curves, .problem = problem};
    const struct config *config = problem->curves->config;
    char name[NAME_MOST] = "";
    append_words(config->kernel, 34, name);
    if (!problem->variants) append_words(config->variant, 54, name);
    if (target_is_command(config))
        for (int i = 0; i < config->option_count; i++) append_words(config->options[i].value, 54, name);
    append_words(config->size, NAME_MOST, name);
    int status = claim_name(writer, name);
    for (int plot = 0; plot < PLOT_SLICES && !status; plot++)
        status = write_figure(writer, (enum plot)plot, &subject, name);
    return status;
}

static int write_timeline(struct writer *writer, const struct timeline_record *timeline)
{
    const struct plot_subject subject = {.timeline = timeline};
    char name[NAME_MOST] = "", workers[32];
    snprintf(workers, sizeof workers, "%d", mode_workers(&timeline->config.mode));
    append_words(timeline->config.kernel, 40, name);
    append_words(mode_name_text(timeline->config.mode.name), 60, name);
    append_words(workers, NAME_MOST, name);
    int status = claim_name(writer, name);
    for (int plot = PLOT_SLICES; plot < PLOT_COUNT && !status; plot++)
        status = write_figure(writer, (enum plot)plot, &subject, name);
    return status;
}

static int write_part(struct writer *writer, const struct study_part *part)
{
    struct study_problem problem;
    int status = STATUS_OK;
    for (int c = 0; c < part->curves->count && !status; c += problem.count) {
        study_problem_at(part->curves, c, &problem);
        status = write_problem(writer, part, &problem);
    }
    for (int t = 0; t < part->results->timeline_count && !status; t++)
        status = write_timeline(writer, &part->results->timelines[t]);
    return status;
}

static int make_folder(const char *path, struct error *error)
{
    struct stat found;
    if (mkdir(path, 0777) == 0) return STATUS_OK;
    int code = errno;
    if (code == EEXIST && stat(path, &found) == 0 && S_ISDIR(found.st_mode)) return STATUS_OK;
    if (code == EEXIST) return error_set(error, STATUS_FAILED, "%s is there, and is no folder; name another one", path);
    return error_set(error, STATUS_FAILED, "cannot make the folder %s: %s", path, strerror(code));
}

int plot_files(const struct plot_output *output, int part_count, const struct study_part parts[], FILE *log,
               struct error *error)
{
    char reason[512];
    struct writer writer = {.output = output, .log = log, .error = error};
    if (!plot_available(sizeof reason, reason)) return error_set(error, STATUS_FAILED, "no figures: %s", reason);
    int status = make_folder(output->folder, error);
    if (status) return status;
    writer.names = malloc(sizeof *writer.names * NAMES_MOST);
    if (!writer.names) return error_set(error, STATUS_FAILED, "no memory is left for the figures");
    for (int p = 0; p < part_count && !status; p++) status = write_part(&writer, &parts[p]);
    free(writer.names);
    if (status) return status;
    fprintf(log, "Figures: %d in %s, as ", writer.count, output->folder);
    for (int i = 0; i < output->format_count; i++)
        fprintf(log, "%s%s", i ? ", " : "", plot_formats[output->formats[i]]);
    fputs(output->keep_gnuplot ? ", with gnuplot's scripts\n" : "\n", log);
    return STATUS_OK;
}
