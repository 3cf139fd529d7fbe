/* libxsmm: code for small products, made when it is asked for (Heinecke, Henry, Hutchinson, Pabst: LIBXSMM:
 * accelerating small matrix multiplications by runtime code generation. SC16). Its matrices are by columns, so that it
 * gets C^T = B^T A^T. One thread.
 */
#include "contestants.h"

#include "../../src/place/machine.h"

#include <errno.h>

#ifdef BENCH_WITH_XSMM
#    include <libxsmm.h>

enum { EXTENT_MAX = 64 };

static bool xsmm_takes(const struct shape *shape)
{
    return shape->m <= EXTENT_MAX && shape->n <= EXTENT_MAX && shape->k <= EXTENT_MAX;
}

static int xsmm_prepare(struct contestant *contestant, const struct shape *shape)
{
    const double alpha = 1, beta = 0;
    const int m = (int)shape->m, n = (int)shape->n, k = (int)shape->k, flags = LIBXSMM_GEMM_FLAG_NONE,
              prefetch = LIBXSMM_PREFETCH_NONE;
    contestant->jit = libxsmm_dmmdispatch(n, m, k, &n, &k, &n, &alpha, &beta, &flags, &prefetch);
    return contestant->jit ? 0 : -ENOTSUP;
}

static void xsmm_settle(const struct contestant *contestant)
{
    bind_thread(contestant->cpus->cpus[0]);
}

static void xsmm_multiply(const struct contestant *contestant, const struct product *product, int64_t calls)
{
    for (int64_t call = 0; call < calls; call++) contestant->jit(product->b, product->a, product->c);
}

static const struct contestant_kind xsmm_kind = {
    .takes = xsmm_takes, .prepare = xsmm_prepare, .settle = xsmm_settle, .multiply = xsmm_multiply};

void xsmm_open(struct contestants *all, const struct contestants_wish *wish)
{
    if (!bench_list_has(wish->peers, "libxsmm")) return;
    if (wish->threads > 1) {
        printf("libxsmm: left out: it has one thread\n");
        return;
    }
    libxsmm_init();
    contestants_add(all, "libxsmm", &xsmm_kind, 1);
    printf("libxsmm: %s, code for %s, up to %d x %d x %d\n", LIBXSMM_VERSION, libxsmm_get_target_arch(), EXTENT_MAX,
           EXTENT_MAX, EXTENT_MAX);
}

#else

void xsmm_open(struct contestants *all, const struct contestants_wish *wish)
{
    (void)all;
    if (bench_list_has(wish->peers, "libxsmm"))
        printf("libxsmm: left out: it was not installed when this was built; install libxsmm-dev\n");
}
#endif
