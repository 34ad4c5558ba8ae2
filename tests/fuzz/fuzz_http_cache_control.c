/* SPDX-License-Identifier: Apache-2.0 */
/* Cache-Control and its CDN variants, each line of the input one line of the header: numbers stay
 * in their range, field lists inside the value, one line reads the same both ways. */
#include "gateway/http/cache_control.h"
#include "gateway/http/structured.h"
#include "tests/fuzz/check.h"

#define LINES_MAX 8

static void check_seconds(int64_t s)
{
    CHECK(s >= -1 && s <= INT32_MAX);
}

static void check_fields(struct gw_str fields, size_t most)
{
    struct gw_str name;
    CHECK(fields.len <= most);
    while (cache_control_field_next(&fields, &name))
        CHECK(name.len);
}

static void check(const struct cache_control *cc, size_t most)
{
    check_seconds(cc->max_age);
    check_seconds(cc->s_maxage);
    check_seconds(cc->stale_while_revalidate);
    check_seconds(cc->stale_if_error);
    check_fields(cc->private_fields, most);
    check_fields(cc->no_cache_fields, most);
    CHECK(cc->max_age < 0 || cc->flags & CC_MAX_AGE);
    CHECK(cc->s_maxage < 0 || cc->flags & CC_S_MAXAGE);
    CHECK(!cc->private_fields.len || cc->flags & CC_PRIVATE);
    CHECK(!cc->no_cache_fields.len || cc->flags & CC_NO_CACHE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_str rest = gw_str((const char *)data, size), line;
    struct gw_arena arena;
    struct headers headers;
    struct cache_control one = {0}, all;
    size_t count = 0;
    char block[4096];
    gw_arena_init(&arena, block, sizeof(block), 0);
    headers_init(&headers, &arena, LINES_MAX);
    while (count < LINES_MAX && gw_str_next(&rest, '\n', &line)) {
        CHECK(headers_add_id(&headers, HEADER_CDN_CACHE_CONTROL, line));
        one = cache_control_parse(line);
        check(&one, line.len);
        CHECK(!structured_is_member(line) || structured_is_dictionary(line));
        count++;
    }
    all = cache_control_read(&headers, HEADER_CDN_CACHE_CONTROL);
    check(&all, size);
    CHECK(all.present == (count > 0));
    CHECK(count != 1 ||
          (all.flags == one.flags && all.max_age == one.max_age && all.s_maxage == one.s_maxage));
    gw_arena_clear(&arena);
    return 0;
}
