/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/step_pass.h"

#include "gateway/exchange_cache.h"
#include "gateway/http/forward.h"
#include "gateway/http/h1_write.h"
#include "gateway/invalidate.h"
#include "gateway/origin_request.h"
#include "gateway/recode_exchange.h"
#include "gateway/reply.h"
#include "gateway/response_lines.h"
#include "gateway/response_ruling.h"
#include "gateway/step_rate.h"

#define FIRST_RECODED ((size_t)32 * 1024) /* of a recoded body, sent with the head */

/* Events record and hand over bytes, which are only valid now; what follows from them is decided in
 * the step. */

static void on_informational(void *ctx, const struct h1_message *answer)
{
    response_informational(ctx, answer);
}

/* Response rules come first: the fields as they leave them are what goes out (section 6). */
static void on_head(void *ctx, const struct h1_message *answer)
{
    struct exchange *x = ctx;
    x->answer = answer;
    x->answer_fields = &answer->headers;
    response_ruling(x, answer->status, &x->answer_fields);
    x->origin_status = answer->status;
    x->origin_us = upstream_head_us(x->upstream);
    metrics_observe_us(x->worker->metrics, METRIC_ORIGIN_DURATION, x->origin_us);
    invalidate_after(x, answer);
}

static bool respond(struct exchange *x, struct gw_str first);

/* Nothing of a body came with the head; or all of it that was read is in the recoder. */
static void on_batch(void *ctx)
{
    struct exchange *x = ctx;
    if (x->answer && (!x->responded || x->delivery.recoder))
        exchange_resume(x);
}

/* Before the head is out, the first bytes may still be replaced by a page of ours or have to wait
 * for the recoder; afterwards they go straight on, and the origin is held back when the client does
 * not keep up. */
static void on_body(void *ctx, struct gw_str data)
{
    struct exchange *x = ctx;
    struct iovec part = {(void *)data.ptr, data.len};
    if (!x->responded && reply_brands(x, x->answer->status)) {
        exchange_resume(x);
        return;
    }
    if (x->delivery.recoder) {
        recoder_put(x->delivery.recoder, data);
        return;
    }
    if (x->responded)
        exchange_send(x, &part, 1, NULL);
    else if (!respond(x, data))
        return;
    if (x->io->congested(x->session))
        upstream_pause(x->upstream);
}

/* `upstream` is freed by its own code behind the last event: forgotten here, or the exchange's end
 * would cancel it once more. */
static void on_end(void *ctx)
{
    struct exchange *x = ctx;
    x->upstream = NULL;
    x->upstream_ended = true;
    exchange_resume(x);
}

static void on_error(void *ctx, int err)
{
    struct exchange *x = ctx;
    x->upstream = NULL;
    x->answer = NULL;
    x->origin_error = err;
    exchange_resume(x);
}

static void on_sendable(void *ctx)
{
    struct exchange *x = ctx;
    if (!x->body_ended || x->tunnel)
        x->io->want_body(x->session, true);
}

static const struct upstream_events pass_events = {
    .on_informational = on_informational,
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
    .on_batch = on_batch,
    .on_sendable = on_sendable,
};

void step_pass_adopt(struct exchange *x, struct upstream_request *upstream,
                     const struct h1_message *answer)
{
    exchange_cache_leave_fill(x);
    upstream_set_owner(upstream, &pass_events, x);
    x->upstream = upstream;
    x->answer = answer;
    x->step = STEP_PASS; /* on_batch or on_body goes on: we are inside the origin's read */
}

/* ---- the request's body ---- */

void exchange_on_body(struct exchange *x, struct gw_str data)
{
    x->body_received += data.len;
    if (x->admin_call) {
        step_admin_body(x, data);
        return;
    }
    if (!x->upstream)
        return; /* the answer is known already: the rest of the body is read away */
    if (x->body_received > x->body_max && !x->tunnel) {
        x->body_too_large = true;
        exchange_resume(x);
        return;
    }
    upstream_send(x->upstream, data);
    if (upstream_congested(x->upstream))
        x->io->want_body(x->session, false);
}

void exchange_on_body_end(struct exchange *x)
{
    x->body_ended = true;
    if (x->admin_call)
        exchange_resume(x);
    else if (x->upstream)
        upstream_send_end(x->upstream);
}

/* ---- the response ---- */

static int64_t length_of(const struct exchange *x)
{
    const struct h1_message *answer = x->answer;
    bool recoded = cache_is_recoded(x->delivery.recoding);
    /* RFC 9110 section 8.6 forbids Content-Length in these. */
    if (answer->status == 204 || answer->status == 101)
        return RESPONSE_NO_LENGTH;
    if (answer->has_content_length && !recoded)
        return (int64_t)answer->content_length;
    /* These may say how long the body would be, if the origin did; nobody else knows. */
    if (exchange_is_head(x) || answer->status == 304)
        return RESPONSE_NO_LENGTH;
    return answer->framing == H1_BODY_NONE && !recoded ? 0 : RESPONSE_LENGTH_UNKNOWN;
}

static bool has_body(const struct exchange *x)
{
    return !exchange_is_head(x) && x->answer->status != 304 && x->answer->status != 204;
}

/* Sections 2.10 and 7.3 hold for what is not cached too. */
static void choose_coding(struct exchange *x)
{
    const struct h1_message *answer = x->answer;
    if (!headers_has(x->answer_fields, HEADER_CONTENT_ENCODING) &&
        !headers_has(&x->request.headers, HEADER_ACCEPT_ENCODING))
        return; /* nothing coded came, nothing coded may go: what kind of content it is can stay
                   open */
    struct cache_content content = cache_content_of(answer->status, x->answer_fields);
    uint64_t length = answer->has_content_length        ? answer->content_length
                      : answer->framing == H1_BODY_NONE ? 0
                                                        : CACHE_LENGTH_UNKNOWN;
    x->delivery.recoding =
        cache_recoding_for(&content, length, &x->request.headers, &x->cache_policy);
    if (cache_is_recoded(x->delivery.recoding) && has_body(x))
        x->delivery.recoder = recoder_new(x->delivery.recoding, true);
}

/* The edge's page instead of what the origin said. Ends the exchange. */
static void show_page(struct exchange *x, unsigned status)
{
    upstream_cancel(x->upstream);
    x->upstream = NULL;
    x->answer = NULL;
    recoder_free(x->delivery.recoder);
    x->delivery.recoder = NULL;
    reply_error(x, status);
}

static void write_lines(struct exchange *x, struct gw_buf *lines)
{
    gw_buf_clear(lines);
    x->tunnel = x->answer->status == 101;
    /* Upgrade is hop-by-hop and is dropped like the others, but the client of a 101 must be told
     * which protocol begins (RFC 9110 section 7.8). */
    const struct gw_str *protocol = headers_get(x->answer_fields, HEADER_UPGRADE);
    if (x->tunnel && protocol && !h1_write_id(lines, HEADER_UPGRADE, *protocol))
        lines->overflow = true;
    response_lines_origin(x, lines);
    response_lines_edge(x, lines);
}

/* What can be sent of the first bytes at once. False when they are not coded as they claim. */
static bool first_part(struct exchange *x, struct gw_str first, struct gw_buf *space,
                       struct iovec *part)
{
    *part = (struct iovec){(void *)first.ptr, first.len};
    if (!x->delivery.recoder)
        return true;
    recoder_put(x->delivery.recoder, first);
    enum recode_state state = recoder_take(x->delivery.recoder, space);
    *part = (struct iovec){space->data, space->len};
    return state != RECODE_BROKEN;
}

/* Sends the head, and with it what of the body came in the same read. False when that went wrong
 * and the exchange has moved on. */
static bool respond(struct exchange *x, struct gw_str first)
{
    const struct h1_message *answer = x->answer;
    struct gw_buf *lines = &x->worker->lines;
    char recoded[FIRST_RECODED + 1];
    struct gw_buf space = gw_buf_over(recoded, sizeof(recoded));
    struct iovec body;
    choose_coding(x);
    if (!first_part(x, first, &space, &body)) {
        show_page(x, 502); /* section 7.5: broken gzip is the gateway's own 502 */
        exchange_resume(x);
        return false;
    }
    write_lines(x, lines);
    if (lines->overflow) {
        x->origin_error = GW_EHEADERS;
        exchange_resume(x);
        return false;
    }
    const struct response response = {
        .status = answer->status,
        .reason = answer->reason,
        .lines = {gw_buf_str(lines)},
        .content_length = length_of(x),
        .bodyless = !has_body(x),
        .tunnel = x->tunnel,
        .body = &body,
        .body_parts = body.iov_len > 0,
    };
    exchange_respond(x, &response);
    if (x->tunnel)
        x->io->want_body(x->session, true);
    return true;
}

/* The origin has ended, one way or the other. */
static enum step_result settle(struct exchange *x)
{
    /* As long as nothing is out an error is a page. Behind the head there is only one honest way to
     * say that bytes are missing: to break the framing (RFC 9112 section 8). */
    if (x->origin_error && !x->responded) {
        x->cache.status = CACHE_STATUS_NONE;
        reply_origin_error(x, x->origin_error);
        return STEP_MORE;
    }
    if (x->origin_error)
        x->io->cut(x->session);
    else
        x->io->end(x->session);
    x->step = STEP_LOG;
    return STEP_MORE;
}

/* What the recoder has goes out; the origin is held back while the client does not keep up. True
 * when the client must take something first. */
static bool pump(struct exchange *x)
{
    if (!x->delivery.recoder || !x->responded || x->origin_error)
        return false;
    if (x->upstream_ended)
        recoder_finish(x->delivery.recoder);
    switch (recode_send(x)) {
    case RECODE_DRAINED:
        if (x->upstream)
            upstream_resume(x->upstream);
        return false;
    case RECODE_CONGESTED:
        if (x->upstream)
            upstream_pause(x->upstream);
        return true;
    case RECODE_FAILED:
        x->origin_error = GW_EPARSE;
        return false;
    }
    return false;
}

enum step_result step_pass(struct exchange *x)
{
    /* Only of a body whose size was not announced; what the origin has got of it has no end. */
    if (x->body_too_large && !x->responded) {
        upstream_cancel(x->upstream);
        x->upstream = NULL;
        reply_error(x, 413);
        return STEP_MORE;
    }
    if (!x->upstream && !x->upstream_ended && !x->origin_error) {
        /* Counted before the answer is known: rules with requests_to_origin count what burdens the
         * origin. */
        rate_on_origin(x);
        x->upstream = origin_request_start(x, ORIGIN_PASS, NULL, &pass_events, x);
        /* What came with the head can go out with it. With `Expect` the origin is asked first. */
        if (x->upstream && !x->body_ended && !x->request.expect_continue)
            x->io->want_body(x->session, true);
    }
    if (x->answer && !x->responded && reply_brands(x, x->answer->status)) {
        show_page(x, x->answer->status);
        return STEP_MORE;
    }
    if (x->answer && !x->responded && !x->origin_error && !respond(x, GW_STR_EMPTY))
        return STEP_MORE;
    if (pump(x))
        return STEP_WAIT;
    if (x->upstream_ended || x->origin_error) {
        upstream_cancel(x->upstream);
        x->upstream = NULL;
        return settle(x);
    }
    return STEP_WAIT;
}
