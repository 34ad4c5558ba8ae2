/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the socket. libuv reads on while buffers come back full, up to 32 of them: 2 MiB of one
 * connection before anybody else has a turn. So a connection has an allowance a turn, and who uses
 * it up waits in the loop's line. */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "gateway/net/conn_inside.h"

/* Refusing a read costs no system call, but the poll reports the socket again each turn, which is
 * dear for many that wait long; holding it back costs two calls. */
#define REFUSALS_MAX 2

/* What this share will move, beside the work that it may bring; what comes meanwhile is little. */
static size_t waiting_bytes(const struct conn *c)
{
    int waiting = 0;
    if (ioctl(conn_descriptor(c), FIONREAD, &waiting) != 0 || waiting < 0)
        return c->may_read;
    return gw_min_size((size_t)waiting, c->may_read);
}

static void on_share(struct gw_task *task)
{
    struct conn *c = gw_container_of(task, struct conn, in_line);
    c->turn = gw_loop_turn(c->loop);
    c->may_read = gw_loop_share(c->loop);
    c->granted = true;
    c->refusals = 0;
    /* Now, or the line would not know when to stop: who asked for much asks for as much again. */
    gw_loop_spend(c->loop, waiting_bytes(c) + c->work);
    c->has_read = c->work = 0;
    if (c->held)
        conn_poll(c, true);
}

void conn_read_init(struct conn *c)
{
    gw_task_init(&c->in_line, on_share);
}

/* Of the last turn in which it was served, as it is not reset while it waits. */
static bool flows(const struct conn *c)
{
    return c->has_read > GW_SHARE_CROWD || c->work > 2 * GW_SHARE_NEW;
}

/* A new turn is a new allowance, but for who waits in line. */
static void look_at_turn(struct conn *c)
{
    if (c->turn == gw_loop_turn(c->loop))
        return;
    c->turn = gw_loop_turn(c->loop);
    c->granted = false;
    c->may_read = 0;
    if (!gw_task_is_waiting(&c->in_line))
        c->may_read = flows(c) ? gw_loop_share_flow(c->loop) : gw_loop_share_new(c->loop);
    if (c->may_read)
        c->has_read = c->work = 0;
}

void conn_spend(struct conn *c, size_t bytes)
{
    c->work += bytes;
    gw_loop_spend(c->loop, c->granted ? 0 : bytes);
}

/* An empty buffer is a refusal, which libuv tells on_uv_read as UV_ENOBUFS. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct conn *c = handle->data;
    look_at_turn(c);
    *buf = uv_buf_init(gw_loop_read_buffer(c->loop),
                       (unsigned)gw_min_size(c->may_read, GW_READ_BUFFER));
}

static void wait_in_line(struct conn *c)
{
    gw_loop_queue(c->loop, &c->in_line);
    if (c->refusals++ < REFUSALS_MAX)
        return;
    conn_poll(c, false);
    c->held = true;
}

/* libuv calls it an end when a reset lies behind bytes that it has just read: it saves the read
 * that would fail. The socket still knows. Whoever took it for a FIN would take half a body for a
 * whole one where the end of the connection is the end of the body (RFC 9112 section 8). */
static int why_ended(const struct conn *c, ssize_t n)
{
    int err = 0;
    socklen_t len = sizeof(err);
    if (n != UV_EOF || getsockopt(conn_descriptor(c), SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        return (int)n;
    return err ? -err : UV_EOF;
}

static void on_uv_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = stream->data;
    if (c->closing || n == 0)
        return;
    if (n == UV_ENOBUFS) {
        wait_in_line(c);
        return;
    }
    if (n > 0) {
        c->may_read -= (size_t)n;
        c->has_read += (size_t)n;
        gw_loop_spend(c->loop, c->granted ? 0 : (size_t)n);
    }
    if (c->finishing) { /* what the peer still sends is read away */
        if (n < 0)
            conn_close(c);
        return;
    }
    if (n > 0) {
        c->layer->on_bytes(c, gw_str(buf->base, (size_t)n));
        return;
    }
    conn_poll(c, false);
    int err = why_ended(c, n);
    c->eof = err == UV_EOF;
    c->layer->on_end(c, c->eof ? 0 : err);
}

void conn_poll(struct conn *c, bool on)
{
    /* Whoever decides about the poll has overruled the line's hold. */
    c->held = false;
    if (c->polling == on || c->closing)
        return;
    c->polling = on;
    if (on)
        uv_read_start(&c->stream, on_alloc, on_uv_read);
    else
        uv_read_stop(&c->stream);
}
