/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/kv_key.h"

#include "gateway/base/hash.h"

static uint64_t over(uint64_t from_config, int64_t own)
{
    return own < 0 ? from_config : (uint64_t)own;
}

struct kv_settings kv_settings_of(const struct config_limiter *settings, const struct limiter *own)
{
    const struct limiter_kv *kv = &own->kv;
    return (struct kv_settings){
        .cache_ttl_ms = over(settings->kv.cache_ttl_s, kv->cache_ttl_s) * 1000,
        .read_ms = over(settings->kv.read_ms, kv->read_ms),
        .write_ms = over(settings->kv.write_ms, kv->write_ms),
        .propagation_ms = over(settings->kv.propagation_ms, kv->propagation_ms),
        .write_limit = (enum config_kv_write_limit)over(settings->kv.write_limit, kv->write_limit),
        .writes_per_second = (uint32_t)gw_max_u64(
            over(settings->kv.writes_per_key_per_second, kv->writes_per_key_per_second), 1),
        .seed = (uint32_t)over(settings->kv.seed, kv->seed),
        .negative_cache = over(settings->kv.negative_cache, kv->negative_cache) != 0,
        .clamp_ttl = kv->clamp_ttl != 0,
    };
}

uint64_t kv_place(struct gw_str edge)
{
    return gw_siphash(edge, 0, 0) >> 16; /* exact in Lua's doubles too */
}

uint64_t kv_delay_ms(const struct kv_settings *settings, struct gw_str key, uint64_t at_ms)
{
    if (settings->propagation_ms == 0)
        return 0;
    struct gw_rng rng = {gw_siphash(key, settings->seed, at_ms)};
    return settings->propagation_ms + gw_rng_below(&rng, settings->propagation_ms / 2 + 1);
}

/* ---- reading ---- */

/* From the newest down: whoever wrote a version sees it at once (section b1), the others when it
 * has spread. Until then a place goes on seeing its own older one. */
struct window kv_key_read(const struct kv_key *k, uint64_t place, uint64_t at_ms)
{
    for (uint32_t i = k->count; i-- > 0;)
        if (k->versions[i].place == place || k->versions[i].visible_ms <= at_ms)
            return k->versions[i].value;
    return (struct window){0};
}

struct window kv_key_newest(const struct kv_key *k)
{
    return k->count ? k->versions[k->count - 1].value : (struct window){0};
}

/* ---- writing ---- */

/* The bucket as the instant at which it is full again (GCRA): one number, no rounding of levels. */
static bool take_token(struct kv_key *k, uint64_t rate, uint64_t at_ms, uint64_t *next_ms)
{
    uint64_t token_us = 1000000 / rate, depth_us = (uint64_t)KV_BURST_S * 1000000;
    uint64_t full_us = gw_max_u64(k->bucket_us, at_ms * 1000) + token_us;
    bool taken = full_us <= at_ms * 1000 + depth_us;
    if (taken)
        k->bucket_us = full_us;
    *next_ms = taken ? at_ms : (full_us - depth_us + 999) / 1000;
    return taken;
}

static bool may_write(struct kv_key *k, const struct kv_settings *s, uint64_t at_ms,
                      uint64_t *next_ms)
{
    switch (s->write_limit) {
    case CONFIG_KV_STRICT: {
        struct window_rule rule = {s->writes_per_second, 1000};
        bool taken = window_take(&k->second, rule, 1, at_ms) > 0;
        *next_ms = taken ? at_ms : k->second.reset_at_ms;
        return taken;
    }
    case CONFIG_KV_TOKEN_BUCKET:
        return take_token(k, s->writes_per_second, at_ms, next_ms);
    case CONFIG_KV_OFF:
        break;
    }
    *next_ms = at_ms;
    return true;
}

/* Versions older than the newest that everybody sees are nobody's any more. */
static void forget_old(struct kv_key *k, uint64_t at_ms)
{
    uint32_t first = k->count;
    while (first > 0 && k->versions[--first].visible_ms > at_ms)
        ;
    k->count -= first;
    memmove(k->versions, k->versions + first, k->count * sizeof(k->versions[0]));
}

static void add_version(struct kv_key *k, const struct kv_settings *s, const struct kv_write *w)
{
    forget_old(k, w->at_ms);
    struct kv_version *newest = k->count ? &k->versions[k->count - 1] : NULL;
    bool is_near = newest && w->at_ms - newest->opened_ms < s->propagation_ms / KV_SPANS;
    if (!newest || (!is_near && k->count < KV_VERSIONS)) {
        newest = &k->versions[k->count++];
        newest->opened_ms = w->at_ms;
    }
    newest->value = w->value;
    newest->place = w->place;
    newest->visible_ms = w->at_ms + w->delay_ms;
}

bool kv_key_write(struct kv_key *k, const struct kv_settings *settings,
                  const struct kv_write *write, uint64_t *next_ms)
{
    if (!may_write(k, settings, write->at_ms, next_ms))
        return false;
    add_version(k, settings, write);
    /* The record lives as long as its value, and as long as it must still refuse writes. */
    uint64_t expires_ms = write->at_ms + (uint64_t)write->ttl_s * 1000;
    k->due_ms = gw_max_u64(k->due_ms, gw_max_u64(expires_ms, k->second.reset_at_ms));
    return true;
}
