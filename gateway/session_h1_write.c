/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h1_write.h"

#include <assert.h>

#include "gateway/http/h1_write.h"

/* A length of 20 digits, Connection: keep-alive and the empty line are 64 bytes. */
#define FRAMING_MAX ((size_t)96)
#define STATUS_MAX  ((size_t)256)

void session_h1_writer_begin(struct session_h1_writer *w, struct conn *c, uint8_t minor,
                             bool keep_alive)
{
    *w = (struct session_h1_writer){.conn = c, .minor = minor, .keep_alive = keep_alive};
}

/* A write that fails shows in the connection's own events: nobody up here has to look. */
static void write_out(struct session_h1_writer *w, const struct iovec *parts, size_t count,
                      const struct conn_hold *hold)
{
    if (conn_write(w->conn, parts, count, hold) != 0 && !conn_is_closing(w->conn))
        conn_close(w->conn);
}

static bool write_status(struct gw_buf *space, unsigned status, struct gw_str reason)
{
    gw_buf_clear(space);
    return h1_write_status(space, status, reason) && !space->overflow;
}

/* The usual status line costs no formatting. A phrase that does not fit, or has bytes that a line
 * must not have, is replaced by the usual one: clients ignore it anyhow (RFC 9112 section 4). */
static struct gw_str status_line(const struct response *r, struct gw_buf *space)
{
    if (r->status == 200 && (!r->reason.len || gw_str_eq(r->reason, GW_STR("OK"))))
        return GW_STR("HTTP/1.1 200 OK\r\n");
    if (!write_status(space, r->status, r->reason) && !write_status(space, r->status, GW_STR_EMPTY))
        return GW_STR("HTTP/1.1 502 Bad Gateway\r\n");
    return gw_buf_str(space);
}

/* Framing, Connection and the end of the head (RFC 9112 sections 6 and 9). */
static void add_framing(struct session_h1_writer *w, const struct response *r, struct gw_buf *b)
{
    w->tunnel = r->tunnel;
    if (r->content_length >= 0) {
        h1_write_u64(b, HEADER_CONTENT_LENGTH, (uint64_t)r->content_length);
    } else if (r->content_length == RESPONSE_LENGTH_UNKNOWN && !r->bodyless) {
        /* HTTP/1.0 knows no chunks (RFC 9112 section 6.1): there the end of the connection is the
         * end of the body. */
        w->chunked = w->minor > 0;
        w->until_close = !w->chunked;
        if (w->chunked)
            gw_buf_add(b, GW_STR("Transfer-Encoding: chunked\r\n"));
        else
            w->keep_alive = false;
    }
    if (w->tunnel) {
        gw_buf_add(b, GW_STR("Connection: upgrade\r\n"));
        w->keep_alive = false; /* nothing can follow a tunnel */
    } else if (!w->keep_alive) {
        gw_buf_add(b, GW_STR("Connection: close\r\n"));
        /* HTTP/1.0 closes unless told otherwise (RFC 9112 section 9.3). */
    } else if (w->minor == 0) {
        gw_buf_add(b, GW_STR("Connection: keep-alive\r\n"));
    }
    h1_write_end(b);
}

static void push(struct iovec *parts, size_t *count, struct gw_str s)
{
    if (s.len)
        parts[(*count)++] = (struct iovec){(void *)s.ptr, s.len};
}

void session_h1_respond(struct session_h1_writer *w, const struct response *r)
{
    char framing_space[FRAMING_MAX], status_space[STATUS_MAX];
    struct gw_buf framing = gw_buf_over(framing_space, FRAMING_MAX);
    struct gw_buf status = gw_buf_over(status_space, STATUS_MAX);
    struct iovec parts[CONN_IOV_MAX];
    size_t count = 0;
    push(parts, &count, r->head.len ? r->head : status_line(r, &status));
    for (size_t i = 0; i < GW_COUNT(r->lines); i++)
        push(parts, &count, r->lines[i]);
    add_framing(w, r, &framing);
    push(parts, &count, gw_buf_str(&framing));
    /* The first chunk goes with the head: an answer that is short and of unknown length is still
     * one write. */
    char size_line[H1_CHUNK_LINE_MAX];
    bool chunk = w->chunked && r->body_parts;
    if (chunk)
        push(parts, &count,
             gw_str(size_line, h1_chunk_line(size_line, conn_bytes(r->body, r->body_parts))));
    struct conn_hold hold = r->hold;
    hold.from = count; /* what stands before is ours and transient */
    for (size_t i = 0; i < r->body_parts; i++)
        parts[count++] = r->body[i];
    if (chunk)
        push(parts, &count, GW_STR("\r\n"));
    write_out(w, parts, count, hold.release ? &hold : NULL);
}

void session_h1_informational(struct session_h1_writer *w, unsigned status, struct gw_str lines)
{
    char space[STATUS_MAX];
    struct gw_buf first = gw_buf_over(space, STATUS_MAX);
    if (!write_status(&first, status, GW_STR_EMPTY))
        return;
    struct iovec parts[3];
    size_t count = 0;
    push(parts, &count, gw_buf_str(&first));
    push(parts, &count, lines);
    push(parts, &count, GW_STR("\r\n"));
    write_out(w, parts, count, NULL);
}

void session_h1_send(struct session_h1_writer *w, const struct iovec *parts, size_t count,
                     const struct conn_hold *hold)
{
    if (!w->chunked) {
        write_out(w, parts, count, hold);
        return;
    }
    struct iovec framed[CONN_IOV_MAX];
    char size_line[H1_CHUNK_LINE_MAX];
    assert(count + 2 <= CONN_IOV_MAX);
    memcpy(framed + 1, parts, count * sizeof(*parts));
    framed[0] = (struct iovec){size_line, h1_chunk_line(size_line, conn_bytes(parts, count))};
    framed[count + 1] = (struct iovec){"\r\n", 2}; /* static: may be borrowed */
    struct conn_hold shifted;
    if (hold) {
        shifted = *hold;
        shifted.from = 1;
    }
    write_out(w, framed, count + 2, hold ? &shifted : NULL);
}

void session_h1_end(struct session_h1_writer *w)
{
    if (!w->chunked)
        return;
    struct iovec last = {"0\r\n\r\n", 5};
    write_out(w, &last, 1, NULL);
}

void session_h1_cut(struct session_h1_writer *w)
{
    w->keep_alive = false;
    if (w->until_close)
        conn_reset(w->conn); /* an orderly close would look like the end of the body */
    else
        conn_finish(w->conn);
}
