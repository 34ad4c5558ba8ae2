/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/backend_redis_flight.h"
#include "limiter/backend_redis_script.h"

/* ---- the connection for commands ---- */

static void on_script(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_node *node = ctx;
    const redisReply *r = reply;
    if (!r || !ac->data)
        return;
    if (r->type != REDIS_REPLY_STRING || r->len != sizeof(node->script_sha) - 1) {
        redis_link_fail(node->commands, r->type == REDIS_REPLY_ERROR ? r->str : "no script hash");
        return;
    }
    memcpy(node->script_sha, r->str, r->len);
    redis_link_ready(node->commands);
}

/* After a failover the old address may lead to a replica, which takes connections and refuses every
 * write: that is "down", not "up until asked". Whoever may not ask for the role is not stopped. */
static void on_role(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_node *node = ctx;
    const redisReply *r = reply;
    if (!r || !ac->data || node->backend->shape != REDIS_SINGLE)
        return;
    if (r->type == REDIS_REPLY_ARRAY && r->elements && r->element[0]->type == REDIS_REPLY_STRING &&
        gw_str_eq(gw_str(r->element[0]->str, r->element[0]->len), GW_STR("slave")))
        redis_link_fail(node->commands, "the server is a read-only replica");
}

static void on_cluster_info(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_node *node = ctx;
    const redisReply *r = reply;
    if (!r || !ac->data || r->type != REDIS_REPLY_STRING)
        return;
    if (gw_str_find(gw_str(r->str, r->len), GW_STR("cluster_state:fail")) != GW_NPOS)
        redis_link_fail(node->commands, "the cluster is down");
}

/* Answers come in the order of the questions: a replica or a cluster that is down has said so
 * before the script's hash makes the connection ready. */
static void greet_commands(void *ctx, redisAsyncContext *ac)
{
    struct redis_node *node = ctx;
    if (node->is_seed) {
        redis_map_ask(node, ac);
        redisAsyncCommand(ac, on_role, node, "ROLE");
    } else {
        redisAsyncCommand(ac, on_cluster_info, node, "CLUSTER INFO");
    }
    redisAsyncCommand(ac, on_script, node, "SCRIPT LOAD %s", REDIS_SCRIPT_TAKE);
}

static void commands_up(void *ctx)
{
    struct redis_node *node = ctx;
    struct redis_backend *b = node->backend;
    node->phase = REDIS_UP;
    node->refuses_ms = 0;
    redis_node_subscribe(node);
    if (!node->is_seed && b->seed) {
        redis_node_free(b->seed); /* a node can be asked for the map again */
        redis_map_doubt(b);
    }
    redis_count_up(b);
    gw_loop_defer(b->loop, &b->flush);
}

/* Down before anything is failed: who hears of it may ask again at once and must find nothing to
 * wait for. */
static void commands_down(void *ctx, const char *reason)
{
    struct redis_node *node = ctx;
    struct redis_backend *b = node->backend;
    node->phase = REDIS_DOWN;
    redis_set_error(node, "commands", reason);
    /* Any node of the cluster will do as the door; one that is gone must not keep it shut. */
    if (node->is_seed && b->shape != REDIS_SINGLE)
        node->target = b->pool->seeds[++b->seed_at % b->pool->seed_count];
    redis_count_up(b);
    redis_map_doubt(b);
    redis_flights_fail_pending(node);
}

/* ---- the connection for reset messages ---- */

static void on_message(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_node *node = ctx;
    const redisReply *r = reply;
    if (!r || !ac->data || r->type != REDIS_REPLY_ARRAY || r->elements != 3)
        return;
    const redisReply *kind = r->element[0], *payload = r->element[2];
    if (kind->type != REDIS_REPLY_STRING)
        return;
    char own[WIRE_KEY_MAX];
    if (gw_str_eq(gw_str(kind->str, kind->len), GW_STR("subscribe")))
        redis_link_ready(node->subscription);
    else if (payload->type == REDIS_REPLY_STRING && payload->len <= WIRE_KEY_MAX)
        redis_forget(node->backend,
                     redis_own_key(node->backend, gw_str(payload->str, payload->len), own));
}

static void greet_subscription(void *ctx, redisAsyncContext *ac)
{
    struct redis_node *node = ctx;
    redisAsyncCommand(ac, on_message, node, "SUBSCRIBE " REDIS_RESET_CHANNEL "%u",
                      node->backend->pool->db);
}

/* Resets may have been missed until now: what was remembered or is under way is not to be
 * trusted. */
static void subscription_up(void *ctx)
{
    struct redis_node *node = ctx;
    node->subscribed = true;
    node->backend->generation++;
    table_clear(&node->backend->denied);
}

static void subscription_down(void *ctx, const char *reason)
{
    struct redis_node *node = ctx;
    node->subscribed = false;
    redis_set_error(node, "subscription", reason);
}

static const struct redis_link_events commands_events = {greet_commands, commands_up,
                                                         commands_down};
static const struct redis_link_events subscription_events = {greet_subscription, subscription_up,
                                                             subscription_down};

void redis_node_subscribe(struct redis_node *node)
{
    if (!node->subscription)
        node->subscription =
            redis_link_new(node->backend->loop, &node->target, &subscription_events, node);
}

/* ---- life ---- */

static void on_gone(struct gw_task *task)
{
    free(gw_container_of(task, struct redis_node, gone));
}

struct redis_node *redis_node_new(struct redis_backend *b, const struct redis_target *target,
                                  bool is_seed)
{
    struct redis_node *node = gw_zalloc(sizeof(*node));
    node->backend = b;
    node->target = *target;
    node->is_seed = is_seed;
    gw_list_init(&node->pending);
    gw_list_init(&node->sent);
    gw_task_init(&node->gone, on_gone);
    node->commands = redis_link_new(b->loop, &node->target, &commands_events, node);
    return node;
}

/* A node whose slots have gone elsewhere, the seed once a node can be asked for the map, and all at
 * the backend's end; perhaps from inside the node's own reply. Once: it leaves the backend's books
 * first, and the memory waits for the turn's end, since replies that hiredis still hands out name
 * the node. */
void redis_node_free(struct redis_node *node)
{
    if (!node)
        return;
    struct redis_backend *b = node->backend;
    if (node->is_seed) {
        b->seed = NULL;
    } else {
        b->nodes[node->index] = NULL;
        redis_slots_take(&b->slots, node->index);
    }
    if (b->asked == node)
        b->asked = NULL;
    node->phase = REDIS_DOWN;
    node->subscribed = false;
    redis_link_free(node->commands);
    redis_link_free(node->subscription);
    redis_flights_fail_pending(node);
    gw_loop_defer(b->loop, &node->gone);
}

bool redis_node_is(const struct redis_node *node, struct gw_str host, uint16_t port)
{
    return node->target.port == port && gw_str_eq(gw_str_z(node->target.host), host);
}
