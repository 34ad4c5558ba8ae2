/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/origin_request.h"

#include "cache/coding.h"
#include "cache/device.h"
#include "cache/key.h"
#include "cache/vary.h"
#include "gateway/faults.h"
#include "gateway/http/forward.h"
#include "gateway/http/h1_write.h"
#include "gateway/visit.h"

#define HEAD_MAX   ((size_t)512 * 1024)
#define HEAD_FIRST ((size_t)1024) /* most are shorter: one block of the heap and no growing */

/* What a client may not say to the origin: the edge says it itself, or nobody does. */
static bool is_edges_own(const struct header *field)
{
    switch (field->id) {
    case HEADER_HOST:
    case HEADER_CONTENT_LENGTH:
    case HEADER_X_FORWARDED_FOR:
    case HEADER_X_FORWARDED_PROTO:
    case HEADER_X_REAL_IP:
    case HEADER_CDN_LOOP:
    case HEADER_TRUE_CLIENT_IP:
    case HEADER_ACCEPT_ENCODING:
        return true;
    default:
        return gw_str_ieq(gw_str_first(field->name, 3), GW_STR("cf-")) ||
               gw_str_ieq(gw_str_first(field->name, 11), GW_STR("x-nearedge-"));
    }
}

#define FOLDED_MAX 32 /* longer than every name that is looked for */

/* CGI and its heirs (FastCGI, WSGI, Rack) make one variable of CF-Connecting-IP, CF_Connecting_IP
 * and CF.Connecting.IP: who may not say the first may not say the others either. */
static struct header as_cgi_reads_it(const struct header *field, char text[FOLDED_MAX])
{
    struct header folded = {gw_str(text, gw_min_size(field->name.len, FOLDED_MAX)), field->value,
                            HEADER_OTHER};
    for (size_t i = 0; i < folded.name.len; i++) {
        char c = field->name.ptr[i];
        text[i] = gw_is_digit(c) || (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') ? c : '-';
    }
    folded.id = header_id_of(folded.name);
    return folded;
}

/* The same in front of the cache: X_Forwarded_Host is in no key, and what a CGI origin makes of it
 * would be shown to everybody. Not cached, it concerns nobody but its sender. */
static bool may_pass(const struct forward *forward, const struct header *field,
                     enum origin_request_kind kind)
{
    if (is_edges_own(field) || forward_is_hop_by_hop(forward, field))
        return false;
    if (field->id != HEADER_OTHER)
        return true;
    char text[FOLDED_MAX];
    struct header folded = as_cgi_reads_it(field, text);
    if (kind == ORIGIN_FILL && cache_key_has(folded.id))
        return false;
    return !is_edges_own(&folded) && !forward_is_hop_by_hop(forward, &folded);
}

/* The parser has refused every byte that could end a line, so writing these fields cannot fail. */
static void add(struct gw_buf *b, struct gw_str name, struct gw_str value)
{
    if (!h1_write_field(b, name, value))
        b->overflow = true;
}

/* Section 4.7: what a `vary` rule normalises for the key is what the origin answers to, or the
 * variants would hold what it made of one visitor's own words. Accept-Encoding is the edge's unless
 * strong ETags are respected. */
static bool is_normalised(const struct exchange *x, enum header_id id)
{
    const struct cache_settings *rule =
        cache_settings_get(x->cache_policy.rules, CACHE_SETTING_VARY);
    bool concerned =
        id == HEADER_ACCEPT || id == HEADER_ACCEPT_LANGUAGE ||
        (id == HEADER_ACCEPT_ENCODING && cache_respects_strong_etags(&x->cache_policy));
    return rule && concerned && cache_vary_action_of(rule, header_name(id)) == CACHE_VARY_NORMALIZE;
}

/* What the client takes of what the edge can recode. */
static struct gw_str own_codings(const struct exchange *x)
{
    struct cache_accepted accepted = cache_accepted_codings(&x->request.headers);
    return accepted.brotli && accepted.gzip ? GW_STR("br, gzip")
           : accepted.brotli                ? GW_STR("br")
           : accepted.gzip                  ? GW_STR("gzip")
                                            : GW_STR("identity");
}

/* The same for all clients, whose coding is made on delivery (section 7.1); the visitor's own when
 * strong ETags are respected. A part of a coded body cannot be recoded, so who asks for one gets no
 * coding but those he takes. */
static void add_accept_encoding(const struct exchange *x, enum origin_request_kind kind,
                                struct gw_buf *b)
{
    if (kind == ORIGIN_FILL && is_normalised(x, HEADER_ACCEPT_ENCODING))
        return; /* written with the others */
    if (cache_respects_strong_etags(&x->cache_policy)) {
        const struct gw_str *line;
        for (size_t at = 0;
             (line = headers_next(&x->request.headers, HEADER_ACCEPT_ENCODING, &at));)
            add(b, header_name(HEADER_ACCEPT_ENCODING), *line);
        return;
    }
    bool for_one = kind == ORIGIN_PASS &&
                   (headers_has(&x->request.headers, HEADER_RANGE) || x->request.upgrade);
    add(b, header_name(HEADER_ACCEPT_ENCODING), for_one ? own_codings(x) : GW_STR("br, gzip"));
}

/* A fill asks for the whole object (section 1.2). */
static bool is_left_out_of_fill(const struct header *field)
{
    switch (field->id) {
    case HEADER_IF_MATCH:
    case HEADER_IF_NONE_MATCH:
    case HEADER_IF_MODIFIED_SINCE:
    case HEADER_IF_UNMODIFIED_SINCE:
    case HEADER_IF_RANGE:
    case HEADER_RANGE:
    case HEADER_EXPECT:
        return true;
    default:
        return false;
    }
}

static void add_normalised(const struct exchange *x, struct gw_buf *b)
{
    static const enum header_id ids[] = {HEADER_ACCEPT, HEADER_ACCEPT_LANGUAGE,
                                         HEADER_ACCEPT_ENCODING};
    const struct cache_settings *rule =
        cache_settings_get(x->cache_policy.rules, CACHE_SETTING_VARY);
    for (size_t i = 0; i < GW_COUNT(ids); i++) {
        if (!is_normalised(x, ids[i]))
            continue;
        struct gw_buf value;
        gw_buf_init(&value, HEAD_MAX);
        cache_vary_value(rule, &x->request.headers, header_name(ids[i]), &value);
        if (value.len)
            add(b, header_name(ids[i]), gw_buf_str(&value));
        gw_buf_release(&value);
    }
}

static void add_client_fields(const struct exchange *x, enum origin_request_kind kind,
                              struct gw_buf *b)
{
    struct forward forward;
    forward_prepare(&forward, &x->request.headers);
    for (size_t i = 0; i < x->request.headers.count; i++) {
        const struct header *field = &x->request.headers.items[i];
        if (!may_pass(&forward, field, kind) ||
            (kind == ORIGIN_FILL && (is_left_out_of_fill(field) || is_normalised(x, field->id))))
            continue;
        add(b, field->name, field->value);
    }
    if (kind == ORIGIN_FILL)
        add_normalised(x, b);
}

/* "client" or "what was there,peer" (section 7.1). */
static void add_forwarded_for(const struct exchange *x, struct gw_buf *b)
{
    gw_buf_add(b, GW_STR("X-Forwarded-For: "));
    size_t at = 0, lines = 0;
    for (const struct gw_str *line;
         (line = headers_next(&x->request.headers, HEADER_X_FORWARDED_FOR, &at));) {
        if (lines++)
            gw_buf_char(b, ',');
        gw_buf_add(b, *line);
    }
    struct gw_str peer = gw_str(x->client.ip_text, x->client.ip_text_len);
    char text[GW_IP_TEXT_MAX];
    if (lines && x->client.trusted) {
        struct gw_ip ip = net_address_to_ip(&x->client.peer);
        peer = gw_str(text, gw_ip_format(&ip, text));
    }
    if (lines && peer.len)
        gw_buf_char(b, ',');
    gw_buf_add(b, peer);
    gw_buf_add(b, GW_STR("\r\n"));
}

/* The origin must know the class when the key tells classes apart (section 4.5), or all would get
 * the page of whoever came first. */
static void add_device(const struct exchange *x, struct gw_buf *b)
{
    const struct cache_settings *rule =
        cache_settings_get(x->cache_policy.rules, CACHE_SETTING_CACHE_KEY);
    if (!rule ||
        (!rule->key.by_device_type && !(rule->key.custom && rule->key.custom->user_device_type)))
        return;
    const struct gw_str *agent = headers_get(&x->request.headers, HEADER_USER_AGENT);
    add(b, header_name(HEADER_CF_DEVICE_TYPE),
        cache_device_name(cache_device_of(agent ? *agent : GW_STR_EMPTY)));
}

static void add_edge_fields(const struct exchange *x, struct gw_buf *b)
{
    const struct config_edge *edge = x->ws->snapshot->edges[x->edge].config;
    struct gw_str scheme = x->client.https ? GW_STR("https") : GW_STR("http");
    add(b, GW_STR("CF-Connecting-IP"), gw_str(x->client.ip_text, x->client.ip_text_len));
    add_forwarded_for(x, b);
    add(b, GW_STR("X-Forwarded-Proto"), scheme);
    gw_buf_add(b, GW_STR("CF-Visitor: {\"scheme\":\""));
    gw_buf_add(b, scheme);
    gw_buf_add(b, GW_STR("\"}\r\nCF-Ray: "));
    gw_buf_add(b, gw_str_z(x->ray));
    gw_buf_char(b, '-');
    gw_buf_add(b, edge->name);
    gw_buf_add(b, GW_STR("\r\nCDN-Loop: cloudflare; loops=1\r\nConnection: "));
    gw_buf_add(b, x->request.upgrade ? GW_STR("upgrade") : GW_STR("Keep-Alive"));
    gw_buf_add(b, GW_STR("\r\n"));
    add(b, GW_STR("CF-IPCountry"), edge->country);
    add_device(x, b);
}

static void add_request_line(const struct exchange *x, enum origin_request_kind kind,
                             struct gw_buf *b)
{
    gw_buf_add(b, kind == ORIGIN_FILL ? GW_STR("GET") : x->request.method);
    gw_buf_char(b, ' ');
    gw_buf_add(b, x->origin_path);
    if (x->request.url.has_query) {
        gw_buf_char(b, '?');
        gw_buf_add(b, x->origin_query);
    }
    gw_buf_add(b, GW_STR(" HTTP/1.1\r\n"));
}

static int64_t body_length(const struct exchange *x, enum origin_request_kind kind)
{
    if (kind == ORIGIN_FILL)
        return UPSTREAM_NO_BODY;
    switch (x->request.framing) {
    case H1_BODY_LENGTH:
        return (int64_t)x->request.content_length;
    case H1_BODY_CHUNKED:
        return UPSTREAM_CHUNKED;
    case H1_BODY_NONE:
    case H1_BODY_UNTIL_CLOSE:
        break;
    }
    /* A method that usually carries a body says that there is none (RFC 9110 section 8.6). */
    bool says_zero = x->request.method_id == METHOD_POST || x->request.method_id == METHOD_PUT ||
                     x->request.method_id == METHOD_PATCH;
    return says_zero ? 0 : UPSTREAM_NO_BODY;
}

/* RFC 9110 section 9.2.2. */
static bool is_idempotent(enum http_method method)
{
    return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_OPTIONS ||
           method == METHOD_TRACE || method == METHOD_PUT || method == METHOD_DELETE;
}

/* A rule's own, in seconds (section 4.3); 0 leaves it to the origin's. */
static uint32_t read_timeout_ms(const struct exchange *x)
{
    const struct cache_settings *rule =
        cache_settings_get(x->cache_policy.rules, CACHE_SETTING_READ_TIMEOUT);
    return rule ? (uint32_t)rule->read_timeout * 1000 : 0;
}

static struct upstream_fault meet_fault(struct exchange *x)
{
    struct fault_set *faults = x->ws->snapshot->faults;
    const struct config_fault *fault =
        faults ? fault_set_meet(faults, x->zone->config->name, CONFIG_FAULT_ORIGIN, &x->facts)
               : NULL;
    return fault ? fault_of_origin(fault) : (struct upstream_fault){0};
}

struct upstream_request *origin_request_start(struct exchange *x, enum origin_request_kind kind,
                                              const struct cache_validators *validators,
                                              const struct upstream_events *events, void *ctx)
{
    struct gw_buf head;
    gw_buf_init(&head, HEAD_MAX);
    gw_buf_reserve(&head, HEAD_FIRST);
    add_request_line(x, kind, &head);
    const struct gw_str *host = headers_get(&x->request.headers, HEADER_HOST);
    add(&head, GW_STR("Host"),
        x->destination.host_header.len ? x->destination.host_header
        : host                         ? *host
                                       : x->destination.origin->config->authority);
    add_client_fields(x, kind, &head);
    add_accept_encoding(x, kind, &head);
    if (kind == ORIGIN_PASS && x->request.upgrade) {
        const struct gw_str *protocol = headers_get(&x->request.headers, HEADER_UPGRADE);
        add(&head, GW_STR("Upgrade"), *protocol);
    }
    if (validators && validators->if_none_match.len)
        add(&head, GW_STR("If-None-Match"), validators->if_none_match);
    if (validators && validators->if_modified_since.len)
        add(&head, GW_STR("If-Modified-Since"), validators->if_modified_since);
    add_edge_fields(x, &head);

    const struct upstream_call call = {
        .head = gw_buf_str(&head),
        .body_length = body_length(x, kind),
        .idempotent = kind == ORIGIN_FILL || is_idempotent(x->request.method_id),
        .method = kind == ORIGIN_FILL ? METHOD_GET : x->request.method_id,
        .upgrade = kind == ORIGIN_PASS && x->request.upgrade,
        .limits = H1_LIMITS_DEFAULT,
        .read_timeout_ms = read_timeout_ms(x),
        .server = UPSTREAM_ANY,
        .speech = destination_speech(exchange_zone(x), x->client.https),
        .fault = meet_fault(x),
    };
    const size_t origin = (size_t)(x->destination.origin - x->ws->snapshot->origins);
    struct upstream_request *r = upstream_start(x->ws->origins[origin], &call, events, ctx);
    gw_buf_release(&head);
    metrics_inc(x->worker->metrics, METRIC_ORIGIN_REQUESTS);
    return r;
}
