/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/etag.h"

/* The tag at the front of s with its W/ and quotes, or an empty slice. RFC 9110 section 8.8.3: "W/"
 * is case-sensitive, and whatever is neither space, control nor quote may stand inside, bytes from
 * 0x80 on too. */
static struct gw_str first_tag(struct gw_str s)
{
    size_t i = gw_str_starts(s, GW_STR("W/")) ? 2 : 0;
    if (i >= s.len || s.ptr[i] != '"')
        return GW_STR_EMPTY;
    for (i++; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '"')
            return gw_str_first(s, i + 1);
        if (c <= 0x20 || c == 0x7f)
            break;
    }
    return GW_STR_EMPTY;
}

static struct gw_str opaque(struct gw_str etag)
{
    return etag_is_weak(etag) ? gw_str_from(etag, 2) : etag;
}

bool etag_valid(struct gw_str etag)
{
    return etag.len && first_tag(etag).len == etag.len;
}

bool etag_is_weak(struct gw_str etag)
{
    return gw_str_starts(etag, GW_STR("W/"));
}

bool etag_weak_eq(struct gw_str a, struct gw_str b)
{
    return etag_valid(a) && etag_valid(b) && gw_str_eq(opaque(a), opaque(b));
}

/* Two weak tags are never strongly equal, not even to themselves. */
bool etag_strong_eq(struct gw_str a, struct gw_str b)
{
    return etag_valid(a) && !etag_is_weak(a) && gw_str_eq(a, b);
}

/* Commas may stand inside a tag, so the list is walked tag by tag and not split. "*" means any
 * object at all, but only when it stands alone (RFC 9110 section 13.1.2). */
static bool line_lists(struct gw_str line, struct gw_str etag, enum etag_comparison how)
{
    if (gw_str_eq(gw_str_trim(line), GW_STR("*")))
        return true;
    for (;;) {
        line = gw_str_trim(line);
        while (line.len && line.ptr[0] == ',')
            line = gw_str_trim(gw_str_from(line, 1));
        struct gw_str tag = first_tag(line);
        if (!tag.len)
            return false;
        if (how == ETAG_WEAK ? etag_weak_eq(tag, etag) : etag_strong_eq(tag, etag))
            return true;
        line = gw_str_trim(gw_str_from(line, tag.len));
        if (line.len && line.ptr[0] != ',')
            return false;
    }
}

bool etag_listed(const struct headers *h, enum header_id id, struct gw_str etag,
                 enum etag_comparison how)
{
    size_t at = 0;
    if (!headers_has(h, id))
        return false;
    for (const struct gw_str *line; (line = headers_next(h, id, &at));)
        if (line_lists(*line, etag, how))
            return true;
    return false;
}

/* A weak tag never matches: parts of two representations that only mean the same must not be put
 * together (RFC 9110 section 13.1.5). */
bool etag_if_range(struct gw_str value, struct gw_str etag, struct gw_str last_modified)
{
    if (etag_strong_eq(value, etag))
        return true;
    return value.len && !etag_valid(value) && gw_str_eq(value, last_modified);
}
