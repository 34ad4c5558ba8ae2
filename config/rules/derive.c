/* SPDX-License-Identifier: Apache-2.0 */
/* The texts among the derived values; the maps are in derive_map.c. */
#include "config/rules/derive.h"

#include "config/rules/derive_map.h"

static struct rules_value join(struct rules_request *r, const struct gw_str *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *text = gw_arena_alloc(r->scratch, len + 1);
    if (!text)
        return RULES_NOTHING;
    char *to = text;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len)
            memcpy(to, parts[i].ptr, parts[i].len);
        to += parts[i].len;
    }
    return rules_bytes(gw_str(text, len));
}

static struct rules_value uri(struct rules_request *r, bool full, struct gw_str path,
                              struct gw_str query)
{
    struct gw_str parts[5] = {
        full ? (r->https ? GW_STR("https://") : GW_STR("http://")) : GW_STR_EMPTY,
        full ? r->host : GW_STR_EMPTY,
        path,
        query.len ? GW_STR("?") : GW_STR_EMPTY,
        query,
    };
    if (!full && query.len == 0)
        return rules_bytes(path);
    return join(r, parts, GW_COUNT(parts));
}

static struct gw_str basename_of(struct gw_str path)
{
    return gw_str_from(path, gw_str_rchr(path, '/') + 1);
}

/* A name that only begins with a dot has no extension, nor has one that ends with it. */
static struct rules_value extension(struct rules_request *r, struct gw_str path)
{
    struct gw_str name = basename_of(path);
    size_t dot = gw_str_rchr(name, '.');
    if (dot == GW_NPOS || dot == 0)
        return rules_bytes(GW_STR_EMPTY);
    struct gw_str ext = gw_str_from(name, dot + 1);
    size_t upper = 0;
    while (upper < ext.len && gw_lower(ext.ptr[upper]) == ext.ptr[upper])
        upper++;
    if (upper == ext.len)
        return rules_bytes(ext);
    char *text = gw_arena_alloc(r->scratch, ext.len);
    if (!text)
        return RULES_NOTHING;
    for (size_t i = 0; i < ext.len; i++)
        text[i] = gw_lower(ext.ptr[i]);
    return rules_bytes(gw_str(text, ext.len));
}

/* One string for a header that may have several lines; the usual single line is not copied. An
 * absent header is "" (spec section 5): http.user_agent eq "" is how people ask for its absence. */
static struct rules_value line(struct rules_request *r, enum header_id id, struct gw_str separator)
{
    size_t at = 0;
    const struct gw_str *value = r->headers ? headers_next(r->headers, id, &at) : NULL;
    if (!value)
        return rules_bytes(GW_STR_EMPTY);
    struct rules_value text = rules_bytes(*value);
    while (text.kind == RULES_VALUE_BYTES && (value = headers_next(r->headers, id, &at)))
        text = join(r, (struct gw_str[]){text.s, separator, *value}, 3);
    return text;
}

static struct rules_value media_type(struct rules_request *r)
{
    const struct gw_str *type =
        r->response_headers ? headers_get(r->response_headers, HEADER_CONTENT_TYPE) : NULL;
    if (!type)
        return rules_bytes(GW_STR_EMPTY);
    struct gw_str bare = gw_str_trim(gw_str_first(*type, gw_str_chr(*type, ';')));
    char *text = gw_arena_alloc(r->scratch, bare.len + 1);
    if (!text)
        return RULES_NOTHING;
    for (size_t i = 0; i < bare.len; i++)
        text[i] = gw_lower(bare.ptr[i]);
    return rules_bytes(gw_str(text, bare.len));
}

static struct rules_value derive(struct rules_request *r, enum rules_derived slot)
{
    switch (slot) {
    case RULES_URI:
        return uri(r, false, r->path, r->query);
    case RULES_RAW_URI:
        return uri(r, false, rules_raw_path(r), rules_raw_query(r));
    case RULES_FULL_URI:
        return uri(r, true, r->path, r->query);
    case RULES_RAW_FULL_URI:
        return uri(r, true, rules_raw_path(r), rules_raw_query(r));
    case RULES_EXTENSION:
        return extension(r, r->path);
    case RULES_RAW_EXTENSION:
        return extension(r, rules_raw_path(r));
    case RULES_BASENAME:
        return rules_bytes(basename_of(r->path));
    case RULES_COOKIE_LINE:
        return line(r, HEADER_COOKIE, GW_STR("; "));
    case RULES_REFERER:
        return line(r, HEADER_REFERER, GW_STR(", "));
    case RULES_USER_AGENT:
        return line(r, HEADER_USER_AGENT, GW_STR(", "));
    case RULES_FORWARDED_FOR:
        return line(r, HEADER_X_FORWARDED_FOR, GW_STR(", "));
    case RULES_MEDIA_TYPE:
        return media_type(r);
    case RULES_LANGUAGES:
        return derive_languages(r);
    case RULES_ARGS:
    case RULES_RAW_ARGS:
    case RULES_COOKIES:
    case RULES_HEADERS:
    case RULES_RESPONSE_HEADERS:
        return derive_map(r, slot);
    case RULES_ARG_NAMES:
    case RULES_RAW_ARG_NAMES:
    case RULES_HEADER_NAMES:
    case RULES_RESPONSE_HEADER_NAMES:
        return derive_column(r, slot - 1, false);
    case RULES_ARG_VALUES:
    case RULES_RAW_ARG_VALUES:
    case RULES_HEADER_VALUES:
    case RULES_RESPONSE_HEADER_VALUES:
        return derive_column(r, slot - 2, true);
    case RULES_DERIVED_COUNT:
        break;
    }
    return RULES_NOTHING;
}

/* Kept even when it is missing for want of memory: the next rule would fail at the same thing. */
const struct rules_value *rules_derive_now(struct rules_request *r, enum rules_derived slot)
{
    r->derived[slot] = derive(r, slot);
    r->derived_known |= 1u << slot;
    return &r->derived[slot];
}
