/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/balancer.h"

#include <assert.h>

struct balancer {
    struct gw_loop *loop;
    struct servers *servers;
    unsigned refs; /* the owner and each request under way */
    size_t count;
    struct pool *pools[][SERVERS_SPEECH_COUNT]; /* NULL: not spoken */
};

/* A connection whose certificate nobody has checked must not serve a request that wants it checked:
 * each way of speaking has a pool of its own. */
static void make_pools(struct balancer *b, size_t server)
{
    static const bool spoken[][SERVERS_SPEECH_COUNT] = {
        [CONFIG_SCHEME_HTTP] = {true, false, false},
        [CONFIG_SCHEME_HTTPS] = {false, true, false},
        [CONFIG_SCHEME_OPEN] = {true, true, true},
    };
    const struct config_origin *origin = &servers_origin(b->servers)->servers[server];
    for (enum servers_speech speech = 0; speech < SERVERS_SPEECH_COUNT; speech++) {
        struct tls_client *tls = servers_tls(b->servers, server, speech);
        if (!spoken[origin->scheme][speech])
            continue;
        assert(tls || speech == SERVERS_PLAIN);
        /* Two references: the owner's, which pool_retire gives back, and ours until the last
         * request lets go of the balancer. */
        b->pools[server][speech] = pool_hold(pool_new(b->loop, origin, tls));
    }
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
    for (size_t i = 0; i < b->count; i++)
        for (size_t k = 0; k < SERVERS_SPEECH_COUNT; k++)
            if (b->pools[i][k])
                pool_unhold(b->pools[i][k]);
    free(b);
}

void balancer_retire(struct balancer *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        for (size_t k = 0; k < SERVERS_SPEECH_COUNT; k++)
            pool_retire(b->pools[i][k]);
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

struct pool *balancer_pool(const struct balancer *b, size_t server, enum servers_speech speech)
{
    /* A server that speaks one scheme is asked in that one, whatever the visitor came by. */
    struct pool *const *pools = b->pools[server];
    if (pools[speech])
        return pools[speech];
    return pools[SERVERS_PLAIN] ? pools[SERVERS_PLAIN] : pools[SERVERS_TLS];
}
