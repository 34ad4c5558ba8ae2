/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/reply.h"

#include <errno.h>

#include "gateway/base/log.h"
#include "gateway/http/date.h"
#include "gateway/http/h1_write.h"
#include "limiter/answer.h"
#include "limiter/window.h"

#define PAGE_MAX       ((size_t)8192)
/* Refusals come in floods: with these an exchange's first block holds the usual head and the page.
 */
#define RATE_PAGE_MAX  ((size_t)1536)
#define RATE_LINES_MAX ((size_t)256)

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

static void show(struct exchange *x, unsigned status, const struct page *page)
{
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

void reply_error(struct exchange *x, unsigned status)
{
    show(x, status, page_of(status));
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
    unsigned status = origin_status(err);
    x->origin_error = err;
    /* Without the ray, which the access log has: the lines of an outage are equal and summarised.
     */
    gw_log_warn("origin failed zone=%.*s status=%u reason=\"%s\" origin=%.*s",
                GW_STR_ARG(exchange_zone(x)->name), status, gw_strerror(err),
                GW_STR_ARG(x->destination.origin->config->url));
    reply_error(x, status);
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

/* ---- rate limiting rules ---- */

static const struct rate_limit *refusing_rule(const struct exchange *x)
{
    const struct rate_verdict *verdict = &x->rate->verdict;
    return ruleset_rule(x->zone->rate_rules, verdict->acts[verdict->act_count - 1].rule)->rate;
}

/* Empty: the page is for a browser. */
static struct gw_str problem_type(const struct exchange *x)
{
    const struct gw_str *accept = headers_get(&x->request.headers, HEADER_ACCEPT);
    if (accept && gw_str_find(*accept, GW_STR("application/problem+json")) != GW_NPOS)
        return GW_STR("application/problem+json");
    return wants_json(x) ? GW_STR("application/json") : GW_STR_EMPTY;
}

/* RFC 9457, with the members that Cloudflare's 1xxx errors have had since March 2026: clients are
 * told to act on error_code, retryable and retry_after. */
static void write_problem(const struct exchange *x, const struct page *page, unsigned status,
                          uint32_t retry_after_s, struct gw_buf *b)
{
    char stamp[DATE_ISO_LEN];
    date_format_iso((int64_t)x->now.date_ms, stamp);
    gw_buf_printf(b,
                  "{\"type\":\"https://developers.cloudflare.com/support/troubleshooting/"
                  "http-status-codes/cloudflare-1xxx-errors/error-%u/\","
                  "\"title\":\"Error %u: %s\",\"status\":%u,\"detail\":\"%s\","
                  "\"instance\":\"%s\",\"error_code\":%u,\"error_name\":\"rate_limited\","
                  "\"error_category\":\"rate_limit\",\"ray_id\":\"%s\","
                  "\"timestamp\":\"%.19sZ\",\"zone\":",
                  page->status, page->status, page->title, status, page->text, x->ray, page->status,
                  x->ray, stamp);
    gw_buf_json(b, x->request.host.name);
    gw_buf_printf(b,
                  ",\"cloudflare_error\":true,\"retryable\":true,\"retry_after\":%u,"
                  "\"owner_action_required\":false}\n",
                  retry_after_s);
}

/* The page where a rule has none of its own. */
static void write_rate_page(const struct exchange *x, unsigned status, uint32_t retry_after_s,
                            struct gw_buf *lines, struct gw_buf *body)
{
    static const struct page page = {1015, "You are being rate limited",
                                     "A rate limiting rule of this site counts too many requests."};
    struct gw_str type = problem_type(x);
    if (type.len)
        write_problem(x, &page, status, retry_after_s, body);
    else
        write_html(x, &page, body);
    gw_buf_printf(lines, "Content-Type: %.*s; charset=utf-8\r\n",
                  GW_STR_ARG(type.len ? type : GW_STR("text/html")));
    gw_buf_add(lines, GW_STR("cf-error-type: 1015\r\ncf-error-origin: cloudflare\r\n"));
}

void reply_rate_limited(struct exchange *x)
{
    static const struct page challenge = {
        403, "Are you human?",
        "Cloudflare would challenge this visitor; nearedge shows this page and lets nobody pass."};
    const struct rate_limit *rate = refusing_rule(x);
    if (rate->action == RATE_CHALLENGE) {
        show(x, 403, &challenge);
        return;
    }
    uint32_t retry_after_s = window_retry_after_s(x->rate->verdict.until_ms, x->now.wall_ms);
    char *space = gw_arena_alloc(&x->arena, RATE_LINES_MAX + RATE_PAGE_MAX);
    if (!space) {
        set_reply(x, rate->response.status, GW_STR("Cache-Control: no-store\r\n"), GW_STR_EMPTY);
        return;
    }
    struct gw_buf body = gw_buf_over(space, RATE_PAGE_MAX);
    struct gw_buf lines = gw_buf_over(space + RATE_PAGE_MAX, RATE_LINES_MAX);
    struct gw_str own = rate->response.content;
    if (own.len)
        gw_buf_printf(&lines, "Content-Type: %.*s\r\n", GW_STR_ARG(rate->response.content_type));
    else
        write_rate_page(x, rate->response.status, retry_after_s, &lines, &body);
    gw_buf_printf(&lines, "Cache-Control: no-store\r\nRetry-After: %u\r\n", retry_after_s);
    set_reply(x, rate->response.status, gw_buf_str(&lines), own.len ? own : gw_buf_str(&body));
}

void reply_app_check(struct exchange *x, enum app_check check)
{
    char *scratch = gw_arena_alloc(&x->arena, LIMITER_ANSWER_SIZE);
    if (!scratch) {
        reply_error(x, 403);
        return;
    }
    struct limiter_answer answer = app_check_answer(check, x->request.method_id, scratch);
    set_reply(x, answer.status, answer.head, answer.body);
}
