/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One finished exchange as the inspector, /api/events and the HAR export know it: what was asked,
 * what was answered, and the access log's line about it. Enough to explain it again and to send it
 * again; bodies are not kept.
 *
 * The request is kept as it came, since rules and keys read it; whoever writes a record out takes
 * `line` and `shown_url`, which are without secrets, and record_secrets.h for everything else.
 *
 * Immutable once made. Thread: made on its worker's, read anywhere; the count is atomic. Owns: all
 * its texts. Limits: RECORD_BYTES_MAX a record; fields beyond it are dropped and `cut` says so. */
#include "cache/status.h"
#include "config/rules/request.h"
#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/ip.h"
#include "gateway/http/headers.h"
#include "gateway/record_secrets.h"

#define RECORD_BYTES_MAX ((size_t)48 << 10)
#define RECORD_HEAD_MAX  ((size_t)12 << 10) /* of a response's head */

struct exchange;
struct response;

struct record {
    _Atomic unsigned refs;
    struct gw_arena arena;
    uint64_t number; /* from 1, in the order of finishing; by the recorder */
    uint64_t start_ms, took_us, origin_us, bytes;
    unsigned status, origin_status;
    enum cache_status cache;
    struct gw_str ray, edge, zone, line; /* `line`: the access log's, JSON, no line feed */
    struct gw_str method, version;       /* "HTTP/2" */
    struct gw_str reason;                /* why the cache did what it did */
    struct gw_str url, shown_url;        /* absolute: as sent, and without masked values */
    struct headers request;
    struct gw_str response; /* header lines, each ended by CRLF */
    struct gw_ip peer;
    struct rules_tls tls;
    uint32_t isolate, limit, count;
    uint64_t reset_at_ms; /* date, of the limiter's window; 0: not counted */
    bool has_body;        /* the request had one: it cannot be sent again */
    bool upgraded;        /* 101: nor can a conversation in another protocol */
    bool cut;
    struct record_secrets secrets;
};

struct record *record_new(const struct exchange *x, uint64_t took_us);
struct record *record_ref(struct record *r);
void record_unref(struct record *r); /* NULL is fine */

/* The header lines of a response, kept in the exchange's arena until record_new takes them. */
struct gw_str record_response(struct gw_arena *arena, const struct response *response);

/* Cuts the next line off *rest. False at the end. */
GW_MUST bool record_next_line(struct gw_str *rest, struct gw_str *name, struct gw_str *value);
