/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_tls.h"

#include "gateway/net/conn_tls.h"
#include "gateway/net/tls.h"
#include "gateway/server.h"
#include "gateway/session_h1.h"
#include "gateway/session_h2.h"

const char session_tls_protocols[] = "h2,http/1.1";

/* The first row is for clients that name no protocol. */
static const struct {
    struct gw_str name;
    void (*accept)(const struct session_door *door, struct conn *c, struct gw_str seen,
                   struct gw_str data);
} versions[] = {
    {GW_STR("http/1.1"), session_h1_accept},
    {GW_STR("h2"), session_h2_accept},
};

struct session_tls {
    struct session session;
    struct gw_deadline deadline;
};

/* `version` is settled only by a handshake that went well. Interning takes a mutex, which is
 * nothing next to a handshake. */
static void count(const struct session_tls *s, const char *version, const char *result)
{
    struct metrics *m = s->session.worker->server->metrics;
    metrics_inc(s->session.worker->metrics, METRIC_TLS_HANDSHAKES,
                metrics_intern(m, gw_str_z(version)), metrics_intern(m, gw_str_z(result)));
}

static void log_failure(const struct session_tls *s, const char *why)
{
    char peer[NET_ADDRESS_TEXT_MAX];
    net_address_format(conn_peer(s->session.conn), peer);
    gw_log_warn("TLS handshake failed peer=%s reason=\"%s\"", peer, why);
}

/* After a handshake that went well the connection has a new owner; in every other case it is
 * on_close that comes here. */
static void leave(struct session_tls *s)
{
    gw_deadline_cancel(&s->deadline);
    session_end(&s->session);
    free(s);
}

/* The successor enters the worker's books before this one leaves them: a draining worker must not
 * take the moment in between for its end. */
static void hand_on(struct session_tls *s)
{
    struct conn *c = s->session.conn;
    struct gw_str chosen = conn_alpn(c);
    size_t version = 0;
    for (size_t i = 0; i < GW_COUNT(versions); i++)
        if (gw_str_eq(versions[i].name, chosen))
            version = i;
    struct conn_tls_facts facts = conn_tls_facts(c);
    count(s, facts.version, facts.resumed ? "resumed" : "full");
    versions[version].accept(s->session.door, c, GW_STR_EMPTY, GW_STR_EMPTY);
    leave(s);
}

/* What nginx and Cloudflare say. There is no request yet that could have a Ray id or a log line. */
static void answer_plain_http(struct session_tls *s)
{
    static const char page[] =
        "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS "
        "port</title></head>\r\n"
        "<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
        "<center>The plain HTTP request was sent to HTTPS port</center>\r\n</body>\r\n</html>\r\n";
    struct conn *c = s->session.conn;
    struct gw_str name = s->session.worker->current->snapshot->config->server_header;
    char space[1024];
    struct gw_buf out = gw_buf_over(space, sizeof(space));
    gw_buf_add(&out, GW_STR("HTTP/1.1 400 Bad Request\r\n"));
    if (name.len)
        gw_buf_printf(&out, "Server: %.*s\r\n", GW_STR_ARG(name));
    gw_buf_printf(&out,
                  "Content-Type: text/html\r\nContent-Length: %zu\r\nConnection: close\r\n"
                  "CF-RAY: -\r\n\r\n%s",
                  sizeof(page) - 1, page);
    struct iovec part = {out.data, out.len};
    conn_tls_drop(c);
    if (out.overflow || conn_write(c, &part, 1, NULL) != 0)
        conn_close(c);
    else
        conn_finish(c);
}

static void on_connect(void *ctx, int err)
{
    struct session_tls *s = ctx;
    if (!err) {
        hand_on(s);
        return;
    }
    if (err == GW_ECLOSED) { /* somebody looked whether the port is open: no news */
        conn_close(s->session.conn);
        return;
    }
    bool plain = err == GW_EPLAIN_HTTP;
    const char *why = conn_tls_facts(s->session.conn).failure;
    gw_deadline_cancel(&s->deadline);
    count(s, "none", plain ? "plain_http" : "failed");
    log_failure(s, plain || !why ? gw_strerror(err) : why);
    if (plain)
        answer_plain_http(s);
    else
        conn_finish(s->session.conn); /* the alert gets there */
}

static void on_error(void *ctx, int err)
{
    (void)err;
    conn_close(((struct session_tls *)ctx)->session.conn);
}

static void on_nothing(void *ctx)
{
    (void)ctx;
}

static void on_close(void *ctx)
{
    leave(ctx);
}

static void on_deadline(struct gw_deadline *d)
{
    struct session_tls *s = gw_container_of(d, struct session_tls, deadline);
    count(s, "none", "timeout");
    log_failure(s, "timeout");
    conn_close(s->session.conn);
}

/* Who is in the middle of a handshake wants to ask something: that he may. */
static void drain(struct session *s)
{
    (void)s;
}

static const struct conn_events events = {
    .on_connect = on_connect,
    .on_eof = on_nothing,
    .on_drain = on_nothing,
    .on_error = on_error,
    .on_close = on_close,
};

void session_tls_accept(const struct session_door *door, struct conn *c)
{
    static const struct session_ops ops = {.drain = drain};
    struct session_tls *s = gw_zalloc(sizeof(*s));
    gw_deadline_init(&s->deadline, on_deadline);
    session_begin(&s->session, &ops, door, c);
    conn_set_owner(c, &events, s);
    gw_deadline_set(door->worker->loop, &s->deadline, session_timeouts(&s->session)->handshake_ms);
    conn_tls_accept(c, door->tls);
}
