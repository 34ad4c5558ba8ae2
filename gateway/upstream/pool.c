/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/pool.h"

#include <errno.h>

#include "gateway/base/log.h"
#include "gateway/net/conn_tls.h"
#include "gateway/net/resolver.h"
#include "gateway/net/tls.h"

struct pool {
    struct gw_loop *loop;
    const struct config_origin *origin;
    struct tls_client *tls; /* NULL: plain */
    unsigned refs;          /* the owner, each idle connection, each lease in progress */
    bool retired;           /* by its owner: nothing is kept idle any more */
    struct gw_list idle;    /* struct idle_conn, oldest first */
    size_t idle_count;

    struct resolver_query *query;
    struct resolver_answer answer;
    uint64_t answer_until_ms; /* real time; 0: none yet */
    struct gw_list waiting;   /* struct pool_lease */
};

struct idle_conn {
    struct gw_list link;
    struct gw_deadline deadline;
    struct conn *conn;
    struct pool *pool;
};

struct pool *pool_new(struct gw_loop *loop, const struct config_origin *origin,
                      struct tls_client *tls)
{
    struct pool *p = gw_zalloc(sizeof(*p));
    p->loop = loop;
    p->origin = origin;
    p->tls = tls ? tls_client_ref(tls) : NULL;
    p->refs = 1;
    gw_list_init(&p->idle);
    gw_list_init(&p->waiting);
    return p;
}

struct pool *pool_hold(struct pool *p)
{
    p->refs++;
    return p;
}

/* Who holds: the owner, idle connections, leases, and each request and balancer that may still
 * come. The last one finds no lease waiting, so a look-up under way is nobody's. */
void pool_unhold(struct pool *p)
{
    if (--p->refs)
        return;
    resolver_cancel(p->query);
    tls_client_unref(p->tls);
    free(p);
}

const struct config_origin *pool_origin(const struct pool *p)
{
    return p->origin;
}

struct gw_loop *pool_loop(const struct pool *p)
{
    return p->loop;
}

/* ---- idle connections ---- */

/* Takes the connection out of the pool's care; who calls it closes it or hands it on. The pool may
 * go with it when a retired one has lost all others. */
static struct conn *forget_idle(struct idle_conn *idle)
{
    struct conn *c = idle->conn;
    gw_list_remove(&idle->link);
    gw_deadline_cancel(&idle->deadline);
    idle->pool->idle_count--;
    conn_set_owner(c, NULL, NULL);
    pool_unhold(idle->pool);
    free(idle);
    return c;
}

static void on_idle_end(void *ctx)
{
    conn_close(forget_idle(ctx));
}

static void on_idle_read(void *ctx, struct gw_str data)
{
    (void)
        data; /* bytes nobody asked for: the next answer on this connection could not be trusted */
    on_idle_end(ctx);
}

static void on_idle_error(void *ctx, int err)
{
    (void)err;
    on_idle_end(ctx);
}

static void on_idle_deadline(struct gw_deadline *d)
{
    on_idle_end(gw_container_of(d, struct idle_conn, deadline));
}

static void on_idle_drain(void *ctx)
{
    (void)ctx;
}

static const struct conn_events idle_events = {
    .on_read = on_idle_read,
    .on_eof = on_idle_end,
    .on_error = on_idle_error,
    .on_drain = on_idle_drain,
};

struct conn *pool_take_idle(struct pool *p)
{
    if (gw_list_empty(&p->idle))
        return NULL;
    return forget_idle(gw_list_entry(p->idle.prev, struct idle_conn, link));
}

void pool_put_idle(struct pool *p, struct conn *c)
{
    if (p->retired || p->idle_count >= POOL_IDLE_MAX) {
        conn_close(c);
        return;
    }
    struct idle_conn *idle = gw_alloc(sizeof(*idle));
    idle->conn = c;
    idle->pool = pool_hold(p);
    gw_list_push(&p->idle, &idle->link);
    p->idle_count++;
    gw_deadline_init(&idle->deadline, on_idle_deadline);
    gw_deadline_set(p->loop, &idle->deadline, p->origin->idle_timeout_ms);
    conn_set_owner(c, &idle_events, idle);
    conn_resume(c); /* to see the origin close it */
}

void pool_retire(struct pool *p)
{
    if (!p)
        return;
    p->retired = true;
    while (!gw_list_empty(&p->idle))
        conn_close(forget_idle(gw_list_entry(p->idle.next, struct idle_conn, link)));
    pool_unhold(p);
}

/* ---- new connections ---- */

static void finish_lease(struct pool_lease *lease, struct conn *c, int err)
{
    struct pool *p = lease->pool;
    gw_deadline_cancel(&lease->connect_deadline);
    /* Before the call: its owner may connect anew with this very lease, or free it. */
    lease->pool = NULL;
    lease->ready(lease, c, err);
    pool_unhold(p);
}

static void log_handshake(const struct pool *p, const char *why)
{
    gw_log_warn("TLS handshake with an origin failed origin=%.*s reason=\"%s\"",
                GW_STR_ARG(p->origin->url), why);
}

static void on_greeted(void *ctx, int err)
{
    struct pool_lease *lease = ctx;
    struct conn *c = lease->greeting;
    lease->greeting = NULL;
    conn_set_owner(c, NULL, NULL);
    if (err) {
        const char *why = conn_tls_facts(c).failure;
        log_handshake(lease->pool, why ? why : gw_strerror(err));
        conn_finish(c); /* our alert says why, if it gets there */
    }
    finish_lease(lease, err ? NULL : c, err);
}

/* Addresses are raced for connections alone: a certificate that is wrong is wrong at the next
 * address too. */
static void on_dialled(struct dial *dial, struct conn *c, int err)
{
    static const struct conn_events greeting_events = {.on_connect = on_greeted};
    struct pool_lease *lease = gw_container_of(dial, struct pool_lease, dial);
    struct tls_client *tls = lease->pool->tls;
    if (err || !tls) {
        finish_lease(lease, c, err);
        return;
    }
    lease->greeting = c;
    conn_set_owner(c, &greeting_events, lease);
    conn_tls_connect(c, tls);
}

/* Wherever the attempt stands: in line for the resolver (the pool's list or on_resolved's own),
 * dialling, or greeting. */
static void drop_attempt(struct pool_lease *lease)
{
    dial_cancel(&lease->dial);
    gw_list_remove(&lease->link);
    if (lease->greeting)
        conn_abandon(lease->greeting);
    lease->greeting = NULL;
}

/* One deadline for name, connection and handshake together: what the visitor waits for is their
 * sum. Late in the handshake is another error (525 and not 522). */
static void on_connect_deadline(struct gw_deadline *d)
{
    struct pool_lease *lease = gw_container_of(d, struct pool_lease, connect_deadline);
    bool stands = lease->greeting != NULL;
    if (stands)
        log_handshake(lease->pool, "timeout");
    drop_attempt(lease);
    finish_lease(lease, NULL, stands ? GW_ETLS : GW_ETIMEOUT_CONNECT);
}

static void on_resolved(void *ctx, const struct resolver_answer *answer)
{
    struct pool *p = ctx;
    p->query = NULL;
    p->answer = *answer;
    /* A failure is not kept: the next request asks again. */
    p->answer_until_ms = answer->err ? 0 : gw_loop_real_ms(p->loop) + POOL_RESOLVE_MS;
    /* Taken out first: whoever hears of an error may be in line again before the next one hears of
     * it. */
    struct gw_list waiting;
    gw_list_take(&waiting, &p->waiting);
    for (struct gw_list *link; (link = gw_list_pop(&waiting));) {
        struct pool_lease *lease = gw_list_entry(link, struct pool_lease, link);
        if (answer->err || !answer->count)
            finish_lease(lease, NULL, answer->err ? answer->err : GW_ERESOLVE);
        else
            dial_start(&lease->dial, p->loop, &p->answer);
    }
}

void pool_connect(struct pool *p, struct pool_lease *lease)
{
    lease->pool = pool_hold(p);
    lease->dial = (struct dial){.done = on_dialled};
    lease->greeting = NULL;
    gw_list_init(&lease->link);
    gw_deadline_init(&lease->connect_deadline, on_connect_deadline);
    gw_deadline_set(p->loop, &lease->connect_deadline, p->origin->connect_timeout_ms);
    if (p->answer_until_ms > gw_loop_real_ms(p->loop)) {
        dial_start(&lease->dial, p->loop, &p->answer);
        return;
    }
    gw_list_push(&p->waiting, &lease->link);
    if (!p->query) /* a thousand requests at a start ask once */
        p->query = resolver_start(p->loop, p->origin->host.ptr,
                                  p->tls ? p->origin->tls_port : p->origin->port, on_resolved, p);
}

/* By the end of the request's attempt, whatever that was; twice is fine, and so is after `ready`:
 * the lease then has no pool. */
void pool_connect_cancel(struct pool_lease *lease)
{
    struct pool *p = lease->pool;
    if (!p)
        return;
    lease->pool = NULL;
    gw_deadline_cancel(&lease->connect_deadline);
    drop_attempt(lease);
    pool_unhold(p);
}
