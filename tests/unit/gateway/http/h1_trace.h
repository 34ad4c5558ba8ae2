/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Feeds bytes to an h1_parser in pieces and writes down what it says as one line, so that a vector
 * is an input and the line expected: whole, byte by byte and cut at every offset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/buf.h"
#include "gateway/http/h1_parse.h"

struct h1_vector {
    const char *name;
    enum h1_kind kind;
    enum http_method asked; /* of the request that a response answers */
    struct gw_str bytes;
    const char *trace; /* as written by trace_pieces */
};

#define REQUEST(name, bytes, trace)                                                                \
    {                                                                                              \
        name, H1_REQUEST, METHOD_OTHER, GW_STR_INIT(bytes), trace                                  \
    }
#define RESPONSE(name, asked, bytes, trace)                                                        \
    {                                                                                              \
        name, H1_RESPONSE, METHOD_##asked, GW_STR_INIT(bytes), trace                               \
    }
#define GW_STR_INIT(literal)                                                                       \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

struct tracer {
    struct h1_parser *parser;
    struct h1_message message;
    struct gw_arena arena;
    struct gw_buf out;
    struct gw_buf body; /* pieces of one body run together: how they were cut does not count */
    size_t rest;        /* bytes behind the message */
    bool over;
};

static inline const char *error_name(int err)
{
#define X(name, number, text)                                                                      \
    if (err == (number))                                                                           \
        return &#name[3];
    GW_ERRORS(X)
#undef X
    return "?";
}

static inline void trace_fields(struct tracer *t, const struct headers *h)
{
    for (size_t i = 0; i < h->count; i++)
        gw_buf_printf(&t->out, " {%.*s:%.*s}", GW_STR_ARG(h->items[i].name),
                      GW_STR_ARG(h->items[i].value));
}

static inline void trace_head(struct tracer *t, enum h1_kind kind)
{
    static const char *const framings[] = {"none", "length", "chunked", "close"};
    const struct h1_message *m = &t->message;
    if (kind == H1_REQUEST) {
        gw_buf_printf(&t->out, "%.*s %.*s 1.%u @%.*s", GW_STR_ARG(m->method), GW_STR_ARG(m->target),
                      m->minor, GW_STR_ARG(m->host.name));
        if (m->host.port)
            gw_buf_printf(&t->out, ":%u", m->host.port);
    } else {
        gw_buf_printf(&t->out, "1.%u %u (%.*s)", m->minor, m->status, GW_STR_ARG(m->reason));
    }
    gw_buf_printf(&t->out, " %s", framings[m->framing]);
    if (m->has_content_length)
        gw_buf_printf(&t->out, "=%llu", (unsigned long long)m->content_length);
    gw_buf_printf(&t->out, "%s%s%s", m->keep_alive ? " keep" : "", m->upgrade ? " upgrade" : "",
                  m->expect_continue ? " expect" : "");
    for (size_t i = 0; i < m->headers.count; i++)
        if (m->headers.items[i].id == HEADER_OTHER)
            gw_buf_printf(&t->out, " {%.*s:%.*s}", GW_STR_ARG(m->headers.items[i].name),
                          GW_STR_ARG(m->headers.items[i].value));
    gw_buf_add(&t->out, GW_STR(";"));
}

static inline void trace_body(struct tracer *t)
{
    if (t->body.len)
        gw_buf_printf(&t->out, " \"%.*s\";", GW_STR_ARG(gw_buf_str(&t->body)));
    gw_buf_clear(&t->body);
}

static inline void trace_end(struct tracer *t)
{
    trace_body(t);
    gw_buf_add(&t->out, GW_STR(" end"));
    trace_fields(t, &t->message.trailers);
    t->over = true;
}

static inline void trace_event(struct tracer *t, enum h1_kind kind, enum h1_event event,
                               struct gw_str body)
{
    switch (event) {
    case H1_HEAD:
        trace_head(t, kind);
        break;
    case H1_BODY:
        assert_true(body.len > 0);
        gw_buf_add(&t->body, body);
        break;
    case H1_END:
        trace_end(t);
        break;
    case H1_ERROR:
        trace_body(t);
        gw_buf_printf(&t->out, "%s%s", t->out.len ? " " : "", error_name(t->message.error));
        t->over = true;
        break;
    case H1_MORE:
        break;
    }
}

/* One piece, in memory of exactly its size: a sanitizer sees the first byte read past it. */
static inline void trace_piece(struct tracer *t, enum h1_kind kind, struct gw_str piece)
{
    char *copy = malloc(piece.len ? piece.len : 1);
    if (piece.len)
        memcpy(copy, piece.ptr, piece.len);
    struct gw_str input = gw_str(copy, piece.len), body = GW_STR_EMPTY;
    enum h1_event event = H1_BODY;
    while (!t->over && event != H1_MORE) {
        event = h1_parser_next(t->parser, &input, &body);
        trace_event(t, kind, event, body);
    }
    t->rest += input.len;
    free(copy);
}

/* Cuts before `cut` (0: nowhere; GW_NPOS: everywhere). The caller frees the result. */
static inline char *trace_pieces(const struct h1_vector *v, const struct h1_limits *limits,
                                 size_t cut)
{
    struct tracer t = {.parser = h1_parser_new(v->kind, limits)};
    gw_arena_init(&t.arena, NULL, 0, 1 << 20);
    gw_buf_init(&t.out, 1 << 20);
    gw_buf_init(&t.body, 1 << 20);
    if (v->kind == H1_REQUEST)
        h1_parser_begin(t.parser, &t.arena, &t.message);
    else
        h1_parser_begin_response(t.parser, &t.arena, &t.message, v->asked);
    size_t step = cut == GW_NPOS ? 1 : cut ? cut : v->bytes.len;
    for (size_t at = 0; at < v->bytes.len;) {
        size_t len = at + step > v->bytes.len ? v->bytes.len - at : step;
        trace_piece(&t, v->kind, gw_str(v->bytes.ptr + at, len));
        at += len;
        step = cut == GW_NPOS ? 1 : v->bytes.len;
    }
    if (!t.over) {
        enum h1_event last = h1_parser_eof(t.parser);
        trace_event(&t, v->kind, last, GW_STR_EMPTY);
        if (last == H1_MORE)
            gw_buf_add(&t.out, GW_STR("nothing"));
    }
    if (t.rest && t.message.error == 0)
        gw_buf_printf(&t.out, " +%zu", t.rest);
    char *text = gw_str_dupz(gw_buf_str(&t.out));
    h1_parser_free(t.parser);
    gw_arena_clear(&t.arena);
    gw_buf_release(&t.out);
    gw_buf_release(&t.body);
    return text;
}

static inline unsigned check_cut(const struct h1_vector *v, const struct h1_limits *limits,
                                 size_t cut)
{
    char *got = trace_pieces(v, limits, cut);
    bool ok = strcmp(got, v->trace) == 0;
    if (!ok)
        fprintf(stderr, "%s, cut at %zd:\n  expected %s\n  got      %s\n", v->name, (ssize_t)cut,
                v->trace, got);
    free(got);
    return !ok;
}

static inline void check_vectors(const struct h1_vector *vectors, size_t count,
                                 const struct h1_limits *limits)
{
    unsigned failures = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned before = failures;
        failures += check_cut(&vectors[i], limits, 0);
        failures += check_cut(&vectors[i], limits, GW_NPOS);
        for (size_t cut = 1; cut < vectors[i].bytes.len && failures == before; cut++)
            failures += check_cut(&vectors[i], limits, cut);
    }
    assert_int_equal(failures, 0);
}
