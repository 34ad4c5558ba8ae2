/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back for a flight: numbers, an error of its own, one of the server's, or word that the
 * key is elsewhere. */
#include "limiter/backend_redis_flight.h"
#include "limiter/backend_redis_script.h"

#define DETOURS_MAX    8  /* a redirection is one, a wait two */
#define REFUSES_MAX_MS 15 /* below RETRY_MS: the second time is enough */
#define RETRY_MS       20 /* plus up to a tick: a cluster in motion is asked two or three times */

/* There must be time left for an answer: a node that is asked in the last moment would be taken for
 * one that hangs. */
static bool has_time(const struct redis_flight *f)
{
    uint64_t age_ms = gw_loop_real_ms(f->backend->loop) - f->born_ms;
    return age_ms + GW_DEADLINE_TICK_MS < LIMITER_DEADLINE_MS;
}

static bool may_go_on(struct redis_flight *f)
{
    return has_time(f) && ++f->detours <= DETOURS_MAX && !f->backend->closed;
}

static void send_to(struct redis_flight *f, struct redis_node *node)
{
    if (!node || node->phase == REDIS_DOWN || !may_go_on(f))
        redis_flight_fail(f);
    else
        redis_flight_board(f, node);
}

/* ---- a cluster in motion ---- */

static bool is_redirected(struct redis_flight *f, struct gw_str error)
{
    struct redis_redirect to;
    if (f->backend->shape != REDIS_CLUSTER || !redis_redirect_read(error, &to))
        return false;
    f->asking = to.ask;
    send_to(f, redis_node_named(f->backend, &to, f->node));
    return true;
}

static bool is_down(struct gw_str error)
{
    return gw_str_starts(error, GW_STR("CLUSTERDOWN"));
}

static bool is_unserved(struct gw_str error)
{
    return gw_str_find(error, GW_STR("slot not served")) != GW_NPOS;
}

/* Whether the node has been saying so for a while: every further call would wait for nothing. */
static bool stays_down(struct redis_node *node)
{
    uint64_t now_ms = gw_loop_real_ms(node->backend->loop);
    if (!node->refuses_ms)
        node->refuses_ms = now_ms;
    return now_ms - node->refuses_ms >= REFUSES_MAX_MS;
}

static bool is_put_off(struct redis_flight *f, struct gw_str error)
{
    struct redis_backend *b = f->backend;
    bool passing = is_down(error) || gw_str_starts(error, GW_STR("TRYAGAIN"));
    if (!passing || b->shape != REDIS_CLUSTER)
        return false;
    redis_map_doubt(b);
    if ((is_down(error) && !is_unserved(error) && stays_down(f->node)) || !may_go_on(f))
        return false;
    gw_list_remove(&f->link);
    f->node = NULL;
    f->asking = false;
    gw_list_push(&b->parked, &f->link);
    gw_deadline_set(b->loop, &b->retry, RETRY_MS);
    return true;
}

/* One that waited in vain speaks for the next ones, too: they must not wait as long. */
static void try_again(struct redis_backend *b, struct redis_flight *f)
{
    struct redis_node *node = redis_node_of(b, gw_str(f->key, f->key_len));
    bool in_vain = node && node->refuses_ms && !has_time(f);
    send_to(f, node);
    if (in_vain && node->phase == REDIS_UP)
        redis_link_fail(node->commands, "the cluster is down");
}

void redis_flights_on_retry(struct gw_deadline *retry)
{
    struct redis_backend *b = gw_container_of(retry, struct redis_backend, retry);
    struct gw_list batch;
    gw_list_take(&batch, &b->parked);
    for (struct gw_list *link; (link = gw_list_pop(&batch));)
        try_again(b, redis_flight_at(link));
}

/* ---- errors ---- */

/* Of this key alone, or of a slot nobody serves: this call's misfortune. Any other (LOADING,
 * READONLY, OOM, NOAUTH, MISCONF, a cluster that stays down) would be the next call's too, so the
 * connection starts over, and a cluster's node must say then that it is well. */
static bool is_of_the_key(struct gw_str error)
{
    return gw_str_find(error, GW_STR("WRONGTYPE")) != GW_NPOS || is_unserved(error) ||
           gw_str_starts(error, GW_STR("TRYAGAIN"));
}

static void on_error(struct redis_flight *f, redisAsyncContext *ac, struct gw_str error)
{
    struct redis_node *node = f->node;
    if (gw_str_starts(error, GW_STR("NOSCRIPT")) && !f->script) {
        f->script = REDIS_SCRIPT_TAKE;
        redis_flight_board(f, node);
        return;
    }
    if (is_redirected(f, error) || is_put_off(f, error))
        return;
    redis_flight_fail(f);
    if (!is_of_the_key(error) && ac->data)
        redis_link_fail(node->commands, error.ptr);
}

/* NULL: the connection ended (or is given up); each flight gets here exactly once. */
void redis_flight_on_reply(redisAsyncContext *ac, void *reply, void *flight)
{
    struct redis_flight *f = flight;
    const redisReply *r = reply;
    if (!r) {
        redis_flight_fail(f);
        return;
    }
    if (r->type == REDIS_REPLY_ERROR) {
        on_error(f, ac, gw_str(r->str, r->len));
        return;
    }
    f->node->refuses_ms = 0;
    uint64_t n[4];
    bool good = r->type == REDIS_REPLY_ARRAY && r->elements == GW_COUNT(n);
    for (size_t i = 0; good && i < GW_COUNT(n); i++) {
        good = r->element[i]->type == REDIS_REPLY_INTEGER && r->element[i]->integer >= 0;
        n[i] = good ? (uint64_t)r->element[i]->integer : 0;
    }
    if (!good || n[1] > UINT32_MAX || (!f->op && n[0] > n[1]))
        redis_flight_fail(f);
    else
        redis_flight_land(f, n);
}
