#include "problem.h"

#include "../options/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct kernel_option *find_option(const struct kernel *kernel, const char *name)
{
    const struct kernel_option *option = kernel ? kernel->options : NULL;
    while (option && option->name && strcmp(option->name, name) != 0) option++;
    return option && option->name ? option : NULL;
}

static int refuse_value(const struct kernel_option *option, const char *value, struct error *error)
{
    char domain[160];
    const char *near = option->type == OPTION_CHOICE && value ? options_nearest(value, option->choices) : NULL;
    kernel_option_domain(option, sizeof domain, domain);
    if (!value) return error_set(error, STATUS_USAGE, "--%s needs a value: %s", option->name, domain);
    if (near)
        return error_set(error, STATUS_USAGE, "--%s %s is not allowed; did you mean '%s'? Allowed: %s", option->name,
                         value, near, domain);
    return error_set(error, STATUS_USAGE, "--%s %s is not allowed; allowed: %s", option->name, value, domain);
}

int problem_take_option(void *context, const char *name, const char *value, struct error *error)
{
    struct problem_arguments *arguments = context;
    const struct kernel_option *option = find_option(arguments->kernel, name);
    if (option) {
        double *value_p = &arguments->values[option - arguments->kernel->options];
        return !value || kernel_option_parse(option, value, value_p) ? refuse_value(option, value, error) : 1;
    }
    for (int k = 0; arguments->kernel && kernel_registry[k]; k++)
        if (find_option(kernel_registry[k], name))
            return error_set(error, STATUS_USAGE, "--%s belongs to the kernel %s, not to %s (see 'speedup list %s')",
                             name, kernel_registry[k]->name, arguments->kernel->name, arguments->kernel->name);
    return 0;
}

/* The kernel's name is the first operand; its own options can be told from unknown ones only when it is known, so it is
 * looked for first. */
static const struct kernel *find_named_kernel(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && kernel_find(argv[i])) return kernel_find(argv[i]);
    return NULL;
}

enum { NAMES_MAX = 32, LIST_LENGTH = 256 };

/* "naive, tiled" of names, NULL-terminated. Returns text. */
static const char *list_names(const char *const *names, char text[LIST_LENGTH])
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; names[i] && used < LIST_LENGTH; i++)
        used += (size_t)snprintf(text + used, LIST_LENGTH - used, "%s%s", i ? ", " : "", names[i]);
    return text;
}

static int check_kernel_name(const char *name, struct error *error)
{
    if (kernel_find(name)) return STATUS_OK;
    const char *names[NAMES_MAX + 1] = {NULL};
    char all[LIST_LENGTH];
    for (int i = 0; kernel_registry[i] && i < NAMES_MAX; i++) names[i] = kernel_registry[i]->name;
    list_names(names, all);
    const char *near = options_nearest(name, names);
    if (near) return error_set(error, STATUS_USAGE, "no kernel '%s'; did you mean '%s'? Kernels: %s", name, near, all);
    return error_set(error, STATUS_USAGE, "no kernel '%s'. Kernels: %s (see 'speedup list')", name, all);
}

static int refuse_variant(const struct kernel *kernel, const char *name, struct error *error)
{
    const char *names[NAMES_MAX + 2] = {NULL};
    char all[LIST_LENGTH];
    int count = 0;
    for (; kernel->variants[count].name && count < NAMES_MAX; count++) names[count] = kernel->variants[count].name;
    names[count] = "all";
    const char *near = options_nearest(name, names);
    return error_set(error, STATUS_USAGE, "%s has no variant '%s'%s%s%s Variants: %s", kernel->name, name,
                     near ? "; did you mean '" : ".", near ? near : "", near ? "'?" : "", list_names(names, all));
}

/* *all_p: all variants are wanted, and there are several. */
static int choose_variant(const struct kernel *kernel, const char *name, struct problem *problem, bool *all_p,
                          struct error *error)
{
    bool all = name && strcmp(name, "all") == 0;
    *all_p = all && kernel->variants[1].name;
    problem->variant = name && !all ? kernel_find_variant(kernel, name) : kernel_default_variant(kernel);
    if (!problem->variant) return refuse_variant(kernel, name, error);
    const char *reason = variant_unavailable(problem->variant);
    if (!reason || *all_p) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "variant '%s' of %s is unavailable here: %s", problem->variant->name,
                     kernel->name, reason);
}

static int choose_size(const struct kernel *kernel, const char *text, struct problem *problem, struct error *error)
{
    if (!text) return STATUS_OK;
    int status = kernel->parse_size(text, &problem->size);
    if (!status) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "--size '%s' is %s; %s: %s", text,
                     status == -ERANGE ? "out of range" : "not a size", kernel->name, kernel->size_help);
}

void problem_arguments_init(int argc, char **argv, struct problem_arguments *arguments_p)
{
    struct problem_arguments arguments = {.kernel = find_named_kernel(argc, argv)};
    if (arguments.kernel) {
        struct problem problem;
        problem_init(arguments.kernel, &problem);
        memcpy(arguments.values, problem.options, sizeof arguments.values);
        arguments.seed = problem.seed;
        for (int i = 0; arguments.kernel->options && arguments.kernel->options[i].name; i++)
            arguments.names[i] = arguments.kernel->options[i].name;
    }
    *arguments_p = arguments;
}

int problem_choose(const char *name, const struct problem_arguments *arguments, struct problem *problem_p, bool *all_p,
                   struct error *error)
{
    int status = check_kernel_name(name, error);
    if (status) return status;
    const struct kernel *kernel = kernel_find(name);
    problem_init(kernel, problem_p);
    memcpy(problem_p->options, arguments->values, sizeof problem_p->options);
    problem_p->seed = arguments->seed;
    status = choose_variant(kernel, arguments->variant, problem_p, all_p, error);
    return status ? status : choose_size(kernel, arguments->size, problem_p, error);
}

int problem_take_operand(const char *command, int operand_count, char **argv, const char **name_p, struct error *error)
{
    if (operand_count == 0)
        return error_set(error, STATUS_USAGE, "name a kernel, such as 'speedup %s pi' (see 'speedup list')", command);
    if (operand_count > 1)
        return error_set(error, STATUS_USAGE, "one kernel at a time, but '%s' follows '%s'", argv[2], argv[1]);
    *name_p = argv[1];
    return STATUS_OK;
}
