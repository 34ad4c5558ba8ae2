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
    struct gw_ip peer = net_address_to_ip(&x->client.peer);
    call->peer_is_local = net_address_is_unix(&x->client.peer) || gw_ip_is_loopback(&peer);
}

void step_admin_body(struct exchange *x, struct gw_str data)
{
    gw_buf_add(&x->admin_call->body, data);
    if (x->admin_call->body.overflow)
        exchange_resume(x);
}

static void answer(struct exchange *x)
{
    struct admin_call *call = x->admin_call;
    struct gw_str type = gw_str_z(call->content_type);
    char line[128];
    struct gw_buf type_line = gw_buf_over(line, sizeof(line));
    gw_buf_add(&type_line, GW_STR("Content-Type: "));
    gw_buf_add(&type_line, type);
    gw_buf_add(&type_line, GW_STR("\r\nCache-Control: no-store\r\n"));
    const struct iovec body = {call->out.data, call->out.len};
    bool bodyless = exchange_is_head(x) || call->status == 204;
    const struct response response = {
        .status = call->status,
        .lines = {gw_buf_str(&type_line), gw_buf_str(&call->lines)},
        .content_length = call->status == 204 ? RESPONSE_NO_LENGTH : (int64_t)call->out.len,
        .bodyless = bodyless,
        .body = &body,
        .body_parts = bodyless || !body.iov_len ? 0 : 1,
    };
    exchange_respond(x, &response);
    x->io->end(x->session);
    x->step = STEP_LOG;
}

enum step_result step_admin(struct exchange *x)
{
    if (!x->admin_call) {
        begin(x);
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
        call->dispatched = true;
        if (admin_dispatch(call) == ADMIN_WAIT)
            call->waiting = true;
    }
    if (call->waiting)
        return STEP_WAIT;
    answer(x);
    return STEP_MORE;
}
