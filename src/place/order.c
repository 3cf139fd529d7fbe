/* The order in which workers get CPUs. Pure. */
#include "machine.h"

#include <stdlib.h>

/* First threads of cores before second ones, fast cores before slow ones, and package by package, so that neighbours in
 * the list share caches and memory. */
static int compare_cpus(const void *left, const void *right)
{
    const struct cpu *a = left, *b = right;
    if (a->smt != b->smt) return a->smt - b->smt;
    if (a->kind != b->kind) return a->kind - b->kind;
    if (a->package != b->package) return a->package - b->package;
    if (a->numa != b->numa) return a->numa - b->numa;
    if (a->core != b->core) return a->core - b->core;
    return a->os_index - b->os_index;
}

void machine_cpu_order(const struct machine *machine, bool smt, struct cpu_list *list_p)
{
    struct cpu cpus[CPUS_MAX];
    int count = 0;
    for (int i = 0; i < machine->cpu_count; i++)
        if (smt || machine->cpus[i].smt == 0) cpus[count++] = machine->cpus[i];
    qsort(cpus, (size_t)count, sizeof cpus[0], compare_cpus);
    list_p->count = count;
    for (int i = 0; i < count; i++) list_p->cpus[i] = cpus[i].os_index;
}

const struct cpu *machine_find_cpu(const struct machine *machine, int os_index)
{
    for (int i = 0; i < machine->cpu_count; i++)
        if (machine->cpus[i].os_index == os_index) return &machine->cpus[i];
    return NULL;
}
