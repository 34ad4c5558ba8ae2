/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/eligibility.h"
#include "cache/freshness.h"
#include "cache/key.h"
#include "cache/variant.h"
#include "gateway/exchange_cache.h"
#include "gateway/fetch.h"
#include "gateway/server.h"

#define ATTEMPTS_MAX                                                                               \
    4 /* leaders that die or answer only for themselves; then everybody asks alone */

static enum step_result pass(struct exchange *x, enum cache_status status)
{
    x->cache.status = status;
    x->step = STEP_PASS;
    return STEP_MORE;
}

/* "/path?query" as one text, which is kept with the object for purges. */
static bool find_target(struct exchange *x, struct gw_str *out)
{
    *out = x->path;
    if (!x->query.len)
        return true;
    size_t len = x->path.len + 1 + x->query.len;
    char *target = gw_arena_alloc(&x->arena, len);
    if (!target)
        return false;
    memcpy(target, x->path.ptr, x->path.len);
    target[x->path.len] = '?';
    memcpy(target + x->path.len + 1, x->query.ptr, x->query.len);
    *out = gw_str(target, len);
    return true;
}

/* False for a key too long to be told apart from others: then nothing is cached. */
static bool find_place(struct exchange *x)
{
    struct gw_buf *key = &x->worker->key;
    gw_buf_clear(key);
    cache_key_build(&x->cache_request, &x->cache_policy, key);
    x->cache.place = (struct cache_place){.hash = cache_key_hash(key),
                                          .space = x->zone->spaces[x->edge],
                                          .host = x->request.host.name};
    return find_target(x, &x->cache.place.target) && !key->overflow &&
           cache_variant_locate(&x->cache_policy, &x->cache_request, &x->cache.place);
}

static enum step_result deliver(struct exchange *x, enum cache_status status)
{
    x->cache.status = status;
    x->cache.whole = true;
    x->step = STEP_DELIVER;
    return STEP_MORE;
}

/* We fetch. A stale object inside its stale-while-revalidate window answers at once (section 2.9).
 * The fetch has a reference on the fill of its own before ours is dropped. */
static enum step_result lead(struct exchange *x)
{
    bool serve_stale = x->cache.object && cache_freshness(x->cache.object, &x->cache_policy,
                                                          x->now.wall_ms) == CACHE_STALE_SERVE;
    fetch_start(x, serve_stale);
    if (serve_stale) {
        exchange_cache_leave_fill(x);
        return deliver(x, CACHE_STATUS_UPDATING);
    }
    if (!cache_reader_open(&x->cache.reader, x->cache.fill))
        x->cache.reader = (struct cache_reader){0};
    x->step = STEP_FETCH;
    return STEP_MORE;
}

/* Somebody else fetches. */
static enum step_result join(struct exchange *x)
{
    if (x->cache.object &&
        cache_freshness(x->cache.object, &x->cache_policy, x->now.wall_ms) == CACHE_STALE_SERVE) {
        exchange_cache_leave_fill(x);
        return deliver(x, CACHE_STATUS_UPDATING);
    }
    if (!cache_reader_open(&x->cache.reader, x->cache.fill)) {
        exchange_cache_release(x); /* its start is gone already */
        return pass(x, CACHE_STATUS_MISS);
    }
    /* What those who wait are told is not documented; HIT is section 2.15's choice. */
    x->cache.status = CACHE_STATUS_HIT;
    x->step = STEP_FETCH;
    return STEP_MORE;
}

enum step_result step_lookup(struct exchange *x)
{
    /* Most requests of an app are not eligible: that is known before a key is built. */
    exchange_cache_facts(x);
    struct cache_eligibility eligibility = cache_eligible(&x->cache_request, &x->cache_policy);
    x->cache.reason = eligibility.reason;
    if (!eligibility.eligible)
        return pass(x, CACHE_STATUS_DYNAMIC);
    /* On a second way round the first fill turned out not to be for us: nothing of it is of use. */
    exchange_cache_release(x);
    if (x->cache.attempts++ >= ATTEMPTS_MAX || !find_place(x))
        return pass(x, CACHE_STATUS_BYPASS);

    struct cache_lookup found = {0};
    enum cache_found kind =
        cache_store_begin(x->worker->server->cache, &x->cache.place, x->now.wall_ms, &found);
    x->cache.object = found.object;
    x->cache.fill = found.fill;
    switch (kind) {
    case CACHE_HIT:
        return deliver(x, CACHE_STATUS_HIT);
    case CACHE_LEADER:
        return lead(x);
    case CACHE_JOIN:
        return join(x);
    }
    return STEP_DONE;
}
