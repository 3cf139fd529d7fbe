/* One command's measuring: what machine this is, where the workers are, where records go; and the loop that launches
 * workers until enough valid samples are there. Every sample passes through here, once: judged, recorded, kept. */
#ifndef SPEEDUP_COMMANDS_SESSION_H
#define SPEEDUP_COMMANDS_SESSION_H

#include "../analyse/results.h"
#include "../launch/alive.h"
#include "../launch/launch.h"
#include "../launch/spawn.h"
#include "../observe/provenance.h"
#include "../place/machine.h"
#include "../record/record.h"

/* What is watched while workers run, besides them: see spawn.h. */
struct session_watch {
    int count;
    const int *descriptors;
    void *context;
    void (*ready)(void *context);
};

struct session {
    struct machine machine;
    struct provenance provenance;
    struct launch_site site;
    struct foreign_job job;
    char isa[16]; /* from $SPEEDUP_ISA: the instruction set to use; "": the best that all ranks have */
    char study[40];
    double time_limit_s;        /* of one launch */
    struct alive_starts starts; /* of launches over several nodes */
    int launch_count;
    enum { WRITERS_MAX = 2 } writers_max;
    int writer_count;
    struct record_writer *writers[WRITERS_MAX];
    struct results results; /* all samples so far */
    /* Called with each sample after it was recorded, and while workers run; may be NULL. */
    void *context;
    void (*on_sample)(void *context, const struct sample *, double launch_s);
    void (*on_tick)(void *context, double elapsed_s);
    /* Where it is set, a launch that failed though another by the same launcher worked before costs itself alone: it is
     * recorded, and told here. Else, and NULL, it ends the measuring. */
    void (*on_failure)(void *context, int launch, const char *cause);
    struct session_watch watch;
    struct picture *picture; /* takes what workers draw; the caller's; NULL on ranks that are not heard */
};

/* What to measure: `runs` valid samples of one configuration, in at most `launches_max` launches. */
struct measurement {
    const struct problem *problem;
    const struct mode *mode;
    const struct config *command; /* a command, with its mode, instead of the problem: for launch lines alone, as
                                     command_run.h measures it; NULL */
    int runs, warmups, launches_max;
    int block;
    bool timeline;   /* in the same launch, after the samples: one more that the workers watch themselves */
    bool picture;    /* after the samples, the last result is drawn */
    bool unrecorded; /* a calibration: judged, handed to on_sample, not recorded and not kept */
};

/* session_close frees what open made, and reports a record that could not be completed. */
int session_open(const char *study, struct session *session_p, struct error *);
int session_close(struct session *, struct error *);

/* Adds a place for records: a path, or "-". */
int session_add_writer(struct session *, const char *path, struct error *);

/* Reads the samples of a record into `results`, and counts launches from there. Changes nothing in the file. */
int session_read(struct session *, const char *path, struct error *);
/* Adds what comes to that file. A torn last line is set aside, and told on standard error. */
int session_continue(struct session *, const char *path, struct error *);

/* Writes a line of another type than context and sample. Takes the reference; NULL: no memory. */
int session_write_line(struct session *, json_t *line, struct error *);

/* Writes the context line: the machine, the program, and the launch lines of these measurements. */
int session_write_context(struct session *, int count, const struct measurement measurements[], struct error *);

/* Says on standard error where a time slice that was asked for (0: none) is shorter than what this kernel's timer
 * allows. */
void session_note_slice(const struct session *, double slice_s);

/* The launch line of a measurement; the caller frees it. STATUS_FAILED also where real-time workers would lock out
 * everything else here. */
int session_launch_line(const struct session *, const struct measurement *, struct launch_line **line_p,
                        struct error *);

/* Launches workers until `runs` samples are valid (or could not be judged, being too short), or launches_max is
 * reached. *got_p counts those. A wrong answer ends it with STATUS_WRONG, a worker that failed with STATUS_FAILED
 * (unless failures are taken: on_failure), SIGINT with STATUS_INTERRUPTED; what came before is recorded. STATUS_OK with
 * *got_p < runs: the rest was invalid. */
int session_measure(struct session *, const struct measurement *, int *got_p, struct error *);

/* session_failures.c: a launch that failed, for a reason that may not be there the next time. Where on_failure is set:
 * records it as a sample (observe/sample.h), whose config, work and place in the study are the caller's. STATUS_OK
 * where a launch of that launcher worked before (after on_failure), else STATUS_FAILED with the text that error has. */
int session_take_failure(struct session *, struct sample *, struct error *);

/* What every sample goes through: derived, judged, recorded and kept unless `unrecorded`, handed to on_sample. Its
 * block, repeat and launch_s are the caller's. STATUS_WRONG for a wrong answer, which has no time then. */
int session_take_sample(struct session *, struct sample *, bool unrecorded, struct error *);

/* What samples of the kernel in this mode are recorded as; the worker replaces an empty instruction set by its own. */
struct config session_config(const struct session *, const struct problem *, const struct mode *);

/* Whether this process is rank 0 of a foreign launcher's job, or in none: only then does it write and print. */
bool session_speaks(const struct session *);

#endif
