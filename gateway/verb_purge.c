/* SPDX-License-Identifier: Apache-2.0 */
/* The admin's purge_cache and invalidate_cache (spec/api-v4.md section 4) for a hand at the
 * keyboard: what may be purged is checked there, once. */
#include "gateway/cli_admin.h"

#define LIST_MAX ((size_t)8 << 20)

enum purge_option { ZONE = 256, INVALIDATE, EVERYTHING, URL, TAG, HOST, PREFIX };

/* The API's lists, by option. */
static const struct {
    int option;
    const char *name;
} kinds[] = {{URL, "files"}, {TAG, "tags"}, {HOST, "hosts"}, {PREFIX, "prefixes"}};

struct purge {
    struct cli_admin admin;
    const char *zone;
    bool everything, invalidate;
    struct gw_buf lists[GW_COUNT(kinds)]; /* items with commas */
};

/* The API only says that it is unable to; what people mix up is named here. */
static int check_form(int option, const char *value)
{
    const char *scheme = value ? strstr(value, "://") : NULL;
    if (option == URL && !scheme)
        return cli_usage("purge", "\"%s\" is no URL; write https://host/path", value);
    if ((option == HOST || option == PREFIX) && scheme)
        return cli_usage("purge", "\"%s\" has a scheme; write --%s %s", value,
                         option == HOST ? "host" : "prefix", scheme + 3);
    return 0;
}

static int take(void *ctx, int option, const char *value)
{
    struct purge *p = ctx;
    int code = check_form(option, value);
    if (code)
        return code;
    for (size_t i = 0; i < GW_COUNT(kinds); i++) {
        if (kinds[i].option != option)
            continue;
        if (p->lists[i].len)
            gw_buf_char(&p->lists[i], ',');
        gw_buf_json(&p->lists[i], gw_str_z(value));
    }
    if (option == ZONE)
        p->zone = value;
    p->everything |= option == EVERYTHING;
    p->invalidate |= option == INVALIDATE;
    return 0;
}

/* ---- which zone ---- */

static int choose(const struct purge *p, const char *where)
{
    if (p->zone)
        fprintf(stderr, "nearedge purge: %s has no zone \"%s\"\n", where, p->zone);
    else
        fprintf(stderr, "nearedge purge: %s has several zones: choose one with --zone\n", where);
    return p->zone ? EXIT_FAILED_RUN : EXIT_USAGE;
}

static int zone_of_config(const struct purge *p, struct gw_buf *id)
{
    const struct config *config = p->admin.config;
    for (size_t i = 0; i < config->zone_count; i++) {
        const struct config_zone *zone = &config->zones[i];
        if (p->zone ? gw_str_eq(zone->name, gw_str_z(p->zone)) : config->zone_count == 1) {
            gw_buf_add(id, zone->id);
            return 0;
        }
    }
    return choose(p, p->admin.config_path);
}

static int zone_of_gateway(struct purge *p, struct gw_buf *id)
{
    struct gw_buf target;
    struct json_doc *doc;
    gw_buf_init(&target, 4096);
    gw_buf_add(&target, GW_STR("/client/v4/zones"));
    if (p->zone) {
        gw_buf_add(&target, GW_STR("?name="));
        admin_client_escape(&target, gw_str_z(p->zone));
    }
    int code = cli_admin_json(&p->admin, GW_STR("GET"), gw_buf_str(&target), GW_STR_EMPTY, &doc);
    gw_buf_release(&target);
    if (code)
        return code;
    const struct json *zones = json_get(json_root(doc), "result");
    if (json_count(zones) == 1)
        gw_buf_add(id, json_str(json_get(json_first(zones), "id")));
    code = id->len ? 0 : choose(p, "the gateway");
    json_doc_free(doc);
    return code;
}

/* ---- the call ---- */

static bool has_lists(const struct purge *p)
{
    for (size_t i = 0; i < GW_COUNT(kinds); i++)
        if (p->lists[i].len)
            return true;
    return false;
}

static void write_body(const struct purge *p, struct gw_buf *body)
{
    const char *separator = "";
    gw_buf_char(body, '{');
    if (p->everything)
        gw_buf_add(body, GW_STR("\"purge_everything\":true"));
    for (size_t i = 0; i < GW_COUNT(kinds); i++) {
        if (!p->lists[i].len)
            continue;
        gw_buf_printf(body, "%s\"%s\":[", separator, kinds[i].name);
        gw_buf_add(body, gw_buf_str(&p->lists[i]));
        gw_buf_char(body, ']');
        separator = ",";
    }
    gw_buf_char(body, '}');
}

static int call(struct purge *p, struct gw_str zone)
{
    struct gw_buf target, body;
    struct json_doc *doc;
    gw_buf_init(&target, 4096);
    gw_buf_init(&body, GW_COUNT(kinds) * LIST_MAX);
    gw_buf_printf(&target, "/client/v4/zones/%.*s/%s", GW_STR_ARG(zone),
                  p->invalidate ? "invalidate_cache" : "purge_cache");
    write_body(p, &body);
    int code =
        cli_admin_json(&p->admin, GW_STR("POST"), gw_buf_str(&target), gw_buf_str(&body), &doc);
    if (!code && p->admin.json)
        cli_print_json(json_root(doc));
    else if (!code)
        puts(p->invalidate ? "invalidated" : "purged");
    json_doc_free(doc);
    gw_buf_release(&body);
    gw_buf_release(&target);
    return code;
}

static int run_purge(struct purge *p, int argc)
{
    struct gw_buf id;
    int code = cli_operands("purge", argc, 0, 0);
    if (code)
        return code;
    if (p->everything == has_lists(p))
        return cli_usage("purge", p->everything
                                      ? "--everything cannot stand beside others"
                                      : "say what: --everything, --url, --tag, --host or --prefix");
    gw_buf_init(&id, 256);
    code = p->admin.config ? zone_of_config(p, &id) : zone_of_gateway(p, &id);
    if (!code)
        code = call(p, gw_buf_str(&id));
    gw_buf_release(&id);
    return code;
}

static int purge(int argc, char **argv)
{
    static const struct option options[] = {{"zone", required_argument, NULL, ZONE},
                                            {"invalidate", no_argument, NULL, INVALIDATE},
                                            {"everything", no_argument, NULL, EVERYTHING},
                                            {"url", required_argument, NULL, URL},
                                            {"tag", required_argument, NULL, TAG},
                                            {"host", required_argument, NULL, HOST},
                                            {"prefix", required_argument, NULL, PREFIX},
                                            {NULL, 0, NULL, 0}};
    struct purge p = {.everything = false};
    const struct cli_admin_extra extra = {options, take, &p};
    for (size_t i = 0; i < GW_COUNT(kinds); i++)
        gw_buf_init(&p.lists[i], LIST_MAX);
    int code = cli_admin_open(&p.admin, argc, argv, &extra);
    if (!code)
        code = run_purge(&p, argc);
    cli_admin_close(&p.admin);
    for (size_t i = 0; i < GW_COUNT(kinds); i++)
        gw_buf_release(&p.lists[i]);
    return code;
}

const struct verb verb_purge = {
    .name = "purge",
    .run = purge,
    .summary = "take objects out of a running gateway's cache",
    .manual =
        "usage: nearedge purge [OPTION]... --everything\n"
        "       nearedge purge [OPTION]... [--url URL]... [--tag TAG]... [--host HOST]...\n"
        "                                  [--prefix PREFIX]...\n"
        "\n"
        "Purges at every edge of one zone, as Cloudflare's purge_cache does; what is given\n"
        "several times or together is purged in one call, of at most 100 items of a kind.\n"
        "\n"
        "  --everything        all of the zone\n"
        "  --url URL           one URL with its query, as visitors ask for it; variants that\n"
        "                      differ by a header need the API, which takes headers too\n"
        "  --tag TAG           what the origin marked with this word in Cache-Tag\n"
        "  --host HOST         all of a host\n"
        "  --prefix PREFIX     host/path without scheme: this path and all below it\n"
        "  --zone NAME         which zone [the only one]\n"
        "  --invalidate        keep the objects, but ask the origin before they are used again\n"
        "\n" CLI_ADMIN_OPTIONS "  --json              the API's answer\n"
        "\n" CLI_ADMIN_TOKEN "\n"
        "exit codes: 0 ok (also when nothing was cached), 1 failure, 2 usage, 3 configuration\n"
        "invalid.\n"
        "\n"
        "example: nearedge purge -c nearedge.json --prefix ci.hub-evolution.com/assets\n"};
