/* Other programs' formats, made from the same points as the tables:
 *
 *     csv        one line a configuration; RFC 4180; what is not known is an empty field
 *     markdown   one table a problem
 *     messages   CSV of the sizes of messages, where a kernel times them
 *     hyperfine  as `hyperfine --export-json` writes: https://github.com/sharkdp/hyperfine
 *     extrap     Extra-P's text input: https://github.com/extra-p/extrap
 */
#include "export.h"

#include <errno.h>
#include <string.h>

const char *const export_formats[] = {"csv", "markdown", "hyperfine", "extrap", "messages", NULL};

static int (*const writers[])(FILE *, int count, const struct study_part parts[]) = {
    export_csv, export_markdown, export_hyperfine, export_extrap, export_messages};

int export_launches(const struct group *group, double times_p[])
{
    int count = 0;
    for (int s = 0; s < group->count; s++) {
        bool first = sample_counts(&group->samples[s]);
        for (int before = 0; before < s && first; before++)
            first =
                !sample_counts(&group->samples[before]) || group->samples[before].launch != group->samples[s].launch;
        if (!first) continue;
        double walls[64];
        int repeats = 0;
        for (int other = s; other < group->count && repeats < 64; other++)
            if (sample_counts(&group->samples[other]) && group->samples[other].launch == group->samples[s].launch)
                walls[repeats++] = group->samples[other].wall_s;
        times_p[count++] = median(repeats, walls);
    }
    return count;
}

int export_file(const char *path, int (*write)(FILE *, const void *context), const void *context, struct error *error)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard output" : path;
    errno = 0;
    FILE *file = standard ? stdout : fopen(path, "we");
    if (!file)
        return error_set(error, STATUS_FAILED, "cannot write %s: %s; name a file in a folder you may write to", name,
                         strerror(errno));
    int status = write(file, context);
    int code = fflush(file) || ferror(file) ? (errno ? errno : EIO) : 0;
    if (!standard && fclose(file) && !code) code = errno;
    if (status) return error_set(error, STATUS_FAILED, "no memory is left for the export to %s", name);
    if (code) return error_set(error, STATUS_FAILED, "cannot write %s: %s", name, strerror(code));
    return STATUS_OK;
}

struct study_export {
    int format, count;
    const struct study_part *parts;
};

static int write_study(FILE *file, const void *context)
{
    const struct study_export *export = context;
    return writers[export->format](file, export->count, export->parts);
}

int export_study(int format, const char *path, int count, const struct study_part parts[], struct error *error)
{
    const struct study_export export = {format, count, parts};
    return export_file(path, write_study, &export, error);
}
