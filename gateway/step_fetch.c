/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/freshness.h"
#include "cache/variant.h"
#include "gateway/exchange_cache.h"
#include "gateway/reply.h"

/* Nothing has been sent yet, so the request may begin anew: as a leader, a reader of another fill,
 * or alone. LOOKUP counts how often. */
static enum step_result again(struct exchange *x)
{
    exchange_cache_leave_fill(x);
    x->step = STEP_LOOKUP;
    return STEP_MORE;
}

static enum step_result deliver(struct exchange *x)
{
    x->step = STEP_DELIVER;
    return STEP_MORE;
}

/* What the fill's 304 or failed refresh left: a whole object. */
static enum step_result deliver_confirmed(struct exchange *x)
{
    if (cache_fill_error(x->cache.fill))
        x->cache.status = CACHE_STATUS_STALE;
    exchange_cache_take_whole(x);
    return deliver(x);
}

static enum step_result fail(struct exchange *x)
{
    /* The clock is read anew: the origin may have taken its whole timeout to fail, and a stale
     * object's window may have ended meanwhile. */
    int err = cache_fill_error(x->cache.fill);
    bool stale = x->cache.object &&
                 cache_may_serve_stale(x->cache.object, &x->cache_policy, CACHE_FAILED_TO_REACH,
                                       gw_loop_now(x->worker->loop).wall_ms);
    exchange_cache_leave_fill(x);
    if (stale) {
        x->cache.status = CACHE_STATUS_STALE;
        x->cache.whole = true;
        return deliver(x);
    }
    x->cache.status = CACHE_STATUS_NONE;
    reply_origin_error(x, err);
    return STEP_MORE;
}

/* Whether the answer under way is the one for this request: once its head is there it may turn out
 * to vary, and to be another visitor's variant. */
static bool is_ours(struct exchange *x)
{
    const struct cache_object *o = cache_fill_object(x->cache.fill);
    struct cache_place *place = &x->cache.place;
    if (gw_likely(o->entry.hash.lo == place->hash.lo && o->entry.hash.hi == place->hash.hi))
        return true;
    return cache_variant_locate(&x->cache_policy, &x->cache_request, place) &&
           o->entry.hash.lo == place->hash.lo && o->entry.hash.hi == place->hash.hi;
}

/* Waits for the answer's head, led by us or by somebody else. An answer that may not be stored
 * comes to its leader through step_pass_adopt instead. */
enum step_result step_fetch(struct exchange *x)
{
    for (;;) {
        switch (cache_fill_state(x->cache.fill, &x->cache.version)) {
        case CACHE_FILL_WAITING:
            if (exchange_cache_wait(x))
                return STEP_WAIT;
            continue;
        case CACHE_FILL_STREAMING:
        case CACHE_FILL_COMPLETE:
            /* Without a reader the start of the body is gone already: it is not being stored and
             * others were faster. */
            return x->cache.reader.fill && is_ours(x) ? deliver(x) : again(x);
        case CACHE_FILL_REFRESHED:
            return deliver_confirmed(x);
        case CACHE_FILL_PASS:
        case CACHE_FILL_RETRY:
            return again(x);
        case CACHE_FILL_FAILED:
            return fail(x);
        }
    }
}
