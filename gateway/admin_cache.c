/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache holds: totals, totals by zone and edge, and a list of objects for a person who
 * wonders why something is a HIT. The list is bounded: it is a look, not an export. */
#include <stdatomic.h>

#include "cache/purge.h"
#include "cache/tags.h"
#include "gateway/admin_route.h"
#include "gateway/base/json_out.h"
#include "gateway/exchange.h"
#include "gateway/http/date.h"
#include "gateway/server.h"

#define LIST_DEFAULT 100
#define LIST_MAX     1000

/* ---- GET /api/cache/stats ---- */

static void add_space(struct gw_buf *out, const struct snapshot_zone *zone,
                      const struct snapshot_edge *edge, const struct cache_space *space)
{
    struct cache_stats stats = {0};
    cache_space_stats(space, &stats);
    gw_json_object(out, NULL);
    gw_json_text(out, "zone", zone->config->name);
    gw_json_text(out, "edge", edge->config->name);
    gw_json_u64(out, "objects", stats.objects);
    gw_json_u64(out, "bytes", stats.bytes);
    gw_buf_char(out, '}');
}

enum admin_result admin_cache_stats(struct admin_call *call)
{
    const struct snapshot *s = admin_snapshot(call);
    struct gw_buf *out = &call->out;
    struct cache_stats stats;
    cache_store_stats(call->server->cache, &stats);
    gw_json_object(out, NULL);
    gw_json_u64(out, "objects", stats.objects);
    gw_json_u64(out, "bytes", stats.bytes);
    gw_json_u64(out, "memory", stats.memory);
    gw_json_u64(out, "max_size", s->config->cache.max_size);
    gw_json_u64(out, "lookups", stats.lookups);
    gw_json_u64(out, "hits", stats.hits);
    gw_json_u64(out, "joins", stats.joins);
    gw_json_u64(out, "inserted", stats.inserted);
    gw_json_u64(out, "evicted", stats.evicted);
    gw_json_u64(out, "purged", stats.purged);
    gw_json_list(out, "spaces");
    for (size_t zone = 0; zone < s->zone_count; zone++)
        for (size_t edge = 0; edge < s->edge_count; edge++)
            add_space(out, &s->zones[zone], &s->edges[edge], s->zones[zone].spaces[edge]);
    gw_buf_add(out, GW_STR("]}\n"));
    return ADMIN_DONE;
}

/* ---- GET /api/cache/objects ---- */

static struct gw_str zone_name(const struct snapshot *s, struct gw_str id)
{
    const struct snapshot_zone *zone = snapshot_zone_with_id(s, id);
    return zone ? zone->config->name : id; /* a reload took it away */
}

static void add_time(struct gw_buf *out, const char *name, uint64_t ms)
{
    char iso[DATE_ISO_LEN];
    date_format_iso((int64_t)ms, iso);
    gw_json_text(out, name, gw_str(iso, sizeof(iso)));
}

static void add_tags(struct gw_buf *out, struct gw_str tags)
{
    struct gw_str tag;
    gw_json_list(out, "tags");
    while (cache_tag_next(&tags, &tag))
        gw_json_text(out, NULL, tag);
    gw_buf_char(out, ']');
}

/* What a person compares with the headers they got; the body stays where it is. */
static void add_object(struct gw_buf *out, const struct snapshot *s, const struct cache_object *o,
                       struct gw_time now)
{
    uint64_t stale_from_ms = atomic_load(&((struct cache_object *)o)->stale_from_ms);
    gw_json_object(out, NULL);
    gw_json_text(out, "host", cache_object_text(o, o->host));
    gw_json_text(out, "target", cache_object_text(o, o->target));
    gw_json_text(out, "zone", zone_name(s, cache_space_zone(o->space)));
    gw_json_text(out, "edge", cache_space_edge(o->space));
    gw_json_u64(out, "status", o->status);
    gw_json_bool(out, "fresh", stale_from_ms > now.wall_ms);
    add_time(out, "stored", gw_time_date(now, o->stored_ms));
    add_time(out, "stale_from", gw_time_date(now, stale_from_ms));
    if (o->length_known)
        gw_json_u64(out, "length", o->body_len);
    gw_json_text(out, "content_type", cache_object_text(o, o->head.content_type));
    gw_json_text(out, "etag", cache_object_text(o, o->head.etag));
    add_tags(out, cache_object_text(o, o->head.tags));
    gw_buf_char(out, '}');
}

/* "/path", "host", "host/path", also with a scheme before it, as one copies it from a browser. */
static void read_prefix(struct gw_str prefix, struct cache_match *match)
{
    size_t scheme = gw_str_find(prefix, GW_STR("://"));
    if (scheme != GW_NPOS)
        prefix = gw_str_from(prefix, scheme + 3);
    size_t slash = gw_min_size(gw_str_chr(prefix, '/'), prefix.len);
    if (slash > 0)
        match->host = gw_str_first(prefix, slash);
    if (slash < prefix.len)
        match->prefix = gw_str_from(prefix, slash);
}

enum admin_result admin_cache_objects(struct admin_call *call)
{
    struct cache_match match = {0};
    struct gw_str text;
    uint64_t limit = LIST_DEFAULT;
    if (admin_query(call, GW_STR("limit"), &text) && !gw_str_u64(text, LIST_MAX, &limit)) {
        admin_fail(call, 400, "limit is a number from 0 to %d", LIST_MAX);
        return ADMIN_DONE;
    }
    if (admin_query(call, GW_STR("prefix"), &text))
        read_prefix(text, &match);
    if (admin_query(call, GW_STR("edge"), &text))
        match.edge = text;
    if (admin_query(call, GW_STR("tag"), &text) && text.len)
        match.tag = text;

    /* One more than is shown tells whether there is more. */
    struct cache_object **objects = gw_alloc((limit + 1) * sizeof(struct cache_object *));
    size_t found = cache_store_list(call->server->cache, &match, objects, (size_t)limit + 1);
    gw_json_object(&call->out, NULL);
    gw_json_bool(&call->out, "truncated", found > limit);
    gw_json_list(&call->out, "objects");
    for (size_t i = 0; i < found; i++) {
        if (i < limit)
            add_object(&call->out, admin_snapshot(call), objects[i], call->exchange->now);
        cache_object_unref(objects[i]);
    }
    gw_buf_add(&call->out, GW_STR("]}\n"));
    free(objects);
    return ADMIN_DONE;
}
