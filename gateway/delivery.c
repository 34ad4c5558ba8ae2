/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery.h"

#include "cache/browser_ttl.h"
#include "gateway/http/h1_write.h"
#include "gateway/response_lines.h"

static struct cache_object *source(const struct exchange *x)
{
    return x->cache.whole ? x->cache.object : cache_fill_object(x->cache.fill);
}

/* The part of the stored head between two marks, the Cache-Control in it replaced when a browser
 * TTL says so. Marks: see cache/head.h. */
struct head_parts {
    struct gw_str before_control, control;
};

static struct head_parts head_from(struct exchange *x, const struct cache_object *o, uint32_t from,
                                   uint32_t to, struct gw_buf *own)
{
    const struct cache_head *head = &o->head;
    struct head_parts parts = {cache_object_head(o, from, to),
                               cache_object_head(o, head->control_at, head->length_at)};
    struct gw_str origin = cache_object_text(o, head->cache_control);
    size_t mark = own->len;
    gw_buf_add(own, GW_STR("Cache-Control: "));
    if (cache_browser_control(&x->cache_policy, x->cache.status, origin, own) ==
        CACHE_BROWSER_REPLACE) {
        gw_buf_add(own, GW_STR("\r\n"));
        parts.control = GW_STR_EMPTY; /* ours is among the other own lines */
    } else {
        own->len = mark;
    }
    return parts;
}

static void full(struct exchange *x, const struct cache_object *o, struct response *r)
{
    struct gw_buf *own = &x->worker->lines;
    struct head_parts parts = head_from(x, o, 0, o->head.control_at, own);
    response_lines_edge(x, own);
    r->status = o->status;
    r->head = parts.before_control;
    r->lines[0] = parts.control;
    r->lines[1] = gw_buf_str(own);
    r->content_length = o->length_known       ? (int64_t)o->body_len
                        : exchange_is_head(x) ? RESPONSE_NO_LENGTH
                                              : RESPONSE_LENGTH_UNKNOWN;
    r->bodyless = exchange_is_head(x) || o->status == 204 || o->status == 304;
}

static void not_modified(struct exchange *x, const struct cache_object *o, struct response *r)
{
    struct gw_buf *own = &x->worker->lines;
    struct head_parts parts = head_from(x, o, o->head.fields_at, o->head.content_at, own);
    response_lines_edge(x, own);
    r->status = 304;
    r->lines[0] = parts.before_control;
    r->lines[1] = parts.control;
    r->lines[2] = gw_buf_str(own);
    r->content_length = RESPONSE_NO_LENGTH;
    r->bodyless = true;
}

/* Several ranges have a Content-Type of their own and may not carry the object's (RFC 9110
 * section 15.3.7.2). */
static void partial(struct exchange *x, const struct cache_object *o, struct response *r)
{
    const struct cache_range_plan *plan = &x->delivery.plan;
    struct gw_buf *own = &x->worker->lines;
    uint32_t to = plan->count > 1 ? o->head.content_at : o->head.control_at;
    struct head_parts parts = head_from(x, o, o->head.fields_at, to, own);
    cache_range_fields(plan, own);
    response_lines_edge(x, own);
    r->status = 206;
    r->lines[0] = parts.before_control;
    r->lines[1] = parts.control;
    r->lines[2] = gw_buf_str(own);
    r->content_length = RESPONSE_NO_LENGTH; /* among the range fields */
    r->bodyless = exchange_is_head(x);
}

static void unsatisfiable(struct exchange *x, const struct cache_object *o, struct response *r)
{
    struct gw_buf *own = &x->worker->lines;
    struct head_parts parts = head_from(x, o, o->head.fields_at, o->head.content_at, own);
    gw_buf_add(own, GW_STR("Content-Range: bytes */"));
    gw_buf_u64(own, o->body_len);
    gw_buf_add(own, GW_STR("\r\n"));
    response_lines_edge(x, own);
    r->status = 416;
    r->lines[0] = parts.before_control;
    r->lines[1] = gw_buf_str(own);
    r->content_length = 0;
    r->bodyless = true;
}

void delivery_head(struct exchange *x, struct response *r)
{
    const struct cache_object *o = source(x);
    gw_buf_clear(&x->worker->lines);
    x->delivery.answer = cache_answer(o, &x->request.headers, &x->arena, &x->delivery.plan);
    switch (x->delivery.answer) {
    case CACHE_ANSWER_FULL:
        full(x, o, r);
        return;
    case CACHE_ANSWER_NOT_MODIFIED:
        not_modified(x, o, r);
        return;
    case CACHE_ANSWER_RANGE:
        partial(x, o, r);
        return;
    case CACHE_ANSWER_UNSATISFIABLE:
        unsatisfiable(x, o, r);
        return;
    }
}

uint64_t delivery_part_start(const struct exchange *x)
{
    const struct exchange_delivery *d = &x->delivery;
    return d->answer == CACHE_ANSWER_RANGE ? d->plan.ranges[d->part].first : 0;
}

uint64_t delivery_part_end(const struct exchange *x)
{
    const struct exchange_delivery *d = &x->delivery;
    if (d->answer == CACHE_ANSWER_RANGE)
        return d->plan.ranges[d->part].last + 1;
    return x->cache.whole ? x->cache.object->body_len : UINT64_MAX;
}
