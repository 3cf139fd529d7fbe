#include "peers.h"

#include <stdlib.h>

double pi_rand(const struct question *question, int64_t points)
{
    int64_t hits = 0;
    (void)question;
    srand(1);
    for (int64_t i = 0; i < points; i++) {
        double x = rand() / (RAND_MAX + 1.0), y = rand() / (RAND_MAX + 1.0);
        hits += x * x + y * y < 1;
    }
    return 4 * (double)hits / (double)points;
}

double pi_drand48(const struct question *question, int64_t points)
{
    int64_t hits = 0;
    (void)question;
    srand48(1);
    for (int64_t i = 0; i < points; i++) {
        double x = drand48(), y = drand48();
        hits += x * x + y * y < 1;
    }
    return 4 * (double)hits / (double)points;
}
