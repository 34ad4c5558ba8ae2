/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/directives.h"

#include "gateway/http/date.h"
#include "gateway/http/structured.h"

static const enum header_id cdn_headers[] = {HEADER_CLOUDFLARE_CDN_CACHE_CONTROL,
                                             HEADER_CDN_CACHE_CONTROL};

/* RFC 9213 section 2.1: a field that is empty, or no dictionary of structured fields, is as if it
 * were not there, and the next target's is asked. */
static bool has_directives(const struct headers *headers, enum header_id id)
{
    bool any = false;
    size_t at = 0;
    for (const struct gw_str *line; (line = headers_next(headers, id, &at));) {
        if (!structured_is_dictionary(*line))
            return false;
        any |= line->len > 0;
    }
    return any;
}

/* What is no date is a time that has passed (RFC 9111 section 5.3); of two lines neither is
 * believed (section 2.6). */
static int64_t read_expires(const struct headers *headers, uint64_t now_ms)
{
    size_t at = 0;
    const struct gw_str *value = headers_next(headers, HEADER_EXPIRES, &at);
    if (!value || headers_next(headers, HEADER_EXPIRES, &at))
        return -1;
    int64_t now_s = (int64_t)(now_ms / 1000), expires_s;
    if (!date_parse(*value, now_s, &expires_s) || expires_s < now_s)
        return 0;
    return expires_s - now_s;
}

struct cache_directives cache_directives_read(const struct headers *headers, uint64_t now_ms)
{
    struct cache_directives d = {.for_cdn = true, .expires_in_s = -1};
    for (size_t i = 0; i < GW_COUNT(cdn_headers); i++) {
        if (headers_has(headers, cdn_headers[i]) && has_directives(headers, cdn_headers[i])) {
            d.control = cache_control_read(headers, cdn_headers[i]);
            return d;
        }
    }
    /* Its own words are not read, since nobody knows whether Cloudflare does (section 2.7); that it
     * is there, even empty, silences Cache-Control. */
    if (headers_has(headers, HEADER_SURROGATE_CONTROL)) {
        d.control = cache_control_parse(GW_STR_EMPTY);
        return d;
    }
    d.for_cdn = false;
    d.control = cache_control_read(headers, HEADER_CACHE_CONTROL);
    d.expires_in_s = read_expires(headers, now_ms);
    return d;
}

bool cache_directives_no_cache(const struct cache_directives *d)
{
    return d->control.flags & CC_NO_CACHE && d->control.no_cache_fields.len == 0;
}

bool cache_directives_private(const struct cache_directives *d)
{
    return d->control.flags & CC_PRIVATE && d->control.private_fields.len == 0;
}

static bool list_names(struct gw_str list, struct gw_str field)
{
    struct gw_str name;
    while (cache_control_field_next(&list, &name))
        if (gw_str_ieq(name, field))
            return true;
    return false;
}

bool cache_directives_names(const struct cache_directives *d, struct gw_str field)
{
    return list_names(d->control.private_fields, field) ||
           list_names(d->control.no_cache_fields, field);
}

/* RFC 9111 section 4.2.1, in its order. */
int64_t cache_directives_ttl(const struct cache_directives *d)
{
    if (d->control.s_maxage >= 0)
        return d->control.s_maxage;
    return d->control.max_age >= 0 ? d->control.max_age : d->expires_in_s;
}
