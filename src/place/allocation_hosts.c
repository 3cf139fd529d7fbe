/* The names of a job's nodes, from whatever form a batch system lists them in: words between blanks, lines or commas.
 * A word of digits alone is a number of slots, which stands behind its host; brackets stand for numbers or words that
 * are put in their place, the last pair varying fastest. Listed hosts are sorted to find those that are listed again,
 * and then put back in their order.
 */
#include "allocation.h"
#include "host.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS_MAX = 1 << 20, NAME_MAX_LENGTH = 255, DIGITS_MAX = 9 };

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

struct listed {
    int at; /* its place in the list */
    char *name;
};

struct hosts {
    int count, room;
    struct listed *items;
};

static int hosts_add(struct hosts *hosts, const char *name)
{
    if (hosts->count == HOSTS_MAX) return -ERANGE;
    if (*name == '-' || *name == '.' || !*name || name[strspn(name, name_characters)]) return -EINVAL;
    /* Lists with a line a rank have the same host many times in a row. */
    if (hosts->count > 0 && strcmp(hosts->items[hosts->count - 1].name, name) == 0) return 0;
    if (hosts->count == hosts->room) {
        int room = hosts->room ? 2 * hosts->room : 64;
        struct listed *items = realloc(hosts->items, (size_t)room * sizeof *items);
        if (!items) return -ENOMEM;
        hosts->items = items;
        hosts->room = room;
    }
    char *copy = strdup(name);
    if (!copy) return -ENOMEM;
    hosts->items[hosts->count] = (struct listed){hosts->count, copy};
    hosts->count++;
    return 0;
}

static int expand(const char *done, const char *rest, struct hosts *hosts);

static int expand_with(const char *done, const char *part, const char *rest, struct hosts *hosts)
{
    char name[NAME_MAX_LENGTH + 1];
    int length = snprintf(name, sizeof name, "%s%s", done, part);
    return length > NAME_MAX_LENGTH ? -EINVAL : expand(name, rest, hosts);
}

/* "01-16" between brackets: as many digits as the first has. */
static int expand_range(const char *done, const char *range, const char *rest, struct hosts *hosts)
{
    size_t width = strspn(range, "0123456789"), last_width = range[width] ? strspn(range + width + 1, "0123456789") : 0;
    if (width > DIGITS_MAX || last_width == 0 || last_width > DIGITS_MAX || range[width + 1 + last_width])
        return -EINVAL;
    long first = strtol(range, NULL, 10), last = strtol(range + width + 1, NULL, 10);
    int status = last < first ? -EINVAL : last - first >= HOSTS_MAX ? -ERANGE : 0;
    for (long number = first; number <= last && !status; number++) {
        char text[32];
        snprintf(text, sizeof text, "%0*ld", (int)width, number);
        status = expand_with(done, text, rest, hosts);
    }
    return status;
}

/* All names that begin with `done` and go on as `rest` says. */
static int expand(const char *done, const char *rest, struct hosts *hosts)
{
    const char *open = strchr(rest, '['), *close = open ? strchr(open, ']') : NULL;
    char fixed[NAME_MAX_LENGTH + 1], part[NAME_MAX_LENGTH + 1];
    int status = 0;
    if (!open)
        return snprintf(fixed, sizeof fixed, "%s%s", done, rest) > NAME_MAX_LENGTH ? -EINVAL : hosts_add(hosts, fixed);
    if (!close || snprintf(fixed, sizeof fixed, "%s%.*s", done, (int)(open - rest), rest) > NAME_MAX_LENGTH)
        return -EINVAL;
    for (const char *at = open + 1; at <= close && !status;) {
        size_t length = strcspn(at, ",]");
        if (length == 0 || length > NAME_MAX_LENGTH) return -EINVAL;
        snprintf(part, sizeof part, "%.*s", (int)length, at);
        size_t digits = strspn(part, "0123456789");
        bool range = digits > 0 && part[digits] == '-';
        status = range ? expand_range(fixed, part, close + 1, hosts) : expand_with(fixed, part, close + 1, hosts);
        at += length + 1;
    }
    return status;
}

/* Up to a separator outside of brackets. */
static size_t word_length(const char *text)
{
    bool inside = false;
    size_t length = 0;
    for (; text[length]; length++) {
        inside = text[length] == '[' || (inside && text[length] != ']');
        if (isspace((unsigned char)text[length]) || (text[length] == ',' && !inside)) break;
    }
    return length;
}

static int read_words(const char *listed, struct hosts *hosts)
{
    int status = 0;
    while (!status) {
        listed += strspn(listed, " ,\t\r\n");
        size_t length = word_length(listed);
        if (length == 0) break;
        char *word = strndup(listed, length);
        if (!word) return -ENOMEM;
        bool slots = strspn(word, "0123456789") == length;
        if (!slots)
            status = expand("", word, hosts);
        else if (hosts->count == 0)
            status = -EINVAL;
        free(word);
        listed += length;
    }
    return status ? status : hosts->count > 0 ? 0 : -EINVAL;
}

static int compare_names(const void *a, const void *b)
{
    const struct listed *left = a, *right = b;
    int names = strcmp(left->name, right->name);
    return names ? names : (left->at > right->at) - (left->at < right->at);
}

static int compare_places(const void *a, const void *b)
{
    const struct listed *left = a, *right = b;
    return (left->at > right->at) - (left->at < right->at);
}

static void drop_repeated(struct hosts *hosts)
{
    int kept = 1;
    qsort(hosts->items, (size_t)hosts->count, sizeof *hosts->items, compare_names);
    for (int i = 1; i < hosts->count; i++) {
        if (strcmp(hosts->items[i].name, hosts->items[kept - 1].name) != 0)
            hosts->items[kept++] = hosts->items[i];
        else
            free(hosts->items[i].name);
    }
    hosts->count = kept;
    qsort(hosts->items, (size_t)hosts->count, sizeof *hosts->items, compare_places);
}

static char *join(const struct hosts *hosts, int first)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return NULL;
    fputs(hosts->items[first].name, stream);
    for (int i = 0; i < hosts->count; i++)
        if (i != first) fprintf(stream, ",%s", hosts->items[i].name);
    bool failed = ferror(stream) != 0;
    failed |= fclose(stream) != 0;
    if (!failed) return text;
    free(text);
    return NULL;
}

int allocation_list_hosts(const char *listed, const char *own, char **hosts_p)
{
    struct hosts hosts = {.count = 0};
    int status = read_words(listed, &hosts), first = 0;
    if (!status) {
        drop_repeated(&hosts);
        while (first < hosts.count && !host_same_name(hosts.items[first].name, own)) first++;
        char *text = join(&hosts, first < hosts.count ? first : 0);
        status = text ? hosts.count : -ENOMEM;
        if (text) *hosts_p = text;
    }
    for (int i = 0; i < hosts.count; i++) free(hosts.items[i].name);
    free(hosts.items);
    return status;
}

static int read_whole(const char *path, char **text_p)
{
    FILE *file = fopen(path, "re");
    if (!file) return -errno;
    char *text = NULL;
    size_t room = 0;
    errno = 0;
    ssize_t length = getdelim(&text, &room, '\0', file);
    int status = length >= 0 ? 0 : ferror(file) ? -EIO : feof(file) ? -EINVAL : -ENOMEM;
    fclose(file);
    if (status) free(text);
    if (!status) *text_p = text;
    return status;
}

int allocation_find_hosts(const struct allocation *allocation, const char *own, char **hosts_p)
{
    char *text = NULL;
    if (allocation->hosts) return allocation_list_hosts(allocation->hosts, own, hosts_p);
    if (!allocation->hosts_file) return -ENOENT;
    int status = read_whole(allocation->hosts_file, &text);
    if (status) return status;
    status = allocation_list_hosts(text, own, hosts_p);
    free(text);
    return status;
}
