/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/object.h"

#include "cache/memory.h"
#include "cache/shard.h"
#include "gateway/http/h1_write.h"

static char *put(char *at, struct gw_str s)
{
    if (s.len)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static uint64_t stale_from(const struct cache_object *o)
{
    uint32_t left_s = o->life.ttl_s > o->age_s ? o->life.ttl_s - o->age_s : 0;
    uint64_t ttl_ms = (uint64_t)left_s * 1000;
    /* Fresh up to and including the last millisecond of the TTL; with TTL 0 never. */
    return ttl_ms ? o->confirmed_ms + ttl_ms + 1 : o->confirmed_ms;
}

/* One allocation: struct | links of its tags | text | host | target | room for an inline body. */
static struct cache_object *make(const struct cache_place *place,
                                 const struct cache_object_parts *parts, size_t inline_len)
{
    struct gw_str tags = gw_str(parts->text.ptr + parts->head.tags.at, parts->head.tags.len);
    size_t tag_count = cache_tag_count(tags), links = tag_count * sizeof(struct cache_tag);
    size_t fixed =
        sizeof(struct cache_object) + links + parts->text.len + place->host.len + place->target.len;
    struct cache_object *o = cache_memory_take(place->space->store, fixed + inline_len);
    *o = (struct cache_object){.status = parts->status,
                               .stored_ms = parts->now_ms,
                               .confirmed_ms = parts->now_ms,
                               .space = place->space,
                               .family = place->primary.lo,
                               .life = parts->life,
                               .age_s = parts->age_s,
                               .head = parts->head,
                               .text = (const char *)(o + 1) + links,
                               .tag_count = (uint16_t)tag_count,
                               .body_len = parts->length_known ? parts->body_len : 0,
                               .length_known = parts->length_known};
    o->entry.hash = place->hash;
    o->entry.bytes = cache_slab_size(fixed + inline_len);
    gw_list_init(&o->entry.link);
    atomic_init(&o->refs, 1);
    char *at = put((char *)(o + 1) + links, parts->text);
    cache_tag_links(cache_object_text(o, o->head.tags), o, cache_object_tags(o), tag_count);
    o->host = (struct cache_slice){(uint32_t)(at - o->text), (uint32_t)place->host.len};
    at = put(at, place->host);
    o->target = (struct cache_slice){(uint32_t)(at - o->text), (uint32_t)place->target.len};
    at = put(at, place->target);
    o->inline_body = inline_len ? at : NULL;
    atomic_init(&o->stale_from_ms, stale_from(o));
    return o;
}

static bool fits_inline(const struct cache_object_parts *parts, uint64_t body_len)
{
    return parts->text.len + body_len <= CACHE_INLINE_MAX;
}

struct cache_object *cache_object_new(const struct cache_place *place, uint64_t generation,
                                      const struct cache_object_parts *parts)
{
    bool in_one = parts->length_known && fits_inline(parts, parts->body_len);
    struct cache_object *o = make(place, parts, in_one ? (size_t)parts->body_len : 0);
    o->generation = generation;
    if (!in_one) {
        o->body = cache_body_new(place->space->store);
        o->entry.bytes += (size_t)o->body_len;
    }
    return o;
}

static struct cache_place place_of(const struct cache_object *o)
{
    return (struct cache_place){.hash = o->entry.hash,
                                .primary = {.lo = o->family},
                                .space = o->space,
                                .host = cache_object_text(o, o->host),
                                .target = cache_object_text(o, o->target)};
}

/* stored_ms stays what it was: a 304 brings no body. */
struct cache_object *cache_object_renew(const struct cache_object *old,
                                        const struct cache_object_parts *parts)
{
    struct cache_place place = place_of(old);
    struct cache_object_parts same_body = *parts;
    same_body.body_len = old->body_len; /* whatever the 304 says about a length */
    same_body.length_known = true;
    size_t inline_len = old->body ? 0 : (size_t)old->body_len;
    struct cache_object *o = make(&place, &same_body, inline_len);
    o->generation = old->generation;
    o->stored_ms = old->stored_ms;
    if (inline_len)
        memcpy(o->inline_body, old->inline_body, inline_len);
    if (old->body) {
        cache_body_ref(old->body);
        o->body = old->body;
        o->entry.bytes += (size_t)o->body_len;
    }
    return o;
}

static void shift(struct cache_slice *s, size_t by)
{
    s->at += s->len ? (uint32_t)by : 0;
}

/* The text with a Content-Length line between head and extras. */
static void insert_length(const struct cache_object *streamed, uint64_t body_len,
                          struct gw_buf *text, struct cache_head *head)
{
    struct gw_str old = gw_str(streamed->text, streamed->host.at);
    gw_buf_add(text, gw_str_first(old, head->end));
    h1_write_u64(text, HEADER_CONTENT_LENGTH, body_len);
    size_t by = text->len - head->end;
    gw_buf_add(text, gw_str_from(old, head->end));
    head->end += (uint32_t)by;
    shift(&head->cache_control, by);
    shift(&head->edge_control, by);
    shift(&head->tags, by);
    shift(&head->server, by);
    shift(&head->browser_control, by);
}

static void copy_body(const struct cache_body *body, char *at)
{
    for (size_t i = 0; i < body->count; i++)
        at = put(at, gw_str(body->segments[i].data, body->segments[i].len));
}

/* A new object, since readers hold the streamed one, whose head and place in memory cannot change
 * under them; a body in segments is shared, a small one copied so that hits touch one piece. */
struct cache_object *cache_object_complete(const struct cache_object *streamed, uint64_t body_len)
{
    struct gw_buf text;
    struct cache_place place = place_of(streamed);
    struct cache_object_parts parts = {.status = streamed->status,
                                       .head = streamed->head,
                                       .life = streamed->life,
                                       .age_s = streamed->age_s,
                                       .now_ms = streamed->confirmed_ms,
                                       .body_len = body_len,
                                       .length_known = true};
    gw_buf_init(&text, CACHE_TEXT_MAX);
    insert_length(streamed, body_len, &text, &parts.head);
    parts.text = gw_buf_str(&text);
    bool in_one = fits_inline(&parts, body_len);
    struct cache_object *o = make(&place, &parts, in_one ? (size_t)body_len : 0);
    gw_buf_release(&text);
    o->generation = streamed->generation;
    if (in_one) {
        copy_body(streamed->body, o->inline_body);
        return o;
    }
    cache_body_ref(streamed->body);
    o->body = streamed->body;
    o->entry.bytes += (size_t)body_len;
    return o;
}

void cache_object_ref(struct cache_object *o)
{
    atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
}

void cache_object_unref(struct cache_object *o)
{
    if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct cache_store *store = o->space->store; /* spaces live as long as the store */
    /* entry.bytes is the weight in the queues: what a body in segments adds is not this piece's. */
    size_t bytes = o->entry.bytes - (o->body ? (size_t)o->body_len : 0);
    cache_body_unref(o->body);
    cache_memory_drop(store, o, bytes, false);
}

const struct gw_mapping *cache_object_mapping(const struct cache_object *o)
{
    return o->body ? cache_memory_mapping(o->body->store) : NULL;
}

void cache_object_invalidate(struct cache_object *o, uint64_t now_ms)
{
    uint64_t from = cache_object_stale_from(o);
    /* Only ever brought forward: of two purges the earlier instant stays. */
    while (now_ms < from && !atomic_compare_exchange_weak(&o->stale_from_ms, &from, now_ms))
        continue;
}

bool cache_object_fields(const struct cache_object *o, struct headers *out)
{
    return cache_object_fields_in(o, o->head.fields_at, o->head.end, out);
}

bool cache_object_fields_in(const struct cache_object *o, uint32_t from, uint32_t to,
                            struct headers *out)
{
    struct gw_str rest = cache_object_head(o, from, to), line;
    while (rest.len && gw_str_next(&rest, '\n', &line)) {
        size_t colon = gw_str_chr(line, ':');
        struct gw_str value = gw_str_from(line, colon + 2);
        value.len -= 1; /* the CR; h1_write put ": " and CR LF around it */
        if (!headers_add(out, gw_str_first(line, colon), value))
            return false;
    }
    return true;
}

size_t cache_object_read(const struct cache_object *o, const struct cache_cursor *at,
                         uint64_t limit, struct gw_str *out, size_t max)
{
    limit = gw_min_u64(limit, o->body_len - at->offset);
    if (o->body)
        return cache_body_read(o->body, at, limit, out, max);
    if (!limit || !max)
        return 0;
    out[0] = gw_str(o->inline_body + at->offset, (size_t)limit);
    return 1;
}

void cache_object_advance(const struct cache_object *o, struct cache_cursor *at, size_t bytes)
{
    if (o->body)
        cache_body_advance(o->body, at, bytes);
    else
        at->offset += bytes;
}

void cache_object_seek(const struct cache_object *o, struct cache_cursor *at, uint64_t offset)
{
    *at = (struct cache_cursor){0};
    if (o->body)
        cache_body_advance(o->body, at, offset);
    else
        at->offset = offset;
}
