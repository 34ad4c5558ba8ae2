/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/head.h"

#include "gateway/http/date.h"
#include "gateway/http/etag.h"
#include "gateway/http/forward.h"
#include "gateway/http/h1_write.h"

enum part { PART_NONE, PART_GENERAL, PART_CONTENT };

/* Fields with a place of their own, or none: never sent from the stored head. */
static const enum header_id left_out[] = {
    HEADER_CONTENT_LENGTH,
    HEADER_AGE,
    HEADER_SERVER,
    HEADER_CACHE_CONTROL,
    HEADER_CACHE_TAG,
    HEADER_CLOUDFLARE_CDN_CACHE_CONTROL,
    HEADER_X_ACCEL_BUFFERING,
    HEADER_X_ACCEL_CHARSET,
    HEADER_X_ACCEL_REDIRECT,
    HEADER_X_ACCEL_LIMIT_RATE,
};
/* Describe a body, which a 304 does not have. */
static const enum header_id of_content[] = {
    HEADER_CONTENT_TYPE, HEADER_CONTENT_ENCODING, HEADER_CONTENT_LANGUAGE,
    HEADER_CONTENT_MD5,  HEADER_CONTENT_RANGE,    HEADER_ACCEPT_RANGES,
};

struct writer {
    const struct cache_response *response;
    const struct cache_decision *decision;
    struct forward forward;
    struct gw_buf *out;
    struct cache_head *head;
    bool failed; /* a field that may not stand in a head */
};

static bool is_in(enum header_id id, const enum header_id *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool is_dropped(const struct cache_decision *decision, struct gw_str name)
{
    for (size_t i = 0; i < decision->drop_count; i++)
        if (gw_str_ieq(decision->drop[i], name))
            return true;
    return false;
}

/* CF-* is the edge's to say; the other tells about our own hop to a proxy (RFC 9111 section 3.1).
 */
static bool is_of_the_hop(struct gw_str name)
{
    return (name.len > 3 && gw_str_ieq(gw_str_first(name, 3), GW_STR("CF-"))) ||
           gw_str_ieq(name, GW_STR("Proxy-Authentication-Info"));
}

static enum part part_of(const struct writer *w, const struct header *field)
{
    if (forward_is_hop_by_hop(&w->forward, field) ||
        is_in(field->id, left_out, GW_COUNT(left_out)) || is_of_the_hop(field->name) ||
        (field->id == HEADER_SET_COOKIE && w->decision->strip_set_cookie) ||
        (field->id == HEADER_ETAG && !etag_valid(field->value)) ||
        is_dropped(w->decision, field->name))
        return PART_NONE;
    return is_in(field->id, of_content, GW_COUNT(of_content)) ? PART_CONTENT : PART_GENERAL;
}

static uint32_t here(const struct writer *w)
{
    return (uint32_t)w->out->len;
}

/* Remembers where the value of a field that is needed later stands: the line was just written. */
static void note_value(struct writer *w, const struct header *field)
{
    struct cache_slice value = {here(w) - 2 - (uint32_t)field->value.len,
                                (uint32_t)field->value.len};
    struct cache_slice *slot = field->id == HEADER_ETAG            ? &w->head->etag
                               : field->id == HEADER_LAST_MODIFIED ? &w->head->last_modified
                               : field->id == HEADER_CONTENT_TYPE  ? &w->head->content_type
                                                                   : NULL;
    if (slot && slot->len == 0)
        *slot = value;
}

static void write_part(struct writer *w, enum part part)
{
    const struct headers *headers = w->response->headers;
    for (size_t i = 0; i < headers->count && !w->out->overflow; i++) {
        const struct header *field = &headers->items[i];
        if (part_of(w, field) != part)
            continue;
        if (!h1_write_field(w->out, field->name, field->value))
            w->failed = true;
        else if (!w->out->overflow)
            note_value(w, field);
    }
}

static void write_date(struct writer *w, enum header_id id, uint64_t ms)
{
    char text[DATE_HTTP_LEN];
    date_format((int64_t)(ms / 1000), text);
    if (!h1_write_id(w->out, id, gw_str(text, sizeof(text))))
        w->failed = true;
}

/* What the edge adds: RFC 9110 section 6.6.1 wants a Date, section 2.9 a validator for browsers. */
static void write_own(struct writer *w, uint64_t now_ms)
{
    if (!headers_has(w->response->headers, HEADER_DATE))
        write_date(w, HEADER_DATE, now_ms);
    if (w->response->status != 200 || w->head->etag.len || w->head->last_modified.len ||
        w->response->ruled.no_validators)
        return;
    write_date(w, HEADER_LAST_MODIFIED, now_ms);
    if (w->out->overflow)
        return;
    w->head->last_modified = (struct cache_slice){here(w) - 2 - DATE_HTTP_LEN, DATE_HTTP_LEN};
    w->head->own_last_modified = true;
}

static void write_control(struct writer *w)
{
    const struct gw_str *value;
    for (size_t at = 0; (value = headers_next(w->response->headers, HEADER_CACHE_CONTROL, &at));)
        if (!h1_write_id(w->out, HEADER_CACHE_CONTROL, *value))
            w->failed = true;
}

/* All lines of a field joined by ", ", behind the head. */
static struct cache_slice keep(struct writer *w, enum header_id id)
{
    struct cache_slice slice = {here(w), 0};
    const struct gw_str *value;
    for (size_t at = 0; (value = headers_next(w->response->headers, id, &at));) {
        if (here(w) != slice.at)
            gw_buf_add(w->out, GW_STR(", "));
        gw_buf_add(w->out, *value);
    }
    slice.len = here(w) - slice.at;
    return slice;
}

/* Made once here, so that a hit need not read the origin's directives again. In a buffer of its
 * own: what it is made of lies in `out`, which moves when it grows. */
static void keep_browser_control(struct writer *w)
{
    struct cache_head *head = w->head;
    struct gw_str origin = gw_str(w->out->data + head->cache_control.at, head->cache_control.len);
    struct gw_buf line;
    gw_buf_init(&line, CACHE_TEXT_MAX);
    gw_buf_add(&line, GW_STR("Cache-Control: "));
    head->browser = w->decision->browser;
    if (cache_browser_control(head->browser, origin, &line) == CACHE_BROWSER_REPLACE) {
        gw_buf_add(&line, GW_STR("\r\n"));
        head->browser_control = (struct cache_slice){here(w), (uint32_t)line.len};
        gw_buf_add(w->out, gw_buf_str(&line));
    }
    w->out->overflow |= line.overflow;
    gw_buf_release(&line);
}

/* The length of a confirmed body stands among the stored fields: a 304 has none of its own, and
 * what it may say about one is not to be believed. */
static bool find_length(const struct cache_response *response, uint64_t *body_len)
{
    const struct gw_str *stored = headers_get(response->headers, HEADER_CONTENT_LENGTH);
    *body_len = response->body_len;
    if (!response->revalidated)
        return response->length_known;
    return stored && gw_str_u64(*stored, UINT64_MAX, body_len);
}

bool cache_head_write(const struct cache_response *response, const struct cache_decision *decision,
                      uint64_t now_ms, struct gw_buf *out, struct cache_head *head)
{
    struct writer w = {.response = response, .decision = decision, .out = out, .head = head};
    *head = (struct cache_head){.content = cache_content_of(response->status, response->headers)};
    forward_prepare(&w.forward, response->headers);
    uint64_t body_len;
    struct gw_str phrase = response->revalidated ? GW_STR_EMPTY : response->phrase;
    if (!h1_write_status(out, response->status, phrase))
        return false;
    head->fields_at = here(&w);
    write_part(&w, PART_GENERAL);
    write_own(&w, now_ms);
    head->content_at = here(&w);
    write_part(&w, PART_CONTENT);
    head->control_at = here(&w);
    write_control(&w);
    head->length_at = here(&w);
    if (find_length(response, &body_len))
        h1_write_u64(out, HEADER_CONTENT_LENGTH, body_len);
    head->end = here(&w);
    head->cache_control = keep(&w, HEADER_CACHE_CONTROL);
    head->edge_control = keep(&w, HEADER_CLOUDFLARE_CDN_CACHE_CONTROL);
    head->tags = keep(&w, HEADER_CACHE_TAG);
    head->server = keep(&w, HEADER_SERVER);
    keep_browser_control(&w);
    return !w.failed && !out->overflow;
}
