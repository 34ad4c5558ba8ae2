/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A limiters file, checked and compiled: which requests draw from which counter
 * (design/interface.md section 3).
 *
 * The first route in file order whose method and path fit wins. A path is exact, or ends in `*`
 * (any rest, also none), or has `:param` segments (one segment, not empty). Limiters are known by
 * name only: two routes, two zones or two reloads that say the same name share one budget, as in
 * the app (spec/limiter.md a1).
 *
 * Owns: everything it points to, until the last reference goes. Thread: one loads, then any reads;
 * the reference count is atomic. Limits: LIMITERS_MAX, LIMITER_ROUTES_MAX. */
#include "gateway/base/diag.h"
#include "gateway/http/method.h"
#include "limiter/key.h"
#include "limiter/window.h"

#define LIMITERS_MAX        1024
#define LIMITER_ROUTES_MAX  2048
#define LIMITER_NAME_MAX    64 /* letters, digits, '.', '_', '-' */
#define LIMITER_STORES      4  /* values of enum limiter_store */
#define LIMITER_ORIGINS_MAX 64

/* Who sees which counter, and when. */
enum limiter_store {
    LIMITER_DURABLE_OBJECT, /* one strict counter in the world */
    LIMITER_MEMORY,         /* one counter for each edge and isolate */
    LIMITER_KV,             /* read, judge, write; edges keep copies (kv_key.h) */
    LIMITER_BINDING,        /* one counter for each edge, seen late by its machines (binding.h) */
};

enum limiter_mode {
    LIMITER_ENFORCE,
    LIMITER_SHADOW, /* counts and reports, never refuses */
    LIMITER_OFF,    /* does not even count */
};

/* A limiter's own "kv" settings; -1: not given, the configuration's counts. */
struct limiter_kv {
    int64_t cache_ttl_s, read_ms, write_ms, propagation_ms, writes_per_key_per_second, seed;
    int64_t negative_cache; /* 0, 1 */
    int64_t write_limit;    /* enum config_kv_write_limit */
    int64_t clamp_ttl;      /* 0, 1; 0 is the app's service helper, which asks for TTLs below 60 */
};

struct limiter {
    struct gw_str name;
    struct window_rule rule;
    enum limiter_store store; /* as written */
    enum limiter_mode mode;
    struct limiter_key *key; /* [${ip}:${user}] */
    struct limiter_kv kv;
    uint32_t compare; /* 1 << enum limiter_store: those that judge beside it (compare.h) [none] */
};

struct limiter_route {
    struct gw_str path;            /* as written */
    uint32_t methods;              /* 1 << enum http_method; "methods" not given: all bits */
    const struct limiter *limiter; /* NULL: requests here are exempt ("limiter": null) */
    struct gw_str redirect;        /* not empty: refusals are a 302 to here, not a 429 */
    struct gw_str redirect_head;   /* the Location line for limiter_answer */
    bool csrf, origin_check;       /* what the app checks with the limiter; [false] [true] */
    bool limiter_first;            /* [false] the limiter counts before these checks */
};

struct limiter_policy;

/* NULL after any error; all of them are in diags, with their place, and warnings in any case.
 * `name` is what messages call the file. */
GW_MUST struct limiter_policy *limiter_policy_load(const char *path, const char *name,
                                                   struct gw_diags *diags);
GW_MUST struct limiter_policy *limiter_policy_parse(const struct gw_source *source,
                                                    struct gw_diags *diags);
struct limiter_policy *limiter_policy_ref(struct limiter_policy *policy);
void limiter_policy_unref(struct limiter_policy *policy);

/* `path` is the normalised path, without the query. NULL: no route fits. Lives as long as the
 * policy. */
const struct limiter_route *limiter_policy_match(const struct limiter_policy *policy,
                                                 enum http_method method, struct gw_str path);
/* NULL when there is no limiter of that name. */
const struct limiter *limiter_policy_find(const struct limiter_policy *policy, struct gw_str name);
/* All of them, in file order. */
const struct limiter *limiter_policy_limiters(const struct limiter_policy *policy, size_t *count);
const struct limiter_route *limiter_policy_routes(const struct limiter_policy *policy,
                                                  size_t *count);
/* "allowed_origins": those the app takes beside its own, as an Origin header says them. */
const struct gw_str *limiter_policy_origins(const struct limiter_policy *policy, size_t *count);
/* "durable_object", …: as files and metrics say it. */
const char *limiter_store_name(enum limiter_store store);
