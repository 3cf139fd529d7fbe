/* The decision on an interval; which interval, the header says. */
#include "convergence.h"

#include <math.h>

double spread_half_width(const struct spread *spread)
{
    return spread->interval ? (spread->high - spread->low) / 2 / fabs(spread->middle) : NAN;
}

bool spread_converged(const struct spread *spread, double precision)
{
    return spread_half_width(spread) <= precision;
}
