/* SPDX-License-Identifier: Apache-2.0 */
/* The script asks the program for its verbs and for the options in a verb's manual, so that it
 * never knows less than the program does. */
#include "gateway/cli.h"

static const char bash_script[] =
    "# bash completion for nearedge: source <(nearedge completion bash)\n"
    "_nearedge() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local verb=${COMP_WORDS[1]} words=\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        words=$(nearedge help 2>/dev/null | sed -n 's/^  \\([a-z]*\\) .*/\\1/p')\n"
    "    elif [ \"$before\" = --plan ]; then\n"
    "        words='free pro business enterprise'\n"
    "    elif [ \"${word:0:1}\" = - ]; then\n"
    "        words=$(nearedge help \"$verb\" 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)\n"
    "    elif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
    "        case $verb in\n"
    "        help) words=$(nearedge help 2>/dev/null | sed -n 's/^  \\([a-z]*\\) .*/\\1/p') ;;\n"
    "        limits) words='ls get reset' ;;\n"
    "        rules) words=test ;;\n"
    "        clock) words=advance ;;\n"
    "        completion) words=bash ;;\n"
    "        esac\n"
    "    fi\n"
    "    if [ -n \"$words\" ]; then\n"
    "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
    "    else\n"
    "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "    fi\n"
    "}\n"
    "complete -o filenames -F _nearedge nearedge\n";

static int completion(int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[1], "bash") != 0)
        return cli_usage("completion", "\"completion bash\" is what there is");
    fputs(bash_script, stdout);
    return 0;
}

const struct verb verb_completion = {
    .name = "completion",
    .run = completion,
    .summary = "print a shell's completion script: completion bash",
    .manual = "usage: nearedge completion bash\n"
              "\n"
              "Prints a script that completes verbs, options and file names.\n"
              "\n"
              "exit codes: 0 ok, 2 usage.\n"
              "\n"
              "example: source <(nearedge completion bash)\n"};
