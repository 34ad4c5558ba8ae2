/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/key.h"

#define PARAMS_ON_STACK 64 /* usual queries need no heap */

/* One `name=value` as it stands in the query. */
struct param {
    struct gw_str text, name;
};

struct params {
    struct param *items;
    size_t count, cap;
    struct param first[PARAMS_ON_STACK];
};

static bool listed(const struct cache_names *names, struct gw_str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (gw_str_eq(names->items[i], name))
            return true;
    return false;
}

static bool wanted(struct gw_str name, const struct cache_custom_key *custom)
{
    if (!custom)
        return true;
    switch (custom->query_mode) {
    case CACHE_QUERY_ALL:
        return true;
    case CACHE_QUERY_NONE:
        return false;
    case CACHE_QUERY_INCLUDE:
        return listed(&custom->query, name);
    case CACHE_QUERY_EXCLUDE:
        return !listed(&custom->query, name);
    }
    return true;
}

/* Doubles the room; the length of a URL bounds it. */
static void grow(struct params *p)
{
    struct param *more = gw_alloc(2 * p->cap * sizeof(*more));
    memcpy(more, p->items, p->count * sizeof(*more));
    if (p->items != p->first)
        free(p->items);
    p->items = more;
    p->cap *= 2;
}

static void collect(struct params *p, struct gw_str query, const struct cache_custom_key *custom)
{
    struct gw_str text;
    while (gw_str_next(&query, '&', &text)) {
        struct gw_str name = gw_str_first(text, gw_str_chr(text, '='));
        if (text.len == 0 || !wanted(name, custom))
            continue;
        if (p->count == p->cap)
            grow(p);
        p->items[p->count++] = (struct param){text, name};
    }
}

/* By name, equal names by value (section 2.14). */
static int by_name(const void *left, const void *right)
{
    const struct param *a = left, *b = right;
    int order = gw_str_cmp(a->name, b->name);
    return order ? order : gw_str_cmp(a->text, b->text);
}

void cache_key_query(struct gw_str query, bool sorted, const struct cache_custom_key *custom,
                     struct gw_buf *out)
{
    if (!sorted && (!custom || custom->query_mode == CACHE_QUERY_ALL)) {
        gw_buf_add(out, query);
        return;
    }
    struct params p = {.cap = PARAMS_ON_STACK};
    p.items = p.first;
    collect(&p, query, custom);
    if (sorted)
        qsort(p.items, p.count, sizeof(*p.items), by_name);
    for (size_t i = 0; i < p.count; i++) {
        if (i)
            gw_buf_char(out, '&');
        gw_buf_add(out, p.items[i].text);
    }
    if (p.items != p.first)
        free(p.items);
}
