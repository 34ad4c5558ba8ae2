/* SPDX-License-Identifier: Apache-2.0 */
/* Explains against the files: the same snapshot that `run` would serve from, without its caches and
 * counters. What a running gateway holds is asked at its admin listener (POST /api/explain). */
#include "gateway/cli.h"
#include "gateway/explain_view.h"

#define HEADERS_MAX 256
#define OUT_MAX     ((size_t)256 << 20)

struct arguments {
    const char *config_path;
    struct explain_question question;
    struct headers headers;
    struct gw_arena arena;
    bool json, all_parts;
};

/* curl's forms: "K: V", and "K;" for an empty value. */
static bool read_header(struct arguments *a, const char *text)
{
    struct gw_str all = gw_str_z(text);
    size_t colon = gw_str_chr(all, ':');
    if (colon == GW_NPOS && gw_str_ends(all, GW_STR(";")))
        return headers_add(&a->headers, gw_str_first(all, all.len - 1), GW_STR_EMPTY);
    return colon != GW_NPOS && headers_add(&a->headers, gw_str_first(all, colon),
                                           gw_str_trim(gw_str_from(all, colon + 1)));
}

static int take_option(struct arguments *a, int option)
{
    struct explain_question *q = &a->question;
    switch (option) {
    case 'c':
        a->config_path = optarg;
        return 0;
    case 'X':
        q->method = gw_str_z(optarg);
        return 0;
    case 'H':
        return read_header(a, optarg) ? 0 : cli_usage("explain", "\"%s\" is not \"K: V\"", optarg);
    case 'i':
        return gw_ip_parse(gw_str_z(optarg), &q->ip)
                   ? 0
                   : cli_usage("explain", "\"%s\" is no IP address", optarg);
    case 'e':
        q->edge = gw_str_z(optarg);
        return 0;
    case 'o':
        q->country = gw_str_z(optarg);
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case 'a':
        a->all_parts = true;
        return 0;
    default:
        return EXIT_USAGE;
    }
}

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"request", required_argument, NULL, 'X'},
                                            {"header", required_argument, NULL, 'H'},
                                            {"ip", required_argument, NULL, 'i'},
                                            {"edge", required_argument, NULL, 'e'},
                                            {"country", required_argument, NULL, 'o'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    for (int o; (o = cli_option(argc, argv, "c:X:H:", options)) != -1;) {
        int code = take_option(a, o);
        if (code)
            return code;
    }
    if (!a->config_path)
        return cli_usage("explain", "-c FILE is needed");
    int code = cli_operands("explain", argc, 1, 1);
    if (!code)
        a->question.url = gw_str_z(argv[optind]);
    return code;
}

static int answer(const struct arguments *a, const struct snapshot *s)
{
    char error[EXPLAIN_ERROR_MAX];
    struct explain *e = explain_new(s, &a->question, error);
    if (!e)
        return cli_usage("explain", "%s", error);
    struct gw_buf out;
    gw_buf_init(&out, OUT_MAX);
    if (a->json)
        explain_json(e, &out);
    else
        explain_text(e, a->all_parts, cli_has_color(stdout), &out);
    fwrite(out.data, 1, out.len, stdout);
    gw_buf_release(&out);
    explain_free(e);
    return 0;
}

/* As `check`: secrets are not needed to tell what rules do. */
static int explain_with(const struct arguments *a)
{
    const struct config_overrides overrides = {.lenient_secrets = true};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct metrics *metrics = metrics_new(1, GW_STR_EMPTY);
    struct config *config = config_load(a->config_path, &overrides, &diags);
    struct snapshot *s = config ? snapshot_build(config, metrics, &diags) : NULL;
    if (!s)
        cli_print_diags(&diags);
    int code = s ? answer(a, s) : EXIT_CONFIG;
    snapshot_unref(s);
    metrics_free(metrics);
    gw_diags_release(&diags);
    return code;
}

static int explain(int argc, char **argv)
{
    const uint64_t now_ms = gw_kernel_wall_ms();
    struct arguments a = {.question = {.now_ms = now_ms, .date_ms = now_ms}};
    gw_arena_init(&a.arena, NULL, 0, 0);
    headers_init(&a.headers, &a.arena, HEADERS_MAX);
    a.question.headers = &a.headers;
    int code = read_arguments(&a, argc, argv);
    if (!code)
        code = explain_with(&a);
    gw_arena_clear(&a.arena);
    return code;
}

const struct verb verb_explain = {
    .name = "explain",
    .run = explain,
    .summary = "what the edge would do with a request, and why",
    .manual =
        "usage: nearedge explain -c FILE URL [-X METHOD] [-H 'K: V']... [--ip ADDRESS]\n"
        "                        [--edge EDGE] [--country CC] [--all] [--json]\n"
        "\n"
        "Says in one sentence what the edge would do with the request, and below it why: the\n"
        "normalised URL, the zone, every phase and every rule with what decided it, the cache\n"
        "settings that result and the rule each comes from, the limiter with its key, whether\n"
        "the cache may answer, and the cache key. Nothing is sent, counted or stored; what a\n"
        "running gateway holds in its cache and counters is told by its admin listener,\n"
        "POST /api/explain, with the same members: url, method, headers, ip, edge, country.\n"
        "\n"
        "A rule that matches is marked \"match\", one that is switched off \"off\". Below a rule\n"
        "stand the parts of its expression that settled it: the first false part of an \"and\",\n"
        "the first true part of an \"or\", or every part where all were needed; and for each\n"
        "comparison the value on its left side.\n"
        "\n"
        "  -c, --config FILE   the configuration; secrets in it are not needed\n"
        "  URL                 absolute; its scheme and port are those the visitor uses\n"
        "  -X, --request M     the method [GET]\n"
        "  -H, --header 'K: V' a header field; \"K;\" has no value; Host replaces the URL's\n"
        "  --ip ADDRESS        the peer [127.0.0.1]; if it is in trusted_proxies, its\n"
        "                      CF-Connecting-IP, X-Forwarded-For and X-Nearedge-* count\n"
        "  --edge EDGE         where it arrives [the edge of the first \"listen\"]\n"
        "  --country CC        the visitor's country, as DE [the edge's]\n"
        "  --all               every part of every expression, also those that decided nothing\n"
        "  --json              the answer of Cloudflare's trace API, "
        "{\"result\":{\"status_code\",\n"
        "                      \"trace\":[...]}}; more in members \"nearedge\"\n"
        "\n"
        "exit codes: 0 ok (also for a request that would be refused), 2 usage, 3 configuration\n"
        "invalid.\n"
        "\n"
        "example: nearedge explain -c config/hub-evolution/nearedge.json \\\n"
        "             'https://ci.hub-evolution.com/favicon.ico?__no_cache=1'\n"};
