/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/pairs.h"

#include "gateway/http/cookie.h"

void pairs_start(struct pairs *p, const struct rules_request *r, enum rules_derived map)
{
    *p = (struct pairs){.map = map, .headers = r->headers};
    if (map == RULES_RESPONSE_HEADERS)
        p->headers = r->response_headers;
    else if (map == RULES_ARGS)
        p->rest = r->query;
    else if (map == RULES_RAW_ARGS)
        p->rest = rules_raw_query(r);
}

static bool next_header(struct pairs *p, struct gw_str *name, struct gw_str *value)
{
    if (!p->headers || p->line >= p->headers->count)
        return false;
    const struct header *h = &p->headers->items[p->line++];
    *name = h->name;
    *value = h->value;
    return true;
}

static bool next_cookie(struct pairs *p, struct gw_str *name, struct gw_str *value)
{
    while (!cookie_next(&p->rest, name, value)) {
        const struct gw_str *line =
            p->headers ? headers_next(p->headers, HEADER_COOKIE, &p->line) : NULL;
        if (!line)
            return false;
        p->rest = *line;
    }
    return true;
}

static bool next_argument(struct pairs *p, struct gw_str *name, struct gw_str *value)
{
    struct gw_str item;
    do {
        if (!gw_str_next(&p->rest, '&', &item))
            return false;
    } while (item.len == 0);
    size_t equals = gw_str_chr(item, '=');
    *name = gw_str_first(item, equals);
    *value = equals == GW_NPOS ? gw_str(item.ptr + item.len, 0) : gw_str_from(item, equals + 1);
    return true;
}

bool pairs_next(struct pairs *p, struct gw_str *name, struct gw_str *value)
{
    if (p->map == RULES_COOKIES)
        return next_cookie(p, name, value);
    if (p->map == RULES_ARGS || p->map == RULES_RAW_ARGS)
        return next_argument(p, name, value);
    return next_header(p, name, value);
}

static bool decoded_eq(struct gw_str encoded, struct gw_str plain)
{
    size_t at = 0;
    for (size_t i = 0; i < encoded.len; i++, at++) {
        char c = encoded.ptr[i];
        if (c == '%' && encoded.len - i > 2 && gw_hex_value(encoded.ptr[i + 1]) >= 0 &&
            gw_hex_value(encoded.ptr[i + 2]) >= 0) {
            c = (char)(gw_hex_value(encoded.ptr[i + 1]) << 4 | gw_hex_value(encoded.ptr[i + 2]));
            i += 2;
        }
        if (at >= plain.len || plain.ptr[at] != c)
            return false;
    }
    return at == plain.len;
}

bool pairs_match(enum rules_derived map, struct gw_str name, const struct rules_key *key)
{
    if (map == RULES_COOKIES)
        return decoded_eq(name, key->text);
    if (map == RULES_ARGS || map == RULES_RAW_ARGS)
        return gw_str_eq(name, key->text);
    return !key->never && gw_str_ieq(name, key->text);
}
