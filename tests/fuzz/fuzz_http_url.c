/* SPDX-License-Identifier: Apache-2.0 */
/* Targets, hosts and normalisation: results are slices within bounds, normalising twice changes
 * nothing, and no dot segment survives. */
#include "gateway/http/url.h"
#include "tests/fuzz/check.h"

static void check_path(struct gw_str path)
{
    if (!path.len || path.ptr[0] != '/')
        return;
    for (struct gw_str rest = path, segment; gw_str_next(&rest, '/', &segment);)
        CHECK(!gw_str_eq(segment, GW_STR(".")) && !gw_str_eq(segment, GW_STR("..")));
    for (size_t i = 0; i < path.len; i++)
        CHECK((uint8_t)path.ptr[i] > 0x20 && (uint8_t)path.ptr[i] < 0x7f);
}

static void check_normalisation(struct gw_str text, struct gw_arena *arena)
{
    struct gw_str once, twice;
    for (enum url_normalization mode = URL_RFC3986; mode <= URL_CLOUDFLARE; mode++) {
        CHECK(url_normalize_path(text, mode, arena, &once));
        CHECK(url_normalize_path(once, mode, arena, &twice));
        CHECK(gw_str_eq(once, twice));
        check_path(once);
        CHECK(mode != URL_CLOUDFLARE || once.len == 0 || once.ptr[0] != '/' ||
              gw_str_find(once, GW_STR("//")) == GW_NPOS);
        CHECK(url_normalize_query(text, mode, arena, &once));
        CHECK(url_normalize_query(once, mode, arena, &twice));
        CHECK(gw_str_eq(once, twice));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_str text = gw_str((const char *)data, size), out, name, value;
    struct gw_arena arena;
    struct url u;
    struct url_host host;
    gw_arena_init(&arena, NULL, 0, 0);
    if (url_parse(text, false, &u)) {
        CHECK(u.path.len);
        check_normalisation(u.path, &arena);
        if (u.authority.len && url_host_parse(u.authority, &arena, &host))
            CHECK(host.name.len && host.name.len <= u.authority.len);
    }
    check_normalisation(text, &arena);
    if (url_host_parse(text, &arena, &host)) {
        struct url_host again;
        CHECK(url_host_parse(host.name, &arena, &again) && gw_str_eq(again.name, host.name));
    }
    CHECK(url_path_extension(text).len <= url_path_basename(text).len);
    CHECK(url_decode(text, true, &arena, &out) && out.len <= text.len);
    for (struct gw_str rest = text; url_query_next(&rest, &name, &value);)
        CHECK(name.len + value.len <= size);
    gw_arena_clear(&arena);
    return 0;
}
