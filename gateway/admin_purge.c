/* SPDX-License-Identifier: Apache-2.0 */
/* Cloudflare's purge_cache and invalidate_cache (spec/api-v4.md section 4): the same bodies, errors
 * and order of checks. A request is checked whole before anything is purged. */
#include "gateway/admin_purge_url.h"
#include "gateway/admin_route.h"
#include "gateway/exchange.h"
#include "gateway/http/url.h"
#include "gateway/server.h"

#define ITEMS_MAX            100
#define FILES_MAX_ENTERPRISE 500
#define PREFIX_SLASHES_MAX   31

struct purge {
    struct admin_call *call;
    struct purge_scope scope;
    const struct json *root;
};

/* One kind of list: takes an item, or checks it only. False after an answer with an error. */
struct purge_kind {
    const char *name;
    bool (*take)(struct purge *p, const struct json *item, bool check);
};

/* The item stands in the message as it was sent, so that one of a hundred can be found. */
static bool refuse_item(struct purge *p, unsigned code, struct gw_str item)
{
    const char *why = code == 1082 ? ". You can only purge files for this zone" : "";
    admin_v4_fail(p->call, 400, code, "Unable to purge '%.*s'%s", (int)gw_min_size(item.len, 500),
                  item.ptr ? item.ptr : "", why);
    return false;
}

static struct cache_match match_zone(const struct purge *p)
{
    return (struct cache_match){.zone = p->scope.zone->config->id};
}

static void purge_matching(struct purge *p, const struct cache_match *match)
{
    cache_purge_match(p->scope.store, match, p->scope.kind, p->scope.now.wall_ms);
}

/* ---- one item of each kind ---- */

static bool take_file(struct purge *p, const struct json *item, bool check)
{
    bool plain = json_type(item) == JSON_STRING;
    struct gw_str url = json_str(plain ? item : json_get(item, "url"));
    const struct json *headers = plain ? NULL : json_get(item, "headers");
    switch (purge_url(&p->scope, url, headers, check)) {
    case PURGE_URL_OK:
        return true;
    case PURGE_URL_MALFORMED:
        return refuse_item(p, 1084, url);
    case PURGE_URL_FOREIGN:
        return refuse_item(p, 1082, url);
    }
    return true;
}

static bool take_tag(struct purge *p, const struct json *item, bool check)
{
    struct cache_match match = match_zone(p);
    match.tag = gw_str_trim(json_str(item));
    if (!match.tag.len)
        return refuse_item(p, 1084, json_str(item));
    if (!check)
        purge_matching(p, &match);
    return true;
}

/* Lower case, in the exchange's arena. */
static bool own_host(struct purge *p, struct gw_str text, struct gw_str *out)
{
    struct url_host host;
    if (!url_host_parse(text, &p->call->exchange->arena, &host) ||
        snapshot_zone_of(p->scope.snapshot, host.name) != p->scope.zone)
        return false;
    *out = host.name;
    return true;
}

static bool take_host(struct purge *p, const struct json *item, bool check)
{
    struct cache_match match = match_zone(p);
    if (!own_host(p, json_str(item), &match.host))
        return refuse_item(p, 1082, json_str(item));
    if (!check)
        purge_matching(p, &match);
    return true;
}

/* No scheme, query or fragment, and not deeper than the real API allows. */
static bool prefix_is_valid(struct gw_str prefix)
{
    size_t slashes = 0;
    for (size_t i = 0; i < prefix.len; i++) {
        slashes += prefix.ptr[i] == '/';
        if (prefix.ptr[i] == '?' || prefix.ptr[i] == '#')
            return false;
    }
    return prefix.len > 0 && slashes <= PREFIX_SLASHES_MAX &&
           gw_str_find(prefix, GW_STR("://")) == GW_NPOS;
}

static bool take_prefix(struct purge *p, const struct json *item, bool check)
{
    struct gw_str prefix = json_str(item);
    struct cache_match match = match_zone(p);
    if (!prefix_is_valid(prefix))
        return refuse_item(p, 1084, prefix);
    size_t slash = gw_min_size(gw_str_chr(prefix, '/'), prefix.len);
    if (!own_host(p, gw_str_first(prefix, slash), &match.host))
        return refuse_item(p, 1082, prefix);
    if (slash < prefix.len)
        match.prefix = gw_str_from(prefix, slash);
    if (!check)
        purge_matching(p, &match);
    return true;
}

static const struct purge_kind kinds[] = {
    {"files", take_file}, {"tags", take_tag}, {"hosts", take_host}, {"prefixes", take_prefix}};

/* ---- the request ---- */

/* spec/api-v4.md section 4: 100 items, 500 URLs for Enterprise. */
static size_t items_max(const struct purge *p, const struct purge_kind *kind)
{
    bool more = kind == &kinds[0] && p->scope.zone->config->plan == CONFIG_PLAN_ENTERPRISE;
    return more ? FILES_MAX_ENTERPRISE : ITEMS_MAX;
}

static bool run_lists(struct purge *p, bool check)
{
    for (size_t k = 0; k < GW_COUNT(kinds); k++) {
        const struct json *list = json_get(p->root, kinds[k].name);
        for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item))
            if (!kinds[k].take(p, item, check))
                return false;
    }
    return true;
}

static bool check_lists(struct purge *p, size_t *lists)
{
    *lists = 0;
    for (size_t k = 0; k < GW_COUNT(kinds); k++) {
        const struct json *list = json_get(p->root, kinds[k].name);
        if (!list)
            continue;
        ++*lists;
        if (json_type(list) != JSON_ARRAY) {
            admin_v4_fail(p->call, 400, 1014, "\"files\", \"tags\", or \"hosts\" must be an array");
            return false;
        }
        if (json_count(list) > items_max(p, &kinds[k])) {
            admin_v4_fail(p->call, 400, 1094, "At most %zu %s can be purged in one request",
                          items_max(p, &kinds[k]), kinds[k].name);
            return false;
        }
    }
    return true;
}

/* Removing everything starts a new generation of the zone and is one store; marking everything
 * stale has to visit each object. */
static bool purge_all(struct purge *p)
{
    struct cache_match match = match_zone(p);
    if (p->scope.kind == CACHE_PURGE_REMOVE)
        cache_purge_everything(p->scope.store, match.zone);
    else
        purge_matching(p, &match);
    return true;
}

/* Only requests that are otherwise fine count. 429 with the API's old number, and when to come back
 * (RFC 9110 section 10.2.3). */
static bool take_tokens(struct purge *p)
{
    struct admin_call *call = p->call;
    const struct json *files = json_get(p->root, kinds[0].name);
    struct api_purge_cost cost = {.urls = files ? (unsigned)json_count(files) : 0};
    cost.requests = !files || json_count(p->root) > 1;
    uint64_t retry_ms;
    if (api_purge_take(&call->server->purge_limit, p->scope.zone->config->plan, cost,
                       call->exchange->now.mono_ms, &retry_ms))
        return true;
    admin_v4_fail(call, 429, 1083, "The purge rate limit of the plan is reached");
    gw_buf_printf(&call->lines, "Retry-After: %llu\r\n",
                  (unsigned long long)(retry_ms + 999) / 1000);
    return false;
}

/* Two passes over the lists: an item that is refused must not leave the ones before it purged. */
static bool run_purge(struct purge *p)
{
    const struct json *all = json_get(p->root, "purge_everything");
    bool everything = all && json_type(all) == JSON_BOOL && json_bool(all);
    size_t lists;
    if (!check_lists(p, &lists))
        return false;
    if (everything && lists) {
        admin_v4_fail(p->call, 400, 1092,
                      "\"purge_everything\" cannot be combined with another kind of purge");
        return false;
    }
    if (everything)
        return take_tokens(p) && purge_all(p);
    if (!lists) {
        admin_v4_fail(p->call, 400, 1012,
                      "Request must contain one of \"purge_everything\", \"files\", \"tags\", "
                      "\"hosts\" or \"prefixes\"");
        return false;
    }
    return run_lists(p, true) && take_tokens(p) && run_lists(p, false);
}

/* ---- the routes ---- */

static enum admin_result purge(struct admin_call *call, enum cache_purge_kind kind)
{
    /* /client/v4/zones/:zone/… */
    const struct snapshot_zone *zone =
        snapshot_zone_with_id(admin_snapshot(call), admin_path_segment(call->path, 3));
    if (!zone) {
        admin_v4_unroutable(call, false);
        return ADMIN_DONE;
    }
    struct json_doc *doc = admin_body(call);
    if (!doc) {
        admin_v4_fail(call, 400, 0, "invalid JSON: an object is expected");
        return ADMIN_DONE;
    }
    struct purge p = {.call = call,
                      .scope = {.snapshot = admin_snapshot(call),
                                .zone = zone,
                                .store = call->server->cache,
                                .kind = kind,
                                .now = call->exchange->now},
                      .root = json_root(doc)};
    if (run_purge(&p))
        gw_buf_printf(&call->out,
                      "{\"result\":{\"id\":\"%.*s\"},\"success\":true,\"errors\":[],"
                      "\"messages\":[]}\n",
                      GW_STR_ARG(zone->config->id));
    json_doc_free(doc);
    return ADMIN_DONE;
}

enum admin_result admin_purge_cache(struct admin_call *call)
{
    return purge(call, CACHE_PURGE_REMOVE);
}

enum admin_result admin_invalidate_cache(struct admin_call *call)
{
    return purge(call, CACHE_PURGE_INVALIDATE);
}
