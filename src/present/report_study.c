/* The report of a scaling study, and of any record: one HTML file that needs nothing else. First the verdict for
 * everybody, then what it rests on, and at last how to doubt it and how to measure again. One part a machine. */
#include "report_study.h"

#include "../analyse/nodes.h"

#include <string.h>
#include <time.h>

enum { TITLE_LENGTH = 640, NAMES_MAX = 3, NAME_LENGTH = 192, NAME_COLUMNS = 48 };

/* clang-format off */
const char report_study_css[] =
    ":root{--series1:#0072b2;--series2:#d55e00;--series3:#008c66;--series4:#b8578f;--series5:#b87a00;"
    "--series6:#4aa8e0;--series7:#8c6d00;--series8:#1b1f24}\n"
    "@media(prefers-color-scheme:dark){:root{--series1:#56b4e9;--series2:#e69f00;--series3:#00b98a;"
    "--series4:#df9bc1;--series5:#f0e442;--series6:#f07b2e;--series7:#5ca2d6;--series8:#e7eaee}}\n"
    ".contents{font-size:.95rem;margin:1rem 0 0}.contents ol{list-style:none;padding:0;margin:.2rem 0;display:flex;"
    "flex-wrap:wrap;gap:.2rem 1.3rem;max-width:none}\n"
    ".contents a{display:inline-block;padding:.15rem 0;text-decoration:none}"
    ".contents a:hover,.contents a:focus-visible{text-decoration:underline}\n"
    ".verdict ul{max-width:none;padding-left:1.2rem;font-size:.95rem}.verdict h3,.verdict h4{margin:.6rem 0 .2rem}\n"
    ".best{font-weight:600}.note{color:var(--soft);font-size:.92rem;line-height:1.5;max-width:46rem}\n"
    "h4{font-size:1rem;margin:1.4rem 0 .3rem}\n"
    ".plot{max-width:46rem;margin:1.6rem 0 2rem}.plot svg{max-width:100%;height:auto}.plot .small{display:none}\n"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1rem 2rem;"
    "margin:1.6rem 0}.pair .plot,.pair figure,.pair h3,.pair h4{margin:0}.pair h3,.pair h4{margin-bottom:.6rem}header .facts{max-width:none}\n"
    ".plot figcaption{margin-top:.5rem}\n"
    "tbody th.group{text-align:left;font-weight:600;padding-top:.9rem;white-space:normal}\n"
    "tbody th.group div{position:sticky;left:0;max-width:min(46rem,88vw)}\n"
    "th span{font-weight:400}td .warn{font-weight:400;font-size:.9em;white-space:normal}\n"
    "td.left,th.left{text-align:left}\n"
    ".samples{font-size:.82rem}.samples td,.samples th{padding:.12rem .6rem}\n"
    "details{margin:1rem 0}summary{padding:.2rem 0}\n"
    ".passes{color:var(--waits);font-weight:700}.fails{color:var(--bad);font-weight:700}.open{font-weight:700}\n"
    ".narrow tbody th{min-width:0}.narrow .why{min-width:7.5rem}\n"
    "@media(max-width:600px){.plot .large{display:none}.plot .small{display:block}.contents{font-size:1rem}"
    "td .range{white-space:nowrap}}\n"
    "@media print{.contents,.samples{display:none}.pair{grid-template-columns:1fr 1fr;break-inside:avoid}.plot{break-inside:avoid}thead{display:table-header-group}"
    "tr{break-inside:avoid}table{break-inside:auto}body{font-size:10pt}table{font-size:8.5pt}"
    "th,td{padding:.25rem .45rem}.words div{max-width:none}a{color:inherit;text-decoration:none}}\n";
/* clang-format on */

struct report {
    int count;
    const struct study_part *parts;
};

bool report_next_problem(const struct study_part *part, int *next_p, struct study_problem *problem_p)
{
    if (*next_p >= part->curves->count) return false;
    study_problem_at(part->curves, *next_p, problem_p);
    *next_p += problem_p->count;
    return true;
}

void report_write_marked(FILE *file, const char *text)
{
    for (bool code = false; *text != '\0'; code = !code) {
        char piece[512];
        size_t length = strcspn(text, "`");
        snprintf(piece, sizeof piece, "%.*s", (int)length, text);
        html_write(file, code ? "<code>%s</code>" : "%s", piece);
        text += length + (text[length] == '`');
    }
}

void report_write_spread(FILE *file, const struct spread *spread, report_format *format)
{
    char middle[48], low[48], high[48];
    html_write(file, "%s", format(spread->middle, sizeof middle, middle));
    if (spread->interval && spread->low < spread->high)
        html_write(file, " <span class=\"range\">(%s to %s)</span>", format(spread->low, sizeof low, low),
                   format(spread->high, sizeof high, high));
}

void report_write_item(void *context, const char *text)
{
    struct report_list *list = context;
    html_write(list->file, list->any ? "%s" : "<ul class=\"%s\">\n", list->any ? "" : list->class);
    list->any = true;
    fputs("<li>", list->file);
    html_sentence(list->file, text);
    fputs("</li>\n", list->file);
}

void report_end_list(struct report_list *list)
{
    fputs(list->any ? "</ul>\n" : "", list->file);
    list->any = false;
}

static bool is_study(const struct report *report)
{
    for (int p = 0; p < report->count; p++)
        if (!report->parts[p].results->study) return false;
    return report->count > 0;
}

/* The targets of the curves, each once. Returns how many there are, of which NAMES_MAX are told. */
static int find_names(const struct report *report, char names_p[NAMES_MAX][NAME_LENGTH])
{
    int count = 0;
    for (int p = 0; p < report->count; p++)
        for (int c = 0; c < report->parts[p].curves->count; c++) {
            char name[NAME_LENGTH];
            bool known = false;
            target_text(report->parts[p].curves->curves[c].config, NAME_COLUMNS, sizeof name, name);
            for (int n = 0; n < count && n < NAMES_MAX; n++) known |= strcmp(names_p[n], name) == 0;
            if (known) continue;
            if (count < NAMES_MAX) memcpy(names_p[count], name, sizeof name);
            count++;
        }
    return count;
}

static bool is_of_nodes(const struct report *report)
{
    for (int p = 0; p < report->count; p++)
        if (!nodes_asked(report->parts[p].results)) return false;
    return report->count > 0;
}

/* "How well pi and matmul scale". */
static const char *write_title(const struct report *report, char title[TITLE_LENGTH])
{
    char names[NAMES_MAX][NAME_LENGTH];
    int count = find_names(report, names), told = count < NAMES_MAX ? count : NAMES_MAX;
    bool nodes = is_of_nodes(report), study = is_study(report) && !nodes, more = count > told;
    size_t used = (size_t)snprintf(title, TITLE_LENGTH,
                                   count == 0 ? "A record without samples"
                                   : nodes    ? "Which node or core is slow: "
                                   : study    ? "How well "
                                              : "Measurements of ");
    for (int n = 0; n < told; n++)
        used += (size_t)snprintf(title + used, TITLE_LENGTH - used, "%s%s",
                                 n == 0                   ? ""
                                 : n + 1 == told && !more ? " and "
                                                          : ", ",
                                 names[n]);
    snprintf(title + used, TITLE_LENGTH - used, "%s%s", more ? " and others" : "",
             count == 0 || !study ? ""
             : count > 1          ? " scale"
                                  : " scales");
    return title;
}

/* "7 June 2024, 08:09 UTC"; what is no date, as it is. */
static const char *write_date(const char *start, size_t length, char *text)
{
    struct tm date = {0};
    if (!strptime(start, "%Y-%m-%dT%H:%M:%SZ", &date) || strftime(text, length, "%-d %B %Y, %H:%M UTC", &date) == 0)
        snprintf(text, length, "%s", start);
    return text;
}

static void write_facts(FILE *file, const struct study_part *part)
{
    const struct curves *curves = part->curves;
    const char *start = json_string_value(json_object_get(part->results->context, "start"));
    int lost = curves->invalid + curves->not_judged;
    char date[96];
    if (*curves->machine) html_write(file, "%s. ", curves->machine);
    if (curves->cores > 0) html_write(file, "%d core%s to use. ", curves->cores, curves->cores == 1 ? "" : "s");
    if (start) html_write(file, "%s. ", write_date(start, sizeof date, date));
    if (nodes_asked(part->results)) {
        html_write(file, "%d launches.", curves->valid + lost);
        return;
    }
    html_write(file, study_all_timings(curves) ? "%d times given." : "%d valid launches", curves->valid);
    if (!study_all_timings(curves)) html_write(file, lost ? ", %d that do not count." : ".", lost);
}

struct section {
    const char *id, *title;
    void (*write)(FILE *, const struct html_place *, const struct study_part *);
};

static void write_timelines(FILE *file, const struct html_place *place, const struct study_part *part)
{
    html_open_section(file, place, "timelines", "Multitasking and multiprocessing, seen");
    if (study_all_timings(part->curves))
        fputs("<p>A list of times does not tell who ran when.</p>\n", file);
    else
        report_write_timelines(file, place, part->results);
    fputs("</section>\n", file);
}

static void write_machine(FILE *file, const struct html_place *place, const struct study_part *part)
{
    report_write_machine(file, place, part->results->context);
}

static const struct section sections[] = {
    {"verdict", "The verdict", report_write_verdict},
    {"timelines", "Who ran when", write_timelines},
    {"curves", "Curves and tables", report_write_curves},
    {"why", "What was lost, and to what", report_write_why},
    {"laws", "Scaling laws", report_write_laws},
    {"method", "How it was measured", report_write_method_of_study},
    {"machine", "The machine", write_machine},
    {"again", "Measure it again", report_write_again},
};
enum { SECTION_COUNT = sizeof sections / sizeof *sections };

/* Of a study of nodes and cores. */
static const struct section node_sections[] = {
    {"verdict", "The verdict", report_write_nodes_verdict},
    {"nodes", "Nodes and cores", report_write_nodes},
    {"method", "How it was measured", report_write_nodes_method},
    {"machine", "The machine", write_machine},
    {"again", "Measure it again", report_write_again},
};
enum { NODE_SECTION_COUNT = sizeof node_sections / sizeof *node_sections };

static const struct section *sections_of(const struct study_part *part, int *count_p)
{
    bool nodes = nodes_asked(part->results);
    *count_p = nodes ? NODE_SECTION_COUNT : SECTION_COUNT;
    return nodes ? node_sections : sections;
}

/* Of one machine all sections; of several the machines. */
static void write_contents(FILE *file, const struct report *report)
{
    int count = 0;
    const struct section *own = report->count == 1 ? sections_of(&report->parts[0], &count) : NULL;
    fputs("<nav class=\"contents\" aria-label=\"Contents\">\n<ol>\n", file);
    for (int s = 0; s < count; s++) html_write(file, "<li><a href=\"#%s\">%s</a></li>\n", own[s].id, own[s].title);
    for (int p = 0; p < report->count && report->count > 1; p++) {
        const char *machine = report->parts[p].curves->machine;
        html_write(file, "<li><a href=\"#part-%d\">%s</a></li>\n", p + 1, *machine ? machine : "An unknown machine");
    }
    fputs("</ol>\n</nav>\n", file);
}

static void write_part(FILE *file, const struct study_part *part, int number)
{
    char prefix[24] = "";
    if (number > 0) {
        snprintf(prefix, sizeof prefix, "part-%d-", number);
        html_write(file, "<section aria-labelledby=\"part-%d\">\n<h2 id=\"part-%d\">%s</h2>\n<p class=\"facts\">",
                   number, number, *part->curves->machine ? part->curves->machine : "An unknown machine");
        write_facts(file, part);
        fputs("</p>\n", file);
    }
    const struct html_place place = {number > 0 ? 3 : 2, prefix};
    int count;
    const struct section *own = sections_of(part, &count);
    for (int s = 0; s < count; s++) own[s].write(file, &place, part);
    if (number > 0) fputs("</section>\n", file);
}

static void write_page(FILE *file, const void *context)
{
    const struct report *report = context;
    char title[TITLE_LENGTH];
    html_open_page(file, write_title(report, title), report_study_css, timeline_css);
    if (report->count == 1) write_facts(file, &report->parts[0]);
    if (report->count != 1) html_write(file, "%d machines or programs, one section each.", report->count);
    fputs("</p>\n", file);
    write_contents(file, report);
    fputs("</header>\n<main>\n", file);
    for (int p = 0; p < report->count; p++) write_part(file, &report->parts[p], report->count > 1 ? p + 1 : 0);
    html_close_page(file);
}

int present_study_report(const char *path, int count, const struct study_part parts[], struct error *error)
{
    const struct report report = {count, parts};
    return html_write_file(path, write_page, &report, error);
}
