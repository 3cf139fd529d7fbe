/* The report's last sections: the machine and how to measure again, from the context line. Any part of it may be
 * missing; what is not known is not shown. */
#include "html.h"
#include "text.h"

#include <string.h>

static const json_t *find(const json_t *context, const char *part, const char *name)
{
    return json_object_get(json_object_get(context, part), name);
}

static void write_fact(FILE *file, const char *label, const char *text)
{
    if (text[0] != '\0') html_write(file, "<dt>%s</dt><dd>%s</dd>\n", label, text);
}

/* Appends "before value after" to a list that is separated by commas; nothing where the value is not known. */
static void add_value(const json_t *value, const char *before, const char *after, size_t length, char *text)
{
    char number[64];
    const char *known = json_string_value(value);
    if (json_is_integer(value)) snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_real(value)) snprintf(number, sizeof number, "%.3g", json_real_value(value));
    if (json_is_boolean(value)) snprintf(number, sizeof number, "%s", json_is_true(value) ? "on" : "off");
    if (json_is_number(value) || json_is_boolean(value)) known = number;
    if (known == NULL || known[0] == '\0') return;
    size_t used = strlen(text);
    snprintf(text + used, length - used, "%s%s%s%s", used > 0 ? ", " : "", before, known, after);
}

static void add_bytes(const json_t *value, const char *before, const char *after, size_t length, char *text)
{
    char number[64];
    if (!json_is_number(value)) return;
    json_t *readable = json_string(format_bytes(json_number_value(value), sizeof number, number));
    add_value(readable, before, after, length, text);
    json_decref(readable);
}

static void write_processor(FILE *file, const json_t *context)
{
    char text[512] = "";
    add_value(find(context, "machine", "cpu_model"), "", "", sizeof text, text);
    write_fact(file, "Processor", text);

    text[0] = '\0';
    add_value(find(context, "machine", "cores"), "cores to use: ", "", sizeof text, text);
    add_value(find(context, "machine", "allowed_cpus"), "CPUs to use: ", "", sizeof text, text);
    add_value(find(context, "machine", "online_cpus"), "CPUs online: ", "", sizeof text, text);
    add_value(find(context, "machine", "packages"), "sockets: ", "", sizeof text, text);
    add_value(find(context, "machine", "numa_nodes"), "NUMA nodes: ", "", sizeof text, text);
    add_value(find(context, "machine", "quota_cpus"), "CPU quota: ", "", sizeof text, text);
    write_fact(file, "Cores", text);

    const json_t *caches = find(context, "machine", "cache_bytes");
    text[0] = '\0';
    add_bytes(json_object_get(caches, "l1d"), "L1 ", "", sizeof text, text);
    add_bytes(json_object_get(caches, "l2"), "L2 ", "", sizeof text, text);
    add_bytes(json_object_get(caches, "l3"), "L3 ", "", sizeof text, text);
    write_fact(file, "Caches", text);

    text[0] = '\0';
    add_bytes(find(context, "machine", "memory_bytes"), "", "", sizeof text, text);
    add_bytes(find(context, "machine", "memory_available_bytes"), "", " available", sizeof text, text);
    write_fact(file, "Memory", text);

    text[0] = '\0';
    add_value(find(context, "system", "governor"), "governor ", "", sizeof text, text);
    add_value(find(context, "system", "frequency_driver"), "driver ", "", sizeof text, text);
    add_value(find(context, "system", "turbo"), "turbo ", "", sizeof text, text);
    write_fact(file, "Clock frequency", text);
}

static void write_software(FILE *file, const json_t *context)
{
    char text[1024] = "";
    add_value(find(context, "system", "os"), "", "", sizeof text, text);
    add_value(find(context, "system", "kernel"), "Linux ", "", sizeof text, text);
    add_value(find(context, "system", "hypervisor"), "virtual machine under ", "", sizeof text, text);
    add_value(find(context, "system", "container"), "container ", "", sizeof text, text);
    write_fact(file, "System", text);

    text[0] = '\0';
    add_value(find(context, "mpi", "version"), "", "", sizeof text, text);
    add_value(find(context, "mpi", "mpirun"), "", "", sizeof text, text);
    add_value(find(context, "mpi", "reason"), "not available: ", "", sizeof text, text);
    write_fact(file, "MPI", text);

    text[0] = '\0';
    add_value(find(context, "program", "version"), "speedup ", "", sizeof text, text);
    add_value(find(context, "program", "compiler"), "", "", sizeof text, text);
    add_value(find(context, "program", "flags"), "flags ", "", sizeof text, text);
    write_fact(file, "Program", text);
}

void report_write_machine(FILE *file, const struct html_place *place, const json_t *context)
{
    html_open_section(file, place, "machine", "The machine");
    if (context == NULL) {
        fputs("<p>The record says nothing of the machine.</p>\n</section>\n", file);
        return;
    }
    fputs("<dl>\n", file);
    write_processor(file, context);
    write_software(file, context);
    fputs("</dl>\n<details><summary>Everything that was recorded of it</summary>\n", file);
    html_json(file, context);
    fputs("</details>\n</section>\n", file);
}

void report_write_commands(FILE *file, const json_t *context)
{
    fputs("<section aria-labelledby=\"reproduce\">\n<h2 id=\"reproduce\">Measure it yourself</h2>\n"
          "<p>All of it again, on any Linux machine:</p>\n<pre>speedup demo</pre>\n",
          file);
    report_write_launches(file, context);
    fputs("</section>\n", file);
}

void report_write_launches(FILE *file, const json_t *context)
{
    const json_t *launches = json_object_get(context, "launches");
    size_t i;
    json_t *launch;
    if (json_array_size(launches) == 0) return;
    fputs("<p>The programs that were started for it, once in each block:</p>\n<pre>", file);
    json_array_foreach(launches, i, launch)
    {
        if (json_is_string(launch)) html_write(file, "%s\n", json_string_value(launch));
    }
    fputs("</pre>\n", file);
}
