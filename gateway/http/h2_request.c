/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/h2_request.h"

#include "gateway/http/bytes.h"
#include "gateway/http/h1_message.h"

#define METHOD_LEN_MAX 32 /* as in h1_message.c */
#define LINE_OVERHEAD  4  /* ": " and CRLF of the line that this field would be */

struct h2_crumb {
    struct h2_crumb *next;
    struct gw_str value;
};

void h2_request_begin(struct h2_request *r, struct gw_arena *arena, struct h1_message *m,
                      const struct h1_limits *limits)
{
    *r = (struct h2_request){.arena = arena, .message = m, .limits = limits};
    r->last_cookie = &r->cookies;
    *m = (struct h1_message){.minor = 1, .h2 = true, .keep_alive = true};
    headers_init(&m->headers, arena, limits->count_max);
    headers_init(&m->trailers, arena, limits->count_max);
}

/* The first mistake is the answer. What follows is still decoded, since HPACK's table must see
 * every field (RFC 9113 section 4.3), and then dropped. */
static void fail(struct h2_request *r, int err)
{
    if (!r->error)
        r->error = err;
}

void h2_request_refuse(struct h2_request *r)
{
    fail(r, GW_EPARSE);
}

static struct gw_str *pseudo(struct h2_request *r, struct gw_str name)
{
    static const struct {
        struct gw_str name;
        size_t slot;
    } known[] = {
#define KNOWN(field) {{":" #field, sizeof(":" #field) - 1}, offsetof(struct h2_request, field)}
        KNOWN(path), KNOWN(method), KNOWN(scheme), KNOWN(authority), KNOWN(protocol),
#undef KNOWN
    };
    for (size_t i = 0; i < GW_COUNT(known); i++)
        if (gw_str_eq(known[i].name, name))
            return (struct gw_str *)(void *)((char *)r + known[i].slot);
    return NULL;
}

static void add_pseudo(struct h2_request *r, struct gw_str name, struct gw_str value)
{
    struct gw_str *slot = pseudo(r, name);
    /* RFC 9113 section 8.3: unknown, repeated, or behind a field is malformed. Empty is, too: no
     * pseudo-field of a request has an empty value that means something. */
    if (!slot || slot->ptr || !value.len || r->fields_begun)
        fail(r, GW_EPARSE);
    else
        *slot = value;
}

/* White space at an end is what h1 would strip and some peer would not: refused (section 8.2.1). */
static bool is_clean(struct gw_str value)
{
    return header_value_valid(value) && gw_str_trim(value).len == value.len;
}

static bool is_lower_token(struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z')
            return false;
    return header_name_valid(name);
}

bool h2_is_of_a_connection(enum header_id id)
{
    switch ((int)id) {
    case HEADER_CONNECTION:
    case HEADER_KEEP_ALIVE:
    case HEADER_PROXY_CONNECTION:
    case HEADER_TRANSFER_ENCODING:
    case HEADER_UPGRADE:
        return true;
    default:
        return false;
    }
}

/* Whoever let one of these through to an HTTP/1.1 origin would let the client frame requests of its
 * own. */
static bool is_refused(enum header_id id, struct gw_str value)
{
    return h2_is_of_a_connection(id) || (id == HEADER_TE && !gw_str_ieq(value, GW_STR("trailers")));
}

static void add_cookie(struct h2_request *r, struct gw_str value)
{
    if (!value.len)
        return; /* joined, it would leave white space at an end */
    struct h2_crumb *crumb = gw_arena_alloc(r->arena, sizeof(*crumb));
    if (!crumb) {
        fail(r, GW_EHEADERS);
        return;
    }
    *crumb = (struct h2_crumb){NULL, value};
    *r->last_cookie = crumb;
    r->last_cookie = &crumb->next;
    r->cookie_bytes += value.len + 2;
}

static void add_field(struct h2_request *r, struct gw_str name, struct gw_str value)
{
    struct headers *h = &r->message->headers;
    r->fields_begun = true;
    if (!is_lower_token(name) || !is_clean(value)) {
        fail(r, GW_EPARSE);
        return;
    }
    enum header_id id = header_id_of(name);
    if (is_refused(id, value))
        fail(r, GW_EPARSE);
    else if (id == HEADER_COOKIE)
        add_cookie(r, value);
    else if (!headers_add(h, name, value))
        fail(r, GW_EHEADERS);
}

void h2_request_field(struct h2_request *r, struct gw_str name, struct gw_str value)
{
    if (r->error)
        return;
    r->bytes += name.len + value.len + LINE_OVERHEAD;
    if (value.len > r->limits->target_max && gw_str_eq(name, GW_STR(":path")))
        fail(r, GW_EURI);
    else if (r->bytes > r->limits->head_max)
        fail(r, GW_EHEADERS);
    char *copy = r->error ? NULL : gw_arena_alloc(r->arena, name.len + value.len + 1);
    if (!copy) {
        fail(r, GW_EHEADERS);
        return;
    }
    memcpy(copy, name.ptr, name.len);
    if (value.len)
        memcpy(copy + name.len, value.ptr, value.len);
    name = gw_str(copy, name.len);
    value = gw_str(copy + name.len, value.len);
    if (name.len && name.ptr[0] == ':')
        add_pseudo(r, name, value);
    else
        add_field(r, name, value);
}

/* RFC 9113 section 8.2.3: browsers split Cookie for the sake of compression; an origin that reads
 * HTTP/1.1 and every rule on http.cookie expect one line. */
static int join_cookies(struct h2_request *r)
{
    struct h2_crumb *crumb = r->cookies;
    if (!crumb)
        return GW_OK;
    struct gw_str value = crumb->value;
    if (crumb->next) {
        char *at = gw_arena_alloc(r->arena, r->cookie_bytes);
        if (!at)
            return GW_EHEADERS;
        value.ptr = at;
        for (; crumb; crumb = crumb->next) {
            memcpy(at, crumb->value.ptr, crumb->value.len);
            at += crumb->value.len;
            if (crumb->next) {
                memcpy(at, "; ", 2);
                at += 2;
            }
        }
        value.len = (size_t)(at - value.ptr);
    }
    return headers_add(&r->message->headers, GW_STR("cookie"), value) ? GW_OK : GW_EHEADERS;
}

static bool is_text(struct gw_str s)
{
    return gw_str_chr(s, ' ') == GW_NPOS && gw_str_chr(s, '\t') == GW_NPOS && header_value_valid(s);
}

/* CONNECT names an authority and nothing else; everything else has a scheme and a path (section
 * 8.3.1). A path is never a whole URL: its host would be a third one. */
static int read_target(struct h2_request *r, struct h1_message *m)
{
    bool connect = m->method_id == METHOD_CONNECT;
    if (connect && (r->scheme.ptr || r->path.ptr || !r->authority.ptr))
        return GW_EPARSE;
    if (!connect && (!r->path.ptr || (!gw_str_ieq(r->scheme, GW_STR("http")) &&
                                      !gw_str_ieq(r->scheme, GW_STR("https")))))
        return GW_EPARSE;
    m->target = connect ? r->authority : r->path;
    if (m->target.len > r->limits->target_max)
        return GW_EURI;
    if (!is_text(m->target) || !url_parse(m->target, connect, &m->url))
        return GW_EPARSE;
    if (m->url.form == URL_ABSOLUTE_FORM ||
        (m->url.form == URL_ASTERISK_FORM && m->method_id != METHOD_OPTIONS))
        return GW_EPARSE;
    m->url.scheme = r->scheme;
    m->url.authority = r->authority;
    return GW_OK;
}

/* RFC 8441 section 4: the client asks for what an Upgrade would ask for. */
static int read_protocol(struct h2_request *r)
{
    if (!gw_str_eq(r->method, GW_STR("CONNECT")) || !r->authority.ptr)
        return GW_EPARSE;
    if (!gw_str_ieq(r->protocol, GW_STR("websocket")))
        return GW_ENOTIMPL;
    r->method = GW_STR("GET");
    return GW_OK;
}

static bool take_method(const struct h2_request *r, struct h1_message *m)
{
    if (!r->method.len || r->method.len > METHOD_LEN_MAX || !bytes_are(r->method, BYTE_METHOD))
        return false;
    m->method = r->method;
    m->method_id = http_method_of(m->method);
    return true;
}

/* The end of the stream is the framing; a length may only agree with it. */
static int read_framing(struct h1_message *m, bool ended)
{
    if (ended)
        return m->framing == H1_BODY_NONE ? GW_OK : GW_EPARSE;
    if (!m->has_content_length && m->method_id != METHOD_CONNECT)
        m->framing = H1_BODY_CHUNKED;
    return GW_OK;
}

static int read_all(struct h2_request *r, bool ended)
{
    struct h1_message *m = r->message;
    int err = r->protocol.ptr ? read_protocol(r) : GW_OK;
    if (err)
        return err;
    if (!take_method(r, m))
        return GW_EPARSE;
    err = read_target(r, m);
    if (!err)
        err = join_cookies(r);
    if (!err && r->authority.ptr && !headers_has(&m->headers, HEADER_HOST) &&
        !headers_add(&m->headers, GW_STR("host"), r->authority))
        err = GW_EHEADERS;
    if (!err)
        /* From here on the rules of HTTP/1.1 judge: Host against :authority, lengths, Expect. The
         * two versions cannot drift apart in what they refuse. */
        err = h1_read_request_fields(m, r->arena);
    if (err)
        return err;
    if (m->url.form != URL_AUTHORITY_FORM)
        m->url.scheme = m->url.authority = GW_STR_EMPTY; /* as text in origin form has none */
    /* A CONNECT has just set this to false; here the connection outlives every stream. */
    m->keep_alive = true;
    if (!r->protocol.ptr)
        return read_framing(m, ended);
    if (ended || m->has_content_length)
        return GW_EPARSE;
    m->upgrade = true;
    return headers_add(&m->headers, GW_STR("upgrade"), GW_STR("websocket")) ? GW_OK : GW_EHEADERS;
}

int h2_request_end(struct h2_request *r, bool ended)
{
    if (!r->error)
        r->error = read_all(r, ended);
    else if (!take_method(r, r->message)) /* an answer to HEAD has no body, whatever was wrong */
        r->error = GW_EPARSE;
    r->message->error = r->error;
    return r->error;
}
