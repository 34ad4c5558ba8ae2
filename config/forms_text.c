/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, places, names and the settings with a fixed set of values. */
#include "config/countries.h"
#include "config/file.h"
#include "config/forms.h"
#include "config/load.h"

#define HOST_MAX  253 /* RFC 1035 section 2.3.4, in text form */
#define LABEL_MAX 63

static bool is_alnum(char c)
{
    return (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || gw_is_digit(c);
}

/* The underscore is no letter of a host name (RFC 952), but real Host headers have it and
 * Cloudflare serves them. */
static bool is_label(struct gw_str label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-' && label.ptr[i] != '_')
            return false;
    return label.len > 0 && label.len <= LABEL_MAX;
}

bool form_is_host_name(struct gw_str host)
{
    struct gw_str rest = host, label;
    while (gw_str_next(&rest, '.', &label))
        if (!is_label(label))
            return false;
    return host.len > 0 && host.len <= HOST_MAX;
}

/* Advice for what people write instead of a bare host. */
static const char *host_advice(struct gw_str text)
{
    if (gw_str_find(text, GW_STR("://")) != GW_NPOS)
        return "a host is only the name, without a scheme";
    if (gw_str_starts(text, GW_STR("*.")))
        return "wildcards below a name are not supported: list the hosts, or write \"*\" alone for "
               "all that no zone names";
    if (gw_str_chr(text, '/') != GW_NPOS)
        return "a host has no path";
    if (gw_str_chr(text, ':') != GW_NPOS)
        return "a host has no port: a zone answers on every listener";
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return "write international names in their xn-- form";
    return "names are letters, digits, \"-\" and \"_\" between dots";
}

/* Hosts are compared byte by byte with the lower-case Host of a request, so they are lowered here
 * once. IPv6 literals keep their brackets, as Host has them. */
static bool parse_host(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    struct gw_ip ip;
    bool brackets = text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
    bool v6 = brackets && gw_ip_parse(gw_str(text.ptr + 1, text.len - 2), &ip);
    if (!gw_str_eq(text, GW_STR("*")) && !v6 && !form_is_host_name(text))
        return load_fail(l, v, "\"%.*s\" is no host; %s", GW_STR_ARG(text), host_advice(text));
    *(struct gw_str *)out = load_lower(l, text);
    return true;
}

static bool is_header_text(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    return true;
}

/* A line end here would let the file write header lines of its own (RFC 9110 section 5.5). */
static bool parse_header_text(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    if (!is_header_text(text))
        return load_fail(l, v, "a header value holds no control characters");
    *(struct gw_str *)out = gw_arena_dup(l->arena, text);
    return true;
}

static bool parse_host_header(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    if (gw_str_eq(text, GW_STR("preserve"))) {
        *(struct gw_str *)out = GW_STR_EMPTY;
        return true;
    }
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.ptr[i]) && !strchr("-._:[]", text.ptr[i]))
            return load_fail(l, v, "\"%.*s\" is no Host header; write \"preserve\" or a host",
                             GW_STR_ARG(text));
    *(struct gw_str *)out = gw_arena_dup(l->arena, text);
    return true;
}

static bool parse_zone_id(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    bool ok = text.len == 32;
    for (size_t i = 0; i < text.len && ok; i++)
        ok = gw_hex_value(text.ptr[i]) >= 0;
    if (!ok)
        return load_fail(l, v,
                         "a zone id has 32 hexadecimal digits; leave it out to have one derived "
                         "from the name");
    *(struct gw_str *)out = load_lower(l, text);
    return true;
}

/* The name goes into every CF-Ray behind the dash; tools that take it apart expect three letters.
 */
static bool parse_edge_name(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    bool ok = text.len == 3;
    for (size_t i = 0; i < text.len && ok; i++)
        ok = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    if (!ok)
        return load_fail(l, v,
                         "\"%.*s\" is no edge; its name is an airport code of three capital "
                         "letters, such as FRA",
                         GW_STR_ARG(text));
    *(struct gw_str *)out = gw_arena_dup(l->arena, text);
    return true;
}

static bool parse_country(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    if (!country_continent(text))
        return load_fail(l, v,
                         "\"%.*s\" is no country; write its two-letter ISO code in capitals, such "
                         "as DE",
                         GW_STR_ARG(text));
    *(struct gw_str *)out = gw_arena_dup(l->arena, text);
    return true;
}

static bool parse_continent(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    struct gw_str rest = GW_STR("AF AN AS EU NA OC SA"), code;
    while (gw_str_next(&rest, ' ', &code)) {
        if (gw_str_eq(text, code)) {
            *(struct gw_str *)out = gw_arena_dup(l->arena, text);
            return true;
        }
    }
    return load_fail(l, v, "\"%.*s\" is no continent; they are AF, AN, AS, EU, NA, OC and SA",
                     GW_STR_ARG(text));
}

/* Token characters (RFC 9110 section 5.6.2): both cookie and header names are tokens. */
static bool is_token(struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.ptr[i]) && !strchr("!#$%&'*+-.^_`|~", name.ptr[i]))
            return false;
    return name.len > 0;
}

/* Cookie names are compared byte by byte, header names without case (RFC 9110 section 5.1). */
static bool parse_user_from(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    struct config_user_from u = {CONFIG_USER_NONE, GW_STR_EMPTY};
    if (gw_str_starts(text, GW_STR("cookie:")))
        u = (struct config_user_from){CONFIG_USER_COOKIE, gw_str_from(text, 7)};
    else if (gw_str_starts(text, GW_STR("header:")))
        u = (struct config_user_from){CONFIG_USER_HEADER, gw_str_from(text, 7)};
    if (!is_token(u.name))
        return load_fail(l, v, "\"%.*s\" names no user; write \"cookie:NAME\" or \"header:NAME\"",
                         GW_STR_ARG(text));
    bool header = u.kind == CONFIG_USER_HEADER;
    u.name = header ? load_lower(l, u.name) : gw_arena_dup(l->arena, u.name);
    *(struct config_user_from *)out = u;
    return true;
}

/* The file is opened at start-up and on USR1, not here: `check` must not create it. */
static bool parse_access_log(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    (void)v;
    static const struct {
        struct gw_str name;
        enum config_log_target target;
    } names[] = {{GW_STR("off"), CONFIG_LOG_OFF},
                 {GW_STR("stdout"), CONFIG_LOG_STDOUT},
                 {GW_STR("stderr"), CONFIG_LOG_STDERR}};
    struct config_log *log = out;
    for (size_t i = 0; i < GW_COUNT(names); i++) {
        if (gw_str_eq(text, names[i].name)) {
            log->access = names[i].target;
            return true;
        }
    }
    log->access = CONFIG_LOG_FILE;
    log->access_path = file_resolve(l->arena, l->base, text);
    return true;
}

/* It need not be there yet. */
static bool parse_folder(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    (void)v;
    *(struct gw_str *)out = file_resolve(l->arena, l->base, text);
    return true;
}

/* Whether such a user exists is a matter of the machine that runs it, not of the one that checks.
 */
static bool parse_user(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    struct gw_str rest = text, name;
    size_t parts = 0;
    bool ok = true;
    while (gw_str_next(&rest, ':', &name)) {
        ok = ok && name.len > 0 && name.ptr[0] != '-';
        for (size_t i = 0; i < name.len; i++)
            ok = ok && (is_alnum(name.ptr[i]) || strchr("-._", name.ptr[i]));
        parts++;
    }
    if (!ok || parts > 2)
        return load_fail(l, v, "\"%.*s\" is no user; write \"NAME\" or \"NAME:GROUP\"",
                         GW_STR_ARG(text));
    *(struct gw_str *)out = gw_arena_dup(l->arena, text);
    return true;
}

const struct schema_form form_user = {sizeof(struct gw_str), "\"NAME\" or \"NAME:GROUP\"",
                                      parse_user};
const struct schema_form form_folder = {sizeof(struct gw_str), "the path of a folder",
                                        parse_folder};
const struct schema_form form_host = {sizeof(struct gw_str), "a host name or \"*\"", parse_host};
const struct schema_form form_host_header = {sizeof(struct gw_str), "\"preserve\" or a host",
                                             parse_host_header};
const struct schema_form form_zone_id = {sizeof(struct gw_str), "32 hexadecimal digits",
                                         parse_zone_id};
const struct schema_form form_edge_name = {sizeof(struct gw_str), "three capital letters",
                                           parse_edge_name};
const struct schema_form form_country = {sizeof(struct gw_str), "a two-letter country code",
                                         parse_country};
const struct schema_form form_continent = {sizeof(struct gw_str), "a continent code",
                                           parse_continent};
const struct schema_form form_user_from = {sizeof(struct config_user_from),
                                           "\"cookie:NAME\" or \"header:NAME\"", parse_user_from};
const struct schema_form form_access_log = {
    sizeof(struct config_log), "\"stdout\", \"stderr\", \"off\" or a path", parse_access_log};
const struct schema_form form_header_text = {sizeof(struct gw_str), "a string", parse_header_text};
