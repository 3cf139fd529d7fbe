#include "samplers.h"

#include "bound.h"

#include <math.h>
#include <string.h>

/* What was not found when this was built. */
#ifdef BENCH_WITH_GSL
#    define WITH_GSL(sample) sample, NULL
#else
#    define WITH_GSL(sample) NULL, "built without the GSL (libgsl-dev)"
#endif
#ifdef BENCH_WITH_RANDOM123
#    define WITH_RANDOM123(sample) sample, NULL
#else
#    define WITH_RANDOM123(sample) NULL, "built without Random123 (librandom123-dev)"
#endif
#if defined BENCH_WITH_RANDOM123 && defined __x86_64__
#    define WITH_RANDOM123_ON_X86(sample) sample, NULL
#else
#    define WITH_RANDOM123_ON_X86(sample) NULL, "built without Random123 (librandom123-dev), or not for x86-64"
#endif
#ifdef BENCH_WITH_SLEEF
#    define WITH_SLEEF(sample) sample, NULL
#else
#    define WITH_SLEEF(sample) NULL, "built without SLEEF (libsleef-dev), or not for x86-64"
#endif

enum { ISA_ANY = ISA_COUNT };
static const struct peer {
    const char *kernel, *name;
    int isa; /* takes part with that instruction set only, or with ISA_ANY */
    bool is_base, needs_aes;
    peer_sample *sample;
    const char *missing; /* NULL, or why it was not built */
} peers[] = {
    {"pi", "rand", ISA_ANY, false, false, pi_rand, NULL},
    {"pi", "drand48", ISA_ANY, false, false, pi_drand48, NULL},
    {"pi", "GSL mt19937", ISA_ANY, true, false, WITH_GSL(pi_gsl)},
    {"pi", "R123 Philox", ISA_ANY, true, false, WITH_RANDOM123(pi_philox_base)},
    {"pi", "R123 Philox, avx2", ISA_AVX2, true, false, WITH_RANDOM123_ON_X86(pi_philox_avx2)},
    {"pi", "R123 Philox, avx512", ISA_AVX512, true, false, WITH_RANDOM123_ON_X86(pi_philox_avx512)},
    {"pi", "R123 ARS-7", ISA_BASE, true, true, WITH_RANDOM123_ON_X86(pi_ars_base)},
    {"pi", "R123 ARS-7, avx2", ISA_AVX2, true, true, WITH_RANDOM123_ON_X86(pi_ars_avx2)},
    {"pi", "R123 ARS-7, avx512", ISA_AVX512, true, true, WITH_RANDOM123_ON_X86(pi_ars_avx512)},
    {"option", "GSL polar", ISA_ANY, false, false, WITH_GSL(option_gsl_polar)},
    {"option", "GSL ziggurat", ISA_ANY, true, false, WITH_GSL(option_gsl_ziggurat)},
    {"option", "SLEEF", ISA_BASE, true, false, NULL, "its functions are compared for avx2 and avx512"},
    {"option", "SLEEF, avx2", ISA_AVX2, true, false, WITH_SLEEF(option_sleef_by_vector_avx2)},
    {"option", "SLEEF, chunks", ISA_AVX2, true, false, WITH_SLEEF(option_sleef_avx2)},
    {"option", "SLEEF, avx512", ISA_AVX512, true, false, WITH_SLEEF(option_sleef_by_vector_avx512)},
    {"option", "SLEEF, chunks", ISA_AVX512, true, false, WITH_SLEEF(option_sleef_avx512)},
};

static int run_peer(struct sampler *sampler)
{
    sampler->mean = sampler->sample(sampler->question, sampler->samples);
    return 0;
}

static bool peer_is_right(struct sampler *sampler, size_t length, char *why)
{
    return question_is_answered(sampler->question, sampler->mean, sampler->samples, length, why);
}

static int run_npb(struct sampler *sampler)
{
    sampler->npb((int)lround(log2((double)sampler->samples)), &sampler->sums);
    return 0;
}

/* The sums that NPB publishes, within its tolerance. */
static bool npb_is_right(struct sampler *sampler, size_t length, char *why)
{
    static const struct {
        int64_t pairs;
        double x, y;
    } published[] = {
        {INT64_C(1) << 24, -3.247834652034740e3, -6.958407078382297e3},
        {INT64_C(1) << 25, -2.863319731645753e3, -6.320053679109499e3},
        {INT64_C(1) << 28, -4.295875165629892e3, -1.580732573678431e4},
        {INT64_C(1) << 30, 4.033815542441498e4, -2.660669192809235e4},
    };
    const double x = sampler->sums.x, y = sampler->sums.y;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (published[i].pairs == sampler->samples && fabs(x / published[i].x - 1) <= 1e-8 &&
            fabs(y / published[i].y - 1) <= 1e-8)
            return true;
    snprintf(why, length, "WRONG: sums %.15e and %.15e are not NPB's", x, y);
    return false;
}

static const struct sampler_kind peer_kind = {.run = run_peer, .is_right = peer_is_right};
static const struct sampler_kind npb_kind = {.run = run_npb, .is_right = npb_is_right};

static struct sampler *add(struct samplers *samplers, const struct question *question, const char *name,
                           const struct sampler_kind *kind)
{
    struct sampler *sampler = &samplers->list[samplers->count++];
    *sampler = (struct sampler){.kind = kind, .question = question, .threads = 1, .solo = -1};
    snprintf(sampler->name, sizeof sampler->name, "%s", name);
    return sampler;
}

static void add_peers(struct samplers *samplers, const struct question *question)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        const struct peer *peer = &peers[i];
        const char *missing = peer->missing;
        if (strcmp(peer->kernel, question->kernel->name) != 0) continue;
        if (peer->isa != ISA_ANY && peer->isa != (int)question->isa) continue;
        if (!missing && peer->needs_aes) missing = generator_unavailable(GENERATOR_ARS);
        if (missing) {
            printf("%s: %s: left out: %s\n", question->kernel->name, peer->name, missing);
            continue;
        }
        struct sampler *sampler = add(samplers, question, peer->name, &peer_kind);
        sampler->sample = peer->sample;
        sampler->is_base = peer->is_base;
    }
}

static void add_npb(struct samplers *samplers, const struct question *question)
{
    for (int native = 0; native < 2; native++) {
        struct sampler *sampler = add(samplers, question, native ? "NPB, native" : "NPB, -O3", &npb_kind);
        sampler->npb = native ? npb_ep_native : npb_ep_plain;
        sampler->is_base = true;
    }
}

static int add_own(struct samplers *samplers, const struct question *question, const struct variant *variant,
                   int threads)
{
    const char *missing = variant_unavailable(variant);
    char name[32];
    if (missing) {
        printf("%s: own %s: left out: %s\n", question->kernel->name, variant->name, missing);
        return 0;
    }
    snprintf(name, sizeof name, threads > 1 ? "own %s, %d threads" : "own %s", variant->name, threads);
    struct sampler *sampler = add(samplers, question, name, &own_kind);
    sampler->threads = threads;
    if (threads == 1) sampler->operations = bound_operations(&question->code, question->kernel->name, variant->name);
    int status = own_open(sampler, variant);
    if (status < 0 || threads == 1) return status;
    sampler->solo = samplers->count;
    return add_own(samplers, question, variant, 1);
}

int samplers_open(const struct question *question, int threads, struct samplers *samplers_p, struct error *error_p)
{
    int status = 0;
    samplers_p->count = 0;
    if (threads == 1) add_peers(samplers_p, question);
    if (threads == 1 && question->fixed_size) add_npb(samplers_p, question);
    for (const struct variant *variant = question->kernel->variants; variant->name && status == 0; variant++)
        if (threads == 1 || strcmp(variant->name, "scalar") != 0)
            status = add_own(samplers_p, question, variant, threads);
    return status < 0 ? error_set(error_p, STATUS_FAILED, "out of memory") : 0;
}

void samplers_close(struct samplers *samplers)
{
    for (int i = 0; i < samplers->count; i++)
        if (samplers->list[i].kind->close) samplers->list[i].kind->close(&samplers->list[i]);
    samplers->count = 0;
}
