/* SPDX-License-Identifier: Apache-2.0 */
/* Field values. Byte 0 chooses: date, Cache-Control, Range, entity tags, Connection and Cookie; the
 * rest is the value. */
#include "gateway/http/cache_control.h"
#include "gateway/http/cookie.h"
#include "gateway/http/date.h"
#include "gateway/http/etag.h"
#include "gateway/http/forward.h"
#include "gateway/http/range.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_date(struct gw_str value)
{
    int64_t s, again;
    char text[DATE_HTTP_LEN];
    if (!date_parse(value, 1760000000, &s))
        return;
    date_format(s, text);
    CHECK(date_parse(gw_str(text, sizeof(text)), 0, &again));
    CHECK(again == s || s > 253402300799); /* the leap second that ends the year 9999 */
}

static void fuzz_cache_control(struct gw_str value)
{
    struct cache_control cc = cache_control_parse(value);
    struct gw_str name;
    CHECK(cc.max_age >= -1 && cc.max_age <= INT32_MAX);
    CHECK(cc.s_maxage >= -1 && cc.s_maxage <= INT32_MAX);
    CHECK(cc.private_fields.len <= value.len && cc.no_cache_fields.len <= value.len);
    while (cache_control_field_next(&cc.private_fields, &name))
        CHECK(name.len);
}

static void fuzz_range(struct gw_str value)
{
    static const uint64_t sizes[] = {0, 1, 100, UINT64_MAX};
    struct range r[8];
    size_t count;
    uint64_t size;
    for (size_t i = 0; i < GW_COUNT(sizes); i++) {
        enum range_result result = range_parse(value, sizes[i], r, GW_COUNT(r), &count);
        CHECK((count > 0) == (result == RANGE_PART) && count <= GW_COUNT(r));
        for (size_t k = 0; k < count; k++) {
            CHECK(r[k].first <= r[k].last && r[k].last < sizes[i]);
            CHECK(k == 0 || r[k].first > r[k - 1].last);
        }
    }
    if (range_parse_content(value, &r[0], &size))
        CHECK(r[0].first <= r[0].last && r[0].last < size);
}

static void fuzz_lists(struct gw_str value)
{
    char block[4096];
    struct gw_arena arena;
    struct headers h;
    struct forward f;
    struct gw_str found;
    gw_arena_init(&arena, block, sizeof(block), 0);
    headers_init(&h, &arena, 8);
    CHECK(headers_add_id(&h, HEADER_IF_NONE_MATCH, value));
    CHECK(headers_add_id(&h, HEADER_CONNECTION, value));
    CHECK(headers_add_id(&h, HEADER_COOKIE, value));
    CHECK(headers_add(&h, value, value));
    if (etag_valid(value))
        CHECK(etag_listed(&h, HEADER_IF_NONE_MATCH, value, ETAG_WEAK));
    if (etag_listed(&h, HEADER_IF_NONE_MATCH, GW_STR("\"x\""), ETAG_STRONG))
        CHECK(etag_listed(&h, HEADER_IF_NONE_MATCH, GW_STR("\"x\""), ETAG_WEAK));
    forward_prepare(&f, &h);
    CHECK(!forward_is_hop_by_hop(&f, &h.items[2]));
    if (forward_is_hop_by_hop(&f, &h.items[3]))
        CHECK(h.items[3].id != HEADER_OTHER || forward_connection_has(&h, value));
    if (cookie_find(&h, GW_STR("a"), &found))
        CHECK(found.len < value.len);
    gw_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct gw_str) = {fuzz_date, fuzz_cache_control, fuzz_range,
                                                     fuzz_lists};
    if (size)
        targets[data[0] % GW_COUNT(targets)](gw_str((const char *)data + 1, size - 1));
    return 0;
}
