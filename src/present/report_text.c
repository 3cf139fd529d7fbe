/* The report's words: its style sheet, and the explanation for a newcomer. Every claim about this machine is made from
 * a measured row and left out where there is none. */
#include "html.h"
#include "text.h"

#include <math.h>
#include <string.h>

/* Colours by Okabe and Ito, which colour-blind readers tell apart; text and figures keep the contrast that WCAG AA asks
 * for on both backgrounds. */
/* clang-format off */
const char report_css[] =
    ":root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--soft:#535b65;--line:#d5d9de;--card:#f4f6f8;"
    "--alone:#6b747e;--turns:#d55e00;--cores:#0072b2;--waits:#008360;--bad:#a83c00}\n"
    "@media(prefers-color-scheme:dark){\n"
    "  :root{--page:#14181d;--ink:#e7eaee;--soft:#a9b2bc;--line:#3a424c;--card:#1e242b;--alone:#8b949e;"
    "--turns:#e08030;--cores:#56b4e9;--waits:#2bb893;--bad:#f0a070}\n"
    "}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:17px/1.6 system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',sans-serif}\n"
    "main,header,footer{max-width:60rem;margin:0 auto;padding:0 1rem}header{padding-top:2.2rem}\n"
    "footer{padding-bottom:3rem;color:var(--soft);font-size:.9rem}\n"
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem}\n"
    "h2{font-size:1.4rem;line-height:1.3;margin:2.6rem 0 .6rem}h3{font-size:1.1rem;margin:1.8rem 0 .3rem}\n"
    "p,ul,ol{margin:.6rem 0;max-width:42rem}li{margin:.25rem 0}.facts{color:var(--soft);margin:0}\n"
    "a{color:var(--cores)}\n"
    ".verdict{background:var(--card);border-left:5px solid var(--cores);padding:.6rem 1.2rem;margin:1.4rem 0;"
    "font-size:1.15rem}\n"
    ".verdict p{max-width:none}.warn{color:var(--bad);font-weight:600}\n"
    "figure{margin:1.2rem 0 2rem;max-width:46rem}figcaption{color:var(--soft);font-size:.92rem;line-height:1.5}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(21rem,100%),1fr));gap:1.6rem 2.4rem;"
    "margin:1.2rem 0}\n"
    ".figures figure{margin:0}figure h3{margin:0 0 .6rem;color:var(--ink)}\n"
    "svg{display:block;overflow:visible;font-family:inherit}\n"
    "svg text{fill:var(--ink);font-size:14px;paint-order:stroke;stroke:var(--page);stroke-width:4px}\n"
    "svg .tick{fill:var(--soft);font-size:13px}svg .value,svg .strong{font-weight:700}\n"
    "svg .missing{fill:var(--bad);font-style:italic}svg .grid{stroke:var(--line)}\n"
    "svg .ideal{stroke:var(--ink);stroke-width:2;stroke-dasharray:4 3}\n"
    "svg .spread{stroke:var(--ink);stroke-width:2}svg .rim{stroke:var(--page);stroke-width:5}\n"
    ".alone{fill:var(--alone);background:var(--alone)}.turns{fill:var(--turns);background:var(--turns)}\n"
    ".cores{fill:var(--cores);background:var(--cores)}.waits{fill:var(--waits);background:var(--waits)}\n"
    "svg .runs{fill:var(--cores);stroke:var(--page);stroke-width:1.5}\n"
    "svg .queued{stroke:var(--turns);stroke-width:3}\n"
    "svg .sleeps{stroke:var(--soft);stroke-width:2;stroke-dasharray:2 4}\n"
    ".legend{list-style:none;padding:0;margin:.5rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;"
    "max-width:none;font-size:.92rem}\n"
    ".legend li{margin:0}\n"
    ".legend i{display:inline-block;width:1.1rem;height:.75rem;margin-right:.45rem;print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}\n"
    ".legend .line{background:none;border-left:2px dashed var(--ink);width:0;height:1rem;vertical-align:-.2rem}\n"
    ".legend .thick{background:var(--ink);height:3px;vertical-align:.25rem}\n"
    ".legend .q{background:var(--turns);height:3px;vertical-align:.25rem}\n"
    ".legend .s{background:none;border-top:2px dotted var(--soft);height:0;vertical-align:.25rem}\n"
    ".scroll{overflow-x:auto;margin:1rem 0 1.6rem}.scroll:focus-visible{outline:2px solid var(--cores)}\n"
    "table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums;line-height:1.35}\n"
    "caption{text-align:left;font-weight:600;padding-bottom:.4rem}"
    "caption span{display:inline-block;position:sticky;left:0;max-width:min(46rem,90vw)}\n"
    "th,td{padding:.4rem .7rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}\n"
    "th{font-weight:600}thead th{color:var(--soft);vertical-align:bottom}\n"
    "th:first-child,td.words{text-align:left}th:first-child{padding-left:0}\n"
    "tbody th{font-weight:400;white-space:nowrap}.range{color:var(--soft);white-space:nowrap}\n"
    "td{white-space:nowrap}td.words{white-space:normal}.words div{max-width:min(40rem,52vw)}\n"
    ".why{white-space:normal;max-width:12rem;margin-left:auto}\n"
    "code,pre{font-family:ui-monospace,'Liberation Mono',Consolas,monospace;font-size:.88em}\n"
    "pre{background:var(--card);padding:.8rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "dl{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:.2rem 1rem;margin:.5rem 0;font-size:.92rem}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}dd dl,dd ul{margin:0}dd ul{padding-left:1.1rem}\n"
    "summary{cursor:pointer;color:var(--cores)}\n"
    "@media(max-width:600px){\n"
    "  body{font-size:16px}h1{font-size:1.55rem}.verdict{padding:.4rem .9rem;font-size:1.05rem}\n"
    "  .range{display:block}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}\n"
    "  th,td{padding:.35rem .5rem}tbody th{white-space:normal;min-width:8rem}\n"
    "}\n"
    "@media print{\n"
    "  body{font-size:10.5pt}main,header,footer{max-width:none}figure,table,.verdict,pre{break-inside:avoid}\n"
    "  h2,h3{break-after:avoid}.scroll{overflow:visible}\n"
    "}\n";
/* clang-format on */

/* A larger speedup of computing tasks on one core is no gain but a disturbed base. */
static const double turns_gain_most = 1.1;

struct numbers {
    char speedup[32], concurrency[32], parallelism[32], share[32], switches[48], ideal[32], reached[32];
    char scene[96];
};

static void read_numbers(const struct lesson *lesson, const struct lesson_row *row, struct numbers *numbers_p)
{
    double ideal = scene_ideal(lesson, row);
    scene_describe(row, sizeof numbers_p->scene, numbers_p->scene);
    format_ratio(row->speedup, sizeof numbers_p->speedup, numbers_p->speedup);
    format_ratio(row->concurrency, sizeof numbers_p->concurrency, numbers_p->concurrency);
    format_ratio(row->parallelism, sizeof numbers_p->parallelism, numbers_p->parallelism);
    format_share(row->wait_share, sizeof numbers_p->share, numbers_p->share);
    format_count(row->switches_per_s, sizeof numbers_p->switches, numbers_p->switches);
    format_ratio(ideal, sizeof numbers_p->ideal, numbers_p->ideal);
    format_share(row->speedup / ideal, sizeof numbers_p->reached, numbers_p->reached);
}

static void explain_turns(FILE *file, const struct lesson *lesson)
{
    fputs("<h3>Multitasking: taking turns</h3>\n"
          "<p>A core executes one task at a time. When more tasks want to run than there are cores, the operating "
          "system lets each of them have a core for a <em>time slice</em> of a few thousandths of a second, then "
          "switches to the next. To us it looks as if all of them ran at the same time. But the core does no more work "
          "in a second than before: the tasks share it, and each takes longer.</p>\n",
          file);
    const struct lesson_row *row = scene_find(lesson, SCENE_TURNS);
    if (row == NULL) return;
    struct numbers n;
    read_numbers(lesson, row, &n);
    html_write(
        file,
        "<p><strong>Measured here:</strong> %s (%s): concurrency %s, but parallelism %s. The same work was done "
        "%s times as fast as by one task. On average each task spent %s of its time in the <em>run "
        "queue</em>, ready to run and waiting for the core, and the core changed hands about %s times a second.</p>\n",
        n.scene, row->kernel, n.concurrency, n.parallelism, n.speedup, n.share, n.switches);
    if (row->speedup > turns_gain_most) {
        fputs("<p class=\"warn\">Taking turns cannot make it that much faster. The computer was not steady while this "
              "was measured: measure again when it has nothing else to do.</p>\n",
              file);
    }
}

static void explain_cores(FILE *file, const struct lesson *lesson)
{
    fputs("<h3>Multiprocessing: at the same time</h3>\n"
          "<p>Give every task a core of its own, and they truly execute at the same instant. Now the work is finished "
          "sooner. It can be done with <em>threads</em>, which share the memory of one process (here: OpenMP), or with "
          "several <em>processes</em>, each with its own memory, which exchange messages (here: MPI). Threads need one "
          "computer; processes can also be spread over many.</p>\n",
          file);
    bool told = false;
    for (int i = 0; i < lesson->row_count; i++) {
        const struct lesson_row *row = &lesson->rows[i];
        if (scene_kind(row) != SCENE_CORES || !isfinite(row->speedup)) continue;
        struct numbers n;
        read_numbers(lesson, row, &n);
        fputs(told ? "" : "<p><strong>Measured here:</strong></p>\n<ul>\n", file);
        html_write(file, "<li>%s, %s: parallelism %s, %s times as fast as one task.</li>\n", row->kernel, n.scene,
                   n.parallelism, n.speedup);
        told = true;
    }
    fputs(told ? "</ul>\n" : "", file);
    if (!told && lesson->cores == 1) {
        fputs("<p>This machine offered one core only, so nothing could be measured of it here.</p>\n", file);
    }
}

static void explain_waiting(FILE *file, const struct lesson *lesson)
{
    fputs(
        "<h3>Why tasks that wait gain from multitasking</h3>\n"
        "<p>Most programs do not compute all the time. They wait: for a disk, for the network, for somebody to press "
        "a key. A task that waits needs no core, so another one can use it in the meantime. That is what multitasking "
        "was invented for, and why a server with one core can serve many people. If a piece of work computes for a "
        "time <i>C</i> and then waits for a time <i>Z</i>, then <i>k</i> such tasks on one core can be up to "
        "min(<i>k</i>, (<i>C</i> + <i>Z</i>) / <i>C</i>) times as fast as one: until the core has no idle moment "
        "left.</p>\n",
        file);
    const struct lesson_row *row = scene_find(lesson, SCENE_WAITS);
    if (row == NULL) return;
    struct numbers n;
    read_numbers(lesson, row, &n);
    html_write(file, "<p><strong>Measured here:</strong> %s were %s times as fast as one", n.scene, n.speedup);
    if (isfinite(scene_ideal(lesson, row))) html_write(file, "; the bound is %s", n.ideal);
    html_write(file,
               ". Parallelism was %s: never more than one task at a time was executing. The gain is the waiting, "
               "done all together.</p>\n",
               n.parallelism);
}

static void explain_shortfall(FILE *file, const struct lesson *lesson)
{
    fputs(
        "<h3>Why a speedup may fall short of the number of cores</h3>\n<ul>\n"
        "<li><strong>Some work cannot be shared.</strong> If one tenth of a program has to be done by one task alone, "
        "no number of cores makes it more than ten times as fast (Amdahl's law).</li>\n"
        "<li><strong>The shares are uneven.</strong> All wait for the task that got the most.</li>\n"
        "<li><strong>Tasks talk and wait for each other.</strong> Messages, barriers and locks take time in which "
        "nobody computes.</li>\n"
        "<li><strong>Cores share things.</strong> Memory, caches, and the power that sets the clock frequency: a core "
        "may be slower when its neighbours are busy.</li>\n"
        "<li><strong>Starting costs time</strong>, for processes more than for threads. It is not part of the times "
        "here; for short work it matters most.</li>\n</ul>\n",
        file);
    const struct lesson_row *least = NULL;
    for (int i = 0; i < lesson->row_count; i++) {
        const struct lesson_row *row = &lesson->rows[i];
        if (scene_kind(row) != SCENE_CORES || !isfinite(row->speedup)) continue;
        if (least == NULL || row->speedup / scene_ideal(lesson, row) < least->speedup / scene_ideal(lesson, least)) {
            least = row;
        }
    }
    if (least == NULL) return;
    struct numbers n;
    read_numbers(lesson, least, &n);
    html_write(file,
               "<p><strong>Measured here:</strong> furthest from the ideal is %s with %s: %s times as fast where %s "
               "would be perfect, %s of it.</p>\n",
               least->kernel, n.scene, n.speedup, n.ideal, n.reached);
}

void report_write_explanation(FILE *file, const struct lesson *lesson)
{
    fputs("<section aria-labelledby=\"explained\">\n<h2 id=\"explained\">What you are looking at</h2>\n"
          "<p>A <em>task</em> is what the operating system gives a core to: one thread, or a process that has a single "
          "thread. Hundreds of them exist on any computer, and most are asleep. Two numbers tell how tasks share the "
          "cores:</p>\n<ul>\n"
          "<li><strong>Concurrency</strong>: how many tasks have been started and are not finished.</li>\n"
          "<li><strong>Parallelism</strong>: how many tasks are executing at the same instant. It is measured as CPU "
          "time divided by elapsed time.</li>\n</ul>\n"
          "<p>Four tasks on one core have concurrency 4 and parallelism 1. Four tasks on four cores can have "
          "parallelism 4. Everything else on this page follows from that difference.</p>\n"
          "<figure>\n",
          file);
    figure_schematic(file, "schematic");
    fputs("<figcaption><ul class=\"legend\"><li><i class=\"cores\"></i>runs on a core</li>"
          "<li><i class=\"q\"></i>ready, waits for a core</li><li><i class=\"s\"></i>waits for something else</li></ul>"
          "A drawing, not a measurement. Time runs to the right, each row is one task.</figcaption>\n</figure>\n",
          file);
    explain_turns(file, lesson);
    explain_cores(file, lesson);
    explain_waiting(file, lesson);
    explain_shortfall(file, lesson);
    fputs("</section>\n", file);
}

void report_write_method(FILE *file, const struct lesson *lesson)
{
    int most = 0;
    for (int i = 0; i < lesson->row_count; i++) {
        if (lesson->rows[i].valid_count > most) most = lesson->rows[i].valid_count;
    }
    fputs(
        "<section aria-labelledby=\"method\">\n<h2 id=\"method\">How it was measured</h2>\n<ul>\n"
        "<li>All modes run the same source code in the same build; only the number of processes, threads and cores "
        "differs. The size of the work is the same in all rows of a table.</li>\n"
        "<li>A <em>sample</em> is one timed execution, each in a freshly started program. Its time is that from the "
        "first task's start to the last one's end of work, on the clock CLOCK_MONOTONIC. Starting the program, "
        "allocating memory and checking the answer are not part of it.</li>\n"
        "<li>Each task was bound to its core before the run; afterwards it was checked on which cores it was "
        "seen.</li>\n"
        "<li>Samples are taken in blocks: each block runs every scene once. A speedup is the time of one task divided "
        "by the time of the scene, both from the same block, because a computer's speed drifts within minutes. "
        "Shown is the median over the blocks and, with at least 6 of them, its 95&#160;% confidence interval by order "
        "statistics, which assumes no distribution.</li>\n"
        "<li>A sample is valid only if its answer is right, its tasks were placed as asked, and no other program, "
        "virtual machine or quota took the cores away. Other samples are listed above and measured again; they enter "
        "no "
        "number. Below 0.2 seconds disturbance cannot be judged, so shorter samples enter no speedup.</li>\n",
        file);
    if (most < 6) {
        html_write(
            file,
            "<li>There are at most %d valid samples a scene. A 95 %% confidence interval of a median takes at "
            "least 6, so the lowest and the highest value are given instead: what was seen, not how sure it is.</li>\n",
            most);
    }
    fputs("</ul>\n</section>\n", file);
}
