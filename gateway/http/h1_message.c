/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/h1_message.h"

#include "gateway/http/bytes.h"
#include "gateway/http/forward.h"

#define METHOD_LEN_MAX 32 /* the longest registered one, UPDATEREDIRECTREF, has 17 */
#define VERSION_LEN    8  /* HTTP/1.1 */

/* Only 1.0 and 1.1: who speaks another version frames by rules we do not know. */
static int read_version(struct h1_message *m, struct gw_str text)
{
    if (text.len != VERSION_LEN || memcmp(text.ptr, "HTTP/", 5) != 0 || !gw_is_digit(text.ptr[5]) ||
        text.ptr[6] != '.' || !gw_is_digit(text.ptr[7]))
        return GW_EPARSE;
    if (text.ptr[5] != '1' || text.ptr[7] > '1')
        return GW_EVERSION;
    m->minor = (uint8_t)(text.ptr[7] - '0');
    return GW_OK;
}

/* Asterisk form belongs to OPTIONS alone (RFC 9112 section 3.2.4). */
static bool read_target(struct h1_message *m)
{
    if (!url_parse(m->target, m->method_id == METHOD_CONNECT, &m->url))
        return false;
    return m->url.form != URL_ASTERISK_FORM || m->method_id == METHOD_OPTIONS;
}

int h1_read_request_line(struct h1_message *m, struct gw_str line, size_t target_max)
{
    size_t space = gw_str_chr(line, ' ');
    if (space == GW_NPOS || line.len < space + 1 + 1 + 1 + VERSION_LEN)
        return GW_EPARSE;
    m->method = gw_str_first(line, space);
    /* Any token is a method, but upper case is what every method has: "get" is a mistake or a probe
     * for a peer that folds case where the rules do not. */
    if (!space || space > METHOD_LEN_MAX || !bytes_are(m->method, BYTE_METHOD))
        return GW_EPARSE;
    /* The version is read off the end and judged before the target: a request of HTTP/2 is told
     * 505, whatever its target looks like, and not 400. */
    size_t end = line.len - VERSION_LEN - 1;
    int err = read_version(m, gw_str_from(line, end + 1));
    if (err)
        return err;
    m->method_id = http_method_of(m->method);
    m->target = gw_str(line.ptr + space + 1, end - space - 1);
    if (m->target.len > target_max)
        return GW_EURI;
    /* One space on each side, none within: RFC 9112 section 3 allows more leniency than any two
     * servers share. */
    if (line.ptr[end] != ' ' || gw_str_chr(m->target, ' ') != GW_NPOS ||
        gw_str_chr(m->target, '\t') != GW_NPOS || !read_target(m))
        return GW_EPARSE;
    return GW_OK;
}

int h1_read_status_line(struct h1_message *m, struct gw_str line)
{
    int err = read_version(m, gw_str_first(line, VERSION_LEN));
    if (err)
        return err;
    struct gw_str rest = gw_str_from(line, VERSION_LEN);
    uint64_t status;
    if (rest.len < 4 || rest.ptr[0] != ' ' || !gw_str_u64(gw_str(rest.ptr + 1, 3), 999, &status) ||
        status < 100)
        return GW_EPARSE;
    m->status = (uint16_t)status;
    rest = gw_str_from(rest, 4);
    /* Many origins leave out the space before an empty reason; that cannot be misread. */
    if (rest.len && rest.ptr[0] != ' ')
        return GW_EPARSE;
    m->reason = gw_str_from(rest, 1);
    return GW_OK;
}

/* The only value of a field that may stand once; NULL with *err = 0 when absent. */
static const struct gw_str *only_value(const struct headers *h, enum header_id id, int *err)
{
    size_t at = 0;
    if (!headers_has(h, id))
        return NULL;
    const struct gw_str *value = headers_next(h, id, &at);
    if (headers_next(h, id, &at))
        *err = GW_EPARSE;
    return value;
}

/* "gzip, chunked" is understood by the RFC but not by us: 501 tells that from malformed (RFC 9112
 * section 6.1). */
static int refuse_coding(struct gw_str value)
{
    struct gw_str rest = value, item = GW_STR_EMPTY;
    unsigned count = 0, chunked = 0;
    while (gw_str_next(&rest, ',', &item)) {
        item = gw_str_trim(item);
        if (!header_name_valid(item))
            return GW_EPARSE;
        count++;
        chunked += gw_str_ieq(item, GW_STR("chunked"));
    }
    bool last = gw_str_ieq(item, GW_STR("chunked"));
    return last && chunked == 1 && count > 1 ? GW_ENOTIMPL : GW_EPARSE;
}

/* Content-Length and Transfer-Encoding by themselves (RFC 9112 sections 6.1 to 6.3). A repeated
 * Content-Length is refused even when all values agree. */
static int read_lengths(struct h1_message *m)
{
    int err = 0;
    /* Both fields together are how requests are smuggled: RFC 9112 section 6.3 would let the coding
     * win, but a peer in front of us may have counted the length. */
    const struct gw_str *length = only_value(&m->headers, HEADER_CONTENT_LENGTH, &err);
    const struct gw_str *coding = only_value(&m->headers, HEADER_TRANSFER_ENCODING, &err);
    if (err || (length && coding))
        return GW_EPARSE;
    if (length) {
        if (!gw_str_u64(*length, INT64_MAX, &m->content_length))
            return GW_EPARSE;
        m->has_content_length = true;
        m->framing = m->content_length ? H1_BODY_LENGTH : H1_BODY_NONE;
    }
    if (coding) {
        if (m->minor == 0) /* faulty framing by definition: RFC 9112 section 6.1 */
            return GW_EPARSE;
        if (!gw_str_ieq(*coding, GW_STR("chunked")))
            return refuse_coding(*coding);
        m->framing = H1_BODY_CHUNKED;
    }
    return GW_OK;
}

static void read_connection(struct h1_message *m)
{
    m->keep_alive = m->minor == 1;
    if (!headers_has(&m->headers, HEADER_CONNECTION))
        return;
    /* "close" is looked at last and wins over "keep-alive" beside it (RFC 9112 section 9.3). */
    if (m->minor == 0)
        m->keep_alive = forward_connection_has(&m->headers, GW_STR("keep-alive"));
    if (forward_connection_has(&m->headers, GW_STR("close")))
        m->keep_alive = false;
    /* RFC 9110 section 7.8: in HTTP/1.0 Upgrade is to be ignored, and without its option in
     * Connection it may have come through a proxy that did not understand it. */
    m->upgrade = m->minor == 1 && headers_has(&m->headers, HEADER_UPGRADE) &&
                 forward_connection_has(&m->headers, GW_STR("upgrade"));
}

static uint16_t port_or_default(uint16_t port, struct gw_str scheme)
{
    return port ? port : gw_str_ieq(scheme, GW_STR("https")) ? 443 : 80;
}

/* There is one Host at most by now. */
static void replace_host(struct headers *h, struct gw_str value)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->items[i].id == HEADER_HOST)
            h->items[i].value = value;
}

/* Host and target name one authority or the request is refused: RFC 9112 section 3.2.2 would let
 * the target win, but then whoever routed by Host before us sent it to the wrong place. Where they
 * say the same in other words ("a:443" of https), whoever comes after us is told the target's (also
 * RFC 9113 section 8.3.1). */
static bool read_host(struct h1_message *m, struct gw_arena *arena)
{
    int err = 0;
    const struct gw_str *host = only_value(&m->headers, HEADER_HOST, &err);
    if (err || (!host && m->minor == 1))
        return false;
    bool named = host && host->len;
    if (host && !named && m->url.form != URL_ASTERISK_FORM)
        return false;
    if (named && !url_host_parse(*host, arena, &m->host))
        return false;
    bool connect = m->url.form == URL_AUTHORITY_FORM;
    if (!m->url.authority.len || (named && !connect && gw_str_eq(m->url.authority, *host)))
        return true;
    struct url_host target;
    if (!url_host_parse(m->url.authority, arena, &target))
        return false;
    struct gw_str scheme = m->url.scheme;
    if (connect && !target.port)
        return false;
    /* A CONNECT client may leave the port out of Host. */
    bool same_port = port_or_default(target.port, scheme) == port_or_default(m->host.port, scheme);
    if (named &&
        (!gw_str_eq(target.name, m->host.name) || (!same_port && !(connect && !m->host.port))))
        return false;
    m->host = target;
    replace_host(&m->headers, m->url.authority);
    return true;
}

int h1_read_request_fields(struct h1_message *m, struct gw_arena *arena)
{
    int err = read_lengths(m);
    if (err)
        return err;
    if (!read_host(m, arena))
        return GW_EPARSE;
    read_connection(m);
    if (m->method_id == METHOD_CONNECT) {
        /* A body here would be read as the first bytes of the tunnel by one side only. */
        if (m->framing != H1_BODY_NONE)
            return GW_EPARSE;
        m->keep_alive = false;
    }
    /* Other expectations are passed over and not answered with 417, which RFC 9110 section 10.1.1
     * leaves to the server. */
    const struct gw_str *expect = headers_get(&m->headers, HEADER_EXPECT);
    m->expect_continue = expect && m->minor == 1 && gw_str_ieq(*expect, GW_STR("100-continue"));
    return GW_OK;
}

bool h1_opens_tunnel(const struct h1_message *response, enum http_method asked)
{
    return response->status == 101 || (asked == METHOD_CONNECT && response->status / 100 == 2);
}

int h1_read_response_fields(struct h1_message *m, enum http_method asked)
{
    int err = read_lengths(m);
    if (err)
        return err;
    read_connection(m);
    /* RFC 9112 section 6.3, items 1 and 2: these end with their head whatever they announce. */
    if (h1_opens_tunnel(m, asked)) {
        m->framing = H1_BODY_NONE;
        m->keep_alive = false;
    } else if (asked == METHOD_HEAD || m->status < 200 || m->status == 204 || m->status == 304) {
        m->framing = H1_BODY_NONE;
    } else if (m->framing == H1_BODY_NONE && !m->has_content_length) {
        m->framing = H1_BODY_UNTIL_CLOSE;
        m->keep_alive = false;
    }
    return GW_OK;
}
