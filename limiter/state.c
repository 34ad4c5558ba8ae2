/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/state.h"

#include "gateway/base/err.h"
#include "gateway/base/json_out.h"
#include "limiter/decision.h"
#include "limiter/matrix.h"
#include "limiter/store.h"

#define PATTERN_MAX (2 * STORAGE_KEY_MAX) /* every byte may need a backslash */

/* Last in whoever calls it: the owner may free the state. Of a list that failed nothing stays in
 * the answer. */
static void finish(struct limiter_state *s, int err)
{
    if (err && s->out)
        s->out->len = s->out_start;
    s->done(s, err);
}

static void on_end(struct gw_task *task)
{
    struct limiter_state *s = gw_container_of(task, struct limiter_state, end);
    finish(s, s->err);
}

static void state_init(struct limiter_state *s, struct limiter_worker *worker,
                       const struct limiter_state_item *items, size_t count)
{
    *s = (struct limiter_state){.done = s->done,
                                .worker = worker,
                                .items = items,
                                .now = gw_loop_now(worker->loop),
                                .count = count};
    decisions_catch_up(worker);
    gw_task_init(&s->end, on_end);
    redis_job_init(&s->job);
}

/* The client went away. Nothing is told any more; what a reset has removed stays removed. */
void limiter_state_cancel(struct limiter_state *s)
{
    gw_task_cancel(&s->end);
    redis_job_cancel(&s->job);
}

/* ---- writing a listing ---- */

static void open_list(struct limiter_state *s)
{
    s->at = 0;
    gw_buf_add(s->out, GW_STR("{\"success\":true,\"data\":{\"state\":{"));
}

static void open_item(struct limiter_state *s)
{
    const struct limiter_state_item *item = &s->items[s->at];
    gw_json_text(s->out, NULL, item->name);
    gw_buf_printf(s->out, ":{\"maxRequests\":%u,\"windowMs\":%llu,\"entries\":[", item->limit,
                  (unsigned long long)item->window_ms);
    s->entries = 0;
}

static void close_item(struct limiter_state *s)
{
    gw_buf_add(s->out, GW_STR("]}"));
    s->at++;
}

static void close_list(struct limiter_state *s)
{
    gw_buf_add(s->out, GW_STR("}}}"));
    if (s->out->overflow)
        s->err = GW_ELIMIT;
}

/* The end of a window as a date. Redis goes by its own calendar; what this process counts, and what
 * the app writes into Workers KV, by the wall clock of the asks. */
static uint64_t reset_date_of(const struct limiter_state *s, const struct window *w)
{
    bool by_redis = s->worker->redis && s->items[s->at].store != LIMITER_KV;
    return by_redis ? w->reset_at_ms : gw_time_date(s->now, w->reset_at_ms);
}

/* Writes the counter if it is of the item at hand; false when the item is full. */
static bool write_entry(void *ctx, struct gw_str storage, const void *record)
{
    const struct window *w = record;
    struct limiter_state *s = ctx;
    const struct limiter_state_item *item = &s->items[s->at];
    struct limiter_place place;
    struct gw_str key;
    if (!storage_key_split(storage, item->name, &place, &key) ||
        (place.edge.len > 0) != store_is_placed(item->store))
        return true;
    s->entries++;
    gw_json_object(s->out, NULL);
    gw_json_text(s->out, "key", key);
    gw_json_u64(s->out, "count", w->count);
    gw_json_u64(s->out, "resetAt", reset_date_of(s, w));
    if (place.edge.len) {
        gw_json_text(s->out, "edge", place.edge);
        if (item->store == LIMITER_MEMORY)
            gw_json_u64(s->out, "isolate", place.isolate);
    }
    gw_buf_char(s->out, '}');
    return s->entries < LIMITER_STATE_ENTRIES && !s->out->overflow;
}

static bool write_value(void *ctx, struct gw_str storage, const struct window *newest)
{
    return write_entry(ctx, storage, newest);
}

/* ---- patterns: the storage key with literal parts escaped for Redis's glob ---- */

/* Keys hold what visitors send: a "*" among it must not reset the counters of others. */
static void add_literal(struct gw_buf *b, struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (memchr("*?[]\\^", text.ptr[i], 6))
            gw_buf_char(b, '\\');
        gw_buf_char(b, text.ptr[i]);
    }
}

/* All keys of the item, or (key given) one logical key in all places. */
static void add_pattern(struct gw_buf *b, const struct limiter_state_item *item,
                        const struct gw_str *key)
{
    gw_buf_add(b, GW_STR("rl:"));
    add_literal(b, item->name);
    gw_buf_add(b, store_is_placed(item->store) ? GW_STR("@*:") : GW_STR(":"));
    if (key)
        add_literal(b, *key);
    else
        gw_buf_char(b, '*');
}

/* ---- listing ---- */

static void list_embedded(struct limiter_state *s)
{
    for (open_list(s); s->at < s->count; close_item(s)) {
        open_item(s);
        if (s->items[s->at].store == LIMITER_KV)
            kv_store_visit(s->worker->world->local->kv, write_value, s);
        else
            shards_visit(s->worker->world->local->windows, write_entry, s);
    }
    close_list(s);
}

static void scan_entry(struct redis_job *job, struct gw_str key, const struct window *w)
{
    struct limiter_state *s = gw_container_of(job, struct limiter_state, job);
    if (s->entries < LIMITER_STATE_ENTRIES && !s->out->overflow)
        write_entry(s, key, w);
}

static void scan_page(struct limiter_state *s)
{
    struct gw_buf pattern;
    gw_buf_init(&pattern, PATTERN_MAX);
    add_pattern(&pattern, &s->items[s->at], NULL);
    redis_scan(s->worker->redis, &s->job, gw_buf_str(&pattern));
    gw_buf_release(&pattern);
}

static void scan_done(struct redis_job *job, int err)
{
    struct limiter_state *s = gw_container_of(job, struct limiter_state, job);
    /* SCAN may bring empty pages for as long as it likes: pages are counted, not only entries. */
    bool more = job->cursor != 0 && s->entries < LIMITER_STATE_ENTRIES && !s->out->overflow &&
                ++s->pages < LIMITER_STATE_PAGES;
    if (err) {
        finish(s, err);
        return;
    }
    if (!more) {
        job->cursor = 0;
        close_item(s);
        if (s->at == s->count) {
            close_list(s);
            finish(s, s->err);
            return;
        }
        open_item(s);
    }
    scan_page(s);
}

void limiter_state_list(struct limiter_worker *worker, struct limiter_state *s,
                        const struct limiter_state_item *items, size_t count, struct gw_buf *out)
{
    state_init(s, worker, items, count);
    s->out = out;
    s->out_start = out->len;
    if (!worker->redis || count == 0) {
        list_embedded(s);
        gw_loop_defer(worker->loop, &s->end);
        return;
    }
    s->job.entry = scan_entry;
    s->job.done = scan_done;
    open_list(s);
    open_item(s);
    scan_page(s);
}

/* ---- resetting ---- */

struct place_list {
    const struct limiter_state *state;
    struct gw_buf keys; /* storage keys, each followed by a NUL */
};

static bool collect_places(void *ctx, struct gw_str storage, const void *record)
{
    (void)record;
    struct place_list *list = ctx;
    struct limiter_place place;
    struct gw_str key;
    if (storage_key_split(storage, list->state->items->name, &place, &key) && place.edge.len &&
        gw_str_eq(key, list->state->key)) {
        gw_buf_add(&list->keys, storage);
        gw_buf_char(&list->keys, '\0');
    }
    return true;
}

/* A machine of a binding may know of calls that it has not told the edge's counter yet. */
static bool collect_machines(void *ctx, struct gw_str machine, const void *record)
{
    (void)record;
    struct place_list *list = ctx;
    struct limiter_place place;
    struct gw_str key;
    char storage[STORAGE_KEY_MAX];
    if (!storage_key_split(machine, list->state->items->name, &place, &key))
        return true;
    place.isolate = 0;
    return collect_places(ctx, storage_key_of(list->state->items->name, &place, key, storage),
                          NULL);
}

/* In two steps, because a visitor may not change what it visits. */
static void reset_places(struct limiter_state *s)
{
    struct embedded *local = s->worker->world->local;
    struct place_list list = {.state = s};
    gw_buf_init(&list.keys, (size_t)1 << 20);
    shards_visit(local->windows, collect_places, &list);
    if (s->items->store == LIMITER_BINDING)
        binding_visit(local->binding, collect_machines, &list);
    struct gw_str rest = gw_buf_str(&list.keys), storage;
    while (gw_str_next(&rest, '\0', &storage))
        s->found |= embedded_forget(local, storage);
    gw_buf_release(&list.keys);
}

static void reset_embedded(struct limiter_state *s)
{
    char storage[STORAGE_KEY_MAX];
    if (store_is_placed(s->items->store))
        reset_places(s);
    else
        s->found |= embedded_forget(s->worker->world->local,
                                    storage_key_of(s->items->name, NULL, s->key, storage));
}

static void reset_page(struct limiter_state *s)
{
    char storage[STORAGE_KEY_MAX];
    struct gw_buf pattern;
    gw_buf_init(&pattern, PATTERN_MAX);
    bool everywhere = store_is_placed(s->items->store);
    if (everywhere)
        add_pattern(&pattern, s->items, &s->key);
    struct gw_str key =
        everywhere ? gw_buf_str(&pattern) : storage_key_of(s->items->name, NULL, s->key, storage);
    redis_reset(s->worker->redis, &s->job, key, everywhere);
    gw_buf_release(&pattern);
}

/* From one store of a comparing limiter to the next; false behind the last. */
static bool next_shadow(struct limiter_state *s)
{
    if (!s->shadows)
        return false;
    enum limiter_store store = (enum limiter_store)__builtin_ctz(s->shadows);
    s->shadows &= s->shadows - 1;
    s->shadow = (struct limiter_state_item){.name = shadow_name(s->limiter, store, s->shadow_name),
                                            .store = store};
    s->items = &s->shadow;
    return true;
}

static void reset_done(struct redis_job *job, int err)
{
    struct limiter_state *s = gw_container_of(job, struct limiter_state, job);
    s->found |= job->removed > 0;
    bool more = job->cursor != 0 && ++s->pages < LIMITER_STATE_PAGES;
    if (!more) {
        job->cursor = 0;
        s->pages = 0;
    }
    if (!err && (more || next_shadow(s)))
        reset_page(s);
    else
        finish(s, err);
}

void limiter_state_reset(struct limiter_worker *worker, struct limiter_state *s,
                         const struct limiter_state_item *item, struct gw_str key)
{
    state_init(s, worker, item, 1);
    s->key = key;
    s->limiter = item->name;
    const uint32_t shadows = item->compare & ~(UINT32_C(1) << item->store);
    s->shadows = shadows;
    do
        reset_embedded(s); /* with Redis, what was counted while that was away */
    while (next_shadow(s));
    matrix_forget(worker->world->matrix, item->name, key);
    s->items = item;
    s->shadows = shadows;
    if (!worker->redis) {
        gw_loop_defer(worker->loop, &s->end);
        return;
    }
    s->job.done = reset_done;
    reset_page(s);
}

void limiter_world_cut_off(struct limiter_world *world, bool cut_off)
{
    if (world->pool)
        redis_pool_cut_off(world->pool, cut_off);
}
