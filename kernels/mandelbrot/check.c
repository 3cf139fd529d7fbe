/* Whether the counts are right, without the code that made them.
 *
 * - Each row was computed by one worker, once, and no pixel was left out.
 * - Points that are known: |c| > 2 escapes at once. The main cardioid and the disc of period 2 to its left never
 * escape; a seam inside of their edges is left out, where rounding has a say.
 * - A row has the counts of its mirror image at the real axis, to the last one: the steps of conjugate points differ in
 *   signs alone.
 * - Some pixels, drawn by the seed, are counted again, by the definition in complex numbers.
 *
 * Rows are told apart by a table with two words for each, how often it was computed and a hash of its counts: each rank
 * fills in its own, and the sum over the ranks is all of it.
 */
#include "../random.h"
#include "mandelbrot.h"

#include <complex.h>
#include <stdio.h>
#include <string.h>

enum { RECOUNTED_MOST = 4096, RECOUNTED_LEAST = 64, RECOUNTED_STEPS = 1 << 24 };
static const double SEAM = 1e-9;

/* What a rank finds in its pixels; added over the ranks. */
struct findings {
    uint64_t steps, missing, known, known_wrong, recounted, recounted_wrong;
};
enum { FINDINGS = sizeof(struct findings) / sizeof(uint64_t) };

int64_t mandelbrot_table_words(const struct view *view)
{
    return 2 * view->rows;
}

/* Returns whether it is known without a step; *count_p then. */
static bool count_known(double re, double im, uint32_t iterations, uint32_t *count_p)
{
    double norm = re * re + im * im, from_cusp = re - 0.25, q = from_cusp * from_cusp + im * im;
    *count_p = 0;
    if (norm > 4 * (1 + SEAM)) return true;
    *count_p = iterations;
    return q * (q + from_cusp) < im * im / 4 - SEAM || (re + 1) * (re + 1) + im * im < 1.0 / 16 - SEAM;
}

static uint32_t recount(double re, double im, uint32_t iterations)
{
    double complex c = re + im * I, z = c;
    uint32_t count = 0;
    while (count < iterations && creal(z) * creal(z) + cimag(z) * cimag(z) <= 4) {
        z = z * z + c;
        count++;
    }
    return count;
}

/* All pixels of a small picture. */
static bool is_drawn(const struct mandelbrot *mandelbrot, int64_t row, int64_t column)
{
    uint64_t pixels = (uint64_t)mandelbrot->view.columns * (uint64_t)mandelbrot->view.rows;
    uint64_t most = RECOUNTED_STEPS / mandelbrot->iterations;
    if (most < RECOUNTED_LEAST) most = RECOUNTED_LEAST;
    if (most > RECOUNTED_MOST) most = RECOUNTED_MOST;
    uint64_t pixel = (uint64_t)row * (uint64_t)mandelbrot->view.columns + (uint64_t)column;
    return pixels <= most || hash_pair(mandelbrot->seed, pixel) < UINT64_MAX / pixels * most;
}

static uint64_t examine_row(const struct mandelbrot *mandelbrot, int64_t slot, struct findings *findings)
{
    const struct view *view = &mandelbrot->view;
    const uint32_t *counts = mandelbrot->counts + slot * view->columns;
    int64_t row = mandelbrot_row(mandelbrot, slot);
    double im = view_im(view, row);
    uint64_t hash = 0;
    for (int64_t column = 0; column < view->columns; column++) {
        double re = view_re(view, column);
        uint32_t count = counts[column], right;
        hash += hash_pair((uint64_t)column, count);
        findings->missing += count == COUNT_NONE;
        findings->steps += count;
        if (count_known(re, im, mandelbrot->iterations, &right)) {
            findings->known++;
            findings->known_wrong += count != right;
        }
        if (!is_drawn(mandelbrot, row, column)) continue;
        findings->recounted++;
        findings->recounted_wrong += count != recount(re, im, mandelbrot->iterations);
    }
    return hash;
}

static void examine_rows(struct mandelbrot *mandelbrot, struct findings *findings_p)
{
    uint64_t *times = mandelbrot->table, *hashes = times + mandelbrot->view.rows;
    uint64_t sums[FINDINGS] = {0};
    memset(times, 0, (size_t)mandelbrot_table_words(&mandelbrot->view) * sizeof *times);
#pragma omp parallel
    {
        struct findings found = {.steps = 0};
#pragma omp for schedule(dynamic) nowait
        for (int64_t slot = 0; slot < mandelbrot->slots; slot++) {
            int64_t row = mandelbrot_row(mandelbrot, slot);
            if (mandelbrot->times[slot] == 0) continue;
            times[row] = mandelbrot->times[slot];
            hashes[row] = examine_row(mandelbrot, slot, &found);
        }
#pragma omp critical(mandelbrot_findings)
        for (int i = 0; i < FINDINGS; i++) sums[i] += (&found.steps)[i];
    }
    memcpy(findings_p, sums, sizeof sums);
}

struct row_findings {
    int64_t not_once, mirrored, asymmetric;
    uint64_t checksum;
};

static struct row_findings compare_rows(const struct mandelbrot *mandelbrot)
{
    const struct view *view = &mandelbrot->view;
    const uint64_t *times = mandelbrot->table, *hashes = times + view->rows;
    struct row_findings found = {.not_once = 0};
    for (int64_t row = 0; row < view->rows; row++) {
        int64_t mirror = view_mirror(view, row);
        found.not_once += times[row] != 1;
        found.checksum += hash_pair((uint64_t)row, hashes[row]);
        if (mirror <= row || mirror >= view->rows) continue;
        found.mirrored += 2;
        found.asymmetric += hashes[row] != hashes[mirror];
    }
    return found;
}

/* What this check cannot catch: a wrong count close to the edge of the set, in a row without a mirror image in the
 * picture, and not among those counted again. */
int mandelbrot_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct mandelbrot *mandelbrot = state;
    struct findings findings;
    examine_rows(mandelbrot, &findings);
    int status = team_sum_u64(team, FINDINGS, &findings.steps);
    if (status == 0) status = team_sum_u64(team, (size_t)mandelbrot_table_words(&mandelbrot->view), mandelbrot->table);
    if (status < 0) return status;
    struct row_findings rows = compare_rows(mandelbrot);
    const char *wrong = rows.not_once              ? "; a row was not computed exactly once"
                        : findings.missing         ? "; a pixel was left out"
                        : findings.known_wrong     ? "; a known point has another count"
                        : rows.asymmetric          ? "; a row differs from its mirror image"
                        : findings.recounted_wrong ? "; a pixel counted again differs"
                                                   : "";
    verdict_p->correct = *wrong == '\0';
    verdict_p->checksum = rows.checksum;
    verdict_p->result = (double)findings.steps;
    snprintf(
        verdict_p->detail, sizeof verdict_p->detail,
        "%lld rows, %lld of them mirrored at the real axis; %llu pixels known without a step, %llu counted again%s",
        (long long)mandelbrot->view.rows, (long long)rows.mirrored, (unsigned long long)findings.known,
        (unsigned long long)findings.recounted, wrong);
    return 0;
}

/* The first of this rank's pixels that is counted again; NULL where there is none. */
static uint32_t *find_drawn(const struct mandelbrot *mandelbrot)
{
    for (int64_t slot = 0; slot < mandelbrot->slots; slot++)
        for (int64_t column = 0; column < mandelbrot->view.columns && mandelbrot->times[slot]; column++)
            if (is_drawn(mandelbrot, mandelbrot_row(mandelbrot, slot), column))
                return mandelbrot->counts + slot * mandelbrot->view.columns + column;
    return NULL;
}

bool mandelbrot_corrupt(void *state, int kind)
{
    struct mandelbrot *mandelbrot = state;
    uint32_t *drawn = find_drawn(mandelbrot);
    int64_t slot = 0;
    while (slot < mandelbrot->slots && !mandelbrot->times[slot]) slot++;
    if (slot == mandelbrot->slots) { /* no row came out of the queue: it does one that another has done */
        bool can = kind < 3 && slot > 0;
        if (can) mandelbrot->times[kind % slot]++;
        return can;
    }
    switch (kind) {
    case 0: /* a pixel left out */
        mandelbrot->counts[(slot + 1) * mandelbrot->view.columns - 1] = COUNT_NONE;
        return true;
    case 1: /* a row left out */
        mandelbrot->times[slot] = 0;
        return true;
    case 2: /* a row computed by two workers */
        mandelbrot->times[slot]++;
        return true;
    case 3: /* a count off by one */
        if (!drawn) return false;
        *drawn += *drawn > 0 ? UINT32_MAX : 1;
        return true;
    default:
        return false;
    }
}
