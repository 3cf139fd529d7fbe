/* A process is another when it has another program file or command line: both are read at every look (some us), as a
 * process that was just forked shows its parent's, and a shell may become the program at any time. What takes longer is
 * read where they changed, and at the 2nd, 4th, 8th, ... look after that: libraries are loaded while a program starts
 * (its own), or when it first needs them (components of Open MPI, modules of Python).
 */
#include "tree_process.h"

#include "descendants.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENVIRONMENT_MAX = 4 << 20, MAP_LINES_MAX = 50000, STAT_LENGTH = 1024 };

static const char *const prefixes[] = {"OMP_",   "GOMP_", "KMP_",  "OPENBLAS_", "GOTO_",  "MKL_",  "BLIS_",
                                       "OMPI_",  "PMI_",  "PMIX_", "MPI_",      "MPIR_",  "PRTE_", "PRRTE_",
                                       "SLURM_", "PBS_",  "LSB_",  "FLUX_",     "I_MPI_", "UCX_"};

void process_tidy_name(char *text)
{
    text[strcspn(text, "\n")] = '\0';
    for (; *text; text++)
        if (iscntrl((unsigned char)*text)) *text = '?';
}

/* Cuts a letter of UTF-8 that is there in part alone. */
static void cut_letter(char *text)
{
    size_t length = strlen(text), start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0) return;
    unsigned char first = (unsigned char)text[start - 1];
    size_t needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (needed > length - start + 1) text[start - 1] = '\0';
}

static bool is_kept(const char *variable)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0) return strchr(variable, '=') != NULL;
    return false;
}

int environment_keep(const char *environment, size_t length, char **kept_p)
{
    size_t room = 1;
    for (size_t at = 0; at < length; at += strlen(environment + at) + 1)
        if (is_kept(environment + at)) room += strlen(environment + at) + 1;
    *kept_p = NULL;
    if (room == 1) return 0;
    char *kept = calloc(room, 1), *end = kept;
    if (!kept) return -ENOMEM;
    for (size_t at = 0; at < length; at += strlen(environment + at) + 1)
        if (is_kept(environment + at)) end = stpcpy(end, environment + at) + 1;
    *kept_p = kept;
    return 0;
}

/* The file, or its first ENVIRONMENT_MAX bytes, and a NUL behind it. 0, -ENOMEM, or the negative errno value for which
 * it cannot be read. */
static int read_all(int descriptor, char **text_p, size_t *length_p)
{
    size_t length = 0, room = 8192;
    char *text = malloc(room);
    int status = text ? 0 : -ENOMEM;
    while (status == 0) {
        ssize_t got = read(descriptor, text + length, room - length - 1);
        if (got < 0) status = -errno;
        if (got <= 0) break;
        length += (size_t)got;
        if (length + 1 < room) continue;
        if (room >= ENVIRONMENT_MAX) break;
        char *larger = realloc(text, 2 * room);
        status = larger ? 0 : -ENOMEM;
        if (!larger) break;
        text = larger;
        room *= 2;
    }
    if (status < 0) {
        free(text);
        return status;
    }
    text[length] = '\0';
    *text_p = text;
    *length_p = length;
    return 0;
}

/* Keeps what is known where the process ends meanwhile. */
static int read_environment(struct process_seen *seen)
{
    char *text = NULL, *kept = NULL;
    size_t length = 0;
    int descriptor = openat(seen->folder, "../environ", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        seen->process.readable = seen->process.readable && errno != EACCES && errno != EPERM;
        return 0;
    }
    int status = read_all(descriptor, &text, &length);
    close(descriptor);
    if (status < 0) return status == -ENOMEM ? status : 0;
    status = environment_keep(text, length, &kept);
    free(text);
    if (status < 0) return status;
    if (length > 0) {
        seen->process.readable = true;
        free(seen->process.environment);
        seen->process.environment = kept;
    }
    return 0;
}

/* "55d0-55d1 r-xp 00000000 08:01 1234   /usr/lib/libgomp.so.1": of mapped code alone. */
static unsigned library_of_line(char *line)
{
    int at = 0;
    char executable;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%*s %*c%*c%c%*c %*s %*s %*s %n", &executable, &at) != 1 || executable != 'x' || at == 0) return 0;
    int library = line[at] == '/' ? library_of_path(line + at) : -1;
    return library >= 0 ? 1u << library : 0;
}

static int read_libraries(struct process_seen *seen)
{
    char *line = NULL;
    size_t room = 0;
    int descriptor = openat(seen->folder, "../maps", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    FILE *file = fdopen(descriptor, "r");
    if (!file) {
        close(descriptor);
        return -ENOMEM;
    }
    for (int i = 0; i < MAP_LINES_MAX && getline(&line, &room, file) > 0; i++)
        seen->process.libraries |= library_of_line(line);
    free(line);
    fclose(file);
    return 0;
}

void process_read_group(int folder, char text_p[GROUP_LENGTH])
{
    if (proc_read(folder, "../cgroup", GROUP_LENGTH, text_p) < 0) text_p[0] = '\0';
}

/* Parent (field 4) and start (22), counted behind the name. */
static void read_origin(struct process_seen *seen)
{
    char text[STAT_LENGTH];
    int parent;
    if (proc_read(seen->folder, "../stat", sizeof text, text) <= 0) return;
    const char *end = strrchr(text, ')');
    if (end && sscanf(end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
                      &parent, &seen->started) == 2)
        seen->process.parent = (pid_t)parent;
}

/* "" where it cannot be read, or has ended. */
static void read_program(int folder, size_t length, char text_p[])
{
    ssize_t got = readlinkat(folder, "../exe", text_p, length - 1);
    text_p[got > 0 ? got : 0] = '\0';
    cut_letter(text_p);
}

static void read_command(int folder, size_t length, char text_p[])
{
    ssize_t got = proc_read(folder, "../cmdline", length, text_p);
    while (got > 0 && text_p[got - 1] == '\0') got--;
    for (ssize_t i = 0; i < got; i++)
        if (text_p[i] == '\0') text_p[i] = ' ';
    text_p[got > 0 ? got : 0] = '\0';
    process_tidy_name(text_p);
    cut_letter(text_p);
}

/* Whether the text is new; nothing is not: it has ended, or is about to become another. */
static bool take_new(size_t length, char *kept, const char *text)
{
    if (!*text || strcmp(kept, text) == 0) return false;
    snprintf(kept, length, "%s", text);
    return true;
}

static bool has_changed(struct process_seen *seen)
{
    struct tree_process *process = &seen->process;
    char name[sizeof process->name], program[sizeof process->program], command[sizeof process->command];
    read_program(seen->folder, sizeof program, program);
    read_command(seen->folder, sizeof command, command);
    if (proc_read(seen->folder, "../comm", sizeof name, name) < 0) name[0] = '\0';
    process_tidy_name(name);
    take_new(sizeof process->name, process->name, name);
    bool changed = take_new(sizeof process->program, process->program, program);
    return take_new(sizeof process->command, process->command, command) || changed;
}

int process_seen_look(struct process_seen *seen, const char *own_group)
{
    char group[GROUP_LENGTH];
    bool changed = has_changed(seen);
    if (seen->looks == 0) {
        seen->process.readable = true; /* until it is refused */
        read_origin(seen);
    }
    if (changed) {
        seen->looks = 0;
        seen->process.libraries = 0;
        free(seen->process.environment);
        seen->process.environment = NULL;
    }
    seen->looks++;
    if ((seen->looks & (seen->looks - 1)) != 0) return 0;
    process_read_group(seen->folder, group);
    if (group[0]) seen->process.kept_apart = strcmp(group, own_group) != 0;
    int status = seen->looks <= 4 ? read_environment(seen) : 0;
    return status == 0 ? read_libraries(seen) : status;
}
