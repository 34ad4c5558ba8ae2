/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's life, its writes and the layer of plain bytes. Reading is conn_read.c, the attempt
 * to send conn_send.c. */
#include <errno.h>

#include "gateway/net/conn_send.h"

#define LINGER_MS 2000  /* for reading away what the peer still sends, once our last byte is out */
#define FLUSH_MS  30000 /* without any progress of the queued bytes before that */

/* One write that the kernel did not take at once: the rest of its bytes, copied behind the struct
 * or borrowed. */
struct queued_write {
    uv_write_t request;
    struct conn *conn;
    size_t bytes;
    struct conn_hold hold;
    char copy[];
};

/* Between two owners and after an abandon. All NULL: the layers ask for on_read or on_error before
 * they call, and a connection that is closing calls on_close only. */
static const struct conn_events no_events;

/* Two waits in one deadline: FLUSH_MS while our bytes are on their way, LINGER_MS after the last.
 */
static void on_linger(struct gw_deadline *d)
{
    conn_close(gw_container_of(d, struct conn, linger));
}

/* A connect that fails at once is told like one that fails later: from a later turn. */
static void tell_connect_failure(struct gw_task *task)
{
    struct conn *c = gw_container_of(task, struct conn, connect_failure);
    c->events->on_connect(c->ctx, c->connect_error);
}

static struct conn *conn_new(struct gw_loop *loop, int family)
{
    struct conn *c = gw_zalloc(sizeof(*c));
    c->loop = loop;
    c->events = &no_events;
    c->layer = &conn_plain;
    gw_deadline_init(&c->linger, on_linger);
    gw_task_init(&c->connect_failure, tell_connect_failure);
    conn_read_init(c);
    if (family == AF_UNIX)
        uv_pipe_init(gw_loop_uv(loop), &c->pipe, 0);
    else
        uv_tcp_init(gw_loop_uv(loop), &c->tcp);
    c->handle.data = c;
    return c;
}

static void take_peer(struct conn *c)
{
    int len = sizeof(c->peer.v6);
    if (c->handle.type == UV_TCP && uv_tcp_getpeername(&c->tcp, &c->peer.any, &len) == 0)
        c->peer.len = (socklen_t)len;
    else if (c->handle.type == UV_NAMED_PIPE)
        c->peer.any.sa_family = AF_UNIX;
}

struct conn *conn_accept(struct gw_loop *loop, uv_stream_t *server, int *err)
{
    struct conn *c = conn_new(loop, server->type == UV_NAMED_PIPE ? AF_UNIX : AF_INET);
    *err = uv_accept(server, &c->stream);
    if (*err) {
        conn_close(c);
        return NULL;
    }
    take_peer(c); /* TCP_NODELAY it has from the listener */
    return c;
}

/* A close while it connects also leads here, with ECANCELED, before on_closed: then the request is
 * all that is left to free. */
static void on_connected(uv_connect_t *request, int status)
{
    struct conn *c = request->data;
    free(request);
    if (c->closing)
        return;
    if (status == 0 && c->handle.type == UV_TCP)
        uv_tcp_nodelay(&c->tcp, 1);
    c->events->on_connect(c->ctx, status);
}

struct conn *conn_connect(struct gw_loop *loop, const struct net_address *to,
                          const struct conn_events *events, void *ctx)
{
    struct conn *c = conn_new(loop, to->any.sa_family);
    conn_set_owner(c, events, ctx);
    c->peer = *to;
    uv_connect_t *request = gw_alloc(sizeof(*request));
    request->data = c;
    if (net_address_is_unix(to)) {
        uv_pipe_connect(request, &c->pipe, to->un.sun_path, on_connected);
        return c;
    }
    int err = uv_tcp_connect(request, &c->tcp, &to->any, on_connected);
    if (err) {
        free(request);
        c->connect_error = err;
        gw_loop_defer(loop, &c->connect_failure);
    }
    return c;
}

void conn_set_owner(struct conn *c, const struct conn_events *events, void *ctx)
{
    c->events = events ? events : &no_events;
    c->ctx = ctx;
}

/* ---- reading ---- */

void conn_resume(struct conn *c)
{
    if (c->reading || c->closing)
        return;
    c->reading = true;
    c->layer->on_resumed(c);
}

void conn_pause(struct conn *c)
{
    c->reading = false;
    if (!conn_tls_is_greeting(c)) /* a handshake needs the peer's bytes whoever owns it */
        conn_poll(c, false);
}

/* ---- writing ---- */

/* Once for each queued write: taken, failed, or cancelled by a close, which libuv tells before
 * on_closed. So what was borrowed is given back in each case, and the connection is still there. */
static void on_written(uv_write_t *request, int status)
{
    struct queued_write *w = gw_container_of(request, struct queued_write, request);
    struct conn *c = w->conn;
    c->queued -= w->bytes;
    gw_loop_spend(c->loop, w->bytes);
    if (w->hold.release)
        w->hold.release(w->hold.object);
    free(w);
    if (c->closing)
        return;
    if (status < 0) {
        if (c->finishing)
            conn_close(c);
        else
            c->events->on_error(c->ctx, status);
        return;
    }
    if (c->finishing)
        gw_deadline_set(c->loop, &c->linger, FLUSH_MS);
    if (c->queued == 0)
        c->layer->on_sent(c);
}

/* Steps over the first `sent` bytes. Returns the index of the first part that still has some. */
static size_t skip_sent(uv_buf_t *bufs, size_t count, size_t sent)
{
    size_t first = 0;
    while (first < count && sent >= bufs[first].len)
        sent -= bufs[first++].len;
    if (first < count) {
        bufs[first].base += sent;
        bufs[first].len -= sent;
    }
    return first;
}

/* Hands the rest to libuv, which copies the list of parts but not their bytes: the first
 * `transient` parts are copied here, the others are borrowed. */
static int queue_rest(struct conn *c, uv_buf_t *bufs, size_t count, size_t transient,
                      const struct conn_hold *hold)
{
    size_t copied = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += bufs[i].len;
        copied += i < transient ? bufs[i].len : 0;
    }
    struct queued_write *w = gw_alloc(sizeof(*w) + copied);
    w->conn = c;
    w->bytes = bytes;
    w->hold = hold ? *hold : (struct conn_hold){0};
    char *at = w->copy;
    for (size_t i = 0; i < transient; at += bufs[i++].len)
        memcpy(at, bufs[i].base, bufs[i].len);
    if (transient) { /* they become one part in the place of the last of them */
        bufs += transient - 1;
        count -= transient - 1;
        bufs[0] = uv_buf_init(w->copy, (unsigned)copied);
    }
    c->queued += bytes;
    int err = uv_write(&w->request, &c->stream, bufs, (unsigned)count, on_written);
    if (err) { /* the caller releases what was to be borrowed */
        c->queued -= bytes;
        free(w);
    }
    return err;
}

int conn_raw_write(struct conn *c, const struct iovec *parts, size_t count,
                   const struct conn_hold *hold)
{
    uv_buf_t bufs[CONN_IOV_MAX];
    size_t total = 0;
    int err = c->closing ? -EPIPE : 0;
    for (size_t i = 0; i < count && !err; i++) {
        bufs[i] = uv_buf_init(parts[i].iov_base, (unsigned)parts[i].iov_len);
        total += parts[i].iov_len;
    }
    size_t first = 0;
    /* Behind queued bytes there is no direct way: it would overtake them. */
    if (!err && c->queued == 0 && total) {
        ssize_t sent = conn_send(c, bufs, count, total, hold);
        if (sent > 0) {
            first = skip_sent(bufs, count, (size_t)sent);
            gw_loop_spend(c->loop, (size_t)sent);
        } else if (sent < 0 && sent != UV_EAGAIN) {
            err = (int)sent;
        }
    }
    if (!err && first < count && total) {
        size_t from = hold ? hold->from : count;
        err = queue_rest(c, bufs + first, count - first, from > first ? from - first : 0, hold);
        if (!err)
            return 0; /* on_written releases */
    }
    if (hold)
        hold->release(hold->object);
    return err;
}

int conn_write(struct conn *c, const struct iovec *parts, size_t count,
               const struct conn_hold *hold)
{
    if (!c->closing && !c->finishing && !c->shut)
        return c->layer->write(c, parts, count, hold);
    if (hold)
        hold->release(hold->object);
    return -EPIPE;
}

size_t conn_queued(const struct conn *c)
{
    return c->queued + c->waiting;
}

/* ---- ending ---- */

/* The layer first: what it still borrows is given back before the owner, who may free everything,
 * hears of the end. */
static void on_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;
    if (c->layer->release)
        c->layer->release(c);
    if (c->events->on_close)
        c->events->on_close(c->ctx);
    free(c);
}

/* Before any kind of close: the loop's lists must not know a connection whose memory goes. */
static void leave_loop(struct conn *c)
{
    c->closing = true;
    c->reading = false;
    gw_deadline_cancel(&c->linger);
    gw_task_cancel(&c->connect_failure);
    gw_task_cancel(&c->in_line);
}

void conn_close(struct conn *c)
{
    if (c->closing)
        return;
    leave_loop(c);
    uv_close(&c->handle, on_closed);
}

void conn_reset(struct conn *c)
{
    if (c->closing)
        return;
    if (c->handle.type != UV_TCP || c->shut) { /* libuv resets nothing that is being shut */
        conn_close(c);
        return;
    }
    leave_loop(c);
    if (uv_tcp_close_reset(&c->tcp, on_closed) != 0)
        uv_close(&c->handle, on_closed);
}

int conn_descriptor(const struct conn *c)
{
    uv_os_fd_t fd;
    return uv_fileno(&c->handle, &fd) == 0 ? fd : -1;
}

bool conn_has_ended(const struct conn *c)
{
    char byte;
    ssize_t n = recv(conn_descriptor(c), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

void conn_abandon(struct conn *c)
{
    conn_set_owner(c, NULL, NULL);
    conn_close(c);
}

/* Comes when the queue has left and the FIN with it, or with ECANCELED out of a close. Only who
 * finishes has something to wait for now; a tunnel's other half goes on. */
static void on_shut(uv_shutdown_t *request, int status)
{
    struct conn *c = request->data;
    free(request);
    if (!c->finishing || c->closing)
        return;
    if (status < 0)
        conn_close(c);
    else
        gw_deadline_set(c->loop, &c->linger, LINGER_MS);
}

void conn_raw_shut(struct conn *c)
{
    /* libuv refuses where the connection never stood or this side is shut: there is no last word to
     * wait for. */
    uv_shutdown_t *request = gw_alloc(sizeof(*request));
    request->data = c;
    if (uv_shutdown(request, &c->stream, on_shut) != 0) {
        free(request);
        if (c->finishing)
            conn_close(c);
    }
}

void conn_shut_write(struct conn *c)
{
    if (c->shut || c->closing)
        return;
    c->shut = true;
    c->layer->shut(c);
}

void conn_finish(struct conn *c)
{
    if (c->closing || c->finishing)
        return;
    /* Nothing to say and nothing to hear: no unread byte is left that could turn the close into a
     * reset. */
    if (c->eof && !conn_queued(c)) {
        conn_close(c);
        return;
    }
    /* Before the shutdown, whose failure closes only who finishes. */
    c->finishing = true;
    gw_deadline_set(c->loop, &c->linger, FLUSH_MS);
    /* Its on_shut may be over, and would not set this. What is still queued sets FLUSH_MS again
     * with each progress. */
    if (c->shut)
        gw_deadline_set(c->loop, &c->linger, LINGER_MS);
    conn_shut_write(c);
    conn_poll(c, true); /* also when the owner had paused: what comes is thrown away */
}

void conn_end(struct conn *c)
{
    if (c->closing || c->finishing || conn_queued(c)) {
        conn_finish(c);
        return;
    }
    if (c->layer->last_word && !c->shut)
        c->layer->last_word(c);
    conn_close(c);
}

bool conn_is_closing(const struct conn *c)
{
    return c->closing || c->finishing;
}

const struct net_address *conn_peer(const struct conn *c)
{
    return &c->peer;
}

struct gw_loop *conn_loop(const struct conn *c)
{
    return c->loop;
}

/* ---- the plain layer: bytes are bytes ---- */

static void plain_bytes(struct conn *c, struct gw_str bytes)
{
    if (c->events->on_read)
        c->events->on_read(c->ctx, bytes);
    else
        conn_pause(c);
}

static void plain_end(struct conn *c, int err)
{
    c->reading = false;
    if (!c->events->on_read)
        return;
    if (err)
        c->events->on_error(c->ctx, err);
    else
        c->events->on_eof(c->ctx);
}

static void plain_sent(struct conn *c)
{
    if (!c->finishing)
        c->events->on_drain(c->ctx);
}

static void plain_resumed(struct conn *c)
{
    conn_poll(c, true);
}

const struct conn_layer conn_plain = {
    .on_bytes = plain_bytes,
    .on_end = plain_end,
    .on_sent = plain_sent,
    .on_resumed = plain_resumed,
    .write = conn_raw_write,
    .shut = conn_raw_shut,
};
