/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/cache_control.h"

#define SECONDS_MAX ((int64_t)INT32_MAX) /* RFC 9111 section 1.2.2 */

enum argument { ARG_NONE, ARG_SECONDS, ARG_FIELDS };

/* The order is that of frequency: look-up goes from the top. */
struct directive {
    struct gw_str name;
    unsigned flag; /* 0: only the value counts */
    enum argument argument;
    size_t offset; /* of the value in struct cache_control */
};

#define PLAIN(name, flag)                                                                          \
    {                                                                                              \
        {name, sizeof(name) - 1}, flag, ARG_NONE, 0                                                \
    }
#define SECONDS(name, flag, field)                                                                 \
    {                                                                                              \
        {name, sizeof(name) - 1}, flag, ARG_SECONDS, offsetof(struct cache_control, field)         \
    }
#define FIELDS(name, flag, field)                                                                  \
    {                                                                                              \
        {name, sizeof(name) - 1}, flag, ARG_FIELDS, offsetof(struct cache_control, field)          \
    }

static const struct directive directives[] = {
    SECONDS("max-age", CC_MAX_AGE, max_age),
    SECONDS("s-maxage", CC_S_MAXAGE, s_maxage),
    PLAIN("public", CC_PUBLIC),
    FIELDS("private", CC_PRIVATE, private_fields),
    FIELDS("no-cache", CC_NO_CACHE, no_cache_fields),
    PLAIN("no-store", CC_NO_STORE),
    PLAIN("must-revalidate", CC_MUST_REVALIDATE),
    PLAIN("proxy-revalidate", CC_PROXY_REVALIDATE),
    SECONDS("stale-while-revalidate", 0, stale_while_revalidate),
    SECONDS("stale-if-error", 0, stale_if_error),
    PLAIN("no-transform", CC_NO_TRANSFORM),
    PLAIN("immutable", CC_IMMUTABLE),
    PLAIN("must-understand", CC_MUST_UNDERSTAND),
    PLAIN("only-if-cached", CC_ONLY_IF_CACHED),
};

/* Digits, and perhaps a fraction that is cut off; anything else (a sign, a unit) is -1. Capped at
 * each digit: there may be any number of them. */
static int64_t read_seconds(struct gw_str text)
{
    size_t i = 0;
    int64_t value = 0;
    for (; i < text.len && gw_is_digit(text.ptr[i]); i++) {
        value = value * 10 + (text.ptr[i] - '0');
        value = value > SECONDS_MAX ? SECONDS_MAX : value;
    }
    if (i == 0)
        return -1;
    if (i < text.len && text.ptr[i] == '.')
        for (i++; i < text.len && gw_is_digit(text.ptr[i]);)
            i++;
    return i == text.len ? value : -1;
}

/* Length of a quoted string from its opening quote; an open one ends with the text. */
static size_t quoted_len(struct gw_str s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '"')
            return i + 1;
        if (s.ptr[i] == '\\')
            i++;
    }
    return s.len;
}

/* Backslashes stay: neither a number nor the name of a field has one to escape. */
static struct gw_str unquote(struct gw_str s)
{
    if (!s.len || s.ptr[0] != '"')
        return s;
    s = gw_str_from(s, 1);
    if (s.len && s.ptr[s.len - 1] == '"')
        s.len--;
    return gw_str_trim(s);
}

/* Cuts one directive off *rest, up to a separator outside quotes. */
static bool next_directive(struct gw_str *rest, struct gw_str *name, struct gw_str *value)
{
    if (!rest->len)
        return false;
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] != ',' && rest->ptr[end] != ';')
        end += rest->ptr[end] == '"' ? quoted_len(gw_str_from(*rest, end)) : 1;
    struct gw_str item = gw_str_first(*rest, end);
    *rest = gw_str_from(*rest, end + 1);
    size_t equals = gw_str_chr(item, '=');
    *name = gw_str_trim(gw_str_first(item, equals));
    *value = equals == GW_NPOS ? GW_STR_EMPTY : unquote(gw_str_trim(gw_str_from(item, equals + 1)));
    return true;
}

/* A later directive replaces an earlier one, its absence of a list or number included. */
static void apply(struct cache_control *cc, const struct directive *d, struct gw_str value)
{
    char *field = (char *)cc + d->offset;
    cc->flags |= d->flag;
    if (d->argument == ARG_SECONDS)
        *(int64_t *)field = read_seconds(value);
    else if (d->argument == ARG_FIELDS)
        *(struct gw_str *)field = value;
}

static void read_line(struct cache_control *cc, struct gw_str line)
{
    struct gw_str name, value;
    cc->present = true;
    while (next_directive(&line, &name, &value))
        for (size_t i = 0; i < GW_COUNT(directives); i++)
            if (gw_str_ieq(name, directives[i].name)) {
                apply(cc, &directives[i], value);
                break;
            }
}

static struct cache_control nothing(void)
{
    return (struct cache_control){
        .max_age = -1, .s_maxage = -1, .stale_while_revalidate = -1, .stale_if_error = -1};
}

/* Once all lines are read, since the two may come in either order.
 * To fall back from a broken s-maxage to max-age would hold at the edge what the origin tried to
 * limit there (spec/cache-behaviour.md section 2.6). */
static void finish(struct cache_control *cc)
{
    if (cc->flags & CC_S_MAXAGE && cc->s_maxage < 0)
        cc->max_age = -1;
}

struct cache_control cache_control_read(const struct headers *h, enum header_id id)
{
    struct cache_control cc = nothing();
    if (!headers_has(h, id))
        return cc;
    size_t at = 0;
    for (const struct gw_str *line; (line = headers_next(h, id, &at));)
        read_line(&cc, *line);
    finish(&cc);
    return cc;
}

struct cache_control cache_control_parse(struct gw_str value)
{
    struct cache_control cc = nothing();
    read_line(&cc, value);
    finish(&cc);
    return cc;
}

bool cache_control_field_next(struct gw_str *rest, struct gw_str *name)
{
    do {
        if (!gw_str_next(rest, ',', name))
            return false;
        *name = gw_str_trim(*name);
    } while (!name->len);
    return true;
}
