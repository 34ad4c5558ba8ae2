/* SPDX-License-Identifier: Apache-2.0 */
/* Command line → server_run. Signals, logging and the exit code of a run are the server's. */
#include "gateway/cli.h"
#include "gateway/server.h"

/* Options that may stand several times, as NULL-terminated lists: there are never more than
 * arguments. */
struct arguments {
    struct server_options server;
    struct config_flags flags;
    const char **hosts, **rules;
    size_t host_count, rule_count;
    bool any_flag; /* one that -c excludes */
};

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},     {"origin", required_argument, NULL, 'o'},
        {"host", required_argument, NULL, 'h'},       {"rules", required_argument, NULL, 'r'},
        {"limiters", required_argument, NULL, 'l'},   {"plan", required_argument, NULL, 'n'},
        {"listen", required_argument, NULL, 'p'},     {"admin", required_argument, NULL, 'a'},
        {"ready-file", required_argument, NULL, 'f'}, {"user", required_argument, NULL, 'u'},
        {"seccomp", optional_argument, NULL, 's'},    {NULL, 0, NULL, 0}};
    for (int o; (o = cli_option(argc, argv, "c:", options)) != -1;) {
        a->any_flag |= !strchr("cfus", o);
        switch (o) {
        case 'c':
            a->server.config_path = optarg;
            break;
        case 'f':
            a->server.ready_file = optarg;
            break;
        case 'u':
            a->server.user = optarg;
            break;
        case 's':
            a->server.seccomp = optarg ? optarg : "deny";
            break;
        case 'o':
            a->flags.origin = optarg;
            break;
        case 'h':
            a->hosts[a->host_count++] = optarg;
            break;
        case 'r':
            a->rules[a->rule_count++] = optarg;
            break;
        case 'l':
            a->flags.limiters = optarg;
            break;
        case 'n':
            a->flags.plan = optarg;
            break;
        case 'p':
            a->flags.listen = optarg;
            break;
        case 'a':
            a->flags.admin = optarg;
            break;
        default:
            return EXIT_USAGE;
        }
    }
    return cli_operands("run", argc, 0, 0);
}

/* What getopt cannot know: which options belong together. */
static int check_arguments(const struct arguments *a)
{
    const char *action = a->server.seccomp;
    if (action && strcmp(action, "deny") != 0 && strcmp(action, "kill") != 0)
        return cli_usage("run", "--seccomp=%s: it is \"deny\" or \"kill\"", action);
    if (a->server.config_path && a->any_flag)
        return cli_usage("run", "-c says everything: leave the other options out or the file");
    if (a->server.config_path)
        return 0;
    if (!a->flags.origin)
        return cli_usage("run", "-c FILE or --origin URL is needed");
    if (!a->host_count)
        return cli_usage("run", "--origin needs --host: the hosts that visitors ask for, or '*'");
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments a = {0};
    a.hosts = gw_zalloc((size_t)(argc + 1) * sizeof(*a.hosts));
    a.rules = gw_zalloc((size_t)(argc + 1) * sizeof(*a.rules));
    int code = read_arguments(&a, argc, argv);
    if (!code)
        code = check_arguments(&a);
    if (!code) {
        a.flags.hosts = a.hosts;
        a.flags.rules = a.rules;
        if (!a.server.config_path)
            a.server.flags = &a.flags;
        code = server_run(&a.server);
    }
    free(a.hosts);
    free(a.rules);
    return code;
}

const struct verb verb_run = {
    .name = "run",
    .run = run,
    .summary = "run the gateway in the foreground",
    .manual =
        "usage: nearedge run -c FILE [--ready-file FILE] [--user NAME[:GROUP]] "
        "[--seccomp[=deny|kill]]\n"
        "       nearedge run --origin URL --host HOST[,HOST]... [--rules FILE]... [--limiters "
        "FILE]\n"
        "                    [--plan PLAN] [--listen ADDR] [--admin ADDR] [--ready-file FILE]\n"
        "                    [--user NAME[:GROUP]] [--seccomp[=deny|kill]]\n"
        "\n"
        "Runs in the foreground. The access log goes to standard output and the operational log "
        "to\n"
        "standard error unless the configuration says otherwise.\n"
        "\n"
        "  -c, --config FILE   the configuration\n"
        "  --origin URL        without a file: where requests go, http://HOST:PORT\n"
        "  --host HOST         hosts that visitors ask for; several times, or with commas; '*' for "
        "any\n"
        "  --rules FILE        a ruleset in Cloudflare's JSON; several times\n"
        "  --limiters FILE     limiters and their routes\n"
        "  --plan PLAN         which rules are possible: free, pro, business or enterprise [free]\n"
        "  --listen ADDR       for visitors [127.0.0.1:8080]; port 0: the kernel chooses\n"
        "  --admin ADDR        admin listener [none]\n"
        "  --ready-file FILE   written once ready: {\"listen\":[...],\"admin\":...,\"pid\":...}\n"
        "  --user NAME[:GROUP] whom root becomes once its ports are bound, for good. Log files, "
        "the\n"
        "                      ready file and what a reload reads are opened as that user.\n"
        "  --seccomp[=ACTION]  refuse system calls that an edge does not need: \"deny\" (EPERM, "
        "the\n"
        "                      default) or \"kill\" (the process ends)\n"
        "\n"
        "Sockets that a service manager passes (LISTEN_FDS) take the place of the listeners with "
        "their\n"
        "addresses.\n"
        "\n"
        "signals: HUP reloads the configuration (a bad one changes nothing), USR1 reopens log "
        "files,\n"
        "TERM, QUIT and INT finish what is under way and exit, a second TERM or INT exits at "
        "once.\n"
        "\n"
        "exit codes: 0 drained, 1 failure at run time, 2 usage, 3 configuration invalid.\n"
        "\n"
        "example: nearedge run --origin http://127.0.0.1:3000 --host www.example.test\n"};
