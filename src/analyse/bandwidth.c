#include "bandwidth.h"

#include <math.h>
#include <string.h>

/* Of the ceiling, which is measured beside the samples and not at the same time: that much of it, or a little more, is
 * all of it. */
static const double near_least = 0.8, near_most = 1.05;

static bool has_ceiling(const struct sample *sample)
{
    return strcmp(sample->work_unit, "byte") == 0 && sample->ceiling_rate > 0;
}

static double sample_share(const struct sample *sample)
{
    return has_ceiling(sample) ? sample->rate / sample->ceiling_rate : NAN;
}

static double sample_ceiling(const struct sample *sample)
{
    return has_ceiling(sample) ? sample->ceiling_rate : NAN;
}

void bandwidth_of(const struct group *group, struct bandwidth *bandwidth_p)
{
    *bandwidth_p = (struct bandwidth){.share = group_median(group, ANY_BLOCK, sample_share),
                                      .ceiling_rate = group_median(group, ANY_BLOCK, sample_ceiling)};
}

/* Of all cores that the mode uses. */
static int count_caches(const struct config *config, int level)
{
    int nodes = mode_nodes(&config->mode), cores = config->mode.cpus.count;
    return level == 3 || cores < 1 ? nodes : nodes * cores;
}

void bandwidth_find_caches(const double cache_bytes[3], const struct config *base, const struct config *config,
                           struct bandwidth *bandwidth)
{
    struct problem problem;
    bandwidth->cache_level = 0;
    if (config_to_problem(config, &problem) || !problem.kernel->memory_bound || strcmp(base->size, config->size) != 0)
        return;
    double data = problem.kernel->memory(&problem, 1);
    for (int level = 1; level <= 3 && bandwidth->cache_level == 0; level++) {
        double bytes = cache_bytes[level - 1];
        int count = count_caches(config, level);
        if (!(bytes > 0 && data > bytes * count_caches(base, level) && data <= bytes * count)) continue;
        bandwidth->cache_level = level;
        bandwidth->cache_count = count;
        bandwidth->cache_bytes = bytes;
        bandwidth->data_bytes = data;
    }
}

bool bandwidth_is_used_up(const struct bandwidth *bandwidth)
{
    return bandwidth->share >= near_least && bandwidth->share <= near_most;
}

bool bandwidth_is_exceeded(const struct bandwidth *bandwidth)
{
    return bandwidth->share > near_most;
}

void bandwidth_say_loss(struct sentence *line, const struct bandwidth *bandwidth)
{
    sentence_add(line,
                 "memory bandwidth, which these cores share: they reach %.0f %% of the most that they can get "
                 "(%.3g GB/s)",
                 100 * bandwidth->share, bandwidth->ceiling_rate * 1e-9);
}

static void say_bytes(struct sentence *line, double bytes)
{
    const double kib = 0x1p10, mib = 0x1p20;
    sentence_add(line, bytes < mib ? "%.3g KiB" : "%.3g MiB", bytes < mib ? bytes / kib : bytes / mib);
}

void bandwidth_say_gain(struct sentence *line, const struct bandwidth *bandwidth)
{
    sentence_add(line, "superlinear: the arrays (");
    say_bytes(line, bandwidth->data_bytes);
    sentence_add(line, ") fit into %d L%d caches (", bandwidth->cache_count, bandwidth->cache_level);
    say_bytes(line, bandwidth->cache_bytes);
    sentence_add(line, " each), not into those of the base");
}
