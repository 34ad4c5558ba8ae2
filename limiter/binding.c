/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/binding.h"

/* A machine's window as it believes it to be: its end, and the admissions it has not told yet. */
struct machine {
    struct window untold;
    uint64_t edge; /* hash of the edge's key */
};

/* A machine lies in the shard of its edge. That shard's lock is taken first and held for a whole
 * operation: in between two of its parts an admission would be neither untold nor told. */
struct binding {
    struct shards *machines; /* machine -> struct machine */
    struct shards *told;     /* edge -> the counter's window as last heard */
};

struct binding *binding_new(void)
{
    struct binding *b = gw_zalloc(sizeof(*b));
    b->machines = shards_new(BINDING_KEYS_MAX, sizeof(struct machine));
    b->told = shards_new(BINDING_KEYS_MAX, sizeof(struct window));
    return b;
}

void binding_free(struct binding *b)
{
    if (!b)
        return;
    shards_free(b->machines);
    shards_free(b->told);
    free(b);
}

static struct window last_heard(struct binding *b, struct table_key edge, uint64_t now_ms)
{
    struct shard *shard = shard_lock(b->told, edge.hash);
    const struct window *w = table_find(&shard->table, edge);
    struct window heard = w && w->reset_at_ms > now_ms ? *w : (struct window){0};
    shard_unlock(shard);
    return heard;
}

/* Workers may bring their messages in another order than the counter's: it never goes back. */
static void hear(struct binding *b, struct table_key edge, const struct window *counter,
                 uint64_t now_ms)
{
    struct shard *shard = shard_lock(b->told, edge.hash);
    struct window *w = table_open(&shard->table, edge, now_ms);
    if (counter->reset_at_ms > w->reset_at_ms ||
        (counter->reset_at_ms == w->reset_at_ms && counter->count > w->count))
        *w = *counter;
    table_settle(&shard->table, w);
    shard_unlock(shard);
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
    struct table_key edge = table_key(ask->edge);
    struct shard *shard = shard_lock(b->machines, edge.hash);
    struct machine *m = table_open(&shard->table, table_key(ask->machine), ask->now_ms);
    struct window told = last_heard(b, edge, ask->now_ms);
    m->edge = edge.hash;
    bool admitted = judge(&m->untold, &told, ask, after);
    table_settle(&shard->table, m);
    shard_unlock(shard);
    return admitted;
}

bool binding_has_news(struct binding *b, const struct binding_ask *ask)
{
    struct shard *shard = shard_lock(b->machines, gw_hash(ask->edge));
    const struct machine *m = table_find(&shard->table, table_key(ask->machine));
    bool has = m && m->untold.count > 0;
    shard_unlock(shard);
    return has;
}

void binding_told(struct binding *b, const struct binding_ask *ask, const struct window *counter)
{
    struct table_key edge = table_key(ask->edge);
    struct shard *shard = shard_lock(b->machines, edge.hash);
    hear(b, edge, counter, ask->now_ms);
    struct machine *m = table_find(&shard->table, table_key(ask->machine));
    /* Not when the machine has begun another window since. */
    if (m && m->untold.count && ask->now_ms + ask->rule.window_ms >= m->untold.reset_at_ms) {
        m->untold = (struct window){counter->reset_at_ms, m->untold.count - 1};
        table_settle(&shard->table, m);
    }
    shard_unlock(shard);
}

void binding_visit(struct binding *b,
                   bool (*visit)(void *ctx, struct gw_str machine, const void *record), void *ctx)
{
    shards_visit(b->machines, visit, ctx);
}

static bool is_at_edge(void *ctx, struct gw_str key, const void *record)
{
    (void)key;
    const uint64_t *edge = ctx;
    return ((const struct machine *)record)->edge == *edge;
}

void binding_forget(struct binding *b, struct gw_str edge)
{
    uint64_t hash = gw_hash(edge);
    struct shard *shard = shard_lock(b->machines, hash);
    table_del_where(&shard->table, is_at_edge, &hash);
    shards_del(b->told, edge);
    shard_unlock(shard);
}
