/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection brings: the answer's head, body and end, and its own. */
#include <errno.h>
#include <stdio.h>

#include "gateway/upstream/client_inside.h"

/* ---- the answer ---- */

/* The answer is complete: the connection goes back when both sides are at the end of a message and
 * nothing more was sent (bytes behind a complete answer would be taken for the next one). */
static void on_message_end(struct upstream_request *r, struct gw_str rest)
{
    if (r->conn && r->message.keep_alive && r->sent_all && rest.len == 0 && !r->tunnel &&
        conn_queued(r->conn) == 0) {
        struct conn *c = r->conn;
        r->conn = NULL; /* before the end, which closes what is left */
        pool_put_idle(r->pool, c);
    }
    client_tell_end(r, 0);
}

static void on_message_head(struct upstream_request *r)
{
    if (r->message.status < 200 && r->message.status != 101) {
        r->events->on_informational(r->ctx, &r->message);
        return;
    }
    r->head_done = true;
    r->head_us = gw_loop_real_us(balancer_loop(r->balancer)) - r->started_us;
    r->tunnel = r->message.status == 101;
    if (!client_is_truncated(r))
        client_report(r, 0, r->message.status);
    r->events->on_head(r->ctx, &r->message);
}

/* 101 without having been asked for it is no answer to our request (RFC 9110 section 15.2.2). */
static bool is_unasked_upgrade(const struct upstream_request *r)
{
    return r->message.status == 101 && !r->call.upgrade;
}

/* A piece of the body; false when nothing more may be told. A fault's cut comes in a later turn, as
 * it would from the network: what stands before it has been acted on by then. */
static bool on_message_body(struct upstream_request *r, struct gw_str body)
{
    uint32_t *left = &r->call.fault.truncate_bytes;
    bool truncated = client_is_truncated(r);
    r->cut = truncated && body.len > *left;
    if (r->cut)
        body = gw_str_first(body, *left);
    if (truncated)
        *left -= (uint32_t)body.len;
    if (body.len)
        r->events->on_body(r->ctx, body);
    if (r->gone || !r->cut)
        return !r->gone;
    conn_pause(r->conn);
    gw_deadline_set(balancer_loop(r->balancer), &r->fault, 1);
    return false;
}

/* Handles one event of the parser; false when reading of this input is over. */
static bool handle_event(struct upstream_request *r, enum h1_event event, struct gw_str input,
                         struct gw_str body)
{
    switch (event) {
    case H1_MORE:
        return false;
    case H1_HEAD:
        if (is_unasked_upgrade(r))
            client_tell_end(r, GW_EPARSE);
        else
            on_message_head(r);
        return !r->gone && !r->tunnel;
    case H1_BODY:
        return on_message_body(r, body);
    case H1_END:
        on_message_end(r, input);
        return false;
    case H1_ERROR:
        client_tell_end(r, r->head_done ? GW_ETRUNCATED : r->message.error);
        return false;
    }
    return false;
}

/* ---- the connection ---- */

/* A tunnel may be idle for hours: heads and parser, a third of what it holds, have done their work
 * when the 101 has been passed on. */
static void slim_down(struct upstream_request *r)
{
    h1_parser_free(r->parser);
    r->parser = NULL;
    gw_arena_clear(&r->arena);
    gw_arena_init(&r->arena, NULL, 0, 0);
    free(r->space);
    r->space = NULL;
}

/* Each event may make the owner cancel or end the request: `told` keeps the memory until here is
 * done with it. */
static void on_read(void *ctx, struct gw_str data)
{
    struct upstream_request *r = ctx;
    if (r->cut) /* the fault's end is on its way; what came in between never came */
        return;
    r->answered = true;
    r->told = true;
    struct gw_str body = GW_STR_EMPTY;
    if (!r->tunnel)
        while (handle_event(r, h1_parser_next(r->parser, &data, &body), data, body))
            ;
    if (r->tunnel && !r->gone && data.len)
        r->events->on_body(r->ctx, data);
    if (!r->gone)
        r->events->on_batch(r->ctx);
    r->told = false;
    if (r->gone) {
        client_free(r);
        return;
    }
    if (r->tunnel && r->parser)
        slim_down(r);
    client_set_timeout(r);
}

static void on_eof(void *ctx)
{
    struct upstream_request *r = ctx;
    if (r->tunnel) { /* half-closed tunnels are rare enough to end the whole */
        client_finish(r, 0);
        return;
    }
    if (!r->head_done) {
        client_lost(r, GW_ECLOSED);
        return;
    }
    client_finish(r, h1_parser_eof(r->parser) == H1_END ? 0 : GW_ETRUNCATED);
}

static void on_conn_error(void *ctx, int err)
{
    struct upstream_request *r = ctx;
    if (r->tunnel)
        client_finish(r, 0);
    else if (r->head_done)
        client_finish(r, GW_ETRUNCATED);
    else /* who closes with bytes of ours unread resets: it is the same as a FIN */
        client_lost(r, err == -ECONNRESET || err == -EPIPE ? GW_ECLOSED : err);
}

static void on_drain(void *ctx)
{
    struct upstream_request *r = ctx;
    client_set_timeout(r);
    if (!r->sent_all || r->tunnel)
        r->events->on_sendable(r->ctx); /* last: the owner may cancel, and the memory goes */
}

const struct conn_events client_events = {
    .on_read = on_read, .on_eof = on_eof, .on_drain = on_drain, .on_error = on_conn_error};

/* An answer without a connection goes the way of one with. It ends the request, and with it the
 * memory, before this returns: its length is that of its text. */
void client_answer_with(struct upstream_request *r, unsigned status)
{
    static const char body[] = "injected fault\n";
    char text[160];
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 %u Injected Fault\r\nContent-Type: text/plain\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     status, sizeof(body) - 1, r->call.method == METHOD_HEAD ? "" : body);
    r->sent_all = true;
    on_read(r, gw_str(text, (size_t)n));
}
