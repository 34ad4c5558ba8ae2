/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/variant.h"

#include "cache/fill_private.h"
#include "cache/key.h"

/* The bits of a hash that choose the shard, and more: a key and its variants share them. */
#define SHARD_BITS     ((uint64_t)0xffff << 40)

#define NAMES_SIZE_MAX ((size_t)8 * 1024)

static struct gw_hash128 key_of(const struct cache_place *place)
{
    bool is_variant = place->primary.lo || place->primary.hi;
    return is_variant ? place->primary : place->hash;
}

/* Names are sorted and lower case, one a line. */
static bool hash_variant(const struct cache_settings *rule, const struct headers *request,
                         struct gw_hash128 key, struct gw_str names, struct gw_hash128 *out)
{
    struct gw_buf text;
    struct gw_str name;
    gw_buf_init(&text, CACHE_KEY_MAX);
    gw_buf_add(&text, gw_str((const char *)&key, sizeof(key)));
    while (gw_str_next(&names, '\n', &name)) {
        gw_buf_add(&text, name);
        gw_buf_char(&text, '=');
        cache_vary_value(rule, request, name, &text);
        gw_buf_char(&text, '\n');
    }
    struct gw_hash128 hash = gw_hash128(gw_buf_str(&text));
    bool fits = !text.overflow;
    gw_buf_release(&text);
    /* So that a purge of the key finds all its variants under one lock. */
    *out = (struct gw_hash128){(hash.lo & ~SHARD_BITS) | (key.lo & SHARD_BITS), hash.hi};
    return fits;
}

static bool move_to(struct cache_place *place, struct gw_hash128 key, struct gw_hash128 variant)
{
    place->primary = key;
    place->hash = variant;
    return true;
}

/* With the lock held. */
static struct cache_object *find_marker(struct cache_shard *shard, struct gw_hash128 key)
{
    struct cache_object *o = cache_index_get(&shard->index, key);
    return o && cache_object_is_marker(o) && !cache_object_is_dead(o) ? o : NULL;
}

bool cache_variant_locate(const struct cache_policy *policy, const struct cache_request *request,
                          struct cache_place *place)
{
    const struct cache_settings *rule = cache_settings_get(policy->rules, CACHE_SETTING_VARY);
    if (!rule)
        return true;
    struct gw_hash128 key = key_of(place), variant;
    struct cache_shard *shard = cache_shard_of(place->space->store, key);
    pthread_mutex_lock(&shard->lock);
    struct cache_object *marker = find_marker(shard, key);
    if (marker) {
        cache_object_ref(marker);
        cache_queues_hit(&marker->entry);
    }
    pthread_mutex_unlock(&shard->lock);
    if (!marker)
        return true;
    struct gw_str names = gw_str(marker->text, marker->host.at); /* ours by reference: no lock */
    bool found = hash_variant(rule, request->headers, key, names, &variant);
    cache_object_unref(marker);
    return found && move_to(place, key, variant);
}

/* ---- settling ---- */

static int by_text(const void *left, const void *right)
{
    return gw_str_cmp(*(const struct gw_str *)left, *(const struct gw_str *)right);
}

/* The response's names as a marker holds them; none: it does not vary. */
static bool collect_names(const struct headers *response, struct gw_buf *out)
{
    struct cache_vary_walk walk = {.headers = response};
    struct gw_str name, names[CACHE_VARY_NAMES_MAX];
    size_t count = 0;
    struct gw_buf folded;
    gw_buf_init(&folded, NAMES_SIZE_MAX);
    /* All of it at once: the names point into it, and a buffer that grew would move. */
    if (!gw_buf_reserve(&folded, NAMES_SIZE_MAX))
        abort();
    while (count < CACHE_VARY_NAMES_MAX && cache_vary_next(&walk, &name)) {
        size_t at = folded.len;
        for (size_t i = 0; i < name.len; i++)
            gw_buf_char(&folded, gw_lower(name.ptr[i]));
        names[count++] = gw_str(folded.data + at, folded.len - at);
    }
    qsort(names, count, sizeof(names[0]), by_text);
    for (size_t i = 0; i < count; i++) {
        if (i && gw_str_eq(names[i], names[i - 1]))
            continue;
        gw_buf_add(out, out->len ? GW_STR("\n") : GW_STR_EMPTY);
        gw_buf_add(out, names[i]);
    }
    /* A list that was cut is another list: rather nothing is stored than one visitor's variant
     * shown to the next. */
    bool fits = !folded.overflow && !out->overflow && count < CACHE_VARY_NAMES_MAX;
    gw_buf_release(&folded);
    return fits;
}

/* Puts the marker where the key's object was, unless the same one is there. */
static void mark(struct cache_fill *fill, struct gw_hash128 key, struct gw_str names)
{
    struct cache_place place = fill->place;
    struct cache_shard *shard = cache_shard_of(place.space->store, key);
    place.hash = key;
    place.primary = (struct gw_hash128){0};
    const struct cache_object_parts parts = {.text = names, .length_known = true};
    /* Made before the lock is taken: room for it may have to be found in this very shard. */
    struct cache_object *marker = cache_object_new(&place, fill->generation, &parts);
    struct cache_object *before = NULL;
    pthread_mutex_lock(&shard->lock);
    struct cache_object *there = find_marker(shard, key);
    if (!fill->doomed && (!there || !gw_str_eq(gw_str(there->text, there->host.at), names)))
        before = cache_shard_insert(shard, marker);
    pthread_mutex_unlock(&shard->lock);
    cache_object_unref(before);
    cache_object_unref(marker);
}

/* The fill is found under its variant's hash from now on. Its place is read without the lock by its
 * leader only, who is here. */
static void relist(struct cache_fill *fill, struct gw_hash128 key, struct gw_hash128 variant)
{
    struct cache_shard *shard = cache_shard_of(fill->place.space->store, key);
    pthread_mutex_lock(&shard->lock);
    gw_list_remove(&fill->link);
    move_to(&fill->place, key, variant);
    if (fill->listed)
        gw_list_push(cache_shard_fills(shard, variant), &fill->link);
    pthread_mutex_unlock(&shard->lock);
}

bool cache_variant_settle(struct cache_fill *fill, const struct cache_policy *policy,
                          const struct cache_request *request, const struct headers *response)
{
    const struct cache_settings *rule = cache_settings_get(policy->rules, CACHE_SETTING_VARY);
    if (!rule || !headers_has(response, HEADER_VARY))
        return true;
    struct gw_hash128 key = key_of(&fill->place), variant;
    struct gw_buf names;
    gw_buf_init(&names, NAMES_SIZE_MAX);
    bool fits = collect_names(response, &names) &&
                hash_variant(rule, request->headers, key, gw_buf_str(&names), &variant);
    if (fits && names.len) {
        mark(fill, key, gw_buf_str(&names));
        relist(fill, key, variant);
    }
    gw_buf_release(&names);
    return fits;
}
