/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/record.h"

#include <stdatomic.h>

#include "gateway/access_log_line.h"
#include "gateway/exchange.h"

#define HIDDEN GW_STR("***")

/* ---- making ---- */

/* What finds no room is left out and marked: a record is a look at an exchange, and an exchange
 * with a head of 128 KiB must not cost a hundred times as much to remember as the next one. */
static struct gw_str keep(struct record *r, struct gw_str s)
{
    char *copy = s.len ? gw_arena_alloc(&r->arena, s.len) : NULL;
    if (!copy) {
        r->cut |= s.len > 0;
        return GW_STR_EMPTY;
    }
    memcpy(copy, s.ptr, s.len);
    return gw_str(copy, s.len);
}

/* As the access log writes it, so that the two never disagree about what is secret. */
static void add_shown_query(const struct access_line *line, struct gw_str query, struct gw_buf *out)
{
    struct gw_str item;
    for (bool first = true; gw_str_next(&query, '&', &item); first = false) {
        size_t equals = gw_str_chr(item, '=');
        bool masked = equals != GW_NPOS && access_line_masks(line, gw_str_first(item, equals));
        gw_buf_add(out, first ? GW_STR("?") : GW_STR("&"));
        gw_buf_add(out, masked ? gw_str_first(item, equals + 1) : item);
        if (masked)
            gw_buf_add(out, HIDDEN);
    }
}

static void keep_url(struct record *r, const struct exchange *x, const struct access_line *line)
{
    struct gw_buf url;
    bool https = x->client.https;
    gw_buf_init(&url, RECORD_BYTES_MAX);
    gw_buf_add(&url, https ? GW_STR("https://") : GW_STR("http://"));
    gw_buf_add(&url, x->request.host.name);
    if (x->client.port != (https ? 443 : 80))
        gw_buf_printf(&url, ":%u", x->client.port);
    gw_buf_add(&url, x->request.url.path);
    size_t path_end = url.len;
    if (x->request.url.has_query) {
        gw_buf_char(&url, '?');
        gw_buf_add(&url, x->request.url.query);
    }
    r->url = keep(r, gw_buf_str(&url));
    url.len = path_end;
    if (x->request.url.has_query)
        add_shown_query(line, gw_str_from(r->url, path_end + 1), &url);
    r->shown_url = keep(r, gw_buf_str(&url));
    gw_buf_release(&url);
}

/* As they came: a rule may read any of them, and a replay sends them all. */
static void keep_fields(struct record *r, const struct headers *from)
{
    headers_init(&r->request, &r->arena, from->count);
    for (size_t i = 0; i < from->count && !r->cut; i++) {
        struct gw_str name = keep(r, from->items[i].name), value = keep(r, from->items[i].value);
        r->cut |= !headers_add(&r->request, name, value);
    }
}

/* Always JSON, whatever the log's own format: events and the inspector read it. */
static void keep_line(struct record *r, const struct exchange *x, struct access_line *line)
{
    struct gw_buf out;
    gw_buf_init(&out, ACCESS_LINE_MAX);
    access_line_write(line, x, r->took_us, &out);
    r->line = keep(r, gw_str_first(gw_buf_str(&out), out.len ? out.len - 1 : 0));
    gw_buf_release(&out);
}

static void keep_facts(struct record *r, const struct exchange *x)
{
    r->start_ms = x->now.date_ms;
    r->origin_us = x->origin_us;
    r->bytes = x->bytes_sent;
    r->status = access_line_status(x);
    r->origin_status = x->origin_status;
    r->version = h1_version_name(&x->request);
    r->cache = x->cache.status;
    r->reason = cache_reason_text(x->cache.reason);
    r->peer = net_address_to_ip(&x->client.peer);
    r->tls = x->client.tls;
    r->isolate = x->isolate;
    r->limit = x->limit.verdict.limit;
    r->count = x->limit.verdict.count;
    const struct limiter_verdict *v = &x->limit.verdict;
    r->reset_at_ms = v->reset_at_ms ? x->now.date_ms + v->reset_in_ms : 0;
    r->upgraded = x->status == 101;
    r->has_body = x->request.framing != H1_BODY_NONE;
}

struct record *record_new(const struct exchange *x, uint64_t took_us)
{
    struct record *r = gw_zalloc(sizeof(*r));
    struct config_log settings = x->ws->snapshot->config->log;
    struct access_line line;
    settings.format = CONFIG_LOG_JSON;
    access_line_init(&line, &settings);
    atomic_init(&r->refs, 1);
    gw_arena_init(&r->arena, NULL, 0, RECORD_BYTES_MAX);
    r->took_us = took_us;
    keep_facts(r, x);
    keep_line(r, x, &line); /* first: it is bounded, and the one thing that everybody reads */
    r->ray = keep(r, gw_str_z(x->ray));
    r->edge = keep(r, exchange_edge_name(x));
    r->zone = keep(r, x->zone ? x->zone->config->id : GW_STR_EMPTY);
    r->method = keep(r, x->request.method);
    keep_url(r, x, &line);
    r->response = keep(r, x->recorded_head);
    keep_fields(r, &x->request.headers);
    record_secrets_collect(r, &line);
    return r;
}

struct record *record_ref(struct record *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void record_unref(struct record *r)
{
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    gw_arena_clear(&r->arena);
    free(r);
}

/* ---- the response's head ---- */

/* A head may begin with its status line, which is no field. */
static struct gw_str without_status_line(struct gw_str head)
{
    size_t end = gw_str_starts(head, GW_STR("HTTP/")) ? gw_str_chr(head, '\n') : GW_NPOS;
    return end == GW_NPOS ? head : gw_str_from(head, end + 1);
}

struct gw_str record_response(struct gw_arena *arena, const struct response *response)
{
    struct gw_buf out;
    gw_buf_init(&out, RECORD_HEAD_MAX);
    gw_buf_add(&out, without_status_line(response->head));
    for (size_t i = 0; i < GW_COUNT(response->lines); i++)
        gw_buf_add(&out, response->lines[i]);
    struct gw_str kept = GW_STR_EMPTY;
    char *copy = out.len && !out.overflow ? gw_arena_alloc(arena, out.len) : NULL;
    if (copy) {
        memcpy(copy, out.data, out.len);
        kept = gw_str(copy, out.len);
    }
    gw_buf_release(&out);
    return kept;
}

bool record_next_line(struct gw_str *rest, struct gw_str *name, struct gw_str *value)
{
    struct gw_str line;
    while (gw_str_next(rest, '\n', &line)) {
        size_t colon = gw_str_chr(line, ':');
        if (colon == GW_NPOS)
            continue;
        *name = gw_str_first(line, colon);
        *value = gw_str_from(line, colon + 1);
        if (gw_str_ends(*value, GW_STR("\r")))
            value->len--;
        *value = gw_str_trim(*value);
        return true;
    }
    return false;
}
