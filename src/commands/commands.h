/* The commands, one file each: they parse their own options and drive the pipeline. main.c holds their table. */
#ifndef SPEEDUP_COMMANDS_COMMANDS_H
#define SPEEDUP_COMMANDS_COMMANDS_H

#include "../options/options.h"

int command_run(const struct command *, int argc, char **argv, struct error *);
int command_study(const struct command *, int argc, char **argv, struct error *);
int command_demo(const struct command *, int argc, char **argv, struct error *);
int command_explain(const struct command *, int argc, char **argv, struct error *);
int command_list(const struct command *, int argc, char **argv, struct error *);
int command_machine(const struct command *, int argc, char **argv, struct error *);
int command_diagnose(const struct command *, int argc, char **argv, struct error *); /* an exit status, negated */
int command_report(const struct command *, int argc, char **argv, struct error *);
int command_compare(const struct command *, int argc, char **argv, struct error *);
int command_job(const struct command *, int argc, char **argv, struct error *);
int command_timeline(const struct command *, int argc, char **argv, struct error *);

#endif
