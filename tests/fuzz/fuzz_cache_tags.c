/* SPDX-License-Identifier: Apache-2.0 */
/* The tags of a Cache-Tag header: each is one the API can name, is found in the index whatever its
 * case, and leaves nothing behind when its object goes. */
#include "cache/tags.h"
#include "gateway/base/base.h"
#include "tests/fuzz/check.h"

static void check_found(const struct cache_tags *index, struct gw_str text)
{
    char upper[1024];
    struct gw_str tag;
    for (size_t i = 0; i < CACHE_TAGS_MAX && cache_tag_next(&text, &tag); i++) {
        CHECK(tag.len && tag.len <= sizeof(upper));
        for (size_t k = 0; k < tag.len; k++) {
            CHECK(tag.ptr[k] > ' ' && tag.ptr[k] <= '~' && tag.ptr[k] != ',');
            bool small = tag.ptr[k] >= 'a' && tag.ptr[k] <= 'z';
            upper[k] = (char)(small ? tag.ptr[k] - 'a' + 'A' : tag.ptr[k]);
        }
        CHECK(cache_tags_find(index, tag));
        CHECK(cache_tags_find(index, gw_str(upper, tag.len)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_str text = gw_str((const char *)data, size), other = GW_STR("all,news-1");
    struct cache_tags index = {0};
    struct cache_tag others[2];
    size_t count = cache_tag_count(text);
    CHECK(count <= CACHE_TAGS_MAX && count <= size);
    struct cache_tag *links = gw_zalloc((count + 1) * sizeof(*links));
    cache_tag_links(other, NULL, others, GW_COUNT(others));
    cache_tag_links(text, NULL, links, count);
    cache_tags_add(&index, others, GW_COUNT(others));
    cache_tags_add(&index, links, count);
    check_found(&index, text);
    cache_tags_remove(&index, others, GW_COUNT(others));
    check_found(&index, text);
    cache_tags_remove(&index, links, count);
    CHECK(index.count == 0 && !cache_tags_find(&index, other));
    cache_tags_release(&index);
    free(links);
    return 0;
}
