/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "gateway/base/err.h"
#include "limiter/backend_redis_inside.h"
#include "limiter/backend_redis_script.h"

/* ---- the pool ---- */

struct redis_pool *redis_pool_new(const struct config_limiter *settings, enum gw_clock_mode clock,
                                  struct embedded *local)
{
    const struct config_backend *from = &settings->backend;
    struct redis_pool *pool = gw_zalloc(sizeof(*pool));
    pool->target = (struct redis_target){
        .host = from->unix_path.len ? NULL : gw_str_dupz(from->host),
        .unix_path = from->unix_path.len ? gw_str_dupz(from->unix_path) : NULL,
        .user = from->user.ptr ? gw_str_dupz(from->user) : NULL,
        .password = from->password.ptr ? gw_str_dupz(from->password) : NULL,
        .port = from->port,
        .db = from->db,
    };
    pool->failure = settings->on_backend_failure;
    pool->is_virtual = clock == GW_CLOCK_VIRTUAL;
    /* Channels are not divided by database. */
    snprintf(pool->channel, sizeof(pool->channel), "nearedge:reset:%u", from->db);
    pool->local = local;
    pthread_mutex_init(&pool->error_lock, NULL);
    return pool;
}

void redis_pool_free(struct redis_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_destroy(&pool->error_lock);
    free(pool->target.host);
    free(pool->target.unix_path);
    free(pool->target.user);
    free(pool->target.password);
    free(pool);
}

void redis_pool_health(struct redis_pool *pool, struct limiter_health *out)
{
    out->redis = true;
    out->up = atomic_load(&pool->up) == atomic_load(&pool->backends);
    out->fails_closed = pool->failure == CONFIG_FAIL_DENY;
    pthread_mutex_lock(&pool->error_lock);
    memcpy(out->error, pool->error, sizeof(out->error));
    pthread_mutex_unlock(&pool->error_lock);
}

static void set_error(struct redis_pool *pool, const char *what, const char *reason)
{
    pthread_mutex_lock(&pool->error_lock);
    snprintf(pool->error, sizeof(pool->error), "%s: %s", what, reason);
    pthread_mutex_unlock(&pool->error_lock);
}

/* ---- the connection for commands ---- */

static void on_script(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_backend *b = ctx;
    const redisReply *r = reply;
    if (!r || !ac->data)
        return;
    if (r->type != REDIS_REPLY_STRING || r->len != sizeof(b->script_sha) - 1) {
        redis_link_fail(b->commands, r->type == REDIS_REPLY_ERROR ? r->str : "no script hash");
        return;
    }
    memcpy(b->script_sha, r->str, r->len);
    redis_link_ready(b->commands);
}

static void greet_commands(void *ctx, redisAsyncContext *ac)
{
    redisAsyncCommand(ac, on_script, ctx, "SCRIPT LOAD %s", REDIS_SCRIPT_TAKE);
}

static void commands_up(void *ctx)
{
    struct redis_backend *b = ctx;
    b->phase = REDIS_UP;
    atomic_fetch_add(&b->pool->up, 1);
    redis_flights_go(b);
}

static void commands_down(void *ctx, const char *reason)
{
    struct redis_backend *b = ctx;
    if (b->phase == REDIS_UP)
        atomic_fetch_sub(&b->pool->up, 1);
    b->phase = REDIS_DOWN;
    set_error(b->pool, "commands", reason);
    redis_jobs_fail(b);
    redis_flights_fail_pending(b);
}

/* ---- the connection for reset messages ---- */

void redis_forget(struct redis_backend *b, struct gw_str key)
{
    b->generation++;
    table_del(&b->denied, table_key(key));
    embedded_forget(b->pool->local, key);
}

static void on_message(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_backend *b = ctx;
    const redisReply *r = reply;
    if (!r || !ac->data || r->type != REDIS_REPLY_ARRAY || r->elements != 3)
        return;
    const redisReply *kind = r->element[0], *payload = r->element[2];
    if (kind->type != REDIS_REPLY_STRING)
        return;
    if (gw_str_eq(gw_str(kind->str, kind->len), GW_STR("subscribe")))
        redis_link_ready(b->subscription);
    else if (payload->type == REDIS_REPLY_STRING && payload->len <= LIMITER_KEY_MAX * 2)
        redis_forget(b, gw_str(payload->str, payload->len));
}

static void greet_subscription(void *ctx, redisAsyncContext *ac)
{
    struct redis_backend *b = ctx;
    redisAsyncCommand(ac, on_message, b, "SUBSCRIBE %s", b->pool->channel);
}

/* Resets may have been missed until now: what was remembered or is under way is not to be
 * trusted. */
static void subscription_up(void *ctx)
{
    struct redis_backend *b = ctx;
    b->subscribed = true;
    b->generation++;
    table_clear(&b->denied);
}

static void subscription_down(void *ctx, const char *reason)
{
    struct redis_backend *b = ctx;
    b->subscribed = false;
    set_error(b->pool, "subscription", reason);
}

static const struct redis_link_events commands_events = {greet_commands, commands_up,
                                                         commands_down};
static const struct redis_link_events subscription_events = {greet_subscription, subscription_up,
                                                             subscription_down};

/* ---- life ---- */

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
    atomic_fetch_add(&pool->backends, 1);
    b->commands = redis_link_new(loop, &pool->target, &commands_events, b);
    b->subscription = redis_link_new(loop, &pool->target, &subscription_events, b);
    return b;
}

/* Once, by the worker's end. It may be called from a done callback, that is from inside hiredis:
 * flights and jobs then get their NULL reply when hiredis unwinds, still before `gone` runs. */
void redis_backend_close(struct redis_backend *b, void (*done)(void *ctx), void *ctx)
{
    if (b->phase == REDIS_UP)
        atomic_fetch_sub(&b->pool->up, 1);
    atomic_fetch_sub(&b->pool->backends, 1);
    b->phase = REDIS_DOWN;
    b->closed = done;
    b->closed_ctx = ctx;
    redis_jobs_fail(b);
    redis_link_free(b->commands);
    redis_link_free(b->subscription);
    redis_flights_fail_pending(b);
    gw_task_cancel(&b->flush);
    gw_deadline_cancel(&b->deadline);
    gw_loop_defer(b->loop, &b->gone);
}
