/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/backend_redis_flight.h"
#include "gateway/base/buf.h"
#include "limiter/verdict.h"

/* Expired counters stay this long; a virtual clock may lag behind Redis's, so it gets a day. */
#define CLEANING_MARGIN_MS         5000
#define CLEANING_MARGIN_VIRTUAL_MS 86400000

enum take_arg { TAKE_LIMIT, TAKE_WINDOW, TAKE_COST, TAKE_MARGIN, TAKE_ARGS };

/* ---- sending ---- */

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

/* In order of birth: only flights that come from elsewhere are ever older than the last. */
static void line_up(struct gw_list *list, struct redis_flight *f)
{
    struct gw_list *before = list;
    if (!gw_list_empty(list) && redis_flight_at(list->prev)->born_ms > f->born_ms)
        for (before = list->next; redis_flight_at(before)->born_ms <= f->born_ms;)
            before = before->next;
    gw_list_push(before, &f->link);
}

/* False when hiredis refuses the command; no reply will come then. */
static bool flight_send(struct redis_flight *f, redisAsyncContext *ac)
{
    struct redis_backend *b = f->backend;
    char numbers[1 + FLIGHT_ARGS_MAX][20], wire[WIRE_KEY_MAX];
    struct gw_str key = redis_wire_key(b, gw_str(f->key, f->key_len), wire);
    const char *argv[5 + FLIGHT_ARGS_MAX] = {f->script ? "EVAL" : "EVALSHA",
                                             f->script ? f->script : f->node->script_sha, "1",
                                             key.ptr, numbers[0]};
    size_t lens[GW_COUNT(argv)] = {strlen(argv[0]), strlen(argv[1]), 1, key.len,
                                   b->pool->is_virtual ? gw_u64_digits(numbers[0], f->now_ms) : 0};
    /* Counted when it leaves, not when it was made: those who went away in between are not to be
     * counted. */
    if (!f->op)
        f->args[TAKE_COST] = count_calls(f);
    for (size_t i = 0; i < f->arg_count; i++) {
        argv[5 + i] = numbers[1 + i];
        lens[5 + i] = gw_u64_digits(numbers[1 + i], f->args[i]);
    }
    f->generation = b->generation;
    gw_list_remove(&f->link);
    line_up(&f->node->sent, f);
    if (f->asking && redisAsyncCommand(ac, NULL, NULL, "ASKING") != REDIS_OK)
        return false;
    return redisAsyncCommandArgv(ac, redis_flight_on_reply, f, 5 + (int)f->arg_count, argv, lens) ==
           REDIS_OK;
}

/* What hiredis refuses goes to `refused`. */
static void send_pending(struct redis_node *node, struct gw_list *refused)
{
    redisAsyncContext *ac = node->phase == REDIS_UP ? redis_link_cork(node->commands) : NULL;
    if (!ac)
        return; /* STARTING: they go when the connection stands, or fail with it */
    struct gw_list batch;
    gw_list_take(&batch, &node->pending);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct redis_flight *f = redis_flight_at(link);
        if (!f->op && gw_list_empty(&f->calls)) {
            redis_flight_free(f); /* all cancelled meanwhile */
        } else if (!flight_send(f, ac)) {
            gw_list_remove(&f->link);
            gw_list_push(refused, &f->link);
        }
    }
    redis_link_uncork(node->commands);
}

static void on_flush(struct gw_task *task)
{
    struct redis_backend *b = gw_container_of(task, struct redis_backend, flush);
    /* Nobody joins a flight that has left: its cost is on its way. */
    memset(b->buckets, 0, sizeof(b->buckets));
    struct gw_list refused;
    gw_list_init(&refused);
    struct redis_node *node;
    for (size_t at = 0; (node = redis_node_from(b, &at)); at++)
        if (!gw_list_empty(&node->pending))
            send_pending(node, &refused);
    /* Only now: a done callback may close the worker, and with it the connections. */
    redis_flights_fail(&refused);
}

/* ---- waiting to be sent ---- */

void redis_flight_board(struct redis_flight *f, struct redis_node *node)
{
    gw_list_remove(&f->link);
    f->node = node;
    line_up(&node->pending, f);
    gw_loop_defer(f->backend->loop, &f->backend->flush);
}

static void collect(struct redis_node *node, struct gw_list *waiting)
{
    struct gw_list batch;
    gw_list_take(&batch, &node->pending);
    for (struct gw_list *link; (link = gw_list_pop(&batch));)
        if (redis_flight_at(link)->asking)
            gw_list_push(&node->pending, link);
        else
            gw_list_push(waiting, link);
}

/* After a new map. What was sent stays where it is: it may have counted, and its own answer says if
 * it was wrong. Who was told to ask (ASK) goes on to that node, which the map does not know of yet.
 */
void redis_flights_reroute(struct redis_backend *b)
{
    struct gw_list waiting, lost;
    gw_list_init(&waiting);
    gw_list_init(&lost);
    if (b->seed)
        collect(b->seed, &waiting);
    struct redis_node *node;
    for (size_t at = 0; (node = redis_node_from(b, &at)); at++)
        collect(node, &waiting);
    for (struct gw_list *link; (link = gw_list_pop(&waiting));) {
        struct redis_flight *f = redis_flight_at(link);
        node = redis_node_of(b, gw_str(f->key, f->key_len));
        if (node && node->phase != REDIS_DOWN)
            redis_flight_board(f, node);
        else
            gw_list_push(&lost, link);
    }
    memset(b->buckets, 0, sizeof(b->buckets));
    redis_flights_fail(&lost);
}

/* ---- deciding ---- */

static struct redis_flight *find_flight(struct redis_backend *b, const struct redis_ask *ask,
                                        uint64_t hash)
{
    struct redis_flight *f = b->buckets[hash % FLIGHT_BUCKETS];
    for (; f; f = f->next_in_bucket)
        /* The same key under another limit (a reload in between), or at another instant, is another
         * question. */
        if (f->hash == hash && f->rule.limit == ask->rule.limit &&
            f->rule.window_ms == ask->rule.window_ms && f->now_ms == ask->now_ms &&
            gw_str_eq(gw_str(f->key, f->key_len), ask->key))
            return f;
    return NULL;
}

static bool is_cut_off(const struct redis_backend *b)
{
    return atomic_load_explicit(&b->pool->cut_off, memory_order_relaxed);
}

static bool is_away(const struct redis_backend *b, const struct redis_node *node)
{
    return !node || node->phase == REDIS_DOWN || is_cut_off(b);
}

struct redis_flight *redis_flight_new(struct redis_backend *b, struct gw_str key, uint64_t now_ms)
{
    if (key.len > STORAGE_KEY_MAX) /* of a scan: none of ours */
        return NULL;
    struct redis_node *node = redis_node_of(b, key);
    if (is_away(b, node) || b->flights >= REDIS_FLIGHTS_MAX)
        return NULL;
    struct redis_flight *f = gw_alloc(sizeof(*f) + key.len);
    *f = (struct redis_flight){
        .backend = b, .now_ms = now_ms, .born_ms = gw_loop_real_ms(b->loop), .key_len = key.len};
    memcpy(f->key, key.ptr, key.len);
    gw_list_init(&f->link);
    gw_list_init(&f->calls);
    /* One timer for all: the oldest is due first, and the lists are in the order of birth. */
    if (b->flights++ == 0)
        gw_deadline_set(b->loop, &b->deadline, LIMITER_DEADLINE_MS);
    redis_flight_board(f, node);
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
    const struct window *w = table_find(&b->denied, (struct table_key){ask->key, hash});
    if (!w)
        return false;
    const struct redis_node *node = redis_node_of(b, ask->key);
    bool subscribed = node && node->subscribed && !is_cut_off(b);
    bool trusted = subscribed || (is_away(b, node) && b->pool->failure == CONFIG_FAIL_MEMORY);
    uint64_t now_ms = ask->now_ms + (uint64_t)(node ? node->offset_ms : 0);
    if (!trusted || !window_is_full(w, ask->rule.limit, now_ms))
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
        *out = redis_by_policy(b->pool, ask);
        return out->outcome;
    }
    call->shadow = ask->shadow;
    gw_list_push(&f->calls, &call->link);
    return LIMITER_WAIT;
}

void redis_flights_init(struct redis_backend *b)
{
    gw_list_init(&b->parked);
    gw_task_init(&b->flush, on_flush);
    gw_deadline_init(&b->deadline, redis_flights_on_deadline);
    gw_deadline_init(&b->retry, redis_flights_on_retry);
}
