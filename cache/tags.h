/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The objects of one shard by their cache tags, so that a purge by tag touches the objects that
 * have it and no others (spec/cache-behaviour.md section 5.2). Tags fold case; what is no tag
 * (spaces or other than printable ASCII inside) is passed over.
 *
 * An object brings the links for its tags along, in its own piece of memory, so that listing it
 * allocates nothing under the lock but, now and then, a larger table. Buckets may hold the tags of
 * strangers too: who looks for one compares. Thread: none, the shard's lock guards it.
 * Limits: CACHE_TAGS_MAX tags an object, CACHE_TAG_BUCKETS_MAX buckets. */
#include "gateway/base/str.h"

#define CACHE_TAGS_MAX        1000
#define CACHE_TAG_BUCKETS_MAX ((size_t)32768)

struct cache_object;

struct cache_tag {
    uint64_t hash;
    struct cache_object *object;
    struct cache_tag *next, **link; /* in its bucket; link NULL: in none */
};

struct cache_tags {
    struct cache_tag **buckets;
    size_t count, cap; /* cap is 0 or a power of two */
};

/* Walks the tags in the text of Cache-Tag lines: false at the end. */
bool cache_tag_next(struct gw_str *rest, struct gw_str *tag);
/* At most CACHE_TAGS_MAX. */
size_t cache_tag_count(struct gw_str text);
/* Fills `count` links, in no bucket yet. */
void cache_tag_links(struct gw_str text, struct cache_object *object, struct cache_tag *links,
                     size_t count);

void cache_tags_release(struct cache_tags *t);
void cache_tags_add(struct cache_tags *t, struct cache_tag *links, size_t count);
void cache_tags_remove(struct cache_tags *t, struct cache_tag *links, size_t count);
/* The first link of the bucket that has this tag, if any has it; others follow by `next`. */
struct cache_tag *cache_tags_find(const struct cache_tags *t, struct gw_str tag);
