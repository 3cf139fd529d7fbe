/* A page as a whole: how it begins and ends, sections and tables, and the file that it becomes. A file is written
 * beside its place, and renamed when every byte of it is known to be on the way to the disk. */
#include "html.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void html_open_page(FILE *file, const char *title, const char *css, const char *more_css)
{
    html_write(
        file,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>%s</title>\n<style>\n",
        title);
    fputs(report_css, file);
    fputs(css, file);
    fputs(more_css, file);
    html_write(file, "</style>\n</head>\n<body>\n<header>\n<h1>%s</h1>\n<p class=\"facts\">", title);
}

void html_close_page(FILE *file)
{
    fputs("</main>\n<footer><p>Made by speedup from the records of this measurement, and from nothing "
          "else.</p></footer>\n</body>\n</html>\n",
          file);
}

void html_open_section(FILE *file, const struct html_place *place, const char *id, const char *title)
{
    html_write(file, "<section aria-labelledby=\"%s%s\">\n<h%d id=\"%s%s\">%s</h%d>\n", place->prefix, id, place->level,
               place->prefix, id, title, place->level);
}

void html_write_heading(FILE *file, const struct html_place *place, const char *title)
{
    html_write(file, "<h%d>%s</h%d>\n", place->level + 1, title, place->level + 1);
}

void html_open_table(FILE *file, const char *label)
{
    html_write(file,
               "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
               "aria-label=\"%s\">\n<table>\n<caption><span>%s</span></caption>\n",
               label, label);
}

void html_close_table(FILE *file)
{
    fputs("</tbody>\n</table>\n</div>\n", file);
}

/* Everything reached the file; closes it in any case. 0 or -errno. */
static int finish_file(FILE *file)
{
    int status = 0;
    if (fflush(file) != 0 || ferror(file)) status = errno != 0 ? -errno : -EIO;
    if (fclose(file) != 0 && status == 0) status = -errno;
    return status;
}

/* A device or a pipe is written straight to; a file, through a temporary one beside it. */
static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

static int fail(const char *path, int code, struct error *error)
{
    return error_set(error, STATUS_FAILED, "cannot write the report %s: %s; name a file in a folder you may write to",
                     path, strerror(code));
}

static int write_output(html_page *write, const void *context, struct error *error)
{
    errno = 0;
    write(stdout, context);
    if (fflush(stdout) == 0 && !ferror(stdout)) return STATUS_OK;
    return error_set(error, STATUS_FAILED, "cannot write to standard output: %s", strerror(errno != 0 ? errno : EIO));
}

int html_write_file(const char *path, html_page *write, const void *context, struct error *error)
{
    if (strcmp(path, "-") == 0) return write_output(write, context, error);
    bool special = is_special(path);
    size_t length = strlen(path) + 32;
    char *target = malloc(length);
    if (target == NULL) return fail(path, ENOMEM, error);
    snprintf(target, length, special ? "%s" : "%s.%d.tmp", path, (int)getpid());

    int descriptor = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | (special ? 0 : O_EXCL), 0666);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    int code = file == NULL ? errno : 0;
    if (file != NULL) {
        errno = 0;
        write(file, context);
        code = -finish_file(file);
    } else if (descriptor >= 0) {
        close(descriptor);
    }
    if (code == 0 && !special && rename(target, path) != 0) code = errno;
    if (code != 0 && descriptor >= 0 && !special) unlink(target);
    free(target);
    return code == 0 ? STATUS_OK : fail(path, code, error);
}
