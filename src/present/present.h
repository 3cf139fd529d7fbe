/* What a person sees. Reads samples and lessons, never measures. */
#ifndef SPEEDUP_PRESENT_PRESENT_H
#define SPEEDUP_PRESENT_PRESENT_H

#include "../analyse/compare.h"
#include "../analyse/curve.h"
#include "../analyse/ladder.h"
#include "../analyse/lesson.h"
#include "../analyse/timeline_summary.h"

#include <stdio.h>

/* How to write on a stream: colour only on a terminal without NO_COLOR and with TERM other than "dumb"; UTF-8 by the
 * locale (main calls setlocale(LC_CTYPE, "") first, else all is ASCII); width: the terminal's, else $COLUMNS, else 80.
 */
struct style {
    bool colour, utf8;
    int width;
};
void style_for(FILE *, struct style *style_p);

/* Human quantities into text[length]; return text. "1.24 s", "312 ms", "8.10 us"; "2.31 GFLOP/s", "412 Msamples/s"; "16
 * GiB"; "-" for NAN. */
const char *format_time(double seconds, size_t length, char *text);
const char *format_rate(double rate, const char *unit, size_t length, char *text);
const char *format_bytes(double bytes, size_t length, char *text);
const char *format_count(double count, size_t length, char *text);

/* run.c: one sample of `speedup run`, some lines: time, rate, concurrency, parallelism, run-queue wait, switches, CPUs
 * seen, check; why it is invalid. `number` of `of` samples; of 1: not said. */
void present_sample(FILE *, const struct style *, const struct sample *, int number, int of);
/* Closing lines over several samples of one configuration (median, range, how many valid). Nothing for a single one. */
void present_samples_summary(FILE *, const struct style *, const struct group *);

/* messages.c: of a kernel that times messages, a table of their sizes, and latency and bandwidth; else nothing. */
void present_messages(FILE *, const struct style *, const struct group *);

/* lesson.c: table, bar chart of speedups, verdict. */
void present_lesson(FILE *, const struct style *, const struct lesson *);

/* ladder.c: table and bar chart of the variants, what each does, and notes, among them the caller's remark (whole
 * sentences with a blank at the end, or ""). Nothing for a ladder without samples. */
void present_ladder(FILE *, const struct style *, const struct ladder *, const char *remark);

/* study.c: scaling curves, problem by problem: a table, a chart, why each speedup is what it is, scaling laws and
 * bounds; then what was lost or odd, and how it was measured. Nothing for curves without points. */
void present_study(FILE *, const struct style *, const struct results *, const struct curves *);
/* study_summary.c: all that as one JSON object; what is not known is null. New reference, the caller's; NULL: no
 * memory.
 */
json_t *present_study_summary_json(const struct results *, const struct curves *);

/* nodes.c: of a study of nodes and cores (nodes_asked): which of them is slow, and why. present_study does this where
 * the results are of one. */
void present_nodes(FILE *, const struct style *, const struct results *);
/* nodes_json.c: the same as an array, an object a configuration (SCHEMA.md). New reference, the caller's; NULL: no
 * memory. */
json_t *present_nodes_json(const struct results *);

/* export.c: other programs' formats. What was measured on one machine is one part. */
struct study_part {
    const struct results *results;
    const struct curves *curves;
};
extern const char *const export_formats[]; /* "csv", ...; NULL-terminated */
/* format: an index into export_formats. path "-": standard output. 0 or STATUS_FAILED with the reason. */
int export_study(int format, const char *path, int count, const struct study_part parts[], struct error *);

/* compare.c: a table of comparisons and what they come to. */
void present_comparisons(FILE *, const struct style *, int count, const struct comparison comparisons[]);
/* New reference, the caller's; NULL: no memory. */
json_t *present_comparisons_json(int count, const struct comparison comparisons[]);

/* timeline.c: who ran where and when, in one launch; records: its hosts, or its host. A picture of the whole run, or of
 * its first part where that is what can be seen; the numbers of all of it; and how far to trust them. */
void present_timeline(FILE *, const struct style *, int count, const struct timeline_record *records);
/* The same of a part, from begin_s to end_s after the launch's start: the numbers are that part's. NAN: the launch's
 * own end. */
void present_timeline_part(FILE *, const struct style *, int count, const struct timeline_record *records,
                           double begin_s, double end_s);
/* Behind a blank line, multitasking above multiprocessing on one scale of time; the first timeline alone where the
 * results hold no such pair; nothing where they hold none. */
void present_timeline_pair(FILE *, const struct style *, const struct results *);
/* timeline_json.c: the numbers as one JSON object; what is not known is null. New reference, the caller's; NULL: no
 * memory. */
json_t *present_timeline_json(int count, const struct timeline_record *records, double begin_s, double end_s);
/* export_trace.c: the Trace Event Format, for Perfetto and chrome://tracing: a track a CPU, one a task, and counters;
 * several launches one after the other. path "-": standard output. 0 or STATUS_FAILED with the reason. */
extern const char *const timeline_export_formats[]; /* "chrome-trace"; NULL-terminated */
int export_chrome_trace(const char *path, int count, const struct timeline_record *records, struct error *);

/* progress.c: one line on a terminal, rewritten in place; nothing elsewhere. text NULL: wipe it. fraction in 0 ... 1;
 * NAN or negative where unknown, eta_s likewise. */
void present_progress(FILE *, const struct style *, const char *text, double fraction, double eta_s);

/* report.c: one self-contained HTML file, written beside its place and then put there, so that no half of it is ever
 * seen. 0 or STATUS_FAILED with the reason. */
int present_report(const char *path, const struct results *, const struct lesson *, struct error *);
/* report_study.c: the same of a scaling study, or of any record; path "-": standard output. */
int present_study_report(const char *path, int count, const struct study_part parts[], struct error *);

/* proposal.c: what allocation offices ask for, as an HTML page; path NULL: as Markdown on standard output. 0 or
 * STATUS_FAILED with the reason. */
struct proposal_request {
    int criterion;    /* index into proposal_criteria; -1: all */
    int runs_planned; /* 1: core-hours of one run alone */
};
int present_proposal(const char *path, const struct proposal_request *, int count, const struct study_part parts[],
                     struct error *);

#endif
