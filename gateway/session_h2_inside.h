/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of an HTTP/2 session share. Private to gateway/session_h2*.
 *
 * nghttp2 never calls back into itself: frames are submitted from anywhere and made by h2_flush
 * alone, which runs at the end of a read callback or in the session's task, never inside a step. A
 * stream's memory goes when nghttp2 closes it, so only while frames are read or made. Thread: the
 * worker's. */
#include <nghttp2/nghttp2.h>

#include "gateway/http/h2_request.h"
#include "gateway/session_h2.h"
#include "gateway/session_h2_guard.h"

struct h2_batch;
struct h2_chunk;

struct session_h2 {
    struct session session;
    nghttp2_session *h2;
    struct gw_list streams; /* struct h2_stream, by link */
    size_t stream_count;
    struct h2_stream *reading; /* whose head is coming: blocks are never mixed */
    struct gw_task turn; /* what must not happen inside a step: hand over bodies, make frames */
    struct gw_deadline deadline;
    struct h2_batch *batch; /* being filled; only within h2_flush */
    uint64_t written;       /* bytes given to the connection */
    uint64_t gone, gone_ms; /* of them taken by the peer, and when that was last seen to grow */
    uint64_t idle_ms;       /* since when there is no stream */
    uint64_t drain_ms;      /* when the second GOAWAY is due; 0: not */
    size_t copied;          /* bytes of bodies that wait as copies, of all streams */
    size_t waiting;         /* streams that were told they are congested */
    struct h2_guard guard;
    unsigned continuations; /* of the current header block */
    bool busy;              /* in a read callback: its end flushes */
    bool calm_down;         /* the guard has spoken */
};

struct h2_stream {
    struct gw_list link;
    struct session_h2 *session;
    struct exchange *x; /* until done */
    int32_t id;
    bool started;                  /* the head is complete */
    bool input_ended;              /* END_STREAM has come … */
    bool end_told;                 /* … and the exchange knows, or never will */
    bool want_body, tunnel;        /* as the exchange said */
    bool extended;                 /* RFC 8441: 101 is 200 here */
    bool output_ended;             /* the exchange has given everything */
    bool deferred;                 /* nghttp2 waits for bytes of this body */
    bool waiting;                  /* was told that it is congested */
    bool broken;                   /* a reset is on its way: nothing more is sent */
    uint64_t moved_ms;             /* last time a byte of a body moved */
    struct gw_buf stash;           /* body that nobody wants yet: a window at most */
    struct h2_chunk *first, *last; /* body to send */
    size_t pending;                /* bytes of it */
    struct h2_request head;
};

/* session_h2.c */
static inline uint64_t h2_now_ms(const struct session_h2 *s)
{
    return gw_loop_real_ms(s->session.worker->loop);
}
/* Something is to be done once nobody is in a step. */
void h2_turn_soon(struct session_h2 *s);
/* The client has cost too much: no more of it. */
void h2_charge(struct session_h2 *s);

/* session_h2_stream.c: what nghttp2 tells of a stream. */
struct h2_stream *h2_stream_new(struct session_h2 *s, int32_t id);
void h2_stream_start(struct h2_stream *st, bool ended);
/* True when the bytes are used up and their window may be given back. */
bool h2_stream_body(struct h2_stream *st, struct gw_str data);
void h2_stream_body_end(struct h2_stream *st);
/* The client is gone or the stream is; frees it. Never inside a step. */
void h2_stream_close(struct h2_stream *st);
/* Hands over what is stashed and wanted. */
void h2_stream_pump(struct h2_stream *st);
bool h2_stream_congested(const struct h2_stream *st);
void h2_stream_reset(struct h2_stream *st, uint32_t code);

/* session_h2_out.c */
/* Queues body bytes: borrowed when `hold` says so, else copied. */
void h2_out_add(struct h2_stream *st, const struct iovec *parts, size_t count,
                const struct conn_hold *hold);
void h2_out_drop(struct h2_stream *st);
ssize_t h2_out_read(nghttp2_session *h2, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
                    nghttp2_data_source *source, void *ctx);
int h2_out_send(nghttp2_session *h2, nghttp2_frame *frame, const uint8_t *head, size_t length,
                nghttp2_data_source *source, void *ctx);
/* Makes frames and writes them, as long as the socket and the windows take them. */
void h2_flush(struct session_h2 *s);
