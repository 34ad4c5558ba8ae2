/* SPDX-License-Identifier: Apache-2.0 */
/* Redis Cluster: whose a key is. The map comes from CLUSTER SLOTS, which every version answers, and
 * from redirections, which are newer than any map; the full map is asked for again after each, when
 * a node is lost, and as long as a part of it is.
 *
 * A plain redis:// URL is asked too: who points it at a node of a cluster wants the cluster, and a
 * client that does not know slots would fail on two keys of three. */
#include "gateway/base/hash.h"
#include "limiter/backend_redis_flight.h"

#define MAP_ANSWER_MS  500   /* a node that takes longer hangs */
#define MAP_GAP_MIN_MS 50    /* between two questions, doubling … */
#define MAP_GAP_MAX_MS 500   /* … up to here: so long a promoted replica may go unnoticed */
#define MAP_CALM_MS    2000  /* without doubt, then the next one is followed at once */
#define NAMED_KEEP_MS  10000 /* a node without slots that redirections lead to */

/* ---- nodes ---- */

static struct redis_node *add_node(struct redis_backend *b, struct gw_str host, uint16_t port)
{
    size_t free_at = 0;
    while (free_at < REDIS_NODES_MAX && b->nodes[free_at])
        free_at++;
    if (free_at == REDIS_NODES_MAX || host.len == 0 || host.len >= REDIS_HOST_MAX)
        return NULL;
    /* All nodes of a cluster share their users and have one database. */
    const struct redis_target *seed = &b->pool->seeds[0];
    struct redis_target target = {.user = seed->user, .password = seed->password, .port = port};
    struct redis_node *node = redis_node_new(b, &target, false);
    memcpy(node->host, host.ptr, host.len);
    node->target.host = node->host;
    node->index = (uint8_t)free_at;
    b->nodes[free_at] = node;
    return node;
}

static struct redis_node *named(struct redis_backend *b, struct gw_str host, uint64_t port,
                                const struct redis_node *by)
{
    if (port == 0 || port > UINT16_MAX)
        return NULL;
    if (host.len == 0) /* "as you reached me": a node that does not know its own address */
        host = by->target.host ? gw_str_z(by->target.host) : GW_STR("127.0.0.1");
    for (size_t i = 0; i < REDIS_NODES_MAX; i++)
        if (b->nodes[i] && redis_node_is(b->nodes[i], host, (uint16_t)port))
            return b->nodes[i];
    return add_node(b, host, (uint16_t)port);
}

struct redis_node *redis_node_named(struct redis_backend *b, const struct redis_redirect *to,
                                    const struct redis_node *by)
{
    struct redis_node *node = b->shape == REDIS_CLUSTER ? named(b, to->host, to->port, by) : NULL;
    if (node)
        node->named_ms = gw_loop_real_ms(b->loop);
    if (node && !to->ask && redis_slots_give(&b->slots, to->slot, to->slot, node->index))
        redis_map_doubt(b);
    return node;
}

struct redis_node *redis_node_of(const struct redis_backend *b, struct gw_str key)
{
    if (b->shape != REDIS_CLUSTER)
        return b->seed;
    char wire[WIRE_KEY_MAX];
    uint8_t owner = b->slots.owner[redis_slot_of(redis_wire_key(b, key, wire))];
    return owner == REDIS_NO_NODE ? NULL : b->nodes[owner];
}

struct redis_node *redis_node_from(const struct redis_backend *b, size_t *at)
{
    if (b->shape != REDIS_CLUSTER)
        return *at == 0 ? b->seed : NULL;
    while (*at < REDIS_NODES_MAX && !b->nodes[*at])
        (*at)++;
    return *at < REDIS_NODES_MAX ? b->nodes[*at] : NULL;
}

struct gw_str redis_wire_key(const struct redis_backend *b, struct gw_str key, char *out)
{
    return b->shape == REDIS_CLUSTER ? redis_tag(key, out) : key;
}

struct gw_str redis_own_key(const struct redis_backend *b, struct gw_str wire, char *out)
{
    return b->shape == REDIS_CLUSTER ? redis_untag(wire, out) : wire;
}

/* ---- the map ---- */

/* {first, last, {host, port, id, ...}, replicas ...} */
static bool read_range(struct redis_backend *b, const redisReply *range,
                       const struct redis_node *by, struct redis_slots *map)
{
    if (range->type != REDIS_REPLY_ARRAY || range->elements < 3)
        return false;
    const redisReply *first = range->element[0], *last = range->element[1],
                     *master = range->element[2];
    if (first->type != REDIS_REPLY_INTEGER || last->type != REDIS_REPLY_INTEGER ||
        master->type != REDIS_REPLY_ARRAY || master->elements < 2 ||
        master->element[1]->type != REDIS_REPLY_INTEGER)
        return false;
    const redisReply *host = master->element[0];
    struct gw_str name =
        host->type == REDIS_REPLY_STRING ? gw_str(host->str, host->len) : GW_STR_EMPTY;
    struct redis_node *node = named(b, name, (uint64_t)master->element[1]->integer, by);
    return node &&
           redis_slots_give(map, (uint64_t)first->integer, (uint64_t)last->integer, node->index);
}

/* Nodes without slots go, unless flights are there or a slot is on its way there; whether some
 * could not go yet. */
static bool retire_nodes(struct redis_backend *b)
{
    bool some_stay = false;
    uint64_t now_ms = gw_loop_real_ms(b->loop);
    for (size_t i = 0; i < REDIS_NODES_MAX; i++) {
        struct redis_node *node = b->nodes[i];
        if (!node || redis_slots_has(&b->slots, node->index))
            continue;
        bool is_idle = gw_list_empty(&node->sent) && gw_list_empty(&node->pending);
        if (is_idle && (node->named_ms == 0 || now_ms - node->named_ms > NAMED_KEEP_MS))
            redis_node_free(node);
        else
            some_stay = true;
    }
    return some_stay;
}

static bool adopt_map(struct redis_backend *b, struct redis_node *by, const redisReply *ranges)
{
    struct redis_slots map;
    bool any = false;
    redis_slots_clear(&map);
    for (size_t i = 0; i < ranges->elements; i++)
        any |= read_range(b, ranges->element[i], by, &map);
    if (!any)
        return false;
    b->slots = map;
    b->shape = REDIS_CLUSTER;
    return true;
}

/* Errors of a server without cluster mode, of an old or half of one (a proxy), or of one that
 * denies us the question. Anything else, LOADING for instance, says nothing about it. */
static bool says_single(const redisReply *r)
{
    struct gw_str text = gw_str(r->str, r->len);
    return gw_str_starts(text, GW_STR("ERR ")) || gw_str_starts(text, GW_STR("NOPERM"));
}

/* After a new map. The seed has done its part; its connection is freed from inside its own reply,
 * which the link allows. */
static void settle(struct redis_backend *b)
{
    redis_flights_reroute(b);
    if (b->closed)
        return;
    redis_node_free(b->seed);
    bool unsettled = retire_nodes(b);
    redis_count_up(b);
    if (unsettled || !b->complete)
        redis_map_doubt(b);
}

static void on_map(redisAsyncContext *ac, void *reply, void *ctx)
{
    struct redis_node *node = ctx;
    struct redis_backend *b = node->backend;
    const redisReply *r = reply;
    if (b->asked == node) {
        b->asked = NULL;
        gw_deadline_cancel(&b->refresh);
    }
    if (b->closed || !r || !ac->data) {
        redis_map_doubt(b);
        return;
    }
    if (r->type == REDIS_REPLY_ARRAY && adopt_map(b, node, r)) {
        settle(b);
        return;
    }
    if (!node->is_seed)
        redis_map_doubt(b);
    else if (r->type == REDIS_REPLY_ERROR && says_single(r) && !b->pool->must_be_cluster)
        b->shape = REDIS_SINGLE;
    else
        redis_link_fail(node->commands,
                        r->type == REDIS_REPLY_ERROR ? r->str : "the cluster serves no slot");
}

void redis_map_ask(struct redis_node *node, redisAsyncContext *ac)
{
    redisAsyncCommand(ac, on_map, node, "CLUSTER SLOTS");
}

/* ---- when to ask ---- */

static struct redis_node *any_up(const struct redis_backend *b)
{
    size_t up[REDIS_NODES_MAX], count = 0;
    for (size_t i = 0; i < REDIS_NODES_MAX; i++)
        if (b->nodes[i] && b->nodes[i]->phase == REDIS_UP)
            up[count++] = i;
    uint64_t pick;
    gw_random(&pick, sizeof(pick)); /* one that is cut off from the rest is not asked for ever */
    return count ? b->nodes[up[pick % count]] : NULL;
}

static void ask_somebody(struct redis_backend *b)
{
    struct redis_node *node = any_up(b);
    redisAsyncContext *ac = node ? redis_link_cork(node->commands) : NULL;
    b->refreshed_ms = gw_loop_real_ms(b->loop);
    b->gap_ms = gw_min_u64(gw_max_u64(b->gap_ms * 2, MAP_GAP_MIN_MS), MAP_GAP_MAX_MS);
    if (ac) {
        b->asked = node;
        gw_deadline_set(b->loop, &b->refresh, MAP_ANSWER_MS);
        redis_map_ask(node, ac);
        redis_link_uncork(node->commands);
    } else if (!b->seed) {
        b->seed = redis_node_new(b, &b->pool->seeds[b->seed_at % b->pool->seed_count], true);
    }
}

static void on_refresh(struct gw_deadline *deadline)
{
    struct redis_backend *b = gw_container_of(deadline, struct redis_backend, refresh);
    struct redis_node *silent = b->asked;
    if (!silent) {
        ask_somebody(b);
        return;
    }
    b->asked = NULL;
    redis_link_fail(silent->commands, "no answer about the cluster in time");
}

void redis_map_doubt(struct redis_backend *b)
{
    if (b->shape != REDIS_CLUSTER || b->closed || b->asked || !gw_list_empty(&b->refresh.link))
        return;
    uint64_t since = gw_loop_real_ms(b->loop) - b->refreshed_ms;
    if (since > MAP_CALM_MS)
        b->gap_ms = 0;
    gw_deadline_set(b->loop, &b->refresh, b->gap_ms > since ? b->gap_ms - since : 0);
}

void redis_map_init(struct redis_backend *b)
{
    redis_slots_clear(&b->slots);
    gw_deadline_init(&b->refresh, on_refresh);
}
