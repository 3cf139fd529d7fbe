/* The one table of kernels. A kernel is one file (or folder) that ends in its struct kernel, a row here, and a line in
 * CMakeLists.txt. */
#include "kernel.h"

#include <assert.h>
#include <string.h>

extern const struct kernel pi_kernel, option_kernel, ep_kernel, matmul_kernel, triad_kernel, stencil_kernel,
    mandelbrot_kernel, synthetic_kernel, relay_kernel, exchange_kernel;

/* In the order in which they are taught. */
const struct kernel *const kernel_registry[] = {
    &pi_kernel,         &option_kernel,    &ep_kernel,    &matmul_kernel,   &triad_kernel, &stencil_kernel,
    &mandelbrot_kernel, &synthetic_kernel, &relay_kernel, &exchange_kernel, NULL};

const struct kernel *kernel_find(const char *name)
{
    for (int i = 0; kernel_registry[i]; i++)
        if (strcmp(kernel_registry[i]->name, name) == 0) return kernel_registry[i];
    return NULL;
}

const struct variant *kernel_find_variant(const struct kernel *kernel, const char *name)
{
    for (const struct variant *variant = kernel->variants; variant->name; variant++)
        if (strcmp(variant->name, name) == 0) return variant;
    return NULL;
}

const struct variant *kernel_default_variant(const struct kernel *kernel)
{
    return kernel_find_variant(kernel, kernel->variant_default);
}

const char *variant_unavailable(const struct variant *variant)
{
    return variant->unavailable ? variant->unavailable() : NULL;
}

void problem_init(const struct kernel *kernel, struct problem *problem_p)
{
    memset(problem_p, 0, sizeof *problem_p);
    problem_p->kernel = kernel;
    problem_p->variant = kernel_default_variant(kernel);
    problem_p->seed = kernel->seed_default;
    problem_p->isa = "";
    int status = kernel->parse_size(kernel->size_default, &problem_p->size);
    assert(status == 0);
    (void)status;
    for (int i = 0; kernel->options && kernel->options[i].name; i++)
        problem_p->options[i] = kernel->options[i].fallback;
}
