/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts of a request: at which server, on which connection, what comes after one that failed,
 * and faults, which are part of an attempt like a server's own. */
#include "gateway/upstream/client_inside.h"

/* ---- as the servers' common state counts them ---- */

uint64_t client_now_ms(const struct upstream_request *r)
{
    return gw_loop_now(balancer_loop(r->balancer)).mono_ms;
}

void client_report(struct upstream_request *r, int err, unsigned status)
{
    if (r->servers && r->pool && !r->reported)
        servers_report(r->servers, r->server, err, status, client_now_ms(r));
    r->reported = true;
}

static void begin_attempt(struct upstream_request *r, size_t server)
{
    r->server = server;
    r->pool = pool_hold(balancer_pool(r->balancer, server, r->call.speech));
    r->tried |= 1u << server;
    r->tries++;
    r->reported = false;
}

/* Every way out leads through here: failure, end, cancel. The servers' count of attempts under way
 * goes down once for each time it went up, which `pool` remembers. */
void client_end_attempt(struct upstream_request *r)
{
    pool_connect_cancel(&r->lease);
    gw_deadline_cancel(&r->timeout);
    gw_deadline_cancel(&r->fault);
    if (r->conn)
        conn_abandon(r->conn);
    r->conn = NULL;
    if (!r->pool)
        return;
    if (r->servers)
        servers_leave(r->servers, r->server);
    pool_unhold(r->pool);
    r->pool = NULL;
}

/* ---- connecting ---- */

static void attempt_failed(struct upstream_request *r, int err);

static void send_on(struct upstream_request *r, struct conn *c, struct gw_str body)
{
    r->conn = c;
    conn_set_owner(c, &client_events, r);
    client_send_head(r, body);
    client_set_timeout(r);
    if (!r->paused)
        conn_resume(c);
}

static void use_conn(struct upstream_request *r, struct conn *c)
{
    if (r->early.overflow) {
        conn_close(c);
        client_finish(r, GW_ELIMIT);
        return;
    }
    send_on(r, c, gw_buf_str(&r->early));
    gw_buf_release(&r->early);
    if (!r->sent_all || r->call.upgrade)
        r->events->on_sendable(r->ctx); /* last: the owner may cancel, and the memory goes */
}

static void on_lease_ready(struct pool_lease *lease, struct conn *c, int err)
{
    struct upstream_request *r = gw_container_of(lease, struct upstream_request, lease);
    if (err)
        attempt_failed(r, err);
    else
        use_conn(r, c);
}

static void connect_fresh(struct upstream_request *r)
{
    r->reused = false;
    r->lease.ready = on_lease_ready;
    pool_connect(r->pool, &r->lease);
}

/* With part of a body the request could not go out a second time: a kept connection whose end has
 * come in this very turn is found out now. */
static struct conn *take_idle(struct upstream_request *r, bool with_body)
{
    struct conn *idle = r->servers ? pool_take_idle(r->pool) : NULL;
    while (idle && with_body && conn_has_ended(idle)) {
        conn_abandon(idle);
        idle = pool_take_idle(r->pool);
    }
    return idle;
}

static void connect_any(struct upstream_request *r)
{
    struct conn *idle = take_idle(r, r->early.len > 0);
    if (!idle) {
        connect_fresh(r);
        return;
    }
    r->reused = true;
    use_conn(r, idle);
}

/* ---- once more ---- */

/* The two rules of client.h. A byte of an answer proves that the origin has acted; a byte of a body
 * is gone when it was sent, since nobody keeps bodies. */
static bool may_go_again(const struct upstream_request *r)
{
    return r->reused && !r->retried && !r->answered && !r->body_given &&
           (r->call.idempotent || !r->sent_all);
}

static bool may_go_elsewhere(const struct upstream_request *r)
{
    return r->servers && !r->answered && !r->body_given && (r->call.idempotent || !r->head_given) &&
           r->tries < servers_origin(r->servers)->retry.tries;
}

/* The connection failed before an answer began. */
static void attempt_failed(struct upstream_request *r, int err)
{
    client_report(r, err, 0); /* first: servers_next must not choose this one again */
    size_t next =
        may_go_elsewhere(r) ? servers_next(r->servers, r->tried, client_now_ms(r)) : SERVERS_NONE;
    if (next == SERVERS_NONE) {
        client_finish(r, err);
        return;
    }
    client_end_attempt(r);
    client_attempt(r, next);
}

/* Once more at the same server is the same attempt: the server stays entered, only the connection
 * goes. `retried` and the fresh connection both forbid a third time. */
void client_lost(struct upstream_request *r, int err)
{
    if (!may_go_again(r)) {
        attempt_failed(r, err);
        return;
    }
    gw_deadline_cancel(&r->timeout);
    conn_abandon(r->conn);
    r->conn = NULL;
    r->retried = true;
    connect_fresh(r);
}

/* ---- faults ---- */

static bool is_faulty(const struct upstream_request *r)
{
    const struct upstream_fault *fault = &r->call.fault;
    return fault->active && (!fault->one_server || fault->server == r->server);
}

bool client_is_truncated(const struct upstream_request *r)
{
    return r->call.fault.truncates && is_faulty(r);
}

/* After the delay, or behind the cut, which has the deadline after it: what happens is one thing
 * (config/checks_origin.c). A connection that fails on purpose may be tried elsewhere like any
 * other. */
static void act_faulty(struct upstream_request *r)
{
    const struct upstream_fault *fault = &r->call.fault;
    if (r->cut)
        client_finish(r, GW_ETRUNCATED);
    else if (fault->delay_ms >= client_read_timeout_ms(r))
        client_finish(r, GW_ETIMEOUT_READ);
    else if (fault->err)
        attempt_failed(r, fault->err);
    else if (fault->status)
        client_answer_with(r, fault->status);
    else
        connect_any(r);
}

static void on_fault(struct gw_deadline *d)
{
    act_faulty(gw_container_of(d, struct upstream_request, fault));
}

/* ---- beginning ---- */

static void begin(struct gw_task *task)
{
    struct upstream_request *r = gw_container_of(task, struct upstream_request, begin);
    if (!is_faulty(r))
        connect_any(r);
    else if (r->call.fault.delay_ms)
        gw_deadline_set(balancer_loop(r->balancer), &r->fault,
                        gw_min_u64(r->call.fault.delay_ms, client_read_timeout_ms(r)));
    else
        act_faulty(r);
}

/* An attempt begins in the turn after the one that asked for it. */
void client_attempt(struct upstream_request *r, size_t server)
{
    begin_attempt(r, server);
    gw_loop_defer(balancer_loop(r->balancer), &r->begin);
}

/* For a body that came in one read with its head, which is usual: from the read buffer it goes to
 * the origin without having been copied, and nobody has to be stopped meanwhile. */
bool client_begin_with(struct upstream_request *r, struct gw_str body)
{
    if (!gw_task_is_waiting(&r->begin) || is_faulty(r))
        return false;
    struct conn *idle = take_idle(r, true);
    if (!idle)
        return false;
    gw_task_cancel(&r->begin);
    r->reused = true;
    send_on(r, idle, body);
    return true;
}

void client_attempts_init(struct upstream_request *r)
{
    gw_task_init(&r->begin, begin);
    gw_deadline_init(&r->fault, on_fault);
}
