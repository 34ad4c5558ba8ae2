/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache costs without sockets: a fresh hit (look-up, reference, release), the same from
 * several threads, key and hash, a fill, the longest single call while the cache is full, the
 * memory of the process against the configured ceiling; then, with a million objects, the longest
 * look-up and insertion, a purge by tag and what it makes requests wait, and sweeping all of it
 * out. One line of JSON per figure.
 *
 *     cache_bench [max_size_mib]   */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "bench/micro/cache_bench.h"
#include "cache/key.h"
#include "cache/purge.h"

#define OBJECTS 20000
#define HITS    4000000
#define THREADS 4
#define TAGGED  1000000
#define PURGES  10
#define ROUNDS  50
#define WATCHED 1000

struct bench {
    struct bench_store cache;
    struct cache_place places[OBJECTS];
    char names[OBJECTS][24];
};

/* Returns the longest single call in nanoseconds. */
static uint64_t fill_one(struct bench *b, const struct cache_place *place, uint64_t body_len,
                         bool announced)
{
    struct cache_lookup found;
    uint64_t before = cpu_ns();
    if (cache_store_begin(b->cache.store, place, 1000, &found) != CACHE_HIT)
        return fill_found(&found, body_len, announced, before);
    cache_object_unref(found.object);
    return 0;
}

static void *hit_many(void *argument)
{
    struct bench *b = argument;
    struct gw_rng rng = {(uint64_t)pthread_self()};
    for (size_t i = 0; i < HITS; i++) {
        struct cache_lookup found;
        const struct cache_place *place = &b->places[gw_rng_next(&rng) % 1000];
        if (cache_store_begin(b->cache.store, place, 1000, &found) == CACHE_HIT)
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
            struct cache_place place = place_of(&b->cache, gw_str_z(name));
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
        if (cache_store_begin(w->bench->cache.store, place, 1000, &found) == CACHE_HIT)
            cache_object_unref(found.object);
        w->longest_ns = gw_max_u64(w->longest_ns, now_ns() - start);
        w->started = true;
    }
    return NULL;
}

/* Returns what the insertion took. */
static uint64_t fill_tagged(struct bench *b, size_t number)
{
    char name[32], text[256];
    snprintf(name, sizeof(name), "/tagged/%zu", number);
    int tag_len =
        snprintf(text, sizeof(text), "%spost-%zu,all-%zu", bench_head, number, number % 9);
    struct cache_place place = place_of(&b->cache, gw_str_z(name));
    struct cache_object_parts parts = parts_for(0, true);
    parts.text = gw_str(text, (size_t)tag_len);
    parts.head.tags = (struct cache_slice){parts.head.end, (uint32_t)tag_len - parts.head.end};
    struct cache_object *o = cache_object_new(&place, 0, &parts);
    uint64_t before = cpu_ns();
    cache_store_insert(b->cache.store, o);
    uint64_t took = cpu_ns() - before;
    cache_object_unref(o);
    return took;
}

/* Look-ups all over a full index. */
static void bench_million(struct bench *b, uint64_t longest_insert)
{
    struct gw_rng rng = {7};
    char name[32];
    uint64_t longest = 0;
    size_t hits = 0;
    for (size_t i = 0; i < TAGGED; i++) {
        struct cache_lookup found;
        snprintf(name, sizeof(name), "/tagged/%zu", (size_t)gw_rng_below(&rng, TAGGED));
        struct cache_place place = place_of(&b->cache, gw_str_z(name));
        uint64_t before = cpu_ns();
        if (cache_store_begin(b->cache.store, &place, 1000, &found) == CACHE_HIT) {
            cache_object_unref(found.object);
            hits++;
        }
        longest = gw_max_u64(longest, cpu_ns() - before);
    }
    if (hits != TAGGED)
        report("a million objects: missed", (double)(TAGGED - hits), "");
    report("a million objects: longest insertion", (double)longest_insert / 1000, "us");
    report("a million objects: longest look-up", (double)longest / 1000, "us");
}

/* What is no more in the index goes a little at a time. */
static void bench_sweep(struct bench *b)
{
    uint64_t longest = 0, before = cpu_ns();
    struct cache_stats stats;
    cache_purge_everything(b->cache.store, GW_STR("zone"));
    do {
        longest = gw_max_u64(longest, cpu_ns() - before);
        before = cpu_ns();
        cache_store_tick(b->cache.store);
        longest = gw_max_u64(longest, cpu_ns() - before);
        cache_store_stats(b->cache.store, &stats);
        before = cpu_ns();
    } while (stats.objects);
    report("a million objects: longest step of purge_everything", (double)longest / 1000, "us");
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
        if (cache_purge_match(b->cache.store, &match, CACHE_PURGE_REMOVE, 1000) != 1)
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
    struct bench *b = gw_zalloc(sizeof(*b));
    bench_store_init(&b->cache, 2048 * MIB, MIB);
    for (size_t i = 0; i < WATCHED; i++) {
        snprintf(b->names[i], sizeof(b->names[i]), "/watched/%zu", i);
        b->places[i] = place_of(&b->cache, gw_str_z(b->names[i]));
        fill_one(b, &b->places[i], 1024, true);
    }
    uint64_t longest_insert = 0;
    for (size_t i = 0; i < TAGGED; i++)
        longest_insert = gw_max_u64(longest_insert, fill_tagged(b, i));
    bench_million(b, longest_insert);
    uint64_t took = UINT64_MAX, waited = UINT64_MAX;
    for (size_t round = 0; round < ROUNDS; round++)
        purge_one_by_one(b, round * 1000, &took, &waited);
    report("purge 1 of 1000000 by tag, longest", (double)took / 1000, "us");
    report("purge by tag, longest wait of a request", (double)waited / 1000, "us");
    const struct cache_match ninth = {.zone = GW_STR("zone"), .tag = GW_STR("all-3")};
    uint64_t start = now_ns();
    size_t count = cache_purge_match(b->cache.store, &ninth, CACHE_PURGE_REMOVE, 1000);
    report("purge of a ninth by tag, per object", (double)(now_ns() - start) / (double)count, "ns");
    bench_sweep(b);
    cache_store_free(b->cache.store);
    free(b);
}

int main(int argc, char **argv)
{
    uint64_t mib = 256;
    if (argc > 1 && !gw_str_u64(gw_str_z(argv[1]), 65536, &mib))
        return 2;
    struct bench *b = gw_zalloc(sizeof(*b));
    bench_store_init(&b->cache, mib * MIB, 512 * MIB);
    for (size_t i = 0; i < OBJECTS; i++) {
        snprintf(b->names[i], sizeof(b->names[i]), "/%zu.css", i);
        b->places[i] = place_of(&b->cache, gw_str_z(b->names[i]));
        fill_one(b, &b->places[i], 1024, true);
    }
    bench_keys();
    bench_hits(b);
    bench_churn(b, mib * MIB);
    cache_store_free(b->cache.store);
    free(b);
    bench_tags();
    return 0;
}
