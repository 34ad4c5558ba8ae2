/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli.h"

static int help(int argc, char **argv)
{
    if (argc > 2)
        return cli_usage("help", "too many operands");
    const struct verb *verb = argc == 2 ? cli_find(argv[1]) : NULL;
    if (argc == 2 && !verb)
        return cli_usage("help", "there is no verb \"%s\"", argv[1]);
    if (verb)
        fputs(verb->manual, stdout);
    else
        cli_overview(stdout);
    return 0;
}

const struct verb verb_help = {.name = "help",
                               .run = help,
                               .summary = "tell about a verb: help VERB",
                               .manual = "usage: nearedge help [VERB]\n"
                                         "\n"
                                         "Prints the list of verbs, or the manual of one.\n"
                                         "\n"
                                         "exit codes: 0 ok, 2 usage.\n"};
