/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The admin listener's requests (design/interface.md section 5). It is served by the same session
 * and driver as visitors: the step ADMIN collects the body, asks admin_authorize and
 * admin_dispatch, and sends what they wrote.
 *
 * A handler is a row in one table {method, path, needs token, function}. It reads the call, writes
 * `out` and `status`, and returns ADMIN_DONE; one that needs a backend returns ADMIN_WAIT and calls
 * admin_finish later (never when `cancelled` was called before); one that has set call->stream
 * returns ADMIN_STREAM. Thread: worker 0's. Limits:
 * ADMIN_BODY_MAX bytes of request body with ADMIN_VALUES_MAX JSON values, ADMIN_ANSWER_MAX of
 * answer. */
#include "gateway/base/buf.h"
#include "gateway/http/h1_parse.h"
#include "limiter/state.h"

#define ADMIN_BODY_MAX   ((size_t)16 << 20)
#define ADMIN_VALUES_MAX ((size_t)256 << 10) /* 300 rules, or 500 URLs, have a tenth of them */
#define ADMIN_ANSWER_MAX ((size_t)64 << 20)

struct exchange;
struct replay;
struct server;
struct worker;

enum admin_result { ADMIN_DONE, ADMIN_WAIT, ADMIN_STREAM };

/* An answer that has no end: the head goes out at once, then `pump` appends what there is to say
 * whenever exchange_resume was called and the client takes more. */
struct admin_stream {
    bool (*pump)(struct admin_stream *stream, struct gw_buf *out); /* false: that was the last */
    void (*release)(struct admin_stream *stream);                  /* exactly once */
};

struct admin_call {
    struct server *server;
    struct worker *worker;
    struct exchange *exchange;
    const struct h1_message *request;
    struct gw_str path, query; /* as sent, not decoded */
    struct gw_buf body;        /* complete */
    bool peer_is_local;        /* loopback or Unix socket */

    unsigned status;          /* [200] */
    const char *content_type; /* [application/json] */
    struct gw_buf out;
    struct gw_buf lines; /* further header lines, whole */

    struct limiter_state state; /* for handlers that list or reset counters */
    struct api_write *write;    /* of the API, under way on the main thread; else NULL */
    struct admin_stream *stream;
    struct replay *replay; /* likewise, on this loop */
    bool dispatched, waiting;
};

void admin_call_init(struct admin_call *call);
void admin_call_release(struct admin_call *call); /* cancels what waits */

/* Host and Origin checks, then the token (constant time). False: the call holds the refusal. */
GW_MUST bool admin_authorize(struct admin_call *call);
enum admin_result admin_dispatch(struct admin_call *call);
/* From a handler that answered ADMIN_WAIT: the answer is written. */
void admin_finish(struct admin_call *call);

/* An answer of the house: {"error":{"message":…}} with this status. */
void admin_fail(struct admin_call *call, unsigned status, const char *fmt, ...) GW_PRINTF(3, 4);
