/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#define VERBS_MAX   32
#define OPTIONS_MAX 32

const struct verb *const cli_verbs[] = {
    &verb_run,   &verb_check,   &verb_explain, &verb_rules,      &verb_load,
    &verb_drill, &verb_limits,  &verb_purge,   &verb_clock,      &verb_healthcheck,
    &verb_trust, &verb_version, &verb_help,    &verb_completion, NULL};

/* Not a guess that is then run: a slip of the hand must not start something. */
static int unknown_verb(const char *name)
{
    const char *names[VERBS_MAX] = {NULL};
    for (size_t i = 0; cli_verbs[i] && i + 1 < VERBS_MAX; i++)
        names[i] = cli_verbs[i]->name;
    const char *nearest = gw_nearest(gw_str_z(name), names);
    if (nearest)
        fprintf(stderr, "nearedge: unknown verb \"%s\"; did you mean \"%s\"?\n", name, nearest);
    else
        fprintf(stderr, "nearedge: unknown verb \"%s\"\n", name);
    fprintf(stderr, "Try \"nearedge help\".\n");
    return EXIT_USAGE;
}

int cli_main(int argc, char **argv)
{
    static const struct {
        const char *option, *verb;
    } aliases[] = {{"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}};
    if (argc < 2) {
        cli_overview(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    for (size_t i = 0; i < GW_COUNT(aliases); i++)
        if (strcmp(name, aliases[i].option) == 0)
            name = aliases[i].verb;
    const struct verb *verb = cli_find(name);
    if (!verb)
        return unknown_verb(name);
    /* Wherever it stands: who asks for help has not got the rest right yet. */
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(verb->manual, stdout);
            return 0;
        }
    int code = verb->run(argc - 1, argv + 1);
    if ((fflush(stdout) || ferror(stdout)) && !code) { /* a full disk behind `> file` */
        fprintf(stderr, "nearedge: standard output: %s\n", strerror(errno));
        code = EXIT_FAILED_RUN;
    }
    return code;
}

const struct verb *cli_find(const char *name)
{
    for (size_t i = 0; cli_verbs[i]; i++)
        if (strcmp(cli_verbs[i]->name, name) == 0)
            return cli_verbs[i];
    return NULL;
}

void cli_overview(FILE *out)
{
    fputs("nearedge: your Cloudflare edge, on your own machine\n\n"
          "usage: nearedge VERB [OPTION]...\n\n",
          out);
    for (size_t i = 0; cli_verbs[i]; i++)
        fprintf(out, "  %-12s %s\n", cli_verbs[i]->name, cli_verbs[i]->summary);
    fputs("\n\"nearedge help VERB\" tells more. Exit codes: 0 ok, 1 failure at run time, 2 usage,\n"
          "3 configuration invalid, 4 a test or expectation failed, 6 inconclusive and 99 failed\n"
          "(load), 128+n by signal. \"nearedge help config\" lists all keys of a configuration.\n",
          out);
}

/* Two lines, not the whole manual: the mistake would scroll away. */
int cli_usage(const char *verb, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "nearedge %s: ", verb);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nTry \"nearedge help %s\".\n", verb);
    return EXIT_USAGE;
}

/* getopt's own sentences do not name the nearest option. */
static void explain_option(char **argv, const struct option *options)
{
    const char *given = argv[optind - 1];
    if (optopt && strncmp(given, "--", 2) != 0) {
        cli_usage(argv[0], "unknown option \"-%c\"", optopt);
        return;
    }
    const char *names[OPTIONS_MAX] = {NULL};
    for (size_t i = 0; options[i].name && i + 1 < OPTIONS_MAX; i++)
        names[i] = options[i].name;
    struct gw_str name = gw_str_from(gw_str_z(given), 2);
    name = gw_str_first(name, gw_str_chr(name, '='));
    const char *nearest = gw_nearest(name, names);
    if (nearest && strlen(nearest) == name.len && strncmp(nearest, name.ptr, name.len) == 0)
        cli_usage(argv[0], "option \"--%s\" takes no value", nearest);
    else if (nearest)
        cli_usage(argv[0], "unknown option \"--%.*s\"; did you mean \"--%s\"?", GW_STR_ARG(name),
                  nearest);
    else
        cli_usage(argv[0], "unknown option \"--%.*s\"", GW_STR_ARG(name));
}

/* The leading colon makes getopt tell a missing value from an unknown option. */
int cli_option(int argc, char **argv, const char *letters, const struct option *options)
{
    char with_colon[64];
    opterr = 0;
    snprintf(with_colon, sizeof(with_colon), ":%s", letters);
    int found = getopt_long(argc, argv, with_colon, options, NULL);
    if (found == ':')
        cli_usage(argv[0], "option \"%s\" needs a value", argv[optind - 1]);
    else if (found == '?')
        explain_option(argv, options);
    return found == ':' ? '?' : found;
}

int cli_operands(const char *verb, int argc, int min, int max)
{
    int count = argc - optind;
    if (count < min)
        return cli_usage(verb, "an operand is missing");
    if (count > max)
        return cli_usage(verb, "too many operands");
    return 0;
}

/* https://no-color.org: any value but an empty one. */
bool cli_has_color(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && *no_color) && isatty(fileno(out));
}

void cli_print_diags(const struct gw_diags *diags)
{
    gw_diags_print(diags, stderr, cli_has_color(stderr));
    if (diags->errors)
        fprintf(stderr, "%zu error%s, %zu warning%s\n", diags->errors,
                diags->errors == 1 ? "" : "s", diags->warnings, diags->warnings == 1 ? "" : "s");
}
