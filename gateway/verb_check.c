/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the very snapshot that `run` would serve from, so that the two never disagree. */
#include "config/rules/phase.h"
#include "gateway/base/json_out.h"
#include "gateway/cli.h"
#include "gateway/snapshot.h"

static const char *const plans[] = {[CONFIG_PLAN_FREE] = "free",
                                    [CONFIG_PLAN_PRO] = "pro",
                                    [CONFIG_PLAN_BUSINESS] = "business",
                                    [CONFIG_PLAN_ENTERPRISE] = "enterprise"};

struct arguments {
    const char *config_path;
    const char *plan;
    bool json;
};

static bool is_plan(const char *name)
{
    for (size_t i = 0; i < GW_COUNT(plans); i++)
        if (strcmp(plans[i], name) == 0)
            return true;
    return false;
}

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"plan", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    for (int o; (o = cli_option(argc, argv, "c:", options)) != -1;) {
        if (o == '?')
            return EXIT_USAGE;
        if (o == 'c')
            a->config_path = optarg;
        else if (o == 'p')
            a->plan = optarg;
        else
            a->json = true;
    }
    if (a->plan && !is_plan(a->plan))
        return cli_usage("check", "\"%s\" is no plan: free, pro, business or enterprise", a->plan);
    if (!a->config_path)
        return optind < argc ? cli_usage("check", "-c FILE is needed: write -c %s", argv[optind])
                             : cli_usage("check", "-c FILE is needed");
    return cli_operands("check", argc, 0, 0);
}

/* ---- the summary ---- */

static void print_listeners(const struct config *config)
{
    for (size_t i = 0; i < config->listen_count; i++)
        printf("  listen    %.*s, edge %.*s%s\n", GW_STR_ARG(config->listen[i].address.text),
               GW_STR_ARG(config->edges[config->listen[i].edge].name),
               config->listen[i].tls_count ? ", TLS" : "");
    if (config->admin.enabled)
        printf("  admin     %.*s%s%s\n", GW_STR_ARG(config->admin.address.text),
               config->admin.token.len ? ", with a token" : "",
               config->admin.tls_count ? ", TLS" : "");
}

/* Switched-off rules are named apart: "why does my rule not match" often ends here. */
static void print_ruleset(const struct ruleset *rs, struct gw_str path)
{
    size_t enabled = 0;
    for (size_t i = 0; i < ruleset_count(rs); i++)
        enabled += ruleset_rule(rs, i)->enabled;
    printf("    rules     %.*s: %zu, %zu enabled (%.*s)\n",
           GW_STR_ARG(ruleset_info(rs)->phase_name), ruleset_count(rs), enabled, GW_STR_ARG(path));
}

static void print_origins(const struct config_zone *config)
{
    if (config->origin.server_count > 1)
        printf("    servers   %zu%s\n", config->origin.server_count,
               config->origin.health.enabled ? ", with health checks" : "");
    if (config->origin_rule_count)
        printf("    origins   %zu rule%s for requests that go elsewhere\n",
               config->origin_rule_count, config->origin_rule_count == 1 ? "" : "s");
    if (config->fault_count)
        printf("    faults    %zu, on purpose\n", config->fault_count);
}

static void print_zone(const struct snapshot_zone *zone)
{
    const struct config_zone *config = zone->config;
    printf("  zone      %.*s, plan %s, origin %.*s\n    hosts     ", GW_STR_ARG(config->name),
           plans[config->plan], GW_STR_ARG(config->origin.url));
    for (size_t i = 0; i < config->host_count; i++)
        printf("%s%.*s", i ? ", " : "", GW_STR_ARG(config->hosts[i]));
    puts("");
    print_origins(config);
    for (size_t i = 0; i < zone->ruleset_count; i++)
        print_ruleset(zone->rulesets[i], config->rulesets[i]);
    if (zone->limiters) {
        size_t limiters, routes;
        limiter_policy_limiters(zone->limiters, &limiters);
        limiter_policy_routes(zone->limiters, &routes);
        printf("    limiters  %zu, on %zu routes (%.*s)\n", limiters, routes,
               GW_STR_ARG(config->limiters));
    }
}

static void print_summary(const struct snapshot *s)
{
    printf("%.*s is valid\n", GW_STR_ARG(s->config->path));
    print_listeners(s->config);
    for (size_t i = 0; i < s->zone_count; i++)
        print_zone(&s->zones[i]);
}

/* ---- JSON ---- */

/* Beyond GW_DIAG_MAX messages only their number is known, and "ok" is right all the same. */
static void add_diags(struct gw_buf *out, const struct gw_diags *diags, enum gw_severity severity)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct gw_diag *item = &diags->items[i];
        if (item->severity != severity)
            continue;
        gw_json_object(out, NULL);
        if (item->file)
            gw_json_text(out, "file", gw_str_z(item->file));
        else
            gw_json_null(out, "file");
        gw_json_u64(out, "line", item->line);
        gw_json_u64(out, "column", item->column);
        gw_json_text(out, "message", gw_str_z(item->message));
        gw_buf_char(out, '}');
    }
}

static void print_json(const struct gw_diags *diags, bool ok)
{
    struct gw_buf out;
    gw_buf_init(&out, (size_t)16 << 20);
    gw_buf_printf(&out, "{\"ok\":%s,\"errors\":[", ok ? "true" : "false");
    add_diags(&out, diags, GW_DIAG_ERROR);
    gw_buf_add(&out, GW_STR("],\"warnings\":["));
    add_diags(&out, diags, GW_DIAG_WARNING);
    gw_buf_add(&out, GW_STR("]}"));
    printf("%.*s\n", GW_STR_ARG(gw_buf_str(&out)));
    gw_buf_release(&out);
}

/* Secrets are not needed to tell whether a file is right: continuous integration has none. */
static int check(int argc, char **argv)
{
    struct arguments a = {0};
    int code = read_arguments(&a, argc, argv);
    if (code)
        return code;
    const struct config_overrides overrides = {.lenient_secrets = true, .plan = a.plan};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct metrics *metrics = metrics_new(1, GW_STR_EMPTY);
    struct config *config = config_load(a.config_path, &overrides, &diags);
    struct snapshot *s = config ? snapshot_build(config, metrics, &diags) : NULL;
    if (a.json)
        print_json(&diags, s != NULL);
    else
        cli_print_diags(&diags);
    if (s && !a.json)
        print_summary(s);
    code = s ? 0 : EXIT_CONFIG;
    snapshot_unref(s);
    metrics_free(metrics);
    gw_diags_release(&diags);
    return code;
}

const struct verb verb_check = {
    .name = "check",
    .run = check,
    .summary = "validate configuration, rulesets and limiters",
    .manual =
        "usage: nearedge check -c FILE [--plan PLAN] [--json]\n"
        "\n"
        "Reads the configuration, every ruleset and every limiters file it names, and says all "
        "that\n"
        "is wrong at once, each as FILE:LINE:COLUMN with the offending text, on standard error.\n"
        "Warnings name what is accepted but not simulated, and rules that do not do what they "
        "say:\n"
        "that never match, that later rules always overrule, that turn round when a header is "
        "absent,\n"
        "or that cache by URL what depends on who asks. Needs no network, no root and no "
        "secrets: an\n"
        "undefined ${VAR} is a warning. A valid configuration is summed up on standard output.\n"
        "\n"
        "  -c, --config FILE   the configuration\n"
        "  --plan PLAN         check against this plan's limits instead of the zones' own:\n"
        "                      free, pro, business or enterprise\n"
        "  --json              "
        "{\"ok\":...,\"errors\":[{file,line,column,message}],\"warnings\":[...]}\n"
        "\n"
        "exit codes: 0 valid, 2 usage, 3 invalid.\n"
        "\n"
        "example: nearedge check -c nearedge.json --plan free\n"};
