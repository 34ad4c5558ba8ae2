/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/response_lines.h"

#include "cache/freshness.h"
#include "gateway/http/date.h"
#include "gateway/http/forward.h"
#include "gateway/http/h1_write.h"
#include "gateway/recode_exchange.h"

#define INFORMATIONAL_MAX ((size_t)256 * 1024)

/* For the edge alone (Cache-Tag, Cloudflare-CDN-Cache-Control, what nginx takes as orders), or said
 * by the edge itself, whose words an origin must not put into its mouth. */
static bool is_not_for_clients(const struct exchange *x, const struct header *field)
{
    switch (field->id) {
    case HEADER_CONTENT_LENGTH:
    case HEADER_CACHE_TAG:
    case HEADER_CLOUDFLARE_CDN_CACHE_CONTROL:
    case HEADER_X_ACCEL_BUFFERING:
    case HEADER_X_ACCEL_CHARSET:
    case HEADER_X_ACCEL_LIMIT_RATE:
    case HEADER_X_ACCEL_REDIRECT:
    case HEADER_CF_RAY:
    case HEADER_CF_CACHE_STATUS:
        return true;
    case HEADER_SERVER:
        return x->ws->snapshot->config->server_header.len > 0;
    default:
        return gw_str_ieq(gw_str_first(field->name, 11), GW_STR("x-nearedge-"));
    }
}

static void add_date(struct exchange *x, struct gw_buf *out)
{
    char date[DATE_HTTP_LEN];
    date_format((int64_t)(x->now.date_ms / 1000), date);
    gw_buf_add(out, GW_STR("Date: "));
    gw_buf_add(out, gw_str(date, sizeof(date)));
    gw_buf_add(out, GW_STR("\r\n"));
}

void response_lines_origin(struct exchange *x, struct gw_buf *out)
{
    const struct headers *fields = x->answer_fields;
    struct forward forward;
    forward_prepare(&forward, fields);
    for (size_t i = 0; i < fields->count; i++) {
        const struct header *field = &fields->items[i];
        if (is_not_for_clients(x, field) || forward_is_hop_by_hop(&forward, field) ||
            recode_field(x->delivery.recoding, field, out))
            continue;
        if (!h1_write_field(out, field->name, field->value))
            out->overflow = true;
    }
    recode_add_vary(x->delivery.recoding, fields, out);
    recode_add_coding(x->delivery.recoding, out);
    if (!headers_has(fields, HEADER_DATE))
        add_date(x, out); /* RFC 9110 section 6.6.1: a recipient that forwards adds it */
}

void response_informational(struct exchange *x, const struct h1_message *answer)
{
    struct gw_buf lines;
    if (x->request.minor == 0)
        return; /* RFC 9110 section 15.2: HTTP/1.0 clients do not know 1xx */
    gw_buf_init(&lines, INFORMATIONAL_MAX);
    for (size_t i = 0; i < answer->headers.count; i++)
        if (!h1_write_field(&lines, answer->headers.items[i].name, answer->headers.items[i].value))
            lines.overflow = true;
    if (!lines.overflow)
        x->io->informational(x->session, answer->status, gw_buf_str(&lines));
    gw_buf_release(&lines);
}

static void add_line(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    gw_buf_add(out, name);
    gw_buf_add(out, value);
    gw_buf_add(out, GW_STR("\r\n"));
}

static void add_rate_acts(const struct exchange *x, struct gw_buf *out)
{
    const struct rate_verdict *verdict = &x->rate->verdict;
    for (size_t i = 0; i < verdict->act_count; i++)
        gw_buf_printf(out, "; ratelimit=%u %.*s", verdict->acts[i].rule + 1u,
                      GW_STR_ARG(ruleset_rule(x->zone->rate_rules, verdict->acts[i].rule)->action));
}

static void add_decision(struct exchange *x, struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("X-Nearedge-Decision: cache="));
    struct gw_str status = cache_status_name(x->cache.status);
    gw_buf_add(out, status.len ? status : GW_STR("NONE"));
    if (x->cache.reason)
        gw_buf_printf(out, " (%.*s)", GW_STR_ARG(cache_reason_text(x->cache.reason)));
    for (size_t word = 0; word < GW_COUNT(x->rules.matched); word++)
        for (uint64_t rest = x->rules.matched[word]; rest; rest &= rest - 1)
            gw_buf_printf(out, "; rule=%zu", word * 64 + (size_t)__builtin_ctzll(rest) + 1);
    if (x->rate)
        add_rate_acts(x, out);
    if (x->limit.route) {
        const struct limiter_verdict *v = &x->limit.verdict;
        gw_buf_printf(out, "; limiter=%.*s %u/%u", GW_STR_ARG(x->limit.route->limiter->name),
                      v->count, v->limit);
        gw_buf_add(out, v->outcome == LIMITER_ADMIT
                            ? v->would_deny ? GW_STR(" shadow-deny") : GW_STR(" admit")
                        : v->outcome == LIMITER_ERROR ? GW_STR(" error")
                                                      : GW_STR(" deny"));
        if (v->degraded)
            gw_buf_add(out, GW_STR(" degraded")); /* the failure policy answered, not the store */
    }
    gw_buf_add(out, GW_STR("\r\n"));
}

void response_lines_edge(struct exchange *x, struct gw_buf *out)
{
    const struct config *config = x->ws->snapshot->config;
    if (config->server_header.len)
        add_line(out, GW_STR("Server: "), config->server_header);
    struct gw_str status = cache_status_name(x->cache.status);
    if (status.len && !(x->zone && exchange_zone(x)->worker_first))
        add_line(out, GW_STR("CF-Cache-Status: "), status);
    if (cache_status_has_age(x->cache.status) && x->cache.whole) {
        gw_buf_add(out, GW_STR("Age: "));
        gw_buf_u64(out, cache_age_s(x->cache.object, x->now.wall_ms));
        gw_buf_add(out, GW_STR("\r\n"));
    }
    gw_buf_add(out, GW_STR("CF-Ray: "));
    gw_buf_add(out, gw_str(x->ray, 16));
    gw_buf_char(out, '-');
    add_line(out, GW_STR_EMPTY, exchange_edge_name(x));
    if (config->debug_headers)
        add_decision(x, out);
}
