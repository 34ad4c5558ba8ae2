/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The sections of the configuration beside its zones and listeners: the simulated places, cache,
 * limiter, ceilings and logs.
 *
 * Texts end with a NUL behind their length and live as long as the configuration; one that was not
 * given has ptr == NULL. Numbers in brackets are defaults, units are in the names. Thread:
 * immutable after loading. Owns: nothing; the configuration does. */
#include "config/listen.h"
#include "gateway/base/log.h"

enum config_log_target { CONFIG_LOG_OFF, CONFIG_LOG_STDOUT, CONFIG_LOG_STDERR, CONFIG_LOG_FILE };
enum config_log_format { CONFIG_LOG_JSON, CONFIG_LOG_COMMON };
enum config_backend_kind { CONFIG_BACKEND_EMBEDDED, CONFIG_BACKEND_REDIS };
enum config_backend_failure { CONFIG_FAIL_MEMORY, CONFIG_FAIL_ALLOW, CONFIG_FAIL_DENY };
enum config_kv_write_limit { CONFIG_KV_STRICT, CONFIG_KV_TOKEN_BUCKET, CONFIG_KV_OFF };

struct config_edge {
    struct gw_str name;      /* three upper-case letters [FRA] */
    struct gw_str country;   /* ISO 3166-1 alpha-2, upper case [DE] */
    struct gw_str continent; /* AF AN AS EU NA OC SA [that of the country] */
    uint32_t asnum;          /* network its simulated visitors come from [0: unknown] */
    uint32_t isolates;       /* 1..64 [1] */
};

struct config_cache {
    uint64_t max_size;        /* bytes over all edges [256 MiB] */
    uint64_t max_object_size; /* bytes [512 MB] */
};

struct config_endpoint {
    struct gw_str host; /* name or address without brackets */
    uint16_t port;
};

#define CONFIG_BACKEND_SEEDS_MAX 16

struct config_backend {
    enum config_backend_kind kind; /* [embedded]; what follows is for redis */
    struct gw_str host;            /* name or address without brackets; empty with unix_path */
    uint16_t port;                 /* [6379] */
    struct gw_str unix_path;
    struct gw_str user, password;   /* ptr NULL: no AUTH, or AUTH without a user */
    uint32_t db;                    /* [0] */
    bool cluster;                   /* redis+cluster://: it must be one; redis:// may turn out so */
    struct config_endpoint *others; /* further nodes to ask for the cluster's map */
    size_t other_count;
};

struct config_limiter {
    struct config_backend backend;
    enum config_backend_failure on_backend_failure; /* [memory] */
    struct {
        uint32_t cache_ttl_s; /* [60] what an edge read stays cached there, at least 30 */
        bool negative_cache;  /* [true] "no such key" is cached too */
        uint32_t read_ms, write_ms, propagation_ms; /* [0] latencies on the configured clock */
        enum config_kv_write_limit write_limit;     /* [strict] */
        uint32_t writes_per_key_per_second;         /* [1] */
        uint32_t seed;                              /* [1] of the simulation's generator */
    } kv;
    struct {
        uint32_t latency_ms;          /* [0] round trip to the object */
        uint32_t requests_per_second; /* [0: unlimited] above it the object is overloaded */
    } durable_object;
};

/* Towards visitors; those towards origins belong to the origin. */
struct config_timeouts {
    uint32_t header_ms;    /* [15000] from the first byte of a request to the end of its head */
    uint32_t body_ms;      /* [30000] between two reads of a request body */
    uint32_t idle_ms;      /* [400000] a kept-alive connection without a request */
    uint32_t write_ms;     /* [30000] while the visitor takes no byte */
    uint32_t drain_ms;     /* [30000] after TERM, for exchanges under way */
    uint32_t handshake_ms; /* [10000] of TLS, from accept on */
};

/* Ceilings for what visitors can grow; Cloudflare's own. */
struct config_limits {
    uint64_t uri_size;    /* bytes [16 KiB]: 414 */
    uint64_t header_size; /* bytes of a request head [128 KiB]: 431 */
    uint64_t body_size;   /* bytes [100 MB; business 200 MB, enterprise 500 MB are set here]: 413 */
    uint32_t connections; /* open visitor connections of the process [10000] */
    uint32_t admin_connections; /* open ones of the admin listener [128] */
};

struct config_log {
    enum config_log_target access; /* [stdout] */
    struct gw_str access_path;     /* for CONFIG_LOG_FILE */
    enum config_log_format format; /* [json] */
    enum gw_log_level level;       /* [info] of the operational log */
    struct gw_str *mask;           /* query parameters whose values are never written [none] */
    size_t mask_count;
};
