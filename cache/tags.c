/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/tags.h"

#include "gateway/base/hash.h"

#define BUCKETS_MIN  ((size_t)16)
#define TAG_SIZE_MAX 1024 /* what the API can name (section 5.2) */

static bool is_tag(struct gw_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return s.len > 0 && s.len <= TAG_SIZE_MAX;
}

bool cache_tag_next(struct gw_str *rest, struct gw_str *tag)
{
    while (gw_str_next(rest, ',', tag)) {
        *tag = gw_str_trim(*tag);
        if (is_tag(*tag))
            return true;
    }
    return false;
}

/* Purges compare tags whatever their case (section 5.2): it is folded before the hash. */
static uint64_t hash_of(struct gw_str tag)
{
    char folded[TAG_SIZE_MAX];
    for (size_t i = 0; i < tag.len; i++)
        folded[i] = gw_lower(tag.ptr[i]);
    return gw_hash(gw_str(folded, tag.len));
}

size_t cache_tag_count(struct gw_str text)
{
    struct gw_str tag;
    size_t n = 0;
    while (n < CACHE_TAGS_MAX && cache_tag_next(&text, &tag))
        n++;
    return n;
}

void cache_tag_links(struct gw_str text, struct cache_object *object, struct cache_tag *links,
                     size_t count)
{
    struct gw_str tag;
    for (size_t i = 0; i < count && cache_tag_next(&text, &tag); i++)
        links[i] = (struct cache_tag){.hash = hash_of(tag), .object = object};
}

void cache_tags_release(struct cache_tags *t)
{
    free(t->buckets);
    *t = (struct cache_tags){0};
}

/* With the address of the pointer that leads here, a link leaves without walking its bucket: an
 * object may have a thousand, under the lock. */
static void put(struct cache_tags *t, struct cache_tag *tag)
{
    struct cache_tag **bucket = &t->buckets[tag->hash & (t->cap - 1)];
    tag->next = *bucket;
    tag->link = bucket;
    if (tag->next)
        tag->next->link = &tag->next;
    *bucket = tag;
}

static void grow(struct cache_tags *t)
{
    struct cache_tags old = *t;
    t->cap = old.cap ? 2 * old.cap : BUCKETS_MIN;
    t->buckets = gw_zalloc(t->cap * sizeof(*t->buckets));
    for (size_t i = 0; i < old.cap; i++)
        for (struct cache_tag *tag = old.buckets[i], *next; tag; tag = next) {
            next = tag->next;
            put(t, tag);
        }
    free(old.buckets);
}

void cache_tags_add(struct cache_tags *t, struct cache_tag *links, size_t count)
{
    /* The table grows under the lock, so its size is bounded: beyond that buckets get longer, and
     * only purges and lists by tag walk them. */
    while (t->count + count > t->cap && t->cap < CACHE_TAG_BUCKETS_MAX)
        grow(t);
    for (size_t i = 0; i < count; i++)
        put(t, &links[i]);
    t->count += count;
}

void cache_tags_remove(struct cache_tags *t, struct cache_tag *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *links[i].link = links[i].next;
        if (links[i].next)
            links[i].next->link = links[i].link;
        links[i].link = NULL;
    }
    t->count -= count;
}

struct cache_tag *cache_tags_find(const struct cache_tags *t, struct gw_str tag)
{
    if (!t->cap || !is_tag(tag))
        return NULL;
    uint64_t hash = hash_of(tag);
    struct cache_tag *first = t->buckets[hash & (t->cap - 1)];
    while (first && first->hash != hash)
        first = first->next;
    return first;
}
