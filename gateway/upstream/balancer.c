/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/balancer.h"

#include <assert.h>

struct balancer {
    struct gw_loop *loop;
    struct servers *servers;
    unsigned refs; /* the owner and each request under way */
    size_t count;
    struct pool *pools[][2]; /* without TLS and with it; NULL: not spoken */
};

static void make_pools(struct balancer *b, size_t server)
{
    const struct config_origin *origin = &servers_origin(b->servers)->servers[server];
    struct tls_client *tls = servers_tls(b->servers, server);
    assert(tls || origin->scheme == CONFIG_SCHEME_HTTP);
    if (origin->scheme != CONFIG_SCHEME_HTTPS)
        b->pools[server][0] = pool_hold(pool_new(b->loop, origin, NULL));
    if (origin->scheme != CONFIG_SCHEME_HTTP)
        b->pools[server][1] = pool_hold(pool_new(b->loop, origin, tls));
}

struct balancer *balancer_new(struct gw_loop *loop, struct servers *servers)
{
    size_t count = servers_count(servers);
    struct balancer *b = gw_zalloc(sizeof(*b) + count * sizeof(b->pools[0]));
    b->loop = loop;
    b->servers = servers;
    b->refs = 1;
    b->count = count;
    for (size_t i = 0; i < count; i++)
        make_pools(b, i);
    return b;
}

struct balancer *balancer_hold(struct balancer *b)
{
    b->refs++;
    return b;
}

void balancer_unhold(struct balancer *b)
{
    if (--b->refs)
        return;
    for (size_t i = 0; i < 2 * b->count; i++)
        if (b->pools[i / 2][i % 2])
            pool_unhold(b->pools[i / 2][i % 2]);
    free(b);
}

void balancer_retire(struct balancer *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < 2 * b->count; i++)
        pool_retire(b->pools[i / 2][i % 2]);
    balancer_unhold(b);
}

struct gw_loop *balancer_loop(const struct balancer *b)
{
    return b->loop;
}

struct servers *balancer_servers(const struct balancer *b)
{
    return b->servers;
}

struct pool *balancer_pool(const struct balancer *b, size_t server, bool https)
{
    struct pool *const *pools = b->pools[server];
    return pools[https] ? pools[https] : pools[!https];
}
