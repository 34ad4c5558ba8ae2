/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery.h"

#include "cache/browser_ttl.h"
#include "gateway/http/h1_write.h"
#include "gateway/recode_exchange.h"
#include "gateway/response_lines.h"

#define FIELDS_MAX 1024 /* of a stored head; parsed ones have fewer */

/* A growing fill's object is whole enough for a head: its fields never change any more. */
static struct cache_object *source(const struct exchange *x)
{
    return x->cache.whole ? x->cache.object : cache_fill_object(x->cache.fill);
}

/* The part of the stored head between two marks, the Cache-Control in it replaced when a browser
 * TTL says so. Marks: see cache/head.h. */
struct head_parts {
    struct gw_str before_control, control;
};

/* The stored fields between two marks, as they read once the body is recoded. */
static void add_recoded(struct exchange *x, const struct cache_object *o, uint32_t from,
                        uint32_t to, struct gw_buf *own)
{
    struct headers fields;
    headers_init(&fields, &x->arena, FIELDS_MAX);
    if (!cache_object_fields_in(o, from, to, &fields))
        own->overflow = true;
    for (size_t i = 0; i < fields.count; i++) {
        const struct header *field = &fields.items[i];
        if (!recode_field(x->delivery.recoding, field, own) &&
            !h1_write_field(own, field->name, field->value))
            own->overflow = true;
    }
    recode_add_vary(x->delivery.recoding, &fields, own);
}

/* Settings have changed since the object was stored. */
static void replace_control(struct cache_browser browser, struct gw_str origin, struct gw_buf *own,
                            struct head_parts *parts)
{
    size_t mark = own->len;
    gw_buf_add(own, GW_STR("Cache-Control: "));
    if (cache_browser_control(browser, origin, own) == CACHE_BROWSER_REPLACE) {
        gw_buf_add(own, GW_STR("\r\n"));
        parts->control = GW_STR_EMPTY; /* ours is among the other own lines */
    } else {
        own->len = mark;
    }
}

static struct head_parts head_from(struct exchange *x, const struct cache_object *o, uint32_t from,
                                   uint32_t to, struct gw_buf *own)
{
    const struct cache_head *head = &o->head;
    struct head_parts parts = {cache_object_head(o, from, to),
                               cache_object_head(o, head->control_at, head->length_at)};
    if (cache_is_recoded(x->delivery.recoding)) {
        uint32_t fields = (uint32_t)gw_max_u64(from, head->fields_at);
        parts.before_control = cache_object_head(o, from, fields);
        add_recoded(x, o, fields, to, own);
    }
    struct cache_browser browser = cache_browser_of(&x->cache_policy, x->cache.status);
    if (!cache_browser_same(browser, head->browser))
        replace_control(browser, cache_object_text(o, head->cache_control), own, &parts);
    else if (head->browser_control.len)
        parts.control = cache_object_text(o, head->browser_control);
    return parts;
}

static void full(struct exchange *x, const struct cache_object *o, struct response *r)
{
    struct gw_buf *own = &x->worker->lines;
    struct head_parts parts = head_from(x, o, 0, o->head.control_at, own);
    recode_add_coding(x->delivery.recoding, own);
    response_lines_edge(x, own);
    r->status = o->status;
    r->head = parts.before_control;
    r->lines[0] = parts.control;
    r->lines[1] = gw_buf_str(own);
    bool length_known = o->length_known && !cache_is_recoded(x->delivery.recoding);
    r->content_length = length_known          ? (int64_t)o->body_len
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

/* A part of what was stored is no part of what is sent once that is decoded: Range is ignored then.
 * What was not coded is cut as it is rather than compressed (sections 2.10, 2.11). */
static void choose_coding(struct exchange *x, const struct cache_object *o)
{
    struct exchange_delivery *d = &x->delivery;
    bool part = d->answer == CACHE_ANSWER_RANGE || d->answer == CACHE_ANSWER_UNSATISFIABLE;
    d->recoding =
        cache_recoding_for(&o->head.content, o->length_known ? o->body_len : CACHE_LENGTH_UNKNOWN,
                           &x->request.headers, &x->cache_policy);
    if (part && d->recoding.from == CACHE_CODING_IDENTITY)
        d->recoding.to = CACHE_CODING_IDENTITY;
    else if (part && cache_is_recoded(d->recoding))
        d->answer = CACHE_ANSWER_FULL;
}

void delivery_head(struct exchange *x, struct response *r)
{
    const struct cache_object *o = source(x);
    struct exchange_delivery *d = &x->delivery;
    gw_buf_clear(&x->worker->lines);
    d->answer = cache_answer(o, &x->request.headers, &x->arena, &d->plan);
    choose_coding(x, o);
    switch (d->answer) {
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
