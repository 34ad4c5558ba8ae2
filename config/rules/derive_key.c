/* SPDX-License-Identifier: Apache-2.0 */
/* One key of a map field, without building the map: the way nearly every rule uses them. */
#include "config/rules/find.h"
#include "config/rules/pairs.h"

bool rules_is_multimap(enum rules_derived slot)
{
    return slot == RULES_ARGS || slot == RULES_RAW_ARGS || slot == RULES_COOKIES ||
           slot == RULES_HEADERS || slot == RULES_RESPONSE_HEADERS;
}

struct rules_key rules_key_prepare(enum rules_derived slot, struct gw_str text)
{
    struct rules_key key = {.text = text, .id = HEADER_OTHER};
    if (slot != RULES_HEADERS && slot != RULES_RESPONSE_HEADERS)
        return key;
    key.id = header_id_of(text);
    for (size_t i = 0; i < text.len; i++)
        key.never = key.never || gw_lower(text.ptr[i]) != text.ptr[i];
    return key;
}

static bool header_nth(const struct headers *h, const struct rules_key *key, uint32_t nth,
                       struct gw_str *value)
{
    if (!h || key->never)
        return false;
    size_t at = 0;
    for (;;) {
        const struct gw_str *hit = key->id != HEADER_OTHER ? headers_next(h, key->id, &at)
                                                           : headers_find_next(h, key->text, &at);
        if (!hit)
            return false;
        if (nth-- == 0) {
            *value = *hit;
            return true;
        }
    }
}

/* Whether a name in the line has an escape. Values often do, so each escape is traced back to the
 * sign that begins its name or value; from a value the search goes on at the next cookie. */
static bool has_escaped_name(struct gw_str line)
{
    size_t at;
    while ((at = gw_str_chr(line, '%')) != GW_NPOS) {
        size_t back = at;
        while (back > 0 && line.ptr[back - 1] != ';' && line.ptr[back - 1] != '=')
            back--;
        if (back == 0 || line.ptr[back - 1] == ';')
            return true;
        line = gw_str_from(line, at);
        line = gw_str_from(line, gw_str_chr(line, ';'));
    }
    return false;
}

/* Most requests lack the cookie a rule asks for. One fast search for the name as bytes answers "no"
 * without splitting the line into pairs; only a name with an escape might still decode to the key.
 */
static bool cookie_possible(const struct headers *h, struct gw_str name)
{
    size_t at = 0;
    const struct gw_str *line;
    while (h && (line = headers_next(h, HEADER_COOKIE, &at))) {
        if (rules_contains(*line, name) || has_escaped_name(*line))
            return true;
    }
    return false;
}

static const struct headers *headers_of(const struct rules_request *r, enum rules_derived slot)
{
    return slot == RULES_HEADERS            ? r->headers
           : slot == RULES_RESPONSE_HEADERS ? r->response_headers
                                            : NULL;
}

bool rules_key_nth(struct rules_request *r, enum rules_derived slot, const struct rules_key *key,
                   uint32_t nth, struct gw_str *value)
{
    if (slot == RULES_HEADERS || slot == RULES_RESPONSE_HEADERS)
        return header_nth(headers_of(r, slot), key, nth, value);
    if (slot == RULES_COOKIES && !cookie_possible(r->headers, key->text))
        return false;
    struct pairs p;
    struct gw_str name;
    pairs_start(&p, r, slot);
    while (pairs_next(&p, &name, value)) {
        if (pairs_match(slot, name, key) && nth-- == 0)
            return true;
    }
    return false;
}

struct rules_value rules_key_values(struct rules_request *r, enum rules_derived slot,
                                    const struct rules_key *key)
{
    struct gw_str name, value;
    struct pairs p;
    size_t count = 0, at = 0;
    if (!rules_key_nth(r, slot, key, 0, &value))
        return RULES_NOTHING;
    pairs_start(&p, r, slot);
    while (pairs_next(&p, &name, &value))
        count += pairs_match(slot, name, key);
    struct rules_value *items = gw_arena_alloc(r->scratch, count * sizeof(*items));
    if (!items)
        return RULES_NOTHING;
    pairs_start(&p, r, slot);
    while (at < count && pairs_next(&p, &name, &value)) {
        if (pairs_match(slot, name, key))
            items[at++] = rules_bytes(value);
    }
    return rules_array(items, at);
}
