/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/reply.h"

#include <errno.h>

#include "gateway/http/h1_write.h"
#include "limiter/answer.h"

#define PAGE_MAX ((size_t)8192)

struct page {
    unsigned status;
    const char *title;
    const char *text;
};

static const struct page pages[] = {
    {400, "Bad request", "The request could not be understood: it is malformed or ambiguous."},
    {403, "Access denied", "The request came back to the edge that had forwarded it (error 1000)."},
    {404, "No such host", "No zone of this edge answers for the host of the request."},
    {405, "Method not allowed", "This method is not proxied."},
    {408, "Request timeout", "The request did not arrive in time."},
    {413, "Payload too large", "The request body is larger than the zone's plan allows."},
    {414, "URI too long", "The address of the request is longer than 16 KiB."},
    {431, "Request header fields too large", "The header section is larger than the edge accepts."},
    {500, "Internal error", "The edge could not handle the request."},
    {501, "Not implemented", "The edge does not know this transfer coding or method."},
    {502, "Bad gateway", "The origin, itself a gateway, got no valid answer from behind it."},
    {503, "Service unavailable", "The edge cannot serve the request now."},
    {504, "Gateway timeout", "The origin, itself a gateway, got no answer from behind it in time."},
    {505, "HTTP version not supported", "The edge speaks HTTP/1.0 and HTTP/1.1 here."},
    {520, "Web server returned an unknown error",
     "The origin's answer was empty, broken or not HTTP."},
    {521, "Web server is down", "The origin refused the connection."},
    {522, "Connection timed out", "No connection to the origin could be made in time."},
    {523, "Origin is unreachable", "There is no route to the origin."},
    {524, "A timeout occurred", "The origin took the connection and did not answer in time."},
    {525, "SSL handshake failed", "The TLS handshake with the origin failed."},
    {526, "Invalid SSL certificate", "The origin's certificate is not valid for it."},
    {530, "Origin DNS error", "The origin's name could not be resolved (error 1016)."},
};

static const struct page *page_of(unsigned status)
{
    static const struct page unknown = {500, "Internal error",
                                        "The edge could not handle the request."};
    for (size_t i = 0; i < GW_COUNT(pages); i++)
        if (pages[i].status == status)
            return &pages[i];
    return &unknown;
}

/* JSON only for who asks for it by name: browsers say text/html, tools say nothing or star. */
static bool wants_json(const struct exchange *x)
{
    const struct gw_str *accept = headers_get(&x->request.headers, HEADER_ACCEPT);
    return accept && gw_str_find(*accept, GW_STR("application/json")) != GW_NPOS &&
           gw_str_find(*accept, GW_STR("text/html")) == GW_NPOS;
}

static void write_html(const struct exchange *x, const struct page *page, struct gw_buf *b)
{
    gw_buf_printf(b,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<title>%u: %s</title></head>\n<body><h1>Error %u</h1><h2>%s</h2><p>%s</p>\n"
                  "<p>Ray ID: <code>%s</code></p></body></html>\n",
                  page->status, page->title, page->status, page->title, page->text, x->ray);
}

static void write_json(const struct exchange *x, const struct page *page, struct gw_buf *b)
{
    gw_buf_printf(b,
                  "{\"success\":false,\"error\":{\"code\":%u,\"title\":\"%s\",\"message\":\"%s\"},"
                  "\"ray_id\":\"%s\"}\n",
                  page->status, page->title, page->text, x->ray);
}

static void set_reply(struct exchange *x, unsigned status, struct gw_str lines, struct gw_str body)
{
    x->reply = (struct exchange_reply){status, lines, body};
    x->step = STEP_REPLY;
}

void reply_error(struct exchange *x, unsigned status)
{
    const struct page *page = page_of(status);
    char *space = gw_arena_alloc(&x->arena, PAGE_MAX);
    if (!space) { /* the arena is full of a huge head: no page then */
        set_reply(x, status, GW_STR("Cache-Control: no-store\r\n"), GW_STR_EMPTY);
        return;
    }
    struct gw_buf body = gw_buf_over(space, PAGE_MAX / 2);
    struct gw_buf lines = gw_buf_over(space + PAGE_MAX / 2, PAGE_MAX / 2);
    bool json = wants_json(x);
    if (json)
        write_json(x, page, &body);
    else
        write_html(x, page, &body);
    gw_buf_add(&lines, json ? GW_STR("Content-Type: application/json\r\n")
                            : GW_STR("Content-Type: text/html; charset=utf-8\r\n"));
    gw_buf_add(&lines, GW_STR("Cache-Control: no-store\r\n"));
    if (status >= 520)
        gw_buf_printf(&lines, "cf-error-type: %u\r\ncf-error-origin: cloudflare\r\n",
                      status == 530 ? 1016 : status);
    if (status == 503)
        gw_buf_add(&lines, GW_STR("Retry-After: 1\r\n"));
    set_reply(x, status, gw_buf_str(&lines), gw_buf_str(&body));
}

bool reply_brands(const struct exchange *x, unsigned status)
{
    if (status != 502 && status != 504)
        return false;
    const struct cache_settings *rule =
        cache_settings_get(&x->rules.settings, CACHE_SETTING_ORIGIN_ERROR_PAGE_PASSTHRU);
    return !rule || !rule->origin_error_page_passthru;
}

static unsigned origin_status(int err)
{
    switch (err) {
    case -ECONNREFUSED:
    case -ENOENT: /* a Unix socket that is not there */
        return 521;
    case GW_ETIMEOUT_CONNECT:
    case -ETIMEDOUT:
        return 522;
    case -EHOSTUNREACH:
    case -ENETUNREACH:
        return 523;
    case GW_ETIMEOUT_READ:
    case GW_ETIMEOUT_WRITE:
        return 524;
    case GW_ETLS:
        return 525;
    case GW_ECERT:
        return 526;
    case GW_ERESOLVE:
        return 530;
    default:
        return 520;
    }
}

void reply_origin_error(struct exchange *x, int err)
{
    x->origin_error = err;
    reply_error(x, origin_status(err));
}

unsigned reply_parse_status(int err)
{
    switch (err) {
    case GW_EURI:
        return 414;
    case GW_EHEADERS:
        return 431;
    case GW_EVERSION:
        return 505;
    case GW_ENOTIMPL:
        return 501;
    case GW_ELIMIT:
        return 413;
    case GW_ETIMEOUT_READ:
        return 408;
    default:
        return 400;
    }
}

void reply_limited(struct exchange *x)
{
    char *scratch = gw_arena_alloc(&x->arena, LIMITER_ANSWER_SIZE);
    if (!scratch) {
        reply_error(x, 503);
        return;
    }
    struct limiter_answer answer = limiter_answer(x->limit.route, &x->limit.verdict, scratch);
    set_reply(x, answer.status, answer.head, answer.body);
}
