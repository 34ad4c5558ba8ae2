/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/buf.h"
#include "limiter/backend_redis_inside.h"
#include "limiter/backend_redis_script.h"
#include "limiter/verdict.h"

/* Expired counters stay this long; a virtual clock may lag behind Redis's, so it gets a day. */
#define CLEANING_MARGIN_MS         5000
#define CLEANING_MARGIN_VIRTUAL_MS 86400000

enum take_arg { TAKE_LIMIT, TAKE_WINDOW, TAKE_COST, TAKE_MARGIN, TAKE_ARGS };

/* ---- ends of a flight ---- */

static struct limiter_verdict by_policy(struct redis_pool *pool, const struct redis_ask *ask)
{
    if (pool->failure != CONFIG_FAIL_MEMORY)
        return verdict_uncounted(ask->rule.limit, pool->failure == CONFIG_FAIL_ALLOW, ask->shadow);
    struct window w;
    bool admitted = embedded_take(pool->local, ask->key, ask->rule, 1, ask->now_ms, &w) > 0;
    struct limiter_verdict v = verdict_of(&w, admitted, ask->rule, ask->now_ms, ask->shadow);
    v.degraded = true;
    return v;
}

static void flight_free(struct redis_flight *f)
{
    gw_list_remove(&f->link);
    f->backend->flights--;
    free(f);
}

static struct limiter_call *next_call(struct redis_flight *f)
{
    struct gw_list *link = gw_list_pop(&f->calls);
    return link ? gw_list_entry(link, struct limiter_call, link) : NULL;
}

static void op_end(struct redis_flight *f, const uint64_t answer[4])
{
    struct redis_op *op = f->op;
    flight_free(f);
    op->answered = answer != NULL;
    if (answer)
        memcpy(op->answer, answer, sizeof(op->answer));
    op->done(op);
}

static void flight_fail(struct redis_flight *f)
{
    struct redis_pool *pool = f->backend->pool;
    if (f->op) {
        op_end(f, NULL);
        return;
    }
    for (struct limiter_call *call; (call = next_call(f));) {
        struct redis_ask ask = {gw_str(f->key, f->key_len), f->rule, f->now_ms, call->shadow};
        struct limiter_verdict v = by_policy(pool, &ask);
        call->done(call, &v);
    }
    flight_free(f);
}

static void fail_all(struct gw_list *flights)
{
    for (struct gw_list *link; (link = gw_list_pop(flights));)
        flight_fail(gw_list_entry(link, struct redis_flight, link));
}

/* How far Redis's clock is ahead of ours, for releasing remembered refusals on time. An error
 * delays a release by that much at most: releasing early only means asking Redis. */
static void learn_offset(struct redis_backend *b, uint64_t redis_ms)
{
    int64_t sample = (int64_t)(redis_ms - gw_loop_now(b->loop).wall_ms);
    int64_t error = sample - b->offset_ms;
    bool stepped = !b->offset_known || error > 1000 || error < -1000;
    b->offset_ms += stepped ? error : error / 8;
    b->offset_known = true;
}

/* The first `granted` calls are admitted, and counted up to what the window holds now. */
static void flight_land(struct redis_flight *f, uint32_t granted, struct window w, uint64_t now_ms)
{
    struct redis_backend *b = f->backend;
    if (!b->pool->is_virtual)
        learn_offset(b, now_ms);
    bool is_current = b->subscribed && f->generation == b->generation;
    if (is_current && window_is_full(&w, f->rule.limit, now_ms))
        table_put(&b->denied, (struct table_key){gw_str(f->key, f->key_len), f->hash}, &w, now_ms);
    struct window at_call = {w.reset_at_ms, w.count - granted};
    for (struct limiter_call *call; (call = next_call(f));) {
        bool admitted = at_call.count < w.count;
        at_call.count += admitted;
        struct limiter_verdict v = verdict_of(&at_call, admitted, f->rule, now_ms, call->shadow);
        call->done(call, &v);
    }
    flight_free(f);
}

/* ---- sending ---- */

static void on_reply(redisAsyncContext *ac, void *reply, void *ctx);

static uint32_t count_calls(const struct redis_flight *f)
{
    uint32_t n = 0;
    for (const struct gw_list *at = f->calls.next; at != &f->calls; at = at->next)
        n++;
    return n;
}

uint64_t redis_margin_ms(const struct redis_pool *pool)
{
    return pool->is_virtual ? CLEANING_MARGIN_VIRTUAL_MS : CLEANING_MARGIN_MS;
}

/* False when hiredis refuses the command; no reply will come then. */
static bool flight_send(struct redis_flight *f, redisAsyncContext *ac)
{
    struct redis_backend *b = f->backend;
    char numbers[1 + FLIGHT_ARGS_MAX][20];
    const char *argv[5 + FLIGHT_ARGS_MAX] = {f->script ? "EVAL" : "EVALSHA",
                                             f->script ? f->script : b->script_sha, "1", f->key,
                                             numbers[0]};
    size_t lens[GW_COUNT(argv)] = {strlen(argv[0]), strlen(argv[1]), 1, f->key_len,
                                   b->pool->is_virtual ? gw_u64_digits(numbers[0], f->now_ms) : 0};
    if (!f->op)
        f->args[TAKE_COST] = count_calls(f);
    for (size_t i = 0; i < f->arg_count; i++) {
        argv[5 + i] = numbers[1 + i];
        lens[5 + i] = gw_u64_digits(numbers[1 + i], f->args[i]);
    }
    f->generation = b->generation;
    gw_list_remove(&f->link);
    gw_list_push(&b->sent, &f->link);
    return redisAsyncCommandArgv(ac, on_reply, f, 5 + (int)f->arg_count, argv, lens) == REDIS_OK;
}

static void on_flush(struct gw_task *task)
{
    struct redis_backend *b = gw_container_of(task, struct redis_backend, flush);
    memset(b->buckets, 0, sizeof(b->buckets));
    redisAsyncContext *ac = b->phase == REDIS_UP ? redis_link_cork(b->commands) : NULL;
    if (!ac)
        return; /* STARTING: they go when the connection stands, or fail with it */
    struct gw_list batch, refused;
    gw_list_init(&refused);
    gw_list_take(&batch, &b->pending);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct redis_flight *f = gw_list_entry(link, struct redis_flight, link);
        if (!f->op && gw_list_empty(&f->calls)) {
            flight_free(f); /* all cancelled meanwhile */
        } else if (!flight_send(f, ac)) {
            gw_list_remove(&f->link);
            gw_list_push(&refused, &f->link);
        }
    }
    redis_link_uncork(b->commands);
    /* Only now: a done callback may close the worker, and with it `ac`. */
    fail_all(&refused);
}

/* ---- replies ---- */

/* An error of this key alone is this call's misfortune; any other (LOADING, READONLY, OOM, NOAUTH,
 * MISCONF) would be the next call's too, so the connection starts over. */
static void on_error(struct redis_flight *f, redisAsyncContext *ac, const redisReply *r)
{
    struct redis_backend *b = f->backend;
    if (gw_str_starts(gw_str(r->str, r->len), GW_STR("NOSCRIPT")) && !f->script) {
        f->script = REDIS_SCRIPT_TAKE;
        if (!flight_send(f, ac))
            flight_fail(f);
        return;
    }
    bool is_fatal = !strstr(r->str, "WRONGTYPE");
    flight_fail(f);
    if (is_fatal && ac->data)
        redis_link_fail(b->commands, r->str);
}

/* NULL: the connection ended (or is given up); each flight gets here exactly once. */
static void on_reply(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_flight *f = ctx;
    const redisReply *r = reply;
    if (!r) {
        flight_fail(f);
        return;
    }
    if (r->type == REDIS_REPLY_ERROR) {
        on_error(f, ac, r);
        return;
    }
    uint64_t n[4];
    bool good = r->type == REDIS_REPLY_ARRAY && r->elements == GW_COUNT(n);
    for (size_t i = 0; good && i < GW_COUNT(n); i++) {
        good = r->element[i]->type == REDIS_REPLY_INTEGER && r->element[i]->integer >= 0;
        n[i] = good ? (uint64_t)r->element[i]->integer : 0;
    }
    if (!good || n[1] > UINT32_MAX || (!f->op && n[0] > n[1]))
        flight_fail(f);
    else if (f->op)
        op_end(f, n);
    else
        flight_land(f, (uint32_t)n[0], (struct window){n[2], (uint32_t)n[1]}, n[3]);
}

/* ---- the deadline of the oldest flight ---- */

static struct redis_flight *oldest(const struct redis_backend *b)
{
    const struct gw_list *list = gw_list_empty(&b->sent) ? &b->pending : &b->sent;
    return gw_list_empty(list) ? NULL : gw_list_entry(list->next, struct redis_flight, link);
}

static void on_deadline(struct gw_deadline *deadline)
{
    struct redis_backend *b = gw_container_of(deadline, struct redis_backend, deadline);
    const struct redis_flight *f = oldest(b);
    if (!f)
        return;
    uint64_t age_ms = gw_loop_real_ms(b->loop) - f->born_ms;
    if (age_ms < LIMITER_DEADLINE_MS) {
        b->overslept = false;
        gw_deadline_set(b->loop, deadline, LIMITER_DEADLINE_MS - age_ms);
        return;
    }
    /* This loop was stopped or stalled: the answers may lie in the socket, unread. */
    if (age_ms > LIMITER_DEADLINE_MS + 2 * GW_DEADLINE_TICK_MS && !b->overslept) {
        b->overslept = true;
        gw_deadline_set(b->loop, deadline, 1);
        return;
    }
    b->overslept = false;
    redis_link_fail(b->commands, "no answer within the deadline");
}

/* ---- deciding ---- */

static struct redis_flight *find_flight(struct redis_backend *b, const struct redis_ask *ask,
                                        uint64_t hash)
{
    struct redis_flight *f = b->buckets[hash % FLIGHT_BUCKETS];
    for (; f; f = f->next_in_bucket)
        if (f->hash == hash && f->rule.limit == ask->rule.limit &&
            f->rule.window_ms == ask->rule.window_ms && f->now_ms == ask->now_ms &&
            gw_str_eq(gw_str(f->key, f->key_len), ask->key))
            return f;
    return NULL;
}

struct redis_flight *redis_flight_new(struct redis_backend *b, struct gw_str key, uint64_t now_ms)
{
    if (b->phase == REDIS_DOWN || b->flights >= REDIS_FLIGHTS_MAX)
        return NULL;
    struct redis_flight *f = gw_alloc(sizeof(*f) + key.len);
    *f = (struct redis_flight){
        .backend = b, .now_ms = now_ms, .born_ms = gw_loop_real_ms(b->loop), .key_len = key.len};
    memcpy(f->key, key.ptr, key.len);
    gw_list_init(&f->link);
    gw_list_init(&f->calls);
    if (b->flights++ == 0)
        gw_deadline_set(b->loop, &b->deadline, LIMITER_DEADLINE_MS);
    gw_list_push(&b->pending, &f->link);
    gw_loop_defer(b->loop, &b->flush);
    return f;
}

static struct redis_flight *take_flight(struct redis_backend *b, const struct redis_ask *ask,
                                        uint64_t hash)
{
    struct redis_flight *f = redis_flight_new(b, ask->key, ask->now_ms);
    if (!f)
        return NULL;
    f->rule = ask->rule;
    f->hash = hash;
    f->args[TAKE_LIMIT] = ask->rule.limit;
    f->args[TAKE_WINDOW] = ask->rule.window_ms;
    f->args[TAKE_MARGIN] = redis_margin_ms(b->pool);
    f->arg_count = TAKE_ARGS;
    f->next_in_bucket = b->buckets[hash % FLIGHT_BUCKETS];
    b->buckets[hash % FLIGHT_BUCKETS] = f;
    return f;
}

/* A refusal that is remembered and still stands. With the policy "memory" it goes on standing while
 * Redis is away; "allow" and "deny" mean what they say. */
static bool is_denied_here(const struct redis_backend *b, const struct redis_ask *ask,
                           uint64_t hash, struct limiter_verdict *out)
{
    bool trusted =
        b->subscribed || (b->phase == REDIS_DOWN && b->pool->failure == CONFIG_FAIL_MEMORY);
    const struct window *w =
        trusted ? table_find(&b->denied, (struct table_key){ask->key, hash}) : NULL;
    uint64_t now_ms = ask->now_ms + (uint64_t)b->offset_ms;
    if (!w || !window_is_full(w, ask->rule.limit, now_ms))
        return false;
    *out = verdict_of(w, false, ask->rule, now_ms, ask->shadow);
    out->local = true;
    return true;
}

enum limiter_outcome redis_decide(struct redis_backend *b, const struct redis_ask *ask,
                                  struct limiter_call *call, struct limiter_verdict *out)
{
    uint64_t hash = gw_hash(ask->key);
    if (is_denied_here(b, ask, hash, out))
        return out->outcome;
    struct redis_flight *f = find_flight(b, ask, hash);
    if (!f)
        f = take_flight(b, ask, hash);
    if (!f) {
        *out = by_policy(b->pool, ask);
        return out->outcome;
    }
    call->shadow = ask->shadow;
    gw_list_push(&f->calls, &call->link);
    return LIMITER_WAIT;
}

void redis_flights_init(struct redis_backend *b)
{
    gw_list_init(&b->pending);
    gw_list_init(&b->sent);
    gw_task_init(&b->flush, on_flush);
    gw_deadline_init(&b->deadline, on_deadline);
}

void redis_flights_go(struct redis_backend *b)
{
    gw_loop_defer(b->loop, &b->flush);
}

void redis_flights_fail_pending(struct redis_backend *b)
{
    memset(b->buckets, 0, sizeof(b->buckets));
    struct gw_list batch;
    gw_list_take(&batch, &b->pending);
    fail_all(&batch);
}
