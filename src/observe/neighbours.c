#include "neighbours.h"

#include "thread.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUSIEST_MAX = 3 };
static const double share_min = 0.01;

/* /proc/PID/stat: "pid (name) state ppid ... utime stime ... starttime": fields 14, 15 and 22; the name may hold
 * anything, and is told as one line. */
static int read_process(const char *pid, struct neighbour *neighbour_p)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    unsigned long long started = 0;
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[length] = '\0';
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    if (!name || !end || end < name) return -1;
    *end = '\0';
    if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu", &user,
               &system, &started) != 3)
        return -1;
    for (char *c = name; *c; c++)
        if (iscntrl((unsigned char)*c)) *c = '?';
    neighbour_p->pid = (pid_t)strtol(pid, NULL, 10);
    neighbour_p->started = started;
    neighbour_p->cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    snprintf(neighbour_p->name, sizeof neighbour_p->name, "%s", name + 1);
    return 0;
}

void neighbours_read(struct neighbours *neighbours_p)
{
    struct neighbours all = {.wall_s = clock_wall_s()};
    int room = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        struct neighbour each;
        if (!isdigit((unsigned char)entry->d_name[0]) || read_process(entry->d_name, &each) < 0) continue;
        if (each.pid == getpid() || strncmp(each.name, "speedup-worker", 14) == 0) continue;
        if (all.count == room) {
            room = room ? 2 * room : 64;
            struct neighbour *list = realloc(all.list, (size_t)room * sizeof *list);
            if (!list) break;
            all.list = list;
        }
        all.list[all.count++] = each;
    }
    if (folder) closedir(folder);
    *neighbours_p = all;
}

void neighbours_release(struct neighbours *neighbours)
{
    free(neighbours->list);
    *neighbours = (struct neighbours){.count = 0};
}

/* The CPU time that a process had before; 0 where it was not there, or its number was another's. Names do not tell:
 * kernel threads change theirs with their work. */
static double time_before(const struct neighbours *before, const struct neighbour *now)
{
    for (int i = 0; i < before->count; i++)
        if (before->list[i].pid == now->pid && before->list[i].started == now->started) return before->list[i].cpu_s;
    return 0;
}

struct busy {
    const struct neighbour *neighbour; /* NULL: none */
    double share;
};

const char *neighbours_busiest(const struct neighbours *before, const struct neighbours *after, size_t length,
                               char *text)
{
    double wall_s = after->wall_s - before->wall_s;
    struct busy busiest[BUSIEST_MAX] = {{NULL, 0}};
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < after->count && wall_s > 0; i++) {
        struct busy each = {&after->list[i], (after->list[i].cpu_s - time_before(before, &after->list[i])) / wall_s};
        if (!(each.share >= share_min)) continue;
        for (int rank = 0; rank < BUSIEST_MAX; rank++) {
            if (busiest[rank].neighbour && each.share <= busiest[rank].share) continue;
            const struct busy moved = busiest[rank];
            busiest[rank] = each;
            each = moved;
            if (!each.neighbour) break;
        }
    }
    for (int rank = 0; rank < BUSIEST_MAX && busiest[rank].neighbour && used < length; rank++)
        used += (size_t)snprintf(text + used, length - used, "%s%s (process %d, %.0f %% of a CPU)", rank ? ", " : "",
                                 busiest[rank].neighbour->name, (int)busiest[rank].neighbour->pid,
                                 100 * busiest[rank].share);
    return text;
}
