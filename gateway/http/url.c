/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/url.h"

#include "gateway/base/ip.h"
#include "gateway/http/bytes.h"

#define HOST_LEN_MAX 253 /* RFC 1035 section 2.3.4, as text */

/* Path and query. A fragment never belongs into a request (RFC 9112 section 3.2): whether "#" is
 * part of the path is a matter on which servers differ. */
static bool split_path(struct gw_str text, struct url *u)
{
    if (gw_str_chr(text, '#') != GW_NPOS)
        return false;
    size_t mark = gw_str_chr(text, '?');
    u->has_query = mark != GW_NPOS;
    u->path = gw_str_first(text, mark);
    u->query = u->has_query ? gw_str_from(text, mark + 1) : GW_STR_EMPTY;
    return true;
}

/* Other schemes are for forward proxies. */
static bool take_scheme(struct gw_str *rest, struct gw_str *scheme)
{
    static const struct gw_str known[] = {{"http", 4}, {"https", 5}};
    for (size_t i = 0; i < GW_COUNT(known); i++) {
        struct gw_str tail = gw_str_from(*rest, known[i].len);
        if (!gw_str_ieq(gw_str_first(*rest, known[i].len), known[i]) ||
            !gw_str_starts(tail, GW_STR("://")))
            continue;
        *scheme = gw_str_first(*rest, known[i].len);
        *rest = gw_str_from(tail, 3);
        return true;
    }
    return false;
}

/* Userinfo is refused with the host later ("@" is no byte of one): what stands before the "@" would
 * be the host to a careless reader. */
static bool parse_absolute(struct gw_str target, struct url *u)
{
    if (!take_scheme(&target, &u->scheme))
        return false;
    size_t end = 0;
    while (end < target.len && !memchr("/?#", target.ptr[end], 3))
        end++;
    u->form = URL_ABSOLUTE_FORM;
    u->authority = gw_str_first(target, end);
    if (!end || !split_path(gw_str_from(target, end), u))
        return false;
    /* RFC 9112 section 3.2.1: an empty path is sent on as "/". */
    if (!u->path.len)
        u->path = GW_STR("/");
    return true;
}

bool url_parse(struct gw_str target, bool connect, struct url *out)
{
    struct url u = {.form = URL_ORIGIN_FORM};
    bool ok = true;
    if (!target.len) {
        ok = false;
    } else if (connect) {
        u.form = URL_AUTHORITY_FORM;
        u.authority = target;
    } else if (target.ptr[0] == '/') {
        ok = split_path(target, &u);
    } else if (gw_str_eq(target, GW_STR("*"))) {
        u.form = URL_ASTERISK_FORM;
        u.path = target;
    } else {
        ok = parse_absolute(target, &u);
    }
    if (ok)
        *out = u;
    return ok;
}

static bool parse_port(struct gw_str text, uint16_t *port)
{
    uint64_t value = 0;
    /* ":" without digits is the default port: RFC 3986 section 3.2.3. */
    if (text.len && (text.len > 5 || !gw_str_u64(text, UINT16_MAX, &value) || !value))
        return false;
    *port = (uint16_t)value;
    return true;
}

static bool are_labels(struct gw_str name)
{
    char before = '.';
    for (size_t i = 0; i < name.len; before = name.ptr[i++])
        if (!byte_is(name.ptr[i], BYTE_HOST) || (before == '.' && name.ptr[i] == '.'))
            return false;
    return before != '.';
}

/* Letters, digits, "-", "." and "_", no empty label but the root's, whose dot is dropped: "a." and
 * "a" are one host and must not be two zones or two cache keys. RFC 3986 would also allow
 * sub-delims and escapes, which no DNS name has and which servers read differently. */
static bool check_name(struct gw_str *name)
{
    if (name->len && name->ptr[name->len - 1] == '.')
        name->len--;
    return name->len && name->len <= HOST_LEN_MAX && are_labels(*name);
}

/* Hosts are compared bytewise from here on: zone look-up, cache key, rules. */
static bool lower_case(struct gw_str *name, struct gw_arena *arena)
{
    size_t at = 0;
    while (at < name->len && gw_lower(name->ptr[at]) == name->ptr[at])
        at++;
    if (at == name->len)
        return true;
    char *copy = gw_arena_alloc(arena, name->len);
    if (!copy)
        return false;
    for (size_t i = 0; i < name->len; i++)
        copy[i] = gw_lower(name->ptr[i]);
    name->ptr = copy;
    return true;
}

bool url_host_parse(struct gw_str authority, struct gw_arena *arena, struct url_host *out)
{
    /* IPv6 stays as it is spelt: "[::1]" and "[0::1]" are two hosts to zones and cache keys alike.
     * Worst case, a visitor meets no zone; nobody gets the other's page. */
    struct url_host host = {0};
    bool bracketed = authority.len && authority.ptr[0] == '[';
    size_t end = gw_str_chr(authority, bracketed ? ']' : ':');
    if (bracketed) {
        struct gw_ip ip;
        if (end == GW_NPOS || !gw_ip_parse(gw_str(authority.ptr + 1, end - 1), &ip) ||
            ip.family != GW_IP_V6)
            return false;
        end++;
    }
    host.name = gw_str_first(authority, end);
    struct gw_str rest = gw_str_from(authority, end);
    if (rest.len && (rest.ptr[0] != ':' || !parse_port(gw_str_from(rest, 1), &host.port)))
        return false;
    if (!bracketed && !check_name(&host.name))
        return false;
    if (!lower_case(&host.name, arena))
        return false;
    *out = host;
    return true;
}

struct gw_str url_path_basename(struct gw_str path)
{
    size_t slash = gw_str_rchr(path, '/');
    return slash == GW_NPOS ? path : gw_str_from(path, slash + 1);
}

struct gw_str url_path_extension(struct gw_str path)
{
    struct gw_str name = url_path_basename(path);
    size_t dot = gw_str_rchr(name, '.');
    return dot == GW_NPOS || dot == 0 ? GW_STR_EMPTY : gw_str_from(name, dot + 1);
}

bool url_query_next(struct gw_str *rest, struct gw_str *name, struct gw_str *value)
{
    struct gw_str item;
    do {
        if (!gw_str_next(rest, '&', &item))
            return false;
    } while (!item.len);
    size_t equals = gw_str_chr(item, '=');
    *name = gw_str_first(item, equals);
    *value = equals == GW_NPOS ? GW_STR_EMPTY : gw_str_from(item, equals + 1);
    return true;
}
