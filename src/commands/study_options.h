/* Inside `speedup study` alone: its command line. */
#ifndef SPEEDUP_COMMANDS_STUDY_OPTIONS_H
#define SPEEDUP_COMMANDS_STUDY_OPTIONS_H

#include "../options/options.h"
#include "study.h"

/* As options_parse: 0; 1 where help was printed; STATUS_USAGE. What depends on the machine comes with
 * study_options_complete. study_options_release frees what they made, also after a failure. */
int study_options_parse(const struct command *, int argc, char **argv, struct study_options *options_p, struct error *);
int study_options_complete(struct session *, struct study_options *, struct error *);
void study_options_release(struct study_options *);
/* What is measured, as a part of the names of files and jobs. */
void study_name_target(const struct study_options *, size_t length, char *name_p);

/* study_command.c. What is said of a command of the user's own. */
struct study_command_arguments {
    struct option_texts parameters, settings;
    const char *weak, *launcher;
    const char *setup, *prepare, *conclude, *cleanup;
    const char *time_regex, *time_json, *check_regex;
    int time_unit;
    bool shell, no_bind, same_output, ignore_failure, show_output;
};
enum { STUDY_COMMAND_OPTIONS = 17 };

/* Fills in the rows of these options; returns how many. */
int study_command_table(struct study_command_arguments *, struct option table_p[STUDY_COMMAND_OPTIONS]);
/* One of them that was given, by name; NULL: none. */
const char *study_command_given(const struct study_command_arguments *);
/* From them and the words of the command to options->command and options->rules. STATUS_USAGE. */
int study_command_choose(const struct study_command_arguments *, int word_count, char **words, struct study_options *,
                         struct error *);

/* study_shapes.c. What is said of nodes. */
struct study_shape_arguments {
    const char *nodes, *threads, *hosts;
    int map, hybrid;
};
enum { STUDY_SHAPE_OPTIONS = 6 };

void study_shapes_table(struct study_shape_arguments *, struct study_options *,
                        struct option table_p[STUDY_SHAPE_OPTIONS]);
/* Into options->request. STATUS_USAGE. */
int study_shapes_choose(const struct study_shape_arguments *, struct study_options *, struct error *);
/* What depends on the machine, and on the job of a batch system that this runs in: also says to the session's site what
 * starts ranks. STATUS_USAGE, STATUS_FAILED. */
int study_shapes_complete(struct session *, struct study_options *, struct error *);
/* STATUS_USAGE where modes were named, and none of them can use so many nodes, or the threads that were asked for; or a
 * command's launcher would not hear of the nodes. */
int study_shapes_check_modes(const struct study_options *, int nodes, struct error *);
/* The first of --hosts has to be this machine, unless nothing runs here. STATUS_USAGE. */
int study_shapes_check_first(const struct study_options *, struct error *);

#endif
