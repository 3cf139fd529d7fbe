/* How long a CPU quota held this process back. A quota may lie on the process's own control group or on any group above
 * it, so the throttled times of all of them are added. In a container the groups' names in /proc/self/cgroup may be
 * those of the host and not exist below the mount: their ancestors then still include the mount's root, which is the
 * container's group. */
#include "thread.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LENGTH = 4096 };

double cgroup_parse_throttled(const char *text)
{
    static const struct {
        const char *name;
        double unit_s;
    } fields[] = {{"throttled_usec ", 1e-6}, {"throttled_time ", 1e-9}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *found = strstr(text, fields[i].name);
        if (found && (found == text || found[-1] == '\n'))
            return fields[i].unit_s * strtod(found + strlen(fields[i].name), NULL);
    }
    return NAN;
}

static double read_throttled_s(const char *mount, const char *group)
{
    char path[2 * PATH_LENGTH];
    char text[2048];
    snprintf(path, sizeof path, "%s%s/cpu.stat", mount, group);
    FILE *file = fopen(path, "re");
    if (!file) return NAN;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return cgroup_parse_throttled(text);
}

/* Of the group and all above it, up to the mount: where one is stopped, so are those below, and need not count it too.
 */
static double most_throttled_s(const char *mount, char *group)
{
    double most_s = NAN;
    for (;;) {
        double throttled_s = read_throttled_s(mount, group);
        most_s = fmax(most_s, throttled_s); /* of NAN and a number fmax takes the number */
        char *slash = strrchr(group, '/');
        if (!slash) return most_s;
        *slash = '\0';
    }
}

static bool names_controller(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; *at;) {
        size_t item = strcspn(at, ",");
        if (item == length && memcmp(at, name, length) == 0) return true;
        at += item + (at[item] == ',');
    }
    return false;
}

double cgroup_throttled_s(void)
{
    char line[PATH_LENGTH];
    double most_s = NAN;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file) return NAN;
    while (isnan(most_s) && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        *group++ = '\0';
        controllers++;
        if (strcmp(group, "/") == 0) *group = '\0';
        if (*controllers == '\0')
            most_s = most_throttled_s("/sys/fs/cgroup", group);
        else if (names_controller(controllers, "cpu"))
            most_s = most_throttled_s("/sys/fs/cgroup/cpu", group);
    }
    fclose(file);
    return most_s;
}
