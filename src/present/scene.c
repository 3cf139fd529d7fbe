/* What a row of the lesson shows. Decided by the numbers of tasks and cores, not by the mode's name, so that
 * oversubscribed modes fall where they belong. */
#include "text.h"

#include <math.h>
#include <string.h>

enum scene_kind scene_kind(const struct lesson_row *row)
{
    if (row->workers <= 1) return SCENE_ALONE;
    if (row->cpus > 1) return SCENE_CORES;
    return row->waits ? SCENE_WAITS : SCENE_TURNS;
}

double scene_ideal(const struct lesson *lesson, const struct lesson_row *row)
{
    if (row->workers <= 1) return 1;
    if (row->waits) return isfinite(lesson->waiting_bound) ? fmin(row->workers, lesson->waiting_bound) : NAN;
    return row->workers < row->cpus ? row->workers : row->cpus;
}

const char *scene_describe(const struct lesson_row *row, size_t length, char *text)
{
    static const char *const doing[] = {[SCENE_ALONE] = "alone",
                                        [SCENE_TURNS] = "taking turns",
                                        [SCENE_CORES] = "at once",
                                        [SCENE_WAITS] = "mostly waiting"};
    enum scene_kind kind = scene_kind(row);
    if (kind == SCENE_ALONE) {
        snprintf(text, length, "1 task alone on 1 core");
        return text;
    }
    bool processes = row->mode == MODE_MULTITASK_MPI || row->mode == MODE_MPI;
    const char *noun = row->mode == MODE_HYBRID ? "threads in processes" : processes ? "processes" : "threads";
    snprintf(text, length, "%d %s %s on %d core%s", row->workers, noun, doing[kind], row->cpus,
             row->cpus == 1 ? "" : "s");
    return text;
}

bool scene_same_set(const struct lesson_row *a, const struct lesson_row *b)
{
    return strcmp(a->kernel, b->kernel) == 0 && strcmp(a->variant, b->variant) == 0 && strcmp(a->size, b->size) == 0 &&
           a->waits == b->waits;
}

bool scene_starts_set(const struct lesson *lesson, int row)
{
    for (int i = 0; i < row; i++) {
        if (scene_same_set(&lesson->rows[i], &lesson->rows[row])) return false;
    }
    return true;
}

double scene_set_top(const struct lesson *lesson, int first)
{
    double top = 1;
    for (int i = first; i < lesson->row_count; i++) {
        const struct lesson_row *row = &lesson->rows[i];
        if (!scene_same_set(row, &lesson->rows[first])) continue;
        /* fmax passes over NAN */
        top = fmax(top, fmax(scene_ideal(lesson, row), fmax(row->speedup, row->speedup_high)));
    }
    return top;
}

const struct lesson_row *scene_find(const struct lesson *lesson, enum scene_kind kind)
{
    for (int i = 0; i < lesson->row_count; i++) {
        const struct lesson_row *row = &lesson->rows[i];
        if (scene_kind(row) == kind && isfinite(row->speedup)) return row;
    }
    return NULL;
}
