/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/access_log_line.h"

#include "gateway/exchange.h"
#include "gateway/http/date.h"

/* Ceilings in raw bytes. Escaping makes at most six bytes of one (\u001f), the names of edges,
 * zones and limiters come from the configuration and are under 256 bytes each, everything else is
 * fixed: at most 6 × 12.1 KiB and 3 KiB, which is why the pen below never asks for room. */
#define URI_MAX     ((size_t)8192)
#define REFERER_MAX ((size_t)2048)
#define AGENT_MAX   ((size_t)1024)
#define HOST_MAX    ((size_t)256)
#define METHOD_MAX  ((size_t)32)
#define TEXT_MAX    ((size_t)256)
#define RULE_MAX    ((size_t)64) /* ids have 32 */

void access_line_init(struct access_line *line, const struct config_log *settings)
{
    *line = (struct access_line){.format = settings->format,
                                 .mask = settings->mask,
                                 .mask_count = settings->mask_count,
                                 .second = UINT64_MAX};
}

/* ---- the pen: writes into reserved room ---- */

/* No checks and no calls a byte: with a bounds check in each append a line cost five times as much.
 */
struct pen {
    char *at;
};

static inline void put(struct pen *pen, struct gw_str s)
{
    if (s.len)
        memcpy(pen->at, s.ptr, s.len);
    pen->at += s.len;
}

static inline void put_char(struct pen *pen, char c)
{
    *pen->at++ = c;
}

static void put_number(struct pen *pen, uint64_t value)
{
    pen->at += gw_u64_digits(pen->at, value);
}

#define ALL(byte) (0x0101010101010101u * (uint64_t)(byte))

/* Nonzero iff a byte of `word` is zero (the test, not the place, is exact). */
static inline uint64_t has_zero(uint64_t word)
{
    return (word - ALL(1)) & ~word & ALL(0x80);
}

/* Length of the front of s that both formats write as it is: printable ASCII but " and \. Eight
 * bytes a step: User-Agents alone are over a hundred. */
static size_t plain_length(struct gw_str s)
{
    size_t n = 0;
    for (; s.len - n >= 8; n += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + n, sizeof(word));
        uint64_t outside = (word | ((word - ALL(0x20)) & ~word)) & ALL(0x80);
        if (outside | has_zero(word ^ ALL('"')) | has_zero(word ^ ALL('\\')) |
            has_zero(word ^ ALL(0x7f)))
            break;
    }
    while (n < s.len && s.ptr[n] >= 0x20 && s.ptr[n] < 0x7f && s.ptr[n] != '"' && s.ptr[n] != '\\')
        n++;
    return n;
}

static void put_hex(struct pen *pen, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    put_char(pen, hex[c >> 4]);
    put_char(pen, hex[c & 15]);
}

/* The inside of a JSON string; bytes that are not UTF-8 become U+FFFD. */
static void put_json(struct pen *pen, struct gw_str s)
{
    while (s.len) {
        size_t n = plain_length(s);
        put(pen, gw_str_first(s, n));
        s = gw_str_from(s, n);
        if (!s.len)
            return;
        unsigned char c = (unsigned char)s.ptr[0];
        n = gw_utf8_length(s);
        if (n == 0) {
            put(pen, GW_STR("\xEF\xBF\xBD"));
        } else if (c < 0x20 || c == 0x7f) {
            put(pen, GW_STR("\\u00"));
            put_hex(pen, c);
        } else {
            if (c == '"' || c == '\\')
                put_char(pen, '\\');
            put(pen, gw_str_first(s, n));
        }
        s = gw_str_from(s, n ? n : 1);
    }
}

/* The inside of a quoted field, escaped as nginx and Apache do: no visitor can end it. */
static void put_quoted(struct pen *pen, struct gw_str s)
{
    while (s.len) {
        size_t n = plain_length(s);
        put(pen, gw_str_first(s, n));
        s = gw_str_from(s, n);
        if (!s.len)
            return;
        put(pen, GW_STR("\\x"));
        put_hex(pen, (unsigned char)s.ptr[0]);
        s = gw_str_from(s, 1);
    }
}

/* ---- fields that clients write ---- */

/* A text in pieces, escaped as its format wants and cut where its ceiling is. */
struct field {
    struct pen *pen;
    void (*escape)(struct pen *pen, struct gw_str s);
    size_t left;
    bool cut;
};

static void add(struct field *f, struct gw_str piece)
{
    if (f->cut)
        return;
    f->escape(f->pen, gw_str_first(piece, f->left));
    f->cut = piece.len > f->left;
    if (f->cut)
        f->escape(f->pen, GW_STR("…"));
    else
        f->left -= piece.len;
}

static bool is_name(struct gw_str encoded, struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!encoded.len || gw_lower(url_next_decoded(&encoded)) != gw_lower(name.ptr[i]))
            return false;
    return encoded.len == 0;
}

bool access_line_masks(const struct access_line *line, struct gw_str name)
{
    for (size_t i = 0; i < line->mask_count; i++)
        if (is_name(name, line->mask[i]))
            return true;
    return false;
}

static void add_query(const struct access_line *line, struct field *f, struct gw_str query)
{
    struct gw_str item;
    add(f, GW_STR("?"));
    if (!line->mask_count) {
        add(f, query);
        return;
    }
    for (bool first = true; !f->cut && gw_str_next(&query, '&', &item); first = false) {
        size_t equals = gw_str_chr(item, '=');
        if (!first)
            add(f, GW_STR("&"));
        if (equals != GW_NPOS && access_line_masks(line, gw_str_first(item, equals))) {
            add(f, gw_str_first(item, equals + 1));
            item = GW_STR("***");
        }
        add(f, item);
    }
}

static void add_uri(const struct access_line *line, struct field *f, const struct exchange *x)
{
    f->left = URI_MAX;
    add(f, x->request.url.path);
    if (x->request.url.has_query)
        add_query(line, f, x->request.url.query);
}

/* A URL like any other: the page a visitor came from may carry the same token in its query. */
static void add_referer(const struct access_line *line, struct field *f, const struct gw_str *value)
{
    size_t question = gw_min_size(gw_str_chr(*value, '?'), value->len);
    f->left = REFERER_MAX;
    add(f, gw_str_first(*value, question));
    if (question < value->len)
        add_query(line, f, gw_str_from(*value, question + 1));
}

static void add_agent(struct field *f, const struct gw_str *value)
{
    f->left = AGENT_MAX;
    add(f, *value);
}

/* ---- what both formats say ---- */

unsigned access_line_status(const struct exchange *x)
{
    return x->gone && !x->responded ? 499 : x->status;
}

/* The same words as the metric's label "decision". */
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
    case LIMITER_ERROR:
        return GW_STR("error");
    case LIMITER_WAIT:
        return GW_STR("undecided");
    }
    return GW_STR_EMPTY;
}

/* Logpush spells cache statuses in lower case, and "unknown" where the header is absent. */
static void put_cache_status(struct pen *pen, enum cache_status cache)
{
    struct gw_str name = cache_status_name(cache);
    if (!name.len)
        put(pen, GW_STR("unknown"));
    for (size_t i = 0; i < name.len; i++)
        put_char(pen, gw_lower(name.ptr[i]));
}

/* ---- JSON: each put ends with what introduces the next value ---- */

/* Date arithmetic once a second, milliseconds always. */
static void put_time(struct access_line *line, struct pen *pen, uint64_t ms)
{
    uint64_t second = ms / 1000, part = ms % 1000;
    if (second != line->second) {
        date_format_iso((int64_t)(second * 1000), line->stamp);
        line->second = second;
    }
    line->stamp[20] = (char)('0' + part / 100);
    line->stamp[21] = (char)('0' + part / 10 % 10);
    line->stamp[22] = (char)('0' + part % 10);
    put(pen, gw_str(line->stamp, DATE_ISO_LEN));
}

static void put_client(struct access_line *line, const struct exchange *x, struct pen *pen)
{
    const struct headers *headers = &x->request.headers;
    struct field f = {.pen = pen, .escape = put_json};
    const struct gw_str *value;
    put(pen, GW_STR("{\"RayID\":\""));
    put(pen, gw_str_z(x->ray));
    put(pen, GW_STR("\",\"ClientIP\":\""));
    put(pen, gw_str(x->client.ip_text, x->client.ip_text_len));
    put(pen, GW_STR("\",\"ClientRequestHost\":\""));
    put_json(pen, gw_str_first(x->request.host.name, HOST_MAX));
    put(pen, GW_STR("\",\"ClientRequestMethod\":\""));
    put_json(pen, gw_str_first(x->request.method, METHOD_MAX));
    put(pen, GW_STR("\",\"ClientRequestURI\":\""));
    add_uri(line, &f, x);
    put(pen, x->client.https ? GW_STR("\",\"ClientRequestScheme\":\"https")
                             : GW_STR("\",\"ClientRequestScheme\":\"http"));
    put(pen, GW_STR("\",\"ClientRequestProtocol\":\""));
    put(pen, h1_version_name(&x->request));
    put(pen, GW_STR("\",\"ClientRequestUserAgent\":\""));
    f.cut = false;
    if ((value = headers_get(headers, HEADER_USER_AGENT)))
        add_agent(&f, value);
    put(pen, GW_STR("\",\"ClientRequestReferer\":\""));
    f.cut = false;
    if ((value = headers_get(headers, HEADER_REFERER)))
        add_referer(line, &f, value);
    put(pen, GW_STR("\",\"ClientSSLProtocol\":\""));
    put(pen, x->client.tls.version.len ? x->client.tls.version : GW_STR("none"));
    put(pen, GW_STR("\",\"ClientSSLCipher\":\""));
    put(pen, x->client.tls.cipher.len ? x->client.tls.cipher : GW_STR("NONE"));
}

/* The key itself holds addresses and user ids; its hash still tells which lines belong together. */
static void put_limiter(const struct exchange_limit *limit, struct pen *pen)
{
    const struct limiter *limiter = limit->route ? limit->route->limiter : NULL;
    put(pen, GW_STR("\",\"Limiter\":\""));
    if (limiter)
        put_json(pen, gw_str_first(limiter->name, TEXT_MAX));
    put(pen, GW_STR("\",\"LimiterDecision\":\""));
    put(pen, limiter_decision(limit));
    put(pen, GW_STR("\",\"LimiterKey\":\""));
    for (int shift = 60; limiter && limit->asked && shift >= 0; shift -= 4)
        put_char(pen, "0123456789abcdef"[limit->key_hash >> shift & 15]);
}

/* A list of texts, one for each rule that acted. */
static void put_acts(struct pen *pen, const struct exchange *x, const struct rate_verdict *verdict,
                     struct gw_str (*text)(const struct rule *rule))
{
    put_char(pen, '[');
    for (size_t i = 0; i < verdict->act_count; i++) {
        put(pen, i ? GW_STR(",\"") : GW_STR("\""));
        put_json(pen, gw_str_first(text(ruleset_rule(x->zone->rate_rules, verdict->acts[i].rule)),
                                   RULE_MAX));
        put_char(pen, '"');
    }
    put_char(pen, ']');
}

static struct gw_str action_of(const struct rule *rule)
{
    return rule->action;
}

/* Logpush's value for http_ratelimit. */
static struct gw_str source_of(const struct rule *rule)
{
    (void)rule;
    return GW_STR("ratelimit");
}

static struct gw_str id_of(const struct rule *rule)
{
    return rule->id.len ? rule->id : rule->description;
}

/* What rate limiting rules did, in Logpush's three parallel lists. */
static void put_security(const struct exchange *x, struct pen *pen)
{
    if (gw_likely(!x->rate || !x->rate->verdict.act_count)) {
        put(pen,
            GW_STR("\",\"SecurityActions\":[],\"SecurityRuleIDs\":[],\"SecuritySources\":[]}\n"));
        return;
    }
    const struct rate_verdict *verdict = &x->rate->verdict;
    put(pen, GW_STR("\",\"SecurityActions\":"));
    put_acts(pen, x, verdict, action_of);
    put(pen, GW_STR(",\"SecurityRuleIDs\":"));
    put_acts(pen, x, verdict, id_of);
    put(pen, GW_STR(",\"SecuritySources\":"));
    put_acts(pen, x, verdict, source_of);
    put(pen, GW_STR("}\n"));
}

/* Every line has every field: what reads them never meets a missing column. */
static void put_json_line(struct access_line *line, const struct exchange *x, uint64_t took_us,
                          struct pen *pen)
{
    uint64_t start_ms = x->now.date_ms;
    put_client(line, x, pen);
    put(pen, GW_STR("\",\"EdgeStartTimestamp\":\""));
    put_time(line, pen, start_ms);
    put(pen, GW_STR("\",\"EdgeEndTimestamp\":\""));
    put_time(line, pen, start_ms + took_us / 1000);
    put(pen, GW_STR("\",\"EdgeResponseStatus\":"));
    put_number(pen, access_line_status(x));
    put(pen, GW_STR(",\"EdgeResponseBytes\":"));
    put_number(pen, x->bytes_sent);
    put(pen, GW_STR(",\"EdgeColoCode\":\""));
    put_json(pen, gw_str_first(exchange_edge_name(x), TEXT_MAX));
    put(pen, GW_STR("\",\"CacheCacheStatus\":\""));
    put_cache_status(pen, x->cache.status);
    put(pen, GW_STR("\",\"OriginResponseStatus\":"));
    put_number(pen, x->origin_status);
    put(pen, GW_STR(",\"OriginResponseDurationMs\":"));
    put_number(pen, x->origin_us / 1000);
    put(pen, GW_STR(",\"ZoneName\":\""));
    if (x->zone)
        put_json(pen, gw_str_first(x->zone->config->name, TEXT_MAX));
    put_limiter(&x->limit, pen);
    put_security(x, pen);
}

/* ---- combined ---- */

/* strftime would ask the locale for the month. */
static void put_common_time(struct pen *pen, uint64_t ms)
{
    char http[DATE_HTTP_LEN]; /* Sun, 06 Nov 1994 08:49:37 GMT */
    date_format((int64_t)(ms / 1000), http);
    put(pen, gw_str(http + 5, 2));
    put_char(pen, '/');
    put(pen, gw_str(http + 8, 3));
    put_char(pen, '/');
    put(pen, gw_str(http + 12, 4));
    put_char(pen, ':');
    put(pen, gw_str(http + 17, 8));
    put(pen, GW_STR(" +0000] \""));
}

static void put_combined_line(struct access_line *line, const struct exchange *x, struct pen *pen)
{
    const struct gw_str dash = GW_STR("-");
    const struct gw_str *value;
    struct field f = {.pen = pen, .escape = put_quoted};
    put(pen, gw_str(x->client.ip_text, x->client.ip_text_len));
    put(pen, GW_STR(" - - ["));
    put_common_time(pen, x->now.date_ms);
    put_quoted(pen, gw_str_first(x->request.method, METHOD_MAX));
    put_char(pen, ' ');
    add_uri(line, &f, x);
    put_char(pen, ' ');
    put(pen, h1_version_name(&x->request));
    put(pen, GW_STR("\" "));
    put_number(pen, access_line_status(x));
    put_char(pen, ' ');
    put_number(pen, x->bytes_sent);
    put(pen, GW_STR(" \""));
    f.cut = false;
    value = headers_get(&x->request.headers, HEADER_REFERER);
    add_referer(line, &f, value ? value : &dash);
    put(pen, GW_STR("\" \""));
    f.cut = false;
    value = headers_get(&x->request.headers, HEADER_USER_AGENT);
    add_agent(&f, value ? value : &dash);
    put(pen, GW_STR("\"\n"));
}

void access_line_write(struct access_line *line, const struct exchange *x, uint64_t took_us,
                       struct gw_buf *out)
{
    struct pen pen = {gw_buf_reserve(out, ACCESS_LINE_MAX)};
    if (!pen.at)
        return;
    switch (line->format) {
    case CONFIG_LOG_JSON:
        put_json_line(line, x, took_us, &pen);
        break;
    case CONFIG_LOG_COMMON:
        put_combined_line(line, x, &pen);
        break;
    }
    out->len = (size_t)(pen.at - out->data);
}
