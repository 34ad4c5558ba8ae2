/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache costs without sockets: a fresh hit (look-up, reference, release), the same from
 * several threads, key and hash, a fill, the longest single call while the cache is full, the
 * memory of the process against the configured ceiling, and a purge by tag among a million objects.
 * One line of JSON per figure.
 *
 *     cache_bench [max_size_mib]   */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cache/fill.h"
#include "cache/key.h"
#include "cache/purge.h"

#define OBJECTS 20000
#define HITS    4000000
#define THREADS 4
#define TAGGED  1000000
#define PURGES  10
#define ROUNDS  50
#define WATCHED 1000
#define MIB     ((uint64_t)1024 * 1024)

static const char head_text[] =
    "HTTP/1.1 200 OK\r\nETag: \"5e1f-abc\"\r\nContent-Type: text/css\r\n"
    "Cache-Control: max-age=600\r\n";

struct bench {
    struct cache_store *store;
    struct cache_space *space;
    struct cache_place places[OBJECTS];
    char names[OBJECTS][24];
};

static uint64_t read_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

/* Of this thread alone: what others do on the machine is no pause of ours. */
static uint64_t cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void report(const char *what, double value, const char *unit)
{
    printf("{\"bench\":\"cache\",\"what\":\"%s\",\"value\":%.2f,\"unit\":\"%s\"}\n", what, value,
           unit);
}

static struct cache_object_parts parts_for(uint64_t body_len, bool announced)
{
    uint32_t end = sizeof(head_text) - 1;
    return (struct cache_object_parts){
        .status = 200,
        .text = gw_str(head_text, end),
        .head = {.fields_at = 17, .content_at = 35, .control_at = 59, .length_at = end, .end = end},
        .life = {.ttl_s = 600},
        .now_ms = 1000,
        .body_len = body_len,
        .length_known = announced,
        .body_max = UINT64_MAX};
}

static struct cache_place place_of(const struct bench *b, struct gw_str name)
{
    return (struct cache_place){
        .hash = gw_hash128(name), .space = b->space, .host = GW_STR("example.com"), .target = name};
}

/* Returns the longest single call in nanoseconds. */
static uint64_t fill_one(struct bench *b, const struct cache_place *place, uint64_t body_len,
                         bool announced)
{
    static const char zeros[65536];
    struct cache_lookup found;
    uint64_t longest = 0, before = cpu_ns();
    if (cache_store_begin(b->store, place, 1000, &found) == CACHE_HIT) {
        cache_object_unref(found.object);
        return 0;
    }
    struct cache_object_parts parts = parts_for(body_len, announced);
    cache_fill_head(found.fill, &parts);
    for (uint64_t sent = 0; sent < body_len;) {
        size_t n = (size_t)gw_min_u64(body_len - sent, sizeof(zeros));
        longest = gw_max_u64(longest, cpu_ns() - before);
        before = cpu_ns();
        if (cache_fill_append(found.fill, gw_str(zeros, n)) == CACHE_APPEND_UNWANTED)
            break;
        sent += n;
    }
    if (cache_fill_finish(found.fill) != 0)
        report("finish failed", 1, "");
    cache_fill_unref(found.fill);
    cache_object_unref(found.object);
    return gw_max_u64(longest, cpu_ns() - before);
}

static void *hit_many(void *argument)
{
    struct bench *b = argument;
    struct gw_rng rng = {(uint64_t)pthread_self()};
    for (size_t i = 0; i < HITS; i++) {
        struct cache_lookup found;
        const struct cache_place *place = &b->places[gw_rng_next(&rng) % 1000];
        if (cache_store_begin(b->store, place, 1000, &found) == CACHE_HIT)
            cache_object_unref(found.object);
    }
    return NULL;
}

static void bench_hits(struct bench *b)
{
    pthread_t threads[THREADS];
    uint64_t start = now_ns();
    hit_many(b);
    report("hit, one thread", (double)(now_ns() - start) / HITS, "ns");
    start = now_ns();
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, hit_many, b);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    report("hit, four threads, wall time per hit", (double)(now_ns() - start) / HITS / THREADS,
           "ns");
}

static void bench_keys(void)
{
    static struct config_zone zone = {.id = GW_STR("0123456789abcdef0123456789abcdef")};
    struct cache_settings_merged none = {0};
    struct cache_policy policy = {.zone = &zone, .rules = &none};
    struct headers headers;
    struct gw_arena arena;
    struct gw_buf key;
    gw_arena_init(&arena, NULL, 0, 0);
    headers_init(&headers, &arena, 10);
    struct cache_request request = {.method = METHOD_GET,
                                    .edge = GW_STR("FRA"),
                                    .host = GW_STR("www.example.com"),
                                    .path = GW_STR("/assets/css/main.0123456789abcdef.css"),
                                    .port = 80,
                                    .headers = &headers};
    uint64_t sum = 0, start = now_ns();
    gw_buf_init(&key, CACHE_KEY_MAX);
    for (size_t i = 0; i < HITS; i++) {
        gw_buf_clear(&key);
        cache_key_build(&request, &policy, &key);
        sum += cache_key_hash(&key).lo;
    }
    report("key and hash", (double)(now_ns() - start) / HITS, sum ? "ns" : "");
    gw_buf_release(&key);
}

static double resident_mib(void)
{
    long pages = 0, ignored;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &ignored, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (double)MIB;
}

/* A log-uniform mix from 200 bytes to 4 MiB, half of it without Content-Length, many times the
 * ceiling in all; then a flood of small ones, then large ones again: the worst for an allocator. */
static void bench_churn(struct bench *b, uint64_t max_size)
{
    struct gw_rng rng = {3};
    char name[32];
    uint64_t longest = 0, sent = 0, count = 0, start = now_ns();
    double peak = 0;
    static const uint64_t most[] = {4 * MIB, 2000, 4 * MIB};
    for (size_t phase = 0; phase < GW_COUNT(most); phase++) {
        for (uint64_t until = sent + 4 * max_size / (phase == 1 ? 2 : 1); sent < until; count++) {
            uint64_t body_len = 200;
            while (body_len < most[phase] && gw_rng_below(&rng, 10) < 8)
                body_len = body_len * 2 + gw_rng_below(&rng, 100);
            snprintf(name, sizeof(name), "/churn/%llu", (unsigned long long)count);
            struct cache_place place = place_of(b, gw_str_z(name));
            longest = gw_max_u64(longest, fill_one(b, &place, body_len, count & 1));
            sent += body_len;
            if (count % 1000 == 0 && resident_mib() > peak)
                peak = resident_mib();
        }
        report("resident memory over max_size", peak / ((double)max_size / (double)MIB), "ratio");
    }
    report("fill, mixed sizes", (double)(now_ns() - start) / (double)count, "ns");
    report("fill, throughput", (double)sent / (double)MIB / ((double)(now_ns() - start) / 1e9),
           "MiB/s");
    report("longest single call", (double)longest / 1000, "us");
}

/* ---- purging by tag ---- */

struct watcher {
    struct bench *bench;
    _Atomic bool started, stop;
    uint64_t longest_ns;
};

/* Requests while somebody purges: the longest of them has waited for a lock, or the machine was
 * busy. */
static void *watch(void *argument)
{
    struct watcher *w = argument;
    for (size_t i = 0; !w->stop; i++) {
        struct cache_lookup found;
        const struct cache_place *place = &w->bench->places[i % WATCHED];
        uint64_t start = now_ns();
        if (cache_store_begin(w->bench->store, place, 1000, &found) == CACHE_HIT)
            cache_object_unref(found.object);
        w->longest_ns = gw_max_u64(w->longest_ns, now_ns() - start);
        w->started = true;
    }
    return NULL;
}

static void fill_tagged(struct bench *b, size_t number)
{
    char name[32], text[256];
    snprintf(name, sizeof(name), "/tagged/%zu", number);
    int tag_len = snprintf(text, sizeof(text), "%spost-%zu,all-%zu", head_text, number, number % 9);
    struct cache_place place = place_of(b, gw_str_z(name));
    struct cache_object_parts parts = parts_for(0, true);
    parts.text = gw_str(text, (size_t)tag_len);
    parts.head.tags = (struct cache_slice){parts.head.end, (uint32_t)tag_len - parts.head.end};
    struct cache_object *o = cache_object_new(&place, 0, &parts);
    cache_store_insert(b->store, o);
    cache_object_unref(o);
}

/* The longest of a round. What counts is the least over the rounds: what the purge itself costs is
 * in each, what others do on the machine is not. */
static void purge_one_by_one(struct bench *b, size_t from, uint64_t *took_ns, uint64_t *waited_ns)
{
    uint64_t longest = 0;
    char tag[32];
    pthread_t thread;
    struct watcher w = {.bench = b};
    pthread_create(&thread, NULL, watch, &w);
    while (!w.started)
        sched_yield();
    for (size_t i = 0; i < PURGES; i++) {
        snprintf(tag, sizeof(tag), "post-%zu", from + i * 7);
        const struct cache_match match = {.zone = GW_STR("zone"), .tag = gw_str_z(tag)};
        uint64_t start = cpu_ns();
        if (cache_purge_match(b->store, &match, CACHE_PURGE_REMOVE, 1000) != 1)
            report("purge by tag missed", 1, "");
        longest = gw_max_u64(longest, cpu_ns() - start);
    }
    w.stop = true;
    pthread_join(thread, NULL);
    *took_ns = gw_min_u64(*took_ns, longest);
    *waited_ns = gw_min_u64(*waited_ns, w.longest_ns);
}

static void bench_tags(void)
{
    struct config_cache limits = {.max_size = 2048 * MIB, .max_object_size = MIB};
    struct bench *b = gw_zalloc(sizeof(*b));
    b->store = cache_store_new(&limits);
    b->space = cache_store_space(b->store, GW_STR("zone"), GW_STR("FRA"));
    for (size_t i = 0; i < WATCHED; i++) {
        snprintf(b->names[i], sizeof(b->names[i]), "/watched/%zu", i);
        b->places[i] = place_of(b, gw_str_z(b->names[i]));
        fill_one(b, &b->places[i], 1024, true);
    }
    for (size_t i = 0; i < TAGGED; i++)
        fill_tagged(b, i);
    uint64_t took = UINT64_MAX, waited = UINT64_MAX;
    for (size_t round = 0; round < ROUNDS; round++)
        purge_one_by_one(b, round * 1000, &took, &waited);
    report("purge 1 of 1000000 by tag, longest", (double)took / 1000, "us");
    report("purge by tag, longest wait of a request", (double)waited / 1000, "us");
    const struct cache_match ninth = {.zone = GW_STR("zone"), .tag = GW_STR("all-3")};
    uint64_t start = now_ns();
    size_t count = cache_purge_match(b->store, &ninth, CACHE_PURGE_REMOVE, 1000);
    report("purge of a ninth by tag, per object", (double)(now_ns() - start) / (double)count, "ns");
    cache_store_free(b->store);
    free(b);
}

int main(int argc, char **argv)
{
    uint64_t mib = 256;
    if (argc > 1 && !gw_str_u64(gw_str_z(argv[1]), 65536, &mib))
        return 2;
    struct config_cache limits = {.max_size = mib * MIB, .max_object_size = 512 * MIB};
    struct bench *b = gw_zalloc(sizeof(*b));
    b->store = cache_store_new(&limits);
    b->space = cache_store_space(b->store, GW_STR("zone"), GW_STR("FRA"));
    for (size_t i = 0; i < OBJECTS; i++) {
        snprintf(b->names[i], sizeof(b->names[i]), "/%zu.css", i);
        b->places[i] = place_of(b, gw_str_z(b->names[i]));
        fill_one(b, &b->places[i], 1024, true);
    }
    bench_keys();
    bench_hits(b);
    bench_churn(b, limits.max_size);
    cache_store_free(b->store);
    free(b);
    bench_tags();
    return 0;
}
