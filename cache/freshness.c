/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/freshness.h"

#include "gateway/http/etag.h"
#include "gateway/http/forward.h"

static bool within(uint64_t stale_from_ms, uint32_t window_s, uint64_t now_ms)
{
    return now_ms < stale_from_ms + (uint64_t)window_s * 1000;
}

enum cache_freshness cache_freshness(const struct cache_object *o,
                                     const struct cache_policy *policy, uint64_t now_ms)
{
    uint64_t stale_from = cache_object_stale_from(o);
    if (now_ms < stale_from)
        return CACHE_FRESH;
    const struct cache_settings *rule =
        cache_settings_get(policy->rules, CACHE_SETTING_SERVE_STALE);
    /* Always Online has its own idea of when stale is good enough (section 2.9, item 4). */
    bool forbidden =
        policy->zone->settings.always_online || (rule && rule->disable_stale_while_updating);
    return !forbidden && within(stale_from, o->life.swr_s, now_ms) ? CACHE_STALE_SERVE
                                                                   : CACHE_STALE_VERIFY;
}

bool cache_may_serve_stale(const struct cache_object *o, const struct cache_policy *policy,
                           enum cache_failure failure, uint64_t now_ms)
{
    /* Item 4: it helps with origins that cannot be reached, not with those that answer an error. */
    if (policy->zone->settings.always_online)
        return failure == CACHE_FAILED_TO_REACH;
    return o->life.sie_s == CACHE_SIE_UNLIMITED ||
           within(cache_object_stale_from(o), o->life.sie_s, now_ms);
}

uint64_t cache_age_s(const struct cache_object *o, uint64_t now_ms)
{
    /* A virtual clock may have been set back: no negative age. What it was on arrival counts too
     * (RFC 9111 section 4.2.3). */
    uint64_t here_s = now_ms > o->confirmed_ms ? (now_ms - o->confirmed_ms) / 1000 : 0;
    return here_s + o->age_s;
}

struct cache_validators cache_validators(const struct cache_object *o)
{
    struct cache_validators v = {.if_none_match = cache_object_text(o, o->head.etag)};
    if (!o->head.own_last_modified) /* ours is for browsers: the origin never said it */
        v.if_modified_since = cache_object_text(o, o->head.last_modified);
    return v;
}

bool cache_304_fits(const struct cache_object *o, const struct headers *fresh)
{
    const struct gw_str *tag = headers_get(fresh, HEADER_ETAG);
    struct gw_str stored = cache_object_text(o, o->head.etag);
    return !tag || !etag_valid(*tag) || !stored.len || etag_weak_eq(*tag, stored);
}

/* RFC 9111 section 3.2: a 304 renews all fields, but not those that say how the stored bytes are to
 * be read: they came with those bytes. Age is counted here; a cookie is for one visitor and would
 * keep the object from being renewed (section 2.4). */
static const enum header_id not_renewed[] = {HEADER_CONTENT_LENGTH, HEADER_CONTENT_ENCODING,
                                             HEADER_CONTENT_RANGE, HEADER_AGE, HEADER_SET_COOKIE};

/* A 304 and what its Connection field takes out of it. */
struct renewal {
    const struct headers *fresh;
    struct forward forward;
};

static bool may_renew(const struct renewal *r, const struct header *field)
{
    for (size_t i = 0; i < GW_COUNT(not_renewed); i++)
        if (not_renewed[i] == field->id)
            return false;
    if (field->id == HEADER_ETAG && !etag_valid(field->value))
        return false; /* it would be removed (section 2.10), and the stored one with it */
    return !forward_is_hop_by_hop(&r->forward, field);
}

static bool is_renewed(const struct renewal *r, const struct header *stored)
{
    const struct gw_str *value = headers_find(r->fresh, stored->name);
    return value && may_renew(r, &(struct header){stored->name, *value, stored->id});
}

static bool copy_kept(const struct headers *from, const struct renewal *r, struct headers *out)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct header *field = &from->items[i];
        if (!is_renewed(r, field) && !headers_add(out, field->name, field->value))
            return false;
    }
    return true;
}

/* Fields that are stored but not sent, so that they decide again. */
static bool add_hidden(const struct cache_object *o, const struct renewal *r, struct headers *out)
{
    const struct header hidden[] = {
        {header_name(HEADER_CLOUDFLARE_CDN_CACHE_CONTROL),
         cache_object_text(o, o->head.edge_control), HEADER_CLOUDFLARE_CDN_CACHE_CONTROL},
        {header_name(HEADER_CACHE_TAG), cache_object_text(o, o->head.tags), HEADER_CACHE_TAG},
        {header_name(HEADER_SERVER), cache_object_text(o, o->head.server), HEADER_SERVER},
    };
    for (size_t i = 0; i < GW_COUNT(hidden); i++)
        if (hidden[i].value.len && !is_renewed(r, &hidden[i]) &&
            !headers_add_id(out, hidden[i].id, hidden[i].value))
            return false;
    return true;
}

bool cache_merge_304(const struct cache_object *o, const struct headers *fresh, struct headers *out)
{
    struct headers stored;
    struct renewal r = {.fresh = fresh};
    headers_init(&stored, out->arena, out->max);
    forward_prepare(&r.forward, fresh);
    if (!cache_object_fields(o, &stored) || !copy_kept(&stored, &r, out) || !add_hidden(o, &r, out))
        return false;
    for (size_t i = 0; i < fresh->count; i++) {
        const struct header *field = &fresh->items[i];
        if (may_renew(&r, field) && !headers_add(out, field->name, field->value))
            return false;
    }
    return true;
}
