/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/resolver.h"

#include <netdb.h>
#include <stdio.h>
#include <uv.h>

#include "gateway/base/err.h"

struct resolver_query {
    uv_getaddrinfo_t request;
    struct gw_task at_once; /* for answers known without asking, and for refusals */
    void (*done)(void *ctx, const struct resolver_answer *answer);
    void *ctx;
    struct resolver_answer answer;
    bool cancelled;
};

static void finish(struct resolver_query *q)
{
    if (!q->cancelled)
        q->done(q->ctx, &q->answer);
    free(q);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct resolver_query *q = request->data;
    q->answer.err = status ? GW_ERESOLVE : 0;
    for (struct addrinfo *at = list; at && q->answer.count < RESOLVER_ADDRESSES_MAX;
         at = at->ai_next) {
        struct net_address *to = &q->answer.addresses[q->answer.count++];
        *to = (struct net_address){.len = at->ai_addrlen};
        memcpy(&to->any, at->ai_addr, at->ai_addrlen);
    }
    uv_freeaddrinfo(list);
    finish(q);
}

static void answer_now(struct gw_task *task)
{
    finish(gw_container_of(task, struct resolver_query, at_once));
}

struct resolver_query *resolver_start(struct gw_loop *loop, const char *host, uint16_t port,
                                      void (*done)(void *ctx, const struct resolver_answer *answer),
                                      void *ctx)
{
    struct resolver_query *q = gw_zalloc(sizeof(*q));
    q->done = done;
    q->ctx = ctx;
    q->request.data = q;
    gw_task_init(&q->at_once, answer_now);
    struct gw_ip ip;
    if (gw_ip_parse(gw_str_z(host), &ip)) {
        q->answer.count = 1;
        q->answer.addresses[0] = net_address_ip(&ip, port);
        gw_loop_defer(loop, &q->at_once);
        return q;
    }
    char service[6];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    if (uv_getaddrinfo(gw_loop_uv(loop), &q->request, on_resolved, host, service, &hints) != 0) {
        q->answer.err = GW_ERESOLVE;
        gw_loop_defer(loop, &q->at_once);
    }
    return q;
}

/* The memory is never freed here: a thread may be in getaddrinfo with it. on_resolved comes in any
 * case (with ECANCELED when no thread has begun), and so does answer_now; uv_cancel
 * refuses a request that was never handed out. */
void resolver_cancel(struct resolver_query *q)
{
    if (!q)
        return;
    q->cancelled = true;
    uv_cancel((uv_req_t *)&q->request); /* too late is fine: the flag silences it */
}
