/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/access_log_line.h"

#include <time.h>

#include "gateway/exchange.h"
#include "gateway/http/date.h"

/* Ceilings in raw bytes. A byte costs at most three in the line ("\"" two, a byte that is not UTF-8
 * three, a combined line's \xHH four), and host and method are bounded by the parser's target and
 * name rules: all of it stays under ACCESS_LINE_MAX. */
#define URI_MAX     ((size_t)8192)
#define REFERER_MAX ((size_t)2048)
#define AGENT_MAX   ((size_t)1024)
#define HOST_MAX    ((size_t)256)
#define METHOD_MAX  ((size_t)32)

void access_line_init(struct access_line *line, const struct config_log *settings)
{
    *line = (struct access_line){.format = settings->format,
                                 .mask = settings->mask,
                                 .mask_count = settings->mask_count,
                                 .second = UINT64_MAX};
    gw_buf_init(&line->scratch, URI_MAX + 16);
}

void access_line_release(struct access_line *line)
{
    gw_buf_release(&line->scratch);
}

/* ---- masking ---- */

/* The next byte of percent-encoded text, lower case. A broken escape stands for itself. */
static char next_decoded(struct gw_str *text)
{
    char c = text->ptr[0];
    size_t used = 1;
    if (c == '%' && text->len >= 3 && gw_hex_value(text->ptr[1]) >= 0 &&
        gw_hex_value(text->ptr[2]) >= 0) {
        c = (char)(gw_hex_value(text->ptr[1]) << 4 | gw_hex_value(text->ptr[2]));
        used = 3;
    }
    *text = gw_str_from(*text, used);
    return gw_lower(c);
}

static bool is_name(struct gw_str encoded, struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!encoded.len || next_decoded(&encoded) != gw_lower(name.ptr[i]))
            return false;
    return encoded.len == 0;
}

static bool is_masked(const struct access_line *line, struct gw_str name)
{
    for (size_t i = 0; i < line->mask_count; i++)
        if (is_name(name, line->mask[i]))
            return true;
    return false;
}

static void add_masked_query(struct access_line *line, struct gw_str query)
{
    struct gw_buf *b = &line->scratch;
    struct gw_str item;
    for (bool first = true; gw_str_next(&query, '&', &item); first = false) {
        size_t equals = gw_str_chr(item, '=');
        if (!first)
            gw_buf_char(b, '&');
        if (equals != GW_NPOS && is_masked(line, gw_str_first(item, equals))) {
            gw_buf_add(b, gw_str_first(item, equals + 1));
            item = GW_STR("***");
        }
        gw_buf_add(b, item);
    }
}

/* The scratch holds at most `max` bytes of what was put there, and says when that was not all. */
static struct gw_str cut_scratch(struct access_line *line, size_t max)
{
    struct gw_buf *b = &line->scratch;
    if (b->len > max || b->overflow) {
        b->len = gw_min_size(b->len, max);
        b->overflow = false;
        gw_buf_add(b, GW_STR("…"));
    }
    return gw_buf_str(b);
}

static struct gw_str request_uri(struct access_line *line, const struct exchange *x)
{
    gw_buf_clear(&line->scratch);
    gw_buf_add(&line->scratch, gw_str_first(x->request.url.path, URI_MAX + 1));
    if (x->request.url.has_query) {
        gw_buf_char(&line->scratch, '?');
        add_masked_query(line, gw_str_first(x->request.url.query, URI_MAX + 1));
    }
    return cut_scratch(line, URI_MAX);
}

/* A URL like any other: the page a visitor came from may carry the same token in its query. */
static struct gw_str referer(struct access_line *line, const struct exchange *x)
{
    const struct gw_str *value = headers_get(&x->request.headers, HEADER_REFERER);
    if (!value)
        return GW_STR_EMPTY;
    size_t question = gw_min_size(gw_str_chr(*value, '?'), value->len);
    gw_buf_clear(&line->scratch);
    gw_buf_add(&line->scratch, gw_str_first(*value, gw_min_size(question, REFERER_MAX + 1)));
    if (question < value->len) {
        gw_buf_char(&line->scratch, '?');
        add_masked_query(line, gw_str_first(gw_str_from(*value, question + 1), REFERER_MAX + 1));
    }
    return cut_scratch(line, REFERER_MAX);
}

static struct gw_str user_agent(const struct exchange *x)
{
    const struct gw_str *value = headers_get(&x->request.headers, HEADER_USER_AGENT);
    return value ? gw_str_first(*value, AGENT_MAX) : GW_STR_EMPTY;
}

/* ---- what both formats say ---- */

static struct gw_str protocol(const struct exchange *x)
{
    return x->request.minor ? GW_STR("HTTP/1.1") : GW_STR("HTTP/1.0");
}

/* 499, as Cloudflare and nginx say it: the client left before there was an answer. */
static unsigned status(const struct exchange *x)
{
    return x->gone && !x->responded ? 499 : x->status;
}

static struct gw_str limiter_decision(const struct exchange_limit *limit)
{
    if (!limit->route || !limit->route->limiter)
        return GW_STR_EMPTY;
    if (!limit->decided)
        return GW_STR("undecided"); /* the client left while the backend was asked */
    switch (limit->verdict.outcome) {
    case LIMITER_ADMIT:
        return limit->verdict.would_deny ? GW_STR("shadow_deny") : GW_STR("admit");
    case LIMITER_DENY:
        return GW_STR("deny");
    case LIMITER_UNAVAILABLE:
        return GW_STR("unavailable");
    case LIMITER_WAIT:
        return GW_STR("undecided");
    }
    return GW_STR_EMPTY;
}

/* Logpush spells cache statuses in lower case, and "unknown" where the header is absent. */
static struct gw_str cache_word(enum cache_status status)
{
    static const struct gw_str names[] = {[CACHE_STATUS_NONE] = {"unknown", 7},
                                          [CACHE_STATUS_HIT] = {"hit", 3},
                                          [CACHE_STATUS_MISS] = {"miss", 4},
                                          [CACHE_STATUS_EXPIRED] = {"expired", 7},
                                          [CACHE_STATUS_REVALIDATED] = {"revalidated", 11},
                                          [CACHE_STATUS_UPDATING] = {"updating", 8},
                                          [CACHE_STATUS_STALE] = {"stale", 5},
                                          [CACHE_STATUS_BYPASS] = {"bypass", 6},
                                          [CACHE_STATUS_DYNAMIC] = {"dynamic", 7}};
    return names[status];
}

/* ---- JSON ---- */

/* For values that cannot hold a byte JSON would escape. */
static void add_plain(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    gw_buf_add(out, name);
    gw_buf_char(out, '"');
    gw_buf_add(out, value);
    gw_buf_char(out, '"');
}

static void add_text(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    gw_buf_add(out, name);
    gw_buf_json(out, value);
}

static void add_number(struct gw_buf *out, struct gw_str name, uint64_t value)
{
    gw_buf_add(out, name);
    gw_buf_u64(out, value);
}

static void add_time(struct access_line *line, struct gw_buf *out, struct gw_str name, uint64_t ms)
{
    uint64_t second = ms / 1000, part = ms % 1000;
    if (second != line->second) {
        date_format_iso((int64_t)(second * 1000), line->stamp);
        line->second = second;
    }
    line->stamp[20] = (char)('0' + part / 100);
    line->stamp[21] = (char)('0' + part / 10 % 10);
    line->stamp[22] = (char)('0' + part % 10);
    add_plain(out, name, gw_str(line->stamp, DATE_ISO_LEN));
}

static void add_hash(struct gw_buf *out, struct gw_str name, uint64_t hash)
{
    char hex[16];
    for (int i = 15; i >= 0; i--, hash >>= 4)
        hex[i] = "0123456789abcdef"[hash & 15];
    add_plain(out, name, gw_str(hex, sizeof(hex)));
}

static void add_request(struct access_line *line, const struct exchange *x, struct gw_buf *out)
{
    add_plain(out, GW_STR("{\"RayID\":"), gw_str_z(x->ray));
    add_plain(out, GW_STR(",\"ClientIP\":"), gw_str(x->client.ip_text, x->client.ip_text_len));
    add_text(out, GW_STR(",\"ClientRequestHost\":"), gw_str_first(x->request.host.name, HOST_MAX));
    add_text(out, GW_STR(",\"ClientRequestMethod\":"), gw_str_first(x->request.method, METHOD_MAX));
    add_text(out, GW_STR(",\"ClientRequestURI\":"), request_uri(line, x));
    add_plain(out, GW_STR(",\"ClientRequestScheme\":"),
              x->client.https ? GW_STR("https") : GW_STR("http"));
    add_plain(out, GW_STR(",\"ClientRequestProtocol\":"), protocol(x));
    add_text(out, GW_STR(",\"ClientRequestUserAgent\":"), user_agent(x));
    add_text(out, GW_STR(",\"ClientRequestReferer\":"), referer(line, x));
}

static void add_limiter(const struct exchange_limit *limit, struct gw_buf *out)
{
    const struct limiter *limiter = limit->route ? limit->route->limiter : NULL;
    add_plain(out, GW_STR(",\"Limiter\":"), limiter ? limiter->name : GW_STR_EMPTY);
    add_plain(out, GW_STR(",\"LimiterDecision\":"), limiter_decision(limit));
    if (limiter && limit->asked)
        add_hash(out, GW_STR(",\"LimiterKey\":"), limit->key_hash);
    else
        add_plain(out, GW_STR(",\"LimiterKey\":"), GW_STR_EMPTY);
}

/* Every line has every field: what reads them never meets a missing column. */
static void write_json(struct access_line *line, const struct exchange *x, uint64_t took_us,
                       struct gw_buf *out)
{
    uint64_t start_ms = x->now.wall_ms;
    add_request(line, x, out);
    add_time(line, out, GW_STR(",\"EdgeStartTimestamp\":"), start_ms);
    add_time(line, out, GW_STR(",\"EdgeEndTimestamp\":"), start_ms + took_us / 1000);
    add_number(out, GW_STR(",\"EdgeResponseStatus\":"), status(x));
    add_number(out, GW_STR(",\"EdgeResponseBytes\":"), x->bytes_sent);
    add_plain(out, GW_STR(",\"EdgeColoCode\":"), exchange_edge_name(x));
    add_plain(out, GW_STR(",\"CacheCacheStatus\":"), cache_word(x->cache.status));
    add_number(out, GW_STR(",\"OriginResponseStatus\":"), x->origin_status);
    add_number(out, GW_STR(",\"OriginResponseDurationMs\":"), x->origin_us / 1000);
    add_text(out, GW_STR(",\"ZoneName\":"), x->zone ? x->zone->config->name : GW_STR_EMPTY);
    add_limiter(&x->limit, out);
    gw_buf_add(out, GW_STR("}\n"));
}

/* ---- combined ---- */

/* A quoted field, escaped as nginx and Apache do: no visitor can end the field or the line. */
static void add_quoted(struct gw_buf *out, struct gw_str value)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            gw_buf_char(out, (char)c);
            continue;
        }
        gw_buf_add(out, GW_STR("\\x"));
        gw_buf_char(out, hex[c >> 4]);
        gw_buf_char(out, hex[c & 15]);
    }
}

static void add_quoted_or_dash(struct gw_buf *out, struct gw_str value)
{
    gw_buf_add(out, GW_STR(" \""));
    add_quoted(out, value.len ? value : GW_STR("-"));
    gw_buf_char(out, '"');
}

/* strftime would ask the locale for the month. */
static void add_common_time(struct gw_buf *out, uint64_t ms)
{
    char http[DATE_HTTP_LEN]; /* Sun, 06 Nov 1994 08:49:37 GMT */
    date_format((int64_t)(ms / 1000), http);
    gw_buf_add(out, GW_STR(" - - ["));
    gw_buf_add(out, gw_str(http + 5, 2));
    gw_buf_char(out, '/');
    gw_buf_add(out, gw_str(http + 8, 3));
    gw_buf_char(out, '/');
    gw_buf_add(out, gw_str(http + 12, 4));
    gw_buf_char(out, ':');
    gw_buf_add(out, gw_str(http + 17, 8));
    gw_buf_add(out, GW_STR(" +0000] \""));
}

static void write_combined(struct access_line *line, const struct exchange *x, struct gw_buf *out)
{
    gw_buf_add(out, gw_str(x->client.ip_text, x->client.ip_text_len));
    add_common_time(out, x->now.wall_ms);
    add_quoted(out, gw_str_first(x->request.method, METHOD_MAX));
    gw_buf_char(out, ' ');
    add_quoted(out, request_uri(line, x));
    gw_buf_char(out, ' ');
    gw_buf_add(out, protocol(x));
    gw_buf_add(out, GW_STR("\" "));
    gw_buf_u64(out, status(x));
    gw_buf_char(out, ' ');
    gw_buf_u64(out, x->bytes_sent);
    add_quoted_or_dash(out, referer(line, x));
    add_quoted_or_dash(out, user_agent(x));
    gw_buf_char(out, '\n');
}

void access_line_write(struct access_line *line, const struct exchange *x, uint64_t took_us,
                       struct gw_buf *out)
{
    switch (line->format) {
    case CONFIG_LOG_JSON:
        write_json(line, x, took_us, out);
        break;
    case CONFIG_LOG_COMMON:
        write_combined(line, x, out);
        break;
    }
}
