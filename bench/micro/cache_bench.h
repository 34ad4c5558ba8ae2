/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the cache's benchmarks share: a store with one space, objects of any size, clocks and the
 * line of JSON that each figure is. Thread: any, but for the store's own rules. */
#include <stdio.h>
#include <time.h>

#include "cache/fill.h"

#define MIB ((uint64_t)1024 * 1024)

static const char bench_head[] =
    "HTTP/1.1 200 OK\r\nETag: \"5e1f-abc\"\r\nContent-Type: text/css\r\n"
    "Cache-Control: max-age=600\r\n";

struct bench_store {
    struct cache_store *store;
    struct cache_space *space;
};

static inline void bench_store_init(struct bench_store *b, uint64_t max_size, uint64_t object_max)
{
    struct config_cache limits = {.max_size = max_size, .max_object_size = object_max};
    b->store = cache_store_new(&limits);
    b->space = cache_store_space(b->store, GW_STR("zone"), GW_STR("FRA"));
}

static inline uint64_t bench_clock_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
static inline uint64_t now_ns(void)
{
    return bench_clock_ns(CLOCK_MONOTONIC);
}
/* Of this thread alone: what others do on the machine is no pause of ours. */
static inline uint64_t cpu_ns(void)
{
    return bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static inline void report(const char *what, double value, const char *unit)
{
    printf("{\"bench\":\"cache\",\"what\":\"%s\",\"value\":%.2f,\"unit\":\"%s\"}\n", what, value,
           unit);
}

static inline struct cache_object_parts parts_for(uint64_t body_len, bool announced)
{
    uint32_t end = sizeof(bench_head) - 1;
    return (struct cache_object_parts){
        .status = 200,
        .text = gw_str(bench_head, end),
        .head = {.fields_at = 17, .content_at = 35, .control_at = 59, .length_at = end, .end = end},
        .life = {.ttl_s = 600},
        .now_ms = 1000,
        .body_len = body_len,
        .length_known = announced,
        .body_max = UINT64_MAX};
}

static inline struct cache_place place_of(const struct bench_store *b, struct gw_str name)
{
    return (struct cache_place){
        .hash = gw_hash128(name), .space = b->space, .host = GW_STR("example.com"), .target = name};
}

/* Of a look-up that made us the leader. Returns the longest single call in nanoseconds; `before` is
 * when the look-up began. */
static inline uint64_t fill_found(const struct cache_lookup *found, uint64_t body_len,
                                  bool announced, uint64_t before)
{
    static const char zeros[65536];
    uint64_t longest = 0;
    struct cache_object_parts parts = parts_for(body_len, announced);
    cache_fill_head(found->fill, &parts);
    for (uint64_t sent = 0; sent < body_len;) {
        size_t n = (size_t)gw_min_u64(body_len - sent, sizeof(zeros));
        longest = gw_max_u64(longest, cpu_ns() - before);
        before = cpu_ns();
        if (cache_fill_append(found->fill, gw_str(zeros, n)) == CACHE_APPEND_UNWANTED)
            break;
        sent += n;
    }
    if (cache_fill_finish(found->fill) != 0)
        report("finish failed", 1, "");
    cache_fill_unref(found->fill);
    cache_object_unref(found->object);
    return gw_max_u64(longest, cpu_ns() - before);
}
