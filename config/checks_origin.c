/* SPDX-License-Identifier: Apache-2.0 */
/* Relations between the keys of an origin, an origin rule, a fault. */
#include "config/forms.h"
#include "config/load.h"
#include "gateway/base/map.h"

static void warn_about_verify(struct load *l, const struct json *v, const struct config_origin *o)
{
    const struct json *verify = json_get(json_get(v, "tls"), "verify");
    if (verify && !o->tls.verify)
        json_warn(l->doc, verify, l->diags,
                  "\"verify\": false lets anybody between here and the origin read and change "
                  "everything; name its certificate authority in \"ca\" instead");
}

static void check_own_pair(struct load *l, const struct json *v, const struct config_origin *o)
{
    const struct json *tls = json_get(v, "tls");
    const struct json *certificate = json_get(tls, "certificate"), *key = json_get(tls, "key");
    if (!certificate != !key)
        json_error(l->doc, certificate ? certificate : key, l->diags,
                   "\"certificate\" and \"key\" are used together; add \"%s\"",
                   certificate ? "key" : "certificate");
    if (tls && o->scheme == CONFIG_SCHEME_HTTP && o->url.len)
        json_warn(l->doc, tls, l->diags,
                  "\"tls\" changes nothing for an http:// origin; write https://%.*s",
                  GW_STR_ARG(o->authority));
}

/* The URL's facts once more on top of the origin's: whatever else an origin says holds for each of
 * its servers. */
static void settle_server(struct load *l, const struct config_origin *origin,
                          struct config_origin *server)
{
    const struct config_origin own = *server;
    *server = *origin;
    server->servers = NULL;
    server->server_count = 0;
    server->weight = own.weight;
    server->backup = own.backup;
    /* For its facts, over those of the origin. The text was taken when it was read, so nothing is
     * reported a second time; one that was refused is empty here. */
    if (own.url.len)
        form_origin_url.parse(l, NULL, own.url, server);
}

static void check_servers(struct load *l, const struct json *v, struct config_origin *o)
{
    bool primary = false;
    const struct json *item = json_first(json_get(v, "servers"));
    for (size_t i = 0; i < o->server_count; i++, item = json_next(item)) {
        primary = primary || !o->servers[i].backup;
        for (size_t k = 0; k < i; k++)
            if (o->servers[i].url.len && gw_str_eq(o->servers[k].url, o->servers[i].url))
                json_error(l->doc, item, l->diags,
                           "this server is listed twice; give it a \"weight\" instead");
    }
    if (!primary)
        json_error(l->doc, json_get(v, "servers"), l->diags,
                   "all servers are backups; at least one must not be");
}

static void settle_servers(struct load *l, struct config_origin *o)
{
    if (o->server_count == 0) {
        o->servers = gw_arena_zalloc(l->arena, sizeof(*o->servers));
        o->server_count = 1;
        o->servers[0] = *o;
        o->servers[0].weight = 1;
    } else if (o->servers[0].url.len) {
        form_origin_url.parse(l, NULL, o->servers[0].url, o);
    }
    for (size_t i = 0; i < o->server_count; i++)
        settle_server(l, o, &o->servers[i]);
}

/* Also called for a rule that names no origin: then there is nothing to be said about it. */
void check_origin(struct load *l, const struct json *v, void *target)
{
    struct config_origin *o = target;
    bool bare = v && json_type(v) == JSON_STRING;
    const struct json *url = bare ? v : json_get(v, "url");
    const struct json *servers = json_get(v, "servers");
    warn_about_verify(l, v, o);
    check_own_pair(l, v, o);
    if (v && !url && !servers)
        json_error(l->doc, v, l->diags,
                   "\"url\" is missing (scheme, host and port of the origin), or \"servers\"");
    if (url && servers)
        json_key_error(l->doc, servers, l->diags,
                       "\"url\" and \"servers\" exclude each other; list the URL as one of the "
                       "servers");
    /* Judged as written, before settle_servers makes an origin of one URL its own server and gives
     * each the others' settings. */
    if (o->server_count)
        check_servers(l, v, o);
    settle_servers(l, o);
}

void check_health(struct load *l, const struct json *v, void *target)
{
    struct config_health *health = &((struct config_origin *)target)->health;
    health->enabled = v != NULL;
    if (v && health->timeout_ms > health->interval_ms)
        json_warn(l->doc, v, l->diags,
                  "\"timeout_ms\" is longer than \"interval_ms\": a probe that hangs delays the "
                  "next one");
}

void check_origin_rule(struct load *l, const struct json *v, void *target)
{
    struct config_origin_rule *rule = target;
    rule->has_origin = json_get(v, "origin") != NULL;
    bool has_host = json_get(v, "host_header") != NULL;
    if (!rule->has_origin && !has_host)
        json_error(l->doc, v, l->diags,
                   "this rule changes nothing; give it an \"origin\" or a \"host_header\"");
    /* The origin inside has been checked, and its servers have their copies already. */
    if (rule->has_origin && has_host) {
        rule->origin.host_header = rule->host_header;
        for (size_t i = 0; i < rule->origin.server_count; i++)
            rule->origin.servers[i].host_header = rule->host_header;
    }
    if (!rule->name.len)
        rule->name = rule->expression.text;
}

/* All zones share the counters, and so does everybody who is counted: there is nothing to choose.
 */
static void check_counters_fault(struct load *l, const struct json *v,
                                 const struct config_fault *fault)
{
    static const char *const known[] = {"name", "where", "abort", NULL};
    if (fault->where != CONFIG_FAULT_COUNTERS)
        return;
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        size_t i = 0;
        while (known[i] && !gw_str_eq(gw_str_z(known[i]), json_key(m)))
            i++;
        if (!known[i])
            json_key_error(l->doc, m, l->diags,
                           "a fault of the counters takes them from everybody: it has \"abort\" "
                           "and nothing else");
    }
    if (!fault->abort)
        json_error(l->doc, v, l->diags, "a fault of the counters needs \"abort\": true");
}

/* What a fault does after its delay is one thing. */
void check_fault(struct load *l, const struct json *v, void *target)
{
    struct config_fault *fault = target;
    fault->truncates = json_get(v, "truncate_bytes") != NULL;
    fault->one_server = json_get(v, "server") != NULL;
    if (!json_get(v, "status"))
        fault->status = 0;
    unsigned ends = (unsigned)fault->abort + (unsigned)fault->truncates + (fault->status != 0);
    if (ends > 1)
        json_error(l->doc, v, l->diags,
                   "\"abort\", \"truncate_bytes\" and \"status\" exclude each other; make two "
                   "faults of them");
    if (fault->first && json_get(v, "ratio"))
        json_error(l->doc, json_get(v, "ratio"), l->diags,
                   "\"ratio\" and \"first\" exclude each other");
    if (!ends && !fault->delay_ms)
        json_error(l->doc, v, l->diags,
                   "this fault does nothing; give it \"delay_ms\", \"abort\", \"truncate_bytes\" "
                   "or \"status\"");
    if (fault->where == CONFIG_FAULT_EDGE && (fault->truncates || fault->one_server))
        json_error(l->doc, v, l->diags,
                   "\"truncate_bytes\" and \"server\" are for faults of the origin, not of the "
                   "edge");
    check_counters_fault(l, v, fault);
}

static void check_zone_of(struct load *l, const struct json *v, struct config_fault *fault,
                          struct gw_str zone)
{
    if (fault->zone.len && !gw_str_eq(fault->zone, zone))
        json_error(l->doc, json_get(v, "zone"), l->diags,
                   "a fault in a zone is that zone's; leave \"zone\" out or move it there");
    if (fault->where == CONFIG_FAULT_COUNTERS)
        json_error(l->doc, json_get(v, "where"), l->diags,
                   "the counters are no zone's; PUT /api/faults/NAME takes them away");
    fault->zone = zone;
}

void check_faults(struct load *l, struct config *config)
{
    struct gw_map seen;
    size_t count = 0;
    gw_map_init(&seen);
    const struct json *zone = json_first(json_get(json_root(l->doc), "zones"));
    for (size_t i = 0; i < config->zone_count && zone; i++, zone = json_next(zone)) {
        const struct json *v = json_first(json_get(zone, "faults"));
        for (size_t f = 0; f < config->zones[i].fault_count && v; f++, v = json_next(v)) {
            struct config_fault *fault = &config->zones[i].faults[f];
            check_zone_of(l, v, fault, config->zones[i].name);
            if (++count == CONFIG_FAULTS_MAX + 1)
                json_error(l->doc, v, l->diags, "more than %d faults in all zones together",
                           CONFIG_FAULTS_MAX);
            if (fault->name.len && gw_map_get(&seen, fault->name))
                json_error(l->doc, json_get(v, "name"), l->diags,
                           "there is a fault \"%.*s\" already; the admin API tells them apart by "
                           "their names",
                           GW_STR_ARG(fault->name));
            else if (fault->name.len)
                gw_map_put(&seen, fault->name, fault);
        }
    }
    gw_map_release(&seen);
}

bool config_fault_read(const struct json_doc *doc, const struct json *v, struct gw_arena *arena,
                       struct gw_diags *diags, struct config_fault *out)
{
    size_t before = diags->errors;
    /* verbatim: with ${file:…} whoever may set a fault could read every file and variable of the
     * process in an error message. */
    struct load l = {
        .doc = doc, .diags = diags, .arena = arena, .base = "", .plan = -1, .verbatim = true};
    *out = (struct config_fault){0};
    if (json_type(v) == JSON_OBJECT)
        load_section(&l, &schema_fault, v, out);
    else
        json_error(doc, v, diags, "a fault is an object, not %s", json_type_name(json_type(v)));
    return diags->errors == before;
}
