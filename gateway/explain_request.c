/* SPDX-License-Identifier: Apache-2.0 */
/* The question as the bytes a client would send, read by the parser that sessions use: what is
 * refused at the door is refused here, with the same status. */
#include "gateway/explain_inside.h"
#include "gateway/reply.h"

#define WIRE_MAX ((size_t)1 << 20)

/* Everything a URL can carry that a request cannot (a fragment) is dropped, as a browser does. */
static bool read_url(const struct explain_question *q, struct url *url, char *error)
{
    struct gw_str text = gw_str_first(q->url, gw_str_chr(q->url, '#'));
    if (url_parse(text, false, url) && url->form == URL_ABSOLUTE_FORM)
        return true;
    snprintf(error, EXPLAIN_ERROR_MAX, "\"%.*s\" is no URL; write https://host/path?query",
             (int)gw_min_size(q->url.len, 160), q->url.ptr ? q->url.ptr : "");
    return false;
}

/* A header that could end its line would ask about another request than the one it shows. */
static bool add_headers(const struct headers *headers, struct gw_buf *wire, bool *has_host,
                        char *error)
{
    for (size_t i = 0; headers && i < headers->count; i++) {
        const struct header *h = &headers->items[i];
        if (!header_name_valid(h->name) || !header_value_valid(h->value)) {
            snprintf(error, EXPLAIN_ERROR_MAX, "\"%.*s\" is no header field",
                     (int)gw_min_size(h->name.len, 64), h->name.ptr ? h->name.ptr : "");
            return false;
        }
        *has_host |= h->id == HEADER_HOST;
        gw_buf_add(wire, h->name);
        gw_buf_add(wire, GW_STR(": "));
        gw_buf_add(wire, h->value);
        gw_buf_add(wire, GW_STR("\r\n"));
    }
    return true;
}

/* CONNECT has the authority form and no other, always with a port (RFC 9112 section 3.2.3). */
static void add_target(const struct explain_question *q, const struct url *url, struct gw_buf *wire)
{
    if (gw_str_eq(q->method, GW_STR("CONNECT"))) {
        bool has_port = gw_str_rchr(url->authority, ':') != GW_NPOS;
        gw_buf_add(wire, url->authority);
        gw_buf_add(wire, has_port ? GW_STR_EMPTY : GW_STR(":443"));
        return;
    }
    gw_buf_add(wire, url->path.len ? url->path : GW_STR("/"));
    if (url->has_query) {
        gw_buf_char(wire, '?');
        gw_buf_add(wire, url->query);
    }
}

static void add_request_line(const struct explain_question *q, const struct url *url,
                             struct gw_buf *wire)
{
    gw_buf_add(wire, q->method.len ? q->method : GW_STR("GET"));
    gw_buf_char(wire, ' ');
    add_target(q, url, wire);
    gw_buf_add(wire, GW_STR(" HTTP/1.1\r\n"));
}

static void parse(struct explain *e, struct gw_str wire)
{
    const struct config_limits *config = &e->snapshot->config->limits;
    struct h1_limits limits = H1_LIMITS_DEFAULT;
    limits.target_max = config->uri_size;
    limits.head_max = config->header_size;
    struct h1_parser *parser = h1_parser_new(H1_REQUEST, &limits);
    struct gw_str body;
    h1_parser_begin(parser, &e->arena, &e->request);
    if (h1_parser_next(parser, &wire, &body) != H1_HEAD) {
        e->refused = reply_parse_status(e->request.error);
        e->refusal = gw_strerror(e->request.error);
    }
    h1_parser_free(parser);
}

bool explain_read_request(struct explain *e, const struct explain_question *q, char *error)
{
    struct url url;
    struct url_host host;
    struct gw_buf wire, fields;
    bool has_host = false;
    if (!read_url(q, &url, error))
        return false;
    gw_buf_init(&wire, WIRE_MAX);
    gw_buf_init(&fields, WIRE_MAX);
    bool good = add_headers(q->headers, &fields, &has_host, error);
    add_request_line(q, &url, &wire);
    if (!has_host) {
        gw_buf_add(&wire, GW_STR("Host: "));
        gw_buf_add(&wire, url.authority);
        gw_buf_add(&wire, GW_STR("\r\n"));
    }
    gw_buf_add(&wire, gw_buf_str(&fields));
    gw_buf_add(&wire, GW_STR("\r\n"));
    if (good && wire.overflow) {
        snprintf(error, EXPLAIN_ERROR_MAX, "the request is larger than %zu bytes", WIRE_MAX);
        good = false;
    }
    e->url = gw_arena_dup(&e->arena, q->url);
    e->visit.https = gw_str_ieq(url.scheme, GW_STR("https"));
    e->visit.port = e->visit.https ? 443 : 80;
    if (url_host_parse(url.authority, &e->arena, &host) && host.port)
        e->visit.port = host.port;
    if (good)
        parse(e, gw_buf_str(&wire));
    gw_buf_release(&fields);
    gw_buf_release(&wire);
    return good;
}
