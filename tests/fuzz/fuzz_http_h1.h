/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the request and response targets share: the same bytes, whole and in pieces, must make the
 * parser say the same; and what it lets through must be clean. */
#include "gateway/base/buf.h"
#include "gateway/http/h1_parse.h"
#include "tests/fuzz/check.h"

static const struct h1_limits fuzz_limits = {64, 512, 8};

struct fuzz_run {
    struct h1_parser *parser;
    struct h1_message message;
    struct gw_arena arena;
    struct gw_buf said, body;
    size_t rest;
    bool over;
};

static inline void fuzz_check_fields(const struct headers *h)
{
    for (size_t i = 0; i < h->count; i++) {
        CHECK(header_name_valid(h->items[i].name));
        CHECK(header_value_valid(h->items[i].value));
        CHECK(h->items[i].id == header_id_of(h->items[i].name));
        struct gw_str value = h->items[i].value;
        CHECK(gw_str_eq(value, gw_str_trim(value)));
    }
}

static inline void fuzz_say_fields(struct fuzz_run *r, const struct headers *h)
{
    fuzz_check_fields(h);
    for (size_t i = 0; i < h->count; i++)
        gw_buf_printf(&r->said, "%.*s:%.*s\n", GW_STR_ARG(h->items[i].name),
                      GW_STR_ARG(h->items[i].value));
}

static inline void fuzz_say_head(struct fuzz_run *r)
{
    const struct h1_message *m = &r->message;
    CHECK(m->target.len <= fuzz_limits.target_max);
    CHECK(m->headers.count <= fuzz_limits.count_max);
    CHECK(m->framing != H1_BODY_LENGTH || (m->content_length && m->has_content_length));
    gw_buf_printf(&r->said, "%.*s %.*s %.*s:%u %u %.*s %u %d %llu %d%d%d\n", GW_STR_ARG(m->method),
                  GW_STR_ARG(m->target), GW_STR_ARG(m->host.name), m->host.port, m->status,
                  GW_STR_ARG(m->reason), m->minor, m->framing,
                  (unsigned long long)m->content_length, m->keep_alive, m->upgrade,
                  m->expect_continue);
    fuzz_say_fields(r, &m->headers);
}

static inline void fuzz_feed(struct fuzz_run *r, struct gw_str input)
{
    struct gw_str body;
    for (enum h1_event event = H1_HEAD; !r->over && event != H1_MORE;) {
        size_t before = input.len;
        event = h1_parser_next(r->parser, &input, &body);
        CHECK(input.len <= before);
        switch (event) {
        case H1_HEAD:
            fuzz_say_head(r);
            break;
        case H1_BODY:
            CHECK(body.len && body.len <= before);
            gw_buf_add(&r->body, body);
            break;
        case H1_END:
        case H1_ERROR:
            fuzz_say_fields(r, &r->message.trailers);
            gw_buf_printf(&r->said, "%d %d", event, r->message.error);
            r->over = true;
            break;
        case H1_MORE:
            CHECK(input.len == 0);
            break;
        }
    }
    r->rest += input.len;
}

static inline void fuzz_run(struct fuzz_run *r, enum h1_kind kind, enum http_method asked,
                            struct gw_str data, size_t step)
{
    *r = (struct fuzz_run){.parser = h1_parser_new(kind, &fuzz_limits)};
    gw_arena_init(&r->arena, NULL, 0, 1 << 20);
    gw_buf_init(&r->said, 1 << 20);
    gw_buf_init(&r->body, 1 << 20);
    if (kind == H1_REQUEST)
        h1_parser_begin(r->parser, &r->arena, &r->message);
    else
        h1_parser_begin_response(r->parser, &r->arena, &r->message, asked);
    while (data.len) {
        /* A copy of exact size: a sanitizer sees the first byte read past the piece. */
        struct gw_str piece = gw_str_first(data, step);
        char *copy = gw_str_dupz(piece);
        copy = gw_realloc(copy, piece.len);
        fuzz_feed(r, gw_str(copy, piece.len));
        free(copy);
        data = gw_str_from(data, piece.len);
    }
    if (!r->over)
        gw_buf_printf(&r->said, "eof %d %d", h1_parser_eof(r->parser), r->message.error);
}

static inline void fuzz_release(struct fuzz_run *r)
{
    h1_parser_free(r->parser);
    gw_arena_clear(&r->arena);
    gw_buf_release(&r->said);
    gw_buf_release(&r->body);
}

/* The first byte says how large the pieces are. */
static inline void fuzz_h1(enum h1_kind kind, enum http_method asked, struct gw_str data,
                           uint8_t seed)
{
    struct fuzz_run whole, pieces;
    fuzz_run(&whole, kind, asked, data, data.len ? data.len : 1);
    fuzz_run(&pieces, kind, asked, data, 1 + seed % 37);
    CHECK(gw_str_eq(gw_buf_str(&whole.said), gw_buf_str(&pieces.said)));
    CHECK(gw_str_eq(gw_buf_str(&whole.body), gw_buf_str(&pieces.body)));
    CHECK(whole.message.error || whole.rest == pieces.rest);
    fuzz_release(&whole);
    fuzz_release(&pieces);
}
