/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"
#include "gateway/reply.h"
#include "gateway/response_lines.h"

/* Sends what the edge itself has to say: x->reply was written by reply.h. */
enum step_result step_reply(struct exchange *x)
{
    if (x->error && !x->reply.status)
        reply_error(x, reply_parse_status(x->error));
    struct gw_buf *own = &x->worker->lines;
    gw_buf_clear(own);
    response_lines_edge(x, own);
    const struct iovec body = {(void *)x->reply.body.ptr, x->reply.body.len};
    bool head = exchange_is_head(x);
    const struct response response = {
        .status = x->reply.status,
        .lines = {x->reply.lines, gw_buf_str(own)},
        .content_length = (int64_t)x->reply.body.len,
        .bodyless = head,
        .body = &body,
        .body_parts = head || !body.iov_len ? 0 : 1,
    };
    exchange_respond(x, &response);
    x->io->end(x->session);
    x->step = STEP_LOG;
    return STEP_MORE;
}
