/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verbs of the command line (design/interface.md section 2). Each is one file verb_<name>.c
 * with one function that gets the arguments behind its name and returns an exit code. Data goes to
 * stdout, words for people to stderr; NO_COLOR is honoured. Thread: the main one, and it may
 * block. */
#include <getopt.h>

#include "gateway/base/base.h"
#include "gateway/base/diag.h"

#define EXIT_FAILED_RUN  1
#define EXIT_USAGE       2
#define EXIT_CONFIG      3
#define EXIT_EXPECTATION 4

struct verb {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
    const char *summary;               /* one line of `help` */
    const char *manual;                /* `help VERB`: synopsis, options, exit codes, an example */
};

/* In the order of `help`; NULL-terminated. */
extern const struct verb *const cli_verbs[];

/* The program: picks the verb and runs it. */
int cli_main(int argc, char **argv);
/* NULL when there is none. */
const struct verb *cli_find(const char *name);
/* What `help` without a verb says. */
void cli_overview(FILE *out);

/* The next option by getopt_long's rules, or -1 behind the last one (operands are argv[optind] and
 * on). '?' after a mistake, which was explained already: return EXIT_USAGE then. Options have long
 * names; `letters` are the short ones in getopt's notation. */
int cli_option(int argc, char **argv, const char *letters, const struct option *options);
/* Explains a mistake in the command line on stderr; returns EXIT_USAGE. */
int cli_usage(const char *verb, const char *fmt, ...) GW_PRINTF(2, 3);
/* EXIT_USAGE, said, unless there are between min and max operands. */
int cli_operands(const char *verb, int argc, int min, int max);
bool cli_has_color(FILE *out);
/* All messages on stderr and, when there were errors, how many. */
void cli_print_diags(const struct gw_diags *diags);

extern const struct verb verb_run, verb_check, verb_explain, verb_rules, verb_load, verb_limits,
    verb_purge, verb_clock, verb_healthcheck, verb_version, verb_help, verb_completion, verb_drill,
    verb_trust;
