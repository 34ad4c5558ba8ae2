/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the process counts about itself, and the Prometheus text it is scraped as. The families
 * are the ones of the product's interface: one list below is name, type, help and labels.
 *
 * A label value travels as a small id. Ids below METRICS_TEXT_FIRST stand for that number (a status
 * code needs no table); others come from metrics_intern, once, when the configuration is built, and
 * become text again only when scraped. So an increment is one probe of a small table that
 * belongs to one thread, and a load and a store: no lock, no locked instruction, no allocation.
 *
 * Thread: each metrics_worker has one writer; setting gauges, interning and scraping: any thread,
 * at any time. Owns: copies of all label values. Limits: METRICS_TEXT_MAX label values (further
 * ones become "other") and METRICS_SERIES_MAX series a worker (further ones only raise
 * nearedge_metrics_overflow_total): memory is fixed whatever the configuration does. */
#include "gateway/base/buf.h"

#define METRICS_TEXT_FIRST   1000
#define METRICS_TEXT_MAX     8192
#define METRICS_SERIES_MAX   3072
#define METRICS_TEXT_OTHER   METRICS_TEXT_FIRST /* "other" */
#define METRICS_LABEL_LENGTH 256                /* bytes; longer values are cut */

/* Gauges without labels are set, added to by workers, or asked through a callback; gauges with
 * labels exist as soon as a worker adds to them. */
#define METRIC_FAMILIES(X)                                                                         \
    X(REQUESTS, COUNTER, "nearedge_requests_total", "Requests answered.", "zone", "edge",          \
      "method", "code")                                                                            \
    X(REQUEST_DURATION, HISTOGRAM, "nearedge_request_duration_seconds",                            \
      "From the first byte of a request to the last byte of its response.")                        \
    X(CACHE_REQUESTS, COUNTER, "nearedge_cache_requests_total",                                    \
      "Requests by the CF-Cache-Status they were answered with.", "status")                        \
    X(CACHE_BYTES, GAUGE, "nearedge_cache_bytes", "Bytes the cache holds.")                        \
    X(CACHE_OBJECTS, GAUGE, "nearedge_cache_objects", "Objects the cache holds.")                  \
    X(ORIGIN_REQUESTS, COUNTER, "nearedge_origin_requests_total", "Requests sent to origins.")     \
    X(ORIGIN_DURATION, HISTOGRAM, "nearedge_origin_request_duration_seconds",                      \
      "From the request's start to the head of the origin's response.")                            \
    X(LIMITER_DECISIONS, COUNTER, "nearedge_limiter_decisions_total",                              \
      "What limiters decided, by the store that counted.", "limiter", "store", "decision")         \
    X(KV_OPERATIONS, COUNTER, "nearedge_kv_operations_total",                                      \
      "Operations on the simulated Workers KV.", "op", "result")                                   \
    X(DO_REQUESTS, COUNTER, "nearedge_do_requests_total",                                          \
      "Requests to simulated Durable Objects.")                                                    \
    X(BACKEND_UP, GAUGE, "nearedge_backend_up", "1 while the counter backend can be reached.")     \
    X(RULE_MATCHES, COUNTER, "nearedge_rule_matches_total", "Requests a rule matched.", "phase",   \
      "rule")                                                                                      \
    X(CONNECTIONS, GAUGE, "nearedge_connections", "Client connections that are open.")             \
    X(TLS_HANDSHAKES, COUNTER, "nearedge_tls_handshakes_total",                                    \
      "TLS handshakes with visitors, by how they ended.", "version", "result")                     \
    X(CONFIG_RELOAD, GAUGE, "nearedge_config_last_reload_successful",                              \
      "1 when the last attempt to load the configuration succeeded.")                              \
    X(CONFIG_RELOADED_AT, GAUGE, "nearedge_config_last_reload_success_timestamp_seconds",          \
      "When the running configuration was loaded, since the epoch.")                               \
    X(BUILD_INFO, GAUGE, "nearedge_build_info", "Always 1; the labels say what runs.", "version")  \
    X(OVERFLOW, COUNTER, "nearedge_metrics_overflow_total",                                        \
      "Increments that found no room in a worker's table of series.")

#define X(id, ...) METRIC_##id,
enum metric { METRIC_FAMILIES(X) METRIC_COUNT };
#undef X

struct metrics;
struct metrics_worker;

/* Values in the order of the family's labels; the rest is zero. */
struct metrics_labels {
    uint16_t id[4];
};

/* `workers` is the number of writing threads, at least 1; `version` goes into nearedge_build_info.
 */
struct metrics *metrics_new(unsigned workers, struct gw_str version);
/* Only when no worker writes any more. */
void metrics_free(struct metrics *m);
/* Borrowed from m; index < workers. */
struct metrics_worker *metrics_worker(struct metrics *m, unsigned index);

/* The id of a label value; equal text, equal id, for the life of m. Takes a mutex: not for the
 * request path. */
uint16_t metrics_intern(struct metrics *m, struct gw_str text);

/* Adds to a counter or (also less than nothing) to a gauge. Only the worker's own thread. */
void metrics_add(struct metrics_worker *w, enum metric family, struct metrics_labels labels,
                 int64_t by);
/* metrics_inc(w, METRIC_KV_OPERATIONS, op, result); metrics_inc(w, METRIC_DO_REQUESTS) */
#define metrics_inc(w, family, ...)                                                                \
    metrics_add((w), (family), (struct metrics_labels){{__VA_ARGS__}}, 1)
/* One duration for a histogram. Only the worker's own thread. */
void metrics_observe_us(struct metrics_worker *w, enum metric family, uint64_t us);

/* For gauges without labels: a gauge that was never set, added to or given a callback is not shown.
 * What workers add counts on top of what is set. */
void metrics_set(struct metrics *m, enum metric family, int64_t value);
/* The scraping thread asks `read`, which must be safe to call from any thread. Before the first
 * scrape; ctx outlives m. */
void metrics_set_callback(struct metrics *m, enum metric family, int64_t (*read)(void *ctx),
                          void *ctx);

/* Appends everything, process_* included, in Prometheus text format 0.0.4; families in the order
 * of the list, series in a stable order. Workers go on meanwhile. */
void metrics_write(struct metrics *m, struct gw_buf *out);
/* A label's value with its quotes, for series that are written where their facts are. */
void metrics_write_value(struct gw_buf *out, struct gw_str text);
