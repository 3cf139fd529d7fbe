#include "peer_stencil.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int64_t width(const struct peer_stencil *peer)
{
    return peer->columns + 2 * peer->radius;
}

static int64_t height(const struct peer_stencil *peer)
{
    return peer->rows + 2 * peer->radius;
}

int peer_stencil_prepare(struct peer_stencil *peer)
{
    size_t bytes = (size_t)(height(peer) * width(peer)) * sizeof(double);
    peer->in = malloc(bytes);
    peer->out = malloc(bytes);
    return peer->in && peer->out ? 0 : -ENOMEM;
}

void peer_stencil_free(struct peer_stencil *peer)
{
    free(peer->in);
    free(peer->out);
}

/* By the threads that will compute it. */
void peer_stencil_reset(struct peer_stencil *peer)
{
    int64_t n = width(peer), rows = height(peer);
#pragma omp parallel for num_threads(peer->threads)
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++) peer->in[i * n + j] = peer->out[i * n + j] = (double)(i + 2 * j);
}

static void step5(const struct peer_stencil *peer)
{
    int64_t n = width(peer), rows = peer->rows, columns = peer->columns;
    const double *restrict in = peer->in;
    double *restrict out = peer->out;
#pragma omp parallel for num_threads(peer->threads)
    for (int64_t i = 1; i <= rows; i++)
        for (int64_t j = 1; j <= columns; j++)
            out[i * n + j] = 0.5 * in[i * n + j] + 0.125 * (in[(i - 1) * n + j] + in[(i + 1) * n + j] +
                                                            in[i * n + j - 1] + in[i * n + j + 1]);
}

static void step9(const struct peer_stencil *peer)
{
    int64_t n = width(peer), rows = peer->rows, columns = peer->columns;
    const double *restrict in = peer->in;
    double *restrict out = peer->out;
#pragma omp parallel for num_threads(peer->threads)
    for (int64_t i = 2; i < rows + 2; i++)
        for (int64_t j = 2; j < columns + 2; j++)
            out[i * n + j] =
                0.53125 * in[i * n + j] +
                0.125 * (in[(i - 1) * n + j] + in[(i + 1) * n + j] + in[i * n + j - 1] + in[i * n + j + 1]) -
                0.0078125 * (in[(i - 2) * n + j] + in[(i + 2) * n + j] + in[i * n + j - 2] + in[i * n + j + 2]);
}

void peer_stencil_run(struct peer_stencil *peer)
{
    for (int64_t step = 0; step < peer->steps; step++) {
        if (peer->radius == 1)
            step5(peer);
        else
            step9(peer);
        double *made = peer->out;
        peer->out = peer->in;
        peer->in = made;
    }
}

int64_t peer_stencil_wrong(const struct peer_stencil *peer)
{
    int64_t n = width(peer), rows = height(peer), wrong = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++) wrong += !(fabs(peer->in[i * n + j] - (double)(i + 2 * j)) <= 1e-6);
    return wrong;
}
