/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/policy_file.h"

struct limiter_policy *limiter_policy_ref(struct limiter_policy *policy)
{
    atomic_fetch_add_explicit(&policy->refs, 1, memory_order_relaxed);
    return policy;
}

/* Of a whole policy or of one that did not load. But for what is named here everything lies in the
 * arena. */
void limiter_policy_unref(struct limiter_policy *policy)
{
    if (!policy || atomic_fetch_sub_explicit(&policy->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < policy->limiter_count; i++)
        limiter_key_free(policy->limiters[i].key);
    gw_map_release(&policy->by_name);
    route_tree_free(policy->tree);
    gw_arena_clear(&policy->arena);
    free(policy);
}

const struct limiter_route *limiter_policy_match(const struct limiter_policy *policy,
                                                 enum http_method method, struct gw_str path)
{
    uint32_t number = route_tree_find(policy->tree, method, path);
    return number == LIMITER_NO_ROUTE ? NULL : &policy->routes[number];
}

const struct limiter *limiter_policy_find(const struct limiter_policy *policy, struct gw_str name)
{
    return gw_map_get(&policy->by_name, name);
}

const struct limiter *limiter_policy_limiters(const struct limiter_policy *policy, size_t *count)
{
    *count = policy->limiter_count;
    return policy->limiters;
}

const struct limiter_route *limiter_policy_routes(const struct limiter_policy *policy,
                                                  size_t *count)
{
    *count = policy->route_count;
    return policy->routes;
}

const struct gw_str *limiter_policy_origins(const struct limiter_policy *policy, size_t *count)
{
    *count = policy->origin_count;
    return policy->origins;
}

const char *limiter_store_name(enum limiter_store store)
{
    static const char *const names[] = {[LIMITER_DURABLE_OBJECT] = "durable_object",
                                        [LIMITER_MEMORY] = "memory",
                                        [LIMITER_KV] = "kv",
                                        [LIMITER_BINDING] = "binding"};
    return names[store];
}
