/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_client.h"

#include <errno.h>
#include <signal.h>

#include "gateway/admin.h"
#include "gateway/base/clock.h"
#include "gateway/base/err.h"
#include "gateway/http/h1_write.h"
#include "gateway/net/conn_tls.h"

/* ---- addresses ---- */

static struct gw_ip loopback_of(uint8_t family)
{
    if (family == GW_IP_V6)
        return (struct gw_ip){.family = GW_IP_V6, .bytes = {[15] = 1}};
    return (struct gw_ip){.family = GW_IP_V4, .bytes = {127, 0, 0, 1}};
}

/* 0.0.0.0 is where one listens, not where one connects to: loopback is among its addresses. */
bool admin_address_of(const struct config_address *listen, struct net_address *out)
{
    static const uint8_t unspecified[sizeof(listen->ip.bytes)];
    if (listen->ip.family == GW_IP_NONE)
        return net_address_unix(listen->unix_path, out) == 0;
    if (listen->port == 0)
        return false;
    struct gw_ip ip = listen->ip;
    if (memcmp(ip.bytes, unspecified, sizeof(unspecified)) == 0)
        ip = loopback_of(ip.family);
    *out = net_address_ip(&ip, listen->port);
    return true;
}

void admin_client_escape(struct gw_buf *out, struct gw_str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (gw_lower((char)c) >= 'a' && gw_lower((char)c) <= 'z') ||
                     gw_is_digit((char)c) || (c && strchr("-._~", c));
        if (plain) {
            gw_buf_char(out, (char)c);
            continue;
        }
        gw_buf_char(out, '%');
        gw_buf_char(out, hex[c >> 4]);
        gw_buf_char(out, hex[c & 15]);
    }
}

/* ---- the answer ---- */

struct admin_answer {
    struct admin_reply *reply;
    struct h1_limits limits;
    struct h1_parser *parser;
    struct h1_message message;
    struct gw_arena arena;
};

struct admin_answer *admin_answer_new(struct admin_reply *reply)
{
    struct admin_answer *a = gw_zalloc(sizeof(*a));
    a->reply = reply;
    a->limits = H1_LIMITS_DEFAULT;
    reply->status = 0;
    gw_buf_init(&reply->body, ADMIN_ANSWER_MAX);
    gw_arena_init(&a->arena, NULL, 0, 1 << 20);
    a->parser = h1_parser_new(H1_RESPONSE, &a->limits);
    h1_parser_begin_response(a->parser, &a->arena, &a->message, METHOD_GET);
    return a;
}

void admin_answer_free(struct admin_answer *answer)
{
    h1_parser_free(answer->parser);
    gw_arena_clear(&answer->arena);
    free(answer);
}

/* 1 at the end of the message, 0 to go on, negative for an error. A head of status 1xx is
 * overwritten by the one that counts. */
static int take_event(struct admin_answer *a, enum h1_event event, struct gw_str body)
{
    switch (event) {
    case H1_MORE:
        return 0;
    case H1_HEAD:
        a->reply->status = a->message.status;
        return 0;
    case H1_BODY:
        gw_buf_add(&a->reply->body, body);
        return a->reply->body.overflow ? GW_ELIMIT : 0;
    case H1_END:
        return 1;
    case H1_ERROR:
        return a->message.error;
    }
    return GW_EPARSE;
}

int admin_answer_feed(struct admin_answer *answer, struct gw_str piece)
{
    struct gw_str body = GW_STR_EMPTY;
    if (piece.len == 0) {
        int ended = take_event(answer, h1_parser_eof(answer->parser), body);
        return ended ? ended : GW_ETRUNCATED;
    }
    for (;;) {
        enum h1_event event = h1_parser_next(answer->parser, &piece, &body);
        int result = take_event(answer, event, body);
        if (result || event == H1_MORE)
            return result;
    }
}

/* ---- the call ---- */

struct call {
    struct gw_loop *loop;
    struct conn *conn;
    struct tls_client *tls; /* NULL: none, or the handshake has begun */
    struct gw_buf request;
    struct admin_reply *reply;
    struct admin_answer *answer;
    struct gw_deadline deadline;
    bool connected;
    int result; /* 1: the answer is whole; negative: an error */
};

static void finish(struct call *call, int result)
{
    if (!call->result)
        call->result = result;
    gw_loop_stop(call->loop);
}

/* A refusal may come before the body has left, and its sender go: EPIPE is only ever a write's, and
 * what can still be read counts. */
static void on_error(void *ctx, int err)
{
    if (err != -EPIPE)
        finish(ctx, err);
}

static void on_connect(void *ctx, int err)
{
    struct call *call = ctx;
    const struct iovec request = {call->request.data, call->request.len};
    if (!err && call->tls) { /* comes back here when it is over */
        conn_tls_connect(call->conn, call->tls);
        call->tls = NULL;
        return;
    }
    call->reply->why = conn_tls_facts(call->conn).failure;
    call->connected = !err;
    if (err) {
        finish(call, err);
        return;
    }
    conn_resume(call->conn);
    err = conn_write(call->conn, &request, 1, NULL);
    if (err)
        on_error(call, err);
}

static void on_read(void *ctx, struct gw_str piece)
{
    struct call *call = ctx;
    int result = call->result ? 0 : admin_answer_feed(call->answer, piece);
    if (result)
        finish(call, result);
}

static void on_eof(void *ctx)
{
    struct call *call = ctx;
    if (!call->result)
        finish(call, admin_answer_feed(call->answer, GW_STR_EMPTY));
}

static void on_drain(void *ctx)
{
    (void)ctx;
}

/* One deadline for the whole call: a server that sends a byte now and then must not keep a health
 * check waiting. */
static void on_deadline(struct gw_deadline *deadline)
{
    struct call *call = gw_container_of(deadline, struct call, deadline);
    bool writing = call->connected && conn_queued(call->conn);
    finish(call, !call->connected ? GW_ETIMEOUT_CONNECT
                 : writing        ? GW_ETIMEOUT_WRITE
                                  : GW_ETIMEOUT_READ);
}

/* False when something in it would break out of its line. The Host is the address itself, which the
 * listener accepts (admin_auth.h); on a Unix socket any will do, but HTTP/1.1 wants one. */
static bool write_request(const struct admin_endpoint *to, struct gw_str method,
                          struct gw_str target, struct gw_str body, struct gw_buf *out)
{
    char host[NET_ADDRESS_TEXT_MAX] = "localhost", bearer[1024];
    if (!net_address_is_unix(&to->address))
        net_address_format(&to->address, host);
    snprintf(bearer, sizeof(bearer), "Bearer %.*s", GW_STR_ARG(to->token));
    bool ok = h1_write_request(out, method, target) &&
              h1_write_id(out, HEADER_HOST, gw_str_z(host)) &&
              h1_write_id(out, HEADER_CONNECTION, GW_STR("close")) &&
              (!to->token.len || h1_write_id(out, HEADER_AUTHORIZATION, gw_str_z(bearer))) &&
              (!body.len || h1_write_id(out, HEADER_CONTENT_TYPE, GW_STR("application/json")));
    if (body.len || gw_str_eq(method, GW_STR("POST")))
        h1_write_u64(out, HEADER_CONTENT_LENGTH, body.len);
    h1_write_end(out);
    gw_buf_add(out, body);
    return ok && !out->overflow;
}

/* libuv writes without MSG_NOSIGNAL; the rest of the verb keeps what a pipe's reader who has left
 * means to it. */
static int exchange(struct call *call, const struct admin_endpoint *to)
{
    static const struct conn_events events = {on_connect, on_read,  on_eof,
                                              on_drain,   on_error, NULL};
    struct sigaction before, ignore = {.sa_handler = SIG_IGN};
    struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    sigaction(SIGPIPE, &ignore, &before);
    call->loop = gw_loop_new(&clock);
    call->tls = to->tls;
    call->answer = admin_answer_new(call->reply);
    gw_deadline_init(&call->deadline, on_deadline);
    gw_deadline_set(call->loop, &call->deadline, to->timeout_ms);
    call->conn = conn_connect(call->loop, &to->address, &events, call);
    gw_loop_run(call->loop);
    gw_deadline_cancel(&call->deadline);
    conn_abandon(call->conn);
    gw_loop_free(call->loop);
    admin_answer_free(call->answer);
    sigaction(SIGPIPE, &before, NULL);
    return call->result < 0 ? call->result : 0;
}

int admin_client_call(const struct admin_endpoint *to, struct gw_str method, struct gw_str target,
                      struct gw_str body, struct admin_reply *reply)
{
    struct call call = {.reply = reply};
    *reply = (struct admin_reply){0};
    gw_buf_init(&call.request, ADMIN_BODY_MAX + 65536);
    bool ok = write_request(to, method, target, body, &call.request);
    int err = ok ? exchange(&call, to) : -EINVAL;
    gw_buf_release(&call.request);
    return err;
}

void admin_reply_release(struct admin_reply *reply)
{
    gw_buf_release(&reply->body);
}
