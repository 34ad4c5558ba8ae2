/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One request of a load test and what became of it: the fact that statistics and expectations are
 * fed with.
 *
 * Instants are microseconds since the run began. The response time counts from when the request was
 * due, so that a server (or a generator) that stalls cannot hide the requests it held up; the
 * service time counts from when its bytes left. Thread: any; a plain value. */
#include "gateway/base/str.h"

/* What CF-Cache-Status said. */
#define LOAD_CACHE_STATUSES(X)                                                                     \
    X(NONE) X(HIT) X(MISS) X(EXPIRED) X(REVALIDATED) X(UPDATING) X(STALE) X(BYPASS) X(DYNAMIC)
/* Why there was no answer; the text is for tables. */
#define LOAD_ERRORS(X)                                                                             \
    X(NONE, "none")                                                                                \
    X(CONNECT, "no connection")                                                                    \
    X(CLOSED, "connection closed")                                                                 \
    X(TIMEOUT, "no answer in time")                                                                \
    X(PROTOCOL, "answer is not HTTP/1.1")
/* Whose 429 it is, by its body: the app's limiter, the edge's rate rule (error 1015), someone's. */
#define LOAD_REFUSALS(X)                                                                           \
    X(NONE, "none") X(LIMITER, "limiter") X(RULE, "error 1015") X(OTHER, "other")

#define X(name) LOAD_CACHE_##name,
enum load_cache { LOAD_CACHE_STATUSES(X) LOAD_CACHE_COUNT };
#undef X
#define X(name, text) LOAD_ERROR_##name,
enum load_error { LOAD_ERRORS(X) LOAD_ERROR_COUNT };
#undef X
#define X(name, text) LOAD_REFUSAL_##name,
enum load_refusal { LOAD_REFUSALS(X) LOAD_REFUSAL_COUNT };
#undef X

/* Numbers by which "the first", counted in the order of sending, is found in each scope. */
enum load_scope { LOAD_RUN, LOAD_PHASE, LOAD_RUN_REQUEST, LOAD_PHASE_REQUEST, LOAD_SCOPES };

struct load_sample {
    uint64_t intended_us, sent_us, done_us;
    uint64_t phase_us;            /* intended, since the phase began */
    uint64_t number[LOAD_SCOPES]; /* from 1 */
    uint32_t phase, request, identity;
    uint32_t retry_after_s; /* 0: none, or not a whole number of seconds above 0 */
    uint16_t status;        /* 0: no answer, error says why */
    uint8_t cache, error, refusal;
};

/* Static storage; empty for LOAD_CACHE_NONE. */
struct gw_str load_cache_name(enum load_cache cache);
/* LOAD_CACHE_NONE for a word that is no status. */
enum load_cache load_cache_of(struct gw_str text);
const char *load_error_name(enum load_error error);
const char *load_refusal_name(enum load_refusal refusal);
