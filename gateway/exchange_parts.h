/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of an exchange, each belonging to one concern: who asks, what the limiter said, what
 * the cache holds, how far delivery is. Each is written by the step named with it and read by later
 * ones. Thread: the worker's. */
#include "cache/coding.h"
#include "cache/conditional.h"
#include "cache/reader.h"
#include "cache/store_decision.h"
#include "config/rules/request.h"
#include "gateway/net/address.h"
#include "limiter/limiter.h"
#include "limiter/rate_rules.h"

/* What the edge says itself: an error page, the limiter's 429. Written by reply.h. */
struct exchange_reply {
    unsigned status;
    struct gw_str lines; /* whole header lines */
    struct gw_str body;
};

/* By NORMALISE. */
struct exchange_client {
    struct gw_ip ip;
    char ip_text[GW_IP_TEXT_MAX];
    uint8_t ip_text_len;
    bool trusted;         /* the peer may speak for others */
    bool https;           /* scheme the visitor used, or stands for */
    uint16_t port;        /* public port the visitor used, or stands for */
    struct rules_tls tls; /* static texts */
    struct net_address peer;
};

/* By RATE, of zones that have rate limiting rules. */
struct exchange_rate {
    struct rate_verdict verdict;
    bool asked_origin; /* for this visitor */
};

/* By LIMIT. */
struct exchange_limit {
    const struct limiter_route *route;
    struct limiter_verdict verdict;
    struct limiter_call call;
    bool asked, decided;
    uint64_t key_hash; /* for the log */
};

/* By LOOKUP and FETCH; exchange_cache.h has what may be done with it. */
struct exchange_cache {
    struct cache_place place; /* key hash, space, host and target (in the arena) */
    enum cache_status status;
    enum cache_reason reason;
    struct cache_object *object; /* to deliver, or stale and to fall back on; a reference */
    struct cache_fill *fill;     /* joined or led; a reference */
    struct cache_reader reader;  /* of the fill, opened with it */
    uint32_t version;            /* of the fill, when it was looked at */
    struct cache_waiter waiter;  /* for fill events … */
    struct gw_task wake;         /* … which this task brings to our loop */
    _Atomic bool wake_posted;    /* it is on its way: the exchange outlives it */
    bool waiting;                /* for a notification */
    bool whole;                  /* deliver from `object`, not through the reader */
    unsigned attempts;           /* look-ups so far; leaders may die */
};

struct recoder;

/* DELIVER's progress: the body is sent in parts, one for a full answer. */
struct exchange_delivery {
    enum cache_answer answer;
    struct cache_range_plan plan;
    struct cache_cursor at; /* in a whole object */
    uint64_t position;      /* in the body of the object, for both kinds of source */
    size_t part;
    bool part_begun;                /* its introduction was sent */
    bool done;                      /* nothing more to send */
    struct cache_recoding recoding; /* also by PASS */
    struct recoder *recoder;        /* likewise; NULL: the body goes out as it comes */
};
