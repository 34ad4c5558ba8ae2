/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in header fields: entity tags, Connection's options and Cookie's pairs. */
#include "gateway/http/cookie.h"
#include "gateway/http/etag.h"
#include "gateway/http/forward.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_str value = gw_str((const char *)data, size), found;
    char block[4096];
    struct gw_arena arena;
    struct headers h;
    struct forward f;
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
    return 0;
}
