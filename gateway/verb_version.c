/* SPDX-License-Identifier: Apache-2.0 */
/* The libraries' versions are not shown: their headers are visible in one room each, and the
 * package manager knows them. */
#include <stdio.h>

#include "gateway/cli.h"

static int version(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int o; (o = cli_option(argc, argv, "", options)) != -1;) {
        if (o == '?')
            return EXIT_USAGE;
        json |= o == 'j';
    }
    int code = cli_operands("version", argc, 0, 0);
    if (code)
        return code;
    printf(json
               ? "{\"name\":\"nearedge\",\"version\":\"%s\",\"build\":\"%s\",\"compiler\":\"%s\"}\n"
               : "nearedge %s\nbuild %s, compiler %s\n",
           NEAREDGE_VERSION, NEAREDGE_BUILD, __VERSION__);
    return 0;
}

const struct verb verb_version = {.name = "version",
                                  .run = version,
                                  .summary = "print the version",
                                  .manual = "usage: nearedge version [--json]\n"
                                            "\n"
                                            "Prints version, build type and compiler.\n"
                                            "\n"
                                            "  --json              as one object\n"
                                            "\n"
                                            "exit codes: 0 ok, 2 usage.\n"};
