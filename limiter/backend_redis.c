/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "limiter/backend_redis_flight.h"

/* ---- the pool ---- */

/* Copies: the pool outlives the configuration, which a reload replaces. */
static char *copy_text(struct gw_str text)
{
    return text.ptr ? gw_str_dupz(text) : NULL;
}

static struct redis_target target_of(const struct config_backend *from, size_t at)
{
    struct gw_str host = at ? from->others[at - 1].host : from->host;
    return (struct redis_target){
        .host = from->unix_path.len ? NULL : gw_str_dupz(host),
        .unix_path = from->unix_path.len ? gw_str_dupz(from->unix_path) : NULL,
        .user = copy_text(from->user),
        .password = copy_text(from->password),
        .port = at ? from->others[at - 1].port : from->port,
        .db = from->db,
    };
}

struct redis_pool *redis_pool_new(const struct config_limiter *settings, enum gw_clock_mode clock,
                                  struct embedded *local)
{
    const struct config_backend *from = &settings->backend;
    struct redis_pool *pool = gw_zalloc(sizeof(*pool));
    pool->seed_count = 1 + from->other_count;
    pool->seeds = gw_alloc(pool->seed_count * sizeof(*pool->seeds));
    for (size_t i = 0; i < pool->seed_count; i++)
        pool->seeds[i] = target_of(from, i);
    pool->must_be_cluster = from->cluster;
    pool->failure = settings->on_backend_failure;
    pool->is_virtual = clock == GW_CLOCK_VIRTUAL;
    pool->db = from->db;
    pool->local = local;
    pthread_mutex_init(&pool->error_lock, NULL);
    return pool;
}

void redis_pool_free(struct redis_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_destroy(&pool->error_lock);
    for (size_t i = 0; i < pool->seed_count; i++) {
        free(pool->seeds[i].host);
        free(pool->seeds[i].unix_path);
        free(pool->seeds[i].user);
        free(pool->seeds[i].password);
    }
    free(pool->seeds);
    free(pool);
}

/* A cluster that lost one node of many still serves: calling the gateway unready then would turn
 * the loss of some keys into that of all. */
void redis_pool_health(struct redis_pool *pool, struct limiter_health *out)
{
    unsigned backends = atomic_load(&pool->backends);
    out->redis = true;
    out->up = atomic_load(&pool->up) == backends;
    out->fails_closed =
        pool->failure == CONFIG_FAIL_DENY && atomic_load(&pool->serving) != backends;
    pthread_mutex_lock(&pool->error_lock);
    memcpy(out->error, pool->error, sizeof(out->error));
    pthread_mutex_unlock(&pool->error_lock);
    if (!atomic_load(&pool->cut_off))
        return;
    out->up = false;
    out->fails_closed = pool->failure == CONFIG_FAIL_DENY;
    snprintf(out->error, sizeof(out->error), "a fault has taken it away");
}

void redis_pool_cut_off(struct redis_pool *pool, bool cut_off)
{
    atomic_store(&pool->cut_off, cut_off);
}

void redis_set_error(struct redis_node *node, const char *what, const char *reason)
{
    struct redis_pool *pool = node->backend->pool;
    const struct redis_target *t = &node->target;
    char port[8] = "";
    if (!t->unix_path)
        snprintf(port, sizeof(port), ":%u", t->port);
    pthread_mutex_lock(&pool->error_lock);
    snprintf(pool->error, sizeof(pool->error), "%s of %.48s%s: %s", what,
             t->unix_path ? t->unix_path : t->host, port, reason);
    pthread_mutex_unlock(&pool->error_lock);
}

static void count(atomic_uint *total, bool *counted, bool now)
{
    if (now && !*counted)
        atomic_fetch_add(total, 1);
    if (!now && *counted)
        atomic_fetch_sub(total, 1);
    *counted = now;
}

void redis_count_up(struct redis_backend *b)
{
    bool any = false, all = !b->closed;
    const struct redis_node *node;
    for (size_t at = 0; (node = redis_node_from(b, &at)); at++) {
        bool is_up = node->phase == REDIS_UP;
        any |= is_up;
        all &= is_up || (b->shape == REDIS_CLUSTER && !redis_slots_has(&b->slots, node->index));
    }
    if (b->shape == REDIS_CLUSTER)
        all &= !redis_slots_has(&b->slots, REDIS_NO_NODE);
    count(&b->pool->up, &b->complete, any && all);
    count(&b->pool->serving, &b->serving, any && !b->closed);
}

/* The generation keeps refusals that are under way from being remembered: they may have been
 * decided before the reset. The local counter goes too, which counts while Redis is away. */
void redis_forget(struct redis_backend *b, struct gw_str key)
{
    b->generation++;
    table_del(&b->denied, table_key(key));
    embedded_forget(b->pool->local, key);
}

/* ---- life ---- */

/* In a turn of its own: replies that hiredis still hands out name the backend. */
static void on_gone(struct gw_task *task)
{
    struct redis_backend *b = gw_container_of(task, struct redis_backend, gone);
    void (*closed)(void *) = b->closed;
    void *ctx = b->closed_ctx;
    table_release(&b->denied);
    free(b);
    closed(ctx);
}

struct redis_backend *redis_backend_new(struct redis_pool *pool, struct gw_loop *loop)
{
    struct redis_backend *b = gw_zalloc(sizeof(*b));
    b->pool = pool;
    b->loop = loop;
    gw_list_init(&b->jobs);
    gw_task_init(&b->gone, on_gone);
    table_init(&b->denied, LIMITER_DENIED_MAX);
    redis_flights_init(b);
    redis_map_init(b);
    atomic_fetch_add(&pool->backends, 1);
    b->seed = redis_node_new(b, &pool->seeds[0], true);
    return b;
}

/* Once, by the worker's end. It may be called from a done callback, that is from inside hiredis:
 * flights and jobs then get their NULL reply when hiredis unwinds, still before `gone` runs. */
void redis_backend_close(struct redis_backend *b, void (*done)(void *ctx), void *ctx)
{
    atomic_fetch_sub(&b->pool->backends, 1);
    b->closed = done;
    b->closed_ctx = ctx;
    redis_count_up(b);
    gw_deadline_cancel(&b->refresh);
    gw_deadline_cancel(&b->retry);
    redis_jobs_fail(b);
    redis_node_free(b->seed);
    for (size_t i = 0; i < REDIS_NODES_MAX; i++)
        redis_node_free(b->nodes[i]);
    struct gw_list parked;
    gw_list_take(&parked, &b->parked);
    redis_flights_fail(&parked);
    gw_task_cancel(&b->flush);
    gw_deadline_cancel(&b->deadline);
    gw_loop_defer(b->loop, &b->gone);
}
