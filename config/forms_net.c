/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses to listen on, origins, the Redis backend, address blocks. */
#include "config/forms.h"
#include "config/load.h"

#define UNIX_PATH_MAX 107 /* bytes of sun_path without its NUL (unix(7)) */

/* "host", "host:8080", "[::1]:8080" in parts; port stays as it is when none is written. An IPv6
 * address without brackets is refused: in ::1:8080 nobody can tell where the address ends (RFC 3986
 * section 3.2.2). */
static bool split_authority(struct load *l, const struct json *v, struct gw_str text,
                            struct gw_str *host, uint16_t *port)
{
    bool bracket = gw_str_starts(text, GW_STR("["));
    size_t end = bracket ? gw_str_chr(text, ']') : gw_str_chr(text, ':');
    if (bracket && end == GW_NPOS)
        return load_fail(l, v, "\"[\" is never closed; an IPv6 address is written [::1]:8080");
    *host = bracket ? gw_str(text.ptr + 1, end - 1) : gw_str_first(text, end);
    struct gw_str rest = gw_str_from(text, bracket ? end + 1 : end);
    if (!bracket && gw_str_chr(gw_str_from(rest, 1), ':') != GW_NPOS)
        return load_fail(l, v, "an IPv6 address stands in brackets: [%.*s]:8080", GW_STR_ARG(text));
    if (rest.len == 0)
        return true;
    uint64_t number;
    if (rest.ptr[0] != ':' || !gw_str_u64(gw_str_from(rest, 1), UINT64_MAX, &number))
        return load_fail(l, v, "expected a port number behind the host, not \"%.*s\"",
                         GW_STR_ARG(rest));
    if (number > UINT16_MAX)
        return load_fail(l, v, "the port %.*s is out of range; ports go from 0 to 65535",
                         GW_STR_ARG(gw_str_from(rest, 1)));
    *port = (uint16_t)number;
    return true;
}

static bool check_unix_path(struct load *l, const struct json *v, struct gw_str path)
{
    if (path.len == 0)
        return load_fail(l, v,
                         "the path of the Unix socket is missing; write unix:/run/nearedge.sock");
    if (path.len > UNIX_PATH_MAX)
        return load_fail(l, v, "the path of a Unix socket has at most %d bytes, this one has %zu",
                         UNIX_PATH_MAX, path.len);
    return true;
}

/* Names other than localhost are not looked up: what a listener binds to must not depend on a name
 * server, and a name with several addresses would bind to one by chance. ":8080" is IPv4, as in
 * nginx; whoever wants both families writes "[::]:8080". */
static bool parse_address(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    struct config_address a = {.text = gw_arena_dup(l->arena, text)};
    if (gw_str_starts(text, GW_STR("unix:"))) {
        a.unix_path = gw_str_from(a.text, 5);
        if (!check_unix_path(l, v, a.unix_path))
            return false;
        *(struct config_address *)out = a;
        return true;
    }
    struct gw_str host;
    if (gw_str_chr(text, ':') == GW_NPOS)
        return load_fail(l, v, "the port is missing; write an address such as 127.0.0.1:8080");
    if (!split_authority(l, v, text, &host, &a.port))
        return false;
    if (host.len == 0 || gw_str_eq(host, GW_STR("*")))
        host = GW_STR("0.0.0.0");
    if (gw_str_eq(host, GW_STR("localhost")))
        host = GW_STR("127.0.0.1");
    if (!gw_ip_parse(host, &a.ip))
        return load_fail(l, v,
                         "\"%.*s\" is no IP address; write 127.0.0.1:8080, [::1]:8080, *:8080 or "
                         "unix:/run/nearedge.sock",
                         GW_STR_ARG(host));
    *(struct config_address *)out = a;
    return true;
}

/* Bits behind the prefix are refused, not cleared: "10.1.2.3/8" trusts sixteen million peers where
 * one was meant as often as not. */
static bool parse_cidr(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    struct gw_cidr block;
    if (gw_cidr_parse(text, false, &block)) {
        *(struct gw_cidr *)out = block;
        return true;
    }
    if (!gw_cidr_parse(text, true, &block))
        return load_fail(
            l, v,
            "\"%.*s\" is no address block; write 192.0.2.0/24, 2001:db8::/32 or a single "
            "address",
            GW_STR_ARG(text));
    char base[GW_IP_TEXT_MAX];
    struct gw_ip masked = gw_ip_mask(&block.ip, block.prefix);
    size_t n = gw_ip_format(&masked, base);
    return load_fail(l, v, "\"%.*s\" has bits set behind its prefix; did you mean %.*s/%u?",
                     GW_STR_ARG(text), (int)n, base, block.prefix);
}

/* A name or address to connect to; `v` is where the message goes. */
static bool check_connect_host(struct load *l, const struct json *v, struct gw_str host)
{
    struct gw_ip ip;
    if (form_is_host_name(host) || gw_ip_parse(host, &ip))
        return true;
    return load_fail(l, v, "\"%.*s\" is no host name and no IP address", GW_STR_ARG(host));
}

/* Host header fields name a port unless it is the scheme's (RFC 9110 section 7.2). */
static struct gw_str write_authority(struct load *l, const struct config_origin *o)
{
    struct gw_buf out;
    gw_buf_init(&out, 512);
    bool bracket = gw_str_chr(o->host, ':') != GW_NPOS;
    gw_buf_printf(&out, bracket ? "[%.*s]" : "%.*s", GW_STR_ARG(o->host));
    if (o->port != (o->scheme == CONFIG_SCHEME_HTTPS ? 443 : 80))
        gw_buf_printf(&out, ":%u", o->port);
    struct gw_str text = gw_arena_dup(l->arena, gw_buf_str(&out));
    gw_buf_release(&out);
    return text;
}

/* A port that is written holds with TLS and without; one that is not follows from the scheme. */
static bool parse_origin_authority(struct load *l, const struct json *v, struct gw_str authority,
                                   enum config_scheme scheme, struct config_origin *o)
{
    uint16_t port = 80, tls_port = 443;
    struct gw_str host;
    struct gw_ip ip;
    if (!split_authority(l, v, authority, &host, &port) ||
        !split_authority(l, v, authority, &host, &tls_port) || !check_connect_host(l, v, host))
        return false;
    if (port == 0)
        return load_fail(l, v, "the port of an origin goes from 1 to 65535");
    o->host = load_lower(l, host);
    o->host_is_ip = gw_ip_parse(o->host, &ip);
    o->scheme = scheme;
    o->port = scheme == CONFIG_SCHEME_HTTPS ? tls_port : port;
    o->tls_port = tls_port;
    o->authority = write_authority(l, o);
    return true;
}

/* A path in an origin URL would be glued in front of every request's path by some proxies and
 * ignored by others; Cloudflare's origins have none. */
static bool parse_origin_url(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    static const struct {
        struct gw_str prefix;
        enum config_scheme scheme;
    } schemes[] = {{GW_STR("http://"), CONFIG_SCHEME_HTTP},
                   {GW_STR("https://"), CONFIG_SCHEME_HTTPS},
                   {GW_STR("//"), CONFIG_SCHEME_OPEN}};
    struct config_origin *o = out;
    size_t form = 0;
    while (form < GW_COUNT(schemes) && !gw_str_starts(text, schemes[form].prefix))
        form++;
    if (form == GW_COUNT(schemes))
        return load_fail(l, v,
                         "\"%.*s\" is no origin; write its URL, such as http://127.0.0.1:9000",
                         GW_STR_ARG(text));
    struct gw_str rest = gw_str_from(text, schemes[form].prefix.len);
    size_t end = 0;
    while (end < rest.len && !strchr("/?#", rest.ptr[end]))
        end++;
    struct gw_str tail = gw_str_from(rest, end);
    if (tail.len > 1 || (tail.len == 1 && tail.ptr[0] != '/'))
        return load_fail(l, v, "an origin is scheme, host and port only; remove \"%.*s\"",
                         GW_STR_ARG(tail));
    struct gw_str authority = gw_str_first(rest, end);
    if (gw_str_chr(authority, '@') != GW_NPOS)
        return load_fail(l, v, "an origin URL takes no user name or password");
    if (!parse_origin_authority(l, v, authority, schemes[form].scheme, o))
        return false;
    o->url = gw_arena_dup(l->arena, text);
    return true;
}

/* "[user][:password]@" of a Redis URL; what is not written stays absent. The last "@" divides: a
 * password that a variable brings may hold one, a host cannot. */
static void split_credentials(struct load *l, struct gw_str *rest, struct config_backend *b)
{
    size_t at = gw_str_rchr(*rest, '@');
    if (at == GW_NPOS)
        return;
    struct gw_str both = gw_str_first(*rest, at);
    size_t colon = gw_min_size(gw_str_chr(both, ':'), both.len);
    if (colon > 0)
        b->user = gw_arena_dup(l->arena, gw_str_first(both, colon));
    if (colon < both.len)
        b->password = gw_arena_dup(l->arena, gw_str_from(both, colon + 1));
    *rest = gw_str_from(*rest, at + 1);
}

static bool parse_db(struct load *l, const struct json *v, struct gw_str text, uint32_t *db)
{
    uint64_t number = 0;
    if (text.len && !gw_str_u64(text, INT32_MAX, &number))
        return load_fail(l, v, "\"%.*s\" is no Redis database number", GW_STR_ARG(text));
    *db = (uint32_t)number;
    return true;
}

static bool parse_redis_tcp(struct load *l, const struct json *v, struct gw_str rest,
                            struct config_backend *b)
{
    struct gw_str host;
    size_t slash = gw_min_size(gw_str_chr(rest, '/'), rest.len);
    b->port = 6379;
    if (!split_authority(l, v, gw_str_first(rest, slash), &host, &b->port) ||
        !check_connect_host(l, v, host) || !parse_db(l, v, gw_str_from(rest, slash + 1), &b->db))
        return false;
    b->host = load_lower(l, host);
    return true;
}

/* The path is taken as it is, without percent-decoding: so do redis-cli and the Redis clients. */
static bool parse_redis_unix(struct load *l, const struct json *v, struct gw_str rest,
                             struct config_backend *b)
{
    size_t query = gw_min_size(gw_str_chr(rest, '?'), rest.len);
    struct gw_str option = gw_str_from(rest, query + 1);
    b->unix_path = gw_arena_dup(l->arena, gw_str_first(rest, query));
    if (!check_unix_path(l, v, b->unix_path))
        return false;
    if (option.len && !gw_str_starts(option, GW_STR("db=")))
        return load_fail(l, v, "the only option of a Redis socket is \"db\": ?db=0");
    return parse_db(l, v, gw_str_from(option, 3), &b->db);
}

/* "host[:port][,host[:port]…]": any one of them leads to the whole cluster. A database is refused
 * rather than dropped: two gateways told to use 0 and 1 would count together. */
static bool parse_redis_cluster(struct load *l, const struct json *v, struct gw_str rest,
                                struct config_backend *b)
{
    struct config_endpoint seeds[CONFIG_BACKEND_SEEDS_MAX] = {0};
    size_t slash = gw_min_size(gw_str_chr(rest, '/'), rest.len), count = 0;
    struct gw_str tail = gw_str_from(rest, slash + 1), list = gw_str_first(rest, slash), item;
    if (tail.len && !gw_str_eq(tail, GW_STR("0")))
        return load_fail(l, v, "Redis Cluster has database 0 only; remove \"/%.*s\"",
                         GW_STR_ARG(tail));
    while (gw_str_next(&list, ',', &item)) {
        struct config_endpoint seed = {.port = 6379};
        if (count == CONFIG_BACKEND_SEEDS_MAX)
            return load_fail(l, v, "at most %d nodes are named; the others are found through them",
                             CONFIG_BACKEND_SEEDS_MAX);
        if (!split_authority(l, v, item, &seed.host, &seed.port) ||
            !check_connect_host(l, v, seed.host))
            return false;
        seed.host = load_lower(l, seed.host);
        seeds[count++] = seed;
    }
    /* At least one seed by now: an empty list is one empty item, which is no host. */
    b->cluster = true;
    b->host = seeds[0].host;
    b->port = seeds[0].port;
    b->other_count = count - 1;
    b->others = gw_arena_alloc(l->arena, (count - 1) * sizeof(*seeds));
    memcpy(b->others, seeds + 1, (count - 1) * sizeof(*seeds));
    return true;
}

static const struct {
    struct gw_str scheme;
    bool (*parse)(struct load *l, const struct json *v, struct gw_str rest,
                  struct config_backend *b);
} backend_forms[] = {
    {GW_STR("redis://"), parse_redis_tcp},
    {GW_STR("redis+unix://"), parse_redis_unix},
    {GW_STR("redis+cluster://"), parse_redis_cluster},
};

static bool parse_backend(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    struct config_backend b = {.kind = CONFIG_BACKEND_REDIS};
    if (gw_str_eq(text, GW_STR("embedded"))) {
        *(struct config_backend *)out = (struct config_backend){.kind = CONFIG_BACKEND_EMBEDDED};
        return true;
    }
    if (gw_str_starts(text, GW_STR("rediss://")))
        return load_fail(l, v, "TLS to Redis is not available in this version; use redis://");
    size_t form = 0;
    while (form < GW_COUNT(backend_forms) && !gw_str_starts(text, backend_forms[form].scheme))
        form++;
    if (form == GW_COUNT(backend_forms))
        return load_fail(
            l, v,
            "unknown backend; write \"embedded\", \"redis://[:password@]host:port/db\", "
            "\"redis+cluster://[:password@]host:port[,host:port]\" or "
            "\"redis+unix:///path?db=0\"");
    struct gw_str rest = gw_str_from(text, backend_forms[form].scheme.len);
    split_credentials(l, &rest, &b);
    if (!backend_forms[form].parse(l, v, rest, &b))
        return false;
    if (v && b.password.ptr && gw_str_find(json_str(v), GW_STR("${")) == GW_NPOS)
        json_warn(l->doc, v, l->diags,
                  "the password stands in the file; use \"${VAR}\" or \"${file:PATH}\" for it");
    *(struct config_backend *)out = b;
    return true;
}

const struct schema_form form_address = {sizeof(struct config_address),
                                         "an address such as \"127.0.0.1:8080\"", parse_address};
const struct schema_form form_cidr = {sizeof(struct gw_cidr),
                                      "an address block such as \"192.0.2.0/24\"", parse_cidr};
const struct schema_form form_origin_url = {
    sizeof(struct config_origin), "a URL such as \"http://127.0.0.1:9000\"", parse_origin_url};
const struct schema_form form_backend = {sizeof(struct config_backend),
                                         "\"embedded\" or a Redis URL", parse_backend};
