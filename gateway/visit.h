/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A visitor's request as rules, cache and limiter look at it: the one place where their facts are
 * made. The steps, purging by URL and `explain` fill a visit and ask here, so that what explain
 * says and what the edge does cannot differ.
 *
 * The three views are inline and a visit is made on the stack for each: of its members only those
 * that the view asks for are ever read, nothing is copied twice. Pure but for the arena. Owns:
 * nothing, every slice outlives the visit. Thread: any. Time: the caller's instant. */
#include "cache/request.h"
#include "config/rules/request.h"
#include "gateway/http/h1_parse.h"
#include "gateway/snapshot.h"
#include "limiter/app_check.h"
#include "limiter/key.h"

struct visit {
    const struct snapshot_zone *zone;
    const struct config_edge *edge;
    const struct h1_message *request;
    struct gw_str path, query;        /* normalised */
    struct gw_str country, continent; /* the edge's, unless the caller plays another one */
    struct gw_ip ip;                  /* family GW_IP_NONE: nobody in particular */
    struct gw_str ip_text;
    struct gw_str ray_id;
    const struct config_origin *origin; /* where it goes; NULL: the zone's own */
    bool https;
    struct rules_tls tls;
    uint16_t port;
    uint64_t wall_ms, date_ms; /* base/clock.h */
};

/* What expressions may ask about. Facts that an edge on one machine cannot know come from its
 * configuration (country, network). */
static inline void visit_rules(const struct visit *v, struct gw_arena *scratch,
                               struct rules_request *facts)
{
    rules_request_init(facts, scratch);
    facts->method = v->request->method;
    facts->version = h1_version_name(v->request);
    facts->host = v->request->host.name;
    facts->path = v->path;
    facts->query = v->query;
    facts->raw_path = v->request->url.path;
    facts->raw_query = v->request->url.query;
    facts->https = v->https;
    facts->tls = v->tls;
    facts->headers = &v->request->headers;
    facts->client_ip = v->ip;
    facts->country = v->country;
    facts->continent = v->continent;
    facts->asnum = v->edge->asnum;
    facts->edge_port = v->port;
    facts->wall_ms = v->date_ms;
    facts->ray_id = v->ray_id;
    facts->zone_name = v->zone->config->name;
}

/* Whether the visitor is sent to https instead of being served (https_redirect.h). */
static inline bool visit_needs_https(const struct config_zone *zone, bool https)
{
    return zone->settings.always_use_https && !https;
}

/* How Cloudflare speaks to an origin whose URL leaves the scheme open: by TLS to who came by TLS,
 * in the modes full and strict (spec/cache-behaviour.md section 2.14). */
static inline bool visit_origin_https(const struct config_zone *zone, bool https)
{
    return https && zone->settings.ssl >= CONFIG_SSL_FULL;
}

static inline struct cache_request visit_cache(const struct visit *v)
{
    const struct config_zone *zone = v->zone->config;
    return (struct cache_request){
        .method = v->request->method_id,
        .edge = v->edge->name,
        .host = v->request->host.name,
        .resolved_host = v->origin ? v->origin->host : zone->origin.host,
        .path = v->path,
        .query = v->query,
        .country = v->country,
        .port = v->port,
        .origin_https = visit_origin_https(zone, v->https),
        .upgrade = v->request->upgrade,
        .headers = &v->request->headers,
    };
}

static inline struct cache_policy visit_policy(const struct visit *v,
                                               const struct cache_settings_merged *rules)
{
    return (struct cache_policy){.zone = snapshot_zone_config(v->zone, v->wall_ms),
                                 .rules = rules,
                                 .object_max = v->zone->object_max};
}

/* Who a limiter counts. */
struct limiter_subject visit_subject(const struct visit *v);

/* What the app itself refuses of a zone with "mirror_checks": behind the limiter (`is_decided`)
 * what the redirecting wrapper checks there, in front of it the rest; the framework's check of
 * forms comes before either. */
enum app_check visit_app_check(const struct visit *v, const struct limiter_route *route,
                               bool is_decided, struct gw_arena *arena);
/* Who asks: the peer, unless the configuration trusts it to speak for others; *trusted says. */
struct gw_ip visit_client(const struct config *config, const struct headers *headers,
                          const struct gw_ip *peer, bool *trusted);
/* Where: a trusted peer may play a visitor of another place (design/interface.md section 4). Both
 * are changed only if it does; the isolate is brought into the edge's range in any case. */
void visit_place(const struct snapshot *s, const struct headers *headers, bool trusted,
                 size_t *edge, uint32_t *isolate);
/* Whose host it is. 0 and the zone, or the status that refuses the request; the zone is set as soon
 * as it is known. */
unsigned visit_zone(const struct snapshot *s, const struct h1_message *request,
                    const struct snapshot_zone **zone);
/* The normal form that rules and cache key see (spec/cache-behaviour.md section 2.14). False when
 * the arena is full. */
GW_MUST bool visit_normalise(const struct config_zone *zone, const struct url *url,
                             struct gw_arena *arena, struct gw_str *path, struct gw_str *query);
