/* The rules, in our words, and how each is kept here. The README has the same table; a test compares them. */
#include "rules.h"

const struct rule measurement_rules[] = {
    {"say what a speedup is relative to, in absolute terms",
     "two bases, each with time and rate: the best serial program, and one worker of the same mode",
     "`speedup report FILE`"},
    {"say what was left out, and why",
     "invalid samples stay in the record with their reason, and are counted in the table",
     "`jq 'select(.valid == false) .invalid_reason' FILE`"},
    {"rates are total work over total time", "`rate` is `work / wall_s` of the whole sample", "`src/record/SCHEMA.md`"},
    {"no means of ratios", "medians of ratios within blocks, by order statistics", "`speedup report --json FILE`"},
    {"intervals, unless deterministic",
     "95 %, of the median; none under 6 launches (7, where looking at them decides when to stop)", "the table"},
    {"no normality assumed", "order statistics and rank tests alone", "`src/analyse/ranks.h`"},
    {"\"faster\" only where it is shown", "the interval must exclude 1, adjusted for the number of comparisons (Holm)",
     "`speedup compare OLD NEW`"},
    {"more than one number of a distribution", "all samples are in the record, with each worker's times", "`--json`"},
    {"the whole setup", "machine, system, compiler, flags, MPI, launch lines, environment", "`head -1 FILE`"},
    {"how time was taken", "CLOCK_MONOTONIC, from a common start to the last end on each node",
     "`src/record/SCHEMA.md`"},
    {"bounds", "ideal, the fitted law, the measured peak of the cores, what waiting tasks can gain",
     "the end of the report"},
    {"points with their intervals; lines only along what was measured",
     "the chart has points alone; laws say nothing beyond twice the most workers measured", "the chart"},
    {0}};
