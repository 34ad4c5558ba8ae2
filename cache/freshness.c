/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/freshness.h"

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
    bool forbidden =
        policy->zone->settings.always_online || (rule && rule->disable_stale_while_updating);
    return !forbidden && within(stale_from, o->life.swr_s, now_ms) ? CACHE_STALE_SERVE
                                                                   : CACHE_STALE_VERIFY;
}

bool cache_may_serve_stale(const struct cache_object *o, const struct cache_policy *policy,
                           enum cache_failure failure, uint64_t now_ms)
{
    if (policy->zone->settings.always_online)
        return failure == CACHE_FAILED_TO_REACH;
    return o->life.sie_s == CACHE_SIE_UNLIMITED ||
           within(cache_object_stale_from(o), o->life.sie_s, now_ms);
}

uint64_t cache_age_s(const struct cache_object *o, uint64_t now_ms)
{
    return now_ms > o->confirmed_ms ? (now_ms - o->confirmed_ms) / 1000 : 0;
}

struct cache_validators cache_validators(const struct cache_object *o)
{
    struct cache_validators v = {.if_none_match = cache_object_text(o, o->head.etag)};
    if (!o->head.own_last_modified)
        v.if_modified_since = cache_object_text(o, o->head.last_modified);
    return v;
}

/* Fields that a 304 renews (section 2.9). Date too: browsers reckon age from it, and one that stood
 * still while Age starts anew would make a confirmed object look old. */
static const enum header_id renewed[] = {
    HEADER_CACHE_CONTROL,     HEADER_EXPIRES, HEADER_CACHE_TAG, HEADER_CLOUDFLARE_CDN_CACHE_CONTROL,
    HEADER_CDN_CACHE_CONTROL, HEADER_ETAG,    HEADER_DATE};

static bool is_renewed(enum header_id id, const struct headers *fresh)
{
    for (size_t i = 0; i < GW_COUNT(renewed); i++)
        if (renewed[i] == id)
            return headers_has(fresh, id);
    return false;
}

static bool copy_kept(const struct headers *from, const struct headers *fresh, struct headers *out)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct header *field = &from->items[i];
        if (!is_renewed(field->id, fresh) && !headers_add(out, field->name, field->value))
            return false;
    }
    return true;
}

/* Fields that are stored but not sent, so that they decide again. */
static bool add_hidden(const struct cache_object *o, const struct headers *fresh,
                       struct headers *out)
{
    const struct {
        enum header_id id;
        struct gw_str value;
    } hidden[] = {
        {HEADER_CLOUDFLARE_CDN_CACHE_CONTROL, cache_object_text(o, o->head.edge_control)},
        {HEADER_CACHE_TAG, cache_object_text(o, o->head.tags)},
        {HEADER_SERVER, cache_object_text(o, o->head.server)},
    };
    for (size_t i = 0; i < GW_COUNT(hidden); i++)
        if (hidden[i].value.len && !is_renewed(hidden[i].id, fresh) &&
            !headers_add_id(out, hidden[i].id, hidden[i].value))
            return false;
    return true;
}

bool cache_merge_304(const struct cache_object *o, const struct headers *fresh, struct headers *out)
{
    struct headers stored;
    headers_init(&stored, out->arena, out->max);
    if (!cache_object_fields(o, &stored) || !copy_kept(&stored, fresh, out) ||
        !add_hidden(o, fresh, out))
        return false;
    for (size_t i = 0; i < fresh->count; i++) {
        const struct header *field = &fresh->items[i];
        if (is_renewed(field->id, fresh) && !headers_add(out, field->name, field->value))
            return false;
    }
    return true;
}
