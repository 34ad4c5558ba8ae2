/* SPDX-License-Identifier: Apache-2.0 */
/* Breaks a running gateway's origin or counters on purpose and times what visitors see (drill.h).
 */
#include <signal.h>

#include "bench/load/target.h"
#include "bench/load/units.h"
#include "gateway/cli_admin.h"
#include "gateway/drill_report.h"

#define RATE_MAX 1000.0

enum {
    OPTION_DURATION = 1000,
    OPTION_RATE,
    OPTION_URL,
    OPTION_HOST,
    OPTION_RECOVER,
    OPTION_SERVER,
    OPTION_EXPRESSION
};

struct arguments {
    struct drill_options drill;
    const char *url, *host;
};

static volatile sig_atomic_t stop_asked;

/* The first Ctrl-C takes the fault away and ends the drill; the second one ends the program. */
static void on_interrupt(int number)
{
    (void)number;
    stop_asked = 1;
}

static int take_duration(const char *value, const char *option, uint64_t *out)
{
    if (units_duration(gw_str_z(value), out) && *out)
        return 0;
    return cli_usage("drill", "\"%s\" is no duration for --%s; write 10s or 500ms", value, option);
}

static int take(void *ctx, int option, const char *value)
{
    struct arguments *a = ctx;
    uint64_t number;
    switch (option) {
    case OPTION_DURATION:
        return take_duration(value, "duration", &a->drill.duration_us);
    case OPTION_RECOVER:
        return take_duration(value, "recover-within", &a->drill.recover_us);
    case OPTION_RATE:
        if (units_rate(gw_str_z(value), &a->drill.rate) && a->drill.rate > 0 &&
            a->drill.rate <= RATE_MAX)
            return 0;
        return cli_usage("drill", "\"%s\" is no rate up to %.0f/s; write 20/s", value, RATE_MAX);
    case OPTION_SERVER:
        if (!gw_str_u64(gw_str_z(value), CONFIG_SERVERS_MAX - 1, &number))
            return cli_usage("drill", "\"%s\" is no number of a server", value);
        a->drill.server = (int)number;
        return 0;
    case OPTION_URL:
        a->url = value;
        return 0;
    case OPTION_HOST:
        a->host = value;
        return 0;
    default:
        a->drill.expression = gw_str_z(value);
        return 0;
    }
}

static int find_kind(struct arguments *a, const char *name)
{
    const char *names[16] = {NULL};
    for (size_t i = 0; drill_kinds[i].name && i + 1 < GW_COUNT(names); i++) {
        names[i] = drill_kinds[i].name;
        if (strcmp(name, drill_kinds[i].name) == 0) {
            a->drill.kind = &drill_kinds[i];
            return 0;
        }
    }
    const char *nearest = gw_nearest(gw_str_z(name), names);
    return nearest
               ? cli_usage("drill", "there is no drill \"%s\"; did you mean \"%s\"?", name, nearest)
               : cli_usage("drill", "there is no drill \"%s\"", name);
}

/* Only this machine: whoever may arm a fault through an admin listener is on it or tunnels to it,
 * and a drill at a foreign host would be an attack. */
static int find_url(struct arguments *a)
{
    struct load_target target;
    const char *why;
    if (!load_target_parse(gw_str_z(a->url), &target, &why))
        return cli_usage("drill", "--url: %s", why);
    if (target.tls)
        return cli_usage("drill", "--url: drills speak plain HTTP, to a listener without TLS");
    if (!load_target_is_loopback(target.host))
        return cli_usage("drill", "--url: the gateway's own address on this machine is meant, such "
                                  "as http://127.0.0.1:8080/");
    int err = load_target_resolve(target.host, target.port, &a->drill.to);
    if (err) {
        fprintf(stderr, "nearedge drill: %s: %s\n", a->url, gw_strerror(err));
        return EXIT_FAILED_RUN;
    }
    a->drill.path = target.path;
    a->drill.host = target.authority;
    return 0;
}

/* The first plain listener, and the first host that has a name. */
static int find_in_config(struct arguments *a, const struct config *config)
{
    const struct config_zone *zone = &config->zones[0];
    if (!admin_address_of(&config->listen[0].address, &a->drill.to))
        return cli_usage("drill", "the kernel chooses the port of the configuration's listener: "
                                  "say it with --url");
    a->drill.path = GW_STR("/");
    a->drill.host = gw_str_eq(zone->hosts[0], GW_STR("*")) ? zone->name : zone->hosts[0];
    return 0;
}

static int find_target(struct arguments *a, const struct cli_admin *c)
{
    int code = a->url ? find_url(a)
               : c->config
                   ? find_in_config(a, c->config)
                   : cli_usage("drill", "say where to send requests: --url URL, or -c FILE");
    if (a->url && c->config && !a->host)
        a->drill.host = c->config->zones[0].hosts[0];
    if (a->host)
        a->drill.host = gw_str_z(a->host);
    return code;
}

static int run_drill(struct arguments *a, const struct cli_admin *c)
{
    struct drill_result result;
    struct gw_buf out;
    a->drill.admin =
        (struct load_admin_at){c->endpoint.address, c->endpoint.token, c->endpoint.tls};
    a->drill.stop = &stop_asked;
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    drill_run(&a->drill, &result);
    if (result.error[0]) {
        fprintf(stderr, "nearedge drill: %s\n", result.error);
        return EXIT_FAILED_RUN;
    }
    if (result.interrupted)
        return 128 + SIGINT;
    gw_buf_init(&out, (size_t)1 << 20);
    if (c->json)
        drill_json(&a->drill, &result, &out);
    else
        drill_text(&a->drill, &result, &out);
    fwrite(out.data, 1, out.len, stdout);
    gw_buf_release(&out);
    return result.recovered ? 0 : EXIT_EXPECTATION;
}

static int drill(int argc, char **argv)
{
    static const struct option options[] = {
        {"duration", required_argument, NULL, OPTION_DURATION},
        {"rate", required_argument, NULL, OPTION_RATE},
        {"url", required_argument, NULL, OPTION_URL},
        {"host", required_argument, NULL, OPTION_HOST},
        {"recover-within", required_argument, NULL, OPTION_RECOVER},
        {"server", required_argument, NULL, OPTION_SERVER},
        {"expression", required_argument, NULL, OPTION_EXPRESSION},
        {0}};
    struct arguments a = {
        .drill = {.rate = 20, .duration_us = 10000000, .recover_us = 30000000, .server = -1}};
    const struct cli_admin_extra extra = {options, take, &a};
    struct cli_admin c;
    int code = cli_admin_open(&c, argc, argv, &extra);
    if (!code)
        code = cli_operands("drill", argc, 1, 1);
    if (!code)
        code = find_kind(&a, argv[optind]);
    if (!code)
        code = find_target(&a, &c);
    if (!code)
        code = run_drill(&a, &c);
    cli_admin_close(&c);
    return code;
}

const struct verb verb_drill = {
    .name = "drill",
    .run = drill,
    .summary = "break a gateway's origin or counters and time the recovery",
    .manual =
        "usage: nearedge drill NAME [-c FILE | --admin ADDR] [--url URL] [OPTION]...\n"
        "\n"
        "Sends a modest load through a running gateway, arms a fault through its admin listener,\n"
        "takes it away after a while and says what visitors saw: how long until the first failure\n"
        "and until a server was left out, how many requests failed or got a stale answer, and how\n"
        "long until all was well again for a second. The fault is taken away in any case.\n"
        "\n"
        "  origin-500, origin-503     the origin answers with this status\n"
        "  origin-521, -522, -524     it refuses, does not connect, does not answer\n"
        "  origin-slow                it takes two seconds longer; over one second is slow\n"
        "  origin-reset, origin-cut   it resets connections, ends answers within their bodies\n"
        "  redis-away                 Redis cannot be asked: limiter.on_backend_failure decides; "
        "--url\n"
        "                             is a path with a limiter\n"
        "\n"
        "  --duration TIME     how long the fault is there [10s]\n"
        "  --rate RATE         requests [20/s]\n"
        "  --url URL           of this machine: where the gateway listens, and the path to ask "
        "for;\n"
        "                      default: the configuration's first listener, and /\n"
        "  --host HOST         Host of the requests; default: the first zone's first, or the "
        "URL's\n"
        "  --recover-within TIME   give up waiting after this time [30s]\n"
        "  --server N          only this server of the origin fails, counted from 0\n"
        "  --expression EXPR   only requests that fit fail; default: all; neither with "
        "redis-away\n" CLI_ADMIN_OPTIONS "  --json              the result as JSON\n"
        "\n" CLI_ADMIN_TOKEN "\n"
        "exit codes: 0 recovered, 1 the drill could not be made, 2 usage, 4 not recovered.\n"
        "\n"
        "example: nearedge drill origin-522 -c nearedge.json --duration 5s\n"};
