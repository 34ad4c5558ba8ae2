/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "gateway/cli.h"

#define REFERENCE_MAX ((size_t)256 * 1024)

/* Not a verb: the reference of the configuration file, from the table that reads it. */
static int help_config(void)
{
    struct gw_buf keys;
    gw_buf_init(&keys, REFERENCE_MAX);
    config_describe(&keys);
    fwrite(keys.data, 1, keys.len, stdout);
    gw_buf_release(&keys);
    return 0;
}

static int help(int argc, char **argv)
{
    if (argc > 2)
        return cli_usage("help", "too many operands");
    if (argc == 2 && strcmp(argv[1], "config") == 0)
        return help_config();
    const struct verb *verb = argc == 2 ? cli_find(argv[1]) : NULL;
    if (argc == 2 && !verb)
        return cli_usage("help", "there is no verb \"%s\"", argv[1]);
    if (verb)
        fputs(verb->manual, stdout);
    else
        cli_overview(stdout);
    return 0;
}

const struct verb verb_help = {
    .name = "help",
    .run = help,
    .summary = "tell about a verb: help VERB",
    .manual = "usage: nearedge help [VERB]\n"
              "       nearedge help config\n"
              "\n"
              "Prints the list of verbs, the manual of one, or every key of the configuration\n"
              "file, one a line: what it must be, its default in [ ], and what it means.\n"
              "\n"
              "exit codes: 0 ok, 2 usage.\n"};
