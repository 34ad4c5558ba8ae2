/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_route.h"
#include "gateway/exchange.h"
#include "gateway/server.h"

/* A request of the admin listener: who may ask is settled before a body is read, then the body is
 * collected, then the handler of the path answers, now or later. */

static void begin(struct exchange *x)
{
    struct admin_call *call = gw_arena_zalloc(&x->arena, sizeof(*call));
    x->admin_call = call;
    admin_call_init(call);
    call->server = x->worker->server;
    call->worker = x->worker;
    call->exchange = x;
    call->request = &x->request;
    call->path = x->request.url.path;
    call->query = x->request.url.query;
    /* The socket's own peer, never X-Forwarded-For: without a token this is what lets somebody in.
     */
    struct gw_ip peer = net_address_to_ip(&x->client.peer);
    call->peer_is_local = net_address_is_unix(&x->client.peer) || gw_ip_is_loopback(&peer);
}

void step_admin_body(struct exchange *x, struct gw_str data)
{
    gw_buf_add(&x->admin_call->body, data);
    if (x->admin_call->body.overflow)
        exchange_resume(x);
}

/* What every answer says about itself; `line` has room for it. */
static struct gw_str type_lines(const struct admin_call *call, char *line, size_t size)
{
    struct gw_buf out = gw_buf_over(line, size);
    gw_buf_add(&out, GW_STR("Content-Type: "));
    gw_buf_add(&out, gw_str_z(call->content_type));
    /* The state of a moment, and some of it private: no browser is to show it again. */
    gw_buf_add(&out, GW_STR("\r\nCache-Control: no-store\r\n"));
    return gw_buf_str(&out);
}

/* A piece of an answer would be taken for the whole. */
static void refuse_overflow(struct admin_call *call)
{
    static const struct admin_refusal refusal = {
        500, 0, "too_large",
        "The answer is larger than 64 MiB: ask for less, for example with limit="};
    call->content_type = "application/json";
    gw_buf_clear(&call->lines);
    admin_refuse(call, &refusal);
}

static void answer(struct exchange *x)
{
    struct admin_call *call = x->admin_call;
    char line[128];
    if (call->out.overflow)
        refuse_overflow(call);
    const struct iovec body = {call->out.data, call->out.len};
    bool bodyless = exchange_is_head(x) || call->status == 204;
    const struct response response = {
        .status = call->status,
        .lines = {type_lines(call, line, sizeof(line)), gw_buf_str(&call->lines)},
        .content_length = call->status == 204 ? RESPONSE_NO_LENGTH : (int64_t)call->out.len,
        .bodyless = bodyless,
        .body = &body,
        .body_parts = bodyless || !body.iov_len ? 0 : 1,
    };
    exchange_respond(x, &response);
    x->io->end(x->session);
    x->step = STEP_LOG;
}

/* ---- an answer without end ---- */

static void begin_stream(struct exchange *x)
{
    char line[128];
    const struct response response = {
        .status = x->admin_call->status,
        .lines = {type_lines(x->admin_call, line, sizeof(line)), gw_buf_str(&x->admin_call->lines)},
        .content_length = RESPONSE_LENGTH_UNKNOWN,
        .bodyless = exchange_is_head(x),
    };
    exchange_respond(x, &response);
}

/* A client that does not read gets nothing more until it does: its stream then says what it missed.
 */
static enum step_result go_on(struct exchange *x)
{
    struct admin_call *call = x->admin_call;
    if (!x->responded)
        begin_stream(x);
    bool more = !exchange_is_head(x);
    if (more && x->io->congested(x->session))
        return STEP_WAIT;
    if (more) {
        gw_buf_clear(&call->out);
        more = call->stream->pump(call->stream, &call->out);
    }
    const struct iovec piece = {call->out.data, call->out.len};
    if (call->out.len)
        exchange_send(x, &piece, 1, NULL);
    if (more)
        return STEP_WAIT;
    x->io->end(x->session);
    x->step = STEP_LOG;
    return STEP_MORE;
}

enum step_result step_admin(struct exchange *x)
{
    if (!x->admin_call) {
        begin(x);
        /* First of all: a stranger's body is never collected, nor is a path confirmed to him. */
        if (!admin_authorize(x->admin_call)) {
            answer(x);
            return STEP_MORE;
        }
        if (!x->body_ended)
            x->io->want_body(x->session, true);
    }
    struct admin_call *call = x->admin_call;
    if (call->body.overflow) {
        static const struct admin_refusal refusal = {413, 0, "too_large",
                                                     "The request body is larger than 16 MiB"};
        admin_refuse(call, &refusal);
        answer(x);
        return STEP_MORE;
    }
    if (!x->body_ended)
        return STEP_WAIT;
    if (!call->dispatched) {
        /* Noted before the call, which may resume this exchange before it returns. */
        call->dispatched = true;
        if (admin_dispatch(call) == ADMIN_WAIT)
            call->waiting = true;
    }
    if (call->waiting)
        return STEP_WAIT;
    if (call->stream)
        return go_on(x);
    answer(x);
    return STEP_MORE;
}
