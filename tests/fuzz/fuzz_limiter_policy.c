/* SPDX-License-Identifier: Apache-2.0 */
/* A limiters file from anywhere, then look-ups in it: no input may crash, and a policy that was
 * accepted must route each of its own literal paths to that route or an earlier one. */
#include "limiter/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_routes(const struct limiter_policy *policy)
{
    size_t count;
    const struct limiter_route *routes = limiter_policy_routes(policy, &count);
    for (size_t i = 0; i < count; i++) {
        bool is_literal = gw_str_chr(routes[i].path, ':') == GW_NPOS &&
                          gw_str_chr(routes[i].path, '*') == GW_NPOS;
        for (unsigned method = 0; is_literal && method < METHOD_COUNT; method++) {
            if (!(routes[i].methods >> method & 1))
                continue;
            const struct limiter_route *found =
                limiter_policy_match(policy, (enum http_method)method, routes[i].path);
            if (!found || found > &routes[i])
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct gw_source source = {"fuzz.json", gw_str((const char *)data, size)};
    struct limiter_policy *policy = limiter_policy_parse(&source, &diags);
    if ((policy == NULL) != (diags.errors > 0))
        abort();
    if (policy)
        check_routes(policy);
    limiter_policy_unref(policy);
    gw_diags_release(&diags);
    return 0;
}
