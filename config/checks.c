/* SPDX-License-Identifier: Apache-2.0 */
/* Relations between the keys of one section, and values that follow from others. */
#include <inttypes.h>

#include "config/countries.h"
#include "config/load.h"
#include "gateway/base/hash.h"

/* A pair of files, or the local authority: one of the two. */
void check_certificate(struct load *l, const struct json *v, void *target)
{
    const struct config_certificate *c = target;
    bool files = c->certificate.ptr || c->key.ptr;
    if (c->local_ca && files)
        json_error(l->doc, v, l->diags,
                   "\"local_ca\" makes the certificate itself; remove \"certificate\" and \"key\", "
                   "or \"local_ca\"");
    else if (!c->local_ca && (!c->certificate.ptr || !c->key.ptr))
        json_error(l->doc, v, l->diags,
                   "\"%s\" is missing; a listener needs \"certificate\" and \"key\", or "
                   "\"local_ca\": true",
                   c->certificate.ptr ? "key" : "certificate");
}

void check_listen(struct load *l, const struct json *v, void *target)
{
    struct config_listen *listen = target;
    const struct json *scheme = json_get(v, "visitor_scheme");
    if (listen->tls_count && scheme && !listen->visitor_https)
        json_error(l->doc, scheme, l->diags,
                   "visitors of a listener with \"tls\" come by https; remove this");
    if (listen->tls_count && listen->h2c)
        json_error(l->doc, json_get(v, "h2c"), l->diags,
                   "\"h2c\" is HTTP/2 without TLS, and this listener has \"tls\"; remove one");
    listen->visitor_https |= listen->tls_count > 0;
    if (listen->visitor_port == 0)
        listen->visitor_port = listen->visitor_https ? 443 : 80;
}

/* Whoever reaches the admin listener can change what visitors get: beyond this machine a token is
 * not a choice. A Unix socket is guarded by the permissions of its folder. */
void check_admin(struct load *l, const struct json *v, void *target)
{
    struct config_admin *admin = target;
    if (!v) /* no listener unless the file asks for one */
        return;
    admin->enabled = true;
    bool local = admin->address.unix_path.ptr || gw_ip_is_loopback(&admin->address.ip);
    if (!local && !admin->token.ptr)
        json_error(l->doc, v, l->diags,
                   "the admin listener on %.*s can be reached from other machines and needs a "
                   "\"token\"; or use 127.0.0.1 or a Unix socket",
                   GW_STR_ARG(admin->address.text));
    else if (!local && !admin->tls_count)
        json_warn(l->doc, v, l->diags,
                  "the token of the admin listener on %.*s travels in clear text; add \"tls\", or "
                  "use 127.0.0.1 or a Unix socket",
                  GW_STR_ARG(admin->address.text));
    if (!admin->api_email.ptr != !admin->api_key.ptr)
        json_error(l->doc, v, l->diags,
                   "\"api_email\" and \"api_key\" are used together; add \"%s\"",
                   admin->api_email.ptr ? "api_key" : "api_email");
}

/* ip.src.continent must not contradict ip.src.country unless the file says so. */
void check_edge(struct load *l, const struct json *v, void *target)
{
    (void)l;
    struct config_edge *edge = target;
    if (!json_get(v, "continent"))
        edge->continent = gw_str_z(country_continent(edge->country));
}

/* spec/api-v4.md section 5: Cloudflare takes these values only. */
static const uint32_t browser_ttls[] = {
    0,      30,     60,      120,     300,     1200,    1800,     3600,     7200,   10800,
    14400,  18000,  28800,   43200,   57600,   72000,   86400,    172800,   259200, 345600,
    432000, 691200, 1382400, 2073600, 2678400, 5356800, 16070400, 31536000,
};

bool config_browser_ttl_is_known(uint32_t seconds)
{
    for (size_t i = 0; i < GW_COUNT(browser_ttls); i++)
        if (browser_ttls[i] == seconds)
            return true;
    return false;
}

void check_settings(struct load *l, const struct json *v, void *target)
{
    uint32_t seconds = ((const struct config_settings *)target)->browser_cache_ttl;
    size_t i = 0;
    while (seconds > browser_ttls[i]) /* the table of keys ends the range at the last entry */
        i++;
    if (seconds != browser_ttls[i])
        json_error(l->doc, json_get(v, "browser_cache_ttl"), l->diags,
                   "Cloudflare takes no browser_cache_ttl of %" PRIu32
                   " seconds; the nearest are %" PRIu32 " and %" PRIu32,
                   seconds, browser_ttls[i - 1], browser_ttls[i]);
}

/* A fixed hash: the same name has the same id in every run and on every machine, so that scripts
 * and saved API answers stay valid. */
static struct gw_str derive_id(struct gw_arena *arena, struct gw_str name)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t halves[] = {gw_siphash(name, 0x6e656172, 1), gw_siphash(name, 0x65646765, 2)};
    char id[32];
    for (size_t i = 0; i < sizeof(id); i++)
        id[i] = digits[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
    return gw_arena_dup(arena, gw_str(id, sizeof(id)));
}

/* Origin Cache Control is on and fixed below Enterprise, and off by default there
 * (spec/cache-behaviour.md section 1). */
static void settle_origin_cache_control(struct load *l, const struct json *v,
                                        struct config_zone *zone)
{
    bool *setting = &zone->settings.origin_cache_control;
    const struct json *given = json_get(json_get(v, "settings"), "origin_cache_control");
    bool enterprise = zone->plan == CONFIG_PLAN_ENTERPRISE;
    if (!given)
        *setting = !enterprise;
    else if (!enterprise && !*setting)
        json_error(l->doc, given, l->diags,
                   "\"origin_cache_control\" can be off only on the enterprise plan; this zone has "
                   "the %s plan",
                   config_plan_names[zone->plan]);
}

/* A zone that lists no hosts answers for its own name, as a new zone at Cloudflare does. */
static void settle_hosts(struct load *l, struct config_zone *zone)
{
    if (zone->host_count == 0 && zone->name.len) {
        zone->hosts = gw_arena_alloc(l->arena, sizeof(*zone->hosts));
        zone->hosts[0] = zone->name;
        zone->host_count = 1;
    }
    for (size_t i = 0; i < zone->host_count; i++)
        zone->any_host |= gw_str_eq(zone->hosts[i], GW_STR("*"));
}

void check_zone(struct load *l, const struct json *v, void *target)
{
    struct config_zone *zone = target;
    if (gw_str_eq(zone->name, GW_STR("*"))) {
        json_error(l->doc, json_get(v, "name"), l->diags,
                   "a zone's name is a domain; \"*\" belongs into its \"hosts\"");
        return;
    }
    if (l->plan >= 0)
        zone->plan = (enum config_plan)l->plan;
    if (!zone->id.len && zone->name.len)
        zone->id = derive_id(l->arena, zone->name);
    settle_origin_cache_control(l, v, zone);
    settle_hosts(l, zone);
}
