/* Inside the diagnosis alone: its rules. Each adds at most one finding. */
#ifndef SPEEDUP_ANALYSE_DIAGNOSIS_RULES_H
#define SPEEDUP_ANALYSE_DIAGNOSIS_RULES_H

#include "diagnosis_facts.h"

typedef void diagnosis_rule(const struct facts *, struct diagnosis *);

/* diagnosis_places.c: where tasks may run, and where they ran. */
diagnosis_rule rule_worlds, rule_shared_cores, rule_ranks_one_core, rule_hybrid, rule_pinned, rule_one_core,
    rule_siblings, rule_mask_ignored;
/* diagnosis_counts.c: how many tasks there are. */
diagnosis_rule rule_nested, rule_blas, rule_oversubscribed, rule_idle_cores, rule_serial;
/* diagnosis_waits.c: what they wait for. */
diagnosis_rule rule_quota, rule_neighbour, rule_steal, rule_spinning, rule_lock, rule_waiting;

/* A finding to fill; NULL where there is no room. */
struct finding *rule_add(struct diagnosis *, const char *name, bool fault);
bool rule_found(const struct diagnosis *, const char *name);
void rule_say(struct finding *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds to the fix. False where it does not fit: then there is none, as what was cut cannot be typed. */
bool rule_fix(struct finding *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The command with a variable in front: "env OMP_WAIT_POLICY=passive CMD"; of an attached process, and of a command
 * that is too long for it, the variable alone. `unset`: a variable to be taken out; NULL. */
void rule_fix_variable(struct finding *, const struct facts *, const char *unset, const char *setting);
/* "CPU 1", "CPUs 0,1". Returns text. */
const char *rule_cpus(const struct cpu_mask *, size_t length, char *text);
/* A command made anew from this one's words: what a fix has room for, with some words around. */
enum { COMMAND_MAX = 420 };
/* The command without what stands before its program to bind it (taskset, numactl); "" where there is nothing, and
 * where there is no room. */
const char *rule_unbound_command(const struct facts *, size_t length, char *text);
/* mpirun among the words of the command. */
bool rule_starts_mpirun(const struct facts *);
/* The command with these options behind its mpirun, in the place of those that say something else about the same; ""
 * where it has none, and where there is no room. */
const char *rule_mpirun_with(const struct facts *, const char *options, size_t length, char *text);

#endif
