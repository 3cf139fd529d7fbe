#include "page.h"

#include "../present/present.h"

#include <math.h>
#include <string.h>

extern const struct page pi_page, option_page, ep_page, matmul_page, triad_page, stencil_page, mandelbrot_page,
    synthetic_page, exchange_page, relay_page;

const struct page *const page_registry[] = {
    &pi_page,         &option_page,    &ep_page,       &matmul_page, &triad_page, &stencil_page,
    &mandelbrot_page, &synthetic_page, &exchange_page, &relay_page,  NULL};

const struct page *page_find(const char *kernel)
{
    for (int i = 0; page_registry[i]; i++)
        if (strcmp(page_registry[i]->kernel, kernel) == 0) return page_registry[i];
    return NULL;
}

const char *facts_rate(double rate, const char *unit, size_t length, char *text_p)
{
    if (isnan(rate))
        snprintf(text_p, length, "not measured");
    else if (strcmp(unit, "B") == 0)
        snprintf(text_p, length, "%.3g GB/s", rate / 1e9);
    else
        format_rate(rate, unit, length, text_p);
    return text_p;
}
