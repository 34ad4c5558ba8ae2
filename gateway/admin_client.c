/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_client.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "gateway/admin.h"
#include "gateway/base/clock.h"
#include "gateway/base/err.h"
#include "gateway/http/h1_write.h"

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

/* 0 when the socket is ready before the deadline. One deadline for the whole call: a server that
 * sends a byte now and then must not keep a health check waiting. */
static int wait_for(int fd, short events, uint64_t deadline_ms, int timeout_error)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now = gw_kernel_mono_ms();
        if (now >= deadline_ms)
            return timeout_error;
        int n = poll(&p, 1, (int)gw_min_u64(deadline_ms - now, INT32_MAX));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

/* *out is a connected socket, without blocking: with a filter in the way connect alone could take
 * minutes. */
static int connect_to(const struct net_address *address, uint64_t deadline_ms, int *out)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = connect(fd, &address->any, address->len) < 0 ? -errno : 0;
    if (err == -EINPROGRESS) {
        socklen_t size = sizeof(err);
        err = wait_for(fd, POLLOUT, deadline_ms, GW_ETIMEOUT_CONNECT);
        if (!err && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0)
            err = -err;
    }
    if (err) {
        close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

static int send_all(int fd, struct gw_str bytes, uint64_t deadline_ms)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (n < 0) {
            int err = wait_for(fd, POLLOUT, deadline_ms, GW_ETIMEOUT_WRITE);
            if (err)
                return err;
            continue;
        }
        bytes = gw_str_from(bytes, (size_t)n);
    }
    return 0;
}

static int receive(int fd, uint64_t deadline_ms, struct admin_reply *reply)
{
    char piece[16384];
    struct admin_answer *answer = admin_answer_new(reply);
    int result = 0;
    while (!result) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n >= 0)
            result = admin_answer_feed(answer, gw_str(piece, (size_t)n));
        else if (errno == EAGAIN || errno == EINTR)
            result = wait_for(fd, POLLIN, deadline_ms, GW_ETIMEOUT_READ);
        else
            result = -errno;
    }
    admin_answer_free(answer);
    return result < 0 ? result : 0;
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

int admin_client_call(const struct admin_endpoint *to, struct gw_str method, struct gw_str target,
                      struct gw_str body, struct admin_reply *reply)
{
    uint64_t deadline_ms = gw_kernel_mono_ms() + to->timeout_ms;
    struct gw_buf request;
    int fd = -1;
    *reply = (struct admin_reply){0};
    gw_buf_init(&request, ADMIN_BODY_MAX + 65536);
    int err = write_request(to, method, target, body, &request) ? 0 : -EINVAL;
    if (!err)
        err = connect_to(&to->address, deadline_ms, &fd);
    if (!err)
        err = send_all(fd, gw_buf_str(&request), deadline_ms);
    /* A refusal may come before the body is read: the answer counts, not the broken pipe. */
    if (fd >= 0 && (!err || err == -EPIPE || err == -ECONNRESET))
        err = receive(fd, deadline_ms, reply);
    if (fd >= 0)
        close(fd);
    gw_buf_release(&request);
    return err;
}

void admin_reply_release(struct admin_reply *reply)
{
    gw_buf_release(&reply->body);
}
