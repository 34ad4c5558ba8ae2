/* SPDX-License-Identifier: Apache-2.0 */
/* Options only: bench/load/ does the work. */
#include <signal.h>
#include <unistd.h>

#include "bench/load/load.h"
#include "bench/load/pace.h"
#include "bench/load/units.h"
#include "gateway/cli.h"

static volatile sig_atomic_t stop_asked;

static void on_interrupt(int number)
{
    (void)number;
    stop_asked = 1;
}

/* The first Ctrl-C ends the run with the report so far, the second one ends the program. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- the command line, for the report ---- */

static bool is_secret(const char *argument)
{
    static const char *const names[] = {"authorization:", "cookie:", "x-auth-key:"};
    struct gw_str text = gw_str_z(argument);
    for (size_t i = 0; i < GW_COUNT(names); i++)
        if (gw_str_ieq(gw_str_first(text, strlen(names[i])), gw_str_z(names[i])))
            return true;
    return false;
}

static void add_argument(struct gw_buf *out, const char *argument)
{
    bool plain = *argument != 0;
    for (const char *c = argument; *c; c++)
        plain = plain && (gw_is_digit(*c) || (gw_lower(*c) >= 'a' && gw_lower(*c) <= 'z') ||
                          strchr("-_./:=,@%+", *c));
    gw_buf_char(out, ' ');
    if (is_secret(argument)) {
        struct gw_str text = gw_str_z(argument);
        gw_buf_printf(out, "'%.*s: ***'", GW_STR_ARG(gw_str_first(text, gw_str_chr(text, ':'))));
        return;
    }
    gw_buf_add(out, plain ? GW_STR_EMPTY : GW_STR("'"));
    for (const char *c = argument; *c; c++)
        if (*c == '\'')
            gw_buf_add(out, GW_STR("'\\''"));
        else
            gw_buf_char(out, *c);
    gw_buf_add(out, plain ? GW_STR_EMPTY : GW_STR("'"));
}

/* ---- options ---- */

enum { OPTION_TEXT, OPTION_NUMBER, OPTION_FACTOR, OPTION_FLAG, OPTION_LIST };

static const struct {
    const char *name;
    int letter; /* 0: none */
    int kind;
    size_t offset;
} table[] = {
#define OPTION(name, letter, kind, field)                                                          \
    {                                                                                              \
        name, letter, OPTION_##kind, offsetof(struct load_options, field)                          \
    }
    OPTION("url", 0, TEXT, url),
    OPTION("rate", 0, TEXT, rate),
    OPTION("duration", 0, TEXT, duration),
    OPTION("burst", 0, NUMBER, burst),
    OPTION("poisson", 0, FLAG, poisson),
    OPTION("method", 'X', TEXT, method),
    OPTION("data", 'd', TEXT, data),
    OPTION("identities", 0, NUMBER, identities),
    OPTION("edges", 0, TEXT, edges),
    OPTION("isolates", 0, NUMBER, isolates),
    OPTION("target", 0, TEXT, target),
    OPTION("admin", 0, TEXT, admin),
    OPTION("only", 0, TEXT, only),
    OPTION("header", 'H', LIST, headers),
    OPTION("expect", 0, LIST, expect),
    OPTION("allow-host", 0, LIST, allow_hosts),
    OPTION("connections", 0, NUMBER, connections),
    OPTION("seed", 0, NUMBER, seed),
    OPTION("scale", 0, FACTOR, scale),
    OPTION("speed", 0, FACTOR, speed),
    OPTION("cacert", 0, TEXT, cacert),
    OPTION("insecure", 0, FLAG, insecure),
    OPTION("strict", 0, FLAG, strict),
    OPTION("dry-run", 0, FLAG, dry_run),
    OPTION("convert", 0, FLAG, convert),
    OPTION("json", 0, TEXT, json),
    OPTION("junit", 0, TEXT, junit),
    OPTION("markdown", 0, TEXT, markdown),
    OPTION("html", 0, TEXT, html),
    OPTION("compare", 0, TEXT, compare),
#undef OPTION
};

#define LONG_FIRST 1000 /* getopt's value of the table's first entry: no letter is that large */

static int take_factor(const char *name, double *out)
{
    struct gw_str rest = gw_str_z(optarg);
    if (units_number(&rest, out) && !rest.len && *out >= PACE_LEAST && *out <= PACE_MOST)
        return 0;
    return cli_usage("load", "\"%s\" is no factor such as 0.1 or 20 for --%s", optarg, name);
}

static int take_option(struct load_options *o, size_t at)
{
    void *field = (char *)o + table[at].offset;
    struct load_list *list = field;
    uint64_t number;
    switch (table[at].kind) {
    case OPTION_TEXT:
        *(const char **)field = optarg;
        return 0;
    case OPTION_FACTOR:
        return take_factor(table[at].name, field);
    case OPTION_FLAG:
        *(bool *)field = true;
        return 0;
    case OPTION_LIST:
        if (list->count == LOAD_LIST_MAX)
            return cli_usage("load", "more than %d times --%s", LOAD_LIST_MAX, table[at].name);
        list->items[list->count++] = optarg;
        return 0;
    }
    if (!gw_str_u64(gw_str_z(optarg), 10000000, &number) || !number)
        return cli_usage("load", "\"%s\" is no number from 1 to 10000000 for --%s", optarg,
                         table[at].name);
    *(uint64_t *)field = number;
    return 0;
}

static int read_options(struct load_options *o, int argc, char **argv)
{
    struct option options[GW_COUNT(table) + 1] = {{0}};
    for (size_t i = 0; i < GW_COUNT(table); i++)
        options[i] = (struct option){table[i].name,
                                     table[i].kind == OPTION_FLAG ? no_argument : required_argument,
                                     NULL, LONG_FIRST + (int)i};
    for (int found; (found = cli_option(argc, argv, "X:d:H:", options)) != -1;) {
        size_t at = 0;
        if (found == '?')
            return EXIT_USAGE;
        while (found != LONG_FIRST + (int)at && found != table[at].letter)
            at++;
        int code = take_option(o, at);
        if (code)
            return code;
    }
    return cli_operands("load", argc, 0, 1);
}

static int check_options(const struct load_options *o)
{
    static const char only_quick[] = "--%s goes with --url: a scenario says it itself";
    const struct {
        const char *name;
        bool given;
    } quick[] = {{"rate", o->rate != NULL},          {"duration", o->duration != NULL},
                 {"burst", o->burst != 0},           {"poisson", o->poisson},
                 {"method", o->method != NULL},      {"data", o->data != NULL},
                 {"identities", o->identities != 0}, {"edges", o->edges != NULL},
                 {"isolates", o->isolates != 0}};
    for (size_t i = 0; i < GW_COUNT(quick) && o->file; i++)
        if (quick[i].given)
            return cli_usage("load", only_quick, quick[i].name);
    if (!o->file == !o->url)
        return cli_usage("load", "name a scenario file or --url");
    if (o->url && !o->burst && (!o->rate || !o->duration))
        return cli_usage("load", "--url needs --rate and --duration, or --burst");
    if (o->url && o->burst && (o->rate || o->duration || o->poisson))
        return cli_usage("load",
                         "--burst sends at once: --rate, --duration and --poisson do not go "
                         "with it");
    return 0;
}

static int run_load(int argc, char **argv)
{
    struct load_options o = {.version = NEAREDGE_VERSION, .stop = &stop_asked};
    struct gw_buf command;
    gw_buf_init(&command, 65536);
    gw_buf_add(&command, GW_STR("nearedge"));
    for (int i = 0; i < argc; i++) /* before getopt moves them */
        add_argument(&command, argv[i]);
    gw_buf_char(&command, 0);
    int code = read_options(&o, argc, argv);
    o.file = !code && optind < argc ? argv[optind] : NULL;
    code = code ? code : check_options(&o);
    if (!code) {
        o.command = command.data;
        o.admin_token = getenv("NEAREDGE_ADMIN_TOKEN");
        o.out_color = cli_has_color(stdout);
        o.err_color = cli_has_color(stderr);
        o.err_tty = isatty(STDERR_FILENO);
        catch_interrupts();
        code = load_test(&o, stdout, stderr);
    }
    gw_buf_release(&command);
    return code;
}

const struct verb verb_load = {
    .name = "load",
    .run = run_load,
    .summary = "load test with assertions that can fail",
    .manual =
        "usage: nearedge load SCENARIO.json [OPTION]...\n"
        "       nearedge load --url URL (--rate R --duration D | --burst N) [OPTION]...\n"
        "\n"
        "Sends requests when they are due, however slow the answers come, and measures response\n"
        "times from when each was due. SCENARIO is a file as in bench/load/examples/, or the\n"
        "team's load-test-config.json as it is. HTTP/1.1.\n"
        "\n"
        "one request (--url):\n"
        "  --rate R            50/s, 300/min, or a ramp 10/s..200/s\n"
        "  --duration D        10s, 2m\n"
        "  --burst N           N requests at once instead of a rate\n"
        "  --poisson           random arrivals of that rate\n"
        "  -X, --method M      [GET, with a body POST]\n"
        "  -d, --data TEXT     body; may hold variables\n"
        "  --identities N      as N visitors, each with its own CF-Connecting-IP\n"
        "  --edges FRA,AMS     at these edges in turn (X-Nearedge-Edge)\n"
        "  --isolates N        at N isolates of each edge in turn\n"
        "\n"
        "with both:\n"
        "  --target URL        where to, instead of the scenario's target\n"
        "  -H, --header LINE   'Name: value' on every request; Host as well\n"
        "  --expect EXPR       may be repeated; see below\n"
        "  --only NAME         only the phase NAME, or the phases NAME/...\n"
        "  --admin ADDR        the gateway's admin listener, for origin counts, actions and\n"
        "                      virtual clocks; its token is NEAREDGE_ADMIN_TOKEN; https://ADDR\n"
        "                      if it has TLS, verified in any case\n"
        "  --connections N     at most [1000]\n"
        "  --seed N            of all that is random [1]\n"
        "  --scale F           durations times F at the rates as they are: fewer requests\n"
        "  --speed F           F times as fast: the same requests in less time\n"
        "  --cacert FILE       trust these authorities (PEM) with an https:// target, which must\n"
        "                      prove to be the Host that is asked for, or admin, which must\n"
        "                      prove to be its address [the system's]\n"
        "  --insecure          any certificate will do\n"
        "  --allow-host HOST   a host that is not loopback and may be load tested\n"
        "  --strict            load-test-config.json: assert what its limits imply\n"
        "  --dry-run           show the plan, send nothing\n"
        "  --convert           print the scenario that the options or the file stand for\n"
        "  --json FILE, --junit FILE, --markdown FILE, --html FILE   reports\n"
        "  --compare FILE      better, worse or noise against an older --json report\n"
        "\n"
        "expectations:\n"
        "  200 == 15          429 in 20..30        429 == 190 +- 2      limited >= 25\n"
        "  only 200,429       ratio 429 < 10%      rate 200 >= 40/s     errors == 0\n"
        "  HIT >= 99          p99 < 50ms           service p99.9 < 5ms  mean < 2s\n"
        "  first 429 after 15                      retry-after honest\n"
        "  origin requests == 1                    origin not contacted\n"
        "  each identity: 200 == 15                per 60s: 200 <= 15\n"
        "  phase NAME: EXPR   429 of REQUEST == 5\n"
        "\n"
        "exit codes: 0 ok, 1 failure at run time, 2 usage, 3 the scenario is invalid, 6\n"
        "inconclusive (the generator was the limit, or something could not be found out), 99 an\n"
        "expectation failed, 130 interrupted (with the report so far).\n"
        "\n"
        "example: nearedge load --url http://127.0.0.1:8080/api/ai-image/generate -X POST \\\n"
        "           --burst 40 -H 'Host: www.example.test' --identities 1 \\\n"
        "           --expect '200 == 15' --expect '429 == 25' --expect 'only 200,429'\n"};
