/* SPDX-License-Identifier: Apache-2.0 */
/* Field lists of HTTP/2, "name=value" a line. What is accepted must read the same when it is
 * written as text: then no origin can be told something that HTTP/1 clients could not say. Byte 0:
 * does a body follow. */
#include "gateway/http/h1_write.h"
#include "gateway/http/h2_request.h"
#include "tests/fuzz/fuzz_http_h1.h"

static int read_fields(struct h2_request *r, struct gw_str data, bool ended)
{
    struct gw_str line;
    while (gw_str_next(&data, '\n', &line)) {
        size_t at = line.len ? gw_str_chr(gw_str_from(line, 1), '=') : GW_NPOS;
        if (at == GW_NPOS)
            continue;
        h2_request_field(r, gw_str_first(line, at + 1), gw_str_from(line, at + 2));
    }
    return h2_request_end(r, ended);
}

static void write_text(const struct h1_message *m, struct gw_buf *b)
{
    CHECK(h1_write_request(b, m->method, m->target));
    for (size_t i = 0; i < m->headers.count; i++)
        CHECK(h1_write_field(b, m->headers.items[i].name, m->headers.items[i].value));
    if (m->framing == H1_BODY_CHUNKED)
        gw_buf_add(b, GW_STR("Transfer-Encoding: chunked\r\n"));
    if (m->upgrade)
        gw_buf_add(b, GW_STR("Connection: upgrade\r\n"));
    h1_write_end(b);
}

static void check_same(const struct h1_message *a, const struct h1_message *b)
{
    CHECK(gw_str_eq(a->method, b->method) && a->method_id == b->method_id);
    CHECK(gw_str_eq(a->url.path, b->url.path) && gw_str_eq(a->url.query, b->url.query));
    CHECK(a->url.form == b->url.form && a->url.has_query == b->url.has_query);
    CHECK(gw_str_eq(a->host.name, b->host.name) && a->host.port == b->host.port);
    CHECK(a->framing == b->framing && a->content_length == b->content_length);
    CHECK(a->upgrade == b->upgrade && a->expect_continue == b->expect_continue);
    CHECK(a->headers.count + (a->framing == H1_BODY_CHUNKED) + a->upgrade == b->headers.count);
}

static void compare(const struct h1_message *m)
{
    const struct h1_limits wide = {1 << 12, 1 << 14, 64};
    struct h1_parser *parser = h1_parser_new(H1_REQUEST, &wide);
    struct gw_arena arena;
    struct h1_message text;
    struct gw_buf bytes;
    struct gw_str body;
    gw_arena_init(&arena, NULL, 0, 1 << 20);
    gw_buf_init(&bytes, 1 << 20);
    write_text(m, &bytes);
    struct gw_str input = gw_buf_str(&bytes);
    h1_parser_begin(parser, &arena, &text);
    CHECK(h1_parser_next(parser, &input, &body) == H1_HEAD && !input.len);
    check_same(m, &text);
    h1_parser_free(parser);
    gw_buf_release(&bytes);
    gw_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_arena arena;
    struct h1_message m;
    struct h2_request r;
    if (!size)
        return 0;
    gw_arena_init(&arena, NULL, 0, 1 << 20);
    h2_request_begin(&r, &arena, &m, &fuzz_limits);
    int err = read_fields(&r, gw_str((const char *)data + 1, size - 1), data[0] & 1);
    CHECK(m.error == err);
    if (!err) {
        fuzz_check_fields(&m.headers);
        CHECK(m.headers.count <= fuzz_limits.count_max && m.target.len <= 64);
        compare(&m);
    }
    gw_arena_clear(&arena);
    return 0;
}
