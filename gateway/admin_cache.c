/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache holds: totals, totals by zone and edge, and a list of objects for a person who
 * wonders why something is a HIT. The list is bounded: it is a look, not an export. */
#include <stdatomic.h>

#include "cache/purge.h"
#include "cache/tags.h"
#include "gateway/admin_route.h"
#include "gateway/exchange.h"
#include "gateway/http/date.h"
#include "gateway/server.h"

#define LIST_DEFAULT 100
#define LIST_MAX     1000

/* ---- GET /api/cache/stats ---- */

static void add_number(struct gw_buf *out, const char *name, uint64_t value)
{
    gw_buf_printf(out, "\"%s\":%llu,", name, (unsigned long long)value);
}

static void add_space(struct gw_buf *out, const struct snapshot_zone *zone,
                      const struct snapshot_edge *edge, const struct cache_space *space)
{
    struct cache_stats stats = {0};
    cache_space_stats(space, &stats);
    gw_buf_add(out, GW_STR("{\"zone\":"));
    gw_buf_json(out, zone->config->name);
    gw_buf_add(out, GW_STR(",\"edge\":"));
    gw_buf_json(out, edge->config->name);
    gw_buf_printf(out, ",\"objects\":%llu,\"bytes\":%llu}", (unsigned long long)stats.objects,
                  (unsigned long long)stats.bytes);
}

enum admin_result admin_cache_stats(struct admin_call *call)
{
    const struct snapshot *s = admin_snapshot(call);
    struct gw_buf *out = &call->out;
    struct cache_stats stats;
    cache_store_stats(call->server->cache, &stats);
    gw_buf_char(out, '{');
    add_number(out, "objects", stats.objects);
    add_number(out, "bytes", stats.bytes);
    add_number(out, "memory", stats.memory);
    add_number(out, "max_size", s->config->cache.max_size);
    add_number(out, "lookups", stats.lookups);
    add_number(out, "hits", stats.hits);
    add_number(out, "joins", stats.joins);
    add_number(out, "inserted", stats.inserted);
    add_number(out, "evicted", stats.evicted);
    add_number(out, "purged", stats.purged);
    gw_buf_add(out, GW_STR("\"spaces\":["));
    for (size_t zone = 0; zone < s->zone_count; zone++)
        for (size_t edge = 0; edge < s->edge_count; edge++) {
            if (zone + edge > 0)
                gw_buf_char(out, ',');
            add_space(out, &s->zones[zone], &s->edges[edge], s->zones[zone].spaces[edge]);
        }
    gw_buf_add(out, GW_STR("]}\n"));
    return ADMIN_DONE;
}

/* ---- GET /api/cache/objects ---- */

static struct gw_str zone_name(const struct snapshot *s, struct gw_str id)
{
    for (size_t i = 0; i < s->zone_count; i++)
        if (gw_str_eq(s->zones[i].config->id, id))
            return s->zones[i].config->name;
    return id; /* of a zone that a reload took away */
}

static void add_time(struct gw_buf *out, const char *name, uint64_t ms)
{
    char iso[DATE_ISO_LEN];
    date_format_iso((int64_t)ms, iso);
    gw_buf_printf(out, ",\"%s\":\"%.*s\"", name, DATE_ISO_LEN, iso);
}

static void add_tags(struct gw_buf *out, struct gw_str tags)
{
    struct gw_str tag;
    gw_buf_add(out, GW_STR(",\"tags\":["));
    for (bool first = true; cache_tag_next(&tags, &tag); first = false) {
        gw_buf_add(out, first ? GW_STR_EMPTY : GW_STR(","));
        gw_buf_json(out, tag);
    }
    gw_buf_char(out, ']');
}

/* What a person compares with the headers they got; the body stays where it is. */
static void add_object(struct gw_buf *out, const struct snapshot *s, const struct cache_object *o,
                       uint64_t now_ms)
{
    uint64_t stale_from_ms = atomic_load(&((struct cache_object *)o)->stale_from_ms);
    gw_buf_add(out, GW_STR("{\"host\":"));
    gw_buf_json(out, cache_object_text(o, o->host));
    gw_buf_add(out, GW_STR(",\"target\":"));
    gw_buf_json(out, cache_object_text(o, o->target));
    gw_buf_add(out, GW_STR(",\"zone\":"));
    gw_buf_json(out, zone_name(s, cache_space_zone(o->space)));
    gw_buf_add(out, GW_STR(",\"edge\":"));
    gw_buf_json(out, cache_space_edge(o->space));
    gw_buf_printf(out, ",\"status\":%u,\"fresh\":%s", o->status,
                  stale_from_ms > now_ms ? "true" : "false");
    add_time(out, "stored", o->stored_ms);
    add_time(out, "stale_from", stale_from_ms);
    if (o->length_known)
        gw_buf_printf(out, ",\"length\":%llu", (unsigned long long)o->body_len);
    gw_buf_add(out, GW_STR(",\"content_type\":"));
    gw_buf_json(out, cache_object_text(o, o->head.content_type));
    gw_buf_add(out, GW_STR(",\"etag\":"));
    gw_buf_json(out, cache_object_text(o, o->head.etag));
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
    gw_buf_printf(&call->out, "{\"truncated\":%s,\"objects\":[", found > limit ? "true" : "false");
    for (size_t i = 0; i < found; i++) {
        if (i < limit) {
            if (i > 0)
                gw_buf_char(&call->out, ',');
            add_object(&call->out, admin_snapshot(call), objects[i], call->exchange->now.wall_ms);
        }
        cache_object_unref(objects[i]);
    }
    gw_buf_add(&call->out, GW_STR("]}\n"));
    free(objects);
    return ADMIN_DONE;
}
