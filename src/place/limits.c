/* Limits of control groups, both versions.
 *
 * /proc/self/cgroup names this process's group in each hierarchy, /proc/self/mountinfo where the hierarchy is mounted
 * and which part of it: inside a container the group's name may begin with that part, or lie outside of it ("/..").
 * A limit anywhere between the group and the mount point holds, so the smallest one counts. Of the memory in use, the
 * inactive page cache is given back when it is needed. cgroups(7), and the kernel's admin-guide/cgroup-v2.
 */
#include "limits.h"
#include "file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a comma-separated list has this item. */
static bool list_has(const char *list, const char *item)
{
    size_t length = strlen(item);
    for (const char *at = list; at; at = strchr(at, ',')) {
        if (*at == ',') at++;
        if (strncmp(at, item, length) == 0 && (at[length] == ',' || at[length] == '\0')) return true;
    }
    return false;
}

/* The group's name: that of the v1 hierarchy with the controller, else that of v2. */
static bool find_name(const char *root, const char *controller, bool *v2_p, char name_p[4096])
{
    char text[8192], *rest;
    bool found = false;
    if (file_read(sizeof text, text, "%s/proc/self/cgroup", root) < 0) return false;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':');
        char *name = controllers ? strchr(++controllers, ':') : NULL;
        if (!name) continue;
        *name++ = '\0';
        bool v2 = controllers[0] == '\0';
        if (!v2 && !list_has(controllers, controller)) continue;
        found = true;
        *v2_p = v2;
        snprintf(name_p, 4096, "%s", name);
        if (!v2) break;
    }
    return found;
}

/* mount_root is the part of the hierarchy that is mounted at mount_point. */
static bool find_mount(const char *root, const char *controller, bool v2, char mount_root_p[4096],
                       char mount_point_p[4096])
{
    char path[4096], *line = NULL;
    size_t size = 0;
    bool found = false;
    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    while (!found && getline(&line, &size, file) > 0) {
        char type[64], options[1024];
        const char *tail = strstr(line, " - ");
        if (!tail || sscanf(tail, " - %63s %*s %1023s", type, options) != 2) continue;
        if (strcmp(type, v2 ? "cgroup2" : "cgroup") != 0 || (!v2 && !list_has(options, controller))) continue;
        found = sscanf(line, "%*s %*s %*s %4095s %4095s", mount_root_p, mount_point_p) == 2;
    }
    free(line);
    fclose(file);
    return found;
}

bool cgroup_find(const char *root, const char *controller, struct cgroup *cgroup_p)
{
    char name[4096], mount_root[4096], mount_point[4096];
    if (!find_name(root, controller, &cgroup_p->v2, name)) return false;
    if (!find_mount(root, controller, cgroup_p->v2, mount_root, mount_point)) return false;
    size_t part = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    const char *below = name + part;
    if (strncmp(name, mount_root, part) != 0 || *below != '/' || below[1] == '\0' || strstr(name, "/.."))
        below = ""; /* all of it is mounted, or our group is not to be seen from here */
    int mount_length = snprintf(cgroup_p->path, sizeof cgroup_p->path, "%s%s", root, mount_point);
    if (mount_length < 0 || (size_t)mount_length + strlen(below) >= sizeof cgroup_p->path) return false;
    cgroup_p->mount_length = (size_t)mount_length;
    strcpy(cgroup_p->path + mount_length, below);
    return true;
}

bool cgroup_up(struct cgroup *cgroup)
{
    if (strlen(cgroup->path) <= cgroup->mount_length) return false;
    *strrchr(cgroup->path, '/') = '\0';
    return true;
}

static double read_quota(const char *root)
{
    struct cgroup group;
    double least = NAN;
    if (!cgroup_find(root, "cpu", &group)) return NAN;
    do {
        char text[64];
        double quota = -1, period = 0;
        if (group.v2) {
            file_read(sizeof text, text, "%s/cpu.max", group.path);
            if (sscanf(text, "%lf %lf", &quota, &period) != 2) continue; /* "max 100000" */
        } else {
            quota = file_read_number(-1, "%s/cpu.cfs_quota_us", group.path);
            period = file_read_number(0, "%s/cpu.cfs_period_us", group.path);
        }
        if (quota > 0 && period > 0) least = fmin(least, quota / period);
    } while (cgroup_up(&group));
    return least;
}

/* The number after a name at the beginning of a line. */
static double named_number(const char *text, const char *name, double fallback)
{
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, length) == 0) return strtod(line + length, NULL);
    }
    return fallback;
}

static void bound_memory(const char *root, double *memory_p, double *available_p)
{
    struct cgroup group;
    double installed = *memory_p;
    if (!cgroup_find(root, "memory", &group)) return;
    do {
        char text[8192];
        double limit = file_read_number(INFINITY, group.v2 ? "%s/memory.max" : "%s/memory.limit_in_bytes", group.path);
        double used = file_read_number(0, group.v2 ? "%s/memory.current" : "%s/memory.usage_in_bytes", group.path);
        if (!(limit < installed)) continue; /* "max", or v1's 2^63 */
        file_read(sizeof text, text, "%s/memory.stat", group.path);
        double cache = named_number(text, group.v2 ? "inactive_file " : "total_inactive_file ", 0);
        *memory_p = fmin(*memory_p, limit);
        *available_p = fmin(*available_p, fmax(0, limit - fmax(0, used - cache)));
    } while (cgroup_up(&group));
}

void limits_read(const char *root, struct limits *limits_p)
{
    char text[4096];
    file_read(sizeof text, text, "%s/proc/meminfo", root);
    double memory = 1024 * named_number(text, "MemTotal:", 0);
    double available = 1024 * named_number(text, "MemAvailable:", 0);
    bound_memory(root, &memory, &available);
    *limits_p = (struct limits){
        .quota_cpus = read_quota(root), .memory_bytes = (int64_t)memory, .memory_available_bytes = (int64_t)available};
}
