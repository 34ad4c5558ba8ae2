/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/binding.h"

struct binding {
    struct shards *told;   /* edge -> the counter's window as last heard */
    struct shards *untold; /* machine -> the window's end as believed, and admissions not told yet */
};

struct binding *binding_new(void)
{
    struct binding *b = gw_zalloc(sizeof(*b));
    b->told = shards_new(BINDING_KEYS_MAX, sizeof(struct window));
    b->untold = shards_new(BINDING_KEYS_MAX, sizeof(struct window));
    return b;
}

void binding_free(struct binding *b)
{
    if (!b)
        return;
    shards_free(b->told);
    shards_free(b->untold);
    free(b);
}

static struct window open_window(struct shards *s, struct gw_str key, uint64_t now_ms)
{
    struct table_key at = table_key(key);
    struct shard *shard = shard_lock(s, at.hash);
    const struct window *w = table_find(&shard->table, at);
    struct window found = w && w->reset_at_ms > now_ms ? *w : (struct window){0};
    shard_unlock(shard);
    return found;
}

/* What was told stands in for the beginning of the machine's own window; the algorithm goes on from
 * there. */
static bool judge(struct window *untold, const struct window *told, const struct binding_ask *ask,
                  struct window *after)
{
    if (untold->reset_at_ms <= ask->now_ms)
        *untold = (struct window){0};
    *after = (struct window){
        told->reset_at_ms ? told->reset_at_ms : untold->reset_at_ms,
        (uint32_t)gw_min_u64((uint64_t)told->count + untold->count, UINT32_MAX),
    };
    if (!window_take(after, ask->rule, 1, ask->now_ms))
        return false;
    *untold = (struct window){after->reset_at_ms, untold->count + 1};
    return true;
}

bool binding_take(struct binding *b, const struct binding_ask *ask, struct window *after)
{
    struct window told = open_window(b->told, ask->edge, ask->now_ms);
    struct table_key at = table_key(ask->machine);
    struct shard *shard = shard_lock(b->untold, at.hash);
    struct window *untold = table_open(&shard->table, at, ask->now_ms);
    bool admitted = judge(untold, &told, ask, after);
    table_settle(&shard->table, untold);
    shard_unlock(shard);
    return admitted;
}

void binding_told(struct binding *b, const struct binding_ask *ask, const struct window *counter)
{
    struct table_key at = table_key(ask->edge);
    struct shard *shard = shard_lock(b->told, at.hash);
    table_put(&shard->table, at, counter, ask->now_ms);
    shard_unlock(shard);

    at = table_key(ask->machine);
    shard = shard_lock(b->untold, at.hash);
    struct window *untold = table_find(&shard->table, at);
    /* Not when the machine has begun another window since. */
    if (untold && untold->count && ask->now_ms + ask->rule.window_ms >= untold->reset_at_ms) {
        *untold = (struct window){counter->reset_at_ms, untold->count - 1};
        table_settle(&shard->table, untold);
    }
    shard_unlock(shard);
}

void binding_forget(struct binding *b)
{
    shards_clear(b->told);
    shards_clear(b->untold);
}
