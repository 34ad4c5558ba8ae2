/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/explain.h"

#include "cache/freshness.h"
#include "cache/key.h"
#include "cache/store.h"
#include "cache/variant.h"
#include "config/countries.h"
#include "gateway/explain_inside.h"

/* Never reached, so that nobody asks for NULL: parts are counted (explain_rules.h), a question fits
 * a body of the admin, and the rest is of the configuration's size. */
#define ARENA_MAX ((size_t)64 << 20)

static const struct gw_ip loopback = {GW_IP_V4, {127, 0, 0, 1}};

/* ---- who, where, whose ---- */

static void find_client(struct explain *e, const struct explain_question *q)
{
    char text[GW_IP_TEXT_MAX];
    e->peer = q->ip.family == GW_IP_NONE ? loopback : q->ip;
    e->visit.ip = visit_client(e->snapshot->config, &e->request.headers, &e->peer, &e->trusted);
    size_t len = gw_ip_format(&e->visit.ip, text);
    e->visit.ip_text = gw_arena_dup(&e->arena, gw_str(text, len));
}

static void find_tls(struct explain *e, const struct explain_question *q)
{
    e->visit.tls = (struct rules_tls){gw_arena_dup(&e->arena, q->tls.version),
                                      gw_arena_dup(&e->arena, q->tls.cipher)};
}

static bool find_place(struct explain *e, const struct explain_question *q, char *error)
{
    e->edge = e->snapshot->config->listen[0].edge;
    if (q->edge.len) {
        e->edge = snapshot_edge_of(e->snapshot, q->edge);
        if (e->edge == GW_NPOS) {
            snprintf(error, EXPLAIN_ERROR_MAX, "there is no edge \"%.*s\"",
                     (int)gw_min_size(q->edge.len, 64), q->edge.ptr);
            return false;
        }
    }
    visit_place(e->snapshot, &e->request.headers, e->trusted, &e->edge, &e->isolate);
    const struct config_edge *edge = e->snapshot->edges[e->edge].config;
    e->visit.edge = edge;
    e->visit.country = q->country.len ? gw_arena_dup(&e->arena, q->country) : edge->country;
    e->visit.continent = edge->continent;
    if (q->country.len) {
        const char *continent = country_continent(q->country);
        if (!continent) {
            snprintf(error, EXPLAIN_ERROR_MAX,
                     "there is no country \"%.*s\"; write two letters, as DE",
                     (int)gw_min_size(q->country.len, 64), q->country.ptr);
            return false;
        }
        e->visit.continent = gw_str_z(continent);
    }
    return true;
}

static void refuse(struct explain *e, unsigned status, const char *why)
{
    e->refused = status;
    e->refusal = why;
    e->visit.zone = NULL;
}

/* False: the request ends here. */
static bool find_zone(struct explain *e)
{
    unsigned refused = visit_zone(e->snapshot, &e->request, &e->visit.zone);
    if (refused)
        refuse(e, refused,
               refused == 404   ? "no zone has this host"
               : refused == 405 ? "this method is not served"
                                : "CDN-Loop: the request comes back from the origin");
    else if (visit_needs_https(e->visit.zone->config, e->visit.https))
        refuse(e, 301, "always_use_https sends the visitor to https://");
    else if (!visit_normalise(e->visit.zone->config, &e->request.url, &e->arena, &e->visit.path,
                              &e->visit.query))
        refuse(e, 414, "the URL is too long");
    return !e->refused;
}

/* ---- limiter ---- */

/* Twice, as the step does: before the limiter, and behind it for routes whose wrapper counts first
 * (spec/limiter.md a3). */
static void find_check(struct explain *e)
{
    const struct limiter_route *route = e->limit.route;
    e->check = visit_app_check(&e->visit, route, false, &e->arena);
    if (e->check != APP_CHECK_PASSES || !route->limiter)
        return;
    e->check = visit_app_check(&e->visit, route, true, &e->arena);
    e->check_behind_limiter = e->check != APP_CHECK_PASSES;
}

static void find_limiter(struct explain *e)
{
    struct explain_limit *limit = &e->limit;
    const struct limiter_policy *policy = e->visit.zone->limiters;
    if (policy)
        limit->route = limiter_policy_match(policy, e->request.method_id, e->visit.path);
    if (!limit->route)
        return;
    find_check(e);
    limit->limiter = limit->route->limiter;
    if (!limit->limiter)
        return;
    char space[LIMITER_KEY_MAX];
    const struct limiter_subject who = visit_subject(&e->visit);
    limit->key = gw_arena_dup(&e->arena, limiter_key_render(limit->limiter->key, &who, space));
}

void explain_set_count(struct explain *e, uint64_t count, uint64_t reset_at_ms)
{
    e->limit.counted = true;
    e->limit.count = count;
    e->limit.reset_at_ms = reset_at_ms;
}

bool explain_is_limited(const struct explain *e)
{
    const struct limiter *limiter = e->limit.limiter;
    if (!limiter || !e->limit.counted || limiter->mode != LIMITER_ENFORCE)
        return false;
    const struct window window = {.count = (uint32_t)gw_min_u64(e->limit.count, UINT32_MAX),
                                  .reset_at_ms = e->limit.reset_at_ms};
    return window_is_full(&window, limiter->rule.limit, e->visit.date_ms);
}

/* ---- cache ---- */

static void look_up(struct explain *e, struct cache_store *store)
{
    struct cache_place place = {.hash = cache_key_hash(&e->key),
                                .space = e->visit.zone->spaces[e->edge],
                                .host = e->request.host.name};
    bool told_apart = cache_variant_locate(&e->cache_policy, &e->cache_request, &place);
    struct cache_object *o = told_apart ? cache_store_peek(store, &place) : NULL;
    e->lookup.found = EXPLAIN_ABSENT;
    if (!o)
        return;
    uint64_t now_ms = e->visit.wall_ms;
    enum cache_freshness freshness = cache_freshness(o, &e->cache_policy, now_ms);
    e->lookup = (struct explain_lookup){
        .found = freshness == CACHE_FRESH ? EXPLAIN_FRESH : EXPLAIN_STALE,
        .serve_stale = freshness == CACHE_STALE_SERVE,
        .status = o->status,
        .fresh_ms = freshness == CACHE_FRESH ? cache_object_stale_from(o) - 1 - now_ms : 0,
        .age_s = cache_age_s(o, now_ms),
    };
    cache_object_unref(o);
}

static void find_object(struct explain *e, struct cache_store *store)
{
    e->cache_request = visit_cache(&e->visit);
    e->cache_policy = visit_policy(&e->visit, &e->rules.settings);
    e->eligibility = cache_eligible(&e->cache_request, &e->cache_policy);
    cache_key_build(&e->cache_request, &e->cache_policy, &e->key);
    if (store && e->eligibility.eligible && !e->key.overflow)
        look_up(e, store);
}

/* ---- life ---- */

/* The way of steps.h without its effects: nothing is counted, fetched or kept, and where a step
 * would refuse the request, what lies behind it stays empty. */
struct explain *explain_new(const struct snapshot *s, const struct explain_question *q,
                            char error[EXPLAIN_ERROR_MAX])
{
    struct explain *e = gw_zalloc(sizeof(*e));
    gw_arena_init(&e->arena, NULL, 0, ARENA_MAX);
    gw_buf_init(&e->key, CACHE_KEY_MAX);
    e->snapshot = s;
    e->rate = q->rate;
    e->veil = q->veil;
    e->visit.request = &e->request;
    e->visit.wall_ms = q->now_ms;
    e->visit.date_ms = q->date_ms;
    if (!explain_read_request(e, q, error)) {
        explain_free(e);
        return NULL;
    }
    find_client(e, q);
    find_tls(e, q);
    if (!find_place(e, q, error)) {
        explain_free(e);
        return NULL;
    }
    if (!e->refused && find_zone(e)) {
        explain_run_rules(e);
        e->destination = destination_of_visit(s, &e->visit, &e->arena);
        e->visit.origin = e->destination.origin->config;
        find_limiter(e);
        find_object(e, q->store);
    }
    return e;
}

void explain_free(struct explain *e)
{
    if (!e)
        return;
    explain_release_rules(e);
    gw_buf_release(&e->key);
    gw_arena_clear(&e->arena);
    free(e);
}
