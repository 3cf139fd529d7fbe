/* The twelve rules for measuring parallel programs of Hoefler and Belli (Scientific benchmarking of parallel computing
 * systems, SC15), and what is done for each: data. */
#ifndef SPEEDUP_PRESENT_RULES_H
#define SPEEDUP_PRESENT_RULES_H

struct rule {
    const char *rule, *here, *see; /* `as in Markdown` where it is code */
};

/* Rule 1 first; rule NULL ends it. */
extern const struct rule measurement_rules[];

#endif
