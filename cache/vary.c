/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/vary.h"

#include "gateway/http/quality.h"

#define ITEM_SIZE_MAX 128 /* a longer one is nobody's media type or language */

bool cache_vary_next(struct cache_vary_walk *w, struct gw_str *name)
{
    do {
        while (!gw_str_next(&w->rest, ',', name)) {
            const struct gw_str *line = headers_next(w->headers, HEADER_VARY, &w->at);
            if (!line)
                return false;
            w->rest = *line;
        }
        *name = gw_str_trim(*name);
    } while (!name->len);
    return true;
}

static const struct cache_vary_header *find(const struct cache_settings *rule, struct gw_str name)
{
    for (size_t i = 0; i < rule->vary.count; i++)
        if (gw_str_ieq(rule->vary.headers[i].name, name))
            return &rule->vary.headers[i];
    return NULL;
}

enum cache_vary_action cache_vary_action_of(const struct cache_settings *rule, struct gw_str name)
{
    const struct cache_vary_header *header = find(rule, name);
    return header ? header->action : rule->vary.fallback;
}

/* ---- normal form of Accept, Accept-Language, Accept-Encoding ---- */

struct item {
    char text[ITEM_SIZE_MAX];
    uint8_t len;
    uint16_t quality; /* thousandths */
};

struct items {
    struct item list[CACHE_VARY_ITEMS_MAX];
    size_t count;
};

static struct gw_str item_text(const struct item *item)
{
    return gw_str(item->text, item->len);
}

static bool lists(const struct cache_names *names, struct gw_str text)
{
    for (size_t i = 0; i < names->count; i++)
        if (gw_str_eq(names->items[i], text))
            return true;
    return false;
}

/* A language loses its region unless the list asks for that very region. */
static bool is_wanted(const struct cache_vary_header *header, bool language, struct item *item)
{
    const struct cache_names *names = header ? language ? &header->languages : &header->media_types
                                             : &(const struct cache_names){0};
    if (names->count && lists(names, item_text(item)))
        return true;
    if (language)
        item->len = (uint8_t)gw_min_size(item->len, gw_str_chr(item_text(item), '-'));
    return item->len && (!names->count || lists(names, item_text(item)));
}

static bool read_item(struct gw_str text, struct item *out)
{
    size_t semicolon = gw_str_chr(text, ';');
    struct gw_str name = gw_str_first(text, semicolon);
    out->len = 0;
    out->quality = quality_read(gw_str_from(text, semicolon));
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == ' ' || name.ptr[i] == '\t')
            continue;
        if (out->len == ITEM_SIZE_MAX)
            return false;
        out->text[out->len++] = gw_lower(name.ptr[i]);
    }
    return out->len > 0;
}

/* Equal ones by text: their order says nothing, and two browsers that differ in it alone are to
 * share an object. */
static int by_quality(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    int order = (int)b->quality - (int)a->quality;
    return order ? order : gw_str_cmp(item_text(a), item_text(b));
}

static bool is_repeated(const struct items *items, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (gw_str_eq(item_text(&items->list[i]), item_text(&items->list[index])))
            return true;
    return false;
}

static void write_items(struct items *items, struct gw_buf *out)
{
    bool first = true;
    qsort(items->list, items->count, sizeof(items->list[0]), by_quality);
    for (size_t i = 0; i < items->count; i++) {
        const struct item *item = &items->list[i];
        if (is_repeated(items, i))
            continue;
        gw_buf_add(out, first ? GW_STR_EMPTY : GW_STR(","));
        gw_buf_add(out, item_text(item));
        /* The numbers have done their work in the order; what is refused stays different from what
         * is not named. */
        gw_buf_add(out, item->quality ? GW_STR_EMPTY : GW_STR(";q=0"));
        first = false;
    }
}

static void normalise(const struct cache_settings *rule, const struct headers *request,
                      enum header_id id, struct gw_buf *out)
{
    const struct cache_vary_header *header = find(rule, header_name(id));
    const struct gw_str *line;
    struct items items;
    items.count = 0;
    for (size_t at = 0; (line = headers_next(request, id, &at));) {
        struct gw_str rest = *line, text;
        while (items.count < CACHE_VARY_ITEMS_MAX && gw_str_next(&rest, ',', &text))
            items.count +=
                read_item(text, &items.list[items.count]) &&
                is_wanted(header, id == HEADER_ACCEPT_LANGUAGE, &items.list[items.count]);
    }
    write_items(&items, out);
}

/* ---- values ---- */

static bool has_normal_form(enum header_id id)
{
    return id == HEADER_ACCEPT || id == HEADER_ACCEPT_LANGUAGE || id == HEADER_ACCEPT_ENCODING;
}

void cache_vary_value(const struct cache_settings *rule, const struct headers *request,
                      struct gw_str name, struct gw_buf *out)
{
    enum header_id id = header_id_of(name);
    if (has_normal_form(id) && cache_vary_action_of(rule, name) == CACHE_VARY_NORMALIZE) {
        normalise(rule, request, id, out);
        return;
    }
    /* Several lines are one list (RFC 9110 section 5.3). */
    const struct gw_str *line;
    bool first = true;
    for (size_t at = 0; (line = headers_find_next(request, name, &at)); first = false) {
        gw_buf_add(out, first ? GW_STR_EMPTY : GW_STR(","));
        gw_buf_add(out, *line);
    }
}
