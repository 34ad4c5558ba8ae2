/* SPDX-License-Identifier: Apache-2.0 */
/* Vary and what it names. Byte 0 chooses action and allowlists, the first line is the request's
 * value, the second the response's Vary. A value in normal form is in lower case and the same
 * however the client splits its list into lines. */
#include "cache/vary.h"
#include "tests/fuzz/check.h"

static const struct gw_str media[] = {{"image/webp", 10}, {"text/html", 9}};
static const struct gw_str tongues[] = {{"de-at", 5}, {"en", 2}};

static void add_lines(struct headers *h, enum header_id id, struct gw_str value, bool split)
{
    size_t comma = split ? gw_str_chr(value, ',') : GW_NPOS;
    CHECK(headers_add_id(h, id, gw_str_first(value, comma)));
    if (comma != GW_NPOS)
        CHECK(headers_add_id(h, id, gw_str_from(value, comma + 1)));
}

static void value_of(const struct cache_settings *rule, enum header_id id, struct gw_str value,
                     bool split, struct gw_buf *out)
{
    struct gw_arena arena;
    struct headers h;
    char block[2048];
    gw_arena_init(&arena, block, sizeof(block), 0);
    headers_init(&h, &arena, 4);
    add_lines(&h, id, value, split);
    cache_vary_value(rule, &h, header_name(id), out);
    gw_arena_clear(&arena);
}

static void check_value(const struct cache_settings *rule, enum header_id id, struct gw_str value)
{
    struct gw_buf whole, split;
    gw_buf_init(&whole, 1 << 20);
    gw_buf_init(&split, 1 << 20);
    value_of(rule, id, value, false, &whole);
    value_of(rule, id, value, true, &split);
    CHECK(gw_str_eq(gw_buf_str(&whole), gw_buf_str(&split)));
    bool normal = id != HEADER_USER_AGENT && rule->vary.fallback == CACHE_VARY_NORMALIZE;
    for (size_t i = 0; normal && i < whole.len; i++)
        CHECK(whole.data[i] < 'A' || whole.data[i] > 'Z');
    gw_buf_release(&whole);
    gw_buf_release(&split);
}

static void check_names(const struct cache_settings *rule, struct gw_str value)
{
    struct gw_arena arena;
    struct headers h;
    char block[2048];
    struct gw_str name;
    gw_arena_init(&arena, block, sizeof(block), 0);
    headers_init(&h, &arena, 4);
    add_lines(&h, HEADER_VARY, value, true);
    struct cache_vary_walk walk = {.headers = &h};
    while (cache_vary_next(&walk, &name)) {
        CHECK(name.len && gw_str_chr(name, ',') == GW_NPOS);
        CHECK(cache_vary_action_of(rule, name) <= CACHE_VARY_BYPASS);
    }
    gw_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum header_id ids[] = {HEADER_ACCEPT, HEADER_ACCEPT_LANGUAGE,
                                         HEADER_ACCEPT_ENCODING, HEADER_USER_AGENT};
    struct gw_str text = gw_str((const char *)data + (size > 0), size - (size > 0)), value;
    unsigned choice = size ? data[0] : 0;
    struct cache_settings rule = {.vary.fallback =
                                      choice % 2 ? CACHE_VARY_PASSTHROUGH : CACHE_VARY_NORMALIZE};
    const struct cache_vary_header listed[] = {
        {GW_STR("accept"), rule.vary.fallback, {media, GW_COUNT(media)}, {0}},
        {GW_STR("accept-language"), rule.vary.fallback, {0}, {tongues, GW_COUNT(tongues)}},
    };
    rule.vary.headers = listed;
    rule.vary.count = choice / 2 % 2 ? GW_COUNT(listed) : 0;
    if (!gw_str_next(&text, '\n', &value))
        return 0;
    for (size_t i = 0; i < GW_COUNT(ids); i++)
        check_value(&rule, ids[i], value);
    check_names(&rule, text);
    return 0;
}
