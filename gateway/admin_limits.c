/* SPDX-License-Identifier: Apache-2.0 */
/* The app's own admin routes for its counters, with its shapes and sentences (spec/limiter.md a5).
 * What the backend is asked about is kept in the exchange's arena until it answers. */
#include "gateway/admin_route.h"
#include "gateway/exchange.h"

/* ---- which limiters ---- */

struct limiter_state_item admin_limits_item(const struct limiter *limiter)
{
    return (struct limiter_state_item){.name = limiter->name,
                                       .limit = limiter->rule.limit,
                                       .window_ms = limiter->rule.window_ms,
                                       .store = limiter->store,
                                       .compare = limiter->compare};
}

/* Limiters are known by name only: the first zone that has it speaks for all. */
static const struct limiter *find_limiter(const struct snapshot *s, struct gw_str name)
{
    for (size_t i = 0; i < s->zone_count; i++) {
        const struct limiter_policy *policy = s->zones[i].limiters;
        const struct limiter *limiter = policy ? limiter_policy_find(policy, name) : NULL;
        if (limiter)
            return limiter;
    }
    return NULL;
}

/* An upper bound: names that several zones share are counted with each. */
static size_t count_limiters(const struct snapshot *s)
{
    size_t total = 0, count;
    for (size_t i = 0; i < s->zone_count; i++) {
        if (!s->zones[i].limiters)
            continue;
        limiter_policy_limiters(s->zones[i].limiters, &count);
        total += count;
    }
    return total;
}

/* Each name once; `items` has room for all of them. */
static size_t collect(const struct snapshot *s, struct limiter_state_item *items)
{
    size_t found = 0, count;
    for (size_t i = 0; i < s->zone_count; i++) {
        if (!s->zones[i].limiters)
            continue;
        const struct limiter *list = limiter_policy_limiters(s->zones[i].limiters, &count);
        for (size_t k = 0; k < count; k++)
            if (find_limiter(s, list[k].name) == &list[k])
                items[found++] = admin_limits_item(&list[k]);
    }
    return found;
}

/* ---- GET …/state ---- */

static void refuse_backend(struct admin_call *call, int err)
{
    static const struct admin_refusal away = {503, 0, "server_error",
                                              "The counter backend is not reachable"};
    static const struct admin_refusal large = {500, 0, "server_error",
                                               "There is more to list than one answer can hold"};
    admin_refuse(call, err == GW_ELIMIT ? &large : &away);
}

/* A list that broke off half-way is thrown away: half an answer would look like a whole one. */
static void on_listed(struct limiter_state *state, int err)
{
    struct admin_call *call = gw_container_of(state, struct admin_call, state);
    if (err)
        refuse_backend(call, err);
    admin_finish(call);
}

enum admin_result admin_limits_state(struct admin_call *call)
{
    const struct snapshot *s = admin_snapshot(call);
    struct gw_arena *arena = &call->exchange->arena;
    struct gw_str name;
    bool one = admin_query(call, GW_STR("name"), &name) && name.len > 0;
    size_t room = one ? 1 : count_limiters(s), count = 1;
    struct limiter_state_item *items = gw_arena_zalloc(arena, (room + 1) * sizeof(*items));
    if (!items) {
        refuse_backend(call, GW_ELIMIT);
        return ADMIN_DONE;
    }
    if (one) {
        const struct limiter *limiter = find_limiter(s, name);
        items[0] = limiter ? admin_limits_item(limiter) : (struct limiter_state_item){.name = name};
    } else {
        count = collect(s, items);
    }
    call->state.done = on_listed;
    limiter_state_list(call->worker->limiter, &call->state, items, count, &call->out);
    return ADMIN_WAIT;
}

/* ---- POST …/reset ---- */

static void answer_reset(struct admin_call *call, bool ok)
{
    gw_buf_printf(&call->out, "{\"success\":true,\"data\":{\"ok\":%s}}", ok ? "true" : "false");
}

static void finish_reset(struct limiter_state *state, int err, bool ok)
{
    struct admin_call *call = gw_container_of(state, struct admin_call, state);
    if (err)
        refuse_backend(call, err);
    else
        answer_reset(call, ok);
    admin_finish(call);
}

static void on_reset(struct limiter_state *state, int err)
{
    finish_reset(state, err, state->found);
}

/* Workers KV does not tell whether a deleted key was there, so the app says ok in any case. */
static void on_reset_kv(struct limiter_state *state, int err)
{
    finish_reset(state, err, true);
}

static bool read_target(struct admin_call *call, struct gw_str *name, struct gw_str *key)
{
    static const struct admin_refusal no_json = {400, 0, "validation_error", "Invalid JSON"};
    static const struct admin_refusal missing = {400, 0, "validation_error",
                                                 "name and key are required"};
    struct gw_arena *arena = &call->exchange->arena;
    struct json_doc *doc = admin_body(call);
    if (!doc) {
        admin_refuse(call, &no_json);
        return false;
    }
    const struct json *root = json_root(doc);
    /* One byte over the ceiling is kept: then it still differs from every name and key. */
    *name = gw_arena_dup(
        arena, gw_str_first(gw_str_trim(json_str(json_get(root, "name"))), LIMITER_NAME_MAX + 1));
    *key = gw_arena_dup(
        arena, gw_str_first(gw_str_trim(json_str(json_get(root, "key"))), LIMITER_KEY_MAX + 1));
    json_doc_free(doc);
    if (name->len && key->len)
        return true;
    admin_refuse(call, &missing);
    return false;
}

/* An unknown limiter or an impossible key is no error in the app: there is nothing to forget. */
enum admin_result admin_limits_reset(struct admin_call *call)
{
    struct gw_str name, key;
    if (!read_target(call, &name, &key))
        return ADMIN_DONE;
    const struct limiter *limiter = find_limiter(admin_snapshot(call), name);
    struct limiter_state_item *item = gw_arena_zalloc(&call->exchange->arena, sizeof(*item));
    if (!item || !limiter || key.len > LIMITER_KEY_MAX) {
        answer_reset(call, false);
        return ADMIN_DONE;
    }
    *item = admin_limits_item(limiter);
    call->state.done = limiter->store == LIMITER_KV ? on_reset_kv : on_reset;
    limiter_state_reset(call->worker->limiter, &call->state, item, key);
    return ADMIN_WAIT;
}
