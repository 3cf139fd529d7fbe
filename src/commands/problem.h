/* What commands that measure a kernel have in common: its name, variant, size, seed, and its own options. */
#ifndef SPEEDUP_COMMANDS_PROBLEM_H
#define SPEEDUP_COMMANDS_PROBLEM_H

#include "../../kernels/kernel.h"
#include "../error.h"

/* A kernel's own options, taken as they come, and what the command's table fills in. */
struct problem_arguments {
    const struct kernel *kernel; /* NULL: none was named yet */
    double values[KERNEL_OPTIONS_MAX];
    const char *names[KERNEL_OPTIONS_MAX + 1]; /* of its options, for suggestions */
    const char *variant, *size;                /* NULL: not given */
    uint64_t seed;
};

/* Looks for the kernel among the words: its options can be told from unknown ones only when it is known. */
void problem_arguments_init(int argc, char **argv, struct problem_arguments *arguments_p);
/* An options_unknown, with the arguments as context. */
int problem_take_option(void *context, const char *name, const char *value, struct error *);
/* The one operand. STATUS_USAGE where there is none, or several. */
int problem_take_operand(const char *command, int operand_count, char **argv, const char **name_p, struct error *);

/* The problem that the words describe; *all_p: all variants are wanted, and there are several. STATUS_USAGE. */
int problem_choose(const char *name, const struct problem_arguments *, struct problem *problem_p, bool *all_p,
                   struct error *);

#endif
