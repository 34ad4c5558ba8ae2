/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session.h"

#include <stdatomic.h>

#include "gateway/net/conn_tls.h"
#include "gateway/server.h"
#include "gateway/session_h1.h"
#include "gateway/session_h2.h"
#include "gateway/session_tls.h"

#define PREFACE GW_STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

/* ---- what the versions share ---- */

/* Cloudflare has BoringSSL's names for the suites of TLS 1.3, which OpenSSL calls as RFC 8446 does.
 */
static struct gw_str cipher_name(struct gw_str name)
{
    static const struct gw_str names[][2] = {
        {GW_STR("TLS_AES_128_GCM_SHA256"), GW_STR("AEAD-AES128-GCM-SHA256")},
        {GW_STR("TLS_AES_256_GCM_SHA384"), GW_STR("AEAD-AES256-GCM-SHA384")},
        {GW_STR("TLS_CHACHA20_POLY1305_SHA256"), GW_STR("AEAD-CHACHA20-POLY1305-SHA256")},
    };
    for (size_t i = 0; i < GW_COUNT(names); i++)
        if (gw_str_eq(names[i][0], name))
            return names[i][1];
    return name;
}

static struct rules_tls read_tls(const struct conn *c)
{
    struct conn_tls_facts facts = conn_tls_facts(c);
    return (struct rules_tls){gw_str_z(facts.version), cipher_name(gw_str_z(facts.cipher))};
}

void session_begin(struct session *s, const struct session_ops *ops,
                   const struct session_door *door, struct conn *c)
{
    struct worker *worker = door->worker;
    s->ops = ops;
    s->worker = worker;
    s->door = door;
    s->conn = c;
    s->tls = read_tls(c);
    /* As many apart as there are workers: no two connections of the process have the same one. */
    s->serial = worker->session_serial++ * worker->server->worker_count + worker->index;
    gw_list_push(&worker->sessions, &s->link);
    worker->session_count++;
    atomic_fetch_add(&worker->server->connections, 1);
    worker->admin_count += door->admin;
}

void session_end(struct session *s)
{
    gw_list_remove(&s->link);
    s->worker->session_count--;
    atomic_fetch_sub(&s->worker->server->connections, 1);
    s->worker->admin_count -= s->door->admin;
    worker_session_closed(s->worker);
}

struct exchange *session_exchange(struct session *s, const struct exchange_io *io, void *ctx)
{
    conn_spend(s->conn, GW_REQUEST_COST);
    struct exchange *x = exchange_new(s->worker, io, ctx);
    x->admin = s->door->admin;
    x->client.peer = *conn_peer(s->conn);
    x->client.https = s->door->https;
    x->client.port = s->door->port;
    x->client.tls = s->tls;
    size_t edge = snapshot_edge_of(x->ws->snapshot, gw_str_z(s->door->edge));
    x->edge = edge == GW_NPOS ? 0 : edge;
    x->isolate = s->serial;
    return x;
}

void session_drain(struct gw_list *link)
{
    struct session *s = gw_list_entry(link, struct session, link);
    s->ops->drain(s);
}

void session_kill(struct gw_list *link)
{
    conn_close(gw_list_entry(link, struct session, link)->conn);
}

/* ---- before the version is known ---- */

struct undecided {
    struct session session;
    struct gw_deadline deadline;
    size_t seen; /* bytes of the preface so far */
};

static void on_deadline(struct gw_deadline *d)
{
    conn_close(gw_container_of(d, struct undecided, deadline)->session.conn);
}

/* The bytes went to a successor, or the connection is gone: never both, since the successor has the
 * connection's events too. */
static void leave(struct undecided *u)
{
    gw_deadline_cancel(&u->deadline);
    session_end(&u->session);
    free(u);
}

/* The successor enters the books before this one leaves them: a draining worker must not take the
 * moment in between for its end. */
static void decide(struct undecided *u, bool h2, struct gw_str data)
{
    struct conn *c = u->session.conn;
    const struct session_door *door = u->session.door;
    struct gw_str seen = gw_str_first(PREFACE, u->seen);
    if (h2)
        session_h2_accept(door, c, seen, data);
    else
        session_h1_accept(door, c, seen, data);
    leave(u);
}

static void on_read(void *ctx, struct gw_str data)
{
    struct undecided *u = ctx;
    struct gw_str rest = gw_str_from(PREFACE, u->seen);
    size_t n = gw_min_size(rest.len, data.len);
    if (memcmp(rest.ptr, data.ptr, n) != 0) {
        decide(u, false, data);
    } else if (n == rest.len) {
        decide(u, true, data);
    } else {
        if (!u->seen)
            gw_deadline_set(u->session.worker->loop, &u->deadline,
                            session_timeouts(&u->session)->header_ms);
        u->seen += n;
    }
}

static void on_eof(void *ctx)
{
    struct undecided *u = ctx;
    conn_close(u->session.conn);
}

static void on_error(void *ctx, int err)
{
    (void)err;
    on_eof(ctx);
}

static void on_close(void *ctx)
{
    leave(ctx);
}

static const struct conn_events events = {
    .on_read = on_read,
    .on_eof = on_eof,
    .on_error = on_error,
    .on_close = on_close,
};

/* One whose preface is on its way has the time of any idle session. */
static void drain(struct session *s)
{
    struct undecided *u = gw_container_of(s, struct undecided, session);
    gw_deadline_set(s->worker->loop, &u->deadline, SESSION_DRAIN_GRACE_MS);
}

void session_accept(struct worker *worker, const struct session_door *door, struct conn *c)
{
    static const struct session_ops ops = {.drain = drain};
    if (door->tls) {
        session_tls_accept(door, c);
        return;
    }
    if (!door->h2c) {
        session_h1_accept(door, c, GW_STR_EMPTY, GW_STR_EMPTY);
        return;
    }
    struct undecided *u = gw_zalloc(sizeof(*u));
    gw_deadline_init(&u->deadline, on_deadline);
    session_begin(&u->session, &ops, door, c);
    conn_set_owner(c, &events, u);
    gw_deadline_set(worker->loop, &u->deadline, session_timeouts(&u->session)->idle_ms);
    conn_resume(c);
}
